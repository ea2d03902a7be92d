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
 * Copies the payload's header to @p and checks it: magic number, version and
 * digest; that it belongs to this image; and that each size and flag is within
 * its limits. If it returns true, later code need not check @p again.
 * Returns false and fills @why if the payload is refused.
 */
bool check_payload_header(struct payload_header *p, struct refusal *why);

/*
 * Compares the digest of the compressed bytes with the one in @p, which
 * check_payload_header() has checked.
 * Returns false and fills @why if they differ.
 */
bool check_payload_frame(const struct payload_header *p, struct refusal *why);

#endif
