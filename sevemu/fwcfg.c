/* SPDX-License-Identifier: MIT */
/*
 * fwcfg.c - reads items, such as kernel and command line, from QEMU's fw_cfg
 * device.
 *
 * Runs before the guest starts.  Afterwards the guest selects the device's items, and the
 * hypervisor must not change which item is selected.  Only fwcfg_more() may then run, because
 * it selects no item.  io.c calls it to read the bytes for which the guest asks by INS.
 * QEMU's docs/specs/fw_cfg describes the device.
 */
#include "fwcfg.h"
#include "layout.h"
#include "main.h"
#include "report.h"
#include "sevemu.h"

#define DMA_ADDRESS_HIGH	0x514
#define DMA_ADDRESS_LOW		0x518
#define DMA_ERROR		1
#define DMA_READ		2
#define DMA_SELECT		8
#define NAME_MAX		56
/* fw_cfg cannot have more files than this, because their keys have 16 bits. */
#define FILES_MAX		0x10000

/*
 * A DMA request to fw_cfg.  All members are big-endian.  The device sets
 * control to 0 when it has finished, or to DMA_ERROR.
 */
struct dma {
	u32 control;		/* operation (DMA_*), and fw_cfg key in bits 31:16 */
	u32 length;		/* number of bytes to transfer */
	/* The physical address of the buffer that the device reads or writes. */
	u64 address;
} __attribute__((packed));

/* An entry of fw_cfg's directory of files, the item FW_CFG_FILE_DIR. */
struct file {
	u32 size;		/* size of the file in bytes, big-endian */
	u16 key;		/* number that selects the file, big-endian */
	u16 reserved;
	char name[NAME_MAX];
} __attribute__((packed));

/*
 * Returns the physical address of @p.  The hypervisor's image is mapped at
 * HV_VIRT; all other memory is mapped at its physical address.
 */
static u64 phys(const void *p)
{
	u64 address = (u64)p;

	return address >= HV_VIRT ? address - HV_VIRT + hv_base : address;
}

/*
 * Lets the fw_cfg device do one DMA operation on @buf, and waits until it has
 * finished.  @control is DMA_* bits and a key.  If the device reports
 * DMA_ERROR, sevemu terminates.
 */
static void fwcfg_dma(u32 control, void *buf, u32 len)
{
	struct dma dma = {
		.control = __builtin_bswap32(control),
		.length = __builtin_bswap32(len),
		.address = __builtin_bswap64(phys(buf)),
	};
	u64 address = phys(&dma);

	/*
	 * Make the compiler store dma and buf before the outl(), because it
	 * does not know that the device reads and writes them.
	 */
	asm volatile("" : : "r"(buf), "r"(&dma) : "memory");
	outl(DMA_ADDRESS_HIGH, __builtin_bswap32(address >> 32));
	outl(DMA_ADDRESS_LOW, __builtin_bswap32(address));
	do
		asm volatile("" : : "r"(buf), "r"(&dma) : "memory");
	while (dma.control & __builtin_bswap32(~DMA_ERROR));
	if (dma.control)
		end_run(END_ERROR, "fw_cfg refuses the DMA of %u bytes (control %#x): does "
			"QEMU have the item?", len, control);
}

void fwcfg_read(u16 key, void *buf, u32 len)
{
	fwcfg_dma((u32)key << 16 | DMA_SELECT | DMA_READ, buf, len);
}

void fwcfg_more(void *buf, u32 len)
{
	fwcfg_dma(DMA_READ, buf, len);
}

u32 fwcfg_read32(u16 key)
{
	u32 v = 0;

	fwcfg_read(key, &v, sizeof(v));
	return v;
}

u16 fwcfg_find(const char *name, u32 *size)
{
	u32 count = __builtin_bswap32(fwcfg_read32(FW_CFG_FILE_DIR));
	struct file file = { 0 };
	u32 skip;

	if (count > FILES_MAX)
		end_run(END_ERROR, "fw_cfg says that it has %u files, possible are %u: is "
			"this QEMU?", count, FILES_MAX);
	fwcfg_read(FW_CFG_FILE_DIR, &skip, sizeof(skip));
	while (count--) {
		fwcfg_dma(DMA_READ, &file, sizeof(file));
		file.name[NAME_MAX - 1] = '\0';
		if (!strcmp(file.name, name)) {
			*size = __builtin_bswap32(file.size);
			return __builtin_bswap16(file.key);
		}
	}
	return 0;
}
