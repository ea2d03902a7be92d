/* SPDX-License-Identifier: MIT */
/*
 * zeropage.c - makes the zero page that the test loader passes to the image (boot.rst),
 * with the command line, the memory map and the setup_data list.
 */
#include "loader.h"

#define MAX_CMDLINE		0x1000
#define MAX_NODES		32
/*
 * Unused bytes after each setup_data node, because a loader need not put nodes next to
 * each other and the stub must not expect it.
 */
#define NODE_GAP		24
#define E820_RAM		1

/*
 * The BIOS's text mode, for the option vga=1: 80 columns, 25 lines, characters of 16
 * scan lines.
 */
#define VGA_TEXT_MODE		3
#define VGA_COLUMNS		80
#define VGA_LINES		25
#define VGA_POINTS		16
#define VIDEO_TYPE_VGA		1

static void add_e820(u64 addr, u64 size, u32 type)
{
	if (e820_count == MAX_E820)
		fail("e820: more than %u entries", MAX_E820);
	e820_table[e820_count++] =
		(struct boot_e820_entry){ addr, size, type };
}

/*
 * Splits the largest E820 entry for RAM in two, again and again, until the map has
 * @count entries. This tests the stub with as many entries as the zero page can hold
 * (e820=split), and with more (e820=more).
 */
static void split_e820(u32 count)
{
	while (e820_count < count) {
		struct boot_e820_entry *largest = &e820_table[0];
		u64 half;

		for (u32 i = 1; i < e820_count; i++)
			if (e820_table[i].type == E820_RAM &&
			    e820_table[i].size > largest->size)
				largest = &e820_table[i];
		half = ALIGN_DOWN(largest->size / 2, PAGE_SIZE);
		add_e820(largest->addr + half, largest->size - half, E820_RAM);
		largest->size = half;
	}
}

static void make_e820(struct boot_params *bp)
{
	const char *s;

	for (u32 i = 0; (s = option_nth("e820", i)); i++) {
		if (s[0] == 'd') {
			e820_count = 0;
		} else if (s[0] == 's') {
			split_e820(E820_MAX_ENTRIES_ZEROPAGE);
		} else if (s[0] == 'm') {
			split_e820(MAX_E820);
		} else {
			u64 addr = parse_number(&s);
			u64 size = parse_next_number(&s);

			add_e820(addr, size, (u32)parse_next_number(&s));
		}
	}
	bp->e820_entries = (u8)(e820_count < E820_MAX_ENTRIES_ZEROPAGE ?
				e820_count : E820_MAX_ENTRIES_ZEROPAGE);
	memmove(bp->e820_table, e820_table,
		bp->e820_entries * sizeof(*e820_table));
}

static void copy_cmdline(const struct plan *plan)
{
	const char *from = options_rest();
	char *to = (char *)plan->cmdline;
	u64 len = 0;

	while (from[len])
		len++;
	if (len >= MAX_CMDLINE)
		fail("command line: %lu bytes", len);
	memmove(to, from, len + 1);
}

/*
 * Copies the setup header from the image to the zero page. boot.rst forbids copying the
 * bytes around it. The offset in the header's jump instruction tells where the header
 * ends.
 */
static void copy_header(struct boot_params *bp, const struct plan *plan)
{
	const u8 *setup = (const u8 *)plan->hdr -
			  offsetof(struct boot_params, hdr);
	u64 start = offsetof(struct boot_params, hdr);
	u64 end = offsetof(struct boot_params, hdr.header) +
		  setup[offsetof(struct boot_params, hdr.jump) + 1];

	memmove((u8 *)bp + start, setup + start, end - start);
}

static void make_header(struct boot_params *bp, const struct plan *plan)
{
	struct setup_header *hdr = &bp->hdr;

	copy_header(bp, plan);
	hdr->type_of_loader = LOADER_TYPE_TEST;
	hdr->ext_loader_ver = (u8)plan->entry;
	hdr->loadflags = LOADED_HIGH;
	hdr->code32_start = (u32)plan->load;
	hdr->cmd_line_ptr = (u32)plan->cmdline;
	bp->ext_cmd_line_ptr = (u32)(plan->cmdline >> 32);
	hdr->ramdisk_image = plan->initrd_size ? (u32)plan->initrd : 0;
	bp->ext_ramdisk_image =
		plan->initrd_size ? (u32)(plan->initrd >> 32) : 0;
	hdr->ramdisk_size = (u32)plan->initrd_size;
	hdr->vid_mode = 0;
	if (plan->entry == ENTRY_DIRECT) {
		hdr->heap_end_ptr = 0;
		hdr->init_size = (u32)plan->init_size;
		hdr->pref_address = plan->kernel.start;
		hdr->kernel_alignment = PAGE_SIZE;
		hdr->min_alignment = PAGE_SHIFT;
	}
}

static void make_screen(struct boot_params *bp)
{
	if (!option_number("vga", 0))
		return;
	bp->screen_info.orig_video_mode = VGA_TEXT_MODE;
	bp->screen_info.orig_video_cols = VGA_COLUMNS;
	bp->screen_info.orig_video_lines = VGA_LINES;
	bp->screen_info.orig_video_points = VGA_POINTS;
	bp->screen_info.orig_video_isVGA = VIDEO_TYPE_VGA;
}

static void apply_zp_options(struct boot_params *bp)
{
	const char *s;

	for (u32 i = 0; (s = option_nth("zp", i)); i++) {
		u64 offset = parse_number(&s);
		u64 size = parse_next_number(&s);
		u64 value = parse_next_number(&s);

		if (size > sizeof(value) || offset + size > sizeof(*bp))
			fail("zp: %lu bytes at %lx", size, offset);
		memmove((u8 *)bp + offset, &value, size);
	}
}

static u32 node_length(u32 node)
{
	return node ? pattern_length(node) : sizeof(struct test_info);
}

static u64 node_size(u32 node)
{
	return ALIGN_UP(sizeof(struct setup_data) + node_length(node) +
			NODE_GAP, sizeof(u64));
}

/*
 * Makes a setup_data node of type SETUP_E820_EXT at @addr. It has the E820 entries for
 * which the zero page has no room, and is the last node of the list. Returns the
 * address after the node.
 */
static u64 make_e820_node(u64 addr)
{
	struct setup_data *node = (struct setup_data *)addr;
	u32 count = e820_count - E820_MAX_ENTRIES_ZEROPAGE;

	node->next = 0;
	node->type = SETUP_E820_EXT;
	node->len = count * (u32)sizeof(*e820_table);
	memcpy(node->data, e820_table + E820_MAX_ENTRIES_ZEROPAGE, node->len);
	return addr + sizeof(*node) + node->len;
}

/*
 * Makes a setup_data list of @nodes nodes, and one more for E820 entries if the zero
 * page has no room for all. Returns the first node, or NULL if @nodes is 0. The caller
 * fills in the first node's data, struct test_info.
 */
static struct setup_data *make_setup_data(struct boot_params *bp,
					  const struct plan *plan, u32 nodes)
{
	u64 addr = plan->setup_data;

	if (!nodes)
		return NULL;
	bp->hdr.setup_data = addr;
	for (u32 i = 0; i < nodes; i++) {
		struct setup_data *node = (struct setup_data *)addr;

		addr += node_size(i);
		node->next = i + 1 < nodes ||
			     e820_count > E820_MAX_ENTRIES_ZEROPAGE ? addr : 0;
		node->type = i ? SETUP_TEST_PATTERN : SETUP_TEST_INFO;
		node->len = node_length(i);
		for (u32 j = 0; i && j < node->len; j++)
			node->data[j] = pattern_byte(i, j);
	}
	if (e820_count > E820_MAX_ENTRIES_ZEROPAGE)
		addr = make_e820_node(addr);
	if (plan->setup_data == DEFAULT_SETUP_DATA && addr > 0x9f000)
		fail("setup_data: no room at %lx", plan->setup_data);
	return (struct setup_data *)plan->setup_data;
}

void zero_page_make(const struct plan *plan)
{
	struct boot_params *bp = (struct boot_params *)plan->bp;
	u32 nodes = (u32)option_number("setup_data", 1);
	struct setup_data *node;
	struct test_info *info;

	if (nodes > MAX_NODES)
		fail("setup_data=%u", nodes);
	memset(bp, 0, sizeof(*bp));
	make_header(bp, plan);
	make_e820(bp);
	make_screen(bp);
	copy_cmdline(plan);
	node = make_setup_data(bp, plan, nodes);
	apply_zp_options(bp);
	if (!node)
		return;

	info = (struct test_info *)node->data;
	info->entry = plan->entry;
	info->nodes = nodes + (e820_count > E820_MAX_ENTRIES_ZEROPAGE);
	info->load = plan->load;
	info->cmdline_hash = text_hash((const char *)plan->cmdline);
	memmove(&info->bp, bp, sizeof(*bp));
}
