/* SPDX-License-Identifier: MIT */
/*
 * attack_answers.h - the attacks in which the host answers the guest wrongly:
 * CPUID, GHCB requests, I/O ports and time (attack_answers.c).
 */
#ifndef SEVEMU_ATTACK_ANSWERS_H
#define SEVEMU_ATTACK_ANSWERS_H

#include "attack.h"

extern const struct attack answer_attacks[];
extern const unsigned int answer_count;

#endif
