/* SPDX-License-Identifier: MIT */
/*
 * filter-check.c - checks what the payload header says about filters. unfilter() checks
 * again only what keeps it from writing outside of the flat image.
 *
 * Called by check_payload_header(), under EFI before ExitBootServices. This code reads
 * nothing but the copy of the header. It must not use .bss, which is not cleared yet.
 */
#include "payload-check.h"

/*
 * Returns true if the stride, the columns and the size of @f are possible for its kind,
 * which must not be FILTER_UNUSED.
 */
static bool has_known_shape(const struct payload_filter *f)
{
	u32 words = 32 - (u32)__builtin_clz(f->columns | 1U);

	switch (f->kind) {
	case FILTER_BRANCHES:
		return !f->stride && !f->columns && !f->reserved;
	case FILTER_FIRST_USES:
		/*
		 * An entry is one word, so columns must be 1. That needs no
		 * check here: the last one of this function refuses more
		 * columns, because two words do not fit into this stride.
		 */
		if (f->stride != FILTER_WORD)
			return false;
		break;
	case FILTER_RELATIVE:
	case FILTER_ASCENDING:
		break;
	default:
		return false;
	}
	return f->columns && words * FILTER_WORD <= f->stride &&
	       !(f->size % f->stride) && !f->reserved;
}

static bool is_unused(const struct payload_filter *f)
{
	return !f->start && !f->size && !f->kind && !f->stride && !f->columns &&
	       !f->reserved;
}

bool check_filters(const struct payload_header *p, struct refusal *why)
{
	u64 end = 0;
	u32 i;

	for (i = 0; i < PAYLOAD_FILTERS; i++) {
		const struct payload_filter *f = &p->filter[i];

		if (is_unused(f)) {
			/* Only unused elements may follow. */
			end = p->file_size;
			continue;
		}
		if (f->start < end || f->start >= p->file_size || !f->size ||
		    f->size > p->file_size - f->start)
			return refuse_payload(why, "payload filter",
					      "range %lu, 0x%lx bytes at 0x%lx, is out of order or outside of the payload",
					      i, f->size, f->start);
		if (!has_known_shape(f))
			return refuse_payload(why, "payload filter",
					      "range %lu has kind %lu with entries of %lu bytes, which this stub does not know",
					      i, f->kind, f->stride);
		end = (u64)f->start + f->size;
	}
	return true;
}
