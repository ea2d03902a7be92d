/* SPDX-License-Identifier: MIT */
/*
 * places.S - what makes moves.elf relocatable: the address that it is linked at,
 * once as it is and once to be relocated, and then PLACES_COUNT times a place of
 * each kind, at odd addresses (places.h). In 32 bits are addresses that can be
 * moved: the one by a GiB upwards, the other, that of a difference, downwards.
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
