/* SPDX-License-Identifier: MIT */
/*
 * attack_snp.h - lies of the emulated host to an SEV-SNP guest (attack_snp.c).
 *
 * With --sev snp and --marker, campaign.c plays these lies as it plays all attacks.
 * Without --marker, --attack tells its lies in one run of the guest, from the guest's start
 * to its end, and sevemu does not judge how the guest takes them.  Every function does nothing
 * if the run has no lie of its kind.
 */
#ifndef SEVEMU_ATTACK_SNP_H
#define SEVEMU_ATTACK_SNP_H

#include "attack.h"
#include "sevemu.h"

extern const struct attack snp_attacks[];
extern const unsigned int snp_attack_count;
/* The table of lies about what a loader hands to an SNP guest, and its length. */
extern const struct attack snp_load_attacks[];
extern const unsigned int snp_load_count;

/*
 * Reads the value of --attack, NAME:N[,NAME:N...], for one run with --sev snp.  An
 * unknown name, or an attack that only campaign.c can play, ends the run.  @text is
 * changed.  main.c calls it after it has read --sev, if there is no --marker: with --marker,
 * --attack asks for a campaign of many runs (jobs.h).
 */
void snp_attack_option(char *text);

/*
 * Starts the lies that snp_attack_option() has read.  Those about what the loader hands over
 * change the guest's memory now.  main.c calls it when the guest is loaded and measured, before it
 * starts.
 */
void snp_attack_start(void);

/*
 * Returns whether the host drops the guest's present page state request: the host answers
 * that the page state has changed, and changes nothing.  The request is for the page @gpa, which
 * becomes private if @private, else shared.  rmp.c calls it for each request.
 */
bool snp_attack_drops(u64 gpa, bool private);

/*
 * Lets a lie change the result of a PVALIDATE that has succeeded: *@result (EAX) and
 * *@carry (CF).  @huge says that the PVALIDATE was for a page of 2 MiB.
 */
void snp_attack_pvalidate(bool huge, unsigned int *result, bool *carry);

/*
 * Returns whether the host lies about the guest's present call of the SVSM: the host does not
 * run the SVSM, and answers that the SVSM has run.  snp_ghcb.c calls it for each such call.
 */
bool snp_attack_no_svsm(void);

/*
 * Returns whether the SVSM refuses the guest's call @call (RAX of the call), and sets
 * *@result to the SVSM's answer.  svsm.c calls it for each call.
 */
bool snp_attack_svsm(u64 call, u64 *result);

/*
 * Lets the host take, exchange or remap a page of the guest, or inject #VC with the exit code
 * for a page that is not validated (0x404), if a lie of the run says so.  exits.c calls it when
 * a VMGEXIT is done and RIP is after it.
 */
void snp_attack_vmgexit(struct vcpu *vcpu);

/* Returns whether the host has taken, exchanged or remapped a page in this run. */
bool snp_attack_took(void);

/*
 * Returns whether a lie has changed the result of a PVALIDATE in this run, so that the
 * guest must not go on as if the page were validated or rescinded.
 */
bool snp_attack_spoilt(void);

/* Resets what this file records of a single run.  campaign.c calls it before each run. */
void snp_attack_clear(void);

#endif
