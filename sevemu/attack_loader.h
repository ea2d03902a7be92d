/* SPDX-License-Identifier: MIT */
/*
 * attack_loader.h - attacks by what the loader hands over (attack_loader.c).
 */
#ifndef SEVEMU_ATTACK_LOADER_H
#define SEVEMU_ATTACK_LOADER_H

#include "attack.h"

extern const struct attack load_attacks[];
extern const unsigned int load_count;

#endif
