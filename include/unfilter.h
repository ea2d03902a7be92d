/* SPDX-License-Identifier: MIT */
/*
 * unfilter.h - restores the bytes of the payload that mkpayload has rewritten, so
 * that they compress better (payload/unfilter.c).
 */
#ifndef UNFILTER_H
#define UNFILTER_H

#include "image.h"
#include "payload.h"
#include "types.h"

/*
 * Undoes the filters of @p in the flat image @image of @p->file_size bytes, in place.
 * check_payload_header() must have accepted @p. Must be called once, after the decoder
 * and before relocate(). Any bytes in @image are accepted.
 *
 * Returns false if the hypervisor has changed @p in memory, so that a filter's kind or
 * stride is impossible, its range is not in the flat image, or the flat image would
 * overlap the stub's own image from .text on. What it has restored before stays restored.
 * Writes nowhere but to the flat image, whatever @p holds.
 */
bool unfilter(u8 *image, const struct payload_header *p);

/*
 * Returns true if three conditions hold: offset @end lies in the @size bytes at @image,
 * @size is at most PAYLOAD_MAX_SIZE, and no byte of the stub's own image from .text on is
 * among them. LOAD_ANEW() and ADDRESS_ANEW() keep the bounds out of memory, where the
 * hypervisor could change them.
 */
static inline __attribute__((always_inline)) bool
may_write(const u8 *image, u64 size, u64 end)
{
	u64 low = (u64)image, high = low + size;

	return end <= size && size <= LOAD_ANEW(PAYLOAD_MAX_SIZE) &&
	       (high <= ADDRESS_ANEW(_text) || low >= ADDRESS_ANEW(_end));
}

#endif
