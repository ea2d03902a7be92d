/* SPDX-License-Identifier: MIT */
/*
 * map.c - checks the page tables that the stub leaves to the kernel, by a walk in
 * software. They must be an identity map. They must map all memory that the stub
 * passes to the kernel, and no other memory. Only the kernel's own range may be
 * both writable and executable.
 */
#include "kernel.h"

#define VA_BITS_4LEVEL	48
/* The stack's guard page must lie at most this many bytes below RSP. */
#define STACK_SEARCH	0x100000UL

/* Adjacent leaves with the same rights, merged to one range. */
struct run {
	u64 start, end;
	bool write, exec;
};

static struct {
	u64 cr3;		/* at the kernel's entry */
	u64 cbit;		/* the C-bit as a mask; 0: no SEV guest */
	u64 tables, leaves;	/* how many walk() has visited */
	struct run run;		/* the last one, which may still grow */
	/*
	 * For each kind of fault, how often it occurs, and address and entry of
	 * its first occurrence. Only that is printed.
	 */
	struct problem {
		u64 count, where, entry;
	} moved, global, shared, not_ram, not_asked_for, write_exec, null;
} map;

static void note(struct problem *problem, u64 where, u64 entry)
{
	if (!problem->count++) {
		problem->where = where;
		problem->entry = entry;
	}
}

static void report(const struct problem *problem, const char *what)
{
	if (problem->count)
		fail("map: %s: at %lx (entry %lx), %lu times", what,
		     problem->where, problem->entry, problem->count);
}

static struct range pages(struct range range)
{
	return (struct range){ ALIGN_DOWN(range.start, PAGE_SIZE),
			       ALIGN_UP(range.end, PAGE_SIZE) };
}

static bool contains(struct range range, u64 addr)
{
	return addr >= range.start && addr < range.end;
}

/*
 * The stub's runtime range, init_size bytes from the kernel's start. It contains
 * the kernel and above it the moved stub.
 */
static struct range runtime_range(void)
{
	u64 start = self_range().start;

	return pages((struct range){ start,
				     start + zero_page()->hdr.init_size });
}

/*
 * The range of the image if it lies outside the runtime range, or an empty range.
 * The stub does not move an image that firmware loaded. It moves any other image
 * to the runtime range for the load address, but a payload at a random address
 * (t.addr=any) may lie elsewhere.
 */
static struct range image_range(void)
{
	const struct setup_header *hdr = &zero_page()->hdr;
	u64 start = hdr->code32_start;

	if (!is_efi_boot()) {
		if (!option_is("t.addr", "any"))
			return (struct range){ 0, 0 };
		start = option_number("t.load", start);
		start = ALIGN_UP(start, (u64)hdr->kernel_alignment);
		if (start < hdr->pref_address)
			start = hdr->pref_address;
	}
	return pages((struct range){ start,
				     start + zero_page()->hdr.init_size });
}

/*
 * Returns the end of the range around @addr that the stub may map, or @addr if
 * the stub must not map that page.
 */
static u64 asked_for_until(u64 addr)
{
	if (contains(runtime_range(), addr))
		return runtime_range().end;
	if (contains(image_range(), addr))
		return image_range().end;
	for (u32 i = 0; handed(i); i++)
		if (contains(pages(handed(i)->range), addr))
			return pages(handed(i)->range).end;
	return addr;
}

static void check_run(const struct run *run)
{
	struct range self = pages(self_range());
	u64 addr = run->start;

	if (run->start == run->end)
		return;
	fact("map: %lx-%lx %c%c%c", run->start, run->end, 'r',
	     run->write ? 'w' : '-', run->exec ? 'x' : '-');

	if (run->write && run->exec &&
	    (run->start < self.start || run->end > self.end))
		note(&map.write_exec, run->start, 0);
	if (!run->start)
		note(&map.null, 0, 0);
	addr = e820_first_not_ram(run->start, run->end);
	if (addr != run->end)
		note(&map.not_ram, addr, 0);

	for (addr = run->start; addr < run->end; ) {
		u64 until = asked_for_until(addr);

		if (until == addr) {
			note(&map.not_asked_for, addr, 0);
			break;
		}
		addr = until;
	}
}

static void add_leaf(u64 va, u64 size, u64 entry, bool write, bool exec)
{
	struct run *run = &map.run;
	u64 pa = entry & PTE_ADDR_MASK & ~map.cbit & ~(size - 1);

	map.leaves++;
	if (pa != va)
		note(&map.moved, va, entry);
	if (entry & PTE_GLOBAL)
		note(&map.global, va, entry);

	if (va == run->end && write == run->write && exec == run->exec) {
		run->end += size;
		return;
	}
	check_run(run);
	*run = (struct run){ va, va + size, write, exec };
}

static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * TABLE_INDEX_BITS;
}

static u64 *table_of(u64 entry)
{
	return (u64 *)(entry & PTE_ADDR_MASK & ~map.cbit);
}

static void walk(const u64 *table, unsigned int level, u64 base, bool write,
		 bool exec)
{
	map.tables++;
	for (u64 i = 0; i < PTRS_PER_TABLE; i++) {
		u64 entry = table[i];
		u64 va = base + (i << level_shift(level));
		bool w = write && (entry & PTE_WRITE);
		bool x = exec && !(entry & PTE_NX);

		if (!(entry & PTE_PRESENT))
			continue;
		if ((entry & map.cbit) != map.cbit)
			note(&map.shared, va, entry);
		if (level == 1 || (entry & PTE_LEAF))
			add_leaf(va, 1UL << level_shift(level), entry, w, x);
		else
			walk(table_of(entry), level - 1, va, w, x);
	}
}

/*
 * Walks the page tables to @va. Returns the end of its page, or 0 if it is not
 * mapped. Sets @write and @exec to the rights that all levels together give.
 */
static u64 lookup(u64 va, bool *write, bool *exec)
{
	unsigned int level = read_cr4() & X86_CR4_LA57 ? 5 : 4;
	const u64 *table = table_of(map.cr3);

	*write = true;
	*exec = true;
	for (;; level--) {
		u64 size = 1UL << level_shift(level);
		u64 entry = table[va / size % PTRS_PER_TABLE];

		if (!(entry & PTE_PRESENT))
			return 0;
		*write &= !!(entry & PTE_WRITE);
		*exec &= !(entry & PTE_NX);
		if (level == 1 || (entry & PTE_LEAF))
			return ALIGN_DOWN(va, size) + size;
		table = table_of(entry);
	}
}

static void check_mapped(const char *what, struct range range, bool need_write,
			 bool need_exec)
{
	for (u64 va = range.start; va < range.end; ) {
		bool write, exec;
		u64 end = lookup(va, &write, &exec);

		if (!end || (need_write && !write) || (need_exec && !exec)) {
			fail("map: %s: %lx is %s", what, va,
			     !end ? "not mapped" :
			     need_write && !write ? "not writable" :
			     "not executable");
			return;
		}
		va = end;
	}
}

/*
 * Measures how many bytes of its stack, [low, high), the stub has used, by the
 * lowest word that is not zero. The stack was zero when the stub began to use it.
 * With t.stack=any it was not, and this is not called. Half must be unused.
 */
static void measure_stack(u64 low, u64 high)
{
	u64 used = low;

	while (used < high && !*(const u64 *)used)
		used += sizeof(u64);
	fact("stack: %lu of %lu bytes used", high - used, high - low);
	if (high - used > (high - low) / 2)
		fail("stack: %lu of %lu bytes used", high - used, high - low);
}

/* Checks that the stub has wiped its stack, [start, end), so that no secret of
 * the stub remains there (t.wiped=1). */
static void check_wiped(u64 start, u64 end)
{
	for (; start < end; start += sizeof(u64)) {
		if (*(const u64 *)start) {
			fail("map: the stack is not zero at %lx", start);
			return;
		}
	}
}

/*
 * Checks the stub's stack, on which it entered the kernel: @rsp must point into
 * mapped, writable memory, and an unmapped guard page must lie below.
 */
static void check_stack(u64 rsp)
{
	u64 page = ALIGN_DOWN(rsp - 1, PAGE_SIZE);
	bool write, exec;

	check_mapped("stack", (struct range){ rsp - sizeof(u64), rsp }, true,
		     false);
	for (u64 va = page; va > page - STACK_SEARCH && va; va -= PAGE_SIZE) {
		if (!lookup(va, &write, &exec)) {
			fact("map: stack's guard page at %lx", va);
			if (option_number("t.wiped", 0))
				check_wiped(va + PAGE_SIZE, rsp);
			else if (!option_is("t.stack", "any"))
				measure_stack(va + PAGE_SIZE, rsp);
			return;
		}
	}
	fail("map: no guard page below the stack at %lx", rsp);
}

void map_save(void)
{
	map.cr3 = read_cr3();
}

void map_check(const struct entry_state *state)
{
	unsigned int levels = read_cr4() & X86_CR4_LA57 ? 5 : 4;
	u64 cbit = option_number("t.cbit", 0);

	if (cbit)
		map.cbit = 1UL << cbit;
	if ((map.cr3 & map.cbit) != map.cbit)
		note(&map.shared, 0, map.cr3);
	walk(table_of(map.cr3), levels, 0, true, true);
	check_run(&map.run);
	fact("map: %u levels, %lu tables, %lu leaves", levels, map.tables,
	     map.leaves);

	report(&map.moved, "not an identity map");
	report(&map.global, "a global page");
	report(&map.shared, "an entry without the C-bit");
	report(&map.null, "page 0 is mapped");
	if (!option_is("t.map", "any")) {
		report(&map.not_ram, "mapped, but not RAM");
		report(&map.not_asked_for, "mapped without need");
	}
	if (option_number("t.nx", 1))
		report(&map.write_exec, "writable and executable");

	check_mapped("kernel", self_range(), true, true);
	for (u32 i = 0; handed(i); i++)
		check_mapped(handed(i)->what, handed(i)->range, false, false);
	check_stack(state->rsp);
}
