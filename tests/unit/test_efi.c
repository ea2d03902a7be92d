/* SPDX-License-Identifier: MIT */
/*
 * test_efi.c - tests efi/, the stub's EFI entry, on mock firmware that lacks
 * protocols, refuses calls, or changes its answers between two calls. The tests
 * also pass command lines and screens that sane firmware would never pass.
 */
#include "efi_firmware.h"

/* ---- utf16_to_utf8() ---- */

/*
 * Converts @len UTF-16 units to UTF-8, into a buffer of @size bytes. Input and
 * output have exactly these sizes on the heap, so that ASan detects an access
 * outside of them.
 */
static size_t convert(const CHAR16 *units, size_t len, u8 *out, size_t size)
{
	CHAR16 *in = malloc(len * sizeof(*in) + !len);
	u8 *buf = malloc(size + !size);
	size_t n;

	memcpy(in, units, len * sizeof(*in));
	memset(buf, 0, size);
	n = utf16_to_utf8(buf, size, in, len);
	memcpy(out, buf, size);
	free(in);
	free(buf);
	return n;
}

TEST(utf16)
{
	static const struct {
		CHAR16 in[8];
		size_t len;
		const char *out;
	} cases[] = {
		{ u"", 0, "" },
		{ u"", 1, "" },
		{ u"abc", 3, "abc" },
		{ u"abc", 4, "abc" },
		{ u"ab\0c", 4, "ab" },
		{ u"\x7f", 1, "\x7f" },
		{ u"\x80", 1, "\xc2\x80" },
		{ u"\x7ff", 1, "\xdf\xbf" },
		{ u"\x800", 1, "\xe0\xa0\x80" },
		{ u"\xffff", 1, "\xef\xbf\xbf" },
		{ u"\xd800\xdc00", 2, "\xf0\x90\x80\x80" },
		{ u"\xdbff\xdfff", 2, "\xf4\x8f\xbf\xbf" },
		/*
		 * A UTF-16 surrogate that is alone, in the wrong order, cut
		 * off, or doubled must become "?".
		 */
		{ u"\xd800", 1, "?" },
		{ u"\xdc00", 1, "?" },
		{ u"\xd800x", 2, "?x" },
		{ u"\xdc00\xd800", 2, "??" },
		{ u"\xd800\xdc00", 1, "?" },
		{ u"\xd800\xd800\xdc00", 3, "?\xf0\x90\x80\x80" },
		{ u"\xd7ff\xe000", 2, "\xed\x9f\xbf\xee\x80\x80" },
	};
	char out[32];
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(out, 0, sizeof(out));
		n = convert(cases[i].in, cases[i].len, (u8 *)out, 31);
		CHECK(n == strlen(cases[i].out) && !strcmp(out, cases[i].out),
		      "case %zu: %zu bytes", i, n);
	}
}

/*
 * The output buffer has every size from 0 up. utf16_to_utf8() must always
 * return the length that the whole text needs, and must not write after the
 * buffer.
 */
TEST(utf16_exact_buffer)
{
	static const CHAR16 in[] = u"a\x80\x800\xd800\xdc00";
	static const char whole[] = "a\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80";
	u8 out[16];
	size_t size, n;

	for (size = 0; size <= 10; size++) {
		n = convert(in, 5, out, size);
		CHECK(n == 10 && !memcmp(out, whole, size), "%zu of %zu", size,
		      n);
	}
}

TEST(utf16_random)
{
	CHAR16 in[64];
	u8 out[256];
	size_t i, n;
	int round;

	random_seed(3);
	for (round = 0; round < 5000; round++) {
		size_t len = random_below(64), size = random_below(200);

		for (i = 0; i < len; i++)
			in[i] = random_below(3) ? (CHAR16)random_u64() :
				(CHAR16)(0xd800 + random_below(0x800));
		n = convert(in, len, out, size);
		CHECK(n <= 3 * len, "%zu bytes of %zu units", n, len);
		for (i = 0; i < n && i < size; i++)
			CHECK(out[i] && out[i] < 0xf5, "0x%x", out[i]);
	}
}

/* ---- get_cmdline() ---- */

static void *options;

static void set_options(const CHAR16 *units, size_t bytes)
{
	free(options);
	options = malloc(bytes + !bytes);
	fw.loaded.LoadOptions = options;
	memcpy(fw.loaded.LoadOptions, units, bytes);
	fw.loaded.LoadOptionsSize = (UINT32)bytes;
}

static struct boot_params zero_page;

static void check_cmdline(const char *text)
{
	struct cmdline cmdline;
	EFI_STATUS status;

	memset(&zero_page, 0, sizeof(zero_page));
	status = get_cmdline(&zero_page, &cmdline);
	CHECK(!status, "status 0x%lx, %s", status, fw.console);
	CHECK(cmdline.len == strlen(text) &&
	      !memcmp(cmdline.text, text, cmdline.len), "\"%.*s\"",
	      (int)cmdline.len, cmdline.text);
	if (cmdline.text == image_cmdline)
		CHECK(!zero_page.hdr.cmd_line_ptr, "built in, and a pointer");
	else
		CHECK(!strcmp((char *)(u64)zero_page.hdr.cmd_line_ptr, text),
		      "not where the zero page says");
}

#define TOO_LONG	"sevstub: command line: longer than the payload " \
			"takes, cut after a word\r\n"

/*
 * Fails the case unless the stub's command line is the first @len characters of
 * @units, which must be ASCII.
 */
static void check_cmdline_start(const CHAR16 *units, size_t len)
{
	char text[CMDLINE_SIZE + 1] = { 0 };
	size_t i;

	for (i = 0; i < len; i++)
		text[i] = (char)units[i];
	check_cmdline(text);
}

TEST(cmdline)
{
	fresh_firmware();
	set_options(u"quiet \x00e4", 16);
	check_cmdline("quiet \xc3\xa4");
	/*
	 * LoadOptions need not end with a NUL and may have an odd number of
	 * bytes. The stub must take all whole characters as the command line.
	 */
	fresh_firmware();
	set_options(u"quiet", 10);
	check_cmdline("quiet");
	fresh_firmware();
	set_options(u"quiet", 11);
	check_cmdline("quiet");
}

TEST(cmdline_built_in)
{
	fresh_firmware();
	check_cmdline("built in");
	fw.loaded.LoadOptionsSize = 100;
	check_cmdline("built in");
	set_options(u"", 0);
	check_cmdline("built in");
	set_options(u"\0x", 4);
	check_cmdline("built in");
	set_options(u"x", 1);
	check_cmdline("built in");
	CHECK(!fw.allocations, "%u allocations", fw.allocations);
}

/*
 * A command line may have CMDLINE_SIZE bytes of UTF-8. The stub must cut a
 * longer one after the last word that fits whole, and must print a message.
 */
TEST(cmdline_length)
{
	CHAR16 units[300];
	struct cmdline cmdline;
	char text[300];
	EFI_STATUS status;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++)
		units[i] = 'x';
	memset(text, 'x', sizeof(text));
	text[CMDLINE_SIZE] = '\0';
	fresh_firmware();
	set_options(units, 2 * CMDLINE_SIZE);
	check_cmdline(text);
	CHECK(!fw.console[0], "%s", fw.console);

	/*
	 * The command line is a single word of CMDLINE_SIZE + 1 bytes. The stub
	 * must refuse it.
	 */
	set_options(units, 2 * (CMDLINE_SIZE + 1));
	status = get_cmdline(&zero_page, &cmdline);
	CHECK(status == EFI_INVALID_PARAMETER, "status 0x%lx", status);
	CHECK(strstr(fw.console, "sevstub: command line: "), "%s", fw.console);

	units[0] = 0xe4;
	set_options(units, 2 * CMDLINE_SIZE);
	CHECK(get_cmdline(&zero_page, &cmdline), "one byte too many");
	set_options(units, 2 * (CMDLINE_SIZE - 1));
	CHECK(!get_cmdline(&zero_page, &cmdline), "it fits");
	units[0] = 'x';

	/*
	 * A command line that is too long has one separator, at units[i]. The stub must keep
	 * what stands before it. The separator can be a blank or a control character, here a tab.
	 */
	for (i = 1; i <= CMDLINE_SIZE; i += 127) {
		fresh_firmware();
		units[i] = i % 2 ? ' ' : '\t';
		set_options(units, sizeof(units));
		check_cmdline_start(units, i);
		CHECK(!strcmp(fw.console, TOO_LONG), "%s", fw.console);
	}
	/* The stub must not cut the command line at a blank within double quotes. */
	fresh_firmware();
	units[2] = '"';
	set_options(units, sizeof(units));
	check_cmdline_start(units, 1);
}

/*
 * The command line has CMDLINE_SIZE characters. It is one byte too long,
 * because its last character has two bytes in UTF-8. The stub must drop the last
 * word.
 */
TEST(cmdline_length_in_bytes)
{
	CHAR16 units[CMDLINE_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++)
		units[i] = 'x';
	units[9] = ' ';
	units[CMDLINE_SIZE - 1] = 0xe4;
	fresh_firmware();
	set_options(units, sizeof(units));
	check_cmdline_start(units, 9);
	CHECK(!strcmp(fw.console, TOO_LONG), "%s", fw.console);
	fresh_firmware();
	set_options(units + 1, sizeof(units) - 2);
	CHECK(!get_cmdline(&zero_page, &(struct cmdline){ 0 }) &&
	      !fw.console[0], "%s", fw.console);
}

/* ---- LoadOptions that are a whole EFI_LOAD_OPTION ---- */

/* Appends @size bytes at @from to the load option @to, which has *@len bytes. */
static void append(u8 *to, size_t *len, const void *from, size_t size)
{
	memcpy(to + *len, from, size);
	*len += size;
}

/*
 * Makes an EFI_LOAD_OPTION as Dell's firmware passes it: the attributes, the
 * size of the path, the description "boot", @path and the optional data.
 * Returns its size in bytes.
 */
static size_t load_option(u8 *to, u32 attributes, const char *path,
			  size_t path_size, const CHAR16 *data, size_t size)
{
	u16 said = (u16)path_size;
	size_t len = 0;

	append(to, &len, &attributes, sizeof(attributes));
	append(to, &len, &said, sizeof(said));
	append(to, &len, u"boot", 10);
	append(to, &len, path, path_size);
	append(to, &len, data, size);
	return len;
}

/*
 * Nodes of a device path. FILE_NODE has 9 bytes, so that the data after the
 * path is unaligned. END_NODE ends the whole path. INSTANCE_END ends one
 * instance, and another one follows.
 */
#define FILE_NODE	"\x04\x04\x09\0" "abcde"
#define END_NODE	"\x7f\xff\x04\0"
#define INSTANCE_END	"\x7f\x01\x04\0"
#define PATH(text)	text, sizeof(text) - 1
#define TAKEN_OUT	"sevstub: command line: taken out of the " \
			"EFI_LOAD_OPTION that firmware passed\r\n"

TEST(load_option)
{
	static const struct {
		u32 attributes;
		const char *path;
		size_t size;
	} cases[] = {
		{ 1, PATH(END_NODE) },
		{ 0, PATH(END_NODE) },
		{ 0x1f0b, PATH(FILE_NODE END_NODE) },
		{ 1, PATH(FILE_NODE "\xff\xff\x04\0") },
		{ 1, PATH(FILE_NODE INSTANCE_END FILE_NODE END_NODE) },
		{ 1, PATH(FILE_NODE END_NODE "\x01\x01\x05\0x" END_NODE) },
	};
	u8 bytes[200];
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		len = load_option(bytes, cases[i].attributes, cases[i].path,
				  cases[i].size, u"ro initrd=\x00fc", 24);
		set_options((CHAR16 *)bytes, len);
		check_cmdline("ro initrd=\xc3\xbc");
		CHECK(!strcmp(fw.console, TAKEN_OUT), "%zu: %s", i, fw.console);
		/*
		 * Firmware may omit the NUL after the command line in the
		 * optional data.
		 */
		fresh_firmware();
		set_options((CHAR16 *)bytes, len - 2);
		check_cmdline("ro initrd=\xc3\xbc");
	}
	/*
	 * The EFI_LOAD_OPTION has no optional data, so firmware passes no
	 * command line. The stub must use its built-in one.
	 */
	fresh_firmware();
	len = load_option(bytes, 1, PATH(FILE_NODE END_NODE), u"", 0);
	set_options((CHAR16 *)bytes, len);
	check_cmdline("built in");
	CHECK(!strcmp(fw.console, TAKEN_OUT), "%s", fw.console);
}

/*
 * If LoadOptions are not a well-formed EFI_LOAD_OPTION, the stub must take them
 * as a UTF-16 text. In most rows that text is one character, the low 16 bits of
 * @attributes, because the high 16 bits are the NUL after it.
 */
TEST(load_option_malformed)
{
	static const struct {
		u32 attributes;
		const char *path;
		size_t size;
	} cases[] = {
		{ 5, PATH(END_NODE) },			/* reserved bits */
		{ 0x2001, PATH(END_NODE) },
		{ 0x80000001, PATH(END_NODE) },
		{ 1, PATH("") },			/* no end */
		{ 1, PATH(FILE_NODE) },
		{ 1, PATH(FILE_NODE INSTANCE_END) },
		{ 1, PATH(END_NODE FILE_NODE) },
		{ 1, PATH("\x04\x04\x03\0" END_NODE) },	/* node too short */
		{ 1, PATH("\x04\x04\0\0" END_NODE) },
		{ 1, PATH("\x04\x04\x30\0" END_NODE) },	/* too long */
		{ 1, PATH(END_NODE "\x7f\xff\x04") },	/* half a node */
	};
	u8 bytes[200];
	char text[8] = { 0 };
	size_t i, len, cut;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		len = load_option(bytes, cases[i].attributes, cases[i].path,
				  cases[i].size, u"ro", 4);
		set_options((CHAR16 *)bytes, len);
		if (cases[i].attributes < 0x80) {
			text[0] = (char)cases[i].attributes;
			check_cmdline(text);
		} else {
			CHECK(!get_cmdline(&zero_page, &(struct cmdline){ 0 }),
			      "refused");
		}
		CHECK(!strstr(fw.console, "EFI_LOAD_OPTION"), "%zu: %s", i,
		      fw.console);
	}
	/*
	 * The EFI_LOAD_OPTION is cut off within its description or its path, or
	 * its field for the path's size is too large or too small. The stub
	 * must take the EFI_LOAD_OPTION as text.
	 */
	len = load_option(bytes, 1, PATH(FILE_NODE END_NODE), u"", 0);
	for (cut = 2; cut < len; cut++) {
		fresh_firmware();
		set_options((CHAR16 *)bytes, cut);
		check_cmdline("\x01");
		CHECK(!fw.console[0], "%zu: %s", cut, fw.console);
	}
	fresh_firmware();
	bytes[4]++;
	set_options((CHAR16 *)bytes, len);
	check_cmdline("\x01");
	bytes[4] -= 2;
	set_options((CHAR16 *)bytes, len);
	check_cmdline("\x01");
	/* The description has no end. */
	memset(bytes + 6, 'x', len - 6);
	set_options((CHAR16 *)bytes, len);
	check_cmdline("\x01");
}

/*
 * efibootmgr without --unicode stores the command line in ASCII instead of
 * UTF-16. The stub must accept it and print a message.
 */
TEST(cmdline_in_bytes)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
	} cases[] = {
		{ "ro", 2, "ro" },
		{ "ro", 3, "ro" },
		{ "ro quiet\0\0\0", 11, "ro quiet" },
		{ "quiet", 5, "quiet" },
	};
	u8 bytes[200];
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		set_options((const CHAR16 *)cases[i].bytes, cases[i].size);
		check_cmdline(cases[i].text);
		CHECK(strstr(fw.console, "taken as ASCII"), "%s", fw.console);
	}
	fresh_firmware();
	len = load_option(bytes, 1, PATH(FILE_NODE END_NODE),
			  (const CHAR16 *)"ro quiet", 8);
	set_options((CHAR16 *)bytes, len);
	check_cmdline("ro quiet");
	CHECK(strstr(fw.console, TAKEN_OUT) &&
	      strstr(fw.console, "taken as ASCII"), "%s", fw.console);
	/*
	 * The stub must not take UTF-16 for ASCII. The first command line is a
	 * single character, and the second is three characters that are not
	 * ASCII.
	 */
	fresh_firmware();
	set_options(u"x", 2);
	check_cmdline("x");
	set_options(u"\x4e2d\x6587\x2000", 6);
	check_cmdline("\xe4\xb8\xad\xe6\x96\x87\xe2\x80\x80");
	CHECK(!fw.console[0], "%s", fw.console);
}

/* ---- efi_get_screen() ---- */

/* Calls efi_get_screen() and expects it to give back what it has allocated. */
static void get_screen(struct screen_info *si)
{
	memset(si, 0, sizeof(*si));
	efi_get_screen(si);
	CHECK(!still_live(), "%u allocations left", still_live());
}

static void screen(u32 format, EFI_PIXEL_BITMASK mask, struct screen_info *si)
{
	static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION info;
	static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
	static EFI_GRAPHICS_OUTPUT_PROTOCOL gop;

	info = (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){
		.HorizontalResolution = 800, .VerticalResolution = 600,
		.PixelFormat = format, .PixelInformation = mask,
		.PixelsPerScanLine = 832,
	};
	mode.Info = &info;
	mode.FrameBufferBase = 0x12c0000000;
	mode.FrameBufferSize = 0x300000;
	gop.Mode = &mode;
	fresh_firmware();
	fw.screens[0].gop = &gop;
	fw.screen_count = 1;
	get_screen(si);
}

static void check_fields(const struct screen_info *si, const char *fields)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u %u,%u %u,%u %u,%u %u,%u",
		 si->lfb_depth, si->lfb_linelength, si->red_size, si->red_pos,
		 si->green_size, si->green_pos, si->blue_size, si->blue_pos,
		 si->rsvd_size, si->rsvd_pos);
	CHECK(!strcmp(text, fields), "%s", text);
}

TEST(screen_formats)
{
	const EFI_PIXEL_BITMASK none = { 0, 0, 0, 0 };
	const EFI_PIXEL_BITMASK rgb565 = { 0xf800, 0x07e0, 0x001f, 0 };
	struct screen_info si, clear = { 0 };

	screen(PixelRedGreenBlueReserved8BitPerColor, none, &si);
	check_fields(&si, "32 3328 8,0 8,8 8,16 8,24");
	CHECK(si.orig_video_isVGA == 0x70 && si.lfb_width == 800 &&
	      si.lfb_height == 600 && si.lfb_base == 0xc0000000 &&
	      si.ext_lfb_base == 0x12 && si.capabilities == 2 &&
	      si.lfb_size == 0x300000 && si.pages == 1, "geometry");
	screen(PixelBlueGreenRedReserved8BitPerColor, none, &si);
	check_fields(&si, "32 3328 8,16 8,8 8,0 8,24");
	screen(PixelBitMask, rgb565, &si);
	check_fields(&si, "16 1664 5,11 6,5 5,0 0,0");
	screen(PixelBitMask, none, &si);
	check_fields(&si, "0 0 0,0 0,0 0,0 0,0");

	screen(PixelBltOnly, none, &si);
	CHECK(!memcmp(&si, &clear, sizeof(si)), "no frame buffer");
	screen(77, none, &si);
	CHECK(!memcmp(&si, &clear, sizeof(si)), "an unknown format");
	fresh_firmware();
	efi_get_screen(&si);
	CHECK(!memcmp(&si, &clear, sizeof(si)), "no screen");
}

/*
 * A graphics output of the fake firmware: a protocol, which points to its mode,
 * which points to the mode's information. add_output() fills this in.
 */
struct output {
	EFI_GRAPHICS_OUTPUT_PROTOCOL gop;
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION info;
};

static void add_output(struct output *o, u32 format, u64 base, bool console)
{
	memset(o, 0, sizeof(*o));
	o->info.PixelFormat = format;
	o->mode.FrameBufferBase = base;
	o->mode.Info = &o->info;
	o->gop.Mode = &o->mode;
	fw.screens[fw.screen_count].gop = &o->gop;
	fw.screens[fw.screen_count++].console = console;
}

/*
 * A machine may have several graphics outputs. The stub must skip those without a frame
 * buffer. Of the others it must take the first one that ConOut writes to, or the first of
 * all if ConOut writes to none. Each letter of @outputs is an output:
 * f: a frame buffer; c: a frame buffer, and ConOut writes to it
 * b: no frame buffer, but ConOut writes to it; n: no frame buffer
 * 0: a frame buffer at address 0; m: no mode; i: no mode information
 * x: a protocol that cannot be opened
 */
TEST(screen_of_several)
{
	static const struct {
		const char *outputs;
		unsigned int taken;		/* counted from 1; 0: none */
	} cases[] = {
		{ "f", 1 }, { "c", 1 }, { "nf", 2 }, { "bf", 2 }, { "bc", 2 },
		{ "ff", 1 }, { "fc", 2 }, { "cf", 1 }, { "cc", 1 },
		{ "ffcf", 3 }, { "0f", 2 }, { "xf", 2 }, { "mf", 2 },
		{ "if", 2 }, { "xb0f", 4 }, { "bn", 0 }, { "0", 0 },
		{ "x", 0 }, { "m", 0 }, { "i", 0 },
	};
	struct output outputs[MAX_SCREENS];
	struct screen_info si;
	const char *c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		for (c = cases[i].outputs; *c; c++) {
			unsigned int n = fw.screen_count;

			add_output(&outputs[n], strchr("bn", *c) ? PixelBltOnly :
				   PixelBlueGreenRedReserved8BitPerColor,
				   *c == '0' ? 0 : (n + 1) << 24,
				   *c == 'b' || *c == 'c');
			if (*c == 'm')
				outputs[n].gop.Mode = NULL;
			if (*c == 'i')
				outputs[n].mode.Info = NULL;
			if (*c == 'x')
				fw.screens[n].gop = NULL;
		}
		get_screen(&si);
		CHECK(si.lfb_base == cases[i].taken << 24 &&
		      !!si.orig_video_isVGA == !!cases[i].taken,
		      "\"%s\": 0x%x", cases[i].outputs, si.lfb_base);
	}
	/*
	 * Firmware has no memory for the list of handles, so the stub must report no
	 * screen.
	 */
	fresh_firmware();
	add_output(&outputs[0], PixelBitMask, 1 << 24, true);
	fw.fail_at = 1;
	get_screen(&si);
	CHECK(!si.orig_video_isVGA, "a frame buffer");
}

/* ---- variables, tables ---- */

TEST(secure_boot)
{
	static const struct {
		int secure_boot, setup_mode;
		u8 result;
	} cases[] = {
		{ 1, 0, SECURE_BOOT_ENABLED },
		{ 1, 1, SECURE_BOOT_DISABLED },
		{ 0, 0, SECURE_BOOT_DISABLED },
		{ 0, 1, SECURE_BOOT_DISABLED },
		{ 2, 0, SECURE_BOOT_DISABLED },
		{ -1, 0, SECURE_BOOT_DISABLED },
		{ -1, -1, SECURE_BOOT_DISABLED },
		{ -2, 0, SECURE_BOOT_UNKNOWN },
		{ 1, -1, SECURE_BOOT_UNKNOWN },
		{ 1, -2, SECURE_BOOT_UNKNOWN },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		fw.secure_boot = cases[i].secure_boot;
		fw.setup_mode = cases[i].setup_mode;
		CHECK(efi_get_secure_boot() == cases[i].result,
		      "%d, %d: %u", fw.secure_boot, fw.setup_mode,
		      efi_get_secure_boot());
	}
}

/*
 * MokSBState is the variable by which the boot loader shim disables Secure
 * Boot. The stub must ignore it if it is accessible at run time, because then
 * any program could have written it.
 */
TEST(secure_boot_by_shim)
{
	static const struct {
		int state;
		u32 attributes;
		u8 result;
	} cases[] = {
		{ 1, 3, SECURE_BOOT_DISABLED },
		{ 0, 3, SECURE_BOOT_ENABLED },
		{ 1, 7, SECURE_BOOT_ENABLED },
		{ -1, 3, SECURE_BOOT_ENABLED },
		{ -2, 3, SECURE_BOOT_ENABLED },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		fw.secure_boot = 1;
		fw.setup_mode = 0;
		fw.shim = cases[i].state;
		fw.shim_attributes = cases[i].attributes;
		CHECK(efi_get_secure_boot() == cases[i].result, "case %zu", i);
	}
}

/*
 * MemoryOverwriteRequestControl asks firmware to clear RAM at the next reset.
 * The stub must set it whatever its value is, but only if firmware has the
 * variable.
 */
TEST(memory_overwrite)
{
	fresh_firmware();
	efi_request_memory_overwrite();
	CHECK(fw.mor_set_to == -1, "%d", fw.mor_set_to);
	fw.mor = -2;
	efi_request_memory_overwrite();
	CHECK(fw.mor_set_to == -1, "%d", fw.mor_set_to);
	fw.mor = 0;
	efi_request_memory_overwrite();
	CHECK(fw.mor_set_to == 1, "%d", fw.mor_set_to);
}

TEST(random_seed_table)
{
	EFI_RNG_PROTOCOL rng = { .GetRNG = get_rng };

	fresh_firmware();
	efi_install_random_seed();
	CHECK(!fw.installed && !fw.allocations, "without a source");
	fw.rng = &rng;
	efi_install_random_seed();
	CHECK(fw.installed == 1 && still_live() == 1, "%u tables",
	      fw.installed);
	fresh_firmware();
	fw.rng = &rng;
	fw.rng_status = EFI_NOT_READY;
	efi_install_random_seed();
	CHECK(!fw.installed && !still_live(), "of nothing");
	fresh_firmware();
	fw.rng = &rng;
	fw.fail_at = 1;
	efi_install_random_seed();
	CHECK(!fw.installed, "without memory");
	fresh_firmware();
	fw.rng = &rng;
	fw.install_status = EFI_OUT_OF_RESOURCES;
	efi_install_random_seed();
	CHECK(!still_live(), "not given back");
}

/*
 * A loader such as systemd-boot may have installed a table with a random seed
 * for the kernel. The stub's new table must contain that seed, too.
 */
TEST(random_seed_of_a_loader)
{
	static struct {
		u32 size;
		u8 bits[RANDOM_SEED_MAX_SIZE];
	} old;
	EFI_RNG_PROTOCOL rng = { .GetRNG = get_rng };
	size_t i;

	fresh_firmware();
	fw.tables[0].VendorGuid = rng_table_guid;
	fw.tables[0].VendorTable = &old;
	old.size = sizeof(old.bits);
	memset(old.bits, 0x77, sizeof(old.bits));
	efi_install_random_seed();
	CHECK(!fw.installed && old.bits[0] == 0x77, "without a source");
	fw.rng = &rng;
	fw.install_status = EFI_OUT_OF_RESOURCES;
	efi_install_random_seed();
	CHECK(old.bits[0] == 0x77, "lost");
	fw.install_status = EFI_SUCCESS;
	efi_install_random_seed();
	CHECK(fw.installed == 1 && fw.seed_table->size == 32 + sizeof(old.bits),
	      "%u bytes", fw.seed_table->size);
	for (i = 0; i < sizeof(old.bits); i++)
		CHECK(fw.seed_table->bits[32 + i] == 0x77 && !old.bits[i],
		      "byte %zu", i);
	/*
	 * The loader's random-seed table has a size field that is too large.
	 * The stub must ignore this table and install its own seed only.
	 */
	fw.installed = 0;
	old.size = sizeof(old.bits) + 1;
	efi_install_random_seed();
	CHECK(fw.installed == 1 && fw.seed_table->size == 32, "%u bytes",
	      fw.seed_table->size);
}

TEST(acpi)
{
	fresh_firmware();
	CHECK(efi_find_rsdp() == (u64)rsdp, "0x%lx", efi_find_rsdp());
	fw.st.NumberOfTableEntries = 1;
	CHECK(!efi_find_rsdp(), "0x%lx", efi_find_rsdp());
}

/* ---- whole boots ---- */

/*
 * Calls efi_pe_entry(), the entry of a PE image. Returns true if the stub
 * entered the payload. Otherwise the stub returned to firmware, and *@status is
 * its EFI status.
 */
static bool boots(EFI_STATUS *status)
{
	if (setjmp(fw.entered))
		return true;
	*status = efi_pe_entry(&fw, &fw.st);
	return false;
}

static struct boot_params *check_boot(void)
{
	EFI_STATUS status;

	CHECK(boots(&status), "status 0x%lx: %s", status, fw.console);
	CHECK(!fw.console[0], "%s", fw.console);
	return fw.entered_with;
}

TEST(boot)
{
	struct boot_params *bp;
	struct setup_header *hdr;
	u32 at;

	fresh_firmware();
	set_options(u"quiet", 10);
	bp = check_boot();
	CHECK(efi_runtime_start == IMAGE_PREF, "0x%lx", efi_runtime_start);
	CHECK(la57_efi_memory && la57_efi_memory % PAGE_SIZE == 0 &&
	      la57_efi_memory <= U32_MAX, "0x%lx", la57_efi_memory);
	memset((void *)la57_efi_memory, 0x57, LA57_SIZE);
	hdr = &bp->hdr;
	CHECK(hdr->type_of_loader == 0x21 && hdr->loadflags == LOADED_HIGH &&
	      !hdr->ramdisk_size && !hdr->setup_data && !hdr->heap_end_ptr &&
	      !hdr->ext_loader_ver && !hdr->ext_loader_type, "loader's fields");
	CHECK(hdr->version == 0x3333 && hdr->pref_address == 0x3333333333333333,
	      "build's fields");
	CHECK(!strcmp((char *)(u64)hdr->cmd_line_ptr, "quiet"), "command line");
	CHECK(bp->acpi_rsdp_addr == (u64)rsdp &&
	      bp->secure_boot == SECURE_BOOT_DISABLED, "facts");
	CHECK(bp->e820_entries == 3, "%u entries", bp->e820_entries);
	CHECK(bp->efi_info.efi_loader_signature == 0x34364c45 &&
	      bp->efi_info.efi_memdesc_size == sizeof(plain_map[0]) &&
	      bp->efi_info.efi_memdesc_version == 1 &&
	      bp->efi_info.efi_memmap_size == sizeof(plain_map), "efi_info");
	CHECK(((u64)bp->efi_info.efi_systab_hi << 32 |
	       bp->efi_info.efi_systab) == (u64)&fw.st, "system table");
	CHECK(!memcmp((void *)((u64)bp->efi_info.efi_memmap_hi << 32 |
			       bp->efi_info.efi_memmap), plain_map,
		      sizeof(plain_map)), "memory map");
	/*
	 * The bytes of the zero page between its setup header and e820_table
	 * must be zero.
	 */
	for (at = offsetof(struct boot_params, hdr) + sizeof(*hdr);
	     at < offsetof(struct boot_params, e820_table); at++)
		CHECK(!((u8 *)bp)[at], "0x%x is 0x%x", at, ((u8 *)bp)[at]);
}

TEST(boot_elsewhere)
{
	fresh_firmware();
	fw.pref_taken = true;
	fw.any_addr = 0x3001000;
	check_boot();
	CHECK(efi_runtime_start == 0x3200000, "0x%lx", efi_runtime_start);
	CHECK(fw.live[1].size == IMAGE_INIT_SIZE + IMAGE_ALIGN ||
	      fw.live[0].size == IMAGE_INIT_SIZE + IMAGE_ALIGN, "no slack");
}

/*
 * ExitBootServices() fails if the memory map has changed since the stub read
 * it. The stub must then read the map again and repeat the call once (UEFI 2.10
 * 7.4.6).
 */
TEST(boot_stale_key)
{
	EFI_STATUS status;

	fresh_firmware();
	fw.stale = 1;
	check_boot();
	CHECK(fw.exits == 2, "%u", fw.exits);
	fresh_firmware();
	fw.stale = 2;
	CHECK(!boots(&status) && status == EFI_INVALID_PARAMETER, "0x%lx",
	      status);
	CHECK(fw.exits == 2, "%u", fw.exits);
	fresh_firmware();
	fw.exit_status = EFI_DEVICE_ERROR;
	CHECK(!boots(&status) && status == EFI_DEVICE_ERROR && fw.exits == 1,
	      "0x%lx", status);
}

/*
 * The memory map grows between two calls of GetMemoryMap(). The kernel must get
 * the map whose key the successful ExitBootServices() was called with.
 */
TEST(boot_map_grows)
{
	static const EFI_MEMORY_DESCRIPTOR map[] = {
		{ EfiConventionalMemory, 0, 0, 0, 0x9f, 0xf },
		{ EfiReservedMemoryType, 0, 0x9f000, 0, 1, 0xf },
	};
	struct boot_params *bp;

	fresh_firmware();
	fw.map = map;
	fw.map_size = sizeof(map[0]);
	fw.stale = 1;
	fw.map_grows = true;
	bp = check_boot();
	CHECK(bp->e820_entries == 2 &&
	      bp->efi_info.efi_memmap_size == sizeof(map), "%u entries",
	      bp->e820_entries);
}

static void boot_fails(EFI_STATUS wanted, const char *message)
{
	EFI_STATUS status = EFI_SUCCESS;

	CHECK(!boots(&status), "entered");
	CHECK(status == wanted, "status 0x%lx: %s", status, fw.console);
	CHECK(!strncmp(fw.console, "sevstub: ", 9) &&
	      strstr(fw.console, message) && strstr(fw.console, "\r\n"),
	      "\"%s\"", fw.console);
	CHECK(!fw.over, "boot services are over");
	CHECK(!still_live(), "%u allocations left", still_live());
}

TEST(boot_corrupt)
{
	static const struct {
		size_t at;
		EFI_STATUS status;
		const char *message;
	} cases[] = {
		{ 0, EFI_LOAD_ERROR, "wrong magic" },
		{ 0x30, EFI_LOAD_ERROR, "corrupt payload header" },
		{ 0x48, EFI_LOAD_ERROR, "size mismatch" },
		{ 0x58, EFI_LOAD_ERROR, "corrupt payload header" },
		{ sizeof(struct payload_header), EFI_CRC_ERROR, "corrupt payload: " },
		{ sizeof(struct payload_header) + COMP_SIZE / 2,
		  EFI_CRC_ERROR, "corrupt payload: " },
		{ sizeof(struct payload_header) + COMP_SIZE - 1,
		  EFI_CRC_ERROR, "corrupt payload: " },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh_firmware();
		image_payload[cases[i].at] ^= 1;
		boot_fails(cases[i].status, cases[i].message);
		CHECK(!fw.allocations, "case %zu: %u allocations", i,
		      fw.allocations);
	}
}

TEST(boot_not_an_application)
{
	fresh_firmware();
	fw.no_loaded_image = true;
	boot_fails(EFI_UNSUPPORTED, "loaded-image");
}

/*
 * GetMemoryMap() reports a descriptor size of 0, or one smaller than a
 * descriptor. A loop over the map must neither run forever nor read beyond the
 * map.
 */
TEST(boot_bad_map)
{
	static const UINTN sizes[] = {
		0, 1, sizeof(EFI_MEMORY_DESCRIPTOR) - 1,
		sizeof(EFI_MEMORY_DESCRIPTOR) + 1,
		sizeof(EFI_MEMORY_DESCRIPTOR) + 4,
	};
	EFI_STATUS status;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fresh_firmware();
		fw.entry_size = sizes[i];
		boot_fails(EFI_DEVICE_ERROR, "memory map");
	}
	/*
	 * The first GetMemoryMap() reports the right descriptor size. The call that reads
	 * the map for the kernel reports a wrong one, so the boot must fail. Firmware may
	 * have shut down ConOut by then, so the stub prints no message.
	 */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fresh_firmware();
		fw.entry_size_later = sizes[i];
		fw.later_is_zero = !sizes[i];
		CHECK(!boots(&status), "entered with %lu", sizes[i]);
		CHECK(status == EFI_DEVICE_ERROR && !fw.exits,
		      "status 0x%lx, %u exits", status, fw.exits);
		CHECK(!still_live(), "%u allocations left", still_live());
	}
}

/*
 * The first GetMemoryMap() reports descriptors twice as large as those of the
 * second call. The second map therefore has more entries than the stub has
 * allocated memory for, and the boot must fail with an error.
 */
TEST(boot_map_of_more_entries)
{
	static EFI_MEMORY_DESCRIPTOR map[600];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		map[i] = (EFI_MEMORY_DESCRIPTOR){
			EfiConventionalMemory, 0, 2 * i * PAGE_SIZE, 0, 1, 0xf,
		};
	fresh_firmware();
	fw.map = map;
	fw.map_size = sizeof(map);
	fw.entry_size = 2 * sizeof(map[0]);
	fw.entry_size_later = sizeof(map[0]);
	if (setjmp(fw.entered))
		CHECK(false, "entered");
	EXPECT_ERROR(efi_pe_entry(&fw, &fw.st), "memory map");
	CHECK(fw.over, "boot services are not over");
	CHECK(sev_was_asked && harness_error_reason == SEVSTUB_TERM_HANDED_OVER,
	      "an SEV-ES guest has reason %u", harness_error_reason);
}

/*
 * In each round another allocation of the boot fails. The stub must print a
 * reason, free its memory, and return to firmware.
 */
TEST(boot_out_of_memory)
{
	unsigned int failing, refused = 0;
	EFI_STATUS status;

	for (failing = 1; ; failing++) {
		fresh_firmware();
		set_options(u"initrd=a", 16);
		fw.has_volume = true;
		new_file("a", "four");
		fw.pref_taken = true;
		fw.fail_at = failing;
		if (boots(&status)) {
			if (fw.allocations < failing)
				break;
			continue;
		}
		refused++;
		CHECK(status == EFI_OUT_OF_RESOURCES, "0x%lx", status);
		CHECK(!strncmp(fw.console, "sevstub: ", 9), "\"%s\"",
		      fw.console);
		CHECK(!still_live(), "%u allocations left", still_live());
	}
	/*
	 * The boot fails if any of six allocations fails: those of the zero
	 * page, the command line, the payload's range, the initrd, the memory
	 * map, and setup_data.
	 */
	CHECK(refused == 6, "%u refusals", refused);
}

TEST(boot_no_room)
{
	fresh_firmware();
	fw.pref_taken = true;
	fw.any_addr = 0;
	boot_fails(EFI_OUT_OF_RESOURCES, "not enough room");
	CHECK(strstr(fw.console,
		     "of init_size: 0x400000 bytes at 0x1000000 or above; the largest free memory is 0x100000-0x8100000\r\n"),
	      "%s", fw.console);
	fresh_firmware();
	fw.pref_taken = true;
	fw.any_addr = IMAGE_PREF - IMAGE_ALIGN;
	boot_fails(EFI_OUT_OF_RESOURCES,
		   "below the link address: 0x400000 bytes at 0x1000000 or above; the largest free memory is 0x100000-0x8100000\r\n");
	/*
	 * Firmware reports no usable memory map, so the message must give 0x0-0x0 as the
	 * largest free memory.
	 */
	fresh_firmware();
	fw.pref_taken = true;
	fw.any_addr = 0;
	fw.entry_size = 0;
	boot_fails(EFI_OUT_OF_RESOURCES, "memory is 0x0-0x0\r\n");
}

/* The payload has 32-bit addresses, so it must lie below 2 GiB. */
static void need_low_memory(void)
{
	info_in_image.addr_max = PAYLOAD_LOW_MAX;
	header_in_image()->flags |= PAYLOAD_LOW;
	seal_payload();
}

/* Firmware has memory for it at the limit, and then above the limit. */
TEST(boot_elsewhere_low)
{
	const u64 size = IMAGE_INIT_SIZE + IMAGE_ALIGN;

	fresh_firmware();
	need_low_memory();
	fw.pref_taken = true;
	fw.any_addr = 0x7ffff000 - size;
	check_boot();
	CHECK(efi_runtime_start == 0x7fe00000 - IMAGE_INIT_SIZE, "0x%lx", efi_runtime_start);
	fresh_firmware();
	need_low_memory();
	fw.pref_taken = true;
	fw.any_addr = 0x80000000 - size;
	boot_fails(EFI_OUT_OF_RESOURCES, "not enough room");
}

/* ---- KASLR of a payload that can run anywhere ---- */

static const EFI_MEMORY_DESCRIPTOR large_map[] = {
	{ EfiConventionalMemory, 0, 0x100000, 0, 0x1000, 0xf },
	{ EfiBootServicesData, 0, 0x1100000, 0, 0x100, 0xf },
	{ EfiLoaderData, 0, 0x1200000, 0, 0x100, 0xf },
	{ EfiConventionalMemory, 0, 0x2000000, 0, 0x8000, 0x4000f },
	{ EfiConventionalMemory, 0, 0x140000000, 0, 0x40000, 0xf },
	{ EfiConventionalMemory, 0, 0x240000000, 0, ~0UL >> 12, 0xf },
	{ EfiReservedMemoryType, 0, 0x300000000, 0, 0x100, 0xf },
};

static void large_firmware(void)
{
	fresh_firmware();
	fw.map = large_map;
	fw.map_size = sizeof(large_map);
	fw.kaslr = true;
	fw.picked = 0x150000000;
}

/*
 * KASLR may place the payload in free memory only. Memory that firmware marks
 * as specific-purpose must not be offered to KASLR, even if it is free.
 */
TEST(random_place)
{
	large_firmware();
	check_boot();
	CHECK(efi_runtime_start == 0x150000000, "0x%lx", efi_runtime_start);
	CHECK(!strcmp(fw.areas, "100000-1100000 140000000-180000000 "), "%s",
	      fw.areas);
	CHECK(fw.want.size == IMAGE_INIT_SIZE &&
	      fw.want.align == IMAGE_ALIGN && fw.want.low == IMAGE_PREF &&
	      fw.want.high == 1UL << 46, "0x%lx 0x%lx 0x%lx 0x%lx",
	      fw.want.size, fw.want.align, fw.want.low, fw.want.high);
	CHECK(!fw.seeded, "a seed from nowhere");
	large_firmware();
	need_low_memory();
	check_boot();
	CHECK(fw.want.high == 0x7ffff000, "0x%lx", fw.want.high);
}

/* The message must not name memory in which the payload cannot run. */
TEST(no_room_low)
{
	static const EFI_MEMORY_DESCRIPTOR map[] = {
		{ EfiConventionalMemory, 0, 0x100000, 0, 0x1000, 0xf },
		{ EfiConventionalMemory, 0, 0x70000000, 0, 0x40000, 0xf },
		{ EfiConventionalMemory, 0, 0x140000000, 0, 0x80000, 0xf },
	};

	large_firmware();
	need_low_memory();
	fw.map = map;
	fw.map_size = sizeof(map);
	fw.picked = 0;
	fw.pref_taken = true;
	fw.any_addr = 0;
	boot_fails(EFI_OUT_OF_RESOURCES,
		   "the largest free memory is 0x70000000-0x7ffff000\r\n");
}

TEST(random_place_seed)
{
	static EFI_RNG_PROTOCOL rng = { .GetRNG = get_rng };
	static const u8 none[16];

	large_firmware();
	fw.rng = &rng;
	check_boot();
	CHECK(fw.seeded && memcmp(fw.seed, none, sizeof(none)), "no seed");
	large_firmware();
	fw.rng = &rng;
	fw.rng_status = EFI_DEVICE_ERROR;
	check_boot();
	CHECK(!fw.seeded, "a seed that is none");
}

static void expect_link_address(void)
{
	check_boot();
	CHECK(efi_runtime_start == IMAGE_PREF, "0x%lx", efi_runtime_start);
}

/*
 * KASLR must leave the physical address unchanged in three cases: the command
 * line limits the usable memory in a way that firmware does not know; firmware
 * has a known defect; or the payload cannot be relocated.
 */
TEST(random_place_not_wanted)
{
	static const struct {
		const CHAR16 *text;
		u32 size;
	} rows[] = {
		{ u"nokaslr", 16 }, { u"mem=1G", 14 }, { u"memmap=1G$1G", 26 },
		{ u"efi_fake_mem=1@1:1", 38 }, { u"a hugepages=1", 28 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		large_firmware();
		set_options(rows[i].text, rows[i].size);
		expect_link_address();
		CHECK(!fw.areas[0], "row %zu: %s", i, fw.areas);
	}
	large_firmware();
	fw.st.FirmwareVendor = u"American Megatrends";
	check_boot();
	CHECK(efi_runtime_start == fw.picked, "a newer one is refused");
	large_firmware();
	fw.st.FirmwareVendor = u"American Megatrends";
	fw.st.Hdr.Revision = 2 << 16;
	expect_link_address();
	large_firmware();
	fw.st.Hdr.Revision = 2 << 16;
	check_boot();
	CHECK(efi_runtime_start == fw.picked, "another one is refused");
	large_firmware();
	info_in_image.relocatable = 0;
	header_in_image()->flags = 0;
	seal_payload();
	expect_link_address();
}

/*
 * KASLR finds no free range, or firmware refuses to allocate it. The payload
 * must then go to its link address.
 */
TEST(random_place_not_there)
{
	large_firmware();
	fw.picked = 0;
	expect_link_address();
	large_firmware();
	/*
	 * The boot's allocation number 4 is the range that KASLR chose, because
	 * the zero page is number 1 and the memory map takes 2 and 3.
	 */
	fw.fail_at = 4;
	expect_link_address();
	large_firmware();
	fw.fail_at = 2;
	expect_link_address();
}

/* ---- the memory map in efi_info that another EFI loader left ---- */

/*
 * Another loader has passed an EFI memory map in efi_info. Its size or
 * descriptor size may be wrong. The stub must not read beyond the last whole
 * descriptor.
 */
TEST(free_memory_of_a_loader)
{
	struct boot_params zero_page = { 0 };
	static const u32 sizes[] = { 0, sizeof(large_map[0]) - 1,
				     sizeof(large_map[0]) + 1 };
	u64 size = sizeof(large_map), map;
	char expected[200], taken[100];
	unsigned int i;

	fresh_firmware();
	map = take(size, true);
	snprintf(taken, sizeof(taken), "taken %lx-%lx ", map,
		 ALIGN_UP(map + size, PAGE_SIZE));
	memcpy((void *)map, large_map, size);
	zero_page.e820_table[0] = (struct boot_e820_entry){ map, size, 1 };
	zero_page.e820_entries = 1;
	zero_page.efi_info = (struct efi_info){
		.efi_loader_signature = 0x34364c45,
		.efi_memdesc_size = sizeof(large_map[0]),
		.efi_memmap = (u32)map, .efi_memmap_hi = (u32)(map >> 32),
		.efi_memmap_size = (u32)size,
	};
	efi_name_free_memory(&zero_page);
	snprintf(expected, sizeof(expected),
		 "taken %lx-%lx mapped %lx-%lx free 100000-1100000 free 140000000-180000000 ",
		 map, ALIGN_UP(map + size, PAGE_SIZE), map, map + size);
	CHECK(!strcmp(fw.areas, expected), "%s", fw.areas);

	/*
	 * ident_map_range() cannot map the EFI memory map. The stub must then
	 * not read the map. Reading would raise a page fault, whose handler
	 * would map all RAM around it.
	 */
	fw.areas[0] = '\0';
	fw.map_fails = true;
	efi_name_free_memory(&zero_page);
	CHECK(!strstr(fw.areas, "free"), "%s", fw.areas);
	fw.map_fails = false;

	/*
	 * The size of the EFI memory map cuts off its last byte. The stub must
	 * ignore the incomplete descriptor.
	 */
	fw.areas[0] = '\0';
	zero_page.efi_info.efi_memmap_size = 5 * sizeof(large_map[0]) - 1;
	efi_name_free_memory(&zero_page);
	CHECK(!strstr(fw.areas, "140000000"), "%s", fw.areas);

	fw.areas[0] = '\0';
	/*
	 * The size of the EFI memory map is 1 too large, so that the map
	 * extends beyond RAM. The stub must not read it.
	 */
	zero_page.efi_info.efi_memmap_size = (u32)size + 1;
	efi_name_free_memory(&zero_page);
	zero_page.efi_info.efi_memmap_size = 0;
	efi_name_free_memory(&zero_page);
	zero_page.efi_info.efi_memmap_size = (u32)size;
	zero_page.efi_info.efi_loader_signature = 0x32334c45;
	efi_name_free_memory(&zero_page);
	CHECK(!fw.areas[0], "%s", fw.areas);

	/*
	 * The descriptor size is wrong, so the stub cannot read the EFI memory
	 * map. The kernel may still read it, so KASLR must not place the
	 * payload over it.
	 */
	zero_page.efi_info.efi_loader_signature = 0x34364c45;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fw.areas[0] = '\0';
		zero_page.efi_info.efi_memdesc_size = sizes[i];
		efi_name_free_memory(&zero_page);
		CHECK(!strcmp(fw.areas, taken), "%u: %s", sizes[i], fw.areas);
	}
	/*
	 * The EFI memory map is at an unaligned address. Firmware never does
	 * that, so the stub must not read the map.
	 */
	fw.areas[0] = '\0';
	zero_page.efi_info.efi_memdesc_size = sizeof(large_map[0]);
	zero_page.efi_info.efi_memmap += 4;
	zero_page.efi_info.efi_memmap_size -= 4;
	efi_name_free_memory(&zero_page);
	CHECK(!strcmp(fw.areas, taken), "%s", fw.areas);
}

/* ---- memory in which a loader may have left data ---- */

TEST(may_hold)
{
	static const struct {
		u32 type;
		bool good;
	} types[] = {
		{ 0, true }, { 1, true }, { 2, true }, { 3, true }, { 4, true },
		{ 5, true }, { 6, true }, { 7, true }, { 8, false }, { 9, true },
		{ 10, true }, { 11, false }, { 12, false }, { 13, true },
		{ 14, true }, { 15, false }, { 0x70000000, false },
	};
	/*
	 * Each row of types[] gives the type of map[1], which lies between two descriptors
	 * of conventional memory.
	 */
	EFI_MEMORY_DESCRIPTOR map[] = {
		{ EfiConventionalMemory, 0, 0x3000, 0, 1, 0xf },
		{ 0, 0, 0x2000, 0, 1, 0xf },
		{ EfiConventionalMemory, 0, 0x1000, 0, 1, 0xf },
		{ EfiConventionalMemory, 0, 0x4000, 0, ~0UL >> 12, 0xf },
		{ EfiConventionalMemory, 0, 0x4000, 0, 0, 0xf },
	};
	const struct efi_memory_map all = {
		.entries = (u8 *)map, .size = sizeof(map) + 8,
		.entry_size = sizeof(map[0]),
	};
	size_t i;

	fresh_firmware();
	memset(&zero_page, 0, sizeof(zero_page));
	efi_set_info(&zero_page, &all);
	/*
	 * Reserved memory whose descriptor lacks write-back (attribute 8) may be
	 * a device. Runtime data, for example, is memory whatever the attributes
	 * of its descriptor are.
	 */
	efi_runtime_start = IMAGE_PREF;
	map[1].Attribute = 0x7;
	CHECK(!efi_may_hold(&zero_page, 0x2000, 0x3000), "reserved, no write-back");
	map[1].Attribute = 0x8;
	CHECK(efi_may_hold(&zero_page, 0x2000, 0x3000), "reserved, write-back");
	map[1].Type = EfiRuntimeServicesData;
	map[1].Attribute = 0;
	CHECK(efi_may_hold(&zero_page, 0x2000, 0x3000), "no attributes");
	map[1].Attribute = 0xf;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		map[1].Type = types[i].type;
		efi_runtime_start = IMAGE_PREF;
		CHECK(efi_may_hold(&zero_page, 0x2000, 0x3000) == types[i].good,
		      "type %u", types[i].type);
		CHECK(efi_may_hold(&zero_page, 0x1000, 0x4000) == types[i].good,
		      "type %u in the middle", types[i].type);
		CHECK(efi_may_hold(&zero_page, 0x1234, 0x2000) &&
		      efi_may_hold(&zero_page, 0x3fff, 0x4000), "RAM");
		CHECK(!efi_may_hold(&zero_page, 0x1000, 0x4001) &&
		      !efi_may_hold(&zero_page, 0xfff, 0x1001) &&
		      !efi_may_hold(&zero_page, 0x1800, 0x1800) &&
		      !efi_may_hold(&zero_page, 0x1800, 0x1000), "no memory");
		/*
		 * 0 means that the stub was not started by its EFI entry. The
		 * EFI memory map may then be unmapped, so the stub must not
		 * read it.
		 */
		efi_runtime_start = 0;
		CHECK(!efi_may_hold(&zero_page, 0x1000, 0x2000), "without EFI");
		CHECK(!efi_map_range(&zero_page).end, "a map");
	}
	efi_runtime_start = IMAGE_PREF;
	CHECK(efi_map_range(&zero_page).start == (u64)map &&
	      efi_map_range(&zero_page).end == (u64)map + sizeof(map) + 8,
	      "another map");
}

/* ---- a payload that runs at one address only ---- */

static const EFI_MEMORY_DESCRIPTOR busy_map[] = {
	{ EfiConventionalMemory, 0, 0x100000, 0, 0x1000, 0xf },
	{ EfiBootServicesData, 0, 0x1100000, 0, 0x100, 0xf },
	{ EfiConventionalMemory, 0, 0x1200000, 0, 0x8000, 0xf },
};

static void fixed_firmware(EFI_MEMORY_DESCRIPTOR *map)
{
	fresh_firmware();
	memcpy(map, busy_map, sizeof(busy_map));
	info_in_image.relocatable = 0;
	header_in_image()->flags = 0;
	seal_payload();
	fw.map = map;
	fw.map_size = sizeof(busy_map);
}

TEST(fixed)
{
	EFI_MEMORY_DESCRIPTOR map[3];

	fixed_firmware(map);
	check_boot();
	CHECK(efi_runtime_start == IMAGE_PREF, "0x%lx", efi_runtime_start);
}

/*
 * A payload that cannot be moved needs the range at its link address. The stub
 * must accept memory of boot services in the range, because ExitBootServices()
 * frees that memory. Before ExitBootServices() the stub must allocate the free
 * memory of the range, so that it allocates nothing else there. It must refuse
 * the range if the range contains memory of any other type.
 */
TEST(fixed_where_firmware_is)
{
	EFI_MEMORY_DESCRIPTOR map[3];
	u64 taken = 0;
	size_t i;

	fixed_firmware(map);
	fw.pref_taken = true;
	fw.taken_is = IMAGE_INIT_SIZE;
	check_boot();
	CHECK(efi_runtime_start == IMAGE_PREF, "0x%lx", efi_runtime_start);
	for (i = 0; i < MAX_LIVE; i++) {
		if (fw.live[i].addr < IMAGE_PREF ||
		    fw.live[i].addr >= IMAGE_PREF + IMAGE_INIT_SIZE)
			continue;
		CHECK(fw.live[i].addr + fw.live[i].size <= 0x1100000 ||
		      fw.live[i].addr >= 0x1200000, "0x%lx", fw.live[i].addr);
		taken += fw.live[i].size;
	}
	CHECK(taken == IMAGE_INIT_SIZE - 0x100000, "0x%lx bytes", taken);
}

static void fixed_fails(u32 entry, u32 type, u64 start, u64 pages)
{
	EFI_MEMORY_DESCRIPTOR map[3];

	fixed_firmware(map);
	fw.pref_taken = true;
	fw.taken_is = IMAGE_INIT_SIZE;
	map[entry] = (EFI_MEMORY_DESCRIPTOR){ type, 0, start, 0, pages, 0xf };
	boot_fails(EFI_OUT_OF_RESOURCES,
		   "not enough room: the payload's link address is not free: it needs 0x1000000-0x1400000; the largest free memory is 0x");
}

TEST(fixed_no_room)
{
	static const u32 types[] = { 0, 1, 2, 5, 6, 8, 9, 10, 11, 14, 15, ~0U };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		fixed_fails(1, types[i], 0x1100000, 0x100);
	/*
	 * The range at the payload's link address is not wholly free. The first
	 * two calls leave a hole at its start and in its middle. The other three
	 * change the last descriptor: it ends one page too early, its size in
	 * bytes wraps around at 2^64, or its size is 0. The stub must refuse the
	 * range in each call.
	 */
	fixed_fails(0, EfiConventionalMemory, 0x1001000, 0xff);
	fixed_fails(1, EfiBootServicesData, 0x1101000, 0xff);
	fixed_fails(2, EfiConventionalMemory, 0x1200000, 0x1ff);
	fixed_fails(2, EfiConventionalMemory, 0x1200000, (1UL << 52) + 1);
	fixed_fails(2, EfiConventionalMemory, 0x1200000, 0);
}

/*
 * The range at the payload's link address consists of more descriptors than the
 * stub can list. The stub needs the list to free its allocations if the boot
 * fails, so it must refuse the range.
 */
TEST(fixed_in_pieces)
{
	EFI_MEMORY_DESCRIPTOR map[65];
	u64 at = IMAGE_PREF;
	size_t i;

	fixed_firmware(map);
	fw.pref_taken = true;
	fw.taken_is = IMAGE_INIT_SIZE;
	for (i = 0; i < ARRAY_SIZE(map); i++, at += PAGE_SIZE)
		map[i] = (EFI_MEMORY_DESCRIPTOR){
			EfiConventionalMemory, 0, at, 0, 1, 0xf,
		};
	map[64].NumberOfPages = (IMAGE_PREF + IMAGE_INIT_SIZE -
				 map[64].PhysicalStart) / PAGE_SIZE;
	fw.map_size = sizeof(map);
	boot_fails(EFI_OUT_OF_RESOURCES, "not enough room");
}

TEST(handover)
{
	static struct boot_params bp;
	EFI_STATUS status = EFI_SUCCESS;

	fresh_firmware();
	memset(&bp, 0, sizeof(bp));
	bp.hdr.type_of_loader = 0x72;
	bp.hdr.ramdisk_image = 0x12345;
	bp.hdr.ramdisk_size = 77;
	fw.has_load_file2 = true;
	fw.initrd_size = fw.initrd_size_later = 5;
	if (!setjmp(fw.entered)) {
		status = efi_handover(&fw, &fw.st, &bp);
		CHECK(false, "status 0x%lx: %s", status, fw.console);
	}
	CHECK(fw.entered_with == &bp && bp.hdr.type_of_loader == 0x72 &&
	      bp.hdr.ramdisk_image == 0x12345 && bp.hdr.ramdisk_size == 77,
	      "the loader's zero page");
	CHECK(bp.e820_entries == 3 && bp.efi_info.efi_loader_signature,
	      "%u entries", bp.e820_entries);
}

TEST(handover_corrupt)
{
	static struct boot_params bp;
	EFI_STATUS status;

	fresh_firmware();
	image_payload[0] ^= 1;
	memset(&bp, 0, sizeof(bp));
	if (setjmp(fw.entered))
		CHECK(false, "entered");
	status = efi_handover(&fw, &fw.st, &bp);
	CHECK(status == EFI_LOAD_ERROR && strstr(fw.console, "wrong magic"),
	      "status 0x%lx: %s", status, fw.console);
	CHECK(!fw.over && !fw.allocations, "%u allocations", fw.allocations);
}
