/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the common part of fuzz targets: libFuzzer's entry point, and
 * functions that take values from an input. A failed CHECK() (harness.h) aborts,
 * which libFuzzer reports as a crash.
 *
 * A fuzz target first includes those fakes of the unit tests that it needs, for
 * example scripted_host.h, then this header, and defines fuzz_one(). An input that
 * is too short supplies zeros, so that every input is valid.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../unit/harness.h"

/* The part of the fuzzer's input that is not used yet: @size bytes at @data. */
struct input {
	const u8 *data;
	size_t size;
};

/*
 * Tests one input. Each fuzz target defines this function. libFuzzer calls it many
 * times in one process, so it must reset all state first. It returns if the test
 * passes, and aborts if not.
 */
static void fuzz_one(struct input *in);

/*
 * Moves the input's next @size bytes to @to. If the input has fewer bytes, the rest
 * of @to becomes 0.
 */
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

/* libFuzzer's entry point: tests the @size bytes at @data. Returns 0. */
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
