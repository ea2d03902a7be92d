/* SPDX-License-Identifier: MIT */
/*
 * efi-stub.h - what the files of efi/ share. Only they and their tests include
 * it, so that EFI's types stay there. Other files use efi-handoff.h.
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

/*
 * Casts away const: firmware's functions take GUIDs without const, although
 * they only read them.
 */
#define MUTABLE(guid) ((EFI_GUID *)(u64)&(guid))

/* ---- services.c */

struct efi_state {
	EFI_HANDLE image;		/* firmware's handle of this image */
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *loaded;	/* this image's device and options */
	/* Number of allocations that efi_free_pages() must free. */
	unsigned int loans;
	/* Number of ranges whose rights efi_protect() has changed. */
	unsigned int changed;
};
extern struct efi_state efi;

/*
 * Prints "sevstub: <what>: <detail>" on ConOut and returns @status, so that a
 * caller can print and return in a single statement.
 */
EFI_STATUS efi_fail(const char *what, const char *detail, EFI_STATUS status);

/*
 * Does what efi_fail() does. Each "%lx" in @detail stands for the next of @values,
 * which is printed in hexadecimal.
 */
EFI_STATUS efi_fail_values(const char *what, const char *detail,
			   const u64 *values, EFI_STATUS status);

/*
 * Decodes the UTF-8 character at *@text, which must not be a NUL, and moves
 * *@text after it. Returns its code point. Returns UTF8_BAD, and moves *@text by
 * one byte, if no character in its shortest form begins there (RFC 3629).
 */
u32 utf8_next(const char **text);
#define UTF8_BAD	0xffffffffU

/*
 * Stores the code point @c in one or two UTF-16 units at @out. Returns their
 * number.
 */
unsigned int utf16_put(CHAR16 *out, u32 c);

/*
 * Calls AllocatePages for @pages pages of EfiLoaderData and remembers them for
 * efi_free_pages(). @type and @addr are the parameters of AllocatePages (UEFI
 * 2.10 7.2.1). Returns firmware's status, or EFI_OUT_OF_RESOURCES after 64
 * allocations.
 */
EFI_STATUS efi_alloc_pages(EFI_ALLOCATE_TYPE type, u64 pages,
			   EFI_PHYSICAL_ADDRESS *addr);

/*
 * Allocates @size bytes that end at or below address @max. Returns their
 * address, which is a multiple of PAGE_SIZE, or 0 if there is no memory.
 */
u64 efi_alloc_below(u64 size, u64 max);

/* Frees all memory of efi_alloc_pages(). Called when the boot has failed. */
void efi_free_pages(void);

/* ---- initrd.c */

/*
 * Loads the initrd that a loader or "initrd=" on the command line offers, and
 * stores its address and size in @bp. Returns EFI_SUCCESS if it was loaded or
 * no initrd is offered. On an error prints a message and returns the status for
 * firmware.
 */
EFI_STATUS efi_get_initrd(struct boot_params *bp,
			  const struct cmdline *cmdline);

/* ---- memory.c */

struct efi_memory_map {
	u8 *entries;		/* the map: EFI_MEMORY_DESCRIPTORs */
	UINTN size;		/* size in bytes of all entries */
	/* Size in bytes of the buffer at @entries, of which @size are used. */
	UINTN room;
	UINTN key;		/* firmware's key for ExitBootServices */
	UINTN entry_size;	/* bytes from one entry to the next */
	UINT32 version;
	struct setup_data *ext;	/* setup_data node for E820 entries beyond 128 */
	u64 ext_room;		/* number of E820 entries that ext can hold */
};

/*
 * Allocates the payload's runtime range, image_info.init_size bytes, and stores
 * its address in efi_runtime_start: a random one if KASLR is wanted, else the
 * link address, else anywhere above it. A payload that is not relocatable gets
 * the link address even if boot services use memory there. Returns EFI_SUCCESS,
 * or EFI_OUT_OF_RESOURCES after a message.
 */
EFI_STATUS efi_alloc_runtime(const struct cmdline *cmdline);

/*
 * Allocates memory for firmware's memory map, with room for MEMORY_MAP_SLACK
 * entries more than the map has now, because it may grow until
 * ExitBootServices. Returns EFI_SUCCESS, EFI_DEVICE_ERROR or
 * EFI_OUT_OF_RESOURCES.
 */
EFI_STATUS efi_alloc_memory_map(struct efi_memory_map *map);

/*
 * Gets the memory map and calls ExitBootServices. Does both once more if the
 * map has changed in between (UEFI 2.10 7.4.6). After EFI_SUCCESS no boot
 * service may be called any more. Otherwise returns firmware's status, and
 * ConOut must no longer be used.
 */
EFI_STATUS efi_exit_boot_services(struct efi_memory_map *map);

/*
 * Stores the addresses of the system table and of @map in @bp, for the kernel.
 * Runs after ExitBootServices.
 */
void efi_set_info(struct boot_params *bp, const struct efi_memory_map *map);

/*
 * Converts firmware's memory map @map to the E820 map of @bp. Runs after
 * ExitBootServices. Returns false if there are more entries than the zero page
 * and map->ext can hold.
 */
bool efi_make_e820(struct boot_params *bp, const struct efi_memory_map *map);

/* ---- protect.c */

/*
 * Gives the pages of [start, end) the rights @rights in firmware's page tables:
 * EFI_MEMORY_RO, EFI_MEMORY_XP or both. Does nothing if firmware lacks the
 * memory attribute protocol (UEFI 2.10 37.7). Must be called at most four
 * times, because protect.c has room for the old rights of four ranges. If
 * firmware refuses, a message is printed and the boot goes on.
 */
void efi_protect(u64 start, u64 end, u64 rights);

/*
 * Calls efi_protect() for the image. The sections .head, .payload and .text become
 * read-only. .rodata becomes read-only and not executable. .data and .bss become
 * not executable.
 */
void efi_protect_image(void);

/* Restores the rights that efi_protect() has changed. */
void efi_unprotect(void);

/*
 * ---- tables.c. If firmware lacks a service or table, the boot goes on without
 * it.
 */

/* Returns the address of firmware's configuration table @guid, or NULL. */
const void *efi_find_table(const EFI_GUID *guid);

/*
 * Describes firmware's frame buffer in @si, or leaves @si alone if firmware has
 * no frame buffer.
 */
void efi_get_screen(struct screen_info *si);

/* Returns the address of ACPI's RSDP, or 0. */
u64 efi_find_rsdp(void);

/*
 * Sets snp_efi_blob to the address of the confidential-computing blob in firmware's
 * configuration table, or to 0 if the table lists no blob.
 */
void efi_find_blob(void);

/* Returns SECURE_BOOT_* for boot_params.secure_boot. */
u8 efi_get_secure_boot(void);

/*
 * Asks firmware to overwrite memory if the machine is reset without a clean
 * shutdown (TCG Platform Reset Attack Mitigation).
 */
void efi_request_memory_overwrite(void);

/*
 * Installs random bytes of EFI_RNG_PROTOCOL as Linux's seed table, from which
 * the kernel seeds its generator.
 */
void efi_install_random_seed(void);

/*
 * Mixes random bytes of EFI_RNG_PROTOCOL into KASLR's generator. Does nothing
 * if firmware lacks the protocol.
 */
void efi_seed_kaslr(void);

/*
 * ---- tpm.c. If measuring fails, the stub prints a message and the boot goes
 * on.
 */

/*
 * Measures @size bytes at @addr into the TPM, or into a confidential guest's
 * measurement register. The event in the log has the number @tag and the text
 * @text of at most TCG_EVENT_TEXT_SIZE bytes with its NUL. Does nothing if
 * firmware has no measurement protocol.
 */
void efi_measure(u32 tag, const char *text, u64 addr, u64 size);

/*
 * Copies firmware's event log of measurements into the configuration table from
 * which Linux reads the log. Must be called before ExitBootServices. Does
 * nothing if firmware has no log, and prints a message if the copy fails.
 */
void efi_install_event_log(void);

#endif
