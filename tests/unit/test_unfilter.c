/* SPDX-License-Identifier: MIT */
/*
 * test_unfilter.c - payload/unfilter.c must undo the filters that mkpayload's
 * tools/filter.c and the model in filter_model.h apply, for any bytes and any ranges.
 */
#include "harness.h"
#include "image.h"

/*
 * The range of memory that unfilter() takes for the stub's own image. No buffer of the
 * test lies in it, unless a case sets it.
 */
static const u8 *stub_start, *stub_end;
#define _text	stub_start
#define _end	stub_end

#include "../../payload/unfilter.c"

#include "../../tools/filter.c"

#include "filter_model.h"

#define ROUNDS		100000
#define SIZE_MAX_TRIED	700
/*
 * Size in bytes of the image in any_branches. It is so large that displacements in the image
 * need all of their four bytes.
 */
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
 * that ASan reports an access after them.
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
	CHECK(unfilter(filtered, &header), "refused%s", "");
	CHECK(!memcmp(filtered, bytes, size), "not undone%s", "");
	model_filters(other, size, list, true);
	CHECK(!memcmp(other, bytes, size), "the model does not undo itself%s", "");
	free(filtered);
	free(other);
}

/*
 * Fills @bytes with random bytes. Frequent among them is what the filters look for: opcodes
 * of branches, short displacements, ascending words, and stored targets, which
 * FILTER_BRANCHES writes in place of displacements.
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
 * Makes branches all over a large image, with displacements of all sizes and with stored
 * targets, which FILTER_BRANCHES writes in place of displacements. Some words then look
 * like a displacement and like a stored target at the same time.
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
			/*
			 * Make a displacement that also looks like a stored target,
			 * which FILTER_BRANCHES writes in place of a displacement.
			 */
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

/*
 * FILTER_BRANCHES must replace the displacements of a call and a jmp to the same place by
 * the same four bytes.
 */
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

/*
 * Every second word of the table holds the distance from the word to a place.
 * FILTER_RELATIVE must replace it by the distance from the previous entry's place to this
 * place. The first entry has no previous one, so FILTER_RELATIVE must replace the distance in
 * it by the place's offset in the image.
 */
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

/*
 * FILTER_FIRST_USES must end at the word that makes its maximum 2^30. Here 4 Mi words, each
 * greater by the largest step (0x100) than the word before, reach this maximum exactly. The
 * filter must not change the words after them, whatever they look like.
 */
TEST(first_uses_maximum)
{
	static const u32 behind[] = {
		0x40000001, 0x40000100, 0x40000101, 0x7fffffff, 0x80000000,
		0x80000001, 0x800000ff, 0x80000100, 0xffffffff, 0, 1,
	};
	const u32 steps = FIRST_USE_MAX / FIRST_USE_REACH;
	const u64 size = steps * sizeof(u32) + sizeof(behind);
	struct filters filters = { {
		{ .size = (u32)size, .kind = FILTER_FIRST_USES, .stride = 4,
		  .columns = 1 },
	} };
	u8 *bytes = xalloc(size);

	for (u32 i = 0; i < steps; i++)
		put_word(bytes + i * sizeof(u32), (i + 1) * FIRST_USE_REACH);
	memcpy(bytes + steps * sizeof(u32), behind, sizeof(behind));
	check_undone(bytes, size, filters.list);
	filters_apply(bytes, size, &filters);
	for (u32 i = 0; i < steps; i++)
		CHECK(get_word(bytes + i * sizeof(u32)) == 0x800000ff,
		      "word %u is 0x%x", i, get_word(bytes + i * sizeof(u32)));
	CHECK(!memcmp(bytes + steps * sizeof(u32), behind, sizeof(behind)),
	      "words after the maximum change%s", "");
	free(bytes);
}

/*
 * branch_is_inside() adds a branch's position and displacement modulo 2^32. Its answer must
 * be that of 64-bit arithmetic for code of any size up to PAYLOAD_MAX_SIZE, 2^31 bytes.
 */
TEST(branches_of_any_size)
{
	random_seed(24);
	for (int i = 0; i < 2000000; i++) {
		u64 size = 1 + random_below(PAYLOAD_MAX_SIZE);
		u64 pos = random_below(size + 1);
		u32 near = (u32)random_below(3) - 1;
		u32 value = (u32)random_u64();
		s64 target;

		switch (random_below(5)) {
		case 0:
			size = PAYLOAD_MAX_SIZE;
			break;
		case 1:
			pos = size;
			value = near ^ (u32)random_below(2) << 31;
			break;
		case 2:
			value = (u32)(size - pos) + near;
			break;
		case 3:
			value = near - (u32)pos;
			break;
		}
		target = (s64)pos + (s32)value;
		CHECK(branch_is_inside(value, pos, size) ==
		      (target >= 0 && target < (s64)size),
		      "0x%x at 0x%lx of 0x%lx", value, pos, size);
	}
}

/*
 * The hypervisor can change the payload's header after the stub has checked it. unfilter()
 * must refuse the filters in refused[]. It must write nothing after the flat image. The
 * buffer has exactly SIZE bytes, so that ASan reports such a write.
 */
TEST(changed_header)
{
#define SIZE	64
	static const struct payload_filter refused[] = {
		{ 60, 8, FILTER_BRANCHES, 0, 0, 0 },
		{ 0, 65, FILTER_FIRST_USES, 4, 1, 0 },
		{ 0, ~0U, FILTER_ASCENDING, 4, 1, 0 },
		{ ~0U, 64, FILTER_RELATIVE, 4, 1, 0 },
		{ ~0U, ~0U, FILTER_FIRST_USES, 4, 1, 0 },
		{ 0, 64, FILTER_RELATIVE, 0, 1, 0 },
		{ 0, 64, FILTER_ASCENDING, 0, 1, 0 },
		{ 0, 64, FILTER_KINDS, 4, 1, 0 },
		{ 0, 64, 255, 4, 1, 0 },
	};
	/*
	 * In these filters an entry of the table, a word or a displacement would reach
	 * beyond the range. unfilter() may change bytes in the range, but no byte outside
	 * of it.
	 */
	static const struct payload_filter bounded[] = {
		{ 32, 32, FILTER_RELATIVE, 4, 255, 0 },
		{ 32, 30, FILTER_ASCENDING, 1, 255, 0 },
		{ 61, 3, FILTER_RELATIVE, 4, 1, 0 },
		{ 62, 2, FILTER_FIRST_USES, 0, 0, 9 },
		{ 64, 0, FILTER_ASCENDING, 4, 1, 0 },
		{ 62, 2, FILTER_BRANCHES, 4, 1, 0 },
		{ 33, 30, FILTER_FIRST_USES, 4, 1, 0 },
	};
	u8 *image = xalloc(SIZE), *before = xalloc(SIZE);

	for (u32 i = 0; i < SIZE; i++)
		before[i] = image[i] = (u8)(i % 4 == 0 ? 0xe8 : i % 4 == 3 ? 0x80 : 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct payload_header p = { .file_size = SIZE, .filter = { refused[i] } };

		CHECK(!unfilter(image, &p), "filter %zu is undone", i);
		CHECK(!memcmp(image, before, SIZE), "filter %zu: other bytes", i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bounded); i++) {
		struct payload_header p = { .file_size = SIZE, .filter = { bounded[i] } };
		u64 end = bounded[i].start + bounded[i].size;

		CHECK(unfilter(image, &p), "filter %zu is refused", i);
		CHECK(!memcmp(image, before, bounded[i].start) &&
		      !memcmp(image + end, before + end, SIZE - end),
		      "filter %zu: bytes outside of its range", i);
		memcpy(image, before, SIZE);
	}
	free(image);
	free(before);
#undef SIZE
}

/*
 * The hypervisor can change the size of the flat image in the payload header. The payload
 * may end where the stub begins, or begin where the stub ends, but share no byte with it.
 */
TEST(stub_in_the_way)
{
	static u8 memory[4096];
	struct payload_header p = {
		.filter = { { .size = 64, .kind = FILTER_BRANCHES } },
	};
	u8 *image = memory + 1024;
	static const struct {
		/* Offsets of the stub's first byte and of its end from the start of @image. */
		int start, end;
		u64 size;		/* of the flat image */
		bool allowed;
	} cases[] = {
		{ 64, 128, 64, true }, { 64, 128, 65, false },
		{ 63, 128, 64, false }, { -64, 0, 1024, true },
		{ -64, 1, 64, false }, { 0, 64, 64, false },
		{ 128, 256, 1024, false }, { 128, 256, PAYLOAD_MAX_SIZE, false },
		{ -64, 0, PAYLOAD_MAX_SIZE, true },
		{ -64, 0, PAYLOAD_MAX_SIZE + 1, false },
		{ 128, 256, ~0UL, false }, { -64, 0, ~0UL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		stub_start = image + cases[i].start;
		stub_end = image + cases[i].end;
		p.file_size = cases[i].size;
		CHECK(unfilter(image, &p) == cases[i].allowed, "case %zu", i);
	}
	stub_start = stub_end = NULL;
}

/*
 * Appends @count words to @bytes at offset *@at, and moves *@at after them. The first word
 * is *@value plus @step, each further word the previous word plus @step. Stores the last
 * word in *@value.
 */
static void add_words(u8 *bytes, u64 *at, u32 *value, u32 count, u32 step)
{
	for (; count; count--, *at += sizeof(u32))
		put_word(bytes + *at, *value += step);
}

/*
 * Makes words and returns the size in bytes of the run that find_run() finds in them.
 * find_run() raises a run's score at a small step between two words and lowers it at a
 * large step, and ends the run when the score has stayed low for too many words. The first
 * 3,001 words raise the score, 250 words lower it, and @hovers times 9 words keep it low. The
 * last 4,000 words raise it to a new maximum, if find_run() has not ended the run before them.
 * Stores the number of bytes made in *@size.
 */
static u32 run_found(u32 hovers, u64 *size)
{
	struct payload_filter f = { .kind = FILTER_ASCENDING, .stride = 4, .columns = 1 };
	u8 *bytes = xalloc(0x40000);
	u32 value = 0;

	*size = 0;
	add_words(bytes, size, &value, 3001, 1);
	add_words(bytes, size, &value, 250, 0x10000000);
	while (hovers--) {
		add_words(bytes, size, &value, 8, 1);
		add_words(bytes, size, &value, 1, 0x10000000);
	}
	add_words(bytes, size, &value, 4000, 1);
	find_run(bytes, 0, *size, &f);
	CHECK(f.start == 0, "starts at %u", f.start);
	free(bytes);
	return f.size;
}

/*
 * In the words that run_found() makes, the run's score rises for 3,001 words, is low for some
 * words, and then rises to a new maximum. find_run() must read only a bounded number of words
 * after a maximum. If the score is low for 1,150 words, find_run() must find all words. If the
 * score is low for 11,050 words, find_run() must find only the first 3,001 words.
 */
TEST(run_reach)
{
	u64 size;
	u32 found = run_found(100, &size);

	CHECK(found == size, "%u of %lu bytes", found, size);
	found = run_found(1200, &size);
	CHECK(found == 3001 * 4, "%u bytes, not the first 3,001 words", found);
}
