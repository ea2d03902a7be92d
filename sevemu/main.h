/* SPDX-License-Identifier: MIT */
/*
 * main.h - the hypervisor's start, its options and its run loop (main.c).
 */
#ifndef SEVEMU_MAIN_H
#define SEVEMU_MAIN_H

#include "sevemu.h"

/* The options of this run.  Valid once hv_main() has read them from fw_cfg. */
extern struct config config;

/*
 * Physical address of the hypervisor's memory: HV_SIZE bytes that start on a
 * large page, at the top of RAM below 4 GiB.  hv_main() sets it first of all.
 */
extern u64 hv_base;

/*
 * Sets up the hypervisor and the guest, and runs the guest.  entry.S calls it
 * once, with .bss cleared, on the hypervisor's stack, with interrupts off.
 * @base becomes hv_base.  Does not return: report.c ends the run.
 */
void hv_main(u64 base);

/*
 * Prints an exception of the hypervisor itself, which is a bug, and ends the
 * run.  entry.S calls it from an exception stub.  @frame points to the vector,
 * the error code (0 if the vector has none), RIP, CS, RFLAGS, RSP and SS.
 */
void hv_exception_report(const u64 *frame);

/*
 * Runs the guest: enters it and handles each exit, until report.c ends the run
 * or campaign.c leaves by longjmp.  @vcpu must have been started by loader.c
 * or restored by snapshot.c.  Does not return.
 */
void vcpu_run(struct vcpu *vcpu);

/*
 * Returns the value of @s, decimal digits or "0x" and hexadecimal digits, modulo
 * 2^64; an empty string is 0.  May be called at any time.  Any other character
 * ends the run with END_ERROR.
 */
u64 parse_number(const char *s);

#endif
