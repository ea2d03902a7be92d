/* SPDX-License-Identifier: MIT */
/*
 * exception.h - the C handler of all exceptions, from idt_load_stage1() until
 * idt_teardown() (exception.c).
 */
#ifndef EXCEPTION_H
#define EXCEPTION_H

#include "types.h"

/*
 * The registers of the interrupted code on the stack. The processor pushes the
 * last members, and then idt_handlers_64.S pushes the others, @r15 last. A handler
 * changes the interrupted code's registers by changing this structure.
 */
struct exception_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector;			/* 0 to 31; for the report only */
	u64 error_code;			/* 0 if the exception has no error code */
	u64 rip, cs, rflags, rsp, ss;	/* pushed by the processor */
};

/*
 * Handles the exception that @frame describes. @vector is its vector, which the caller
 * passes in a register, because the hypervisor can change the frame. Returns if the
 * interrupted code can go on; otherwise reports the exception and terminates.
 * idt_handlers_64.S calls it on the interrupted code's stack. After idt_load_stage2() a
 * #DF has a stack of its own.
 */
void do_exception(struct exception_frame *frame, u64 vector);

/*
 * Lets page faults from now on map RAM, by ident_map_fault(), if this is no SEV-ES
 * guest. idt_load_stage2() calls this when CR3 holds the stub's own page tables.
 */
void exception_allow_mapping(void);

#endif
