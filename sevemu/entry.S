/* SPDX-License-Identifier: MIT */
/*
 * entry.S - entry of the hypervisor's image at HV_VIRT, and its exception stubs.
 *
 * rom.S jumps to hv_entry once, after it has copied the image to RAM and turned
 * long mode on.  The stubs run only if the hypervisor has a bug.
 */
#include "layout.h"
#include "x86.h"

#define STACK_SIZE		0x8000

/*
 * hv_entry - clears .bss, sets up the stack and calls hv_main().
 *
 * In:		RDI = hv_base
 * Out:		does not return
 * Clobbers:	everything
 * Mode:	64-bit, five-level paging, EFER.SVME set, interrupts off, GIF 1
 * Stack:	none on entry; STACK_SIZE bytes of .bss from then on
 */
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

/*
 * hv_exception_stubs - a stub for each of the vectors 0 to 31, HV_STUB_SIZE bytes
 * apart.
 *
 * In:		the exception's frame on the stack
 * Out:		goes to hv_exception with the error code (0 if the vector has
 *		none) and the vector pushed
 * Clobbers:	nothing
 * Mode:	64-bit, interrupts off
 * Stack:	the hypervisor's, or what the exception found in RSP
 */
	.balign HV_STUB_SIZE
	.globl hv_exception_stubs
	.type hv_exception_stubs, @function
hv_exception_stubs:
	vector = 0
	.rept 32
	.balign HV_STUB_SIZE
	.if !((X86_HAS_ERROR_CODE >> vector) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	hv_exception
	vector = vector + 1
	.endr
	.size hv_exception_stubs, . - hv_exception_stubs

/*
 * hv_exception - reports an exception of the hypervisor and ends the run.
 *
 * In:		RSP = address of vector, error code, RIP, CS, RFLAGS, RSP, SS
 * Out:		does not return
 * Clobbers:	everything
 * Mode:	64-bit, interrupts off
 * Stack:	as in hv_exception_stubs; aligned here
 */
	.type hv_exception, @function
hv_exception:
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
