/* SPDX-License-Identifier: MIT */
/*
 * places.h - the layout of section .places, the data that the stub relocates in the
 * test kernel moves.elf. places.S makes the section. The program relocs, which runs on
 * the build machine, writes a relocation table for the section, in Linux's format. self.c
 * undoes the relocation when the kernel runs.
 */
#ifndef TEST_PLACES_H
#define TEST_PLACES_H

#define PLACES_COUNT	20000

/*
 * Offsets in section .places. The kernel's link address is stored at PLACES_LINKED and
 * at PLACES_MOVED. The stub relocates only the value at PLACES_MOVED, so the difference
 * is the distance of the relocation. PLACES_COUNT records start at PLACES_FIRST.
 */
#define PLACES_LINKED	0
#define PLACES_MOVED	8
#define PLACES_FIRST	16

/*
 * Offsets in a record of section .places. The stub adds the relocation's distance to
 * the 8 bytes at PLACE_64, subtracts it from the 4 bytes at PLACE_INVERSE32, and adds
 * it to the 4 bytes at PLACE_32. PLACE_STRIDE is the size of a record.
 */
#define PLACE_64	0
#define PLACE_INVERSE32	9
#define PLACE_32	13
#define PLACE_STRIDE	17

#endif
