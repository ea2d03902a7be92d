/* SPDX-License-Identifier: MIT */
/*
 * cases_events.c - exceptions and interrupts whose stack frame the processor writes to
 * a page that is shared at that moment; NMIs; and the interrupts of the local APIC's
 * timer.
 */
#include "guest.h"

#define RFLAGS_FIXED		0x2
#define IST_1			1
#define VENDOR_EBX		0x68747541	/* "Auth" of AuthenticAMD */
#define LAPIC			0xfee00000ULL
#define LAPIC_EOI		0xb0
#define LAPIC_SPURIOUS		0xf0
/* The word of the local APIC's interrupt request register whose bit 0 is for VECTOR_TIMER. */
#define LAPIC_IRR_TIMER		0x220
#define LAPIC_LVT_TIMER		0x320
#define LAPIC_TIMER_COUNT	0x380
#define LAPIC_TIMER_DIVIDE	0x3e0
#define LAPIC_ENABLE		0x1ff
#define LAPIC_DIVIDE_BY_1	0xb
#define LAPIC_LVT_MASKED	0x10000
/* Numbers of nanoseconds after which the timer raises its interrupt. */
#define TICKS_SOON		1000
#define TICKS_LATER		20000000

/* ---- Exception frames on a shared page ---- */

/*
 * Makes the page of the interrupt stack ist_stack shared. The processor writes an
 * exception's frame through the private view (C-bit set). A frame to a shared page
 * makes a nested page fault in the middle of the delivery. sevemu turns the page
 * private, and must then deliver the same exception again, exactly once.
 */
static void share_ist_stack(void)
{
	(void)shared(ist_stack + PAGE_SIZE - 8)[0];
	expect("state of the stack",
	       hook(HOOK_FRAME_STATE, (u64)ist_stack), HOOK_FRAME_SHARED);
}

/*
 * Makes the gate of @vector use the current stack again. Checks that the exception or
 * interrupt @vector was delivered exactly once, with @error_code, on the interrupt stack,
 * and that this stack's page is private again.
 */
static void delivered_once(u8 vector, u64 error_code)
{
	idt_use_ist(vector, 0);
	expect("exceptions", trap.count, 1);
	expect("vector", trap.vector, vector);
	expect("error code", trap.error_code, error_code);
	expect("frame on the IST stack", trap.frame,
	       (u64)ist_stack + PAGE_SIZE - sizeof(struct frame));
	expect("state of the stack",
	       hook(HOOK_FRAME_STATE, (u64)ist_stack), HOOK_FRAME_PRIVATE);
	trap_reset();
}

CASE(requeue_fault, "fault-to-shared-stack", CASE_SEV)
{
	trap_arm(VECTOR_GP);
	idt_use_ist(VECTOR_GP, IST_1);
	share_ist_stack();
	asm volatile("movq $1f, %0\n\tmov %1, %%fs\n1:"
		     : "=m"(trap.resume) : "r"(0x1230) : "memory");
	delivered_once(VECTOR_GP, 0x1230);
}

CASE(requeue_int, "int-to-shared-stack", CASE_SEV)
{
	u64 behind;

	trap_arm(VECTOR_TIMER);
	idt_use_ist(VECTOR_TIMER, IST_1);
	share_ist_stack();
	asm volatile("int %1\n1:\tleaq 1b(%%rip), %0"
		     : "=r"(behind) : "i"(VECTOR_TIMER) : "memory");
	expect("RIP of the frame", trap.rip, behind);
	delivered_once(VECTOR_TIMER, 0);
}

CASE(requeue_vc, "vc-to-shared-stack", CASE_ES | CASE_NOT_SNP)
{
	struct regs r = { 0 };

	idt_use_ist(VECTOR_VC, IST_1);
	share_ist_stack();
	insn_cpuid(&r);
	idt_use_ist(VECTOR_VC, 0);
	expect("#VC count", vc.count, 1);
	expect("EBX of function 0", r.rbx, VENDOR_EBX);
}

/* ---- NMI ---- */

/*
 * Sends the request "NMI complete", after which the hypervisor may inject the next NMI
 * (GHCB 4.1). Returns RESULT_*.
 */
static u64 nmi_complete(void)
{
	ghcb_begin(SVM_VMGEXIT_NMI_COMPLETE, 0, 0);
	return ghcb_go();
}

CASE(nmi, "nmi", CASE_ES)
{
	trap_arm(VECTOR_NMI);
	hook(HOOK_NMI, 0);
	expect("NMIs", trap.count, 1);
	expect("vector", trap.vector, VECTOR_NMI);
	expect("state after the first", hook(HOOK_NMI_STATE, 0), 2);
	/*
	 * The hypervisor cannot see the IRET of an SEV-ES guest's NMI handler. NMIs
	 * stay masked until the guest sends the request "NMI complete" (GHCB 4.1).
	 */
	hook(HOOK_NMI, 0);
	expect("NMIs while masked", trap.count, 1);
	expect("state while masked", hook(HOOK_NMI_STATE, 0), 3);
	expect("result of NMI complete", nmi_complete(), RESULT_DONE);
	expect("NMIs after NMI complete", trap.count, 2);
	expect("state after the second", hook(HOOK_NMI_STATE, 0), 2);
	expect("result of NMI complete", nmi_complete(), RESULT_DONE);
	expect("state at the end", hook(HOOK_NMI_STATE, 0), 0);
	expect("#VC count", vc.count, 0);
	expect("result of one NMI complete too many", nmi_complete(),
	       RESULT_DONE);
}

CASE(nmi_stack, "nmi-to-shared-stack", CASE_ES | CASE_NOT_SNP)
{
	trap_arm(VECTOR_NMI);
	idt_use_ist(VECTOR_NMI, IST_1);
	share_ist_stack();
	hook(HOOK_NMI, 0);
	delivered_once(VECTOR_NMI, 0);
	nmi_complete();
	expect("NMIs left", trap.count, 0);
}

/*
 * Runs at CPL 3: makes sevemu inject an NMI, by the hook HOOK_NMI. sevemu's hooks may
 * be called at any CPL.
 */
static void user_nmi(void)
{
	struct regs r = { .rax = HOOK_MAGIC, .rcx = HOOK_NMI };

	insn_vmmcall(&r);
	user_return();
}

CASE(nmi_user, "nmi-from-user", CASE_ES)
{
	trap_arm(VECTOR_NMI);
	user_run(user_nmi, RFLAGS_FIXED);
	expect("NMIs", trap.count, 1);
	expect("frame on the TSS's stack", trap.frame,
	       (u64)user_exit_stack + PAGE_SIZE - sizeof(struct frame));
	nmi_complete();
}

/* ---- Interrupts ---- */

static void lapic_write(u32 offset, u32 value)
{
	struct regs r = { .rax = value, .rbx = LAPIC + offset };

	insn_mmio_write(&r);
}

/*
 * Starts the local APIC's timer, which raises interrupt VECTOR_TIMER once, after @ticks
 * nanoseconds.
 */
static void timer_start(u32 ticks)
{
	lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE);
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	trap_arm(VECTOR_TIMER);
	lapic_write(LAPIC_TIMER_COUNT, ticks);
}

/*
 * Executes HLT and waits for the timer's interrupt. HLT is an automatic exit (APM2
 * 15.35.4), so neither HLT nor the interrupt may raise #VC.
 */
static void halt_for_timer(void)
{
	u64 exceptions = vc.count;

	asm volatile("sti; hlt; cli");
	expect("#VC count of HLT and the interrupt", vc.count - exceptions, 0);
	expect("interrupts", trap.count, 1);
	expect("vector", trap.vector, VECTOR_TIMER);
	lapic_write(LAPIC_EOI, 0);
	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
}

CASE(halt, "hlt-wakes", 0)
{
	timer_start(TICKS_LATER);
	halt_for_timer();
}

CASE(interrupt_stack, "interrupt-to-shared-stack", CASE_SEV)
{
	idt_use_ist(VECTOR_TIMER, IST_1);
	timer_start(TICKS_LATER);
	share_ist_stack();
	asm volatile("sti; hlt; cli");
	delivered_once(VECTOR_TIMER, 0);
	lapic_write(LAPIC_EOI, 0);
	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
}

/*
 * The timer's interrupt is already pending when STI is executed. The processor delivers
 * no interrupt before the instruction after STI, which is HLT (APM3, "STI"). The
 * interrupt must end the HLT.
 */
CASE(halt_pending, "hlt-interrupt-pending", 0)
{
	struct regs r = { .rbx = LAPIC + LAPIC_IRR_TIMER };

	timer_start(TICKS_SOON);
	do
		insn_mmio_read(&r);
	while (!(r.rax & 1));
	halt_for_timer();
}
