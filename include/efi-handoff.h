/* SPDX-License-Identifier: MIT */
/*
 * efi-handoff.h - what the EFI entry leaves for the rest of the boot (efi/).
 */
#ifndef EFI_HANDOFF_H
#define EFI_HANDOFF_H

#include "range.h"
#include "types.h"

struct boot_params;

/*
 * The runtime range that firmware allocated for the payload: its physical
 * address, or 0 if the image was not entered through EFI. With such a range the
 * image stays where firmware loaded it, because firmware's allocations do not
 * overlap.
 */
extern u64 efi_runtime_start;

/*
 * Returns the memory of firmware's memory map if the EFI entry has left it in
 * @bp, else an empty range.
 */
struct range efi_map_range(const struct boot_params *bp);

/*
 * Returns true if the EFI entry was taken and all of [@start, @end) lies in
 * descriptors of firmware's memory map that are memory, for example
 * EfiRuntimeServicesData. Reads efi_map_range(@bp), which must be mapped.
 */
bool efi_may_hold(const struct boot_params *bp, u64 start, u64 end);

/*
 * If the loader left firmware's memory map in @bp, names conventional memory as
 * KASLR_FIRMWARE_FREE and the map itself as KASLR_TAKEN. Memory of boot services
 * is not named free, because the kernel may still read tables in it.
 */
void efi_name_free_memory(const struct boot_params *bp);

#endif
