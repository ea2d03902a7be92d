/* SPDX-License-Identifier: MIT */
/*
 * What the stub leaves to chance, and that the host must not learn: the random
 * numbers of KASLR, its state, and the place that comes of them.
 *
 * --chance says where in the stub these can be met: its RDRAND, the state, and
 * the functions that end it, decode the payload and relocate it.  RDRAND's
 * numbers are made here, from the number of the run, so that a run can be
 * repeated, and each of them is a canary.  The breakpoints are DR2, which has
 * done its work when the C-bit is proven, and DR3, for the functions in turn.
 */
#include "attack.h"
#include "attack_events.h"
#include "insn.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "watch.h"
#include "watch_kaslr.h"

#define STATE_WORDS		3
#define CANARIES_MAX		16
#define CONSOLE_DATA		0x3f8
#define TEXT_MAX		0x1000

static struct {
	u64 rdrand, state, finish, decode, relocate;	/* 0: no such row */
} stub;
static u64 marker;		/* where the payload is linked to begin */

static u64 number;		/* of the run */
static u64 draws;
static u64 next;		/* the function that DR3 waits for */
static u64 distance;		/* that the payload was moved by, in memory */
static u64 canaries[CANARIES_MAX];
static unsigned int canary_count;
static struct {
	u64 phys, entry, virt;	/* 0: not known, or what anybody knows */
	u64 end;		/* of phys */
} place;
static char text[TEXT_MAX];	/* what the console said last */
static unsigned int text_len;

static u64 next_number(char **s)
{
	char *start = *s;

	for (; **s && **s != ','; ++*s)
		;
	if (**s)
		*(*s)++ = '\0';
	return parse_number(start);
}

/* "RDRAND,STATE,FINISH,DECODE,RELOCATE" */
void kaslr_option(char *value)
{
	stub.rdrand = next_number(&value);
	stub.state = next_number(&value);
	stub.finish = next_number(&value);
	stub.decode = next_number(&value);
	stub.relocate = next_number(&value);
	marker = config.marker;
}

bool kaslr_wanted(void)
{
	return stub.rdrand;
}

/* How far from its link address the payload is. */
u64 kaslr_distance(void)
{
	return distance;
}

/* Where the payload goes is the stub's. */
bool kaslr_owns(u64 gpa)
{
	return gpa >= place.phys && gpa < place.end;
}

/* Has the payload been put where a lying loader said that there is RAM? */
bool kaslr_nowhere(void)
{
	u64 gpa;

	for (gpa = place.phys; gpa < place.end; gpa += PAGE_SIZE)
		if (!npt_host(gpa))
			return true;
	return false;
}

static void wait_for(u64 function)
{
	next = function;
	write_dr3(function);
}

void kaslr_start(u64 run)
{
	if (!stub.rdrand)
		return;
	number = run;
	draws = 0;
	distance = 0;
	canary_count = 0;
	text_len = 0;
	memset(&place, 0, sizeof(place));
	/* Where the payload is linked to be the image may begin. */
	config.marker = 0;
	write_dr0(0);
	wait_for(stub.finish);
}

/* Behind the proof there are no other random numbers. */
void kaslr_proven(void)
{
	write_dr2(stub.rdrand);
}

/* ---- Breakpoints. */

static void add_canary(u64 word)
{
	if (canary_count == CANARIES_MAX)
		end_run(END_ERROR, "more than %u random words", CANARIES_MAX);
	canaries[canary_count++] = word;
}

/* In place of the processor's number. */
static void do_rdrand(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct insn insn;

	insn_decode(vcpu, &insn);
	/* Its ModRM byte insn.c does not know. */
	insn.modrm = insn.bytes[insn.len++];
	insn_advance(vcpu, &insn);
	v->rflags &= ~(u64)RFLAGS_CF;
	if (events_no_random())
		return;
	*insn_operand(vcpu, &insn) = attack_mix(number << 8 | draws++);
	add_canary(*insn_operand(vcpu, &insn));
	v->rflags |= RFLAGS_CF;
}

static const u64 *state_words(void)
{
	return (const u64 *)npt_host(stub.state);
}

/* The state is about to be forgotten. */
static void see_finish(void)
{
	unsigned int i;

	for (i = 0; i < STATE_WORDS; i++)
		add_canary(state_words()[i]);
	wait_for(stub.decode);
}

static void see_decode(u64 out, u64 size)
{
	unsigned int i;

	for (i = 0; i < STATE_WORDS; i++)
		if (state_words()[i])
			watch_fail("random numbers outlive their use", stub.state);
	distance = out - watch.payload;
	config.marker = marker + distance;
	write_dr0(config.marker);
	if (distance) {
		place.phys = out;
		place.entry = config.marker;
		place.end = ALIGN_UP(out + size, PAGE_SIZE);
	}
	wait_for(stub.relocate);
}

/* Was it one of ours? */
bool kaslr_db(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;

	if (!stub.rdrand)
		return false;
	if (v->dr6 & DR6_B2 && v->rip == stub.rdrand) {
		do_rdrand(vcpu);
	} else if (v->dr6 & DR6_B3 && v->rip == next) {
		if (next == stub.finish)
			see_finish();
		else if (next == stub.decode)
			see_decode(vcpu->gpr[RDI], vcpu->gpr[RSI]);
		else {
			place.virt = vcpu->gpr[RCX];
			wait_for(0);
		}
	} else {
		return false;
	}
	v->dr6 = DR6_INIT;
	return true;
}

/* ---- What the host may see. */

/* A word in a page that the host sees. */
void kaslr_see(u64 word, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < canary_count; i++)
		if (word == canaries[i])
			watch_fail("a random number is visible to the host", gpa);
	/* Addresses have bytes in common with much; fields have not. */
	if (gpa % sizeof(word) == 0 &&
	    (word == place.phys || word == place.entry || word == place.virt))
		watch_fail("the payload's place is visible to the host", gpa);
}

void kaslr_console(u16 port, u8 byte)
{
	if (stub.rdrand && port == CONSOLE_DATA)
		text[text_len++ % TEXT_MAX] = byte;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Does the text have this number, in hexadecimal digits? */
static bool is_told(u64 value)
{
	unsigned int len = text_len < TEXT_MAX ? text_len : TEXT_MAX;
	unsigned int i;
	u64 told = 0;

	for (i = 0; value && i <= len; i++) {
		char c = i < len ? text[i] : '\0';

		if (is_hex(c)) {
			told = told << 4 | ((c <= '9' ? c : c + 9) & 0xf);
			continue;
		}
		if (told == value)
			return true;
		told = 0;
	}
	return false;
}

/* The end of the stage. */
void kaslr_over(void)
{
	if (is_told(place.phys) || is_told(place.entry) || is_told(place.virt))
		watch_fail("the payload's place is on the console", place.phys);
}
