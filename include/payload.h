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
#define PAYLOAD_VERSION		1

/* A Linux kernel: clears its own .bss, so the stub does not. */
#define PAYLOAD_LINUX		0x1
/* Runs at any multiple of align, not only at link_addr, as it stands. */
#define PAYLOAD_RELOCATABLE	0x2
/* Can be entered with five-level paging on. */
#define PAYLOAD_LA57		0x4
#define PAYLOAD_FLAGS_KNOWN	0x7

/* No payload may be larger than this, in the file or in memory. */
#define PAYLOAD_MAX_SIZE	0x80000000UL
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
	u64 header_digest;	/* 0x58: XXH64 of the fields above */
};
BUILD_BUG_ON(sizeof(struct payload_header) != 0x60);

/*
 * The relocation table as it is stored: at the first byte behind the flat
 * image (file_size is rounded up to 8 where there is one). What is listed are
 * the offsets of the places from the payload's first byte, ascending, first
 * those of 8 bytes that grow with the link address, then those of 4 bytes that
 * shrink, then those of 4 bytes that grow.
 */
struct payload_relocs {
	u32 count64;
	u32 count_inverse32;
	u32 count32;
	u32 reserved;			/* 0 */
	u32 offset[];
};

#endif
#endif
