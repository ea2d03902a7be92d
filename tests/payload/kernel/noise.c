/* SPDX-License-Identifier: MIT */
/*
 * noise.c - program for the build machine: writes BYTES pseudo-random bytes to stdout. They
 * become part of a test kernel that cannot be compressed. The bytes are the same at each run.
 *
 *	noise BYTES
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns the number after @x in the sequence of Marsaglia's generator xorshift64. */
static uint64_t next(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

int main(int argc, char **argv)
{
	uint64_t x = 0x5e7577b05e7577b0;

	if (argc != 2)
		errx(1, "usage: noise BYTES");
	for (unsigned long n = strtoul(argv[1], NULL, 0) / sizeof(x); n; n--) {
		x = next(x);
		if (fwrite(&x, sizeof(x), 1, stdout) != 1)
			err(1, "stdout");
	}
	if (fflush(stdout))
		err(1, "stdout");
	return 0;
}
