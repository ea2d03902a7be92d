/* SPDX-License-Identifier: MIT */
/*
 * corpus.c - converts a fuzz target's corpus, its inputs, between one file for each
 * input and one text file for all. People can read the text, and version control
 * shows its changes. Each line is an input in hexadecimal, with a run of zero bytes
 * as (LENGTH). An empty line is an empty input.
 *
 *	corpus pack FILE...	prints the text for these inputs
 *	corpus unpack DIR	reads the text from stdin, writes DIR/00000, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX	0x100000
/*
 * A run of fewer zero bytes than this is written as 00 for each byte, because the
 * notation (LENGTH) would save at most one character.
 */
#define RUN_MIN		3

static unsigned char input[INPUT_MAX];

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void pack(const char *name)
{
	FILE *f = fopen(name, "rb");
	size_t size, i, run;

	if (!f)
		die(name);
	size = fread(input, 1, sizeof(input), f);
	fclose(f);
	for (i = 0; i < size; i += run ? run : 1) {
		for (run = 0; i + run < size && !input[i + run];)
			run++;
		if (run < RUN_MIN) {
			run = 0;
			printf("%02x", input[i]);
		} else {
			printf("(%zu)", run);
		}
	}
	putchar('\n');
}

/*
 * Reads a line of the text from stdin and stores the bytes that it describes in
 * input[]. Returns their number, or -1 at the end of the file. Skips lines that
 * begin with '#'.
 */
static long read_line(void)
{
	unsigned long run, size = 0;
	unsigned int byte;
	int c;

	while ((c = getchar()) != '\n') {
		if (c == EOF)
			return -1;
		if (c == '#') {
			while ((c = getchar()) != '\n' && c != EOF)
				;
			return read_line();
		}
		if (c == '(') {
			if (scanf("%lu)", &run) != 1 ||
			    run > sizeof(input) - size)
				die("a run of zeros");
			memset(input + size, 0, run);
			size += run;
			continue;
		}
		ungetc(c, stdin);
		if (scanf("%2x", &byte) != 1 || size == sizeof(input))
			die("a byte");
		input[size++] = (unsigned char)byte;
	}
	return (long)size;
}

static void unpack(const char *dir)
{
	char name[4096];
	unsigned int n;
	long size;
	FILE *f;

	for (n = 0; (size = read_line()) >= 0; n++) {
		snprintf(name, sizeof(name), "%s/%05u", dir, n);
		f = fopen(name, "wb");
		if (!f || fwrite(input, 1, (size_t)size, f) != (size_t)size ||
		    fclose(f))
			die(name);
	}
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 3 && !strcmp(argv[1], "unpack")) {
		unpack(argv[2]);
	} else if (argc > 1 && !strcmp(argv[1], "pack")) {
		for (i = 2; i < argc; i++)
			pack(argv[i]);
	} else {
		fputs("usage: corpus pack FILE... | corpus unpack DIR\n",
		      stderr);
		return 2;
	}
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
