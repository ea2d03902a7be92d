/* SPDX-License-Identifier: MIT */
/*
 * efi-entry.h - what the parts of the EFI entry (efi*.c) share. Nobody else includes
 * it: EFI's types stay behind this wall.
 */
#ifndef EFI_ENTRY_H
#define EFI_ENTRY_H

#include "efi-types.h"
#include "misc.h"

#ifndef HAVE_USE_MS_ABI
#error "EFI's calling convention is missing"
#endif

#ifndef SEVSTUB_HOSTED
#pragma GCC visibility push(hidden)
#endif

/* The services take GUIDs and names without const, and change neither. */
#define MUTABLE(guid) ((EFI_GUID *)(u64)&(guid))

/* ---- efi.c ---- */

/* Firmware, as it introduced itself. */
struct efi_state {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *loaded;
	unsigned int loans;
	unsigned int changed;	/* efi-protect.c */
};
extern struct efi_state efi;

/* Says "sevstub: <what>: <detail>" on firmware's console; returns @status. */
EFI_STATUS efi_fail(const char *what, const char *detail, EFI_STATUS status);

/* AllocatePages, on loan: with an error status they go back. */
EFI_STATUS efi_alloc_pages(EFI_ALLOCATE_TYPE type, u64 pages,
			   EFI_PHYSICAL_ADDRESS *addr);
/* @size bytes that end at or below @max; 0 if there are none. */
u64 efi_alloc_below(u64 size, u64 max);

/* ---- efi-initrd.c ---- */

/* Loads the initrd, if there is one, and says so in @bp. */
EFI_STATUS efi_get_initrd(struct boot_params *bp,
			  const struct cmdline *cmdline);

/* ---- efi-memory.c ---- */

struct efi_memory_map {
	u8 *entries;
	UINTN size;		/* of all entries, in bytes */
	UINTN room;
	UINTN key;
	UINTN entry_size;
	UINT32 version;
	struct setup_data *ext;	/* for what the zero page cannot hold */
	u64 ext_room;		/* entries */
};

/* Sets efi_runtime_start to memory for the payload, init_size bytes. */
EFI_STATUS efi_alloc_runtime(const struct cmdline *cmdline);
/* Room for the map as it may have grown by the time that it counts. */
EFI_STATUS efi_alloc_memory_map(struct efi_memory_map *map);
/* On success the map is the last one, and firmware's services are over. */
EFI_STATUS efi_exit_boot_services(struct efi_memory_map *map);
/* The map for @bp, as it is and as E820. False: too many entries. */
void efi_set_info(struct boot_params *bp, const struct efi_memory_map *map);
bool efi_make_e820(struct boot_params *bp, const struct efi_memory_map *map);

/* ---- efi-protect.c ---- */

/*
 * Lets firmware's page tables say that [start, end), from a page's start, may be
 * used for this and nothing else: EFI_MEMORY_RO, EFI_MEMORY_XP or both.
 */
void efi_protect(u64 start, u64 end, u64 rights);
void efi_protect_image(void);
/* As it was. */
void efi_unprotect(void);

/* ---- efi-tables.c ---- */

const void *efi_find_table(const EFI_GUID *guid);
void efi_get_screen(struct screen_info *si);
u64 efi_find_rsdp(void);
u8 efi_get_secure_boot(void);
void efi_request_memory_overwrite(void);
void efi_install_random_seed(void);
/* What firmware has of randomness, for kaslr.c. */
void efi_seed_kaslr(void);

/* ---- efi-tpm.c ---- */

/* Has @size bytes at @addr measured, where there is somebody to do so. */
void efi_measure(u32 tag, const char *text, u64 addr, u64 size);
/* Passes the log of what was measured on to the payload. */
void efi_install_event_log(void);

#ifndef SEVSTUB_HOSTED
#pragma GCC visibility pop
#endif

#endif
