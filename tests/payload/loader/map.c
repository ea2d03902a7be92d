/* SPDX-License-Identifier: MIT */
/*
 * map.c - the test loader's page tables. It extends the tables of head.S, on which the
 * loader runs, and makes the tables with which the image is entered.
 */
#include "loader.h"

#define FIRST_4G		(4 * PUD_SIZE)
#define READ			PTE_PRESENT
#define READ_WRITE		(PTE_PRESENT | PTE_WRITE)
#define MAX_CMDLINE		0x1000

static u64 level_size(unsigned int level)
{
	return 1UL << (PAGE_SHIFT + (level - 1) * TABLE_INDEX_BITS);
}

static struct range range_at(u64 start, u64 size)
{
	return (struct range){ start, start + size };
}

static bool has_1g_pages(void)
{
	return cpuid_count(CPUID_EXT_FEATURES, 0).edx &
	       (1U << CPUID_EXT_EDX_PG1G_BIT);
}

static u64 new_table(struct map *map)
{
	u64 table = map->next;

	if (table + PAGE_SIZE > map->end)
		fail("map: no room for page tables below %lx", map->end);
	map->next += PAGE_SIZE;
	memset((void *)table, 0, PAGE_SIZE);
	return table;
}

void map_init(struct map *map, u64 pool, u64 size, unsigned int levels,
	      unsigned int max_level)
{
	map->next = pool;
	map->end = pool + size;
	map->levels = levels;
	map->max_level = max_level;
	map->root = new_table(map);
}

/*
 * Maps one page at the virtual address @va, of the largest size that fits into @left
 * bytes. Does nothing if a large leaf maps @va already. Returns the number of bytes
 * from @va to the end of the page.
 */
static u64 map_page(struct map *map, u64 va, u64 left, u64 offset, u64 bits)
{
	u64 *table = (u64 *)map->root;

	for (unsigned int level = map->levels;; level--) {
		u64 size = level_size(level);
		u64 *entry = &table[va / size % PTRS_PER_TABLE];
		bool present = *entry & PTE_PRESENT;
		bool fits = level <= map->max_level && va % size == 0 &&
			    size <= left;

		if (level > 1 && present && (*entry & PTE_LEAF))
			return size - va % size;
		if (level == 1 || (fits && !present)) {
			*entry = bits ? (va + offset) | bits : 0;
			if (bits && level > 1)
				*entry |= PTE_LEAF;
			return size;
		}
		if (!present)
			*entry = new_table(map) | TABLE_BITS;
		table = (u64 *)(*entry & PTE_ADDR_MASK);
	}
}

void map_range(struct map *map, struct range range, u64 offset, u64 bits)
{
	u64 va = ALIGN_DOWN(range.start, PAGE_SIZE);
	u64 end = ALIGN_UP(range.end, PAGE_SIZE);

	while (va < end)
		va += map_page(map, va, end - va, offset, bits);
}

static u64 end_of_ram(void)
{
	u64 end = FIRST_4G;

	for (u32 i = 0; i < e820_count; i++)
		if (e820_table[i].type == 1 &&
		    e820_table[i].addr + e820_table[i].size > end)
			end = e820_table[i].addr + e820_table[i].size;
	return ALIGN_UP(end, PUD_SIZE);
}

void map_all_ram(void)
{
	struct map map = {
		.root = WORK_TABLES,
		.next = WORK_TABLES_USED,
		.end = WORK_TABLES_END,
		.levels = 4,
		.max_level = has_1g_pages() ? 3 : 2,
	};

	map_range(&map, (struct range){ FIRST_4G, end_of_ram() }, 0,
		  READ_WRITE);
}

static unsigned int max_level_option(void)
{
	if (option_is("leaf", "4k"))
		return 1;
	if (!option_is("leaf", "1g"))
		return 2;
	if (!has_1g_pages())
		fail("leaf=1g: this processor has no 1 GiB pages");
	return 3;
}

/*
 * Maps the minimum that boot.rst demands of a 64-bit loader: "init_size from start
 * address of loaded kernel and zero page and command line buffer get ident mapping".
 * The page with leave.S is mapped, too, because it is still executed with these page
 * tables.
 */
static void map_minimum(struct map *map, const struct plan *plan, u64 bits)
{
	map_range(map, range_at(plan->bp, sizeof(struct boot_params)), 0, bits);
	map_range(map, range_at(plan->cmdline, MAX_CMDLINE), 0, bits);
	map_range(map, range_at(plan->tramp, PAGE_SIZE), 0, bits);
	map_range(map, range_at(plan->load, plan->init_size), 0, bits);
}

/*
 * Maps the memory that a stub must map for its kernel, with the rights that a stub
 * gives. Used with entry=direct, where the loader enters a kernel in the stub's place.
 */
static void map_hand_over(struct map *map, const struct plan *plan, u64 pool)
{
	struct boot_params *bp = (struct boot_params *)plan->bp;
	u64 len = 0;

	while (((const char *)plan->cmdline)[len])
		len++;
	map_range(map, plan->kernel, 0, READ_WRITE);
	map_range(map, range_at(plan->tramp, PAGE_SIZE), 0, READ);
	map_range(map, (struct range){ plan->tramp + 2 * PAGE_SIZE,
				       plan->stack_top },
		  0, READ_WRITE | PTE_NX);
	map_range(map, range_at(pool, IMAGE_TABLES_SIZE), 0,
		  READ_WRITE | PTE_NX);
	map_range(map, range_at(plan->bp, sizeof(*bp)), 0,
		  READ_WRITE | PTE_NX);
	map_range(map, range_at(plan->cmdline, len + 1), 0, READ | PTE_NX);
	if (plan->initrd_size)
		map_range(map, range_at(plan->initrd, plan->initrd_size), 0,
			  READ | PTE_NX);
	for (u64 addr = bp->hdr.setup_data; addr; ) {
		struct setup_data *node = (struct setup_data *)addr;

		map_range(map, range_at(addr, sizeof(*node) + node->len), 0,
			  READ | PTE_NX);
		addr = node->next;
	}
}

/*
 * Carries out the options remap=START,SIZE,LETTERS, which change the image's page
 * tables. Letters are r (present), w (writable), x (executable), g (global) and m
 * (each page is mapped to the page after it). Without r the pages are not present. If none
 * of r, w and g is given, the page-table entries become 0, even if x or m is given.
 */
static void apply_remap_options(struct map *map)
{
	const char *s;

	for (u32 i = 0; (s = option_nth("remap", i)); i++) {
		u64 start = parse_number(&s);
		u64 size = parse_next_number(&s);
		u64 bits = 0, nx = PTE_NX, offset = 0;

		for (; *s && *s != ' '; s++) {
			if (*s == 'r')
				bits |= PTE_PRESENT;
			else if (*s == 'w')
				bits |= PTE_WRITE;
			else if (*s == 'g')
				bits |= PTE_GLOBAL;
			else if (*s == 'x')
				nx = 0;
			else if (*s == 'm')
				offset = PAGE_SIZE;
		}
		map_range(map, range_at(start, size), offset,
			  bits ? bits | nx : 0);
	}
}

u64 map_make(const struct plan *plan)
{
	unsigned int levels = option_number("la57", 0) ? 5 : 4;
	u64 bits = READ_WRITE;
	u64 pool = option_number("pgt", plan->entry == ENTRY_DIRECT ?
						plan->stack_top :
						IMAGE_TABLES);
	struct map map;

	if (option_number("global", 0))
		bits |= PTE_GLOBAL;
	map_init(&map, pool, IMAGE_TABLES_SIZE, levels, max_level_option());
	if (plan->entry == ENTRY_DIRECT)
		map_hand_over(&map, plan, pool);
	else if (option_is("map", "min"))
		map_minimum(&map, plan, bits);
	else
		map_range(&map, (struct range){ 0, end_of_ram() }, 0, bits);
	apply_remap_options(&map);
	return map.root;
}
