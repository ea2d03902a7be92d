/* SPDX-License-Identifier: MIT */
/*
 * sev-vc.h - the #VC handlers (sev-vc.c).
 */
#ifndef SEV_VC_H
#define SEV_VC_H

#include "exception.h"

/*
 * Handles a #VC: emulates the instruction at @frame's RIP with the hypervisor's
 * help (APM2 15.35.5). It uses the GHCB page if there is one; otherwise it can
 * emulate CPUID only, by the MSR protocol.
 * Returns 0 if @frame can be resumed, at the next instruction or at the same one
 * if repetitions are left. Otherwise returns the vector of the exception to
 * report: one that the instruction raises, an intercepted #DB or #AC, or #VC
 * itself if this is not an SEV-ES guest. A reply or an instruction that is not
 * allowed terminates the guest.
 */
unsigned int sev_es_vc(struct exception_frame *frame);

#endif
