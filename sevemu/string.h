/* SPDX-License-Identifier: MIT */
/*
 * string.h - memory and string functions, as in C11 7.24.
 *
 * The compiler emits calls to memcpy(), memset() and memcmp() by itself.  The
 * functions may be called at any time, and cannot fail.
 */
#ifndef SEVEMU_STRING_H
#define SEVEMU_STRING_H

#include <stddef.h>

/* Copies @n bytes from @src to @dst, which must not overlap; returns @dst. */
void *memcpy(void *dst, const void *src, size_t n);

/* Sets @n bytes at @dst to the low byte of @c; returns @dst. */
void *memset(void *dst, int c, size_t n);

/*
 * Compares @n bytes as unsigned numbers.  Returns 0 if all are equal, else a
 * negative or positive number as the first differing byte of @a is less or
 * greater than that of @b.
 */
int memcmp(const void *a, const void *b, size_t n);

/* Returns the number of bytes in front of the NUL that ends @s. */
size_t strlen(const char *s);

/*
 * Compares two NUL-terminated strings.  Returns 0 if they are equal, else a
 * negative or positive number as @a sorts before or after @b.
 */
int strcmp(const char *a, const char *b);

#endif
