/* SPDX-License-Identifier: MIT */
/*
 * bzimage.c - extracts the ELF file that is compressed in a Linux/x86 bzImage.
 *
 * The setup header's payload_offset and payload_length tell where the compressed
 * bytes are. Reference: Linux's x86/boot.rst (boot.rst), boot protocol 2.15.
 */
#include <string.h>

#include "mkpayload.h"

#define HEADER_MAGIC		"HdrS"
#define HEADER_MAGIC_AT		0x202
#define BOOT_FLAG		0xaa55
#define BOOT_FLAG_AT		0x1fe
/* The number of setup sectors if the setup header's setup_sects is 0 (boot.rst). */
#define DEFAULT_SETUP_SECTS	4
/*
 * The setup header's field kernel_version is an offset in bytes from VERSION_BASE,
 * the start of the file's second sector (boot.rst).
 */
#define VERSION_BASE		SECTOR
/* The unit of the setup header's field syssize, in bytes. */
#define PARAGRAPH		16UL

/* The first boot protocol with xloadflags, which marks a 64-bit kernel. */
#define PROTOCOL_XLOADFLAGS	0x20c

bool bzimage_probe(const struct blob *file)
{
	u16 boot_flag;

	if (file->size < HEADER_MAGIC_AT + strlen(HEADER_MAGIC))
		return false;
	memcpy(&boot_flag, file->data + BOOT_FLAG_AT, sizeof(boot_flag));
	return boot_flag == BOOT_FLAG &&
	       !memcmp(file->data + HEADER_MAGIC_AT, HEADER_MAGIC,
		       strlen(HEADER_MAGIC));
}

/* ---- setup header ---- */

static void check_protocol(const struct setup_header *hdr)
{
	if (hdr->version < PROTOCOL_XLOADFLAGS)
		die("boot protocol %u.%02u, needs 2.12 or later: Linux 3.8 has it",
		    hdr->version >> 8, hdr->version & 0xff);
	if (!(hdr->loadflags & LOADED_HIGH))
		die("not a bzImage: loaded low (loadflags %#x)",
		    hdr->loadflags);
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		die("not a 64-bit kernel (boot protocol %u.%02u, xloadflags %#x): name a kernel for x86-64",
		    hdr->version >> 8, hdr->version & 0xff, hdr->xloadflags);
}

/*
 * Refuses alignments that the stub does not support. min_alignment is the exponent
 * of a power of two, which must not exceed kernel_alignment.
 */
static void check_alignment(const struct setup_header *hdr)
{
	u64 align = hdr->kernel_alignment;

	if (align < PAYLOAD_MIN_ALIGN || align > PAYLOAD_MAX_ALIGN ||
	    (align & (align - 1)))
		die("kernel_alignment %#lx is no power of two from 4 KiB to 1 GiB",
		    align);
	if (hdr->min_alignment >= 64 || 1UL << hdr->min_alignment > align ||
	    1UL << hdr->min_alignment < PAYLOAD_MIN_ALIGN)
		die("min_alignment 2^%u is not from 4 KiB to kernel_alignment %#lx",
		    hdr->min_alignment, align);
}

static void copy_version(const struct setup_header *hdr,
			 const struct blob *setup, char *version)
{
	size_t at = VERSION_BASE + hdr->kernel_version;
	size_t len;

	if (hdr->kernel_version == 0)
		return;
	if (at >= setup->size)
		die("version string at %#zx is outside the setup sectors", at);
	len = strnlen((char *)setup->data + at, setup->size - at);
	if (len == setup->size - at || len >= VERSION_MAX)
		die("version string at %#zx does not end within %u bytes and the setup sectors",
		    at, VERSION_MAX);

	memcpy(version, setup->data + at, len);
	for (size_t i = 0; i < len; i++) {
		if (version[i] < ' ' || version[i] > '~')
			die("version string at %#zx is not ASCII text: byte %#x",
			    at, (u8)version[i]);
	}
}

/*
 * Whether @file, whose compressed bytes begin at offset @at, was made by mkimage:
 * there is a struct payload_header directly in front of the compressed bytes.
 */
static bool is_ours(const struct blob *file, u64 at)
{
	return at >= sizeof(struct payload_header) && at <= file->size &&
	       !memcmp(file->data + at - sizeof(struct payload_header),
		       PAYLOAD_MAGIC, sizeof(PAYLOAD_MAGIC));
}

u64 bzimage_setup_size(const struct blob *file, const struct setup_header *hdr)
{
	u64 sects = hdr->setup_sects ? hdr->setup_sects : DEFAULT_SETUP_SECTS;
	u64 setup = (1 + sects) * SECTOR, whole = setup + hdr->syssize * PARAGRAPH;

	/* The file may be longer, because a Secure Boot signature may follow. */
	if (file->size < whole)
		die("truncated: %zu bytes, must be %lu (setup_sects %u, syssize %#x)",
		    file->size, whole, hdr->setup_sects, hdr->syssize);
	return setup;
}

struct blob bzimage_extract(const struct blob *file, struct boot_traits *traits,
			    u64 *pref_address)
{
	struct setup_header hdr;
	struct blob setup = { .data = file->data };
	struct blob payload;
	u64 at, code_size;

	if (file->size < HEADER_AT + sizeof(hdr))
		die("truncated: %zu bytes hold no setup header", file->size);
	memcpy(&hdr, file->data + HEADER_AT, sizeof(hdr));
	check_protocol(&hdr);
	/*
	 * Check payload_length before the file's size. memtest86+ has this
	 * header without a payload, and its file is shorter than syssize says.
	 * The check of the size would call memtest86+ truncated.
	 */
	if (hdr.payload_length == 0)
		die("no compressed kernel (payload_length 0): a program with Linux's header, such as memtest86+, cannot be repacked");
	check_alignment(&hdr);

	setup.size = bzimage_setup_size(file, &hdr);
	code_size = hdr.syssize * PARAGRAPH;
	if ((u64)hdr.payload_offset + hdr.payload_length > code_size)
		die("payload_offset %#x and payload_length %#x point outside the file",
		    hdr.payload_offset, hdr.payload_length);

	*traits = (struct boot_traits){
		.kernel_alignment = hdr.kernel_alignment,
		.min_alignment = hdr.min_alignment,
		.relocatable_kernel = hdr.relocatable_kernel,
		.xloadflags = hdr.xloadflags & XLF_CARRIED,
		.cmdline_size = hdr.cmdline_size,
		.root_flags = hdr.root_flags,
		.ram_size = hdr.ram_size,
		.vid_mode = hdr.vid_mode,
		.root_dev = hdr.root_dev,
	};
	*pref_address = hdr.pref_address;
	copy_version(&hdr, &setup, traits->version);

	at = setup.size + hdr.payload_offset;
	if (is_ours(file, at))
		die("is an image of sevstub already: name the kernel that it was made from");
	payload = (struct blob){ file->data + at, hdr.payload_length };
	return codec_decompress(payload);
}
