/* SPDX-License-Identifier: MIT */
/*
 * misc.h - the two functions in which C runs the boot (misc.c). head_64.S calls
 * both.
 */
#ifndef MISC_H
#define MISC_H

#include "types.h"

struct boot_params;

/*
 * Decides where the image must move to, so that the payload's runtime range
 * below it is free, and checks what the loader handed over in @bp.
 *
 * Runs where the loader put the image, on the early stack, with the stage-1
 * IDT. It must not use .bss, because memory behind the file's end need not be
 * the stub's there.
 *
 * Returns the physical address to move to; the present one if the image stays.
 * Ends the boot with error() if that memory is not RAM or something that the
 * loader handed over lies in it.
 */
u64 place_image(struct boot_params *bp);

/*
 * Runs the boot from the moved image to the payload: page tables, GHCB, digest,
 * decoder, relocation, and the return to private memory.
 *
 * Runs on the stub's own stack, with .bss cleared. Ends the boot with error()
 * if anything is wrong with the payload or with what the loader handed over.
 *
 * Returns the physical address of the payload's entry. The IDT has no entries
 * then and no page is shared with the hypervisor, so that the caller must jump
 * to the payload and do nothing else.
 */
u64 extract_kernel(struct boot_params *bp);

#endif
