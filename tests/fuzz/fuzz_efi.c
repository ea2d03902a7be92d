/* SPDX-License-Identifier: MIT */
/*
 * fuzz_efi.c - libFuzzer target for the code in efi/ with arbitrary data from
 * firmware (efi_firmware.h fakes it): the memory map, the command line in UTF-16,
 * and the files, sizes and status codes that efi_pe_entry() gets.
 *
 * Models in this file make the E820 map from the memory map, decode the stub's
 * UTF-8 text again, and find the optional data of an EFI_LOAD_OPTION. If
 * efi_pe_entry() returns a status, it must have freed everything that it has
 * allocated. If it does not return, it must have exited boot services.
 */
#include "efi_firmware.h"

#include "fuzz.h"

/* ---- the memory map ---- */

#define DESCRIPTORS	192
#define EXT_ROOM	32

struct region {
	u64 start, size;
	u32 type;
};

/*
 * Returns the E820 type that the stub must choose for EFI memory type @type (UEFI
 * 2.10 table 7.10) with @attribute.
 */
static u32 model_type(u32 type, u64 attribute)
{
	static const u8 types[] = { 2, 1, 1, 1, 1, 2, 2, 1, 5, 3, 4, 2, 2, 2, 7 };

	if (type >= ARRAY_SIZE(types))
		return 2;
	if (types[type] == 1 && attribute & 0x40000)
		return 0xefffffff;
	return types[type];
}

static void fuzz_memory_map(struct input *in)
{
	static u8 ext_bytes[sizeof(struct setup_data) +
			    EXT_ROOM * sizeof(struct boot_e820_entry)]
		__attribute__((aligned(8)));
	struct setup_data *ext = (void *)ext_bytes;
	const struct boot_e820_entry *ext_entries = (void *)ext->data;
	static struct boot_params bp;
	static struct region want[DESCRIPTORS];
	static u8 map_bytes[DESCRIPTORS * 64];
	unsigned int entry_size = 40 + 8 * (take_u8(in) % 4);
	unsigned int count = take_u8(in) % DESCRIPTORS, wanted = 0, i;
	struct efi_memory_map map = {
		.entries = map_bytes, .entry_size = entry_size,
		.size = count * entry_size + take_u8(in) % 40,
		.ext = ext, .ext_room = take_u8(in) % (EXT_ROOM + 1),
	};
	bool made, many;
	u64 next = take_u8(in) * PAGE_SIZE;

	memset(&bp, 0, sizeof(bp));
	memset(ext_bytes, 0x5a, sizeof(ext_bytes));
	bp.hdr.setup_data = 0x1234;
	for (i = 0; i < count; i++) {
		u8 how = take_u8(in);
		EFI_MEMORY_DESCRIPTOR d = {
			.Type = how & 15, .PhysicalStart = next,
			.NumberOfPages = 1 + (how >> 4 & 1), .Attribute = 0xf,
		};
		struct region r, *last = wanted ? &want[wanted - 1] : NULL;

		if (how == 0xff) {
			d.Type = take_u32(in);
			d.PhysicalStart = take_u64(in) & ~(PAGE_SIZE - 1);
			d.NumberOfPages = take_u64(in);
			d.Attribute = take_u64(in);
		} else if (how >> 5 == 6) {
			d.NumberOfPages = 0;
		} else if (how >> 5 == 5) {
			d.PhysicalStart += PAGE_SIZE;
		} else if (how >> 5 == 4) {
			d.Attribute |= EFI_MEMORY_SP;
		}
		memcpy(map_bytes + i * entry_size, &d, sizeof(d));
		next = d.PhysicalStart + d.NumberOfPages * PAGE_SIZE;

		r = (struct region){ d.PhysicalStart, next - d.PhysicalStart,
				     model_type(d.Type, d.Attribute) };
		if (!d.NumberOfPages || d.NumberOfPages >> 52 ||
		    next < d.PhysicalStart)
			continue;
		if (last && last->start + last->size == r.start &&
		    last->type == r.type)
			last->size += r.size;
		else
			want[wanted++] = r;
	}

	made = efi_make_e820(&bp, &map);
	many = wanted > 128;
	CHECK(made == (wanted <= 128 + map.ext_room), "%u entries, room for %lu",
	      wanted, map.ext_room);
	if (!made)
		return;
	CHECK(bp.e820_entries == (many ? 128 : wanted), "%u entries of %u",
	      bp.e820_entries, wanted);
	for (i = 0; i < wanted; i++) {
		const struct boot_e820_entry *e = i < 128 ? &bp.e820_table[i] :
						  &ext_entries[i - 128];

		CHECK(e->addr == want[i].start && e->size == want[i].size &&
		      e->type == want[i].type,
		      "entry %u is 0x%lx+0x%lx, type %u", i, (u64)e->addr,
		      (u64)e->size, e->type);
	}
	CHECK(bp.hdr.setup_data == (many ? (u64)ext : 0x1234),
	      "setup_data 0x%lx", (u64)bp.hdr.setup_data);
	if (many)
		CHECK(ext->type == 1 && ext->next == 0x1234 &&
		      ext->len == (wanted - 128) * 20, "%u bytes of type %u",
		      ext->len, ext->type);
}

/* ---- UTF-16 ---- */

#define UNITS	64

/*
 * Decodes one character of UTF-8 at @text. Returns its code point and sets @size to
 * its number of bytes. Fails the test if it is malformed.
 */
static u32 decode_utf8(const u8 *text, unsigned int *size)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	u32 c = text[0];
	unsigned int i;

	*size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (*size > 1)
		c &= 0x7f >> *size;
	for (i = 1; i < *size; i++) {
		CHECK((text[i] & 0xc0) == 0x80, "byte %u is %#x", i, text[i]);
		c = c << 6 | (text[i] & 0x3f);
	}
	CHECK(c >= least[*size] && c < 0x110000 && (c < 0xd800 || c >= 0xe000),
	      "U+%x in %u bytes", c, *size);
	return c;
}

static void fuzz_utf16(struct input *in)
{
	CHAR16 units[UNITS];
	u8 out[UNITS * 3], cut[UNITS];
	size_t room = take_u8(in) % UNITS, len = take_u8(in) % (UNITS + 1);
	size_t size, i = 0, at = 0;
	unsigned int bytes;
	u32 want, got;

	take_bytes(in, units, sizeof(units));
	size = utf16_to_utf8(out, sizeof(out), units, len);
	CHECK(size <= sizeof(out), "%zu bytes", size);
	while (i < len && units[i]) {
		want = units[i++];
		if (want >> 10 == 0x36 && i < len && units[i] >> 10 == 0x37)
			want = 0x10000 + ((want & 0x3ff) << 10 |
					  (units[i++] & 0x3ff));
		else if (want >> 11 == 0x1b)
			want = '?';
		CHECK(at < size, "ends after %zu bytes", at);
		got = decode_utf8(out + at, &bytes);
		CHECK(got == want, "U+%x instead of U+%x", got, want);
		at += bytes;
	}
	CHECK(at == size, "%zu bytes instead of %zu", size, at);
	memset(cut, 0x77, sizeof(cut));
	CHECK(utf16_to_utf8(cut, room, units, len) == size, "with less room%s",
	      "");
	for (i = 0; i < sizeof(cut); i++)
		CHECK(cut[i] == (i < room && i < size ? out[i] : 0x77),
		      "byte %zu is %#x", i, cut[i]);
}

/* ---- LoadOptions that are a whole EFI_LOAD_OPTION ---- */

#define OPTION_BYTES	64

/*
 * A model of optional_data_offset(): returns the offset of the optional data in
 * the EFI_LOAD_OPTION of @size bytes at @at, or 0 if these bytes are no
 * EFI_LOAD_OPTION (UEFI 2.10 3.1.3).
 */
static size_t model_data(const u8 *at, size_t size)
{
	size_t path, end, last = 0;

	if (size < 6 || at[2] || at[3] || at[0] & 0xf4 || at[1] & 0xe0)
		return 0;
	for (path = 6; path + 1 < size && (at[path] || at[path + 1]); path += 2)
		;
	path += 2;
	end = path + at[4] + 256U * at[5];
	if (end > size)
		return 0;
	while (path < end) {
		size_t len = path + 4 <= end ?
			     at[path + 2] + 256U * at[path + 3] : 0;

		if (len < 4)
			return 0;
		last = path;
		path += len;
	}
	return path == end && last && (at[last] & 0x7f) == 0x7f &&
	       at[last + 1] == 0xff ? end : 0;
}

/*
 * Makes an EFI_LOAD_OPTION with a path of up to three nodes, changes bytes of
 * it, and compares optional_data_offset() with the model.
 */
static void fuzz_load_option(struct input *in)
{
	u8 bytes[OPTION_BYTES * 4] = { 0 }, *copy;
	unsigned int nodes = take_u8(in) % 4, changes = take_u8(in) % 3;
	size_t at, size, got, want;

	bytes[0] = take_u8(in) & 0x0b;
	bytes[1] = take_u8(in) & 0x1f;
	at = 6 + 2 * (take_u8(in) % 4);
	memset(bytes + 6, 'd', at - 6);
	size = at += 2;
	for (; nodes; nodes--) {
		u8 len = 4 + take_u8(in) % 8;

		bytes[at] = take_u8(in);
		bytes[at + 1] = take_u8(in);
		bytes[at + 2] = len;
		at += len;
	}
	memcpy(bytes + at, "\x7f\xff\x04", 3);
	at += 4;
	bytes[4] = (u8)(at - size);
	size = at + take_u8(in) % 8;
	for (; changes; changes--)
		bytes[take_u8(in) % size] = take_u8(in);
	if (take_u8(in) & 1)
		size = take_u8(in) % (size + 1);

	/*
	 * Pass a copy on the heap of exactly @size bytes, so that ASan reports
	 * a read after it.
	 */
	copy = malloc(size + !size);
	memcpy(copy, bytes, size);
	got = optional_data_offset(copy, size);
	want = model_data(bytes, size);
	CHECK(got == want, "data at %zu instead of %zu", got, want);
	free(copy);
}

/* ---- efi_pe_entry() ---- */

static EFI_STATUS take_status(struct input *in)
{
	static const EFI_STATUS statuses[] = {
		EFI_SUCCESS, EFI_SUCCESS, EFI_SUCCESS, EFI_NOT_FOUND,
		EFI_BUFFER_TOO_SMALL, EFI_DEVICE_ERROR, EFI_INVALID_PARAMETER,
	};

	return statuses[take_u8(in) % ARRAY_SIZE(statuses)];
}

/* ---- the model: the initrd ---- */

#define FILES		3
#define FILE_ROOM	600
/*
 * The size in bytes of the largest initrd, which firmware's LoadFile2 supplies. An initrd
 * that is made of files is smaller: OPTIONS_UNITS characters name at most 30 files with
 * initrd=, and a file has at most FILE_ROOM bytes.
 */
#define INITRD_ROOM	0x10001
/*
 * Sizes of the arrays for LoadOptions, in UTF-16 units, and for their text in UTF-8, in
 * bytes. A UTF-16 unit becomes at most three bytes of UTF-8.
 */
#define OPTIONS_UNITS	300
#define OPTIONS_ROOM	(3 * OPTIONS_UNITS)

static struct {
	u8 bytes[INITRD_ROOM];
	u64 size;
} want_initrd;

/*
 * Returns the fake file with the path @name, the value of an initrd=, or NULL if it
 * does not exist.
 */
static struct fake_file *file_of(char *name)
{
	unsigned int i;
	char *c;

	for (c = name; *c; c++) {
		if (*c == '/')
			*c = '\\';
	}
	for (i = 0; i < FILES; i++) {
		if (!strcmp(fw.files[i].name, name))
			return &fw.files[i];
	}
	return NULL;
}

/*
 * Makes the initrd that the stub must pass on if the command line @options names
 * files with initrd=. The stub asks firmware twice for the size of a file, and firmware
 * may report another size the second time. The initrd has each file with that second
 * size, size_later, and each file but the first is preceded by zeros up to a multiple of
 * four bytes.
 */
static void want_files(const char *options)
{
	char text[OPTIONS_ROOM], separators[33], *word, *rest = text;
	bool asked[FILES] = { false }, readable = true;
	u64 first_round = 0, at;
	int i;

	for (i = 0; i < 32; i++)
		separators[i] = (char)(i + 1);
	separators[32] = '\0';
	strcpy(text, options);
	while ((word = strsep(&rest, separators))) {
		struct fake_file *f;

		if (strncmp(word, "initrd=", 7))
			continue;
		f = file_of(word + 7);
		CHECK(f && fw.has_volume, "entered without %s", word);
		CHECK(!f->info_status, "entered without the size of %s", word);
		i = (int)(f - fw.files);
		first_round += asked[i] ? f->size_later : f->size;
		asked[i] = true;
		readable &= !f->read_status;
		CHECK(want_initrd.size + FILE_ROOM <= INITRD_ROOM,
		      "too many files%s", "");
		at = ALIGN_UP(want_initrd.size, 4UL);
		memcpy(want_initrd.bytes + at, f->text, f->size_later);
		if (f->size_later)
			want_initrd.size = at + f->size_later;
	}
	/*
	 * If firmware first reports size 0 for all files, the stub does not read
	 * them and passes no initrd on.
	 */
	if (!first_round)
		want_initrd.size = 0;
	else
		CHECK(readable, "entered without all of \"%s\"", options);
}

static void want_load_file2(void)
{
	u64 i;

	CHECK(fw.size_status == EFI_BUFFER_TOO_SMALL && !fw.load_status,
	      "entered without what there is%s", "");
	want_initrd.size = fw.initrd_size_later;
	for (i = 0; i < want_initrd.size; i++)
		want_initrd.bytes[i] = initrd_byte(i);
}

static void check_entered(const char *options)
{
	const struct boot_params *bp = fw.entered_with;
	const char *text = (const char *)(u64)bp->hdr.cmd_line_ptr;
	const u8 *initrd = (const u8 *)((u64)bp->ext_ramdisk_image << 32 |
					bp->hdr.ramdisk_image);
	u64 size = (u64)bp->ext_ramdisk_size << 32 | bp->hdr.ramdisk_size, i;

	CHECK(fw.over && fw.interrupts_are_off, "entered too early%s", "");
	CHECK(!options[0] ? !text : !strcmp(text, options), "command line");
	CHECK(bp->e820_entries, "no memory");
	CHECK(efi_runtime_start >= IMAGE_PREF &&
	      efi_runtime_start % IMAGE_ALIGN == 0, "payload at 0x%lx",
	      efi_runtime_start);

	memset(&want_initrd, 0, sizeof(want_initrd));
	if (fw.has_load_file2 && fw.size_status != EFI_NOT_FOUND)
		want_load_file2();
	else
		want_files(options);
	CHECK(size == want_initrd.size, "initrd of %lu instead of %lu", size,
	      want_initrd.size);
	for (i = 0; i < size; i++)
		CHECK(initrd[i] == want_initrd.bytes[i],
		      "initrd byte %lu is %#x", i, initrd[i]);
}

/*
 * Takes a UTF-16 unit: mostly ASCII, else a letter with umlaut, any unit, or half
 * of a surrogate pair.
 */
static CHAR16 take_unit(struct input *in)
{
	u8 byte = take_u8(in);

	if (byte < 0xc0)
		return byte & 0x7f;
	return byte < 0xd0 ? 0xe4 : byte < 0xd4 ? take_u16(in) :
	       (CHAR16)(0xd800 + (byte & 3) * 0x200 + byte % 16);
}

/*
 * A model of the stub's conversion of the command line: converts the UTF-16
 * text @units, up to its NUL, to UTF-8.
 */
static void make_options(char *out, const CHAR16 *units)
{
	for (; *units; units++) {
		u32 c = *units, next = units[1];

		if (c >> 10 == 0x36 && next >> 10 == 0x37) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (next & 0x3ff));
			units++;
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		} else if (c >> 11 == 0x1b) {
			c = '?';
		} else if (c >= 0x800) {
			*out++ = (char)(0xe0 | c >> 12);
		}
		if (c >= 0x800)
			*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		else if (c >= 0x80)
			*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	*out = '\0';
}

static void fuzz_entry(struct input *in)
{
	static const char *const names[FILES] = { "\\a", "\\initr\xc3\xa4", "dir\\b" };
	static const char texts[FILES][FILE_ROOM] = { "one", "number two", "" };
	static EFI_MEMORY_DESCRIPTOR descriptors[DESCRIPTORS];
	static CHAR16 wide[OPTIONS_UNITS];
	static char options[OPTIONS_ROOM];
	u8 how = take_u8(in);
	EFI_STATUS status;
	struct fake_file *f;
	/* Static, so that longjmp() to the setjmp() below cannot change it. */
	static unsigned int fits;
	unsigned int i, n;

	fits = 1;

	fresh_firmware();
	if (how & 1)
		fw.fail_at = take_u8(in) % 16;
	if (how & 2)
		fw.pref_taken = true;
	fw.has_load_file2 = how & 4;
	fw.has_volume = how & 8;
	fw.map_grows = how & 16;
	fw.stale = how >> 5 & 3;
	/*
	 * Copy the memory map to a larger array, because the fake firmware
	 * appends to it if map_grows is set.
	 */
	memcpy(descriptors, plain_map, sizeof(plain_map));
	fw.map = descriptors;
	if (how & 128)
		info_in_image.relocatable = 0;
	fw.size_status = EFI_BUFFER_TOO_SMALL;
	fw.initrd_size = fw.initrd_size_later = 1 + take_u16(in);
	how = take_u8(in);
	if (how & 1)
		fw.size_status = take_status(in);
	if (how & 2)
		fw.load_status = take_status(in);
	if (how & 4)
		fw.exit_status = take_status(in);
	if (how & 8)
		fw.initrd_size_later += 1;
	fw.secure_boot = take_u8(in) % 4 - 2;
	fw.setup_mode = take_u8(in) % 4 - 2;
	fw.mor = take_u8(in) % 4 - 2;
	for (i = 0; i < FILES; i++) {
		f = new_file(names[i], texts[i]);
		how = take_u8(in);
		if (how & 1)
			f->info_status = take_status(in);
		if (how & 2)
			f->read_status = take_status(in);
		if (how & 4)
			f->size_later = f->size + take_u8(in);
		if (how & 8)
			f->size_later = f->size - f->size * (how >> 7);
	}
	n = take_u16(in) % (OPTIONS_UNITS - 1);
	for (i = 0; i < n; i++)
		wide[i] = take_unit(in);
	wide[n] = 0;
	make_options(options, wide);
	fw.loaded.LoadOptions = wide;
	fw.loaded.LoadOptionsSize = (UINT32)(n * 2 + (how >> 6 & 1));

	/*
	 * The payload reads at most CMDLINE_SIZE bytes of command line. From a
	 * longer text the stub must keep only the words that fit whole.
	 */
	if (strlen(options) > CMDLINE_SIZE) {
		bool quoted = false;

		for (n = 0, i = 0; i <= CMDLINE_SIZE; i++) {
			quoted ^= options[i] == '"';
			if (!quoted && (u8)options[i] <= ' ')
				n = i;
		}
		options[n] = '\0';
		fits = n;
	}

	/*
	 * Leave out LoadOptions that the stub takes for an EFI_LOAD_OPTION or for
	 * ASCII. fuzz_load_option() and the unit tests test these.
	 */
	if (optional_data_offset((u8 *)wide, fw.loaded.LoadOptionsSize) ||
	    ascii_len((u8 *)wide, fw.loaded.LoadOptionsSize) > 1)
		return;
	if (setjmp(fw.entered)) {
		CHECK(fits, "entered with a word that does not fit%s", "");
		check_entered(options);
		return;
	}
	status = efi_pe_entry(&fw, &fw.st);
	CHECK(status, "returns a success%s", "");
	CHECK(fw.over || !still_live(), "%u things are kept", still_live());
}

static void fuzz_one(struct input *in)
{
	u8 what = take_u8(in);

	switch (what % 4) {
	case 0:
		fuzz_memory_map(in);
		break;
	case 1:
		if (what & 0x80)
			fuzz_load_option(in);
		else
			fuzz_utf16(in);
		break;
	default:
		fuzz_entry(in);
	}
}
