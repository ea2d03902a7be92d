/* SPDX-License-Identifier: MIT */
/*
 * corrupt.c - program for the build machine: makes a bad image from a good one. The boot
 * tests check that the stub refuses to boot the bad image.
 *
 *	corrupt IN OUT OPERATION...
 *
 * Operations are carried out in the order given:
 *	FIELD=VALUE	set a field of the payload header (names as in payload.h;
 *			filter0_start and the like for fields of its filters)
 *	FIELD+VALUE	add VALUE to the field
 *	FIELD-VALUE	subtract VALUE from the field
 *	flip@PERCENT	invert a byte of the compressed payload; 100 is the last
 *	code@OFFSET=HEX	overwrite bytes of the file, for example the stub's code
 *	cut@PERCENT	truncate the file to this part of its size
 *	digest		recompute comp_digest
 *	header_digest	recompute header_digest
 *
 * The stub checks the digests first. Recomputed digests are right, so that the stub's
 * later checks must find the damage.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include "common/xxhash.h"

#include "payload.h"
#include "types.h"

#define SECTOR		512
#define SETUP_HEADER	0x1f1
#define PERCENT		100

/*
 * A field of struct payload_header, and the name by which an operation on the command
 * line changes it, such as "file_size+0x1000".
 */
struct field {
	const char *name;
	size_t offset;
	size_t size;
};

#define FIELD(name) { #name, offsetof(struct payload_header, name), \
		      sizeof(((struct payload_header *)0)->name) }
/*
 * Initialises an element of fields[] for the member @name of payload_header.filter[@n].
 * The field's name on the command line is like "filter0_start".
 */
#define FILTER_FIELD(n, name) { "filter" #n "_" #name, \
		offsetof(struct payload_header, filter[n].name), \
		sizeof(((struct payload_filter *)0)->name) }
#define FILTER_FIELDS(n) FILTER_FIELD(n, start), FILTER_FIELD(n, size), \
		FILTER_FIELD(n, kind), FILTER_FIELD(n, stride), \
		FILTER_FIELD(n, columns), FILTER_FIELD(n, reserved)
static const struct field fields[] = {
	FIELD(magic), FIELD(version), FIELD(flags), FIELD(link_addr),
	FIELD(align), FIELD(entry_offset), FIELD(file_size), FIELD(mem_size),
	FIELD(reloc_size), FIELD(margin), FIELD(comp_size), FIELD(comp_digest),
	FIELD(header_digest), FILTER_FIELDS(0), FILTER_FIELDS(1),
};

/* The image file in memory. find_payload() sets the pointers to its parts. */
struct file {
	u8 *data;
	size_t size;
	struct payload_header *payload;
	u8 *frame;			/* the compressed payload */
	size_t frame_size;
};

static noreturn printf_like(1, 2) void die(const char *fmt, ...)
{
	va_list args;

	fputs("corrupt: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void read_file(const char *name, struct file *file)
{
	FILE *f = fopen(name, "rb");
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		die("%s: %s", name, strerror(errno));
	rewind(f);
	file->size = (size_t)size;
	file->data = malloc(file->size);
	if (!file->data || fread(file->data, 1, file->size, f) != file->size)
		die("%s: cannot read", name);
	fclose(f);
}

static void write_file(const char *name, const struct file *file)
{
	FILE *f = fopen(name, "wb");

	if (!f || fwrite(file->data, 1, file->size, f) != file->size ||
	    fclose(f))
		die("%s: %s", name, strerror(errno));
}

/*
 * Sets @file->frame to the compressed payload, to which the setup header points, and
 * @file->payload to the payload header, which lies directly before it.
 */
static void find_payload(const char *name, struct file *file)
{
	struct setup_header hdr;
	size_t frame;

	if (file->size < SETUP_HEADER + sizeof(hdr))
		die("%s: too short", name);
	memcpy(&hdr, file->data + SETUP_HEADER, sizeof(hdr));
	frame = (hdr.setup_sects + (size_t)1) * SECTOR + hdr.payload_offset;
	if (frame + hdr.payload_length > file->size ||
	    frame < sizeof(*file->payload))
		die("%s: no payload inside", name);

	file->frame = file->data + frame;
	file->frame_size = hdr.payload_length;
	file->payload = (void *)(file->frame - sizeof(*file->payload));
	if (memcmp(file->payload->magic, PAYLOAD_MAGIC,
		   sizeof(file->payload->magic)))
		die("%s: no payload header", name);
}

/*
 * Carries out an operation on a field of the payload header, for example
 * "file_size+0x1000".
 */
static void change_field(struct file *file, const char *operation)
{
	size_t len = strcspn(operation, "=+-");
	u64 operand, value = 0;
	char *end;
	u8 *at;

	operand = strtoull(operation + len + !!operation[len], &end, 0);
	if (!operation[len] || *end)
		die("not an operation: %s", operation);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strlen(fields[i].name) != len ||
		    memcmp(fields[i].name, operation, len))
			continue;
		at = (u8 *)file->payload + fields[i].offset;
		memcpy(&value, at, fields[i].size);
		if (operation[len] == '=')
			value = operand;
		else if (operation[len] == '+')
			value += operand;
		else
			value -= operand;
		memcpy(at, &value, fields[i].size);
		return;
	}
	die("no such field: %s", operation);
}

static size_t percent_of(size_t size, const char *text)
{
	char *end;
	unsigned long percent = strtoul(text, &end, 10);

	if (*end || percent > PERCENT)
		die("not a percentage: %s", text);
	return size / PERCENT * percent + size % PERCENT * percent / PERCENT;
}

/*
 * Carries out the operation code@OFFSET=HEX, which overwrites bytes of the file. @where
 * is its part "OFFSET=HEX".
 */
static void overwrite(struct file *file, const char *where)
{
	char *hex;
	u64 at = strtoull(where, &hex, 0);
	unsigned int byte;

	if (*hex++ != '=' || strlen(hex) % 2)
		die("not code: %s", where);
	for (; *hex; hex += 2, at++) {
		if (at >= file->size || sscanf(hex, "%2x", &byte) != 1)
			die("not code within the file: %s", where);
		file->data[at] = (u8)byte;
	}
}

static void apply(struct file *file, const char *operation)
{
	struct payload_header *payload = file->payload;
	size_t at;

	if (!strncmp(operation, "flip@", strlen("flip@"))) {
		at = percent_of(file->frame_size - 1,
				operation + strlen("flip@"));
		file->frame[at] ^= 0xff;
	} else if (!strncmp(operation, "code@", strlen("code@"))) {
		overwrite(file, operation + strlen("code@"));
	} else if (!strncmp(operation, "cut@", strlen("cut@"))) {
		file->size = percent_of(file->size, operation + strlen("cut@"));
	} else if (!strcmp(operation, "digest")) {
		payload->comp_digest = XXH64(file->frame, file->frame_size, 0);
	} else if (!strcmp(operation, "header_digest")) {
		payload->header_digest =
			XXH64(payload, offsetof(struct payload_header,
						header_digest), 0);
	} else {
		change_field(file, operation);
	}
}

int main(int argc, char **argv)
{
	struct file file;

	if (argc < 4)
		die("usage: corrupt IN OUT OPERATION...");
	read_file(argv[1], &file);
	find_payload(argv[1], &file);
	for (int i = 3; i < argc; i++)
		apply(&file, argv[i]);
	write_file(argv[2], &file);
	free(file.data);
	return 0;
}
