/* SPDX-License-Identifier: MIT */
/*
 * fuzz_payload.c - libFuzzer target for the payload's header, its zstd frame and
 * its relocation table, with and without the right digests.
 *
 * If the stub accepts an image, the memory must hold the payload that the header
 * describes. The stub's zstd decoder must accept the same frames as libzstd, with
 * the same result. A relocation table must have the effect that a second
 * implementation computes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "extract.h"

#include "fuzz.h"

#define FRAME_OUT	0x8000

/*
 * Changes one to four places of a good payload header. The compressed bytes stay
 * unchanged. Then boots the image in the simulated machine.
 */
static void fuzz_header(struct input *in)
{
	static u8 image[sizeof(built.image)];
	u8 at, changes = take_u8(in) % 4 + 1;
	u64 entry = 0;
	bool good;

	fresh_extract();
	memcpy(image, built.image, built.image_size);
	while (changes--) {
		u64 value;

		at = take_u8(in) % (sizeof(struct payload_header) / 4) * 4;
		memcpy(&value, image + at, sizeof(value));
		switch (take_u8(in) % 5) {
		case 0: value = take_u64(in); break;
		case 1: value += (u64)(s64)(s16)take_u16(in); break;
		case 2: value ^= 1UL << take_u8(in) % 64; break;
		case 3: value = ~0UL; break;
		case 4: memcpy(&value, image + take_u8(in) %
			       (sizeof(struct payload_header) - 8), 8); break;
		}
		memcpy(image + at, &value, sizeof(value));
	}
	if (take_u8(in) & 1)
		seal(image, built.image_size);
	good = extract(image, built.image_size, &entry);
	if (good)
		check_extracted(image, entry);
	else
		CHECK(memcmp(image, built.image, built.image_size),
		      "%s: %s", harness_error_what, harness_error_detail);
}

/*
 * Decodes the input, a zstd frame, with the stub's decoder and with libzstd. A call
 * of ZSTD_decompress() by its name would reach the function of that name in the stub's
 * decoder, so the test asks dlsym() for libzstd's function.
 */
static void fuzz_frame(struct input *in)
{
	static u8 ours[FRAME_OUT], theirs[FRAME_OUT];
	static size_t (*judge)(void *, size_t, const void *, size_t);
	size_t wanted = take_u16(in) % FRAME_OUT, ret;
	int err;

	if (!judge)
		*(void **)&judge = dlsym(RTLD_NEXT, "ZSTD_decompress");
	have_bmi2 = false;
	if (wanted & 1)
		unzstd_use_bmi2();
	ret = judge(theirs, wanted, in->data, in->size);
	err = unzstd(ours, wanted, in->data, in->size);
	CHECK(!err == (ret == wanted),
	      "error %d, and libzstd makes of it %zd bytes of %zu", err,
	      (ssize_t)ret, wanted);
	if (!err)
		CHECK(!memcmp(ours, theirs, wanted), "other bytes%s", "");
}

/*
 * Applies the input, as a relocation table, to a flat image of random bytes. Compares the
 * result with that of model_relocate(), the second implementation.
 */
static void fuzz_table(struct input *in)
{
	static u8 image[256], want[256], before[256];
	u64 size = take_u8(in), distance = take_u64(in);
	bool good;
	int err;

	random_seed(size);
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (u8)random_u64();
	memcpy(want, image, sizeof(image));
	memcpy(before, image, sizeof(image));
	good = model_relocate(want, size, in->data, in->size, distance);
	err = relocate_image(image, size, in->data, in->size, distance);
	CHECK(good == !err, "error %d", err);
	if (good)
		CHECK(!memcmp(image, want, sizeof(image)), "other places%s",
		      "");
	CHECK(!memcmp(image + size, before + size, sizeof(image) - size),
	      "writes after the image%s", "");
}

static void fuzz_one(struct input *in)
{
	switch (take_u8(in) % 4) {
	case 0:
		fuzz_header(in);
		break;
	case 1:
		fuzz_table(in);
		break;
	default:
		fuzz_frame(in);
	}
}
