/* SPDX-License-Identifier: MIT */
/*
 * fwcfg.h - reads items from QEMU's fw_cfg device (fwcfg.c).
 *
 * The functions may be called only before the guest starts, because they select
 * an item of the device, and afterwards the guest selects items.  Only fwcfg_more() may
 * be called later, because it selects no item.  If the device refuses a DMA transfer,
 * sevemu terminates with END_ERROR.
 */
#ifndef SEVEMU_FWCFG_H
#define SEVEMU_FWCFG_H

#include "x86.h"

/* Keys of fw_cfg's items (QEMU's docs/specs/fw_cfg and linux/qemu_fw_cfg.h). */
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
 * Copies the first @len bytes of fw_cfg's item @key to @buf, which must be in
 * the hypervisor's image or identity-mapped.  If the item is shorter, the rest
 * is 0.
 */
void fwcfg_read(u16 key, void *buf, u32 len);

/*
 * Copies to @buf the next @len bytes of the item that the last fwcfg_read(), or the guest, has
 * selected.  Parameters are those of fwcfg_read().
 */
void fwcfg_more(void *buf, u32 len);

/* Returns the first four bytes of fw_cfg's item @key as a little-endian number. */
u32 fwcfg_read32(u16 key);

/*
 * Looks for the file @name in fw_cfg's directory, FW_CFG_FILE_DIR.  Returns the
 * file's key and sets *@size to the file's size in bytes.  Returns 0, with
 * *@size unchanged, if the directory does not have the file.
 */
u16 fwcfg_find(const char *name, u32 *size);

#endif
