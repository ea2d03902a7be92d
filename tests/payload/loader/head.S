/* SPDX-License-Identifier: MIT */
/*
 * head.S - the test loader's setup header and its 16-bit entry. It reads the E820 map
 * from the BIOS, maps the first 4 GiB, and calls loader_main() in 64-bit mode.
 *
 * QEMU's option -kernel starts the test loader as if it were Linux. It loads the
 * real-mode part at 64 KiB, which is the address for which it is linked. SeaBIOS has
 * enabled A20.
 */
#include "linkage.h"
#include "x86.h"
#include "loader.h"

#define E820_SIGNATURE		0x534d4150	/* "SMAP" */
#define E820_ENTRY_SIZE		20

	.section .head, "aw"
	.code16
	.org	0x1f1
	.byte	loader_setup_sects
	.word	0
	.long	1			/* syssize, in paragraphs */
	.word	0, 0, 0
	.word	0xaa55
	.globl	start
start:
	.byte	0xeb, start16 - 1f
1:	.ascii	"HdrS"
	.word	0x020f
	.long	0
	.word	0, 0
	.byte	0			/* type_of_loader */
	.byte	1			/* loadflags: LOADED_HIGH */
	.word	0
	.long	0x100000		/* code32_start */
	.long	0, 0, 0			/* initrd; bootsect_kludge */
	.word	0
	.byte	0, 0
	.long	0			/* cmd_line_ptr */
	.long	0x7fffffff		/* initrd_addr_max */
	.long	0x200000		/* kernel_alignment */
	.byte	1, 21			/* relocatable, min_alignment */
	.word	3			/* xloadflags: KERNEL_64, ABOVE_4G */
	.long	0x7fff			/* cmdline_size */
	.long	0
	.quad	0
	.long	0, 0			/* payload */
	.quad	0			/* setup_data */
	.quad	0x1000000		/* pref_address */
	.long	0x1000000		/* init_size */
	.long	0, 0

/*
 * The test loader's 16-bit entry (boot.rst, "Running the Kernel").
 * In:  real mode, %cs = 0x1020, %ds = %es = %ss = 0x1000, a stack, any RFLAGS.IF
 * Out: does not return
 */
start16:
	cld
	mov	$(e820_table - LOADER_BASE), %di
	xor	%ebx, %ebx
.Lnext_entry:
	mov	$0xe820, %eax
	mov	$E820_ENTRY_SIZE, %ecx
	mov	$E820_SIGNATURE, %edx
	int	$0x15
	jc	.Le820_done
	cmp	$E820_SIGNATURE, %eax
	jne	.Le820_done
	incl	e820_count - LOADER_BASE
	add	$E820_ENTRY_SIZE, %di
	cmpl	$MAX_E820, e820_count - LOADER_BASE
	jae	.Le820_done
	test	%ebx, %ebx
	jnz	.Lnext_entry
.Le820_done:

	/* Enter 32-bit protected mode with segments of base 0 and limit 4 GiB. */
	cli
	lgdtl	gdtr - LOADER_BASE
	mov	$X86_CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$KERNEL32_CS, $start32

	.code32
start32:
	mov	$BOOT_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$loader_stack_end, %esp

	/*
	 * Map the first 4 GiB to themselves, with a level 4 table, a level 3 table, and
	 * four level 2 tables with 2 MiB pages. The tables lie at WORK_TABLES.
	 */
	mov	$WORK_TABLES, %edi
	mov	$(6 * PAGE_SIZE / 4), %ecx
	xor	%eax, %eax
	rep stosl
	movl	$(WORK_TABLES + PAGE_SIZE + TABLE_BITS), WORK_TABLES
	mov	$(WORK_TABLES + 2 * PAGE_SIZE + TABLE_BITS), %eax
	mov	$(WORK_TABLES + PAGE_SIZE), %edi
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$PAGE_SIZE, %eax
	add	$8, %edi
	loop	1b
	mov	$(TABLE_BITS + PTE_LEAF), %eax
	mov	$(WORK_TABLES + 2 * PAGE_SIZE), %edi
	mov	$(4 * PTRS_PER_TABLE), %ecx
1:	mov	%eax, (%edi)
	add	$PMD_SIZE, %eax
	add	$8, %edi
	loop	1b

	/* Enter 64-bit mode with the page tables at WORK_TABLES. */
	mov	$X86_CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$WORK_TABLES, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_LME, %eax
	xor	%edx, %edx
	wrmsr
	mov	$(X86_CR0_PG | X86_CR0_PE), %eax
	mov	%eax, %cr0
	ljmpl	$BOOT_CS, $start64

	.code64
start64:
	call	loader_main
	ud2

	.data
	.balign	8
DATA(gdt)
	.quad	0
	.quad	GDT_CODE32
	.quad	GDT_CODE64
	.quad	GDT_DATA
END_DATA(gdt)
DATA(gdtr)
	.word	. - gdt - 1
	.long	gdt
END_DATA(gdtr)

	.globl	e820_count, e820_table
	.balign	8
DATA(e820_count)
	.long	0
END_DATA(e820_count)
DATA(e820_table)
	.skip	MAX_E820 * E820_ENTRY_SIZE
END_DATA(e820_table)

	.bss
	.balign	16
loader_stack:
	.skip	0x1000
loader_stack_end:

	.section .note.GNU-stack, "", @progbits
