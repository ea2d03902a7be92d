/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - ACPI for a guest that starts without firmware (acpi.c).
 */
#ifndef SEVEMU_ACPI_H
#define SEVEMU_ACPI_H

#include "x86.h"

/*
 * Turns on the chip set's power management and puts QEMU's ACPI tables into the
 * guest's RAM at @start, up to @end.  Both are guest-physical addresses in one range
 * that npt.c has as private RAM.  Returns the guest-physical address of the RSDP, or 0
 * if QEMU has no tables (-machine acpi=off).  Called once, by loader.c, before the
 * guest starts.  Tables that do not fit or do not fit together end the run.
 */
u64 acpi_load(u64 start, u64 end);

#endif
