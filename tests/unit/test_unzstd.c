/* SPDX-License-Identifier: MIT */
/*
 * test_unzstd.c - unzstd() as the stub uses it: input and output in one buffer,
 * with exactly the margin that zstd requires, and with input that is too short,
 * too long, or no zstd frame.
 */
#include <elf.h>

#include "unzstd_frames.h"

#include "../../payload/unfilter.c"

#define ZSTD_LEVELS	{ 1, 3, 12, 19, 22 }

/*
 * The decoder must not use BMI2 instructions unless unzstd_use_bmi2() was
 * called. This must be the first case, because later cases call it.
 */
TEST(bmi2_only_on_request)
{
	ZSTD_DCtx *dctx;

	CHECK(!have_bmi2, "on by itself");
	dctx = ZSTD_initStaticDCtx(workspace, sizeof(workspace));
	CHECK(dctx, "the workspace is too small");
	CHECK(!ZSTD_DCtx_get_bmi2(dctx), "on by itself");
	unzstd_use_bmi2();
	dctx = ZSTD_initStaticDCtx(workspace, sizeof(workspace));
	CHECK(ZSTD_DCtx_get_bmi2(dctx), "off although it was asked for");
}

/* ---- contents ---- */

static const char *build_dir(void)
{
	const char *dir = getenv("O");

	return dir ? dir : "build";
}

static struct bytes make_noise(void)
{
	struct bytes b = { xmalloc(700 * KIB + 3), 700 * KIB + 3 };
	size_t i;

	for (i = 0; i < b.size; i++)
		b.data[i] = (u8)random_u64();
	return b;
}

static struct bytes make_zeros(void)
{
	struct bytes b = { xmalloc(900 * KIB), 900 * KIB };

	memset(b.data, 0, b.size);
	return b;
}

static struct bytes make_text(void)
{
	return make_text_of(500 * KIB);
}

/*
 * Contents that need a large margin. Their second half is mostly random bytes,
 * which do not compress, so the decoder reads most of its input late.
 */
static struct bytes make_mixed(void)
{
	struct bytes b = make_noise();

	memset(b.data, 0, b.size / 4);
	memset(b.data + b.size / 2, FILL, b.size / 8);
	return b;
}

static struct bytes make_one_byte(void)
{
	struct bytes b = { xmalloc(1), 1 };

	b.data[0] = FILL;
	return b;
}

static struct bytes make_test_kernel(void)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/payload/test.elf", build_dir());
	return read_file(name, 4096 * KIB);
}

static const struct {
	const char *name;
	struct bytes (*make)(void);
} samples[] = {
	{ "noise", make_noise },
	{ "zeros", make_zeros },
	{ "text", make_text },
	{ "noise and zeros", make_mixed },
	{ "one byte", make_one_byte },
	{ "test kernel", make_test_kernel },
	{ "program", make_program },
};

/* ---- valid frames ---- */

static void check_good_frame(const char *name, int level, struct bytes payload,
			     struct bytes frame)
{
	size_t margin = ZSTD_decompressionMargin(frame.data, frame.size);
	struct buffer both = new_buffer(in_place_size(frame, payload.size,
						      margin));
	struct buffer in = new_buffer(frame.size);
	struct buffer out = new_buffer(payload.size);
	int err;

	memcpy(in.data, frame.data, frame.size);
	err = unzstd(out.data, payload.size, in.data, frame.size);
	CHECK(!err, "%s, level %d: %d", name, level, err);
	CHECK(!memcmp(out.data, payload.data, payload.size),
	      "%s, level %d: other bytes", name, level);
	CHECK(!memcmp(in.data, frame.data, frame.size),
	      "%s, level %d: the input was written to", name, level);

	err = decode_in_place(&both, payload.size, frame.data, frame.size);
	CHECK(!err, "%s, level %d, in place: %d", name, level, err);
	CHECK(!memcmp(both.data, payload.data, payload.size),
	      "%s, level %d, in place: other bytes", name, level);
	free_buffer(&both);
	free_buffer(&in);
	free_buffer(&out);
}

static void check_good_frames(bool bmi2)
{
	static const int levels[] = ZSTD_LEVELS;
	unsigned int frames = 0;
	size_t i, l;

	random_seed(1);
	use_bmi2(bmi2);
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		struct bytes payload = samples[i].make();

		for (l = 0; l < ARRAY_SIZE(levels); l++) {
			struct bytes frame = compress(payload, levels[l], false);

			check_good_frame(samples[i].name, levels[l], payload,
					 frame);
			free(frame.data);
			frames++;
		}
		free(payload.data);
	}
	INFO("%u frames, each at exactly its margin", frames);
}

TEST(good_frames)
{
	check_good_frames(false);
}

TEST(good_frames_bmi2)
{
	if (!cpu_has_bmi2())
		SKIP("this processor lacks BMI1, BMI2 or LZCNT");
	check_good_frames(true);
}

/*
 * Decodes a payload that mkpayload wrote, with exactly the margin in its header,
 * and undoes its filters. The output must then have the contents of the kernel's
 * segments.
 */
TEST(mkpayload_margin)
{
	char dir[] = "/tmp/test_unzstd.XXXXXX";
	struct bytes kernel = make_test_kernel();
	struct payload_header header;
	struct buffer both;
	const Elf64_Phdr *ph;
	const Elf64_Ehdr *eh = (const void *)kernel.data;
	unsigned int i, segments = 0;
	struct bytes bin;
	char text[600];
	int err;

	CHECK(mkdtemp(dir), "no temporary directory");
	snprintf(text, sizeof(text),
		 "%s/mkpayload -q --level 3 -o %s/p %s/payload/test.elf",
		 build_dir(), dir, build_dir());
	err = system(text);
	snprintf(text, sizeof(text), "%s/p.bin", dir);
	bin = err ? (struct bytes){ NULL, 0 } : read_file(text, 4096 * KIB);
	snprintf(text, sizeof(text), "rm -rf %s", dir);
	CHECK(!system(text) && !err, "mkpayload: status %d", err);

	memcpy(&header, bin.data, sizeof(header));
	CHECK(header.comp_size == bin.size - sizeof(header), "%lu of %zu",
	      header.comp_size, bin.size);
	CHECK(header.comp_digest == xxh64(bin.data + sizeof(header),
					  header.comp_size), "digest");
	CHECK(header.header_digest ==
	      xxh64(&header, offsetof(struct payload_header, header_digest)),
	      "header digest");

	both = new_buffer(header.file_size + header.reloc_size +
			  header.margin);
	err = decode_in_place(&both, header.file_size + header.reloc_size,
			      bin.data + sizeof(header), header.comp_size);
	CHECK(!err, "%d", err);
	CHECK(header.filter[0].kind, "the payload has no filter to undo");
	CHECK(unfilter(both.data, &header), "the filters cannot be undone%s", "");

	ph = (const void *)(kernel.data + eh->e_phoff);
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || !ph[i].p_filesz)
			continue;
		CHECK(!memcmp(both.data + ph[i].p_paddr - header.link_addr,
			      kernel.data + ph[i].p_offset, ph[i].p_filesz),
		      "segment %u differs", i);
		segments++;
	}
	INFO("%u segments", segments);
	free_buffer(&both);
	free(bin.data);
	free(kernel.data);
}

/* ---- wrong margins, sizes and ends of frames ---- */

/*
 * If the margin is too small, the output overwrites input that is still needed.
 * The decoder must report an error, or its output must be correct all the same.
 */
TEST(short_margin)
{
	static const size_t sixteenths[] = { 0, 1, 2, 4, 8, 12, 15 };
	unsigned int refused = 0, good = 0;
	size_t i, k, margin;

	random_seed(2);
	use_bmi2(cpu_has_bmi2());
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		struct bytes payload = samples[i].make();
		struct bytes frame = compress(payload, MKPAYLOAD_LEVEL, false);
		size_t full = ZSTD_decompressionMargin(frame.data, frame.size);

		for (k = 0; k < ARRAY_SIZE(sixteenths); k++) {
			struct buffer both;
			int err;

			margin = full * sixteenths[k] / 16;
			both = new_buffer(in_place_size(frame, payload.size,
							margin));
			err = decode_in_place(&both, payload.size, frame.data,
					      frame.size);
			CHECK(err || !memcmp(both.data, payload.data,
					     payload.size),
			      "%s, margin %zu of %zu: wrong bytes pass",
			      samples[i].name, margin, full);
			refused += err != 0;
			good += !err;
			free_buffer(&both);
		}
		free(payload.data);
		free(frame.data);
	}
	CHECK(refused, "no margin was too short");
	INFO("%u refused, %u good", refused, good);
}

TEST(out_size)
{
	static const long wrong_by[] = { -100000, -4096, -1, 1, 4096 };
	size_t i, k;

	random_seed(3);
	use_bmi2(false);
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		struct bytes payload = samples[i].make();
		struct bytes frame = compress(payload, 3, false);

		for (k = 0; k < ARRAY_SIZE(wrong_by); k++) {
			size_t size = payload.size + (size_t)wrong_by[k];
			struct buffer out;
			int err;

			if (wrong_by[k] < 0 &&
			    payload.size < (size_t)-wrong_by[k])
				continue;
			out = new_buffer(size);
			err = unzstd(out.data, size, frame.data, frame.size);
			CHECK(err == -EINVAL, "%s, %ld too many: %d",
			      samples[i].name, wrong_by[k], err);
			free_buffer(&out);
		}
		free(payload.data);
		free(frame.data);
	}
}

TEST(empty_input)
{
	struct buffer in = new_buffer(0), out = new_buffer(PAGE_SIZE);

	CHECK(unzstd(out.data, out.size, in.data, 0) == -EINVAL,
	      "nothing passes for %zu bytes", out.size);
	CHECK(unzstd(out.data, 1, in.data, 0) == -EINVAL,
	      "nothing passes for a byte");
	free_buffer(&in);
	free_buffer(&out);
}

/*
 * A frame without contents, and a skippable frame. zstd's library accepts both.
 * The stub must refuse both, because the output has the wrong size.
 */
TEST(frames_of_nothing)
{
	static const u8 skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };
	struct bytes frame = compress((struct bytes){ NULL, 0 }, 3, false);
	u8 out[16];

	CHECK(unzstd(out, sizeof(out), frame.data, frame.size) == -EINVAL,
	      "an empty frame passes");
	CHECK(unzstd(out, sizeof(out), skippable, sizeof(skippable)) == -EINVAL,
	      "a skippable frame passes");
	free(frame.data);
}

TEST(appended_bytes)
{
	struct bytes payload, frame;
	struct buffer out, in;
	size_t extra, size;
	unsigned int fill;
	int err;

	random_seed(4);
	use_bmi2(cpu_has_bmi2());
	payload = make_small();
	frame = compress(payload, MKPAYLOAD_LEVEL, false);
	out = new_buffer(payload.size);
	for (extra = 1; extra < 40; extra++) {
		for (fill = 0; fill < 3; fill++) {
			size = frame.size + extra;
			in = new_buffer(size);
			memcpy(in.data, frame.data, frame.size);
			memset(in.data + frame.size, fill == 2 ? 0xff :
			       fill ? (int)random_u64() : 0, extra);
			err = unzstd(out.data, out.size, in.data, size);
			CHECK(err > 0, "%zu bytes more: %d", extra, err);
			free_buffer(&in);
		}
	}
	free_buffer(&out);
	free(frame.data);
	free(payload.data);
}

/*
 * Frames that are cut off, at every length near their start and their end, and
 * at some between. The stub must refuse all of them.
 */
TEST(truncated)
{
	struct bytes payload, frame;
	struct buffer out, in, both;
	unsigned int count = 0;
	size_t len, margin;
	int err;

	random_seed(5);
	payload = make_small();
	frame = compress(payload, MKPAYLOAD_LEVEL, false);
	margin = ZSTD_decompressionMargin(frame.data, frame.size);
	out = new_buffer(payload.size);
	both = new_buffer(in_place_size(frame, payload.size, margin));
	for (len = 0; len < frame.size; ) {
		use_bmi2(count % 2 && cpu_has_bmi2());
		in = new_buffer(len);
		memcpy(in.data, frame.data, len);
		err = unzstd(out.data, out.size, in.data, len);
		CHECK(err, "%zu of %zu bytes pass", len, frame.size);
		free_buffer(&in);

		err = decode_in_place(&both, payload.size, frame.data, len);
		CHECK(err, "%zu of %zu bytes pass in place", len, frame.size);
		count++;
		len += len < 300 || len + 300 > frame.size ? 1 : 29;
	}
	INFO("%u lengths", count);
	free_buffer(&out);
	free_buffer(&both);
	free(frame.data);
	free(payload.data);
}
