/* SPDX-License-Identifier: MIT */
/*
 * What the 32-bit stage found, in a form that both the 32-bit and the 64-bit
 * compiler lay out alike. Before long mode there is no GHCB page and so no
 * console: the 64-bit part prints this.
 */
#ifndef GUEST_EARLY_H
#define GUEST_EARLY_H

#include <stdint.h>

#define EARLY_MAX	64

struct early_result {
	uint32_t name;		/* address of the case's name */
	uint32_t what;		/* address of what was compared */
	uint32_t got, want;
};

struct early_log {
	uint32_t count;
	struct early_result result[EARLY_MAX];
};
extern struct early_log early;

#endif
