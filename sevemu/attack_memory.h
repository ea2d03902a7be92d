/* SPDX-License-Identifier: MIT */
/*
 * attack_memory.h - attacks that change the guest's private memory
 * (attack_memory.c): the host puts an old ciphertext block back, or garbles a block.
 */
#ifndef SEVEMU_ATTACK_MEMORY_H
#define SEVEMU_ATTACK_MEMORY_H

#include "attack.h"

/* A block is what the memory controller encrypts at a time (APM2 7.10). */
#define BLOCK_SIZE		16

extern const struct attack memory_attacks[];
extern const unsigned int memory_count;

/*
 * Reads the value of --memory: "STATUS+STATUS,START-END[+START-END]...".  The first
 * two numbers are the addresses of the stub's copy of SEV_STATUS, as loaded and as
 * moved.  The ranges are memory whose blocks memory_block() numbers.
 */
void memory_option(char *value);

/* Returns whether memory_option() was called. */
bool memory_given(void);

/* Adds @distance to all addresses of --memory: the stub was loaded there. */
void memory_move(u64 distance);

/* Returns whether a lie of this run changes private memory. */
bool attack_by_memory(void);

/* Returns the number of blocks in the ranges of --memory. */
unsigned int memory_blocks(void);

/* How memory_change() changes a block. */
enum change {
	CHANGE_LAUNCH,		/* to its contents at the start of the campaign */
	CHANGE_BEFORE,		/* to its contents at the snapshot before the present one */
	CHANGE_GARBLE,		/* to random bytes */
	CHANGES,
};

/*
 * The attack that campaign.c adds for a run that starts with a changed block.  Its N
 * is the block's number times CHANGES plus the enum change.
 */
extern const struct attack memory_block_attack;

/* Forgets what the last run has shown.  campaign.c calls it before each run. */
void memory_start(void);

/*
 * Returns whether block change @n, as memory_block_attack numbers it, would change
 * anything at the snapshot.
 */
bool memory_matters(u64 n);

/*
 * Notes that paging with other tables takes effect, and that @word is what the guest
 * proves the C-bit with.  If @word is @predicted, a host that knows the image knows
 * it: it serves all frames that turn shared from now on with the contents that the
 * guest expects.
 */
void memory_proof(u64 word, u64 predicted);

/* Returns whether a frame that changes its view keeps its bytes. */
bool memory_is_served(void);

#endif
