/* SPDX-License-Identifier: MIT */
/*
 * test_sev_io.c - port I/O with the GHCB page (stage 2): the instructions IN,
 * OUT, INS and OUTS, and the output requests that the console makes itself,
 * without such an instruction.
 */
#include "scripted_host.h"

/* Bits of SW_EXITINFO1 for an IOIO exit (APM2 15.10.2). */
#define INFO_IN		(1 << 0)
#define INFO_STRING	(1 << 2)
#define INFO_REP	(1 << 3)
#define INFO_ADDR_32	(1 << 8)
#define INFO_ADDR_64	(1 << 9)
#define INFO_ES		(0 << 10)
#define INFO_DS		(3 << 10)
#define INFO_FS		(4 << 10)
#define INFO_GS		(5 << 10)
#define INFO_SIZE(size)	((u64)(size) << 4)
#define INFO_PORT(port)	((u64)(port) << 16)

#define RAX_BEFORE	0x8877665544332211UL

/*
 * PORT is a port number. DX is a value for RDX with PORT in its low 16 bits,
 * which are the register DX. The stub must ignore the other bits.
 */
#define PORT		0x8d42
#define DX		(0xfedcba9876540000UL | PORT)

static void begin(void)
{
	start();
	frame.rax = RAX_BEFORE;
	frame.rdx = DX;
}

/* ---- IN and OUT ---- */

static const struct {
	u8 size, length;
	u16 port;
	const char *in, *out;
} ports[] = {
	{ 1, 1, PORT, "\xec", "\xee" },
	{ 2, 2, PORT, "\x66\xed", "\x66\xef" },
	{ 4, 1, PORT, "\xed", "\xef" },
	{ 4, 2, PORT, "\x48\xed", "\x48\xef" },
	{ 1, 2, 0xf1, "\xe4\xf1", "\xe6\xf1" },
	{ 2, 3, 0xf1, "\x66\xe5\xf1", "\x66\xe7\xf1" },
	{ 4, 2, 0xf1, "\xe5\xf1", "\xe7\xf1" },
};

TEST(out)
{
	static const u64 sent[] = { 0, 0x11, 0x2211, 0, 0x44332211 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		begin();
		place_insn(TEXT, 0x7b, ports[i].out, ports[i].length);
		expect_exit(0x7b, INFO_PORT(ports[i].port) |
			    INFO_SIZE(ports[i].size), 0);
		sends(RAX, sent[ports[i].size]);
		run();
	}
}

static void in_one_port(unsigned int i, u64 rax_after)
{
	begin();
	place_insn(TEXT, 0x7b, ports[i].in, ports[i].length);
	expect_exit(0x7b, INFO_PORT(ports[i].port) | INFO_SIZE(ports[i].size) |
		    INFO_IN, 0);
	answers(RAX, 0xffeeddccbbaa9988);
	want.rax = rax_after;
	run();
}

/*
 * IN to AL or AX must keep the other bits of RAX. IN to EAX must clear the
 * upper half of RAX.
 */
TEST(in_al_and_ax_keep_the_upper_bits_of_rax)
{
	static const u64 after[] = {
		0, 0x8877665544332288, 0x8877665544339988, 0, 0xbbaa9988,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ports); i++)
		in_one_port(i, after[ports[i].size]);
}

/*
 * The hypervisor tells the guest to raise #GP. The stub must raise it and
 * change no register.
 */
TEST(in_and_out_raise)
{
	begin();
	INSN(0x7b, "\xec");
	expect_exit(0x7b, INFO_PORT(PORT) | INFO_SIZE(1) | INFO_IN, 0);
	result(1, 0x80000b0d);
	raises(13);
	begin();
	INSN(0x7b, "\xee");
	expect_exit(0x7b, INFO_PORT(PORT) | INFO_SIZE(1), 0);
	sends(RAX, 0x11);
	result(1, 0x80000b0d);
	raises(13);
}

/* ---- INS and OUTS ---- */

static u8 model[BUFFER_SIZE];	/* the bytes that the host returns for INS */

static void fill_memory(void)
{
	u8 *bytes = (u8 *)DATA;
	unsigned int i;

	for (i = 0; i < DATA_PAGES * PAGE_SIZE; i++)
		bytes[i] = (u8)(i * 7 + i / 256);
	for (i = 0; i < BUFFER_SIZE; i++)
		model[i] = (u8)(i * 11 + i / 128 + 3);
}

static void begin_string(u64 rcx, u64 rsi, u64 rdi)
{
	begin();
	fill_memory();
	frame.rcx = rcx;
	frame.rsi = rsi;
	frame.rdi = rdi;
}

#define STRING_IO(size)	(INFO_PORT(PORT) | INFO_SIZE(size) | INFO_STRING)
#define ONE_OUTS(size)	(STRING_IO(size) | INFO_DS | INFO_ADDR_64)
#define ONE_INS(size)	(STRING_IO(size) | INFO_ES | INFO_ADDR_64 | INFO_IN)

static void expect_outs(u64 info, u64 count, const void *data, size_t size)
{
	expect_exit(0x7b, info, count);
	sends_data(data, size);
}

static void expect_ins(u64 info, u64 count)
{
	expect_exit(0x7b, info, count);
	sends_scratch();
	answers_data(model, sizeof(model));
}

/*
 * The memory in [at, at + size) must equal @data. All other bytes of the
 * guest's data pages must be unchanged.
 */
static void check_memory(u64 at, const void *data, size_t size)
{
	const u8 *bytes = (const u8 *)DATA, *here = (const u8 *)at;
	unsigned int i;

	CHECK(!memcmp(here, data, size), "memory at %#lx", at);
	for (i = 0; i < DATA_PAGES * PAGE_SIZE; i++)
		CHECK((bytes + i >= here && bytes + i < here + size) ||
		      bytes[i] == (u8)(i * 7 + i / 256),
		      "changed at %#lx", DATA + i);
}

static const struct {
	u8 size, length;
	const char *ins, *outs;
} strings[] = {
	{ 1, 1, "\x6c", "\x6e" },
	{ 2, 2, "\x66\x6d", "\x66\x6f" },
	{ 4, 1, "\x6d", "\x6f" },
	{ 4, 2, "\x48\x6d", "\x48\x6f" },
};

/*
 * Without REP, INS and OUTS must move one element, whatever the value of RCX
 * is.
 */
TEST(string_without_rep_completes_whatever_rcx_holds)
{
	static const u64 counts[] = { 0, 1, 2, 5, 1ULL << 32, ~0ULL };
	unsigned int i, k, size;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		size = strings[i].size;
		for (k = 0; k < ARRAY_SIZE(counts); k++) {
			begin_string(counts[k], DATA + 5, 0);
			place_insn(TEXT, 0x7b, strings[i].outs,
				   strings[i].length);
			expect_outs(ONE_OUTS(size), 1, (void *)(DATA + 5),
				    size);
			want.rsi += size;
			run();

			begin_string(counts[k], 0, DATA + 5);
			place_insn(TEXT, 0x7b, strings[i].ins,
				   strings[i].length);
			expect_ins(ONE_INS(size), 1);
			want.rdi += size;
			run();
			check_memory(DATA + 5, model, size);
		}
	}
}

TEST(string_direction)
{
	unsigned int i, size;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		size = strings[i].size;
		begin_string(3, DATA + 100, 0);
		frame.rflags |= 1 << 10;
		place_insn(TEXT, 0x7b, strings[i].outs, strings[i].length);
		expect_outs(ONE_OUTS(size), 1, (void *)(DATA + 100), size);
		want.rsi -= size;
		run();

		begin_string(3, 0, DATA + 100);
		frame.rflags |= 1 << 10;
		place_insn(TEXT, 0x7b, strings[i].ins, strings[i].length);
		expect_ins(ONE_INS(size), 1);
		want.rdi -= size;
		run();
		check_memory(DATA + 100, model, size);
	}
}

#define SOME	5	/* elements of 4 bytes */

TEST(rep_upwards)
{
	begin_string(SOME, DATA + 2, 0);
	INSN(0x7b, "\xf3\x6f");
	expect_outs(ONE_OUTS(4) | INFO_REP, SOME, (void *)(DATA + 2),
		    4 * SOME);
	want.rsi += 4 * SOME;
	want.rcx = 0;
	run();

	begin_string(SOME, 0, DATA + 2);
	INSN(0x7b, "\xf2\x6d");
	expect_ins(ONE_INS(4) | INFO_REP, SOME);
	want.rdi += 4 * SOME;
	want.rcx = 0;
	run();
	check_memory(DATA + 2, model, 4 * SOME);
}

/*
 * If the direction flag is set, the port must get the elements in descending
 * order of their addresses.
 */
TEST(rep_downwards)
{
	u32 turned[SOME];
	unsigned int i;

	begin_string(SOME, DATA + 100, 0);
	frame.rflags |= 1 << 10;
	INSN(0x7b, "\xf3\x6f");
	for (i = 0; i < SOME; i++)
		memcpy(&turned[i], (void *)(DATA + 100 - 4 * i), 4);
	expect_outs(ONE_OUTS(4) | INFO_REP, SOME, turned, sizeof(turned));
	want.rsi -= 4 * SOME;
	want.rcx = 0;
	run();

	begin_string(SOME, 0, DATA + 100);
	frame.rflags |= 1 << 10;
	INSN(0x7b, "\xf3\x6d");
	expect_ins(ONE_INS(4) | INFO_REP, SOME);
	want.rdi -= 4 * SOME;
	want.rcx = 0;
	run();
	for (i = 0; i < SOME; i++)
		memcpy(&turned[i], model + 4 * (SOME - 1 - i), 4);
	check_memory(DATA + 100 - 4 * (SOME - 1), turned, sizeof(turned));
}

/*
 * REP with RCX 0 does nothing. The stub must not send a request of 0 elements,
 * because a hypervisor may refuse it as malformed.
 */
TEST(rep_of_nothing)
{
	begin_string(0, NOTHING, NOTHING);
	INSN(0x7b, "\xf3\x6e");
	run();
	INSN(0x7b, "\xf3\x6d");
	run();
	/*
	 * With 32-bit addresses the count is in ECX. Here ECX is 0 and RCX is
	 * not, so the stub must do nothing.
	 */
	begin_string(7ULL << 32, NOTHING, NOTHING);
	INSN(0x7b, "\x67\xf3\x6e");
	run();
}

static void rep_outsb(u64 count, u64 chunk)
{
	begin_string(count, DATA + 1, 0);
	INSN(0x7b, "\xf3\x6e");
	expect_outs(ONE_OUTS(1) | INFO_REP, chunk, (void *)(DATA + 1), chunk);
	want.rsi += chunk;
	want.rcx -= chunk;
	if (want.rcx)
		want.rip = frame.rip;
	run();
}

TEST(rep_in_chunks)
{
	rep_outsb(1, 1);
	rep_outsb(BUFFER_SIZE - 1, BUFFER_SIZE - 1);
	rep_outsb(BUFFER_SIZE, BUFFER_SIZE);
	rep_outsb(BUFFER_SIZE + 1, BUFFER_SIZE);
	rep_outsb(5 * BUFFER_SIZE, BUFFER_SIZE);
}

TEST(rcx_is_64_bits_wide)
{
	rep_outsb((1ULL << 32) + 3, BUFFER_SIZE);
	rep_outsb(1ULL << 32, BUFFER_SIZE);
	rep_outsb(1ULL << 63, BUFFER_SIZE);
	rep_outsb(~0ULL, BUFFER_SIZE);
}

/*
 * The stub moves a long string in parts that fit into the GHCB page's buffer.
 * After each part, RCX has the remaining count and RIP still points to the
 * instruction, so that it is executed again.
 */
TEST(rep_to_the_end)
{
	u64 left = 2 * (BUFFER_SIZE / 4) + 10, at = DATA + 4, chunk;

	begin_string(left, 0, at);
	for (; left; left -= chunk, at += 4 * chunk) {
		chunk = left < BUFFER_SIZE / 4 ? left : BUFFER_SIZE / 4;
		INSN(0x7b, "\xf3\x6d");
		expect_ins(ONE_INS(4) | INFO_REP, chunk);
		want.rdi += 4 * chunk;
		want.rcx = left - chunk;
		if (want.rcx)
			want.rip = frame.rip;
		run();
		CHECK(!memcmp((void *)at, model, 4 * chunk), "at %#lx", at);
	}
	CHECK(host.count == 3 && frame.rip == TEXT + 2, "%u exits",
	      host.count);
}

#define HIGH	(0x12345678UL << 32)

TEST(address_size_32)
{
	begin_string(HIGH | 3, HIGH | DATA, 0);
	INSN(0x7b, "\x67\xf3\x6e");
	expect_outs(STRING_IO(1) | INFO_DS | INFO_ADDR_32 | INFO_REP, 3,
		    (void *)DATA, 3);
	want.rsi = DATA + 3;
	want.rcx = 0;
	run();

	begin_string(HIGH | 3, 0, HIGH | (DATA + 8));
	frame.rflags |= 1 << 10;
	INSN(0x7b, "\x67\x6d");
	expect_ins(STRING_IO(4) | INFO_ES | INFO_ADDR_32 | INFO_IN, 1);
	want.rdi = DATA + 4;
	run();
	check_memory(DATA + 8, model, 4);

	/*
	 * With 32-bit addresses the stub must write the remaining count to ECX
	 * and clear the upper half of RCX.
	 */
	begin_string(HIGH | (BUFFER_SIZE + 9), HIGH | DATA, 0);
	INSN(0x7b, "\x67\xf3\x6e");
	expect_outs(STRING_IO(1) | INFO_DS | INFO_ADDR_32 | INFO_REP,
		    BUFFER_SIZE, (void *)DATA, BUFFER_SIZE);
	want.rsi = DATA + BUFFER_SIZE;
	want.rcx = 9;
	want.rip = frame.rip;
	run();
}

TEST(segments)
{
	static const struct {
		u8 prefix;
		u16 info;
		u64 base;
	} segments[] = {
		{ 0x64, INFO_FS, DATA }, { 0x65, INFO_GS, DATA + 0x1000 },
		{ 0x2e, INFO_DS, 0 }, { 0x26, INFO_DS, 0 },
	};
	unsigned int i;
	u64 base;

	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		u8 outs[] = { segments[i].prefix, 0x6e };
		u8 ins[] = { segments[i].prefix, 0x6c };

		base = segments[i].base;
		begin_string(0, base ? 0x20 : DATA + 0x20, 0);
		host.fs_base = DATA;
		host.gs_base = DATA + 0x1000;
		place_insn(TEXT, 0x7b, outs, 2);
		expect_outs(STRING_IO(1) | segments[i].info | INFO_ADDR_64, 1,
			    (void *)(base ? base + 0x20 : DATA + 0x20), 1);
		want.rsi++;
		run();

		/*
		 * INS writes to the ES segment, even if it has a segment
		 * prefix.
		 */
		begin_string(0, 0, DATA + 0x30);
		host.fs_base = host.gs_base = DATA;
		place_insn(TEXT, 0x7b, ins, 2);
		expect_ins(ONE_INS(1), 1);
		want.rdi++;
		run();
		check_memory(DATA + 0x30, model, 1);
	}
	/*
	 * With 32-bit addresses the stub must cut the address to 32 bits, and
	 * must then add the segment's base without cutting the sum.
	 */
	begin_string(0, HIGH | 0xfffffff0, 0);
	host.fs_base = DATA + 0x20 - 0xfffffff0;
	INSN(0x7b, "\x64\x67\x6e");
	expect_outs(STRING_IO(1) | INFO_FS | INFO_ADDR_32, 1,
		    (void *)(DATA + 0x20), 1);
	want.rsi = 0xfffffff1;
	run();
}

/*
 * With 32-bit addresses ESI wraps from 0xffffffff to 0. The stub must not read
 * memory at 4 GiB.
 */
TEST(addresses_wrap)
{
	begin_string(100, 0xfffffff8, 0);
	host.gs_base = DATA + 0x20 - 0xfffffff8;
	INSN(0x7b, "\x65\x67\xf3\x6f");
	expect_outs(STRING_IO(4) | INFO_GS | INFO_ADDR_32 | INFO_REP, 2,
		    (void *)(DATA + 0x20), 8);
	want.rsi = 0;
	want.rcx = 98;
	want.rip = frame.rip;
	run();

	begin_string(100, 4, 0);
	frame.rflags |= 1 << 10;
	host.gs_base = DATA + 0x20;
	INSN(0x7b, "\x65\x67\xf3\x66\x6f");
	expect_exit(0x7b, STRING_IO(2) | INFO_GS | INFO_ADDR_32 | INFO_REP, 3);
	sends_scratch();
	memcpy(current_step()->sent + BUFFER, (void *)(DATA + 0x24), 2);
	memcpy(current_step()->sent + BUFFER + 2, (void *)(DATA + 0x22), 2);
	memcpy(current_step()->sent + BUFFER + 4, (void *)(DATA + 0x20), 2);
	want.rsi = 0xfffffffe;
	want.rcx = 97;
	want.rip = frame.rip;
	run();

	begin_string(1, 0xffffffff, 0);
	host.gs_base = DATA - 0xffffffff;
	INSN(0x7b, "\x65\x67\xf3\x6e");
	expect_outs(STRING_IO(1) | INFO_GS | INFO_ADDR_32 | INFO_REP, 1,
		    (void *)DATA, 1);
	want.rsi = 0;
	want.rcx = 0;
	run();
}

/* ---- memory that INS and OUTS must not access ---- */

static void faults(u64 rcx, u64 at, bool in, bool out)
{
	begin_string(rcx, at, at);
	if (out) {
		INSN(0x7b, "\xf3\x6e");
		raises(14);
	}
	if (in) {
		INSN(0x7b, "\xf3\x6c");
		raises(14);
	}
	CHECK(!host.at, "the host was asked");
}

TEST(buffer_out_of_reach)
{
	faults(1, NOTHING, true, true);
	faults(2, NOTHING - 1, true, true);
	faults(1, GUARDED, true, true);
	faults(1, 0, true, true);
	faults(1, 1ULL << 51, true, true);
	faults(1, 1ULL << 47, true, true);
	faults(1, ~0ULL, true, true);
	faults(2, ~0ULL, true, true);
	faults(2000, ~100ULL, true, true);
	faults(1, RODATA, true, false);
	faults(1, TEXT, true, false);
	faults(2, GUARDED - 1, true, true);
	/*
	 * The first part of the string is in private memory, the second reaches
	 * a shared page. The stub must send the first and raise #PF for the
	 * second.
	 */
	begin();
	CHECK(!share_page_at(DATA + PAGE_SIZE), "map");
	frame.rcx = 2 * BUFFER_SIZE;
	frame.rsi = DATA + PAGE_SIZE - BUFFER_SIZE;
	INSN(0x7b, "\xf3\x6e");
	expect_outs(ONE_OUTS(1) | INFO_REP, BUFFER_SIZE, (void *)frame.rsi,
		    BUFFER_SIZE);
	want.rsi += BUFFER_SIZE;
	want.rcx = BUFFER_SIZE;
	want.rip = frame.rip;
	run();
	raises(14);
	CHECK(host.at == 1, "the host was asked");
}

/*
 * Raises #VC for INS (@in) or OUTS whose memory operand is the @count bytes at @at. The handler
 * of #VC lets these instructions access only the memory [io_start, io_end), and at least one
 * byte lies outside. The stub must terminate the guest before it sends or writes such a byte. In
 * the stub itself this range is empty: once it has a GHCB page it executes neither INS nor OUTS,
 * so that a #VC for one of them is a lie of the hypervisor.
 */
static void refused(u64 at, u64 count, bool in)
{
	begin_string(count, at, at);
	io_start = DATA + 64;
	io_end = DATA + 128;
	if (in) {
		INSN(0x7b, "\xf3\x6c");
		expect_ins(ONE_INS(1) | INFO_REP, count);
	} else {
		INSN(0x7b, "\xf3\x6e");
	}
	ENDS(6);
}

TEST(memory_of_no_string_instruction)
{
	refused(DATA + 63, 1, false);
	refused(DATA + 128, 1, false);
	refused(DATA, 5, false);
	refused(DATA + 120, 9, false);
	refused(RODATA, 5, false);
	refused(DATA + 63, 1, true);
	check_memory(DATA, (void *)DATA, 0);
	refused(DATA + 128, 5, true);
	check_memory(DATA, (void *)DATA, 0);
	refused(DATA + 120, 9, true);
	check_memory(DATA + 120, model, 8);

	begin_string(8, DATA + 120, 0);
	io_start = DATA + 64;
	io_end = DATA + 128;
	INSN(0x7b, "\xf3\x6e");
	expect_outs(ONE_OUTS(1) | INFO_REP, 8, (void *)(DATA + 120), 8);
	want.rsi += 8;
	want.rcx = 0;
	run();
}

/*
 * INS and OUTS must not use shared memory, because the hypervisor can change it. The stub
 * must raise #PF.
 */
TEST(buffer_on_shared_page)
{
	faults(1, OPEN, true, true);
	faults(2, OPEN - 1, true, true);
	faults(1, DEVICE, true, true);
	faults(1, (u64)&ghcb_page, true, true);
	faults(1, (u64)&ghcb_page + BUFFER, true, true);
}

TEST(buffer_read_only)
{
	begin();
	frame.rcx = 3;
	frame.rsi = RODATA;
	memcpy((void *)RODATA, "abc", 3);
	INSN(0x7b, "\xf3\x6e");
	expect_outs(ONE_OUTS(1) | INFO_REP, 3, "abc", 3);
	want.rsi += 3;
	want.rcx = 0;
	run();
}

/*
 * With the direction flag set, a string goes down from its address. The stub must map no
 * page below the string's lowest byte. It must raise #PF if the lowest byte is on a shared
 * page, although the string starts on another page.
 */
TEST(buffer_below_the_address)
{
	begin_string(3, DATA + 2, 0);
	frame.rflags |= 1 << 10;
	INSN(0x7b, "\xf3\x6e");
	expect_exit(0x7b, ONE_OUTS(1) | INFO_REP, 3);
	sends_data((u8[]){ 14, 7, 0 }, 3);
	want.rsi -= 3;
	want.rcx = 0;
	run();
	CHECK(ident_map_query(DATA - 1) < 0, "more was mapped");

	begin_string(3, OPEN + PAGE_SIZE + 1, OPEN + PAGE_SIZE + 1);
	frame.rflags |= 1 << 10;
	INSN(0x7b, "\xf3\x6e");
	raises(14);
	INSN(0x7b, "\xf3\x6c");
	raises(14);
	CHECK(!host.at, "the host was asked");
}

/*
 * The stub must map RAM that is not mapped yet before it sends the request,
 * here the two pages that the string is in.
 */
TEST(buffer_is_faulted_in)
{
	begin_string(8, 0, LAZY + PMD_SIZE - PAGE_SIZE - 8);
	INSN(0x7b, "\xf3\x6c");
	expect_ins(ONE_INS(1) | INFO_REP, 8);
	want.rdi += 8;
	want.rcx = 0;
	run();
	CHECK(ident_map_query(LAZY) == MAP_WRITE, "map: %d",
	      ident_map_query(LAZY));

	begin_string(8, LAZY - 4, 0);
	bp.e820_table[0] = (struct boot_e820_entry){
		LAZY - PAGE_SIZE, 2 * PAGE_SIZE, 1
	};
	CHECK(!hide_page_at(OPEN), "map");
	memcpy((void *)(LAZY - 4), "abcdefgh", 8);
	INSN(0x7b, "\xf3\x6e");
	expect_outs(ONE_OUTS(1) | INFO_REP, 8, "abcdefgh", 8);
	want.rsi += 8;
	want.rcx = 0;
	run();
	CHECK(ident_map_query(LAZY) == MAP_WRITE &&
	      ident_map_query(LAZY + PAGE_SIZE) < 0, "map: %d",
	      ident_map_query(LAZY + PAGE_SIZE));
}

/*
 * If the hypervisor tells the guest to raise an exception, the string's memory
 * must not change.
 */
TEST(string_raises)
{
	begin_string(4, DATA, DATA);
	INSN(0x7b, "\xf3\x6c");
	expect_ins(ONE_INS(1) | INFO_REP, 4);
	result(1, 0x80000b0d);
	raises(13);
	check_memory(DATA, (void *)DATA, 0);
	INSN(0x7b, "\xf3\x6e");
	expect_outs(ONE_OUTS(1) | INFO_REP, 4, (void *)DATA, 4);
	result(1, 0x80000b0d);
	raises(13);
}

/* ---- the console's requests ---- */

TEST(inb)
{
	u8 value;

	start();
	expect_exit(0x7b, INFO_PORT(0x3fd) | INFO_SIZE(1) | INFO_IN, 0);
	answers(RAX, 0xffffffffffffff60);
	value = sev_es_inb(0x3fd);
	CHECK(value == 0x60, "%#x", value);
	CHECK(!es.busy, "the page is still in use");

	expect_exit(0x7b, INFO_PORT(0xffff) | INFO_SIZE(1) | INFO_IN, 0);
	answers(RAX, 0);
	result(1, 0x80000b0d);
	value = sev_es_inb(0xffff);
	CHECK(value == 0xff, "%#x from a port that refuses", value);
	CHECK(!es.busy, "the page is still in use");

	expect_exit(0x7b, INFO_PORT(0x3fd) | INFO_SIZE(1) | INFO_IN, 0);
	EXPECT_OWN_END(sev_es_inb(0x3fd), 8);
}

TEST(outb)
{
	start();
	expect_exit(0x7b, INFO_PORT(0xffff) | INFO_SIZE(1), 0);
	sends(RAX, 0xfe);
	sev_es_outb(0xfe, 0xffff);
	expect_exit(0x7b, INFO_PORT(0x3f8) | INFO_SIZE(1), 0);
	sends(RAX, 1);
	result(1, 0x80000b0d);
	sev_es_outb(1, 0x3f8);
	CHECK(host.at == 2 && !es.busy, "%u exits", host.at);
}

/*
 * The hypervisor puts old bytes of private memory in the place of es.version, the version of
 * the GHCB protocol. The stub must not write these bytes to the GHCB page, where the hypervisor
 * can read them. It must write version 1 or 2 instead.
 */
TEST(version_garbled)
{
	static const u16 versions[][2] = {
		/* es.version, and the version that the stub must send */
		{ 0, 1 }, { 1, 1 }, { 2, 2 }, { 3, 2 }, { 0x1234, 2 }, { 0xffff, 2 },
	};
	unsigned int i;

	start();
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		es.version = versions[i][1];
		expect_exit(0x7b, INFO_PORT(0x3f8) | INFO_SIZE(1), 0);
		sends(RAX, 1);
		es.version = versions[i][0];
		sev_es_outb(1, 0x3f8);
	}
}

#define CONSOLE_OUTS	(INFO_PORT(0x3f8) | INFO_SIZE(1) | INFO_DS | \
			 INFO_ADDR_64 | INFO_REP | INFO_STRING)

/*
 * sev_es_outsb() prints a text. It must send one request for each part that
 * fits into the GHCB page's buffer.
 */
TEST(outsb)
{
	static const size_t sizes[] = {
		0, 1, 16, BUFFER_SIZE - 1, BUFFER_SIZE, BUFFER_SIZE + 1,
		2 * BUFFER_SIZE, 2 * BUFFER_SIZE + 17,
	};
	u8 *text = (u8 *)console_text;
	size_t at, chunk;
	unsigned int i;

	for (i = 0; i < 2 * BUFFER_SIZE + 17; i++)
		text[i] = (u8)(i * 5 + i / 256);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		start();
		for (at = 0; at < sizes[i]; at += chunk) {
			chunk = sizes[i] - at < BUFFER_SIZE ?
				sizes[i] - at : BUFFER_SIZE;
			expect_outs(CONSOLE_OUTS, chunk, text + at, chunk);
		}
		sev_es_outsb(0x3f8, text, sizes[i]);
		CHECK(host.at == host.count && !es.busy,
		      "%zu bytes in %u exits", sizes[i], host.at);
	}
}

/*
 * sev_es_outsb() must send no byte from outside of console_text. The hypervisor can put an
 * old address back on the stack, and would otherwise get private memory of the stub.
 */
TEST(outsb_elsewhere)
{
	static const s64 at[] = { -1, CONSOLE_TEXT_SIZE - 15, CONSOLE_TEXT_SIZE,
				  -CONSOLE_TEXT_SIZE };
	unsigned int i;

	start();
	expect_outs(CONSOLE_OUTS, 16, console_text + CONSOLE_TEXT_SIZE - 16, 16);
	sev_es_outsb(0x3f8, console_text + CONSOLE_TEXT_SIZE - 16, 16);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		start();
		EXPECT_OWN_END(sev_es_outsb(0x3f8, console_text + at[i], 16),
			       SEVSTUB_TERM_GENERAL);
		CHECK(!host.at, "offset %ld is sent", at[i]);
	}
}

/* ---- VGA memory by requests ---- */

/* Expects one more request: to write the character cell @cell to VGA memory at @to. */
static void expect_cell(u64 to, u16 cell)
{
	expect_exit(0x80000002, to, 2);
	sends_data(&cell, 2);
}

/*
 * The stub must take the character for VGA memory from the console's buffer. If the
 * character's address is elsewhere, because the hypervisor has put an old address back, the
 * stub must ask the hypervisor to write a blank instead.
 */
TEST(vga_put)
{
	static const s64 elsewhere[] = { -1, CONSOLE_TEXT_SIZE, -CONSOLE_TEXT_SIZE };
	unsigned int i;

	start();
	memset(console_text, 'x', CONSOLE_TEXT_SIZE);
	console_text[0] = (char)0xe4;
	expect_cell(0xb8000, 0x07e4);
	sev_es_vga_put(0xb8000, console_text);
	expect_cell(0xbfffe, 0x0778);
	result(1, 0x80000b0d);
	sev_es_vga_put(0xbfffe, console_text + CONSOLE_TEXT_SIZE - 1);
	expect_cell(0xb0000, 0x0720);
	sev_es_vga_put(0xb0000, NULL);
	for (i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		expect_cell(0xb0000, 0x0720);
		sev_es_vga_put(0xb0000, (const char *)((u64)console_text +
						       (u64)elsewhere[i]));
	}
	CHECK(host.at == host.count && !es.busy, "%u exits", host.at);
}

/*
 * The stub must terminate the guest instead of sending an address outside of VGA memory.
 * The address can be old bytes of the stack, which the hypervisor must not learn.
 */
TEST(vga_elsewhere)
{
	static const u64 bad[] = { 0, 0xaffff, 0xbffff, 0xc0000, 0x1000b8000, ~0UL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		start();
		EXPECT_OWN_END(sev_es_vga_put(bad[i], console_text), 0);
	}
}

/*
 * If the hypervisor answers one part of the text with an exception, the stub
 * must not terminate, and must send the next part.
 */
TEST(outsb_refused)
{
	const u8 *text = memset(console_text, 0, BUFFER_SIZE + 1);

	start();
	expect_outs(CONSOLE_OUTS, BUFFER_SIZE, text, BUFFER_SIZE);
	result(1, 0x80000b0d);
	expect_outs(CONSOLE_OUTS, 1, text, 1);
	sev_es_outsb(0x3f8, text, BUFFER_SIZE + 1);
	CHECK(host.at == 2 && !es.busy, "%u exits", host.at);
}
