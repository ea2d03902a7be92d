/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the entry points of the hypervisor's image, and the exception handlers
 * for the hypervisor's own exceptions.
 *
 * rom.S jumps to hv_entry once, after it has copied the image to RAM and turned
 * long mode on, and to hv_ap_entry on each other processor.  The exception handlers run
 * only if the hypervisor has a bug.
 */
#include "layout.h"
#include "x86.h"

#define STACK_SIZE		0x8000
/* The local APIC's end-of-interrupt register (APM2 16.3). */
#define APIC_END_OF_INTERRUPT	0xfee000b0

/*
 * hv_entry - clears .bss, sets up the stack and calls hv_main().
 *
 * In:		RDI = hv_base, the physical address of the hypervisor's memory
 * Out:		does not return
 * Clobbers:	everything
 * Mode:	64-bit, five-level paging, EFER.SVME set, interrupts off, GIF 1
 * Stack:	no stack on entry; hv_entry sets up STACK_SIZE bytes in .bss
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
 * hv_ap_entry - calls smp_main() on a processor that smp_start() has started.
 *
 * In:		nothing
 * Out:		does not return
 * Clobbers:	everything
 * Mode:	64-bit, five-level paging, EFER.SVME set, interrupts off, GIF 1
 * Stack:	no stack on entry; hv_ap_entry loads smp_stack
 */
	.globl hv_ap_entry
	.type hv_ap_entry, @function
hv_ap_entry:
	movq	smp_stack, %rsp
	call	smp_main
	ud2
	.size hv_ap_entry, . - hv_ap_entry

/*
 * hv_exception_stubs - the first instructions of the handlers of vectors 0 to
 * 31, at intervals of HV_STUB_SIZE bytes.  main.c enters their addresses in the
 * IDT.
 *
 * In:		the processor's exception frame on the stack
 * Out:		jumps to hv_exception with the error code (0 for a vector without
 *		an error code) and the vector number pushed
 * Clobbers:	nothing
 * Mode:	64-bit, interrupts off
 * Stack:	the one in use when the exception occurred
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
 * hv_nmi - the handler of NMIs, which come from campaign.c's timer and from smp.c.  The
 * handler does nothing with an NMI, except if the NMI comes between sleep_begin and the HLT
 * of svm_sleep() in vmrun.S.  The handler then skips the HLT, which this NMI would no longer
 * wake.
 *
 * In:		the processor's exception frame on the stack
 * Out:		returns to the interrupted code, or after the HLT
 * Clobbers:	nothing
 * Mode:	64-bit, interrupts off
 * Stack:	8 bytes of the one in use when the NMI came
 */
	.globl hv_nmi
	.type hv_nmi, @function
hv_nmi:
	pushq	%rax
	movq	8(%rsp), %rax
	cmpq	$sleep_begin, %rax
	jb	1f
	cmpq	$sleep_over, %rax
	jae	1f
	movq	$sleep_over, 8(%rsp)
1:	popq	%rax
	iretq
	.size hv_nmi, . - hv_nmi

/*
 * hv_interrupt - the handler of interrupts that apic_reset() takes out of the local APIC:
 * writes to its end-of-interrupt register.
 *
 * In:		the processor's interrupt frame on the stack
 * Out:		returns to the interrupted code
 * Clobbers:	nothing
 * Mode:	64-bit, interrupts off
 * Stack:	8 bytes of the one in use when the interrupt came
 */
	.globl hv_interrupt
	.type hv_interrupt, @function
hv_interrupt:
	pushq	%rax
	movl	$APIC_END_OF_INTERRUPT, %eax
	movl	$0, (%rax)
	popq	%rax
	iretq
	.size hv_interrupt, . - hv_interrupt

/*
 * hv_exception - prints an exception that the hypervisor's own code has caused,
 * and terminates sevemu.
 *
 * In:		RSP = address of vector, error code, RIP, CS, RFLAGS, RSP, SS
 * Out:		does not return
 * Clobbers:	everything
 * Mode:	64-bit, interrupts off
 * Stack:	the one in use when the exception occurred, aligned to 16 bytes here
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
