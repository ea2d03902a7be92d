/* SPDX-License-Identifier: MIT */
/*
 * main.c - the NAE self-test's main program. It sets up IDT, page tables, GHCB and
 * console with the stub's functions and in the stub's order, runs the test cases, and
 * prints a line for each.
 *
 * This file replaces the stub's lib/error.c and sev-head_64.S. The stub's report of an
 * exception calls terminate(). The linker redirects that call to __wrap_terminate()
 * here (--wrap). If run_caught() has executed the instruction that raised the exception,
 * __wrap_terminate() makes run_caught() return 1, and the guest goes on.
 */
#include "ghcb.h"
#include "nae.h"
#include "sevemu/hooks.h"

/*
 * The last line that the self-test prints. tests/sev/suite.sh fails a self-test without it.
 */
#define DONE		"nae: done"

struct boot_params *boot_params;
/*
 * The stub's objects need this variable, which sev-head_64.S defines in the stub.
 */
in_data struct sev_guest sev_guest;
u64 caught_vector, caught_rip, caught_cr2;

static struct cmdline cmdline;
static const struct exception_frame *last_frame;
/* The exception of last_frame, or the other one that sev_es_vc() returned, to be reported. */
static u64 last_vector;
static bool executing;		/* true while run_caught() catches exceptions */
/* True while a FATAL case runs, which must make the stub terminate the guest. */
static bool ending;

/*
 * For each exit code, how many #VC have come with it. If there are more than 31 codes,
 * the last entry counts all further ones.
 */
static struct {
	u16 code;
	u64 count;
} vc_counts[32];
static u64 vc_total;
/* How many #GP have come. count_gp in head.S counts them. */
u64 gp_total;

/* State of the test case that is running. run_test() resets it before each case. */
static bool complained, skipped;
static const char *current;
static u64 failures;

/* ---- Replacements for lib/error.c and for terminate() in sev-es.c ---- */

noreturn void __real_terminate(unsigned int reason);
noreturn void __wrap_terminate(unsigned int reason);

noreturn void __wrap_terminate(unsigned int reason)
{
	if (executing && reason == SEVSTUB_TERM_EXCEPTION) {
		caught_vector = last_vector;
		caught_rip = last_frame->rip;
		caught_cr2 = read_cr2();
		/*
		 * The stub sets es.ending when it prints its last message before it
		 * terminates. The self-test goes on, so clear it.
		 */
		es.ending = false;
		run_abort();
	}
	__real_terminate(reason);
}

noreturn void error(const char *what, const char *fmt, ...)
{
	va_list args;

	console_force();
	con_printf("nae: %s: ", what);
	va_start(args, fmt);
	con_vprintf(fmt, args);
	va_end(args);
	con_printf("\n");
	executing = false;
	__real_terminate(SEVSTUB_TERM_GENERAL);
}

int run_caught(void (*code)(void), struct regs *regs)
{
	int aborted;

	executing = !ending;
	aborted = run(code, regs);
	executing = false;
	return aborted;
}

/* ---- Counting of exceptions ---- */

/*
 * The linker option --wrap=do_exception makes the stub's exception entries call
 * __wrap_do_exception(). It counts #VC and then calls the stub's do_exception(). Calls can
 * nest, because a second exception can come while do_exception() handles the first.
 */
void __wrap_do_exception(struct exception_frame *frame, u64 vector);
void __real_do_exception(struct exception_frame *frame, u64 vector);

static void count_vc(u64 exit_code)
{
	unsigned int i = 0;

	vc_total++;
	while (i < ARRAY_SIZE(vc_counts) - 1 && vc_counts[i].count &&
	       vc_counts[i].code != exit_code)
		i++;
	vc_counts[i].code = (u16)exit_code;
	vc_counts[i].count++;
}

void __wrap_do_exception(struct exception_frame *frame, u64 vector)
{
	const struct exception_frame *interrupted = last_frame;
	u64 interrupted_vector = last_vector;

	last_frame = frame;
	last_vector = vector;
	if (vector == X86_TRAP_VC)
		count_vc(frame->error_code);
	__real_do_exception(frame, vector);
	last_frame = interrupted;
	last_vector = interrupted_vector;
}

/*
 * --wrap=sev_es_vc makes do_exception() call this function, which remembers the exception that
 * the handler of #VC asks do_exception() to report.
 */
unsigned int __wrap_sev_es_vc(struct exception_frame *frame);
unsigned int __real_sev_es_vc(struct exception_frame *frame);

unsigned int __wrap_sev_es_vc(struct exception_frame *frame)
{
	unsigned int vector = __real_sev_es_vc(frame);

	if (vector)
		last_vector = vector;
	return vector;
}

/*
 * Makes the IDT's gate of #GP lead to count_gp, which counts each #GP and then jumps to
 * the stub's handler. __wrap_do_exception() cannot count them all: for a #GP directly after
 * the stub's VMGEXIT the handler does not call do_exception(). Changes only the low 32 bits
 * of the handler's address, because the self-test lies below 4 GiB.
 */
static void count_gps(void)
{
	u64 handler = (u64)count_gp, *gate = moved_idt.gates[X86_TRAP_GP];

	gate[0] = (gate[0] & 0x0000ffffffff0000) | (handler & 0xffff) |
		  handler >> 16 << 48;
}

u64 gp_count(void)
{
	return gp_total;
}

u64 vc_count(u64 exit_code)
{
	if (exit_code == NO_EXIT)
		return vc_total;
	for (unsigned int i = 0; i < ARRAY_SIZE(vc_counts); i++)
		if (vc_counts[i].count && vc_counts[i].code == exit_code)
			return vc_counts[i].count;
	return 0;
}

/* ---- Test cases ---- */

void complain(const char *fmt, ...)
{
	va_list args;

	if (complained || skipped)
		return;
	complained = true;
	con_printf("FAIL nae/%s: ", current);
	va_start(args, fmt);
	con_vprintf(fmt, args);
	va_end(args);
	con_printf("\n");
}

void skip(const char *why)
{
	if (!complained && !skipped)
		con_printf("SKIP nae/%s: %s\n", current, why);
	skipped = true;
}

bool failed(void)
{
	return complained || skipped;
}

void expect(const char *what, u64 value, u64 expected)
{
	if (value != expected)
		complain("%s is 0x%lx, not 0x%lx", what, value, expected);
}

/*
 * Whether the hypervisor is sevemu with its test hooks. Any other hypervisor answers
 * the unknown hypercall with a negative error number.
 */
bool hooks_present(void)
{
	static bool asked, present;

	if (!asked && sev_es_active())
		present = call_hook(HOOK_VERSION, 0, 0) == HOOK_API;
	asked = true;
	return present;
}

static void run_test(const struct test *test)
{
	u64 exits = vc_count(test->exit);

	current = test->name;
	complained = false;
	skipped = false;
	if (test->flags & ES_ONLY && !sev_es_active())
		skip("without SEV-ES the machine itself would do it");
	else if (test->flags & HOOKS && !hooks_present())
		skip("needs sevemu's hooks");
	else
		test->body();

	exits = vc_count(test->exit) - exits;
	if (complained)
		failures++;
	else if (!skipped && test->exit == NO_EXIT)
		con_printf("PASS nae/%s\n", test->name);
	else if (!skipped)
		con_printf("PASS nae/%s: %lu exits\n", test->name, exits);
}

/*
 * Runs the case @name of the table @test, or all cases that are not FATAL if @name is
 * empty. @early selects the cases with the flag EARLY, which run before the GHCB is set
 * up; otherwise those without it run. Returns whether a case was found.
 */
static bool run_tests(const struct test *test, const char *name, bool early)
{
	bool found = false;

	for (; test->name; test++) {
		if (name[0] ? strlen(name) != strlen(test->name) ||
			      memcmp(name, test->name, strlen(name)) :
			      test->flags & FATAL)
			continue;
		if (!(test->flags & EARLY) != !early)
			continue;
		ending = test->flags & FATAL;
		run_test(test);
		found = true;
	}
	return found;
}

/* ---- Setup, in the order of the stub's extract_kernel() ---- */

static void map(u64 start, u64 end, unsigned int prot)
{
	if (ident_map_range(start, end, prot))
		error("page tables", "0x%lx-0x%lx", start, end);
}

static void build_map(void)
{
	const struct ident_map_config config = {
		.pool_size = (size_t)(page_table_pool_end - page_table_pool),
		.enc_mask = sev_enc_mask(),
		.bp = boot_params,
	};

	if (ident_map_init(&config))
		error("page tables", "cannot be started");
	if (ident_map_guard(0) || ident_map_guard((u64)stack_guard))
		error("page tables", "no guard pages");
	/*
	 * Call mmio_init() first, because it maps pages inside the ranges below with
	 * other rights. A page keeps the rights of the first call that maps it.
	 */
	mmio_init();
	map((u64)_text, (u64)_etext, MAP_EXEC);
	map((u64)_rodata, (u64)_erodata, MAP_RO);
	map((u64)_data, (u64)_end, MAP_WRITE);
	map((u64)boot_params, (u64)boot_params + sizeof(*boot_params),
	    MAP_WRITE);
	map((u64)cmdline.text, (u64)cmdline.text + cmdline.len + 1, MAP_WRITE);
}

/*
 * The self-test's C code. _start in head.S calls it with the zero page @bp. Does not
 * return.
 */
void nae_main(struct boot_params *bp);
void nae_main(struct boot_params *bp)
{
	static const struct test *const groups[] = {
		register_tests, port_tests, string_tests, mmio_tests,
		fatal_tests,
	};
	char name[32] = "";
	bool found = false;

	boot_params = bp;
	cmdline.text = (const char *)((u64)bp->ext_cmd_line_ptr << 32 |
				      bp->hdr.cmd_line_ptr);
	cmdline.len = strnlen(cmdline.text, bp->hdr.cmdline_size);
	cmdline_find_option(&cmdline, "nae", name, sizeof(name));

	idt_load_stage1(&moved_idt);
	sev_detect();
	if (name[0])
		run_tests(fatal_tests, name, true);
	build_map();
	sev_load_map();
	idt_load_stage2();
	count_gps();
	sev_es_setup_ghcb(bp);
	console_init(&cmdline, &bp->screen_info);
	console_force();

	if (!name[0])
		con_printf("nae: SEV_STATUS 0x%lx, C-bit %u, hooks %u\n",
			   sev_guest.status, sev_guest.cbit, hooks_present());
	for (u32 i = 0; i < ARRAY_SIZE(groups); i++)
		found |= run_tests(groups[i], name, false);
	if (!found)
		con_printf("FAIL nae/%s: no such case\n", name);
	con_printf(DONE "\n");
	outb(found && !failures ? DEBUG_EXIT_PASS : DEBUG_EXIT_FAIL,
	     DEBUG_EXIT_PORT);
	halt_forever();
}
