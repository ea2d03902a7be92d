/* SPDX-License-Identifier: MIT */
/*
 * guest.h - the test guest's library: what its cases share. All code runs at
 * fixed addresses in one identity map, on one CPU. Interrupts are off, except
 * where a case turns them on.
 *
 * The guest sees memory in two views: at its own address with the C-bit set,
 * and the same frame at address + SHARED_VIEW with the C-bit clear.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hooks.h"
#include "../exit_insns.h"
#include "abi.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ALIGNED_PAGE	__attribute__((aligned(PAGE_SIZE)))
#define NORETURN	__attribute__((noreturn))

#define SHARED_VIEW	0x8000000000ULL		/* the second PML4 entry */

struct boot_params;

/* ---- The machine that sevemu was asked for ---- */

enum sev_mode { SEV_OFF, SEV_PLAIN, SEV_ES };

/* sevemu's options, as HOOK_CONFIG tells them. main.c fills this at the start. */
struct machine {
	enum sev_mode sev;		/* --sev */
	u32 ghcb_max;			/* --ghcb-max: highest protocol version */
	u32 cbit;			/* --cbit: position of the C-bit */
	u64 cmask;			/* 1 << cbit, or 0 without SEV */
	bool strict, la57, rdtsc;	/* --strict, --la57, --rdtsc */
	const struct boot_params *bp;	/* the zero page from the loader */
};
extern struct machine machine;

/* ---- Cases ---- */

#define CASE_ES		1	/* needs an SEV-ES guest */
#define CASE_V2		2	/* needs GHCB version 2 */
#define CASE_SEV	4	/* needs encrypted memory, SEV or SEV-ES */
#define CASE_ENDS	8	/* ends the run: "all" leaves it out */

struct test_case {
	const char *name;		/* for case=NAME and the result line */
	void (*run)(void);
	u64 flags;			/* CASE_* */
};

/*
 * Defines the case @text: CASE(id, text, flags) { body }. The linker gathers the
 * structs of all files in one table. aligned(8) keeps the compiler from aligning
 * them further, which would leave gaps in the table.
 */
#define CASE(id, text, wants)						\
	static void id(void);						\
	static const struct test_case case_##id				\
		__attribute__((used, section(".cases"), aligned(8))) =	\
		{ .name = text, .run = id, .flags = wants };		\
	static void id(void)

/* ---- main.c ---- */

/*
 * expect() fails the running case unless @got is @want, expect_not() if it is
 * @not_this. @what names the value. The case goes on.
 */
void expect(const char *what, u64 got, u64 want);
void expect_not(const char *what, u64 got, u64 not_this);

/* Fails the running case with the reason @why. The case goes on. */
void fail(const char *why);

/* Prints "# CASE: WHAT VALUE", which is neither success nor failure. */
void note(const char *what, u64 value);

/* Ends the run: writes @how (DEBUG_EXIT_*) to the machine's debug-exit port. */
NORETURN void end_run(u8 how);

/* ---- console.c ---- */

/* Adds @s to the line that is collected. A newline, or a full line, prints it. */
void con_str(const char *s);

/* As con_str(), for @value as 0x and hexadecimal digits. */
void con_hex(u64 value);

/* Prints on ttyS0 what has been collected. */
void con_flush(void);

/* ---- string.c: as in the C library ---- */

void *memset(void *dst, int value, size_t len);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* ---- cpu.c: page tables, descriptors, exceptions ---- */

/* What exception_common in head.S pushes, and the processor's own frame. */
struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector;			/* from the stub in head.S */
	u64 error_code;			/* 0 for vectors without an error code */
	u64 rip, cs, rflags, rsp, ss;
};

/* Loads page tables, IDT and TSS. Called once, when machine is filled. */
void cpu_init(void);

/*
 * Returns the page-table entry that maps @addr, an address below 4 GiB or in the
 * shared view. Splits a 2 MiB leaf for that, at most 16 times in a run.
 */
u64 *pte_of(u64 addr);

/* To be called after a change of an entry. */
void flush_tlb(void);

/* Lets @vector switch to the TSS's interrupt stack @ist: 1 is ist_stack, 0 none. */
void idt_use_ist(u8 vector, u8 ist);

/* Sets or clears the present bit of the gate of @vector. */
void idt_set_present(u8 vector, bool present);

#define SELECTOR_CODE64		0x10
#define SELECTOR_USER_CODE	0x33ULL
/* Sets the code segment to which the gate of @vector leads. */
void idt_set_selector(u8 vector, u16 selector);

#define SELECTOR_TSS		0x20
#define TSS_LIMIT		103	/* the TSS with all its fields */
#define TSS_LIMIT_BEFORE_IST	0x23	/* the fields in front of the IST only */
/* Loads the task register with the guest's TSS, cut off behind byte @limit. */
void tss_load(u32 limit);

/* Interrupt stack 1, and the stack on which exceptions from CPL 3 arrive. */
extern u8 ist_stack[PAGE_SIZE], user_exit_stack[PAGE_SIZE];

/*
 * Exceptions other than #VC. A vector that is not armed ends the run. An armed one
 * is recorded here; main.c clears this before each case.
 */
struct trap_log {
	u32 armed[VECTORS / 32];	/* a bit for each vector: trap_arm() */
	u64 count;			/* how many since trap_reset() */
	u64 vector, error_code, rip, rsp, cr2;	/* of the last exception */
	u64 frame;			/* its struct frame's address */
	u64 resume;			/* set by the case: the handler returns to
					 * this address, if it is not 0 */
};
extern struct trap_log trap;

/* Arms @vector: its exceptions are recorded until trap_reset(). */
void trap_arm(u8 vector);

/* Clears trap, so that every exception but #VC ends the run. */
void trap_reset(void);

/* Runs @fn at CPL 3 with RFLAGS = @rflags until it calls user_return(). */
void user_run(void (*fn)(void), u64 rflags);

static inline NORETURN void user_return(void)
{
	asm volatile("int %0" : : "i"(VECTOR_USER_END));
	__builtin_unreachable();
}

/* ---- vc.c: the GHCB and #VC ---- */

/*
 * What the #VC handler is told, and what it found. main.c clears this before each
 * case. Code that executes an instruction which may raise #VC sets rip and resume;
 * the functions of insns.S do.
 */
struct vc_log {
	u64 rip;		/* address of the instruction */
	u64 resume;		/* address of the instruction behind it */
	u64 exit;		/* the exit code that insns.S expects */
	u64 changed;		/* registers that should not have changed */
	u64 count;		/* how many #VC */
	u64 error_code, cs, frame;	/* of the last #VC */
	u64 rflags;		/* while its handler ran */
	u64 result, info_2;	/* the hypervisor's answer: RESULT_*, and why */
	u64 valid[2];		/* the valid bitmap of the answer */
	bool wrong_rip;		/* a #VC did not point at rip */
	bool skip;		/* set by the case: ask for nothing, go on at resume */
};
extern struct vc_log vc;

/* Answers the #VC with frame @f through the GHCB, and records it in vc. */
void vc_handle(struct frame *f);

/* A rule that the next request of ghcb_go() breaks. ghcb_go() clears this struct. */
struct tamper {
	u32 drop_valid;		/* field whose valid bit is cleared, or 0 */
	bool private_ghcb;	/* the GHCB page turns private */
	bool set_version, set_usage, set_scratch;
	u16 version;		/* written if set_version */
	u32 usage;		/* written if set_usage */
	u64 scratch;		/* written if set_scratch */
};
extern struct tamper tamper;

extern u8 ghcb_page[PAGE_SIZE];

/* Starts a request on a page of zeroes: exit code and the two info fields. */
void ghcb_begin(u64 code, u64 info_1, u64 info_2);

/* Sets @field (GHCB_*, an offset) and its valid bit. */
void ghcb_set(u32 field, u64 value);

/* Returns the value of @field, which need not be valid. */
u64 ghcb_get(u32 field);

/* Whether the valid bit of @field is set in the answer. */
bool ghcb_answered(u32 field);

/* The GHCB's shared buffer, GHCB_BUFFER_SIZE bytes, in the shared view. */
u8 *ghcb_buffer(void);

/* The value of sw_scratch that names byte @offset of the shared buffer. */
u64 ghcb_scratch(u64 offset);

/* Makes the request. Returns RESULT_*, the low half of sw_exit_info_1. */
u64 ghcb_go(void);

/* Makes a request of the MSR protocol. Returns the GHCB MSR after it. */
u64 msr_protocol(u64 request);

/* Executes VMGEXIT with @ghcb_msr in the GHCB MSR. */
void vmgexit_at(u64 ghcb_msr);

/* ---- insns.S ---- */

struct regs {
	u64 rax, rbx, rcx, rdx, rsi, rdi;
};

/*
 * insn_<id>() executes the instruction <id> of exit_insns.h with the registers in
 * @r that it reads, and stores those that it writes. A #VC is answered by
 * vc_handle(), which goes on behind the instruction.
 */
#define ROW(id, ...)	void insn_##id(struct regs *r);
EXIT_INSNS(ROW)
#undef ROW

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value),
		     "d"((u32)(value >> 32)) : "memory");
}

/* Calls HOOK_* of sevemu (hooks.h). Returns its result. */
static inline u64 hook2(u32 function, u64 arg1, u64 arg2)
{
	u64 result;

	asm volatile("vmmcall" : "=a"(result)
		     : "a"(HOOK_MAGIC), "c"(function), "d"(arg1), "S"(arg2)
		     : "memory");
	return result;
}

static inline u64 hook(u32 function, u64 arg)
{
	return hook2(function, arg, 0);
}

/* The address of *@p in the view with the C-bit clear. */
static inline volatile u64 *shared(const void *p)
{
	return (volatile u64 *)((u64)p + SHARED_VIEW);
}

#endif
