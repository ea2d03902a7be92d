/* SPDX-License-Identifier: MIT */
/*
 * test_cmdline.c - tests lib/cmdline.c, which finds options in the command line
 * and parses numbers. Tables give the expected results. On random command lines
 * the results must equal those of a search that works backwards, on random
 * numbers those of strtoul().
 *
 * Each command line is copied to heap memory of exactly its size, so that ASan
 * detects a read past its last byte. SEED=n in the environment selects other
 * random lines.
 */
#include <errno.h>

#include "harness.h"

#include "../../lib/cmdline.c"

#define DEFAULT_SEED	0xc0de
#define RANDOM_CASES	200000
#define MAX_TEXT	24
#define UNTOUCHED	"untouched"

static u64 start_random(void)
{
	const char *seed = getenv("SEED");
	u64 value = seed ? strtoul(seed, NULL, 0) : DEFAULT_SEED;

	random_seed(value);
	INFO("seed %#lx", value);
	return value;
}

static struct cmdline exact(const void *text, size_t len)
{
	char *copy = malloc(len);

	memcpy(copy, text, len);
	return (struct cmdline){ copy, len };
}

static void discard(struct cmdline *cmdline)
{
	free((char *)(uintptr_t)cmdline->text);
}

/* ---- cmdline_find_option() ---- */

#define NONE (-ENOENT)

static const struct {
	const char *text;
	const char *name;
	int len;
	const char *value;
} options[] = {
	{ "console=ttyS0", "console", 5, "ttyS0" },
	{ "quiet console=ttyS0 ro", "console", 5, "ttyS0" },
	{ "  console=ttyS0  ", "console", 5, "ttyS0" },
	{ "\tconsole=ttyS0\n", "console", 5, "ttyS0" },
	{ "console=ttyS0\rro", "console", 5, "ttyS0" },
	/* If the option occurs several times, its last value must be found. */
	{ "a=1 a=2 a=3", "a", 1, "3" },
	{ "a=1 a=2 b=3", "a", 1, "2" },
	{ "a=long a=", "a", 0, "" },
	{ "a=1 a", "a", 1, "1" },
	/*
	 * An option is found only if its whole name matches, at the start of a
	 * word, with "=" after it.
	 */
	{ "xconsole=1", "console", NONE, UNTOUCHED },
	{ "consoles=1", "console", NONE, UNTOUCHED },
	{ "consol=1", "console", NONE, UNTOUCHED },
	{ "console", "console", NONE, UNTOUCHED },
	{ "console =1", "console", NONE, UNTOUCHED },
	{ "x,console=1", "console", NONE, UNTOUCHED },
	{ "Console=1", "console", NONE, UNTOUCHED },
	{ "=1", "console", NONE, UNTOUCHED },
	{ "", "console", NONE, UNTOUCHED },
	{ "   ", "console", NONE, UNTOUCHED },
	/* A value extends to the next blank. It may contain any other byte. */
	{ "a=", "a", 0, "" },
	{ "a= b", "a", 0, "" },
	{ "a==", "a", 1, "=" },
	{ "a=b=c", "a", 3, "b=c" },
	{ "a=\"b c\"", "a", 2, "\"b" },
	{ "a=\x80\xff\x7f b", "a", 3, "\x80\xff\x7f" },
	{ "\xe1=1", "\xe1", 1, "1" },
	/*
	 * The test's buffer has 10 bytes. A value of 9 bytes fits, with its
	 * NUL. Longer values are cut, but their full length is returned.
	 */
	{ "a=123456789", "a", 9, "123456789" },
	{ "a=1234567890", "a", 10, "123456789" },
	{ "a=1234567890123 b", "a", 13, "123456789" },
};

TEST(find_option)
{
	struct cmdline cmdline;
	char buf[10];
	size_t i;
	int len;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		cmdline = exact(options[i].text, strlen(options[i].text));
		strcpy(buf, UNTOUCHED);
		len = cmdline_find_option(&cmdline, options[i].name, buf,
					  sizeof(buf));
		CHECK(len == options[i].len && !strcmp(buf, options[i].value),
		      "\"%s\" in \"%s\": %d, \"%s\"", options[i].name,
		      options[i].text, len, buf);
		discard(&cmdline);
	}
}

/*
 * The length in struct cmdline alone says where the text ends. A NUL byte in
 * the text separates words, but does not end the command line.
 */
TEST(find_option_stops_at_len)
{
	static const char text[] = "a=12\0b=3 c=4";
	struct cmdline cmdline = exact(text, sizeof(text) - 2);
	char buf[10];
	int len;

	len = cmdline_find_option(&cmdline, "a", buf, sizeof(buf));
	CHECK(len == 2 && !strcmp(buf, "12"), "a: %d, \"%s\"", len, buf);
	len = cmdline_find_option(&cmdline, "b", buf, sizeof(buf));
	CHECK(len == 1 && !strcmp(buf, "3"), "b: %d, \"%s\"", len, buf);
	len = cmdline_find_option(&cmdline, "c", buf, sizeof(buf));
	CHECK(len == 0 && !strcmp(buf, ""), "c: %d, \"%s\"", len, buf);
	cmdline.len--;
	len = cmdline_find_option(&cmdline, "c", buf, sizeof(buf));
	CHECK(len == -ENOENT, "c without =: %d", len);
	cmdline.len = 0;
	len = cmdline_find_option(&cmdline, "a", buf, sizeof(buf));
	CHECK(len == -ENOENT, "nothing: %d", len);
	discard(&cmdline);
}

/* An empty command line may have a NULL pointer as its text. */
TEST(find_option_without_text)
{
	struct cmdline none = { NULL, 0 };
	char buf[10];

	CHECK(cmdline_find_option(&none, "a", buf, sizeof(buf)) == -ENOENT,
	      "found");
	CHECK(!cmdline_find_option_bool(&none, "a"), "found");
}

TEST(find_option_small_buffers)
{
	struct cmdline cmdline = exact("a=xyz", 5);
	char buf[2] = "?";

	CHECK(cmdline_find_option(&cmdline, "a", buf, 0) == 3, "length");
	CHECK(buf[0] == '?', "writes to a buffer of 0 bytes");
	CHECK(cmdline_find_option(&cmdline, "a", buf, 1) == 3, "length");
	CHECK(buf[0] == '\0', "1 byte: not terminated");
	CHECK(cmdline_find_option(&cmdline, "a", buf, 2) == 3, "length");
	CHECK(!strcmp(buf, "x"), "2 bytes: \"%.2s\"", buf);
	CHECK(cmdline_find_option(&cmdline, "a", NULL, 0) == 3, "length");
	discard(&cmdline);
}

TEST(next_option)
{
	struct cmdline cmdline = exact("a=1 b=2 xa=3 a a=4", 18);
	struct cmdline rest = cmdline;
	char buf[10];
	int len;

	len = cmdline_next_option(&rest, "a", buf, sizeof(buf));
	CHECK(len == 1 && !strcmp(buf, "1"), "first: %d, \"%s\"", len, buf);
	len = cmdline_next_option(&rest, "a", buf, sizeof(buf));
	CHECK(len == 1 && !strcmp(buf, "4"), "second: %d, \"%s\"", len, buf);
	len = cmdline_next_option(&rest, "a", buf, sizeof(buf));
	CHECK(len == -ENOENT, "third: %d", len);
	len = cmdline_next_option(&rest, "a", buf, sizeof(buf));
	CHECK(len == -ENOENT, "again at the end: %d", len);
	discard(&cmdline);
}

/* ---- cmdline_find_option_bool() ---- */

static const struct {
	const char *text;
	const char *name;
	bool found;
} words[] = {
	{ "nokaslr", "nokaslr", true },
	{ "quiet nokaslr", "nokaslr", true },
	{ "nokaslr quiet", "nokaslr", true },
	{ "a\tnokaslr\nb", "nokaslr", true },
	{ "nokaslr2 nokaslr", "nokaslr", true },
	{ "", "nokaslr", false },
	{ " ", "nokaslr", false },
	{ "nokasl", "nokaslr", false },
	{ "nokaslr2", "nokaslr", false },
	{ "xnokaslr", "nokaslr", false },
	{ "nokaslr=1", "nokaslr", false },
	{ "nokaslr,x", "nokaslr", false },
	{ "x=nokaslr", "nokaslr", false },
	{ "nokaslr\x80", "nokaslr", false },
};

TEST(find_option_bool)
{
	struct cmdline cmdline;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		cmdline = exact(words[i].text, strlen(words[i].text));
		CHECK(cmdline_find_option_bool(&cmdline, words[i].name) ==
		      words[i].found, "\"%s\" in \"%s\"", words[i].name,
		      words[i].text);
		discard(&cmdline);
	}
}

/* ---- Random command lines, compared with a model that searches them from the back ---- */

static bool starts_word(const char *text, size_t at)
{
	return at == 0 || (unsigned char)text[at - 1] <= ' ';
}

/*
 * Returns the offset of the value of the last "@name=" in @text, or 0 if @text
 * has no such option.
 */
static size_t search_backwards(const char *text, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	size_t at;

	for (at = len; at-- > 0; )
		if (starts_word(text, at) && len - at > name_len &&
		    !strncmp(text + at, name, name_len) &&
		    text[at + name_len] == '=')
			return at + name_len + 1;
	return 0;
}

static bool search_word(const char *text, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	size_t at;

	for (at = 0; at + name_len <= len; at++)
		if (starts_word(text, at) &&
		    !strncmp(text + at, name, name_len) &&
		    (at + name_len == len ||
		     (unsigned char)text[at + name_len] <= ' '))
			return true;
	return false;
}

static void check_random(const char *text, size_t len, const char *name)
{
	struct cmdline cmdline = exact(text, len);
	size_t start = search_backwards(text, len, name);
	size_t end = start;
	char value[MAX_TEXT + 1] = "";
	int found;

	while (end < len && (unsigned char)text[end] > ' ')
		end++;
	found = cmdline_find_option(&cmdline, name, value, sizeof(value));
	if (start)
		CHECK(found == (int)(end - start) &&
		      !strncmp(value, text + start, end - start),
		      "%s in \"%.*s\": %d", name, (int)len, text, found);
	else
		CHECK(found == -ENOENT, "%s in \"%.*s\": %d", name, (int)len,
		      text, found);
	CHECK(cmdline_find_option_bool(&cmdline, name) ==
	      search_word(text, len, name), "word %s in \"%.*s\"", name,
	      (int)len, text);
	discard(&cmdline);
}

TEST(random)
{
	static const char alphabet[] = "aaabb==  \t\x80\0";
	char text[MAX_TEXT];
	size_t len, i;
	int n;

	start_random();
	for (n = 0; n < RANDOM_CASES; n++) {
		len = random_below(MAX_TEXT + 1);
		for (i = 0; i < len; i++)
			text[i] = alphabet[random_below(sizeof(alphabet) - 1)];
		check_random(text, len, "a");
		check_random(text, len, "ab");
		check_random(text, len, "a=");
	}
}

/* ---- cmdline_cut() ---- */

TEST(cut)
{
	static const struct {
		const char *text;
		size_t max, len;
	} cases[] = {
		{ "a", 0, 0 },
		{ " ", 0, 0 },
		{ "ab", 1, 0 },
		{ "a b", 1, 1 },
		{ "a b", 2, 1 },
		{ "a bc", 3, 1 },
		{ "ab c d", 5, 4 },
		{ "ab\nc\td", 3, 2 },
		{ "a  b", 2, 2 },
		{ "a \"b c\" d", 8, 7 },
		{ "a \"b c d", 7, 1 },
		{ "a\"b c\"d e", 7, 7 },
		{ "\xc3\xa4 \xc3\xa4", 4, 2 },
	};
	struct cmdline text;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		text = exact(cases[i].text, cases[i].max + 1);
		len = cmdline_cut(text.text, cases[i].max);
		CHECK(len == cases[i].len, "case %zu: %zu", i, len);
		discard(&text);
	}
}

/* ---- parse_u64() ---- */

#define BAD -1

static const struct {
	const char *text;
	unsigned int base;
	int consumed;
	u64 value;
} numbers[] = {
	{ "0", 0, 1, 0 },
	{ "0", 10, 1, 0 },
	{ "0", 16, 1, 0 },
	{ "123", 0, 3, 123 },
	{ "123", 10, 3, 123 },
	{ "123", 16, 3, 0x123 },
	{ "0x3f8", 0, 5, 0x3f8 },
	{ "0X3F8", 0, 5, 0x3f8 },
	{ "0x3f8", 16, 5, 0x3f8 },
	{ "0x3f8", 10, 1, 0 },
	{ "017", 0, 3, 017 },
	{ "017", 10, 3, 17 },
	{ "089", 0, 1, 0 },
	{ "115200n8", 10, 6, 115200 },
	{ "abcdefg", 16, 6, 0xabcdef },
	{ "ABCDEFG", 16, 6, 0xabcdef },
	{ "9:", 16, 1, 9 },
	{ "9@", 16, 1, 9 },
	{ "9`", 16, 1, 9 },
	{ "9/", 10, 1, 9 },
	{ "0x", 0, 1, 0 },
	{ "0xg", 16, 1, 0 },
	{ "1G", 0, 1, 1 },
	{ "18446744073709551615", 0, 20, UINT64_MAX },
	{ "18446744073709551616", 0, BAD, 0 },
	{ "18446744073709551625", 0, BAD, 0 },
	{ "99999999999999999999", 10, BAD, 0 },
	{ "0xffffffffffffffff", 0, 18, UINT64_MAX },
	{ "0x10000000000000000", 0, BAD, 0 },
	{ "0x00000000000000000001", 0, 22, 1 },
	{ "01777777777777777777777", 0, 23, UINT64_MAX },
	{ "02000000000000000000000", 0, BAD, 0 },
	{ "", 0, BAD, 0 },
	{ "x", 0, BAD, 0 },
	{ " 1", 0, BAD, 0 },
	{ "-1", 0, BAD, 0 },
	{ "+1", 0, BAD, 0 },
	{ "a", 10, BAD, 0 },
	{ "\xb1", 10, BAD, 0 },
};

static void check_number(const char *text, unsigned int base, int consumed,
			 u64 expected)
{
	struct number number = parse_u64(text, base);

	if (consumed == BAD) {
		CHECK(!number.end, "\"%s\" base %u: %lu", text, base, number.value);
		return;
	}
	CHECK(number.end == text + consumed, "\"%s\" base %u: \"%s\" is left", text,
	      base, number.end ? number.end : "no number");
	CHECK(number.value == expected, "\"%s\" base %u: %lu", text, base, number.value);
}

TEST(parse_u64)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		check_number(numbers[i].text, numbers[i].base,
			     numbers[i].consumed, numbers[i].value);
}

TEST(parse_u64_random)
{
	static const char alphabet[] = "00000011789afxxXF g";
	static const unsigned int bases[] = { 0, 10, 16 };
	char text[MAX_TEXT + 1];
	unsigned long value;
	unsigned int base;
	size_t len, i;
	char *end;
	int n;

	start_random();
	for (n = 0; n < RANDOM_CASES; n++) {
		len = random_below(sizeof(text));
		for (i = 0; i < len; i++)
			text[i] = alphabet[random_below(sizeof(alphabet) - 1)];
		text[len] = '\0';
		base = bases[random_below(ARRAY_SIZE(bases))];

		errno = 0;
		value = strtoul(text, &end, (int)base);
		check_number(text, base,
			     text[0] == ' ' || end == text || errno ?
			     BAD : (int)(end - text), value);
	}
}
