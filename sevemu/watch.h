/* SPDX-License-Identifier: MIT */
/*
 * watch.h - checks that the stub (sevstub, the guest's boot stage) keeps its
 * rules while the host attacks it (watch.c).
 *
 * campaign.c runs the guest many times, and tells some lies (wrong answers of
 * the emulated host) in each run.  watch.c checks each run from its start until
 * the stub enters the payload.  At other times watch_request(), watch_shared()
 * and the other functions that check an event of the run do nothing.
 */
#ifndef SEVEMU_WATCH_H
#define SEVEMU_WATCH_H

#include "ghcb.h"
#include "npt.h"
#include "sevemu.h"

/*
 * The guest's addresses that option --watch names; 0: not given.  campaign.c
 * stores them before the guest starts.
 */
struct watch {
	u64 payload, payload_end;	/* the payload's start and end in memory */
	u64 ghcb;			/* the stub's GHCB page */
	u64 proof;			/* address at which the stub goes on when it has
					 * proven that its C-bit is right: that the
					 * processor encrypts memory with C=1 */
	/*
	 * Link address of the stub's IDT, given if firmware chooses where the stub runs.
	 * @ghcb and @proof are then also link addresses.  When the stub runs, campaign.c
	 * adds to them the distance from @idt to the address in the guest's IDTR, which
	 * makes them run-time addresses.  0: @ghcb and @proof are run-time addresses.
	 */
	u64 idt;
};
extern struct watch watch;

/*
 * Allows the stub to write to all pages from guest-physical address @start to
 * @end.  loader.c calls it before the guest starts, at most RANGES_MAX times.
 * If it is not called, the stub may write to all private memory.
 */
void watch_own(u64 start, u64 end);

/*
 * Makes every eight-byte word of the guest's memory from @start to @end a
 * secret.  watch.c fails a run in which a secret appears in memory that the
 * host can read.  Words that look like text or have few distinct bytes are left
 * out, because they may appear elsewhere by accident.
 */
void watch_secret(u64 start, u64 end);

/* Starts to check a new run of the guest, and forgets the last run's fault. */
void watch_start(void);

/*
 * Saves whether the stub has proven by now that its C-bit is right.  campaign.c
 * calls it when it takes the snapshot from which later runs start.
 * watch_start() then restores what was saved.
 */
void watch_keep(void);

/*
 * Called when the stub has run: checks which pages it wrote to and what its
 * GHCB page contains, and stops checking this run.  Only the first call in a
 * run has an effect.
 */
void watch_stage_over(void);

/*
 * Called when the stub enters the payload: checks the payload's bytes and does
 * watch_stage_over().  @honest means that the host told no lie in this run: the
 * payload's bytes are then saved, and other runs must have the same bytes.
 */
void watch_entry(bool honest);

/*
 * Called when the stub has proven that its C-bit is right, and memory with C=1
 * is encrypted.  After that, the stub may make only its GHCB page shared.
 */
void watch_proven(void);

/*
 * Returns whether watch_proven() was called in this run: the stub knows that
 * its C-bit is right.  Also returns true if option --watch does not name the
 * code that follows the stub's proof, because sevemu then cannot see the proof.
 */
bool watch_is_proven(void);

/*
 * Fails the run because the stub broke a rule.  @what says how, and @at is the
 * address or another number that belongs to it.  Only the first fault of a run
 * is kept.
 */
void watch_fail(const char *what, u64 at);

/*
 * Returns how the stub broke a rule in this run, and sets *@at to the address
 * or number that watch_fail() got as @at.  Returns NULL if the stub kept all
 * rules.
 */
const char *watch_fault(u64 *at);

/*
 * Checks a request that @vcpu makes by its GHCB page at @gpa.  @g is a copy
 * of the page.  The page must not contain a secret or a field that the
 * request's exit code does not need.  ghcb.c calls it.
 */
void watch_request(const struct vcpu *vcpu, const struct ghcb *g, u64 gpa);

/*
 * Called by npt.c when the frame at @gpa turns shared.  Once the stub has proven
 * that its C-bit is right, fails the run if the frame is not the GHCB page.
 */
void watch_shared(u64 gpa);

/*
 * Called by npt_fault.c when the fetch of an instruction from the frame at @gpa causes a
 * nested page fault.  @view is VIEW_SHARED if the guest maps the frame with C=0.  Once the
 * stub has proven that its C-bit is right, fails the run if @view is VIEW_SHARED or if the
 * frame is shared.
 */
void watch_fetch(u64 gpa, enum view view);

/*
 * Fails the run if the guest's page tables map RAM with C=0 besides the GHCB page,
 * once the stub has proven that their C-bit is right.  To be called before the guest loads
 * CR3, and when the stub has run.
 */
void watch_tables(const struct vcpu *vcpu);

/*
 * Called by attack_events.c right before the guest's instruction that loads
 * page tables with a C-bit.  Fails the run if the IDT is not empty (limit 0),
 * because the delivery of an injected event would push a frame through page
 * tables whose C-bit may be wrong.
 */
void watch_switch(const struct vcpu *vcpu);

#endif
