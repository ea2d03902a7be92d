/* SPDX-License-Identifier: MIT */
/*
 * test_relocate.c - payload/relocate.c on relocation tables that are made by
 * hand, random, or hostile. Images and tables end exactly where their heap
 * memory ends, so that ASan reports an access after them.
 */
#include "harness.h"
#include "image.h"

/* The range of memory that may_write() takes for the stub's own image. */
static const u8 *stub_start, *stub_end;
#define _text	stub_start
#define _end	stub_end

#include "../../payload/relocate.c"
#include "../../payload/unfilter.c"

#define DISTANCE	0x12345678UL

static u8 *exactly(const void *data, size_t size)
{
	u8 *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	/*
	 * An empty buffer must have no accessible byte. malloc(0) may allocate
	 * one, so allocate 1 byte and return the address after it.
	 */
	if (!size)
		return copy + 1;
	memcpy(copy, data, size);
	return copy;
}

static void release(u8 *copy, size_t size)
{
	free(size ? copy : copy - 1);
}

static int apply(u8 *image, size_t image_size, const u8 *relocs,
		 size_t reloc_size, u64 distance)
{
	u8 *image_copy = exactly(image, image_size);
	u8 *reloc_copy = exactly(relocs, reloc_size);
	int err = relocate_image(image_copy, image_size, reloc_copy,
				 reloc_size, distance);

	if (image_size)
		memcpy(image, image_copy, image_size);
	release(image_copy, image_size);
	release(reloc_copy, reloc_size);
	return err;
}

TEST(each_kind)
{
	/*
	 * The table lists values to relocate: one of 8 bytes at offset 1; two
	 * of 4 bytes at 9 and 13, from which the distance is subtracted; two of
	 * 4 bytes at 17 and 24, to which it is added.
	 */
	static const u8 table[] = { 1, 1, 2, 9, 0, 2, 17, 3 };
	static const u8 before[28] = {
		0x55, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
		0x00, 0x00, 0x00, 0x00, 0x78, 0x56, 0x34, 0x12,
		0xff, 0xff, 0xff, 0xff, 0x55, 0x55, 0x55,
		0x00, 0x00, 0x00, 0x81,
	};
	static const u8 after[28] = {
		0x55, 0x70, 0x56, 0x34, 0x12, 0x00, 0x00, 0x00, 0x80,
		0x88, 0xa9, 0xcb, 0xed, 0x00, 0x00, 0x00, 0x00,
		0x77, 0x56, 0x34, 0x12, 0x55, 0x55, 0x55,
		0x78, 0x56, 0x34, 0x93,
	};
	u8 image[28];

	memcpy(image, before, sizeof(image));
	CHECK(apply(image, 28, table, sizeof(table), DISTANCE) == 0, "refused");
	CHECK(!memcmp(image, after, sizeof(image)), "other bytes");
	/* Relocating by the negative distance must restore the image. */
	CHECK(apply(image, 28, table, sizeof(table), -DISTANCE) == 0, "refused");
	CHECK(!memcmp(image, before, sizeof(image)), "not the way back");
}

static u64 moved(u8 kind, s64 value, u64 distance, int expected)
{
	u8 table[4] = { 0, 0, 0, 0 };
	u8 image[8];
	u64 wide;
	s32 narrow;

	memmove(table + kind + 1, table + kind, 3U - kind);
	table[kind] = 1;
	memcpy(image, &value, sizeof(value));
	CHECK(apply(image, 8, table, 4, distance) == expected,
	      "kind %u, 0x%lx by 0x%lx", kind, (u64)value, distance);
	memcpy(&wide, image, sizeof(wide));
	memcpy(&narrow, image, sizeof(narrow));
	return kind == RELOC_64 ? wide : (u64)(s64)narrow;
}

/*
 * A value of 8 bytes can be relocated by any distance. A relocated value of 4
 * bytes that no longer fits must be refused.
 */
TEST(far_moves)
{
	const s64 linked = (s64)0xffffffff81000000;
	u64 value = moved(RELOC_64, linked, -0x7f00000000UL, 0);

	CHECK(value == 0xffffff8081000000, "0x%lx", value);
	value = moved(RELOC_32, linked, 0x7effffff, 0);
	CHECK(value == ~0UL, "0x%lx", value);
	moved(RELOC_32, linked, 0x7f000000 + (1UL << 32), -EINVAL);
	moved(RELOC_32, linked, 1UL << 32, -EINVAL);
	moved(RELOC_32, linked, -0x1000001UL, -EINVAL);
	moved(RELOC_32, linked, -0x1000000UL, 0);
	moved(RELOC_32, 0x1000000, 0x7effffff, 0);
	moved(RELOC_32, 0x1000000, 0x7f000000, -EINVAL);
	moved(RELOC_INVERSE32, 0, 0x80000000, 0);
	moved(RELOC_INVERSE32, 0, 0x80000001, -EINVAL);
	moved(RELOC_INVERSE32, 0, -0x7fffffffUL, 0);
	moved(RELOC_INVERSE32, 0, -0x80000000UL, -EINVAL);
}

TEST(no_places)
{
	static const u8 table[] = { 0, 0, 0 };
	u8 image[1] = { 0x55 };

	CHECK(apply(image, 1, table, 3, DISTANCE) == 0, "refused");
	CHECK(apply(image, 0, table, 3, DISTANCE) == 0, "refused");
	CHECK(image[0] == 0x55, "changed");
}

/* ---- tables that are wrong ---- */

static void refused(size_t image_size, const u8 *table, size_t size)
{
	u8 image[64] = { 0 };

	CHECK(apply(image, image_size, table, size, DISTANCE) == -EINVAL,
	      "a table of %zu bytes, %x %x %x %x, is taken", size, table[0],
	      table[1], table[2], table[3]);
}

TEST(cut_or_long)
{
	static const u8 table[] = { 1, 0x81, 0x00, 1, 9, 2, 17, 0x80, 0x00, 0 };
	u8 image[64] = { 0 };
	size_t size;

	CHECK(apply(image, 25, table, 9, DISTANCE) == 0, "the good one");
	for (size = 0; size < 9; size++)
		refused(25, table, size);
	refused(25, table, 10);
}

TEST(outside_of_the_image)
{
	static const u8 wide[] = { 1, 5, 0, 0 }, narrow[] = { 0, 0, 1, 5 };
	static const u8 inverse[] = { 0, 1, 5, 0 };
	static const u8 second[] = { 2, 0, 1, 0, 0 };
	/*
	 * @far has the number 2^35 - 1, an offset far outside of the image.
	 * @long_number has the number 5 in more bytes than the format allows.
	 * Both tables must be refused.
	 */
	static const u8 far[] = { 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x7f };
	static const u8 long_number[] = { 0, 0, 1, 0x85, 0x80, 0x80, 0x80,
					  0x80, 0x00 };
	static const u8 endless[] = { 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0 };
	u8 image[64] = { 0 };

	CHECK(apply(image, 13, wide, 4, DISTANCE) == 0, "the last place");
	refused(12, wide, 4);
	refused(7, wide, 4);
	refused(0, wide, 4);
	CHECK(apply(image, 9, narrow, 4, DISTANCE) == 0, "the last place");
	refused(8, narrow, 4);
	refused(3, narrow, 4);
	CHECK(apply(image, 9, inverse, 4, DISTANCE) == 0, "the last place");
	refused(8, inverse, 4);
	CHECK(apply(image, 17, second, 5, DISTANCE) == 0, "the last place");
	refused(16, second, 5);
	refused(15, second, 5);
	refused(64, far, sizeof(far));
	refused(64, long_number, sizeof(long_number));
	refused(64, endless, sizeof(endless));
}

/*
 * Random bytes as a relocation table may be accepted or refused. ASan reports
 * if the stub accesses anything outside of the image and the table.
 */
TEST(random_tables)
{
	unsigned int i, j, good = 0;
	u8 image[64], table[24];

	random_seed(1);
	for (i = 0; i < 100000; i++) {
		size_t image_size = random_below(sizeof(image));
		size_t size = random_below(sizeof(table));

		for (j = 0; j < sizeof(image); j++)
			image[j] = (u8)random_u64();
		for (j = 0; j < sizeof(table); j++)
			table[j] = (u8)(random_below(8) ? random_below(6) :
					random_u64());
		good += !apply(image, image_size, table, size, random_u64());
	}
	CHECK(good > 20, "only %u fit by chance", good);
	INFO("%u of %u fit", good, i);
}

/* ---- against a model ---- */

static u8 *put_number(u8 *at, u64 value)
{
	for (; value >= 128; value /= 128)
		*at++ = (u8)(value % 128 + 128);
	*at++ = (u8)value;
	return at;
}

TEST(random_images)
{
	static u8 image[300000], want[300000], table[600000];
	static u8 kind_of[300000];
	unsigned int places = 0;
	u64 distance;
	size_t i;
	u8 *at = table;

	random_seed(2);
	distance = random_below(0x40000000) - 0x20000000;
	for (i = 0; i < sizeof(image); i++)
		image[i] = want[i] = (u8)random_u64();
	/*
	 * Relocates values of random kinds at random offsets in @want. Some
	 * gaps are so large that the table needs three bytes for them.
	 * kind_of[i] is kind + 1 if a value begins at offset i, otherwise 0.
	 */
	for (i = 0; i + 8 <= sizeof(image);) {
		unsigned int kind = (unsigned int)random_below(RELOC_KINDS);
		u64 wide, factor = kind == RELOC_INVERSE32 ? -1UL : 1UL;
		u32 narrow;

		kind_of[i] = (u8)(kind + 1);
		places++;
		if (kind == RELOC_64) {
			memcpy(&wide, want + i, 8);
			wide += distance;
			memcpy(want + i, &wide, 8);
		} else {
			/*
			 * Choose a 32-bit value that relocation cannot make
			 * overflow.
			 */
			narrow = (u32)random_below(0x40000000);
			memcpy(image + i, &narrow, 4);
			narrow += (u32)(factor * distance);
			memcpy(want + i, &narrow, 4);
		}
		i += (kind == RELOC_64 ? 8 : 4) +
		     random_below(random_below(500) ? 20 : 20000);
	}
	for (unsigned int kind = 0; kind < RELOC_KINDS; kind++) {
		size_t count = 0, end = 0;

		for (i = 0; i < sizeof(image); i++)
			count += kind_of[i] == kind + 1;
		at = put_number(at, count);
		for (i = 0; i < sizeof(image); i++) {
			if (kind_of[i] != kind + 1)
				continue;
			at = put_number(at, i - end);
			end = i + (kind == RELOC_64 ? 8 : 4);
		}
	}
	CHECK(apply(image, sizeof(image), table, (size_t)(at - table),
		    distance) == 0, "refused");
	CHECK(!memcmp(image, want, sizeof(image)), "other bytes");
	INFO("%u places", places);
}

/* ---- relocate() ---- */

#define LINKED	0x1000000UL
#define VIRTUAL	0xffffffff81000000UL

/*
 * A flat image of 8 bytes, which hold one value to relocate, and the relocation
 * table of 4 bytes after it.
 */
static u8 payload[8 + 4];
static struct payload_header header;

static u64 relocated(u32 flags, u64 phys_addr, u64 virt_addr)
{
	static const u8 table[] = { 1, 0, 0, 0 };
	u64 value;

	memset(payload, 0, 8);
	memcpy(payload + 8, table, sizeof(table));
	header = (struct payload_header){
		.flags = flags, .link_addr = LINKED, .virt_addr = VIRTUAL,
		.file_size = 8, .mem_size = 8, .reloc_size = sizeof(table),
	};
	relocate(payload, &header, phys_addr, virt_addr);
	memcpy(&value, payload, sizeof(value));
	return value;
}

TEST(virtual_or_physical)
{
	const u32 linux_flags = PAYLOAD_LINUX | PAYLOAD_RELOCATABLE |
				PAYLOAD_KASLR;
	const u32 plain_flags = PAYLOAD_RELOCATABLE | PAYLOAD_IDENTITY;
	u64 moved;

	moved = relocated(linux_flags, LINKED, VIRTUAL + 0x600000);
	CHECK(moved == 0x600000, "0x%lx", moved);
	moved = relocated(linux_flags, LINKED + 0x200000, VIRTUAL);
	CHECK(moved == 0, "0x%lx for a physical move", moved);
	moved = relocated(linux_flags, LINKED - 0x200000, VIRTUAL - 0x400000);
	CHECK(moved == -0x400000UL, "0x%lx", moved);
	moved = relocated(plain_flags, LINKED + 0x3000, VIRTUAL);
	CHECK(moved == 0x3000, "0x%lx", moved);
	moved = relocated(plain_flags, LINKED, VIRTUAL + 0x1000);
	CHECK(moved == 0, "0x%lx, identity-mapped where it lies", moved);
}

TEST(no_move_reads_nothing)
{
	header = (struct payload_header){
		.link_addr = LINKED, .virt_addr = VIRTUAL,
		.file_size = ~0UL, .reloc_size = ~0UL,
	};
	relocate(payload, &header, LINKED, VIRTUAL);
	relocate(payload, &header, LINKED + 0x200000, VIRTUAL);
	header.flags = PAYLOAD_IDENTITY;
	relocate(payload, &header, LINKED, VIRTUAL + 0x200000);
	CHECK(true, "read");
}

TEST(bad_table_stops)
{
	header = (struct payload_header){
		.virt_addr = VIRTUAL, .file_size = 7, .reloc_size = 4,
	};
	memcpy(payload + 7, (u8[]){ 1, 0, 0, 0 }, 4);
	EXPECT_ERROR(relocate(payload, &header, LINKED, VIRTUAL + 1),
		     "relocation");
	CHECK(!strcmp(harness_error_detail,
		      "0x7 bytes of payload cannot move, by a table of 0x4 bytes"),
	      "%s", harness_error_detail);
	/*
	 * A payload without a relocation table cannot be moved, so relocate()
	 * must call error().
	 */
	header.reloc_size = 0;
	EXPECT_ERROR(relocate(payload, &header, LINKED, VIRTUAL + 1),
		     "relocation");
}

/*
 * The hypervisor can put an old address of the payload back into memory, so that the
 * offsets in the relocation table lead to bytes of the stub's own image. relocate_image()
 * must refuse a value that overlaps the stub, and must not change it. It must relocate any
 * other value.
 */
TEST(stub_is_not_written)
{
	static const u8 width[] = { 8, 4, 4 };
	u8 image[64], before[64], relocs[5];
	unsigned int kind;
	u64 at;

	stub_start = image + 24;
	stub_end = image + 40;
	for (kind = 0; kind < RELOC_KINDS; kind++) {
		for (at = 0; at + width[kind] <= sizeof(image); at++) {
			bool allowed = at + width[kind] <= 24 || at >= 40;
			size_t size = 0;
			unsigned int k;
			int err;

			memset(image, 0, sizeof(image));
			memcpy(before, image, sizeof(image));
			for (k = 0; k < RELOC_KINDS; k++) {
				relocs[size++] = k == kind;
				if (k == kind)
					relocs[size++] = (u8)at;
			}
			err = relocate_image(image, sizeof(image), relocs, size, 1);
			CHECK(err == (allowed ? 0 : -EINVAL), "kind %u at %lu: %d",
			      kind, at, err);
			CHECK(!memcmp(image, before, sizeof(image)) == !allowed,
			      "kind %u at %lu: bytes", kind, at);
		}
	}
	stub_start = stub_end = NULL;
}
