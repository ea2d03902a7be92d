/* SPDX-License-Identifier: MIT */
/*
 * harness.h - the frame of a unit test program: test cases, checks, expected
 * fatal errors, and stand-ins for the privileged instructions of x86.h.
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
 * A case ends at its first failed check. main() prints one line for each case:
 * PASS, FAIL or SKIP, the case's name and a reason. A case that executes no
 * CHECK() fails.
 *
 * A program may define these macros before it includes the header:
 *	HARNESS_OWN_ERROR	do not define error(), because the program
 *				includes a .c file that defines it
 *	HARNESS_CPU		define the privileged functions of x86.h; a
 *				call of any of them fails the case. OWN_RDMSR
 *				and so on leave out single functions, which the
 *				program then defines itself.
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

/* <sys/mman.h> may have defined MAP_DECRYPTED; ident_map.h defines the stub's. */
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

/* One TEST(). @next is the next case in the order of the source file. */
struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

/*
 * Values that longjmp() passes: why a case, or an expected failure, ended. 0 in
 * harness.expecting means that neither error() nor halt_forever() is expected.
 */
enum harness_exit { TEST_FAILED = 1, TEST_SKIPPED, TEST_ERROR, TEST_HALT };

/*
 * State of the running program. @first to @program are set before the first
 * case; harness_run() resets the fields of one case. Test programs use the
 * macros and functions below instead of these fields.
 */
static struct {
	struct test_case *first, **last;
	const char *program;
	/* name of the running case; NULL between cases */
	const char *current;
	jmp_buf out;		/* where FAIL and SKIP leave the case */
	/* where an expected error() or halt_forever() returns to */
	jmp_buf expected;
	enum harness_exit expecting;
	unsigned int checks;	/* number of CHECK()s that the case executed */
	/*
	 * Text of the result line: reason of FAIL or SKIP, then INFO()'s text.
	 */
	char why[512];
	char info[128];
	/* State of random_u64(). */
	u64 random;
} harness = { .last = &harness.first };

/*
 * GCC warns that longjmp() may clobber local variables that EXPECT_ERROR()'s or
 * EXPECT_HALT()'s statement changes. No case reads those variables afterwards.
 */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

/*
 * The title and the detail of the last expected error(), as texts. Cases may
 * read them after EXPECT_ERROR() or REFUSED().
 */
static char harness_error_what[128];
static char harness_error_detail[512];

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
 * exactly @message as its title. error() does not return, so statements behind
 * the call are not executed. The error's detail is in harness_error_detail.
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
 * SKIP(format, ...): ends the case as skipped, for the reason given. Used where
 * the machine that runs the tests lacks something.
 */
#define SKIP(...)							\
	do {								\
		snprintf(harness.why, sizeof(harness.why),		\
			 __VA_ARGS__);					\
		longjmp(harness.out, TEST_SKIPPED);			\
	} while (0)

/*
 * INFO(format, ...): text for the end of the case's PASS or FAIL line, for
 * example the seed of random numbers or how many inputs were tried. A second
 * INFO() replaces the first.
 */
#define INFO(...)							\
	snprintf(harness.info, sizeof(harness.info), __VA_ARGS__)

/*
 * Ends the running case as failed. @file and @line say where, @what is the text
 * of the condition, @fmt and its values say what was seen. CHECK() calls it;
 * stand-ins call it where a condition is not to be counted as a check.
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
 * on every machine, so a failure can be repeated. The generator is splitmix64.
 */
static maybe_unused void random_seed(u64 seed)
{
	harness.random = seed;
}

/* The next random number, any of 64 bits. */
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
 * error() of the stub. Returns into EXPECT_ERROR() or REFUSED() if the case
 * waits for an error, otherwise fails the case with the error's text.
 */
noreturn void error(const char *what, const char *fmt, ...)
{
	va_list args;

	snprintf(harness_error_what, sizeof(harness_error_what), "%s", what);
	va_start(args, fmt);
	vsnprintf(harness_error_detail, sizeof(harness_error_detail), fmt,
		  args);
	va_end(args);
	if (harness.expecting != TEST_ERROR)
		harness_fail("error()", 0, what, "%s", harness_error_detail);
	harness.expecting = 0;
	longjmp(harness.expected, TEST_ERROR);
}
#endif

#ifdef HARNESS_CPU

/*
 * Fails the case because the stub executed a privileged instruction that the
 * case does not expect. The arguments are a format and the instruction's
 * operands.
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
 * HARNESS_ASAN_OPTIONS: further options of AddressSanitizer, each after a
 * colon. A program may define it before it includes this header.
 */
#ifndef HARNESS_ASAN_OPTIONS
#define HARNESS_ASAN_OPTIONS ""
#endif

/*
 * A sanitizer that finds an error calls abort(), which raises SIGABRT.
 * harness_crashed() then names the running case.
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

/* Handler of SIGABRT: reports the running case, then lets the program die. */
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
 * Runs all cases, or only the cases that the arguments name. The exit status is
 * a failure if a case failed.
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
