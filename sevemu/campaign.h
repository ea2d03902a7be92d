/* SPDX-License-Identifier: MIT */
/*
 * campaign.h - a campaign: many runs of one guest, in each of which the
 * emulated host attacks the guest in another way (campaign.c).
 *
 * The options --attack and --hostile start a campaign.  Without these options
 * campaign_exit(), campaign_vmgexit(), campaign_marker(), campaign_proof() and
 * campaign_end() do nothing.
 */
#ifndef SEVEMU_CAMPAIGN_H
#define SEVEMU_CAMPAIGN_H

#include "report.h"
#include "sevemu.h"

/*
 * Runs the guest many times from the present state of @vcpu, with the attacks
 * that --attack or --hostile asked for, and terminates sevemu with PASS or
 * FAIL.  main.c calls it when the kernel is loaded.  With firmware,
 * campaign_vmgexit() calls it when the stub has started.  Does not return.
 */
void campaign_run(struct vcpu *vcpu);

/* Returns whether the guest is running under --attack or --hostile at present. */
bool campaign_running(void);

/*
 * Counts an exit of the guest.  After EXITS_MAX exits this function assumes that
 * the guest hangs, and ends the run, so that the next run starts.  The run counts
 * as failed, except under an attack that changes private memory or has taken a page
 * from the guest.  Such a guest may have lost the code by which it terminates.  The
 * run loop calls campaign_exit() after each exit.
 */
void campaign_exit(void);

/*
 * Ends a run that takes too long: if the host has changed the guest's private memory, the
 * guest may loop without any exit.  exits.c calls this function at the NMI of the timer
 * that campaign.c has started.
 */
void campaign_alarm(void);

/*
 * ghcb.c calls this function at each VMGEXIT.  In MODE_OVMF, where firmware runs before the stub
 * and is not attacked, it calls campaign_run() at the stub's first request by the GHCB MSR
 * protocol.  In the other modes it does nothing, because campaign_run() was called at the start.
 */
void campaign_vmgexit(struct vcpu *vcpu);

/*
 * Notes that the guest has reached the payload's entry, the address given by
 * --marker.  The host is honest from now on, because only the stub is under
 * test.  exits.c calls it.
 */
void campaign_marker(const struct vcpu *vcpu);

/*
 * Handles an intercepted #DB if its breakpoint is the address PROOF of --watch,
 * which the stub reaches once it has proven the position of the C-bit.  Returns
 * true for this #DB: the guest may be entered again.  Returns false for another.
 */
bool campaign_proof(struct vcpu *vcpu);

/*
 * Terminates the present run of the guest and continues in campaign_run() with
 * the next one.  @end says how the run ended.  @stopped is true if the guest
 * did something that sevemu does not model.  @term is the GHCB termination
 * request, or 0 without one.  report.c calls it whenever a run ends.  Returns
 * only if neither --attack nor --hostile was given.
 */
void campaign_end(enum end end, bool stopped, u64 term);

/*
 * Handles the guest's violation of the GHCB ABI, @code (VIOL_* of hooks.h),
 * while the host attacks the guest.  report.c calls this function.
 * VIOL_UNSUPPORTED_EVENT is ignored, because a guest may send the request "unsupported
 * event" when the host injects an unknown #VC.  After VIOL_DOUBLE_VALIDATION or
 * VIOL_LATE_RESCIND the run goes on, and fails if the guest enters the payload.  Any
 * other code ends the run as a failure, unless the attack can have caused the violation:
 * a change of private memory, or for VIOL_RMP_MISMATCH any attack of lies[] (attack.c).
 */
void campaign_violation(unsigned int code);

#endif
