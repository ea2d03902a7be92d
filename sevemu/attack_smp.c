/* SPDX-License-Identifier: MIT */
/*
 * attack_smp.c - a host that attacks the APs of a guest with several processors: it starts
 * them when it likes, sends them NMIs and interrupts, or lies about the AP jump table.
 *
 * Works with --smp and --attack, which together make sevemu run the guest only once.
 *
 * Until the bootstrap processor runs at a kernel's addresses, the APs of a guest without
 * firmware run with nested page tables that map the code of park.S and the AP jump table
 * only.  If an AP executes or reads anything else, such as the code of a boot stub, this
 * file fails the run.  The user must judge each other end of the run.
 */
#include "ap.h"
#include "apic.h"
#include "attack_smp.h"
#include "layout.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"

/* The number N that the command line gives after an attack's name must be below this. */
#define COUNT			1000000
/* Vector of the interrupt that the attack ap-ipi sends.  Linux itself does not use it. */
#define IPI_VECTOR		0x3f
/*
 * The attack ap-table gives the guest one of this many wrong answers about the AP jump table.
 * The option --attack ap-table:N selects the answer by its number N, from 0.
 */
#define TABLES			2

enum smp_lie { LIE_NONE, LIE_WATCH, LIE_START, LIE_SOON, LIE_NMI, LIE_IPI, LIE_TABLE };

static const struct {
	const char *name;
	const char *what;
	u64 count;		/* N must be below it */
} attacks[] = {
	[LIE_WATCH] = { "ap-watch", "no attack: only watches that no AP leaves its park code "
			"before the kernel runs", 1 },
	[LIE_START] = { "ap-start", "INIT and SIPI start each AP at every Nth exit, until the "
			"bootstrap processor runs a kernel", COUNT },
	[LIE_SOON] = { "ap-soon", "as ap-start, until the guest starts the AP", COUNT },
	[LIE_NMI] = { "ap-nmi", "as ap-start, and an NMI goes to each AP after it", COUNT },
	[LIE_IPI] = { "ap-ipi", "as ap-start, and an interrupt goes to each AP after it", COUNT },
	[LIE_TABLE] = { "ap-table", "the guest gets a wrong AP jump table: none, or one that "
			"is not aligned", TABLES },
};

static enum smp_lie lie;	/* the attack of this run */
static u64 every;		/* N of the attack */
static u64 exits;		/* exits of the bootstrap processor so far */
static bool started[VCPUS_MAX];	/* the guest itself has sent INIT to the AP */
/* Nested CR3 that maps only the code of park.S and the AP jump table; 0: there is none. */
static u64 park_root;

bool attack_smp_option(const char *value)
{
	unsigned int i;
	size_t len;

	for (i = LIE_WATCH; i < ARRAY_SIZE(attacks); i++) {
		len = strlen(attacks[i].name);
		if (memcmp(value, attacks[i].name, len) || (value[len] && value[len] != ':'))
			continue;
		lie = i;
		every = value[len] ? parse_number(value + len + 1) : 0;
		if (every >= attacks[i].count || (config.sev != SEV_ES && lie != LIE_TABLE))
			end_run(END_USAGE, "--attack %s:%lu is not possible: N must be below %lu, "
				"and the guest one of --sev es", attacks[i].name, every,
				attacks[i].count);
		return true;
	}
	return false;
}

void attack_smp_start(void)
{
	if (lie == LIE_NONE || config.mode == MODE_OVMF)
		return;
	park_root = npt_root_of(PARK_CODE, PARK_CODE + 2 * PAGE_SIZE);
}

/* Starts @ap by INIT and SIPI, as the guest could, and sends the attack's NMI or interrupt. */
static void disturb(struct vcpu *ap)
{
	ap_init(ap);
	ap_sipi(ap, 0);
	if (lie == LIE_NMI)
		ap_nmi(ap);
	if (lie == LIE_IPI)
		apic_send(ap->id, ICR_FIXED | IPI_VECTOR);
}

void attack_smp_exit(const struct vcpu *vcpu)
{
	unsigned int i;

	if (lie < LIE_START || lie > LIE_IPI || vcpu->id)
		return;
	if (exits++ % (every ? every : 1) || (lie != LIE_SOON && !vcpu->below_kernel_va))
		return;
	for (i = 1; i < config.smp; i++)
		if (!started[i])
			disturb(&vcpus[i]);
}

void attack_smp_init(const struct vcpu *vcpu)
{
	started[vcpu->id] = true;
}

u64 attack_smp_root(const struct vcpu *vcpu)
{
	return vcpu->id && vcpus[0].below_kernel_va ? park_root : 0;
}

void attack_smp_fault(const struct vcpu *vcpu, u64 gpa)
{
	if (park_root && vcpu->vmcb->n_cr3 == park_root)
		end_run(END_FAIL, "processor %u left its park code before the kernel ran: it "
			"accessed %#lx at rip %#lx, cs base %#lx", vcpu->id, gpa,
			vcpu->vmcb->rip, vcpu->vmcb->cs.base);
}

u64 attack_smp_table(u64 honest)
{
	if (lie != LIE_TABLE)
		return honest;
	return every ? honest + 2 : 0;
}

void attack_smp_list(void)
{
	unsigned int i;

	for (i = LIE_WATCH; i < ARRAY_SIZE(attacks); i++)
		log_printf("%s:0-%lu %s (--smp)", attacks[i].name, attacks[i].count - 1,
			   attacks[i].what);
}
