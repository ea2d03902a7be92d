/* SPDX-License-Identifier: MIT */
/*
 * setup_data.c - checks the setup_data list that the stub has passed on. The test
 * loader has put a copy of the zero page into the first node. With this copy, this file
 * checks that the stub has changed only those fields of the zero page that it may
 * change.
 */
#include "kernel.h"

#define MAX_SETUP_NODES		64
/* Linux's setup_data type for kexec handover. The UAPI headers in use do not define it. */
#define SETUP_KEXEC_KHO		10

/*
 * @then is a copy of the zero page that the loader has made, and @now the zero page
 * that the kernel has got. Copies the fields that the stub is allowed to change from
 * @now to @then, so that the caller's comparison ignores them. @no_cmdline: the loader has
 * passed no command line.
 */
static void accept_changes(struct boot_params *then,
			   const struct boot_params *now, bool no_cmdline)
{
	then->scratch = now->scratch;
	/*
	 * The stub sets KASLR_FLAG if it has relocated the kernel to another virtual
	 * address.
	 */
	then->hdr.loadflags &= (u8)~KASLR_FLAG;
	then->hdr.loadflags |= now->hdr.loadflags & KASLR_FLAG;
	/*
	 * If the sentinel byte is not zero, the stub clears fields of the zero page
	 * that the loader has not initialised, as boot.rst demands, and the sentinel
	 * itself.
	 */
	then->sentinel = now->sentinel;
	/*
	 * If the loader has passed no command line, the stub passes the line that is
	 * built into it, and sets the fields that point to it.
	 */
	if (no_cmdline) {
		then->hdr.cmd_line_ptr = now->hdr.cmd_line_ptr;
		then->ext_cmd_line_ptr = now->ext_cmd_line_ptr;
	}
}

static void check_unchanged(const struct test_info *info)
{
	static struct boot_params then;
	const struct boot_params *now = zero_page();
	bool no_cmdline = info->cmdline_hash == text_hash("");

	memcpy(&then, &info->bp, sizeof(then));
	accept_changes(&then, now, no_cmdline);
	for (u32 i = 0; i < sizeof(then); i++) {
		u8 was = ((const u8 *)&then)[i];
		u8 is = ((const u8 *)now)[i];

		if (is != was)
			fail("zero page: byte at %x changed from %x to %x", i,
			     was, is);
	}
}

static void check_info(const struct setup_data *node, u32 nodes)
{
	const struct test_info *info = (const void *)node->data;

	fact("loader: entry %u, load %lx, %u nodes", info->entry, info->load,
	     info->nodes);
	if (info->nodes != nodes)
		fail("setup_data: %u nodes, the loader made %u", nodes,
		     info->nodes);
	if (option_number("t.load", info->load) != info->load)
		fail("loader: image was at %lx", info->load);
	if (info->cmdline_hash != text_hash("") &&
	    info->cmdline_hash != cmdline_hash())
		fail("cmdline: not the one that the loader passed");
	check_unchanged(info);
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

/*
 * If @node is of Linux's type SETUP_KEXEC_KHO, adds the two ranges to which it points, a
 * device tree and a list of scratch areas, to the list of handed_add().
 */
static void add_handover(const struct setup_data *node)
{
	struct {
		u64 fdt, fdt_size, scratch, scratch_size;
	} kho;

	if (node->type != SETUP_KEXEC_KHO || node->len < sizeof(kho))
		return;
	memmove(&kho, node->data, sizeof(kho));
	handed_add("kexec handover", kho.fdt, kho.fdt_size);
	handed_add("scratch areas", kho.scratch, kho.scratch_size);
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
		add_handover(node);
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
