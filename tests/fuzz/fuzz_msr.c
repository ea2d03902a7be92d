/* SPDX-License-Identifier: MIT */
/*
 * fuzz_msr.c - libFuzzer target for sev_detect(), and for sev_es_vc() in stage 1, which
 * lasts until the stub has shared its GHCB page. The input gives CPUID's and SEV_STATUS's
 * values, the loader's page tables and the fake host's replies in the MSR protocol.
 *
 * A model, written from GHCB 2.3.1 and the list of termination reasons in
 * docs/messages.md, predicts the requests, their order and the result.
 */
#define OWN_CPUID
#include "scripted_host.h"

#include "fuzz.h"

enum outcome { GOES_ON, ENDS, SAYS_ERROR, REPORTS };

/* The results that the model expects of the stub for the same input. */
static struct {
	enum outcome outcome;
	u64 words;			/* the GHCB MSR's expected value at termination */
	u64 status;
	u64 cbit;
	u16 version;
} predicted;

#define FIRMWARE_GHCB	0x7e5f3000UL
#define LEAF_MAX	0x80000000U
#define LEAF_SEV	0x8000001fU
#define NO_BIT		63

static struct {
	/* Bit n is set if the nth CPUID that the stub executes, from 0, raises #VC. */
	u8 intercepted;
	unsigned int executed;
	struct cpuid_regs max, sev;
} cpu;

static struct input *replies;

/* ---- the processor ---- */

/*
 * Replaces the stub's function, which executes CPUID. Returns true if the processor raises
 * #VC at this CPUID; @regs then has no valid values.
 */
bool ask_cpuid(u32 leaf, struct cpuid_regs *regs)
{
	CHECK(leaf == LEAF_MAX || leaf == LEAF_SEV, "leaf %#x", leaf);
	*regs = leaf == LEAF_MAX ? cpu.max : cpu.sev;
	if (!(cpu.intercepted >> cpu.executed++ & 1))
		return false;
	memset(regs, GARBAGE, sizeof(*regs));
	return true;
}

/* ---- the loader's page tables ---- */

static struct {
	unsigned int levels, leaf;
	unsigned int table_bit, leaf_bit, second_bit;
} tables;

static u64 bit_mask(unsigned int bit)
{
	return bit >= NO_BIT ? 0 : 1UL << bit;
}

static void make_tables(void)
{
	u64 addr = (u64)image_start, table = TABLES, span, entry;
	unsigned int level;

	host.cr3 = TABLES | bit_mask(tables.table_bit) | 0x18;
	host.cr4 = tables.levels == 5 ? 1 << 12 : 0;
	for (level = tables.levels; ; level--, table += PAGE_SIZE) {
		span = 1UL << (12 + 9 * (level - 1));
		entry = (table + PAGE_SIZE) | bit_mask(tables.table_bit) | 0x63;
		if (level == tables.leaf)
			entry = (addr & ~(span - 1)) |
				bit_mask(tables.leaf_bit) |
				bit_mask(tables.second_bit) | 1UL << 63 |
				0x163 | (level > 1 ? 0x1080 : 0);
		((u64 *)table)[addr / span % 512] = entry;
		if (level == tables.leaf)
			return;
	}
}

/*
 * Returns the C-bit's number by the loader's page tables: the one address bit that
 * is set in the entry which maps the stub and is not part of the stub's address.
 * Returns 0 if no such bit or several are set. @claimed is the number of the C-bit
 * that the host or CPUID names. Also returns 0 if the entries that point to tables have
 * an address bit set that is not part of a table's address, other than bit @claimed.
 */
static u64 bit_in_tables(u64 claimed)
{
	u64 span = 1UL << (12 + 9 * (tables.leaf - 1));
	u64 bits = (bit_mask(tables.leaf_bit) | bit_mask(tables.second_bit)) &
		   ((1UL << 52) - 1) & ~(span - 1);

	bits &= ~(u64)image_start;
	if (tables.table_bit != claimed && bit_mask(tables.table_bit) &
	    ((1UL << 52) - 1))
		return 0;
	return __builtin_popcountl(bits) == 1 ?
	       (u64)__builtin_ctzl(bits) : 0;
}

/* ---- the model: predicts what the stub must request and do ---- */

static jmp_buf decided;

static noreturn void ends(unsigned int set, unsigned int code)
{
	predicted.outcome = ENDS;
	predicted.words = 0x100 | set << 12 | (u64)code << 16;
	longjmp(decided, 1);
}

static noreturn void refused(unsigned int code)
{
	if (predicted.status & 2)
		ends(2, code);
	predicted.outcome = SAYS_ERROR;
	longjmp(decided, 1);
}

/*
 * Expects that the stub writes @request to the GHCB MSR. Lets the input choose the
 * host's reply: @proper with response code @code, or a wrong value. Returns the
 * reply. Predicts termination if the reply has another response code than @code.
 */
static u64 ask(u64 request, u64 proper, unsigned int code)
{
	u8 how = take_u8(replies);
	u64 reply = proper | code;

	if (how == 0xff)
		reply = take_u64(replies);
	else if (how == 0xfe)
		reply = request;
	else if (how == 0xfd)
		reply ^= 1UL << take_u8(replies) % 64;
	expect_msr(request, reply);
	if ((reply & 0xfff) != code)
		ends(2, 8);
	return reply;
}

static u32 ask_cpuid_reg(u32 leaf, unsigned int reg, u32 proper)
{
	return ask((u64)leaf << 32 | (u64)reg << 30 | 4, (u64)proper << 32, 5)
	       >> 32;
}

static void predict_detect(bool known, bool status_known, u64 info, u32 cbit)
{
	bool snp;
	u64 low, high, good = 2UL << 48 | 1UL << 32 | (u64)(cbit & 255) << 24;

	if (known && !status_known)
		return;
	if (!known) {
		bool vc = cpu.intercepted & 1;

		if (!vc && cpu.max.eax < LEAF_SEV)
			return;
		vc = vc || cpu.intercepted & 2;
		if (!vc && !(cpu.sev.eax & 2))
			return;
		/* The stub must report an error after a #VC in a guest without SEV-ES. */
		if (vc && !(host.sev_status & 2))
			refused(0);
		predicted.status = host.sev_status;
		if (vc && !(host.sev_status & 4) &&
		    ask_cpuid_reg(LEAF_MAX, 0, cpu.max.eax) < LEAF_SEV)
			ends(2, 4);
		if (predicted.status & 2) {
			info = ask(2, good, 1);
			cbit = predicted.status & 4 ? info >> 24 & 255 :
			       ask_cpuid_reg(LEAF_SEV, 1, cpu.sev.ebx) & 63;
		} else {
			cbit = cpu.sev.ebx & 63;
		}
	}
	if (!(predicted.status & 1))
		return;
	snp = (predicted.status & 6) == 6;
	if (!snp && predicted.status & ~0x824383UL)
		refused(5);
	if (cbit < 32 || cbit > 51)
		refused(3);
	if (!known && bit_in_tables(cbit) != cbit)
		refused(2);
	predicted.cbit = cbit;
	if (!(predicted.status & 2))
		return;
	if ((info >> 24 & 255) != cbit)
		ends(2, 2);
	if (!snp && (ask_cpuid_reg(LEAF_SEV, 0, cpu.sev.eax) & 0xa) != 0xa)
		ends(2, 4);
	low = info >> 32 & 0xffff;
	high = info >> 48;
	if (low > 2 || high < 1 || low > high)
		ends(0, 1);
	predicted.version = high > 2 ? 2 : (u16)high;
	if (snp && high < 2)
		ends(0, 2);
}

static noreturn void predict_stage1(void)
{
	predicted.status = host.sev_status;
	if (!(host.sev_status & 2)) {
		predicted.outcome = REPORTS;
		longjmp(decided, 1);
	}
	if (frame.error_code == 0x404 && host.sev_status & 4)
		ends(2, 25);
	if (frame.error_code != 0x72)
		ends(2, 12);
	if (*(u8 *)frame.rip != 0x0f || *(u8 *)(frame.rip + 1) != 0xa2)
		ends(2, 6);
	/*
	 * Without a shared GHCB page sev_es_vc() emulates no CPUID. It terminates the guest
	 * with reason 13 (unexpected sub-leaf) if ECX is not 0, and with reason 12 (no
	 * GHCB page) if ECX is 0.
	 */
	ends(2, (u32)frame.rcx ? 13 : 12);
}

/* ---- one run ---- */

static void fresh_guest(struct input *in)
{
	static bool there;

	if (!there) {
		make_memory();
		there = true;
	}
	memset(&host.count, 0, sizeof(host) - offsetof(typeof(host), count));
	memset(&es, 0, sizeof(es));
	memset(&sev_guest, 0, sizeof(sev_guest));
	memset(&cpu, 0, sizeof(cpu));
	memset(&predicted, 0, sizeof(predicted));
	host.msr = FIRMWARE_GHCB;
	host.has_sev_status = true;
	replies = in;
}

/*
 * Returns @status, a value for SEV_STATUS, with the bit of SEV (bit 0) set if the bit of SEV-ES
 * (bit 1) is set, because every processor with SEV-ES active has SEV active, too.
 */
static u64 as_processor(u64 status)
{
	return status & 2 ? status | 1 : status;
}

static unsigned int run_detect(void)
{
	sev_detect();
	return 0;
}

static unsigned int run_stage1(void)
{
	return sev_es_vc(&frame);
}

/* Calls @what, a function of the stub, and returns how it ended. */
static enum outcome play(unsigned int (*what)(void))
{
	enum outcome outcome = GOES_ON;
	bool error_said = false;

	host.ending = true;
	if (setjmp(host.end))
		outcome = ENDS;
	else
		REFUSED(error_said, outcome = what() ? REPORTS : GOES_ON);
	host.ending = false;
	harness.expecting = 0;
	return error_said ? SAYS_ERROR : outcome;
}

static void compare(enum outcome outcome)
{
	CHECK(outcome == predicted.outcome, "outcome %u instead of %u, %#lx",
	      outcome, predicted.outcome, host.last_words);
	CHECK(host.at == host.count, "%u exchanges instead of %u", host.at,
	      host.count);
	CHECK(outcome != ENDS || host.last_words == predicted.words,
	      "ended with %#lx instead of %#lx", host.last_words,
	      predicted.words);
	CHECK(outcome == ENDS || host.msr == FIRMWARE_GHCB,
	      "the MSR is left at %#lx", host.msr);
}

static void fuzz_detect(struct input *in)
{
	u8 how = take_u8(in);
	u32 cbit;
	u64 info;

	cpu.intercepted = how & 3;
	host.sev_status = take_u8(in);
	if (how & 4)
		host.sev_status |= take_u64(in);
	host.sev_status = as_processor(host.sev_status);
	cpu.max.eax = how & 8 ? take_u32(in) : LEAF_SEV;
	cpu.sev.eax = how & 16 ? take_u32(in) : 0xa;
	cpu.sev.ebx = take_u8(in);
	cbit = cpu.sev.ebx & 63;
	info = how & 32 ? take_u64(in) :
	       2UL << 48 | 1UL << 32 | (u64)cbit << 24 | 1;

	image_start = (const u8 *)(u64)(take_u32(in) & ~0xfffU);
	tables.levels = 4 + (take_u8(in) & 1);
	tables.leaf = 1 + take_u8(in) % 3;
	/*
	 * The simulated page tables lie below 2^47. A C-bit below bit 47 would
	 * change their addresses, so leave it out of the entries that point to
	 * tables.
	 */
	tables.table_bit = cbit >= 47 ? cbit : NO_BIT;
	tables.leaf_bit = cbit;
	tables.second_bit = NO_BIT;
	if (how & 64) {
		u8 bits = take_u8(in);

		tables.leaf_bit = 12 + take_u8(in) % 52;
		tables.second_bit = bits & 1 ? 12 + take_u8(in) % 52 : NO_BIT;
		tables.table_bit = 47 + bits % 17;
	}
	make_tables();
	if (how & 128) {
		predicted.status = host.sev_status;
		sev_guest = (struct sev_guest){
			.status = host.sev_status, .info = info,
			.cbit = cpu.sev.ebx, .known = true,
		};
		cbit = cpu.sev.ebx;
	}

	if (!setjmp(decided))
		predict_detect(how & 128, host.sev_status & 1, info, cbit);
	compare(play(run_detect));
	if (predicted.outcome != GOES_ON)
		return;
	CHECK(sev_guest.known, "it would be asked again%s", "");
	CHECK(sev_guest.status == predicted.status, "status %#lx",
	      sev_guest.status);
	CHECK(sev_enc_mask() == (predicted.status & 1 ? 1UL << predicted.cbit :
				 0), "%#lx", sev_enc_mask());
	CHECK(es.version == predicted.version, "version %u instead of %u",
	      es.version, predicted.version);
}

static void fuzz_stage1(struct input *in)
{
	u8 how = take_u8(in);
	u8 bytes[2] = { 0x0f, 0xa2 };

	host.sev_status = how & 1 ? as_processor(take_u64(in)) : 3;
	if (how & 2)
		take_bytes(in, bytes, sizeof(bytes));
	fill_frame();
	frame.rax = take_u64(in);
	frame.rcx = how & 4 ? take_u64(in) : 0;
	place_insn(TEXT, how & 8 ? take_u64(in) : 0x72, bytes, sizeof(bytes));
	want = frame;
	if (!setjmp(decided))
		predict_stage1();
	compare(play(run_stage1));
	if (predicted.outcome == REPORTS)
		want = frame;
	if (predicted.outcome != ENDS)
		CHECK(!memcmp(&frame, &want, sizeof(frame)), "registers%s", "");
}

static void fuzz_one(struct input *in)
{
	u8 which = take_u8(in);

	fresh_guest(in);
	if (which & 1)
		fuzz_stage1(in);
	else
		fuzz_detect(in);
}
