/* SPDX-License-Identifier: MIT */
/*
 * fuzz_unlz4.c - libFuzzer target for payloads that are packed with lz4, as the
 * stub unpacks them.
 *
 * The input is the frame, or the blocks of one whose sizes are right, so that
 * more gets as far as the decoder. A second reader of the frame gives each
 * block to liblz4: both accept it and make the same of it, or neither. A frame
 * that is good has to unpack in place as well, with the margin that mkpayload
 * computes or more, as it does in an image, where a digest refuses all others.
 * Payloads of more than one block of 8 MiB are test_unlz4.c's: too slow here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "misc.h"
#include "../../payload/unlz4.c"

#include "fuzz.h"

#define FRAME_OUT	0x8000
#define FRAME_IN	0x2000
#define MAGIC_SIZE	4
#define SIZE_SIZE	4		/* of a block's size */

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
 * The second reader: what liblz4 makes of the blocks, or the error. All that comes
 * out is less than what one block may give, so that the first has to give all,
 * and others nothing.
 */
static int judge_frame(u8 *out, size_t room, size_t *margin)
{
	static int (*judge)(const char *, char *, int, int);
	const u8 *at = frame + MAGIC_SIZE, *end = frame + frame_size;
	size_t done = 0, needs;

	/* Its name is the same as that of our own. */
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

/* The frame's end is @beyond bytes behind the payload's. */
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
	      "writes behind the payload%s", "");
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
	/* Neither has a byte behind it. */
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
