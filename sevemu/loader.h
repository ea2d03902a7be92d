/* SPDX-License-Identifier: MIT */
/*
 * loader.h - the guest's memory map and its start (loader.c).
 */
#ifndef SEVEMU_LOADER_H
#define SEVEMU_LOADER_H

#include "sevemu.h"

struct boot_params;

/* An entry of fw_cfg's etc/e820, as ACPI 6.5 15 lays it out. */
struct e820_entry {
	u64 address;		/* guest-physical */
	u64 length;		/* bytes */
	u32 type;		/* E820_* */
} __attribute__((packed));

#define E820_RAM		1
#define E820_RESERVED		2
#define E820_ACPI		3

/*
 * QEMU's memory map without the hypervisor's memory, and its number of entries.
 * loader_memory() fills it; io.c shows it to the guest as etc/e820.
 */
extern struct e820_entry machine_e820[];
extern unsigned int machine_e820_count;

/*
 * Reads QEMU's memory map and gives RAM to the guest.  Called once, after
 * npt_init() and before loader_start().  A missing or too large map ends the run.
 */
void loader_memory(void);

/*
 * Loads firmware or the kernel into the guest's RAM, and sets @vcpu to the state
 * in which that starts: the reset state (APM2 14.1.3), or the entry of the Linux
 * boot protocol (boot.rst "64-bit Boot Protocol", "32-bit Boot Protocol").  Arms
 * the marker.  Called once, after loader_memory() and io_init().  An image that
 * is malformed or does not fit ends the run.
 */
void loader_start(struct vcpu *vcpu);

/*
 * Returns the zero page of a kernel that loader_start() loaded, at its host
 * address and in its private view.  Not in MODE_OVMF, where firmware makes it.
 */
struct boot_params *loader_zero_page(void);

#endif
