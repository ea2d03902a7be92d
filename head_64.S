/* SPDX-License-Identifier: MIT */
/*
 * head_64.S - the protected-mode entries startup_32 and startup_64, the move of
 * the image, and the jump into the payload.
 *
 * A loader enters here at any load address, with the loader's GDT, IDT and page
 * tables. Both entries load the stub's own GDT, IDT and stack and continue at
 * .Llong_mode. place_image() in misc.c then returns where the image must run. The
 * code here copies the image there and calls extract_kernel() in the copy.
 * sev-head_64.S has what an SEV guest needs, early_tables_64.S has the tables.
 *
 * Load bias: linker.ld links the image at fixed addresses, and a loader puts it
 * anywhere. The load bias is the difference: where a symbol is in memory, less
 * its link address. 32-bit code keeps the bias in %ebp and writes symbol(%ebp)
 * for the symbol in memory. 64-bit code uses symbol(%rip).
 *
 * No code may use .bss before the function `moved` has cleared it. At the load
 * address, memory after the end of the file can belong to something else.
 */
#include <asm/bootparam.h>

#include "linkage.h"
#include "setup.h"
#include "sev.h"
#include "x86.h"

/*
 * CR0 while the stub runs. Because WP is set, ring 0 cannot write to read-only
 * pages.
 */
#define CR0_BOOT (X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | \
		  X86_CR0_WP | X86_CR0_PG)

/*
 * The bits of a loader's CR4 that startup_64 keeps. MCE stays, because the
 * hypervisor may need machine checks enabled. LA57 cannot change in long mode. PGE
 * and PCIDE are cleared, so that a write to CR3 and INVLPG flush every TLB entry
 * (APM2 5.5.2, 5.5.3). SMEP, SMAP, CET, PKE and the like are cleared, because they
 * could cause faults in the stub.
 */
#define CR4_KEEP (X86_CR4_MCE | X86_CR4_LA57)
/*
 * The bits of CR4 that startup_64 sets. The payload's decoders use XMM registers,
 * which need OSFXSR.
 */
#define CR4_BOOT (X86_CR4_PAE | X86_CR4_OSFXSR)

/*
 * startup_32 stores the far pointer to .Llong_mode, 8 bytes, this many bytes below
 * early_stack_end. The hypervisor can put old contents of memory back in blocks of 16
 * bytes. No block may therefore hold both bytes of the pointer and bytes that 32-bit code
 * has pushed earlier, wherever the image is loaded. 32-bit code pushes at most 16 bytes
 * before it stores the pointer. The handler of an NMI pushes more, but does not return in
 * an SEV-ES guest.
 */
#define FAR_POINTER_DEPTH 48
/*
 * startup_32 stores the far pointer to .Lown_segments this many bytes below
 * early_stack_end. The pointer has a 16-byte block of its own, so that the hypervisor can
 * put no other pushed bytes back in its place.
 */
#define OWN_POINTER_DEPTH 64

	.section .head.text, "ax"
	.code32

/*
 * startup_32 - the 32-bit entry (boot.rst "32-bit Boot Protocol").
 * In:       %esi = zero page. %edi = ENTRY_16_TAG if header.S jumped here.
 * Out:      does not return; continues at .Llong_mode.
 * Clobbers: everything but %esi.
 * Mode:     32-bit, flat segments, paging off, interrupts off.
 * Stack:    boot.rst promises none. The first stack is the zero page's scratch
 *           field, 4 bytes. early_stack is used once the image is known to be
 *           complete.
 */
GLOBAL(startup_32)
FUNC(startup_32)
	cld
	cli
	leal	(ZP_SCRATCH + 4)(%esi), %esp
	call	.Lwhere
.Lwhere:
	popl	%ebp
	subl	$.Lwhere, %ebp		/* %ebp = load bias */
	/*
	 * The GDT and the stack are in .data, near the end of the file. A loader
	 * may have read a truncated file, so check the mark at .data's end first.
	 */
	cmpl	$IMAGE_END_MARK, image_end_mark(%ebp)
	jne	truncated_32
	testl	$(LOAD_ALIGN - 1), %ebp
	jnz	misplaced_32

	leal	early_stack_end(%ebp), %esp
	movl	$ENTRY_32, entry_taken(%ebp)
	cmpl	$ENTRY_16_TAG, %edi
	jne	.Lentry_known
	movl	$ENTRY_16, entry_taken(%ebp)
.Lentry_known:
	call	make_idt_32
	leal	gdt(%ebp), %eax
	movl	%eax, (gdt_ptr + 2)(%ebp)
	movw	$(GDT_SIZE - 1), gdt_ptr(%ebp)
	/*
	 * An NMI between LGDT and LIDT cannot be handled, because the loader's
	 * IDT does not fit the stub's GDT. After LIDT there is always a gate for
	 * NMIs, except while the C-bit of new page tables is being proven.
	 */
	leal	(early_stack_end - OWN_POINTER_DEPTH)(%ebp), %esp
	leal	.Lown_segments(%ebp), %eax
	movl	%eax, (%esp)
	movl	$KERNEL32_CS, 4(%esp)
	lgdt	gdt_ptr(%ebp)
	lretl
.Lown_segments:
	lidt	early_idt_ptr(%ebp)
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	leal	early_stack_end(%ebp), %esp

	call	check_cpuid
	jmp	find_sev
	/*
	 * find_sev jumps here instead of returning, because the hypervisor of an SEV-ES
	 * guest could put an old return address back on the stack.
	 */
GLOBAL(sev_found)
sev_found:
	call	check_long_mode
	call	place_early_tables	/* %edi = the tables' address */
	/*
	 * build_early_tables jumps back to tables_built, and write_cbit_proof to
	 * proof_written. They take no return address from the stack, because the hypervisor
	 * could put back the return address of the call of check_cpuid. That address leads
	 * to the jump to find_sev. The stub would then detect SEV again, and build the page
	 * tables again with another C-bit.
	 */
	jmp	build_early_tables
GLOBAL(tables_built)
tables_built:

	/*
	 * Enter long mode: set CR4.PAE, load CR3, set EFER.LME, then set CR0.PG
	 * (APM2 14.6.1).
	 */
	movl	%cr4, %eax
	andl	$X86_CR4_MCE, %eax
	orl	$X86_CR4_PAE, %eax
	movl	%eax, %cr4
	movl	%edi, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	btsl	$EFER_LME_BIT, %eax
	wrmsr
	jmp	write_cbit_proof
	/*
	 * Here %ebx and %edi hold the low and the high half of the 8 bytes in cbit_proof.
	 * %edx is SEV_STATUS, or 0 without SEV.
	 */
GLOBAL(proof_written)
proof_written:
	/*
	 * Write the operand of LRET, a far pointer, below all that was pushed before.
	 * This memory is 0 in the image and has never held the far pointer to
	 * .Lown_segments. CS is written last. In all earlier contents of the 16-byte block
	 * CS is therefore 0. If the hypervisor puts any of them back, LRET raises #GP, and
	 * exception_early ends the boot.
	 */
	leal	(early_stack_end - FAR_POINTER_DEPTH)(%ebp), %esp
	leal	.Llong_mode(%ebp), %eax
	movl	%eax, (%esp)
	movl	$BOOT_CS, 4(%esp)
	/*
	 * The write to CR0 below enables page tables whose C-bit may be wrong. The two CMPL
	 * after it prove the C-bit. Until then an SEV guest must not write to memory,
	 * because with a wrong C-bit the hypervisor could read and change what is
	 * written. The stub therefore loads an empty IDT, with which an NMI is a triple
	 * fault and pushes no frame. The stub does so even if sev_guest says "no SEV",
	 * because the hypervisor can have put old contents of sev_guest back. In this case
	 * RULE_OUT_SEV below asks the processor once more whether there is SEV. With the
	 * empty IDT a #VC of RULE_OUT_SEV is a triple fault. No handler of #VC then runs,
	 * which would have to trust memory.
	 */
	/*
	 * Build the operand of LIDT: limit 0, and as base the random number in %ebx.
	 * The processor does not use the base of an empty IDT. It is random so that SIDT
	 * shows whether LIDT has read this operand, or an old one that the hypervisor has
	 * put back. One store writes the limit and the low half of the base, so that no
	 * old contents have this limit together with another base.
	 */
	movl	%ebx, %ecx
	shrl	$16, %ecx
	movw	%cx, (no_idt + 4)(%ebp)
	movl	%ebx, %ecx
	shll	$16, %ecx
	movl	%ecx, no_idt(%ebp)
	lidt	no_idt(%ebp)
	sidt	loaded_idt(%ebp)
	cmpl	%ecx, loaded_idt(%ebp)
	jne	.Lno_idt
	cmpl	%ebx, (loaded_idt + 2)(%ebp)
	jne	.Lno_idt
	testb	$SEV_STATUS_SEV, %dl
	jnz	.Lpaging_on
	pushl	%ebx
	RULE_OUT_SEV(.Lsev_denied)
	popl	%ebx
	xorl	%edx, %edx
.Lpaging_on:
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	cmpl	cbit_proof(%ebp), %ebx
	jne	.Lcbit_wrong
	cmpl	(cbit_proof + 4)(%ebp), %edi
	jne	.Lcbit_wrong
	lidt	early_idt_ptr(%ebp)
	lretl
.Lno_idt:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CBIT_PROOF), %eax
	leal	cbit_proof_message(%ebp), %esi
	jmp	early_error
.Lsev_denied:
	movl	%eax, %edx
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CPUID_STATUS), %eax
	leal	sev_denied_message(%ebp), %esi
	jmp	early_error
.Lcbit_wrong:
	/*
	 * The new page tables have a wrong C-bit, so turn paging off. Without
	 * paging every access is private (APM2 15.34.4), so that early_error can
	 * read the message in a guest with SEV but not SEV-ES.
	 */
	movl	$(CR0_BOOT & ~X86_CR0_PG), %eax
	movl	%eax, %cr0
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CBIT_PROOF), %eax
	leal	cbit_proof_message(%ebp), %esi
	jmp	early_error
END_FUNC(startup_32)

	.org	STARTUP_64_OFFSET
	.code64

/*
 * startup_64 - the 64-bit entry (boot.rst "64-bit Boot Protocol"). startup_32
 * joins it at .Llong_mode.
 * In:       %rsi = zero page. The loader's page tables map the zero page, the
 *           command line, and init_size bytes from the load address. The page
 *           tables, GDT and IDT themselves can be anywhere else.
 * Out:      does not return; continues at the function `moved`, in the moved copy
 *           of the image, with %r15 = zero page.
 * Clobbers: everything.
 * Mode:     64-bit, four or five levels of paging, interrupts off.
 * Stack:    early_stack of this image, then early_stack of the copy once .data has
 *           been copied.
 */
GLOBAL(startup_64)
FUNC(startup_64)
	cld
	cli
	cmpl	$IMAGE_END_MARK, image_end_mark(%rip)
	jne	truncated_64
	leaq	startup_32(%rip), %rax
	testb	$(LOAD_ALIGN - 1), %al
	jnz	misplaced_64
	leaq	early_stack_end(%rip), %rsp
	/*
	 * An NMI can come between LIDT and LGDT and after them. The NMI's gate
	 * therefore has the present CS, which selects a code segment in the
	 * loader's GDT and in the stub's: CS is BOOT_CS, as boot.rst requires, or
	 * FIRMWARE_CS at the EFI entry.
	 */
	leaq	nmi_64(%rip), %rax
	leaq	early_idt + X86_TRAP_NMI * 16(%rip), %rdi
	call	set_gate_64
	movw	%cs, 2(%rdi)
	leaq	early_idt(%rip), %rax
	movq	%rax, early_idt_ptr + 2(%rip)
	movw	$(IDT_VECTORS * 16 - 1), early_idt_ptr(%rip)
	lidt	early_idt_ptr(%rip)
	/*
	 * The handler of an NMI executes CPUID. Until #VC has a gate, an NMI is a
	 * triple fault in an SEV-ES guest.
	 */
	leaq	vc_early(%rip), %rax
	leaq	early_idt + X86_TRAP_VC * 16(%rip), %rdi
	call	set_gate_64
	movw	%cs, 2(%rdi)
	/*
	 * CS has to be reloaded after LGDT, because the loader's selector may
	 * select another kind of segment in the stub's GDT. The far pointer is written
	 * where startup_32 writes its own far pointer, the address first and CS last. If
	 * the hypervisor puts the 0 back that was there before CS, LRET raises #GP.
	 */
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_ptr + 2(%rip)
	movw	$(GDT_SIZE - 1), gdt_ptr(%rip)
	lgdt	gdt_ptr(%rip)
	leaq	(early_stack_end - FAR_POINTER_DEPTH)(%rip), %rsp
	leaq	.Llong_mode(%rip), %rax
	movq	%rax, (%rsp)
	movq	$BOOT_CS, 8(%rsp)
	lretq

/*
 * startup_32 and startup_64 both continue here: in long mode, with the stub's GDT,
 * CS and stack, %rsi = zero page, and page tables of the loader or of startup_32
 * that map each address to itself.
 */
.Llong_mode:
	/*
	 * C code needs the direction flag clear. At the 32-bit entry the POPF of check_cpuid
	 * has loaded the flags from memory, in which the hypervisor can have set this flag.
	 */
	cld
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	xorl	%eax, %eax
	lldt	%ax
	/*
	 * Set CR2 to 0. ident_map_init() later sets CR2 to another value. CR2 = 0 thus
	 * tells loaded_map() that ident_map_init() has not run, so that CR3 cannot hold
	 * the page tables of ident_map_64.c yet.
	 */
	movq	%rax, %cr2
	movq	%cr4, %rax
	andl	$CR4_KEEP, %eax
	orl	$CR4_BOOT, %eax
	movq	%rax, %cr4
	movl	$CR0_BOOT, %eax
	movq	%rax, %cr0

	/* %r15 holds the zero page's address until the payload is entered. */
	movq	%rsi, %r15
	leaq	idt(%rip), %rdi
	call	idt_load_stage1

	movq	%r15, %rdi
	call	place_image		/* %rax = address to which startup_32 must move */
	leaq	startup_32(%rip), %rbp
	movq	%rax, %rbx
	cmpq	%rbx, %rbp
	je	moved
	subq	$startup_32, %rbp	/* %rbp = load bias of this image */
	subq	$startup_32, %rbx	/* %rbx = load bias of the copy */

	/*
	 * Copy the image to %rbx in two steps. The copy lies higher, so each step
	 * copies from its highest byte down. .text to .data come first. The GDT,
	 * IDT and stack are then switched to the copy's, because the second step
	 * can overwrite the originals. place_image() has checked that neither
	 * step overwrites this code, and that the first step does not overwrite
	 * its own source. Each step sets the direction flag. If an exception interrupts a
	 * step, the handler clears the flag before it calls C code.
	 */
	leaq	(_edata - 8)(%rbp), %rsi
	leaq	(_edata - 8)(%rbx), %rdi
	movl	$image_upper_quads, %ecx
	std
	rep movsq
	cld

	leaq	gdt(%rbx), %rax
	movq	%rax, (moved_gdt_ptr + 2)(%rbx)
	movw	$(GDT_SIZE - 1), moved_gdt_ptr(%rbx)
	lgdt	moved_gdt_ptr(%rbx)
	leaq	early_stack_end(%rbx), %rsp
	movl	$0, nmi_count(%rbx)
	leaq	moved_idt(%rbx), %rdi
	leaq	idt_load_stage1(%rbx), %rax
	call	*%rax
	/*
	 * nmi_count(%rip) is the counter in the image as it was loaded. Add its
	 * NMIs, which came before the copy's IDT was loaded, to the copy's
	 * counter.
	 */
	movl	nmi_count(%rip), %eax
	addl	%eax, nmi_count(%rbx)

	/*
	 * The second step copies the part of the image before .text: .head and the
	 * compressed payload.
	 */
	leaq	(_text - 8)(%rbp), %rsi
	leaq	(_text - 8)(%rbx), %rdi
	movl	$image_lower_quads, %ecx
	std
	rep movsq
	cld

	leaq	moved(%rbx), %rax
	jmp	*%rax
END_FUNC(startup_64)

/*
 * enter_startup_64 - calls startup_64 with C's calling convention, for
 * efi/entry.c, once boot services have ended.
 * In:       %rdi = zero page.
 * Out:      does not return.
 * Clobbers: everything.
 * Mode:     64-bit, firmware's page tables, interrupts off.
 * Stack:    firmware's, abandoned.
 */
GLOBAL(enter_startup_64)
FUNC(enter_startup_64)
	movq	%rdi, %rsi
	jmp	startup_64
END_FUNC(enter_startup_64)

	.code32

/*
 * misplaced_32 and truncated_32 - report an image that was entered at startup_32.
 * misplaced_32 reports a load address that is no multiple of LOAD_ALIGN. truncated_32
 * reports a truncated image, whose GDT, IDT and stack may be missing. An SEV-ES guest
 * must terminate instead of printing, because it cannot use ports. This code recognises an
 * SEV-ES guest by CPUID, which raises #VC in such a guest if the hypervisor intercepts
 * CPUID, and by SEV_STATUS otherwise. The IDT and the stack for the #VC overwrite the
 * code of startup_32, which does not run again.
 * In:       %ebp = load bias.
 * Out:      does not return: a message, or vc_bad_image in an SEV-ES guest.
 * Clobbers: everything.
 * Mode:     32-bit, paging off, the loader's segments.
 * Stack:    the bytes below startup_64, down to the IDT at startup_32.
 */
FUNC(misplaced_32)
	leal	misplaced_message(%ebp), %esi
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_LOAD_ADDRESS), %edi
	jmp	.Lbad_image_32
END_FUNC(misplaced_32)

FUNC(truncated_32)
	leal	truncated_message(%ebp), %esi
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_TRUNCATED), %edi
.Lbad_image_32:
	leal	startup_64(%ebp), %esp
	leal	vc_bad_image(%ebp), %eax
	leal	startup_32(%ebp), %ebx
	movw	%ax, (X86_TRAP_VC * 8)(%ebx)
	movw	%cs, (X86_TRAP_VC * 8 + 2)(%ebx)
	movw	$(GATE_INTERRUPT << 8), %ax
	movl	%eax, (X86_TRAP_VC * 8 + 4)(%ebx)
	pushl	%ebx
	pushw	$(IDT_VECTORS * 8 - 1)
	lidt	(%esp)
	jmp	report_bad_image
END_FUNC(truncated_32)

/*
 * check_cpuid - checks that the processor has CPUID, which is so if EFLAGS.ID can
 * be changed (APM3, CPUID).
 * In:       %ebp = load bias.
 * Out:      returns if CPUID exists; else early_error.
 * Clobbers: %eax, %ecx, flags.
 * Mode:     32-bit.
 * Stack:    8 bytes.
 */
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
 * check_long_mode - checks by CPUID 0x80000001 that the processor has long mode
 * (APM3, CPUID). An SEV-ES guest leaves the check out, because CPUID would cost an
 * exit, and every processor with SEV-ES has long mode. If the hypervisor has put back old
 * contents of sev_guest without SEV-ES, CPUID raises #VC. vc_32 then terminates the guest,
 * because it finds CPUID_SUBLEAF_NO_SEV in %ecx.
 * In:       %ebp = load bias; find_sev has run.
 * Out:      returns if long mode exists; else early_error.
 * Clobbers: %eax, %ebx, %ecx, %edx, flags.
 * Mode:     32-bit.
 * Stack:    4 bytes.
 */
FUNC(check_long_mode)
	testb	$SEV_STATUS_SEV_ES, (sev_guest + SEV_GUEST_STATUS)(%ebp)
	jnz	.Llong_mode_ok
	movl	$CPUID_EXT_MAX, %eax
	movl	$CPUID_SUBLEAF_NO_SEV, %ecx
	cpuid
	cmpl	$CPUID_EXT_FEATURES, %eax
	jb	.Lno_long_mode
	movl	$CPUID_EXT_FEATURES, %eax
	movl	$CPUID_SUBLEAF_NO_SEV, %ecx
	cpuid
	btl	$CPUID_EXT_EDX_LM_BIT, %edx
	jnc	.Lno_long_mode
.Llong_mode_ok:
	ret
.Lno_long_mode:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_GENERAL), %eax
	movl	(sev_guest + SEV_GUEST_STATUS)(%ebp), %edx
	leal	no_long_mode_message(%ebp), %esi
	jmp	early_error
END_FUNC(check_long_mode)

	.code64

/*
 * misplaced_64 and truncated_64 - report an image that was entered at startup_64.
 * misplaced_64 reports a load address that is no multiple of LOAD_ALIGN, truncated_64 a
 * truncated image. An SEV-ES guest terminates instead of printing, because it cannot use
 * ports. The IDT for its #VC, at startup_32, has the 16-byte gates of long mode.
 * In:       nothing.
 * Out:      does not return: a message, or vc_bad_image in an SEV-ES guest.
 * Clobbers: everything.
 * Mode:     64-bit, the loader's page tables and GDT.
 * Stack:    the bytes from startup_32 up to the gate of #VC in the IDT.
 */
FUNC(misplaced_64)
	leaq	misplaced_message(%rip), %rsi
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_LOAD_ADDRESS), %ebx
	jmp	.Lbad_image_64
END_FUNC(misplaced_64)

FUNC(truncated_64)
	leaq	truncated_message(%rip), %rsi
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_TRUNCATED), %ebx
.Lbad_image_64:
	leaq	startup_32(%rip), %rbp
	leaq	X86_TRAP_VC * 16(%rbp), %rdi
	movq	%rdi, %rsp
	leaq	vc_bad_image(%rip), %rax
	call	set_gate_64
	movw	%cs, 2(%rdi)
	movl	%ebx, %edi
	pushq	%rbp
	pushw	$(IDT_VECTORS * 16 - 1)
	lidt	(%rsp)
	jmp	report_bad_image
END_FUNC(truncated_64)

	.balign 8
/*
 * The structure kernel_info of boot.rst "The kernel_info", for loaders. They find
 * it by the setup header's field kernel_info_offset.
 */
GLOBAL(kernel_info)
DATA(kernel_info)
	.ascii	"LToP"
	.long	KERNEL_INFO_SIZE
	.long	KERNEL_INFO_SIZE	/* size_total: no variable part */
	.long	KERNEL_INFO_SETUP_TYPE_MAX
END_DATA(kernel_info)

truncated_message:
	.asciz	"sevstub: truncated image: its end is missing; make or copy it again\r\n"

/*
 * These messages are in .rodata, which is missing if a loader has read a truncated file. Code
 * must therefore print them only after it has checked image_end_mark.
 */
	.section .rodata.early, "a"

misplaced_message:
	.asciz	"sevstub: load address: it is not a multiple of 16\r\n"

no_long_mode_message:
	.asciz	"sevstub: no long mode: this processor cannot run 64-bit code\r\n"

	.text
	.code64

/*
 * moved - clears .bss, calls extract_kernel() and jumps into the payload. Runs in
 * the image at its final address.
 * In:       %r15 = zero page.
 * Out:      does not return. The payload gets what boot.rst "64-bit Boot
 *           Protocol" asks for: %rsi = zero page, flat segments, interrupts
 *           off. The other general registers but %rsp and %rax are 0. XMM
 *           registers are not cleared: the stub has put only bytes of the
 *           payload into them, and into XMM15 what table_pool.h describes.
 * Clobbers: everything.
 * Mode:     64-bit, the page tables of the entry, then the stub's.
 * Stack:    switches from early_stack to STACK_SIZE bytes below stack_end.
 */
FUNC(moved)
	leaq	stack_end(%rip), %rsp

	/*
	 * Clear the page stack_overrun first, the rest of .bss second. If NMIs
	 * let the stack overflow during the second loop, the stack reaches
	 * stack_overrun first, where check_stack() finds the bytes later.
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

	/*
	 * Fill in base and limit of moved_gdt_ptr. An image that EFI loaded has not moved,
	 * so nothing has filled them in yet. In a moved image the values stay the same.
	 */
	leaq	gdt(%rip), %rax
	movq	%rax, moved_gdt_ptr + 2(%rip)
	movw	$(GDT_SIZE - 1), moved_gdt_ptr(%rip)
	leaq	moved_idt(%rip), %rdi
	call	idt_load_stage1
	movq	%r15, %rdi
	call	extract_kernel		/* %rax = the payload's entry */

	/* With KASLR, wipe the stack, because it holds the random addresses. */
	testb	$KASLR_FLAG, SETUP_HEADER + HDR_LOADFLAGS(%r15)
	jz	.Lenter
	movq	%rax, %rdx
	leaq	stack_guard + 4096(%rip), %rdi
	movl	$(STACK_SIZE / 8), %ecx
	xorl	%eax, %eax
	rep stosq
	movq	%rdx, %rax

.Lenter:
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
 * The last 8 bytes of .data; only .sbat follows in the file. The entries check the
 * mark before they use .data, because the file may be truncated.
 */
	.section .image_end, "aw", @progbits
	.balign 8
	.long	0
image_end_mark:
	.long	IMAGE_END_MARK

	.section .note.GNU-stack, "", @progbits
