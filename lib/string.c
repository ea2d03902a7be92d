/* SPDX-License-Identifier: MIT */
/*
 * string.c - the C library functions that the stub, zstd's decoder and the
 * compiler itself call. Needs nothing: runs from the first C function on.
 *
 * Long runs use string instructions on eight bytes at a time: small, fast on
 * every SEV processor, and an emulator that counts instructions counts one for
 * each eight bytes. What is left over is at most seven bytes, so that short
 * calls stay cheap without a path of their own.
 *
 * The direction flag is clear on entry and on return (System V ABI), and the
 * exception handlers see to that for themselves.
 */
#include "lib/string.h"

#define BYTE_ONES 0x0101010101010101UL	/* times a byte: that byte, 8 times */

/* Any eight bytes in memory, whatever their type and alignment. */
typedef u64 __attribute__((may_alias, aligned(1))) any_u64;

void *memcpy(void *dst, const void *src, size_t len)
{
	void *to = dst;
	size_t count = len / sizeof(u64);

	asm volatile("rep movsq" : "+D"(to), "+S"(src), "+c"(count)
		     : : "memory");
	count = len % sizeof(u64);
	asm volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(count)
		     : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	char *to = dst;
	const char *from = src;

	/*
	 * Upwards is right unless the destination begins inside the source.
	 * Below the source, the unsigned difference is larger than any length.
	 */
	if ((u64)to - (u64)from >= len)
		return memcpy(dst, src, len);

	while (len % sizeof(u64)) {
		len--;
		to[len] = from[len];
	}
	while (len) {
		len -= sizeof(u64);
		*(any_u64 *)(to + len) = *(const any_u64 *)(from + len);
	}
	return dst;
}

void *memset(void *dst, int value, size_t len)
{
	void *to = dst;
	size_t count = len / sizeof(u64);
	u64 pattern = (u8)value * BYTE_ONES;

	asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(pattern)
		     : "memory");
	count = len % sizeof(u64);
	asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(pattern)
		     : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a;
	const u8 *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strnlen(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len])
		len++;
	return len;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}
