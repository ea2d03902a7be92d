/* SPDX-License-Identifier: MIT */
/*
 * relocated.c - `relocated PREFIX.bin DUMP OUT`: relocates a payload with the
 * stub's own code, for comparison with a guest's memory. PREFIX.bin is the
 * payload that mkpayload made. DUMP is the memory of a machine in which the
 * stub has relocated this payload, from the payload's first byte on. The
 * program finds in DUMP by which distance the stub relocated the payload,
 * prints the distance, relocates the payload from PREFIX.bin by it, and writes
 * the result to OUT.
 */
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "misc.h"

#include "../../payload/relocate.c"
#include "../../payload/unfilter.c"

noreturn void error(const char *what, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "relocated: %s: ", what);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static u8 *read_file(const char *name, size_t *size)
{
	FILE *f = fopen(name, "r");
	u8 *data;

	if (!f || fseek(f, 0, SEEK_END))
		err(1, "%s", name);
	*size = (size_t)ftell(f);
	rewind(f);
	data = malloc(*size);
	if (!data || fread(data, 1, *size, f) != *size)
		err(1, "%s", name);
	fclose(f);
	return data;
}

static u64 quad_at(const u8 *p)
{
	u64 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/*
 * Returns the offset in the image of the first 8-byte value that the relocation
 * table lists. main() computes the distance from this value in DUMP.
 */
static u64 first_place(const u8 *relocs, u64 size)
{
	struct table table = { relocs, relocs + size };
	u64 count, gap;

	if (read_number(&table, &count) || !count || read_number(&table, &gap))
		errx(1, "no place of 8 bytes");
	return gap;
}

int main(int argc, char **argv)
{
	size_t bin_size, dump_size, out_size, got;
	struct payload_header header;
	u64 place, distance;
	u8 *bin, *dump, *out;
	FILE *f;

	if (argc != 4)
		errx(2, "usage: relocated PREFIX.bin DUMP OUT");
	bin = read_file(argv[1], &bin_size);
	dump = read_file(argv[2], &dump_size);
	memcpy(&header, bin, sizeof(header));
	out_size = header.file_size + header.reloc_size;
	out = malloc(out_size);
	if (!out || dump_size < header.file_size)
		errx(1, "%zu bytes of memory, %lu of payload", dump_size,
		     header.file_size);
	got = ZSTD_decompress(out, out_size, bin + sizeof(header),
			      bin_size - sizeof(header));
	if (got != out_size)
		errx(1, "%s: not a payload", argv[1]);
	if (!unfilter(out, &header))
		errx(1, "%s: its filters cannot be undone", argv[1]);

	place = first_place(out + header.file_size, header.reloc_size);
	distance = quad_at(dump + place) - quad_at(out + place);
	relocate(out, &header, header.link_addr + distance,
		 header.virt_addr + distance);
	printf("0x%lx\n", distance);

	f = fopen(argv[3], "w");
	if (!f || fwrite(out, 1, header.file_size, f) != header.file_size ||
	    fclose(f))
		err(1, "%s", argv[3]);
	return 0;
}
