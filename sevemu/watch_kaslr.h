/* SPDX-License-Identifier: MIT */
/*
 * watch_kaslr.h - checks that the host cannot learn KASLR's random numbers, nor
 * the address that the stub's KASLR chose for the payload (watch_kaslr.c).
 *
 * Option --chance enables the checks.  Without it all functions do nothing, or
 * return false or 0.
 */
#ifndef SEVEMU_WATCH_KASLR_H
#define SEVEMU_WATCH_KASLR_H

#include "sevemu.h"

/*
 * Parses the value of option --chance, "RDRAND,STATE,FINISH,DECODE,RELOCATE",
 * five addresses in the stub.  Replaces the commas in @value by NUL.  Ends the
 * run if an element is not a number.
 */
void kaslr_option(char *value);

/* Returns whether --chance was given. */
bool kaslr_wanted(void);

/*
 * Starts to check a run of the guest.  The run's number @run determines all
 * random numbers that the guest's RDRAND returns, so that the run can be
 * repeated.
 */
void kaslr_start(u64 run);

/*
 * Returns the virtual address to which the stub has relocated the payload in this
 * run.  Returns 0 if the stub has not relocated the payload yet, or without --chance.
 */
u64 kaslr_virtual(void);

/*
 * Returns secret number @i of this run, counted from 0.  A secret number is a result of
 * KASLR's RDRAND, the random number that the stub computes from such a result, or a word of
 * the state of the stub's random-number generator.  Returns 0 if there are at most @i secret
 * numbers so far.
 */
u64 kaslr_number(unsigned int i);

/*
 * Saves what watch_kaslr.c has seen of the present run, and the random numbers that the stub has
 * drawn in it.  A run from a snapshot starts after these events, so kaslr_start() restores the
 * record then.  campaign.c calls this function when it takes the snapshot.
 */
void kaslr_keep(void);

/*
 * Called when the stub has proven that its C-bit is right.  Moves the
 * breakpoint in DR2, which campaign.c has set to the code after the proof, to
 * KASLR's RDRAND instruction.
 */
void kaslr_proven(void);

/*
 * Handles an intercepted #DB if a breakpoint of watch_kaslr.c has caused it.
 * Returns true if it was handled, and the guest may continue.
 */
bool kaslr_db(struct vcpu *vcpu);

/*
 * Called when the guest writes @byte to @port.  Saves the bytes that go to the
 * serial console, in which kaslr_over() looks for secret addresses.
 */
void kaslr_console(u16 port, u8 byte);

/*
 * Fails the run if @word is one of KASLR's random numbers or an address of the
 * payload.  watch.c calls it for each word that the host can read; @gpa is the
 * word's guest-physical address.
 */
void kaslr_see(u64 word, u64 gpa);

/*
 * Calls @see for each hexadecimal number in the last TEXT_MAX bytes that the stub wrote
 * to the console.
 */
void kaslr_each_number(void (*see)(u64 number));

/*
 * Called when the stub has run.  Fails the run if the stub wrote an address of
 * the payload to the console.
 */
void kaslr_over(void);

/*
 * Returns the address at which the stub puts the payload, minus the payload's
 * link address, modulo 2^64.  Returns 0 before the stub decodes the payload.
 */
u64 kaslr_distance(void);

/*
 * Returns whether @gpa lies in the memory that the stub's KASLR chose for the
 * payload.
 */
bool kaslr_owns(u64 gpa);

/*
 * Returns whether part of the memory that the stub's KASLR chose for the
 * payload is not RAM.  This happens if the loader attacks the stub by a wrong
 * memory map.
 */
bool kaslr_nowhere(void);

/*
 * Makes the present values of the general registers secrets that must not be on the
 * console, if they are too large to be there by accident.  Called when an
 * attack makes the guest report an exception.
 */
void kaslr_registers(const struct vcpu *vcpu);

#endif
