/* SPDX-License-Identifier: MIT */
/*
 * snp_insn.h - the instructions of an SEV-SNP guest: PVALIDATE, RMPADJUST and
 * RMPQUERY (snp_insn.c).
 */
#ifndef SEVEMU_SNP_INSN_H
#define SEVEMU_SNP_INSN_H

#include "sevemu.h"

/*
 * Handles an intercepted #UD of an SNP guest, whose RIP is at the instruction.
 * QEMU's processor does not know the instructions of SNP, and raises #UD for them.  This
 * function executes PVALIDATE, RMPADJUST and RMPQUERY for the guest.  For any other
 * instruction it injects the #UD into the guest.  exits.c calls it.
 */
void snp_exit_ud(struct vcpu *vcpu);

#endif
