/* SPDX-License-Identifier: MIT */
/*
 * boot_params.h - checks the zero page (struct boot_params), and finds the
 * command line and the initrd that the loader described in it
 * (lib/boot_params.c).
 */
#ifndef BOOT_PARAMS_H
#define BOOT_PARAMS_H

#include <asm/bootparam.h>

#include "cmdline.h"
#include "range.h"

/*
 * The entry by which the loader started the stub, ENTRY_* of setup.h, for a message.
 * The initial value is ENTRY_64. Every other entry stores its own number.
 */
extern u32 entry_taken;

/*
 * Clears what a loader must not set: cc_blob_address, which the kernel would
 * dereference, and KASLR_FLAG. If bp->sentinel is not 0, the loader has copied
 * bytes of the image's file around the setup header into the zero page. The
 * fields that this can have spoilt are then cleared, too. Kept are the setup
 * header and the fields that each loader fills in, such as screen_info, efi_info
 * and e820_table. Must be called before C code reads @bp.
 */
void sanitize_boot_params(struct boot_params *bp);

/*
 * Returns the loader's command line, or the built-in one if the loader passed
 * none or an empty one. If it has no NUL within image_info.cmdline_size bytes,
 * only the words that fit whole are returned. Ends the boot with error() if not
 * even the first word fits, because such bytes are hardly a command line.
 */
struct cmdline find_cmdline(const struct boot_params *bp);

/* Returns true if find_cmdline() cuts the loader's command line. */
bool cmdline_is_too_long(const struct boot_params *bp);

/* Returns true if find_cmdline() returned the built-in command line. */
bool cmdline_is_builtin(const struct cmdline *cmdline);

/*
 * Return the memory that the zero page, the command line with its NUL, or the
 * initrd takes. The range is empty if the loader passed no initrd.
 * initrd_range() ends the boot with error() if the initrd wraps around at 2^64.
 */
struct range zero_page_range(const struct boot_params *bp);
struct range cmdline_range(const struct cmdline *cmdline);
struct range initrd_range(const struct boot_params *bp);

#endif
