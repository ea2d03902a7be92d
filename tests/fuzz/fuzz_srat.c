/* SPDX-License-Identifier: MIT */
/*
 * fuzz_srat.c - libFuzzer target for the ACPI tables that srat.c reads.
 *
 * The input fills two pages of memory with ACPI tables. It also chooses which of
 * their pointers, lengths and checksums this test makes right. AddressSanitizer
 * reports reads of memory that the stub has not mapped before. Each area that the
 * stub calls immovable must be in an entry of the tables.
 */
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "fuzz.h"

#include "lib/cmdline.c"
#include "lib/e820.c"
#include "payload/srat.c"

#define ARENA_SIZE	0x2000UL
#define AT_RSDP		0x10
#define AT_ROOT		0x100
#define AT_SRAT		0x400

static u8 *arena;
static size_t tables_left;
static unsigned int named;

int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	CHECK(prot == MAP_RO && start < end, "0x%lx-0x%lx", start, end);
	if (start < (u64)arena || end > (u64)arena + ARENA_SIZE)
		return -EINVAL;
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	ASAN_UNPOISON_MEMORY_REGION((void *)start, end - start);
	return 0;
}

int ident_map_query(u64 addr)
{
	return addr - (u64)arena < ARENA_SIZE ? MAP_RO : -EFAULT;
}

size_t ident_map_tables_left(void)
{
	return tables_left;
}

bool sev_active(void)
{
	return true;
}

void kaslr_area(enum kaslr_area kind, u64 start, u64 end)
{
	u64 base, size, at;

	if (kind == KASLR_TAKEN)
		return;
	CHECK(kind == KASLR_IMMOVABLE, "kind %u", kind);
	named++;
	ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
	for (at = 0; at + 40 <= ARENA_SIZE; at++) {
		memcpy(&base, arena + at + 8, sizeof(base));
		memcpy(&size, arena + at + 16, sizeof(size));
		if (base == start && size == end - start && arena[at] == 1 &&
		    arena[at + 1] >= 40 && (arena[at + 28] & 3) == 1)
			return;
	}
	CHECK(false, "0x%lx-0x%lx is in no entry", start, end);
}

static void fix_sum(u64 at, u64 size, u64 sum)
{
	u8 total = 0;
	u64 i;

	if (size > ARENA_SIZE - at)
		return;
	arena[at + sum] = 0;
	for (i = 0; i < size; i++)
		total += arena[at + i];
	arena[at + sum] = -total;
}

static void put(u64 at, u64 value, unsigned int size)
{
	memcpy(arena + at, &value, size);
}

static u32 length_of(u64 at)
{
	u32 length;

	memcpy(&length, arena + at + 4, sizeof(length));
	return length;
}

static void fuzz_one(struct input *in)
{
	static struct boot_params bp;
	static const char *const lines[] = {
		"movable_node", "acpi=rsdt movable_node", "movable_node acpi=off",
	};
	struct cmdline cmdline;
	u8 how = take_u8(in), length = take_u8(in);

	if (!arena) {
		arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		CHECK(arena != MAP_FAILED, "no memory below 4 GiB%s", "");
	}
	ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
	memset(arena, 0, ARENA_SIZE);
	take_bytes(in, arena + AT_RSDP, sizeof(struct rsdp));
	take_bytes(in, arena + AT_ROOT, 64);
	take_bytes(in, arena + AT_SRAT, 1024);
	memcpy(arena + AT_RSDP, "RSD PTR ", 8);
	memcpy(arena + AT_ROOT, how & 1 ? "RSDT" : "XSDT", 4);
	memcpy(arena + AT_SRAT, "SRAT", 4);
	if (how & 2) {
		put(AT_RSDP + (how & 1 ? 16 : 24), (u64)arena + AT_ROOT,
		    how & 1 ? 4 : 8);
		arena[AT_RSDP + 15] = how & 1 ? 0 : 2;
	}
	if (how & 4) {
		put(AT_ROOT + 4, 36 + 16, 4);
		put(AT_ROOT + 36, (u64)arena + AT_SRAT, how & 1 ? 4 : 8);
	}
	if (how & 8)
		put(AT_SRAT + 4, 36 + length * 4UL, 4);
	if (how & 16) {
		fix_sum(AT_RSDP, 20, 8);
		fix_sum(AT_RSDP, 36, 32);
		fix_sum(AT_ROOT, length_of(AT_ROOT), 9);
		fix_sum(AT_SRAT, length_of(AT_SRAT), 9);
	}
	bp.e820_table[0] = (struct boot_e820_entry){ (u64)arena, ARENA_SIZE,
						     E820_RAM };
	bp.e820_entries = 1;
	tables_left = how & 32 ? 0 : 100;
	bp.acpi_rsdp_addr = (u64)arena + AT_RSDP + (how >> 7 ? length : 0);
	cmdline.text = lines[how & 64 ? length % ARRAY_SIZE(lines) : 0];
	cmdline.len = strlen(cmdline.text);
	named = 0;
	ASAN_POISON_MEMORY_REGION(arena, ARENA_SIZE);
	srat_name_immovable(&bp, &cmdline);
	ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
	CHECK(named <= ARENA_SIZE / 40, "%u areas", named);
}
