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
 * Relocates the flat image at @out, whose relocation table lies directly after
 * it, so that the payload can run at physical address @phys_addr, and at virtual
 * address @virt_addr once it uses its own page tables. With PAYLOAD_IDENTITY
 * @virt_addr is ignored. Does nothing if the payload is linked at @virt_addr, or with
 * PAYLOAD_IDENTITY at @phys_addr.
 * Ends the boot with error() if relocate_image() fails.
 */
void relocate(u8 *out, const struct payload_header *p, u64 phys_addr,
	      u64 virt_addr);

/*
 * Adds @distance to, or for RELOC_INVERSE32 subtracts it from, each place in
 * [@image, @image + @image_size) that the relocation table @relocs of @reloc_size
 * bytes lists (payload.h describes it). Writes nothing outside of the image.
 * Returns 0. Returns -EINVAL if the table is malformed or a sum does not fit into
 * 32 bits; the image is then partly changed and useless.
 */
int relocate_image(u8 *image, u64 image_size, const u8 *relocs, u64 reloc_size,
		   u64 distance);

#endif
