/* SPDX-License-Identifier: MIT */
/*
 * fatal.c - test cases that terminate the guest. The option nae=NAME on the command
 * line selects one of them. tests/sev/cases.list says how the guest must terminate.
 */
#include "nae.h"
#include "sevemu/hooks.h"

#define E820_RAM_TYPE		1
#define MSR_NONE		0x0000dead
/*
 * The console prints CR and LF after these 62 characters, so that 16 lines are 1
 * KiB.
 */
#define CONSOLE_LINE	"nae: a line of sixty-four bytes: sixteen of these make one KiB"
#define CONSOLE_LINES		16

static void survived(void)
{
	con_printf("nae: survived\n");
}

/*
 * A load from the I/O APIC, which this case maps private (with the C-bit). A device
 * cannot be private, so the stub's #VC handler must terminate the guest.
 */
static void case_npf_private(void)
{
	if (ident_map_range(0xfec00000, 0xfec01000, MAP_WRITE))
		error("page tables", "the I/O APIC");
	prepare();
	before.r[INSN_RBX] = 0xfec00000;
	execute("movl (%rbx), %eax");
	survived();
}

/*
 * A load from the local APIC, after this case has added an E820 entry that calls its
 * page RAM. The stub does not emulate accesses to RAM, so it must terminate the guest.
 */
static void case_npf_ram(void)
{
	struct boot_e820_entry *e =
		&boot_params->e820_table[boot_params->e820_entries++];

	e->addr = APIC_BASE;
	e->size = PAGE_SIZE;
	e->type = E820_RAM_TYPE;
	prepare();
	before.r[INSN_RBX] = APIC_BASE;
	execute("movl (%rbx), %eax");
	survived();
}

/*
 * INC on a device's register. The stub does not emulate INC, so it must terminate the
 * guest.
 */
static void case_npf_opcode(void)
{
	prepare();
	before.r[INSN_RBX] = APIC_BASE + 0x80;
	execute("incl (%rbx)");
	survived();
}

static void case_gp(void)
{
	prepare();
	before.r[INSN_RCX] = MSR_NONE;
	execute("rdmsr");
	survived();
}

static void case_early_in(void)
{
	inb(SCRATCH_PORT);
}

static void case_early_subleaf(void)
{
	cpuid_count(CPUID_XSTATE, 1);
}

static void case_early_rdpmc(void)
{
	asm volatile("rdpmc" : : "c"(0) : "eax", "edx");
}

/*
 * Executes CPUID after the stub's teardown. No exception handler is left then, so the
 * #VC causes a triple fault, which the case expects.
 */
static void case_late(void)
{
	con_printf("nae: late\n");
	sev_es_shutdown();
	idt_teardown();
	cpuid_count(0, 0);
}

/*
 * sevemu injects a #VC with the exit code of CPUID when RIP is at the RET of
 * call_hook(). RET cannot cause an exit, so the stub must terminate the guest.
 */
static void case_forged_ret(void)
{
	call_hook(HOOK_INJECT, X86_TRAP_VC, SVM_EXIT_CPUID);
	survived();
}

/*
 * Makes sevemu inject a #VC with @exit_code while RIP is at a CPUID instruction. The
 * exit code does not fit the instruction, so the stub must terminate the guest.
 */
static void forge(u64 exit_code)
{
	asm volatile("vmmcall; cpuid"
		     :
		     : "a"(HOOK_MAGIC), "c"(HOOK_INJECT), "d"(X86_TRAP_VC),
		       "S"(exit_code)
		     : "rbx", "memory");
	survived();
}

static void case_forged_code(void)
{
	forge(SVM_EXIT_RDTSC);
}

static void case_forged_npf(void)
{
	forge(SVM_EXIT_NPF);
}

static void case_unsupported(void)
{
	call_hook(HOOK_EXPECT, VIOL_UNSUPPORTED_EVENT, 0);
	forge(SVM_EXIT_VMRUN);
}

/*
 * sevemu injects a #VC into a guest without SEV-ES, where the processor itself never
 * raises #VC. The stub must report an unexpected exception.
 */
static void case_spurious(void)
{
	call_hook(HOOK_INJECT, X86_TRAP_VC, SVM_EXIT_CPUID);
	survived();
}

/*
 * Prints exactly 1 KiB on the stub's console. tests/sev compares the number of exits
 * that this needs with a budget.
 */
static void case_console(void)
{
	for (u32 i = 0; i < CONSOLE_LINES; i++)
		con_printf(CONSOLE_LINE "\n");
	outb(DEBUG_EXIT_PASS, DEBUG_EXIT_PORT);
}

const struct test fatal_tests[] = {
	{ "npf-private", case_npf_private, NO_EXIT, FATAL },
	{ "npf-ram", case_npf_ram, NO_EXIT, FATAL },
	{ "npf-opcode", case_npf_opcode, NO_EXIT, FATAL },
	{ "gp", case_gp, NO_EXIT, FATAL },
	{ "early-in", case_early_in, NO_EXIT, FATAL | EARLY },
	{ "early-subleaf", case_early_subleaf, NO_EXIT, FATAL | EARLY },
	{ "early-rdpmc", case_early_rdpmc, NO_EXIT, FATAL | EARLY },
	{ "late", case_late, NO_EXIT, FATAL },
	{ "forged-ret", case_forged_ret, NO_EXIT, FATAL | HOOKS },
	{ "forged-code", case_forged_code, NO_EXIT, FATAL | HOOKS },
	{ "forged-npf", case_forged_npf, NO_EXIT, FATAL | HOOKS },
	{ "unsupported", case_unsupported, NO_EXIT, FATAL | HOOKS },
	{ "spurious", case_spurious, NO_EXIT, FATAL },
	{ "console", case_console, NO_EXIT, FATAL },
	{ NULL, NULL, 0, 0 },
};
