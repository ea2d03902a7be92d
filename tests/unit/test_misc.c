/* SPDX-License-Identifier: MIT */
/*
 * test_misc.c - tests how misc.c and lib/boot_params.c check what the loader
 * passes to the stub, and how misc.c chooses the address where the stub's image
 * runs. The loader may be hostile, so these tests pass wrong and contradictory
 * values.
 */
#include "misc_machine.h"

/* ---- sanitize_boot_params() ---- */

static struct boot_params before, after;

static void sanitize(u8 sentinel)
{
	u8 *p = (u8 *)&before;
	size_t i;

	random_seed(1);
	for (i = 0; i < sizeof(before); i++)
		p[i] = (u8)(random_u64() | 3);
	before.sentinel = sentinel;
	after = before;
	sanitize_boot_params(&after);
}

/*
 * The loader must not set cc_blob_address or KASLR_FLAG. sanitize_boot_params()
 * must clear both, even if the sentinel is clear, which says that the loader
 * has set up the zero page properly.
 */
TEST(sentinel_or_not)
{
	sanitize(0);
	CHECK(!after.cc_blob_address && before.cc_blob_address, "a blob");
	CHECK((before.hdr.loadflags & 2) && !(after.hdr.loadflags & 2),
	      "KASLR_FLAG");
}

TEST(sentinel_clear)
{
	sanitize(0);
	before.cc_blob_address = 0;
	before.hdr.loadflags &= (u8)~2;
	CHECK(!memcmp(&before, &after, sizeof(after)),
	      "a clean zero page was changed");
}

/*
 * A set sentinel says that the loader did not clear the zero page. Only the
 * fields in kept[] may keep their values then (zero-page.rst). The offsets are
 * numbers, so that an error in the stub's structures is found.
 */
TEST(sentinel_set)
{
	/* Offsets of the bytes that the stub keeps. It must clear all others. */
	static const struct {
		u16 start, end;
	} kept[] = {
		{ 0x000, 0x070 },	/* fields screen_info to ist_info */
		{ 0x080, 0x0c0 },	/* fields hd0_info to olpc_ofw_header */
		{ 0x1c0, 0x1eb },	/* fields efi_info to edd_mbr_sig_buf_entries */
		{ 0x1ec, 0x1ed },	/* field secure_boot */
		{ 0x1f1, 0x26c },	/* the setup header */
		{ 0x290, 0xcd0 },	/* fields edd_mbr_sig_buffer and e820_table */
		{ 0xd00, 0xeec },	/* field eddbuf */
	};
	const u8 *was = (const u8 *)&before, *is = (const u8 *)&after;
	static const u8 sentinels[] = { 1, 0x80, 0xff };
	size_t i, k, s;

	for (s = 0; s < ARRAY_SIZE(sentinels); s++) {
		sanitize(sentinels[s]);
		before.hdr.loadflags &= (u8)~2;
		for (i = 0, k = 0; i < sizeof(after); i++) {
			bool keep;

			if (k < ARRAY_SIZE(kept) && i == kept[k].end)
				k++;
			keep = k < ARRAY_SIZE(kept) && i >= kept[k].start;
			CHECK(is[i] == (keep ? was[i] : 0),
			      "0x%03zx is 0x%02x, was 0x%02x", i, is[i],
			      was[i]);
		}
	}
}

/* ---- find_cmdline() ---- */

/*
 * Makes a command line of @len characters and @nul NUL bytes. Its memory has
 * exactly this size, so that ASan reports a read after it.
 */
static char *exact_text(size_t len, size_t nul)
{
	char *text = malloc(len + nul);

	memset(text, 'x', len);
	memset(text + len, '\0', nul);
	set_cmdline((u64)text);
	return text;
}

TEST(cmdline_of_the_loader)
{
	static const size_t lengths[] = { 1, 2, 100, CMDLINE_SIZE - 1,
					  CMDLINE_SIZE };
	struct cmdline found;
	size_t i;
	char *text;

	fresh_loader();
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		text = exact_text(lengths[i], 1);
		/*
		 * The text must be above 4 GiB, because only then
		 * ext_cmd_line_ptr, the upper half of the address, is not 0 and
		 * is tested.
		 */
		CHECK((u64)text >> 32, "%p is below 4 GiB", (void *)text);
		found = find_cmdline(&fake.bp);
		CHECK(found.text == text && found.len == lengths[i],
		      "%zu characters at %p instead of %zu at %p", found.len,
		      (const void *)found.text, lengths[i], (void *)text);
		free(text);
	}
}

TEST(cmdline_built_in)
{
	struct cmdline found;
	char *text;

	fresh_loader();
	text = exact_text(0, 1);
	found = find_cmdline(&fake.bp);
	CHECK(found.text == layout.builtin && found.len == strlen("built in"),
	      "an empty one: %zu", found.len);
	free(text);

	set_cmdline(0);
	found = find_cmdline(&fake.bp);
	CHECK(found.text == layout.builtin && found.len == strlen("built in"),
	      "none: %zu", found.len);

	layout.builtin = "";
	found = find_cmdline(&fake.bp);
	CHECK(found.text == layout.builtin && !found.len,
	      "none, and none built in: %zu", found.len);
}

/*
 * The command line is a single word of more than CMDLINE_SIZE bytes. The stub
 * must refuse it, because the payload would read only a part of the word.
 */
TEST(cmdline_without_end)
{
	char *text;

	fresh_loader();
	text = exact_text(CMDLINE_SIZE + 1, 1);
	EXPECT_ERROR(find_cmdline(&fake.bp), "command line");
	free(text);

	text = exact_text(CMDLINE_SIZE + 1, 0);
	EXPECT_ERROR(find_cmdline(&fake.bp), "command line");
	CHECK(strstr(harness_error_detail, "255"), "%s", harness_error_detail);
	free(text);
}

/*
 * The payload reads CMDLINE_SIZE bytes of the command line. This command line is
 * longer, and ends with a NUL or without one. The stub must keep only the words of
 * which the payload reads every byte.
 */
TEST(cmdline_too_long)
{
	struct cmdline found;
	size_t nul, at;
	char *text;

	fresh_loader();
	for (nul = 0; nul < 2; nul++) {
		for (at = 1; at <= CMDLINE_SIZE; at += 127) {
			text = exact_text(CMDLINE_SIZE + 1, nul);
			text[at] = ' ';
			found = find_cmdline(&fake.bp);
			CHECK(found.text == text && found.len == at,
			      "%zu characters of %zu", found.len, at);
			CHECK(cmdline_is_too_long(&fake.bp), "not too long");
			free(text);
		}
	}
	text = exact_text(CMDLINE_SIZE, 1);
	CHECK(!cmdline_is_too_long(&fake.bp), "it fits");
	free(text);
	set_cmdline(0);
	CHECK(!cmdline_is_too_long(&fake.bp), "there is none");
}

/* ---- initrd_range() ---- */

TEST(initrd)
{
	static const struct {
		u64 start, size;
	} good[] = {
		{ 0, 0 },
		{ 0x1000, 0 },
		{ 0x12345678, 0x9abcdef },
		{ 0x123456789abc, 0x100000001 },
		{ 0xfffffffffffff000, 0xfff },
		{ ~0UL, 0 },
		{ 0, ~0UL },
	}, bad[] = {
		{ 0xfffffffffffff000, 0x1000 },
		{ 0xfffffffffffff000, 0x2000 },
		{ 1, ~0UL },
		{ ~0UL, 1 },
		{ ~0UL, ~0UL },
	};
	struct range r;
	size_t i;

	fresh_loader();
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		set_initrd(good[i].start, good[i].size);
		r = initrd_range(&fake.bp);
		CHECK(r.start == good[i].start &&
		      r.end == good[i].start + good[i].size,
		      "0x%lx bytes at 0x%lx: 0x%lx-0x%lx", good[i].size,
		      good[i].start, r.start, r.end);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		set_initrd(bad[i].start, bad[i].size);
		EXPECT_ERROR(initrd_range(&fake.bp), "initrd");
	}
}

/* ---- runtime_range() ---- */

TEST(runtime_start)
{
	static const struct {
		u64 load, pref, align, relocatable, start;
	} cases[] = {
		/*
		 * A relocatable image is loaded at the preferred address, below
		 * it, above it, and at addresses that are not aligned. It must
		 * run at the load address rounded up to the alignment, but not
		 * below the preferred address.
		 */
		{ 0x1000000, 0x1000000, 0x200000, 1, 0x1000000 },
		{ 0x100000, 0x1000000, 0x200000, 1, 0x1000000 },
		{ 0x2000000, 0x1000000, 0x200000, 1, 0x2000000 },
		{ 0x2000001, 0x1000000, 0x200000, 1, 0x2200000 },
		{ 0x21fffff, 0x1000000, 0x200000, 1, 0x2200000 },
		{ 0x0ffffff, 0x1000000, 0x200000, 1, 0x1000000 },
		{ 0x1000001, 0x1000000, 0x1000, 1, 0x1001000 },
		/* The image is loaded above 4 GiB. */
		{ 0x123456789000, 0x1000000, 0x200000, 1, 0x123456800000 },
		/*
		 * The image is not relocatable. Wherever it is loaded, it must
		 * run at the address that it was linked for.
		 */
		{ 0x100000, 0x1000000, 0x200000, 0, 0x1000000 },
		{ 0x2000000, 0x1000000, 0x200000, 0, 0x1000000 },
		{ 0x123456789000, 0x1000000, 0x200000, 0, 0x1000000 },
		/*
		 * Aligning the load address overflows 64 bits. The image must
		 * then run at the preferred address.
		 */
		{ 0xfffffffffff00001, 0x1000000, 0x200000, 1, 0x1000000 },
	};
	struct range r;
	size_t i;

	fresh_loader();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		info_in_image.pref_address = cases[i].pref;
		info_in_image.align = cases[i].align;
		info_in_image.relocatable = cases[i].relocatable;
		r = runtime_range(cases[i].load, 0);
		CHECK(r.start == cases[i].start &&
		      r.end == r.start + info_in_image.init_size,
		      "case %zu: 0x%lx-0x%lx", i, r.start, r.end);
	}
}

/* ---- place_image() ---- */

/*
 * Changes the layout so that the stub's image is at @address. That address
 * needs no memory, because these tests do not read the image.
 */
static void load_at(u64 address)
{
	u8 **const parts[] = {
		&layout.head, &layout.payload, &layout.comp_end, &layout.text,
		&layout.text_end, &layout.ro, &layout.ro_end, &layout.rw,
		&layout.rw_end, &layout.df_guard, &layout.overrun,
		&layout.guard, &layout.pool, &layout.pool_end, &layout.last,
	};
	u64 by = address - (u64)layout.head;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		*parts[i] = (u8 *)((u64)*parts[i] + by);
}

/*
 * Makes a PC with nearly 1 GiB of RAM below 4 GiB and 1 GiB above, and the
 * stub's image at @load. The initrd, command line and zero page do not overlap
 * the memory where the image will run, from 16 MiB to 24 MiB.
 */
static void loaded_machine(u64 load)
{
	fresh_loader();
	fake.bp.e820_entries = 0;
	add_e820(0, 0x9f000, E820_RAM);
	add_e820(0x9f000, 0x61000, 2);
	add_e820(0x100000, 0x3ff00000, E820_RAM);
	add_e820(0x100000000, 0x40000000, E820_RAM);
	add_ram_of_loader();
	set_initrd(0x30000000, 0x1000000);
	info_in_image.pref_address = 0x1000000;
	info_in_image.align = 0x200000;
	info_in_image.init_size = 0x800000;
	load_at(load);
}

#define IMAGE_SIZE	(AT_END - AT_HEAD)
#define UPPER_SIZE	(AT_DATA_END - AT_TEXT)

TEST(place_at_preferred_address)
{
	static const u64 loads[] = { 0x100000, 0x123450, 0x1000000 };
	size_t i;
	u64 to;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		loaded_machine(loads[i]);
		to = place_image(&fake.bp);
		CHECK(to == 0x1800000 - IMAGE_SIZE, "from 0x%lx to 0x%lx",
		      loads[i], to);
	}
}

TEST(place_above_4g)
{
	u64 to;

	loaded_machine(0x100200000);
	to = place_image(&fake.bp);
	CHECK(to == 0x100a00000 - IMAGE_SIZE, "to 0x%lx", to);
}

TEST(place_asks_in_order)
{
	loaded_machine(0x100000);
	fake.bp.sentinel = 0xff;
	fake.bp.ext_ramdisk_size = 0xffffffff;
	fake.bp.ext_cmd_line_ptr = 0;
	set_cmdline(0);
	place_image(&fake.bp);
	CHECK(!fake.bp.ext_ramdisk_size,
	      "what the sentinel warns of was believed");
	CHECK(!strcmp(trace, "sev detect\nconsole \"built in\"\n"), "%s",
	      trace);
}

/*
 * place_image() must not print anything in an SEV-ES guest. Port I/O is not
 * possible yet, because the GHCB page is not set up.
 */
TEST(place_without_ports)
{
	loaded_machine(0x100000);
	fake.sev_es = true;
	place_image(&fake.bp);
	CHECK(!strcmp(trace, "sev detect\n"), "%s", trace);
}

TEST(place_not_in_ram)
{
	/*
	 * RAM must be accepted if it ends exactly where the memory that the
	 * payload needs ends, and refused if it ends a byte earlier.
	 */
	loaded_machine(0x100000);
	set_initrd(0, 0);
	fake.bp.e820_table[2].size = 0x1800000 - 0x100000;
	place_image(&fake.bp);
	fake.bp.e820_table[2].size--;
	expect_refusal("not enough room");
	CHECK(!strcmp(harness_error_detail,
		      "the payload needs 0x1000000-0x1800000, and not all of it is RAM: 0x17fffff is not; the largest RAM is 0x100000000-0x140000000"),
	      "%s", harness_error_detail);

	/*
	 * RAM must be accepted if it begins exactly where the memory that the
	 * payload needs begins, and refused if it begins a byte later.
	 */
	fake.bp.e820_table[2] = (struct boot_e820_entry){ 0x1000000, 0x800000,
							  E820_RAM };
	place_image(&fake.bp);
	fake.bp.e820_table[2].addr++;
	expect_refusal("not enough room");
	CHECK(strstr(harness_error_detail,
		     ": 0x1000000 is not; the largest RAM is 0x100000000-0x140000000"),
	      "%s", harness_error_detail);

	/*
	 * One byte of the memory that the payload needs is reserved, so the
	 * boot must be refused.
	 */
	loaded_machine(0x100000);
	add_e820(0x1400000, 1, 2);
	expect_refusal("not enough room");
	CHECK(strstr(harness_error_detail,
		     ": 0x1400000 is not; the largest RAM is 0x100000000-0x140000000"),
	      "%s", harness_error_detail);

	/*
	 * A memory map without entries has no RAM, so the boot must be refused.
	 */
	loaded_machine(0x100000);
	fake.bp.e820_entries = 0;
	expect_refusal("not enough room");
	CHECK(strstr(harness_error_detail, "the largest RAM is 0x0-0x0"), "%s",
	      harness_error_detail);
}

/*
 * The memory map may continue in setup_data nodes and may have 4096 entries in
 * all. A longer map must be refused, because the stub searches the whole map at
 * each page fault.
 */
TEST(place_with_endless_map)
{
	struct setup_data *node = (void *)(machine + AT_NODES);

	loaded_machine(0x100000);
	while (fake.bp.e820_entries < E820_MAX_ENTRIES_ZEROPAGE)
		add_e820(0, 0, 2);
	memset(machine + AT_NODES, 0, MIB);
	*node = (struct setup_data){ .type = 1, .len = 3968 * 20 };
	fake.bp.hdr.setup_data = (u64)node;
	/*
	 * The entries in the setup_data node overwrite the fake loader's
	 * command line, so this boot has no command line.
	 */
	set_cmdline(0);
	place_image(&fake.bp);
	node->len = 3969 * 20;
	expect_refusal("E820");
	CHECK(!strcmp(harness_error_detail, "more than 4096 entries"), "%s",
	      harness_error_detail);
}

TEST(place_range_wraps)
{
	loaded_machine(0x100000);
	add_e820(0, ~0UL, E820_RAM);
	fake.bp.e820_table[1].size = 0;
	info_in_image.pref_address = 0xffffffffff800000;
	expect_refusal("not enough room");
	info_in_image.pref_address = 0xffffffffffa00000;
	expect_refusal("not enough room");
	info_in_image.pref_address = 0x1000000;
	info_in_image.init_size = 0;
	expect_refusal("not enough room");
}

/*
 * The stub moves an image that is not relocatable to the address it is linked
 * for. It must refuse a load address from which the move would overwrite parts
 * of the image that it still uses.
 */
TEST(place_in_the_way)
{
	const u64 to = 0x1800000 - IMAGE_SIZE;
	static const struct {
		u64 load;
		bool good;
	} cases[] = {
		{ 0x1800000 - IMAGE_SIZE - UPPER_SIZE, true },
		{ 0x1800000 - IMAGE_SIZE - UPPER_SIZE + 8, false },
		{ 0x1800000 - IMAGE_SIZE, false },
		{ 0x1800000 - 8, false },
		{ 0x1800000, true },
		{ 0x3000000, true },
		{ 0x100800000, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		loaded_machine(cases[i].load);
		info_in_image.relocatable = 0;
		if (cases[i].good) {
			CHECK(place_image(&fake.bp) == to, "from 0x%lx",
			      cases[i].load);
			continue;
		}
		expect_refusal("load address");
	}
}

/*
 * Calls @put to place data of the loader, such as the initrd, at the edges of
 * the memory that the payload needs. @what names the data in the error.
 * place_image() must refuse the boot if one byte overlaps, and accept it if no
 * byte overlaps.
 */
static void check_overlap(const char *what, void (*put)(u64 start, u64 size))
{
	static const struct {
		u64 start, size;
		bool good;
	} cases[] = {
		{ 0x0fff000, 0x1000, true },
		{ 0x0fff001, 0x1000, false },
		{ 0x1000000, 0x10, false },
		{ 0x1400000, 0x100, false },
		{ 0x17fffff, 0x10, false },
		{ 0x1800000, 0x10, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		loaded_machine(0x100000);
		put(cases[i].start, cases[i].size);
		if (cases[i].good) {
			place_image(&fake.bp);
			continue;
		}
		expect_refusal(what);
		CHECK(strstr(harness_error_detail, "0x1000000-0x1800000"),
		      "%s", harness_error_detail);
	}
}

TEST(place_over_initrd)
{
	check_overlap("initrd", set_initrd);

	/*
	 * The initrd contains all of the memory that the payload needs, so the
	 * boot must be refused.
	 */
	loaded_machine(0x100000);
	set_initrd(0x800000, 0x10000000);
	expect_refusal("initrd");

	/*
	 * The end of the initrd overflows 64 bits, so the boot must be refused.
	 */
	loaded_machine(0x100000);
	set_initrd(0x2000000, ~0UL);
	expect_refusal("initrd");
}

TEST(place_initrd_not_in_ram)
{
	loaded_machine(0x100000);
	set_initrd(0x40000000 - 0x1000, 0x1000);
	place_image(&fake.bp);
	set_initrd(0x40000000 - 0x1000, 0x1001);
	expect_refusal("initrd");
	CHECK(!strcmp(harness_error_detail,
		      "0x3ffff000-0x40000001 is not all in RAM"),
	      "%s", harness_error_detail);
	set_initrd(0xfee00000, 8);
	expect_refusal("initrd");
	/* An initrd above 4 GiB is accepted. */
	set_initrd(0x100000000, 0x1000);
	place_image(&fake.bp);
	/*
	 * An initrd of 0 bytes: its address must be ignored, even outside of
	 * RAM.
	 */
	set_initrd(0xfee00000, 0);
	place_image(&fake.bp);
}

/*
 * The stub reads the zero page in any case, so every byte of it must be in RAM.
 * One reserved byte suffices for a refusal.
 */
TEST(place_zero_page_not_in_ram)
{
	const u64 end = (u64)&fake.bp + 4096;

	loaded_machine(0x100000);
	add_e820(end, 0x1000, 2);
	place_image(&fake.bp);
	add_e820(end - 1, 1, 2);
	expect_refusal("zero page");
	loaded_machine(0x100000);
	add_e820((u64)&fake.bp, 1, 2);
	expect_refusal("zero page");
}

TEST(place_cmdline_not_in_ram)
{
	const u64 text = (u64)machine + AT_CMDLINE;
	const u64 end = text + strlen("from the loader") + 1;

	loaded_machine(0x100000);
	add_e820(text - 1, 1, 2);
	add_e820(end, 1, 2);
	place_image(&fake.bp);
	add_e820(end - 1, 1, 2);
	expect_refusal("command line");
	loaded_machine(0x100000);
	add_e820(text, 1, 2);
	expect_refusal("command line");
	/*
	 * A zero command line pointer selects the built-in command line, which
	 * is in the stub's image. The stub must accept this boot, although the
	 * E820 map still has a reserved entry at the loader's command line.
	 */
	set_cmdline(0);
	place_image(&fake.bp);
}

/*
 * The zero page, command line and initrd may lie in memory of E820 type 3
 * (ACPI), 4 (NVS) or 128 (Linux's E820_RESERVED_KERN), and in reserved memory
 * that efi_may_hold() accepts by firmware's EFI memory map.
 */
TEST(place_in_memory_of_other_types)
{
	static const u32 types[] = { 3, 4, 128 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		loaded_machine(0x100000);
		add_e820((u64)&fake.bp, sizeof(fake.bp), types[i]);
		add_e820((u64)machine + AT_CMDLINE, 0x100, types[i]);
		add_e820(0x60000000, 0x10000, types[i]);
		set_initrd(0x60000000, 0x10000);
		place_image(&fake.bp);
		set_initrd(0x60000000, 0x10001);
		expect_refusal("initrd");
	}
	loaded_machine(0x100000);
	add_e820(0x60000000, 0x10000, 2);
	set_initrd(0x60000000, 0x10000);
	fake.efi_memory = (struct range){ 0x60000000, 0x60010000 };
	place_image(&fake.bp);
	fake.efi_memory.end--;
	expect_refusal("initrd");
	/* The payload's own memory must be RAM. */
	loaded_machine(0x100000);
	add_e820(0x1400000, 0x1000, 3);
	expect_refusal("not enough room");
}

/*
 * Some loaders set the initrd's address but leave its size 0. Then there is no
 * initrd, and the address must be ignored.
 */
TEST(place_over_no_initrd)
{
	loaded_machine(0x100000);
	set_initrd(0x1400000, 0);
	CHECK(place_image(&fake.bp) == 0x1800000 - IMAGE_SIZE, "refused");
}

/*
 * Moves the memory that the payload needs to [start, end). Cases let it overlap
 * the zero page or the command line, which cannot be moved, because the stub
 * reads them where they are.
 */
static void range_around(u64 start, u64 end)
{
	info_in_image.pref_address = start;
	info_in_image.init_size = end - start;
	info_in_image.align = 1;
	add_e820(start, end - start, E820_RAM);
	load_at(start - MIB);
}

TEST(place_over_zero_page)
{
	u64 bp = (u64)&fake.bp;

	loaded_machine(0x100000);
	range_around(bp - MIB, bp);
	place_image(&fake.bp);
	loaded_machine(0x100000);
	range_around(bp - MIB, bp + 1);
	expect_refusal("zero page");
	loaded_machine(0x100000);
	range_around(bp + 4095, bp + MIB);
	expect_refusal("zero page");
	loaded_machine(0x100000);
	range_around(bp + 4096, bp + MIB);
	set_cmdline(0);
	place_image(&fake.bp);
}

TEST(place_over_cmdline)
{
	u64 text, end;

	loaded_machine(0x100000);
	text = (u64)machine + AT_CMDLINE;
	end = text + strlen("from the loader") + 1;
	range_around(text - MIB, text);
	place_image(&fake.bp);
	loaded_machine(0x100000);
	range_around(text - MIB, text + 1);
	expect_refusal("command line");
	/*
	 * Of the command line only the NUL lies in the memory that the payload
	 * needs. The stub must refuse this, too, because the NUL ends the text.
	 */
	loaded_machine(0x100000);
	range_around(end - 1, end + MIB);
	expect_refusal("command line");
	loaded_machine(0x100000);
	range_around(end, end + MIB);
	place_image(&fake.bp);
}

/*
 * The built-in command line is part of the stub's image and moves with it. It
 * may therefore overlap the memory that the payload needs.
 */
TEST(place_over_builtin_cmdline)
{
	u64 text;

	loaded_machine(0x100000);
	text = (u64)layout.builtin;
	range_around(text - MIB, text + MIB);
	set_cmdline(0);
	place_image(&fake.bp);
	CHECK(strstr(trace, "built in"), "%s", trace);
}

/* Calls place_image(). Returns false if it called error(). */
static bool try_place(u64 *to)
{
	if (setjmp(harness.expected))
		return false;
	harness.expecting = TEST_ERROR;
	*to = place_image(&fake.bp);
	harness.expecting = 0;
	return true;
}

/*
 * Makes random machines and images. If place_image() accepts the boot, the
 * chosen address must be in RAM and aligned, and the move must be possible.
 */
TEST(place_at_random)
{
	unsigned int placed = 0, i;
	struct range range;
	u64 load, to;

	random_seed(2);
	for (i = 0; i < 20000; i++) {
		load = random_below(16 * MIB) & ~7UL;
		loaded_machine(load);
		info_in_image.pref_address = MIB + random_below(8) * MIB;
		info_in_image.align = PAGE_SIZE << random_below(10);
		info_in_image.relocatable = random_below(2);
		info_in_image.init_size = IMAGE_SIZE + UPPER_SIZE +
			random_below(64) * 0x10000;
		set_initrd(random_below(16 * MIB), random_below(0x100000));

		if (!try_place(&to))
			continue;
		placed++;

		range.end = to + IMAGE_SIZE;
		range.start = range.end - info_in_image.init_size;
		CHECK(info_in_image.relocatable ?
		      range.start >= info_in_image.pref_address :
		      range.start == info_in_image.pref_address,
		      "0x%lx", range.start);
		CHECK(!info_in_image.relocatable ||
		      range.start == info_in_image.pref_address ||
		      !(range.start % info_in_image.align),
		      "0x%lx is not a multiple of 0x%lx", range.start,
		      info_in_image.align);
		CHECK(range.start >= MIB && range.end <= 0x40000000,
		      "0x%lx-0x%lx is not in RAM", range.start, range.end);
		/*
		 * The stub copies its image to @to in two steps, first its text
		 * and data. Neither step may overwrite the code that copies, and
		 * the first step may not overwrite its own source. The image
		 * must therefore move up by at least UPPER_SIZE, the size of its
		 * text and data, or the payload's range, in which the copy lies,
		 * must be entirely below the image.
		 */
		CHECK(to >= load + UPPER_SIZE || range.end <= load,
		      "0x%lx to 0x%lx", load, to);
	}
	CHECK(placed > 1000, "only %u were placed", placed);
	INFO("%u placed of %u", placed, i);
}
