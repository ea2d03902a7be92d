/* SPDX-License-Identifier: MIT */
/*
 * payload.h - the format of the payload. mkpayload writes it at build time and
 * the stub checks it at boot.
 *
 * The payload is struct payload_header and then the compressed bytes. They
 * decompress to the flat image, directly followed by the relocation table if there
 * is one. The flat image is the kernel as it lies in memory, from the lowest
 * p_paddr of its PT_LOAD segments to the last byte that the ELF file supplies.
 * Gaps between segments are zero. mkpayload rewrites some ranges of the flat image,
 * so that they compress better. payload_header.filter lists these ranges, and the
 * stub restores them.
 *
 * All fields are little endian. The digests are XXH64 with seed 0.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#define PAYLOAD_MAGIC		"sevstub"	/* 8 bytes with its NUL */
#define PAYLOAD_VERSION		3

/*
 * Flag: a Linux kernel. It clears its own .bss, so the stub only clears the part
 * into which the relocation table was decompressed.
 */
#define PAYLOAD_LINUX		0x1
/*
 * Flag: may run at any physical address from link_addr on that is a multiple of
 * align, and below the limit of payload_addr_max(). Without the flag it runs at link_addr only.
 */
#define PAYLOAD_RELOCATABLE	0x2
/* Flag: may be entered while five-level paging is enabled. */
#define PAYLOAD_LA57		0x4
/*
 * Flag: the payload may run at another virtual address than virt_addr, whatever its
 * physical address is. Its virtual address minus virt_addr must be a multiple of align.
 * Linux can do this, because it computes its first page tables from relocated addresses.
 */
#define PAYLOAD_KASLR		0x8
/*
 * Flag: the payload uses physical addresses as virtual ones (identity-mapped).
 * To relocate it, the stub adds run address minus link_addr to its addresses.
 */
#define PAYLOAD_IDENTITY	0x10
/*
 * Flag: must end at or below PAYLOAD_LOW_MAX, because the relocation table has places of
 * 32 bits. Only with PAYLOAD_IDENTITY, because an address in any other kernel is virtual.
 */
#define PAYLOAD_LOW		0x20
#define PAYLOAD_FLAGS_KNOWN	0x3f

/* Values of payload_header.codec, the format of the compressed bytes. */
#define PAYLOAD_CODEC_ZSTD	1	/* one frame */
#define PAYLOAD_CODEC_LZ4	2	/* one legacy frame, blocks of 8 MiB */
#define PAYLOAD_CODEC_NONE	3	/* not compressed */

/*
 * The number of ranges that mkpayload may rewrite. It finds 22 in each of Debian's
 * kernels.
 */
#define PAYLOAD_FILTERS		24

/*
 * The largest mem_size in bytes. mkpayload also keeps the sum file_size + reloc_size
 * within this limit. The stub refuses a reloc_size or a margin above the limit. It does
 * not compare the sum with the limit, because place_payload() compares the sum with the
 * memory that is there for the payload.
 */
#define PAYLOAD_MAX_SIZE	0x80000000UL
/*
 * A payload must end at or below this physical address, 2^46, because Linux with
 * four-level paging uses no memory above it (MAXMEM).
 */
#define PAYLOAD_ADDR_MAX	0x400000000000UL
/*
 * The same for a payload with PAYLOAD_LOW: the last page boundary below 2^31. A relocated place
 * of 32 bits is a signed number, and it can hold the address of the payload's end.
 */
#define PAYLOAD_LOW_MAX		0x7ffff000UL
/* The smallest and the largest payload_header.align, in bytes. */
#define PAYLOAD_MIN_ALIGN	0x1000UL
#define PAYLOAD_MAX_ALIGN	0x40000000UL

#ifndef __ASSEMBLER__

#include "types.h"

/*
 * How mkpayload rewrites a range: the values of payload_filter.kind. Words are 32-bit
 * little-endian numbers at any address. A column is the words at the same offset in each
 * entry of a table. Sums and differences are modulo 2^32.
 *
 * FILTER_BRANCHES is for machine code. The target of a call or jmp takes the place of
 * the 32-bit displacement after the opcode. branch_to_target() defines the stored form.
 * The filter does not decode instructions: every byte BRANCH_CALL or BRANCH_JMP counts
 * as an opcode if four bytes of the range follow it. The filter goes through the range
 * from its end to its start, and looks at each byte as it is then. If the four bytes after
 * an opcode look like a stored target already, the filter replaces them so that the stub
 * can tell the two apart: see undo_branch() in payload/unfilter.c.
 *
 * FILTER_RELATIVE is for a table whose words hold the distance from the word to what the
 * word points to. The filter adds the word's own offset in the flat image. The sum is the
 * offset of what the word points to. From this sum the filter subtracts the sum for the
 * previous entry's word in this column, or 0 in the first entry.
 *
 * FILTER_ASCENDING is for a table of ascending numbers. The filter subtracts from a word
 * the previous entry's word in this column. The previous entry of the first entry counts
 * as 0.
 *
 * FILTER_FIRST_USES is for words that hold numbers of names, for example in BTF, where
 * the first use of a name has the next higher number. The filter keeps a maximum, which
 * is 0 at the start, and exchanges two ranges of values. For each N below FIRST_USE_REACH
 * it replaces a word of maximum + 1 + N by FIRST_USE + N, and raises the maximum by 1 + N.
 * It replaces a word of FIRST_USE + N by maximum + 1 + N, and keeps the maximum. It keeps
 * other words. Numbers that are used in order thus all become FIRST_USE, which compresses
 * well. The filter ends after the first word that makes the maximum FIRST_USE_MAX or more.
 */
enum filter_kind {
	FILTER_UNUSED,
	FILTER_BRANCHES,
	FILTER_RELATIVE,
	FILTER_ASCENDING,
	FILTER_FIRST_USES,
	FILTER_KINDS,
};

/*
 * Constants of FILTER_FIRST_USES, which enum filter_kind explains. The filter replaces a word
 * by FIRST_USE + N if the word is 1 + N greater than the last word that the filter replaced in
 * this way, or than 0 for the first such word. N is below FIRST_USE_REACH. The filter ends after
 * such a word if the word is FIRST_USE_MAX or more.
 */
#define FIRST_USE		0x80000000U
#define FIRST_USE_REACH		0x100U
#define FIRST_USE_MAX		0x40000000U

/*
 * The size in bytes of the numbers that a filter rewrites: the words of a table in the
 * kernel's data, and the displacements of its CALL and JMP instructions.
 */
#define FILTER_WORD		4U

/*
 * A range of the flat image that mkpayload has rewritten so that it compresses better, and that
 * the stub restores after it has decompressed it. The ranges ascend and do not overlap.
 */
struct payload_filter {
	u32 start;		/* 0x00: the range's offset in the flat image */
	u32 size;		/* 0x04: the range's bytes, at least 1, and a
				 * multiple of stride unless stride is 0 */
	u8 kind;		/* 0x08: enum filter_kind */
	u8 stride;		/* 0x09: bytes of a table's entry; 4 for
				 * FILTER_FIRST_USES, 0 for FILTER_BRANCHES */
	u8 columns;		/* 0x0a: mask of the words that are rewritten in
				 * each entry: bit N for the word at byte 4 * N.
				 * The mask is always 1 for FILTER_FIRST_USES,
				 * and 0 for FILTER_BRANCHES */
	u8 reserved;		/* 0x0b: 0 */
};
BUILD_BUG_ON(sizeof(struct payload_filter) != 12);

/* mkpayload writes all fields. The stub refuses a header with a wrong digest. */
struct payload_header {
	char magic[8];		/* 0x00: PAYLOAD_MAGIC */
	u32 version;		/* 0x08: PAYLOAD_VERSION */
	u32 flags;		/* 0x0c: PAYLOAD_* */
	u64 link_addr;		/* 0x10: physical link address of the flat image */
	u64 align;		/* 0x18: alignment, a power of two that divides
				 * link_addr; the payload's run address is
				 * always a multiple of align */
	u64 entry_offset;	/* 0x20: offset of the 64-bit entry in the flat image */
	u64 file_size;		/* 0x28: bytes of the flat image */
	u64 mem_size;		/* 0x30: bytes of flat image and .bss */
	u64 reloc_size;		/* 0x38: bytes of relocation table; 0: none */
	u64 margin;		/* 0x40: bytes by which the compressed bytes'
				 * end must lie above the output's end, if
				 * they overlap the output */
	u64 comp_size;		/* 0x48: number of compressed bytes after this header */
	u64 comp_digest;	/* 0x50: XXH64 of the compressed bytes */
	u64 virt_addr;		/* 0x58: virtual link address of the flat image */
	u32 codec;		/* 0x60: PAYLOAD_CODEC_* */
	u32 reserved;		/* 0x64: 0 */
	/* 0x68: elements in use come first; all bytes of the rest are 0 */
	struct payload_filter filter[PAYLOAD_FILTERS];
	u64 header_digest;	/* 0x188: XXH64 of all fields above */
};
BUILD_BUG_ON(sizeof(struct payload_header) != 0x190);

/* Returns the highest address at which a payload with @flags (PAYLOAD_*) may end. */
static inline u64 payload_addr_max(u32 flags)
{
	return flags & PAYLOAD_LOW ? PAYLOAD_LOW_MAX : PAYLOAD_ADDR_MAX;
}

/*
 * FILTER_BRANCHES stores BRANCH_BASE + target, with the highest byte first. The four
 * bytes after a byte that only looks like an opcode are often the next instruction. Few
 * instructions begin with 0x60 or a little more, so few of them look like a stored
 * target.
 */
#define BRANCH_BASE		0x60000000U
/* The opcodes of a call and a jmp, and how many bytes opcode and displacement have together. */
#define BRANCH_CALL		0xe8
#define BRANCH_JMP		0xe9
#define BRANCH_SIZE		5U

/*
 * Returns whether the displacement @word leads into the flat image, which has @size
 * bytes. @pos is the offset of the byte after the displacement. @pos and @size are at
 * most 2^31. Then a sum modulo 2^32 is enough, because a target below 0 becomes 2^31 or more.
 */
static inline bool branch_is_inside(u32 word, u64 pos, u64 size)
{
	return word + (u32)pos < size;
}

/*
 * Returns whether @stored, four bytes of a flat image of @size bytes, can be a result of
 * branch_to_target().
 */
static inline bool branch_is_target(u32 stored, u64 size)
{
	return __builtin_bswap32(stored) - BRANCH_BASE < size;
}

/*
 * Returns the stored form of the target to which the displacement @word leads. @pos is
 * the offset of the byte after the displacement. branch_is_inside() must be true for
 * @word.
 */
static inline u32 branch_to_target(u32 word, u64 pos)
{
	return __builtin_bswap32(BRANCH_BASE + word + (u32)pos);
}

/*
 * The inverse of branch_to_target(): returns the displacement whose stored form is
 * @stored. @pos is the offset of the byte after the displacement. branch_is_target() must
 * be true for @stored.
 */
static inline u32 branch_from_target(u32 stored, u64 pos)
{
	return __builtin_bswap32(stored) - BRANCH_BASE - (u32)pos;
}

/*
 * A place is 4 or 8 bytes of the flat image that hold an address. If the payload
 * moves, the stub adds the distance to each place or subtracts it. The relocation
 * table has three lists of places, in the order of this enumeration.
 *
 * A list is its number of places, then a number for each place: the bytes from the
 * end of the list's previous place, or from the image's first byte, to this place.
 * Hence the places of a list ascend and do not overlap. Numbers are unsigned
 * LEB128: seven bits per byte, the lowest first, bit 7 set in all bytes but the
 * last, at most five bytes.
 */
enum reloc_kind {
	/* Each place has 8 bytes. The stub adds the distance by which the payload moves. */
	RELOC_64,
	/* Each place has 4 bytes. The stub subtracts the distance by which the payload moves. */
	RELOC_INVERSE32,
	/* Each place has 4 bytes. The stub adds the distance by which the payload moves. */
	RELOC_32,
	RELOC_KINDS,
};

/* Bytes of an address that is relocated as @kind, one of enum reloc_kind. */
#define RELOC_WIDTH(kind)	((kind) == RELOC_64 ? 8U : 4U)

#define LEB128_BITS		7
#define LEB128_MORE		0x80
#define LEB128_MAX_BITS		35

#endif
#endif
