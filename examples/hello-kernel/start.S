/* SPDX-License-Identifier: MIT */
/*
 * start.S - the example kernel's entry, to which sevstub jumps. It calls hello().
 *
 * In:  64-bit mode, identity map, interrupts off, %rsi = zero page
 * Out: does not return
 * Stack: switches to one of its own, because sevstub's stack is in memory that counts
 *      as free
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
