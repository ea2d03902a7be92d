/* SPDX-License-Identifier: MIT */
/*
 * options.h - "name=value" words of a command line, for the test kernels and
 * the test loader. Words behind "--" are somebody else's.
 */
#ifndef TEST_OPTIONS_H
#define TEST_OPTIONS_H

#include "types.h"

/* Says that something is wrong. Each program brings its own. */
void fail(const char *fmt, ...) printf_like(1, 2);

/* @cmdline stays in use. Nothing below works without it. */
void options_set(const char *cmdline);

/* An array of these and not of pointers, which would need relocation. */
typedef char option_name[16];

/*
 * Fails if there is a word that begins with @prefix, but not with one of the
 * @n names in @known, which include the '='.
 */
void options_check(const char *prefix, const option_name *known, u32 n);

/*
 * What follows the '=' of the @nth "name=value", ending at a blank or at the
 * end of the string; NULL if there are not as many.
 */
const char *option_nth(const char *name, u32 nth);
const char *option(const char *name);
bool option_is(const char *name, const char *value);

/* The number after "name=", or @or if there is none. "any" is no number. */
u64 option_number(const char *name, u64 or);
/*
 * Parses a number with an optional K, M or G, or a sum or difference of such,
 * and moves @s behind it.
 */
u64 parse_number(const char **s);
/* The same for the number behind a comma. */
u64 parse_next_number(const char **s);

/* What follows the word "--", or "". */
const char *options_rest(void);

#endif
