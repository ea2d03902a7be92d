/* SPDX-License-Identifier: MIT */
/*
 * attack_forge.h - attacks in which the host puts old contents back on the stub's stack, where
 * the stub's handlers and functions have saved registers (attack_forge.c).
 */
#ifndef SEVEMU_ATTACK_FORGE_H
#define SEVEMU_ATTACK_FORGE_H

#include "attack.h"

extern const struct attack forge_attacks[];
extern const unsigned int forge_count;

/* Forgets what the attacks have done in the last run.  campaign.c calls it before each run. */
void forge_start(void);

#endif
