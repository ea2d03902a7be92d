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
/* Marks memory for ident_map_make_executable(), which refuses all memory without this mark. */
#define MAP_PAYLOAD	0x8
/*
 * Returned by ident_map_query() only: the page is shared with the hypervisor,
 * which is to say that its C-bit is clear.
 */
#define MAP_DECRYPTED	0x4

/* What the page tables depend on. The caller of ident_map_init() fills it in. */
struct ident_map_config {
	size_t pool_size;	/* size of page_table_pool in bytes: all page tables lie there */
	u64 enc_mask;		/* the C-bit as a mask, or 0 outside of SEV */
	bool pages_1g;		/* true: the processor has 1 GiB pages */
	const struct boot_params *bp;	/* zero page, whose E820 map ident_map_fault() reads */
};

/*
 * Starts new, empty page tables. sev_load_map() loads them into CR3 later. Pages are made not
 * executable only if EFER.NXE is set, so that it must be set before, and must not change later.
 * Returns 0; -EINVAL if the pool lies above what the map can address, or @enc_mask is
 * neither 0 nor one bit from 21 to 51; -ENOMEM if the pool is smaller than two page tables.
 * Returns -EINVAL, too, if CR3 holds the tables already: ident_map_init() must be called
 * only once.
 */
int ident_map_init(const struct ident_map_config *config);

/*
 * Maps all pages that [@start, @end) touches: private (C-bit set), write-back,
 * with rights @prot (MAP_*). A page that is mapped already keeps its rights, and
 * a guard page stays one, so callers map the strictest rights first. Leaves of
 * 2 MiB or 1 GiB are used only where the range, rounded to pages, covers them
 * whole.
 * Returns 0; -EINVAL if the range is empty, wraps around or exceeds what page
 * tables can address; -ENOMEM if the pool is used up. After -ENOMEM a part of
 * the range may be mapped.
 */
int ident_map_range(u64 start, u64 end, unsigned int prot);

/*
 * Makes the page at @addr a guard page: it stays unmapped, and no later call and
 * no page fault maps it.
 * Returns 0; -EINVAL if the page is mapped or a guard page already, or page
 * tables cannot address it; -ENOMEM if the pool is used up.
 */
int ident_map_guard(u64 addr);

/* Returns true if @addr lies in a guard page. */
bool ident_map_is_guard(u64 addr);

/* Whether CR3 holds this map, and the C-bit of CR3. */
struct loaded_map {
	/* The C-bit in CR3 as a mask, 0 outside of SEV. Defined only if @loaded is true. */
	u64 enc_mask;
	bool loaded;	/* CR3 holds this map */
};

/*
 * Returns whether CR3 holds this map, and the map's C-bit. Reads only registers of the
 * processor, and returns the answer in registers, because a hypervisor can put old
 * contents of memory back. Before ident_map_init() no map is loaded.
 */
struct loaded_map ident_map_loaded(void);

/*
 * Returns true if every page of [@start, @end) is mapped to itself, with the C-bit of
 * CR3 and exactly the rights @prot (MAP_*). CR3 must hold this map.
 */
bool ident_map_is_private(u64 start, u64 end, int prot);

/*
 * Makes the pages of [@start, @end) executable, and removes their mark MAP_PAYLOAD. For each page
 * ident_map_is_private(..., MAP_WRITE | MAP_PAYLOAD) must hold. Returns false at the first page
 * for which it does not; the pages before it are executable then. CR3 must hold this map.
 */
bool ident_map_make_executable(u64 start, u64 end);

/*
 * Clear (_decrypted) or set (_encrypted) the C-bit of the mapped page of 4 KiB at
 * @addr. A larger leaf is split first. The page's cache lines are flushed and its
 * TLB entry is invalidated. The page's contents are lost, because memory is
 * decrypted with the guest's key only while the C-bit is set.
 * Return 0; -EINVAL if the page is not mapped, is not the GHCB page, or there is no
 * C-bit; -ENOMEM if the pool is used up.
 */
int ident_map_set_decrypted(u64 addr);
int ident_map_set_encrypted(u64 addr);

/*
 * Make a private page of 4 KiB at @addr shared in two steps. An SNP guest calls
 * ident_map_flush() while the page is private, then gives the page to the hypervisor,
 * and then calls ident_map_set_flushed(), which clears the C-bit. Both return what
 * ident_map_set_decrypted() returns.
 */
int ident_map_flush(u64 addr);
int ident_map_set_flushed(u64 addr);

/*
 * Maps a page at physical address @addr, of 2 MiB if @large and else of 4 KiB, at a
 * virtual address outside of the identity map: private, read-only, not executable.
 * An SNP guest validates memory there, which needs two or three page tables however
 * much memory there is. There is one window for each size, and the next call moves
 * it. Returns the virtual address, or 0 if @addr cannot be addressed or the pool is
 * used up. ident_map_close_window() unmaps both windows.
 */
u64 ident_map_window(u64 addr, bool large);
void ident_map_close_window(void);

/*
 * Maps the pages of [@addr, @addr + @size) for device registers: shared with
 * the hypervisor (C-bit clear), writable, not executable, uncached.
 * Returns 0; -EINVAL if the range is empty, wraps around, exceeds what page
 * tables can address, or a page of it is mapped or a guard page; -ENOMEM if the
 * pool is used up.
 */
int ident_map_device(u64 addr, u64 size);

/*
 * Unmaps the pages of [@addr, @addr + @size), in ascending order. Both numbers are
 * multiples of PAGE_SIZE, and page tables can address the range.
 * Returns 0. Returns -EINVAL, and leaves the rest mapped, at a page that is not
 * mapped or is a part of a leaf of more than 4 KiB.
 */
int ident_map_remove(u64 addr, u64 size);

/*
 * Unmaps each page of VGA memory that is mapped without the C-bit, or uncached as
 * ident_map_device() maps it. Finds these pages in the page tables and not by a variable,
 * whose old contents the hypervisor could put back, so that a page would stay mapped.
 */
void ident_map_remove_devices(void);

/*
 * Returns the rights of the page at @addr (MAP_*), or -EFAULT if it is not
 * mapped.
 */
int ident_map_query(u64 addr);

/* Returns the number of page tables that can still be allocated from the pool. */
size_t ident_map_tables_left(void);

/*
 * Returns the value for CR3: the address of the top table for as many levels of paging as
 * CR4.LA57 selects, with the C-bit.
 */
u64 ident_map_cr3(void);

/*
 * Handles a page fault at @addr, an address that is not mapped: if the page is
 * RAM, maps the unmapped RAM around it, writable and not executable, within the
 * same aligned 2 MiB. @error_code is the processor's (APM2 8.4.2).
 * Returns 0 if the page is mapped now and the instruction can be restarted;
 * -EFAULT if the fault was an instruction fetch or a violation of rights, @addr
 * is mapped, is in a guard page or in a page that is not all RAM, or the fault
 * came while the tables were being changed; -ENOMEM if the pool is used up.
 */
int ident_map_fault(u64 addr, u64 error_code);

/*
 * Returns false if something is mapped at 2^47 or above, which four levels of paging cannot
 * reach.
 */
bool ident_map_fits_four_levels(void);

#endif
