/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - which runs of a campaign the options --attack and --hostile ask for (jobs.c).
 */
#ifndef SEVEMU_JOBS_H
#define SEVEMU_JOBS_H

#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "sevemu.h"

/*
 * A window: a set of moments of the guest's run, and what the emulated host does at each of
 * these moments.  The host injects an event (NMI, #VC and so on), or changes a block of private
 * memory.  For each moment, campaign.c runs the guest once for each kind of event, or once for
 * each of some blocks.  The option --attack names a window in two parts.  The first part says what
 * the host does, such as "every" (inject every kind of event).  The second part says which moments
 * the window has, such as "-late" (the instructions after the stub's proof of its C-bit).  Without
 * a second part they are the guest's instructions from the start of the stub on.
 */
struct window {
	/* true: the host injects events; false: it changes blocks of memory. */
	bool events;
	/* Which kind of memory the host changes, if it changes memory. */
	enum memory_kind kind;
	enum trigger trigger;
	/*
	 * true: the window's moments are the occurrences of @trigger.  false: its moments are
	 * the guest's instructions, counted from @trigger.
	 */
	bool each;
};

/*
 * The runs of the guest that --attack or --hostile asks for.  --attack takes a
 * list of attacks.  The members after @attacks describe the element of this
 * list whose runs are under way.
 */
struct jobs {
	/* The text of the option --attack.  NULL: --hostile was given instead. */
	char *attacks;
	/* The attack that --attack names; unused if @all or @window is set. */
	const struct attack *attack;
	/* --attack names no attack, but says "all" or "others", which stand for many attacks. */
	bool all;
	/* --attack says "others": all attacks except those that inject an event. */
	bool others;
	/* The moments of the guest's run that --attack names; NULL: it names none. */
	const struct window *window;
	/*
	 * The guest runs with each number from @from to @to in steps of @stride.  The number is
	 * the parameter N of @attack, the seed of --hostile, or the number of a moment of
	 * @window, from 0: see struct window.  If @all is set, @from and @stride are not used, and
	 * each attack is run with at most @to values of N, spread over those that it has.
	 */
	u64 from, to, stride;
};

extern struct jobs jobs;

/*
 * Splits @text at the first character @end, which is replaced by NUL, and
 * returns the second part.  The second part is empty if @end does not occur.
 */
char *cut(char *text, char end);

/*
 * Sets jobs from @name, one element of the list that --attack takes.  An attack has a
 * parameter N, a number: see attack.h.  The element is one of these:
 * - "NAME" or "NAME:RANGE": the attack NAME, once for each N that it has, or
 *   for each N of RANGE.
 * - "all:COUNT": every attack, with at most COUNT values of N.
 * - "others:COUNT": every attack that does not inject an event, with at most COUNT values
 *   of N.
 * - "WINDOW:RANGE", such as "every:0-99", with the name of a struct window: for each N of RANGE
 *   the events or changes of memory of this window, at the window's moment N.  The moments of
 *   "every" are the guest's instructions, counted from the start of the stub.
 * Changes @name.  jobs_option() has checked the name.  A wrong range terminates sevemu.
 */
void jobs_set_attack(char *name);

/*
 * Handles the command line option @name if it is attack, hostile, watch or
 * chance, and returns true.  Returns false for any other option.  main.c calls
 * it for each option.  @value is the option's text; it is changed and must stay
 * allocated.  "--attack list" and a wrong value terminate sevemu.
 */
bool jobs_option(const char *name, char *value);

/*
 * Returns whether @name is the name of a window of --attack (struct window), such as "every-late":
 * every event, at each instruction after the proof of the C-bit.  May be called at any time.
 */
bool jobs_window(const char *name);

#endif
