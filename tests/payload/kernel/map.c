/* SPDX-License-Identifier: MIT */
/*
 * map.c - checks the page tables with which the stub enters the kernel, by walking them
 * in software. They must be an identity map of all memory that the stub passes to the
 * kernel, and of no other memory. Only the kernel's own memory may be both writable and
 * executable.
 */
#include "kernel.h"

#define VA_BITS_4LEVEL	48
/*
 * The unmapped guard page below the stub's stack must lie at most this many bytes below
 * RSP.
 */
#define STACK_SEARCH	0x100000UL

/* Adjacent page-table leaves with the same rights, merged to one range of addresses. */
struct run {
	u64 start, end;
	bool write, exec;
};

static struct {
	u64 cr3;		/* value of CR3 at the kernel's entry */
	/* Mask of the C-bit in a page-table entry; 0: the guest has no SEV. */
	u64 cbit;
	u64 tables, leaves;	/* number of tables and leaves that walk() found */
	/* The range of leaves that walk() is merging. The next leaf may extend it. */
	struct run run;
	/*
	 * For each kind of fault in the page tables: how often it occurs, and the
	 * address and the page-table entry of its first occurrence. Only the first is
	 * printed.
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
 * Returns the stub's runtime range: init_size bytes from the kernel's start. It
 * contains the kernel and, above the kernel, the stub's copy of itself.
 */
static struct range runtime_range(void)
{
	u64 start = self_range().start;

	return pages((struct range){ start,
				     start + zero_page()->hdr.init_size });
}

/*
 * Returns the memory in which the stub itself has run, which it may leave mapped, or an
 * empty range if that is the memory around the kernel (runtime_range()). The ranges differ
 * in two cases. A stub that firmware loaded by EFI runs where it was loaded. With
 * t.addr=any the stub runs at the address that boot.rst computes from the load address,
 * but puts the kernel at a random one.
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
 * Returns the address after the pages around @addr that the loader has handed over,
 * or @addr itself if it has not handed over the page at @addr.
 */
static u64 handed_until(u64 addr)
{
	for (u32 i = 0; handed(i); i++)
		if (contains(pages(handed(i)->range), addr))
			return pages(handed(i)->range).end;
	return addr;
}

/*
 * Returns the address after the range around @addr that the stub may map. Returns
 * @addr itself if the stub must not map the page at @addr.
 */
static u64 asked_for_until(u64 addr)
{
	if (contains(runtime_range(), addr))
		return runtime_range().end;
	if (contains(image_range(), addr))
		return image_range().end;
	return handed_until(addr);
}

/*
 * Returns the address of the first page in [start, end) that is not RAM, or @end if all
 * pages are RAM. With t.handed=any the loader may hand over data in memory that the E820
 * map does not report as RAM, so the pages of these data count as RAM.
 */
static u64 first_not_ram(u64 start, u64 end)
{
	u64 addr = e820_first_not_ram(start, end), until;

	while (option_is("t.handed", "any") && addr < end) {
		until = handed_until(addr);
		if (until == addr)
			break;
		addr = until < end ? e820_first_not_ram(until, end) : end;
	}
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
	addr = first_not_ram(run->start, run->end);
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
 * Walks the page tables for the virtual address @va. Returns the first virtual address
 * after the page that maps @va, or 0 if @va is not mapped. Sets @write and @exec to the
 * rights that all levels together give.
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
 * Returns how many bytes the stub has used of [low, high), a half of its stack. The stack
 * was all zero when the stub began to use it, so the stub has used it down to the lowest
 * word that is not zero.
 */
static u64 used_stack(u64 low, u64 high)
{
	while (low < high && !*(const u64 *)low)
		low += sizeof(u64);
	return high - low;
}

/*
 * Measures how much of its stack, [low, high), the stub has used. The stub decodes the
 * payload on the stack's lower half, and does all else on the upper half. At least half of
 * each half must be unused, as a reserve. Must not be called with t.stack=any, because the
 * stack then was not zero when the stub began to use it.
 */
static void measure_stack(u64 low, u64 high)
{
	u64 half = ALIGN_UP((high - low) / 2, sizeof(u64));
	u64 upper = used_stack(low + half, high), lower = used_stack(low, low + half);

	fact("stack: %lu and %lu of %lu bytes used", upper, lower, half);
	if (upper > half / 2 || lower > half / 2)
		fail("stack: %lu and %lu of %lu bytes used", upper, lower, half);
}

/*
 * With t.wiped=1 the stub must have wiped its stack, [start, end), so that none of its
 * secrets remain there. Checks that the stack is zero.
 */
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
 * Checks the stub's stack, on which it entered the kernel. @rsp is the value of RSP at
 * the kernel's entry. The word below @rsp must be mapped and writable, and an unmapped
 * guard page must lie below the stack.
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
