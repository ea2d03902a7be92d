/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - saves the state of the guest and restores it (snapshot.c), so
 * that campaign.c can run the guest many times from the same point.
 *
 * Only one snapshot exists at a time.  A frame is 4 KiB of the guest's RAM.
 * All functions may be called between a VMEXIT and the next VMRUN.
 */
#ifndef SEVEMU_SNAPSHOT_H
#define SEVEMU_SNAPSHOT_H

#include "sevemu.h"

/*
 * Saves the state of @vcpu and of the guest's RAM as the snapshot, and replaces
 * an earlier snapshot.  The first call write-protects the guest's RAM.  Later
 * calls copy only the frames that have changed since the last snapshot_take()
 * or snapshot_restore().
 */
void snapshot_take(struct vcpu *vcpu);

/*
 * Restores @vcpu and the guest's RAM from the snapshot.  snapshot_take() must
 * have been called before.
 */
void snapshot_restore(struct vcpu *vcpu);

/*
 * Copies the frame of @gpa to the snapshot and removes its write protection.
 * Must be called before the hypervisor writes to the frame: npt_frame() does.
 * Does nothing before the first snapshot_take(), if the snapshot already has
 * the frame, and if @gpa is not RAM of the guest.  More than SAVES_MAX frames
 * end the run.
 */
void snapshot_save(u64 gpa);

/*
 * Handles a nested page fault of the guest at @gpa, which must be its RAM, if
 * the snapshot's write protection has caused it.  @info is the error code
 * (PF_*, APM2 15.25.6).  Returns true if the fault was handled, and the guest
 * may continue.
 */
bool snapshot_fault(u64 gpa, u64 info);

/*
 * Returns whether the guest's first write to the frame of @gpa must cause a nested page
 * fault, because the snapshot does not have the frame yet.  @gpa must be RAM.
 */
bool snapshot_protects(u64 gpa);

/*
 * Calls @see with the guest-physical address of each frame that the guest has
 * written to since the last snapshot_take() or snapshot_restore().
 */
void snapshot_each_store(void (*see)(u64 gpa));

/*
 * Copies the @len bytes at @gpa, as they were at the first snapshot_take(), to @block.
 * The bytes must lie in one frame.  If the frame was shared at a snapshot_take(), the bytes
 * may be those of a later snapshot_take().  Returns false, with nothing copied, if nothing has
 * written to the frame since the first snapshot_take(), so that its bytes are still the same.
 */
bool snapshot_launch(u64 gpa, void *block, size_t len);

/*
 * Replaces every aligned eight-byte word that equals @word by @word ^ @change,
 * in all frames that the guest or the hypervisor has written to since the first
 * snapshot_take().  An attack uses it to change a word wherever the guest
 * stored it.
 */
void snapshot_replace(u64 word, u64 change);

/*
 * Keeps a checksum of each frame that is validated private memory of an SNP guest.  Must be
 * called before the emulated host attacks, so that snapshot_broken() can compare afterwards.
 */
void snapshot_seal(void);

/*
 * Returns whether any frame that is validated private memory of an SNP guest has other bytes
 * than at snapshot_seal(), and sets *@gpa to the address of the first such frame.  Leaves out
 * the frames for which npt_store() was called since snapshot_seal(), because the hypervisor
 * has written to these frames in the guest's place.
 */
bool snapshot_broken(u64 *gpa);

/*
 * Returns whether the bytes of a frame differ from the snapshot although the guest has not
 * written to the frame, and sets *@gpa to the frame's address.  Looks only at frames that
 * are validated private memory of an SNP guest now and were so in the snapshot.
 */
bool snapshot_altered(u64 *gpa);

#endif
