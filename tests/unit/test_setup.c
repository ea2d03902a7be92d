/* SPDX-License-Identifier: MIT */
/*
 * test_setup.c - bios/setup.c with a fake BIOS. What the BIOS returns must
 * reach the right field of the zero page. If the BIOS refuses a call, or
 * returns nonsense, the field must keep its default.
 */
#include <sys/mman.h>

#include "harness.h"

#include "bios/bios.h"

/*
 * The fake PC's memory, which is allocated below 4 GiB, because setup.c passes
 * 32-bit addresses to the BIOS.
 */
struct arena {
	struct boot_params zero_page;
	u8 buffer[SETUP_BUFFER_SIZE] __attribute__((aligned(4096)));
};
static struct arena *arena;
static u8 bios_memory[REAL_MODE_END];

#define setup_zero_page	(arena->zero_page)
#define setup_buffer	(arena->buffer)
#include "../../bios/setup.c"

#define CMDLINE_AT	0x90000

/*
 * The fake BIOS. A case sets what it returns. In the last fields, from @reads
 * on, the fake BIOS counts the calls that it gets.
 */
static struct {
	unsigned int disks;	/* number of disks with EDD */
	u16 sector_size;
	bool no_signature;
	/* true: the BIOS refuses every call, with the carry flag set. */
	bool refuse;
	/*
	 * true: the BIOS returns from every call without changing a register.
	 */
	bool ignore;
	/*
	 * AX of the call that the BIOS refuses, after it has handled @answered
	 * calls with this AX. 0: the BIOS refuses no call.
	 */
	u16 refused;
	unsigned int answered;
	bool no_vbe;
	bool vbe_unsigned;
	/*
	 * Number of a VBE function that fails although the BIOS has VBE. 0: no
	 * VBE function fails.
	 */
	u16 vbe_failed;
	u16 vbe_version;
	u16 attributes;
	/* Value of BL that the BIOS returns for the call "EGA information". */
	u32 vga;
	u8 mode;
	/*
	 * CX that the BIOS returns for a question about the cursor: the
	 * cursor's first line in CH, its last line in CL. Bit 13 of CX hides
	 * the cursor.
	 */
	u16 cursor;
	u16 vesa_mode;
	bool apm_16bit_only, apm_unsigned;
	u16 e801[4];
	unsigned int reads, fonts, edd_calls, printed;
} pc;

u8 bios_peek(u32 addr)
{
	CHECK(addr < REAL_MODE_END, "0x%x is beyond 1 MiB", addr);
	return bios_memory[addr];
}

static void answer_disk(struct bios_regs *r)
{
	u8 disk = (u8)r->edx;
	struct edd_device_params *params = (void *)(u64)r->esi;

	pc.edd_calls++;
	switch ((u16)r->eax) {
	case EDD_CHECK:
		r->ebx = EDDMAGIC2;
		r->ecx = 7;
		r->eax = 0x3000;
		break;
	case EDD_PARAMETERS:
		params->bytes_per_sector = pc.sector_size;
		params->number_of_sectors = disk;
		break;
	case DISK_PARAMETERS:
		r->ecx = 0xfec5;	/* cylinder 0x3fe, sector 5 */
		r->edx = 0x1202;
		break;
	case DISK_READ_ONE:
		pc.reads++;
		memset((void *)(u64)r->ebx, 0, pc.sector_size);
		memcpy((u8 *)(u64)r->ebx + EDD_MBR_SIG_OFFSET,
		       &(u32){ 0xabcd0000U + disk }, 4);
		if (!pc.no_signature)
			memcpy((u8 *)(u64)r->ebx + MBR_MAGIC_OFFSET,
			       &(u16){ BOOT_FLAG }, 2);
		break;
	}
}

static void answer_vbe(struct bios_regs *r)
{
	struct vbe_info info = { VBE_SIGNATURE, pc.vbe_version, { 0 }, 0x100 };
	struct vbe_mode_info mode = {
		.attributes = pc.attributes, .line_length = 4096,
		.width = 1024, .height = 768, .depth = 32, .planes = 3,
		.colours = { 8, 16, 8, 8, 8, 0, 8, 24 }, .base = 0xfd000000,
	};

	u16 function = (u16)r->eax;

	if (pc.no_vbe)
		return;
	if (pc.vbe_unsigned)
		info.signature = 0;
	switch (function) {
	case VBE_INFO:
		memcpy((void *)(u64)r->edi, &info, sizeof(info));
		break;
	case VBE_MODE_INFO:
		memcpy((void *)(u64)r->edi, &mode, sizeof(mode));
		break;
	case VBE_SET_MODE:
		pc.vesa_mode = (u16)r->ebx;
		break;
	case VBE_EDID:
		if (r->ebx == VBE_EDID_READ)
			memset((void *)(u64)r->edi, 0xed, 128);
		break;
	}
	r->eax = function == pc.vbe_failed ? 0x14f : VBE_OK;
}

static void answer_video(struct bios_regs *r)
{
	switch (r->eax >> 8) {
	case 0:
		pc.mode = (u8)r->eax;
		break;
	case BIOS_CURSOR:
		r->ecx = pc.cursor;
		r->edx = 0x0c05;
		break;
	case BIOS_TELETYPE:
		pc.printed++;
		break;
	case BIOS_VIDEO_MODE:
		r->eax = 0x5000U | 0x80 | pc.mode;
		r->ebx = 0x0200;
		break;
	case VIDEO_FONT_8 >> 8:
		pc.fonts = (u16)r->eax;
		break;
	case VIDEO_EGA_INFO >> 8:
		if ((u8)r->ebx == VIDEO_EGA_ASK)
			r->ebx = pc.vga;
		break;
	case BIOS_DISPLAY_CODE >> 8:
		r->eax = 0x1a;
		break;
	case 0x4f:
		answer_vbe(r);
		break;
	}
}

static void answer_system(struct bios_regs *r)
{
	switch ((u16)r->eax) {
	case BIOS_EXTENDED_MEMORY:
		r->eax = 0xfc00;
		break;
	case BIOS_E801:
		r->eax = pc.e801[0];
		r->ebx = pc.e801[1];
		r->ecx = pc.e801[2];
		r->edx = pc.e801[3];
		break;
	case APM_CHECK:
		r->eax = 0x0102;
		r->ebx = pc.apm_unsigned ? 0 : APM_SIGNATURE;
		r->ecx = pc.apm_16bit_only ? 1 : 3;
		break;
	case APM_CONNECT_32:
		r->eax = 0xf000;
		r->ebx = 0xd198;
		r->ecx = 0xf001;
		r->edx = 0xf002;
		r->esi = 0xfff0fff1;
		r->edi = 0xfff2;
		break;
	}
}

void bios_call(u8 vector, struct bios_regs *r)
{
	r->eflags = 0;
	if (pc.ignore)
		return;
	if (pc.refuse ||
	    (pc.refused && (u16)r->eax == pc.refused && !pc.answered--)) {
		r->eflags = BIOS_CARRY;
		r->eax = 0x8600;
		return;
	}
	switch (vector) {
	case BIOS_DISK:
		answer_disk(r);
		break;
	case BIOS_VIDEO:
		answer_video(r);
		break;
	case BIOS_SYSTEM:
		answer_system(r);
		break;
	case BIOS_KEYBOARD:
		r->eax = 0x20;
		break;
	}
}

static void fresh_pc(const char *cmdline)
{
	if (!arena) {
		arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (arena == MAP_FAILED)
			abort();
	}
	memset(arena, 0, sizeof(*arena));
	memset(&pc, 0, sizeof(pc));
	pc.sector_size = 512;
	pc.vbe_version = 0x0300;
	pc.attributes = VBE_LINEAR;
	pc.mode = VIDEO_TEXT;
	pc.cursor = 0x0d0e;
	pc.e801[0] = E801_LOW_FULL;
	pc.e801[1] = 0x20;
	bios_memory[BDA_COLUMNS] = 80;
	bios_memory[BDA_ROWS] = 24;
	bios_memory[BDA_CHAR_HEIGHT] = 16;
	bios_memory[BDA_DISKS] = 0;
	bp->hdr.vid_mode = VIDEO_NORMAL;
	bp->hdr.cmd_line_ptr = cmdline ? CMDLINE_AT : 0;
	if (cmdline)
		memcpy(bios_memory + CMDLINE_AT, cmdline, strlen(cmdline) + 1);
}

static void set_disks(unsigned int n)
{
	bios_memory[BDA_DISKS] = (u8)n;
}

TEST(screen)
{
	const struct screen_info *si;

	fresh_pc(NULL);
	si = &bp->screen_info;
	detect_hardware();
	CHECK(si->orig_x == 5 && si->orig_y == 12 && si->orig_video_mode == 3 &&
	      si->orig_video_page == 2 && si->orig_video_cols == 80 &&
	      si->orig_video_lines == 25 && si->orig_video_points == 16 &&
	      si->orig_video_isVGA == 1, "not as the BIOS said");
	CHECK(bp->kbd_status == 0x20 && !si->flags, "flags %x", si->flags);
	CHECK(bp->edid_info.dummy[127] == 0xed, "no EDID");
	CHECK(!pc.vesa_mode && !pc.fonts && !pc.printed, "a mode was set");
}

TEST(no_cursor)
{
	static const u16 cursors[] = { 0x2d0e, 0x0f0e };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cursors); i++) {
		fresh_pc(NULL);
		pc.cursor = cursors[i];
		detect_hardware();
		CHECK(bp->screen_info.flags == VIDEO_FLAGS_NOCURSOR,
		      "cursor %x: %x", cursors[i], bp->screen_info.flags);
	}
}

TEST(no_screen)
{
	fresh_pc(NULL);
	pc.vga = VIDEO_EGA_ASK;
	pc.no_vbe = true;
	detect_hardware();
	CHECK(!bp->screen_info.orig_video_isVGA &&
	      bp->screen_info.orig_video_cols == 80 &&
	      bp->screen_info.orig_video_lines == 25 &&
	      !bp->screen_info.orig_video_page, "something was made up");
	CHECK(bp->edid_info.dummy[0] == EDID_UNKNOWN, "an EDID");
}

TEST(vesa)
{
	const struct screen_info *si;

	fresh_pc(NULL);
	bp->hdr.vid_mode = 0x318;
	detect_hardware();
	si = &bp->screen_info;
	CHECK(pc.vesa_mode == (0x118 | VBE_MODE_LINEAR), "%x", pc.vesa_mode);
	CHECK(si->orig_video_isVGA == VIDEO_TYPE_VLFB && si->lfb_width == 1024 &&
	      si->lfb_height == 768 && si->lfb_depth == 32 &&
	      si->lfb_linelength == 4096 && si->lfb_base == 0xfd000000 &&
	      si->lfb_size == 0x100 && si->red_size == 8 && si->red_pos == 16 &&
	      si->rsvd_pos == 24 && si->pages == 3 &&
	      si->vesa_attributes == VBE_LINEAR, "not as the BIOS said");
	CHECK(bp->hdr.vid_mode == 0x318, "%x", bp->hdr.vid_mode);
}

/*
 * Sets vid_mode to @mode, a video mode that the fake BIOS does not have or
 * refuses to set. The stub must leave the screen's mode as it is and print a
 * message.
 */
static void check_refused(u16 mode)
{
	bp->hdr.vid_mode = mode;
	detect_hardware();
	CHECK(pc.printed, "mode %x: nothing was said", mode);
	CHECK(bp->hdr.vid_mode == VIDEO_CURRENT &&
	      bp->screen_info.orig_video_isVGA == 1 &&
	      !bp->screen_info.lfb_base, "mode %x was believed", mode);
}

TEST(vesa_refused)
{
	fresh_pc(NULL);
	pc.no_vbe = true;
	check_refused(0x318);
	fresh_pc(NULL);
	pc.vbe_version = 0x0102;
	check_refused(0x318);
	fresh_pc(NULL);
	pc.vbe_unsigned = true;
	check_refused(0x318);
	fresh_pc(NULL);
	pc.attributes = VBE_LINEAR & ~0x80;
	check_refused(0x318);
	CHECK(!pc.vesa_mode, "set to %x", pc.vesa_mode);
	fresh_pc(NULL);
	pc.vbe_failed = VBE_MODE_INFO;
	check_refused(0x318);
	CHECK(!pc.vesa_mode, "set to %x", pc.vesa_mode);
	fresh_pc(NULL);
	check_refused(0x0b00);
	fresh_pc(NULL);
	check_refused(0xfffd);
}

TEST(text_modes)
{
	static const struct {
		u16 mode;
		u16 font;
	} modes[] = {
		{ VIDEO_NORMAL, 0 }, { VIDEO_EXTENDED, VIDEO_FONT_8 },
		{ VIDEO_80X25, 0 }, { VIDEO_80X50, VIDEO_FONT_8 },
		{ VIDEO_80X43, VIDEO_FONT_8 }, { VIDEO_80X28, VIDEO_FONT_14 },
		{ VIDEO_CURRENT, 0 }, { VIDEO_80X25_SIZE, 0 },
		{ VIDEO_80X50_SIZE, VIDEO_FONT_8 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		fresh_pc(NULL);
		bp->hdr.vid_mode = modes[i].mode;
		detect_hardware();
		CHECK(pc.fonts == modes[i].font && !pc.printed,
		      "mode %x: font %x", modes[i].mode, pc.fonts);
		CHECK(bp->screen_info.orig_video_isVGA == 1, "mode %x",
		      modes[i].mode);
	}
	fresh_pc(NULL);
	bp->hdr.vid_mode = 0x107;
	detect_hardware();
	CHECK(pc.mode == 7 && bp->screen_info.orig_video_mode == 7, "%x",
	      pc.mode);
	fresh_pc(NULL);
	pc.attributes = VBE_TEXT;
	bp->hdr.vid_mode = 0x309;
	detect_hardware();
	CHECK(pc.vesa_mode == 0x109, "%x", pc.vesa_mode);
}

TEST(text_mode_refused)
{
	fresh_pc(NULL);
	pc.mode = 7;
	pc.refused = VIDEO_TEXT;
	check_refused(VIDEO_80X50);
	CHECK(!pc.fonts, "font %x", pc.fonts);
}

TEST(disks)
{
	fresh_pc("console=ttyS0");
	set_disks(2);
	detect_hardware();
	CHECK(bp->eddbuf_entries == 2 && bp->edd_mbr_sig_buf_entries == 2,
	      "%u, %u", bp->eddbuf_entries, bp->edd_mbr_sig_buf_entries);
	CHECK(bp->eddbuf[1].device == 0x81 && bp->eddbuf[1].version == 0x30 &&
	      bp->eddbuf[1].interface_support == 7 &&
	      bp->eddbuf[1].legacy_max_cylinder == 0x3fe &&
	      bp->eddbuf[1].legacy_max_head == 0x12 &&
	      bp->eddbuf[1].legacy_sectors_per_track == 5 &&
	      bp->eddbuf[1].params.length == EDDPARMSIZE &&
	      bp->eddbuf[1].params.number_of_sectors == 0x81,
	      "not as the BIOS said");
	CHECK(bp->edd_mbr_sig_buffer[1] == 0xabcd0081, "%x",
	      bp->edd_mbr_sig_buffer[1]);
}

/*
 * The PC has more disks than the zero page has room for. The stub must store no
 * more disks than fit into each array of the zero page.
 */
TEST(many_disks)
{
	fresh_pc(NULL);
	set_disks(200);
	detect_hardware();
	CHECK(bp->eddbuf_entries == EDDMAXNR &&
	      bp->edd_mbr_sig_buf_entries == EDD_MBR_SIG_MAX &&
	      pc.reads == EDD_MBR_SIG_MAX, "%u, %u, %u", bp->eddbuf_entries,
	      bp->edd_mbr_sig_buf_entries, pc.reads);
}

TEST(odd_disks)
{
	fresh_pc(NULL);
	set_disks(1);
	pc.no_signature = true;
	detect_hardware();
	CHECK(bp->eddbuf_entries == 1 && !bp->edd_mbr_sig_buf_entries &&
	      !bp->edd_mbr_sig_buffer[0], "a signature");
	fresh_pc(NULL);
	set_disks(1);
	pc.sector_size = 8192;
	detect_hardware();
	CHECK(!pc.reads, "a sector larger than the buffer was read");
}

TEST(edd_option)
{
	static const struct {
		const char *cmdline;
		char option;
	} lines[] = {
		{ "edd=off", EDD_OFF }, { "quiet edd=off", EDD_OFF },
		{ "edd=off edd=on", 'n' }, { "xedd=off", 0 }, { "edd=", 0 },
		{ "edd=skipmbr x", EDD_SKIP_MBR },
		{ "edd=off edd=skipmbr", EDD_SKIP_MBR },
		{ "ed edd=off", EDD_OFF }, { "", 0 }, { "ededd=off", 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		fresh_pc(lines[i].cmdline);
		CHECK(edd_option() == lines[i].option, "%s: %c",
		      lines[i].cmdline, edd_option());
	}
	fresh_pc("edd=off");
	set_disks(1);
	detect_hardware();
	CHECK(!pc.edd_calls, "the BIOS was asked");
	fresh_pc("edd=skipmbr");
	set_disks(1);
	detect_hardware();
	CHECK(!pc.reads && bp->eddbuf_entries == 1, "a sector was read");
	/*
	 * The stub must search for edd= only in real mode's memory. The first
	 * command line here has no NUL before the end of this memory. The
	 * second begins after this memory.
	 */
	fresh_pc("");
	memset(bios_memory + CMDLINE_AT, 'x', REAL_MODE_END - CMDLINE_AT);
	CHECK(!edd_option(), "found");
	bp->hdr.cmd_line_ptr = REAL_MODE_END;
	CHECK(!edd_option(), "found");
	memset(bios_memory + CMDLINE_AT, 0, REAL_MODE_END - CMDLINE_AT);
}

TEST(memory_sizes)
{
	static const struct {
		u16 e801[4];
		u32 alt_mem_k;
	} sizes[] = {
		{ { 0x3c00, 0x20, 0, 0 }, 0x3c00 + 0x20 * 64 },
		{ { 1, 2, 0x3c00, 0xffff }, 0x3c00 + 0xffffU * 64 },
		{ { 0x1000, 0x20, 0, 0 }, 0x1000 },
		{ { 0x3c01, 0x20, 0, 0 }, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fresh_pc(NULL);
		memcpy(pc.e801, sizes[i].e801, sizeof(pc.e801));
		detect_hardware();
		CHECK(bp->alt_mem_k == sizes[i].alt_mem_k, "%u: %x", i,
		      bp->alt_mem_k);
		CHECK(bp->screen_info.ext_mem_k == 0xfc00, "%x",
		      bp->screen_info.ext_mem_k);
	}
}

TEST(apm)
{
	const struct apm_bios_info *apm;

	fresh_pc(NULL);
	detect_hardware();
	apm = (const void *)((u8 *)bp + 0x40);
	CHECK(apm->version == 0x0102 && apm->flags == 3 && apm->cseg == 0xf000 &&
	      apm->offset == 0xd198 && apm->cseg_16 == 0xf001 &&
	      apm->dseg == 0xf002 && apm->cseg_len == 0xfff1 &&
	      apm->cseg_16_len == 0xfff0 && apm->dseg_len == 0xfff2,
	      "not as the BIOS said");
	fresh_pc(NULL);
	pc.apm_16bit_only = true;
	detect_hardware();
	CHECK(!bp->apm_bios_info.version, "connected");
	fresh_pc(NULL);
	pc.apm_unsigned = true;
	detect_hardware();
	CHECK(!bp->apm_bios_info.version, "connected");
}

/*
 * The BIOS says that it has APM, but refuses to connect it, or refuses the
 * check after the connection. The zero page must then have no APM.
 */
TEST(apm_refused)
{
	fresh_pc(NULL);
	pc.refused = APM_CONNECT_32;
	detect_hardware();
	CHECK(!bp->apm_bios_info.cseg, "connected");
	fresh_pc(NULL);
	pc.refused = APM_CHECK;
	pc.answered = 1;
	detect_hardware();
	CHECK(!bp->apm_bios_info.cseg, "connected");
}

static void check_ignorant(void)
{
	CHECK(!bp->eddbuf_entries && !bp->edd_mbr_sig_buf_entries &&
	      !bp->alt_mem_k && !bp->apm_bios_info.version, "made up");
}

/*
 * If the BIOS refuses every call, the fields of the zero page must have their
 * default values.
 */
TEST(refused)
{
	fresh_pc(NULL);
	set_disks(1);
	pc.refuse = true;
	detect_hardware();
	check_ignorant();
	CHECK(!bp->screen_info.ext_mem_k, "made up");
}

TEST(ignored)
{
	fresh_pc(NULL);
	set_disks(1);
	pc.ignore = true;
	detect_hardware();
	check_ignorant();
}
