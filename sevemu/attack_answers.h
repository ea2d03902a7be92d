/* SPDX-License-Identifier: MIT */
/*
 * attack_answers.h - attacks by what the host answers (attack_answers.c).
 */
#ifndef SEVEMU_ATTACK_ANSWERS_H
#define SEVEMU_ATTACK_ANSWERS_H

#include "attack.h"

extern const struct attack answer_attacks[];
extern const unsigned int answer_count;

#endif
