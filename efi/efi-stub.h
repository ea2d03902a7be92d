/* SPDX-License-Identifier: MIT */
/*
 * efi-stub.h - what the files of efi/ share. Files outside of this room do not
 * include it, so that EFI's types stay here; they use efi-handoff.h.
 *
 * Unless a comment says otherwise, each function runs before ExitBootServices.
 */
#ifndef EFI_STUB_H
#define EFI_STUB_H

#include <asm/bootparam.h>

#include "cmdline.h"
#include "efi-types.h"
#include "x86.h"

#ifndef HAVE_USE_MS_ABI
#error "the compiler flags lack EFI's calling convention: -DGNU_EFI_USE_MS_ABI"
#endif

/* Firmware's services take GUIDs without const, although they only read them. */
#define MUTABLE(guid) ((EFI_GUID *)(u64)&(guid))

/* ---- services.c */

struct efi_state {
	EFI_HANDLE image;		/* this image, as firmware names it */
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *loaded;	/* how the image was loaded */
	unsigned int loans;		/* allocations that can be freed */
	unsigned int changed;		/* ranges whose rights protect.c changed */
};
extern struct efi_state efi;

/* Prints "sevstub: <what>: <detail>" on ConOut and returns @status. */
EFI_STATUS efi_fail(const char *what, const char *detail, EFI_STATUS status);

/*
 * Calls AllocatePages for @pages pages of EfiLoaderData and remembers them for
 * efi_free_pages(). @type and @addr are those of AllocatePages (UEFI 7.2.1).
 * Returns firmware's status, or EFI_OUT_OF_RESOURCES after 64 allocations.
 */
EFI_STATUS efi_alloc_pages(EFI_ALLOCATE_TYPE type, u64 pages,
			   EFI_PHYSICAL_ADDRESS *addr);

/*
 * Allocates @size bytes that end at or below address @max. Returns their
 * page-aligned address, or 0 if there is no such memory.
 */
u64 efi_alloc_below(u64 size, u64 max);

/* Frees all memory of efi_alloc_pages(), because the boot has failed. */
void efi_free_pages(void);

/* ---- initrd.c */

/*
 * Loads the initrd that a loader or "initrd=" on the command line offers, and
 * stores its address and size in @bp.
 * Returns EFI_SUCCESS if there is none or it was loaded; otherwise the status
 * to fail with, after a message.
 */
EFI_STATUS efi_get_initrd(struct boot_params *bp,
			  const struct cmdline *cmdline);

/* ---- memory.c */

struct efi_memory_map {
	u8 *entries;		/* EFI_MEMORY_DESCRIPTORs, entry_size apart */
	UINTN size;		/* bytes of all entries */
	UINTN room;		/* bytes allocated at entries */
	UINTN key;		/* for ExitBootServices */
	UINTN entry_size;	/* bytes */
	UINT32 version;
	struct setup_data *ext;	/* E820 entries that the zero page cannot hold */
	u64 ext_room;		/* entries that ext can hold */
};

/*
 * Allocates the payload's runtime range, image_info.init_size bytes, and stores
 * its address in efi_runtime_start: a random one if KASLR is wanted, else the
 * link address, else anywhere above it if the payload is relocatable.
 * Returns EFI_SUCCESS, or EFI_OUT_OF_RESOURCES after a message.
 */
EFI_STATUS efi_alloc_runtime(const struct cmdline *cmdline);

/*
 * Allocates room for the memory map, MEMORY_MAP_SLACK entries more than it has
 * now, because it may grow until ExitBootServices.
 * Returns EFI_SUCCESS, EFI_DEVICE_ERROR or EFI_OUT_OF_RESOURCES.
 */
EFI_STATUS efi_alloc_memory_map(struct efi_memory_map *map);

/*
 * Gets the memory map and calls ExitBootServices, once more if the map has
 * changed in between (UEFI 7.4.6). On EFI_SUCCESS no boot service may be called
 * any more. Otherwise returns firmware's status, and ConOut may be gone.
 */
EFI_STATUS efi_exit_boot_services(struct efi_memory_map *map);

/* Stores the system table and @map in @bp. Runs after ExitBootServices. */
void efi_set_info(struct boot_params *bp, const struct efi_memory_map *map);

/*
 * Converts @map to the E820 map of @bp. Runs after ExitBootServices. Returns
 * false if it has more entries than the zero page and map->ext can hold.
 */
bool efi_make_e820(struct boot_params *bp, const struct efi_memory_map *map);

/* ---- protect.c */

/*
 * Gives the pages of [start, end) the rights EFI_MEMORY_RO, EFI_MEMORY_XP or
 * both in firmware's page tables, if firmware has the memory attribute protocol
 * (UEFI 37.7). Must be called at most four times. An error is printed and the
 * boot goes on.
 */
void efi_protect(u64 start, u64 end, u64 rights);

/* Calls efi_protect() for the image: text RO, rodata RO and XP, data XP. */
void efi_protect_image(void);

/* Restores the rights that efi_protect() has changed. */
void efi_unprotect(void);

/* ---- tables.c: what firmware lacks is left out of the zero page. */

/* Returns firmware's configuration table @guid, or NULL. */
const void *efi_find_table(const EFI_GUID *guid);

/* Describes the frame buffer in @si, if firmware has one. */
void efi_get_screen(struct screen_info *si);

/* Returns the address of ACPI's RSDP, or 0. */
u64 efi_find_rsdp(void);

/* Returns SECURE_BOOT_* as boot_params.secure_boot wants it. */
u8 efi_get_secure_boot(void);

/*
 * Asks firmware to overwrite memory if the machine is reset without a clean
 * shutdown (TCG Platform Reset Attack Mitigation).
 */
void efi_request_memory_overwrite(void);

/* Hands random bytes of EFI_RNG_PROTOCOL to the kernel in Linux's seed table. */
void efi_install_random_seed(void);

/* Mixes random bytes of EFI_RNG_PROTOCOL, if there is one, into KASLR's. */
void efi_seed_kaslr(void);

/* ---- tpm.c: an error is printed and the boot goes on. */

/*
 * Measures @size bytes at @addr into the TPM, or into the confidential guest's
 * measurement register, as a tagged event @tag with the text @text. Does
 * nothing if firmware has no measurement protocol.
 */
void efi_measure(u32 tag, const char *text, u64 addr, u64 size);

/* Copies the TPM's event log into a table where Linux looks for it. */
void efi_install_event_log(void);

#endif
