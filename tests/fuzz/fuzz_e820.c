/* SPDX-License-Identifier: MIT */
/*
 * fuzz_e820.c - libFuzzer target for the functions that search the E820 map.
 *
 * All entries begin in the same 256 bytes, which may be the last bytes of the address
 * space. A model can therefore record for each of these bytes (cells) whether it is
 * RAM. If the zero page's table is full, the map continues in a list of setup_data
 * nodes. The list may have nodes of other types, be circular, or end at an address
 * that cannot be read. The model follows the list by node numbers instead of
 * addresses. e820_next() must return the entries that the model expects, in the
 * same order.
 */
#include "lib/e820.c"

#include "fuzz.h"

/* The model records the memory type of this many bytes of the address space. */
#define CELLS	256
/* Capacity of the zero page's E820 table, in entries. */
#define TABLE	128
/*
 * Number of setup_data nodes: more than MAX_NODES, the stub's limit, to test
 * it.
 */
#define CHAIN	140
/* The stub reads no more setup_data nodes than this. */
#define MAX_NODES	128
#define NODE_HEAD	16
#define NODE_ENTRIES	3
#define EXT_TYPE	1		/* boot.rst: SETUP_E820_EXT */
/*
 * An address at which no memory is mapped. The test puts it into the setup_data pointer if
 * the stub must not read the setup_data list, because a read then faults.
 */
#define NOWHERE	((u64)8)

static struct boot_params bp;
/* Address of the byte that ram[0] and other[0] stand for. */
static u64 origin;
/*
 * ram[n]: the byte at origin + n is in an E820 entry for RAM, and not in an entry of
 * another type.
 */
static bool ram[CELLS];
/* other[n]: the byte at origin + n is in an E820 entry of another type than RAM. */
static bool other[CELLS];
/*
 * held[n]: the byte at origin + n is in an E820 entry of a type that allows a
 * loader to leave data there. barred[n]: the byte is in an E820 entry of a type
 * that forbids this.
 */
static bool held[CELLS], barred[CELLS];

static struct {
	/* @next, @type and @len are the fields of struct setup_data. */
	u64 next;
	u32 type, len;
	struct boot_e820_entry entries[NODE_ENTRIES];
} __attribute__((packed, aligned(8))) chain[CHAIN];
/*
 * follows[n] is the number of the setup_data node that follows node n. A number of
 * CHAIN or above is not a node and ends the list. @first is the first node's number.
 */
static unsigned int follows[CHAIN];
static unsigned int first;

/* The entries that e820_next() must return, in this order. */
static const struct boot_e820_entry *want[TABLE + MAX_NODES * NODE_ENTRIES];
static unsigned int wanted;

static void take_entry(struct input *in, struct boot_e820_entry *entry)
{
	u8 start = take_u8(in), size = take_u8(in), type = take_u8(in);

	entry->addr = origin + start;
	entry->size = size;
	entry->type = type & 0x80 ? type : 1;
}

static void want_entry(const struct boot_e820_entry *entry)
{
	u64 at;

	want[wanted++] = entry;
	if (entry->addr + entry->size < entry->addr)
		return;
	for (at = 0; at < entry->size; at++) {
		u64 cell = entry->addr - origin + at;

		if (cell < CELLS && (entry->type == 1 || entry->type == 128))
			held[cell] = true;
		else if (cell < CELLS)
			barred[cell] = true;
		if (cell < CELLS && entry->type == 1)
			ram[cell] = true;
		else if (cell < CELLS)
			other[cell] = true;
	}
}

/*
 * Returns the address of setup_data node @number. For a number of CHAIN or above it
 * returns a value that ends the list.
 */
static u64 node_pointer(unsigned int number)
{
	if (number < CHAIN)
		return (u64)&chain[number];
	/*
	 * A number of CHAIN or above ends the list. If it is even, the pointer
	 * is 0. If it is odd, the pointer is so high that the node's header
	 * would wrap around at 2^64.
	 */
	return number % 2 ? -(u64)(number % NODE_HEAD + 1) : 0;
}

/*
 * Makes the list of CHAIN setup_data nodes. By default, node n + 1 follows node n,
 * and nodes have a type that the stub ignores. The input then changes the type,
 * entries and successor of up to 7 nodes.
 */
static void take_chain(struct input *in)
{
	unsigned int i, count, odd = take_u8(in) % 8;

	first = take_u8(in);
	for (i = 0; i < CHAIN; i++) {
		follows[i] = i + 1;
		chain[i].type = EXT_TYPE + 1;
		chain[i].len = sizeof(chain[i].entries);
	}
	while (odd--) {
		u8 how;

		i = take_u8(in) % CHAIN;
		how = take_u8(in);
		if (how & 1)
			follows[i] = take_u8(in);
		chain[i].type = how & 2 ? take_u8(in) : EXT_TYPE;
		/*
		 * The node's data has 0 to 63 bytes: up to 3 E820 entries of 20 bytes,
		 * and a rest that is no whole entry. The stub must ignore the rest.
		 */
		chain[i].len = how >> 2;
		for (count = 0; count < NODE_ENTRIES; count++)
			take_entry(in, &chain[i].entries[count]);
	}
	for (i = 0; i < CHAIN; i++)
		chain[i].next = node_pointer(follows[i]);
}

static void want_chain(void)
{
	unsigned int hops, at = first, i;

	for (hops = 0; hops < MAX_NODES && at < CHAIN; hops++) {
		u32 len = chain[at].type == EXT_TYPE ? chain[at].len : 0;

		for (i = 0; (i + 1) * sizeof(chain[at].entries[0]) <= len; i++)
			want_entry(&chain[at].entries[i]);
		at = follows[at];
	}
}

static void take_map(struct input *in)
{
	static const u64 origins[] = { 0, 0x100000, 1UL << 32, -256UL, -200UL };
	unsigned int i;

	memset(ram, 0, sizeof(ram));
	memset(other, 0, sizeof(other));
	memset(held, 0, sizeof(held));
	memset(barred, 0, sizeof(barred));
	wanted = 0;
	origin = origins[take_u8(in) % ARRAY_SIZE(origins)];
	bp.e820_entries = take_u8(in);
	/*
	 * Fill in the table's unused entries, too. The stub must ignore those
	 * from e820_entries on.
	 */
	for (i = 0; i < TABLE; i++) {
		take_entry(in, &bp.e820_table[i]);
		if (i < bp.e820_entries)
			want_entry(&bp.e820_table[i]);
	}
	bp.hdr.setup_data = NOWHERE;
	if (bp.e820_entries >= TABLE) {
		take_chain(in);
		want_chain();
		bp.hdr.setup_data = node_pointer(first);
	}
	for (i = 0; i < CELLS; i++)
		ram[i] = ram[i] && !other[i];
}

static void check_walk(void)
{
	const struct boot_e820_entry *entry;
	struct e820_walk walk;
	unsigned int i = 0;

	e820_first(&bp, &walk);
	while ((entry = e820_next(&walk))) {
		CHECK(i < wanted && entry == want[i], "entry %u of %u is at %p",
		      i, wanted, (const void *)entry);
		i++;
	}
	CHECK(i == wanted, "%u entries instead of %u", i, wanted);
	CHECK(!e820_next(&walk), "an entry after the last one%s", "");
}

static void check_range(unsigned int start, unsigned int end)
{
	bool want = start < end && origin + end > origin + start, got;
	unsigned int i;

	for (i = start; i < end; i++)
		want = want && ram[i];
	got = e820_is_ram(&bp, origin + start, origin + end);
	CHECK(got == want, "[%u, %u) is %u", start, end, got);
}

/*
 * Compares e820_may_hold() with the model. The E820 entries of this fuzzer have
 * the types 1 (RAM) and 128 to 255. Of these types, only RAM and 128 (Linux's
 * E820_TYPE_RESERVED_KERN) allow a loader to leave data there.
 */
static void check_data(unsigned int start, unsigned int end)
{
	bool want = start < end && origin + end > origin + start, got;
	unsigned int i;

	for (i = start; i < end; i++)
		want = want && held[i] && !barred[i];
	got = e820_may_hold(&bp, origin + start, origin + end);
	CHECK(got == want, "[%u, %u) is %u", start, end, got);
}

static void check_around(unsigned int at, unsigned int low, unsigned int high)
{
	u64 got_low = origin + low, got_high = origin + high;
	bool want = ram[at] && at >= low && at < high, got;
	unsigned int first = at, last = at;

	/*
	 * Leave this check out if the model's CELLS bytes of memory reach 2^64.
	 * Then got_high, the upper limit of the search, may be 2^64, which does
	 * not fit into a u64.
	 */
	if (origin + CELLS < origin)
		return;
	while (first > low && ram[first - 1])
		first--;
	while (last + 1 < high && ram[last + 1])
		last++;
	got = e820_ram_around(&bp, origin + at, &got_low, &got_high);
	CHECK(got == want, "%u in [%u, %u) is %u", at, low, high, got);
	if (got)
		CHECK(got_low == origin + first && got_high == origin + last + 1,
		      "around %u [%lu, %lu) instead of [%u, %u]", at,
		      got_low - origin, got_high - origin, first, last);
}

static void fuzz_one(struct input *in)
{
	unsigned int i;
	u8 a, b, c;

	take_map(in);
	check_walk();
	for (i = 0; i < 16; i++) {
		a = take_u8(in);
		b = take_u8(in);
		c = take_u8(in);
		check_range(a, b);
		check_range(a, a + 1U);
		check_data(a, b);
		check_around(a, b, c);
		check_around(a, 0, 255);
	}
}
