/* SPDX-License-Identifier: MIT */
/*
 * ident_map_64.c - the stub's own page tables: every address translates to
 * itself, with just the rights that its use needs.
 *
 * Runs once C runs, at first on somebody else's page tables; from
 * sev_load_map() on the map is live and serves page faults. The pool must
 * then be mapped writable, because a table is found by its physical address.
 *
 *	     56    48 47    39 38    30 29    21 20    12 11       0
 *	    +--------+--------+--------+--------+--------+----------+
 *	    | PML5   | PML4   | PDP    | PD     | PT     | offset   |
 *	    +--------+--------+--------+--------+--------+----------+
 *	level   5        4        3        2        1
 *	CR3 --> table -> table -> table -> table -> table -> 4 KiB page
 *	                            |        +-------------> 2 MiB page
 *	                            +----------------------> 1 GiB page
 *
 * Level 5 exists with CR4.LA57 only (APM2 5.3). An entry is empty (zero), a
 * table, a leaf, or a guard: not present and marked. walk() alone goes from
 * the root to an entry, and makes or splits what is missing on the way.
 *
 * What the TLB may hold (APM2 5.5). A write to CR3 drops every translation
 * but the global ones, also when it writes the value that CR3 has, unless
 * CR4.PCIDE is on and bit 63 asks to keep them (5.5.1, 5.5.3). So
 * sev_load_map() leaves nothing of an older map: head_64.S has turned
 * CR4.PGE and CR4.PCIDE off, which drops global ones (5.5.2), and no entry
 * made here is global. An entry that was not present is never cached (5.5.3):
 * filling it needs no flush. Every other change is followed by INVLPG.
 */
#include "e820.h"
#include "ident_map.h"
#include "lib/string.h"
#include "x86.h"

#define LEVELS_MIN	4
#define LEVELS_MAX	5

/*
 * A page taken out of reach. The processor looks at no bit but P in an entry
 * that is not present (APM2 5.4.1), so any other bit can be the mark.
 */
#define PTE_GUARD	(_AC(1, UL) << 9)

/* PCD and PWT select UC in PAT's reset value (APM2 7.8.2). */
#define PTE_UNCACHED	(PTE_PCD | PTE_PWT)

static struct {
	struct ident_map_config config;
	u64 *root;
	size_t pool_used;
	u64 limit;		/* addresses from here on cannot be mapped */
	bool busy;		/* the tables change: no fault is served */
} map in_data;

enum walk_mode {
	WALK_FILL,		/* put tables where there is nothing yet */
	WALK_SPLIT,		/* put tables where larger leaves are */
};

static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * TABLE_INDEX_BITS;
}

static u64 level_size(unsigned int level)
{
	return _AC(1, UL) << level_shift(level);
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return (entry & PTE_PRESENT) && (level == 1 || (entry & PTE_LEAF));
}

static bool is_table(u64 entry, unsigned int level)
{
	return (entry & PTE_PRESENT) && !is_leaf(entry, level);
}

static u64 *table_of(u64 entry)
{
	return (u64 *)(entry & PTE_ADDR_MASK & ~map.config.enc_mask);
}

/*
 * One whole store, where the code says: the processor may look at any time,
 * and the caller uses the page next.
 */
static void write_entry(u64 *entry, u64 value)
{
	*(volatile u64 *)entry = value;
	barrier();
}

/*
 * Nothing faults while the tables change. But a hypervisor can inject a page
 * fault at any instruction, with whatever CR2 holds: serving it could hand out
 * one table twice.
 */
static bool begin_change(void)
{
	bool was_busy = map.busy;

	map.busy = true;
	barrier();
	return was_busy;
}

static void end_change(bool was_busy)
{
	barrier();
	map.busy = was_busy;
}

/* Returns a table of empty entries, or NULL: the pool is exhausted. */
static u64 *alloc_table(void)
{
	bool was_busy = begin_change();
	u64 *table = NULL;

	if (map.config.pool_size - map.pool_used >= PAGE_SIZE) {
		table = memset((u8 *)map.config.pool + map.pool_used, 0,
			       PAGE_SIZE);
		map.pool_used += PAGE_SIZE;
	}
	end_change(was_busy);
	return table;
}

/* Translates in @table what @leaf of @level does, in smaller pieces. */
static void fill_from_leaf(u64 *table, u64 leaf, unsigned int level)
{
	unsigned int i;

	/* In the last level this bit is part of the PAT index (APM2 5.4.1). */
	if (level == 2)
		leaf &= ~PTE_LEAF;
	for (i = 0; i < PTRS_PER_TABLE; i++)
		write_entry(&table[i], leaf + i * level_size(level - 1));
}

/*
 * Puts a table in the place of an empty entry or a leaf. Returns false if the
 * pool is exhausted.
 *
 * When the map is live the leaf may hold this very code, its stack and the
 * table, so the entry cannot be cleared in between. It need not be: the table
 * is complete before the entry points to it, and until INVLPG the processor
 * uses the old or the new entry (APM2 5.5.3), which say the same.
 */
static bool extend(u64 *entry, unsigned int level, u64 addr)
{
	u64 *table = alloc_table();
	u64 old = *entry;

	if (!table)
		return false;
	if (old)
		fill_from_leaf(table, old, level);
	write_entry(entry, (u64)table | PTE_PRESENT | PTE_WRITE |
			   map.config.enc_mask);
	if (old)
		invlpg(addr);
	return true;
}

static bool may_extend(u64 entry, unsigned int level, enum walk_mode mode)
{
	return mode == WALK_SPLIT ? is_leaf(entry, level) : !entry;
}

/*
 * Goes from the root towards @addr as far as there are tables, and down to
 * @level extends them as @mode says. Returns the entry at which that ends: a
 * leaf, a guard or empty. *@found is its level. NULL: the pool is exhausted.
 */
static u64 *walk(u64 addr, unsigned int level, enum walk_mode mode,
		 unsigned int *found)
{
	unsigned int at = map.config.levels;
	u64 *table = map.root;
	u64 *entry;

	for (;; at--) {
		entry = &table[(addr >> level_shift(at)) % PTRS_PER_TABLE];
		if (!is_table(*entry, at)) {
			if (at <= level || !may_extend(*entry, at, mode))
				break;
			if (!extend(entry, at, addr))
				return NULL;
		}
		table = table_of(*entry);
	}

	*found = at;
	return entry;
}

/* The entry that decides about @addr, as it stands. */
static u64 *lookup(u64 addr, unsigned int *level)
{
	return walk(addr, map.config.levels, WALK_FILL, level);
}

/* The first address behind the entry of @level that holds @addr. */
static u64 next_addr(u64 addr, unsigned int level)
{
	return ALIGN_DOWN(addr, level_size(level)) + level_size(level);
}

static unsigned int largest_leaf(u64 addr, u64 end)
{
	unsigned int level = map.config.pages_1g ? 3 : 2;

	while (level > 1 && (addr % level_size(level) ||
			     end - addr < level_size(level)))
		level--;
	return level;
}

/* Fills what is empty in the pages of [addr, end) with leaves. */
static int map_pages(u64 addr, u64 end, u64 attributes)
{
	bool was_busy = begin_change();
	unsigned int level;
	u64 *entry;
	int err = 0;

	/* Accessed and dirty from the start: the processor writes no table. */
	attributes |= PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY;

	while (addr < end) {
		entry = walk(addr, largest_leaf(addr, end), WALK_FILL, &level);
		if (!entry) {
			err = -ENOMEM;
			break;
		}
		if (!*entry)
			write_entry(entry, addr | attributes |
					   (level > 1 ? PTE_LEAF : 0));
		addr = next_addr(addr, level);
	}
	end_change(was_busy);
	return err;
}

/* Widens [*start, *end) to whole pages; false if they cannot be mapped. */
static bool round_to_pages(u64 *start, u64 *end)
{
	if (*start >= *end || *end > map.limit)
		return false;
	*start = ALIGN_DOWN(*start, PAGE_SIZE);
	*end = ALIGN_UP(*end, PAGE_SIZE);
	return true;
}

static u64 attributes_of(unsigned int prot)
{
	u64 attributes = map.config.enc_mask;

	if (prot & MAP_WRITE)
		attributes |= PTE_WRITE;
	/* Without EFER.NXE the bit is reserved (APM2 5.4.1). */
	if (map.config.nx && !(prot & MAP_EXEC))
		attributes |= PTE_NX;
	return attributes;
}

/*
 * The lower half of canonical addresses; the C-bit and what is above it are no
 * part of an address (APM2 7.10.1).
 */
static u64 limit_of(unsigned int levels)
{
	u64 limit = _AC(1, UL) << (level_shift(levels + 1) - 1);

	if (limit > PTE_ADDR_MASK + PAGE_SIZE)
		limit = PTE_ADDR_MASK + PAGE_SIZE;
	if (map.config.enc_mask && limit > map.config.enc_mask)
		limit = map.config.enc_mask;
	return limit;
}

int ident_map_init(const struct ident_map_config *config)
{
	u64 pool = (u64)config->pool;

	/* The C-bit is one bit, and no part of an offset in a page. */
	if (config->levels < LEVELS_MIN || config->levels > LEVELS_MAX ||
	    (config->enc_mask & (config->enc_mask - 1)) ||
	    (config->enc_mask & ~PTE_ADDR_MASK) ||
	    config->enc_mask % PMD_SIZE)
		return -EINVAL;

	map.config = *config;
	map.pool_used = 0;

	map.limit = limit_of(config->levels);

	if (pool % PAGE_SIZE || pool > map.limit ||
	    config->pool_size > map.limit - pool)
		return -EINVAL;
	map.root = alloc_table();
	return map.root ? 0 : -ENOMEM;
}

int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	if (!round_to_pages(&start, &end))
		return -EINVAL;
	return map_pages(start, end, attributes_of(prot));
}

int ident_map_guard(u64 addr)
{
	unsigned int level;
	u64 *entry;

	if (addr >= map.limit)
		return -EINVAL;
	entry = walk(addr, 1, WALK_FILL, &level);
	if (!entry)
		return -ENOMEM;
	if (*entry)
		return -EINVAL;
	write_entry(entry, PTE_GUARD);
	return 0;
}

bool ident_map_is_guard(u64 addr)
{
	unsigned int level;

	return addr < map.limit && *lookup(addr, &level) == PTE_GUARD;
}

/*
 * Where the processor does not keep the two views of a page coherent, a dirty
 * line of the old view would be written over what the new one stores: the page
 * leaves the caches first, by the mapping that brought it there (APM2 7.10.6).
 * Whether this processor is one of those only CPUID could say, and CPUID is an
 * exit.
 */
static void flush_page(u64 addr)
{
	u64 line;

	for (line = addr; line < addr + PAGE_SIZE; line += CACHE_LINE_SIZE)
		clflush((const void *)line);
	/* CLFLUSH is ordered by MFENCE only (APM3 CLFLUSH). */
	mfence();
}

static int set_enc_mask(u64 addr, u64 enc_mask)
{
	unsigned int level;
	u64 *entry;

	if (!map.config.enc_mask || addr >= map.limit)
		return -EINVAL;
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	entry = walk(addr, 1, WALK_SPLIT, &level);
	if (!entry)
		return -ENOMEM;
	if (!is_leaf(*entry, level))
		return -EINVAL;

	flush_page(addr);
	write_entry(entry, (*entry & ~map.config.enc_mask) | enc_mask);
	invlpg(addr);
	return 0;
}

int ident_map_set_decrypted(u64 addr)
{
	return set_enc_mask(addr, 0);
}

int ident_map_set_encrypted(u64 addr)
{
	return set_enc_mask(addr, map.config.enc_mask);
}

int ident_map_device(u64 addr, u64 size)
{
	u64 start = addr, end = addr + size;
	unsigned int level;

	if (!round_to_pages(&start, &end))
		return -EINVAL;
	for (addr = start; addr < end; addr = next_addr(addr, level)) {
		if (*lookup(addr, &level))
			return -EINVAL;
	}
	return map_pages(start, end,
			 (attributes_of(MAP_WRITE) & ~map.config.enc_mask) |
			 PTE_UNCACHED);
}

int ident_map_remove(u64 addr, u64 size)
{
	u64 start = addr, end = addr + size;
	unsigned int level;
	u64 *entry;

	if (!round_to_pages(&start, &end))
		return -EINVAL;
	for (addr = start; addr < end; addr = next_addr(addr, level)) {
		entry = lookup(addr, &level);
		if (!is_leaf(*entry, level) || addr % level_size(level) ||
		    end - addr < level_size(level))
			return -EINVAL;
		write_entry(entry, 0);
		invlpg(addr);
	}
	return 0;
}

int ident_map_query(u64 addr)
{
	unsigned int level;
	int flags = MAP_RO;
	u64 entry;

	if (addr >= map.limit)
		return -EFAULT;
	entry = *lookup(addr, &level);
	if (!is_leaf(entry, level))
		return -EFAULT;
	if (entry & PTE_WRITE)
		flags |= MAP_WRITE;
	if (!(entry & PTE_NX))
		flags |= MAP_EXEC;
	if (map.config.enc_mask && !(entry & map.config.enc_mask))
		flags |= MAP_DECRYPTED;
	return flags;
}

size_t ident_map_tables_left(void)
{
	return (map.config.pool_size - map.pool_used) / PAGE_SIZE;
}

u64 ident_map_cr3(void)
{
	return (u64)map.root | map.config.enc_mask;
}

/* Whether @table maps nothing from its entry @first on. */
static bool is_empty_from(const u64 *table, unsigned int first)
{
	while (first < PTRS_PER_TABLE && !table[first])
		first++;
	return first == PTRS_PER_TABLE;
}

/*
 * Four levels are what the first entry of the fifth one maps, all of it. The
 * tables in use stay as they are: this is about where the next walk starts.
 */
int ident_map_set_levels(unsigned int levels)
{
	u64 *root;

	if (levels == LEVELS_MAX) {
		root = alloc_table();
		if (!root)
			return -ENOMEM;
		write_entry(root, (u64)map.root | PTE_PRESENT | PTE_WRITE |
				  map.config.enc_mask);
	} else {
		if (!is_table(*map.root, LEVELS_MAX))
			return -EINVAL;
		root = table_of(*map.root);
		if (!is_empty_from(map.root, 1) ||
		    !is_empty_from(root, PTRS_PER_TABLE / 2))
			return -EINVAL;
	}
	map.root = root;
	map.config.levels = levels;
	map.limit = limit_of(levels);
	return 0;
}

int ident_map_fault(u64 addr, u64 error_code)
{
	unsigned int level;
	u64 low, high;

	/*
	 * Only a read or write, by us, of what is not mapped. A mapped page
	 * would fault again at once, so it is no success to find one.
	 */
	if (map.busy || (error_code & ~PF_WRITE) || addr >= map.limit ||
	    *lookup(addr, &level))
		return -EFAULT;

	low = ALIGN_DOWN(addr, PMD_SIZE);
	high = low + PMD_SIZE;
	if (!e820_ram_around(map.config.bp, addr, &low, &high))
		return -EFAULT;
	/* A page that is RAM only in part is not touched. */
	low = ALIGN_UP(low, PAGE_SIZE);
	high = ALIGN_DOWN(high, PAGE_SIZE);
	if (addr < low || addr >= high)
		return -EFAULT;
	return map_pages(low, high, attributes_of(MAP_WRITE));
}
