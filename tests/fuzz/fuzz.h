/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the frame of a fuzz target: one input taken apart, and one run over
 * it in which a failed CHECK() of harness.h is a crash.
 *
 * A target includes the made-up machine of the unit tests that it needs, then
 * this header, then defines fuzz_one(). What it takes from an input that has
 * ended is zero, so that every input is whole.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../unit/harness.h"

struct input {
	const u8 *data;
	size_t size;
};

static void fuzz_one(struct input *in);

static maybe_unused void take_bytes(struct input *in, void *to, size_t size)
{
	size_t there = size < in->size ? size : in->size;

	memset(to, 0, size);
	if (there)
		memcpy(to, in->data, there);
	in->data += there;
	in->size -= there;
}

static maybe_unused u8 take_u8(struct input *in)
{
	u8 value;

	take_bytes(in, &value, sizeof(value));
	return value;
}

static maybe_unused u16 take_u16(struct input *in)
{
	u16 value;

	take_bytes(in, &value, sizeof(value));
	return value;
}

static maybe_unused u32 take_u32(struct input *in)
{
	u32 value;

	take_bytes(in, &value, sizeof(value));
	return value;
}

static maybe_unused u64 take_u64(struct input *in)
{
	u64 value;

	take_bytes(in, &value, sizeof(value));
	return value;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	harness.expecting = 0;
	if (setjmp(harness.out)) {
		fprintf(stderr, "fuzz: %s\n", harness.why);
		abort();
	}
	fuzz_one(&in);
	return 0;
}

#endif
