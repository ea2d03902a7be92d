/* SPDX-License-Identifier: MIT */
/*
 * test_efi_memory.c - tests efi/memory.c's conversion of the EFI memory map to
 * E820 entries, for valid and for malformed maps. test_efi.c tests where the
 * stub places the payload.
 */
#include "efi_firmware.h"

static struct {
	struct boot_params bp;
	struct efi_memory_map map;
	u8 *entries;
} conversion;

/*
 * Converts @count EFI memory descriptors to E820 entries. Each descriptor is
 * followed by @extra bytes, which the conversion must skip (UEFI 2.10 7.2).
 * setup_data has room for @ext_room entries that do not fit into e820_table.
 */
static bool to_e820(const EFI_MEMORY_DESCRIPTOR *d, size_t count, size_t extra,
		    size_t ext_room)
{
	size_t size = sizeof(*d) + extra, i;

	free(conversion.entries);
	free(conversion.map.ext);
	memset(&conversion, 0, sizeof(conversion));
	conversion.entries = malloc(count * size + 1);
	memset(conversion.entries, 0xee, count * size + 1);
	for (i = 0; i < count; i++)
		memcpy(conversion.entries + i * size, &d[i], sizeof(*d));
	conversion.map.entries = conversion.entries;
	conversion.map.size = count * size;
	conversion.map.entry_size = size;
	conversion.map.ext_room = ext_room;
	conversion.map.ext = malloc(sizeof(struct setup_data) +
				    ext_room * sizeof(struct boot_e820_entry));
	return efi_make_e820(&conversion.bp, &conversion.map);
}

static void check_e820(u32 i, u64 addr, u64 size, u32 type)
{
	const struct boot_e820_entry *ext =
		(const void *)conversion.map.ext->data;
	const struct boot_e820_entry *e = i < E820_MAX_ENTRIES_ZEROPAGE ?
		&conversion.bp.e820_table[i] :
		&ext[i - E820_MAX_ENTRIES_ZEROPAGE];

	CHECK(e->addr == addr && e->size == size && e->type == type,
	      "entry %u: 0x%lx bytes at 0x%lx of type %u", i, (u64)e->size,
	      (u64)e->addr, e->type);
}

TEST(e820_types)
{
	static const struct {
		u32 efi, e820;
		u64 attributes;
	} types[] = {
		{ 0, 2, 0 }, { 1, 1, 0 }, { 2, 1, 0 }, { 3, 1, 0 },
		{ 4, 1, 0 }, { 5, 2, 0 }, { 6, 2, 0 }, { 7, 1, 0 },
		{ 8, 5, 0 }, { 9, 3, 0 }, { 10, 4, 0 }, { 11, 2, 0 },
		{ 12, 2, 0 }, { 13, 2, 0 }, { 14, 7, 0 }, { 15, 2, 0 },
		{ 16, 2, 0 }, { 0x80000000, 2, 0 }, { 0xffffffff, 2, 0 },
		/*
		 * Attribute 0x40000 marks specific-purpose memory. Usable
		 * memory with it becomes E820 type 0xefffffff
		 * (soft reserved).
		 */
		{ 7, 0xefffffff, 0x40000 }, { 4, 0xefffffff, 0x4000f },
		{ 0, 2, 0x40000 },
	};
	EFI_MEMORY_DESCRIPTOR d[ARRAY_SIZE(types)];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		d[i] = (EFI_MEMORY_DESCRIPTOR){ types[i].efi, 0, i * 0x10000,
						0, 1, types[i].attributes };
	CHECK(to_e820(d, i, 8, 0), "no room");
	CHECK(conversion.bp.e820_entries == i, "%u entries",
	      conversion.bp.e820_entries);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		check_e820(i, i * 0x10000, 0x1000, types[i].e820);
	CHECK(!conversion.bp.hdr.setup_data, "setup_data without need");
}

TEST(e820_merging)
{
	static const EFI_MEMORY_DESCRIPTOR d[] = {
		{ EfiLoaderCode, 0, 0x1000, 0, 1, 0 },
		{ EfiBootServicesData, 0, 0x2000, 0, 2, 0 },
		{ EfiConventionalMemory, 0, 0x4000, 0, 1, 0x40000 },
		{ EfiConventionalMemory, 0, 0x5000, 0, 1, 0 },
		/*
		 * Descriptors must not be merged if there is a gap between
		 * them, if they overlap, or if the second is below the first.
		 */
		{ EfiConventionalMemory, 0, 0x7000, 0, 2, 0 },
		{ EfiConventionalMemory, 0, 0x8000, 0, 2, 0 },
		{ EfiConventionalMemory, 0, 0x6000, 0, 1, 0 },
	};

	CHECK(to_e820(d, ARRAY_SIZE(d), 0, 0), "no room");
	CHECK(conversion.bp.e820_entries == 6, "%u entries",
	      conversion.bp.e820_entries);
	check_e820(0, 0x1000, 0x3000, 1);
	check_e820(1, 0x4000, 0x1000, 0xefffffff);
	check_e820(2, 0x5000, 0x1000, 1);
	check_e820(3, 0x7000, 0x2000, 1);
	check_e820(4, 0x8000, 0x2000, 1);
	check_e820(5, 0x6000, 0x1000, 1);
}

/*
 * The conversion must leave out descriptors without pages, and descriptors
 * whose size or end does not fit into 64 bits. It must convert all others.
 */
TEST(e820_nonsense)
{
	static const EFI_MEMORY_DESCRIPTOR d[] = {
		{ EfiConventionalMemory, 0, 0x1000, 0, 0, 0 },
		{ EfiConventionalMemory, 0, 0x2000, 0, 1UL << 52, 0 },
		{ EfiConventionalMemory, 0, 0x3000, 0, ~0UL, 0 },
		{ EfiConventionalMemory, 0, ~0UL << 12, 0, 2, 0 },
		{ EfiConventionalMemory, 0, 0x5000, 0, (1UL << 52) + 1, 0 },
		{ EfiConventionalMemory, 0, 0x6000, 0, 1, 0 },
	};

	CHECK(to_e820(d, ARRAY_SIZE(d), 0, 0), "no room");
	CHECK(conversion.bp.e820_entries == 1, "%u entries",
	      conversion.bp.e820_entries);
	check_e820(0, 0x6000, 0x1000, 1);
	CHECK(to_e820(d, 0, 0, 0) && !conversion.bp.e820_entries, "of nothing");
}

TEST(e820_overflow)
{
	static EFI_MEMORY_DESCRIPTOR d[200];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(d); i++)
		d[i] = (EFI_MEMORY_DESCRIPTOR){ EfiConventionalMemory, 0,
						i * 0x2000, 0, 1, 0 };
	CHECK(to_e820(d, 128, 0, 0), "128 fit");
	CHECK(conversion.bp.e820_entries == 128 &&
	      !conversion.bp.hdr.setup_data, "%u entries",
	      conversion.bp.e820_entries);

	CHECK(!to_e820(d, 129, 0, 0), "129 do not");
	CHECK(to_e820(d, 129, 0, 1), "129 and one more");
	CHECK(conversion.map.ext->len == 20, "%u", conversion.map.ext->len);
	CHECK(!to_e820(d, 200, 0, 71), "one too many");

	CHECK(to_e820(d, 200, 8, 72), "200");
	CHECK(conversion.bp.e820_entries == 128, "%u entries",
	      conversion.bp.e820_entries);
	CHECK(conversion.bp.hdr.setup_data == (u64)conversion.map.ext &&
	      !conversion.map.ext->next &&
	      conversion.map.ext->type == SETUP_E820_EXT &&
	      conversion.map.ext->len == 72 * 20, "setup_data");
	for (i = 0; i < 200; i++)
		check_e820(i, i * 0x2000, 0x1000, 1);
	/*
	 * The last descriptor follows the one before it without a gap. The
	 * conversion must enlarge the last entry in setup_data instead of
	 * adding an entry.
	 */
	d[199].PhysicalStart = 198 * 0x2000 + 0x1000;
	CHECK(to_e820(d, 200, 0, 71), "merged");
	check_e820(198, 198 * 0x2000, 0x2000, 1);
}

/*
 * The loader has passed a setup_data list. The stub's new node must come first,
 * and its next pointer must lead to the loader's list.
 */
TEST(e820_chain)
{
	static EFI_MEMORY_DESCRIPTOR d[129];
	struct boot_params bp = { .hdr.setup_data = 0x1234 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(d); i++)
		d[i] = (EFI_MEMORY_DESCRIPTOR){ EfiConventionalMemory, 0,
						i * 0x2000, 0, 1, 0 };
	to_e820(d, 129, 0, 1);
	CHECK(efi_make_e820(&bp, &conversion.map), "no room");
	CHECK(bp.hdr.setup_data == (u64)conversion.map.ext &&
	      conversion.map.ext->next == 0x1234, "0x%lx",
	      (u64)conversion.map.ext->next);
}

/*
 * Memory that firmware has not accepted (type 15) must become RAM in an SNP guest, because
 * the stub accepts it before it enters the kernel.
 */
TEST(unaccepted)
{
	static const EFI_MEMORY_DESCRIPTOR d[] = {
		{ 7, 0, 0x1000, 0, 1, 0 }, { 15, 0, 0x400000, 0, 2, 0 },
		{ 15, 0, 0x200000, 0, 512, 0 }, { 15, 0, 0x100000, 0, 0, 0 },
		{ 15, 0, 0x600000, 0, ~0UL, 0 },
	};
	struct range found;
	struct boot_params *bp = &conversion.bp;

	snp_efi_blob = 1;
	CHECK(to_e820(d, ARRAY_SIZE(d), 8, 0), "no room");
	snp_efi_blob = 0;
	CHECK(bp->e820_entries == 3, "%u entries", bp->e820_entries);
	check_e820(1, 0x400000, 0x2000, 1);
	check_e820(2, 0x200000, 0x200000, 1);

	efi_runtime_start = 1;
	efi_set_info(bp, &conversion.map);
	CHECK(efi_next_unaccepted(bp, 0, &found) && found.start == 0x200000 &&
	      found.end == 0x400000, "%#lx-%#lx", found.start, found.end);
	CHECK(efi_next_unaccepted(bp, found.end, &found) &&
	      found.start == 0x400000 && found.end == 0x402000, "%#lx-%#lx",
	      found.start, found.end);
	CHECK(!efi_next_unaccepted(bp, found.end, &found), "more");
	efi_runtime_start = 0;
	CHECK(!efi_next_unaccepted(bp, 0, &found), "a loader's map");
}
