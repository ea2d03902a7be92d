/* SPDX-License-Identifier: MIT */
/*
 * watch_kaslr.c - secrecy of KASLR: the host must not learn the random numbers, the
 * generator's state, or where the payload is.
 *
 * Runs while campaign.c runs the guest many times with an attacking host, with
 * option --chance.  The option names addresses in the stub: KASLR's RDRAND
 * instruction, the random-number generator's state, and the functions that
 * clear the state, decode the payload and relocate it.  Breakpoints at these
 * addresses show this file what the stub does.  DR2 breaks at RDRAND once the
 * stub has proven that its C-bit is right, DR3 at each of the functions in
 * turn.
 *
 * This file computes the results of RDRAND from the number of the run, so that
 * a run can be repeated.  Each result of RDRAND, number that the stub draws with it,
 * word of the generator's state and address of the payload is a canary: a run fails
 * if a canary appears where the host can read it.
 */
#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "insn.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "watch.h"
#include "watch_kaslr.h"

#define STATE_WORDS		3
#define CANARIES_MAX		16
#define GUESSES_MAX		64
#define CONSOLE_DATA		0x3f8
#define TEXT_MAX		0x1000
#define REGISTER_MIN		0x100000	/* smaller numbers are in messages */

/*
 * The addresses that option --chance names: the stub's RDRAND instruction, the state of the
 * stub's random-number generator, and the functions that clear this state, decode the payload
 * and relocate the payload.  @rdrand is 0 without the option.
 */
static struct {
	u64 rdrand, state, finish, decode, relocate;
} stub;
static u64 marker;		/* --marker: link address of the payload's entry */

/* What this file has seen of the present run of the guest. */
struct course {
	/* Number of the run, from which this file computes the results of RDRAND. */
	u64 number;
	u64 draws;		/* number of RDRANDs in this run */
	u64 next;		/* address of the breakpoint in DR3; 0: no breakpoint */
	u64 distance;		/* payload's run-time address minus its link address */
	u64 canaries[CANARIES_MAX];
	unsigned int canary_count;
	/*
	 * Secret addresses of the payload: physical addresses of its first byte, of
	 * its entry and of its end, and the virtual base to which it is relocated
	 * (@virt).  All are 0 until the stub decodes the payload.  @phys, @entry and
	 * @end stay 0 if KASLR leaves the payload at its link address, because the
	 * link address is not secret.
	 */
	struct {
		u64 phys, entry, virt;
		u64 end;	/* address after the payload, page-aligned */
	} place;
	/*
	 * The last GUESSES_MAX words that the host could read while @place.virt was 0 and
	 * whose value is a multiple of the page size.  Such a word may be an address of the
	 * payload that this file does not know yet.  This file compares the words with
	 * @place each time it learns an address.
	 */
	u64 guesses[GUESSES_MAX];
	unsigned int guess_count;
	u64 marker;		/* run-time address of the payload's entry; 0: not known */
};
static struct course now;
/*
 * Copy of the variable now, which kaslr_keep() makes when campaign.c takes the snapshot from
 * which later runs start.  Valid if @is_kept.
 */
static struct course kept;
static bool is_kept;
/* Ring buffer of the last bytes that the stub wrote to the console. */
static char text[TEXT_MAX];
/* Number of bytes that the stub wrote to the console in this run. */
static unsigned int text_len;
static u64 registers[16];	/* kaslr_registers(); 0: none */

/*
 * Returns the number at *@s, which ends at a comma or NUL.  Replaces the comma
 * by NUL, and sets *@s to the next number.
 */
static u64 next_number(char **s)
{
	char *start = *s;

	for (; **s && **s != ','; ++*s)
		;
	if (**s)
		*(*s)++ = '\0';
	return parse_number(start);
}

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

u64 kaslr_distance(void)
{
	return now.distance;
}

bool kaslr_owns(u64 gpa)
{
	return gpa >= now.place.phys && gpa < now.place.end;
}

bool kaslr_nowhere(void)
{
	u64 gpa;

	for (gpa = now.place.phys; gpa < now.place.end; gpa += PAGE_SIZE)
		if (!npt_host(gpa))
			return true;
	return false;
}

/* Sets a breakpoint at the stub's function @function, in DR3; 0 removes it. */
static void wait_for(u64 function)
{
	now.next = function;
	write_dr3(breakpoint(function));
}

void kaslr_start(u64 run)
{
	text_len = 0;
	memset(registers, 0, sizeof(registers));
	if (!stub.rdrand)
		return;
	/*
	 * now.marker is 0 before see_decode(): there is no breakpoint at the
	 * payload's entry, because KASLR has not chosen the payload's address
	 * yet, and the stub itself may run at the payload's link address.
	 */
	memset(&now, 0, sizeof(now));
	now.number = run;
	now.next = stub.finish;
	if (is_kept)
		now = kept;
	config.marker = now.marker;
	write_dr0(breakpoint(now.marker));
	if (watch_is_proven())
		kaslr_proven();
	wait_for(now.next);
}

u64 kaslr_virtual(void)
{
	return now.place.virt;
}

void kaslr_keep(void)
{
	kept = now;
	is_kept = true;
}

void kaslr_proven(void)
{
	write_dr2(stub.rdrand);
}

/* ---- Breakpoints. */

/* Adds @word to the secrets that sevemu looks for. Does nothing if it is 0, as much memory is. */
static void add_canary(u64 word)
{
	if (!word)
		return;
	if (now.canary_count == CANARIES_MAX)
		end_run(END_ERROR, "more than %u random numbers in a run: check the "
			"addresses of --chance", CANARIES_MAX);
	now.canaries[now.canary_count++] = word;
}

/*
 * Returns the host address of the state of the stub's random-number generator,
 * STATE_WORDS words.
 */
static const u64 *state_words(void)
{
	return (const u64 *)npt_host(stub.state);
}

/*
 * Executes the guest's RDRAND.  This function computes its result from the run's number.
 * The stub's random number is the XOR of this result and of the first word of the
 * generator's state.  The run fails if the result or the XOR appears where the host can
 * read it.  If an attack demands a failure, this function clears CF, by which RDRAND
 * reports a failure.
 */
static void do_rdrand(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct insn insn;
	u64 number;

	insn_decode(vcpu, &insn);
	/*
	 * insn_decode() does not decode RDRAND's ModRM byte, so decode it here.
	 */
	insn.modrm = insn.bytes[insn.len++];
	insn_advance(vcpu, &insn);
	v->rflags &= ~(u64)RFLAGS_CF;
	if (events_no_random())
		return;
	number = attack_mix(now.number << 8 | now.draws++);
	*insn_operand(vcpu, &insn) = number;
	add_canary(number);
	add_canary(number ^ state_words()[0]);
	v->rflags |= RFLAGS_CF;
	events_trigger(FROM_RANDOM);
}

/*
 * Called when the stub is about to clear the state of its random-number
 * generator.  The words of the state become canaries, which must not appear
 * where the host can read.
 */
static void see_finish(void)
{
	unsigned int i;

	for (i = 0; i < STATE_WORDS; i++)
		add_canary(state_words()[i]);
	wait_for(stub.decode);
}

/*
 * Called when this file knows the payload's physical or virtual address.  Fails the run if
 * a word in the GHCB page was equal to this address earlier in the run.
 */
static void see_guesses(void)
{
	unsigned int i;

	for (i = 0; i < GUESSES_MAX; i++)
		if (now.guesses[i] && (now.guesses[i] == now.place.phys ||
				       now.guesses[i] == now.place.virt))
			watch_fail("the payload's place is visible to the host",
				   now.guesses[i]);
}

/*
 * Called when the stub is about to decode the payload to @out, @size bytes.
 * Fails the run if the stub has not cleared the generator's state, unless the
 * attack changes private memory and so may have put the state back.  Sets
 * config.marker, a breakpoint, to the payload's entry, because KASLR has now
 * chosen the payload's address.
 */
static void see_decode(u64 out, u64 size)
{
	unsigned int i;

	for (i = 0; i < STATE_WORDS; i++)
		if (state_words()[i] && !attack_by_memory())
			watch_fail("random numbers outlive their use", stub.state);
	now.distance = out - watch.payload;
	now.marker = marker + now.distance;
	config.marker = now.marker;
	write_dr0(breakpoint(now.marker));
	if (now.distance) {
		now.place.phys = out;
		now.place.entry = config.marker;
		now.place.end = ALIGN_UP(out + size, PAGE_SIZE);
	}
	see_guesses();
	wait_for(stub.relocate);
}

bool kaslr_db(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;

	if (!stub.rdrand)
		return false;
	if (v->dr6 & DR6_B2 && v->rip == stub.rdrand) {
		do_rdrand(vcpu);
	} else if (v->dr6 & DR6_B3 && v->rip == now.next) {
		if (now.next == stub.finish)
			see_finish();
		else if (now.next == stub.decode)
			see_decode(vcpu->gpr[RDI], vcpu->gpr[RSI]);
		else {
			now.place.virt = vcpu->gpr[RCX];
			see_guesses();
			wait_for(0);
		}
	} else {
		return false;
	}
	v->dr6 = DR6_INIT;
	return true;
}

/* ---- What the host may see. */

u64 kaslr_number(unsigned int i)
{
	return i < now.canary_count ? now.canaries[i] : 0;
}

void kaslr_see(u64 word, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < now.canary_count; i++)
		if (word == now.canaries[i])
			watch_fail("a random number is visible to the host", gpa);
	/*
	 * Compare the word with the payload's addresses only if it is aligned,
	 * as the fields of the GHCB are.  An unaligned word is part of two
	 * fields and may equal an address by accident.
	 */
	if (gpa % sizeof(word) == 0 &&
	    (word == now.place.phys || word == now.place.entry || word == now.place.virt))
		watch_fail("the payload's place is visible to the host", gpa);
	if (gpa % sizeof(word) == 0 && word % PAGE_SIZE == 0 && !now.place.virt)
		now.guesses[now.guess_count++ % GUESSES_MAX] = word;
}

void kaslr_console(u16 port, u8 byte)
{
	if (port == CONSOLE_DATA)
		text[text_len++ % TEXT_MAX] = byte;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

void kaslr_each_number(void (*see)(u64 number))
{
	unsigned int len = text_len < TEXT_MAX ? text_len : TEXT_MAX;
	unsigned int i;
	u64 told = 0;

	for (i = 0; i <= len; i++) {
		char c = i < len ? text[i] : '\0';

		if (is_hex(c)) {
			told = told << 4 | ((c <= '9' ? c : c + 9) & 0xf);
			continue;
		}
		if (told)
			see(told);
		told = 0;
	}
}

/* Fails the run if @number, which is on the console, is secret. */
static void see_number(u64 number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++)
		if (number == registers[i])
			watch_fail("a register is on the console", number);
	if (number == now.place.phys || number == now.place.entry ||
	    number == now.place.virt)
		watch_fail("the payload's place is on the console", number);
}

void kaslr_registers(const struct vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++)
		registers[i] = vcpu->gpr[i] >= REGISTER_MIN &&
			       vcpu->gpr[i] != config.marker ? vcpu->gpr[i] : 0;
}

void kaslr_over(void)
{
	kaslr_each_number(see_number);
}
