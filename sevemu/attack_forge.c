/* SPDX-License-Identifier: MIT */
/*
 * attack_forge.c - attacks on values that the stub keeps on its stack for a moment: a #VC
 * handler's copy of an instruction, a saved register that is sent, and the address that is
 * mapped.
 *
 * The host cannot write chosen bytes to private memory, but it can put old contents back.
 * Here the old contents are those at launch, or bytes that a loader's data may have left on
 * the stack.  Each attack looks for its place by the guest's registers, because sevemu
 * knows no addresses of the stub's functions.
 */
#include "attack_events.h"
#include "attack_forge.h"
#include "attack_memory.h"
#include "exception.h"
#include "npt.h"
#include "rmp.h"
#include "sevemu.h"
#include "snapshot.h"
#include "svm.h"

/* Bytes above the stack pointer in which the attacks look for a value. */
#define STACK_AHEAD	0x200
/* Bytes above the stack pointer of a function in which it has saved its caller's registers. */
#define SAVED_AHEAD	0x40
/* So many instructions after a request by the GHCB page its exchange has ended. */
#define EXCHANGE_STEPS	150
/* The attacks give up after so many instructions. */
#define SEARCH_STEPS	6000
/* Levels of page tables. */
#define LEVELS		5
/* Bytes by which the copy of an instruction is recognised. */
#define INSN_SIZE	8

/* A cell of VGA text memory: a character in grey on black. */
#define CELL_COLOUR	0x0700
#define CELL_MASK	0xffffffffffffff00

static unsigned int stepped;	/* instructions that the attack of this run has looked at */
static bool raised;		/* forge_insn() has injected #VC */
static u8 code[INSN_SIZE];	/* the bytes at the RIP at which it has injected #VC */
static bool found;		/* forget_address() has found a saved register just now */

void forge_start(void)
{
	stepped = 0;
	raised = false;
	found = false;
}

/* Calls fire() again after @steps instructions, unless the attack has taken too long. */
static void again(struct lie *lie, u64 steps)
{
	if (++stepped >= SEARCH_STEPS)
		return;
	lie->done = false;
	lie->left = steps;
}

/* Returns the @len bytes of private memory at @gpa, or NULL if they cross a page's end. */
static u8 *private_bytes(u64 gpa, u64 len)
{
	if (ALIGN_DOWN(gpa, PAGE_SIZE) != ALIGN_DOWN(gpa + len - 1, PAGE_SIZE) ||
	    !npt_host(gpa) || !rmp_host_writes(gpa))
		return NULL;
	return npt_frame(gpa, VIEW_PRIVATE);
}

/* The 16-byte block at @gpa is as at launch. */
static void put_back(u64 gpa)
{
	u8 *block = private_bytes(ALIGN_DOWN(gpa, BLOCK_SIZE), BLOCK_SIZE);

	if (block)
		snapshot_launch(ALIGN_DOWN(gpa, BLOCK_SIZE), block, BLOCK_SIZE);
}

/*
 * Injects #VC with the exit code of WRMSR some instructions behind a request, and replaces
 * the bytes that the handler has copied from RIP by those of WRMSR.
 */
static void forge_insn(struct lie *lie, struct vcpu *vcpu)
{
	static const u8 wrmsr[] = { 0x0f, 0x30 };
	u64 at = vcpu->vmcb->rsp, end = at + STACK_AHEAD;
	u8 *bytes;

	if (!stepped) {
		again(lie, EXCHANGE_STEPS);
		return;
	}
	if (!raised) {
		bytes = private_bytes(vcpu->vmcb->rip, sizeof(code));
		if (bytes) {
			memcpy(code, bytes, sizeof(code));
			guest_raise(vcpu, X86_VC, SVM_EXIT_MSR);
			raised = true;
		}
		again(lie, 1);
		return;
	}
	for (; at < end; at++) {
		bytes = private_bytes(at, sizeof(code));
		if (bytes && !memcmp(bytes, code, sizeof(code))) {
			memcpy(bytes, wrmsr, sizeof(wrmsr));
			return;
		}
	}
	again(lie, 1);
}

/* The saved register that holds a cell of VGA memory is as at launch. */
static void forget_cell(struct lie *lie, struct vcpu *vcpu)
{
	u64 at = ALIGN_DOWN(vcpu->vmcb->rsp, sizeof(u64)), end = at + STACK_AHEAD;

	for (; at < end; at += sizeof(u64)) {
		const u64 *word = (const u64 *)private_bytes(at, sizeof(u64));

		if (word && (*word & CELL_MASK) == CELL_COLOUR) {
			put_back(at);
			return;
		}
	}
	again(lie, 1);
}

/*
 * The guest has called a function with the address of a page and a level of page tables, and
 * the function has saved a register with this address.  When this happens for the Nth time,
 * the block of the saved register is as at launch.
 */
static void forget_address(struct lie *lie, struct vcpu *vcpu)
{
	u64 at = ALIGN_DOWN(vcpu->vmcb->rsp, sizeof(u64)), end = at + SAVED_AHEAD;
	u64 page = vcpu->gpr[RDI];
	bool found_before = found;
	const u64 *word;

	found = false;
	if (!page || page & PAGE_MASK || vcpu->gpr[RSI] - 1 >= LEVELS)
		end = at;
	for (; !found && at < end; at += sizeof(u64)) {
		word = (const u64 *)private_bytes(at, sizeof(u64));
		found = word && *word == page;
	}
	if (found && !found_before && lie->seen++ == lie->n) {
		put_back(at - sizeof(u64));
		return;
	}
	again(lie, 1);
}

const struct attack forge_attacks[] = {
	{ "vc-copy", 400, 0,
	  "#VC behind request N by the GHCB page; the handler's copy of the instruction is a WRMSR",
	  .memory = true, .each = true, .fire = forge_insn, .trigger = FROM_REQUEST },
	{ "vga-register", 64, 0,
	  "after #VC N the saved register with a cell of the VGA text screen is as at launch",
	  .memory = true, .each = true, .fire = forget_cell, .trigger = FROM_VC },
	{ "map-register", 64, 0,
	  "behind the write of EFER.NXE: the Nth saved register with a page's address is as at launch",
	  .memory = true, .fire = forget_address, .trigger = FROM_NXE },
};
const unsigned int forge_count = ARRAY_SIZE(forge_attacks);
