/* SPDX-License-Identifier: MIT */
/*
 * filter_model.h - a model of the filters of payload.h, by which mkpayload rewrites ranges
 * of the payload so that they compress better. The model is written from the description in
 * payload.h, without the code of the stub and of mkpayload. It handles one byte or one word
 * after the other. model_element() makes random filters.
 *
 * harness.h must be included first.
 */
#ifndef FILTER_MODEL_H
#define FILTER_MODEL_H

#include "payload.h"

#define MODEL_BRANCH_BASE	0x60000000L

static u32 model_word(const u8 *at)
{
	return (u32)at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24;
}

static void model_put(u8 *at, u32 value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (u8)(value >> 8 * i);
}

/*
 * Returns the branch target, an offset in the flat image of @size bytes, that
 * FILTER_BRANCHES has stored in the four bytes at @at. Returns -1 if these bytes are no
 * stored target.
 */
static s64 model_target(const u8 *at, s64 size)
{
	s64 value = (s64)((u64)at[0] << 24 | (u64)at[1] << 16 | (u64)at[2] << 8 |
			  at[3]) - MODEL_BRANCH_BASE;

	return value >= 0 && value < size ? value : -1;
}

static void model_put_target(u8 *at, s64 target)
{
	u32 value = (u32)(target + MODEL_BRANCH_BASE);

	for (int i = 0; i < 4; i++)
		at[i] = (u8)(value >> (24 - 8 * i));
}

/*
 * Returns the target of a branch, as an offset in the flat image of @size bytes. Returns -1
 * if the target is outside of the image. @at points to the branch's displacement. @pos is
 * the offset of the byte after the displacement.
 */
static s64 model_branch(const u8 *at, s64 pos, s64 size)
{
	s64 target = (s32)model_word(at) + pos;

	return target >= 0 && target < size ? target : -1;
}

/*
 * Applies FILTER_BRANCHES to one branch of the flat image @bytes. The branch's displacement
 * is the four bytes at offset @at. Restores the original bytes if @undo is true.
 */
static void model_one_branch(u8 *bytes, s64 size, u64 at, bool undo)
{
	u8 *place = bytes + at;
	s64 pos = (s64)at + 4, target = model_target(place, size);
	s64 branch = model_branch(place, pos, size);

	if (undo && target >= 0) {
		model_put(place, (u32)(target - pos));
	} else if (undo) {
		for (; branch >= 0; branch = model_branch(place, pos, size))
			model_put_target(place, branch);
	} else if (branch >= 0) {
		model_put_target(place, branch);
	} else {
		for (; target >= 0; target = model_target(place, size))
			model_put(place, (u32)(target - pos));
	}
}

static void model_branches(u8 *bytes, u64 size, const struct payload_filter *f,
			   bool undo)
{
	for (u64 n = 0; n < f->size; n++) {
		u64 at = f->start + (undo ? n : f->size - 1 - n);

		if ((bytes[at] == 0xe8 || bytes[at] == 0xe9) &&
		    at + 5 <= (u64)f->start + f->size)
			model_one_branch(bytes, (s64)size, at + 1, undo);
	}
}

static void model_column(u8 *bytes, const struct payload_filter *f, u32 column,
			 bool undo)
{
	u32 previous = 0;

	for (u64 n = 0; n < f->size / f->stride; n++) {
		u64 at = f->start + n * f->stride + 4UL * column;
		u32 own = f->kind == FILTER_RELATIVE ? (u32)at : 0;
		u32 value = model_word(bytes + at);

		if (undo) {
			previous += value;
			model_put(bytes + at, previous - own);
		} else {
			model_put(bytes + at, value + own - previous);
			previous = value + own;
		}
	}
}

static void model_first_uses(u8 *bytes, const struct payload_filter *f, bool undo)
{
	s64 largest = 0;

	for (u64 at = f->start; at < (u64)f->start + f->size; at += 4) {
		s64 value = model_word(bytes + at);
		bool marked = value >= 0x80000000L && value < 0x80000100L;
		bool next = value > largest && value <= largest + 0x100;

		if (largest >= 0x40000000)
			return;
		if (next)
			model_put(bytes + at, (u32)(0x80000000L + value - largest - 1));
		if (marked)
			model_put(bytes + at, (u32)(value - 0x80000000L + largest + 1));
		if (undo ? marked : next)
			largest = undo ? (s64)model_word(bytes + at) : value;
	}
}

/*
 * Applies the PAYLOAD_FILTERS filters at @list to the flat image @bytes of @size bytes.
 * Undoes the filters if @undo is true.
 */
static maybe_unused void model_filters(u8 *bytes, u64 size,
				       const struct payload_filter *list, bool undo)
{
	for (int i = 0; i < PAYLOAD_FILTERS; i++) {
		const struct payload_filter *f = &list[i];

		if (f->kind == FILTER_BRANCHES)
			model_branches(bytes, size, f, undo);
		else if (f->kind == FILTER_FIRST_USES)
			model_first_uses(bytes, f, undo);
		for (u32 column = 0; column < 8 && f->kind; column++) {
			if (f->columns >> column & 1 && f->kind != FILTER_FIRST_USES)
				model_column(bytes, f, column, undo);
		}
	}
}

/*
 * Makes a random filter in @f for bytes from offset @at on, in a flat image of @size bytes.
 * @at must be below @size. @kind, @shape and @length are random numbers. They choose the
 * kind of filter, the layout of the table that the filter rewrites, and the size of the
 * range. Returns the offset after the range. If the range is shorter than one entry of the
 * table, marks @f as unused and returns @at.
 */
static maybe_unused u64 model_element(struct payload_filter *f, u64 at, u64 size,
				      u64 kind, u64 shape, u64 length)
{
	u32 words = 0;

	*f = (struct payload_filter){
		.start = (u32)at, .kind = (u8)(1 + kind % (FILTER_KINDS - 1)),
	};
	if (f->kind == FILTER_FIRST_USES) {
		f->stride = 4;
		f->columns = 1;
	} else if (f->kind != FILTER_BRANCHES) {
		f->columns = shape & 0xff ? (u8)shape : 1;
		while (f->columns >> words)
			words++;
		f->stride = (u8)(4 * words + (shape >> 8) % 9);
	}
	f->size = (u32)(1 + length % (size - at));
	if (f->stride)
		f->size -= f->size % f->stride;
	if (f->size)
		return at + f->size;
	*f = (struct payload_filter){ 0 };
	return at;
}

#endif
