/* SPDX-License-Identifier: MIT */
/*
 * idt.h - sizes and numbers that idt_64.c shares with idt_handlers_64.S.
 */
#ifndef IDT_H
#define IDT_H

/*
 * The bytes of each vector's entry in exception_stubs (idt_handlers_64.S). The
 * entry of vector n begins n times this many bytes after the first.
 */
#define EXCEPTION_STUB_SIZE	16

/*
 * #DF has a stack of its own, because it is raised when the normal stack runs
 * into its guard page. IST_DOUBLE_FAULT is that stack's number in the TSS's
 * interrupt stack table, DOUBLE_FAULT_STACK_SIZE its size in bytes.
 */
#define IST_DOUBLE_FAULT	1
#define DOUBLE_FAULT_STACK_SIZE	2048

#ifndef __ASSEMBLER__

#include "x86.h"

/* An IDT and the operand with which LIDT loads it. */
struct idt {
	/*
	 * The operand of LIDT, in a block of its own, because the hypervisor can put old
	 * contents back in blocks of 16 bytes. The stub writes no other operand to the
	 * block, so that old contents name no other IDT.
	 */
	struct desc_ptr ptr __attribute__((aligned(16)));
	/* Gates of 16 bytes, each as two halves (APM2 4.8.4). */
	u64 gates[IDT_VECTORS][2] __attribute__((aligned(16)));
};

/* The IDT of the image as it was loaded. In .data, because it is used before .bss is cleared. */
extern struct idt idt;
/*
 * The IDT from the function `moved` on, in the moved image or in an image that need not
 * move. linker.ld places it after .data, so that the copy of the image to its new place brings
 * no addresses of the old place into it. linker.ld also places it before _bss, so that `moved`,
 * which clears the memory from _bss on, does not clear the IDT that the processor uses.
 */
extern struct idt moved_idt;

/*
 * Fills and loads @table as the stage-1 IDT: exception_nmi handles NMIs. exception_vc
 * handles the CPUID of ask_cpuid(). do_exception() reports every other exception and
 * terminates. head_64.S calls it for `idt` before the image moves, for moved_idt in the
 * image's copy right before it jumps there, and for moved_idt again after that jump. An image
 * that need not move makes no copy and no jump, and only the last call fills its moved_idt.
 */
void idt_load_stage1(struct idt *table);

/*
 * Changes moved_idt to stage 2: page faults map RAM unless the guest is an SEV-ES guest, and
 * #DF has a stack of its own. Must be called after sev_load_map() has loaded the stub's own
 * page tables.
 */
void idt_load_stage2(void);

/*
 * Loads an IDT without entries, because the payload may overwrite the handlers. A
 * later exception is a triple fault, which resets the machine.
 */
void idt_teardown(void);

#endif /* __ASSEMBLER__ */
#endif
