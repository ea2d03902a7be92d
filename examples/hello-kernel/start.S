/* SPDX-License-Identifier: MIT */
/*
 * start.S - the kernel's entry, to which sevstub jumps.
 *
 * In:	64-bit mode, identity map, interrupts off, %rsi = zero page
 * Out:	does not return
 * The kernel needs a stack of its own, because sevstub's is in memory that counts
 * as free.
 */
	.text
	.globl	_start
_start:
	leaq	stack_end(%rip), %rsp
	xorl	%ebp, %ebp
	movq	%rsi, %rdi
	call	hello
1:	cli
	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", @progbits
