/* SPDX-License-Identifier: MIT */
/*
 * unfiltered.c - undoes the filters of a payload that another program has decompressed.
 *
 *	unfiltered PREFIX.bin <DECOMPRESSED >PLAIN
 *
 * PREFIX.bin is a payload that mkpayload has made. The payload's header says which filters
 * unfiltered undoes. DECOMPRESSED is the other program's output for the compressed bytes of
 * PREFIX.bin.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../payload/unfilter.c"

int main(int argc, char **argv)
{
	struct payload_header header;
	size_t size;
	FILE *f;
	u8 *out;

	if (argc != 2)
		errx(2, "usage: unfiltered PREFIX.bin <DECOMPRESSED >PLAIN");
	f = fopen(argv[1], "r");
	if (!f || fread(&header, sizeof(header), 1, f) != 1 || fclose(f))
		err(1, "%s", argv[1]);
	size = header.file_size + header.reloc_size;
	out = malloc(size + 1);
	if (!out || fread(out, 1, size + 1, stdin) != size)
		errx(1, "the input has other than %zu bytes", size);
	if (!unfilter(out, &header))
		errx(1, "%s: its filters cannot be undone", argv[1]);
	if (fwrite(out, 1, size, stdout) != size || fflush(stdout))
		err(1, "cannot write");
	free(out);
	return 0;
}
