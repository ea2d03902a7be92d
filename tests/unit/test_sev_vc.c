/* SPDX-License-Identifier: MIT */
/*
 * test_sev_vc.c - #VC with the GHCB page (stage 2): instructions whose operands
 * are registers, whether exit code and instruction match, sharing the GHCB page
 * and making it private again, and exceptions during an exchange. test_sev_io.c
 * tests ports, test_sev_mmio.c devices, test_sev_hostile.c answers that violate
 * the protocol.
 */
#include "scripted_host.h"

#define HIGH	0xfedcba9800000000UL	/* garbage above the low 32 bits */

/* ---- registers that the stub sends to the hypervisor and gets from it ---- */

TEST(cpuid)
{
	start();
	frame.rax = HIGH | 0x80000008;
	frame.rcx = HIGH | 3;
	INSN(0x72, "\x0f\xa2");
	expect_exit(0x72, 0, 0);
	sends(RAX, 0x80000008);
	sends(RCX, 3);
	answers(RAX, HIGH | 1);
	answers(RBX, HIGH | 2);
	answers(RCX, HIGH | 3);
	answers(RDX, HIGH | 0xffffffff);
	want.rax = 1;
	want.rbx = 2;
	want.rcx = 3;
	want.rdx = 0xffffffff;
	run();
}

/*
 * CPUID leaf 0xd returns a size that depends on XCR0 and XSS. The stub must
 * send both, because the hypervisor cannot read the guest's registers.
 */
TEST(cpuid_xstate)
{
	start();
	frame.rax = HIGH | 0xd;
	frame.rcx = 1;
	INSN(0x72, "\x0f\xa2");
	expect_exit(0x72, 0, 0);
	sends(RAX, 0xd);
	sends(RCX, 1);
	sends(XCR0, 1);
	sends(XSS, 0);
	answers(RAX, 5);
	answers(RBX, 6);
	answers(RCX, 7);
	answers(RDX, 8);
	want.rax = 5;
	want.rbx = 6;
	want.rcx = 7;
	want.rdx = 8;
	run();
}

static void expect_time(u64 exit_code)
{
	expect_exit(exit_code, 0, 0);
	answers(RAX, HIGH | 0x11111111);
	answers(RDX, HIGH | 0x22222222);
	want.rax = 0x11111111;
	want.rdx = 0x22222222;
}

TEST(rdtsc)
{
	start();
	INSN(0x6e, "\x0f\x31");
	expect_time(0x6e);
	run();
}

TEST(rdtscp)
{
	start();
	INSN(0x87, "\x0f\x01\xf9");
	expect_time(0x87);
	answers(RCX, HIGH | 0x33333333);
	want.rcx = 0x33333333;
	run();
}

TEST(rdpmc)
{
	start();
	frame.rcx = HIGH | 4;
	INSN(0x6f, "\x0f\x33");
	expect_time(0x6f);
	sends(RCX, 4);
	run();
}

/*
 * For an unknown counter KVM replies "done" and injects #GP after VMGEXIT. The stub
 * must raise #GP at RDPMC, as if sw_exit_info_1 had asked for it.
 */
TEST(rdpmc_injected_gp)
{
	start();
	frame.rcx = HIGH | 4;
	INSN(0x6f, "\x0f\x33");
	expect_time(0x6f);
	sends(RCX, 4);
	injects_gp();
	raises(13);
}

TEST(rdmsr)
{
	start();
	frame.rcx = HIGH | 0xc0000080;
	INSN(0x7c, "\x0f\x32");
	expect_time(0x7c);
	sends(RCX, 0xc0000080);
	run();
}

/*
 * SEV_STATUS and the GHCB MSR are never intercepted. If the hypervisor injects #VC at
 * an access to one of them, it wants to supply the value, and the stub must terminate.
 */
TEST(msr_that_never_raises_vc)
{
	static const u32 msrs[] = { 0xc0010130, 0xc0010131 };
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(msrs); i++) {
		start();
		frame.rcx = HIGH | msrs[i / 2];
		if (i % 2) {
			INSN(0x7c, "\x0f\x30");
		} else {
			INSN(0x7c, "\x0f\x32");
		}
		ENDS(6);
	}
}

TEST(wrmsr)
{
	start();
	frame.rcx = HIGH | 0xc0000080;
	frame.rax = HIGH | 0x55555555;
	frame.rdx = HIGH | 0x66666666;
	INSN(0x7c, "\x0f\x30");
	expect_exit(0x7c, 1, 0);
	sends(RCX, 0xc0000080);
	sends(RAX, 0x55555555);
	sends(RDX, 0x66666666);
	run();
}

/* The general-purpose registers, in the order of their numbers in ModRM. */
static u64 *const general[] = {
	&frame.rax, &frame.rcx, &frame.rdx, &frame.rbx,
	&frame.rsp, &frame.rbp, &frame.rsi, &frame.rdi,
	&frame.r8, &frame.r9, &frame.r10, &frame.r11,
	&frame.r12, &frame.r13, &frame.r14, &frame.r15,
};

/* Before the first write of DR7, a read must return DR7's reset value, 0x400. */
TEST(dr7_read)
{
	unsigned int reg;

	for (reg = 0; reg < 16; reg++) {
		u8 insn[] = { 0x40 | reg >> 3, 0x0f, 0x21, 0xf8 | (reg & 7) };

		start();
		place_insn(TEXT, 0x27, insn, sizeof(insn));
		*(general[reg] - (u64 *)&frame + (u64 *)&want) = 0x400;
		run();
	}
}

/* Executes MOV from DR7 to RAX, which must return @value without a request. */
static void reads_dr7(u64 value)
{
	frame.rax = HIGH | 0x5555;
	INSN(0x27, "\x0f\x21\xf8");
	want.rax = value;
	run();
}

/*
 * Prepares a #VC for MOV of @value to DR7, for which the stub must send @sent. The caller sets
 * the host's answer if it is not "done", and then lets the stub handle the #VC.
 */
static void writes_dr7(u64 value, u64 sent)
{
	frame.rdx = value;
	INSN(0x37, "\x0f\x23\xfa");
	expect_exit(0x37, 0, 0);
	sends(RAX, sent);
}

/*
 * KVM ignores writes to DR7 and returns 0 for reads. The stub must return what was
 * written, except for the bits with fixed values (APM2 13.1.1): bit 10 is 1, bits
 * 11, 12, 14 and 15 are 0.
 */
TEST(dr7_kept)
{
	static const u64 written[] = { 0, 0xffffffff, 0x5555aaaa, 0x400, 0x2401 };
	u64 value;
	unsigned int i;

	start();
	for (i = 0; i < ARRAY_SIZE(written) + 32; i++) {
		value = i < 32 ? 1ULL << i : written[i - 32];
		writes_dr7(value, (value & ~0xd800UL) | 0x400);
		run();
		reads_dr7((value & ~0xd800UL) | 0x400);
		reads_dr7((value & ~0xd800UL) | 0x400);
	}
}

/*
 * A read of DR7 must not return a written value that the hypervisor has refused, or whose
 * write has raised #GP.
 */
TEST(dr7_refused)
{
	start();
	writes_dr7(0x401, 0x401);
	run();
	writes_dr7(0x40f, 0x40f);
	result(1, 0x80000b0d);
	raises(13);
	reads_dr7(0x401);
	frame.rdx = 1ULL << 32 | 0x40f;
	INSN(0x37, "\x0f\x23\xfa");
	raises(13);
	reads_dr7(0x401);
}

/* A read of DR7 must return bit 10 as 1, even if the stub's copy es.dr7 has 0 in this bit. */
TEST(dr7_fixed_bit)
{
	start();
	es.dr7 = 0xfffffbff;
	reads_dr7(0xffffffff);
}

TEST(dr7_write)
{
	unsigned int reg;

	for (reg = 0; reg < 16; reg++) {
		u8 insn[] = { 0x40 | reg >> 3, 0x0f, 0x23, 0xf8 | (reg & 7) };

		start();
		*general[reg] = 0xffff27ff;
		place_insn(TEXT, 0x37, insn, sizeof(insn));
		expect_exit(0x37, 0, 0);
		sends(RAX, 0xffff27ff);
		run();
	}
}

/*
 * A write of DR7 with a bit set in the upper half must raise #GP. The stub must
 * not send a request for it.
 */
TEST(dr7_upper_half)
{
	unsigned int bit;

	for (bit = 32; bit < 64; bit++) {
		start();
		frame.rdx = 1ULL << bit | 0x400;
		INSN(0x37, "\x0f\x23\xfa");
		raises(13);
	}
}

TEST(wbinvd_and_invd)
{
	start();
	INSN(0x89, "\x0f\x09");
	expect_exit(0x89, 0, 0);
	run();
	INSN(0x89, "\xf3\x0f\x09");	/* WBNOINVD */
	expect_exit(0x89, 0, 0);
	run();
	INSN(0x76, "\x0f\x08");
	expect_exit(0x76, 0, 0);
	run();
}

TEST(monitor_and_mwait)
{
	static const char monitor[2][4] = { "\x0f\x01\xc8", "\x0f\x01\xfa" };
	static const char mwait[2][4] = { "\x0f\x01\xc9", "\x0f\x01\xfb" };
	unsigned int i;

	start();
	for (i = 0; i < 2; i++) {
		fill_frame();
		place_insn(TEXT, 0x8a, monitor[i], 3);
		expect_exit(0x8a, 0, 0);
		sends(RAX, frame.rax);
		sends(RCX, frame.rcx);
		sends(RDX, frame.rdx);
		run();
		place_insn(TEXT, 0x8b, mwait[i], 3);
		expect_exit(0x8b, 0, 0);
		sends(RAX, frame.rax);
		sends(RCX, frame.rcx);
		run();
	}
}

TEST(vmmcall)
{
	static const u16 cs[] = { 0x10, 0x33 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cs); i++) {
		start();
		frame.cs = cs[i];
		INSN(0x81, "\x0f\x01\xd9");
		expect_exit(0x81, 0, 0);
		sends(RAX, frame.rax);
		sends(CPL, cs[i] & 3);
		answers(RAX, 0x123456789abcdef0);
		want.rax = 0x123456789abcdef0;
		run();
	}
}

/*
 * The hypervisor can intercept #DB and #AC of the guest, which turns them into
 * #VC. The stub must report the original exception.
 */
TEST(db_and_ac)
{
	start();
	INSN(0x41, "\x90");
	raises(1);
	INSN(0x51, "\x90");
	raises(17);
}

TEST(version_1_is_sent)
{
	start();
	es.version = 1;
	INSN(0x6e, "\x0f\x31");
	expect_time(0x6e);
	CHECK(host.steps[0].sent[VERSION] == 1, "wrong script");
	run();
}

/* ---- exits without a handler ---- */

static bool handled(u64 code)
{
	static const u16 codes[] = {
		0x27, 0x37, 0x41, 0x51, 0x6e, 0x6f, 0x72, 0x76, 0x7b, 0x7c,
		0x81, 0x87, 0x89, 0x8a, 0x8b, 0x400,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

static void expect_unsupported(u64 code)
{
	start();
	INSN(code, "\x0f\xa2");
	expect_exit(0x8000ffff, code, 0);
	ENDS(11);
}

/*
 * Fails the case unless the stub terminates the guest without sending @code, a number that
 * is no exit code. The number can be old bytes of the stack, which the hypervisor must not
 * learn.
 */
static void expect_untold(u64 code)
{
	start();
	INSN(code, "\x0f\xa2");
	ENDS(11);
}

/*
 * For an exit code that it does not handle, the stub must send "unsupported
 * event" and then terminate, whatever the hypervisor answers.
 */
TEST(unsupported_exits)
{
	unsigned int bit;
	u64 code;

	for (code = 0; code < 0x480; code++) {
		if (!handled(code))
			expect_unsupported(code);
	}
	for (bit = 16; bit < 64; bit++) {
		expect_untold(1ULL << bit | 0x72);
		expect_untold(1ULL << bit | 0x41);
	}
	expect_unsupported(0x7ff);
	expect_untold(0x800);
	expect_untold(0x80000001);
	expect_untold(~0ULL);

	start();
	INSN(0x78, "\xf4");
	expect_exit(0x8000ffff, 0x78, 0);
	result(1, 0x80000b0d);
	ENDS(11);
}

/* ---- #VC whose exit code does not match the instruction ---- */

static const struct {
	u16 exit;
	u8 size;
	const char *bytes;
} insns[] = {
	{ 0x72, 2, "\x0f\xa2" },	{ 0x6e, 2, "\x0f\x31" },
	{ 0x87, 3, "\x0f\x01\xf9" },	{ 0x6f, 2, "\x0f\x33" },
	{ 0x7c, 2, "\x0f\x32" },	{ 0x7c, 2, "\x0f\x30" },
	{ 0x89, 2, "\x0f\x09" },	{ 0x76, 2, "\x0f\x08" },
	{ 0x81, 3, "\x0f\x01\xd9" },	{ 0x8a, 3, "\x0f\x01\xc8" },
	{ 0x8b, 3, "\x0f\x01\xc9" },	{ 0x27, 3, "\x0f\x21\xf8" },
	{ 0x37, 3, "\x0f\x23\xf8" },	{ 0x7b, 1, "\xec" },
	{ 0x7b, 1, "\xee" },		{ 0x7b, 1, "\x6c" },
	{ 0x7b, 1, "\x6e" },		{ 0x400, 2, "\x8b\x00" },
	{ 0x400, 2, "\x89\x00" },	{ 0x400, 6, "\xc7\x00\1\0\0\0" },
	{ 0x400, 1, "\xaa" },		{ 0x400, 1, "\xa4" },
};

TEST(exit_and_opcode_differ)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		for (k = 0; k < ARRAY_SIZE(insns); k++) {
			if (insns[k].exit == insns[i].exit)
				continue;
			start();
			place_insn(TEXT, insns[k].exit, insns[i].bytes,
				   insns[i].size);
			ENDS(6);
		}
	}
}

/*
 * The handlers of #VC emulate only instructions that lie in [emulated_start, emulated_end).
 * In the stub this range is empty, so the handlers must emulate nothing. They must terminate
 * the guest, whatever instruction they find at RIP, and send no register of the interrupted
 * code before. This includes a string instruction with count 0, which needs no request.
 */
TEST(stub_emulates_nothing)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		start();
		emulated_first = emulated_behind = TEXT_2;
		frame.rax = frame.rdi = DEVICE;
		frame.rsi = DATA;
		place_insn(TEXT, insns[i].exit, insns[i].bytes, insns[i].size);
		ENDS(6);
	}
	start();
	emulated_first = emulated_behind = TEXT_2;
	frame.rcx = 0;
	INSN(0x400, "\xf3\xaa");
	ENDS(6);
}

TEST(undecodable)
{
	static const struct {
		u8 size;
		const char *bytes;
	} bad[] = {
		{ 1, "\x90" },			/* NOP */
		{ 1, "\xf4" },			/* HLT */
		{ 2, "\x0f\x0b" },		/* UD2 */
		{ 3, "\xf0\x0f\xa2" },		/* LOCK CPUID */
		{ 4, "\xf3\x0f\x01\xd9" },	/* VMGEXIT */
		{ 2, "\x8b\xc0" },		/* no memory operand */
		{ 3, "\x0f\x21\xf0" },		/* DR6 */
		{ 3, "\x48\x01\x00" },		/* ADD to memory */
		/*
		 * A CPUID of 16 bytes, one more than the processor accepts: 15 bytes here, and
		 * 0xa2, with which the case fills the memory after them.
		 */
		{ 15, "\x66\x66\x66\x66\x66\x66\x66\x66"
		      "\x66\x66\x66\x66\x66\x66\x0f" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		start();
		memset((void *)TEXT, 0xa2, 32);
		place_insn(TEXT, 0x72, bad[i].bytes, bad[i].size);
		ENDS(7);
	}
}

/*
 * If vc_dispatch() has no handler for an operation, it must terminate the
 * guest. The decoder never returns an operation without a handler, so the case
 * uses the first number after the last operation.
 */
TEST(no_handler)
{
	struct vc vc = { .frame = &frame, .insn.op = INSN_MOVS + 1 };

	start();
	EXPECT_OWN_END(vc_dispatch(&vc, TEXT), 11);
	vc.insn.op = INSN_CPUID;
	EXPECT_OWN_END(vc_mmio(&vc), 6);
}

/* The stub must decode an instruction of 15 bytes, the longest that the processor accepts. */
TEST(fifteen_bytes)
{
	start();
	INSN(0x89, "\x66\x66\x66\x66\x66\x66\x66\x66"
	     "\x66\x66\x66\x66\x66\x0f\x09");
	expect_exit(0x89, 0, 0);
	run();
}

/* ---- instructions at the end of executable memory ---- */

TEST(insn_at_end_of_page)
{
	unsigned int before;

	/*
	 * The page after TEXT's page is not accessible. If the stub reads more
	 * bytes than the instruction has, the test crashes.
	 */
	for (before = 2; before < 20; before++) {
		start();
		place_insn(TEXT + PAGE_SIZE - before, 0x76, "\x0f\x08", 2);
		expect_exit(0x76, 0, 0);
		run();
	}
	start();
	place_insn(TEXT + PAGE_SIZE - 1, 0x76, "\x0f", 1);
	ENDS(7);
}

TEST(insn_across_pages)
{
	unsigned int before;

	for (before = 1; before < 20; before++) {
		start();
		place_insn(TEXT_2 + PAGE_SIZE - before, 0x76,
			   "\x66\x66\x66\x66\x66\x66\x0f\x08", 8);
		expect_exit(0x76, 0, 0);
		run();
	}
}

/*
 * The page after .text belongs to a device: it is mapped but not executable. The stub
 * must not read it if the instruction ends before it.
 */
TEST(insn_before_device)
{
	start();
	CHECK(!ident_map_device(TEXT + PAGE_SIZE, PAGE_SIZE), "map");
	place_insn(TEXT + PAGE_SIZE - 2, 0x76, "\x0f\x08", 2);
	expect_exit(0x76, 0, 0);
	run();
	place_insn(TEXT + PAGE_SIZE - 1, 0x76, "\x0f", 1);
	ENDS(7);
}

TEST(insn_where_none_can_be)
{
	static const u64 places[] = {
		NOTHING, LAZY, GUARDED, DATA, RODATA, DEVICE, TEXT + PAGE_SIZE,
		0, 1ULL << 51, ~0ULL, ~15ULL, 1ULL << 47,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		start();
		if (places[i] == DATA || places[i] == RODATA)
			memcpy((void *)places[i], "\x0f\x08", 2);
		frame.error_code = 0x76;
		frame.rip = places[i];
		ENDS(7);
	}
	/*
	 * Instructions that begin before, in or after .text, or that reach beyond its end,
	 * all in executable memory. The stub must decode only the one that is entirely in
	 * .text, the one with i = 1.
	 */
	for (i = 0; i < 4; i++) {
		start();
		memcpy((void *)(TEXT_2 + 8), "\x0f\x08\x0f\x08\x0f\x08", 6);
		text_start = TEXT_2 + 10;
		text_end = TEXT_2 + 12;
		frame.error_code = 0x76;
		frame.rip = TEXT_2 + (i < 3 ? 8 + 2 * i : 11);
		want = frame;
		want.rip += 2;
		if (i != 1) {
			ENDS(7);
			continue;
		}
		expect_exit(0x76, 0, 0);
		run();
	}
}

/* ---- sharing the GHCB page and making it private again ---- */

TEST(setup)
{
	start_stage1();
	sev_guest.status = 3;
	sev_guest.cbit = 47;
	make_map();
	sev_es_setup_ghcb(&bp);
	CHECK(!strcmp(host.trace, "dirty share "), "%s", host.trace);
	CHECK(!memchr(&ghcb_page, GARBAGE, PAGE_END), "not zeroed");
	CHECK(ident_map_query((u64)&ghcb_page) == (MAP_WRITE | MAP_DECRYPTED),
	      "map: %d", ident_map_query((u64)&ghcb_page));
	CHECK(!host.at && !es.busy, "an exchange at set-up");

	start_stage1();
	sev_guest.status = 3;
	sev_guest.cbit = 51;
	make_map();
	host.map_result = -ENOMEM;
	EXPECT_OWN_END(sev_es_setup_ghcb(&bp), 17);
}

/*
 * sev_es_shutdown() must clear the GHCB page, make it private, clear it again,
 * and then set the GHCB MSR to 0. The first clearing removes the exchanged
 * data. The second is needed because the private page decrypts to garbage.
 */
TEST(shutdown_order)
{
	start();
	expect_exit(0x7b, 0x3f8 << 16 | 1 << 4, 0);
	sends(RAX, 'x');
	sev_es_outb('x', 0x3f8);
	CHECK(memchr(&ghcb_page, GARBAGE, PAGE_END), "wrong test");
	sev_es_shutdown();
	CHECK(!strcmp(host.trace, "zero hide zero"), "%s", host.trace);
	CHECK(!host.msr, "MSR %#lx", host.msr);
	CHECK(ident_map_query((u64)&ghcb_page) == MAP_WRITE, "map: %d",
	      ident_map_query((u64)&ghcb_page));
	CHECK(sev_es_inb(0x3f8) == 0xff && !host.msr, "GHCB page used after shutdown");

	start();
	host.map_result = -EINVAL;
	EXPECT_OWN_END(sev_es_shutdown(), 17);
}

/* ---- #VC inside an exchange ---- */

static void vc_inside(void)
{
	INSN(0x72, "\x0f\xa2");
	sev_es_vc(&frame);
}

static void unsupported_inside(void)
{
	INSN(0x78, "\xf4");
	sev_es_vc(&frame);
}

static void console_inside(void)
{
	sev_es_outb('x', 0x3f8);
}

static void input_inside(void)
{
	sev_es_inb(0x3fd);
}

static void string_inside(void)
{
	sev_es_outsb(0x3f8, console_text, 1);
}

TEST(reentry)
{
	static void (*const inside[])(void) = {
		vc_inside, unsupported_inside, console_inside, input_inside,
		string_inside,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inside); i++) {
		start();
		INSN(0x6e, "\x0f\x31");
		expect_exit(0x6e, 0, 0);
		meanwhile(inside[i]);
		ENDS(10);
		start();
		expect_exit(0x7b, 0x3fd << 16 | 1 << 4 | 1, 0);
		meanwhile(inside[i]);
		EXPECT_OWN_END(sev_es_inb(0x3fd), 10);
	}
}

/*
 * #VC for #DB or #AC during an exchange, when the GHCB page is in use. sev_es_vc() must not
 * terminate the guest, but return the vector of #DB or #AC, so that do_exception() reports
 * this exception.
 */
static void db_inside(void)
{
	struct exception_frame inner = { .error_code = 0x41 };

	CHECK(sev_es_vc(&inner) == 1, "#DB");
	inner.error_code = 0x51;
	CHECK(sev_es_vc(&inner) == 17, "#AC");
}

TEST(db_inside_a_handler)
{
	start();
	INSN(0x6e, "\x0f\x31");
	expect_time(0x6e);
	meanwhile(db_inside);
	run();
}

static void busy_inside(void)
{
	CHECK(sev_es_busy(), "not busy in an exchange");
}

TEST(busy)
{
	start();
	CHECK(!sev_es_busy(), "busy at first");
	INSN(0x6e, "\x0f\x31");
	expect_time(0x6e);
	meanwhile(busy_inside);
	run();
	CHECK(!sev_es_busy(), "busy at the end");
	INSN(0x6e, "\x0f\x31");
	expect_exit(0x6e, 0, 0);
	result(1, 0x80000b0d);
	raises(13);
	CHECK(!sev_es_busy(), "busy after an exception");
}

/*
 * An error occurs during an exchange. The stub must abandon that exchange,
 * because it needs the GHCB page to print a message before it terminates.
 */
static void report_inside(void)
{
	sev_es_last_words();
	CHECK(!sev_es_busy(), "still busy");
	expect_exit(0x7b, 0x3f8 << 16 | 1 << 4, 0);
	sends(RAX, '!');
	sev_es_outb('!', 0x3f8);
	terminate(16);
}

TEST(abandon)
{
	start();
	INSN(0x6e, "\x0f\x31");
	expect_exit(0x6e, 0, 0);
	meanwhile(report_inside);
	ENDS(16);
}
