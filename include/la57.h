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

struct boot_params;
struct cmdline;

/* ---- la57.c */

/*
 * Memory of LA57_SIZE bytes below 4 GiB that the EFI entry allocated for the
 * switch, or 0.
 */
extern u64 la57_efi_memory;

/*
 * Decides whether five-level paging must be switched on or off for the payload.
 * @payload_can: the payload supports five levels.
 * Returns the physical address of LA57_SIZE bytes below 4 GiB that the caller
 * maps writable and executable before anything else, or 0 if nothing is to be
 * switched. Ends the boot with error() if there is no such memory and the
 * levels cannot stay as they are.
 */
u64 la57_prepare(const struct boot_params *bp, const struct cmdline *cmdline,
		 bool payload_can);

/*
 * Switches if la57_prepare() decided so, and unmaps that memory. Needs the
 * stage-2 IDT, and must run before sev_es_setup_ghcb().
 */
void la57_switch(void);

/* ---- la57_trampoline.S: runs from a copy in @page. */

void la57_toggle(struct la57_page *page, u64 table);
extern const u8 la57_code[], la57_code_end[];
extern const u8 la57_nmi_32[], la57_nmi_64[], la57_exception[];

#endif /* __ASSEMBLER__ */
#endif
