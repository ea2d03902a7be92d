/* SPDX-License-Identifier: MIT */
/*
 * payload.h - the format of the payload. mkpayload writes it at build time and
 * the stub checks it at boot.
 *
 * The payload is struct payload_header and then the compressed bytes. Compressed
 * is the flat memory image, directly followed by the relocation table if there is
 * one. The image begins at the lowest p_paddr of the kernel's PT_LOAD segments and
 * ends with the last byte that the file supplies. Gaps in it are zero.
 *
 * All fields are little endian. The digests are XXH64 with seed 0.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#define PAYLOAD_MAGIC		"sevstub"	/* 8 bytes with its NUL */
#define PAYLOAD_VERSION		2

/* Flag: a Linux kernel. It clears its own .bss, so the stub does not. */
#define PAYLOAD_LINUX		0x1
/* Flag: may run at any physical multiple of align, not only at link_addr. */
#define PAYLOAD_RELOCATABLE	0x2
/* Flag: may be entered while five-level paging is enabled. */
#define PAYLOAD_LA57		0x4
/*
 * Flag: may be moved virtually by any multiple of align, independently of its
 * physical address, because the relocations also adapt its own page tables.
 */
#define PAYLOAD_KASLR		0x8
/*
 * Flag: runs identity-mapped. If it is moved, the relocations must be applied with
 * the physical distance.
 */
#define PAYLOAD_IDENTITY	0x10
#define PAYLOAD_FLAGS_KNOWN	0x1f

/* Values of payload_header.codec, the format of the compressed bytes. */
#define PAYLOAD_CODEC_ZSTD	1	/* one frame */
#define PAYLOAD_CODEC_LZ4	2	/* one legacy frame, blocks of 8 MiB */
#define PAYLOAD_CODEC_NONE	3	/* not compressed */

/* The largest file_size + reloc_size and the largest mem_size, in bytes. */
#define PAYLOAD_MAX_SIZE	0x80000000UL
/*
 * A payload must end at or below this address. Linux with four-level paging has
 * no more physical memory (MAXMEM).
 */
#define PAYLOAD_ADDR_MAX	0x400000000000UL
/* The smallest and the largest payload_header.align, in bytes. */
#define PAYLOAD_MIN_ALIGN	0x1000UL
#define PAYLOAD_MAX_ALIGN	0x40000000UL

#ifndef __ASSEMBLER__

#include "types.h"

/* mkpayload writes all fields. The stub refuses a header with a wrong digest. */
struct payload_header {
	char magic[8];		/* 0x00: PAYLOAD_MAGIC */
	u32 version;		/* 0x08: PAYLOAD_VERSION */
	u32 flags;		/* 0x0c: PAYLOAD_* */
	u64 link_addr;		/* 0x10: physical link address of byte 0 */
	u64 align;		/* 0x18: bytes, a power of two that divides
				 * link_addr; wherever the payload runs, its
				 * address is a multiple of it */
	u64 entry_offset;	/* 0x20: of the 64-bit entry, from byte 0 */
	u64 file_size;		/* 0x28: bytes of the flat memory image */
	u64 mem_size;		/* 0x30: file_size and .bss, in bytes */
	u64 reloc_size;		/* 0x38: bytes of relocation table; 0: none */
	u64 margin;		/* 0x40: for decompression in place, the
				 * compressed bytes must end at least this
				 * many bytes above the output's end */
	u64 comp_size;		/* 0x48: compressed bytes behind this header */
	u64 comp_digest;	/* 0x50: XXH64 of the compressed bytes */
	u64 virt_addr;		/* 0x58: virtual link address of byte 0 */
	u32 codec;		/* 0x60: PAYLOAD_CODEC_* */
	u32 reserved;		/* 0x64: 0 */
	u64 header_digest;	/* 0x68: XXH64 of all fields above */
};
BUILD_BUG_ON(sizeof(struct payload_header) != 0x70);

/*
 * The relocation table has three lists of places in the flat image, in the order
 * of this enumeration. If the payload moves, the stub adds the distance to each
 * place or subtracts it.
 *
 * A list is its number of places, then a number for each place: the bytes from the
 * end of the list's previous place, or from the image's first byte, to this place.
 * Hence places ascend and do not overlap. Numbers are unsigned LEB128: seven bits
 * per byte, the lowest first, bit 7 set in all bytes but the last, at most five
 * bytes.
 */
enum reloc_kind {
	RELOC_64,		/* 8 bytes, added */
	RELOC_INVERSE32,	/* 4 bytes, subtracted */
	RELOC_32,		/* 4 bytes, added */
	RELOC_KINDS,
};

/* The bytes of a place of this kind. */
#define RELOC_WIDTH(kind)	((kind) == RELOC_64 ? 8U : 4U)

#define LEB128_BITS		7
#define LEB128_MORE		0x80
#define LEB128_MAX_BITS		35

#endif
#endif
