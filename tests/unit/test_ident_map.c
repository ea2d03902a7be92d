/* SPDX-License-Identifier: MIT */
/*
 * test_ident_map.c - tests each function of ident_map_64.c, which builds the
 * stub's page tables. A page walk in page_walk.h, which shares no code with the
 * stub, reads the tables as the processor would.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "page_walk.h"
#include "setup.h"

#define LOW_POOL	0x80000UL
/*
 * An address with bit 57 set cannot be mapped by any page tables. Without this
 * bit it would be a valid address, so a builder that ignored bit 57 would map
 * the wrong page. The tests check that the builder refuses the address.
 */
#define ALIAS		BIT(57)

TEST(state_is_in_data)
{
	extern char __data_start, edata;

	/*
	 * The page-table builder runs before the stub clears .bss, so its state
	 * must be in .data.
	 */
	CHECK((char *)&map >= &__data_start && (char *)(&map + 1) <= &edata,
	      "map is not in .data");
}

/*
 * Returns a configuration that ident_map_init() accepts. Its memory for page tables is at
 * 512 KiB, below the lowest C-bit that ident_map_init() accepts. ident_map_init() refuses
 * memory above the C-bit, so with memory at a higher address a test could not try every
 * C-bit.
 */
static struct ident_map_config low_config(void)
{
	struct ident_map_config config = config_of(&setups[0], 2);

	pool_now = mmap((void *)LOW_POOL, config.pool_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(pool_now == (void *)LOW_POOL, "no memory at 512 KiB");
	return config;
}

TEST(init_refuses)
{
	struct ident_map_config good = low_config(), bad;
	u64 mask;

	CHECK(!ident_map_init(&good), "good config");
	bad = good;
	bad.pool_size = 2 * KIB4 - 1;
	CHECK(ident_map_init(&bad) == -ENOMEM, "pool of one page");
	bad.pool_size = 0;
	CHECK(ident_map_init(&bad) == -ENOMEM, "empty pool");
	bad.pool_size = 2 * KIB4;
	CHECK(!ident_map_init(&bad), "pool of two pages");

	bad = good;
	for (mask = 1; mask; mask <<= 1) {
		bad.enc_mask = mask;
		CHECK(ident_map_init(&bad) ==
		      (mask >= MIB2 && mask < BIT(52) ? 0 : -EINVAL),
		      "C-bit %#lx", mask);
	}
	bad.enc_mask = BIT(47) | BIT(51);
	CHECK(ident_map_init(&bad) == -EINVAL, "two C-bits");
}

/*
 * A page-table entry holds the address of a table together with the C-bit.
 * ident_map_init() must refuse memory for page tables at or above the address
 * that equals the C-bit.
 */
TEST(init_refuses_pool_at_c_bit)
{
	struct ident_map_config config = config_of(&setups[0], 2);
	void *at = mmap((void *)GIB1, 2 * KIB4, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			0);

	CHECK(at == (void *)GIB1, "no memory at 1 GiB");
	pool_now = at;
	CHECK(!ident_map_init(&config), "no C-bit");
	config.enc_mask = 2 * GIB1;
	CHECK(!ident_map_init(&config), "C-bit above the pool");
	config.enc_mask = GIB1;
	CHECK(ident_map_init(&config) == -EINVAL, "C-bit at the pool");
	config.enc_mask = GIB1 / 2;
	CHECK(ident_map_init(&config) == -EINVAL, "C-bit below the pool");
	munmap(at, 2 * KIB4);

	/*
	 * The memory for page tables ends above the address that equals the
	 * C-bit, or wraps around at 2^64. ident_map_init() must refuse it.
	 */
	config = config_of(&setups[0], 2);
	config.enc_mask = BIT(47);
	config.pool_size = BIT(47);
	CHECK(ident_map_init(&config) == -EINVAL, "pool up to the C-bit");
	config.pool_size = ~0xfffUL;
	CHECK(ident_map_init(&config) == -EINVAL, "pool that wraps");
}

TEST(load_writes_cr3)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(cr3 == ((u64)(pool + (now.levels == 4 ? KIB4 : 0)) |
			      (now.c_bit ? BIT(now.c_bit) : 0)), "%#lx", cr3);
		CHECK(ident_map_cr3() == cr3, "%#lx", ident_map_cr3());
		CHECK(!total(), "the map is not empty");
	}
}

TEST(range_covers_exactly)
{
	static const struct {
		u64 start, end;
	} ranges[] = {
		{ 0, 1 },
		{ 0, KIB4 },
		{ KIB4 - 1, KIB4 + 1 },
		{ 0x12345, 0x67890 },
		{ MIB2 - KIB4, MIB2 + KIB4 },
		{ MIB2, 2 * MIB2 },
		{ MIB2 - 1, 2 * MIB2 },
		{ MIB2 + KIB4 - 1, 2 * MIB2 },
		{ MIB2 + KIB4 - 1, 3 * MIB2 - KIB4 + 1 },
		{ MIB2, 2 * MIB2 + 1 },
		{ MIB2 + KIB4, 4 * MIB2 - KIB4 },
		{ 0, GIB1 },
		{ KIB4, GIB1 + MIB2 },
		{ GIB1 - 1, 2 * GIB1 + 1 },
		{ GIB1 + 1, 2 * GIB1 },
		{ 3 * GIB1 - MIB2, 4 * GIB1 + KIB4 },
		{ GIB512 - GIB1 - 5, GIB512 + 5 },
	};
	const struct setup *setup;
	unsigned int i, prot;

	FOR_EACH_SETUP(setup) {
		for (i = 0; i < ARRAY_SIZE(ranges); i++) {
			u64 low = ranges[i].start & ~0xfffULL;
			u64 high = (ranges[i].end + 0xfff) & ~0xfffULL;

			prot = i % 4;
			start(setup);
			CHECK(!ident_map_range(ranges[i].start, ranges[i].end,
					       prot), "[%#lx, %#lx)",
			      ranges[i].start, ranges[i].end);
			expect_sizes(low, high);
			CHECK(total() == high - low,
			      "[%#lx, %#lx): %#lx bytes mapped", low, high,
			      total());
			if (high - low > 4 * MIB2)
				low = high - MIB2 - KIB4;
			expect(low, high, use_of(prot));
			expect(high, high + KIB4, 0);
		}
	}
}

TEST(range_rights)
{
	const struct setup *setup;
	unsigned int prot;

	FOR_EACH_SETUP(setup) {
		start(setup);
		for (prot = 0; prot < 4; prot++) {
			CHECK(!ident_map_range(prot * GIB1,
					       prot * GIB1 + MIB2 + KIB4,
					       prot), "prot %u", prot);
			expect(prot * GIB1, prot * GIB1 + MIB2 + KIB4,
			       use_of(prot));
		}
	}
}

TEST(range_refuses)
{
	const struct setup *setup;
	u64 reach;

	FOR_EACH_SETUP(setup) {
		start(setup);
		reach = limit;
		CHECK(ident_map_range(KIB4, KIB4, 0) == -EINVAL, "empty");
		CHECK(ident_map_range(2 * KIB4, KIB4, 0) == -EINVAL, "ends "
		      "before it starts");
		CHECK(ident_map_range(~0xfffULL, 0, 0) == -EINVAL, "wraps");
		CHECK(ident_map_range(0, ~0ULL, 0) == -EINVAL, "everything");
		CHECK(ident_map_range(~0xfffULL, ~0ULL, 0) == -EINVAL,
		      "last page");
		CHECK(ident_map_range(reach, reach + 1, 0) == -EINVAL,
		      "first byte out of reach");
		CHECK(ident_map_range(reach - 1, reach + 1, 0) == -EINVAL,
		      "reaches out");
		CHECK(ident_map_range(ALIAS, ALIAS + 1, 0) == -EINVAL,
		      "out of reach");
		CHECK(!total(), "something was mapped");
		CHECK(!ident_map_range(reach - 1, reach, 0), "last byte");
		CHECK(ident_map_query(reach) == -EFAULT, "out of reach");
		CHECK(ident_map_query(ALIAS + reach - 1) == -EFAULT,
		      "out of reach");
		expect(reach - KIB4, reach, use_of(0));
		CHECK(total() == KIB4, "%#lx", total());
	}
}

/*
 * ident_map_range() must not change pages that are already mapped: neither
 * their rights, nor the size of the mapping, nor the C-bit. The stub maps
 * special pages first and all of RAM last.
 */
TEST(range_keeps_what_is_there)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(MIB2 + KIB4, MIB2 + 3 * KIB4, MAP_EXEC),
		      "text");
		CHECK(!ident_map_range(GIB1, GIB1 + MIB2, MAP_RO), "rodata");
		CHECK(!ident_map_guard(2 * MIB2), "guard");
		CHECK(!ident_map_device(3 * MIB2, 1), "device");
		CHECK(!ident_map_range(0, 2 * GIB1, MAP_WRITE), "rest");

		CHECK(total() == 2 * GIB1, "%#lx", total());
		expect(0, MIB2 + KIB4, use_of(MAP_WRITE));
		expect(MIB2 + KIB4, MIB2 + 3 * KIB4, use_of(MAP_EXEC));
		expect(MIB2 + 3 * KIB4, 2 * MIB2, use_of(MAP_WRITE));
		expect(2 * MIB2, 2 * MIB2 + KIB4, GUARD);
		expect(2 * MIB2 + KIB4, 3 * MIB2, use_of(MAP_WRITE));
		expect(3 * MIB2, 3 * MIB2 + KIB4, device_use());
		expect(3 * MIB2 + KIB4, GIB1, use_of(MAP_WRITE));
		expect(GIB1, GIB1 + MIB2, use_of(MAP_RO));
		expect(GIB1 + MIB2, 2 * GIB1, use_of(MAP_WRITE));
		CHECK(look(0).shift == 21, "2^%u", look(0).shift);
		CHECK(look(GIB1).shift == 21, "2^%u", look(GIB1).shift);
		CHECK(look(GIB1 + MIB2).shift == 21, "2^%u",
		      look(GIB1 + MIB2).shift);

		event_count = 0;
		CHECK(!ident_map_range(KIB4, 2 * KIB4, MAP_RO), "in a leaf");
		CHECK(look(0).shift == 21 && !event_count, "leaf was split");
		CHECK(!ident_map_range(0, 2 * GIB1, MAP_EXEC), "again");
		expect(GIB1, GIB1 + MIB2, use_of(MAP_RO));
		CHECK(page_at(0) == use_of(MAP_WRITE), "%#x", page_at(0));
	}
}

/*
 * walk() gets a level as an argument. The hypervisor can replace the level while it is on
 * the stack. This case passes level 0, but the lowest level of page tables is 1. walk() must
 * not make the entry of a 4 KiB page point to a table, and must allocate no table.
 */
TEST(walk_below_the_lowest_level)
{
	const struct setup *setup;
	size_t tables;
	walked at;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(MIB2, MIB2 + KIB4, MAP_WRITE), "map");
		tables = ident_map_tables_left();
		at = walk(MIB2, 0, WALK_SPLIT);
		CHECK(level_of(at) == 1 && is_leaf(*entry_of(at), 1) && at.addr == MIB2,
		      "splits a page of 4 KiB");
		at = walk(MIB2 + KIB4, 0, WALK_FILL);
		CHECK(level_of(at) == 1 && !*entry_of(at), "fills an entry with a table");
		CHECK(ident_map_tables_left() == tables, "takes a table");
	}
}

TEST(guard)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_is_guard(0), "before");
		CHECK(!ident_map_guard(0x123), "page 0");
		CHECK(ident_map_is_guard(0) && ident_map_is_guard(0xfff),
		      "page 0");
		CHECK(!ident_map_is_guard(KIB4), "page 1");
		CHECK(ident_map_guard(0) == -EINVAL, "twice");
		CHECK(ident_map_set_decrypted(0) == -EINVAL, "decrypted");
		CHECK(ident_map_set_encrypted(0) == -EINVAL, "encrypted");
		CHECK(ident_map_device(0, 1) == -EINVAL, "device");
		expect(0, KIB4, GUARD);

		CHECK(!ident_map_range(GIB1, 2 * GIB1, MAP_WRITE), "range");
		CHECK(ident_map_guard(GIB1 + KIB4) == -EINVAL, "mapped");
		CHECK(!ident_map_is_guard(GIB1 + KIB4), "mapped");
		CHECK(!ident_map_range(5 * GIB1, 5 * GIB1 + 1, 0), "page");
		CHECK(ident_map_guard(5 * GIB1) == -EINVAL, "mapped");
		CHECK(total() == GIB1 + 2 * KIB4, "%#lx", total());

		CHECK(!ident_map_guard(limit - 1), "last page");
		CHECK(ident_map_is_guard(limit - 1), "last page");
		CHECK(ident_map_guard(limit) == -EINVAL, "out of reach");
		CHECK(ident_map_guard(~0ULL) == -EINVAL, "out of reach");
		CHECK(ident_map_guard(ALIAS + 3 * KIB4) == -EINVAL,
		      "out of reach");
		CHECK(!ident_map_is_guard(limit) && !ident_map_is_guard(ALIAS),
		      "out of reach");
	}
}

/*
 * The page-table entries of the guard pages below the stacks are 0, as if the hypervisor had
 * put them back, so nothing in the page tables marks these pages. ident_map_range() must
 * still leave the guard pages unmapped. In the first loop the range has five pages. In the
 * second loop the range is 1 GiB, which ident_map_range() could map by a large page.
 */
TEST(guard_without_its_mark)
{
	const u64 guards[] = { (u64)stack_guard, (u64)double_fault_guard };
	const struct setup *setup;
	unsigned int i;

	FOR_EACH_SETUP(setup) {
		start(setup);
		for (i = 0; i < ARRAY_SIZE(guards); i++) {
			u64 from = guards[i] - 2 * KIB4;

			CHECK(!ident_map_range(from, from + 5 * KIB4, MAP_WRITE), "range");
			CHECK(page_at(guards[i] - KIB4) & MAPPED, "below");
			CHECK(!page_at(guards[i]), "guard page");
			CHECK(page_at(guards[i] + KIB4) & MAPPED, "above");
		}
		start(setup);
		for (i = 0; i < ARRAY_SIZE(guards); i++) {
			u64 from = ALIGN_DOWN(guards[i], GIB1);

			CHECK(!ident_map_range(from, from + GIB1, MAP_WRITE), "range");
			CHECK(!page_at(guards[i]), "guard page in a large page");
		}
	}
}

TEST(remove)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(0x100000, 0x200000, MAP_WRITE), "RAM");
		CHECK(!ident_map_device(0xb8000, 0x8000), "device");
		CHECK(!ident_map_device(GIB1, MIB2), "device, 2 MiB");
		CHECK(ident_map_remove(0xc0000, KIB4) == -EINVAL,
		      "nothing there");
		CHECK(ident_map_remove(GIB1, KIB4) == -EINVAL,
		      "a part of a leaf");
		CHECK(ident_map_remove(GIB1, MIB2) == -EINVAL, "a leaf of 2 MiB");

		CHECK(!ident_map_remove(0xb8000, 0x8000), "remove");
		CHECK(total() == MIB2 + 0x100000, "%#lx left", total());
		CHECK(!ident_map_remove(0x101000, KIB4), "remove, RAM");
		CHECK(total() == MIB2 + 0xff000 && !look(0x101000).use, "%#lx left",
		      total());
		CHECK(ident_map_remove(0x100000, 2 * KIB4) == -EINVAL &&
		      total() == MIB2 + 0xfe000 && !look(0x100000).use, "a hole");
		CHECK(!ident_map_device(0xb8000, 0x8000), "once more");
	}
}

/* ---- changing from five paging levels to four, and back ---- */

/*
 * Changes the paging depth to @levels levels and loads the new tables into the
 * page walk, which stands for the processor.
 */
static void other_depth(unsigned int levels)
{
	CHECK(levels == 5 || ident_map_fits_four_levels(), "to %u levels", levels);
	now.levels = levels;
	load_map();
}

TEST(set_levels)
{
	const struct setup *setup;
	unsigned int from, to;
	u64 top;

	FOR_EACH_SETUP(setup) {
		start(setup);
		from = setup->levels;
		to = from == 4 ? 5 : 4;
		top = (now.c_bit == 47 ? BIT(46) : BIT(47)) - MIB2;
		CHECK(!ident_map_range(MIB2, 3 * MIB2, MAP_WRITE), "low");
		CHECK(!ident_map_range(top, top + KIB4, MAP_EXEC), "high");
		CHECK(!ident_map_guard(KIB4), "guard");

		other_depth(to);
		expect(MIB2, 3 * MIB2, use_of(MAP_WRITE));
		expect(top, top + KIB4, use_of(MAP_EXEC));
		CHECK(ident_map_is_guard(KIB4), "no guard any more");
		CHECK(total() == 2 * MIB2 + 2 * KIB4, "%#lx", total());

		/*
		 * Four levels map addresses below 2^47 only, so mapping the
		 * address 2^47 must fail with four levels and succeed with
		 * five. If bit 47 is the C-bit, no address contains this bit.
		 */
		if (now.c_bit != 47)
			CHECK((ident_map_range(BIT(47), BIT(47) + KIB4, 0) ==
			       -EINVAL) == (to == 4), "limit of %u levels", to);
		if (now.c_bit != 47 && to == 5)
			continue;
		other_depth(from);
		expect(MIB2, 3 * MIB2, use_of(MAP_WRITE));
		CHECK(total() == 2 * MIB2 + 2 * KIB4, "%#lx", total());
	}
}

TEST(set_levels_refuses)
{
	static const u64 beyond[] = { BIT(47), BIT(48), BIT(49), BIT(51) };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		start(&setups[4]);
		CHECK(!ident_map_range(0, KIB4, 0) &&
		      !ident_map_range(beyond[i], beyond[i] + KIB4, 0), "map");
		CHECK(!ident_map_fits_four_levels(), "%#lx", beyond[i]);
		expect(beyond[i], beyond[i] + KIB4, use_of(0));
	}
	start(&setups[4]);
	CHECK(ident_map_fits_four_levels(), "empty");
}

TEST(device)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_device(0xb8000, 0x8000), "VGA text");
		expect(0xb8000, 0xc0000, device_use());
		CHECK(!ident_map_device(0xfee00ff0, 0x20), "across pages");
		expect(0xfee00000, 0xfee02000, device_use());
		CHECK(!ident_map_device(GIB1, MIB2), "2 MiB");
		expect(GIB1, GIB1 + MIB2, device_use());
		CHECK(total() == MIB2 + 10 * KIB4, "%#lx", total());

		CHECK(ident_map_device(0xb7000, 0x2000) == -EINVAL, "overlap");
		CHECK(ident_map_device(GIB1 + MIB2 - 1, 2) == -EINVAL,
		      "overlap");
		CHECK(ident_map_device(0, 2 * GIB1) == -EINVAL, "overlap");
		CHECK(ident_map_device(KIB4, 0) == -EINVAL, "empty");
		CHECK(ident_map_device(~0xfffULL, 0x1000) == -EINVAL, "wraps");
		CHECK(ident_map_device(KIB4, ~0ULL) == -EINVAL, "wraps");
		CHECK(ident_map_device(limit - 1, 2) == -EINVAL,
		      "out of reach");
		CHECK(ident_map_device(limit, 1) == -EINVAL, "out of reach");
		CHECK(total() == MIB2 + 10 * KIB4, "%#lx", total());
		CHECK(!ident_map_device(limit - 1, 1), "last byte");
	}
}

/*
 * Changing the C-bit of one page may split a large page. The rest of the large
 * page must keep all of its attributes.
 */
TEST(split_keeps_attributes)
{
	const struct setup *setup;
	unsigned int prot;
	u64 base, page;

	FOR_EACH_SETUP(setup) {
		if (!setup->c_bit)
			continue;
		for (prot = 0; prot < 4; prot++) {
			start(setup);
			base = 7 * GIB1;
			page = base + 77 * MIB2 + 123 * KIB4;
			CHECK(!ident_map_range(base, base + GIB1, prot), "map");
			CHECK(!ident_map_set_decrypted(page + 5), "decrypt");
			expect(base, page, use_of(prot));
			expect(page, page + KIB4, use_of(prot) | SHARED);
			expect(page + KIB4, base + GIB1, use_of(prot));
			CHECK(total() == GIB1, "%#lx", total());
			CHECK(look(page - MIB2).shift == 21, "neighbour");

			/*
			 * Make the first and the last 4 KiB of a 2 MiB page
			 * shared (C-bit clear). All pages between them must
			 * stay private.
			 */
			CHECK(!ident_map_set_decrypted(base), "first");
			CHECK(!ident_map_set_decrypted(base + MIB2 - KIB4),
			      "last");
			expect(base, base + KIB4, use_of(prot) | SHARED);
			expect(base + KIB4, base + MIB2 - KIB4, use_of(prot));
			expect(base + MIB2 - KIB4, base + MIB2,
			       use_of(prot) | SHARED);
			expect(base + MIB2, page, use_of(prot));
		}

		start(setup);
		CHECK(!ident_map_device(0, MIB2), "device");
		CHECK(!ident_map_set_encrypted(KIB4), "device page");
		expect(0, KIB4, device_use());
		expect(KIB4, 2 * KIB4, device_use() & ~SHARED);
		expect(2 * KIB4, MIB2, device_use());
	}
}

/*
 * Checks the recorded steps of a change between private and shared. While the
 * old mapping is valid, the stub must flush all cache lines of the page and
 * then fence. After that it must change the entry and flush the TLB. Otherwise
 * a stale cache line may overwrite data that was written through the new
 * mapping (APM2 7.10.6). @flushes is the number of INVLPGs after the fence. All but the last
 * come before the change: ident_map_set_decrypted() calls ident_map_flush(), which has one.
 */
static void expect_change(u64 page, unsigned int before, unsigned int after, unsigned int flushes)
{
	unsigned int i = 0, line;

	/*
	 * Splitting a large page flushes the TLB before the C-bit of the page
	 * is changed. At that point the page at @page must still be mapped as
	 * @before.
	 */
	while (i < event_count && events[i].type == INVLPG) {
		CHECK(events[i].page == before, "split: %#x", events[i].page);
		i++;
	}
	CHECK(event_count == i + 65 + flushes, "%u events", event_count - i);
	for (line = 0; line < 64; line++, i++)
		CHECK(events[i].type == CLFLUSH &&
		      events[i].addr == page + line * 64 &&
		      events[i].page == before,
		      "event %u: %d %#lx %#x", i, events[i].type,
		      events[i].addr, events[i].page);
	CHECK(events[i].type == MFENCE && events[i].page == before,
	      "event %u: %d %#x", i, events[i].type, events[i].page);
	for (i++; flushes > 1; flushes--, i++)
		CHECK(events[i].type == INVLPG && events[i].addr == page &&
		      events[i].page == before, "event %u: %#x", i, events[i].page);
	CHECK(events[i].type == INVLPG && events[i].addr == page &&
	      events[i].page == after, "event %u: %d %#lx %#x", i,
	      events[i].type, events[i].addr, events[i].page);
}

TEST(encryption_round_trip)
{
	const struct setup *setup;
	u64 page = GIB1 + 5 * MIB2 + 7 * KIB4;
	unsigned int use;

	FOR_EACH_SETUP(setup) {
		if (!setup->c_bit)
			continue;
		start(setup);
		use = use_of(MAP_WRITE);
		CHECK(!ident_map_range(GIB1, 2 * GIB1, MAP_WRITE), "map");
		CHECK(!event_count, "new mappings need no flush");
		watched = page;

		CHECK(!ident_map_set_decrypted(page + 0xabc), "decrypt");
		CHECK(event_count == 67 + (setup->pages_1g ? 2 : 1), "%u",
		      event_count);
		expect_change(page, use, use | SHARED, 2);

		event_count = 0;
		CHECK(!ident_map_set_encrypted(page + 0xfff), "encrypt");
		CHECK(event_count == 66, "%u", event_count);
		expect_change(page, use | SHARED, use, 1);
		expect(GIB1, 2 * GIB1, use);
	}
}

TEST(encryption_refuses)
{
	const struct setup *setup;
	size_t used;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(MIB2, 2 * MIB2, MAP_WRITE), "map");
		used = map.pool_used;
		CHECK(ident_map_set_decrypted(0) == -EINVAL, "not mapped");
		CHECK(ident_map_set_decrypted(2 * MIB2) == -EINVAL,
		      "not mapped");
		CHECK(ident_map_set_encrypted(GIB512) == -EINVAL,
		      "not mapped");
		CHECK(ident_map_set_decrypted(limit) == -EINVAL,
		      "out of reach");
		CHECK(ident_map_set_decrypted(limit + MIB2) == -EINVAL,
		      "out of reach");
		CHECK(ident_map_set_encrypted(~0ULL) == -EINVAL,
		      "out of reach");
		CHECK(ident_map_set_decrypted(ALIAS + MIB2) == -EINVAL,
		      "out of reach");
		CHECK(map.pool_used == used, "tables for what is not mapped");
		CHECK(ident_map_set_decrypted(MIB2) ==
		      (setup->c_bit ? 0 : -EINVAL), "C-bit %u", setup->c_bit);
		CHECK(ident_map_set_encrypted(MIB2) ==
		      (setup->c_bit ? 0 : -EINVAL), "C-bit %u", setup->c_bit);
		CHECK(setup->c_bit || (!event_count && look(MIB2).shift == 21),
		      "changed without a C-bit");
	}
}

/*
 * The hypervisor can put an old address in the place of the GHCB page's address on the stack,
 * to make the stub share another page. ident_map_set_decrypted() and
 * ident_map_set_encrypted() must therefore refuse every page but the GHCB page.
 */
TEST(only_the_shared_page)
{
	const struct setup *setup;
	static const u64 others[] = { 0, MIB2 - KIB4, MIB2 + KIB4, GIB1 - KIB4 };
	unsigned int i;

	FOR_EACH_SETUP(setup) {
		if (!setup->c_bit)
			continue;
		start(setup);
		CHECK(!ident_map_range(0, GIB1, MAP_WRITE), "map");
		shared_now = MIB2;
		for (i = 0; i < ARRAY_SIZE(others); i++) {
			CHECK((ident_map_set_decrypted)(others[i]) == -EINVAL,
			      "%#lx", others[i]);
			CHECK((ident_map_set_encrypted)(others[i]) == -EINVAL,
			      "%#lx", others[i]);
		}
		expect(0, GIB1, use_of(MAP_WRITE));
		CHECK(!(ident_map_set_decrypted)(MIB2), "the page itself");
		expect(MIB2, MIB2 + KIB4, use_of(MAP_WRITE) | SHARED);
	}
}

/*
 * fill_table() must use no address bit of its argument @attributes, which the caller had on the
 * stack: the hypervisor can put an address in its place, and the page would be mapped elsewhere.
 */
TEST(attributes_with_an_address)
{
	const struct setup *setup;
	walked at;

	FOR_EACH_SETUP(setup) {
		start(setup);
		at = walk(GIB1, 2, WALK_FILL);
		CHECK(fill_private(at, GIB1 + MIB2, attributes_of(MAP_WRITE) | MIB2 | BIT(45)) ==
		      GIB1 + MIB2, "fill");
		expect(GIB1, GIB1 + MIB2, use_of(MAP_WRITE));
	}
}

TEST(only_device_memory)
{
	const struct setup *setup;
	static const struct {
		u64 start, size;
	} others[] = {
		{ 0xaf000, KIB4 }, { 0xa0000, 0x20000 }, { 0xc0000, KIB4 },
		{ 0, KIB4 }, { GIB1, MIB2 }, { 0xfee00000, KIB4 },
	};
	unsigned int i;

	device_start = 0xb0000;
	device_end = 0xc0000;
	FOR_EACH_SETUP(setup) {
		start(setup);
		for (i = 0; i < ARRAY_SIZE(others); i++) {
			CHECK(ident_map_device(others[i].start, others[i].size) ==
			      -EINVAL, "%#lx", others[i].start);
			CHECK(!map.busy && !total(), "%#lx", others[i].start);
		}
		CHECK(!ident_map_device(0xb8000, 0x8000), "VGA text");
		expect(0xb8000, 0xc0000, device_use());
		/*
		 * The range begins in device memory and ends after it. The call must fail,
		 * and may map only the part that is device memory.
		 */
		start(setup);
		CHECK(ident_map_device(0xbf000, 0x2000) == -EINVAL, "end");
		expect(0xbf000, 0xc0000, device_use());
		CHECK(total() == KIB4, "%#lx", total());
	}
	device_start = 0;
	device_end = ~0UL;
}

/*
 * ---- splitting a large page that is in use ----
 *
 * The stub may execute from the large page while it splits it. The page walk
 * must therefore give the right result after each single store to the page
 * tables.
 */

static struct {
	u64 base, size, page;
	unsigned int use;
	volatile unsigned int stores;
} live;

static void check_live(void)
{
	static const u64 offsets[] = { 0, KIB4, MIB2 - KIB4, MIB2 };
	unsigned int i, use;
	u64 addr;

	live.stores++;
	for (i = 0; i < ARRAY_SIZE(offsets) * 2; i++) {
		addr = i % 2 ? live.base + offsets[i / 2]
			     : live.base + live.size - KIB4 - offsets[i / 2];
		CHECK(page_at(addr) == live.use, "store %u: %#lx is %#x",
		      live.stores, addr, page_at(addr));
	}
	for (addr = live.page - MIB2; addr <= live.page + MIB2; addr += MIB2)
		CHECK(page_at(addr + KIB4) == live.use &&
		      page_at(addr - KIB4) == live.use,
		      "store %u: around %#lx", live.stores, addr);
	use = page_at(live.page);
	CHECK((use & ~SHARED) == live.use, "store %u: page is %#x",
	      live.stores, use);
}

/*
 * The page tables are write-protected, so a store to them raises SIGSEGV. This
 * handler allows the store and sets TF, so that SIGTRAP follows the store and
 * the page walk can check the tables then.
 */
static void on_store(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	u64 addr = (u64)info->si_addr;

	if (addr < (u64)pool || addr >= (u64)pool + sizeof(pool)) {
		signal(number, SIG_DFL);
		return;
	}
	mprotect(pool, sizeof(pool), PROT_READ | PROT_WRITE);
	uc->uc_mcontext.gregs[REG_EFL] |= X86_EFLAGS_TF;
}

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number;
	(void)info;
	uc->uc_mcontext.gregs[REG_EFL] &= ~X86_EFLAGS_TF;
	check_live();
	mprotect(pool, sizeof(pool), PROT_READ);
}

TEST(split_is_safe_while_live)
{
	struct sigaction store = {
		.sa_sigaction = on_store, .sa_flags = SA_SIGINFO | SA_NODEFER
	}, step = {
		.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER
	}, old_store, old_step;
	int ret;

	start(&setups[3]);
	CHECK(now.pages_1g && now.c_bit, "wrong setup");
	live.base = 2 * GIB1;
	live.size = GIB1;
	live.page = live.base + 100 * MIB2;
	live.use = use_of(MAP_WRITE);
	live.stores = 0;
	CHECK(!ident_map_range(live.base, live.base + GIB1, MAP_WRITE), "map");

	sigaction(SIGSEGV, &store, &old_store);
	sigaction(SIGTRAP, &step, &old_step);
	mprotect(pool, sizeof(pool), PROT_READ);
	ret = ident_map_set_decrypted(live.page);
	mprotect(pool, sizeof(pool), PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old_store, NULL);
	sigaction(SIGTRAP, &old_step, NULL);

	CHECK(!ret, "decrypt: %d", ret);
	/*
	 * The split must have stored 512 entries in each of two new tables, the
	 * two entries that point to these tables, and the entry of the page
	 * itself.
	 */
	CHECK(live.stores >= 2 * 512 + 3, "%u stores seen", live.stores);
	INFO("%u stores", live.stores);
}

/* ---- page faults ---- */

/*
 * A memory map like a PC's. It has gaps, ranges that end inside a page or
 * inside a 2 MiB page, and a reserved range within RAM.
 */
static void set_e820(void)
{
	memset(&bp, 0, sizeof(bp));
	add_e820(0, 0x9fc00, 1);
	add_e820(0x9fc00, 0xa0000, 2);
	add_e820(0xf0000, 0x100000, 2);
	add_e820(0x100000, 0x7fe0000, 1);
	add_e820(0x7fe0000, 0x8000000, 2);
	add_e820(4 * GIB1, 5 * GIB1, 1);
	add_e820(4 * GIB1 + 0x203000, 4 * GIB1 + 0x204000, 2);
	add_e820(6 * GIB1 + 0x1800, 6 * GIB1 + 0x3800, 1);
}

static void expect_fault(u64 addr, u64 low, u64 high)
{
	u64 before = total();
	int ret = ident_map_fault(addr, PF_WRITE);

	CHECK(!ret, "%#lx: %d", addr, ret);
	expect(low, high, use_of(MAP_WRITE));
	CHECK(total() == before + high - low,
	      "%#lx: %#lx more, want [%#lx, %#lx)", addr, total() - before,
	      low, high);
}

static void expect_no_fault(u64 addr)
{
	u64 before = total();
	int ret = ident_map_fault(addr, 0);

	CHECK(ret == -EFAULT, "%#lx: %d", addr, ret);
	CHECK(total() == before, "%#lx: something was mapped", addr);
}

TEST(fault_maps_ram_only)
{
	const struct setup *setup;
	u64 base;

	set_e820();
	FOR_EACH_SETUP(setup) {
		start(setup);
		expect_fault(0x5123, 0, 0x9f000);
		expect_no_fault(0x5123);
		expect_no_fault(0x9f123);
		expect_no_fault(0x9fc00);
		expect_no_fault(0xa0000);
		expect_no_fault(0xeffff);
		expect_no_fault(0xf0000);
		expect_fault(0x100000, 0x100000, MIB2);
		expect_fault(2 * MIB2 - 1, MIB2, 2 * MIB2);
		CHECK(look(MIB2).shift == 21, "2^%u", look(MIB2).shift);
		expect_fault(0x7fdffff, 0x7e00000, 0x7fe0000);
		expect_no_fault(0x7fe0000);
		expect_no_fault(0x8000000);
		expect_no_fault(4 * GIB1 - 1);

		base = 4 * GIB1 + MIB2;
		expect_fault(base + 0x2fff, base, base + 0x3000);
		expect_no_fault(base + 0x3000);
		expect_fault(base + 0x4000, base + 0x4000, base + MIB2);
		expect_fault(5 * GIB1 - 1, 5 * GIB1 - MIB2, 5 * GIB1);
		expect_no_fault(5 * GIB1);

		expect_no_fault(6 * GIB1 + 0x1fff);
		expect_fault(6 * GIB1 + 0x2000, 6 * GIB1 + 0x2000,
			     6 * GIB1 + 0x3000);
		expect_no_fault(6 * GIB1 + 0x3000);
		expect_no_fault(6 * GIB1 + 0x37ff);
	}
}

/*
 * While CR3 does not hold the stub's page tables, ident_map_fault() must refuse every page
 * fault. It would have to take the C-bit of a new entry from memory, which the hypervisor
 * can change.
 */
TEST(fault_refused_without_this_map)
{
	const struct setup *setup;

	set_e820();
	FOR_EACH_SETUP(setup) {
		start(setup);
		cr3 = 0x12345000;
		CHECK(ident_map_fault(0x5123, 0) == -EFAULT, "another map");
		load_map();
		CHECK(!total(), "something was mapped");
		expect_fault(0x5123, 0, 0x9f000);
	}
}

/*
 * Result of ident_map_fault() in the handler below, which simulates a page
 * fault at the next store to the page tables.
 */
static int injected;

static void on_store_inject(int number, siginfo_t *info, void *context)
{
	(void)context;
	if ((u64)info->si_addr - (u64)pool >= sizeof(pool)) {
		signal(number, SIG_DFL);
		return;
	}
	mprotect(pool, sizeof(pool), PROT_READ | PROT_WRITE);
	injected = ident_map_fault(0x100000, PF_WRITE);
}

static void inject_at_store(void)
{
	injected = 1;
	mprotect(pool, sizeof(pool), PROT_READ);
}

TEST(fault_refused_while_tables_change)
{
	struct sigaction store = {
		.sa_sigaction = on_store_inject,
		.sa_flags = SA_SIGINFO | SA_NODEFER
	}, old_store;
	u64 tables;

	set_e820();
	sigaction(SIGSEGV, &store, &old_store);

	start(&setups[3]);
	tables = ident_map_tables_left();
	inject_at_store();
	CHECK(!ident_map_fault(0x5123, 0), "fault");
	CHECK(injected == -EFAULT, "in a fault: %d", injected);
	inject_at_store();
	CHECK(!ident_map_range(4 * GIB1, 4 * GIB1 + KIB4, MAP_WRITE), "range");
	CHECK(injected == -EFAULT, "in ident_map_range(): %d", injected);
	CHECK(tables - ident_map_tables_left() == 5, "%lu tables",
	      tables - ident_map_tables_left());
	/*
	 * All page tables for this address exist, so ident_map_range() stores
	 * only the entry of the last level.
	 */
	inject_at_store();
	CHECK(!ident_map_range(4 * GIB1 + KIB4, 4 * GIB1 + 2 * KIB4, 0), "leaf");
	CHECK(injected == -EFAULT, "at a leaf: %d", injected);

	CHECK(!ident_map_range(6 * GIB1, 7 * GIB1, MAP_WRITE), "leaves");
	inject_at_store();
	CHECK(!ident_map_set_decrypted(6 * GIB1), "split");
	CHECK(injected == -EFAULT, "in a split: %d", injected);
	CHECK(ident_map_set_decrypted(8 * GIB1) == -EINVAL, "not mapped");

	sigaction(SIGSEGV, &old_store, NULL);

	now.levels = 5;
	load_map();
	expect_fault(0x100000, 0x100000, MIB2);

	/*
	 * ident_map_range() fails for lack of memory. It must clear map.busy,
	 * or every later page fault would be refused.
	 */
	start_with(&setups[0], 4);
	CHECK(ident_map_range(0, KIB4, 0) == -ENOMEM, "pool of four pages");
	CHECK(!map.busy, "busy for good");
}

TEST(fault_skips_what_is_there)
{
	const struct setup *setup;
	u64 base = 16 * MIB2;

	set_e820();
	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_guard(base + KIB4), "guard");
		CHECK(!ident_map_range(base + 8 * KIB4, base + 9 * KIB4,
				       MAP_EXEC), "text");
		CHECK(!ident_map_fault(base, 0), "fault");
		expect(base, base + KIB4, use_of(MAP_WRITE));
		expect(base + KIB4, base + 2 * KIB4, GUARD);
		expect(base + 2 * KIB4, base + 8 * KIB4, use_of(MAP_WRITE));
		expect(base + 8 * KIB4, base + 9 * KIB4, use_of(MAP_EXEC));
		expect(base + 9 * KIB4, base + MIB2, use_of(MAP_WRITE));
		CHECK(total() == MIB2, "%#lx", total());

		/*
		 * The stub must refuse a fault on a mapped page or on a guard
		 * page. Otherwise the faulting instruction would be restarted
		 * forever.
		 */
		expect_no_fault(base + KIB4 + 8);
		expect_no_fault(base + 8 * KIB4);
		expect_no_fault(base + 10 * KIB4);
	}
}

TEST(fault_refuses_other_errors)
{
	unsigned int bit;
	u64 code;

	set_e820();
	start(&setups[3]);
	for (code = 0; code < 128; code++) {
		if (code == 0 || code == 2)
			continue;
		CHECK(ident_map_fault(MIB2, code) == -EFAULT, "%#lx", code);
	}
	for (bit = 7; bit < 64; bit++)
		CHECK(ident_map_fault(MIB2, BIT(bit)) == -EFAULT, "bit %u",
		      bit);
	CHECK(!total(), "something was mapped");
	CHECK(!ident_map_fault(MIB2, 0), "read");
	CHECK(!ident_map_fault(2 * MIB2, 2), "write");
}

TEST(fault_out_of_reach)
{
	const struct setup *setup;

	memset(&bp, 0, sizeof(bp));
	add_e820(0, BIT(63), 1);
	add_e820(BIT(63), ~0ULL, 1);
	FOR_EACH_SETUP(setup) {
		start(setup);
		expect_no_fault(limit);
		expect_no_fault(limit + MIB2);
		expect_no_fault(ALIAS);
		expect_no_fault(BIT(63));
		expect_no_fault(~0ULL);
		expect_fault(limit - 1, limit - MIB2, limit);
	}
}

/*
 * Makes six calls of the page-table builder in each round, and each round has
 * memory for one more page table, until no call fails. A call that fails must
 * leave the page tables valid.
 */
TEST(pool_exhaustion_step_by_step)
{
	u64 base = GIB512 - GIB1, mapped;
	const struct setup *setup;
	unsigned int i, done;
	size_t pages;
	int ret[6];

	FOR_EACH_SETUP(setup) {
		for (pages = 2, done = 0; done < ARRAY_SIZE(ret); pages++) {
			CHECK(pages < 32, "never enough");
			start_with(setup, pages);
			memset(&bp, 0, sizeof(bp));
			add_e820(0, GIB512, 1);
			ret[0] = ident_map_guard(0);
			ret[1] = ident_map_range(base + 1, base + GIB1, 0);
			mapped = page_at(base);
			ret[2] = ident_map_device(GIB512 + GIB1, 1);
			ret[3] = ident_map_fault(3 * GIB1, 0);
			ret[4] = ident_map_range(5 * GIB1, 6 * GIB1, MAP_EXEC);
			ret[5] = ident_map_set_decrypted(5 * GIB1);
			for (i = 0, done = 0; i < ARRAY_SIZE(ret); i++) {
				CHECK(!ret[i] || ret[i] == -ENOMEM ||
				      (i == 5 && ret[i] == -EINVAL &&
				       (ret[4] || !setup->c_bit)),
				      "call %u: %d", i, ret[i]);
				done += ret[i] != -ENOMEM && !(i == 5 && ret[4]);
			}
			CHECK(map.pool_used <= pages * KIB4, "%zu of %zu",
			      map.pool_used, pages * KIB4);
			CHECK(pool[pages * KIB4] == POOL_DIRT, "overrun");
			CHECK(ident_map_is_guard(0) == !ret[0], "guard");
			CHECK(page_at(base) == mapped &&
			      (ret[1] || mapped == use_of(0)), "%#lx", mapped);
			CHECK(page_at(GIB512 + GIB1) ==
			      (ret[2] ? 0 : device_use()), "device");
			CHECK(page_at(3 * GIB1) ==
			      (ret[3] ? 0 : use_of(MAP_WRITE)), "fault");
			CHECK(ret[4] || page_at(6 * GIB1 - 1) ==
			      use_of(MAP_EXEC), "range");
		}
	}
}

/*
 * PAGE_TABLE_POOL_SIZE must suffice for the mappings of an ordinary boot at the
 * worst addresses: each part crosses a boundary of the upper tables and needs
 * tables of its own. The payload has its largest size and the initrd 1 GiB. A
 * larger initrd can exhaust the pool, in which case the stub refuses the boot
 * with a message.
 */
TEST(pool_suffices)
{
	static const struct {
		u64 start, size;
	} parts[] = {
		{ GIB512 / 2 - 0x10000, 0x60000 },	/* image */
		{ 3 * GIB512 - 0x800, 0x1000 },		/* zero page */
		{ 5 * GIB512 - 0x10, 0x20 },		/* command line */
		{ 7 * GIB512 - GIB1 / 2 - 1, GIB1 },	/* initrd */
		{ 9 * GIB512 - 0x10, 0x20 },		/* setup_data */
		{ 11 * GIB512 - 0x10, 0x20 },
		{ 13 * GIB512 - 0x10, 0x20 },
		{ 15 * GIB512 - GIB1 - 0x1000, 2 * GIB1 },	/* payload */
	};
	const struct setup *setup;
	size_t before = 0, used = 0;
	unsigned int i;

	FOR_EACH_SETUP(setup) {
		if (setup->c_bit && setup->c_bit < 43)
			continue;
		start_with(setup, PAGE_TABLE_POOL_SIZE / PAGE_SIZE);
		before = ident_map_tables_left();
		CHECK(before == PAGE_TABLE_POOL_SIZE / PAGE_SIZE - 2, "%zu",
		      before);
		CHECK(!ident_map_guard(0), "page 0");
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			CHECK(!ident_map_range(parts[i].start, parts[i].start +
					       parts[i].size, MAP_WRITE),
			      "part %u", i);
		if (before - ident_map_tables_left() > used)
			used = before - ident_map_tables_left();
	}
	INFO("%zu tables, %zu are there", used + 1, before + 1);
}

/* ---- what the stub reads from registers, because the hypervisor can change memory ---- */

/*
 * The hypervisor can put an old C-bit back into memory. Pages that the stub maps while its
 * page tables are loaded must have the C-bit that CR3 has.
 */
TEST(cbit_comes_from_cr3)
{
	struct loaded_map got;
	unsigned int i;
	int rights;

	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		start_with(&setups[i], POOL_PAGES);
		rights = setups[i].nx ? MAP_WRITE : MAP_WRITE | MAP_EXEC;
		map.config.enc_mask = 0;
		got = ident_map_loaded();
		CHECK(got.loaded && got.enc_mask == enc_mask() &&
		      got.enc_mask == (setups[i].c_bit ? BIT(setups[i].c_bit) : 0),
		      "setup %u: %#lx", i, got.enc_mask);
		CHECK(!ident_map_range(GIB1, GIB1 + MIB2, MAP_WRITE) &&
		      ident_map_is_private(GIB1, GIB1 + MIB2, rights), "setup %u", i);
		CHECK(ident_map_query(GIB1) == MAP_WRITE ||
		      !setups[i].nx, "setup %u", i);
	}
}

/*
 * The hypervisor can garble the memory in which the stub keeps the configuration of its
 * page tables. The stub must take the number of levels from CR4, which tells it which of
 * its two top tables is in use, and the C-bit from CR3.
 */
TEST(top_and_levels_come_from_the_processor)
{
	static const u8 garbled[] = { 0, 0x55, 0xff };
	struct ident_map_config saved;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		for (k = 0; k < ARRAY_SIZE(garbled); k++) {
			start(&setups[i]);
			CHECK(!ident_map_range(0, MIB2, MAP_EXEC), "map");
			saved = map.config;
			memset(&map.config, garbled[k], sizeof(map.config));
			map.config.pool_size = saved.pool_size;
			map.config.pages_1g = saved.pages_1g;
			CHECK(ident_map_cr3() == cr3, "%#lx", ident_map_cr3());
			expect(0, MIB2, use_of(MAP_EXEC));
			CHECK(!ident_map_range(GIB1, GIB1 + KIB4, MAP_WRITE),
			      "setup %u, garbled with %#x", i, garbled[k]);
			expect(GIB1, GIB1 + KIB4, use_of(MAP_WRITE));
			CHECK(ident_map_range(limit - KIB4,
					      limit + KIB4, 0) == -EINVAL,
			      "limit of setup %u, garbled with %#x", i, garbled[k]);
		}
	}
}

/*
 * The stub builds page tables before it loads them into CR3. Even then the stub must take
 * the number of levels from CR4, and not from memory, which the hypervisor can change.
 */
TEST(levels_before_the_load)
{
	const struct setup *setup;
	walked at;

	FOR_EACH_SETUP(setup) {
		start(setup);
		cr3 = 0;
		at = walk(GIB1, 1, WALK_FILL);
		CHECK(level_of(at) == 1 && at.addr == GIB1, "level %u", level_of(at));
		load_map();
		CHECK(!ident_map_range(GIB1, GIB1 + KIB4, MAP_WRITE), "map");
		expect(GIB1, GIB1 + KIB4, use_of(MAP_WRITE));
	}
}

/*
 * ident_map_loaded() must report that the stub's page tables are not loaded if CR3 holds
 * the loader's, also if those lie directly below or after the stub's.
 */
TEST(map_not_loaded)
{
	start_with(&setups[3], POOL_PAGES);
	cr3 = (u64)page_table_pool_end;
	CHECK(!ident_map_loaded().loaded, "after the pool");
	cr3 = (u64)page_table_pool_end | BIT(51);
	CHECK(!ident_map_loaded().loaded, "after the pool, with a C-bit");
	cr3 = (u64)pool - KIB4;
	CHECK(!ident_map_loaded().loaded, "below the pool");
	cr3 = 0;
	CHECK(!ident_map_loaded().loaded, "0");
	cr3 = (u64)pool | BIT(51) | BIT(50);
	CHECK(!ident_map_loaded().loaded, "two C-bits");
	/*
	 * CR2 is 0 until ident_map_init() writes another value to it. Until then CR3 may hold
	 * the address of the pool, because the loader's page tables may lie there. If CR2 is
	 * 0, ident_map_loaded() must therefore report that the stub's page tables are not
	 * loaded, whatever CR3 holds.
	 */
	cr3 = (u64)pool;
	cr2 = 0;
	CHECK(!ident_map_loaded().loaded, "before ident_map_init()");
}

/*
 * Before the stub's page tables are loaded, their entries must get the C-bit from XMM15,
 * because the hypervisor can put an old 0 in the place of the C-bit in memory. While the
 * stub's page tables are loaded, ident_map_init() must fail, because it would overwrite
 * them.
 */
TEST(cbit_before_the_load)
{
	struct ident_map_config config;
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		config = config_of(setup, POOL_PAGES);
		CHECK(ident_map_init(&config) == -EINVAL, "started again");
		cr3 = 0;
		CHECK(!ident_map_init(&config), "init");
		map.config.enc_mask = setup->c_bit ? 0 : BIT(51);
		CHECK(!ident_map_range(GIB1, GIB1 + MIB2 + KIB4, MAP_WRITE), "range");
		CHECK(ident_map_cr3() == ((u64)(pool + (now.levels == 4 ? KIB4 : 0)) |
					  (now.c_bit ? BIT(now.c_bit) : 0)), "CR3");
		load_map();
		expect(GIB1, GIB1 + MIB2 + KIB4, use_of(MAP_WRITE));
	}
}

/*
 * ident_map_is_private() must return false for each range that contains a page without the
 * C-bit, and for one that contains an unmapped page.
 */
TEST(one_page_is_not_private)
{
	start_with(&setups[3], POOL_PAGES);
	CHECK(!ident_map_range(GIB1, GIB1 + 2 * MIB2, MAP_WRITE) &&
	      !ident_map_is_private(GIB1 - KIB4, GIB1 + MIB2, MAP_WRITE) &&
	      ident_map_is_private(GIB1, GIB1 + 2 * MIB2, MAP_WRITE), "range");
	CHECK(!ident_map_set_decrypted(GIB1 + MIB2 + KIB4), "decrypt");
	CHECK(!ident_map_is_private(GIB1, GIB1 + 2 * MIB2, MAP_WRITE) &&
	      !ident_map_is_private(GIB1 + MIB2 + KIB4, GIB1 + MIB2 + KIB4 + 1,
				    MAP_WRITE),
	      "not found");
	CHECK(ident_map_is_private(GIB1, GIB1 + MIB2 + KIB4, MAP_WRITE),
	      "too much");
}

/*
 * ident_map_is_private() must return false for each range that contains a page with other
 * rights than the caller names.
 */
TEST(one_page_has_other_rights)
{
	int prot;

	start_with(&setups[3], POOL_PAGES);
	CHECK(!ident_map_range(GIB1 + MIB2, GIB1 + MIB2 + KIB4, MAP_RO) &&
	      !ident_map_range(GIB1, GIB1 + 2 * MIB2, MAP_WRITE | MAP_EXEC),
	      "range");
	CHECK(ident_map_is_private(GIB1, GIB1 + MIB2, MAP_WRITE | MAP_EXEC) &&
	      ident_map_is_private(GIB1 + MIB2, GIB1 + MIB2 + 1, MAP_RO), "rights");
	for (prot = 0; prot < 4; prot++)
		CHECK(!ident_map_is_private(GIB1 + MIB2 - KIB4,
					    GIB1 + MIB2 + KIB4 + 1, prot),
		      "rights %d", prot);
	CHECK(!ident_map_is_private(GIB1 + 2 * MIB2 - 1, GIB1 + 2 * MIB2 + 1,
				    MAP_WRITE | MAP_EXEC), "not mapped");
}

/*
 * The payload's memory must not be executable before ident_map_make_executable() has been called
 * for it. After the call it must be executable, and must no longer have the mark MAP_PAYLOAD.
 * The stub must invalidate each page's translation, because the TLB may still have the old rights.
 */
TEST(payload_becomes_executable)
{
	/* Three pages of 4 KiB, one of 2 MiB, and one of 4 KiB. Each needs an INVLPG. */
	static const u64 pages[] = {
		GIB1 + MIB2 - 3 * KIB4, GIB1 + MIB2 - 2 * KIB4, GIB1 + MIB2 - KIB4,
		GIB1 + MIB2, GIB1 + 2 * MIB2,
	};
	const u64 from = pages[0], end = GIB1 + 2 * MIB2 + KIB4;
	const struct setup *setup;
	unsigned int i;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(from, end, MAP_WRITE | MAP_PAYLOAD), "map");
		expect(from, end, use_of(MAP_WRITE | MAP_PAYLOAD));
		CHECK(ident_map_is_private(from, end, MAP_WRITE | MAP_PAYLOAD) &&
		      !ident_map_is_private(from, end, MAP_WRITE), "the mark");
		event_count = 0;
		CHECK(ident_map_make_executable(from, end), "refused");
		expect(from, end, use_of(MAP_WRITE | MAP_EXEC));
		CHECK(event_count == ARRAY_SIZE(pages), "%u", event_count);
		for (i = 0; i < ARRAY_SIZE(pages); i++)
			CHECK(events[i].type == INVLPG && events[i].addr == pages[i],
			      "event %u: %#lx", i, events[i].addr);
		CHECK(!ident_map_make_executable(from, end), "twice");
	}
}

/*
 * ident_map_make_executable() must refuse memory that is not mapped as the payload's memory is:
 * private, writable, and with the mark MAP_PAYLOAD. It must leave refused memory as it is.
 */
TEST(only_the_payload_becomes_executable)
{
	static const unsigned int others[] = { MAP_RO, MAP_WRITE, MAP_PAYLOAD };
	const struct setup *setup;
	unsigned int i;

	FOR_EACH_SETUP(setup) {
		for (i = 0; i < ARRAY_SIZE(others); i++) {
			start(setup);
			CHECK(!ident_map_range(GIB1, GIB1 + KIB4, others[i]) &&
			      !ident_map_range(GIB1 + KIB4, GIB1 + 2 * KIB4,
					       MAP_WRITE | MAP_PAYLOAD), "map");
			CHECK(!ident_map_make_executable(GIB1, GIB1 + 2 * KIB4), "others");
			expect(GIB1, GIB1 + KIB4, use_of(others[i]));
			expect(GIB1 + KIB4, GIB1 + 2 * KIB4, use_of(MAP_WRITE | MAP_PAYLOAD));
			CHECK(!ident_map_make_executable(GIB1 + KIB4, GIB1 + 3 * KIB4), "hole");
		}
		if (!setup->c_bit)
			continue;
		start(setup);
		CHECK(!ident_map_range(GIB1, GIB1 + KIB4, MAP_WRITE | MAP_PAYLOAD) &&
		      !ident_map_set_decrypted(GIB1), "share");
		CHECK(!ident_map_make_executable(GIB1, GIB1 + KIB4), "shared");
	}
}

/*
 * If the hypervisor garbles the number of used page tables, the stub may use one table
 * twice, and a page may no longer be mapped to the physical address that equals its virtual
 * address. ident_map_is_private() must return false for such a page.
 */
TEST(one_page_is_elsewhere)
{
	static const u64 wrong[] = { BIT(12), BIT(20), BIT(21), BIT(46) };
	u64 size, at, *entry;
	unsigned int i;

	for (size = KIB4; size <= MIB2; size *= MIB2 / KIB4) {
		for (i = 0; i < ARRAY_SIZE(wrong); i++) {
			if (wrong[i] < size)
				continue;
			start_with(&setups[3], POOL_PAGES);
			at = GIB1 + (size == KIB4 ? KIB4 : MIB2);
			CHECK(!ident_map_range(at, at + size, MAP_WRITE),
			      "range");
			entry = entry_of(lookup(at));
			*entry ^= wrong[i];
			CHECK(!ident_map_is_private(at, at + size, MAP_WRITE),
			      "size %#lx, %#lx", size, wrong[i]);
			*entry ^= wrong[i];
			CHECK(ident_map_is_private(at, at + size, MAP_WRITE),
			      "size %#lx", size);
		}
	}
}

/*
 * The hypervisor of an SEV-ES guest can put an old number of used page tables back into
 * memory. The stub must go by the number in XMM15, so that it uses no table twice. If other
 * code has changed XMM15, so that it does not point into the pool, the stub must go by the
 * number in memory.
 */
TEST(old_number_of_tables)
{
	size_t used, left;

	start_with(&setups[3], POOL_PAGES);
	CHECK(!ident_map_range(GIB1, GIB1 + KIB4, MAP_WRITE), "range");
	used = map.pool_used;
	CHECK(xmm15 == (u64)pool + used - KIB4 + setups[3].c_bit, "XMM15 %#lx", xmm15);
	for (map.pool_used = 0; map.pool_used < used; map.pool_used += KIB4) {
		size_t old = map.pool_used;

		CHECK(!ident_map_range(GIB512 + old * 512, GIB512 + old * 512 + KIB4, MAP_WRITE),
		      "%#zx bytes", old);
		expect(GIB1, GIB1 + KIB4, use_of(MAP_WRITE));
		map.pool_used = old;
	}
	left = ident_map_tables_left();
	map.pool_used = POOL_PAGES * KIB4 - left * KIB4;
	xmm15 = (u64)pool - KIB4;
	CHECK(!ident_map_range(3 * GIB512, 3 * GIB512 + KIB4, MAP_WRITE) &&
	      left - ident_map_tables_left() == 3, "XMM15 below the pool");
	xmm15 = (u64)pool + POOL_PAGES * KIB4;
	CHECK(!ident_map_range(5 * GIB512, 5 * GIB512 + KIB4, MAP_WRITE) &&
	      left - ident_map_tables_left() == 6, "XMM15 after the pool");
	expect(GIB1, GIB1 + KIB4, use_of(MAP_WRITE));
}

/* Returns the entry of @level on the way to @addr. All tables down to @level must exist. */
static u64 *entry_at(u64 addr, unsigned int level)
{
	u64 *table = table_of(cr3, enc_mask());
	unsigned int at;

	for (at = now.levels; at > level; at--)
		table = table_of(table[addr >> level_shift(at) & 511], enc_mask());
	return &table[addr >> level_shift(level) & 511];
}

/*
 * An entry points to a page table. The hypervisor can change the entry to 0 before walk()
 * reads it, and restore it before extend() reads it. If extend() took the entry for one that
 * maps a page, extend() would map the page table as a page. The stub must halt instead.
 */
TEST(table_is_no_leaf)
{
	const struct setup *setup;
	unsigned int level;
	u64 *entry;

	FOR_EACH_SETUP(setup) {
		for (level = 2; level < 4; level++) {
			start_with(setup, POOL_PAGES);
			CHECK(!ident_map_range(GIB1, GIB1 + KIB4, MAP_WRITE), "range");
			entry = entry_at(GIB1, level);
			EXPECT_HALT(extend((walked){ (u64)entry | level, GIB1 }));
			*entry = (*entry & (BIT(52) - KIB4)) | 0x83;
			EXPECT_HALT(extend((walked){ (u64)entry | level, GIB1 }));
		}
		/* A leaf of another address. */
		start_with(setup, POOL_PAGES);
		CHECK(!ident_map_range(GIB1, GIB1 + MIB2, MAP_WRITE), "range");
		entry = entry_of(lookup(GIB1));
		*entry += MIB2;
		EXPECT_HALT(extend((walked){ (u64)entry | 2, GIB1 }));
		*entry -= MIB2;
		CHECK(extend((walked){ (u64)entry | 2, GIB1 }), "the leaf");
		expect(GIB1, GIB1 + MIB2, use_of(MAP_WRITE));
	}
}

/*
 * The hypervisor has replaced a page-table entry by one that points to memory of its
 * choice. The stub must halt instead of using a table outside of the pool.
 */
TEST(table_outside_of_the_pool)
{
	const struct setup *setup;
	static u8 other[PAGE_SIZE] __attribute__((aligned(4096)));
	const u64 others[] = {
		(u64)other, (u64)pool - KIB4, (u64)pool + POOL_PAGES * KIB4, 0,
	};
	u64 *entry, old;
	unsigned int i;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(GIB1, GIB1 + KIB4, MAP_WRITE), "map");
		entry = table_of(cr3, enc_mask());
		old = *entry;
		for (i = 0; i < ARRAY_SIZE(others); i++) {
			*entry = others[i] | enc_mask() | PTE_PRESENT | PTE_WRITE;
			EXPECT_HALT(ident_map_query(GIB1));
			EXPECT_HALT(ident_map_range(0, KIB4, MAP_WRITE));
			map.busy = false;
		}
		*entry = old;
		expect(GIB1, GIB1 + KIB4, use_of(MAP_WRITE));
		for (i = 0; i < sizeof(other); i++)
			CHECK(!other[i], "byte %u was written", i);
	}
}

/*
 * ident_map_remove_devices() must unmap the device pages in VGA memory, and must leave
 * other pages in VGA memory mapped. It must change nothing outside of VGA memory, so the
 * device page at 0xc0000, after VGA memory, must stay mapped.
 */
TEST(remove_devices)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_device(0xb8000, 0x8000) &&
		      !ident_map_device(0xc0000, KIB4) &&
		      !ident_map_range(0xb0000, 0xb4000, MAP_WRITE), "map");
		ident_map_remove_devices();
		expect(0xb0000, 0xb4000, use_of(MAP_WRITE));
		expect(0xb4000, 0xc0000, 0);
		expect(0xc0000, 0xc1000, device_use());
		CHECK(total() == 0x5000, "%#lx bytes left", total());
		ident_map_remove_devices();
		CHECK(total() == 0x5000, "%#lx bytes left", total());
		/*
		 * A page in VGA memory without the C-bit is shared, so the stub must unmap
		 * it even if its entry does not look like that of a device page.
		 */
		if (!setup->c_bit)
			continue;
		*entry_of(lookup(0xb1000)) &= ~BIT(setup->c_bit);
		ident_map_remove_devices();
		expect(0xb1000, 0xb2000, 0);
		CHECK(total() == 0x4000, "%#lx bytes left", total());
	}
}

/*
 * fill_pages() gets the attribute bits of page-table entries as an argument. The hypervisor
 * can replace the argument while it is on the stack. Here the argument also has address
 * bits. fill_pages() must ignore these bits and map the page at 0xb8000 to itself.
 */
TEST(old_attributes)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!fill_pages(0xb8000, 0xb9000, PTE_WRITE | 0x123456789000, false),
		      "map");
		CHECK((*entry_of(lookup(0xb8000)) & PTE_ADDR_MASK) == 0xb8000,
		      "%#lx", *entry_of(lookup(0xb8000)));
	}
}

static u64 *lookup_entry(u64 addr)
{
	return entry_of(lookup(addr));
}

/*
 * ident_map_window() must map a page of any address, private and read-only, at one of two
 * constant virtual addresses in the upper half. The identity map uses no address there.
 */
TEST(window)
{
	const struct setup *setup;
	size_t tables;
	u64 large, small;

	FOR_EACH_SETUP(setup) {
		start(setup);
		tables = ident_map_tables_left();
		large = ident_map_window(0x40000000, true);
		small = ident_map_window(0x7000, false);
		CHECK(large == 0xffffffffffe00000 && small == 0xffffffffffc00000,
		      "%#lx, %#lx", large, small);
		CHECK((*lookup_entry(large) & PTE_ADDR_MASK & ~enc_mask()) ==
		      0x40000000 && *lookup_entry(large) & PTE_LEAF, "%#lx",
		      *lookup_entry(large));
		CHECK((*lookup_entry(small) & PTE_ADDR_MASK & ~enc_mask()) == 0x7000,
		      "%#lx", *lookup_entry(small));
		CHECK((*lookup_entry(small) & enc_mask()) == enc_mask() &&
		      !(*lookup_entry(small) & PTE_WRITE) &&
		      (*lookup_entry(large) & enc_mask()) == enc_mask() &&
		      !(*lookup_entry(large) & PTE_WRITE), "rights");
		/*
		 * The first use of the two windows may take up to four page tables from the
		 * pool. Using the windows for other pages must take no further table,
		 * because the windows' virtual addresses are constant.
		 */
		tables -= ident_map_tables_left();
		CHECK(tables <= 4, "%zu tables", tables);
		tables = ident_map_tables_left();
		CHECK(ident_map_window(0x200000, true) == large &&
		      ident_map_window(0x1000, false) == small &&
		      ident_map_tables_left() == tables, "tables");
		CHECK((*lookup_entry(large) & PTE_ADDR_MASK & ~enc_mask()) ==
		      0x200000, "%#lx", *lookup_entry(large));
		CHECK(!ident_map_window(limit, false), "out of reach");
		ident_map_close_window();
		CHECK(!*lookup_entry(large) && !*lookup_entry(small), "open");
		ident_map_close_window();
	}
}

/*
 * An SNP guest makes a page shared in two steps. ident_map_flush() writes the page's cache
 * lines back and must leave the page private. The guest then gives the page to the
 * hypervisor. After that, ident_map_set_flushed() must clear the C-bit.
 */
TEST(flush_and_share)
{
	const struct setup *setup;

	FOR_EACH_SETUP(setup) {
		start(setup);
		CHECK(!ident_map_range(GIB1, GIB1 + MIB2, MAP_WRITE), "range");
		if (!setup->c_bit) {
			CHECK(ident_map_flush(GIB1) == -EINVAL &&
			      ident_map_set_flushed(GIB1) == -EINVAL, "no C-bit");
			continue;
		}
		CHECK(!ident_map_flush(GIB1 + KIB4) &&
		      !(ident_map_query(GIB1 + KIB4) & MAP_DECRYPTED), "flush");
		CHECK(!ident_map_set_flushed(GIB1 + KIB4) &&
		      ident_map_query(GIB1 + KIB4) & MAP_DECRYPTED &&
		      !(ident_map_query(GIB1) & MAP_DECRYPTED), "share");
	}
}
