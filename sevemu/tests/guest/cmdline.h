/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - finds the word "case=NAME" in the test guest's command line. Both the
 * 32-bit code (boot32.c) and the 64-bit code (main.c) need it.
 */
#ifndef GUEST_CMDLINE_H
#define GUEST_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the text after "case=" in @cmdline, or "all" if there is no "case=". */
static inline const char *cmdline_case(const char *cmdline)
{
	static const char key[] = "case=";
	const char *p = cmdline;
	size_t i;

	while (*p) {
		for (i = 0; key[i] && p[i] == key[i]; i++)
			;
		if (!key[i])
			return p + i;
		p++;
	}
	return "all";
}

/*
 * Whether the word at @p is exactly @name. A blank, a newline or NUL follows the word.
 */
static inline bool word_is(const char *p, const char *name)
{
	while (*name && *p == *name) {
		p++;
		name++;
	}
	return !*name && (!*p || *p == ' ' || *p == '\n');
}

#endif
