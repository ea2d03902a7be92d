/* SPDX-License-Identifier: MIT */
/*
 * page_walk.h - for the tests of ident_map_64.c, the page-table builder: fakes
 * of CLFLUSH, MFENCE and INVLPG that record their use, the kinds of page tables
 * to test, and a page walk that is written from the manual (APM2 5.3 and 5.4)
 * without the stub's code.
 *
 * A case calls start() to choose the kind of page tables, then functions of
 * ident_map_64.c, then expect(). look() walks the page tables from the CR3 that
 * the stub loaded. It checks the bits of every entry that it reads, and returns
 * what the page may be used for.
 */
#ifndef PAGE_WALK_H
#define PAGE_WALK_H

#define HARNESS_CPU
#define OWN_INVLPG
#define OWN_READ_CR2
#define OWN_WRITE_CR2
#define OWN_XMM15
#define OWN_READ_CR3
#define OWN_WRITE_CR3
#define OWN_READ_CR4
#define OWN_RDMSR
#include "harness.h"

#include "image.h"

/* Number of pages of memory for page tables, and the value of each byte before use. */
#define POOL_PAGES	2048
#define POOL_DIRT	0xa5

static u8 pool[(POOL_PAGES + 1) * PAGE_SIZE] __attribute__((aligned(4096)));
/*
 * The memory for page tables. In the stub, linker.ld defines page_table_pool
 * and page_table_pool_end. A case may set pool_now to memory other than @pool.
 * start_with() sets pool_now to @pool again.
 */
static u8 *pool_now = pool;
#define page_table_pool		pool_now
#define page_table_pool_end	(pool_now + POOL_PAGES * PAGE_SIZE)

/*
 * A process cannot see an effect of CLFLUSH and MFENCE. These functions replace
 * the two instructions in ident_map_64.c and record their order.
 */
static void mock_clflush(const volatile void *addr);
static void mock_mfence(void);
#define clflush mock_clflush
#define mfence mock_mfence
/*
 * ident_map_64.c changes the C-bit of the page shared_page only, and maps only
 * addresses from DEVICE_START to DEVICE_END as a device, and no page below LOWEST_MAPPED.
 * In the stub these are constants: the GHCB page, VGA memory, and the end of page 0. Here they
 * are variables, so that a case can choose them.
 */
static u64 shared_now, lowest_mapped, device_start, device_end = ~0UL;
#define shared_page		shared_now
#define LOWEST_MAPPED		lowest_mapped
#define DEVICE_START		device_start
#define DEVICE_END		device_end
#include "lib/e820.c"
#include "ident_map_64.c"
/*
 * The first page of each array is a guard page of the stub. The other pages of the array are
 * ordinary pages, so that the two guard pages are not next to each other.
 */
const u8 stack_guard[4 * PAGE_SIZE] __attribute__((aligned(4096)));
const u8 double_fault_guard[4 * PAGE_SIZE] __attribute__((aligned(4096)));
/*
 * These macros replace the functions of the same names. Each macro first makes
 * the page at @addr the one whose C-bit may change, so that a case may change
 * any page. A case that puts the name in parentheses, as in
 * (ident_map_set_decrypted)(), calls the function without the macro.
 */
#define ident_map_set_decrypted(addr)					\
	(shared_now = ALIGN_DOWN((u64)(addr), PAGE_SIZE),		\
	 ident_map_set_decrypted(addr))
#define ident_map_set_encrypted(addr)					\
	(shared_now = ALIGN_DOWN((u64)(addr), PAGE_SIZE),		\
	 ident_map_set_encrypted(addr))
#define ident_map_flush(addr)						\
	(shared_now = ALIGN_DOWN((u64)(addr), PAGE_SIZE), ident_map_flush(addr))
#define ident_map_set_flushed(addr)					\
	(shared_now = ALIGN_DOWN((u64)(addr), PAGE_SIZE),		\
	 ident_map_set_flushed(addr))
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
	/*
	 * How the page at @watched was mapped when the stub executed the
	 * instruction: a sum of MAPPED, WRITE and so on.
	 */
	unsigned int page;
};

/*
 * @events has the recorded instructions in order. If @events is full, record()
 * drops further instructions. start() empties @events. Each event also records
 * how the page at @watched is mapped. A case sets @watched to the page that the
 * case lets the stub change. @cr3 is the value that the stub last loaded to CR3.
 */
static struct event events[256];
static unsigned int event_count;
static u64 watched;
static u64 cr3;

/*
 * What a page may be used for, as a sum of these values. 0: the page is not
 * mapped. GUARD marks a guard page, which the page-fault handler must never
 * map.
 */
enum {
	MAPPED = 1, WRITE = 2, EXEC = 4, SHARED = 8, UNCACHED = 16, GUARD = 32,
	PAYLOAD = 64
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

#include "map_registers.h"

u64 read_cr3(void)
{
	return cr3;
}

void write_cr3(u64 value)
{
	cr3 = value;
}

/* Loads the new page tables. In the stub, sev_load_map() does this. */
static void load_map(void)
{
	write_cr3(ident_map_cr3());
}

/* ---- the page tables under test ---- */

static struct boot_params bp;

/*
 * A kind of page tables to test. @levels is 4 or 5. @nx: the processor has
 * no-execute bits. @pages_1g: the processor has pages of 1 GiB.
 */
struct setup {
	unsigned int levels;
	/* Bit number of the C-bit in an address. 0: memory is not encrypted. */
	unsigned int c_bit;
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

/*
 * Stands for reading CR4. CR4.LA57 (bit 12) is set if the page tables under
 * test have five levels. The other bits are 0.
 */
u64 read_cr4(void)
{
	return now.levels == 5 ? BIT(12) : 0;
}

/* Stands for reading EFER: EFER.NXE is set if the processor has no-execute bits. */
u64 rdmsr(u32 msr)
{
	CHECK(msr == MSR_EFER, "%#x", msr);
	return now.nx ? EFER_NXE : 0;
}

/* The lowest address that page tables of the setup @now cannot map. */
static u64 limit;

/*
 * Arguments for ident_map_init() to build page tables as @setup says, with at
 * most @pages pages of memory for them.
 */
static struct ident_map_config config_of(const struct setup *setup,
					 size_t pages)
{
	return (struct ident_map_config){
		.pool_size = pages * KIB4,
		.enc_mask = setup->c_bit ? BIT(setup->c_bit) : 0,
		.pages_1g = setup->pages_1g,
		.bp = &bp,
	};
}

/*
 * Starts a case: builds and loads empty page tables as @setup says. The builder
 * may use @pages pages of memory for page tables.
 */
static void start_with(const struct setup *setup, size_t pages)
{
	struct ident_map_config config = config_of(setup, pages);
	int ret;

	/*
	 * The case before may have left its page tables in CR3. ident_map_init()
	 * fails while page tables of the pool are loaded.
	 */
	cr3 = 0;
	pool_now = pool;
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

/* Like start_with(), with all POOL_PAGES pages of memory for page tables. */
static maybe_unused void start(const struct setup *setup)
{
	start_with(setup, POOL_PAGES);
}

/* ---- the page walk ---- */

/*
 * What the page tables say about an address. @use is a sum of MAPPED, WRITE and
 * so on.
 */
struct page {
	unsigned int use;
	/* log2 of the number of bytes that the page table entry maps. */
	unsigned int shift;
};

/*
 * Returns the page table that @entry points to. It must lie in @pool. @entry
 * must have the C-bit, because the stub keeps its page tables encrypted.
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
 * Checks the bits of an entry that maps a page of 2^@shift bytes at @addr.
 * Present, accessed and dirty must be set, user and global clear. The caching
 * bits may only select entry 0 (write-back) or 3 (uncached) of the PAT. Returns
 * how the page may be used: a sum of MAPPED, WRITE and so on.
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
	CHECK(!(entry & (BIT(9) | BIT(11) | 0x7ffULL << 52)),
	      "leaf %#lx at %#lx", entry, addr);
	CHECK(now.nx || !(entry & BIT(63)), "leaf %#lx at %#lx", entry, addr);
	CHECK(shift < 30 || now.pages_1g, "1 GiB leaf at %#lx", addr);

	use |= entry & BIT(1) ? WRITE : 0;
	use |= entry & BIT(63) ? 0 : EXEC;
	use |= caching ? UNCACHED : 0;
	use |= entry & BIT(10) ? PAYLOAD : 0;
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
		 * An entry that points to a page table must allow writes and
		 * execution, because ident_map_64.c restricts a page only in
		 * the entry that maps it.
		 */
		CHECK((entry & (BIT(63) | 0xfff)) == 3, "table %#lx", entry);
	}
	CHECK(shift <= 30, "leaf %#lx of 2^%u", entry, shift);
	return (struct page){ checked_leaf(entry, addr, shift), shift };
}

/*
 * Returns how the page at @addr is mapped: a sum of MAPPED, WRITE and so on.
 * Returns GUARD for a guard page, and 0 for a page that is not mapped.
 */
static unsigned int page_at(u64 addr)
{
	return look(addr).use;
}

/*
 * Number of bytes in the whole address space that are mapped or guard pages. A
 * case compares this number with what it let the stub map, to see that nothing
 * else was mapped.
 */
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

/*
 * Returns how a page must be mapped after ident_map_range() with the rights @prot
 * (MAP_WRITE and so on). The result is a sum of MAPPED, WRITE and so on.
 */
static unsigned int use_of(unsigned int prot)
{
	return MAPPED | (prot & MAP_WRITE ? WRITE : 0) |
	       (prot & MAP_PAYLOAD ? PAYLOAD : 0) |
	       (prot & MAP_EXEC || !now.nx ? EXEC : 0);
}

/* How a page must be mapped after ident_map_device(): shared and uncached. */
static maybe_unused unsigned int device_use(void)
{
	return MAPPED | WRITE | UNCACHED | (now.nx ? 0 : EXEC) |
	       (now.c_bit ? SHARED : 0);
}

/*
 * What ident_map_query() must return for a page that is mapped for @use, a sum
 * of MAPPED, WRITE and so on.
 */
static int answer_of(unsigned int use)
{
	if (!(use & MAPPED))
		return -EFAULT;
	return (use & WRITE ? MAP_WRITE : 0) | (use & EXEC ? MAP_EXEC : 0) |
	       (use & SHARED ? MAP_DECRYPTED : 0);
}

/*
 * Every page of [start, end) must be mapped for exactly @use. Both look() and
 * ident_map_query() must say so.
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

/*
 * log2 of the size of the largest page that contains @addr and lies in [start,
 * end).
 */
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
 * FOR_EACH_SETUP(setup) { ... }: executes the statement for each kind of page
 * tables in setups[].
 */
#define FOR_EACH_SETUP(setup)						\
	for (setup = setups; setup < setups + ARRAY_SIZE(setups); setup++)

/* Appends [start, end) to the memory map in the zero page (E820). */
static maybe_unused void add_e820(u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *entry = &bp.e820_table[bp.e820_entries++];

	entry->addr = start;
	entry->size = end - start;
	entry->type = type;
}

#endif
