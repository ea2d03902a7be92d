/* SPDX-License-Identifier: MIT */
/*
 * unaccepted.c - an EFI boot loader for machines with unaccepted memory (type 15). It
 * prints how much unaccepted memory firmware's memory map has, and starts \image.efi of its
 * own disk with the load options in \options (UTF-16). If the disk has a file \keep, it first
 * asks OVMF to leave this memory unaccepted at ExitBootServices, as Linux's EFI stub does.
 *
 * Linked without relocations, so no initialised data may hold an address.
 */
#include "efi/efi-types.h"

/*
 * The EFI protocol by which a loader asks OVMF to leave memory unaccepted. EDK II declares it
 * in OvmfPkg/Include/Protocol/MemoryAccept.h.
 */
struct memory_acceptance;
typedef EFI_STATUS EFIAPI allow_unaccepted_fn(struct memory_acceptance *this);

struct memory_acceptance {
	allow_unaccepted_fn *allow_unaccepted;
};

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static void print(EFI_SYSTEM_TABLE *st, const char *text)
{
	CHAR16 character[2] = { 0, 0 };

	for (; *text; text++) {
		character[0] = (CHAR16)*text;
		st->ConOut->OutputString(st->ConOut, character);
	}
}

static void print_number(EFI_SYSTEM_TABLE *st, UINT64 n)
{
	char digits[21], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	print(st, at);
}

/* Returns the MiB of unaccepted memory, or 0 if the memory map cannot be read. */
static UINT64 unaccepted(EFI_BOOT_SERVICES *bs)
{
	UINTN size = 0, key, step = 0, at;
	UINT64 pages = 0;
	UINT32 version;
	UINT8 *map;

	bs->GetMemoryMap(&size, NULL, &key, &step, &version);
	/* Leave room for 8 descriptors more, because AllocatePool() may add some to the map. */
	size += 8 * step;
	if (bs->AllocatePool(EfiLoaderData, size, (void **)&map))
		return 0;
	if (bs->GetMemoryMap(&size, (void *)map, &key, &step, &version))
		return 0;
	for (at = 0; at + step <= size; at += step) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);

		if (d->Type == EFI_UNACCEPTED_MEMORY)
			pages += d->NumberOfPages;
	}
	bs->FreePool(map);
	return pages >> 8;
}

/* Asks firmware to leave unaccepted memory as it is. */
static EFI_STATUS keep_unaccepted(EFI_BOOT_SERVICES *bs)
{
	EFI_GUID guid = { 0xc5a010fe, 0x38a7, 0x4531,
			  { 0x8a, 0x4a, 0x05, 0x00, 0xd2, 0xfd, 0x16, 0x49 } };
	struct memory_acceptance *acceptance;
	EFI_STATUS status = bs->LocateProtocol(&guid, NULL, (void **)&acceptance);

	return status ? status : acceptance->allow_unaccepted(acceptance);
}

/* Reads the file @name of @root. Sets *@data and *@size, its length in bytes. */
static EFI_STATUS read_file(EFI_BOOT_SERVICES *bs, EFI_FILE_HANDLE root, CHAR16 *name,
			    void **data, UINTN *size)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	/* Room for EFI_FILE_INFO and the file's name, with which it ends. */
	UINT64 info[64];
	UINTN info_size = sizeof(info);
	EFI_FILE_HANDLE file;
	EFI_STATUS status = root->Open(root, &file, name, EFI_FILE_MODE_READ, 0);

	if (status)
		return status;
	status = file->GetInfo(file, &guid, &info_size, info);
	if (status)
		return status;
	*size = ((EFI_FILE_INFO *)info)->FileSize;
	status = bs->AllocatePool(EfiLoaderData, *size + 1, data);
	return status ? status : file->Read(file, size, *data);
}

/* Starts \image.efi of the disk @device. Returns only if that fails, or the image returns. */
static EFI_STATUS start(EFI_BOOT_SERVICES *bs, EFI_HANDLE parent, EFI_HANDLE device,
			EFI_FILE_HANDLE root)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	CHAR16 image_name[] = L"\\image.efi", options_name[] = L"\\options";
	void *image, *options;
	UINTN size, options_size;
	EFI_LOADED_IMAGE *loaded;
	EFI_HANDLE handle = NULL;
	EFI_STATUS status = read_file(bs, root, image_name, &image, &size);

	if (!status)
		status = bs->LoadImage(FALSE, parent, NULL, image, size, &handle);
	if (!status)
		status = bs->HandleProtocol(handle, &guid, (void **)&loaded);
	if (!status)
		status = read_file(bs, root, options_name, &options, &options_size);
	if (status)
		return status;
	/*
	 * Firmware sets no device for an image that LoadImage() takes from memory. Set the
	 * disk, because the image reads the files that initrd= names from its device.
	 */
	loaded->DeviceHandle = device;
	loaded->LoadOptions = options;
	loaded->LoadOptionsSize = (UINT32)options_size;
	return bs->StartImage(handle, NULL, NULL);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	EFI_GUID loaded_guid = LOADED_IMAGE_PROTOCOL;
	EFI_GUID disk_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	CHAR16 keep_name[] = L"\\keep";
	EFI_BOOT_SERVICES *bs = st->BootServices;
	EFI_LOADED_IMAGE *loaded;
	EFI_FILE_IO_INTERFACE *disk;
	EFI_FILE_HANDLE root, keep;
	EFI_STATUS status = bs->HandleProtocol(image, &loaded_guid, (void **)&loaded);

	if (!status)
		status = bs->HandleProtocol(loaded->DeviceHandle, &disk_guid,
					    (void **)&disk);
	if (!status)
		status = disk->OpenVolume(disk, &root);
	if (status)
		return status;
	print(st, "unaccepted: ");
	print_number(st, unaccepted(bs));
	print(st, " MiB\r\n");
	if (!root->Open(root, &keep, keep_name, EFI_FILE_MODE_READ, 0))
		print(st, keep_unaccepted(bs) ? "unaccepted: firmware has no protocol\r\n" :
						"unaccepted: firmware keeps it\r\n");
	status = start(bs, image, loaded->DeviceHandle, root);
	print(st, "unaccepted: the image is not started, or has returned\r\n");
	return status;
}
