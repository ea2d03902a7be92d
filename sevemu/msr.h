/* SPDX-License-Identifier: MIT */
/*
 * msr.h - the guest's model-specific registers (msr.c).
 */
#ifndef SEVEMU_MSR_H
#define SEVEMU_MSR_H

#include "sevemu.h"

/*
 * Allocates the MSR permission map (APM2 15.11) for @vcpu, and enables MTRRs
 * unless firmware will.  Called once, before the first entry.
 */
void msr_init(struct vcpu *vcpu);

/*
 * Reads MSR number @msr for the guest into *@value.  Returns false, with *@value
 * unchanged, if the guest has no such MSR: the caller raises #GP.  EFER is read
 * without SVME.  The GHCB MSR and SEV_STATUS are not known here (exits.c).
 */
bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value);

/*
 * Writes @value to MSR number @msr for the guest.  Returns false, with nothing
 * written, if the guest has no such MSR or EFER cannot have that value: the
 * caller raises #GP.
 */
bool msr_write(struct vcpu *vcpu, u32 msr, u64 value);

#endif
