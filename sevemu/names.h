/* SPDX-License-Identifier: MIT */
/*
 * The names that the report, the trace and the log use for numbers.
 */
#ifndef SEVEMU_NAMES_H
#define SEVEMU_NAMES_H

#include "x86.h"

/* An exit code or an MSR request, with its name in the report. */
struct name {
	u64 code;
	const char *name;
};

#define EXIT_NAMES		23
#define MSR_NAMES		9
#define VIOLATION_NAMES		12

extern const struct name exit_names[EXIT_NAMES];
extern const struct name msr_names[MSR_NAMES];
extern const char *const violation_names[VIOLATION_NAMES];

/* Termination: the set's name, and the reason in words. */
const char *reason_set_name(unsigned int set);
const char *reason_name(unsigned int set, unsigned int code);

#endif
