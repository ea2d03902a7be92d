/* SPDX-License-Identifier: MIT */
/*
 * mkpayload.h - the types and functions that mkpayload's files share. mkpayload
 * runs on the build machine, once per image. It reads the input file, lays it out as a
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
 * The bits of xloadflags that the new image takes over from a bzImage. The other
 * bits describe the bzImage's own decompressor, which the stub replaces.
 */
#define XLF_CARRIED	(XLF_LA57_BITS | XLF_EFI_KEXEC)

/* Bytes of the longest version string that mkpayload accepts, with its NUL. */
#define VERSION_MAX	512

/* @size bytes at @data. A function that returns a blob says who frees @data. */
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
	/* Whether the kernel may run at another address than it is linked for. */
	bool relocatable_kernel;
	u16 xloadflags;			/* bits of XLF_CARRIED only */
	u32 cmdline_size;		/* characters, without the NUL */
	u16 root_flags;
	u16 ram_size;
	u16 vid_mode;
	u16 root_dev;
	/* Version string; empty: the input file has no version. */
	char version[VERSION_MAX];
};

/* Bytes of the longest section name that is kept, with its NUL. */
#define SECTION_NAME_MAX	32

/*
 * A section's bytes in the flat image. If the ELF file has no sections, one entry for
 * each segment takes their place. @name is printable ASCII, and cut if it is too long.
 */
struct section {
	char name[SECTION_NAME_MAX];
	/* The offset of the section in the flat image, and its size in bytes. */
	u64 start, size;
	/* The number of sections that elf.c has listed before this one, in the file's order. */
	size_t order;
	bool code;			/* holds instructions */
};

/* Sections with bytes in the flat image. They ascend and do not overlap. */
struct sections {
	struct section *list;
	size_t count;
};

/*
 * The kernel as it lies in memory. elf_lay_out() fills this in. @bytes holds
 * file_size bytes of flat image and then reloc_size bytes of relocation table.
 */
struct image {
	struct blob bytes;
	/* Physical link address of the kernel's first byte. */
	u64 link_addr;
	/* Virtual link address of the kernel's first byte. */
	u64 virt_addr;
	/* Bytes from the kernel's first byte to its 64-bit entry. */
	u64 entry_offset;
	u64 file_size;			/* size in bytes without .bss */
	u64 mem_size;			/* size in bytes with .bss */
	/* Size of the relocation table in bytes; 0: no table. */
	u64 reloc_size;
	/* The largest p_align of all segments, in bytes. */
	u64 max_align;
	/* The caller of elf_lay_out() frees @sections.list. */
	struct sections sections;
	bool is_linux;			/* a Linux kernel */
	/* The kernel is not Linux, and each segment has p_vaddr == p_paddr. */
	bool identity;
	/*
	 * The relocation table has places of 32 bits, and the kernel is not Linux: it can move
	 * below 2 GiB only.
	 */
	bool low;
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
 * Reads all of the regular file @name and returns its bytes, which the caller
 * frees. Calls die() if the file cannot be read, is empty, or is larger than
 * PAYLOAD_MAX_SIZE. Later messages of die() are about this file.
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
 * Returns the size in bytes of the real-mode part of the bzImage @file, whose setup header is
 * @hdr. Ends mkpayload if the file is shorter than the header says (boot.rst, "syssize").
 */
u64 bzimage_setup_size(const struct blob *file, const struct setup_header *hdr);

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
 * Decompresses @in, the payload of a bzImage: compressed bytes of any codec that
 * Linux uses, with the decompressed size as a u32 in the last four bytes. Returns
 * the decompressed bytes, which the caller frees. Calls die() if the codec is
 * unknown or @in is damaged.
 */
struct blob codec_decompress(struct blob in);

/*
 * Decompresses the legacy lz4 frame @in, including its magic number, to
 * @out->data. The result must have exactly @out->size bytes. The two ranges may
 * overlap if @in ends at least lz4_margin() bytes above the end of the output.
 * Returns NULL, or the reason why it failed.
 */
const char *unlz4_legacy(const struct blob *in, struct blob *out);

/*
 * Makes an unnamed temporary file with the @size bytes at @bytes, positioned at
 * its start, as run_program()'s input. The caller closes it. Returns NULL and sets
 * errno on failure.
 */
FILE *file_of(const void *bytes, size_t size);

/*
 * Runs the program @argv[0], found in PATH, and waits for it. Its standard input
 * is the file descriptor @input. Reads its standard output to @out->data, at most
 * @out->size bytes, and sets @out->size to the bytes read. SIGPIPE stops a program
 * that prints more. Sets @status as waitpid() does. Returns NULL, or the reason
 * why the output could not be read. Calls die() if the program cannot be started.
 */
const char *run_program(char *const argv[], int input, struct blob *out,
			int *status);

/* ---- filter.c ---- */

/* The ranges of a flat image that are to be rewritten, as in payload_header.filter. */
struct filters {
	struct payload_filter list[PAYLOAD_FILTERS];
};

/*
 * Chooses ranges of @image and a filter for each. These are tried: each section of code, the
 * sections of Linux with tables that filter.c knows, and in all other bytes each run of ascending
 * numbers. filter.c compresses each range with and without the filter, and keeps the filter if it
 * saves bytes. The result is valid for @image only.
 */
struct filters filters_choose(const struct image *image);

/*
 * Rewrites the flat image of @file_size bytes at @bytes as @filters say, which must be
 * filters that unfilter() accepts. unfilter() is the inverse.
 */
void filters_apply(u8 *bytes, u64 file_size, const struct filters *filters);

/* ---- pack.c ---- */

/* Bytes of the magic number with which an lz4, zstd or lzo file begins. */
#define MAGIC_LEN		4

/*
 * lz4's legacy frame is a sequence of blocks. Each block decompresses to this many
 * bytes, the last one to at most as many.
 */
#define LZ4_LEGACY_BLOCK	(8 * MIB)
#define LZ4_LEGACY_MAGIC	"\x02\x21\x4c\x18"

/* The user's options about compression. parse_options() fills them in. */
struct packing {
	const char *codec;		/* zstd, lz4, none or auto */
	/* What measures the image: psp, hash or none; NULL: no option --launch. */
	const char *launch;
	/* Whether filters are used: yes or no; NULL: no option --filter. */
	const char *filter;
	/* The compression level; 0: the codec's default level. */
	int level;
	bool quiet;			/* no progress on stderr */
};

/* The result of pack_image(). */
struct packed {
	struct blob frame;		/* the compressed bytes */
	/* The ranges rewritten before compression. This field is all zeros if no range was. */
	struct filters filters;
	u32 codec;			/* PAYLOAD_CODEC_* */
	/* The value for payload_header.margin, in bytes. */
	u64 margin;
};

/*
 * Checks @packing. Calls die() if a name is unknown, the level is out of the
 * codec's range, or options contradict each other. Must be called before
 * pack_image().
 */
void pack_check(const struct packing *packing);

/*
 * Compresses the bytes of @image (flat image and relocation table) as @packing says,
 * with or without filters. pack_check() must have accepted @packing. Then decompresses
 * the result in place and undoes the filters, as the stub will, and compares what comes
 * out with @image. The caller frees the frame. Calls die() on failure.
 */
struct packed pack_image(const struct image *image, const struct packing *packing);

/*
 * Decompresses @frame in place and undoes the filters, as the stub does with a payload
 * whose header is @header, and returns whether the bytes of @image come out. The fields
 * codec, margin, filter and file_size of @header are used. file_size must be that of
 * @image. Calls die() if @frame cannot be decompressed.
 */
bool pack_holds(const struct payload_header *header, const struct blob *frame,
		const struct image *image);

/*
 * Returns the size in bytes to which zstd compresses the @size bytes at @bytes, at the
 * default level for payloads. The report prints this size for each section.
 */
u64 pack_size(u8 *bytes, u64 size);

/*
 * Returns the name of @codec as in --codec, or "unknown" if it is not one of
 * PAYLOAD_CODEC_*.
 */
const char *codec_name(u32 codec);

/*
 * Returns the name of the stub's function that decodes @codec, which must be one
 * of PAYLOAD_CODEC_*.
 */
const char *decoder_name(u32 codec);

/* ---- report.c ---- */

/*
 * Nanoseconds that AMD's security processor takes to measure a KiB of guest memory
 * when an SEV guest is launched (LAUNCH_UPDATE_DATA).
 */
#define PSP_NS_PER_KIB		250000UL

/*
 * Return the values for the payload header's fields comp_digest, the digest of the @size
 * compressed bytes at @frame, and header_digest, the digest of all fields of the header
 * in front of header_digest.
 */
u64 frame_digest(const u8 *frame, u64 size);
u64 header_digest(const struct payload_header *header);

/*
 * Prints what the image file @image is made of, how long its launch takes, and
 * the SHA-256 digests of @image, @initrd and @cmdline. @initrd names a file or is
 * NULL for no initrd. @cmdline is a string; its NUL is part of what is digested.
 * @kernel is the kernel from which @image was made, for a list of its sections, or
 * NULL for no list; @kernel_name is its file. Returns the exit status 0. Calls die()
 * if @image was not made by mkimage, or not from @kernel, or if a file cannot be read.
 */
int print_report(const char *image, const char *initrd, const char *cmdline,
		 const struct image *kernel, const char *kernel_name);

/* ---- relocs.c ---- */

/*
 * Relocated places of one kind (payload.h), as byte offsets from the payload's
 * first byte. @offset holds @count offsets and has room for @room.
 */
struct reloc_list {
	u32 *offset;
	size_t count, room;
};

/* All relocated places of a payload. Must be initialised with zeros. */
struct relocs {
	struct reloc_list list[RELOC_KINDS];
};

/*
 * Adds a relocated place of @kind at byte @offset of the flat image. @offset must
 * be below PAYLOAD_MAX_SIZE. Places may come in any order. Calls die() if there is
 * no memory.
 */
void relocs_add(struct relocs *relocs, enum reloc_kind kind, u64 offset);

/* Returns the number of places that relocs_add() has added, of all kinds. */
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
