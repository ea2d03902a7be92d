/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the instruction decoder of the #VC handlers.
 *
 * The decoder has no state and accesses nothing but its arguments. It decodes
 * instructions of 64-bit mode that can raise #VC, and no others. It accepts only
 * encodings that the processor accepts, too.
 */
#ifndef INSN_H
#define INSN_H

#include "types.h"

/* The largest length of an instruction in bytes (APM3 1.1). */
#define INSN_MAX_LENGTH	15

/*
 * General-purpose registers by the numbers that ModRM and REX encode (APM3 1.4).
 * They are the indexes of the arrays regs[INSN_REGS] below.
 */
enum insn_register {
	INSN_RAX, INSN_RCX, INSN_RDX, INSN_RBX,
	INSN_RSP, INSN_RBP, INSN_RSI, INSN_RDI,
	INSN_R8, INSN_R9, INSN_R10, INSN_R11,
	INSN_R12, INSN_R13, INSN_R14, INSN_R15,
	INSN_REGS,
	INSN_RIP = INSN_REGS,	/* RIP as base register: the address of the next instruction */
	INSN_NO_REG,		/* INSN_NO_REG: the memory operand has no base or no index */
};

/*
 * Segments by the processor's numbers. The decoder reports CS and SS as DS, because
 * 64-bit mode treats the bases of CS, DS, ES and SS as 0 (APM2 4.5.3).
 */
enum insn_segment {
	INSN_SEG_ES = 0,	/* ES: the segment of a string instruction's destination */
	INSN_SEG_DS = 3,
	INSN_SEG_FS = 4,
	INSN_SEG_GS = 5,
};

/*
 * What an instruction does. "memory" and "reg" are the operands that struct insn
 * describes, "imm" is its immediate operand, rAX is AL, AX, EAX or RAX.
 */
enum insn_op {
	INSN_CPUID,
	INSN_RDTSC,
	INSN_RDTSCP,
	INSN_RDPMC,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_WBINVD,		/* and WBNOINVD */
	INSN_INVD,
	INSN_VMMCALL,
	INSN_MONITOR,		/* and MONITORX */
	INSN_MWAIT,		/* and MWAITX */
	INSN_READ_DR7,		/* reg = DR7 */
	INSN_WRITE_DR7,		/* DR7 = reg */
	INSN_IN,		/* rAX = port */
	INSN_OUT,		/* port = rAX */
	INSN_INS,		/* INS, a string instruction: memory = port */
	INSN_OUTS,		/* OUTS, a string instruction: port = memory */
	INSN_LOAD,		/* MOV and the like: reg = memory, extended to reg_size */
	INSN_STORE,		/* memory = reg */
	INSN_STORE_IMM,		/* memory = imm */
	INSN_STOS,		/* memory = rAX */
	INSN_MOVS,		/* MOVS: copies memory to insn_movs_destination() */
};

/* A decoded instruction. insn_decode() fills in all fields. */
struct insn {
	enum insn_op op;
	u8 length;		/* bytes, 1 to INSN_MAX_LENGTH */

	/*
	 * Number of bytes moved to or from memory, a port or DR7: 1, 2, 4 or 8;
	 * 0 for an instruction that moves none.
	 */
	u8 size;

	/*
	 * reg is the general-purpose register operand, a number of enum
	 * insn_register; INSN_RAX if the opcode implies it. reg_size is the
	 * number of its bytes that are read or written; 0: no register. A write
	 * of 1 or 2 bytes keeps the register's other bits, a write of 4 bytes
	 * clears the upper half. reg_size exceeds size only for a load that
	 * extends its operand (MOVZX, MOVSX, MOVSXD).
	 */
	u8 reg;
	u8 reg_size;
	bool high_byte;		/* the operand is bits 15:8 of reg: AH, CH, DH or BH */
	bool sign_extend;	/* true: a load extends with the sign bit; false: with zeros */

	/*
	 * True for a string instruction with a REP prefix. It repeats until rCX
	 * is 0, where rCX is ECX if address_size is 4, and RCX if it is 8.
	 */
	bool rep;

	/*
	 * The port of IN, OUT, INS and OUTS: the register DX if port_dx is set,
	 * otherwise port.
	 */
	bool port_dx;
	u8 port;

	/*
	 * The memory operand. The base of a string instruction is rSI for its
	 * source, rDI if it only has a destination.
	 */
	u8 address_size;	/* bytes: 4 or 8 */
	u8 segment;		/* enum insn_segment */
	u8 base;		/* enum insn_register */
	u8 index;		/* index register: enum insn_register, never INSN_RIP */
	u8 scale;		/* factor of index: 1, 2, 4 or 8 */
	u64 displacement;	/* number added to base and scaled index; sign-extended */

	u64 imm;		/* the value that INSN_STORE_IMM stores; sign-extended */
};

enum insn_status {
	INSN_OK,
	INSN_TRUNCATED,		/* the bytes begin a valid instruction, but more must follow */
	/* The bytes are an instruction that raises #UD or #GP, or that cannot raise #VC. */
	INSN_INVALID,
};

/*
 * Decodes the instruction at @bytes, of which @size bytes can be read (0 or more).
 * The fields of @insn are valid only if the result is INSN_OK. May be called at
 * any time.
 */
enum insn_status insn_decode(struct insn *insn, const u8 *bytes, size_t size);

/*
 * Returns whether the processor can raise #VC with error code @exit_code for @insn.
 * If it cannot, the hypervisor has injected the #VC, or has changed the exit code.
 */
bool insn_matches_exit(const struct insn *insn, u64 exit_code);

/*
 * Returns the linear address of the memory operand of @insn. @rip is the address of
 * the instruction, and @regs are the registers before it. @segment_base is the
 * base of @insn->segment, which is 0 unless that is FS or GS.
 */
u64 insn_address(const struct insn *insn, const u64 regs[INSN_REGS], u64 rip,
		 u64 segment_base);

/*
 * Returns the linear address that @insn, an INSN_MOVS, writes to. @regs are the
 * registers before the instruction.
 */
u64 insn_movs_destination(const struct insn *insn, const u64 regs[INSN_REGS]);

#endif
