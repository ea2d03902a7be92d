/* SPDX-License-Identifier: MIT */
/*
 * attack.h - a host that attacks its guest: the table of attacks, the attacks
 * chosen for a run, and the functions by which they change what the guest gets
 * (attack.c).
 *
 * An attack is one kind of misbehaviour of the emulated host, such as a wrong
 * position of the C-bit in CPUID.  It has a name and a number N that selects
 * one of its forms.  A lie is one attack with its N in one run.  The attacks
 * are in attack_answers.c (the host's answers), attack_events.c (#VC, NMIs,
 * interrupts and exceptions), attack_memory.c (changes of private memory),
 * attack_loader.c (what the loader hands over) and attack_snp.c (SEV-SNP).
 * campaign.c runs the guest many times, each time with other lies.
 */
#ifndef SEVEMU_ATTACK_H
#define SEVEMU_ATTACK_H

#include "ghcb.h"
#include "sevemu.h"

struct boot_params;
struct lie;

/*
 * The event after which the guest executes N more instructions, until the
 * attack injects an exception or interrupt by its function fire().
 */
enum trigger {
	/* The attack acts N guest instructions after the start of the run. */
	FROM_START,
	/* The attack acts N guest instructions after the delivery of a #VC. */
	FROM_VC,
	/* The attack acts N guest instructions after a VMGEXIT. */
	FROM_VMGEXIT,
	/*
	 * The attack acts N instructions after the guest has reached the
	 * address that --watch gives as PROOF.  The stub runs the code there
	 * once it has proven the position of the C-bit.
	 */
	FROM_PROOF,
	/*
	 * The attack acts N instructions after the guest has made a shared page
	 * private, such as the GHCB page.
	 */
	FROM_UNSHARED,
	/* The attack acts N guest instructions after a request by the GHCB page. */
	FROM_REQUEST,
	/* The attack acts N guest instructions after a write to CR4. */
	FROM_CR4,
	/*
	 * The attack acts N guest instructions after the guest has set EFER.NXE.  The
	 * stub sets EFER.NXE right before it builds its page tables.
	 */
	FROM_NXE,
	/*
	 * The attack acts N guest instructions after the guest's first access to
	 * a private frame, which the host has unmapped (events_unmap()).
	 */
	FROM_FAULT,
	/*
	 * The attack acts N guest instructions after each RDRAND of KASLR (--chance).  The
	 * attack tries to make the payload's virtual address predictable.  campaign.c therefore
	 * boots the guest several times, and fails the run if the address is always the same.
	 */
	FROM_RANDOM,
};

/*
 * An attack, which is one kind of misbehaviour of the emulated host.  At least
 * one function pointer or flag is set and says what the attack does.  A member
 * that is NULL or false has no effect in this attack.
 */
struct attack {
	const char *name;
	/*
	 * N is the number after the attack's name on the command line (NAME:N).  A campaign
	 * may play the values 0 to @count - 1.  For an attack that injects an event (#VC, NMI
	 * and so on), N is the number of the instruction before which the attack injects the
	 * event, and --attack also accepts an N of @count or more.
	 */
	u32 count;
	/*
	 * A constant for this attack's functions, such as the exit code of the
	 * #VC that fire() injects; 0: not used.
	 */
	u32 arg;
	/* The attack's description, which "--attack list" prints. */
	const char *text;

	/*
	 * Each of these functions turns one kind of honest answer of the host
	 * into a wrong one.  attack_cpuid() calls cpuid(), attack_answer()
	 * calls answer(), and so on, for every attack of the present run.
	 */
	void (*cpuid)(struct lie *lie, u32 function, struct cpuid_regs *r);
	u64 (*answer)(struct lie *lie, u64 request, u64 value);
	void (*reply)(struct lie *lie, struct ghcb *page,
		      const struct ghcb *request);
	u32 (*port)(struct lie *lie, u16 port, u32 value);
	u64 (*tsc)(struct lie *lie, u64 tsc);
	u64 (*status)(struct lie *lie, u64 status);
	void (*load)(struct lie *lie, struct boot_params *bp);

	/*
	 * Injects the attack's event.  The run loop calls fire() before the
	 * guest executes the instruction that is N instructions after
	 * @trigger.
	 */
	void (*fire)(struct lie *lie, struct vcpu *vcpu);
	/*
	 * The event from which the N guest instructions until fire() are
	 * counted.
	 */
	enum trigger trigger;

	/*
	 * RDRAND reports that no random number is available.  With N = 0 every
	 * RDRAND of the stub fails, with N = 1 only the one for KASLR.
	 */
	bool no_random;
	/* The host changes the GHCB page each time the guest reads it. */
	bool rewrite;
	/*
	 * The host tells the guest a wrong position of the C-bit: bit @arg, or,
	 * if @arg is 0, the bit whose number the command line gives after the
	 * attack's name (NAME:N).  So that the guest notices no fault, the nested
	 * page tables ignore this bit of guest-physical addresses: with it set,
	 * the guest accesses the same memory as with it clear, unencrypted.
	 */
	bool alias;
	/*
	 * The host changes the random word in memory by which the stub proves
	 * the position of the C-bit, at the CR3 or CR0 write that turns the
	 * C-bit on.
	 */
	bool replace;
	/*
	 * The run loop calls fire() when @trigger occurs for the Nth time, counted
	 * from 0, and counts no instructions.
	 */
	bool each;
	/*
	 * The host changes private memory.  campaign.c then accepts whatever the
	 * guest does, unless the guest tells the host a secret.
	 */
	bool memory;
};

/* A lie: one attack of the emulated host in one run of the guest. */
struct lie {
	const struct attack *attack;
	/*
	 * The attack's number N.  It selects one of the attack's forms, or is
	 * the number of guest instructions up to the event that is injected.
	 */
	u64 n;
	/*
	 * The number of opportunities that the attack had in this run, such as
	 * the number of CPUID answers.  The attack's own function counts them.
	 */
	u64 seen;
	/*
	 * The number of guest instructions until fire() is called.  The attack
	 * page-rewrite counts replies by the GHCB page in this field instead.
	 */
	u64 left;
	/*
	 * True from the event attack->trigger on, while guest instructions are
	 * counted for @left.
	 */
	bool counting;
	/* The attack has injected its event and injects no other in this run. */
	bool done;
	/*
	 * The guest has got a wrong answer by this lie, or the lie has changed the guest's
	 * memory.  An attack that injects an event sets @done instead.
	 */
	bool told;
};

#define LIES_MAX		4

/* The lies of the present run: attacks, each with its N (NAME:N), in the order of attack_add(). */
extern struct lie lies[LIES_MAX];
extern unsigned int lie_count;

/*
 * Whether the host misbehaves at present.  campaign.c sets attack_on when a run
 * starts and clears it when the guest enters the payload.
 */
extern bool attack_on;

/* Returns the attack called @name; NULL if no attack has this name. */
const struct attack *attack_find(const char *name);

/*
 * Calls @add for each element "NAME" or "NAME:N" of @text, a comma-separated list from the
 * command line.  N is 0 if an element has no ":N".  Changes @text.  An unknown name or a
 * wrong number ends the run.
 */
void attack_each(char *text, void (*add)(const struct attack *attack, u64 n));

/*
 * Appends @attack, with @n as its number N, to lies[], as attack_add() does.  Ends the run
 * with a message if @n is too large for @attack, or if lies[] is full.
 */
void attack_add_checked(const struct attack *attack, u64 n);

/*
 * Ends the run with a message that says why attack_find() has found no attack called @name:
 * the attack needs an SNP guest, or @name is the name of a struct window (jobs.h), which only
 * a campaign can play, or nothing has this name.
 */
__attribute__((noreturn)) void attack_unknown(const char *name);

/*
 * Returns attack @number, counted from 0 through all tables of attacks.
 * Returns NULL if the tables have no attack with this number.
 */
const struct attack *attack_by_number(unsigned int number);

/*
 * Returns whether @attack is in event_attacks[], the attacks that inject a #VC,
 * an NMI, an interrupt or an exception.
 */
bool attack_is_event(const struct attack *attack);

/*
 * Returns whether @attack is in load_attacks[], the lies of a loader to the stub.  The option
 * "--attack all" plays these lies only if --watch names a payload, because the guest is a stub
 * then.
 */
bool attack_is_for_stub(const struct attack *attack);

/*
 * To be called right before and right after the emulated host does something that may
 * change the guest's memory.  In a campaign, attack_ends() fails the run of an SNP guest if
 * validated private memory has other bytes than at attack_begins(), because SEV-SNP promises
 * that no host can change it.
 */
void attack_begins(void);
void attack_ends(void);

/*
 * Empties lies[], the list of this run's attacks, so that the emulated host is
 * honest.  To be called between two runs of the guest only.
 */
void attack_clear(void);

/*
 * Appends @attack, with @n as its number N, to lies[], the list of this run's
 * attacks, which must have less than LIES_MAX entries.
 * To be called between two runs of the guest only.
 */
void attack_add(const struct attack *attack, u64 n);

/*
 * Chooses at least one and at most LIES_MAX random attacks for the next run and
 * puts them into lies[], which must be empty.  The choice depends on @seed
 * only.  Floods of NMIs are never chosen.  Attacks by a lying loader are not
 * chosen in MODE_OVMF, because firmware is the loader there.  For an SNP guest the
 * choice includes the attacks of attack_snp.c.
 */
void attack_random(u64 seed);

/*
 * Returns whether this run has an attack in which the loader hands a wrong
 * memory map, setup_data list or other boot parameter to the guest.
 */
bool attack_by_loader(void);

/*
 * Returns whether the host has told all lies of this run.  sevemu does not record this for
 * some attacks, such as those that change memory or random numbers; these count as told.
 */
bool attack_all_told(void);

/*
 * In a single run, without a campaign, ends sevemu with an error if the host has not told all
 * lies of the run, because the run then says nothing about these attacks.  report.c calls it
 * when the guest has ended with success.
 */
void attack_check_told(void);

/*
 * Inverts the eight bytes of RAM at @gpa, which no real host can do to private memory of an
 * SNP guest.  A test guest calls it by HOOK_BREAK, to test that campaign.c notices the change.
 * If @later is true, the bytes are inverted in the next attack_ends() instead.
 */
void attack_break(u64 gpa, bool later);

/* Appends " NAME:N" for each attack of the run to log.h's unfinished line. */
void attack_print(void);

/* Writes a line to the log for each attack: its name, range of N and description. */
void attack_list(void);

/*
 * Returns a hash of @x, of which each bit depends on all bits of @x.  All
 * random values of attacks come from this function, so that a run can be
 * repeated.
 */
u64 attack_mix(u64 x);

/*
 * Fills @len bytes at @to with pseudo-random bytes, which @seed determines.
 * @len is rounded down to a multiple of 8.
 */
void attack_noise(void *to, size_t len, u64 seed);

/*
 * The functions attack_cpuid() to attack_status() get an answer that an honest
 * host would give to the guest.  Each attack of the run may change it.  They
 * change nothing while attack_on is false.
 */

/*
 * Lets the run's attacks change *@r, the CPUID registers of @function (EAX).
 * cpuid.c calls it for each CPUID answer.
 */
void attack_cpuid(u32 function, struct cpuid_regs *r);

/*
 * Returns @value, the honest answer to @request of the GHCB MSR protocol, as
 * the run's attacks change it.  ghcb.c calls it for each answer.
 */
u64 attack_answer(u64 request, u64 value);

/*
 * Lets the run's attacks change @page, the guest's GHCB with an honest reply.
 * @request is a copy of the GHCB as the guest had filled it in.  ghcb.c calls
 * it for each reply.
 */
void attack_reply(struct ghcb *page, const struct ghcb *request);

/*
 * Returns @value, which the guest reads from I/O port @port, as the run's
 * attacks change it.  io.c calls it for each read.
 */
u32 attack_port(u16 port, u32 value);

/*
 * Returns @tsc, the time stamp counter for the guest's RDTSC or RDTSCP, as the
 * run's attacks change it.  ghcb.c calls it.
 */
u64 attack_tsc(u64 tsc);

/*
 * Returns @status, the guest's SEV_STATUS MSR, as the run's attacks change it.
 * exits.c calls it for each RDMSR of SEV_STATUS.
 */
u64 attack_status(u64 status);

/*
 * Lets the run's attacks change the zero page @bp and what it points to.
 * campaign.c calls attack_load() once a run, before the guest starts.
 * attack_load() ignores attack_on, because lies[] is empty in an honest run.
 */
void attack_load(struct boot_params *bp);

/*
 * Prepares a single run, which is no part of a campaign: those attacks of the run that
 * change what sevemu's loader hands over do so now.  If there is such an attack, but
 * firmware loads the kernel, ends the run with a message.
 */
void attack_start(void);

/*
 * Counts, in lie->seen, an opportunity of the attack to act, such as a CPUID
 * answer.  Returns whether it is opportunity number @which, from 0.
 */
static inline bool occasion(struct lie *lie, u64 which)
{
	return lie->seen++ == which;
}

#endif
