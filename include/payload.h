/* SPDX-License-Identifier: MIT */
/*
 * payload.h - the format of the payload. mkpayload writes it at build time and
 * the stub checks it at boot.
 *
 * The payload is struct payload_header and then the compressed bytes. They
 * decompress to the flat image, directly followed by the relocation table if there
 * is one. The flat image is the kernel as it lies in memory, from the lowest
 * p_paddr of its PT_LOAD segments to the last byte that the ELF file supplies.
 * Gaps between segments are zero.
 *
 * All fields are little endian. The digests are XXH64 with seed 0.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#define PAYLOAD_MAGIC		"sevstub"	/* 8 bytes with its NUL */
#define PAYLOAD_VERSION		2

/*
 * Flag: a Linux kernel. It clears its own .bss, so the stub only clears the part
 * into which the relocation table was decompressed.
 */
#define PAYLOAD_LINUX		0x1
/*
 * Flag: may run at any physical address from link_addr on that is a multiple of
 * align. Without the flag it runs at link_addr only.
 */
#define PAYLOAD_RELOCATABLE	0x2
/* Flag: may be entered while five-level paging is enabled. */
#define PAYLOAD_LA57		0x4
/*
 * Flag: may run at another virtual address than virt_addr, independently of its
 * physical address. The difference must be a multiple of align. Linux can do this,
 * because it computes its first page tables from relocated addresses.
 */
#define PAYLOAD_KASLR		0x8
/*
 * Flag: the payload uses physical addresses as virtual ones (identity-mapped).
 * To relocate it, the stub adds run address minus link_addr to its addresses.
 */
#define PAYLOAD_IDENTITY	0x10
#define PAYLOAD_FLAGS_KNOWN	0x1f

/* Values of payload_header.codec, the format of the compressed bytes. */
#define PAYLOAD_CODEC_ZSTD	1	/* one frame */
#define PAYLOAD_CODEC_LZ4	2	/* one legacy frame, blocks of 8 MiB */
#define PAYLOAD_CODEC_NONE	3	/* not compressed */

/*
 * The largest mem_size in bytes. mkpayload also keeps the sum file_size +
 * reloc_size within this limit. The stub does not check the sum, but reloc_size
 * and margin separately.
 */
#define PAYLOAD_MAX_SIZE	0x80000000UL
/*
 * A payload must end at or below this physical address, 2^46, because Linux with
 * four-level paging uses no memory above it (MAXMEM).
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
	u64 comp_size;		/* 0x48: number of compressed bytes behind this header */
	u64 comp_digest;	/* 0x50: XXH64 of the compressed bytes */
	u64 virt_addr;		/* 0x58: virtual link address of the flat image */
	u32 codec;		/* 0x60: PAYLOAD_CODEC_* */
	u32 reserved;		/* 0x64: 0 */
	u64 header_digest;	/* 0x68: XXH64 of all fields above */
};
BUILD_BUG_ON(sizeof(struct payload_header) != 0x70);

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
	RELOC_64,		/* places of 8 bytes: add the distance to the value there */
	RELOC_INVERSE32,	/* places of 4 bytes: subtract the distance from the value there */
	RELOC_32,		/* places of 4 bytes: add the distance to the value there */
	RELOC_KINDS,
};

/* Bytes of an address that is relocated as @kind, one of enum reloc_kind. */
#define RELOC_WIDTH(kind)	((kind) == RELOC_64 ? 8U : 4U)

#define LEB128_BITS		7
#define LEB128_MORE		0x80
#define LEB128_MAX_BITS		35

#endif
#endif
