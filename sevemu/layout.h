/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the memory layout of the hypervisor, for assembly, C and the
 * linker script.
 *
 *	top of RAM below 4 GiB
 *			+------------------------------+
 *			| the hypervisor's page tables |  BOOT_TABLES pages
 *			| heap: nested tables, frame   |
 *			| states, firmware image       |
 *			| bss, data, text              |  HV_VIRT is mapped here
 *	hv_base		+------------------------------+
 *			| the guest's RAM              |
 *	0		+------------------------------+
 *
 * The hypervisor's page tables map physical addresses below PHYS_LIMIT to
 * themselves, so a physical address of RAM or of a device can be used as a
 * pointer.
 */
#ifndef SEVEMU_LAYOUT_H
#define SEVEMU_LAYOUT_H

/* Size of the hypervisor's memory, which starts at hv_base: 32 MiB. */
#define HV_SIZE			0x2000000
#define HV_VIRT			0xffffffff80000000
#define ROM_SIZE		0x30000		/* 192 KiB */
#define ROM_BASE		(0x100000000 - ROM_SIZE)
#define ROM_RESET_PAGE		0xfffff000
#define BOOT_TABLES		7
#define PHYS_GIB		1024			/* PHYS_LIMIT in GiB */
/* First physical address past the hypervisor's identity map: 1 TiB. */
#define PHYS_LIMIT		0x10000000000

#define HV_CS			0x10
#define HV_DS			0x18

/*
 * Guest-physical address of the page with the code of park.S, in which the APs of an SEV-ES
 * guest without firmware wait until the kernel starts them.  The AP jump table is the next
 * page.
 */
#define PARK_CODE		0x3d000
/*
 * Number of vectors in the waiting APs' interrupt vector table.  The table ends with vector 2,
 * NMI, the only one that has a handler.
 */
#define PARK_VECTORS		3

/* Bytes that entry.S reserves for the exception handler of each vector. */
#define HV_STUB_SIZE		16

#endif
