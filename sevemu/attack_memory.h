/* SPDX-License-Identifier: MIT */
/*
 * attack_memory.h - attacks that change the guest's private memory
 * (attack_memory.c): the host puts an old ciphertext block back, or garbles a block.
 */
#ifndef SEVEMU_ATTACK_MEMORY_H
#define SEVEMU_ATTACK_MEMORY_H

#include "attack.h"

/* Size in bytes of a block, the unit in which the memory controller encrypts (APM2 7.10). */
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
	/* The compressed payload, the decoder's state and the decoded payload. */
	MEMORY_OUTPUT,
	MEMORY_KINDS,
};

/*
 * Reads the value of --memory, "STATUS+STATUS[,RANGES...]" with at most one RANGES
 * for each enum memory_kind, in this order.  RANGES is "START-END[+START-END]...",
 * or "-" for no range.  The two STATUS are the addresses of the stub's copy of
 * SEV_STATUS, first where the loader puts the stub, then where the stub moves itself.
 * The ranges are addresses of the moved image.
 * Changes @value.  Ends the run if there are too many ranges.
 */
void memory_option(char *value);

/* Returns whether memory_option() was called. */
bool memory_given(void);

/*
 * Adds @distance to all addresses of --memory, because firmware has loaded the stub @distance
 * bytes above the addresses that --memory names.
 */
void memory_move(u64 distance);

/*
 * Returns whether an attack of this run changes private memory.  Returns false for an SNP
 * guest, because the RMP refuses such changes.
 */
bool attack_by_memory(void);

/*
 * Returns the number of 16-byte blocks of @kind: of all ranges of this kind that --memory gives.
 * memory_block_address() and memory_choose() take a block's number, from 0 to one below the
 * result.
 */
unsigned int memory_blocks(enum memory_kind kind);

/*
 * Returns the address of block @number of @kind, which is below memory_blocks().  Until the
 * stub moves its image, a block of the image has its address in the image as loaded.
 */
u64 memory_block_address(enum memory_kind kind, u64 number);

/*
 * How the host changes a 16-byte block.  With a number from 0 to HISTORY - 1 the block gets
 * one of the contents that memory_note() has kept since the campaign began.
 */
enum change {
	/* The block gets the contents that it had when the campaign began. */
	CHANGE_LAUNCH = HISTORY,
	CHANGE_GARBLE,		/* the block gets random bytes */
	CHANGES,
};

/*
 * The attacks that change one block of private memory when the run starts, one attack for each
 * enum memory_kind, which is the index.  campaign.c plays them for a job such as
 * `blocks-late:100-200` of --attack (jobs.h), which names the moments at which runs start.  The
 * number N of an attack says which block it changes, and how: N is the block's number times
 * CHANGES plus the enum change.
 */
extern const struct attack memory_block_attacks[MEMORY_KINDS];

/*
 * Makes memory_note() keep the contents of the blocks of @kind.  Allocates memory for
 * them; campaign.c calls it once in a process.
 */
void memory_keep(enum memory_kind kind);

/*
 * Keeps the present contents of all blocks of the kind of memory that memory_keep() was
 * called with.  The host may put them back in a later run.  Does nothing in such a run, in
 * which the host changes private memory.  To be called at each VMGEXIT and nested page
 * fault.
 */
void memory_note(const struct vcpu *vcpu);

/*
 * To be called when an honest run has arrived where campaign.c takes the next snapshot.  Calls
 * memory_note() if the stub has moved its image since the last memory_note(), so that the kept
 * contents are those of the image's new address.
 */
void memory_arrive(const struct vcpu *vcpu);

/*
 * To be called after each instruction of an honest run in which sevemu single-steps the guest.
 * Counts the instruction, and calls memory_note() at every NOTE_STEPS-th one.
 */
void memory_step(const struct vcpu *vcpu);

/* Resets what attack_memory.c records of a single run.  campaign.c calls it before each run. */
void memory_start(void);

/*
 * Chooses, by the number @seed, a change of block @block of @kind.  The change must give the
 * block other bytes than it has at the snapshot.  Returns the N by which
 * memory_block_attacks[@kind] makes the change, or MEMORY_NOTHING if no such change exists.
 */
u64 memory_choose(enum memory_kind kind, u64 block, u64 seed);
#define MEMORY_NOTHING		(~0ull)

/* Returns the number of blocks for which memory_choose() has returned a change so far. */
unsigned int memory_played(void);

/* What the stub does not promise if the host changes certain kinds of private memory. */
enum waiver {
	/* Not promised: the payload is whole when the stub enters it. */
	WAIVE_PAYLOAD,
	/* Not promised: the GHCB page is private when the stub enters the payload. */
	WAIVE_GHCB,
	/* Not promised: the stub maps no RAM but the GHCB page with C=0. */
	WAIVE_MAP,
	/* Not promised: the stub puts only what a request needs into the GHCB page. */
	WAIVE_REQUEST,
	/* Not promised: the stub moves its image to the same address as without attacks. */
	WAIVE_PLACE,
};

/* Returns whether @waiver applies to the change of private memory in this run. */
bool memory_waives(enum waiver waiver);

/*
 * Returns true if two things hold.  First, the change of private memory in this run can make
 * the stub move its image to another address.  Second, @vcpu executes code of the stub that is
 * @distance bytes above the address that --memory gives for this code.
 */
bool memory_displaced(const struct vcpu *vcpu, u64 distance);

/*
 * Helps the host to deceive the guest's proof of the C-bit, if a real host could do so.  To be
 * called when the guest loads CR3 or turns paging on.  The guest compares @word with memory to
 * prove the C-bit.  @predicted is a number that a host can guess.  If the host changes private
 * memory in this run and @word equals @predicted, a real host could write the expected bytes
 * to the memory that the guest reads as shared.  sevemu writes no such bytes.  Instead it lets
 * each frame that becomes shared or private from now on keep its plaintext, so that the guest
 * reads the expected bytes.  sevemu does so for any @word if the attack mask-pulse has acted:
 * that attack assumes a host that can guess all bytes of the stub's stack.
 */
void memory_proof(u64 word, u64 predicted);

/* Returns whether memory_proof() lets frames that become shared or private keep their plaintext. */
bool memory_is_served(void);

#endif
