/* SPDX-License-Identifier: MIT */
/*
 * options.h - reads the words "name=value" of a command line, for the test
 * kernels and the test loader. These functions ignore the words from "--" on.
 */
#ifndef TEST_OPTIONS_H
#define TEST_OPTIONS_H

#include "types.h"

/*
 * Prints an error message. Each program defines this function. In the test kernel
 * it counts the error and returns. In the test loader it ends QEMU.
 */
void fail(const char *fmt, ...) printf_like(1, 2);

/*
 * Sets the command line that the functions below read. Call this first. @cmdline
 * must stay valid.
 */
void options_set(const char *cmdline);

/*
 * An option's name with its '='. options_check() takes an array of these and not
 * of pointers, because pointers would need relocations.
 */
typedef char option_name[16];

/*
 * Calls fail() for each word that begins with @prefix but with none of the @n
 * names in @known. This finds misspelled options.
 */
void options_check(const char *prefix, const option_name *known, u32 n);

/*
 * Returns the value of the @nth word "@name=value", counted from 0, or NULL if
 * there are fewer. The value ends at a blank or at a NUL.
 */
const char *option_nth(const char *name, u32 nth);

/* Returns the value of the first word "@name=value", or NULL. */
const char *option(const char *name);

/* Whether the first word "@name=..." has exactly @value. */
bool option_is(const char *name, const char *value);

/*
 * Returns the number in the first word "@name=number", or @or if there is no
 * word or its value is "any". Calls fail() if the value is not a number.
 */
u64 option_number(const char *name, u64 or);

/*
 * Parses a number with an optional unit K, M or G (KiB, MiB, GiB), or numbers
 * joined by + and -, and moves @s behind them. Calls fail() if @s does not begin
 * with a number.
 */
u64 parse_number(const char **s);

/* Parses a comma and then a number as parse_number() does. */
u64 parse_next_number(const char **s);

/* Returns the text behind the word "--", or "" if there is no such word. */
const char *options_rest(void);

#endif
