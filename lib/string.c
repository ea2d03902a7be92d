/* SPDX-License-Identifier: MIT */
/*
 * string.c - the functions of the C library that the stub, zstd's decoder and
 * the compiler's own code call. They need no other code and no .bss, and may
 * run from the first C function on.
 *
 * Long runs use string instructions on eight bytes at a time. That code is
 * small and fast on every processor with SEV, and an emulator counts one
 * instruction for each eight bytes. The rest of at most seven bytes is handled
 * byte by byte, so that short calls need no path of their own.
 *
 * The direction flag is clear on entry and on return (System V ABI). The
 * exception handlers clear it for themselves.
 */
#include "lib/string.h"

#define BYTE_ONES 0x0101010101010101UL	/* multiplied by a byte: eight copies of it */

/* Eight bytes of memory of any type and alignment. */
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
	 * Copying upwards is wrong only if the destination begins inside the
	 * source. If it lies below the source, the unsigned difference is
	 * larger than any length.
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
