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
#define REX_B			1
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
		return true;
	case PREFIX_FS:
	case PREFIX_GS:
		insn->segment = SEG_FS + (byte & 1);
		return true;
	case PREFIX_OPERAND_SIZE:
	case PREFIX_LOCK:
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
	if (insn->opcode[0] == OP_ESCAPE) {
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
