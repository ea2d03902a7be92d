/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory by firmware's account: a range for the payload, the map
 * as the payload wants it, and the end of boot services, which the map's key
 * decides.
 *
 * What is allocated is on loan (services.c) until ExitBootServices.
 */
#include <asm/e820.h>

#include "e820.h"
#include "efi-handoff.h"
#include "efi-stub.h"
#include "ident_map.h"
#include "image.h"
#include "kaslr.h"
#include "lib/string.h"

static u32 e820_type(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiLoaderCode:
	case EfiLoaderData:
	case EfiBootServicesCode:
	case EfiBootServicesData:
	case EfiConventionalMemory:
		return d->Attribute & EFI_MEMORY_SP ? E820_SOFT_RESERVED :
						      E820_RAM;
	case EfiACPIReclaimMemory:
		return E820_ACPI;
	case EfiACPIMemoryNVS:
		return E820_NVS;
	case EfiUnusableMemory:
		return E820_UNUSABLE;
	case EFI_PERSISTENT_MEMORY:
		return E820_PMEM;
	default:
		return E820_RESERVED;
	}
}

/*
 * Firmware's map as E820 has it; neighbours of one type become one entry. What
 * does not fit into the zero page goes on in @ext. Entries that wrap or have
 * no pages are left out. Returns false if even that has no room.
 */
bool efi_make_e820(struct boot_params *bp, const struct efi_memory_map *map)
{
	struct boot_e820_entry *ext = (void *)map->ext->data;
	struct boot_e820_entry *last = NULL;
	u64 count = 0;
	UINTN at;

	for (at = 0; at + map->entry_size <= map->size; at += map->entry_size) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map->entries + at);
		u64 size = d->NumberOfPages * PAGE_SIZE;
		u32 type = e820_type(d);

		if (!size || size / PAGE_SIZE != d->NumberOfPages ||
		    d->PhysicalStart + size < d->PhysicalStart)
			continue;
		if (last && last->type == type &&
		    last->addr + last->size == d->PhysicalStart) {
			last->size += size;
			continue;
		}
		if (count < E820_MAX_ENTRIES_ZEROPAGE)
			last = &bp->e820_table[count];
		else if (count - E820_MAX_ENTRIES_ZEROPAGE < map->ext_room)
			last = &ext[count - E820_MAX_ENTRIES_ZEROPAGE];
		else
			return false;
		last->addr = d->PhysicalStart;
		last->size = size;
		last->type = type;
		count++;
	}
	bp->e820_entries = (u8)(count < E820_MAX_ENTRIES_ZEROPAGE ?
				count : E820_MAX_ENTRIES_ZEROPAGE);
	if (count > E820_MAX_ENTRIES_ZEROPAGE) {
		map->ext->type = SETUP_E820_EXT;
		map->ext->len = (u32)((count - E820_MAX_ENTRIES_ZEROPAGE) *
				      sizeof(*ext));
		map->ext->next = bp->hdr.setup_data;
		bp->hdr.setup_data = (u64)map->ext;
	}
	return true;
}

static EFI_STATUS get_memory_map(struct efi_memory_map *map)
{
	map->size = map->room;
	return efi.bs->GetMemoryMap(&map->size, (void *)map->entries, &map->key,
				    &map->entry_size, &map->version);
}

EFI_STATUS efi_alloc_memory_map(struct efi_memory_map *map)
{
	EFI_STATUS status = get_memory_map(map);

	if (status != EFI_BUFFER_TOO_SMALL ||
	    map->entry_size < sizeof(EFI_MEMORY_DESCRIPTOR))
		return EFI_DEVICE_ERROR;
	map->room = map->size + MEMORY_MAP_SLACK * map->entry_size;
	map->ext_room = map->room / map->entry_size;
	map->entries = (void *)efi_alloc_below(map->room, U32_MAX);
	map->ext = (void *)efi_alloc_below(sizeof(*map->ext) + map->ext_room *
				       sizeof(struct boot_e820_entry), U32_MAX);
	return map->entries && map->ext ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS alloc_pages_at(u64 addr, u64 pages)
{
	EFI_PHYSICAL_ADDRESS at = addr;

	return efi_alloc_pages(AllocateAddress, pages, &at);
}

/*
 * [start, end) for a payload that runs nowhere else, although firmware has
 * something there: what is in use by boot services only becomes ours with
 * their end, and the payload is decompressed after that, on our own tables.
 * What is free is allocated now, so that nothing of ours comes to lie there.
 */
static EFI_STATUS claim_from_boot_services(u64 start, u64 end)
{
	struct efi_memory_map map = { 0 };
	u64 low, high, found = 0;
	EFI_STATUS status;
	UINTN at;

	status = efi_alloc_memory_map(&map);
	if (!status)
		status = get_memory_map(&map);
	for (at = 0; !status && at + map.entry_size <= map.size;
	     at += map.entry_size) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map.entries + at);

		low = d->PhysicalStart;
		high = low + d->NumberOfPages * PAGE_SIZE;
		if (high < low || d->NumberOfPages > PTE_ADDR_MASK / PAGE_SIZE)
			return EFI_OUT_OF_RESOURCES;
		if (low < start)
			low = start;
		if (high > end)
			high = end;
		if (low >= high)
			continue;
		found += high - low;
		if (d->Type == EfiConventionalMemory)
			status = alloc_pages_at(low, (high - low) / PAGE_SIZE);
		else if (d->Type != EfiBootServicesCode &&
			 d->Type != EfiBootServicesData)
			status = EFI_OUT_OF_RESOURCES;
	}
	if (!status && found != end - start)
		status = EFI_OUT_OF_RESOURCES;
	return status;
}

/* Firmware of that name up to EFI 2.0 lists memory as free that is not. */
static bool lists_wrong_memory(void)
{
	static const CHAR16 ami[] = u"American Megatrends";

	return efi.st->Hdr.Revision <= EFI_2_00_REVISION &&
	       !memcmp(efi.st->FirmwareVendor, ami, sizeof(ami));
}

/*
 * Firmware knows nothing of what these do to memory, and does not say what
 * should be left alone.
 */
static bool knows_memory(const struct cmdline *cmdline)
{
	return cmdline_find_option(cmdline, "mem", NULL, 0) < 0 &&
	       cmdline_find_option(cmdline, "memmap", NULL, 0) < 0 &&
	       cmdline_find_option(cmdline, "efi_fake_mem", NULL, 0) < 0 &&
	       cmdline_find_option(cmdline, "hugepages", NULL, 0) < 0 &&
	       !lists_wrong_memory();
}

/* Not what is set aside for a purpose, and nothing that is impossible. */
static void name_if_free(enum kaslr_area kind, const EFI_MEMORY_DESCRIPTOR *d)
{
	if (d->Type == EfiConventionalMemory &&
	    !(d->Attribute & EFI_MEMORY_SP) &&
	    d->NumberOfPages <= PTE_ADDR_MASK / PAGE_SIZE)
		kaslr_area(kind, d->PhysicalStart,
			   d->PhysicalStart + d->NumberOfPages * PAGE_SIZE);
}

/* KASLR: if this returns true, *@start is where there is memory for us. */
static bool alloc_anywhere(const struct cmdline *cmdline, u64 pages, u64 *start)
{
	const struct kaslr_slots want = {
		.size = pages * PAGE_SIZE, .align = image_info.align,
		.low = image_info.pref_address, .high = PAYLOAD_ADDR_MAX,
	};
	struct efi_memory_map map = { 0 };
	u64 addr;
	UINTN at;

	if (!image_info.relocatable || !kaslr_wanted(cmdline) ||
	    !knows_memory(cmdline) || efi_alloc_memory_map(&map) ||
	    get_memory_map(&map))
		return false;
	efi_seed_kaslr();
	for (at = 0; at + map.entry_size <= map.size; at += map.entry_size)
		name_if_free(KASLR_RAM, (const void *)(map.entries + at));
	if (!kaslr_pick(&want, &addr) || alloc_pages_at(addr, pages))
		return false;
	*start = addr;
	return true;
}

/*
 * The payload's range: anywhere, or where it is linked if that can be had, or,
 * if it may, at any multiple of its alignment above that.
 */
EFI_STATUS efi_alloc_runtime(const struct cmdline *cmdline)
{
	u64 pages = ALIGN_UP(image_info.init_size, PAGE_SIZE) / PAGE_SIZE;
	u64 slack = image_info.align / PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS addr = image_info.pref_address;
	u64 start = addr;
	bool ours = true;

	if (!alloc_anywhere(cmdline, pages, &start) &&
	    alloc_pages_at(addr, pages)) {
		if (!image_info.relocatable) {
			ours = false;
			if (claim_from_boot_services(addr, addr + pages * PAGE_SIZE))
				return efi_fail("not enough room",
					    "the payload's link address is not free",
					    EFI_OUT_OF_RESOURCES);
		} else {
			if (efi_alloc_pages(AllocateAnyPages, pages + slack, &addr))
				return efi_fail("not enough room",
					    "firmware has no memory of init_size",
					    EFI_OUT_OF_RESOURCES);
			start = ALIGN_UP(addr, image_info.align);
		}
	}
	if (start < image_info.pref_address)
		return efi_fail("not enough room",
			    "firmware's free memory is below the link address",
			    EFI_OUT_OF_RESOURCES);
	if (ours)
		efi_protect(start, start + pages * PAGE_SIZE, EFI_MEMORY_XP);
	efi_runtime_start = start;
	return EFI_SUCCESS;
}

/*
 * Firmware refuses a key that is not the newest: an event handler may have
 * allocated in between. Then only the map may be asked for once more.
 */
EFI_STATUS efi_exit_boot_services(struct efi_memory_map *map)
{
	EFI_STATUS status = get_memory_map(map);

	if (!status)
		status = efi.bs->ExitBootServices(efi.image, map->key);
	if (status == EFI_INVALID_PARAMETER) {
		status = get_memory_map(map);
		if (!status)
			status = efi.bs->ExitBootServices(efi.image, map->key);
	}
	return status;
}

void efi_set_info(struct boot_params *bp, const struct efi_memory_map *map)
{
	u64 systab = (u64)efi.st, memmap = (u64)map->entries;

	bp->efi_info.efi_loader_signature = EFI64_LOADER_SIGNATURE;
	bp->efi_info.efi_systab = (u32)systab;
	bp->efi_info.efi_systab_hi = (u32)(systab >> 32);
	bp->efi_info.efi_memdesc_size = (u32)map->entry_size;
	bp->efi_info.efi_memdesc_version = map->version;
	bp->efi_info.efi_memmap = (u32)memmap;
	bp->efi_info.efi_memmap_hi = (u32)(memmap >> 32);
	bp->efi_info.efi_memmap_size = (u32)map->size;
}

void efi_name_free_memory(const struct boot_params *bp)
{
	const struct efi_info info = bp->efi_info;
	u64 at = (u64)info.efi_memmap_hi << 32 | info.efi_memmap;
	u64 end = at + info.efi_memmap_size;

	if (info.efi_loader_signature != EFI64_LOADER_SIGNATURE ||
	    !e820_is_ram(bp, at, end))
		return;
	/* The kernel may read what we cannot. */
	kaslr_area(KASLR_TAKEN, ALIGN_DOWN(at, PAGE_SIZE),
		   ALIGN_UP(end, PAGE_SIZE));
	if (info.efi_memdesc_size < sizeof(EFI_MEMORY_DESCRIPTOR) ||
	    (at | info.efi_memdesc_size) % sizeof(u64))
		return;
	/* Left to page faults, it would take the RAM around it along. */
	if (ident_map_range(at, end, MAP_WRITE))
		return;
	for (; end - at >= info.efi_memdesc_size; at += info.efi_memdesc_size)
		name_if_free(KASLR_FIRMWARE_FREE, (const void *)at);
}
