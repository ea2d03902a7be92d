/* SPDX-License-Identifier: MIT */
/*
 * page_walk.h - for the tests of ident_map_64.c, the page-table builder: a
 * processor that records the stub's CLFLUSH, MFENCE and INVLPG, the setups to
 * test, and a page walk written from the manual (APM2 5.3 and 5.4) without the
 * stub's code.
 *
 * look() walks the page tables from the CR3 that the stub loaded. It checks the
 * bits of every entry on the way, and returns what the page may be used for. A
 * case calls start() for a setup, then functions of ident_map_64.c, then
 * expect().
 */
#ifndef PAGE_WALK_H
#define PAGE_WALK_H

#define HARNESS_CPU
#define OWN_INVLPG
#define OWN_READ_CR3
#define OWN_WRITE_CR3
#include "harness.h"

#include "image.h"

/* Pages of memory for page tables, and the value of their bytes before use. */
#define POOL_PAGES	2048
#define POOL_DIRT	0xa5

static u8 pool[(POOL_PAGES + 1) * PAGE_SIZE] __attribute__((aligned(4096)));
/* In the stub, linker.ld defines these. */
#define page_table_pool		pool
#define page_table_pool_end	(pool + POOL_PAGES * PAGE_SIZE)

/*
 * CLFLUSH and MFENCE have no effect that a process can see, so the tests record
 * their order.
 */
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

/* ---- the processor ---- */

enum event_type { CLFLUSH, MFENCE, INVLPG };

/* An instruction that the stub executed. @addr is its operand; 0 for MFENCE. */
struct event {
	enum event_type type;
	u64 addr;
	unsigned int page;	/* use of the page at @watched at that time */
};

/*
 * Recorded instructions in order; further ones are dropped. start() clears
 * them. A case sets @watched to an address whose page table entry changes. @cr3
 * is the value that the stub last loaded.
 */
static struct event events[256];
static unsigned int event_count;
static u64 watched;
static u64 cr3;

/*
 * What a page may be used for, as look() returns it and as models of cases keep
 * it. 0: not mapped. GUARD: a guard page, which must never be mapped.
 */
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

u64 read_cr3(void)
{
	return cr3;
}

void write_cr3(u64 value)
{
	cr3 = value;
}

/* Loads the page tables as sev_load_map() does. */
static void load_map(void)
{
	write_cr3(ident_map_cr3());
}

/* ---- the page tables under test ---- */

static struct boot_params bp;

/*
 * A processor and guest to build page tables for: 4 or 5 levels of page tables,
 * whether there are no-execute bits and 1 GiB pages.
 */
struct setup {
	unsigned int levels;
	unsigned int c_bit;	/* bit number of the C-bit; 0: no encryption */
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

/* The setup that start() chose. */
static struct setup now;
static u64 limit;		/* first address that cannot be mapped in it */

/*
 * What ident_map_init() is given for @setup, with @pages pages of memory for
 * tables.
 */
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

/*
 * Starts a case: empty page tables for @setup, loaded, with @pages pages of
 * memory to build more.
 */
static void start_with(const struct setup *setup, size_t pages)
{
	struct ident_map_config config = config_of(setup, pages);
	int ret;

	/* The last case may have left its map in force. */
	cr3 = 0;
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

/* start_with() as many pages as there are. */
static maybe_unused void start(const struct setup *setup)
{
	start_with(setup, POOL_PAGES);
}

/* ---- the page walk ---- */

/* What the tables say about an address. @use is a sum of MAPPED and so on. */
struct page {
	unsigned int use;
	unsigned int shift;	/* log2 of the bytes that the entry maps */
};

/*
 * Returns the table that @entry points to. It must lie in the pool, and the
 * entry must have the C-bit, because page tables are always encrypted.
 */
static const u64 *checked_table(u64 entry)
{
	u64 c_bit = now.c_bit ? BIT(now.c_bit) : 0;
	u64 addr = entry & (BIT(52) - KIB4) & ~c_bit;

	CHECK((entry & c_bit) == c_bit, "table %#lx without C-bit", entry);
	CHECK(addr >= (u64)pool && addr < (u64)pool + POOL_PAGES * KIB4,
	      "table %#lx outside the pool", entry);
	return (const u64 *)addr;
}

/*
 * Checks the bits of an entry that maps a page, and returns its use. Present,
 * accessed and dirty must be set, user and global clear. The caching bits may
 * select only PAT entries 0 (write-back) and 3 (uncached).
 */
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

/* Walks the page tables for @addr. */
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
		/*
		 * A table entry is writable and executable, because the rights
		 * of a page are in its last entry only.
		 */
		CHECK((entry & (BIT(63) | 0xfff)) == 3, "table %#lx", entry);
	}
	CHECK(shift <= 30, "leaf %#lx of 2^%u", entry, shift);
	return (struct page){ checked_leaf(entry, addr, shift), shift };
}

/* look(), for a case that needs the use only. */
static unsigned int page_at(u64 addr)
{
	return look(addr).use;
}

/* Number of bytes in the whole address space that are mapped or guard pages. */
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

/* The use that ident_map_range() with @prot must give to a page. */
static unsigned int use_of(unsigned int prot)
{
	return MAPPED | (prot & MAP_WRITE ? WRITE : 0) |
	       (prot & MAP_EXEC || !now.nx ? EXEC : 0);
}

/* The use that ident_map_device() must give to a page: shared and uncached. */
static maybe_unused unsigned int device_use(void)
{
	return MAPPED | WRITE | UNCACHED | (now.nx ? 0 : EXEC) |
	       (now.c_bit ? SHARED : 0);
}

/* What ident_map_query() must answer for a page of that use. */
static int answer_of(unsigned int use)
{
	if (!(use & MAPPED))
		return -EFAULT;
	return (use & WRITE ? MAP_WRITE : 0) | (use & EXEC ? MAP_EXEC : 0) |
	       (use & SHARED ? MAP_DECRYPTED : 0);
}

/*
 * Every page of [start, end) must have this use, by look() and
 * ident_map_query().
 */
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

/* log2 of the largest page around @addr that lies in [start, end). */
static unsigned int best_shift(u64 addr, u64 start, u64 end)
{
	unsigned int shift = now.pages_1g ? 30 : 21;

	while (shift > 12 && ((addr >> shift << shift) < start ||
			      (addr >> shift << shift) + BIT(shift) > end))
		shift -= 9;
	return shift;
}

/*
 * [start, end) must be mapped with pages as large as possible, because each
 * page table costs memory of the pool.
 */
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

/*
 * FOR_EACH_SETUP(setup) { ... }: runs the statement for every entry of
 * setups[].
 */
#define FOR_EACH_SETUP(setup)						\
	for (setup = setups; setup < setups + ARRAY_SIZE(setups); setup++)

/* Appends [start, end) to the zero page's memory map. */
static maybe_unused void add_e820(u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *entry = &bp.e820_table[bp.e820_entries++];

	entry->addr = start;
	entry->size = end - start;
	entry->type = type;
}

#endif
