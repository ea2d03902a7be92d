/* SPDX-License-Identifier: MIT */
/*
 * sha2.h - the hash functions SHA-256 and SHA-384 (FIPS 180-4, sha2.c), for launch
 * digests and for the table of kernel hashes.
 */
#ifndef SEVEMU_SHA2_H
#define SEVEMU_SHA2_H

#include "x86.h"

#define SHA256_SIZE		32	/* bytes of a digest */
#define SHA384_SIZE		48

/* The state of a SHA-256 to which sha256_add() adds bytes. */
struct sha256 {
	u32 state[8];
	u64 length;		/* bytes so far */
	u8 block[64];		/* added bytes that do not fill a block of 64 yet */
};

/* Starts a SHA-256 of no bytes. */
void sha256_init(struct sha256 *hash);

/* Adds @len bytes at @data to the hashed bytes. */
void sha256_add(struct sha256 *hash, const void *data, size_t len);

/* Writes the digest of the hashed bytes to @digest.  Further use needs sha256_init(). */
void sha256_end(struct sha256 *hash, u8 digest[SHA256_SIZE]);

/* Writes the SHA-384 of the @len bytes at @data to @digest. */
void sha384(const void *data, size_t len, u8 digest[SHA384_SIZE]);

#endif
