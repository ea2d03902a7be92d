/* SPDX-License-Identifier: MIT */
/*
 * test_kaslr.c - tests which addresses payload/kaslr.c draws for a payload,
 * against a model of memory as cells of 64 MiB. The model calls a cell good if
 * it is RAM and nothing forbids the payload there. It calls an address good if
 * every cell that a payload at this address covers is good. kaslr.c must draw
 * good addresses only, each with the same probability.
 */
#include <time.h>

#define XXH_INLINE_ALL
#include <common/xxhash.h>

#include "harness.h"
#include "own_stack.h"
#include "sev.h"

#define cpuid_count	fake_cpuid
static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf);

#include "lib/cmdline.c"
#include "lib/e820.c"
#include "payload/kaslr.c"

#define GIB	(1UL << 30)
#define MIB	(1UL << 20)

/* ---- the processor, and fakes of the functions that kaslr.c calls ---- */

static struct {
	bool has_rdrand;	/* CPUID reports that RDRAND exists */
	unsigned int fails;	/* number of RDRAND instructions that will fail */
	/*
	 * If true, each RDRAND returns a new random number. If false, each
	 * RDRAND returns @fixed.
	 */
	bool even;
	u64 fixed;
	u64 tsc;
	unsigned int cpuids, rdrands, rdtscs;
	/* The last number that RDRAND has returned. */
	u64 number;
	/*
	 * If true, the fake xxh64() sets @seeds to 0, its contents at launch,
	 * before it computes a hash. A host can put old contents of memory back
	 * like this.
	 */
	bool forgets;
	/* Calls of xxh64() since the last RDRAND that has returned a number. */
	unsigned int hashes;
	/*
	 * 1 + the reason with which kaslr.c terminated the guest; 0: not
	 * terminated.
	 */
	unsigned int stopped;
} cpu;

struct sev_guest sev_guest;

static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf)
{
	CHECK(leaf == 1 && !subleaf, "CPUID 0x%x.0x%x", leaf, subleaf);
	cpu.cpuids++;
	return (struct cpuid_regs){ .ecx = cpu.has_rdrand ? 1U << 30 : 0 };
}

bool rdrand(u64 *value)
{
	cpu.rdrands++;
	if (cpu.fails) {
		cpu.fails--;
		*value = 0;
		return false;
	}
	*value = cpu.even ? random_u64() : cpu.fixed;
	cpu.number = *value;
	cpu.hashes = 0;
	return true;
}

u64 rdtsc(void)
{
	cpu.rdtscs++;
	return cpu.tsc += 1000;
}

bool sev_active(void)
{
	return sev_guest.status & SEV_STATUS_SEV;
}

bool sev_es_active(void)
{
	return sev_guest.status & SEV_STATUS_SEV_ES;
}

noreturn void terminate(unsigned int reason)
{
	cpu.stopped = reason + 1;
	longjmp(harness.expected, TEST_HALT);
}

u64 xxh64(const void *data, size_t len)
{
	cpu.hashes++;
	if (cpu.forgets)
		memset(&seeds, 0, sizeof(seeds));
	return XXH64(data, len, 0);
}

/* ---- a boot ---- */

static struct boot_params bp;
static char cmdline_text[1024];

static void fresh_areas(void)
{
	memset(&areas, 0, sizeof(areas));
}

static void fresh(u64 sev_status)
{
	fresh_areas();
	memset(&seeds, 0, sizeof(seeds));
	memset(&kaslr, 0, sizeof(kaslr));
	memset(&bp, 0, sizeof(bp));
	cpu = (typeof(cpu)){ .has_rdrand = true, .even = true };
	sev_guest = (struct sev_guest){ .status = sev_status, .known = true };
	cmdline_text[0] = '\0';
}

static struct cmdline cmdline(void)
{
	return (struct cmdline){ cmdline_text, strlen(cmdline_text) };
}

static void add_e820(u64 start, u64 size, u32 type)
{
	bp.e820_table[bp.e820_entries++] =
		(struct boot_e820_entry){ start, size, type };
}

static bool physical(struct kaslr_slots want, u64 *addr)
{
	struct cmdline words = cmdline();

	return kaslr_physical(&bp, &words, &want, addr);
}

/* ---- the model of cells ---- */

#define CELL		(64 * MIB)
#define CELLS		256U
#define END		(CELLS * CELL)

static struct {
	bool ram, reserved, immovable, free, scratch, taken, huge;
} cells[CELLS];

static struct {
	/*
	 * @immovable, @free and @scratch each stand for the mark of the same
	 * name in cells[]. If one of the three is true, at least one cell has
	 * its mark, and the payload may lie only in cells with this mark.
	 */
	bool immovable, free, scratch;
	unsigned int huge_pages;
	struct kaslr_slots want;
	u64 slots[CELLS];
	unsigned int count;
} world;

static bool good_cell(unsigned int i)
{
	return cells[i].ram && !cells[i].reserved && !cells[i].taken &&
	       (!world.immovable || cells[i].immovable) &&
	       (!world.scratch || cells[i].scratch) &&
	       (!world.free || cells[i].free);
}

/*
 * The option hugepages= makes the kernel reserve memory in pages of 1 GiB.
 * Marks the 64 MiB cells of these pages, because the payload must not lie
 * there. The kernel takes the lowest pages in which all cells are usable.
 */
static void reserve_huge_pages(void)
{
	unsigned int left = world.huge_pages, i, j;

	for (i = 0; i < CELLS; i += GIB / CELL) {
		bool whole = true;

		for (j = i; j < i + GIB / CELL; j++)
			whole &= good_cell(j);
		for (j = i; whole && left && j < i + GIB / CELL; j++)
			cells[j].huge = true;
		if (whole && left)
			left--;
	}
}

static bool good_place(u64 addr)
{
	u64 at;

	if (addr < world.want.low || addr + world.want.size > world.want.high)
		return false;
	for (at = addr; at < addr + world.want.size; at += CELL) {
		if (at >= END || !good_cell(at / CELL) || cells[at / CELL].huge)
			return false;
	}
	return true;
}

static void find_slots(void)
{
	u64 addr;

	reserve_huge_pages();
	world.count = 0;
	for (addr = 0; addr < END; addr += world.want.align) {
		if (good_place(addr))
			world.slots[world.count++] = addr;
	}
}

/*
 * Chooses a random range of cells, each 64 MiB of the model's memory: *@first
 * is the number of its first cell, *@count the number of cells. Most ranges are
 * short.
 */
static void random_area(unsigned int *first, unsigned int *count)
{
	*first = (unsigned int)random_below(CELLS);
	*count = 1 + (unsigned int)random_below(random_below(4) ? CELLS / 16 :
						CELLS - *first);
	if (*count > CELLS - *first)
		*count = CELLS - *first;
}

#define MARK(first, count, what)					\
	do {								\
		for (unsigned int c = (first); c < (first) + (count); c++) \
			cells[c].what = true;				\
	} while (0)

/*
 * Adds @number random entries of @type to the memory map. The entries may be in
 * any order and may overlap.
 */
static void random_e820(unsigned int number, u32 type)
{
	unsigned int first, count;

	while (number--) {
		random_area(&first, &count);
		add_e820(first * CELL, count * CELL, type);
		if (type == E820_RAM)
			MARK(first, count, ram);
		else
			MARK(first, count, reserved);
	}
}

static void random_areas(unsigned int number, enum kaslr_area kind)
{
	unsigned int first, count;

	while (number--) {
		random_area(&first, &count);
		kaslr_area(kind, first * CELL, (first + count) * CELL);
		if (kind == KASLR_TAKEN)
			MARK(first, count, taken);
		else if (kind == KASLR_IMMOVABLE)
			MARK(first, count, immovable);
		else if (kind == KASLR_SCRATCH)
			MARK(first, count, scratch);
		else
			MARK(first, count, free);
	}
}

static int by_addr(const void *a, const void *b)
{
	const struct boot_e820_entry *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void say(const char *fmt, u64 a, u64 b)
{
	size_t len = strlen(cmdline_text);

	snprintf(cmdline_text + len, sizeof(cmdline_text) - len, fmt, a, b);
}

static void random_cmdline(void)
{
	unsigned int first, count;
	u64 limit;

	if (!random_below(4)) {
		random_area(&first, &count);
		say("memmap=%luM$0x%lx ", count * CELL / MIB, first * CELL);
		MARK(first, count, taken);
	}
	if (!random_below(4)) {
		limit = 1 + random_below(CELLS);
		say("mem=%luM ", limit * CELL / MIB, 0);
		MARK(limit, CELLS - limit, taken);
	}
	if (!random_below(4)) {
		world.huge_pages = (unsigned int)random_below(5);
		say("hugepagesz=1G hugepages=%lu ", world.huge_pages, 0);
	}
}

static void random_world(void)
{
	fresh(0);
	memset(cells, 0, sizeof(cells));
	memset(&world, 0, sizeof(world));
	world.want = (struct kaslr_slots){
		.size = (1 + random_below(8)) * CELL,
		.align = CELL << random_below(5),
		.low = random_below(8) * CELL,
		.high = END - random_below(8) * CELL,
	};
	random_e820(1 + (unsigned int)random_below(12), E820_RAM);
	random_e820((unsigned int)random_below(4), E820_RESERVED);
	if (random_below(2))
		qsort(bp.e820_table, bp.e820_entries,
		      sizeof(bp.e820_table[0]), by_addr);
	random_areas((unsigned int)random_below(8), KASLR_TAKEN);
	world.immovable = !random_below(4);
	if (world.immovable)
		random_areas(1 + (unsigned int)random_below(6),
			     KASLR_IMMOVABLE);
	world.free = !random_below(4);
	if (world.free)
		random_areas(1 + (unsigned int)random_below(6),
			     KASLR_FIRMWARE_FREE);
	world.scratch = !random_below(4);
	if (world.scratch)
		random_areas(1 + (unsigned int)random_below(6), KASLR_SCRATCH);
}

#define MAPS	100000

/*
 * A slot is an aligned address that kaslr.c can draw. kaslr.c must count as
 * many slots as the model has addresses where the payload may lie. Slot number
 * i must be the i-th of these addresses.
 */
TEST(generated_maps)
{
	struct kaslr_slots want;
	unsigned int map, i;
	u64 total = 0, none = 0, addr;

	random_seed(7001);
	for (map = 0; map < MAPS; map++) {
		struct sweep s;
		bool found;

		random_world();
		want = world.want;
		random_cmdline();
		find_slots();

		addr = 1;
		found = physical(want, &addr);
		CHECK(found == (world.count != 0),
		      "map %u: %u places, found %u", map, world.count, found);
		total += world.count;
		none += !found;
		if (!found) {
			CHECK(addr == 1, "map %u: 0x%lx", map, addr);
			continue;
		}
		CHECK(addr % want.align == 0 && good_place(addr),
		      "map %u: 0x%lx", map, addr);
		want = world.want;
		s = sweep(&want, ~0UL);
		CHECK(s.slots == world.count, "map %u: %lu slots, not %u",
		      map, s.slots, world.count);
		for (i = 0; i < world.count; i++) {
			s = sweep(&want, i);
			CHECK(s.addr == world.slots[i],
			      "map %u, slot %u: 0x%lx, not 0x%lx", map, i,
			      s.addr, world.slots[i]);
		}
	}
	CHECK(none > MAPS / 100 && none < MAPS / 2, "%lu maps without", none);
	INFO("%u maps, %lu slots, %lu maps without any", MAPS, total, none);
}

/*
 * RAM begins and ends at addresses that need not be multiples of the payload's
 * alignment. Only aligned addresses may be drawn.
 */
TEST(boundaries)
{
	const struct kaslr_slots want = { 0x5000, 0x1000, 0, 1UL << 46 };
	u64 start, end, i;

	for (i = 0; i < 0x2000; i += 0x7ff) {
		fresh_areas();
		start = 0x100000 + i;
		end = 0x110000 + 0x2000 - i;
		kaslr_area(KASLR_RAM, start, end);
		CHECK(sweep(&want, ~0UL).slots == (ALIGN_DOWN(end, 0x1000UL) -
			ALIGN_UP(start, 0x1000UL) - 0x5000) / 0x1000 + 1,
		      "0x%lx-0x%lx: %lu slots", start, end,
		      sweep(&want, ~0UL).slots);
		CHECK(sweep(&want, 0).addr == ALIGN_UP(start, 0x1000UL),
		      "0x%lx", sweep(&want, 0).addr);
		/*
		 * One byte is in use, so the payload must not cover the page
		 * that contains it.
		 */
		kaslr_area(KASLR_TAKEN, 0x108fff, 0x109000);
		CHECK(sweep(&want, 0x108000 / 0x1000).slots ==
		      (0x108000 - ALIGN_UP(start, 0x1000UL)) / 0x1000 - 4 +
		      (ALIGN_DOWN(end, 0x1000UL) - 0x109000) / 0x1000 - 4,
		      "%lu slots", sweep(&want, 0).slots);
	}
}

TEST(nonsense_areas)
{
	const struct kaslr_slots want = { 0x1000, 0x1000, 0, ~0UL };
	u64 addr;

	fresh(0);
	kaslr_area(KASLR_RAM, 0x5000, 0x5000);
	kaslr_area(KASLR_RAM, 0x9000, 0x5000);
	kaslr_area(KASLR_RAM, ~0UL - 5, ~0UL);
	kaslr_area(KASLR_RAM, 1UL << 52, ~0UL);
	CHECK(!areas.count && !kaslr_pick(&want, &addr), "%u edges",
	      areas.count);
	kaslr_area(KASLR_RAM, (1UL << 52) - 0x1800, ~0UL);
	CHECK(kaslr_pick(&want, &addr) && addr == (1UL << 52) - 0x1000,
	      "0x%lx", addr);

	/*
	 * The payload does not fit into memory. kaslr_pick() must find no
	 * address.
	 */
	CHECK(!kaslr_pick(&(struct kaslr_slots){ ~0UL, 0x1000, 0, ~0UL },
			  &addr), "0x%lx", addr);
	CHECK(!kaslr_pick(&(struct kaslr_slots){ 0x1000, 0x1000, 0, 0 },
			  &addr), "0x%lx", addr);

	/*
	 * A caller of kaslr_area() can keep the argument @kind on the stack, where the
	 * hypervisor can change it. For a @kind that does not exist kaslr_area() must not
	 * write outside of areas.known.
	 */
	kaslr_area((enum kaslr_area)0x10005, 0, 0x1000);
}

/* KASLR must ignore E820 entries that wrap around at 2^64, or are empty. */
TEST(nonsense_e820)
{
	const struct kaslr_slots want = { 0x1000, 0x1000, 0, 1UL << 46 };
	u64 addr;

	fresh(0);
	add_e820(0x100000, 0x2000, E820_RAM);
	add_e820(0x101000, ~0UL, E820_RESERVED);
	add_e820(0x200000, ~0UL, E820_RAM);
	add_e820(0x300000, 0, E820_RAM);
	CHECK(physical(want, &addr), "no slot");
	CHECK(sweep(&want, ~0UL).slots == 2, "%lu slots",
	      sweep(&want, ~0UL).slots);
}

/*
 * kaslr.c has room for a limited number of memory ranges and gets one range too
 * many. It must draw no address, because the payload could overwrite the range
 * that is missing.
 */
TEST(too_many_areas)
{
	const struct kaslr_slots want = { 0x1000, 0x1000, 0, 1UL << 46 };
	unsigned int i;
	u64 addr;

	fresh(0);
	for (i = 0; i < MAX_EDGES / 2; i++)
		kaslr_area(KASLR_RAM, i * 0x2000, i * 0x2000 + 0x1000);
	CHECK(kaslr_pick(&want, &addr), "room for %u", i);
	CHECK(sweep(&want, ~0UL).slots == MAX_EDGES / 2, "%lu slots",
	      sweep(&want, ~0UL).slots);
	kaslr_area(KASLR_TAKEN, 0, 1UL << 46);
	CHECK(!kaslr_pick(&want, &addr), "an area was forgotten");
}

/* ---- time ---- */

/*
 * Returns how many microseconds kaslr.c needs to list @number memory ranges and
 * to draw an address. If @backwards, kaslr.c gets the ranges in descending order
 * of their addresses.
 */
static double time_of(unsigned int number, bool backwards)
{
	const struct kaslr_slots want = { 0x1000, 0x1000, 0, 1UL << 46 };
	struct timespec from, to;
	double best = 1e9, took;
	unsigned int round, i;
	u64 addr;

	for (round = 0; round < 20; round++) {
		fresh(0);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
		for (i = 0; i < number; i++) {
			u64 start = (backwards ? number - i : i) * 0x2000UL;

			kaslr_area(KASLR_RAM, start, start + 0x1000);
		}
		CHECK(kaslr_pick(&want, &addr), "no slot");
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
		took = (double)(to.tv_sec - from.tv_sec) * 1e6 +
		       (double)(to.tv_nsec - from.tv_nsec) / 1e3;
		if (took < best)
			best = took;
	}
	return best;
}

/*
 * The loader chooses the number of memory ranges, so the time must grow
 * linearly with it. Eight times as many ranges may take at most 20 times as
 * long. Quadratic growth would take 64 times as long.
 */
TEST(linear)
{
	double few = time_of(MAX_EDGES / 16, false);
	double many = time_of(MAX_EDGES / 2, false);
	double worst = time_of(MAX_EDGES / 2, true);

	CHECK(many < 20 * few, "%.1f us for %u entries, %.1f us for %u", few,
	      MAX_EDGES / 16, many, MAX_EDGES / 2);
	CHECK(worst < 1e6, "%.1f us backwards", worst);
	INFO("%.1f and %.1f us, backwards %.1f us", few, many, worst);
}

/* ---- randomness ---- */

#define DRAWS	10000
#define SLOTS	61

/*
 * Chi-squared of uniformly distributed draws exceeds this value once in 1000
 * tests (60 degrees of freedom).
 */
#define CHI_SQUARED_MAX	99.6

static double chi_squared(const unsigned int *counts)
{
	const double expected = (double)DRAWS / SLOTS;
	double sum = 0;
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		sum += (counts[i] - expected) * (counts[i] - expected) /
		       expected;
	return sum;
}

/*
 * Makes RAM of separate ranges with room for 1, 2, 3, ... slots, so that a case can
 * check that each slot has the same probability, whatever its range. All ranges
 * together have SLOTS slots, so the last range has only the slots that are left.
 */
static void pieces(void)
{
	u64 addr = 16 * MIB;
	unsigned int left = SLOTS, piece;

	for (piece = 1; left; piece++) {
		unsigned int slots = piece < left ? piece : left;

		add_e820(addr + 0x1000, (slots + 1) * 2 * MIB, E820_RAM);
		left -= slots;
		addr += slots * 2 * MIB + GIB;
	}
}

static unsigned int slot_number(u64 addr)
{
	const struct kaslr_slots want = { 2 * MIB, 2 * MIB, 0, 1UL << 46 };
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		if (sweep(&want, i).addr == addr)
			return i;
	}
	CHECK(false, "0x%lx is no slot", addr);
	return 0;
}

static void check_uniform_physical(u64 status)
{
	const struct kaslr_slots want = { 2 * MIB, 2 * MIB, 0, 1UL << 46 };
	unsigned int counts[SLOTS] = { 0 };
	unsigned int run;
	double chi;
	u64 addr;

	for (run = 0; run < DRAWS; run++) {
		fresh(status);
		pieces();
		CHECK(physical(want, &addr), "no slot");
		CHECK(sweep(&want, ~0UL).slots == SLOTS, "%lu slots",
		      sweep(&want, ~0UL).slots);
		counts[slot_number(addr)]++;
	}
	chi = chi_squared(counts);
	CHECK(chi < CHI_SQUARED_MAX, "chi-squared is %.1f", chi);
	INFO("chi-squared %.1f, limit %.1f", chi, CHI_SQUARED_MAX);
}

TEST(uniform_physical)
{
	random_seed(7002);
	check_uniform_physical(0);
}

/*
 * In an SEV-ES guest KASLR must take randomness from RDRAND only. RDTSC and
 * CPUID cause VMEXITs, and the hypervisor chooses their results.
 */
TEST(uniform_sev_es)
{
	random_seed(7003);
	check_uniform_physical(SEV_STATUS_SEV | SEV_STATUS_SEV_ES);
	CHECK(!cpu.rdtscs && !cpu.cpuids, "exits: RDTSC %u, CPUID %u",
	      cpu.rdtscs, cpu.cpuids);
}

static struct payload_header kernel(void)
{
	return (struct payload_header){
		.flags = PAYLOAD_LINUX | PAYLOAD_RELOCATABLE | PAYLOAD_KASLR,
		.link_addr = 16 * MIB, .align = 2 * MIB,
		.virt_addr = 0xffffffff81000000,
	};
}

TEST(uniform_virtual)
{
	struct payload_header p = kernel();
	u64 size = GIB - 16 * MIB - (SLOTS - 1) * p.align;
	unsigned int counts[SLOTS] = { 0 };
	unsigned int run;
	double chi;
	u64 virt;

	random_seed(7004);
	for (run = 0; run < DRAWS; run++) {
		fresh(0);
		virt = kaslr_virtual(&p, size);
		CHECK(virt >= p.virt_addr && virt % p.align == 0 &&
		      virt - p.virt_addr <= (SLOTS - 1) * p.align,
		      "0x%lx", virt);
		counts[(virt - p.virt_addr) / p.align]++;
	}
	chi = chi_squared(counts);
	CHECK(chi < CHI_SQUARED_MAX, "chi-squared is %.1f", chi);
	INFO("chi-squared %.1f, limit %.1f", chi, CHI_SQUARED_MAX);
}

/*
 * The random virtual address must be statistically independent of the random
 * physical address of the same boot.
 */
TEST(independent)
{
	const struct kaslr_slots want = { 2 * MIB, 2 * MIB, 0, 1UL << 46 };
	struct payload_header p = kernel();
	unsigned int counts[SLOTS] = { 0 };
	unsigned int run;
	u64 addr, virt;
	double chi;

	random_seed(7005);
	for (run = 0; run < DRAWS; run++) {
		fresh(0);
		pieces();
		CHECK(physical(want, &addr), "no slot");
		virt = kaslr_virtual(&p, GIB - 16 * MIB - (SLOTS - 1) * p.align);
		counts[(slot_number(addr) + (virt - p.virt_addr) / p.align) %
		       SLOTS]++;
	}
	chi = chi_squared(counts);
	CHECK(chi < CHI_SQUARED_MAX, "chi-squared is %.1f", chi);
	INFO("chi-squared %.1f, limit %.1f", chi, CHI_SQUARED_MAX);
}

TEST(virtual_limits)
{
	struct payload_header p = kernel();
	unsigned int i;

	random_seed(7006);
	fresh(0);
	for (i = 0; i < 1000; i++) {
		CHECK(kaslr_virtual(&p, GIB - 16 * MIB) == p.virt_addr,
		      "more than one place");
		CHECK(kaslr_virtual(&p, GIB - 18 * MIB + 1) == p.virt_addr,
		      "more than one place");
		CHECK(kaslr_virtual(&p, GIB) == p.virt_addr, "it does not fit");
	}
	kaslr.drawn = false;
	p.flags &= ~PAYLOAD_KASLR;
	CHECK(kaslr_virtual(&p, 2 * MIB) == p.virt_addr && !kaslr.drawn,
	      "cannot be moved");
}

/* ---- sources of randomness ---- */

/*
 * A random number is mixed from RDRAND, RDTSC and seeds of the loader. Changing
 * any of them alone must change the number.
 */
TEST(every_source_counts)
{
	static const char a[] = "a", b[] = "b";
	u64 base, other;

	fresh(0);
	cpu.even = false;
	base = draw();
	CHECK(base != draw(), "the same number twice");

	fresh(0);
	cpu.even = false;
	CHECK(draw() == base, "not the same again");
	fresh(0);
	cpu.even = false;
	cpu.fixed = 1;
	other = draw();
	CHECK(other != base, "RDRAND");
	fresh(0);
	cpu.even = false;
	cpu.tsc = 5;
	CHECK(draw() != base && draw() != other, "RDTSC");
	fresh(0);
	cpu.even = false;
	kaslr_seed(a, 1);
	other = draw();
	CHECK(other != base, "seed");
	fresh(0);
	cpu.even = false;
	kaslr_seed(b, 1);
	CHECK(draw() != other, "another seed");
	fresh(0);
	cpu.even = false;
	kaslr_seed(b, 1);
	kaslr_seed(a, 1);
	CHECK(draw() != other, "an earlier seed");
}

/* Draws the virtual address of a kernel that fits at SLOTS addresses. */
static u64 draw_virtual(const struct payload_header *p)
{
	return kaslr_virtual(p, GIB - 16 * MIB - (SLOTS - 1) * p->align);
}

/*
 * The host of an SEV-ES guest knows the zero page, which is the seed, and puts old
 * contents of the generator's state back before each hash. The host therefore
 * knows every hash. The virtual address must have a uniform distribution all the
 * same, because kaslr.c also mixes in RDRAND's number, which the host does not know.
 */
TEST(old_state_before_each_hash)
{
	struct payload_header p = kernel();
	unsigned int counts[SLOTS] = { 0 };
	unsigned int run;
	double chi;

	random_seed(7007);
	for (run = 0; run < DRAWS; run++) {
		fresh(SEV_STATUS_SEV | SEV_STATUS_SEV_ES);
		cpu.forgets = true;
		kaslr_seed(&bp, sizeof(bp));
		draw();
		counts[(draw_virtual(&p) - p.virt_addr) / p.align]++;
	}
	chi = chi_squared(counts);
	CHECK(chi < CHI_SQUARED_MAX, "chi-squared is %.1f", chi);
	INFO("chi-squared %.1f, limit %.1f", chi, CHI_SQUARED_MAX);
}

/*
 * Neither RDRAND's number nor the random number that is drawn may be in the
 * generator's state, where a host could replace either number by old contents.
 * kaslr.c must not call xxh64() after RDRAND, because the compiler would save
 * RDRAND's number to the stack during the call.
 */
TEST(rdrand_is_not_stored)
{
	const u64 *words = (const u64 *)&seeds;
	unsigned int i, word;
	u64 drawn;

	random_seed(7008);
	fresh(SEV_STATUS_SEV | SEV_STATUS_SEV_ES);
	for (i = 0; i < 1000; i++) {
		drawn = draw();
		CHECK(!cpu.hashes, "%u hashes after RDRAND", cpu.hashes);
		CHECK(drawn != cpu.number, "the hash does not count");
		for (word = 0; word < sizeof(seeds) / sizeof(*words); word++)
			CHECK(words[word] != cpu.number && words[word] != drawn,
			      "draw %u: 0x%lx is in word %u", i, words[word], word);
	}
}

/*
 * For different results of RDRAND the mixed random numbers must differ, if all
 * other sources are equal. Otherwise mixing would lose some of RDRAND's
 * randomness.
 */
TEST(rdrand_goes_in_by_a_bijection)
{
	static u64 seen[4096];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		fresh(SEV_STATUS_SEV | SEV_STATUS_SEV_ES);
		cpu.even = false;
		cpu.fixed = i & 1 ? (u64)i << 52 : i;
		seen[i] = draw();
		for (j = 0; j < i; j++)
			CHECK(seen[j] != seen[i], "%u and %u", i, j);
	}
}

TEST(rdrand_tries)
{
	unsigned int status;

	for (status = 0; status <= 3; status++) {
		if (status == 2)
			continue;
		fresh(status);
		cpu.fails = RDRAND_TRIES - 1;
		draw();
		CHECK(cpu.rdrands == RDRAND_TRIES && !kaslr.weak,
		      "%u tries", cpu.rdrands);
		CHECK(!status == !!cpu.cpuids, "CPUID: %u", cpu.cpuids);
		CHECK(!(status & 2) == !!cpu.rdtscs, "RDTSC: %u", cpu.rdtscs);
	}
}

TEST(rdrand_fails_for_good)
{
	fresh(0);
	cpu.fails = 1000;
	draw();
	CHECK(cpu.rdrands == RDRAND_TRIES && kaslr.weak && cpu.rdtscs,
	      "%u tries", cpu.rdrands);
	CHECK(kaslr_finish(), "not drawn");

	fresh(SEV_STATUS_SEV);
	cpu.fails = RDRAND_TRIES;
	EXPECT_ERROR(draw(), "KASLR");

	fresh(SEV_STATUS_SEV | SEV_STATUS_SEV_ES);
	cpu.fails = RDRAND_TRIES;
	if (!setjmp(harness.expected)) {
		draw();
		CHECK(false, "goes on");
	}
	CHECK(cpu.stopped == SEVSTUB_TERM_CPU + 1, "reason %u",
	      cpu.stopped - 1);
}

TEST(no_rdrand)
{
	fresh(0);
	cpu.has_rdrand = false;
	CHECK(draw() != draw(), "the same number twice");
	CHECK(!cpu.rdrands && cpu.rdtscs == 2, "%u RDRAND, %u RDTSC",
	      cpu.rdrands, cpu.rdtscs);
	CHECK(kaslr_finish(), "not drawn");
}

/*
 * Before ExitBootServices() the stub does not know yet whether it runs in an
 * SEV guest. The hypervisor may have hidden RDRAND by a false CPUID result. If
 * the guest turns out to be an SEV guest, kaslr_finish() must reject an address
 * that was drawn without RDRAND.
 */
TEST(lie_about_rdrand)
{
	unsigned int status;

	for (status = 1; status <= 3; status += 2) {
		fresh(0);
		sev_guest.known = false;
		cpu.has_rdrand = status == 1;
		cpu.fails = RDRAND_TRIES;
		draw();
		sev_guest.known = true;
		sev_guest.status = status;
		if (status == 1) {
			EXPECT_ERROR(kaslr_finish(), "KASLR");
			continue;
		}
		if (!setjmp(harness.expected)) {
			kaslr_finish();
			CHECK(false, "goes on");
		}
		CHECK(cpu.stopped == SEVSTUB_TERM_CPU + 1, "reason %u",
		      cpu.stopped - 1);
	}
	/*
	 * RDRAND worked when the address was drawn, but the stub did not know
	 * yet that this is an SEV guest. kaslr_finish() must accept the
	 * address. RDTSC must not have been used, because it may cost an exit
	 * in an SEV-ES guest.
	 */
	fresh(0);
	sev_guest.known = false;
	draw();
	CHECK(!cpu.rdtscs, "%u RDTSC", cpu.rdtscs);
	sev_guest.status = 3;
	CHECK(kaslr_finish(), "not drawn");
}

TEST(forgets)
{
	static const typeof(seeds) zero;

	fresh(0);
	CHECK(!kaslr_finish(), "drawn");
	kaslr_seed("x", 1);
	draw();
	CHECK(memcmp(&seeds, &zero, sizeof(seeds)), "no seeds");
	CHECK(kaslr_finish(), "not drawn");
	CHECK(!memcmp(&seeds, &zero, sizeof(seeds)), "seeds are left");
}

/* ---- the command line ---- */

TEST(nokaslr)
{
	static const struct {
		const char *text;
		bool wanted;
	} rows[] = {
		{ "", true }, { "nokaslr", false }, { "a nokaslr b", false },
		{ "nokaslr=1", true }, { "xnokaslr", true },
		{ "nokaslrx", true }, { "kaslr", true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		strcpy(cmdline_text, rows[i].text);
		CHECK(kaslr_wanted(&(struct cmdline){ cmdline_text,
			strlen(cmdline_text) }) == rows[i].wanted,
		      "\"%s\"", rows[i].text);
	}
}

/*
 * Returns which of the lowest 16 GiB of RAM KASLR may use if the command line
 * is @text: bit n is set if it may use GiB number n.
 */
static u64 left(const char *text)
{
	struct kaslr_slots want = { GIB, GIB, 0, 1UL << 46 };
	struct cmdline words;
	u64 mask = 0;
	unsigned int i;
	struct sweep s;

	fresh(0);
	kaslr_area(KASLR_RAM, 0, 16 * GIB);
	strcpy(cmdline_text, text);
	words = cmdline();
	if (!heed_options(&words))
		return 0;
	s = sweep(&want, ~0UL);
	for (i = 0; i < s.slots; i++)
		mask |= 1UL << sweep(&want, i).addr / GIB;
	return mask;
}

TEST(options)
{
	static const struct {
		const char *text;
		u64 left;
	} rows[] = {
		{ "quiet", 0xffff },
		{ "mem=4G", 0x000f },
		{ "mem=4294967296", 0x000f },
		{ "mem=0x100000000", 0x000f },
		{ "mem=4096M", 0x000f },
		{ "mem=4194304k", 0x000f },
		{ "mem=1T", 0xffff },
		{ "mem=8G mem=2G mem=4G", 0x0003 },
		{ "mem=nopentium", 0xffff },
		{ "mem=0", 0xffff },
		{ "mem=5G-1", 0x001f },
		{ "mem=", 0xffff },
		{ "mem=17E", 0xffff },		/* KASLR ignores mem=17E: 17 EiB exceeds 64 bits */
		{ "xmem=4G", 0xffff },
		{ "memmap=4G", 0x000f },
		{ "memmap=2G$4G", 0xffcf },
		{ "memmap=2G#4G", 0xffcf },
		{ "memmap=2G!4G", 0xffcf },
		{ "memmap=1$0x100000000", 0xffef },
		{ "memmap=2G%4G-1+2", 0xffcf },
		{ "memmap=2G%4G+2,1G$0", 0xffce },
		{ "memmap=2G@4G", 0xffff },
		{ "memmap=2G$4G,1G$0x3c0000000", 0x7fcf },
		{ "memmap=1G$0 memmap=1G$1G memmap=1G$2G memmap=1G$3G memmap=1G$4G",
		  0xffe0 },
		{ "memmap=1G$4G,8G", 0x00ef },
		{ "memmap=0xffffffffffffffff$12G", 0x0fff },
		{ "memmap=exactmap", 0 },
		{ "memmap=exactmap memmap=4G@0", 0 },
		{ "memmap=2G$", 0 },
		{ "memmap=2G$4Gx", 0 },
		{ "memmap=2G?4G", 0 },
		{ "memmap=2G$4G,", 0 },
		{ "memmap=", 0 },
		{ "efi_fake_mem=2G@4G:0x10000", 0 },
		{ "hugepages=4", 0xffff },
		{ "hugepagesz=2M hugepages=4", 0xffff },
		{ "hugepagesz=1G hugepages=4", 0xfff0 },
		{ "hugepagesz=1G hugepages=16", 0 },
		{ "hugepagesz=1G hugepages=0xffffffffffffffff", 0 },
		{ "hugepagesz=1G hugepages=2 memmap=1G$0", 0xfff8 },
		{ "hugepagesz=1G", 0xffff },
		{ "hugepages=4 hugepagesz=1G", 0xffff },
		{ "hugepagesz=2M hugepages=8 hugepagesz=1G hugepages=1", 0xfffe },
		{ "hugepagesz=1G hugepages=x", 0xffff },
		/*
		 * mem=3584M leaves three whole GiB and half a GiB. The half GiB
		 * holds neither a page of 1 GiB nor the payload, which has 1
		 * GiB in this test.
		 */
		{ "hugepagesz=1G hugepages=4 mem=3584M", 0 },
		{ "hugepagesz=1G hugepages=2 mem=3584M", 0x0004 },
	};
	char text[OPTION_SIZE + 32] = "memmap=1G$0";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK(left(rows[i].text) == rows[i].left,
		      "\"%s\": 0x%lx, not 0x%lx", rows[i].text,
		      left(rows[i].text), rows[i].left);

	/*
	 * The value of memmap= has the longest length that fits the stub's
	 * buffer. With one byte more, KASLR must use no memory, because it
	 * cannot read the whole option.
	 */
	while (strlen(text) < strlen("memmap=") + OPTION_SIZE - 1 - 4)
		strcat(text, ",0$0");
	while (strlen(text) < strlen("memmap=") + OPTION_SIZE - 1)
		strcat(text, "0");
	CHECK(left(text) == 0xfffe, "\"%s\": 0x%lx", text, left(text));
	strcat(text, "0");
	CHECK(left(text) == 0, "\"%s\": 0x%lx", text, left(text));
}

static void read_options(void)
{
	struct cmdline words = cmdline();

	heed_options(&words);
}

/*
 * kaslr.c must leave no text of an option on the stack, because the hypervisor of
 * an SEV-ES guest could put the text back as a return address (not_on_stack in
 * types.h). If kaslr.c copied an option to the stack, later calls could overwrite
 * a part of the copy. Each option's value is so long that the test would still find
 * the rest of the copy.
 */
TEST(options_not_on_stack)
{
	static const char *const rows[] = {
		"mem=", "memmap=", "memmap=1G$", "hugepagesz=", "hugepagesz=1G hugepages=",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fresh(0);
		memset(cmdline_text, '9', OPTION_SIZE);
		memcpy(cmdline_text, rows[i], strlen(rows[i]));
		cmdline_text[OPTION_SIZE] = '\0';
		CHECK(!leaves_on_stack(read_options, "9999999999999999", 16), "%s", rows[i]);
	}
}
