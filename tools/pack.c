/* SPDX-License-Identifier: MIT */
/*
 * pack.c - compresses the memory image with the codec that the user names, or with
 * the one that takes the least time from launch to the kernel (--codec auto). Before
 * that, filter.c rewrites parts of the image, so that they compress better.
 *
 * To check the result, prove() decompresses it as the stub does: in place, in a buffer
 * that ends exactly payload_header.margin bytes above the end of the output. Then the
 * stub's own code undoes the filters.
 */
#define ZSTD_STATIC_LINKING_ONLY
#define LZ4_HC_STATIC_LINKING_ONLY
#include <lz4.h>
#include <lz4hc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "mkpayload.h"
#include "payload-check.h"
#include "unfilter.h"

/* Bytes of input that zstd compresses between two reports of progress. */
#define COMPRESS_CHUNK		MIB

/*
 * A compressed lz4 block of @size bytes can be decompressed in place if its end
 * lies this many bytes above the end of its output:
 * LZ4_DECOMPRESS_INPLACE_MARGIN() of lz4.h.
 */
#define LZ4_MARGIN(size)	(((size) >> 8) + 32)

static size_t zstd_check(size_t ret)
{
	if (ZSTD_isError(ret))
		die("zstd: %s", ZSTD_getErrorName(ret));
	return ret;
}

/* How the image is to be compressed. */
struct setting {
	u32 codec;			/* PAYLOAD_CODEC_* */
	int level;			/* 0 for PAYLOAD_CODEC_NONE */
	/* zstd's shortest match in bytes; 0: the shortest match of the level. */
	int min_match;
};

static void print_setting(const struct setting *s)
{
	fputs(codec_name(s->codec), stderr);
	if (s->level)
		fprintf(stderr, " -%d", s->level);
	if (s->min_match)
		fprintf(stderr, " minMatch %d", s->min_match);
}

static void show_progress(const struct setting *s, size_t done, size_t total)
{
	fprintf(stderr, "\rmkpayload: compressing %zu bytes, ", total);
	print_setting(s);
	fprintf(stderr, ": %3zu%%%s", done * 100 / total,
		done == total ? "\n" : "");
}

/* ---- zstd ---- */

/*
 * Returns the binary logarithm of the size in bytes of zstd's window for an image of @size
 * bytes. The window is as large as the image or larger, unless the result is limited. A large
 * window costs the stub no memory, because the stub's decoder keeps all of its output anyway.
 * The result is at most ZSTD_WINDOWLOG_LIMIT_DEFAULT, the largest that zstd's own decoders
 * accept by default.
 */
static int window_log(size_t size)
{
	int log = ZSTD_WINDOWLOG_MIN;

	while (log < ZSTD_WINDOWLOG_LIMIT_DEFAULT && (1UL << log) < size)
		log++;
	return log;
}

/*
 * Makes one zstd frame. It contains the content size, which the decoder checks.
 * It has no checksum, because payload_header.comp_digest covers its bytes. The
 * input is passed to zstd in chunks, so that progress can be shown. The chunks have
 * the same size even if no progress is shown, because their size can change the
 * compressed bytes.
 */
static struct blob zstd_compress(const struct blob *image, const struct setting *s,
				 bool progress)
{
	struct blob frame = { .size = ZSTD_compressBound(image->size) };
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	ZSTD_inBuffer in = { image->data, 0, 0 };
	ZSTD_outBuffer out;
	size_t left;

	if (!cctx)
		die("out of memory");
	frame.data = xalloc(frame.size);
	out = (ZSTD_outBuffer){ frame.data, frame.size, 0 };
	zstd_check(ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel,
					  s->level));
	zstd_check(ZSTD_CCtx_setParameter(cctx, ZSTD_c_minMatch, s->min_match));
	zstd_check(ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog,
					  window_log(image->size)));
	zstd_check(ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 1));
	zstd_check(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 0));
	zstd_check(ZSTD_CCtx_setPledgedSrcSize(cctx, image->size));

	do {
		in.size += COMPRESS_CHUNK;
		if (in.size > image->size)
			in.size = image->size;
		left = zstd_check(ZSTD_compressStream2(cctx, &out, &in,
			in.size < image->size ? ZSTD_e_continue : ZSTD_e_end));
		if (progress)
			show_progress(s, in.size, image->size);
	} while (in.pos < image->size);
	if (left)
		die("zstd: frame does not fit into its bound");

	ZSTD_freeCCtx(cctx);
	frame.size = out.pos;
	return frame;
}

static u64 zstd_margin(const struct blob *image, const struct blob *frame)
{
	(void)image;
	return zstd_check(ZSTD_decompressionMargin(frame->data, frame->size));
}

static const char *zstd_expand(const struct blob *in, struct blob *out)
{
	out->size = zstd_check(ZSTD_decompress(out->data, out->size, in->data,
					       in->size));
	return NULL;
}

/* ---- lz4 ---- */

/*
 * Makes one legacy lz4 frame. It has no checksum, because
 * payload_header.comp_digest covers its bytes. LZ4_favorDecompressionSpeed() makes
 * the frame 1 % larger and saves 6 % of the decoder's instructions.
 */
static struct blob lz4_compress(const struct blob *image, const struct setting *s,
				bool progress)
{
	size_t blocks = image->size / LZ4_LEGACY_BLOCK + 1;
	struct blob frame = {
		.size = MAGIC_LEN + blocks * (sizeof(u32) +
			LZ4_compressBound(LZ4_LEGACY_BLOCK)),
	};
	LZ4_streamHC_t *stream = LZ4_createStreamHC();
	u8 *at;

	if (!stream)
		die("out of memory");
	frame.data = at = xalloc(frame.size);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a magic number has no NUL */
	memcpy(at, LZ4_LEGACY_MAGIC, MAGIC_LEN);
	at += MAGIC_LEN;
	for (size_t done = 0; done < image->size;) {
		size_t left = image->size - done;
		int from = left < LZ4_LEGACY_BLOCK ? left : LZ4_LEGACY_BLOCK;
		u32 size;

		LZ4_resetStreamHC_fast(stream, s->level);
		LZ4_favorDecompressionSpeed(stream, 1);
		size = LZ4_compress_HC_continue(stream, (char *)image->data + done,
						(char *)at + sizeof(u32), from,
						LZ4_compressBound(from));
		if (!size)
			die("lz4: a block does not fit into its bound");
		memcpy(at, &size, sizeof(size));
		at += sizeof(size) + size;
		done += from;
		if (progress)
			show_progress(s, done, image->size);
	}
	LZ4_freeStreamHC(stream);
	frame.size = at - frame.data;
	return frame;
}

/*
 * Returns the smallest margin with which the lz4 frame can be decompressed in
 * place. The frame ends where the buffer ends, and no block's output may overwrite
 * a later block. Therefore, for each block, the output so far, LZ4_MARGIN() and all
 * later blocks must fit into the buffer.
 */
static u64 lz4_margin(const struct blob *image, const struct blob *frame)
{
	u64 out = 0, margin = 0;
	size_t at = MAGIC_LEN;

	while (at < frame->size) {
		u64 left = image->size - out, needs;
		u32 size;

		memcpy(&size, frame->data + at, sizeof(size));
		at += sizeof(size) + size;
		out += left < LZ4_LEGACY_BLOCK ? left : LZ4_LEGACY_BLOCK;
		needs = out + LZ4_MARGIN((u64)size) + (frame->size - at);
		if (needs > image->size + margin)
			margin = needs - image->size;
	}
	return margin;
}

/* ---- none ---- */

static struct blob none_compress(const struct blob *image, const struct setting *s,
				 bool progress)
{
	struct blob frame = { xalloc(image->size), image->size };

	(void)s;
	(void)progress;
	memcpy(frame.data, image->data, image->size);
	return frame;
}

static u64 none_margin(const struct blob *image, const struct blob *frame)
{
	(void)image;
	(void)frame;
	return 0;
}

static const char *none_expand(const struct blob *in, struct blob *out)
{
	memmove(out->data, in->data, in->size);
	return NULL;
}

/* ---- the codecs ---- */

static const struct codec {
	const char *name;
	const char *decoder;		/* function of the stub */
	/*
	 * Bytes of an image with this decoder, without the compressed payload
	 * and with half a page of padding, which is the mean. Only --codec auto
	 * uses this number, to estimate the image's size.
	 */
	size_t stub_size;
	int max_level, default_level;
	/*
	 * Whether filters are used if the user does not say. Without a codec
	 * they gain nothing. lz4 is for launches at which only the decoder's
	 * time counts, which filters make longer.
	 */
	bool filters;
	struct blob (*compress)(const struct blob *image, const struct setting *s,
				bool progress);
	u64 (*margin)(const struct blob *image, const struct blob *frame);
	const char *(*expand)(const struct blob *in, struct blob *out);
} codecs[] = {
	[PAYLOAD_CODEC_ZSTD] = { "zstd", "unzstd", 96176, 22, 19, true,
				 zstd_compress, zstd_margin, zstd_expand },
	[PAYLOAD_CODEC_LZ4] = { "lz4", "unlz4", 79792, LZ4HC_CLEVEL_MAX,
				LZ4HC_CLEVEL_MAX, false, lz4_compress, lz4_margin,
				unlz4_legacy },
	[PAYLOAD_CODEC_NONE] = { "none", "unstore", 75696, 0, 0, false,
				 none_compress, none_margin, none_expand },
};

const char *codec_name(u32 codec)
{
	if (codec < ARRAY_SIZE(codecs) && codecs[codec].name)
		return codecs[codec].name;
	return "unknown";
}

const char *decoder_name(u32 codec)
{
	return codecs[codec].decoder;
}

static bool is_auto(const struct packing *packing)
{
	return !strcmp(packing->codec, "auto");
}

/* Returns the codec's number, PAYLOAD_CODEC_*, or 0 if @name is unknown. */
static u32 find_codec(const char *name)
{
	u32 codec = ARRAY_SIZE(codecs) - 1;

	while (codec && strcmp(codecs[codec].name, name))
		codec--;
	return codec;
}

/*
 * The memory image, and in @filtered the same bytes after filters_apply(). If @filters is
 * empty, @filtered.data is NULL.
 */
struct input {
	const struct image *image;
	struct filters filters;
	struct blob filtered;
};

static struct input filter_image(const struct image *image, bool wanted)
{
	struct input in = { .image = image };

	if (!wanted)
		return in;
	in.filters = filters_choose(image);
	if (!in.filters.list[0].kind)
		return in;
	in.filtered = (struct blob){ xalloc(image->bytes.size), image->bytes.size };
	memcpy(in.filtered.data, image->bytes.data, image->bytes.size);
	filters_apply(in.filtered.data, image->file_size, &in.filters);
	return in;
}

bool pack_holds(const struct payload_header *header, const struct blob *frame,
		const struct image *image)
{
	const struct codec *codec = &codecs[header->codec];
	u64 size = image->bytes.size + header->margin;
	struct blob out = { xalloc(size), image->bytes.size };
	struct blob in = { out.data + size - frame->size, frame->size };
	const char *problem;
	struct refusal why;
	bool same;

	if (!check_filters(header, &why))
		die("the stub would refuse filter %lu", why.value[0]);
	if (in.size > size)
		die("%s: frame of %zu bytes does not fit its margin of %lu",
		    codec->name, in.size, header->margin);
	memcpy(in.data, frame->data, in.size);
	problem = codec->expand(&in, &out);
	if (problem)
		die("%s: decompression in place: %s", codec->name, problem);
	same = out.size == image->bytes.size && unfilter(out.data, header) &&
	       !memcmp(out.data, image->bytes.data, out.size);
	free(out.data);
	return same;
}

/* Calls die() unless @packed decodes to the bytes of @image, as the stub will decode it. */
static void prove(const struct image *image, const struct packed *packed)
{
	struct payload_header header = {
		.file_size = image->file_size, .codec = packed->codec,
		.margin = packed->margin,
	};

	memcpy(header.filter, packed->filters.list, sizeof(header.filter));
	if (!pack_holds(&header, &packed->frame, image))
		die("%s: decompression in place gives other bytes than the memory image",
		    codecs[packed->codec].name);
}

static struct packed pack(const struct input *input, const struct setting *s,
			  bool filtered, bool quiet)
{
	const struct codec *codec = &codecs[s->codec];
	const struct blob *bytes = filtered ? &input->filtered : &input->image->bytes;
	struct packed packed = { .codec = s->codec };
	bool terminal = isatty(STDERR_FILENO);

	if (!quiet && !terminal && codec->max_level) {
		fprintf(stderr, "mkpayload: compressing %zu bytes, ", bytes->size);
		print_setting(s);
		fputc('\n', stderr);
	}
	if (filtered)
		packed.filters = input->filters;
	packed.frame = codec->compress(bytes, s, !quiet && terminal);
	packed.margin = codec->margin(bytes, &packed.frame);
	return packed;
}

u64 pack_size(u8 *bytes, u64 size)
{
	const struct setting s = {
		.codec = PAYLOAD_CODEC_ZSTD,
		.level = codecs[PAYLOAD_CODEC_ZSTD].default_level,
	};
	struct blob frame = zstd_compress(&(struct blob){ bytes, size }, &s, false);

	free(frame.data);
	return frame.size;
}

/* ---- what a launch costs ---- */

/*
 * The values of --launch: what measures an image before it runs, and the
 * nanoseconds for each KiB, including the time to copy it. "psp" is AMD's security
 * processor, "hash" is SHA-256 by firmware in the guest, and "none" copies only.
 */
static const struct launch {
	const char *name;
	u64 ns_per_kib;
} launches[] = {
	{ "psp", PSP_NS_PER_KIB }, { "hash", 650 }, { "none", 110 },
};

/* Nanoseconds in which the stub executes 1000 instructions (docs/performance.md). */
#define NS_PER_1000		300UL
/*
 * Instructions that zstd's decoder executes for a block, for a sequence (literals and a
 * match) and for a literal, and instructions that undoing the filters takes for 100 bytes
 * of code and for a word of a table. The numbers are fitted to counts of valgrind
 * (docs/performance.md).
 */
#define ZSTD_PER_BLOCK		32300UL
#define ZSTD_PER_SEQUENCE	122UL
#define ZSTD_PER_LITERAL	9UL
#define FILTER_PER_100_BYTES	132UL
#define FILTER_PER_WORD		8UL
/*
 * Nanoseconds that the stub takes for a KiB of output with lz4, and without a codec. They
 * are not computed from instructions, because the processor mostly waits for memory then.
 */
#define LZ4_NS_PER_KIB		113UL
#define NONE_NS_PER_KIB		60UL

/* ---- zstd's blocks (RFC 8878 3.1.1.2 and 3.1.1.3) ---- */

#define ZSTD_BLOCK_HEADER	3UL
#define ZSTD_BLOCK_COMPRESSED	2U

static u64 little_endian(const u8 *at, unsigned int bytes)
{
	u64 value = 0;

	memcpy(&value, at, bytes);
	return value;
}

/*
 * Returns the number of literals that the literals section at @at decodes to, and sets
 * *@size to the size of the section in bytes.
 */
static u64 count_literals(const u8 *at, u64 *size)
{
	static const u8 raw_header[] = { 1, 2, 1, 3 };
	static const u8 header[] = { 3, 3, 4, 5 }, bits[] = { 10, 10, 14, 18 };
	unsigned int type = at[0] & 3, format = at[0] >> 2 & 3;
	u64 fields, literals;

	if (type < 2) {
		/*
		 * A literals section of type 0 contains every literal. A section of type 1
		 * contains one byte, which the decoder repeats.
		 */
		fields = little_endian(at, raw_header[format]);
		literals = fields >> (format & 1 ? 4 : 3);
		*size = raw_header[format] + (type ? 1 : literals);
		return literals;
	}
	fields = little_endian(at, header[format]) >> 4;
	literals = fields & ((1UL << bits[format]) - 1);
	*size = header[format] + (fields >> bits[format]);
	return literals;
}

static u64 count_sequences(const u8 *at)
{
	if (at[0] < 0x80)
		return at[0];
	if (at[0] < 0xff)
		return ((at[0] - 0x80UL) << 8) + at[1];
	return little_endian(at + 1, 2) + 0x7f00;
}

/*
 * Returns the number of instructions that the stub executes to decode @frame, which zstd
 * has made.
 */
static u64 zstd_instructions(const struct blob *frame)
{
	ZSTD_frameHeader header;
	u64 at, count = 0;
	u32 block;

	zstd_check(ZSTD_getFrameHeader(&header, frame->data, frame->size));
	at = header.headerSize;
	do {
		block = little_endian(frame->data + at, ZSTD_BLOCK_HEADER);
		at += ZSTD_BLOCK_HEADER;
		if ((block >> 1 & 3) == ZSTD_BLOCK_COMPRESSED) {
			u64 size;

			count += ZSTD_PER_LITERAL *
				 count_literals(frame->data + at, &size);
			count += ZSTD_PER_SEQUENCE *
				 count_sequences(frame->data + at + size);
		}
		count += ZSTD_PER_BLOCK;
		/* A block of type 1 repeats one byte, and has only this byte in the frame. */
		at += (block >> 1 & 3) == 1 ? 1 : block >> 3;
	} while (!(block & 1));
	return count;
}

static u64 filter_instructions(const struct filters *filters)
{
	u64 count = 0;

	for (int i = 0; i < PAYLOAD_FILTERS; i++) {
		const struct payload_filter *f = &filters->list[i];

		if (f->kind == FILTER_BRANCHES)
			count += f->size * FILTER_PER_100_BYTES / 100;
		else if (f->kind)
			count += f->size / f->stride * FILTER_PER_WORD *
				 (u64)__builtin_popcount(f->columns);
	}
	return count;
}

/* The nanoseconds that the stub takes to decode @packed and to undo its filters. */
static u64 decode_ns(const struct packed *packed, u64 out_size)
{
	u64 ns = filter_instructions(&packed->filters) * NS_PER_1000 / 1000;

	switch (packed->codec) {
	case PAYLOAD_CODEC_ZSTD:
		return ns + zstd_instructions(&packed->frame) * NS_PER_1000 / 1000;
	case PAYLOAD_CODEC_LZ4:
		return ns + out_size * LZ4_NS_PER_KIB / KIB;
	}
	return ns + out_size * NONE_NS_PER_KIB / KIB;
}

/*
 * Returns the nanoseconds that it takes to measure the image. The size of the stub is
 * included, because the whole image is measured, and because the stub is most of a small
 * kernel's image.
 */
static u64 measure_ns(const struct packed *packed, const struct launch *launch)
{
	return (codecs[packed->codec].stub_size + packed->frame.size) *
	       launch->ns_per_kib / KIB;
}

static const struct launch *find_launch(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(launches); i++) {
		if (!strcmp(launches[i].name, name ? name : "psp"))
			return &launches[i];
	}
	die("--launch %s: must be psp, hash or none", name);
}

/* ---- the search for the setting that costs least ---- */

/*
 * A setting that was tried, with or without filters, and what it costs: the size of the
 * compressed payload in bytes, and the expected nanoseconds to hash the image for the launch
 * measurement (--launch) and to decode the payload.
 */
struct trial {
	struct setting setting;
	bool filtered;
	u64 size, measuring, decoding;
};

/*
 * zstd's slow settings, ordered from the fewest bytes to the fewest instructions of the
 * decoder. A compression takes 10 seconds or more for a kernel of Debian.
 */
static const struct setting slow[] = {
	{ PAYLOAD_CODEC_ZSTD, 22, 0 },
	{ PAYLOAD_CODEC_ZSTD, 19, 0 },
	{ PAYLOAD_CODEC_ZSTD, 19, 4 },
	{ PAYLOAD_CODEC_ZSTD, 19, 5 },
	{ PAYLOAD_CODEC_ZSTD, 19, 6 },
};
/* The index in slow[] of the setting that the search tries first. */
#define SLOW_FIRST		1

static const struct setting quick[] = {
	{ PAYLOAD_CODEC_ZSTD, 12, 0 },
	{ PAYLOAD_CODEC_LZ4, LZ4HC_CLEVEL_MAX, 0 },
	{ PAYLOAD_CODEC_NONE, 0, 0 },
};

#define TRIALS_MAX		(ARRAY_SIZE(slow) + 2 * ARRAY_SIZE(quick))

struct search {
	const struct input *input;
	const struct launch *launch;
	bool quiet;
	struct trial trials[TRIALS_MAX];
	size_t count, best;		/* trials, and the index of the best */
	struct packed packed;		/* the best trial's result */
};

static u64 cost_of(const struct trial *t)
{
	return t->measuring + t->decoding;
}

/* Tries a setting. Returns whether it is the best so far. */
static bool try_setting(struct search *search, const struct setting *s, bool filtered)
{
	struct packed packed = pack(search->input, s, filtered, search->quiet);
	struct trial *t = &search->trials[search->count++];

	*t = (struct trial){
		.setting = *s, .filtered = filtered, .size = packed.frame.size,
		.measuring = measure_ns(&packed, search->launch),
		.decoding = decode_ns(&packed, search->input->image->bytes.size),
	};
	if (search->packed.frame.data &&
	    cost_of(t) >= cost_of(&search->trials[search->best])) {
		free(packed.frame.data);
		return false;
	}
	free(search->packed.frame.data);
	search->packed = packed;
	search->best = search->count - 1;
	return true;
}

static void print_time(u64 ns)
{
	if (ns < 1000000)
		fprintf(stderr, " %lu us", ns / 1000);
	else
		fprintf(stderr, " %lu.%lu ms", ns / 1000000,
			ns / 100000 % 10);
}

/*
 * Prints each trial's size and expected time, and how much of the best trial's time is for
 * the launch and how much for the decoder.
 */
static void print_search(const struct search *search)
{
	const struct trial *best = &search->trials[search->best];

	fprintf(stderr, "mkpayload: launch %s, %lu ns a KiB and decoding:",
		search->launch->name, search->launch->ns_per_kib);
	for (size_t i = 0; i < search->count; i++) {
		const struct trial *t = &search->trials[i];

		fputs(i ? ", " : " ", stderr);
		print_setting(&t->setting);
		if (t->filtered)
			fputs(" filtered", stderr);
		fprintf(stderr, " %lu bytes", t->size);
		print_time(cost_of(t));
		if (t == best)
			fputs(" (chosen)", stderr);
	}
	fputs("; chosen because", stderr);
	print_time(best->measuring);
	fputs(" for the launch and", stderr);
	print_time(best->decoding);
	fputs(" for the decoder are least\n", stderr);
}

/*
 * Compresses the image with the settings of quick[], with and without filters. Then tries
 * slow[] from SLOW_FIRST upwards, with filters if zstd's quick setting cost less with them,
 * until a setting is not the best so far. If the setting above SLOW_FIRST is already not the
 * best, tries those below SLOW_FIRST, too. Returns the result that costs least, and prints
 * all results.
 *
 * zstd's target length and strategy are those of the level: others have changed Debian's
 * kernels by less than 0.1 %, or were worse in bytes and instructions.
 */
static struct packed pack_best(const struct input *input,
			       const struct packing *packing)
{
	struct search search = {
		.input = input, .launch = find_launch(packing->launch),
		.quiet = packing->quiet,
	};
	bool filters = input->filtered.data, paid = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quick); i++) {
		bool better;

		try_setting(&search, &quick[i], false);
		better = filters && codecs[quick[i].codec].max_level &&
			 try_setting(&search, &quick[i], true);
		if (quick[i].codec == PAYLOAD_CODEC_ZSTD)
			paid = better;
	}
	try_setting(&search, &slow[SLOW_FIRST], paid);
	for (i = SLOW_FIRST + 1; i < ARRAY_SIZE(slow); i++) {
		if (!try_setting(&search, &slow[i], paid))
			break;
	}
	if (i == SLOW_FIRST + 1) {
		for (i = SLOW_FIRST; i--;) {
			if (!try_setting(&search, &slow[i], paid))
				break;
		}
	}
	if (!packing->quiet)
		print_search(&search);
	return search.packed;
}

/* ---- what the user asks for ---- */

static bool is_filter(const char *name)
{
	return !strcmp(name, "yes") || !strcmp(name, "no");
}

void pack_check(const struct packing *packing)
{
	u32 codec = find_codec(packing->codec);

	find_launch(packing->launch);
	if (packing->filter && !is_filter(packing->filter))
		die("--filter %s: must be yes or no", packing->filter);
	if (is_auto(packing)) {
		if (packing->level)
			die("--level %d: --codec auto chooses the level: leave --level out",
			    packing->level);
		if (packing->filter)
			die("--filter %s: --codec auto tries both: leave --filter out",
			    packing->filter);
		return;
	}
	if (!codec)
		die("--codec %s: must be zstd, lz4, none or auto",
		    packing->codec);
	if (packing->launch)
		die("--launch %s: only --codec auto uses it: add that, or leave --launch out",
		    packing->launch);
	if (packing->level && !codecs[codec].max_level)
		die("--level %d: codec %s has no levels: leave --level out",
		    packing->level, packing->codec);
	if (packing->level > codecs[codec].max_level)
		die("--level %d: must be from 1 to %d for %s", packing->level,
		    codecs[codec].max_level, packing->codec);
}

struct packed pack_image(const struct image *image, const struct packing *packing)
{
	u32 codec = find_codec(packing->codec);
	struct input input;
	struct packed packed;

	input = filter_image(image, is_auto(packing) ? true : packing->filter ?
			     !strcmp(packing->filter, "yes") :
			     codecs[codec].filters);
	if (is_auto(packing)) {
		packed = pack_best(&input, packing);
	} else {
		const struct setting s = {
			.codec = codec, .level = packing->level ? packing->level :
						 codecs[codec].default_level,
		};

		packed = pack(&input, &s, input.filtered.data, packing->quiet);
	}
	free(input.filtered.data);
	prove(image, &packed);
	return packed;
}
