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
 * - A halt, in a guest without SEV-ES, which cannot request termination.
 */
#include "attack.h"
#include "attack_events.h"
#include "campaign.h"
#include "ghcb.h"
#include "hooks.h"
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
/* The first CPUID function for which the stub asks the hypervisor. */
#define CPUID_EXT_MAX		0x80000000
/* The size in bytes of a buffer for an attack's name, with the NUL. */
#define ATTACK_NAME_MAX		64
/*
 * The number of runs with an honest host if --chance was given.  Each one has
 * other random numbers, so KASLR relocates the payload by another distance.
 * Words of the payload that differ between these runs are not compared later.
 */
#define MOVES			8
/* "--attack all" runs the guest this many times for each attack, or fewer. */
#define FORMS			32

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
	/* A triple fault before the stub's proof of the C-bit. */
	TRIPLE_FAULT,
	/*
	 * Before its proof of the C-bit the guest did something that sevemu
	 * does not model, such as executing memory that it had decrypted
	 * wrongly.
	 */
	HOST_STOP,
	/* A triple fault after the stub had loaded an empty IDT for the payload. */
	TRIPLE_FAULT_LATE,
	/* A triple fault because nested NMIs took more stack than the guest has. */
	TRIPLE_FAULT_FLOOD,
	/* The guest sent a GHCB termination request. */
	TERMINATED,
	NOT_ALLOWED, OUTCOMES,
};

static const char *const outcome_names[OUTCOMES] = {
	"booted", "entered", "halted", "triple-fault", "host-stop",
	"triple-fault-at-entry", "triple-fault-in-flood", "terminated",
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

/*
 * The runs of the guest that --attack or --hostile asks for.  --attack takes a
 * list of attacks.  The members behind @attacks describe the element of this
 * list whose runs are under way.
 */
static struct {
	/* The text of the option --attack.  NULL: --hostile was given instead. */
	char *attacks;
	/* The attack that --attack names; unused if @all or @window is set. */
	const struct attack *attack;
	/* --attack asks for all attacks ("all" or "others") instead of one. */
	bool all;
	/* With @all: leave out the attacks that inject an event ("others"). */
	bool others;
	/*
	 * The piece of guest code at each of whose instructions every kind of
	 * event (NMI, #VC and so on) is injected.  NULL if --attack does not ask
	 * for this.
	 */
	const struct window *window;
	/*
	 * The numbers to run the guest with, @from to @to in steps of @stride:
	 * an attack's N, the seed of --hostile, or the instruction in @window.
	 */
	u64 from, to, stride;
} jobs = { .stride = 1 };

/*
 * The pieces of guest code at each of whose instructions --attack can inject
 * every kind of event (NMI, #VC and so on).  A window starts where @trigger
 * occurs.
 */
static const struct window {
	/* The name by which --attack selects this piece of guest code. */
	const char *name;
	enum trigger trigger;
} windows[] = {
	{ "every", FROM_START },
	{ "every-in-vc", FROM_VC },
	{ "every-busy", FROM_VMGEXIT },
	{ "every-asked", FROM_REQUEST },
	{ "every-late", FROM_PROOF },
	{ "every-end", FROM_UNSHARED },
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
	/* The run ended because the guest did something that is not modelled. */
	bool stopped;
	/* The guest has reached the payload's entry in this run. */
	bool entered;
	/* The guest has run as many instructions as walk() asked for. */
	bool arrived;
	/* The GHCB termination request that ended the run; 0: no request. */
	u64 term;
} run;
/*
 * Runs start from a snapshot that walk() took in the middle of the stub's code,
 * and not from the guest's start.
 */
static bool walked;

bool campaign_running(void)
{
	return running;
}

/*
 * Stops the guest, notes that its run ended as @end, and continues in play(),
 * behind the __builtin_setjmp() there.
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

void campaign_marker(void)
{
	if (!running)
		return;
	attack_on = false;
	run.entered = true;
	watch_entry(honest);
	if (attack_by_loader())
		leave(END_PASS);
}

void campaign_exit(void)
{
	if (running && ++exits > EXITS_MAX) {
		watch_fail("the run has not ended after so many exits", exits);
		leave(END_ERROR);
	}
}

/*
 * A stub that violates the GHCB ABI has a bug, whatever the host answered
 * before.  Only the request "unsupported event" (0x8000FFFF) is allowed.  The
 * stub sends it when the host injects a #VC with an unknown exit code, and
 * terminates next.
 */
void campaign_violation(unsigned int code)
{
	if (code == VIOL_UNSUPPORTED_EVENT)
		return;
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
 * Splits @text at the first character @end, which is replaced by NUL, and
 * returns the second part.  The second part is empty if @end does not occur.
 */
static char *cut(char *text, char end)
{
	for (; *text && *text != end; text++)
		;
	if (*text)
		*text++ = '\0';
	return text;
}

/* Sets jobs.from, jobs.to and jobs.stride from "A", "A-B" or "A-B/STRIDE". */
static void set_range(char *text)
{
	char *stride = cut(text, '/'), *last = cut(text, '-');

	jobs.from = parse_number(text);
	jobs.to = *last ? parse_number(last) : jobs.from;
	if (*stride)
		jobs.stride = parse_number(stride);
	if (!jobs.stride)
		end_run(END_ERROR, "the stride of a range is 0: it must be at least 1");
}

/* Returns the element of windows[] called @name; NULL if @name is unknown. */
static const struct window *find_window(const char *name)
{
	const struct window *window;

	for (window = windows; window < windows + ARRAY_SIZE(windows); window++)
		if (!strcmp(window->name, name))
			return window;
	return NULL;
}

/*
 * Checks the names of all attacks in @text, the value of --attack, before the
 * guest runs for the first time.  Otherwise a misspelt name late in the list
 * would be found only after hours of runs.
 */
static void check_attacks(const char *text)
{
	char name[ATTACK_NAME_MAX];
	unsigned int len;

	while (*text) {
		for (len = 0; *text && *text != ':' && *text != ','; text++) {
			if (len < sizeof(name) - 1)
				name[len++] = *text;
		}
		name[len] = '\0';
		if (strcmp(name, "all") && strcmp(name, "others") &&
		    !find_window(name) && !attack_find(name))
			end_run(END_USAGE, "no attack is called %s (--attack list names them)",
				name);
		while (*text && *text++ != ',')
			;
	}
}

/*
 * Sets jobs from one element of the list that --attack takes: "NAME",
 * "NAME:RANGE", "all:FORMS", "others:FORMS", or a name of windows[] with a
 * range.  Changes @name.
 */
static void set_attack(char *name)
{
	char *range = cut(name, ':');

	jobs.stride = 1;
	jobs.others = !strcmp(name, "others");
	jobs.all = jobs.others || !strcmp(name, "all");
	jobs.window = NULL;
	if (jobs.all) {
		jobs.to = *range ? parse_number(range) : FORMS;
		return;
	}
	jobs.window = find_window(name);
	jobs.attack = attack_find(name);
	jobs.from = 0;
	jobs.to = jobs.window ? 0 : jobs.attack->count - 1;
	if (*range)
		set_range(range);
}

/*
 * Fills struct watch from the value of --watch, "START-END,GHCB,PROOF[,IDT]".
 * START and END enclose the payload.  GHCB, PROOF and IDT are addresses in the
 * stub.  If IDT is given they are link addresses, and campaign_vmgexit()
 * relocates them once it knows where firmware loaded the stub.
 */
static void set_watch(char *start)
{
	char *ghcb = cut(start, ','), *proof = cut(ghcb, ','), *idt = cut(proof, ',');
	char *end = cut(start, '-');

	watch.payload = parse_number(start);
	watch.payload_end = parse_number(end);
	watch.ghcb = parse_number(ghcb);
	watch.proof = parse_number(proof);
	watch.idt = parse_number(idt);
}

bool campaign_option(const char *name, char *value)
{
	if (!strcmp(name, "attack"))
		jobs.attacks = value;
	else if (!strcmp(name, "hostile"))
		set_range(value);
	else if (!strcmp(name, "watch"))
		set_watch(value);
	else if (!strcmp(name, "chance"))
		kaslr_option(value);
	else
		return false;
	if (jobs.attacks && !strcmp(jobs.attacks, "list")) {
		attack_list();
		end_run(END_PASS, "end of the list; each line starts with what --attack takes");
	}
	if (!strcmp(name, "attack"))
		check_attacks(value);
	if (!strcmp(name, "attack") || !strcmp(name, "hostile"))
		config.hostile = true;
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
	*at = run.end;
	if (run.end == END_PASS || (run.end <= END_HALT && run.entered)) {
		if (!run.entered && watch.payload)
			return "the guest passed without the payload's entry";
		*outcome = attack_by_loader() ? ENTERED : BOOTED;
	} else if (run.entered) {
		return "the payload was entered but did not pass its tests";
	} else if (run.end == END_TERMINATED) {
		*at = run.term;
		if (set >= TERM_SETS || code >= TERM_CODES || set == 1 ||
		    !strcmp(reason_name(set, code), "unknown"))
			return "the guest terminated for an unlisted reason";
		*outcome = TERMINATED;
	} else if (run.end == END_TRIPLE_FAULT || run.stopped) {
		flooded = !run.stopped && events_flooded();
		nowhere = run.stopped && attack_by_loader() && kaslr_nowhere();
		if (watch_is_proven() && !handed_over && !flooded && !nowhere)
			return run.stopped ?
			       "the guest cannot run on after the C-bit's proof" :
			       "triple fault after the C-bit's proof";
		*outcome = run.stopped ? HOST_STOP :
			   handed_over ? TRIPLE_FAULT_LATE :
			   watch_is_proven() ? TRIPLE_FAULT_FLOOD : TRIPLE_FAULT;
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
	exits = 0;
	snapshot_restore(vcpu);
	watch_start();
	write_dr0(config.marker);
	write_dr2(watch_is_proven() ? 0 : watch.proof);
	write_dr7(DR7_INIT | DR7_G0 | DR7_G1 | DR7_G2 | DR7_G3);
	kaslr_start(number);
	attack_on = !honest;
	if (config.mode != MODE_OVMF)
		attack_load(loader_zero_page());
	running = true;
	events_start(vcpu);
	if (walked)
		events_begin(left);
	if (!__builtin_setjmp(back))
		vcpu_run(vcpu);
	attack_on = false;
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
 * Runs the guest once under the attacks in lies[] (attack.h) and counts how the
 * run ended.  Writes a line with FAIL to the log if a run must not end like
 * this.
 */
static void play_and_judge(struct vcpu *vcpu, const char *label, u64 number)
{
	struct figures one = { 0 };
	enum outcome outcome;
	const char *why;
	u64 at;

	play(vcpu, number, 0);
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
	memset(&these, 0, sizeof(these));
	for (; from <= to; from += stride) {
		attack_clear();
		attack_add(attack, from);
		play_and_judge(vcpu, "attack", from);
	}
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

	for (i = 0; (attack = attack_by_number(i)); i++) {
		u64 stride = (attack->count + forms - 1) / forms;

		if (jobs.others && attack_is_event(attack))
			continue;
		play_attack(vcpu, attack, attack_mix(i) % stride, attack->count - 1, stride);
	}
}

/* ---- Events at every instruction of a piece of guest code. */

/*
 * Stops the guest.  walk() makes an attack with arrive() as its function fire(),
 * so that arrive() is called after the number of guest instructions that walk()
 * asks for.  No event is injected.
 */
__attribute__((noreturn)) static void arrive(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	(void)vcpu;
	run.arrived = true;
	leave(END_PASS);
}

/*
 * Runs the guest from the snapshot with an honest host, up to @count
 * instructions behind @trigger, and replaces the snapshot by the state there.
 * Returns false if the guest's run ends earlier.
 */
static bool walk(struct vcpu *vcpu, enum trigger trigger, u64 count)
{
	struct attack attack = { .name = "walk", .fire = arrive, .trigger = trigger };

	attack_clear();
	attack_add(&attack, count);
	play(vcpu, 0, count);
	if (!run.arrived)
		return false;
	walked = true;
	watch_keep();
	snapshot_take(vcpu);
	return true;
}

/*
 * Runs the guest from the snapshot once for each kind of event (NMI, #VC and so
 * on), which is injected before the first instruction.  The snapshot was taken
 * at instruction @at of the piece of code that --attack calls @label.
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
 * Injects every event at each @stride-th instruction of @window, from
 * instruction @from to @to, with one run of the guest for each event.  Each run
 * starts from a snapshot at its instruction, which is faster than from the
 * guest's start.  The snapshot of the guest's start is lost, so sevemu cannot
 * run other attacks afterwards.
 */
static void play_every(struct vcpu *vcpu, const struct window *window, u64 from, u64 to,
		       u64 stride)
{
	u64 at = from;
	bool more;

	if (walked || kaslr_wanted())
		end_run(END_USAGE, "--attack %s must be the only window of a process, "
			"without --chance", window->name);
	memset(&these, 0, sizeof(these));
	for (more = walk(vcpu, window->trigger, from); more && at <= to;
	     more = walk(vcpu, window->trigger, stride), at += stride)
		play_events(vcpu, window->name, at);
	put_to(PORT_LOG);
	put_string("sevemu: ");
	put_string(window->name);
	put_string(" last=");
	put_number(at - stride, 10, 1);
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
		set_attack(text);
		if (jobs.window)
			play_every(vcpu, jobs.window, jobs.from, jobs.to, jobs.stride);
		else if (jobs.all)
			play_all_attacks(vcpu, jobs.to);
		else
			play_attack(vcpu, jobs.attack, jobs.from, jobs.to, jobs.stride);
	}
}

/*
 * Runs the guest once for each seed from @from to @to (--hostile).  The seed
 * determines the run's random attacks.
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
	 * This is the stub's first request: CPUID 0x80000000 by the MSR
	 * protocol, after firmware has set up a GHCB page.  Other requests come
	 * from firmware.
	 */
	if (!firmware_has_ghcb || vcpu->ghcb_msr >> 32 != CPUID_EXT_MAX)
		return;
	begun = true;
	watch.ghcb += vcpu->vmcb->idtr.base - watch.idt;
	watch.proof += vcpu->vmcb->idtr.base - watch.idt;
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
	end_run(END_PASS, "all %lu runs ended in an allowed way", all.runs);
}
