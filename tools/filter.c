/* SPDX-License-Identifier: MIT */
/*
 * filter.c - chooses parts of the flat image that compress badly, and rewrites them so
 * that they compress better (payload.h, "enum filter_kind"). The stub undoes this
 * (payload/unfilter.c).
 *
 * zstd and lz4 save bytes where a sequence of bytes occurs again. A function that is
 * called from a thousand places has a thousand displacements, but one address. Ascending
 * addresses in a table are all different, but their differences are small numbers.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "mkpayload.h"

#define COLUMNS_MAX		8	/* bits of payload_filter.columns */

/* The magic number of .BTF and the first fields of struct btf_header (Linux, btf.rst). */
#define BTF_MAGIC		0xeb9fU
struct btf_header {
	u16 magic;
	u8 version, flags;
	u32 hdr_len, type_off, type_len;
};

/* A range is filtered only if its compressed form shrinks by this many bytes or more. */
#define GAIN_MIN		64
/*
 * zstd's levels for measuring what a filter saves. Ranges of more than TRIAL_LARGE bytes
 * are compressed at TRIAL_LEVEL_LARGE, because TRIAL_LEVEL would take too long.
 */
#define TRIAL_LEVEL		12
#define TRIAL_LEVEL_LARGE	3
#define TRIAL_LARGE		(4 * MIB)

static u32 get_word(const u8 *at)
{
	u32 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void put_word(u8 *at, u32 value)
{
	memcpy(at, &value, sizeof(value));
}

/* ---- the filters ---- */

/*
 * Applies FILTER_BRANCHES to the four bytes that end at offset @pos. Replaces a displacement
 * that leads into the image by its target, in the form that branch_to_target() defines. If any
 * other number happens to have the form of a target, replaces it by one that does not, because
 * the stub takes every number of this form for a target. undo_branch() in payload/unfilter.c
 * explains how the stub undoes both changes.
 */
static void apply_branch(u8 *bytes, u64 file_size, u64 pos)
{
	u8 *place = bytes + pos - FILTER_WORD;
	u32 value = get_word(place);

	if (branch_is_inside(value, pos, file_size)) {
		value = branch_to_target(value, pos);
	} else {
		while (branch_is_target(value, file_size))
			value = branch_from_target(value, pos);
	}
	put_word(place, value);
}

/*
 * Applies FILTER_BRANCHES to [@start, @end), from the last opcode to the first one, because
 * the stub undoes the changes in the opposite order.
 */
static void apply_branches(u8 *bytes, u64 file_size, u64 start, u64 end)
{
	u64 at = end;

	while (at-- > start) {
		if (end - at >= BRANCH_SIZE &&
		    (bytes[at] == BRANCH_CALL || bytes[at] == BRANCH_JMP))
			apply_branch(bytes, file_size, at + BRANCH_SIZE);
	}
}

static void apply_table(u8 *bytes, const struct payload_filter *f)
{
	u32 last[COLUMNS_MAX] = { 0 };
	u64 end = (u64)f->start + f->size;

	for (u64 entry = f->start; entry < end; entry += f->stride) {
		for (u32 i = 0; i < COLUMNS_MAX; i++) {
			u64 at = entry + (u64)i * FILTER_WORD;
			u32 value;

			if (!(f->columns >> i & 1))
				continue;
			value = get_word(bytes + at);
			if (f->kind == FILTER_RELATIVE)
				value += at;
			put_word(bytes + at, value - last[i]);
			last[i] = value;
		}
	}
}

static void apply_first_uses(u8 *bytes, const struct payload_filter *f)
{
	u64 end = (u64)f->start + f->size;
	u32 largest = 0;

	for (u64 at = f->start; at < end && largest < FIRST_USE_MAX;
	     at += FILTER_WORD) {
		u32 value = get_word(bytes + at);

		if (value - largest - 1 < FIRST_USE_REACH) {
			put_word(bytes + at, FIRST_USE + (value - largest - 1));
			largest = value;
		} else if (value - FIRST_USE < FIRST_USE_REACH) {
			put_word(bytes + at, largest + 1 + (value - FIRST_USE));
		}
	}
}

static void apply_filter(u8 *bytes, u64 file_size, const struct payload_filter *f)
{
	switch (f->kind) {
	case FILTER_BRANCHES:
		apply_branches(bytes, file_size, f->start, (u64)f->start + f->size);
		break;
	case FILTER_RELATIVE:
	case FILTER_ASCENDING:
		apply_table(bytes, f);
		break;
	case FILTER_FIRST_USES:
		apply_first_uses(bytes, f);
		break;
	}
}

void filters_apply(u8 *bytes, u64 file_size, const struct filters *filters)
{
	for (int i = 0; i < PAYLOAD_FILTERS; i++)
		apply_filter(bytes, file_size, &filters->list[i]);
}

/* ---- the choice: what a filter gains ---- */

/* A filter, and the compressed bytes that it saves in its own range. */
struct candidate {
	struct payload_filter filter;
	u64 gain;
};

/*
 * The choice so far: candidates that do not overlap. @room is the number of elements
 * allocated. @scratch and @taken have as many bytes as the flat image. A byte of @taken is
 * 1 if the range of a chosen filter contains this byte of the flat image, and 0 if not.
 */
struct choice {
	const struct image *image;
	ZSTD_CCtx *cctx;
	u8 *scratch, *taken;
	struct blob out;
	struct candidate *chosen;
	size_t count, room;
};

static u64 compressed(struct choice *c, const u8 *bytes, u64 size)
{
	size_t ret = ZSTD_compressCCtx(c->cctx, c->out.data, c->out.size, bytes,
				       size, size > TRIAL_LARGE ?
				       TRIAL_LEVEL_LARGE : TRIAL_LEVEL);

	if (ZSTD_isError(ret))
		die("zstd: %s", ZSTD_getErrorName(ret));
	return ret;
}

/*
 * Returns by how many bytes the compressed form of @f's range shrinks if @f is used, or 0
 * if it shrinks by less than GAIN_MIN.
 */
static u64 gain_of(struct choice *c, const struct payload_filter *f)
{
	const u8 *plain = c->image->bytes.data + f->start;
	u64 before, after;

	memcpy(c->scratch + f->start, plain, f->size);
	apply_filter(c->scratch, c->image->file_size, f);
	before = compressed(c, plain, f->size);
	after = compressed(c, c->scratch + f->start, f->size);
	return before >= after + GAIN_MIN ? before - after : 0;
}

/* Adds @f to the choice, unless @gain is 0 or @f overlaps a filter that is chosen. */
static void choose(struct choice *c, const struct payload_filter *f, u64 gain)
{
	if (!gain || memchr(c->taken + f->start, 1, f->size))
		return;
	memset(c->taken + f->start, 1, f->size);
	if (c->count == c->room) {
		c->room *= 2;
		c->chosen = realloc(c->chosen, c->room * sizeof(*c->chosen));
		if (!c->chosen)
			die("out of memory");
	}
	c->chosen[c->count++] = (struct candidate){ *f, gain };
}

/* ---- the choice: sections ---- */

/*
 * Linux's tables, by section name, and the form of an entry. The form depends on the
 * kernel's version and configuration. If a name has several rows, mkpayload tries all of
 * them and takes the row that saves most.
 */
static const struct table {
	const char *name;
	u8 kind, stride, columns;
} tables[] = {
	{ ".orc_unwind_ip", FILTER_RELATIVE, 4, 1 },
	{ ".call_sites", FILTER_RELATIVE, 4, 1 },
	{ ".return_sites", FILTER_RELATIVE, 4, 1 },
	{ ".retpoline_sites", FILTER_RELATIVE, 4, 1 },
	{ ".ibt_endbr_seal", FILTER_RELATIVE, 4, 1 },
	{ ".smp_locks", FILTER_RELATIVE, 4, 1 },
	{ "__ksymtab", FILTER_RELATIVE, 12, 7 },
	{ "__ksymtab_gpl", FILTER_RELATIVE, 12, 7 },
	{ "__ex_table", FILTER_RELATIVE, 12, 3 },
	{ "__bug_table", FILTER_RELATIVE, 12, 3 },
	{ "__bug_table", FILTER_RELATIVE, 16, 7 },
	{ ".altinstructions", FILTER_RELATIVE, 12, 3 },
	{ ".altinstructions", FILTER_RELATIVE, 13, 3 },
	{ ".altinstructions", FILTER_RELATIVE, 14, 3 },
	{ ".parainstructions", FILTER_ASCENDING, 16, 1 },
};

static void try_tables(struct choice *c, const struct section *s)
{
	struct payload_filter best = { 0 };
	u64 best_gain = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct table *t = &tables[i];
		struct payload_filter f = {
			.start = s->start, .size = s->size - s->size % t->stride,
			.kind = t->kind, .stride = t->stride,
			.columns = t->columns,
		};
		u64 gain;

		if (strcmp(t->name, s->name) || !f.size)
			continue;
		gain = gain_of(c, &f);
		if (gain > best_gain) {
			best = f;
			best_gain = gain;
		}
	}
	choose(c, &best, best_gain);
}

static void try_code(struct choice *c, const struct section *s)
{
	struct payload_filter f = {
		.start = s->start, .size = s->size, .kind = FILTER_BRANCHES,
	};

	choose(c, &f, gain_of(c, &f));
}

/*
 * Tries FILTER_FIRST_USES for the types in .BTF, Linux's section of type information. A type
 * holds the offset of its name. A name that is used for the first time has the next offset above
 * all offsets that were used before it.
 */
static void try_btf(struct choice *c, const struct section *s)
{
	struct payload_filter f = {
		.kind = FILTER_FIRST_USES, .stride = FILTER_WORD, .columns = 1,
	};
	struct btf_header header;
	u64 start;

	if (s->size < sizeof(header))
		return;
	memcpy(&header, c->image->bytes.data + s->start, sizeof(header));
	start = (u64)header.hdr_len + header.type_off;
	if (header.magic != BTF_MAGIC || start > s->size ||
	    header.type_len > s->size - start || header.type_len < FILTER_WORD)
		return;
	f.start = s->start + start;
	f.size = header.type_len - header.type_len % FILTER_WORD;
	choose(c, &f, gain_of(c, &f));
}

/* ---- choosing ranges for a filter: ascending numbers at any place of the image ---- */

/*
 * A run is a sequence of numbers in one direction: the numbers ascend, or they descend, by at most
 * RUN_STEP from one to the next. A pair of neighbours that keeps this rule adds 1 to the run's
 * score, and a pair that breaks it subtracts RUN_PENALTY. A pair of equal numbers is skipped:
 * equal numbers compress well without a filter. Once the score has fallen by RUN_PATIENCE, the
 * search stops, and the run ends where its score was highest. A run whose highest score is below
 * RUN_MIN is ignored.
 *
 * The search also stops RUN_REACH pairs, without those of equal numbers, after the highest
 * score. The next search begins where the score was highest, and reads these numbers again.
 * Without this limit, a score that stays about the same would make each search read the rest of
 * the image.
 */
#define RUN_STEP		0x100000L
#define RUN_PENALTY		8
#define RUN_PATIENCE		2048
#define RUN_MIN			512
#define RUN_REACH		4096

/*
 * The kinds of runs, rows of numbers in the image, for which the filter searches: what the
 * numbers are, and their size in bytes. Each number is aligned to its size.
 */
static const struct {
	u8 kind, stride;
} run_shapes[] = {
	{ FILTER_RELATIVE, 4 }, { FILTER_ASCENDING, 4 }, { FILTER_ASCENDING, 8 },
};

/*
 * Returns the number at offset @at, sign-extended to 64 bits. For FILTER_RELATIVE the
 * number is the offset to which the word at @at points.
 */
static u64 number_at(const u8 *bytes, u64 at, const struct payload_filter *f)
{
	u64 value;

	if (f->stride == sizeof(value)) {
		memcpy(&value, bytes + at, sizeof(value));
		return value;
	}
	value = (u64)(s64)(s32)get_word(bytes + at);
	return f->kind == FILTER_RELATIVE ? value + at : value;
}

/*
 * Finds the first run of numbers of @f's kind and stride in [@at, @end), and sets the
 * range of @f to the run. Returns the offset after the run, or @end and an empty range if
 * there is no run.
 */
static u64 find_run(const u8 *bytes, u64 at, u64 end, struct payload_filter *f)
{
	u64 stride = f->stride, start = at, stop = at;
	s64 score = 0, best = 0, direction = 0;
	/* The number of pairs of different numbers since the score was @best. */
	u32 behind = 0;

	f->size = 0;
	for (; at + 2 * stride <= end; at += stride) {
		s64 step = (s64)(number_at(bytes, at + stride, f) -
				 number_at(bytes, at, f));
		bool same = !memcmp(bytes + at, bytes + at + stride, stride);

		/*
		 * Equal numbers, such as zeros, compress well without a filter, so they
		 * do not change the score of a run.
		 */
		if (same && score)
			continue;
		if (!same && step && step <= RUN_STEP && step >= -RUN_STEP &&
		    (score < RUN_MIN || (step < 0) == (direction < 0))) {
			direction += step < 0 ? -1 : 1;
			score++;
		} else {
			score -= RUN_PENALTY;
		}
		behind++;
		if (score > best) {
			best = score;
			stop = at + 2 * stride;
			behind = 0;
		}
		if (score > 0 && score > best - RUN_PATIENCE && behind < RUN_REACH)
			continue;
		if (best >= RUN_MIN)
			break;
		start = at + stride;
		score = best = direction = 0;
		behind = 0;
	}
	if (best < RUN_MIN)
		return end;
	f->start = start;
	f->size = stop - start;
	return stop;
}

/*
 * Chooses FILTER_RELATIVE or FILTER_ASCENDING for the run @f, whichever saves more. Both
 * have to be tried: in most runs the words ascend as they are, and also after the word's own
 * offset has been added to each word, as FILTER_RELATIVE does.
 */
static void choose_kind(struct choice *c, const struct payload_filter *f)
{
	struct payload_filter other = *f;
	u64 gain = gain_of(c, f), other_gain;

	other.kind = f->kind == FILTER_RELATIVE ? FILTER_ASCENDING : FILTER_RELATIVE;
	other_gain = gain_of(c, &other);
	choose(c, gain >= other_gain ? f : &other,
	       gain >= other_gain ? gain : other_gain);
}

/*
 * Searches the offsets [@at, @end) for runs of each kind in run_shapes[], which are sequences of
 * ascending or descending numbers. Chooses a filter for each run if it saves bytes. The caller
 * passes only offsets for which no filter has been chosen yet.
 */
static void try_runs(struct choice *c, u64 at, u64 end)
{
	const u8 *bytes = c->image->bytes.data;

	for (size_t i = 0; i < ARRAY_SIZE(run_shapes); i++) {
		u64 next = ALIGN_UP(at, (u64)run_shapes[i].stride);

		while (next < end) {
			struct payload_filter f = {
				.kind = run_shapes[i].kind,
				.stride = run_shapes[i].stride, .columns = 1,
			};

			next = find_run(bytes, next, end, &f);
			if (f.size)
				choose_kind(c, &f);
		}
	}
}

/* ---- the choice ---- */

/*
 * Orders filters by the start of their ranges, for qsort(). Ranges of chosen filters do not
 * overlap, so no two of them have the same start.
 */
static int compare_place(const void *a, const void *b)
{
	u64 left = ((const struct candidate *)a)->filter.start;
	u64 right = ((const struct candidate *)b)->filter.start;

	return (left > right) - (left < right);
}

/*
 * Orders filters from the highest gain to the lowest, for qsort(). Orders equal gains by start,
 * so that the result does not depend on the C library's algorithm.
 */
static int compare_gain(const void *a, const void *b)
{
	u64 left = ((const struct candidate *)a)->gain;
	u64 right = ((const struct candidate *)b)->gain;

	return left == right ? compare_place(a, b) : left < right ? 1 : -1;
}

struct filters filters_choose(const struct image *image)
{
	struct choice c = {
		.image = image, .cctx = ZSTD_createCCtx(),
		.scratch = xalloc(image->file_size),
		.taken = xalloc(image->file_size),
		.out.size = ZSTD_compressBound(image->file_size),
		.chosen = xalloc(PAYLOAD_FILTERS * sizeof(*c.chosen)),
		.room = PAYLOAD_FILTERS,
	};
	struct filters filters = { 0 };
	size_t named;
	u64 at = 0;

	if (!c.cctx)
		die("out of memory");
	c.out.data = xalloc(c.out.size);
	for (size_t i = 0; i < image->sections.count; i++) {
		const struct section *s = &image->sections.list[i];

		if (s->code)
			try_code(&c, s);
		else if (!strcmp(s->name, ".BTF"))
			try_btf(&c, s);
		else
			try_tables(&c, s);
	}
	named = c.count;
	for (size_t i = 0; i <= named; i++) {
		u64 end = i < named ? c.chosen[i].filter.start : image->file_size;

		try_runs(&c, at, end);
		if (i < named)
			at = end + c.chosen[i].filter.size;
	}

	qsort(c.chosen, c.count, sizeof(*c.chosen), compare_gain);
	if (c.count > PAYLOAD_FILTERS)
		c.count = PAYLOAD_FILTERS;
	qsort(c.chosen, c.count, sizeof(*c.chosen), compare_place);
	for (size_t i = 0; i < c.count; i++)
		filters.list[i] = c.chosen[i].filter;

	ZSTD_freeCCtx(c.cctx);
	free(c.out.data);
	free(c.scratch);
	free(c.taken);
	free(c.chosen);
	return filters;
}
