/* SPDX-License-Identifier: MIT */
/*
 * attack_snp.h - lies of the emulated host to an SEV-SNP guest (attack_snp.c).
 *
 * With --sev snp, --attack tells its lies in one run of the guest, from the guest's
 * start to its end.  campaign.c, which runs a guest many times and judges it, is not
 * used.  Every function does nothing if the run has no lie of its kind.
 */
#ifndef SEVEMU_ATTACK_SNP_H
#define SEVEMU_ATTACK_SNP_H

#include "attack.h"
#include "sevemu.h"

extern const struct attack snp_attacks[];
extern const unsigned int snp_attack_count;

/*
 * Reads the value of --attack, NAME:N[,NAME:N...], for a guest with --sev snp.  An
 * unknown name, or an attack that only campaign.c can play, ends the run.  @text is
 * changed.  main.c calls it after it has read --sev.
 */
void snp_attack_option(char *text);

/*
 * Starts the lies: those about what the loader hands over change the guest's memory.
 * main.c calls it when the guest is loaded and measured, before it starts.
 */
void snp_attack_start(void);

/*
 * Returns whether the host drops the guest's present page state request: it answers that
 * the page state has changed, and changes nothing.  rmp.c calls it for each request.
 */
bool snp_attack_drops(void);

/*
 * Lets a lie change the result of a PVALIDATE that has succeeded: *@result (EAX) and
 * *@carry (CF).
 */
void snp_attack_pvalidate(unsigned int *result, bool *carry);

/*
 * Returns whether the host does not run the SVSM, although it answers that it has.
 * snp_ghcb.c calls it for each call.
 */
bool snp_attack_no_svsm(void);

/*
 * Lets the host do something to the guest's memory, or inject #VC 0x404, after a VMGEXIT.
 * exits.c calls it when the VMGEXIT is done and RIP is behind it.
 */
void snp_attack_vmgexit(struct vcpu *vcpu);

#endif
