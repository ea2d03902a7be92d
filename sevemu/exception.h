/* SPDX-License-Identifier: MIT */
/*
 * exception.h - exceptions that the hypervisor delivers to the guest
 * (exception.c).
 *
 * All functions may be called between an exit and the next VMRUN.  The guest's
 * RIP must be at the instruction to which the guest's handler is to return.
 * Afterwards RIP is at the first instruction of that handler.  If the delivery
 * causes another exception, that exception or a double fault is delivered
 * instead (APM2 8.2.9).  A triple fault terminates sevemu.
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
 * Delivers exception @vector and pushes no error code, even if the vector has one, as
 * after a host has injected it with the type of an interrupt (APM2 15.20).
 */
void guest_raise_bare(struct vcpu *vcpu, unsigned int vector);

/*
 * Delivers #PF with the error code and the CR2 in *@fault, which guest_read(),
 * guest_write() or guest_translate() has filled in.  Calls vc_not_validated() instead
 * if @fault->not_validated is set.
 */
void guest_raise_pf(struct vcpu *vcpu, const struct guest_fault *fault);

/*
 * Delivers #VC (vector 29) with @exit_code, an SVM_EXIT_* code, as its error
 * code (APM2 15.35.5), and counts the #VC in the report.  For an SEV-ES guest
 * only.
 */
void vc_raise(struct vcpu *vcpu, u64 exit_code);

/*
 * Delivers #VC 0x404, because the guest has accessed private memory that it has not
 * validated (APM2 15.36).  If the access was part of the delivery of an event
 * that is to be injected again, #VC takes the place of that event, or becomes a
 * double fault (APM2 8.2.9).  For an SNP guest only.
 */
void vc_not_validated(struct vcpu *vcpu);

#endif
