/* SPDX-License-Identifier: MIT */
/*
 * unfilter.c - restores the parts of the flat image that mkpayload has rewritten before
 * it compressed the image (payload.h, "enum filter_kind"). Branch targets become
 * displacements again, and differences become table entries again.
 *
 * Runs in place, after the decoder and before the relocation. check_payload_header()
 * has checked the ranges, but the hypervisor of an SEV guest can have changed the copy of
 * the header since. unfilter() therefore reads each field once and checks it again in
 * registers. The contents of a range need no check, because each filter is defined for
 * all contents.
 */
#include "unfilter.h"

/* A word of a table, or a displacement. Both may have any alignment. */
typedef u32 __attribute__((aligned(1), may_alias)) word;

/* The bytes that opcodes_in() compares at once: the size of an XMM register. */
#define CHUNK			16U
typedef u8 __attribute__((vector_size(CHUNK))) chunk;
typedef chunk __attribute__((aligned(1), may_alias)) unaligned_chunk;
typedef char __attribute__((vector_size(CHUNK))) signed_chunk;

BUILD_BUG_ON((BRANCH_CALL | 1) != BRANCH_JMP);

/*
 * Returns a number whose bit N says whether byte N of the CHUNK bytes at @at is an
 * opcode that FILTER_BRANCHES looks for.
 */
static u32 opcodes_in(const u8 *at)
{
	chunk hits = (chunk)((*(const unaligned_chunk *)at | 1) == BRANCH_JMP);

	return (u32)__builtin_ia32_pmovmskb128((signed_chunk)hits);
}

/*
 * Restores the four bytes that end at offset @pos. Returns false if mkpayload has not
 * changed these bytes.
 *
 * branch_to_target() makes a stored target from a displacement that leads into the image.
 * branch_from_target() is its inverse. mkpayload has done one of three things to the original
 * four bytes:
 *   1. They were a displacement that leads into the image. mkpayload has replaced them by the
 *      stored target.
 *   2. They did not lead into the image, but looked like a stored target by chance. The stub
 *      would take them for case 1. mkpayload has therefore applied branch_from_target() until
 *      the result did not look like a stored target. Each result leads into the image.
 *   3. They were neither, and mkpayload has left them as they were.
 * The stub thus finds a stored target only in case 1, and bytes that lead into the image and are
 * no stored target only in case 2. In case 2 this function applies branch_to_target() until the
 * result does not lead into the image. Only the original bytes do not lead into the image.
 */
static inline __attribute__((always_inline)) bool
undo_branch(u8 *image, u64 size, u64 pos)
{
	word *place = (word *)(image + pos - sizeof(*place));
	u32 value = *place;

	if (branch_is_target(value, size)) {
		*place = branch_from_target(value, pos);
		return true;
	}
	if (!branch_is_inside(value, pos, size))
		return false;
	while (branch_is_inside(value, pos, size))
		value = branch_to_target(value, pos);
	*place = value;
	return true;
}

/*
 * Undoes FILTER_BRANCHES from offset @at up to @end. mkpayload has treated the opcodes from the
 * last one to the first one, so this function goes from the first one to the last one. The four
 * bytes that undo_branch() restores after an opcode may contain opcodes. The rest of the chunk
 * after that opcode is therefore searched again.
 */
static noinline void undo_branches(u8 *image, u64 size, u64 at, u64 end)
{
	/*
	 * Whole chunks are searched below @last only, because a displacement may
	 * end after its chunk.
	 */
	u64 last = end - at < CHUNK + BRANCH_SIZE ? at : end - CHUNK - BRANCH_SIZE;

	for (; at < last; at += CHUNK) {
		u32 found = opcodes_in(image + at);

		while (found) {
			u32 lowest = found & -found;
			u64 pos = at + (u32)__builtin_ctz(found) + BRANCH_SIZE;

			found -= lowest;
			if (undo_branch(image, size, pos))
				found = opcodes_in(image + at) & ~(2 * lowest - 1);
		}
	}
	for (; at + BRANCH_SIZE <= end; at++) {
		if ((image[at] | 1) == BRANCH_JMP)
			undo_branch(image, size, at + BRANCH_SIZE);
	}
}

/*
 * Undoes FILTER_RELATIVE or FILTER_ASCENDING in a table from offset @start up to @end.
 * A word stands for a number: the value that it had before it was filtered, or for
 * FILTER_RELATIVE the offset in the image to which this value points. mkpayload has stored the
 * difference between this number and the number of the previous entry's word in the same
 * column. The sum of the differences from the first entry to a word is therefore this word's
 * number. A word that would end after @end is left alone: the hypervisor may have changed
 * @stride or @columns so that words lie outside of the table.
 */
static noinline void undo_table(u8 *image, u64 start, u64 end, u32 stride, u32 columns,
				bool relative)
{
	for (; columns; columns &= columns - 1) {
		u64 at = start + FILTER_WORD * (u32)__builtin_ctz(columns);
		u32 sum = 0;

		for (; at + FILTER_WORD <= end; at += stride) {
			word *place = (word *)(image + at);

			sum += *place;
			*place = relative ? sum - (u32)at : sum;
		}
	}
}

/* Undoes FILTER_FIRST_USES from offset @at up to @end. */
static noinline void undo_first_uses(u8 *image, u64 at, u64 end)
{
	u32 largest = 0;

	for (; at + FILTER_WORD <= end; at += FILTER_WORD) {
		word *place = (word *)(image + at);
		u32 value = *place;

		if (value - FIRST_USE < FIRST_USE_REACH) {
			largest += 1 + (value - FIRST_USE);
			*place = largest;
			if (largest >= FIRST_USE_MAX)
				return;
		} else if (value - largest - 1 < FIRST_USE_REACH) {
			*place = FIRST_USE + (value - largest - 1);
		}
	}
}

/*
 * The attribute cold makes the compiler optimise this function and its callees for size. The
 * callees are not inlined, so that the processor has enough registers for the numbers that are
 * checked. The hypervisor could change a number on the stack after the check.
 */
__attribute__((cold)) bool unfilter(u8 *image, const struct payload_header *p)
{
	const struct payload_filter *f = p->filter;

	for (; f < p->filter + PAYLOAD_FILTERS; f++) {
		u64 start = READ_ONCE(f->start), end = start + READ_ONCE(f->size);
		u64 file_size = READ_ONCE(p->file_size);
		u32 kind = READ_ONCE(f->kind), stride = READ_ONCE(f->stride);
		u32 columns = READ_ONCE(f->columns);

		if (kind == FILTER_UNUSED)
			continue;
		HOLD(unfilter, start, end, file_size, kind, stride, columns);
		if (!may_write(image, file_size, end))
			return false;
		if (kind == FILTER_BRANCHES)
			undo_branches(image, file_size, start, end);
		else if (kind == FILTER_FIRST_USES)
			undo_first_uses(image, start, end);
		else if ((kind == FILTER_RELATIVE || kind == FILTER_ASCENDING) && stride)
			undo_table(image, start, end, stride, columns,
				   kind == FILTER_RELATIVE);
		else
			return false;
	}
	return true;
}
