/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - a copy of the guest's state, and the way back to it (snapshot.c).
 *
 * There is one snapshot.  All functions may be called between an exit and the
 * next entry.
 */
#ifndef SEVEMU_SNAPSHOT_H
#define SEVEMU_SNAPSHOT_H

#include "sevemu.h"

/*
 * Makes the present state of @vcpu and of all frames the snapshot.  The first
 * call write-protects all frames; a later call copies only the frames that have
 * changed since the last snapshot_take() or snapshot_restore().
 */
void snapshot_take(struct vcpu *vcpu);

/* Puts @vcpu and all frames back to the snapshot, which must have been taken. */
void snapshot_restore(struct vcpu *vcpu);

/*
 * Saves the frame of @gpa before it is written to for the first time since the
 * first snapshot_take(), and removes its write protection.  npt_frame() calls it.
 * Does nothing before the first snapshot_take(), for a frame that is saved, and
 * for an address that is not RAM.  More than SAVES_MAX frames end the run.
 */
void snapshot_save(u64 gpa);

/*
 * Handles a nested page fault at RAM address @gpa with error code @info (PF_*,
 * APM2 15.25.6) if snapshot_take()'s write protection caused it.  Returns true
 * if so: the guest may go on.
 */
bool snapshot_fault(u64 gpa, u64 info);

/*
 * Calls @see with the address of each frame that the guest has stored to since
 * the last snapshot_take() or snapshot_restore().
 */
void snapshot_each_store(void (*see)(u64 gpa));

/* Which earlier contents of a frame snapshot_past() returns. */
enum past {
	PAST_LAUNCH,		/* those of the first snapshot_take() */
	PAST_BEFORE,		/* those of the snapshot before the present one */
};

/*
 * Copies the @len bytes at @gpa as they were at @past, an enum past, to @block.
 * They must lie in one frame.  Returns false if the frame was not written to since
 * the first snapshot_take(): it has no other contents than the present ones.
 */
bool snapshot_past(u64 gpa, unsigned int past, void *block, size_t len);

/*
 * Changes every aligned eight-byte word that equals @word to @word ^ @change, in
 * all frames that were written to since the first snapshot_take().
 */
void snapshot_replace(u64 word, u64 change);

#endif
