/* SPDX-License-Identifier: MIT */
/*
 * A host that lies: what an attack is, and where it takes part in a run.
 *
 * An attack is a name and a number N below its count: which of its forms.  A
 * lie is one attack in one run.  Files by what is lied about: lies.c what the
 * host answers, events.c what it makes the CPU raise, badload.c what the loader
 * hands over; watch.c and hostile.c judge what comes of it.
 */
#ifndef SEVEMU_ATTACK_H
#define SEVEMU_ATTACK_H

#include "sevemu.h"

struct boot_params;
struct lie;

struct attack {
	const char *name;
	u32 count;		/* N is below it; for a step: of random ones */
	u32 arg;		/* for the functions below */
	const char *text;

	/* One or more of these say what it does. */
	void (*cpuid)(struct lie *lie, u32 function, struct cpuid_regs *r);
	u64 (*answer)(struct lie *lie, u64 request, u64 value);
	void (*reply)(struct lie *lie, struct ghcb *page,
		      const struct ghcb *request);
	u32 (*port)(struct lie *lie, u16 port, u32 value);
	u64 (*tsc)(struct lie *lie, u64 tsc);
	u64 (*status)(struct lie *lie, u64 status);
	void (*load)(struct lie *lie, struct boot_params *bp);
	void (*fire)(struct lie *lie, struct vcpu *vcpu);
	enum trigger trigger;	/* of fire */
	bool no_random;		/* RDRAND never has a number; form 1: KASLR's has not */
	bool rewrite;		/* the GHCB page changes at each access */
	bool alias;		/* address bit N, or @arg, leads to the same memory, shared */
	bool replace;		/* what proves the C-bit is another value afterwards */
};

struct lie {
	const struct attack *attack;
	u64 n;
	u64 seen;		/* occasions that were let pass */
	u64 left;		/* instructions until fire(), while counting */
	bool counting, done;
};

#define LIES_MAX		4

/* attack.c */
extern struct lie lies[LIES_MAX];
extern unsigned int lie_count;
extern bool attack_on;		/* the stage runs, and the host lies */
const struct attack *attack_find(const char *name);
const struct attack *attack_by_number(unsigned int number);
void attack_clear(void);
void attack_add(const struct attack *attack, u64 n);
void attack_random(u64 seed);
bool attack_by_loader(void);

/* One that a walk can play at every instruction. */
bool attack_is_event(const struct attack *attack);

void attack_print(void);
void attack_list(void);
u64 attack_mix(u64 x);
void attack_noise(void *to, size_t len, u64 seed);
void attack_load(struct boot_params *bp);

/* Of this lie's occasions, is this number @which? */
static inline bool occasion(struct lie *lie, u64 which)
{
	return lie->seen++ == which;
}

/* lies.c */
extern const struct attack answer_attacks[];
extern const unsigned int answer_count;

/* events.c */
extern const struct attack event_attacks[];
extern const unsigned int event_count;
extern const struct attack flood_attacks[];	/* not for random ones */
extern const unsigned int flood_count;
bool events_flooded(void);
bool events_no_random(void);
void events_pile(struct lie *lie, struct vcpu *vcpu);
void events_start(struct vcpu *vcpu);
void events_begin(u64 left);

/* badload.c */
extern const struct attack load_attacks[];
extern const unsigned int load_count;

#endif
