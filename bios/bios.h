/* SPDX-License-Identifier: MIT */
/*
 * bios.h - how setup.c calls the BIOS, and the numbers of the services that it
 * uses (Ralf Brown's Interrupt List; VBE 2.0; APM 1.2; EDD 3.0; svga.rst for the
 * values of vga=).
 */
#ifndef BIOS_H
#define BIOS_H

#include "setup.h"
#include "types.h"

/* ---- header.S ---- */

/*
 * The registers before and after a BIOS call, in the order in which PUSHFL and then
 * PUSHAL store them. bios_call() loads all of them but esp and eflags before the
 * call, and stores all of them after it. During the call DS and ES select the
 * segment of setup.c.
 */
struct bios_regs {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax, eflags;
};
BUILD_BUG_ON(offsetof(struct bios_regs, eflags) != BIOS_REGS_GENERAL);
BUILD_BUG_ON(sizeof(struct bios_regs) != BIOS_REGS_SIZE);

/*
 * Calls the BIOS: loads the general registers from @regs, executes INT @vector, and
 * stores the registers and EFLAGS that the BIOS returns in @regs.
 */
void bios_call(u8 vector, struct bios_regs *regs);
/* Returns the byte of memory at @addr, a linear address below 1 MiB. */
u8 bios_peek(u32 addr);

/* ---- linker.ld ---- */

/*
 * The zero page that the stub builds, and a buffer into which BIOS services store
 * data. linker.ld places both in memory above the setup sectors.
 */
#define SETUP_BUFFER_SIZE	4096
extern struct boot_params setup_zero_page;
extern u8 setup_buffer[SETUP_BUFFER_SIZE];

/* ---- setup.c ---- */

/*
 * Fills the zero page with what the BIOS knows, and sets the video mode that
 * vga= asks for. setup_entry calls it after it has read the E820 map and switched
 * A20 on.
 */
void detect_hardware(void);

/* EFLAGS.CF: a BIOS service sets it if it fails or does not exist. */
#define BIOS_CARRY		0x1
/* The first linear address that bios_peek() cannot read. */
#define REAL_MODE_END		0x100000

/* -- INT 15h. */
#define BIOS_EXTENDED_MEMORY	0x8800
#define BIOS_E801		0xe801
/*
 * The service BIOS_E801 returns the KiB of RAM from 1 MiB to 16 MiB, which are
 * E801_LOW_FULL if that range has no hole, and the RAM above 16 MiB in units of
 * 64 KiB.
 */
#define E801_LOW_FULL		(15 * 1024)
#define E801_HIGH_SHIFT		6
#define BIOS_IST		0xe980
#define IST_SIGNATURE		0x47534943	/* "ISGC" */
#define APM_BIOS		0		/* the device ID of the BIOS */
#define APM_CHECK		0x5300
#define APM_CONNECT_32		0x5303
#define APM_DISCONNECT		0x5304
#define APM_SIGNATURE		0x504d		/* "PM" */
#define APM_32BIT		0x2

/* -- INT 13h. */
#define BIOS_DISK		0x13
#define DISK_FIRST		0x80
#define DISK_READ_ONE		0x0201
#define DISK_FIRST_SECTOR	0x0001
#define DISK_PARAMETERS		0x0800
#define EDD_CHECK		0x4100
#define EDD_PARAMETERS		0x4800
/*
 * The second letters of "off" and "skipmbr", by which setup.c tells values of edd= apart.
 * The first letter would not tell "off" from "on".
 */
#define EDD_OFF			'f'
#define EDD_SKIP_MBR		'k'
#define MBR_MAGIC_OFFSET	510

/* -- INT 16h. */
#define BIOS_KEYBOARD		0x16
#define BIOS_KEYBOARD_FLAGS	0x02

/* -- INT 10h. */
#define BIOS_CURSOR		0x03
#define BIOS_VIDEO_MODE		0x0f
#define BIOS_DISPLAY_CODE	0x1a00
#define VIDEO_TEXT		0x03
#define TEXT_COLUMNS		80
#define TEXT_LINES		25
#define VIDEO_MODE_MASK		0x7f
#define CURSOR_OFF		0x2000
#define CURSOR_LINE		0x1f
#define VIDEO_EGA_INFO		0x1200
#define VIDEO_EGA_ASK		0x10
#define VIDEO_350_LINES		0x1201
#define VIDEO_SCAN_LINES	0x30
#define VIDEO_FONT_14		0x1111
#define VIDEO_FONT_8		0x1112
#define VBE_OK			0x004f
#define VBE_INFO		0x4f00
#define VBE_MODE_INFO		0x4f01
#define VBE_SET_MODE		0x4f02
#define VBE_MODE_LINEAR		0x4000
#define VBE_EDID		0x4f15
#define VBE_EDID_CHECK		0
#define VBE_EDID_READ		1
#define VBE_SIGNATURE		0x41534556	/* "VESA" */
/* set_vesa_mode() needs a linear framebuffer, which VBE has from version 2.0 on. */
#define VBE_VERSION_MIN		0x0200
/*
 * If the monitor has no EDID, each byte of edid_info gets this value, as
 * Linux's own setup code does it.
 */
#define EDID_UNKNOWN		0x13

struct vbe_info {
	u32 signature;
	u16 version;
	u8 unused[12];
	u16 total_memory;	/* adapter's video memory in units of 64 KiB */
} __attribute__((packed));
BUILD_BUG_ON(offsetof(struct vbe_info, total_memory) != 18);

struct vbe_mode_info {
	u16 attributes;
	u8 unused[14];
	u16 line_length;	/* 0x10: bytes */
	u16 width, height;
	u8 character[2];
	u8 unused_planes;
	u8 depth;		/* 0x19: bits per pixel */
	u8 banks[3];
	u8 planes;		/* 0x1d: number of image pages - 1 */
	u8 unused_1;
	/*
	 * 0x1f: two bytes for each part of a pixel (red, green, blue, reserved):
	 * the part's number of bits, and the position of its lowest bit.
	 */
	u8 colours[8];
	u8 direct;
	u32 base;		/* 0x28: physical address of the framebuffer */
} __attribute__((packed));
BUILD_BUG_ON(offsetof(struct vbe_mode_info, line_length) != 0x10);
BUILD_BUG_ON(offsetof(struct vbe_mode_info, depth) != 0x19);
BUILD_BUG_ON(offsetof(struct vbe_mode_info, planes) != 0x1d);
BUILD_BUG_ON(offsetof(struct vbe_mode_info, colours) != 0x1f);
BUILD_BUG_ON(offsetof(struct vbe_mode_info, base) != 0x28);

/*
 * The stub uses a text mode if vbe_mode_info.attributes & VBE_TEXT_MASK is VBE_TEXT:
 * the adapter supports the mode, the BIOS can print in it, and it is no graphics mode.
 */
#define VBE_TEXT_MASK		0x15
#define VBE_TEXT		0x05
/*
 * The stub uses a graphics mode if vbe_mode_info.attributes has all of these bits:
 * supported, colour, graphics, linear framebuffer.
 */
#define VBE_LINEAR		0x99

/* -- Values of vga= (boot.rst "Special Command Line Options", svga.rst). */
#define VIDEO_NORMAL		0xffff
#define VIDEO_EXTENDED		0xfffe
#define VIDEO_FIRST_BIOS	0x0100
#define VIDEO_END_BIOS		0x0180
#define VIDEO_FIRST_VESA	0x0200
#define VIDEO_END_VESA		0x0800
#define VIDEO_80X25		0x0f00
#define VIDEO_80X50		0x0f01
#define VIDEO_80X43		0x0f02
#define VIDEO_80X28		0x0f03
#define VIDEO_CURRENT		0x0f04
/*
 * Values of vga= that name a text mode by its size: lines in the high byte, columns
 * in the low byte.
 */
#define VIDEO_80X25_SIZE	0x1950
#define VIDEO_80X50_SIZE	0x3250

/* -- BIOS data area: linear addresses. */
#define BDA_COLUMNS		0x44a
#define BDA_DISKS		0x475
#define BDA_ROWS		0x484		/* rows - 1 */
#define BDA_CHAR_HEIGHT		0x485

#endif
