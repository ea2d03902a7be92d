/* SPDX-License-Identifier: MIT */
/*
 * fuzz_setup.c - libFuzzer target for the loader's data in the zero page: the
 * setup_data list, the sentinel and the pointer to the command line.
 *
 * The input makes the setup_data nodes and the E820 entries. AddressSanitizer
 * reports a read of a node that the stub has not mapped before. A model follows
 * the list and predicts which ranges the stub maps, in which order, and with what
 * error it refuses the list.
 */
#include "misc_machine.h"

#include "fuzz.h"

#define NODES		8
#define NODE_STEP	0x40		/* distance of the nodes, in bytes */
#define MAX_NODES	128

static u64 at_node(unsigned int i)
{
	return m(AT_NODES) + i * NODE_STEP;
}

/*
 * Takes a pointer for the setup_data list from the input: mostly the address of a
 * node, otherwise an address near a boundary of RAM or of the payload's memory.
 */
static u64 take_pointer(struct input *in)
{
	u8 which = take_u8(in);

	if (which < 0x60)
		return at_node(which % NODES);
	if (which < 0x80)
		return at_node(which % NODES) + take_u8(in) % NODE_STEP;
	if (which < 0x90)
		return m(AT_RUNTIME) - which + take_u8(in);
	if (which < 0xa0)
		return m(MACHINE_SIZE) - which % 32;
	if (which == 0xa0)
		return take_u64(in);
	return 0;
}

/*
 * Adds an E820 entry at @start, of @len bytes or up to the end of the machine. An
 * entry that starts outside of the machine is left out, because the stub may read
 * what an entry describes, and this process has no memory there.
 */
static void add_e820_inside(u64 start, u64 len, u32 type)
{
	if (start < m(0) || start >= m(MACHINE_SIZE))
		return;
	if (len > m(MACHINE_SIZE) - start)
		len = m(MACHINE_SIZE) - start;
	add_e820(start, len, type);
}

static bool in_runtime(u64 start, u64 end)
{
	return start < m(AT_END) && end > m(AT_RUNTIME) && start < end;
}

static char expected[sizeof(trace)];
static const char *expected_error;

static void expect_map(u64 start, u64 end)
{
	size_t len = strlen(expected);

	snprintf(expected + len, sizeof(expected) - len,
		 "map 0x%lx-0x%lx rw\n", start, end);
}

static void expect_taken(u64 start, u64 end)
{
	size_t len = strlen(expected);

	snprintf(expected + len, sizeof(expected) - len,
		 "taken 0x%lx-0x%lx\n", start, end);
}

/*
 * Predicts the effect of a setup_data node of type SETUP_INDIRECT or SETUP_IMA (8),
 * which points to further data. KASLR must not put the payload over that data. Returns
 * false if the stub must refuse the node.
 */
static bool predict_indirect(const struct setup_data *node, u64 addr)
{
	struct setup_indirect to;
	u64 ima[2];

	if (node->type == 8 && node->len >= sizeof(ima)) {
		memcpy(ima, (u8 *)addr + sizeof(*node), sizeof(ima));
		to.addr = ima[0];
		to.len = ima[1];
	} else if (node->type == 0x80000000 && node->len >= sizeof(to)) {
		memcpy(&to, (u8 *)addr + sizeof(*node), sizeof(to));
	} else {
		return true;
	}
	if (to.addr + to.len < to.addr || in_runtime(to.addr, to.addr + to.len))
		return false;
	expect_taken(to.addr, to.addr + to.len);
	return true;
}

/*
 * Whether the stub must accept a setup_data node in [start, end). The E820 map must
 * allow a loader to leave data in this range, and the range must lie outside of the
 * payload's memory. e820_may_hold() is the stub's own function, which fuzz_e820.c compares
 * with a model.
 */
static bool good_range(u64 start, u64 end)
{
	expected_error = "setup_data";
	return e820_may_hold(&fake.bp, start, end) && !in_runtime(start, end);
}

static bool predict_loaded(u64 start, u64 end)
{
	if (!good_range(start, end))
		return false;
	expect_map(start, end);
	expect_taken(start, end);
	return true;
}

/*
 * Predicts the effect of a setup_data node of type SETUP_KEXEC_KHO (10), by
 * which kexec hands memory over to the next Linux. The stub must map the two ranges
 * that the node points to, and must pass the scratch areas in the second range to
 * KASLR. Returns false if the stub must refuse the node.
 */
static bool predict_handover(const struct setup_data *node, u64 addr)
{
	u64 kho[4], area[2], i;
	size_t len;

	if (node->type != 10)
		return true;
	if (node->len < sizeof(kho))
		return false;
	memcpy(kho, (u8 *)addr + sizeof(*node), sizeof(kho));
	if (kho[3] > 512 * 16 ||
	    (kho[1] && !predict_loaded(kho[0], kho[0] + kho[1])) ||
	    (kho[3] && !predict_loaded(kho[2], kho[2] + kho[3])))
		return false;
	for (i = 0; i <= kho[3] / 16; i++) {
		area[0] = 0;
		area[1] = 1;
		if (i)
			memcpy(area, (u8 *)kho[2] + (i - 1) * 16, 16);
		len = strlen(expected);
		snprintf(expected + len, sizeof(expected) - len,
			 "scratch 0x%lx-0x%lx\n", area[0], area[0] + area[1]);
	}
	return true;
}

/*
 * Predicts what map_setup_data() maps, and sets expected_error to the error with which
 * the stub must refuse the setup_data list, or to NULL if the stub must accept the list.
 */
static void predict_chain(void)
{
	u64 addr = fake.bp.hdr.setup_data, end;
	struct setup_data node;
	unsigned int nodes;

	expected[0] = '\0';
	for (nodes = 0; addr; nodes++) {
		expected_error = "setup_data";
		end = addr + sizeof(node);
		if (nodes == MAX_NODES || !good_range(addr, end))
			return;
		expect_map(addr, end);
		memcpy(&node, (void *)addr, sizeof(node));
		end += node.len;
		if (!good_range(addr, end))
			return;
		expect_map(addr, end);
		expect_taken(addr, end);
		if (!predict_indirect(&node, addr) ||
		    !predict_handover(&node, addr))
			return;
		/*
		 * A node of type 7 (SETUP_CC_BLOB) points to an SNP guest's blob. The stub
		 * must refuse this node in any other guest.
		 */
		expected_error = "SNP blob";
		if (node.type == 7 && !fake.snp)
			return;
		addr = node.next;
	}
	expected_error = NULL;
}

static void fuzz_chain(struct input *in)
{
	static u8 before[PAGE_SIZE];
	struct boot boot = { .bp = &fake.bp };
	unsigned int i, entries;
	bool refused;

	fresh_loader();
	ASAN_UNPOISON_MEMORY_REGION(machine + AT_NODES, PAGE_SIZE);
	memset(machine + AT_NODES, 0, PAGE_SIZE);
	for (i = 0; i < NODES; i++) {
		u8 how = take_u8(in);
		struct setup_data node = {
			.next = take_pointer(in),
			.type = how & 0x80 ? 0x80000000 : how & 0x40 ? 10 :
				how & 0x20 ? 8 : how & 0x10 ? 7 : 9,
			.len = how & 1 ? take_u16(in) : how & 2 ? take_u32(in) :
			       how & 31,
		};

		memcpy((void *)at_node(i), &node, sizeof(node));
		if (how & 0x80) {
			struct setup_indirect to = {
				.addr = take_pointer(in), .len = take_u16(in),
			};

			if (how & 0x20)
				to.len = take_u64(in);
			memcpy((void *)(at_node(i) + sizeof(node)), &to,
			       sizeof(to));
		} else if (node.type == 8) {
			u64 ima[2] = { take_pointer(in), take_u16(in) };

			if (how & 1)
				ima[1] = take_u64(in);
			memcpy((void *)(at_node(i) + sizeof(node)), ima,
			       sizeof(ima));
		}
	}
	for (i = 0; i < NODES; i++) {
		u64 kho[4] = { take_pointer(in), take_u8(in), take_pointer(in),
			       take_u8(in) % 64 };
		struct setup_data *node = (void *)at_node(i);

		if (node->type == 10)
			memcpy(node->data, kho, sizeof(kho));
	}
	entries = take_u8(in);
	fake.snp = entries & 0x80;
	entries %= 6;
	for (i = 0; i < entries; i++)
		add_e820_inside(take_pointer(in), take_u8(in),
				i & 1 ? 128 : 2);
	fake.bp.hdr.setup_data = take_pointer(in);
	boot.runtime = (struct range){ m(AT_RUNTIME), m(AT_END) };

	memcpy(before, machine + AT_NODES, sizeof(before));
	predict_chain();
	hide(machine + AT_NODES, PAGE_SIZE);
	trace[0] = '\0';
	REFUSED(refused, map_setup_data(boot.bp, boot.runtime));
	ASAN_UNPOISON_MEMORY_REGION(machine + AT_NODES, PAGE_SIZE);
	CHECK(refused == !!expected_error, "%s", refused ? harness_error_detail :
	      "goes on");
	if (refused)
		CHECK(!strcmp(harness_error_what, expected_error), "%s",
		      harness_error_what);
	CHECK(!strcmp(trace, expected), "%s instead of %s", trace, expected);
	CHECK(!memcmp(machine + AT_NODES, before, sizeof(before)),
	      "nodes changed%s", "");
}

/*
 * Tests sanitize_boot_params(). A bp->sentinel that is not zero means that the
 * loader did not clear the zero page. Only the fields that every loader fills in are
 * then valid, and the stub must clear the other fields.
 */
static void fuzz_sentinel(struct input *in)
{
	static struct boot_params before;
	u8 *now = (u8 *)&fake.bp, *then = (u8 *)&before;
	size_t i;

	fresh_loader();
	take_bytes(in, &fake.bp, sizeof(fake.bp));
	before = fake.bp;
	sanitize_boot_params(&fake.bp);
	CHECK(!fake.bp.cc_blob_address && !(fake.bp.hdr.loadflags & 2),
	      "blob at %#x", fake.bp.cc_blob_address);
	before.cc_blob_address = 0;
	before.hdr.loadflags &= 0xfd;
	if (!before.sentinel) {
		CHECK(!memcmp(now, then, sizeof(before)), "changed%s", "");
		return;
	}
	CHECK(!fake.bp.sentinel, "the sentinel is still there%s", "");
	for (i = 0; i < sizeof(before); i++)
		CHECK(now[i] == then[i] || !now[i], "byte %#zx is %#x", i,
		      now[i]);
	CHECK(!memcmp(&fake.bp.hdr, &before.hdr, sizeof(before.hdr)) &&
	      !memcmp(fake.bp.e820_table, before.e820_table,
		      sizeof(before.e820_table)) &&
	      !memcmp(&fake.bp.efi_info, &before.efi_info,
		      sizeof(before.efi_info)) &&
	      !memcmp(&fake.bp.screen_info, &before.screen_info,
		      sizeof(before.screen_info)) &&
	      fake.bp.e820_entries == before.e820_entries,
	      "what boot.rst keeps is gone%s", "");
}

static void fuzz_cmdline(struct input *in)
{
	static const char builtin[] = "built in";
	char text[CMDLINE_SIZE * 2 + 4];
	struct cmdline cmdline = { NULL, 0 };
	size_t len, i, fits, size = take_u16(in) % sizeof(text);
	bool quoted = false, refused, none = take_u8(in) & 1;

	fresh_loader();
	memset(text, 'x', sizeof(text));
	take_bytes(in, text, size);
	text[sizeof(text) - 1] = '\0';
	set_cmdline(none ? 0 : (u64)text);
	len = none ? 0 : strlen(text);

	CHECK(cmdline_is_too_long(&fake.bp) == (len > CMDLINE_SIZE),
	      "%zu bytes", len);
	/*
	 * From a command line that is longer than CMDLINE_SIZE the stub must
	 * keep the words that fit whole. @fits becomes their length in bytes.
	 */
	for (fits = 0, i = 0; len > CMDLINE_SIZE && i <= CMDLINE_SIZE; i++) {
		quoted ^= text[i] == '"';
		if (!quoted && (u8)text[i] <= 0x20)
			fits = i;
	}
	REFUSED(refused, cmdline = find_cmdline(&fake.bp));
	CHECK(refused == (len > CMDLINE_SIZE && !fits), "%zu bytes, %zu fit",
	      len, fits);
	if (refused)
		return;
	len = len > CMDLINE_SIZE ? fits : len;
	CHECK(cmdline.len == (len ? len : strlen(builtin)),
	      "%zu bytes of %zu", cmdline.len, len);
	CHECK(cmdline.text == (len ? text : layout.builtin), "at %p",
	      (void *)cmdline.text);
}

static void fuzz_one(struct input *in)
{
	switch (take_u8(in) % 4) {
	case 0:
		fuzz_sentinel(in);
		break;
	case 1:
		fuzz_cmdline(in);
		break;
	default:
		fuzz_chain(in);
	}
}
