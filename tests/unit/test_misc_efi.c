/* SPDX-License-Identifier: MIT */
/*
 * test_misc_efi.c - misc.c when EFI firmware has loaded the stub's image. The
 * image stays where firmware loaded it. The payload goes to the memory that the
 * EFI entry (efi/memory.c) has allocated.
 */
#include "misc_machine.h"

/*
 * AT_GIVEN is the offset, in the fake machine's RAM, of the memory that the EFI
 * entry allocated for the payload. This memory does not overlap the image.
 * INIT_SIZE is the size of this memory in bytes.
 */
#define AT_GIVEN	0x200000
#define INIT_SIZE	(AT_END - AT_RUNTIME)

static u64 in_machine(u64 offset)
{
	return (u64)machine + offset;
}

/*
 * Starts an ordinary boot in which the EFI entry has allocated memory for the
 * payload at offset @given of the machine's RAM.
 */
static struct boot firmware_boot(u64 given)
{
	struct boot boot = { .bp = &fake.bp };

	fresh_machine();
	efi_runtime_start = in_machine(given);
	boot.cmdline = find_cmdline(&fake.bp);
	read_payload_header(&boot);
	place_payload(&boot);
	trace[0] = '\0';
	return boot;
}

/* ---- runtime_range() ---- */

/*
 * The EFI entry has allocated memory for the payload. misc.c must use exactly
 * this memory, wherever the image is loaded.
 */
TEST(runtime_start)
{
	static const u64 loads[] = { 0x100000, 0x1000000, 0x123456789000 };
	struct range r;
	u64 given;
	size_t i;

	fresh_loader();
	info_in_image.pref_address = 0x1000000;
	info_in_image.align = 0x200000;
	for (i = 0; i < 2 * ARRAY_SIZE(loads); i++) {
		info_in_image.relocatable = i % 2;
		given = i % 2 ? 0x3400000 : 0x1000000;
		r = runtime_range(loads[i / 2], given);
		CHECK(r.start == given &&
		      r.end == r.start + info_in_image.init_size,
		      "case %zu: 0x%lx-0x%lx", i, r.start, r.end);
	}
}

/* ---- place_image() ---- */

/*
 * A machine with 2 GiB of RAM. Firmware loaded the stub's image at @load, and
 * the EFI entry allocated memory for the payload at @given.
 */
static void firmware_machine(u64 load, u64 given)
{
	fresh_loader();
	fake.bp.e820_entries = 0;
	add_e820(0x100000, 0x3ff00000, E820_RAM);
	add_e820(0x100000000, 0x40000000, E820_RAM);
	add_ram_of_loader();
	set_initrd(0x30000000, 0x1000000);
	info_in_image.pref_address = 0x1000000;
	info_in_image.align = 0x200000;
	info_in_image.init_size = 0x800000;
	efi_runtime_start = given;
	layout.head = (u8 *)load;
}

/*
 * The image and the payload's memory are two allocations of firmware, so they
 * do not overlap. The image must stay where it is.
 */
TEST(place_stays)
{
	static const u64 loads[] = { 0x100000, 0x123450, 0x1800000,
				     0x3f000000, 0x100200000 };
	size_t i;
	u64 to;

	for (i = 0; i < 2 * ARRAY_SIZE(loads); i++) {
		firmware_machine(loads[i / 2], 0x1000000);
		info_in_image.relocatable = i % 2;
		to = place_image(&fake.bp);
		CHECK(to == loads[i / 2], "from 0x%lx to 0x%lx", loads[i / 2],
		      to);
	}
}

/*
 * place_image() must check the memory that the EFI entry allocated like any
 * other: it must be in RAM and must not overlap the initrd.
 */
TEST(place_refuses)
{
	firmware_machine(0x100000, 0x40000000 - 0x800000);
	CHECK(place_image(&fake.bp) == 0x100000, "at the end of RAM");
	efi_runtime_start += 0x1000;
	expect_refusal("not enough room");

	firmware_machine(0x100000, 0x2800000);
	set_initrd(0x3000000, 0x1000);
	CHECK(place_image(&fake.bp) == 0x100000, "before the initrd");
	set_initrd(0x3000000 - 1, 0x1000);
	expect_refusal("initrd");
}

/* ---- place_payload() ---- */

static void placing_refused(struct boot *boot)
{
	EXPECT_ERROR(place_payload(boot), "not enough room");
}

TEST(payload_range)
{
	struct boot boot = firmware_boot(AT_GIVEN);

	CHECK((u64)boot.out == in_machine(AT_GIVEN), "at %p",
	      (void *)boot.out);
	CHECK(boot.runtime.start == in_machine(AT_GIVEN) &&
	      boot.runtime.end == in_machine(AT_GIVEN) + INIT_SIZE,
	      "0x%lx-0x%lx", boot.runtime.start, boot.runtime.end);
}

/*
 * The payload may use all of the memory that the EFI entry allocated. misc.c
 * must need no room for the margin, which separates input and output in other
 * boots, because the input is in the image, outside of this memory.
 */
TEST(payload_room)
{
	struct boot boot = firmware_boot(AT_GIVEN);

	boot.payload.margin = PAYLOAD_MAX_SIZE;
	boot.payload.mem_size = INIT_SIZE;
	place_payload(&boot);
	boot.payload.mem_size++;
	placing_refused(&boot);
	boot.payload.mem_size = OUT_SIZE;
	boot.payload.reloc_size = INIT_SIZE - OUT_SIZE;
	place_payload(&boot);
	boot.payload.reloc_size++;
	placing_refused(&boot);
}

/* ---- build_map() ---- */

/*
 * The page tables must map all of the compressed payload for reading, because
 * it stays in the image, apart from the output.
 */
TEST(payload_map)
{
	static const u64 given[] = { AT_GIVEN, AT_END };
	char expected[200];
	struct boot boot;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(given); i++) {
		boot = firmware_boot(given[i]);
		map_payload(&boot);
		snprintf(expected, sizeof(expected),
			 "map 0x%lx-0x%lx rw payload\nmap 0x%lx-0x%lx ro\n",
			 in_machine(given[i]), in_machine(given[i] + MEM_SIZE),
			 in_machine(AT_HEAD), in_machine(AT_TEXT));
		CHECK(strstr(trace, expected), "%.400s", trace);
	}
}

/* ---- extract_kernel() ---- */

TEST(extract)
{
	char expected[200];
	u64 entry;

	firmware_boot(AT_GIVEN);
	entry = extract_kernel(&fake.bp);
	CHECK(entry == in_machine(AT_GIVEN + ENTRY_OFFSET), "0x%lx", entry);
	snprintf(expected, sizeof(expected), "unzstd 0x%lx+0x%lx from 0x%lx",
		 in_machine(AT_GIVEN), OUT_SIZE,
		 in_machine(AT_PAYLOAD + sizeof(struct payload_header)));
	CHECK(strstr(trace, expected), "%s", trace);
}

/*
 * The EFI entry has already checked the compressed payload's digest. misc.c
 * must not compute it again, because that would only cost time.
 */
TEST(digest_once)
{
	struct boot boot = firmware_boot(AT_GIVEN);

	check_digest(&boot);
	CHECK(!strstr(trace, "digest"), "%s", trace);
	boot.by_efi = false;
	check_digest(&boot);
	CHECK(strstr(trace, "digest"), "%s", trace);
}

/*
 * In an SEV guest the hypervisor can change the payload after the EFI entry has
 * checked its digest, so misc.c must compute the digest again.
 */
TEST(digest_again_in_sev)
{
	struct boot boot = firmware_boot(AT_GIVEN);

	fake.enc_mask = 1UL << 51;
	check_digest(&boot);
	CHECK(strstr(trace, "digest"), "%s", trace);
}
