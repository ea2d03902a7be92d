/* SPDX-License-Identifier: MIT */
/*
 * misc.h - place_image() and extract_kernel(), the C functions that run the
 * boot (misc.c). head_64.S calls both.
 */
#ifndef MISC_H
#define MISC_H

#include "types.h"

struct boot_params;

/*
 * Decides where the stub's image must move to, so that the memory below it is
 * free for the payload, and checks what the loader handed over in the zero page
 * @bp.
 *
 * Runs where the loader put the image, on the early stack, with the stage-1
 * IDT. It must not use .bss, because memory after the end of the file may
 * belong to something else.
 *
 * Returns the physical address to move to, which is the present one if the
 * image stays. Ends the boot with error() if the payload's memory is not all
 * RAM, or if something that the loader handed over lies in it.
 */
u64 place_image(struct boot_params *bp);

/*
 * Runs the boot from the moved image to the payload: page tables, GHCB page,
 * digest, decoder, relocation. The GHCB page is private again before the decoder runs.
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
