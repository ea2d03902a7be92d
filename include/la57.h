/* SPDX-License-Identifier: MIT */
/*
 * la57.h - struct la57_page, the page below 4 GiB that la57.c fills and that
 * la57_trampoline.S runs in, and its offsets for assembly. The page behind it
 * holds the top page table.
 */
#ifndef LA57_H
#define LA57_H

#define LA57_SIZE		0x2000	/* bytes: struct la57_page, the table */

/* Offsets in struct la57_page. Below 0x80 they fit into one byte of code. */
#define LA57_NMIS		0x00
#define LA57_SEV_STATUS		0x04
#define LA57_RSP		0x08
#define LA57_BACK		0x10
#define LA57_GDT_PTR		0x18
#define LA57_IDT_PTR		0x22
/*
 * The stack has room for 64 NMIs, each of which interrupts the handler of the one
 * before. The frames of further NMIs overwrite the IDT below the stack, and the
 * next NMI is a triple fault.
 */
#define LA57_STACK_END		0xf00
#define LA57_CODE		0xf00

/*
 * Slots of 8 bytes in the IDT. Long mode reads two slots as one 64-bit gate, for
 * vectors 0 to 31. Legacy mode reads one slot as a 32-bit gate (APM2 4.7.4,
 * 4.8.4).
 */
#define LA57_IDT_SLOTS		64

#ifndef __ASSEMBLER__

#include "x86.h"

struct la57_page {
	u32 nmis;			/* 0x000: NMIs that the handlers counted */
	u32 sev_status;			/* 0x004: SEV_STATUS, low half */
	u64 rsp;			/* 0x008: la57_toggle()'s %rsp */
	u64 back;			/* 0x010: where la57_toggle() continues */
	struct desc_ptr gdt_ptr;	/* 0x018: gdt below */
	struct desc_ptr idt_ptr;	/* 0x022: idt below */
	u32 reserved;			/* 0x02c */
	u64 gdt[4];			/* 0x030: KERNEL32_CS, BOOT_CS, BOOT_DS */
	u64 idt[LA57_IDT_SLOTS];	/* 0x050 */
	u8 stack[LA57_STACK_END - 0x250];	/* 0x250 */
	u8 stack_end[0];		/* 0xf00 */
	u8 code[LA57_SIZE / 2 - LA57_CODE];	/* 0xf00 */
};

#endif /* __ASSEMBLER__ */
#endif
