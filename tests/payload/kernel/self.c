/* SPDX-License-Identifier: MIT */
/*
 * self.c - checks that the test kernel lies in memory as it was linked, with .bss
 * zeroed. If the stub has relocated the kernel (places.h), this file undoes the
 * relocation first. In that case it clears .bss instead of checking it: the stub assumes that
 * each kernel with relocations is Linux. Linux clears its own .bss, so that the stub does not.
 */
#include "kernel.h"
#include "places.h"
#include "seal.h"

/*
 * The seal: a record of how the kernel's memory must look (seal.h). The program seal writes
 * the record into the kernel's file after the link. The record is volatile, so that the
 * compiler, which sees an empty record, does not use the empty values in place of those in
 * memory.
 */
static const volatile struct seal seal __attribute__((section(".seal"), used)) = {
	.magic = "",
};

/*
 * Returns the address of the first word or byte in [p, end) that is not zero, or 0 if
 * all are zero. Skips the kernel's own stack, which entry.S has checked before using
 * it.
 */
static u64 first_not_zero(u64 p, u64 end)
{
	u64 step;

	for (; p < end; p += step) {
		bool word = p % sizeof(u64) == 0 && end - p >= sizeof(u64);

		step = word ? sizeof(u64) : 1;
		if (p >= (u64)stack && p < (u64)stack_end)
			continue;
		if (word ? *(const volatile u64 *)p : *(const volatile u8 *)p)
			return p;
	}
	return 0;
}

/* Types for the relocated values in section .places, which are not aligned. */
typedef u64 __attribute__((aligned(1))) place64;
typedef u32 __attribute__((aligned(1))) place32;

static bool has_places(void)
{
	return &places_end[0] > &places_start[0];
}

/*
 * Undoes the stub's relocation of section .places, so that the kernel's bytes are as
 * linked and their hash can be checked. Returns the distance in bytes by which the stub
 * has relocated the kernel.
 */
static u64 undo_relocation(void)
{
	char *at = places_start;
	u64 distance;

	if (!has_places())
		return 0;
	distance = *(place64 *)(at + PLACES_MOVED) -
		   *(place64 *)(at + PLACES_LINKED);
	*(place64 *)(at + PLACES_MOVED) -= distance;
	for (at += PLACES_FIRST; at < places_end; at += PLACE_STRIDE) {
		*(place64 *)(at + PLACE_64) -= distance;
		*(place32 *)(at + PLACE_INVERSE32) += (u32)distance;
		*(place32 *)(at + PLACE_32) -= (u32)distance;
	}
	return distance;
}

/* Zeroes [start, end), except the kernel's own stack, which is in use. */
static void clear(u64 start, u64 end)
{
	if (start < (u64)stack && end > (u64)stack_end) {
		clear(start, (u64)stack);
		start = (u64)stack_end;
	}
	memset((void *)start, 0, end - start);
}

void self_verify(struct self *self, const struct entry_state *state)
{
	u64 base = (u64)image_start;

	self->distance = undo_relocation();
	self->bad_segments = 0;
	self->not_zero = 0;
	self->sealed = seal.magic[0] == SEAL_MAGIC[0] &&
		       seal.segments <= SEAL_MAX_SEGMENTS;
	if (!self->sealed)
		return;
	if (!has_places() &&
	    state->stack_zero_end != (u64)stack_end)
		self->not_zero = state->stack_zero_end;

	for (u32 i = 0; i < seal.segments; i++) {
		u64 start = base + seal.segment[i].offset;
		u64 bss = start + seal.segment[i].file_size;
		u64 end = start + seal.segment[i].mem_size;
		u64 hash = seal_hash_around((const void *)start, bss - start,
					    (const void *)&seal);

		if (hash != seal.segment[i].hash)
			self->bad_segments |= 1U << i;
		if (has_places())
			clear(bss, end);
		else if (!self->not_zero)
			self->not_zero = first_not_zero(bss, end);
	}
}

/*
 * Checks the distance by which the stub has moved the kernel's virtual address. If the
 * command line has the test's option t.virt=any, the distance must be a multiple of the
 * kernel's alignment, the kernel must stay in the GiB in which it was linked, and KASLR_FLAG
 * must be set. Otherwise the distance must be 0.
 */
static void check_distance(u64 distance)
{
	u64 room = PUD_SIZE - seal.link_addr % PUD_SIZE - seal.mem_size;
	bool flag = zero_page()->hdr.loadflags & KASLR_FLAG;

	fact("self: moved by %lx", distance);
	if (option_is("t.virt", "any")) {
		if (distance > room ||
		    distance % zero_page()->hdr.kernel_alignment)
			fail("self: moved by %lx", distance);
		if (!flag)
			fail("self: KASLR_FLAG is not set");
	} else if (distance || flag) {
		fail("self: moved by %lx, KASLR_FLAG %u", distance, flag);
	}
}

void self_report(const struct self *self)
{
	u64 base = (u64)image_start;
	u64 expected = option_number("t.addr", seal.link_addr);

	if (!self->sealed) {
		fail("self: the seal is damaged or was never filled in");
		return;
	}
	fact("self: at %lx, linked at %lx, %lx bytes, %lu segments", base,
	     seal.link_addr, seal.mem_size, seal.segments);
	if (has_places())
		check_distance(self->distance);
	if (base != expected && !option_is("t.addr", "any"))
		fail("self: runs at %lx, not at %lx", base, expected);

	for (u32 i = 0; i < seal.segments; i++) {
		u64 start = base + seal.segment[i].offset;

		if (self->bad_segments & (1U << i))
			fail("self: segment %u at %lx, %lx bytes: contents differ",
			     i, start, seal.segment[i].file_size);
	}
	if (self->not_zero)
		fail("self: .bss is not zero at %lx", self->not_zero);
}

struct range self_range(void)
{
	u64 base = (u64)image_start;

	return (struct range){ base, base + seal.mem_size };
}
