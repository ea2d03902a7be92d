/* SPDX-License-Identifier: MIT */
/*
 * mkpayload.h - the types and functions that mkpayload's files share. mkpayload
 * runs on the host, once per image. It reads the input file, lays it out as a
 * flat memory image, compresses that, and exits with a message if it cannot.
 */
#ifndef MKPAYLOAD_H
#define MKPAYLOAD_H

#include <stdio.h>

#include <asm/bootparam.h>

#include "payload.h"
#include "types.h"

/*
 * mkpayload copies structures between files and memory without conversion. The
 * files are little endian, hence the host must be, too.
 */
BUILD_BUG_ON(__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__);

#define KIB	0x400UL
#define MIB	0x100000UL

/* The bits of xloadflags with which a bzImage declares five-level paging. */
#define XLF_LA57_BITS	(XLF_5LEVEL | XLF_5LEVEL_ENABLED)
/*
 * The bits of xloadflags that the new image takes over from a bzImage. Its other
 * bits describe the bzImage's own boot stage, which the stub replaces.
 */
#define XLF_CARRIED	(XLF_LA57_BITS | XLF_EFI_KEXEC)

/* Bytes of the longest version string that mkpayload accepts, with its NUL. */
#define VERSION_MAX	512

/* @size bytes at @data. The holder frees @data. */
struct blob {
	u8 *data;
	size_t size;
};

/*
 * The fields of the new image's setup header that depend on the kernel. They
 * have the names and meanings of Linux's struct setup_header (boot.rst).
 * bzimage_extract() copies them from a bzImage, plain_traits() computes them for
 * an ELF file.
 */
struct boot_traits {
	u64 kernel_alignment;		/* bytes, a power of two */
	unsigned int min_alignment;	/* log2 of bytes */
	bool relocatable_kernel;
	u16 xloadflags;			/* bits of XLF_CARRIED only */
	u32 cmdline_size;		/* characters, without the NUL */
	u16 root_flags;
	u16 ram_size;
	u16 vid_mode;
	u16 root_dev;
	char version[VERSION_MAX];	/* empty: the input has none */
};

/*
 * The kernel as it lies in memory. elf_lay_out() fills this in. @bytes holds
 * file_size bytes of flat image and then reloc_size bytes of relocation table.
 */
struct image {
	struct blob bytes;
	u64 link_addr;			/* physical address of byte 0 */
	u64 virt_addr;			/* virtual address of byte 0 */
	u64 entry_offset;		/* of the 64-bit entry, from byte 0 */
	u64 file_size;			/* bytes that the file supplies */
	u64 mem_size;			/* file_size and .bss, in bytes */
	u64 reloc_size;			/* bytes; 0: no relocation table */
	u64 max_align;			/* the largest p_align, in bytes */
	bool is_linux;
	bool identity;			/* not Linux, all p_vaddr == p_paddr */
};

/*
 * Removes the output files, prints "mkpayload: FILE: PART: MESSAGE" and exits
 * with status 1. The message is @fmt with its arguments. FILE and PART are left
 * out if errors_about() and error_within() have named none.
 */
noreturn void die(const char *fmt, ...) printf_like(1, 2);

/*
 * Prints "mkpayload: FILE: PART: warning: MESSAGE" and goes on: the image will be
 * made, but it may not do what the user expects. --quiet does not suppress it.
 */
void warn(const char *fmt, ...) printf_like(1, 2);

/*
 * Names the part of the current file that later messages of die() and warn() are
 * about, for example "compressed kernel". @part must stay valid.
 */
void error_within(const char *part);

/*
 * Names the file that later messages of die() and warn() are about, and forgets
 * the part that error_within() named. @file must stay valid; NULL: no file.
 */
void errors_about(const char *file);

/* Allocates @size zeroed bytes. Calls die() if there is no memory. */
void *xalloc(size_t size);

/*
 * Reads all of the regular file @name. Calls die() if that fails or if the file
 * is empty or larger than PAYLOAD_MAX_SIZE. Later messages are about this file.
 */
struct blob read_file(const char *name);

/* ---- bzimage.c ---- */

#define SECTOR			512UL
#define HEADER_AT		0x1f1	/* offset of struct setup_header */

/*
 * Returns whether @file, of any content and size, has the two magic numbers of a
 * bzImage, 0xaa55 and "HdrS".
 */
bool bzimage_probe(const struct blob *file);

/*
 * Checks the bzImage @file and decompresses the ELF file in it, which the caller
 * frees. bzimage_probe(@file) must be true. Sets @traits and @pref_address (a
 * physical address) from the setup header. Calls die() if the bzImage is
 * damaged, is not for x86-64 or already contains sevstub.
 */
struct blob bzimage_extract(const struct blob *file, struct boot_traits *traits,
			    u64 *pref_address);

/* ---- foreign.c ---- */

/*
 * Calls die() with a message that says what @file is, of any content and size. It
 * must be neither a bzImage nor an ELF file.
 */
noreturn void foreign_refuse(const struct blob *file);

/* ---- codecs.c ---- */

/*
 * Decompresses @in, the payload of a bzImage: a stream of any codec that Linux
 * uses, with the decompressed size (u32) in its last four bytes. Returns the
 * decompressed bytes, which the caller frees. Calls die() if the codec is unknown
 * or the stream is damaged.
 */
struct blob codec_decompress(struct blob in);

/*
 * Decompresses the legacy lz4 frame @in, magic included, to @out->data. The
 * result must have exactly @out->size bytes. @in may lie at the end of @out's
 * buffer, if lz4_margin() bytes follow the output. Returns NULL, or the reason
 * why it failed.
 */
const char *unlz4_legacy(const struct blob *in, struct blob *out);

/*
 * Makes an unnamed temporary file with @size bytes at @bytes, positioned at its
 * start, for run_program(). Returns NULL and sets errno if it cannot.
 */
FILE *file_of(const void *bytes, size_t size);

/*
 * Runs the program @argv[0], found in PATH, and waits for it. Its standard input
 * is the descriptor @input. Reads its standard output to @out->data, at most
 * @out->size bytes, and sets @out->size to the bytes read. A program that prints
 * more is stopped by SIGPIPE. Sets @status as waitpid() does. Returns NULL, or
 * the reason why its output could not be read. Calls die() if the program cannot
 * be started.
 */
const char *run_program(char *const argv[], int input, struct blob *out,
			int *status);

/* ---- pack.c ---- */

#define MAGIC_LEN		4

/*
 * lz4's legacy frame is a sequence of blocks. Each block decompresses to this many
 * bytes, the last one to at most as many.
 */
#define LZ4_LEGACY_BLOCK	(8 * MIB)
#define LZ4_LEGACY_MAGIC	"\x02\x21\x4c\x18"

/* The user's options about compression. main() fills them in. */
struct packing {
	const char *codec;		/* zstd, lz4, none or auto */
	const char *launch;		/* psp, hash or none; NULL: not given */
	int level;			/* of compression; 0: the default */
	bool quiet;			/* no progress on stderr */
};

/* The result of pack_image(). */
struct packed {
	struct blob frame;		/* the compressed bytes */
	u32 codec;			/* PAYLOAD_CODEC_* */
	u64 margin;			/* bytes, payload_header.margin */
};

/*
 * Checks the options before the input is read. Calls die() if a name is unknown,
 * the level is out of the codec's range, or options contradict each other.
 */
void pack_check(const struct packing *packing);

/*
 * Compresses @image (flat image and relocation table) as @packing says, which
 * pack_check() has accepted. Then decompresses the result in place, as the stub
 * will, and compares. The caller frees the frame. Calls die() on failure.
 */
struct packed pack_image(const struct blob *image, const struct packing *packing);

/* The codec's name as in --codec, or "unknown" for a number that has none. */
const char *codec_name(u32 codec);

/*
 * The stub's function that decodes @codec, which must be one of
 * PAYLOAD_CODEC_*.
 */
const char *decoder_name(u32 codec);

/* ---- report.c ---- */

/*
 * Nanoseconds that the security processor takes to measure a KiB of guest memory
 * at launch (LAUNCH_UPDATE_DATA).
 */
#define PSP_NS_PER_KIB		250000UL

/*
 * Prints what the image file @image is made of, how long its launch takes, and
 * the digests of @image, @initrd and @cmdline. @initrd is a file or NULL for
 * none, @cmdline a string. Returns the exit status 0. Calls die() if @image was
 * not made by mkimage or a file cannot be read.
 */
int print_report(const char *image, const char *initrd, const char *cmdline);

/* ---- relocs.c ---- */

/*
 * Places of one kind, as byte offsets from the payload's first byte. @offset
 * holds @count of them and has room for @room.
 */
struct reloc_list {
	u32 *offset;
	size_t count, room;
};

/* All places that change if the payload moves. Initialise it with zeros. */
struct relocs {
	struct reloc_list list[RELOC_KINDS];
};

/*
 * Adds a place of @kind at byte @offset of the flat image, which is below
 * PAYLOAD_MAX_SIZE. Places may come in any order. Calls die() if there is no
 * memory.
 */
void relocs_add(struct relocs *relocs, enum reloc_kind kind, u64 offset);

/* Returns the number of places of all kinds. */
size_t relocs_count(const struct relocs *relocs);

/* Frees the lists. @relocs must not be used afterwards. */
void relocs_free(struct relocs *relocs);

/*
 * Makes the relocation table that payload.h describes, and frees @relocs. The
 * caller frees the table. Calls die() if places overlap or lie outside the
 * @image_size bytes of the flat image.
 */
struct blob relocs_store(struct relocs *relocs, u64 image_size);

/* ---- elf.c ---- */

/* Returns whether @file, of any content and size, begins with ELF's magic. */
bool elf_probe(const struct blob *file);

/*
 * Checks the static x86-64 executable @file, position-independent or not, lays
 * out its segments and appends its relocation table. @in_bzimage tells that the
 * file was in a bzImage and therefore is Linux; if it is false, the file is
 * searched for Linux's marks, and warnings say what the image will not be able to
 * do. The caller frees the result's bytes. Calls die() if the file is not
 * acceptable.
 */
struct image elf_lay_out(const struct blob *file, bool in_bzimage);

#endif
