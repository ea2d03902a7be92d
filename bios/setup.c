/* SPDX-License-Identifier: MIT */
/*
 * setup.c - fills the zero page (zero-page.rst) with what only a BIOS knows:
 * memory sizes, screen, disks, power management.
 *
 * Runs in real mode, called by setup_entry in header.S. DS, ES and SS are the
 * segment that the loader put the setup sectors into, and an address is an offset
 * in this segment. There is no .bss. The stack has 2 KiB, and the BIOS uses it,
 * too. Most fields of the zero page stay 0 if the BIOS does not support the
 * service that they come from.
 */
#include <asm/bootparam.h>
#include <linux/edd.h>
#include <linux/screen_info.h>

#include "bios.h"

#define bp (&setup_zero_page)

/*
 * Executes INT @vector with EAX = @eax and the other registers from @regs, and
 * stores the BIOS's registers in @regs. The caller must set the registers that the
 * service reads, and may leave the others uninitialised.
 * Returns false if the BIOS sets CF, which means that the service failed.
 */
static noinline bool bios(u8 vector, u32 eax, struct bios_regs *regs)
{
	regs->eax = eax;
	bios_call(vector, regs);
	return !(regs->eflags & BIOS_CARRY);
}

static u32 offset_of(const void *p)
{
	return (u32)(unsigned long)p;
}

static u16 peek16(u32 addr)
{
	return (u16)(bios_peek(addr) | bios_peek(addr + 1) << 8);
}

static void copy(void *to, const void *from, unsigned int size)
{
	const u8 *in = from;
	u8 *out = to;

	while (size--)
		*out++ = *in++;
}

/* ---- Memory sizes, for kernels that do not read E820. */

static void detect_sizes(void)
{
	struct bios_regs regs;
	u16 low, high;

	if (bios(BIOS_SYSTEM, BIOS_EXTENDED_MEMORY, &regs))
		bp->screen_info.ext_mem_k = (u16)regs.eax;

	regs.ecx = 0;
	regs.edx = 0;
	if (!bios(BIOS_SYSTEM, BIOS_E801, &regs))
		return;
	/* Some BIOSes return the sizes in CX and DX, others in AX and BX. */
	low = (u16)regs.ecx;
	high = (u16)regs.edx;
	if (!low && !high) {
		low = (u16)regs.eax;
		high = (u16)regs.ebx;
	}
	/*
	 * alt_mem_k is the RAM in KiB from 1 MiB up to the first hole. If there
	 * is a hole below 16 MiB, RAM above 16 MiB does not count.
	 */
	if (low == E801_LOW_FULL)
		bp->alt_mem_k = ((u32)high << E801_HIGH_SHIFT) + low;
	else if (low < E801_LOW_FULL)
		bp->alt_mem_k = low;
}

/* ---- Power management. */

static void detect_apm(void)
{
	struct apm_bios_info apm;
	struct bios_regs regs;

	regs.ebx = APM_BIOS;
	if (!bios(BIOS_SYSTEM, APM_CHECK, &regs) ||
	    (u16)regs.ebx != APM_SIGNATURE || !(regs.ecx & APM_32BIT))
		return;
	/*
	 * Disconnect the APM interface, in case a loader has connected it. The
	 * call fails if it is not connected, so its result is ignored.
	 */
	regs.ebx = APM_BIOS;
	bios(BIOS_SYSTEM, APM_DISCONNECT, &regs);
	regs.ebx = APM_BIOS;
	if (!bios(BIOS_SYSTEM, APM_CONNECT_32, &regs))
		return;
	apm.cseg = (u16)regs.eax;
	apm.offset = regs.ebx;
	apm.cseg_16 = (u16)regs.ecx;
	apm.dseg = (u16)regs.edx;
	apm.cseg_len = (u16)regs.esi;
	apm.cseg_16_len = (u16)(regs.esi >> 16);
	apm.dseg_len = (u16)regs.edi;

	/*
	 * Ask for version and flags again, because a BIOS may report other values
	 * once the interface is connected.
	 */
	regs.ebx = APM_BIOS;
	if (!bios(BIOS_SYSTEM, APM_CHECK, &regs))
		return;
	apm.version = (u16)regs.eax;
	apm.flags = (u16)regs.ecx;
	bp->apm_bios_info = apm;
}

/*
 * Stores the BIOS's answer about Intel SpeedStep (IST) even if the service does not
 * exist, because the kernel checks ist_info.signature itself.
 */
static void detect_ist(void)
{
	struct bios_regs regs;

	regs.ebx = 0;
	regs.ecx = 0;
	regs.edx = IST_SIGNATURE;
	bios(BIOS_SYSTEM, BIOS_IST, &regs);
	bp->ist_info.signature = regs.eax;
	bp->ist_info.command = regs.ebx;
	bp->ist_info.event = regs.ecx;
	bp->ist_info.perf_level = regs.edx;
}

/* ---- Disks. */

/*
 * Returns the second letter of the command line's last edd= value, or 0. The first
 * letter would not tell edd=off from edd=on. A user gives edd=off or edd=skipmbr if a
 * disk service makes the BIOS hang.
 */
static char edd_option(void)
{
	static const char name[] = " edd=";
	u32 addr = bp->hdr.cmd_line_ptr;
	unsigned int matched = 1;
	char found = 0;
	char c;

	if (!addr)
		return 0;
	for (; addr + 1 < REAL_MODE_END && (c = (char)bios_peek(addr)); addr++) {
		if (matched == sizeof(name) - 1)
			found = (char)bios_peek(addr + 1);
		matched = c == name[matched] ? matched + 1 : c == ' ';
	}
	return found;
}

static bool detect_disk(u8 disk, struct edd_info *info)
{
	struct bios_regs regs;

	*info = (struct edd_info){ .device = disk };
	regs.ebx = EDDMAGIC1;
	regs.edx = disk;
	if (!bios(BIOS_DISK, EDD_CHECK, &regs) || (u16)regs.ebx != EDDMAGIC2)
		return false;
	info->version = (u8)(regs.eax >> 8);
	info->interface_support = (u16)regs.ecx;

	info->params.length = sizeof(info->params);
	regs.edx = disk;
	regs.esi = offset_of(&info->params);
	bios(BIOS_DISK, EDD_PARAMETERS, &regs);

	regs.edx = disk;
	if (bios(BIOS_DISK, DISK_PARAMETERS, &regs)) {
		info->legacy_max_cylinder = (u16)((regs.ecx >> 8 & 0xff) |
						  (regs.ecx & 0xc0) << 2);
		info->legacy_max_head = (u8)(regs.edx >> 8);
		info->legacy_sectors_per_track = regs.ecx & 0x3f;
	}
	return true;
}

/*
 * Reads the disk signature in the first sector of @disk, the MBR. Returns false if
 * the sector has no boot signature, cannot be read, or is larger than
 * setup_buffer.
 */
static bool read_signature(u8 disk, u16 sector_size, u32 *signature)
{
	struct bios_regs regs;
	u16 magic;

	/*
	 * The sector overwrites the struct edd_info in setup_buffer, which the
	 * caller no longer needs.
	 */
	regs.ebx = offset_of(setup_buffer);
	regs.ecx = DISK_FIRST_SECTOR;
	regs.edx = disk;
	if (sector_size > SETUP_BUFFER_SIZE ||
	    !bios(BIOS_DISK, DISK_READ_ONE, &regs))
		return false;
	copy(&magic, setup_buffer + MBR_MAGIC_OFFSET, sizeof(magic));
	copy(signature, setup_buffer + EDD_MBR_SIG_OFFSET, sizeof(*signature));
	return magic == BOOT_FLAG;
}

static void detect_disks(void)
{
	struct edd_info *info = (void *)setup_buffer;
	char option = edd_option();
	unsigned int disks = bios_peek(BDA_DISKS);
	unsigned int i;

	if (option == EDD_OFF)
		return;
	for (i = 0; i < disks && i < EDD_MBR_SIG_MAX; i++) {
		u8 disk = (u8)(DISK_FIRST + i);
		u32 signature;

		if (detect_disk(disk, info) && bp->eddbuf_entries < EDDMAXNR)
			bp->eddbuf[bp->eddbuf_entries++] = *info;
		if (option == EDD_SKIP_MBR ||
		    !read_signature(disk, info->params.bytes_per_sector,
				    &signature))
			continue;
		bp->edd_mbr_sig_buffer[i] = signature;
		bp->edd_mbr_sig_buf_entries = (u8)(i + 1);
	}
}

/* ---- The screen. */

static bool vbe(u16 function, u32 ebx, u32 ecx)
{
	struct bios_regs regs;

	regs.ebx = ebx;
	regs.ecx = ecx;
	regs.edx = 0;
	regs.edi = offset_of(setup_buffer);
	bios(BIOS_VIDEO, function, &regs);
	return (u16)regs.eax == VBE_OK;
}

/*
 * Sets a VESA mode. Describes a graphics mode, which must have a linear
 * framebuffer, in screen_info. Returns false if the mode cannot be set.
 */
static bool set_vesa_mode(u16 mode)
{
	const struct vbe_info *vi = (const void *)setup_buffer;
	const struct vbe_mode_info *mi = (const void *)setup_buffer;
	struct screen_info *si = &bp->screen_info;
	u16 memory;

	if (!vbe(VBE_INFO, 0, 0) || vi->signature != VBE_SIGNATURE ||
	    vi->version < VBE_VERSION_MIN)
		return false;
	memory = vi->total_memory;
	if (!vbe(VBE_MODE_INFO, 0, mode))
		return false;
	if ((mi->attributes & VBE_TEXT_MASK) == VBE_TEXT)
		return vbe(VBE_SET_MODE, mode, 0);
	if ((mi->attributes & VBE_LINEAR) != VBE_LINEAR ||
	    !vbe(VBE_SET_MODE, mode | VBE_MODE_LINEAR, 0) ||
	    !vbe(VBE_MODE_INFO, 0, mode))
		return false;

	si->orig_video_isVGA = VIDEO_TYPE_VLFB;
	si->vesa_attributes = mi->attributes;
	si->lfb_linelength = mi->line_length;
	si->lfb_width = mi->width;
	si->lfb_height = mi->height;
	si->lfb_depth = mi->depth;
	si->pages = mi->planes;
	si->lfb_base = mi->base;
	si->lfb_size = memory;
	copy(&si->red_size, mi->colours, sizeof(mi->colours));
	return true;
}

static bool set_bios_mode(u8 mode)
{
	struct bios_regs regs;

	bios(BIOS_VIDEO, mode, &regs);
	bios(BIOS_VIDEO, BIOS_VIDEO_MODE << 8, &regs);
	return (regs.eax & 0x7f) == mode;
}

/*
 * Sets @mode, a text mode with 80 columns. The number of lines on the screen results
 * from the number of scan lines and the height of the font, so @mode selects both.
 * Returns false if the BIOS does not set the mode.
 */
static bool set_text_mode(u16 mode)
{
	struct bios_regs regs;

	regs.ebx = VIDEO_SCAN_LINES;
	if (mode == VIDEO_80X43)
		bios(BIOS_VIDEO, VIDEO_350_LINES, &regs);
	if (!set_bios_mode(VIDEO_TEXT))
		return false;
	regs.ebx = 0;
	if (mode != VIDEO_80X25)
		bios(BIOS_VIDEO, mode == VIDEO_80X28 ? VIDEO_FONT_14 :
						       VIDEO_FONT_8, &regs);
	return true;
}

/* Sets video mode @mode, a value of vga=. Returns false if it cannot be set. */
static bool set_mode(u16 mode)
{
	switch (mode) {
	case VIDEO_NORMAL:
	case VIDEO_CURRENT:
		return true;
	case VIDEO_EXTENDED:
	case VIDEO_80X50_SIZE:
		return set_text_mode(VIDEO_80X50);
	case VIDEO_80X25_SIZE:
		return set_text_mode(VIDEO_80X25);
	case VIDEO_80X25:
	case VIDEO_80X50:
	case VIDEO_80X43:
	case VIDEO_80X28:
		return set_text_mode(mode);
	}
	if (mode >= VIDEO_FIRST_VESA && mode < VIDEO_END_VESA)
		return set_vesa_mode(mode - VIDEO_FIRST_VESA);
	if (mode >= VIDEO_FIRST_BIOS && mode < VIDEO_END_BIOS)
		return set_bios_mode((u8)(mode - VIDEO_FIRST_BIOS));
	return false;
}

static void print(const char *text)
{
	struct bios_regs regs;

	for (; *text; text++) {
		regs.ebx = VIDEO_WHITE;
		bios(BIOS_VIDEO, BIOS_TELETYPE << 8 | (u8)*text, &regs);
	}
}

static bool is_graphics(void)
{
	return bp->screen_info.orig_video_isVGA == VIDEO_TYPE_VLFB;
}

/*
 * Stores the text mode, its size and the cursor's position in screen_info, so that
 * the kernel prints below the text on the screen. Without a VGA display it stores
 * 80 columns and 25 lines, because a kernel may rely on a size other than 0.
 */
static void store_text_screen(void)
{
	struct screen_info *si = &bp->screen_info;
	struct bios_regs regs;

	si->orig_video_cols = TEXT_COLUMNS;
	si->orig_video_lines = TEXT_LINES;
	if (!si->orig_video_isVGA)
		return;
	regs.ebx = 0;
	bios(BIOS_VIDEO, BIOS_CURSOR << 8, &regs);
	si->orig_x = (u8)regs.edx;
	si->orig_y = (u8)(regs.edx >> 8);
	if (regs.ecx & CURSOR_OFF ||
	    (regs.ecx >> 8 & CURSOR_LINE) > (regs.ecx & CURSOR_LINE))
		si->flags |= VIDEO_FLAGS_NOCURSOR;

	bios(BIOS_VIDEO, BIOS_VIDEO_MODE << 8, &regs);
	si->orig_video_mode = regs.eax & VIDEO_MODE_MASK;
	si->orig_video_page = (u8)(regs.ebx >> 8);
	si->orig_video_cols = (u8)peek16(BDA_COLUMNS);
	si->orig_video_lines = (u8)(bios_peek(BDA_ROWS) + 1);
	si->orig_video_points = peek16(BDA_CHAR_HEIGHT);
}

/*
 * Stores the monitor's EDID in the zero page. If the BIOS does not return the EDID,
 * each of the 128 bytes becomes EDID_UNKNOWN.
 */
static void detect_monitor(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(bp->edid_info); i++)
		bp->edid_info.dummy[i] = EDID_UNKNOWN;
	if (vbe(VBE_EDID, VBE_EDID_CHECK, 0) && vbe(VBE_EDID, VBE_EDID_READ, 0))
		copy(&bp->edid_info, setup_buffer, sizeof(bp->edid_info));
}

static void detect_screen(void)
{
	struct screen_info *si = &bp->screen_info;
	struct bios_regs regs;

	regs.ebx = VIDEO_EGA_ASK;
	bios(BIOS_VIDEO, VIDEO_EGA_INFO, &regs);
	si->orig_video_ega_bx = (u16)regs.ebx;
	if ((u8)regs.ebx != VIDEO_EGA_ASK) {
		bios(BIOS_VIDEO, BIOS_DISPLAY_CODE, &regs);
		si->orig_video_isVGA =
			(u8)regs.eax == BIOS_DISPLAY_CODE >> 8;
	}
	store_text_screen();
	if (!set_mode(bp->hdr.vid_mode)) {
		print("sevstub: vga=: no such mode\r\n");
		bp->hdr.vid_mode = VIDEO_CURRENT;
	}
	detect_monitor();
	if (!is_graphics())
		store_text_screen();
}

void detect_hardware(void)
{
	struct bios_regs regs;

	bios(BIOS_KEYBOARD, BIOS_KEYBOARD_FLAGS << 8, &regs);
	bp->kbd_status = (u8)regs.eax;
	detect_sizes();
	detect_ist();
	detect_apm();
	detect_disks();
	detect_screen();
}
