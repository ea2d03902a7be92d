/* SPDX-License-Identifier: MIT */
/*
 * cases_snp_ghcb.c - the requests that only an SEV-SNP guest may make: registration of
 * the GHCB, page state changes by both protocols, guest requests, features. Then what
 * the guest gets at launch: CPUID page and secrets page.
 */
#include <asm/bootparam.h>

#include "snp.h"

#define VALID			(HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED)
/*
 * Start of 4 MiB of RAM for page state changes. The guest has neither code nor data of
 * its own there.
 */
#define BIG			0x3c00000UL
#define UNTOUCHED		0x5c00000UL	/* RAM that no other case uses */
#define NO_RAM			0x7fff000000ULL
#define ENTRIES_MAX		253
#define ENTRY_STATE(s)		((u64)(s) << 52)
#define ENTRY_2M		(1ULL << 56)
#define ENTRY_PAGES(e)		((e) & 0xfff)
#define BAD_HEADER		0x100000001ULL
#define BAD_ENTRY		0x100000002ULL
#define FAILED			0x10000000000ULL
#define FIRMWARE_ERROR		0x15
#define FEATURE_SNP		1
#define FEATURE_AP_CREATION	2
#define FEATURE_MULTI_VMPL	0x20

static ALIGNED_PAGE u64 page[PAGE_SIZE / 8], request_page[512], response_page[512];
static ALIGNED_PAGE u64 data_page[512];
static ALIGNED_PAGE u8 many[ENTRIES_MAX][PAGE_SIZE];
static ALIGNED_PAGE u8 second_ghcb[PAGE_SIZE];

static u64 flags_of(const volatile void *p)
{
	return hook(HOOK_RMP, (u64)p) & 0xff & ~HOOK_RMP_2M;
}

/* ---- The MSR protocol ---- */

CASE(version, "snp-sev-info", CASE_SNP)
{
	u64 reply = msr_protocol(REQ_SEV_INFO);

	expect("highest version", reply >> 48, 2);
	expect("lowest version", reply >> 32 & 0xffff, 2);
}

CASE(status, "snp-sev-status", CASE_SNP)
{
	expect("SEV_STATUS", rdmsr(MSR_SEV_STATUS), 7);
}

CASE(features, "snp-features", CASE_SNP)
{
	u64 want = FEATURE_SNP | (machine.smp ? FEATURE_AP_CREATION : 0) |
		   (machine.vmpl ? FEATURE_MULTI_VMPL : 0);

	expect("by MSR", msr_protocol(REQ_FEATURES), want << 12 | RESP_FEATURES);
	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("by page", ghcb_get(GHCB_EXIT_INFO_2), want);
}

CASE(preferred, "snp-preferred-ghcb", CASE_SNP)
{
	expect("response", msr_protocol(REQ_PREFERRED_GHCB),
	       ~0xfffULL | RESP_PREFERRED_GHCB);
}

CASE(registered, "snp-registration", CASE_SNP)
{
	expect("response", msr_protocol((u64)page | REQ_REGISTER_GHCB),
	       (u64)page | RESP_REGISTER_GHCB);
	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	hook(HOOK_EXPECT, VIOL_GHCB_UNREGISTERED);
	expect("result", ghcb_go(), RESULT_MALFORMED);
	expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_NOT_REGISTERED);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_GHCB_UNREGISTERED);
	expect("response", msr_protocol((u64)ghcb_page | REQ_REGISTER_GHCB),
	       (u64)ghcb_page | RESP_REGISTER_GHCB);
	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	expect("result", ghcb_go(), RESULT_DONE);
}

CASE(state_msr, "snp-page-state-msr", CASE_SNP)
{
	snp_validate((u64)page, false);
	expect("shared", page_state((u64)page, STATE_SHARED), RESP_PAGE_STATE);
	expect("flags", flags_of(page), 0);
	expect("shared again", page_state((u64)page, STATE_SHARED), RESP_PAGE_STATE);
	expect("private", page_state((u64)page, STATE_PRIVATE), RESP_PAGE_STATE);
	expect("flags", flags_of(page), HOOK_RMP_ASSIGNED);
	snp_validate((u64)page, true);
}

/* A request for the state that the page already has must change nothing, as with KVM. */
CASE(state_same, "snp-page-state-same", CASE_SNP)
{
	page[1] = 0x77;
	expect("private", page_state((u64)page, STATE_PRIVATE), RESP_PAGE_STATE);
	expect("flags", flags_of(page), VALID);
	expect("contents", page[1], 0x77);
}

CASE(state_msr_bad, "snp-page-state-msr-bad", CASE_SNP)
{
	hook(HOOK_EXPECT, VIOL_MSR_REQUEST);
	expect("error", page_state((u64)page, STATE_PSMASH) >> 32 != 0, true);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_MSR_REQUEST);
	hook(HOOK_EXPECT, VIOL_MSR_REQUEST);
	expect("error", page_state((u64)page, 0) >> 32 != 0, true);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_MSR_REQUEST);
	hook(HOOK_EXPECT, VIOL_MSR_REQUEST);
	page_state((u64)page | 1ULL << 56, STATE_PRIVATE);
	expect("reserved bits", hook(HOOK_VIOLATION, 0), VIOL_MSR_REQUEST);
	expect("private where there is no RAM",
	       page_state(NO_RAM, STATE_PRIVATE) >> 32 != 0, true);
	expect("shared where there is no RAM",
	       page_state(NO_RAM, STATE_SHARED), RESP_PAGE_STATE);
}

CASE(state_not_rescinded, "snp-not-rescinded", CASE_SNP)
{
	hook(HOOK_EXPECT, VIOL_NOT_RESCINDED);
	expect("response", page_state((u64)page, STATE_SHARED), RESP_PAGE_STATE);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_NOT_RESCINDED);
	expect("flags", flags_of(page), 0);
	make_private(page);
}

/* ---- Page state changes by the GHCB page ---- */

/*
 * Sends a page state request with the entries of @entries from index @current to
 * @last, and again with the rest each time that the hypervisor returns early. Sets
 * *@exits to the number of requests. Returns sw_exit_info_2 of the last reply.
 */
static u64 states(const u64 *entries, u32 current, u32 last, u32 *exits)
{
	volatile u16 *header = (volatile u16 *)ghcb_buffer();
	volatile u64 *list = (volatile u64 *)ghcb_buffer() + 1;
	u64 result;
	u32 i;

	ghcb_begin(EXIT_PAGE_STATE, 0, 0);
	header[0] = current;
	header[1] = last;
	for (i = 0; i <= last && i < ENTRIES_MAX; i++)
		list[i] = entries[i];
	for (*exits = 0; *exits <= ENTRIES_MAX; ) {
		/* The hypervisor's last reply has cleared the fields' valid bits. */
		ghcb_set(GHCB_EXIT_CODE, EXIT_PAGE_STATE);
		ghcb_set(GHCB_EXIT_INFO_1, 0);
		ghcb_set(GHCB_EXIT_INFO_2, 0);
		ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
		expect("result", ghcb_go(), RESULT_DONE);
		(*exits)++;
		result = ghcb_get(GHCB_EXIT_INFO_2);
		if (result || header[0] > header[1])
			break;
	}
	return result;
}

CASE(states_all, "snp-page-state-253-entries", CASE_SNP)
{
	static u64 entries[ENTRIES_MAX];
	u64 count = rmp_count(RMP_COUNT_ENTRIES), i;
	u32 exits;

	for (i = 0; i < ENTRIES_MAX; i++) {
		snp_validate((u64)many[i], false);
		entries[i] = (u64)many[i] | ENTRY_STATE(STATE_SHARED);
	}
	expect("info_2", states(entries, 0, ENTRIES_MAX - 1, &exits), 0);
	expect("entries", rmp_count(RMP_COUNT_ENTRIES) - count, ENTRIES_MAX);
	for (i = 0; i < ENTRIES_MAX; i++) {
		if (flags_of(many[i]))
			fail("a page is not shared");
		expect("pages done", ENTRY_PAGES(((u64 *)ghcb_buffer())[1 + i]), 1);
		entries[i] = (u64)many[i] | ENTRY_STATE(STATE_PRIVATE);
	}
	note("requests", exits);
	expect("info_2", states(entries, 0, ENTRIES_MAX - 1, &exits), 0);
	for (i = 0; i < ENTRIES_MAX; i++)
		snp_validate((u64)many[i], true);
}

CASE(states_current, "snp-page-state-from-the-middle", CASE_SNP)
{
	static u64 two[ENTRIES_MAX];
	u32 exits;

	two[0] = (u64)many[0] | ENTRY_STATE(STATE_SHARED);
	two[1] = (u64)many[1] | ENTRY_STATE(STATE_SHARED);
	snp_validate((u64)many[1], false);
	expect("info_2", states(two, 1, 1, &exits), 0);
	expect("first page", flags_of(many[0]), VALID);
	expect("second page", flags_of(many[1]), 0);
	make_private(many[1]);
}

/* The list for page state requests with one entry, one[0]. The other entries stay 0. */
static u64 one[ENTRIES_MAX];

/*
 * Sends a page state request with @entry as first entry, for the entries @current to
 * @last. sevemu must count the violation @why. Returns sw_exit_info_2 of the reply.
 */
static u64 bad_states(u64 entry, u32 current, u32 last, u32 why)
{
	u32 exits;
	u64 result;

	hook(HOOK_EXPECT, why);
	one[0] = entry;
	result = states(one, current, last, &exits);
	expect("violation", hook(HOOK_VIOLATION, 0), why);
	return result;
}

CASE(states_header, "snp-page-state-header", CASE_SNP)
{
	u64 entry = (u64)page | ENTRY_STATE(STATE_SHARED);

	expect("last entry", bad_states(entry, 0, ENTRIES_MAX, VIOL_PSC_HEADER), BAD_HEADER);
	expect("last entry", bad_states(entry, 0, 0xffff, VIOL_PSC_HEADER), BAD_HEADER);
	/*
	 * The header says that entry 1 is the current entry and entry 0 the last, so there
	 * is no entry to handle. sevemu must reply success, as KVM does.
	 */
	expect("current entry", bad_states(entry, 1, 0, VIOL_PSC_HEADER), 0);
	expect("flags", flags_of(page), VALID);
}

CASE(states_entry, "snp-page-state-entry", CASE_SNP)
{
	u64 entry = (u64)page | ENTRY_STATE(STATE_PRIVATE);
	u64 big = BIG | ENTRY_STATE(STATE_PRIVATE) | ENTRY_2M;

	expect("current page", bad_states(entry | 2, 0, 0, VIOL_PSC_ENTRY), BAD_ENTRY);
	expect("current page", bad_states(big | 513, 0, 0, VIOL_PSC_ENTRY), BAD_ENTRY);
	expect("alignment", bad_states(big + PAGE_SIZE, 0, 0, VIOL_PSC_ENTRY), BAD_ENTRY);
	/* KVM accepts these. */
	expect("reserved bits", bad_states(entry | 1ULL << 57, 0, 0, VIOL_PSC_ENTRY), 0);
	expect("state 0", bad_states((u64)page, 0, 0, VIOL_PSC_ENTRY), 0);
	expect("state 15", bad_states((u64)page | ENTRY_STATE(15), 0, 0, VIOL_PSC_ENTRY), 0);
	expect("flags", flags_of(page), VALID);
}

CASE(states_fail, "snp-page-state-fails", CASE_SNP)
{
	u32 exits;

	one[0] = NO_RAM | ENTRY_STATE(STATE_PRIVATE);
	expect("no RAM", states(one, 0, 0, &exits), FAILED);
	one[0] = (u64)ghcb_page | ENTRY_STATE(STATE_PRIVATE);
	expect("the GHCB itself", states(one, 0, 0, &exits), FAILED);
	expect("flags", flags_of(ghcb_page), 0);
	one[0] = (u64)page | ENTRY_STATE(STATE_PSMASH);
	expect("PSMASH", states(one, 0, 0, &exits), 0);
	one[0] = (u64)page | ENTRY_STATE(STATE_UNSMASH);
	expect("UNSMASH", states(one, 0, 0, &exits), 0);
	expect("flags", flags_of(page), VALID);
}

CASE(states_2m, "snp-page-state-2m", CASE_SNP | CASE_VMPL0 | CASE_ALL)
{
	u64 i;
	u32 exits;

	one[0] = BIG | ENTRY_STATE(STATE_SHARED) | ENTRY_2M;
	for (i = 0; i < PTRS; i++)
		snp_validate(BIG + i * PAGE_SIZE, false);
	expect("info_2", states(one, 0, 0, &exits), 0);
	expect("first page", flags_of((void *)BIG), 0);
	expect("last page", flags_of((void *)(BIG + PAGE_2M - 1)), 0);
	expect("pages done", ENTRY_PAGES(((u64 *)ghcb_buffer())[1]), PTRS);
	one[0] = BIG | ENTRY_STATE(STATE_PRIVATE) | ENTRY_2M;
	expect("info_2", states(one, 0, 0, &exits), 0);
	expect("last page", hook(HOOK_RMP, BIG + PAGE_2M - 1),
	       HOOK_RMP_ASSIGNED | (machine.rmp_2m ? HOOK_RMP_2M : 0));
	for (i = 0; i < PTRS; i++)
		snp_validate(BIG + i * PAGE_SIZE, true);
}

/*
 * The current page of a 2 MiB entry says how many of its pages are done. The hypervisor
 * must change only the rest, which is the last page here.
 */
CASE(states_part, "snp-page-state-2m-in-part", CASE_SNP | CASE_VMPL0 | CASE_ALL)
{
	u32 exits;

	one[0] = BIG | ENTRY_STATE(STATE_SHARED) | ENTRY_2M | (PTRS - 1);
	snp_validate(BIG + PAGE_2M - PAGE_SIZE, false);
	expect("info_2", states(one, 0, 0, &exits), 0);
	expect("first page", flags_of((void *)BIG), VALID);
	expect("last page", flags_of((void *)(BIG + PAGE_2M - 1)), 0);
	make_private((void *)(BIG + PAGE_2M - PAGE_SIZE));
}

CASE(states_smash, "snp-page-state-psmash", CASE_SNP | CASE_VMPL0 | CASE_2M | CASE_ALL)
{
	u32 exits;

	one[0] = (BIG + PAGE_2M) | ENTRY_STATE(STATE_PSMASH) | ENTRY_2M;
	expect("before", hook(HOOK_RMP, BIG + PAGE_2M), VALID | HOOK_RMP_2M);
	expect("info_2", states(one, 0, 0, &exits), 0);
	expect("after", hook(HOOK_RMP, BIG + PAGE_2M), VALID);
	expect("last page", hook(HOOK_RMP, BIG + 2 * PAGE_2M - 1), VALID);
}

CASE(states_scratch, "snp-page-state-scratch", CASE_SNP)
{
	ghcb_begin(EXIT_PAGE_STATE, 0, 0);
	ghcb_set(GHCB_SCRATCH, (u64)page);
	hook(HOOK_EXPECT, VIOL_SCRATCH);
	expect("result", ghcb_go(), RESULT_MALFORMED);
	expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_SCRATCH);
	hook(HOOK_VIOLATION, 0);

	ghcb_begin(EXIT_PAGE_STATE, 0, 0);
	hook(HOOK_EXPECT, VIOL_MISSING_INPUT);
	expect("result", ghcb_go(), RESULT_MALFORMED);
	expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_MISSING);
	hook(HOOK_VIOLATION, 0);

	/*
	 * The page state change structure may begin anywhere in the shared buffer. Here
	 * only one entry has room after the header. The header names two, which sevemu
	 * must refuse.
	 */
	ghcb_begin(EXIT_PAGE_STATE, 0, 0);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(GHCB_BUFFER_SIZE - 16));
	((volatile u16 *)(ghcb_buffer() + GHCB_BUFFER_SIZE - 16))[1] = 1;
	hook(HOOK_EXPECT, VIOL_PSC_HEADER);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("info_2", ghcb_get(GHCB_EXIT_INFO_2), BAD_HEADER);
	hook(HOOK_VIOLATION, 0);
}

/* ---- Other requests by the GHCB page ---- */

/*
 * Sends a guest request, a message to AMD's security processor, with the pages @request
 * and @response. @code is EXIT_GUEST_REQUEST or EXIT_EXT_GUEST_REQUEST. Returns the
 * hypervisor's answer, RESULT_*.
 */
static u64 guest_request(u64 code, u64 request, u64 response)
{
	ghcb_begin(code, request, response);
	if (code == EXIT_EXT_GUEST_REQUEST) {
		ghcb_set(GHCB_RAX, (u64)data_page);
		ghcb_set(GHCB_RBX, 1);
	}
	return ghcb_go();
}

/*
 * Sends an extended guest request with @pages pages at @data, to which the host may write
 * certificates. Returns the hypervisor's answer, RESULT_*.
 */
static u64 extended_request(u64 data, u64 pages)
{
	ghcb_begin(EXIT_EXT_GUEST_REQUEST, (u64)request_page, (u64)response_page);
	ghcb_set(GHCB_RAX, data);
	ghcb_set(GHCB_RBX, pages);
	return ghcb_go();
}

static void refused_request(u64 code, u64 request, u64 response)
{
	hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
	expect("result", guest_request(code, request, response), RESULT_MALFORMED);
	expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_INVALID);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_INVALID_INPUT);
}

CASE(requests, "snp-guest-request", CASE_SNP)
{
	static const u64 codes[] = { EXIT_GUEST_REQUEST, EXIT_EXT_GUEST_REQUEST };
	u64 from = (u64)request_page, to = (u64)response_page;
	unsigned int i;

	make_shared(request_page);
	make_shared(response_page);
	make_shared(data_page);
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		expect("result", guest_request(codes[i], from, to), RESULT_DONE);
		expect("info_2", ghcb_get(GHCB_EXIT_INFO_2), FIRMWARE_ERROR);
		refused_request(codes[i], from + 8, to);
		refused_request(codes[i], from, to + 8);
		refused_request(codes[i], from, from);
		refused_request(codes[i], (u64)page, to);
		refused_request(codes[i], from, (u64)page);
		refused_request(codes[i], from, NO_RAM);
	}
	make_private(request_page);
	make_private(response_page);
	make_private(data_page);

	ghcb_begin(EXIT_EXT_GUEST_REQUEST, from, to);
	ghcb_set(GHCB_RAX, (u64)page);
	hook(HOOK_EXPECT, VIOL_MISSING_INPUT);
	expect("RBX is missing", ghcb_go(), RESULT_MALFORMED);
	hook(HOOK_VIOLATION, 0);
}

/*
 * sevemu must refuse an extended guest request unless all pages for the certificates are
 * aligned and shared.
 */
CASE(data_pages, "snp-guest-request-data-pages", CASE_SNP)
{
	static const struct {
		u64 offset, pages;
	} bad[] = { { 8, 1 }, { PAGE_SIZE, 1 }, { 0, 2 }, { 8, 0 }, { 0, ~0ULL } };
	unsigned int i;

	make_shared(request_page);
	make_shared(response_page);
	make_shared(many[0]);
	expect("one page", extended_request((u64)many[0], 1), RESULT_DONE);
	expect("no page", extended_request((u64)many[0], 0), RESULT_DONE);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
		expect("result", extended_request((u64)many[0] + bad[i].offset, bad[i].pages),
		       RESULT_MALFORMED);
		expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_INVALID);
		expect("violation", hook(HOOK_VIOLATION, 0), VIOL_INVALID_INPUT);
	}
	expect("second page", flags_of(many[1]), VALID);
	make_private(request_page);
	make_private(response_page);
	make_private(many[0]);
}

/*
 * With one processor sevemu does not offer the feature AP creation, and must refuse the
 * requests AP creation and APIC IDs.
 */
CASE(ap_creation, "snp-ap-creation", CASE_SNP | CASE_UP)
{
	static const u64 codes[] = { EXIT_AP_CREATION, EXIT_APIC_IDS };
	unsigned int i;

	expect("feature", msr_protocol(REQ_FEATURES) >> 12 & FEATURE_AP_CREATION, 0);
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		ghcb_begin(codes[i], 1ULL << 32 | 1, (u64)page);
		ghcb_set(GHCB_RAX, 1);
		ghcb_set(GHCB_RBX, 1);
		hook(HOOK_EXPECT, VIOL_INVALID_EVENT);
		expect("result", ghcb_go(), RESULT_MALFORMED);
		expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_EVENT);
		hook(HOOK_VIOLATION, 0);
	}
}

/* The host cannot write to a private page, so sevemu must refuse an MMIO request for it. */
CASE(mmio_private, "snp-mmio-on-private-page", CASE_SNP)
{
	ghcb_begin(SVM_VMGEXIT_MMIO_WRITE, (u64)page, 8);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	page[0] = 0x55;
	hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
	expect("result", ghcb_go(), RESULT_MALFORMED);
	hook(HOOK_VIOLATION, 0);
	expect("contents", page[0], 0x55);
}

/*
 * At an MMIO request for an untouched page the host itself reads the page, which makes
 * the page shared.
 */
CASE(mmio_untouched, "snp-mmio-on-untouched-page", CASE_SNP | CASE_LOADED | CASE_STRICT_CONVERT)
{
	ghcb_begin(SVM_VMGEXIT_MMIO_READ, UNTOUCHED, 8);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	expect("result", ghcb_go(), RESULT_DONE);
	expect("flags", flags_of((void *)UNTOUCHED), 0);
}

CASE(end_unregistered, "ends-ghcb-unregistered", CASE_SNP | CASE_ENDS)
{
	make_shared(second_ghcb);
	vmgexit_at((u64)second_ghcb);
	fail("it goes on");
}

CASE(end_private_ghcb, "ends-snp-ghcb-private", CASE_SNP | CASE_ENDS)
{
	vmgexit_at((u64)second_ghcb);
	fail("it goes on");
}

CASE(end_not_validated_ghcb, "ends-ghcb-not-validated", CASE_SNP | CASE_ENDS)
{
	snp_validate((u64)second_ghcb, false);
	vmgexit_at((u64)second_ghcb);
	fail("it goes on");
}

CASE(end_header, "ends-page-state-header", CASE_SNP | CASE_ENDS)
{
	u32 exits;

	one[0] = (u64)page | ENTRY_STATE(STATE_SHARED);
	states(one, 0, ENTRIES_MAX, &exits);
	fail("it goes on");
}

CASE(end_entry, "ends-page-state-entry", CASE_SNP | CASE_ENDS)
{
	u32 exits;

	one[0] = (u64)page | ENTRY_STATE(STATE_SHARED) | 2;
	states(one, 0, 0, &exits);
	fail("it goes on");
}

CASE(end_version_1, "ends-snp-version-1", CASE_SNP | CASE_ENDS)
{
	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	tamper.set_version = true;
	tamper.version = 1;
	ghcb_go();
	fail("it goes on");
}

/* 0x21 is reason set 1 (Linux), code 2 (PVALIDATE failed). */
CASE(end_terminate, "ends-terminate-page", CASE_SNP | CASE_ENDS)
{
	ghcb_begin(EXIT_TERMINATE, 0x21, 0);
	ghcb_go();
	fail("it goes on");
}

/* ---- CPUID page and secrets page ---- */

struct cpuid_entry {
	u32 function, index;
	u64 xcr0, xss;
	u32 regs[4];
	u64 reserved;
};

CASE(cpuid_table, "snp-cpuid-page", CASE_SNP)
{
	static const u32 fields[] = { GHCB_RAX, GHCB_RBX, GHCB_RCX, GHCB_RDX };
	const u32 *count = (const u32 *)cpuid_page();
	const struct cpuid_entry *e = (const void *)(cpuid_page() + 16);
	u32 i, reg, sev = 0, bits = 0;

	expect("count", *count, 21);
	for (i = 0; i < *count; i++, e++) {
		if (e->xcr0 || e->xss || e->reserved)
			fail("a field of an entry is not 0");
		if (e->function == CPUID_SEV) {
			sev = e->regs[0];
			bits = e->regs[1];
		}
		ghcb_begin(SVM_EXIT_CPUID, 0, 0);
		ghcb_set(GHCB_RAX, e->function);
		ghcb_set(GHCB_RCX, e->index);
		expect("result", ghcb_go(), RESULT_DONE);
		for (reg = 0; reg < 4; reg++)
			if (e->regs[reg] & ~ghcb_get(fields[reg]))
				fail("a bit of an entry is not one of CPUID");
		if (e->function == 1)
			expect("XSAVE, OSXSAVE, TSC_DEADLINE", e->regs[2] >> 24 & 0xd, 0);
		if (e->function == 7)
			expect("TSC_ADJUST, AVX2", e->regs[1] & 0x22, 0);
		if (e->function == 0 && e->regs[0] >= 0xd)
			fail("there is a leaf for XSAVE");
	}
	expect("CPUID 8000001F EAX", sev, 0x7a);
	expect("CPUID 8000001F EBX: VMPLs, lost bits, C-bit", bits,
	       4 << 12 | 1 << 6 | machine.cbit);
}

CASE(secrets, "snp-secrets-page", CASE_SNP)
{
	const u8 *secrets = secrets_page();
	const u64 *svsm = (const u64 *)(secrets + 0x140);
	u32 n, i, key;

	expect("version", *(const u32 *)secrets, 3);
	for (n = 0; n < 4; n++) {
		for (i = key = 0; i < 32; i++)
			key |= secrets[0x20 + n * 32 + i];
		expect("there is a key", key != 0, n >= machine.vmpl);
	}
	expect("SVSM's size is 0", svsm[1] == 0, !machine.vmpl);
	expect("guest's VMPL", secrets[0x15c], machine.vmpl);
	if (!machine.vmpl)
		return;
	expect("calling area", svsm[2] & 0xfff, 0);
	expect("its flags", flags_of((const void *)svsm[2]), VALID);
	expect("SVSM's memory", flags_of((const void *)svsm[0]), 0);
}

/*
 * With --validated=loaded only the pages that the loader has filled are validated at
 * launch. The others are untouched.
 */
CASE(loaded, "snp-loaded", CASE_SNP | CASE_LOADED)
{
	expect("zero page", flags_of(machine.bp), VALID);
	expect("secrets page", flags_of(secrets_page()), VALID);
	expect("CPUID page", flags_of(cpuid_page()), VALID);
	expect("command line",
	       flags_of((void *)(u64)machine.bp->hdr.cmd_line_ptr), VALID);
	expect("setup_data", flags_of((void *)machine.bp->hdr.setup_data), VALID);
	expect("last page of init_size", flags_of((void *)(machine.bp->hdr.pref_address +
							   machine.bp->hdr.init_size - 1)), VALID);
	expect("page after it", flags_of((void *)(machine.bp->hdr.pref_address +
						   machine.bp->hdr.init_size + PAGE_SIZE)),
	       HOOK_RMP_UNTOUCHED);
	expect("page 0", flags_of((void *)0), HOOK_RMP_UNTOUCHED);
	expect("video BIOS", flags_of((void *)0xc0000), HOOK_RMP_UNTOUCHED);
}

/* The suite runs this case with --validated=0x1000-0x2000,0x3000000-0x3002000. */
CASE(list, "validated-list", CASE_SNP | CASE_ENDS)
{
	expect("page in front", flags_of((void *)0), HOOK_RMP_UNTOUCHED);
	expect("first range", flags_of((void *)0x1000), VALID);
	expect("page between", flags_of((void *)0x2000), HOOK_RMP_UNTOUCHED);
	expect("second range", flags_of((void *)0x3000000), VALID);
	expect("its last page", flags_of((void *)0x3001000), VALID);
	expect("page after", flags_of((void *)0x3002000), HOOK_RMP_UNTOUCHED);
	expect("what the loader has loaded", flags_of(machine.bp), VALID);
}
