/* SPDX-License-Identifier: MIT */
/*
 * test_ident_map_random.c - makes random calls of ident_map_64.c, which builds
 * the stub's page tables, and compares the result with a model. The model is an
 * array with a byte for each page of an address range, the window. Each call
 * changes the model's bytes of the pages that it is asked to map. After each
 * call the page walk of page_walk.h must find the model's state for every page.
 */
#include "page_walk.h"

#define WINDOW_PAGES	(3 * 512 * 512)
#define WINDOW		(WINDOW_PAGES * KIB4)
#define E820_UNIT	0x400

static u64 window;
static u8 model[WINDOW_PAGES], got[WINDOW_PAGES], had[WINDOW_PAGES];

/*
 * For each 1 KiB of the window, the tested address range: 0 if the memory map
 * has no entry for it, 1 for RAM, 2 for any other type.
 */
static u8 units[WINDOW / E820_UNIT];

static u8 *page_of(u64 addr)
{
	return &model[(addr - window) / KIB4];
}

static void dump(void)
{
	u64 addr, end, span;
	struct page page;

	for (addr = window; addr < window + WINDOW; addr = end) {
		page = look(addr);
		span = BIT(page.shift);
		end = (addr & ~(span - 1)) + span;
		if (end > window + WINDOW)
			end = window + WINDOW;
		memset(&got[(addr - window) / KIB4], (int)page.use,
		       (end - addr) / KIB4);
	}
}

static u64 count_tables(const u64 *table, unsigned int shift)
{
	u64 count = 1;
	unsigned int i;

	for (i = 0; i < 512 && shift > 12; i++) {
		if ((table[i] & (BIT(0) | BIT(7))) == BIT(0))
			count += count_tables(checked_table(table[i]),
					      shift - 9);
	}
	return count;
}

static void random_e820(void)
{
	unsigned int count = 4 + (unsigned int)random_below(12);
	u64 first, length;
	bool ram;

	memset(&bp, 0, sizeof(bp));
	memset(units, 0, sizeof(units));
	while (count--) {
		ram = random_below(4) != 0;
		first = random_below(ARRAY_SIZE(units));
		length = random_below(ram ? 0x200000 : 0x2000);
		/*
		 * About half of the entries begin and end at a page boundary.
		 */
		if (random_below(2)) {
			first &= ~3ULL;
			length &= ~3ULL;
		}
		if (length > ARRAY_SIZE(units) - first)
			length = ARRAY_SIZE(units) - first;
		add_e820(window + first * E820_UNIT,
			 window + (first + length) * E820_UNIT, ram ? 1 : 2);
		while (length--) {
			if (units[first + length] != 2)
				units[first + length] = ram ? 1 : 2;
		}
	}
}

static bool page_is_ram(u64 addr)
{
	const u8 *unit = &units[(addr - window) / KIB4 * 4];

	return unit[0] == 1 && unit[1] == 1 && unit[2] == 1 && unit[3] == 1;
}

/*
 * Returns a random address in the window, in most cases near a boundary of a 2
 * MiB or 1 GiB page.
 */
static u64 random_addr(void)
{
	u64 addr = random_below(WINDOW);

	switch (random_below(4)) {
	case 0:
		addr &= ~(GIB1 - 1);
		break;
	case 1:
		addr &= ~(MIB2 - 1);
		break;
	case 2:
		addr = (addr & ~(GIB1 - 1)) + random_below(2 * MIB2);
		break;
	}
	addr += random_below(3) ? 0 : random_below(4) * KIB4;
	return window + addr % WINDOW;
}

static u64 random_end(u64 addr)
{
	static const u64 sizes[] = { KIB4, 16 * KIB4, 3 * MIB2, GIB1 + MIB2 };
	u64 size = 1 + random_below(sizes[random_below(ARRAY_SIZE(sizes))]);

	if (!random_below(4))
		size = (size + MIB2 - 1) & ~(MIB2 - 1);
	if (size > window + WINDOW - addr)
		size = window + WINDOW - addr;
	return addr + size;
}

static void fill_model(u64 start, u64 end, unsigned int use)
{
	u8 *page;

	for (page = page_of(start); page <= page_of(end - 1); page++) {
		if (!*page)
			*page = (u8)use;
	}
}

static int model_device(u64 addr, u64 end)
{
	u8 *page;

	for (page = page_of(addr); page <= page_of(end - 1); page++) {
		if (*page)
			return -EINVAL;
	}
	fill_model(addr, end, device_use());
	return 0;
}

static int model_encryption(u64 addr, bool shared)
{
	u8 *page = page_of(addr);

	if (!now.c_bit || !(*page & MAPPED))
		return -EINVAL;
	*page = (u8)(shared ? *page | SHARED : *page & ~SHARED);
	return 0;
}

static int model_fault(u64 addr)
{
	u64 block = addr & ~(MIB2 - 1), low, high;

	addr &= ~(KIB4 - 1);
	if (*page_of(addr) || !page_is_ram(addr))
		return -EFAULT;
	for (low = addr; low > block && page_is_ram(low - KIB4);)
		low -= KIB4;
	for (high = addr + KIB4;
	     high < block + MIB2 && page_is_ram(high);)
		high += KIB4;
	fill_model(low, high, use_of(MAP_WRITE));
	return 0;
}

/*
 * Makes one random call of ident_map_64.c, applies it to the model, and returns
 * the call's result. *@want is the result that the model expects. *@name,
 * *@addr and *@end describe the call.
 */
static int random_call(const char **name, u64 *addr, u64 *end, int *want)
{
	unsigned int prot = (unsigned int)random_below(4);

	*addr = random_addr();
	*end = random_end(*addr);
	*want = 0;
	switch (random_below(8)) {
	default:
		*name = "range";
		fill_model(*addr, *end, use_of(prot));
		return ident_map_range(*addr, *end, prot);
	case 1:
		*name = "guard";
		*want = *page_of(*addr) ? -EINVAL : 0;
		fill_model(*addr, *addr + 1, GUARD);
		return ident_map_guard(*addr);
	case 2:
		*name = "device";
		*want = model_device(*addr, *end);
		return ident_map_device(*addr, *end - *addr);
	case 3:
	case 4:
		*name = "decrypt";
		*want = model_encryption(*addr, true);
		return ident_map_set_decrypted(*addr);
	case 5:
		*name = "encrypt";
		*want = model_encryption(*addr, false);
		return ident_map_set_encrypted(*addr);
	case 6:
	case 7:
		*name = "fault";
		*want = model_fault(*addr);
		return ident_map_fault(*addr, random_below(2) ? PF_WRITE : 0);
	}
}

/*
 * A call has failed for lack of memory for page tables. ident_map_range() and
 * ident_map_device() may have mapped a part of their range. Other calls must
 * not have changed any page.
 */
static void accept_part(const char *name, u64 addr)
{
	bool partial = !strcmp(name, "range") || !strcmp(name, "device");
	u64 i;

	for (i = 0; i < WINDOW_PAGES; i++)
		CHECK(got[i] == had[i] || (partial && got[i] == model[i]),
		      "%s %#lx: page %#lx was %#x, is %#x", name, addr,
		      window + i * KIB4, had[i], got[i]);
	memcpy(model, got, sizeof(model));
}

static void compare_window(const char *name, u64 addr, u64 end)
{
	u64 i;

	if (!memcmp(got, model, sizeof(got)))
		return;
	for (i = 0; got[i] == model[i];)
		i++;
	CHECK(false, "%s [%#lx, %#lx): page %#lx is %#x, want %#x", name, addr,
	      end, window + i * KIB4, got[i], model[i]);
}

static unsigned int random_calls(unsigned int calls, size_t pages)
{
	unsigned int shift = now.levels == 5 ? 48 : 39, failures = 0;
	const char *name;
	u64 addr, end, i;
	int ret, want;

	while (calls--) {
		memcpy(had, model, sizeof(had));
		ret = random_call(&name, &addr, &end, &want);
		dump();
		if (ret == -ENOMEM) {
			CHECK(pages < POOL_PAGES, "%s [%#lx, %#lx)", name,
			      addr, end);
			failures++;
			accept_part(name, addr);
		} else {
			CHECK(ret == want, "%s [%#lx, %#lx): %d, want %d",
			      name, addr, end, ret, want);
			compare_window(name, addr, end);
		}
		/*
		 * The pool begins with a top table for five levels, which points to the one
		 * for four levels. With four levels, count_tables() begins at the second
		 * one, so add the first one.
		 */
		CHECK((count_tables(checked_table(cr3), shift) +
		       (now.levels == 4)) * KIB4 == map.pool_used,
		      "%s [%#lx, %#lx) lost a table", name, addr, end);
	}
	for (i = pages * KIB4; i < sizeof(pool); i++)
		CHECK(pool[i] == POOL_DIRT, "byte %#lx after the pool",
		      i - pages * KIB4);
	return failures;
}

static void random_window(void)
{
	switch (random_below(4)) {
	case 0:
		window = 0;
		break;
	case 1:
		window = GIB512 - GIB1;
		break;
	case 2:
		window = limit > TIB256 ? TIB256 - GIB1 : 255 * GIB512 - GIB1;
		break;
	default:
		window = limit - WINDOW;
	}
	memset(model, 0, sizeof(model));
	random_e820();
}

TEST(random_calls)
{
	const struct setup *setup;
	u64 seed;

	INFO("seeds 1 to 3");
	FOR_EACH_SETUP(setup) {
		for (seed = 1; seed <= 3; seed++) {
			random_seed(seed);
			start(setup);
			random_window();
			random_calls(60, POOL_PAGES);
		}
	}
}

/*
 * The memory for page tables has every size from small to sufficient, so that
 * the builder runs out of it at every possible point.
 */
TEST(pool_exhaustion)
{
	unsigned int failures = 0;
	size_t pages;

	INFO("seeds 2 to 41");
	for (pages = 2; pages <= 41; pages++) {
		random_seed(pages);
		start_with(&setups[pages % ARRAY_SIZE(setups)], pages);
		random_window();
		failures += random_calls(24, pages);
	}
	CHECK(failures > 100, "only %u calls ran out of memory", failures);
}
