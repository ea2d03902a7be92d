/* SPDX-License-Identifier: MIT */
/*
 * insn_zydis.h - compares insn.c, the stub's instruction decoder, with Zydis, a
 * disassembler library.
 *
 * judge() decodes bytes with Zydis, corrects the result where AMD's manual
 * contradicts it (judge_differences[]), and converts Zydis' operands to a
 * struct insn, as insn.c would have to fill it. The conversion never looks at
 * an opcode, so it cannot repeat an error of insn.c. Include this after insn.c,
 * call judge_init() first, link with -lZydis.
 */
#ifndef INSN_ZYDIS_H
#define INSN_ZYDIS_H

#include <Zydis/Zydis.h>

/*
 * Result of judge(), which decodes an instruction with the library Zydis:
 * Zydis' own structures, and the struct insn that was made from them.
 */
struct verdict {
	ZydisDecodedInstruction zi;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	struct insn insn;
};

/* ---- converting Zydis' operands to struct insn ---- */

/* Whether @reg is a general-purpose register of any width. */
static bool zydis_is_gpr(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_GPR8 || class == ZYDIS_REGCLASS_GPR16 ||
	       class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
}

/* Fills @insn's register fields from a register operand. */
static void zydis_register(struct insn *insn, const ZydisDecodedOperand *op)
{
	u8 id = ZydisRegisterGetId(op->reg.value);

	insn->reg_size = op->size / 8;
	/*
	 * Zydis numbers the 8-bit registers AL, CL, DL, BL 0 to 3, AH to BH 4
	 * to 7, SPL to DIL 8 to 11, and R8B to R15B from 12. struct insn uses 0
	 * to 3 for AH to BH, with @high_byte set, and 4 to 15 for SPL to R15B.
	 */
	if (insn->reg_size == 1 && id >= 4) {
		insn->high_byte = id < 8;
		id -= 4;
	}
	insn->reg = id;
}

/* Returns struct insn's number for @reg, a base or index register that Zydis found. */
static u8 zydis_register_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return INSN_NO_REG;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return INSN_RIP;
	return ZydisRegisterGetId(reg);
}

/* Fills @insn's memory fields from a memory operand. */
static void zydis_memory(struct insn *insn, const ZydisDecodedOperand *op)
{
	insn->size = op->size / 8;
	insn->base = zydis_register_number(op->mem.base);
	insn->index = zydis_register_number(op->mem.index);
	if (op->mem.index != ZYDIS_REGISTER_NONE)
		insn->scale = op->mem.scale;
	insn->displacement = op->mem.disp.value;

	switch (op->mem.segment) {
	case ZYDIS_REGISTER_FS:
		insn->segment = INSN_SEG_FS;
		break;
	case ZYDIS_REGISTER_GS:
		insn->segment = INSN_SEG_GS;
		break;
	case ZYDIS_REGISTER_ES:
		insn->segment = INSN_SEG_ES;
		break;
	default:
		break;
	}
}

/* Whether the instruction has a repeat prefix: REP, REPE or REPNE. */
static bool zydis_is_repeated(const ZydisDecodedInstruction *zi)
{
	return zi->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				 ZYDIS_ATTRIB_HAS_REPNE);
}

/*
 * Converts MOV, MOVZX, MOVSX and MOVSXD to @insn. Returns false for forms that
 * insn.c must not decode: moves between registers, except those of DR7, and
 * moves of segment registers.
 */
static bool zydis_move(struct insn *insn, const ZydisDecodedInstruction *zi,
		       const ZydisDecodedOperand *ops)
{
	const ZydisDecodedOperand *dst = &ops[0], *src = &ops[1];

	if (dst->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	    src->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		insn->op = INSN_STORE_IMM;
		zydis_memory(insn, dst);
		insn->imm = src->imm.value.u;
		/*
		 * Zydis cuts a sign-extended immediate to the operand's width.
		 * struct insn holds it extended to 64 bits, so extend it again.
		 */
		if (insn->size < 8)
			insn->imm = (s64)(insn->imm << (64 - 8 * insn->size)) >>
				    (64 - 8 * insn->size);
		return true;
	}
	if (dst->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	    zydis_is_gpr(src->reg.value)) {
		insn->op = INSN_STORE;
		zydis_memory(insn, dst);
		zydis_register(insn, src);
		return true;
	}
	if (src->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	    zydis_is_gpr(dst->reg.value)) {
		insn->op = INSN_LOAD;
		zydis_memory(insn, src);
		zydis_register(insn, dst);
		insn->sign_extend = zi->mnemonic == ZYDIS_MNEMONIC_MOVSX ||
				    zi->mnemonic == ZYDIS_MNEMONIC_MOVSXD;
		return true;
	}
	if (dst->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    src->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		if (src->reg.value == ZYDIS_REGISTER_DR7) {
			insn->op = INSN_READ_DR7;
			zydis_register(insn, dst);
			insn->size = 8;
			return true;
		}
		if (dst->reg.value == ZYDIS_REGISTER_DR7) {
			insn->op = INSN_WRITE_DR7;
			zydis_register(insn, src);
			insn->size = 8;
			return true;
		}
	}
	return false;
}

/* Converts IN or OUT to @insn. @acc is the AL, AX or EAX operand. */
static void zydis_io(struct insn *insn, enum insn_op op,
		     const ZydisDecodedOperand *acc,
		     const ZydisDecodedOperand *port)
{
	insn->op = op;
	zydis_register(insn, acc);
	insn->size = insn->reg_size;
	insn->port_dx = port->type == ZYDIS_OPERAND_TYPE_REGISTER;
	if (!insn->port_dx)
		insn->port = port->imm.value.u;
}

/*
 * Converts a string instruction to @insn. @mem is the memory operand that
 * struct insn describes. The second memory operand of MOVS is ignored, because
 * struct insn has no field for it.
 */
static void zydis_string(struct insn *insn, enum insn_op op,
			 const ZydisDecodedInstruction *zi,
			 const ZydisDecodedOperand *mem)
{
	insn->op = op;
	insn->rep = zydis_is_repeated(zi);
	insn->port_dx = op == INSN_INS || op == INSN_OUTS;
	zydis_memory(insn, mem);
}

/*
 * Converts Zydis' result to @insn. Returns false if the instruction is not one
 * of those that insn.c must decode.
 */
static bool from_zydis(struct insn *insn, const ZydisDecodedInstruction *zi,
		       const ZydisDecodedOperand *ops)
{
	*insn = (struct insn){
		.length = zi->length,
		.address_size = zi->address_width / 8,
		.segment = INSN_SEG_DS,
		.base = INSN_NO_REG,
		.index = INSN_NO_REG,
		.scale = 1,
	};

	switch (zi->mnemonic) {
	case ZYDIS_MNEMONIC_CPUID:
		insn->op = INSN_CPUID;
		return true;
	case ZYDIS_MNEMONIC_RDTSC:
		insn->op = INSN_RDTSC;
		return true;
	case ZYDIS_MNEMONIC_RDTSCP:
		insn->op = INSN_RDTSCP;
		return true;
	case ZYDIS_MNEMONIC_RDPMC:
		insn->op = INSN_RDPMC;
		return true;
	case ZYDIS_MNEMONIC_RDMSR:
		insn->op = INSN_RDMSR;
		return true;
	case ZYDIS_MNEMONIC_WRMSR:
		insn->op = INSN_WRMSR;
		return true;
	case ZYDIS_MNEMONIC_WBINVD:
		insn->op = INSN_WBINVD;
		return true;
	case ZYDIS_MNEMONIC_INVD:
		insn->op = INSN_INVD;
		return true;
	case ZYDIS_MNEMONIC_VMMCALL:
		insn->op = INSN_VMMCALL;
		return true;
	case ZYDIS_MNEMONIC_MONITOR:
	case ZYDIS_MNEMONIC_MONITORX:
		insn->op = INSN_MONITOR;
		return true;
	case ZYDIS_MNEMONIC_MWAIT:
	case ZYDIS_MNEMONIC_MWAITX:
		insn->op = INSN_MWAIT;
		return true;
	case ZYDIS_MNEMONIC_IN:
		zydis_io(insn, INSN_IN, &ops[0], &ops[1]);
		return true;
	case ZYDIS_MNEMONIC_OUT:
		zydis_io(insn, INSN_OUT, &ops[1], &ops[0]);
		return true;
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_INSD:
		zydis_string(insn, INSN_INS, zi, &ops[0]);
		return true;
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSW:
	case ZYDIS_MNEMONIC_OUTSD:
		zydis_string(insn, INSN_OUTS, zi, &ops[1]);
		return true;
	case ZYDIS_MNEMONIC_MOVSD:	/* MOVSD is also the name of an SSE move */
		if (zi->meta.category != ZYDIS_CATEGORY_STRINGOP)
			return false;
		/* fall through */
	case ZYDIS_MNEMONIC_MOVSB:
	case ZYDIS_MNEMONIC_MOVSW:
	case ZYDIS_MNEMONIC_MOVSQ:
		zydis_string(insn, INSN_MOVS, zi, &ops[1]);
		return true;
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
		zydis_string(insn, INSN_STOS, zi, &ops[0]);
		zydis_register(insn, &ops[1]);
		return true;
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVZX:
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
		return zydis_move(insn, zi, ops);
	default:
		return false;
	}
}

/* Whether @insn has a memory operand. */
static bool has_memory(const struct insn *insn)
{
	switch (insn->op) {
	case INSN_INS:
	case INSN_OUTS:
	case INSN_LOAD:
	case INSN_STORE:
	case INSN_STORE_IMM:
	case INSN_STOS:
	case INSN_MOVS:
		return true;
	default:
		return false;
	}
}

/*
 * Returns the name of the first field in which two decoded instructions differ.
 * NULL: they are equal.
 */
static const char *first_difference(const struct insn *got,
				    const struct insn *want)
{
#define COMPARE(field)	do { if (got->field != want->field) return #field; } while (0)
	COMPARE(op);
	COMPARE(length);
	COMPARE(size);
	COMPARE(reg);
	COMPARE(reg_size);
	COMPARE(high_byte);
	COMPARE(sign_extend);
	COMPARE(rep);
	COMPARE(port_dx);
	COMPARE(port);
	COMPARE(address_size);
	/*
	 * insn.c stores a segment prefix even if the instruction has no memory
	 * operand. Zydis does not, so compare the segments only if there is a
	 * memory operand.
	 */
	if (has_memory(got))
		COMPARE(segment);
	COMPARE(base);
	COMPARE(index);
	COMPARE(scale);
	COMPARE(displacement);
	COMPARE(imm);
#undef COMPARE
	return NULL;
}

/* ---- corrections of Zydis where AMD's manual contradicts it ---- */

static bool correct_vmgexit(ZydisDecodedInstruction *zi,
			    ZydisDecodedOperand *ops maybe_unused)
{
	unsigned int i;

	if (zi->mnemonic != ZYDIS_MNEMONIC_VMMCALL)
		return false;

	for (i = 0; i < zi->raw.prefix_count; i++) {
		u8 prefix = zi->raw.prefixes[i].value;

		if (prefix == PREFIX_REP || prefix == PREFIX_REPNE) {
			zi->mnemonic = ZYDIS_MNEMONIC_INVALID;
			return true;
		}
	}
	return false;
}

static bool correct_movsxd(ZydisDecodedInstruction *zi,
			   ZydisDecodedOperand *ops)
{
	if (zi->mnemonic != ZYDIS_MNEMONIC_MOVSXD || ops[0].size != 16)
		return false;

	ops[1].size = 16;
	return true;
}

static bool correct_sib_base(ZydisDecodedInstruction *zi,
			     ZydisDecodedOperand *ops)
{
	unsigned int i;

	if (zi->raw.sib.offset == 0 || zi->raw.modrm.mod != 0 ||
	    zi->raw.sib.base != 5)
		return false;

	for (i = 0; i < zi->operand_count; i++) {
		if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    ops[i].mem.base == ZYDIS_REGISTER_R13D) {
			ops[i].mem.base = ZYDIS_REGISTER_NONE;
			ops[i].mem.disp.has_displacement = true;
			ops[i].mem.disp.value = zi->raw.disp.value;
			return true;
		}
	}
	return false;
}

/*
 * Known errors of Zydis. correct() changes Zydis' result to what AMD's manual
 * says, and returns whether a change was necessary. @seen counts the changes.
 * test_insn.c proves that the installed Zydis still has each error.
 */
static struct judge_difference {
	const char *name;
	const char *reason;
	bool (*correct)(ZydisDecodedInstruction *zi, ZydisDecodedOperand *ops);
	unsigned long seen;
} judge_differences[] = {
	{ "vmgexit",
	  "APM3 VMGEXIT: 0F 01 D9 after F3 or F2 is VMGEXIT, which does not "
	  "raise #VC; Zydis 4.0 calls it VMMCALL",
	  correct_vmgexit, 0 },
	{ "movsxd",
	  "APM3 MOVSXD: with a 16-bit operand size only 16 bits are copied; "
	  "Zydis 4.0 reports a memory operand of 32 bits",
	  correct_movsxd, 0 },
	{ "sib_base",
	  "APM3 1.4, table of SIB bases: 101b with mod 00 is no base, REX.B or "
	  "not; Zydis 4.0 says R13D if there is an address-size prefix (its "
	  "issue 592, corrected since)",
	  correct_sib_base, 0 },
};

static ZydisDecoder judge_decoder;

/* Prepares Zydis to decode 64-bit code. Must be called before judge(). */
static void judge_init(void)
{
	ZydisDecoderInit(&judge_decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
}

/*
 * Decodes the instruction at @bytes, which has at most @size bytes, with Zydis.
 * Returns true if insn.c must decode the instruction, too. verdict->insn is
 * then the result that insn.c must return.
 */
static bool judge(struct verdict *verdict, const u8 *bytes, size_t size)
{
	size_t i;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&judge_decoder, bytes, size,
						 &verdict->zi, verdict->ops)))
		return false;

	for (i = 0; i < ARRAY_SIZE(judge_differences); i++)
		if (judge_differences[i].correct(&verdict->zi, verdict->ops))
			judge_differences[i].seen++;

	return from_zydis(&verdict->insn, &verdict->zi, verdict->ops);
}

#endif
