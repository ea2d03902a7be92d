/* SPDX-License-Identifier: MIT */
/*
 * ap.c - how the guest's virtual CPUs start, stop and start again: INIT, SIPI, AP
 * reset hold, AP creation, HLT with interrupts off.
 *
 * Runs between a VMEXIT and the next VMRUN, with the hypervisor's lock held.  The
 * rules are those of KVM.
 *
 *	state	INIT				SIPI		AP creation
 *	off	-> init				is ignored	-> run
 *	run	-> init				is ignored	goes on elsewhere
 *	hold	-> init, the hold goes on	is ignored	-> run
 *	halted	-> init				is ignored	-> run
 *	init	stays				-> run		-> run
 */
#include "ap.h"
#include "apic.h"
#include "exits.h"
#include "ghcb.h"
#include "insn.h"
#include "loader.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "smp.h"

/* Lets @vcpu run the guest, and wakes its processor. */
static void run(struct vcpu *vcpu)
{
	vcpu->state = VCPU_RUN;
	vcpu->starts++;
	trace("start %u rip %#lx cs %#lx", vcpu->id, vcpu->vmcb->rip, vcpu->vmcb->cs.base);
	smp_kick(vcpu);
}

/* Ends the run if no virtual CPU is left that could wake the others. */
static void check_alive(void)
{
	unsigned int i;

	for (i = 0; i < config.smp; i++)
		if (vcpus[i].state == VCPU_RUN)
			return;
	end_run(END_HALT, "guest gave up: each of its %u CPUs is halted with interrupts off or "
		"waits for a start-up IPI (its console may say why)", config.smp);
}

/*
 * Lets @vcpu go on with the registers in the VMSA page at @gpa.  VMSA and VMCB have
 * segments, control registers and so on at the same offsets.
 */
static void load_vmsa(struct vcpu *vcpu, u64 gpa)
{
	const u8 *page = npt_host(gpa);
	struct vmcb *v = vcpu->vmcb;

	memcpy(&v->es, page, VMSA_SAME);
	memcpy(&vcpu->gpr[RCX], page + VMSA_RCX, 3 * sizeof(u64));
	memcpy(&vcpu->gpr[RBP], page + VMSA_RBP, 11 * sizeof(u64));
	vcpu->gpr[RAX] = v->rax;
	vcpu->gpr[RSP] = v->rsp;
	vcpu->dr7 = v->dr7;
	vcpu->vmpl = page[VMSA_VMPL];
	v->event_inj = 0;
	v->int_state = 0;
	vcpu->vmsa = gpa;
	vcpu->hold = HOLD_NONE;
	vcpu->started = true;
	vcpu->nmi_pending = vcpu->nmi_masked = vcpu->real_iret = false;
	exits_init(vcpu);
	/* The nested page tables that the processor uses depend on the paging mode. */
	npt_flush();
	run(vcpu);
}

void ap_create(struct vcpu *vcpu, u64 vmsa, bool on_init)
{
	if (on_init) {
		vcpu->vmsa_on_init = vmsa;
		return;
	}
	smp_stop_others();
	load_vmsa(vcpu, vmsa);
}

void ap_destroy(struct vcpu *vcpu)
{
	smp_stop_others();
	vcpu->vmsa = vcpu->vmsa_on_init = GHCB_NONE;
	vcpu->started = vcpu->has_launch = false;
	vcpu->state = VCPU_OFF;
	trace("destroy %u", vcpu->id);
	check_alive();
	smp_kick(vcpu);
}

void ap_init(struct vcpu *vcpu)
{
	smp_stop_others();
	vcpu->nmi_pending = vcpu->nmi_masked = false;
	vcpu->reset_apic = true;
	if (vcpu->vmsa_on_init != GHCB_NONE) {
		load_vmsa(vcpu, vcpu->vmsa_on_init);
		vcpu->vmsa_on_init = GHCB_NONE;
		return;
	}
	if (vcpu->state == VCPU_INIT)
		return;
	vcpu->state = VCPU_INIT;
	trace("init %u", vcpu->id);
	check_alive();
	/* Its processor resets its local APIC before it runs the guest again. */
	smp_kick(vcpu);
}

void ap_sipi(struct vcpu *vcpu, u8 vector)
{
	if (vcpu->state != VCPU_INIT)
		return;
	smp_stop_others();
	if (!guest_is_es())
		loader_real_mode(vcpu, vector << 8, vector << 12, 0);
	else if (!vcpu->started && !vcpu->has_launch)
		return;
	else if (vcpu->started && vcpu->hold != HOLD_NONE)
		ghcb_end_hold(vcpu);
	vcpu->hold = HOLD_NONE;
	vcpu->started = true;
	exits_init(vcpu);
	run(vcpu);
}

void ap_nmi(struct vcpu *vcpu)
{
	if (vcpu->state == VCPU_OFF || vcpu->state == VCPU_INIT)
		return;
	vcpu->nmi_pending = true;
	/* The guest asks for AP reset hold again, because no SIPI has answered it. */
	vcpu->hold = HOLD_NONE;
	vcpu->state = VCPU_RUN;
	smp_kick(vcpu);
}

void ap_hold(struct vcpu *vcpu, enum ap_hold hold, u64 ghcb)
{
	if (config.smp == 1)
		end_run(END_HALT, "guest gave up: its only CPU waits for a start-up IPI");
	vcpu->hold = hold;
	vcpu->hold_ghcb = ghcb;
	vcpu->state = VCPU_HOLD;
	trace("hold %u", vcpu->id);
	check_alive();
}

void ap_halt(struct vcpu *vcpu)
{
	if (config.smp == 1)
		end_run(END_HALT, "guest gave up: halted with interrupts off (its console may "
			"say why)");
	insn_skip(vcpu);
	vcpu->state = VCPU_HALTED;
	check_alive();
}
