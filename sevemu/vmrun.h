/* SPDX-License-Identifier: MIT */
/*
 * vmrun.h - the switch from the hypervisor to the guest and back (vmrun.S).
 */
#ifndef SEVEMU_VMRUN_H
#define SEVEMU_VMRUN_H

#include "svm.h"

/*
 * Enters the guest by VMRUN and returns after its next VMEXIT (APM2 15.5.1).
 * @vmcb is page-aligned and mapped at its physical address, which VMRUN takes.
 * @gpr has the guest's 16 general registers in the order of the instruction
 * encoding, but RAX and RSP are loaded from @vmcb and stored there.  EFER.SVME
 * and MSR_VM_HSAVE_PA must be set.  On return @vmcb has the exit code, which is
 * SVM_EXIT_INVALID if the processor refuses the guest's state.
 */
void svm_enter(struct vmcb *vmcb, u64 *gpr);

/*
 * Halts this processor until an NMI comes, or does nothing if one is pending.  Must be
 * called with the global interrupt flag clear, as it is after a VMEXIT.
 */
void svm_sleep(void);

/* Clears the global interrupt flag (APM2 15.17): NMIs stay pending. */
void svm_clear_gif(void);

#endif
