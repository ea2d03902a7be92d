/* SPDX-License-Identifier: MIT */
/*
 * ident_map.h - the stub's own page tables: an identity map that is built page
 * range by page range (ident_map_64.c).
 */
#ifndef IDENT_MAP_H
#define IDENT_MAP_H

#include "types.h"

struct boot_params;

/* Rights of a mapping. Reading is always allowed. */
#define MAP_RO		0x0
#define MAP_WRITE	0x1
#define MAP_EXEC	0x2
/* Returned by ident_map_query() only: the page is shared with the hypervisor. */
#define MAP_DECRYPTED	0x4

struct ident_map_config {
	void *pool;		/* page-aligned memory for page tables */
	size_t pool_size;	/* bytes */
	unsigned int levels;	/* 4, or 5 while CR4.LA57 is set */
	u64 enc_mask;		/* the C-bit as a mask, or 0 outside of SEV */
	bool nx;		/* EFER.NXE is set */
	bool pages_1g;		/* the processor has 1 GiB pages */
	const struct boot_params *bp;	/* its E820 map bounds ident_map_fault() */
};

/*
 * Starts a new, empty map. sev_load_map() loads it into CR3.
 * Returns 0; -EINVAL if the pool is not page-aligned, @levels is neither 4 nor
 * 5, or the C-bit lies outside of a page table entry's address; -ENOMEM if the
 * pool holds no table.
 */
int ident_map_init(const struct ident_map_config *config);

/*
 * Maps all pages that [@start, @end) touches: private, write-back, with rights
 * @prot (MAP_*). Pages that are mapped already, and guard pages, keep what they
 * have; callers map the strictest rights first. Leaves of 2 MiB or 1 GiB are
 * used only where the range, rounded to pages, covers them whole.
 * Returns 0; -EINVAL if the range is empty, wraps around or exceeds what page
 * tables can address; -ENOMEM if the pool is used up, and then a part of the
 * range may be mapped.
 */
int ident_map_range(u64 start, u64 end, unsigned int prot);

/*
 * Makes the page at @addr a guard page: no later call and no page fault maps
 * it.
 * Returns 0; -EINVAL if it is mapped or a guard page already, or cannot be
 * addressed; -ENOMEM if the pool is used up.
 */
int ident_map_guard(u64 addr);

/* Returns true if @addr lies in a guard page. */
bool ident_map_is_guard(u64 addr);

/*
 * Returns true if CR3 holds this map, and stores the map's C-bit as a mask in
 * *@enc_mask, 0 outside of SEV. Only the processor is asked, because a hypervisor
 * can put old contents of memory back. The image must have moved: before that,
 * the loader's page tables may lie where the pool would be.
 */
bool ident_map_loaded(u64 *enc_mask);

/*
 * Returns true if every page of [@start, @end) that is mapped has the C-bit of
 * CR3. For a map that is in force.
 */
bool ident_map_is_private(u64 start, u64 end);

/*
 * Clears (_decrypted) or sets (_encrypted) the C-bit of the mapped page at
 * @addr, and splits a larger leaf first. The page's cache lines are flushed and
 * its TLB entry is invalidated. The page's contents do not survive: the
 * processor reads them through the other key afterwards.
 * Returns 0; -EINVAL if the page is not mapped or there is no C-bit; -ENOMEM if
 * the pool is used up.
 */
int ident_map_set_decrypted(u64 addr);
int ident_map_set_encrypted(u64 addr);

/*
 * Maps the pages of [@addr, @addr + @size) for device registers: shared with
 * the hypervisor, writable, not executable, uncached.
 * Returns 0; -EINVAL if the range is empty, wraps around, cannot be addressed,
 * or a page of it is mapped or a guard page; -ENOMEM if the pool is used up.
 */
int ident_map_device(u64 addr, u64 size);

/*
 * Unmaps the pages of [@addr, @addr + @size).
 * Returns 0, or -EINVAL if one of them is not mapped or belongs to a leaf that
 * reaches beyond the range.
 */
int ident_map_remove(u64 addr, u64 size);

/* Returns the rights of the page at @addr (MAP_*), or -EFAULT if unmapped. */
int ident_map_query(u64 addr);

/* Returns how many page tables the pool still holds. */
size_t ident_map_tables_left(void);

/* Returns the value of CR3 that loads the map. */
u64 ident_map_cr3(void);

/*
 * Handles a page fault at @addr. If nothing is mapped there and the address is
 * RAM, maps the unmapped pages of the RAM around it, within 2 MiB, writable and
 * not executable. @error_code is the processor's (APM2 8.4.2).
 * Returns 0 if the page is mapped now and the instruction can be restarted;
 * -EFAULT if the fault was an instruction fetch or a violation of rights, or
 * @addr is not RAM or lies in a guard page; -ENOMEM if the pool is used up.
 */
int ident_map_fault(u64 addr, u64 error_code);

/*
 * Changes the map to @levels levels of paging, 4 or 5. The caller loads CR3
 * with ident_map_cr3() when the processor is in that mode.
 * Returns 0; -EINVAL if something is mapped that four levels cannot reach;
 * -ENOMEM if the pool is used up.
 */
int ident_map_set_levels(unsigned int levels);

#endif
