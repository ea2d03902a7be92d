/* SPDX-License-Identifier: MIT */
/*
 * options.h - reads words "name=value" of a command line, for the test kernels and the
 * test loader. These functions ignore the word "--" and all words after it.
 */
#ifndef TEST_OPTIONS_H
#define TEST_OPTIONS_H

#include "types.h"

/*
 * Prints an error message. The test kernel and the test loader each define this
 * function. In the test kernel it counts the error and returns. In the test loader it
 * makes QEMU exit.
 */
void fail(const char *fmt, ...) printf_like(1, 2);

/*
 * Sets the command line that the functions below read. Must be called before them.
 * @cmdline must stay valid.
 */
void options_set(const char *cmdline);

/*
 * The name of an option with its '=', filled up with NUL bytes to 16 bytes.
 * options_check() takes an array of names and not of pointers, because the linker would
 * have to relocate pointers, and the test kernel is linked without relocations.
 */
typedef char option_name[16];

/*
 * Calls fail() for each word that begins with @prefix but with none of the @n option
 * names in @known. This finds misspelled options.
 */
void options_check(const char *prefix, const option_name *known, u32 n);

/*
 * Returns the value of the @nth word "@name=VALUE" of the command line, counted from 0,
 * or NULL if there are fewer. A blank or NUL follows the value.
 */
const char *option_nth(const char *name, u32 nth);

/*
 * Returns the value of the first word "@name=VALUE" of the command line, or NULL if it
 * does not exist.
 */
const char *option(const char *name);

/* Whether the first word "@name=..." has exactly the value @value. */
bool option_is(const char *name, const char *value);

/*
 * Returns the number in the first word "@name=NUMBER". Returns @or if the word does not
 * exist or its value is "any". Calls fail() if the value is not a number.
 */
u64 option_number(const char *name, u64 or);

/*
 * Parses a number at *@s and moves *@s after it. A number is decimal or with 0x
 * hexadecimal, may have a unit K, M or G (KiB, MiB, GiB), and may be a sum or
 * difference such as 0x1000+2M. Calls fail() if *@s does not begin with a number.
 */
u64 parse_number(const char **s);

/* Parses a comma at *@s and the number after it, as parse_number() does. */
u64 parse_next_number(const char **s);

/* Returns the text after the word "--", or "" if the command line has no such word. */
const char *options_rest(void);

#endif
