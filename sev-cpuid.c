/* SPDX-License-Identifier: MIT */
/*
 * sev-cpuid.c - the C code that handles #VC in stage 1, which lasts until the GHCB page is
 * shared, and #VC for CPUID in stage 2. Other #VCs of stage 2 are handled in sev-vc.c.
 *
 * In stage 1 only the CPUID of ask_cpuid() may raise #VC. exception_vc, in assembly, handles
 * that one without a call of this file. Every #VC that reaches this file in stage 1 was
 * therefore injected by the hypervisor, and ends the boot.
 *
 * The hypervisor can inject #VC at any instruction and with any exit code. The functions of
 * this file run inside the handler and must not raise #VC, so they execute neither CPUID
 * nor port I/O.
 */
#include "ghcb.h"
#include "sev-snp.h"
#include "sev-vc.h"
#include "sev.h"
#include "x86.h"

/* ---- Stage 1. */

unsigned int vc_stage1(const struct exception_frame *frame)
{
	const u8 *insn = (const u8 *)frame->rip;
	u64 status = rdmsr(MSR_SEV_STATUS);

	/*
	 * Without SEV-ES the processor raises no #VC. The hypervisor has
	 * injected this one, and it is reported like any other exception.
	 */
	if (!(status & SEV_STATUS_SEV_ES))
		return X86_TRAP_VC;
	sev_guest.status = status;
	if (frame->error_code == SVM_EXIT_NOT_VALIDATED && status & SEV_STATUS_SNP)
		terminate(SEVSTUB_TERM_NOT_VALIDATED);
	if (frame->error_code != SVM_EXIT_CPUID)
		terminate(SEVSTUB_TERM_NO_GHCB);
	if (insn[0] != CPUID_BYTE0 || insn[1] != CPUID_BYTE1)
		terminate(SEVSTUB_TERM_OPCODE);
	if ((u32)frame->rcx)
		terminate(SEVSTUB_TERM_CPUID_SUBLEAF);
	terminate(SEVSTUB_TERM_NO_GHCB);
}

/* ---- Stage 2. */

unsigned int vc_cpuid(struct vc *vc)
{
	unsigned int vector;

	ghcb_input(rax, (u32)vc->regs[INSN_RAX]);
	ghcb_input(rcx, (u32)vc->regs[INSN_RCX]);
	if ((u32)vc->regs[INSN_RAX] == CPUID_XSTATE) {
		/*
		 * GHCB 4.1 requires XCR0 for CPUID leaf 0xd. XCR0 cannot be
		 * read while CR4.OSXSAVE is clear (APM2 11.5.2), so its reset
		 * value is sent.
		 */
		ghcb_input(xcr0, XCR0_RESET);
		ghcb_input(xss, 0);
	}
	vector = ghcb_exchange(SVM_EXIT_CPUID, 0, 0);
	if (vector)
		return vector;
	vc->regs[INSN_RAX] = (u32)ghcb_output(rax);
	vc->regs[INSN_RBX] = (u32)ghcb_output(rbx);
	vc->regs[INSN_RCX] = (u32)ghcb_output(rcx);
	vc->regs[INSN_RDX] = (u32)ghcb_output(rdx);
	return 0;
}

static void choose(u64 *reg, u32 known, u32 mask)
{
	*reg = (known & ~mask) | ((u32)*reg & mask);
}

unsigned int vc_snp_cpuid(struct vc *vc)
{
	struct cpuid_regs regs, mask;
	unsigned int vector;

	snp_cpuid((u32)vc->regs[INSN_RAX], (u32)vc->regs[INSN_RCX], &regs, &mask);
	if (mask.eax | mask.ebx | mask.ecx | mask.edx) {
		vector = vc_cpuid(vc);
		if (vector)
			return vector;
	}
	choose(&vc->regs[INSN_RAX], regs.eax, mask.eax);
	choose(&vc->regs[INSN_RBX], regs.ebx, mask.ebx);
	choose(&vc->regs[INSN_RCX], regs.ecx, mask.ecx);
	choose(&vc->regs[INSN_RDX], regs.edx, mask.edx);
	return 0;
}
