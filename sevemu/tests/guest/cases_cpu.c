/* SPDX-License-Identifier: MIT */
/*
 * How #VC is delivered (through the guest's own gates, by the rules for any
 * exception), what NMIs do, which exits a guest never sees, and the processor
 * that CPUID shows.
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
#define LAPIC			0xfee00000ULL
#define LAPIC_EOI		0xb0
#define LAPIC_SPURIOUS		0xf0
#define LAPIC_IRR_TIMER		0x220	/* bit 0: VECTOR_TIMER */
#define LAPIC_LVT_TIMER		0x320
#define LAPIC_TIMER_COUNT	0x380
#define LAPIC_TIMER_DIVIDE	0x3e0
#define LAPIC_ENABLE		0x1ff
#define LAPIC_DIVIDE_BY_1	0xb
#define LAPIC_LVT_MASKED	0x10000
#define TICKS_SOON		1000		/* 1 us */
#define TICKS_LATER		20000000	/* 20 ms */
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_FS_BASE		0xc0000100
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_SYSENTER_EIP	0x176
#define KERNEL_VA		0xffffffff80000000ULL
#define KVM_ENOSYS		(-1000LL)
#define CR0_TS			0x8
#define CR0_AM			0x40000
#define CR4_PGE			0x80
#define CR4_OSXSAVE		0x40000
#define XCR0_X87_SSE		3

INSN(cpuid, "cpuid")
INSN(inb, "inb %%dx, %%al")
INSN(outb, "outb %%al, %%dx")
INSN(rdmsr, "rdmsr")
INSN(wrmsr, "wrmsr")
INSN(vmmcall, "vmmcall")
INSN(vmgexit, "rep; vmmcall")
INSN(mmio_read, "movl (%%rdi), %%eax")
INSN(mmio_write, "movl %%eax, (%%rdi)")

static ALIGNED_PAGE u8 hole[PAGE_SIZE];
static struct regs user_regs;
static u64 deep_stack;

/* ---- Delivery ---- */

CASE(same_stack, "vc-same-stack", CASE_ES)
{
	u64 rsp;

	/* From a stack that is not aligned, which the frame always is. */
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
	expect("EBX of function 0", r.rbx, 0x68747541);
}

static NORETURN void user_end(void)
{
	asm volatile("int %0" : : "i"(VECTOR_USER_END));
	__builtin_unreachable();
}

static void user_cpuid(void)
{
	insn_cpuid(&user_regs);
	user_end();
}

CASE(user, "vc-from-user", CASE_ES)
{
	user_regs = (struct regs){ 0 };
	user_run(user_cpuid, RFLAGS_FIXED);
	expect("#VC count", vc.count, 1);
	expect("CPL of the frame", vc.cs & 3, 3);
	expect("frame on the TSS's stack", vc.frame,
	       (u64)user_exit_stack + PAGE_SIZE - sizeof(struct frame));
	expect("EBX of function 0", user_regs.rbx, 0x68747541);
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
	user_end();
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
	user_end();
}

CASE(user_iopl, "io-from-user", CASE_ES)
{
	user_regs = (struct regs){ .rdx = UART_SCRATCH };
	user_run(user_io, RFLAGS_FIXED | RFLAGS_IOPL_3);
	expect("#VC count with IOPL 3", vc.count, 1);
	expect("error code", vc.error_code, SVM_EXIT_IOIO);

	/* Without the right, #GP comes before the intercept (APM2 15.7). */
	vc.count = 0;
	trap_arm(VECTOR_GP);
	trap.resume = (u64)user_end;
	user_run(user_io, RFLAGS_FIXED);
	expect("#VC count with IOPL 0", vc.count, 0);
	expect("#GP count with IOPL 0", trap.count, 1);
}

static void user_msr(void)
{
	insn_rdmsr(&user_regs);
	user_end();
}

CASE(user_rdmsr, "rdmsr-from-user", CASE_ES)
{
	user_regs = (struct regs){ .rcx = 0x1b };
	trap_arm(VECTOR_GP);
	trap.resume = (u64)user_end;
	user_run(user_msr, RFLAGS_FIXED);
	expect("#VC count", vc.count, 0);
	expect("#GP count", trap.count, 1);
}

u64 compat_cpuid(void);

CASE(compat, "vc-from-compatibility-mode", CASE_ES)
{
	expect("EBX of function 0", compat_cpuid(), 0x68747541);
	expect("#VC count", vc.count, 1);
	expect("CS", vc.cs, 0x8);
}

CASE(interrupts_off, "vc-clears-if", CASE_ES)
{
	u64 rflags;

	asm volatile("sti\n\t"
		     "movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n"
		     "1:\tcpuid\n2:\tpushfq; popq %0; cli"
		     : "=r"(rflags) : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	expect("IF behind the instruction", rflags & RFLAGS_IF, RFLAGS_IF);
	expect("IF in the handler", vc.rflags & RFLAGS_IF, 0);
	expect("#VC count", vc.count, 1);
}

/* Executes CPUID with RSP = @rsp, and comes back however that ends. */
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

/* #PF in delivery of #VC: contributory, then page fault: one by one. */
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

/* ... and #PF in delivery of #PF is the double fault. */
CASE(hole_df, "vc-unmapped-stack-double", CASE_ES)
{
	with_hole(VECTOR_DF, VECTOR_DF, 0);
	expect("#VC count", vc.count, 0);
	expect("vector", trap.vector, VECTOR_DF);
	expect("error code", trap.error_code, 0);
	expect("count", trap.count, 1);
}

/* #NP in delivery of #VC: both contributory, so the double fault. */
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
 * A gate never leads to a higher CPL (APM2 8.7): #GP with the selector, and
 * in delivery of #VC that is the double fault.
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

/* A TSS too short for the stack that is asked of it: #TS (APM2 8.2). */
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

CASE(ends_no_gate, "ends-no-gate", CASE_ES | CASE_ENDS)
{
	struct regs r = { 0 };

	idt_set_present(VECTOR_VC, false);
	idt_set_present(VECTOR_DF, false);
	insn_cpuid(&r);
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

/* An exception that the host makes up arrives as what it is. */
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
	user_end();
}

/*
 * #AC needs CR0.AM, EFLAGS.AC and CPL 3. QEMU's processor never raises it;
 * where one does, it must be #VC.
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

	/* A host can make up any #VC, so tests of handlers can, too. */
	vc.skip = true;
	asm volatile("movq $1f, vc(%%rip)\n\tmovq $1f, vc + 8(%%rip)\n\t"
		     "vmmcall\n1:"
		     : "=a"(result)
		     : "a"(HOOK_MAGIC), "c"(HOOK_INJECT), "d"(VECTOR_VC),
		       "S"(VC_ERROR_AC) : "memory");
	expect("#VC count", vc.count, 1);
	expect("error code", vc.error_code, VC_ERROR_AC);

	trap_arm(VECTOR_AC);
	hook2(HOOK_INJECT, VECTOR_AC, 0);
	expect("vector", trap.vector, VECTOR_AC);
	expect("error code", trap.error_code, 0);
}

/*
 * Events whose frame goes to a page that is shared at that moment: the nested
 * page fault comes in the middle of delivery, which must go on with the same
 * event afterwards, once.
 */
static void share_ist_stack(void)
{
	(void)shared(ist_stack + PAGE_SIZE - 8)[0];
	expect("state of the stack",
	       hook(HOOK_FRAME_STATE, (u64)ist_stack), HOOK_FRAME_SHARED);
}

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

CASE(requeue_vc, "vc-to-shared-stack", CASE_ES)
{
	struct regs r = { 0 };

	idt_use_ist(VECTOR_VC, IST_1);
	share_ist_stack();
	insn_cpuid(&r);
	idt_use_ist(VECTOR_VC, 0);
	expect("#VC count", vc.count, 1);
	expect("EBX of function 0", r.rbx, 0x68747541);
}

/* ---- NMI ---- */

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
	/* The handler's IRET does not end the mask: the host cannot see it. */
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

CASE(nmi_stack, "nmi-to-shared-stack", CASE_ES)
{
	trap_arm(VECTOR_NMI);
	idt_use_ist(VECTOR_NMI, IST_1);
	share_ist_stack();
	hook(HOOK_NMI, 0);
	delivered_once(VECTOR_NMI, 0);
	nmi_complete();
	expect("NMIs left", trap.count, 0);
}

CASE(nmi_user, "nmi-from-user", CASE_ES)
{
	trap_arm(VECTOR_NMI);
	user_regs = (struct regs){ .rax = HOOK_MAGIC, .rcx = HOOK_NMI };
	user_run(user_vmmcall, RFLAGS_FIXED);
	expect("NMIs", trap.count, 1);
	expect("frame on the TSS's stack", trap.frame,
	       (u64)user_exit_stack + PAGE_SIZE - sizeof(struct frame));
	nmi_complete();
}

/* ---- Automatic exits ---- */

CASE(control, "control-registers", 0)
{
	u64 cr0, cr3, cr4, value;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_TS));
	asm volatile("mov %%cr0, %0" : "=r"(value));
	expect("CR0.TS set", value & CR0_TS, CR0_TS);
	asm volatile("clts");
	asm volatile("mov %%cr0, %0" : "=r"(value));
	expect("CR0.TS cleared", value & CR0_TS, 0);
	asm volatile("mov %0, %%cr0" : : "r"(cr0));
	asm volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PGE) : "memory");
	asm volatile("mov %%cr4, %0" : "=r"(value));
	expect("CR4", value, cr4 | CR4_PGE);
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	asm volatile("mov %%cr3, %0" : "=r"(value));
	expect("CR3", value, cr3);
	asm volatile("mov %0, %%cr2" : : "r"(0x123456789ULL));
	asm volatile("mov %%cr2, %0" : "=r"(value));
	expect("CR2", value, 0x123456789);
	asm volatile("mov %0, %%cr8" : : "r"(3ULL));
	asm volatile("mov %%cr8, %0" : "=r"(value));
	expect("CR8", value, 3);
	asm volatile("mov %0, %%cr8" : : "r"(0ULL));
	asm volatile("invlpg (%0); pause" : : "r"(hole) : "memory");
	expect("#VC count", vc.count, 0);
}

CASE(efer, "efer", 0)
{
	u64 old = rdmsr(MSR_EFER);

	expect("LME and LMA", old & 0x500, 0x500);
	wrmsr(MSR_EFER, old | EFER_SCE);
	expect("SCE set", rdmsr(MSR_EFER), old | EFER_SCE);
	wrmsr(MSR_EFER, old & ~(u64)EFER_SCE);
	expect("SCE cleared", rdmsr(MSR_EFER), old & ~(u64)EFER_SCE);
	wrmsr(MSR_EFER, old);
	expect("#VC count", vc.count, 0);
}

/* LME cannot change while paging is on (APM2 14.6). */
CASE(efer_lme, "efer-lme-paging", 0)
{
	u64 old = rdmsr(MSR_EFER);

	trap_arm(VECTOR_GP);
	asm volatile("movq $1f, %0\n\twrmsr\n1:" : "=m"(trap.resume)
		     : "c"(MSR_EFER), "a"(old & ~(u64)EFER_LME), "d"(0)
		     : "memory");
	expect("#GP count", trap.count, 1);
	expect("error code", trap.error_code, 0);
	expect("EFER", rdmsr(MSR_EFER), old);
	expect("#VC count", vc.count, 0);
}

CASE(vmsa_msrs, "vmsa-msrs", 0)
{
	static const u32 msrs[] = { MSR_STAR, MSR_LSTAR, MSR_FS_BASE,
				    MSR_KERNEL_GS_BASE, MSR_SYSENTER_EIP };
	unsigned int i;
	u64 old;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		old = rdmsr(msrs[i]);
		wrmsr(msrs[i], 0x12345000 + i);
		expect("MSR", rdmsr(msrs[i]), 0x12345000 + i);
		wrmsr(msrs[i], old);
	}
	expect("#VC count", vc.count, 0);
}

CASE(xsetbv, "xsetbv", 0)
{
	struct regs r = { .rax = 0xd };
	u64 cr4;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE) : "memory");
	asm volatile("xsetbv" : : "a"(XCR0_X87_SSE), "d"(0), "c"(0));
	expect("#VC count", vc.count, 0);
	insn_cpuid(&r);
	expect("size for XCR0 = x87 and SSE", r.rbx, 0x240);
	r = (struct regs){ .rax = 1 };
	insn_cpuid(&r);
	expect("OSXSAVE in CPUID", r.rcx >> 27 & 1, 1);
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	r = (struct regs){ .rax = 1 };
	insn_cpuid(&r);
	expect("OSXSAVE in CPUID, switched off", r.rcx >> 27 & 1, 0);
}

static void lapic_write(u32 offset, u32 value)
{
	struct regs r = { .rax = value, .rdi = LAPIC + offset };

	insn_mmio_write(&r);
}

static void timer_start(u32 ticks)
{
	lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE);
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	trap_arm(VECTOR_TIMER);
	lapic_write(LAPIC_TIMER_COUNT, ticks);
}

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

/* The interrupt is there already, but STI holds it back until HLT sleeps. */
CASE(halt_pending, "hlt-interrupt-pending", 0)
{
	struct regs r = { .rdi = LAPIC + LAPIC_IRR_TIMER };

	timer_start(TICKS_SOON);
	do
		insn_mmio_read(&r);
	while (!(r.rax & 1));
	halt_for_timer();
}

/* ---- The processor ---- */

static struct regs cpuid(u32 function)
{
	struct regs r = { .rax = function };

	insn_cpuid(&r);
	return r;
}

CASE(view_sev, "cpuid-sev", 0)
{
	struct regs r = cpuid(CPUID_SEV);
	u64 bits = machine.sev == SEV_ES ? 0xa : machine.sev == SEV_PLAIN ? 2 : 0;

	expect("SEV and SEV-ES", r.rax & 0x1e, bits);
	if (machine.sev == SEV_OFF)
		return;
	expect("C-bit position", r.rbx & 0x3f, machine.cbit);
	expect("address bits lost", r.rbx >> 6 & 0x3f, 1);
	if ((cpuid(0x80000008).rax & 0xff) > machine.cbit)
		fail("the C-bit lies among the physical address bits");
	expect("SEV_STATUS", rdmsr(MSR_SEV_STATUS),
	       machine.sev == SEV_ES ? 3 : 1);
}

CASE(view_max, "cpuid-max", 0)
{
	struct regs r = cpuid(0x80000000);

	if ((u32)r.rax < (machine.sev ? CPUID_SEV : 0x80000008))
		fail("the highest extended function is too low");
}

CASE(view_svm, "cpuid-svm-hidden", 0)
{
	struct regs r = cpuid(0x8000000a);

	expect("SVM", cpuid(0x80000001).rcx & 4, 0);
	expect("SVM revision and features", r.rax | r.rbx | r.rdx, 0);
}

CASE(view_hypervisor, "cpuid-hypervisor", 0)
{
	struct regs r = cpuid(0x40000000);

	expect("hypervisor bit", cpuid(1).rcx >> 31 & 1, 1);
	/* "KVMKVMKVM" */
	expect("signature, EBX", r.rbx, 0x4b4d564b);
	expect("signature, ECX", r.rcx, 0x564b4d56);
	expect("signature, EDX", r.rdx, 0x4d);
}

CASE(view_la57, "cpuid-la57", 0)
{
	struct regs r = { .rax = 7 };

	insn_cpuid(&r);
	expect("LA57", r.rcx >> 16 & 1, machine.la57);
	expect("bits of a linear address", cpuid(0x80000008).rax >> 8 & 0xff,
	       machine.la57 ? 57 : 48);
}

/* Whether the processor has it or not: not in long mode. */
CASE(cr4_la57, "cr4-la57-long-mode", 0)
{
	u64 cr4;

	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	trap_arm(VECTOR_GP);
	asm volatile("movq $1f, %0" : "=m"(trap.resume));
	asm volatile("movq %0, %%cr4\n1:" : : "r"(cr4 ^ 1 << 12) : "memory");
	expect("#GP", trap.count, 1);
	asm volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");
}

/* CPUID has no SVM, so its instructions are none. */
#define NOT_AN_INSTRUCTION(text) do {					\
	trap.count = 0;							\
	asm volatile("movq $1f, %0" : "=m"(trap.resume));		\
	asm volatile(text "\n1:" : : "a"(0) : "memory");		\
	expect("#UD count of " text, trap.count, 1);			\
} while (0)

CASE(svm, "svm-instructions", 0)
{
	trap_arm(VECTOR_UD);
	NOT_AN_INSTRUCTION("vmrun %%rax");
	NOT_AN_INSTRUCTION("vmload %%rax");
	NOT_AN_INSTRUCTION("vmsave %%rax");
	NOT_AN_INSTRUCTION("stgi");
	NOT_AN_INSTRUCTION("clgi");
	NOT_AN_INSTRUCTION("skinit %%eax");
	NOT_AN_INSTRUCTION("invlpga %%rax, %%ecx");
	expect("#VC count", vc.count, 0);
}

/* Without SEV-ES nothing is a #VC. */
CASE(no_vc, "no-vc-without-es", 0)
{
	struct regs r = { .rdx = UART_SCRATCH, .rax = 0x33 };

	if (machine.sev == SEV_ES)
		return;
	insn_outb(&r);
	r.rax = 0;
	insn_inb(&r);
	expect("what was written", r.rax, 0x33);
	r.rcx = 0x1b;
	insn_rdmsr(&r);
	expect("APIC base", r.rax & ~0xfffULL, LAPIC);
	insn_wrmsr(&r);
	cpuid(0);
	expect("#VC count", vc.count, 0);
	/* VMMCALL, and VMGEXIT is the same without SEV-ES (APM2 15.35.6). */
	r.rax = 0x7fff;
	insn_vmmcall(&r);
	expect("answer to an unknown hypercall", r.rax, (u64)KVM_ENOSYS);
	r.rax = 0x7fff;
	insn_vmgexit(&r);
	expect("answer to it as VMGEXIT", r.rax, (u64)KVM_ENOSYS);
}

/* ---- What the report counts ---- */

void marker_point(void);

/* For --marker and the HOOK_MARK: three exits before, two behind. */
CASE(marker, "marker", CASE_ES)
{
	cpuid(0);
	cpuid(0);
	cpuid(0);
	marker_point();
	cpuid(0);
	cpuid(0);
}

CASE(mark, "hook-mark", CASE_ES)
{
	cpuid(0);
	hook(HOOK_MARK, 0);
	cpuid(0);
	cpuid(0);
}

/* The last 2 GiB, where kernels live: the same memory at its top. */
CASE(kernel_va, "kernel-va", CASE_ES)
{
	static ALIGNED_PAGE u64 high_pdpt[PTRS];
	const u64 flags = PTE_P | PTE_RW | machine.cmask;
	u64 cr3, *pml4, *pdpt;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	pml4 = (u64 *)(cr3 & ~machine.cmask & ~0xfffULL);
	pdpt = (u64 *)(pml4[0] & ~machine.cmask & ~0xfffULL);
	high_pdpt[PTRS - 2] = pdpt[0];
	pml4[PTRS - 1] = (u64)high_pdpt | flags;
	flush_tlb();
	cpuid(0);
	cpuid(0);
	asm volatile("movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n\t"
		     "movq %0, %%rax\n\t"
		     "addq %%rax, vc(%%rip)\n\taddq %%rax, vc + 8(%%rip)\n\t"
		     "addq $1f, %%rax\n\txorl %%ecx, %%ecx\n\tjmp *%%rax\n"
		     "1:\tcpuid\n"
		     "2:\tmovq $3f, %%rax\n\tjmp *%%rax\n3:"
		     : : "i"(KERNEL_VA) : "rax", "rbx", "rcx", "rdx", "memory");
	cpuid(0);
	expect("#VC count", vc.count, 4);
	pml4[PTRS - 1] = 0;
	flush_tlb();
}
