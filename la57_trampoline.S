/* SPDX-License-Identifier: MIT */
/*
 * la57_trampoline.S - switches five-level paging on or off for la57.c. CR4.LA57
 * cannot change in long mode (APM2 3.1.3), so the code leaves long mode, changes
 * the bit, and enters long mode again.
 *
 * la57_toggle() runs in the image, which can be above 4 GiB. The code from
 * la57_code to la57_code_end runs as a copy in struct la57_page, below 4 GiB,
 * where 32-bit code can run. The copy uses no memory but that page and the top
 * page table in the page after it.
 *
 * In an SEV guest all accesses here are private (APM2 15.34.4, 15.34.5). While
 * paging is off, every access is private. A 32-bit MOV to CR3 cannot set the C-bit
 * in CR3, because it is above bit 31, but page-table walks and instruction fetches
 * are private anyway. For data accesses the leaf entry decides, and the leaves have
 * the C-bit that is already proven. la57_toggle() then loads the whole CR3 with
 * load_cr3_proven.
 *
 * An NMI can be handled at every instruction of the copy, because the page's IDT
 * has gates for both modes. An SEV-ES guest terminates at an NMI. The code causes no
 * #VC. If the hypervisor injects #VC nevertheless, or if the processor has no LA57 and
 * raises #GP, la57_exception stops the boot.
 */
#include "la57.h"
#include "linkage.h"
#include "sev.h"
#include "x86.h"

	.bss
	.balign 8
GLOBAL(la57_area)
DATA(la57_area)
	.zero	8
END_DATA(la57_area)

	.text
	.code64

/*
 * la57_toggle - inverts CR4.LA57 and loads the stub's top page table for the new number of
 * levels, for la57_switch().
 *
 * This one function, which makes no call, checks that CR3 is the stub's top page table, copies
 * the table for the new number of levels, switches, and loads the table. If the function made a
 * call between these steps, the hypervisor could later put that call's old return address in the
 * place of another one. A RET would then skip the check and the copy, and the processor would walk
 * a table with the wrong number of levels: it would take a page that the table maps, such as the
 * loader's, for a page table.
 * In:       la57_area = struct la57_page below 4 GiB, filled. This page is mapped writable and
 *           executable, and the one after it writable. XMM15 as table_pool.h says. CR3 = the
 *           stub's top page table for the present number of levels, or the function halts.
 * Out:      CR4.LA57 is changed. CR3 is the stub's top page table for the new number of levels,
 *           with the C-bit, and proven by load_cr3_proven. GDTR and IDTR have the tables of the
 *           stub again. EFER and the other bits of CR4 are as before.
 * Clobbers: %rax, %rcx, %rdx, %rsi, %rdi, %r8 to %r11, %xmm7 to %xmm14, flags; cbit_proof. 32-bit
 *           code loses the upper halves of registers, so those that C functions keep are
 *           saved on the caller's stack. Legacy mode may lose XMM8 to XMM15 (Intel SDM
 *           volume 1, 3.4.1.1; APM2 does not say that they survive). XMM15 is in XMM7
 *           meanwhile, where the hypervisor cannot change it.
 * Mode:     64-bit on entry and on return.
 * Stack:    56 bytes of the caller's. The copy of the code below in struct la57_page
 *           uses the stack in that structure.
 */
GLOBAL(la57_toggle)
FUNC(la57_toggle)
	PUSH_CALLEE_SAVED
	/*
	 * Set %rdx to the stub's top page table for the present number of levels, and %rsi to
	 * the one for the new number. The stub has one for four levels and one for five.
	 */
	leaq	page_table_pool(%rip), %rsi
	leaq	PAGE_SIZE(%rsi), %rdx
	movq	%cr4, %rax
	btl	$X86_CR4_LA57_BIT, %eax
	jnc	.Lfour_levels
	xchgq	%rsi, %rdx
.Lfour_levels:
	/*
	 * Halt unless CR3 is %rdx, the stub's top page table for the present number of levels,
	 * alone or with the C-bit. The C-bit is one bit above bit 31.
	 */
	movq	%cr3, %rax
	subq	%rdx, %rax
	testl	%eax, %eax
	jnz	.Lhalt
	leaq	-1(%rax), %rcx
	testq	%rcx, %rax
	jnz	.Lhalt
	movq	la57_area(%rip), %rdx
	testq	%rdx, %rdx
	jz	.Lhalt
	leaq	PAGE_SIZE(%rdx), %rdi
	movl	$PTRS_PER_TABLE, %ecx
	rep movsq
	movq	%rdx, %rdi
	leal	PAGE_SIZE(%edi), %esi	/* %esi = the copy */

	movdqa	%xmm15, %xmm7
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
	lgdt	moved_gdt_ptr(%rip)
	lidt	moved_idt(%rip)
	movdqa	%xmm7, %xmm15
	POP_CALLEE_SAVED

	/*
	 * Set %rdi to the stub's top page table for the number of levels that CR4.LA57 now
	 * selects, with the C-bit. The low 12 bits of XMM15 are the C-bit's number, or 0
	 * outside of SEV.
	 */
	leaq	page_table_pool(%rip), %rdi
	movq	%cr4, %rax
	btl	$X86_CR4_LA57_BIT, %eax
	jc	.Lfive_levels
	addq	$PAGE_SIZE, %rdi
.Lfive_levels:
	movq	%xmm15, %rcx
	andl	$(PAGE_SIZE - 1), %ecx
	jz	.Lload
	xorl	%eax, %eax
	btsq	%rcx, %rax
	orq	%rax, %rdi
.Lload:
	xorl	%esi, %esi
	jmp	load_cr3_proven

.Lhalt:
	hlt
	jmp	.Lhalt
END_FUNC(la57_toggle)

	.code32
/*
 * la57_code - leaves long mode, inverts CR4.LA57, enters long mode and goes back
 * to la57_toggle(). Runs as a copy in struct la57_page.
 * In:       %edi = struct la57_page, %esi = top page table.
 * Out:      jumps to the address in LA57_BACK, with %rsp from LA57_RSP.
 * Clobbers: %eax, %ecx, flags, the upper halves of all registers.
 * Mode:     32-bit compatibility mode, then 32-bit without paging, then 64-bit.
 * Stack:    8 bytes of struct la57_page's stack.
 */
GLOBAL(la57_code)
FUNC(la57_code)
	/*
	 * Clearing CR0.PG leaves long mode: compatibility mode becomes legacy
	 * mode (APM2 14.7).
	 */
	movl	%cr0, %eax
	btrl	$X86_CR0_PG_BIT, %eax
	movl	%eax, %cr0
	movl	%cr4, %ecx
	xorl	$X86_CR4_LA57, %ecx
	movl	%ecx, %cr4
	movl	%esi, %cr3
	/* EFER.LME is still set, so setting CR0.PG enters long mode (APM2 14.6.1). */
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

/*
 * la57_nmi_64 - the handler of NMI in long mode, outside of SEV-ES: counts NMIs for
 * la57_switch().
 * In:       %rdi = struct la57_page, which all code that uses this IDT keeps there.
 * Out:      the page's field nmis is increased by 1.
 * Clobbers: nothing.
 * Mode:     64-bit. If its gate leads here in legacy mode, as 16-bit code, the guest
 *           terminates: see NOT_IN_16BIT_CODE.
 * Stack:    the processor's frame.
 */
GLOBAL(la57_nmi_64)
FUNC(la57_nmi_64)
	NOT_IN_16BIT_CODE
	.code64
	incl	LA57_NMIS(%rdi)
	iretq
END_FUNC(la57_nmi_64)

	.code32
/*
 * la57_nmi_32 - the handler of NMI in legacy mode, outside of SEV-ES: counts NMIs for
 * la57_switch().
 * In:       %edi = struct la57_page, which all code that uses this IDT keeps there.
 * Out:      the page's field nmis is increased by 1.
 * Clobbers: nothing.
 * Mode:     32-bit, paging off.
 * Stack:    the processor's frame.
 */
GLOBAL(la57_nmi_32)
FUNC(la57_nmi_32)
	incl	LA57_NMIS(%edi)
	iretl
END_FUNC(la57_nmi_32)

/*
 * la57_nmi_es, la57_exception - the handlers of NMI in an SEV-ES guest, and of every
 * other exception while la57_code runs: an SEV-ES guest terminates, any other machine
 * halts. They do not use early_error and early_terminate, because 32-bit code cannot
 * reach an image above 4 GiB.
 * In:       %edi = struct la57_page.
 * Out:      does not return.
 * Clobbers: everything.
 * Mode:     32-bit or 64-bit: the bytes mean the same in both. If a 64-bit gate leads
 *           here in legacy mode, as 16-bit code, the guest terminates: see
 *           NOT_IN_16BIT_CODE. The instructions before that macro mean the same in
 *           16-bit code, too.
 * Stack:    none.
 */
	.code32
GLOBAL(la57_nmi_es)
FUNC(la57_nmi_es)
	movb	$SEVSTUB_TERM_NMI, %bl
	jmp	.Lreason
END_FUNC(la57_nmi_es)
GLOBAL(la57_exception)
FUNC(la57_exception)
	movb	$SEVSTUB_TERM_EXCEPTION, %bl
.Lreason:
	NOT_IN_16BIT_CODE
	.code32
	testb	$SEV_STATUS_SEV_ES, LA57_SEV_STATUS(%edi)
	jz	.Lexception_halt
	movzbl	%bl, %eax
	shll	$GHCB_MSR_TERM_CODE_SHIFT, %eax
	orl	$GHCB_MSR_TERM_STUB(0), %eax
	SEND_TERM_REQUEST
.Lexception_halt:
	hlt
	jmp	.Lexception_halt
END_FUNC(la57_exception)

GLOBAL(la57_code_end)
la57_code_end:

	.section .note.GNU-stack, "", @progbits
