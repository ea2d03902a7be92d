/* SPDX-License-Identifier: MIT */
/*
 * scripted_host.h - a fake hypervisor (the host) for the tests of sev-es.c,
 * sev-cpuid.c and sev-vc.c, and the guest's memory, page tables and exception frame of a #VC.
 *
 * A case writes a script: the requests that it expects from the stub, and the
 * host's answer to each. For example, the emulation of RDTSC:
 *
 *	start();
 *	INSN(SVM_EXIT_RDTSC, "\x0f\x31");
 *	expect_exit(SVM_EXIT_RDTSC, 0, 0);
 *	answers(RAX, 1);
 *	answers(RDX, 2);
 *	want.rax = 1;
 *	want.rdx = 2;
 *	run();
 *
 * Each vmgexit() of the stub takes the next step of the script. The case fails
 * if the GHCB MSR or any byte of the GHCB page differs from the step's request.
 * Bytes of the answered GHCB page that the script does not set are GARBAGE. A
 * case therefore fails if the stub uses a field that the host did not mark as
 * valid.
 * run() and raises() compare every register with @want after the instruction.
 *
 * Offsets in the GHCB page are from the GHCB specification's table instead of
 * the stub's headers, so that an error in struct ghcb is found.
 *
 * A program that defines OWN_CPUID must define ask_cpuid(), which stands for the CPUID
 * instruction.
 */
#ifndef SCRIPTED_HOST_H
#define SCRIPTED_HOST_H

#include <sys/mman.h>

#define HARNESS_CPU
#define OWN_RDMSR
#define OWN_WRMSR
#define OWN_READ_CR2
#define OWN_WRITE_CR2
#define OWN_XMM15
#define OWN_READ_CR3
#define OWN_READ_CR4
#define OWN_INVLPG
#define OWN_WRITE_CR3
/*
 * Size of the buffer console_text. The stub's buffer has 128 bytes. This one is larger
 * than the GHCB page's buffer, so that a case can print a text that takes several
 * requests.
 */
#define CONSOLE_TEXT_SIZE	8192
#include "harness.h"

/* In the stub, lib/console.c defines console_text. */
char console_text[CONSOLE_TEXT_SIZE];

static int spied_set_decrypted(u64 addr);
static int spied_set_encrypted(u64 addr);
static int spied_flush(u64 addr);
static int spied_set_flushed(u64 addr);
static const u8 *image_start;

/* In the stub, sev-head_64.S defines sev_guest. */
in_data struct sev_guest sev_guest;

#include "image.h"

/* Memory for the stub's page tables. In the stub, linker.ld reserves this memory. */
#define POOL_PAGES	64
static u8 pool[POOL_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
/* The page of @pool that ident_map_64.c uses as the top page table of four-level paging. */
static maybe_unused u8 *const four_level_top = pool + PAGE_SIZE;
#define page_table_pool		pool
#define page_table_pool_end	(pool + sizeof(pool))

/*
 * ident_map_64.c changes the C-bit of the page shared_page only, and maps only
 * addresses from DEVICE_START to DEVICE_END as a device. In the stub these are
 * constants: the GHCB page and VGA memory. Here a case chooses the page, and any
 * address may be a device's. Page 0, too, may be mapped here.
 */
static u64 shared_now, lowest_mapped;
#define shared_page		shared_now
#define LOWEST_MAPPED		lowest_mapped
#define DEVICE_START		0UL
#define DEVICE_END		~0UL
#include "lib/e820.c"
#include "ident_map_64.c"
/*
 * The first page of each array is a guard page of the stub. The other pages of the array are
 * ordinary pages, so that the two guard pages are not next to each other.
 */
const u8 stack_guard[4 * PAGE_SIZE] __attribute__((aligned(4096)));
const u8 double_fault_guard[4 * PAGE_SIZE] __attribute__((aligned(4096)));
#include "insn.c"

/*
 * The stub's handlers let INS and OUTS access only memory in this range. The range is
 * empty in the stub, because an SEV-ES guest's stub executes no INS or OUTS while the GHCB
 * page is shared. start() makes the range all memory, so that the handlers can be tested.
 */
static u64 io_start, io_end;
#define string_io_start	io_start
#define string_io_end	io_end

/*
 * The stub's #VC handler emulates an instruction only if the instruction lies in this range.
 * In the stub the range is empty, because the stub executes no instruction that raises #VC
 * while the GHCB page is shared. A #VC at that time can only come from the host. start() sets
 * the range to all addresses, so that the handler can be tested.
 */
static u64 emulated_first, emulated_behind;
#define emulated_start	emulated_first
#define emulated_end	emulated_behind

/* The bounds of the memory that the stub takes for its .text. set_text() sets the bounds. */
static u64 text_start, text_end;

#define _image		image_start
#define _text		text_start
#define _etext		text_end
/*
 * For cpuid_natively(), which replaces cpuid_count() in sev-es.c. @max and @sev are the
 * results of CPUID for leaf 0x80000000 and for any other leaf. The case fails if the
 * stub uses another sub-leaf than @subleaf, because the stub's #VC handlers recognise
 * this CPUID by its sub-leaf. @asked counts the calls.
 */
static struct {
	struct cpuid_regs max, sev;
	u32 subleaf;
	unsigned int asked;
} natively;

static struct cpuid_regs cpuid_natively(u32 leaf, u32 subleaf)
{
	CHECK(subleaf == natively.subleaf, "sub-leaf %#x", subleaf);
	natively.asked++;
	return leaf == 0x80000000 ? natively.max : natively.sev;
}
#define cpuid_count	cpuid_natively
#define ident_map_set_decrypted	spied_set_decrypted
#define ident_map_set_encrypted	spied_set_encrypted
#define ident_map_flush		spied_flush
#define ident_map_set_flushed	spied_set_flushed
#include "sev-es.c"
#include "sev-snp.c"
#include "sev-cpuid.c"
#include "sev-vc.c"
#undef _image
#undef _text
#undef _etext
#undef ident_map_set_decrypted
#undef ident_map_set_encrypted
#undef ident_map_flush
#undef ident_map_set_flushed

/*
 * A fake of the console. @said counts calls of info() and con_printf(), so that a case sees
 * whether the stub printed a reason before it terminated the guest.
 * @said_while_busy is true if the GHCB page was in use during the last call.
 */
static unsigned int said;
static bool said_while_busy;

void con_print_numbers(const char *fmt, u64 a, u64 b, u64 c, u64 d)
{
	(void)fmt, (void)a, (void)b, (void)c, (void)d;
	said++;
	said_while_busy = es.busy;
}

bool info_wanted(void)
{
	return true;
}

/* Offsets of fields in the GHCB page, in bytes (GHCB 2.3.2). */
enum field {
	CPL = 0x0cb, XSS = 0x140, RAX = 0x1f8, RCX = 0x308, RDX = 0x310,
	RBX = 0x318, CODE = 0x390, INFO_1 = 0x398, INFO_2 = 0x3a0,
	SCRATCH = 0x3a8, XCR0 = 0x3e8, BITMAP = 0x3f0, BUFFER = 0x800,
	VERSION = 0xffa, USAGE = 0xffc, PAGE_END = 0x1000,
};

/* Size of the GHCB page's shared buffer, in bytes. */
#define BUFFER_SIZE	2032

/* ---- the script ---- */

/*
 * One step of the script: a request of the guest by VMGEXIT and the host's
 * answer. expect_exit() and expect_msr() write it. sends(), answers() and
 * result() add to it.
 */
struct step {
	/*
	 * true: the exchange uses the GHCB MSR protocol, so @request and @reply
	 * are used. false: it uses the GHCB page, so @sent and @answer are
	 * used.
	 */
	bool by_msr;
	/* true: the host does not reply, so the GHCB MSR keeps the request. */
	bool ignored;
	/* Values of the GHCB MSR. */
	u64 request, reply;
	/*
	 * @sent is the whole GHCB page as the guest must send it. @answer is
	 * the whole page as the host returns it.
	 */
	u8 sent[PAGE_END];
	u8 answer[PAGE_END];
	/*
	 * If not NULL, vmgexit() calls this after it has compared the guest's
	 * request and before the host answers.
	 */
	void (*meanwhile)(void);
	/* true: the host injects #GP at the instruction after VMGEXIT. */
	bool injects_gp;
};

/* Largest number of steps in a script. */
#define STEPS_MAX	64
/* Value of every byte of an answer that the script does not set. */
#define GARBAGE		0xee

/*
 * State of the fake host. start_stage1() clears it. A case then sets the fields
 * that it needs.
 */
static struct {
	struct step steps[STEPS_MAX];
	/*
	 * @count is the number of steps in the script. @at is the number of
	 * steps that the guest has taken.
	 */
	unsigned int count, at;
	/* Value of the GHCB MSR, 0xc0010130. */
	u64 msr;
	/*
	 * Value of the SEV_STATUS MSR, 0xc0010131. If has_sev_status is false,
	 * a read by the stub fails the case, because RDMSR raises #GP on a
	 * processor without SEV.
	 */
	u64 sev_status;
	bool has_sev_status;
	/*
	 * Values of the FS_BASE and GS_BASE MSRs, which the stub reads to
	 * emulate an instruction with an FS or GS prefix.
	 */
	u64 fs_base, gs_base;
	u64 cr3, cr4;
	/* true: EXPECT_END() expects that the stub terminates the guest. */
	bool ending;
	/*
	 * Number of termination requests that the host still ignores. The guest
	 * then continues after VMGEXIT.
	 */
	unsigned int deaf;
	/*
	 * Where the test continues when the stub requests termination: in EXPECT_END().
	 */
	jmp_buf end;
	/*
	 * Value that the guest wrote to the GHCB MSR to request termination. 0:
	 * it has not requested termination.
	 */
	u64 last_words;
	/* How often the stub called load_cr3_proven(). */
	unsigned int proven;
	/*
	 * An error to inject. If not 0, the functions of ident_map_64.c that change the
	 * C-bit of the GHCB page return this number to sev-es.c.
	 */
	int map_result;
	/*
	 * What happened to the GHCB page, in order, as words. "share": the page
	 * became shared. "hide": it became private. "flush": its cache lines were
	 * flushed. The word before "share" or "hide" is "zero" if all bytes of
	 * the page were 0 before the change, otherwise "dirty". A write of 0 to
	 * the GHCB MSR adds "dirty" if the page then has a byte GARBAGE,
	 * otherwise "zero".
	 */
	char trace[128];
} host;

/*
 * EXPECT_END(stmt, set, code): fails the case unless @stmt takes all steps of
 * the script and then requests termination of the guest, with reason set @set
 * and reason code @code (GHCB 2.3.1, request 0x100).
 */
#define EXPECT_END(stmt, set, code)					\
	do {								\
		if (!setjmp(host.end)) {				\
			host.ending = true;				\
			stmt;						\
			host.ending = false;				\
			harness_fail(__FILE__, __LINE__, #stmt,		\
				     "no termination with reason %u.%u", \
				     set, code);			\
		}							\
		host.ending = false;					\
		CHECK(host.last_words == (0x100 | (u64)(set) << 12 |	\
					  (u64)(code) << 16),		\
		      "terminated with %#lx instead of reason %u.%u",	\
		      host.last_words, set, code);			\
		CHECK(host.at == host.count,				\
		      "terminated after %u of %u exchanges",		\
		      host.at, host.count);				\
	} while (0)

/*
 * Fails the case unless @stmt terminates the guest with reason @code of set 2,
 * the stub's own reasons.
 */
#define EXPECT_OWN_END(stmt, code)	EXPECT_END(stmt, 2U, (unsigned int)code)

/*
 * Writes the low @size bytes of @value at offset @at of the GHCB page @page.
 * Does not mark the field as valid.
 */
static void put(u8 *page, unsigned int at, u64 value, unsigned int size)
{
	memcpy(page + at, &value, size);
}

/* Reads 8 bytes at offset @at of the GHCB page @page. */
static u64 get(const u8 *page, unsigned int at)
{
	u64 value;

	memcpy(&value, page + at, sizeof(value));
	return value;
}

/*
 * Writes a field of the GHCB page @page and sets the field's bit in the valid
 * bitmap. CPL has 1 byte, each other field has 8.
 */
static void set_field(u8 *page, enum field field, u64 value)
{
	put(page, field, value, field == CPL ? 1 : 8);
	page[BITMAP + field / 64] |= 1 << field / 8 % 8;
}

/* Appends an empty step to the script. */
static struct step *new_step(void)
{
	struct step *step = &host.steps[host.count];

	CHECK(host.count < STEPS_MAX, "script too long");
	host.count++;
	memset(step, 0, sizeof(*step));
	return step;
}

/* The last step of the script, which sends(), answers() and result() change. */
static struct step *current_step(void)
{
	return &host.steps[host.count - 1];
}

/*
 * Appends an exchange by the GHCB page to the script. The guest must send exit
 * code @code and these values of SW_EXITINFO1 and SW_EXITINFO2. It may send no
 * further valid fields except those of sends(). The host returns "done" (0 in
 * SW_EXITINFO1 and SW_EXITINFO2) unless result() is called. The host marks no
 * field as valid except those of answers().
 */
static maybe_unused void expect_exit(u64 code, u64 info_1, u64 info_2)
{
	struct step *step = new_step();

	put(step->sent, VERSION, es.version, 2);
	set_field(step->sent, CODE, code);
	set_field(step->sent, INFO_1, info_1);
	set_field(step->sent, INFO_2, info_2);
	memset(step->answer, GARBAGE, sizeof(step->answer));
	memset(step->answer + BITMAP, 0, GHCB_VALID_BITMAP_SIZE);
	put(step->answer, INFO_1, 0, 8);
	put(step->answer, INFO_2, 0, 8);
}

/*
 * In the script's last exchange, the guest must also send @value in @field,
 * marked as valid.
 */
static maybe_unused void sends(enum field field, u64 value)
{
	set_field(current_step()->sent, field, value);
}

/*
 * In the script's last exchange, the guest must also send the address of the
 * GHCB page's own buffer in SW_SCRATCH.
 */
static maybe_unused void sends_scratch(void)
{
	sends(SCRATCH, (u64)&ghcb_page + BUFFER);
}

/*
 * In the script's last exchange, the guest must also send @size bytes of @data
 * in the GHCB page's buffer, and the buffer's address in SW_SCRATCH.
 */
static maybe_unused void sends_data(const void *data, size_t size)
{
	sends_scratch();
	memcpy(current_step()->sent + BUFFER, data, size);
}

/*
 * In the script's last exchange, the host returns @value in @field, marked as
 * valid.
 */
static maybe_unused void answers(enum field field, u64 value)
{
	set_field(current_step()->answer, field, value);
}

/*
 * In the script's last exchange, the host returns @size bytes of @data in the
 * GHCB page's buffer.
 */
static maybe_unused void answers_data(const void *data, size_t size)
{
	memcpy(current_step()->answer + BUFFER, data, size);
}

/*
 * In the script's last exchange, the host returns these values of SW_EXITINFO1
 * and SW_EXITINFO2 instead of "done". They are an error code, or an exception
 * that the guest must raise (GHCB 4.1).
 */
static maybe_unused void result(u64 info_1, u64 info_2)
{
	put(current_step()->answer, INFO_1, info_1, 8);
	put(current_step()->answer, INFO_2, info_2, 8);
}

/*
 * In the script's last exchange, vmgexit() calls @hook after it has compared the
 * guest's request and before the host answers. @hook can call the stub's #VC
 * handler, as if the host injected #VC at this time.
 */
static maybe_unused void meanwhile(void (*hook)(void))
{
	current_step()->meanwhile = hook;
}

/*
 * In the script's last exchange, the host injects #GP after VMGEXIT, as KVM does for
 * RDPMC. The host answers in the GHCB page all the same.
 */
static maybe_unused void injects_gp(void)
{
	current_step()->injects_gp = true;
}

/*
 * Appends an exchange by the GHCB MSR protocol to the script. The guest must
 * write @request to the GHCB MSR. The host replaces it by @reply.
 */
static maybe_unused void expect_msr(u64 request, u64 reply)
{
	struct step *step = new_step();

	step->by_msr = true;
	step->request = request;
	step->reply = reply;
}

/* ---- the processor ---- */

/* RDMSR. The stub may read only these registers: any other fails the case. */
u64 rdmsr(u32 msr)
{
	switch (msr) {
	case 0xc0010130:
		return host.msr;
	case 0xc0010131:
		CHECK(host.has_sev_status, "SEV_STATUS is read without SEV");
		return host.sev_status;
	case 0xc0000080:
		return 0xd00;		/* EFER: long mode, and NXE */
	case 0xc0000100:
		return host.fs_base;
	case 0xc0000101:
		return host.gs_base;
	}
	HARNESS_REFUSE("%#x", msr);
}

/*
 * WRMSR. The stub may write only the GHCB MSR: any other register fails the case. The
 * stub writes 0 when it stops using the GHCB page. host.trace then records whether the
 * page still holds bytes of an exchange.
 */
void wrmsr(u32 msr, u64 value)
{
	CHECK(msr == 0xc0010130, "%#x, %#lx", msr, value);
	host.msr = value;
	if (!value)
		strcat(host.trace, memchr(&ghcb_page, GARBAGE, PAGE_END) ?
				   "dirty" : "zero");
}

/*
 * ask_cpuid() is the stub's only function that executes a CPUID for which a #VC is
 * expected. No case expects a call of it, so this fake fails the case. A test program
 * that calls ask_cpuid() defines OWN_CPUID and its own fake.
 */
#ifndef OWN_CPUID
bool ask_cpuid(u32 leaf, struct cpuid_regs *regs)
{
	HARNESS_REFUSE("leaf %#x for %p", leaf, (void *)regs);
}
#endif

#include "map_registers.h"

u64 read_cr3(void)
{
	return host.cr3;
}

u64 read_cr4(void)
{
	return host.cr4;
}

void write_cr3(u64 value)
{
	host.cr3 = value;
}

void invlpg(u64 addr)
{
	(void)addr;
}

/*
 * In the stub, load_cr3_proven() is assembly: it proves that the page tables
 * are encrypted, then loads them. Here it records that the stub called it.
 */
void load_cr3_proven(u64 cr3, bool first)
{
	host.cr3 = cr3;
	CHECK(first == !host.proven, "first %u", first);
	host.proven++;
}

/*
 * The guest requests termination. Outside of EXPECT_END() this fails the case.
 * While host.deaf is not 0, the host ignores the request and the guest
 * continues. The guest must then repeat the same request.
 */
static void end_of_guest(void)
{
	if (!host.ending)
		harness_fail("vmgexit()", 0, "termination", "set %lu code %lu",
			     host.msr >> 12 & 15, host.msr >> 16);
	if (host.deaf) {
		CHECK(!host.last_words || host.last_words == host.msr,
		      "request %#lx after %#lx", host.msr, host.last_words);
		host.last_words = host.msr;
		host.deaf--;
		return;
	}
	host.last_words = host.msr;
	longjmp(host.end, 1);
}

/*
 * Compares the GHCB MSR with the step's request and writes the step's reply to
 * it.
 */
static void exchange_by_msr(const struct step *step)
{
	CHECK(host.msr == step->request, "step %u: %#lx instead of %#lx",
	      host.at - 1, host.msr, step->request);
	if (!step->ignored)
		host.msr = step->reply;
}

/*
 * Compares the GHCB page with the page that the step expects, and replaces its
 * contents with the step's answer.
 */
static void exchange_by_page(const struct step *step)
{
	const u8 *page = (const u8 *)&ghcb_page;
	unsigned int i;

	CHECK(host.msr == (u64)&ghcb_page, "step %u: MSR %#lx", host.at - 1,
	      host.msr);
	for (i = 0; memcmp(page, step->sent, PAGE_END) && i < PAGE_END; i++)
		CHECK(page[i] == step->sent[i],
		      "step %u: quadword %#x is %#lx instead of %#lx",
		      host.at - 1, i & ~7U, get(page, i & ~7U),
		      get(step->sent, i & ~7U));
	if (step->meanwhile)
		step->meanwhile();
	memcpy(&ghcb_page, step->answer, PAGE_END);
}

/*
 * If not NULL, vmgexit() calls this after each answer of the host, before the
 * guest continues.
 */
static void (*before_resuming)(void);

/*
 * If not NULL, vmgexit() calls this instead of taking a step of the script. A fuzzer sets
 * this to a function that answers each request as the fuzzer's input says.
 */
static void (*answer_freely)(void);

/*
 * VMGEXIT: the guest's next exchange with the host. The case fails if the
 * script has no further step, unless the guest requests termination (0x100).
 */
void vmgexit(void)
{
	const struct step *step = &host.steps[host.at];

	if ((host.msr & 0xfff) == 0x100) {
		end_of_guest();
		return;
	}
	if (answer_freely) {
		answer_freely();
		return;
	}
	CHECK(host.at < host.count, "unexpected request %#lx, exit %#lx",
	      host.msr, get((u8 *)&ghcb_page, CODE));
	host.at++;
	if (step->by_msr)
		exchange_by_msr(step);
	else
		exchange_by_page(step);
	if (before_resuming)
		before_resuming();
}

/*
 * VMGEXIT of a request by the GHCB page. Returns X86_TRAP_GP if the step injects #GP,
 * otherwise 0. In the stub, the #GP handler exception_gp makes vmgexit_page() return
 * X86_TRAP_GP. test_idt_handlers.c tests exception_gp.
 */
u64 vmgexit_page(void)
{
	const struct step *step = &host.steps[host.at];

	vmgexit();
	return answer_freely || !step->injects_gp ? 0 : X86_TRAP_GP;
}

/* ---- changes of the GHCB page between private and shared ---- */

/*
 * Appends to host.trace that the GHCB page becomes shared or private. Then
 * fills the page with GARBAGE, because its contents do not survive a change of
 * the C-bit. @ret is the page-table builder's result for the change.
 */
static int change_view(const char *what, int ret)
{
	const u8 *page = (const u8 *)&ghcb_page;
	unsigned int i;

	for (i = 0; i < PAGE_END && !page[i]; i++)
		;
	strcat(host.trace, i < PAGE_END ? "dirty " : "zero ");
	strcat(host.trace, what);
	memset(&ghcb_page, GARBAGE, PAGE_END);
	return host.map_result ? host.map_result : ret;
}

/*
 * sev-es.c calls spied_set_decrypted() and spied_set_encrypted() instead of the
 * functions of ident_map_64.c. They call the real functions, which change the page
 * tables, and record the change of the GHCB page with change_view().
 */
static int spied_set_decrypted(u64 addr)
{
	shared_now = (u64)&ghcb_page;
	return change_view("share ", ident_map_set_decrypted(addr));
}

static int spied_set_encrypted(u64 addr)
{
	shared_now = (u64)&ghcb_page;
	return change_view("hide ", ident_map_set_encrypted(addr));
}

/*
 * In an SNP guest the stub shares the GHCB page in two steps: ident_map_flush() flushes
 * the page's cache lines, and after the page state change ident_map_set_flushed()
 * clears the page's C-bit. In this program spied_flush() and spied_set_flushed() replace
 * the two functions. They record the step in host.trace and call the replaced function.
 */
static int spied_flush(u64 addr)
{
	shared_now = (u64)&ghcb_page;
	strcat(host.trace, "flush ");
	return host.map_result ? host.map_result : ident_map_flush(addr);
}

static int spied_set_flushed(u64 addr)
{
	shared_now = (u64)&ghcb_page;
	return change_view("share ", ident_map_set_flushed(addr));
}

/* ---- the guest's memory, at addresses that fit in 32 bits ---- */

#define TEXT		0x10000000UL	/* one executable page */
#define TEXT_2		0x10200000UL	/* two executable pages */
#define DATA		0x10400000UL	/* DATA_PAGES writable pages */
#define DATA_PAGES	16
/* The last page of DATA. Its C-bit is clear, so it is shared with the host. */
#define OPEN		(DATA + (DATA_PAGES - 1) * PAGE_SIZE)
#define LAZY		0x10600000UL	/* RAM, mapped at the first access */
/*
 * A guard page, the last page in the 2 MiB at LAZY. The stub must refuse an
 * access to this page, although the stub maps other RAM at the first access.
 */
#define GUARDED		(LAZY + PMD_SIZE - PAGE_SIZE)
#define RODATA		0x10800000UL	/* one page, read-only */
#define NOTHING		0x10a00000UL	/* neither RAM nor mapped */
#define TABLES		0x10c00000UL	/* the loader's page tables */
#define MEMORY_END	0x10e00000UL
/*
 * Two pages of a device's registers. The test's process has no memory at this
 * address. If the stub accesses it directly instead of asking the hypervisor,
 * the test crashes.
 */
#define DEVICE		0xd0000000UL
#define DEVICE_SIZE	(2 * PAGE_SIZE)

static struct boot_params bp;

/*
 * Maps memory into the test's process at the guest's addresses. Where the guest
 * has no memory, the process has none either, so that the test crashes if the
 * stub accesses such an address.
 */
static void make_memory(void)
{
	size_t size = MEMORY_END - TEXT;
	void *at = (void *)TEXT;

	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_FIXED | MAP_NORESERVE, -1, 0) != at)
		SKIP("no memory at %#lx", TEXT);
	mprotect((void *)(TEXT + PAGE_SIZE), PMD_SIZE - PAGE_SIZE, PROT_NONE);
	mprotect((void *)NOTHING, PMD_SIZE, PROT_NONE);
	mprotect(&ghcb_page, PAGE_END, PROT_READ | PROT_WRITE);
}

/*
 * Makes the page at @page shared. The stub itself refuses every page but its GHCB page,
 * so the test says first that @page is this page.
 */
static maybe_unused int share_page_at(u64 page)
{
	shared_now = page;
	return ident_map_set_decrypted(page);
}

/* Makes a page private again that share_page_at() has shared. */
static maybe_unused int hide_page_at(u64 page)
{
	shared_now = page;
	return ident_map_set_encrypted(page);
}

/*
 * Builds the stub's page tables, with ident_map_64.c. They map TEXT, TEXT_2, DATA, RODATA,
 * DEVICE and the GHCB page. LAZY is RAM that is not mapped yet.
 */
static void make_map(void)
{
	struct ident_map_config config = {
		.pool_size = sizeof(pool),
		.enc_mask = sev_enc_mask(),
		.bp = &bp,
	};
	u64 ghcb = (u64)&ghcb_page;

	memset(&bp, 0, sizeof(bp));
	bp.e820_entries = 2;
	bp.e820_table[0] = (struct boot_e820_entry){ TEXT, NOTHING - TEXT, 1 };
	bp.e820_table[1] = (struct boot_e820_entry){ ghcb, PAGE_END, 1 };
	CHECK(!ident_map_init(&config) &&
	      !ident_map_range(TEXT, TEXT + PAGE_SIZE, MAP_EXEC) &&
	      !ident_map_range(TEXT_2, TEXT_2 + 2 * PAGE_SIZE, MAP_EXEC) &&
	      !ident_map_range(DATA, OPEN + PAGE_SIZE, MAP_WRITE) &&
	      (!sev_active() || !share_page_at(OPEN)) &&
	      !ident_map_range(RODATA, RODATA + PAGE_SIZE, MAP_RO) &&
	      !ident_map_range(ghcb, ghcb + PAGE_END, MAP_WRITE) &&
	      !ident_map_guard(GUARDED) &&
	      !ident_map_device(DEVICE, DEVICE_SIZE), "map");
	host.cr3 = ident_map_cr3();
}

/*
 * ---- a #VC ----
 *
 * @frame is the exception frame that the stub gets and changes. @want is what
 * the frame must be afterwards.
 */

static struct exception_frame frame, want;

/*
 * Gives every register of @frame a random value. Bit 63 is set, so that none of
 * them is an address in the guest's memory.
 */
static void fill_frame(void)
{
	u64 *regs = (u64 *)&frame;
	unsigned int i;

	for (i = 0; i < sizeof(frame) / sizeof(*regs); i++)
		regs[i] = random_u64() | 1ULL << 63;
	frame.vector = 29;
	frame.cs = 0x10;
	frame.ss = 0x18;
	frame.rflags = 2;
}

/*
 * Starts a case as an SEV-ES guest in stage 1: the GHCB page is not shared yet,
 * so the guest uses the GHCB MSR protocol. The script is empty. The registers
 * have random values.
 */
static maybe_unused void start_stage1(void)
{
	memset(&host, 0, sizeof(host));
	memset(&es, 0, sizeof(es));
	memset(&sev_guest, 0, sizeof(sev_guest));
	memset(&ghcb_page, 0x77, sizeof(ghcb_page));
	before_resuming = NULL;
	text_start = TEXT;
	text_end = TEXT + PAGE_SIZE;
	make_memory();
	fill_frame();
	host.sev_status = 3;
	host.has_sev_status = true;
}

/*
 * Takes the guest to stage 2: its page tables are built, and the GHCB page is
 * shared. The version of the GHCB protocol is 2, and the C-bit is bit 51.
 */
static maybe_unused void share_page(void)
{
	sev_guest.status = 3;
	sev_guest.cbit = 51;
	sev_guest.known = true;
	es.version = 2;
	make_map();
	sev_es_setup_ghcb(&bp);
	host.trace[0] = '\0';
}

/*
 * Starts a case as an SEV-ES guest in stage 2, which has a shared GHCB page.
 * The script is empty.
 */
static maybe_unused void start(void)
{
	start_stage1();
	share_page();
	io_start = 0;
	io_end = ~0UL;
	emulated_first = 0;
	emulated_behind = ~0UL;
}

/* Declares one of the two executable areas as the stub's .text: the area that holds @rip. */
static maybe_unused void set_text(u64 rip)
{
	text_start = rip < TEXT_2 ? TEXT : TEXT_2;
	text_end = rip < TEXT_2 ? TEXT + PAGE_SIZE : TEXT_2 + 2 * PAGE_SIZE;
}

/*
 * Copies an instruction to @rip, and sets up @frame for the #VC that the
 * instruction raises, with exit code @exit_code. @want becomes a copy of
 * @frame, with RIP after the instruction.
 */
static void place_insn(u64 rip, u64 exit_code, const void *bytes, size_t size)
{
	set_text(rip);
	memcpy((void *)rip, bytes, size);
	frame.rip = rip;
	frame.error_code = exit_code;
	want = frame;
	want.rip += size;
}

/*
 * INSN(exit_code, "bytes"): places the instruction that raises #VC at TEXT. A
 * case sets input registers in @frame before INSN(), because INSN() copies them
 * to @want. The case sets the expected results in @want after INSN().
 */
#define INSN(exit_code, bytes)						\
	place_insn(TEXT, exit_code, bytes, sizeof(bytes) - 1)

/*
 * Compares every register in @frame with @want. Also checks that the guest has
 * taken all steps of the script, and that the GHCB page is free again.
 */
static maybe_unused void check_frame(void)
{
#define CHECK_REGISTER(reg)						\
	CHECK(frame.reg == want.reg, #reg " is %#lx instead of %#lx",	\
	      frame.reg, want.reg)
	CHECK_REGISTER(rax);
	CHECK_REGISTER(rcx);
	CHECK_REGISTER(rdx);
	CHECK_REGISTER(rbx);
	CHECK_REGISTER(rsi);
	CHECK_REGISTER(rdi);
	CHECK_REGISTER(rbp);
	CHECK_REGISTER(r8);
	CHECK_REGISTER(r15);
	CHECK_REGISTER(rip);
#undef CHECK_REGISTER
	CHECK(!memcmp(&frame, &want, sizeof(frame)), "another register has changed");
	CHECK(host.at == host.count, "%u exchanges instead of %u", host.at,
	      host.count);
	CHECK(!es.busy, "the page is still in use");
}

/*
 * Passes the #VC in @frame to the stub's handler. The handler must emulate the
 * instruction as the script and @want say.
 */
static maybe_unused void run(void)
{
	unsigned int vector = sev_es_vc(&frame);

	CHECK(!vector, "vector %u", vector);
	check_frame();
}

/*
 * Passes the #VC in @frame to the stub's handler. Instead of emulating the
 * instruction, the handler must raise exception @vector, and must change no
 * register.
 */
static maybe_unused void raises(unsigned int vector)
{
	unsigned int got;

	want = frame;
	got = sev_es_vc(&frame);
	CHECK(got == vector, "vector %u instead of %u", got, vector);
	check_frame();
}

/*
 * Passes the #VC in @frame to the stub's handler. The handler must terminate
 * the guest with reason @code of the stub's own set.
 */
#define ENDS(code)	EXPECT_OWN_END(sev_es_vc(&frame), code)

#endif
