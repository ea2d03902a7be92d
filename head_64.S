/* SPDX-License-Identifier: MIT */
/*
 * head_64.S - the two protected-mode entries and the way from them to C.
 *
 * startup_32 and startup_64 run where a loader put the image, with whatever
 * tables the loader had. They bring the processor into one known state, let C
 * decide where the image must move (place_image()), move it, and go on in the
 * copy with its own stack, GDT and IDT. The last function is the jump into the
 * payload. No policy here: only what C cannot say.
 *
 * Nothing may touch .bss before it is cleared: memory behind the file's end
 * need not be ours at the load address.
 */
#include <asm/bootparam.h>

#include "linkage.h"
#include "setup.h"
#include "sev.h"
#include "x86.h"

/* An address in this image from 32-bit code; %ebp = address of startup_32. */
#define rva(symbol) ((symbol) - startup_32)

/* WP: read-only pages are read-only for ring 0, too. */
#define CR0_BOOT (X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | \
		  X86_CR0_WP | X86_CR0_PG)

/*
 * What survives of a loader's CR4: machine checks as the hypervisor wants them,
 * and the depth of paging, which cannot change in long mode. Off go PGE and
 * PCIDE, so that a CR3 write and an invlpg flush all there is (APM2 5.5.2,
 * 5.5.3), and SMEP, SMAP, CET, PKE and the like, which could fault on us.
 * On go the XMM registers, for the decoders (APM2 3.1.3), until the payload.
 */
#define CR4_KEEP (X86_CR4_MCE | X86_CR4_LA57)
#define CR4_BOOT (X86_CR4_PAE | X86_CR4_OSFXSR)

/* The early map of the 32-bit entry: the lowest 4 GiB in 2 MiB leaves. */
#define EARLY_PMDS		4
#define EARLY_TABLES		(2 + EARLY_PMDS)
#define EARLY_TABLES_SIZE	(EARLY_TABLES * 4096)

	.section .head.text, "ax"
	.code32

/*
 * The 32-bit entry (boot.rst, "32-bit Boot Protocol").
 * In:  %esi = zero page, flat segments, paging off, interrupts off.
 *      No stack is promised: the first one is the zero page's scratch field.
 */
GLOBAL(startup_32)
FUNC(startup_32)
	cld
	cli
	leal	(ZP_SCRATCH + 4)(%esi), %esp
	call	.Lwhere
.Lwhere:
	popl	%ebp
	subl	$rva(.Lwhere), %ebp
	/* GDT, stack and C are at the end of the file: is it all there? */
	cmpl	$IMAGE_END_MARK, rva(image_end_mark)(%ebp)
	jne	truncated_32

	leal	rva(early_stack_end)(%ebp), %esp
	movl	$ENTRY_32, rva(entry_taken)(%ebp)
	cmpl	$ENTRY_16_TAG, %edi
	jne	.Lentry_known
	movl	$ENTRY_16, rva(entry_taken)(%ebp)
.Lentry_known:
	call	make_idt_32
	leal	rva(gdt)(%ebp), %eax
	movl	%eax, rva(gdt_ptr + 2)(%ebp)
	/*
	 * An NMI between these three finds the loader's IDT and not the GDT that
	 * goes with it. From here on there is a gate for it at all times, but
	 * for a few instructions on the way to a proof of the C-bit.
	 */
	pushl	$KERNEL32_CS
	leal	rva(.Lown_segments)(%ebp), %eax
	pushl	%eax
	lgdt	rva(gdt_ptr)(%ebp)
	lretl
.Lown_segments:
	lidt	rva(early_idt_ptr)(%ebp)
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss

	call	check_cpuid
	call	find_sev
	call	check_long_mode
	call	place_early_tables	/* %edi = tables */
	call	build_early_tables

	/* Long mode: PAE, a map, EFER.LME, then paging (APM2 14.6.1). */
	movl	%cr4, %eax
	andl	$X86_CR4_MCE, %eax
	orl	$X86_CR4_PAE, %eax
	movl	%eax, %cr4
	movl	%edi, %cr3
	call	write_cbit_proof	/* %ebx, %edi = what was written */
	movl	$MSR_EFER, %ecx
	rdmsr
	btsl	$EFER_LME_BIT, %eax
	wrmsr
	pushl	$BOOT_CS
	leal	rva(.Llong_mode)(%ebp), %eax
	pushl	%eax
	/*
	 * In an SEV guest no memory is relied upon from the write to CR0 to the
	 * proof, and none written: an NMI then finds no IDT, and not a stack
	 * that a wrong C-bit has put into the hypervisor's hands.
	 */
	movl	rva(sev_guest + SEV_GUEST_STATUS)(%ebp), %edx
	testb	$SEV_STATUS_SEV, %dl
	jz	.Lpaging_on
	lidt	rva(no_idt)(%ebp)
.Lpaging_on:
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	cmpl	rva(cbit_proof)(%ebp), %ebx
	jne	.Lcbit_wrong
	cmpl	rva(cbit_proof + 4)(%ebp), %edi
	jne	.Lcbit_wrong
	lidt	rva(early_idt_ptr)(%ebp)
	movb	$1, rva(cbit_is_proven)(%ebp)
	lretl
.Lcbit_wrong:
	testb	$SEV_STATUS_SEV_ES, %dl
	movl	$SEVSTUB_TERM_CBIT_PROOF, %eax
	jnz	terminate_32
.Lcbit_halt:
	hlt
	jmp	.Lcbit_halt
END_FUNC(startup_32)

	.org	STARTUP_64_OFFSET
	.code64

/*
 * The 64-bit entry (boot.rst, "64-bit Boot Protocol").
 * In:  %rsi = zero page. The loader's tables map it, the command line and
 *      the memory from the load address to init_size; they, its GDT and its
 *      IDT may be anywhere else, and four- or five-level paging may be on.
 */
GLOBAL(startup_64)
FUNC(startup_64)
	cld
	cli
	cmpl	$IMAGE_END_MARK, image_end_mark(%rip)
	jne	truncated_64
	leaq	early_stack_end(%rip), %rsp
	/* boot.rst has BOOT_CS in the loader's GDT, too: an NMI may come now. */
	leaq	nmi_64(%rip), %rax
	leaq	early_idt + X86_TRAP_NMI * 16(%rip), %rdi
	call	set_gate_64
	leaq	early_idt(%rip), %rax
	movq	%rax, early_idt_ptr + 2(%rip)
	lidt	early_idt_ptr(%rip)
	/* CS at once: the loader's descriptor may mean something else here. */
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_ptr + 2(%rip)
	lgdt	gdt_ptr(%rip)
	pushq	$BOOT_CS
	leaq	.Llong_mode(%rip), %rax
	pushq	%rax
	lretq

/*
 * Both entries meet: long mode, own GDT and CS, own stack in .data, some
 * identity map. %rsi = zero page.
 */
.Llong_mode:
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	xorl	%eax, %eax
	lldt	%ax
	movq	%cr4, %rax
	andl	$CR4_KEEP, %eax
	orl	$CR4_BOOT, %eax
	movq	%rax, %cr4
	movl	$CR0_BOOT, %eax
	movq	%rax, %cr0

	movq	%rsi, %r15		/* r15 = zero page, for good */
	leaq	startup_32(%rip), %rbp	/* rbp = where we are */
	call	idt_load_stage1

	movq	%r15, %rdi
	call	place_image
	movq	%rax, %rbx		/* rbx = where we must be */
	cmpq	%rbx, %rbp
	je	moved

	/*
	 * Move up, from the end downwards, in two steps: text and data first,
	 * so that GDT, IDT and stack are back in force, in the copy, before
	 * the copy's lower part may run over the originals. place_image() has
	 * made sure that neither step overwrites this code or the upper part's
	 * originals before their time.
	 */
	movq	$image_edata_offset, %rdx
	movq	$image_text_offset, %rcx
	call	.Lmove_down_to

	leaq	rva(gdt)(%rbx), %rax
	movq	%rax, rva(gdt_ptr + 2)(%rbx)
	lgdt	rva(gdt_ptr)(%rbx)
	leaq	rva(early_stack_end)(%rbx), %rsp
	movl	$0, rva(nmi_count)(%rbx)
	leaq	rva(idt_load_stage1)(%rbx), %rax
	call	*%rax
	/* NMIs on the way here were counted in the original, the next are not. */
	movl	nmi_count(%rip), %eax
	addl	%eax, rva(nmi_count)(%rbx)

	movq	$image_text_offset, %rdx
	xorl	%ecx, %ecx
	call	.Lmove_down_to

	leaq	rva(moved)(%rbx), %rax
	jmp	*%rax

/* From efi.c. In: %rdi = zero page. Firmware's map, interrupts off. */
GLOBAL(enter_startup_64)
enter_startup_64:
	movq	%rdi, %rsi
	jmp	startup_64

/*
 * Copies [rcx, rdx) of the image at %rbp to the one at %rbx; offsets are
 * multiples of 8. The direction flag is set on the way only: exception
 * handlers clear it for themselves.
 */
.Lmove_down_to:
	leaq	-8(%rbp, %rdx), %rsi
	leaq	-8(%rbx, %rdx), %rdi
	subq	%rcx, %rdx
	movq	%rdx, %rcx
	shrq	$3, %rcx
	std
	rep movsq
	cld
	ret
END_FUNC(startup_64)

	.code32

/*
 * Nothing but the head is there: no GDT, no IDT, no stack of our own. An SEV-ES
 * guest has no ports for a message, but CPUID raises #VC there, and nowhere
 * else: its gate and the stack are put where the entry's code is of no more use.
 */
FUNC(truncated_32)
	leal	STARTUP_64_OFFSET(%ebp), %esp
	leal	rva(vc_truncated)(%ebp), %eax
	movw	%ax, X86_TRAP_VC * 8(%ebp)
	movw	%cs, X86_TRAP_VC * 8 + 2(%ebp)
	movw	$(GATE_INTERRUPT << 8), %ax
	movl	%eax, X86_TRAP_VC * 8 + 4(%ebp)
	pushl	%ebp
	pushw	$(IDT_VECTORS * 8 - 1)
	lidt	(%esp)
	xorl	%eax, %eax
	cpuid
	leal	rva(truncated_message)(%ebp), %esi
	jmp	early_print
END_FUNC(truncated_32)

/* For both modes, in which these bytes mean the same; so does terminate_32. */
FUNC(vc_truncated)
	movl	$SEVSTUB_TERM_GENERAL, %eax
	jmp	terminate_32
END_FUNC(vc_truncated)

/*
 * An IDT for 32-bit code: #VC is answered, an NMI is counted, anything else is
 * the end. It has gates for long mode, too, in the places of vectors that
 * nothing raises; a processor in long mode reads it as a table of 16-byte gates
 * (APM2 4.8.4). So in either an NMI is served, and what is injected is the end.
 * Clobbers %eax, %ebx, %ecx, %edx, %edi.
 */
FUNC(make_idt_32)
	leal	rva(early_idt)(%ebp), %edi
	movl	%edi, rva(early_idt_ptr + 2)(%ebp)
	leal	rva(exception_32)(%ebp), %eax
	movl	$IDT_VECTORS, %ecx
.Lgate:
	call	set_gate_32
	addl	$8, %edi
	decl	%ecx
	jnz	.Lgate

	leal	rva(early_idt + X86_TRAP_NMI * 8)(%ebp), %edi
	leal	rva(nmi_32)(%ebp), %eax
	call	set_gate_32
	leal	rva(early_idt + X86_TRAP_VC * 8)(%ebp), %edi
	leal	rva(vc_32)(%ebp), %eax
	call	set_gate_32

	leal	rva(early_idt + X86_TRAP_NMI * 16)(%ebp), %edi
	leal	rva(nmi_64)(%ebp), %eax
	call	set_long_gate
	leal	rva(early_idt + X86_TRAP_DF * 16)(%ebp), %edi
	leal	rva(exception_early)(%ebp), %eax
	call	set_long_gate
	leal	rva(early_idt + X86_TRAP_GP * 16)(%ebp), %edi
	call	set_long_gate
	leal	rva(early_idt + X86_TRAP_VC * 16)(%ebp), %edi
set_long_gate:
	call	set_gate_32
	movw	$BOOT_CS, 2(%edi)
	movl	$0, 8(%edi)
	movl	$0, 12(%edi)
	ret
END_FUNC(make_idt_32)

/* In: %edi = gate, %eax = handler; both are kept. Clobbers %ebx, %edx. */
FUNC(set_gate_32)
	movl	%eax, %ebx
	andl	$0xffff, %ebx
	orl	$(KERNEL32_CS << 16), %ebx
	movl	%ebx, 0(%edi)
	movl	%eax, %edx
	movw	$(GATE_INTERRUPT << 8), %dx
	movl	%edx, 4(%edi)
	ret
END_FUNC(set_gate_32)

/*
 * Nothing causes an exception between the switch to long mode and the next IDT,
 * where 32-bit gates are #GPs.
 */
FUNC(exception_early)
	NOT_IN_16BIT_CODE
	.code64
	leaq	exception_32_message(%rip), %rsi
	testb	$SEV_STATUS_SEV_ES, sev_guest + SEV_GUEST_STATUS(%rip)
	jz	early_print
	movl	$SEVSTUB_TERM_EXCEPTION, %eax
	jmp	terminate_32
END_FUNC(exception_early)
	.code32

FUNC(nmi_32)
	/* sev-es.c says "NMI complete" when it can. */
	incl	rva(nmi_count)(%ebp)
	iretl
END_FUNC(nmi_32)

FUNC(exception_32)
	movl	$SEVSTUB_TERM_EXCEPTION, %eax
	leal	rva(exception_32_message)(%ebp), %esi
	jmp	early_end
END_FUNC(exception_32)

/*
 * #VC before there are page tables: CPUID by the MSR protocol, and only at a
 * CPUID instruction. The frame, above what is saved here:
 *
 *	 0	eax ecx edx ebx		saved
 *	16	error code		the exit code
 *	20	eip cs eflags		flat segments: eip is an address
 */
FUNC(vc_32)
	pushl	%ebx
	pushl	%edx
	pushl	%ecx
	pushl	%eax

	/* Only an SEV-ES processor raises #VC: the MSR is there, and says so. */
	movl	$MSR_SEV_STATUS, %ecx
	rdmsr
	movl	%eax, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	movl	%edx, rva(sev_guest + SEV_GUEST_STATUS + 4)(%ebp)
	testb	$SEV_STATUS_SEV_ES, %al
	jz	exception_32
	movb	$1, rva(sev_guest + SEV_GUEST_VC_SEEN)(%ebp)

	movl	$SEVSTUB_TERM_NO_GHCB, %eax
	cmpl	$SVM_EXIT_CPUID, 16(%esp)
	jne	terminate_32
	movl	$SEVSTUB_TERM_OPCODE, %eax
	movl	20(%esp), %ebx
	cmpw	$(CPUID_BYTE1 << 8 | CPUID_BYTE0), (%ebx)
	jne	terminate_32
	movl	$SEVSTUB_TERM_CPUID_SUBLEAF, %eax
	cmpl	$0, 4(%esp)
	jne	terminate_32

	movl	0(%esp), %ebx		/* the function */
	movl	$(GHCB_MSR_CPUID_EAX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	movl	%edx, 0(%esp)
	movl	$(GHCB_MSR_CPUID_EBX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	movl	%edx, 12(%esp)
	movl	$(GHCB_MSR_CPUID_ECX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	movl	%edx, 4(%esp)
	movl	$(GHCB_MSR_CPUID_EDX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	movl	%edx, 8(%esp)

	addl	$CPUID_LENGTH, 20(%esp)
	popl	%eax
	popl	%ecx
	popl	%edx
	popl	%ebx
	addl	$4, %esp
	iretl
END_FUNC(vc_32)

/*
 * In:  %ebx = function, %eax = register << GHCB_MSR_CPUID_REG_SHIFT.
 * Out: %edx = value. Clobbers %eax, %ecx.
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
	movl	$SEVSTUB_TERM_REPLY, %eax
	jne	terminate_32
	ret
END_FUNC(cpuid_by_msr)

/* In: %eax = a reason of the stub's own set. Uses no memory; for both modes. */
FUNC(terminate_32)
	shll	$GHCB_MSR_TERM_CODE_SHIFT, %eax
	orl	$GHCB_MSR_TERM(SEV_TERM_SET_SEVSTUB, 0), %eax
terminate_raw:
	xorl	%edx, %edx
	movl	$MSR_GHCB, %ecx
.Lterminate:
	wrmsr
	VMGEXIT
	jmp	.Lterminate
END_FUNC(terminate_32)

/*
 * Which kind of SEV guest are we, and where is the C-bit? What is learnt stays
 * in sev_guest, and sev_detect() goes on from there. CPUID is executed once:
 * if that raised #VC, this is SEV-ES whatever the answer, and the rest is
 * asked for by the one register that is needed.
 * Clobbers %eax, %ebx, %ecx, %edx, %edi.
 */
FUNC(find_sev)
	movl	$CPUID_EXT_MAX, %eax
	xorl	%ecx, %ecx
	cpuid
	cmpb	$0, rva(sev_guest + SEV_GUEST_VC_SEEN)(%ebp)
	jne	.Lsev_es
	cmpl	$CPUID_SEV, %eax
	jb	.Lsev_known

	movl	$CPUID_SEV, %eax
	xorl	%ecx, %ecx
	cpuid
	/* Only now? It is SEV-ES all the same. */
	cmpb	$0, rva(sev_guest + SEV_GUEST_VC_SEEN)(%ebp)
	jne	.Lsev_es_now
	btl	$CPUID_SEV_EAX_SEV_BIT, %eax
	jnc	.Lsev_known
	movl	%ebx, %edi
	movl	$MSR_SEV_STATUS, %ecx
	rdmsr
	movl	%eax, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	movl	%edx, rva(sev_guest + SEV_GUEST_STATUS + 4)(%ebp)
	testb	$SEV_STATUS_SEV, %al
	jz	.Lsev_known
	testb	$SEV_STATUS_SEV_ES, %al
	jz	.Lsev_cbit
	jmp	.Lsev_info

.Lsev_es:
	cmpl	$CPUID_SEV, %eax
	movl	$SEVSTUB_TERM_CPUID_STATUS, %eax
	jb	terminate_32
.Lsev_es_now:
	movl	$CPUID_SEV, %ebx
	movl	$(GHCB_MSR_CPUID_EBX << GHCB_MSR_CPUID_REG_SHIFT), %eax
	call	cpuid_by_msr
	movl	%edx, %edi

.Lsev_info:
	/* An SNP guest would not get further than its first page tables. */
	movl	$GHCB_MSR_TERM(SEV_TERM_SET_GHCB, GHCB_TERM_SNP_FEATURES), %eax
	testb	$SEV_STATUS_SNP, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	jnz	terminate_raw
	movl	$GHCB_MSR_SEV_INFO_REQ, %eax
	xorl	%edx, %edx
	movl	$MSR_GHCB, %ecx
	wrmsr
	VMGEXIT
	rdmsr
	movl	%eax, rva(sev_guest + SEV_GUEST_INFO)(%ebp)
	movl	%edx, rva(sev_guest + SEV_GUEST_INFO + 4)(%ebp)
	andl	$GHCB_MSR_INFO_MASK, %eax
	cmpl	$GHCB_MSR_SEV_INFO_RESP, %eax
	movl	$SEVSTUB_TERM_REPLY, %eax
	jne	terminate_32

	/* Both of the hypervisor's words, before a page table has the bit. */
	andl	$CPUID_SEV_EBX_CBIT_MASK, %edi
	movzbl	rva(sev_guest + SEV_GUEST_INFO + GHCB_MSR_INFO_CBIT_SHIFT / 8)(%ebp), %edx
	cmpl	%edx, %edi
	movl	$SEVSTUB_TERM_CBIT_MISMATCH, %eax
	jne	terminate_32
.Lsev_cbit:
	andl	$CPUID_SEV_EBX_CBIT_MASK, %edi
	movl	%edi, rva(sev_guest + SEV_GUEST_CBIT)(%ebp)
	subl	$CBIT_MIN, %edi
	cmpl	$(CBIT_MAX - CBIT_MIN), %edi
	ja	.Lcbit_range
.Lsev_known:
	movb	$1, rva(sev_guest + SEV_GUEST_KNOWN)(%ebp)
	ret
.Lcbit_range:
	movl	$SEVSTUB_TERM_CBIT_RANGE, %eax
	leal	rva(cbit_range_message)(%ebp), %esi
	jmp	early_end
END_FUNC(find_sev)

/*
 * Paging is off, every access is private: what is written now must read back
 * through page tables with the C-bit. Zeroes where there is no C-bit.
 * Out: %ebx, %edi = what was written. Clobbers %eax, %ecx.
 */
FUNC(write_cbit_proof)
	xorl	%ebx, %ebx
	xorl	%edi, %edi
	testb	$SEV_STATUS_SEV, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	jz	.Lproof_written
	movl	$RDRAND_TRIES, %ecx
.Lproof_random:
	rdrand	%ebx
	jnc	.Lproof_again
	rdrand	%edi
	jc	.Lproof_written
.Lproof_again:
	decl	%ecx
	jnz	.Lproof_random
	movl	$SEVSTUB_TERM_CPU, %eax
	leal	rva(no_random_message)(%ebp), %esi
	jmp	early_end
.Lproof_written:
	movl	%ebx, rva(cbit_proof)(%ebp)
	movl	%edi, rva(cbit_proof + 4)(%ebp)
	ret
END_FUNC(write_cbit_proof)

/* CPUID exists if EFLAGS.ID can be changed (APM3, CPUID). */
FUNC(check_cpuid)
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$X86_EFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	cmpl	%eax, %ecx
	je	.Lno_long_mode
	ret
END_FUNC(check_cpuid)

/*
 * Stops with a message on a processor that cannot run 64-bit code. One with
 * SEV-ES can: not worth an exit.
 */
FUNC(check_long_mode)
	testb	$SEV_STATUS_SEV_ES, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	jnz	.Llong_mode_ok
	movl	$CPUID_EXT_MAX, %eax
	cpuid
	cmpl	$CPUID_EXT_FEATURES, %eax
	jb	.Lno_long_mode
	movl	$CPUID_EXT_FEATURES, %eax
	cpuid
	btl	$CPUID_EXT_EDX_LM_BIT, %edx
	jnc	.Lno_long_mode
.Llong_mode_ok:
	ret
.Lno_long_mode:
	leal	rva(no_long_mode_message)(%ebp), %esi
	jmp	early_error
END_FUNC(check_long_mode)

/*
 * The early map goes to the top of the memory that the boot protocol promises:
 * image_init_size bytes from the runtime start address. Checked before it is
 * written to, since this is the first write outside of the image.
 * Out: %edi = its address. Clobbers %eax, %ebx, %ecx, %edx.
 */
FUNC(place_early_tables)
	/* %edi = runtime start: relocatable ? round_up(load) : preferred */
	movl	$image_pref_address, %edi
	movl	$image_relocatable, %ecx
	jecxz	.Lruntime_start
	movl	%ebp, %eax
	addl	$image_align_mask, %eax
	jc	.Lno_room
	andl	$image_align_bits, %eax
	cmpl	%edi, %eax
	cmova	%eax, %edi
.Lruntime_start:
	addl	$image_early_tables_offset, %edi
	jc	.Lno_room
	movl	%edi, %edx
	addl	$EARLY_TABLES_SIZE, %edx	/* %edx = end */
	jc	.Lno_room

	/* Not over the image itself, wherever an odd loader put it. */
	leal	rva(image_file_end)(%ebp), %eax
	cmpl	%eax, %edi
	jae	.Lin_ram
	cmpl	%edx, %ebp
	jb	.Lno_room

.Lin_ram:
	/* One E820 entry below 4 GiB must hold all of it. */
	movzbl	ZP_E820_ENTRIES(%esi), %ecx
	leal	ZP_E820_TABLE(%esi), %ebx
	cmpl	$E820_ZERO_PAGE_ENTRIES, %ecx
	jbe	.Lentries
	movl	$E820_ZERO_PAGE_ENTRIES, %ecx
.Lentries:
	jecxz	.Lno_room
.Lentry:
	cmpl	$E820_RAM, E820_ENTRY_TYPE(%ebx)
	jne	.Lnext_entry
	cmpl	$0, (E820_ENTRY_ADDR + 4)(%ebx)
	jne	.Lnext_entry
	movl	E820_ENTRY_ADDR(%ebx), %eax
	cmpl	%eax, %edi
	jb	.Lnext_entry
	addl	E820_ENTRY_LEN(%ebx), %eax
	jc	.Lplaced			/* ends above 4 GiB */
	cmpl	$0, (E820_ENTRY_LEN + 4)(%ebx)
	jne	.Lplaced
	cmpl	%edx, %eax
	jae	.Lplaced
.Lnext_entry:
	addl	$E820_ENTRY_SIZE, %ebx
	decl	%ecx
	jnz	.Lentry
.Lno_room:
	leal	rva(no_room_message)(%ebp), %esi
	jmp	early_error
.Lplaced:
	ret
END_FUNC(place_early_tables)

/*
 * Identity map of the lowest 4 GiB: one PML4, one PDPT, four page directories.
 * In:  %edi = 4 KiB-aligned memory of EARLY_TABLES_SIZE bytes; kept.
 * Clobbers %eax, %ebx, %ecx, %edx.
 */
FUNC(build_early_tables)
	pushl	%edi
	xorl	%eax, %eax
	movl	$(EARLY_TABLES_SIZE / 4), %ecx
	rep stosl
	popl	%edi

	/* %edx = upper half of every entry, with the C-bit if there is one. */
	xorl	%edx, %edx
	testb	$SEV_STATUS_SEV, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	jz	.Lno_cbit
	movl	rva(sev_guest + SEV_GUEST_CBIT)(%ebp), %ecx
	subl	$32, %ecx
	btsl	%ecx, %edx
.Lno_cbit:

	leal	(4096 + EARLY_TABLE_FLAGS)(%edi), %eax
	movl	%eax, 0(%edi)
	movl	%edx, 4(%edi)

	movl	$EARLY_PMDS, %ecx
	leal	4096(%edi), %ebx
.Lpdpt_entry:
	addl	$4096, %eax
	movl	%eax, 0(%ebx)
	movl	%edx, 4(%ebx)
	addl	$8, %ebx
	decl	%ecx
	jnz	.Lpdpt_entry

	movl	$(EARLY_PMDS * PTRS_PER_TABLE), %ecx
	leal	8192(%edi), %ebx
	movl	$EARLY_LEAF_FLAGS, %eax
.Lpmd_entry:
	movl	%eax, 0(%ebx)
	movl	%edx, 4(%ebx)
	addl	$PMD_SIZE, %eax
	addl	$8, %ebx
	decl	%ecx
	jnz	.Lpmd_entry
	ret
END_FUNC(build_early_tables)

/*
 * No C, no console, no command line yet: the first UART, whose state is
 * firmware's. An SEV-ES guest has no ports yet, and asks for its end instead.
 * In: %esi = message; for early_end also %eax = the reason. Does not return.
 */
FUNC(early_error)
	movl	$SEVSTUB_TERM_GENERAL, %eax
early_end:
	testb	$SEV_STATUS_SEV_ES, rva(sev_guest + SEV_GUEST_STATUS)(%ebp)
	jnz	terminate_32
/* In: %esi, or in 64-bit code %rsi: the bytes mean the same in both modes. */
early_print:
	lodsb
	testb	%al, %al
	jz	.Lhalt
	movb	%al, %bl
	/* Bounded, for where there is no UART. */
	movl	$EARLY_UART_POLLS, %ecx
	movw	$(PORT_COM1 + UART_LSR), %dx
.Lpoll:
	inb	%dx, %al
	testb	$UART_LSR_THRE, %al
	loopz	.Lpoll
	movb	%bl, %al
	movw	$PORT_COM1, %dx
	outb	%al, %dx
	jmp	early_print
.Lhalt:
	cli
	hlt
	jmp	.Lhalt
END_FUNC(early_error)

	.code64

/* As truncated_32, for the 64-bit entry: a gate of 16 bytes. */
FUNC(truncated_64)
	leaq	startup_32(%rip), %rbp
	leaq	X86_TRAP_VC * 16(%rbp), %rdi
	movq	%rdi, %rsp
	leaq	vc_truncated(%rip), %rax
	call	set_gate_64
	movw	%cs, 2(%rdi)
	pushq	%rbp
	pushw	$(IDT_VECTORS * 16 - 1)
	lidt	(%rsp)
	xorl	%eax, %eax
	cpuid
	leaq	truncated_message(%rip), %rsi
	jmp	early_print
END_FUNC(truncated_64)

/* In: %rdi = gate, %rax = handler. Clobbers %rax. */
FUNC(set_gate_64)
	movw	%ax, 0(%rdi)
	movl	$(GATE_INTERRUPT << 24), 2(%rdi)
	movw	$BOOT_CS, 2(%rdi)
	shrq	$16, %rax
	movw	%ax, 6(%rdi)
	shrq	$16, %rax
	movq	%rax, 8(%rdi)
	ret
END_FUNC(set_gate_64)

FUNC(nmi_64)
	NOT_IN_16BIT_CODE
	.code64
	incl	nmi_count(%rip)
	iretq
END_FUNC(nmi_64)

	.balign 8
GLOBAL(kernel_info)
DATA(kernel_info)
	.ascii	"LToP"
	.long	KERNEL_INFO_SIZE
	.long	KERNEL_INFO_SIZE	/* size_total: no variable part */
	.long	KERNEL_INFO_SETUP_TYPE_MAX
END_DATA(kernel_info)

truncated_message:
	.asciz	"sevstub: truncated image: its end is missing; make or copy it again\r\n"
no_long_mode_message:
	.asciz	"sevstub: no long mode: this processor cannot run 64-bit code\r\n"
no_room_message:
	.asciz	"sevstub: not enough room: no RAM below 4 GiB for the page tables that belong at the end of init_size\r\n"

exception_32_message:
	.asciz	"sevstub: unexpected exception: before there is an IDT for them\r\n"
cbit_range_message:
	.asciz	"sevstub: SEV: C-bit position out of range\r\n"
cbit_proof_message:
	.asciz	"sevstub: SEV: no proof of the C-bit: it is not where the host says, or RDRAND fails\r\n"
no_random_message:
	.asciz	"sevstub: SEV: RDRAND fails\r\n"

	.text
	.code64

/*
 * boot.rst, "EFI Handover Protocol": the image in one piece at any address
 * with init_size bytes behind it, firmware's stack.
 * In: %rdi = image handle, %rsi = system table, %rdx = zero page.
 */
GLOBAL(efi_handover_entry)
FUNC(efi_handover_entry)
	subq	$8, %rsp
	andq	$-16, %rsp
	call	efi_handover
	/* It comes back only with an error, which nobody can be given. */
.Lhandover_halt:
	hlt
	jmp	.Lhandover_halt
END_FUNC(efi_handover_entry)

/*
 * In:  %rdi = new CR3, %rsi = SEV_STATUS.
 * In an SEV guest, between the write to CR3 and the proof only instruction
 * fetches, which are private whatever the C-bit (APM2 15.34.5), and one read. A
 * wrong bit reads something else, or ends in a nested page fault; nothing was
 * written then. An NMI finds no IDT the first time, as long as no_idt is what
 * it was: the order of .data sees to that. A guest that was told that it is none
 * reads ciphertext, too, and need not have RDRAND for that. head_64.S's head,
 * where the end is, is not yet overwritten.
 */
GLOBAL(load_cr3_proven)
FUNC(load_cr3_proven)
	subq	$16, %rsp
	sidt	(%rsp)
	movq	%cr3, %r8
	leaq	1(%rdi), %rdx
	testb	$SEV_STATUS_SEV, %sil
	jz	.Lproof_write_64
	movl	$RDRAND_TRIES, %ecx
.Lproof_random_64:
	rdrand	%rdx
	jc	.Lproof_no_idt
	decl	%ecx
	jnz	.Lproof_random_64
	movl	$SEVSTUB_TERM_CPU, %eax
	jmp	.Lproof_failed_64
.Lproof_no_idt:
	cmpb	$0, cbit_is_proven(%rip)
	jne	.Lproof_write_64
	lidt	no_idt(%rip)
.Lproof_write_64:
	movq	%rdx, cbit_proof(%rip)
	movq	%rdi, %cr3
	cmpq	%rdx, cbit_proof(%rip)
	jne	.Lproof_wrong_64
	lidt	(%rsp)
	addq	$16, %rsp
	movb	$1, cbit_is_proven(%rip)
	ret
.Lproof_wrong_64:
	movl	$SEVSTUB_TERM_CBIT_PROOF, %eax
.Lproof_failed_64:
	/* In the new map the head is not to be executed. */
	movq	%r8, %cr3
	testb	$SEV_STATUS_SEV_ES, %sil
	jnz	terminate_32
	leaq	cbit_proof_message(%rip), %rsi
	jmp	early_print
END_FUNC(load_cr3_proven)

/*
 * Runs in the copy. %rbx = address of startup_32, %r15 = zero page.
 */
FUNC(moved)
	leaq	stack_end(%rip), %rsp

	/*
	 * First the page that check_stack() looks at: what overruns the stack
	 * before the second loop has cleared .bss, that loop clears away; what
	 * does so from then on leaves its marks in this page.
	 */
	leaq	stack_overrun(%rip), %rdi
	movl	$(4096 / 8), %ecx
	xorl	%eax, %eax
	rep stosq
	leaq	_bss(%rip), %rdi
	leaq	stack_overrun(%rip), %rcx
	subq	%rdi, %rcx
	shrq	$3, %rcx
	rep stosq

	movq	%r15, %rdi
	call	extract_kernel

	/* What chance decided has been on the stack. */
	testb	$KASLR_FLAG, SETUP_HEADER + HDR_LOADFLAGS(%r15)
	jz	.Lenter
	movq	%rax, %rdx
	leaq	stack_guard + 4096(%rip), %rdi
	movl	$(STACK_SIZE / 8), %ecx
	xorl	%eax, %eax
	rep stosq
	movq	%rdx, %rax

.Lenter:
	/*
	 * The payload gets what boot.rst names: %rsi = zero page, flat
	 * segments, interrupts off. Nothing else of ours goes along; XMM
	 * registers have bytes of the payload's own.
	 */
	movq	%r15, %rsi
	movq	%cr4, %rcx
	andq	$~X86_CR4_OSFXSR, %rcx
	movq	%rcx, %cr4
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	jmp	*%rax
END_FUNC(moved)

/*
 * struct image_info in misc.h. In .rodata, because the payload may overwrite
 * the head.
 */
	.section .rodata
	.balign 8
GLOBAL(image_info)
DATA(image_info)
	.quad	image_pref_address
	.quad	image_align
	.quad	image_init_size
	.quad	image_relocatable
	.quad	payload_cmdline_size
END_DATA(image_info)

	.data
/*
 * The order is a wall. NMIs that come one inside the other, as a hypervisor can
 * have it, run over the early stack downwards: first over the IDT, without whose
 * gates there is no next one and no way back, and never as far as what the proof
 * of the C-bit relies upon. linker.ld holds it to that.
 */
	.balign 8
GLOBAL(cbit_proof)
cbit_proof:
	.quad	0
/* Other tables with the bit in the same place: an exception may come. */
GLOBAL(cbit_is_proven)
cbit_is_proven:
	.byte	0

/* For the moments when no handler may run. */
GLOBAL(no_idt)
no_idt:
	.word	0
	.quad	0

GLOBAL(early_idt_ptr)
early_idt_ptr:
	.word	IDT_VECTORS * 16 - 1
	.quad	0

	.balign 16
GLOBAL(gdt)
DATA(gdt)
	.quad	0
	.quad	GDT_CODE32		/* 0x08 KERNEL32_CS */
	.quad	GDT_CODE64		/* 0x10 BOOT_CS */
	.quad	GDT_DATA		/* 0x18 BOOT_DS */
	.quad	0, 0			/* 0x20 BOOT_TSS: idt_64.c fills it */
END_DATA(gdt)

DATA(gdt_ptr)
	.word	. - gdt - 1
	.quad	0			/* in .data: written where we run */
END_DATA(gdt_ptr)

/*
 * In force until idt_load_stage1(): NMIs, and in 32-bit code #VC. Filled for
 * where we run.
 */
	.balign 16
GLOBAL(early_idt)
early_idt:
	.skip	IDT_VECTORS * 16

/* Until .bss exists. */
GLOBAL(early_stack)
early_stack:
	.skip	EARLY_STACK_SIZE
early_stack_end:

	.section .image_end, "aw", @progbits
	.balign 8
	.long	0
image_end_mark:
	.long	IMAGE_END_MARK

	.section .bss.stack, "aw", @nobits
	.balign 4096
	/* Whoever runs off the stack while the guard page is none comes by here. */
GLOBAL(stack_overrun)
DATA(stack_overrun)
	.skip	4096
END_DATA(stack_overrun)
GLOBAL(stack_guard)
DATA(stack_guard)
	.skip	4096
END_DATA(stack_guard)
	.skip	STACK_SIZE
GLOBAL(stack_end)
stack_end:

	/* Last of all, not cleared: tables are cleared when they are taken. */
	.section .bss.pool, "aw", @nobits
	.balign 4096
GLOBAL(page_table_pool)
DATA(page_table_pool)
	.skip	PAGE_TABLE_POOL_SIZE
END_DATA(page_table_pool)
GLOBAL(page_table_pool_end)
page_table_pool_end:
/* The tables that startup_32 built are in use while the pool is filled. */
GLOBAL(early_tables)
DATA(early_tables)
	.skip	EARLY_TABLES_SIZE
END_DATA(early_tables)

	.section .note.GNU-stack, "", @progbits
