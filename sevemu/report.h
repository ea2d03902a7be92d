/* SPDX-License-Identifier: MIT */
/*
 * report.h - counts what happens in a run, reports ABI violations, and ends the
 * run with a report (report.c).
 *
 * "Ends the run" means that a function writes the report and lets QEMU exit.
 * If campaign.c runs the guest many times from a snapshot, it means instead
 * that the function goes back to campaign.c by longjmp, and campaign.c starts
 * the next run.
 */
#ifndef SEVEMU_REPORT_H
#define SEVEMU_REPORT_H

#include "log.h"
#include "sevemu.h"

/*
 * Why a run has ended.  ends[] in report.c has the name in the JSON report and
 * the exit status of each.
 */
enum end {
	END_POWER_OFF,		/* the guest turned the machine off */
	END_RESET,		/* the guest reset the machine, as after a panic */
	END_HALT,		/* the guest's CPU halted with interrupts off */
	END_PASS,		/* the guest wrote DEBUG_EXIT_PASS to the debug-exit
				 * port, or all runs under attack ended as allowed */
	END_FAIL,		/* the guest wrote DEBUG_EXIT_FAIL to the debug-exit
				 * port, or a run under attack failed */
	/*
	 * The guest wrote a value to the debug-exit port that is neither
	 * DEBUG_EXIT_PASS nor DEBUG_EXIT_FAIL.
	 */
	END_DEBUG_EXIT,
	END_TERMINATED,		/* the guest made a GHCB termination request */
	END_VIOLATION,		/* the guest broke a rule of the GHCB specification */
	END_TRIPLE_FAULT,
	END_ERROR,		/* the guest did something that sevemu does not emulate
				 * or allow, or sevemu failed itself */
	END_USAGE,		/* an option is wrong; the guest was not started */
	END_TIMEOUT,		/* the sevemu script stopped the run: --timeout or
				 * --cpu-timeout was reached */
	END_CONSOLE,		/* the sevemu script stopped the run: the console has
				 * the line that --expect-line names */
	END_STOPPED,		/* the sevemu script stopped the run, because the script
				 * got a signal */
};

/*
 * What report_count() counts.  counter_names[] in report.c has the name of each
 * in the JSON report.
 */
enum counter {
	COUNT_TO_SHARED,	/* changes of a 4 KiB frame from private to shared */
	COUNT_TO_PRIVATE,	/* changes of a 4 KiB frame from shared to private */
	COUNT_NOTES,		/* private frames that the guest mapped with the C-bit
				 * clear and used as page table or as code */
	COUNT_MMIO_NOTES,	/* accesses to devices with the C-bit set */
	COUNT_VERSION_0,	/* GHCB requests of firmware with protocol version 0 */
	COUNT_NMI,		/* NMIs injected because a test guest asked for them */
	COUNT_EXITS,		/* VMEXITs of all kinds */
	COUNTERS_ALL,		/* number of the counters above, which all guests have */

	/* With --sev snp the report has an object "rmp" with the counters from here on. */
	COUNT_RMP_VALIDATED = COUNTERS_ALL, /* PVALIDATEs that validated a page */
	COUNT_RMP_RESCINDED,	/* PVALIDATEs that rescinded a page's validation */
	COUNT_RMP_DOUBLE,	/* PVALIDATEs of a page that was validated already */
	COUNT_RMP_LATE,		/* rescinding PVALIDATEs of a page not validated */
	COUNT_RMP_SIZE,		/* PVALIDATEs and RMPADJUSTs with a size mismatch */
	COUNT_RMP_MISMATCH,	/* accesses with the wrong C-bit for the page */
	COUNT_RMP_NOT_VALIDATED, /* accesses to private pages not validated */
	COUNT_RMP_IMPLICIT,	/* pages converted by --snp-convert=implicit */
	COUNT_RMP_TOUCHED,	/* untouched pages that an access made private or shared */
	COUNT_RMP_IMAGE,	/* firmware image's pages shared by a read with C=0 */
	COUNT_RMP_SMASHED,	/* 2 MiB RMP entries split into 4 KiB entries */
	COUNT_RMP_ADJUSTED,	/* RMPADJUSTs */
	COUNT_RMP_QUERIED,	/* RMPQUERYs */
	COUNT_PSC_ENTRIES,	/* entries of page state requests by the GHCB page */
	COUNT_SVSM_CALLS,	/* calls of the SVSM */
	COUNTERS,
};

/*
 * Starts the clock of report_now().  Called once, before any other function
 * here.
 */
void report_init(void);

/* Adds one to @counter. */
void report_count(enum counter counter);

/*
 * Counts a #VC exception that the guest gets with error code @exit_code
 * (SVM_EXIT_*).
 */
void report_vc(u64 exit_code);

/*
 * Notes that the guest's access to the private page @gpa raises #VC 0x404, because the
 * guest has not validated the page.  @access says what the guest did, such as "read".  If
 * the run fails before the guest gets another #VC, the log names @access and @gpa.
 */
void report_not_validated(const struct vcpu *vcpu, u64 gpa, const char *access);

/*
 * Counts a VMGEXIT by which the guest makes a request in its GHCB page.
 * @exit_code is the page's sw_exit_code, or 0 if the page could not be read.
 */
void report_vmgexit_page(u64 exit_code);

/*
 * Counts a VMGEXIT by which the guest makes a request of the MSR protocol (GHCB
 * 2.3.1).  @request is the request's code, bits 11:0 of the GHCB MSR.
 */
void report_vmgexit_msr(u64 request);

/*
 * Returns the count that a test guest asks for by @hook_count (HOOK_COUNT_* of
 * hooks.h), since the guest's start.  Returns HOOK_ERROR if @hook_count is
 * unknown.
 */
u64 report_figure(unsigned int hook_count);

/*
 * Copies all figures and the registers of @vcpu to the report's object "marker".
 * Called when the guest reaches the address of option --marker.  Only the first
 * call has an effect.
 */
void report_marker(const struct vcpu *vcpu);

/*
 * Measures how long the hypervisor runs.  Called with @enter true right before it
 * enters the guest or halts, and with @enter false right after a VMEXIT or a halt.
 */
void report_clock(bool enter);

/* Counts a VMEXIT of @vcpu. */
void report_exit(struct vcpu *vcpu);

/*
 * Copies all figures to the report's object "kernel_va".  Called once, at the
 * first VMEXIT with RIP in the upper half of the address space, where a kernel
 * runs.  @before is report_now() at the last VMEXIT with RIP in the lower half.
 */
void report_kernel_va(u64 before);

/*
 * Returns the ticks of the TSC since report_init().  With option --icount a
 * tick is one instruction of the guest or of the hypervisor.
 */
u64 report_now(void);

/*
 * Counts and reports that the guest broke a rule of the GHCB specification.
 * @code is the rule, VIOL_* (hooks.h).  @fmt says what was wrong.  With option
 * --strict, ends the run after every violation.  Without it, ends the run after
 * VIOL_GHCB_ADDRESS, VIOL_NOT_SNP, VIOL_UNSUPPORTED_EVENT, VIOL_RMP_MISMATCH and
 * VIOL_VMPL_RIGHTS, and with --sev snp after VIOL_GHCB_PRIVATE.  Otherwise returns,
 * and the caller replies to the guest as the specification demands.  If a test guest
 * has announced the violation by HOOK_EXPECT, only counts it and returns.
 */
void violation(struct vcpu *vcpu, unsigned int code, const char *fmt, ...)
	printf_like(3, 4);

/*
 * Ends the run.  @end is the kind of ending, @fmt the reason in words, for the
 * log and the report.  May be called at any time after report_init().  The
 * reason must not contain '"', '\' or control characters, because the JSON
 * report does not escape them.
 */
__attribute__((noreturn)) void end_run(enum end end, const char *fmt, ...)
	printf_like(2, 3);

/*
 * Ends the run because the sevemu script asks for it.  @request is a code of ports.h,
 * STOP_*.
 */
__attribute__((noreturn)) void end_stopped(u8 request);

/*
 * Returns whether the run ends and report.c writes the guest's registers to the log.  Reads
 * of the guest's memory must then cause no violation, and change no page of an SNP guest
 * between private and shared.
 */
bool report_ending(void);

/*
 * Ends the run because the guest has made a termination request (GHCB 2.3.1).
 * @request is the value of the GHCB MSR: 0x100 in bits 11:0, the reason set in
 * bits 15:12 and the reason code in bits 23:16.
 */
__attribute__((noreturn)) void end_terminated(u64 request);

/*
 * Writes the registers of @vcpu to the log and ends the run with END_ERROR,
 * because the guest did something that sevemu does not emulate or does not
 * allow.  @fmt is the reason, as in end_run().
 */
__attribute__((noreturn)) void end_error(struct vcpu *vcpu, const char *fmt, ...)
	printf_like(2, 3);

#endif
