/* SPDX-License-Identifier: MIT */
/*
 * attack_loader.c - the attacks in which the loader gives the guest a wrong
 * memory map, setup_data list, firmware table, command line, initrd or zero
 * page.
 *
 * attack_load() calls these functions before the guest starts, with the zero
 * page that loader.c has made (boot.rst "The Real-Mode Kernel Header",
 * zero-page.rst).  A guest trusts a loader that was measured.  These
 * attacks show that the stub also boots or terminates cleanly if the loader has
 * a bug.
 */
#include <asm/bootparam.h>

#include "attack.h"
#include "attack_loader.h"
#include "npt.h"
#include "sevemu.h"

#define E820_ZERO_PAGE		128
#define MIB			0x100000
/* Guest-physical address at which the attacks build a setup_data node. */
#define NODE_AT			0x30000
/* Type of a setup_data node that contains E820 entries. */
#define SETUP_E820		1
/* "EL64", by which a loader tells the kernel that 64-bit EFI started it. */
#define EFI64_SIGNATURE		0x34364c45
/* "RSD PTR ", the first eight bytes of ACPI's RSDP. */
#define RSDP_SIGNATURE		0x2052545020445352
#define SETUP_INDIRECT_FLAG	0x80000000u
#define LONG_TEXT_AT		0x200000
#define LONG_TEXT		0x100000

/*
 * Returns the host address of guest-physical @gpa for access as the guest sees
 * it with the C-bit set.
 */
static void *guest(u64 gpa)
{
	return npt_frame(gpa, VIEW_PRIVATE);
}

/* Appends a range to the E820 table in the zero page.  The table must not be full. */
static void entry(struct boot_params *bp, u64 addr, u64 size, u32 type)
{
	struct boot_e820_entry *e = &bp->e820_table[bp->e820_entries++];

	e->addr = addr;
	e->size = size;
	e->type = type;
}

/* ---- The memory map. */

static void e820_none(struct lie *lie, struct boot_params *bp)
{
	bp->e820_entries = lie->n ? 255 : 0;
	if (lie->n)
		memset(bp->e820_table, 0, sizeof(bp->e820_table));
}

static void e820_overlap(struct lie *lie, struct boot_params *bp)
{
	static const u32 types[] = { 2, 1, 3, 5, 0, ~0u };

	entry(bp, (lie->n / ARRAY_SIZE(types)) * MIB, 2 * MIB,
	      types[lie->n % ARRAY_SIZE(types)]);
}

static void e820_wrap(struct lie *lie, struct boot_params *bp)
{
	static const struct {
		u64 addr, size;
	} ranges[] = {
		{ 0x1000000, ~0ull }, { ~0ull, 2 }, { 0, ~0ull },
		{ 1ull << 63, 1ull << 63 }, { ~0xfffull, 0x2000 }, { 0x1000, -0x1000ull },
		{ 0xffffffff, 0xffffffff },
	};
	u64 form = lie->n % ARRAY_SIZE(ranges);

	if (lie->n / ARRAY_SIZE(ranges) % 2)
		bp->e820_entries = 0;
	entry(bp, ranges[form].addr, ranges[form].size, lie->n / 14 % 2 ? 2 : 1);
}

/*
 * Fills all 128 entries of the zero page's E820 table.  With N = lie->n, the
 * ranges are sorted if N % 4 is 0 and shuffled otherwise.  If N % 4 is 2,
 * e820_entries claims 255 entries.  If N % 4 is 3, the memory types are random.
 */
static void e820_full(struct lie *lie, struct boot_params *bp)
{
	u64 state = attack_mix(lie->n);
	unsigned int i;

	bp->e820_entries = 0;
	for (i = 0; i < E820_ZERO_PAGE; i++) {
		u64 slot = lie->n % 4 ? i * 37 % E820_ZERO_PAGE : i;

		state = attack_mix(state);
		entry(bp, slot * MIB, MIB, lie->n % 4 < 3 ? 1 : 1 + state % 5);
	}
	if (lie->n % 4 == 2)
		bp->e820_entries = 255;
}

static void e820_random(struct lie *lie, struct boot_params *bp)
{
	unsigned int i;

	bp->e820_entries = attack_mix(lie->n);
	attack_noise(bp->e820_table, sizeof(bp->e820_table), lie->n);
	for (i = 0; i < E820_ZERO_PAGE; i++) {
		bp->e820_table[i].addr %= 256 * MIB;
		bp->e820_table[i].size %= 256 * MIB;
		bp->e820_table[i].type = 1 + i % 3;
	}
}

/* ---- setup_data. */

/* Writes the header of a setup_data node to guest-physical @at. */
static void node(u64 at, u64 next, u32 type, u32 len)
{
	struct setup_data *data = guest(at);

	data->next = next;
	data->type = type;
	data->len = len;
}

static void setup_data_loop(struct lie *lie, struct boot_params *bp)
{
	static const u64 nexts[] = { NODE_AT, NODE_AT + 0x100, NODE_AT + 8 };

	node(NODE_AT + 0x100, NODE_AT, 0, 16);
	node(NODE_AT, nexts[lie->n], 0, 16);
	bp->hdr.setup_data = NODE_AT;
}

static void setup_data_huge(struct lie *lie, struct boot_params *bp)
{
	static const u32 lengths[] = {
		~0u, 0x80000000, 0x7fffffff, 0x10000000, 0xfffffff0, 0x8000000,
		0xa0000 - NODE_AT - 15, 0xfd0000, 0x2000000,
	};

	node(NODE_AT, 0, 0, lengths[lie->n]);
	bp->hdr.setup_data = NODE_AT;
}

/*
 * Guest-physical addresses that a loader must not hand over: outside of RAM, a
 * few bytes below the top of a RAM range, or in memory that is in use, such as
 * the zero page at 0x10000.
 */
static const u64 bad_pointers[] = {
	1, 0xa0000, 0xa0000 - 8, 0x1000000, 0x1001000 - 8, 0xfed00000,
	0xfee00000, 0xffffffff, 0x100000000, 0x7fffffffffff, 0x800000000000,
	1ull << 51, 1ull << 52, ~0ull, ~0ull - 15, 0x10000, 0x11000, 0x100000,
};

static void setup_data_bad(struct lie *lie, struct boot_params *bp)
{
	u64 pointer = bad_pointers[lie->n % ARRAY_SIZE(bad_pointers)];

	if (lie->n < ARRAY_SIZE(bad_pointers)) {
		bp->hdr.setup_data = pointer;
	} else {
		node(NODE_AT, pointer, SETUP_E820, 16);
		bp->hdr.setup_data = NODE_AT;
	}
}

/*
 * Makes the loader hand over a setup_data node of type SETUP_E820, which
 * extends the E820 table.  lie->n % 8 selects a range that contradicts the E820
 * table or wraps around.  lie->n / 8 selects the node's shape: two entries, one
 * and a half, 100, or a node that points to itself.
 */
static void setup_data_e820(struct lie *lie, struct boot_params *bp)
{
	static const struct boot_e820_entry lies_of[] = {
		{ 0x1000000, 0x1000, 2 }, { 0x1180000, 0x1000, 5 }, { 0, ~0ull, 2 },
		{ ~0xfffull, 0x2000, 1 }, { 0x100000000, 1ull << 51, 1 },
		{ NODE_AT, 0x1000, 2 }, { 0x10000, 0x1000, 3 }, { 0, 0x10000000, 1 },
	};
	u64 form = lie->n % ARRAY_SIZE(lies_of);
	u32 len = sizeof(lies_of[0]);
	u8 *entries = guest(NODE_AT + sizeof(struct setup_data));

	memcpy(entries, &lies_of[form], len);
	memcpy(entries + len, &lies_of[(form + 3) % ARRAY_SIZE(lies_of)], len);
	switch (lie->n / ARRAY_SIZE(lies_of)) {
	case 0:
		len *= 2;
		break;
	case 1:		/* one and a half E820 entries */
		len += len / 2;
		break;
	case 2:		/* 100 E820 entries, 98 of length 0 */
		len *= 100;
		break;
	}
	node(NODE_AT, lie->n / ARRAY_SIZE(lies_of) == 3 ? NODE_AT : 0, SETUP_E820, len);
	/*
	 * The stub reads SETUP_E820 nodes only if the zero page's E820 table is
	 * full.  Fill it with empty reserved ranges.
	 */
	while (bp->e820_entries < E820_ZERO_PAGE)
		entry(bp, 0x10000000ull + bp->e820_entries * PAGE_SIZE, 0, 2);
	bp->hdr.setup_data = NODE_AT;
}

/*
 * Makes the loader hand over a setup_data node of type SETUP_INDIRECT, whose
 * data is at an address outside of RAM or in memory that is in use.
 */
static void setup_data_indirect(struct lie *lie, struct boot_params *bp)
{
	static const u64 lengths[] = { 0x1000, 0, ~0ull, 0x10000000 };
	struct setup_indirect *to = (void *)guest(NODE_AT + sizeof(struct setup_data));

	to->type = SETUP_INDIRECT_FLAG | (lie->n % 2 ? SETUP_E820 : 0);
	to->reserved = 0;
	to->len = lengths[lie->n / ARRAY_SIZE(bad_pointers) % ARRAY_SIZE(lengths)];
	to->addr = bad_pointers[lie->n % ARRAY_SIZE(bad_pointers)];
	node(NODE_AT, 0, SETUP_INDIRECT_FLAG, sizeof(*to));
	bp->hdr.setup_data = NODE_AT;
}

/* ---- Firmware's tables. */

static void efi_info(struct lie *lie, struct boot_params *bp)
{
	u64 pointer = bad_pointers[lie->n % ARRAY_SIZE(bad_pointers)];
	bool entries = lie->n / ARRAY_SIZE(bad_pointers) % 2;

	bp->efi_info.efi_loader_signature = EFI64_SIGNATURE;
	bp->efi_info.efi_systab = pointer;
	bp->efi_info.efi_systab_hi = pointer >> 32;
	bp->efi_info.efi_memdesc_size = entries ? 48 : 0;
	bp->efi_info.efi_memdesc_version = 1;
	bp->efi_info.efi_memmap = pointer;
	bp->efi_info.efi_memmap_hi = pointer >> 32;
	bp->efi_info.efi_memmap_size = entries ? ~0u : 0x1000;
}

/*
 * Makes the loader hand over a wrong address of ACPI's RSDP.  If lie->n is at
 * least ARRAY_SIZE(bad_pointers), the RSDP itself is correct, with right
 * checksums, but its RSDT and XSDT addresses are wrong (ACPI 6.5 5.2.5.3).
 */
static void rsdp(struct lie *lie, struct boot_params *bp)
{
	u64 pointer = bad_pointers[lie->n % ARRAY_SIZE(bad_pointers)];
	u64 signature = RSDP_SIGNATURE;
	u8 *at = guest(NODE_AT), sum, i;

	bp->acpi_rsdp_addr = pointer;
	if (lie->n < ARRAY_SIZE(bad_pointers))
		return;
	bp->acpi_rsdp_addr = NODE_AT;
	memcpy(at, &signature, sizeof(signature));
	at[15] = 2;
	at[20] = 36;
	memcpy(at + 16, &pointer, 4);
	memcpy(at + 24, &pointer, 8);
	for (i = 0, sum = 0; i < 20; i++)
		sum += at[i];
	at[8] -= sum;
	for (i = 0, sum = 0; i < 36; i++)
		sum += at[i];
	at[32] -= sum;
}

/* ---- Command line and initrd. */

/*
 * Makes the loader hand over a command line of LONG_TEXT bytes (1 MiB) that has
 * no NUL.
 */
static void cmdline_endless(struct lie *lie, struct boot_params *bp)
{
	u64 at;

	for (at = 0; at < LONG_TEXT; at += PAGE_SIZE)
		memset(guest(LONG_TEXT_AT + at), lie->n ? 0xff : 'x', PAGE_SIZE);
	bp->hdr.cmd_line_ptr = LONG_TEXT_AT;
}

static void cmdline_bad(struct lie *lie, struct boot_params *bp)
{
	u64 pointer = bad_pointers[lie->n];

	bp->hdr.cmd_line_ptr = pointer;
	bp->ext_cmd_line_ptr = pointer >> 32;
}

static void initrd_over(struct lie *lie, struct boot_params *bp)
{
	static const struct {
		u64 addr, size;
	} ranges[] = {
		{ 0x100000, 0x1000 }, { 0x1000000, 0x1000 }, { 0x1100000, 0x1000 },
		{ 0x10000, 0x1000 }, { 0xfff000, 0x1001 }, { 0, 0x10000000 },
		{ 0x80000000, 0x1000 }, { ~0ull, 1 }, { ~0ull, 2 }, { ~0xfffull, 0x2000 },
		{ 1ull << 51, 0x1000 }, { 0xa0000, 0x1000 }, { 0, ~0ull }, { 0x118c000, 0x2000 },
	};
	u64 addr = ranges[lie->n].addr, size = ranges[lie->n].size;

	bp->hdr.ramdisk_image = addr;
	bp->ext_ramdisk_image = addr >> 32;
	bp->hdr.ramdisk_size = size;
	bp->ext_ramdisk_size = size >> 32;
}

/* ---- The zero page. */

static void zero_page_random(struct lie *lie, struct boot_params *bp)
{
	attack_noise(bp, sizeof(*bp), lie->n);
}

static void zero_page_bytes(struct lie *lie, struct boot_params *bp)
{
	u64 state = attack_mix(lie->n);
	unsigned int i;

	for (i = 0; i < 16; i++) {
		state = attack_mix(state);
		((u8 *)bp)[state % sizeof(*bp)] ^= 1 + (state >> 32) % 255;
	}
}

const struct attack load_attacks[] = {
	{ "e820-none", 2, 0, "no memory map, or 255 empty entries",
	  .load = e820_none },
	{ "e820-overlap", 40 * 6, 0, "entries that contradict each other",
	  .load = e820_overlap },
	{ "e820-wrap", 28, 0, "entries that wrap around", .load = e820_wrap },
	{ "e820-full", 64, 0, "128 entries in no order", .load = e820_full },
	{ "e820-random", 64, 0, "random entries", .load = e820_random },
	{ "setup-data-loop", 3, 0, "a chain that never ends", .load = setup_data_loop },
	{ "setup-data-huge", 9, 0, "a node of impossible length",
	  .load = setup_data_huge },
	{ "setup-data-bad", 2 * ARRAY_SIZE(bad_pointers), 0,
	  "a pointer outside of RAM, or to memory in use", .load = setup_data_bad },
	{ "setup-data-e820", 32, 0, "a node with more of the memory map",
	  .load = setup_data_e820 },
	{ "setup-data-indirect", 4 * ARRAY_SIZE(bad_pointers), 0,
	  "a node whose data is at a bad pointer", .load = setup_data_indirect },
	{ "efi-info", 2 * ARRAY_SIZE(bad_pointers), 0,
	  "EFI's tables and memory map at bad pointers", .load = efi_info },
	{ "rsdp", 2 * ARRAY_SIZE(bad_pointers), 0, "ACPI's tables at bad pointers",
	  .load = rsdp },
	{ "cmdline-endless", 2, 0, "a command line without a NUL",
	  .load = cmdline_endless },
	{ "cmdline-bad", ARRAY_SIZE(bad_pointers), 0, "a command line at a bad pointer",
	  .load = cmdline_bad },
	{ "initrd-over", 14, 0, "an initrd over the image, or outside of RAM",
	  .load = initrd_over },
	{ "zero-page-random", 64, 0, "a zero page of random bytes",
	  .load = zero_page_random },
	{ "zero-page-bytes", 256, 0, "some bytes of the zero page changed",
	  .load = zero_page_bytes },
};
const unsigned int load_count = ARRAY_SIZE(load_attacks);
