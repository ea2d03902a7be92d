/* SPDX-License-Identifier: MIT */
/*
 * ident_map_64.c - the stub's own page tables. Each mapped address translates
 * to itself, with only the rights that its use needs.
 *
 * C code runs on the loader's page tables at first. sev_load_map() loads the
 * tables that this file builds. From then on page faults may add to them, but not in an
 * SEV-ES guest. The tables must map their own pool writable, because this code accesses
 * page tables by their physical addresses.
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
 * Level 5 exists only with CR4.LA57 (APM2 5.3). An entry is empty (zero), points to a table, is
 * a leaf that maps a page, or marks a guard page, which is not present. Only lookup() goes from
 * the root to an entry. walk() calls lookup(), and adds tables or splits leaves into tables.
 *
 * TLB (APM2 5.5): a write to CR3 invalidates all translations except global ones, also if the
 * value is the old one, unless CR4.PCIDE is set and bit 63 asks to keep them (5.5.1, 5.5.3).
 * head_64.S has cleared CR4.PGE and CR4.PCIDE, which invalidates global translations (5.5.2),
 * and no entry made here is global. Therefore no translation of older page tables is left after
 * sev_load_map(). The processor never caches an entry that is not present (5.5.3), so filling in
 * an empty entry needs no invalidation. Every other change of an entry is followed by INVLPG.
 */
#include "console.h"
#include "e820.h"
#include "ident_map.h"
#include "image.h"
#include "lib/string.h"
#include "page_table.h"
#include "sev.h"
#include "table_pool.h"
#include "x86.h"

#define LEVELS_MIN	4
#define LEVELS_MAX	5

/* PCD and PWT select uncached memory if the PAT register has its reset value (APM2 7.8.2). */
#define PTE_UNCACHED	(PTE_PCD | PTE_PWT)

/*
 * Below LOWEST_MAPPED is page 0, which stays a guard page. ident_map_device() maps only
 * memory from DEVICE_START to DEVICE_END. Tests replace these numbers.
 */
#ifndef DEVICE_START
#define LOWEST_MAPPED	PAGE_SIZE
#define DEVICE_START	VGA_START
#define DEVICE_END	VGA_END
#endif

/*
 * The pool begins with the top table of five levels. Its entry 0 points to the second page
 * of the pool, which is the top table of four levels. Both are at constant addresses, which
 * la57_toggle(), load_cr3_proven and is_own_map() rely on. If an address were in memory, the
 * hypervisor could put an old one back, and lookup() would walk a table with the wrong number
 * of levels.
 */
#define TOP_TABLES_SIZE	(2 * PAGE_SIZE)

static struct {
	struct ident_map_config config;
	/*
	 * Bytes of the pool that are page tables. If XMM15 holds this number, too,
	 * take_table() uses XMM15, which the hypervisor cannot change.
	 */
	size_t pool_used;
	/*
	 * True while a page-table entry or the pool is being changed.
	 * ident_map_fault() refuses every page fault then.
	 */
	bool busy;
} map in_data;

enum walk_mode {
	/* walk() puts tables into empty entries, and stops at leaves. */
	WALK_FILL,
	/* walk() replaces larger leaves by tables, and stops at empty entries. */
	WALK_SPLIT,
};

/*
 * Returns whether CR3 holds the stub's own page tables, and their C-bit. Inlined, so that the
 * result stays in registers: the hypervisor can put old contents of the stack back.
 */
static inline __attribute__((always_inline)) struct loaded_map loaded_map(void)
{
	u64 offset = (read_cr3() & LOAD_ANEW(PTE_ADDR_MASK)) - pool_start();
	u64 mask = offset & LOAD_ANEW(~((_AC(1, UL) << CBIT_MIN) - 1));

	/*
	 * @offset is CR3 less the pool's address. @mask is @offset without the bits below CBIT_MIN.
	 * The pool has less than 2^CBIT_MIN bytes, so @mask is the C-bit if the top table lies in
	 * the pool. The loader's page tables may lie there, too, until ident_map_init() builds the
	 * stub's. ident_map_init() therefore sets CR2, which was 0, as a mark.
	 */
	return (struct loaded_map){
		.enc_mask = mask,
		.loaded = is_in_pool(offset - mask) &&
			  has_one_bit_at_most(mask) && read_cr2(),
	};
}

struct loaded_map ident_map_loaded(void)
{
	return loaded_map();
}

/*
 * Returns the C-bit as a mask, 0 outside of SEV. Takes the C-bit from CR3 or XMM15 if one has
 * it. In memory the hypervisor could put an old 0 back, and the stub would map pages shared.
 */
static inline __attribute__((always_inline)) u64 read_enc_mask(void)
{
	struct loaded_map map_now = loaded_map();
	u64 at = in_xmm15();

	if (map_now.loaded)
		return map_now.enc_mask;
	if (is_in_pool(at))
		return cbit_in_xmm15(at);
	return map.config.enc_mask;
}

static inline u64 enc_mask(void)
{
	return read_enc_mask();
}

/* Returns the top page table for @levels levels of paging. */
static inline u64 *top_table(unsigned int levels)
{
	return (u64 *)(page_table_pool + (levels == LEVELS_MAX ? 0 : PAGE_SIZE));
}

/*
 * Returns the number of levels of paging. CR4.LA57 is right at any time, because la57_switch()
 * changes it before it loads other page tables. If the number were in memory, the hypervisor
 * could put an old 0 back, and lookup() would take an entry of the top table for a leaf.
 */
static inline unsigned int levels_in_force(void)
{
	return read_cr4() & X86_CR4_LA57 ? LEVELS_MAX : LEVELS_MIN;
}

/*
 * Writes a page-table entry. The store must be a single one, because the processor may read the
 * entry at any time. The compiler must not delay it: the caller may access the page next.
 */
static void write_entry(u64 *entry, u64 value)
{
	*(volatile u64 *)entry = value;
	barrier();
}

/*
 * Writes an entry of private memory. Reads the C-bit from a register right before the write,
 * because the hypervisor could replace a C-bit on the stack by an old 0. Calls no function, so
 * that no old return address leads into its middle.
 */
static noinline void write_private(u64 *entry, u64 value)
{
	write_entry(entry, value | read_enc_mask());
}

/*
 * Starts a change of the page tables and returns whether one was already under way, for
 * end_change(). The change itself causes no page fault, but the hypervisor can inject one with
 * any CR2. If it were handled in the middle of a change, one table could be used twice. map.busy
 * makes ident_map_fault() refuse it.
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

/*
 * Takes a page of the pool for a page table. Its contents are not defined. Returns NULL if
 * the pool is used up. The number of used bytes is in XMM15. In memory the hypervisor could
 * put an old number back. The stub would then use a table twice, for example for two levels,
 * and the processor would read a page of the loader's data as a page table.
 */
static inline __attribute__((always_inline)) u64 *take_table(void)
{
	u64 at = in_xmm15();
	size_t used = is_in_pool(at) ? used_in_xmm15(at) : READ_ONCE(map.pool_used);
	size_t size = READ_ONCE(map.config.pool_size);

	/* The hypervisor can garble numbers in memory. Return nothing but a page of the pool. */
	if (size > (size_t)(page_table_pool_end - page_table_pool))
		size = (size_t)(page_table_pool_end - page_table_pool);
	if (used % PAGE_SIZE || used >= size || size - used < PAGE_SIZE)
		return NULL;
	map.pool_used = used + PAGE_SIZE;
	if (is_in_pool(at))
		count_in_xmm15(at);
	return (u64 *)(page_table_pool + used);
}

/*
 * Returns whether walk() may replace @entry by a table. Level 1 is refused. walk() stops at
 * the level that its caller asks for, but the hypervisor can have changed this level on the
 * stack to a lower one.
 */
static bool may_extend(u64 entry, unsigned int level, enum walk_mode mode)
{
	return level > 1 && (mode == WALK_SPLIT ? is_leaf(entry, level) : !entry);
}

/*
 * Replaces the entry @at, which is empty or a leaf, by a table of empty entries, or of
 * smaller leaves that translate the same addresses with the same rights. Returns false if
 * the pool is used up. extend() calls no function that saves a register, so that the addresses
 * of the entry and of the table stay in registers, which the hypervisor cannot change.
 *
 * The leaf may map this code, its stack or the table itself, so the entry must never be
 * empty meanwhile. The table is complete before the entry points to it. Until INVLPG the
 * processor may use the old or the new entry (APM2 5.5.3), and both translate to the same
 * address.
 */
static noinline bool extend(walked at)
{
	u64 leaf = READ_ONCE(*entry_of(at)), step = 0, *table, i;
	unsigned int level = level_of(at);

	/*
	 * The hypervisor can have put an old entry back since walk() has read it. If it points to
	 * a table, the code below would map that table as a page, so halt. Only bits from 21 on
	 * are compared, because bit 12 of a leaf of 2 MiB or more is no address bit.
	 */
	HOLD(extend, leaf);
	if (leaf && (!is_leaf(leaf, level) ||
		     !differs_in_cbit(leaf & -PMD_SIZE, ALIGN_DOWN(at.addr, level_size(level)))))
		halt_forever();
	table = take_table();
	if (!table)
		return false;

	if (leaf)
		step = level_size(level - 1);
	/*
	 * In a leaf of 2 MiB or more, PTE_LEAF (bit 7) marks the leaf. In the entry of a 4 KiB
	 * page, bit 7 selects a PAT entry, so clear it (APM2 5.4.1).
	 */
	if (level == 2)
		leaf &= ~PTE_LEAF;
	if (step)
		for (i = 0; i < PTRS_PER_TABLE; i++, leaf += step)
			write_entry(&table[i], leaf);
	else
		clear_table(table);
	write_private(entry_of(at), (u64)table | PTE_PRESENT | PTE_WRITE);
	if (step)
		invlpg(at.addr);
	return true;
}

/*
 * Returns the entry that translates @addr: a leaf, a guard or an empty entry. Each table on
 * the way must lie in the pool. If it does not, the hypervisor has changed an entry, and the
 * stub halts without a message, because lookup() also runs on the early stack, which has no
 * room for printing one.
 */
static noinline walked lookup(u64 addr)
{
	u64 mask = PTE_ADDR_MASK & ~enc_mask();
	unsigned int levels = levels_in_force();
	u64 *table = top_table(levels), *entry;
	u64 shift = level_shift(levels);

	HOLD(lookup, mask);
	for (;; shift -= TABLE_INDEX_BITS) {
		if (!is_in_pool((u64)table - pool_start()))
			halt_forever();
		entry = &table[(addr >> shift) % PTRS_PER_TABLE];
		if (!is_table(*entry, shift > PAGE_SHIFT ? 2 : 1))
			return (walked){ (u64)entry | level_at(shift), addr };
		table = (u64 *)(*entry & mask);
	}
}

/*
 * Looks @addr up and adds tables, or splits leaves, as @mode says, until the entry is of
 * @level or cannot be replaced by a table. Returns the entry, or none if the pool is used up.
 * walk() keeps the result of lookup() in registers, which the hypervisor cannot change. The
 * call of extend() puts them on the stack, so walk() calls lookup() again after it. The caller
 * must have called begin_change().
 */
static noinline walked walk(u64 addr, unsigned int level, enum walk_mode mode)
{
	walked at;

	for (;;) {
		at = lookup(addr);
		if (level_of(at) <= level ||
		    !may_extend(*entry_of(at), level_of(at), mode))
			return at;
		if (!extend(at))
			return (walked){ 0, 0 };
	}
}

/* Does what walk() does, with map.busy set meanwhile. */
static walked walk_busy(u64 addr, unsigned int level, enum walk_mode mode)
{
	bool was_busy = begin_change();
	walked at = walk(addr, level, mode);

	end_change(was_busy);
	return at;
}

static unsigned int largest_leaf(u64 addr, u64 end)
{
	unsigned int level = map.config.pages_1g ? 3 : 2;

	while (level > 1 && (addr % level_size(level) || end - addr < level_size(level)))
		level--;
	return level;
}

/*
 * Maps the pages from the entry @at to @end, as far as the entries lie in one table and are
 * empty. Returns the address after them, or 0 if @private is false and a page is outside of
 * DEVICE_START to DEVICE_END. What walk() has returned, the C-bit and all constants stay in
 * registers, which the hypervisor cannot change. It can change @end and @attributes, which the
 * caller had on the stack.
 */
static inline __attribute__((always_inline)) u64
fill_table(walked at, u64 end, u64 attributes, bool private)
{
	u64 mask = private ? read_enc_mask() : 0, size = level_size(level_of(at));
	u64 addr = ALIGN_DOWN(at.addr, size), *entry = entry_of(at);

	/* By an old return address the hypervisor can lead the stub here without walk(). */
	if (!level_of(at) || !is_in_pool((u64)entry - pool_start()))
		halt_forever();
	if (level_of(at) > 1)
		mask |= PTE_LEAF;
	/* Keep gcc from deleting "& ~PTE_ADDR_MASK": the hypervisor can change @attributes. */
	asm volatile("" : "+r"(attributes));
	/* With the accessed and dirty bits set, the processor need not write to the leaf. */
	mask |= PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | (attributes & ~PTE_ADDR_MASK);
	do {
		/* Only device memory may be shared. */
		if (!private && addr - DEVICE_START >= DEVICE_END - DEVICE_START)
			return 0;
		if (!*entry && (!private || !(addr < LOWEST_MAPPED || holds_guard(addr, size))))
			write_entry(entry, addr | mask);
		addr += size;
		entry++;
	} while (addr < end && end - addr >= size && (u64)entry % PAGE_SIZE && !*entry);
	return addr;
}

static noinline u64 fill_private(walked at, u64 end, u64 attributes)
{
	return fill_table(at, end, attributes, true);
}

static noinline u64 fill_device(walked at, u64 end, u64 attributes)
{
	return fill_table(at, end, attributes, false);
}

/*
 * Maps those pages of [addr, end) that are not mapped yet. Each caller passes a constant as
 * @private, so that it is no value in memory that the hypervisor could change.
 */
static inline __attribute__((always_inline)) int
fill_pages(u64 addr, u64 end, u64 attributes, bool private)
{
	bool was_busy = begin_change();
	int err = 0;

	while (addr < end && !err) {
		walked at = walk(addr, largest_leaf(addr, end), WALK_FILL);

		if (at.entry)
			addr = private ? fill_private(at, end, attributes) :
					 fill_device(at, end, attributes);
		err = !at.entry ? -ENOMEM : !addr ? -EINVAL : 0;
	}
	end_change(was_busy);
	return err;
}

static int map_pages(u64 addr, u64 end, u64 attributes)
{
	return fill_pages(addr, end, attributes, true);
}

/* Returns whether the page tables can map @addr. */
static noinline bool is_in_reach(u64 addr)
{
	u64 mask = enc_mask();

	return addr < map_limit(levels_in_force(), mask);
}

/* Widens [*start, *end) to whole pages. Returns false if it is empty or cannot be mapped. */
static bool round_to_pages(u64 *start, u64 *end)
{
	if (*start >= *end || !is_in_reach(*end - 1))
		return false;
	*start = ALIGN_DOWN(*start, PAGE_SIZE);
	*end = ALIGN_UP(*end, PAGE_SIZE);
	return true;
}

/*
 * Returns the bits of a leaf for the rights @prot. Inlined, because by an old return address the
 * hypervisor could lead to the place after a call, which would take any RAX for the rights.
 */
static inline __attribute__((always_inline)) u64 attributes_of(unsigned int prot)
{
	u64 attributes = (prot & MAP_WRITE ? PTE_WRITE : 0) |
			 (prot & MAP_PAYLOAD ? PTE_PAYLOAD : 0);

	/*
	 * Without EFER.NXE the NX bit is reserved and must be 0 (APM2 5.4.1). Ask the processor:
	 * in memory the hypervisor could put an old answer back.
	 */
	if (!(prot & MAP_EXEC) && rdmsr(MSR_EFER) & EFER_NXE)
		attributes |= PTE_NX;
	return attributes;
}

int ident_map_init(const struct ident_map_config *config)
{
	u64 mask = READ_ONCE(config->enc_mask);
	u64 last = (u64)page_table_pool + config->pool_size - 1;

	/*
	 * The C-bit must be a single address bit of an entry, and not one of the lowest 21,
	 * which are the offset within a 2 MiB page.
	 */
	HOLD(ident_map_init, mask);
	if (loaded_map().loaded || !has_one_bit_at_most(mask) || mask & ~PTE_ADDR_MASK ||
	    mask % PMD_SIZE)
		return -EINVAL;
	set_xmm15(TOP_TABLES_SIZE, mask);
	/* A CR2 other than 0 tells loaded_map() that CR3 may hold these tables from now on. */
	write_cr2((u64)page_table_pool);
	RELEASE(ident_map_init);
	map.config = *config;
	map.pool_used = TOP_TABLES_SIZE;

	if (last < (u64)page_table_pool - 1 || !is_in_reach(last))
		return -EINVAL;
	if (config->pool_size < TOP_TABLES_SIZE)
		return -ENOMEM;
	clear_table(top_table(LEVELS_MAX));
	clear_table(top_table(LEVELS_MIN));
	write_private(top_table(LEVELS_MAX),
		      (u64)top_table(LEVELS_MIN) | PTE_PRESENT | PTE_WRITE);
	return 0;
}

int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	if (!round_to_pages(&start, &end))
		return -EINVAL;
	return map_pages(start, end, attributes_of(prot));
}

int ident_map_guard(u64 addr)
{
	walked at;

	if (!is_in_reach(addr))
		return -EINVAL;
	at = walk_busy(addr, 1, WALK_FILL);
	if (!at.entry)
		return -ENOMEM;
	if (*entry_of(at))
		return -EINVAL;
	write_entry(entry_of(at), PTE_GUARD);
	return 0;
}

bool ident_map_is_guard(u64 addr)
{
	return is_in_reach(addr) && *entry_of(lookup(addr)) == PTE_GUARD;
}

/*
 * Writes the page at @addr back from the caches, before its C-bit changes. On some processors
 * private and shared accesses to a page are not coherent: a dirty cache line of the old kind
 * could later overwrite new data (APM2 7.10.6). Only CPUID tells which processors these are, and
 * it would cost an exit, so the page is always flushed.
 */
static void flush_page(u64 addr)
{
	u64 line;

	for (line = addr; line < addr + PAGE_SIZE; line += CACHE_LINE_SIZE)
		clflush((const void *)line);
	/* MFENCE is the only fence that orders CLFLUSH with later stores (APM3, "CLFLUSH"). */
	mfence();
}

/* Returns the leaf of the 4 KiB page at @addr, after splitting a larger one, or {0, -errno}. */
static noinline walked small_leaf(u64 addr)
{
	walked at;

	if (!enc_mask() || !is_in_reach(addr))
		return (walked){ 0, (u64)-EINVAL };
	at = walk_busy(ALIGN_DOWN(addr, PAGE_SIZE), 1, WALK_SPLIT);
	if (!at.entry)
		return (walked){ 0, (u64)-ENOMEM };
	if (level_of(at) != 1 || !is_leaf(*entry_of(at), 1))
		return (walked){ 0, (u64)-EINVAL };
	return at;
}

/*
 * Sets the C-bit of the 4 KiB page at @addr, or clears it if @private is false. The page must
 * be the GHCB page, shared_page. Its cache lines must be written back before the C-bit changes:
 * by this function if @private is true, by the caller with ident_map_flush() otherwise. The
 * hypervisor can change @private on the stack. The GHCB page then stays as it was, and
 * is_sharing() in misc.c ends the boot if it is still shared.
 */
static noinline int set_private(u64 addr, bool private)
{
	walked at = small_leaf(addr);
	u64 *entry = entry_of(at), value;

	if (!at.entry)
		return (int)at.addr;
	if (private)
		flush_page(ADDRESS_ANEW(shared_page));
	/*
	 * The hypervisor can put an old @addr or an old return address on the stack. Only the
	 * entry of the GHCB page may change: its address may differ from shared_page by no bit
	 * but the C-bit. The new entry gets shared_page's address, so no other page is shared.
	 */
	HOLD(set_private, entry);
	value = READ_ONCE(*entry);
	if (!(value & PTE_PRESENT) || !differs_in_cbit(value, ADDRESS_ANEW(shared_page)))
		return -EINVAL;
	value &= ~PTE_ADDR_MASK;
	value |= ADDRESS_ANEW(shared_page);
	if (private)
		write_private(entry, value);
	else
		write_entry(entry, value);
	RELEASE(set_private);
	invlpg(ADDRESS_ANEW(shared_page));
	return 0;
}

int ident_map_set_encrypted(u64 addr)
{
	return set_private(addr, true);
}

/* Only flushes the page's cache lines: the page is private, so its C-bit is set already. */
int ident_map_flush(u64 addr)
{
	return ident_map_set_encrypted(addr);
}

int ident_map_set_flushed(u64 addr)
{
	return set_private(addr, false);
}

int ident_map_set_decrypted(u64 addr)
{
	int err = ident_map_flush(addr);

	return err ? err : ident_map_set_flushed(addr);
}

/*
 * The two virtual addresses at which ident_map_window() maps pages. They lie in the upper half
 * of the canonical addresses, where the identity map has nothing.
 */
#define WINDOW_LARGE	0xffffffffffe00000
#define WINDOW_SMALL	0xffffffffffc00000

u64 ident_map_window(u64 addr, bool large)
{
	u64 at = large ? WINDOW_LARGE : WINDOW_SMALL;
	u64 rights = attributes_of(MAP_RO);
	bool was_busy = begin_change();
	walked entry = { 0, 0 };

	if (is_in_reach(addr))
		entry = walk(at, large ? 2 : 1, WALK_FILL);
	if (entry.entry) {
		write_private(entry_of(entry), addr | rights | PTE_PRESENT | PTE_ACCESSED |
				       (large ? PTE_LEAF : 0));
		invlpg(at);
	}
	end_change(was_busy);
	return entry.entry ? at : 0;
}

static void close_window(u64 at)
{
	walked found = lookup(at);

	if (is_leaf(*entry_of(found), level_of(found)))
		write_entry(entry_of(found), 0);
	invlpg(at);
}

void ident_map_close_window(void)
{
	close_window(WINDOW_LARGE);
	close_window(WINDOW_SMALL);
}

int ident_map_device(u64 addr, u64 size)
{
	u64 start = addr, end = addr + size;

	if (!round_to_pages(&start, &end))
		return -EINVAL;
	for (addr = start; addr < end; addr += PAGE_SIZE) {
		if (*entry_of(lookup(addr)))
			return -EINVAL;
	}
	return fill_pages(start, end, attributes_of(MAP_WRITE) | PTE_UNCACHED, false);
}

int ident_map_remove(u64 addr, u64 size)
{
	u64 end = addr + size;
	walked at;

	for (; addr < end; addr += PAGE_SIZE) {
		at = lookup(addr);
		if (level_of(at) != 1 || !is_leaf(*entry_of(at), 1))
			return -EINVAL;
		write_entry(entry_of(at), 0);
		invlpg(addr);
	}
	return 0;
}

void ident_map_remove_devices(void)
{
	walked at = lookup(VGA_START);
	u64 *entry = entry_of(at), mask = enc_mask(), addr;

	/* No call in the loop: the hypervisor can replace an addr or mask saved on the stack. */
	for (addr = VGA_START; level_of(at) == 1 && addr < VGA_END;
	     addr += PAGE_SIZE, entry++) {
		if ((*entry & PTE_UNCACHED) == PTE_UNCACHED ||
		    (*entry & PTE_PRESENT && (*entry & mask) != mask)) {
			write_entry(entry, 0);
			invlpg(addr);
		}
	}
	RELEASE(remove_devices);
}

static int rights_of(u64 entry)
{
	return (entry & PTE_WRITE ? MAP_WRITE : 0) | (entry & PTE_NX ? 0 : MAP_EXEC);
}

int ident_map_query(u64 addr)
{
	u64 entry, mask;
	walked at;

	if (!is_in_reach(addr))
		return -EFAULT;
	at = lookup(addr);
	entry = *entry_of(at);
	if (!is_leaf(entry, level_of(at)))
		return -EFAULT;
	mask = enc_mask();
	return rights_of(entry) | ((entry & mask) != mask ? MAP_DECRYPTED : 0);
}

/* The bits of a leaf that check_leaves() compares. */
#define LEAF_CHECKED	(PTE_ADDR_MASK | PTE_WRITE | PTE_NX | PTE_PAYLOAD)

/*
 * Returns whether each leaf of [@start, @end) is private, translates its address to itself, and
 * has exactly the rights @rights. If @payload is true, each leaf must also have the mark of the
 * payload, and becomes executable as soon as it has passed, also if a later leaf is refused.
 * Callers pass a constant as @payload, which the hypervisor cannot change in memory.
 */
static inline __attribute__((always_inline)) bool
check_leaves(u64 start, u64 end, u64 rights, bool payload)
{
	u64 *entry, want, size, leaf;
	unsigned int level;
	walked at;

	while (start < end) {
		HOLD(check_leaves, start, end, rights);
		at = lookup(start);
		entry = entry_of(at);
		level = level_of(at);
		want = enc_mask() |
		       (payload ? (rights & PTE_NX) | PTE_WRITE | PTE_PAYLOAD : rights);
		size = level_size(level);
		start = ALIGN_DOWN(at.addr, size);
		/* No call in the loop: the hypervisor can replace a @want saved on the stack. */
		do {
			leaf = READ_ONCE(*entry);
			if (!is_leaf(leaf, level) || (leaf ^ (start | want)) & LEAF_CHECKED)
				return false;
			if (payload) {
				write_entry(entry, leaf & ~(PTE_NX | PTE_PAYLOAD));
				invlpg(start);
			}
			start += size;
			entry++;
		} while (start < end && start % (size * PTRS_PER_TABLE) &&
			 !is_table(*entry, level));
		RELEASE(check_leaves);
	}
	return true;
}

bool ident_map_is_private(u64 start, u64 end, int prot)
{
	return check_leaves(start, end, attributes_of((unsigned int)prot), false);
}

bool ident_map_make_executable(u64 start, u64 end)
{
	return check_leaves(start, end, attributes_of(MAP_RO), true);
}

size_t ident_map_tables_left(void)
{
	return (map.config.pool_size - map.pool_used) / PAGE_SIZE;
}

u64 ident_map_cr3(void)
{
	return (u64)top_table(levels_in_force()) | enc_mask();
}

bool ident_map_fits_four_levels(void)
{
	return is_empty_from(top_table(LEVELS_MAX), 1) &&
	       is_empty_from(top_table(LEVELS_MIN), PTRS_PER_TABLE / 2);
}

int ident_map_fault(u64 addr, u64 error_code)
{
	u64 low, high;

	/*
	 * Only a data access to an unmapped page can be handled, and a guard page stays unmapped.
	 * If the page is mapped, the instruction would cause the same fault again. While other
	 * page tables are loaded, the stub causes no page fault: the hypervisor has injected it.
	 */
	if (!loaded_map().loaded || map.busy || (error_code & ~PF_WRITE) ||
	    !is_in_reach(addr) || *entry_of(lookup(addr)))
		return -EFAULT;

	low = ALIGN_DOWN(addr, PMD_SIZE);
	high = low + PMD_SIZE;
	if (!e820_ram_around(map.config.bp, addr, &low, &high))
		return -EFAULT;
	/* A page that is only partly RAM stays unmapped, so round both addresses inwards. */
	low = ALIGN_UP(low, PAGE_SIZE);
	high = ALIGN_DOWN(high, PAGE_SIZE);
	if (addr < low || addr >= high)
		return -EFAULT;
	return map_pages(low, high, attributes_of(MAP_WRITE));
}
