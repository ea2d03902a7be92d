/* SPDX-License-Identifier: MIT */
/*
 * fuzz_unfilter.c - libFuzzer target for the filters of a payload: any bytes, and any
 * list of filters.
 *
 * check_filters() must accept exactly the lists that payload.h allows. If it accepts a
 * list, unfilter() must change the bytes as the model in filter_model.h does, must undo
 * the model's filters, and must not change a byte outside of the list's ranges.
 */
#include "harness.h"
#include "image.h"

/* The stub's own image, which unfilter() must not write to. */
static const u8 stub_image[1];
#define _text	stub_image
#define _end	(stub_image + 1)

#include "../../payload/filter-check.c"
#include "../../payload/unfilter.c"

#include "filter_model.h"
#include "fuzz.h"

#define IMAGE_SIZE	2048

/*
 * Returns whether payload.h allows element @f in a flat image of @size bytes, if the range
 * of the element before @f ends at offset @end.
 */
static bool is_allowed(const struct payload_filter *f, u64 end, u64 size)
{
	u64 words = 0;

	if ((u64)f->start + f->size > size || f->start < end || !f->size || f->reserved)
		return false;
	if (f->kind == FILTER_BRANCHES)
		return f->stride == 0 && f->columns == 0;
	if (f->kind == FILTER_FIRST_USES)
		return f->stride == 4 && f->columns == 1 && f->size % 4 == 0;
	if (f->kind != FILTER_RELATIVE && f->kind != FILTER_ASCENDING)
		return false;
	for (u64 i = 0; i < 8; i++) {
		if (f->columns & 1 << i)
			words = i + 1;
	}
	return words && f->stride >= 4 * words && f->size % f->stride == 0;
}

static bool all_allowed(const struct payload_header *p)
{
	static const struct payload_filter unused;
	bool ended = false;
	u64 end = 0;

	for (int i = 0; i < PAYLOAD_FILTERS; i++) {
		const struct payload_filter *f = &p->filter[i];

		if (!memcmp(f, &unused, sizeof(*f))) {
			ended = true;
			continue;
		}
		if (ended || !is_allowed(f, end, p->file_size))
			return false;
		end = (u64)f->start + f->size;
	}
	return true;
}

/*
 * Fills @p->filter with valid filters. Then changes up to two bytes of the list, if the
 * fuzzer's input demands it, which makes most lists invalid.
 */
static void take_filters(struct input *in, struct payload_header *p)
{
	u8 *bytes = (u8 *)p->filter;
	u8 count = take_u8(in) % (PAYLOAD_FILTERS + 1), changes = take_u8(in) % 4;
	u64 at = take_u8(in) % 64;
	int n = 0;

	while (n < count && at < p->file_size) {
		u64 kind = take_u8(in), shape = take_u16(in), length = take_u16(in);

		at = model_element(&p->filter[n], at, p->file_size, kind, shape,
				   length % 512);
		n += p->filter[n].size != 0;
		at += take_u8(in) % 8;
	}
	while (changes-- > 1) {
		u16 where = take_u16(in) % sizeof(p->filter);

		bytes[where] = take_u8(in);
	}
}

/* Checks that only bytes in the ranges of @p differ between @a and @b. */
static void check_outside(const u8 *a, const u8 *b, const struct payload_header *p)
{
	for (u64 i = 0; i < p->file_size; i++) {
		bool inside = false;

		for (int n = 0; n < PAYLOAD_FILTERS; n++)
			inside |= i - p->filter[n].start < p->filter[n].size;
		CHECK(inside || a[i] == b[i], "byte %lu is outside of all ranges", i);
	}
}

static void fuzz_one(struct input *in)
{
	struct payload_header p = { .file_size = 1 + take_u16(in) % IMAGE_SIZE };
	/* Each buffer has the image's size, so that ASan reports an access after it. */
	u8 *bytes = calloc(1, p.file_size), *ours = malloc(p.file_size);
	u8 *theirs = malloc(p.file_size);
	struct refusal why;
	bool good;

	take_filters(in, &p);
	memcpy(bytes, in->data, in->size < p.file_size ? in->size : p.file_size);
	good = check_filters(&p, &why);
	CHECK(good == all_allowed(&p), "%s a list, wrongly", good ? "accepts" : "refuses");
	memcpy(ours, bytes, p.file_size);
	/*
	 * unfilter() must be safe for a refused list, too, because the hypervisor can
	 * change the list after its check.
	 */
	if (!good) {
		unfilter(ours, &p);
	} else {
		memcpy(theirs, bytes, p.file_size);
		CHECK(unfilter(ours, &p), "a good list is not undone%s", "");
		model_filters(theirs, p.file_size, p.filter, true);
		CHECK(!memcmp(ours, theirs, p.file_size), "other bytes%s", "");
		check_outside(ours, bytes, &p);
		model_filters(theirs, p.file_size, p.filter, false);
		CHECK(!memcmp(theirs, bytes, p.file_size), "no exchange%s", "");
		model_filters(ours, p.file_size, p.filter, false);
		CHECK(unfilter(ours, &p), "a good list is not undone%s", "");
		model_filters(theirs, p.file_size, p.filter, true);
		CHECK(!memcmp(ours, theirs, p.file_size), "not undone%s", "");
	}
	free(bytes);
	free(ours);
	free(theirs);
}
