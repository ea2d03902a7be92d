/* SPDX-License-Identifier: MIT */
/*
 * json FILE [CHECK...] - the test suite's reader of sevemu's reports. FILE must
 * hold exactly one JSON object (RFC 8259), and each CHECK must hold of it:
 *
 *	PATH=VALUE	the value at PATH (names joined by dots) is VALUE
 *	PATH		there is a value at PATH
 *	!PATH		there is none
 *
 * Exit status 0 if so; 1 with one line on stderr that says what does not hold.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE	256
#define CHECKS_MAX	64

struct check {
	const char *path, *value;
	size_t len;
	bool absent, found;
};

static const char *start, *at;
static struct check checks[CHECKS_MAX];
static int count;

static void __attribute__((noreturn, format(printf, 1, 2)))
refuse(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void __attribute__((noreturn)) bad(const char *what)
{
	refuse("no JSON: %s at byte %ld", what, (long)(at - start));
}

static void blanks(void)
{
	while (*at && strchr(" \t\r\n", *at))
		at++;
}

static void need(char c)
{
	blanks();
	if (*at != c)
		bad("unexpected character");
	at++;
}

static void string(void)
{
	need('"');
	while (*at != '"') {
		if ((unsigned char)*at < ' ')
			bad("control character or end in a string");
		if (*at == '\\' && (!*++at || !strchr("\"\\/bfnrtu", *at)))
			bad("unknown escape");
		at++;
	}
	at++;
}

static void digits(void)
{
	if (!isdigit((unsigned char)*at))
		bad("digit missing");
	while (isdigit((unsigned char)*at))
		at++;
}

static void number(void)
{
	if (*at == '-')
		at++;
	if (*at == '0')
		at++;
	else
		digits();
	if (*at == '.') {
		at++;
		digits();
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		if (*at == '+' || *at == '-')
			at++;
		digits();
	}
}

static void word(const char *w)
{
	if (strncmp(at, w, strlen(w)))
		bad("unknown word");
	at += strlen(w);
}

/* The value at @path has been read: from @from to here, quotes left out. */
static void compare(const char *path, const char *from)
{
	size_t len = (size_t)(at - from);
	struct check *c;

	if (*from == '"') {
		from++;
		len -= 2;
	}
	for (c = checks; c < checks + count; c++) {
		if (strlen(path) != c->len || strncmp(path, c->path, c->len))
			continue;
		if (c->absent)
			refuse("%s is there: %.*s", path, (int)len, from);
		if (c->value && (strlen(c->value) != len ||
				 strncmp(c->value, from, len)))
			refuse("%s is %.*s, not %s", path, (int)len, from,
			       c->value);
		c->found = true;
	}
}

static void value(char *path);

static void object(char *path)
{
	size_t len = strlen(path);
	const char *name;

	need('{');
	blanks();
	if (*at == '}') {
		at++;
		return;
	}
	do {
		blanks();
		name = at + 1;
		string();
		if ((size_t)snprintf(path + len, PATH_SIZE - len, "%s%.*s",
				     len ? "." : "", (int)(at - 1 - name),
				     name) >= PATH_SIZE - len)
			bad("names too long");
		need(':');
		value(path);
		path[len] = '\0';
		blanks();
	} while (*at == ',' && at++);
	need('}');
}

static void array(char *path)
{
	need('[');
	blanks();
	if (*at == ']') {
		at++;
		return;
	}
	do {
		value(path);
		blanks();
	} while (*at == ',' && at++);
	need(']');
}

static void value(char *path)
{
	const char *from;

	blanks();
	from = at;
	switch (*at) {
	case '{': object(path); break;
	case '[': array(path); break;
	case '"': string(); break;
	case 't': word("true"); break;
	case 'f': word("false"); break;
	case 'n': word("null"); break;
	default: number();
	}
	compare(path, from);
}

static void read_file(const char *name)
{
	FILE *f = fopen(name, "r");
	static char text[1 << 16];
	size_t len;

	if (!f)
		refuse("cannot open %s", name);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	if (len == sizeof(text) - 1 || strlen(text) != len)
		refuse("%s is too long or has a NUL", name);
	start = at = text;
}

int main(int argc, char **argv)
{
	char path[PATH_SIZE] = "";
	struct check *c;
	int i;

	if (argc < 2 || argc - 2 > CHECKS_MAX)
		refuse("usage: json FILE [CHECK...]");
	for (i = 2; i < argc; i++) {
		c = &checks[count++];
		c->absent = argv[i][0] == '!';
		c->path = argv[i] + c->absent;
		c->len = strcspn(c->path, "=");
		if (c->path[c->len])
			c->value = c->path + c->len + 1;
	}
	read_file(argv[1]);
	blanks();
	object(path);
	blanks();
	if (*at)
		bad("something behind the object");
	for (c = checks; c < checks + count; c++)
		if (!c->absent && !c->found)
			refuse("%.*s is not there", (int)c->len, c->path);
	return 0;
}
