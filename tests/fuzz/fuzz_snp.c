/* SPDX-License-Identifier: MIT */
/*
 * fuzz_snp.c - libFuzzer target for sev-snp.c. The input spoils what a loader hands
 * over (blob, CPUID page, setup_data, list of validated memory), and gives the replies
 * of the hypervisor, of PVALIDATE and of the SVSM while the guest accepts memory.
 *
 * Two models predict the results. The first says, from the rules of docs/sev-snp.md,
 * whether the guest terminates when it reads the loader's data, and what each CPUID
 * returns. The second has a map of 16 MiB of pages and records each request. It
 * predicts which pages the guest must accept. The guest must make each of these pages private
 * once and validate it once, and must do so with no other page.
 * After a wrong reply the guest must terminate with the right code before its next request.
 */
#define OWN_SNP
#include "scripted_host.h"
#include "snp_handover.h"

#include "fuzz.h"

static struct input *input;
/*
 * The termination that a model expects, as the set of reasons << 8 | the reason's code in
 * this set (GHCB 2.3.1). NONE: the guest must go on.
 */
#define NONE		0xffff
static unsigned int expected;

/* ---- the page map: what the guest has accepted ---- */

#define PAGES		4096		/* 16 MiB */

static struct {
	/* wanted[n]: the guest must accept page n. */
	bool wanted[PAGES];
	/*
	 * private[n]: how often the host has made page n private at the guest's request.
	 * validated[n]: how often the guest has validated page n.
	 */
	u8 private[PAGES], validated[PAGES];
	bool small_rmp;			/* PVALIDATE of 2 MiB fails by size */
	bool svsm;
	/*
	 * The termination that must follow a wrong reply, in the encoding of the variable
	 * `expected`: the set of reasons << 8 | the reason's code. SET_ANY_END or SET_LEFT in
	 * place of the set: the model predicts no single reason. NONE: all replies were right.
	 */
	unsigned int wrong;
} map_of;

static void wrong(unsigned int set, unsigned int code)
{
	map_of.wrong = set << 8 | code;
}

/*
 * Values that map_of.wrong may have in bits 15:8 instead of a set of reasons. SET_ANY_END:
 * the guest must terminate, for any reason. SET_LEFT: the model cannot predict what the
 * guest does after this reply, so the test of this input stops.
 */
#define SET_ANY_END	8
#define SET_LEFT	9

/*
 * Called at each request and each PVALIDATE of the guest. Fails if an earlier reply was
 * wrong, because the guest should have terminated after that reply. If the model cannot
 * predict what the guest does after that reply (SET_LEFT), stops the test of this input.
 */
static void still_good(void)
{
	if (map_of.wrong >> 8 == SET_LEFT)
		longjmp(host.end, 1);
	CHECK(map_of.wrong == NONE, "the guest goes on after %#x", map_of.wrong);
}

/*
 * Called when the guest validates the page at @addr, or asks the host to make it private.
 * Adds 1 to the page's element of @counts, or to 512 elements if the page is @large. Fails
 * if the guest need not accept one of these pages.
 */
static void count_pages(u8 *counts, u64 addr, bool large)
{
	u64 page = addr / PAGE_SIZE, i;

	CHECK(!(addr % (large ? PMD_SIZE : PAGE_SIZE)), "%#lx", addr);
	for (i = 0; i < (large ? 512 : 1); i++) {
		CHECK(page + i < PAGES && map_of.wanted[page + i], "page %#lx",
		      page + i);
		counts[page + i]++;
	}
}

static void answer_page_state(void)
{
	u8 *g = (u8 *)&ghcb_page;
	unsigned int i, last = g[BUFFER + 2] | g[BUFFER + 3] << 8, did = last + 1;
	u8 how = take_u8(input);

	CHECK(get(g, CODE) == 0x80000010 && !get(g, INFO_1) && !get(g, INFO_2),
	      "exit %#lx", get(g, CODE));
	CHECK(get(g, SCRATCH) == (u64)&ghcb_page + BUFFER, "%#lx", get(g, SCRATCH));
	CHECK(last < 253 && !(get(g, BUFFER) & ~0xffff0000UL), "last %u", last);
	if (how & 1)
		did = take_u8(input) % (last + 1) + 1;
	for (i = 0; i < did; i++) {
		u64 entry = get(g, BUFFER + 8 + 8 * i);

		CHECK((entry & ~(0xffffffffff000UL | 1UL << 56)) == 1UL << 52,
		      "entry %#lx", entry);
		count_pages(map_of.private, entry & 0xffffffffff000UL, entry >> 56 & 1);
	}
	put(g, INFO_1, 0, 8);
	set_field(g, INFO_2, 0);
	put(g, BUFFER, did, 2);
	/*
	 * Overwrite the guest's page state request, because a hostile host can write to
	 * the shared buffer while the guest uses it.
	 */
	if (how & 2)
		memset(g + BUFFER + 2, take_u8(input), BUFFER_SIZE - 2);
	if ((how & 0xf0) == 0xf0) {
		put(g, BUFFER, did = take_u16(input), 2);
		if (!did || did > last + 1)
			wrong(1, 1);
		else
			wrong(SET_LEFT, 0);
	} else if ((how & 0xf0) == 0xe0) {
		put(g, INFO_2, get(g, INFO_2) | take_u64(input), 8);
		if (get(g, INFO_2))
			wrong(1, 1);
	} else if ((how & 0xf0) == 0xd0) {
		put(g, INFO_1, take_u64(input), 8);
		if (get(g, INFO_1))
			wrong(SET_ANY_END, 0);
	}
}

static void answer(void)
{
	u64 page = (u64)&ghcb_page;

	still_good();
	if (host.msr == page) {
		answer_page_state();
	} else if ((host.msr & 0xfff) == 0x80) {
		host.msr = 0x21UL << 12 | 0x81;
	} else if (host.msr == (page | 2UL << 52 | 0x14)) {
		host.msr = 0x15;
	} else {
		CHECK(host.msr == (page | 0x12), "MSR %#lx", host.msr);
		host.msr = page | 0x13;
	}
}

unsigned int rmpadjust(u64 addr, u64 target)
{
	CHECK(addr == (u64)&ghcb_page && target == 1, "%#lx", addr);
	return map_of.svsm ? 2 : 0;
}

/* Returns the result of PVALIDATE that the input chooses: 0 (success), or an error. */
static unsigned int spoil_pvalidate(void)
{
	static const u8 results[] = { 1, 6, 255, 7 };
	u8 how = take_u8(input);

	return how > 0xf0 ? results[how % 4] : 0;
}

unsigned int pvalidate(u64 addr, bool large, bool validate)
{
	walked at = lookup(addr);
	unsigned int level = level_of(at), result;
	u64 entry = *entry_of(at);
	u64 base = entry & 0x0007fffffffff000UL;

	still_good();
	CHECK(!map_of.svsm, "at VMPL above 0%s", "");
	CHECK(is_leaf(entry, level) && entry >> 51 & 1, "%#lx", entry);
	if (level == 2)
		base = (base & ~0x1fffffUL) + addr % 0x200000;
	if (base == (u64)&ghcb_page) {
		CHECK(!validate && !large, "GHCB page%s", "");
		return 0;
	}
	CHECK(validate, "%#lx is rescinded", base);
	if (large && map_of.small_rmp)
		return 6;
	result = spoil_pvalidate();
	if (result) {
		/*
		 * PVALIDATE of a page of 2 MiB may return 6 (the RMP has another page size):
		 * the stub then validates pages of 4 KiB. For a page of 4 KiB, 6 is an
		 * error like all others, and the stub must terminate the guest.
		 */
		if (large && result == 6)
			map_of.small_rmp = true;
		else
			wrong(1, 2);
		return result;
	}
	CHECK(map_of.private[base / PAGE_SIZE], "%#lx is not private", base);
	count_pages(map_of.validated, base, large);
	return 0;
}

u64 vmgexit_svsm(u64 call, u64 argument, u8 *pending)
{
	u8 *area = (void *)AREA;
	u16 count, next;
	u8 how;

	still_good();
	CHECK(map_of.svsm && call == 1 && argument == AREA + 8 && host.msr == 0x16 &&
	      pending == area && !area[0], "call %#lx", call);
	*pending = 1;
	memcpy(&count, area + 8, 2);
	memcpy(&next, area + 10, 2);
	CHECK(count && count <= 510 && !next, "%u entries", count);
	if (get(area, 16) >> 12 == (u64)&ghcb_page >> 12) {
		CHECK(count == 1 && !(get(area, 16) & 0xfff), "%#lx", get(area, 16));
		area[0] = 0;
		host.msr = 0x17;
		return 0;
	}
	how = take_u8(input);
	host.msr = 0x17;
	area[0] = 0;
	if (how == 0xff) {
		area[0] = 1;
		wrong(1, 2);
		return 0;
	}
	if (how == 0xfe) {
		host.msr = take_u64(input);
		if (host.msr != 0x17)
			wrong(1, 2);
	}
	/*
	 * Let the SVSM return "incomplete" or "busy", at which the stub repeats the call.
	 * Each of these replies takes bytes of the input, so the repetitions end.
	 */
	if (how == 0xfd && input->size)
		return take_u8(input) & 1 ? 0x80000000 : 0x80000007;
	if (how == 0xfc) {
		u64 result = take_u64(input);

		next = take_u16(input);
		memcpy(area + 10, &next, 2);
		if (result && result != 0x80000000 && result != 0x80000007)
			wrong(result == 0x80001006 && next < count &&
			      get(area, 16) & 1 ? SET_LEFT : 1, 2);
		else
			wrong(SET_LEFT, 0);
		return result;
	}
	for (; next < count; next++) {
		u64 entry = get(area, 16 + 8 * next);

		CHECK(entry & 4 && !(entry & 0xffa), "entry %#lx", entry);
		if (entry & 1 && map_of.small_rmp) {
			memcpy(area + 10, &next, 2);
			return 0x80001006;
		}
		CHECK(map_of.private[(entry >> 12) % PAGES], "%#lx is not private",
		      entry);
		count_pages(map_of.validated, entry & ~0xfffUL, entry & 1);
	}
	return 0;
}

/* ---- starting a guest ---- */

static void fresh_guest(void)
{
	static bool there;

	if (!there) {
		make_memory();
		there = true;
	}
	memset(&host.count, 0, sizeof(host) - offsetof(typeof(host), count));
	memset(&es, 0, sizeof(es));
	memset(&sev_guest, 0, sizeof(sev_guest));
	memset(&snp, 0, sizeof(snp));
	memset(&batch, 0, sizeof(batch));
	memset(&map_of, 0, sizeof(map_of));
	map_of.wrong = NONE;
	expected = NONE;
	snp_efi_blob = 0;
	answer_freely = answer;
	host.has_sev_status = true;
	host.sev_status = 7;
	sev_guest = (struct sev_guest){ .status = 7, .cbit = 51, .known = true };
	es.version = 2;
	hand_over();
}

/*
 * Calls @what, and checks how it ends. If the variable `expected` is not NONE, the stub must
 * terminate the guest with that code. Otherwise the hypervisor's replies decide: after a wrong
 * one the stub must terminate the guest with the code that wrong() has left in map_of.wrong. If
 * this is NONE, too, the guest must go on. Returns true if the guest goes on and the test can
 * continue.
 */
static bool play(void (*what)(void))
{
	bool ended = true;
	unsigned int want;

	host.ending = true;
	if (!setjmp(host.end)) {
		what();
		ended = false;
	}
	host.ending = false;
	want = expected != NONE ? expected : map_of.wrong;
	if (want >> 8 == SET_LEFT)
		return false;
	if (want >> 8 == SET_ANY_END) {
		CHECK(ended, "goes on%s", "");
		return false;
	}
	CHECK(ended == (want != NONE), "ended %u, expected %#x", ended, want);
	CHECK(!ended || host.last_words == (0x100 | (u64)(want >> 8) << 12 |
					    (u64)(want & 0xff) << 16),
	      "ended with %#lx, expected %#x", host.last_words, want);
	return !ended;
}

static void start_snp(void)
{
	snp_start((const void *)ZERO_PAGE);
	snp_keep_cpuid();
}

/* ---- what is handed over ---- */

static bool is_memory(u64 at, u64 size)
{
	return at >= DATA && at + size <= OPEN && at + size >= at;
}

/*
 * Returns the four registers that the CPUID page has for leaf @function, sub-leaf @index,
 * or NULL if it has none. If several entries of the page match, the first one counts.
 */
static const u32 *model_leaf(u32 function, u32 index)
{
	static const u32 indexed[] = {
		0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e,
		0x1f, 0x24, 0x8000001d,
	};
	u64 cpuid = get_at(BLOB + 24, 8);
	unsigned int i, k;

	for (i = 0; i < get_at(cpuid, 4); i++) {
		u64 e = cpuid + 16 + 48 * i;
		bool by_index = false;

		if (get_at(e, 4) != function)
			continue;
		for (k = 0; k < ARRAY_SIZE(indexed); k++)
			by_index |= indexed[k] == function;
		if (by_index && get_at(e + 4, 4) != index)
			continue;
		if (function == 0xd && get_at(e + 4, 4) <= 1 &&
		    ((get_at(e + 8, 8) | 2) != 3 || get_at(e + 16, 8)))
			continue;
		return (const u32 *)(e + 24);
	}
	return NULL;
}

/*
 * Sets @expected to how snp_start() must end. Returns false if the loader's data make
 * snp_start() read an address at which this test has no memory; it must not be called then.
 */
static bool predict_start(void)
{
	u64 at = ((struct boot_params *)ZERO_PAGE)->hdr.setup_data, blob = snp_efi_blob;
	unsigned int nodes = 0, i;
	bool list = false;
	const u32 *leaf;
	u64 cpuid;

	for (; at && nodes < 128; nodes++) {
		u32 type, len;

		if (!is_memory(at, 16))
			return false;
		type = (u32)get_at(at + 8, 4);
		len = (u32)get_at(at + 12, 4);
		if (type == 0x6c615653) {
			if (list || len % 16) {
				expected = 2 << 8 | 22;
				return true;
			}
			list = true;
			for (i = 0; i < len / 16; i++) {
				u64 range = at + 16 + 16 * i;

				if (!is_memory(range, 16))
					return false;
				if (get_at(range, 8) >= get_at(range + 8, 8) ||
				    get_at(range, 8) % 4096 ||
				    get_at(range + 8, 8) % 4096) {
					expected = 2 << 8 | 22;
					return true;
				}
			}
		}
		if (type == 7 && len >= 4 && !blob) {
			if (!is_memory(at + 16, 4))
				return false;
			blob = get_at(at + 16, 4);
		}
		at = get_at(at, 8);
	}
	expected = 2;
	if (!blob || blob + 40 > 0xffffffff)
		return true;
	if (!is_memory(blob, 40))
		return false;
	if (get_at(blob, 4) != MAGIC)
		return true;
	cpuid = get_at(blob + 24, 8);
	expected = 1 << 8 | 4;
	if (!cpuid || cpuid % 4096 || get_at(blob + 32, 4) < 4096)
		return true;
	expected = 1 << 8 | 6;
	if (!get_at(blob + 8, 8) || get_at(blob + 8, 8) % 4096 ||
	    get_at(blob + 16, 4) != 4096)
		return true;
	if (!is_memory(cpuid, 4096) || blob != BLOB)
		return false;
	expected = 1 << 8 | 4;
	if (!get_at(cpuid, 4) || get_at(cpuid, 4) > 64)
		return true;
	leaf = model_leaf(SEV_LEAF, 0);
	expected = 2 << 8 | 4;
	if (!leaf || (leaf[0] & 0x1a) != 0x1a)
		return true;
	expected = 2 << 8 | 2;
	if ((leaf[1] & 63) != 51)
		return true;
	expected = NONE;
	return true;
}

static u32 asked[2];

static void check_cpuid(void)
{
	const u32 *leaf = model_leaf(asked[0], asked[1]);
	struct cpuid_regs regs, mask;
	u32 want[4] = { 0 }, from_host[4] = { 0 };

	if (leaf)
		memcpy(want, leaf, sizeof(want));
	if (leaf && asked[0] == 1) {
		want[2] = (want[2] & ~(1U << 27)) | (u32)(host.cr4 >> 18 & 1) << 27;
		from_host[1] = 0xff000000;
		from_host[3] = 1 << 9;
	}
	if (leaf && asked[0] == 7)
		want[2] = (want[2] & ~(1U << 4)) | (u32)(host.cr4 >> 22 & 1) << 4;
	if (leaf && asked[0] == 0xb)
		from_host[3] = ~0U;
	if (leaf && asked[0] == 0x8000001e) {
		from_host[0] = ~0U;
		from_host[1] = from_host[2] = 0xff;
	}
	if (leaf && asked[0] == 0xd && asked[1] <= 1)
		want[1] = 0x240;
	snp_cpuid(asked[0], asked[1], &regs, &mask);
	CHECK(!memcmp(&regs, want, 16) && !memcmp(&mask, from_host, 16),
	      "%#x.%u: %#x %#x %#x %#x", asked[0], asked[1], regs.eax, regs.ebx,
	      regs.ecx, regs.edx);
}

static void fuzz_handed(struct input *in)
{
	static const u32 leaves[] = {
		0, 1, 4, 7, 0xb, 0xd, 0x1f, 0x80000000, 0x80000001, 0x8000001d,
		0x8000001e, SEV_LEAF,
	};
	u8 how = take_u8(in);
	unsigned int i;
	const u32 *leaf;

	for (i = 0; i < how % 32; i++) {
		u32 regs[4];
		u8 which = take_u8(in);

		take_bytes(in, regs, sizeof(regs));
		put_leaf(leaves[which % ARRAY_SIZE(leaves)], which >> 6, regs);
		if (which & 32)
			put_at(CPUID_PAGE + 24 + 48 * get_at(CPUID_PAGE, 4) - 48,
			       which >> 4 & 3, 8);
	}
	if (how & 32) {
		put_at(BLOB_NODE, LIST_NODE, 8);
		put_node(LIST_NODE, 0, NODE_VALIDATED, 32);
		for (i = 0; i < 4; i++)
			put_at(LIST_NODE + 16 + 8 * i, take_u16(in) * 2048UL, 8);
	}
	if (how & 64)
		snp_efi_blob = BLOB;
	/*
	 * Overwrite up to 7 bytes of the first two pages at DATA, which have the
	 * setup_data nodes, the blob and the CPUID page.
	 */
	for (i = how & 128 ? take_u8(in) % 8 : 0; i; i--) {
		u16 at = take_u16(in);

		*(u8 *)(DATA + at % (2 * PAGE_SIZE)) = take_u8(in);
	}
	host.cr4 = take_u32(in);
	if (!predict_start() || !play(start_snp))
		return;
	for (i = 0; i < 8; i++) {
		asked[0] = take_u8(in);
		asked[0] = asked[0] & 128 ? leaves[asked[0] % ARRAY_SIZE(leaves)] :
			   asked[0];
		asked[1] = take_u8(in) % 4;
		leaf = model_leaf(asked[0], asked[1]);
		if (leaf && asked[0] == 0xd && asked[1] == 1 && !(leaf[0] & 0xa))
			expected = 1 << 8 | 4;
		if (!play(check_cpuid))
			return;
	}
}

/* ---- memory that is accepted ---- */

static void accept_all(void)
{
	snp_find_vmpl();
	snp_share_ghcb();
	sev_es_setup_ghcb(&bp);
	snp_accept_ram(&bp);
}

/* This test's E820 entries begin and end at multiples of CELL bytes, half a page. */
#define CELL	2048UL
#define CELLS	(PAGES * PAGE_SIZE / CELL)

/*
 * Sets map_of.wanted for each page that the guest must accept: each page with a byte that
 * E820 says to be RAM and nothing else, and all pages from 0xc0000 to 0xfffff, where Linux
 * looks for tables of a BIOS. A page that is in the loader's list of validated memory must
 * not be accepted again.
 */
static void predict_pages(unsigned int entries, unsigned int ranges)
{
	static u8 cells[CELLS];
	unsigned int i, type;
	u64 at;

	memset(cells, 0, sizeof(cells));
	for (type = 1; type <= 2; type++)
		for (i = 0; i < entries; i++) {
			const struct boot_e820_entry *e = &bp.e820_table[i];

			for (at = e->addr; e->type == type && at < e->addr + e->size;
			     at += CELL)
				cells[at / CELL] = (u8)type;
		}
	for (i = 0; i < CELLS; i++)
		map_of.wanted[i * CELL / PAGE_SIZE] |= cells[i] == 1;
	for (at = 0xc0000; at < 0x100000; at += PAGE_SIZE)
		map_of.wanted[at / PAGE_SIZE] = true;
	for (i = 0; i < ranges; i++)
		for (at = get_at(LIST_NODE + 16 + 16 * i, 8);
		     at < get_at(LIST_NODE + 24 + 16 * i, 8); at += PAGE_SIZE)
			map_of.wanted[at / PAGE_SIZE] = false;
}

static void fuzz_accept(struct input *in)
{
	u8 how = take_u8(in);
	unsigned int entries = take_u8(in) % 8 + 1, ranges = take_u8(in) % 6, i;

	put_at(BLOB_NODE, LIST_NODE, 8);
	put_node(LIST_NODE, 0, NODE_VALIDATED, 16 * ranges);
	for (i = 0; i < ranges; i++) {
		u64 start = take_u16(in) % PAGES;
		u64 end = start + 1 + take_u8(in) * (how & 4 ? 16UL : 1UL);

		put_at(LIST_NODE + 16 + 16 * i, start * PAGE_SIZE, 8);
		put_at(LIST_NODE + 24 + 16 * i, (end < PAGES ? end : PAGES) * PAGE_SIZE,
		       8);
	}
	map_of.svsm = how & 1;
	map_of.small_rmp = how & 2;
	put_svsm(1);
	input = &(struct input){ NULL, 0 };
	if (!play(start_snp))
		return;
	make_map();
	for (i = 0; i < entries; i++) {
		u64 start = take_u16(in) % CELLS, size = take_u16(in) % (CELLS - start + 1);

		bp.e820_table[i] = (struct boot_e820_entry){
			start * CELL, size * CELL, take_u8(in) % 4 ? 1 : 2 };
	}
	bp.e820_entries = (u8)entries;
	predict_pages(entries, ranges);
	input = in;
	if (!play(accept_all))
		return;
	for (i = 0; i < PAGES; i++)
		CHECK(map_of.validated[i] == map_of.wanted[i] &&
		      map_of.private[i] == map_of.wanted[i],
		      "page %#x: wanted %u, private %u, validated %u", i,
		      map_of.wanted[i], map_of.private[i], map_of.validated[i]);
	CHECK(!es.busy && !*(u8 *)AREA, "still busy%s", "");
}

static void fuzz_one(struct input *in)
{
	u8 which = take_u8(in);

	input = in;
	fresh_guest();
	if (which & 1)
		fuzz_accept(in);
	else
		fuzz_handed(in);
}
