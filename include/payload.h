/* SPDX-License-Identifier: MIT */
/*
 * payload.h - the header in front of the compressed payload: what mkpayload
 * writes at build time and the stub checks at boot.
 *
 * What is compressed is the flat memory image: the byte at offset 0 belongs at
 * the lowest p_paddr of the kernel's PT_LOAD segments, and so on without gaps
 * to the last byte that the file supplies. The relocation table, if there is
 * one, follows it directly in the same compressed stream.
 *
 * All fields are little endian. The digests are XXH64 with seed 0.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#define PAYLOAD_MAGIC		"sevstub"	/* 8 bytes with its NUL */
#define PAYLOAD_VERSION		2

/* A Linux kernel: clears its own .bss, so the stub does not. */
#define PAYLOAD_LINUX		0x1
/* Physically: runs at any multiple of align, not only at link_addr. */
#define PAYLOAD_RELOCATABLE	0x2
/* Can be entered with five-level paging on. */
#define PAYLOAD_LA57		0x4
/*
 * Virtually: its own page tables follow the relocations, so that they can move
 * it by any multiple of align, wherever it lies.
 */
#define PAYLOAD_KASLR		0x8
/* Runs identity-mapped: the relocations move it to where it lies. */
#define PAYLOAD_IDENTITY	0x10
#define PAYLOAD_FLAGS_KNOWN	0x1f

/* payload_header.codec: what the compressed bytes are. */
#define PAYLOAD_CODEC_ZSTD	1	/* one frame */
#define PAYLOAD_CODEC_LZ4	2	/* one legacy frame, blocks of 8 MiB */
#define PAYLOAD_CODEC_NONE	3	/* themselves */

/* No payload may be larger than this, in the file or in memory. */
#define PAYLOAD_MAX_SIZE	0x80000000UL
/* None runs above this: with four-level paging Linux has no more (MAXMEM). */
#define PAYLOAD_ADDR_MAX	0x400000000000UL
/* Bounds of payload_header.align. */
#define PAYLOAD_MIN_ALIGN	0x1000UL
#define PAYLOAD_MAX_ALIGN	0x40000000UL

#ifndef __ASSEMBLER__

#include "types.h"

struct payload_header {
	char magic[8];		/* 0x00: PAYLOAD_MAGIC */
	u32 version;		/* 0x08: PAYLOAD_VERSION */
	u32 flags;		/* 0x0c: PAYLOAD_* */
	u64 link_addr;		/* 0x10: physical address it is linked at */
	u64 align;		/* 0x18: power of two that divides link_addr */
	u64 entry_offset;	/* 0x20: 64-bit entry, from the first byte */
	u64 file_size;		/* 0x28: bytes of the flat memory image */
	u64 mem_size;		/* 0x30: bytes of memory, >= file_size */
	u64 reloc_size;		/* 0x38: bytes of relocation table behind it */
	u64 margin;		/* 0x40: decompression in place: the compressed
				 * bytes end this far above the output's end */
	u64 comp_size;		/* 0x48: compressed bytes behind this header */
	u64 comp_digest;	/* 0x50: XXH64 of those bytes */
	u64 virt_addr;		/* 0x58: virtual address it is linked at */
	u32 codec;		/* 0x60: PAYLOAD_CODEC_* */
	u32 reserved;		/* 0x64: 0 */
	u64 header_digest;	/* 0x68: XXH64 of the fields above */
};
BUILD_BUG_ON(sizeof(struct payload_header) != 0x70);

/*
 * The relocation table: three lists of places in the flat image to which the
 * distance that the payload moves is added, or from which it is subtracted.
 * Each list is its count, then for each place the number of bytes between the
 * end of the one before it, or the image's first byte, and the place: so they
 * ascend and do not overlap. Numbers are unsigned LEB128: seven bits a byte,
 * the lowest first, bit 7 set in all bytes but the last, at most five bytes.
 */
enum reloc_kind {
	RELOC_64,		/* 8 bytes, added */
	RELOC_INVERSE32,	/* 4 bytes, subtracted */
	RELOC_32,		/* 4 bytes, added */
	RELOC_KINDS,
};

#define RELOC_WIDTH(kind)	((kind) == RELOC_64 ? 8U : 4U)

#define LEB128_BITS		7
#define LEB128_MORE		0x80
#define LEB128_MAX_BITS		35

#endif
#endif
