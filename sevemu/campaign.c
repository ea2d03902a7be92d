/* SPDX-License-Identifier: MIT */
/*
 * A campaign: one guest, started over and over from a snapshot, each time with
 * other lies, and a verdict on each end.
 *
 * Allowed ends: the payload is entered and finds everything right; the guest
 * asks to be terminated for a reason that is listed; and before the C-bit is
 * proven, a triple fault or a guest that its host cannot run on.  A triple fault
 * also ends a flood of NMIs, and a guest goes no further whose loader named RAM
 * that is none, if chance leads there.  The first run is an honest one, which all others
 * are compared with.
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
#define EXITS_MAX		400000	/* of a run; a talkative boot has 3,000 */
#define CPUID_EXT_MAX		0x80000000	/* what the stub asks first */
#define ATTACK_NAME_MAX		64	/* none is as long */
#define MOVES			8	/* honest runs, if the payload is moved */
#define FORMS			32	/* of each attack, if all are asked for */

/* How a run of the campaign ended. */
enum outcome {
	BOOTED,			/* and the payload is content */
	ENTERED,		/* the payload; the loader lied to it, so not run */
	HALTED,			/* with a message: guests without SEV-ES */
	TRIPLE_FAULT, HOST_STOP,	/* before the C-bit is proven */
	TRIPLE_FAULT_LATE,	/* with the IDT emptied for the payload */
	TRIPLE_FAULT_FLOOD,	/* more NMIs in one another than a stack holds */
	TERMINATED,		/* counted by set and code */
	NOT_ALLOWED, OUTCOMES,
};

static const char *const outcome_names[OUTCOMES] = {
	"booted", "entered", "halted", "triple-fault", "host-stop",
	"triple-fault-at-entry", "triple-fault-in-flood", "terminated",
	"not-allowed",
};

struct figures {
	u64 runs, outcomes[OUTCOMES], terms[TERM_SETS][TERM_CODES];
};

/* --attack and --hostile. */
static struct {
	char *attacks;		/* separated by commas; the rest is one of them */
	const struct attack *attack;
	bool all, others;	/* than events */
	const struct window *window;	/* for every instruction of it */
	u64 from, to, stride;
} jobs = { .stride = 1 };

/* What a walk may count from. */
static const struct window {
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

static struct figures all, these;
static void *back[5];		/* __builtin_setjmp */
static bool running, honest;
static u64 exits;
static struct {
	enum end end;
	bool stopped;		/* by what the model cannot run */
	bool entered;
	bool arrived;		/* where a walk wanted to be */
	u64 term;
} run;
static bool walked;		/* runs do not begin at the stage's first instruction */

bool campaign_running(void)
{
	return running;
}

__attribute__((noreturn)) static void leave(enum end end)
{
	run.end = end;
	running = false;
	__builtin_longjmp(back, 1);
}

/* From report.c's ways to end a run: in a campaign they only end this one. */
void campaign_end(enum end end, bool stopped, u64 term)
{
	if (!running)
		return;
	run.stopped = stopped;
	run.term = term;
	leave(end);
}

/* The marker: the payload's entry.  From here on the host is honest. */
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

/* A bound for all runs. */
void campaign_exit(void)
{
	if (running && ++exits > EXITS_MAX) {
		watch_fail("no end after so many exits", exits);
		leave(END_ERROR);
	}
}

/*
 * What breaks the ABI is a fault whatever was answered before; but to an exit
 * that nobody knows the right reply is the end that the guest asks for next.
 */
void campaign_violation(unsigned int code)
{
	if (code == VIOL_UNSUPPORTED_EVENT)
		return;
	watch_fail("the guest breaks the ABI", code);
	leave(END_VIOLATION);
}

/* The breakpoint behind the C-bit's proof. */
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

/* Cuts @text at the next @end: what is behind it, or the end of the text. */
static char *cut(char *text, char end)
{
	for (; *text && *text != end; text++)
		;
	if (*text)
		*text++ = '\0';
	return text;
}

/* "A", "A-B", "A-B/STRIDE" */
static void set_range(char *text)
{
	char *stride = cut(text, '/'), *last = cut(text, '-');

	jobs.from = parse_number(text);
	jobs.to = *last ? parse_number(last) : jobs.from;
	if (*stride)
		jobs.stride = parse_number(stride);
	if (!jobs.stride)
		end_run(END_ERROR, "a stride of 0 leads nowhere");
}

static const struct window *find_window(const char *name)
{
	const struct window *window;

	for (window = windows; window < windows + ARRAY_SIZE(windows); window++)
		if (!strcmp(window->name, name))
			return window;
	return NULL;
}

/* Before anything runs: a list of attacks may take hours to its wrong name. */
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

/* "NAME", "NAME:RANGE", "all:FORMS", "others:FORMS", "every:RANGE" */
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
 * "START-END,GHCB,PROOF[,IDT]": addresses of the payload and of two places in the
 * stub; with its IDT's these two are where it was linked, not where it runs.
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

/* The options that are this file's; false for all others. */
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
		end_run(END_PASS, "that is all");
	}
	if (!strcmp(name, "attack"))
		check_attacks(value);
	if (!strcmp(name, "attack") || !strcmp(name, "hostile"))
		config.hostile = true;
	return true;
}

/* NULL if the end is allowed. */
static const char *judge(const struct vcpu *vcpu, enum outcome *outcome, u64 *at)
{
	/* The payload's side of the fence: no GHCB, and no IDT but its own. */
	bool handed_over = !vcpu->ghcb_msr && !vcpu->vmcb->idtr.limit;
	unsigned int set = run.term >> 12 & 0xf, code = run.term >> 16 & 0xff;
	const char *fault;
	bool flooded, nowhere;

	*outcome = NOT_ALLOWED;
	fault = watch_fault(at);
	if (fault)
		return fault;
	*at = run.end;
	if (run.end == END_PASS || (run.end == END_GUEST && run.entered)) {
		if (!run.entered && watch.payload)
			return "passed without the payload";
		*outcome = attack_by_loader() ? ENTERED : BOOTED;
	} else if (run.entered) {
		return "the payload is not content";
	} else if (run.end == END_TERMINATED) {
		*at = run.term;
		if (set >= TERM_SETS || code >= TERM_CODES || set == 1 ||
		    !strcmp(reason_name(set, code), "unknown"))
			return "terminated for a reason that is not listed";
		*outcome = TERMINATED;
	} else if (run.end == END_TRIPLE_FAULT || run.stopped) {
		flooded = !run.stopped && events_flooded();
		nowhere = run.stopped && attack_by_loader() && kaslr_nowhere();
		if (watch_is_proven() && !handed_over && !flooded && !nowhere)
			return run.stopped ? "cannot go on after the proof" :
			       "triple fault after the proof";
		*outcome = run.stopped ? HOST_STOP :
			   handed_over ? TRIPLE_FAULT_LATE :
			   watch_is_proven() ? TRIPLE_FAULT_FLOOD : TRIPLE_FAULT;
	} else if (run.end == END_GUEST && config.sev != SEV_ES) {
		*outcome = HALTED;
	} else {
		return "an end that is not allowed";
	}
	return NULL;
}

static void count(struct figures *f, enum outcome outcome)
{
	f->runs++;
	f->outcomes[outcome]++;
	if (outcome == TERMINATED)
		f->terms[run.term >> 12 & 0xf][run.term >> 16 & 0xff]++;
}

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
 * One run from the snapshot with the lies that are set up. @number is chance's,
 * @left for an event behind a walk: how many instructions it has to wait.
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

/* A line for a run: what was done, and what came of it. */
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
		end_run(END_ERROR, "an honest host does not get the guest to boot: "
			"%s (%#lx)", why ? why : outcome_names[outcome], at);
}

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

/* Each attack in at most so many forms, which are spread over all that it has. */
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

/* ---- Every instruction of a window. */

__attribute__((noreturn)) static void arrive(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	(void)vcpu;
	run.arrived = true;
	leave(END_PASS);
}

/* An honest run from the snapshot for so many instructions, to be the next snapshot. */
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

/* Each event at one instruction: "every:57" is "nmi:57" and all its like. */
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
 * Goes through a window with one snapshot behind the other, so that no run has
 * more to do than what comes behind its event. There is no way back.
 */
static void play_every(struct vcpu *vcpu, const struct window *window, u64 from, u64 to,
		       u64 stride)
{
	u64 at = from;
	bool more;

	if (walked || kaslr_wanted())
		end_run(END_USAGE, "%s: a process of its own, without KASLR", window->name);
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

static void play_seeds(struct vcpu *vcpu, u64 from, u64 to)
{
	for (; from <= to; from += jobs.stride) {
		attack_clear();
		attack_random(from);
		play_and_judge(vcpu, "seed", from);
	}
}

/*
 * Through firmware, whose own doings are not attacked, the stage begins when the
 * stub first asks by the MSR protocol, as firmware with a GHCB does no more.  It
 * has its own IDT by then, which tells where it is.
 */
void campaign_vmgexit(struct vcpu *vcpu)
{
	static bool firmware_has_ghcb, begun;

	if (!config.hostile || config.mode != MODE_OVMF || begun)
		return;
	if (!(vcpu->ghcb_msr & GHCB_MSR_INFO_MASK))
		firmware_has_ghcb = true;
	/* A GHCB of the stub's own needs an answer first. */
	if (!firmware_has_ghcb || vcpu->ghcb_msr >> 32 != CPUID_EXT_MAX)
		return;
	begun = true;
	watch.ghcb += vcpu->vmcb->idtr.base - watch.idt;
	watch.proof += vcpu->vmcb->idtr.base - watch.idt;
	campaign_run(vcpu);
}

/* In place of main.c's one run, when --attack or --hostile asks for it. */
void campaign_run(struct vcpu *vcpu)
{
	u64 i;

	snapshot_take(vcpu);
	/* Each is moved by another distance: what depends on it shows. */
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
		end_run(END_FAIL, "%lu of %lu runs ended in a way that is not allowed",
			all.outcomes[NOT_ALLOWED], all.runs);
	end_run(END_PASS, "%lu runs, each with an allowed end", all.runs);
}
