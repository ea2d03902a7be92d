/* SPDX-License-Identifier: MIT */
/*
 * la57.h - the page that la57_trampoline.S runs in: what la57.c puts there, and
 * where. For C and assembly. Behind it comes one page for the top page table.
 */
#ifndef LA57_H
#define LA57_H

#define LA57_SIZE		0x2000	/* both pages */

/* struct la57_page, for la57_trampoline.S: within reach of a short offset. */
#define LA57_NMIS		0x00
#define LA57_SEV_STATUS		0x04
#define LA57_RSP		0x08
#define LA57_BACK		0x10
#define LA57_GDT_PTR		0x18
#define LA57_IDT_PTR		0x22
/*
 * Room for 64 NMIs, each of which comes while the last one is served. More run
 * over the IDT below, which ends them.
 */
#define LA57_STACK_END		0xf00
#define LA57_CODE		0xf00

/*
 * Vectors 0 to 31 in 64-bit gates, which take two slots each. In legacy mode
 * the processor reads the same table as one of 32-bit gates, of one slot each
 * (APM2 4.7.4, 4.8.4).
 */
#define LA57_IDT_SLOTS		64

#ifndef __ASSEMBLER__

#include "x86.h"

struct la57_page {
	u32 nmis;			/* 0x000: served on the way */
	u32 sev_status;			/* 0x004: low half */
	u64 rsp;			/* 0x008: the stack to come back to */
	u64 back;			/* 0x010: where to go on there */
	struct desc_ptr gdt_ptr;	/* 0x018 */
	struct desc_ptr idt_ptr;	/* 0x022 */
	u32 reserved;			/* 0x02c */
	u64 gdt[4];			/* 0x030: KERNEL32_CS, BOOT_CS, BOOT_DS */
	u64 idt[LA57_IDT_SLOTS];	/* 0x050 */
	u8 stack[LA57_STACK_END - 0x250];	/* 0x250 */
	u8 stack_end[0];		/* 0xf00 */
	u8 code[LA57_SIZE / 2 - LA57_CODE];	/* 0xf00 */
};

#endif /* __ASSEMBLER__ */
#endif
