/* SPDX-License-Identifier: MIT */
/*
 * setup_data.c - the setup_data chain, and what the test loader says in its
 * first node: with it, that the stub left the zero page alone.
 */
#include "kernel.h"

#define MAX_SETUP_NODES		64

/*
 * The bits that the stub may change at @offset of the zero page: the scratch
 * field, and that it moved the kernel.
 */
static u8 may_change(u32 offset)
{
	u32 scratch = offsetof(struct boot_params, scratch);

	if (offset >= scratch && offset < scratch + sizeof(u32))
		return 0xff;
	if (offset == offsetof(struct boot_params, hdr.loadflags))
		return KASLR_FLAG;
	return 0;
}

static void check_info(const struct setup_data *node, u32 nodes)
{
	const struct test_info *info = (const void *)node->data;
	const u8 *now = (const u8 *)zero_page();
	const u8 *then = (const u8 *)&info->bp;

	fact("loader: entry %u, load %lx, %u nodes", info->entry, info->load,
	     info->nodes);
	if (info->nodes != nodes)
		fail("setup_data: %u nodes, the loader made %u", nodes,
		     info->nodes);
	if (option_number("t.load", info->load) != info->load)
		fail("loader: image was at %lx", info->load);
	for (u32 i = 0; i < sizeof(info->bp); i++)
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
	u64 addr = zero_page()->hdr.setup_data;
	u32 nodes = 0;

	for (; addr && nodes < MAX_SETUP_NODES; nodes++) {
		const struct setup_data *node = (const void *)addr;

		fact("setup_data: at %lx, type %x, %u bytes", addr, node->type,
		     node->len);
		handed_add("setup_data", addr, sizeof(*node) + node->len);
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
