/* SPDX-License-Identifier: MIT */
/*
 * watch_kaslr.h - secrecy of KASLR's random numbers and of the place that they
 * give to the payload (watch_kaslr.c, option --chance).
 *
 * Without --chance all functions do nothing, or return false or 0.
 */
#ifndef SEVEMU_WATCH_KASLR_H
#define SEVEMU_WATCH_KASLR_H

#include "sevemu.h"

/*
 * Takes the option's value, "RDRAND,STATE,FINISH,DECODE,RELOCATE": addresses in
 * the stub.  @value is cut into pieces.  A piece that is no number ends the run.
 */
void kaslr_option(char *value);

/* Returns whether --chance was given. */
bool kaslr_wanted(void);

/* Starts run number @run, which determines all random numbers of the run. */
void kaslr_start(u64 run);

/* Notes that the C-bit is proven: the next RDRAND is KASLR's. */
void kaslr_proven(void);

/*
 * Handles an intercepted #DB if it is one of this file's breakpoints.  Returns
 * true if so, and the guest may go on.
 */
bool kaslr_db(struct vcpu *vcpu);

/* Notes @byte, which the guest writes to I/O port @port. */
void kaslr_console(u16 port, u8 byte);

/*
 * Checks that @word, found at guest-physical @gpa where the host can read it, is
 * no random number and no address of the payload.
 */
void kaslr_see(u64 word, u64 gpa);

/* Ends the stage: checks what the guest wrote to the console. */
void kaslr_over(void);

/* Returns the distance from the payload's link address to its place, modulo 2^64. */
u64 kaslr_distance(void);

/* Returns whether @gpa lies in the place that the stub chose for the payload. */
bool kaslr_owns(u64 gpa);

/*
 * Returns whether part of the memory that the stub chose for the payload is not RAM,
 * because a lying loader's memory map called it RAM.
 */
bool kaslr_nowhere(void);

/*
 * Makes the present values of the general registers secrets that must not be on the
 * console, if they are large enough not to be there by accident.  Called when an
 * attack makes the guest report an exception.
 */
void kaslr_registers(const struct vcpu *vcpu);

#endif
