/* SPDX-License-Identifier: MIT */
/*
 * unzstd_frames.h - for test_unzstd.c and test_digest.c: the stub's decoder
 * with its assembly, several kinds of contents to compress, and frames
 * compressed as mkpayload compresses them, by the zstd library. Buffers end at
 * a page that the process cannot access, because ASan does not check accesses
 * by assembly.
 */
#ifndef UNZSTD_FRAMES_H
#define UNZSTD_FRAMES_H

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "harness.h"

#include "../../payload/unzstd.c"

#define KIB			1024UL
/*
 * The compression level that mkpayload uses, and the value of the bytes in a
 * buffer's first page that precede its data.
 */
#define MKPAYLOAD_LEVEL		19
#define FILL			0x5a

/* @size bytes at @data, allocated with malloc(). free() releases them. */
struct bytes {
	u8 *data;
	size_t size;
};

/* ---- buffers between inaccessible pages ---- */

/*
 * A buffer of @size bytes at @data that ends at an inaccessible page. The bytes
 * before @data in its first page are FILL and poisoned. ASan reports an access
 * to them by C code. free_buffer() finds a write to them by assembly.
 */
struct buffer {
	u8 *data;
	size_t size;
	u8 *pages;
	size_t mapped;
};

/*
 * Allocates a buffer of @size bytes. Aborts the program if there is no memory.
 */
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

/*
 * Frees a buffer. Fails the case if the decoder wrote to the bytes before it.
 */
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

/* malloc() that aborts the program if there is no memory. */
static u8 *xmalloc(size_t size)
{
	u8 *p = malloc(size ? size : 1);

	if (!p) {
		perror("malloc");
		exit(EXIT_FAILURE);
	}
	return p;
}

/* ---- contents to compress ---- */

/*
 * Reads at most the first @max bytes of the file @name, which must not be
 * empty.
 */
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

/* Returns @size bytes of text from random words, which compresses well. */
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

/* Compiled code: up to 512 KiB of this test program. */
static struct bytes make_program(void)
{
	return read_file("/proc/self/exe", 512 * KIB);
}

/*
 * Returns 48 KiB of contents, two thirds compiled code and one third text, for
 * tests that decode them often.
 */
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

/*
 * Compresses @in to a zstd frame at compression level @level. The frame's
 * header has the size of the contents. If @checksum, the frame also has a
 * checksum of the contents.
 */
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

/* Selects whether the decoder uses its code for processors with BMI2. */
static void use_bmi2(bool on)
{
	if (on)
		unzstd_use_bmi2();
	else
		have_bmi2 = false;
}

/*
 * Whether this machine can execute the decoder's BMI2 code, which also needs
 * BMI1 and LZCNT.
 */
static bool cpu_has_bmi2(void)
{
	const u32 bmi = 1U << CPUID_7_EBX_BMI1_BIT | 1U << CPUID_7_EBX_BMI2_BIT;

	return (cpuid_count(CPUID_STRUCTURED, 0).ebx & bmi) == bmi &&
	       cpuid_count(CPUID_EXT_FEATURES, 0).ecx >>
	       CPUID_EXT_ECX_LZCNT_BIT & 1;
}

/*
 * Decodes a frame in place, as the stub does. The frame is copied to the end of
 * @b, the output is written from the start of @b and may overwrite what has
 * been read. Returns the decoder's result.
 */
static int decode_in_place(struct buffer *b, size_t out_size,
			   const u8 *frame, size_t frame_size)
{
	u8 *in = b->data + b->size - frame_size;

	memcpy(in, frame, frame_size);
	return unzstd(b->data, out_size, in, frame_size);
}

/*
 * The smallest size in bytes of a buffer in which a frame can be decoded in
 * place: the output and @margin, but not less than the frame.
 */
static size_t in_place_size(struct bytes frame, size_t out_size, size_t margin)
{
	size_t size = out_size + margin;

	return size < frame.size ? frame.size : size;
}

#endif
