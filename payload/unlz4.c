/* SPDX-License-Identifier: MIT */
/*
 * unlz4.c - lz4's decoder, compiled from lz4's own source as a single
 * translation unit, and the frame format around its blocks. Only an image with an lz4
 * payload contains it.
 *
 * Runs after .bss is cleared. The format is the legacy frame, which Linux's
 * build uses too: a magic number, then blocks with the compressed size in front
 * of each. Each block but the last expands to 8 MiB.
 */
#include "decoders.h"
#include "lib/string.h"

#define LZ4_FREESTANDING 1
/*
 * Leave out the decoding loop that lz4 has for speed. Here it executes 9 % more
 * instructions and has twice the code.
 */
#define LZ4_FAST_DEC_LOOP 0
#define LZ4_memcpy(d, s, n) __builtin_memcpy((d), (s), (n))
#define LZ4_memmove(d, s, n) __builtin_memmove((d), (s), (n))
#define LZ4_memset(p, v, n) __builtin_memset((p), (v), (n))

/* lz4's source is compiled unchanged and causes these warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-function"
/* NOLINTNEXTLINE(bugprone-suspicious-include): lz4.c is compiled as a part of this file */
#include "lz4.c"
#pragma GCC diagnostic pop

#define LEGACY_MAGIC	0x184c2102U
#define LEGACY_BLOCK	0x800000UL

/* What unlz4() returns for a damaged frame. */
enum { LZ4_NO_FRAME = 1, LZ4_CUT_OFF, LZ4_BAD_BLOCK };

/* Reads a 32-bit little-endian number at any alignment. */
static u32 word_at(const u8 *p)
{
	u32 word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

externally_visible int unlz4(void *out, size_t out_size, const void *in, size_t in_size)
{
	const u8 *from = in;
	u8 *to = out;
	size_t left = in_size;

	if (left < sizeof(u32) || word_at(from) != LEGACY_MAGIC)
		return LZ4_NO_FRAME;
	from += sizeof(u32);
	left -= sizeof(u32);

	while (left) {
		size_t room = out_size < LEGACY_BLOCK ? out_size : LEGACY_BLOCK;
		size_t size;
		int got;

		if (left < sizeof(u32))
			return LZ4_CUT_OFF;
		size = word_at(from);
		from += sizeof(u32);
		left -= sizeof(u32);
		if (size > left)
			return LZ4_CUT_OFF;
		got = LZ4_decompress_safe((const char *)from, (char *)to,
					  (int)size, (int)room);
		if (got < 0)
			return LZ4_BAD_BLOCK;
		/*
		 * A block must decode to exactly room bytes: 8 MiB, or the rest
		 * of the output for the last block.
		 */
		if ((size_t)got != room)
			return -EINVAL;
		from += size;
		left -= size;
		to += room;
		out_size -= room;
	}
	return out_size ? -EINVAL : 0;
}
