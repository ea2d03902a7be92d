/* SPDX-License-Identifier: MIT */
/*
 * sev-vc.h - the #VC handlers (sev-vc.c, sev-cpuid.c).
 */
#ifndef SEV_VC_H
#define SEV_VC_H

#include "exception.h"
#include "insn.h"

/* The state of one #VC while it is handled. */
struct vc {
	struct exception_frame *frame;
	/* The general-purpose registers, indexed by enum insn_register. */
	u64 regs[INSN_REGS];
	struct insn insn;
	/*
	 * True if a string instruction has elements left. RIP then stays, and
	 * the processor executes the instruction again.
	 */
	bool again;
};

/*
 * Handles a #VC: emulates the instruction at @frame's RIP with the hypervisor's
 * help (APM2 15.35.5), by the GHCB page. Without a GHCB page the guest terminates.
 * Returns 0 if @frame can be resumed, at the next instruction or at the same one
 * if repetitions are left. Otherwise returns the vector of the exception to
 * report: one that the instruction raises, an intercepted #DB or #AC, or #VC
 * itself if this is not an SEV-ES guest. A reply or an instruction that is not
 * allowed terminates the guest.
 */
unsigned int sev_es_vc(struct exception_frame *frame);

/*
 * Handles a #VC while the GHCB page is not shared: terminates an SEV-ES guest. The only
 * instruction that may raise #VC then is the CPUID of ask_cpuid(), and exception_vc handles
 * the #VC of this CPUID without calling vc_stage1(). Without SEV-ES returns X86_TRAP_VC, and
 * the caller reports the exception.
 */
unsigned int vc_stage1(const struct exception_frame *frame);

/*
 * Emulate the CPUID of @vc by a request through the GHCB page, for which ghcb_begin()
 * was called. vc_snp_cpuid() is for SNP guests: it asks the hypervisor only for what the
 * CPUID page does not tell. Return 0, or the vector of the exception that the hypervisor
 * asks for.
 */
unsigned int vc_cpuid(struct vc *vc);
unsigned int vc_snp_cpuid(struct vc *vc);

#endif
