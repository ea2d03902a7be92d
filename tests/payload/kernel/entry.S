/* SPDX-License-Identifier: MIT */
/*
 * entry.S - where the stub jumps to, and the stubs of the exception vectors.
 */
#include "linkage.h"
#include "x86.h"
#include "kernel.h"

#define STACK_SIZE	0x4000

	.section .text.entry, "ax"
	.code64

/*
 * In:		long mode, %rsi = zero page; all else is under test
 * Out:		does not return
 * Stack:	the one that is handed over is evidence and not used
 *
 * The own stack lies in .bss and so has to be zero: it is looked at before it
 * is used, with instructions that leave DF and IF alone.
 */
	.globl	_start
FUNC(_start)
	lea	stack(%rip), %rdi
	lea	stack_end(%rip), %rcx
1:	cmpq	$0, (%rdi)
	jne	2f
	add	$8, %rdi
	cmp	%rcx, %rdi
	jb	1b

	/* struct entry_state, last field first. */
2:	mov	%rsp, %rax
	mov	%rcx, %rsp
	pushfq
	cli
	cld
	push	%rdi
	push	%rax
	push	%rsi
	mov	%rsp, %rdi
	xor	%ebp, %ebp
	call	kernel_main
	ud2
END_FUNC(_start)

/*
 * Exceptions end the test; nothing has to be saved but what is reported.
 * On the stack as exception() gets it: vector, error code, RIP, CS, ...
 */
FUNC(exception_stubs)
.set vector, 0
.rept IDT_VECTORS
	.balign	EXCEPTION_STUB_SIZE
	.if !((TRAPS_WITH_ERROR_CODE >> vector) & 1)
	push	$0
	.endif
	push	$vector
	jmp	exception_common
	.set vector, vector + 1
.endr
END_FUNC(exception_stubs)
	.globl	exception_stubs

FUNC(exception_common)
	mov	%rsp, %rdi
	and	$-16, %rsp
	cld
	call	exception
	ud2
END_FUNC(exception_common)

	.bss
	.balign	16
	.globl	stack, stack_end
DATA(stack)
	.skip	STACK_SIZE
END_DATA(stack)
stack_end:

	.section .note.GNU-stack, "", @progbits
