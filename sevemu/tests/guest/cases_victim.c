/* SPDX-License-Identifier: MIT */
/*
 * cases_victim.c - guests for sevemu's campaigns, in which the host attacks an SNP guest in
 * many runs (--marker with --attack or --hostile). The case snp-victim does not trust its
 * host. It registers its GHCB page, changes the state of pages, validates them, and uses
 * them. At the first wrong answer of the host it terminates. Its private pages must never
 * have other bytes than it wrote, so it fails the run if it finds other bytes. The other
 * victims make mistakes on purpose, or make sevemu change a private page. sevemu's judge
 * (campaign.c) must report each mistake and each change.
 */
#include "snp.h"

#define PAGES			16
#define ROUNDS			3
#define WORDS			(PAGE_SIZE / sizeof(u64))
#define FEATURE_SNP		1
#define FEATURE_MULTI_VMPL	0x20
#define CPUID_ENTRIES_MAX	64
/* Offset in the SVSM's calling area at which the guest stores a list of pages. */
#define SVSM_LIST		8
#define SVSM_VALIDATE		4	/* bit of a list's entry */
/* Address of RAM to which no victim writes. HOOK_BREAK inverts the 8 bytes there. */
#define UNUSED			0x3000000UL

ALIGNED_PAGE u64 victim_pages[PAGES][WORDS];
/* For each page the number from which word_of() computes the page's words. */
static u64 seeds[PAGES];
static ALIGNED_PAGE u8 turning[PAGE_SIZE];	/* becomes shared and private again */

/*
 * The suite passes the address of victim_ready() to sevemu's option --watch, and the address
 * of victim_over() to --marker. Before victim_ready() is executed, the victim has no handlers
 * for exceptions. Once victim_over() is executed, the host is honest.
 */
__attribute__((noinline)) void victim_ready(void)
{
	asm volatile("" : : : "memory");
}

__attribute__((noinline)) void victim_over(void);
__attribute__((noinline)) void victim_over(void)
{
	asm volatile("" : : : "memory");
}

NORETURN void victim_gives_up(void)
{
	vmgexit_at(REQ_TERMINATE);
	for (;;)
		asm volatile("cli; hlt");
}

static u64 word_of(unsigned int page, unsigned int i)
{
	return (seeds[page] + i) * 0x9e3779b97f4a7c15;
}

static void fill(unsigned int page)
{
	unsigned int i;

	seeds[page] = (seeds[page] + page + 1) * 0xbf58476d1ce4e5b9;
	for (i = 0; i < WORDS; i++)
		victim_pages[page][i] = word_of(page, i);
}

/*
 * Compares all pages with what fill() has written. Ends the run as failed if a word
 * differs.
 */
static void look(void)
{
	unsigned int page, i;

	for (page = 0; page < PAGES; page++) {
		for (i = 0; i < WORDS; i++) {
			if (*(volatile u64 *)&victim_pages[page][i] == word_of(page, i))
				continue;
			machine.victim = false;
			note("page with other bytes", page);
			end_run(DEBUG_EXIT_FAIL);
		}
	}
}

/*
 * Terminates the guest unless the host's features, the GHCB versions and the CPUID page
 * are those of an SNP machine. A failure of a victim terminates the guest (main.c).
 */
static void check_machine(void)
{
	u64 features = FEATURE_SNP | (machine.vmpl ? FEATURE_MULTI_VMPL : 0);
	u64 reply = msr_protocol(REQ_FEATURES);
	const u32 *cpuid = (const u32 *)cpuid_page();

	expect("features", reply & (features << 12 | 0xfff), features << 12 | RESP_FEATURES);
	reply = msr_protocol(REQ_SEV_INFO);
	if ((reply & 0xfff) != RESP_SEV_INFO || reply >> 48 < 2)
		fail("the GHCB protocol has no version 2");
	if (!cpuid || !*cpuid || *cpuid > CPUID_ENTRIES_MAX)
		fail("the CPUID page is missing or wrong");
}

/*
 * Makes the page `turning` shared, writes to it, makes it private again and writes to all
 * of it. Then turns page number @page of victim_pages shared and private, and fills it
 * anew.
 */
static void turn(unsigned int page)
{
	make_shared(turning);
	*(volatile u64 *)shared(turning) = page;
	make_private(turning);
	memset(turning, page, sizeof(turning));
	make_shared(victim_pages[page]);
	memset((void *)shared(victim_pages[page]), 0, PAGE_SIZE);
	make_private(victim_pages[page]);
	fill(page);
}

/* Executes CPUID, which raises #VC. The #VC handler asks for the answer by the GHCB page. */
static void use_vc(void)
{
	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "\txorl %%eax, %%eax; xorl %%ecx, %%ecx\n"
		     "1:\tcpuid\n2:"
		     : : : "rax", "rbx", "rcx", "rdx", "memory");
	expect("answer of CPUID", vc.result, RESULT_DONE);
}

CASE(victim, "snp-victim", CASE_SNP | CASE_ENDS)
{
	unsigned int round, page;

	check_machine();
	for (page = 0; page < PAGES; page++)
		fill(page);
	for (round = 0; round < ROUNDS; round++) {
		turn(round);
		look();
		use_vc();
		look();
	}
	victim_over();
	machine.victim = false;
	look();
}

/*
 * Validates the page `turning` if @validate, otherwise rescinds its validation. Ignores
 * the result, as a careless guest does.
 */
static void careless_validate(bool validate)
{
	volatile u64 *list = (volatile u64 *)(calling_area + SVSM_LIST);
	u64 rcx = (u64)list;

	if (!machine.vmpl) {
		pvalidate((u64)turning, SNP_4K, validate);
		return;
	}
	list[0] = 1;
	list[1] = (u64)turning | (validate ? SVSM_VALIDATE : 0);
	svsm_call(SVSM_PVALIDATE, &rcx, 0, 0);
}

/* A guest that ignores the results of PVALIDATE. sevemu's judge must notice this. */
CASE(careless, "snp-victim-careless", CASE_SNP | CASE_ENDS)
{
	careless_validate(false);
	page_state((u64)turning, STATE_SHARED);
	page_state((u64)turning, STATE_PRIVATE);
	careless_validate(true);
	victim_over();
	machine.victim = false;
}

/*
 * Returns whether the host's reply to the features request denies SEV-SNP, which is a lie.
 * In the first run of a campaign the host is honest, and sevemu ends the campaign if this
 * run fails. The victims below therefore do wrong or call HOOK_BREAK only if the host tells
 * this lie, which it does in the later runs of the suite's campaigns.
 */
static bool host_lies(void)
{
	return !(msr_protocol(REQ_FEATURES) >> 12 & FEATURE_SNP);
}

/*
 * A guest that validates a page twice and ignores CF, by which PVALIDATE says that the
 * page is validated already. The judge must notice this.
 */
CASE(twice, "snp-victim-twice", CASE_SNP | CASE_VMPL0 | CASE_ENDS)
{
	if (host_lies())
		pvalidate((u64)turning, SNP_4K, SNP_VALIDATE);
	victim_over();
	hook(HOOK_VIOLATION, 0);
	machine.victim = false;
}

/*
 * The call of HOOK_BREAK makes the host change a private page at once. The judge looks for
 * such changes after each attack and at the end of the run. This change is not part of an
 * attack, so the judge must find it at the end of the run.
 */
CASE(altered, "snp-victim-altered", CASE_SNP | CASE_ENDS)
{
	if (host_lies())
		hook2(HOOK_BREAK, UNUSED, 0);
	victim_over();
	machine.victim = false;
}

/*
 * The hook HOOK_BREAK makes the host change a private page when it answers the guest's next
 * request, which is for CPUID. The second call of the hook changes the page back, so the
 * judge must find the change when it happens and not only at the end of the run.
 */
CASE(broken, "snp-victim-broken", CASE_SNP | CASE_ENDS)
{
	bool lies = host_lies();

	if (lies)
		hook2(HOOK_BREAK, UNUSED, 1);
	use_vc();
	if (lies)
		hook2(HOOK_BREAK, UNUSED, 0);
	victim_over();
	machine.victim = false;
}
