/* SPDX-License-Identifier: MIT */
/*
 * start.S - where sevstub enters: 64-bit mode, identity map, interrupts off,
 * %rsi = zero page. Everything else is up to the kernel, a stack first of all.
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
