/* SPDX-License-Identifier: MIT */
/*
 * insn.h - what the #VC handlers want to know about an instruction.
 *
 * The decoder behind it is pure: bytes in, struct out. It knows 64-bit mode
 * and only those instructions that #VC can meet, and of these only the
 * encodings that the processor accepts.
 */
#ifndef INSN_H
#define INSN_H

#include "types.h"

/* The processor fetches no more for one instruction (APM3 1.1). */
#define INSN_MAX_LENGTH	15

/*
 * Register numbers as ModRM and REX encode them (APM3 1.4): the index into the
 * register arrays below.
 */
enum insn_register {
	INSN_RAX, INSN_RCX, INSN_RDX, INSN_RBX,
	INSN_RSP, INSN_RBP, INSN_RSI, INSN_RDI,
	INSN_R8, INSN_R9, INSN_R10, INSN_R11,
	INSN_R12, INSN_R13, INSN_R14, INSN_R15,
	INSN_REGS,
	INSN_RIP = INSN_REGS,	/* as a base: the next instruction's address */
	INSN_NO_REG,		/* the memory operand lacks this part */
};

/*
 * Segments as the processor numbers them. 64-bit mode takes all bases but
 * those of FS and GS as 0 (APM2 4.5.3), so CS, SS and DS are all called DS.
 */
enum insn_segment {
	INSN_SEG_ES = 0,	/* the destination of a string instruction */
	INSN_SEG_DS = 3,
	INSN_SEG_FS = 4,
	INSN_SEG_GS = 5,
};

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
	INSN_INS,		/* memory = port */
	INSN_OUTS,		/* port = memory */
	INSN_LOAD,		/* reg = memory, extended */
	INSN_STORE,		/* memory = reg */
	INSN_STORE_IMM,		/* memory = imm */
	INSN_STOS,		/* memory = rAX */
	INSN_MOVS,		/* insn_movs_destination() = memory */
};

struct insn {
	enum insn_op op;
	u8 length;

	/* Bytes moved to or from memory, port or DR7: 1, 2, 4, 8; or 0. */
	u8 size;

	/*
	 * The general-purpose register of a move (rAX where the opcode implies
	 * it) and how many bytes of it are read or written; 0: no register. A
	 * write of 1 or 2 leaves the upper bits alone, one of 4 clears the
	 * upper half. reg_size is above size only for a load that extends.
	 */
	u8 reg;
	u8 reg_size;
	bool high_byte;		/* bits 15:8 of reg: AH, CH, DH or BH */
	bool sign_extend;

	/* String instructions: repeat while rCX, of address_size bytes, lasts. */
	bool rep;

	/* IN, OUT, INS, OUTS: the port is DX and not in the instruction. */
	bool port_dx;
	u8 port;

	/* Memory operand; the strings' base is rSI (source) or rDI. */
	u8 address_size;	/* 4 or 8 */
	u8 segment;		/* enum insn_segment */
	u8 base;		/* enum insn_register */
	u8 index;		/* never INSN_RIP */
	u8 scale;		/* 1, 2, 4, 8 */
	u64 displacement;	/* sign-extended */

	u64 imm;		/* sign-extended */
};

enum insn_status {
	INSN_OK,
	INSN_TRUNCATED,		/* so far so good; more bytes are needed */
	INSN_INVALID,		/* raises #UD or #GP, or never #VC */
};

/*
 * Decodes the instruction at @bytes, of which @size can be read. @insn means
 * something only if the result is INSN_OK.
 */
enum insn_status insn_decode(struct insn *insn, const u8 *bytes, size_t size);

/*
 * Whether @exit_code, the error code of a #VC, is one that the processor gives
 * for @insn. If not, the hypervisor made the exception up.
 */
bool insn_matches_exit(const struct insn *insn, u64 exit_code);

/*
 * The linear address of the memory operand, from the registers as they were
 * when @insn, which lies at @rip, began. @segment_base belongs to
 * @insn->segment and is 0 unless that is FS or GS.
 */
u64 insn_address(const struct insn *insn, const u64 regs[INSN_REGS], u64 rip,
		 u64 segment_base);

/* The linear address that MOVS writes to. */
u64 insn_movs_destination(const struct insn *insn, const u64 regs[INSN_REGS]);

#endif
