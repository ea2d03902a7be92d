/* SPDX-License-Identifier: MIT */
/*
 * pack.c - compresses the memory image with the codec that the user names, or with
 * the one that takes the least time from launch to the kernel (--codec auto).
 *
 * The result is decompressed once, as the stub does it: in place, in a buffer that
 * ends exactly payload_header.margin bytes above the end of the output.
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

static void show_progress(const char *codec, int level, size_t done,
			  size_t total)
{
	fprintf(stderr, "\rmkpayload: compressing %zu bytes, %s -%d: %3zu%%%s",
		total, codec, level, done * 100 / total,
		done == total ? "\n" : "");
}

/* ---- zstd ---- */

/*
 * Makes one zstd frame. It contains the content size, which the decoder checks.
 * It has no checksum, because payload_header.comp_digest covers its bytes. The
 * input is passed to zstd in chunks, so that progress can be shown. If no
 * progress is shown, the chunks are the same, because their size can change the
 * compressed bytes.
 */
static struct blob zstd_compress(const struct blob *image, int level,
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
					  level));
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
			show_progress("zstd", level, in.size, image->size);
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
static struct blob lz4_compress(const struct blob *image, int level,
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
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): no text */
	memcpy(at, LZ4_LEGACY_MAGIC, MAGIC_LEN);
	at += MAGIC_LEN;
	for (size_t done = 0; done < image->size;) {
		size_t left = image->size - done;
		int from = left < LZ4_LEGACY_BLOCK ? left : LZ4_LEGACY_BLOCK;
		u32 size;

		LZ4_resetStreamHC_fast(stream, level);
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
			show_progress("lz4", level, done, image->size);
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

static struct blob none_compress(const struct blob *image, int level,
				 bool progress)
{
	struct blob frame = { xalloc(image->size), image->size };

	(void)level;
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

/* ---- the choice of a codec ---- */

static const struct codec {
	const char *name;
	const char *decoder;		/* function of the stub */
	/*
	 * Bytes of an image with this decoder, without the compressed payload.
	 * mkpayload --report prints them as "stub". Only --codec auto uses this
	 * number, to estimate the image's size.
	 */
	size_t stub_size;
	int max_level, default_level;
	struct blob (*compress)(const struct blob *image, int level,
				bool progress);
	u64 (*margin)(const struct blob *image, const struct blob *frame);
	const char *(*expand)(const struct blob *in, struct blob *out);
} codecs[] = {
	[PAYLOAD_CODEC_ZSTD] = { "zstd", "unzstd", 90531, 22, 19,
				 zstd_compress, zstd_margin, zstd_expand },
	[PAYLOAD_CODEC_LZ4] = { "lz4", "unlz4", 70024, LZ4HC_CLEVEL_MAX,
				LZ4HC_CLEVEL_MAX, lz4_compress, lz4_margin,
				unlz4_legacy },
	[PAYLOAD_CODEC_NONE] = { "none", "unstore", 70136, 0, 0,
				 none_compress, none_margin, none_expand },
};

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

/*
 * The codecs and levels that --codec auto tries, and the nanoseconds that the stub
 * takes to decode a KiB of output (docs/performance.md).
 */
static const struct candidate {
	u32 codec;
	int level;
	u64 ns_per_kib;
} candidates[] = {
	{ PAYLOAD_CODEC_ZSTD, 19, 538 },
	{ PAYLOAD_CODEC_ZSTD, 12, 373 },
	{ PAYLOAD_CODEC_LZ4, LZ4HC_CLEVEL_MAX, 113 },
	{ PAYLOAD_CODEC_NONE, 0, 60 },
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

static const struct launch *find_launch(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(launches); i++) {
		if (!strcmp(launches[i].name, name ? name : "psp"))
			return &launches[i];
	}
	die("--launch %s: must be psp, hash or none", name);
}

void pack_check(const struct packing *packing)
{
	u32 codec = find_codec(packing->codec);

	find_launch(packing->launch);
	if (is_auto(packing)) {
		if (packing->level)
			die("--level %d: --codec auto chooses the level: leave --level out",
			    packing->level);
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

/* Decompresses @packed in place, as the stub will, and compares with @image. */
static void prove(const struct blob *image, const struct packed *packed)
{
	const struct codec *codec = &codecs[packed->codec];
	u64 size = image->size + packed->margin;
	struct blob out = { xalloc(size), image->size };
	struct blob in = { out.data + size - packed->frame.size,
			   packed->frame.size };
	const char *problem;

	if (in.size > size)
		die("%s: frame of %zu bytes does not fit its margin of %lu",
		    codec->name, in.size, packed->margin);
	memcpy(in.data, packed->frame.data, in.size);
	problem = codec->expand(&in, &out);
	if (problem)
		die("%s: decompression in place: %s", codec->name, problem);
	if (out.size != image->size || memcmp(out.data, image->data, out.size))
		die("%s: decompression in place gives other bytes than the memory image",
		    codec->name);
	free(out.data);
}

static struct packed pack(const struct blob *image, u32 number, int level,
			  bool quiet)
{
	const struct codec *codec = &codecs[number];
	struct packed packed = { .codec = number };
	bool terminal = isatty(STDERR_FILENO);

	if (!quiet && !terminal && codec->max_level)
		fprintf(stderr, "mkpayload: compressing %zu bytes, %s -%d\n",
			image->size, codec->name, level);
	packed.frame = codec->compress(image, level, !quiet && terminal);
	packed.margin = codec->margin(image, &packed.frame);
	return packed;
}

/*
 * Returns the expected nanoseconds from launch to the payload's entry. The size of
 * the stub is included, because the whole image is measured, and because the stub
 * is most of a small kernel's image.
 */
static u64 launch_ns(const struct launch *launch,
		     const struct candidate *candidate,
		     const struct blob *image, const struct blob *frame)
{
	u64 measured = codecs[candidate->codec].stub_size + frame->size;

	return (measured * launch->ns_per_kib +
		image->size * candidate->ns_per_kib) / KIB;
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
 * Compresses @image with each codec and level in candidates[], returns the result
 * with the least launch_ns(), and prints the expected time of each.
 */
static struct packed pack_best(const struct blob *image,
			       const struct packing *packing)
{
	const struct launch *launch = find_launch(packing->launch);
	u64 cost[ARRAY_SIZE(candidates)];
	struct packed best = { 0 };
	size_t chosen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		struct packed packed = pack(image, candidates[i].codec,
					    candidates[i].level, packing->quiet);

		cost[i] = launch_ns(launch, &candidates[i], image,
				    &packed.frame);
		if (best.frame.data && cost[i] >= cost[chosen]) {
			free(packed.frame.data);
			continue;
		}
		free(best.frame.data);
		best = packed;
		chosen = i;
	}
	if (packing->quiet)
		return best;
	fprintf(stderr, "mkpayload: launch %s, %lu ns a KiB and decoding:",
		launch->name, launch->ns_per_kib);
	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		fprintf(stderr, "%s %s", i ? "," : "",
			codecs[candidates[i].codec].name);
		if (candidates[i].level)
			fprintf(stderr, " -%d", candidates[i].level);
		print_time(cost[i]);
		if (i == chosen)
			fputs(" (chosen)", stderr);
	}
	fputc('\n', stderr);
	return best;
}

struct packed pack_image(const struct blob *image, const struct packing *packing)
{
	u32 codec = find_codec(packing->codec);
	struct packed packed;

	if (is_auto(packing))
		packed = pack_best(image, packing);
	else
		packed = pack(image, codec, packing->level ? packing->level :
			      codecs[codec].default_level, packing->quiet);
	prove(image, &packed);
	return packed;
}
