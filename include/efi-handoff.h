/* SPDX-License-Identifier: MIT */
/*
 * efi-handoff.h - what the EFI entries in efi/ leave for the code that runs after
 * boot services have ended.
 */
#ifndef EFI_HANDOFF_H
#define EFI_HANDOFF_H

#include "range.h"
#include "types.h"

struct boot_params;

/*
 * The physical address of the memory that an EFI entry allocated for the payload,
 * image_info.init_size bytes; 0 if the image was not entered through EFI. If it
 * is not 0, the image does not move, because this memory does not overlap the
 * image.
 */
extern u64 efi_runtime_start;

/*
 * Returns the range of memory in which firmware's memory map lies, if the EFI
 * entry has left the map's address in @bp, else an empty range.
 */
struct range efi_map_range(const struct boot_params *bp);

/*
 * Returns true if the EFI entry was taken and all of [@start, @end) lies in
 * descriptors of firmware's memory map that are memory, for example
 * EfiRuntimeServicesData. Reads efi_map_range(@bp), which must be mapped.
 */
bool efi_may_hold(const struct boot_params *bp, u64 start, u64 end);

/*
 * Stores in *@found the lowest memory at or above @from that firmware's memory map calls
 * unaccepted (UEFI 2.10 7.2.3), so that an SNP guest must validate it before use.
 * Returns false if no more follows. Reads efi_map_range(@bp), which must be mapped.
 */
bool efi_next_unaccepted(const struct boot_params *bp, u64 from, struct range *found);

/*
 * Tells kaslr.c which memory firmware calls free: if @bp->efi_info has firmware's
 * memory map, conventional memory becomes KASLR_FIRMWARE_FREE and the map itself
 * KASLR_TAKEN. Memory of boot services does not become free, because the kernel may
 * still read tables in it. Needs the stub's own page tables in CR3, because it maps
 * firmware's map in them.
 */
void efi_name_free_memory(const struct boot_params *bp);

#endif
