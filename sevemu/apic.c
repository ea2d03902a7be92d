/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APICs of a guest with several processors.
 *
 * The guest uses the local APICs of QEMU's machine, so its timers and its interrupts
 * between processors need no emulation.  Only the guest's writes are intercepted.  They
 * arrive by GHCB requests from an SEV-ES guest, and by nested page faults from another
 * guest.  A write that sends INIT, SIPI or NMI does not reach the local APIC, because ap.c
 * emulates these interrupts.
 *
 * QEMU 7.2's local APICs have no x2APIC mode.  With --x2apic this file emulates the mode's
 * MSRs by the registers in memory (APM2 16.9).
 *
 * Runs between a VMEXIT and the next VMRUN.
 */
#include "ap.h"
#include "apic.h"
#include "attack_smp.h"
#include "insn.h"
#include "log.h"
#include "main.h"
#include "report.h"
#include "sevemu.h"

/* Registers of the local APIC (APM2 16.3), by offset. */
#define APIC_ID			0x020
#define APIC_TPR		0x080
#define APIC_LDR		0x0d0
#define APIC_DFR		0x0e0
#define APIC_SVR		0x0f0
#define APIC_ICR_LOW		0x300
#define APIC_ICR_HIGH		0x310
#define APIC_PPR		0x0a0
#define APIC_EOI		0x0b0
#define APIC_ISR		0x100
#define APIC_IRR		0x200
#define APIC_IRR_LAST		0x270
#define APIC_ESR		0x280
#define APIC_VERSION		0x030
#define APIC_LVT_LAST		0x370
#define APIC_CURRENT_COUNT	0x390
/*
 * The x2APIC mode's register by which a processor interrupts itself.  It exists only as an MSR;
 * this is the offset that x2apic_offset() computes for the MSR.
 */
#define APIC_SELF_IPI		0x3f0
#define APIC_SVR_RESET		0xff
#define APIC_SVR_ENABLE		0x100
#define TPR_BELOW_32		0x1f	/* holds vectors 0 to 31 back */
#define VECTORS			256
/* Destination format register: this value selects the cluster model, all ones the flat. */
#define DFR_CLUSTER		0x0fffffff

/* Fields of the interrupt command register's low half (APM2 16.5). */
#define ICR_VECTOR		0xff
#define ICR_MODE		0x700
#define ICR_LOGICAL		0x800
#define ICR_ASSERT		0x4000
#define ICR_LEVEL		0x8000
#define ICR_SHORTHAND_SHIFT	18
#define ICR_LOWEST_PRIORITY	0x100
#define BROADCAST		0xff
/*
 * Destinations in x2APIC mode.  BROADCAST_X2 is all processors.  A logical destination has the
 * number of a cluster from bit X2_CLUSTER_SHIFT on, and below it a bit for each of the
 * cluster's X2_CLUSTER_SIZE processors.
 */
#define BROADCAST_X2		0xffffffff
#define X2_CLUSTER_SHIFT	16
#define X2_CLUSTER_SIZE		16

/* The first MSR of the x2APIC mode.  It stands for the register at offset 0 in memory. */
#define MSR_X2APIC		0x800
#define APIC_BASE_EXTD		(1ull << 10)
#define APIC_BASE_ENABLE	(1ull << 11)

enum shorthand { TO_ADDRESS, TO_SELF, TO_ALL, TO_OTHERS };

/* Opcodes of the instructions that apic_trap() executes (APM3 appendix A). */
#define OP_XCHG			0x87
#define OP_MOV_STORE		0x89
#define OP_MOV_MOFFS		0xa3
#define OP_MOV_IMM		0xc7

void apic_send(unsigned int id, u32 command)
{
	u32 high = *LAPIC(APIC_ICR_HIGH);

	*LAPIC(APIC_ICR_HIGH) = id << 24;
	*LAPIC(APIC_ICR_LOW) = command;
	*LAPIC(APIC_ICR_HIGH) = high;
}

/* Returns the logical destination register of @vcpu in x2APIC mode, computed from its ID. */
static u32 x2apic_ldr(const struct vcpu *vcpu)
{
	return vcpu->id / X2_CLUSTER_SIZE << X2_CLUSTER_SHIFT | 1u << vcpu->id % X2_CLUSTER_SIZE;
}

/*
 * Returns whether the destination @destination of an interrupt names @to.  If @logical
 * is true, @destination is compared with the logical destination register of @to.
 */
static bool addressed(const struct vcpu *to, u32 destination, bool logical)
{
	u8 ldr = to->apic_ldr >> 24;

	if (to->x2apic && logical)
		return destination == BROADCAST_X2 ||
		       (destination >> X2_CLUSTER_SHIFT == x2apic_ldr(to) >> X2_CLUSTER_SHIFT &&
			(u16)destination & x2apic_ldr(to));
	if (destination == (to->x2apic ? BROADCAST_X2 : BROADCAST))
		return true;
	if (!logical)
		return destination == to->id;
	if (to->apic_dfr == DFR_CLUSTER)
		return destination >> 4 == ldr >> 4 && destination & ldr & 0xf;
	return destination & ldr;
}

static bool is_target(const struct vcpu *from, const struct vcpu *to, u32 destination,
		      u32 command)
{
	switch (command >> ICR_SHORTHAND_SHIFT & 3) {
	case TO_SELF:
		return to == from;
	case TO_ALL:
		return true;
	case TO_OTHERS:
		return to != from;
	default:
		return addressed(to, destination, command & ICR_LOGICAL);
	}
}

/*
 * Delivers the INIT, SIPI or NMI that @from sends by the interrupt command @command to
 * @destination.  Does nothing and returns false if @command is another interrupt.  The caller
 * then lets the machine's local APIC send that interrupt.
 */
static bool deliver(struct vcpu *from, u32 destination, u32 command)
{
	u32 mode = command & ICR_MODE;
	unsigned int i;

	if (mode != (ICR_INIT & ICR_MODE) && mode != (ICR_SIPI & ICR_MODE) &&
	    mode != (ICR_NMI & ICR_MODE))
		return false;
	trace("ipi %#x to %#x", command, destination);
	/* Ignore the de-assertion of INIT: it has an effect only on processors before the P6. */
	if (command & ICR_LEVEL && !(command & ICR_ASSERT))
		return true;
	for (i = 0; i < config.smp; i++) {
		if (!is_target(from, &vcpus[i], destination, command))
			continue;
		if (mode == (ICR_INIT & ICR_MODE)) {
			attack_smp_init(&vcpus[i]);
			ap_init(&vcpus[i]);
		} else if (mode == (ICR_SIPI & ICR_MODE)) {
			ap_sipi(&vcpus[i], command & ICR_VECTOR);
		} else {
			ap_nmi(&vcpus[i]);
		}
	}
	return true;
}

void apic_write(struct vcpu *vcpu, u32 offset, u32 value)
{
	switch (offset) {
	case APIC_ID:
		/*
		 * Ignore the guest's write.  The ID must stay the processor's number, by
		 * which the hypervisor sends its own NMIs.
		 */
		return;
	case APIC_LDR:
		vcpu->apic_ldr = value;
		break;
	case APIC_DFR:
		vcpu->apic_dfr = value;
		break;
	case APIC_ICR_LOW:
		if (deliver(vcpu, *LAPIC(APIC_ICR_HIGH) >> 24, value))
			return;
		break;
	}
	*LAPIC(offset) = value;
}

/*
 * Sends the interrupt @command to @destination in x2APIC mode.  The machine's local APICs do
 * not know the logical destinations of this mode.  This function therefore finds out which
 * processors are addressed, and sends the interrupt to each of them by its ID.
 */
static void x2apic_send(struct vcpu *vcpu, u32 destination, u32 command)
{
	u32 physical = command & ~ICR_LOGICAL;
	unsigned int i;

	vcpu->x2apic_icr = (u64)destination << 32 | command;
	if (deliver(vcpu, destination, command))
		return;
	if (command >> ICR_SHORTHAND_SHIFT & 3) {
		*LAPIC(APIC_ICR_LOW) = command;
		return;
	}
	if ((command & ICR_MODE) == ICR_LOWEST_PRIORITY)
		physical &= ~ICR_MODE;
	for (i = 0; i < config.smp; i++) {
		if (!addressed(&vcpus[i], destination, command & ICR_LOGICAL))
			continue;
		apic_send(i, physical);
		if ((command & ICR_MODE) == ICR_LOWEST_PRIORITY)
			return;
	}
}

/* Returns the offset in memory of the register for which MSR @msr of x2APIC mode stands. */
static u32 x2apic_offset(u32 msr)
{
	return (msr - MSR_X2APIC) << 4;
}

bool apic_is_msr(u32 msr)
{
	return config.x2apic && (msr == MSR_APIC_BASE || msr - MSR_X2APIC < 0x100);
}

bool apic_msr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	u32 offset = x2apic_offset(msr);

	if (msr == MSR_APIC_BASE) {
		*value = rdmsr(msr) | (vcpu->x2apic ? APIC_BASE_EXTD : 0);
		return true;
	}
	if (!vcpu->x2apic)
		return false;
	switch (offset) {
	case APIC_ID:
		*value = vcpu->id;
		return true;
	case APIC_LDR:
		*value = x2apic_ldr(vcpu);
		return true;
	case APIC_ICR_LOW:
		*value = vcpu->x2apic_icr;
		return true;
	case APIC_VERSION:
	case APIC_TPR:
	case APIC_PPR:
	case APIC_SVR:
	case APIC_ESR:
	case LAPIC_COUNT:
	case APIC_CURRENT_COUNT:
	case LAPIC_DIVIDE:
		break;
	default:
		if ((offset < APIC_ISR || offset > APIC_IRR_LAST) &&
		    (offset < LAPIC_TIMER || offset > APIC_LVT_LAST))
			return false;
	}
	*value = *LAPIC(offset);
	return true;
}

/*
 * Writes @value to the APIC base address MSR.  Returns false if the processor would raise
 * #GP: the guest can leave x2APIC mode only by disabling the local APIC (APM2 16.9).
 */
static bool base_write(struct vcpu *vcpu, u64 value)
{
	bool extended = value & APIC_BASE_EXTD, enable = value & APIC_BASE_ENABLE;

	if ((extended && !enable) || (vcpu->x2apic && enable && !extended))
		return false;
	vcpu->x2apic = extended;
	wrmsr(MSR_APIC_BASE, value & ~APIC_BASE_EXTD);
	return true;
}

bool apic_msr_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	u32 offset = x2apic_offset(msr);

	if (msr == MSR_APIC_BASE)
		return base_write(vcpu, value);
	if (!vcpu->x2apic || (value >> 32 && offset != APIC_ICR_LOW))
		return false;
	switch (offset) {
	case APIC_ICR_LOW:
		x2apic_send(vcpu, value >> 32, value);
		return true;
	case APIC_SELF_IPI:
		*LAPIC(APIC_ICR_LOW) = (value & ICR_VECTOR) | TO_SELF << ICR_SHORTHAND_SHIFT;
		return true;
	case APIC_EOI:
	case APIC_ESR:
		if (value)
			return false;
		break;
	case APIC_TPR:
	case APIC_SVR:
	case LAPIC_COUNT:
	case LAPIC_DIVIDE:
		break;
	default:
		if (offset < LAPIC_TIMER || offset > APIC_LVT_LAST)
			return false;
	}
	*LAPIC(offset) = value;
	return true;
}

void apic_trap(struct vcpu *vcpu, u64 gpa)
{
	u64 *reg = &vcpu->gpr[RAX];
	struct insn insn;
	u32 value, old;
	u8 opcode;

	insn_decode(vcpu, &insn);
	opcode = insn.opcode[0];
	if (opcode == OP_MOV_MOFFS) {
		insn_offset(vcpu, &insn);
	} else if (opcode == OP_XCHG || opcode == OP_MOV_STORE || opcode == OP_MOV_IMM) {
		insn.modrm = insn.bytes[insn.len++];
		insn_memory(vcpu, &insn);
		reg = &vcpu->gpr[MODRM_REG(insn.modrm) | (insn.rex & REX_R) << 1];
	} else {
		end_error(vcpu, "local APIC is written by opcode %#x; sevemu models MOV and XCHG "
			  "with --smp", (unsigned int)opcode);
	}
	value = *reg;
	if (opcode == OP_MOV_IMM) {
		memcpy(&value, insn.bytes + insn.len, sizeof(value));
		insn.len += sizeof(value);
	}
	old = *LAPIC(gpa & PAGE_MASK & ~3ul);
	insn_advance(vcpu, &insn);
	if (opcode == OP_XCHG)
		*reg = old;
	apic_write(vcpu, gpa & PAGE_MASK, value);
}

/*
 * Returns whether a bit for a vector above 31 is set in ISR or IRR, which consists of eight
 * registers of 32 bits from @offset on.
 */
static bool any_vector(u32 offset)
{
	unsigned int i;

	for (i = 1; i < 8; i++)
		if (*LAPIC(offset + i * 0x10))
			return true;
	return false;
}

/*
 * Takes all interrupts out of this processor's local APIC.  INIT must clear the APIC's IRR
 * and ISR, and no write of a register clears them, so the hypervisor takes the interrupts
 * itself.  The global interrupt flag is clear on entry and on return.  Vectors below 32 stay
 * pending, because the hypervisor's IDT has exception handlers there; TPR holds them back.
 */
static void drain(void)
{
	unsigned int i;

	*LAPIC(APIC_SVR) = APIC_SVR_RESET | APIC_SVR_ENABLE;
	*LAPIC(APIC_TPR) = TPR_BELOW_32;
	for (i = 0; i < VECTORS && any_vector(APIC_ISR); i++)
		*LAPIC(APIC_EOI) = 0;
	for (i = 0; i < VECTORS && any_vector(APIC_IRR); i++)
		asm volatile("stgi; sti; nop; nop; cli; clgi" : : : "memory");
}

void apic_reset(void)
{
	u32 offset;

	for (offset = LAPIC_TIMER; offset <= APIC_LVT_LAST; offset += 0x10)
		*LAPIC(offset) = LAPIC_MASKED;
	*LAPIC(LAPIC_COUNT) = 0;
	drain();
	*LAPIC(APIC_TPR) = 0;
	*LAPIC(APIC_SVR) = APIC_SVR_RESET;
}
