/* SPDX-License-Identifier: MIT */
/*
 * string.h - the memory functions of the test kernels and the test loader, with
 * the meaning that the C standard gives them.
 */
#ifndef TEST_STRING_H
#define TEST_STRING_H

#include "types.h"

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int value, size_t len);

#endif
