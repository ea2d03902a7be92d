/* SPDX-License-Identifier: MIT */
/*
 * test_idt.c - tests idt_64.c: the IDT gates and the TSS, read as the processor
 * reads them; and exception.c: what do_exception() does with each exception.
 * test_idt_handlers.c tests the assembly that calls do_exception().
 *
 * Variables replace the symbols that the stub's linker script defines, so that
 * a test can place the image at any address.
 */
#define _GNU_SOURCE
#include <sanitizer/asan_interface.h>

#define HARNESS_CPU
#define OWN_READ_CR2
#define OWN_READ_CR3
#define OWN_LOAD_IDT
#define OWN_LOAD_TR
#include "harness.h"
#include "watch_page.h"

static struct layout {
	const u8 *head, *rw, *df_guard, *guard, *stack_top;
} layout;

#define _image	(layout.head)
#define _data		(layout.rw)
#define double_fault_guard	(layout.df_guard)
#define stack_guard	(layout.guard)
#define stack_end	(layout.stack_top)
/*
 * idt_64.c declares the array exception_stubs. This macro makes it a pointer to
 * an array, so that a test can set its address.
 */
#define exception_stubs	(*stubs)

/* In the stub, linker.ld defines moved_idt. This test defines it as the start of moved_page. */
static u8 moved_page[PAGE_SIZE] __attribute__((aligned(4096)));
#define moved_idt	(*(struct idt *)moved_page)

#include "../../idt_64.c"
#include "../../exception.c"

const u8 (*stubs)[IDT_VECTORS][EXCEPTION_STUB_SIZE];
/* A page of its own, so that a test can watch stores to it. */
u64 gdt[PAGE_SIZE / sizeof(u64)] __attribute__((aligned(4096)));

/* ---- a record of the functions called, and of the printed text ---- */

static char trace[256];
static char said[2048];

static void did(const char *what)
{
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace), "%s%s",
		 trace[0] ? " " : "", what);
}

static struct {
	bool es, busy, guarded;
	unsigned int vc_vector;
	int fault_result;
	u64 cr2;
	/*
	 * Name of the fake function whose next call raises exception
	 * @raise_vector; NULL: no function raises an exception.
	 */
	const char *raise_in;
	u64 raise_vector;
	/*
	 * Written by the fake functions: the arguments that the stub passed to
	 * them.
	 */
	u64 fault_addr, fault_code;
	struct exception_frame *vc_frame;
	unsigned int reason;
	struct desc_ptr idtr;
	/* Copy of the IDT, made when LIDT was executed. */
	struct idt_gate gates[IDT_VECTORS];
	u16 tr;
	/* Copy of the TSS descriptor, made when LTR was executed. */
	u64 tss_slots[2];
	u8 tss[sizeof(struct tss)];
} fake;

static void called(const char *what)
{
	struct exception_frame nested = {
		.vector = fake.raise_vector, .cs = 0x10
	};

	did(what);
	if (!fake.raise_in || strcmp(fake.raise_in, what) != 0)
		return;
	fake.raise_in = NULL;
	do_exception(&nested, nested.vector);
	did("resumed");
}

u64 read_cr2(void)
{
	return fake.cr2;
}

u64 read_cr3(void)
{
	return 0x123456000;
}

void load_idt(const struct desc_ptr *ptr)
{
	did("lidt");
	fake.idtr = *ptr;
	memcpy(fake.gates, ((const struct idt *)ptr)->gates,
		       ptr->limit ? sizeof(fake.gates) : 0);
}

void load_tr(u16 selector)
{
	did("ltr");
	fake.tr = selector;
	memcpy(fake.tss_slots, &gdt[4], sizeof(fake.tss_slots));
	memcpy(fake.tss, &tss, sizeof(fake.tss));
}

void console_force(void)
{
	called("force");
}

void con_print_numbers(const char *fmt, u64 a, u64 b, u64 c, u64 d)
{
	size_t len = strlen(said);

	CHECK(strstr(trace, "force"), "printed before force: %s", fmt);
	if (!strstr(trace, "print"))
		called("print");
	snprintf(said + len, sizeof(said) - len, fmt, a, b, c, d);
}

int ident_map_fault(u64 addr, u64 error_code)
{
	did("fault");
	fake.fault_addr = addr;
	fake.fault_code = error_code;
	return fake.fault_result;
}

#define GUARD_PAGE	0x7654000UL

bool ident_map_is_guard(u64 addr)
{
	CHECK(may_map, "there is no map yet");
	return ALIGN_DOWN(addr, PAGE_SIZE) == GUARD_PAGE;
}

unsigned int sev_es_vc(struct exception_frame *f)
{
	did("vc");
	fake.vc_frame = f;
	return fake.vc_vector;
}

bool sev_es_busy(void)
{
	return fake.busy;
}

bool sev_es_active(void)
{
	return fake.es;
}

void sev_es_end_at_exception(void)
{
	called("ask");
}

void sev_es_last_words(void)
{
	fake.busy = false;
	called("abandon");
}

void terminate(unsigned int reason)
{
	did("terminate");
	fake.reason = reason;
	halt_forever();
}

/* ---- common parts of cases ---- */

static struct exception_frame frame, original;

static void fresh_at(bool stage2)
{
	memset(&fake, 0, sizeof(fake));
	trace[0] = '\0';
	said[0] = '\0';
	layout = (struct layout){ .head = (const u8 *)0x100000000 };
	may_map = stage2;
	reporting = false;
}

static void raise_at(bool stage2, u64 vector, u64 error_code)
{
	fresh_at(stage2);
	memset(&frame, 0xa5, sizeof(frame));
	frame.rip = 0x100001234;
	frame.cs = 0x10;
	frame.vector = vector;
	frame.error_code = error_code;
	original = frame;
}

/*
 * Fails the case unless do_exception() handles the exception: it must return,
 * leave @frame unchanged, print nothing, and call exactly the functions that
 * @doings lists.
 */
static void served(const char *doings)
{
	do_exception(&frame, frame.vector);
	CHECK(!memcmp(&frame, &original, sizeof(frame)), "the frame changed");
	CHECK(!strcmp(trace, doings), "done: %s", trace);
	CHECK(!said[0], "said: %s", said);
}

/*
 * Fails the case unless do_exception() reports the exception and then
 * terminates. It must call the functions that @doings lists, and @line must be
 * the first line of its report.
 */
static void reported(const char *doings, const char *line)
{
	EXPECT_HALT(do_exception(&frame, frame.vector));
	CHECK(!strcmp(trace, doings), "done: %s", trace);
	CHECK(!strncmp(said, line, strlen(line)) && said[strlen(line)] == '\n',
	      "said \"%s\" instead of \"%s\"", said, line);
	CHECK(fake.reason == SEVSTUB_TERM_EXCEPTION, "reason %u", fake.reason);
}

static void reported_as(const char *doings, const char *name, u64 vector,
			u64 error_code)
{
	char line[200];

	snprintf(line, sizeof(line),
		 "sevstub: unexpected exception: %s (vector %lu) error code 0x%lx at startup_32+0x1234",
		 name, vector, error_code);
	reported(doings, line);
}

/*
 * The manual's names of the exceptions (APM2 table 8-1). A vector without a
 * name is printed as its number.
 */
static const char *const vector_names[] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
	"#DF", "#09", "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
	"#MF", "#AC", "#MC", "#XF", "#20", "#CP", "#22", "#23",
	"#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
};

/* ---- tables ---- */

static bool in_data_section(const void *start, size_t size)
{
	extern char __data_start, edata;

	return (const char *)start >= &__data_start &&
	       (const char *)start + size <= &edata;
}

TEST(state_is_in_data)
{
	CHECK(in_data_section(&idt, sizeof(idt)), "idt");
	CHECK(in_data_section(&may_map, sizeof(may_map)),
	      "may_map");
	CHECK(in_data_section(&reporting, sizeof(reporting)), "reporting");
}

/*
 * Decodes an IDT gate as the processor does (APM2 4.8.4), and checks its
 * handler's address and its stack @ist.
 */
static void check_gate(unsigned int vector, u64 base, u8 ist)
{
	u8 gate[16];
	u64 low, high, handler;

	memcpy(gate, &fake.gates[vector], sizeof(gate));
	memcpy(&low, gate, sizeof(low));
	memcpy(&high, gate + 8, sizeof(high));
	handler = (low & 0xffff) | (low >> 32 & 0xffff0000) | high << 32;
	CHECK(handler == base + vector * 16, "vector %u: handler 0x%lx",
	      vector, handler);
	CHECK((low >> 16 & 0xffff) == 0x10, "vector %u: selector", vector);
	CHECK((low >> 32 & 0xff) == ist, "vector %u: IST", vector);
	/* 0x8e means: present, DPL 0, interrupt gate. */
	CHECK((low >> 40 & 0xff) == 0x8e, "vector %u: type", vector);
	CHECK(!(high >> 32), "vector %u: reserved", vector);
}

static void load_at(struct idt *table, u64 base)
{
	stubs = (const void *)base;
	memset(table, 0xff, sizeof(*table));
	idt_load_stage1(table);
}

TEST(gates)
{
	static const u64 bases[] = {
		0x1000000, 0x7fff0ff0, 0xfffffff0, 0x123456780,
		0x0000fedcba987650,
	};
	unsigned int i, vector;

	fresh_at(false);
	/*
	 * The stub's image is moved and another IDT is loaded. The gates must
	 * contain no part of an old address.
	 */
	for (i = 0; i < 2 * ARRAY_SIZE(bases); i++) {
		struct idt *table = i % 2 ? &moved_idt : &idt;

		load_at(table, bases[i / 2]);
		CHECK(fake.idtr.base == (u64)table->gates, "IDT at 0x%lx",
		      fake.idtr.base);
		CHECK(fake.idtr.limit == 32 * 16 - 1, "limit 0x%x",
		      fake.idtr.limit);
		for (vector = 0; vector < 32; vector++)
			check_gate(vector, bases[i / 2], 0);
	}
	CHECK(!may_map, "stage 2 already");
}

static unsigned int stores;

/* Called after each store to moved_page. Checks every gate whose present bit is set. */
static void check_gates(void)
{
	unsigned int vector;

	stores++;
	for (vector = 0; vector < IDT_VECTORS; vector++) {
		memcpy(fake.gates, moved_idt.gates, sizeof(fake.gates));
		if (moved_idt.gates[vector][0] >> 47 & 1)
			check_gate(vector, 0x0000fedcba987650, 0);
	}
}

/*
 * The hypervisor can stop the guest after any store, save the contents of a gate, and put
 * them back later. After each store a gate must therefore be absent or have its whole
 * address.
 */
TEST(gates_are_never_half)
{
	fresh_at(false);
	stubs = (const void *)0x0000fedcba987650;
	memset(moved_page, 0, PAGE_SIZE);
	stores = 0;
	watch_begin(moved_page, PROT_READ, NULL, check_gates);
	idt_load_stage1(&moved_idt);
	watch_end();
	CHECK(stores >= 64, "%u stores", stores);
}

/* The base address in the TSS descriptor @slots (APM2 4.8.3). */
static u64 tss_base(const u64 *slots)
{
	return (slots[0] >> 16 & 0xffffff) | (slots[0] >> 32 & 0xff000000) |
	       (slots[1] & 0xffffffff) << 32;
}

/* Called after each store to gdt. Checks the TSS descriptor if its present bit is set. */
static void check_descriptor(void)
{
	stores++;
	if (gdt[4] >> 47 & 1)
		CHECK(tss_base(&gdt[4]) == (u64)&tss, "base 0x%lx", tss_base(&gdt[4]));
}

/*
 * The hypervisor can stop the guest after any store, save the TSS descriptor, and put it back
 * before LTR. After each store the descriptor must therefore be absent, or have the whole
 * address of the TSS. The hypervisor can put old blocks of 16 bytes of the TSS back at any
 * time, so IST1, which is an address of 8 bytes at offset 0x24, must not be in two blocks.
 */
TEST(tss_is_never_half)
{
	fresh_at(false);
	memset(gdt, 0, GDT_SIZE);
	stores = 0;
	watch_begin(gdt, PROT_READ, NULL, check_descriptor);
	idt_load_stage2();
	watch_end();
	CHECK(stores >= 2, "%u stores", stores);
	CHECK(((u64)&tss + 0x24) / 16 == ((u64)&tss + 0x2b) / 16, "IST1 is in two blocks");
}

TEST(stage2_gates)
{
	unsigned int vector;

	fresh_at(false);
	load_at(&moved_idt, 0x123456780);
	idt_load_stage2();
	memcpy(fake.gates, moved_idt.gates, sizeof(fake.gates));
	for (vector = 0; vector < 32; vector++)
		check_gate(vector, 0x123456780, vector == 8 ? 1 : 0);
	CHECK(may_map, "still stage 1");
}

static u64 quad_at(const u8 *p)
{
	u64 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

TEST(stage2_tss)
{
	u64 base, stack = (u64)double_fault_stack;
	unsigned int i;

	fresh_at(false);
	memset(gdt, 0xee, GDT_SIZE);
	memset(&tss, 0, sizeof(tss));
	idt_load_stage2();

	CHECK(fake.tr == 0x20, "selector 0x%x", fake.tr);
	for (i = 0; i < GDT_SIZE / sizeof(gdt[0]); i++)
		CHECK((gdt[i] == 0xeeeeeeeeeeeeeeee) == (i != 4 && i != 5),
		      "slot %u: 0x%lx", i, gdt[i]);
	/*
	 * The base address in the TSS descriptor (APM2 4.8.3) must be that of
	 * the TSS.
	 */
	base = tss_base(fake.tss_slots);
	CHECK(base == (u64)&tss, "base 0x%lx", base);
	CHECK((fake.tss_slots[0] & 0xffff) == 0x67, "limit");
	CHECK((fake.tss_slots[0] >> 40 & 0xff) == 0x89, "type");
	CHECK(!(fake.tss_slots[0] >> 48 & 0xff), "limit above, flags");
	CHECK(!(fake.tss_slots[1] >> 32), "reserved");

	/*
	 * IST1, at offset 0x24 of a long-mode TSS (APM2 12.2.5, figure 12-8),
	 * must point to the top of the stack for double faults.
	 */
	CHECK(quad_at(fake.tss + 0x24) == stack + sizeof(double_fault_stack),
	      "IST1 0x%lx", quad_at(fake.tss + 0x24));
	CHECK(quad_at(fake.tss + 0x24) % 16 == 0, "unaligned stack");
	for (i = 0; i < 0x64; i += 4)
		CHECK(!memcmp(fake.tss + i, "\0\0\0\0", 4) ==
		      (i != 0x24 && i != 0x28), "TSS at 0x%x", i);
	CHECK(quad_at(fake.tss + 0x60) >> 48 == 0x68, "I/O map base");
}

TEST(teardown)
{
	fresh_at(true);
	idt_teardown();
	CHECK(!strcmp(trace, "lidt"), "done: %s", trace);
	CHECK(!fake.idtr.limit && !fake.idtr.base, "IDT 0x%lx, limit 0x%x",
	      fake.idtr.base, fake.idtr.limit);
}

/* ---- exceptions that are handled ---- */

TEST(page_fault_served)
{
	raise_at(true, X86_TRAP_PF, PF_WRITE);
	fake.cr2 = 0x123456789;
	served("fault");
	CHECK(fake.fault_addr == fake.cr2 && fake.fault_code == PF_WRITE,
	      "0x%lx, code 0x%lx", fake.fault_addr, fake.fault_code);
}

/*
 * In an SEV-ES guest the hypervisor can inject a page fault, and can change the saved
 * registers that the handler would restore. The stub must report the fault and terminate,
 * even if it could map the page.
 */
TEST(page_fault_in_sev_es)
{
	raise_at(true, X86_TRAP_PF, PF_WRITE);
	fake.cr2 = 0x123456789;
	fake.es = true;
	reported_as("ask abandon force print terminate", "#PF", 14, 0);
}

/*
 * do_exception() gets the vector in a register, and in the frame on the stack, where the
 * hypervisor can put an old vector back. It must go by the register. Otherwise it would
 * handle an injected exception as #VC.
 */
TEST(vector_on_the_stack)
{
	raise_at(true, X86_TRAP_VC, 0x72);
	EXPECT_HALT(do_exception(&frame, X86_TRAP_UD));
	CHECK(!strcmp(trace, "ask abandon force print terminate"), "done: %s", trace);
	raise_at(true, X86_TRAP_UD, 0);
	do_exception(&frame, X86_TRAP_VC);
	CHECK(!strcmp(trace, "vc"), "done: %s", trace);
}

TEST(page_fault_refused)
{
	raise_at(true, X86_TRAP_PF, PF_PRESENT);
	fake.fault_result = -EFAULT;
	reported_as("fault ask abandon force print terminate", "#PF", 14, 1);
	raise_at(true, X86_TRAP_PF, 0);
	fake.fault_result = -ENOMEM;
	reported_as("fault ask abandon force print terminate", "#PF", 14, 0);
}

/*
 * The loader's page tables are in use until the stub loads its own, so in that
 * first stage the stub cannot handle a page fault and must report it.
 */
TEST(page_fault_stage1)
{
	raise_at(false, X86_TRAP_PF, 0);
	reported_as("ask abandon force print terminate", "#PF", 14, 0);
}

TEST(page_fault_in_exchange)
{
	unsigned int stage;

	for (stage = 0; stage < 2; stage++) {
		raise_at(stage, X86_TRAP_PF, 0);
		fake.busy = true;
		EXPECT_HALT(do_exception(&frame, frame.vector));
		CHECK(!strcmp(trace, "terminate"), "done: %s", trace);
		CHECK(!said[0], "said: %s", said);
		CHECK(fake.reason == SEVSTUB_TERM_REENTRY, "reason %u",
		      fake.reason);
	}
}

TEST(vc_answered)
{
	unsigned int stage;

	for (stage = 0; stage < 2; stage++) {
		raise_at(stage, X86_TRAP_VC, 0x72);
		served("vc");
		CHECK(fake.vc_frame == &frame, "another frame");
	}
}

/*
 * The handler of #VC may find that the instruction must raise another exception. The stub
 * must report that exception. The error code of #VC is a VMEXIT code, so the report must
 * not show it as the error code of the other exception. The stub must not write to the frame:
 * the hypervisor can put another address in the place of the frame's address on the stack.
 */
TEST(vc_raises)
{
	struct exception_frame before;
	unsigned int vector;

	for (vector = 1; vector < 32; vector++) {
		raise_at(true, X86_TRAP_VC, 0x72);
		before = frame;
		fake.vc_vector = vector;
		reported_as("vc ask abandon force print terminate",
			    vector_names[vector], vector,
			    vector == X86_TRAP_VC ? 0x72 : 0);
		CHECK(!memcmp(&frame, &before, sizeof(frame)), "the frame has changed");
	}
}

/* ---- reports ---- */

TEST(names)
{
	unsigned int vector;

	for (vector = 0; vector < 32; vector++) {
		if (vector == X86_TRAP_VC || vector == X86_TRAP_PF)
			continue;
		raise_at(vector % 2, vector, vector * 0x1001UL);
		reported_as("ask abandon force print terminate", vector_names[vector],
			    vector, vector * 0x1001UL);
	}
	raise_at(true, 32, 0);
	reported_as("ask abandon force print terminate", "?", 32, 0);
	raise_at(true, ~0UL, 0);
	reported_as("ask abandon force print terminate", "?", ~0UL, 0);
}

/*
 * Gives each register a different value, to show which register the report
 * prints.
 */
static void fill_registers(void)
{
	unsigned int i;

	raise_at(false, X86_TRAP_GP, 0x18);
	for (i = 0; i < offsetof(struct exception_frame, vector); i += 8)
		*(u64 *)((u8 *)&frame + i) = 0x1111111100000000 + i / 8;
	frame.cs = 0x10;
	frame.rflags = 0x10002;
	frame.rsp = 0x1111111100000020;
	fake.cr2 = 0xfedcba9876543210;
}

TEST(report)
{
	static const char text[] =
		"sevstub: unexpected exception: #GP (vector 13) error code 0x18 at startup_32+0x1234\n"
		"  cs 10 rflags 10002 cr2 fedcba9876543210 cr3 0000000123456000\n"
		"  rax 111111110000000e rbx 111111110000000b rcx 111111110000000d rdx 111111110000000c\n"
		"  rsi 1111111100000009 rdi 1111111100000008 rbp 111111110000000a rsp 1111111100000020\n"
		"  r8  1111111100000007 r9  1111111100000006 r10 1111111100000005 r11 1111111100000004\n"
		"  r12 1111111100000003 r13 1111111100000002 r14 1111111100000001 r15 1111111100000000\n";

	fill_registers();
	EXPECT_HALT(do_exception(&frame, frame.vector));
	CHECK(!strcmp(said, text), "said:\n%s", said);
}

/*
 * In an SEV-ES guest the hypervisor reads the console, so the report of an
 * exception must not show registers or the stack.
 */
TEST(report_sev_es)
{
	static const u64 on_stack[] = { 1, 2, 3, 4 };

	fill_registers();
	fake.es = true;
	layout.rw = (const u8 *)on_stack;
	layout.stack_top = (const u8 *)on_stack + sizeof(on_stack);
	frame.rsp = (u64)on_stack;
	reported("ask abandon force print terminate",
		 "sevstub: unexpected exception: #GP (vector 13) error code 0x0 at startup_32+0x1234");
	CHECK(strchr(said, '\n')[1] == '\0', "said:\n%s", said);
}

/*
 * The hypervisor has put other private memory into the frame of the exception. The
 * report must not print it.
 */
TEST(report_of_a_changed_frame)
{
	raise_at(true, 0x123456789abcdef3, 0x5ec2e75ec2e7);
	fake.es = true;
	frame.rip = 0x5ec2e75ec2e75ec2;
	reported("ask abandon force print terminate",
		 "sevstub: unexpected exception: #XF (vector 19) error code 0x0 at startup_32+0x0");
}

/*
 * An exception occurs while the stub prints a report, and the stub cannot
 * handle it. The stub must terminate without another report, because that
 * report could fail in the same way forever.
 */
TEST(report_raises)
{
	static const char *const places[] = { "abandon", "force", "print" };
	static const u64 vectors[] = { 0, X86_TRAP_DF, X86_TRAP_GP,
				       X86_TRAP_PF, X86_TRAP_VC };
	static const char *const doings[] = {
		"ask abandon %sask terminate", "ask abandon force %sask terminate",
		"ask abandon force print %sask terminate",
	};
	char expected[80];
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (k = 0; k < ARRAY_SIZE(vectors); k++) {
			raise_at(true, X86_TRAP_UD, 0);
			fake.raise_in = places[i];
			fake.raise_vector = vectors[k];
			fake.vc_vector = X86_TRAP_GP;
			fake.fault_result = -EFAULT;
			snprintf(expected, sizeof(expected), doings[i],
				 vectors[k] == X86_TRAP_PF ? "fault " :
				 vectors[k] == X86_TRAP_VC ? "vc " : "");
			EXPECT_HALT(do_exception(&frame, frame.vector));
			CHECK(!strcmp(trace, expected),
			      "done: %s instead of %s", trace, expected);
			CHECK(!said[0], "said: %s", said);
			CHECK(fake.reason == SEVSTUB_TERM_EXCEPTION,
			      "reason %u", fake.reason);
		}
	}
}

/*
 * An exception occurs while the stub prints a report. The stub can handle it,
 * so it must do so and finish the report.
 */
TEST(report_goes_on)
{
	static const struct {
		u64 vector;
		const char *doings;
	} cases[] = {
		{ X86_TRAP_PF, "ask abandon force print fault resumed terminate" },
		{ X86_TRAP_VC, "ask abandon force print vc resumed terminate" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		raise_at(true, X86_TRAP_UD, 0);
		fake.raise_in = "print";
		fake.raise_vector = cases[i].vector;
		reported_as(cases[i].doings, "#UD", 6, 0);
	}
}

/*
 * The exception occurred while the stub was using the GHCB page for a request.
 * The report must abandon that request, because printing needs the GHCB page.
 */
TEST(report_in_exchange)
{
	raise_at(true, X86_TRAP_GP, 0);
	fake.busy = true;
	reported_as("ask abandon force print terminate", "#GP", 13, 0);
	CHECK(!fake.busy, "not given up");
}

TEST(stack_overflow)
{
	static const u64 inside[] = { GUARD_PAGE, GUARD_PAGE + 0xff8,
				      GUARD_PAGE + 0xfff };
	static const u64 outside[] = { 0, GUARD_PAGE - 1, GUARD_PAGE + 0x1000 };
	char line[120];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inside); i++) {
		raise_at(true, X86_TRAP_DF, 0);
		fake.cr2 = inside[i];
		snprintf(line, sizeof(line),
			 "sevstub: stack overflow: the guard page was hit at 0x%lx by startup_32+0x1234",
			 inside[i]);
		reported("ask abandon force print terminate", line);
	}
	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		raise_at(true, X86_TRAP_DF, 0);
		fake.cr2 = outside[i];
		reported_as("ask abandon force print terminate", "#DF", 8, 0);
	}
	/*
	 * The hypervisor injects #DF without an error code. The frame is then
	 * shifted by 8 bytes, and its CS is the interrupted code's RFLAGS. The
	 * stub must not report this #DF as a stack overflow.
	 */
	raise_at(true, X86_TRAP_DF, 0);
	frame.cs = 2;
	fake.cr2 = inside[0];
	reported_as("ask abandon force print terminate", "#DF", 8, 0);
	/*
	 * Until the stub loads its own page tables, the stack's guard page is
	 * mapped. A double fault must not be reported as a stack overflow then,
	 * even if CR2 is in the guard page.
	 */
	raise_at(false, X86_TRAP_DF, 0);
	fake.cr2 = GUARD_PAGE;
	reported_as("ask abandon force print terminate", "#DF", 8, 0);
	/*
	 * A page fault on the guard page must not be reported as a stack
	 * overflow. Only a double fault shows that the stack is unusable.
	 */
	raise_at(true, X86_TRAP_PF, 0);
	fake.cr2 = GUARD_PAGE;
	fake.fault_result = -EFAULT;
	reported_as("fault ask abandon force print terminate", "#PF", 14, 0);
}

/*
 * The frame has a CS that is not the stub's. All of the stub's code runs with
 * CS = BOOT_CS, so the hypervisor must have caused the exception. The stub must
 * report it, even if the stub can handle this vector.
 */
TEST(another_cs)
{
	static const unsigned int vectors[] = {
		X86_TRAP_NMI, X86_TRAP_VC, X86_TRAP_PF, X86_TRAP_GP,
	};
	static const u64 selectors[] = { 0, 0x08, 0x11, 0x13, 0x18, 0x33 };
	unsigned int i, s;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		for (s = 0; s < ARRAY_SIZE(selectors); s++) {
			raise_at(true, vectors[i], 0);
			frame.cs = selectors[s];
			EXPECT_HALT(do_exception(&frame, frame.vector));
			CHECK(!strcmp(trace, "ask abandon force print terminate"),
			      "CS 0x%lx: %s", selectors[s], trace);
		}
	}
}

/* ---- the stack in reports ---- */

/*
 * The stack pointer is below, in or above one of the two guard pages. The
 * report prints stack words, but must not read guard pages, because reading
 * them faults.
 */
TEST(stack_dump_without_guard)
{
	static u64 words[5 * PAGE_SIZE / 8] __attribute__((aligned(4096)));
	static const struct {
		u64 at;
		unsigned int shown;
	} cases[] = {
		{ PAGE_SIZE - 16, 2 }, { PAGE_SIZE, 0 }, { PAGE_SIZE + 8, 0 },
		{ 2 * PAGE_SIZE - 8, 0 }, { 2 * PAGE_SIZE, 8 },
		{ 3 * PAGE_SIZE - 16, 2 }, { 3 * PAGE_SIZE, 0 },
		{ 4 * PAGE_SIZE - 8, 0 }, { 4 * PAGE_SIZE, 8 },
	};
	unsigned int i, spaces;
	char *line;

	ASAN_POISON_MEMORY_REGION((u8 *)words + PAGE_SIZE, PAGE_SIZE);
	ASAN_POISON_MEMORY_REGION((u8 *)words + 3 * PAGE_SIZE, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		raise_at(true, X86_TRAP_DF, 0);
		layout.rw = (const u8 *)words;
		layout.guard = layout.rw + PAGE_SIZE;
		layout.df_guard = layout.rw + 3 * PAGE_SIZE;
		layout.stack_top = layout.rw + sizeof(words);
		frame.rsp = (u64)words + cases[i].at;
		EXPECT_HALT(do_exception(&frame, frame.vector));
		line = strstr(said, "\n  stack");
		CHECK(!line == !cases[i].shown, "0x%lx: %s", cases[i].at, said);
		for (spaces = 0; line && *line; line++)
			spaces += *line == ' ';
		CHECK(!cases[i].shown || spaces == 2 + cases[i].shown,
		      "0x%lx: %s", cases[i].at, said);
	}
	ASAN_UNPOISON_MEMORY_REGION(words, sizeof(words));
	layout.guard = NULL;
	layout.df_guard = NULL;
}

#define DATA_WORDS	20

static u64 memory[4 + DATA_WORDS + 4];

/*
 * Returns the number of stack words in the report of an exception with RSP at
 * _data + @offset bytes.
 */
static unsigned int words_shown(s64 offset)
{
	char *line, word[20];
	unsigned int n = 0;
	u64 start = (u64)&memory[4];

	raise_at(false, X86_TRAP_UD, 0);
	layout.rw = (const u8 *)start;
	layout.stack_top = (const u8 *)&memory[4 + DATA_WORDS];
	frame.rsp = start + (u64)offset;
	EXPECT_HALT(do_exception(&frame, frame.vector));

	line = strstr(said, "\n  stack");
	if (!line)
		return 0;
	line += strlen("\n  stack");
	for (; *line != '\n'; n++, line += strlen(word)) {
		snprintf(word, sizeof(word), " %016lx",
			 0xabcd000000000000 + (u64)offset / 8 + n);
		CHECK(!strncmp(line, word, strlen(word)), "word %u: %s", n,
		      line);
	}
	CHECK(!line[1], "more: %s", line);
	CHECK(n, "an empty line");
	return n;
}

TEST(stack_dump)
{
	const s64 size = DATA_WORDS * 8;
	unsigned int i, n;
	s64 offset;

	for (i = 0; i < DATA_WORDS; i++)
		memory[4 + i] = 0xabcd000000000000 + i;
	ASAN_POISON_MEMORY_REGION(memory, 4 * 8);
	ASAN_POISON_MEMORY_REGION(memory + 4 + DATA_WORDS, 4 * 8);

	for (offset = -16; offset <= size + 16; offset++) {
		u64 left = (u64)(size - offset) / 8;
		u64 expected = left < 8 ? left : 8;

		if (offset % 8 || offset < 0 || offset >= size)
			expected = 0;
		n = words_shown(offset);
		CHECK(n == expected, "%u words at %ld", n, offset);
	}
	/*
	 * RSP is far outside of the stub's data. The report must show no stack
	 * words.
	 */
	CHECK(!words_shown(-(s64)&memory[4]), "a stack at 0");
	CHECK(!words_shown(-(s64)&memory[4] - 8), "a stack at the very top");
	CHECK(!words_shown(INT64_MIN), "a stack at no address");
	ASAN_UNPOISON_MEMORY_REGION(memory, sizeof(memory));
}
