/* SPDX-License-Identifier: MIT */
/*
 * The test guest's library: what its cases share. Everything runs at fixed
 * addresses in one identity map, on one CPU, with interrupts off but where a
 * case turns them on.
 *
 * Memory has two views: its own address with the C-bit set, and the same frame
 * at + SHARED_VIEW with the C-bit clear.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hooks.h"
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

struct machine {
	enum sev_mode sev;
	u32 ghcb_max, cbit;
	u64 cmask;
	bool strict, la57, rdtsc, entered32;
	const struct boot_params *bp;
};
extern struct machine machine;

/* ---- cases ---- */

#define CASE_ES		1	/* needs an SEV-ES guest */
#define CASE_V2		2	/* needs GHCB version 2 */
#define CASE_SEV	4	/* needs encrypted memory, SEV or SEV-ES */
#define CASE_ENDS	8	/* ends the run: only when asked for by name */

struct test_case {
	const char *name;
	void (*run)(void);
	u64 flags;
};

/* Defines a case; the linker gathers them in one table, in steps of the size
 * of the struct: the compiler must not align them further. */
#define CASE(id, text, wants)						\
	static void id(void);						\
	static const struct test_case case_##id				\
		__attribute__((used, section(".cases"), aligned(8))) =	\
		{ .name = text, .run = id, .flags = wants };		\
	static void id(void)

/* Each fails the running case when it does not hold; the case goes on. */
void expect(const char *what, u64 got, u64 want);
void expect_not(const char *what, u64 got, u64 not_this);
void fail(const char *why);
/* What a case has to say beside its verdict, on a line of its own. */
void note(const char *what, u64 value);

NORETURN void end_run(u8 how);

/* ---- console.c ---- */

void con_str(const char *s);
void con_hex(u64 value);
void con_flush(void);

/* ---- string.c ---- */

void *memset(void *dst, int value, size_t len);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* ---- cpu.c: page tables, descriptors, exceptions ---- */

struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error_code;
	u64 rip, cs, rflags, rsp, ss;
};

void cpu_init(void);
/* The page-table entry (4 KiB, split if need be) for @addr in our own map. */
u64 *pte_of(u64 addr);
void flush_tlb(void);
/* Which of the TSS's interrupt stacks the vector switches to, 0 for none. */
void idt_use_ist(u8 vector, u8 ist);
void idt_set_present(u8 vector, bool present);
#define SELECTOR_CODE64		0x10
#define SELECTOR_USER_CODE	0x33ULL
void idt_set_selector(u8 vector, u16 selector);
#define SELECTOR_TSS		0x20
#define TSS_LIMIT		103
#define TSS_LIMIT_BEFORE_IST	0x23
void tss_load(u32 limit);
extern u8 ist_stack[PAGE_SIZE], user_exit_stack[PAGE_SIZE];

/* What the next exceptions other than #VC do: counted here, then the run goes
 * on at trap.resume if that is set. A vector that is not armed ends the run. */
struct trap_log {
	u32 armed[VECTORS / 32];
	u64 count, vector, error_code, rip, rsp, cr2, frame;
	u64 resume;
};
extern struct trap_log trap;
void trap_arm(u8 vector);
void trap_reset(void);

/* Runs @fn at CPL 3 with @rflags until it executes INT VECTOR_USER_END. */
void user_run(void (*fn)(void), u64 rflags);

/* ---- vc.c: the GHCB and #VC ---- */

/* What #VC found, for the case to look at; see INSN(). */
struct vc_log {
	u64 rip, resume;	/* of the instruction that may raise #VC */
	u64 count, error_code, cs, frame;
	u64 rflags;		/* while in the handler */
	u64 result, info_2;	/* the hypervisor's answer */
	u64 valid[2];		/* the valid bitmap of the answer */
	bool wrong_rip;
	bool skip;		/* ask nobody, go on behind the instruction */
};
extern struct vc_log vc;
void vc_handle(struct frame *f);

/* The next request breaks one rule; taken back after it. */
struct tamper {
	u32 drop_valid;		/* the field's offset: its valid bit stays 0 */
	bool private_ghcb;
	bool set_version, set_usage, set_scratch;
	u16 version;
	u32 usage;
	u64 scratch;
};
extern struct tamper tamper;

extern u8 ghcb_page[PAGE_SIZE];
void ghcb_begin(u64 code, u64 info_1, u64 info_2);
void ghcb_set(u32 field, u64 value);
u64 ghcb_get(u32 field);
bool ghcb_answered(u32 field);
u8 *ghcb_buffer(void);
/* Where sw_scratch points for the @offset'th byte of the shared buffer. */
u64 ghcb_scratch(u64 offset);
/* Makes the request; returns the low half of sw_exit_info_1. */
u64 ghcb_go(void);
u64 msr_protocol(u64 request);
void vmgexit_at(u64 ghcb_msr);

/* ---- Instructions ---- */

struct regs {
	u64 rax, rbx, rcx, rdx, rsi, rdi;
};

/*
 * Defines insn_<id>(): executes one real instruction on the registers of the
 * struct. If it raises #VC, the handler checks that the exception points at
 * the instruction, and goes on behind it.
 */
#define INSN(id, text)							\
	static void insn_##id(struct regs *r)				\
	{								\
		asm volatile("movq $1f, vc(%%rip)\n\t"			\
			     "movq $2f, vc + 8(%%rip)\n"		\
			     "1:\t" text "\n2:"				\
			     : "+a"(r->rax), "+b"(r->rbx),		\
			       "+c"(r->rcx), "+d"(r->rdx),		\
			       "+S"(r->rsi), "+D"(r->rdi)		\
			     : : "memory", "cc");			\
	}

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

static inline volatile u64 *shared(const void *p)
{
	return (volatile u64 *)((u64)p + SHARED_VIEW);
}

#endif
