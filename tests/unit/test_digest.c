/* SPDX-License-Identifier: MIT */
/*
 * test_digest.c - tests the digest over the compressed payload, which the stub
 * checks instead of the zstd frame's content checksum. Damaged frames are given
 * to the decoder without a check of the digest, to count how many it decodes to
 * wrong bytes. The digest of each damaged frame must differ from that of the
 * undamaged frame. The decoder must stay inside its buffers for every frame.
 */
#include "unzstd_frames.h"

/* ---- damage to a frame ---- */

enum damage { ONE_BIT, BITS, ONE_BYTE, ZEROED, SWAPPED, CUT, DAMAGES };

/*
 * Copies the zstd frame @good to @frame and damages the copy. The copy always
 * differs from @good.
 */
static void damage(struct bytes *frame, const struct bytes *good,
		   enum damage kind)
{
	size_t size = good->size, at, len, i;

	memcpy(frame->data, good->data, size);
	frame->size = size;
	do {
		at = random_below(size);
		len = 1 + random_below(size - at < 32 ? size - at : 32);
		switch (kind) {
		case ONE_BIT:
			frame->data[at] ^= (u8)(1 << random_below(8));
			break;
		case BITS:
			for (i = 0; i < len; i++)
				frame->data[random_below(size)] ^=
					(u8)(1 << random_below(8));
			break;
		case ONE_BYTE:
			frame->data[at] = (u8)random_u64();
			break;
		case ZEROED:
			memset(frame->data + at, 0, len);
			break;
		case SWAPPED:
			i = random_below(size);
			frame->data[at] = good->data[i];
			frame->data[i] = good->data[at];
			break;
		default:
			frame->size = at;
			return;
		}
	} while (!memcmp(frame->data, good->data, size));
}

struct verdicts {
	unsigned int tried;
	/* Frames for which the decoder returned an error. */
	unsigned int refused;
	/* Frames that the decoder decoded to the original bytes. */
	unsigned int harmless;
	/*
	 * Frames that the decoder decoded to wrong bytes without returning an
	 * error.
	 */
	unsigned int wrong;
	unsigned int past_digest;
};

static void judge(struct verdicts *v, int err, const u8 *out,
		  struct bytes payload, struct bytes frame, u64 digest)
{
	v->tried++;
	if (err)
		v->refused++;
	else if (memcmp(out, payload.data, payload.size))
		v->wrong++;
	else
		v->harmless++;
	v->past_digest += xxh64(frame.data, frame.size) == digest;
}

/*
 * Compresses @payload and decodes @count damaged copies of the frame. The kinds
 * of damage are @kinds members of enum damage, from @first on. Returns the
 * number of copies for each result.
 */
static struct verdicts try_damage(struct bytes payload, bool checksum,
				  unsigned int first, unsigned int kinds,
				  unsigned int count)
{
	struct bytes good = compress(payload, MKPAYLOAD_LEVEL, checksum);
	size_t margin = ZSTD_decompressionMargin(good.data, good.size);
	struct buffer both = new_buffer(in_place_size(good, payload.size,
						      margin));
	struct buffer out = new_buffer(payload.size);
	u64 digest = xxh64(good.data, good.size);
	struct bytes bad = { xmalloc(good.size), 0 };
	struct verdicts v = { 0 };
	unsigned int i;
	int err;

	for (i = 0; i < count; i++) {
		damage(&bad, &good, first + i / 4 % kinds);
		use_bmi2(i % 2 && cpu_has_bmi2());
		if (i / 2 % 2) {
			err = decode_in_place(&both, payload.size, bad.data,
					      bad.size);
			judge(&v, err, both.data, payload, bad, digest);
		} else {
			struct buffer in = new_buffer(bad.size);

			memcpy(in.data, bad.data, bad.size);
			err = unzstd(out.data, out.size, in.data, bad.size);
			judge(&v, err, out.data, payload, bad, digest);
			free_buffer(&in);
		}
	}
	free_buffer(&both);
	free_buffer(&out);
	free(good.data);
	free(bad.data);
	return v;
}

static void report_verdicts(const struct verdicts *v)
{
	INFO("of %u: %u refused, %u harmless, %u silently wrong (%u %%), %u past the digest",
	     v->tried, v->refused, v->harmless, v->wrong,
	     v->wrong * 100 / v->tried, v->past_digest);
}

/*
 * Damages frames that have no content checksum. The decoder cannot detect all
 * of this damage, but the digest of the compressed bytes must differ for every
 * damaged frame.
 */
static void check_digest(enum damage first, unsigned int kinds,
			 unsigned int count, u64 seed)
{
	struct bytes payload;
	struct verdicts v;

	random_seed(seed);
	payload = make_small();
	v = try_damage(payload, false, first, kinds, count);
	CHECK(!v.past_digest, "%u of %u frames have the digest of the good one",
	      v.past_digest, v.tried);
	CHECK(v.refused + v.harmless + v.wrong == v.tried, "%u tried", v.tried);
	report_verdicts(&v);
	free(payload.data);
}

TEST(damage_one_bit)
{
	check_digest(ONE_BIT, 1, 4000, 6);
}

TEST(damage_every_kind)
{
	check_digest(BITS, DAMAGES - BITS, 4000, 7);
}

/*
 * Damages frames of a payload that is large enough for zstd blocks of full size, each with
 * four Huffman streams.
 */
TEST(damage_large)
{
	struct bytes payload;
	struct verdicts v;

	random_seed(8);
	payload = make_program();
	v = try_damage(payload, false, ONE_BIT, DAMAGES, 200);
	CHECK(!v.past_digest, "%u pass the digest", v.past_digest);
	report_verdicts(&v);
	free(payload.data);
}

/*
 * Frames with zstd's content checksum are damaged. The digest must detect at
 * least the damage that the checksum detects, because it replaces the checksum.
 */
TEST(damage_with_checksum)
{
	struct bytes payload;
	struct verdicts v;

	random_seed(9);
	payload = make_small();
	v = try_damage(payload, true, ONE_BIT, DAMAGES, 2000);
	CHECK(!v.wrong, "%u wrong ones pass the checksum", v.wrong);
	CHECK(!v.past_digest, "%u pass the digest", v.past_digest);
	report_verdicts(&v);
	free(payload.data);
}

/*
 * Flipping any bit of a frame must change its digest. Shortening the frame must
 * change it, too.
 */
TEST(digest_of_every_bit)
{
	struct bytes payload, frame;
	unsigned int bit;
	size_t at;
	u64 digest;

	random_seed(10);
	payload = make_text_of(2 * KIB);
	frame = compress(payload, MKPAYLOAD_LEVEL, false);
	digest = xxh64(frame.data, frame.size);
	for (at = 0; at < frame.size; at++) {
		CHECK(xxh64(frame.data, at) != digest, "length %zu", at);
		for (bit = 0; bit < 8; bit++) {
			frame.data[at] ^= (u8)(1 << bit);
			CHECK(xxh64(frame.data, frame.size) != digest,
			      "byte %zu, bit %u", at, bit);
			frame.data[at] ^= (u8)(1 << bit);
		}
	}
	INFO("%zu bytes", frame.size);
	free(payload.data);
	free(frame.data);
}

/* ---- XXH64 ---- */

/*
 * The expected values come from the test program of xxHash's reference
 * implementation. The inputs are the texts in words[] and the first bytes of a
 * sequence. Each byte of the sequence is the top byte of a 32-bit number, which
 * starts at 2654435761 and is squared (modulo 2^32) after each byte.
 */
TEST(xxh64_vectors)
{
	static const struct {
		const char *text;
		u64 digest;
	} words[] = {
		{ "", 0xef46db3751d8e999 },
		{ "a", 0xd24ec4f1a98c6e5b },
		{ "abc", 0x44bc2cf5ad770999 },
		{ "Nobody inspects the spammish repetition",
		  0xfbcea83c8a378bf1 },
	};
	static const struct {
		size_t len;
		u64 digest;
	} sequence[] = {
		{ 1, 0x4fce394cc88952d8 },
		{ 14, 0xcffa8db881bc3a3d },
		{ 101, 0x0eab543384f878ad },
	};
	struct buffer b = new_buffer(101);
	u32 x = 2654435761U;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		CHECK(xxh64(words[i].text, strlen(words[i].text)) ==
		      words[i].digest, "\"%s\"", words[i].text);
	for (i = 0; i < b.size; i++) {
		b.data[i] = (u8)(x >> 24);
		x *= x;
	}
	for (i = 0; i < ARRAY_SIZE(sequence); i++)
		CHECK(xxh64(b.data, sequence[i].len) == sequence[i].digest,
		      "%zu bytes", sequence[i].len);
	free_buffer(&b);
}

/*
 * A zstd frame ends with the low 32 bits of the XXH64 of its content (RFC 8878
 * 3.1.1). The zstd library computes this checksum, so it is an independent
 * check of the stub's xxh64().
 */
TEST(xxh64_as_the_compressor_has_it)
{
	size_t size;

	random_seed(11);
	for (size = 1; size < 2000; size += 13) {
		struct bytes payload = make_text_of(size);
		struct bytes frame = compress(payload, 1, true);
		u32 checksum;

		memcpy(&checksum, frame.data + frame.size - sizeof(checksum),
		       sizeof(checksum));
		CHECK((u32)xxh64(payload.data, size) == checksum, "%zu bytes",
		      size);
		free(payload.data);
		free(frame.data);
	}
}
