/* SPDX-License-Identifier: MIT */
/*
 * unzstd.c - zstd's decoder and XXH64, built from zstd's own source as one
 * translation unit, with what they expect of a C library.
 *
 * Runs after .bss has been cleared. The decoder allocates nothing: its context
 * is static, and decompression in one pass needs no window buffer. It executes
 * no CPUID, which would be an exit to the hypervisor.
 */
#include "misc.h"

/* zstd's hook for a freestanding build: what zstd_deps.h would define. */
#define ZSTD_DEPS_COMMON
#include <limits.h>
#define ZSTD_memcpy(d, s, n) __builtin_memcpy((d), (s), (n))
#define ZSTD_memmove(d, s, n) __builtin_memmove((d), (s), (n))
#define ZSTD_memset(p, v, n) __builtin_memset((p), (v), (n))
#define ZSTD_DEPS_MALLOC
#define ZSTD_malloc(size) ((void)(size), NULL)
#define ZSTD_calloc(n, size) ((void)(n), (void)(size), NULL)
#define ZSTD_free(p) ((void)(p))

/* In place of common/cpu.h: the answer comes from unzstd_use_bmi2(). */
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

#define ZSTD_STATIC_LINKING_ONLY
#define XXH_NO_XXH3
#define XXH_INLINE_ALL
#ifndef NDEBUG
#define NDEBUG	/* zstd's own assertions, not ours */
#endif

/* Not our code to mend. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "common/xxhash.h"
#include "common/debug.c"
/*
 * Without a second copy for BMI2 the reading of tables takes 6 % more of all
 * instructions, and 6 KB less.
 */
#undef DYNAMIC_BMI2
#define DYNAMIC_BMI2 0
#include "common/entropy_common.c"
#include "common/error_private.c"
#include "common/fse_decompress.c"
#undef DYNAMIC_BMI2
#define DYNAMIC_BMI2 1
#include "common/zstd_common.c"
/*
 * The loops of these three run in assembly or once a block: for 7 KB less they
 * take 4 % more instructions. What they inline is included before, at speed.
 */
#include "common/bitstream.h"
#include "common/fse.h"
#include "common/huf.h"
#ifndef __clang__
#pragma GCC push_options
#pragma GCC optimize("Os")
#endif
#include "decompress/huf_decompress.c"
#include "decompress/zstd_ddict.c"
#include "decompress/zstd_decompress.c"
#ifndef __clang__
#pragma GCC pop_options
#endif
#include "decompress/zstd_decompress_block.c"
#pragma GCC diagnostic pop

static u64 workspace[ALIGN_UP(sizeof(ZSTD_DCtx), sizeof(u64)) / sizeof(u64)];

u64 xxh64(const void *data, size_t len)
{
	return XXH64(data, len, 0);
}

void unzstd_use_bmi2(void)
{
	have_bmi2 = true;
}

int unzstd(void *out, size_t out_size, const void *in, size_t in_size)
{
	ZSTD_DCtx *dctx = ZSTD_initStaticDCtx(workspace, sizeof(workspace));
	size_t ret;

	if (!dctx)
		return ZSTD_error_memory_allocation;
	ret = ZSTD_decompressDCtx(dctx, out, out_size, in, in_size);
	/* Too much, or too little: even no input at all is a success of 0. */
	if (ZSTD_getErrorCode(ret) == ZSTD_error_dstSize_tooSmall)
		return -EINVAL;
	if (ZSTD_isError(ret))
		return (int)ZSTD_getErrorCode(ret);
	return ret == out_size ? 0 : -EINVAL;
}
