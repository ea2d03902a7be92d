/* SPDX-License-Identifier: MIT */
/*
 * unfilter.h - restores the bytes of the payload that mkpayload has rewritten, so
 * that they compress better (payload/unfilter.c).
 */
#ifndef UNFILTER_H
#define UNFILTER_H

#include "payload.h"
#include "types.h"

/*
 * Undoes the filters of @p in the flat image @image of @p->file_size bytes, in place.
 * check_payload_header() must have accepted @p. Must be called once, after the decoder
 * and before relocate(). Any bytes in @image are accepted.
 */
void unfilter(u8 *image, const struct payload_header *p);

#endif
