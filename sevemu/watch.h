/* SPDX-License-Identifier: MIT */
/*
 * watch.h - rules that the stub must keep while the host attacks (watch.c).
 *
 * Only in a campaign (campaign.c).  The functions that other files call on an
 * occasion do nothing outside of the stage, which is the stub's part of a run.
 */
#ifndef SEVEMU_WATCH_H
#define SEVEMU_WATCH_H

#include "ghcb.h"
#include "sevemu.h"

/* --watch: addresses in the guest; 0: unknown.  campaign.c fills this. */
struct watch {
	u64 payload, payload_end;	/* the payload in memory, when it is entered */
	u64 ghcb;			/* the stub's GHCB page */
	u64 proof;			/* code that runs first after the C-bit's proof */
	u64 idt;			/* link address of the stub's IDT, which makes ghcb
					 * and proof link addresses; 0: they are not */
};
extern struct watch watch;

/*
 * Allows the stub to store to the pages of @start to @end.  loader.c calls it
 * before the guest starts, at most RANGES_MAX times.  Without a call all stores
 * to private memory are allowed.
 */
void watch_own(u64 start, u64 end);

/*
 * Makes every eight-byte word from @start to @end, guest-physical, a secret: it
 * must not appear where the host can read it.  Words that look like text or have
 * few distinct bytes are left out.
 */
void watch_secret(u64 start, u64 end);

/* Starts to watch a run; forgets the fault of the last one. */
void watch_start(void);

/*
 * Makes runs start with the present knowledge of the C-bit's proof: the snapshot
 * is taken here.
 */
void watch_keep(void);

/*
 * Ends the stage: checks the stores and the GHCB that it leaves behind.  Only
 * the first call in a run has an effect.
 */
void watch_stage_over(void);

/*
 * Checks the payload at its entry, and ends the stage.  If the host told no lies in
 * this run (@honest), later runs must have the same payload.
 */
void watch_entry(bool honest);

/* Notes that the C-bit is proven: from now on only the GHCB may turn shared. */
void watch_proven(void);

/* Returns whether watch_proven() was called, or no proof is to be expected. */
bool watch_is_proven(void);

/*
 * Notes that the rule @what is broken.  @at is an address or another number that
 * helps.  Only the first fault of a run is kept.
 */
void watch_fail(const char *what, u64 at);

/*
 * Returns the fault of this run and sets *@at to its number; NULL if all rules
 * were kept.
 */
const char *watch_fault(u64 *at);

/*
 * Checks a request by the page: @g is a copy of the GHCB at @gpa.  It may hold no
 * secret, and no field that the exit code does not need.  ghcb.c calls it.
 */
void watch_request(const struct ghcb *g, u64 gpa);

/* Checks that the frame at @gpa may turn shared.  npt.c calls it. */
void watch_shared(u64 gpa);

/*
 * Checks the state in which a C-bit takes effect that is not proven: no IDT may
 * be loaded.  attack_events.c calls it before the guest's instruction runs.
 */
void watch_switch(const struct vcpu *vcpu);

#endif
