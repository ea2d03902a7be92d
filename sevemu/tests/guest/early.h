/* SPDX-License-Identifier: MIT */
/*
 * early.h - results of the test guest's 32-bit code. boot32.c records them and main.c
 * prints them later, because without a GHCB page an SEV-ES guest has no console before
 * long mode. Addresses are 32 bits wide, so that the 32-bit and the 64-bit compiler lay
 * the structs out in the same way.
 */
#ifndef GUEST_EARLY_H
#define GUEST_EARLY_H

#include <stdint.h>

/* The number of comparisons for which struct early_log has room. */
#define EARLY_MAX	96

/*
 * A comparison that record() in boot32.c has made. The case has failed if @got is not
 * @want.
 */
struct early_result {
	uint32_t name;		/* address of the case's name */
	/* Address of the text that names the compared value. */
	uint32_t what;
	uint32_t got, want;
};

struct early_log {
	/* The number of elements of @result in use. */
	uint32_t count;
	struct early_result result[EARLY_MAX];
};
extern struct early_log early;

#endif
