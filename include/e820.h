/* SPDX-License-Identifier: MIT */
/*
 * e820.h - the memory map that the loader handed over (lib/e820.c).
 *
 * The map is untrusted: entries may overlap, wrap around, or come in any
 * order. An entry that wraps around is treated as empty. Where RAM and another
 * type overlap, the other type wins.
 */
#ifndef E820_H
#define E820_H

#include "types.h"

struct boot_params;
struct boot_e820_entry;

/* A setup_data chain with more nodes is refused: it may be a loop. */
#define SETUP_DATA_MAX_NODES	128
/*
 * The most entries that a map may have, in the zero page and setup_data
 * together. No machine is known that has so many.
 */
#define E820_MAX_ENTRIES	4096

/* Position of a walk over the map. Callers use it as an opaque value. */
struct e820_walk {
	const struct boot_e820_entry *at, *end;	/* rest of this table */
	u64 node;		/* address of the next setup_data node, or 0 */
	unsigned int nodes;	/* setup_data nodes visited */
	unsigned int entries;	/* entries returned; one more if it was cut off */
};

/*
 * Starts a walk over the map of @bp. e820_next() returns its entries one after
 * the other, and NULL at the end or after E820_MAX_ENTRIES. The walk reads
 * setup_data only if the table in the zero page is full; its memory must be
 * readable then.
 */
void e820_first(const struct boot_params *bp, struct e820_walk *walk);
const struct boot_e820_entry *e820_next(struct e820_walk *walk);

/* Returns false if the map has more than E820_MAX_ENTRIES entries. */
bool e820_is_bounded(const struct boot_params *bp);

/*
 * Returns true if each byte of [@start, @end) is RAM and no entry of another
 * type touches the range. An empty range is not RAM.
 */
bool e820_is_ram(const struct boot_params *bp, u64 start, u64 end);

/*
 * Returns true if a loader may have left data at [@start, @end): each byte lies
 * in an entry of a type that is memory (RAM, ACPI, NVS, Linux's type 128), or
 * that is reserved and below 1 MiB but not VGA memory, and no entry of another
 * type touches the range. An empty range holds no data.
 */
bool e820_may_hold(const struct boot_params *bp, u64 start, u64 end);

/*
 * Shrinks [*@low, *@high) to the RAM around @addr that has no gap.
 * Returns false if @addr is not in RAM or not in [*@low, *@high).
 */
bool e820_ram_around(const struct boot_params *bp, u64 addr, u64 *low,
		     u64 *high);

#endif
