/* SPDX-License-Identifier: MIT */
/*
 * fuzz_memmap.c - libFuzzer target for kaslr_physical(), which draws a random
 * physical address. The input gives the E820 map, the options memmap= and mem=,
 * areas for kaslr_area(), and the wanted size and alignment.
 *
 * A model records for each MiB (cell) below 256 MiB whether the payload may lie
 * there. The stub's choice must be allowed by the model, and the stub must find an
 * address if the model allows any. The command line may continue with arbitrary bytes
 * of the input, which the model ignores. Options in these bytes can only forbid further
 * addresses. If there are such bytes, the stub may thus also find no address.
 */
#define XXH_INLINE_ALL
#include <common/xxhash.h>

#include "fuzz.h"
#include "sev.h"

#define cpuid_count	fake_cpuid
static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf);

#include "lib/cmdline.c"
#include "lib/e820.c"
#include "payload/kaslr.c"

#define CELLS		256UL
#define MIB		(1UL << 20)
#define OPTIONS		4
#define AREAS		6

struct sev_guest sev_guest;

static u64 chance;			/* the number that RDRAND returns */
static struct boot_params bp;
/*
 * The model of memory, in cells of 1 MiB. ram[n]: cell n is in an E820 entry for RAM.
 * taken[n]: an E820 entry or an option memmap= reserves cell n. kinds[kind][n]: cell n is
 * in an area of the kind @kind (enum kaslr_area).
 */
static bool ram[CELLS], taken[CELLS], kinds[KASLR_TAKEN][CELLS];
static bool known[KASLR_TAKEN];	/* the input has areas of this kind */

/* ---- the functions that kaslr.c calls ---- */

static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf)
{
	CHECK(leaf == 1 && !subleaf, "CPUID 0x%x", leaf);
	return (struct cpuid_regs){ .ecx = 1U << 30 };
}

bool rdrand(u64 *value)
{
	*value = chance;
	return true;
}

u64 rdtsc(void)
{
	return 1;
}

bool sev_active(void)
{
	return false;
}

bool sev_es_active(void)
{
	return false;
}

noreturn void terminate(unsigned int reason)
{
	harness_fail("terminate()", 0, "unexpected", "reason %u", reason);
}

u64 xxh64(const void *data, size_t len)
{
	return XXH64(data, len, 0);
}

/* ---- the model ---- */

static void mark(bool *cells, u64 start, u64 size)
{
	for (; size && start < CELLS; start++, size--)
		cells[start] = true;
}

static bool good_cell(u64 cell)
{
	unsigned int kind;

	for (kind = 1; kind < KASLR_TAKEN; kind++) {
		if (known[kind] && !kinds[kind][cell])
			return false;
	}
	return ram[cell] && !taken[cell];
}

static bool good_place(const struct kaslr_slots *want, u64 limit, u64 cell)
{
	u64 i, size = want->size / MIB;

	if (cell * MIB < want->low || (cell + size) * MIB > want->high ||
	    (limit && (cell + size) * MIB > limit) || cell % (want->align / MIB))
		return false;
	for (i = cell; i < cell + size; i++) {
		if (i >= CELLS || !good_cell(i))
			return false;
	}
	return true;
}

static void take_e820(struct input *in)
{
	unsigned int i;

	memset(&bp, 0, sizeof(bp));
	bp.e820_entries = 1 + take_u8(in) % 6;
	for (i = 0; i < bp.e820_entries; i++) {
		u64 start = take_u8(in), size = take_u8(in);
		bool is_ram = take_u8(in) & 3;

		bp.e820_table[i].addr = start * MIB;
		bp.e820_table[i].size = size * MIB;
		bp.e820_table[i].type = is_ram ? 1 : 2;
		mark(is_ram ? ram : taken, start, size);
	}
}

static void take_areas(struct input *in)
{
	unsigned int i, count = take_u8(in) % AREAS;

	for (i = 0; i < count; i++) {
		u64 start = take_u8(in), size = take_u8(in);
		unsigned int kind = 1 + take_u8(in) % KASLR_TAKEN;

		kaslr_area(kind, start * MIB, (start + size) * MIB);
		if (kind == KASLR_TAKEN) {
			mark(taken, start, size);
		} else if (size) {
			known[kind] = true;
			mark(kinds[kind], start, size);
		}
	}
}

/*
 * Writes the size @mib MiB to @text in one of the formats that memmap= and mem=
 * accept; @how chooses it. Returns the number of characters.
 */
static int print_size(char *text, size_t room, u64 mib, u8 how)
{
	static const char *const formats[] = { "%luM", "%lum", "0x%lxM" };

	return how % 4 < 3 ?
	       snprintf(text, room, formats[how % 4], mib) :
	       snprintf(text, room, "%luK", mib * 1024);
}

/*
 * Writes a command line of mem= and memmap= options to @text, and marks the memory
 * that memmap= reserves as taken. Options without a start address limit the memory.
 * Returns the lowest of these limits in bytes, or 0 if there is no limit.
 */
static u64 take_options(struct input *in, char *text, size_t room)
{
	unsigned int i, count = take_u8(in) % OPTIONS;
	u64 lowest = 0, limit;
	size_t at = 0;

	text[0] = '\0';
	for (i = 0; i < count; i++) {
		static const char signs[] = "$#!@";
		u8 how = take_u8(in);
		u64 size = take_u8(in), start = take_u8(in);

		if (how & 0x80) {
			at += (size_t)snprintf(text + at, room - at,
					       how & 0x40 ? "mem=" : "memmap=");
			at += (size_t)print_size(text + at, room - at, size,
						 how);
			limit = size * MIB;
			if (limit && (!lowest || limit < lowest))
				lowest = limit;
		} else {
			at += (size_t)snprintf(text + at, room - at, "memmap=");
			at += (size_t)print_size(text + at, room - at, size,
						 how);
			text[at++] = signs[how >> 4 & 3];
			at += (size_t)print_size(text + at, room - at, start,
						 how >> 2);
			if (signs[how >> 4 & 3] != '@')
				mark(taken, start, size);
		}
		text[at++] = ' ';
	}
	text[at] = '\0';
	return lowest;
}

static void fuzz_one(struct input *in)
{
	struct kaslr_slots want;
	struct cmdline cmdline;
	char text[1024];
	u64 limit, addr = 0, cell, places = 0;
	size_t len, more;
	bool got;

	memset(&areas, 0, sizeof(areas));
	memset(ram, 0, sizeof(ram));
	memset(taken, 0, sizeof(taken));
	memset(kinds, 0, sizeof(kinds));
	memset(known, 0, sizeof(known));
	chance = take_u64(in);
	want.align = MIB << take_u8(in) % 6;
	want.size = (1 + take_u8(in) % 64) * MIB;
	want.low = take_u8(in) * MIB;
	want.high = take_u8(in) * MIB + MIB;
	take_e820(in);
	take_areas(in);
	limit = take_options(in, text, 512);
	len = strlen(text);
	more = in->size < 400 ? in->size : 400;
	take_bytes(in, text + len, more);
	cmdline = (struct cmdline){ text, len + more };

	got = kaslr_physical(&bp, &cmdline, &want, &addr);
	for (cell = 0; cell < CELLS; cell++)
		places += good_place(&want, limit, cell);
	if (got)
		CHECK(addr % MIB == 0 && good_place(&want, limit, addr / MIB),
		      "0x%lx is no good place, with %s", addr, text);
	else
		CHECK(!places || more, "%lu places, and none is found, with %s",
		      places, text);
	CHECK(!got || places, "%s", "a place out of none");
}
