/* SPDX-License-Identifier: MIT */
/*
 * attack_memory.c - attacks that change the guest's private memory.
 *
 * In an SEV-ES guest the host cannot read private memory, and cannot write chosen
 * bytes to it.  But it can put the ciphertext back that a 16-byte block had earlier,
 * and can garble a block by writing other ciphertext.  This file changes the plaintext
 * instead, to what the guest would read after such a write.  In an SEV-SNP guest the RMP
 * refuses the host's write to every page that is assigned to the guest.
 *
 * The attacks run at the Nth instruction after a trigger, as those of attack_events.c do.
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
#include "rmp.h"
#include "sevemu.h"
#include "snapshot.h"
#include "svm.h"
#include "watch_kaslr.h"

#define RANGES_MAX		20
#define STATUS_PLACES		2

/*
 * The fields mod and r/m of a ModRM byte, and three values of them (APM3 1.4).  The memory
 * operand is at a 32-bit displacement, at RBP plus a 32-bit displacement, or described by a
 * SIB byte.  SIB_RSP is the SIB byte of an operand at RSP.
 */
#define MODRM_MOD_RM		0xc7
#define MODRM_DISP32		0x05
#define MODRM_RBP_DISP32	0x85
#define MODRM_SIB		0x04
#define SIB_RSP			0x24
#define GROUP7_LIDT		3

/*
 * forge_lidt() acts as soon as an LIDT begins in the LIDT_AHEAD bytes of code from RIP on.  The
 * code by which the stub writes the LIDT's operand is right before the LIDT, and is shorter.
 * So forge_lidt() acts before the stub writes the operand.
 */
#define LIDT_AHEAD		48

#define CPUID_FEATURES		1
#define CPUID_EXT_MAX		0x80000000
#define CPUID_ECX_RDRAND	(1u << 30)
/*
 * The ECX of the CPUID by which the stub rules out SEV.  The stub's #VC handler recognises this
 * CPUID by the number, and terminates the guest, because only an SEV-ES guest gets #VC.
 */
#define CPUID_SUBLEAF_NO_SEV	0x20564553

/* Bytes of stack for an exception's frame and the registers that the stub's handler saves. */
#define FRAME_SIZE		0xb0
/*
 * Bytes of stack for the frame of a #VC, rounded up to blocks of 16 bytes: six quadwords that
 * the processor pushes, and the vector, which the first instruction of the stub's handler pushes.
 */
#define VC_FRAME_SIZE	0x40
/* Offset of the block with the saved RAX and the vector in the FRAME_SIZE bytes of stack. */
#define FRAME_RAX		0x70
/*
 * inject_frame() changes the saved RAX this many instructions after its NMI.  The NMI's
 * handler has then saved the registers and looked at the vector, and has not restored the
 * registers yet.
 */
#define FRAME_STEPS		36

/* The attack mask-pulse undoes its change after this many instructions. */
#define PULSE_STEPS		40
/* forget_decision() changes at most this many 16-byte blocks of the guest's memory. */
#define PULSED_MAX		8

/*
 * The attack load-denied gives up after this many instructions.  The stub needs fewer to build
 * its page tables and to load them.
 */
#define LOAD_STEPS		100000

/* The attack seed-old changes memory at each of the first SEED_STEPS instructions after RDRAND. */
#define SEED_STEPS		32

/* memory_step() calls memory_note() at every NOTE_STEPS-th instruction. */
#define NOTE_STEPS		32

/* --memory: addresses in the stub. */
static u64 status[STATUS_PLACES];
static struct {
	u64 start, end;		/* multiples of BLOCK_SIZE */
	enum memory_kind kind;
} ranges[RANGES_MAX];
static unsigned int range_count;

static bool served;		/* see memory_proof() */
static bool raised;		/* deny_status() has injected #VC in this run */
static u64 nmi_frame;		/* lowest address of the frame of inject_frame()'s NMI */
/* Blocks that forget_decision() has changed, with their contents before the change. */
static struct {
	u64 gpa;
	u8 bytes[BLOCK_SIZE];
} pulsed[PULSED_MAX];
static unsigned int pulsed_count;
/* pulse_mask() has acted in this run: memory_proof() then takes any number as predicted. */
static bool serves;

/* The earlier contents of a block, which memory_note() keeps. */
struct history {
	u8 contents[HISTORY][BLOCK_SIZE];
	u8 count;		/* used elements of contents[] */
	/* The element of contents[] that is replaced next, once @count is HISTORY. */
	u8 next;
	bool played;		/* memory_choose() has returned a change of the block */
};
/* An element for each 16-byte block of memory of @kept_kind; NULL: memory_keep() was not called. */
static struct history *histories;
static enum memory_kind kept_kind;
static u64 steps;		/* instructions counted so far */
/* Whether the stub had not moved yet, and ran where it was loaded, at the last memory_note(). */
static bool before_move;

/*
 * Returns the number at *@s, which ends at the first character that is @end, ',' or NUL.  Moves
 * *@s after this character, but not after NUL.
 */
static u64 next_number(char **s, char end)
{
	char *start = *s;

	for (; **s && **s != end && **s != ','; ++*s)
		;
	if (**s)
		*(*s)++ = '\0';
	return parse_number(start);
}

/*
 * Adds the ranges at *@s, which end at the next comma, to ranges[], with @kind.  Moves *@s
 * after the comma.
 */
static void next_ranges(char **s, enum memory_kind kind)
{
	char *text = *s;

	for (; **s && **s != ','; ++*s)
		;
	if (**s)
		*(*s)++ = '\0';
	if (!strcmp(text, "-"))
		return;
	for (; *text; range_count++) {
		if (range_count == RANGES_MAX)
			end_run(END_ERROR, "--memory has more than %u ranges", RANGES_MAX);
		ranges[range_count].start = next_number(&text, '-');
		ranges[range_count].end = next_number(&text, '+');
		ranges[range_count].kind = kind;
	}
}

void memory_option(char *value)
{
	enum memory_kind kind;

	status[0] = next_number(&value, '+');
	status[1] = next_number(&value, '+');
	for (kind = 0; kind < MEMORY_KINDS; kind++)
		next_ranges(&value, kind);
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

/* Returns whether this run has an attack that changes private memory. */
static bool changes_memory(void)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++)
		if (lies[i].attack->memory)
			return true;
	return false;
}

bool attack_by_memory(void)
{
	return !guest_is_snp() && changes_memory();
}

bool memory_waives(enum waiver waiver)
{
	static const u8 waived[MEMORY_KINDS] = {
		[MEMORY_STACKS] = 1 << WAIVE_PAYLOAD | 1 << WAIVE_GHCB | 1 << WAIVE_PLACE,
		[MEMORY_TABLES] = 1 << WAIVE_GHCB,
		[MEMORY_CODE] = 1 << WAIVE_PAYLOAD | 1 << WAIVE_GHCB | 1 << WAIVE_MAP |
				1 << WAIVE_REQUEST | 1 << WAIVE_PLACE,
		[MEMORY_OUTPUT] = 1 << WAIVE_PAYLOAD,
	};
	enum memory_kind kind;

	for (kind = 0; kind < MEMORY_KINDS && attack_by_memory(); kind++)
		if (lie_count && lies[0].attack == &memory_block_attacks[kind])
			return waived[kind] >> waiver & 1;
	return false;
}

unsigned int memory_blocks(enum memory_kind kind)
{
	unsigned int i, blocks = 0;

	for (i = 0; i < range_count; i++)
		if (ranges[i].kind == kind)
			blocks += (ranges[i].end - ranges[i].start) / BLOCK_SIZE;
	return blocks;
}

/*
 * Returns whether the stub moves range @number of ranges[] together with its image.
 * Page tables do not move, because the stub builds them where the image moves to.  The
 * image begins with the first range of MEMORY_CODE; ranges below it do not move.
 */
static bool moves(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < range_count && ranges[i].kind != MEMORY_CODE; i++)
		;
	return ranges[number].kind != MEMORY_TABLES && i < range_count &&
	       ranges[number].start >= ranges[i].start;
}

u64 memory_block_address(enum memory_kind kind, u64 number)
{
	unsigned int i;

	for (i = 0; ; i++) {
		u64 blocks = (ranges[i].end - ranges[i].start) / BLOCK_SIZE;

		if (ranges[i].kind != kind)
			continue;
		if (number < blocks)
			return ranges[i].start + number * BLOCK_SIZE -
			       (moves(i) && before_move ? status[1] - status[0] : 0);
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

static bool is_code(u64 rip)
{
	unsigned int i;

	for (i = 0; i < range_count; i++)
		if (ranges[i].kind == MEMORY_CODE && rip >= ranges[i].start &&
		    rip < ranges[i].end)
			return true;
	return false;
}

/*
 * Returns whether the guest's RIP is in the image where the loader put it, and the
 * stub moves the image.
 */
static bool not_moved(const struct vcpu *vcpu)
{
	return status[1] != status[0] && is_code(vcpu->vmcb->rip + (status[1] - status[0]));
}

bool memory_displaced(const struct vcpu *vcpu, u64 distance)
{
	return memory_waives(WAIVE_PLACE) && is_code(vcpu->vmcb->rip - distance);
}

void memory_keep(enum memory_kind kind)
{
	kept_kind = kind;
	histories = npt_alloc(ALIGN_UP(memory_blocks(kind) * sizeof(*histories), PAGE_SIZE) /
			      PAGE_SIZE);
}

static bool equal(const u8 *a, const u8 *b)
{
	unsigned int i;

	for (i = 0; i < BLOCK_SIZE && a[i] == b[i]; i++)
		;
	return i == BLOCK_SIZE;
}

/* Adds @block to @h unless @h has it.  If @h is full, replaces the oldest contents. */
static void remember(struct history *h, const u8 *block)
{
	unsigned int i;

	for (i = 0; i < h->count; i++)
		if (equal(h->contents[i], block))
			return;
	if (h->count < HISTORY)
		h->next = h->count++;
	memcpy(h->contents[h->next], block, BLOCK_SIZE);
	h->next = (h->next + 1) % HISTORY;
}

void memory_note(const struct vcpu *vcpu)
{
	unsigned int blocks = memory_blocks(kept_kind), i, number = 0;
	bool was_before_move = before_move;
	u64 gpa;

	if (!histories || (lie_count && changes_memory()))
		return;
	before_move = not_moved(vcpu);
	/* If the stub has moved, forget what the blocks held at their old addresses. */
	for (i = 0; i < blocks && before_move != was_before_move; i++)
		histories[i].count = 0;
	for (i = 0; i < range_count; i++) {
		if (ranges[i].kind != kept_kind)
			continue;
		for (gpa = ranges[i].start; gpa < ranges[i].end; gpa += BLOCK_SIZE, number++) {
			const u8 *block = private_block(memory_block_address(kept_kind, number));

			if (block)
				remember(&histories[number], block);
		}
	}
}

void memory_arrive(const struct vcpu *vcpu)
{
	if (not_moved(vcpu) != before_move)
		memory_note(vcpu);
}

void memory_step(const struct vcpu *vcpu)
{
	if (histories && !changes_memory() && steps++ % NOTE_STEPS == 0)
		memory_note(vcpu);
}

/*
 * Fills @to with the bytes that @change gives to the block at @gpa.  @h is what
 * memory_note() has kept of the block, or NULL.  @seed selects the bytes of
 * CHANGE_GARBLE.  Returns false if the block has these bytes already, if the contents
 * that @change puts back are not known, or if the frame is shared.
 */
static bool changed(u64 gpa, const struct history *h, enum change change, u64 seed, u8 *to)
{
	const u8 *now = private_block(gpa);

	if (!now)
		return false;
	if (change == CHANGE_GARBLE) {
		attack_noise(to, BLOCK_SIZE, seed);
	} else if (change == CHANGE_LAUNCH) {
		if (!snapshot_launch(gpa, to, BLOCK_SIZE))
			return false;
	} else {
		if (!h || change >= h->count)
			return false;
		memcpy(to, h->contents[change], BLOCK_SIZE);
	}
	return !equal(now, to);
}

static void change_block(u64 gpa, const struct history *h, enum change change, u64 seed)
{
	u8 bytes[BLOCK_SIZE];

	if (changed(gpa, h, change, seed, bytes) && rmp_host_writes(gpa))
		memcpy(npt_frame(gpa, VIEW_PRIVATE), bytes, BLOCK_SIZE);
}

u64 memory_choose(enum memory_kind kind, u64 block, u64 seed)
{
	u64 gpa = memory_block_address(kind, block), n;
	u8 bytes[BLOCK_SIZE];
	unsigned int i;

	for (i = 0; i < CHANGES; i++) {
		n = block * CHANGES + (seed + i) % CHANGES;
		if (n % CHANGES == CHANGE_GARBLE && kind != MEMORY_DECISIONS)
			continue;
		if (!changed(gpa, &histories[block], n % CHANGES, n, bytes))
			continue;
		histories[block].played = true;
		return n;
	}
	return MEMORY_NOTHING;
}

unsigned int memory_played(void)
{
	unsigned int i, blocks = memory_blocks(kept_kind), played = 0;

	for (i = 0; i < blocks; i++)
		played += histories[i].played;
	return played;
}

void memory_start(void)
{
	served = false;
	raised = false;
	pulsed_count = 0;
	serves = false;
}

void memory_proof(u64 word, u64 predicted)
{
	if (attack_on && attack_by_memory() && (serves || word == predicted))
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
			change_block(ALIGN_DOWN(status[i], BLOCK_SIZE), NULL,
				     lie->attack->arg, lie->n);
}

/*
 * Changes the stub's copy of SEV_STATUS as change_status() does, and injects #UD, which the stub
 * reports.  Only a report without SEV-ES may contain the values of registers.  The stub must print
 * none of them here, although the copy is wrong.
 */
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
 * Does nothing unless the guest is about to execute LIDT: one lies at RIP or less than @ahead
 * bytes after it. Then changes the 16-byte block that holds the LIDT's operand, as @lie says.
 */
static void change_operand(struct lie *lie, struct vcpu *vcpu, unsigned int ahead)
{
	u64 rip = vcpu->vmcb->rip, va;
	bool found = false;
	unsigned int i;

	for (i = 0; i < ahead && !found; i++) {
		vcpu->vmcb->rip = rip + i;
		found = is_lidt(vcpu, &va);
	}
	vcpu->vmcb->rip = rip;
	if (found) {
		change_block(ALIGN_DOWN(va, BLOCK_SIZE), NULL, lie->attack->arg, lie->n);
	} else {
		lie->done = false;
		lie->left = 1;
	}
}

/* Changes the operand of an LIDT when the guest executes it next. */
static void change_lidt(struct lie *lie, struct vcpu *vcpu)
{
	change_operand(lie, vcpu, 1);
}

/*
 * Garbles the operand of the guest's next LIDT before the guest writes the operand.  If the
 * guest then writes only the base, the limit stays garbled.
 */
static void forge_lidt(struct lie *lie, struct vcpu *vcpu)
{
	change_operand(lie, vcpu, LIDT_AHEAD);
}

/*
 * Looks for @word above the guest's stack pointer, where a handler has saved registers, and
 * puts the block that holds @word back to its contents at launch.  Returns false if it finds
 * no @word.
 */
static bool forget_saved(const struct vcpu *vcpu, u64 word)
{
	u64 at = ALIGN_DOWN(vcpu->vmcb->rsp, BLOCK_SIZE), end = at + FRAME_SIZE;

	for (; at < end; at += sizeof(word)) {
		const u8 *saved = npt_host(at);

		if (saved && !memcmp(saved, &word, sizeof(word))) {
			change_block(ALIGN_DOWN(at, BLOCK_SIZE), NULL, CHANGE_LAUNCH, 0);
			return true;
		}
	}
	return false;
}

/*
 * Makes the guest forget a decision that it keeps as the 64-bit value @word.  Puts each block of
 * MEMORY_DECISIONS that contains this value back to its contents at launch.  Saves the present
 * contents in pulsed[], so that pulse_mask() can undo the change.
 */
static void forget_decision(u64 word)
{
	unsigned int i, blocks = memory_blocks(MEMORY_DECISIONS);

	for (i = 0; i < blocks && pulsed_count < PULSED_MAX; i++) {
		u64 gpa = memory_block_address(MEMORY_DECISIONS, i);
		const u8 *block = private_block(gpa);

		if (block && (!memcmp(block, &word, sizeof(word)) ||
			      !memcmp(block + sizeof(word), &word, sizeof(word)))) {
			pulsed[pulsed_count].gpa = gpa;
			memcpy(pulsed[pulsed_count++].bytes, block, BLOCK_SIZE);
			change_block(gpa, NULL, CHANGE_LAUNCH, 0);
		}
	}
}

/*
 * Puts the 16-byte blocks that hold the C-bit's mask back to their contents at launch.  The next
 * call, PULSE_STEPS instructions later, undoes this change.
 */
static void pulse_mask(struct lie *lie, struct vcpu *vcpu)
{
	(void)vcpu;
	if (!pulsed_count) {
		forget_decision(cbit_mask());
		lie->done = !pulsed_count;
		serves = true;
		lie->left = PULSE_STEPS;
		return;
	}
	for (; pulsed_count; pulsed_count--)
		if (rmp_host_writes(pulsed[pulsed_count - 1].gpa))
			memcpy(npt_frame(pulsed[pulsed_count - 1].gpa, VIEW_PRIVATE),
			       pulsed[pulsed_count - 1].bytes, BLOCK_SIZE);
}

/*
 * Puts each 16-byte block of the stub's stack and of its variables that holds a random number
 * of KASLR back to its contents at launch.  Repeats this after each of SEED_STEPS
 * instructions, so that the stub never reads such a number back from memory.
 */
static void forget_random(struct lie *lie, struct vcpu *vcpu)
{
	unsigned int i;
	u64 number;

	for (i = 0; (number = kaslr_number(i)); i++) {
		pulsed_count = 0;
		forget_decision(number);
		forget_saved(vcpu, number);
	}
	if (++lie->seen % SEED_STEPS) {
		lie->done = false;
		lie->left = 1;
	}
}

/*
 * Injects an NMI, and puts the block in which the NMI's handler saves RAX back to its contents
 * at launch before the handler restores RAX.  The interrupted code may have an answer of the
 * processor in RAX, such as SEV_STATUS, which it then loses.
 */
static void inject_frame(struct lie *lie, struct vcpu *vcpu)
{
	if (lie->seen++) {
		change_block(nmi_frame + FRAME_RAX, NULL, CHANGE_LAUNCH, 0);
		return;
	}
	nmi_frame = ALIGN_DOWN(vcpu->vmcb->rsp, BLOCK_SIZE) - FRAME_SIZE;
	vcpu->nmi_masked = true;
	guest_raise(vcpu, X86_NMI, 0);
	lie->done = false;
	lie->left = FRAME_STEPS;
}

/*
 * Puts all blocks of a #VC's frame, which begins at the stack pointer, back to their contents
 * at launch.
 */
static void forget_frame(struct lie *lie, struct vcpu *vcpu)
{
	u64 at = ALIGN_DOWN(vcpu->vmcb->rsp, BLOCK_SIZE), end = at + VC_FRAME_SIZE;

	(void)lie;
	for (; at < end; at += BLOCK_SIZE)
		if (npt_host(at))
			change_block(at, NULL, CHANGE_LAUNCH, 0);
}

/*
 * Tries to make the stub build and load page tables without a C-bit.  Puts two blocks back to
 * their contents at launch.  The first holds the stub's copy of SEV_STATUS: with the old copy
 * the stub builds page tables as if this were no SEV guest.  Before it loads them it executes a
 * CPUID to find out whether this is an SEV guest after all, with a number in RCX by which its
 * #VC handler knows this CPUID.  The second block holds the RCX that the handler has saved.
 * With an old RCX the handler asks the host, and cpuid_denies_load() answers "no SEV".
 */
static void deny_load(struct lie *lie, struct vcpu *vcpu)
{
	if (!lie->seen++)
		change_status(lie, vcpu);
	if (lie->seen < LOAD_STEPS && !forget_saved(vcpu, CPUID_SUBLEAF_NO_SEV)) {
		lie->done = false;
		lie->left = 1;
	}
}

static void cpuid_denies_load(struct lie *lie, u32 function, struct cpuid_regs *r)
{
	if (lie->seen && function == CPUID_EXT_MAX)
		r->eax = CPUID_EXT_MAX;
	if (lie->seen && function == CPUID_FEATURES)
		r->ecx &= ~CPUID_ECX_RDRAND;
}

/*
 * Injects #VC at the guest's next RDMSR of SEV_STATUS, and puts the block in which the handler
 * saves RCX back to its contents at launch, so that the handler sees the number of another MSR.
 */
static void deny_status(struct lie *lie, struct vcpu *vcpu)
{
	struct insn insn;

	if (!raised) {
		insn_decode(vcpu, &insn);
		if (insn.opcode[0] == OPCODE_0F && insn.opcode[1] == OP2_RDMSR &&
		    (u32)vcpu->gpr[RCX] == MSR_SEV_STATUS) {
			guest_raise(vcpu, X86_VC, SVM_EXIT_MSR);
			raised = true;
		}
	} else if (forget_saved(vcpu, MSR_SEV_STATUS)) {
		return;
	}
	lie->done = false;
	lie->left = 1;
}

static void change_numbered(struct lie *lie, struct vcpu *vcpu)
{
	u64 block = lie->n / CHANGES;

	(void)vcpu;
	change_block(memory_block_address(lie->attack->arg, block), &histories[block],
		     lie->n % CHANGES, lie->n);
}

#define CHANGED(name, kind) \
	[kind] = { name, 0, kind, NULL, .memory = true, .fire = change_numbered, \
		   .trigger = FROM_START }

const struct attack memory_block_attacks[MEMORY_KINDS] = {
	CHANGED("block", MEMORY_DECISIONS),
	CHANGED("stack-block", MEMORY_STACKS),
	CHANGED("table-block", MEMORY_TABLES),
	CHANGED("code-block", MEMORY_CODE),
	CHANGED("output-block", MEMORY_OUTPUT),
};

/*
 * Limits of N in memory_attacks[].  N counts guest instructions, or requests by the GHCB page.
 * STATUS_REQUESTS is high, because a guest with a console makes many requests.
 */
#define STATUS_STEPS		4000	/* limit of instructions */
#define FRAME_WINDOW		5000	/* limit of instructions */
#define STATUS_REQUESTS		400	/* limit of requests */
/*
 * The limit of N in the attacks on LIDT, which act at the first LIDT after VMGEXIT N.  A silent
 * stub executes at most LIDT_EXITS VMGEXITs.  A stub that prints executes more.  Its next LIDT is
 * then so far away that campaign.c ends the single-stepped run before it, after EXITS_MAX exits.
 */
#define LIDT_EXITS		8

const struct attack memory_attacks[] = {
	{ "status-old", STATUS_STEPS, CHANGE_LAUNCH,
	  "the stub's copy of SEV_STATUS is as at launch, from N instructions on",
	  .memory = true, .fire = change_status, .trigger = FROM_START },
	{ "status-old-exit", 64, CHANGE_LAUNCH,
	  "the stub's copy of SEV_STATUS is as at launch, from VMGEXIT N on",
	  .memory = true, .each = true, .fire = change_status, .trigger = FROM_VMGEXIT },
	{ "status-old-late", STATUS_STEPS, CHANGE_LAUNCH,
	  "the same, from N instructions after the C-bit's proof on",
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
	  "the same, N instructions after the C-bit's proof",
	  .memory = true, .fire = change_status, .trigger = FROM_PROOF },
	{ "lidt-old", LIDT_EXITS, CHANGE_LAUNCH,
	  "the operand of the first LIDT after VMGEXIT N is as at launch",
	  .memory = true, .each = true, .fire = change_lidt, .trigger = FROM_VMGEXIT },
	{ "lidt-forged", LIDT_EXITS, CHANGE_GARBLE,
	  "the same operand is garbled before the guest writes it",
	  .memory = true, .each = true, .fire = forge_lidt, .trigger = FROM_VMGEXIT },
	{ "lidt-garbled", LIDT_EXITS, CHANGE_GARBLE,
	  "the operand of the first LIDT after VMGEXIT N is garbled",
	  .memory = true, .each = true, .fire = change_lidt, .trigger = FROM_VMGEXIT },
	{ "load-denied", 1, CHANGE_LAUNCH,
	  "two blocks are as at launch: the stub builds page tables without a C-bit, and finds no SEV at the proof",
	  .memory = true, .fire = deny_load, .cpuid = cpuid_denies_load, .trigger = FROM_NXE },
	{ "seed-old", 1, 0,
	  "KASLR's random numbers in memory are as at launch, in several boots",
	  .memory = true, .fire = forget_random, .trigger = FROM_RANDOM },
	{ "mask-pulse", FRAME_WINDOW, 0,
	  "the block with the C-bit's mask is as at launch for 40 instructions, from N after the write of EFER.NXE on",
	  .memory = true, .fire = pulse_mask, .trigger = FROM_NXE },
	{ "mask-pulse-late", FRAME_WINDOW, 0,
	  "the same, from N instructions after the C-bit's proof on",
	  .memory = true, .fire = pulse_mask, .trigger = FROM_PROOF },
	{ "nmi-frame", STAGE_STEPS, 0,
	  "nmi, N instructions into the stage; its handler's saved RAX is as at launch",
	  .memory = true, .fire = inject_frame, .trigger = FROM_START },
	{ "nmi-frame-late", FRAME_WINDOW, 0,
	  "the same, N instructions after the C-bit's proof",
	  .memory = true, .fire = inject_frame, .trigger = FROM_PROOF },
	{ "nmi-frame-asked", FRAME_WINDOW, 0,
	  "the same, N instructions after a request by the GHCB page",
	  .memory = true, .fire = inject_frame, .trigger = FROM_REQUEST },
	{ "vc-frame", FRAME_STEPS, 0,
	  "the frame of the first #VC is as at launch, N instructions into the handler",
	  .memory = true, .fire = forget_frame, .trigger = FROM_VC },
	{ "status-denied", STATUS_REQUESTS, 0,
	  "#VC at the first RDMSR of SEV_STATUS after request N by the GHCB page; saved RCX as at launch",
	  .memory = true, .each = true, .fire = deny_status, .trigger = FROM_REQUEST },
};
const unsigned int memory_count = ARRAY_SIZE(memory_attacks);
