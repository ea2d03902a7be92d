/* SPDX-License-Identifier: MIT */
/*
 * idt.h - what idt_64.c and idt_handlers_64.S agree upon.
 */
#ifndef IDT_H
#define IDT_H

#define EXCEPTION_STUB_SIZE	16

/* The only interrupt stack there is: for #DF, which a full stack ends in. */
#define IST_DOUBLE_FAULT	1
#define DOUBLE_FAULT_STACK_SIZE	2048

/* How much of the stack a report shows. */
#define STACK_DUMP_WORDS	8

#endif
