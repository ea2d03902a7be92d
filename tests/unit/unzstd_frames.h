/* SPDX-License-Identifier: MIT */
/*
 * unzstd_frames.h - what test_unzstd.c and test_digest.c share: the decoder and
 * its assembly as they are in the stub, payloads of several kinds, and frames
 * as mkpayload makes them, by the library's compressor. Buffers lie against
 * pages that nothing may touch, because ASan does not see what assembly does.
 */
#ifndef UNZSTD_FRAMES_H
#define UNZSTD_FRAMES_H

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "harness.h"

#include "../../payload/unzstd.c"

#define KIB			1024UL
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

static maybe_unused void free_buffer(struct buffer *b)
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

/* Compiled code, and much of it: this program. */
static struct bytes make_program(void)
{
	return read_file("/proc/self/exe", 512 * KIB);
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
	const u32 bmi = 1U << CPUID_7_EBX_BMI1_BIT | 1U << CPUID_7_EBX_BMI2_BIT;

	return (cpuid_count(CPUID_STRUCTURED, 0).ebx & bmi) == bmi &&
	       cpuid_count(CPUID_EXT_FEATURES, 0).ecx >>
	       CPUID_EXT_ECX_LZCNT_BIT & 1;
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

#endif
