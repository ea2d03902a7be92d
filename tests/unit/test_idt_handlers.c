/* SPDX-License-Identifier: MIT */
/*
 * test_idt_handlers.c - tests the assembly of idt_handlers_64.S, which is
 * linked into this program. A test pushes the stack frame that a processor
 * would push for an exception, and jumps to the entry code of its vector. The
 * IRETQ of that code returns to the test, because IRETQ works outside of ring
 * 0, too.
 */
#include "harness.h"

#include "idt.h"
#include "sev.h"

/*
 * The places to which exception_vc and exception_gp jump instead of returning by IRETQ.
 * Here each place stores its number of enum place in @arrived, and RAX, RCX and RSP, and
 * then ends the exception at came_back_here. FRAME means that the handler returned by
 * IRETQ.
 */
enum place { FRAME, TERMINATE, BEHIND_CPUID, BEHIND_VMGEXIT };
u64 arrived, arrived_rax, arrived_rcx, arrived_rsp;
asm(".pushsection .text\n"
    ".globl terminate_from_vc, asked_cpuid, behind_cpuid, behind_vmgexit\n"
    "terminate_from_vc:\n"
    "	movq $1, arrived(%rip); jmp 1f\n"
    "asked_cpuid:\n"
    "	nop\n"
    "behind_cpuid:\n"
    "	movq $2, arrived(%rip); jmp 1f\n"
    "behind_vmgexit:\n"
    "	nop\n"
    "	movq $3, arrived(%rip)\n"
    "1:\n"
    "	movq %rsp, arrived_rsp(%rip)\n"
    "	movq %rax, arrived_rax(%rip); movq %rcx, arrived_rcx(%rip)\n"
    "	movq rsp_before(%rip), %rsp\n"
    "	jmp came_back_here\n"
    ".popsection\n");

/* A fake of the stub's handler of NMI, which is in sev-head_64.S. It counts the NMIs. */
u64 nmis;
asm(".pushsection .text\n"
    ".globl exception_nmi\n"
    "exception_nmi:\n"
    "	incq nmis(%rip)\n"
    "	addq $8, %rsp\n"
    "	iretq\n"
    ".popsection\n");

extern const u8 exception_stubs[IDT_VECTORS][EXCEPTION_STUB_SIZE];

/* The general-purpose registers, in the order of struct exception_frame. */
struct registers {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
};
BUILD_BUG_ON(sizeof(struct registers) !=
	     offsetof(struct exception_frame, vector));

/*
 * Registers, RFLAGS and RSP of the interrupted program, before the exception
 * and after the handler returned. They are not static, because the assembly
 * below uses them.
 */
struct registers before, after;
u64 flags_before, flags_after, rsp_before, rsp_after, came_back;

/*
 * @target is the entry code to jump to. @error_code is pushed if
 * @has_error_code is not 0. @misalign is subtracted from RSP before the
 * processor's frame is pushed, so that the frame is not aligned.
 */
const u8 *target;
u64 has_error_code, error_code, misalign;
u64 harness_rsp, scratch;
/*
 * @interrupted is the RIP in the frame that raise_exception() pushes. A handler recognises the
 * instructions of ask_cpuid() and vmgexit_page() also by RSI or RDX, to which these functions
 * copy RSP. If @marked is 0, RSI and RDX hold other values. Otherwise they hold the interrupted
 * code's RSP, in which the test has inverted the bits of @rsp_changes.
 */
u64 interrupted, marked, rsp_changes;
extern const u8 came_back_here[], asked_cpuid[], behind_vmgexit[];

static struct exception_frame seen;
static unsigned int calls;
static u64 seen_vector;
static u64 flags_in_handler, rsp_in_handler;
static bool handler_changes;

void raise_exception(void);

/*
 * raise_exception: loads the registers from @before, pushes what the processor
 * pushes (APM2 8.9.3), and jumps to @target. When the handler has returned,
 * stores the registers to @after. All registers have test values, so
 * intermediate values are kept in memory.
 */
asm(".text\n"
    "raise_exception:\n"
    "	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
    "	movq %rsp, harness_rsp(%rip)\n"
    "	subq $512, %rsp\n"		/* stack space for a handler that pops too much */
    "	andq $-64, %rsp\n"
    "	movq %rsp, rsp_before(%rip)\n"
    "	xorl %eax, %eax; movw %ss, %ax\n"
    "	xorl %ecx, %ecx; movw %cs, %cx\n"
    "	movq interrupted(%rip), %rdx\n"
    "	movq rsp_before(%rip), %rbx\n"
    "	cmpq $0, marked(%rip)\n"
    "	je 3f\n"
    "	movq rsp_changes(%rip), %rsi\n"
    "	xorq %rbx, %rsi\n"
    "	movq %rsi, 72+before(%rip); movq %rsi, 96+before(%rip)\n"
    "3:\n"
    "	subq misalign(%rip), %rsp\n"
    "	pushq %rax; pushq %rbx; pushq flags_before(%rip)\n"
    "	pushq %rcx; pushq %rdx\n"
    "	cmpq $0, has_error_code(%rip)\n"
    "	je 2f\n"
    "	pushq error_code(%rip)\n"
    "2:\n"
    "	pushq flags_before(%rip); popfq\n"
    "	movq 0+before(%rip), %r15; movq 8+before(%rip), %r14\n"
    "	movq 16+before(%rip), %r13; movq 24+before(%rip), %r12\n"
    "	movq 32+before(%rip), %r11; movq 40+before(%rip), %r10\n"
    "	movq 48+before(%rip), %r9; movq 56+before(%rip), %r8\n"
    "	movq 64+before(%rip), %rdi; movq 72+before(%rip), %rsi\n"
    "	movq 80+before(%rip), %rbp; movq 88+before(%rip), %rbx\n"
    "	movq 96+before(%rip), %rdx; movq 104+before(%rip), %rcx\n"
    "	movq 112+before(%rip), %rax\n"
    "	jmp *target(%rip)\n"
    ".globl came_back_here\n"
    "came_back_here:\n"
    "	movq %rsp, rsp_after(%rip)\n"
    "	movq %rax, scratch(%rip)\n"
    "	movq %r15, 0+after(%rip); movq %r14, 8+after(%rip)\n"
    "	movq %r13, 16+after(%rip); movq %r12, 24+after(%rip)\n"
    "	movq %r11, 32+after(%rip); movq %r10, 40+after(%rip)\n"
    "	movq %r9, 48+after(%rip); movq %r8, 56+after(%rip)\n"
    "	movq %rdi, 64+after(%rip); movq %rsi, 72+after(%rip)\n"
    "	movq %rbp, 80+after(%rip); movq %rbx, 88+after(%rip)\n"
    "	movq %rdx, 96+after(%rip); movq %rcx, 104+after(%rip)\n"
    "	movq scratch(%rip), %rax; movq %rax, 112+after(%rip)\n"
    "	pushfq; popq flags_after(%rip)\n"
    "	cld\n"
    "	incq came_back(%rip)\n"
    "	movq harness_rsp(%rip), %rsp\n"
    "	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
    "	ret\n");

/*
 * Called by the assembly under test. It is compiled without sanitizers, because
 * the stack frame that sanitizers make would hide that the stack is misaligned.
 */
__attribute__((no_sanitize("address", "undefined")))
void do_exception(struct exception_frame *frame, u64 vector)
{
	asm volatile("pushfq; popq %0" : "=r"(flags_in_handler));
	rsp_in_handler = (u64)__builtin_frame_address(0);
	seen = *frame;
	seen_vector = vector;
	calls++;
	if (handler_changes)
		for (u64 *reg = (u64 *)frame; reg <= &frame->rax; reg++)
			*reg = ~*reg;
}

static void raise_with(unsigned int vector, u64 rcx, const u8 *rip)
{
	u64 *reg = (u64 *)&before;
	unsigned int i;

	for (i = 0; i < sizeof(before) / sizeof(*reg); i++)
		reg[i] = 0xfeed000000000000 + i * 0x1111;
	if (rcx)
		before.rcx = rcx;
	interrupted = (u64)rip;
	marked = rcx;
	arrived = FRAME;
	memset(&after, 0, sizeof(after));
	memset(&seen, 0, sizeof(seen));
	calls = 0;
	nmis = 0;
	came_back = 0;
	target = exception_stubs[vector];
	has_error_code = (u64)TRAPS_WITH_ERROR_CODE >> vector & 1;
	error_code = 0x1234;
	raise_exception();
	CHECK(came_back == 1, "vector %u: %lu", vector, came_back);
}

static void raise_vector(unsigned int vector)
{
	raise_with(vector, 0, came_back_here);
	CHECK(arrived == FRAME && calls == (vector != X86_TRAP_NMI) &&
	      nmis == (vector == X86_TRAP_NMI), "vector %u: %u calls, %lu NMIs",
	      vector, calls, nmis);
}

#define FLAGS	(X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_CF)

/*
 * Returns whether the processor pushes an error code for exception @vector
 * (APM2 table 8-1).
 */
static bool pushes_error_code(unsigned int vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) ||
	       vector == 17 || vector == 21 || vector == 29 || vector == 30;
}

TEST(vectors)
{
	unsigned int vector;

	for (vector = 0; vector < 32; vector++) {
		flags_before = FLAGS;
		CHECK(((u64)TRAPS_WITH_ERROR_CODE >> vector & 1) ==
		      pushes_error_code(vector), "vector %u", vector);
		raise_vector(vector);
		CHECK(!memcmp(&after, &before, sizeof(after)),
		      "vector %u: restored registers", vector);
		CHECK(rsp_after == rsp_before, "vector %u: RSP is 0x%lx",
		      vector, rsp_after);
		if (vector == X86_TRAP_NMI)
			continue;
		CHECK(seen.vector == vector && seen_vector == vector,
		      "vector %lu, %lu instead of %u", seen.vector, seen_vector,
		      vector);
		CHECK(seen.error_code == (has_error_code ? 0x1234 : 0),
		      "vector %u: error code 0x%lx", vector, seen.error_code);
		CHECK(seen.rsp == rsp_before, "vector %u: RSP 0x%lx", vector,
		      seen.rsp);
		CHECK(!memcmp(&seen, &before, sizeof(before)),
		      "vector %u: saved registers", vector);
	}
}

/*
 * If do_exception() changes a register in the exception frame, the interrupted
 * program must continue with the new value.
 */
TEST(changes)
{
	const u64 *is = (u64 *)&after, *was = (u64 *)&before;
	unsigned int i;

	flags_before = FLAGS;
	handler_changes = true;
	raise_vector(X86_TRAP_VC);
	handler_changes = false;
	for (i = 0; i < sizeof(after) / sizeof(*is); i++)
		CHECK(is[i] == ~was[i], "register %u: 0x%lx", i, is[i]);
}

TEST(direction_flag)
{
	flags_before = FLAGS | X86_EFLAGS_DF;
	raise_vector(X86_TRAP_UD);
	CHECK(!(flags_in_handler & X86_EFLAGS_DF), "C with DF set");
	CHECK(seen.rflags & X86_EFLAGS_DF, "RFLAGS 0x%lx", seen.rflags);
	CHECK(flags_after & X86_EFLAGS_DF, "DF is lost");
}

/*
 * C code needs a stack that is aligned to 16 bytes. The processor pushes 40
 * bytes, or 48 with an error code, on a stack that it has aligned (APM2 8.9.3).
 * The assembly pushes more and must align the stack again before it calls
 * do_exception(). That function records its %rbp, which is a multiple of 16 on
 * an aligned stack.
 */
TEST(alignment)
{
	flags_before = FLAGS;
	for (misalign = 0; misalign < 16; misalign += 8) {
		raise_vector(X86_TRAP_UD);
		CHECK(rsp_in_handler % 16 == 0, "0x%lx", rsp_in_handler);
		CHECK(rsp_after == rsp_before, "RSP is 0x%lx", rsp_after);
	}
	misalign = 0;
}

/*
 * Where the handler of @vector must continue if ECX is @ecx and the exception came at @rip.
 * Some instructions of the stub have a known number in ECX, so that the handlers of #VC and
 * #GP recognise the instruction. In the rows with FRAME the number belongs to another
 * vector, so the handler must call do_exception().
 */
static const struct {
	unsigned int vector;
	u32 ecx;
	enum place place;
	u64 rax;
	const u8 *rip;
} known[] = {
	{ X86_TRAP_VC, CPUID_SUBLEAF_NO_SEV, TERMINATE, 0x42100, came_back_here },
	{ X86_TRAP_VC, CPUID_SUBLEAF_NMI, TERMINATE, 0x182100, came_back_here },
	{ X86_TRAP_VC, CPUID_SUBLEAF_EXCEPTION, TERMINATE, 0x102100, came_back_here },
	{ X86_TRAP_VC, 0xc0010131, TERMINATE, 0x62100, came_back_here },
	{ X86_TRAP_VC, 0xc0010130, TERMINATE, 0x62100, came_back_here },
	{ X86_TRAP_VC, CPUID_SUBLEAF_ASK, BEHIND_CPUID, 0, asked_cpuid },
	{ X86_TRAP_GP, ECX_VMGEXIT_PAGE, BEHIND_VMGEXIT, 13, behind_vmgexit },
	{ X86_TRAP_VC, ECX_VMGEXIT_PAGE, FRAME, 0, came_back_here },
	{ X86_TRAP_GP, CPUID_SUBLEAF_ASK, FRAME, 0, came_back_here },
	{ X86_TRAP_GP, 0xc0010131, FRAME, 0, came_back_here },
	{ X86_TRAP_PF, ECX_VMGEXIT_PAGE, FRAME, 0, came_back_here },
	{ X86_TRAP_UD, CPUID_SUBLEAF_ASK, FRAME, 0, came_back_here },
};

/*
 * Raises the vector of known[i] at @rip with @ecx in ECX. The handler must not take the
 * exception for a known one: it must call do_exception() once and return by IRETQ.
 */
static void must_be_reported(unsigned int i, u32 ecx, const u8 *rip)
{
	raise_with(known[i].vector, 0xfeed000000000000 | ecx, rip);
	CHECK(calls == 1 && seen.rip == (u64)rip &&
	      !memcmp(&after, &before, sizeof(after)) &&
	      !memcmp(&seen, &before, sizeof(before)),
	      "case %u, ECX %#x: place %lu, %u calls", i, ecx, arrived, calls);
}

TEST(known_by_ecx)
{
	unsigned int i, bit;

	flags_before = FLAGS;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		raise_with(known[i].vector, 0xfeed000000000000 | known[i].ecx,
			   known[i].rip);
		CHECK(arrived == known[i].place, "case %u: place %lu", i, arrived);
		CHECK(calls == (known[i].place == FRAME), "case %u: %u calls", i,
		      calls);
		if (known[i].place == TERMINATE || known[i].place == BEHIND_VMGEXIT)
			CHECK(arrived_rax == known[i].rax, "case %u: RAX %#lx", i,
			      arrived_rax);
		if (known[i].place == BEHIND_CPUID || known[i].place == BEHIND_VMGEXIT)
			CHECK(arrived_rsp == before.rsi && arrived_rsp == rsp_before,
			      "case %u: RSP %#lx", i, arrived_rsp);
		if (known[i].place == BEHIND_CPUID)
			CHECK(!arrived_rcx, "the sub-leaf stays in RCX: %#lx",
			      arrived_rcx);
		/*
		 * Invert one bit of ECX, so that the handler no longer knows it. The
		 * numbers of MSR_SEV_STATUS and the GHCB MSR differ in bit 0 only, and the
		 * handler knows both, so omit bit 0 for them.
		 */
		bit = known[i].place == TERMINATE && known[i].ecx >> 1 == 0xc0010130 >> 1;
		for (; bit < 32; bit++)
			must_be_reported(i, known[i].ecx ^ 1U << bit, known[i].rip);
	}
}

/*
 * By a number in ECX the handler of #VC recognises the CPUID of ask_cpuid(), and the handler of
 * #GP the VMGEXIT of vmgexit_page(). The hypervisor can inject the exception elsewhere, where a
 * loader's data in ECX equal this number. ask_cpuid() therefore copies RSP to RSI, and
 * vmgexit_page() copies RSP to RDX. The handler must check that this register equals the
 * interrupted code's RSP, which it computes from the address of its frame, and that RIP is the
 * expected one. It must not compare the low four bits of RSP, because the processor aligns RSP
 * to 16 before it pushes the frame.
 */
TEST(known_by_rsp_and_rip)
{
	unsigned int i, bit;

	flags_before = FLAGS;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].place != BEHIND_CPUID && known[i].place != BEHIND_VMGEXIT)
			continue;
		must_be_reported(i, known[i].ecx, came_back_here);
		must_be_reported(i, known[i].ecx, known[i].rip + 1);
		must_be_reported(i, known[i].ecx, known[i].place == BEHIND_CPUID ?
				 behind_vmgexit : asked_cpuid);
		for (bit = 4; bit < 64; bit++) {
			rsp_changes = 1UL << bit;
			must_be_reported(i, known[i].ecx, known[i].rip);
		}
		for (rsp_changes = 0; rsp_changes < 16; rsp_changes++) {
			raise_with(known[i].vector, known[i].ecx, known[i].rip);
			CHECK(arrived == known[i].place && !calls, "RSP ^ %lu: place %lu",
			      rsp_changes, arrived);
		}
		rsp_changes = 0;
	}
}
