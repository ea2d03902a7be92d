/* SPDX-License-Identifier: MIT */
/*
 * attack_events.h - the attacks in which the host injects #VC, NMIs, interrupts
 * or exceptions, and the counting of guest instructions up to them
 * (attack_events.c).
 *
 * A function here does nothing if the present run has no attack that needs it.
 * The functions cannot fail.
 */
#ifndef SEVEMU_ATTACK_EVENTS_H
#define SEVEMU_ATTACK_EVENTS_H

#include "attack.h"
#include "npt.h"

/*
 * Number of guest instructions from the stub's 64-bit entry until the stub has
 * proven the C-bit's position.  It is the limit of N for the attacks that act
 * before this proof.
 */
#define STAGE_STEPS		33000

extern const struct attack event_attacks[];
extern const unsigned int event_count;

/*
 * Attacks with more nested NMIs than a stack has room for.  attack_random()
 * does not choose them, because their triple fault terminates the guest before
 * another attack acts.
 */
extern const struct attack flood_attacks[];
extern const unsigned int flood_count;

/*
 * Prepares the attacks in lies[] for a new run of the guest.  campaign.c calls
 * it between snapshot_restore(), which resets the guest, and the first VMRUN.
 */
void events_start(struct vcpu *vcpu);

/*
 * Lets every attack that injects an event inject it after @left instructions,
 * without waiting for its trigger.  campaign.c calls it after events_start() if
 * the trigger occurred before the snapshot from which the run starts.
 */
void events_begin(u64 left);

/*
 * Makes later runs begin with all private frames of the guest unmapped.  The host maps each one
 * at the guest's first access, a nested page fault that triggers FROM_FAULT.  A run that begins
 * at a snapshot has the frames mapped that were mapped when the snapshot was taken.
 */
void events_unmap(void);

/*
 * Makes later runs start with those private frames mapped in the nested page tables that the
 * guest has accessed since events_unmap().  Must be called whenever snapshot_take() replaces
 * the snapshot, because an access before the new snapshot is no first access any more.
 */
void events_keep(void);

/*
 * Injects the events that are due, because their count of instructions is 0.
 * If another attack still counts, makes the guest single-step.  The run loop
 * calls it before each VMRUN.
 */
void events_enter(struct vcpu *vcpu);

/*
 * Counts the guest instruction that has just run, and clears RFLAGS.TF, which
 * events_enter() has set.  The run loop calls it after each exit, before the exit
 * is handled.
 */
void events_exit(struct vcpu *vcpu);

/*
 * Handles an intercepted #DB if the single step or the breakpoint of events_enter()
 * has caused it, and returns true: the guest may be entered again.  Returns false
 * if the #DB has another cause.
 */
bool events_db(struct vcpu *vcpu);

/*
 * Starts the instruction count of every attack whose trigger is @trigger.  Leaves an
 * attack alone that counts already.  Also leaves an attack alone that has injected its
 * event, except if @trigger is FROM_RANDOM: such an attack acts after every RDRAND.
 */
void events_trigger(enum trigger trigger);

/*
 * Tells the attack page-rewrite that the GHCB page at @gpa holds the host's
 * reply.  From now on the attack changes the reply whenever the guest reads it.
 * ghcb.c calls it after each request by the GHCB page.
 */
void events_replied(u64 gpa);

/*
 * Runs the attacks on the stub's proof of the C-bit in 64-bit code.  exits.c
 * calls it before the guest loads CR3 with another value, @new.  The stub then holds
 * a random number in RDX and in memory; it compares the two after the load.
 */
void events_cr3(const struct vcpu *vcpu, u64 new);

/*
 * Runs the attacks on the stub's proof of the C-bit in 32-bit code.  exits.c
 * calls it before the guest sets CR0.PG.  The stub then holds a random number
 * in EBX and EDI and in memory; it compares the two after paging is on.
 */
void events_paging(const struct vcpu *vcpu);

/*
 * Handles a nested page fault if an attack has unmapped the frame.  @gpa is an
 * address in the guest's RAM, @view says whether the access had the C-bit set,
 * and @info is the error code (APM2 15.25.6).  Returns true if an attack was
 * the cause and the guest may be entered again.
 */
bool events_fault(struct vcpu *vcpu, enum view view, u64 gpa, u64 info);

/*
 * Returns whether the host has injected more nested NMIs in this run than the
 * guest's stack must hold.  campaign.c then accepts a triple fault of the guest.
 */
bool events_flooded(void);

/* Returns whether an attack of this run makes the RDRAND for KASLR fail. */
bool events_no_random(void);

/*
 * Returns whether the function fire() of @attack injects a single event, so that
 * attack_once.c may call fire() at any exit and without a campaign.
 */
bool events_single(const struct attack *attack);

/*
 * Injects the events of the attack cbit-pile.  From a write of CR4 on the host injects @lie->n
 * NMIs, one at each instruction, also in the guest's handler of NMI, so that their frames fill the
 * guest's stack.  When the guest loads page tables with a C-bit, by a write of CR3 or of CR0.PG,
 * the host injects #UD.  The processor then pushes the frame of #UD by the new page tables, before
 * the guest has proven their C-bit.
 */
void events_pile(struct lie *lie, struct vcpu *vcpu);

#endif
