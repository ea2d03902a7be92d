/* SPDX-License-Identifier: MIT */
/*
 * test_efi_protect.c - tests efi/protect.c, which sets memory attributes by
 * EFI_MEMORY_ATTRIBUTE_PROTOCOL. The mock firmware refuses to make memory both
 * writable and executable, unless the memory had both rights from the start.
 */
#include "efi_firmware.h"

#define NONE	0UL
#define RO	EFI_MEMORY_RO
#define XP	EFI_MEMORY_XP

/*
 * Starts mock firmware that gave the attributes @text, @rodata and @data to the
 * parts of the stub's image, and @runtime to the payload's range.
 */
static void protecting_firmware(u64 text, u64 rodata, u64 data, u64 runtime)
{
	fresh_firmware();
	fw.has_attributes = true;
	fw.rights[0] = text;
	fw.rights[1] = rodata;
	fw.rights[2] = data;
	fw.rights[3] = runtime;
	memcpy(fw.rights_given, fw.rights, sizeof(fw.rights));
}

static void check_rights(u64 text, u64 rodata, u64 data, u64 runtime)
{
	const u64 wanted[] = { text, rodata, data, runtime };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		CHECK(fw.rights[i] == wanted[i], "part %zu: 0x%lx, not 0x%lx",
		      i, fw.rights[i], wanted[i]);
}

static void check_boot(void)
{
	EFI_STATUS status;

	if (!setjmp(fw.entered)) {
		status = efi_pe_entry(&fw, &fw.st);
		CHECK(false, "status 0x%lx: %s", status, fw.console);
	}
}

/*
 * Firmware may give any attributes to the image. The stub must change them to
 * those that each section of its PE file asks for.
 */
TEST(boot)
{
	static const u64 given[] = { NONE, RO, XP, RO | XP };
	size_t i;

	for (i = 0; i < 256; i++) {
		/*
		 * Skip attributes that cannot occur. The stub's code is
		 * running, so it cannot be non-executable. The stub has written
		 * to its data, so the data cannot be read-only.
		 */
		if (given[i % 4] & XP || given[i / 16 % 4] & RO)
			continue;
		protecting_firmware(given[i % 4], given[i / 4 % 4],
				    given[i / 16 % 4], given[i / 64]);
		check_boot();
		check_rights(RO, RO | XP, XP, XP);
		CHECK(!fw.console[0], "%s", fw.console);
	}
}

TEST(nothing_to_do)
{
	protecting_firmware(RO, RO | XP, XP, XP);
	check_boot();
	CHECK(!fw.changes, "%u changes", fw.changes);
	/*
	 * Firmware lacks the protocol, or cannot name one set of attributes for
	 * a part of the image because its pages differ. The stub must change
	 * nothing.
	 */
	protecting_firmware(NONE, NONE, NONE, NONE);
	fw.has_attributes = false;
	check_boot();
	CHECK(!fw.changes, "%u changes", fw.changes);
	protecting_firmware(NONE, NONE, NONE, NONE);
	fw.get_status = EFI_NO_MAPPING;
	check_boot();
	CHECK(!fw.changes, "%u changes", fw.changes);
}

/*
 * The stub must make memory read-only before it makes it executable, because
 * the mock firmware refuses memory that is both writable and executable.
 */
TEST(order)
{
	protecting_firmware(XP, RO, NONE, RO);
	efi_protect_image();
	check_rights(RO, RO | XP, XP, RO);
	efi_unprotect();
	check_rights(XP, RO, NONE, RO);
}

/*
 * The boot fails, so firmware frees the image's memory and may use it for
 * something else. The stub must first restore the attributes, because read-only
 * memory would be unusable.
 */
TEST(given_back)
{
	EFI_STATUS status;

	protecting_firmware(NONE, RO, NONE, NONE);
	fw.exit_status = EFI_DEVICE_ERROR;
	status = efi_pe_entry(&fw, &fw.st);
	CHECK(status == EFI_DEVICE_ERROR, "0x%lx", status);
	check_rights(NONE, RO, NONE, NONE);
	CHECK(fw.changes == 9, "%u changes", fw.changes);
	/*
	 * The attributes have been restored once. A second call of
	 * efi_unprotect() must change nothing.
	 */
	fw.changes = 0;
	fw.rights[1] = RO | XP;
	efi_unprotect();
	CHECK(!fw.changes, "%u changes", fw.changes);
}

/*
 * Firmware refuses one change of attributes. The stub must print a message,
 * make no further change, and continue the boot.
 */
TEST(fails)
{
	unsigned int i;

	for (i = 1; i <= 5; i++) {
		protecting_firmware(NONE, NONE, NONE, RO);
		fw.change_fails = i;
		check_boot();
		CHECK(!strcmp(fw.console,
			      "sevstub: memory attributes: cannot be changed\r\n"),
		      "%u: %s", i, fw.console);
	}
	protecting_firmware(XP, NONE, NONE, NONE);
	fw.change_fails = 1;
	efi_protect_image();
	CHECK(fw.rights[0] == XP, "executable, and not read-only");
}

/*
 * A payload that cannot be moved may need memory that boot services still use.
 * The stub must not change this memory's attributes before ExitBootServices().
 */
TEST(claimed)
{
	static const EFI_MEMORY_DESCRIPTOR map[] = {
		{ EfiBootServicesCode, 0, 0x100000, 0, 0x8000, 0xf },
	};

	protecting_firmware(RO, RO | XP, XP, NONE);
	info_in_image.relocatable = 0;
	header_in_image()->flags = 0;
	seal_payload();
	fw.map = map;
	fw.map_size = sizeof(map);
	fw.pref_taken = true;
	check_boot();
	check_rights(RO, RO | XP, XP, NONE);
}

/*
 * A loader that uses the EFI handover protocol may load the image at an address
 * that is not page-aligned. The stub must then leave the attributes unchanged,
 * because the image shares pages with other memory.
 */
TEST(unaligned)
{
	protecting_firmware(NONE, NONE, NONE, NONE);
	efi_protect((u64)image_parts + 0x10, (u64)image_parts + 0x1000, RO);
	CHECK(!fw.changes, "%u changes", fw.changes);
}
