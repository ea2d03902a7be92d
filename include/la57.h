/* SPDX-License-Identifier: MIT */
/*
 * la57.h - five-level paging (CR4.LA57) on or off: the functions of la57.c, and
 * struct la57_page, the page below 4 GiB in which la57_trampoline.S runs, with
 * its offsets for assembly. The page after it holds the top page table.
 */
#ifndef LA57_H
#define LA57_H

/* Bytes of struct la57_page and the page table after it. */
#define LA57_SIZE		0x2000

/*
 * Offsets in struct la57_page. The fields that code accesses come first, because
 * a displacement below 0x80 takes one byte of an instruction.
 */
#define LA57_NMIS		0x08
#define LA57_SEV_STATUS		0x0c
#define LA57_GDT_PTR		0x10
#define LA57_IDT_PTR		0x20
#define LA57_RSP		0x30
#define LA57_BACK		0x38
/*
 * The offset at which the stack in struct la57_page ends. The stack has room for 64
 * nested NMIs, each of which interrupts the handler of another. The frames of further
 * NMIs overwrite the IDT below the stack, and the next NMI is a triple fault.
 */
#define LA57_STACK_END		0xf00
#define LA57_CODE		0xf00

/*
 * The IDT in struct la57_page has 64 slots of 8 bytes. Long mode reads two slots as a 64-bit
 * gate, for vectors 0 to 31. Legacy mode reads one slot as a 32-bit gate, and
 * vectors 0 to 31 are the first 32 slots (APM2 4.7.4, 4.8.4).
 */
#define LA57_IDT_SLOTS		64

#ifndef __ASSEMBLER__

#include "x86.h"

/*
 * la57.c fills in struct la57_page except rsp and back, which la57_toggle()
 * stores.
 */
struct la57_page {
	/*
	 * 0x000: INT3. The page's address is on the stack while the page is executable. The
	 * hypervisor can put this address in the place of a return address on the stack. The
	 * stub then returns to the INT3, which ends the boot.
	 */
	u64 trap;
	u32 nmis;			/* 0x008: number of NMIs that la57_nmi_32 and _64 counted */
	u32 sev_status;			/* 0x00c: SEV_STATUS_SEV_ES, or 0 without SEV-ES */
	/*
	 * Each operand lies in one 16-byte block, the unit of memory encryption. The hypervisor
	 * can put old contents of a block back, but thus cannot make half of an operand old.
	 */
	struct desc_ptr gdt_ptr;	/* 0x010: operand of LGDT for the field gdt */
	u8 reserved[6];			/* 0x01a */
	struct desc_ptr idt_ptr;	/* 0x020: operand of LIDT for the field idt */
	u8 reserved_too[6];		/* 0x02a */
	u64 rsp;			/* 0x030: %rsp of la57_toggle() */
	u64 back;			/* 0x038: address at which la57_toggle() continues */
	u64 gdt[4];			/* 0x040: GDT: null, KERNEL32_CS, BOOT_CS, BOOT_DS */
	u64 idt[LA57_IDT_SLOTS];	/* 0x060 */
	u8 stack[LA57_STACK_END - 0x260];	/* 0x260 */
	u8 stack_end[0];		/* 0xf00 */
	u8 code[LA57_SIZE / 2 - LA57_CODE];	/* 0xf00 */
};

struct boot_params;
struct cmdline;

/* ---- la57.c */

/*
 * The address of LA57_SIZE bytes below 4 GiB that the EFI entry allocated for a
 * change of CR4.LA57; 0 if it allocated nothing.
 */
extern u64 la57_efi_memory;

/*
 * Address of the LA57_SIZE bytes below 4 GiB for la57_switch(); 0 if CR4.LA57 stays as it is. The
 * stub reads the variable again for each use, and keeps no copy of it on the stack, where the
 * hypervisor could put an old address in the copy's place. The only old value of the variable
 * itself is 0. If the hypervisor puts this 0 back, la57_switch() either changes nothing or, if it
 * has begun, ends the boot.
 */
extern u64 la57_area;

/*
 * Decides whether five-level paging must be switched on or off for the payload,
 * and finds the memory that the switch needs. @payload_can: the payload supports
 * five levels.
 * Returns the physical address of LA57_SIZE bytes below 4 GiB, which the caller must map
 * writable before it calls la57_switch(); 0 if la57_switch() will change nothing. Ends the boot
 * with error() if five levels must be switched off and there is no RAM for that below 4 GiB.
 */
u64 la57_prepare(const struct boot_params *bp, const struct cmdline *cmdline,
		 bool payload_can);

/*
 * Changes the number of paging levels if la57_prepare() decided so, and unmaps the
 * memory that la57_prepare() returned. Needs the stub's own page tables and the stage-2 IDT.
 */
void la57_switch(void);

/* ---- la57_trampoline.S */

/*
 * Inverts CR4.LA57 and loads CR3 with the stub's top page table for the new number of levels.
 * load_cr3_proven() loads it and proves that its C-bit is right. Needs struct la57_page at
 * la57_area, filled in but for the fields rsp and back, and the page after it, for a copy of that
 * table. Both pages must be below 4 GiB, identity-mapped and writable, and the first one also
 * executable. Halts if la57_area is 0, or if CR3 is not the stub's top page table for the present
 * number of levels.
 */
void la57_toggle(void);
/* The code that runs from a copy in struct la57_page, and its exception handlers. */
extern const u8 la57_code[], la57_code_end[];
extern const u8 la57_nmi_32[], la57_nmi_64[], la57_nmi_es[], la57_exception[];

#endif /* __ASSEMBLER__ */
#endif
