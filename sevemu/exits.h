/* SPDX-License-Identifier: MIT */
/*
 * exits.h - which instructions and events of the guest are intercepted, and the
 * handling of its exits (exits.c).
 */
#ifndef SEVEMU_EXITS_H
#define SEVEMU_EXITS_H

#include "sevemu.h"

/*
 * Sets all intercepts in the VMCB of @vcpu, from the command line options and
 * from the state of @vcpu.  Must be called before the first VMRUN, and again
 * whenever one of the members marker_armed, intercepts, nmi_masked and
 * below_kernel_va of @vcpu has changed.
 */
void exits_init(struct vcpu *vcpu);

/*
 * Handles the exit whose code is in the VMCB of @vcpu, so that the guest can be
 * entered again.  The run loop calls it once after each svm_enter(), with RAX
 * and RSP copied to vcpu->gpr.  An exit that sevemu does not model, a triple
 * fault, and HLT with interrupts off terminate the run.
 */
void exit_handle(struct vcpu *vcpu);

/*
 * If the sevemu script has sent an NMI, ends the run, or begins the attack of
 * --attack-once, whichever the script has asked for.  Returns whether the script has sent
 * an NMI.
 */
bool exits_stop(void);

#endif
