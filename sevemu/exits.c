/* SPDX-License-Identifier: MIT */
/*
 * exits.c - sets the guest's intercepts, and handles all exits in one switch,
 * exit_handle().
 *
 * Runs between an exit and the next VMRUN.  In an SEV-ES guest a non-automatic
 * exit becomes #VC (APM2 15.35.4).  In another guest the same exit is emulated
 * here.  Automatic exits (HLT, EFER, control registers) are emulated here for
 * all guests, and the guest does not notice them.
 */
#include "ap.h"
#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "attack_once.h"
#include "attack_snp.h"
#include "campaign.h"
#include "cpuid.h"
#include "dma.h"
#include "exception.h"
#include "exits.h"
#include "gdb.h"
#include "ghcb.h"
#include "guest_memory.h"
#include "hooks.h"
#include "hooks_host.h"
#include "insn.h"
#include "io.h"
#include "iommu.h"
#include "main.h"
#include "msr.h"
#include "npt.h"
#include "ports.h"
#include "report.h"
#include "sevemu.h"
#include "smp.h"
#include "snp_insn.h"
#include "watch.h"
#include "watch_kaslr.h"

/*
 * With --gdb: the intercepts of writes to DR0 to DR3 and DR7, one bit for each register.  The
 * guest must not write these registers, because gdb's breakpoints are in them.
 */
#define GDB_DR_WRITES		0x8f

/*
 * After this many writes of CR3 and CR4 in a row that change nothing, cr_same() turns their
 * intercepts off, because each intercept costs an exit.
 */
#define CR_SAME_MAX		64

/* Turns intercept number @bit of the VMCB's vector *@intercepts on or off. */
static void arm(u16 *intercepts, unsigned int bit, bool on)
{
	*intercepts = (*intercepts & ~(1 << bit)) | on << bit;
}

/*
 * Intercepts DR0 and DR7 while DR0 holds the address given by --marker, so that the
 * guest reads and writes its own values and not the hypervisor's.  Intercepts writes
 * of CR3 until the guest first runs in the upper half of the address space, where
 * kernels run.  watch_kernel_va() looks for that moment at each exit, and finds the
 * moment more exactly with these additional exits.  If cr_same() has turned the intercepts of
 * CR3 and CR4 off to save exits, they stay off.
 */
void exits_init(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	bool es = guest_is_es(), armed = vcpu->marker_armed;
	bool tsc = config.rdtsc || vcpu->intercepts & HOOK_INTERCEPT_RDTSC;

	v->icpt_cr_write = 0;
	arm(&v->icpt_cr_write, 3, vcpu->below_kernel_va && !vcpu->cr_free);
	arm(&v->icpt_cr_write, 4, !vcpu->cr_free);
	v->icpt_dr_read = v->icpt_dr_write = 0;
	arm(&v->icpt_dr_read, 0, armed);
	arm(&v->icpt_dr_write, 0, armed);
	arm(&v->icpt_dr_read, 7, es || armed);
	arm(&v->icpt_dr_write, 7, es || armed);
	if (config.gdb)
		v->icpt_dr_write |= GDB_DR_WRITES;
	v->icpt_exceptions =
		(armed || config.hostile || config.gdb || vcpu->intercepts & HOOK_INTERCEPT_DB ?
		 1u << X86_DB : 0) |
		(es && vcpu->intercepts & HOOK_INTERCEPT_AC ? 1u << X86_AC : 0) |
		(guest_is_snp() ? 1u << X86_UD : 0);
	v->icpt3 = ICPT3(SVM_EXIT_INIT) | ICPT3(SVM_EXIT_CPUID) | ICPT3(SVM_EXIT_HLT) |
		   ICPT3(SVM_EXIT_INVLPGA) | ICPT3(SVM_EXIT_IOIO) | ICPT3(SVM_EXIT_MSR) |
		   ICPT3(SVM_EXIT_SHUTDOWN) | ICPT3(SVM_EXIT_CR0_SEL);
	v->icpt4 = ICPT4(SVM_EXIT_VMRUN) | ICPT4(SVM_EXIT_VMMCALL) |
		   ICPT4(SVM_EXIT_VMLOAD) | ICPT4(SVM_EXIT_VMSAVE) |
		   ICPT4(SVM_EXIT_STGI) | ICPT4(SVM_EXIT_CLGI) | ICPT4(SVM_EXIT_SKINIT);
	if (config.smp > 1 || !config.hostile || (attack_on && attack_by_memory()))
		v->icpt3 |= ICPT3(SVM_EXIT_NMI);
	if (es) {
		v->icpt3 |= ICPT3(SVM_EXIT_RDPMC) | ICPT3(SVM_EXIT_INVD);
		v->icpt4 |= ICPT4(SVM_EXIT_WBINVD) | ICPT4(SVM_EXIT_MONITOR) |
			    ICPT4(SVM_EXIT_MWAIT) | ICPT4(SVM_EXIT_MWAIT_ARMED);
		if (tsc) {
			v->icpt3 |= ICPT3(SVM_EXIT_RDTSC);
			v->icpt4 |= ICPT4(SVM_EXIT_RDTSCP);
		}
	}
	if (vcpu->real_iret || (!es && vcpu->nmi_masked))
		v->icpt3 |= ICPT3(SVM_EXIT_IRET);
	/*
	 * Under --attack and --hostile the hypervisor uses DR0 to DR3 for
	 * breakpoints in the guest.  campaign.c enables them in the
	 * hypervisor's own DR7, because QEMU's VMRUN does not set the
	 * breakpoints of the guest's DR7.  QEMU raises #DB only if the guest's
	 * DR7 enables the breakpoint, too, so enable all four.  A
	 * register that holds no breakpoint has an address that no page of the
	 * guest has (breakpoint() in x86.h).
	 */
	if (config.hostile)
		v->dr7 = DR7_INIT | DR7_G0 | DR7_G1 | DR7_G2 | DR7_G3;
}

/*
 * Handles the guest's arrival at the address given by --marker: keeps a copy
 * of the present figures (numbers of exits and so on) for the report, and gives
 * DR0 and DR7, which held this breakpoint, back to the guest.
 */
static void marker_reached(struct vcpu *vcpu)
{
	report_marker(vcpu);
	vcpu->marker_armed = false;
	write_dr7(DR7_INIT);
	write_dr0(vcpu->guest_dr0);
	vcpu->vmcb->dr7 = guest_is_es() ? DR7_INIT : vcpu->dr7;
	vcpu->vmcb->dr6 &= ~(u64)DR6_B0;
	campaign_marker(vcpu);
	once_begin();
	exits_init(vcpu);
}

/*
 * Handles an intercepted #DB.  Its cause is the breakpoint of --marker, a
 * breakpoint or single step for --attack or --hostile, or the guest itself.
 */
static void exit_db(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;

	if (gdb_db(vcpu))
		return;
	if (vcpu->marker_armed && v->rip == config.marker && v->dr6 & DR6_B0)
		marker_reached(vcpu);
	else if (config.hostile && (campaign_proof(vcpu) || kaslr_db(vcpu) ||
				     events_db(vcpu)))
		exits_init(vcpu);
	else if (vcpu->intercepts & HOOK_INTERCEPT_DB && guest_is_es())
		vc_raise(vcpu, SVM_EXIT_EXCP_DB);
	else
		guest_raise(vcpu, X86_DB, 0);
}

/*
 * Emulates MOV to or from DR0 or DR7 while DR0 holds the breakpoint of
 * --marker.  The guest's values of these registers are in vcpu->guest_dr0 and
 * vcpu->dr7 meanwhile.
 */
static void exit_dr(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct insn insn;
	u64 *gpr, *shadow;

	insn_decode(vcpu, &insn);
	gpr = insn_operand(vcpu, &insn);
	shadow = MODRM_REG(insn.modrm) ? &vcpu->dr7 : &vcpu->guest_dr0;
	if (insn.opcode[1] == OP2_MOV_FROM_DR)
		*gpr = *shadow;
	else
		*shadow = MODRM_REG(insn.modrm) ? *gpr | DR7_INIT : *gpr;
	v->dr7 = (vcpu->dr7 & ~(u64)DR7_BP0_MASK) | DR7_G0;
	insn_advance(vcpu, &insn);
}

/*
 * Ends the run after a triple fault.  If the guest's last instruction was INT3, the
 * message says what that means: EDK2's firmware executes INT3 when an assertion
 * fails.  A build of EDK2 whose first phase is 32-bit code asserts in every SEV-ES
 * guest, because this phase cannot handle #VC.
 */
static __attribute__((noreturn)) void exit_shutdown(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct insn insn;

	insn_decode(vcpu, &insn);
	if (insn.opcode[0] != OP_INT3 &&
	    !(insn.opcode[0] == OP_INT && insn.bytes[insn.len] == X86_BP))
		end_run(END_TRIPLE_FAULT, "triple fault near rip %#lx (--trace shows the "
			"events before it)", v->rip);
	if (guest_is_es() && config.mode == MODE_OVMF && !guest_long_mode(vcpu))
		end_run(END_TRIPLE_FAULT, "triple fault at rip %#lx: firmware gave up at a "
			"breakpoint in 32-bit code. A build whose first phase is 32-bit, as "
			"OVMF_CODE_4M.fd of Debian 12 is, cannot run as an SEV-ES guest: "
			"give a build that is 64-bit, such as OVMF.fd", v->rip);
	end_run(END_TRIPLE_FAULT, "triple fault at rip %#lx: the guest executed a breakpoint "
		"(INT3) that it has no handler for, as EDK2's firmware does when an assertion "
		"fails", v->rip);
}

/*
 * Sets all bits of XMM8 to XMM15, which may lose their contents in legacy mode (Intel SDM volume
 * 1, 3.4.1.1).  QEMU keeps them, so that a guest that relies on this would fail on hardware only.
 */
static void lose_xmm8_to_15(void)
{
	asm volatile("pcmpeqd %xmm8, %xmm8; pcmpeqd %xmm9, %xmm9; pcmpeqd %xmm10, %xmm10;"
		     "pcmpeqd %xmm11, %xmm11; pcmpeqd %xmm12, %xmm12; pcmpeqd %xmm13, %xmm13;"
		     "pcmpeqd %xmm14, %xmm14; pcmpeqd %xmm15, %xmm15");
}

/*
 * Emulates a write to CR0 that changes another bit than TS and MP.  sevemu uses the
 * selective intercept (APM2 15.9), with which other writes cause no exit: firmware's #VC
 * handler writes CR0 at each #VC without a change, and an exit for each would be slow.
 * Setting PG with EFER.LME set activates long mode, clearing PG deactivates it (APM2 14.6).
 * The processor changes EFER.LMA then, so this function does it in the VMCB.
 */
static void exit_cr0(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	u64 old = v->cr0, new;
	struct guest_fault fault;
	struct insn insn;
	u16 msw;

	insn_decode(vcpu, &insn);
	if (insn.opcode[1] == OP2_MOV_TO_CR) {
		new = *insn_operand(vcpu, &insn);
	} else if (insn.opcode[1] == OP2_GROUP7) {
		msw = *insn_operand(vcpu, &insn);
		if (insn.modrm < MODRM_REGISTER &&
		    !guest_read(vcpu, insn_memory(vcpu, &insn), &msw, sizeof(msw), 0, &fault)) {
			guest_raise_pf(vcpu, &fault);
			return;
		}
		/* LMSW can set PE and cannot clear it (APM3). */
		new = (old & ~(u64)(CR0_MSW & ~CR0_PE)) | (msw & CR0_MSW);
	} else {
		end_error(vcpu, "CR0 is written by opcode %#x %#x; sevemu models MOV to CR0 "
			  "and LMSW", (unsigned int)insn.opcode[0],
			  (unsigned int)insn.opcode[1]);
	}

	new |= CR0_ET;
	if (new >> 32 || (new & CR0_PG && !(new & CR0_PE)) ||
	    (new & CR0_NW && !(new & CR0_CD)) ||
	    (new & CR0_PG && v->efer & EFER_LME && !(v->cr4 & CR4_PAE)) ||
	    (old & CR0_PG && !(new & CR0_PG) && v->cs.attrib & SEG_L && guest_long_mode(vcpu))) {
		guest_raise(vcpu, X86_GP, 0);
		return;
	}
	if (new & ~old & CR0_PG)
		events_paging(vcpu);
	if (!(new & CR0_PG) && guest_long_mode(vcpu))
		lose_xmm8_to_15();
	if (new & CR0_PG && v->efer & EFER_LME)
		v->efer |= EFER_LMA;
	else if (!(new & CR0_PG))
		v->efer &= ~(u64)EFER_LMA;
	v->cr0 = new;
	npt_flush();
	insn_advance(vcpu, &insn);
}

/*
 * Counts a write of CR3 or CR4.  @same says that the write has changed nothing.  EDK2's #VC
 * handler writes CR3 once and CR4 twice at each #VC, and leaves both as they were.  These exits
 * are half of all exits of firmware.  After many of them this function turns the intercepts
 * off, until cr_check() finds a change.
 */
static void cr_same(struct vcpu *vcpu, bool same)
{
	vcpu->cr_same = same ? vcpu->cr_same + 1 : 0;
	if (vcpu->cr_same < CR_SAME_MAX || !guest_is_es() || !guest_long_mode(vcpu) ||
	    !vcpu->below_kernel_va || config.hostile || config.once)
		return;
	vcpu->cr_free = true;
	vcpu->cr3_seen = vcpu->vmcb->cr3;
	vcpu->cr4_seen = vcpu->vmcb->cr4;
	exits_init(vcpu);
}

/*
 * Looks at an exit while writes of CR3 and CR4 are not intercepted.  They are intercepted
 * again if the guest has changed one of them, if it is about to change its paging mode, or
 * if it runs at a kernel's addresses.  Returns false if the guest must execute the
 * instruction again with the intercepts: QEMU has exited because the instruction sets a
 * bit that QEMU's processor does not have.
 *
 * In long mode a processor raises #GP at a write of CR4 that clears PAE or changes LA57.  QEMU
 * raises #GP only if 64-bit code changes LA57.  If the guest has cleared PAE, or 32-bit
 * code has changed LA57, this function ends the run, because it is too late for #GP.
 */
static bool cr_check(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;

	if (v->cr3 == vcpu->cr3_seen && v->cr4 == vcpu->cr4_seen && vcpu->below_kernel_va &&
	    v->exit_code != SVM_EXIT_CR0_SEL && (u32)v->exit_code != SVM_EXIT_INVALID)
		return true;
	vcpu->cr_free = false;
	vcpu->cr_same = 0;
	exits_init(vcpu);
	dma_tlb_flushed();
	if (!(v->cr4 & CR4_PAE) || (v->cr4 ^ vcpu->cr4_seen) & CR4_LA57)
		end_error(vcpu, "the guest has changed CR4 from %#lx to %#lx in long mode, "
			  "where a processor raises #GP: sevemu does not intercept these "
			  "writes after %u that changed nothing", vcpu->cr4_seen, v->cr4,
			  CR_SAME_MAX);
	return (u32)v->exit_code != SVM_EXIT_INVALID;
}

/*
 * Emulates MOV to CR3.  Bit 63 of the operand asks the processor to keep the
 * TLB and is not stored in CR3 (APM2 5.5.1).
 */
static void exit_cr3(struct vcpu *vcpu)
{
	struct insn insn;
	u64 new;

	insn_decode(vcpu, &insn);
	new = *insn_operand(vcpu, &insn) & ~CR3_NO_FLUSH;
	if (config.hostile)
		watch_tables(vcpu);
	if (new != vcpu->vmcb->cr3)
		events_cr3(vcpu, new);
	cr_same(vcpu, new == vcpu->vmcb->cr3);
	vcpu->vmcb->cr3 = new;
	npt_flush();
	dma_tlb_flushed();
	insn_advance(vcpu, &insn);
}

/*
 * Emulates MOV to CR4.  QEMU's processor would let the guest set LA57 although
 * the guest's CPUID lacks it, and change LA57 or clear PAE in long mode, which
 * APM2 3.1.3 forbids.  These writes raise #GP here, as on AMD's processors.
 */
static void exit_cr4(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct insn insn;
	u64 new;

	insn_decode(vcpu, &insn);
	new = *insn_operand(vcpu, &insn);
	if (new >> 32 || (new & CR4_LA57 && !config.la57) ||
	    (guest_long_mode(vcpu) && ((new ^ v->cr4) & CR4_LA57 || !(new & CR4_PAE)))) {
		guest_raise(vcpu, X86_GP, 0);
		return;
	}
	cr_same(vcpu, new == v->cr4);
	v->cr4 = new;
	npt_flush();
	dma_tlb_flushed();
	events_trigger(FROM_CR4);
	insn_advance(vcpu, &insn);
}

/*
 * Handles an intercepted HLT.  The guest executes HLT again without the
 * intercept, so that QEMU waits for an interrupt.  exit_handle() restores the
 * intercept at the next exit.
 *
 * QEMU loses STI's interrupt shadow at the exit, so the guest would take a
 * pending interrupt before HLT and then halt without a wake-up.  Interrupts are
 * therefore intercepted too, and exit_intr() lets the guest take them after
 * HLT.
 *
 * A virtual CPU that halts with interrupts off cannot wake up by itself unless an
 * NMI is pending.
 */
static void exit_hlt(struct vcpu *vcpu)
{
	if (!(vcpu->vmcb->rflags & RFLAGS_IF) &&
	    (!vcpu->nmi_pending || vcpu->nmi_masked)) {
		ap_halt(vcpu);
		return;
	}
	vcpu->vmcb->icpt3 &= ~ICPT3(SVM_EXIT_HLT);
	vcpu->vmcb->icpt3 |= ICPT3(SVM_EXIT_INTR);
	vcpu->hlt_rip = vcpu->vmcb->rip;
}

/*
 * Handles an interrupt that comes after exit_hlt(), which lets the guest execute HLT and
 * intercepts interrupts.  If RIP is still at HLT, the interrupt has come before HLT ran.  The
 * guest would take the interrupt, return to HLT and sleep, although its wake-up is over.  This
 * function therefore moves RIP to the instruction after HLT, as if the interrupt had woken the
 * processor.  The guest takes the interrupt at the next VMRUN.
 */
static void exit_intr(struct vcpu *vcpu)
{
	vcpu->vmcb->icpt3 &= ~ICPT3(SVM_EXIT_INTR);
	if (vcpu->vmcb->rip == vcpu->hlt_rip)
		insn_skip(vcpu);
}

/*
 * Handles an exit between STI and HLT, which is caused by the NMI of another processor or
 * by a nested page fault.  QEMU's VMRUN does not restore STI's interrupt shadow, so the
 * guest would take a pending interrupt in front of HLT and then halt without a wake-up.  This
 * function therefore calls exit_hlt() before the guest executes HLT.  exit_hlt() intercepts
 * interrupts, so that exit_intr() can let the guest take a pending one after HLT.  Instructions
 * other than HLT need no shadow, because they do not wait for an interrupt.
 */
static void exit_shadow(struct vcpu *vcpu)
{
	struct insn insn;

	insn_decode(vcpu, &insn);
	if (insn.opcode[0] == OP_HLT && vcpu->vmcb->rflags & RFLAGS_IF)
		exit_hlt(vcpu);
}

/*
 * Executes @insn, a VMGEXIT of the guest.  Returns whether the guest goes on after the
 * VMGEXIT.  Returns false if the guest has got #GP instead.
 */
static bool exit_vmgexit(struct vcpu *vcpu, const struct insn *insn)
{
	bool inject_gp = vmgexit(vcpu);

	insn_advance(vcpu, insn);
	if (inject_gp)
		guest_raise(vcpu, X86_GP, 0);
	else
		snp_attack_vmgexit(vcpu);
	return !inject_gp;
}

/*
 * Executes for an SNP guest, in the same exit, the instructions that usually follow a
 * write to the GHCB MSR: VMGEXIT, and a read of the GHCB MSR.  A guest that accepts
 * its memory page by page makes half a million requests for each GiB, and an exit takes
 * most of the time of a request.
 */
static void run_ahead(struct vcpu *vcpu)
{
	struct insn insn;

	/*
	 * Not in a campaign, which counts the guest's instructions by their exits, and may
	 * attack after each of them.
	 */
	if (!guest_is_snp() || config.hostile || !ap_runs(vcpu))
		return;
	insn_decode(vcpu, &insn);
	if (insn.rep && insn.opcode[1] == OP2_GROUP7 && insn.modrm == MODRM_VMMCALL) {
		if (!exit_vmgexit(vcpu, &insn))
			return;
		insn_decode(vcpu, &insn);
	}
	if (insn.opcode[0] == OPCODE_0F && insn.opcode[1] == OP2_RDMSR &&
	    (u32)vcpu->gpr[RCX] == MSR_GHCB) {
		vcpu->gpr[RAX] = (u32)vcpu->ghcb_msr;
		vcpu->gpr[RDX] = vcpu->ghcb_msr >> 32;
		insn_advance(vcpu, &insn);
	}
}

/*
 * Handles VMMCALL.  With a REP prefix in an SEV-ES guest it is VMGEXIT (APM2
 * 15.35.6).  Otherwise it is a call of hooks.h by a test guest, or a hypercall.
 * The hypervisor has no hypercalls: a hypercall raises #VC in an SEV-ES guest,
 * and returns -ENOSYS in other guests.
 */
static void exit_vmmcall(struct vcpu *vcpu)
{
	struct insn insn;

	insn_decode(vcpu, &insn);
	if (insn.rep && guest_is_es()) {
		if (exit_vmgexit(vcpu, &insn))
			run_ahead(vcpu);
	} else if (!hook_call(vcpu)) {
		if (guest_is_es()) {
			vc_raise(vcpu, SVM_EXIT_VMMCALL);
		} else {
			vcpu->gpr[RAX] = -(u64)KVM_ENOSYS;
			insn_advance(vcpu, &insn);
		}
	}
}

/*
 * Raises #VC for RDTSC or RDTSCP, or for INVD or WBINVD.  QEMU exits with the
 * same code for both instructions of a pair, so the opcode decides.  #VC's exit
 * code is @first if the instruction's second opcode byte is @opcode, and
 * @second otherwise.
 */
static void exit_pair(struct vcpu *vcpu, u8 opcode, u64 first, u64 second)
{
	struct insn insn;

	insn_decode(vcpu, &insn);
	vc_raise(vcpu, insn.opcode[1] == opcode ? first : second);
}

static void exit_cpuid(struct vcpu *vcpu)
{
	struct cpuid_regs r = guest_cpuid(vcpu, vcpu->gpr[RAX], vcpu->gpr[RCX]);

	vcpu->gpr[RAX] = r.eax;
	vcpu->gpr[RBX] = r.ebx;
	vcpu->gpr[RCX] = r.ecx;
	vcpu->gpr[RDX] = r.edx;
	insn_skip(vcpu);
}

/*
 * Emulates an access to the GHCB MSR or a read of SEV_STATUS.  The guest's
 * access to these MSRs never raises #VC (APM2 15.34.10, 15.35.7).  Returns
 * false, with *@value unchanged, for another MSR.
 */
static bool msr_automatic(struct vcpu *vcpu, u32 msr, bool write, u64 *value)
{
	if (msr == MSR_GHCB && guest_is_es()) {
		if (write)
			vcpu->ghcb_msr = *value;
		else
			*value = vcpu->ghcb_msr;
		return true;
	}
	if (msr == MSR_SEV_STATUS && config.sev != SEV_OFF && !write) {
		*value = attack_status(SEV_STATUS_SEV |
				       (guest_is_es() ? SEV_STATUS_ES : 0) |
				       (guest_is_snp() ? SEV_STATUS_SNP : 0));
		return true;
	}
	return false;
}

static void exit_msr(struct vcpu *vcpu)
{
	bool write = vcpu->vmcb->exit_info_1 & MSR_INTERCEPT_WRITE;
	u64 value = (u32)vcpu->gpr[RAX] | vcpu->gpr[RDX] << 32;
	u32 msr = vcpu->gpr[RCX];
	bool done = msr_automatic(vcpu, msr, write, &value);

	if (!done && guest_is_es() && msr != MSR_EFER && msr != MSR_SEV_STATUS) {
		vc_raise(vcpu, SVM_EXIT_MSR);
		return;
	}
	if (!done)
		done = write ? msr_write(vcpu, msr, value) : msr_read(vcpu, msr, &value);
	if (!done) {
		guest_raise(vcpu, X86_GP, 0);
		return;
	}
	if (!write) {
		vcpu->gpr[RAX] = (u32)value;
		vcpu->gpr[RDX] = value >> 32;
	}
	insn_skip(vcpu);
	if (write && msr == MSR_GHCB)
		run_ahead(vcpu);
}

bool exits_stop(void)
{
	u8 request = io_stop_request();

	if (request == STOP_ATTACK)
		once_begin();
	else if (request)
		end_stopped(request);
	return request;
}

/*
 * Handles an NMI of the machine.  The NMI is for the hypervisor if it comes from campaign.c's
 * timer, from the sevemu script (exits_stop()), or from another processor that wants this one
 * to leave the guest.  Otherwise the NMI is for the guest.
 */
static void exit_nmi(struct vcpu *vcpu)
{
	if (config.hostile) {
		campaign_alarm();
		return;
	}
	/* An NMI that the sevemu script has sent is not the guest's: the hypervisor takes it. */
	if (exits_stop()) {
		smp_take_nmi(vcpu);
		return;
	}
	if (config.smp > 1) {
		if (!vcpu->kicked)
			vcpu->nmi_pending = true;
		smp_take_nmi(vcpu);
		return;
	}
	/* Without this intercept the guest takes the pending NMI at the next VMRUN. */
	vcpu->vmcb->icpt3 &= ~ICPT3(SVM_EXIT_NMI);
}

/*
 * Executes an IRET in real mode with the stack pointer ESP.  QEMU's processor uses SP
 * in real mode even if SS.B is set, as it is when code has come from protected mode.
 */
static void real_iret(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	u32 esp = v->ss.attrib & SEG_DB ? v->rsp : (u16)v->rsp;
	struct guest_fault fault;
	u16 frame[3];

	guest_read(vcpu, (u32)(v->ss.base + esp), frame, sizeof(frame), 0, &fault);
	v->rip = frame[0];
	v->cs.selector = frame[1];
	v->cs.base = (u64)frame[1] << 4;
	v->rflags = (v->rflags & ~0xffffull) | frame[2] | RFLAGS_FIXED;
	v->rsp += sizeof(frame);
}

/*
 * Handles an intercepted IRET.  Either the guest's NMI handler returns, so that NMIs are
 * no longer masked.  Or the guest leaves long mode for real mode, as firmware's APs do
 * after an AP reset hold.  real_iret() executes this AP's IRET in real mode.  Any other
 * IRET is executed again by the guest, without the intercept.
 */
static void exit_iret(struct vcpu *vcpu)
{
	if (!guest_is_es())
		vcpu->nmi_masked = false;
	if (vcpu->real_iret && !(vcpu->vmcb->cr0 & CR0_PE))
		real_iret(vcpu);
	vcpu->real_iret = false;
	exits_init(vcpu);
}

/*
 * If the exit occurred during the delivery of an exception or interrupt,
 * injects this event again at the next VMRUN (APM2 15.7.2).  A software
 * interrupt is not injected, because the guest executes its INT instruction
 * again.  QEMU reports hardware interrupts with type "exception", but refuses
 * to inject this type with a vector above 31.  These vectors therefore get type
 * 0, hardware interrupt.
 */
static void requeue_event(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	u32 event = v->exit_int_info;

	if (!(event & EVENT_VALID) || (event & EVENT_TYPE_MASK) == EVENT_TYPE_SOFT)
		return;
	if ((event & EVENT_VECTOR) >= X86_EXCEPTIONS)
		event &= ~(EVENT_TYPE_MASK | EVENT_ERROR_VALID);
	v->event_inj = event;
	v->event_inj_error = v->exit_int_error;
}

/*
 * At the first exit with RIP in the upper half of the address space, where
 * kernels run, keeps a copy of the present figures (numbers of exits and so on)
 * for "kernel_va" of the report.  docs/emulator.md says how exact they are.
 */
static void watch_kernel_va(struct vcpu *vcpu)
{
	if (guest_long_mode(vcpu) && vcpu->vmcb->rip >> 63) {
		report_kernel_va(vcpu->last_seen);
		vcpu->below_kernel_va = false;
		exits_init(vcpu);
	}
	vcpu->last_seen = report_now();
}

void exit_handle(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;

	if (vcpu->below_kernel_va)
		watch_kernel_va(vcpu);
	if (vcpu->cr_free && !cr_check(vcpu))
		return;
	iommu_check();
	v->icpt3 |= ICPT3(SVM_EXIT_HLT) | (config.hostile ? 0 : ICPT3(SVM_EXIT_NMI));
	requeue_event(vcpu);

	switch (v->exit_code) {
	case SVM_EXIT_NPF:
		npt_fault(vcpu);
		break;
	case SVM_EXIT_VMMCALL:
		exit_vmmcall(vcpu);
		break;
	case SVM_EXIT_MSR:
		exit_msr(vcpu);
		break;
	case SVM_EXIT_CPUID:
		if (guest_is_es())
			vc_raise(vcpu, v->exit_code);
		else
			exit_cpuid(vcpu);
		break;
	case SVM_EXIT_IOIO:
		if (guest_is_es())
			vc_raise(vcpu, v->exit_code);
		else
			io_exit(vcpu);
		break;
	case SVM_EXIT_READ_DR7:
	case SVM_EXIT_WRITE_DR7:
		if (guest_is_es())
			vc_raise(vcpu, v->exit_code);
		else if (config.gdb)
			insn_skip(vcpu);
		else
			exit_dr(vcpu);
		break;
	case SVM_EXIT_RDTSC:
	case SVM_EXIT_RDTSCP:
		exit_pair(vcpu, OP2_RDTSC, SVM_EXIT_RDTSC, SVM_EXIT_RDTSCP);
		break;
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
		exit_pair(vcpu, OP2_INVD, SVM_EXIT_INVD, SVM_EXIT_WBINVD);
		break;
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_EXCP_AC:
		vc_raise(vcpu, v->exit_code);
		break;
	case SVM_EXIT_MWAIT_ARMED:
		vc_raise(vcpu, SVM_EXIT_MWAIT);
		break;
	case SVM_EXIT_WRITE_DR0 + 1:
	case SVM_EXIT_WRITE_DR0 + 2:
	case SVM_EXIT_WRITE_DR0 + 3:
		insn_skip(vcpu);
		break;
	case SVM_EXIT_READ_DR0:
	case SVM_EXIT_WRITE_DR0:
		if (config.gdb)
			insn_skip(vcpu);
		else
			exit_dr(vcpu);
		break;
	case SVM_EXIT_CR0_SEL:
		exit_cr0(vcpu);
		break;
	case SVM_EXIT_WRITE_CR3:
		exit_cr3(vcpu);
		break;
	case SVM_EXIT_WRITE_CR4:
		exit_cr4(vcpu);
		break;
	case SVM_EXIT_EXCP_DB:
		exit_db(vcpu);
		break;
	case SVM_EXIT_EXCP_UD:
		snp_exit_ud(vcpu);
		break;
	case SVM_EXIT_NMI:
		exit_nmi(vcpu);
		break;
	case SVM_EXIT_HLT:
		exit_hlt(vcpu);
		break;
	case SVM_EXIT_INTR:
		exit_intr(vcpu);
		break;
	case SVM_EXIT_IRET:
		exit_iret(vcpu);
		break;
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
		/* SVM's instructions raise #UD, because the guest's CPUID has no SVM. */
		guest_raise(vcpu, X86_UD, 0);
		break;
	case SVM_EXIT_SHUTDOWN:
		exit_shutdown(vcpu);
	default:
		end_error(vcpu, "the guest caused SVM exit %#lx (APM2 appendix C), which "
			  "sevemu does not model", v->exit_code);
	}
	if (v->int_state & INT_SHADOW && v->exit_code != SVM_EXIT_HLT)
		exit_shadow(vcpu);
}
