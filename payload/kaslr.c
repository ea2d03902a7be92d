/* SPDX-License-Identifier: MIT */
/*
 * kaslr.c - where the payload goes: one of the places that it fits into, each
 * as likely as any other, and independently of that one of its virtual
 * addresses.
 *
 * What is known about memory comes in as areas, each of them two edges in one
 * sorted list. One sweep over the list counts the slots, a second one finds the
 * slot that was drawn. Maps come sorted, or nearly so: then both building the
 * list and sweeping over it are linear, and the list's length bounds the rest.
 *
 * Runs when all of boot_params can be read, on the EFI entry also before: the
 * list is in .bss and starts anew with the image's own stack, the rest stays.
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
 * In this order: XXH64 takes in its last eight bytes by a bijection. If those
 * are the processor's, an outcome is as even as they are, whoever chose the
 * rest: that can add to the uncertainty, but not take from it.
 */
static struct {
	u64 state;		/* all that came before */
	u64 time;
	u64 processor;
} seeds in_data;

static struct {
	bool drawn;		/* something was left to chance */
	bool weak;		/* ... without RDRAND */
} kaslr in_data;

void kaslr_seed(const void *data, size_t len)
{
	seeds.processor = xxh64(data, len);
	seeds.state = xxh64(&seeds, sizeof(seeds));
}

/*
 * CPUID is the hypervisor's word, and an exit. Every processor with SEV has
 * RDRAND. Before ExitBootServices nothing is known of SEV: see kaslr_finish().
 */
static bool has_rdrand(void)
{
	return sev_active() || cpuid_count(CPUID_FEATURES, 0).ecx >>
			       CPUID_1_ECX_RDRAND_BIT & 1;
}

static bool random_by_processor(void)
{
	unsigned int tries;

	for (tries = RDRAND_TRIES; tries; tries--) {
		if (rdrand(&seeds.processor))
			return true;
	}
	return false;
}

/* Chance must not become the hypervisor's choice. */
static noreturn void no_randomness(void)
{
	if (sev_es_active())
		terminate(SEVSTUB_TERM_CPU);
	error("KASLR", "RDRAND fails");
}

static u64 draw(void)
{
	bool good = has_rdrand() && random_by_processor();

	if (!good) {
		if (sev_active())
			no_randomness();
		kaslr.weak = true;
	}
	/* An exit in an SEV-ES guest, if the hypervisor wants it to be one. */
	if (!good || (sev_guest.known && !sev_es_active()))
		seeds.time = rdtsc();
	kaslr.drawn = true;
	seeds.state = xxh64(&seeds, sizeof(seeds));
	return seeds.state;
}

/* Even but for @limit in 2^64. */
static u64 draw_below(u64 limit)
{
	return (u64)((unsigned __int128)draw() * limit >> 64);
}

bool kaslr_finish(void)
{
	bool drawn = kaslr.drawn;

	/* CPUID, or firmware, may have said what is not so. */
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

/* An edge: address, kind of area, and whether it is the area's end. */
#define EDGE_END	1UL
#define EDGE_KIND_SHIFT	1
#define EDGE_KIND_MASK	3
#define EDGE_ADDR_SHIFT	3
#define EDGE_ADDR_MAX	(_AC(1, UL) << 52)
BUILD_BUG_ON(KASLR_AREA_KINDS > EDGE_KIND_MASK + 1);

/* Of all areas together; with more than that the payload stays. */
#define MAX_EDGES	2048

static struct {
	u64 edges[MAX_EDGES];
	unsigned int count;
	bool full;
	bool known[KASLR_AREA_KINDS];	/* there is an area of this kind */
	u64 huge_pages;			/* 1 GiB pages that are asked for */
} areas;

/*
 * At one address the beginning of an area comes before the end of another one
 * of its kind: neighbours are one.
 */
static void add_edge(u64 edge)
{
	unsigned int i = areas.count++;

	for (; i && areas.edges[i - 1] > edge; i--)
		areas.edges[i] = areas.edges[i - 1];
	areas.edges[i] = edge;
}

void kaslr_area(enum kaslr_area kind, u64 start, u64 end)
{
	if (end > EDGE_ADDR_MAX)
		end = EDGE_ADDR_MAX;
	if (start >= end)
		return;
	if (areas.count > MAX_EDGES - 2) {
		areas.full = true;
		return;
	}
	areas.known[kind] = true;
	add_edge(start << EDGE_ADDR_SHIFT | kind << EDGE_KIND_SHIFT);
	add_edge(end << EDGE_ADDR_SHIFT | kind << EDGE_KIND_SHIFT | EDGE_END);
}

struct sweep {
	const struct kaslr_slots *want;
	u64 wanted;		/* number of the slot that is looked for */
	u64 slots;		/* how many have been seen */
	u64 addr;		/* of that slot */
	u64 huge_pages;		/* still to be left alone */
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

/* The first huge pages that there are stay free, as in the kernel's choice. */
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

/* @depth: how many areas of each kind there are at one address. */
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
	unsigned int depth[KASLR_AREA_KINDS] = { 0 };
	bool usable = false;
	u64 start = 0;
	unsigned int i;

	for (i = 0; i < areas.count; i++) {
		u64 addr = areas.edges[i] >> EDGE_ADDR_SHIFT;
		unsigned int kind = areas.edges[i] >> EDGE_KIND_SHIFT &
				    EDGE_KIND_MASK;
		bool was_usable = usable;

		if (areas.edges[i] & EDGE_END)
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
	*addr = sweep(want, draw_below(slots)).addr;
	return true;
}

/* ---- What the command line says about memory. */

/* Room for an option's value; a longer one is not understood. */
#define OPTION_SIZE	256

/* The kernel's memparse(): a number, and what it counts. */
static int parse_size(const char **s, u64 *size)
{
	static const char units[] = "kmgtpe";
	unsigned int shift;
	const char *unit;

	if (parse_u64(*s, s, 0, size))
		return -EINVAL;
	for (unit = units, shift = 10; *unit; unit++, shift += 10) {
		if ((**s | ' ') != *unit)
			continue;
		if (*size << shift >> shift != *size)
			return -EINVAL;
		*size <<= shift;
		++*s;
		break;
	}
	return 0;
}

static bool is_memmap_sign(char c)
{
	return c == '@' || c == '#' || c == '$' || c == '!' || c == '%';
}

static void limit_memory(struct kaslr_slots *want, u64 size)
{
	if (size && size < want->high)
		want->high = size;
}

/*
 * memmap=SIZE@ADDR adds RAM, which is of no use here; with another sign in
 * between it says that there is none. A mere size is a limit. What else there
 * may be (exactmap) makes a map that this file does not know.
 */
static bool heed_memmap(struct kaslr_slots *want, const char *s)
{
	u64 size, start;
	char sign;

	for (;; s++) {
		if (parse_size(&s, &size))
			return false;
		sign = *s;
		if (sign && sign != ',') {
			s++;
			if (!is_memmap_sign(sign) || parse_size(&s, &start))
				return false;
			if (sign != '@')
				kaslr_area(KASLR_TAKEN, start,
					   start + size < start ? ~0UL :
					   start + size);
			/* %ADDR-OLDTYPE+NEWTYPE */
			while (sign == '%' && *s && *s != ',')
				s++;
		} else {
			limit_memory(want, size);
		}
		if (!*s)
			return true;
		if (*s != ',')
			return false;
	}
}

static void heed_huge_pages(const struct cmdline *cmdline)
{
	struct cmdline rest = *cmdline, behind;
	char buf[OPTION_SIZE];
	const char *s;
	u64 number;

	while (cmdline_next_option(&rest, "hugepagesz", buf, sizeof(buf)) >= 0) {
		s = buf;
		behind = rest;
		if (!parse_size(&s, &number) && number == PUD_SIZE &&
		    cmdline_next_option(&behind, "hugepages", buf,
					sizeof(buf)) >= 0 &&
		    !parse_u64(buf, NULL, 0, &number))
			areas.huge_pages = number;
	}
}

/* Returns false if the payload had better stay where it is. */
static bool heed_options(const struct cmdline *cmdline, struct kaslr_slots *want)
{
	struct cmdline rest = *cmdline;
	char buf[OPTION_SIZE];
	const char *s;
	u64 size;
	int len;

	while (cmdline_next_option(&rest, "mem", buf, sizeof(buf)) >= 0) {
		s = buf;
		if (!parse_size(&s, &size))
			limit_memory(want, size);
	}
	rest = *cmdline;
	while ((len = cmdline_next_option(&rest, "memmap", buf,
					  sizeof(buf))) >= 0) {
		if (len >= OPTION_SIZE || !heed_memmap(want, buf))
			return false;
	}
	heed_huge_pages(cmdline);
	return cmdline_find_option(cmdline, "efi_fake_mem", NULL, 0) < 0;
}

/* ---- The choices. */

bool kaslr_physical(const struct boot_params *bp, const struct cmdline *cmdline,
		    struct kaslr_slots want, u64 *addr)
{
	const struct boot_e820_entry *entry;
	struct e820_walk walk;

	/* One that wraps around is empty: its end is its smaller address. */
	for (e820_first(bp, &walk); (entry = e820_next(&walk));)
		kaslr_area(entry->type == E820_RAM ? KASLR_RAM : KASLR_TAKEN,
			   entry->addr, entry->addr + entry->size);
	return heed_options(cmdline, &want) && kaslr_pick(&want, addr);
}

u64 kaslr_virtual(const struct payload_header *p, u64 size)
{
	/* The kernel's image has a GiB of its own (KERNEL_IMAGE_SIZE). */
	u64 end = ALIGN_DOWN(p->virt_addr, PUD_SIZE) + PUD_SIZE;

	if (!(p->flags & PAYLOAD_KASLR) || end - p->virt_addr < size)
		return p->virt_addr;
	return p->virt_addr + p->align *
	       draw_below((end - p->virt_addr - size) / p->align + 1);
}
