/* SPDX-License-Identifier: MIT */
/*
 * fresh_stack_64.S - calls a function on the half of the stack that nothing has used
 * before.
 *
 * The hypervisor of an SEV-ES guest can put old contents of the stack back. The decoder
 * keeps the addresses that it writes to on the stack. On a stack that it shares with earlier
 * code, old contents could hold the address of the GHCB page, or of another page that the
 * decoder must not write to. On a half of the stack that nothing else has used, the old
 * contents are only what the decoder itself has written.
 */
#include "linkage.h"
#include "setup.h"

	.section .text, "ax"
	.code64

/*
 * call_on_fresh_stack - calls a function with RSP at the middle of the stack. %rbx and
 * %r12 to %r15, which the function may save on the stack, are 0, so that no value of the
 * caller gets there.
 * In:       %rdi = the function, %rsi = its argument.
 * Out:      returns when the function does.
 * Clobbers: the registers that a C function may change.
 * Mode:     64-bit.
 * Stack:    56 bytes of the caller's; the lower half for the function.
 */
GLOBAL(call_on_fresh_stack)
FUNC(call_on_fresh_stack)
	PUSH_CALLEE_SAVED
	movq	%rsp, %rbp
	xorl	%ebx, %ebx
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	movq	%rdi, %rax
	movq	%rsi, %rdi
	leaq	(stack_end - STACK_SIZE / 2)(%rip), %rsp
	call	*%rax
	movq	%rbp, %rsp
	POP_CALLEE_SAVED
	ret
END_FUNC(call_on_fresh_stack)

	.section .note.GNU-stack, "", @progbits
