/* SPDX-License-Identifier: MIT */
/*
 * page_table.h - functions that answer questions about one entry of a page table (APM2 5.3),
 * about a table and about the addresses that tables reach, and the result of a walk. The
 * functions depend on nothing but their arguments.
 *
 * A level is 1 for a page table, whose entries map 4 KiB, 2 for a page directory, and
 * 4 or 5 for the root.
 */
#ifndef PAGE_TABLE_H
#define PAGE_TABLE_H

#include "types.h"
#include "x86.h"

/* Returns the number of the lowest address bit that selects an entry at @level. */
static inline unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * TABLE_INDEX_BITS;
}

/* Returns the level for which level_shift() returns @shift. */
static inline unsigned int level_at(u64 shift)
{
	return (unsigned int)shift / TABLE_INDEX_BITS;
}
BUILD_BUG_ON(PAGE_SHIFT / TABLE_INDEX_BITS != 1);

/* Returns the number of bytes of memory that one entry at @level translates. */
static inline u64 level_size(unsigned int level)
{
	return _AC(1, UL) << level_shift(level);
}

/* Returns whether @entry at @level maps memory: a page of 4 KiB, 2 MiB or 1 GiB. */
static inline __attribute__((always_inline)) bool is_leaf(u64 entry, unsigned int level)
{
	return (entry & PTE_PRESENT) && (level == 1 || (entry & PTE_LEAF));
}

/* Returns whether @entry at @level points to a table of the level below. */
static inline __attribute__((always_inline)) bool is_table(u64 entry, unsigned int level)
{
	return level > 1 && (entry & (PTE_PRESENT | PTE_LEAF)) == PTE_PRESENT;
}

/*
 * Returns the lowest address that page tables with @levels levels cannot map. Three bounds
 * apply: the lower half of the canonical addresses, the 52 address bits of an entry, and the
 * C-bit as a mask, @enc_mask, if it is not 0. The C-bit and the bits above it are no part of a
 * physical address (APM2 7.10.1).
 */
static inline u64 map_limit(unsigned int levels, u64 enc_mask)
{
	u64 lowest = _AC(1, UL) << (level_shift(levels + 1) - 1);

	if (lowest > PTE_ADDR_MASK + PAGE_SIZE)
		lowest = PTE_ADDR_MASK + PAGE_SIZE;
	return enc_mask && lowest > enc_mask ? enc_mask : lowest;
}

/*
 * Returns whether the address in @entry is @addr, but for the C-bit. The function does not read
 * from memory which bit is the C-bit, because the hypervisor could change that number. Any one
 * bit from 32 on may therefore differ.
 */
static inline __attribute__((always_inline)) bool differs_in_cbit(u64 entry, u64 addr)
{
	return is_cbit_at_most((entry ^ addr) & PTE_ADDR_MASK);
}

/* Returns true if all entries of @table from index @first on are empty. */
static inline bool is_empty_from(const u64 *table, unsigned int first)
{
	while (first < PTRS_PER_TABLE && !table[first])
		first++;
	return first == PTRS_PER_TABLE;
}

/*
 * Empties @table. ident_map_64.c must not call memset() for this: the compiler would keep
 * addresses of page tables on the stack during the call, where the hypervisor of an SEV-ES
 * guest could replace them.
 */
static inline void clear_table(u64 *table)
{
	size_t entries = PTRS_PER_TABLE;

	asm volatile("rep stosq" : "+D"(table), "+c"(entries) : "a"(0UL) : "memory");
}

/* The table that @entry points to. @mask is the C-bit, or 0 without SEV. */
static inline u64 *table_of(u64 entry, u64 mask)
{
	return (u64 *)(entry & PTE_ADDR_MASK & ~mask);
}

/*
 * The result of a walk through page tables: an entry, and the address that was looked up.
 * A function returns a structure of this size in two registers, so that the two members
 * always belong together. A caller that fills the entry must map @addr and not its own copy of
 * the address. The hypervisor of an SEV-ES guest can put an old address back in memory, and
 * the entry would then map another page than the one that it translates.
 */
typedef struct {
	/*
	 * The entry's address, and its level in the low three bits, which are 0 in the
	 * address. 0: there is no entry. The level is not a variable of its own, in which
	 * the hypervisor could put an old level of 1 back. An entry of a page directory would
	 * then be written without PTE_LEAF, and the processor would read the mapped page as a
	 * page table.
	 */
	u64 entry;
	u64 addr;
} walked;
#define WALKED_LEVEL	7UL

static inline u64 *entry_of(walked at)
{
	return (u64 *)(at.entry & ~WALKED_LEVEL);
}

static inline unsigned int level_of(walked at)
{
	return at.entry & WALKED_LEVEL;
}

#endif
