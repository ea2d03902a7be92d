/* SPDX-License-Identifier: MIT */
/*
 * efi-types.h - EFI's types, from gnu-efi's headers, and the few that those of
 * version 3.0.15 lack. For efi.c and its tests only.
 */
#ifndef EFI_TYPES_H
#define EFI_TYPES_H

#include <efi.h>

#include "types.h"

/* UEFI 7.2: attribute of memory that is set aside for a purpose. */
#define EFI_MEMORY_SP			0x0000000000040000ULL
#define EFI_PERSISTENT_MEMORY		14	/* a memory type (UEFI 7.2.1) */

/* boot.rst: signature in efi_info; type_of_loader of an EFI stub. */
#define EFI64_LOADER_SIGNATURE		0x34364c45	/* "EL64" */
#define LOADER_TYPE_EFI_STUB		0x21

/* boot_params.secure_boot, as the kernel numbers it; 0 is "not set". */
#define SECURE_BOOT_UNKNOWN		1
#define SECURE_BOOT_DISABLED		2
#define SECURE_BOOT_ENABLED		3

/* E820 types (ACPI 15, and the kernel's for soft reservation). */
#define E820_TYPE_RAM			1
#define E820_TYPE_RESERVED		2
#define E820_TYPE_ACPI			3
#define E820_TYPE_NVS			4
#define E820_TYPE_UNUSABLE		5
#define E820_TYPE_PMEM			7
#define E820_TYPE_SOFT_RESERVED		0xefffffff

#define U32_MAX				0xffffffffU

/* Descriptors by which the map may grow until boot services end. */
#define MEMORY_MAP_SLACK		32

#define EFI_LOAD_FILE2_PROTOCOL_GUID \
	{ 0x4006c0c1, 0xfcb3, 0x403e, \
	  { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } }

struct efi_load_file2;
typedef EFI_STATUS EFIAPI efi_load_file2_fn(struct efi_load_file2 *self,
					    EFI_DEVICE_PATH *path,
					    BOOLEAN boot_policy, UINTN *size,
					    void *buf);
struct efi_load_file2 {
	efi_load_file2_fn *load_file;
};

/* Where an initrd is offered: a vendor-defined media path of Linux's. */
#define LINUX_EFI_INITRD_MEDIA_GUID \
	{ 0x5568e427, 0x68fc, 0x4f3d, \
	  { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } }

struct linux_initrd_path {
	VENDOR_DEVICE_PATH vendor;
	EFI_DEVICE_PATH end;
};

#define LINUX_INITRD_MEDIA_PATH {					\
	.vendor = {							\
		.Header = { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP,		\
			    { sizeof(VENDOR_DEVICE_PATH), 0 } },	\
		.Guid = LINUX_EFI_INITRD_MEDIA_GUID,			\
	},								\
	.end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE,	\
		 { sizeof(EFI_DEVICE_PATH), 0 } },			\
}

#define LINUX_EFI_RANDOM_SEED_TABLE_GUID \
	{ 0x1ce1e5bc, 0x7ceb, 0x42f2, \
	  { 0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b } }

struct linux_random_seed {
	u32 size;
	u8 bits[32];
};

#define MEMORY_OVERWRITE_REQUEST_GUID \
	{ 0xe20939be, 0x32d4, 0x41be, \
	  { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } }

#endif
