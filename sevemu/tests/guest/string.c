/* SPDX-License-Identifier: MIT */
/*
 * string.c - the C library's memory functions, to which the compiler may generate
 * calls.
 */
#include "guest.h"

void *memset(void *dst, int value, size_t len)
{
	void *p = dst;

	asm volatile("rep stosb" : "+D"(p), "+c"(len) : "a"(value) : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *p = dst;

	asm volatile("rep movsb" : "+D"(p), "+S"(src), "+c"(len) : : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *p = a, *q = b;

	for (; len; len--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
