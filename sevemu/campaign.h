/* SPDX-License-Identifier: MIT */
/*
 * campaign.h - many runs of one guest under attack (campaign.c).
 *
 * A campaign is what --attack and --hostile ask for.  Without one the functions
 * that other files call on an occasion do nothing.
 */
#ifndef SEVEMU_CAMPAIGN_H
#define SEVEMU_CAMPAIGN_H

#include "report.h"
#include "sevemu.h"

/*
 * Takes the wrapper's option @name if it is attack, hostile, watch or chance.
 * Returns false for any other.  main.c calls it for each option.  @value, which
 * is cut into pieces, must remain.  "--attack list" and errors end the run.
 */
bool campaign_option(const char *name, char *value);

/*
 * Runs the campaign from the present state of @vcpu, and ends sevemu with the
 * verdict.  main.c calls it with the kernel loaded, campaign_vmgexit() in the
 * middle of firmware's boot.  Does not return.
 */
void campaign_run(struct vcpu *vcpu);

/* Returns whether a run of the campaign is under way. */
bool campaign_running(void);

/*
 * Counts an exit, and ends the run of the campaign after EXITS_MAX of them.  The
 * run loop calls it after each exit.
 */
void campaign_exit(void);

/*
 * Starts the campaign in MODE_OVMF, when the stub first asks by the MSR protocol.
 * ghcb.c calls it at each VMGEXIT.
 */
void campaign_vmgexit(struct vcpu *vcpu);

/*
 * Notes that the marker, the payload's entry, is reached: lies have no effect
 * from here on.  exits.c calls it.
 */
void campaign_marker(void);

/*
 * Handles an intercepted #DB if it is the breakpoint behind the proof of the
 * C-bit.  Returns true if so, and the guest may go on.
 */
bool campaign_proof(struct vcpu *vcpu);

/*
 * Ends the run of the campaign as @end, and goes back to campaign_run().
 * @stopped: because of something that the model cannot run.  @term: the GHCB
 * termination request, or 0.  report.c calls it first of all when a run ends.
 * Returns if no run of a campaign is under way.
 */
void campaign_end(enum end end, bool stopped, u64 term);

/*
 * Judges the ABI violation @code (VIOL_*) during a run of the campaign: ends the
 * run as a failure, but for VIOL_UNSUPPORTED_EVENT.  report.c calls it.
 */
void campaign_violation(unsigned int code);

#endif
