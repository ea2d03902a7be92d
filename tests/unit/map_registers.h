/* SPDX-License-Identifier: MIT */
/*
 * map_registers.h - fakes of two registers that ident_map_64.c uses. A test that includes
 * ident_map_64.c defines OWN_READ_CR2, OWN_WRITE_CR2 and OWN_XMM15 before it includes
 * harness.h, which would otherwise define functions for these registers, too.
 */
#ifndef MAP_REGISTERS_H
#define MAP_REGISTERS_H

/*
 * The fake CR2. It is 0 until ident_map_init() writes the address of the page-table pool to
 * it. A CR2 other than 0 tells the stub that it has begun to build its page tables. The stub
 * does not keep this in memory, because the hypervisor can put old contents of memory back.
 */
static u64 cr2;

u64 read_cr2(void)
{
	return cr2;
}

void write_cr2(u64 value)
{
	cr2 = value;
}

/*
 * The fake XMM15. ident_map_64.c keeps in it the address of the page table that it took
 * from the pool last, and the number of the C-bit: see table_pool.h.
 */
static u64 xmm15;

u64 read_xmm15(void)
{
	return xmm15;
}

void write_xmm15(u64 value)
{
	xmm15 = value;
}

#endif
