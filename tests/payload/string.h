/* SPDX-License-Identifier: MIT */
/*
 * string.h - memory functions of the test kernels and the test loader. They do what the
 * C standard says.
 */
#ifndef TEST_STRING_H
#define TEST_STRING_H

#include "types.h"

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int value, size_t len);

#endif
