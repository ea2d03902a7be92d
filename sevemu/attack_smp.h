/* SPDX-License-Identifier: MIT */
/*
 * attack_smp.h - a host that attacks the APs of a guest with several processors
 * (attack_smp.c).
 */
#ifndef SEVEMU_ATTACK_SMP_H
#define SEVEMU_ATTACK_SMP_H

#include "sevemu.h"

/*
 * Takes @value, `NAME:N`, the value of --attack of a guest with several processors.
 * Returns false if NAME is not an attack of this file.  Ends the run if this attack does
 * not take the number N.  main.c calls it before the guest is loaded.
 */
bool attack_smp_option(const char *value);

/*
 * Prepares the attack.  main.c calls it once, when the guest is loaded and before it
 * runs.  Does nothing without an attack of this file.
 */
void attack_smp_start(void);

/* Attacks the APs if the attack is due.  The run loop calls it after each VMEXIT of @vcpu. */
void attack_smp_exit(const struct vcpu *vcpu);

/* To be called when the guest itself sends INIT to @vcpu: the attack then leaves @vcpu alone. */
void attack_smp_init(const struct vcpu *vcpu);

/*
 * Returns the nested CR3 with which @vcpu must run in place of npt.c's own; 0: @vcpu runs
 * with npt.c's own nested page tables.
 */
u64 attack_smp_root(const struct vcpu *vcpu);

/*
 * Ends the run if @vcpu has left the memory that attack_smp_root() gives it, at
 * guest-physical address @gpa.  npt.c calls it at each nested page fault.
 */
void attack_smp_fault(const struct vcpu *vcpu, u64 gpa);

/*
 * Returns the address of the AP jump table that the host gives to the guest: @honest, the
 * address that the guest has set, or a wrong one in the attack ap-table.
 */
u64 attack_smp_table(u64 honest);

/* Writes a line to the log for each attack of this file, for --attack list. */
void attack_smp_list(void);

#endif
