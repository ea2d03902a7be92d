/* SPDX-License-Identifier: MIT */
/*
 * idt.h - sizes and numbers that idt_64.c shares with idt_handlers_64.S.
 */
#ifndef IDT_H
#define IDT_H

/*
 * The bytes of each vector's entry in exception_stubs (idt_handlers_64.S). The
 * entry of vector n begins n times this many bytes behind the first.
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

/*
 * Loads the stage-1 IDT: exception_nmi handles NMIs. do_exception() handles a CPUID's
 * #VC by the MSR protocol, and reports every other exception and terminates. Called
 * once in the image as it was loaded, and again in its copy after the move,
 * because the gates hold addresses.
 */
void idt_load_stage1(void);

/*
 * Changes the IDT to stage 2: page faults may map memory, and #DF has a stack of
 * its own. Must be called after sev_load_map() has loaded the stub's own page
 * tables.
 */
void idt_load_stage2(void);

/*
 * Loads an IDT without entries, because the payload may overwrite the handlers. A
 * later exception is a triple fault, which resets the machine.
 */
void idt_teardown(void);

#endif /* __ASSEMBLER__ */
#endif
