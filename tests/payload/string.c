/* SPDX-License-Identifier: MIT */
/*
 * string.c - the C library's memory functions, to which compilers generate calls, for
 * the test kernels and the test loader. They must not use SSE, which the boot protocol
 * does not enable.
 */
#include "string.h"

void *memcpy(void *dst, const void *src, size_t len)
{
	void *d = dst;

	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(len) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	u8 *d = (u8 *)dst + len - 1;
	const u8 *s = (const u8 *)src + len - 1;

	if ((u64)dst - (u64)src >= len)
		return memcpy(dst, src, len);
	asm volatile("std; rep movsb; cld"
		     : "+D"(d), "+S"(s), "+c"(len) : : "memory", "cc");
	return dst;
}

void *memset(void *dst, int value, size_t len)
{
	void *d = dst;

	asm volatile("rep stosb" : "+D"(d), "+c"(len) : "a"(value) : "memory");
	return dst;
}
