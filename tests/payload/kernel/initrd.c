/* SPDX-License-Identifier: MIT */
/*
 * initrd.c - checks that the initrd which the stub passes to the test kernel has the
 * size and the checksum of the option t.initrd=CKSUM,SIZE.
 */
#include "kernel.h"

/*
 * The checksum is that of POSIX cksum: a CRC-32 with this polynomial over the bytes and
 * then over their number.
 */
#define CKSUM_POLYNOMIAL	0x04c11db7

static u32 cksum_step(const u32 *table, u32 crc, u8 byte)
{
	return crc << 8 ^ table[crc >> 24 ^ byte];
}

static u32 cksum(const u8 *p, u64 len)
{
	static u32 table[256];
	u32 crc = 0;

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		u32 c = i << 24;

		for (u32 bit = 0; bit < 8; bit++)
			c = c << 1 ^ (c >> 31 ? CKSUM_POLYNOMIAL : 0);
		table[i] = c;
	}
	for (u64 i = 0; i < len; i++)
		crc = cksum_step(table, crc, p[i]);
	for (u64 n = len; n; n >>= 8)
		crc = cksum_step(table, crc, (u8)n);
	return ~crc;
}

void initrd_check(void)
{
	const struct boot_params *bp = zero_page();
	u64 addr = (u64)bp->ext_ramdisk_image << 32 | bp->hdr.ramdisk_image;
	u64 size = (u64)bp->ext_ramdisk_size << 32 | bp->hdr.ramdisk_size;
	const char *expected = option("t.initrd");
	u64 expected_crc, expected_size;
	u32 crc;

	if (!expected) {
		if (size)
			fail("initrd: %lx bytes at %lx, expected none", size,
			     addr);
		return;
	}
	expected_crc = parse_number(&expected);
	expected_size = parse_next_number(&expected);
	if (size != expected_size) {
		fail("initrd: %lu bytes at %lx, expected %lu", size, addr,
		     expected_size);
		return;
	}
	handed_add("initrd", addr, size);
	crc = cksum((const u8 *)addr, size);
	fact("initrd: at %lx, %lu bytes, cksum %u", addr, size, crc);
	if (crc != expected_crc)
		fail("initrd: cksum is %u, expected %lu", crc, expected_crc);
}
