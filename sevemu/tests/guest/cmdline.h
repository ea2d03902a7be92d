/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - finds "case=NAME" in the command line, for the guest's 32-bit and
 * 64-bit parts.
 */
#ifndef GUEST_CMDLINE_H
#define GUEST_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the text behind "case=" in @cmdline, or "all" if there is no "case=". */
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

/* Whether the word at @p is @name. A blank, a newline or NUL ends the word. */
static inline bool word_is(const char *p, const char *name)
{
	while (*name && *p == *name) {
		p++;
		name++;
	}
	return !*name && (!*p || *p == ' ' || *p == '\n');
}

#endif
