/* SPDX-License-Identifier: MIT */
/*
 * Entry of the image at HV_VIRT, and the hypervisor's own exception stubs.
 *
 * In: RDI = hv_base; long mode, five-level paging, SVM on, interrupts off,
 * GIF 1.  No stack yet.  An exception in the hypervisor is a bug: the stubs
 * print it and end the run.
 */
#include "layout.h"
#include "x86.h"

#define STACK_SIZE		0x8000

	.text
	.code64
	.globl hv_entry
	.type hv_entry, @function
hv_entry:
	movq	%rdi, %rbx
	movq	$bss_start, %rdi
	movq	$bss_end, %rcx
	subq	%rdi, %rcx
	xorl	%eax, %eax
	rep stosb
	movq	$stack_top, %rsp
	movq	%rbx, %rdi
	call	hv_main
	ud2
	.size hv_entry, . - hv_entry

/* One stub an exception, 16 bytes apart; the vector goes to a common path. */
	.balign 16
	.globl hv_exception_stubs
	.type hv_exception_stubs, @function
hv_exception_stubs:
	vector = 0
	.rept 32
	.balign 16
	.if !((X86_HAS_ERROR_CODE >> vector) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	hv_exception
	vector = vector + 1
	.endr
	.size hv_exception_stubs, . - hv_exception_stubs

	.type hv_exception, @function
hv_exception:	/* stack: vector, error code, RIP, CS, RFLAGS, RSP, SS */
	movq	%rsp, %rdi
	andq	$~15, %rsp
	call	hv_exception_report
	ud2
	.size hv_exception, . - hv_exception

	.bss
	.balign 16
	.skip	STACK_SIZE
stack_top:
	.section .note.GNU-stack, "", @progbits
