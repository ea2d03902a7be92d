/* SPDX-License-Identifier: MIT */
/*
 * flash.h - the flash memory with firmware's variables (flash.c).
 *
 * Addresses are guest-physical, with the C-bit clear.
 */
#ifndef SEVEMU_FLASH_H
#define SEVEMU_FLASH_H

#include "npt.h"
#include "sevemu.h"

/*
 * Gives the guest the flash memory, so that it ends at @end, a multiple of 4 KiB.  Does
 * nothing without --vars.  loader.c calls it before the guest starts.
 */
void flash_init(u64 end);

/*
 * Returns the address by which the hypervisor accesses QEMU's flash memory at @gpa; 0 if
 * there is no flash memory at @gpa.
 */
u64 flash_host(u64 gpa);

/*
 * Handles a nested page fault of @vcpu at @gpa in the flash memory.  @view says whether the
 * access had the C-bit set, and @info is the error code (APM2 15.25.6).  Returns whether the
 * guest can repeat the access.  If not, the access is one to a device's register, which the
 * caller must emulate.
 */
bool flash_fault(struct vcpu *vcpu, enum view view, u64 gpa, u64 info);

/*
 * Keeps track of the flash memory's mode.  Must be called with each @value that an SEV-ES guest
 * asks by its GHCB to write to the flash memory, before @value is written.
 */
void flash_write(u8 value);

#endif
