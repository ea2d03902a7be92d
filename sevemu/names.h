/* SPDX-License-Identifier: MIT */
/*
 * names.h - the names that the report, the trace and the log use for numbers
 * (names.c).  All may be used at any time.
 */
#ifndef SEVEMU_NAMES_H
#define SEVEMU_NAMES_H

#include "x86.h"

/* A number of the ABI and its name: a key of the report. */
struct name {
	u64 code;
	const char *name;
};

#define EXIT_NAMES		23
#define MSR_NAMES		9
#define VIOLATION_NAMES		12

/* SVM_EXIT_* and GHCB_EXIT_* codes that an SEV-ES guest can meet, unsorted. */
extern const struct name exit_names[EXIT_NAMES];

/* GHCB_MSR_*_REQ codes (GHCB 2.3.1), unsorted. */
extern const struct name msr_names[MSR_NAMES];

/* Names of the VIOL_* numbers, which are the indices. */
extern const char *const violation_names[VIOLATION_NAMES];

/* The rule that each VIOL_* number breaks, as a sentence; indices as above. */
extern const char *const violation_rules[VIOLATION_NAMES];

/* Returns the name that @exit_code has in exit_names, or "unknown". */
const char *exit_name(u64 exit_code);

/*
 * Returns who defines termination reason set @set (0 to 15), or "unknown".  Set
 * 0 is the GHCB specification's (GHCB 2.3.1), set 1 Linux's, set 2 the stub's.
 */
const char *reason_set_name(unsigned int set);

/*
 * Returns the meaning of termination reason @code (0 to 255) of @set (0 to 15),
 * or "unknown".
 */
const char *reason_name(unsigned int set, unsigned int code);

#endif
