/* SPDX-License-Identifier: MIT */
/*
 * names.h - names for numbers, for the report, the trace and the log (names.c):
 * exit codes, MSR protocol requests, ABI violations and termination reasons.
 */
#ifndef SEVEMU_NAMES_H
#define SEVEMU_NAMES_H

#include "x86.h"

/* An exit or request code, and its name, which is a key in the JSON report. */
struct name {
	u64 code;
	const char *name;
};

#define EXIT_NAMES		31
#define MSR_NAMES		9
#define VIOLATION_NAMES		23

/*
 * Names of the SVM_EXIT_* and GHCB_EXIT_* codes of an SEV-ES guest, unsorted.
 */
extern const struct name exit_names[EXIT_NAMES];

/*
 * Names of the MSR protocol's requests, GHCB_MSR_*_REQ (GHCB 2.3.1), unsorted.
 */
extern const struct name msr_names[MSR_NAMES];

/* Names of ABI violations in the report; the index is VIOL_* (hooks.h). */
extern const char *const violation_names[VIOLATION_NAMES];

/*
 * The rule that each ABI violation breaks, as a sentence; the index is VIOL_*.
 */
extern const char *const violation_rules[VIOLATION_NAMES];

/* Returns the name that @exit_code has in exit_names, or "unknown". */
const char *exit_name(u64 exit_code);

/*
 * Returns the name of the project or specification that defines termination
 * reason set @set (0 to 15), or "unknown".  The GHCB specification defines set
 * 0 (GHCB 2.3.1), Linux set 1 and sevstub set 2.
 */
const char *reason_set_name(unsigned int set);

/*
 * Returns the meaning of termination reason @code (0 to 255) of @set (0 to 15),
 * or "unknown".
 */
const char *reason_name(unsigned int set, unsigned int code);

#endif
