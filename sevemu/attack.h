/* SPDX-License-Identifier: MIT */
/*
 * attack.h - a host that attacks its guest: the attacks, the lies of a run, and
 * the places in the emulator where a lie takes effect (attack.c).
 *
 * An attack has a name and a number N that selects its form.  A lie is one attack
 * with its N in one run.  The attacks are in attack_answers.c (what the host
 * answers), attack_events.c (what it makes the processor raise), attack_memory.c
 * (what it does to private memory) and attack_loader.c (what the loader hands over).
 * campaign.c plays the runs and
 * judges them, watch.c and watch_kaslr.c look for leaks and stray stores.
 */
#ifndef SEVEMU_ATTACK_H
#define SEVEMU_ATTACK_H

#include "ghcb.h"
#include "sevemu.h"

struct boot_params;
struct lie;

/* What an attack waits for before it counts instructions up to its fire(). */
enum trigger {
	FROM_START,		/* the first instruction of the run */
	FROM_VC,		/* a #VC has been delivered */
	FROM_VMGEXIT,		/* a VMGEXIT, by MSR or by page */
	FROM_PROOF,		/* the guest runs the code at --watch's PROOF */
	FROM_UNSHARED,		/* a shared frame, such as the GHCB, turned private */
	FROM_REQUEST,		/* a request by the GHCB page */
	FROM_CR4,		/* a write to CR4 */
};

/*
 * An attack: its name, and at least one member that says what it does.  A member
 * that is NULL or false has no part in it.
 */
struct attack {
	const char *name;
	u32 count;		/* number of forms: N is below it, but may be
				 * higher for attacks by events */
	u32 arg;		/* a constant for this attack's functions; 0: none */
	const char *text;	/* description for --attack list */

	/* The functions that attack_cpuid() to attack_load() below call. */
	void (*cpuid)(struct lie *lie, u32 function, struct cpuid_regs *r);
	u64 (*answer)(struct lie *lie, u64 request, u64 value);
	void (*reply)(struct lie *lie, struct ghcb *page,
		      const struct ghcb *request);
	u32 (*port)(struct lie *lie, u16 port, u32 value);
	u64 (*tsc)(struct lie *lie, u64 tsc);
	u64 (*status)(struct lie *lie, u64 status);
	void (*load)(struct lie *lie, struct boot_params *bp);

	/* Called before the entry at which lie->left instructions have run. */
	void (*fire)(struct lie *lie, struct vcpu *vcpu);
	enum trigger trigger;	/* what fire() is counted from */

	bool no_random;		/* RDRAND fails: N = 0 always, N = 1 for KASLR only */
	bool rewrite;		/* the GHCB page changes each time the guest reads it */
	bool alias;		/* address bit @arg, or N if @arg is 0, is ignored and
				 * leads to the shared view */
	bool each;		/* fire() is called at occasion N of @trigger, from 0,
				 * and counts no instructions */
	bool memory;		/* private memory is changed, so the guest may do
				 * anything that tells the host no secret */
	bool replace;		/* the word in memory that proves the C-bit is changed
				 * when the C-bit takes effect */
};

/* One attack in one run. */
struct lie {
	const struct attack *attack;
	u64 n;			/* N: the form, or instructions to an event */
	u64 seen;		/* occasions so far; each attack counts its own kind */
	u64 left;		/* instructions until fire() is called;
				 * page-rewrite counts replies here */
	bool counting;		/* @trigger has occurred, @left counts down */
	bool done;		/* fire() was called and is not to be called again */
};

#define LIES_MAX		4

/* The lies of the present run, in the order in which they take effect. */
extern struct lie lies[LIES_MAX];
extern unsigned int lie_count;

/* Lies take effect.  campaign.c sets it for a run, until the payload is entered. */
extern bool attack_on;

/* Returns the attack @name, or NULL. */
const struct attack *attack_find(const char *name);

/* Returns attack @number of all tables, from 0; NULL behind the last one. */
const struct attack *attack_by_number(unsigned int number);

/* Returns whether @attack is one of event_attacks[]. */
bool attack_is_event(const struct attack *attack);

/* Removes all lies.  Only between two runs. */
void attack_clear(void);

/* Adds a lie; there must be less than LIES_MAX.  Only between two runs. */
void attack_add(const struct attack *attack, u64 n);

/*
 * Adds 1 to LIES_MAX lies, which depend on @seed only; the run must have no lies
 * yet.  Does not choose floods of NMIs, nor attacks on the loader in MODE_OVMF.
 */
void attack_random(u64 seed);

/* Returns whether a lie of this run is told by the loader. */
bool attack_by_loader(void);

/* Appends " NAME:N" for each lie to the text that log.h gathers. */
void attack_print(void);

/* Writes all attacks to the log, one a line: name, range of N, description. */
void attack_list(void);

/* Returns 64 bits that depend on all bits of @x: the only source of randomness. */
u64 attack_mix(u64 x);

/* Fills @len bytes at @to, rounded down to 8, with bytes that @seed determines. */
void attack_noise(void *to, size_t len, u64 seed);

/*
 * The places where lies take effect.  Each gets what an honest host would give to
 * the guest, passes it through the lies of the run, and changes nothing if attack_on
 * is false.
 */

/* Changes the CPUID registers *@r of @function (EAX).  Called by cpuid.c. */
void attack_cpuid(u32 function, struct cpuid_regs *r);

/* Returns the MSR protocol's answer to @request; @value is honest.  Called by ghcb.c. */
u64 attack_answer(u64 request, u64 value);

/*
 * Changes @page, the guest's GHCB with an honest reply; @request is a copy of it
 * as the guest left it.  Called by ghcb.c.
 */
void attack_reply(struct ghcb *page, const struct ghcb *request);

/* Returns what is read from @port; @value is honest.  Called by io.c. */
u32 attack_port(u16 port, u32 value);

/* Returns the time stamp counter; @tsc is honest.  Called by ghcb.c. */
u64 attack_tsc(u64 tsc);

/* Returns the SEV_STATUS MSR; @status is honest.  Called by exits.c. */
u64 attack_status(u64 status);

/*
 * Changes the zero page @bp and what it points to, even while attack_on is false.
 * campaign.c calls it once a run, before the guest starts.
 */
void attack_load(struct boot_params *bp);

/* Counts an occasion of @lie; returns whether it is number @which, from 0. */
static inline bool occasion(struct lie *lie, u64 which)
{
	return lie->seen++ == which;
}

#endif
