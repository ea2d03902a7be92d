/* SPDX-License-Identifier: MIT */
/*
 * test_srat.c - payload/srat.c, which reads from ACPI's SRAT which memory can
 * be unplugged, with correct and hostile tables. The code may read a page only
 * after it has mapped it: ASan reports any other access. An endless loop hangs
 * the test.
 */
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "harness.h"
#include "own_stack.h"

#include "lib/cmdline.c"
#include "lib/e820.c"
#include "payload/srat.c"

#define ARENA_SIZE	0x200000UL
#define AT_RSDP		0x1010
#define AT_RSDT		0x2000
#define AT_XSDT		0x3000
#define AT_OTHER	0x4000
#define AT_SRAT		0x5f80	/* the SRAT crosses a page boundary */
#define AT_SECOND	0x8000

static u8 *arena;
static struct boot_params bp;
static char text[256];
static char areas[512];
static char taken[0x40000];
static bool sev;
/*
 * The address of the guard page, and of the page that is shared with the hypervisor, in the
 * fake page tables. A value of 1, which no page has as its address, means that there is no
 * such page.
 */
static u64 guarded, shared;
static size_t tables_left;

/* ---- fakes of the functions that srat.c calls ---- */

int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	char pages[40];

	CHECK(prot == MAP_RO, "%#x", prot);
	CHECK(start < end, "0x%lx-0x%lx", start, end);
	snprintf(pages, sizeof(pages), "%lx-%lx ",
		 ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE));
	CHECK(strstr(taken, pages), "%s may be drawn", pages);
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	if (start < (u64)arena || end > (u64)arena + ARENA_SIZE)
		return -EINVAL;
	for (; start < end; start += PAGE_SIZE) {
		if (start != guarded)
			ASAN_UNPOISON_MEMORY_REGION((void *)start, PAGE_SIZE);
	}
	return 0;
}

int ident_map_query(u64 addr)
{
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (addr == guarded)
		return -EFAULT;
	return addr == shared ? MAP_WRITE | MAP_DECRYPTED : MAP_RO;
}

size_t ident_map_tables_left(void)
{
	return tables_left;
}

bool sev_active(void)
{
	return sev;
}

void kaslr_area(enum kaslr_area kind, u64 start, u64 end)
{
	size_t len = strlen(areas);

	if (kind == KASLR_TAKEN) {
		CHECK(start % PAGE_SIZE == 0 && end % PAGE_SIZE == 0,
		      "a part of a page: 0x%lx-0x%lx", start, end);
		len = strlen(taken);
		snprintf(taken + len, sizeof(taken) - len, "%lx-%lx ", start,
			 end);
		return;
	}
	CHECK(kind == KASLR_IMMOVABLE, "kind %u", kind);
	snprintf(areas + len, sizeof(areas) - len, "%lx-%lx ", start, end);
}

/* ---- tables ---- */

static void fix_sum(u8 *data, u64 size, u8 *sum)
{
	*sum = 0;
	for (u64 i = 0; i < size; i++)
		*sum -= i == (u64)(sum - data) ? 0 : data[i];
}

static struct acpi_table *table(u64 offset, const char *name, u32 length)
{
	struct acpi_table *t = (void *)(arena + offset);

	memcpy(t->signature, name, 4);
	t->length = length;
	return t;
}

static void seal_table(u64 offset)
{
	struct acpi_table *t = (void *)(arena + offset);

	if (t->length <= ARENA_SIZE - offset)
		fix_sum((u8 *)t, t->length, &t->checksum);
}

static struct rsdp *rsdp_at(u64 offset)
{
	return (void *)(arena + offset);
}

static void seal_rsdp(u64 offset)
{
	struct rsdp *r = rsdp_at(offset);

	fix_sum((u8 *)r, RSDP_FIRST_SIZE, &r->checksum);
	fix_sum((u8 *)r, sizeof(*r), &r->extended_checksum);
}

static void add_memory(u64 offset, u64 base, u64 size, u32 flags)
{
	struct acpi_table *t = (void *)(arena + offset);
	struct srat_memory m = { .type = 1, .length = sizeof(m), .base = base,
				 .size = size, .flags = flags };

	memcpy((u8 *)t + t->length, &m, sizeof(m));
	t->length += sizeof(m);
}

static void add_processor(u64 offset)
{
	struct acpi_table *t = (void *)(arena + offset);

	((u8 *)t)[t->length + 1] = 16;
	t->length += 16;
}

static void set_root(u64 root, unsigned int i, u64 addr)
{
	struct acpi_table *t = (void *)(arena + root);
	u64 size = root == AT_XSDT ? 8 : 4;

	memcpy(t->data + i * size, &addr, size);
}

#define GOOD_AREAS	"100000-40000000 100000000-140000000 "

static void set_e820(u8 i, u64 addr, u64 size, u32 type)
{
	bp.e820_table[i] = (struct boot_e820_entry){ addr, size, type };
	bp.e820_entries = (u8)(i + 1);
}

static void fresh(void)
{
	struct rsdp *r;

	if (!arena)
		arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(arena != MAP_FAILED, "no memory below 4 GiB");
	ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
	memset(arena, 0, ARENA_SIZE);
	memset(&bp, 0, sizeof(bp));
	set_e820(0, (u64)arena, ARENA_SIZE, E820_RAM);
	guarded = shared = 1;
	tables_left = PAGE_TABLES_KEPT;
	sev = false;
	strcpy(text, "quiet movable_node");

	r = rsdp_at(AT_RSDP);
	memcpy(r->signature, "RSD PTR ", 8);
	r->revision = 2;
	r->length = sizeof(*r);
	r->rsdt = (u32)(u64)(arena + AT_RSDT);
	r->xsdt = (u64)(arena + AT_XSDT);
	seal_rsdp(AT_RSDP);
	bp.acpi_rsdp_addr = (u64)r;

	table(AT_RSDT, "RSDT", 36 + 4);
	set_root(AT_RSDT, 0, (u64)(arena + AT_SECOND));
	seal_table(AT_RSDT);
	table(AT_XSDT, "XSDT", 36 + 3 * 8);
	set_root(AT_XSDT, 0, 0);
	set_root(AT_XSDT, 1, (u64)(arena + AT_OTHER));
	set_root(AT_XSDT, 2, (u64)(arena + AT_SRAT));
	seal_table(AT_XSDT);
	table(AT_OTHER, "FACP", 0xffffffff);

	table(AT_SRAT, "SRAT", 48);
	add_processor(AT_SRAT);
	add_memory(AT_SRAT, 0x100000, 0x3ff00000, 1);
	add_memory(AT_SRAT, 0x40000000, 0x40000000, 3);
	add_memory(AT_SRAT, 0x80000000, 0x40000000, 0);
	add_memory(AT_SRAT, 0x100000000, 0x40000000, 5);
	add_memory(AT_SRAT, 0x140000000, 0x40000000, 2);
	seal_table(AT_SRAT);
	table(AT_SECOND, "SRAT", 48);
	add_memory(AT_SECOND, 0x777000, 0x1000, 1);
	seal_table(AT_SECOND);
}

static const char *found(void)
{
	struct cmdline words = { text, strlen(text) };

	areas[0] = '\0';
	taken[0] = '\0';
	ASAN_POISON_MEMORY_REGION(arena, ARENA_SIZE);
	srat_name_immovable(&bp, &words);
	ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
	return areas;
}

#define EXPECT_AREAS(expected)						\
	do {								\
		const char *got = found();				\
		CHECK(!strcmp(got, expected), "\"%s\": \"%s\"", text, got); \
	} while (0)

TEST(good)
{
	fresh();
	EXPECT_AREAS(GOOD_AREAS);
	sev = true;
	EXPECT_AREAS(GOOD_AREAS);
}

TEST(options)
{
	fresh();
	strcpy(text, "quiet");
	EXPECT_AREAS("");
	strcpy(text, "movable_node acpi=off");
	EXPECT_AREAS("");
	strcpy(text, "movable_node acpi=force");
	EXPECT_AREAS(GOOD_AREAS);
	strcpy(text, "movable_node acpi=rsdt");
	EXPECT_AREAS("777000-778000 ");
	bp.acpi_rsdp_addr = 0;
	snprintf(text, sizeof(text), "movable_node acpi_rsdp=0x%lx",
		 (u64)(arena + AT_RSDP));
	EXPECT_AREAS(GOOD_AREAS);
}

static void find_areas(void)
{
	found();
}

/*
 * srat.c must leave no text of an option and no entry of a table on the stack, because the
 * hypervisor of an SEV-ES guest could put these bytes back as a return address
 * (not_on_stack in types.h).
 */
TEST(not_on_stack)
{
	const char *entry = (const char *)arena + AT_SRAT + sizeof(struct acpi_table) +
			    SRAT_RESERVED;

	fresh();
	strcpy(text, "movable_node acpi_rsdp=0x123456789abcdef");
	CHECK(!leaves_on_stack(find_areas, "0x123456789abcdef", 16), "acpi_rsdp=");
	fresh();
	CHECK(!leaves_on_stack(find_areas, entry, 16), "an entry");
	EXPECT_AREAS(GOOD_AREAS);
}

TEST(first_revision)
{
	fresh();
	rsdp_at(AT_RSDP)->revision = 0;
	seal_rsdp(AT_RSDP);
	rsdp_at(AT_RSDP)->extended_checksum++;
	EXPECT_AREAS("777000-778000 ");
	fresh();
	rsdp_at(AT_RSDP)->xsdt = 0;
	seal_rsdp(AT_RSDP);
	EXPECT_AREAS("777000-778000 ");
}

/*
 * The stub must ignore tables with a wrong checksum or signature, and pointers
 * that do not point to a table.
 */
TEST(not_believed)
{
	static const struct {
		u64 at;
		/*
		 * true: correct the checksums after the change at @at, so that
		 * the stub cannot notice the change by a wrong checksum.
		 */
		bool sealed;
	} rows[] = {
		{ AT_RSDP, true }, { AT_RSDP, false }, { AT_RSDP + 33, false },
		{ AT_RSDP + 29, true }, { AT_XSDT, true }, { AT_XSDT, false },
		{ AT_SRAT, true }, { AT_SRAT + 60, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fresh();
		arena[rows[i].at] ^= 0x40;
		if (rows[i].sealed) {
			seal_rsdp(AT_RSDP);
			seal_table(AT_XSDT);
			seal_table(AT_SRAT);
		}
		EXPECT_AREAS("");
	}
}

TEST(lengths)
{
	static const u32 lengths[] = { 0, 8, 35, TABLE_SIZE_MAX + 1,
				       0x7fffffff, 0xffffffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		fresh();
		table(AT_SRAT, "SRAT", lengths[i]);
		EXPECT_AREAS("");
		fresh();
		table(AT_XSDT, "XSDT", lengths[i]);
		EXPECT_AREAS("");
	}
	/*
	 * The SRAT has a length that is smaller than the fixed part of an SRAT,
	 * although larger than the header of an ACPI table. The stub must
	 * ignore the table.
	 */
	fresh();
	for (i = 36; i < 50; i++) {
		table(AT_SRAT, "SRAT", (u32)i);
		seal_table(AT_SRAT);
		EXPECT_AREAS("");
	}
}

/*
 * An SRAT entry has length 0, a length too short for its type, or is longer
 * than the rest of the table. The stub must ignore this entry and those after
 * it.
 */
TEST(entries)
{
	u8 *entry;

	fresh();
	entry = arena + AT_SRAT + 48 + 16;
	entry[1] = 0;
	seal_table(AT_SRAT);
	EXPECT_AREAS("");
	entry[1] = 1;
	seal_table(AT_SRAT);
	EXPECT_AREAS("");
	/*
	 * This entry has 40 bytes, but its length field says 39, so the stub must
	 * ignore the entry. The stub then takes the last byte of this entry, which
	 * is 0, for the type of the next entry.
	 */
	entry[1] = 39;
	seal_table(AT_SRAT);
	CHECK(!strstr(found(), "100000-40000000"), "%s", areas);
	fresh();
	table(AT_SRAT, "SRAT", 48 + 16 + 39);
	seal_table(AT_SRAT);
	EXPECT_AREAS("");
}

TEST(out_of_reach)
{
	fresh();
	bp.acpi_rsdp_addr = ~0UL - 8;
	EXPECT_AREAS("");
	bp.acpi_rsdp_addr = 0x10;
	EXPECT_AREAS("");
	fresh();
	set_root(AT_XSDT, 2, ~0UL - 20);
	seal_table(AT_XSDT);
	EXPECT_AREAS("");
	fresh();
	guarded = (u64)(arena + 0x6000);	/* inside the SRAT */
	EXPECT_AREAS("");
	fresh();
	shared = (u64)(arena + 0x6000);
	EXPECT_AREAS("");
	/*
	 * The stub needs the remaining page tables to map the payload's memory.
	 * If few are left, it must not use them to map the SRAT.
	 */
	fresh();
	tables_left = PAGE_TABLES_KEPT - 1;
	EXPECT_AREAS("");
}

/*
 * The stub may read ACPI tables only in memory of E820 types 1 to 4, because
 * reading a device's registers may have effects. In an SEV guest it may not read
 * type 2, reserved memory, because this may be shared with the hypervisor.
 */
TEST(not_in_memory)
{
	static const struct {
		u32 type;
		bool good, good_in_sev;
	} types[] = {
		{ 1, true, true }, { 2, true, false }, { 3, true, true },
		{ 4, true, true }, { 5, false, false }, { 7, false, false },
		{ 0, false, false }, { 12, false, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fresh();
		bp.e820_table[0].type = types[i].type;
		EXPECT_AREAS(types[i].good ? GOOD_AREAS : "");
		CHECK(types[i].good || !taken[0], "type %u: %s is touched",
		      types[i].type, taken);
		sev = true;
		EXPECT_AREAS(types[i].good_in_sev ? GOOD_AREAS : "");
	}
	/*
	 * The memory map has no entries, then an entry whose end overflows 64
	 * bits, then an entry of 0 bytes. It names no memory that may hold
	 * tables, so the stub must read no table.
	 */
	fresh();
	bp.e820_entries = 0;
	EXPECT_AREAS("");
	fresh();
	bp.e820_table[0].size = -(u64)arena;
	EXPECT_AREAS("");
	bp.e820_table[0].size = 0;
	EXPECT_AREAS("");
}

/*
 * A table may lie in two adjacent E820 entries. It must be ignored if one of
 * its bytes is in neither.
 */
TEST(in_memory_in_part)
{
	const u64 srat = (u64)arena + AT_SRAT, end = srat + 48 + 16 + 5 * 40;

	fresh();
	set_e820(0, srat + 20, ARENA_SIZE / 2, 3);
	set_e820(1, (u64)arena, AT_SRAT + 20, 4);
	EXPECT_AREAS(GOOD_AREAS);
	bp.e820_table[1].size--;
	EXPECT_AREAS("");
	fresh();
	bp.e820_table[0].size = end - (u64)arena;
	EXPECT_AREAS(GOOD_AREAS);
	bp.e820_table[0].size--;
	EXPECT_AREAS("");
	/*
	 * Two E820 entries cover the same byte with different types. The stub
	 * must not read it if one of the types forbids that.
	 */
	fresh();
	set_e820(1, end, 1, 5);
	EXPECT_AREAS(GOOD_AREAS);
	set_e820(1, end - 1, 1, 5);
	EXPECT_AREAS("");
	set_e820(1, srat, 1, 5);
	EXPECT_AREAS("");
}

/*
 * The stub may read the BIOS's area from 0xe0000 to 1 MiB, although no E820
 * entry covers it. In an SEV guest it must not, because such a guest has no BIOS.
 */
TEST(bios_area)
{
	fresh();
	CHECK(is_for_tables(&bp, 0xe0000, 0x100000), "not its own");
	CHECK(!is_for_tables(&bp, 0xdffff, 0x100000), "in front");
	CHECK(!is_for_tables(&bp, 0xe0000, 0x100001), "after");
	sev = true;
	CHECK(!is_for_tables(&bp, 0xe0000, 0x100000), "no BIOS in SEV");
}

/*
 * The stub reads at most 256 tables that the XSDT lists. It ignores an XSDT
 * that lists more.
 */
TEST(many_tables)
{
	unsigned int i;

	for (i = 256; i <= 257; i++) {
		fresh();
		memset(arena + AT_XSDT, 0, 0x2000);
		table(AT_XSDT, "XSDT", 36 + i * 8);
		set_root(AT_XSDT, i - 1, (u64)(arena + AT_SRAT));
		seal_table(AT_XSDT);
		EXPECT_AREAS(i == 256 ? GOOD_AREAS : "");
	}
}

/*
 * Tests the search for the RSDP in the memory that a BIOS uses. Memory of the
 * test takes the place of that memory.
 */
TEST(search)
{
	u64 start, end, offset;

	fresh();
	start = (u64)arena;
	end = start + 0x2000;
	CHECK(search_rsdp(&bp, start, end) == rsdp_at(AT_RSDP), "not found");
	CHECK(!search_rsdp(&bp, start, start + AT_RSDP + 32), "cut in two");
	CHECK(search_rsdp(&bp, start, start + AT_RSDP + 48), "not found");
	for (offset = 1; offset < 16; offset++)
		CHECK(!search_rsdp(&bp, start + offset, end), "not aligned");
	arena[AT_RSDP + 5] ^= 1;
	CHECK(!search_rsdp(&bp, start, end), "found");
}

/*
 * @ram_end is the end of RAM below 640 KiB. @taken lists the memory that the
 * stub must search for the RSDP and therefore withhold from KASLR.
 * ident_map_range() refuses to map this memory here, so that no RSDP is found.
 */
TEST(search_places)
{
	static const struct {
		u64 ram_end;
		const char *taken;
	} places[] = {
		{ 0x9fc00, "9f000-a0000 e0000-100000 " },
		{ 0x9f801, "9f000-a0000 e0000-100000 " },
		{ 0x9fc01, "e0000-100000 " },
		{ 0xf000, "e0000-100000 " },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		fresh();
		bp.acpi_rsdp_addr = 0;
		set_e820(0, 0, places[i].ram_end, E820_RAM);
		set_e820(1, places[i].ram_end, 0xb0000 - places[i].ram_end,
			 E820_ACPI);
		EXPECT_AREAS("");
		CHECK(!strcmp(taken, places[i].taken), "RAM to 0x%lx: %s",
		      places[i].ram_end, taken);
	}
}

TEST(search_in_sev)
{
	fresh();
	bp.acpi_rsdp_addr = 0;
	sev = true;
	EXPECT_AREAS("");
}

/*
 * Random damage to the tables, often with correct checksums. The stub must
 * terminate its loops and must read mapped memory only.
 */
TEST(random_damage)
{
	static const u64 tables[] = { AT_RSDP, AT_XSDT, AT_RSDT, AT_SRAT };
	unsigned int run, i, same = 0;

	random_seed(7101);
	for (run = 0; run < 20000; run++) {
		fresh();
		for (i = 0; i <= random_below(4); i++) {
			u64 at = tables[random_below(4)] + random_below(64);

			arena[at] = (u8)random_u64();
		}
		if (random_below(4)) {
			seal_rsdp(AT_RSDP);
			seal_table(AT_XSDT);
			seal_table(AT_RSDT);
			seal_table(AT_SRAT);
		}
		same += !strcmp(found(), GOOD_AREAS);
	}
	CHECK(same > 100 && same < 19900, "%u are as before", same);
	INFO("%u of %u as before", same, run);
}
