/* SPDX-License-Identifier: MIT */
/*
 * places.h - the layout of section .places in a relocatable test kernel.
 * places.S makes the section. The host program relocs lists its places in a
 * relocation table of Linux's format. self.c undoes the relocation at boot.
 */
#ifndef TEST_PLACES_H
#define TEST_PLACES_H

#define PLACES_COUNT	20000

/*
 * Offsets in the section: the link address that is not relocated, the link
 * address that is relocated, and the first record.
 */
#define PLACES_LINKED	0
#define PLACES_MOVED	8
#define PLACES_FIRST	16

/*
 * Offsets in a record: 8 bytes to which the distance is added, 4 bytes from which
 * it is subtracted, 4 bytes to which it is added. PLACE_STRIDE is a record's size.
 */
#define PLACE_64	0
#define PLACE_INVERSE32	9
#define PLACE_32	13
#define PLACE_STRIDE	17

#endif
