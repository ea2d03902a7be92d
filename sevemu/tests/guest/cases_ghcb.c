/* SPDX-License-Identifier: MIT */
/*
 * cases_ghcb.c - the rules of the two protocols between guest and hypervisor: the
 * responses of the MSR protocol, and each way in which a GHCB page or a request on it
 * can be wrong. With --strict, sevemu terminates the guest at a violation of the rules.
 * A case therefore announces a violation with HOOK_EXPECT, so that the run continues.
 * The cases "ends-" do not announce their violation, so that sevemu terminates the guest.
 */
#include "guest.h"

#define NO_RAM		0x7fffffff000ULL	/* an address above all RAM */
#define UNKNOWN_REQUEST	0xffe
#define UNKNOWN_EXIT	0x80001234
#define UART_SCRATCH	0x3ff
#define LAPIC_VERSION	0xfee00030ULL
#define MSR_MTRR_BASE0	0x200
#define DR7_FIXED	0x400

static ALIGNED_PAGE u8 other_page[PAGE_SIZE];

/* ---- The MSR protocol ---- */

CASE(msr_info, "msr-sev-info", CASE_ES | CASE_NOT_SNP)
{
	u64 reply = msr_protocol(REQ_SEV_INFO);

	expect("response", reply & MSR_PROTOCOL_MASK, RESP_SEV_INFO);
	expect("highest version", reply >> 48, machine.ghcb_max);
	expect("lowest version", reply >> 32 & 0xffff, 1);
	expect("C-bit position", reply >> 24 & 0xff, machine.cbit);
	expect("reserved bits", reply >> 12 & 0xfff, 0);
}

CASE(msr_cpuid, "msr-cpuid", CASE_ES)
{
	static const u32 vendor[] = { 1, 0x68747541, 0x444d4163, 0x69746e65 };
	u64 reply, reg;

	for (reg = 0; reg < 4; reg++) {
		reply = msr_protocol(reg << 30 | REQ_CPUID);
		expect("response", reply & MSR_PROTOCOL_MASK, RESP_CPUID);
		expect("reserved bits", reply >> 12 & 0x3ffff, 0);
		expect("register, repeated", reply >> 30 & 3, reg);
		if (reg)
			expect("vendor", reply >> 32, vendor[reg]);
	}
	reply = msr_protocol((u64)CPUID_SEV << 32 | 1 << 30 | REQ_CPUID);
	expect("C-bit position", reply >> 32 & 0x3f, machine.cbit);
}

/*
 * CPUID requested by the MSR protocol and CPUID requested by the GHCB page must give
 * the same registers.
 */
CASE(msr_cpuid_same, "msr-cpuid-same", CASE_ES)
{
	static const u32 functions[] = { 0, 0x80000000, 0x80000001, 0x80000008,
					 CPUID_SEV, 0x40000000 };
	u32 fields[] = { GHCB_RAX, GHCB_RBX, GHCB_RCX, GHCB_RDX };
	u64 by_msr[4];
	unsigned int i, reg;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		for (reg = 0; reg < 4; reg++)
			by_msr[reg] = msr_protocol((u64)functions[i] << 32 |
						   reg << 30 | REQ_CPUID) >> 32;
		ghcb_begin(SVM_EXIT_CPUID, 0, 0);
		ghcb_set(GHCB_RAX, functions[i]);
		ghcb_set(GHCB_RCX, 0);
		expect("result", ghcb_go(), RESULT_DONE);
		for (reg = 0; reg < 4; reg++)
			expect("register", ghcb_get(fields[reg]), by_msr[reg]);
	}
}

CASE(msr_features, "msr-features", CASE_ES | CASE_V2 | CASE_NOT_SNP)
{
	u64 reply = msr_protocol(REQ_FEATURES);

	expect("response", reply & MSR_PROTOCOL_MASK, RESP_FEATURES);
	expect("SNP features", reply >> 12 & 1, 0);
}

/*
 * VMMCALL with the prefix F2 (REPNE) is VMGEXIT, just as with F3 (REP). It must raise
 * no #VC (APM3, "VMGEXIT").
 */
CASE(msr_repne, "vmgexit-repne", CASE_ES)
{
	wrmsr(MSR_GHCB, REQ_SEV_INFO);
	asm volatile("repne; vmmcall" : : : "memory");
	expect("response", rdmsr(MSR_GHCB) & MSR_PROTOCOL_MASK, RESP_SEV_INFO);
	expect("#VC count", vc.count, 0);
}

/*
 * Sends @request by the MSR protocol. sevemu must refuse it: it counts the violation
 * @why (VIOL_*) and leaves the GHCB MSR as the guest has written it.
 */
static void refused(u64 request, u64 why)
{
	hook(HOOK_EXPECT, why);
	expect("MSR", msr_protocol(request), request);
	expect("violation", hook(HOOK_VIOLATION, 0), why);
}

CASE(msr_unknown, "msr-unknown-request", CASE_ES)
{
	refused(UNKNOWN_REQUEST, VIOL_MSR_REQUEST);
	refused(RESP_SEV_INFO, VIOL_MSR_REQUEST);
	refused(RESP_CPUID, VIOL_MSR_REQUEST);
}

CASE(msr_unaligned, "ghcb-unaligned", CASE_ES)
{
	refused((u64)ghcb_page + 0x800, VIOL_MSR_REQUEST);
	refused((u64)ghcb_page + 8, VIOL_MSR_REQUEST);
}

CASE(msr_snp, "msr-snp-requests", CASE_ES | CASE_NOT_SNP)
{
	refused(REQ_PREFERRED_GHCB, VIOL_NOT_SNP);
	refused((u64)ghcb_page | REQ_REGISTER_GHCB, VIOL_NOT_SNP);
	refused((u64)ghcb_page | REQ_PAGE_STATE, VIOL_NOT_SNP);
}

CASE(features_v1, "features-of-version-1", CASE_ES)
{
	if (machine.ghcb_max > 1)
		return;
	refused(REQ_FEATURES, VIOL_MSR_REQUEST);
	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	hook(HOOK_EXPECT, VIOL_INVALID_EVENT);
	expect("result", ghcb_go(), RESULT_MALFORMED);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_INVALID_EVENT);
}

/* RDMSR and WRMSR of the GHCB MSR, and RDMSR of SEV_STATUS, must not raise #VC. */
CASE(msr_plain, "msr-no-vc", CASE_ES)
{
	wrmsr(MSR_GHCB, (u64)other_page);
	expect("GHCB MSR", rdmsr(MSR_GHCB), (u64)other_page);
	expect("SEV_STATUS", rdmsr(MSR_SEV_STATUS),
	       machine.sev == SEV_SNP ? 7 : 3);
	expect("#VC count", vc.count, 0);
	wrmsr(MSR_GHCB, (u64)ghcb_page);
}

CASE(ends_preferred, "ends-msr-010", CASE_ES | CASE_ENDS)
{
	msr_protocol(REQ_PREFERRED_GHCB);
}

CASE(ends_register, "ends-msr-012", CASE_ES | CASE_ENDS)
{
	msr_protocol((u64)ghcb_page | REQ_REGISTER_GHCB);
}

CASE(ends_state, "ends-msr-014", CASE_ES | CASE_ENDS)
{
	msr_protocol((u64)ghcb_page | REQ_PAGE_STATE);
}

CASE(ends_request, "ends-msr-unknown", CASE_ES | CASE_ENDS)
{
	msr_protocol(UNKNOWN_REQUEST);
}

/*
 * Asks the hypervisor by the MSR protocol to terminate the guest, with the reason-code
 * set @set and the reason @code (GHCB 2.3.1).
 */
static void terminate(u64 set, u64 code)
{
	msr_protocol(code << 16 | set << 12 | REQ_TERMINATE);
}

CASE(ends_hold, "ends-ap-reset-hold", CASE_ES | CASE_ENDS)
{
	ghcb_begin(SVM_VMGEXIT_AP_HLT_LOOP, 0, 0);
	ghcb_go();
}

CASE(ends_hold_msr, "ends-ap-reset-hold-msr", CASE_ES | CASE_ENDS)
{
	msr_protocol(REQ_AP_RESET_HOLD);
}

CASE(ends_term_00, "ends-terminate-0-0", CASE_ES | CASE_ENDS)
{
	terminate(0, 0);
}

CASE(ends_term_01, "ends-terminate-0-1", CASE_ES | CASE_ENDS)
{
	terminate(0, 1);
}

CASE(ends_term_02, "ends-terminate-0-2", CASE_ES | CASE_ENDS)
{
	terminate(0, 2);
}

CASE(ends_term_10, "ends-terminate-1-0", CASE_ES | CASE_ENDS)
{
	terminate(1, 0);
}

CASE(ends_term_21, "ends-terminate-2-1", CASE_ES | CASE_ENDS)
{
	terminate(2, 1);
}

CASE(ends_term_f, "ends-terminate-15-255", CASE_ES | CASE_ENDS)
{
	terminate(15, 255);
}

/* ---- Requests by the GHCB page ---- */

/*
 * Prepares a request on the GHCB page: OUT of the byte @value to the UART's scratch
 * register.
 */
static void port_write(u64 value)
{
	ghcb_begin(SVM_EXIT_IOIO, 1 << IOIO_SIZE_SHIFT |
		   UART_SCRATCH << IOIO_PORT_SHIFT, 0);
	ghcb_set(GHCB_RAX, value);
}

/*
 * Prepares a request on the GHCB page: REP OUTSB of @count bytes. @scratch is sw_scratch,
 * the guest-physical address of the bytes.
 */
static void string_out(u64 scratch, u64 count)
{
	ghcb_begin(SVM_EXIT_IOIO, IOIO_STRING | IOIO_REP | IOIO_ADDR64 |
		   IOIO_SEGMENT_DS | 1 << IOIO_SIZE_SHIFT |
		   UART_SCRATCH << IOIO_PORT_SHIFT, count);
	ghcb_set(GHCB_SCRATCH, scratch);
}

/*
 * Sends the request that the caller has prepared on the GHCB page. sevemu must refuse
 * it with RESULT_MALFORMED and @reason (MALFORMED_*), and count @violation (VIOL_*).
 */
static void malformed(u64 violation, u64 reason)
{
	hook(HOOK_EXPECT, violation);
	expect("result", ghcb_go(), RESULT_MALFORMED);
	expect("reason", ghcb_get(GHCB_EXIT_INFO_2), reason);
	expect("violation", hook(HOOK_VIOLATION, 0), violation);
}

CASE(usage, "ghcb-usage", CASE_ES)
{
	port_write(0);
	tamper.set_usage = true;
	tamper.usage = 1;
	malformed(VIOL_USAGE, MALFORMED_USAGE);
	port_write(0);
	tamper.set_usage = true;
	tamper.usage = 0x80000000;
	malformed(VIOL_USAGE, MALFORMED_USAGE);
}

/*
 * Sends a valid request with @version as the GHCB's protocol version. The request must
 * succeed. sevemu must count the violation @violation, or none if @violation is
 * VIOL_NONE.
 */
static void with_version(u16 version, u64 violation)
{
	port_write(0);
	tamper.set_version = true;
	tamper.version = version;
	hook(HOOK_EXPECT, violation);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("violation", hook(HOOK_VIOLATION, 0), violation);
}

CASE(version, "ghcb-version", CASE_ES | CASE_NOT_SNP)
{
	with_version(1, VIOL_NONE);
	with_version(machine.ghcb_max, VIOL_NONE);
	with_version(machine.ghcb_max + 1, VIOL_GHCB_VERSION);
	with_version(3, VIOL_GHCB_VERSION);
	with_version(0xffff, VIOL_GHCB_VERSION);
}

/*
 * Sends a request for REP OUTSB of @count bytes whose sw_scratch points to @offset of the
 * GHCB page. If @good, all the bytes lie in the GHCB's shared buffer, and the request
 * must succeed. Otherwise sevemu must refuse it.
 */
static void scratch_at(u64 offset, u64 count, bool good)
{
	string_out((u64)ghcb_page + offset, count);
	if (!good) {
		malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
		return;
	}
	expect("result", ghcb_go(), RESULT_DONE);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_NONE);
}

CASE(scratch, "scratch", CASE_ES)
{
	const u64 end = GHCB_BUFFER + GHCB_BUFFER_SIZE;

	scratch_at(GHCB_BUFFER, 4, true);
	scratch_at(GHCB_BUFFER, GHCB_BUFFER_SIZE, true);
	scratch_at(end - 4, 4, true);
	scratch_at(end - 1, 1, true);
	/* At least one byte of each of these ranges lies after the end of the buffer. */
	scratch_at(end - 3, 4, false);
	scratch_at(end, 4, false);
	scratch_at(GHCB_BUFFER, GHCB_BUFFER_SIZE + 1, false);
	/*
	 * At least one byte of each of these ranges lies outside of the buffer: in front of
	 * it in the same page, or in another page.
	 */
	scratch_at(GHCB_BUFFER - 1, 4, false);
	scratch_at(0, 4, false);
	scratch_at(PAGE_SIZE, 4, false);
	scratch_at(-4096ULL, 4, false);
	scratch_at(1ULL << 63, 4, false);
	/* The 4 bytes start at address -2, so their end wraps around to 2. */
	scratch_at(-(u64)ghcb_page - 2, 4, false);
}

CASE(scratch_memory, "scratch-in-memory", CASE_ES)
{
	string_out((u64)other_page, 4);
	malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
	/*
	 * sw_scratch must be a guest-physical address without the C-bit, so sevemu must
	 * refuse one with the C-bit.
	 */
	string_out(ghcb_scratch(0) | machine.cmask, 4);
	malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
	string_out((u64)ghcb_buffer(), 4);
	malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
}

CASE(scratch_mmio, "scratch-mmio", CASE_ES)
{
	const u64 end = (u64)ghcb_page + GHCB_BUFFER + GHCB_BUFFER_SIZE;
	static const u64 codes[] = { SVM_VMGEXIT_MMIO_READ,
				     SVM_VMGEXIT_MMIO_WRITE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		ghcb_begin(codes[i], LAPIC_VERSION, 4);
		ghcb_set(GHCB_SCRATCH, end - 3);
		malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
		ghcb_begin(codes[i], LAPIC_VERSION, 4);
		ghcb_set(GHCB_SCRATCH, 0);
		malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
	}
	ghcb_begin(SVM_VMGEXIT_MMIO_READ, LAPIC_VERSION, 4);
	ghcb_set(GHCB_SCRATCH, end - 4);
	expect("result", ghcb_go(), RESULT_DONE);
}

CASE(scratch_huge, "scratch-huge-count", CASE_ES)
{
	string_out(ghcb_scratch(0), ~0ULL);
	malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
	/*
	 * Requests to write 2^62 and 2^30 elements of 4 bytes. The sizes in bytes, 2^64
	 * and 2^32, are 0 if the hypervisor computes them with 64 or 32 bits. It would
	 * then accept them. sevemu must refuse both.
	 */
	ghcb_begin(SVM_EXIT_IOIO, IOIO_STRING | IOIO_REP | IOIO_ADDR64 |
		   4 << IOIO_SIZE_SHIFT | UART_SCRATCH << IOIO_PORT_SHIFT,
		   1ULL << 62);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
	ghcb_begin(SVM_EXIT_IOIO, IOIO_STRING | IOIO_REP | IOIO_ADDR64 |
		   4 << IOIO_SIZE_SHIFT | UART_SCRATCH << IOIO_PORT_SHIFT,
		   1ULL << 30);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	malformed(VIOL_SCRATCH, MALFORMED_SCRATCH);
}

CASE(unknown_exit, "exit-unknown", CASE_ES)
{
	ghcb_begin(UNKNOWN_EXIT, 0, 0);
	malformed(VIOL_INVALID_EVENT, MALFORMED_EVENT);
	/*
	 * HLT is an automatic exit, so the exit code of HLT is not valid in a request.
	 */
	ghcb_begin(SVM_EXIT_HLT, 0, 0);
	malformed(VIOL_INVALID_EVENT, MALFORMED_EVENT);
	/*
	 * sevemu must compare all 64 bits of the exit code. CPUID's exit code with a bit
	 * set in the upper half is an unknown exit code.
	 */
	ghcb_begin(SVM_EXIT_CPUID | 1ULL << 32, 0, 0);
	ghcb_set(GHCB_RAX, 0);
	ghcb_set(GHCB_RCX, 0);
	malformed(VIOL_INVALID_EVENT, MALFORMED_EVENT);
}

/*
 * In the answer the valid bitmap must name the fields that sevemu has set, and not
 * those that the guest has set for the request.
 */
CASE(answer_valid, "answer-valid-bits", CASE_ES)
{
	static const u32 fields[] = { GHCB_RAX, GHCB_RBX, GHCB_RCX, GHCB_RDX,
				      GHCB_EXIT_INFO_1, GHCB_EXIT_INFO_2 };
	u64 want[2] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		want[fields[i] / 512] |= 1ULL << fields[i] / 8 % 64;
	ghcb_begin(SVM_EXIT_CPUID, 0, 0);
	ghcb_set(GHCB_RAX, 0);
	ghcb_set(GHCB_RCX, 0);
	ghcb_set(GHCB_XCR0, 1);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("first word", ghcb_get(GHCB_VALID), want[0]);
	expect("second word", ghcb_get(GHCB_VALID + 8), want[1]);
}

CASE(page_features, "page-features", CASE_ES | CASE_V2)
{
	u64 by_msr = msr_protocol(REQ_FEATURES) >> 12;

	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("features", ghcb_get(GHCB_EXIT_INFO_2), by_msr);
}

CASE(jump_table, "ap-jump-table", CASE_ES)
{
	u64 before;

	ghcb_begin(SVM_VMGEXIT_AP_JUMP_TABLE, SVM_VMGEXIT_GET_AP_JUMP_TABLE, 0);
	expect("result of get", ghcb_go(), RESULT_DONE);
	before = ghcb_get(GHCB_EXIT_INFO_2);
	/*
	 * sevemu makes a jump table only for an SEV-ES guest with APs, which start
	 * through it. An SNP guest starts its APs by the request AP creation.
	 */
	expect("is there a jump table", !!before, machine.smp && machine.sev == SEV_ES);
	ghcb_begin(SVM_VMGEXIT_AP_JUMP_TABLE, SVM_VMGEXIT_SET_AP_JUMP_TABLE,
		   (u64)other_page);
	expect("result of set", ghcb_go(), RESULT_DONE);
	ghcb_begin(SVM_VMGEXIT_AP_JUMP_TABLE, SVM_VMGEXIT_GET_AP_JUMP_TABLE, 0);
	expect("result of get", ghcb_go(), RESULT_DONE);
	expect("jump table", ghcb_get(GHCB_EXIT_INFO_2), (u64)other_page);
	ghcb_begin(SVM_VMGEXIT_AP_JUMP_TABLE, SVM_VMGEXIT_SET_AP_JUMP_TABLE, before);
	expect("result of set", ghcb_go(), RESULT_DONE);
	ghcb_begin(SVM_VMGEXIT_AP_JUMP_TABLE, 2, 0);
	malformed(VIOL_INVALID_INPUT, MALFORMED_INVALID);
}

CASE(io_invalid, "io-invalid", CASE_ES)
{
	/*
	 * Bits 6:4 of EXITINFO1 are the operand size, and exactly one must be set. The
	 * first request has no bit set, the second has two.
	 */
	ghcb_begin(SVM_EXIT_IOIO, UART_SCRATCH << IOIO_PORT_SHIFT, 0);
	ghcb_set(GHCB_RAX, 0);
	malformed(VIOL_INVALID_INPUT, MALFORMED_INVALID);
	ghcb_begin(SVM_EXIT_IOIO, 3 << IOIO_SIZE_SHIFT |
		   UART_SCRATCH << IOIO_PORT_SHIFT, 0);
	ghcb_set(GHCB_RAX, 0);
	malformed(VIOL_INVALID_INPUT, MALFORMED_INVALID);
}

/*
 * In a request for an MSR access, sw_exit_info_1 is 0 for RDMSR or 1 for WRMSR. sevemu
 * must refuse other values and must not write the MSR.
 */
CASE(msr_invalid, "msr-invalid", CASE_ES)
{
	static const u64 directions[] = { 2, 3, 1ULL << 32 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(directions); i++) {
		ghcb_begin(SVM_EXIT_MSR, directions[i], 0);
		ghcb_set(GHCB_RCX, MSR_MTRR_BASE0);
		ghcb_set(GHCB_RAX, 0xc0000006);
		ghcb_set(GHCB_RDX, 0);
		malformed(VIOL_INVALID_INPUT, MALFORMED_INVALID);
	}
	ghcb_begin(SVM_EXIT_MSR, 0, 0);
	ghcb_set(GHCB_RCX, MSR_MTRR_BASE0);
	expect("result of a read", ghcb_go(), RESULT_DONE);
	expect_not("the MSR", ghcb_get(GHCB_RAX), 0xc0000006);
}

/*
 * A write of DR7 with a bit above bit 31 raises #GP and does not change DR7 (APM2
 * 13.1.1). With --host spec sevemu must answer the request with #GP. Otherwise sevemu
 * must behave like KVM, which ignores each write of DR7, and returns 0 for a read.
 */
CASE(dr7_high, "dr7-high-bits", CASE_ES)
{
	static const u64 values[] = { 1ULL << 32 | 2, 1ULL << 63 | 2 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		ghcb_begin(SVM_EXIT_WRITE_DR7, 0, 0);
		ghcb_set(GHCB_RAX, DR7_FIXED | values[i]);
		if (machine.spec) {
			expect("result", ghcb_go(), RESULT_EXCEPTION);
			expect("exception", ghcb_get(GHCB_EXIT_INFO_2), EVENT_GP);
		} else {
			expect("result", ghcb_go(), RESULT_DONE);
		}
		ghcb_begin(SVM_EXIT_READ_DR7, 0, 0);
		expect("result of a read", ghcb_go(), RESULT_DONE);
		expect("DR7", ghcb_get(GHCB_RAX), machine.spec ? DR7_FIXED : 0);
	}
}

CASE(mmio_invalid, "mmio-invalid", CASE_ES)
{
	/* sevemu must refuse a request for an MMIO read of 0 bytes. */
	ghcb_begin(SVM_VMGEXIT_MMIO_READ, LAPIC_VERSION, 0);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	malformed(VIOL_INVALID_INPUT, MALFORMED_INVALID);
}

/*
 * A request for an MMIO read from the guest's private RAM must give what the hypervisor
 * sees there, which is ciphertext.
 */
CASE(mmio_ram, "mmio-of-ram", CASE_ES | CASE_NOT_SNP)
{
	u64 *word = (u64 *)other_page, seen;

	*word = 0x0123456789abcdef;
	ghcb_begin(SVM_VMGEXIT_MMIO_READ, (u64)other_page, 8);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	expect("result", ghcb_go(), RESULT_DONE);
	seen = *(u64 *)ghcb_buffer();
	expect_not("what the host saw", seen, 0x0123456789abcdef);
	expect("what the guest sees with C=0", *shared(other_page), seen);
	expect("what the guest sees with C=1", *word, 0x0123456789abcdef);
}

CASE(unsupported, "unsupported-event", CASE_ES)
{
	ghcb_begin(SVM_VMGEXIT_UNSUPPORTED_EVENT, SVM_EXIT_RSM, 0);
	hook(HOOK_EXPECT, VIOL_UNSUPPORTED_EVENT);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_UNSUPPORTED_EVENT);
}

/*
 * The guest may make a request with another GHCB page than its earlier requests. sevemu
 * must write the answer to the new page and must not write to the old page.
 */
CASE(elsewhere, "ghcb-moved", CASE_ES | CASE_NOT_SNP)
{
	volatile u8 *page = (volatile u8 *)shared(other_page);

	port_write(0x77);
	memcpy((void *)page, (void *)shared(ghcb_page), PAGE_SIZE);
	*(volatile u16 *)(page + GHCB_VERSION) = 1;
	vmgexit_at((u64)other_page);
	expect("result", *(volatile u64 *)(page + GHCB_EXIT_INFO_1), 0);
	expect("old page's exit code", ghcb_get(GHCB_EXIT_CODE), SVM_EXIT_IOIO);
}

/*
 * The case announces VIOL_SCRATCH by HOOK_EXPECT but then commits VIOL_USAGE. With
 * --strict, sevemu must terminate the guest.
 */
CASE(ends_other, "ends-not-expected", CASE_ES | CASE_ENDS)
{
	hook(HOOK_EXPECT, VIOL_SCRATCH);
	port_write(0);
	tamper.set_usage = true;
	tamper.usage = 1;
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_private, "ends-ghcb-private", CASE_ES | CASE_ENDS)
{
	port_write(0);
	tamper.private_ghcb = true;
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_outside, "ends-ghcb-outside", CASE_ES | CASE_ENDS)
{
	vmgexit_at(NO_RAM);
	fail("the run goes on");
}

CASE(ends_mmio, "ends-ghcb-in-device", CASE_ES | CASE_ENDS)
{
	vmgexit_at(LAPIC_VERSION & ~0xfffULL);
	fail("the run goes on");
}

CASE(ends_cbit, "ends-ghcb-with-c-bit", CASE_ES | CASE_ENDS)
{
	port_write(0);
	vmgexit_at((u64)ghcb_page | machine.cmask);
	fail("the run goes on");
}

CASE(ends_usage, "ends-usage", CASE_ES | CASE_ENDS)
{
	port_write(0);
	tamper.set_usage = true;
	tamper.usage = 1;
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_version, "ends-version", CASE_ES | CASE_ENDS)
{
	port_write(0);
	tamper.set_version = true;
	tamper.version = 3;
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_version0, "ends-version-0", CASE_ES | CASE_ENDS)
{
	port_write(0);
	tamper.set_version = true;
	tamper.version = 0;
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_scratch, "ends-scratch", CASE_ES | CASE_ENDS)
{
	string_out((u64)other_page, 4);
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_missing, "ends-missing-input", CASE_ES | CASE_ENDS)
{
	port_write(0);
	tamper.drop_valid = GHCB_RAX;
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_invalid, "ends-invalid-input", CASE_ES | CASE_ENDS)
{
	ghcb_begin(SVM_EXIT_IOIO, UART_SCRATCH << IOIO_PORT_SHIFT, 0);
	ghcb_set(GHCB_RAX, 0);
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_event, "ends-invalid-event", CASE_ES | CASE_ENDS)
{
	ghcb_begin(UNKNOWN_EXIT, 0, 0);
	ghcb_go();
	fail("the run goes on");
}

CASE(ends_unsupported, "ends-unsupported-event", CASE_ES | CASE_ENDS)
{
	ghcb_begin(SVM_VMGEXIT_UNSUPPORTED_EVENT, SVM_EXIT_RSM, 0);
	ghcb_go();
	fail("the run goes on");
}
