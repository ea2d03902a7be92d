/* SPDX-License-Identifier: MIT */
/*
 * table_pool.h - what the register XMM15 holds for ident_map_64.c.
 *
 * The hypervisor of an SEV-ES guest must not change how much of page_table_pool is used, nor
 * the C-bit, while page tables are built. It cannot change XMM15, which the processor keeps
 * in the encrypted VMSA, and no exception changes XMM15. (CR2 would not do: a page fault
 * changes it, also if the hypervisor prevents the delivery of the page fault.) XMM15 therefore
 * holds the sum of two numbers: the address of the page table that was taken from the pool last,
 * a multiple of 4096, and the C-bit's number, 0 outside of SEV. The low 12 bits of XMM15 are
 * thus the C-bit's number. For other purposes only the decoders and unfilter() use XMM
 * registers. They run when all page tables are built.
 */
#ifndef TABLE_POOL_H
#define TABLE_POOL_H

#include "image.h"
#include "types.h"
#include "x86.h"

/*
 * Returns the address of the pool. It is computed anew each time: with another address, which
 * the hypervisor could put on the stack, in_xmm15() and loaded_map() would give another C-bit.
 */
static inline __attribute__((always_inline)) u64 pool_start(void)
{
	return ADDRESS_ANEW(page_table_pool);
}

/*
 * Returns whether @distance from the start of the pool lies in the pool. Computes the pool's end
 * anew each time, because the hypervisor could change an address that is kept on the stack.
 */
static inline __attribute__((always_inline)) bool is_in_pool(u64 distance)
{
	u64 end = ADDRESS_ANEW(page_table_pool_end);

	return distance < end - pool_start();
}

/*
 * Returns whether CR3 is the stub's top page table for the present number of levels, with any
 * C-bit or none. The C-bit is bit 32 or higher.
 */
static inline __attribute__((always_inline)) bool is_own_map(void)
{
	u64 top = pool_start() + (read_cr4() & X86_CR4_LA57 ? 0 : PAGE_SIZE);

	return is_cbit_at_most(read_cr3() - top);
}

/* Returns the distance of XMM15 from the start of the pool. */
static inline __attribute__((always_inline)) u64 in_xmm15(void)
{
	return read_xmm15() - pool_start();
}

/*
 * Returns the C-bit as a mask, 0 outside of SEV. @at is a result of in_xmm15() that lies in
 * the pool. Its low 12 bits are the C-bit's number, or 0 outside of SEV.
 */
static inline u64 cbit_in_xmm15(u64 at)
{
	return at % PAGE_SIZE ? _AC(1, UL) << at % PAGE_SIZE : 0;
}

/*
 * Returns how many bytes of the pool are page tables. @at is a result of in_xmm15() that
 * lies in the pool.
 */
static inline u64 used_in_xmm15(u64 at)
{
	return ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
}

/*
 * Stores in XMM15 how much of the pool is in use, and the C-bit's number. @used is the number
 * of bytes that are page tables, a multiple of PAGE_SIZE and not 0. @mask is the C-bit as a
 * mask, 0 outside of SEV.
 */
static inline void set_xmm15(u64 used, u64 mask)
{
	u64 number = mask ? (u64)__builtin_ctzl(mask) : 0;

	write_xmm15((u64)page_table_pool + used - PAGE_SIZE + number);
}

/*
 * Stores in XMM15 that one more page of the pool is a page table. @at is the result of
 * in_xmm15() and lies in the pool.
 */
static inline void count_in_xmm15(u64 at)
{
	write_xmm15((u64)page_table_pool + at + PAGE_SIZE);
}

#endif
