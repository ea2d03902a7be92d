/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the test kernel's entry, to which the stub jumps, and the entries of its
 * exception handlers.
 */
#include "linkage.h"
#include "x86.h"
#include "kernel.h"

#define STACK_SIZE	0x4000

	.section .text.entry, "ax"
	.code64

/*
 * The test kernel's entry. First it looks for a word of the kernel's own stack that is
 * not zero, because the stack lies in .bss, which the stub must have zeroed. The stack
 * must not be used before that. Instructions before PUSHFQ must not change RFLAGS.DF
 * and IF, which cpu.c checks.
 * In:  long mode, %rsi = zero page. cpu.c checks all other state.
 * Out: does not return
 * Stack: switches to the kernel's own. The stub's stack stays unchanged, because map.c
 *      examines it.
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

	/*
	 * Push struct entry_state (kernel.h) for kernel_main(), from its last field to
	 * its first.
	 */
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
 * The entries of the exception handlers, EXCEPTION_STUB_SIZE bytes for each vector. The
 * IDT's gates lead here.
 * In:  the frame that the processor has pushed
 * Out: goes to exception_common, which does not return. Registers need not be saved.
 * Stack: vector, error code (0 if the processor pushed none), RIP, CS, ...
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
