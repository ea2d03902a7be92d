/* SPDX-License-Identifier: MIT */
/*
 * report.c - prints for `mkpayload --report` what an image is made of, how long
 * its launch takes, and SHA-256 digests. The digests of kernel, initrd and
 * command line are the entries of the table of kernel hashes that QEMU passes to
 * OVMF. The guest's owner needs them to compute the launch measurement.
 *
 * sha256sum(1) computes the digests.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkpayload.h"

#define SHA256_DIGITS	64

struct digest {
	char text[SHA256_DIGITS];
};

static struct digest digest_of(int input)
{
	static char *const argv[] = { "sha256sum", NULL };
	struct digest digest = { { 0 } };
	struct blob out = { (u8 *)digest.text, sizeof(digest.text) };
	const char *problem;
	int status;

	problem = run_program(argv, input, &out, &status);
	if (problem || out.size != sizeof(digest.text))
		die("SHA-256: %s", problem ? problem :
		    "sha256sum printed no digest");
	return digest;
}

static struct digest digest_of_file(const char *file)
{
	struct digest digest;
	int fd;

	errors_about(file);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s", strerror(errno));
	digest = digest_of(fd);
	close(fd);
	return digest;
}

static struct digest digest_of_bytes(const char *bytes, size_t size)
{
	FILE *f = file_of(bytes, size);
	struct digest digest;

	if (!f)
		die("%s", strerror(errno));
	digest = digest_of(fileno(f));
	fclose(f);
	return digest;
}

static void print_digest(const char *name, struct digest digest)
{
	printf("sha256 of %s: %.*s\n", name, SHA256_DIGITS, digest.text);
}

static void print_part(const char *name, u64 size, u64 total)
{
	printf("%s: %lu bytes (%lu.%lu %%)\n", name, size, size * 100 / total,
	       size * 1000 / total % 10);
}

/* Refuses the image if the digest of a part differs from the digest in its header. */
static void check_digest(const char *part, u64 digest, u64 expected)
{
	if (digest != expected)
		die("damaged: the payload's %s have digest %#lx, expected %#lx: make or copy the image again",
		    part, digest, expected);
}

/*
 * Prints the size of a range of the kernel, its compressed size, and its compressed size
 * with the image's filters. @filtered is the range with these filters. The range is
 * compressed by itself, so the sum of all ranges is a few percent above the payload.
 */
static void print_section(const char *name, u8 *plain, u8 *filtered, u64 size)
{
	u64 before = pack_size(plain, size), after = before;

	if (memcmp(plain, filtered, size))
		after = pack_size(filtered, size);
	printf("section %s: %lu bytes, %lu compressed, %lu with filters\n",
	       *name ? name : "without a name", size, before, after);
	fflush(stdout);
}

/*
 * Lists the sections of @kernel and the relocation table. Refuses a kernel other than the
 * one in the image. @payload is the image's payload header, @frame the compressed bytes.
 */
static void print_sections(const struct image *kernel, const struct payload_header *payload,
			   const struct blob *frame)
{
	struct filters filters;
	u8 *filtered;

	if (kernel->file_size != payload->file_size ||
	    kernel->reloc_size != payload->reloc_size ||
	    kernel->link_addr != payload->link_addr)
		die("not the kernel in the image: %lu bytes and %lu of relocations, must be %lu and %lu: name the file that mkimage was given",
		    kernel->file_size, kernel->reloc_size, payload->file_size,
		    payload->reloc_size);
	if (!strcmp(codec_name(payload->codec), "unknown") ||
	    payload->margin > PAYLOAD_MAX_SIZE)
		die("the stub would refuse the image: codec %u or margin %lu are out of range",
		    payload->codec, payload->margin);
	if (!pack_holds(payload, frame, kernel))
		die("not the kernel in the image: the %lu bytes differ: name the file that mkimage was given",
		    payload->file_size + payload->reloc_size);
	filtered = xalloc(kernel->bytes.size);
	memcpy(filtered, kernel->bytes.data, kernel->bytes.size);
	memcpy(filters.list, payload->filter, sizeof(filters.list));
	filters_apply(filtered, kernel->file_size, &filters);
	for (size_t i = 0; i < kernel->sections.count; i++) {
		const struct section *s = &kernel->sections.list[i];

		print_section(s->name, kernel->bytes.data + s->start,
			      filtered + s->start, s->size);
	}
	if (kernel->reloc_size)
		print_section("(relocations)", kernel->bytes.data + kernel->file_size,
			      filtered + kernel->file_size, kernel->reloc_size);
	free(filtered);
}

int print_report(const char *image, const char *initrd, const char *cmdline,
		 const struct image *kernel, const char *kernel_name)
{
	struct blob file = read_file(image);
	struct setup_header hdr;
	struct payload_header payload;
	struct digest digest;
	u64 setup, at;

	if (!bzimage_probe(&file) || file.size < HEADER_AT + sizeof(hdr))
		die("not a bzImage: --report needs an image that mkimage made");
	memcpy(&hdr, file.data + HEADER_AT, sizeof(hdr));
	setup = bzimage_setup_size(&file, &hdr);
	at = setup + hdr.payload_offset;
	if (hdr.payload_offset < sizeof(payload) || at > file.size ||
	    hdr.payload_length > file.size - at)
		die("not made by mkimage: no payload header in front of %#lx", at);
	memcpy(&payload, file.data + at - sizeof(payload), sizeof(payload));
	if (memcmp(payload.magic, PAYLOAD_MAGIC, sizeof(payload.magic)) ||
	    payload.version != PAYLOAD_VERSION ||
	    payload.comp_size != hdr.payload_length)
		die("not made by mkimage: no payload header in front of %#lx", at);

	check_digest("header fields", header_digest(&payload), payload.header_digest);
	check_digest("compressed bytes", frame_digest(file.data + at, payload.comp_size),
		     payload.comp_digest);

	print_part("setup", setup, file.size);
	print_part("payload", hdr.payload_length, file.size);
	print_part("stub", file.size - setup - hdr.payload_length, file.size);
	printf("image: %zu bytes\n", file.size);
	printf("codec: %s, %lu bytes unpacked\n", codec_name(payload.codec),
	       payload.file_size + payload.reloc_size);
	printf("memory: %u bytes (init_size), ", hdr.init_size);
	if (hdr.relocatable_kernel)
		printf("from any multiple of %#x at or above ", hdr.kernel_alignment);
	else
		printf("only from ");
	printf("%#llx", (unsigned long long)hdr.pref_address);
	if (payload.flags & PAYLOAD_LOW)
		printf(", ending at or below %#lx", PAYLOAD_LOW_MAX);
	putchar('\n');
	printf("launch: %lu ms if the security processor measures all of it\n",
	       file.size * PSP_NS_PER_KIB / KIB / 1000000);
	digest = digest_of_file(image);
	print_digest("image", digest);
	/* In QEMU's table of hashes the kernel's entry is the whole image's digest. */
	print_digest("kernel", digest);
	/* Without an initrd, QEMU's table of hashes has the digest of 0 bytes. */
	print_digest("initrd", initrd ? digest_of_file(initrd) :
					digest_of_bytes("", 0));
	print_digest("cmdline", digest_of_bytes(cmdline, strlen(cmdline) + 1));
	if (kernel) {
		errors_about(kernel_name);
		print_sections(kernel, &payload,
			       &(struct blob){ file.data + at, payload.comp_size });
	}
	if (fflush(stdout))
		die("cannot print: %s", strerror(errno));
	free(file.data);
	return EXIT_SUCCESS;
}
