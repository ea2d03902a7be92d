/* SPDX-License-Identifier: MIT */
/*
 * cmdline.c - finds options on the kernel's command line and parses numbers.
 *
 * The command line comes from a loader. It may hold any bytes and need not end
 * in a NUL, so every access to it is bounded by its length. The functions use
 * no static data and may run before .bss is cleared.
 */
#include "cmdline.h"
#include "lib/string.h"

#define NOT_A_DIGIT 0xff

/* Words of the command line end at blanks, control characters and NUL bytes. */
static bool is_separator(char c)
{
	return (u8)c <= ' ';
}

/*
 * Cuts the first word off @rest and stores it in @word. Returns false if @rest
 * has no more words.
 */
static bool next_word(struct cmdline *rest, struct cmdline *word)
{
	const char *text = rest->text;
	const char *end = text + rest->len;

	while (text < end && is_separator(*text))
		text++;
	word->text = text;
	while (text < end && !is_separator(*text))
		text++;
	word->len = (size_t)(text - word->text);
	rest->text = text;
	rest->len = (size_t)(end - text);
	return word->len != 0;
}

static bool starts_with(const struct cmdline *word, const char *name, size_t len)
{
	return word->len >= len && !memcmp(word->text, name, len);
}

static int copy_value(const char *value, size_t len, char *buf, size_t size)
{
	size_t copied = len;

	if (size) {
		if (copied > size - 1)
			copied = size - 1;
		memcpy(buf, value, copied);
		buf[copied] = '\0';
	}
	return (int)len;
}

int cmdline_next_option(struct cmdline *rest, const char *name, char *buf,
			size_t size)
{
	size_t name_len = strlen(name);
	struct cmdline word;

	while (next_word(rest, &word))
		if (starts_with(&word, name, name_len) &&
		    word.len > name_len && word.text[name_len] == '=')
			return copy_value(word.text + name_len + 1,
					  word.len - name_len - 1, buf, size);
	return -ENOENT;
}

int cmdline_find_option(const struct cmdline *cmdline, const char *name,
			char *buf, size_t size)
{
	struct cmdline rest = *cmdline;
	int last = -ENOENT;
	int len;

	while ((len = cmdline_next_option(&rest, name, buf, size)) >= 0)
		last = len;
	return last;
}

bool cmdline_find_option_bool(const struct cmdline *cmdline, const char *name)
{
	struct cmdline rest = *cmdline;
	size_t name_len = strlen(name);
	struct cmdline word;

	while (next_word(&rest, &word))
		if (word.len == name_len && starts_with(&word, name, name_len))
			return true;
	return false;
}

size_t cmdline_cut(const char *text, size_t max)
{
	bool quoted = false;
	size_t len = 0, i;

	for (i = 0; i <= max; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && is_separator(text[i]))
			len = i;
	}
	return len;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A' + 10);
	return NOT_A_DIGIT;
}

/*
 * Returns true if @s begins with "0x" and a hexadecimal digit. Without a digit
 * strtoul() reads the number 0 and stops at the "x", and so does parse_u64().
 */
static bool has_hex_prefix(const char *s)
{
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	       digit_value(s[2]) != NOT_A_DIGIT;
}

struct number parse_u64(const char *s, unsigned int base)
{
	const struct number none = { 0, NULL };
	const char *first;
	u64 sum = 0;

	if (base != 10 && has_hex_prefix(s)) {
		s += 2;
		base = 16;
	} else if (!base) {
		base = s[0] == '0' ? 8 : 10;
	}

	for (first = s; digit_value(*s) < base; s++)
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit_value(*s), &sum))
			return none;
	return s == first ? none : (struct number){ sum, s };
}
