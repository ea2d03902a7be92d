/* SPDX-License-Identifier: MIT */
/*
 * seal.h - the record by which a test kernel knows what it has to look like
 * in memory. The linker leaves room for it in section .seal, the host program
 * seal fills it in, self.c compares.
 */
#ifndef TEST_SEAL_H
#define TEST_SEAL_H

#include "types.h"

#define SEAL_MAGIC		"sealed!"	/* 8 bytes with its NUL */
#define SEAL_MAX_SEGMENTS	4

/* One PT_LOAD; .file_size of it must be as linked, the rest zero. */
struct seal_segment {
	u64 offset;		/* from the lowest p_paddr */
	u64 file_size;
	u64 mem_size;
	u64 hash;		/* of file_size bytes, without the seal */
};

struct seal {
	char magic[8];
	u64 link_addr;		/* the lowest p_paddr */
	u64 mem_size;		/* up to the highest end of a segment */
	u64 segments;
	struct seal_segment segment[SEAL_MAX_SEGMENTS];
};

#define SEAL_HASH_START		0xcbf29ce484222325UL
#define SEAL_HASH_PRIME		0x00000100000001b3UL

/*
 * FNV-1a's steps on words of 64 bits, for speed under emulation. Each step is
 * a bijection of the hash, so that no change of a single word goes unnoticed.
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

/* The hash of a segment that may have the seal in it, at @seal or NULL. */
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
