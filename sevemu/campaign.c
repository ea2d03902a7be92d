/* SPDX-License-Identifier: MIT */
/*
 * campaign.c - a campaign: runs one guest many times from a snapshot, each time
 * with other attacks by the emulated host, and checks how each run ends.
 *
 * main.c starts it in place of its single run, if --attack or --hostile was
 * given.  In the first run the host is honest.  The stub must put the same
 * payload into memory in all other runs that enter the payload.  A run may end
 * in these ways:
 *
 * - The guest enters the payload, and the payload passes its own tests.
 * - The guest requests termination for a reason that names.c lists.
 * - A triple fault, or a state that sevemu cannot run, before the stub has
 *   proven the position of the C-bit.
 * - A triple fault after the stub has emptied the IDT for the payload, or while
 *   the host injects more nested NMIs than a stack can hold.
 * - A state that sevemu cannot run, because KASLR chose memory that is not RAM
 *   but that a lying loader's memory map calls RAM.
 * - In any way that tells the host no secret and shares no page, if the host
 *   changed private memory (attack_memory.c).
 * - A halt, in a guest without SEV-ES, which cannot request termination.
 *
 * An SNP guest may also request termination for one of Linux's reasons, and may have a
 * triple fault or meet a page that it cannot access if the host has taken a page.  It must
 * not go on after a PVALIDATE that has failed or set CF.  Its validated private memory must
 * stay as it is, whatever the host does (attack_begins(), snapshot_altered()).
 */
#include "attack.h"
#include "attack_events.h"
#include "attack_forge.h"
#include "attack_memory.h"
#include "attack_snp.h"
#include "campaign.h"
#include "ghcb.h"
#include "hooks.h"
#include "jobs.h"
#include "loader.h"
#include "log.h"
#include "main.h"
#include "names.h"
#include "ports.h"
#include "report.h"
#include "sevemu.h"
#include "snapshot.h"
#include "watch.h"
#include "watch_kaslr.h"

#define TERM_SETS		3
#define TERM_CODES		32
/* sevemu stops a run with more VMEXITs than this, because the guest hangs. */
#define EXITS_MAX		400000
/*
 * Time limit of a run in which the host changes private memory, in ticks of QEMU's local APIC.
 * A tick is 1 ns.
 */
#define ALARM_TICKS		2000000000
/* The first CPUID function in a boot for which the stub asks the hypervisor by the MSR protocol. */
#define CPUID_EXT_MAX		0x80000000
/*
 * The number of runs with an honest host if --chance was given.  Each one has
 * other random numbers, so KASLR relocates the payload by another distance.
 * Words of the payload that differ between these runs are not compared later.
 */
#define MOVES			8
/*
 * Under an attack on KASLR, the guest boots this many times before the boot that is judged.  If
 * the payload has the same virtual address in all four boots, the host can predict the address:
 * by chance this happens once in 10^8 times.
 */
#define FORESEEN		3
/*
 * For each moment of a window (jobs.h) play_blocks() runs the guest this many times.  In each run
 * it changes one block of memory at this moment, and another block in the next run.
 */
#define BLOCK_RUNS		16
/*
 * play_blocks() visits the blocks in steps of BLOCK_STEP, a prime, so that the steps reach every
 * block.  At moment N of a window it begins at another place of this order: it skips F * COUNT
 * of the COUNT blocks, where F is the fractional part of N * MOMENT_TURN / 2^64.
 *
 * A window leaves no block out if the places of its moments are at most BLOCK_RUNS blocks apart.
 * MOMENT_TURN was found by trying random numbers until this was true of two examples, in which
 * the windows begin at moment 0.  With 755 blocks, the places of 80 moments are at most 15 blocks
 * apart.  With 1,781 blocks, and if only every Sth moment is played, the places of 500 played
 * moments are at most 10 blocks apart, for each S that divides 120.
 */
#define MOMENT_TURN		0x47e2cc361b5bd043ull
#define BLOCK_STEP		7919

/* How a run of the guest under attack ended. */
enum outcome {
	/* The guest entered the payload, which then passed its own tests. */
	BOOTED,
	/*
	 * The guest reached the payload's entry.  The run ends there, because
	 * the payload cannot work with the wrong boot parameters of a lying
	 * loader.
	 */
	ENTERED,
	/* A guest without SEV-ES printed a message and halted. */
	HALTED,
	/* A triple fault before the stub has proven the C-bit's position. */
	TRIPLE_FAULT,
	/*
	 * Before the stub had proven the C-bit's position, the guest did
	 * something that sevemu does not model, such as executing memory that
	 * it had decrypted wrongly.
	 */
	HOST_STOP,
	/* A triple fault after the stub had loaded an empty IDT for the payload. */
	TRIPLE_FAULT_LATE,
	/* A triple fault because nested NMIs took more stack than the guest has. */
	TRIPLE_FAULT_FLOOD,
	/*
	 * The host changed private memory, and the guest broke the GHCB protocol or
	 * never ended.  Or the host took a page from an SNP guest that never ended.
	 */
	STUCK,
	/* The guest sent a GHCB termination request. */
	TERMINATED,
	NOT_ALLOWED, OUTCOMES,
};

static const char *const outcome_names[OUTCOMES] = {
	"booted", "entered", "halted", "triple-fault", "host-stop",
	"triple-fault-at-entry", "triple-fault-in-flood", "stuck", "terminated",
	"not-allowed",
};

/*
 * Numbers of runs of the guest, by how they ended.  terms[] counts the runs
 * that ended in a termination request, by reason set and reason code (GHCB
 * 2.3.1).
 */
struct figures {
	u64 runs, outcomes[OUTCOMES], terms[TERM_SETS][TERM_CODES];
};

/* The results of all runs of the guest, and of the runs with the present attack. */
static struct figures all, these;
/* __builtin_setjmp's buffer in play().  leave() jumps there to stop the guest. */
static void *back[5];
/* The guest is running.  False between two runs of the guest. */
static bool running;
/* The emulated host does not attack the guest in this run. */
static bool honest;
/* The number of the guest's exits in this run. */
static u64 exits;
static struct {
	enum end end;
	/* The run ended because the guest did something that sevemu does not model. */
	bool stopped;
	/* The guest has reached the payload's entry in this run. */
	bool entered;
	/* The guest has reached the moment up to which walk() lets it run. */
	bool arrived;
	/* The guest has executed a PVALIDATE that has set CF. */
	bool carried;
	/* The GHCB termination request that ended the run; 0: no request. */
	u64 term;
} run;
/*
 * Runs start from a snapshot that walk() took in the middle of the stub's code,
 * and not from the guest's start.
 */
static bool walked;
/* Name of an attack of --attack's list that has acted in none of its runs; NULL: none. */
static const char *never_told;

bool campaign_running(void)
{
	return running;
}

/*
 * Stops the guest, notes that its run ended as @end, and continues in play(),
 * after the __builtin_setjmp() there.
 */
__attribute__((noreturn)) static void leave(enum end end)
{
	run.end = end;
	running = false;
	__builtin_longjmp(back, 1);
}

void campaign_end(enum end end, bool stopped, u64 term)
{
	if (!running)
		return;
	run.stopped = stopped;
	run.term = term;
	leave(end);
}

void campaign_marker(const struct vcpu *vcpu)
{
	if (!running)
		return;
	attack_on = false;
	run.entered = true;
	watch_tables(vcpu);
	watch_entry(honest);
	if (attack_by_loader() || attack_by_memory())
		leave(END_PASS);
}

void campaign_exit(void)
{
	if (running && ++exits > EXITS_MAX) {
		if (!attack_by_memory() && !snp_attack_took())
			watch_fail("the run has not ended after so many exits", exits);
		leave(END_ERROR);
	}
}

/*
 * Starts the local APIC's timer as a time limit for this run if the emulated host changes
 * private memory in it, because the guest may then loop without any exit.  The timer's NMI
 * interrupts the guest, and campaign_alarm() ends the run.  The stub does not use the timer.
 * Runs from the guest's start have no limit, because they may single-step for long.
 */
static void start_alarm(void)
{
	if (!attack_on || !attack_by_memory() || !walked)
		return;
	*LAPIC(LAPIC_DIVIDE) = LAPIC_DIVIDE_BY_1;
	*LAPIC(LAPIC_TIMER) = LAPIC_NMI;
	*LAPIC(LAPIC_COUNT) = ALARM_TICKS;
}

/* Stops the timer, and takes the NMI that the timer may have sent meanwhile. */
static void stop_alarm(void)
{
	*LAPIC(LAPIC_TIMER) = LAPIC_MASKED;
	*LAPIC(LAPIC_COUNT) = 0;
	asm volatile("stgi; nop; nop; clgi" : : : "memory");
}

void campaign_alarm(void)
{
	if (running)
		leave(END_ERROR);
}

/*
 * Ends the run, because a stub that violates the GHCB ABI has a bug, whatever the host answered
 * before.  Allows the request "unsupported event" (0x8000FFFF): the stub sends it when the host
 * injects a #VC with an unknown exit code, and then terminates.  After a PVALIDATE that has set
 * CF the run goes on, but judge() does not allow it to reach the payload.
 */
void campaign_violation(unsigned int code)
{
	if (code == VIOL_UNSUPPORTED_EVENT)
		return;
	if (code == VIOL_DOUBLE_VALIDATION || code == VIOL_LATE_RESCIND) {
		run.carried = true;
		return;
	}
	/*
	 * The host may have said that it changed a page's state, and have changed
	 * nothing.  The guest's next access to the page is then a nested page fault
	 * that the host cannot resolve, so the run ends.
	 */
	if (code == VIOL_RMP_MISMATCH && lie_count) {
		run.stopped = true;
		leave(END_VIOLATION);
	}
	if (!attack_by_memory())
		watch_fail("the guest broke the ABI, VIOL_* of hooks.h", code);
	leave(END_VIOLATION);
}

bool campaign_proof(struct vcpu *vcpu)
{
	if (!watch.proof || watch_is_proven() || vcpu->vmcb->rip != watch.proof ||
	    !(vcpu->vmcb->dr6 & DR6_B2))
		return false;
	vcpu->vmcb->dr6 = DR6_INIT;
	kaslr_proven();
	watch_proven();
	events_trigger(FROM_PROOF);
	return true;
}

/*
 * Checks how the guest's run ended.  Returns NULL and sets *@outcome if a run
 * under attack may end like this.  Otherwise returns a message that says what
 * is wrong, and sets *@at to a number for the message, such as an address.
 */
static const char *judge(const struct vcpu *vcpu, enum outcome *outcome, u64 *at)
{
	/*
	 * The stub clears the GHCB MSR and loads an empty IDT right before it
	 * jumps to the payload.  An event that the host injects after that
	 * causes a triple fault, which is allowed.
	 */
	bool handed_over = !vcpu->ghcb_msr && !vcpu->vmcb->idtr.limit;
	unsigned int set = run.term >> 12 & 0xf, code = run.term >> 16 & 0xff;
	const char *fault;
	bool flooded, nowhere;

	*outcome = NOT_ALLOWED;
	fault = watch_fault(at);
	if (fault)
		return fault;
	if (guest_is_snp() && !attack_by_loader() && snapshot_altered(at))
		return "a validated private page has changed, and not by the guest";
	*at = run.end;
	if (run.end == END_PASS || (run.end <= END_HALT && run.entered)) {
		if (!run.entered && watch.payload)
			return "the guest passed without the payload's entry";
		if (run.carried || snp_attack_spoilt())
			return "the guest went on after a PVALIDATE that failed or set CF";
		*outcome = attack_by_loader() || attack_by_memory() ? ENTERED : BOOTED;
	} else if (attack_by_memory()) {
		*outcome = run.end == END_TERMINATED ? TERMINATED :
			   run.end == END_TRIPLE_FAULT ? TRIPLE_FAULT :
			   run.stopped ? HOST_STOP : STUCK;
	} else if (run.entered) {
		return "the payload was entered but did not pass its tests";
	} else if (run.end == END_TERMINATED) {
		*at = run.term;
		if (set >= TERM_SETS || code >= TERM_CODES || (set == 1 && !guest_is_snp()) ||
		    !strcmp(reason_name(set, code), "unknown"))
			return "the guest terminated for an unlisted reason";
		*outcome = TERMINATED;
	} else if (run.end == END_TRIPLE_FAULT || run.stopped) {
		flooded = !run.stopped && events_flooded();
		nowhere = run.stopped && attack_by_loader() && kaslr_nowhere();
		if (watch_is_proven() && !handed_over && !flooded && !nowhere &&
		    !(guest_is_snp() && (run.end == END_VIOLATION || snp_attack_took())))
			return run.stopped ?
			       "the guest cannot run on after the C-bit's proof" :
			       "triple fault after the C-bit's proof";
		*outcome = run.stopped ? HOST_STOP :
			   handed_over ? TRIPLE_FAULT_LATE :
			   watch_is_proven() && flooded ? TRIPLE_FAULT_FLOOD : TRIPLE_FAULT;
	} else if (snp_attack_took()) {
		/* Allowed: the host may have taken the page of the code that ends the guest. */
		*outcome = STUCK;
	} else if (run.end == END_HALT && !guest_is_es()) {
		*outcome = HALTED;
	} else {
		return "a run must not end as this enum end of report.h";
	}
	return NULL;
}

/* Adds a run of the guest, which ended with @outcome, to the counts in *@f. */
static void count(struct figures *f, enum outcome outcome)
{
	f->runs++;
	f->outcomes[outcome]++;
	if (outcome == TERMINATED)
		f->terms[run.term >> 12 & 0xf][run.term >> 16 & 0xff]++;
}

/*
 * Writes " OUTCOME=NUMBER" to the log for each way in which runs of the guest
 * ended, and then a newline.
 */
static void put_counts(const struct figures *f)
{
	unsigned int i, set, code;

	for (i = 0; i < OUTCOMES; i++) {
		if (!f->outcomes[i] || i == TERMINATED)
			continue;
		put(' ');
		put_string(outcome_names[i]);
		put('=');
		put_number(f->outcomes[i], 10, 1);
	}
	for (set = 0; set < TERM_SETS; set++) {
		for (code = 0; code < TERM_CODES; code++) {
			if (!f->terms[set][code])
				continue;
			put_string(" terminated-");
			put_number(set, 10, 1);
			put(':');
			put_number(code, 10, 1);
			put('=');
			put_number(f->terms[set][code], 10, 1);
		}
	}
	put('\n');
	put_flush();
}

/*
 * Runs the guest once from the snapshot, under the attacks in lies[].  @number
 * determines the random numbers that the guest's RDRAND returns.  If walk()
 * took the snapshot, the attacks inject their events after @left instructions.
 */
static void play(struct vcpu *vcpu, u64 number, u64 left)
{
	memset(&run, 0, sizeof(run));
	snp_attack_clear();
	exits = 0;
	snapshot_restore(vcpu);
	watch_start();
	memory_start();
	forge_start();
	write_dr0(config.marker);
	write_dr2(breakpoint(watch_is_proven() ? 0 : watch.proof));
	write_dr7(DR7_INIT | DR7_G0 | DR7_G1 | DR7_G2 | DR7_G3);
	kaslr_start(number);
	attack_on = !honest;
	if (config.mode != MODE_OVMF)
		attack_load(loader_zero_page());
	running = true;
	events_start(vcpu);
	if (walked)
		events_begin(left);
	start_alarm();
	if (!__builtin_setjmp(back))
		vcpu_run(vcpu);
	if (attack_by_memory())
		stop_alarm();
	attack_on = false;
	watch_tables(vcpu);
	watch_stage_over();
}

/*
 * Writes a line about the guest's last run to the log: @label and @number, such
 * as "seed 7", and the run's attacks.  If @why is not NULL the run has failed:
 * the line starts with FAIL and ends with @why and @at.  If @why is NULL the
 * line has no newline yet, so that the caller can append the outcome.
 */
static void tell(const char *label, u64 number, const char *why, u64 at)
{
	put_to(PORT_LOG);
	put_string(why ? "sevemu: FAIL " : "sevemu: ");
	put_string(label);
	put(' ');
	put_number(number, 10, 1);
	put(':');
	attack_print();
	if (why) {
		put_string(": ");
		put_string(why);
		put_string(" (0x");
		put_number(at, 16, 1);
		put(')');
	}
	put_string(why ? "\n" : ":");
	put_flush();
}

/*
 * Runs the guest under the attack in lies[0] with other random numbers, FORESEEN times.
 * Returns the payload's virtual address if it was the same each time, which means that the
 * host can foresee this address.  Returns 0 if the addresses differed, if the attack is not one
 * on KASLR, or without --chance.
 */
static u64 foresee(struct vcpu *vcpu)
{
	const struct attack *attack = lies[0].attack;
	u64 n = lies[0].n, first = 0, i;
	bool same = attack->trigger == FROM_RANDOM && kaslr_wanted();

	for (i = 0; i < FORESEEN && same; i++) {
		play(vcpu, ~(MOVES + i), 0);
		if (!i)
			first = kaslr_virtual();
		same = kaslr_virtual() == first;
		attack_clear();
		attack_add(attack, n);
	}
	return same ? first : 0;
}

/*
 * Runs the guest once under the attacks in lies[] (attack.h) and counts how the
 * run ended.  Writes a line with FAIL to the log if a run must not end like
 * this.
 */
static void play_and_judge(struct vcpu *vcpu, const char *label, u64 number)
{
	struct figures one = { 0 };
	enum outcome outcome;
	const char *why;
	u64 foreseen, at;

	foreseen = foresee(vcpu);
	play(vcpu, number, 0);
	if (foreseen && kaslr_virtual() == foreseen)
		watch_fail("the host can predict the payload's virtual address", foreseen);
	why = judge(vcpu, &outcome, &at);
	count(&these, outcome);
	count(&all, outcome);
	if (why) {
		tell(label, number, why, at);
	} else if (config.trace || jobs.from == jobs.to) {
		tell(label, number, NULL, 0);
		count(&one, outcome);
		put_counts(&one);
	}
}

/*
 * Runs the guest once with an honest host.  If the payload does not boot,
 * sevemu terminates, because the attacks' results would mean nothing.
 */
static void play_honest(struct vcpu *vcpu, u64 number)
{
	enum outcome outcome;
	const char *why;
	u64 at;

	honest = true;
	attack_clear();
	play(vcpu, number, 0);
	why = judge(vcpu, &outcome, &at);
	honest = false;
	if (why || outcome != BOOTED)
		end_run(END_ERROR, "the first run, with an honest host, must boot the "
			"payload, but ended so: %s (%#lx); check --marker and --watch",
			why ? why : outcome_names[outcome], at);
}

/*
 * Runs the guest under @attack, once for each value of the attack's number N
 * from @from to @to in steps of @stride.  Writes a line to the log that counts
 * how the runs ended.
 */
static void play_attack(struct vcpu *vcpu, const struct attack *attack, u64 from,
			u64 to, u64 stride)
{
	bool told = false;

	memset(&these, 0, sizeof(these));
	for (; from <= to; from += stride) {
		attack_clear();
		attack_add(attack, from);
		play_and_judge(vcpu, "attack", from);
		told |= attack_all_told();
	}
	if (!told && !jobs.all && !never_told)
		never_told = attack->name;
	put_to(PORT_LOG);
	put_string("sevemu: attack ");
	put_string(attack->name);
	put_string(" runs=");
	put_number(these.runs, 10, 1);
	put_counts(&these);
}

/*
 * Runs the guest under each attack in turn, for at most @forms values of the
 * attack's number N, which are spread over the whole range of N.
 */
static void play_all_attacks(struct vcpu *vcpu, u64 forms)
{
	const struct attack *attack;
	unsigned int i;

	if (!forms)
		end_run(END_USAGE, "--attack all:0 plays nothing: give 1 or more");
	for (i = 0; (attack = attack_by_number(i)); i++) {
		u64 stride = (attack->count + forms - 1) / forms;

		if ((jobs.others && attack_is_event(attack)) ||
		    (attack_is_for_stub(attack) && !watch.payload) ||
		    (attack->memory && !memory_given()))
			continue;
		play_attack(vcpu, attack, attack_mix(i) % stride, attack->count - 1, stride);
	}
}

/*
 * ---- Windows: a window (jobs.h) is a series of moments of the honest run.  For each of them the
 * guest runs at least once, and an event is injected, or memory is changed, at this moment.
 */

/*
 * Ends an honest run at the moment that walk() has chosen.  walk() uses an attack only to get
 * there: the attack's function fire() is arrive(), which injects no event, changes nothing,
 * and ends the run in the way END_PASS.
 */
__attribute__((noreturn)) static void arrive(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	memory_arrive(vcpu);
	run.arrived = true;
	leave(END_PASS);
}

/*
 * Runs the guest from the snapshot with an honest host until @count moments of
 * @window (jobs.h) have passed.  Replaces the snapshot by the guest's state at
 * that moment.  Returns false if the guest's run ends earlier.
 */
static bool walk(struct vcpu *vcpu, const struct window *window, u64 count)
{
	struct attack attack = { .name = "walk", .fire = arrive, .trigger = window->trigger,
				 .each = window->each };

	attack_clear();
	/*
	 * If @window->each is false, the attack's number N is a number of instructions.  If it
	 * is true, the attack acts at occurrence N of the window's trigger, and counts the
	 * occurrences of this run from 0.  A run from the guest's start has to reach occurrence
	 * @count.  If @walked, this run starts right after an occurrence, so the next one is
	 * number 0, and the one that is @count occurrences later is number @count - 1.
	 */
	attack_add(&attack, window->each && walked ? count - 1 : count);
	play(vcpu, 0, count);
	if (!run.arrived)
		return false;
	walked = true;
	watch_keep();
	kaslr_keep();
	events_keep();
	snapshot_take(vcpu);
	return true;
}

/*
 * Runs the guest from the snapshot once for each kind of event (NMI, #VC and so
 * on), which is injected before the first instruction.  The snapshot was taken
 * at moment @at of the window that --attack calls @label.
 */
static void play_events(struct vcpu *vcpu, const char *label, u64 at)
{
	unsigned int i;

	for (i = 0; i < event_count; i++) {
		if (event_attacks[i].trigger != FROM_START)
			continue;
		attack_clear();
		attack_add(&event_attacks[i], at);
		play_and_judge(vcpu, label, at);
	}
}

/*
 * Changes BLOCK_RUNS blocks of @kind at the snapshot's moment, one block in each run.  The moment
 * is number @at of the window called @label.  @at determines which blocks are changed, and by
 * which enum change, so that the moments of a long window together change every block in several
 * ways.  A block is left out if every enum change would leave it as it is.
 */
static void play_blocks(struct vcpu *vcpu, const char *label, enum memory_kind kind, u64 at)
{
	u64 count = memory_blocks(kind), i, n;
	u64 first = (u64)((unsigned __int128)(at * MOMENT_TURN) * count >> 64);
	unsigned int runs = 0;

	for (i = 0; i < count && runs < BLOCK_RUNS; i++) {
		n = memory_choose(kind, (first + i) * BLOCK_STEP % count, attack_mix(at + i));
		if (n == MEMORY_NOTHING)
			continue;
		attack_clear();
		attack_add(&memory_block_attacks[kind], n);
		play_and_judge(vcpu, label, at);
		runs++;
	}
}

/*
 * Injects every event, or changes blocks of memory, at each @stride-th moment of
 * @window, from number @from to @to, with one run of the guest for each event or
 * block.  Each run starts from a snapshot at its moment, which is faster than from the
 * guest's start.  The snapshot of the guest's start is lost, so sevemu cannot run other
 * attacks afterwards.  @label is the window's name.
 */
static void play_every(struct vcpu *vcpu, const struct window *window, const char *label,
		       u64 from, u64 to, u64 stride)
{
	u64 at = from;
	bool more;

	if (walked)
		end_run(END_USAGE, "--attack %s must be the only window of a process", label);
	if (!window->events && !memory_blocks(window->kind))
		end_run(END_USAGE, "--attack %s needs --memory with such ranges", label);
	memset(&these, 0, sizeof(these));
	if (!window->events)
		memory_keep(window->kind);
	if (window->trigger == FROM_FAULT)
		events_unmap();
	for (more = walk(vcpu, window, from); more && at <= to;
	     more = walk(vcpu, window, stride), at += stride)
		if (window->events)
			play_events(vcpu, label, at);
		else
			play_blocks(vcpu, label, window->kind, at);
	put_to(PORT_LOG);
	put_string("sevemu: ");
	put_string(label);
	put_string(" last=");
	put_number(at - stride, 10, 1);
	if (!window->events) {
		put_string(" blocks=");
		put_number(memory_blocks(window->kind), 10, 1);
		put_string(" played=");
		put_number(memory_played(), 10, 1);
	}
	put_string(" runs=");
	put_number(these.runs, 10, 1);
	put_counts(&these);
}

/* Runs the guest for each element of @text, the list that --attack takes. */
static void play_attacks(struct vcpu *vcpu, char *text)
{
	char *next;

	for (; *text; text = next) {
		next = cut(text, ',');
		jobs_set_attack(text);
		if (jobs.window)
			play_every(vcpu, jobs.window, text, jobs.from, jobs.to, jobs.stride);
		else if (jobs.all)
			play_all_attacks(vcpu, jobs.to);
		else
			play_attack(vcpu, jobs.attack, jobs.from, jobs.to, jobs.stride);
	}
}

/*
 * Runs the guest for each seed from @from to @to in steps of jobs.stride (--hostile).  The
 * seed determines the run's random attacks.
 */
static void play_seeds(struct vcpu *vcpu, u64 from, u64 to)
{
	for (; from <= to; from += jobs.stride) {
		attack_clear();
		attack_random(from);
		play_and_judge(vcpu, "seed", from);
	}
}

/*
 * In MODE_OVMF the attacks start when the stub first requests CPUID by the GHCB
 * MSR protocol, because firmware, which runs before the stub, is not attacked.
 * Firmware does not use the MSR protocol once it has a GHCB page, so the next
 * such request comes from the stub.  The stub has loaded its IDT by then.  The
 * IDT's address tells where firmware loaded the stub.
 */
void campaign_vmgexit(struct vcpu *vcpu)
{
	static bool firmware_has_ghcb, begun;

	if (!config.hostile || config.mode != MODE_OVMF || begun)
		return;
	if (!(vcpu->ghcb_msr & GHCB_MSR_INFO_MASK))
		firmware_has_ghcb = true;
	/*
	 * Wait for the stub's first request: CPUID 0x80000000 by the MSR
	 * protocol, after firmware has set up a GHCB page.  All requests before
	 * it come from firmware.
	 */
	if (!firmware_has_ghcb || vcpu->ghcb_msr >> 32 != CPUID_EXT_MAX)
		return;
	begun = true;
	watch.ghcb += vcpu->vmcb->idtr.base - watch.idt;
	watch.proof += vcpu->vmcb->idtr.base - watch.idt;
	memory_move(vcpu->vmcb->idtr.base - watch.idt);
	campaign_run(vcpu);
}

void campaign_run(struct vcpu *vcpu)
{
	u64 i;

	snapshot_take(vcpu);
	/*
	 * With --chance the guest runs MOVES times with an honest host.  KASLR
	 * relocates the payload by another distance each time.  watch.c finds
	 * the words of the payload that differ and does not compare them in
	 * later runs.
	 */
	for (i = 0; i < (kaslr_wanted() ? MOVES : 1); i++)
		play_honest(vcpu, ~i);
	if (jobs.attacks)
		play_attacks(vcpu, jobs.attacks);
	else
		play_seeds(vcpu, jobs.from, jobs.to);

	put_to(PORT_LOG);
	put_string("sevemu: ends runs=");
	put_number(all.runs, 10, 1);
	put_counts(&all);
	if (all.outcomes[NOT_ALLOWED])
		end_run(END_FAIL, "%lu of %lu runs ended in a way that is not allowed: see "
			"the lines with FAIL", all.outcomes[NOT_ALLOWED], all.runs);
	/*
	 * An attack that never acted is an error for an SNP guest only.  The campaigns on other
	 * guests play the whole range of N, even if the stub makes no request that the attack
	 * could change.
	 */
	if (never_told && guest_is_snp())
		end_run(END_ERROR, "all %lu runs ended in an allowed way, but in none of its "
			"runs the host has had an occasion for the attack %s: give a lower N, "
			"or an attack on what this guest uses", all.runs, never_told);
	end_run(END_PASS, "all %lu runs ended in an allowed way", all.runs);
}
