/* SPDX-License-Identifier: MIT */
/*
 * seal.h - the seal of a test kernel: a record, inside the kernel, of how the kernel's
 * own memory must look. The linker leaves room for the seal in section .seal. The program
 * seal (seal.c) runs on the build machine after the link and fills the seal in. When the
 * kernel runs, self.c compares the seal with memory.
 */
#ifndef TEST_SEAL_H
#define TEST_SEAL_H

#include "types.h"

/* The value of seal.magic: 8 bytes, the NUL included. */
#define SEAL_MAGIC		"sealed!"
#define SEAL_MAX_SEGMENTS	4

/*
 * A PT_LOAD segment of the test kernel. In memory, its first @file_size bytes must be
 * as linked, and the bytes from there to @mem_size must be zero.
 */
struct seal_segment {
	/* The segment's p_paddr minus the lowest p_paddr of all segments, in bytes. */
	u64 offset;
	u64 file_size;		/* bytes of the segment in the ELF file */
	u64 mem_size;		/* bytes of the segment in memory */
	u64 hash;		/* hash of the segment's first file_size bytes */
};

struct seal {
	char magic[8];
	u64 link_addr;		/* lowest p_paddr of the kernel's segments */
	/* Bytes from link_addr to the highest end of a segment. */
	u64 mem_size;
	u64 segments;		/* number of used entries of segment[] */
	struct seal_segment segment[SEAL_MAX_SEGMENTS];
};

#define SEAL_HASH_START		0xcbf29ce484222325UL
#define SEAL_HASH_PRIME		0x00000100000001b3UL

/*
 * Returns @hash updated by @len bytes at @data. The algorithm is based on FNV-1a. It takes
 * 64-bit words instead of bytes, because that is faster under emulation. A step never makes
 * two different hashes equal, and different words never give one hash the same result.
 * A change of a single word therefore always changes the final hash.
 */
static inline u64 seal_hash(u64 hash, const void *data, u64 len)
{
	const u8 *p = data;
	u64 word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		__builtin_memcpy(&word, p, sizeof(word));
		hash = (hash ^ word) * SEAL_HASH_PRIME;
		hash ^= hash >> 32;
	}
	for (; len; len--, p++)
		hash = (hash ^ *p) * SEAL_HASH_PRIME;
	return hash;
}

/*
 * Returns the hash of @len bytes at @data. If the seal at @seal lies among these bytes,
 * it is left out, because the seal contains the hash itself.
 */
static inline u64 seal_hash_around(const void *data, u64 len, const void *seal)
{
	const u8 *start = data;
	u64 before = len;
	u64 hash;

	if ((uintptr_t)seal >= (uintptr_t)start &&
	    (uintptr_t)seal < (uintptr_t)start + len)
		before = (uintptr_t)seal - (uintptr_t)start;
	hash = seal_hash(SEAL_HASH_START, start, before);
	if (before < len) {
		before += sizeof(struct seal);
		hash = seal_hash(hash, start + before, len - before);
	}
	return hash;
}

#endif
