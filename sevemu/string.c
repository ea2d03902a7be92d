/* SPDX-License-Identifier: MIT */
/*
 * string.c - memory and string functions: those that the compiler may call in
 * freestanding code, strlen() and strcmp().
 */
#include "sevemu.h"
#include "string.h"

/*
 * memcpy() and memset() move 8 bytes at a time as far as they can: TCG executes each
 * repetition of a string instruction as a loop of its own, so that bytes take eight
 * times as long.
 */
void *memcpy(void *dst, const void *src, size_t n)
{
	size_t quads = n / sizeof(u64), bytes = n % sizeof(u64);
	void *d = dst;

	asm volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(quads) : : "memory");
	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(bytes) : : "memory");
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 fill = (u8)c * 0x0101010101010101UL;
	size_t quads = n / sizeof(u64), bytes = n % sizeof(u64);
	void *d = dst;

	asm volatile("rep stosq" : "+D"(d), "+c"(quads) : "a"(fill) : "memory");
	asm volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(fill) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}
