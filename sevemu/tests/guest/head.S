/* SPDX-License-Identifier: MIT */
/*
 * head.S - the test guest's setup header, its 32-bit and 64-bit entries, the switch to
 * long mode, the entries of the exception handlers in 32-bit and 64-bit mode, and the
 * switches to CPL 3 and back.
 */
#include "abi.h"

#define SELECTOR_CODE32		0x08
#define SELECTOR_CODE64		0x10
#define SELECTOR_DATA		0x18
#define SELECTOR_TSS32		0x40

#define APIC_EOI		0xfee000b0

#define CR0_PE_PG		0x80000001
#define CR4_PAE			0x20
#define EFER_LME_BIT		8

/* "HdrS", the signature in a kernel's setup header */
#define SETUP_MAGIC		0x53726448
#define SETUP_VERSION		0x020f
#define SETUP_LOADED_HIGH	1
#define XLF_KERNEL_64		1
#define XLF_CAN_BE_LOADED_ABOVE_4G 2

/* ---- The setup header (boot.rst, "The Real-Mode Kernel Header") ---- */
	.section .setup, "ax"
	.code16
setup:
	hlt
	jmp	setup
	.org	0x1f1
	.byte	1			/* setup_sects */
	.word	0			/* root_flags */
	.long	guest_syssize		/* syssize */
	.word	0, 0, 0			/* ram_size, vid_mode, root_dev */
	.word	0xaa55			/* boot_flag */
	.byte	0xeb, .Lheader_end - 0x202 /* jump */
	.long	SETUP_MAGIC		/* header */
	.word	SETUP_VERSION		/* version */
	.long	0			/* realmode_swtch */
	.word	0, 0			/* start_sys_seg, kernel_version */
	.byte	0			/* type_of_loader */
	.byte	SETUP_LOADED_HIGH	/* loadflags */
	.word	0			/* setup_move_size */
	.long	0x100000		/* code32_start */
	.long	0, 0			/* ramdisk_image, ramdisk_size */
	.long	0			/* bootsect_kludge */
	.word	0			/* heap_end_ptr */
	.byte	0, 0			/* ext_loader_ver, ext_loader_type */
	.long	0			/* cmd_line_ptr */
	.long	0x7fffffff		/* initrd_addr_max */
	.long	0x200000		/* kernel_alignment */
	.byte	1			/* relocatable_kernel */
	.byte	21			/* min_alignment */
	.word	XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G /* xloadflags */
	.long	2047			/* cmdline_size */
	.long	0			/* hardware_subarch */
	.quad	0			/* hardware_subarch_data */
	.long	0, 0			/* payload_offset, payload_length */
	.quad	0			/* setup_data */
	.quad	GUEST_BASE		/* pref_address */
	.long	guest_memsize		/* init_size */
	.long	0			/* handover_offset */
	.long	0			/* kernel_info_offset */
.Lheader_end = . - setup
	.org	0x400

/*
 * The guest's 32-bit entry (boot.rst, "32-bit Boot Protocol"). Copies the image to its
 * linked address and continues there. The boot protocol promises no stack. The CALL
 * that reads EIP uses the zero page's field "scratch" as its stack.
 * In:  %esi = zero page, flat segments, paging and interrupts off
 * Out: does not return
 */
	.section .head, "ax"
	.code32
	.globl	startup_32
startup_32:
	cli
	cld
	/* %ebp = address of startup_32 */
	leal	0x1e8(%esi), %esp
	call	1f
1:	popl	%ebp
	subl	$(1b - startup_32), %ebp
	movl	%esi, %ebx
	cmpl	$startup_32, %ebp
	je	2f
	movl	%ebp, %esi
	movl	$startup_32, %edi
	movl	$image_end, %ecx
	subl	$startup_32, %ecx
	rep movsb
2:	movl	$.Lat_home32, %eax
	jmp	*%eax

	.org	0x200
	.code64
	.globl	startup_64
/*
 * The guest's 64-bit entry (boot.rst, "64-bit Boot Protocol"). Copies the image to its
 * linked address and continues there. Needs no stack.
 * In:  long mode, %rsi = zero page, identity map with the C-bit, interrupts off
 * Out: does not return
 */
startup_64:
	cli
	cld
	movq	%rsi, %rbx
	leaq	startup_32(%rip), %rsi
	movq	$startup_32, %rdi
	cmpq	%rdi, %rsi
	je	1f
	movl	$image_end, %ecx
	subl	%edi, %ecx
	rep movsb
1:	movq	$.Lat_home64, %rax
	jmp	*%rax

/*
 * A function that only returns. cases.list passes its address 0x1000300 to sevemu's
 * option --marker, which counts the exits before that address is executed. guest.lds
 * checks the address.
 */
	.org	0x300
	.globl	marker_point
marker_point:
	ret

	.text
	.code32
/*
 * The 32-bit entry continues here, at the linked address.
 * In:  %ebx = zero page, paging off. No stack is needed.
 * Clobbers: all registers
 */
.Lat_home32:
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb
	movl	$stack_end, %esp
	lgdt	gdt_pointer
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	ljmp	$SELECTOR_CODE32, $1f
1:	pushl	%ebx
	call	boot32
	popl	%ebx

	/*
	 * Enter long mode with the page tables boot_pml4, which boot32() has filled
	 * (APM2 14.6.1).
	 */
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	btsl	$EFER_LME_BIT, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PE_PG, %eax
	movl	%eax, %cr0
	ljmp	$SELECTOR_CODE64, $.Lmain

	.code64
.Lat_home64:
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb
.Lmain:
	movl	$stack_end, %esp
	lgdt	gdt_pointer
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	pushq	$SELECTOR_CODE64
	pushq	$1f
	lretq
1:	movq	%rbx, %rdi
	call	guest_main
	ud2

/* ---- The second processor ---- */

/*
 * The AP's first code, which cases_smp.c copies to a page below 1 MiB. Enters long mode
 * with the page tables of cpu.c. It loads CR3 without the C-bit, because 16-bit code can
 * load only the low 32 bits of CR3.
 * In:  real mode, CS base = the page, IP = 0
 * Out: ap_start_64 in 64-bit mode
 * Clobbers: %eax, %ecx, %edx
 */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	lgdtl	%cs:1f - ap_trampoline
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	btsl	$EFER_LME_BIT, %eax
	wrmsr
	movl	$CR0_PE_PG, %eax
	movl	%eax, %cr0
	ljmpl	$SELECTOR_CODE64, $ap_start_64
	.balign	4
1:	.word	gdt_end - gdt - 1
	.long	gdt
ap_trampoline_end:

/*
 * The AP's first 64-bit code. ap_trampoline jumps to it. In an SNP guest the AP starts
 * here, by the VMSA of cases_smp.c.
 * In:  64-bit mode, the page tables of cpu.c
 * Out: does not return
 */
	.code64
	.globl	ap_start_64
ap_start_64:
	movl	$ap_stack_end, %esp
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	call	ap_loop
	ud2

/*
 * The AP's interrupt handler, for the timer of its local APIC: counts the interrupt in
 * ap_interrupts, and writes 0 to the local APIC's end-of-interrupt register.
 * In:  64-bit mode, interrupts off
 * Out: returns to the interrupted code
 * Clobbers: nothing
 */
	.globl	ap_interrupt
ap_interrupt:
	pushq	%rax
	incq	ap_interrupts(%rip)
	movl	$APIC_EOI, %eax
	movl	$0, (%rax)
	popq	%rax
	iretq

	.code32
/* ---- Exceptions in 32-bit mode ---- */
	.code32
/*
 * Entry of the #VC handler in 32-bit mode. Pushes the registers as in struct frame32
 * (boot32.c), calls vc32(), which may change the pushed values, and restores them.
 */
	.globl	vc32_entry
vc32_entry:
	pushal
	pushl	%esp
	call	vc32
	popl	%eax
	popal
	addl	$4, %esp		/* removes the error code */
	iretl

/*
 * Entry of the #UD handler in 32-bit mode. Counts the #UD in ud32_count, and skips the
 * instruction of 4 bytes that has raised it.
 */
	.globl	ud32_entry
ud32_entry:
	incl	ud32_count
	addl	$4, (%esp)
	iretl

/*
 * void user32_run(eip, cs, ss, esp): runs code at CPL 3. INT VECTOR_USER_END leads to
 * user32_end, which returns to the caller of user32_run().
 * In:  32-bit mode, the arguments on the stack by the C calling convention
 * Out: %ds and %es are @ss at CPL 3, and SELECTOR_DATA on return
 * Clobbers: %eax, %ecx, %edx, flags
 */
	.globl	user32_run, user32_end
user32_run:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	%esp, user32_stack
	movl	20(%esp), %eax
	movl	24(%esp), %ecx
	movl	28(%esp), %edx
	movl	32(%esp), %ebx
	pushl	%edx
	pushl	%ebx
	pushfl
	pushl	%ecx
	pushl	%eax
	movl	%edx, %ds
	movl	%edx, %es
	iretl
user32_end:
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	user32_stack, %esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

/* ---- Exceptions in long mode ---- */
	.code64
/*
 * Bit n is set if the processor pushes an error code for exception vector n (APM2 8.2).
 */
#define WITH_ERROR_CODE		0x60227d00

	.balign	16
	.globl	exception_stubs
/*
 * Code of 16 bytes for each exception vector, to which the IDT's gates lead. It pushes
 * 0 if the processor has pushed no error code, and then the vector, as struct frame in
 * guest.h needs it.
 */
exception_stubs:
	vector = 0
	.rept	VECTOR_TIMER + 1
	.balign	16
	.if	vector > 31 || !((WITH_ERROR_CODE >> (vector & 31)) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception_common
	vector = vector + 1
	.endr

exception_common:
	pushq	%rax
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
	cld
	movq	%rsp, %rdi
	call	exception
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
	addq	$16, %rsp		/* removes vector and error code */
	iretq

/*
 * void user_enter(rip, rflags, rsp, selectors): runs code at CPL 3. INT VECTOR_USER_END
 * leads to user_end, which returns to the caller of user_enter().
 * In:  %rdi = RIP, %rsi = RFLAGS, %rdx = RSP, %rcx = SS in the high and CS in the low
 *      half
 * Clobbers: all registers but those that the C calling convention preserves
 */
	.globl	user_enter, user_end
user_enter:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, user_stack(%rip)
	movq	%rcx, %rax
	shrq	$32, %rax
	pushq	%rax
	pushq	%rdx
	pushq	%rsi
	movl	%ecx, %ecx
	pushq	%rcx
	pushq	%rdi
	iretq
user_end:
	movq	user_stack(%rip), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/*
 * u64 compat_cpuid(void): executes CPUID function 0 in compatibility mode. Stores the
 * addresses of the CPUID and of the next instruction to vc, for the #VC handler.
 * Out: %rax = EBX of the CPUID
 * Clobbers: %rcx, %rdx, flags
 */
	.globl	compat_cpuid
compat_cpuid:
	pushq	%rbx
	movq	$.Lcompat, vc(%rip)
	movq	$.Lcompat_end, vc + 8(%rip)
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	pushq	$SELECTOR_CODE32
	pushq	$.Lcompat
	lretq
	.code32
.Lcompat:
	cpuid
.Lcompat_end:
	ljmp	$SELECTOR_CODE64, $1f
	.code64
1:	movl	%ebx, %eax
	popq	%rbx
	ret

	.data
	.balign	8
	.globl	gdt, gdt_pointer
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08: 32-bit code */
	.quad	0x00af9b000000ffff	/* 0x10: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x18: data */
	.quad	0, 0			/* 0x20: 64-bit TSS, set up in C */
	.quad	0x00affb000000ffff	/* 0x30: 64-bit code, CPL 3 */
	.quad	0x00cff3000000ffff	/* 0x38: data, CPL 3 */
	.quad	0			/* 0x40: 32-bit TSS, set up in C */
	.quad	0x00cffb000000ffff	/* 0x48: 32-bit code, CPL 3 */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
user_stack:
	.quad	0
user32_stack:
	.long	0
	.balign	8
	.globl	ap_interrupts
ap_interrupts:
	.quad	0

	.bss
	.balign	16
	.space	16384
stack_end:
	.space	4096
	.globl	ap_stack_end
ap_stack_end:
	.section .note.GNU-stack, "", @progbits
