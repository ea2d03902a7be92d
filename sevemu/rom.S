/* SPDX-License-Identifier: MIT */
/*
 * rom.S - from QEMU's reset vector in the ROM to long mode in RAM.
 *
 * Runs once, from the reset state, in place of a machine's firmware.  It finds
 * the top of RAM below 4 GiB, copies the ROM to the last HV_SIZE bytes of that
 * RAM, builds page tables and jumps to hv_entry.  When smp.c starts another processor,
 * this file runs on that processor, finds the same memory and jumps to hv_ap_entry.
 *
 * The hypervisor's page tables have five levels, because QEMU gives nested page
 * tables as many levels as the hypervisor's own.  Four levels translate
 * guest-physical addresses of 48 bits only, and a C-bit may be bit 51.
 */
#include "layout.h"
#include "x86.h"

#define SEL_CODE32		0x08
#define CMOS_INDEX		0x70
#define CMOS_DATA		0x71
/*
 * CMOS bytes 0x34 (low) and 0x35 (high): RAM from 16 MiB to 4 GiB, in 64 KiB
 * units.
 */
#define CMOS_RAM_LOW		0x34
#define CMOS_RAM_HIGH		0x35
#define CMOS_RAM_ORIGIN		0x1000000
#define TABLE(n)		(HV_SIZE - (BOOT_TABLES - (n)) * PAGE_SIZE)
#define PTE_TABLE		(PTE_P | PTE_W)
#define PTE_LEAF		(PTE_P | PTE_W | PTE_A | PTE_D | PTE_PS)

/*
 * start_ap - the first instructions of every processor but the first.  They must be
 * the first bytes of ROM_RESET_PAGE, because QEMU has a copy of the ROM's last 128 KiB
 * below 1 MiB, and a SIPI starts a processor at a multiple of 4 KiB there.
 *
 * In:		the state after SIPI with vector 0xff, CS base 0xff000
 * Out:		goes on at protect, in start16, with EBP = 1
 * Clobbers:	EBP
 * Mode:	real mode
 * Stack:	none
 */
	.section .reset, "ax"
	.code16
start_ap:
	cli
	cld
	lgdtl	%cs:gdt_pointer - ROM_RESET_PAGE
	movl	$1, %ebp
	jmp	protect

/*
 * start16 - copies the hypervisor's image from ROM to RAM and switches the first
 * processor from real mode to long mode.  The other processors enter at protect, from
 * start_ap, and copy nothing.
 *
 * In:		the reset state (APM2 14.1.3), CS base 0xffff0000
 * Out:		jumps with RDI = hv_base, to hv_entry on the first processor and to
 *		hv_ap_entry on the others
 * Clobbers:	everything
 * Mode:	real mode, then 32-bit protected mode, then 64-bit
 * Stack:	none
 */
start16:
	cli
	cld
	lgdtl	%cs:gdt_pointer - ROM_RESET_PAGE + 0xf000
	xorl	%ebp, %ebp
	/* EBP is 0 on the first processor, and 1 on the others. */
protect:
	movl	$(CR0_PE | CR0_ET | CR0_NE), %eax
	movl	%eax, %cr0
	ljmpl	$SEL_CODE32, $start32

	.code32
start32:
	movl	$HV_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss

	/*
	 * Set EBX to hv_base, the address of the hypervisor's memory: the top
	 * of RAM below 4 GiB, minus HV_SIZE, rounded down to 2 MiB.  CMOS has
	 * the size of RAM from 16 MiB to 4 GiB.
	 */
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

	/* Only the first processor copies the image and builds the page tables. */
	testl	%ebp, %ebp
	jnz	paging

	movl	$ROM_BASE, %esi
	movl	%ebx, %edi
	movl	$(ROM_SIZE / 4), %ecx
	rep movsl

	/*
	 * Build the hypervisor's seven page tables, TABLE(0) to TABLE(6).
	 * Table 0 is the PML5.  Tables 1 (PML4), 2 and 3 (PDPTs) map PHYS_GIB
	 * GiB of physical memory at their own addresses, by entries of 1 GiB.
	 * Tables 4 (PML4), 5 (PDPT) and 6 (PD) map the hypervisor's image at
	 * HV_VIRT.
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
	 * Activate long mode in the order of APM2 14.6: CR4, CR3, EFER.LME,
	 * CR0.PG.  CR4.OSFXSR is set so that FXSAVE in snapshot.c saves XMM
	 * registers too.
	 */
paging:
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
start64:
	movl	%ebx, %edi
	movabsq	$hv_entry, %rax
	testl	%ebp, %ebp
	jz	1f
	movabsq	$hv_ap_entry, %rax
1:	jmpq	*%rax

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* SEL_CODE32: flat, 32-bit */
	.quad	0x00af9b000000ffff	/* HV_CS: long mode */
	.quad	0x00cf93000000ffff	/* HV_DS: flat */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

/*
 * reset_vector - the first instruction after reset, at 0xfffffff0.
 *
 * In:		the reset state (APM2 14.1.3)
 * Out:		jumps to start16
 * Clobbers:	nothing
 * Mode:	real mode
 * Stack:	none
 */
	.section .reset.vector, "ax"
	.code16
	.globl reset_vector
reset_vector:
	jmp	start16
	.section .note.GNU-stack, "", @progbits
