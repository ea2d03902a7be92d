/* SPDX-License-Identifier: MIT */
/*
 * decode.c - compares the speed of the stub's zstd decoder with that of libzstd.so. The
 * program is linked with the stub's own object files.
 *
 *	decode ROUNDS PAYLOAD
 *
 * PAYLOAD is a file that mkpayload has written. Two samples are decoded. The sample
 * "payload" is the compressed frame in PAYLOAD. For the sample "core" the program
 * decompresses this frame, leaves out all pages of zeros, and compresses the first 34 MiB
 * of the rest again. They contain a kernel's text and data.
 *
 * For each sample the program prints a line "NAME MB/s MB/s RATIO": the median speed of
 * the stub's decoder, the median speed of the library, and the median of the ratio in
 * each round. A ratio above 1 means that the stub's decoder is faster. Both decode in
 * place, as the stub does at boot, in memory that is already mapped.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

#include "payload.h"

#define CORE_SIZE	(34UL << 20)
#define PAGE		4096
#define LEVEL		19
#define MARGIN		(1UL << 20)
/*
 * In a round of the benchmark each decoder decodes the sample this many times.
 * The fastest time counts.
 */
#define TRIES		3
#define MAX_ROUNDS	99
#define MB		1e6

/*
 * Functions of the stub's object files unzstd.o and string.o, which replace the C
 * library's here.
 */
int unzstd(void *out, size_t out_size, const void *in, size_t in_size);
void unzstd_use_bmi2(void);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);

static const u8 zeros[PAGE];

/*
 * A compressed sample. Sizes are in bytes. @frame_size is the compressed size, @size
 * the decompressed size.
 */
struct sample {
	const char *name;
	u8 *frame;
	size_t frame_size;
	size_t size;
};

static ZSTD_DCtx *dctx;

static int ours(void *out, size_t out_size, const void *in, size_t in_size)
{
	return unzstd(out, out_size, in, in_size);
}

static int library(void *out, size_t out_size, const void *in, size_t in_size)
{
	return ZSTD_decompressDCtx(dctx, out, out_size, in, in_size) != out_size;
}

typedef int decoder(void *out, size_t out_size, const void *in, size_t in_size);

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/*
 * Returns the CPU time in seconds that decoder @f needs for the sample @s. Decodes in
 * place: the compressed frame lies at the end of @buffer, and the output is written
 * from its start.
 */
static double decode(decoder *f, const struct sample *s, u8 *buffer)
{
	u8 *in = buffer + s->size + MARGIN - s->frame_size;
	double best = 0;
	int i;

	for (i = 0; i < TRIES; i++) {
		double start, took;

		memcpy(in, s->frame, s->frame_size);
		start = seconds();
		if (f(buffer, s->size, in, s->frame_size))
			errx(1, "%s: cannot be decoded", s->name);
		took = seconds() - start;
		if (!i || took < best)
			best = took;
	}
	return best;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), ascending);
	return values[n / 2];
}

static void *allocate(size_t size)
{
	void *p = malloc(size);

	if (!p)
		err(1, "%zu bytes", size);
	return p;
}

static void compare(const struct sample *s, int rounds)
{
	double mine[MAX_ROUNDS] = { 0 };
	double theirs[MAX_ROUNDS] = { 0 };
	double ratio[MAX_ROUNDS] = { 0 };
	u8 *buffer = allocate(s->size + MARGIN);
	int i;

	decode(ours, s, buffer);
	for (i = 0; i < rounds; i++) {
		/*
		 * Let the two decoders take turns at being first in a round, because
		 * the first may find a colder cache.
		 */
		if (i % 2)
			theirs[i] = decode(library, s, buffer);
		mine[i] = decode(ours, s, buffer);
		if (i % 2 == 0)
			theirs[i] = decode(library, s, buffer);
		ratio[i] = theirs[i] / mine[i];
	}
	printf("%s %.0f %.0f %.3f\n", s->name,
	       (double)s->size / MB / median(mine, rounds),
	       (double)s->size / MB / median(theirs, rounds),
	       median(ratio, rounds));
	free(buffer);
}

static u8 *read_file(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	u8 *data;

	if (!f || fseek(f, 0, SEEK_END))
		err(1, "%s", name);
	*size = (size_t)ftell(f);
	rewind(f);
	data = allocate(*size);
	if (fread(data, 1, *size, f) != *size)
		err(1, "%s", name);
	fclose(f);
	return data;
}

/*
 * Makes the sample "core": the payload's contents without zero pages, compressed again.
 */
static struct sample core_of(const struct sample *whole)
{
	struct sample core = { .name = "core" };
	u8 *image = allocate(whole->size), *data = allocate(CORE_SIZE);
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	size_t at;

	if (library(image, whole->size, whole->frame, whole->frame_size))
		errx(1, "the payload cannot be decoded");
	for (at = 0; at + PAGE <= whole->size && core.size < CORE_SIZE;
	     at += PAGE)
		if (memcmp(image + at, zeros, PAGE)) {
			memcpy(data + core.size, image + at, PAGE);
			core.size += PAGE;
		}

	core.frame = allocate(ZSTD_compressBound(core.size));
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, LEVEL);
	core.frame_size = ZSTD_compress2(cctx, core.frame,
					 ZSTD_compressBound(core.size), data,
					 core.size);
	if (ZSTD_isError(core.frame_size))
		errx(1, "core: %s", ZSTD_getErrorName(core.frame_size));
	ZSTD_freeCCtx(cctx);
	free(image);
	free(data);
	return core;
}

int main(int argc, char **argv)
{
	struct sample whole = { .name = "payload" }, core;
	struct payload_header header;
	size_t size;
	int rounds;
	u8 *file;

	if (argc != 3)
		errx(2, "usage: decode ROUNDS PAYLOAD");
	rounds = atoi(argv[1]);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "1 to %d rounds", MAX_ROUNDS);

	file = read_file(argv[2], &size);
	if (size < sizeof(header))
		errx(1, "%s: too short", argv[2]);
	memcpy(&header, file, sizeof(header));
	whole.frame = file + sizeof(header);
	whole.frame_size = size - sizeof(header);
	whole.size = header.file_size + header.reloc_size;

	if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
		unzstd_use_bmi2();
	dctx = ZSTD_createDCtx();
	compare(&whole, rounds);
	core = core_of(&whole);
	compare(&core, rounds);
	return 0;
}
