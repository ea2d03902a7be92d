/* SPDX-License-Identifier: MIT */
/*
 * test_e820.c - tests lib/e820.c, which answers whether a range is RAM, against
 * a model. The model is an array with an element for each 1 KiB of a small
 * address range. In the model 1 KiB is RAM if an entry of type RAM covers it
 * and no entry of another type does. The tests ask about every range of these 1
 * KiB units, at several base addresses up to 2^64.
 */
#include "harness.h"

#include "lib/e820.c"

/* Memory types (ACPI 6.5, table "Address Range Types"). */
#define TYPE_RAM	1
#define TYPE_RESERVED	2
#define TYPE_ACPI	3
#define TYPE_PMEM	7

#define UNIT	0x400ULL
#define UNITS	24
#define MIB	0x100000UL

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
	CHECK(!e820_is_ram(&bp, 0x1000, 0x2001), "one byte after it");
	CHECK(!e820_is_ram(&bp, 0x2000, 0x2001), "the byte after it");
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
	      "an entry after the count");

	bp.e820_entries = 255;
	CHECK(e820_is_ram(&bp, 127 * 0x2000, 127 * 0x2000 + 0x1000),
	      "the last entry of the table");

	/*
	 * The bytes after e820_table in boot_params look like an entry for
	 * RAM. The stub must not read them, even if e820_entries is larger than
	 * the table.
	 */
	clear_map();
	bp.e820_entries = 255;
	entry.addr = 0x5000;
	entry.size = 0x1000;
	entry.type = TYPE_RAM;
	memcpy((u8 *)&bp + offsetof(struct boot_params, e820_table) +
	       sizeof(bp.e820_table), &entry, sizeof(entry));
	CHECK(!e820_is_ram(&bp, 0x5000, 0x6000), "an entry after the table");
}

/* ---- against the model ---- */

static bool unit_is_ram[UNITS];

/*
 * Makes a random memory map. Its entries may start below @base, extend beyond
 * the model's range, or wrap around at 2^64.
 */
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

		/*
		 * The last unit below 2^64 is left out, because a range up to
		 * 2^64 has an end that a u64 cannot hold.
		 */
		limit = base + UNITS * UNIT ? UNITS : UNITS - 1;
		random_map(base);
		compare_is_ram(base, limit);
		for (i = 0; i < 32; i++)
			compare_around(base, limit);
	}
}

/* ---- a memory map that continues in setup_data ---- */

static struct {
	struct setup_data node;
	struct boot_e820_entry entries[3];
} __attribute__((packed, aligned(8))) ext[SETUP_DATA_MAX_NODES + 1];

/*
 * Writes ext[i], a setup_data node with @len bytes of E820 entries. The first
 * entry is 1 MiB of RAM at (@i + 1) GiB.
 */
static void set_node(size_t i, u32 type, u32 len, u64 next)
{
	ext[i].node = (struct setup_data){ next, type, len };
	ext[i].entries[0] = (struct boot_e820_entry){ (i + 1) << 30, 0x100000,
						      TYPE_RAM };
	ext[i].entries[1] = ext[i].entries[2] = (struct boot_e820_entry){
		((i + 1) << 30) + 0x80000, 0x1000, TYPE_RESERVED };
}

static u64 node_at(size_t i)
{
	return (u64)&ext[i];
}

static bool has_ram_of(size_t i)
{
	u64 start = (i + 1) << 30;

	return e820_is_ram(&bp, start, start + 0x1000);
}

/*
 * Fills e820_table with empty entries, because the stub reads further entries
 * from setup_data only if the table is full. The setup_data list gets one node
 * of this @type, with @len bytes of entries.
 */
static void full_map(u32 type, u32 len)
{
	clear_map();
	while (bp.e820_entries < E820_MAX_ENTRIES_ZEROPAGE)
		add(0, 0, TYPE_RESERVED);
	bp.hdr.setup_data = node_at(0);
	set_node(0, type, len, 0);
}

TEST(goes_on)
{
	full_map(SETUP_E820_EXT, 20);
	CHECK(has_ram_of(0), "not seen");
	CHECK(e820_is_ram(&bp, 1 << 30, (1 << 30) + 0x100000), "not all");
	/*
	 * An entry of another type overrides an entry for RAM. First both
	 * entries are in setup_data, then the entry for RAM is in e820_table.
	 */
	full_map(SETUP_E820_EXT, 40);
	CHECK(has_ram_of(0), "not seen");
	CHECK(!e820_is_ram(&bp, 1 << 30, (1 << 30) + 0x100000), "not seen");
	bp.e820_table[0] = ext[0].entries[0];
	full_map(SETUP_E820_EXT, 40);
	/*
	 * e820_entries is larger than the table, so the stub must treat the
	 * table as full.
	 */
	bp.e820_entries = 200;
	CHECK(has_ram_of(0), "not seen");
}

/*
 * A setup_data node's length need not be a multiple of an entry's size. The
 * stub must ignore the bytes after the last whole entry.
 */
TEST(goes_on_length)
{
	full_map(SETUP_E820_EXT, 19);
	CHECK(!has_ram_of(0), "half an entry");
	full_map(SETUP_E820_EXT, 39);
	CHECK(e820_is_ram(&bp, 1 << 30, (1 << 30) + 0x100000),
	      "one and a half");
	full_map(SETUP_E820_EXT, 0);
	CHECK(!has_ram_of(0), "empty");
	/*
	 * The first setup_data node has no entries. The stub must still read
	 * the entries of the second node.
	 */
	full_map(SETUP_E820_EXT, 0);
	ext[0].node.next = node_at(1);
	set_node(1, SETUP_E820_EXT, 20, 0);
	CHECK(has_ram_of(1), "after an empty one");
}

TEST(goes_on_only_if_full)
{
	full_map(SETUP_E820_EXT, 20);
	bp.e820_entries--;
	/*
	 * e820_table is not full, so the stub must not read setup_data. Reading
	 * this invalid address would crash the test.
	 */
	bp.hdr.setup_data = 8;
	CHECK(!has_ram_of(0), "out of nothing");
	full_map(SETUP_DTB, 20);
	CHECK(!has_ram_of(0), "of another type");
}

/*
 * Nodes of type SETUP_E820_EXT may be anywhere in the setup_data list, among
 * nodes of other types. The stub follows at most SETUP_DATA_MAX_NODES nodes.
 */
TEST(goes_on_chain)
{
	size_t i;

	full_map(SETUP_DTB, 20);
	ext[0].node.next = node_at(1);
	set_node(1, SETUP_E820_EXT, 20, node_at(2));
	set_node(2, SETUP_PCI, 20, node_at(3));
	set_node(3, SETUP_E820_EXT, 20, 0);
	CHECK(!has_ram_of(0) && has_ram_of(1) && !has_ram_of(2) &&
	      has_ram_of(3), "the wrong ones");

	full_map(SETUP_DTB, 0);
	for (i = 0; i < SETUP_DATA_MAX_NODES; i++)
		set_node(i, SETUP_DTB, 0, node_at(i + 1));
	set_node(SETUP_DATA_MAX_NODES - 1, SETUP_E820_EXT, 20,
		 node_at(SETUP_DATA_MAX_NODES));
	set_node(SETUP_DATA_MAX_NODES, SETUP_E820_EXT, 20, 0);
	CHECK(has_ram_of(SETUP_DATA_MAX_NODES - 1), "the last one");
	CHECK(!has_ram_of(SETUP_DATA_MAX_NODES), "one too many");
}

/*
 * The stub reads at most E820_MAX_ENTRIES entries. In this case most of them
 * are in one setup_data node. Further entries are ignored.
 */
TEST(goes_on_for_too_long)
{
	const unsigned int fit = E820_MAX_ENTRIES - E820_MAX_ENTRIES_ZEROPAGE;
	static struct {
		struct setup_data node;
		struct boot_e820_entry entries[E820_MAX_ENTRIES];
	} __attribute__((packed, aligned(8))) large;
	struct boot_e820_entry *last = &large.entries[fit - 1];

	full_map(SETUP_DTB, 0);
	bp.hdr.setup_data = (u64)&large;
	large.node.type = SETUP_E820_EXT;
	large.node.len = fit * sizeof(*last);
	last[0] = (struct boot_e820_entry){ 0x1000, 0x1000, TYPE_RAM };
	last[1] = (struct boot_e820_entry){ 0x5000, 0x1000, TYPE_RAM };
	CHECK(e820_is_bounded(&bp), "4096 are too many");
	CHECK(e820_is_ram(&bp, 0x1000, 0x2000), "the last one is not seen");
	large.node.len += sizeof(*last) - 1;
	CHECK(e820_is_bounded(&bp), "a part of one is none");
	large.node.len++;
	CHECK(!e820_is_bounded(&bp), "4097 are not");
	CHECK(!e820_is_ram(&bp, 0x5000, 0x6000), "one too many");
	/*
	 * The setup_data node claims to be 4 GiB long. The stub must read only
	 * the entries up to its limit.
	 */
	large.node.len = 0xffffffff;
	CHECK(!e820_is_bounded(&bp), "2^27 are not");
	/*
	 * The setup_data node's next pointer points to the node itself. The
	 * stub must stop after SETUP_DATA_MAX_NODES visits of the node. At each
	 * visit it counts the node's three entries. The sum then stays below
	 * E820_MAX_ENTRIES, so e820_is_bounded() must return true.
	 */
	full_map(SETUP_E820_EXT, 60);
	ext[0].node.next = node_at(0);
	CHECK(e820_is_bounded(&bp), "a circle ends");
}

TEST(goes_on_hostile)
{
	/* The setup_data list is circular. The stub must stop following it. */
	full_map(SETUP_E820_EXT, 20);
	ext[0].node.next = node_at(0);
	CHECK(has_ram_of(0) && !has_ram_of(1), "in a circle");
	/*
	 * A setup_data node whose header wraps around at 2^64 must not be read.
	 */
	full_map(SETUP_E820_EXT, 20);
	bp.hdr.setup_data = ~0UL - 8;
	CHECK(!has_ram_of(0), "of nothing");
}

/* ---- e820_may_hold() ---- */

/*
 * Each row is an E820 entry, with RAM directly before and after it. @good
 * tells whether e820_may_hold() must accept the entry's memory as memory in
 * which a loader may leave data. It must accept RAM, ACPI tables (type 3), ACPI
 * NVS (type 4), and setup_data that kexec hands over (type 128). It must accept
 * reserved memory (type 2) only below 1 MiB, and not VGA memory.
 */
TEST(may_hold_types)
{
	static const struct {
		u64 start, size;
		u32 type;
		bool good;
	} cases[] = {
		{ 0x2000000, 0x1000, 1, true }, { 0x2000000, 0x1000, 3, true },
		{ 0x2000000, 0x1000, 4, true }, { 0x2000000, 0x1000, 128, true },
		{ 0x2000000, 0x1000, 2, false }, { 0x2000000, 0x1000, 5, false },
		{ 0x2000000, 0x1000, 7, false }, { 0x2000000, 0x1000, 12, false },
		{ 0x2000000, 0x1000, 0, false },
		{ 0x2000000, 0x1000, 0xefffffff, false },
		{ 0x90000, 0x1000, 2, true }, { 0x9f000, 0x1000, 2, true },
		{ 0x9f000, 0x1001, 2, false }, { 0xb8000, 0x1000, 2, false },
		{ 0xbffff, 0x1000, 2, false }, { 0xc0000, 0x1000, 2, true },
		{ 0xff000, 0x1000, 2, true }, { 0xff000, 0x1001, 2, false },
		{ 0x90000, 0x1000, 5, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 start = cases[i].start, end = start + cases[i].size;

		clear_map();
		add(end, 0x1000, TYPE_RAM);
		add(start, cases[i].size, cases[i].type);
		add(start - 0x1000, 0x1000, TYPE_RAM);
		CHECK(e820_may_hold(&bp, start, end) == cases[i].good,
		      "case %zu", i);
		CHECK(e820_may_hold(&bp, start - 0x1000, end + 0x1000) ==
		      cases[i].good, "case %zu with RAM around it", i);
		CHECK(e820_may_hold(&bp, end, end + 0x1000) &&
		      e820_may_hold(&bp, start - 0x1000, start), "RAM");
		CHECK(!e820_may_hold(&bp, end, end + 0x1001), "after RAM");
		CHECK(!e820_may_hold(&bp, start - 0x1001, start), "before RAM");
		CHECK(!e820_may_hold(&bp, end, end), "nothing");
		CHECK(!e820_may_hold(&bp, end + 1, end), "less than nothing");
	}
	/*
	 * The memory from 64 KiB to 1 MiB is one reserved entry. Data of a
	 * loader may lie in its part below VGA memory, also where an entry for
	 * RAM overlaps it.
	 */
	clear_map();
	add(0, 0x20000, TYPE_RAM);
	add(0x10000, 0xf0000, TYPE_RESERVED);
	CHECK(e820_may_hold(&bp, 0x90000, 0x91000), "at 0x90000");
	CHECK(e820_may_hold(&bp, 0xf000, 0x11000), "from RAM on");
	CHECK(!e820_may_hold(&bp, 0x9f000, 0xa0001), "in VGA memory");
	/*
	 * Above 1 MiB an entry for RAM and a reserved entry overlap. Where they
	 * overlap, the stub accepts no data of the loader.
	 */
	clear_map();
	add(0x200000, 0x10000, TYPE_RAM);
	add(0x20f000, 0x10, TYPE_RESERVED);
	CHECK(e820_may_hold(&bp, 0x200000, 0x20f000), "RAM");
	CHECK(!e820_may_hold(&bp, 0x20e000, 0x20f001), "reserved");
	CHECK(e820_may_hold(&bp, 0x20f010, 0x210000), "RAM");
	/*
	 * The stub must ignore reserved entries that are empty or wrap around
	 * at 2^64.
	 */
	add(0x200000, 0, TYPE_RESERVED);
	add(0x200000, ~0ULL, TYPE_RESERVED);
	CHECK(e820_may_hold(&bp, 0x200000, 0x20f000), "RAM");
}

/*
 * In random memory maps e820_may_hold() must accept a range exactly if the
 * model accepts each KiB of it.
 */
TEST(may_hold_random)
{
	static const u32 types[] = { 1, 1, 1, 3, 4, 128, 2, 5 };
	u64 i, j, start, end;
	unsigned int round;
	bool good;

	random_seed(5);
	for (round = 0; round < 2000; round++) {
		clear_map();
		for (i = random_below(6); i; i--)
			add(MIB + random_below(UNITS) * UNIT,
			    random_below(UNITS) * UNIT,
			    types[random_below(ARRAY_SIZE(types))]);
		start = random_below(UNITS);
		end = start + 1 + random_below(8);
		for (good = true, i = start; i < end; i++) {
			u64 at = MIB + i * UNIT;
			bool held = false, bad = false;

			for (j = 0; j < bp.e820_entries; j++) {
				const struct boot_e820_entry *e =
					&bp.e820_table[j];

				if (at < e->addr || at >= e->addr + e->size)
					continue;
				if (e->type == 2 || e->type == 5)
					bad = true;
				else
					held = true;
			}
			good &= held && !bad;
		}
		CHECK(e820_may_hold(&bp, MIB + start * UNIT, MIB + end * UNIT) ==
		      good, "round %u: %lu to %lu", round, start, end);
	}
}

/* ---- e820_next_ram() ---- */

static void expect_next(u64 from, u64 start, u64 end)
{
	struct range ram;

	CHECK(e820_next_ram(&bp, from, &ram), "no RAM from %#lx on", from);
	CHECK(ram.start == start && ram.end == end, "from %#lx: %#lx-%#lx", from,
	      ram.start, ram.end);
}

TEST(next_ram)
{
	struct range ram;

	clear_map();
	CHECK(!e820_next_ram(&bp, 0, &ram), "RAM in an empty map");
	add(0x8000, 0x2000, TYPE_RAM);
	add(0x1000, 0x4000, TYPE_RAM);
	add(0x4000, 0x2000, TYPE_RAM);
	add(0x2000, 0x1000, TYPE_RESERVED);
	add(0x8000, 0x800, TYPE_RESERVED);
	add(0x9fff, 0x1000, TYPE_RESERVED);
	add(~0ULL, 0x1000, TYPE_RAM);
	expect_next(0, 0x1000, 0x2000);
	expect_next(0x1800, 0x1800, 0x2000);
	expect_next(0x2000, 0x3000, 0x5000);
	expect_next(0x5000, 0x5000, 0x6000);
	expect_next(0x6000, 0x8800, 0x9fff);
	CHECK(!e820_next_ram(&bp, 0x9fff, &ram), "after the last");
	/* RAM that others cover is no RAM. */
	clear_map();
	add(0x1000, 0x1000, TYPE_RAM);
	add(0, 0x3000, TYPE_RESERVED);
	CHECK(!e820_next_ram(&bp, 0, &ram), "covered");
}

/*
 * Calls e820_next_ram() until it finds no more. The ranges that it has returned must
 * contain each byte of RAM once, and nothing else.
 */
TEST(next_ram_random)
{
	unsigned int round, i;

	for (round = 0; round < 2000; round++) {
		bool is_ram[256] = { 0 };
		struct range ram = { 0, 0 };

		random_seed(round);
		clear_map();
		for (i = random_u64() % 8; i; i--)
			add(random_u64() % 200, random_u64() % 56,
			    random_u64() % 3 ? TYPE_RAM : TYPE_RESERVED);
		while (e820_next_ram(&bp, ram.end, &ram)) {
			CHECK(ram.start < ram.end && ram.end <= 256, "%#lx-%#lx",
			      ram.start, ram.end);
			for (i = (unsigned int)ram.start; i < ram.end; i++)
				is_ram[i] = true;
		}
		for (i = 0; i < 256; i++)
			CHECK(is_ram[i] == e820_is_ram(&bp, i, i + 1),
			      "round %u: %#x", round, i);
	}
}
