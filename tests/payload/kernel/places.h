/* SPDX-License-Identifier: MIT */
/*
 * places.h - the section .places of a relocatable test kernel, for places.S,
 * the host program relocs, which lists the places in the form of a Linux
 * kernel's relocation tables, and self.c, which takes the relocation back.
 */
#ifndef TEST_PLACES_H
#define TEST_PLACES_H

#define PLACES_COUNT	20000

/* In front: the link address, not relocated, then relocated. */
#define PLACES_LINKED	0
#define PLACES_MOVED	8
#define PLACES_FIRST	16

/* Offsets in a record: 8 bytes added, 4 bytes subtracted, 4 bytes added. */
#define PLACE_64	0
#define PLACE_INVERSE32	9
#define PLACE_32	13
#define PLACE_STRIDE	17

#endif
