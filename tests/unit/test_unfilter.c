/* SPDX-License-Identifier: MIT */
/*
 * test_unfilter.c - payload/unfilter.c undoes what mkpayload's tools/filter.c and the
 * model of filter_model.h do, for any bytes and any ranges.
 */
#include "harness.h"

#include "../../payload/unfilter.c"

#include "../../tools/filter.c"

#include "filter_model.h"

#define ROUNDS		100000
#define SIZE_MAX_TRIED	700
/* Bytes of the image of any_branches, in which displacements need up to 27 bits. */
#define LARGE		(96UL << 20)

void die(const char *fmt, ...)
{
	fprintf(stderr, "%s\n", fmt);
	exit(1);
}

void *xalloc(size_t size)
{
	void *p = calloc(1, size);

	CHECK(p, "out of memory%s", "");
	return p;
}

/*
 * Checks that mkpayload and the model filter the @size bytes at @bytes in the same way,
 * and that unfilter() and the model restore them. The copies have exactly @size bytes, so
 * that ASan reports an access behind them.
 */
static void check_undone(const u8 *bytes, u64 size, const struct payload_filter *list)
{
	struct payload_header header = { .file_size = size };
	struct filters filters;
	u8 *filtered = xalloc(size), *other = xalloc(size);

	memcpy(header.filter, list, sizeof(header.filter));
	memcpy(filters.list, list, sizeof(filters.list));
	memcpy(filtered, bytes, size);
	memcpy(other, bytes, size);
	filters_apply(filtered, size, &filters);
	model_filters(other, size, list, false);
	CHECK(!memcmp(filtered, other, size), "mkpayload and the model differ%s", "");
	unfilter(filtered, &header);
	CHECK(!memcmp(filtered, bytes, size), "not undone%s", "");
	model_filters(other, size, list, true);
	CHECK(!memcmp(other, bytes, size), "the model does not undo itself%s", "");
	free(filtered);
	free(other);
}

/*
 * Fills @bytes with random bytes, among which opcodes, stored targets, short displacements
 * and ascending words are frequent.
 */
static void random_bytes(u8 *bytes, u64 size)
{
	static const u8 likely[] = { 0xe8, 0xe9, 0, 0, 0xff, 0x60, 0x80, 1 };
	u32 word = 0;

	for (u64 i = 0; i < size; i++) {
		bytes[i] = random_below(2) ? likely[random_below(sizeof(likely))] :
			   (u8)random_u64();
		if (i % 4 == 0 && i + 4 <= size && random_below(4) == 0) {
			word += (u32)random_below(300);
			memcpy(bytes + i, &word, sizeof(word));
			i += 3;
		}
	}
}

TEST(any_bytes)
{
	static u8 bytes[SIZE_MAX_TRIED];
	struct payload_filter list[PAYLOAD_FILTERS];

	random_seed(22);
	for (int round = 0; round < ROUNDS; round++) {
		u64 size = 1 + random_below(SIZE_MAX_TRIED), at = 0;
		int n = 0;

		memset(list, 0, sizeof(list));
		random_bytes(bytes, size);
		while (at < size && n < PAYLOAD_FILTERS) {
			at = model_element(&list[n], at, size, random_u64(),
					   random_u64(), random_u64());
			n += list[n].size != 0;
			at += 1 + random_below(8);
		}
		check_undone(bytes, size, list);
	}
}

/*
 * Displacements and targets of all sizes, at places all over a large image, so that
 * words that look like both occur.
 */
TEST(any_branches)
{
	struct payload_filter list[PAYLOAD_FILTERS] = {
		{ .size = LARGE, .kind = FILTER_BRANCHES },
	};
	u8 *bytes = xalloc(LARGE);
	u64 both = 0;

	random_seed(23);
	for (int i = 0; i < 400000; i++) {
		u64 at = random_below(LARGE - 16);
		u32 target = (u32)random_below(LARGE);
		u32 value = target - (u32)(at + 5);

		switch (random_below(4)) {
		case 0:
			value = __builtin_bswap32(BRANCH_BASE + target);
			break;
		case 1:
			/* Make a displacement that also looks like a stored target. */
			value = (value & ~0xffU) | (BRANCH_BASE >> 24) |
				(u32)random_below(5);
			break;
		case 2:
			value = (u32)random_u64();
			break;
		}
		both += branch_is_inside(value, at + 5, LARGE) &&
			branch_is_target(value, LARGE);
		bytes[at] = random_below(2) ? 0xe8 : 0xe9;
		memcpy(bytes + at + 1, &value, sizeof(value));
	}
	check_undone(bytes, LARGE, list);
	free(bytes);
	CHECK(both > 1000, "only %lu words are both", both);
}

/* A call and a jmp to the same place get the same four bytes. */
TEST(branches_by_hand)
{
	static const u8 code[] = {
		0xe8, 0x0b, 0, 0, 0,		/* to 16 */
		0x90,
		0xe9, 0x05, 0, 0, 0,		/* to 16 */
		0xe8, 0, 0, 0, 0x70,		/* outside */
		0xe9, 0xeb, 0xff, 0xff, 0xff,	/* to 0 */
	};
	static const u8 want[] = {
		0xe8, 0x60, 0, 0, 0x10,
		0x90,
		0xe9, 0x60, 0, 0, 0x10,
		0xe8, 0, 0, 0, 0x70,
		0xe9, 0x60, 0, 0, 0,
	};
	struct filters filters = { {
		{ .size = sizeof(code), .kind = FILTER_BRANCHES },
	} };
	u8 bytes[sizeof(code)];

	memcpy(bytes, code, sizeof(code));
	filters_apply(bytes, sizeof(bytes), &filters);
	CHECK(!memcmp(bytes, want, sizeof(want)), "other bytes%s", "");
	check_undone(code, sizeof(code), filters.list);
}

/* The words of a table of self-relative addresses become differences. */
TEST(table_by_hand)
{
	static const u32 table[] = { 100, 7, 98, 8, 96, 9 };
	static const u32 want[] = { 104, 7, 6, 8, 6, 9 };
	struct filters filters = { {
		{ .start = 4, .size = sizeof(table), .kind = FILTER_RELATIVE,
		  .stride = 8, .columns = 1 },
	} };
	u8 bytes[4 + sizeof(table)] = { 0 };

	memcpy(bytes + 4, table, sizeof(table));
	check_undone(bytes, sizeof(bytes), filters.list);
	filters_apply(bytes, sizeof(bytes), &filters);
	CHECK(!memcmp(bytes + 4, want, sizeof(want)), "other words%s", "");
}
