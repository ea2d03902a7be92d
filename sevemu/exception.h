/* SPDX-License-Identifier: MIT */
/*
 * exception.h - exceptions that the hypervisor delivers to the guest
 * (exception.c).
 *
 * All may be called between an exit and the next entry, with RIP at the
 * instruction to which the guest's handler returns, and afterwards the guest
 * stands at the first instruction of that handler.  A fault during delivery
 * becomes the exception that APM2 8.2.9 asks for; a triple fault ends the run.
 */
#ifndef SEVEMU_EXCEPTION_H
#define SEVEMU_EXCEPTION_H

#include "guest_memory.h"
#include "sevemu.h"

/*
 * Delivers interrupt or exception @vector (0 to 255).  @error_code is pushed if
 * the vector has one (X86_HAS_ERROR_CODE), and is ignored otherwise.
 */
void guest_raise(struct vcpu *vcpu, unsigned int vector, u32 error_code);

/*
 * Delivers exception @vector without an error code, as a host does that injects it
 * with the type of an interrupt (APM2 15.20).
 */
void guest_raise_bare(struct vcpu *vcpu, unsigned int vector);

/* Delivers the page fault *@fault, which guest_read() or guest_write() met. */
void guest_raise_pf(struct vcpu *vcpu, const struct guest_fault *fault);

/*
 * Delivers #VC (vector 29) with @exit_code, an SVM_EXIT_* code, as its error
 * code (APM2 15.35.5), and counts it.  For an SEV-ES guest only.
 */
void vc_raise(struct vcpu *vcpu, u64 exit_code);

#endif
