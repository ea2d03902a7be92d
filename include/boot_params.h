/* SPDX-License-Identifier: MIT */
/*
 * boot_params.h - what the loader handed over in the zero page, and where it
 * lies in memory (lib/boot_params.c).
 */
#ifndef BOOT_PARAMS_H
#define BOOT_PARAMS_H

#include <asm/bootparam.h>

#include "cmdline.h"
#include "range.h"

/*
 * The entry that the loader took, ENTRY_* of setup.h; the boot reports it. Each
 * entry but the 64-bit one stores its number before it joins that one.
 */
extern u32 entry_taken;

/*
 * Clears what no loader may set: cc_blob_address, which the kernel would
 * dereference, and KASLR_FLAG. If the sentinel is set, the loader copied a whole
 * sector of the image's file into the zero page, so that fields outside of the
 * setup header hold bytes of that file; these are cleared too (boot.rst,
 * "sentinel" of zero-page.rst). Must be called before a field is read.
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

/* Returns true if the built-in command line is in use. */
bool cmdline_is_builtin(const struct cmdline *cmdline);

/*
 * The memory that each of these takes. The range of the initrd is empty if
 * there is none; initrd_range() ends the boot with error() if it wraps around.
 * cmdline_range() includes the terminating NUL.
 */
struct range zero_page_range(const struct boot_params *bp);
struct range cmdline_range(const struct cmdline *cmdline);
struct range initrd_range(const struct boot_params *bp);

#endif
