/* SPDX-License-Identifier: MIT */
/* entry.h - declares the exception handlers in entry.S for main.c. */
#ifndef SEVEMU_ENTRY_H
#define SEVEMU_ENTRY_H

#include "layout.h"

/*
 * The handlers of the hypervisor's own exceptions, vectors 0 to 31.  The
 * handler of vector n starts n * HV_STUB_SIZE bytes after hv_exception_stubs.
 * main.c enters these addresses in the hypervisor's IDT.
 */
extern char hv_exception_stubs[];

/* The handler of the hypervisor's NMIs, which only returns or ends svm_sleep(). */
extern char hv_nmi[];

/*
 * The handler of vectors 32 to 255.  It only acknowledges the interrupt.  apic_reset() enables
 * interrupts for a moment, so that this handler takes those that are pending.
 */
extern char hv_interrupt[];

#endif
