/* SPDX-License-Identifier: MIT */
/*
 * boot_params.c - reads the zero page, in which the loader describes the
 * machine and what it has loaded.
 *
 * Every field is untrusted. These functions check what can be checked without
 * the memory map; misc.c checks that the ranges are RAM and outside of the
 * payload's memory. They also run before the image has moved, when the memory
 * of .bss can still belong to something else. They must therefore not use .bss.
 */
#include "boot_params.h"
#include "error.h"
#include "image.h"
#include "lib/string.h"
#include "setup.h"
#include "sev.h"

/* Assembly files use these sizes and offsets, which setup.h defines. */
BUILD_BUG_ON(sizeof(struct boot_params) != ZERO_PAGE_SIZE);
BUILD_BUG_ON(offsetof(struct boot_params, scratch) != ZP_SCRATCH);
BUILD_BUG_ON(offsetof(struct boot_params, e820_entries) != ZP_E820_ENTRIES);
BUILD_BUG_ON(offsetof(struct boot_params, sentinel) != SETUP_SENTINEL);
BUILD_BUG_ON(offsetof(struct boot_params, hdr) != SETUP_HEADER);
BUILD_BUG_ON(offsetof(struct boot_params, hdr.loadflags) !=
	     SETUP_HEADER + HDR_LOADFLAGS);
BUILD_BUG_ON(offsetof(struct boot_params, hdr.code32_start) !=
	     SETUP_HEADER + HDR_CODE32_START);
BUILD_BUG_ON(offsetof(struct boot_params, e820_table) != ZP_E820_TABLE);
BUILD_BUG_ON(sizeof(struct boot_e820_entry) != E820_ENTRY_SIZE);
BUILD_BUG_ON(E820_MAX_ENTRIES_ZEROPAGE != E820_ZERO_PAGE_ENTRIES);

in_data u32 entry_taken = ENTRY_64;

void sanitize_boot_params(struct boot_params *bp)
{
	static const struct {
		u16 start, end;
	} stray[] = {
		{ offsetof(struct boot_params, acpi_rsdp_addr),
		  offsetof(struct boot_params, hd0_info) },
		{ offsetof(struct boot_params, ext_ramdisk_image),
		  offsetof(struct boot_params, efi_info) },
		{ offsetof(struct boot_params, kbd_status),
		  offsetof(struct boot_params, secure_boot) },
		{ offsetof(struct boot_params, _pad5),
		  offsetof(struct boot_params, hdr) },
		{ offsetof(struct boot_params, _pad7),
		  offsetof(struct boot_params, edd_mbr_sig_buffer) },
		{ offsetof(struct boot_params, _pad8),
		  offsetof(struct boot_params, eddbuf) },
		{ offsetof(struct boot_params, _pad9), ZERO_PAGE_SIZE },
	};
	unsigned int i;

	/*
	 * The kernel would dereference cc_blob_address, so a loader must not
	 * set it. In an SNP guest snp_hand_over() sets it later. KASLR_FLAG
	 * says that the stub has chosen a random address, so a loader must not
	 * set it either.
	 */
	bp->cc_blob_address = 0;
	bp->hdr.loadflags &= (u8)~KASLR_FLAG;

	/*
	 * A sentinel that is not 0 shows that the loader copied a whole sector
	 * of the image's file into the zero page. Fields outside of the setup
	 * header then hold bytes of the file, and are cleared.
	 */
	if (!bp->sentinel)
		return;
	for (i = 0; i < ARRAY_SIZE(stray); i++)
		memset((u8 *)bp + stray[i].start, 0,
		       stray[i].end - stray[i].start);
}

/*
 * Returns the loader's command line. If it has more than image_info.cmdline_size bytes
 * before its NUL, the result's length is image_info.cmdline_size + 1.
 */
static struct cmdline loaders_cmdline(const struct boot_params *bp)
{
	u64 addr = (u64)bp->ext_cmd_line_ptr << 32 | bp->hdr.cmd_line_ptr;
	struct cmdline cmdline = { (const char *)addr, 0 };

	if (addr)
		cmdline.len = strnlen(cmdline.text, image_info.cmdline_size + 1);
	return cmdline;
}

bool cmdline_is_too_long(const struct boot_params *bp)
{
	return loaders_cmdline(bp).len > image_info.cmdline_size;
}

struct cmdline find_cmdline(const struct boot_params *bp)
{
	struct cmdline cmdline = loaders_cmdline(bp);

	if (cmdline.len > image_info.cmdline_size) {
		cmdline.len = cmdline_cut(cmdline.text, image_info.cmdline_size);
		if (!cmdline.len)
			error_with(SEVSTUB_TERM_HANDED_OVER, "command line",
				   "no end within %lu bytes at 0x%lx",
				   image_info.cmdline_size, (u64)cmdline.text);
	}
	if (!cmdline.len) {
		cmdline.text = builtin_cmdline;
		cmdline.len = strlen(builtin_cmdline);
	}
	return cmdline;
}

bool cmdline_is_builtin(const struct cmdline *cmdline)
{
	return cmdline->text == builtin_cmdline;
}

struct range zero_page_range(const struct boot_params *bp)
{
	return (struct range){ (u64)bp, (u64)bp + sizeof(*bp) };
}

struct range cmdline_range(const struct cmdline *cmdline)
{
	u64 text = (u64)cmdline->text;

	return (struct range){ text, text + cmdline->len + 1 };
}

struct range initrd_range(const struct boot_params *bp)
{
	u64 start = (u64)bp->ext_ramdisk_image << 32 | bp->hdr.ramdisk_image;
	u64 size = (u64)bp->ext_ramdisk_size << 32 | bp->hdr.ramdisk_size;

	if (start + size < start)
		error_with(SEVSTUB_TERM_HANDED_OVER, "initrd",
			   "0x%lx bytes at 0x%lx wrap around", size, start);
	return (struct range){ start, start + size };
}
