/* SPDX-License-Identifier: MIT */
/*
 * ap.h - how the guest's virtual CPUs start, stop and start again (ap.c).
 *
 * All functions must be called with the hypervisor's lock held, between a VMEXIT and
 * the next VMRUN.  An event for a virtual CPU takes the CPU out of the guest at once.  The
 * CPU's state changes when its own processor calls ap_events().
 */
#ifndef SEVEMU_AP_H
#define SEVEMU_AP_H

#include "sevemu.h"

/*
 * Handles the events that wait for @vcpu: changes its state and its registers.  Must be
 * called on the processor of @vcpu, before VMRUN.
 */
void ap_events(struct vcpu *vcpu);

/*
 * Returns whether @vcpu will run the guest once ap_events() has handled its pending events.
 * Right after ap_events() the result says whether @vcpu runs the guest now.
 */
bool ap_runs(const struct vcpu *vcpu);

/*
 * Sends INIT to @vcpu, which stops until a SIPI starts it.  With SEV-ES @vcpu keeps its
 * registers, because the host cannot change them.  If the guest has requested AP creation
 * "on INIT" for @vcpu, INIT starts it at once with the new VMSA (GHCB 4.1, SNP AP Creation).
 */
void ap_init(struct vcpu *vcpu);

/*
 * Sends a start-up IPI with @vector to @vcpu.  The IPI is ignored unless @vcpu waits for
 * one after an INIT.  Without SEV-ES @vcpu starts in real mode at @vector * 4 KiB.  With
 * SEV-ES @vector is ignored: the first SIPI starts @vcpu with the registers that it got at
 * launch, and a later SIPI answers the AP reset hold, or lets @vcpu go on where INIT has
 * stopped it.
 */
void ap_sipi(struct vcpu *vcpu, u8 vector);

/*
 * Lets @vcpu of an SNP guest go on with the registers in the VMSA page at guest-physical
 * address @vmsa, which the caller has checked.  If @on_init is true, @vcpu loads these
 * registers only when it gets its next INIT.
 */
void ap_create(struct vcpu *vcpu, u64 vmsa, bool on_init);

/* Stops @vcpu of an SNP guest until ap_create(). */
void ap_destroy(struct vcpu *vcpu);

/* Makes an NMI pending in @vcpu, and wakes it if it waits in HLT or AP reset hold. */
void ap_nmi(struct vcpu *vcpu);

/*
 * Stops @vcpu, which has asked for the AP reset hold @hold (GHCB 4.3).  If @hold is HOLD_PAGE,
 * @ghcb is the guest-physical address of the GHCB page that gets the answer; otherwise @ghcb
 * is unused.  Ends the run if no virtual CPU runs any longer.
 */
void ap_hold(struct vcpu *vcpu, enum ap_hold hold, u64 ghcb);

/*
 * Stops @vcpu, which has executed HLT with interrupts off, until INIT or NMI.  Ends the
 * run if no virtual CPU runs any longer.
 */
void ap_halt(struct vcpu *vcpu);

#endif
