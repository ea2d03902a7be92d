/* SPDX-License-Identifier: MIT */
/*
 * harness.h - what every unit test program shares: test cases, checks, fatal
 * errors that a case expects, and fakes of x86.h's privileged instructions.
 *
 * A test program includes this header once, then the .c files of the stub that
 * it tests, then defines its cases:
 *
 *	TEST(name)
 *	{
 *		CHECK(x == 3, "x is %d", x);
 *		EXPECT_ERROR(parse(bad), "bad header");
 *	}
 *
 * A failed check leaves the case. main() prints one line for each case:
 * PASS, FAIL or SKIP, the case's name and a reason. A case that executes no
 * CHECK() fails.
 *
 * A program may define these macros before it includes the header:
 *	HARNESS_OWN_ERROR	do not define error(), because the program
 *				includes a .c file that defines it
 *	HARNESS_CPU		define the privileged functions of x86.h; a
 *				call of any of them fails the case. A program
 *				that defines OWN_RDMSR, for example, defines
 *				rdmsr() itself.
 *	HARNESS_NO_MAIN		do not define main(): the program is a fuzzer,
 *				see tests/fuzz/fuzz.h
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Undefine a MAP_DECRYPTED of <sys/mman.h>, because ident_map.h defines the
 * stub's own constant of this name.
 */
#undef MAP_DECRYPTED
#include "boot_params.h"
#include "console.h"
#include "decoders.h"
#include "e820.h"
#include "efi-handoff.h"
#include "error.h"
#include "exception.h"
#include "ident_map.h"
#include "idt.h"
#include "image.h"
#include "kaslr.h"
#include "la57.h"
#include "misc.h"
#include "payload-check.h"
#include "relocate.h"
#include "sev-es.h"
#include "sev-vc.h"
#include "srat.h"
#include "x86.h"

/*
 * One test case, defined by TEST(). @next is the next case in the order of the
 * source file.
 */
struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

/*
 * The values that longjmp() passes to setjmp(). They tell why longjmp() has left a test
 * case, or the statement in EXPECT_ERROR(), EXPECT_HALT() or REFUSED(). harness.expecting
 * has TEST_ERROR or TEST_HALT while the case expects error() or halt_forever(), otherwise
 * 0.
 */
enum harness_exit { TEST_FAILED = 1, TEST_SKIPPED, TEST_ERROR, TEST_HALT };

/*
 * State of the running test program. main() and the constructors of TEST() set
 * the fields @first, @last and @program before the first case runs.
 * harness_run() resets the fields that belong to one case. Test programs use
 * the macros and functions below instead of these fields.
 */
static struct {
	struct test_case *first, **last;
	const char *program;
	/* name of the running case; NULL between cases */
	const char *current;
	/* CHECK() and SKIP() jump here to leave a failed or skipped case. */
	jmp_buf out;
	/*
	 * An expected error() or halt_forever() jumps here, back into the case.
	 */
	jmp_buf expected;
	enum harness_exit expecting;
	/* Number of CHECK()s that the running case has executed. */
	unsigned int checks;
	/*
	 * Texts that the result line shows after the case's name: @why it
	 * failed or was skipped, and the text of INFO().
	 */
	char why[512];
	char info[128];
	/* State of random_u64(). */
	u64 random;
} harness = { .last = &harness.first };

/*
 * GCC warns that longjmp() may clobber the local variables that the statement
 * in EXPECT_ERROR() or EXPECT_HALT() changes. No case reads such variables
 * afterwards.
 */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

/*
 * Title, detail and reason (SEVSTUB_TERM_*) of the last error() or error_with()
 * that a case expected. Cases may read them after EXPECT_ERROR() or REFUSED().
 */
static char harness_error_what[128];
static char harness_error_detail[512];
static maybe_unused unsigned int harness_error_reason;

/*
 * TEST(name) { ... } defines a test case. A constructor adds the case to the
 * list that main() runs. The case's name in the output is PROGRAM.name.
 */
#define TEST(name)							\
	static void test_##name(void);					\
	static struct test_case case_##name = {				\
		#name, test_##name, NULL				\
	};								\
	__attribute__((constructor)) static void register_##name(void)	\
	{								\
		*harness.last = &case_##name;				\
		harness.last = &case_##name.next;			\
	}								\
	static void test_##name(void)

/*
 * CHECK(cond, format, ...): fails the case if @cond is false. The remaining
 * arguments are a printf() format and its values; they say what was seen.
 */
#define CHECK(cond, ...)						\
	do {								\
		harness.checks++;					\
		if (!(cond))						\
			harness_fail(__FILE__, __LINE__, #cond,		\
				     __VA_ARGS__);			\
	} while (0)

/*
 * EXPECT_ERROR(stmt, message): fails the case unless @stmt calls error() with
 * exactly @message as its title. error() does not return, so the rest of @stmt
 * is not executed then. harness_error_detail has the error's detail.
 */
#define EXPECT_ERROR(stmt, message)					\
	do {								\
		if (!setjmp(harness.expected)) {			\
			harness.expecting = TEST_ERROR;			\
			stmt;						\
			harness.expecting = 0;				\
			harness_fail(__FILE__, __LINE__, #stmt,		\
				     "no error \"%s\"", message);	\
		}							\
		CHECK(!strcmp(harness_error_what, message),		\
		      "error \"%s\" (%s) instead of \"%s\"",		\
		      harness_error_what, harness_error_detail,		\
		      message);						\
	} while (0)

/*
 * REFUSED(result, stmt): executes @stmt and sets @result to true if @stmt
 * called error(), to false if @stmt completed. The error's texts are in
 * harness_error_what and harness_error_detail.
 */
#define REFUSED(result, stmt)						\
	do {								\
		if (!setjmp(harness.expected)) {			\
			harness.expecting = TEST_ERROR;			\
			stmt;						\
			harness.expecting = 0;				\
			(result) = false;				\
		} else {						\
			(result) = true;				\
		}							\
	} while (0)

/*
 * EXPECT_HALT(stmt): fails the case unless @stmt calls halt_forever(). The
 * program must define HARNESS_CPU.
 */
#define EXPECT_HALT(stmt)						\
	do {								\
		if (!setjmp(harness.expected)) {			\
			harness.expecting = TEST_HALT;			\
			stmt;						\
			harness.expecting = 0;				\
			harness_fail(__FILE__, __LINE__, #stmt,		\
				     "does not halt");			\
		}							\
		harness.checks++;					\
	} while (0)

/*
 * SKIP(format, ...): leaves the case and reports it as skipped, for the reason
 * given. Used if the machine that runs the tests lacks something.
 */
#define SKIP(...)							\
	do {								\
		snprintf(harness.why, sizeof(harness.why),		\
			 __VA_ARGS__);					\
		longjmp(harness.out, TEST_SKIPPED);			\
	} while (0)

/*
 * INFO(format, ...): adds text to the case's PASS or FAIL line, for example the
 * seed of random numbers or how many inputs were tried. A second INFO()
 * replaces the first.
 */
#define INFO(...)							\
	snprintf(harness.info, sizeof(harness.info), __VA_ARGS__)

/*
 * Leaves the running case and reports it as failed. @file and @line say where.
 * @what is the text of the failed condition. @fmt and its values say what was
 * seen. CHECK() calls this. Fakes call it directly for conditions of their own,
 * which do not count as checks of the case.
 */
static noreturn maybe_unused printf_like(4, 5)
void harness_fail(const char *file, int line, const char *what,
		  const char *fmt, ...)
{
	va_list args;
	int len;

	harness.expecting = 0;
	len = snprintf(harness.why, sizeof(harness.why), "%s:%d %.160s: ",
		       file, line, what);
	va_start(args, fmt);
	vsnprintf(harness.why + len, sizeof(harness.why) - (size_t)len, fmt,
		  args);
	va_end(args);
	longjmp(harness.out, TEST_FAILED);
}

/*
 * Starts the sequence of random_u64() at @seed. Equal seeds give equal numbers
 * on every machine, so that a failure can be repeated. The generator is
 * splitmix64.
 */
static maybe_unused void random_seed(u64 seed)
{
	harness.random = seed;
}

/* The next number of the random sequence, any value of 64 bits. */
static maybe_unused u64 random_u64(void)
{
	u64 x = harness.random += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* A random number below @limit. @limit must not be 0. */
static maybe_unused u64 random_below(u64 limit)
{
	return random_u64() % limit;
}

#ifndef HARNESS_OWN_ERROR
/*
 * The stub's error() and error_with() in test programs. They return into
 * EXPECT_ERROR() or REFUSED() if the case expects an error. Otherwise they fail
 * the case with the error's text.
 */
static noreturn void harness_error(const char *what, unsigned int reason)
{
	snprintf(harness_error_what, sizeof(harness_error_what), "%s", what);
	harness_error_reason = reason;
	if (harness.expecting != TEST_ERROR)
		harness_fail("error()", 0, what, "%s", harness_error_detail);
	harness.expecting = 0;
	longjmp(harness.expected, TEST_ERROR);
}

noreturn void error(const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(harness_error_detail, sizeof(harness_error_detail), fmt,
		  args);
	va_end(args);
	harness_error(what, 0);
}

noreturn void error_with(unsigned int reason, const char *what, const char *fmt,
			 ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(harness_error_detail, sizeof(harness_error_detail), fmt,
		  args);
	va_end(args);
	harness_error(what, reason);
}
#endif

#ifdef HARNESS_CPU

/*
 * Fails the case because the stub executed a privileged instruction that the
 * case does not expect. The arguments are a printf() format and the
 * instruction's operands.
 */
#define HARNESS_REFUSE(...)						\
	harness_fail("x86.h", 0, __func__, __VA_ARGS__)

#ifndef OWN_RDMSR
u64 rdmsr(u32 msr) { HARNESS_REFUSE("%#x", msr); }
#endif
#ifndef OWN_WRMSR
void wrmsr(u32 msr, u64 value) { HARNESS_REFUSE("%#x, %#lx", msr, value); }
#endif
#ifndef OWN_READ_CR0
u64 read_cr0(void) { HARNESS_REFUSE("unexpected"); }
#endif
#ifndef OWN_READ_CR2
u64 read_cr2(void) { HARNESS_REFUSE("unexpected"); }
#endif
#ifndef OWN_WRITE_CR2
void write_cr2(u64 value) { HARNESS_REFUSE("%#lx", value); }
#endif
#ifndef OWN_XMM15
u64 read_xmm15(void) { HARNESS_REFUSE("unexpected"); }
void write_xmm15(u64 value) { HARNESS_REFUSE("%#lx", value); }
#endif
#ifndef OWN_READ_CR3
u64 read_cr3(void) { HARNESS_REFUSE("unexpected"); }
#endif
#ifndef OWN_WRITE_CR3
void write_cr3(u64 value) { HARNESS_REFUSE("%#lx", value); }
#endif
#ifndef OWN_READ_CR4
u64 read_cr4(void) { HARNESS_REFUSE("unexpected"); }
#endif
#ifndef OWN_INVLPG
void invlpg(u64 addr) { HARNESS_REFUSE("%#lx", addr); }
#endif
#ifndef OWN_LOAD_IDT
void load_idt(const struct desc_ptr *idt)
{
	HARNESS_REFUSE("limit %#x", idt->limit);
}
#endif
#ifndef OWN_LOAD_TR
void load_tr(u16 selector) { HARNESS_REFUSE("%#x", selector); }
#endif
#ifndef OWN_INB
u8 inb(u16 port) { HARNESS_REFUSE("%#x", port); }
#endif
#ifndef OWN_OUTB
void outb(u8 value, u16 port) { HARNESS_REFUSE("%#x, %#x", value, port); }
#endif
#ifndef OWN_OUTSB
void outsb(u16 port, const void *buf, size_t count)
{
	(void)buf;
	HARNESS_REFUSE("%#x, %zu bytes", port, count);
}
#endif
#ifndef OWN_SNP
unsigned int pvalidate(u64 addr, bool large, bool validate)
{
	HARNESS_REFUSE("%#lx, %u, %u", addr, large, validate);
}

unsigned int rmpadjust(u64 addr, u64 target)
{
	HARNESS_REFUSE("%#lx, %#lx", addr, target);
}

u64 vmgexit_svsm(u64 call, u64 argument, u8 *pending)
{
	HARNESS_REFUSE("%#lx, %#lx, %u", call, argument, *pending);
}
#endif
#ifndef OWN_HALT_FOREVER
noreturn void halt_forever(void)
{
	if (harness.expecting != TEST_HALT)
		HARNESS_REFUSE("unexpected");
	harness.expecting = 0;
	longjmp(harness.expected, TEST_HALT);
}
#endif

#endif /* HARNESS_CPU */

#ifndef HARNESS_NO_MAIN

/* Prints the result line of the running case. @why may be empty. */
static void harness_report(const char *verdict, const char *why)
{
	printf("%s unit/%s.%s", verdict, harness.program, harness.current);
	if (why[0] || harness.info[0])
		printf(": %s%s%s", why, why[0] && harness.info[0] ? ", " : "",
		       harness.info);
	putchar('\n');
	fflush(stdout);
}

/*
 * HARNESS_ASAN_OPTIONS: further options of AddressSanitizer, each preceded by a
 * colon. A program may define it before it includes this header.
 */
#ifndef HARNESS_ASAN_OPTIONS
#define HARNESS_ASAN_OPTIONS ""
#endif

/*
 * The sanitizers read their options from these functions. After an error they
 * call abort(), which raises SIGABRT. harness_crashed() then reports which case
 * was running.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1:handle_abort=0" HARNESS_ASAN_OPTIONS;
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

/*
 * Handler of SIGABRT: reports the running case as failed, then lets the signal
 * kill the program.
 */
static void harness_crashed(int signal_number)
{
	if (harness.current)
		harness_report("FAIL", "crashed, see stderr");
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/*
 * Runs one case and prints its result line. Returns false if the case failed.
 */
static bool harness_run(const struct test_case *test)
{
	harness.current = test->name;
	harness.expecting = 0;
	harness.checks = 0;
	harness.info[0] = '\0';
	harness.why[0] = '\0';

	switch (setjmp(harness.out)) {
	case 0:
		test->run();
		if (!harness.checks) {
			harness_report("FAIL", "checks nothing");
			return false;
		}
		harness_report("PASS", "");
		return true;
	case TEST_SKIPPED:
		harness_report("SKIP", harness.why);
		return true;
	default:
		harness_report("FAIL", harness.why);
		return false;
	}
}

/*
 * Runs the cases that the arguments name; without arguments, all cases. The
 * exit status is EXIT_FAILURE if a case failed.
 */
int main(int argc, char **argv)
{
	const struct test_case *test;
	bool wanted, good = true;
	const char *slash;
	int i;

	slash = strrchr(argv[0], '/');
	harness.program = slash ? slash + 1 : argv[0];
	if (!strncmp(harness.program, "test_", strlen("test_")))
		harness.program += strlen("test_");
	signal(SIGABRT, harness_crashed);

	for (test = harness.first; test; test = test->next) {
		wanted = argc < 2;
		for (i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], test->name);
		if (wanted)
			good &= harness_run(test);
	}
	harness.current = NULL;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif /* HARNESS_NO_MAIN */

#endif
