/* SPDX-License-Identifier: MIT */
/*
 * e820.c - tells which memory is RAM, and which may hold a loader's data, by the
 * E820 memory map in boot_params.
 *
 * The map comes from a loader. Its entries may come in any order, overlap, or
 * make no sense. An entry that is empty or wraps around is ignored. Where
 * entries contradict each other, the type that is not RAM wins. The functions
 * may run at any time and keep no state.
 *
 * If the table in the zero page is full, the map may continue in setup_data, in
 * any number of nodes among nodes of other types. If the table is not full,
 * setup_data is not read, because a loader need not have mapped it.
 *
 * The time of one call grows with the square of the number of entries. A walk
 * over the map therefore stops after E820_MAX_ENTRIES, and place_image()
 * refuses a longer map.
 */
#include <asm/bootparam.h>
#include <asm/e820.h>

#include "e820.h"
#include "range.h"

noinline void e820_first(const struct boot_params *bp, struct e820_walk *walk)
{
	unsigned int count = bp->e820_entries;

	walk->node = 0;
	walk->nodes = 0;
	walk->entries = 0;
	if (count >= E820_MAX_ENTRIES_ZEROPAGE) {
		count = E820_MAX_ENTRIES_ZEROPAGE;
		walk->node = bp->hdr.setup_data;
	}
	walk->at = bp->e820_table;
	walk->end = walk->at + count;
}

/*
 * Moves the walk to the next setup_data node that has E820 entries. Returns
 * false at the end of the setup_data list. A list that is too long and a node
 * that wraps around also end the walk; map_setup_data() reports both later.
 */
static bool next_table(struct e820_walk *walk)
{
	const struct setup_data *node;

	while (walk->node && walk->nodes++ < SETUP_DATA_MAX_NODES) {
		if (walk->node + sizeof(*node) < walk->node)
			break;
		node = (const struct setup_data *)walk->node;
		walk->node = node->next;
		if (node->type != SETUP_E820_EXT)
			continue;
		walk->at = (const void *)node->data;
		walk->end = walk->at + node->len / sizeof(*walk->at);
		if (walk->at != walk->end)
			return true;
	}
	walk->node = 0;
	return false;
}

const struct boot_e820_entry *e820_next(struct e820_walk *walk)
{
	if (walk->at == walk->end && !next_table(walk))
		return NULL;
	if (walk->entries++ >= E820_MAX_ENTRIES)
		return NULL;
	return walk->at++;
}

bool e820_is_bounded(const struct boot_params *bp)
{
	struct e820_walk walk;

	for (e820_first(bp, &walk); e820_next(&walk);)
		;
	return walk.entries <= E820_MAX_ENTRIES;
}

/*
 * Stores in @range the next entry that is RAM if @ram is true, else the next
 * entry of another type. Skips entries that are empty or wrap around. Returns
 * false when the walk has ended.
 */
static bool next_range(struct e820_walk *walk, bool ram, struct range *range)
{
	const struct boot_e820_entry *entry;

	while ((entry = e820_next(walk))) {
		range->start = entry->addr;
		range->end = entry->addr + entry->size;
		if ((entry->type == E820_RAM) == ram &&
		    range->end > range->start)
			return true;
	}
	return false;
}

/*
 * Shrinks [*low, *high), which contains @addr, to the part around @addr that no
 * entry of another type than RAM touches. Returns false if @addr itself lies in
 * an entry of another type.
 */
static bool clip_to_unreserved(const struct boot_params *bp, u64 addr,
			       u64 *low, u64 *high)
{
	struct range range;
	struct e820_walk walk;

	for (e820_first(bp, &walk); next_range(&walk, false, &range);) {
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

/*
 * Widens [*low, *high) by all RAM entries that overlap or adjoin it. Returns
 * true if it became wider, because then further entries may adjoin it.
 */
static bool grow_over_ram(const struct boot_params *bp, u64 *low, u64 *high)
{
	struct range range;
	struct e820_walk walk;
	bool grown = false;

	for (e820_first(bp, &walk); next_range(&walk, true, &range);) {
		if (range.start > *high || range.end < *low)
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
	struct range range;
	struct e820_walk walk;

	for (e820_first(bp, &walk); next_range(&walk, true, &range);) {
		if (addr >= range.start && addr < range.end)
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

	/*
	 * Entries are not sorted. An entry that this pass found too far away
	 * may adjoin the wider range in the next pass.
	 */
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

bool e820_next_ram(const struct boot_params *bp, u64 from, struct range *ram)
{
	struct range range;
	struct e820_walk walk;
	bool covered;

	do {
		*ram = (struct range){ ~0UL, 0 };
		for (e820_first(bp, &walk); next_range(&walk, true, &range);) {
			u64 start = range.start > from ? range.start : from;

			if (range.end > start && start < ram->start)
				*ram = (struct range){ start, range.end };
		}
		covered = false;
		for (e820_first(bp, &walk); next_range(&walk, false, &range);) {
			if (range.start > ram->start && range.start < ram->end)
				ram->end = range.start;
			if (range.start <= ram->start && range.end > ram->start) {
				from = range.end;
				covered = true;
			}
		}
	} while (ram->end && covered);
	return ram->end;
}

struct range e820_largest_ram(const struct boot_params *bp)
{
	struct range range, largest = { 0, 0 };
	struct e820_walk walk;

	for (e820_first(bp, &walk); next_range(&walk, true, &range);) {
		if (range.end - range.start > largest.end - largest.start)
			largest = range;
	}
	return largest;
}

/*
 * Type of memory in which kexec hands over setup_data. Linux calls it
 * E820_TYPE_RESERVED_KERN.
 */
#define E820_RESERVED_KERN	128

#define VGA_MEMORY_START	0xa0000
#define VGA_MEMORY_END		0xc0000
#define FIRST_MIB_END		0x100000

/*
 * Returns true if by the type of @entry a loader's data can lie in the part of
 * [start, end) that the entry covers. In reserved memory such data can lie only below
 * 1 MiB and outside of VGA memory: a BIOS and its loaders reserve low memory that they use
 * themselves.
 */
static bool may_hold(const struct boot_e820_entry *entry, u64 start, u64 end)
{
	u64 entry_end = entry->addr + entry->size;

	if (start < entry->addr)
		start = entry->addr;
	if (end > entry_end)
		end = entry_end;
	switch (entry->type) {
	case E820_RAM:
	case E820_ACPI:
	case E820_NVS:
	case E820_RESERVED_KERN:
		return true;
	case E820_RESERVED:
		return end <= FIRST_MIB_END && (end <= VGA_MEMORY_START ||
						 start >= VGA_MEMORY_END);
	}
	return false;
}

bool e820_may_hold(const struct boot_params *bp, u64 start, u64 end)
{
	const struct boot_e820_entry *entry;
	struct e820_walk walk;
	u64 held = start, before = start;

	/*
	 * [start, held) can hold data. The entries are not sorted, so one pass
	 * over the map may extend this range only in part, and the loop makes
	 * further passes. The first pass already looks at all entries, so it
	 * finds each one that cannot hold data.
	 */
	do {
		before = held;
		for (e820_first(bp, &walk); (entry = e820_next(&walk));) {
			u64 entry_end = entry->addr + entry->size;

			if (entry_end <= start || entry->addr >= end ||
			    entry_end <= entry->addr)
				continue;
			if (!may_hold(entry, start, end))
				return false;
			if (entry->addr <= held && entry_end > held)
				held = entry_end;
		}
	} while (held > before && held < end);
	return start < end && held >= end;
}
