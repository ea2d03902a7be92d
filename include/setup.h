/* SPDX-License-Identifier: MIT */
/*
 * setup.h - the numbers of the 16-bit entry: offsets in the setup header and
 * the zero page (x86/boot.rst, x86/zero-page.rst), BIOS calls (bios.h has those
 * that only C makes), and the ports of a PC that it touches. For assembly;
 * misc.c asserts the offsets against struct boot_params.
 */
#ifndef SETUP_H
#define SETUP_H

/* -- Boot protocol (x86/boot.rst). */
#define BOOT_PROTOCOL		0x020f
#define BOOT_FLAG		0xaa55
#define SETUP_SENTINEL		0x1ef
#define SETUP_HEADER		0x1f1
#define HDR_REALMODE_SWTCH	(0x208 - SETUP_HEADER)
#define HDR_LOADFLAGS		(0x211 - SETUP_HEADER)
#define HDR_CODE32_START	(0x214 - SETUP_HEADER)
#define DEFAULT_LOAD_ADDR	0x100000
#define INITRD_ADDR_MAX		0x7fffffff
/* heap_end_ptr counts from 0x200 below the end. */
#define HEAP_END_BIAS		0x200

/* kernel_info (boot.rst, "The kernel_info"). */
#define KERNEL_INFO_SIZE	16
#define KERNEL_INFO_SETUP_TYPE_MAX (SETUP_RNG_SEED | SETUP_INDIRECT)
#define STARTUP_64_OFFSET	0x200

/* Which entry a loader took, for misc.c to say. */
#define ENTRY_64		0
#define ENTRY_32		1
#define ENTRY_16		2
#define ENTRY_EFI		3
#define ENTRY_EFI_HANDOVER	4
/* %edi at startup_32, from our own 16-bit code; any loader's is 0. */
#define ENTRY_16_TAG		0x36317273	/* "sr16" */

/* -- Zero page (x86/zero-page.rst). */
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

/* -- BIOS services: interrupt, then function in AH or AX. */
#define BIOS_VIDEO		0x10
#define BIOS_TELETYPE		0x0e
#define VIDEO_WHITE		0x0007
#define BIOS_SYSTEM		0x15
#define BIOS_A20_ON		0x2401
#define BIOS_E820		0xe820
#define E820_SMAP		0x534d4150	/* "SMAP" */

/* struct bios_regs: what pushal stores, then what pushfl does. */
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

/* A word in low memory that the A20 test may use: the vector of INT 80h. */
#define A20_TEST		(0x80 * 4)
#define A20_TRIES		32

/* The image's last bytes: without them the file was cut short. */
#define IMAGE_END_MARK		0x646e4553	/* "SEnd" */

/* -- Sizes that are ours to choose. */
#define EARLY_STACK_SIZE	2048
#define STACK_SIZE		16384
/* 64 tables: a handful for each range that a loader hands over. */
#define PAGE_TABLE_POOL_SIZE	(64 * 4096)

/* What the early map's entries carry besides an address. */
#define EARLY_TABLE_FLAGS	(PTE_PRESENT | PTE_WRITE)
#define EARLY_LEAF_FLAGS	(PTE_PRESENT | PTE_WRITE | PTE_LEAF)

/* -- The first UART of a PC, for errors before C runs. */
#define PORT_COM1		0x3f8
#define UART_LSR		5
#define UART_LSR_THRE		0x20
#define EARLY_UART_POLLS	100000

#endif
