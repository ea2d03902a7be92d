/* SPDX-License-Identifier: MIT */
/*
 * attack_snp.c - lies of the emulated host to an SEV-SNP guest: wrong launch pages, wrong
 * answers, page states that the host confirms but does not change, and pages that the host
 * takes away or exchanges.
 *
 * Runs with --sev snp and --attack or --hostile.  The promise of SEV-SNP is integrity: the
 * host cannot change a validated private page so that the guest reads other bytes.  A real
 * host changes the RMP by RMPUPDATE, which always clears the validated bit.  The lies about
 * pages use rmp_host_update(), which clears it as well, so that the guest's next access
 * raises #VC 0x404; or rmp_host_alias(), which exchanges frames, so that the guest's next
 * access is a nested page fault.
 */
#include <asm/bootparam.h>

#include "attack_snp.h"
#include "exception.h"
#include "guest_memory.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "snp_launch.h"

#define FEATURES_SNP		(1ull << 12)	/* bit 0 of the features, in the MSR */
#define VERSION_MAX_SHIFT	48
/*
 * Offsets in the confidential-computing blob at which the addresses of the secrets page and of
 * the CPUID page are.
 */
#define BLOB_SECRETS		8
#define BLOB_CPUID		24
/*
 * How many values N can have in the attacks that change the confidential-computing blob
 * or the CPUID page.
 */
#define BLOB_FIELDS		10
/*
 * The attack snp-blob-field:N changes field N of the confidential-computing blob.  Fields 1 to
 * BLOB_PLAIN - 1 are addresses and lengths of pages.  The attack sets such a field to 0xfff,
 * which is no valid address or length of a page.  It inverts any other field.
 */
#define BLOB_PLAIN		5
#define CPUID_COUNTS		4
#define CPUID_FIELDS		12		/* number of fields of a CPUID entry */
#define CPUID_ENTRIES		21		/* number of entries in the CPUID page */
#define CPUID_ALL_FIELDS	(CPUID_ENTRIES * CPUID_FIELDS)
#define CPUID_ENTRY_SIZE	48
#define CPUID_HEADER		16
/* Number of 32-bit fields of the blob's setup_data node that snp-node-field can invert. */
#define NODE_FIELDS		5
#define SECRETS_SVSM_SIZE	0x148
#define SECRETS_SVSM_CAA	0x150
#define SECRETS_SVSM_VMPL	0x15c

/*
 * Guest-physical address of the page that the host makes private a second time, in the attack
 * snp-page-state-again.
 */
static u64 again_page;
/*
 * Number of VMGEXITs until the host makes again_page private a second time; 0: the host does
 * not.  The VMGEXIT by which the guest asked for the first change counts, too.
 */
static unsigned int again_left;
static bool taken;		/* a page was taken from the guest in this run */
/* A lie has changed a PVALIDATE's result in this run so that the guest must not go on. */
static bool spoilt;

/* What the attack snp-pvalidate does to a PVALIDATE, selected by N % RESULTS. */
enum { RESULT_SIZE, RESULT_INPUT, RESULT_CARRY, RESULTS };

/*
 * The SVSM's answers in the attack snp-svsm-refuses, which selects one by N % SVSM_ANSWERS: a
 * parameter is bad, PVALIDATE has failed by size, PVALIDATE has changed nothing, the guest
 * must repeat the call (publication 58019).
 */
#define SVSM_BAD_PARAMETER	0x80000005
#define SVSM_SIZE_MISMATCH	0x80001006
#define SVSM_NOT_CHANGED	0x80001010
#define SVSM_INCOMPLETE		0x80000000
static const u32 svsm_answers[] = {
	SVSM_BAD_PARAMETER, SVSM_SIZE_MISMATCH, SVSM_NOT_CHANGED, SVSM_INCOMPLETE,
};
#define SVSM_ANSWERS		ARRAY_SIZE(svsm_answers)
#define SVSM_CALL_PVALIDATE	1

/*
 * Returns the host address of the 32-bit field at guest-physical @gpa, which the caller
 * changes as a lying loader could.  If another lie has spoilt the address, so that @gpa is
 * not in the pages that snp_launch.c makes, returns the address of a field that the guest
 * never sees.  The attack would otherwise change the guest's own image, which is measured.
 */
static u32 *field_at(u64 gpa)
{
	static u32 nowhere;

	gpa = ALIGN_DOWN(gpa, sizeof(u32));
	if (gpa < SNP_BLOB || gpa >= SNP_RESERVED_END)
		return &nowhere;
	return (u32 *)npt_frame(gpa, VIEW_PRIVATE);
}

/*
 * Returns the guest-physical address of the confidential-computing blob, which is in the first
 * node of the setup_data list.
 */
static u64 blob(struct boot_params *bp)
{
	return *field_at(bp->hdr.setup_data + sizeof(struct setup_data));
}

/* Returns the guest-physical address of the page that the blob names at @offset. */
static u64 blob_page(struct boot_params *bp, u32 offset)
{
	return *field_at(blob(bp) + offset);
}

/*
 * Spoils field N of the blob: 0 magic, 1 and 2 address and length of the secrets page, 3
 * and 4 those of the CPUID page, 5 version, 6 and 7 the reserved fields after the lengths,
 * 8 and 9 the upper halves of the addresses.
 */
static void blob_field(struct lie *lie, struct boot_params *bp)
{
	static const u8 offsets[BLOB_FIELDS] = {
		0, BLOB_SECRETS, 16, BLOB_CPUID, 32, 4, 20, 36, BLOB_SECRETS + 4, BLOB_CPUID + 4,
	};
	unsigned int n = lie->n % BLOB_FIELDS;
	u32 *field = field_at(blob(bp) + offsets[n]);

	/* As a length 0xfff is one byte too small, and as a page's address it is not aligned. */
	*field = n && n < BLOB_PLAIN ? 0xfff : ~*field;
}

/*
 * Inverts a field of the setup_data node that names the blob: with N = 0 and 1 the halves of
 * the next node's address, with 2 the type, with 3 the length, with 4 the blob's address.
 */
static void node_field(struct lie *lie, struct boot_params *bp)
{
	u32 *field = field_at(bp->hdr.setup_data + lie->n % NODE_FIELDS * sizeof(*field));

	*field = ~*field;
}

static void blob_none(struct lie *lie, struct boot_params *bp)
{
	(void)lie;
	bp->hdr.setup_data = 0;
}

/* Spoils the CPUID page's number of entries, or with N = 3 the reserved field after it. */
static void cpuid_count(struct lie *lie, struct boot_params *bp)
{
	static const u32 counts[] = { 0, 65, ~0u };
	unsigned int n = lie->n % CPUID_COUNTS;
	u64 page = blob_page(bp, BLOB_CPUID);

	if (n < ARRAY_SIZE(counts))
		*field_at(page) = counts[n];
	else
		*field_at(page + sizeof(u32)) = ~0u;
}

/*
 * Inverts 32-bit field N % CPUID_FIELDS of entry N / CPUID_FIELDS of the CPUID page: function,
 * index, EAX, EBX, ECX, EDX, lower half of XCR0, of XSS and of the reserved field, upper half
 * of XCR0, of XSS and of the reserved field.
 */
static void cpuid_field(struct lie *lie, struct boot_params *bp)
{
	static const u8 offsets[CPUID_FIELDS] = {
		0, 4, 24, 28, 32, 36, 8, 16, 40, 12, 20, 44,
	};
	u64 entry = lie->n / CPUID_FIELDS % CPUID_ENTRIES;
	u32 *field = field_at(blob_page(bp, BLOB_CPUID) + CPUID_HEADER +
			      entry * CPUID_ENTRY_SIZE + offsets[lie->n % CPUID_FIELDS]);

	*field = ~*field;
}

/*
 * Spoils what the secrets page says about the SVSM.  With N = 0 the page names no SVSM, with
 * N = 1 it gives the guest VMPL 0, and with N = 2 the calling area's address is not aligned.
 */
static void secrets_field(struct lie *lie, struct boot_params *bp)
{
	u64 page = blob_page(bp, BLOB_SECRETS);

	switch (lie->n) {
	case 0:
		*field_at(page + SECRETS_SVSM_SIZE) = 0;
		break;
	case 1:
		*field_at(page + SECRETS_SVSM_VMPL) &= ~0xffu;
		break;
	default:
		*field_at(page + SECRETS_SVSM_CAA) ^= 8;
		break;
	}
}

/*
 * Answers the request for the hypervisor's features wrongly.  With N = 0 the answer lacks the
 * feature SNP, with N = 1 it lacks the feature "multiple VMPLs", and with N = 2 there is no
 * answer: the guest's request stays in the MSR.
 */
static u64 features(struct lie *lie, u64 request, u64 value)
{
	if ((request & GHCB_MSR_INFO_MASK) != GHCB_MSR_HV_FT_REQ)
		return value;
	return lie->n == 0 ? value & ~FEATURES_SNP :
	       lie->n == 1 ? value & ~((u64)GHCB_FEATURE_MULTI_VMPL << 12) : request;
}

static u64 version_1(struct lie *lie, u64 request, u64 value)
{
	(void)lie;
	if ((request & GHCB_MSR_INFO_MASK) != GHCB_MSR_SEV_INFO_REQ)
		return value;
	return (value & 0xffffffff) | 1ull << VERSION_MAX_SHIFT | 1ull << 32;
}

/*
 * Answers the registration of a GHCB wrongly.  With N = 0 the answer names another frame, with
 * N = 1 the request stays unanswered in the MSR, with N = 2 the response code is wrong.
 */
static u64 registration(struct lie *lie, u64 request, u64 value)
{
	if ((request & GHCB_MSR_INFO_MASK) != GHCB_MSR_REG_GPA_REQ)
		return value;
	return lie->n == 0 ? value + PAGE_SIZE : lie->n == 1 ? request : value + 2;
}

/*
 * Answers page state request N / 3 of the MSR protocol wrongly.  If N % 3 is 0 the host refuses
 * the request, if it is 1 the response code is wrong, if it is 2 there is no answer.
 */
static u64 page_state(struct lie *lie, u64 request, u64 value)
{
	if ((request & GHCB_MSR_INFO_MASK) != GHCB_MSR_PSC_REQ || !occasion(lie, lie->n / 3))
		return value;
	return lie->n % 3 == 0 ? value | GHCB_PSC_ERROR : lie->n % 3 == 1 ? value + 2 : request;
}

static u64 run_vmpl(struct lie *lie, u64 request, u64 value)
{
	if ((request & GHCB_MSR_INFO_MASK) != GHCB_MSR_VMPL_REQ || !occasion(lie, lie->n))
		return value;
	return value | 1ull << 32;
}

/* Refuses page state request N / 2 by the GHCB page, with an error that N % 2 selects. */
static void page_reply(struct lie *lie, struct ghcb *page, const struct ghcb *request)
{
	if (request->sw_exit_code == GHCB_EXIT_PAGE_STATE && occasion(lie, lie->n / 2))
		page->sw_exit_info_2 = lie->n % 2 ? 0x100ull << 32 : 1ull << 32 | 2;
}

/*
 * Values of @arg in elements of snp_attacks[].  struct attack has no function pointer for these
 * lies.  The functions at the end of this file find a lie of the run by its @arg, and do what
 * the lie says.
 */
enum snp_lie {
	LIE_NONE,
	/* The host answers that it has changed a page's state, and has not changed it. */
	LIE_DROP,
	/* The host assigns a validated page to the guest again, which makes it not validated. */
	LIE_AGAIN,
	LIE_PVALIDATE,		/* a PVALIDATE fails or sets CF */
	LIE_NO_SVSM,		/* the host does not run the SVSM */
	LIE_SVSM,		/* the SVSM refuses a call */
	LIE_TAKE_CODE,		/* the host replaces the page at RIP */
	LIE_TAKE_STACK,		/* the host replaces the page at RSP */
	/* The host exchanges the pages at RIP and RSP with each other. */
	LIE_SWAP,
	/* The host maps the page at RSP to the frame of the page at RIP. */
	LIE_ALIAS,
	LIE_INJECT,		/* #VC 0x404 without a reason */
};

const struct attack snp_load_attacks[] = {
	{ "snp-blob-field", BLOB_FIELDS, 0, "a field of the blob is spoilt",
	  .load = blob_field },
	{ "snp-node-field", NODE_FIELDS, 0, "a field of the blob's setup_data node is inverted",
	  .load = node_field },
	{ "snp-blob-none", 1, 0, "there is no blob", .load = blob_none },
	{ "snp-cpuid-count", CPUID_COUNTS, 0,
	  "the CPUID page has no entry, or too many, or a reserved field is set",
	  .load = cpuid_count },
	{ "snp-cpuid-field", CPUID_ALL_FIELDS, 0,
	  "a field of an entry of the CPUID page is inverted", .load = cpuid_field },
	{ "snp-secrets-field", 3, 0, "the secrets page is wrong about the SVSM",
	  .load = secrets_field },
};
const unsigned int snp_load_count = ARRAY_SIZE(snp_load_attacks);

const struct attack snp_attacks[] = {
	{ "snp-features", 3, 0, "the features lack SNP or several VMPLs, or are not answered",
	  .answer = features },
	{ "snp-version", 1, 0, "the highest GHCB version is 1", .answer = version_1 },
	{ "snp-registration", 3, 0, "the registration of a GHCB is answered wrongly",
	  .answer = registration },
	{ "snp-page-state", 64 * 3, 0, "a page state request by the MSR is answered wrongly",
	  .answer = page_state },
	{ "snp-page-reply", 64 * 2, 0, "a page state request by the GHCB page is refused",
	  .reply = page_reply },
	{ .name = "snp-page-state-dropped", .count = 64, .arg = LIE_DROP,
	  .text = "a page state request is answered and not done" },
	{ .name = "snp-page-state-again", .count = 64, .arg = LIE_AGAIN,
	  .text = "a change to private is done again when the guest has validated the page" },
	{ .name = "snp-pvalidate", .count = 64 * RESULTS, .arg = LIE_PVALIDATE,
	  .text = "a PVALIDATE fails by size or input, or sets CF" },
	{ "snp-run-vmpl", 64, 0, "a call of the SVSM is answered by an error",
	  .answer = run_vmpl },
	{ .name = "snp-no-svsm", .count = 64, .arg = LIE_NO_SVSM,
	  .text = "a call of the SVSM is answered, and it does not run" },
	{ .name = "snp-svsm-refuses", .count = 64 * SVSM_ANSWERS, .arg = LIE_SVSM,
	  .text = "the SVSM refuses a call, or wants it repeated" },
	{ .name = "snp-take-code", .count = 4096, .arg = LIE_TAKE_CODE,
	  .text = "the host replaces the page at RIP after VMGEXIT N" },
	{ .name = "snp-take-stack", .count = 4096, .arg = LIE_TAKE_STACK,
	  .text = "the host replaces the page at RSP after VMGEXIT N" },
	{ .name = "snp-swap", .count = 4096, .arg = LIE_SWAP,
	  .text = "the host exchanges the pages at RIP and RSP after VMGEXIT N" },
	{ .name = "snp-alias", .count = 4096, .arg = LIE_ALIAS,
	  .text = "the host maps the page at RSP to that at RIP after VMGEXIT N" },
	{ .name = "snp-inject-404", .count = 4096, .arg = LIE_INJECT,
	  .text = "#VC 0x404 after VMGEXIT N, without a reason" },
};
const unsigned int snp_attack_count = ARRAY_SIZE(snp_attacks);

/*
 * Adds @attack:@n to lies[], the attacks of this one run of the guest.  Ends the run with a
 * message if @attack needs several runs, which only a campaign makes (--marker).
 */
static void add(const struct attack *attack, u64 n)
{
	if (attack->fire || attack->no_random || attack->rewrite || attack->alias ||
	    attack->replace || attack->memory)
		end_run(END_USAGE, "--attack %s needs --marker: one run of the guest can have "
			"only lies that change an answer or take a page, and %s does something "
			"else", attack->name, attack->name);
	attack_add_checked(attack, n);
}

void snp_attack_option(char *text)
{
	attack_each(text, add);
}

void snp_attack_start(void)
{
	if (!lie_count)
		return;
	attack_start();
	attack_on = true;
}

/* Returns the run's lie of kind @kind, or NULL. */
static struct lie *lie_of(enum snp_lie kind)
{
	unsigned int i;

	for (i = 0; attack_on && i < lie_count; i++)
		if (lies[i].attack >= snp_attacks &&
		    lies[i].attack < snp_attacks + snp_attack_count &&
		    lies[i].attack->arg == kind)
			return &lies[i];
	return NULL;
}

/*
 * Counts an occasion for @lie.  The host tells @lie on occasion number @which, counted from 0.
 * Returns whether this is that occasion, and false if @lie is NULL.
 */
static bool tell(struct lie *lie, u64 which)
{
	bool now = lie && occasion(lie, which);

	if (now)
		lie->told = true;
	return now;
}

bool snp_attack_drops(u64 gpa, bool private)
{
	struct lie *lie = lie_of(LIE_DROP), *again = lie_of(LIE_AGAIN);

	if (again && private && npt_rmp(gpa) && occasion(again, again->n)) {
		again->told = true;
		again_page = ALIGN_DOWN(gpa, PAGE_SIZE);
		again_left = 2;
	}
	return tell(lie, lie ? lie->n : 0);
}

void snp_attack_pvalidate(bool huge, unsigned int *result, bool *carry)
{
	struct lie *lie = lie_of(LIE_PVALIDATE);

	if (!lie || !occasion(lie, lie->n / RESULTS))
		return;
	lie->told = true;
	/* After a PVALIDATE of 2 MiB that fails by size, a guest may go on with 4 KiB pages. */
	spoilt |= !huge || lie->n % RESULTS != RESULT_SIZE;
	switch (lie->n % RESULTS) {
	case RESULT_SIZE:
		*result = RMP_FAIL_SIZE;
		break;
	case RESULT_INPUT:
		*result = RMP_FAIL_INPUT;
		break;
	default:
		*carry = true;
		break;
	}
}

bool snp_attack_no_svsm(void)
{
	struct lie *lie = lie_of(LIE_NO_SVSM);

	return tell(lie, lie ? lie->n : 0);
}

bool snp_attack_svsm(u64 call, u64 *result)
{
	struct lie *lie = lie_of(LIE_SVSM);

	if (!tell(lie, lie ? lie->n / SVSM_ANSWERS : 0))
		return false;
	*result = svsm_answers[lie->n % SVSM_ANSWERS];
	/*
	 * A guest may go on after SVSM_SIZE_MISMATCH, with pages of 4 KiB.  It may go on after
	 * SVSM_INCOMPLETE, if it repeats the call.
	 */
	spoilt |= call == SVSM_CALL_PVALIDATE &&
		  (*result == SVSM_BAD_PARAMETER || *result == SVSM_NOT_CHANGED);
	return true;
}

/*
 * Calls @update, by which the host changes the guest's page at linear address @va, if this page
 * is private.  Notes that the host has told @lie.
 */
static void take_page(struct vcpu *vcpu, u64 va, struct lie *lie, void (*update)(u64 gpa))
{
	struct guest_fault fault;
	struct translation t;

	if (!guest_translate(vcpu, va, GUEST_QUIET, &t, &fault) || t.view != VIEW_PRIVATE ||
	    !npt_rmp(t.gpa))
		return;
	trace("attack page %#lx", ALIGN_DOWN(t.gpa, PAGE_SIZE));
	taken = true;
	lie->told = true;
	update(ALIGN_DOWN(t.gpa, PAGE_SIZE));
}

void snp_attack_vmgexit(struct vcpu *vcpu)
{
	struct lie *code = lie_of(LIE_TAKE_CODE), *stack = lie_of(LIE_TAKE_STACK);
	struct lie *swap = lie_of(LIE_SWAP), *alias = lie_of(LIE_ALIAS);
	struct lie *inject = lie_of(LIE_INJECT);

	attack_begins();
	if (code && occasion(code, code->n))
		take_page(vcpu, vcpu->vmcb->rip, code, rmp_host_update);
	if (stack && occasion(stack, stack->n))
		take_page(vcpu, vcpu->gpr[RSP], stack, rmp_host_update);
	if (swap && occasion(swap, swap->n)) {
		take_page(vcpu, vcpu->vmcb->rip, swap, rmp_host_update);
		take_page(vcpu, vcpu->gpr[RSP], swap, rmp_host_update);
	}
	if (again_left && !--again_left) {
		taken = true;
		rmp_host_update(again_page);
	}
	if (alias && occasion(alias, alias->n))
		take_page(vcpu, vcpu->gpr[RSP], alias, rmp_host_alias);
	if (tell(inject, inject ? inject->n : 0))
		vc_raise(vcpu, SVM_EXIT_NOT_VALIDATED);
	attack_ends();
}

bool snp_attack_took(void)
{
	return taken;
}

bool snp_attack_spoilt(void)
{
	return spoilt;
}

void snp_attack_clear(void)
{
	taken = false;
	spoilt = false;
	again_left = 0;
}
