/* SPDX-License-Identifier: MIT */
/*
 * cases_processor.c - tests operations that raise no #VC in an SEV-ES guest, because they
 * cause an automatic exit or are not intercepted. Also tests what CPUID tells the guest
 * about its processor, and that SVM's instructions raise #UD.
 */
#include "guest.h"

#define UART_SCRATCH		0x3ff
#define LAPIC			0xfee00000ULL
#define MSR_APIC_BASE		0x1b
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_FS_BASE		0xc0000100
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_SYSENTER_EIP	0x176
#define KVM_ENOSYS		(-1000LL)
#define CR0_MP			0x2
#define CR0_EM			0x4
#define CR0_TS			0x8
#define CR0_MSW			0xf
#define CR4_PAE			0x20
#define CR4_PGE			0x80
#define CR4_LA57		0x1000
#define CR4_OSXSAVE		0x40000
/*
 * After 64 writes of CR3 and CR4 in a row that change nothing, sevemu no longer
 * intercepts these writes of an SEV-ES guest. CR_MANY is a greater number.
 */
#define CR_MANY			100
#define XCR0_X87_SSE		3

/* ---- Automatic exits ---- */

static u64 read_cr0(void)
{
	u64 value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

/* Fails the case unless CR0's low four bits (PE, MP, EM and TS) are PE | @bits. */
static void expect_msw(const char *what, u64 bits)
{
	expect(what, read_cr0() & CR0_MSW, 1 | bits);
}

/*
 * Each form of each instruction that writes CR0 must have its effect and must not
 * raise #VC. LMSW takes its operand from a register or from memory, and cannot clear
 * PE. The processor ignores ModRM.mod of MOV to CR0.
 */
CASE(cr0_forms, "cr0-forms", 0)
{
	static u16 words[4] __attribute__((used)) = { CR0_MP, CR0_EM, CR0_TS, 0 };
	u64 cr0 = read_cr0();
	u16 msw;

	asm volatile("lmsw %w0" : : "r"(CR0_MP));
	expect_msw("LMSW of a register", CR0_MP);
	asm volatile("smsw %w0" : "=r"(msw));
	expect("SMSW to a register", msw & CR0_MSW, 1 | CR0_MP);
	asm volatile("lmsw %w0" : : "r"(0));
	expect_msw("LMSW without PE", 0);
	asm volatile("movl %0, %%r9d; lmsw %%r9w" : : "i"(CR0_EM) : "r9");
	expect_msw("LMSW of R9", CR0_EM);

	asm volatile("lmsw %c0(%%rip)" : : "i"(words));
	expect_msw("LMSW, RIP-relative", CR0_MP);
	asm volatile("lmsw 2(%0)" : : "r"(words));
	expect_msw("LMSW, disp8", CR0_EM);
	asm volatile("mov %0, %%r13; lmsw (%%r13)" : : "r"(words) : "r13");
	expect_msw("LMSW, R13", CR0_MP);
	asm volatile("lmsw 0x7fffffc(%0)" : : "r"((u64)words - 0x7fffff8));
	expect_msw("LMSW, disp32", CR0_TS);
	asm volatile("clts");
	expect_msw("CLTS", 0);
	asm volatile("lmsw -4(%0,%1,2)" : : "r"(words), "r"(3ULL));
	expect_msw("LMSW, SIB", CR0_EM);
	asm volatile("lmsw %c0(,%1,8)" : : "i"(words), "r"(0ULL));
	expect_msw("LMSW, SIB without base", CR0_MP);
	asm volatile("mov %0, %%r12; lmsw 6(%%r12)" : : "r"(words) : "r12");
	expect_msw("LMSW, R12", 0);
	asm volatile("lmsw (%k0)" : : "r"(words));
	expect_msw("LMSW, 32-bit address", CR0_MP);
	asm volatile("push %0; lmsw (%%rsp); pop %0" : : "r"((u64)CR0_EM));
	expect_msw("LMSW, RSP", CR0_EM);
	asm volatile("smsw %0" : "=m"(msw));
	expect("SMSW to memory", msw & CR0_MSW, 1 | CR0_EM);

	/*
	 * Write CR0 by MOV from RAX, which is encoded with ModRM.mod 0, then by MOV from
	 * R8.
	 */
	asm volatile(".byte 0x0f, 0x22, 0x00" : : "a"(cr0 | CR0_TS));
	expect_msw("MOV, ModRM.mod 0", (cr0 & CR0_MSW & ~1ULL) | CR0_TS);
	asm volatile("mov %0, %%r8; mov %%r8, %%cr0" : : "r"(cr0) : "r8");
	expect("CR0 is as before", read_cr0(), cr0);
	expect("#VC count", vc.count, 0);
}

/*
 * Moves to and from control registers must not raise #VC, and the registers must hold
 * what was written.
 */
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
	asm volatile("invlpg (%0); pause" : : "r"(&value) : "memory");
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

/* A change of EFER.LME while paging is on raises #GP (APM2 14.6). */
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

/*
 * The VMSA, the guest's encrypted save area, has fields for these MSRs. RDMSR and WRMSR
 * of them must not raise #VC.
 */
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

/*
 * XSETBV must not raise #VC. CPUID must show the new value of XCR0 and of CR4.OSXSAVE.
 */
CASE(xsetbv, "xsetbv", CASE_NOT_SNP)
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

/* ---- The processor ---- */

/* Executes CPUID function @function, sub-leaf 0. Returns its results. */
static struct regs cpuid(u32 function)
{
	struct regs r = { .rax = function };

	insn_cpuid(&r);
	return r;
}

CASE(view_sev, "cpuid-sev", 0)
{
	struct regs r = cpuid(CPUID_SEV);
	static const u64 bits[] = { 0, 0x2, 0xa, 0x1a }, status[] = { 0, 1, 3, 7 };

	expect("SEV, SEV-ES and SEV-SNP", r.rax & 0x1e, bits[machine.sev]);
	if (machine.sev == SEV_OFF)
		return;
	expect("C-bit position", r.rbx & 0x3f, machine.cbit);
	expect("address bits lost", r.rbx >> 6 & 0x3f, 1);
	if ((cpuid(0x80000008).rax & 0xff) > machine.cbit)
		fail("the C-bit lies among the physical address bits");
	expect("SEV_STATUS", rdmsr(MSR_SEV_STATUS), status[machine.sev]);
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
	/*
	 * CPUID 0x40000000 returns the signature "KVMKVMKVM" and three zero bytes in
	 * EBX, ECX and EDX.
	 */
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

/* A change of CR4.LA57 in long mode raises #GP (APM2 3.1.3). */
CASE(cr4_la57, "cr4-la57-long-mode", 0)
{
	u64 cr4;

	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	trap_arm(VECTOR_GP);
	asm volatile("movq $1f, %0" : "=m"(trap.resume));
	asm volatile("movq %0, %%cr4\n1:" : : "r"(cr4 ^ CR4_LA57) : "memory");
	expect("#GP", trap.count, 1);
	asm volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");
}

/*
 * Writes CR4, CR3 and CR4 again, each with the value that it holds, @n times. EDK2's #VC
 * handler makes these three writes at each #VC.
 */
static void cr_same(unsigned int n)
{
	u64 cr3, cr4;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	while (n--)
		asm volatile("mov %1, %%cr4; mov %0, %%cr3; mov %1, %%cr4"
			     : : "r"(cr3), "r"(cr4) : "memory");
}

/*
 * Returns how many exits the guest makes while cr_same(@n) writes CR3 and CR4 without a
 * change of their values.
 */
static u64 cr_exits(unsigned int n)
{
	u64 before = hook(HOOK_COUNT, HOOK_COUNT_EXITS);

	cr_same(n);
	/* Subtract the exit of the second hook call, which the count includes. */
	return hook(HOOK_COUNT, HOOK_COUNT_EXITS) - before - 1;
}

/*
 * After CR_MANY writes of CR3 and CR4 that change nothing, sevemu no longer intercepts
 * these writes, and they cause no exit. A wrong value of CR4 must still raise #GP. After
 * a change, sevemu must intercept the writes again, and each write is an exit.
 */
CASE(cr_unseen, "cr-writes-without-change", CASE_ES | CASE_UP)
{
	u64 cr4, value;

	cr_same(CR_MANY);
	expect("exits", cr_exits(CR_MANY), 0);

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	trap_arm(VECTOR_GP);
	asm volatile("movq $1f, %0" : "=m"(trap.resume));
	asm volatile("movq %0, %%cr4\n1:" : : "r"(cr4 | 1ULL << 40) : "memory");
	expect("#GP for bit 40", trap.count, 1);
	expect("exits after #GP", cr_exits(5), 15);

	cr_same(CR_MANY);
	trap.count = 0;
	asm volatile("movq $1f, %0" : "=m"(trap.resume));
	asm volatile("movq %0, %%cr4\n1:" : : "r"(cr4 ^ CR4_LA57) : "memory");
	expect("#GP for LA57", trap.count, 1);

	cr_same(CR_MANY);
	asm volatile("mov %0, %%cr4" : : "r"(cr4 ^ CR4_PGE) : "memory");
	/*
	 * cr_same() has made sevemu stop intercepting writes of CR3 and CR4, so the write of CR4
	 * above caused no exit. At the guest's next exit, the hook call of cr_exits(0), sevemu
	 * sees that CR4 has changed. It then intercepts these writes again.
	 */
	expect("exits after a change", cr_exits(0), 0);
	expect("exits after a change", cr_exits(5), 15);
	asm volatile("mov %%cr4, %0" : "=r"(value));
	expect("CR4", value, cr4 ^ CR4_PGE);
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	expect("#VC count", vc.count, 0);
}

/*
 * After many writes of CR3 and CR4 that change nothing, sevemu no longer intercepts these
 * writes. Code in compatibility mode then turns paging off. sevemu must intercept the
 * writes again from that moment on, because without paging the guest may change LA57.
 */
CASE(cr_paging_off, "cr4-la57-without-paging", CASE_ES)
{
	u64 bit = machine.la57 ? CR4_LA57 : CR4_PGE, cr4, value;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	cr_same(CR_MANY);
	asm volatile("pushq %[code32]\n\t"
		     "pushq $1f\n\t"
		     "lretq\n\t"
		     ".code32\n"
		     "1:\n\t"
		     "movl %%cr0, %%ebx\n\t"
		     "movl %%ebx, %%eax\n\t"
		     "andl $0x7fffffff, %%eax\n\t"
		     "movl %%eax, %%cr0\n\t"
		     "movl %%cr4, %%edi\n\t"
		     "xorl %%edi, %%esi\n\t"
		     "movl %%esi, %%cr4\n\t"
		     "movl %[magic], %%eax\n\t"
		     "vmmcall\n\t"
		     "movl %%edi, %%cr4\n\t"
		     "movl %%ebx, %%cr0\n\t"
		     "ljmp %[code64], $2f\n\t"
		     ".code64\n"
		     "2:"
		     : "+S"(bit)
		     : [code32] "i"(SELECTOR_CODE32), [code64] "i"(SELECTOR_CODE64),
		     [magic] "i"(HOOK_MAGIC), "c"(HOOK_COUNT), "d"(HOOK_COUNT_EXITS)
		     : "memory", "rax", "rbx", "rdi", "r8", "r9", "r10", "r11", "r12",
		     "r13", "r14", "r15");
	asm volatile("mov %%cr4, %0" : "=r"(value));
	expect("CR4", value, cr4);
}

/*
 * After many writes to CR4 that change nothing, sevemu no longer intercepts them. A write
 * that then clears PAE in long mode should raise #GP, but has taken effect when sevemu
 * notices it. It is then too late for #GP, so sevemu ends the run with a message.
 */
CASE(ends_cr4_pae, "ends-cr4-pae-unseen", CASE_ES | CASE_ENDS)
{
	u64 cr4;

	cr_same(CR_MANY);
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %0, %%cr4" : : "r"(cr4 & ~(u64)CR4_PAE) : "memory");
	fail("the run goes on");
}

/*
 * CPUID does not report SVM to the guest, so each of SVM's instructions must raise #UD.
 */
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

/*
 * In a guest without SEV-ES, sevemu itself emulates the intercepted instructions. They
 * must work, and must not raise #VC.
 */
CASE(no_vc, "no-vc-without-es", 0)
{
	struct regs r = { .rdx = UART_SCRATCH, .rax = 0x33 };

	if (machine.es)
		return;
	insn_outb(&r);
	r.rax = 0;
	insn_inb(&r);
	expect("what was written", r.rax, 0x33);
	r.rcx = MSR_APIC_BASE;
	insn_rdmsr(&r);
	expect("APIC base", r.rax & ~0xfffULL, LAPIC);
	insn_wrmsr(&r);
	cpuid(0);
	expect("#VC count", vc.count, 0);
	/*
	 * Without SEV-ES, the opcode of VMGEXIT (REP VMMCALL) is executed as VMMCALL
	 * (APM2 15.35.6).
	 */
	r.rax = 0x7fff;
	insn_vmmcall(&r);
	expect("answer to an unknown hypercall", r.rax, (u64)KVM_ENOSYS);
	r.rax = 0x7fff;
	asm volatile("rep; vmmcall" : "+a"(r.rax) : : "memory");
	expect("answer to it as VMGEXIT", r.rax, (u64)KVM_ENOSYS);
}
