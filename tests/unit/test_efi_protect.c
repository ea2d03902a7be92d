/* SPDX-License-Identifier: MIT */
/*
 * test_efi_protect.c - efi/protect.c on firmware with
 * EFI_MEMORY_ATTRIBUTE_PROTOCOL. The mock firmware refuses every change after
 * which memory is both writable and executable, unless it was so at the start.
 */
#include "efi_firmware.h"

#define NONE	0UL
#define RO	EFI_MEMORY_RO
#define XP	EFI_MEMORY_XP

/*
 * Firmware that gave these attributes to the image's code, read-only data and
 * data, and to the payload's range.
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
 * Whatever attributes firmware gave to the image, each part must get those that
 * its section of the PE file asks for.
 */
TEST(boot)
{
	static const u64 given[] = { NONE, RO, XP, RO | XP };
	size_t i;

	for (i = 0; i < 256; i++) {
		/*
		 * Skip what cannot be: code that is running must be executable;
		 * data and the range were written.
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
	 * Without the protocol, or if the pages of a part have different
	 * attributes, the stub must change nothing.
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
 * Memory that is writable must be made read-only before it is made executable.
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
 * If the boot fails, the image must get its attributes back, because firmware
 * frees the memory and its next owner may write to it.
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
	 * Once the attributes were given back, a second call must change
	 * nothing.
	 */
	fw.changes = 0;
	fw.rights[1] = RO | XP;
	efi_unprotect();
	CHECK(!fw.changes, "%u changes", fw.changes);
}

/*
 * If a change of attributes fails, the stub must say so, stop changing
 * attributes, and boot.
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
 * The range of a payload that cannot be moved may hold memory of boot services.
 * The stub must not change its attributes before ExitBootServices().
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
 * A loader of the EFI handover protocol need not load the image at a page's
 * start. Such parts must keep their attributes, because pages are shared with
 * other memory.
 */
TEST(unaligned)
{
	protecting_firmware(NONE, NONE, NONE, NONE);
	efi_protect((u64)image_parts + 0x10, (u64)image_parts + 0x1000, RO);
	CHECK(!fw.changes, "%u changes", fw.changes);
}
