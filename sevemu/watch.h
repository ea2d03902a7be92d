/* SPDX-License-Identifier: MIT */
/*
 * What is watched while a host lies: see watch.c.
 */
#ifndef SEVEMU_WATCH_H
#define SEVEMU_WATCH_H

#include "sevemu.h"

/* --watch: addresses, 0 where one is not known. */
struct watch {
	u64 payload, payload_end;	/* its bytes in memory, at its entry */
	u64 ghcb;			/* the stub's GHCB page */
	u64 proof;			/* code that runs once the C-bit is proven */
	u64 idt;			/* its link address, if the above are such */
};
extern struct watch watch;

void watch_own(u64 start, u64 end);
void watch_secret(u64 start, u64 end);
void watch_start(void);
void watch_keep(void);
void watch_stage_over(void);
void watch_entry(bool honest);
void watch_proven(void);
bool watch_is_proven(void);
void watch_fail(const char *what, u64 at);
const char *watch_fault(u64 *at);

/* chance.c */
void kaslr_option(char *value);
bool kaslr_wanted(void);
void kaslr_start(u64 run);
void kaslr_proven(void);
void kaslr_over(void);
void kaslr_see(u64 word, u64 gpa);
u64 kaslr_distance(void);
bool kaslr_owns(u64 gpa);
bool kaslr_nowhere(void);

/* npt.c */
bool npt_stored_shared(u64 gpa);

#endif
