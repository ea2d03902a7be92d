/* SPDX-License-Identifier: MIT */
/*
 * relocate.h - moving a payload away from its link address
 * (payload/relocate.c).
 */
#ifndef RELOCATE_H
#define RELOCATE_H

#include "payload.h"
#include "types.h"

/*
 * Relocates the payload at @out, whose relocation table lies behind it, so that
 * it can run at physical address @phys_addr, and at virtual address @virt_addr
 * once it uses its own page tables. A payload with PAYLOAD_IDENTITY runs at
 * @phys_addr only. Does nothing if the payload is linked to run there. Ends the
 * boot with error() if the relocation table is damaged.
 */
void relocate(u8 *out, const struct payload_header *p, u64 phys_addr,
	      u64 virt_addr);

/*
 * Adds @distance to each place in [@image, @image + @image_size) that the table
 * @relocs of @reloc_size bytes names (format: payload.h). Writes nothing
 * outside of the image.
 * Returns 0; -EINVAL if the table is malformed or a 32-bit address does not
 * reach that far, and then the image is spoilt.
 */
int relocate_image(u8 *image, u64 image_size, const u8 *relocs, u64 reloc_size,
		   u64 distance);

#endif
