/* SPDX-License-Identifier: MIT */
/*
 * idt_handlers_64.S - the exception handlers that idt_64.c puts into the IDT:
 * they save the registers, call do_exception() and return.
 *
 * Each vector has an entry in exception_stubs. Every entry but that of NMI, which goes to
 * exception_nmi, pushes an error code of 0 if the processor has pushed none, and then the
 * vector. RAX is pushed next, and the vector is loaded into EAX. exception_common pushes the
 * other registers, and passes the vector to do_exception() in a register, because the
 * hypervisor can put an old vector back on the stack. do_exception() finds these bytes on
 * the stack, struct exception_frame of exception.h, lowest address first:
 *
 *	  0x00	r15 r14 r13 r12 r11 r10 r9 r8
 *	  0x40	rdi rsi rbp rbx rdx rcx rax
 *	  0x78	vector			pushed by exception_stubs
 *	  0x80	error code		by the processor, or 0 by exception_stubs
 *	  0x88	rip cs rflags rsp ss	by the processor (APM2 8.9.3)
 *
 * Vector n's entry begins EXCEPTION_STUB_SIZE * n bytes after exception_stubs.
 * idt_64.c computes the address, because a table of addresses would need
 * relocation.
 */
#include "idt.h"
#include "linkage.h"
#include "sev.h"
#include "x86.h"

	.text

/*
 * exception_stubs - IDT_VECTORS handlers, one for each exception vector.
 * In:       the processor's frame; an error code for vectors that have one.
 * Out:      jumps to exception_common with an error code, the vector and RAX pushed,
 *           and the vector in %eax. For #VC and #GP jumps to exception_vc and
 *           exception_gp, with an error code and the vector pushed. For NMI jumps to
 *           exception_nmi, with 0 pushed.
 * Clobbers: nothing.
 * Mode:     64-bit, interrupts off.
 * Stack:    the interrupted code's, or the interrupt stack for #DF: 8 to 24
 *           bytes.
 */
	.balign EXCEPTION_STUB_SIZE
GLOBAL(exception_stubs)
exception_stubs:
	vector = 0
	.rept IDT_VECTORS
	.balign EXCEPTION_STUB_SIZE, 0xcc
	.if vector == X86_TRAP_NMI
	pushq	$0
	jmp	exception_nmi
	.else
	.if !((TRAPS_WITH_ERROR_CODE >> vector) & 1)
	pushq	$0
	.endif
	pushq	$vector
	.if vector == X86_TRAP_VC
	jmp	exception_vc
	.elseif vector == X86_TRAP_GP
	jmp	exception_gp
	.else
	pushq	%rax
	movl	$vector, %eax
	jmp	exception_common
	.endif
	.endif
	vector = vector + 1
	.endr
	.type exception_stubs, @function
	.size exception_stubs, . - exception_stubs

/*
 * exception_common - saves the general registers, calls do_exception() with the
 * frame and the vector, restores the registers from the frame and returns from the exception.
 * do_exception() may change the frame, to change the interrupted code's
 * registers. XMM registers are not saved, because no code that a handler calls
 * uses them.
 * In:       struct exception_frame from its field rax on; %eax = the vector.
 * Out:      IRETQ, unless do_exception() does not return.
 * Clobbers: nothing.
 * Mode:     64-bit, interrupts off.
 * Stack:    112 bytes below RAX, up to 8 for alignment, and what
 *           do_exception() takes.
 */
FUNC(exception_common)
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15

	/*
	 * C code needs the direction flag clear, but an exception can come
	 * while startup_64 has set it to copy the image.
	 */
	cld
	movq	%rsp, %rdi
	movl	%eax, %esi
	movq	%rsp, %rbx		/* C functions keep %rbx */
	andq	$-16, %rsp
	call	do_exception
	movq	%rbx, %rsp

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp		/* vector, error code */
	iretq
END_FUNC(exception_common)

/*
 * JUMP_UNLESS_FRAME_OF - jumps to \target unless the exception came at \rip and the
 * interrupted code's RSP is the register \rsp. The processor has aligned RSP down to 16
 * bytes and pushed 40 bytes. The error code, the vector and RAX follow, so that RSP + 64
 * is the interrupted code's RSP but for the low 4 bits. The macro thus compares registers,
 * which the hypervisor cannot change. RIP is compared on the stack, where the hypervisor
 * can put an old one back. Even then the code at \rip goes on with its own stack, because
 * \rsp was compared.
 * Clobbers: %rax, flags.
 */
	.macro JUMP_UNLESS_FRAME_OF rsp, rip, target
	leaq	64(%rsp), %rax
	xorq	\rsp, %rax
	shrq	$4, %rax
	jnz	\target
	leaq	\rip(%rip), %rax
	cmpq	%rax, 24(%rsp)
	jne	\target
	.endm

/*
 * exception_vc - terminates the guest if %ecx shows that this #VC must not be handled. If
 * the CPUID of ask_cpuid() has raised the #VC, continues after that CPUID. Otherwise
 * continues at exception_common.
 *
 * Two instructions tell the stub whether this is an SEV-ES guest: CPUID with a sub-leaf
 * of ASK_FOR_SEV, and RDMSR of SEV_STATUS. Only the processor may answer them. If one
 * raises #VC, the guest terminates, because a handler could only pass on what the
 * hypervisor answers. A #VC with the GHCB MSR in %ecx is injected, because no access to
 * this MSR raises #VC. It terminates the guest, too, because a handler of WRMSR would send
 * registers to the hypervisor. While the GHCB page is shared the stub writes no other MSR.
 *
 * The hypervisor can put other bytes on the stack. %ecx is therefore compared while it is
 * a register, and the exit code, which the processor has pushed, is not looked at. No other
 * instruction of the stub that can raise #VC has one of these numbers in %ecx. ask_cpuid()
 * keeps its RSP in %rsi, from which the handler takes it instead of from the frame. The
 * hypervisor can inject #VC where data of a loader is in %ecx and %rsi. %rsi must therefore
 * equal the interrupted code's RSP, and RIP must be the address of the CPUID.
 * In:       struct exception_frame from its field vector on.
 * Out:      jumps to exception_common, or to behind_cpuid with %rsp = %rsi and %ecx = 0,
 *           or does not return.
 * Clobbers: flags.
 * Mode:     64-bit, interrupts off.
 * Stack:    8 bytes.
 */
FUNC(exception_vc)
	cmpl	$CPUID_SUBLEAF_NO_SEV, %ecx
	je	.Lsev_denied
	cmpl	$CPUID_SUBLEAF_NMI, %ecx
	je	.Lnmi
	cmpl	$CPUID_SUBLEAF_EXCEPTION, %ecx
	je	.Lreported
	cmpl	$CPUID_SUBLEAF_ASK, %ecx
	je	.Lasked
	cmpl	$MSR_SEV_STATUS, %ecx
	je	.Lmsr
	cmpl	$MSR_GHCB, %ecx
	je	.Lmsr
	pushq	%rax
.Lreport_vc:
	movl	$X86_TRAP_VC, %eax
	jmp	exception_common
.Lasked:
	pushq	%rax
	JUMP_UNLESS_FRAME_OF %rsi, asked_cpuid, .Lreport_vc
	movq	%rsi, %rsp
	xorl	%ecx, %ecx
	jmp	behind_cpuid
.Lmsr:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_OPCODE), %eax
	jmp	terminate_from_vc
.Lnmi:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NMI), %eax
	jmp	terminate_from_vc
.Lreported:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_EXCEPTION), %eax
	jmp	terminate_from_vc
.Lsev_denied:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_STATUS), %eax
	jmp	terminate_from_vc
END_FUNC(exception_vc)

/*
 * exception_gp - continues after the VMGEXIT of vmgexit_page() if the #GP came there:
 * KVM refuses an RDPMC by a #GP that it injects. At any other #GP it continues at
 * exception_common. vmgexit_page() has a mark in %ecx and its RSP in %rdx. The hypervisor
 * can inject a #GP where data of a loader is in %ecx and %rdx. %rdx must therefore equal
 * the interrupted code's RSP, and RIP must be the address after the VMGEXIT. A #GP at any
 * exchange is accepted, because the hypervisor can ask for #GP in any reply, too.
 * In:       struct exception_frame from its field vector on.
 * Out:      jumps to exception_common, or to behind_vmgexit with %rsp = %rdx and
 *           %eax = X86_TRAP_GP.
 * Clobbers: flags.
 * Mode:     64-bit, interrupts off.
 * Stack:    8 bytes.
 */
FUNC(exception_gp)
	pushq	%rax
	cmpl	$ECX_VMGEXIT_PAGE, %ecx
	jne	.Lreport_gp
	JUMP_UNLESS_FRAME_OF %rdx, behind_vmgexit, .Lreport_gp
	movq	%rdx, %rsp
	movl	$X86_TRAP_GP, %eax
	jmp	behind_vmgexit
.Lreport_gp:
	movl	$X86_TRAP_GP, %eax
	jmp	exception_common
END_FUNC(exception_gp)

	.section .note.GNU-stack, "", @progbits
