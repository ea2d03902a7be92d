/* SPDX-License-Identifier: MIT */
/*
 * range.h - a range of physical addresses, and whether two ranges overlap.
 */
#ifndef RANGE_H
#define RANGE_H

#include "types.h"

/* The bytes from @start up to, but not including, @end. */
struct range {
	u64 start, end;
};

/*
 * Returns true if at least one byte lies in both ranges. An empty range
 * overlaps nothing.
 */
static inline bool range_overlaps(struct range a, struct range b)
{
	u64 start = a.start > b.start ? a.start : b.start;
	u64 end = a.end < b.end ? a.end : b.end;

	return start < end;
}

#endif
