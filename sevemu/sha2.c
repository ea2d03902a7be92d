/* SPDX-License-Identifier: MIT */
/*
 * sha2.c - the hash functions SHA-256 and SHA-384 (FIPS 180-4).
 *
 * Runs before the guest starts.  The two algorithms differ in the width of a word, in
 * the rotations and in the constants.  Both are written in the form of the standard.
 */
#include "sevemu.h"
#include "sha2.h"

/* The constants of SHA-512.  Those of SHA-256 are the upper halves of the first 64. */
static const u64 constants[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static const u32 start256[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const u64 start384[8] = {
	0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
	0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};

static u32 ror32(u32 x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static u64 ror64(u64 x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

static void block256(u32 state[8], const u8 *data)
{
	u32 w[64], s[8];
	unsigned int i;

	for (i = 0; i < 16; i++) {
		memcpy(&w[i], data + i * sizeof(w[i]), sizeof(w[i]));
		w[i] = __builtin_bswap32(w[i]);
	}
	for (; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (ror32(w[i - 15], 7) ^ ror32(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ror32(w[i - 2], 17) ^ ror32(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 64; i++) {
		u32 t1 = s[7] + (ror32(s[4], 6) ^ ror32(s[4], 11) ^ ror32(s[4], 25)) +
			 ((s[4] & s[5]) ^ (~s[4] & s[6])) + (u32)(constants[i] >> 32) + w[i];
		u32 t2 = (ror32(s[0], 2) ^ ror32(s[0], 13) ^ ror32(s[0], 22)) +
			 ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

static void block512(u64 state[8], const u8 *data)
{
	u64 w[80], s[8];
	unsigned int i;

	for (i = 0; i < 16; i++) {
		memcpy(&w[i], data + i * sizeof(w[i]), sizeof(w[i]));
		w[i] = __builtin_bswap64(w[i]);
	}
	for (; i < 80; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (ror64(w[i - 15], 1) ^ ror64(w[i - 15], 8) ^ w[i - 15] >> 7) +
		       (ror64(w[i - 2], 19) ^ ror64(w[i - 2], 61) ^ w[i - 2] >> 6);
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 80; i++) {
		u64 t1 = s[7] + (ror64(s[4], 14) ^ ror64(s[4], 18) ^ ror64(s[4], 41)) +
			 ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
		u64 t2 = (ror64(s[0], 28) ^ ror64(s[0], 34) ^ ror64(s[0], 39)) +
			 ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

void sha256_init(struct sha256 *hash)
{
	memcpy(hash->state, start256, sizeof(start256));
	hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t len)
{
	const u8 *p = data;

	while (len) {
		size_t used = hash->length % sizeof(hash->block);
		size_t part = sizeof(hash->block) - used;

		if (part > len)
			part = len;
		memcpy(hash->block + used, p, part);
		hash->length += part;
		p += part;
		len -= part;
		if (used + part == sizeof(hash->block))
			block256(hash->state, hash->block);
	}
}

void sha256_end(struct sha256 *hash, u8 digest[SHA256_SIZE])
{
	u64 bits = __builtin_bswap64(hash->length * 8);
	static const u8 padding[64] = { 0x80 };
	unsigned int i;

	sha256_add(hash, padding, 1 + (119 - hash->length % 64) % 64);
	sha256_add(hash, &bits, sizeof(bits));
	for (i = 0; i < 8; i++)
		hash->state[i] = __builtin_bswap32(hash->state[i]);
	memcpy(digest, hash->state, SHA256_SIZE);
}

void sha384(const void *data, size_t len, u8 digest[SHA384_SIZE])
{
	u64 state[8], bits = __builtin_bswap64((u64)len * 8);
	u8 last[256] = { 0 };
	size_t rest = len % 128, tail = rest + 17 > 128 ? 256 : 128;
	const u8 *p = data;
	unsigned int i;

	memcpy(state, start384, sizeof(state));
	for (; len >= 128; len -= 128, p += 128)
		block512(state, p);
	memcpy(last, p, rest);
	last[rest] = 0x80;
	memcpy(last + tail - sizeof(bits), &bits, sizeof(bits));
	for (i = 0; i < tail; i += 128)
		block512(state, last + i);
	for (i = 0; i < 8; i++)
		state[i] = __builtin_bswap64(state[i]);
	memcpy(digest, state, SHA384_SIZE);
}
