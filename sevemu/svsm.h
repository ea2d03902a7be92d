/* SPDX-License-Identifier: MIT */
/*
 * svsm.h - a secure VM service module (SVSM) inside the emulator, for an SEV-SNP
 * guest below VMPL 0 (svsm.c).
 */
#ifndef SEVEMU_SVSM_H
#define SEVEMU_SVSM_H

#include "sevemu.h"

/*
 * Sets the guest-physical address of the calling area of @vcpu, a page
 * that the launch has validated.  snp_launch.c calls it before the guest starts,
 * with --vmpl 1 to 3.
 */
void svsm_init(struct vcpu *vcpu, u64 calling_area);

/*
 * Runs the SVSM until it returns to the guest: handles the guest's call, if one is
 * pending in the calling area, and sets RAX to its result.  snp_ghcb.c calls it when
 * the guest asks to run VMPL 0.
 */
void svsm_run(struct vcpu *vcpu);

#endif
