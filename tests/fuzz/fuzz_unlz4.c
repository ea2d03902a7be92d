/* SPDX-License-Identifier: MIT */
/*
 * fuzz_unlz4.c - libFuzzer target for the stub's lz4 decoder.
 *
 * The input is an lz4 legacy frame, or blocks to which this test adds right
 * size fields, so that more inputs reach the decoder. A second reader of the
 * frame decodes each block with liblz4. Both readers must accept the frame with
 * the same result, or refuse it with the same error. A good frame must also
 * decompress in place, with the margin that mkpayload computes or a larger one.
 * Bad frames are not decompressed in place, because the stub refuses an image
 * with a bad frame by its digest. test_unlz4.c tests payloads of more than one
 * block of 8 MiB, which would be too slow here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "misc.h"
#include "../../payload/unlz4.c"

#include "fuzz.h"

#define FRAME_OUT	0x8000
#define FRAME_IN	0x2000
#define MAGIC_SIZE	4
#define SIZE_SIZE	4		/* size in bytes of the size field before an lz4 block */

static u8 frame[FRAME_IN];
static size_t frame_size;

static void add_bytes(const void *bytes, size_t size)
{
	memcpy(frame + frame_size, bytes, size);
	frame_size += size;
}

static void take_frame(struct input *in)
{
	u8 blocks = take_u8(in) % 4;

	frame_size = 0;
	if (!blocks) {
		frame_size = in->size < FRAME_IN ? in->size : FRAME_IN;
		take_bytes(in, frame, frame_size);
		return;
	}
	add_bytes("\x02\x21\x4c\x18", MAGIC_SIZE);
	while (blocks--) {
		u32 size = take_u16(in) % (FRAME_IN / 4);

		if (!blocks || size > in->size)
			size = in->size < FRAME_IN / 4 ? (u32)in->size :
							 FRAME_IN / 4 - 1;
		add_bytes(&size, SIZE_SIZE);
		take_bytes(in, frame + frame_size, size);
		frame_size += size;
	}
}

/*
 * The second reader: decodes frame[] with liblz4 to the @room bytes at @out, and
 * computes the margin for decompression in place. Returns 0, or the error that
 * unlz4() must return. A block must expand to 8 MiB, or to the rest of the output
 * if that is less. @room is less than 8 MiB. The first block must therefore expand
 * to @room bytes, and each further block to no byte.
 */
static int judge_frame(u8 *out, size_t room, size_t *margin)
{
	static int (*judge)(const char *, char *, int, int);
	const u8 *at = frame + MAGIC_SIZE, *end = frame + frame_size;
	size_t done = 0, needs;

	/*
	 * Get liblz4's function by dlsym(), because the stub's object defines the
	 * same name.
	 */
	if (!judge)
		*(void **)&judge = dlsym(RTLD_NEXT, "LZ4_decompress_safe");
	*margin = 0;
	if (frame_size < MAGIC_SIZE || memcmp(frame, "\x02\x21\x4c\x18", 4))
		return LZ4_NO_FRAME;
	while (at < end) {
		u32 size;
		int got;

		if (end - at < SIZE_SIZE)
			return LZ4_CUT_OFF;
		memcpy(&size, at, SIZE_SIZE);
		at += SIZE_SIZE;
		if (size > (size_t)(end - at))
			return LZ4_CUT_OFF;
		got = judge((const char *)at, (char *)out + done, (int)size,
			    (int)(room - done));
		if (got < 0)
			return LZ4_BAD_BLOCK;
		if ((size_t)got != room - done)
			return -EINVAL;
		at += size;
		done = room;
		needs = done + (size >> 8) + 32 + (size_t)(end - at);
		if (needs > room + *margin)
			*margin = needs - room;
	}
	return done == room ? 0 : -EINVAL;
}

/*
 * Decompresses frame[] in place. The frame ends @beyond bytes above the end of
 * the output and may overlap the output. Checks that the result is @want, and
 * that unlz4() writes nothing after the output.
 */
static void check_in_place(const u8 *want, size_t room, size_t beyond)
{
	size_t size = room + beyond;
	u8 *memory, *before, *in;
	int err;

	if (size < frame_size)
		size = frame_size;
	memory = calloc(2, size + !size);
	before = memory + size + !size;
	in = memory + size - frame_size;
	memcpy(in, frame, frame_size);
	memcpy(before, memory, size);
	err = unlz4(memory, room, in, frame_size);
	CHECK(!memcmp(memory + room, before + room, size - room) &&
	      !memcmp(before + size - frame_size, frame, frame_size),
	      "writes after the payload%s", "");
	CHECK(!err && !memcmp(memory, want, room),
	      "in place error %d, or other bytes", err);
	free(memory);
}

static void fuzz_one(struct input *in)
{
	static u8 theirs[FRAME_OUT];
	size_t room = take_u16(in) % FRAME_OUT, margin;
	u8 beyond = take_u8(in), *ours, *copy;
	int err, want;

	take_frame(in);
	want = judge_frame(theirs, room, &margin);
	/*
	 * Allocate exactly @room and frame_size bytes, so that AddressSanitizer
	 * reports each access after them.
	 */
	ours = malloc(room + !room);
	copy = malloc(frame_size + !frame_size);
	memcpy(copy, frame, frame_size);
	err = unlz4(ours, room, copy, frame_size);
	CHECK(err == want, "error %d instead of %d", err, want);
	if (!err) {
		CHECK(!memcmp(ours, theirs, room), "other bytes%s", "");
		check_in_place(theirs, room, margin + beyond);
	}
	free(copy);
	free(ours);
}
