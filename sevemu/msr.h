/* SPDX-License-Identifier: MIT */
/*
 * msr.h - the guest's model-specific registers (msr.c).
 */
#ifndef SEVEMU_MSR_H
#define SEVEMU_MSR_H

#include "sevemu.h"

/*
 * Sets up the MSR permission map (APM2 15.11) of @vcpu.  All virtual CPUs share one
 * map.  Called once for each virtual CPU, before the guest starts.
 */
void msr_init(struct vcpu *vcpu);

/*
 * If the guest starts without firmware, enables the MTRRs of this processor, as firmware
 * would.  Called once on each processor, before it runs the guest.
 */
void msr_start(void);

/*
 * Reads MSR number @msr for the guest into *@value.  Returns false, with
 * *@value unchanged, if the guest does not have that MSR; the caller then
 * injects #GP.  EFER is read with SVME clear, because the guest has no SVM.
 * The caller must handle the GHCB MSR and SEV_STATUS itself.
 */
bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value);

/*
 * Writes @value to MSR number @msr for the guest.  Returns false, with nothing
 * written, if the guest does not have that MSR or if EFER must not be set to
 * @value; the caller then injects #GP.
 */
bool msr_write(struct vcpu *vcpu, u32 msr, u64 value);

#endif
