/* SPDX-License-Identifier: MIT */
/*
 * kaslr.h - random addresses for the payload (payload/kaslr.c).
 *
 * Callers first describe memory with kaslr_area(), then draw with
 * kaslr_physical() or kaslr_pick() and kaslr_virtual(), then call
 * kaslr_finish(). This file draws; its callers know what memory is in use.
 */
#ifndef KASLR_H
#define KASLR_H

#include "cmdline.h"
#include "payload.h"
#include "types.h"

struct boot_params;

/* What is known about an area of memory. */
enum kaslr_area {
	KASLR_RAM,		/* the payload must lie in such an area */
	KASLR_IMMOVABLE,	/* if one is named, it must lie in such an area */
	KASLR_FIRMWARE_FREE,	/* if one is named, it must lie in such an area */
	KASLR_SCRATCH,		/* if one is named, it must lie in such an area */
	KASLR_TAKEN,		/* it must not touch such an area */
	KASLR_AREA_KINDS
};

/*
 * The addresses to choose from: multiples of @align from @low on, with @size
 * bytes behind each that end at or below @high. All are in bytes; @align is a
 * power of two.
 */
struct kaslr_slots {
	u64 size, align, low, high;
};

/* Returns false if the command line has "nokaslr". */
bool kaslr_wanted(const struct cmdline *cmdline);

/*
 * Mixes @len bytes at @data into the generator. Bytes that an attacker knows do
 * no harm: RDRAND is mixed in last.
 */
void kaslr_seed(const void *data, size_t len);

/*
 * Names the area [@start, @end). Areas may come in any order and may overlap.
 * Addresses from 2^52 on are cut off.
 */
void kaslr_area(enum kaslr_area kind, u64 start, u64 end);

/*
 * Draws one of the slots @want that the areas allow, each with the same
 * probability, and stores it in @addr.
 * Returns false, and leaves @addr alone, if there is none or too many areas
 * were named.
 */
bool kaslr_pick(const struct kaslr_slots *want, u64 *addr);

/*
 * The same, after naming the E820 map of @bp as RAM or taken and limiting @want
 * by mem=, memmap=, hugepages= and efi_fake_mem= on the command line. The
 * caller has named all other areas.
 */
bool kaslr_physical(const struct boot_params *bp, const struct cmdline *cmdline,
		    struct kaslr_slots want, u64 *addr);

/*
 * Draws a virtual address for @size bytes of payload. Returns the link address
 * if the payload cannot run elsewhere.
 */
u64 kaslr_virtual(const struct payload_header *p, u64 size);

/*
 * Wipes the generator's state. Must be called when all addresses are drawn. In
 * an SEV guest it terminates if RDRAND was not used for each of them.
 * Returns true if an address was drawn.
 */
bool kaslr_finish(void);

#endif
