/* SPDX-License-Identifier: MIT */
/*
 * test_insn.c - tests insn.c, the instruction decoder, against a table and
 * against the disassembler library Zydis.
 *
 * The table lists encodings with their meaning. Zydis decodes a million random
 * encodings and all ModRM bytes. insn_zydis.h converts its results to struct
 * insn, which must be equal to the decoder's. SEED=n in the environment selects
 * other random encodings.
 */
#include <inttypes.h>

#include "harness.h"

#include "../../insn.c"
#include "insn_zydis.h"

#define DEFAULT_SEED	0x5e7e5
#define RANDOM_CASES	1000000
#define NEVER_VALID	NULL

/*
 * Decodes a copy of @bytes that has exactly @size bytes on the heap, so that
 * ASan detects a read past the last byte.
 */
static enum insn_status decode_exact(struct insn *insn, const u8 *bytes,
				     size_t size)
{
	static u8 *exact[INSN_MAX_LENGTH + 2];

	if (!exact[size])
		exact[size] = malloc(size);
	memcpy(exact[size], bytes, size);
	return insn_decode(insn, exact[size], size);
}

/* ---- a struct insn as text ---- */

static const char *const op_names[] = {
	[INSN_CPUID] = "cpuid", [INSN_RDTSC] = "rdtsc",
	[INSN_RDTSCP] = "rdtscp", [INSN_RDPMC] = "rdpmc",
	[INSN_RDMSR] = "rdmsr", [INSN_WRMSR] = "wrmsr",
	[INSN_WBINVD] = "wbinvd", [INSN_INVD] = "invd",
	[INSN_VMMCALL] = "vmmcall", [INSN_MONITOR] = "monitor",
	[INSN_MWAIT] = "mwait", [INSN_READ_DR7] = "read_dr7",
	[INSN_WRITE_DR7] = "write_dr7", [INSN_IN] = "in",
	[INSN_OUT] = "out", [INSN_INS] = "ins", [INSN_OUTS] = "outs",
	[INSN_LOAD] = "load", [INSN_STORE] = "store",
	[INSN_STORE_IMM] = "store", [INSN_STOS] = "stos",
	[INSN_MOVS] = "movs",
};

static const char *register_name(u8 reg, u8 size, bool high)
{
	switch (size) {
	case 1:
		/*
		 * The numbers of AH to BH are 4 to 7 in Zydis, but 0 to 3 with
		 * @high set in struct insn. The numbers of SPL to R15B are 8 to
		 * 19 in Zydis, but 4 to 15 in struct insn.
		 */
		if (high || reg >= INSN_RSP)
			reg += INSN_RSP;
		return ZydisRegisterGetString(
			ZydisRegisterEncode(ZYDIS_REGCLASS_GPR8, reg));
	case 2:
		return ZydisRegisterGetString(
			ZydisRegisterEncode(ZYDIS_REGCLASS_GPR16, reg));
	case 4:
		return ZydisRegisterGetString(
			ZydisRegisterEncode(ZYDIS_REGCLASS_GPR32, reg));
	case 8:
		return ZydisRegisterGetString(
			ZydisRegisterEncode(ZYDIS_REGCLASS_GPR64, reg));
	default:
		return "?";
	}
}

/*
 * Writes an instruction's memory operand as text to @buf. For example, "4[a32
 * fs:rbx+rcx*2+0x10]" is an operand of 4 bytes with a 32-bit address.
 */
static void describe_memory(const struct insn *insn, char *buf, size_t size)
{
	static const char *const segments[] = {
		[INSN_SEG_ES] = "es:", [INSN_SEG_DS] = "",
		[INSN_SEG_FS] = "fs:", [INSN_SEG_GS] = "gs:",
	};
	char base[8] = "", index[16] = "", disp[24] = "";

	if (insn->base == INSN_RIP)
		strcpy(base, "rip");
	else if (insn->base < INSN_REGS)
		strcpy(base, register_name(insn->base, 8, false));
	if (insn->index < INSN_REGS)
		snprintf(index, sizeof(index), "+%s*%u",
			 register_name(insn->index, 8, false), insn->scale);
	if (insn->displacement)
		snprintf(disp, sizeof(disp), "+0x%" PRIx64,
			 insn->displacement);
	snprintf(buf, size, "%s%u[%s%s%s%s%s]", insn->sign_extend ? "s" : "",
		 insn->size, insn->address_size == 4 ? "a32 " : "",
		 segments[insn->segment], base, index, disp);
}

static const char *describe(const struct insn *insn)
{
	static char buf[2][160];
	static unsigned int turn;
	char *out = buf[turn ^= 1];
	const char *reg = register_name(insn->reg, insn->reg_size,
					insn->high_byte);
	const char *name = op_names[insn->op];
	const char *rep = insn->rep ? "rep " : "";
	char mem[96], port[8] = "dx";

	describe_memory(insn, mem, sizeof(mem));
	if (!insn->port_dx)
		snprintf(port, sizeof(port), "0x%x", insn->port);

	switch (insn->op) {
	case INSN_READ_DR7:
	case INSN_WRITE_DR7:
		snprintf(out, sizeof(buf[0]), "%s %s", name, reg);
		break;
	case INSN_IN:
		snprintf(out, sizeof(buf[0]), "%s %s, %s", name, reg, port);
		break;
	case INSN_OUT:
		snprintf(out, sizeof(buf[0]), "%s %s, %s", name, port, reg);
		break;
	case INSN_INS:
	case INSN_OUTS:
	case INSN_MOVS:
		snprintf(out, sizeof(buf[0]), "%s%s %s", rep, name, mem);
		break;
	case INSN_LOAD:
		snprintf(out, sizeof(buf[0]), "%s %s, %s", name, reg, mem);
		break;
	case INSN_STORE:
	case INSN_STOS:
		snprintf(out, sizeof(buf[0]), "%s%s %s, %s", rep, name, mem,
			 reg);
		break;
	case INSN_STORE_IMM:
		snprintf(out, sizeof(buf[0]), "%s %s, 0x%" PRIx64, name, mem,
			 insn->imm);
		break;
	default:
		snprintf(out, sizeof(buf[0]), "%s", name);
		break;
	}
	return out;
}

static const char *hex(const u8 *bytes, size_t size)
{
	static char buf[3 * 32];
	size_t i;

	buf[0] = 0;
	for (i = 0; i < size; i++)
		sprintf(buf + 3 * i, "%02x ", bytes[i]);
	return buf;
}

/* ---- the table of encodings ---- */

static const struct vector {
	const char *bytes;
	/*
	 * The text that describe() must return, or NEVER_VALID if the decoder
	 * must refuse the bytes.
	 */
	const char *want;
	/* The VMEXIT code with which the instruction raises #VC. */
	u16 exit;
} vectors[] = {
	{ "0f a2", "cpuid", 0x72 },
	{ "0f 31", "rdtsc", 0x6e },
	{ "0f 01 f9", "rdtscp", 0x87 },
	{ "0f 33", "rdpmc", 0x6f },
	{ "0f 32", "rdmsr", 0x7c },
	{ "0f 30", "wrmsr", 0x7c },
	{ "0f 09", "wbinvd", 0x89 },
	{ "f3 0f 09", "wbinvd", 0x89 },		/* WBNOINVD */
	{ "0f 08", "invd", 0x76 },
	{ "0f 01 d9", "vmmcall", 0x81 },
	{ "66 0f 01 d9", "vmmcall", 0x81 },
	{ "f3 0f 01 d9", NEVER_VALID, 0 },	/* VMGEXIT */
	{ "f2 0f 01 d9", NEVER_VALID, 0 },
	{ "0f 01 c8", "monitor", 0x8a },
	{ "0f 01 fa", "monitor", 0x8a },	/* MONITORX */
	{ "f3 0f 01 fa", NEVER_VALID, 0 },	/* MCOMMIT */
	{ "66 0f 01 c8", NEVER_VALID, 0 },
	{ "0f 01 c9", "mwait", 0x8b },
	{ "0f 01 fb", "mwait", 0x8b },		/* MWAITX */
	{ "f2 0f 01 c9", NEVER_VALID, 0 },
	{ "66 0f 01 fb", NEVER_VALID, 0 },
	{ "0f 01 ca", NEVER_VALID, 0 },		/* CLAC */
	{ "0f 01 f8", NEVER_VALID, 0 },		/* SWAPGS */

	/*
	 * Prefixes that have no meaning for the instruction are ignored. LOCK
	 * must be refused, because it raises #UD with these instructions.
	 */
	{ "66 67 2e f2 48 0f a2", "cpuid", 0x72 },
	{ "f0 0f a2", NEVER_VALID, 0 },
	{ "f0 89 03", NEVER_VALID, 0 },
	{ "f0 ed", NEVER_VALID, 0 },
	{ "f0 48 f3 a5", NEVER_VALID, 0 },

	/*
	 * MOV from and to DR7. Other debug registers are refused. The mod field
	 * and the operand-size prefix are ignored (APM3 MOV DRn).
	 */
	{ "0f 21 f8", "read_dr7 rax", 0x27 },
	{ "0f 21 fc", "read_dr7 rsp", 0x27 },
	{ "41 0f 21 ff", "read_dr7 r15", 0x27 },
	{ "0f 23 f9", "write_dr7 rcx", 0x37 },
	{ "66 0f 23 f9", "write_dr7 rcx", 0x37 },
	{ "0f 23 3c", "write_dr7 rsp", 0x37 },
	{ "0f 23 7d", "write_dr7 rbp", 0x37 },
	{ "44 0f 23 f9", NEVER_VALID, 0 },	/* DR15 */
	{ "0f 23 f0", NEVER_VALID, 0 },		/* DR6 */
	{ "0f 21 e8", NEVER_VALID, 0 },		/* DR5 */
	{ "0f 20 f8", NEVER_VALID, 0 },		/* CR7 */

	/*
	 * IN, OUT, INS and OUTS. REX.W does not make the operand 64 bits wide,
	 * but it overrides the operand-size prefix.
	 */
	{ "e4 80", "in al, 0x80", 0x7b },
	{ "66 e5 fe", "in ax, 0xfe", 0x7b },
	{ "e5 71", "in eax, 0x71", 0x7b },
	{ "e6 80", "out 0x80, al", 0x7b },
	{ "66 e7 80", "out 0x80, ax", 0x7b },
	{ "e7 80", "out 0x80, eax", 0x7b },
	{ "ec", "in al, dx", 0x7b },
	{ "66 ed", "in ax, dx", 0x7b },
	{ "ed", "in eax, dx", 0x7b },
	{ "48 ed", "in eax, dx", 0x7b },
	{ "66 48 ed", "in eax, dx", 0x7b },
	{ "48 66 ed", "in ax, dx", 0x7b },
	{ "f3 ec", "in al, dx", 0x7b },
	{ "ee", "out dx, al", 0x7b },
	{ "66 ef", "out dx, ax", 0x7b },
	{ "ef", "out dx, eax", 0x7b },
	{ "6c", "ins 1[es:rdi]", 0x7b },
	{ "66 6d", "ins 2[es:rdi]", 0x7b },
	{ "6d", "ins 4[es:rdi]", 0x7b },
	{ "f3 48 6d", "rep ins 4[es:rdi]", 0x7b },
	/* INS always writes to ES, so a segment prefix is ignored. */
	{ "65 6c", "ins 1[es:rdi]", 0x7b },
	{ "67 6c", "ins 1[a32 es:rdi]", 0x7b },
	{ "6e", "outs 1[rsi]", 0x7b },
	{ "66 6f", "outs 2[rsi]", 0x7b },
	{ "f3 6f", "rep outs 4[rsi]", 0x7b },
	{ "f2 6e", "rep outs 1[rsi]", 0x7b },
	{ "64 f3 6e", "rep outs 1[fs:rsi]", 0x7b },
	{ "67 65 66 6f", "outs 2[a32 gs:rsi]", 0x7b },
	{ "36 6e", "outs 1[rsi]", 0x7b },

	/*
	 * MOV to memory. In byte registers, the presence of a REX prefix
	 * decides between AH and SPL, BH and DIL.
	 */
	{ "88 03", "store 1[rbx], al", 0x400 },
	{ "88 23", "store 1[rbx], ah", 0x400 },
	{ "88 3b", "store 1[rbx], bh", 0x400 },
	{ "40 88 23", "store 1[rbx], spl", 0x400 },
	{ "44 88 23", "store 1[rbx], r12b", 0x400 },
	/* A REX prefix that is not the last prefix is ignored. */
	{ "40 66 88 23", "store 1[rbx], ah", 0x400 },
	{ "66 89 0b", "store 2[rbx], cx", 0x400 },
	{ "89 0b", "store 4[rbx], ecx", 0x400 },
	{ "89 23", "store 4[rbx], esp", 0x400 },
	{ "48 89 0b", "store 8[rbx], rcx", 0x400 },
	{ "66 48 89 0b", "store 8[rbx], rcx", 0x400 },
	{ "48 66 89 0b", "store 2[rbx], cx", 0x400 },
	/* Of several REX prefixes only the last has an effect. */
	{ "4c 48 89 0b", "store 8[rbx], rcx", 0x400 },
	{ "f3 89 0b", "store 4[rbx], ecx", 0x400 },
	{ "88 c3", NEVER_VALID, 0 },		/* no memory operand */
	{ "48 89 c3", NEVER_VALID, 0 },

	/* MOV from memory, with every form of ModRM, SIB and displacement. */
	{ "8a 23", "load ah, 1[rbx]", 0x400 },
	{ "45 8b 20", "load r12d, 4[r8]", 0x400 },
	{ "8b 43 80", "load eax, 4[rbx+0xffffffffffffff80]", 0x400 },
	{ "8b 83 00 00 00 80", "load eax, 4[rbx+0xffffffff80000000]", 0x400 },
	{ "8b 05 78 56 34 12", "load eax, 4[rip+0x12345678]", 0x400 },
	{ "67 8b 05 78 56 34 12", "load eax, 4[a32 rip+0x12345678]", 0x400 },
	{ "41 8b 05 04 00 00 00", "load eax, 4[rip+0x4]", 0x400 },
	{ "8b 45 00", "load eax, 4[rbp]", 0x400 },
	{ "8b 04 4b", "load eax, 4[rbx+rcx*2]", 0x400 },
	{ "8b 44 cb 10", "load eax, 4[rbx+rcx*8+0x10]", 0x400 },
	{ "8b 84 8b 10 20 30 40", "load eax, 4[rbx+rcx*4+0x40302010]", 0x400 },
	{ "8b 04 24", "load eax, 4[rsp]", 0x400 },
	{ "8b 04 e4", "load eax, 4[rsp]", 0x400 },
	{ "42 8b 04 23", "load eax, 4[rbx+r12*1]", 0x400 },
	{ "41 8b 04 24", "load eax, 4[r12]", 0x400 },
	{ "8b 04 25 00 00 e0 fe", "load eax, 4[+0xfffffffffee00000]", 0x400 },
	{ "67 8b 04 25 00 00 e0 fe", "load eax, 4[a32 +0xfffffffffee00000]",
	  0x400 },
	{ "8b 04 4d 10 00 00 00", "load eax, 4[+rcx*2+0x10]", 0x400 },
	{ "41 8b 04 4d 10 00 00 00", "load eax, 4[+rcx*2+0x10]", 0x400 },
	{ "41 8b 44 0d 00", "load eax, 4[r13+rcx*1]", 0x400 },
	{ "41 8b 45 00", "load eax, 4[r13]", 0x400 },
	{ "67 8b 03", "load eax, 4[a32 rbx]", 0x400 },
	{ "64 8b 03", "load eax, 4[fs:rbx]", 0x400 },
	{ "64 65 8b 03", "load eax, 4[gs:rbx]", 0x400 },
	{ "64 3e 8b 03", "load eax, 4[fs:rbx]", 0x400 },
	{ "2e 8b 03", "load eax, 4[rbx]", 0x400 },
	{ "65 26 8b 03", "load eax, 4[gs:rbx]", 0x400 },
	{ "8b c3", NEVER_VALID, 0 },

	/*
	 * MOV of an immediate value to memory. An 8-byte operand gets a
	 * sign-extended 32-bit value.
	 */
	{ "c6 03 80", "store 1[rbx], 0xffffffffffffff80", 0x400 },
	{ "66 c7 03 34 12", "store 2[rbx], 0x1234", 0x400 },
	{ "c7 03 78 56 34 12", "store 4[rbx], 0x12345678", 0x400 },
	{ "48 c7 03 00 00 00 80", "store 8[rbx], 0xffffffff80000000", 0x400 },
	{ "66 48 c7 03 00 00 00 80", "store 8[rbx], 0xffffffff80000000",
	  0x400 },
	{ "c7 44 8b 04 01 00 00 00", "store 4[rbx+rcx*4+0x4], 0x1", 0x400 },
	{ "44 c6 03 01", "store 1[rbx], 0x1", 0x400 },
	{ "c6 0b 01", NEVER_VALID, 0 },		/* only /0 is defined */
	{ "c7 3b 01 00 00 00", NEVER_VALID, 0 },
	{ "c6 f8 01", NEVER_VALID, 0 },		/* Intel's XABORT */
	{ "c7 c3 01 00 00 00", NEVER_VALID, 0 },

	/*
	 * MOV between AL, AX, EAX or RAX and memory whose 64-bit address is in
	 * the instruction.
	 */
	{ "a0 08 07 06 05 04 03 02 01", "load al, 1[+0x102030405060708]",
	  0x400 },
	{ "66 a1 00 00 e0 fe 00 00 00 00", "load ax, 2[+0xfee00000]", 0x400 },
	{ "64 a1 00 00 e0 fe 00 00 00 00", "load eax, 4[fs:+0xfee00000]",
	  0x400 },
	{ "67 a1 00 00 e0 7e", "load eax, 4[a32 +0x7ee00000]", 0x400 },
	{ "a2 10 00 00 00 00 00 00 00", "store 1[+0x10], al", 0x400 },
	{ "a3 10 00 00 00 00 00 00 00", "store 4[+0x10], eax", 0x400 },
	{ "48 a3 10 00 00 00 00 00 00 00", "store 8[+0x10], rax", 0x400 },
	{ "45 a3 10 00 00 00 00 00 00 00", "store 4[+0x10], eax", 0x400 },

	/*
	 * MOVZX, MOVSX and MOVSXD from memory, which extend the value with
	 * zeros or with its sign.
	 */
	{ "0f b6 0b", "load ecx, 1[rbx]", 0x400 },
	{ "66 0f b6 0b", "load cx, 1[rbx]", 0x400 },
	{ "48 0f b6 0b", "load rcx, 1[rbx]", 0x400 },
	{ "0f b6 23", "load esp, 1[rbx]", 0x400 },
	{ "0f b7 0b", "load ecx, 2[rbx]", 0x400 },
	{ "66 0f b7 0b", "load cx, 2[rbx]", 0x400 },
	{ "4c 0f b7 0b", "load r9, 2[rbx]", 0x400 },
	{ "0f be 0b", "load ecx, s1[rbx]", 0x400 },
	{ "66 0f be 0b", "load cx, s1[rbx]", 0x400 },
	{ "0f bf 0b", "load ecx, s2[rbx]", 0x400 },
	{ "48 0f bf 0b", "load rcx, s2[rbx]", 0x400 },
	{ "48 63 0b", "load rcx, s4[rbx]", 0x400 },
	{ "63 0b", "load ecx, s4[rbx]", 0x400 },
	{ "66 63 0b", "load cx, s2[rbx]", 0x400 },
	{ "0f b6 c3", NEVER_VALID, 0 },
	{ "48 63 c3", NEVER_VALID, 0 },

	/* STOS and MOVS, with and without a REP prefix and other prefixes. */
	{ "aa", "stos 1[es:rdi], al", 0x400 },
	{ "66 ab", "stos 2[es:rdi], ax", 0x400 },
	{ "f3 ab", "rep stos 4[es:rdi], eax", 0x400 },
	{ "f3 48 ab", "rep stos 8[es:rdi], rax", 0x400 },
	{ "64 aa", "stos 1[es:rdi], al", 0x400 },
	{ "67 f2 aa", "rep stos 1[a32 es:rdi], al", 0x400 },
	{ "a4", "movs 1[rsi]", 0x400 },
	{ "66 a5", "movs 2[rsi]", 0x400 },
	{ "f3 a5", "rep movs 4[rsi]", 0x400 },
	{ "f3 48 a5", "rep movs 8[rsi]", 0x400 },
	{ "65 a4", "movs 1[gs:rsi]", 0x400 },
	{ "67 a4", "movs 1[a32 rsi]", 0x400 },

	/* Encodings that are similar to the decoded ones must be refused. */
	{ "62 01 02 03 04 05", NEVER_VALID, 0 },	/* EVEX */
	{ "c4 e1 f9 6e c0", NEVER_VALID, 0 },		/* VEX */
	{ "d5 08 89 03", NEVER_VALID, 0 },		/* REX2 */
	{ "8c 03", NEVER_VALID, 0 },			/* MOV Sreg */
	{ "8e 03", NEVER_VALID, 0 },
	{ "87 03", NEVER_VALID, 0 },			/* XCHG */
	{ "b8 01 00 00 00", NEVER_VALID, 0 },
	{ "a6", NEVER_VALID, 0 },			/* CMPS */
	{ "ac", NEVER_VALID, 0 },			/* LODS */
	{ "ae", NEVER_VALID, 0 },			/* SCAS */
	{ "f4", NEVER_VALID, 0 },			/* HLT */
	{ "0f 0b", NEVER_VALID, 0 },			/* UD2 */
	{ "0f c3 03", NEVER_VALID, 0 },			/* MOVNTI */
	{ "0f 38 f0 03", NEVER_VALID, 0 },		/* MOVBE */
};

/* Parses a string of hexadecimal bytes and returns the number of bytes. */
static size_t parse_bytes(const char *s, u8 bytes[INSN_MAX_LENGTH])
{
	size_t n = 0;
	char *end;

	while (*s) {
		bytes[n++] = strtoul(s, &end, 16);
		s = end;
	}
	return n;
}

TEST(vectors)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		u8 bytes[INSN_MAX_LENGTH] = { 0 };
		size_t n = parse_bytes(v->bytes, bytes);
		struct insn insn;
		enum insn_status status = decode_exact(&insn, bytes, n);

		if (!v->want) {
			CHECK(status == INSN_INVALID, "%s: %d", v->bytes,
			      status);
			continue;
		}
		CHECK(status == INSN_OK, "%s: %d", v->bytes, status);
		CHECK(insn.length == n, "%s: %u", v->bytes, insn.length);
		CHECK(!strcmp(describe(&insn), v->want),
		      "%s: \"%s\", not \"%s\"", v->bytes, describe(&insn),
		      v->want);
	}
	INFO("%zu encodings", ARRAY_SIZE(vectors));
}

/*
 * Each instruction causes a VMEXIT with one exit code. The decoder must accept
 * the instruction for that code only, and must compare all 64 bits of the code.
 */
TEST(exits)
{
	size_t i;
	u64 code;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		u8 bytes[INSN_MAX_LENGTH];
		size_t n = parse_bytes(v->bytes, bytes);
		struct insn insn;

		if (!v->want)
			continue;
		CHECK(insn_decode(&insn, bytes, n) == INSN_OK, "%s", v->bytes);
		for (code = 0; code <= 0x1000; code++)
			CHECK(insn_matches_exit(&insn, code) ==
			      (code == v->exit), "%s: 0x%" PRIx64, v->bytes,
			      code);
		for (code = 1 << 13; code; code <<= 1)
			CHECK(!insn_matches_exit(&insn, code | v->exit),
			      "%s: 0x%" PRIx64, v->bytes, code | v->exit);
	}
}

static void check_truncation(const u8 *bytes, size_t length)
{
	struct insn insn;
	size_t n;

	for (n = 0; n < length; n++)
		CHECK(decode_exact(&insn, bytes, n) == INSN_TRUNCATED,
		      "%s: with %zu bytes", hex(bytes, length), n);
}

TEST(truncation)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		u8 bytes[INSN_MAX_LENGTH];
		size_t n = parse_bytes(vectors[i].bytes, bytes);

		if (vectors[i].want)
			check_truncation(bytes, n);
	}
}

/*
 * An instruction may have at most 15 bytes, including prefixes without a
 * meaning. The decoder must refuse a longer one, and must not read beyond byte
 * 15.
 */
TEST(length_limit)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		u8 bytes[INSN_MAX_LENGTH + 1 + INSN_MAX_LENGTH];
		struct insn insn;
		size_t n;

		if (!v->want)
			continue;
		memset(bytes, PREFIX_DS, sizeof(bytes));
		n = parse_bytes(v->bytes, bytes + INSN_MAX_LENGTH + 1);

		CHECK(decode_exact(&insn, bytes + n + 1, INSN_MAX_LENGTH) ==
		      INSN_OK, "%s: padded to 15", v->bytes);
		CHECK(insn.length == INSN_MAX_LENGTH &&
		      !strcmp(describe(&insn), v->want),
		      "%s: padded to 15: %u bytes, \"%s\"", v->bytes,
		      insn.length, describe(&insn));
		CHECK(decode_exact(&insn, bytes + n, INSN_MAX_LENGTH - 1) ==
		      INSN_TRUNCATED, "%s: 14 of 16 bytes", v->bytes);
		CHECK(decode_exact(&insn, bytes + n, INSN_MAX_LENGTH) ==
		      INSN_INVALID, "%s: 15 of 16 bytes", v->bytes);
		CHECK(decode_exact(&insn, bytes + n, INSN_MAX_LENGTH + 1) ==
		      INSN_INVALID, "%s: all of 16 bytes", v->bytes);
	}
}

TEST(addresses)
{
	static const u64 regs[INSN_REGS] = {
		[INSN_RBX] = 0xfffffff0,
		[INSN_RCX] = 0x20,
		[INSN_RSI] = 0x222000000000,
		[INSN_RDI] = 0x333000000444,
	};
	static const u64 rip = 0x7fffffff0;
	static const struct {
		const char *bytes;
		u64 segment_base, want;
	} cases[] = {
		{ "8b 03", 0, 0xfffffff0 },
		{ "8b 43 10", 0, 0x100000000 },
		{ "67 8b 43 10", 0, 0 },
		{ "64 67 8b 43 10", 0x123456789000, 0x123456789000 },
		{ "64 8b 43 10", 0x123456789000, 0x123556789000 },
		{ "8b 44 8b ff", 0, 0x10000006f },
		{ "67 8b 44 cb ff", 0, 0xef },
		{ "8b 05 10 00 00 00", 0, 0x800000006 },
		{ "67 8b 05 10 00 00 00", 0, 0x7 },
		{ "c7 05 10 00 00 00 00 00 00 00", 0, 0x80000000a },
		{ "8b 04 25 00 00 e0 fe", 0, 0xfffffffffee00000 },
		{ "67 8b 04 25 00 00 e0 fe", 0, 0xfee00000 },
		{ "67 a1 00 00 e0 fe", 0, 0xfee00000 },
		{ "a1 00 00 e0 fe 00 00 00 00", 0, 0xfee00000 },
		{ "65 a4", 0x1000, 0x222000001000 },
		{ "67 65 a4", 0x1000, 0x1000 },
		{ "aa", 0, 0x333000000444 },
		{ "67 aa", 0, 0x444 },
	};
	struct insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 bytes[INSN_MAX_LENGTH];
		size_t n = parse_bytes(cases[i].bytes, bytes);
		u64 got;

		CHECK(insn_decode(&insn, bytes, n) == INSN_OK, "%s",
		      cases[i].bytes);
		got = insn_address(&insn, regs, rip, cases[i].segment_base);
		CHECK(got == cases[i].want, "%s: 0x%" PRIx64 ", not 0x%" PRIx64,
		      cases[i].bytes, got, cases[i].want);
	}

	insn = (struct insn){ .op = INSN_MOVS, .address_size = 8 };
	CHECK(insn_movs_destination(&insn, regs) == 0x333000000444, "RDI");
	insn.address_size = 4;
	CHECK(insn_movs_destination(&insn, regs) == 0x444, "EDI");
}

/* ---- comparison with Zydis ---- */

static void check_addresses(const struct insn *insn,
			    const struct verdict *verdict)
{
	static ZydisRegisterContext context;
	const ZydisDecodedInstruction *zi = &verdict->zi;
	u64 regs[INSN_REGS], rip = random_u64(), base = random_u64();
	u64 want = 0, got;
	unsigned int i;

	if (!has_memory(insn))
		return;

	for (i = 0; i < INSN_REGS; i++) {
		regs[i] = random_u64();
		context.values[ZYDIS_REGISTER_RAX + i] = regs[i];
		context.values[ZYDIS_REGISTER_EAX + i] = (u32)regs[i];
	}

	for (i = 0; i < zi->operand_count; i++) {
		const ZydisDecodedOperand *op = &verdict->ops[i];

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		ZydisCalcAbsoluteAddressEx(zi, op, rip, &context, &want);
		if (insn->op == INSN_MOVS && i == 0) {
			got = insn_movs_destination(insn, regs);
		} else {
			got = insn_address(insn, regs, rip, base);
			want += base;
		}
		CHECK(got == want, "%s: 0x%" PRIx64 ", Zydis says 0x%" PRIx64,
		      describe(insn), got, want);
	}
}

/*
 * Compares the decoder's result for @bytes with that of Zydis. Returns whether
 * the bytes are an instruction that the stub handles.
 */
static bool check_against_zydis(const u8 bytes[INSN_MAX_LENGTH])
{
	struct verdict verdict;
	struct insn got, again;
	enum insn_status status = insn_decode(&got, bytes, INSN_MAX_LENGTH);
	bool ours = judge(&verdict, bytes, INSN_MAX_LENGTH);
	const char *field;

	CHECK(status != INSN_TRUNCATED, "%s", hex(bytes, INSN_MAX_LENGTH));
	CHECK(ours == (status == INSN_OK), "%s: %s",
	      hex(bytes, INSN_MAX_LENGTH), ours ? "Zydis takes it" :
	      "Zydis refuses it or does not count it as ours");
	if (!ours)
		return false;

	field = first_difference(&got, &verdict.insn);
	CHECK(!field, "%s: %s: \"%s\", Zydis says \"%s\"",
	      hex(bytes, INSN_MAX_LENGTH), field, describe(&got),
	      describe(&verdict.insn));

	/*
	 * The decoder's result must not depend on the bytes after the
	 * instruction, so a copy without them gives the same result.
	 */
	CHECK(decode_exact(&again, bytes, got.length) == INSN_OK &&
	      !first_difference(&again, &got), "%s",
	      hex(bytes, INSN_MAX_LENGTH));

	check_addresses(&got, &verdict);
	check_truncation(bytes, got.length);
	return true;
}

static const u8 prefixes[] = {
	0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
	0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
	0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
};

static void random_bytes(u8 *bytes, size_t size)
{
	while (size--)
		*bytes++ = random_u64();
}

/*
 * Makes a random encoding: mostly up to five prefixes, then an opcode of the
 * one-byte or the 0f map, then random bytes.
 */
static void random_encoding(u8 bytes[INSN_MAX_LENGTH])
{
	bool few = random_below(16);
	unsigned int count = random_below(few ? 6 : INSN_MAX_LENGTH);
	unsigned int i;

	random_bytes(bytes, INSN_MAX_LENGTH);
	for (i = 0; i < count; i++)
		bytes[i] = prefixes[random_below(ARRAY_SIZE(prefixes))];
	if (random_below(2))
		bytes[i] = OPCODE_0F;
}

/*
 * Compares the decoder with Zydis for random encodings, until RANDOM_CASES of
 * them are instructions that the stub handles. Most random encodings are other
 * ones. They are not counted, because the decoder must only refuse them.
 */
TEST(random)
{
	const char *given = getenv("SEED");
	u64 seed = given ? strtoull(given, NULL, 0) : DEFAULT_SEED;
	unsigned long counted = 0, tried = 0;
	u8 bytes[INSN_MAX_LENGTH];

	INFO("seed 0x%" PRIx64, seed);
	random_seed(seed);
	judge_init();

	for (; counted < RANDOM_CASES; tried++) {
		random_encoding(bytes);
		counted += check_against_zydis(bytes);
	}

	INFO("seed 0x%" PRIx64 ", %lu instructions out of %lu", seed, counted,
	     tried);
}

/*
 * Compares the decoder with Zydis for every opcode of the one-byte and the 0f
 * map with every ModRM byte, without a prefix and with each prefix.
 */
TEST(every_modrm)
{
	unsigned long counted = 0;
	unsigned int i, map, low;
	u8 bytes[INSN_MAX_LENGTH];

	random_seed(DEFAULT_SEED);
	judge_init();

	for (i = 0; i <= ARRAY_SIZE(prefixes); i++)
		for (map = 0; map <= 1; map++)
			for (low = 0; low <= 0xffff; low++) {
				unsigned int n = 0;

				random_bytes(bytes, sizeof(bytes));
				if (i < ARRAY_SIZE(prefixes))
					bytes[n++] = prefixes[i];
				if (map)
					bytes[n++] = OPCODE_0F;
				bytes[n++] = low >> 8;
				bytes[n] = low;
				counted += check_against_zydis(bytes);
			}

	INFO("%lu instructions", counted);
}

/*
 * judge_differences[] lists where Zydis differs from AMD's manual. If a newer
 * Zydis no longer has a difference, this case fails, so that the entry is
 * removed.
 */
TEST(differences)
{
	static const struct {
		const char *name;
		const char *bytes;
	} cases[] = {
		{ "vmgexit", "f3 0f 01 d9" },
		{ "vmgexit", "f2 0f 01 d9" },
		{ "movsxd", "66 63 03" },
		{ "sib_base", "67 41 8b 04 25 00 00 e0 7e" },
	};
	size_t i, j;

	judge_init();
	for (i = 0; i < ARRAY_SIZE(judge_differences); i++) {
		struct judge_difference *d = &judge_differences[i];
		unsigned long wanted = 0;

		d->seen = 0;
		for (j = 0; j < ARRAY_SIZE(cases); j++) {
			u8 bytes[INSN_MAX_LENGTH] = { 0 };
			struct verdict verdict;

			if (strcmp(cases[j].name, d->name))
				continue;
			parse_bytes(cases[j].bytes, bytes);
			judge(&verdict, bytes, sizeof(bytes));
			wanted++;
		}
		CHECK(wanted && d->seen == wanted, "%s: seen in %lu of %lu, %s",
		      d->name, d->seen, wanted, d->reason);
	}
	INFO("%zu", ARRAY_SIZE(judge_differences));
}
