/* SPDX-License-Identifier: MIT */
/*
 * efi.c - firmware's world: from efi_pe_entry() to ExitBootServices, and then
 * the same road as every other entry, at startup_64.
 *
 * Runs on firmware's stack, page tables and #VC handler, and uses its services
 * for what only it can do: memory, command line, initrd, screen, memory map.
 * Until ExitBootServices whatever is wrong is said on ConOut and returned as a
 * status, with the machine still usable. State that survives is in .data.
 *
 * The image stays where firmware loaded it: only the payload's range is
 * allocated, so nothing has to move and no memory of firmware's is ever
 * writable and executable for us.
 */
#include <linux/screen_info.h>

#include "efi-types.h"
#include "misc.h"
#include "setup.h"

#ifndef HAVE_USE_MS_ABI
#error "EFI's calling convention is missing"
#endif

in_data u64 efi_runtime_start;

static in_data struct {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *loaded;
	unsigned int loans;
} efi;

/* Pages that firmware lent: with an error status they go back. */
static struct {
	EFI_PHYSICAL_ADDRESS addr;
	UINTN pages;
} loans[64];

static const EFI_GUID loaded_image_guid = LOADED_IMAGE_PROTOCOL;
static const EFI_GUID file_system_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
static const EFI_GUID file_info_guid = EFI_FILE_INFO_ID;
static const EFI_GUID load_file2_guid = EFI_LOAD_FILE2_PROTOCOL_GUID;
static const EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
static const EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
static const EFI_GUID rng_table_guid = LINUX_EFI_RANDOM_SEED_TABLE_GUID;
static const EFI_GUID acpi_guid = ACPI_20_TABLE_GUID;
static const EFI_GUID global_guid = EFI_GLOBAL_VARIABLE;
static const EFI_GUID mor_guid = MEMORY_OVERWRITE_REQUEST_GUID;

/* The services take GUIDs and names without const, and change neither. */
#define MUTABLE(guid) ((EFI_GUID *)(u64)&(guid))

/* ---- Messages. */

static void efi_print(const char *s)
{
	CHAR16 buf[64];
	unsigned int n = 0;

	for (; *s; s++) {
		buf[n++] = (u8)*s;
		if (n == ARRAY_SIZE(buf) - 1 || !s[1]) {
			buf[n] = 0;
			efi.st->ConOut->OutputString(efi.st->ConOut, buf);
			n = 0;
		}
	}
}

/* "sevstub: <what>: <detail>", and the status to return. */
static EFI_STATUS fail(const char *what, const char *detail, EFI_STATUS status)
{
	efi_print("sevstub: ");
	efi_print(what);
	efi_print(": ");
	efi_print(detail);
	efi_print("\r\n");
	return status;
}

/* ---- Memory. */

static EFI_STATUS alloc_pages(EFI_ALLOCATE_TYPE type, u64 pages,
			      EFI_PHYSICAL_ADDRESS *addr)
{
	EFI_STATUS status;

	if (efi.loans == ARRAY_SIZE(loans))
		return EFI_OUT_OF_RESOURCES;
	status = efi.bs->AllocatePages(type, EfiLoaderData, pages, addr);
	if (!status) {
		loans[efi.loans].addr = *addr;
		loans[efi.loans++].pages = pages;
	}
	return status;
}

/* Firmware takes nothing back by itself when an image returns. */
static EFI_STATUS give_back(EFI_STATUS status)
{
	while (efi.loans) {
		efi.loans--;
		efi.bs->FreePages(loans[efi.loans].addr, loans[efi.loans].pages);
	}
	return status;
}

/* @size bytes that end at or below @max; 0 if there are none. */
static u64 alloc_below(u64 size, u64 max)
{
	EFI_PHYSICAL_ADDRESS addr = max;

	if (alloc_pages(AllocateMaxAddress,
			ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE, &addr))
		return 0;
	return addr;
}

/* ---- The image itself. */

static EFI_STATUS check_payload(void)
{
	const struct payload_header *p = (const void *)payload_start;
	const u8 *comp = payload_start + sizeof(*p);

	if (memcmp(p->magic, PAYLOAD_MAGIC, sizeof(p->magic)))
		return fail("wrong magic", "there is no payload header",
			    EFI_LOAD_ERROR);
	if (p->comp_size != (u64)(payload_end - comp))
		return fail("size mismatch", "the image is cut or extended",
			    EFI_LOAD_ERROR);
	if (p->header_digest !=
	    xxh64(p, offsetof(struct payload_header, header_digest)))
		return fail("corrupt payload header", "wrong digest",
			    EFI_CRC_ERROR);
	if (p->comp_digest != xxh64(comp, p->comp_size))
		return fail("corrupt payload", "wrong digest", EFI_CRC_ERROR);
	return EFI_SUCCESS;
}

/*
 * A zero page from scratch: of the header only what the build put there. A
 * loader's fields mean nothing here, though they may hold something: QEMU
 * fills them in before firmware gets to see the file.
 */
static struct boot_params *make_boot_params(void)
{
	struct boot_params *bp = (void *)alloc_below(sizeof(*bp), U32_MAX);

	if (!bp)
		return NULL;
	memset(bp, 0, sizeof(*bp));
	memcpy(&bp->hdr, setup_header, sizeof(bp->hdr));
	bp->hdr.type_of_loader = LOADER_TYPE_EFI_STUB;
	bp->hdr.ext_loader_ver = 0;
	bp->hdr.ext_loader_type = 0;
	bp->hdr.loadflags = LOADED_HIGH;
	bp->hdr.heap_end_ptr = 0;
	bp->hdr.ramdisk_image = 0;
	bp->hdr.ramdisk_size = 0;
	bp->hdr.cmd_line_ptr = 0;
	bp->hdr.setup_data = 0;
	bp->hdr.code32_start = (u32)(u64)startup_32;
	return bp;
}

/* ---- Command line. */

/*
 * Converts @len UTF-16 units to UTF-8. What is no Unicode becomes '?'. Returns
 * the number of bytes, of which at most @size are written.
 */
static size_t utf16_to_utf8(u8 *out, size_t size, const CHAR16 *in, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len && in[i]; i++) {
		u32 c = in[i];
		u8 bytes[4];
		unsigned int count, b;

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < len &&
		    in[i + 1] >= 0xdc00 && in[i + 1] < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (in[++i] - 0xdc00U);
		} else if (c >= 0xd800 && c < 0xe000) {
			c = '?';
		}
		if (c < 0x80) {
			bytes[0] = (u8)c;
			count = 1;
		} else if (c < 0x800) {
			bytes[0] = (u8)(0xc0 | c >> 6);
			count = 2;
		} else if (c < 0x10000) {
			bytes[0] = (u8)(0xe0 | c >> 12);
			count = 3;
		} else {
			bytes[0] = (u8)(0xf0 | c >> 18);
			count = 4;
		}
		for (b = 1; b < count; b++)
			bytes[b] = (u8)(0x80 | (c >> 6 * (count - 1 - b) & 0x3f));
		for (b = 0; b < count; b++, n++) {
			if (n < size)
				out[n] = bytes[b];
		}
	}
	return n;
}

static EFI_STATUS get_cmdline(struct boot_params *bp, struct cmdline *cmdline)
{
	const CHAR16 *options = efi.loaded->LoadOptions;
	size_t units = efi.loaded->LoadOptionsSize / sizeof(CHAR16);
	u64 size = image_info.cmdline_size + 1;
	u8 *text;
	size_t len;

	cmdline->text = builtin_cmdline;
	cmdline->len = strlen(builtin_cmdline);
	if (!options || !units || !options[0])
		return EFI_SUCCESS;

	text = (u8 *)alloc_below(size, U32_MAX);
	if (!text)
		return fail("command line", "no memory", EFI_OUT_OF_RESOURCES);
	len = utf16_to_utf8(text, size, options, units);
	if (len >= size)
		return fail("command line", "longer than the payload takes",
			    EFI_INVALID_PARAMETER);
	text[len] = 0;
	bp->hdr.cmd_line_ptr = (u32)(u64)text;
	cmdline->text = (const char *)text;
	cmdline->len = len;
	return EFI_SUCCESS;
}

/* ---- Initrd. */

/* UEFI's longest file name, with its NUL. */
#define INITRD_NAME_SIZE	256

static void set_initrd(struct boot_params *bp, u64 addr, u64 size)
{
	bp->hdr.ramdisk_image = (u32)addr;
	bp->ext_ramdisk_image = (u32)(addr >> 32);
	bp->hdr.ramdisk_size = (u32)size;
	bp->ext_ramdisk_size = (u32)(size >> 32);
}

/* EFI_NOT_FOUND: nobody offers one this way. */
static EFI_STATUS load_file2_initrd(struct boot_params *bp)
{
	static const struct linux_initrd_path media = LINUX_INITRD_MEDIA_PATH;
	EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)(u64)&media;
	struct efi_load_file2 *loader;
	EFI_HANDLE handle;
	UINTN size = 0;
	EFI_STATUS status;
	u64 addr;

	if (efi.bs->LocateDevicePath(MUTABLE(load_file2_guid), &path, &handle) ||
	    efi.bs->HandleProtocol(handle, MUTABLE(load_file2_guid),
				   (void **)&loader))
		return EFI_NOT_FOUND;

	path = (EFI_DEVICE_PATH *)(u64)&media.end;
	status = loader->load_file(loader, path, FALSE, &size, NULL);
	if (status == EFI_NOT_FOUND || (status == EFI_SUCCESS && !size))
		return EFI_NOT_FOUND;
	if (status != EFI_BUFFER_TOO_SMALL || size > PAYLOAD_MAX_SIZE)
		return fail("initrd", "its loader reports an error",
			    EFI_LOAD_ERROR);
	addr = alloc_below(size, INITRD_ADDR_MAX);
	if (!addr)
		return fail("initrd", "no memory", EFI_OUT_OF_RESOURCES);
	status = loader->load_file(loader, path, FALSE, &size, (void *)addr);
	if (status)
		return fail("initrd", "cannot be loaded", status);
	set_initrd(bp, addr, size);
	return EFI_SUCCESS;
}

/*
 * One file of at most @room bytes. Without @buf only its size is looked at.
 */
static EFI_STATUS read_file(EFI_FILE_HANDLE volume, const char *name, u8 *buf,
			    u64 room, u64 *size)
{
	CHAR16 path[INITRD_NAME_SIZE];
	union {
		EFI_FILE_INFO info;
		u8 room[sizeof(EFI_FILE_INFO) + sizeof(path)];
	} info;
	UINTN len = sizeof(info);
	EFI_FILE_HANDLE file;
	EFI_STATUS status;
	size_t i;

	for (i = 0; name[i]; i++)
		path[i] = name[i] == '/' ? '\\' : (u8)name[i];
	path[i] = 0;

	status = volume->Open(volume, &file, path, EFI_FILE_MODE_READ, 0);
	if (status)
		return fail("initrd: not found", name, status);
	status = file->GetInfo(file, MUTABLE(file_info_guid), &len, &info);
	*size = len = status ? 0 : info.info.FileSize;
	if (status)
		fail("initrd: no size", name, status);
	else if (*size > room)
		status = fail(buf ? "initrd: it changes" : "initrd: too large",
			      name, EFI_BAD_BUFFER_SIZE);
	else if (buf && (file->Read(file, &len, buf) || len != *size))
		status = fail("initrd: cannot be read", name, EFI_LOAD_ERROR);
	file->Close(file);
	return status;
}

/* One round over all initrd=FILE, each at a multiple of 4 bytes. */
static EFI_STATUS read_files(EFI_FILE_HANDLE volume,
			     const struct cmdline *cmdline, u8 *buf, u64 room,
			     u64 *total)
{
	struct cmdline rest = *cmdline;
	char name[INITRD_NAME_SIZE];
	EFI_STATUS status;
	u64 size = 0;
	int len;

	*total = 0;
	while ((len = cmdline_next_option(&rest, "initrd", name,
					  sizeof(name))) >= 0) {
		if (len >= (int)sizeof(name))
			return fail("initrd: name too long", name,
				    EFI_INVALID_PARAMETER);
		status = read_file(volume, name, buf ? buf + *total : NULL,
				   room - *total, &size);
		if (status)
			return status;
		*total += ALIGN_UP(size, 4UL);
	}
	return EFI_SUCCESS;
}

/*
 * initrd=FILE, any number of times: one behind the other, as the kernel's own
 * EFI entry has them. Two rounds: sizes, then contents.
 */
static EFI_STATUS load_initrd_files(struct boot_params *bp,
				    const struct cmdline *cmdline)
{
	EFI_FILE_IO_INTERFACE *fs;
	EFI_FILE_HANDLE volume;
	struct cmdline rest = *cmdline;
	u64 addr = 0, total, size;
	EFI_STATUS status;
	char name;

	if (cmdline_next_option(&rest, "initrd", &name, sizeof(name)) < 0)
		return EFI_SUCCESS;
	if (efi.bs->HandleProtocol(efi.loaded->DeviceHandle,
				   MUTABLE(file_system_guid), (void **)&fs) ||
	    fs->OpenVolume(fs, &volume))
		return fail("initrd", "no file system to read it from",
			    EFI_NOT_FOUND);

	status = read_files(volume, cmdline, NULL, PAYLOAD_MAX_SIZE, &total);
	if (!status && total) {
		addr = alloc_below(total, INITRD_ADDR_MAX);
		if (!addr) {
			status = fail("initrd", "no memory",
				      EFI_OUT_OF_RESOURCES);
		} else {
			memset((void *)addr, 0, total);
			status = read_files(volume, cmdline, (u8 *)addr, total,
					    &size);
		}
	}
	volume->Close(volume);
	if (!status && total)
		set_initrd(bp, addr, total);
	return status;
}

static EFI_STATUS get_initrd(struct boot_params *bp,
			     const struct cmdline *cmdline)
{
	EFI_STATUS status = load_file2_initrd(bp);

	return status == EFI_NOT_FOUND ? load_initrd_files(bp, cmdline) : status;
}

/* ---- What the payload wants to know of the machine. */

static void pixel_field(u32 mask, u8 *size, u8 *position)
{
	*position = mask ? (u8)__builtin_ctz(mask) : 0;
	*size = mask ? (u8)(32 - __builtin_clz(mask)) - *position : 0;
}

static void get_screen(struct screen_info *si)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
	EFI_PIXEL_BITMASK mask = { 0xff, 0xff00, 0xff0000, 0xff000000 };

	if (efi.bs->LocateProtocol(MUTABLE(gop_guid), NULL, (void **)&gop))
		return;
	info = gop->Mode->Info;
	switch (info->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		break;
	case PixelBlueGreenRedReserved8BitPerColor:
		mask.RedMask = 0xff0000;
		mask.BlueMask = 0xff;
		break;
	case PixelBitMask:
		mask = info->PixelInformation;
		break;
	default:
		return;		/* no frame buffer to draw into */
	}
	si->orig_video_isVGA = VIDEO_TYPE_EFI;
	si->lfb_width = (u16)info->HorizontalResolution;
	si->lfb_height = (u16)info->VerticalResolution;
	si->lfb_base = (u32)gop->Mode->FrameBufferBase;
	si->ext_lfb_base = (u32)(gop->Mode->FrameBufferBase >> 32);
	if (si->ext_lfb_base)
		si->capabilities |= VIDEO_CAPABILITY_64BIT_BASE;
	si->lfb_size = (u32)gop->Mode->FrameBufferSize;
	si->pages = 1;
	pixel_field(mask.RedMask, &si->red_size, &si->red_pos);
	pixel_field(mask.GreenMask, &si->green_size, &si->green_pos);
	pixel_field(mask.BlueMask, &si->blue_size, &si->blue_pos);
	pixel_field(mask.ReservedMask, &si->rsvd_size, &si->rsvd_pos);
	si->lfb_depth = (u16)(si->red_size + si->green_size + si->blue_size +
			      si->rsvd_size);
	si->lfb_linelength = (u16)(info->PixelsPerScanLine * si->lfb_depth / 8);
}

static u64 find_rsdp(void)
{
	UINTN i;

	for (i = 0; i < efi.st->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t = &efi.st->ConfigurationTable[i];

		if (!memcmp(&t->VendorGuid, &acpi_guid, sizeof(acpi_guid)))
			return (u64)t->VendorTable;
	}
	return 0;
}

static EFI_STATUS get_byte_variable(const CHAR16 *name, const EFI_GUID *guid,
				    u8 *value)
{
	UINTN size = sizeof(*value);

	return efi.st->RuntimeServices->GetVariable((CHAR16 *)(u64)name,
						    (EFI_GUID *)(u64)guid, NULL,
						    &size, value);
}

static u8 get_secure_boot(void)
{
	u8 secure_boot, setup_mode;
	EFI_STATUS status = get_byte_variable(u"SecureBoot", &global_guid,
					      &secure_boot);

	if (status == EFI_NOT_FOUND)
		return SECURE_BOOT_DISABLED;
	if (status || get_byte_variable(u"SetupMode", &global_guid, &setup_mode))
		return SECURE_BOOT_UNKNOWN;
	return secure_boot == 1 && setup_mode == 0 ? SECURE_BOOT_ENABLED :
						     SECURE_BOOT_DISABLED;
}

/*
 * Memory is to be overwritten should the machine be reset under the kernel
 * (TCG Platform Reset Attack Mitigation 1.10): only where firmware offers it.
 */
static void request_memory_overwrite(void)
{
	u8 value;

	if (get_byte_variable(u"MemoryOverwriteRequestControl", &mor_guid,
			      &value))
		return;
	value = 1;
	efi.st->RuntimeServices->SetVariable(
		(CHAR16 *)(u64)u"MemoryOverwriteRequestControl",
		MUTABLE(mor_guid), EFI_VARIABLE_NON_VOLATILE |
		EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
		sizeof(value), &value);
}

/* A seed for the kernel's random numbers, in a configuration table. */
static void install_random_seed(void)
{
	struct linux_random_seed *seed;
	EFI_RNG_PROTOCOL *rng;

	if (efi.bs->LocateProtocol(MUTABLE(rng_guid), NULL, (void **)&rng) ||
	    efi.bs->AllocatePool(EfiACPIReclaimMemory, sizeof(*seed),
				 (void **)&seed))
		return;
	seed->size = sizeof(seed->bits);
	if (rng->GetRNG(rng, NULL, sizeof(seed->bits), seed->bits) ||
	    efi.bs->InstallConfigurationTable(MUTABLE(rng_table_guid), seed)) {
		memset(seed, 0, sizeof(*seed));
		efi.bs->FreePool(seed);
	}
}

/* ---- The memory map, and the end of boot services. */

struct memory_map {
	u8 *entries;
	UINTN size;		/* of all entries, in bytes */
	UINTN room;
	UINTN key;
	UINTN entry_size;
	UINT32 version;
	struct setup_data *ext;	/* for what the zero page cannot hold */
	u64 ext_room;		/* entries */
};

static u32 e820_type(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiLoaderCode:
	case EfiLoaderData:
	case EfiBootServicesCode:
	case EfiBootServicesData:
	case EfiConventionalMemory:
		return d->Attribute & EFI_MEMORY_SP ? E820_TYPE_SOFT_RESERVED :
						      E820_TYPE_RAM;
	case EfiACPIReclaimMemory:
		return E820_TYPE_ACPI;
	case EfiACPIMemoryNVS:
		return E820_TYPE_NVS;
	case EfiUnusableMemory:
		return E820_TYPE_UNUSABLE;
	case EFI_PERSISTENT_MEMORY:
		return E820_TYPE_PMEM;
	default:
		return E820_TYPE_RESERVED;
	}
}

/*
 * Firmware's map as E820 has it; neighbours of one type become one entry. What
 * does not fit into the zero page goes on in @ext. Entries that wrap or have
 * no pages are left out. Returns false if even that has no room.
 */
static bool make_e820(struct boot_params *bp, const struct memory_map *map)
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

static EFI_STATUS get_memory_map(struct memory_map *map)
{
	map->size = map->room;
	return efi.bs->GetMemoryMap(&map->size, (void *)map->entries, &map->key,
				    &map->entry_size, &map->version);
}

/* Room for the map as it may have grown by the time that it counts. */
static EFI_STATUS alloc_memory_map(struct memory_map *map)
{
	EFI_STATUS status = get_memory_map(map);

	if (status != EFI_BUFFER_TOO_SMALL ||
	    map->entry_size < sizeof(EFI_MEMORY_DESCRIPTOR))
		return EFI_DEVICE_ERROR;
	map->room = map->size + MEMORY_MAP_SLACK * map->entry_size;
	map->ext_room = map->room / map->entry_size;
	map->entries = (void *)alloc_below(map->room, U32_MAX);
	map->ext = (void *)alloc_below(sizeof(*map->ext) + map->ext_room *
				       sizeof(struct boot_e820_entry), U32_MAX);
	return map->entries && map->ext ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS alloc_pages_at(u64 addr, u64 pages)
{
	EFI_PHYSICAL_ADDRESS at = addr;

	return alloc_pages(AllocateAddress, pages, &at);
}

/*
 * [start, end) for a payload that runs nowhere else, although firmware has
 * something there: what is in use by boot services only becomes ours with
 * their end, and the payload is decompressed after that, on our own tables.
 * What is free is allocated now, so that nothing of ours comes to lie there.
 */
static EFI_STATUS claim_from_boot_services(u64 start, u64 end)
{
	struct memory_map map = { 0 };
	u64 low, high, found = 0;
	EFI_STATUS status;
	UINTN at;

	status = alloc_memory_map(&map);
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
 * The payload's range: where it is linked if that can be had, else, if it may,
 * at any multiple of its alignment above that.
 */
static EFI_STATUS alloc_runtime(void)
{
	u64 pages = ALIGN_UP(image_info.init_size, PAGE_SIZE) / PAGE_SIZE;
	u64 slack = image_info.align / PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS addr = image_info.pref_address;
	u64 start = addr;

	if (alloc_pages_at(addr, pages)) {
		if (!image_info.relocatable) {
			if (claim_from_boot_services(addr, addr + pages * PAGE_SIZE))
				return fail("not enough room",
					    "the payload's link address is not free",
					    EFI_OUT_OF_RESOURCES);
		} else {
			if (alloc_pages(AllocateAnyPages, pages + slack, &addr))
				return fail("not enough room",
					    "firmware has no memory of init_size",
					    EFI_OUT_OF_RESOURCES);
			start = ALIGN_UP(addr, image_info.align);
		}
	}
	if (start < image_info.pref_address)
		return fail("not enough room",
			    "firmware's free memory is below the link address",
			    EFI_OUT_OF_RESOURCES);
	efi_runtime_start = start;
	return EFI_SUCCESS;
}

/*
 * Firmware refuses a key that is not the newest: an event handler may have
 * allocated in between. Then only the map may be asked for once more.
 */
static EFI_STATUS exit_boot_services(struct memory_map *map)
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

static void set_efi_info(struct boot_params *bp, const struct memory_map *map)
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

/* Everything that firmware must do, then the road of the 64-bit entry. */
static EFI_STATUS efi_boot(struct boot_params *bp, const struct cmdline *cmdline)
{
	struct memory_map map = { 0 };
	EFI_STATUS status;

	status = alloc_runtime();
	if (!status && !bp->hdr.ramdisk_size)
		status = get_initrd(bp, cmdline);
	if (status)
		return status;

	get_screen(&bp->screen_info);
	bp->acpi_rsdp_addr = find_rsdp();
	bp->secure_boot = get_secure_boot();
	request_memory_overwrite();
	install_random_seed();

	status = alloc_memory_map(&map);
	if (status)
		return fail("memory map", "no memory", status);
	/* Once asked to go, firmware has no console any more (UEFI 7.4.6). */
	status = exit_boot_services(&map);
	if (status)
		return status;

	/* Firmware is gone, and its console with it. */
	asm volatile("cli");
	set_efi_info(bp, &map);
	if (!make_e820(bp, &map))
		error("memory map", "more than %lu entries",
		      map.ext_room + E820_MAX_ENTRIES_ZEROPAGE);
	enter_startup_64(bp);
}

static EFI_STATUS efi_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	efi.image = image;
	efi.st = st;
	efi.bs = st->BootServices;
	efi.loans = 0;
	if (efi.bs->HandleProtocol(image, MUTABLE(loaded_image_guid),
				   (void **)&efi.loaded))
		return fail("EFI", "no loaded-image protocol", EFI_UNSUPPORTED);
	return check_payload();
}

EFI_STATUS EFIAPI efi_pe_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);
EFI_STATUS efi_handover(EFI_HANDLE image, EFI_SYSTEM_TABLE *st,
			struct boot_params *bp);

EFI_STATUS EFIAPI efi_pe_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	struct boot_params *bp;
	struct cmdline cmdline;
	EFI_STATUS status = efi_start(image, st);

	if (status)
		return status;
	bp = make_boot_params();
	if (!bp)
		return fail("zero page", "no memory", EFI_OUT_OF_RESOURCES);
	status = get_cmdline(bp, &cmdline);
	if (!status)
		status = efi_boot(bp, &cmdline);
	return give_back(status);
}

/*
 * A loader of the handover protocol has made a zero page, with the command
 * line and perhaps the initrd in it.
 */
EFI_STATUS efi_handover(EFI_HANDLE image, EFI_SYSTEM_TABLE *st,
			struct boot_params *bp)
{
	struct cmdline cmdline;
	EFI_STATUS status = efi_start(image, st);

	if (status)
		return status;
	sanitize_boot_params(bp);
	cmdline = find_cmdline(bp);
	return give_back(efi_boot(bp, &cmdline));
}
