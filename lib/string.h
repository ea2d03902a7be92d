/* SPDX-License-Identifier: MIT */
/*
 * lib/string.h - the functions of the C library that the stub has
 * (lib/string.c). They behave as ISO C says. A test that runs on the build machine
 * uses that machine's C library instead.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "types.h"

#ifndef SEVSTUB_HOSTED
void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
#endif

#endif
