/* SPDX-License-Identifier: MIT */
/*
 * self.c - whether the test kernel is in memory as it was linked: each byte of
 * its segments, and zeros in all of its .bss.
 */
#include "kernel.h"
#include "seal.h"

/* Volatile: filled in after the compiler has seen it. */
static const volatile struct seal seal __attribute__((section(".seal"), used)) = {
	.magic = "",
};

/*
 * The address of something in [p, end) that is not zero, or 0. The own stack
 * is left out: entry.S has looked at it.
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

void self_verify(struct self *self, const struct entry_state *state)
{
	u64 base = (u64)image_start;

	self->bad_segments = 0;
	self->not_zero = 0;
	self->sealed = seal.magic[0] == SEAL_MAGIC[0] &&
		       seal.segments <= SEAL_MAX_SEGMENTS;
	if (!self->sealed)
		return;
	if (state->stack_zero_end != (u64)stack_end)
		self->not_zero = state->stack_zero_end;

	for (u32 i = 0; i < seal.segments; i++) {
		u64 start = base + seal.segment[i].offset;
		u64 bss = start + seal.segment[i].file_size;
		u64 end = start + seal.segment[i].mem_size;
		u64 hash = seal_hash_around((const void *)start, bss - start,
					    (const void *)&seal);

		if (hash != seal.segment[i].hash)
			self->bad_segments |= 1U << i;
		if (!self->not_zero)
			self->not_zero = first_not_zero(bss, end);
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
