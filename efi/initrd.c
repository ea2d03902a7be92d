/* SPDX-License-Identifier: MIT */
/*
 * initrd.c - loads the initrd. An EFI loader offers it by the protocol
 * LoadFile2 at Linux's media path. Otherwise initrd= options on the command
 * line name files on the volume that the image was loaded from.
 *
 * Runs before ExitBootServices. Sizes come from firmware or from a file system,
 * so each is compared with the size of the buffer before bytes are read.
 */
#include "efi-stub.h"
#include "lib/string.h"
#include "payload.h"
#include "setup.h"

static const EFI_GUID file_system_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
static const EFI_GUID file_info_guid = EFI_FILE_INFO_ID;
static const EFI_GUID load_file2_guid = EFI_LOAD_FILE2_PROTOCOL_GUID;

/*
 * The longest value of an initrd= option, with its NUL: in UTF-16 units, and in
 * bytes of UTF-8, of which a unit needs at most three.
 */
#define INITRD_PATH_SIZE	256
#define INITRD_NAME_SIZE	(3 * (INITRD_PATH_SIZE - 1) + 1)

static void set_initrd(struct boot_params *bp, u64 addr, u64 size)
{
	bp->hdr.ramdisk_image = (u32)addr;
	bp->ext_ramdisk_image = (u32)(addr >> 32);
	bp->hdr.ramdisk_size = (u32)size;
	bp->ext_ramdisk_size = (u32)(size >> 32);
}

/*
 * Loads the initrd by LoadFile2. Returns EFI_NOT_FOUND if no loader offers one
 * or it is empty.
 */
static EFI_STATUS load_file2_initrd(struct boot_params *bp)
{
	static const struct linux_initrd_path media = LINUX_INITRD_MEDIA_PATH;
	EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)(u64)&media;
	struct efi_load_file2 *loader;
	EFI_HANDLE handle;
	UINTN size = 0;
	EFI_STATUS status;
	u64 addr, room;

	if (efi.bs->LocateDevicePath(MUTABLE(load_file2_guid), &path, &handle) ||
	    efi.bs->HandleProtocol(handle, MUTABLE(load_file2_guid),
				   (void **)&loader))
		return EFI_NOT_FOUND;

	path = (EFI_DEVICE_PATH *)(u64)&media.end;
	status = loader->load_file(loader, path, FALSE, &size, NULL);
	if (status == EFI_NOT_FOUND || (status == EFI_SUCCESS && !size))
		return EFI_NOT_FOUND;
	if (status != EFI_BUFFER_TOO_SMALL || size > PAYLOAD_MAX_SIZE)
		return efi_fail("initrd", "its loader reports an error",
			    EFI_LOAD_ERROR);
	room = size;
	addr = efi_alloc_below(room, INITRD_ADDR_MAX);
	if (!addr)
		return efi_fail("initrd", "no memory", EFI_OUT_OF_RESOURCES);
	status = loader->load_file(loader, path, FALSE, &size, (void *)addr);
	/*
	 * Return EFI_LOAD_ERROR whatever the loader's status was. At
	 * EFI_NOT_FOUND efi_get_initrd() would silently look for initrd=
	 * options.
	 */
	if (status || size > room)
		return efi_fail("initrd", "cannot be loaded", EFI_LOAD_ERROR);
	set_initrd(bp, addr, size);
	return EFI_SUCCESS;
}

/*
 * Converts @name to a path of the file system in @path, which has
 * INITRD_PATH_SIZE units. A character beyond UCS-2 becomes a pair of surrogates,
 * as FAT drivers store it in long names. On an error prints a message and returns
 * the status for firmware.
 */
static EFI_STATUS make_path(CHAR16 *path, const char *name)
{
	const char *s = name;
	size_t n = 0;
	u32 c;

	while (*s) {
		c = utf8_next(&s);
		if (c == UTF8_BAD)
			return efi_fail("initrd: name is not UTF-8", name,
					EFI_INVALID_PARAMETER);
		if (n + (c < 0x10000 ? 1 : 2) >= INITRD_PATH_SIZE)
			return efi_fail("initrd: name too long", name,
					EFI_INVALID_PARAMETER);
		n += utf16_put(path + n, c == '/' ? '\\' : c);
	}
	path[n] = 0;
	return EFI_SUCCESS;
}

/*
 * Reads the file @name into @buf and stores its size in bytes in @size. With
 * @buf NULL the file is not read and only its size is stored. A file of more
 * than @room bytes is an error.
 */
static EFI_STATUS read_file(EFI_FILE_HANDLE volume, const char *name, u8 *buf,
			    u64 room, u64 *size)
{
	/* The path is used before the file's information, so both share memory. */
	union {
		CHAR16 path[INITRD_PATH_SIZE];
		EFI_FILE_INFO info;
		u8 room[sizeof(EFI_FILE_INFO) + INITRD_PATH_SIZE * sizeof(CHAR16)];
	} info;
	UINTN len = sizeof(info);
	EFI_FILE_HANDLE file;
	EFI_STATUS status = make_path(info.path, name);

	if (status)
		return status;
	status = volume->Open(volume, &file, info.path, EFI_FILE_MODE_READ, 0);
	if (status)
		return efi_fail("initrd: not found", name, status);
	status = file->GetInfo(file, MUTABLE(file_info_guid), &len, &info);
	*size = len = status ? 0 : info.info.FileSize;
	if (status)
		efi_fail("initrd: no size", name, status);
	else if (*size > room)
		status = efi_fail(buf ? "initrd: it changes" : "initrd: too large",
			      name, EFI_BAD_BUFFER_SIZE);
	else if (buf && (file->Read(file, &len, buf) || len != *size))
		status = efi_fail("initrd: cannot be read", name, EFI_LOAD_ERROR);
	file->Close(file);
	return status;
}

/*
 * Reads the files of all initrd= options into @buf, which has @room bytes, each file
 * at a multiple of 4 bytes. Stores in @total how many bytes there are up to the end of
 * the last file. With @buf NULL only computes @total.
 */
static EFI_STATUS read_files(EFI_FILE_HANDLE volume,
			     const struct cmdline *cmdline, u8 *buf, u64 room,
			     u64 *total)
{
	struct cmdline rest = *cmdline;
	char name[INITRD_NAME_SIZE];
	EFI_STATUS status;
	u64 at, size = 0;
	int len;

	*total = 0;
	while ((len = cmdline_next_option(&rest, "initrd", name,
					  sizeof(name))) >= 0) {
		if (len >= (int)sizeof(name))
			return efi_fail("initrd: name too long", name,
				    EFI_INVALID_PARAMETER);
		at = ALIGN_UP(*total, 4UL);
		status = read_file(volume, name, buf ? buf + at : NULL,
				   at < room ? room - at : 0, &size);
		if (status)
			return status;
		if (size)
			*total = at + size;
	}
	return EFI_SUCCESS;
}

/*
 * Loads the files of all initrd= options, one after the other, as the kernel's
 * own EFI entry does. The first pass adds up the sizes, the second pass reads
 * the contents.
 */
static EFI_STATUS load_initrd_files(struct boot_params *bp,
				    const struct cmdline *cmdline)
{
	EFI_FILE_IO_INTERFACE *fs;
	EFI_FILE_HANDLE volume;
	struct cmdline rest = *cmdline;
	u64 addr = 0, total;
	EFI_STATUS status;
	char name;

	if (cmdline_next_option(&rest, "initrd", &name, sizeof(name)) < 0)
		return EFI_SUCCESS;
	if (efi.bs->HandleProtocol(efi.loaded->DeviceHandle,
				   MUTABLE(file_system_guid), (void **)&fs) ||
	    fs->OpenVolume(fs, &volume))
		return efi_fail("initrd", "no file system to read it from",
			    EFI_NOT_FOUND);

	status = read_files(volume, cmdline, NULL, PAYLOAD_MAX_SIZE, &total);
	if (!status && total) {
		addr = efi_alloc_below(total, INITRD_ADDR_MAX);
		if (!addr) {
			status = efi_fail("initrd", "no memory",
				      EFI_OUT_OF_RESOURCES);
		} else {
			memset((void *)addr, 0, total);
			/*
			 * A file may have shrunk since the first pass. The second
			 * pass therefore stores in total how much it has read.
			 */
			status = read_files(volume, cmdline, (u8 *)addr, total,
					    &total);
		}
	}
	volume->Close(volume);
	if (!status && total)
		set_initrd(bp, addr, total);
	return status;
}

EFI_STATUS efi_get_initrd(struct boot_params *bp,
			  const struct cmdline *cmdline)
{
	EFI_STATUS status = load_file2_initrd(bp);

	if (status == EFI_NOT_FOUND)
		status = load_initrd_files(bp, cmdline);
	if (!status && bp->hdr.ramdisk_size)
		efi_measure(LINUX_INITRD_TAG, LINUX_INITRD_TEXT,
			    (u64)bp->ext_ramdisk_image << 32 |
			    bp->hdr.ramdisk_image, bp->hdr.ramdisk_size);
	return status;
}
