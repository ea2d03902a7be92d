/* SPDX-License-Identifier: MIT */
/*
 * insn.h - decoding of the guest's instruction at RIP (insn.c), which the
 * hypervisor needs in order to emulate the instruction or to skip it.
 */
#ifndef SEVEMU_INSN_H
#define SEVEMU_INSN_H

#include "sevemu.h"

/* Bits of a REX prefix that extend the register numbers in ModRM (APM3 1.2.7). */
#define REX_B			1
#define REX_R			4

/* The instruction at RIP, as far as insn.c decodes it. */
struct insn {
	/* Bytes at the guest's RIP; 0 where memory cannot be read. */
	u8 bytes[15];
	u8 fetched;		/* number of bytes[] read from the guest, 0 to 15 */
	/* Number of bytes of prefixes, opcode and @modrm, 1 to 15. */
	u8 len;
	/* Opcode bytes; opcode[1] is 0 unless opcode[0] is 0x0f. */
	u8 opcode[2];
	u8 modrm;		/* ModRM byte of opcodes 0F 01 and 0F 20 to 0F 23;
				 * other opcodes' ModRM is not decoded: 0 */
	u8 rex;			/* REX prefix byte; 0: the instruction has no REX */
	/* SEG_* that the segment prefix names; SEG_DS without one */
	u8 segment;
	bool segment_prefix;	/* the instruction has a segment prefix */
	bool rep;		/* the instruction has a prefix F3 or F2 (REP) */
	u8 repeat;		/* the last prefix F3 or F2; 0: the instruction has none */
	bool address_size;	/* the instruction has a prefix 67 (address size) */
	bool lock;		/* the instruction has a prefix F0 (LOCK) */
};

/*
 * Reads and decodes the instruction at RIP of @vcpu into @insn.  May be called
 * between a VMEXIT and the next VMRUN.  Immediates and displacements are not
 * decoded and not counted in insn->len, because most instructions that this
 * hypervisor skips have neither; see insn_memory().  A byte that the guest may not fetch is
 * decoded as 0, and insn->fetched is then less than 15.
 */
void insn_decode(struct vcpu *vcpu, struct insn *insn);

/*
 * Returns the address in vcpu->gpr of the register that ModRM.rm and REX.B of
 * @insn encode (APM3 1.4).  insn->modrm must be the instruction's ModRM byte.
 */
u64 *insn_operand(struct vcpu *vcpu, const struct insn *insn);

/*
 * Returns the linear address of the operand in memory that ModRM of @insn encodes
 * (APM3 1.4), and adds the bytes of SIB and displacement to insn->len.  The
 * instruction must be one whose ModRM insn_decode() decodes, must have a
 * ModRM.mod other than 3, and no immediate.
 */
u64 insn_memory(struct vcpu *vcpu, struct insn *insn);

/*
 * Adds to insn->len the size in bytes of the address that follows an opcode A0 to A3 in
 * the instruction (APM3 appendix A).
 */
void insn_offset(struct vcpu *vcpu, struct insn *insn);

/*
 * Adds the length of @insn to RIP of @vcpu and clears the interrupt shadow in
 * the VMCB, as the processor does when an instruction completes.
 */
void insn_advance(struct vcpu *vcpu, const struct insn *insn);

/*
 * Decodes the instruction at RIP of @vcpu and moves RIP to the next
 * instruction.  Called when the hypervisor has emulated the instruction, for
 * example CPUID, and has stored its results in @vcpu.
 */
void insn_skip(struct vcpu *vcpu);

#endif
