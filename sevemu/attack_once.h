/* SPDX-License-Identifier: MIT */
/*
 * attack_once.h - attacks in a single run of any guest (attack_once.c).  Option
 * --attack-once asks for them.  sevemu does not judge how the run ends.
 */
#ifndef SEVEMU_ATTACK_ONCE_H
#define SEVEMU_ATTACK_ONCE_H

#include "sevemu.h"

/*
 * Adds the attacks of @text, the value NAME[:N],... of --attack, to the single run of
 * --attack-once.  An unknown name, or an attack that only campaign.c can play, ends the
 * run.  Changes @text.
 */
void once_option(char *text);

/*
 * Starts the attacks at the guest's start, unless they are to begin later.  main.c calls it
 * when the guest is loaded.
 */
void once_start(void);

/*
 * Begins the attacks now.  exits.c calls it at an exit: when the guest reaches the address of
 * --marker, and when the sevemu script asks for it (STOP_ATTACK of ports.h).  If an attack
 * injects an event, it does so at the end of this exit.
 */
void once_begin(void);

/*
 * Counts an exit for --attack-exits, and injects the events that are due.  The run loop
 * calls it when the exit has been handled.
 */
void once_exit(struct vcpu *vcpu);

#endif
