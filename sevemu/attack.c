/* SPDX-License-Identifier: MIT */
/*
 * attack.c - the table of all attacks of the emulated host, the attacks chosen
 * for a run, and the functions by which they change the host's answers.
 *
 * campaign.c calls attack_clear(), attack_add() and attack_random() between two
 * runs of the guest.  The emulator calls the other functions when it gives the
 * guest an answer.
 */
#include "attack.h"
#include "attack_answers.h"
#include "attack_events.h"
#include "attack_forge.h"
#include "attack_loader.h"
#include "attack_memory.h"
#include "attack_smp.h"
#include "attack_snp.h"
#include "campaign.h"
#include "ghcb.h"
#include "jobs.h"
#include "loader.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "snapshot.h"
#include "watch.h"

struct lie lies[LIES_MAX];
unsigned int lie_count;
bool attack_on;

/*
 * A loop over the attacks in lies[] whose function pointer @member is not NULL.
 * It visits no attack while attack_on is false, because the host answers
 * correctly then.
 */
#define for_each_lie(lie, member) \
	for (lie = lies; attack_on && lie < lies + lie_count; lie++) \
		if (lie->attack->member)

/*
 * attack_random() chooses from the first RANDOM_TABLES elements of tables[], and for an SNP
 * guest also from the last SNP_TABLES elements, the attacks for SNP guests only.
 */
#define RANDOM_TABLES		3
#define SNP_TABLES		2

/*
 * All tables of attacks.  Their order gives the attacks the numbers that attack_by_number()
 * takes.  The first RANDOM_TABLES tables have the attacks from which attack_random() chooses,
 * and the last SNP_TABLES tables the attacks for SNP guests only.
 */
static const struct {
	const struct attack *attacks;
	const unsigned int *count;
} tables[] = {
	{ answer_attacks, &answer_count },
	{ event_attacks, &event_count },
	{ load_attacks, &load_count },
	{ flood_attacks, &flood_count },
	{ memory_attacks, &memory_count },
	{ forge_attacks, &forge_count },
	{ snp_attacks, &snp_attack_count },
	{ snp_load_attacks, &snp_load_count },
};

static unsigned int table_count(void)
{
	return ARRAY_SIZE(tables) - (guest_is_snp() ? 0 : SNP_TABLES);
}

const struct attack *attack_by_number(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < table_count(); i++) {
		if (number < *tables[i].count)
			return &tables[i].attacks[number];
		number -= *tables[i].count;
	}
	return NULL;
}

const struct attack *attack_find(const char *name)
{
	const struct attack *attack;
	unsigned int i;

	for (i = 0; (attack = attack_by_number(i)); i++)
		if (!strcmp(attack->name, name))
			return attack;
	return NULL;
}

__attribute__((noreturn)) void attack_unknown(const char *name)
{
	unsigned int i, n;

	for (i = table_count(); i < ARRAY_SIZE(tables); i++)
		for (n = 0; n < *tables[i].count; n++)
			if (!strcmp(tables[i].attacks[n].name, name))
				end_run(END_USAGE, "--attack %s needs --sev snp", name);
	if (jobs_window(name))
		end_run(END_USAGE, "--attack %s needs --marker: it is a window of many runs",
			name);
	end_run(END_USAGE, "no attack is called %s (--attack list names them)", name);
}

void attack_each(char *text, void (*add)(const struct attack *attack, u64 n))
{
	const struct attack *attack;
	char *name, *number, *next;

	for (; *text; text = next) {
		name = text;
		next = cut(name, ',');
		number = cut(name, ':');
		attack = attack_find(name);
		if (!attack)
			attack_unknown(name);
		add(attack, *number ? parse_number(number) : 0);
	}
}

bool attack_is_event(const struct attack *attack)
{
	return attack >= event_attacks && attack < event_attacks + event_count;
}

/*
 * Returns whether attack_random() may choose from load_attacks[], wrong boot parameters.  The
 * guest must be a stub (--watch names its payload) that was not loaded by firmware.  Any other
 * guest may trust its boot parameters, so that no outcome of a run would be wrong.
 */
static bool loader_lies(void)
{
	return config.mode != MODE_OVMF && watch.payload;
}

bool attack_is_for_stub(const struct attack *attack)
{
	return attack >= load_attacks && attack < load_attacks + load_count;
}

void attack_list(void)
{
	const struct attack *attack, *end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		attack = tables[i].attacks;
		for (end = attack + *tables[i].count; attack < end; attack++)
			log_printf("%s:0-%u %s%s", attack->name, attack->count - 1,
				   i < ARRAY_SIZE(tables) - SNP_TABLES ? "" : "--sev snp: ",
				   attack->text);
	}
	attack_smp_list();
}

/*
 * Guest-physical address of eight bytes that the next attack_ends() must invert by attack_break(),
 * because a test guest has asked for this by HOOK_BREAK; 0: none.
 */
static u64 broken;

void attack_break(u64 gpa, bool later)
{
	if (later) {
		broken = gpa;
		return;
	}
	if (npt_host(gpa))
		*(u64 *)npt_frame(ALIGN_DOWN(gpa, sizeof(u64)), VIEW_PRIVATE) ^= ~0ull;
}

void attack_begins(void)
{
	if (attack_on && guest_is_snp() && campaign_running())
		snapshot_seal();
}

void attack_ends(void)
{
	u64 gpa;

	if (broken) {
		gpa = broken;
		broken = 0;
		attack_break(gpa, false);
	}
	if (attack_on && guest_is_snp() && campaign_running() && snapshot_broken(&gpa))
		watch_fail("the host changed a validated private page", gpa);
}

void attack_clear(void)
{
	memset(lies, 0, sizeof(lies));
	lie_count = 0;
}

void attack_add(const struct attack *attack, u64 n)
{
	lies[lie_count].attack = attack;
	lies[lie_count++].n = n;
}

void attack_add_checked(const struct attack *attack, u64 n)
{
	if (n >= attack->count)
		end_run(END_USAGE, "--attack %s:%lu: N must be 0 to %u", attack->name, n,
			attack->count - 1);
	if (lie_count == LIES_MAX)
		end_run(END_USAGE, "--attack names more than %u attacks, and one run of the "
			"guest can have no more: give some of them in another run", LIES_MAX);
	attack_add(attack, n);
}

/* One step of splitmix64, Steele's and Vigna's pseudo-random generator. */
u64 attack_mix(u64 x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void attack_noise(void *to, size_t len, u64 seed)
{
	u64 state = seed;
	u8 *p = to;

	for (; len >= sizeof(state); len -= sizeof(state), p += sizeof(state)) {
		state = attack_mix(state);
		memcpy(p, &state, sizeof(state));
	}
}

void attack_random(u64 seed)
{
	unsigned int snp_tables = !guest_is_snp() ? 0 : SNP_TABLES - (config.mode == MODE_OVMF);
	unsigned int count, count_tables, table, i;
	u64 state = attack_mix(seed);

	count = 1 + state % LIES_MAX;
	for (i = 0; i < count; i++) {
		const struct attack *attack;

		state = attack_mix(state);
		/*
		 * Floods are left out, because a flood ends the run before other
		 * lies matter.  Changes of private memory are left out, because
		 * campaign.c accepts almost any end of a run with such a change,
		 * and so would miss a wrong end that another lie causes.  With
		 * firmware load_attacks are left out too, because firmware is the
		 * loader and was measured at launch.
		 */
		count_tables = RANDOM_TABLES - !loader_lies();
		table = state % (count_tables + snp_tables);
		if (table >= count_tables)
			table += ARRAY_SIZE(tables) - SNP_TABLES - count_tables;
		state = attack_mix(state);
		attack = &tables[table].attacks[state % *tables[table].count];
		state = attack_mix(state);
		attack_add(attack, state % attack->count);
	}
}

void attack_print(void)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++) {
		put(' ');
		put_string(lies[i].attack->name);
		put(':');
		put_number(lies[i].n, 10, 1);
	}
}

/*
 * Returns whether the host has told @lie in this run.  Also returns true for the kinds of attack
 * for which sevemu does not record this.
 */
static bool told(const struct lie *lie)
{
	const struct attack *attack = lie->attack;

	return lie->told || lie->done || attack->no_random || attack->rewrite ||
	       attack->alias || attack->replace || attack->memory;
}

bool attack_all_told(void)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++)
		if (!told(&lies[i]))
			return false;
	return true;
}

void attack_check_told(void)
{
	unsigned int i;

	for (i = 0; !config.hostile && i < lie_count; i++)
		if (!told(&lies[i]))
			end_run(END_ERROR, "the guest ended well, but the host has had no "
				"occasion for the lie %s:%lu, and so the run says nothing "
				"about it: give a lower N, or an attack on what this guest "
				"uses", lies[i].attack->name, lies[i].n);
}

bool attack_by_loader(void)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++)
		if (lies[i].attack->load)
			return true;
	return false;
}

void attack_cpuid(u32 function, struct cpuid_regs *r)
{
	struct cpuid_regs before;
	struct lie *lie;

	for_each_lie(lie, cpuid) {
		before = *r;
		lie->attack->cpuid(lie, function, r);
		lie->told |= !!memcmp(&before, r, sizeof(before));
	}
}

u64 attack_answer(u64 request, u64 value)
{
	struct lie *lie;
	u64 before;

	for_each_lie(lie, answer) {
		before = value;
		value = lie->attack->answer(lie, request, value);
		lie->told |= value != before;
	}
	return value;
}

void attack_reply(struct ghcb *page, const struct ghcb *request)
{
	static struct ghcb before;
	struct lie *lie;

	attack_begins();
	for_each_lie(lie, reply) {
		before = *page;
		lie->attack->reply(lie, page, request);
		lie->told |= !!memcmp(&before, page, sizeof(before));
	}
	attack_ends();
}

u32 attack_port(u16 port, u32 value)
{
	struct lie *lie;
	u32 before;

	for_each_lie(lie, port) {
		before = value;
		value = lie->attack->port(lie, port, value);
		lie->told |= value != before;
	}
	return value;
}

u64 attack_tsc(u64 tsc)
{
	struct lie *lie;
	u64 before;

	for_each_lie(lie, tsc) {
		before = tsc;
		tsc = lie->attack->tsc(lie, tsc);
		lie->told |= tsc != before;
	}
	return tsc;
}

u64 attack_status(u64 status)
{
	struct lie *lie;
	u64 before;

	for_each_lie(lie, status) {
		before = status;
		status = lie->attack->status(lie, status);
		lie->told |= status != before;
	}
	return status;
}

void attack_load(struct boot_params *bp)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++)
		if (lies[i].attack->load) {
			lies[i].attack->load(&lies[i], bp);
			lies[i].told = true;
		}
}

void attack_start(void)
{
	unsigned int i;

	for (i = 0; i < lie_count; i++)
		if (lies[i].attack->load && config.mode == MODE_OVMF)
			end_run(END_USAGE, "--attack %s changes what sevemu's loader hands "
				"over: give --mode direct64 or direct32", lies[i].attack->name);
	if (config.mode != MODE_OVMF)
		attack_load(loader_zero_page());
}
