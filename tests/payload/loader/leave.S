/* SPDX-License-Identifier: MIT */
/*
 * leave.S - sets the processor state that struct leave (loader.h) describes and enters
 * the image. It leaves long mode and turns paging off first, because CR4.LA57 can only
 * be changed then.
 *
 * main.c copies this code to a page below 4 GiB. In the same page, struct leave lies at
 * offset LEAVE_DATA, and this code's stack at the end.
 */
#include "linkage.h"
#include "x86.h"
#include "loader.h"

	.text
	.code64

/*
 * Enters the image in the mode and with the registers of struct leave.
 * In:  64-bit mode, %rdi = address of the page that has this code and struct leave, all
 *      memory below 4 GiB identity-mapped
 * Out: does not return
 */
	.globl	leave_code, leave_code_end
FUNC(leave_code)
	mov	%rdi, %rbx
	lea	PAGE_SIZE(%rbx), %rsp
	push	$KERNEL32_CS
	lea	.Lcompat(%rip), %rax
	push	%rax
	lretq

	/* In compatibility mode, turn paging off. This leaves long mode. */
	.code32
.Lcompat:
	mov	$BOOT_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	add	$LEAVE_DATA, %ebx
	mov	%cr0, %eax
	and	$~X86_CR0_PG, %eax
	mov	%eax, %cr0
	mov	$MSR_EFER, %ecx
	mov	LEAVE_EFER(%ebx), %eax
	xor	%edx, %edx
	wrmsr
	mov	LEAVE_CR4_EARLY(%ebx), %eax
	mov	%eax, %cr4
	cmpl	$64, LEAVE_BITS(%ebx)
	je	.Lback

	/* Enter the image in 32-bit mode. */
	mov	LEAVE_CR4(%ebx), %eax
	mov	%eax, %cr4
	mov	LEAVE_CR0(%ebx), %eax
	mov	%eax, %cr0
	lgdtl	LEAVE_GDTR(%ebx)
	lidtl	LEAVE_IDTR(%ebx)
	movzwl	LEAVE_CS(%ebx), %eax
	push	%eax
	lea	.Lnew_cs32 - leave_code - LEAVE_DATA(%ebx), %eax
	push	%eax
	lretl
.Lnew_cs32:
	movzwl	LEAVE_DS(%ebx), %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	push	LEAVE_RFLAGS(%ebx)
	popfl
	mov	LEAVE_RSI(%ebx), %esi
	mov	LEAVE_GARBAGE(%ebx), %ecx
	mov	LEAVE_GARBAGE(%ebx), %edx
	mov	LEAVE_RSP(%ebx), %esp
	mov	LEAVE_TARGET(%ebx), %eax
	mov	$0, %ebp
	mov	$0, %edi
	mov	$0, %ebx
	jmp	*%eax

	/*
	 * Return to 64-bit mode. CR4.LA57 has been set or cleared above, and says
	 * whether the page tables have five levels or four.
	 */
.Lback:
	mov	LEAVE_CR3_EARLY(%ebx), %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$X86_CR0_PG, %eax
	mov	%eax, %cr0
	push	$BOOT_CS
	lea	.Llong - leave_code - LEAVE_DATA(%ebx), %eax
	push	%eax
	lretl

	/*
	 * The image's page tables possibly do not map the stack in this page, or the
	 * loader's GDT. This code therefore uses both for the last time before it loads CR3.
	 */
	.code64
.Llong:
	mov	%ebx, %ebx
	lgdt	LEAVE_GDTR(%rbx)
	lidt	LEAVE_IDTR(%rbx)
	movzwl	LEAVE_CS(%rbx), %eax
	push	%rax
	lea	.Lnew_cs64(%rip), %rax
	push	%rax
	lretq
.Lnew_cs64:
	movzwl	LEAVE_DS(%rbx), %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	push	LEAVE_RFLAGS(%rbx)
	popfq
	mov	LEAVE_CR3(%rbx), %rax
	mov	%rax, %cr3
	mov	LEAVE_CR4(%rbx), %rax
	mov	%rax, %cr4
	mov	LEAVE_CR0(%rbx), %rax
	mov	%rax, %cr0
	mov	LEAVE_RSI(%rbx), %rsi
	mov	LEAVE_RSP(%rbx), %rsp
	mov	LEAVE_GARBAGE(%rbx), %rax
	mov	%rax, %rcx
	mov	%rax, %rdx
	mov	%rax, %rdi
	mov	%rax, %rbp
	mov	%rax, %r8
	mov	%rax, %r9
	mov	%rax, %r10
	mov	%rax, %r11
	mov	%rax, %r12
	mov	%rax, %r13
	mov	%rax, %r14
	mov	%rax, %r15
	mov	%rax, %rbx
	jmp	*leave_code + LEAVE_DATA + LEAVE_TARGET(%rip)
leave_code_end:
END_FUNC(leave_code)

	.section .note.GNU-stack, "", @progbits
