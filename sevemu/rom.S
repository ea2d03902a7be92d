/* SPDX-License-Identifier: MIT */
/*
 * Reset vector: from real mode in the ROM to long mode in RAM.
 *
 * Runs once, on a machine that nobody has set up.  Finds the top of low RAM,
 * copies the ROM there, builds five-level page tables (the depth of the nested
 * walk is that of the hypervisor's own paging, and a C-bit at 51 needs 57-bit
 * guest-physical addresses), and jumps to hv_entry with RDI = hv_base.
 */
#include "layout.h"
#include "x86.h"

#define SEL_CODE32		0x08
#define CMOS_INDEX		0x70
#define CMOS_DATA		0x71
#define CMOS_RAM_LOW		0x34	/* 64 KiB units above 16 MiB */
#define CMOS_RAM_HIGH		0x35
#define CMOS_RAM_ORIGIN		0x1000000
#define TABLE(n)		(HV_SIZE - (BOOT_TABLES - (n)) * PAGE_SIZE)
#define PTE_TABLE		(PTE_P | PTE_W)
#define PTE_LEAF		(PTE_P | PTE_W | PTE_A | PTE_D | PTE_PS)

	.section .reset, "ax"
	.code16
start16:
	cli
	cld
	lgdtl	%cs:gdt_pointer - ROM_RESET_PAGE + 0xf000
	movl	$(CR0_PE | CR0_ET | CR0_NE), %eax
	movl	%eax, %cr0
	ljmpl	$SEL_CODE32, $start32

	.code32
start32:	/* flat protected mode, no stack */
	movl	$HV_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss

	/* EBX = hv_base: HV_SIZE below the top of low RAM, on a large page */
	xorl	%ebx, %ebx
	movb	$CMOS_RAM_HIGH, %al
	outb	%al, $CMOS_INDEX
	inb	$CMOS_DATA, %al
	movb	%al, %bh
	movb	$CMOS_RAM_LOW, %al
	outb	%al, $CMOS_INDEX
	inb	$CMOS_DATA, %al
	movb	%al, %bl
	shll	$16, %ebx
	addl	$(CMOS_RAM_ORIGIN - HV_SIZE), %ebx
	andl	$~(LARGE_SIZE - 1), %ebx

	movl	$ROM_BASE, %esi
	movl	%ebx, %edi
	movl	$(ROM_SIZE / 4), %ecx
	rep movsl

	/*
	 * Tables 0 PML5, 1 PML4 and 2-3 PDPTs of the identity map (1 GiB
	 * leaves), 4 PML4, 5 PDPT and 6 PD of the image at HV_VIRT.
	 */
	leal	TABLE(0)(%ebx), %edi
	movl	$(BOOT_TABLES * PAGE_SIZE / 4), %ecx
	xorl	%eax, %eax
	rep stosl
	leal	(TABLE(1) + PTE_TABLE)(%ebx), %eax
	movl	%eax, TABLE(0)(%ebx)
	leal	(TABLE(4) + PTE_TABLE)(%ebx), %eax
	movl	%eax, (TABLE(0) + 511 * 8)(%ebx)
	leal	(TABLE(2) + PTE_TABLE)(%ebx), %eax
	movl	%eax, TABLE(1)(%ebx)
	addl	$PAGE_SIZE, %eax
	movl	%eax, (TABLE(1) + 8)(%ebx)
	leal	(TABLE(5) + PTE_TABLE)(%ebx), %eax
	movl	%eax, (TABLE(4) + 511 * 8)(%ebx)
	leal	(TABLE(6) + PTE_TABLE)(%ebx), %eax
	movl	%eax, (TABLE(5) + 510 * 8)(%ebx)

	leal	TABLE(2)(%ebx), %edi
	movl	$PTE_LEAF, %eax
	xorl	%edx, %edx
	movl	$PHYS_GIB, %ecx
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$0x40000000, %eax
	adcl	$0, %edx
	addl	$8, %edi
	loop	1b

	leal	TABLE(6)(%ebx), %edi
	leal	PTE_LEAF(%ebx), %eax
	movl	$(HV_SIZE / LARGE_SIZE), %ecx
1:	movl	%eax, (%edi)
	addl	$LARGE_SIZE, %eax
	addl	$8, %edi
	loop	1b

	/*
	 * Long mode: PAE and LA57, CR3, LME, and paging last (APM2 14.6). OSFXSR for
	 * snapshots, which keep the guest's XMM registers.
	 */
	movl	$(CR4_PAE | CR4_OSFXSR | CR4_LA57), %eax
	movl	%eax, %cr4
	leal	TABLE(0)(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$(EFER_LME | EFER_NXE | EFER_SVME), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE), %eax
	movl	%eax, %cr0
	ljmpl	$HV_CS, $start64

	.code64
start64:	/* long mode, still in the ROM's identity map */
	movl	%ebx, %edi
	movabsq	$hv_entry, %rax
	jmpq	*%rax

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* SEL_CODE32: flat, 32-bit */
	.quad	0x00af9b000000ffff	/* HV_CS: long mode */
	.quad	0x00cf93000000ffff	/* HV_DS: flat */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.section .reset.vector, "ax"
	.code16
	.globl reset_vector
reset_vector:
	jmp	start16
	.section .note.GNU-stack, "", @progbits
