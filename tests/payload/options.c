/* SPDX-License-Identifier: MIT */
/*
 * options.c - parses words "name=value" on a command line. They tell the test loader
 * what to do and the test kernel what to expect. tests/payload/USAGE.md lists them.
 */
#include "options.h"

static const char *words;

static bool blank(char c)
{
	return c == ' ' || c == '\0';
}

/*
 * Returns the part of @word after @prefix, or NULL if @word does not begin with
 * @prefix.
 */
static const char *skip_prefix(const char *word, const char *prefix)
{
	for (; *prefix; prefix++, word++)
		if (*word != *prefix)
			return NULL;
	return word;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

static const char *next_word(const char *word)
{
	while (!blank(*word))
		word++;
	return skip_blanks(word);
}

static bool is_end(const char *word)
{
	const char *behind = skip_prefix(word, "--");

	return !*word || (behind && blank(*behind));
}

void options_set(const char *cmdline)
{
	words = skip_blanks(cmdline);
}

const char *options_rest(void)
{
	const char *word = words;

	while (!is_end(word))
		word = next_word(word);
	return *word ? next_word(word) : word;
}

const char *option_nth(const char *name, u32 nth)
{
	for (const char *word = words; !is_end(word); word = next_word(word)) {
		const char *value = skip_prefix(word, name);

		if (value && *value == '=' && !nth--)
			return value + 1;
	}
	return NULL;
}

const char *option(const char *name)
{
	return option_nth(name, 0);
}

bool option_is(const char *name, const char *value)
{
	const char *s = option(name);

	s = s ? skip_prefix(s, value) : NULL;
	return s && blank(*s);
}

/*
 * Returns the value of the decimal or hexadecimal digit @c, or 16 if @c is not a digit.
 */
static u32 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u32)(c - 'a' + 10);
	return 16;
}

/*
 * Parses one unsigned number at *@s, decimal or with 0x hexadecimal, and an optional
 * unit K, M or G (KiB, MiB, GiB). Moves *@s after it.
 */
static u64 parse_term(const char **s)
{
	const char *p = *s;
	u32 base = 10;
	u64 n = 0;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	if (digit(*p) >= base)
		fail("option: \"%s\" does not begin with a number", *s);
	for (; digit(*p) < base; p++)
		n = n * base + digit(*p);
	switch (*p) {
	case 'G':
		n <<= 10;
		/* fall through */
	case 'M':
		n <<= 10;
		/* fall through */
	case 'K':
		n <<= 10;
		p++;
	}
	*s = p;
	return n;
}

u64 parse_number(const char **s)
{
	u64 n = parse_term(s);

	while (**s == '+' || **s == '-') {
		bool minus = *(*s)++ == '-';
		u64 term = parse_term(s);

		n += minus ? -term : term;
	}
	return n;
}

u64 parse_next_number(const char **s)
{
	if (**s != ',')
		fail("option: a comma and a number belong before \"%s\"", *s);
	else
		++*s;
	return parse_number(s);
}

u64 option_number(const char *name, u64 or)
{
	const char *value = option(name);

	if (!value || option_is(name, "any"))
		return or;
	return parse_number(&value);
}

void options_check(const char *prefix, const option_name *known, u32 n)
{
	for (const char *word = words; !is_end(word); word = next_word(word)) {
		u32 i = 0;

		if (!skip_prefix(word, prefix))
			continue;
		while (i < n && !skip_prefix(word, known[i]))
			i++;
		if (i == n)
			fail("option: unknown, from here on: \"%s\"", word);
	}
}
