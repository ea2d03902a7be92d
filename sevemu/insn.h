/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the guest's instruction at RIP (insn.c).
 */
#ifndef SEVEMU_INSN_H
#define SEVEMU_INSN_H

#include "sevemu.h"

/* The instruction at RIP, as far as insn.c decodes it. */
struct insn {
	u8 bytes[15];		/* as fetched; 0 behind @fetched */
	u8 fetched;		/* number of bytes that could be read, 0 to 15 */
	u8 len;			/* bytes up to the last decoded one, 1 to 15 */
	u8 opcode[2];		/* opcode[1] is 0 unless opcode[0] is 0x0f */
	u8 modrm;		/* 0 unless the opcode is 0F 01 or 0F 20 to 0F 23 */
	u8 rex;			/* REX prefix; 0: none */
	u8 segment;		/* SEG_* of a segment prefix; default SEG_DS */
	bool rep;		/* an F3 or F2 prefix is there */
	bool address_size;	/* a 67 prefix is there */
};

/*
 * Reads and decodes the instruction at RIP of @vcpu into @insn.  May be called
 * between an exit and the next entry.  Knows the instructions that can exit,
 * and no others: immediates, displacements and other ModRM bytes are not part
 * of insn->len.  Bytes that cannot be fetched count as 0, and then
 * insn->fetched is less than 15.
 */
void insn_decode(struct vcpu *vcpu, struct insn *insn);

/*
 * Returns the element of vcpu->gpr that ModRM.rm and REX.B of @insn name
 * (APM3 1.4).  Only for an @insn that was decoded with a ModRM byte.
 */
u64 *insn_operand(struct vcpu *vcpu, const struct insn *insn);

/*
 * Moves RIP of @vcpu behind @insn and ends the interrupt shadow, as a completed
 * instruction does.
 */
void insn_advance(struct vcpu *vcpu, const struct insn *insn);

/*
 * Decodes the instruction at RIP and moves RIP behind it.  For an exit whose
 * result is already in @vcpu.
 */
void insn_skip(struct vcpu *vcpu);

#endif
