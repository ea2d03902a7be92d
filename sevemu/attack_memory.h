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

/* The number of earlier contents of a block that memory_note() keeps. */
#define HISTORY			7

/* What a range of --memory holds.  docs/security.md says what the stub promises of each kind. */
enum memory_kind {
	/* Values on which the stub's safety depends, such as whether SEV is active. */
	MEMORY_DECISIONS,
	MEMORY_STACKS,		/* stacks of the stub */
	MEMORY_TABLES,		/* page tables of the stub */
	MEMORY_CODE,		/* instructions and constants */
	MEMORY_OUTPUT,		/* compressed payload, decoder's state and decoded payload */
	MEMORY_KINDS,
};

/*
 * Reads the value of --memory, "STATUS+STATUS[,RANGES...]" with at most one RANGES
 * for each enum memory_kind, in this order.  RANGES is "START-END[+START-END]...",
 * or "-" for no range.  The first two numbers are the addresses of the stub's copy of
 * SEV_STATUS, as loaded and as moved.  The ranges are addresses of the moved image.
 * Changes @value.  Ends the run if there are too many ranges.
 */
void memory_option(char *value);

/* Returns whether memory_option() was called. */
bool memory_given(void);

/* Adds @distance to all addresses of --memory: the stub was loaded there. */
void memory_move(u64 distance);

/*
 * Returns whether a lie of this run changes private memory.  Returns false for an SNP
 * guest, because the RMP refuses such changes.
 */
bool attack_by_memory(void);

/* Returns the number of blocks in the ranges of --memory that are of @kind. */
unsigned int memory_blocks(enum memory_kind kind);

/*
 * How a block is changed: 0 to HISTORY - 1 put it back to contents that memory_note()
 * has kept.
 */
enum change {
	CHANGE_LAUNCH = HISTORY, /* to its contents at the start of the campaign */
	CHANGE_GARBLE,		/* to random bytes */
	CHANGES,
};

/*
 * One attack for each enum memory_kind, the index: it changes one block of this kind when
 * the run starts.  campaign.c plays it where a campaign asks for changed memory.  The
 * attack's N is the block's number times CHANGES plus the enum change.
 */
extern const struct attack memory_block_attacks[MEMORY_KINDS];

/*
 * Makes memory_note() keep the contents of the blocks of @kind.  Allocates memory for
 * them; campaign.c calls it once in a process.
 */
void memory_keep(enum memory_kind kind);

/*
 * Keeps the present contents of all blocks of memory_keep()'s kind, because the host
 * may put them back later.  Does nothing in a run under attack.  To be called at each
 * VMGEXIT and nested page fault.
 */
void memory_note(const struct vcpu *vcpu);

/*
 * Notes that an honest run has arrived where the next snapshot is taken.  Does
 * memory_note() if the stub has moved since the last one.
 */
void memory_arrive(const struct vcpu *vcpu);

/*
 * Counts an instruction that an honest run was made to step, and calls memory_note()
 * at every NOTE_STEPS-th.
 */
void memory_step(const struct vcpu *vcpu);

/* Forgets what the last run has shown.  campaign.c calls it before each run. */
void memory_start(void);

/*
 * Chooses a change of block @block of @kind that would change something at the
 * snapshot, by the number @seed.  Returns N of memory_block_attacks[@kind], or
 * MEMORY_NOTHING if no change would.
 */
u64 memory_choose(enum memory_kind kind, u64 block, u64 seed);
#define MEMORY_NOTHING		(~0ull)

/* Returns how many blocks of memory_keep()'s kind memory_choose() has returned a change for. */
unsigned int memory_played(void);

/* What the stub does not promise if some kinds of private memory are changed. */
enum waiver {
	WAIVE_PAYLOAD,		/* that a payload that is entered is whole */
	WAIVE_GHCB,		/* that the GHCB page is private when the payload is entered */
	WAIVE_MAP,		/* that no RAM but the GHCB page is mapped with C=0 */
	WAIVE_REQUEST,		/* that the GHCB page has only what the request needs */
};

/* Returns whether the stub does not promise @waiver in this run. */
bool memory_waives(enum waiver waiver);

/*
 * Notes that paging with other tables takes effect, and that @word is what the guest
 * proves the C-bit with.  If @word is @predicted, a host that knows the image knows
 * it: it serves all frames that turn shared from now on with the contents that the
 * guest expects.  In the attack mask-pulse it does so, too, because it can predict the
 * stub's stack.
 */
void memory_proof(u64 word, u64 predicted);

/* Returns whether a frame that changes its view keeps its bytes. */
bool memory_is_served(void);

#endif
