/* SPDX-License-Identifier: MIT */
/*
 * attack_loader.h - the attacks in which the loader gives the guest a wrong
 * memory map, command line or other boot parameter (attack_loader.c).
 */
#ifndef SEVEMU_ATTACK_LOADER_H
#define SEVEMU_ATTACK_LOADER_H

#include "attack.h"

extern const struct attack load_attacks[];
extern const unsigned int load_count;

#endif
