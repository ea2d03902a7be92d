/* SPDX-License-Identifier: MIT */
/*
 * The world switch: void svm_enter(struct vmcb *vmcb, u64 gpr[16])
 *
 * Runs the guest until its next exit.  gpr[] is in the order of the
 * instruction encoding; RAX and RSP travel in the VMCB.  VMLOAD and VMSAVE
 * move the guest's FS, GS, TR, LDTR and system-call MSRs; the hypervisor uses
 * none of them, so it has nothing of its own to load back.  Nor does it use
 * x87, SSE or XCR0: those always hold the guest's values.
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
	.section .note.GNU-stack, "", @progbits
