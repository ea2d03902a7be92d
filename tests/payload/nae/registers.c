/* SPDX-License-Identifier: MIT */
/*
 * registers.c - test cases for instructions that cause an exit and have only registers
 * as operands, and for exceptions that the hypervisor intercepts.
 */
#include "nae.h"
#include "sevemu/hooks.h"

#define MSR_APIC_BASE		0x0000001b
#define APIC_BASE_ENABLED	(_AC(1, UL) << 11)
#define MSR_TSC_AUX		0xc0000103
#define MSR_NONE		0x0000dead
#define PMC_NONE		0x7fffffff
#define CPUID_EXT_EDX_RDTSCP	(_AC(1, UL) << 27)
#define XSAVE_LEGACY_SIZE	576	/* bytes of x87 state, SSE state and XSAVE header */
#define XSTATE_AVX		2
#define DR7_ALWAYS		0x400
#define DR7_L0			0x1
/*
 * A hypercall number that does not exist, and the result that KVM and sevemu return for
 * it.
 */
#define HYPERCALL_NONE		0x5eed
#define HYPERCALL_ENOSYS	((u64)-1000)

/*
 * Executes CPUID with garbage in the upper halves of RAX and RCX, which must be
 * ignored. The upper halves of RAX, RBX, RCX and RDX must be 0 after it.
 */
static struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	prepare();
	before.r[INSN_RAX] = before.r[INSN_RAX] >> 32 << 32 | leaf;
	before.r[INSN_RCX] = before.r[INSN_RCX] >> 32 << 32 | subleaf;
	execute("cpuid");
	want.r[INSN_RAX] = (u32)after.r[INSN_RAX];
	want.r[INSN_RBX] = (u32)after.r[INSN_RBX];
	want.r[INSN_RCX] = (u32)after.r[INSN_RCX];
	want.r[INSN_RDX] = (u32)after.r[INSN_RDX];
	check_regs("cpuid");
	r.eax = (u32)after.r[INSN_RAX];
	r.ebx = (u32)after.r[INSN_RBX];
	r.ecx = (u32)after.r[INSN_RCX];
	r.edx = (u32)after.r[INSN_RDX];
	return r;
}

static void case_cpuid(void)
{
	struct cpuid_regs vendor = cpuid(0, 0);
	struct cpuid_regs ext = cpuid(CPUID_EXT_MAX, 0);

	if (!vendor.eax || !vendor.ebx || vendor.ebx == vendor.ecx ||
	    vendor.ecx == vendor.edx)
		complain("leaf 0: %x %x %x %x", vendor.eax, vendor.ebx,
			 vendor.ecx, vendor.edx);
	/* AMD's processors repeat leaf 0's vendor in leaf 0x80000000 (APM3 E.4.1). */
	if (ext.ebx && (ext.ebx != vendor.ebx || ext.ecx != vendor.ecx ||
			ext.edx != vendor.edx))
		complain("leaf 0x80000000 names another vendor: %x", ext.ebx);
	if (sev_active())
		expect("leaf 0x8000001f EBX[5:0]", cpuid(CPUID_SEV, 0).ebx &
		       CPUID_SEV_EBX_CBIT_MASK, sev_guest.cbit);
	if (!(cpuid(CPUID_EXT_FEATURES, 0).edx >> CPUID_EXT_EDX_LM_BIT & 1))
		complain("leaf 0x80000001 denies long mode");
}

static void case_cpuid_subleaf(void)
{
	struct cpuid_regs xstate, avx;

	if (cpuid(0, 0).eax < CPUID_XSTATE) {
		skip("no leaf 0xd");
		return;
	}
	xstate = cpuid(CPUID_XSTATE, 0);
	if (!(xstate.eax & XCR0_RESET)) {
		skip("no XSAVE");
		return;
	}
	/*
	 * EBX of leaf 0xd is the size of an XSAVE area for the state that XCR0 enables. After
	 * reset, XCR0 enables x87 only. Such an area has XSAVE_LEGACY_SIZE bytes, because it
	 * always has room for SSE state and the header, too.
	 */
	expect("leaf 0xd EBX", xstate.ebx, XSAVE_LEGACY_SIZE);
	if (!(xstate.eax >> XSTATE_AVX & 1))
		return;
	avx = cpuid(CPUID_XSTATE, XSTATE_AVX);
	expect("leaf 0xd, 2: AVX state's size", avx.eax, 256);
	expect("leaf 0xd, 2: AVX state's offset", avx.ebx, XSAVE_LEGACY_SIZE);
}

/*
 * Executes @insn, which is RDTSC or RDTSCP. Returns the time-stamp counter from
 * EDX:EAX.
 */
static u64 tsc(const char *insn)
{
	prepare();
	execute(insn);
	want.r[INSN_RAX] = (u32)after.r[INSN_RAX];
	want.r[INSN_RDX] = (u32)after.r[INSN_RDX];
	return after.r[INSN_RDX] << 32 | (u32)after.r[INSN_RAX];
}

static void case_rdtsc(void)
{
	u64 first = tsc("rdtsc");
	u64 second = tsc("rdtsc");

	check_regs("rdtsc");
	if (second <= first)
		complain("%lx and then %lx", first, second);
}

static bool have_rdtscp(void)
{
	return cpuid_count(CPUID_EXT_FEATURES, 0).edx & CPUID_EXT_EDX_RDTSCP;
}

/*
 * Executes WRMSR of @value to @msr. The upper half of RCX is 0 and not garbage, because
 * QEMU looks up the MSR's intercept with all 64 bits of RCX.
 */
static void write_msr(u64 msr, u64 value)
{
	prepare();
	before.r[INSN_RCX] = msr;
	before.r[INSN_RAX] = before.r[INSN_RAX] >> 32 << 32 | (u32)value;
	before.r[INSN_RDX] = before.r[INSN_RDX] >> 32 << 32 | value >> 32;
	execute("wrmsr");
	check_regs("wrmsr");
}

static u64 read_msr(u64 msr)
{
	prepare();
	before.r[INSN_RCX] = msr;
	execute("rdmsr");
	want.r[INSN_RAX] = (u32)after.r[INSN_RAX];
	want.r[INSN_RDX] = (u32)after.r[INSN_RDX];
	check_regs("rdmsr");
	return after.r[INSN_RDX] << 32 | (u32)after.r[INSN_RAX];
}

static void case_rdtscp(void)
{
	u64 first, second;

	if (!have_rdtscp()) {
		skip("no RDTSCP");
		return;
	}
	write_msr(MSR_TSC_AUX, 0x12345678);
	first = tsc("rdtscp");
	second = tsc("rdtscp");
	want.r[INSN_RCX] = 0x12345678;
	check_regs("rdtscp");
	if (second <= first)
		complain("%lx and then %lx", first, second);
}

static void case_rdpmc(void)
{
	prepare();
	before.r[INSN_RCX] = before.r[INSN_RCX] >> 32 << 32;
	execute("rdpmc");
	want.r[INSN_RAX] = (u32)after.r[INSN_RAX];
	want.r[INSN_RDX] = (u32)after.r[INSN_RDX];
	check_regs("rdpmc");
}

/*
 * RDPMC of a counter that does not exist raises #GP. By the GHCB specification the
 * hypervisor asks the #VC handler for #GP by sw_exit_info_1. KVM instead injects #GP after
 * the handler's VMGEXIT. The case prints which of the two the hypervisor has done, and
 * tests/sev/cases.list says which one is expected. In both cases the stub must report #GP
 * with the RIP of the RDPMC.
 */
static void case_rdpmc_gp(void)
{
	u64 injected = gp_count();

	prepare();
	before.r[INSN_RCX] = PMC_NONE;
	expect_exception("rdpmc", X86_TRAP_GP);
	injected = gp_count() - injected;
	if (injected > 1)
		complain("%lu #GP", injected);
	con_printf("nae: #GP of RDPMC %s\n", injected ? "injected" :
		   "asked for by sw_exit_info_1");
	if (hooks_present())
		expect("number of injected #GP", injected,
		       !(call_hook(HOOK_CONFIG, 0, 0) & HOOK_CONFIG_SPEC));
}

static void case_rdmsr(void)
{
	u64 value = read_msr(MSR_APIC_BASE);

	if (!(value & APIC_BASE_ENABLED))
		complain("APIC base is %lx: not enabled", value);
}

static void case_wrmsr(void)
{
	u64 base = read_msr(MSR_APIC_BASE);

	write_msr(MSR_APIC_BASE, base);
	expect("APIC base", read_msr(MSR_APIC_BASE), base);
	if (!have_rdtscp())
		return;
	write_msr(MSR_TSC_AUX, 0x87654321);
	expect("TSC_AUX", read_msr(MSR_TSC_AUX), 0x87654321);
}

static void expect_gp(const char *insn)
{
	prepare();
	before.r[INSN_RCX] = MSR_NONE;
	expect_exception(insn, X86_TRAP_GP);
}

static void case_rdmsr_gp(void)
{
	expect_gp("rdmsr");
}

static void case_wrmsr_gp(void)
{
	expect_gp("wrmsr");
}

static u64 read_dr7(const char *insn, unsigned int reg)
{
	prepare();
	execute(insn);
	want.r[reg] = after.r[reg];
	check_regs(insn);
	return after.r[reg];
}

static void write_dr7(const char *insn, unsigned int reg, u64 value)
{
	prepare();
	before.r[reg] = value;
	execute(insn);
	check_regs(insn);
}

static void case_dr7(void)
{
	expect("DR7", read_dr7("mov %dr7, %rbx", INSN_RBX), DR7_ALWAYS);
	write_dr7("mov %rbx, %dr7", INSN_RBX, DR7_ALWAYS);
	expect("DR7", read_dr7("mov %dr7, %rbx", INSN_RBX), DR7_ALWAYS);
	/*
	 * DR7.L0 enables the breakpoint at the address in DR0. DR0 is 0, and no code at
	 * address 0 is executed, so the breakpoint raises no #DB.
	 */
	write_dr7("mov %r9, %dr7", INSN_R9, DR7_ALWAYS | DR7_L0);
	expect("DR7", read_dr7("mov %dr7, %r9", INSN_R9), DR7_ALWAYS | DR7_L0);
	write_dr7("mov %rbx, %dr7", INSN_RBX, DR7_ALWAYS);
	expect("DR7", read_dr7("mov %dr7, %rbx", INSN_RBX), DR7_ALWAYS);
	write_dr7("mov %rax, %dr7", INSN_RAX, DR7_ALWAYS | DR7_L0);
	expect("DR7", read_dr7("mov %dr7, %rax", INSN_RAX), DR7_ALWAYS | DR7_L0);
	write_dr7("mov %rax, %dr7", INSN_RAX, DR7_ALWAYS);
}

static void case_dr7_gp(void)
{
	prepare();
	before.r[INSN_RBX] = 1UL << 32 | DR7_ALWAYS;
	expect_exception("mov %rbx, %dr7", X86_TRAP_GP);
}

/* Executes @insn, which must not change any register. */
static void no_effect(const char *insn)
{
	prepare();
	execute(insn);
	check_regs(insn);
}

static void case_wbinvd(void)
{
	no_effect("wbinvd");
}

static void case_invd(void)
{
	/*
	 * INVD may discard modified cache lines if a hypervisor does not intercept it.
	 * Write them back with WBINVD first.
	 */
	no_effect("wbinvd");
	no_effect("invd");
}

static u8 monitored[64] __attribute__((aligned(64)));

static void monitor(void)
{
	prepare();
	before.r[INSN_RAX] = (u64)monitored;
	before.r[INSN_RCX] = 0;
	before.r[INSN_RDX] = 0;
	execute("monitor");
	check_regs("monitor");
}

static void case_monitor(void)
{
	monitor();
}

static void case_mwait(void)
{
	monitor();
	/*
	 * If a hypervisor lets the guest execute MWAIT, MWAIT waits for a store to the
	 * monitored line. This store comes before MWAIT, so MWAIT does not wait.
	 */
	*(volatile u8 *)monitored = 1;
	prepare();
	before.r[INSN_RAX] = 0;
	before.r[INSN_RCX] = 0;
	execute("mwait");
	check_regs("mwait");
}

static void case_vmmcall(void)
{
	prepare();
	before.r[INSN_RAX] = HYPERCALL_NONE;
	execute("vmmcall");
	want.r[INSN_RAX] = HYPERCALL_ENOSYS;
	check_regs("vmmcall");
}

/* Executes a NOP with RFLAGS.TF set. After the NOP the processor must raise #DB. */
static void case_db(void)
{
	prepare();
	before.rflags |= X86_EFLAGS_TF;
	expect_exception("nop", X86_TRAP_DB);
}

static void case_db_intercepted(void)
{
	call_hook(HOOK_INTERCEPT, HOOK_INTERCEPT_DB, 0);
	case_db();
	call_hook(HOOK_INTERCEPT, 0, 0);
}

/*
 * Makes sevemu inject #VC with the exit code of #AC, as if the hypervisor intercepted
 * #AC. The stub's #VC handler must then report the exception #AC. case_ac() calls this
 * function by run_caught(), which returns the vector of the reported exception.
 */
static void inject_ac(void)
{
	call_hook(HOOK_INJECT, X86_TRAP_VC, SVM_EXIT_EXCP_AC);
}

/*
 * sevemu injects #VC with the exit code of an intercepted #AC, and the stub must report
 * #AC. The case cannot raise #AC itself, because code at CPL 0 never causes it (APM2
 * 8.2.18).
 */
static void case_ac(void)
{
	prepare();
	after = before;
	if (!run_caught(inject_ac, &after))
		complain("no exception");
	else
		expect("vector", caught_vector, X86_TRAP_AC);
}

const struct test register_tests[] = {
	{ "cpuid", case_cpuid, SVM_EXIT_CPUID, 0 },
	{ "cpuid-subleaf", case_cpuid_subleaf, SVM_EXIT_CPUID, 0 },
	{ "rdtsc", case_rdtsc, SVM_EXIT_RDTSC, 0 },
	{ "rdtscp", case_rdtscp, SVM_EXIT_RDTSCP, 0 },
	{ "rdpmc", case_rdpmc, SVM_EXIT_RDPMC, ES_ONLY },
	{ "rdpmc-gp", case_rdpmc_gp, SVM_EXIT_RDPMC, ES_ONLY },
	{ "rdmsr", case_rdmsr, SVM_EXIT_MSR, 0 },
	{ "wrmsr", case_wrmsr, SVM_EXIT_MSR, 0 },
	{ "rdmsr-gp", case_rdmsr_gp, SVM_EXIT_MSR, ES_ONLY },
	{ "wrmsr-gp", case_wrmsr_gp, SVM_EXIT_MSR, ES_ONLY },
	{ "dr7-read", case_dr7, SVM_EXIT_READ_DR7, 0 },
	{ "dr7-write", case_dr7, SVM_EXIT_WRITE_DR7, 0 },
	{ "dr7-gp", case_dr7_gp, SVM_EXIT_WRITE_DR7, 0 },
	{ "wbinvd", case_wbinvd, SVM_EXIT_WBINVD, ES_ONLY },
	{ "invd", case_invd, SVM_EXIT_INVD, ES_ONLY },
	{ "monitor", case_monitor, SVM_EXIT_MONITOR, ES_ONLY },
	{ "mwait", case_mwait, SVM_EXIT_MWAIT, ES_ONLY },
	{ "vmmcall", case_vmmcall, SVM_EXIT_VMMCALL, ES_ONLY },
	{ "db", case_db, NO_EXIT, 0 },
	{ "db-intercepted", case_db_intercepted, SVM_EXIT_EXCP_DB, HOOKS },
	{ "ac-intercepted", case_ac, SVM_EXIT_EXCP_AC, HOOKS },
	{ NULL, NULL, 0, 0 },
};
