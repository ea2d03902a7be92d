/* SPDX-License-Identifier: MIT */
/*
 * insn.c - decodes the guest's instruction at RIP.
 *
 * Runs between a VMEXIT and the next VMRUN.  QEMU's SVM has neither decode
 * assists nor a saved next RIP (APM2 15.8, 15.7.1), so the hypervisor reads the
 * instruction's bytes through the guest's page tables.  It decodes only what
 * the intercepted instructions need: prefixes, opcode, and ModRM where ModRM
 * selects the instruction or a register.
 */
#include "guest_memory.h"
#include "insn.h"
#include "sevemu.h"

#define PREFIX_ES		0x26
#define PREFIX_CS		0x2e
#define PREFIX_SS		0x36
#define PREFIX_DS		0x3e
#define PREFIX_FS		0x64
#define PREFIX_GS		0x65
#define PREFIX_OPERAND_SIZE	0x66
#define PREFIX_ADDRESS_SIZE	0x67
#define PREFIX_LOCK		0xf0
#define PREFIX_REX		0x40
#define PREFIX_REX_MASK		0xf0
#define REX_X			2
#define RM_SIB			4	/* ModRM.rm: a SIB byte follows */
#define NO_INDEX		4	/* SIB.index without REX.X */
#define NO_BASE			5	/* with ModRM.mod 0: disp32, no base */
#define RM16_DISP		6	/* with ModRM.mod 0: disp16, no base */
#define PREFIXES_MAX		12

/*
 * Reads 15 bytes, the longest instruction, from the guest's linear address @ip
 * into @insn.  Reads nothing if the guest may not execute the page of @ip.
 * Reads only the bytes of that page if the guest may not execute the next page.
 */
static void fetch(struct vcpu *vcpu, struct insn *insn, u64 ip)
{
	u32 access = PF_ID | GUEST_QUIET | (vcpu->vmcb->cpl == 3 ? PF_U : 0);
	size_t first = PAGE_SIZE - (ip & PAGE_MASK);
	struct guest_fault fault;

	if (first > sizeof(insn->bytes))
		first = sizeof(insn->bytes);
	if (!guest_read(vcpu, ip, insn->bytes, first, access, &fault))
		return;
	insn->fetched = first;
	if (guest_read(vcpu, ip + first, insn->bytes + first,
		       sizeof(insn->bytes) - first, access, &fault))
		insn->fetched = sizeof(insn->bytes);
}

/*
 * If @byte is an instruction prefix, records it in @insn and returns true.
 * Otherwise returns false.  Bytes 0x40 to 0x4f are REX prefixes in 64-bit code
 * (@long64) only.
 */
static bool prefix(struct insn *insn, u8 byte, bool long64)
{
	switch (byte) {
	case PREFIX_REP:
	case PREFIX_REPNE:
		insn->rep = true;
		insn->repeat = byte;
		return true;
	case PREFIX_ADDRESS_SIZE:
		insn->address_size = true;
		return true;
	case PREFIX_ES:
	case PREFIX_CS:
	case PREFIX_SS:
	case PREFIX_DS:
		insn->segment = byte >> 3 & 3;
		insn->segment_prefix = true;
		return true;
	case PREFIX_FS:
	case PREFIX_GS:
		insn->segment = SEG_FS + (byte & 1);
		insn->segment_prefix = true;
		return true;
	case PREFIX_LOCK:
		insn->lock = true;
		return true;
	case PREFIX_OPERAND_SIZE:
		return true;
	default:
		if (!long64 || (byte & PREFIX_REX_MASK) != PREFIX_REX)
			return false;
		insn->rex = byte;
		return true;
	}
}

void insn_decode(struct vcpu *vcpu, struct insn *insn)
{
	struct vmcb *vmcb = vcpu->vmcb;
	bool long64 = guest_long_mode(vcpu) && vmcb->cs.attrib & SEG_L;
	unsigned int i = 0;

	memset(insn, 0, sizeof(*insn));
	insn->segment = SEG_DS;
	fetch(vcpu, insn, long64 ? vmcb->rip : (u32)(vmcb->cs.base + vmcb->rip));

	while (i < PREFIXES_MAX && prefix(insn, insn->bytes[i], long64))
		i++;
	insn->opcode[0] = insn->bytes[i++];
	if (insn->opcode[0] == OPCODE_0F) {
		insn->opcode[1] = insn->bytes[i++];
		if (insn->opcode[1] == OP2_GROUP7 ||
		    (insn->opcode[1] & OP2_MOV_CR_DR_MASK) == OP2_MOV_CR_DR)
			insn->modrm = insn->bytes[i++];
	}
	insn->len = i;
}

u64 *insn_operand(struct vcpu *vcpu, const struct insn *insn)
{
	return &vcpu->gpr[MODRM_RM(insn->modrm) | (insn->rex & REX_B) << 3];
}

/*
 * Returns the next @size bytes of @insn, 0, 1, 2 or 4, as a number with a sign, and
 * adds @size to insn->len.
 */
static u64 displacement(struct insn *insn, unsigned int size)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		value |= (u64)insn->bytes[insn->len++] << 8 * i;
	if (size && value >> (8 * size - 1))
		value |= ~0ull << 8 * size;
	return value;
}

/*
 * Returns the offset that ModRM of @insn encodes with 16-bit addressing (APM3 1.4).
 * Sets *@segment to SEG_SS if the base register is BP, because SS is then the default
 * segment.
 */
static u64 address_16(struct vcpu *vcpu, struct insn *insn, u8 *segment)
{
	static const u8 base[] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
	static const u8 index[] = { RSI, RDI, RSI, RDI };
	unsigned int mod = insn->modrm >> 6, rm = MODRM_RM(insn->modrm);
	u64 address = 0;

	if (!mod && rm == RM16_DISP)
		return displacement(insn, 2);
	if (base[rm] == RBP)
		*segment = SEG_SS;
	address = vcpu->gpr[base[rm]];
	if (rm < ARRAY_SIZE(index))
		address += vcpu->gpr[index[rm]];
	return address + displacement(insn, mod);
}

/*
 * Returns the offset that ModRM and SIB of @insn encode with 32-bit or 64-bit
 * addressing.  Sets *@segment to SEG_SS if the base register is RSP or RBP.  Sets
 * *@relative if ModRM encodes a displacement alone, without SIB, because 64-bit code
 * adds the address of the next instruction to it.
 */
static u64 address_wide(struct vcpu *vcpu, struct insn *insn, u8 *segment, bool *relative)
{
	unsigned int mod = insn->modrm >> 6, base = MODRM_RM(insn->modrm);
	bool has_sib = base == RM_SIB;
	u64 address = 0;

	if (has_sib) {
		u8 sib = insn->bytes[insn->len++];
		unsigned int index = (sib >> 3 & 7) | (insn->rex & REX_X) << 2;

		base = sib & 7;
		if (index != NO_INDEX)
			address = vcpu->gpr[index] << (sib >> 6);
	}
	if (!mod && base == NO_BASE) {
		*relative = !has_sib;
		return address + displacement(insn, 4);
	}
	base |= (insn->rex & REX_B) << 3;
	if (base == RSP || base == RBP)
		*segment = SEG_SS;
	address += vcpu->gpr[base];
	return address + displacement(insn, mod == 2 ? 4 : mod);
}

void insn_offset(struct vcpu *vcpu, struct insn *insn)
{
	bool long64 = guest_long_mode(vcpu) && vcpu->vmcb->cs.attrib & SEG_L;
	bool wide = (long64 || vcpu->vmcb->cs.attrib & SEG_DB) != insn->address_size;

	insn->len += long64 && wide ? 8 : long64 || wide ? 4 : 2;
}

u64 insn_memory(struct vcpu *vcpu, struct insn *insn)
{
	struct vmcb *vmcb = vcpu->vmcb;
	const struct segment *segments[] = {
		&vmcb->es, &vmcb->cs, &vmcb->ss, &vmcb->ds, &vmcb->fs, &vmcb->gs,
	};
	bool long64 = guest_long_mode(vcpu) && vmcb->cs.attrib & SEG_L;
	bool wide = (long64 || vmcb->cs.attrib & SEG_DB) != insn->address_size;
	u8 segment = SEG_DS;
	bool relative = false;
	u64 address;

	if (long64 || wide)
		address = address_wide(vcpu, insn, &segment, &relative);
	else
		address = (u16)address_16(vcpu, insn, &segment);
	if (relative && long64)
		address += vmcb->rip + insn->len;
	if (!long64 || !wide)
		address = (u32)address;
	if (insn->segment_prefix)
		segment = insn->segment;
	/* In 64-bit mode only FS and GS have a base (APM2 4.5.3). */
	if (long64)
		return address + (segment >= SEG_FS ? segments[segment]->base : 0);
	return (u32)(address + segments[segment]->base);
}

void insn_advance(struct vcpu *vcpu, const struct insn *insn)
{
	vcpu->vmcb->rip += insn->len;
	vcpu->vmcb->int_state &= ~(u64)INT_SHADOW;
}

void insn_skip(struct vcpu *vcpu)
{
	struct insn insn;

	insn_decode(vcpu, &insn);
	insn_advance(vcpu, &insn);
}
