/* SPDX-License-Identifier: MIT */
/*
 * harness.h - the frame of a unit test program: test cases, checks, fatal
 * errors that can be expected, and a processor that refuses.
 *
 * A program includes this header once, then the stub's own .c files that it
 * tests, then defines its cases:
 *
 *	TEST(name)
 *	{
 *		CHECK(x == 3, "x is %d", x);
 *		EXPECT_ERROR(parse(bad), "bad header");
 *	}
 *
 * A case ends at its first failed check. One line is printed for each case.
 * To be defined before inclusion, where needed:
 *	HARNESS_OWN_ERROR	no error() here: the program includes misc.c
 *	HARNESS_CPU		define the privileged functions of x86.h; each
 *				fails the case. OWN_RDMSR and so on leave out
 *				the ones that the program supplies.
 *	HARNESS_NO_MAIN		no cases: a fuzzer calls (tests/fuzz/fuzz.h)
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* <sys/mman.h> may have defined it; ident_map.h has another one. */
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

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

enum harness_exit { TEST_FAILED = 1, TEST_SKIPPED, TEST_ERROR, TEST_HALT };

static struct {
	struct test_case *first, **last;
	const char *program;
	const char *current;	/* case that runs */
	jmp_buf out;		/* out of the case: failed, skipped */
	jmp_buf expected;	/* back into it: error(), halt_forever() */
	enum harness_exit expecting;
	unsigned int checks;	/* done in this case */
	char why[512];
	char info[128];
	u64 random;
} harness = { .last = &harness.first };

/*
 * Statements in EXPECT_ERROR() and EXPECT_HALT() change no variable of the case
 * that is looked at behind them, which GCC cannot know.
 */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

/* What the last expected error() said. */
static char harness_error_what[128];
static char harness_error_detail[512];

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

#define CHECK(cond, ...)						\
	do {								\
		harness.checks++;					\
		if (!(cond))						\
			harness_fail(__FILE__, __LINE__, #cond,		\
				     __VA_ARGS__);			\
	} while (0)

/* @stmt must end in error(@message, ...). */
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

/* @result = whether @stmt ended in error(). */
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

/* @stmt must end in halt_forever(); needs HARNESS_CPU. */
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

/* Leaves the case with a SKIP line. */
#define SKIP(...)							\
	do {								\
		snprintf(harness.why, sizeof(harness.why),		\
			 __VA_ARGS__);					\
		longjmp(harness.out, TEST_SKIPPED);			\
	} while (0)

/* Words for the end of the case's PASS or FAIL line: seeds, counts. */
#define INFO(...)							\
	snprintf(harness.info, sizeof(harness.info), __VA_ARGS__)

/* Where the case is, what it compared, and why that is wrong. */
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

/* The same numbers on every machine (splitmix64). */
static maybe_unused void random_seed(u64 seed)
{
	harness.random = seed;
}

static maybe_unused u64 random_u64(void)
{
	u64 x = harness.random += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static maybe_unused u64 random_below(u64 limit)
{
	return random_u64() % limit;
}

#ifndef HARNESS_OWN_ERROR
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

static void harness_report(const char *verdict, const char *why)
{
	printf("%s unit/%s.%s", verdict, harness.program, harness.current);
	if (why[0] || harness.info[0])
		printf(": %s%s%s", why, why[0] && harness.info[0] ? ", " : "",
		       harness.info);
	putchar('\n');
	fflush(stdout);
}

/* Further ones, each after a colon. */
#ifndef HARNESS_ASAN_OPTIONS
#define HARNESS_ASAN_OPTIONS ""
#endif

/* Sanitizers end the program with abort(), so that we can say in which case. */
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

static void harness_crashed(int signal_number)
{
	if (harness.current)
		harness_report("FAIL", "crashed, see stderr");
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

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

/* Runs every case, or those that the arguments name. */
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
