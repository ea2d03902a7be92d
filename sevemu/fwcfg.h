/* SPDX-License-Identifier: MIT */
/*
 * fwcfg.h - QEMU's fw_cfg device as the hypervisor uses it (fwcfg.c).
 *
 * All functions use the device's DMA interface, so they may be called only
 * before the guest starts: afterwards the selected item is the guest's.  A
 * transfer that the device refuses ends the run with END_ERROR.
 */
#ifndef SEVEMU_FWCFG_H
#define SEVEMU_FWCFG_H

#include "x86.h"

/* Keys of items (QEMU docs/specs/fw_cfg; standard-headers/linux/qemu_fw_cfg.h) */
#define FW_CFG_ID		0x0001
#define FW_CFG_RAM_SIZE		0x0003
#define FW_CFG_KERNEL_SIZE	0x0008
#define FW_CFG_INITRD_SIZE	0x000b
#define FW_CFG_KERNEL_DATA	0x0011
#define FW_CFG_INITRD_DATA	0x0012
#define FW_CFG_CMDLINE_SIZE	0x0014
#define FW_CFG_CMDLINE_DATA	0x0015
#define FW_CFG_SETUP_SIZE	0x0017
#define FW_CFG_SETUP_DATA	0x0018
#define FW_CFG_FILE_DIR		0x0019

/*
 * Copies the first @len bytes of the item @key to @buf, which must be in the
 * hypervisor's image or identity-mapped.  Bytes behind the item's end are 0.
 */
void fwcfg_read(u16 key, void *buf, u32 len);

/* Returns the first four bytes of the item @key as a little-endian number. */
u32 fwcfg_read32(u16 key);

/*
 * Looks for the file @name in the directory.  Returns its key and sets *@size to
 * its size in bytes; returns 0, with *@size unchanged, if QEMU has no such file.
 */
u16 fwcfg_find(const char *name, u32 *size);

#endif
