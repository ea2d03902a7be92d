/* SPDX-License-Identifier: MIT */
/*
 * idt_handlers_64.S - from a vector to do_exception() and back.
 *
 * One stub for each vector makes all frames alike; one common path saves,
 * calls and restores. The stack that do_exception() gets to see, and that
 * struct exception_frame describes, lowest address first:
 *
 *	  0x00	r15 r14 r13 r12 r11 r10 r9 r8
 *	  0x40	rdi rsi rbp rbx rdx rcx rax
 *	  0x78	vector			pushed by the stub
 *	  0x80	error code		by the processor, or 0 by the stub
 *	  0x88	rip cs rflags rsp ss	by the processor
 *
 * The stubs are EXCEPTION_STUB_SIZE bytes each, in order: a vector's address
 * is computed, since a table of addresses would need relocation.
 */
#include "idt.h"
#include "linkage.h"
#include "x86.h"

	.text

	.balign EXCEPTION_STUB_SIZE
GLOBAL(exception_stubs)
exception_stubs:
	vector = 0
	.rept IDT_VECTORS
	.balign EXCEPTION_STUB_SIZE, 0xcc
	.if !((TRAPS_WITH_ERROR_CODE >> vector) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception_common
	vector = vector + 1
	.endr
	.type exception_stubs, @function
	.size exception_stubs, . - exception_stubs

FUNC(exception_common)
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15

	/* The interrupted code may run with DF set; C may not. */
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbx		/* survives the call */
	andq	$-16, %rsp
	call	do_exception
	movq	%rbx, %rsp

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp		/* vector, error code */
	iretq
END_FUNC(exception_common)

	.section .note.GNU-stack, "", @progbits
