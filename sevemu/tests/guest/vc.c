/* SPDX-License-Identifier: MIT */
/*
 * vc.c - the test guest's use of the GHCB: functions that build a request field by
 * field, or with an intended error, and the #VC handler. The handler decodes only those
 * instruction encodings that the cases execute.
 */
#include "guest.h"
#include "snp.h"

#define CPUID_XSTATE		0xd
#define XCR0_X87		1
#define CR4_OSXSAVE		(1 << 18)
#define OPCODE_WRMSR		0x30
#define PREFIX_OPERAND_SIZE	0x66
#define PREFIX_REP		0xf3
#define FIELDS_MAX		4

ALIGNED_PAGE u8 ghcb_page[PAGE_SIZE];
struct vc_log vc __attribute__((used));
struct tamper tamper;
_Static_assert(offsetof(struct vc_log, rip) == 0, "insns.S stores there");
_Static_assert(offsetof(struct vc_log, resume) == 8, "insns.S stores there");
_Static_assert(offsetof(struct vc_log, exit) == 16, "insns.S stores there");
_Static_assert(offsetof(struct vc_log, changed) == 24, "insns.S counts there");
_Static_assert(offsetof(struct regs, rdi) == 40, "insns.S loads it from there");

/*
 * Exits whose request and answer consist of registers only, with the GHCB fields of
 * those registers (GHCB 4.1, table 7).
 */
static const struct exit {
	u64 code;			/* error code of the #VC, SVM_EXIT_* */
	/* GHCB fields that the request must set. Unused elements are 0. */
	u32 in[FIELDS_MAX];
	/* GHCB fields that the hypervisor's answer sets. Unused elements are 0. */
	u32 out[FIELDS_MAX];
} exits[] = {
	{ SVM_EXIT_READ_DR7, { 0 }, { GHCB_RAX } },
	{ SVM_EXIT_WRITE_DR7, { GHCB_RAX }, { 0 } },
	{ SVM_EXIT_RDTSC, { 0 }, { GHCB_RAX, GHCB_RDX } },
	{ SVM_EXIT_RDTSCP, { 0 }, { GHCB_RAX, GHCB_RDX, GHCB_RCX } },
	{ SVM_EXIT_RDPMC, { GHCB_RCX }, { GHCB_RAX, GHCB_RDX } },
	{ SVM_EXIT_CPUID, { GHCB_RAX, GHCB_RCX },
	  { GHCB_RAX, GHCB_RBX, GHCB_RCX, GHCB_RDX } },
	{ SVM_EXIT_INVD, { 0 }, { 0 } },
	{ SVM_EXIT_WBINVD, { 0 }, { 0 } },
	{ SVM_EXIT_MONITOR, { GHCB_RAX, GHCB_RCX, GHCB_RDX }, { 0 } },
	{ SVM_EXIT_MWAIT, { GHCB_RAX, GHCB_RCX }, { 0 } },
	{ SVM_EXIT_VMMCALL, { GHCB_RAX, GHCB_CPL }, { GHCB_RAX } },
};

static volatile u8 *ghcb_byte(u64 offset)
{
	return (volatile u8 *)shared(ghcb_page) + offset;
}

u8 *ghcb_buffer(void)
{
	return (u8 *)ghcb_byte(GHCB_BUFFER);
}

u64 ghcb_scratch(u64 offset)
{
	return (u64)ghcb_page + GHCB_BUFFER + offset;
}

void ghcb_begin(u64 code, u64 info_1, u64 info_2)
{
	memset((void *)ghcb_byte(0), 0, PAGE_SIZE);
	ghcb_set(GHCB_EXIT_CODE, code);
	ghcb_set(GHCB_EXIT_INFO_1, info_1);
	ghcb_set(GHCB_EXIT_INFO_2, info_2);
}

void ghcb_set(u32 field, u64 value)
{
	if (field == GHCB_CPL)
		*ghcb_byte(field) = value;
	else
		*(volatile u64 *)ghcb_byte(field) = value;
	*ghcb_byte(GHCB_VALID + field / 64) |= 1 << field / 8 % 8;
}

u64 ghcb_get(u32 field)
{
	return *(volatile u64 *)ghcb_byte(field);
}

bool ghcb_answered(u32 field)
{
	return *ghcb_byte(GHCB_VALID + field / 64) & 1 << field / 8 % 8;
}

void vmgexit_at(u64 ghcb_msr)
{
	wrmsr(MSR_GHCB, ghcb_msr);
	asm volatile("rep; vmmcall" : : : "memory");
}

u64 msr_protocol(u64 request)
{
	vmgexit_at(request);
	return rdmsr(MSR_GHCB);
}

/*
 * Makes the prepared request wrong in the way that tamper asks for, and clears tamper.
 */
static void tamper_with_request(void)
{
	u32 field = tamper.drop_valid;

	if (field)
		*ghcb_byte(GHCB_VALID + field / 64) &= ~(1 << field / 8 % 8);
	if (tamper.set_version)
		*(volatile u16 *)ghcb_byte(GHCB_VERSION) = tamper.version;
	if (tamper.set_usage)
		*(volatile u32 *)ghcb_byte(GHCB_USAGE) = tamper.usage;
	if (tamper.set_scratch)
		*(volatile u64 *)ghcb_byte(GHCB_SCRATCH) = tamper.scratch;
	if (tamper.private_ghcb)
		*(volatile u8 *)ghcb_page;
	memset(&tamper, 0, sizeof(tamper));
}

u64 ghcb_go(void)
{
	*(volatile u16 *)ghcb_byte(GHCB_VERSION) = machine.ghcb_max;
	tamper_with_request();
	vmgexit_at((u64)ghcb_page);
	return (u32)ghcb_get(GHCB_EXIT_INFO_1);
}

static u64 *frame_register(struct frame *f, u32 field)
{
	switch (field) {
	case GHCB_RAX: return &f->rax;
	case GHCB_RBX: return &f->rbx;
	case GHCB_RCX: return &f->rcx;
	default: return &f->rdx;
	}
}

/*
 * Sends the prepared request and records the hypervisor's answer in vc. Returns whether
 * the answer is RESULT_DONE.
 */
static bool ask(void)
{
	vc.result = ghcb_go();
	vc.info_2 = ghcb_get(GHCB_EXIT_INFO_2);
	vc.valid[0] = ghcb_get(GHCB_VALID);
	vc.valid[1] = ghcb_get(GHCB_VALID + 8);
	return vc.result == RESULT_DONE;
}

static u64 read_xcr0(void)
{
	u64 cr4;
	u32 low, high;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	if (!(cr4 & CR4_OSXSAVE))
		return XCR0_X87;
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}

/*
 * Handles an exit that passes registers only: sends the registers of @f that @e->in
 * names, and sets those that @e->out names from the answer. @info_1 is sw_exit_info_1.
 */
static void handle_plain(struct frame *f, const struct exit *e, u64 info_1)
{
	unsigned int i;

	ghcb_begin(e->code, info_1, 0);
	for (i = 0; i < FIELDS_MAX && e->in[i]; i++)
		ghcb_set(e->in[i], e->in[i] == GHCB_CPL ? f->cs & 3 :
			 *frame_register(f, e->in[i]));
	if (e->code == SVM_EXIT_CPUID && (u32)f->rax == CPUID_XSTATE)
		ghcb_set(GHCB_XCR0, read_xcr0());
	if (!ask())
		return;
	for (i = 0; i < FIELDS_MAX && e->out[i]; i++) {
		if (!ghcb_answered(e->out[i]))
			fail("the answer lacks a valid bit");
		*frame_register(f, e->out[i]) = ghcb_get(e->out[i]);
	}
}

static void handle_msr(struct frame *f)
{
	static const struct exit
		read = { SVM_EXIT_MSR, { GHCB_RCX }, { GHCB_RAX, GHCB_RDX } },
		write = { SVM_EXIT_MSR, { GHCB_RCX, GHCB_RAX, GHCB_RDX }, { 0 } };
	bool is_write = ((u8 *)f->rip)[1] == OPCODE_WRMSR;

	handle_plain(f, is_write ? &write : &read, is_write);
}

/* Returns a mask of the low @size bytes of a quadword; @size is 1, 2, 4 or 8. */
static u64 mask_of(u32 size)
{
	return size == 8 ? ~0ULL : (1ULL << size * 8) - 1;
}

/*
 * Handles INS and OUTS, with and without REP, with elements of @size bytes. RFLAGS.DF
 * must be clear. @info_1 is sw_exit_info_1 of the request.
 */
static void handle_string_io(struct frame *f, u64 info_1, u32 size)
{
	u64 left = info_1 & IOIO_REP ? f->rcx : 1;
	u64 n, bytes;

	while (left) {
		n = left < GHCB_BUFFER_SIZE / size ? left :
		    GHCB_BUFFER_SIZE / size;
		bytes = n * size;
		ghcb_begin(SVM_EXIT_IOIO, info_1, n);
		if (!(info_1 & IOIO_IN)) {
			memcpy(ghcb_buffer(), (void *)f->rsi, bytes);
			f->rsi += bytes;
		}
		ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
		if (!ask())
			return;
		if (info_1 & IOIO_IN) {
			memcpy((void *)f->rdi, ghcb_buffer(), bytes);
			f->rdi += bytes;
		}
		left -= n;
		if (info_1 & IOIO_REP)
			f->rcx -= n;
	}
}

static void handle_io(struct frame *f)
{
	const u8 *p = (const u8 *)f->rip;
	u32 size = 4, port = (u16)f->rdx;
	u64 info_1 = IOIO_ADDR64;
	u8 opcode;

	for (; *p == PREFIX_OPERAND_SIZE || *p == PREFIX_REP; p++) {
		if (*p == PREFIX_REP)
			info_1 |= IOIO_REP;
		else
			size = 2;
	}
	opcode = *p;
	if (!(opcode & 1))
		size = 1;
	info_1 |= size << IOIO_SIZE_SHIFT;
	/*
	 * Opcodes 6C-6F are INS and OUTS. E4-E7 are IN and OUT with the port as an
	 * immediate byte. EC-EF have the port in DX.
	 */
	if (opcode >= 0xe4 && opcode <= 0xe7)
		port = p[1];
	info_1 |= port << IOIO_PORT_SHIFT;
	if (!(opcode & 2))
		info_1 |= IOIO_IN;
	if (opcode >= 0x6c && opcode <= 0x6f) {
		info_1 |= IOIO_STRING;
		info_1 |= opcode & 2 ? IOIO_SEGMENT_DS : IOIO_SEGMENT_ES;
		handle_string_io(f, info_1, size);
		return;
	}
	ghcb_begin(SVM_EXIT_IOIO, info_1, 0);
	if (!(info_1 & IOIO_IN))
		ghcb_set(GHCB_RAX, f->rax & mask_of(size));
	if (!ask() || !(info_1 & IOIO_IN))
		return;
	if (!ghcb_answered(GHCB_RAX))
		fail("the answer lacks RAX");
	f->rax = ghcb_get(GHCB_RAX);
}

/*
 * Handles MOV between AL, AX, EAX or RAX and a device register whose address is in RBX:
 * the encodings of the MMIO rows in exit_insns.h.
 */
static void handle_mmio(struct frame *f)
{
	const u8 *p = (const u8 *)f->rip;
	u32 size = 4;
	bool write;

	if (*p == PREFIX_OPERAND_SIZE || *p == 0x48)
		size = *p++ == 0x48 ? 8 : 2;
	if (!(*p & 1))
		size = 1;
	write = !(*p & 2);
	ghcb_begin(write ? SVM_VMGEXIT_MMIO_WRITE : SVM_VMGEXIT_MMIO_READ,
		   f->rbx, size);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	if (write)
		memcpy(ghcb_buffer(), &f->rax, size);
	if (ask() && !write) {
		f->rax = 0;
		memcpy(&f->rax, ghcb_buffer(), size);
	}
}

static void handle_by_code(struct frame *f)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(exits); i++) {
		if (exits[i].code == f->error_code) {
			handle_plain(f, &exits[i], 0);
			return;
		}
	}
	fail("#VC with an unknown error code");
	note("error code", f->error_code);
}

void vc_handle(struct frame *f)
{
	/*
	 * A #VC at another instruction than the expected one can only come from an attack:
	 * the host has injected the #VC, or has taken a page from the victim. A victim must
	 * not obey such a #VC, so it terminates itself.
	 */
	if (machine.victim && f->rip != vc.rip)
		victim_gives_up();
	vc.count++;
	vc.error_code = f->error_code;
	vc.cs = f->cs;
	vc.frame = (u64)f;
	asm volatile("pushfq; popq %0" : "=r"(vc.rflags));
	/*
	 * #DB is a trap, so RIP is already after the instruction, and must not be
	 * changed.
	 */
	if (f->error_code == VC_ERROR_DB)
		return;
	if (f->error_code == VC_NOT_VALIDATED) {
		vc.not_validated++;
		if (vc.validate) {
			snp_validate(vc.validate, true);
			vc.validate = 0;
			return;
		}
	}
	if (f->rip != vc.rip)
		vc.wrong_rip = true;
	if (!vc.skip) {
		switch (f->error_code) {
		case SVM_EXIT_IOIO:
			handle_io(f);
			break;
		case SVM_EXIT_MSR:
			handle_msr(f);
			break;
		case SVM_EXIT_NPF:
			handle_mmio(f);
			break;
		default:
			handle_by_code(f);
		}
	}
	f->rip = vc.resume;
}
