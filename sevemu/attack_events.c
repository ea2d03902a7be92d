/* SPDX-License-Identifier: MIT */
/*
 * attack_events.c - the attacks in which the host injects #VC with any exit
 * code, an NMI, an interrupt or an exception at a chosen guest instruction; and
 * the attack in which the GHCB page changes each time the guest reads it.
 *
 * The run loop calls this file before each VMRUN and after each exit of a run
 * under attack.
 *
 * Guest instructions are counted by single steps (RFLAGS.TF).  The guest does
 * not see TF, because events_exit() clears it at each exit, before RFLAGS can
 * be pushed.  A REP string instruction counts once and not once for each
 * repetition, by a breakpoint (DR1) on the instruction after it.
 */
#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "exception.h"
#include "exits.h"
#include "ghcb.h"
#include "hooks.h"
#include "insn.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "snapshot.h"
#include "watch.h"

/*
 * Opcodes of the string instructions whose repetitions are counted as one
 * instruction: MOVS is 0xa4 and 0xa5, STOS is 0xaa and 0xab, INS and OUTS are
 * 0x6c to 0x6f.
 */
#define STRING_MOVS		0xa4
#define STRING_STOS		0xaa
#define STRING_INS		0x6c
/* Opcode 0F C7 has several instructions.  The stub uses it for RDRAND only. */
#define OPCODE_0F_GROUP9	0xc7

/*
 * An attack injects an event after N guest instructions.  N is below STEPS if
 * the instructions are counted from the start of the run or from the point where
 * the stub has proven the C-bit's position.  N is below HANDLER_STEPS if they are
 * counted from another event, such as a #VC.
 */
#define STEPS			3000
#define HANDLER_STEPS		400
/*
 * The stub executes RDRAND within its first RANDOM_STEPS instructions, for the
 * random number by which it proves the C-bit's position.  An attack on RDRAND
 * single-steps only these instructions to find the RDRAND.
 */
#define RANDOM_STEPS		150000
/* Elements of mapped[].  They suffice for a payload of some 60 MiB. */
#define MAPPED_MAX		0x4000

/* The stub's stack has room for the frames of this many nested NMIs. */
#define STORM			64
/* The frames of this many nested NMIs overrun a 16 KiB stack and its guard page. */
#define OVERRUN			440
/* The frames of this many nested NMIs overrun any stack. */
#define FLOOD			2000

/*
 * The attack cbit-pile injects NMIs and then one exception.  lie.seen has the
 * value PILE_DONE once the exception is due.
 */
#define PILE_DONE		~0ull

/* The guest's RFLAGS.TF is set, because this file single-steps the guest. */
static bool stepping;
/*
 * The address of the breakpoint that this file has set in DR1, after a REP
 * string instruction that is not to be single-stepped; 0: no breakpoint.
 */
static u64 skip_to;
/*
 * The attack mmio-private has unmapped all private memory of the guest, so that
 * the guest's next access to it causes a nested page fault.
 */
static bool hidden_private;

/* @unmap: events_unmap() was called.  @unmapped: unmap_frames() has unmapped the frames. */
static bool unmap, unmapped;
/*
 * Private frames that map_frame() has mapped since the snapshot, because the guest has
 * accessed them.
 * events_start() unmaps them again, because the next run starts from the snapshot.
 */
static u64 mapped[MAPPED_MAX];
static unsigned int mapped_count;

/* The GHCB page whose contents the attack page-rewrite changes at each read. */
static struct {
	/* The guest-physical address of the GHCB page; 0: no page to change. */
	u64 gpa;
	/*
	 * true: the nested page tables map the GHCB page, for the one instruction that has just
	 * caused a nested page fault by reading it.  false: they do not, so that each read faults.
	 */
	bool shown;
	struct lie *lie;
} page;

/* ---- Functions for attack.fire, which inject an attack's event into the guest. */

static void inject_vc(struct lie *lie, struct vcpu *vcpu)
{
	guest_raise(vcpu, X86_VC, lie->attack->arg);
}

/*
 * Injects #VC with an exit code that no instruction of an SEV-ES guest can
 * cause.  The guest must refuse to handle it.
 */
static void inject_unknown(struct lie *lie, struct vcpu *vcpu)
{
	static const u32 codes[] = {
		0x00, 0x40, 0x4e, 0x60, 0x61, 0x7f, 0x80, 0x88, 0xa3, 0x401,
		0x402, 0x403, 0x404, 0x80000001, 0x80000003, 0xffffffff,
	};

	guest_raise(vcpu, X86_VC, codes[attack_mix(lie->n) % ARRAY_SIZE(codes)]);
}

static void inject_nmi(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	vcpu->nmi_masked = true;
	guest_raise(vcpu, X86_NMI, 0);
}

/*
 * Injects one NMI at each of several instructions in a row, attack->arg of
 * them, even while the guest handles an NMI.  The NMIs nest on the guest's
 * stack.
 */
static void inject_storm(struct lie *lie, struct vcpu *vcpu)
{
	if (lie->seen++ < lie->attack->arg) {
		lie->done = false;
		lie->left = 1;
	}
	inject_nmi(lie, vcpu);
}

bool events_flooded(void)
{
	struct lie *lie;

	for (lie = lies; lie < lies + lie_count; lie++)
		if (lie->attack->fire == inject_storm && lie->seen > STORM)
			return true;
	return false;
}

void events_pile(struct lie *lie, struct vcpu *vcpu)
{
	if (lie->seen == PILE_DONE) {
		guest_raise(vcpu, X86_UD, 0);
	} else if (lie->seen++ < lie->n) {
		lie->done = false;
		lie->left = 1;
		inject_nmi(lie, vcpu);
	}
}

static void inject_interrupt(struct lie *lie, struct vcpu *vcpu)
{
	static const u8 vectors[] = { 0x20, 0x30, 0x80, 0xef, 0xff };

	guest_raise(vcpu, vectors[attack_mix(lie->n) % ARRAY_SIZE(vectors)], 0);
}

static void inject_exception(struct lie *lie, struct vcpu *vcpu)
{
	u64 choice = attack_mix(lie->n);

	guest_raise(vcpu, choice % X86_EXCEPTIONS, choice >> 32 & 0x1f);
}

/* Injects an exception whose handler expects an error code, and pushes no error code. */
static void inject_bare(struct lie *lie, struct vcpu *vcpu)
{
	static const u8 vectors[] = { X86_DF, X86_PF, X86_VC };

	guest_raise_bare(vcpu, vectors[attack_mix(lie->n) % ARRAY_SIZE(vectors)]);
}

static void hide_private(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	(void)vcpu;
	hidden_private = true;
	npt_hide_all(true);
}

/* ---- Counting instructions. */

/*
 * Starts to count guest instructions up to the one at which the attack @lie
 * injects its event.
 */
static void begin(struct lie *lie)
{
	lie->counting = true;
	/*
	 * The N of cbit-pile is a number of NMIs, and the N of an attack with
	 * @each is a number of occurrences of its trigger.  Neither N is a
	 * number of instructions.
	 */
	lie->left = lie->attack->fire == events_pile || lie->attack->each ? 0 : lie->n;
}

void events_trigger(enum trigger trigger)
{
	struct lie *lie;

	for (lie = lies; attack_on && lie < lies + lie_count; lie++)
		if (lie->attack->fire && lie->attack->trigger == trigger &&
		    !lie->counting && (!lie->done || trigger == FROM_RANDOM) &&
		    (!lie->attack->each || occasion(lie, lie->n)))
			begin(lie);
}

/*
 * Returns the mask of the address bit that the nested page tables ignore in
 * this run, because an attack tells the guest that this bit is the C-bit.
 * Returns 0 if the run has no attack of this kind.
 */
static u64 alias_bit(void)
{
	struct lie *lie;

	for (lie = lies; attack_on && lie < lies + lie_count; lie++)
		if (lie->attack->alias)
			return 1ull << (lie->attack->arg ? lie->attack->arg : lie->n);
	return 0;
}

/*
 * Called when the guest loads page tables with a C-bit, by a write of CR3 or of
 * CR0.PG.  From the guest's write of CR4 on, the attack cbit-pile has injected
 * NMIs.  Stops these NMIs, and lets the next VMRUN inject #UD, whose frame the
 * processor pushes by the new page tables.
 */
static void end_pile(void)
{
	struct lie *lie;

	for (lie = lies; attack_on && lie < lies + lie_count; lie++) {
		if (lie->attack->fire != events_pile || lie->seen == PILE_DONE)
			continue;
		lie->seen = PILE_DONE;
		lie->counting = true;
		lie->left = 0;
	}
}

/*
 * Runs the attack proof-replaced if its N is @form.  The stub proves the
 * position of the C-bit by a random number that it holds in registers (@word)
 * and in memory.  The host flips the bits of @change in memory, so that the
 * stub must terminate.
 */
static void replace_proof(u64 form, u64 word, u64 change)
{
	struct lie *lie;

	attack_begins();
	for (lie = lies; attack_on && lie < lies + lie_count; lie++)
		if (lie->attack->replace && lie->n == form)
			snapshot_replace(word, change);
	attack_ends();
}

/*
 * Returns whether @word, from registers of the guest, can be the random number
 * of the stub's C-bit proof.  At a write to CR3 or CR0 without a proof the
 * registers hold a small number or 0.
 */
static bool is_proof(u64 word)
{
	return (u32)word && word >> 32;
}

/*
 * Runs the attacks on the stub's C-bit proof in 64-bit code.  When this code loads
 * CR3 with page tables that have the C-bit set, RDX holds the random number of
 * the proof, so the attacks take the number from RDX.
 */
void events_cr3(const struct vcpu *vcpu, u64 new)
{
	u64 word = vcpu->gpr[RDX];

	memory_proof(word, new + 1);
	if (!is_proof(word))
		return;
	replace_proof(0, word, ~0ull);
	watch_switch(vcpu);
	end_pile();
}

/*
 * Runs the attacks on the stub's C-bit proof in 32-bit code.  When this code turns
 * paging on, EBX and EDI hold the halves of the proof's random number, and the
 * stub then compares them with memory.  The attack proof-replaced changes the low
 * half in memory if its N is 1, and the high half if N is 2.
 */
void events_paging(const struct vcpu *vcpu)
{
	u64 word = (u32)vcpu->gpr[RBX] | vcpu->gpr[RDI] << 32;

	memory_proof(word, 0);
	if (!is_proof(word))
		return;
	replace_proof(1, word, 0xffffffff);
	replace_proof(2, word, 0xffffffff00000000);
	watch_switch(vcpu);
	end_pile();
}

void events_begin(u64 left)
{
	struct lie *lie;

	for (lie = lies; lie < lies + lie_count; lie++) {
		if (!lie->attack->fire || lie->attack->each)
			continue;
		lie->counting = true;
		lie->left = left;
	}
}

void events_unmap(void)
{
	unmap = true;
}

void events_keep(void)
{
	mapped_count = 0;
}

/* Unmaps all private frames except those that were mapped when the snapshot was taken. */
static void unmap_frames(void)
{
	unsigned int i;

	if (!unmap)
		return;
	if (!unmapped)
		npt_hide_all(true);
	unmapped = true;
	for (i = 0; i < mapped_count; i++)
		npt_hide(VIEW_PRIVATE, mapped[i]);
	mapped_count = 0;
}

/*
 * Maps the private frame of @gpa, which the guest has accessed, if unmap_frames() has
 * unmapped it.  Otherwise returns false.  @info is the error code of the nested page fault.
 */
static bool map_frame(u64 gpa, u64 info)
{
	if (!unmapped || info & PF_P || npt_frame_state(gpa) == HOOK_FRAME_SHARED)
		return false;
	if (mapped_count == MAPPED_MAX)
		end_run(END_ERROR, "a run accesses more than %u frames, the limit of a "
			"window -faults: use a smaller payload", MAPPED_MAX);
	mapped[mapped_count++] = ALIGN_DOWN(gpa, PAGE_SIZE);
	npt_show(VIEW_PRIVATE, gpa);
	events_trigger(FROM_FAULT);
	return true;
}

void events_start(struct vcpu *vcpu)
{
	unmap_frames();
	npt_alias(alias_bit());
	if (hidden_private)
		npt_hide_all(false);
	hidden_private = false;
	stepping = false;
	skip_to = 0;
	write_dr1(breakpoint(0));
	page.gpa = 0;
	events_trigger(FROM_START);
	exits_init(vcpu);
}

/*
 * Returns whether the guest must exit after its next instruction: an attack
 * counts instructions, the instruction may be an RDRAND that must fail, or the
 * GHCB page must be unmapped again after it.
 */
static bool must_step(void)
{
	struct lie *lie;

	if (page.gpa && page.shown)
		return true;
	for (lie = lies; lie < lies + lie_count; lie++)
		if (lie->counting ||
		    (lie->attack->no_random && !lie->n && lie->seen++ < RANDOM_STEPS))
			return true;
	return false;
}

/*
 * If the guest's next instruction is RDRAND and an attack makes RDRAND fail,
 * skips the instruction and clears CF, which says that no random number was
 * available (APM3 RDRAND).
 */
static void skip_rdrand(struct vcpu *vcpu)
{
	struct lie *lie;
	struct insn insn;

	for (lie = lies; lie < lies + lie_count; lie++) {
		if (!lie->attack->no_random || lie->n)
			continue;
		insn_decode(vcpu, &insn);
		if (insn.opcode[0] != OPCODE_0F || insn.opcode[1] != OPCODE_0F_GROUP9)
			continue;
		/*
		 * Add 1 for RDRAND's ModRM byte, which insn_decode() does not
		 * count.
		 */
		vcpu->vmcb->rip += insn.len + 1;
		vcpu->vmcb->rflags &= ~(u64)RFLAGS_CF;
	}
}

bool events_no_random(void)
{
	struct lie *lie;

	for (lie = lies; attack_on && lie < lies + lie_count; lie++)
		if (lie->attack->no_random)
			return true;
	return false;
}

/*
 * Returns the address of the instruction that follows a REP string instruction
 * at the guest's RIP.  Returns 0 if another instruction is at RIP.
 */
static u64 behind_string(struct vcpu *vcpu)
{
	struct insn insn;
	u8 op;

	insn_decode(vcpu, &insn);
	op = insn.opcode[0];
	if (!insn.rep || ((op & ~1) != STRING_MOVS && (op & ~1) != STRING_STOS &&
			  (op & ~3) != STRING_INS))
		return 0;
	return vcpu->vmcb->rip + insn.len;
}

void events_enter(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct lie *lie;

	for (lie = lies; attack_on && lie < lies + lie_count; lie++) {
		if (!lie->counting || lie->left)
			continue;
		lie->counting = false;
		lie->done = true;
		attack_begins();
		lie->attack->fire(lie, vcpu);
		attack_ends();
		lie->counting = !lie->done;
	}
	if (!attack_on || !must_step())
		return;
	skip_rdrand(vcpu);
	skip_to = behind_string(vcpu);
	if (skip_to) {
		write_dr1(skip_to);
	} else {
		stepping = true;
		v->rflags |= RFLAGS_TF;
	}
	exits_init(vcpu);
}

void events_exit(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct lie *lie;

	if (!stepping && !skip_to)
		return;
	if (stepping)
		v->rflags &= ~(u64)RFLAGS_TF;
	/*
	 * After a nested page fault the guest's instruction is not counted,
	 * because it has not completed and will run again.
	 */
	if (v->exit_code != SVM_EXIT_NPF)
		for (lie = lies; lie < lies + lie_count; lie++)
			if (lie->counting && lie->left)
				lie->left--;
	if (v->exit_code != SVM_EXIT_NPF)
		memory_step(vcpu);
	if (page.gpa && page.shown && v->exit_code != SVM_EXIT_NPF) {
		page.shown = false;
		npt_hide(VIEW_SHARED, page.gpa);
	}
}

bool events_db(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	bool ours = (stepping && v->dr6 & DR6_BS) || (skip_to && v->rip == skip_to);

	v->dr6 = DR6_INIT;
	stepping = false;
	skip_to = 0;
	write_dr1(breakpoint(0));
	return ours;
}

/* ---- The attack page-rewrite: the GHCB page changes each time it is read. */

/*
 * Overwrites part of the host's reply in @ghcb.  lie->n % 4 selects which
 * fields.  The values differ at each call, so that two reads by the guest
 * disagree.
 */
static void rewrite(struct lie *lie, struct ghcb *ghcb)
{
	u64 state = attack_mix(lie->n << 32 | lie->seen++);

	switch (lie->n % 4) {
	case 0:
		ghcb->rax = state;
		ghcb->rbx = ~state;
		ghcb->rcx = state << 1;
		ghcb->rdx = ~state << 1;
		break;
	case 1:
		memset(ghcb->valid_bitmap, state & 1 ? 0xff : 0,
		       sizeof(ghcb->valid_bitmap));
		break;
	case 2:
		ghcb->sw_exit_info_1 = state % 3;
		ghcb->sw_exit_info_2 = EVENT_VALID | EVENT_TYPE_EXCEPTION |
				       (state >> 8 & 0xff);
		break;
	default:
		attack_noise(ghcb, sizeof(*ghcb), state);
	}
}

/*
 * Prepares the attack page-rewrite for the reply that the host has just written to
 * the GHCB page at @gpa.  With number N the attack leaves the host's first N / 4
 * replies alone.  It changes all later replies whenever the guest reads the page;
 * N % 4 selects the fields.
 */
void events_replied(u64 gpa)
{
	struct lie *lie;

	page.gpa = 0;
	for (lie = lies; attack_on && lie < lies + lie_count; lie++) {
		if (!lie->attack->rewrite || lie->left++ < lie->n / 4)
			continue;
		page.gpa = gpa;
		page.shown = false;
		page.lie = lie;
		npt_hide(VIEW_SHARED, gpa);
	}
}

bool events_fault(struct vcpu *vcpu, enum view view, u64 gpa, u64 info)
{
	if (view == VIEW_SHARED && page.gpa && ALIGN_DOWN(gpa, PAGE_SIZE) == page.gpa) {
		npt_show(view, page.gpa);
		/*
		 * A guest that writes to its GHCB page prepares the next
		 * request.  It reads no more of the reply, so page-rewrite
		 * leaves the page alone.
		 */
		if (info & PF_W || !attack_on) {
			page.gpa = 0;
		} else {
			attack_begins();
			rewrite(page.lie, (struct ghcb *)npt_frame(page.gpa, view));
			attack_ends();
			page.shown = true;
		}
		return true;
	}
	if (view == VIEW_PRIVATE && map_frame(gpa, info))
		return true;
	if (view != VIEW_PRIVATE || !hidden_private)
		return false;
	if (info & (PF_ID | NPF_WALK)) {
		npt_show(view, gpa);
		return true;
	}
	hidden_private = false;
	npt_hide_all(false);
	if (attack_on)
		vc_raise(vcpu, SVM_EXIT_NPF);
	return true;
}

/*
 * Defines five attacks that inject the same event, by calling @function.  They
 * differ in where the count of N instructions starts.  For example "nmi:5"
 * injects an NMI at instruction 5 of the run and "nmi-in-vc:5" at instruction 5
 * of a #VC handler.  @function finds @arg in attack->arg.
 */
#define AT(name, arg, function) \
	{ name, STEPS, arg, name ", N instructions into the stage", \
	  .fire = function, .trigger = FROM_START }, \
	{ name "-in-vc", HANDLER_STEPS, arg, name ", N instructions into a #VC handler", \
	  .fire = function, .trigger = FROM_VC }, \
	{ name "-busy", HANDLER_STEPS, arg, name ", N instructions after a VMGEXIT", \
	  .fire = function, .trigger = FROM_VMGEXIT }, \
	{ name "-late", STEPS, arg, name ", N instructions after the C-bit's proof", \
	  .fire = function, .trigger = FROM_PROOF }, \
	{ name "-end", HANDLER_STEPS, arg, name ", N instructions after the GHCB is private", \
	  .fire = function, .trigger = FROM_UNSHARED }

const struct attack event_attacks[] = {
	AT("vc-dr7-read", SVM_EXIT_READ_DR7, inject_vc),
	AT("vc-dr7-write", SVM_EXIT_WRITE_DR7, inject_vc),
	AT("vc-db", SVM_EXIT_EXCP_DB, inject_vc),
	AT("vc-ac", SVM_EXIT_EXCP_AC, inject_vc),
	AT("vc-rdtsc", SVM_EXIT_RDTSC, inject_vc),
	AT("vc-rdpmc", SVM_EXIT_RDPMC, inject_vc),
	AT("vc-cpuid", SVM_EXIT_CPUID, inject_vc),
	AT("vc-invd", SVM_EXIT_INVD, inject_vc),
	AT("vc-ioio", SVM_EXIT_IOIO, inject_vc),
	AT("vc-msr", SVM_EXIT_MSR, inject_vc),
	AT("vc-vmmcall", SVM_EXIT_VMMCALL, inject_vc),
	AT("vc-rdtscp", SVM_EXIT_RDTSCP, inject_vc),
	AT("vc-wbinvd", SVM_EXIT_WBINVD, inject_vc),
	AT("vc-monitor", SVM_EXIT_MONITOR, inject_vc),
	AT("vc-mwait", SVM_EXIT_MWAIT, inject_vc),
	AT("vc-npf", SVM_EXIT_NPF, inject_vc),
	AT("vc-unknown", 0, inject_unknown),
	AT("nmi", 0, inject_nmi),
	AT("nmi-storm", STORM, inject_storm),
	AT("interrupt", 0, inject_interrupt),
	AT("exception", 0, inject_exception),
	AT("bare-exception", 0, inject_bare),
	AT("mmio-private", 0, hide_private),
};
const unsigned int event_count = ARRAY_SIZE(event_attacks);

const struct attack flood_attacks[] = {
	AT("nmi-flood", FLOOD, inject_storm),
	{ "nmi-overrun", STAGE_STEPS, OVERRUN,
	  "nested NMIs that overrun the stack before there is a guard page",
	  .fire = inject_storm, .trigger = FROM_START },
};
const unsigned int flood_count = ARRAY_SIZE(flood_attacks);

bool events_single(const struct attack *attack)
{
	return attack->fire == inject_vc || attack->fire == inject_unknown ||
	       attack->fire == inject_nmi || attack->fire == inject_interrupt ||
	       attack->fire == inject_exception || attack->fire == inject_bare;
}
