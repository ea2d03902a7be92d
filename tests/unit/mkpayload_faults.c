/* SPDX-License-Identifier: MIT */
/*
 * mkpayload_faults.c - a library for LD_PRELOAD that makes functions fail that
 * mkpayload calls. FAULT in the environment names the failure. The tests need
 * it because neither a disk nor zstd fails on demand.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <bzlib.h>
#include <dlfcn.h>
#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static bool fault(const char *name)
{
	const char *asked = getenv("FAULT");

	return asked && !strcmp(asked, name);
}

/*
 * The C library's @function, which this preloaded library replaces by a
 * function of the same name.
 */
#define REAL(function) \
	((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

ssize_t read(int fd, void *buffer, size_t size)
{
	if (fault("read-error")) {
		errno = EIO;
		return -1;
	}
	return fault("read-end") ? 0 : REAL(read)(fd, buffer, size);
}

int inflateInit2_(z_stream *z, int bits, const char *version, int size)
{
	return fault("no-zlib") ? Z_MEM_ERROR :
				  REAL(inflateInit2_)(z, bits, version, size);
}

int BZ2_bzDecompressInit(bz_stream *s, int verbosity, int small)
{
	return fault("no-bzip2") ? BZ_MEM_ERROR :
				   REAL(BZ2_bzDecompressInit)(s, verbosity, small);
}

lzma_ret lzma_alone_decoder(lzma_stream *s, uint64_t memory_limit)
{
	return fault("no-lzma") ? LZMA_MEM_ERROR :
				  REAL(lzma_alone_decoder)(s, memory_limit);
}

ZSTD_CCtx *ZSTD_createCCtx(void)
{
	return fault("no-context") ? NULL : REAL(ZSTD_createCCtx)();
}

size_t ZSTD_compressStream2(ZSTD_CCtx *cctx, ZSTD_outBuffer *out,
			    ZSTD_inBuffer *in, ZSTD_EndDirective end)
{
	size_t left = REAL(ZSTD_compressStream2)(cctx, out, in, end);

	if (fault("compress"))
		return (size_t)-1;
	return fault("unfinished") ? 1 : left;
}

size_t ZSTD_decompressionMargin(const void *src, size_t size)
{
	return fault("margin") ? 1 : REAL(ZSTD_decompressionMargin)(src, size);
}

size_t ZSTD_decompress(void *dst, size_t room, const void *src, size_t size)
{
	size_t ret = REAL(ZSTD_decompress)(dst, room, src, size);

	if (fault("output"))
		((char *)dst)[ret - 1] ^= 1;
	return fault("output-size") ? ret - 1 : ret;
}
