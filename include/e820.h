/* SPDX-License-Identifier: MIT */
/*
 * e820.h - answers questions about the E820 memory map, which the loader passes
 * in the zero page and, if it is long, in setup_data (lib/e820.c).
 *
 * The map is untrusted: entries may overlap, wrap around at 2^64, or come in any
 * order. An entry that wraps around is treated as empty. Memory that is RAM in
 * one entry and of another type in another entry is not RAM.
 */
#ifndef E820_H
#define E820_H

#include "range.h"
#include "types.h"

struct boot_params;
struct boot_e820_entry;

/*
 * The most nodes that the setup_data list may have. The stub refuses a longer
 * list, because it may be a loop.
 */
#define SETUP_DATA_MAX_NODES	128
/*
 * The most entries that an E820 map may have, in the zero page and setup_data
 * together. The stub refuses a longer map. No known machine has so many.
 */
#define E820_MAX_ENTRIES	4096

/*
 * The position of a walk over the E820 map. Callers do not access the fields:
 * e820_first() and e820_next() maintain them.
 */
struct e820_walk {
	/* The entries of the current table that e820_next() has not returned. */
	const struct boot_e820_entry *at, *end;
	u64 node;		/* address of the next setup_data node, or 0 */
	unsigned int nodes;	/* setup_data nodes visited so far */
	/*
	 * Number of entries that e820_next() has returned. If the map has more
	 * than E820_MAX_ENTRIES, the number is above E820_MAX_ENTRIES at the
	 * end of the walk.
	 */
	unsigned int entries;
};

/*
 * e820_first() starts a walk over the E820 map of @bp. e820_next() returns the
 * map's next entry, or NULL after the last one or after E820_MAX_ENTRIES. The
 * walk reads setup_data only if the zero page's table is full. The setup_data
 * list must be readable then.
 */
void e820_first(const struct boot_params *bp, struct e820_walk *walk);
const struct boot_e820_entry *e820_next(struct e820_walk *walk);

/* Returns false if the map has more than E820_MAX_ENTRIES entries. */
bool e820_is_bounded(const struct boot_params *bp);

/*
 * Returns true if each byte of [@start, @end) is in an entry of RAM and no byte
 * is in an entry of another type. Returns false for an empty range.
 */
bool e820_is_ram(const struct boot_params *bp, u64 start, u64 end);

/*
 * Returns true if a loader may have left data at [@start, @end). This is so if each
 * byte lies in an entry, and each entry that has a byte of the range allows data there.
 * Entries of a type that is memory (RAM, ACPI, NVS, Linux's type 128) allow data. A
 * reserved entry allows data in bytes below 1 MiB that are not VGA memory. Returns false
 * for an empty range.
 */
bool e820_may_hold(const struct boot_params *bp, u64 start, u64 end);

/*
 * Shrinks [*@low, *@high) to the largest range of nothing but RAM that contains
 * @addr.
 * Returns false if @addr is not in RAM or not in [*@low, *@high). The two values
 * are then undefined.
 */
bool e820_ram_around(const struct boot_params *bp, u64 addr, u64 *low,
		     u64 *high);

/*
 * Stores in *@ram the lowest range of nothing but RAM at or above @from. This range lies
 * in one entry of the E820 map, so RAM of another entry may follow directly. Returns
 * false, and leaves *@ram undefined, if there is no RAM at or above @from.
 */
bool e820_next_ram(const struct boot_params *bp, u64 from, struct range *ram);

/*
 * Returns the longest entry of RAM, for a message. Returns 0 and 0 if there is no
 * RAM. Other entries may overlap it.
 */
struct range e820_largest_ram(const struct boot_params *bp);

#endif
