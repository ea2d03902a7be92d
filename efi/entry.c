/* SPDX-License-Identifier: MIT */
/*
 * entry.c - the EFI entries: efi_pe_entry() for firmware, efi_handover() for a
 * loader that has made a zero page. Both do what only boot services can do,
 * leave boot services, and continue at startup_64.
 *
 * Runs on firmware's stack and page tables, and with firmware's #VC handler.
 * Until ExitBootServices an error is printed on ConOut and returned to
 * firmware, and the machine can still be used. State that startup_64 must keep
 * is in .data, because .bss is cleared later.
 *
 * The image stays where firmware loaded it. The stub allocates memory for the
 * payload apart from the image, so that the image need not move. No page of the image
 * is writable and executable at the same time, if firmware can set rights (protect.c).
 */
#include "boot_params.h"
#include "efi-handoff.h"
#include "efi-stub.h"
#include "error.h"
#include "image.h"
#include "la57.h"
#include "lib/string.h"
#include "payload-check.h"
#include "setup.h"
#include "sev-es.h"
#include "sev.h"

static const EFI_GUID loaded_image_guid = LOADED_IMAGE_PROTOCOL;

/* ---- The image itself. */

/*
 * Verifies the payload while an error can still be returned to firmware. Outside of
 * SEV the stub does not verify it again later, because firmware gives these pages to
 * no other program. The digest finds damaged files. It is no defence against a
 * program that can write to the image's memory.
 */
static EFI_STATUS check_payload(void)
{
	struct payload_header header;
	struct refusal why;

	if (!check_payload_header(&header, &why))
		return efi_fail(why.what, "the image is damaged",
				EFI_LOAD_ERROR);
	if (!check_payload_frame(&header, &why))
		return efi_fail(why.what, "the image is damaged",
				EFI_CRC_ERROR);
	return EFI_SUCCESS;
}

/*
 * Makes a zero page with a copy of the image's setup header. The fields that a loader
 * fills in get new values in the copy, because QEMU fills them in before firmware gets
 * the file, and under EFI QEMU's values mean nothing.
 */
static struct boot_params *make_boot_params(void)
{
	struct boot_params *bp = (void *)efi_alloc_below(sizeof(*bp), U32_MAX);

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
	bp->hdr.code32_start = (u32)(u64)_image;
	return bp;
}

/* ---- Command line. */

/*
 * A UTF-16 unit at any address. The optional data of an EFI_LOAD_OPTION begins
 * after a device path, whose nodes may have an odd number of bytes.
 */
typedef CHAR16 __attribute__((aligned(1))) any_char16;

/*
 * Converts at most @len UTF-16 units at @in to UTF-8. Unpaired surrogates
 * become '?'. Returns the number of bytes of the whole result, of which at most
 * @size are written to @out.
 */
static size_t utf16_to_utf8(u8 *out, size_t size, const any_char16 *in,
			    size_t len)
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

/*
 * Returns true if the @size bytes at @path are device paths, each with its end
 * node (UEFI 2.10 10.3.1).
 */
static bool are_device_paths(const u8 *path, size_t size)
{
	EFI_DEVICE_PATH node;
	bool ended = false;
	size_t len;

	for (; size >= sizeof(node); path += len, size -= len) {
		memcpy(&node, path, sizeof(node));
		len = (size_t)(node.Length[0] | node.Length[1] << 8);
		if (len < sizeof(node) || len > size)
			return false;
		ended = (node.Type & EFI_DP_TYPE_MASK) == END_DEVICE_PATH_TYPE &&
			node.SubType == END_ENTIRE_DEVICE_PATH_SUBTYPE;
	}
	return ended && !size;
}

/*
 * Some firmware passes the whole variable Boot#### as LoadOptions, an
 * EFI_LOAD_OPTION (UEFI 2.10 3.1.3), instead of only its optional data. Returns
 * the offset of the optional data in the @size bytes at @options, or 0 if these
 * bytes are not a well-formed EFI_LOAD_OPTION. A command line of two or more
 * UTF-16 characters is never taken for one, because its second character would
 * be the upper half of the field attributes, which must be 0.
 */
static size_t optional_data_offset(const u8 *options, size_t size)
{
	size_t at = LOAD_OPTION_HEADER_SIZE;
	struct efi_load_option option;
	CHAR16 c;

	if (size < at)
		return 0;
	memcpy(&option, options, at);
	if (option.attributes & ~LOAD_OPTION_ATTRIBUTES)
		return 0;
	do {
		if (size - at < sizeof(c))
			return 0;
		memcpy(&c, options + at, sizeof(c));
		at += sizeof(c);
	} while (c);
	if (option.path_size > size - at ||
	    !are_device_paths(options + at, option.path_size))
		return 0;
	return at + option.path_size;
}

/*
 * Returns the number of characters if the @size bytes at @text are ASCII, with
 * or without NULs after them, else 0. UTF-16 text of two or more ASCII characters
 * has NULs between them, so the result for such text is 0.
 */
static size_t ascii_len(const u8 *text, size_t size)
{
	size_t len, i;

	for (len = 0; len < size && text[len] >= ' ' && text[len] < 0x7f; len++)
		;
	for (i = len; i < size; i++) {
		if (text[i])
			return 0;
	}
	return len;
}

/*
 * Converts the text of @bytes bytes at @options, ASCII or UTF-16, to UTF-8.
 * Returns the number of bytes of the whole result, of which at most @size are
 * written to @out.
 */
static size_t read_options(u8 *out, size_t size, const u8 *options, size_t bytes)
{
	size_t len = ascii_len(options, bytes);

	if (len < 2)
		return utf16_to_utf8(out, size, (const void *)options,
				     bytes / sizeof(CHAR16));
	efi_fail("command line", "taken as ASCII, although EFI's text is UTF-16",
		 EFI_SUCCESS);
	memcpy(out, options, len < size ? len : size);
	return len;
}

static EFI_STATUS get_cmdline(struct boot_params *bp, struct cmdline *cmdline)
{
	const u8 *options = efi.loaded->LoadOptions;
	size_t bytes = efi.loaded->LoadOptionsSize, skip, len;
	u64 size = image_info.cmdline_size + 1;
	u8 *text;

	cmdline->text = builtin_cmdline;
	cmdline->len = strlen(builtin_cmdline);
	if (!options || bytes < sizeof(CHAR16))
		return EFI_SUCCESS;
	skip = optional_data_offset(options, bytes);
	if (!skip && !options[0] && !options[1])
		return EFI_SUCCESS;

	efi_measure(LINUX_LOAD_OPTIONS_TAG, LINUX_LOAD_OPTIONS_TEXT,
		    (u64)options, bytes);
	if (skip)
		efi_fail("command line",
			 "taken out of the EFI_LOAD_OPTION that firmware passed",
			 EFI_SUCCESS);
	text = (u8 *)efi_alloc_below(size, U32_MAX);
	if (!text)
		return efi_fail("command line", "no memory", EFI_OUT_OF_RESOURCES);
	len = read_options(text, size, options + skip, bytes - skip);
	if (len >= size) {
		len = cmdline_cut((const char *)text, size - 1);
		if (!len)
			return efi_fail("command line",
					"longer than the payload takes",
					EFI_INVALID_PARAMETER);
		efi_fail("command line",
			 "longer than the payload takes, cut after a word",
			 EFI_SUCCESS);
	}
	text[len] = 0;
	if (!len)
		return EFI_SUCCESS;
	bp->hdr.cmd_line_ptr = (u32)(u64)text;
	cmdline->text = (const char *)text;
	cmdline->len = len;
	return EFI_SUCCESS;
}

/* ---- From boot services to startup_64. */

/*
 * Does all that needs firmware, leaves boot services and continues at
 * startup_64. Returns only if an error occurs.
 */
static EFI_STATUS efi_boot(struct boot_params *bp, const struct cmdline *cmdline)
{
	struct efi_memory_map map = { 0 };
	EFI_STATUS status;

	efi_protect_image();
	status = efi_alloc_runtime(cmdline);
	if (!status && !bp->hdr.ramdisk_size)
		status = efi_get_initrd(bp, cmdline);
	if (status)
		return status;

	/*
	 * la57_switch() needs this memory. If firmware has none below 4 GiB,
	 * the address is 0 and la57.c uses other memory.
	 */
	la57_efi_memory = efi_alloc_below(LA57_SIZE, U32_MAX);
	efi_get_screen(&bp->screen_info);
	bp->acpi_rsdp_addr = efi_find_rsdp();
	efi_find_blob();
	bp->secure_boot = efi_get_secure_boot();
	efi_request_memory_overwrite();
	efi_install_random_seed();
	efi_install_event_log();

	status = efi_alloc_memory_map(&map);
	if (status)
		return efi_fail("memory map", "no memory", status);
	/*
	 * If ExitBootServices fails, ConOut may already be shut down (UEFI 2.10
	 * 7.4.6), so no message is printed.
	 */
	status = efi_exit_boot_services(&map);
	if (status)
		return status;

	/*
	 * Firmware's timer may still interrupt, but its handler must not run
	 * after boot services have ended.
	 */
	asm volatile("cli");
	efi_set_info(bp, &map);
	if (!efi_make_e820(bp, &map)) {
		/*
		 * error_with() prints nothing in an SEV-ES guest, which has no console
		 * yet, but terminates it with the reason. sev_detect() finds out whether
		 * this is such a guest, by firmware's #VC handler, because the stub has
		 * no IDT yet.
		 */
		sev_detect();
		error_with(SEVSTUB_TERM_HANDED_OVER, "memory map",
			   "more than %lu entries",
			   map.ext_room + E820_MAX_ENTRIES_ZEROPAGE);
	}
	enter_startup_64(bp);
}

static EFI_STATUS efi_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	efi.image = image;
	efi.st = st;
	efi.bs = st->BootServices;
	efi.loans = 0;
	efi.changed = 0;
	if (efi.bs->HandleProtocol(image, MUTABLE(loaded_image_guid),
				   (void **)&efi.loaded))
		return efi_fail("EFI", "no loaded-image protocol", EFI_UNSUPPORTED);
	return check_payload();
}

/*
 * Restores the rights that efi_protect() has changed and frees the pages of
 * efi_alloc_pages(), because firmware does neither if an image returns.
 */
static EFI_STATUS give_back(EFI_STATUS status)
{
	efi_unprotect();
	efi_free_pages();
	return status;
}

EFI_STATUS EFIAPI efi_pe_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);
EFI_STATUS efi_handover(EFI_HANDLE image, EFI_SYSTEM_TABLE *st,
			struct boot_params *bp);

EFI_STATUS EFIAPI efi_pe_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	struct boot_params *bp;
	struct cmdline cmdline;
	EFI_STATUS status = efi_start(image, st);

	entry_taken = ENTRY_EFI;
	if (status)
		return status;
	bp = make_boot_params();
	if (!bp)
		return efi_fail("zero page", "no memory", EFI_OUT_OF_RESOURCES);
	status = get_cmdline(bp, &cmdline);
	if (!status)
		status = efi_boot(bp, &cmdline);
	return give_back(status);
}

/*
 * The EFI handover entry (boot.rst, "EFI Handover Protocol"). The loader has
 * made the zero page @bp, which names the command line and perhaps an initrd.
 */
EFI_STATUS efi_handover(EFI_HANDLE image, EFI_SYSTEM_TABLE *st,
			struct boot_params *bp)
{
	struct cmdline cmdline;
	EFI_STATUS status = efi_start(image, st);

	entry_taken = ENTRY_EFI_HANDOVER;
	if (status)
		return status;
	sanitize_boot_params(bp);
	cmdline = find_cmdline(bp);
	return give_back(efi_boot(bp, &cmdline));
}
