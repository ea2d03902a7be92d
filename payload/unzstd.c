/* SPDX-License-Identifier: MIT */
/*
 * unzstd.c - zstd's decoder and XXH64, compiled from zstd's own source as a single
 * translation unit, and what they need of a C library.
 *
 * Runs after .bss is cleared; xxh64() may run before. The decoder allocates no
 * memory: its context is static, and decoding in one pass needs no window
 * buffer. It executes no CPUID, because that would be an exit to the
 * hypervisor.
 */
#include "decoders.h"
#include "lib/string.h"

/*
 * zstd's hook for builds without a C library: these definitions replace those
 * of zstd_deps.h.
 */
#define ZSTD_DEPS_COMMON
#include <limits.h>
#define ZSTD_memcpy(d, s, n) __builtin_memcpy((d), (s), (n))
#define ZSTD_memmove(d, s, n) __builtin_memmove((d), (s), (n))
/*
 * Calls the function memset(). gcc would expand __builtin_memset() to inline
 * code instead, and inline code that is built for size fills byte by byte.
 */
#define ZSTD_memset(p, v, n) memset((p), (v), (n))
#define ZSTD_DEPS_MALLOC
#define ZSTD_malloc(size) ((void)(size), NULL)
#define ZSTD_calloc(n, size) ((void)(n), (void)(size), NULL)
#define ZSTD_free(p) ((void)(p))

/*
 * Replaces zstd's common/cpu.h, which executes CPUID to look for BMI2. CPUID
 * would cause an exit to the hypervisor. The stub knows already whether the
 * processor has BMI2, and calls unzstd_use_bmi2() if it has.
 */
#define ZSTD_COMMON_CPU_H
typedef bool ZSTD_cpuid_t;
static bool have_bmi2;
static inline ZSTD_cpuid_t ZSTD_cpuid(void)
{
	return have_bmi2;
}

static inline int ZSTD_cpuid_bmi1(ZSTD_cpuid_t cpuid)
{
	return cpuid;
}

static inline int ZSTD_cpuid_bmi2(ZSTD_cpuid_t cpuid)
{
	return cpuid;
}

/*
 * Makes zstd's buffer for literals large enough for the largest block. Literals
 * then never have to be split between two buffers, and the code for that, a
 * sixth of zstd's, is left out below.
 */
#define ZSTD_DECODER_INTERNAL_BUFFER (128 << 10)
#define ZSTD_STATIC_LINKING_ONLY
#define FSE_STATIC_LINKING_ONLY
#define XXH_NO_XXH3
#define XXH_INLINE_ALL
#ifndef NDEBUG
#define NDEBUG	/* turns off zstd's own assertions */
#endif

/*
 * SMALL marks a function, and BEGIN_SMALL to END_SMALL a part of this file,
 * that gcc builds for size: at level Oz from gcc 12 on, else Os. The rest is
 * built for speed. clang has no attribute for it.
 *
 * gcc drops zstd's functions that the stub does not call, because of
 * -fwhole-program. clang drops only static functions, so ZSTDLIB_VISIBLE makes
 * zstd's functions static.
 */
#if defined(__clang__)
/* A test that has included zstd.h has already defined ZSTDLIB_VISIBLE. */
#ifndef ZSTDLIB_VISIBLE
#define ZSTDLIB_VISIBLE static
#endif
#define SMALL
#define BEGIN_SMALL
#define END_SMALL
#elif __GNUC__ >= 12
#define SMALL	__attribute__((optimize("Oz")))
#define BEGIN_SMALL _Pragma("GCC push_options") _Pragma("GCC optimize(\"Oz\")")
#define END_SMALL _Pragma("GCC pop_options")
#else
#define SMALL	__attribute__((optimize("Os")))
#define BEGIN_SMALL _Pragma("GCC push_options") _Pragma("GCC optimize(\"Os\")")
#define END_SMALL _Pragma("GCC pop_options")
#endif

/* zstd's source is compiled unchanged and causes these warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-function"
/*
 * zstd's loop over sequences, ZSTD_decompressSequences_bmi2(), executes 85 % of
 * all instructions. It is built for speed with all that it inlines, and so is
 * ZSTD_buildFSETable(), the loop over table entries. The rest is built for
 * size, which costs 1 % more instructions.
 */
#include "common/xxhash.h"
#include "common/debug.c"
#include "common/bitstream.h"
#include "common/fse.h"
#include "common/huf.h"
BEGIN_SMALL
#pragma push_macro("DYNAMIC_BMI2")
#undef DYNAMIC_BMI2
#define DYNAMIC_BMI2 0
#include "common/entropy_common.c"
#include "common/error_private.c"
#include "common/fse_decompress.c"
END_SMALL
#include "common/zstd_internal.h"
BEGIN_SMALL
/*
 * Tells huf_decompress.c that the processor has BMI2. It then has only one
 * Huffman decoder, which calls a loop in assembly with BMI2 instructions. On a
 * processor without BMI2 unzstd() sets disableHufAsm, so that the loop in
 * assembly is not called.
 */
#define __BMI2__ 1
/*
 * Lets the compiler decide which functions of the Huffman decoder it inlines.
 * zstd's own macros would inline HUF_decodeStreamX1() five times, although it only
 * decodes the end of a stream. This saves 1,600 bytes.
 */
#pragma push_macro("HINT_INLINE")
#pragma push_macro("FORCE_INLINE_TEMPLATE")
#undef HINT_INLINE
#undef FORCE_INLINE_TEMPLATE
#define HINT_INLINE static
#define FORCE_INLINE_TEMPLATE static
#include "decompress/huf_decompress.c"
#pragma pop_macro("FORCE_INLINE_TEMPLATE")
#pragma pop_macro("HINT_INLINE")
#undef __BMI2__
#pragma pop_macro("DYNAMIC_BMI2")
#include "decompress/zstd_decompress_internal.h"
/*
 * `x == ZSTD_split` becomes `x == 2 && 0`, so that the compiler drops the code
 * for literals in two buffers. Literals are never split, because one buffer
 * holds all literals of a block (ZSTD_allocateLiteralsBuffer() in
 * zstd_decompress_block.c).
 */
BUILD_BUG_ON(ZSTD_LITBUFFEREXTRASIZE < ZSTD_BLOCKSIZE_MAX);
#define ZSTD_split 2 && 0
#include "decompress/zstd_ddict.c"
#include "decompress/zstd_decompress.c"
END_SMALL
/*
 * ZSTD_decodeLiteralsBlock() runs once for each block, so it is built for size.
 * Later versions of zstd declare it otherwise, and it is then built for speed.
 */
#if ZSTD_VERSION_NUMBER == 10504
size_t SMALL ZSTD_decodeLiteralsBlock(ZSTD_DCtx *dctx, const void *src, size_t size,
				      void *dst, size_t capacity,
				      const streaming_operation streaming);
#endif
#include "decompress/zstd_decompress_block.c"
/*
 * zstd_common.c must come last, because it replaces the macro ZSTD_isError() by
 * a function.
 */
#include "common/zstd_common.c"
#ifndef __clang__
/*
 * gcc builds these functions as cold code, which is smaller, because the stub
 * calls them rarely or never. The first is declared by typeof, because its
 * parameters depend on zstd's version.
 */
static __typeof__(ZSTD_decompressSequences_default)
ZSTD_decompressSequences_default __attribute__((cold));
static void __attribute__((cold))
ZSTD_safecopy(BYTE *op, const BYTE *const end, const BYTE *ip, ptrdiff_t length,
	      ZSTD_overlap_e overlap);
/*
 * XXH64_update() runs only for frames with a checksum, so it is built as cold
 * code.
 */
static XXH_errorcode __attribute__((cold))
XXH64_update(XXH64_state_t *state, const void *input, size_t len);
static XXH64_hash_t __attribute__((cold)) XXH64_digest(const XXH64_state_t *state);
static void __attribute__((cold))
ZSTD_buildFSETable_body_default(ZSTD_seqSymbol *dt, const short *counts,
				unsigned int max, const U32 *base, const U8 *bits,
				unsigned int log, void *wksp, size_t size);
#endif
#pragma GCC diagnostic pop

/* Not cleared: ZSTD_initStaticDCtx() accepts memory with any bytes, as from malloc(). */
static u64 workspace[ALIGN_UP(sizeof(ZSTD_DCtx), sizeof(u64)) / sizeof(u64)] not_cleared;

externally_visible u64 xxh64(const void *data, size_t len)
{
	return XXH64(data, len, 0);
}

externally_visible void unzstd_use_bmi2(void)
{
	have_bmi2 = true;
}

externally_visible int unzstd(void *out, size_t out_size, const void *in, size_t in_size)
{
	ZSTD_DCtx *dctx = ZSTD_initStaticDCtx(workspace, sizeof(workspace));
	size_t ret;

	if (!dctx)
		return ZSTD_error_memory_allocation;
	dctx->disableHufAsm = !have_bmi2;
	/*
	 * The dictionary argument is the constant NULL. The compiler therefore
	 * drops zstd's code for dictionaries.
	 */
	ret = ZSTD_decompress_usingDict(dctx, out, out_size, in, in_size, NULL, 0);
	/* The frame expands to more than out_size bytes. */
	if (ZSTD_getErrorCode(ret) == ZSTD_error_dstSize_tooSmall)
		return -EINVAL;
	if (ZSTD_isError(ret))
		return (int)ZSTD_getErrorCode(ret);
	/*
	 * The frame may have fewer than out_size bytes. Empty input gives 0
	 * bytes without an error.
	 */
	return ret == out_size ? 0 : -EINVAL;
}
