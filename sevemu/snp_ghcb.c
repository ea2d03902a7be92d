/* SPDX-License-Identifier: MIT */
/*
 * snp_ghcb.c - the hypervisor's side of the requests that only an SEV-SNP guest may
 * make, by the GHCB MSR (GHCB 2.3.1) and by the GHCB page (GHCB 4.1).
 *
 * Runs when an SNP guest has executed VMGEXIT.  Requests are answered as KVM answers
 * them.  Where KVM accepts what the specification forbids, the request is reported
 * as a violation, and then answered as by KVM.  docs/emulator-snp.md has the list.
 */
#include "ap.h"
#include "attack_snp.h"
#include "hooks.h"
#include "log.h"
#include "main.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "snp_ghcb.h"
#include "svsm.h"

/* The page state change structure in the GHCB's shared buffer (GHCB 4.1.6). */
struct page_states {
	u16 current;		/* index of the first entry that is not done yet */
	u16 last;		/* index of the last entry, inclusive */
	u32 reserved;
	u64 entries[];		/* ENTRY_* */
};

/* Fields of an entry of struct page_states. */
#define ENTRY_PAGE		0xfff		/* number of 4 KiB pages done */
#define ENTRY_GPA		0x000ffffffffff000
#define ENTRY_STATE_SHIFT	52
#define ENTRY_STATE_MASK	0xf
#define ENTRY_2M		(1ull << 56)
#define ENTRY_RESERVED		0xfe00000000000000

/* sw_exit_info_2 of the reply to a page state request that failed. */
#define PSC_BAD_HEADER		(1ull << 32 | 1)
#define PSC_BAD_ENTRY		(1ull << 32 | 2)
#define PSC_FAILED		(0x100ull << 32)

/*
 * The firmware's error code in the reply to a guest request: "unsupported" (SEV-SNP
 * firmware ABI, status codes), because sevemu has no security processor.
 */
#define FIRMWARE_UNSUPPORTED	0x15

static u64 features(void)
{
	return GHCB_FEATURE_SNP | (config.smp > 1 ? GHCB_FEATURE_AP_CREATION : 0) |
	       (config.vmpl ? GHCB_FEATURE_MULTI_VMPL : 0);
}

static u64 msr_page_state(struct vcpu *vcpu, u64 request)
{
	unsigned int state = request >> GHCB_PSC_OP_SHIFT & GHCB_PSC_OP_MASK;
	u64 gpa = request & GHCB_PSC_GPA;

	if (request & GHCB_PSC_RESERVED)
		violation(vcpu, VIOL_MSR_REQUEST, "page state request %#lx has reserved bits",
			  request);
	if (state != PAGE_STATE_PRIVATE && state != PAGE_STATE_SHARED) {
		violation(vcpu, VIOL_MSR_REQUEST, "page state request %#lx asks for state %u",
			  request, state);
		return GHCB_PSC_ERROR | GHCB_MSR_PSC_RESP;
	}
	return (rmp_page_state(vcpu, gpa, state, 1) ? 0 : GHCB_PSC_ERROR) |
	       GHCB_MSR_PSC_RESP;
}

/*
 * Lets the SVSM at VMPL 0 run, for a guest's request to run VMPL @vmpl.  Returns
 * false if there is no SVSM or @vmpl is not 0.
 */
static bool run_vmpl(struct vcpu *vcpu, u64 vmpl)
{
	if (vmpl || !vcpu->vmpl) {
		violation(vcpu, VIOL_SVSM_CALL, "the guest at VMPL %u asks to run VMPL %#lx; "
			  "there is %s", vcpu->vmpl, vmpl,
			  vcpu->vmpl ? "an SVSM at VMPL 0 only" : "no SVSM");
		return false;
	}
	if (!snp_attack_no_svsm())
		svsm_run(vcpu);
	return true;
}

/* Handles the MSR request "run VMPL".  Bits 63:40 and 31:12 of @request must be 0. */
static u64 msr_run_vmpl(struct vcpu *vcpu, u64 request)
{
	u64 vmpl = (u32)request >> 12 ? ~0ull : request >> GHCB_VMPL_SHIFT;

	return (run_vmpl(vcpu, vmpl) ? 0 : 1ull << 32) | GHCB_MSR_VMPL_RESP;
}

bool snp_msr_request(struct vcpu *vcpu, u64 request, u64 *response)
{
	switch (request & GHCB_MSR_INFO_MASK) {
	case GHCB_MSR_PREF_GPA_REQ:
		*response = GHCB_PREF_GPA_NONE | GHCB_MSR_PREF_GPA_RESP;
		return true;
	case GHCB_MSR_REG_GPA_REQ:
		vcpu->ghcb_registered = ALIGN_DOWN(request, PAGE_SIZE);
		*response = vcpu->ghcb_registered | GHCB_MSR_REG_GPA_RESP;
		return true;
	case GHCB_MSR_PSC_REQ:
		*response = msr_page_state(vcpu, request);
		return true;
	case GHCB_MSR_VMPL_REQ:
		*response = msr_run_vmpl(vcpu, request);
		return true;
	case GHCB_MSR_HV_FT_REQ:
		*response = features() << 12 | GHCB_MSR_HV_FT_RESP;
		return true;
	default:
		return false;
	}
}

static void bad_entry(struct vcpu *vcpu, unsigned int index, u64 entry, const char *what)
{
	violation(vcpu, VIOL_PSC_ENTRY, "page state entry %u is %#lx: %s", index, entry, what);
}

/*
 * Does what entry @index of a page state request asks for, and returns the reply's
 * sw_exit_info_2, 0 for success.  @ghcb is the address of the GHCB page.  Refuses to make
 * this page private, because the host must write the reply to it.
 */
static u64 change_entry(struct vcpu *vcpu, unsigned int index, u64 entry, u64 ghcb)
{
	unsigned int state = entry >> ENTRY_STATE_SHIFT & ENTRY_STATE_MASK;
	unsigned int pages = entry & ENTRY_2M ? LARGE_SIZE / PAGE_SIZE : 1;
	unsigned int done = entry & ENTRY_PAGE;
	u64 gpa = entry & ENTRY_GPA, bytes = pages * PAGE_SIZE;

	report_count(COUNT_PSC_ENTRIES);
	if (done > pages || gpa % bytes) {
		bad_entry(vcpu, index, entry, done > pages ?
			  "its current page is after its last one" :
			  "its address is not aligned to its size");
		return PSC_BAD_ENTRY;
	}
	if (entry & ENTRY_RESERVED)
		bad_entry(vcpu, index, entry, "it has reserved bits");
	switch (state) {
	case PAGE_STATE_PRIVATE:
	case PAGE_STATE_SHARED:
		if (state == PAGE_STATE_PRIVATE && ghcb - gpa < bytes)
			return PSC_FAILED;
		return rmp_page_state(vcpu, gpa + done * PAGE_SIZE, state, pages - done) ?
		       0 : PSC_FAILED;
	case PAGE_STATE_PSMASH:
		if (npt_rmp(gpa))
			rmp_smash(gpa);
		return 0;
	case PAGE_STATE_UNSMASH:
		/* A hint, which KVM ignores. */
		return 0;
	default:
		bad_entry(vcpu, index, entry, "there is no such state");
		return 0;
	}
}

/*
 * Handles a page state request (GHCB 4.1.6).  The structure in the shared buffer
 * belongs to the guest, so each field is read once.  Writes the index of the next entry
 * back to the structure, because the guest repeats the request until the index is after
 * the last entry.
 */
static void page_state(struct vcpu *vcpu, struct ghcb *page, const struct ghcb *g, u64 gpa,
		       struct ghcb_reply *reply)
{
	volatile struct page_states *p = (void *)ghcb_scratch(page, g, gpa, sizeof(*p));
	unsigned int current, last, room, handled;

	if (!p) {
		ghcb_malformed(vcpu, g, reply, VIOL_SCRATCH, GHCB_ERR_SCRATCH);
		return;
	}
	room = ((u64)page->shared_buffer + GHCB_SHARED_SIZE - (u64)p->entries) / sizeof(u64);
	current = p->current;
	last = p->last;
	/*
	 * Do not check that the header's reserved field is 0, because EDK2 does not clear
	 * it.
	 */
	if (last >= room || current > last)
		violation(vcpu, VIOL_PSC_HEADER, "page state request with entries %u to %u, "
			  "and room for %u entries", current, last, room);
	if (last >= room) {
		reply->info_2 = PSC_BAD_HEADER;
		return;
	}
	for (handled = 0; current <= last && handled < config.psc_entries; handled++) {
		u64 entry = p->entries[current];
		unsigned int pages = entry & ENTRY_2M ? LARGE_SIZE / PAGE_SIZE : 1;

		reply->info_2 = change_entry(vcpu, current, entry, gpa);
		if (reply->info_2)
			return;
		p->entries[current] = (entry & ~(u64)ENTRY_PAGE) | pages;
		p->current = ++current;
	}
}

/*
 * Returns whether the host can write to the @pages pages at @gpa, which an extended guest
 * request names for the certificates.  @pages may be 0: the guest then only asks how many
 * pages the certificates need.
 */
static bool data_pages(u64 gpa, u64 pages)
{
	if (gpa % PAGE_SIZE)
		return false;
	for (; pages; pages--, gpa += PAGE_SIZE)
		if (!rmp_shared(gpa))
			return false;
	return true;
}

/*
 * Handles a guest request to the security processor (GHCB 4.1.7).  @g has the
 * addresses of the request page and of the response page.  The extended request also
 * has those of data pages.
 */
static void guest_request(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply)
{
	u64 request = g->sw_exit_info_1, response = g->sw_exit_info_2;

	if (request % PAGE_SIZE || response % PAGE_SIZE || request == response ||
	    !rmp_shared(request) || !rmp_shared(response) ||
	    (g->sw_exit_code == GHCB_EXIT_EXT_GUEST_REQUEST && !data_pages(g->rax, g->rbx)))
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT, GHCB_ERR_INVALID_INPUT);
	else
		reply->info_2 = FIRMWARE_UNSUPPORTED;
}

/*
 * Returns whether the guest may start a virtual CPU with the VMSA page at @gpa and the
 * SEV features @features.  The page must not be aligned to 2 MiB, because processors with
 * an erratum would not accept it.
 */
static bool vmsa_is_usable(u64 gpa, u64 vmpl, u64 features)
{
	const struct rmp_entry *entry = npt_rmp(gpa);
	u64 in_page;

	if (gpa % PAGE_SIZE || !(gpa % LARGE_SIZE) || !entry || entry->flags & RMP_ALIASED ||
	    !(entry->flags & RMP_ASSIGNED) || !(entry->flags & RMP_VALIDATED) ||
	    !(entry->flags & RMP_VMSA))
		return false;
	memcpy(&in_page, npt_host(gpa) + VMSA_SEV_FEATURES, sizeof(in_page));
	return features == SEV_FEATURE_SNP && in_page == features && vmpl == config.vmpl &&
	       npt_host(gpa)[VMSA_VMPL] == vmpl;
}

/*
 * Handles the request AP creation (GHCB 4.1, SNP AP Creation).  sw_exit_info_1 has the
 * operation in bits 15:0, the VMPL in bits 19:16 and the APIC ID in bits 63:32.
 * sw_exit_info_2 has the address of the VMSA page, RAX the SEV features.
 */
static void ap_creation(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply)
{
	u64 request = g->sw_exit_info_1, id = request >> 32;
	unsigned int operation = request & 0xffff, vmpl = request >> 16 & 0xf;

	if (id >= config.smp || operation > GHCB_AP_DESTROY ||
	    (operation != GHCB_AP_DESTROY &&
	     !vmsa_is_usable(g->sw_exit_info_2, vmpl, g->rax))) {
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT, GHCB_ERR_INVALID_INPUT);
		return;
	}
	if (operation == GHCB_AP_DESTROY)
		ap_destroy(&vcpus[id]);
	else
		ap_create(&vcpus[id], g->sw_exit_info_2, operation == GHCB_AP_CREATE_ON_INIT);
}

bool snp_page_request(struct vcpu *vcpu, struct ghcb *page, const struct ghcb *g, u64 gpa,
		      struct ghcb_reply *reply)
{
	switch (g->sw_exit_code) {
	case GHCB_EXIT_PAGE_STATE:
		page_state(vcpu, page, g, gpa, reply);
		return true;
	case GHCB_EXIT_GUEST_REQUEST:
	case GHCB_EXIT_EXT_GUEST_REQUEST:
		guest_request(vcpu, g, reply);
		return true;
	case GHCB_EXIT_AP_CREATION:
		if (config.smp == 1)
			return false;
		ap_creation(vcpu, g, reply);
		return true;
	case GHCB_EXIT_RUN_VMPL:
		if (g->sw_exit_info_2 || !run_vmpl(vcpu, g->sw_exit_info_1))
			ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT,
				       GHCB_ERR_INVALID_INPUT);
		return true;
	case GHCB_EXIT_HV_FEATURES:
		reply->info_2 = features();
		return true;
	case GHCB_EXIT_TERMINATE:
		log_printf("sw_exit_info_2 of the guest's termination request: %#lx",
			   g->sw_exit_info_2);
		end_terminated((g->sw_exit_info_1 & 0xf) << 12 |
			       (g->sw_exit_info_1 >> 4 & 0xff) << 16 | GHCB_MSR_TERM_REQ);
	default:
		return false;
	}
}
