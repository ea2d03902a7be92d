/* SPDX-License-Identifier: MIT */
/*
 * execute.c - executes one instruction of the self-test with known register values, and
 * compares the registers after it with those that the test case wants.
 */
#include "nae.h"

/*
 * prepare() derives each register's value from this. No instruction under test has a
 * result like it, so that a register that was not written is noticed.
 */
#define FILLER		_AC(0x8123456789abcd00, UL)
#define FLAGS_ALWAYS	_AC(0x2, UL)
#define FLAGS_COMPARED	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_DF | \
			 X86_EFLAGS_OF)

struct regs before, after, want;

static bool same_text(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && !memcmp(a, b, strlen(a));
}

void prepare(void)
{
	for (u64 i = 0; i < INSN_REGS; i++)
		before.r[i] = FILLER + (i << 56) + i;
	before.rflags = FLAGS_ALWAYS;
	want = before;
}

static void execute_raw(const char *name, void (*code)(void))
{
	after = before;
	want = before;
	if (run_caught(code, &after))
		complain("%s: exception %lu", name, caught_vector);
}

void execute_code(const char *name, void (*code)(void))
{
	execute_raw(name, code);
}

static const struct insn_text *find(const char *insn)
{
	const struct insn_text *i;

	for (i = insns; i < insns_end; i++)
		if (same_text(i->text, insn))
			return i;
	complain("no such instruction: %s", insn);
	return NULL;
}

/*
 * Complains if @insn changed a register, or caused an exit, that its row in the table
 * of insns.S does not name. @exits is the number of #VC with the row's exit code, and
 * @all_exits the number of all #VC, that were counted before @insn was executed.
 */
static void check_row(const struct insn_text *insn, u64 exits, u64 all_exits)
{
	for (u64 i = 0; i < INSN_REGS; i++)
		if (!(insn->writes >> i & 1) && after.r[i] != before.r[i])
			complain("%s: register %lu is %lx, and was %lx",
				 insn->text, i, after.r[i], before.r[i]);
	if (vc_count(insn->exit) - exits != vc_count(NO_EXIT) - all_exits)
		complain("%s: %lu #VC, not all for exit %lx", insn->text,
			 vc_count(NO_EXIT) - all_exits, insn->exit);
}

void execute(const char *insn)
{
	const struct insn_text *row = find(insn);
	u64 exits, all_exits;

	if (!row)
		return;
	exits = vc_count(row->exit);
	all_exits = vc_count(NO_EXIT);
	execute_raw(insn, row->code);
	check_row(row, exits, all_exits);
}

void check_regs(const char *insn)
{
	static const char names[INSN_REGS][4] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};

	for (u64 i = 0; i < INSN_REGS; i++)
		if (after.r[i] != want.r[i] && i != INSN_RSP)
			complain("%s: %s is %lx, not %lx", insn, names[i],
				 after.r[i], want.r[i]);
	if ((after.rflags ^ want.rflags) & FLAGS_COMPARED)
		complain("%s: flags are %lx, not %lx", insn, after.rflags,
			 want.rflags);
}

void expect_exception(const char *insn, u64 vector)
{
	const struct insn_text *row = find(insn);

	if (!row)
		return;
	after = before;
	if (!run_caught(row->code, &after))
		complain("%s: no exception", insn);
	else if (caught_vector != vector)
		complain("%s: exception %lu, not %lu", insn, caught_vector,
			 vector);
	else if (vector != X86_TRAP_DB)
		expect("RIP", caught_rip, (u64)row->code);
}

u64 merge(u64 old, u64 value, unsigned int size)
{
	u64 mask = (1UL << size * 8) - 1;

	return size == sizeof(u32) ? (u32)value :
	       (old & ~mask) | (value & mask);
}
