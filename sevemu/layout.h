/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor lives, for assembly, C and the linker script.
 *
 *	top of low RAM  +------------------------------+
 *			| the hypervisor's page tables |  BOOT_TABLES pages
 *			| heap: nested tables, frame   |
 *			| states, firmware image       |
 *			| bss, data, text              |  HV_VIRT maps here
 *	hv_base		+------------------------------+
 *			| the guest's RAM              |
 *	0		+------------------------------+
 *
 * All physical memory below 1 TiB is mapped at its own address as well, so
 * that a physical address of RAM or of a device is a pointer.
 */
#ifndef SEVEMU_LAYOUT_H
#define SEVEMU_LAYOUT_H

#define HV_SIZE			0x2000000		/* 32 MiB */
#define HV_VIRT			0xffffffff80000000
#define ROM_SIZE		0x20000
#define ROM_BASE		(0x100000000 - ROM_SIZE)
#define ROM_RESET_PAGE		0xfffff000
#define BOOT_TABLES		7
#define PHYS_GIB		1024			/* identity-mapped */
#define PHYS_LIMIT		0x10000000000

#define HV_CS			0x10
#define HV_DS			0x18

#endif
