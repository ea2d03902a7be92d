/* SPDX-License-Identifier: MIT */
/*
 * gdb.h - gdb controls the guest over a socket (gdb.c).  All functions do nothing without
 * option --gdb.
 */
#ifndef SEVEMU_GDB_H
#define SEVEMU_GDB_H

#include "sevemu.h"

/*
 * Waits for gdb's commands before the guest's first instruction.  main.c calls it once,
 * when the guest is loaded.
 */
void gdb_start(struct vcpu *vcpu);

/*
 * Stops the guest if gdb's user has pressed Ctrl-C.  The run loop calls it after each exit.
 */
void gdb_exit(struct vcpu *vcpu);

/*
 * Handles an intercepted #DB that is gdb's, a breakpoint or a single step, and returns true.
 * Returns false for a #DB of the guest.
 */
bool gdb_db(struct vcpu *vcpu);

/* Tells gdb that the run has ended with @status, the exit status of sevemu. */
void gdb_end(u8 status);

#endif
