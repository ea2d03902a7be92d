/* SPDX-License-Identifier: MIT */
/*
 * test_unlz4.c - the stub's decoders other than zstd: unlz4() with input and
 * output in one buffer and exactly the margin that mkpayload computes, and with
 * frames that are cut, damaged, or no LZ4 frames; and unstore(), for
 * uncompressed payloads.
 */
#include "harness.h"

#include "../../payload/unstore.c"
#include "../../payload/unlz4.c"

#include <lz4hc.h>

/*
 * The stub's decoders.h and image.h declare these symbols, so this program must
 * define them. The decoders under test must not use them: xxh64() aborts the
 * program. test_extract.c tests a whole payload.
 */
const u8 payload_start[sizeof(struct payload_header)], payload_end[1];
const struct image_info image_info;
u64 xxh64(const void *data, size_t len)
{
	(void)data;
	(void)len;
	abort();
}

#define MIB		0x100000UL
#define LAST		(LEGACY_BLOCK + 123457)

static u8 *xmalloc(size_t size)
{
	u8 *p = malloc(size ? size : 1);

	if (!p)
		abort();
	return p;
}

/*
 * Contents to compress: zeros, random bytes and repeated text. They alternate,
 * also within an LZ4 block.
 */
static u8 *make_payload(size_t size)
{
	u8 *p = xmalloc(size);
	size_t i;

	for (i = 0; i < size; i++) {
		switch (i / 300000 % 4) {
		case 0:
			p[i] = 0;
			break;
		case 1:
			p[i] = (u8)random_u64();
			break;
		default:
			p[i] = (u8)("kernel and stub"[i % 15] + i / 997 % 9);
		}
	}
	return p;
}

struct frame {
	u8 *data;
	size_t size;
	size_t margin;
};

static struct frame compress(const u8 *payload, size_t size)
{
	struct frame f = { xmalloc(2 * size + 100), 4, 0 };
	size_t done, at;

	memcpy(f.data, "\x02\x21\x4c\x18", 4);
	for (done = 0; done < size;) {
		size_t left = size - done;
		int from = (int)(left < LEGACY_BLOCK ? left : LEGACY_BLOCK);
		u32 got = (u32)LZ4_compress_HC((const char *)payload + done,
					       (char *)f.data + f.size + 4,
					       from, LZ4_compressBound(from), 9);

		memcpy(f.data + f.size, &got, 4);
		f.size += 4 + got;
		done += (size_t)from;
	}
	for (at = 4, done = 0; at < f.size;) {
		u32 block = word_at(f.data + at);
		size_t needs;

		at += 4 + block;
		done += size - done < LEGACY_BLOCK ? size - done : LEGACY_BLOCK;
		needs = done + (block >> 8) + 32 + f.size - at;
		if (needs > size + f.margin)
			f.margin = needs - size;
	}
	return f;
}

/*
 * Decodes @frame from a copy on the heap of exactly @size bytes, so that ASan
 * reports a read after it.
 */
static int decode(u8 *out, size_t out_size, const u8 *frame, size_t size)
{
	u8 *in = xmalloc(size);
	int err;

	memcpy(in, frame, size);
	err = unlz4(out, out_size, size ? in : in + 1, size);
	free(in);
	return err;
}

TEST(good_frames)
{
	static const size_t sizes[] = { 1, 5, 12, 13, 1000, 70000,
					LEGACY_BLOCK - 1, LEGACY_BLOCK,
					LEGACY_BLOCK + 1, LAST, 2 * LEGACY_BLOCK };
	size_t i;

	random_seed(1);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *payload = make_payload(sizes[i]);
		struct frame f = compress(payload, sizes[i]);
		u8 *out = xmalloc(sizes[i]);
		size_t both_size = sizes[i] + f.margin;
		u8 *both, *in;
		int err = decode(out, sizes[i], f.data, f.size);

		CHECK(!err, "%zu bytes: %d", sizes[i], err);
		CHECK(!memcmp(out, payload, sizes[i]), "%zu bytes: others",
		      sizes[i]);
		if (both_size < f.size)
			both_size = f.size;
		both = xmalloc(both_size);
		in = both + both_size - f.size;
		memcpy(in, f.data, f.size);
		err = unlz4(both, sizes[i], in, f.size);
		CHECK(!err, "%zu bytes in place: %d", sizes[i], err);
		CHECK(!memcmp(both, payload, sizes[i]),
		      "%zu bytes in place: others", sizes[i]);
		free(payload);
		free(f.data);
		free(out);
		free(both);
	}
}

TEST(no_frame)
{
	u8 out[16];

	CHECK(decode(out, 16, (const u8 *)"", 0) == LZ4_NO_FRAME, "nothing");
	CHECK(decode(out, 16, (const u8 *)"\x02\x21\x4c", 3) == LZ4_NO_FRAME,
	      "3 bytes");
	CHECK(decode(out, 16, (const u8 *)"\x04\x22\x4d\x18", 4) ==
	      LZ4_NO_FRAME, "another frame");
	CHECK(decode(out, 16, (const u8 *)"\x02\x21\x4c\x18", 4) == -EINVAL,
	      "no block");
	CHECK(decode(out, 0, (const u8 *)"\x02\x21\x4c\x18", 4) == 0,
	      "nothing at all");
}

TEST(other_sizes)
{
	u8 *payload = make_payload(LAST), *out = xmalloc(LAST + MIB);
	struct frame f = compress(payload, LAST);
	u32 first = word_at(f.data + 4);
	int err;

	CHECK(decode(out, LAST + 1, f.data, f.size) == -EINVAL, "more room");
	err = decode(out, LAST - 1, f.data, f.size);
	CHECK(err == LZ4_BAD_BLOCK, "less room: %d", err);
	CHECK(decode(out, LEGACY_BLOCK, f.data, f.size) == LZ4_BAD_BLOCK,
	      "no room for the last block");
	CHECK(decode(out, LAST, f.data, 8 + first) == -EINVAL, "no last block");
	CHECK(decode(out, LAST, f.data, f.size - 1) == LZ4_CUT_OFF, "cut");
	CHECK(decode(out, LAST, f.data, 8 + first + 3) == LZ4_CUT_OFF,
	      "cut in a size");
	/*
	 * A block size of 2^32 - 1, which LZ4's library would take for a
	 * negative number. The stub must refuse it.
	 */
	memset(f.data + 4, 0xff, 4);
	CHECK(decode(out, LAST, f.data, f.size) == LZ4_CUT_OFF, "huge");
	memset(f.data + 4, 0, 4);
	CHECK(decode(out, LAST, f.data, f.size) == LZ4_BAD_BLOCK, "empty");
	free(payload);
	free(out);
	free(f.data);
}

/*
 * The stub normally finds damage by the digest. The decoder must not write
 * outside of its output even if a damaged frame has a matching digest. ASan
 * reports such a write.
 */
TEST(damaged_frames)
{
	const size_t size = 60000;
	unsigned int i, wrong = 0;
	u8 *payload, *out = xmalloc(size);
	struct frame f;

	random_seed(2);
	payload = make_payload(size);
	memcpy(payload + 30000, payload, 20000);
	for (i = 40000; i < size; i++)
		payload[i] = (u8)random_below(3);
	f = compress(payload, size);
	for (i = 0; i < 3000; i++) {
		u8 *bad = xmalloc(f.size);
		unsigned int flips = 1 + (unsigned int)random_below(8);

		memcpy(bad, f.data, f.size);
		while (flips--)
			bad[random_below(f.size)] ^= (u8)(1 + random_below(255));
		wrong += decode(out, size, bad, random_below(10) ? f.size :
				random_below(f.size)) != 0;
		free(bad);
	}
	CHECK(wrong > 1000, "only %u are noticed", wrong);
	INFO("%u of %u noticed", wrong, i);
	free(payload);
	free(out);
	free(f.data);
}

TEST(stored)
{
	u8 memory[100], want[60];
	size_t i;

	for (i = 0; i < sizeof(memory); i++)
		memory[i] = (u8)(i * 3);
	memcpy(want, memory + 7, sizeof(want));
	CHECK(unstore(memory, 60, memory + 7, 60) == 0, "refused");
	CHECK(!memcmp(memory, want, 60), "other bytes");
	CHECK(unstore(memory, 61, memory + 7, 60) == -EINVAL, "less input");
	CHECK(unstore(memory, 59, memory + 7, 60) == -EINVAL, "more input");
	CHECK(unstore(memory, 0, memory, 0) == 0, "nothing");
}
