/* SPDX-License-Identifier: MIT */
/*
 * extract.h - runs extract_kernel() with the stub's own decoder, digests and
 * relocation on a payload that a test may damage. fuzz_payload.c and
 * test_images.c include it. If the stub accepts the payload, its output is
 * compared with that of a second, independent implementation, the model.
 *
 * The pages before and after the payload's memory are not accessible, because
 * ASan does not check accesses by assembly.
 */
#ifndef EXTRACT_H
#define EXTRACT_H

#include <sys/mman.h>

/*
 * Do not run LeakSanitizer. It would read pages that this program makes
 * inaccessible, and crash.
 */
#define HARNESS_ASAN_OPTIONS	":detect_leaks=0"
#define MACHINE_OWN_DECODER
#include "misc_machine.h"

#include "../../payload/unzstd.c"
#include "../../payload/unfilter.c"
#include "../../payload/relocate.c"

#include "filter_model.h"

/*
 * In the stub, payload_decode() is a jump to the decoder that mkpayload chose.
 * These tests always use zstd.
 */
int payload_decode(void *out, size_t out_size, const void *in, size_t in_size)
{
	return unzstd(out, out_size, in, in_size);
}

/*
 * Offsets in @machine, the fake RAM: the payload's memory and, after it, the
 * stub's image. The image's pages are inaccessible, so that a wrong access of
 * the code under test crashes.
 */
#define AT_RANGE	0x200000UL
#define RANGE_SIZE	0x18000UL
#define AT_STUB		(AT_RANGE + RANGE_SIZE)
#define STUB_SIZE	0x8000UL

#define PLAIN_SIZE	0x5000UL
#define PLACES		64		/* relocations of each kind */
/*
 * The address that the payload is linked for. It is close to the payload's
 * memory, so that the distance fits into 32-bit relocations.
 */
#define LINK_ADDR	((u64)machine + AT_RANGE - 0x1230000)

/* The undamaged payload. make_image() fills this once. */
static struct {
	/* Decompressed contents: flat memory image, then relocation table. */
	u8 plain[PLAIN_SIZE + 4096];
	/* Bytes of @plain that are in use. */
	size_t size;
	size_t reloc_size;		/* bytes of the relocation table */
	u8 image[sizeof(struct payload_header) + RANGE_SIZE];
	/* Bytes of @image in use: the payload header and a zstd frame. */
	size_t image_size;
	/* Copy of the payload header at the start of @image. */
	struct payload_header header;
} built;

/* ---- Building a payload ---- */

/*
 * Appends a number of the relocation table to built.plain. The table's numbers
 * are in base 128, low digits first, and bit 7 says that another digit follows.
 */
static void add_number(u64 value)
{
	do {
		built.plain[built.size++] =
			(u8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
}

/*
 * Fills built.plain with the payload: pages that begin with text, which
 * compresses well, and go on with random bytes, which do not. The relocation
 * table follows. It has relocations of each kind.
 */
static void make_plain(void)
{
	unsigned int kind, i;
	size_t at;

	random_seed(9);
	for (at = 0; at < PLAIN_SIZE; at++)
		built.plain[at] = at % 0x1000 < 0xa00 ?
				  "the hypervisor is no friend "[at % 27] :
				  (u8)random_u64();
	built.size = PLAIN_SIZE;
	for (kind = 0; kind < RELOC_KINDS; kind++) {
		add_number(PLACES);
		for (i = 0; i < PLACES; i++)
			add_number(kind * 40 + i % 24 + (i == 9 ? 200 : 0));
	}
	built.reloc_size = built.size - PLAIN_SIZE;
}

static u64 header_digest_of(const struct payload_header *p)
{
	return xxh64(p, offsetof(struct payload_header, header_digest));
}

/*
 * Corrects both digests in the payload header of @image, so that the stub does
 * not refuse a damaged payload because of them. @size is the number of bytes of
 * header and compressed payload.
 */
static void seal(u8 *image, size_t size)
{
	struct payload_header p;

	memcpy(&p, image, sizeof(p));
	p.comp_digest = xxh64(image + sizeof(p), size - sizeof(p));
	p.header_digest = header_digest_of(&p);
	memcpy(image, &p, sizeof(p));
}

size_t ZSTD_compress(void *out, size_t room, const void *in, size_t size,
		     int level);
size_t ZSTD_compressBound(size_t size);

static void make_image(void)
{
	u8 *frame = built.image + sizeof(built.header);
	size_t size;

	make_plain();
	size = ZSTD_compress(frame, sizeof(built.image) - sizeof(built.header),
			     built.plain, built.size, 19);
	CHECK(!ZSTD_isError(size), "the compressor fails%s", "");
	built.header = (struct payload_header){
		.magic = PAYLOAD_MAGIC, .version = PAYLOAD_VERSION,
		.flags = PAYLOAD_RELOCATABLE | PAYLOAD_IDENTITY,
		.link_addr = LINK_ADDR, .align = PAGE_SIZE,
		.entry_offset = 0x123, .file_size = PLAIN_SIZE,
		.mem_size = PLAIN_SIZE + 0x3000,
		.reloc_size = built.reloc_size,
		.margin = ZSTD_decompressionMargin(frame, size),
		.comp_size = size, .virt_addr = LINK_ADDR,
		.filter = {
			{ 0x100, 0x1000, FILTER_BRANCHES, 0, 0, 0 },
			{ 0x1200, 0x800, FILTER_RELATIVE, 8, 1, 0 },
			{ 0x2000, 0x600, FILTER_ASCENDING, 12, 5, 0 },
			{ 0x3000, 0x1000, FILTER_FIRST_USES, 4, 1, 0 },
		},
	};
	built.image_size = sizeof(built.header) + size;
	memcpy(built.image, &built.header, sizeof(built.header));
	seal(built.image, built.image_size);
	memcpy(&built.header, built.image, sizeof(built.header));
	CHECK(built.size + built.header.margin <= RANGE_SIZE,
	      "0x%lx bytes of margin", built.header.margin);
}

/* ---- The model of relocation ---- */

/*
 * Reads a number of the relocation table at offset *@at and advances *@at.
 * Returns the number, or -1 if it is longer than 5 bytes or cut off.
 */
static s64 model_number(const u8 *table, size_t size, size_t *at)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < 5 && *at < size; i++) {
		value += (u64)(table[*at] % 128) << (7 * i);
		if (table[(*at)++] < 128)
			return (s64)value;
	}
	return -1;
}

/*
 * Relocates @image by @distance at the places that @table of @size bytes lists.
 * Returns false if the table is malformed, if a place lies outside of the
 * image, or if a 32-bit value overflows.
 */
static bool model_relocate(u8 *image, u64 image_size, const u8 *table,
			   size_t size, u64 distance)
{
	static const u8 widths[] = { 8, 4, 4 };
	size_t at = 0;
	unsigned int kind;
	s64 count, gap;
	u64 place, value;

	for (kind = 0; kind < 3; kind++) {
		place = 0;
		for (count = model_number(table, size, &at); count > 0; count--) {
			gap = model_number(table, size, &at);
			if (gap < 0)
				return false;
			place += (u64)gap;
			if (place + widths[kind] > image_size)
				return false;
			value = 0;
			memcpy(&value, image + place, widths[kind]);
			if (kind && value & 0x80000000)
				value -= 1UL << 32;
			value += kind == 1 ? -distance : distance;
			memcpy(image + place, &value, widths[kind]);
			/*
			 * A relocated value of 32 bits must fit into a signed
			 * 32-bit number.
			 */
			if (kind && value + 0x80000000 >= 1UL << 32)
				return false;
			place += widths[kind];
		}
		if (count < 0)
			return false;
	}
	return at == size;
}

/* ---- Running extract_kernel() ---- */

/*
 * Prepares the fake machine for extract_kernel(). The stub's image lies
 * directly after the payload's memory, where head_64.S would have moved it.
 */
static void fresh_extract(void)
{
	static bool there;
	u8 *at = machine + AT_STUB;

	if (!there) {
		make_image();
		if (mprotect(machine + AT_RANGE - PAGE_SIZE, PAGE_SIZE,
			     PROT_NONE) ||
		    mprotect(at, STUB_SIZE, PROT_NONE))
			abort();
		there = true;
	}
	fresh_loader();
	layout = (struct layout){
		.head = machine + AT_RANGE, .text = at,
		.text_end = at + 0x1ff0, .ro = at + 0x2000,
		.ro_end = at + 0x2ff0, .rw = at + 0x3000, .rw_end = at + 0x4000,
		.overrun = machine + AT_OVERRUN, .guard = at + 0x5000, .pool = at + 0x6000,
		.pool_end = at + 0x7000, .last = at + STUB_SIZE,
		.builtin = "built in",
	};
	info_in_image = (struct image_info){
		.pref_address = LINK_ADDR, .align = PAGE_SIZE,
		.init_size = RANGE_SIZE + STUB_SIZE, .relocatable = 1,
		.addr_max = PAYLOAD_ADDR_MAX, .cmdline_size = CMDLINE_SIZE,
	};
	set_cmdline(0);
	set_initrd(0, 0);
}

/*
 * Runs extract_kernel() on the payload @image. If @there is below the payload's
 * size, the payload is cut off after @there bytes, and bytes of 0xa5 replace
 * the rest. Returns false if the stub refuses the payload. Otherwise returns
 * true, with the payload's entry point in @entry.
 */
static bool extract(const u8 *image, size_t there, u64 *entry)
{
	u8 *range = machine + AT_RANGE;
	u8 *start;
	bool refused;

	fresh_extract();
	/*
	 * The end of the compressed payload must lie at least header.margin bytes above the
	 * end of the output. Put the payload at the lowest address that this allows, so
	 * that it overlaps the output, as in a boot.
	 */
	start = range + built.size + built.header.margin - built.image_size;
	if (start < range)
		start = range;
	start = (u8 *)ALIGN_UP((u64)start, 8UL);
	layout.payload = start;
	layout.comp_end = start + built.image_size;
	memset(range, 0xa5, RANGE_SIZE);
	memcpy(start, image, there);
	REFUSED(refused, *entry = extract_kernel(&fake.bp));
	return !refused;
}

/*
 * Checks the output and @entry after extract() returned true. They must be what
 * the model computes from the undamaged payload and from the payload header in
 * @image, which may be damaged.
 */
static void check_extracted(const u8 *image, u64 entry)
{
	static u8 want[RANGE_SIZE];
	const u8 *out = machine + AT_RANGE;
	struct payload_header p;
	u64 distance, zero, i;

	memcpy(&p, image, sizeof(p));
	CHECK(p.file_size + p.reloc_size == built.size,
	      "0x%lx bytes instead of 0x%lx", p.file_size + p.reloc_size,
	      built.size);
	memcpy(want, built.plain, built.size);
	model_filters(want, p.file_size, p.filter, true);
	distance = p.flags & PAYLOAD_IDENTITY ? (u64)out - p.link_addr : 0;
	if (distance)
		CHECK(model_relocate(want, p.file_size, want + p.file_size,
				     p.reloc_size, distance),
		      "a table that does not fit%s", "");
	CHECK(!memcmp(out, want, p.file_size), "wrong output%s", "");
	zero = p.mem_size - p.file_size;
	if (p.flags & PAYLOAD_LINUX && zero > p.reloc_size)
		zero = p.reloc_size;
	for (i = 0; i < zero; i++)
		CHECK(!out[p.file_size + i], "byte 0x%lx is not cleared",
		      p.file_size + i);
	CHECK(entry == (u64)out + p.entry_offset, "enters 0x%lx", entry);
}

#endif
