/* SPDX-License-Identifier: MIT */
/*
 * attack_memory.c - attacks that change the guest's private memory.
 *
 * In an SEV-ES guest the host cannot read private memory, and cannot write chosen
 * bytes to it.  But it can put the ciphertext back that a 16-byte block had earlier,
 * and can garble a block by writing other ciphertext.  Both are done here to the
 * plaintext, which is what the guest sees of them.
 *
 * Runs at the Nth instruction behind a trigger, as the attacks of attack_events.c.
 */
#include "attack_events.h"
#include "attack_memory.h"
#include "exception.h"
#include "guest_memory.h"
#include "hooks.h"
#include "insn.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "snapshot.h"
#include "watch_kaslr.h"

#define RANGES_MAX		16
#define STATUS_PLACES		2

/*
 * Bits of a ModRM byte and values of them (APM3 1.4): the memory operand is a
 * displacement of 32 bits, the same added to RBP, or described by a SIB byte.
 * SIB_RSP is the SIB byte of an operand at RSP.
 */
#define MODRM_MOD_RM		0xc7
#define MODRM_DISP32		0x05
#define MODRM_RBP_DISP32	0x85
#define MODRM_SIB		0x04
#define SIB_RSP			0x24
#define GROUP7_LIDT		3

/* --memory: addresses in the stub. */
static u64 status[STATUS_PLACES];
static struct {
	u64 start, end;		/* multiples of BLOCK_SIZE */
} ranges[RANGES_MAX];
static unsigned int range_count;

static bool served;		/* see memory_proof() */

/* Cuts a number off at the next character of @ends; *@s moves behind that. */
static u64 next_number(char **s, char end)
{
	char *start = *s;

	for (; **s && **s != end && **s != ','; ++*s)
		;
	if (**s)
		*(*s)++ = '\0';
	return parse_number(start);
}

void memory_option(char *value)
{
	status[0] = next_number(&value, '+');
	status[1] = next_number(&value, '+');
	for (; *value; range_count++) {
		if (range_count == RANGES_MAX)
			end_run(END_ERROR, "--memory has more than %u ranges", RANGES_MAX);
		ranges[range_count].start = next_number(&value, '-');
		ranges[range_count].end = next_number(&value, '+');
	}
}

bool memory_given(void)
{
	return status[0];
}

void memory_move(u64 distance)
{
	unsigned int i;

	for (i = 0; i < STATUS_PLACES; i++)
		status[i] += distance;
	for (i = 0; i < range_count; i++) {
		ranges[i].start += distance;
		ranges[i].end += distance;
	}
}

bool attack_by_memory(void)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++)
		if (lies[i].attack->memory)
			return true;
	return false;
}

unsigned int memory_blocks(void)
{
	unsigned int i, blocks = 0;

	for (i = 0; i < range_count; i++)
		blocks += (ranges[i].end - ranges[i].start) / BLOCK_SIZE;
	return blocks;
}

/* Returns the address of block @number, which is below memory_blocks(). */
static u64 block_address(u64 number)
{
	unsigned int i;

	for (i = 0; ; i++) {
		u64 blocks = (ranges[i].end - ranges[i].start) / BLOCK_SIZE;

		if (number < blocks)
			return ranges[i].start + number * BLOCK_SIZE;
		number -= blocks;
	}
}

/* Returns the block at @gpa in host memory if its frame is private; else NULL. */
static u8 *private_block(u64 gpa)
{
	unsigned int state = npt_frame_state(gpa);

	if (state != HOOK_FRAME_PRIVATE && state != HOOK_FRAME_NOTED)
		return NULL;
	return npt_host(gpa);
}

/*
 * Fills @to with what @change makes of the block at @gpa.  Returns false if that is
 * what the block has already, or if the frame is shared.
 */
static bool changed(u64 gpa, enum change change, u64 seed, u8 *to)
{
	const u8 *now = private_block(gpa);
	unsigned int i;

	if (!now)
		return false;
	if (change == CHANGE_GARBLE)
		attack_noise(to, BLOCK_SIZE, seed);
	else if (!snapshot_past(gpa, change == CHANGE_LAUNCH ? PAST_LAUNCH : PAST_BEFORE,
				to, BLOCK_SIZE))
		return false;
	for (i = 0; i < BLOCK_SIZE && now[i] == to[i]; i++)
		;
	return i < BLOCK_SIZE;
}

static void change_block(u64 gpa, enum change change, u64 seed)
{
	u8 bytes[BLOCK_SIZE];

	if (changed(gpa, change, seed, bytes))
		memcpy(npt_frame(gpa, VIEW_PRIVATE), bytes, BLOCK_SIZE);
}

bool memory_matters(u64 n)
{
	u8 bytes[BLOCK_SIZE];

	return changed(block_address(n / CHANGES), n % CHANGES, n, bytes);
}

void memory_start(void)
{
	served = false;
}

void memory_proof(u64 word, u64 predicted)
{
	if (attack_on && attack_by_memory() && word == predicted)
		served = true;
}

bool memory_is_served(void)
{
	return served;
}

/* ---- Functions for fire(). */

static void change_status(struct lie *lie, struct vcpu *vcpu)
{
	unsigned int i;

	(void)vcpu;
	for (i = 0; i < STATUS_PLACES; i++)
		if (npt_host(status[i]))
			change_block(ALIGN_DOWN(status[i], BLOCK_SIZE), lie->attack->arg,
				     lie->n);
}

/* Also injects #UD, so that the guest reports an exception. */
static void change_status_and_raise(struct lie *lie, struct vcpu *vcpu)
{
	change_status(lie, vcpu);
	kaslr_registers(vcpu);
	guest_raise(vcpu, X86_UD, 0);
}

/*
 * Returns true if the instruction at the guest's RIP is LIDT, and stores the linear
 * address of its operand in *@va.  Only the forms of the operand that the stub uses
 * are known: a displacement from RIP, RBP or RSP, or an absolute 32-bit address.
 */
static bool is_lidt(struct vcpu *vcpu, u64 *va)
{
	struct insn insn;
	int displacement;

	insn_decode(vcpu, &insn);
	if (insn.opcode[0] != OPCODE_0F || insn.opcode[1] != OP2_GROUP7 ||
	    MODRM_REG(insn.modrm) != GROUP7_LIDT)
		return false;
	memcpy(&displacement, insn.bytes + insn.len, sizeof(displacement));
	switch (insn.modrm & MODRM_MOD_RM) {
	case MODRM_DISP32:
		*va = guest_long_mode(vcpu) ?
		      vcpu->vmcb->rip + insn.len + sizeof(displacement) + displacement :
		      (u32)displacement;
		return true;
	case MODRM_RBP_DISP32:
		*va = vcpu->gpr[RBP] + displacement;
		return true;
	case MODRM_SIB:
		*va = vcpu->gpr[RSP];
		return insn.bytes[insn.len] == SIB_RSP;
	}
	return false;
}

/*
 * Waits for the guest's next LIDT, and changes the block that holds its operand
 * before the guest executes it.
 */
static void change_lidt(struct lie *lie, struct vcpu *vcpu)
{
	u64 va;

	if (is_lidt(vcpu, &va)) {
		change_block(ALIGN_DOWN(va, BLOCK_SIZE), lie->attack->arg, lie->n);
	} else {
		lie->done = false;
		lie->left = 1;
	}
}

static void change_numbered(struct lie *lie, struct vcpu *vcpu)
{
	(void)vcpu;
	change_block(block_address(lie->n / CHANGES), lie->n % CHANGES, lie->n);
}

const struct attack memory_block_attack = {
	.name = "block", .memory = true, .fire = change_numbered, .trigger = FROM_START,
};

#define STATUS_STEPS		4000	/* instructions that these attacks may count */
#define STATUS_REQUESTS		400	/* requests by the GHCB page, with a console */
/* The highest number of VMGEXITs before the proof of the C-bit. */
#define LIDT_EXITS		12

const struct attack memory_attacks[] = {
	{ "status-old", STATUS_STEPS, CHANGE_LAUNCH,
	  "the stub's copy of SEV_STATUS is as at launch, from N instructions on",
	  .memory = true, .fire = change_status, .trigger = FROM_START },
	{ "status-old-exit", 64, CHANGE_LAUNCH,
	  "the stub's copy of SEV_STATUS is as at launch, from VMGEXIT N on",
	  .memory = true, .each = true, .fire = change_status, .trigger = FROM_VMGEXIT },
	{ "status-old-late", STATUS_STEPS, CHANGE_LAUNCH,
	  "the same, from N instructions behind the C-bit's proof on",
	  .memory = true, .fire = change_status, .trigger = FROM_PROOF },
	{ "status-old-ud", STATUS_REQUESTS, CHANGE_LAUNCH,
	  "the same, from request N by the GHCB page on, and #UD is injected",
	  .memory = true, .each = true, .fire = change_status_and_raise,
	  .trigger = FROM_REQUEST },
	{ "status-old-asked", STATUS_REQUESTS, CHANGE_LAUNCH,
	  "the same without #UD",
	  .memory = true, .each = true, .fire = change_status, .trigger = FROM_REQUEST },
	{ "status-garbled", STATUS_STEPS, CHANGE_GARBLE,
	  "the stub's copy of SEV_STATUS is garbled, N instructions into the stage",
	  .memory = true, .fire = change_status, .trigger = FROM_START },
	{ "status-garbled-late", STATUS_STEPS, CHANGE_GARBLE,
	  "the same, N instructions behind the C-bit's proof",
	  .memory = true, .fire = change_status, .trigger = FROM_PROOF },
	{ "lidt-old", LIDT_EXITS, CHANGE_LAUNCH,
	  "the operand of the first LIDT behind VMGEXIT N is as at launch",
	  .memory = true, .each = true, .fire = change_lidt, .trigger = FROM_VMGEXIT },
	{ "lidt-garbled", LIDT_EXITS, CHANGE_GARBLE,
	  "the operand of the first LIDT behind VMGEXIT N is garbled",
	  .memory = true, .each = true, .fire = change_lidt, .trigger = FROM_VMGEXIT },
};
const unsigned int memory_count = ARRAY_SIZE(memory_attacks);
