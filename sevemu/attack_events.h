/* SPDX-License-Identifier: MIT */
/*
 * attack_events.h - attacks by what the host makes the processor raise, and
 * instruction counting (attack_events.c).
 *
 * Without a lie that needs them, the functions that other files call on an
 * occasion do nothing.  None can fail.
 */
#ifndef SEVEMU_ATTACK_EVENTS_H
#define SEVEMU_ATTACK_EVENTS_H

#include "attack.h"
#include "npt.h"

extern const struct attack event_attacks[];
extern const unsigned int event_count;

/* Floods of NMIs, which attack_random() does not choose. */
extern const struct attack flood_attacks[];
extern const unsigned int flood_count;

/*
 * Prepares the lies of a run.  campaign.c calls it after snapshot_restore(), with
 * the lies added, before the first entry.
 */
void events_start(struct vcpu *vcpu);

/*
 * Makes every lie that has fire() count from now on, for @left instructions,
 * whatever its trigger.  campaign.c calls it after events_start() for a run that
 * starts in the middle of a window.
 */
void events_begin(u64 left);

/*
 * Fires lies whose count is 0 and arranges a single step if one counts.  The run
 * loop calls it before each entry.
 */
void events_enter(struct vcpu *vcpu);

/*
 * Counts the instruction that has run, and takes RFLAGS.TF back.  The run loop
 * calls it after each exit, before the exit is handled.
 */
void events_exit(struct vcpu *vcpu);

/*
 * Handles an intercepted #DB if a single step of this file caused it.  Returns
 * true if so, and the guest may go on.
 */
bool events_db(struct vcpu *vcpu);

/* Starts the count of every lie that waits for @trigger for the first time. */
void events_trigger(enum trigger trigger);

/*
 * Notes that the GHCB at @gpa holds a reply, which page-rewrite then changes at
 * each access.  ghcb.c calls it after each request by the page.
 */
void events_replied(u64 gpa);

/*
 * Notes that the guest is about to load CR3 with another value, @new.  exits.c calls it
 * before the load.  If RDX holds the stub's proof of the C-bit, this is the
 * moment for attacks on that.
 */
void events_cr3(const struct vcpu *vcpu, u64 new);

/*
 * Notes that the guest is about to set CR0.PG, as events_cr3().  The proof of the
 * stub's 32-bit code is in EBX and EDI.
 */
void events_paging(const struct vcpu *vcpu);

/*
 * Handles a nested page fault at @gpa, RAM of the guest, through @view, with
 * error code @info (APM2 15.25.6), if a frame that this file hid caused it.
 * Returns true if so, and the guest may go on.
 */
bool events_fault(struct vcpu *vcpu, enum view view, u64 gpa, u64 info);

/* Returns whether more NMIs nested in this run than a stack may have room for. */
bool events_flooded(void);

/* Returns whether RDRAND is to fail for KASLR in this run. */
bool events_no_random(void);

/*
 * fire() of cbit-pile: injects @lie->n NMIs, one an instruction, and #UD when a
 * C-bit takes effect.
 */
void events_pile(struct lie *lie, struct vcpu *vcpu);

#endif
