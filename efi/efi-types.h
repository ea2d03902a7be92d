/* SPDX-License-Identifier: MIT */
/*
 * efi-types.h - EFI's types: includes gnu-efi's headers and defines what their
 * version 3.0.15 lacks. Only the files of efi/ and their tests include it.
 */
#ifndef EFI_TYPES_H
#define EFI_TYPES_H

#include <efi.h>

#include "types.h"

/*
 * EFI_TABLE_HEADER.Revision of EFI 2.0: the major version is in the upper half
 * (UEFI 2.10 4.2).
 */
#define EFI_2_00_REVISION		(2U << 16)
/*
 * Attributes in a memory descriptor (UEFI 2.10 7.2): specific-purpose memory,
 * and memory that is read-only.
 * gnu-efi defines both since 3.0.18.
 */
#ifndef EFI_MEMORY_SP
#define EFI_MEMORY_SP			0x0000000000040000ULL
#endif
#ifndef EFI_MEMORY_RO
#define EFI_MEMORY_RO			0x0000000000020000ULL
#endif
#define EFI_PERSISTENT_MEMORY		14	/* a memory type (UEFI 7.2.1) */
#define EFI_UNACCEPTED_MEMORY		15	/* EfiUnacceptedMemoryType */

/*
 * The signature in boot_params.efi_info, and the type_of_loader of an EFI stub
 * (boot.rst).
 */
#define EFI64_LOADER_SIGNATURE		0x34364c45	/* "EL64" */
#define LOADER_TYPE_EFI_STUB		0x21

/*
 * Values of boot_params.secure_boot, as the kernel defines them. 0 means that
 * the loader has not set it.
 */
#define SECURE_BOOT_UNKNOWN		1
#define SECURE_BOOT_DISABLED		2
#define SECURE_BOOT_ENABLED		3

/* The kernel's own E820 type for specific-purpose memory (EFI_MEMORY_SP). */
#define E820_SOFT_RESERVED		0xefffffff

#define U32_MAX				0xffffffffU

/*
 * Number of descriptors by which firmware's memory map may grow until boot
 * services end.
 */
#define MEMORY_MAP_SLACK		32

/*
 * The start of an EFI_LOAD_OPTION (UEFI 2.10 3.1.3), which is packed. After it
 * are a description that ends in a NUL, a device path of @path_size bytes, and
 * the optional data, up to the last byte.
 */
struct efi_load_option {
	u32 attributes;
	u16 path_size;
};
#define LOAD_OPTION_HEADER_SIZE		6
/* All bits of efi_load_option.attributes that UEFI 2.10 defines. */
#define LOAD_OPTION_ATTRIBUTES		0x1f0bU

/* Marks the devices that firmware's ConOut writes to (edk2, ConsoleOutDevice). */
#define EFI_CONSOLE_OUT_DEVICE_GUID \
	{ 0xd3b36f2c, 0xd551, 0x11d4, \
	  { 0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }

/*
 * gnu-efi 4 defines this macro, too, but with a cast. Replace that definition,
 * so that all versions of gnu-efi give the same initialiser.
 */
#undef EFI_LOAD_FILE2_PROTOCOL_GUID
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

/*
 * A loader offers an initrd at a vendor-defined media device path with this
 * GUID, which Linux defines.
 */
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

/* The configuration table with the blob of an SNP guest (EDK II, OvmfPkg). */
#define EFI_CC_BLOB_GUID \
	{ 0x067b1f5f, 0xcf26, 0x44c5, \
	  { 0x85, 0x54, 0x93, 0xd7, 0x77, 0x91, 0x2d, 0x42 } }

#define LINUX_EFI_RANDOM_SEED_TABLE_GUID \
	{ 0x1ce1e5bc, 0x7ceb, 0x42f2, \
	  { 0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b } }

struct linux_random_seed {
	u32 size;
	u8 bits[];
};
/*
 * Sizes in bytes: the random bytes that the stub asks firmware for, and the
 * largest seed of a loader that the stub appends to them.
 */
#define RANDOM_SEED_SIZE		32
#define RANDOM_SEED_MAX_SIZE		512

/*
 * The memory attribute protocol: access rights of pages in firmware's page
 * tables (UEFI 2.10 37.7).
 */
#define EFI_MEMORY_ATTRIBUTE_PROTOCOL_GUID \
	{ 0xf4560cf6, 0x40ec, 0x4b4a, \
	  { 0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89 } }

struct efi_memory_attribute;
typedef EFI_STATUS EFIAPI efi_get_attributes_fn(struct efi_memory_attribute *self,
						EFI_PHYSICAL_ADDRESS start,
						UINT64 size, UINT64 *attributes);
typedef EFI_STATUS EFIAPI
efi_change_attributes_fn(struct efi_memory_attribute *self,
			 EFI_PHYSICAL_ADDRESS start, UINT64 size,
			 UINT64 attributes);
struct efi_memory_attribute {
	efi_get_attributes_fn *get;
	efi_change_attributes_fn *set;
	efi_change_attributes_fn *clear;
};

/* ---- Measurement (TCG EFI Protocol Specification 6, UEFI 2.10 38). */

#define EFI_TCG2_PROTOCOL_GUID \
	{ 0x607f766c, 0x7455, 0x42be, \
	  { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } }
#define EFI_CC_MEASUREMENT_PROTOCOL_GUID \
	{ 0x96751a3d, 0x72f4, 0x41a6, \
	  { 0xa7, 0x94, 0xed, 0x5d, 0x0e, 0x67, 0xae, 0x6b } }

/*
 * The part of the two measurement protocols that the stub uses. The first three
 * functions are the same in EFI_TCG2_PROTOCOL and EFI_CC_MEASUREMENT_PROTOCOL.
 */
struct efi_measuring;
typedef EFI_STATUS EFIAPI efi_get_event_log_fn(struct efi_measuring *self,
					       UINT32 format,
					       EFI_PHYSICAL_ADDRESS *first,
					       EFI_PHYSICAL_ADDRESS *last,
					       BOOLEAN *truncated);
typedef EFI_STATUS EFIAPI efi_hash_log_extend_fn(struct efi_measuring *self,
						 UINT64 flags,
						 EFI_PHYSICAL_ADDRESS data,
						 UINT64 size, void *event);
typedef EFI_STATUS EFIAPI efi_map_pcr_fn(struct efi_measuring *self, UINT32 pcr,
					 UINT32 *index);
struct efi_measuring {
	void *get_capability;
	efi_get_event_log_fn *get_event_log;
	efi_hash_log_extend_fn *hash_log_extend;
	/* MapPcrToMrIndex(), which only EFI_CC_MEASUREMENT_PROTOCOL has. */
	efi_map_pcr_fn *map_pcr;
};

/* Format of the event log for a TPM 1.2: events have a SHA-1 digest. */
#define TCG_LOG_1_2			1
/* Format for a TPM 2.0: events have a digest for each hash algorithm. */
#define TCG_LOG_2			2

/*
 * An EFI_TCG2_EVENT, which the function hash_log_extend of both measurement protocols
 * takes. Its data is a tagged event (TCG PC Client PFP 10.4.2.1).
 */
#define TCG_EVENT_TEXT_SIZE		32
struct efi_tagged_event {
	u32 size;
	u32 header_size;
	u16 header_version;
	u32 pcr;
	u32 type;
	u32 tag;
	u32 text_size;
	char text[TCG_EVENT_TEXT_SIZE];
} __attribute__((packed));
#define TCG_EVENT_HEADER_SIZE		14
#define TCG_EVENT_HEADER_VERSION	1
#define TCG_EV_EVENT_TAG		6

/*
 * The register, event numbers and texts with which Linux's own EFI entry
 * measures the initrd and the command line.
 */
#define LINUX_PCR			9
#define LINUX_INITRD_TAG		0x8f3b22ec
#define LINUX_INITRD_TEXT		"Linux initrd"
#define LINUX_LOAD_OPTIONS_TAG		0x8f3b22ed
#define LINUX_LOAD_OPTIONS_TEXT		"LOADED_IMAGE::LoadOptions"

/* ---- The event log (TCG PC Client PFP 10.2). */

/*
 * The format of every event of a TCG_LOG_1_2 log, and of the first event of a
 * TCG_LOG_2 log.
 */
struct tcg_event {
	u32 pcr;
	u32 type;
	u8 digest[20];
	u32 size;
	u8 data[];
} __attribute__((packed));

/*
 * The data of the first event of a TCG_LOG_2 log: the digest algorithms, and
 * the size in bytes of each algorithm's digests.
 */
struct tcg_spec_id {
	u8 signature[16];
	u32 platform_class;
	u8 version[4];
	u32 count;
	struct {
		u16 id;
		u16 size;
	} algorithms[];
} __attribute__((packed));
#define TCG_MAX_ALGORITHMS		16

/*
 * The format of each event of a TCG_LOG_2 log but the first. After the digests
 * are the size of the event's data, 32 bits, and the data.
 */
struct tcg_event2 {
	u32 pcr;
	u32 type;
	u32 count;
	u8 digests[];
} __attribute__((packed));

/*
 * Firmware's configuration table of the events that it has logged since a
 * program first asked for the log.
 */
#define EFI_TCG2_FINAL_EVENTS_TABLE_GUID \
	{ 0x1e2ed096, 0x30e2, 0x4254, \
	  { 0xbd, 0x89, 0x86, 0x3b, 0xbe, 0xf8, 0x23, 0x25 } }
#define EFI_CC_FINAL_EVENTS_TABLE_GUID \
	{ 0xdd4a4648, 0x2de7, 0x4665, \
	  { 0x96, 0x4d, 0x21, 0xd9, 0xef, 0x5f, 0xb4, 0x46 } }
struct tcg_final_events {
	u64 version;
	u64 count;
	u8 events[];
};

/* The configuration table in which Linux looks for a copy of the event log. */
#define LINUX_EFI_TPM_EVENT_LOG_GUID \
	{ 0xb7799cb0, 0xeca2, 0x4943, \
	  { 0x96, 0x67, 0x1f, 0xae, 0x07, 0xb7, 0x47, 0xfa } }
struct linux_tpm_event_log {
	u32 size;
	/* Bytes of the events in @log that the final-events table has, too. */
	u32 final_events_size;
	u8 version;		/* TCG_LOG_* */
	u8 log[];
};

/* Limit in bytes for the event log. A longer log counts as malformed. */
#define TPM_LOG_MAX_SIZE		0x1000000

/*
 * The variable in which shim says whether verification is turned off. If shim
 * has set it, only boot services can access it.
 */
#define SHIM_LOCK_GUID \
	{ 0x605dab50, 0xe046, 0x4300, \
	  { 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 } }
#define SHIM_STATE_VARIABLE		u"MokSBState"

/* The variable that makes firmware overwrite memory at a reset. */
#define MEMORY_OVERWRITE_REQUEST_GUID \
	{ 0xe20939be, 0x32d4, 0x41be, \
	  { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } }

#endif
