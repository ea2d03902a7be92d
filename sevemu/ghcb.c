/* SPDX-License-Identifier: MIT */
/*
 * ghcb.c - handles VMGEXIT: the hypervisor's side of the GHCB MSR protocol
 * (GHCB 2.3.1) and of requests by the GHCB page (GHCB 4.1).
 *
 * Runs when an SEV-ES guest has executed VMGEXIT.  Requests are checked as
 * strictly as KVM checks them.  Where KVM and the specification differ in what
 * the host does, config.host decides (docs/emulator.md).  Only two functions give
 * an answer to the guest: answer() writes the GHCB MSR, publish() writes the GHCB
 * page.
 */
#include "ap.h"
#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "attack_smp.h"
#include "campaign.h"
#include "cpuid.h"
#include "dma.h"
#include "ghcb.h"
#include "hooks.h"
#include "io.h"
#include "log.h"
#include "main.h"
#include "mmio.h"
#include "msr.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "snp_ghcb.h"
#include "watch.h"

#define PMC_COUNT		4
#define JUMP_TABLE_SET		0
#define JUMP_TABLE_GET		1
#define XSAVE_LEAF		0xd

u64 jump_table;

/* Returns whether valid_bitmap has the bit of the GHCB field at @offset set. */
static bool valid(const struct ghcb *g, size_t offset)
{
	return g->valid_bitmap[offset / 64] >> offset / 8 % 8 & 1;
}

#define VALID(g, field)		valid((g), offsetof(struct ghcb, field))

/* Sets the bit of valid_bitmap that belongs to the GHCB field at @offset. */
static void mark(struct ghcb *g, size_t offset)
{
	g->valid_bitmap[offset / 64] |= 1 << offset / 8 % 8;
}

/* Sets a field of the GHCB page to @value, and the field's bit in valid_bitmap. */
#define PUT(g, field, value) do { \
	(g)->field = (value); \
	mark((g), offsetof(struct ghcb, field)); \
} while (0)

/*
 * Overwrites the guest's request in the GHCB MSR by the answer @value.  An
 * attack of the present run may change the answer.
 */
static void answer(struct vcpu *vcpu, u64 value)
{
	value = attack_answer(vcpu->ghcb_msr, value);
	trace("answer %#lx", value);
	vcpu->ghcb_msr = value;
}

/*
 * Copies the guest's request from the GHCB page @page to *@request.  Only the copy is
 * checked and used, so that the guest cannot change the request between a check and a
 * use.  The shared buffer, half of the page, is copied only for watch.c.  Other code reads
 * the buffer in the page itself.
 */
static void take_request(struct ghcb *request, const struct ghcb *page)
{
	size_t tail = offsetof(struct ghcb, shared_buffer) + sizeof(page->shared_buffer);

	if (config.hostile) {
		memcpy(request, page, sizeof(*request));
		return;
	}
	memcpy(request, page, offsetof(struct ghcb, shared_buffer));
	memcpy((u8 *)request + tail, (const u8 *)page + tail, sizeof(*request) - tail);
}

/*
 * Writes *@reply to the guest's GHCB page @g.  As in KVM, valid_bitmap is
 * cleared first, and RAX to RDX are marked valid in every reply.  An attack of the
 * present run may change the reply.  The attack finds out from @request, a copy of the
 * page as the guest filled it in, what the guest has asked for.
 */
static void publish(struct ghcb *g, const struct ghcb *request,
		    const struct ghcb_reply *reply)
{
	trace("reply %#lx %#lx rax %#lx rbx %#lx rcx %#lx rdx %#lx", reply->info_1,
	      reply->info_2, reply->rax, reply->rbx, reply->rcx, reply->rdx);
	memset(g->valid_bitmap, 0, sizeof(g->valid_bitmap));
	PUT(g, rax, reply->rax);
	PUT(g, rbx, reply->rbx);
	PUT(g, rcx, reply->rcx);
	PUT(g, rdx, reply->rdx);
	PUT(g, sw_exit_info_1, reply->info_1);
	PUT(g, sw_exit_info_2, reply->info_2);
	attack_reply(g, request);
}

unsigned int ghcb_lowest_version(void)
{
	return guest_is_snp() ? GHCB_PROTOCOL_SNP : GHCB_PROTOCOL_MIN;
}

/*
 * Returns the GHCB MSR's "SEV information" response: the protocol versions that
 * the hypervisor supports and the position of the C-bit (GHCB 2.3.1).
 */
static u64 sev_info(void)
{
	return (u64)config.ghcb_max << 48 | (u64)ghcb_lowest_version() << 32 |
	       (u64)config.cbit << 24 | GHCB_MSR_SEV_INFO_RESP;
}

/*
 * Returns the GHCB MSR's response to the CPUID request @request (GHCB 2.3.1).
 * Bits 31:30 repeat the number of the requested register, because OVMF expects
 * it in the response.
 */
static u64 cpuid_answer(struct vcpu *vcpu, u64 request)
{
	struct cpuid_regs r = guest_cpuid(vcpu, request >> 32, 0);
	u32 values[] = { r.eax, r.ebx, r.ecx, r.edx };

	return (u64)values[request >> 30 & 3] << 32 | (request & GHCB_CPUID_REGISTER) |
	       GHCB_MSR_CPUID_RESP;
}

/*
 * Stops @vcpu for the request AP reset hold by the MSR.  Answers with 0 in bits 63:12, which
 * says that no SIPI has come (GHCB 2.3.1).  When a SIPI comes, ghcb_end_hold() changes the
 * answer before @vcpu goes on.
 */
static void msr_hold(struct vcpu *vcpu)
{
	ap_hold(vcpu, HOLD_MSR, 0);
	answer(vcpu, GHCB_MSR_AP_RESET_RESP);
}

void ghcb_end_hold(struct vcpu *vcpu)
{
	struct ghcb *page;

	if (vcpu->hold == HOLD_MSR) {
		vcpu->ghcb_msr = GHCB_AP_STARTED << 12 | GHCB_MSR_AP_RESET_RESP;
		return;
	}
	if (guest_is_snp() ? !rmp_shared(vcpu->hold_ghcb) :
			     npt_frame_state(vcpu->hold_ghcb) != HOOK_FRAME_SHARED) {
		violation(vcpu, VIOL_GHCB_PRIVATE, "GHCB at %#lx became private before the AP "
			  "reset hold was answered", vcpu->hold_ghcb);
		return;
	}
	page = (struct ghcb *)npt_frame(vcpu->hold_ghcb, VIEW_SHARED);
	PUT(page, sw_exit_info_2, GHCB_AP_STARTED);
}

static void msr_protocol(struct vcpu *vcpu, u64 request)
{
	unsigned int code = request & GHCB_MSR_INFO_MASK;
	u64 response;

	report_vmgexit_msr(code);
	trace("vmgexit msr %#lx rip %#lx", request, vcpu->vmcb->rip);
	if (guest_is_snp() && snp_msr_request(vcpu, request, &response)) {
		answer(vcpu, response);
		return;
	}
	switch (code) {
	case GHCB_MSR_SEV_INFO_REQ:
		answer(vcpu, sev_info());
		break;
	case GHCB_MSR_CPUID_REQ:
		answer(vcpu, cpuid_answer(vcpu, request));
		break;
	case GHCB_MSR_TERM_REQ:
		end_terminated(request);
	case GHCB_MSR_AP_RESET_REQ:
		msr_hold(vcpu);
		break;
	case GHCB_MSR_PREF_GPA_REQ:
	case GHCB_MSR_REG_GPA_REQ:
	case GHCB_MSR_PSC_REQ:
		violation(vcpu, VIOL_NOT_SNP, "MSR request %#lx is for SNP guests only",
			  request);
		break;
	case GHCB_MSR_HV_FT_REQ:
		if (config.ghcb_max >= 2) {
			answer(vcpu, GHCB_MSR_HV_FT_RESP);
			break;
		}
		/* fall through */
	default:
		violation(vcpu, VIOL_MSR_REQUEST, "unknown MSR request %#lx (protocol "
			  "versions 1 to %u are offered)", request, config.ghcb_max);
	}
}

/*
 * Returns whether the guest has filled in all fields of the GHCB page that the
 * request's sw_exit_code needs (GHCB 4.1).
 */
static bool inputs_valid(const struct ghcb *g)
{
	bool write = g->sw_exit_info_1;

	switch (g->sw_exit_code) {
	case SVM_EXIT_WRITE_DR7:
		return VALID(g, rax);
	case SVM_EXIT_RDPMC:
		return VALID(g, rcx);
	case SVM_EXIT_CPUID:
		return VALID(g, rax) && VALID(g, rcx) &&
		       (g->rax != XSAVE_LEAF || VALID(g, xcr0));
	case SVM_EXIT_IOIO:
		if (g->sw_exit_info_1 & IOIO_STRING)
			return VALID(g, sw_scratch);
		return g->sw_exit_info_1 & IOIO_IN || VALID(g, rax);
	case SVM_EXIT_MSR:
		return VALID(g, rcx) && (!write || (VALID(g, rax) && VALID(g, rdx)));
	case SVM_EXIT_VMMCALL:
		return VALID(g, rax) && VALID(g, cpl);
	case SVM_EXIT_MONITOR:
		return VALID(g, rax) && VALID(g, rcx) && VALID(g, rdx);
	case SVM_EXIT_MWAIT:
		return VALID(g, rax) && VALID(g, rcx);
	case GHCB_EXIT_MMIO_READ:
	case GHCB_EXIT_MMIO_WRITE:
		return VALID(g, sw_scratch);
	case GHCB_EXIT_PAGE_STATE:
		return !guest_is_snp() || VALID(g, sw_scratch);
	case GHCB_EXIT_AP_CREATION:
		return !guest_is_snp() || config.smp == 1 ||
		       (g->sw_exit_info_1 & 0xffff) == GHCB_AP_DESTROY || VALID(g, rax);
	case GHCB_EXIT_EXT_GUEST_REQUEST:
		return !guest_is_snp() || (VALID(g, rax) && VALID(g, rbx));
	default:
		return true;
	}
}

void ghcb_malformed(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply,
		    unsigned int code, u64 error)
{
	violation(vcpu, code, "GHCB exit %#lx info %#lx %#lx scratch %#lx usage %u",
		  g->sw_exit_code, g->sw_exit_info_1, g->sw_exit_info_2,
		  g->sw_scratch, g->ghcb_usage);
	reply->info_1 = GHCB_REPLY_MALFORMED;
	reply->info_2 = error;
}

/*
 * Sets *@reply to "raise exception #GP", which asks the guest's #VC handler to
 * deliver #GP to the interrupted code (GHCB 4.1).
 */
static void raise_gp(struct ghcb_reply *reply)
{
	reply->info_1 = GHCB_REPLY_EXCEPTION;
	reply->info_2 = EVENT_VALID | EVENT_TYPE_EXCEPTION | X86_GP;
	/* This bit says that #GP has an error code, which is 0.  KVM does not set it. */
	if (config.host == HOST_SPEC)
		reply->info_2 |= EVENT_ERROR_VALID;
}

u8 *ghcb_scratch(struct ghcb *page, const struct ghcb *g, u64 gpa, u64 len)
{
	u64 offset = g->sw_scratch - gpa;
	u64 start = offsetof(struct ghcb, shared_buffer);

	if (offset < start || offset > start + GHCB_SHARED_SIZE ||
	    len > start + GHCB_SHARED_SIZE - offset)
		return NULL;
	return (u8 *)page + offset;
}

static void do_ioio(struct vcpu *vcpu, struct ghcb *page, const struct ghcb *g,
		    u64 gpa, struct ghcb_reply *reply)
{
	u64 info = g->sw_exit_info_1, count = g->sw_exit_info_2;
	unsigned int size = (info & IOIO_SIZE_MASK) >> IOIO_SIZE_SHIFT;
	u16 port = info >> IOIO_PORT_SHIFT;
	u8 *data;

	if (!(info & IOIO_IN) && port >= PORT_PCI_BARS)
		dma_doorbell(vcpu);
	if (size != 1 && size != 2 && size != 4) {
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT, GHCB_ERR_INVALID_INPUT);
	} else if (info & IOIO_STRING) {
		data = count > GHCB_SHARED_SIZE ? NULL : ghcb_scratch(page, g, gpa, count * size);
		if (!data) {
			ghcb_malformed(vcpu, g, reply, VIOL_SCRATCH, GHCB_ERR_SCRATCH);
			return;
		}
		io_string(port, size, data, count, info & IOIO_IN);
	} else if (info & IOIO_IN) {
		reply->rax = io_in(port, size);
		if (size < 4)
			reply->rax &= (1u << size * 8) - 1;
	} else {
		io_out(port, size, g->rax);
	}
}

static void do_msr(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply)
{
	u64 value;

	if (g->sw_exit_info_1 > 1) {
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT, GHCB_ERR_INVALID_INPUT);
	} else if (g->sw_exit_info_1) {
		value = (u32)g->rax | g->rdx << 32;
		if (!msr_write(vcpu, g->rcx, value))
			raise_gp(reply);
	} else if (msr_read(vcpu, g->rcx, &value)) {
		reply->rax = (u32)value;
		reply->rdx = value >> 32;
	} else {
		raise_gp(reply);
	}
}

static void do_mmio(struct vcpu *vcpu, struct ghcb *page, const struct ghcb *g,
		    u64 gpa, struct ghcb_reply *reply)
{
	bool write = g->sw_exit_code == GHCB_EXIT_MMIO_WRITE;
	u8 *data = ghcb_scratch(page, g, gpa, g->sw_exit_info_2);

	if (write && !(g->sw_exit_info_1 >= APIC_START && g->sw_exit_info_1 < APIC_END))
		dma_doorbell(vcpu);
	if (!data)
		ghcb_malformed(vcpu, g, reply, VIOL_SCRATCH, GHCB_ERR_SCRATCH);
	else if (!mmio_access(vcpu, g->sw_exit_info_1, data, g->sw_exit_info_2, write))
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT, GHCB_ERR_INVALID_INPUT);
}

static void do_jump_table(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply)
{
	if (g->sw_exit_info_1 == JUMP_TABLE_SET)
		jump_table = g->sw_exit_info_2;
	else if (g->sw_exit_info_1 == JUMP_TABLE_GET)
		reply->info_2 = attack_smp_table(jump_table);
	else
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_INPUT, GHCB_ERR_INVALID_INPUT);
}

/*
 * Handles the requests to read and to write DR7.  With --host spec, does what GHCB 4.1 says:
 * a write with a bit above bit 31 raises #GP.  KVM lets the processor save and restore DR7 of
 * an SEV-ES guest, and therefore ignores both requests.  With --host kvm a write therefore
 * changes nothing, even with a bit above bit 31, and a read gives 0 in RAX.
 */
static void do_dr7(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply)
{
	if (config.host == HOST_KVM)
		return;
	if (g->sw_exit_code == SVM_EXIT_READ_DR7)
		reply->rax = vcpu->dr7;
	else if (g->rax >> 32)
		raise_gp(reply);
	else
		vcpu->dr7 = g->rax | DR7_INIT;
}

/*
 * Emulates RDPMC.  Like KVM's virtual PMU, sevemu has performance counters 0 to
 * 3.  They do not count, so RDPMC returns 0.  RDPMC of a higher number raises
 * #GP.  The specification asks for #GP by sw_exit_info_1.  KVM replies that the
 * request is done, and injects #GP into the guest.
 */
static void do_rdpmc(const struct ghcb *g, struct ghcb_reply *reply)
{
	if (g->rcx < PMC_COUNT)
		return;
	if (config.host == HOST_KVM)
		reply->inject_gp = true;
	else
		raise_gp(reply);
}

/*
 * Handles a request by the GHCB page at @gpa, and fills in *@reply.  @page is
 * the guest's GHCB page.  @g is a copy of it that the guest cannot change; all
 * fields that its sw_exit_code needs are valid.
 */
static void serve(struct vcpu *vcpu, struct ghcb *page, const struct ghcb *g,
		  u64 gpa, struct ghcb_reply *reply)
{
	struct cpuid_regs r;
	u64 tsc;

	if (guest_is_snp() && snp_page_request(vcpu, page, g, gpa, reply))
		return;
	switch (g->sw_exit_code) {
	case SVM_EXIT_READ_DR7:
	case SVM_EXIT_WRITE_DR7:
		do_dr7(vcpu, g, reply);
		break;
	case SVM_EXIT_RDTSCP:
		reply->rcx = rdmsr(MSR_TSC_AUX);
		/* fall through */
	case SVM_EXIT_RDTSC:
		tsc = attack_tsc(rdtsc());
		reply->rax = (u32)tsc;
		reply->rdx = tsc >> 32;
		break;
	case SVM_EXIT_RDPMC:
		do_rdpmc(g, reply);
		break;
	case SVM_EXIT_CPUID:
		r = guest_cpuid(vcpu, g->rax, g->rcx);
		reply->rax = r.eax;
		reply->rbx = r.ebx;
		reply->rcx = r.ecx;
		reply->rdx = r.edx;
		break;
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
		break;
	case SVM_EXIT_IOIO:
		do_ioio(vcpu, page, g, gpa, reply);
		break;
	case SVM_EXIT_MSR:
		do_msr(vcpu, g, reply);
		break;
	case SVM_EXIT_VMMCALL:
		reply->rax = -(u64)KVM_ENOSYS;
		break;
	case GHCB_EXIT_MMIO_READ:
	case GHCB_EXIT_MMIO_WRITE:
		do_mmio(vcpu, page, g, gpa, reply);
		break;
	case GHCB_EXIT_NMI_COMPLETE:
		vcpu->nmi_masked = false;
		break;
	case GHCB_EXIT_AP_RESET_HOLD:
		/* The reply says that no SIPI has come.  A later SIPI overwrites the reply. */
		ap_hold(vcpu, HOLD_PAGE, gpa);
		break;
	case GHCB_EXIT_AP_JUMP_TABLE:
		do_jump_table(vcpu, g, reply);
		break;
	case GHCB_EXIT_HV_FEATURES:
		if (config.ghcb_max < 2)
			ghcb_malformed(vcpu, g, reply, VIOL_INVALID_EVENT,
				  GHCB_ERR_INVALID_EVENT);
		break;
	case GHCB_EXIT_UNSUPPORTED:
		violation(vcpu, VIOL_UNSUPPORTED_EVENT, "guest does not support exit "
			  "%#lx (error code %#lx)", g->sw_exit_info_1, g->sw_exit_info_2);
		break;
	default:
		ghcb_malformed(vcpu, g, reply, VIOL_INVALID_EVENT, GHCB_ERR_INVALID_EVENT);
	}
}

/*
 * Reports a violation if the guest's request @g has a GHCB protocol version
 * that the hypervisor's "SEV information" response did not offer.
 */
static void check_version(struct vcpu *vcpu, const struct ghcb *g)
{
	/*
	 * Under --attack and --hostile the version is not checked, because the
	 * host may have offered wrong versions, from which the guest has then
	 * chosen.
	 */
	if (campaign_running() || (g->protocol_version >= ghcb_lowest_version() &&
				  g->protocol_version <= config.ghcb_max))
		return;
	/* Skip the check, because Linux names no version in its termination request. */
	if (guest_is_snp() && g->sw_exit_code == GHCB_EXIT_TERMINATE)
		return;
	/*
	 * OVMF's SEC phase leaves protocol_version 0 in its requests, and KVM
	 * accepts them.  Count such a request instead of reporting a violation.
	 */
	if (!g->protocol_version && config.mode == MODE_OVMF)
		report_count(COUNT_VERSION_0);
	else
		violation(vcpu, VIOL_GHCB_VERSION, "GHCB protocol version %u, "
			  "offered were %u to %u", (unsigned int)g->protocol_version,
			  ghcb_lowest_version(), config.ghcb_max);
}

/*
 * Handles a request by the GHCB page at @gpa.  Returns whether #GP must be
 * injected after the guest's VMGEXIT.
 */
static bool page_protocol(struct vcpu *vcpu, u64 gpa)
{
	static struct ghcb request;
	struct ghcb_reply reply = { 0 };
	struct ghcb *page;

	if (npt_frame_state(gpa) == HOOK_FRAME_NONE || npt_is_rom(gpa)) {
		report_vmgexit_page(0);
		violation(vcpu, VIOL_GHCB_ADDRESS, "GHCB at %#lx is not in RAM", gpa);
		return false;
	}
	if (guest_is_snp() ? !rmp_shared(gpa) : npt_frame_state(gpa) != HOOK_FRAME_SHARED) {
		violation(vcpu, VIOL_GHCB_PRIVATE, "GHCB at %#lx is private", gpa);
		/*
		 * Write no reply to the GHCB page, because it is private, and a host cannot
		 * write to private memory of an SNP guest.
		 */
		if (guest_is_snp())
			return false;
	}

	page = (struct ghcb *)npt_frame(gpa, VIEW_SHARED);
	take_request(&request, page);
	watch_request(vcpu, &request, gpa);
	report_vmgexit_page(request.sw_exit_code);
	trace("vmgexit page %#lx info %#lx %#lx rip %#lx", request.sw_exit_code,
	      request.sw_exit_info_1, request.sw_exit_info_2, vcpu->vmcb->rip);

	events_trigger(FROM_REQUEST);
	if (guest_is_snp() && gpa != vcpu->ghcb_registered) {
		ghcb_malformed(vcpu, &request, &reply, VIOL_GHCB_UNREGISTERED,
			       GHCB_ERR_NOT_REGISTERED);
	} else if (request.ghcb_usage) {
		ghcb_malformed(vcpu, &request, &reply, VIOL_USAGE, GHCB_ERR_USAGE);
	} else {
		check_version(vcpu, &request);
		if (!VALID(&request, sw_exit_code) || !VALID(&request, sw_exit_info_1) ||
		    !VALID(&request, sw_exit_info_2) || !inputs_valid(&request))
			ghcb_malformed(vcpu, &request, &reply, VIOL_MISSING_INPUT,
				  GHCB_ERR_MISSING_INPUT);
		else
			serve(vcpu, page, &request, gpa, &reply);
	}
	publish(page, &request, &reply);
	events_replied(gpa);
	return reply.inject_gp;
}

bool vmgexit(struct vcpu *vcpu)
{
	u64 msr = vcpu->ghcb_msr;

	campaign_vmgexit(vcpu);
	memory_note(vcpu);
	events_trigger(FROM_VMGEXIT);
	if (!(msr & GHCB_MSR_INFO_MASK))
		return page_protocol(vcpu, msr);
	msr_protocol(vcpu, msr);
	return false;
}
