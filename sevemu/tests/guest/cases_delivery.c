/* SPDX-License-Identifier: MIT */
/*
 * cases_delivery.c - how #VC, and exceptions that the hypervisor injects, reach the
 * guest's handlers from each mode and CPL. The guest's own IDT gates and the processor's
 * rules for any exception apply (APM2 8.7, 8.9). The cases whose names start with "ends-"
 * check which failures of the delivery terminate the guest.
 */
#include "guest.h"

#define RFLAGS_FIXED		0x2
#define RFLAGS_IF		0x200
#define RFLAGS_AC		0x40000
#define RFLAGS_IOPL_3		0x3000
#define IST_1			1
#define PF_WRITE		2
#define ERROR_EXT		1
#define UART_SCRATCH		0x3ff
#define MSR_APIC_BASE		0x1b
#define VENDOR_EBX		0x68747541	/* "Auth" of AuthenticAMD */
#define CR0_AM			0x40000

static ALIGNED_PAGE u8 hole[PAGE_SIZE];
static struct regs user_regs;
static u64 deep_stack;

/* ---- #VC from each mode, CPL and stack ---- */

/*
 * Before the processor pushes an exception's frame, it aligns RSP down to 16 bytes
 * (APM2 8.9.3). The case leaves RSP 8 bytes off that alignment and looks where the
 * frame lies.
 */
CASE(same_stack, "vc-same-stack", CASE_ES)
{
	u64 rsp;

	asm volatile("movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n\t"
		     "movq %%rsp, %%rsi\n\tandq $-16, %%rsp\n\tpushq $0\n\t"
		     "movq %%rsp, %0\n"
		     "1:\tcpuid\n"
		     "2:\tmovq %%rsi, %%rsp"
		     : "=&r"(rsp) : "a"(0), "c"(0)
		     : "rbx", "rdx", "rsi", "memory");
	expect("CS", vc.cs, 0x10);
	expect("end of the frame", vc.frame + sizeof(struct frame), rsp - 8);
}

CASE(ist, "vc-ist", CASE_ES)
{
	struct regs r = { 0 };

	idt_use_ist(VECTOR_VC, IST_1);
	insn_cpuid(&r);
	idt_use_ist(VECTOR_VC, 0);
	expect("frame on the IST stack", vc.frame,
	       (u64)ist_stack + PAGE_SIZE - sizeof(struct frame));
	expect("EBX of function 0", r.rbx, VENDOR_EBX);
}

static void user_cpuid(void)
{
	insn_cpuid(&user_regs);
	user_return();
}

CASE(user, "vc-from-user", CASE_ES)
{
	user_regs = (struct regs){ 0 };
	user_run(user_cpuid, RFLAGS_FIXED);
	expect("#VC count", vc.count, 1);
	expect("CPL of the frame", vc.cs & 3, 3);
	expect("frame on the TSS's stack", vc.frame,
	       (u64)user_exit_stack + PAGE_SIZE - sizeof(struct frame));
	expect("EBX of function 0", user_regs.rbx, VENDOR_EBX);
}

CASE(user_ist, "vc-from-user-ist", CASE_ES)
{
	user_regs = (struct regs){ 0 };
	idt_use_ist(VECTOR_VC, IST_1);
	user_run(user_cpuid, RFLAGS_FIXED);
	idt_use_ist(VECTOR_VC, 0);
	expect("frame on the IST stack", vc.frame,
	       (u64)ist_stack + PAGE_SIZE - sizeof(struct frame));
}

static void user_vmmcall(void)
{
	insn_vmmcall(&user_regs);
	user_return();
}

CASE(user_call, "vmmcall-from-user", CASE_ES)
{
	user_regs = (struct regs){ .rax = 0x7fff };
	user_run(user_vmmcall, RFLAGS_FIXED);
	expect("error code", vc.error_code, SVM_EXIT_VMMCALL);
	expect("CPL of the frame", vc.cs & 3, 3);
	expect("result", vc.result, RESULT_DONE);
}

static void user_io(void)
{
	insn_inb(&user_regs);
	user_return();
}

CASE(user_iopl, "io-from-user", CASE_ES)
{
	user_regs = (struct regs){ .rdx = UART_SCRATCH };
	user_run(user_io, RFLAGS_FIXED | RFLAGS_IOPL_3);
	expect("#VC count with IOPL 3", vc.count, 1);
	expect("error code", vc.error_code, SVM_EXIT_IOIO);

	/*
	 * With IOPL 0, IN at CPL 3 raises #GP before the processor tests SVM's intercept
	 * of IN (APM2 15.7). The IN must not raise #VC.
	 */
	vc.count = 0;
	trap_arm(VECTOR_GP);
	trap.resume = (u64)user_return;
	user_run(user_io, RFLAGS_FIXED);
	expect("#VC count with IOPL 0", vc.count, 0);
	expect("#GP count with IOPL 0", trap.count, 1);
}

static void user_msr(void)
{
	insn_rdmsr(&user_regs);
	user_return();
}

CASE(user_rdmsr, "rdmsr-from-user", CASE_ES)
{
	user_regs = (struct regs){ .rcx = MSR_APIC_BASE };
	trap_arm(VECTOR_GP);
	trap.resume = (u64)user_return;
	user_run(user_msr, RFLAGS_FIXED);
	expect("#VC count", vc.count, 0);
	expect("#GP count", trap.count, 1);
}

/*
 * In head.S: executes CPUID function 0 in compatibility mode and returns EBX. CPUID may
 * raise #VC, so compat_cpuid() stores the addresses of the CPUID and of the next
 * instruction in vc, where the #VC handler needs them.
 */
u64 compat_cpuid(void);

CASE(compat, "vc-from-compatibility-mode", CASE_ES)
{
	expect("EBX of function 0", compat_cpuid(), VENDOR_EBX);
	expect("#VC count", vc.count, 1);
	expect("CS", vc.cs, 0x8);
}

/*
 * The IDT entry of #VC is an interrupt gate, so the processor clears RFLAGS.IF for the
 * handler. After the handler's IRET, IF must be set again.
 */
CASE(interrupts_off, "vc-clears-if", CASE_ES)
{
	u64 rflags;

	asm volatile("sti\n\t"
		     "movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n"
		     "1:\tcpuid\n2:\tpushfq; popq %0; cli"
		     : "=r"(rflags) : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	expect("IF after the instruction", rflags & RFLAGS_IF, RFLAGS_IF);
	expect("IF in the handler", vc.rflags & RFLAGS_IF, 0);
	expect("#VC count", vc.count, 1);
}

/* ---- Delivery that fails ---- */

/*
 * Executes CPUID with RSP = @rsp, a stack on which the processor may be unable to push
 * the frame of #VC. The handler of #VC, or of another armed exception, returns to the
 * instruction after CPUID, which restores the old RSP.
 */
static void cpuid_on_stack(u64 rsp)
{
	asm volatile("movq %%rsp, %0\n\t"
		     "movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n\t"
		     "movq $2f, %1\n\t"
		     "movq %2, %%rsp\n"
		     "1:\tcpuid\n"
		     "2:\tmovq %0, %%rsp"
		     : "+m"(deep_stack), "+m"(trap.resume)
		     : "r"(rsp), "a"(0), "c"(0)
		     : "rbx", "rdx", "memory");
}

/*
 * Executes CPUID on a stack whose page is not mapped, so that the delivery of #VC faults.
 * The exceptions @vector and @ist_also are delivered on an interrupt stack, which is mapped.
 * If @ist_also is 0, only @vector is delivered on that stack. @armed is the vector of the
 * exception that the handler records in trap.
 */
static void with_hole(u8 vector, u8 armed, u8 ist_also)
{
	u64 *pte = pte_of((u64)hole), old = *pte;

	*pte = 0;
	flush_tlb();
	trap_arm(armed);
	idt_use_ist(vector, IST_1);
	if (ist_also)
		idt_use_ist(ist_also, IST_1);
	cpuid_on_stack((u64)hole + PAGE_SIZE);
	idt_use_ist(vector, 0);
	if (ist_also)
		idt_use_ist(ist_also, 0);
	*pte = old;
	flush_tlb();
}

/*
 * The processor cannot write the frame of #VC and raises #PF. This is no double fault,
 * because the first exception, #VC, is no page fault (APM2 8.2.9). The #VC is lost, and
 * RIP in the frame of #PF is still the address of the CPUID.
 */
CASE(hole_pf, "vc-unmapped-stack", CASE_ES)
{
	with_hole(VECTOR_PF, VECTOR_PF, 0);
	expect("#VC count", vc.count, 0);
	expect("vector", trap.vector, VECTOR_PF);
	expect("error code", trap.error_code, PF_WRITE);
	if (trap.cr2 < (u64)hole || trap.cr2 >= (u64)hole + PAGE_SIZE)
		fail("CR2 is not in the stack's page");
	expect("RIP", trap.rip, vc.rip);
}

/*
 * CPUID raises #VC on a stack that is not mapped. The delivery of #VC raises
 * #PF, and the delivery of #PF on the same stack raises a second #PF. Two page
 * faults make a double fault (APM2 8.2.9).
 */
CASE(hole_df, "vc-unmapped-stack-double", CASE_ES)
{
	with_hole(VECTOR_DF, VECTOR_DF, 0);
	expect("#VC count", vc.count, 0);
	expect("vector", trap.vector, VECTOR_DF);
	expect("error code", trap.error_code, 0);
	expect("count", trap.count, 1);
}

/* CPUID with a #VC gate that is not present must raise #DF (APM2 8.2.9). */
CASE(no_gate, "vc-no-gate-double", CASE_ES)
{
	struct regs r = { 0 };

	trap_arm(VECTOR_DF);
	idt_set_present(VECTOR_VC, false);
	asm volatile("movq $1f, %0" : "=m"(trap.resume));
	asm volatile("cpuid\n1:" : "+a"(r.rax), "+c"(r.rcx)
		     : : "rbx", "rdx", "memory");
	idt_set_present(VECTOR_VC, true);
	expect("#VC count", vc.count, 0);
	expect("vector", trap.vector, VECTOR_DF);
	expect("error code", trap.error_code, 0);
}

/*
 * At CPL 0, the delivery of an exception by an IDT gate that leads to a code segment of
 * CPL 3 raises #GP with the selector as error code (APM2 8.7). If the exception that is
 * delivered is #VC, the #GP makes a double fault, and the processor must raise #DF instead
 * (APM2 8.2.9).
 */
CASE(gate_dpl, "vc-gate-to-user-code", CASE_ES)
{
	trap_arm(VECTOR_GP);
	trap_arm(VECTOR_DF);
	idt_set_selector(VECTOR_UD, SELECTOR_USER_CODE);
	hook2(HOOK_INJECT, VECTOR_UD, 0);
	idt_set_selector(VECTOR_UD, SELECTOR_CODE64);
	expect("vector", trap.vector, VECTOR_GP);
	expect("error code", trap.error_code,
	       (SELECTOR_USER_CODE & ~3ULL) | ERROR_EXT);

	idt_set_selector(VECTOR_VC, SELECTOR_USER_CODE);
	asm volatile("movq $1f, %0\n\tcpuid\n1:" : "=m"(trap.resume)
		     : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	idt_set_selector(VECTOR_VC, SELECTOR_CODE64);
	expect("#VC count", vc.count, 0);
	expect("vector", trap.vector, VECTOR_DF);
	expect("error code", trap.error_code, 0);
	expect("exceptions", trap.count, 2);
}

/*
 * The IDT gate of an exception names an interrupt stack, but the TSS's limit is too low
 * to contain that stack's pointer. The processor raises #TS (APM2 8.2.11). If the
 * exception that is delivered is #VC, the #TS makes a double fault, and the processor must
 * raise #DF instead (APM2 8.2.9).
 */
CASE(short_tss, "vc-short-tss", CASE_ES)
{
	struct regs r = { 0 };

	trap_arm(VECTOR_TS);
	trap_arm(VECTOR_DF);
	tss_load(TSS_LIMIT_BEFORE_IST);
	idt_use_ist(VECTOR_UD, IST_1);
	hook2(HOOK_INJECT, VECTOR_UD, 0);
	idt_use_ist(VECTOR_UD, 0);
	expect("vector", trap.vector, VECTOR_TS);
	expect("error code", trap.error_code, SELECTOR_TSS | ERROR_EXT);

	idt_use_ist(VECTOR_VC, IST_1);
	asm volatile("movq $1f, %0\n\tcpuid\n1:"
		     : "=m"(trap.resume), "+a"(r.rax), "+c"(r.rcx)
		     : : "rbx", "rdx", "memory");
	idt_use_ist(VECTOR_VC, 0);
	tss_load(TSS_LIMIT);
	expect("#VC count", vc.count, 0);
	expect("vector", trap.vector, VECTOR_DF);
	expect("exceptions", trap.count, 2);
}

/*
 * Without gates for #VC and #DF, CPUID makes a triple fault, which terminates the
 * guest.
 */
CASE(ends_no_gate, "ends-no-gate", CASE_ES | CASE_ENDS)
{
	struct regs r = { 0 };

	idt_set_present(VECTOR_VC, false);
	idt_set_present(VECTOR_DF, false);
	insn_cpuid(&r);
}

/*
 * Without gates for #VC and #DF, OUT makes a triple fault, which terminates the guest. A
 * kernel without a #VC handler ends like this, because it executes OUT early.
 */
CASE(ends_no_gate_out, "ends-no-gate-out", CASE_ES | CASE_ENDS)
{
	idt_set_present(VECTOR_VC, false);
	idt_set_present(VECTOR_DF, false);
	asm volatile("outb %%al, $0x80" : : "a"(0));
}

/*
 * Without an IDT, INT3 makes a triple fault. sevemu's message about it must name the
 * breakpoint, because EDK2's firmware executes INT3 when an assertion fails.
 */
CASE(ends_breakpoint, "ends-breakpoint", CASE_ES | CASE_ENDS)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; int3" : : "m"(none));
}

CASE(ends_no_idt, "ends-no-idt", CASE_ES | CASE_ENDS)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };
	struct regs r = { 0 };

	asm volatile("lidt %0" : : "m"(none));
	insn_cpuid(&r);
}

CASE(ends_stack, "ends-bad-stack", CASE_ES | CASE_ENDS)
{
	*pte_of((u64)hole) = 0;
	flush_tlb();
	cpuid_on_stack((u64)hole + PAGE_SIZE);
}

/* ---- Exceptions from the hypervisor ---- */

/*
 * The test hook HOOK_INJECT makes sevemu inject #GP and then #UD. Each must arrive with
 * its vector and error code.
 */
CASE(injected, "injected-exceptions", 0)
{
	trap_arm(VECTOR_GP);
	trap_arm(VECTOR_UD);
	hook2(HOOK_INJECT, VECTOR_GP, 0x1234);
	expect("vector", trap.vector, VECTOR_GP);
	expect("error code", trap.error_code, 0x1234);
	hook2(HOOK_INJECT, VECTOR_UD, 0);
	expect("vector", trap.vector, VECTOR_UD);
	expect("count", trap.count, 2);
}

static void user_misaligned(void)
{
	static u64 words[2];

	asm volatile("movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n"
		     "1:\tmovl 1(%0), %%eax\n2:" : : "r"(words)
		     : "rax", "memory");
	user_return();
}

/*
 * With CR0.AM and RFLAGS.AC set, a misaligned access at CPL 3 raises #AC. The test hook
 * HOOK_INTERCEPT makes sevemu intercept #AC, so that the guest gets #VC with the exit code
 * of #AC instead. QEMU's processor may not implement #AC, so the case does not fail if
 * there is no #VC.
 */
CASE(ac, "ac-intercepted", CASE_ES)
{
	u64 old = hook(HOOK_INTERCEPT, HOOK_INTERCEPT_AC), cr0;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_AM));
	vc.skip = true;
	user_run(user_misaligned, RFLAGS_FIXED | RFLAGS_AC);
	asm volatile("mov %0, %%cr0" : : "r"(cr0));
	hook(HOOK_INTERCEPT, old);
	note("#VC count", vc.count);
	if (vc.count)
		expect("error code", vc.error_code, VC_ERROR_AC);
}

CASE(ac_injected, "ac-injected", CASE_ES)
{
	u64 result;

	/*
	 * HOOK_INJECT injects a #VC with the exit code of an intercepted #AC, because
	 * QEMU's processor raises no #AC.
	 */
	vc.skip = true;
	asm volatile("movq $1f, vc(%%rip)\n\tmovq $1f, vc + 8(%%rip)\n\t"
		     "vmmcall\n1:"
		     : "=a"(result)
		     : "a"(HOOK_MAGIC), "c"(HOOK_INJECT), "d"(VECTOR_VC),
		       "S"(VC_ERROR_AC) : "memory");
	expect("#VC count", vc.count, 1);
	expect("error code", vc.error_code, VC_ERROR_AC);

	/* An #AC that the hypervisor injects must arrive as #AC, and not as #VC. */
	trap_arm(VECTOR_AC);
	hook2(HOOK_INJECT, VECTOR_AC, 0);
	expect("vector", trap.vector, VECTOR_AC);
	expect("error code", trap.error_code, 0);
}
