/* SPDX-License-Identifier: MIT */
/*
 * loader.h - gives RAM to the guest and loads firmware or a kernel (loader.c).
 */
#ifndef SEVEMU_LOADER_H
#define SEVEMU_LOADER_H

#include "sevemu.h"

struct boot_params;

/* A range of QEMU's memory map, fw_cfg file etc/e820 (layout: ACPI 6.5 15). */
struct e820_entry {
	u64 address;		/* guest-physical address of the range */
	u64 length;		/* size of the range in bytes */
	u32 type;		/* kind of memory, E820_* */
} __attribute__((packed));

/* The legacy area of the guest's memory: VGA's memory, and the BIOS area after it. */
#define VGA_START		0xa0000
#define BIOS_START		0xc0000
#define BIOS_END		0x100000
#define FOUR_GIB		0x100000000

#define E820_RAM		1
#define E820_RESERVED		2
#define E820_ACPI		3

/*
 * QEMU's memory map without the hypervisor's memory, and its number of entries.
 * loader_memory() fills it.  A guest that reads fw_cfg's file etc/e820 gets
 * this map from io.c.
 */
extern struct e820_entry machine_e820[];
extern unsigned int machine_e820_count;

/*
 * Reads QEMU's memory map and gives RAM to the guest.  Called once, after
 * npt_init() and before loader_start().  A missing or too large map ends the run.
 */
void loader_memory(void);

/*
 * Loads firmware or a kernel into the guest's RAM and sets the registers of
 * @vcpu.  Firmware starts in the reset state (APM2 14.1.3), a kernel at its
 * 64-bit or 32-bit entry (boot.rst "64-bit Boot Protocol", "32-bit Boot
 * Protocol").  Sets a breakpoint at the address of option --marker.  Called
 * once, after loader_memory() and io_init().  An image that is malformed or
 * does not fit ends the run.
 */
void loader_start(struct vcpu *vcpu);

/*
 * Sets the registers of @vcpu to their values after reset (APM2 14.1.3), but CS to
 * @selector and @base and RIP to @ip.
 */
void loader_real_mode(struct vcpu *vcpu, u16 selector, u32 base, u16 ip);

/*
 * Returns the host address of the zero page (struct boot_params) that
 * loader_start() has made for the kernel, and makes that page private.  Must
 * not be called in MODE_OVMF, because firmware then makes the zero page.
 */
struct boot_params *loader_zero_page(void);

#endif
