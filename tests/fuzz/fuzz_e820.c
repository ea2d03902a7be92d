/* SPDX-License-Identifier: MIT */
/*
 * fuzz_e820.c - libFuzzer target for questions to the E820 map.
 *
 * The map's entries lie in 256 bytes somewhere in the address space, its very
 * end included, so that a model can say for each byte by itself what it is.
 */
#include "e820.c"

#include "fuzz.h"

#define CELLS	256

static struct boot_params bp;
static u64 origin;
static bool ram[CELLS];			/* by itself: RAM and nothing else */

static void take_map(struct input *in)
{
	static const u64 origins[] = { 0, 0x100000, 1UL << 32, -256UL, -200UL };
	u8 start, size, type;
	bool other[CELLS];
	unsigned int i, n, at;

	memset(ram, 0, sizeof(ram));
	memset(other, 0, sizeof(other));
	origin = origins[take_u8(in) % ARRAY_SIZE(origins)];
	bp.e820_entries = take_u8(in);
	n = bp.e820_entries < 128 ? bp.e820_entries : 128;
	for (i = 0; i < 128; i++) {
		start = take_u8(in);
		size = take_u8(in);
		type = take_u8(in);
		bp.e820_table[i].addr = origin + start;
		bp.e820_table[i].size = size;
		bp.e820_table[i].type = type & 0x80 ? type : 1;
		/* Of what is behind the last one nothing may be believed. */
		if (i >= n)
			continue;
		if (origin + start + size < origin + start)
			continue;
		for (at = start; at < (unsigned int)start + size; at++) {
			if (at < CELLS && !(type & 0x80))
				ram[at] = true;
			else if (at < CELLS)
				other[at] = true;
		}
	}
	for (i = 0; i < CELLS; i++)
		ram[i] = ram[i] && !other[i];
}

static void check_range(unsigned int start, unsigned int end)
{
	bool want = start < end && origin + end > origin + start, got;
	unsigned int i;

	for (i = start; i < end; i++)
		want = want && ram[i];
	got = e820_is_ram(&bp, origin + start, origin + end);
	CHECK(got == want, "[%u, %u) is %u", start, end, got);
}

static void check_around(unsigned int at, unsigned int low, unsigned int high)
{
	u64 got_low = origin + low, got_high = origin + high;
	bool want = ram[at] && at >= low && at < high, got;
	unsigned int first = at, last = at;

	/* The model's numbers begin at its origin, and so must addresses. */
	if (origin + CELLS < origin)
		return;
	while (first > low && ram[first - 1])
		first--;
	while (last + 1 < high && ram[last + 1])
		last++;
	got = e820_ram_around(&bp, origin + at, &got_low, &got_high);
	CHECK(got == want, "%u in [%u, %u) is %u", at, low, high, got);
	if (got)
		CHECK(got_low == origin + first && got_high == origin + last + 1,
		      "around %u [%lu, %lu) instead of [%u, %u]", at,
		      got_low - origin, got_high - origin, first, last);
}

static void fuzz_one(struct input *in)
{
	unsigned int i;
	u8 a, b, c;

	take_map(in);
	for (i = 0; i < 16; i++) {
		a = take_u8(in);
		b = take_u8(in);
		c = take_u8(in);
		check_range(a, b);
		check_range(a, a + 1U);
		check_around(a, b, c);
		check_around(a, 0, 255);
	}
}
