/* SPDX-License-Identifier: MIT */
/*
 * exits.h - intercepts and exits (exits.c).
 */
#ifndef SEVEMU_EXITS_H
#define SEVEMU_EXITS_H

#include "sevemu.h"

/*
 * Sets all intercepts in the VMCB of @vcpu from the configuration and from the
 * state of @vcpu.  Must be called before the first entry, and again whenever
 * marker_armed, intercepts, nmi_masked or below_kernel_va has changed.
 */
void exits_init(struct vcpu *vcpu);

/*
 * Handles the exit whose code is in the VMCB of @vcpu.  The run loop calls it
 * once after each svm_enter(), with RAX and RSP copied to vcpu->gpr.  It leaves
 * the guest ready to be entered again.  An exit that is not modelled, a triple
 * fault and a halt without wake-up end the run.
 */
void exit_handle(struct vcpu *vcpu);

#endif
