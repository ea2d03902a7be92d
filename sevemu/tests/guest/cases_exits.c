/* SPDX-License-Identifier: MIT */
/*
 * cases_exits.c - each kind of non-automatic exit, for which #VC makes the guest ask
 * its hypervisor (APM2 15.35.5). A real instruction raises #VC, the test guest's
 * handler sends a request by the GHCB, and the instruction's result must be right. The
 * cases whose names end in "-needs" send the request again and again. Each time another
 * required field is marked invalid, and sevemu must refuse the request.
 */
#include "guest.h"
#include "pci.h"

#define UART_SCRATCH		0x3ff
#define FW_CFG_SELECT		0x510
#define FW_CFG_DATA		0x511
#define FW_CFG_SIGNATURE	0
#define MSR_APIC_BASE		0x1b
#define MSR_MTRR_BASE0		0x200
#define MSR_NONE		0xdead
#define LAPIC			0xfee00000ULL
#define LAPIC_VERSION		0x30
#define LAPIC_ICR_HIGH		0x310
#define VENDOR_EBX		0x68747541	/* "Auth" of AuthenticAMD */
#define KVM_ENOSYS		(-1000LL)
#define RFLAGS_TF		0x100
/* The number of a performance counter that does not exist: sevemu has counters 0 to 3. */
#define PMC_NONE		4
#define VMGEXIT_BYTES		0xd9010ff3	/* F3 0F 01 D9 */
#define DR7_FIXED		0x400


/*
 * Executes @insn, which must raise exactly one #VC, with the exit code that
 * exit_insns.h gives for it. sevemu must answer the request with RESULT_DONE.
 */
static void exits_once(void (*insn)(struct regs *r), struct regs *r)
{
	vc.count = 0;
	insn(r);
	expect("#VC count", vc.count, 1);
	expect("error code", vc.error_code, vc.exit);
	expect("result", vc.result, RESULT_DONE);
}

/*
 * Executes @insn with the registers @in once for each field in @fields, which this
 * request needs, and once for each field in always[], which every request needs. Each
 * time the field's valid bit is clear. sevemu must refuse the request and count a
 * violation.
 */
static void needs(void (*insn)(struct regs *r), const struct regs *in,
		  const u32 *fields, size_t count)
{
	static const u32 always[] = {
		GHCB_EXIT_CODE, GHCB_EXIT_INFO_1, GHCB_EXIT_INFO_2,
	};
	struct regs r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(always) + count; i++) {
		r = *in;
		hook(HOOK_EXPECT, VIOL_MISSING_INPUT);
		tamper.drop_valid = i < count ? fields[i] : always[i - count];
		vc.count = 0;
		insn(&r);
		expect("#VC count", vc.count, 1);
		expect("result", vc.result, RESULT_MALFORMED);
		expect("reason", vc.info_2, MALFORMED_MISSING);
		expect("violation", hook(HOOK_VIOLATION, 0), VIOL_MISSING_INPUT);
	}
}

#define NEEDS(insn, in, ...) do {					\
	static const u32 fields[] = { __VA_ARGS__ };			\
	needs(insn, in, fields, ARRAY_SIZE(fields));			\
} while (0)
#define NEEDS_NOTHING(insn, in)	needs(insn, in, NULL, 0)

CASE(cpuid, "cpuid", CASE_ES)
{
	struct regs r = { 0 };

	exits_once(insn_cpuid, &r);
	expect("EBX of function 0", r.rbx, VENDOR_EBX);
	expect("upper half of RAX", r.rax >> 32, 0);
}

CASE(cpuid_needs, "cpuid-needs", CASE_ES)
{
	struct regs r = { 0 };

	NEEDS(insn_cpuid, &r, GHCB_RAX, GHCB_RCX);
}

CASE(cpuid_xcr0, "cpuid-xcr0", CASE_ES | CASE_NOT_SNP)
{
	struct regs r = { .rax = 0xd };

	exits_once(insn_cpuid, &r);
	expect("x87 and SSE in XCR0's mask", r.rax & 3, 3);
	/*
	 * With only x87 enabled, an XSAVE area has 512 bytes of legacy state and a
	 * header of 64 bytes (APM2 11.5.9).
	 */
	expect("size for XCR0 = x87", r.rbx, 0x240);
	r = (struct regs){ .rax = 0xd };
	NEEDS(insn_cpuid, &r, GHCB_RAX, GHCB_RCX, GHCB_XCR0);
}

CASE(rdtsc, "rdtsc", CASE_ES)
{
	struct regs a = { 0 }, b = { 0 };
	u64 old = hook(HOOK_INTERCEPT, HOOK_INTERCEPT_RDTSC);

	exits_once(insn_rdtsc, &a);
	exits_once(insn_rdtsc, &b);
	if ((b.rdx << 32 | b.rax) <= (a.rdx << 32 | a.rax))
		fail("time stands still");
	NEEDS_NOTHING(insn_rdtsc, &a);
	hook(HOOK_INTERCEPT, old);
}

CASE(rdtscp, "rdtscp", CASE_ES)
{
	struct regs a = { 0 }, b = { 0 };
	u64 old = hook(HOOK_INTERCEPT, HOOK_INTERCEPT_RDTSC);

	exits_once(insn_rdtscp, &a);
	exits_once(insn_rdtscp, &b);
	if ((b.rdx << 32 | b.rax) <= (a.rdx << 32 | a.rax))
		fail("time stands still");
	NEEDS_NOTHING(insn_rdtscp, &a);
	hook(HOOK_INTERCEPT, old);
}

CASE(rdtsc_free, "rdtsc-not-intercepted", CASE_ES)
{
	struct regs a = { 0 }, b = { 0 };
	u64 old = hook(HOOK_INTERCEPT, 0);

	if (machine.rdtsc)
		return;
	insn_rdtsc(&a);
	insn_rdtscp(&b);
	expect("#VC count", vc.count, 0);
	if ((b.rdx << 32 | b.rax) <= (a.rdx << 32 | a.rax))
		fail("time stands still");
	hook(HOOK_INTERCEPT, old);
}

CASE(rdpmc, "rdpmc", CASE_ES)
{
	struct regs r = { 0 };

	exits_once(insn_rdpmc, &r);
	r = (struct regs){ 0 };
	NEEDS(insn_rdpmc, &r, GHCB_RCX);
}

/*
 * RDPMC of a counter that does not exist raises #GP. With --host spec sevemu must ask the
 * guest by sw_exit_info_1 to raise #GP. Otherwise sevemu must behave like KVM, which replies
 * that the request is done, and injects #GP, with error code 0, at the instruction after
 * VMGEXIT.
 */
CASE(rdpmc_gp, "rdpmc-gp", CASE_ES)
{
	ghcb_begin(SVM_EXIT_RDPMC, 0, 0);
	ghcb_set(GHCB_RCX, PMC_NONE);
	trap_arm(VECTOR_GP);
	trap.error_code = ~0ULL;
	if (machine.spec) {
		expect("result", ghcb_go(), RESULT_EXCEPTION);
		expect("exception", ghcb_get(GHCB_EXIT_INFO_2), EVENT_GP);
		expect("#GP count", trap.count, 0);
		return;
	}
	expect("result", ghcb_go(), RESULT_DONE);
	expect("sw_exit_info_2", ghcb_get(GHCB_EXIT_INFO_2), 0);
	expect("#GP count", trap.count, 1);
	expect("error code", trap.error_code, 0);
	expect("bytes before RIP", *(const u32 *)(trap.rip - 4), VMGEXIT_BYTES);
}

CASE(inb, "inb-outb", CASE_ES)
{
	struct regs r = { .rax = 0x5a, .rdx = UART_SCRATCH };

	exits_once(insn_outb, &r);
	r.rax = 0;
	exits_once(insn_inb, &r);
	expect("what was written", r.rax, 0x5a);
	r.rax = 0xa5;
	exits_once(insn_outb, &r);
	r.rax = 0;
	exits_once(insn_inb, &r);
	expect("what was written", r.rax, 0xa5);
}

CASE(inl, "inl-outl", CASE_ES)
{
	struct regs r = { .rax = PCI_ENABLE | 0x1100, .rdx = PCI_ADDRESS };

	exits_once(insn_outl, &r);
	r.rax = 0;
	exits_once(insn_inl, &r);
	expect("what was written", r.rax, PCI_ENABLE | 0x1100);
}

CASE(inw, "inw", CASE_ES)
{
	struct regs r = { .rax = PCI_ENABLE, .rdx = PCI_ADDRESS };
	u64 id;

	exits_once(insn_outl, &r);
	r.rdx = PCI_DATA;
	exits_once(insn_inl, &r);
	id = r.rax;
	r.rax = 0;
	exits_once(insn_inw, &r);
	expect("vendor of the host bridge", r.rax, id & 0xffff);
	expect("vendor of the host bridge", r.rax, 0x8086);
	r.rdx = PCI_DATA + 2;
	exits_once(insn_inw, &r);
	expect("its device number", r.rax, id >> 16);
}

CASE(in_imm, "in-immediate", CASE_ES)
{
	struct regs r = { 0 };

	exits_once(insn_inb_imm, &r);
	expect("bits above AL", r.rax >> 8, 0);
}

CASE(io_needs, "io-needs", CASE_ES)
{
	struct regs r = { .rdx = UART_SCRATCH };

	NEEDS(insn_outb, &r, GHCB_RAX);
	NEEDS_NOTHING(insn_inb, &r);
}

static void select_signature(void)
{
	struct regs r = { .rax = FW_CFG_SIGNATURE, .rdx = FW_CFG_SELECT };

	exits_once(insn_outw, &r);
}

CASE(ins, "ins", CASE_ES)
{
	char text[4] = "";
	struct regs r = { .rcx = 4, .rdx = FW_CFG_DATA, .rdi = (u64)text };

	select_signature();
	exits_once(insn_rep_insb, &r);
	expect("rep insb of the signature", memcmp(text, "QEMU", 4), 0);
	expect("RCX", r.rcx, 0);
	expect("RDI", r.rdi, (u64)text + 4);

	select_signature();
	r = (struct regs){ .rcx = 7, .rdx = FW_CFG_DATA, .rdi = (u64)text };
	text[0] = 0;
	exits_once(insn_insb, &r);
	expect("insb of the signature", text[0], 'Q');
	expect("RCX", r.rcx, 7);
	expect("RDI", r.rdi, (u64)text + 1);
}

CASE(ins_wide, "ins-wide", CASE_ES)
{
	u32 ids[4] = { 0 };
	u16 halves[4] = { 0 };
	struct regs r = { .rax = PCI_ENABLE, .rdx = PCI_ADDRESS };
	unsigned int i;

	exits_once(insn_outl, &r);
	r = (struct regs){ .rcx = 4, .rdx = PCI_DATA, .rdi = (u64)ids };
	exits_once(insn_rep_insl, &r);
	r = (struct regs){ .rcx = 4, .rdx = PCI_DATA, .rdi = (u64)halves };
	exits_once(insn_rep_insw, &r);
	for (i = 0; i < 4; i++) {
		expect("rep insl", ids[i] & 0xffff, 0x8086);
		expect("rep insw", halves[i], 0x8086);
	}
}

CASE(outs, "outs", CASE_ES)
{
	static u8 bytes[GHCB_BUFFER_SIZE + 100];
	static const u32 addresses[2] = { PCI_ENABLE | 0x800, PCI_ENABLE | 0x900 };
	static const u16 selects[3] = { 1, 1, FW_CFG_SIGNATURE };
	struct regs r = { .rcx = 3, .rdx = UART_SCRATCH, .rsi = (u64)"abc" };
	char first = 0;

	exits_once(insn_rep_outsb, &r);
	expect("RCX", r.rcx, 0);
	exits_once(insn_inb, &r);
	expect("last byte written", r.rax, 'c');

	/*
	 * REP OUTSB of more bytes than the GHCB's shared buffer holds raises one #VC,
	 * for which the handler must send two requests.
	 */
	memset(bytes, 1, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = 0x42;
	r = (struct regs){ .rcx = sizeof(bytes), .rdx = UART_SCRATCH,
			   .rsi = (u64)bytes };
	exits_once(insn_rep_outsb, &r);
	exits_once(insn_inb, &r);
	expect("last byte written", r.rax, 0x42);

	r = (struct regs){ .rcx = 2, .rdx = PCI_ADDRESS, .rsi = (u64)addresses };
	exits_once(insn_rep_outsl, &r);
	exits_once(insn_inl, &r);
	expect("last address written", r.rax, addresses[1]);

	r = (struct regs){ .rcx = 3, .rdx = FW_CFG_SELECT, .rsi = (u64)selects };
	exits_once(insn_rep_outsw, &r);
	r = (struct regs){ .rdx = FW_CFG_DATA, .rdi = (u64)&first };
	exits_once(insn_insb, &r);
	expect("first byte of what was selected", first, 'Q');

	r = (struct regs){ .rcx = 9, .rdx = UART_SCRATCH, .rsi = (u64)"xy" };
	exits_once(insn_outsb, &r);
	exits_once(insn_inb, &r);
	expect("byte written without REP", r.rax, 'x');
}

CASE(string_needs, "string-io-needs", CASE_ES)
{
	static u8 bytes[4];
	struct regs r = { .rcx = 4, .rdx = UART_SCRATCH, .rsi = (u64)bytes,
			  .rdi = (u64)bytes };

	NEEDS(insn_rep_outsb, &r, GHCB_SCRATCH);
	NEEDS(insn_rep_insb, &r, GHCB_SCRATCH);
}

CASE(msr, "msr", CASE_ES)
{
	struct regs r = { .rcx = MSR_APIC_BASE };
	u64 old;

	exits_once(insn_rdmsr, &r);
	expect("APIC base", r.rax & ~0xfffULL, LAPIC);
	r = (struct regs){ .rcx = MSR_MTRR_BASE0 };
	exits_once(insn_rdmsr, &r);
	old = r.rax;
	r.rax = 0xc0000006;
	exits_once(insn_wrmsr, &r);
	r.rax = 0;
	exits_once(insn_rdmsr, &r);
	expect("what was written", r.rax, 0xc0000006);
	r.rax = old;
	exits_once(insn_wrmsr, &r);
}

/*
 * MSRs that KVM has and QEMU's processor lacks. For each row of msrs[], the case reads the
 * MSR, which must have the value `first`. Then it writes `write`. Then it reads the MSR again,
 * which must have the value `then`. RAISES in `then` is no value of the MSR: the write must
 * raise #GP.
 */
#define RAISES 0x5241495345530000ull
CASE(msr_kvm, "msr-kvm", CASE_ES)
{
	static const struct { u32 msr; u64 first, write, then; } msrs[] = {
		{ 0x17, 0, 0, RAISES },
		{ 0x8b, 0x01000065, 1, 0x01000065 },
		{ 0x17b, ~0ULL, ~0ULL, ~0ULL },
		{ 0xcd, 3, 3, RAISES },
		{ 0x198, 1000 | 4ULL << 40, 0, RAISES },
		{ 0x1d9, 0, 0x3f, 0x3f },
		{ 0x1d9, 0x3f, 0x40, RAISES },
		{ 0xc0010000, 0, 0x530076, 0x530076 },
		{ 0xc0010004, 0, 0xabcdULL, 0xabcdULL },
		{ 0xc0010007, 0, 0xffffffffffff, 0xffffffffffff },
		{ 0xc001001b, 0x20000000, 1, 0x20000000 },
		{ 0xc001001f, 0, 0x400000000000, 0 },
		{ 0xc0010058, 0, 0, 0 },
		{ 0xc0010058, 0, 1, RAISES },
		{ 0xc0011029, 0, 2, 2 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(msrs) / sizeof(*msrs); i++) {
		struct regs r = { .rcx = msrs[i].msr };

		exits_once(insn_rdmsr, &r);
		expect("first", r.rdx << 32 | (u32)r.rax, msrs[i].first);
		r.rax = (u32)msrs[i].write;
		r.rdx = msrs[i].write >> 32;
		vc.result = RESULT_DONE;
		insn_wrmsr(&r);
		expect("exception", vc.result == RESULT_EXCEPTION, msrs[i].then == RAISES);
		vc.result = RESULT_DONE;
		if (msrs[i].then == RAISES)
			continue;
		r.rax = r.rdx = 0;
		exits_once(insn_rdmsr, &r);
		expect("then", r.rdx << 32 | (u32)r.rax, msrs[i].then);
	}
}

CASE(msr_unknown, "msr-unknown", CASE_ES)
{
	struct regs r = { .rcx = MSR_NONE };

	insn_rdmsr(&r);
	expect("result of the read", vc.result, RESULT_EXCEPTION);
	expect("exception", vc.info_2, machine.spec ? EVENT_GP : EVENT_GP_0);
	vc.result = RESULT_DONE;
	insn_wrmsr(&r);
	expect("result of the write", vc.result, RESULT_EXCEPTION);
	expect("exception", vc.info_2, machine.spec ? EVENT_GP : EVENT_GP_0);
}

CASE(msr_needs, "msr-needs", CASE_ES)
{
	struct regs r = { .rcx = MSR_APIC_BASE };

	NEEDS(insn_rdmsr, &r, GHCB_RCX);
	r = (struct regs){ .rcx = MSR_MTRR_BASE0 };
	NEEDS(insn_wrmsr, &r, GHCB_RCX, GHCB_RAX, GHCB_RDX);
}

CASE(wbinvd, "wbinvd", CASE_ES)
{
	struct regs r = { 0 };

	exits_once(insn_wbinvd, &r);
	NEEDS_NOTHING(insn_wbinvd, &r);
}

CASE(invd, "invd", CASE_ES)
{
	struct regs r = { 0 };

	exits_once(insn_invd, &r);
	NEEDS_NOTHING(insn_invd, &r);
}

CASE(monitor, "monitor-mwait", CASE_ES)
{
	static u64 watched;
	struct regs r = { .rax = (u64)&watched };

	exits_once(insn_monitor, &r);
	NEEDS(insn_monitor, &r, GHCB_RAX, GHCB_RCX, GHCB_RDX);
	r = (struct regs){ 0 };
	exits_once(insn_mwait, &r);
	NEEDS(insn_mwait, &r, GHCB_RAX, GHCB_RCX);
}

CASE(vmmcall, "vmmcall", CASE_ES)
{
	struct regs r = { .rax = 0x7fff };

	exits_once(insn_vmmcall, &r);
	expect("answer to an unknown hypercall", r.rax, (u64)KVM_ENOSYS);
	r = (struct regs){ .rax = 0x7fff };
	NEEDS(insn_vmmcall, &r, GHCB_RAX, GHCB_CPL);
}

/*
 * KVM ignores an SEV-ES guest's writes to DR7, and returns 0 for a read. sevemu must behave
 * like KVM, unless it is started with --host spec. With --host spec a read must return what
 * the guest has written.
 */
CASE(dr7, "dr7", CASE_ES)
{
	struct regs r = { 0 };

	exits_once(insn_read_dr7, &r);
	expect("DR7 at first", r.rax, machine.spec ? DR7_FIXED : 0);
	r.rax = DR7_FIXED | 2;
	exits_once(insn_write_dr7, &r);
	r.rax = 0x5555;
	exits_once(insn_read_dr7, &r);
	expect("DR7 after a write", r.rax, machine.spec ? DR7_FIXED | 2 : 0);
	r.rax = DR7_FIXED;
	exits_once(insn_write_dr7, &r);
	NEEDS(insn_write_dr7, &r, GHCB_RAX);
	NEEDS_NOTHING(insn_read_dr7, &r);
}

CASE(db, "db-intercepted", CASE_ES)
{
	u64 old = hook(HOOK_INTERCEPT, HOOK_INTERCEPT_DB);

	asm volatile("pushfq; orq %0, (%%rsp); popfq; nop; nop;"
		     "pushfq; andq %1, (%%rsp); popfq; nop"
		     : : "i"(RFLAGS_TF), "i"(~RFLAGS_TF) : "memory", "cc");
	expect_not("#VC count", vc.count, 0);
	expect("error code", vc.error_code, VC_ERROR_DB);
	hook(HOOK_INTERCEPT, old);
}

CASE(db_free, "db-not-intercepted", CASE_ES)
{
	u64 old = hook(HOOK_INTERCEPT, 0);

	trap_arm(VECTOR_DB);
	asm volatile("pushfq; orq %0, (%%rsp); popfq; nop; nop;"
		     "pushfq; andq %1, (%%rsp); popfq; nop"
		     : : "i"(RFLAGS_TF), "i"(~RFLAGS_TF) : "memory", "cc");
	expect("#VC count", vc.count, 0);
	expect_not("#DB count", trap.count, 0);
	hook(HOOK_INTERCEPT, old);
}

CASE(mmio, "mmio", CASE_ES)
{
	struct regs r = { .rbx = LAPIC + LAPIC_VERSION };

	exits_once(insn_mmio_read, &r);
	/* Version numbers of an integrated local APIC are 0x10 to 0x1f. */
	expect("LAPIC version", r.rax & 0xf0, 0x10);
	r = (struct regs){ .rax = 0x5a000000, .rbx = LAPIC + LAPIC_ICR_HIGH };
	exits_once(insn_mmio_write, &r);
	r.rax = 0;
	exits_once(insn_mmio_read, &r);
	expect("what was written", r.rax, 0x5a000000);
}

CASE(mmio_needs, "mmio-needs", CASE_ES)
{
	struct regs r = { .rbx = LAPIC + LAPIC_ICR_HIGH };

	NEEDS(insn_mmio_read, &r, GHCB_SCRATCH);
	NEEDS(insn_mmio_write, &r, GHCB_SCRATCH);
}

/*
 * sevemu must answer a load from an address that belongs to no device and no RAM
 * without an error.
 */
CASE(mmio_hole, "mmio-hole", CASE_ES)
{
	struct regs r = { .rbx = 0xfd000000 };

	exits_once(insn_mmio_read8, &r);
}

/*
 * HOOK_COUNT returns sevemu's counters. A CPUID must add one #VC and one VMGEXIT. A
 * request by the MSR protocol must add one VMGEXIT.
 */
CASE(counters, "counters", CASE_ES)
{
	u64 exceptions = hook(HOOK_COUNT, HOOK_COUNT_VC);
	u64 exits = hook(HOOK_COUNT, HOOK_COUNT_VMGEXIT);
	struct regs r = { 0 };

	exits_once(insn_cpuid, &r);
	msr_protocol(REQ_SEV_INFO);
	expect("#VC", hook(HOOK_COUNT, HOOK_COUNT_VC) - exceptions, 1);
	expect("VMGEXIT", hook(HOOK_COUNT, HOOK_COUNT_VMGEXIT) - exits, 2);
}
