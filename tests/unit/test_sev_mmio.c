/* SPDX-License-Identifier: MIT */
/*
 * test_sev_mmio.c - #VC for nested page faults (stage 2): every form and size
 * of a move between a register or memory and a device, and accesses to memory
 * that belongs to no device.
 */
#include "scripted_host.h"

#define READ		0x80000001
#define WRITE		0x80000002
#define REG		0x8877665544332211UL
/*
 * Values that a device returns. NEGATIVE has the top bit of its low 1, 2, 4 and
 * 8 bytes set, POSITIVE has these bits clear.
 */
#define NEGATIVE	0xf8e7d6c5b4a39281UL
#define POSITIVE	0x7877767574737271UL

/*
 * Starts a case with @addr in RSI and RDI, and the value REG in RAX, RBX and
 * R9. Most test instructions have the operands RBX and [RSI].
 */
static void begin(u64 addr)
{
	start();
	frame.rsi = frame.rdi = addr;
	frame.rax = frame.rbx = frame.r9 = REG;
}

static u64 low(u64 value, unsigned int size)
{
	return size == 8 ? value : value & ((1ULL << 8 * size) - 1);
}

static void expect_read(u64 addr, unsigned int size)
{
	u64 value = NEGATIVE;

	expect_exit(READ, addr, size);
	sends_scratch();
	answers_data(&value, size);
}

static void expect_write(u64 addr, unsigned int size, u64 value)
{
	expect_exit(WRITE, addr, size);
	sends_data(&value, size);
}

/* ---- moves with a ModRM byte, mostly 1e, which is EBX and [RSI] ---- */

/*
 * A load of 8 or 16 bits must keep the rest of the register. A load of 32 bits
 * must clear the upper half of the register.
 */
static const struct {
	u8 length, size;
	const char *bytes;
	/* The expected RBX after the device returned NEGATIVE or POSITIVE. */
	u64 negative, positive;
} loads[] = {
	{ 2, 1, "\x8a\x1e",
	  0x8877665544332281, 0x8877665544332271 },
	{ 2, 1, "\x8a\x3e",
	  0x8877665544338111, 0x8877665544337111 },
	{ 3, 2, "\x66\x8b\x1e",
	  0x8877665544339281, 0x8877665544337271 },
	{ 2, 4, "\x8b\x1e",
	  0xb4a39281, 0x74737271 },
	{ 3, 8, "\x48\x8b\x1e",
	  NEGATIVE, POSITIVE },
	/* MOVZX from 8 and from 16 bits. */
	{ 4, 1, "\x66\x0f\xb6\x1e",
	  0x8877665544330081, 0x8877665544330071 },
	{ 3, 1, "\x0f\xb6\x1e",
	  0x81, 0x71 },
	{ 4, 1, "\x48\x0f\xb6\x1e",
	  0x81, 0x71 },
	{ 4, 2, "\x66\x0f\xb7\x1e",
	  0x8877665544339281, 0x8877665544337271 },
	{ 3, 2, "\x0f\xb7\x1e",
	  0x9281, 0x7271 },
	{ 4, 2, "\x48\x0f\xb7\x1e",
	  0x9281, 0x7271 },
	/* MOVSX and MOVSXD. */
	{ 4, 1, "\x66\x0f\xbe\x1e",
	  0x887766554433ff81, 0x8877665544330071 },
	{ 3, 1, "\x0f\xbe\x1e",
	  0xffffff81, 0x71 },
	{ 4, 1, "\x48\x0f\xbe\x1e",
	  0xffffffffffffff81, 0x71 },
	{ 4, 2, "\x66\x0f\xbf\x1e",
	  0x8877665544339281, 0x8877665544337271 },
	{ 3, 2, "\x0f\xbf\x1e",
	  0xffff9281, 0x7271 },
	{ 4, 2, "\x48\x0f\xbf\x1e",
	  0xffffffffffff9281, 0x7271 },
	{ 3, 2, "\x66\x63\x1e",
	  0x8877665544339281, 0x8877665544337271 },
	{ 2, 4, "\x63\x1e",
	  0xb4a39281, 0x74737271 },
	{ 3, 4, "\x48\x63\x1e",
	  0xffffffffb4a39281, 0x74737271 },
};

static const struct {
	u8 length, size;
	const char *bytes;
	u64 value;
} stores[] = {
	{ 2, 1, "\x88\x1e", 0x11 },				/* bl */
	{ 2, 1, "\x88\x3e", 0x22 },				/* bh */
	{ 3, 2, "\x66\x89\x1e", 0x2211 },
	{ 2, 4, "\x89\x1e", 0x44332211 },
	{ 3, 8, "\x48\x89\x1e", REG },
	{ 3, 1, "\xc6\x06\x9a", 0x9a },				/* immediate */
	{ 5, 2, "\x66\xc7\x06\x9a\xbc", 0xbc9a },
	{ 6, 4, "\xc7\x06\x9a\xbc\xde\xf0", 0xf0debc9a },
	{ 7, 8, "\x48\xc7\x06\x9a\xbc\xde\xf0", 0xfffffffff0debc9a },
};

static const u64 places[] = {
	DEVICE, DEVICE + 1, DEVICE + 0x123, DEVICE + PAGE_SIZE - 1,
	DEVICE + PAGE_SIZE - 7, DEVICE + PAGE_SIZE, DEVICE + DEVICE_SIZE - 8,
};

TEST(loads)
{
	static const u64 positive = POSITIVE;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		for (k = 0; k < ARRAY_SIZE(places); k++) {
			begin(places[k]);
			place_insn(TEXT, 0x400, loads[i].bytes,
				   loads[i].length);
			expect_read(places[k], loads[i].size);
			want.rbx = loads[i].negative;
			run();
			frame.rbx = REG;
			place_insn(TEXT, 0x400, loads[i].bytes,
				   loads[i].length);
			expect_read(places[k], loads[i].size);
			answers_data(&positive, loads[i].size);
			want.rbx = loads[i].positive;
			run();
		}
	}
}

TEST(stores)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(stores); i++) {
		for (k = 0; k < ARRAY_SIZE(places); k++) {
			begin(places[k]);
			place_insn(TEXT, 0x400, stores[i].bytes,
				   stores[i].length);
			expect_write(places[k], stores[i].size,
				     stores[i].value);
			run();
		}
	}
}

/*
 * MOV between the accumulator and an address in the instruction. The address
 * has 64 bits, or 32 bits with the address-size prefix.
 */
TEST(moffs)
{
	static const struct {
		u8 size, before;
		const char *prefix;
		u64 load;
	} sizes[] = {
		{ 1, 0, "", 0x8877665544332281 },
		{ 2, 1, "\x66", 0x8877665544339281 },
		{ 4, 0, "", 0xb4a39281 },
		{ 8, 1, "\x48", NEGATIVE },
	};
	u64 addr = DEVICE + 0x18;
	u8 insn[16];
	unsigned int i, cut, at;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (cut = 0; cut < 2; cut++) {
			at = 0;
			if (cut)
				insn[at++] = 0x67;
			memcpy(insn + at, sizes[i].prefix, sizes[i].before);
			at += sizes[i].before;
			insn[at] = sizes[i].size == 1 ? 0xa0 : 0xa1;
			memcpy(insn + at + 1, &addr, 8);
			begin(0);
			place_insn(TEXT, 0x400, insn, at + (cut ? 5 : 9));
			expect_read(addr, sizes[i].size);
			want.rax = sizes[i].load;
			run();

			insn[at] += 2;
			begin(0);
			place_insn(TEXT, 0x400, insn, at + (cut ? 5 : 9));
			expect_write(addr, sizes[i].size,
				     low(REG, sizes[i].size));
			run();
		}
	}
}

/* ---- addressing forms ---- */

TEST(address_forms)
{
	begin(DEVICE - 0x80);
	INSN(0x400, "\x4c\x8b\x8e\x80\0\0\0");	/* r9, [rsi + 0x80] */
	expect_read(DEVICE, 8);
	want.r9 = NEGATIVE;
	run();

	begin(DEVICE + 0x80);
	frame.r15 = 4;
	INSN(0x400, "\x42\x8b\x5c\xfe\x80");	/* ebx, [rsi + r15*8 - 0x80] */
	expect_read(DEVICE + 32, 4);
	want.rbx = 0xb4a39281;
	run();

	begin(0xdeadbeef00000000 | DEVICE);
	INSN(0x400, "\x67\x8b\x1e");		/* ebx, [esi] */
	expect_read(DEVICE, 4);
	want.rbx = 0xb4a39281;
	run();

	begin(8);
	host.fs_base = DEVICE;
	INSN(0x400, "\x64\x8b\x1e");		/* ebx, fs:[rsi] */
	expect_read(DEVICE + 8, 4);
	want.rbx = 0xb4a39281;
	run();

	begin(8);
	host.gs_base = DEVICE + 8;
	INSN(0x400, "\x65\x88\x1e");		/* gs:[rsi], bl */
	expect_write(DEVICE + 16, 1, 0x11);
	run();

	/*
	 * A RIP-relative address counts from the next instruction. The
	 * instruction has 6 bytes, so it refers to RIP + 6 + 0xfffa.
	 */
	begin(0);
	CHECK(!ident_map_device(TEXT + 0x10000, PAGE_SIZE), "map");
	INSN(0x400, "\x8b\x1d\xfa\xff\0\0");
	expect_read(TEXT + 0x10000, 4);
	bp.e820_table[0].addr = LAZY;
	want.rbx = 0xb4a39281;
	run();
}

/* ---- STOS and MOVS ---- */

static const struct {
	u8 size, length;
	const char *stos, *movs;
} strings[] = {
	{ 1, 1, "\xaa", "\xa4" },
	{ 2, 2, "\x66\xab", "\x66\xa5" },
	{ 4, 1, "\xab", "\xa5" },
	{ 8, 2, "\x48\xab", "\x48\xa5" },
};

TEST(stos)
{
	unsigned int i, down, size;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		for (down = 0; down < 2; down++) {
			size = strings[i].size;
			begin(DEVICE + 0x40);
			frame.rflags |= down << 10;
			place_insn(TEXT, 0x400, strings[i].stos,
				   strings[i].length);
			expect_write(DEVICE + 0x40, size, low(REG, size));
			want.rdi += down ? -(u64)size : size;
			run();
		}
	}
}

/*
 * The stub stores one element for each #VC. With REP it leaves RIP at the
 * instruction, which then raises #VC for the next element.
 */
TEST(stos_rep)
{
	unsigned int left;

	begin(DEVICE);
	for (left = 3; left; left--) {
		frame.rcx = left;
		INSN(0x400, "\xf3\x48\xab");
		expect_write(DEVICE + 8 * (3 - left), 8, REG);
		want.rdi += 8;
		want.rcx--;
		if (want.rcx)
			want.rip = frame.rip;
		run();
	}
	CHECK(frame.rip == TEXT + 3, "at %#lx", frame.rip);

	begin(DEVICE);
	frame.rcx = 0;
	INSN(0x400, "\xf3\xab");
	run();

	/*
	 * STOS writes to the ES segment, even if it has a segment prefix. The
	 * address-size prefix selects EDI and ECX instead of RDI and RCX.
	 */
	begin(0xdeadbeef00000000 | DEVICE);
	host.fs_base = DATA;
	frame.rcx = 0xdeadbeef00000002;
	INSN(0x400, "\x64\x67\xf3\xab");
	expect_write(DEVICE, 4, 0x44332211);
	want.rdi = DEVICE + 4;
	want.rcx = 1;
	want.rip = frame.rip;
	run();
}

TEST(movs_to_device)
{
	unsigned int i, down, size;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		for (down = 0; down < 2; down++) {
			size = strings[i].size;
			begin(DEVICE + 0x40);
			frame.rsi = DATA + 0x21;
			frame.rflags |= down << 10;
			memcpy((void *)frame.rsi, "ABCDEFGH", 8);
			place_insn(TEXT, 0x400, strings[i].movs,
				   strings[i].length);
			expect_write(DEVICE + 0x40, size,
				     low(0x4847464544434241, size));
			want.rsi += down ? -(u64)size : size;
			want.rdi += down ? -(u64)size : size;
			run();
		}
	}
}

TEST(movs_from_device)
{
	static const u64 value = NEGATIVE;
	unsigned int i, down, size;
	u8 *to = (u8 *)DATA + 0x21;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		for (down = 0; down < 2; down++) {
			size = strings[i].size;
			begin(DEVICE + 0x40);
			frame.rdi = (u64)to;
			frame.rflags |= down << 10;
			memset(to - 1, 0x5a, 10);
			place_insn(TEXT, 0x400, strings[i].movs,
				   strings[i].length);
			expect_read(DEVICE + 0x40, size);
			want.rsi += down ? -(u64)size : size;
			want.rdi += down ? -(u64)size : size;
			run();
			CHECK(!memcmp(to, &value, size) && to[-1] == 0x5a &&
			      to[size] == 0x5a, "%u bytes", size);
		}
	}
}

TEST(movs_rep)
{
	begin(DEVICE);
	frame.rsi = DATA;
	frame.rcx = (1ULL << 32) + 1;
	memcpy((void *)DATA, "ABCDEFGH", 8);
	INSN(0x400, "\xf3\xa5");
	expect_write(DEVICE, 4, 0x44434241);
	want.rsi += 4;
	want.rdi += 4;
	want.rcx--;
	want.rip = frame.rip;
	run();

	begin(DEVICE);
	frame.rcx = 0;
	INSN(0x400, "\xf3\xa5");
	run();

	/*
	 * The stub must apply a segment prefix of MOVS to the source only, not
	 * to the destination.
	 */
	begin(0xdeadbeef00000000 | DEVICE);
	frame.rsi = 8;
	host.gs_base = DATA;
	memcpy((void *)(DATA + 8), "abcd", 4);
	INSN(0x400, "\x65\x67\xa5");
	expect_write(DEVICE, 4, 0x64636261);
	want.rsi = 12;
	want.rdi = DEVICE + 4;
	run();
}

/*
 * One operand of MOVS is the device. If the other operand is not in mapped
 * private memory, the stub must raise #PF before it sends a request.
 */
TEST(movs_other_side)
{
	static const u64 bad[] = {
		NOTHING, GUARDED, OPEN, DEVICE + PAGE_SIZE, GUARDED - 1,
		OPEN - 1, ~0ULL, (u64)-3,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(DEVICE);
		frame.rdi = bad[i];
		INSN(0x400, "\xa5");
		raises(14);
		if (bad[i] == OPEN || bad[i] == DEVICE + PAGE_SIZE)
			continue;	/* mapped as a device */
		begin(DEVICE);
		frame.rsi = bad[i];
		INSN(0x400, "\xa5");
		raises(14);
	}
	begin(DEVICE);
	frame.rdi = RODATA;
	INSN(0x400, "\xa5");
	raises(14);

	begin(DEVICE);
	frame.rsi = RODATA;
	memcpy((void *)RODATA, "wxyz", 4);
	INSN(0x400, "\xa5");
	expect_write(DEVICE, 4, 0x7a797877);
	want.rsi += 4;
	want.rdi += 4;
	run();

	begin(DEVICE);
	frame.rdi = LAZY + 0x123;
	INSN(0x400, "\xa5");
	expect_read(DEVICE, 4);
	want.rsi += 4;
	want.rdi += 4;
	run();
	CHECK(ident_map_query(LAZY) == MAP_WRITE, "not mapped");
}

/* ---- nested page faults that the hypervisor made up ---- */

static void no_device(u64 addr, unsigned int code)
{
	begin(addr);
	INSN(0x400, "\x8b\x1e");
	ENDS(code);
	INSN(0x400, "\x89\x1e");
	/*
	 * The stub has requested termination at the #VC of the load above, so the
	 * GHCB page is still in use. At the #VC of this store, the stub must
	 * terminate with reason 10: a #VC needs the GHCB page while it is in use.
	 */
	ENDS(10);
	begin(addr);
	INSN(0x400, "\x89\x1e");
	ENDS(code);
	begin(addr);
	INSN(0x400, "\xc7\x06\0\0\0\0");
	ENDS(code);
	begin(addr);
	INSN(0x400, "\xab");
	ENDS(code);
}

TEST(private_target)
{
	no_device(DATA, 14);
	no_device(OPEN - 4, 14);
	no_device(TEXT, 14);
	no_device(RODATA, 14);
	no_device(LAZY, 14);
	no_device(GUARDED, 14);
	no_device(NOTHING, 14);
	no_device(DEVICE - 1, 14);
	no_device(DEVICE + DEVICE_SIZE, 14);
	no_device(DEVICE + DEVICE_SIZE - 3, 14);
	no_device(0, 14);
	no_device(1ULL << 51, 14);
	no_device(~0ULL, 14);

	/*
	 * MOVS with RAM on both sides causes no nested page fault, so the
	 * hypervisor made this one up. The stub must terminate.
	 */
	begin(DATA);
	frame.rdi = DATA + 64;
	INSN(0x400, "\xa5");
	ENDS(14);
}

TEST(ram_target)
{
	no_device(OPEN, 15);
	no_device(OPEN + PAGE_SIZE - 4, 15);
	no_device((u64)&ghcb_page, 15);
	no_device((u64)&ghcb_page + BUFFER, 15);

	begin(OPEN);
	frame.rdi = DATA;
	INSN(0x400, "\xa5");
	ENDS(15);

	/*
	 * The access begins in the device, but its last byte is in RAM. The
	 * stub must terminate.
	 */
	begin(DEVICE + PAGE_SIZE - 3);
	bp.e820_table[bp.e820_entries++] = (struct boot_e820_entry){
		DEVICE + PAGE_SIZE, PAGE_SIZE, 1
	};
	INSN(0x400, "\x8b\x1e");
	ENDS(15);
}

/*
 * The hypervisor answers a device access by telling the guest to raise #GP. The
 * stub must raise it and change neither registers nor memory.
 */
TEST(access_raises)
{
	begin(DEVICE);
	INSN(0x400, "\x8b\x1e");
	expect_read(DEVICE, 4);
	result(1, 0x80000b0d);
	raises(13);
	INSN(0x400, "\x89\x1e");
	expect_write(DEVICE, 4, 0x44332211);
	result(1, 0x80000b0d);
	raises(13);
	frame.rcx = 5;
	INSN(0x400, "\xf3\xab");
	expect_write(DEVICE, 4, 0x44332211);
	result(1, 0x80000b0d);
	raises(13);
	memset((void *)DATA, 0x5a, 8);
	frame.rdi = DATA;
	INSN(0x400, "\xf3\xa5");
	expect_read(DEVICE, 4);
	result(1, 0x80000b0d);
	raises(13);
	CHECK(*(u64 *)DATA == 0x5a5a5a5a5a5a5a5a, "memory was written");
	frame.rsi = DATA;
	frame.rdi = DEVICE;
	INSN(0x400, "\xf3\xa5");
	expect_write(DEVICE, 4, 0x5a5a5a5a);
	result(1, 0x80000b0d);
	raises(13);
}

/*
 * After the decoder has checked an instruction, the hypervisor can put old contents of
 * struct insn back, with any operand size and register number up to 255. mmio_read() must
 * nevertheless write no memory around the eight-byte @value, and write_operand_reg() must
 * write no memory after the saved registers.
 */
static struct {
	u64 before[64], value, after[64];
} around;

static void check_around(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(around.before); i++)
		CHECK(around.before[i] == REG && around.after[i] == REG,
		      "memory at %u was written", i);
}

TEST(size_that_was_put_back)
{
	static const u8 sizes[] = { 9, 16, 64, 255 };
	static const u8 data[255] = { [0 ... 254] = 0xd1 };
	u64 sent = REG;
	unsigned int i;

	memset(&around, 0x5a, sizeof(around));
	for (i = 0; i < ARRAY_SIZE(around.before); i++)
		around.before[i] = around.after[i] = REG;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		begin(DEVICE);
		expect_exit(WRITE, DEVICE, sizes[i]);
		sends_data(&sent, sizeof(sent));
		ghcb_begin();
		CHECK(!mmio_write(DEVICE, sizes[i], REG), "not written");
		ghcb_end();

		begin(DEVICE);
		expect_exit(READ, DEVICE, sizes[i]);
		sends_scratch();
		answers_data(data, sizes[i]);
		ghcb_begin();
		CHECK(!mmio_read(DEVICE, sizes[i], &around.value), "not read");
		ghcb_end();
		CHECK(around.value == 0xd1d1d1d1d1d1d1d1, "%#lx", around.value);
		check_around();
	}
}

TEST(register_that_was_put_back)
{
	static struct {
		struct vc vc;
		u64 behind[256];
	} here;
	unsigned int i;

	here.vc = (struct vc){ .frame = &frame };
	here.vc.insn = (struct insn){ .reg = 0x5f, .size = 8, .reg_size = 8 };
	write_operand_reg(&here.vc, REG);
	CHECK(here.vc.regs[15] == REG, "R15 is %#lx", here.vc.regs[15]);
	CHECK(read_operand_reg(&here.vc) == REG, "not R15");
	for (i = 0; i < ARRAY_SIZE(here.behind); i++)
		CHECK(!here.behind[i], "memory at %u was written", i);

	EXPECT_OWN_END(copy_element(&around.value, (void *)DATA, 9), 6);
}

/*
 * The hypervisor has put old contents of the E820 map back, in which the GHCB page is no
 * RAM. The stub must terminate the guest all the same instead of taking the page for a
 * device.
 */
TEST(ghcb_page_is_no_device)
{
	u64 page = (u64)&ghcb_page;

	static const u64 offsets[] = { 0, BUFFER, PAGE_SIZE - 4 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		begin(page + offsets[i]);
		bp.e820_entries = 1;
		INSN(0x400, "\x89\x1e");
		ENDS(15);
	}
}
