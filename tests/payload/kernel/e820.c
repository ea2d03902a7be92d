/* SPDX-License-Identifier: MIT */
/*
 * e820.c - checks the E820 memory map that the stub passes to the test kernel. For the
 * check of the page tables in map.c it also answers whether a page is RAM.
 */
#include "kernel.h"

/*
 * The amount of the machine's RAM, in bytes, that SeaBIOS (MISSING_RAM) and OVMF
 * (MISSING_RAM_EFI) may keep for themselves. E820 does not report this memory as RAM.
 */
#define MISSING_RAM	0x200000UL
#define MISSING_RAM_EFI	0x1000000UL

#define MAX_ENTRIES		256

/*
 * The memory map: the entries of the zero page's e820_table, then those of
 * SETUP_E820_EXT nodes in setup_data.
 */
static struct boot_e820_entry table[MAX_ENTRIES];
static u32 count;

static void collect(const struct boot_e820_entry *from, u32 n)
{
	if (n > MAX_ENTRIES - count)
		n = MAX_ENTRIES - count;
	memcpy(table + count, from, n * sizeof(*from));
	count += n;
}

static u32 entries(void)
{
	const struct boot_params *bp = zero_page();
	u32 nodes = 0;

	if (count)
		return count;
	collect(bp->e820_table, bp->e820_entries < E820_MAX_ENTRIES_ZEROPAGE ?
		bp->e820_entries : E820_MAX_ENTRIES_ZEROPAGE);
	for (u64 addr = bp->hdr.setup_data; addr && nodes < MAX_ENTRIES;
	     nodes++) {
		const struct setup_data *node = (const void *)addr;

		if (node->type == SETUP_E820_EXT)
			collect((const void *)node->data,
				node->len / sizeof(table[0]));
		addr = node->next;
	}
	return count;
}

static const struct boot_e820_entry *entry(u32 i)
{
	return &table[i];
}

#define E820_RAM	1

static bool is_ram(u32 i)
{
	return entry(i)->type == E820_RAM;
}

static void check_overlap(u32 i)
{
	const struct boot_e820_entry *a = entry(i);

	for (u32 j = 0; j < i; j++) {
		const struct boot_e820_entry *b = entry(j);

		if (a->addr < b->addr + b->size && b->addr < a->addr + a->size)
			fail("e820: entries %u and %u overlap", j, i);
	}
}

void e820_check(void)
{
	u64 expected = option_number("t.mem", 0);
	u64 missing = is_efi_boot() ? MISSING_RAM_EFI : MISSING_RAM;
	bool sane = !option("t.e820");
	u32 bad_entries = 0;
	u64 ram = 0;

	if (sane && !entries())
		fail("e820: no entries");
	if (sane && zero_page()->e820_entries > E820_MAX_ENTRIES_ZEROPAGE)
		fail("e820: %u entries", zero_page()->e820_entries);

	for (u32 i = 0; i < entries(); i++) {
		const struct boot_e820_entry *e = entry(i);

		fact("e820: %lx-%lx type %u", (u64)e->addr,
		     (u64)(e->addr + e->size), e->type);
		if (is_ram(i))
			ram += e->size;
		if (!sane)
			continue;
		/*
		 * Report the first bad entry only, because often all entries are bad.
		 */
		if ((!e->size || e->addr + e->size < e->addr || !e->type) &&
		    !bad_entries++)
			fail("e820: entry %u is empty, wraps or has no type", i);
		check_overlap(i);
	}

	fact("e820: %u entries, %lx bytes of RAM", entries(), ram);
	if (expected && (ram > expected || ram + missing < expected))
		fail("e820: %lx bytes of RAM, expected %lx", ram, expected);
}

/*
 * Whether the page at @page counts as RAM: an E820 entry for RAM overlaps it, and no
 * entry of another type covers all of it.
 */
static bool page_has_ram(u64 page)
{
	bool ram = false;

	for (u32 i = 0; i < entries(); i++) {
		const struct boot_e820_entry *e = entry(i);
		u64 end = e->addr + e->size;

		if (e->addr >= page + PAGE_SIZE || end <= page)
			continue;
		if (is_ram(i))
			ram = true;
		else if (e->addr <= page && end >= page + PAGE_SIZE)
			return false;
	}
	return ram;
}

/*
 * Returns the first page above @page at which page_has_ram() may change its result,
 * because an E820 entry begins or ends there.
 */
static u64 next_change(u64 page)
{
	u64 next = ~0UL;

	for (u32 i = 0; i < entries(); i++) {
		u64 edge[2] = { entry(i)->addr,
				entry(i)->addr + entry(i)->size };

		for (u32 j = 0; j < ARRAY_SIZE(edge); j++) {
			u64 low = ALIGN_DOWN(edge[j], PAGE_SIZE);
			u64 high = ALIGN_UP(edge[j], PAGE_SIZE);

			if (low > page && low < next)
				next = low;
			if (high > page && high < next)
				next = high;
		}
	}
	return next;
}

u64 e820_first_not_ram(u64 start, u64 end)
{
	while (start < end && page_has_ram(start))
		start = next_change(start);
	return start < end ? start : end;
}
