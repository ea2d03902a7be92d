/* SPDX-License-Identifier: MIT */
/*
 * kaslr.c - draws the payload's physical address, and independently of it its
 * virtual address. Each possible address has the same probability.
 *
 * Memory is described as areas. The start and the end of each area, its edges,
 * are put into one sorted list. One sweep over the list counts the possible
 * addresses (slots), and a second sweep finds the slot that was drawn. Memory
 * maps are almost sorted, so both sorting and sweeping take linear time. The
 * list's fixed length bounds the worst case.
 *
 * misc.c calls it when all of boot_params can be read. The EFI entry calls it
 * earlier, to draw the address of the memory that it allocates for the payload.
 * Between the two calls .bss is cleared. The list is in .bss, so misc.c begins with
 * an empty one. The other state is in .data, so the random bytes that the EFI entry
 * mixed in stay.
 */
#include <asm/bootparam.h>
#include <asm/e820.h>

#include "decoders.h"
#include "e820.h"
#include "error.h"
#include "kaslr.h"
#include "lib/string.h"
#include "sev-es.h"
#include "sev.h"
#include "x86.h"

/* ---- Random numbers. */

/*
 * The random generator's state. The hypervisor of an SEV-ES guest can put old
 * contents of it back and may know their hash. draw() therefore combines the hash
 * with a number of RDRAND that is never in memory.
 */
static struct {
	/* Hash of this structure, which each draw() and kaslr_seed() renews. */
	u64 state;
	/*
	 * Value of the time-stamp counter when it was last read; 0 if it was
	 * not read.
	 */
	u64 time;
	/* Hash of the data that kaslr_seed() got last; 0 before its first call. */
	u64 input;
} seeds in_data;

static struct {
	bool drawn;		/* true once draw() was called */
	/*
	 * true: draw() has returned a number in which no number of RDRAND is. An SEV guest must
	 * not use it, because the hypervisor could predict it.
	 */
	bool weak;
} kaslr in_data;

void kaslr_seed(const void *data, size_t len)
{
	seeds.input = xxh64(data, len);
	seeds.state = xxh64(&seeds, sizeof(seeds));
}

/*
 * Returns true if RDRAND may be executed. Every processor with SEV has it, so
 * an SEV guest does not ask CPUID, which costs an exit and which the hypervisor
 * could falsify. Before ExitBootServices it is not known whether this is an SEV
 * guest; kaslr_finish() checks that case.
 */
static bool has_rdrand(void)
{
	return sev_active() || cpuid_count(CPUID_FEATURES, 0).ecx >>
			       CPUID_1_ECX_RDRAND_BIT & 1;
}

/*
 * Ends the boot of an SEV guest that gets no number from RDRAND. The hypervisor
 * could otherwise predict the random addresses.
 */
static noreturn void no_randomness(void)
{
	if (sev_es_active())
		terminate(SEVSTUB_TERM_CPU);
	error("KASLR", "RDRAND fails");
}

/*
 * Returns a random number: the XOR of the hash and of RDRAND's number, so that it
 * is uniformly distributed if one of the two is. draw() calls no function after
 * RDRAND. The compiler therefore keeps RDRAND's number and the XOR in registers,
 * which the hypervisor cannot change, until the caller has scaled the result.
 */
static u64 draw(void)
{
	unsigned int tries;
	u64 number;

	/*
	 * An SEV-ES guest must not execute RDTSC, because the handler of the #VC that
	 * RDTSC can raise terminates the guest.
	 */
	if (sev_guest.known && !sev_es_active())
		seeds.time = rdtsc();
	seeds.state = xxh64(&seeds, sizeof(seeds));
	kaslr.drawn = true;
	for (tries = has_rdrand() ? RDRAND_TRIES : 0; tries; tries--) {
		if (rdrand(&number))
			return READ_ONCE(seeds.state) ^ number;
	}

	if (sev_active())
		no_randomness();
	kaslr.weak = true;
	/*
	 * The time was not read above if it is not yet known whether this is an SEV-ES
	 * guest. Without RDRAND the time is needed. If RDTSC raises #VC now, firmware's
	 * handler answers it, because ExitBootServices comes later.
	 */
	if (!sev_guest.known) {
		seeds.time = rdtsc();
		seeds.state = xxh64(&seeds, sizeof(seeds));
	}
	return seeds.state;
}

/*
 * Returns the random number @number scaled to a number below @limit. The
 * probabilities of two results differ by at most 2^-64.
 */
static u64 scale(u64 number, u64 limit)
{
	return (u64)((unsigned __int128)number * limit >> 64);
}

bool kaslr_finish(void)
{
	bool drawn = kaslr.drawn;

	/*
	 * The kind of guest is known now. It may not have been known before
	 * ExitBootServices, when a number was drawn without RDRAND. An SEV
	 * guest must not use that number.
	 */
	if (kaslr.weak && sev_active())
		no_randomness();
	memset(&seeds, 0, sizeof(seeds));
	asm volatile("" : : "m"(seeds) : "memory");
	return drawn;
}

bool kaslr_wanted(const struct cmdline *cmdline)
{
	return !cmdline_find_option_bool(cmdline, "nokaslr");
}

/* ---- Areas and slots. */

/*
 * An edge, the start or the end of an area of memory, is a single number. Bits
 * 63:4 are the address, bits 3:1 the kind of area. Bit 0 is set at an end.
 */
#define EDGE_END	1UL
#define EDGE_KIND_SHIFT	1
#define EDGE_KIND_MASK	7
#define EDGE_ADDR_SHIFT	4
#define EDGE_ADDR_MAX	(_AC(1, UL) << 52)
BUILD_BUG_ON(KASLR_AREA_KINDS > EDGE_KIND_MASK + 1);

/*
 * Greatest number of edges in the list. Each area has two, its start and its
 * end. If callers name more areas, kaslr_pick() draws no address.
 */
#define MAX_EDGES	2048

static struct {
	u64 edges[MAX_EDGES];
	unsigned int count;
	bool full;
	/*
	 * Element N is true if callers have added at least one area of kind N, by kaslr_area().
	 * The index comes from bits 3:1 of an edge in memory, which the hypervisor can garble, so
	 * each number that these bits can have has an element.
	 */
	bool known[EDGE_KIND_MASK + 1];
	/*
	 * Number of 1 GiB pages that the command line reserves for the kernel.
	 */
	u64 huge_pages;
} areas;

/*
 * Inserts an edge into the sorted list of @i edges. If an area ends where
 * another area of the same kind starts, the start sorts before the end, so that
 * the sweep sees one area without a gap.
 */
static void add_edge(unsigned int i, u64 edge)
{
	for (; i && areas.edges[i - 1] > edge; i--)
		areas.edges[i] = areas.edges[i - 1];
	areas.edges[i] = edge;
}

void kaslr_area(enum kaslr_area kind, u64 start, u64 end)
{
	/* Read once: the hypervisor can change the number between its check and its use. */
	unsigned int count = READ_ONCE(areas.count);

	if (end > EDGE_ADDR_MAX)
		end = EDGE_ADDR_MAX;
	if (start >= end)
		return;
	if (count > MAX_EDGES - 2) {
		areas.full = true;
		return;
	}
	/* The hypervisor can change @kind where a caller keeps it on the stack. */
	areas.known[kind & EDGE_KIND_MASK] = true;
	add_edge(count, start << EDGE_ADDR_SHIFT | kind << EDGE_KIND_SHIFT);
	add_edge(count + 1, end << EDGE_ADDR_SHIFT | kind << EDGE_KIND_SHIFT |
			    EDGE_END);
	areas.count = count + 2;
}

struct sweep {
	const struct kaslr_slots *want;
	/* Which slot (possible address) the sweep must find, counted from 0. */
	u64 wanted;
	u64 slots;		/* slots found so far */
	u64 addr;		/* address of the wanted slot */
	/*
	 * Number of reserved 1 GiB pages for which the sweep has not found
	 * memory yet.
	 */
	u64 huge_pages;
};

static void sweep_slots(struct sweep *s, u64 start, u64 end)
{
	const struct kaslr_slots *want = s->want;
	u64 count;

	if (start < want->low)
		start = want->low;
	if (end > want->high)
		end = want->high;
	start = ALIGN_UP(start, want->align);
	if (start >= end || end - start < want->size)
		return;
	count = (end - start - want->size) / want->align + 1;
	if (s->wanted - s->slots < count)
		s->addr = start + (s->wanted - s->slots) * want->align;
	s->slots += count;
}

/*
 * Counts the slots in usable memory [start, end). Leaves out as many 1 GiB
 * pages as the command line reserves, from the lowest address on, because the
 * kernel will allocate them there.
 */
static void sweep_free(struct sweep *s, u64 start, u64 end)
{
	u64 first = ALIGN_UP(start, PUD_SIZE);
	u64 last = ALIGN_DOWN(end, PUD_SIZE);
	u64 pages;

	if (s->huge_pages && first < last) {
		pages = (last - first) >> PUD_SHIFT;
		if (pages > s->huge_pages)
			pages = s->huge_pages;
		s->huge_pages -= pages;
		sweep_slots(s, start, first);
		start = first + (pages << PUD_SHIFT);
	}
	sweep_slots(s, start, end);
}

/*
 * Returns true if the payload may cover the current address of the sweep. The address must be in
 * RAM, and in no area of KASLR_TAKEN. If kaslr_area() was called with areas of another kind, the
 * address must be in an area of that kind, too. @depth[kind] is the number of areas of that kind
 * that cover the address.
 */
static bool is_usable(const unsigned int *depth)
{
	unsigned int kind;

	for (kind = 0; kind < KASLR_TAKEN; kind++) {
		if (!depth[kind] && (kind == KASLR_RAM || areas.known[kind]))
			return false;
	}
	return !depth[KASLR_TAKEN];
}

static struct sweep sweep(const struct kaslr_slots *want, u64 wanted)
{
	struct sweep s = { .want = want, .wanted = wanted,
			   .huge_pages = areas.huge_pages };
	/*
	 * An element for each number that bits 3:1 of an edge can have, not only for each kind
	 * of area: the hypervisor can change edges in memory.
	 */
	unsigned int depth[EDGE_KIND_MASK + 1] = { 0 };
	unsigned int count = READ_ONCE(areas.count);
	bool usable = false;
	u64 start = 0;
	unsigned int i;

	for (i = 0; i < count && i < MAX_EDGES; i++) {
		u64 edge = areas.edges[i];
		u64 addr = edge >> EDGE_ADDR_SHIFT;
		unsigned int kind = edge >> EDGE_KIND_SHIFT & EDGE_KIND_MASK;
		bool was_usable = usable;

		if (edge & EDGE_END)
			depth[kind]--;
		else
			depth[kind]++;
		usable = is_usable(depth);
		if (usable && !was_usable)
			start = addr;
		if (!usable && was_usable)
			sweep_free(&s, start, addr);
	}
	return s;
}

bool kaslr_pick(const struct kaslr_slots *want, u64 *addr)
{
	u64 slots = sweep(want, ~0UL).slots;

	if (areas.full || !slots)
		return false;
	*addr = sweep(want, scale(draw(), slots)).addr;
	return true;
}

/* ---- What the command line says about memory. */

/*
 * Bytes for an option's value and its NUL. If a memmap= option is longer, the
 * payload keeps its physical address.
 */
#define OPTION_SIZE	256

/* Where an option's value is copied to. */
static char option_value[OPTION_SIZE];

/*
 * Parses a number with an optional unit (K, M, G, T, P, E), like the kernel's
 * memparse(). The result's @end is the address after the number and its unit. It is NULL
 * if @s does not begin with a digit, or the number has more than 64 bits.
 */
static struct number parse_size(const char *s)
{
	static const char units[] = "kmgtpe";
	struct number size = parse_u64(s, 0);
	unsigned int shift;
	const char *unit;

	if (!size.end)
		return size;
	for (unit = units, shift = 10; *unit; unit++, shift += 10) {
		if ((*size.end | ' ') != *unit)
			continue;
		if (size.value << shift >> shift != size.value)
			return (struct number){ 0, NULL };
		return (struct number){ size.value << shift, size.end + 1 };
	}
	return size;
}

static bool is_memmap_sign(char c)
{
	return c == '@' || c == '#' || c == '$' || c == '!' || c == '%';
}

static void limit_memory(u64 size)
{
	if (size)
		kaslr_area(KASLR_TAKEN, size, ~0UL);
}

/* Takes @size bytes at @start out of RAM. If they wrap around, takes all from @start on. */
static void take_area(u64 start, u64 size)
{
	kaslr_area(KASLR_TAKEN, start, start + size < start ? ~0UL : start + size);
}

/*
 * Applies the value of one memmap= option. SIZE@ADDR adds RAM, which KASLR does
 * not use. SIZE#ADDR, SIZE$ADDR, SIZE!ADDR and SIZE%ADDR take the range out of
 * RAM. SIZE alone limits memory. Returns false for any other form, such as
 * exactmap, because the code here does not know then which memory is RAM.
 */
static bool heed_memmap(const char *s)
{
	/*
	 * A loader has chosen the option's SIZE. This number must not get onto the stack, where
	 * the hypervisor could later put it back in the place of a return address. not_on_stack
	 * puts the variable into .bss. Without volatile a compiler could keep the number in a
	 * register, which a called function saves on the stack.
	 */
	not_on_stack volatile u64 size;
	struct number number;
	char sign;

	for (;; s++) {
		number = parse_size(s);
		if (!number.end)
			return false;
		s = number.end;
		sign = *s;
		if (sign && sign != ',') {
			size = number.value;
			if (!is_memmap_sign(sign))
				return false;
			number = parse_size(s + 1);
			if (!number.end)
				return false;
			s = number.end;
			if (sign != '@')
				take_area(number.value, size);
			/*
			 * Skip the two types in
			 * memmap=SIZE%ADDR-OLDTYPE+NEWTYPE.
			 */
			while (sign == '%' && *s && *s != ',')
				s++;
		} else {
			limit_memory(number.value);
		}
		if (!*s)
			return true;
		if (*s != ',')
			return false;
	}
}

/* Does what cmdline_next_option() does, and copies the value to option_value. */
static int next_value(struct cmdline *rest, const char *name)
{
	return cmdline_next_option(rest, name, option_value, sizeof(option_value));
}

static void heed_huge_pages(const struct cmdline *cmdline)
{
	struct cmdline rest = *cmdline, behind;
	struct number number;

	while (next_value(&rest, "hugepagesz") >= 0) {
		number = parse_size(option_value);
		behind = rest;
		if (!number.end || number.value != PUD_SIZE ||
		    next_value(&behind, "hugepages") < 0)
			continue;
		number = parse_u64(option_value, 0);
		if (number.end)
			areas.huge_pages = number.value;
	}
}

/*
 * Applies the command line's options that change the memory map. Returns false
 * if an option makes it uncertain which memory is RAM; the payload must then
 * keep its physical address.
 */
static bool heed_options(const struct cmdline *cmdline)
{
	struct cmdline rest = *cmdline;
	struct number size;
	int len;

	while (next_value(&rest, "mem") >= 0) {
		size = parse_size(option_value);
		if (size.end)
			limit_memory(size.value);
	}
	rest = *cmdline;
	while ((len = next_value(&rest, "memmap")) >= 0) {
		if (len >= OPTION_SIZE || !heed_memmap(option_value))
			return false;
	}
	heed_huge_pages(cmdline);
	return cmdline_find_option(cmdline, "efi_fake_mem", NULL, 0) < 0;
}

/* ---- The choices. */

bool kaslr_physical(const struct boot_params *bp, const struct cmdline *cmdline,
		    const struct kaslr_slots *want, u64 *addr)
{
	const struct boot_e820_entry *entry;
	struct e820_walk walk;

	/*
	 * kaslr_area() ignores an entry that wraps around, because its end is
	 * below its start.
	 */
	for (e820_first(bp, &walk); (entry = e820_next(&walk));)
		kaslr_area(entry->type == E820_RAM ? KASLR_RAM : KASLR_TAKEN,
			   entry->addr, entry->addr + entry->size);
	return heed_options(cmdline) && kaslr_pick(want, addr);
}

u64 kaslr_virtual(const struct payload_header *p, u64 size)
{
	/*
	 * Linux maps its image within the 1 GiB of virtual addresses that holds
	 * its link address (KERNEL_IMAGE_SIZE).
	 */
	u64 end = ALIGN_DOWN(p->virt_addr, PUD_SIZE) + PUD_SIZE;
	u64 number;

	if (!(p->flags & PAYLOAD_KASLR) || end - p->virt_addr < size)
		return p->virt_addr;
	number = draw();
	return p->virt_addr + p->align *
	       scale(number, (end - p->virt_addr - size) / p->align + 1);
}
