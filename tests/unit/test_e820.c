/* SPDX-License-Identifier: MIT */
/*
 * test_e820.c - e820.c against a map of single units: a unit is RAM if some
 * RAM entry covers it and no other entry does. Every range and every window of
 * a small universe is asked for, at the bottom and at the top of the address
 * space.
 */
#include "harness.h"

#include "e820.c"

/* Types as in the ACPI specification, table 15-374. */
#define TYPE_RAM	1
#define TYPE_RESERVED	2
#define TYPE_ACPI	3
#define TYPE_PMEM	7

#define UNIT	0x400ULL
#define UNITS	24

static struct boot_params bp;

static void clear_map(void)
{
	memset(&bp, 0, sizeof(bp));
}

static void add(u64 start, u64 size, u32 type)
{
	struct boot_e820_entry *entry = &bp.e820_table[bp.e820_entries++];

	entry->addr = start;
	entry->size = size;
	entry->type = type;
}

static bool around(u64 addr, u64 *low, u64 *high)
{
	return e820_ram_around(&bp, addr, low, high);
}

static void expect_around(u64 addr, u64 low, u64 high, u64 want_low,
			  u64 want_high)
{
	u64 got_low = low, got_high = high;

	CHECK(around(addr, &got_low, &got_high), "%#lx in [%#lx, %#lx)", addr,
	      low, high);
	CHECK(got_low == want_low && got_high == want_high,
	      "%#lx in [%#lx, %#lx): got [%#lx, %#lx), want [%#lx, %#lx)",
	      addr, low, high, got_low, got_high, want_low, want_high);
}

TEST(no_entries)
{
	u64 low = 0, high = ~0ULL;

	clear_map();
	CHECK(!e820_is_ram(&bp, 0, 1), "RAM out of nothing");
	CHECK(!around(0x1000, &low, &high), "RAM out of nothing");
}

TEST(boundaries)
{
	clear_map();
	add(0x1000, 0x1000, TYPE_RAM);
	CHECK(e820_is_ram(&bp, 0x1000, 0x2000), "the entry itself");
	CHECK(e820_is_ram(&bp, 0x1fff, 0x2000), "its last byte");
	CHECK(!e820_is_ram(&bp, 0xfff, 0x2000), "one byte before it");
	CHECK(!e820_is_ram(&bp, 0x1000, 0x2001), "one byte behind it");
	CHECK(!e820_is_ram(&bp, 0x2000, 0x2001), "the byte behind it");
	CHECK(!e820_is_ram(&bp, 0x1800, 0x1800), "an empty range");
	CHECK(!e820_is_ram(&bp, 0x1900, 0x1800), "a range that ends first");
	expect_around(0x1800, 0, ~0ULL, 0x1000, 0x2000);
	expect_around(0x1800, 0x1700, 0x1900, 0x1700, 0x1900);
}

TEST(addr_outside_window)
{
	u64 low = 0x1800, high = 0x1900;

	clear_map();
	add(0x1000, 0x1000, TYPE_RAM);
	CHECK(!around(0x17ff, &low, &high), "below the window");
	CHECK(!around(0x1900, &low, &high), "above the window");
	CHECK(around(0x18ff, &low, &high), "last byte of the window");
}

TEST(unsorted_pieces_join)
{
	clear_map();
	add(0x5000, 0x1000, TYPE_RAM);
	add(0x3000, 0x1000, TYPE_RAM);
	add(0x1000, 0x1800, TYPE_RAM);
	add(0x4000, 0x1000, TYPE_RAM);
	add(0x2400, 0x0c00, TYPE_RAM);
	CHECK(e820_is_ram(&bp, 0x1000, 0x6000), "five pieces in a row");
	CHECK(!e820_is_ram(&bp, 0x1000, 0x6001), "one byte more");
	expect_around(0x3123, 0, ~0ULL, 0x1000, 0x6000);
}

TEST(hole)
{
	clear_map();
	add(0x1000, 0x1000, TYPE_RAM);
	add(0x2001, 0x1000, TYPE_RAM);
	CHECK(!e820_is_ram(&bp, 0x1000, 0x3000), "a hole of one byte");
	expect_around(0x1000, 0, ~0ULL, 0x1000, 0x2000);
	expect_around(0x2001, 0, ~0ULL, 0x2001, 0x3001);
}

TEST(others_win)
{
	static const u32 types[] = { 0, TYPE_RESERVED, TYPE_ACPI, 4, 5, 6,
				     TYPE_PMEM, 12, 0xffffffff };
	unsigned int first, i;
	u64 low, high;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (first = 0; first < 2; first++) {
			clear_map();
			if (first)
				add(0x2000, 0x1000, types[i]);
			add(0x1000, 0x4000, TYPE_RAM);
			if (!first)
				add(0x2000, 0x1000, types[i]);
			CHECK(!e820_is_ram(&bp, 0x2fff, 0x3000), "type %u",
			      types[i]);
			CHECK(!e820_is_ram(&bp, 0x1000, 0x5000), "type %u",
			      types[i]);
			CHECK(e820_is_ram(&bp, 0x1000, 0x2000), "type %u",
			      types[i]);
			CHECK(e820_is_ram(&bp, 0x3000, 0x5000), "type %u",
			      types[i]);
			expect_around(0x1fff, 0, ~0ULL, 0x1000, 0x2000);
			expect_around(0x3000, 0, ~0ULL, 0x3000, 0x5000);
			low = 0;
			high = ~0ULL;
			CHECK(!around(0x2000, &low, &high), "type %u",
			      types[i]);
		}
	}
}

TEST(empty_and_wrapping_say_nothing)
{
	clear_map();
	add(0x1000, 0x4000, TYPE_RAM);
	add(0x2000, 0, TYPE_RESERVED);
	add(0x3000, 0 - 0x1000ULL, TYPE_RESERVED);
	add(0x3000, ~0ULL, TYPE_RESERVED);
	CHECK(e820_is_ram(&bp, 0x1000, 0x5000), "nonsense took RAM away");

	add(0x6000, 0, TYPE_RAM);
	add(0x6000, 0 - 0x6000ULL, TYPE_RAM);
	add(0x6000, ~0ULL, TYPE_RAM);
	CHECK(!e820_is_ram(&bp, 0x6000, 0x6001), "nonsense made RAM");
	expect_around(0x1000, 0, ~0ULL, 0x1000, 0x5000);
}

TEST(count_is_bounded)
{
	struct boot_e820_entry entry;
	unsigned int i;

	clear_map();
	for (i = 0; i < E820_MAX_ENTRIES_ZEROPAGE; i++)
		add(i * 0x2000, 0x1000, TYPE_RAM);
	CHECK(e820_is_ram(&bp, 127 * 0x2000, 127 * 0x2000 + 0x1000),
	      "the last entry of the table");
	bp.e820_entries = 127;
	CHECK(!e820_is_ram(&bp, 127 * 0x2000, 127 * 0x2000 + 0x1000),
	      "an entry behind the count");

	bp.e820_entries = 255;
	CHECK(e820_is_ram(&bp, 127 * 0x2000, 127 * 0x2000 + 0x1000),
	      "the last entry of the table");

	/* What follows the table in boot_params looks like a RAM entry. */
	clear_map();
	bp.e820_entries = 255;
	entry.addr = 0x5000;
	entry.size = 0x1000;
	entry.type = TYPE_RAM;
	memcpy((u8 *)&bp + offsetof(struct boot_params, e820_table) +
	       sizeof(bp.e820_table), &entry, sizeof(entry));
	CHECK(!e820_is_ram(&bp, 0x5000, 0x6000), "an entry behind the table");
}

/* -- Against the map of units. */

static bool unit_is_ram[UNITS];

/* Entries may reach out of the universe on either side, and over its top. */
static void random_map(u64 base)
{
	bool ram[UNITS] = { false }, other[UNITS] = { false };
	unsigned int count = (unsigned int)random_below(9), unit;
	u64 first, length, start;
	u32 type;

	clear_map();
	while (count--) {
		first = random_below(UNITS + 4) - 2;
		length = random_below(2) ? random_below(UNITS)
					 : random_below(4);
		type = random_below(3) ? TYPE_RAM
				       : 2 + (u32)random_below(6);
		start = base + first * UNIT;
		add(start, length * UNIT, type);
		if (start + length * UNIT < start)
			continue;
		for (unit = 0; unit < UNITS; unit++) {
			u64 at = base + unit * UNIT;

			if (at < start || at - start >= length * UNIT)
				continue;
			if (type == TYPE_RAM)
				ram[unit] = true;
			else
				other[unit] = true;
		}
	}
	for (unit = 0; unit < UNITS; unit++)
		unit_is_ram[unit] = ram[unit] && !other[unit];
}

static void compare_is_ram(u64 base, unsigned int limit)
{
	unsigned int first, last;
	bool want;

	for (first = 0; first < limit; first++) {
		want = true;
		for (last = first; last < limit; last++) {
			u64 start = base + first * UNIT;
			u64 end = base + (last + 1) * UNIT;

			want &= unit_is_ram[last];
			CHECK(e820_is_ram(&bp, start, end) == want,
			      "[%#lx, %#lx) want %d", start, end, want);
			CHECK(e820_is_ram(&bp, start + 1, end - 1) == want,
			      "[%#lx, %#lx) want %d", start + 1, end - 1,
			      want);
		}
	}
}

static void compare_around(u64 base, unsigned int limit)
{
	unsigned int unit = (unsigned int)random_below(limit);
	unsigned int low = (unsigned int)random_below(unit + 1);
	unsigned int high = unit + 1 + (unsigned int)random_below(limit - unit);
	u64 addr = base + unit * UNIT + random_below(UNIT);
	u64 got_low = base + low * UNIT, got_high = base + high * UNIT;
	unsigned int want_low = unit, want_high = unit + 1;
	bool got = around(addr, &got_low, &got_high);

	CHECK(got == unit_is_ram[unit], "%#lx: got %d", addr, got);
	if (!got)
		return;

	while (want_low > low && unit_is_ram[want_low - 1])
		want_low--;
	while (want_high < high && unit_is_ram[want_high])
		want_high++;
	CHECK(got_low == base + want_low * UNIT &&
	      got_high == base + want_high * UNIT,
	      "%#lx: got [%#lx, %#lx), want units %u to %u", addr, got_low,
	      got_high, want_low, want_high);
}

TEST(random_maps)
{
	static const u64 bases[] = {
		0, 0x9f000, 0xfffff000, 0 - UNITS * UNIT
	};
	unsigned int i, round, limit;
	u64 seed = 0xe820;

	INFO("seed %#lx", seed);
	random_seed(seed);
	for (round = 0; round < 4000; round++) {
		u64 base = bases[round % ARRAY_SIZE(bases)];

		/* 2^64 is no u64: nothing can end there. */
		limit = base + UNITS * UNIT ? UNITS : UNITS - 1;
		random_map(base);
		compare_is_ram(base, limit);
		for (i = 0; i < 32; i++)
			compare_around(base, limit);
	}
}
