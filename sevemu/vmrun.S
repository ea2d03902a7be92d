/* SPDX-License-Identifier: MIT */
/*
 * vmrun.S - the switch from the hypervisor to the guest and back.
 *
 * main.c's run loop calls svm_enter() each time the guest shall run.  VMRUN
 * loads RAX and RSP from the VMCB.  This file loads the other general registers
 * from gpr[], which has the order of the instruction encoding.
 *
 * VMLOAD and VMSAVE load and store the guest's FS, GS, TR, LDTR and system-call
 * MSRs (APM2 15.5.2).  The hypervisor does not use these registers and does not
 * save its own values of them.  It does not use x87, SSE and XCR0 either, so
 * the guest's values stay in the processor while the hypervisor runs.
 */

/*
 * svm_enter - void svm_enter(struct vmcb *vmcb, u64 *gpr)
 *
 * In:		RDI = VMCB, at its physical address; RSI = gpr[16]
 * Out:		VMCB and gpr[] hold the guest's state at the exit
 * Clobbers:	RAX, RCX, RDX, RSI, RDI, R8 to R11, RFLAGS (DF is clear)
 * Mode:	64-bit, EFER.SVME set, MSR_VM_HSAVE_PA set, GIF 1
 * Stack:	64 bytes; the address of gpr[] stays there while the guest runs
 */
	.text
	.code64
	.globl svm_enter
	.type svm_enter, @function
svm_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	movq	%rdi, %rax
	movq	8 * 1(%rsi), %rcx
	movq	8 * 2(%rsi), %rdx
	movq	8 * 3(%rsi), %rbx
	movq	8 * 5(%rsi), %rbp
	movq	8 * 7(%rsi), %rdi
	movq	8 * 8(%rsi), %r8
	movq	8 * 9(%rsi), %r9
	movq	8 * 10(%rsi), %r10
	movq	8 * 11(%rsi), %r11
	movq	8 * 12(%rsi), %r12
	movq	8 * 13(%rsi), %r13
	movq	8 * 14(%rsi), %r14
	movq	8 * 15(%rsi), %r15
	movq	8 * 6(%rsi), %rsi
	vmload
	vmrun
	vmsave
	xchgq	%rsi, (%rsp)
	movq	%rcx, 8 * 1(%rsi)
	movq	%rdx, 8 * 2(%rsi)
	movq	%rbx, 8 * 3(%rsi)
	movq	%rbp, 8 * 5(%rsi)
	popq	8 * 6(%rsi)
	movq	%rdi, 8 * 7(%rsi)
	movq	%r8, 8 * 8(%rsi)
	movq	%r9, 8 * 9(%rsi)
	movq	%r10, 8 * 10(%rsi)
	movq	%r11, 8 * 11(%rsi)
	movq	%r12, 8 * 12(%rsi)
	movq	%r13, 8 * 13(%rsi)
	movq	%r14, 8 * 14(%rsi)
	movq	%r15, 8 * 15(%rsi)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	cld
	ret
	.size svm_enter, . - svm_enter

/*
 * svm_sleep - void svm_sleep(void)
 *
 * Halts this processor until an NMI.  An NMI that is already pending ends the halt at once.
 * If the NMI comes in front of HLT, hv_nmi (entry.S) returns after HLT, because the
 * processor would not wake up otherwise.
 *
 * In:		GIF 0, interrupts off
 * Out:		GIF 0
 * Clobbers:	nothing
 * Mode:	64-bit, EFER.SVME set
 * Stack:	48 bytes for the NMI
 */
	.globl svm_sleep
	.type svm_sleep, @function
svm_sleep:
	stgi
	.globl sleep_begin
sleep_begin:
	nop
	nop
	hlt
	.globl sleep_over
sleep_over:
	clgi
	ret
	.size svm_sleep, . - svm_sleep

/*
 * svm_clear_gif - void svm_clear_gif(void)
 *
 * Clears the global interrupt flag, so that NMIs stay pending.
 *
 * In:		nothing
 * Out:		GIF 0
 * Clobbers:	nothing
 * Mode:	64-bit, EFER.SVME set
 * Stack:	none
 */
	.globl svm_clear_gif
	.type svm_clear_gif, @function
svm_clear_gif:
	clgi
	ret
	.size svm_clear_gif, . - svm_clear_gif
	.section .note.GNU-stack, "", @progbits
