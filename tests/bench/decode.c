/* SPDX-License-Identifier: MIT */
/*
 * decode.c - the stub's own object code of the decoder against libzstd.so, in
 * one process, round-robin.
 *
 *   decode ROUNDS PAYLOAD	prints "NAME MB/s MB/s RATIO", a line for each
 *				sample: medians of ours, the library's, and of
 *				the ratios of rounds (above 1: ours is faster)
 *
 * PAYLOAD is what mkpayload writes. Samples: "payload", that frame; "core", its
 * first 34 MiB without pages of zeros: text and data, compressed as mkpayload
 * does. Both decode in place, as the stub does, into memory that is mapped.
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
#define TRIES		3	/* of which the fastest counts */
#define MAX_ROUNDS	99
#define MB		1e6

/* unzstd.c and string.c, the stub's objects. */
int unzstd(void *out, size_t out_size, const void *in, size_t in_size);
void unzstd_use_bmi2(void);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);

static const u8 zeros[PAGE];

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

/* Seconds for the frame at the end of a buffer, output at its start. */
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
		/* Who comes first may find a colder cache: take turns. */
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

/* Text and data of what @whole holds, without the pages of zeros. */
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
