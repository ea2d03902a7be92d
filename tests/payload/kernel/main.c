/* SPDX-License-Identifier: MIT */
/*
 * main.c - the test kernel, which the stub boots in place of Linux. It checks the
 * machine state in which the stub must enter a kernel, prints a line for each fact and
 * each fault, and makes QEMU exit with a status that tells the result.
 *
 * entry.S calls kernel_main() in the state of boot.rst, "64-bit Boot Protocol".
 */
#include <stdarg.h>

#include "kernel.h"

static u32 errors;
static bool quiet;

/*
 * The options that the checks read from the command line. Any other word "t.*" is
 * reported as an error.
 */
static const option_name known_options[] = {
	"t.addr=", "t.cbit=", "t.e820=", "t.entry=", "t.ghcb=", "t.handed=",
	"t.initrd=", "t.boots=", "t.la57=", "t.load=", "t.map=", "t.mem=", "t.nx=",
	"t.quiet=", "t.setup_data=", "t.sev=", "t.stack=", "t.virt=", "t.wiped=",
};

void fact(const char *fmt, ...)
{
	va_list args;

	if (quiet)
		return;
	print("payload: ");
	va_start(args, fmt);
	print_args(fmt, args);
	va_end(args);
	print("\n");
}

void fail(const char *fmt, ...)
{
	va_list args;

	errors++;
	print("payload: FAIL ");
	va_start(args, fmt);
	print_args(fmt, args);
	va_end(args);
	print("\n");
}

noreturn void finish(void)
{
	if (errors) {
		print("payload: failed, %u errors\n", errors);
		exit_qemu(EXIT_FAILED);
	}
	if (count_boot() < option_number("t.boots", 1))
		reset_machine();
	print("payload: passed\n");
	exit_qemu(EXIT_PASSED);
}

noreturn void kernel_main(const struct entry_state *state)
{
	struct segment_state segments;
	struct self self;

	/*
	 * These three functions read .bss, IDTR and CR3. They must come first, because the
	 * functions below change .bss, IDTR and CR3.
	 */
	self_verify(&self, state);
	cpu_save_segments(&segments);
	map_save();

	cpu_catch_exceptions();
	options_set(zero_page_find(state));
	sev_start();
	quiet = option_number("t.quiet", 0);
	options_check("t.", known_options, ARRAY_SIZE(known_options));
	self_report(&self);
	cpu_check(state, &segments);
	sev_check();
	zero_page_check();
	cmdline_check();
	e820_check();
	initrd_check();
	setup_data_check();
	map_check(state);
	finish();
}
