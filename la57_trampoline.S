/* SPDX-License-Identifier: MIT */
/*
 * la57_trampoline.S - out of long mode, CR4.LA57 changed, and back.
 *
 * la57_toggle() runs in the image. What is between la57_code and la57_code_end
 * runs as a copy in struct la57_page, below 4 GiB, where 32-bit code reaches it;
 * it uses no memory but that page and the top page table behind it.
 *
 * In an SEV guest (APM2 15.34.4, 15.34.5): without paging every access is
 * private. A MOV to CR3 of 32 bits cannot set a C-bit above bit 31, but table
 * walks are private whether it is set or not, as are instruction fetches; data
 * accesses go by the leaves, which have the bit, and this map has proved it.
 * la57_switch() then loads the whole CR3, with a proof of its own.
 *
 * NMIs are served at every instruction: the one IDT is good for both modes.
 * Nothing here causes #VC; one that comes all the same, and the #GP of a
 * processor that has no LA57 whatever CPUID said, end the guest.
 */
#include "la57.h"
#include "linkage.h"
#include "sev.h"
#include "x86.h"

	.text
	.code64

/*
 * In:  %rdi = struct la57_page, mapped writable and executable, %rsi = top page
 *      table for the other depth, below 4 GiB. NXE and CR4 but LA57 as they are.
 * Out: long mode on that table, own GDT and IDT again.
 * 32-bit code loses the upper halves of registers: what C wants back is on the
 * stack, whose address is in the page.
 */
GLOBAL(la57_toggle)
FUNC(la57_toggle)
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$32, %rsp
	sgdt	(%rsp)
	sidt	16(%rsp)
	movq	%rsp, LA57_RSP(%rdi)
	leaq	.Lback(%rip), %rax
	movq	%rax, LA57_BACK(%rdi)

	leaq	LA57_STACK_END(%rdi), %rsp
	lgdt	LA57_GDT_PTR(%rdi)
	lidt	LA57_IDT_PTR(%rdi)
	leaq	LA57_CODE(%rdi), %rax
	pushq	$KERNEL32_CS
	pushq	%rax
	lretq

.Lback:
	lgdt	(%rsp)
	lidt	16(%rsp)
	addq	$32, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
END_FUNC(la57_toggle)

	.code32
GLOBAL(la57_code)
FUNC(la57_code)
	/* Compatibility mode. Without paging it is legacy mode (APM2 14.7). */
	movl	%cr0, %eax
	btrl	$X86_CR0_PG_BIT, %eax
	movl	%eax, %cr0
	movl	%cr4, %ecx
	xorl	$X86_CR4_LA57, %ecx
	movl	%ecx, %cr4
	movl	%esi, %cr3
	/* EFER.LME has been on all the time: with PG it is long mode again. */
	btsl	$X86_CR0_PG_BIT, %eax
	movl	%eax, %cr0
	pushl	$BOOT_CS
	leal	(LA57_CODE + .Llong_mode_again - la57_code)(%edi), %eax
	pushl	%eax
	lretl

	.code64
.Llong_mode_again:
	movq	LA57_RSP(%rdi), %rsp
	jmp	*LA57_BACK(%rdi)
END_FUNC(la57_code)

/* NMIs: %edi is the page wherever one comes. */
GLOBAL(la57_nmi_64)
FUNC(la57_nmi_64)
	NOT_IN_16BIT_CODE
	.code64
	incl	LA57_NMIS(%rdi)
	iretq
END_FUNC(la57_nmi_64)

	.code32
GLOBAL(la57_nmi_32)
FUNC(la57_nmi_32)
	incl	LA57_NMIS(%edi)
	iretl
END_FUNC(la57_nmi_32)

/*
 * Anything else, in either mode: these bytes mean the same in both. There is no
 * console here; an SEV-ES guest asks for its end.
 */
GLOBAL(la57_exception)
FUNC(la57_exception)
	NOT_IN_16BIT_CODE
	.code32
	testb	$SEV_STATUS_SEV_ES, LA57_SEV_STATUS(%edi)
	jz	.Lexception_halt
	movl	$GHCB_MSR_TERM(SEV_TERM_SET_SEVSTUB, SEVSTUB_TERM_EXCEPTION), %eax
	xorl	%edx, %edx
	movl	$MSR_GHCB, %ecx
.Lexception_end:
	wrmsr
	VMGEXIT
	jmp	.Lexception_end
.Lexception_halt:
	hlt
	jmp	.Lexception_halt
END_FUNC(la57_exception)

GLOBAL(la57_code_end)
la57_code_end:

	.section .note.GNU-stack, "", @progbits
