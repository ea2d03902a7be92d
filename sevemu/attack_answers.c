/* SPDX-License-Identifier: MIT */
/*
 * attack_answers.c - the attacks in which the host answers the guest wrongly:
 * CPUID, the GHCB MSR protocol, replies by the GHCB page, I/O ports and time.
 *
 * When the guest gets an answer, attack.c passes the honest answer to the
 * functions of this file, which change it.
 *
 * An attack has a number N.  Some attacks divide N by the number of their
 * forms.  The remainder selects the form, the quotient the answer that is
 * changed.  For example answer-code has 16 forms, so answer-code:19 changes the
 * second answer (19 / 16 = 1, from 0) in form 3.
 */
#include "attack.h"
#include "attack_answers.h"
#include "attack_events.h"
#include "exception.h"
#include "ghcb.h"
#include "sevemu.h"

#define CPUID_EXT_MAX		0x80000000
#define CPUID_SEV		0x8000001f
/* The feature bits of SEV and SEV-ES in CPUID 0x8000001F EAX. */
#define CPUID_SEV_ES_BITS	0xa
#define CBIT_MASK		0x3f
/* A wrong position of the C-bit: real processors use bit 47 or 51. */
#define CBIT_NONE		46
#define INFO_CBIT_SHIFT		24
#define INFO_CBIT_MASK		(0xffull << INFO_CBIT_SHIFT)
#define INFO_VERSIONS		0xffffffff00000000
#define COM1			0x3f8
#define COM1_IIR		0x3fa
#define COM1_LSR		0x3fd

/*
 * The first ANSWERS answers of the GHCB MSR protocol and the first REPLIES
 * replies by the GHCB page can be attacked.
 */
#define ANSWERS			12
#define REPLIES			24

/* ---- CPUID and SEV information. */

/* Sets the position of the C-bit in CPUID 0x8000001F EBX bits 5:0 to @n. */
static void set_cbit(struct cpuid_regs *r, u64 n)
{
	r->ebx = (r->ebx & ~CBIT_MASK) | (n & CBIT_MASK);
}

/* Returns the wrong position of the C-bit that the host is to report to the guest. */
static u64 said_bit(const struct lie *lie)
{
	return lie->attack->arg ? lie->attack->arg : lie->n;
}

static void cbit_in_cpuid(struct lie *lie, u32 function, struct cpuid_regs *r)
{
	if (function == CPUID_SEV)
		set_cbit(r, said_bit(lie));
}

static u64 cbit_in_info(struct lie *lie, u64 request, u64 value)
{
	if (request != GHCB_MSR_SEV_INFO_REQ)
		return value;
	return (value & ~INFO_CBIT_MASK) | said_bit(lie) << INFO_CBIT_SHIFT;
}

/*
 * Makes the host deny SEV.  If lie->n is 0 to 3, CPUID 0x80000000 reports too
 * low a highest extended function.  If it is 4 to 9, the features in CPUID
 * 0x8000001F are wrong.
 */
static void cpuid_denies(struct lie *lie, u32 function, struct cpuid_regs *r)
{
	static const u32 maxima[] = { 0x8000001e, 0x80000008, 0x80000000, 0 };

	if (function == CPUID_EXT_MAX && lie->n < ARRAY_SIZE(maxima))
		r->eax = maxima[lie->n];
	if (function != CPUID_SEV || lie->n < ARRAY_SIZE(maxima))
		return;
	switch (lie->n - ARRAY_SIZE(maxima)) {
	case 0:
		r->eax = 0;
		break;
	case 1:		/* SEV without SEV-ES */
		r->eax &= ~8u;
		break;
	case 2:		/* SEV-ES without SEV */
		r->eax &= ~2u;
		break;
	case 3:
		r->eax = ~0u & ~CPUID_SEV_ES_BITS;
		break;
	case 4:
		memset(r, 0, sizeof(*r));
		break;
	default:
		memset(r, 0xff, sizeof(*r));
	}
}

/*
 * Makes the host change its answer to CPUID 0x8000001F between two calls of the
 * guest.  With N = lie->n, the first N % 4 answers are honest.  Later answers
 * report no features if N / 4 is 0, and otherwise a C-bit position in which bit
 * N / 4 % 6 is flipped.
 */
static void cpuid_changes(struct lie *lie, u32 function, struct cpuid_regs *r)
{
	if (function != CPUID_SEV || lie->seen++ < lie->n % 4)
		return;
	if (lie->n / 4)
		r->ebx ^= 1u << lie->n / 4 % 6;
	else
		r->eax = 0;
}

static void cpuid_inverted(struct lie *lie, u32 function, struct cpuid_regs *r)
{
	(void)function;
	if (!occasion(lie, lie->n))
		return;
	r->eax = ~r->eax;
	r->ebx = ~r->ebx;
	r->ecx = ~r->ecx;
	r->edx = ~r->edx;
}

/* ---- The MSR protocol. */

/*
 * The codes that the attack answer-code puts into bits 11:0 of the GHCB MSR in
 * place of the right response code.  Some are responses to other requests, some
 * are requests, and some are not defined (GHCB 2.3.1).
 */
static const u16 codes[] = {
	0x000, 0x001, 0x002, 0x004, 0x005, 0x006, 0x007, 0x011, 0x013, 0x015,
	0x017, 0x080, 0x081, 0x100, 0x105, 0xfff,
};

static u64 answer_code(struct lie *lie, u64 request, u64 value)
{
	(void)request;
	if (!occasion(lie, lie->n / ARRAY_SIZE(codes)))
		return value;
	return (value & ~(u64)GHCB_MSR_INFO_MASK) | codes[lie->n % ARRAY_SIZE(codes)];
}

/*
 * Leaves the guest's request in the GHCB MSR, as a host does that does not know
 * the request.
 */
static u64 answer_none(struct lie *lie, u64 request, u64 value)
{
	return occasion(lie, lie->n) ? request : value;
}

static u64 answer_bit(struct lie *lie, u64 request, u64 value)
{
	(void)request;
	return occasion(lie, lie->n / 64) ? value ^ 1ull << lie->n % 64 : value;
}

static u64 answer_garbage(struct lie *lie, u64 request, u64 value)
{
	u64 garbage = attack_mix(lie->n);

	(void)request;
	if (!occasion(lie, lie->n % ANSWERS))
		return value;
	/*
	 * If lie->n / ANSWERS is even, the MSR's random value has the right
	 * response code in bits 11:0.  The guest then has to check the other
	 * bits.
	 */
	return lie->n / ANSWERS % 2 ? garbage :
	       (garbage & ~(u64)GHCB_MSR_INFO_MASK) | (value & GHCB_MSR_INFO_MASK);
}

static u64 version(struct lie *lie, u64 request, u64 value)
{
	static const struct {
		u16 min, max;
	} ranges[] = {
		{ 0, 0 }, { 3, 3 }, { 3, 0xffff }, { 2, 1 }, { 0xffff, 0 },
		{ 0xffff, 0xffff }, { 0, 1 }, { 1, 0xffff }, { 2, 2 }, { 1, 0 },
	};

	if (request != GHCB_MSR_SEV_INFO_REQ)
		return value;
	return (value & ~INFO_VERSIONS) | (u64)ranges[lie->n].max << 48 |
	       (u64)ranges[lie->n].min << 32;
}

/* ---- Replies by the GHCB page. */

/* Flips the bit of valid_bitmap that belongs to the GHCB field at @offset. */
static void flip_valid(struct ghcb *page, size_t offset)
{
	page->valid_bitmap[offset / 64] ^= 1 << offset / 8 % 8;
}

static void reply_not_valid(struct lie *lie, struct ghcb *page,
			    const struct ghcb *request)
{
	static const size_t fields[] = {
		offsetof(struct ghcb, rax), offsetof(struct ghcb, rbx),
		offsetof(struct ghcb, rcx), offsetof(struct ghcb, rdx),
		offsetof(struct ghcb, sw_exit_info_1),
		offsetof(struct ghcb, sw_exit_info_2),
	};

	(void)request;
	if (occasion(lie, lie->n / ARRAY_SIZE(fields)))
		flip_valid(page, fields[lie->n % ARRAY_SIZE(fields)]);
}

static void reply_none_valid(struct lie *lie, struct ghcb *page,
			     const struct ghcb *request)
{
	(void)request;
	if (occasion(lie, lie->n))
		memset(page->valid_bitmap, 0, sizeof(page->valid_bitmap));
}

/*
 * Sets bit lie->n of valid_bitmap in the host's reply, which claims that the
 * host has filled in the bit's field.  If lie->n is 128, sets all bits.
 */
static void reply_valid(struct lie *lie, struct ghcb *page,
			const struct ghcb *request)
{
	(void)request;
	if (lie->n < 128)
		page->valid_bitmap[lie->n / 8] |= 1 << lie->n % 8;
	else
		memset(page->valid_bitmap, 0xff, sizeof(page->valid_bitmap));
}

/*
 * With N = lie->n, turns the host's reply number N / 80 into an error.  If N %
 * 80 is below 64, bit N % 80 of sw_exit_info_1 is set.  Otherwise the reply calls
 * the guest's request malformed, for reason N % 80 - 64 in sw_exit_info_2.
 */
static void reply_error(struct lie *lie, struct ghcb *page,
			const struct ghcb *request)
{
	u64 form = lie->n % 80;

	(void)request;
	if (!occasion(lie, lie->n / 80))
		return;
	page->sw_exit_info_1 = form < 64 ? 1ull << form : GHCB_REPLY_MALFORMED;
	page->sw_exit_info_2 = form < 64 ? 0 : form - 64;
}

/*
 * Makes the host reply that the guest must raise an exception (GHCB 4.1).  The
 * remainder lie->n % 1024 determines the event in sw_exit_info_2: bits 7:0 of the
 * remainder are the vector, its bit 8 adds an error code, and its bit 9 changes
 * the event's type, valid bit and reserved bits.
 */
static void reply_exception(struct lie *lie, struct ghcb *page,
			    const struct ghcb *request)
{
	u64 form = lie->n % 1024;

	(void)request;
	if (!occasion(lie, lie->n / 1024))
		return;
	page->sw_exit_info_1 = GHCB_REPLY_EXCEPTION;
	page->sw_exit_info_2 = EVENT_VALID | EVENT_TYPE_EXCEPTION | (form & 0xff);
	if (form & 0x100)
		page->sw_exit_info_2 |= EVENT_ERROR_VALID;
	if (form & 0x200)
		page->sw_exit_info_2 ^= (form & 7) << 8 | (form & 8) << 28 |
					(form & 0xf0) << 9;
}

/*
 * Sets high bits in each of the four registers of the host's reply, RAX, RBX, RCX and RDX.
 * The bits lie above the width of the guest's operand (8 bits for IN AL, for example), so
 * the guest must ignore them.
 */
static void reply_wide(struct lie *lie, struct ghcb *page,
		       const struct ghcb *request)
{
	u64 high = lie->n ? ~0ull << (lie->n - 1) % 64 : attack_mix(0);

	(void)request;
	page->rax |= high & ~0xffull;
	page->rbx |= high & ~0xffull;
	page->rcx |= high & ~0xffull;
	page->rdx |= high & ~0xffull;
}

static void reply_none(struct lie *lie, struct ghcb *page,
		       const struct ghcb *request)
{
	if (occasion(lie, lie->n))
		memcpy(page, request, sizeof(*page));
}

/*
 * With N = lie->n, fills the GHCB page with random bytes at the host's reply
 * number N % REPLIES.  If N / REPLIES is odd, sw_exit_info_1 stays as it was, 0
 * for success, so that the guest goes on to use the random fields.
 */
static void reply_garbage(struct lie *lie, struct ghcb *page,
			  const struct ghcb *request)
{
	u64 result = page->sw_exit_info_1;

	(void)request;
	if (!occasion(lie, lie->n % REPLIES))
		return;
	attack_noise(page, sizeof(*page), lie->n);
	if (lie->n / REPLIES % 2)
		page->sw_exit_info_1 = result;
}

static void reply_value(struct lie *lie, struct ghcb *page,
			const struct ghcb *request)
{
	(void)request;
	if (!occasion(lie, lie->n % REPLIES))
		return;
	page->rax = attack_mix(lie->n);
	page->rbx = attack_mix(lie->n + 1);
	page->rcx = attack_mix(lie->n + 2);
	page->rdx = attack_mix(lie->n + 3);
}

/* Injects #GP with error code 0, as KVM does to refuse an RDPMC. */
static void inject_gp(struct lie *lie, struct vcpu *vcpu)
{
	(void)lie;
	guest_raise(vcpu, X86_GP, 0);
}

/* ---- Ports and time. */

static u32 uart_never_ready(struct lie *lie, u16 port, u32 value)
{
	(void)lie;
	return port == COM1_LSR ? 0 : value;
}

static u32 uart_without_fifo(struct lie *lie, u16 port, u32 value)
{
	(void)lie;
	return port == COM1_IIR ? value & 0x3f : value;
}

static u32 uart_ones(struct lie *lie, u16 port, u32 value)
{
	(void)lie;
	return (u16)(port - COM1) < 8 ? 0xff : value;
}

static u32 uart_random(struct lie *lie, u16 port, u32 value)
{
	return (u16)(port - COM1) < 8 ? attack_mix(lie->n << 32 | lie->seen++) & 0xff :
	       value;
}

static u64 tsc_backwards(struct lie *lie, u64 tsc)
{
	(void)tsc;
	return (1ull << 48) - (lie->n + 1) * 0x100000 * lie->seen++;
}

static u64 tsc_stands(struct lie *lie, u64 tsc)
{
	(void)tsc;
	return lie->n ? ~0ull : 0;
}

/*
 * Sets bit lie->n of SEV_STATUS.  The host cannot forge this MSR, but can
 * launch the guest with an SEV feature that the guest does not know.  The guest
 * must then refuse to run.
 */
static u64 status_bit(struct lie *lie, u64 status)
{
	return status | 1ull << lie->n;
}

const struct attack answer_attacks[] = {
	{ "cbit-cpuid", 64, 0, "CPUID says that the C-bit is N",
	  .cpuid = cbit_in_cpuid },
	{ "cbit-info", 256, 0, "SEV information says that the C-bit is N",
	  .answer = cbit_in_info },
	{ "cbit-both", 64, 0, "CPUID and SEV information say that the C-bit is N",
	  .cpuid = cbit_in_cpuid, .answer = cbit_in_info },
	{ "cbit-alias", 52, 0, "the same, and address bit N is ignored and leads to shared memory",
	  .cpuid = cbit_in_cpuid, .answer = cbit_in_info, .alias = true },
	{ "cbit-pile", 256, CBIT_NONE,
	  "cbit-alias:46, with N nested NMIs before the proof and an exception in it",
	  .cpuid = cbit_in_cpuid, .answer = cbit_in_info, .alias = true,
	  .fire = events_pile, .trigger = FROM_CR4 },
	{ "proof-replaced", 3, 0,
	  "the C-bit's proof in memory is changed when the C-bit takes effect",
	  .replace = true },
	{ "cpuid-denies", 10, 0, "CPUID denies SEV or SEV-ES",
	  .cpuid = cpuid_denies },
	{ "cpuid-changes", 28, 0, "CPUID's SEV leaf changes between calls",
	  .cpuid = cpuid_changes },
	{ "cpuid-inverted", ANSWERS, 0, "CPUID's Nth answer is inverted",
	  .cpuid = cpuid_inverted },
	{ "answer-code", ARRAY_SIZE(codes) * ANSWERS, 0,
	  "a response code of the MSR protocol is wrong", .answer = answer_code },
	{ "answer-none", ANSWERS, 0, "the MSR keeps the request",
	  .answer = answer_none },
	{ "answer-bit", ANSWERS * 64, 0, "one bit of an MSR answer is flipped",
	  .answer = answer_bit },
	{ "answer-garbage", ANSWERS * 32, 0, "an MSR answer is random",
	  .answer = answer_garbage },
	{ "version", 10, 0, "protocol versions out of range", .answer = version },
	{ "reply-not-valid", REPLIES * 6, 0, "a valid bit is missing",
	  .reply = reply_not_valid },
	{ "reply-none-valid", REPLIES, 0, "no field is valid",
	  .reply = reply_none_valid },
	{ "reply-valid", 129, 0, "more valid bits than there should be",
	  .reply = reply_valid },
	{ "reply-error", 80 * 3, 0, "sw_exit_info_1 is not 0",
	  .reply = reply_error },
	{ "reply-exception", 1024 * 2, 0, "the reply asks for an exception, of each vector",
	  .reply = reply_exception },
	{ "reply-gp", REPLIES, 0, "#GP is injected after the VMGEXIT of request N",
	  .each = true, .fire = inject_gp, .trigger = FROM_REQUEST },
	{ "reply-wide", 65, 0, "registers wider than the operation",
	  .reply = reply_wide },
	{ "reply-none", REPLIES, 0, "the page stays as the guest left it",
	  .reply = reply_none },
	{ "reply-garbage", REPLIES * 8, 0, "the page is random",
	  .reply = reply_garbage },
	{ "reply-value", REPLIES * 8, 0, "registers are random", .reply = reply_value },
	{ "page-rewrite", REPLIES * 4, 0,
	  "the page changes at each access, from the Nth exchange on",
	  .rewrite = true },
	{ "uart-never-ready", 1, 0, "the UART is never ready", .port = uart_never_ready },
	{ "uart-without-fifo", 1, 0, "the UART has no FIFO", .port = uart_without_fifo },
	{ "uart-ones", 1, 0, "the UART's registers are all ones", .port = uart_ones },
	{ "uart-random", 64, 0, "the UART's registers are random", .port = uart_random },
	{ "status-bit", 64, 0, "SEV_STATUS, which is the processor's, has bit N set",
	  .status = status_bit },
	{ "rdrand-fails", 2, 0, "RDRAND fails, which is the processor's: 0 always, 1 for KASLR",
	  .no_random = true },
	{ "tsc-backwards", 4, 0, "RDTSC runs backwards", .tsc = tsc_backwards },
	{ "tsc-stands", 2, 0, "RDTSC stands still", .tsc = tsc_stands },
};
const unsigned int answer_count = ARRAY_SIZE(answer_attacks);
