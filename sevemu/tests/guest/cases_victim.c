/* SPDX-License-Identifier: MIT */
/*
 * cases_victim.c - an SNP guest that does not trust its host, for sevemu's campaigns
 * (--marker, --attack, --hostile). It registers its GHCB, changes the state of pages,
 * validates them, and uses them. At the first answer that is wrong it terminates. Its
 * pages must never have other bytes than it wrote: a victim that finds other bytes fails.
 * The other victims make mistakes, or let the host break SEV-SNP's promise, which the judge
 * has to notice.
 */
#include "snp.h"

#define PAGES			16
#define ROUNDS			3
#define WORDS			(PAGE_SIZE / sizeof(u64))
#define FEATURE_SNP		1
#define FEATURE_MULTI_VMPL	0x20
#define CPUID_ENTRIES_MAX	64
#define SVSM_LIST		8	/* offset of a page list in the calling area */
#define SVSM_VALIDATE		4	/* bit of a list's entry */
#define UNUSED			0x3000000UL	/* RAM that no case of this file writes to */

ALIGNED_PAGE u64 victim_pages[PAGES][WORDS];
static u64 seeds[PAGES];	/* what fill() has filled the pages by */
static ALIGNED_PAGE u8 turning[PAGE_SIZE];	/* becomes shared and private again */

/*
 * sevemu's options --watch and --marker have the addresses of these functions. Before the
 * first the victim has no handlers for exceptions; from the second on the host is honest.
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

/* Compares all pages with what fill() has written. */
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

/* Terminates unless the host and the launch pages are those of an SNP machine. */
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
 * of it. Does the same with page number @page of victim_pages.
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

/* Executes CPUID, which raises #VC, and asks for the answer by the GHCB page. */
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

/* Sets the validated bit of the page `turning`, and does not look whether that succeeds. */
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

/* A guest that does not look at the results of PVALIDATE, which the judge must notice. */
CASE(careless, "snp-victim-careless", CASE_SNP | CASE_ENDS)
{
	careless_validate(false);
	page_state((u64)turning, STATE_SHARED);
	page_state((u64)turning, STATE_PRIVATE);
	careless_validate(true);
	victim_over();
	machine.victim = false;
}

/* Returns whether the host lies about its features, so not in the run with an honest host. */
static bool host_lies(void)
{
	return !(msr_protocol(REQ_FEATURES) >> 12 & FEATURE_SNP);
}

/* A guest that validates a page twice and does not look at CF. */
CASE(twice, "snp-victim-twice", CASE_SNP | CASE_VMPL0 | CASE_ENDS)
{
	if (host_lies())
		pvalidate((u64)turning, SNP_4K, SNP_VALIDATE);
	victim_over();
	hook(HOOK_VIOLATION, 0);
	machine.victim = false;
}

/* The host changes a page, when it does nothing else. */
CASE(altered, "snp-victim-altered", CASE_SNP | CASE_ENDS)
{
	if (host_lies())
		hook2(HOOK_BREAK, UNUSED, 0);
	victim_over();
	machine.victim = false;
}

/* The host changes a page when it answers a request. The page is as before in the end. */
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
