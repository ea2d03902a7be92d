/* SPDX-License-Identifier: MIT */
/*
 * early.h - results of the 32-bit stage. boot32.c records them, and main.c prints them,
 * because without a GHCB page there is no console before long mode. Addresses are 32
 * bits wide, so that both compilers lay the structs out in the same way.
 */
#ifndef GUEST_EARLY_H
#define GUEST_EARLY_H

#include <stdint.h>

#define EARLY_MAX	64	/* comparisons that fit */

/* A comparison of record() in boot32.c. The case has failed if got is not want. */
struct early_result {
	uint32_t name;		/* address of the case's name */
	uint32_t what;		/* address of the text that names the value */
	uint32_t got, want;
};

struct early_log {
	uint32_t count;		/* entries of result in use */
	struct early_result result[EARLY_MAX];
};
extern struct early_log early;

#endif
