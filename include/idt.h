/* SPDX-License-Identifier: MIT */
/*
 * idt.h - sizes and numbers that idt_64.c shares with idt_handlers_64.S.
 */
#ifndef IDT_H
#define IDT_H

/* Bytes from one vector's stub to the next one's. */
#define EXCEPTION_STUB_SIZE	16

/*
 * The entry of the TSS's interrupt stack table that #DF uses, and the stack's
 * bytes. A stack that runs into its guard page ends in #DF, and its handler
 * cannot use that stack.
 */
#define IST_DOUBLE_FAULT	1
#define DOUBLE_FAULT_STACK_SIZE	2048

#ifndef __ASSEMBLER__

/*
 * Loads the stage-1 IDT: an NMI is counted, a #VC is handled by the MSR
 * protocol, every other exception is reported and terminates. Called at the
 * entry, and again when the image has moved, because the gates hold addresses.
 */
void idt_load_stage1(void);

/*
 * From now on page faults may map memory, and #DF has a stack of its own.
 * Called once sev_load_map() has loaded the stub's own page tables.
 */
void idt_load_stage2(void);

/*
 * Loads an IDT without entries, because the payload is about to overwrite the
 * handlers. A later exception resets the machine.
 */
void idt_teardown(void);

#endif /* __ASSEMBLER__ */
#endif
