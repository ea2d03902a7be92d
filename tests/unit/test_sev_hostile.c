/* SPDX-License-Identifier: MIT */
/*
 * test_sev_hostile.c - a hypervisor that violates the GHCB protocol: wrong
 * answers to every request that uses the GHCB page, and a GHCB page that
 * changes while the stub reads it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>

#include "scripted_host.h"

/*
 * Value of SW_EXITINFO2 by which the hypervisor tells the guest to raise #GP
 * with error code 0.
 */
#define GP_EVENT	0x80000b0dUL
/* The value of SW_EXITINFO2 that KVM returns for #GP, without an error code. */
#define KVM_GP_EVENT	0x8000030dUL
#define UD_EVENT	0x80000306UL	/* valid, #UD */
#define END_REPLY	8
#define END_INJECTION	9

/* ---- every request that uses the GHCB page, and its answer ---- */

static void device(void)
{
	frame.rsi = frame.rdi = DEVICE + 8;
}

static void memory(void)
{
	frame.rsi = frame.rdi = DATA + 8;
	frame.rcx = 3;
	frame.rdx = 0x42;
	memset((void *)DATA, 0x5a, 64);
}

static void port(void)
{
	frame.rdx = 0x42;
	frame.rax = 0x99;
}

static void sends_rax_rcx(void)
{
	sends(RAX, (u32)frame.rax);
	sends(RCX, (u32)frame.rcx);
}

static void sends_rcx(void)
{
	sends(RCX, (u32)frame.rcx);
}

static void sends_edx_eax_ecx(void)
{
	sends_rax_rcx();
	sends(RDX, (u32)frame.rdx);
}

static void sends_vmmcall(void)
{
	sends(RAX, frame.rax);
	sends(CPL, 0);
}

static void sends_monitor(void)
{
	sends(RAX, frame.rax);
	sends(RCX, frame.rcx);
	sends(RDX, frame.rdx);
}

static void sends_mwait(void)
{
	sends(RAX, frame.rax);
	sends(RCX, frame.rcx);
}

static void sends_al(void)
{
	sends(RAX, 0x99);
}

static void dr7(void)
{
	frame.rax = 0x400;
}

static void sends_rax(void)
{
	sends(RAX, frame.rax);
}

static void sends_zzz(void)
{
	sends_data("ZZZ", 3);
}

static void sends_ebx(void)
{
	sends_data(&frame.rbx, 4);
}

static const struct op {
	const char *name;
	u16 exit;
	u8 length;
	const char *bytes;
	void (*registers)(void);
	u64 code, info_1, info_2;
	void (*sends)(void);
	/*
	 * List of the fields that the hypervisor must mark as valid in its
	 * answer. The value 0 ends the list.
	 */
	u16 outputs[5];
	/*
	 * The stub's reason code for termination if the hypervisor returns the
	 * GHCB page without any change. 0: the stub accepts the unchanged page.
	 */
	u8 unanswered;
} ops[] = {
	{ "cpuid", 0x72, 2, "\x0f\xa2", NULL, 0x72, 0, 0, sends_rax_rcx,
	  { RAX, RBX, RCX, RDX }, END_REPLY },
	{ "rdtsc", 0x6e, 2, "\x0f\x31", NULL, 0x6e, 0, 0, NULL,
	  { RAX, RDX }, END_REPLY },
	{ "rdtscp", 0x87, 3, "\x0f\x01\xf9", NULL, 0x87, 0, 0, NULL,
	  { RAX, RDX, RCX }, END_REPLY },
	{ "rdpmc", 0x6f, 2, "\x0f\x33", NULL, 0x6f, 0, 0, sends_rcx,
	  { RAX, RDX }, END_REPLY },
	{ "rdmsr", 0x7c, 2, "\x0f\x32", NULL, 0x7c, 0, 0, sends_rcx,
	  { RAX, RDX }, END_REPLY },
	{ "wrmsr", 0x7c, 2, "\x0f\x30", NULL, 0x7c, 1, 0, sends_edx_eax_ecx,
	  { 0 }, END_INJECTION },
	{ "dr7 write", 0x37, 3, "\x0f\x23\xf8", dr7, 0x37, 0, 0, sends_rax,
	  { 0 }, 0 },
	{ "vmmcall", 0x81, 3, "\x0f\x01\xd9", NULL, 0x81, 0, 0,
	  sends_vmmcall, { RAX }, 0 },
	{ "monitor", 0x8a, 3, "\x0f\x01\xc8", NULL, 0x8a, 0, 0,
	  sends_monitor, { 0 }, 0 },
	{ "mwait", 0x8b, 3, "\x0f\x01\xc9", NULL, 0x8b, 0, 0, sends_mwait,
	  { 0 }, 0 },
	{ "wbinvd", 0x89, 2, "\x0f\x09", NULL, 0x89, 0, 0, NULL, { 0 }, 0 },
	{ "invd", 0x76, 2, "\x0f\x08", NULL, 0x76, 0, 0, NULL, { 0 }, 0 },
	{ "in", 0x7b, 1, "\xec", port, 0x7b, 0x420011, 0, NULL, { RAX },
	  END_REPLY },
	{ "out", 0x7b, 1, "\xee", port, 0x7b, 0x420010, 0, sends_al, { 0 },
	  END_REPLY },
	{ "ins", 0x7b, 2, "\xf3\x6c", memory, 0x7b, 0x42021d, 3,
	  sends_scratch, { 0 }, END_REPLY },
	{ "outs", 0x7b, 2, "\xf3\x6e", memory, 0x7b, 0x420e1c, 3, sends_zzz,
	  { 0 }, END_REPLY },
	{ "load", 0x400, 2, "\x8b\x1e", device, 0x80000001, DEVICE + 8, 4,
	  sends_scratch, { 0 }, END_REPLY },
	{ "store", 0x400, 2, "\x89\x1e", device, 0x80000002, DEVICE + 8, 4,
	  sends_ebx, { 0 }, END_REPLY },
};

/*
 * Starts a case with the instruction of @op and a script with the correct
 * answer. The case then makes the answer wrong. Returns the script's step.
 */
static struct step *begin_op(const struct op *op)
{
	unsigned int i;

	start();
	frame.rax = frame.rax << 16 >> 16;
	if (op->registers)
		op->registers();
	place_insn(TEXT, op->exit, op->bytes, op->length);
	expect_exit(op->code, op->info_1, op->info_2);
	if (op->sends)
		op->sends();
	for (i = 0; op->outputs[i]; i++)
		answers(op->outputs[i], 0x1000 + i);
	return current_step();
}

#define FOR_EACH_OP(op)	for (op = ops; op < ops + ARRAY_SIZE(ops); op++)

/*
 * The stub must accept the correct answer to each request. Otherwise the cases
 * below, which spoil these answers, could pass for a wrong reason.
 */
TEST(good_answers)
{
	const struct op *op;
	unsigned int vector;

	FOR_EACH_OP(op) {
		begin_op(op);
		vector = sev_es_vc(&frame);
		CHECK(!vector && host.at == 1 && !es.busy, "%s: vector %u",
		      op->name, vector);
	}
}

TEST(output_not_valid)
{
	const struct op *op;
	unsigned int i, field;
	struct step *step;

	FOR_EACH_OP(op) {
		for (i = 0; op->outputs[i]; i++) {
			step = begin_op(op);
			field = op->outputs[i];
			/*
			 * In this answer every field is marked as valid except
			 * for one that the instruction needs. The stub must
			 * terminate the guest.
			 */
			memset(step->answer + BITMAP, 0xff,
			       GHCB_VALID_BITMAP_SIZE);
			step->answer[BITMAP + field / 64] &=
				(u8)~(1 << field / 8 % 8);
			ENDS(END_REPLY);
		}
	}
}

TEST(no_answer)
{
	const struct op *op;
	struct step *step;
	unsigned int vector;

	FOR_EACH_OP(op) {
		step = begin_op(op);
		memcpy(step->answer, step->sent, PAGE_END);
		if (op->unanswered) {
			ENDS(op->unanswered);
			continue;
		}
		vector = sev_es_vc(&frame);
		CHECK(!vector, "%s: vector %u", op->name, vector);
	}
}

/*
 * SW_EXITINFO1 must be 0 (done) or 1 (exception). The stub must compare all 64
 * bits of it.
 */
TEST(unknown_results)
{
	const struct op *op;
	unsigned int i;

	FOR_EACH_OP(op) {
		for (i = 0; i <= 7; i++) {
			begin_op(op);
			result(2, i);
			ENDS(END_REPLY);
		}
		for (i = 3; i < 32; i++) {
			begin_op(op);
			result(i, GP_EVENT);
			ENDS(END_REPLY);
		}
		for (i = 1; i < 64; i++) {
			begin_op(op);
			result(1ULL << i, GP_EVENT);
			ENDS(END_REPLY);
			begin_op(op);
			result(1ULL << i | 1, GP_EVENT);
			ENDS(END_REPLY);
		}
	}
}

/* ---- exceptions that the hypervisor tells the guest to raise ---- */

TEST(every_request_can_be_refused)
{
	const struct op *op;

	FOR_EACH_OP(op) {
		begin_op(op);
		result(1, GP_EVENT);
		raises(13);
		begin_op(op);
		result(1, UD_EVENT);
		raises(6);
		begin_op(op);
		result(1, GP_EVENT | 0xffffffffULL << 32);
		raises(13);
		begin_op(op);
		result(1, 0);
		ENDS(END_INJECTION);
	}
}

/*
 * The hypervisor can also refuse each request by a #GP that it injects after
 * VMGEXIT. The stub must then ignore the reply, whatever it says.
 */
TEST(every_request_can_be_refused_by_injection)
{
	const struct op *op;

	FOR_EACH_OP(op) {
		begin_op(op);
		injects_gp();
		raises(13);
		begin_op(op);
		result(1, UD_EVENT);
		injects_gp();
		raises(13);
		begin_op(op);
		result(2, 5);
		injects_gp();
		raises(13);
	}
}

static void inject(u64 event, unsigned int vector)
{
	begin_op(&ops[1]);
	result(1, event);
	if (vector)
		raises(vector);
	else
		ENDS(END_INJECTION);
}

TEST(every_event)
{
	u64 event, vector, type, flags;

	for (vector = 0; vector < 256; vector++) {
		for (type = 0; type < 8; type++) {
			for (flags = 0; flags < 4; flags++) {
				event = vector | type << 8 |
					(flags & 1) << 11 |
					(flags & 2) << 30;
				inject(event, event == GP_EVENT || event == KVM_GP_EVENT ?
				       13 :
					      event == UD_EVENT ? 6 : 0);
			}
		}
	}
}

/*
 * Before the stub terminates the guest it must print one message. It must
 * abandon the running exchange first, because printing uses the GHCB page.
 */
TEST(said_before_the_end)
{
	said = 0;
	inject(0, 0);
	CHECK(said == 1, "%u lines", said);
	CHECK(!said_while_busy, "the exchange was still under way");
}

TEST(events_with_reserved_bits)
{
	unsigned int bit;

	for (bit = 12; bit < 31; bit++) {
		inject(GP_EVENT | 1ULL << bit, 0);
		inject(UD_EVENT | 1ULL << bit, 0);
	}
}

/* ---- requests without an instruction: console ---- */

TEST(console_requests)
{
	start();
	expect_exit(0x7b, 0x3f80010, 0);
	sends(RAX, 1);
	result(2, 5);
	EXPECT_OWN_END(sev_es_outb(1, 0x3f8), END_REPLY);

	start();
	expect_exit(0x7b, 0x3f80011, 0);
	result(1, 0x80000b0e);
	EXPECT_OWN_END(sev_es_inb(0x3f8), END_INJECTION);

	start();
	expect_exit(0x7b, 0x3f80e1c, 1);
	console_text[0] = 'x';
	sends_data("x", 1);
	result(1ULL << 32, 0);
	EXPECT_OWN_END(sev_es_outsb(0x3f8, console_text, 1), END_REPLY);
}

/*
 * The console must ignore a #GP, whether the hypervisor asks for it in the reply or injects
 * it.
 */
TEST(console_requests_refused)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		start();
		expect_exit(0x7b, 0x3f80010, 0);
		sends(RAX, 1);
		i ? injects_gp() : result(1, GP_EVENT);
		sev_es_outb(1, 0x3f8);
		expect_exit(0x7b, 0x3f80011, 0);
		answers(RAX, 0x60);
		i ? injects_gp() : result(1, GP_EVENT);
		CHECK(sev_es_inb(0x3f8) == 0xff, "a value");
		CHECK(host.at == host.count && !es.busy, "%u exchanges", host.at);
	}
}

/* ---- a GHCB page that changes while the stub reads it ---- */

/*
 * Simulates a hypervisor that changes the GHCB page all the time. After VMGEXIT
 * the test makes the page inaccessible. Each read raises SIGSEGV. The test then
 * opens the page for this one instruction, and overwrites the field that it has
 * read, so that a second read would see another value. The valid bitmap is not
 * overwritten, because the stub reads its bits one by one.
 */
static struct {
	unsigned int reads[PAGE_END / 8];
	/*
	 * Offset in the GHCB page of the field that the single-stepped
	 * instruction reads, and that is overwritten afterwards.
	 */
	u64 at;
	unsigned int accesses;
} watch;

static void guard_page(void)
{
	mprotect(&ghcb_page, PAGE_END, PROT_NONE);
}

static void on_access(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	watch.at = (u64)info->si_addr - (u64)&ghcb_page;
	if (watch.at >= PAGE_END) {
		signal(number, SIG_DFL);
		return;
	}
	mprotect(&ghcb_page, PAGE_END, PROT_READ | PROT_WRITE);
	CHECK(!(uc->uc_mcontext.gregs[REG_ERR] & 2),
	      "%#lx is written before the end", watch.at);
	CHECK(es.busy, "%#lx is read after the exchange", watch.at);
	uc->uc_mcontext.gregs[REG_EFL] |= 1 << 8;
}

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	u64 field = watch.at / 8;

	(void)number;
	(void)info;
	uc->uc_mcontext.gregs[REG_EFL] &= ~(1L << 8);
	watch.accesses++;
	if (watch.at < BITMAP) {
		watch.reads[field]++;
		CHECK(watch.reads[field] == 1, "%#lx is read again",
		      watch.at);
		memset((u8 *)&ghcb_page + field * 8, GARBAGE, 8);
	}
	guard_page();
}

static unsigned int raise_vc(void)
{
	return sev_es_vc(&frame);
}

static unsigned int console_input(void)
{
	return sev_es_inb(0x3fd);
}

/*
 * Calls @what and returns its result. From VMGEXIT on, the signal handlers on_access() and
 * on_step() intercept each access to the GHCB page and count it in @watch.
 */
static unsigned int watched(unsigned int (*what)(void))
{
	struct sigaction access = {
		.sa_sigaction = on_access, .sa_flags = SA_SIGINFO | SA_NODEFER
	}, step = {
		.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER
	}, old_access, old_step;
	unsigned int ret;

	memset(&watch, 0, sizeof(watch));
	before_resuming = guard_page;
	sigaction(SIGSEGV, &access, &old_access);
	sigaction(SIGTRAP, &step, &old_step);
	ret = what();
	sigaction(SIGSEGV, &old_access, NULL);
	sigaction(SIGTRAP, &old_step, NULL);
	mprotect(&ghcb_page, PAGE_END, PROT_READ | PROT_WRITE);
	return ret;
}

TEST(fields_are_read_once)
{
	unsigned int i, fields, seen = 0;
	const struct op *op;

	FOR_EACH_OP(op) {
		begin_op(op);
		CHECK(!watched(raise_vc), "%s", op->name);
		for (fields = 0; op->outputs[fields]; fields++)
			CHECK(watch.reads[op->outputs[fields] / 8] == 1,
			      "%s: %#x", op->name, op->outputs[fields]);
		CHECK(watch.reads[INFO_1 / 8] == 1, "%s", op->name);
		for (i = 0; i < BITMAP / 8; i++)
			fields -= watch.reads[i];
		CHECK(fields + 1 == 0, "%s reads more", op->name);
		seen += watch.accesses;

		begin_op(op);
		result(1, GP_EVENT);
		CHECK(watched(raise_vc) == 13, "%s", op->name);
		CHECK(watch.reads[INFO_1 / 8] == 1 &&
		      watch.reads[INFO_2 / 8] == 1 && watch.accesses == 2,
		      "%s: %u accesses", op->name, watch.accesses);

		begin_op(op);
		injects_gp();
		CHECK(watched(raise_vc) == 13 && !watch.accesses,
		      "%s: %u accesses", op->name, watch.accesses);
	}
	start();
	expect_exit(0x7b, 0x3fd0011, 0);
	answers(RAX, 0x60);
	CHECK(watched(console_input) == 0x60, "input");
	INFO("%u reads", seen);
}
