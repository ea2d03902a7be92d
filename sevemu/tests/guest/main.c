/* SPDX-License-Identifier: MIT */
/*
 * main.c - the test guest's main program. It runs the cases that the command line asks
 * for (case=NAME, or case=all) and prints one line for each. case=list lists their
 * names.
 *
 *	ok NAME | not ok NAME: reason | skipped NAME: reason
 */
#include <asm/bootparam.h>

#include "guest.h"
#include "cmdline.h"
#include "early.h"
#include "snp.h"

struct machine machine;
extern const struct test_case test_cases[], test_cases_end[];

static const char *running;
static bool failed;
static u32 failures;

/*
 * The 64-bit C code. head.S calls it in long mode, with the zero page @bp. Does not
 * return.
 */
void guest_main(const struct boot_params *bp);

NORETURN void end_run(u8 how)
{
	/*
	 * Send the request by the GHCB directly. OUT would raise #VC, and a faulty #VC
	 * handler could prevent the exit.
	 */
	if (machine.es) {
		ghcb_begin(SVM_EXIT_IOIO, 1 << IOIO_SIZE_SHIFT |
			   DEBUG_EXIT_PORT << IOIO_PORT_SHIFT, 0);
		ghcb_set(GHCB_RAX, how);
		ghcb_go();
	} else {
		asm volatile("outb %0, %1"
			     : : "a"(how), "Nd"((u16)DEBUG_EXIT_PORT));
	}
	for (;;)
		asm volatile("cli; hlt");
}

static void fail_begin(void)
{
	if (machine.victim)
		victim_gives_up();
	failed = true;
	con_str("not ok ");
	con_str(running);
	con_str(": ");
}

void fail(const char *why)
{
	fail_begin();
	con_str(why);
	con_str("\n");
}

void expect(const char *what, u64 got, u64 want)
{
	if (got == want)
		return;
	fail_begin();
	con_str(what);
	con_str(" is ");
	con_hex(got);
	con_str(", not ");
	con_hex(want);
	con_str("\n");
}

void expect_not(const char *what, u64 got, u64 not_this)
{
	if (got != not_this)
		return;
	fail_begin();
	con_str(what);
	con_str(" is ");
	con_hex(got);
	con_str("\n");
}

void note(const char *what, u64 value)
{
	con_str("# ");
	con_str(running);
	con_str(": ");
	con_str(what);
	con_str(" ");
	con_hex(value);
	con_str("\n");
}

/*
 * Returns NULL if the machine has what a case with @flags (CASE_*) needs. Otherwise
 * returns the reason to skip the case.
 */
static const char *missing(u64 flags)
{
	if (flags & CASE_ES && !machine.es)
		return "not an SEV-ES guest";
	if (flags & CASE_SEV && (machine.sev == SEV_OFF || machine.sev == SEV_SNP))
		return "memory is not encrypted, or has an RMP";
	if (flags & CASE_SNP && machine.sev != SEV_SNP)
		return "not an SEV-SNP guest";
	if (flags & CASE_NOT_SNP && machine.sev == SEV_SNP)
		return "an SEV-SNP guest";
	if (flags & CASE_VMPL0 && machine.vmpl)
		return "not at VMPL 0";
	if (flags & CASE_SVSM && !machine.vmpl)
		return "no SVSM";
	if (flags & CASE_2M && !machine.rmp_2m)
		return "no 2 MiB RMP entries";
	if (flags & CASE_4K && machine.rmp_2m)
		return "2 MiB RMP entries";
	if ((flags & CASE_STRICT_CONVERT && machine.convert != CONVERT_STRICT) ||
	    (flags & CASE_NO_CONVERT && machine.convert != CONVERT_NONE) ||
	    (flags & CASE_IMPLICIT && machine.convert != CONVERT_IMPLICIT))
		return "another --snp-convert";
	if (flags & CASE_LOADED && !machine.loaded)
		return "all memory is validated";
	if (flags & CASE_ALL && machine.loaded)
		return "not all memory is validated";
	if (flags & CASE_SMP && !machine.smp)
		return "one processor";
	if (flags & CASE_UP && machine.smp)
		return "several processors";
	if (flags & CASE_NOT_ES && machine.es)
		return "SEV-ES";
	if (flags & CASE_V2 && machine.ghcb_max < 2)
		return "GHCB version 1";
	return NULL;
}

static void run_case(const struct test_case *t)
{
	const char *lacks = missing(t->flags);

	running = t->name;
	if (lacks) {
		con_str("skipped ");
		con_str(t->name);
		con_str(": ");
		con_str(lacks);
		con_str("\n");
		return;
	}
	failed = false;
	memset(&vc, 0, sizeof(vc));
	trap_reset();
	hook(HOOK_VIOLATION, 0);
	t->run();
	hook(HOOK_EXPECT, VIOL_NONE);
	expect("violation left over", hook(HOOK_VIOLATION, 0), VIOL_NONE);
	if (vc.wrong_rip)
		fail("#VC did not point at the instruction");
	expect("registers that an instruction should not have changed",
	       vc.changed, 0);
	if (failed) {
		failures++;
		return;
	}
	con_str("ok ");
	con_str(t->name);
	con_str("\n");
}

/*
 * Prints the results of the 32-bit cases, which boot32.c has recorded: one line for
 * each case. The results of one case are adjacent in the log.
 */
static void print_early(void)
{
	const struct early_result *r;
	u32 i;

	for (i = 0; i < early.count; i++) {
		r = &early.result[i];
		if (!i || r->name != r[-1].name) {
			running = (const char *)(u64)r->name;
			failed = false;
		}
		expect((const char *)(u64)r->what, r->got, r->want);
		if (i + 1 < early.count && r[1].name == r->name)
			continue;
		if (failed) {
			failures++;
			continue;
		}
		con_str("ok ");
		con_str(running);
		con_str("\n");
	}
}

/*
 * Fills the variable machine from the result of HOOK_CONFIG: the options with which
 * sevemu was started.
 */
static void machine_init(const struct boot_params *bp)
{
	u64 config = hook(HOOK_CONFIG, 0);

	machine.bp = bp;
	machine.sev = config >> HOOK_CONFIG_SEV_SHIFT & 3;
	machine.ghcb_max = config >> HOOK_CONFIG_MAX_SHIFT & 0xf;
	machine.cbit = config >> HOOK_CONFIG_CBIT_SHIFT & 0xff;
	machine.cmask = machine.sev ? 1ULL << machine.cbit : 0;
	machine.strict = config & HOOK_CONFIG_STRICT;
	machine.la57 = config & HOOK_CONFIG_LA57;
	machine.rdtsc = config & HOOK_CONFIG_RDTSC;
	machine.spec = config & HOOK_CONFIG_SPEC;
	machine.es = machine.sev == SEV_ES || machine.sev == SEV_SNP;
	machine.convert = config >> HOOK_CONFIG_CONVERT_SHIFT & 3;
	machine.vmpl = config >> HOOK_CONFIG_VMPL_SHIFT & 3;
	machine.rmp_2m = config & HOOK_CONFIG_RMP_2M;
	machine.smp = config & HOOK_CONFIG_SMP;
	machine.loaded = machine.sev == SEV_SNP && config & HOOK_CONFIG_LOADED;
}

/* The cases of cases_victim.c. */
static const char *const victims[] = {
	"snp-victim", "snp-victim-careless", "snp-victim-twice", "snp-victim-altered",
	"snp-victim-broken",
};

void guest_main(const struct boot_params *bp)
{
	const char *name = cmdline_case((const char *)(u64)bp->hdr.cmd_line_ptr);
	const struct test_case *t;
	bool found = false;
	u32 i;

	machine_init(bp);
	cpu_init();
	running = "start";
	for (i = 0; i < ARRAY_SIZE(victims); i++)
		machine.victim |= word_is(name, victims[i]);
	if (machine.victim) {
		/*
		 * Remove the gate of VECTOR_USER_END, because a hostile host may inject an
		 * interrupt with this vector. The gate leads to user_end(), which works
		 * only after user_enter(). A victim never calls user_enter().
		 */
		idt_set_present(VECTOR_USER_END, false);
		victim_ready();
	}
	if (machine.sev == SEV_SNP)
		snp_init();
	if (hook(HOOK_VERSION, 0) != HOOK_API)
		fail("the test hooks are of another version");
	print_early();
	for (t = test_cases; t < test_cases_end; t++) {
		if (word_is(name, "list")) {
			con_str(t->flags & CASE_ENDS ? "ends " : "case ");
			con_str(t->name);
			con_str("\n");
			found = true;
		} else if (word_is(name, t->name) ||
			   (word_is(name, "all") && !(t->flags & CASE_ENDS))) {
			run_case(t);
			found = true;
		}
	}
	if (!found) {
		failures++;
		con_str("no such case\n");
	}
	con_str("done\n");
	end_run(failures ? DEBUG_EXIT_FAIL : DEBUG_EXIT_PASS);
}
