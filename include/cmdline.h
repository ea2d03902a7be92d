/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - options on the kernel's command line (lib/cmdline.c).
 */
#ifndef CMDLINE_H
#define CMDLINE_H

#include "types.h"

/*
 * A command line as a loader hands it over: words that are separated by bytes
 * of value 0x20 (' ') or less. @text need not end in a NUL; no byte at or after
 * @text + @len is read.
 */
struct cmdline {
	const char *text;
	size_t len;		/* bytes at text */
};

/*
 * Looks for the word "@name=value". If the command line has several, the last
 * one counts, as in the kernel. Copies at most @size - 1 bytes of the value and
 * a NUL into @buf; if @size is 0, copies nothing.
 *
 * Returns the length of the whole value in bytes. Returns -ENOENT and leaves
 * @buf unchanged if the word does not occur.
 */
int cmdline_find_option(const struct cmdline *cmdline, const char *name,
			char *buf, size_t size);

/*
 * Finds the first word "@name=value" in @rest and removes it, and all that
 * precedes it, from @rest. Repeated calls therefore visit each occurrence. @buf,
 * @size and the result are as for cmdline_find_option(). After -ENOENT @rest is
 * empty.
 */
int cmdline_next_option(struct cmdline *rest, const char *name, char *buf,
			size_t size);

/*
 * Returns how many bytes of the text at @text to keep if at most @max fit: all
 * words that fit whole. A blank in double quotes is part of a word, as in the
 * kernel. Reads @max + 1 bytes, which must hold no NUL.
 */
size_t cmdline_cut(const char *text, size_t max);

/* Returns true if @name is a whole word of the command line. */
bool cmdline_find_option_bool(const struct cmdline *cmdline, const char *name);

/*
 * A number that was read from text. Functions return the structure in registers, because
 * a loader has chosen the number. If it were on the stack, the hypervisor could put it back
 * later in place of a return address: see not_on_stack in types.h.
 */
struct number {
	u64 value;
	/* The character of the text after the number. NULL: the text does not begin with one. */
	const char *end;
};

/*
 * Reads an unsigned number from the string @s, as strtoul() does with @base 0,
 * 10 or 16, but accepts neither blanks nor a sign in front of it. The result's @end is
 * NULL if @s does not begin with a digit, or the number has more than 64 bits.
 */
struct number parse_u64(const char *s, unsigned int base);

#endif
