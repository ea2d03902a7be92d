/* SPDX-License-Identifier: MIT */
/*
 * mkpayload.h - what mkpayload's files share: the kernel on its way from the
 * input file to a flat memory image, and the one way to refuse it.
 */
#ifndef MKPAYLOAD_H
#define MKPAYLOAD_H

#include <stdio.h>

#include <asm/bootparam.h>

#include "payload.h"
#include "types.h"

/* Files are read and written as they lie in memory. */
BUILD_BUG_ON(__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__);

#define KIB	0x400UL
#define MIB	0x100000UL

/* XLF_5LEVEL and XLF_5LEVEL_ENABLED: what an input says about LA57. */
#define XLF_LA57_BITS	(XLF_5LEVEL | XLF_5LEVEL_ENABLED)
/* What is true of the kernel, whatever its boot stage can do. */
#define XLF_CARRIED	(XLF_LA57_BITS | XLF_EFI_KEXEC)

/* The longest version string that is carried over, with its NUL. */
#define VERSION_MAX	512

struct blob {
	u8 *data;
	size_t size;
};

/*
 * What the new image's setup header takes over from the kernel; field names
 * as in Linux's struct setup_header.
 */
struct boot_traits {
	u64 kernel_alignment;
	unsigned int min_alignment;	/* a power of two's exponent */
	bool relocatable_kernel;
	u16 xloadflags;			/* XLF_CARRIED only */
	u32 cmdline_size;
	u16 root_flags;
	u16 ram_size;
	u16 vid_mode;
	u16 root_dev;
	char version[VERSION_MAX];
};

/*
 * The kernel as it lies in memory: @bytes is the flat image, file_size long,
 * and behind it the relocation table, reloc_size bytes.
 */
struct image {
	struct blob bytes;
	u64 link_addr;
	u64 virt_addr;
	u64 entry_offset;
	u64 file_size;
	u64 mem_size;
	u64 reloc_size;
	u64 max_align;			/* the largest p_align */
	bool is_linux;
	bool identity;			/* runs where it lies, not Linux */
};

/*
 * Prints "mkpayload: FILE: reason" and exits with status 1. No output file is
 * left behind. errors_about() names the file in all that follows, and
 * error_within() a part of it.
 */
noreturn void die(const char *fmt, ...) printf_like(1, 2);
void error_within(const char *part);
void errors_about(const char *file);

void *xalloc(size_t size);
struct blob read_file(const char *name);

/* ---- bzimage.c ---- */

#define SECTOR			512UL
#define HEADER_AT		0x1f1	/* of struct setup_header */

bool bzimage_probe(const struct blob *file);

/*
 * Decompresses the ELF file in the bzImage @file. Fills in @traits, and
 * @pref_address with the address that the setup header names.
 */
struct blob bzimage_extract(const struct blob *file, struct boot_traits *traits,
			    u64 *pref_address);

/* ---- codecs.c ---- */

/* Expands a bzImage's payload, the stream with the size behind it. */
struct blob codec_decompress(struct blob in);

/* Expands legacy frames in place, too. Returns NULL, or what is wrong. */
const char *unlz4_legacy(const struct blob *in, struct blob *out);

/* A temporary file with these bytes in it, for a program to read; NULL: errno. */
FILE *file_of(const void *bytes, size_t size);

/*
 * Runs the program @argv, with @input for its standard input, and takes up to
 * @out->size bytes of what it prints, then sets @out->size. Returns NULL, or
 * what is wrong; @status is the program's.
 */
const char *run_program(char *const argv[], int input, struct blob *out,
			int *status);

/* ---- pack.c ---- */

#define MAGIC_LEN		4

/* LZ4's legacy frame: blocks that each expand to this, but for the last. */
#define LZ4_LEGACY_BLOCK	(8 * MIB)
#define LZ4_LEGACY_MAGIC	"\x02\x21\x4c\x18"

/* What the user wants. */
struct packing {
	const char *codec;
	const char *launch;
	int level;			/* 0: the codec's default */
	bool quiet;
};

struct packed {
	struct blob frame;
	u32 codec;			/* PAYLOAD_CODEC_* */
	u64 margin;
};

void pack_check(const struct packing *packing);

/* Compresses the image, and proves that it can be decompressed in place. */
struct packed pack_image(const struct blob *image, const struct packing *packing);

const char *codec_name(u32 codec);
const char *decoder_name(u32 codec);

/* ---- report.c ---- */

/* What a launch costs for each KiB that the security processor measures. */
#define PSP_NS_PER_KIB		250000UL

int print_report(const char *image, const char *initrd, const char *cmdline);

/* ---- relocs.c ---- */

/* Offsets of places from the payload's first byte. */
struct reloc_list {
	u32 *offset;
	size_t count, room;
};

struct relocs {
	struct reloc_list list[RELOC_KINDS];
};

/* @offset is below PAYLOAD_MAX_SIZE. */
void relocs_add(struct relocs *relocs, enum reloc_kind kind, u64 offset);

void relocs_free(struct relocs *relocs);

/* Checks, sorts and packs the places (payload.h). Frees @relocs. */
struct blob relocs_store(struct relocs *relocs, u64 image_size);

/* ---- elf.c ---- */

bool elf_probe(const struct blob *file);

/*
 * Checks the static x86-64 executable @file, position-independent or not, and
 * lays out its segments and what moves with them.
 * @is_linux: known to be a Linux kernel; otherwise found out.
 */
struct image elf_lay_out(const struct blob *file, bool is_linux);

#endif
