/* SPDX-License-Identifier: MIT */
/*
 * report.c - what an image is made of, what launching it costs, and the digests
 * that the owner of a guest compares: those of kernel, initrd and command line
 * as firmware's table of kernel hashes holds them.
 *
 * SHA-256 is the work of sha256sum(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkpayload.h"

#define HEADER_AT	0x1f1		/* of struct setup_header */
#define SECTOR		512UL
#define SHA256_DIGITS	64

static void print_digest(const char *name, int input)
{
	static char *const argv[] = { "sha256sum", NULL };
	char text[SHA256_DIGITS];
	struct blob out = { (u8 *)text, sizeof(text) };
	const char *problem;
	int status;

	problem = run_program(argv, input, &out, &status);
	if (problem || out.size != sizeof(text))
		die("SHA-256: %s", problem ? problem : "none from sha256sum");
	printf("sha256 of %s: %.*s\n", name, SHA256_DIGITS, text);
}

static void print_file_digest(const char *name, const char *file)
{
	int fd;

	errors_about(file);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s", strerror(errno));
	print_digest(name, fd);
	close(fd);
}

/* An initrd that there is not is hashed as one of no bytes. */
static void print_bytes_digest(const char *name, const char *bytes, size_t size)
{
	FILE *f = tmpfile();

	if (!f || fwrite(bytes, 1, size, f) != size || fflush(f) ||
	    lseek(fileno(f), 0, SEEK_SET))
		die("%s", strerror(errno));
	print_digest(name, fileno(f));
	fclose(f);
}

static void print_part(const char *name, u64 size, u64 total)
{
	printf("%s: %lu bytes (%lu.%lu %%)\n", name, size, size * 100 / total,
	       size * 1000 / total % 10);
}

int print_report(const char *image, const char *initrd, const char *cmdline)
{
	struct blob file = read_file(image);
	struct setup_header hdr;
	struct payload_header payload;
	u64 setup, at;

	if (!bzimage_probe(&file) || file.size < HEADER_AT + sizeof(hdr))
		die("not an image");
	memcpy(&hdr, file.data + HEADER_AT, sizeof(hdr));
	setup = (hdr.setup_sects + 1) * SECTOR;
	at = setup + hdr.payload_offset;
	if (hdr.payload_offset < sizeof(payload) || at > file.size ||
	    hdr.payload_length > file.size - at)
		die("not an image of ours: no payload at %#lx", at);
	memcpy(&payload, file.data + at - sizeof(payload), sizeof(payload));
	if (memcmp(payload.magic, PAYLOAD_MAGIC, sizeof(payload.magic)) ||
	    payload.version != PAYLOAD_VERSION ||
	    payload.comp_size != hdr.payload_length)
		die("not an image of ours: no payload at %#lx", at);

	print_part("setup", setup, file.size);
	print_part("payload", hdr.payload_length, file.size);
	print_part("stub", file.size - setup - hdr.payload_length, file.size);
	printf("image: %zu bytes\n", file.size);
	printf("codec: %s, %lu bytes unpacked\n", codec_name(payload.codec),
	       payload.file_size + payload.reloc_size);
	printf("launch: %lu ms if the security processor measures all of it\n",
	       file.size * PSP_NS_PER_KIB / KIB / 1000000);
	print_file_digest("image", image);
	/* One file for the table: setup and the rest are hashed as they lie. */
	print_file_digest("kernel", image);
	if (initrd)
		print_file_digest("initrd", initrd);
	else
		print_bytes_digest("initrd", "", 0);
	print_bytes_digest("cmdline", cmdline, strlen(cmdline) + 1);
	if (fflush(stdout))
		die("cannot print: %s", strerror(errno));
	free(file.data);
	return EXIT_SUCCESS;
}
