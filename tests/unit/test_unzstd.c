/* SPDX-License-Identifier: MIT */
/*
 * test_unzstd.c - the decoder as the stub uses it: in place and on damaged
 * input; and the digest, which stands in for the frame's content checksum.
 *
 * The decoder and its assembly are those of the stub, with the same switches;
 * the compressor is the library's, set up as in mkpayload. Buffers lie against
 * pages that nothing may touch, because ASan does not see what assembly does.
 */
#include <elf.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "harness.h"

#include "../../unzstd.c"

#define KIB			1024UL
#define ZSTD_LEVELS		{ 1, 3, 12, 19, 22 }
#define MKPAYLOAD_LEVEL		19
#define FILL			0x5a

struct bytes {
	u8 *data;
	size_t size;
};

/* ---- memory with edges ---- */

/* What is before @data in its first page is poisoned, for ASan and for us. */
struct buffer {
	u8 *data;
	size_t size;
	u8 *pages;
	size_t mapped;
};

static struct buffer new_buffer(size_t size)
{
	size_t inner = ALIGN_UP(size + 1, PAGE_SIZE);
	struct buffer b = { .size = size, .mapped = inner + 2 * PAGE_SIZE };

	b.pages = mmap(NULL, b.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	if (b.pages == MAP_FAILED ||
	    mprotect(b.pages + PAGE_SIZE, inner, PROT_READ | PROT_WRITE)) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	b.data = b.pages + PAGE_SIZE + inner - size;
	memset(b.pages + PAGE_SIZE, FILL, inner - size);
	ASAN_POISON_MEMORY_REGION(b.pages + PAGE_SIZE, inner - size);
	return b;
}

static void free_buffer(struct buffer *b)
{
	size_t slack = (size_t)(b->data - b->pages) - PAGE_SIZE;
	size_t i;

	ASAN_UNPOISON_MEMORY_REGION(b->pages + PAGE_SIZE, slack);
	for (i = 0; i < slack; i++)
		CHECK(b->pages[PAGE_SIZE + i] == FILL,
		      "%zu bytes before a buffer of %zu: written to",
		      slack - i, b->size);
	munmap(b->pages, b->mapped);
}

static u8 *xmalloc(size_t size)
{
	u8 *p = malloc(size ? size : 1);

	if (!p) {
		perror("malloc");
		exit(EXIT_FAILURE);
	}
	return p;
}

/* ---- payloads ---- */

static struct bytes read_file(const char *name, size_t max)
{
	struct bytes b = { xmalloc(max), 0 };
	FILE *f = fopen(name, "r");

	CHECK(f, "%s cannot be opened", name);
	b.size = fread(b.data, 1, max, f);
	fclose(f);
	CHECK(b.size, "%s is empty", name);
	return b;
}

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

static struct bytes make_text_of(size_t size)
{
	static const char *const words[] = {
		"page", "table", "guest", "memory", "the", "encrypted", "of",
		"a", "is", "hypervisor", "register", "exit", "to", "and\n",
		"communication", "block", "boot", "kernel", "stub", "in",
	};
	struct bytes b = { xmalloc(size), size };
	size_t at = 0;

	while (at < size) {
		const char *word = words[random_below(ARRAY_SIZE(words))];

		while (*word && at < size)
			b.data[at++] = (u8)*word++;
		if (at < size)
			b.data[at++] = ' ';
	}
	return b;
}

static struct bytes make_text(void)
{
	return make_text_of(500 * KIB);
}

/* What asks for the largest margin: noise last, so that the input lags. */
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

/* Compiled code, and much of it: this program. */
static struct bytes make_program(void)
{
	return read_file("/proc/self/exe", 512 * KIB);
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

/* ---- frames ---- */

static struct bytes compress(struct bytes in, int level, bool checksum)
{
	struct bytes frame = { .size = ZSTD_compressBound(in.size) };
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	u8 *room = xmalloc(frame.size);
	size_t ret;

	ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 1);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, checksum);
	ret = ZSTD_compress2(cctx, room, frame.size, in.data, in.size);
	ZSTD_freeCCtx(cctx);
	CHECK(!ZSTD_isError(ret), "the compressor fails");

	frame.size = ret;
	frame.data = xmalloc(ret);
	memcpy(frame.data, room, ret);
	free(room);
	return frame;
}

static void use_bmi2(bool on)
{
	if (on)
		unzstd_use_bmi2();
	else
		have_bmi2 = false;
}

static bool cpu_has_bmi2(void)
{
	return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("lzcnt");
}

/* Input at the end of @b, output at its start. */
static int decode_in_place(struct buffer *b, size_t out_size,
			   const u8 *frame, size_t frame_size)
{
	u8 *in = b->data + b->size - frame_size;

	memcpy(in, frame, frame_size);
	return unzstd(b->data, out_size, in, frame_size);
}

/* How large a buffer for both must be at least. */
static size_t in_place_size(struct bytes frame, size_t out_size, size_t margin)
{
	size_t size = out_size + margin;

	return size < frame.size ? frame.size : size;
}

/* The first case, so that nobody has asked: a processor's BMI2 stays unused. */
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

/* ---- good frames ---- */

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
 * What mkpayload wrote, at exactly the margin that its header says, gives the
 * kernel's segments.
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

/* ---- sizes and ends ---- */

/* Too little margin is noticed before input is overwritten, or does no harm. */
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
			CHECK(wrong_by[k] > 0 ? err == -EINVAL :
			      err == ZSTD_error_dstSize_tooSmall,
			      "%s, %ld too many: %d", samples[i].name,
			      wrong_by[k], err);
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
 * A frame whose content is empty, and one that is to be skipped: both are
 * successes to zstd.
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

static struct bytes make_small(void)
{
	struct bytes program = make_program();
	struct bytes text = make_text_of(16 * KIB);
	struct bytes small = { xmalloc(48 * KIB), 48 * KIB };

	CHECK(program.size > 200 * KIB, "a program of %zu bytes", program.size);
	memcpy(small.data, program.data + 150 * KIB, 32 * KIB);
	memcpy(small.data + 32 * KIB, text.data, 16 * KIB);
	free(program.data);
	free(text.data);
	return small;
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

/* Every length around the block headers at the start and at the end. */
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

/* ---- damage, and who notices ---- */

enum damage { ONE_BIT, BITS, ONE_BYTE, ZEROED, SWAPPED, CUT, DAMAGES };

/* Damages @frame; what comes out always differs from what went in. */
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
	unsigned int refused;		/* by the decoder */
	unsigned int harmless;		/* the right bytes all the same */
	unsigned int wrong;		/* wrong bytes, and nobody said so */
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

/* Decodes @count damaged copies of @payload's frame. */
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
	INFO("of %u: %u refused by the decoder, %u harmless, %u silently wrong (%u %%), %u past the digest",
	     v->tried, v->refused, v->harmless, v->wrong,
	     v->wrong * 100 / v->tried, v->past_digest);
}

/*
 * Without a checksum the decoder takes wrong bytes for right ones; the digest
 * of the compressed bytes tells all of them.
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

/* Blocks of full size, and four Huffman streams in each. */
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
 * The other half of the argument for a digest instead of the checksum: the
 * checksum, 32 bits of the same hash over the output, stops what is wrong, and
 * of that the digest lets nothing through.
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

/* No bit of a frame is without effect on the digest, and no length. */
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
 * From the reference implementation's own checks: these words, and a sequence
 * that starts at 2654435761 and is squared for every byte.
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

/* A frame's checksum is XXH64 of its content, cut to 32 bits. */
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
