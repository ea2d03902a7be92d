/* SPDX-License-Identifier: MIT */
/*
 * report.h - the figures of a run, ABI violations, and the ways in which a run
 * ends (report.c).
 *
 * During a campaign (campaign.c) the functions that end a run end only the
 * current one of its runs, and go back to campaign.c by longjmp.
 */
#ifndef SEVEMU_REPORT_H
#define SEVEMU_REPORT_H

#include "log.h"
#include "sevemu.h"

/* How a run ends.  report.c has the report's name and the exit status of each. */
enum end {
	END_POWER_OFF,
	END_RESET,		/* the guest reset the machine, as it does after a panic */
	END_HALT,		/* the only CPU waits for what cannot come */
	END_PASS,		/* DEBUG_EXIT_PASS, or a campaign without a failure */
	END_FAIL,		/* DEBUG_EXIT_FAIL, or a campaign with a failure */
	END_DEBUG_EXIT,		/* any value but DEBUG_EXIT_PASS and _FAIL */
	END_TERMINATED,		/* GHCB termination request */
	END_VIOLATION,		/* the guest broke the ABI */
	END_TRIPLE_FAULT,
	END_ERROR,		/* not modelled, forbidden, or sevemu cannot start */
	END_USAGE,		/* an option is wrong; nothing was started */
};

/* Counters that the report has under a name of their own. */
enum counter {
	COUNT_TO_SHARED,	/* frames that turned shared */
	COUNT_TO_PRIVATE,	/* frames that turned private */
	COUNT_NOTES,		/* frames that were walked or fetched with C=0 */
	COUNT_MMIO_NOTES,	/* device accesses with C=1 */
	COUNT_VERSION_0,	/* GHCB requests of firmware with protocol version 0 */
	COUNT_NMI,		/* NMIs injected on request of a hook */
	COUNT_EXITS,		/* all #VMEXITs */
	COUNTERS,
};

/* Starts the clock.  Called once, before everything else that counts. */
void report_init(void);

/* Adds one to @counter. */
void report_count(enum counter counter);

/* Counts a #VC with error code @exit_code (SVM_EXIT_*). */
void report_vc(u64 exit_code);

/*
 * Counts a VMGEXIT by the GHCB page.  @exit_code is its sw_exit_code, or 0 if
 * the page could not be read.
 */
void report_vmgexit_page(u64 exit_code);

/* Counts a VMGEXIT by the MSR protocol.  @request is bits 11:0 of the MSR. */
void report_vmgexit_msr(u64 request);

/* Returns the figure HOOK_COUNT_* @hook_count so far; HOOK_ERROR if unknown. */
u64 report_figure(unsigned int hook_count);

/* Copies all figures for the report's "marker"; only the first call counts. */
void report_marker(void);

/*
 * Splits the clock between guest and hypervisor.  The run loop calls it with
 * @enter true right before each svm_enter() and false right behind it.
 */
void report_clock(bool enter);

/*
 * Copies all figures for the report's "kernel_va".  Called once, at the first
 * exit with RIP in the upper half.  @before is report_now() at the last exit
 * below it.
 */
void report_kernel_va(u64 before);

/*
 * Returns the TSC's ticks since report_init(): one an instruction with --icount.
 */
u64 report_now(void);

/*
 * Counts and reports that the guest broke the ABI.  @code is VIOL_* (hooks.h),
 * @fmt says what was seen.  Ends the run with --strict and after violations that
 * leave no way to go on; returns otherwise, and the caller answers as the
 * specification says.  Only counts if the guest announced it by HOOK_EXPECT.
 */
void violation(struct vcpu *vcpu, unsigned int code, const char *fmt, ...)
	printf_like(3, 4);

/*
 * Ends the run as @end, with @fmt as the reason in the log and in the report.
 * May be called at any time behind report_init().  The reason must not contain
 * '"', '\' or control characters, because JSON would need them escaped.
 */
__attribute__((noreturn)) void end_run(enum end end, const char *fmt, ...)
	printf_like(2, 3);

/*
 * Ends the run because the guest asked for it.  @request is the GHCB MSR with
 * code 0x100: reason set in bits 15:12, reason code in 23:16 (GHCB 2.3.1).
 */
__attribute__((noreturn)) void end_terminated(u64 request);

/*
 * Ends the run with END_ERROR and a dump of @vcpu, because the guest did
 * something that is not modelled or not allowed.  @fmt as in end_run().
 */
__attribute__((noreturn)) void end_error(struct vcpu *vcpu, const char *fmt, ...)
	printf_like(2, 3);

#endif
