/* SPDX-License-Identifier: MIT */
/*
 * sev-head_64.S - what the entries in head_64.S need in an SEV guest: detection and #VC in
 * 32-bit code, the proofs of the C-bit, and termination.
 *
 * In 32-bit code a guest has no GHCB page. The only #VC that is handled there is CPUID's, by the
 * MSR protocol (GHCB 2.3.1). docs/sev-es.md describes the detection.
 *
 * 32-bit code has the load bias in %ebp (see head_64.S): symbol(%ebp) is the symbol in memory.
 */
#include "linkage.h"
#include "setup.h"
#include "sev.h"
#include "x86.h"

	.section .head.text.sev, "ax"
	.code32

/*
 * early_error - prints a message on the first UART and halts. An SEV-ES guest terminates
 * instead, because it cannot use ports before it has a GHCB page. The UART keeps the settings
 * of firmware. If no UART answers, each character costs EARLY_UART_POLLS reads at most.
 * In:       %edx = SEV_STATUS, low half, 0 if the processor has none.
 *           %esi (32-bit) or %rsi (64-bit) = the message, a string; not used in
 *           an SEV-ES guest.
 *           %eax = GHCB_MSR_TERM_STUB(reason); used in an SEV-ES guest only.
 * Out:      does not return.
 * Clobbers: everything.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both.
 * Stack:    none.
 */
GLOBAL(early_error)
FUNC(early_error)
	testb	$SEV_STATUS_SEV_ES, %dl
	jnz	early_terminate
	cld				/* LODSB below must read upwards */
.Lprint:
	lodsb
	testb	%al, %al
	jz	.Lhalt
	movb	%al, %bl
	movl	$EARLY_UART_POLLS, %ecx
	movw	$(PORT_COM1 + UART_LSR), %dx
.Lpoll:
	inb	%dx, %al
	testb	$UART_LSR_THRE, %al
	loopz	.Lpoll
	movb	%bl, %al
	movw	$PORT_COM1, %dx
	outb	%al, %dx
	jmp	.Lprint
.Lhalt:
	cli
	hlt
	jmp	.Lhalt
END_FUNC(early_error)

/*
 * early_terminate - asks the hypervisor to terminate this SEV-ES guest. Code that
 * does not know whether this is an SEV-ES guest jumps to early_error instead.
 * In:       %eax = the request: GHCB_MSR_TERM_STUB(reason), or GHCB_MSR_TERM()
 *           with the GHCB specification's set. SEV_STATUS has the SEV-ES bit.
 * Out:      does not return.
 * Clobbers: %ecx, %edx.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both.
 * Stack:    none, and no other memory.
 */
GLOBAL(early_terminate)
FUNC(early_terminate)
	SEND_TERM_REQUEST
END_FUNC(early_terminate)

/*
 * report_bad_image - reports a bad image, or terminates an SEV-ES guest: CPUID
 * raises #VC if the hypervisor intercepts it, and vc_bad_image terminates the guest. If the
 * hypervisor does not intercept CPUID, SEV_STATUS tells whether the guest must terminate. At
 * the 32-bit entry the message's address comes from memory that the hypervisor can change, so
 * an SEV-ES guest must not print.
 * In:       %esi (32-bit) or %rsi (64-bit) = the message. %edi = the request for
 *           early_terminate. The IDT has vc_bad_image.
 * Out:      does not return.
 * Clobbers: everything.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both.
 * Stack:    none.
 */
GLOBAL(report_bad_image)
FUNC(report_bad_image)
	ASK_FOR_SEV(CPUID_SUBLEAF_NO_SEV, SEV_STATUS_SEV_ES, vc_bad_image)
	/* %edx = 0 tells early_error to print, because this is no SEV-ES guest. */
	xorl	%edx, %edx
	jmp	early_error
END_FUNC(report_bad_image)

/*
 * vc_bad_image - the handler of #VC while report_bad_image executes CPUID. The #VC shows
 * that this is an SEV-ES guest, which terminates because its image is truncated or its
 * load address is wrong.
 * In:       %edi = the request for early_terminate. The exception frame is not used.
 * Out:      does not return.
 * Clobbers: everything.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both.
 * Stack:    none.
 */
GLOBAL(vc_bad_image)
FUNC(vc_bad_image)
	movl	%edi, %eax
	jmp	early_terminate
END_FUNC(vc_bad_image)

/*
 * vc_32 - the handler of #VC in 32-bit code. A #VC by a CPUID of find_sev shows that this
 * is an SEV-ES guest. The handler then continues in find_sev, at what an SEV-ES guest has
 * to do, with find_sev's stack. Any other #VC terminates the guest: the hypervisor has
 * injected it, or a CPUID has raised it whose sub-leaf asks for the termination.
 *
 * The exit code and EIP are memory, where the hypervisor can put an old block back. They
 * only decide with which code the guest terminates. The detection goes on only if two
 * registers have what find_sev has loaded for its CPUIDs: the sub-leaf in %ecx, and in %edi
 * the stack pointer, which must be that of the interrupted code. No other code has this
 * sub-leaf in %ecx. The detection therefore cannot begin again once find_sev has ended. A
 * second detection could give the early page tables another C-bit, and the hypervisor
 * could then put back a page-table entry that has the C-bit of the first detection.
 * In:       %ebp = load bias, %esi = zero page, and this frame:
 *
 *		 0	error code		the exit code (APM2 15.35.5)
 *		 4	eip cs eflags		CS is flat: EIP is an address
 *
 * Out:      jumps into find_sev with %esp = %edi, and with sev_guest.status; or does not
 *           return.
 * Clobbers: everything but %ebp and %esi.
 * Mode:     32-bit, paging off.
 * Stack:    none until %esp = %edi; then 4 bytes.
 */
GLOBAL(vc_32)
FUNC(vc_32)
	movl	%ecx, %ebx		/* %ebx = the sub-leaf */

	/*
	 * A processor that raises #VC has the MSR SEV_STATUS, and the hypervisor
	 * cannot intercept reads of it. If the MSR has no SEV-ES bit, the
	 * hypervisor has injected the #VC into another kind of guest.
	 */
	movl	$MSR_SEV_STATUS, %ecx
	rdmsr
	movl	%eax, (sev_guest + SEV_GUEST_STATUS)(%ebp)
	movl	%edx, (sev_guest + SEV_GUEST_STATUS + 4)(%ebp)
	testb	$SEV_STATUS_SEV_ES, %al
	jz	exception_32
	movl	%eax, %ecx		/* %ecx = SEV_STATUS, low half */

	testb	$SEV_STATUS_SNP, %al
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NO_GHCB), %eax
	jz	.Lvalidated
	cmpl	$SVM_EXIT_NOT_VALIDATED, (%esp)
	jne	.Lvalidated
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NOT_VALIDATED), %eax
.Lvalidated:
	cmpl	$SVM_EXIT_CPUID, (%esp)
	jne	early_terminate
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_OPCODE), %eax
	movl	4(%esp), %edx
	cmpw	$(CPUID_BYTE1 << 8 | CPUID_BYTE0), (%edx)
	jne	early_terminate
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NMI), %eax
	cmpl	$CPUID_SUBLEAF_NMI, %ebx
	je	early_terminate
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_STATUS), %eax
	cmpl	$CPUID_SUBLEAF_NO_SEV, %ebx
	je	early_terminate
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_SUBLEAF), %eax
	cmpl	$CPUID_SUBLEAF_FIND, %ebx
	jne	early_terminate
	/* The processor has pushed 16 bytes: %esp + 16 is the interrupted code's stack pointer. */
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_OPCODE), %eax
	leal	16(%esp), %edx
	cmpl	%edx, %edi
	jne	early_terminate

	movl	%edi, %esp
	/* In an SNP guest skip CPUID: snp_start() takes it from the CPUID page later. */
	testb	$SEV_STATUS_SNP, %cl
	jnz	.Lsev_info
	movl	$CPUID_EXT_MAX, %ebx
	movl	$(GHCB_MSR_CPUID_EAX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	cmpl	$CPUID_SEV, %edx
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_STATUS), %eax
	jb	early_terminate
	movl	$CPUID_SEV, %ebx
	movl	$(GHCB_MSR_CPUID_EBX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	movl	%edx, %edi
	jmp	.Lsev_info
END_FUNC(vc_32)

/*
 * cpuid_by_msr - asks the hypervisor for one register of a CPUID function (GHCB 2.3.1). A
 * reply with another code than GHCB_MSR_CPUID_RESP terminates the guest.
 * In:       %ebx = function, %eax = GHCB_MSR_CPUID_EAX, _EBX, _ECX or _EDX
 *           << GHCB_MSR_CPUID_REG_SHIFT.
 * Out:      %edx = the register's value.
 * Clobbers: %eax, %ecx, flags.
 * Mode:     32-bit.
 * Stack:    the return address.
 */
FUNC(cpuid_by_msr)
	movl	%ebx, %edx
	orl	$GHCB_MSR_CPUID_REQ, %eax
	movl	$MSR_GHCB, %ecx
	wrmsr
	VMGEXIT
	rdmsr
	andl	$GHCB_MSR_INFO_MASK, %eax
	cmpl	$GHCB_MSR_CPUID_RESP, %eax
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_REPLY), %eax
	jne	early_terminate
	ret
END_FUNC(cpuid_by_msr)

/*
 * exception_32 - the handler of every exception in 32-bit code but NMI and #VC.
 * The stub's 32-bit code causes none of these exceptions, so if one comes, the
 * hypervisor has injected it.
 * In:       %ebp = load bias.
 * Out:      does not return: early_error.
 * Clobbers: everything.
 * Mode:     32-bit, paging off.
 * Stack:    none.
 */
GLOBAL(exception_32)
FUNC(exception_32)
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_EXCEPTION), %eax
	movl	(sev_guest + SEV_GUEST_STATUS)(%ebp), %edx
	leal	exception_32_message(%ebp), %esi
	jmp	early_error
END_FUNC(exception_32)

/*
 * exception_early - the handler of #DF and #GP in long mode until idt_load_stage1(). The code
 * that runs until then causes neither. If the hypervisor injects another vector, the processor
 * raises #GP or #DF, because it finds a 32-bit gate in early_idt.
 * In:       nothing.
 * Out:      does not return: early_error.
 * Clobbers: everything.
 * Mode:     64-bit. If its gate leads here in legacy mode, as 16-bit code, the guest
 *           terminates: see NOT_IN_16BIT_CODE.
 * Stack:    none.
 */
GLOBAL(exception_early)
FUNC(exception_early)
	NOT_IN_16BIT_CODE
	.code64
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_EXCEPTION), %eax
	movl	sev_guest + SEV_GUEST_STATUS(%rip), %edx
	leaq	exception_32_message(%rip), %rsi
	jmp	early_error
END_FUNC(exception_early)

/*
 * vc_early - the handler of #VC in long mode until idt_load_stage1(). The stub causes one
 * #VC in this time: its NMI handler asks by CPUID whether this is an SEV-ES guest, and in such
 * a guest this CPUID raises #VC. vc_early then terminates the guest because of the NMI. Any
 * other #VC was injected by the hypervisor, perhaps into a guest without SEV-ES. vc_early reads
 * SEV_STATUS to tell, and early_error terminates the guest or prints a message. On a processor
 * without SEV_STATUS RDMSR raises #GP, and exception_early ends the boot.
 * In:       nothing.
 * Out:      does not return: early_error, or early_terminate because of an NMI.
 * Clobbers: everything.
 * Mode:     64-bit. If its gate leads here in legacy mode, as 16-bit code, the guest
 *           terminates: see NOT_IN_16BIT_CODE.
 * Stack:    none.
 */
GLOBAL(vc_early)
FUNC(vc_early)
	NOT_IN_16BIT_CODE
	.code64
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NMI), %eax
	cmpl	$CPUID_SUBLEAF_NMI, %ecx
	je	early_terminate
	movl	$MSR_SEV_STATUS, %ecx
	rdmsr
	movl	%eax, %edx
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_EXCEPTION), %eax
	leaq	exception_32_message(%rip), %rsi
	jmp	early_error
END_FUNC(vc_early)

	.code32

/*
 * find_sev - finds out which kind of SEV guest this is, and the position of the
 * C-bit, for the first page tables. sev_detect() later looks for unknown bits in SEV_STATUS
 * and negotiates the version of the GHCB protocol. CPUID is executed once or twice. If it
 * raises #VC, this is an SEV-ES guest whatever the hypervisor answers, and vc_32 continues
 * here. The MSR protocol then gives the C-bit's position, which build_early_tables checks.
 * On other machines no instruction here but CPUID can cause an exit.
 *
 * vc_32 recognises the CPUIDs by the sub-leaf in %ecx, which the processor ignores for
 * these functions, and by %edi = %esp.
 * In:       %ebp = load bias; the IDT of make_idt_32 is loaded.
 * Out:      jumps to behind_find_sev, which is sev_found in startup_32, with sev_guest:
 *           status, info (SEV-ES only), cbit (SEV only), known. The stack is empty there.
 *           If answers contradict each other, early_error or early_terminate.
 * Clobbers: %eax, %ebx, %ecx, %edx, %edi, flags.
 * Mode:     32-bit, paging off.
 * Stack:    4 bytes; while CPUID raises #VC 16 bytes.
 */
GLOBAL(find_sev)
FUNC(find_sev)
	movl	%esp, %edi
	movl	$CPUID_EXT_MAX, %eax
	movl	$CPUID_SUBLEAF_FIND, %ecx
	cpuid
	cmpl	$CPUID_SEV, %eax
	jb	.Lsev_known

	movl	$CPUID_SEV, %eax
	movl	$CPUID_SUBLEAF_FIND, %ecx
	cpuid
	btl	$CPUID_SEV_EAX_SEV_BIT, %eax
	jnc	.Lsev_known
	movl	%ebx, %edi
	movl	$MSR_SEV_STATUS, %ecx
	rdmsr
	movl	%eax, (sev_guest + SEV_GUEST_STATUS)(%ebp)
	movl	%edx, (sev_guest + SEV_GUEST_STATUS + 4)(%ebp)
	testb	$SEV_STATUS_SEV, %al
	jz	.Lsev_known
	testb	$SEV_STATUS_SEV_ES, %al
	jz	.Lsev_cbit

.Lsev_info:
	movl	$GHCB_MSR_SEV_INFO_REQ, %eax
	xorl	%edx, %edx
	movl	$MSR_GHCB, %ecx
	wrmsr
	VMGEXIT
	rdmsr
	movl	%eax, (sev_guest + SEV_GUEST_INFO)(%ebp)
	movl	%edx, (sev_guest + SEV_GUEST_INFO + 4)(%ebp)
	andl	$GHCB_MSR_INFO_MASK, %eax
	cmpl	$GHCB_MSR_SEV_INFO_RESP, %eax
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_REPLY), %eax
	jne	early_terminate

	/*
	 * CPUID (%edi) and the reply with the SEV information (%edx) must name
	 * the same position of the C-bit. In an SNP guest snp_start() compares
	 * the reply with the CPUID page.
	 */
	andl	$CPUID_SEV_EBX_CBIT_MASK, %edi
	movzbl	(sev_guest + SEV_GUEST_INFO + GHCB_MSR_INFO_CBIT_SHIFT / 8)(%ebp), %edx
	testb	$SEV_STATUS_SNP, (sev_guest + SEV_GUEST_STATUS)(%ebp)
	cmovnz	%edx, %edi
	cmpl	%edx, %edi
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CBIT_MISMATCH), %eax
	jne	early_terminate
.Lsev_cbit:
	andl	$CPUID_SEV_EBX_CBIT_MASK, %edi
	movl	%edi, (sev_guest + SEV_GUEST_CBIT)(%ebp)
.Lsev_known:
	movb	$1, (sev_guest + SEV_GUEST_KNOWN)(%ebp)
	jmp	behind_find_sev
END_FUNC(find_sev)

/*
 * write_cbit_proof - the first half of startup_32's proof of the C-bit. While
 * paging is off every access is private (APM2 15.34.4). Random bytes written
 * now must therefore read back through page tables that have the C-bit.
 *
 * If sev_guest.status says that there is no SEV, SEV is ruled out first, because a
 * hypervisor can put old contents of memory back. The bytes are random even without
 * SEV if CPUID reports RDRAND. Otherwise they are the time.
 * In:       %ebp = load bias; find_sev has run.
 * Out:      jumps to behind_cbit_proof, which is proof_written in startup_32.
 *           %ebx, %edi = the 8 bytes written to cbit_proof. %edx = SEV_STATUS, 0
 *           outside of SEV. If RDRAND gives no number in an SEV guest, or if this is
 *           an SEV guest although sev_guest.status denies it, early_error.
 * Clobbers: %eax, %ecx, flags.
 * Mode:     32-bit, paging off.
 * Stack:    the frame of a #VC.
 */
GLOBAL(write_cbit_proof)
FUNC(write_cbit_proof)
	movl	(sev_guest + SEV_GUEST_STATUS)(%ebp), %edx
	testb	$SEV_STATUS_SEV, %dl
	jnz	.Lproof_rdrand
	RULE_OUT_SEV(.Lproof_denied)
	movl	$CPUID_FEATURES, %eax
	xorl	%ecx, %ecx
	cpuid
	xorl	%edx, %edx
	btl	$CPUID_1_ECX_RDRAND_BIT, %ecx
	jc	.Lproof_rdrand
	rdtsc
	movl	%eax, %ebx
	movl	%edx, %edi
	xorl	%edx, %edx
	jmp	.Lproof_written
.Lproof_rdrand:
	movl	$RDRAND_TRIES, %ecx
.Lproof_random:
	rdrand	%ebx
	jnc	.Lproof_again
	rdrand	%edi
	jc	.Lproof_written
.Lproof_again:
	decl	%ecx
	jnz	.Lproof_random
	/*
	 * An SEV guest proves its C-bit by random bytes. The hypervisor must not be able to predict
	 * them. Without SEV there is no C-bit, and any bytes in %ebx and %edi will do.
	 */
	testb	$SEV_STATUS_SEV, %dl
	jz	.Lproof_written
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPU), %eax
	leal	no_random_message(%ebp), %esi
	jmp	early_error
.Lproof_written:
	movl	%ebx, cbit_proof(%ebp)
	movl	%edi, (cbit_proof + 4)(%ebp)
	jmp	behind_cbit_proof
.Lproof_denied:
	movl	%eax, %edx
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_STATUS), %eax
	leal	sev_denied_message(%ebp), %esi
	jmp	early_error
END_FUNC(write_cbit_proof)

/*
 * The messages are in .rodata, because its last page has unused bytes. In .head they
 * could make the image's file larger.
 */
	.section .rodata.early, "a"

exception_32_message:
	.ascii	"sevstub: unexpected exception: the entry code causes none; "
	.asciz	"suspect the hypervisor\r\n"
GLOBAL(cbit_range_message)
cbit_range_message:
	.ascii	"sevstub: SEV: C-bit position out of range: the hypervisor "
	.asciz	"must report 32 to 51\r\n"
GLOBAL(cbit_proof_message)
cbit_proof_message:
	.ascii	"sevstub: SEV: no proof of the C-bit: it is not where the "
	.asciz	"hypervisor says, or RDRAND fails\r\n"
GLOBAL(sev_denied_message)
sev_denied_message:
	.ascii	"sevstub: SEV: the hypervisor denies it, but SEV_STATUS has it: "
	.asciz	"suspect the hypervisor\r\n"
no_random_message:
	.asciz	"sevstub: SEV: RDRAND fails: 10 tries gave no random number\r\n"

	.text
	.code64

/*
 * terminate_from_vc - does what early_terminate does, for exception_vc and end_if_sev_es,
 * which also run when .head, with early_terminate, is not mapped any more. It uses no
 * memory, because the hypervisor could change it.
 * In:       %eax = the request, as for early_terminate.
 * Out:      does not return.
 * Clobbers: %ecx, %edx.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both.
 * Stack:    none.
 */
GLOBAL(terminate_from_vc)
FUNC(terminate_from_vc)
	SEND_TERM_REQUEST
END_FUNC(terminate_from_vc)

/*
 * end_if_sev_es - terminates an SEV-ES guest because of an NMI. It asks only the processor,
 * by CPUID and SEV_STATUS, whether this is an SEV-ES guest. If CPUID raises #VC, the handler
 * exception_vc, vc_32 or vc_early terminates the guest.
 * In:       nothing.
 * Out:      returns if this is no SEV-ES guest.
 * Clobbers: nothing.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both.
 * Stack:    40 bytes, and the frame of a #VC.
 */
FUNC(end_if_sev_es)
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	ASK_FOR_SEV(CPUID_SUBLEAF_NMI, SEV_STATUS_SEV_ES, .Lsev_es_nmi)
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	ret
.Lsev_es_nmi:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NMI), %eax
	jmp	terminate_from_vc
END_FUNC(end_if_sev_es)

/*
 * nmi_64, exception_nmi - the handler of NMI in 64-bit code. exception_stubs jumps to
 * exception_nmi, and early_idt has a gate for nmi_64. An SEV-ES guest terminates. Any
 * other guest counts the NMI, and goes on.
 *
 * The hypervisor can inject an NMI at any instruction. A handler that returned would
 * take registers and flags from the stack, where the hypervisor can put an old block
 * back: it could replace the processor's answers that the stub keeps in registers. A
 * guest without SEV-ES has no registers that its hypervisor cannot change.
 *
 * The hypervisor can inject the next NMI before this handler has ended, until the frames reach
 * the IDT and GDT below the stack. The processor aligns RSP to 16 bytes before it pushes a frame
 * of 40 bytes. nmi_64 or exception_stubs pushes 8 bytes more, so that frames follow each other
 * without a gap. The frames then overwrite each gate, and the next NMI is a triple fault.
 * In:       the processor's frame; at exception_nmi 8 more bytes on the stack.
 * Out:      nmi_count is increased by 1. In an SEV-ES guest does not return.
 * Clobbers: nothing.
 * Mode:     64-bit. If a gate leads to nmi_64 in legacy mode, as 16-bit code, the guest
 *           terminates: see NOT_IN_16BIT_CODE.
 * Stack:    48 bytes, and the frame of a #VC.
 */
GLOBAL(nmi_64)
FUNC(nmi_64)
	NOT_IN_16BIT_CODE
	.code64
	pushq	$0
GLOBAL(exception_nmi)
exception_nmi:
	call	end_if_sev_es
	incl	nmi_count(%rip)
	addq	$8, %rsp
	iretq
END_FUNC(nmi_64)

	.section .head.text.sev, "ax"
	.code32

/*
 * nmi_32 - the handler of NMI in 32-bit code, which does what nmi_64 does.
 * In:       %ebp = load bias, and the processor's frame.
 * Out:      nmi_count is increased by 1. In an SEV-ES guest does not return.
 * Clobbers: nothing.
 * Mode:     32-bit.
 * Stack:    20 bytes, and the frame of a #VC.
 */
GLOBAL(nmi_32)
FUNC(nmi_32)
	call	end_if_sev_es
	incl	nmi_count(%ebp)
	iretl
END_FUNC(nmi_32)

	.text
	.code64

/*
 * load_cr3_proven - loads CR3 and proves the new page tables' C-bit: 8 bytes that are written
 * to cbit_proof before the load must read back after it.
 *
 * Between the write to CR3 and the comparison an SEV guest only fetches instructions, which
 * are private whatever the C-bit (APM2 15.34.5), and reads cbit_proof. With a wrong C-bit the
 * read gives other bytes or causes a nested page fault. The guest writes nothing, because a
 * wrong C-bit would put it into shared memory. An NMI would push a frame, so the IDT is empty
 * during the first proof and an NMI is a triple fault. Later page tables have the same C-bit,
 * which is proven by then, so NMIs may come.
 *
 * The hypervisor can garble the operand of LIDT, or put old contents back. An NMI would then
 * find a gate, and through unproven page tables the hypervisor could choose it. The base of
 * the empty IDT is therefore a random number, which one store writes together with the limit.
 * SIDT must give both back, to memory that has never held them.
 *
 * The proof reads one page only. Another page could be mapped without the C-bit, if the
 * hypervisor changed what an entry is computed from. Before the first load all pages of the
 * stub are therefore looked up in the new tables, by registers alone. The new tables lie in
 * private memory, so the hypervisor cannot make up an entry, and can only put back what the
 * entry was before. The stub's C code writes each of these entries once, so what it was before
 * is 0, which maps no page. A page that is not mapped ends the boot here, too.
 *
 * Tables without a C-bit are right only where there is no SEV. The hypervisor can have denied
 * SEV in CPUID, or can have put old contents of sev_guest back, in which this is no SEV guest.
 * For such tables RULE_OUT_SEV asks the processor: a CPUID that raises #VC shows SEV-ES, and
 * SEV_STATUS shows SEV. The handler of this #VC uses memory, which the hypervisor can change.
 * RULE_OUT_SEV is used once more with the empty IDT, under which #VC is a triple fault. The
 * bytes are random even without SEV if CPUID reports RDRAND, and are the time otherwise: a
 * hypervisor must not be able to predict them, and to write them where the stub reads.
 * In:       the IDT is moved_idt. %rdi = new CR3, a top table of the stub with the C-bit of
 *           XMM15, or the function halts. %esi = 1 for the first proof, else 0. The old page
 *           tables map the pool. .head, with early_error, has not been overwritten yet.
 * Out:      CR3 = %rdi. If the proof fails, if a page lacks the C-bit, if RDRAND gives no number
 *           in an SEV guest, or if an SEV guest has no C-bit in %rdi: the old CR3 and early_error.
 *           If la57_toggle() jumped here, the old CR3 does not map early_error: a #PF is reported.
 * Clobbers: %rax, %rcx, %rdx, %rsi, %r8 to %r11, flags; cbit_proof.
 * Mode:     64-bit.
 * Stack:    8 bytes, not used during the proof.
 */
GLOBAL(load_cr3_proven)
FUNC(load_cr3_proven)
	movq	%cr3, %r8
	movq	%rbx, %r9
	movl	%esi, %r10d
	/*
	 * The new CR3 must be one of the two top tables, the first pages of the pool, plus XMM15's
	 * C-bit. The hypervisor can lead the stub here by an old return address, with another
	 * address in %rdi, such as that of an initrd. %rsi = the C-bit / 2^32.
	 */
	movq	%xmm15, %rcx
	andl	$(PAGE_SIZE - 1), %ecx
	xorl	%edx, %edx
	btsq	%rcx, %rdx
	shrq	$32, %rdx
	leaq	page_table_pool(%rip), %rax
	movq	%rdi, %rsi
	subq	%rax, %rsi
	testl	$~PAGE_SIZE, %esi
	jnz	.Lnot_ours
	shrq	$32, %rsi
	cmpq	%rdx, %rsi
	jne	.Lnot_ours
	testq	%rsi, %rsi
	jz	.Lproof_no_sev
	movl	$MSR_SEV_STATUS, %ecx
	rdmsr
	movl	%eax, %r11d		/* %r11d = SEV_STATUS, or 0 without SEV */
	testl	%r10d, %r10d
	jz	.Lproof_rdrand_64

	/*
	 * Walk the new page tables to each page of the stub from _text to _end, by the
	 * old page tables. The page must be a guard page, or be mapped to itself with
	 * the C-bit. %rdx = the page, %rbx = its entry, %cl = the entry's lowest
	 * address bit, %rsi = the C-bit.
	 */
	shlq	$32, %rsi
	leaq	_text(%rip), %rdx
.Lpage_64:
	movq	%rdi, %rax
	movq	%cr4, %rbx
	movb	$(PUD_SHIFT + TABLE_INDEX_BITS), %cl
	btl	$X86_CR4_LA57_BIT, %ebx
	jnc	.Ltable_64
	movb	$(PUD_SHIFT + 2 * TABLE_INDEX_BITS), %cl
.Ltable_64:
	andq	$-PAGE_SIZE, %rax
	orq	%rsi, %rax
	xorq	%rsi, %rax
	movq	%rdx, %rbx
	shrq	%cl, %rbx
	andl	$(PTRS_PER_TABLE - 1), %ebx
	leaq	(%rax, %rbx, 8), %rbx
.Lentry_64:
	movq	(%rbx), %rax
	cmpq	$PTE_GUARD, %rax
	je	.Lnext_page_64
	testb	$PTE_PRESENT, %al
	jz	.Lproof_wrong_64
	cmpb	$PAGE_SHIFT, %cl
	je	.Lleaf_64
	testb	$PTE_LEAF, %al
	jnz	.Lleaf_64
	subb	$TABLE_INDEX_BITS, %cl
	jmp	.Ltable_64
.Lleaf_64:
	/* Bits 51 to %cl of the entry must be those of the page and the C-bit. */
	xorq	%rdx, %rax
	xorq	%rsi, %rax
	shlq	$12, %rax
	shrq	%cl, %rax
	shrq	$12, %rax
	jnz	.Lproof_wrong_64
.Lnext_page_64:
	addq	$PAGE_SIZE, %rdx
	addq	$8, %rbx
	leaq	_end(%rip), %rax
	cmpq	%rax, %rdx
	jae	.Lproof_rdrand_64
	testl	$(PMD_SIZE - 1), %edx
	jz	.Lpage_64
	cmpb	$PAGE_SHIFT, %cl
	je	.Lentry_64
	jmp	.Lpage_64
.Lproof_no_sev:
	RULE_OUT_SEV(.Lproof_denied_64)
	xorl	%r11d, %r11d
	movl	$CPUID_FEATURES, %eax
	xorl	%ecx, %ecx
	cpuid
	btl	$CPUID_1_ECX_RDRAND_BIT, %ecx
	jnc	.Lproof_time
.Lproof_rdrand_64:
	movl	$RDRAND_TRIES, %ecx
.Lproof_random_64:
	rdrand	%rax
	jc	.Lproof_drawn
	decl	%ecx
	jnz	.Lproof_random_64
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPU), %eax
	testl	%r11d, %r11d
	jnz	.Lproof_failed_64
.Lproof_time:
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
.Lproof_drawn:
	movq	%rax, %rsi		/* %rsi = the proof's bytes */
	testl	%r10d, %r10d
	jz	.Lproof_write_64
	/* %rcx = LIDT's operand: limit 0 and a random base of 47 bits, a canonical address. */
	shrq	$17, %rax
	movq	%rax, %rcx
	shlq	$16, %rcx
	movw	$0, no_idt + 8(%rip)
	movq	%rcx, no_idt(%rip)
	lidt	no_idt(%rip)
	sidt	loaded_idt(%rip)
	cmpq	%rcx, loaded_idt(%rip)
	jne	.Lproof_wrong_64
	testl	%r11d, %r11d
	jnz	.Lproof_write_64
	RULE_OUT_SEV(.Lproof_denied_64)
.Lproof_write_64:
	movq	%r9, %rbx
	movq	%rsi, %rdx
	movq	%rdx, cbit_proof(%rip)
	movq	%rdi, %cr3
	cmpq	%rdx, cbit_proof(%rip)
	jne	.Lproof_wrong_64
	lidt	moved_idt(%rip)
	ret
.Lnot_ours:
	hlt
	jmp	.Lnot_ours
.Lproof_denied_64:
	movl	%eax, %r11d
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_STATUS), %eax
	jmp	.Lproof_failed_64
.Lproof_wrong_64:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CBIT_PROOF), %eax
.Lproof_failed_64:
	/*
	 * Restore the old CR3, because early_error is in .head, which the stub's
	 * own page tables do not map executable.
	 */
	movq	%r8, %cr3
	movl	%r11d, %edx
	leaq	cbit_proof_message(%rip), %rsi
	jmp	early_error
END_FUNC(load_cr3_proven)

/*
 * ---- Data. linker.ld puts .early.cbit_proof below the GDT, the IDT and the early
 * stack, so that an overflow of that stack overwrites the IDT and the GDT first.
 */
	.section .early.cbit_proof, "aw", @progbits
	.balign 16
/*
 * 8 bytes that write_cbit_proof or load_cr3_proven writes before new page tables
 * are loaded, and that are read through them.
 */
GLOBAL(cbit_proof)
DATA(cbit_proof)
	.quad	0
END_DATA(cbit_proof)
/*
 * An operand of LIDT: an IDT without gates, so that any exception is a triple fault.
 * A random base is written to it before each use, and compared with what SIDT gives after
 * LIDT. The whole operand is in one 16-byte block of the memory encryption. The hypervisor
 * therefore cannot change the limit without changing the base, which the comparison finds.
 */
	.balign	16
GLOBAL(no_idt)
DATA(no_idt)
	.word	0
	.quad	0
END_DATA(no_idt)
/* Limit and base of the IDT that the processor has loaded, as SIDT stores them. */
	.balign	16
GLOBAL(loaded_idt)
DATA(loaded_idt)
	.word	0
	.quad	0
END_DATA(loaded_idt)

	.data
	.balign 8
/*
 * struct sev_guest of sev-es.h. find_sev fills it in at the 32-bit entry, else
 * sev_detect() does.
 */
GLOBAL(sev_guest)
DATA(sev_guest)
	.skip	SEV_GUEST_SIZE
END_DATA(sev_guest)

/*
 * Number of NMIs since the entry. The copy of the image that startup_64 makes has a
 * counter of its own, to which startup_64 adds the number that this counter has.
 */
GLOBAL(nmi_count)
DATA(nmi_count)
	.long	0
END_DATA(nmi_count)

	.section .note.GNU-stack, "", @progbits
