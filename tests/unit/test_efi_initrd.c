/* SPDX-License-Identifier: MIT */
/*
 * test_efi_initrd.c - tests efi/initrd.c, which loads the initrd. The mock
 * loaders and file systems report a wrong file size, or change a file between
 * two calls.
 */
#include "efi_firmware.h"

static struct boot_params zero_page;

static u64 initrd_address(void)
{
	return (u64)zero_page.ext_ramdisk_image << 32 |
	       zero_page.hdr.ramdisk_image;
}

static u64 initrd_size(void)
{
	return (u64)zero_page.ext_ramdisk_size << 32 |
	       zero_page.hdr.ramdisk_size;
}

static EFI_STATUS initrd(const char *text)
{
	const struct cmdline cmdline = { text, strlen(text) };

	memset(&zero_page, 0, sizeof(zero_page));
	return efi_get_initrd(&zero_page, &cmdline);
}

static void initrd_fails(const char *cmdline, EFI_STATUS wanted,
			 const char *message)
{
	EFI_STATUS status;

	fw.console[0] = '\0';
	status = initrd(cmdline);
	CHECK(status == wanted, "status 0x%lx: %s", status, fw.console);
	CHECK(strstr(fw.console, "sevstub: initrd: ") &&
	      strstr(fw.console, message), "\"%s\"", fw.console);
	CHECK(!initrd_size() && !initrd_address(), "an initrd, after all");
	give_back(status);
	CHECK(!still_live(), "%u files or pages left", still_live());
}

static void loader_firmware(u64 size)
{
	fresh_firmware();
	fw.has_load_file2 = true;
	fw.initrd_size = fw.initrd_size_later = size;
}

/*
 * The loader offers an initrd by the protocol EFI_LOAD_FILE2. The stub must use
 * it instead of files that the command line names.
 */
TEST(initrd_by_load_file2)
{
	u64 i;

	loader_firmware(5001);
	CHECK(!initrd("initrd=gone"), "%s", fw.console);
	CHECK(initrd_size() == 5001, "%lu bytes", initrd_size());
	for (i = 0; i < 5001; i++)
		CHECK(((u8 *)initrd_address())[i] == initrd_byte(i),
		      "byte %lu", i);
}

TEST(initrd_by_load_file2_none)
{
	loader_firmware(0);
	fw.size_status = EFI_NOT_FOUND;
	CHECK(!initrd("") && !initrd_size(), "not found");
	loader_firmware(0);
	fw.size_status = EFI_SUCCESS;
	CHECK(!initrd("") && !initrd_size(), "empty");
	fresh_firmware();
	CHECK(!initrd("") && !initrd_size(), "nobody");
	CHECK(!fw.allocations, "%u allocations", fw.allocations);
}

TEST(initrd_by_load_file2_bad)
{
	loader_firmware(5000);
	fw.size_status = EFI_DEVICE_ERROR;
	initrd_fails("", EFI_LOAD_ERROR, "error");
	loader_firmware(PAYLOAD_MAX_SIZE + 1);
	initrd_fails("", EFI_LOAD_ERROR, "error");
	loader_firmware(~0UL);
	initrd_fails("", EFI_LOAD_ERROR, "error");
	loader_firmware(5000);
	fw.fail_at = 1;
	initrd_fails("", EFI_OUT_OF_RESOURCES, "no memory");
	loader_firmware(5000);
	fw.initrd_size_later = 5001;
	initrd_fails("", EFI_LOAD_ERROR, "cannot be loaded");
	loader_firmware(5000);
	fw.initrd_lies = true;
	initrd_fails("", EFI_LOAD_ERROR, "cannot be loaded");
	loader_firmware(5000);
	fw.load_status = EFI_ABORTED;
	initrd_fails("", EFI_LOAD_ERROR, "cannot be loaded");
	/*
	 * The loader reports the initrd's size, but then answers that it has no
	 * initrd. The stub must report an error. The answer EFI_NOT_FOUND is
	 * valid only when the stub asks for the size.
	 */
	loader_firmware(5000);
	fw.load_status = EFI_NOT_FOUND;
	initrd_fails("", EFI_LOAD_ERROR, "cannot be loaded");
	/*
	 * The loader delivers fewer bytes than it reported. The initrd's size
	 * must be the number of delivered bytes.
	 */
	loader_firmware(5000);
	fw.initrd_size_later = 4000;
	CHECK(!initrd("") && initrd_size() == 4000, "%lu", initrd_size());
}

static void file_firmware(void)
{
	fresh_firmware();
	fw.has_volume = true;
}

static void check_initrd(const char *bytes, size_t size)
{
	CHECK(initrd_size() == size, "%lu bytes, not %zu", initrd_size(), size);
	CHECK(!memcmp((void *)initrd_address(), bytes, size), "\"%.*s\"",
	      (int)size, (char *)initrd_address());
}

TEST(initrd_files)
{
	file_firmware();
	new_file("a", "four");
	new_file("dir\\b", "fives");
	new_file("\\c", "");
	CHECK(!initrd("x initrd=a initrd=dir/b y"), "%s", fw.console);
	check_initrd("fourfives", 9);
	CHECK(still_live() == 1, "%u left", still_live());

	fw.files[0].infos = fw.files[1].infos = 0;
	CHECK(!initrd("initrd=dir\\b initrd=/c initrd=a"), "%s", fw.console);
	check_initrd("fives\0\0\0four", 12);
	CHECK(!initrd("initrd=/c") && !initrd_size(), "an empty one");
	CHECK(!initrd("initrds=a xinitrd=a initrd") && !initrd_size(),
	      "not asked for");
}

/*
 * The stub must not open files that the command line does not name. Reading
 * file "b" or asking for the size of "c" would fail, but only "a" is named.
 */
TEST(initrd_files_not_named)
{
	file_firmware();
	new_file("a", "four");
	new_file("b", "x")->read_status = EFI_DEVICE_ERROR;
	new_file("c", "x")->info_status = EFI_DEVICE_ERROR;
	CHECK(!initrd("initrd=a"), "%s", fw.console);
	check_initrd("four", 4);
}

/*
 * The loader offers the protocol EFI_LOAD_FILE2, but has no initrd. The stub
 * must load the files that the command line names.
 */
TEST(initrd_files_after_load_file2)
{
	loader_firmware(5000);
	fw.has_volume = true;
	new_file("a", "four");
	fw.size_status = EFI_NOT_FOUND;
	CHECK(!initrd("initrd=a"), "%s", fw.console);
	check_initrd("four", 4);
}

/*
 * A file becomes smaller after the stub has asked for its size. The initrd must have
 * only the bytes that the file has now. Zeros in place of the missing bytes would be
 * measured into the TPM as if they were the file's contents.
 */
TEST(initrd_files_shrink)
{
	file_firmware();
	new_file("a", "eight by")->size_later = 4;
	new_file("b", "four");
	CHECK(!initrd("initrd=a initrd=b"), "%s", fw.console);
	check_initrd("eighfour", 8);
	file_firmware();
	new_file("a", "four")->size_later = 0;
	CHECK(!initrd("initrd=a") && !initrd_size(), "%lu bytes",
	      initrd_size());
}

/*
 * A file grows after the stub has asked for its size, so that the next file would begin
 * after the memory for the initrd. The stub must refuse to read that file.
 */
TEST(initrd_files_grow)
{
	file_firmware();
	new_file("a", "fives")->size = 4;
	new_file("b", "x");
	initrd_fails("initrd=a initrd=b", EFI_BAD_BUFFER_SIZE, "changes");
	file_firmware();
	new_file("a", "fives")->size = 4;
	new_file("b", "x")->size_later = 0;
	CHECK(!initrd("initrd=a initrd=b"), "%s", fw.console);
	check_initrd("fives", 5);
}

/* Returns the option initrd= with @count times @character as its value. */
static const char *repeat(const char *character, size_t count)
{
	static char text[2000];

	for (strcpy(text, "initrd="); count; count--)
		strcat(text, character);
	return text;
}

TEST(initrd_files_bad)
{
	struct fake_file *f;
	char name[400];

	file_firmware();
	new_file("a", "four");
	initrd_fails("initrd=gone", EFI_NOT_FOUND, "gone");
	file_firmware();
	new_file("a", "four");
	initrd_fails("initrd=a initrd=gone", EFI_NOT_FOUND, "gone");
	fresh_firmware();
	initrd_fails("initrd=a", EFI_NOT_FOUND, "no file system");

	file_firmware();
	f = new_file("a", "four");
	f->info_status = EFI_DEVICE_ERROR;
	initrd_fails("initrd=a", EFI_DEVICE_ERROR, "a");
	file_firmware();
	f = new_file("a", "four");
	f->read_status = EFI_DEVICE_ERROR;
	initrd_fails("initrd=a", EFI_LOAD_ERROR, "cannot be read");
	file_firmware();
	f = new_file("a", "four");
	f->short_by = 1;
	initrd_fails("initrd=a", EFI_LOAD_ERROR, "cannot be read");
	file_firmware();
	f = new_file("a", "four");
	f->size_later = 5;
	initrd_fails("initrd=a", EFI_BAD_BUFFER_SIZE, "changes");
	file_firmware();
	f = new_file("a", "four");
	f->size = f->size_later = PAYLOAD_MAX_SIZE + 1;
	initrd_fails("initrd=a", EFI_BAD_BUFFER_SIZE, "too large");
	file_firmware();
	f = new_file("a", "four");
	f->size = ~0UL;
	initrd_fails("initrd=a", EFI_BAD_BUFFER_SIZE, "too large");
	file_firmware();
	f = new_file("a", "four");
	f->size = PAYLOAD_MAX_SIZE;
	new_file("b", "x");
	initrd_fails("initrd=a initrd=b", EFI_BAD_BUFFER_SIZE, "too large");
	file_firmware();
	new_file("a", "four");
	fw.fail_at = 1;
	initrd_fails("initrd=a", EFI_OUT_OF_RESOURCES, "no memory");

	/*
	 * A file name that is longer than the stub's buffer must be refused. A
	 * shortened name could be the name of another file.
	 */
	memset(name, 'x', sizeof(name));
	memcpy(name, "initrd=", 7);
	name[7 + 256] = '\0';
	file_firmware();
	initrd_fails(name, EFI_INVALID_PARAMETER, "too long");
	file_firmware();
	initrd_fails(repeat("x", 765), EFI_INVALID_PARAMETER, "too long");
	file_firmware();
	initrd_fails(repeat("x", 766), EFI_INVALID_PARAMETER, "too long");
	file_firmware();
	initrd_fails(repeat("\xe2\x82\xac", 256), EFI_INVALID_PARAMETER,
		     "too long");
	file_firmware();
	initrd_fails(repeat("\xf0\x9f\x90\xa7", 128), EFI_INVALID_PARAMETER,
		     "too long");
}

/*
 * The option initrd= has names in UTF-8, with characters outside of ASCII and
 * of the BMP. The stub must find the files, whose names are in UTF-16.
 */
TEST(initrd_name_in_utf8)
{
	static const char *const names[] = {
		"initramfs-gr\xc3\xb6\xc3\x9f" "e.img", "\xc2\x80\xdf\xbf",
		"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "a\xf0\x9f\x90\xa7" "b",
	};
	char text[100];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		file_firmware();
		new_file(names[i], "four");
		snprintf(text, sizeof(text), "ro initrd=%s", names[i]);
		CHECK(!initrd(text), "%s", fw.console);
		check_initrd("four", 4);
	}
	file_firmware();
	new_file("\xc3\xa4\\\xc3\xb6", "four");
	CHECK(!initrd("initrd=\xc3\xa4/\xc3\xb6"), "%s", fw.console);
	check_initrd("four", 4);
}

/*
 * A name in initrd= that is not UTF-8, for example in Latin-1, must be refused.
 * The message must show its invalid bytes as question marks and its other
 * characters unchanged.
 */
TEST(initrd_name_not_utf8)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{ "gr\xf6\xdf" "e", "gr??e" },
		{ "\x80", "?" }, { "\xbf", "?" }, { "\xff", "?" },
		{ "\xc3", "?" }, { "\xc3x", "?x" }, { "\xc3\xc3\xa4", "?\xc3\xa4" },
		{ "\xe2\x82", "??" }, { "\xe2\x82y", "??y" },
		{ "\xf0\x9f\x90", "???" },
		/*
		 * Sequences that UTF-8 forbids: longer than necessary,
		 * surrogates, and code points above U+10FFFF.
		 */
		{ "\xc0\xaf", "??" }, { "\xc1\xbf", "??" },
		{ "\xe0\x9f\xbf", "???" }, { "\xf0\x8f\xbf\xbf", "????" },
		{ "\xed\xa0\x80", "???" }, { "\xed\xbf\xbf", "???" },
		{ "\xf4\x90\x80\x80", "????" }, { "\xf8\x88\x80\x80\x80", "?????" },
	};
	char text[100];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		file_firmware();
		snprintf(text, sizeof(text), "initrd=%s", cases[i].name);
		initrd_fails(text, EFI_INVALID_PARAMETER, "not UTF-8");
		snprintf(text, sizeof(text), "not UTF-8: %s\r\n", cases[i].shown);
		CHECK(strstr(fw.console, text), "%zu: %s", i, fw.console);
	}
}

TEST(initrd_longest_name)
{
	char name[7 + 255 + 1];

	memset(name, 'x', sizeof(name));
	memcpy(name, "initrd=", 7);
	name[7 + 255] = '\0';
	file_firmware();
	new_file(name + 7, "four");
	CHECK(!initrd(name), "%s", fw.console);
	check_initrd("four", 4);

	/*
	 * The longest name has 255 units of UTF-16. Its length in UTF-8, here
	 * up to 765 bytes, must not matter.
	 */
	file_firmware();
	new_file(repeat("\xe2\x82\xac", 255) + 7, "four");
	CHECK(!initrd(repeat("\xe2\x82\xac", 255)), "%s", fw.console);
	check_initrd("four", 4);
	file_firmware();
	new_file(repeat("\xf0\x9f\x90\xa7", 127) + 7, "four");
	CHECK(!initrd(repeat("\xf0\x9f\x90\xa7", 127)), "%s", fw.console);
	check_initrd("four", 4);
}
