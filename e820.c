/* SPDX-License-Identifier: MIT */
/*
 * e820.c - questions to the memory map in boot_params.
 *
 * The map is the word of a loader: in any order, with overlaps, with entries
 * that make no sense. An entry that is empty or wraps around says nothing.
 * Where entries contradict each other, the one that is not RAM wins. Runs at
 * any time, on boot_params alone, and keeps no state.
 */
#include <asm/e820.h>

#include "misc.h"

struct e820_range {
	u64 start, end;
};

static unsigned int e820_count(const struct boot_params *bp)
{
	if (bp->e820_entries > E820_MAX_ENTRIES_ZEROPAGE)
		return E820_MAX_ENTRIES_ZEROPAGE;
	return bp->e820_entries;
}

/* Returns false if entry @i says nothing about RAM, or about all else. */
static bool e820_range(const struct boot_params *bp, unsigned int i, bool ram,
		       struct e820_range *range)
{
	const struct boot_e820_entry *entry = &bp->e820_table[i];

	range->start = entry->addr;
	range->end = entry->addr + entry->size;
	return (entry->type == E820_RAM) == ram && range->end > range->start;
}

/*
 * Cuts [*low, *high), which contains @addr, down to the part around @addr that
 * no entry takes away. Returns false if that leaves out @addr itself.
 */
static bool clip_to_unreserved(const struct boot_params *bp, u64 addr,
			       u64 *low, u64 *high)
{
	struct e820_range range;
	unsigned int i;

	for (i = 0; i < e820_count(bp); i++) {
		if (!e820_range(bp, i, false, &range))
			continue;
		if (range.start > addr) {
			if (range.start < *high)
				*high = range.start;
		} else if (range.end <= addr) {
			if (range.end > *low)
				*low = range.end;
		} else {
			return false;
		}
	}
	return true;
}

/* Widens [*low, *high) by the RAM entries that overlap or adjoin it. */
static bool grow_over_ram(const struct boot_params *bp, u64 *low, u64 *high)
{
	struct e820_range range;
	bool grown = false;
	unsigned int i;

	for (i = 0; i < e820_count(bp); i++) {
		if (!e820_range(bp, i, true, &range) ||
		    range.start > *high || range.end < *low)
			continue;
		if (range.start < *low) {
			*low = range.start;
			grown = true;
		}
		if (range.end > *high) {
			*high = range.end;
			grown = true;
		}
	}
	return grown;
}

static bool in_ram_entry(const struct boot_params *bp, u64 addr)
{
	struct e820_range range;
	unsigned int i;

	for (i = 0; i < e820_count(bp); i++) {
		if (e820_range(bp, i, true, &range) && addr >= range.start &&
		    addr < range.end)
			return true;
	}
	return false;
}

bool e820_ram_around(const struct boot_params *bp, u64 addr, u64 *low,
		     u64 *high)
{
	u64 ram_low = addr, ram_high = addr + 1;

	if (addr < *low || addr >= *high || !in_ram_entry(bp, addr) ||
	    !clip_to_unreserved(bp, addr, low, high))
		return false;

	/* Entries are in no order, so one pass may open the way for another. */
	while (grow_over_ram(bp, &ram_low, &ram_high))
		;

	if (*low < ram_low)
		*low = ram_low;
	if (*high > ram_high)
		*high = ram_high;
	return true;
}

bool e820_is_ram(const struct boot_params *bp, u64 start, u64 end)
{
	u64 low = start, high = end;

	return e820_ram_around(bp, start, &low, &high) && high == end;
}
