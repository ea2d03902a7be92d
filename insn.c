/* SPDX-License-Identifier: MIT */
/*
 * insn.c - decodes the instructions that can raise #VC, and no others.
 *
 * Runs inside the #VC handlers. It keeps no state, accesses only its arguments
 * and executes no instruction that could raise #VC. It refuses an instruction
 * that the processor would not execute, and a form that cannot cause an exit,
 * such as a move between registers. The #VC handler then terminates the guest,
 * because only the hypervisor can have caused the exception.
 */
#include <asm/svm.h>

#include "insn.h"

/* Legacy prefixes (APM3 1.2). */
enum {
	PREFIX_ES = 0x26,
	PREFIX_CS = 0x2e,
	PREFIX_SS = 0x36,
	PREFIX_DS = 0x3e,
	PREFIX_FS = 0x64,
	PREFIX_GS = 0x65,
	PREFIX_OPERAND_SIZE = 0x66,
	PREFIX_ADDRESS_SIZE = 0x67,
	PREFIX_LOCK = 0xf0,
	PREFIX_REPNE = 0xf2,
	PREFIX_REP = 0xf3,
};

/* The REX prefix: bits 0100WRXB (APM3 1.2.7). */
enum {
	REX = 0x40,
	REX_MASK = 0xf0,
	REX_B = 1 << 0,
	REX_X = 1 << 1,
	REX_R = 1 << 2,
	REX_W = 1 << 3,
	/*
	 * Bit 3 of a register number. The bits REX.R, REX.X and REX.B supply
	 * it.
	 */
	REG_HIGH_BIT = 1 << 3,
};

/*
 * One-byte opcodes (APM3 appendix A). Some of them come in pairs that differ in
 * bit 0, OPCODE_W. If this bit is set, the operand has 2, 4 or 8 bytes;
 * otherwise it has 1 byte.
 */
enum {
	OPCODE_W = 0x01,
	OPCODE_0F = 0x0f,
	OPCODE_MOVSXD = 0x63,
	OPCODE_INS = 0x6c,
	OPCODE_OUTS = 0x6e,
	OPCODE_MOV_STORE = 0x88,
	OPCODE_MOV_LOAD = 0x8a,
	OPCODE_MOFFS_LOAD = 0xa0,
	OPCODE_MOFFS_STORE = 0xa2,
	OPCODE_MOVS = 0xa4,
	OPCODE_STOS = 0xaa,
	OPCODE_MOV_IMM = 0xc6,
	OPCODE_IN_IMM = 0xe4,
	OPCODE_OUT_IMM = 0xe6,
	OPCODE_IN_DX = 0xec,
	OPCODE_OUT_DX = 0xee,
};

/* Second bytes of opcodes whose first byte is 0F (APM3 appendix A). */
enum {
	OPCODE_0F_GROUP7 = 0x01,
	OPCODE_0F_INVD = 0x08,
	OPCODE_0F_WBINVD = 0x09,
	OPCODE_0F_READ_DR = 0x21,
	OPCODE_0F_WRITE_DR = 0x23,
	OPCODE_0F_WRMSR = 0x30,
	OPCODE_0F_RDTSC = 0x31,
	OPCODE_0F_RDMSR = 0x32,
	OPCODE_0F_RDPMC = 0x33,
	OPCODE_0F_CPUID = 0xa2,
	OPCODE_0F_MOVZX = 0xb6,
	OPCODE_0F_MOVSX = 0xbe,
};

/*
 * Group 7: ModRM bytes that select an instruction of opcode 0F 01 (APM3
 * appendix A, "ModRM extensions").
 */
enum {
	GROUP7_MONITOR = 0xc8,
	GROUP7_MWAIT = 0xc9,
	GROUP7_VMMCALL = 0xd9,
	GROUP7_RDTSCP = 0xf9,
	GROUP7_MONITORX = 0xfa,
	GROUP7_MWAITX = 0xfb,
};

/* Values of ModRM and SIB fields (APM3 1.4). */
enum {
	MOD_NO_DISP = 0,
	MOD_DISP8 = 1,
	MOD_DISP32 = 2,
	MOD_REGISTER = 3,
	RM_SIB = 4,
	/*
	 * This value of ModRM.rm means an address relative to RIP, if ModRM.mod
	 * is MOD_NO_DISP.
	 */
	RM_DISP32 = 5,
	SIB_NO_INDEX = 4,
	/*
	 * This value of SIB.base means no base register, if ModRM.mod is
	 * MOD_NO_DISP.
	 */
	SIB_NO_BASE = 5,
	REG_DR7 = 7,
};

struct decoder {
	struct insn *insn;
	const u8 *bytes;
	unsigned int size;
	unsigned int pos;
	bool ran_dry;
	u8 rex;			/* value of the REX prefix, 0 without a REX prefix */
	bool rep;
	bool operand_size_prefix;
	bool lock;
};

/* The fields of a ModRM or SIB byte: bits 7:6, 5:3 and 2:0. */
static unsigned int field_top(u8 byte)
{
	return byte >> 6;
}

static unsigned int field_middle(u8 byte)
{
	return byte >> 3 & 7;
}

static unsigned int field_low(u8 byte)
{
	return byte & 7;
}

/*
 * Returns the instruction's next byte, or 0 if there are no more bytes. Callers
 * need not check for that, because insn_decode() checks ran_dry after it has
 * decoded the whole instruction.
 */
static u8 next_byte(struct decoder *d)
{
	if (d->pos == d->size) {
		d->ran_dry = true;
		return 0;
	}
	return d->bytes[d->pos++];
}

static u64 next_signed(struct decoder *d, unsigned int size)
{
	unsigned int unused_bits = 64 - 8 * size;
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		value |= (u64)next_byte(d) << 8 * i;

	return (u64)((s64)(value << unused_bits) >> unused_bits);
}

/* Reads all prefixes and returns the byte after them. */
static u8 read_prefixes(struct decoder *d)
{
	for (;;) {
		u8 byte = next_byte(d);

		if ((byte & REX_MASK) == REX) {
			d->rex = byte;
			continue;
		}

		switch (byte) {
		case PREFIX_ES:
		case PREFIX_CS:
		case PREFIX_SS:
		case PREFIX_DS:
			/*
			 * 64-bit mode ignores the segment prefixes for CS, DS,
			 * ES and SS. They do not cancel an FS or GS prefix
			 * (APM3 1.2.4).
			 */
			break;
		case PREFIX_FS:
			d->insn->segment = INSN_SEG_FS;
			break;
		case PREFIX_GS:
			d->insn->segment = INSN_SEG_GS;
			break;
		case PREFIX_OPERAND_SIZE:
			d->operand_size_prefix = true;
			break;
		case PREFIX_ADDRESS_SIZE:
			d->insn->address_size = 4;
			break;
		case PREFIX_LOCK:
			d->lock = true;
			break;
		case PREFIX_REPNE:
		case PREFIX_REP:
			d->rep = true;
			break;
		default:
			return byte;
		}

		/*
		 * The processor ignores a REX prefix that another prefix
		 * follows (APM3 1.2.7), so forget a REX prefix that was read
		 * before this prefix.
		 */
		d->rex = 0;
	}
}

/*
 * Returns the operand's size in bytes. REX.W takes precedence over the
 * operand-size prefix (APM3 1.2.7).
 */
static u8 operand_size(const struct decoder *d)
{
	if (d->rex & REX_W)
		return 8;
	return d->operand_size_prefix ? 2 : 4;
}

static unsigned int with_rex(const struct decoder *d, unsigned int reg,
			     unsigned int rex_bit)
{
	return (d->rex & rex_bit) ? (reg | REG_HIGH_BIT) : reg;
}

static void read_sib(struct decoder *d, unsigned int mod)
{
	struct insn *insn = d->insn;
	u8 sib = next_byte(d);
	unsigned int index = with_rex(d, field_middle(sib), REX_X);

	if (index != SIB_NO_INDEX) {
		insn->index = index;
		insn->scale = 1 << field_top(sib);
	}

	if (mod == MOD_NO_DISP && field_low(sib) == SIB_NO_BASE)
		insn->displacement = next_signed(d, 4);
	else
		insn->base = with_rex(d, field_low(sib), REX_B);
}

/*
 * Reads the bytes of a memory operand: ModRM, SIB and displacement. Returns
 * false for a register operand, because a move between registers cannot raise
 * #VC.
 */
static bool read_modrm(struct decoder *d)
{
	struct insn *insn = d->insn;
	u8 modrm = next_byte(d);
	unsigned int mod = field_top(modrm);
	unsigned int rm = field_low(modrm);

	if (mod == MOD_REGISTER)
		return false;

	insn->reg = field_middle(modrm);

	if (rm == RM_SIB) {
		read_sib(d, mod);
	} else if (mod == MOD_NO_DISP && rm == RM_DISP32) {
		insn->base = INSN_RIP;
		insn->displacement = next_signed(d, 4);
	} else {
		insn->base = with_rex(d, rm, REX_B);
	}

	if (mod == MOD_DISP8)
		insn->displacement = next_signed(d, 1);
	else if (mod == MOD_DISP32)
		insn->displacement = next_signed(d, 4);

	return true;
}

static bool decode_move(struct decoder *d, enum insn_op op)
{
	struct insn *insn = d->insn;

	insn->op = op;
	if (!read_modrm(d))
		return false;

	/*
	 * Without a REX prefix the byte registers 4 to 7 are AH, CH, DH and BH
	 * (APM3 1.2.7).
	 */
	if (insn->reg_size == 1 && !d->rex && insn->reg >= INSN_RSP) {
		insn->reg -= INSN_RSP;
		insn->high_byte = true;
	}
	insn->reg = with_rex(d, insn->reg, REX_R);
	return true;
}

static bool decode_extending_load(struct decoder *d, u8 size, bool sign_extend)
{
	d->insn->size = size;
	d->insn->reg_size = operand_size(d);
	d->insn->sign_extend = sign_extend;
	return decode_move(d, INSN_LOAD);
}

/*
 * Opcodes C6 and C7 are MOV only if the ModRM field reg is 0 (APM3 appendix A,
 * group 11). REX.R does not extend that field.
 */
static bool decode_store_imm(struct decoder *d)
{
	struct insn *insn = d->insn;

	insn->op = INSN_STORE_IMM;
	if (!read_modrm(d) || insn->reg)
		return false;

	insn->reg_size = 0;
	insn->imm = next_signed(d, insn->size < 4 ? insn->size : 4);
	return true;
}

static bool decode_moffs(struct decoder *d, enum insn_op op)
{
	d->insn->op = op;
	d->insn->displacement = next_signed(d, d->insn->address_size);
	return true;
}

/*
 * A segment prefix applies to a string instruction's source only (APM3 1.2.4).
 * REPNE is treated like REP: the manual does not define REPNE for these
 * instructions (APM3 1.2.6), but processors repeat them.
 */
static bool decode_string(struct decoder *d, enum insn_op op)
{
	struct insn *insn = d->insn;

	insn->op = op;
	insn->rep = d->rep;
	if (op != INSN_STOS)
		insn->reg_size = 0;
	if (op == INSN_MOVS || op == INSN_OUTS) {
		insn->base = INSN_RSI;
	} else {
		insn->base = INSN_RDI;
		insn->segment = INSN_SEG_ES;
	}
	return true;
}

/* Port I/O moves at most 32 bits, also with REX.W (APM3, "IN", "INS"). */
static bool decode_io(struct decoder *d, enum insn_op op, bool port_dx)
{
	struct insn *insn = d->insn;

	if (insn->size == 8)
		insn->size = insn->reg_size = 4;

	insn->port_dx = port_dx;
	if (op == INSN_INS || op == INSN_OUTS)
		return decode_string(d, op);

	insn->op = op;
	if (!port_dx)
		insn->port = next_byte(d);
	return true;
}

static bool decode_one_byte(struct decoder *d, u8 opcode)
{
	struct insn *insn = d->insn;

	/*
	 * With a 16-bit operand MOVSXD copies 2 bytes and does not extend them
	 * (APM3, "MOVSXD").
	 */
	if (opcode == OPCODE_MOVSXD)
		return decode_extending_load(d, operand_size(d) == 2 ? 2 : 4,
					     true);

	insn->size = (opcode & OPCODE_W) ? operand_size(d) : 1;
	insn->reg_size = insn->size;

	switch (opcode & ~OPCODE_W) {
	case OPCODE_INS:
		return decode_io(d, INSN_INS, true);
	case OPCODE_OUTS:
		return decode_io(d, INSN_OUTS, true);
	case OPCODE_MOV_STORE:
		return decode_move(d, INSN_STORE);
	case OPCODE_MOV_LOAD:
		return decode_move(d, INSN_LOAD);
	case OPCODE_MOFFS_LOAD:
		return decode_moffs(d, INSN_LOAD);
	case OPCODE_MOFFS_STORE:
		return decode_moffs(d, INSN_STORE);
	case OPCODE_MOVS:
		return decode_string(d, INSN_MOVS);
	case OPCODE_STOS:
		return decode_string(d, INSN_STOS);
	case OPCODE_MOV_IMM:
		return decode_store_imm(d);
	case OPCODE_IN_IMM:
		return decode_io(d, INSN_IN, false);
	case OPCODE_OUT_IMM:
		return decode_io(d, INSN_OUT, false);
	case OPCODE_IN_DX:
		return decode_io(d, INSN_IN, true);
	case OPCODE_OUT_DX:
		return decode_io(d, INSN_OUT, true);
	default:
		return false;
	}
}

static bool decode_group7(struct decoder *d)
{
	struct insn *insn = d->insn;

	switch (next_byte(d)) {
	case GROUP7_VMMCALL:
		/* With a REP prefix this is VMGEXIT, which never raises #VC. */
		insn->op = INSN_VMMCALL;
		return !d->rep;
	case GROUP7_RDTSCP:
		insn->op = INSN_RDTSCP;
		return true;
	case GROUP7_MONITOR:
	case GROUP7_MONITORX:
		/*
		 * MONITOR (0F 01 C8) and MONITORX (0F 01 FA) have no prefix. A
		 * prefix makes them another instruction; F3 0F 01 FA is
		 * MCOMMIT.
		 */
		insn->op = INSN_MONITOR;
		return !d->rep && !d->operand_size_prefix;
	case GROUP7_MWAIT:
	case GROUP7_MWAITX:
		insn->op = INSN_MWAIT;
		return !d->rep && !d->operand_size_prefix;
	default:
		return false;
	}
}

/*
 * Decodes MOV from or to DR7, the only debug register that causes exits (GHCB
 * 4.1). The mod field is ignored, because both operands are registers of 64
 * bits (APM3, "MOV DRn"). With REX.R the instruction names DR15, which raises
 * #UD.
 */
static bool decode_dr(struct decoder *d, enum insn_op op)
{
	struct insn *insn = d->insn;
	u8 modrm = next_byte(d);

	insn->op = op;
	insn->size = insn->reg_size = 8;
	insn->reg = with_rex(d, field_low(modrm), REX_B);
	return with_rex(d, field_middle(modrm), REX_R) == REG_DR7;
}

static bool decode_two_byte(struct decoder *d)
{
	struct insn *insn = d->insn;
	u8 opcode = next_byte(d);

	switch (opcode) {
	case OPCODE_0F_GROUP7:
		return decode_group7(d);
	case OPCODE_0F_READ_DR:
		return decode_dr(d, INSN_READ_DR7);
	case OPCODE_0F_WRITE_DR:
		return decode_dr(d, INSN_WRITE_DR7);
	case OPCODE_0F_MOVZX:
	case OPCODE_0F_MOVZX | OPCODE_W:
	case OPCODE_0F_MOVSX:
	case OPCODE_0F_MOVSX | OPCODE_W:
		return decode_extending_load(d, (opcode & OPCODE_W) ? 2 : 1,
				(opcode & ~OPCODE_W) == OPCODE_0F_MOVSX);
	case OPCODE_0F_INVD:
		insn->op = INSN_INVD;
		return true;
	case OPCODE_0F_WBINVD:
		insn->op = INSN_WBINVD;
		return true;
	case OPCODE_0F_WRMSR:
		insn->op = INSN_WRMSR;
		return true;
	case OPCODE_0F_RDTSC:
		insn->op = INSN_RDTSC;
		return true;
	case OPCODE_0F_RDMSR:
		insn->op = INSN_RDMSR;
		return true;
	case OPCODE_0F_RDPMC:
		insn->op = INSN_RDPMC;
		return true;
	case OPCODE_0F_CPUID:
		insn->op = INSN_CPUID;
		return true;
	default:
		return false;
	}
}

enum insn_status insn_decode(struct insn *insn, const u8 *bytes, size_t size)
{
	struct decoder d = {
		.insn = insn,
		.bytes = bytes,
		.size = size < INSN_MAX_LENGTH ? size : INSN_MAX_LENGTH,
	};
	u8 opcode;
	bool valid;

	*insn = (struct insn){
		.address_size = 8,
		.segment = INSN_SEG_DS,
		.base = INSN_NO_REG,
		.index = INSN_NO_REG,
		.scale = 1,
	};

	opcode = read_prefixes(&d);
	if (opcode == OPCODE_0F)
		valid = decode_two_byte(&d);
	else
		valid = decode_one_byte(&d, opcode);

	/*
	 * If all 15 bytes were read, the instruction is too long and raises #GP
	 * (APM3 1.1). Otherwise more bytes are needed to decode it.
	 */
	if (d.ran_dry)
		return d.size == INSN_MAX_LENGTH ? INSN_INVALID : INSN_TRUNCATED;

	/*
	 * A LOCK prefix raises #UD with every instruction that this decoder
	 * knows (APM3 1.2.5).
	 */
	if (!valid || d.lock)
		return INSN_INVALID;

	insn->length = d.pos;
	return INSN_OK;
}

/*
 * exit_of[] has the exit code (APM2 appendix C) that each decoded instruction
 * causes. GHCB 4.1 lists the exit codes that a guest can get.
 */
bool insn_matches_exit(const struct insn *insn, u64 exit_code)
{
	static const u16 exit_of[] = {
		[INSN_CPUID] = SVM_EXIT_CPUID,
		[INSN_RDTSC] = SVM_EXIT_RDTSC,
		[INSN_RDTSCP] = SVM_EXIT_RDTSCP,
		[INSN_RDPMC] = SVM_EXIT_RDPMC,
		[INSN_RDMSR] = SVM_EXIT_MSR,
		[INSN_WRMSR] = SVM_EXIT_MSR,
		[INSN_WBINVD] = SVM_EXIT_WBINVD,
		[INSN_INVD] = SVM_EXIT_INVD,
		[INSN_VMMCALL] = SVM_EXIT_VMMCALL,
		[INSN_MONITOR] = SVM_EXIT_MONITOR,
		[INSN_MWAIT] = SVM_EXIT_MWAIT,
		[INSN_READ_DR7] = SVM_EXIT_READ_DR7,
		[INSN_WRITE_DR7] = SVM_EXIT_WRITE_DR7,
		[INSN_IN] = SVM_EXIT_IOIO,
		[INSN_OUT] = SVM_EXIT_IOIO,
		[INSN_INS] = SVM_EXIT_IOIO,
		[INSN_OUTS] = SVM_EXIT_IOIO,
		[INSN_LOAD] = SVM_EXIT_NPF,
		[INSN_STORE] = SVM_EXIT_NPF,
		[INSN_STORE_IMM] = SVM_EXIT_NPF,
		[INSN_STOS] = SVM_EXIT_NPF,
		[INSN_MOVS] = SVM_EXIT_NPF,
	};

	return exit_code == exit_of[insn->op];
}

/*
 * With the address-size prefix the offset is cut to 32 bits before the
 * segment's base is added (APM3 1.2.3).
 */
static u64 truncate_offset(const struct insn *insn, u64 offset)
{
	return insn->address_size == 4 ? (u32)offset : offset;
}

u64 insn_address(const struct insn *insn, const u64 regs[INSN_REGS], u64 rip,
		 u64 segment_base)
{
	u64 offset = insn->displacement;

	if (insn->base == INSN_RIP)
		offset += rip + insn->length;
	else if (insn->base < INSN_REGS)
		offset += regs[insn->base];

	if (insn->index < INSN_REGS)
		offset += regs[insn->index] * insn->scale;

	return segment_base + truncate_offset(insn, offset);
}

u64 insn_movs_destination(const struct insn *insn, const u64 regs[INSN_REGS])
{
	return truncate_offset(insn, regs[INSN_RDI]);
}
