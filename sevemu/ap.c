/* SPDX-License-Identifier: MIT */
/*
 * ap.c - how the guest's virtual CPUs start, stop and start again: INIT, SIPI, AP
 * reset hold, AP creation, HLT with interrupts off.
 *
 * Runs between a VMEXIT and the next VMRUN, with the hypervisor's lock held.  INIT, SIPI,
 * AP creation and NMI only leave a mark in the virtual CPU that gets them.  The processor
 * that runs this virtual CPU handles the marks by ap_events() before its next VMRUN.  Until
 * then it may be handling a VMEXIT, which needs the registers that an event would replace.
 *
 * The rules are those of KVM.  In the state "hold" a virtual CPU waits in the AP reset hold,
 * in "halted" it has executed HLT with interrupts off, in "init" it waits for a SIPI.  The
 * table says what each event does.  AP creation always loads the registers of the new VMSA.
 * INIT in the state "hold" does not yet answer the guest's request for the hold.  The SIPI
 * after the INIT does.
 *
 *	state	INIT		SIPI		AP creation
 *	off	-> init		is ignored	-> run
 *	run	-> init		is ignored	stays
 *	hold	-> init		is ignored	-> run
 *	halted	-> init		is ignored	-> run
 *	init	stays		-> run		-> run
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

/* Returns the state that @vcpu will have after ap_events() has handled its pending events. */
static enum vcpu_state coming_state(const struct vcpu *vcpu)
{
	enum vcpu_state state = vcpu->destroy_pending ? VCPU_OFF : vcpu->state;

	if (vcpu->create_pending != GHCB_NONE)
		state = VCPU_RUN;
	if (vcpu->init_pending)
		state = VCPU_INIT;
	if (vcpu->sipi_pending)
		state = VCPU_RUN;
	if (vcpu->nmi_pending && !vcpu->nmi_masked &&
	    (state == VCPU_HOLD || state == VCPU_HALTED))
		state = VCPU_RUN;
	return state;
}

bool ap_runs(const struct vcpu *vcpu)
{
	return coming_state(vcpu) == VCPU_RUN;
}

/* Ends the run if no virtual CPU is left that could wake the others. */
static void check_alive(void)
{
	unsigned int i;

	for (i = 0; i < config.smp; i++)
		if (ap_runs(&vcpus[i]))
			return;
	end_run(END_HALT, "guest gave up: each of its %u CPUs is halted with interrupts off or "
		"waits for a start-up IPI (its console may say why)", config.smp);
}

/* Lets @vcpu run the guest. */
static void run(struct vcpu *vcpu)
{
	vcpu->state = VCPU_RUN;
	vcpu->starts++;
	trace("start %u rip %#lx cs %#lx", vcpu->id, vcpu->vmcb->rip, vcpu->vmcb->cs.base);
}

/*
 * Lets @vcpu go on with the registers in the VMSA page at @gpa.  The first VMSA_SAME bytes
 * of a VMSA (segments, control registers and so on) have the same layout as the VMCB from
 * its field es on.
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
	vcpu->hold = HOLD_NONE;
	vcpu->started = true;
	vcpu->nmi_masked = vcpu->real_iret = false;
	exits_init(vcpu);
	/*
	 * The nested page tables in use depend on the vCPU's paging mode, because only some
	 * modes have a C-bit.  The VMSA can have another mode than the vCPU had before.
	 */
	npt_flush();
	run(vcpu);
}

/* Handles a SIPI with @vector, for which @vcpu has waited: lets @vcpu run the guest. */
static void start(struct vcpu *vcpu, u8 vector)
{
	if (!guest_is_es())
		loader_real_mode(vcpu, vector << 8, vector << 12, 0);
	else if (vcpu->started && vcpu->hold != HOLD_NONE)
		ghcb_end_hold(vcpu);
	vcpu->hold = HOLD_NONE;
	vcpu->started = true;
	exits_init(vcpu);
	run(vcpu);
}

void ap_events(struct vcpu *vcpu)
{
	if (vcpu->reset_apic) {
		apic_reset();
		smp_take_nmi(vcpu);
	}
	if (vcpu->destroy_pending) {
		vcpu->started = vcpu->has_launch = false;
		vcpu->state = VCPU_OFF;
	}
	if (vcpu->create_pending != GHCB_NONE)
		load_vmsa(vcpu, vcpu->create_pending);
	if (vcpu->init_pending) {
		vcpu->nmi_masked = false;
		vcpu->state = VCPU_INIT;
	}
	if (vcpu->sipi_pending)
		start(vcpu, vcpu->sipi_vector);
	vcpu->reset_apic = vcpu->destroy_pending = vcpu->init_pending = vcpu->sipi_pending = false;
	vcpu->create_pending = GHCB_NONE;
	if (ap_runs(vcpu) && vcpu->state != VCPU_RUN) {
		/*
		 * An NMI has woken @vcpu from HLT or from the AP reset hold, and has ended
		 * the hold.  A later SIPI therefore starts nothing: a guest that still wants
		 * to wait for a SIPI must request a new hold.
		 */
		vcpu->hold = HOLD_NONE;
		vcpu->state = VCPU_RUN;
	}
}

/*
 * Drops all pending events of @vcpu.  The next ap_events() then starts @vcpu with the registers
 * in the VMSA page at guest-physical address @vmsa.
 */
static void create(struct vcpu *vcpu, u64 vmsa)
{
	vcpu->destroy_pending = vcpu->init_pending = vcpu->sipi_pending = false;
	vcpu->nmi_pending = false;
	vcpu->create_pending = vmsa;
}

void ap_create(struct vcpu *vcpu, u64 vmsa, bool on_init)
{
	if (on_init) {
		vcpu->vmsa_on_init = vmsa;
		return;
	}
	smp_stop_others();
	create(vcpu, vmsa);
	smp_kick(vcpu);
}

void ap_destroy(struct vcpu *vcpu)
{
	smp_stop_others();
	vcpu->init_pending = vcpu->sipi_pending = vcpu->nmi_pending = false;
	vcpu->create_pending = vcpu->vmsa_on_init = GHCB_NONE;
	vcpu->destroy_pending = true;
	trace("destroy %u", vcpu->id);
	check_alive();
	smp_kick(vcpu);
}

void ap_init(struct vcpu *vcpu)
{
	smp_stop_others();
	vcpu->reset_apic = true;
	if (vcpu->vmsa_on_init != GHCB_NONE) {
		create(vcpu, vcpu->vmsa_on_init);
		vcpu->vmsa_on_init = GHCB_NONE;
	} else {
		vcpu->sipi_pending = vcpu->nmi_pending = false;
		vcpu->init_pending = true;
		trace("init %u", vcpu->id);
		check_alive();
	}
	smp_kick(vcpu);
}

void ap_sipi(struct vcpu *vcpu, u8 vector)
{
	if (coming_state(vcpu) != VCPU_INIT)
		return;
	/*
	 * Ignore the SIPI if @vcpu has no registers to start with: it got none at launch,
	 * and none by AP creation.
	 */
	if (guest_is_es() && vcpu->create_pending == GHCB_NONE &&
	    (vcpu->destroy_pending || (!vcpu->started && !vcpu->has_launch)))
		return;
	vcpu->sipi_vector = vector;
	vcpu->sipi_pending = true;
	smp_kick(vcpu);
}

void ap_nmi(struct vcpu *vcpu)
{
	enum vcpu_state state = coming_state(vcpu);

	if (state == VCPU_OFF || state == VCPU_INIT)
		return;
	vcpu->nmi_pending = true;
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
