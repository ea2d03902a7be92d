/* SPDX-License-Identifier: MIT */
/*
 * setup.h - numbers that the entries in assembly (bios/header.S, head_64.S and
 * its parts) share with C: offsets in the setup header and the zero page
 * (boot.rst, zero-page.rst), calls to the BIOS, I/O ports, and the sizes of
 * stacks and tables. lib/boot_params.c checks offsets against struct boot_params.
 * bios.h has the BIOS calls that only setup.c makes.
 */
#ifndef SETUP_H
#define SETUP_H

/* -- Boot protocol (boot.rst). HDR_* are offsets in the setup header. */
#define BOOT_PROTOCOL		0x020f
#define BOOT_FLAG		0xaa55
#define SETUP_SENTINEL		0x1ef
#define SETUP_HEADER		0x1f1
#define HDR_REALMODE_SWTCH	(0x208 - SETUP_HEADER)
#define HDR_LOADFLAGS		(0x211 - SETUP_HEADER)
#define HDR_CODE32_START	(0x214 - SETUP_HEADER)
#define DEFAULT_LOAD_ADDR	0x100000
#define INITRD_ADDR_MAX		0x7fffffff
/*
 * boot.rst "heap_end_ptr": the field holds the offset of the heap's end minus
 * this number of bytes.
 */
#define HEAP_END_BIAS		0x200

/*
 * The structure kernel_info (boot.rst "The kernel_info"): its size in bytes, and
 * its field with the highest type of setup_data that a loader may pass.
 */
#define KERNEL_INFO_SIZE	16
#define KERNEL_INFO_SETUP_TYPE_MAX (SETUP_RNG_SEED | SETUP_INDIRECT)
#define STARTUP_64_OFFSET	0x200

/* Values of the variable entry_taken: by which entry a loader started the stub. */
#define ENTRY_64		0
#define ENTRY_32		1
#define ENTRY_16		2
#define ENTRY_EFI		3
#define ENTRY_EFI_HANDOVER	4
/*
 * header.S, the 16-bit entry, jumps to startup_32 with this value in %edi. A loader
 * that enters at startup_32 itself passes 0 in %edi, as boot.rst requires.
 */
#define ENTRY_16_TAG		0x36317273	/* "sr16" */

/* -- Zero page (zero-page.rst): sizes, and offsets in bytes. */
#define ZERO_PAGE_SIZE		4096
#define ZP_SCRATCH		0x1e4
#define ZP_E820_ENTRIES		0x1e8
#define ZP_E820_TABLE		0x2d0
#define E820_ENTRY_SIZE		20
#define E820_ZERO_PAGE_ENTRIES	128
#define E820_ENTRY_ADDR		0
#define E820_ENTRY_LEN		8
#define E820_ENTRY_TYPE		16
#define E820_RAM		1

/* -- BIOS services: the interrupt, then its functions in AH or AX. */
#define BIOS_VIDEO		0x10
#define BIOS_TELETYPE		0x0e
#define VIDEO_WHITE		0x0007
#define BIOS_SYSTEM		0x15
#define BIOS_A20_ON		0x2401
#define BIOS_E820		0xe820
#define E820_SMAP		0x534d4150	/* "SMAP" */

/* Bytes of struct bios_regs that PUSHAL stores, all but EFLAGS; bytes of the whole structure. */
#define BIOS_REGS_GENERAL	32
#define BIOS_REGS_SIZE		36

/* -- Ports. */
#define PORT_PIC1_MASK		0x21
#define PIC_CASCADE		0x04
#define PORT_CMOS		0x70
#define CMOS_NMI_OFF		0x80
#define PORT_DELAY		0x80
#define PORT_SYSTEM_A		0x92
#define SYSTEM_A_RESET		0x01
#define SYSTEM_A_A20		0x02
#define PORT_PIC2_MASK		0xa1

/*
 * a20_is_on in header.S writes up to A20_TRIES values to this linear address, the
 * vector of INT 80h, and restores it.
 */
#define A20_TEST		(0x80 * 4)
#define A20_TRIES		32

/*
 * The last 4 bytes of .data; only .sbat follows in the file. If memory has other
 * bytes there, the loader has read a truncated file.
 */
#define IMAGE_END_MARK		0x646e4553	/* "SEnd" */
/*
 * The load address must be a multiple of this number of bytes. Memory encryption has blocks of
 * the same size, and the hypervisor can put the old contents of a block back. The stub aligns
 * some objects to this size, so that each lies in blocks of its own. This alignment holds at run
 * time only if the load address is a multiple of the size, too.
 */
#define LOAD_ALIGN		16

/*
 * -- Sizes in bytes of stacks and tables. linker.ld reserves the memory. It gets
 * the sizes as symbols from early_tables_64.S.
 */
/*
 * Size of the stack that the entries use until the function `moved` switches to
 * the stack in .bss. This early stack is in .data.
 */
#define EARLY_STACK_SIZE	2240
/* Size of the stack of extract_kernel(), which lies above its guard page. */
#define STACK_SIZE		16384
/*
 * Memory for the stub's own page tables: 64 tables of 4 KiB. Each range that
 * the loader passes needs about five of them.
 */
#define PAGE_TABLE_POOL_SIZE	(64 * 4096)

/*
 * -- The page tables of the 32-bit entry: one PML4, one PDPT and four page
 * directories map the lowest 4 GiB with leaves of 2 MiB.
 */
#define EARLY_PMDS		4
#define EARLY_TABLES_SIZE	((2 + EARLY_PMDS) * 4096)
/* Flags of an early page-table entry that points to a table, and of a leaf. */
#define EARLY_TABLE_FLAGS	(PTE_PRESENT | PTE_WRITE)
#define EARLY_LEAF_FLAGS	(PTE_PRESENT | PTE_WRITE | PTE_LEAF)

/* -- The first UART of a PC, to which early_error in sev-head_64.S prints. */
#define PORT_COM1		0x3f8
#define UART_LSR		5
#define UART_LSR_THRE		0x20
/*
 * early_error sends a byte even if the UART is not ready after this many reads
 * of its status.
 */
#define EARLY_UART_POLLS	100000

#endif
