/* SPDX-License-Identifier: MIT */
/*
 * execute.c - one instruction with known registers, and what it did to them.
 */
#include "nae.h"

/* What no instruction under test produces by itself. */
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

static int execute_raw(const char *name, void (*code)(void))
{
	after = before;
	want = before;
	if (!run_caught(code, &after))
		return 0;
	complain("%s: exception %lu", name, caught_vector);
	return 1;
}

void execute_code(const char *name, void (*code)(void))
{
	execute_raw(name, code);
}

static void (*find(const char *insn))(void)
{
	const struct insn_text *i;

	for (i = insns; i < insns_end; i++)
		if (same_text(i->text, insn))
			return i->code;
	complain("no such instruction: %s", insn);
	return NULL;
}

void execute(const char *insn)
{
	void (*code)(void) = find(insn);

	if (code)
		execute_raw(insn, code);
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
	void (*code)(void) = find(insn);

	if (!code)
		return;
	after = before;
	if (!run_caught(code, &after))
		complain("%s: no exception", insn);
	else if (caught_vector != vector)
		complain("%s: exception %lu, not %lu", insn, caught_vector,
			 vector);
}

u64 merge(u64 old, u64 value, unsigned int size)
{
	u64 mask = (1UL << size * 8) - 1;

	return size == sizeof(u32) ? (u32)value :
	       (old & ~mask) | (value & mask);
}
