/* SPDX-License-Identifier: MIT */
/*
 * attack_forge.c - attacks on values that the stub keeps on its stack for a moment: a #VC
 * handler's copy of an instruction, a saved register that the stub sends to the hypervisor, a
 * saved register with the address of a page that the stub maps, and the frame of a #VC.  Two
 * attacks are on entries of the page tables that the stub builds.
 *
 * The host cannot write chosen bytes to private memory, but it can put old contents back.
 * Here the old contents are those at launch, those at an earlier moment, or bytes that a
 * loader's data may have left on the stack.  Each attack finds the value on the stack by the
 * guest's registers, because sevemu knows no addresses of the stub's functions.
 */
#include "attack_events.h"
#include "attack_forge.h"
#include "attack_memory.h"
#include "exception.h"
#include "ghcb.h"
#include "guest_memory.h"
#include "npt.h"
#include "rmp.h"
#include "sevemu.h"
#include "snapshot.h"
#include "svm.h"

/* Bytes above the stack pointer in which the attacks look for a value. */
#define STACK_AHEAD	0x200
/* Bytes above the stack pointer in which a called function has saved its caller's registers. */
#define SAVED_AHEAD	0x40
/*
 * forge_insn() waits for this many instructions after the guest's request by the GHCB page.
 * The stub's exchange with the hypervisor has ended by then.
 */
#define EXCHANGE_STEPS	150
/* An attack gives up after it has looked for its value at this many instructions. */
#define SEARCH_STEPS	6000
/* Levels of page tables. */
#define LEVELS		5
/*
 * The entry by which the stub marks a guard page in its page tables (PTE_GUARD of the stub).
 * The stub has GUARDS guard pages: page 0, and one below each of two stacks.
 */
#define PTE_GUARD	(1ull << 9)
#define GUARDS		3
/* While find_guard() finds no entry, sevemu calls it again every GUARD_STEPS instructions. */
#define GUARD_STEPS	16
/* What garble_entry() writes: any number with the bit of a present entry. */
#define GARBLED_ENTRY	0x9d3c5a71e6b2480full
/* Number of bytes by which forge_insn() recognises the handler's copy of the code at RIP. */
#define INSN_SIZE	8

/*
 * forget_cell() takes a saved register for a cell of VGA text memory if its bits in CELL_MASK
 * have the value CELL_COLOUR, grey on black.  Bits 7:0 are then the character.
 */
#define CELL_COLOUR	0x0700
#define CELL_MASK	0xffffffffffffff00

/* The wrong C-bit that detect_twice() reports at first: the lowest that the stub accepts. */
#define FALSE_CBIT	32
#define CPUID_SEV	0x8000001f
#define CBIT_MASK	0x3f
#define INFO_CBIT_SHIFT	24
#define INFO_CBIT_MASK	(0xffull << INFO_CBIT_SHIFT)
/* Offset of the first page directory in the page tables that the stub's 32-bit code builds. */
#define DIRECTORY	0x2000

/* Values of lie->seen in the attack detect-twice: the event for which the host waits. */
enum { FIRST_VC, TABLES_BUILT, LONG_MODE };

/*
 * Number of calls of again() in this run.  An attack calls again() to let the guest run on, if
 * the guest's memory does not have yet what the attack replaces.  At SEARCH_STEPS calls the
 * attack gives up.
 */
static unsigned int stepped;
static bool raised;		/* forge_insn() has injected #VC */
/* The guest's code at the RIP where forge_insn() has injected #VC. */
static u8 code[INSN_SIZE];
/*
 * The last call of forget_address() has found, on the guest's stack, a saved register with
 * the address of the page that the guest was about to map.  The next call must not count the
 * same register again.
 */
static bool found;
/*
 * What detect_twice() puts back: the frame of the first #VC, and the block with two
 * page-table entries at guest-physical address @entry.
 */
static u8 frame[BLOCK_SIZE], entries[BLOCK_SIZE];
static u64 entry;

void forge_start(void)
{
	stepped = 0;
	raised = false;
	found = false;
}

/* Makes the run loop call fire() again after @steps instructions, unless the attack gives up. */
static void again(struct lie *lie, u64 steps)
{
	if (++stepped >= SEARCH_STEPS)
		return;
	lie->done = false;
	lie->left = steps;
}

/*
 * Returns the host address of the @len bytes of private memory at @gpa.  Returns NULL if they
 * cross a page's end, if @gpa is not RAM, or if the RMP refuses the host's writes there.
 */
static u8 *private_bytes(u64 gpa, u64 len)
{
	if (ALIGN_DOWN(gpa, PAGE_SIZE) != ALIGN_DOWN(gpa + len - 1, PAGE_SIZE) ||
	    !npt_host(gpa) || !rmp_host_writes(gpa))
		return NULL;
	return npt_frame(gpa, VIEW_PRIVATE);
}

/* Puts back what the 16-byte block at @gpa held at launch. */
static void put_back(u64 gpa)
{
	u8 *block = private_bytes(ALIGN_DOWN(gpa, BLOCK_SIZE), BLOCK_SIZE);

	if (block)
		snapshot_launch(ALIGN_DOWN(gpa, BLOCK_SIZE), block, BLOCK_SIZE);
}

/*
 * Injects #VC with the exit code of WRMSR, EXCHANGE_STEPS instructions after a request by the
 * GHCB page.  Then replaces the handler's copy of the code at RIP by a WRMSR, so that the
 * handler emulates an instruction that the guest has not executed.
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

/*
 * Looks on the stack for a register that a function of the stub has saved there, and whose value
 * is a cell of VGA text (a character and its colours).  Puts the 16-byte block with this value
 * back to its contents at launch, so that the stub would send these contents to the host.
 */
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
 * Looks for a call of the guest whose arguments are the address of a page (RDI) and a level
 * of page tables (RSI), and for a copy of the address that the called function has saved on
 * the stack.  When such a copy appears for the Nth time, from 0, puts the block that holds it
 * back to its contents at launch.
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

/*
 * Returns the guest-physical address of the page-table entry of guard page @n, counted from 0,
 * in the page tables that the stub builds.  Returns 0 if these tables do not have an entry for
 * each of the GUARDS guard pages yet.
 */
static u64 find_guard(u64 n)
{
	unsigned int i, guards = 0, blocks = memory_blocks(MEMORY_TABLES);
	u64 gpa, guard = 0;
	const u64 *words;

	for (i = 0; i < blocks; i++) {
		gpa = memory_block_address(MEMORY_TABLES, i);
		words = (const u64 *)private_bytes(gpa, BLOCK_SIZE);
		if (words && (words[0] == PTE_GUARD || words[1] == PTE_GUARD) &&
		    guards++ == n)
			guard = words[0] == PTE_GUARD ? gpa : gpa + sizeof(u64);
	}
	return guards == GUARDS ? guard : 0;
}

/* Puts the block with the page-table entry of guard page N back to its contents at launch. */
static void forget_guard(struct lie *lie, struct vcpu *vcpu)
{
	u64 guard = find_guard(lie->n);

	(void)vcpu;
	if (guard)
		put_back(guard);
	else
		again(lie, GUARD_STEPS);
}

/*
 * Garbles the page-table entry that follows the entry of guard page N, once the stub has
 * written both entries.  After the guard page of a stack this is the entry of the stack's
 * lowest page.  The garbled entry has its present bit set, so that its use raises no #PF.
 */
static void garble_entry(struct lie *lie, struct vcpu *vcpu)
{
	u64 guard = find_guard(lie->n), *entry_bytes;

	(void)vcpu;
	entry_bytes = guard ? (u64 *)private_bytes(guard + sizeof(u64), sizeof(u64)) : NULL;
	if (entry_bytes && *entry_bytes)
		*entry_bytes = GARBLED_ENTRY;
	else
		again(lie, GUARD_STEPS);
}

/* Copies the 16-byte block at guest-physical address @gpa to @bytes. */
static void keep(u8 *bytes, u64 gpa)
{
	const u8 *block = private_bytes(ALIGN_DOWN(gpa, BLOCK_SIZE), BLOCK_SIZE);

	if (block)
		memcpy(bytes, block, BLOCK_SIZE);
}

/* Overwrites the 16-byte block at guest-physical address @gpa with @bytes. */
static void put(const u8 *bytes, u64 gpa)
{
	u8 *block = private_bytes(ALIGN_DOWN(gpa, BLOCK_SIZE), BLOCK_SIZE);

	if (block)
		memcpy(block, bytes, BLOCK_SIZE);
}

/*
 * Injects a second #VC and replaces its frame by that of the first #VC, to try to make the
 * stub's 32-bit code detect SEV a second time.
 *
 * With N = 0 the host reports a wrong C-bit (FALSE_CBIT) until the stub has built its page
 * tables.  The host keeps a copy of the 16-byte block with the stack's page-table entry.  It then
 * injects the second #VC, and reports the right C-bit.  A stub that detects SEV again builds its
 * page tables again, now with the right C-bit.  In long mode the host puts the copy back, so that
 * the stack is shared.
 *
 * With N = 1 the host injects the second #VC at the first instruction of the first #VC's
 * handler, where the registers are still those of the CPUID that caused the first #VC.
 */
static void detect_twice(struct lie *lie, struct vcpu *vcpu)
{
	const struct vmcb *v = vcpu->vmcb;

	lie->done = false;
	lie->left = 1;
	switch (lie->seen) {
	case FIRST_VC:
		keep(frame, v->rsp);
		lie->seen = TABLES_BUILT;
		if (!lie->n)
			return;
		lie->done = true;
		break;
	case TABLES_BUILT:
		if (!(v->cr4 & CR4_PAE))
			return;
		entry = vcpu->gpr[RDI] + DIRECTORY + v->rsp / LARGE_SIZE * sizeof(u64);
		keep(entries, entry);
		lie->seen = LONG_MODE;
		break;
	default:
		if (!guest_long_mode(vcpu) || !(v->cs.attrib & SEG_L))
			return;
		put(entries, entry);
		npt_flush();
		lie->done = true;
		return;
	}
	guest_raise(vcpu, X86_VC, SVM_EXIT_CPUID);
	put(frame, v->rsp);
}

static void false_cpuid(struct lie *lie, u32 function, struct cpuid_regs *r)
{
	if (!lie->n && lie->seen < LONG_MODE && function == CPUID_SEV)
		r->ebx = (r->ebx & ~CBIT_MASK) | FALSE_CBIT;
}

static u64 false_info(struct lie *lie, u64 request, u64 value)
{
	if (lie->n || lie->seen == LONG_MODE || request != GHCB_MSR_SEV_INFO_REQ)
		return value;
	return (value & ~INFO_CBIT_MASK) | FALSE_CBIT << INFO_CBIT_SHIFT;
}

const struct attack forge_attacks[] = {
	{ "detect-twice", 2, 0,
	  "the first #VC's frame is put back at another #VC: 0 with a second C-bit, once tables are built; 1 at once",
	  .memory = true, .fire = detect_twice, .cpuid = false_cpuid,
	  .answer = false_info, .trigger = FROM_VC },
	{ "vc-copy", 400, 0,
	  "#VC after request N by the GHCB page; the handler's copy of the instruction is a WRMSR",
	  .memory = true, .each = true, .fire = forge_insn, .trigger = FROM_REQUEST },
	{ "vga-register", 64, 0,
	  "after #VC N the saved register with a cell of the VGA text screen is as at launch",
	  .memory = true, .each = true, .fire = forget_cell, .trigger = FROM_VC },
	{ "map-register", 64, 0,
	  "after the write of EFER.NXE: the Nth saved register with a page's address is as at launch",
	  .memory = true, .fire = forget_address, .trigger = FROM_NXE },
	{ "guard-old", GUARDS, 0,
	  "after the write of EFER.NXE: the Nth entry of a guard page is as at launch, before the tables are in use",
	  .memory = true, .fire = forget_guard, .trigger = FROM_NXE },
	{ "entry-garbled", GUARDS, 0,
	  "after the write of EFER.NXE: the entry after that of guard page N is garbled, before the tables are in use",
	  .memory = true, .fire = garble_entry, .trigger = FROM_NXE },
};
const unsigned int forge_count = ARRAY_SIZE(forge_attacks);
