/* SPDX-License-Identifier: MIT */
/*
 * attack_once.c - attacks in a single run of any guest, such as a stock kernel or firmware.
 *
 * Runs with option --attack-once.  The user of sevemu judges the run, by its exit status or
 * its console.  The attacks begin at the guest's start, at the address of --marker, after a
 * number of exits, or when the sevemu script asks for it because of a line of the console.
 * From then on the host gives wrong answers.  The host injects an event, such as a #VC that no
 * instruction has caused, only once.
 */
#include "attack.h"
#include "attack_events.h"
#include "attack_once.h"
#include "hooks.h"
#include "log.h"
#include "main.h"
#include "report.h"
#include "sevemu.h"

/* True from once_begin() until the events of the attacks of this run have been injected. */
static bool due;
static u64 exits;		/* number of the guest's exits */
/* The number of #VC exceptions that the guest had in this run up to its last VMEXIT. */
static u64 vcs;

/* Adds @attack:@n to lies[].  Ends the run with a message if only a campaign can play it. */
static void add(const struct attack *attack, u64 n)
{
	if (attack->no_random || attack->rewrite || attack->alias || attack->replace ||
	    attack->memory || (attack->fire && !events_single(attack)))
		end_run(END_USAGE, "--attack %s is not possible with --attack-once: it takes "
			"attacks that change an answer or inject one event", attack->name);
	attack_add_checked(attack, n);
}

void once_option(char *text)
{
	attack_each(text, add);
}

void once_start(void)
{
	attack_start();
	if (!config.has_marker && !config.once_exits && !config.once_later)
		once_begin();
}

void once_begin(void)
{
	unsigned int i;

	if (!config.once || attack_on)
		return;
	/* Keep attack_events.c from injecting the events, because once_exit() injects them. */
	for (i = 0; i < lie_count; i++)
		lies[i].done = true;
	attack_on = true;
	due = true;
	log_printf("the attack begins");
}

void once_exit(struct vcpu *vcpu)
{
	u64 vcs_before = vcs;
	unsigned int i;

	if (!config.once)
		return;
	vcs = report_figure(HOOK_COUNT_VC);
	if (config.once_exits && ++exits == config.once_exits)
		once_begin();
	/*
	 * The attack's event waits for the next exit in two cases.  First, if the exit has
	 * interrupted the delivery of another event, that event must be injected first.  Second,
	 * if sevemu has raised #VC at this exit, a real host would see no exit here.
	 */
	if (!due || vcpu->vmcb->event_inj & EVENT_VALID || vcs != vcs_before)
		return;
	due = false;
	for (i = 0; i < lie_count; i++)
		if (lies[i].attack->fire)
			lies[i].attack->fire(&lies[i], vcpu);
}
