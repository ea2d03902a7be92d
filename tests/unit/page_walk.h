/* SPDX-License-Identifier: MIT */
/*
 * page_walk.h - what tests of the page-table builder share: a processor that
 * records what it is told, the map under test in every setup, and a page walk
 * written from the manual (APM2 5.3, 5.4), with nothing of the stub's.
 *
 * look() walks from the CR3 that the stub loaded, checks all that must hold
 * for every entry on the way, and says what a page may be used for.
 */
#ifndef PAGE_WALK_H
#define PAGE_WALK_H

#define HARNESS_CPU
#define OWN_INVLPG
#define OWN_WRITE_CR3
#include "harness.h"

/* The instructions that have no effect here but an order. */
static void mock_clflush(const volatile void *addr);
static void mock_mfence(void);
#define clflush mock_clflush
#define mfence mock_mfence
#include "lib/e820.c"
#include "ident_map_64.c"
#undef clflush
#undef mfence

#define BIT(n)	(1UL << (n))
#define KIB4	BIT(12)
#define MIB2	BIT(21)
#define GIB1	BIT(30)
#define GIB512	BIT(39)
#define TIB256	BIT(48)

/* -- The processor. */

enum event_type { CLFLUSH, MFENCE, INVLPG };

struct event {
	enum event_type type;
	u64 addr;
	unsigned int page;	/* what the map said then about watched */
};

static struct event events[256];
static unsigned int event_count;
static u64 watched;
static u64 cr3;

/* What a page may be used for: a byte of the model, and look()'s answer. */
enum {
	MAPPED = 1, WRITE = 2, EXEC = 4, SHARED = 8, UNCACHED = 16, GUARD = 32
};

static unsigned int page_at(u64 addr);

static void record(enum event_type type, u64 addr)
{
	if (event_count < ARRAY_SIZE(events))
		events[event_count++] = (struct event){
			type, addr, page_at(watched)
		};
}

static void mock_clflush(const volatile void *addr)
{
	record(CLFLUSH, (u64)addr);
}

static void mock_mfence(void)
{
	record(MFENCE, 0);
}

void invlpg(u64 addr)
{
	record(INVLPG, addr);
}

void write_cr3(u64 value)
{
	cr3 = value;
}

/* As sev_load_map() does it. */
static void load_map(void)
{
	write_cr3(ident_map_cr3());
}

/* -- The map under test. */

#define POOL_PAGES	2048
#define POOL_DIRT	0xa5

static u8 pool[(POOL_PAGES + 1) * KIB4] __attribute__((aligned(4096)));
static struct boot_params bp;

struct setup {
	unsigned int levels;
	unsigned int c_bit;	/* 0: none */
	bool nx, pages_1g;
};

static const struct setup setups[] = {
	{ 4, 0, false, false },
	{ 4, 0, true, true },
	{ 4, 47, true, false },
	{ 4, 51, true, true },
	{ 5, 0, true, false },
	{ 5, 47, true, true },
	{ 5, 51, false, true },
};

static struct setup now;
static u64 limit;		/* of what can be mapped */

static struct ident_map_config config_of(const struct setup *setup,
					 size_t pages)
{
	return (struct ident_map_config){
		.pool = pool,
		.pool_size = pages * KIB4,
		.levels = setup->levels,
		.enc_mask = setup->c_bit ? BIT(setup->c_bit) : 0,
		.nx = setup->nx,
		.pages_1g = setup->pages_1g,
		.bp = &bp,
	};
}

static void start_with(const struct setup *setup, size_t pages)
{
	struct ident_map_config config = config_of(setup, pages);
	int ret;

	memset(pool, POOL_DIRT, sizeof(pool));
	now = *setup;
	limit = setup->levels == 4 ? BIT(47) : BIT(52);
	if (setup->c_bit && BIT(setup->c_bit) < limit)
		limit = BIT(setup->c_bit);
	ret = ident_map_init(&config);
	CHECK(!ret, "init: %d", ret);
	load_map();
	event_count = 0;
}

static maybe_unused void start(const struct setup *setup)
{
	start_with(setup, POOL_PAGES);
}

/* -- The page walk. */

struct page {
	unsigned int use;
	unsigned int shift;	/* log2 of the entry's span */
};

/* Which address a table entry points to; in the pool and with its C-bit. */
static const u64 *checked_table(u64 entry)
{
	u64 c_bit = now.c_bit ? BIT(now.c_bit) : 0;
	u64 addr = entry & (BIT(52) - KIB4) & ~c_bit;

	CHECK((entry & c_bit) == c_bit, "table %#lx without C-bit", entry);
	CHECK(addr >= (u64)pool && addr < (u64)pool + POOL_PAGES * KIB4,
	      "table %#lx outside the pool", entry);
	return (const u64 *)addr;
}

/* A leaf: P A D set, not user, not global, no PAT index but WB and UC. */
static unsigned int checked_leaf(u64 entry, u64 addr, unsigned int shift)
{
	u64 c_bit = now.c_bit ? BIT(now.c_bit) : 0;
	u64 frame = entry & (BIT(52) - KIB4) & ~c_bit;
	unsigned int caching = entry >> 3 & 3, use = MAPPED;

	CHECK((entry & (BIT(0) | BIT(5) | BIT(6))) ==
	      (BIT(0) | BIT(5) | BIT(6)), "leaf %#lx at %#lx", entry, addr);
	CHECK(!(entry & (BIT(2) | BIT(8))), "leaf %#lx at %#lx", entry, addr);
	CHECK(caching == 0 || caching == 3, "leaf %#lx at %#lx", entry, addr);
	CHECK(!(entry & BIT(7)) == (shift == 12), "leaf %#lx at %#lx, 2^%u",
	      entry, addr, shift);
	CHECK(frame == (addr >> shift << shift), "%#lx maps to %#lx", addr,
	      frame);
	CHECK(!(entry & (BIT(9) | BIT(10) | BIT(11) | 0x7ffULL << 52)),
	      "leaf %#lx at %#lx", entry, addr);
	CHECK(now.nx || !(entry & BIT(63)), "leaf %#lx at %#lx", entry, addr);
	CHECK(shift < 30 || now.pages_1g, "1 GiB leaf at %#lx", addr);

	use |= entry & BIT(1) ? WRITE : 0;
	use |= entry & BIT(63) ? 0 : EXEC;
	use |= caching ? UNCACHED : 0;
	use |= c_bit && !(entry & c_bit) ? SHARED : 0;
	return use;
}

static struct page look(u64 addr)
{
	unsigned int shift = now.levels == 5 ? 48 : 39;
	u64 entry = cr3;

	for (;; shift -= 9) {
		entry = checked_table(entry)[addr >> shift & 511];
		if (!entry)
			return (struct page){ 0, shift };
		if (!(entry & BIT(0))) {
			CHECK(shift == 12, "guard %#lx of 2^%u", entry, shift);
			return (struct page){ GUARD, shift };
		}
		if (shift == 12 || (entry & BIT(7)))
			break;
		/* A table allows everything; its leaves decide. */
		CHECK((entry & (BIT(63) | 0xfff)) == 3, "table %#lx", entry);
	}
	CHECK(shift <= 30, "leaf %#lx of 2^%u", entry, shift);
	return (struct page){ checked_leaf(entry, addr, shift), shift };
}

static unsigned int page_at(u64 addr)
{
	return look(addr).use;
}

/* Bytes mapped or guarded in the whole address space. */
static maybe_unused u64 total(void)
{
	u64 addr, bytes = 0;
	struct page page;

	for (addr = 0; addr < BIT(now.levels == 5 ? 56 : 47);
	     addr += BIT(page.shift)) {
		page = look(addr);
		if (page.use)
			bytes += BIT(page.shift);
	}
	return bytes;
}

/* What range(.., prot) should make of a page. */
static unsigned int use_of(unsigned int prot)
{
	return MAPPED | (prot & MAP_WRITE ? WRITE : 0) |
	       (prot & MAP_EXEC || !now.nx ? EXEC : 0);
}

static maybe_unused unsigned int device_use(void)
{
	return MAPPED | WRITE | UNCACHED | (now.nx ? 0 : EXEC) |
	       (now.c_bit ? SHARED : 0);
}

/* What ident_map_query() should answer. */
static int answer_of(unsigned int use)
{
	if (!(use & MAPPED))
		return -EFAULT;
	return (use & WRITE ? MAP_WRITE : 0) | (use & EXEC ? MAP_EXEC : 0) |
	       (use & SHARED ? MAP_DECRYPTED : 0);
}

static maybe_unused void expect(u64 start, u64 end, unsigned int use)
{
	struct page page;
	u64 addr;

	for (addr = start; addr < end; addr += KIB4) {
		page = look(addr);
		CHECK(page.use == use, "%#lx of [%#lx, %#lx): %#x, want %#x",
		      addr, start, end, page.use, use);
		CHECK(ident_map_query(addr + 8) == answer_of(use), "%#lx: %d",
		      addr, ident_map_query(addr + 8));
	}
}

/* The largest leaf around @addr that [start, end) covers. */
static unsigned int best_shift(u64 addr, u64 start, u64 end)
{
	unsigned int shift = now.pages_1g ? 30 : 21;

	while (shift > 12 && ((addr >> shift << shift) < start ||
			      (addr >> shift << shift) + BIT(shift) > end))
		shift -= 9;
	return shift;
}

static maybe_unused void expect_sizes(u64 start, u64 end)
{
	unsigned int want;
	struct page page;
	u64 addr;

	for (addr = start; addr < end; addr += BIT(page.shift)) {
		page = look(addr);
		want = best_shift(addr, start, end);
		CHECK(page.shift == want, "%#lx of [%#lx, %#lx): 2^%u not 2^%u",
		      addr, start, end, page.shift, want);
	}
}

/* Runs @body for every setup. */
#define FOR_EACH_SETUP(setup)						\
	for (setup = setups; setup < setups + ARRAY_SIZE(setups); setup++)

static maybe_unused void add_e820(u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *entry = &bp.e820_table[bp.e820_entries++];

	entry->addr = start;
	entry->size = end - start;
	entry->type = type;
}

#endif
