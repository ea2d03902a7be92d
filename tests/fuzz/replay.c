/* SPDX-License-Identifier: MIT */
/*
 * replay.c - main() for a fuzz target that is linked without libFuzzer. It passes
 * each file named on the command line to the target as an input. `make coverage`
 * uses it, because libFuzzer needs clang.
 */
#include <stdio.h>
#include <stdlib.h>

#include "types.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define SIZE_MAX_INPUT	0x100000

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		u8 *data = malloc(SIZE_MAX_INPUT);
		u8 *exact;
		size_t size;

		if (!f || !data) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		size = fread(data, 1, SIZE_MAX_INPUT, f);
		fclose(f);
		/*
		 * Copy the input to a block of its exact size, so that
		 * AddressSanitizer reports reads after it.
		 */
		exact = malloc(size + !size);
		if (exact)
			memcpy(exact, data, size);
		free(data);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	printf("%d inputs\n", argc - 1);
	return EXIT_SUCCESS;
}
