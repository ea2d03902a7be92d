/* SPDX-License-Identifier: MIT */
/*
 * campaign.c - a campaign: runs one guest many times from a snapshot, each time
 * with other lies, and judges how each run ends.
 *
 * main.c starts it in place of its single run, if --attack or --hostile was given.
 * The first run has an honest host, and all other runs must end with the same
 * payload.  A run may end in these ways:
 *
 * - The payload is entered, is the right one, and passes its own tests.
 * - The guest asks to be terminated for a reason that names.c lists.
 * - Before the C-bit is proven: a triple fault, or a state that cannot be run.
 * - A triple fault when the IDT is already empty for the payload, or in a flood of
 *   NMIs.
 * - A state that cannot be run, if KASLR chose a place that a lying loader named as
 *   RAM.
 * - In any way that tells the host no secret and shares no page, if the host changed
 *   private memory (attack_memory.c).
 * - Without SEV-ES, where there are no termination requests: a halt.
 */
#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
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
#define EXITS_MAX		400000	/* a run with more exits than this hangs */
#define CPUID_EXT_MAX		0x80000000	/* the stub's first CPUID function */
#define ATTACK_NAME_MAX		64	/* length of an attack's name, with NUL */
#define MOVES			8	/* number of honest runs with KASLR */
#define BLOCK_RUNS		32	/* changed blocks at one instruction of a window */
#define FORMS			32	/* "all" plays so many forms of each attack */

/* How a run of the campaign ended. */
enum outcome {
	BOOTED,			/* the payload passed its own tests */
	ENTERED,		/* the payload was reached; it is not run, because
				 * the loader lied to it too */
	HALTED,			/* a guest without SEV-ES halted with a message */
	TRIPLE_FAULT,		/* before the C-bit was proven */
	HOST_STOP,		/* before the proof, the guest could not be run on */
	TRIPLE_FAULT_LATE,	/* after the stub had emptied the IDT for the payload */
	TRIPLE_FAULT_FLOOD,	/* NMIs nested deeper than a stack has room for */
	STUCK,			/* with changed memory: it broke the ABI or never ended */
	TERMINATED,		/* the guest asked for it; counted by set and code */
	NOT_ALLOWED, OUTCOMES,
};

static const char *const outcome_names[OUTCOMES] = {
	"booted", "entered", "halted", "triple-fault", "host-stop",
	"triple-fault-at-entry", "triple-fault-in-flood", "stuck", "terminated",
	"not-allowed",
};

/* Numbers of runs, by how they ended. */
struct figures {
	u64 runs, outcomes[OUTCOMES], terms[TERM_SETS][TERM_CODES];
};

/*
 * What --attack or --hostile asks for.  For --attack the members behind @attacks
 * are those of the element that is being played.
 */
static struct {
	char *attacks;		/* value of --attack; NULL means --hostile */
	const struct attack *attack;	/* the attack, if neither @all nor @window is set */
	bool all;		/* every attack */
	bool others;		/* with @all: but for events */
	const struct window *window;	/* the window at whose instructions to play events */
	u64 from, to, stride;	/* range of N, seeds or instructions, with @to */
} jobs = { .stride = 1 };

/* The stretches of code of which every instruction can be attacked. */
static const struct window {
	const char *name;	/* in --attack */
	enum trigger trigger;
	bool blocks;		/* blocks of private memory are changed; else events */
} windows[] = {
	{ "every", FROM_START, false },
	{ "every-in-vc", FROM_VC, false },
	{ "every-busy", FROM_VMGEXIT, false },
	{ "every-asked", FROM_REQUEST, false },
	{ "every-late", FROM_PROOF, false },
	{ "every-end", FROM_UNSHARED, false },
	{ "blocks", FROM_START, true },
	{ "blocks-in-vc", FROM_VC, true },
	{ "blocks-busy", FROM_VMGEXIT, true },
	{ "blocks-asked", FROM_REQUEST, true },
	{ "blocks-late", FROM_PROOF, true },
	{ "blocks-end", FROM_UNSHARED, true },
};

static struct figures all, these;	/* outcomes of all runs; of one attack's runs */
static void *back[5];		/* __builtin_setjmp's buffer, by which runs end */
static bool running;		/* a run is under way */
static bool honest;		/* the host does not lie in this run */
static u64 exits;		/* of the present run */
static struct {
	enum end end;
	bool stopped;		/* the model could not run the guest on */
	bool entered;		/* the payload's entry was reached */
	bool arrived;		/* walk()'s last instruction was reached */
	u64 term;		/* termination request; 0: none */
} run;
static bool walked;		/* the snapshot was taken by walk() */

bool campaign_running(void)
{
	return running;
}

/* Ends the run and continues in play(). */
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
	if (attack_by_loader() || attack_by_memory())
		leave(END_PASS);
}

void campaign_exit(void)
{
	if (running && ++exits > EXITS_MAX) {
		if (!attack_by_memory())
			watch_fail("the run has not ended after so many exits", exits);
		leave(END_ERROR);
	}
}

/*
 * A violation is a fault of the stub, whatever the host answered before.  An
 * "unsupported event" request is not, because the host injected an unknown exit
 * code; the guest terminates next.
 */
void campaign_violation(unsigned int code)
{
	if (code == VIOL_UNSUPPORTED_EVENT)
		return;
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
 * Replaces the first @end in @text by NUL and returns what follows it.  Returns the
 * terminating NUL of @text if @end does not occur.
 */
static char *cut(char *text, char end)
{
	for (; *text && *text != end; text++)
		;
	if (*text)
		*text++ = '\0';
	return text;
}

/* Sets the range of jobs from "A", "A-B" or "A-B/STRIDE". */
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

/* Returns the window @name, or NULL. */
static const struct window *find_window(const char *name)
{
	const struct window *window;

	for (window = windows; window < windows + ARRAY_SIZE(windows); window++)
		if (!strcmp(window->name, name))
			return window;
	return NULL;
}

/*
 * Checks all names in --attack before the first run, because a wrong name at the
 * list's end would otherwise be found hours later.
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
 * Sets jobs from one element of --attack: "NAME", "NAME:RANGE", "all:FORMS",
 * "others:FORMS", or a window's name with a range.  @name is cut into pieces.
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
	if (jobs.attack && jobs.attack->memory && !memory_given())
		end_run(END_USAGE, "--attack %s needs --memory", jobs.attack->name);
	jobs.from = 0;
	jobs.to = jobs.window ? 0 : jobs.attack->count - 1;
	if (*range)
		set_range(range);
}

/*
 * Sets watch from "START-END,GHCB,PROOF[,IDT]".  With IDT the three addresses in
 * the stub are those that it was linked at; campaign_vmgexit() moves them.
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
	else if (!strcmp(name, "memory"))
		memory_option(value);
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
 * Judges how the run ended.  Returns NULL and sets *@outcome if that is allowed;
 * else returns what is wrong, with a number that helps in *@at.
 */
static const char *judge(const struct vcpu *vcpu, enum outcome *outcome, u64 *at)
{
	/* The stub clears the GHCB MSR and the IDT last, for the payload. */
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
			return "the guest passed without the payload's entry";
		*outcome = attack_by_loader() || attack_by_memory() ? ENTERED : BOOTED;
	} else if (attack_by_memory()) {
		*outcome = run.end == END_TERMINATED ? TERMINATED :
			   run.end == END_TRIPLE_FAULT ? TRIPLE_FAULT :
			   run.stopped ? HOST_STOP : STUCK;
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
	} else if (run.end == END_GUEST && config.sev != SEV_ES) {
		*outcome = HALTED;
	} else {
		return "a run must not end as this enum end of report.h";
	}
	return NULL;
}

/* Counts the run in *@f. */
static void count(struct figures *f, enum outcome outcome)
{
	f->runs++;
	f->outcomes[outcome]++;
	if (outcome == TERMINATED)
		f->terms[run.term >> 12 & 0xf][run.term >> 16 & 0xff]++;
}

/* Writes " OUTCOME=NUMBER" for each outcome that occurred, and ends the line. */
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
 * Plays one run from the snapshot, with the lies that attack.c has.  @number
 * determines KASLR's random numbers.  After walk(), @left is the number of
 * instructions to the lies' events.
 */
static void play(struct vcpu *vcpu, u64 number, u64 left)
{
	memset(&run, 0, sizeof(run));
	exits = 0;
	snapshot_restore(vcpu);
	watch_start();
	memory_start();
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
 * Writes a run's line: @label and @number name it, and its lies follow.  If @why is
 * not NULL the line starts with FAIL and ends with @why and @at; else the caller
 * continues it.
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

/* Plays a run, counts how it ended, and writes a FAIL line if that is not allowed. */
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

/* Plays a run without lies, which must boot the payload. */
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

/* Plays @attack with each N from @from to @to in steps of @stride. */
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

/* Plays each attack in at most @forms forms, spread over all of its forms. */
static void play_all_attacks(struct vcpu *vcpu, u64 forms)
{
	const struct attack *attack;
	unsigned int i;

	for (i = 0; (attack = attack_by_number(i)); i++) {
		u64 stride = (attack->count + forms - 1) / forms;

		if ((jobs.others && attack_is_event(attack)) ||
		    (attack->memory && !memory_given()))
			continue;
		play_attack(vcpu, attack, attack_mix(i) % stride, attack->count - 1, stride);
	}
}

/* ---- Every instruction of a window. */

/* fire() of walk(): the run has arrived at its last instruction. */
__attribute__((noreturn)) static void arrive(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	(void)vcpu;
	run.arrived = true;
	leave(END_PASS);
}

/*
 * Runs @count instructions from the snapshot, counted from @trigger, without lies,
 * and makes the state there the next snapshot.  Returns false if the run ends
 * before that.
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

/* Plays each event once at the snapshot's instruction, which is number @at. */
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
 * Changes BLOCK_RUNS blocks of --memory at the snapshot's instruction, which is
 * number @at, one block in each run.  @at determines at which block they start, so
 * that a long window plays all of them.  Changes that would change nothing are left
 * out.
 */
static void play_blocks(struct vcpu *vcpu, const char *label, u64 at)
{
	u64 count = (u64)memory_blocks() * CHANGES, n = attack_mix(at) % count, tries;
	unsigned int runs = 0;

	for (tries = 0; tries < count && runs < BLOCK_RUNS; tries++, n++) {
		if (!memory_matters(n % count))
			continue;
		attack_clear();
		attack_add(&memory_block_attack, n % count);
		play_and_judge(vcpu, label, at);
		runs++;
	}
}

/*
 * Plays every event, or changes of blocks, at each @stride-th instruction of @window
 * from @from to @to.  A
 * snapshot at each instruction saves each run the way to it.  The snapshot of the
 * start is lost thereby, so this must be the last job of the process.
 */
static void play_every(struct vcpu *vcpu, const struct window *window, u64 from, u64 to,
		       u64 stride)
{
	u64 at = from;
	bool more;

	if (walked || kaslr_wanted())
		end_run(END_USAGE, "--attack %s must be the only window of a process, "
			"without --chance", window->name);
	if (window->blocks && !memory_blocks())
		end_run(END_USAGE, "--attack %s needs --memory with ranges", window->name);
	memset(&these, 0, sizeof(these));
	for (more = walk(vcpu, window->trigger, from); more && at <= to;
	     more = walk(vcpu, window->trigger, stride), at += stride)
		if (window->blocks)
			play_blocks(vcpu, window->name, at);
		else
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

/* Plays all elements of --attack in turn. */
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

/* Plays the random lies of each seed. */
static void play_seeds(struct vcpu *vcpu, u64 from, u64 to)
{
	for (; from <= to; from += jobs.stride) {
		attack_clear();
		attack_random(from);
		play_and_judge(vcpu, "seed", from);
	}
}

/*
 * With firmware the campaign starts when the stub first asks for CPUID by the MSR
 * protocol, because firmware itself is not attacked.  Firmware does not use the MSR
 * protocol once it has a GHCB page, so such a request is the stub's.  The stub has
 * loaded its IDT by then, whose address tells where it runs.
 */
void campaign_vmgexit(struct vcpu *vcpu)
{
	static bool firmware_has_ghcb, begun;

	if (!config.hostile || config.mode != MODE_OVMF || begun)
		return;
	if (!(vcpu->ghcb_msr & GHCB_MSR_INFO_MASK))
		firmware_has_ghcb = true;
	/* The stub has no GHCB page before this request is answered. */
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
	 * Each honest run moves the payload by another distance.  Words of the
	 * payload that depend on it differ, and watch.c ignores them later.
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
