/* SPDX-License-Identifier: MIT */
/*
 * zeropage.c - the zero page and everything that it points to: setup header,
 * command line, initrd, setup_data chain. What is found is remembered, because
 * all of it has to be mapped.
 */
#include "kernel.h"

#define HDRS_MAGIC		0x53726448
#define BOOT_FLAG		0xaa55
#define BOOT_PROTOCOL		0x020f
#define MAX_SETUP_SECTS		64	/* 32 KiB of real-mode code */
#define MAX_MIN_ALIGNMENT	30
#define MAX_SETUP_NODES		64
#define MAX_CMDLINE		0xffff
/* Above this, addresses are no longer canonical. */
#define ADDRESS_END		_AC(0x0000800000000000, UL)

static struct boot_params *bp;
static struct handed handed_over[MAX_HANDED];
static u32 num_handed;

struct boot_params *zero_page(void)
{
	return bp;
}

const struct handed *handed(u32 i)
{
	return i < num_handed ? &handed_over[i] : NULL;
}

static void remember(const char *what, u64 start, u64 size)
{
	if (num_handed == MAX_HANDED || !size)
		return;
	handed_over[num_handed++] =
		(struct handed){ what, { start, start + size } };
}

static u64 cmdline_address(void)
{
	return (u64)bp->ext_cmd_line_ptr << 32 | bp->hdr.cmd_line_ptr;
}

const char *zero_page_find(const struct entry_state *state)
{
	const char *cmdline;

	if (!state->zero_page || state->zero_page >= ADDRESS_END) {
		fail("zero page: RSI is %lx", state->zero_page);
		finish();
	}
	bp = (struct boot_params *)state->zero_page;
	remember("zero page", state->zero_page, sizeof(*bp));

	cmdline = (const char *)cmdline_address();
	return cmdline ? cmdline : "";
}

static void check_setup_header(void)
{
	const struct setup_header *hdr = &bp->hdr;
	u64 self_size = self_range().end - self_range().start;
	u32 align = hdr->kernel_alignment;
	bool bad_align = align < PAGE_SIZE || (align & (align - 1));

	fact("zero page: at %lx, loader %x, loadflags %x, xloadflags %x",
	     (u64)bp, hdr->type_of_loader, hdr->loadflags, hdr->xloadflags);
	fact("zero page: pref_address %lx, alignment %x, init_size %x",
	     (u64)hdr->pref_address, align, hdr->init_size);
	if (hdr->header != HDRS_MAGIC || hdr->boot_flag != BOOT_FLAG)
		fail("zero page: magic %x, boot flag %x", hdr->header,
		     hdr->boot_flag);
	if (hdr->version != BOOT_PROTOCOL)
		fail("zero page: version %x", hdr->version);
	if (!hdr->setup_sects || hdr->setup_sects > MAX_SETUP_SECTS)
		fail("zero page: setup_sects %u", hdr->setup_sects);
	if (!hdr->type_of_loader)
		fail("zero page: type_of_loader is 0");
	if (bad_align)
		fail("zero page: kernel_alignment %x", align);
	if (hdr->min_alignment < PAGE_SHIFT ||
	    hdr->min_alignment > MAX_MIN_ALIGNMENT)
		fail("zero page: min_alignment %u", hdr->min_alignment);
	if (!bad_align && hdr->pref_address % align)
		fail("zero page: pref_address %lx is not aligned to %x",
		     (u64)hdr->pref_address, align);
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		fail("zero page: xloadflags %x lacks KERNEL_64",
		     hdr->xloadflags);
	if (hdr->init_size < self_size)
		fail("zero page: init_size %x is less than %lx",
		     hdr->init_size, self_size);
	if ((u64)hdr->payload_offset + hdr->payload_length >
	    (u64)hdr->syssize * 16)
		fail("zero page: payload %x+%x is not within syssize",
		     hdr->payload_offset, hdr->payload_length);
}

static void check_zeros(const char *what, const u8 *p, size_t len)
{
	for (; len; len--, p++) {
		if (!*p)
			continue;
		fail("zero page: %s at %lx is not zero", what,
		     (u64)p - (u64)bp);
		return;
	}
}

static void check_reserved(void)
{
	check_zeros("_pad2", bp->_pad2, sizeof(bp->_pad2));
	check_zeros("_pad3", bp->_pad3, sizeof(bp->_pad3));
	check_zeros("_pad4", bp->_pad4, sizeof(bp->_pad4));
	check_zeros("_pad5", bp->_pad5, sizeof(bp->_pad5));
	check_zeros("sentinel", &bp->sentinel, sizeof(bp->sentinel));
	check_zeros("_pad6", bp->_pad6, sizeof(bp->_pad6));
	check_zeros("_pad7", bp->_pad7, sizeof(bp->_pad7));
	check_zeros("_pad8", bp->_pad8, sizeof(bp->_pad8));
	check_zeros("_pad9", bp->_pad9, sizeof(bp->_pad9));
	check_zeros("cc_blob_address", (const u8 *)&bp->cc_blob_address,
		    sizeof(bp->cc_blob_address));
}

/* The entry by which the stub was reached, as far as the loader tells. */
static void check_entry(void)
{
	const char *loaders = "";
	u64 entry;

	if (bp->hdr.type_of_loader == LOADER_TYPE_QEMU) {
		loaders = " (QEMU)";
		entry = ENTRY_16;
	} else if (bp->hdr.type_of_loader == LOADER_TYPE_TEST) {
		loaders = " (test loader)";
		entry = bp->hdr.ext_loader_ver;
	} else {
		fact("entry unknown, loader %x", bp->hdr.type_of_loader);
		if (option("t.entry"))
			fail("entry: not known for this loader");
		return;
	}
	fact("entry %lu%s", entry, loaders);
	if (!(bp->hdr.loadflags & LOADED_HIGH))
		fail("zero page: loadflags %x lacks LOADED_HIGH",
		     bp->hdr.loadflags);
	if (option_number("t.entry", entry) != entry)
		fail("entry: %lu, not %lu", entry, option_number("t.entry", 0));
}

void zero_page_check(void)
{
	check_entry();
	check_setup_header();
	check_reserved();
}

void cmdline_check(void)
{
	u64 addr = cmdline_address();
	const char *text = (const char *)addr;
	u32 len = 0;

	if (!addr) {
		fail("cmdline: there is none");
		return;
	}
	while (text[len] && len < MAX_CMDLINE)
		len++;
	if (text[len]) {
		fail("cmdline: at %lx, never ends", addr);
		return;
	}
	remember("cmdline", addr, len + 1);
	fact("cmdline: at %lx, %u bytes", addr, len);
	fact("cmdline \"%s\"", text);
	if (len > bp->hdr.cmdline_size)
		fail("cmdline: %u bytes, but cmdline_size is %u", len,
		     bp->hdr.cmdline_size);
}

/* ---- initrd ---- */

/* The checksum of POSIX's cksum: CRC-32 over the bytes and their number. */
#define CKSUM_POLYNOMIAL	0x04c11db7

static u32 cksum_step(const u32 *table, u32 crc, u8 byte)
{
	return crc << 8 ^ table[crc >> 24 ^ byte];
}

static u32 cksum(const u8 *p, u64 len)
{
	static u32 table[256];
	u32 crc = 0;

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		u32 c = i << 24;

		for (u32 bit = 0; bit < 8; bit++)
			c = c << 1 ^ (c >> 31 ? CKSUM_POLYNOMIAL : 0);
		table[i] = c;
	}
	for (u64 i = 0; i < len; i++)
		crc = cksum_step(table, crc, p[i]);
	for (u64 n = len; n; n >>= 8)
		crc = cksum_step(table, crc, (u8)n);
	return ~crc;
}

void initrd_check(void)
{
	u64 addr = (u64)bp->ext_ramdisk_image << 32 | bp->hdr.ramdisk_image;
	u64 size = (u64)bp->ext_ramdisk_size << 32 | bp->hdr.ramdisk_size;
	const char *expected = option("t.initrd");
	u64 expected_crc, expected_size;
	u32 crc;

	if (!expected) {
		if (size)
			fail("initrd: %lx bytes at %lx, expected none", size,
			     addr);
		return;
	}
	expected_crc = parse_number(&expected);
	expected_size = parse_next_number(&expected);
	if (size != expected_size) {
		fail("initrd: %lu bytes at %lx, expected %lu", size, addr,
		     expected_size);
		return;
	}
	remember("initrd", addr, size);
	crc = cksum((const u8 *)addr, size);
	fact("initrd: at %lx, %lu bytes, cksum %u", addr, size, crc);
	if (crc != expected_crc)
		fail("initrd: cksum is %u, expected %lu", crc, expected_crc);
}

/* ---- setup_data ---- */

/*
 * The bits that the stub may change at @offset of the zero page: the scratch
 * field, and that it moved the kernel.
 */
static u8 may_change(u32 offset)
{
	u32 scratch = offsetof(struct boot_params, scratch);

	if (offset >= scratch && offset < scratch + sizeof(bp->scratch))
		return 0xff;
	if (offset == offsetof(struct boot_params, hdr.loadflags))
		return KASLR_FLAG;
	return 0;
}

static void check_info(const struct setup_data *node, u32 nodes)
{
	const struct test_info *info = (const void *)node->data;
	const u8 *now = (const u8 *)bp;
	const u8 *then = (const u8 *)&info->bp;

	fact("loader: entry %u, load %lx, %u nodes", info->entry, info->load,
	     info->nodes);
	if (info->nodes != nodes)
		fail("setup_data: %u nodes, the loader made %u", nodes,
		     info->nodes);
	if (option_number("t.load", info->load) != info->load)
		fail("loader: image was at %lx", info->load);
	for (u32 i = 0; i < sizeof(*bp); i++)
		if ((now[i] ^ then[i]) & ~may_change(i))
			fail("zero page: byte at %x changed from %x to %x", i,
			     then[i], now[i]);
}

static void check_pattern(const struct setup_data *node, u32 index)
{
	if (node->len != pattern_length(index)) {
		fail("setup_data: node %u has %u bytes", index, node->len);
		return;
	}
	for (u32 i = 0; i < node->len; i++) {
		if (node->data[i] == pattern_byte(index, i))
			continue;
		fail("setup_data: node %u differs at byte %u", index, i);
		return;
	}
}

void setup_data_check(void)
{
	const struct setup_data *info = NULL;
	u64 addr = bp->hdr.setup_data;
	u32 nodes = 0;

	for (; addr && nodes < MAX_SETUP_NODES; nodes++) {
		const struct setup_data *node = (const void *)addr;

		fact("setup_data: at %lx, type %x, %u bytes", addr, node->type,
		     node->len);
		remember("setup_data", addr, sizeof(*node) + node->len);
		if (node->type == SETUP_TEST_INFO && !nodes)
			info = node;
		if (node->type == SETUP_TEST_PATTERN)
			check_pattern(node, nodes);
		addr = node->next;
	}
	if (addr)
		fail("setup_data: the chain does not end");
	if (option_number("t.setup_data", nodes) != nodes)
		fail("setup_data: %u nodes", nodes);
	if (info)
		check_info(info, nodes);
	else if (option("t.load"))
		fail("loader: it did not say where it put the image");
}
