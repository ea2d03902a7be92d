/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APICs of a guest with several processors.
 *
 * The guest uses the local APICs of QEMU's machine, so its timers and its interrupts
 * between processors need no emulation.  Only the guest's writes are intercepted.  They
 * arrive by GHCB requests from an SEV-ES guest, and by nested page faults from another
 * guest.  INIT, SIPI and NMI are taken out, because ap.c emulates them.
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
#define APIC_LVT_LAST		0x370
#define APIC_SVR_RESET		0xff
/* Value of the destination format register for clusters; all ones: flat. */
#define DFR_CLUSTER		0x0fffffff

/* Fields of the interrupt command register's low half (APM2 16.5). */
#define ICR_VECTOR		0xff
#define ICR_MODE		0x700
#define ICR_LOGICAL		0x800
#define ICR_ASSERT		0x4000
#define ICR_LEVEL		0x8000
#define ICR_SHORTHAND_SHIFT	18
#define BROADCAST		0xff

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

/*
 * Returns whether the destination @destination of an interrupt names @to.  @logical
 * says that it is compared with the logical destination register of @to.
 */
static bool addressed(const struct vcpu *to, u8 destination, bool logical)
{
	u8 ldr = to->apic_ldr >> 24;

	if (destination == BROADCAST)
		return true;
	if (!logical)
		return destination == to->id;
	if (to->apic_dfr == DFR_CLUSTER)
		return destination >> 4 == ldr >> 4 && destination & ldr & 0xf;
	return destination & ldr;
}

static bool is_target(const struct vcpu *from, const struct vcpu *to, u8 destination,
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
 * @destination.  Returns false if @command is another interrupt, which the machine's
 * local APIC sends.
 */
static bool deliver(struct vcpu *from, u8 destination, u32 command)
{
	u32 mode = command & ICR_MODE;
	unsigned int i;

	if (mode != (ICR_INIT & ICR_MODE) && mode != (ICR_SIPI & ICR_MODE) &&
	    mode != (ICR_NMI & ICR_MODE))
		return false;
	trace("ipi %#x to %#x", command, (unsigned int)destination);
	/* The de-assertion of INIT only has an effect on processors before the P6. */
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
		/* The hypervisor's own NMIs name a processor by its number. */
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

void apic_reset(void)
{
	u32 offset;

	for (offset = LAPIC_TIMER; offset <= APIC_LVT_LAST; offset += 0x10)
		*LAPIC(offset) = LAPIC_MASKED;
	*LAPIC(LAPIC_COUNT) = 0;
	*LAPIC(APIC_TPR) = 0;
	*LAPIC(APIC_SVR) = APIC_SVR_RESET;
}
