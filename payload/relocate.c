/* SPDX-License-Identifier: MIT */
/*
 * relocate.c - adapts the payload to the address at which it runs, if that is
 * not its link address. The relocation table lists the places to which the
 * distance between these two addresses is added, or from which it is subtracted.
 *
 * Runs after the decoder. The relocation table lies directly after the flat
 * image (payload.h describes both). mkpayload has checked every entry, and the
 * digest covers the table. The code nevertheless checks each entry, so that it
 * never writes outside of the image.
 */
#include "error.h"
#include "relocate.h"
#include "unfilter.h"

/*
 * Types for the 64-bit and 32-bit addresses in the payload that are relocated.
 * They may have any alignment.
 */
typedef u64 __attribute__((aligned(1))) place64;
typedef s32 __attribute__((aligned(1))) place32;

struct table {
	const u8 *at, *end;
};

/*
 * Reads an unsigned LEB128 number of at most five bytes. Returns -EINVAL if it
 * is longer, or if the table ends before the number does.
 */
static int read_number(struct table *table, u64 *value)
{
	unsigned int shift;
	u8 byte;

	*value = 0;
	for (shift = 0; shift < LEB128_MAX_BITS; shift += LEB128_BITS) {
		if (table->at == table->end)
			return -EINVAL;
		byte = *table->at++;
		*value |= (u64)(byte & (LEB128_MORE - 1)) << shift;
		if (!(byte & LEB128_MORE))
			return 0;
	}
	return -EINVAL;
}

/*
 * Adds @distance to the address at @at, or subtracts it for RELOC_INVERSE32. Addresses of 32
 * bits are sign-extended. Returns false if the result does not fit into 32 bits. Returns false,
 * too, if @at is memory of the stub, because the hypervisor can put an old address in the place
 * of the caller's @at on the stack. The caller then adds numbers of the table to this address,
 * and the sum can be the address of the stub's data. Not inlined, so that this function has
 * enough registers to keep @at in one.
 */
static noinline bool move(u8 *at, unsigned int kind, u64 distance)
{
	place32 *place = (place32 *)at;
	u64 moved;

	if (!may_write(at, RELOC_WIDTH(kind), RELOC_WIDTH(kind)))
		return false;
	if (kind == RELOC_64) {
		*(place64 *)at += distance;
		return true;
	}
	if (kind != RELOC_32)
		distance = -distance;
	moved = (u64)(s64)*place + distance;
	*place = (s32)moved;
	return (u64)(s64)*place == moved;
}

int relocate_image(u8 *image, u64 image_size, const u8 *relocs, u64 reloc_size,
		   u64 distance)
{
	struct table table = { relocs, relocs + reloc_size };
	unsigned int kind;
	u64 count, gap;

	for (kind = 0; kind < RELOC_KINDS; kind++) {
		u64 width = RELOC_WIDTH(kind);
		u64 left = image_size;
		u8 *at = image;

		if (read_number(&table, &count))
			return -EINVAL;
		for (; count; count--) {
			if (read_number(&table, &gap) || left < width ||
			    gap > left - width)
				return -EINVAL;
			at += gap;
			left -= gap + width;
			if (!move(at, kind, distance))
				return -EINVAL;
			at += width;
		}
	}
	return table.at == table.end ? 0 : -EINVAL;
}

void relocate(u8 *out, const struct payload_header *p, u64 phys_addr,
	      u64 virt_addr)
{
	u64 distance = virt_addr - p->virt_addr;

	if (p->flags & PAYLOAD_IDENTITY)
		distance = phys_addr - p->link_addr;
	if (!distance)
		return;
	if (relocate_image(out, p->file_size, out + p->file_size,
			   p->reloc_size, distance))
		/*
		 * The message does not tell the distance, because it is secret
		 * and the hypervisor may read the console.
		 */
		error("relocation",
		      "0x%lx bytes of payload cannot move, by a table of 0x%lx bytes",
		      p->file_size, p->reloc_size);
}
