/* SPDX-License-Identifier: MIT */
/*
 * vmrun.h - the world switch (vmrun.S).
 */
#ifndef SEVEMU_VMRUN_H
#define SEVEMU_VMRUN_H

#include "svm.h"

/*
 * Enters the guest and returns after its next exit (APM2 15.5.1).  @vmcb is the
 * page-aligned VMCB and must be mapped at its physical address, because VMRUN
 * takes that.  @gpr has 16 registers in the order of the instruction encoding;
 * RAX and RSP are not taken from there but from @vmcb.  EFER.SVME and
 * MSR_VM_HSAVE_PA must be set.  The exit's reason is in @vmcb: SVM_EXIT_INVALID
 * if the processor refuses the guest's state.
 */
void svm_enter(struct vmcb *vmcb, u64 *gpr);

#endif
