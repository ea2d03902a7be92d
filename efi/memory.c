/* SPDX-License-Identifier: MIT */
/*
 * memory.c - firmware's memory: allocates the payload's runtime range, converts
 * firmware's memory map to an E820 map, and calls ExitBootServices, which needs
 * the key of the current memory map.
 *
 * All allocations are freed if the boot fails before ExitBootServices
 * (services.c).
 */
#include <asm/e820.h>

#include "e820.h"
#include "efi-handoff.h"
#include "efi-stub.h"
#include "ident_map.h"
#include "image.h"
#include "kaslr.h"
#include "lib/string.h"
#include "sev-snp.h"

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
	case EFI_UNACCEPTED_MEMORY:
		/*
		 * In an SNP guest, which the stub recognises by firmware's blob, the stub
		 * accepts memory of type EFI_UNACCEPTED_MEMORY later. Any other guest
		 * cannot use this memory.
		 */
		return snp_efi_blob ? E820_RAM : E820_RESERVED;
	default:
		return E820_RESERVED;
	}
}

/*
 * Ranges of the same E820 type that adjoin become one entry. Descriptors that
 * wrap around or have no pages are left out.
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

/*
 * Reads firmware's memory map into @map, which has room for map->room bytes.
 * Firmware may report another descriptor size at each call, and the stub's loops
 * over the map advance by this size. A size that holds no whole descriptor, or that
 * leaves descriptors unaligned, is therefore refused here.
 */
static EFI_STATUS get_memory_map(struct efi_memory_map *map)
{
	EFI_STATUS status;

	map->size = map->room;
	status = efi.bs->GetMemoryMap(&map->size, (void *)map->entries,
				      &map->key, &map->entry_size,
				      &map->version);
	if ((!status || status == EFI_BUFFER_TOO_SMALL) &&
	    (map->entry_size < sizeof(EFI_MEMORY_DESCRIPTOR) ||
	     map->entry_size % sizeof(u64)))
		return EFI_DEVICE_ERROR;
	return status;
}

EFI_STATUS efi_alloc_memory_map(struct efi_memory_map *map)
{
	EFI_STATUS status = get_memory_map(map);

	if (status != EFI_BUFFER_TOO_SMALL)
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
 * Claims [start, end) for a payload that can run nowhere else, although boot
 * services use memory there. That memory becomes free with ExitBootServices,
 * and the payload is decompressed after that. Free pages in the range are
 * allocated now, so that the stub allocates nothing else there. Returns an
 * error if firmware needs a part of the range longer than boot services.
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

/*
 * Returns true for firmware of American Megatrends with EFI up to 2.0. Its
 * memory map may report memory as free that is in use, so KASLR must not use
 * the map.
 */
static bool lists_wrong_memory(void)
{
	static const CHAR16 ami[] = u"American Megatrends";

	return efi.st->Hdr.Revision <= EFI_2_00_REVISION &&
	       !memcmp(efi.st->FirmwareVendor, ami, sizeof(ami));
}

/*
 * Returns false if firmware's memory map cannot be used for KASLR. This is so if
 * the map is known to be wrong. It is also so if an option on the command line
 * changes which memory the kernel may use, because the map does not show that.
 */
static bool knows_memory(const struct cmdline *cmdline)
{
	return cmdline_find_option(cmdline, "mem", NULL, 0) < 0 &&
	       cmdline_find_option(cmdline, "memmap", NULL, 0) < 0 &&
	       cmdline_find_option(cmdline, "efi_fake_mem", NULL, 0) < 0 &&
	       cmdline_find_option(cmdline, "hugepages", NULL, 0) < 0 &&
	       !lists_wrong_memory();
}

/*
 * Tells KASLR that the range of descriptor @d is an area of @kind if firmware
 * calls it free. Specific-purpose memory (EFI_MEMORY_SP) and ranges with
 * impossible sizes are left out.
 */
static void name_if_free(enum kaslr_area kind, const EFI_MEMORY_DESCRIPTOR *d)
{
	if (d->Type == EfiConventionalMemory &&
	    !(d->Attribute & EFI_MEMORY_SP) &&
	    d->NumberOfPages <= PTE_ADDR_MASK / PAGE_SIZE)
		kaslr_area(kind, d->PhysicalStart,
			   d->PhysicalStart + d->NumberOfPages * PAGE_SIZE);
}

/*
 * Allocates @pages pages at a random address for KASLR and stores the address
 * in *@start. Returns false if the payload cannot be moved, KASLR is not
 * wanted, firmware's memory map cannot be used, or the allocation fails.
 */
static bool alloc_anywhere(const struct cmdline *cmdline, u64 pages, u64 *start)
{
	const struct kaslr_slots want = {
		.size = pages * PAGE_SIZE, .align = image_info.align,
		.low = image_info.pref_address, .high = image_info.addr_max,
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
 * Stores in range[0] and range[1] start and end of the largest free memory in
 * firmware's map in which the payload can run, 0 and 0 if the map cannot be read.
 */
static void find_largest_free(u64 range[2])
{
	struct efi_memory_map map = { 0 };
	u64 largest = 0;
	UINTN at;

	range[0] = 0;
	if (!efi_alloc_memory_map(&map) && !get_memory_map(&map)) {
		for (at = 0; at + map.entry_size <= map.size;
		     at += map.entry_size) {
			const EFI_MEMORY_DESCRIPTOR *d =
				(const void *)(map.entries + at);
			u64 size = d->NumberOfPages * PAGE_SIZE;

			if (d->Type != EfiConventionalMemory ||
			    d->NumberOfPages > PTE_ADDR_MASK / PAGE_SIZE ||
			    d->PhysicalStart > image_info.addr_max)
				continue;
			if (size > image_info.addr_max - d->PhysicalStart)
				size = image_info.addr_max - d->PhysicalStart;
			if (size <= largest)
				continue;
			range[0] = d->PhysicalStart;
			largest = size;
		}
	}
	range[1] = range[0] + largest;
}

/*
 * Prints that firmware has no memory for the payload, and returns
 * EFI_OUT_OF_RESOURCES. @detail is a format of efi_fail_values(): it prints @first,
 * @second, and the start and end of the largest free memory.
 */
static EFI_STATUS no_room(const char *detail, u64 first, u64 second)
{
	u64 values[4] = { first, second };

	find_largest_free(values + 2);
	return efi_fail_values("not enough room", detail, values,
			       EFI_OUT_OF_RESOURCES);
}

/*
 * Chooses the memory in which the payload will run. A relocatable payload with
 * KASLR gets a random address if there is memory for it. Otherwise the link
 * address is allocated. If it is not free, a relocatable payload gets free
 * memory above it. A fixed payload then gets its link address all the same if
 * only boot services use it, because the payload is written there after
 * ExitBootServices().
 */
EFI_STATUS efi_alloc_runtime(const struct cmdline *cmdline)
{
	u64 size = ALIGN_UP(image_info.init_size, PAGE_SIZE);
	u64 pages = size / PAGE_SIZE;
	u64 slack = image_info.align / PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS addr = image_info.pref_address;
	u64 start = addr;
	bool ours = true;

	if (!alloc_anywhere(cmdline, pages, &start) &&
	    alloc_pages_at(addr, pages)) {
		if (!image_info.relocatable) {
			ours = false;
			if (claim_from_boot_services(addr, addr + size))
				return no_room(
				"the payload's link address is not free: it needs 0x%lx-0x%lx; the largest free memory is 0x%lx-0x%lx",
				addr, addr + size);
		} else {
			addr = image_info.addr_max - 1;
			if (efi_alloc_pages(AllocateMaxAddress, pages + slack, &addr))
				return no_room(
				"firmware has no memory of init_size: 0x%lx bytes at 0x%lx or above; the largest free memory is 0x%lx-0x%lx",
				size, image_info.pref_address);
			start = ALIGN_UP(addr, image_info.align);
		}
	}
	if (start < image_info.pref_address)
		return no_room(
		"firmware's free memory is below the link address: 0x%lx bytes at 0x%lx or above; the largest free memory is 0x%lx-0x%lx",
		size, image_info.pref_address);
	if (ours)
		efi_protect(start, start + size, EFI_MEMORY_XP);
	efi_runtime_start = start;
	return EFI_SUCCESS;
}

/*
 * ExitBootServices refuses the key of an old memory map, and an event handler
 * may have allocated memory since the map was read. After the refusal the stub may
 * call only GetMemoryMap and ExitBootServices again.
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

struct range efi_map_range(const struct boot_params *bp)
{
	const struct efi_info info = bp->efi_info;
	u64 at = (u64)info.efi_memmap_hi << 32 | info.efi_memmap;

	/*
	 * efi_runtime_start is 0 if a loader, not this stub, has left boot
	 * services. The stub then must not read the memory map, because the
	 * loader's page tables need not map it.
	 */
	if (!efi_runtime_start)
		return (struct range){ 0, 0 };
	return (struct range){ at, at + info.efi_memmap_size };
}

/*
 * Returns the first address after the memory that @d describes, or 0 if it is
 * not memory that can hold data. EfiReservedMemoryType can be memory in which a
 * loader has put data, or a device (UEFI 2.10 7.2). A range of this type counts as
 * memory if it can be cached with write-back, which is impossible for a device.
 */
static u64 memory_end(const EFI_MEMORY_DESCRIPTOR *d)
{
	if (d->Type == EfiReservedMemoryType && !(d->Attribute & EFI_MEMORY_WB))
		return 0;
	if (d->Type == EfiMemoryMappedIO || d->Type == EfiMemoryMappedIOPortSpace ||
	    d->Type == EfiUnusableMemory || d->Type > EFI_PERSISTENT_MEMORY ||
	    d->NumberOfPages > PTE_ADDR_MASK / PAGE_SIZE)
		return 0;
	return d->PhysicalStart + d->NumberOfPages * PAGE_SIZE;
}

bool efi_may_hold(const struct boot_params *bp, u64 start, u64 end)
{
	const u64 step = bp->efi_info.efi_memdesc_size;
	struct range map = efi_map_range(bp);
	u64 before, at;

	if (start >= end)
		return false;
	/*
	 * Descriptors do not overlap, but need not be sorted. Each pass moves
	 * @start after the descriptors that hold it.
	 */
	do {
		before = start;
		for (at = map.start; at < map.end && map.end - at >= step;
		     at += step) {
			const EFI_MEMORY_DESCRIPTOR *d = (const void *)at;

			if (d->PhysicalStart <= start && memory_end(d) > start)
				start = memory_end(d);
		}
	} while (start > before && start < end);
	return start >= end;
}

bool efi_next_unaccepted(const struct boot_params *bp, u64 from, struct range *found)
{
	const u64 step = bp->efi_info.efi_memdesc_size;
	struct range map = efi_map_range(bp);
	u64 at, end;

	*found = (struct range){ ~0UL, 0 };
	for (at = map.start; at < map.end && map.end - at >= step; at += step) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)at;

		if (d->Type != EFI_UNACCEPTED_MEMORY ||
		    d->NumberOfPages > PTE_ADDR_MASK / PAGE_SIZE)
			continue;
		end = d->PhysicalStart + d->NumberOfPages * PAGE_SIZE;
		if (d->PhysicalStart >= from && d->PhysicalStart < found->start &&
		    end > d->PhysicalStart)
			*found = (struct range){ d->PhysicalStart, end };
	}
	return found->end;
}

void efi_name_free_memory(const struct boot_params *bp)
{
	const struct efi_info info = bp->efi_info;
	u64 at = (u64)info.efi_memmap_hi << 32 | info.efi_memmap;
	u64 end = at + info.efi_memmap_size;

	if (info.efi_loader_signature != EFI64_LOADER_SIGNATURE ||
	    !e820_is_ram(bp, at, end))
		return;
	/*
	 * Keep the payload away from firmware's memory map even if the checks
	 * below refuse the map, because the kernel may be able to read it.
	 */
	kaslr_area(KASLR_TAKEN, ALIGN_DOWN(at, PAGE_SIZE),
		   ALIGN_UP(end, PAGE_SIZE));
	if (info.efi_memdesc_size < sizeof(EFI_MEMORY_DESCRIPTOR) ||
	    (at | info.efi_memdesc_size) % sizeof(u64))
		return;
	/*
	 * Map only the pages of the memory map. A page fault would map the RAM
	 * around them as well, and KASLR leaves out RAM that is mapped.
	 */
	if (ident_map_range(at, end, MAP_WRITE))
		return;
	for (; end - at >= info.efi_memdesc_size; at += info.efi_memdesc_size)
		name_if_free(KASLR_FIRMWARE_FREE, (const void *)at);
}
