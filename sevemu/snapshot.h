/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of the guest, and the marks of frames that npt.c keeps for them.
 */
#ifndef SEVEMU_SNAPSHOT_H
#define SEVEMU_SNAPSHOT_H

#include "sevemu.h"

#define FRAME_SAVED		1	/* there is a copy: writes need not be seen */
#define FRAME_STORED		2	/* the guest wrote by a mapping that is gone,
					 * or the CPU on its behalf */
#define FRAME_STORED_SHARED	4	/* ... which was a shared one */
#define FRAME_TOUCHED		8	/* the host side had its hands on it */

/* npt.c */
u8 *npt_flags(u64 gpa);
u8 *npt_host(u64 gpa);
u64 *npt_leaf(enum view view, u64 gpa);
void npt_set_state(u64 gpa, unsigned int state);
void npt_each_frame(void (*see)(u64 gpa));

void snapshot_take(struct vcpu *vcpu);
void snapshot_restore(struct vcpu *vcpu);
void snapshot_replace(u64 word, u64 change);
void snapshot_each_store(void (*see)(u64 gpa));

#endif
