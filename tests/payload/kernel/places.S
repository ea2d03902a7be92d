/* SPDX-License-Identifier: MIT */
/*
 * places.S - the data of the test kernel moves.elf that the stub must relocate. The
 * section begins with two copies of the kernel's link address. The relocation table
 * names only the second copy, so their difference tells the kernel by how many bytes the
 * stub has relocated it. PLACES_COUNT records follow (places.h). Each has one unaligned
 * value for each kind of relocation. The 32-bit values leave room to add or subtract a
 * distance of up to 1 GiB.
 */
#include "places.h"

#define SCATTER(i)	(((i) * 0x9e3779b1) & 0xffffff)

	.section .places, "aw"
	.balign 8
	.quad	image_start
	.quad	image_start
.set i, 0
.rept PLACES_COUNT
	.quad	image_start + SCATTER(i)
	.byte	i & 0xff
	.long	SCATTER(i + 1)
	.long	0x81000000 + SCATTER(i + 2)
	.set i, i + 1
.endr

	.section .note.GNU-stack, "", @progbits
