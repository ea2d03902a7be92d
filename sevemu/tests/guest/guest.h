/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what the files of sevemu's test guest share. All code runs at fixed
 * addresses in one identity map. Only cases_smp.c uses more than one CPU. Interrupts are
 * off, except where a case turns them on.
 *
 * The guest maps memory in two views: each address below 4 GiB with the C-bit set, and
 * the same page frame at address + SHARED_VIEW with the C-bit clear (the first GiB
 * only).
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

/* Start of the view with the C-bit clear, which the second PML4 entry maps. */
#define SHARED_VIEW	0x8000000000ULL

struct boot_params;

/* ---- The machine that sevemu emulates ---- */

enum sev_mode { SEV_OFF, SEV_PLAIN, SEV_ES, SEV_SNP };
enum snp_convert { CONVERT_STRICT, CONVERT_NONE, CONVERT_IMPLICIT };

/*
 * The options with which sevemu was started. machine_init() in main.c fills this from
 * the result of HOOK_CONFIG, before the first case.
 */
struct machine {
	enum sev_mode sev;		/* value of sevemu's option --sev */
	/* The highest GHCB protocol version (sevemu's option --ghcb-max). */
	u32 ghcb_max;
	u32 cbit;			/* --cbit: position of the C-bit */
	u64 cmask;			/* 1 << cbit, or 0 without SEV */
	/* Whether sevemu's options --strict, --la57 and --rdtsc are given. */
	bool strict, la57, rdtsc;
	/*
	 * Set if sevemu's option --host is spec: the host does what the GHCB
	 * specification says. Otherwise the host does what KVM does.
	 */
	bool spec;
	bool es;			/* --sev es or --sev snp */
	/* sevemu's options for an SNP guest. */
	enum snp_convert convert;	/* --snp-convert */
	u32 vmpl;			/* --vmpl */
	bool rmp_2m;			/* --rmp 2m */
	bool loaded;			/* --validated is not all */
	bool smp;			/* --smp is more than 1 */
	const struct boot_params *bp;	/* the zero page from the loader */
	/*
	 * Set while the case is a victim of cases_victim.c under attack: a failure
	 * terminates the guest. The victim clears this field when the host no longer
	 * attacks.
	 */
	bool victim;
};
extern struct machine machine;

/* ---- Cases ---- */

/*
 * Bits of struct test_case.flags. Most bits name a kind of guest or an option of sevemu that
 * the case needs. main.c skips the case if the machine lacks it.
 */
#define CASE_ES		1	/* an SEV-ES or SEV-SNP guest */
#define CASE_V2		2	/* GHCB protocol version 2 */
/*
 * The case needs a guest with SEV or SEV-ES, not SEV-SNP. In such a guest, sevemu makes a
 * page frame private at an access with C=1, and shared at an access with C=0.
 */
#define CASE_SEV	4
/* The case terminates the guest, so case=all does not run it. */
#define CASE_ENDS	8
#define CASE_SNP	0x10	/* an SEV-SNP guest */
/* An SEV-SNP guest skips the case, because SEV-SNP has other rules for what the case checks. */
#define CASE_NOT_SNP	0x20
#define CASE_VMPL0	0x40	/* a guest at VMPL 0 */
#define CASE_SVSM	0x80	/* a guest below VMPL 0, with SVSM */
#define CASE_2M		0x100	/* --rmp 2m */
#define CASE_4K		0x200	/* --rmp 4k */
#define CASE_STRICT_CONVERT 0x400	/* --snp-convert strict */
#define CASE_NO_CONVERT	0x800	/* --snp-convert none */
#define CASE_IMPLICIT	0x1000	/* --snp-convert implicit */
#define CASE_LOADED	0x2000	/* --validated is not all */
#define CASE_ALL	0x4000	/* --validated all */
#define CASE_SMP	0x8000	/* --smp 2 or more */
#define CASE_UP		0x10000	/* --smp 1 */
#define CASE_NOT_ES	0x20000	/* a guest without SEV-ES */

struct test_case {
	/* The case's name, for case=NAME and for its result line. */
	const char *name;
	void (*run)(void);
	u64 flags;			/* what the case needs: CASE_* bits */
};

/*
 * Defines a case with the name @text: CASE(id, text, flags) { body }. The linker
 * gathers the struct test_case of all cases in the table test_cases. aligned(8) keeps
 * the compiler from aligning a struct further, which would leave gaps in the table.
 */
#define CASE(id, text, wants)						\
	static void id(void);						\
	static const struct test_case case_##id				\
		__attribute__((used, section(".cases"), aligned(8))) =	\
		{ .name = text, .run = id, .flags = wants };		\
	static void id(void)

/* ---- main.c ---- */

/*
 * expect() fails the running case unless @got is @want. expect_not() fails it if @got
 * is @not_this. @what names the value in the message. The case continues after a
 * failure.
 */
void expect(const char *what, u64 got, u64 want);
void expect_not(const char *what, u64 got, u64 not_this);

/* Fails the running case and prints the reason @why. The case continues. */
void fail(const char *why);

/*
 * Prints "# CASE: WHAT VALUE" for the reader of the log. It does not affect the case's
 * result.
 */
void note(const char *what, u64 value);

/*
 * Stops the whole run: writes @how (DEBUG_EXIT_*) to sevemu's debug-exit port, at which
 * sevemu exits.
 */
NORETURN void end_run(u8 how);

/* ---- cases_victim.c ---- */

/*
 * Does nothing. A victim is a case that runs under a host that attacks it. main.c calls
 * victim_ready() when the victim's exception handlers are installed. The suite passes the
 * function's address to sevemu's option --watch. Before the call sevemu accepts a triple
 * fault, because the victim cannot handle exceptions yet.
 */
void victim_ready(void);

/* Terminates the guest by the MSR protocol, with reason set 0, code 0. */
NORETURN void victim_gives_up(void);

/* ---- console.c ---- */

/* Adds @s to the output line. The line is printed at a newline, or when it is full. */
void con_str(const char *s);

/* Adds @value to the output line, as "0x" and hexadecimal digits. */
void con_hex(u64 value);

/* Prints the output line as it is so far on ttyS0, and empties it. */
void con_flush(void);

/* ---- string.c: as in the C library ---- */

void *memset(void *dst, int value, size_t len);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* ---- cpu.c: page tables, descriptors, exceptions ---- */

/*
 * The registers that exception_common in head.S pushes in an exception handler, and
 * above them the frame that the processor has pushed (error_code and the fields after
 * it).
 */
struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector;			/* pushed by head.S */
	/* Error code of the exception; 0 if the vector has no error code. */
	u64 error_code;
	u64 rip, cs, rflags, rsp, ss;
};

/*
 * Loads the page tables, the IDT and the TSS. main.c calls cpu_init() once, after it has
 * filled the variable machine.
 */
void cpu_init(void);

/*
 * Returns the 4 KiB page-table entry that maps @addr, an address below 4 GiB or in the
 * shared view. If a 2 MiB leaf maps @addr, it is split into 4 KiB pages first; at most
 * 16 leaves can be split.
 */
u64 *pte_of(u64 addr);

/* Flushes the TLB. Must be called after each change of a page-table entry. */
void flush_tlb(void);

/*
 * Makes the gate of @vector switch to an interrupt stack of the TSS. @ist is 1 for
 * ist_stack, or 0 for no switch.
 */
void idt_use_ist(u8 vector, u8 ist);

/* Sets or clears the present bit of the gate of @vector. */
void idt_set_present(u8 vector, bool present);

#define SELECTOR_CODE32		0x08
#define SELECTOR_CODE64		0x10
#define SELECTOR_USER_CODE	0x33ULL
/* Sets the code segment to which the gate of @vector leads. */
void idt_set_selector(u8 vector, u16 selector);

#define SELECTOR_TSS		0x20
#define TSS_LIMIT		103	/* limit of a TSS with all fields */
/*
 * The limit of a TSS that has only the fields in front of the interrupt stack pointers.
 */
#define TSS_LIMIT_BEFORE_IST	0x23
/* Loads the task register with the guest's TSS, with the segment limit @limit. */
void tss_load(u32 limit);

/*
 * The interrupt stack with IST number 1, and the stack that the processor loads from
 * the TSS at an exception from CPL 3.
 */
extern u8 ist_stack[PAGE_SIZE], user_exit_stack[PAGE_SIZE];

/*
 * The log of exceptions other than #VC. The handler records an exception here if its
 * vector is armed. Any other exception stops the run with an error. main.c clears this
 * struct before each case.
 */
struct trap_log {
	/* Bit n is set if exceptions with vector n are to be recorded. */
	u32 armed[VECTORS / 32];
	/* The number of recorded exceptions since trap_reset(). */
	u64 count;
	/* Vector, frame contents and CR2 of the last exception. */
	u64 vector, error_code, rip, rsp, cr2;
	/* The address of the last exception's struct frame. */
	u64 frame;
	/*
	 * Written by the case. The handler returns to this address if it is not 0. If it
	 * is 0, the handler returns to the frame's RIP plus @skip.
	 */
	u64 resume;
	/*
	 * Written by the case. The number of bytes that the handler adds to the frame's
	 * RIP if @resume is 0: the length of the instruction that it skips, or 0 to
	 * repeat it.
	 */
	u64 skip;
};
extern struct trap_log trap;

/*
 * Arms @vector: its exceptions are recorded in trap until trap_reset(), and do not stop
 * the run.
 */
void trap_arm(u8 vector);

/* Clears trap. After this, every exception except #VC stops the run with an error. */
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
 * The log of #VC. Code must write @rip and @resume before it executes an instruction that
 * may raise #VC, because they tell the #VC handler where the instruction is. The
 * functions of insns.S write them, and also @exit and @changed. The handler writes the
 * other fields. main.c clears this struct before each case.
 */
struct vc_log {
	/* Address of the instruction that may raise #VC. */
	u64 rip;
	/* Address of the next instruction, to which the #VC handler returns. */
	u64 resume;
	/* The exit code that #VC must have as its error code. */
	u64 exit;
	/*
	 * Number of registers that a tested instruction changed although it must not
	 * change them. insns.S counts them.
	 */
	u64 changed;
	u64 count;		/* number of #VC so far */
	/*
	 * Fields of the last #VC's stack frame, and in @frame the address of that stack
	 * frame.
	 */
	u64 error_code, cs, frame;
	u64 rflags;		/* RFLAGS while the #VC handler ran */
	/* The hypervisor's answer to the last request: RESULT_*, and sw_exit_info_2. */
	u64 result, info_2;
	/* The GHCB's valid bitmap in the hypervisor's last answer. */
	u64 valid[2];
	/* Whether a #VC came with another RIP than @rip, so that the case fails. */
	bool wrong_rip;
	/*
	 * Written by the case. If true, the handler sends no request and returns to
	 * @resume.
	 */
	bool skip;
	/*
	 * Written by the case. If not 0, the handler validates the page at this address at
	 * the next #VC for an access to a page that is not validated (VC_NOT_VALIDATED). The
	 * handler then clears this field, and lets the guest repeat the instruction.
	 */
	u64 validate;
	/* Number of #VC with the error code VC_NOT_VALIDATED so far. */
	u64 not_validated;
};
extern struct vc_log vc;

/*
 * Handles the #VC with the frame @f: sends a request by the GHCB and records the #VC
 * and the hypervisor's answer in vc.
 */
void vc_handle(struct frame *f);

/*
 * The way in which ghcb_go() makes its next request wrong, so that a case can test how
 * sevemu reacts. A case sets it, and ghcb_go() clears it.
 */
struct tamper {
	/* Offset of the field whose valid bit to clear; 0: no field. */
	u32 drop_valid;
	/* If true, ghcb_go() makes the GHCB page private before VMGEXIT. */
	bool private_ghcb;
	/* If true, ghcb_go() writes the wrong value @version, @usage or @scratch. */
	bool set_version, set_usage, set_scratch;
	u16 version;		/* GHCB protocol version */
	u32 usage;		/* GHCB usage */
	u64 scratch;		/* sw_scratch */
};
extern struct tamper tamper;

extern u8 ghcb_page[PAGE_SIZE];

/*
 * Prepares a request: clears the GHCB page, and sets the exit code, sw_exit_info_1 and
 * sw_exit_info_2 with their valid bits.
 */
void ghcb_begin(u64 code, u64 info_1, u64 info_2);

/* Sets the GHCB's field at offset @field (GHCB_*) to @value, and sets its valid bit. */
void ghcb_set(u32 field, u64 value);

/* Returns the GHCB's field at offset @field, even if its valid bit is clear. */
u64 ghcb_get(u32 field);

/*
 * Whether the hypervisor's answer has the valid bit of the GHCB's field at offset
 * @field.
 */
bool ghcb_answered(u32 field);

/*
 * Returns the address of the GHCB's shared buffer in the view with the C-bit clear. The
 * buffer has GHCB_BUFFER_SIZE bytes.
 */
u8 *ghcb_buffer(void);

/*
 * Returns the guest-physical address of byte @offset of the GHCB's shared buffer, as
 * sw_scratch needs it.
 */
u64 ghcb_scratch(u64 offset);

/*
 * Sends the request that has been prepared on the GHCB page. Returns RESULT_*, the low
 * half of sw_exit_info_1 in the answer.
 */
u64 ghcb_go(void);

/*
 * Sends @request by the GHCB MSR protocol. Returns the GHCB MSR after the VMGEXIT,
 * which is the hypervisor's response.
 */
u64 msr_protocol(u64 request);

/* Writes @ghcb_msr to the GHCB MSR and executes VMGEXIT. */
void vmgexit_at(u64 ghcb_msr);

/* ---- insns.S ---- */

struct regs {
	u64 rax, rbx, rcx, rdx, rsi, rdi;
};

/*
 * insn_<id>() executes the instruction <id> of exit_insns.h. It loads the registers
 * that the instruction reads from @r, and stores those that it writes to @r. If the
 * instruction raises #VC, vc_handle() handles it and continues after the instruction.
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

/*
 * Calls sevemu's test hook @function (HOOK_* in hooks.h) with two arguments, whose
 * meaning depends on the hook. Returns the hook's result.
 */
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

/* Returns the address at which the memory at @p is mapped with the C-bit clear. */
static inline volatile u64 *shared(const void *p)
{
	return (volatile u64 *)((u64)p + SHARED_VIEW);
}

#endif
