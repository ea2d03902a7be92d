/* SPDX-License-Identifier: MIT */
/*
 * bzimage.c - from a Linux/x86 bzImage to the ELF file that is compressed in
 * it.
 *
 * The setup header says where the compressed bytes are, nothing is searched
 * for. Reference: Linux's x86/boot.rst (boot.rst), boot protocol 2.15.
 */
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "mkpayload.h"

#define SECTOR			512UL
#define HEADER_AT		0x1f1	/* of struct setup_header */
#define HEADER_MAGIC		"HdrS"
#define HEADER_MAGIC_AT		0x202
#define BOOT_FLAG		0xaa55
#define BOOT_FLAG_AT		0x1fe
#define DEFAULT_SETUP_SECTS	4	/* what 0 means */
/* kernel_version counts from the second sector. */
#define VERSION_BASE		SECTOR
#define PARAGRAPH		16UL	/* the unit of syssize */

/* The first protocol with payload_offset, and the first with xloadflags. */
#define PROTOCOL_PAYLOAD	0x208
#define PROTOCOL_XLOADFLAGS	0x20c

/* LZ4's legacy frame: blocks that each expand to this, but for the last. */
#define LZ4_LEGACY_BLOCK	(8 * MIB)
#define LZ4_LEGACY_MAGIC	"\x02\x21\x4c\x18"
#define MAGIC_LEN		4

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

/* ---- codecs ---- */

/*
 * Each expands @in to exactly @out->size bytes, the size that the bzImage
 * gives, and returns NULL or what is wrong.
 */
typedef const char *decompress_fn(const struct blob *in, struct blob *out);

static const char size_differs[] =
	"not of the size that is recorded behind it";

static const char *gunzip(const struct blob *in, struct blob *out)
{
	z_stream z = {
		.next_in = in->data, .avail_in = in->size,
		.next_out = out->data, .avail_out = out->size,
	};
	int ret;

	/* 16: with gzip's header and trailer, checked by zlib. */
	if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK)
		return "zlib does not start";
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);

	if (ret == Z_BUF_ERROR && z.avail_out == 0)
		return size_differs;
	if (ret == Z_BUF_ERROR)
		return "ends too early";
	if (ret != Z_STREAM_END)
		return z.msg ? z.msg : "damaged";
	if (z.avail_in)
		return "goes on behind its end";
	/* The size is gzip's own last word: zlib has compared it. */
	return NULL;
}

static const char *unxz(const struct blob *in, struct blob *out)
{
	uint64_t memory_limit = UINT64_MAX;
	size_t in_pos = 0, out_pos = 0;

	switch (lzma_stream_buffer_decode(&memory_limit, 0, NULL, in->data,
					  &in_pos, in->size, out->data,
					  &out_pos, out->size)) {
	case LZMA_OK:
		break;
	case LZMA_BUF_ERROR:
		return "is cut off, or larger than recorded behind it";
	default:
		return "damaged";
	}
	if (in_pos != in->size)
		return "goes on behind its end";
	return out_pos == out->size ? NULL : size_differs;
}

static const char *unlz4(const struct blob *in, struct blob *out)
{
	size_t at = MAGIC_LEN, done = 0;

	while (at < in->size) {
		size_t room = out->size - done;
		u32 block;
		int got;

		if (in->size - at < sizeof(block))
			return "ends too early";
		memcpy(&block, in->data + at, sizeof(block));
		at += sizeof(block);
		if (block > in->size - at)
			return "ends too early";
		if (room > LZ4_LEGACY_BLOCK)
			room = LZ4_LEGACY_BLOCK;
		got = LZ4_decompress_safe((char *)in->data + at,
					  (char *)out->data + done, block,
					  room);
		if (got < 0)
			return "damaged";
		at += block;
		done += got;
	}
	return done == out->size ? NULL : size_differs;
}

static const char *unzstd(const struct blob *in, struct blob *out)
{
	size_t ret = ZSTD_decompress(out->data, out->size, in->data, in->size);

	if (ZSTD_isError(ret))
		return ZSTD_getErrorName(ret);
	return ret == out->size ? NULL : size_differs;
}

static const struct codec {
	const char *name;
	const char *magic;
	size_t magic_len;
	/* gzip's own last word is the size; the others had one appended. */
	bool size_is_inside;
	decompress_fn *decompress;
} codecs[] = {
	{ "gzip", "\x1f\x8b", 2, true, gunzip },
	{ "xz", "\xfd" "7zXZ\0", 6, false, unxz },
	{ "lz4", LZ4_LEGACY_MAGIC, MAGIC_LEN, false, unlz4 },
	{ "zstd", "\x28\xb5\x2f\xfd", MAGIC_LEN, false, unzstd },
};

static const struct codec *find_codec(const struct blob *in)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		if (in->size >= codecs[i].magic_len &&
		    !memcmp(in->data, codecs[i].magic, codecs[i].magic_len))
			return &codecs[i];
	}
	die("unknown codec: begins with %02x %02x %02x %02x, not gzip, xz, lz4 or zstd",
	    in->data[0], in->data[1], in->data[2], in->data[3]);
}

static struct blob decompress(struct blob in)
{
	const struct codec *codec;
	const char *problem;
	struct blob out;
	u32 size;

	/* A magic and a size: less than that is no stream of any codec. */
	if (in.size < MAGIC_LEN + sizeof(size))
		die("truncated: a compressed payload of %zu bytes", in.size);
	codec = find_codec(&in);

	memcpy(&size, in.data + in.size - sizeof(size), sizeof(size));
	if (!codec->size_is_inside)
		in.size -= sizeof(size);
	if (size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (%u bytes before %s)", size,
		    codec->name);
	if (size == 0)
		die("payload of 0 bytes before %s", codec->name);

	out = (struct blob){ xalloc(size), size };
	problem = codec->decompress(&in, &out);
	if (problem)
		die("damaged %s payload: %s", codec->name, problem);
	return out;
}

/* ---- setup header ---- */

static void check_protocol(const struct setup_header *hdr)
{
	if (hdr->version < PROTOCOL_PAYLOAD)
		die("boot protocol %u.%02u, needs 2.08 or later",
		    hdr->version >> 8, hdr->version & 0xff);
	if (!(hdr->loadflags & LOADED_HIGH))
		die("not a bzImage: loaded low (loadflags %#x)",
		    hdr->loadflags);
	if (hdr->version < PROTOCOL_XLOADFLAGS ||
	    !(hdr->xloadflags & XLF_KERNEL_64))
		die("not a 64-bit kernel (boot protocol %u.%02u, xloadflags %#x)",
		    hdr->version >> 8, hdr->version & 0xff, hdr->xloadflags);
}

/* Alignments are powers of two that the stub and the setup header can state. */
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
		die("version string at %#zx does not end", at);

	memcpy(version, setup->data + at, len);
	for (size_t i = 0; i < len; i++) {
		if (version[i] < ' ' || version[i] > '~')
			die("version string at %#zx is not ASCII text", at);
	}
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
	check_alignment(&hdr);

	setup.size = hdr.setup_sects ? hdr.setup_sects : DEFAULT_SETUP_SECTS;
	setup.size = (1 + setup.size) * SECTOR;
	code_size = hdr.syssize * PARAGRAPH;
	/* A signature for Secure Boot may follow. */
	if (file->size < setup.size + code_size)
		die("truncated: %zu bytes, must be %lu (setup_sects %u, syssize %#x)",
		    file->size, setup.size + code_size, hdr.setup_sects,
		    hdr.syssize);
	if ((u64)hdr.payload_offset + hdr.payload_length > code_size)
		die("payload_offset %#x and payload_length %#x point outside the file",
		    hdr.payload_offset, hdr.payload_length);

	*traits = (struct boot_traits){
		.kernel_alignment = hdr.kernel_alignment,
		.min_alignment = hdr.min_alignment,
		.relocatable_kernel = hdr.relocatable_kernel,
		.xloadflags = hdr.xloadflags & XLF_LA57_BITS,
		.cmdline_size = hdr.cmdline_size,
		.root_flags = hdr.root_flags,
		.ram_size = hdr.ram_size,
		.vid_mode = hdr.vid_mode,
		.root_dev = hdr.root_dev,
	};
	*pref_address = hdr.pref_address;
	copy_version(&hdr, &setup, traits->version);

	at = setup.size + hdr.payload_offset;
	payload = (struct blob){ file->data + at, hdr.payload_length };
	return decompress(payload);
}
