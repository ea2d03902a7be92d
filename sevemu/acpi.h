/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - ACPI for a guest that starts without firmware (acpi.c).
 */
#ifndef SEVEMU_ACPI_H
#define SEVEMU_ACPI_H

#include "x86.h"

/*
 * Turns on the chip set's power management and puts QEMU's ACPI tables into the
 * guest's RAM from @start to @end.  Both are guest-physical addresses in one
 * range of private RAM.  Returns the guest-physical address of the RSDP, or 0
 * if QEMU has no tables (-machine acpi=off).  Called once, by loader.c, before
 * the guest starts.  Ends the run if the tables do not fit into the range, or
 * if QEMU's script that places them is malformed.
 */
u64 acpi_load(u64 start, u64 end);

#endif
