/* SPDX-License-Identifier: MIT */
/*
 * unstore.c - the decoder for a payload that is not compressed: copies it to the
 * address at which it runs. Source and destination may overlap.
 */
#include "decoders.h"
#include "lib/string.h"

int unstore(void *out, size_t out_size, const void *in, size_t in_size)
{
	if (out_size != in_size)
		return -EINVAL;
	memmove(out, in, in_size);
	return 0;
}
