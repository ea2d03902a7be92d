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
 * QEMU's processor does not know the three instructions and raises #UD for them:
 * executes them for the guest.  Any other instruction gets the #UD.  exits.c
 * calls it.
 */
void snp_exit_ud(struct vcpu *vcpu);

#endif
