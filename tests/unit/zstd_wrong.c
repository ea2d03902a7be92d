/* SPDX-License-Identifier: MIT */
/*
 * zstd_wrong.c - a library to preload into mkpayload: zstd's functions with a
 * mistake that ZSTD_WRONG names, for mkpayload's own proof to find.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static int wrong(const char *what)
{
	const char *asked = getenv("ZSTD_WRONG");

	return asked && !strcmp(asked, what);
}

size_t ZSTD_decompressionMargin(const void *src, size_t size)
{
	size_t (*real)(const void *, size_t) = dlsym(RTLD_NEXT, __func__);

	return wrong("margin") ? 1 : real(src, size);
}

size_t ZSTD_decompress(void *dst, size_t room, const void *src, size_t size)
{
	size_t (*real)(void *, size_t, const void *, size_t) =
		dlsym(RTLD_NEXT, __func__);
	size_t ret = real(dst, room, src, size);

	if (wrong("output"))
		((char *)dst)[ret - 1] ^= 1;
	return ret;
}
