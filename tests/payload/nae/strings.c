/* SPDX-License-Identifier: MIT */
/*
 * strings.c - test cases for INS and OUTS: with and without REP, in each size, in both
 * directions, with both address sizes, with segment prefixes, with more data than the
 * GHCB's buffer holds, and with buffers that fault.
 *
 * The data is known: fw_cfg's data port returns "QEMU" and then zeros, PCI's data port
 * returns the same value each time, and the UART's scratch register and PCI's address
 * port keep the last value that is written.
 */
#include "nae.h"

#define BUFFER_SIZE		0x3000
#define DEBUGCON_PORT		0x402
#define DEBUGCON_THERE		0xe9	/* value that IN from QEMU's debug console returns */
#define UNTOUCHED		0xee
/*
 * Numbers of elements for one INS or OUTS. Each is more than the GHCB's shared buffer
 * of 2032 bytes holds.
 */
#define MANY_BYTES		5000
#define MANY_WORDS		1100
#define MANY_LONGS		600
/*
 * Distance in bytes from the self-test's end to RAM that it does not use, for the case
 * ins-unmapped.
 */
#define FAR_AWAY		0x400000UL

static u8 buffer[BUFFER_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void clear(void)
{
	memset(buffer, UNTOUCHED, sizeof(buffer));
}

/*
 * Complains unless the bytes [from, to) of the buffer still have the value that clear()
 * has written.
 */
static void check_untouched(const char *insn, size_t from, size_t to)
{
	for (; from < to; from++)
		if (buffer[from] != UNTOUCHED)
			complain("%s: byte 0x%lx of the buffer is %x", insn,
				 from, buffer[from]);
}

static void check_buffer(const char *insn, size_t at, const char *expected)
{
	size_t len = strlen(expected);

	if (memcmp(buffer + at, expected, len))
		complain("%s: the buffer has %02x %02x %02x %02x, not \"%s\"",
			 insn, buffer[at], buffer[at + 1], buffer[at + 2],
			 buffer[at + 3], expected);
}

/*
 * Prepares an INS: clears the buffer, and sets the registers to read from @port into
 * memory at @to.
 */
static void string_in(u16 port, void *to)
{
	clear();
	prepare();
	before.r[INSN_RDX] = before.r[INSN_RDX] >> 16 << 16 | port;
	before.r[INSN_RDI] = (u64)to;
}

/* Prepares an OUTS: sets the registers to write memory at @from to @port. */
static void string_out(u16 port, const void *from)
{
	prepare();
	before.r[INSN_RDX] = before.r[INSN_RDX] >> 16 << 16 | port;
	before.r[INSN_RSI] = (u64)from;
}

/*
 * Checks the registers after an INS or OUTS of @count elements. @reg, RSI or RDI, must
 * have moved by @count * @size bytes; @size is negative for a downward transfer. If
 * @rep, RCX must have been counted down by @count.
 */
static void check_string(const char *insn, unsigned int reg, u64 count, int size,
			 bool rep)
{
	want.r[reg] += count * (u64)size;
	if (rep)
		want.r[INSN_RCX] -= count;
	check_regs(insn);
}

/*
 * Selects fw_cfg's signature "QEMU" for INS. Skips the case if the machine has no
 * fw_cfg.
 */
static void fw_cfg(void)
{
	if (!have_fw_cfg())
		skip("no fw_cfg");
	out16(FW_CFG_SELECT, 0);
}

static void pci(void)
{
	if (!have_pci())
		skip("no PCI");
}

static void scratch(void)
{
	if (!have_scratch_port())
		skip("no UART at 0x3f8");
}

/* INS without REP transfers one element, whatever RCX holds. */
static void case_insb(void)
{
	static const u64 counts[] = { 0, 1, 5, ~0UL };

	for (u32 i = 0; i < ARRAY_SIZE(counts); i++) {
		fw_cfg();
		string_in(FW_CFG_DATA, buffer + 3);
		before.r[INSN_RCX] = counts[i];
		execute("insb (%dx), (%rdi)");
		check_string("insb", INSN_RDI, 1, 1, false);
		check_buffer("insb", 3, "Q");
		check_untouched("insb", 4, 64);
	}
}

static void case_insw(void)
{
	u16 value;

	pci();
	value = in16(PCI_DATA);
	string_in(PCI_DATA, buffer + 1);
	execute("insw (%dx), (%rdi)");
	check_string("insw", INSN_RDI, 1, 2, false);
	if (memcmp(buffer + 1, &value, sizeof(value)))
		complain("insw: not %x", value);
	check_untouched("insw", 3, 64);
}

static void case_insl(void)
{
	u32 value;

	pci();
	value = in32(PCI_DATA);
	string_in(PCI_DATA, buffer + 1);
	execute("insl (%dx), (%rdi)");
	check_string("insl", INSN_RDI, 1, 4, false);
	if (memcmp(buffer + 1, &value, sizeof(value)))
		complain("insl: not %x", value);
	check_untouched("insl", 5, 64);
}

static void case_rep_insb(void)
{
	fw_cfg();
	string_in(FW_CFG_DATA, buffer);
	before.r[INSN_RCX] = 4;
	execute("rep insb (%dx), (%rdi)");
	check_string("rep insb", INSN_RDI, 4, 1, true);
	check_buffer("rep insb", 0, "QEMU");
	check_untouched("rep insb", 4, 64);
}

/*
 * REP INSB of more bytes than the GHCB's buffer holds, to an odd address and over three
 * pages. The handler needs several requests for it.
 */
static void case_rep_insb_many(void)
{
	fw_cfg();
	string_in(FW_CFG_DATA, buffer + 0xffd);
	before.r[INSN_RCX] = MANY_BYTES;
	execute("rep insb (%dx), (%rdi)");
	check_string("rep insb", INSN_RDI, MANY_BYTES, 1, true);
	check_buffer("rep insb", 0xffd, "QEMU");
	for (u32 i = 4; i < MANY_BYTES; i++)
		if (buffer[0xffd + i])
			complain("rep insb: byte %u is not 0", i);
	check_untouched("rep insb", 0, 0xffd);
	check_untouched("rep insb", 0xffd + MANY_BYTES, BUFFER_SIZE);
}

/*
 * Checks that the buffer holds @count elements of @size bytes, each equal to @value,
 * and that the bytes after them are unchanged.
 */
static void check_elements(const char *insn, const void *value, size_t size,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(buffer + i * size, value, size))
			complain("%s: element %lu differs", insn, i);
	check_untouched(insn, count * size, BUFFER_SIZE);
}

static void case_rep_insw_many(void)
{
	u16 value;

	pci();
	value = in16(PCI_DATA);
	string_in(PCI_DATA, buffer);
	before.r[INSN_RCX] = MANY_WORDS;
	execute("rep insw (%dx), (%rdi)");
	check_string("rep insw", INSN_RDI, MANY_WORDS, 2, true);
	check_elements("rep insw", &value, 2, MANY_WORDS);
}

static void case_rep_insl_many(void)
{
	u32 value;

	pci();
	value = in32(PCI_DATA);
	string_in(PCI_DATA, buffer);
	before.r[INSN_RCX] = MANY_LONGS;
	execute("rep insl (%dx), (%rdi)");
	check_string("rep insl", INSN_RDI, MANY_LONGS, 4, true);
	check_elements("rep insl", &value, 4, MANY_LONGS);
}

static void case_ins_down(void)
{
	fw_cfg();
	string_in(FW_CFG_DATA, buffer + 19);
	before.r[INSN_RCX] = 4;
	before.rflags |= X86_EFLAGS_DF;
	execute("rep insb (%dx), (%rdi)");
	check_string("rep insb, down", INSN_RDI, 4, -1, true);
	check_buffer("rep insb, down", 16, "UMEQ");
	check_untouched("rep insb, down", 0, 16);
	check_untouched("rep insb, down", 20, 64);
}

static void case_ins_address32(void)
{
	fw_cfg();
	string_in(FW_CFG_DATA, buffer);
	before.r[INSN_RDI] |= 0x5555555500000000;
	before.r[INSN_RCX] = 0x6666666600000004;
	execute("rep insb (%dx), (%edi)");
	want.r[INSN_RDI] = (u32)(u64)buffer + 4;
	want.r[INSN_RCX] = 0;
	check_regs("rep insb (%edi)");
	check_buffer("rep insb (%edi)", 0, "QEMU");
	check_untouched("rep insb (%edi)", 4, 64);
}

/*
 * INS always uses the ES segment for its operand in memory, even with an FS prefix
 * (APM3 1.2.4). The base of ES is 0.
 */
static void case_ins_segment(void)
{
	fw_cfg();
	string_in(FW_CFG_DATA, buffer);
	wrmsr(MSR_FS_BASE, 0x100);
	execute("fs insb (%dx), (%rdi)");
	wrmsr(MSR_FS_BASE, 0);
	check_string("fs insb", INSN_RDI, 1, 1, false);
	check_buffer("fs insb", 0, "Q");
	check_untouched("fs insb", 1, 0x200);
}

static void case_rep_zero(void)
{
	scratch();
	string_in(SCRATCH_PORT, buffer);
	before.r[INSN_RCX] = 0;
	execute("rep insb (%dx), (%rdi)");
	check_regs("rep insb");
	check_untouched("rep insb", 0, 64);

	outb(0x77, SCRATCH_PORT);
	string_out(SCRATCH_PORT, buffer);
	before.r[INSN_RCX] = 0;
	execute("rep outsb (%rsi), (%dx)");
	check_regs("rep outsb");
	expect("scratch register", inb(SCRATCH_PORT), 0x77);
}

static void case_outsb(void)
{
	static const u64 counts[] = { 0, 1, 5, ~0UL };

	scratch();
	memcpy(buffer, "abcd", 4);
	for (u32 i = 0; i < ARRAY_SIZE(counts); i++) {
		outb(0, SCRATCH_PORT);
		string_out(SCRATCH_PORT, buffer + 1);
		before.r[INSN_RCX] = counts[i];
		execute("outsb (%rsi), (%dx)");
		check_string("outsb", INSN_RSI, 1, 1, false);
		expect("outsb: scratch register", inb(SCRATCH_PORT), 'b');
	}
}

static void case_outsw(void)
{
	fw_cfg();
	out16(FW_CFG_SELECT, 1);
	memset(buffer, 0, 8);
	string_out(FW_CFG_SELECT, buffer + 1);
	execute("outsw (%rsi), (%dx)");
	check_string("outsw", INSN_RSI, 1, 2, false);
	expect("outsw: fw_cfg", inb(FW_CFG_DATA), 'Q');
}

static void case_outsl(void)
{
	static const u32 address = 0x80005678;

	pci();
	memcpy(buffer + 3, &address, sizeof(address));
	string_out(PCI_ADDRESS, buffer + 3);
	execute("outsl (%rsi), (%dx)");
	check_string("outsl", INSN_RSI, 1, 4, false);
	expect("outsl: PCI address", in32(PCI_ADDRESS), address);
}

static void case_rep_outsb(void)
{
	scratch();
	memcpy(buffer, "abcdefgh", 8);
	string_out(SCRATCH_PORT, buffer);
	before.r[INSN_RCX] = 5;
	execute("rep outsb (%rsi), (%dx)");
	check_string("rep outsb", INSN_RSI, 5, 1, true);
	expect("rep outsb: scratch register", inb(SCRATCH_PORT), 'e');
}

/*
 * Writes a text to QEMU's debug console by REP OUTSB, upwards, and then the same text
 * by a downward transfer from a reversed buffer. The text must arrive in the right
 * order both times. tests/sev/suite.sh compares it.
 */
static void case_rep_outsb_many(void)
{
	u8 *last = buffer + 1 + MANY_BYTES - 1;

	if (inb(DEBUGCON_PORT) != DEBUGCON_THERE) {
		skip("no debug console");
		return;
	}
	for (u32 i = 0; i < MANY_BYTES; i++)
		buffer[1 + i] = (u8)(' ' + i % 95);
	string_out(DEBUGCON_PORT, buffer + 1);
	before.r[INSN_RCX] = MANY_BYTES;
	execute("rep outsb (%rsi), (%dx)");
	check_string("rep outsb", INSN_RSI, MANY_BYTES, 1, true);

	for (u32 i = 0; i < MANY_BYTES; i++)
		last[-(s64)i] = (u8)(' ' + i % 95);
	string_out(DEBUGCON_PORT, last);
	before.r[INSN_RCX] = MANY_BYTES;
	before.rflags |= X86_EFLAGS_DF;
	execute("rep outsb (%rsi), (%dx)");
	check_string("rep outsb, down", INSN_RSI, MANY_BYTES, -1, true);
}

static void case_rep_outsw_many(void)
{
	fw_cfg();
	/*
	 * REP OUTSW writes fw_cfg's selector MANY_WORDS times. Every word but the last
	 * selects key 1, and the last one selects key 0, the signature. Reading the
	 * signature then shows that the last word was written.
	 */
	memset(buffer, 0, MANY_WORDS * 2);
	for (u32 i = 0; i < MANY_WORDS - 1; i++)
		buffer[2 * i] = 1;
	string_out(FW_CFG_SELECT, buffer);
	before.r[INSN_RCX] = MANY_WORDS;
	execute("rep outsw (%rsi), (%dx)");
	check_string("rep outsw", INSN_RSI, MANY_WORDS, 2, true);
	expect("rep outsw: fw_cfg", inb(FW_CFG_DATA), 'Q');
}

static void case_rep_outsl_many(void)
{
	u32 address;

	pci();
	for (u32 i = 0; i < MANY_LONGS; i++) {
		address = 0x80000000 + i * 4;
		memcpy(buffer + i * 4, &address, sizeof(address));
	}
	string_out(PCI_ADDRESS, buffer);
	before.r[INSN_RCX] = MANY_LONGS;
	execute("rep outsl (%rsi), (%dx)");
	check_string("rep outsl", INSN_RSI, MANY_LONGS, 4, true);
	expect("rep outsl: PCI address", in32(PCI_ADDRESS), address);
}

static void case_outs_down(void)
{
	static const u32 addresses[] = { 0x80000040, 0x80000080, 0x800000c0 };

	pci();
	memcpy(buffer, addresses, sizeof(addresses));
	string_out(PCI_ADDRESS, buffer + 8);
	before.r[INSN_RCX] = 2;
	before.rflags |= X86_EFLAGS_DF;
	execute("rep outsl (%rsi), (%dx)");
	check_string("rep outsl, down", INSN_RSI, 2, -4, true);
	expect("rep outsl, down: PCI address", in32(PCI_ADDRESS), addresses[1]);
}

static void case_outs_address32(void)
{
	scratch();
	memcpy(buffer, "abcdefgh", 8);
	string_out(SCRATCH_PORT, buffer);
	before.r[INSN_RSI] |= 0x5555555500000000;
	before.r[INSN_RCX] = 0x6666666600000003;
	execute("rep outsb (%esi), (%dx)");
	want.r[INSN_RSI] = (u32)(u64)buffer + 3;
	want.r[INSN_RCX] = 0;
	check_regs("rep outsb (%esi)");
	expect("rep outsb (%esi): scratch register", inb(SCRATCH_PORT), 'c');
}

/*
 * Executes an OUTS with an FS or GS prefix, to the scratch register, which must become
 * @expected. @offset is the segment's base. @high is garbage for the upper half of RSI,
 * which must be ignored with 32-bit addresses.
 */
static void outs_segment(const char *insn, u64 offset, u64 high, u8 expected)
{
	string_out(SCRATCH_PORT, buffer);
	before.r[INSN_RSI] -= offset;
	before.r[INSN_RSI] |= high;
	execute(insn);
	if (high)
		want.r[INSN_RSI] = (u32)before.r[INSN_RSI];
	want.r[INSN_RSI]++;
	check_regs(insn);
	expect(insn, inb(SCRATCH_PORT), expected);
}

static void case_outs_segment(void)
{
	scratch();
	clear();
	buffer[0] = 'f';
	wrmsr(MSR_FS_BASE, 0x1000);
	wrmsr(MSR_GS_BASE, 0x200000);
	outs_segment("outsb %fs:(%rsi), (%dx)", 0x1000, 0, 'f');
	buffer[0] = 'g';
	outs_segment("outsb %gs:(%rsi), (%dx)", 0x200000, 0, 'g');
	buffer[0] = 'h';
	outs_segment("outsb %fs:(%esi), (%dx)", 0x1000, 0x1234567800000000,
		     'h');
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, 0);
}

/*
 * INS to memory that the stub has not mapped yet. The #VC handler must map it, as the
 * #PF handler would.
 */
static void case_ins_unmapped(void)
{
	u64 far = ALIGN_UP((u64)_end, PMD_SIZE) + FAR_AWAY;

	fw_cfg();
	if (!e820_is_ram(boot_params, far, far + 2 * PAGE_SIZE) ||
	    ident_map_query(far) >= 0) {
		skip("no memory to spare");
		return;
	}
	string_in(FW_CFG_DATA, (void *)(far + PAGE_SIZE - 2));
	before.r[INSN_RCX] = 4;
	execute("rep insb (%dx), (%rdi)");
	check_string("rep insb", INSN_RDI, 4, 1, true);
	if (memcmp((void *)(far + PAGE_SIZE - 2), "QEMU", 4))
		complain("rep insb: not what was read");
}

/*
 * INS to read-only memory. The #VC handler must report #PF for it, because the
 * processor would raise #PF.
 */
static void case_ins_read_only(void)
{
	scratch();
	string_in(SCRATCH_PORT, (void *)(u64)_text);
	expect_exception("insb (%dx), (%rdi)", X86_TRAP_PF);
}

static void case_outs_guard(void)
{
	scratch();
	string_out(SCRATCH_PORT, stack_guard + 16);
	expect_exception("outsb (%rsi), (%dx)", X86_TRAP_PF);
}

/*
 * The count of REP is all 64 bits of RCX. The operand begins 4 bytes below the unmapped
 * guard page of the stack, and the count is 4 GiB + 4 here, so REP OUTSB must raise #PF
 * at the guard page. A handler that used ECX would write 4 bytes and stop in front of
 * the guard page.
 */
static void case_rep_rcx_64(void)
{
	scratch();
	string_out(SCRATCH_PORT, (void *)((u64)stack_guard - 4));
	before.r[INSN_RCX] = (1UL << 32) + 4;
	expect_exception("rep outsb (%rsi), (%dx)", X86_TRAP_PF);
}

const struct test string_tests[] = {
	{ "insb", case_insb, SVM_EXIT_IOIO, 0 },
	{ "insw", case_insw, SVM_EXIT_IOIO, 0 },
	{ "insl", case_insl, SVM_EXIT_IOIO, 0 },
	{ "rep-insb", case_rep_insb, SVM_EXIT_IOIO, 0 },
	{ "rep-insb-many", case_rep_insb_many, SVM_EXIT_IOIO, 0 },
	{ "rep-insw-many", case_rep_insw_many, SVM_EXIT_IOIO, 0 },
	{ "rep-insl-many", case_rep_insl_many, SVM_EXIT_IOIO, 0 },
	{ "ins-down", case_ins_down, SVM_EXIT_IOIO, 0 },
	{ "ins-address32", case_ins_address32, SVM_EXIT_IOIO, 0 },
	{ "ins-segment", case_ins_segment, SVM_EXIT_IOIO, 0 },
	{ "rep-zero", case_rep_zero, SVM_EXIT_IOIO, 0 },
	{ "outsb", case_outsb, SVM_EXIT_IOIO, 0 },
	{ "outsw", case_outsw, SVM_EXIT_IOIO, 0 },
	{ "outsl", case_outsl, SVM_EXIT_IOIO, 0 },
	{ "rep-outsb", case_rep_outsb, SVM_EXIT_IOIO, 0 },
	{ "rep-outsb-many", case_rep_outsb_many, SVM_EXIT_IOIO, 0 },
	{ "rep-outsw-many", case_rep_outsw_many, SVM_EXIT_IOIO, 0 },
	{ "rep-outsl-many", case_rep_outsl_many, SVM_EXIT_IOIO, 0 },
	{ "outs-down", case_outs_down, SVM_EXIT_IOIO, 0 },
	{ "outs-address32", case_outs_address32, SVM_EXIT_IOIO, 0 },
	{ "outs-segment", case_outs_segment, SVM_EXIT_IOIO, 0 },
	{ "ins-unmapped", case_ins_unmapped, SVM_EXIT_IOIO, 0 },
	{ "ins-read-only", case_ins_read_only, SVM_EXIT_IOIO, 0 },
	{ "outs-guard-page", case_outs_guard, SVM_EXIT_IOIO, 0 },
	{ "rep-rcx-64", case_rep_rcx_64, SVM_EXIT_IOIO, 0 },
	{ NULL, NULL, 0, 0 },
};
