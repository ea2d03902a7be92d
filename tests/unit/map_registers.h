/* SPDX-License-Identifier: MIT */
/*
 * map_registers.h - fakes of two registers that ident_map_64.c uses, for the tests that
 * include that file. They define OWN_READ_CR2, OWN_WRITE_CR2 and OWN_XMM15 (harness.h).
 */
#ifndef MAP_REGISTERS_H
#define MAP_REGISTERS_H

/* The processor's CR2, which is not 0 once page tables are built. */
static u64 cr2;

u64 read_cr2(void)
{
	return cr2;
}

void write_cr2(u64 value)
{
	cr2 = value;
}

/* The processor's XMM15, in which ident_map_64.c keeps a number. */
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
