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

/* How many 8-byte words of the stack the report of an exception shows. */
#define STACK_DUMP_WORDS	8

#endif
