/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - reads the options of a campaign, in which campaign.c runs the guest many times
 * under attack: which attacks are played how often, and what watch.c checks.  Runs before
 * the guest does, and again for each element of the list that --attack takes.
 */
#include "jobs.h"

#include "main.h"
#include "report.h"
#include "string.h"
#include "watch.h"
#include "watch_kaslr.h"

/* The size in bytes of a buffer for an attack's name, with the NUL. */
#define ATTACK_NAME_MAX		64
/* "--attack all" without COUNT runs the guest at most this many times for each attack. */
#define FORMS			32

struct jobs jobs = { .stride = 1 };

static const struct {
	const char *name;
	bool events;
	enum memory_kind kind;
} window_kinds[] = {
	{ "every", .events = true },
	{ "blocks", .kind = MEMORY_DECISIONS },
	{ "stacks", .kind = MEMORY_STACKS },
	{ "tables", .kind = MEMORY_TABLES },
	{ "code", .kind = MEMORY_CODE },
	{ "output", .kind = MEMORY_OUTPUT },
};

static const struct {
	const char *name;
	enum trigger trigger;
	bool each;
} window_moments[] = {
	{ "", FROM_START, false },
	{ "-in-vc", FROM_VC, false },
	{ "-busy", FROM_VMGEXIT, false },
	{ "-asked", FROM_REQUEST, false },
	{ "-late", FROM_PROOF, false },
	{ "-end", FROM_UNSHARED, false },
	{ "-exits", FROM_VMGEXIT, true },
	{ "-faults", FROM_FAULT, true },
};

char *cut(char *text, char end)
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

/*
 * Returns the window (jobs.h) whose name in --attack is @name.  The next call overwrites it.
 * Returns NULL if no window has this name.
 */
static const struct window *find_window(const char *name)
{
	static struct window window;
	unsigned int kind, moment;
	size_t len;

	for (kind = 0; kind < ARRAY_SIZE(window_kinds); kind++) {
		len = strlen(window_kinds[kind].name);
		for (moment = 0; moment < ARRAY_SIZE(window_moments); moment++) {
			if (memcmp(name, window_kinds[kind].name, len) ||
			    strcmp(name + len, window_moments[moment].name))
				continue;
			window.events = window_kinds[kind].events;
			window.kind = window_kinds[kind].kind;
			window.trigger = window_moments[moment].trigger;
			window.each = window_moments[moment].each;
			return &window;
		}
	}
	return NULL;
}

bool jobs_window(const char *name)
{
	return find_window(name);
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
			attack_unknown(name);
		while (*text && *text++ != ',')
			;
	}
}

void jobs_set_attack(char *name)
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
	/*
	 * attack_find() returns NULL only for the name of a window, because check_attacks()
	 * has refused every name that is neither an attack nor a window.
	 */
	jobs.attack = attack_find(name);
	if (jobs.attack && jobs.attack->memory && !memory_given())
		end_run(END_USAGE, "--attack %s needs --memory", name);
	jobs.from = 0;
	jobs.to = jobs.attack ? jobs.attack->count - 1 : 0;
	if (*range)
		set_range(range);
}

/*
 * Fills struct watch from the value of --watch, "START-END,GHCB,PROOF[,IDT]".
 * START and END enclose the payload.  GHCB is the address of the stub's GHCB page,
 * PROOF that of the instruction at which the stub has proven its C-bit, and IDT that
 * of the stub's IDT.  IDT is given if firmware loads the stub, at an address that is known only
 * at run time.  GHCB, PROOF and IDT are then the addresses for which the stub is linked.  At the
 * stub's first request campaign_vmgexit() subtracts IDT from the base in the guest's IDTR, and
 * adds the difference to GHCB and PROOF.
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

bool jobs_option(const char *name, char *value)
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
