/* SPDX-License-Identifier: MIT */
/*
 * sev-vc.h - the #VC handlers (sev-vc.c).
 */
#ifndef SEV_VC_H
#define SEV_VC_H

#include "exception.h"

/*
 * Handles a #VC: emulates the instruction at @frame's RIP with the hypervisor's
 * help, by the MSR protocol until sev_es_setup_ghcb() has run and by the GHCB
 * afterwards (APM2 15.35.5).
 * Returns 0 when the instruction is done. Otherwise returns the vector of the
 * exception to report: one that the instruction raises, or #VC itself if this
 * is not an SEV-ES guest. A reply or an instruction that is not allowed
 * terminates the guest.
 */
unsigned int sev_es_vc(struct exception_frame *frame);

#endif
