/* SPDX-License-Identifier: MIT */
/*
 * payload-check.h - checks that the payload in this image is undamaged and
 * belongs to this image (payload/payload-check.c).
 */
#ifndef PAYLOAD_CHECK_H
#define PAYLOAD_CHECK_H

#include "payload.h"
#include "types.h"

/*
 * Why a payload is refused. @what and @detail are the first two arguments of
 * error(). @detail is a format that prints up to three numbers, which are in
 * @value.
 */
struct refusal {
	const char *what, *detail;
	u64 value[3];
};

/*
 * Fills @why. A check that fails returns the result of this function, which is false.
 * Not inlined, because a call is less code than the stores to @why.
 */
static maybe_unused noinline bool
refuse_payload(struct refusal *why, const char *what, const char *detail, u64 first,
	       u64 second, u64 third)
{
	*why = (struct refusal){ what, detail, { first, second, third } };
	return false;
}

/*
 * Copies the payload's header to @p and checks it: magic number, version and
 * digest; that it belongs to this image; that each size and flag is within its
 * limits; and that each filter has a known kind and a range of its own in the flat
 * image. If it returns true, later code need not check @p again.
 * Returns false and fills @why if the payload is refused.
 */
bool check_payload_header(struct payload_header *p, struct refusal *why);

/*
 * Checks that the filters of @p have known kinds, and that their ranges lie in the flat
 * image of @p->file_size bytes, ascend and do not overlap. check_payload_header() calls
 * this (payload/filter-check.c). Returns false and fills @why if the filters are refused.
 */
bool check_filters(const struct payload_header *p, struct refusal *why);

/*
 * Compares the digest of the compressed bytes with the one in @p, which
 * check_payload_header() has checked.
 * Returns false and fills @why if they differ.
 */
bool check_payload_frame(const struct payload_header *p, struct refusal *why);

#endif
