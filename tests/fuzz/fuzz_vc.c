/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vc.c - libFuzzer target for sev_es_vc() with a GHCB page (stage 2). The
 * input gives the instruction and its address, the exit code, the registers and
 * the fake host's reply in the GHCB page.
 *
 * A model decodes the instruction with Zydis. It predicts, from the manuals, every
 * byte of the request and the effect of the reply: changes of registers and
 * memory, an exception, or termination with a reason.
 */
#include <sanitizer/asan_interface.h>

#include "scripted_host.h"
#include "insn_zydis.h"

#include "fuzz.h"

enum outcome { ANSWERED, RAISES, ENDS };

/* The outcome of sev_es_vc() that the model expects. */
static struct {
	enum outcome outcome;
	/* The vector if outcome is RAISES, the reason for termination if ENDS. */
	unsigned int code;
	u32 dr7;		/* value of DR7 that the stub must remember */
} predicted;

/* The fake host's reply to the request. take_reply() fills this in. */
static struct {
	u64 result, event;		/* SW_EXITINFO1, SW_EXITINFO2 */
	bool gp;			/* #GP is injected after VMGEXIT */
	u8 valid[GHCB_VALID_BITMAP_SIZE];
	u64 rax, rbx, rcx, rdx;
	/* reply_byte() computes the shared buffer's bytes from this number. */
	u8 seed;
} reply;

#define DATA_SIZE	(DATA_PAGES * PAGE_SIZE)
static u8 data_before[DATA_SIZE];
/*
 * The model expects that the handler copies the first written_size bytes of data_written
 * to the guest's memory at address written_at. Size 0: the handler must write nothing.
 */
static u8 data_written[BUFFER_SIZE + 8];
static u64 written_at, written_size;

/* ---- the input ---- */

/*
 * Takes an address from the input: mostly one near a boundary between memory of
 * different kinds, such as RAM and a device, otherwise an arbitrary one.
 */
static u64 take_address(struct input *in)
{
	static const u64 places[] = {
		TEXT, TEXT + PAGE_SIZE, TEXT_2, TEXT_2 + PAGE_SIZE,
		TEXT_2 + 2 * PAGE_SIZE, DATA, DATA + 8 * PAGE_SIZE, OPEN,
		LAZY, GUARDED, RODATA, NOTHING, DEVICE, DEVICE + PAGE_SIZE,
		DEVICE + DEVICE_SIZE, 0, 1UL << 32, 1UL << 47,
	};
	u8 which = take_u8(in);
	u64 raw;

	if (which == 0xff)
		return take_u64(in);
	if (which == 0xfe)
		return (u64)&ghcb_page + take_u16(in);
	raw = (u64)(s64)(s16)take_u16(in);
	/*
	 * Set some of bits 63:32, which an instruction with 32-bit addresses must
	 * ignore.
	 */
	if (which >= 0xc0)
		raw += 0x9abcdef0UL << 32;
	return places[which % ARRAY_SIZE(places)] + raw;
}

static void take_reply(struct input *in)
{
	u8 how = take_u8(in);

	memset(&reply, 0, sizeof(reply));
	memset(reply.valid, 0xff, sizeof(reply.valid));
	if (how & 1)
		take_bytes(in, reply.valid, sizeof(reply.valid));
	if (how & 2)
		reply.result = 1;
	if (how & 4)
		reply.result = take_u64(in);
	if (how & 8)
		reply.event = 0x80000b0d;
	if (how & 16)
		reply.event = take_u64(in);
	reply.gp = how & 32;
	reply.rax = take_u64(in);
	reply.rbx = take_u64(in);
	reply.rcx = take_u64(in);
	reply.rdx = take_u64(in);
	reply.seed = take_u8(in);
}

static u8 reply_byte(unsigned int i)
{
	return (u8)(reply.seed + i * 7);
}

static const u16 exit_codes[] = {
	0x27, 0x37, 0x41, 0x51, 0x6e, 0x6f, 0x72, 0x76, 0x7b, 0x7c, 0x81, 0x87,
	0x89, 0x8a, 0x8b, 0x400, 0x8d,
};

/* ---- the model: memory ---- */

static bool within(u64 addr, u64 start, u64 size)
{
	return addr >= start && addr - start < size;
}

static bool is_executable(u64 addr)
{
	return within(addr, TEXT, PAGE_SIZE) ||
	       within(addr, TEXT_2, 2 * PAGE_SIZE);
}

static bool is_ram(u64 addr)
{
	return within(addr, TEXT, NOTHING - TEXT) ||
	       within(addr, (u64)&ghcb_page, PAGE_END);
}

static bool is_shared(u64 addr)
{
	return within(addr, OPEN, PAGE_SIZE) ||
	       within(addr, DEVICE, DEVICE_SIZE) ||
	       within(addr, (u64)&ghcb_page, PAGE_END);
}

static bool is_readonly(u64 addr)
{
	return is_executable(addr) || within(addr, RODATA, PAGE_SIZE);
}

/*
 * Whether the #VC handler may access all of [addr, addr + size) as a string
 * instruction's private memory, for writing if @write.
 */
static bool can_reach(u64 addr, u64 size, bool write)
{
	u64 i;

	for (i = 0; i < size; i++) {
		u64 at = addr + i;

		if (at < addr || !is_ram(at) || is_shared(at) ||
		    within(at, GUARDED, PAGE_SIZE) ||
		    (write && is_readonly(at)))
			return false;
	}
	/* The handler also refuses a range that ends at 2^64 or wraps around. */
	return addr + size >= addr;
}

/*
 * Returns 0 if the #VC handler may access the @size bytes at @addr as a device's
 * register, or the reason (SEVSTUB_TERM_*) with which it must terminate the guest.
 */
static unsigned int why_no_device(u64 addr, unsigned int size)
{
	u64 ends[] = { addr, addr + size - 1 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!is_shared(ends[i]))
			return 14;
		if (is_ram(ends[i]))
			return 15;
	}
	return 0;
}

/* ---- the model: registers ---- */

static u64 *reg_of(struct exception_frame *f, unsigned int number)
{
	u64 *const regs[] = {
		&f->rax, &f->rcx, &f->rdx, &f->rbx, &f->rsp, &f->rbp, &f->rsi,
		&f->rdi, &f->r8, &f->r9, &f->r10, &f->r11, &f->r12, &f->r13,
		&f->r14, &f->r15,
	};

	return regs[number];
}

static u64 cut(u64 value, unsigned int size)
{
	u64 result = 0;

	memcpy(&result, &value, size);
	return result;
}

static void set_reg(unsigned int number, u64 value, unsigned int size)
{
	u64 *reg = reg_of(&want, number);

	if (size == 4)
		*reg = 0;
	memcpy(reg, &value, size);
}

static u64 address_of(const struct insn *insn)
{
	u64 sum = insn->displacement;

	if (insn->base == INSN_RIP)
		sum += frame.rip + insn->length;
	else if (insn->base != INSN_NO_REG)
		sum += *reg_of(&frame, insn->base);
	if (insn->index != INSN_NO_REG)
		sum += *reg_of(&frame, insn->index) * insn->scale;
	sum = cut(sum, insn->address_size);
	if (insn->segment == INSN_SEG_FS)
		sum += host.fs_base;
	if (insn->segment == INSN_SEG_GS)
		sum += host.gs_base;
	return sum;
}

/* ---- the model: requests, and the effects of their replies ---- */

static void ends(unsigned int reason)
{
	predicted.outcome = ENDS;
	predicted.code = reason;
}

static void raises_vector(unsigned int vector)
{
	predicted.outcome = RAISES;
	predicted.code = vector;
}

static bool output_valid(enum field field)
{
	return reply.valid[field / 64] >> field / 8 % 8 & 1;
}

/*
 * Makes the fake host answer the request that the model expected last with the contents of
 * the variable reply. Returns true if this answer reports success. Otherwise sets the
 * outcome that the model predicts, and returns false.
 */
static bool asked(void)
{
	struct step *step = current_step();
	unsigned int i;

	put(step->answer, RAX, reply.rax, 8);
	put(step->answer, RBX, reply.rbx, 8);
	put(step->answer, RCX, reply.rcx, 8);
	put(step->answer, RDX, reply.rdx, 8);
	memcpy(step->answer + BITMAP, reply.valid, sizeof(reply.valid));
	for (i = 0; i < BUFFER_SIZE; i++)
		step->answer[BUFFER + i] = reply_byte(i);
	result(reply.result, reply.event);
	if (reply.gp) {
		injects_gp();
		raises_vector(13);
		return false;
	}

	if (reply.result == 0)
		return true;
	if (reply.result != 1)
		ends(8);
	else if ((u32)reply.event == 0x80000b0d ||
		 (u32)reply.event == 0x8000030d)
		raises_vector(13);
	else if ((u32)reply.event == 0x80000306)
		raises_vector(6);
	else
		ends(9);
	return false;
}

static bool outputs(const enum field *fields)
{
	for (; *fields; fields++) {
		if (!output_valid(*fields)) {
			ends(8);
			return false;
		}
	}
	return true;
}

#define OUTPUTS(...)	outputs((const enum field[]){ __VA_ARGS__, 0 })

static void expect_cpuid_exit(void)
{
	expect_exit(0x72, 0, 0);
	sends(RAX, (u32)frame.rax);
	sends(RCX, (u32)frame.rcx);
	if ((u32)frame.rax == 0xd) {
		sends(XCR0, 1);
		sends(XSS, 0);
	}
	if (asked() && OUTPUTS(RAX, RBX, RCX, RDX)) {
		want.rax = (u32)reply.rax;
		want.rbx = (u32)reply.rbx;
		want.rcx = (u32)reply.rcx;
		want.rdx = (u32)reply.rdx;
	}
}

static void expect_edx_eax(void)
{
	if (asked() && OUTPUTS(RAX, RDX)) {
		want.rax = (u32)reply.rax;
		want.rdx = (u32)reply.rdx;
	}
}

static u64 ioio(const struct insn *insn, bool in)
{
	u64 port = insn->port_dx ? (u16)frame.rdx : insn->port;

	return port << 16 | (u64)insn->size << 4 | in;
}

/*
 * Returns how many elements of a string instruction the stub must transfer by one
 * request: at most @most, and only up to the point where the address wraps around.
 * Returns 0 if RCX is 0, so that the instruction does nothing.
 */
static u64 string_count(const struct insn *insn, u64 base, unsigned int most)
{
	u64 left = insn->rep ? cut(frame.rcx, insn->address_size) : 1;
	bool down = frame.rflags & 0x400;
	u64 count, at, next;

	if (!left)
		return 0;
	at = cut(base, insn->address_size);
	for (count = 1; count < left && count < most; count++) {
		next = cut(down ? at - insn->size : at + insn->size,
			   insn->address_size);
		if (down ? next > at : next < at)
			break;
		/*
		 * The request ends before the first element whose address has wrapped
		 * around. It includes an element that begins before the wrap-around
		 * and ends after it.
		 */
		at = next;
	}
	return count;
}

static void advance(const struct insn *insn, unsigned int reg, u64 count)
{
	u64 bytes = count * insn->size;
	bool down = frame.rflags & 0x400;
	u64 old = *reg_of(&frame, reg);

	set_reg(reg, down ? old - bytes : old + bytes, insn->address_size);
}

static void repeat(const struct insn *insn, u64 count)
{
	u64 left;

	if (!insn->rep)
		return;
	left = cut(frame.rcx, insn->address_size) - count;
	want.rcx = left;
	if (left)
		want.rip = frame.rip;
}

static void expect_string_io(const struct insn *insn, bool in)
{
	u64 addr = address_of(insn);
	u64 base = in ? frame.rdi : frame.rsi;
	u64 count = string_count(insn, base, BUFFER_SIZE / insn->size);
	bool down = frame.rflags & 0x400;
	u64 size = count * insn->size, lowest, i;
	u8 *sent;

	if (!count)
		return;
	lowest = down ? addr - size + insn->size : addr;
	if (!can_reach(lowest, size, in)) {
		raises_vector(14);
		return;
	}
	expect_exit(0x7b, ioio(insn, in) | 4 | (insn->rep ? 8 : 0) |
		    (insn->address_size == 8 ? 0x200 : 0x100) |
		    (u64)insn->segment << 10, count);
	sends_scratch();
	for (i = 0; i < count && !in; i++) {
		sent = current_step()->sent + BUFFER + i * insn->size;
		memcpy(sent, (u8 *)(down ? addr - i * insn->size :
					   addr + i * insn->size), insn->size);
	}
	if (!asked())
		return;
	for (i = 0; i < size && in; i++) {
		u64 element = i / insn->size;
		u64 to = down ? count - 1 - element : element;

		data_written[to * insn->size + i % insn->size] =
			reply_byte((unsigned int)i);
	}
	if (in) {
		written_at = lowest;
		written_size = size;
	}
	advance(insn, in ? INSN_RDI : INSN_RSI, count);
	repeat(insn, count);
}

/* ---- the model: devices ---- */

static bool expect_mmio(bool write, u64 addr, unsigned int size, u64 value)
{
	unsigned int reason = why_no_device(addr, size);

	if (reason) {
		ends(reason);
		return false;
	}
	expect_exit(write ? 0x80000002 : 0x80000001, addr, size);
	sends_scratch();
	if (write)
		memcpy(current_step()->sent + BUFFER, &value, size);
	return asked();
}

static void expect_load(const struct insn *insn)
{
	u64 value = 0, extended;
	unsigned int i;

	if (!expect_mmio(false, address_of(insn), insn->size, 0))
		return;
	for (i = 0; i < insn->size; i++)
		value |= (u64)reply_byte(i) << i * 8;
	if (insn->high_byte) {
		((u8 *)reg_of(&want, insn->reg))[1] = (u8)value;
		return;
	}
	extended = value;
	if (insn->sign_extend && value >> (insn->size * 8 - 1))
		extended = value | (~0UL << (insn->size * 8 - 1) << 1);
	set_reg(insn->reg, extended, insn->reg_size);
}

static void expect_store(const struct insn *insn)
{
	u64 value = *reg_of(&frame, insn->reg);

	expect_mmio(true, address_of(insn), insn->size,
		    insn->high_byte ? value >> 8 : value);
}

static void expect_stos(const struct insn *insn)
{
	if (insn->rep && !cut(frame.rcx, insn->address_size))
		return;
	if (!expect_mmio(true, address_of(insn), insn->size, frame.rax))
		return;
	advance(insn, INSN_RDI, 1);
	repeat(insn, 1);
}

static void expect_movs(const struct insn *insn)
{
	u64 from = address_of(insn), value = 0;
	u64 to = cut(frame.rdi, insn->address_size);
	unsigned int reason, i;

	if (insn->rep && !cut(frame.rcx, insn->address_size))
		return;
	/* The handler checks the device before it reads or maps the other operand. */
	reason = why_no_device(is_shared(from) ? from : to, insn->size);
	if (reason) {
		ends(reason);
		return;
	}
	if (is_shared(from)) {
		if (!can_reach(to, insn->size, true)) {
			raises_vector(14);
			return;
		}
		if (!expect_mmio(false, from, insn->size, 0))
			return;
		written_at = to;
		written_size = insn->size;
		for (i = 0; i < insn->size; i++)
			data_written[i] = reply_byte(i);
	} else {
		if (!can_reach(from, insn->size, false)) {
			raises_vector(14);
			return;
		}
		memcpy(&value, (void *)from, insn->size);
		if (!expect_mmio(true, to, insn->size, value))
			return;
	}
	advance(insn, INSN_RSI, 1);
	advance(insn, INSN_RDI, 1);
	repeat(insn, 1);
}

/* ---- the model: instructions ---- */

static u16 exit_of(const struct insn *insn)
{
	switch (insn->op) {
	case INSN_CPUID: return 0x72;
	case INSN_RDTSC: return 0x6e;
	case INSN_RDTSCP: return 0x87;
	case INSN_RDPMC: return 0x6f;
	case INSN_RDMSR: return 0x7c;
	case INSN_WRMSR: return 0x7c;
	case INSN_WBINVD: return 0x89;
	case INSN_INVD: return 0x76;
	case INSN_VMMCALL: return 0x81;
	case INSN_MONITOR: return 0x8a;
	case INSN_MWAIT: return 0x8b;
	case INSN_READ_DR7: return 0x27;
	case INSN_WRITE_DR7: return 0x37;
	case INSN_IN: return 0x7b;
	case INSN_OUT: return 0x7b;
	case INSN_INS: return 0x7b;
	case INSN_OUTS: return 0x7b;
	default: return 0x400;
	}
}

static void predict_insn(const struct insn *insn)
{
	u64 value;

	switch (insn->op) {
	case INSN_CPUID:
		expect_cpuid_exit();
		break;
	case INSN_RDTSC:
		expect_exit(0x6e, 0, 0);
		expect_edx_eax();
		break;
	case INSN_RDTSCP:
		expect_exit(0x87, 0, 0);
		if (asked() && OUTPUTS(RAX, RDX, RCX)) {
			want.rax = (u32)reply.rax;
			want.rdx = (u32)reply.rdx;
			want.rcx = (u32)reply.rcx;
		}
		break;
	case INSN_RDPMC:
	case INSN_RDMSR:
		expect_exit(exit_of(insn), 0, 0);
		sends(RCX, (u32)frame.rcx);
		expect_edx_eax();
		break;
	case INSN_WRMSR:
		expect_exit(0x7c, 1, 0);
		sends(RAX, (u32)frame.rax);
		sends(RCX, (u32)frame.rcx);
		sends(RDX, (u32)frame.rdx);
		asked();
		break;
	case INSN_WBINVD:
	case INSN_INVD:
		expect_exit(exit_of(insn), 0, 0);
		asked();
		break;
	case INSN_VMMCALL:
		expect_exit(0x81, 0, 0);
		sends(RAX, frame.rax);
		sends(CPL, frame.cs & 3);
		if (asked() && OUTPUTS(RAX))
			want.rax = reply.rax;
		break;
	case INSN_MONITOR:
		expect_exit(0x8a, 0, 0);
		sends(RAX, frame.rax);
		sends(RCX, frame.rcx);
		sends(RDX, frame.rdx);
		asked();
		break;
	case INSN_MWAIT:
		expect_exit(0x8b, 0, 0);
		sends(RAX, frame.rax);
		sends(RCX, frame.rcx);
		asked();
		break;
	case INSN_READ_DR7:
		/* Bit 10 of DR7 reads as 1 (APM2 13.1.1). */
		*reg_of(&want, insn->reg) = es.dr7 | 0x400;
		break;
	case INSN_WRITE_DR7:
		value = *reg_of(&frame, insn->reg);
		if (value > UINT32_MAX) {
			raises_vector(13);
			break;
		}
		/*
		 * The stub must clear DR7's reserved bits 11, 12, 14 and 15, and set
		 * bit 10, which always reads as 1.
		 */
		value = (value & ~0xd800UL) | 0x400;
		expect_exit(0x37, 0, 0);
		sends(RAX, value);
		if (asked())
			predicted.dr7 = (u32)value;
		break;
	case INSN_IN:
		expect_exit(0x7b, ioio(insn, true), 0);
		if (asked() && OUTPUTS(RAX))
			set_reg(INSN_RAX, reply.rax, insn->size);
		break;
	case INSN_OUT:
		expect_exit(0x7b, ioio(insn, false), 0);
		sends(RAX, cut(frame.rax, insn->size));
		asked();
		break;
	case INSN_INS:
		expect_string_io(insn, true);
		break;
	case INSN_OUTS:
		expect_string_io(insn, false);
		break;
	case INSN_LOAD:
		expect_load(insn);
		break;
	case INSN_STORE:
		expect_store(insn);
		break;
	case INSN_STORE_IMM:
		expect_mmio(true, address_of(insn), insn->size, insn->imm);
		break;
	case INSN_STOS:
		expect_stos(insn);
		break;
	case INSN_MOVS:
		expect_movs(insn);
		break;
	}
}

static void predict(u64 exit_code)
{
	struct verdict verdict;
	u8 bytes[INSN_MAX_LENGTH];
	bool known = false;
	unsigned int i;

	want = frame;
	predicted.outcome = ANSWERED;
	if (exit_code == 0x41 || exit_code == 0x51) {
		raises_vector(exit_code - 0x40);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(exit_codes) - 1; i++)
		known |= exit_code == exit_codes[i];
	if (!known && exit_code > 0x7ff) {
		ends(11);
		return;
	}
	if (!known) {
		expect_exit(0x8000ffff, exit_code, 0);
		if (asked() || predicted.outcome != ENDS)
			ends(11);
		return;
	}
	for (i = 0; i < sizeof(bytes) &&
		    within(frame.rip + i, text_start, text_end - text_start); i++)
		bytes[i] = *(u8 *)(frame.rip + i);
	if (!i || !judge(&verdict, bytes, i)) {
		ends(7);
		return;
	}
	if (exit_code != exit_of(&verdict.insn)) {
		ends(6);
		return;
	}
	want.rip = frame.rip + verdict.insn.length;
	predict_insn(&verdict.insn);
	if (predicted.outcome == RAISES)
		want = frame;
}

/* ---- one run ---- */

static void fresh_guest(void)
{
	static bool there;
	u8 *at;

	if (!there) {
		make_memory();
		/*
		 * Let the test's process access all of the 2 MiB from TEXT on,
		 * because the stub may map each page of RAM in this range on demand.
		 */
		mprotect((void *)TEXT, PMD_SIZE, PROT_READ | PROT_WRITE);
		judge_init();
		for (at = data_before; at < data_before + DATA_SIZE; at++)
			*at = (u8)((at - data_before) * 13);
		there = true;
	}
	memset(&host.count, 0, sizeof(host) - offsetof(typeof(host), count));
	memset(&es, 0, sizeof(es));
	memset(&sev_guest, 0, sizeof(sev_guest));
	host.sev_status = 3;
	host.has_sev_status = true;
	share_page();
	written_size = 0;

	memset((void *)TEXT, 0x90, 2 * PAGE_SIZE);
	memset((void *)TEXT_2, 0x90, 3 * PAGE_SIZE);
	memcpy((void *)DATA, data_before, DATA_SIZE);
}

/*
 * Checks that the handler has written the predicted bytes to the guest's memory,
 * and that no other byte of the guest's data pages has changed.
 */
static void check_memory(void)
{
	const u8 *now = (const u8 *)DATA;
	u64 i;

	for (i = 0; i < written_size; i++)
		CHECK(((u8 *)written_at)[i] == data_written[i],
		      "byte %lu at %#lx is %#x instead of %#x", i, written_at,
		      ((u8 *)written_at)[i], data_written[i]);
	if (!memcmp(now, data_before, DATA_SIZE))
		return;
	for (i = 0; i < DATA_SIZE; i++)
		CHECK(now[i] == data_before[i] ||
		      within(DATA + i, written_at, written_size),
		      "the byte at %#lx has changed", DATA + i);
}

static void fuzz_one(struct input *in)
{
	u8 how, length, bytes[16] = { 0 };
	u64 exit_code, ended = 0;
	unsigned int i, vector = 0, given;

	fresh_guest();
	how = take_u8(in);
	length = take_u8(in) % (INSN_MAX_LENGTH + 1);
	take_bytes(in, bytes, length);
	i = take_u8(in);
	exit_code = i < 0xf0 ? exit_codes[i % ARRAY_SIZE(exit_codes)] :
			       take_u64(in);
	memset(&frame, 0, sizeof(frame));
	frame.vector = 29;
	frame.cs = 0x10 | (how >> 4 & 3);
	frame.ss = 0x18;
	frame.rflags = 2 | (how & 1 ? 0x400 : 0);
	frame.error_code = exit_code;
	frame.rip = TEXT;
	if (how & 2)
		frame.rip = how & 4 ? TEXT_2 + PAGE_SIZE - length / 2 :
				      TEXT + PAGE_SIZE - length % 16;
	if (how & 8 && how & 4)
		frame.rip = TEXT + PAGE_SIZE - length / 2;
	if (length)
		memcpy((void *)frame.rip, bytes, length);
	take_reply(in);
	host.fs_base = take_address(in);
	host.gs_base = take_address(in);
	/*
	 * Take the registers that instructions use implicitly, such as RSI and
	 * RCX, from the input first, because a short input leaves the registers
	 * that come last 0.
	 */
	for (i = 0; i < INSN_REGS; i++) {
		static const u8 order[] = { 6, 7, 1, 0, 2, 3, 5, 4, 8, 9, 10,
					    11, 12, 13, 14, 15 };

		given = order[i];
		*reg_of(&frame, given) = take_address(in);
	}
	if (how & 0x40)
		frame.rcx = take_u16(in);

	/*
	 * Let INS and OUTS access all memory, and let the #VC handler emulate instructions
	 * at all addresses. In the stub, linker.ld allows neither at any address, because
	 * the stub executes no instruction that raises #VC while the GHCB page is shared.
	 * With the bounds of linker.ld, the handler would terminate the guest at each
	 * instruction that this test tries.
	 */
	io_end = ~0UL;
	emulated_behind = ~0UL;
	set_text(frame.rip);
	es.dr7 = predicted.dr7 = (u32)reply.rbx;
	predict(exit_code);

	host.ending = true;
	if (!setjmp(host.end))
		vector = sev_es_vc(&frame);
	else
		ended = host.last_words;
	host.ending = false;

	CHECK(ended == (predicted.outcome == ENDS ?
			(0x2100UL | (u64)predicted.code << 16) : 0),
	      "%#lx instead of outcome %u, code %u", ended, predicted.outcome,
	      predicted.code);
	CHECK(host.at == host.count, "%u exchanges instead of %u", host.at,
	      host.count);
	if (predicted.outcome == ENDS)
		return;
	CHECK(es.dr7 == predicted.dr7, "DR7 is %#x instead of %#x", es.dr7,
	      predicted.dr7);
	CHECK(vector == (predicted.outcome == RAISES ? predicted.code : 0),
	      "vector %u instead of %u", vector, predicted.code);
	check_frame();
	check_memory();
}
