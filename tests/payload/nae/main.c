/* SPDX-License-Identifier: MIT */
/*
 * main.c - brings the stub's parts up as the stub does, runs the cases, and
 * prints a line for each.
 *
 * The stub's report of an exception calls terminate(). The linker redirects that
 * call to __wrap_terminate() here (--wrap), so that a case that expects an
 * exception continues after the report.
 */
#include "ghcb.h"
#include "nae.h"
#include "sevemu/hooks.h"

/* The last line, so that silence never passes. */
#define DONE		"nae: done"

struct boot_params *boot_params;
/* In the stub, sev-head_64.S defines these. */
in_data struct sev_guest sev_guest;
in_data u32 nmi_count;
u64 caught_vector, caught_cr2;

static struct cmdline cmdline;
static const struct exception_frame *last_frame;
static bool executing;		/* an exception comes back to run() */
static bool ending;		/* ... but not in a case that ends the guest */

static struct {
	u16 code;
	u64 count;
} vc_counts[32];
static u64 vc_total;

/* The case that runs. */
static bool complained, skipped;
static const char *current;
static u64 failures;

/* ---- What the stub's lib/error.c is to the stub. */

noreturn void __real_terminate(unsigned int reason);
noreturn void __wrap_terminate(unsigned int reason);

noreturn void __wrap_terminate(unsigned int reason)
{
	if (executing && reason == SEVSTUB_TERM_EXCEPTION) {
		caught_vector = last_frame->vector;
		caught_cr2 = read_cr2();
		/* The report was not the guest's last message. */
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

/* ---- Between the stub's vectors and its do_exception(): linked by --wrap. */

void __wrap_do_exception(struct exception_frame *frame);
void __real_do_exception(struct exception_frame *frame);

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

void __wrap_do_exception(struct exception_frame *frame)
{
	last_frame = frame;
	if (frame->vector == X86_TRAP_VC)
		count_vc(frame->error_code);
	__real_do_exception(frame);
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

/* ---- Cases. */

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

/* sevemu's answer; any other hypervisor's to an unknown hypercall is below 0. */
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
 * The case of this name, or if it is empty, all that do not end the guest.
 * @early: now is before there is a GHCB.
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

/* ---- Coming up, as extract_kernel() does. */

static void map(u64 start, u64 end, unsigned int prot)
{
	if (ident_map_range(start, end, prot))
		error("page tables", "0x%lx-0x%lx", start, end);
}

static void build_map(void)
{
	const struct ident_map_config config = {
		.pool = page_table_pool,
		.pool_size = (size_t)(page_table_pool_end - page_table_pool),
		.levels = read_cr4() & X86_CR4_LA57 ? 5 : 4,
		.enc_mask = sev_enc_mask(),
		.nx = true,
		.bp = boot_params,
	};

	if (ident_map_init(&config))
		error("page tables", "cannot be started");
	if (ident_map_guard(0) || ident_map_guard((u64)stack_guard))
		error("page tables", "no guard pages");
	/* First: a page keeps the rights that it gets first. */
	mmio_init();
	map((u64)_text, (u64)_etext, MAP_EXEC);
	map((u64)_rodata, (u64)_erodata, MAP_RO);
	map((u64)_data, (u64)_end, MAP_WRITE);
	map((u64)boot_params, (u64)boot_params + sizeof(*boot_params),
	    MAP_WRITE);
	map((u64)cmdline.text, (u64)cmdline.text + cmdline.len + 1, MAP_WRITE);
}

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

	idt_load_stage1();
	sev_detect();
	if (name[0])
		run_tests(fatal_tests, name, true);
	build_map();
	sev_load_map();
	idt_load_stage2();
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
