/* SPDX-License-Identifier: MIT */
/*
 * scripted_host.h - the hypervisor that the tests of sev-es.c and sev-vc.c talk
 * to, and the guest around it: memory, page tables, the exception frame of a
 * #VC.
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
 * if the MSR or any byte of the GHCB page differs from the step's request. All
 * bytes of an answered page that the script does not set are GARBAGE. A case
 * therefore fails if the stub uses a field that the host did not mark as valid.
 * run() and raises() compare every register with @want after the instruction.
 *
 * Offsets in the page are from the GHCB specification's table instead of sev.h,
 * so that an error in struct ghcb is found.
 *
 * A program that defines OWN_CPUID must define fake_cpuid(), which then stands
 * for the CPUID instruction outside of #VC handlers.
 */
#ifndef SCRIPTED_HOST_H
#define SCRIPTED_HOST_H

#include <sys/mman.h>

#define HARNESS_CPU
#define OWN_RDMSR
#define OWN_WRMSR
#define OWN_READ_CR3
#define OWN_READ_CR4
#define OWN_INVLPG
#define OWN_WRITE_CR3
#include "harness.h"

static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf);
static int spied_set_decrypted(u64 addr);
static int spied_set_encrypted(u64 addr);
static const u8 *image_start;

/* In the stub, sev-head_64.S defines these. */
in_data struct sev_guest sev_guest;
u32 nmi_count;

#include "image.h"

/* Memory for the stub's page tables. In the stub, linker.ld defines it. */
#define POOL_PAGES	64
static u8 pool[POOL_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
#define page_table_pool		pool
#define page_table_pool_end	(pool + sizeof(pool))

#include "lib/e820.c"
#include "ident_map_64.c"
#include "insn.c"

#define cpuid_count		fake_cpuid
#define _image		image_start
#define ident_map_set_decrypted	spied_set_decrypted
#define ident_map_set_encrypted	spied_set_encrypted
#include "sev-es.c"
#include "sev-vc.c"
#undef cpuid_count
#undef _image
#undef ident_map_set_decrypted
#undef ident_map_set_encrypted

/*
 * Stand-in for the console. @said counts con_printf() calls, so that a case
 * sees whether the stub printed a reason before it terminates the guest.
 * @said_while_busy tells whether the GHCB page was in use during the last call.
 */
static unsigned int said;
static bool said_while_busy;

void con_printf(const char *fmt, ...)
{
	(void)fmt;
	said++;
	said_while_busy = es.busy;
}

/* Offsets of fields in the GHCB page, in bytes (GHCB 2.3.2). */
enum field {
	CPL = 0x0cb, XSS = 0x140, RAX = 0x1f8, RCX = 0x308, RDX = 0x310,
	RBX = 0x318, CODE = 0x390, INFO_1 = 0x398, INFO_2 = 0x3a0,
	SCRATCH = 0x3a8, XCR0 = 0x3e8, BITMAP = 0x3f0, BUFFER = 0x800,
	VERSION = 0xffa, USAGE = 0xffc, PAGE_END = 0x1000,
};

/* Size of the page's shared buffer, in bytes. */
#define BUFFER_SIZE	2032

/* ---- the script ---- */

/*
 * One exchange between guest and host, which is one VMGEXIT. Written by
 * expect_exit() or expect_msr() and the functions that add to the last step.
 */
struct step {
	/*
	 * true: GHCB MSR protocol, @request and @reply are used. false: GHCB
	 * page, @sent and @answer are used.
	 */
	bool by_msr;
	/* true: the host leaves the request in the MSR instead of replying */
	bool ignored;
	/* Values of the GHCB MSR. */
	u64 request, reply;
	/*
	 * The whole page as the guest must send it, and as the host returns it.
	 */
	u8 sent[PAGE_END];
	u8 answer[PAGE_END];
	/* Called between request and answer, unless NULL. */
	void (*meanwhile)(void);
};

/* Largest number of steps in a script. */
#define STEPS_MAX	64
/* Value of every byte that the host answers without having been told to. */
#define GARBAGE		0xee

/*
 * State of the host. start_stage1() clears it; a case then sets what it needs.
 */
static struct {
	struct step steps[STEPS_MAX];
	/*
	 * Number of steps in the script, and number of steps that the guest
	 * took.
	 */
	unsigned int count, at;
	/* Value of the GHCB MSR, 0xc0010130. */
	u64 msr;
	u64 msr_before;		/* GHCB MSR before the stub's last write */
	/*
	 * Value of the SEV_STATUS MSR, 0xc0010131. A case fails if the stub
	 * reads it while has_sev_status is false, because a processor without
	 * SEV raises #GP.
	 */
	u64 sev_status;
	bool has_sev_status;
	/* Values of the FS_BASE and GS_BASE MSRs. */
	u64 fs_base, gs_base;
	u64 cr3, cr4;
	bool ending;		/* EXPECT_END() waits for a termination */
	/*
	 * Number of termination requests that the host will ignore: the guest
	 * resumes.
	 */
	unsigned int deaf;
	/* A termination request returns here, into EXPECT_END(). */
	jmp_buf end;
	/* The GHCB MSR's value in the termination request; 0 before. */
	u64 last_words;
	unsigned int proven;	/* calls of load_cr3_proven() */
	/*
	 * If not 0, the page-table builder's result for a change of the GHCB
	 * page.
	 */
	int map_result;
	/*
	 * What happened to the GHCB page, in order: "zero" or "dirty" is its
	 * content before a change, "share" or "hide" the change. The last word
	 * is its content when the stub wrote 0 to the GHCB MSR.
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

/* EXPECT_END() with reason set 2, which is the stub's own. */
#define EXPECT_OWN_END(stmt, code)	EXPECT_END(stmt, 2U, (unsigned int)code)

/*
 * Writes the low @size bytes of @value at offset @at of @page. Sets no valid
 * bit.
 */
static void put(u8 *page, unsigned int at, u64 value, unsigned int size)
{
	memcpy(page + at, &value, size);
}

/* Reads eight bytes at offset @at of @page. */
static u64 get(const u8 *page, unsigned int at)
{
	u64 value;

	memcpy(&value, page + at, sizeof(value));
	return value;
}

/*
 * Writes a field of @page and sets its valid bit. CPL has one byte, the other
 * fields have eight.
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

/* The last step of the script. sends(), answers() and result() add to it. */
static struct step *current_step(void)
{
	return &host.steps[host.count - 1];
}

/*
 * Appends an exchange by the page. The guest must send exit code @code and
 * these values of SW_EXITINFO1 and SW_EXITINFO2. sends() adds further fields;
 * no others may be valid. The host answers "done" (0 in both) unless result()
 * is called, and no valid field but those of answers().
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

/* The guest must also send @field with this value, marked as valid. */
static maybe_unused void sends(enum field field, u64 value)
{
	set_field(current_step()->sent, field, value);
}

/*
 * The guest must also send the address of the page's own buffer in SW_SCRATCH.
 */
static maybe_unused void sends_scratch(void)
{
	sends(SCRATCH, (u64)&ghcb_page + BUFFER);
}

/*
 * The guest must also send SW_SCRATCH, and @size bytes of @data in the buffer.
 */
static maybe_unused void sends_data(const void *data, size_t size)
{
	sends_scratch();
	memcpy(current_step()->sent + BUFFER, data, size);
}

/* The host answers with @field of this value, marked as valid. */
static maybe_unused void answers(enum field field, u64 value)
{
	set_field(current_step()->answer, field, value);
}

/* The host answers with @size bytes of @data in the page's buffer. */
static maybe_unused void answers_data(const void *data, size_t size)
{
	memcpy(current_step()->answer + BUFFER, data, size);
}

/*
 * The host answers with these SW_EXITINFO1 and SW_EXITINFO2 instead of "done":
 * an exception to raise, or an error code (GHCB 4.1).
 */
static maybe_unused void result(u64 info_1, u64 info_2)
{
	put(current_step()->answer, INFO_1, info_1, 8);
	put(current_step()->answer, INFO_2, info_2, 8);
}

/*
 * @hook is called after the guest's request was compared and before the host
 * answers. A case lets an NMI arrive there.
 */
static maybe_unused void meanwhile(void (*hook)(void))
{
	current_step()->meanwhile = hook;
}

/*
 * Appends an exchange by MSR protocol. The guest must write @request to the
 * GHCB MSR, and the host replaces it with @reply.
 */
static maybe_unused void expect_msr(u64 request, u64 reply)
{
	struct step *step = new_step();

	step->by_msr = true;
	step->request = request;
	step->reply = reply;
}

/* ---- the processor ---- */

/* An RDMSR of any other register fails the case. */
u64 rdmsr(u32 msr)
{
	switch (msr) {
	case 0xc0010130:
		return host.msr;
	case 0xc0010131:
		CHECK(host.has_sev_status, "SEV_STATUS is read without SEV");
		return host.sev_status;
	case 0xc0000100:
		return host.fs_base;
	case 0xc0000101:
		return host.gs_base;
	}
	HARNESS_REFUSE("%#x", msr);
}

/*
 * A WRMSR of any other register than the GHCB MSR fails the case. The stub
 * writes 0 when it stops using the page; host.trace then records whether the
 * page still holds bytes of an exchange.
 */
void wrmsr(u32 msr, u64 value)
{
	CHECK(msr == 0xc0010130, "%#x, %#lx", msr, value);
	host.msr_before = host.msr;
	host.msr = value;
	if (!value)
		strcat(host.trace, memchr(&ghcb_page, GARBAGE, PAGE_END) ?
				   "dirty" : "zero");
}

/*
 * CPUID outside of a #VC handler. It fails the case unless the program has its
 * own fake_cpuid(), because CPUID raises #VC in an SEV-ES guest.
 */
#ifndef OWN_CPUID
static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf)
{
	HARNESS_REFUSE("leaf %#x.%u", leaf, subleaf);
}
#endif

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
 * The real function, in assembly, proves that the page tables are encrypted
 * before it loads them. This one records that the stub called it.
 */
void load_cr3_proven(u64 cr3, bool first)
{
	host.cr3 = cr3;
	CHECK(first == !host.proven, "first %u", first);
	host.proven++;
}

/*
 * The guest requests termination. That fails the case outside of EXPECT_END().
 * A guest that a host resumes in spite of it (host.deaf) must repeat its
 * request.
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

/* Compares the GHCB MSR with the step's request and writes the reply to it. */
static void exchange_by_msr(const struct step *step)
{
	CHECK(host.msr == step->request, "step %u: %#lx instead of %#lx",
	      host.at - 1, host.msr, step->request);
	if (!step->ignored)
		host.msr = step->reply;
}

/*
 * Compares the GHCB page with the step's request and replaces it with the
 * answer.
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
 * If not NULL, vmgexit() calls it after every answer, before the guest resumes.
 */
static void (*before_resuming)(void);

/*
 * The VMGEXIT instruction. The case fails if the script has no further step,
 * unless the request is for termination (0x100).
 */
void vmgexit(void)
{
	const struct step *step = &host.steps[host.at];

	if ((host.msr & 0xfff) == 0x100) {
		end_of_guest();
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

/* ---- changes of the page's C-bit ---- */

/*
 * Records a change of the GHCB page between shared and private, then fills the
 * page with GARBAGE, because its contents do not survive a change of the C-bit.
 * @ret is the page-table builder's result.
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
 * These two stand between sev-es.c and ident_map_64.c. They change the page
 * tables with the real functions, and the page with change_view().
 */
static int spied_set_decrypted(u64 addr)
{
	return change_view("share ", ident_map_set_decrypted(addr));
}

static int spied_set_encrypted(u64 addr)
{
	return change_view("hide ", ident_map_set_encrypted(addr));
}

/* ---- the guest's memory, at addresses that fit in 32 bits ---- */

#define TEXT		0x10000000UL	/* one executable page */
#define TEXT_2		0x10200000UL	/* two executable pages */
#define DATA		0x10400000UL	/* DATA_PAGES writable pages */
#define DATA_PAGES	16
/* the last: shared */
#define OPEN		(DATA + (DATA_PAGES - 1) * PAGE_SIZE)
#define LAZY		0x10600000UL	/* RAM, mapped at the first access */
/* The last page of LAZY's 2 MiB is a guard page: an access must not map it. */
#define GUARDED		(LAZY + PMD_SIZE - PAGE_SIZE)
#define RODATA		0x10800000UL	/* one page, read-only */
#define NOTHING		0x10a00000UL	/* neither RAM nor mapped */
#define TABLES		0x10c00000UL	/* the loader's page tables */
#define MEMORY_END	0x10e00000UL
/*
 * MMIO registers of a device, two pages. The test's process has no memory
 * there. An access of the stub that is not an exit to the host therefore
 * crashes the test.
 */
#define DEVICE		0xd0000000UL
#define DEVICE_SIZE	(2 * PAGE_SIZE)

static struct boot_params bp;

/*
 * Maps the guest's memory into the process at the addresses above. The process
 * cannot access what the guest cannot access.
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

/* Builds the stub's page tables for that memory with ident_map_64.c. */
static void make_map(void)
{
	struct ident_map_config config = {
		.pool = pool,
		.pool_size = sizeof(pool),
		.levels = 4,
		.enc_mask = sev_enc_mask(),
		.nx = true,
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
	      (!sev_active() || !ident_map_set_decrypted(OPEN)) &&
	      !ident_map_range(RODATA, RODATA + PAGE_SIZE, MAP_RO) &&
	      !ident_map_range(ghcb, ghcb + PAGE_END, MAP_WRITE) &&
	      !ident_map_guard(GUARDED) &&
	      !ident_map_device(DEVICE, DEVICE_SIZE), "map");
}

/*
 * ---- a #VC ----
 *
 * @frame is the exception frame that the stub gets and changes. @want is what
 * the frame must be afterwards.
 */

static struct exception_frame frame, want;

/*
 * Gives every register a random value. Bit 63 is set, so that the value cannot
 * be taken for an address of the guest's memory.
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
 * Starts a case as an SEV-ES guest in stage 1. The GHCB page is not shared yet,
 * so the guest uses the MSR protocol. The script is empty, the registers are
 * random.
 */
static maybe_unused void start_stage1(void)
{
	memset(&host, 0, sizeof(host));
	memset(&es, 0, sizeof(es));
	nmi_count = 0;
	memset(&sev_guest, 0, sizeof(sev_guest));
	memset(&ghcb_page, 0x77, sizeof(ghcb_page));
	before_resuming = NULL;
	make_memory();
	fill_frame();
	host.sev_status = 3;
	host.has_sev_status = true;
}

/*
 * Takes the guest to stage 2: the page tables are built and the GHCB page is
 * shared. The protocol's version is 2, the C-bit is bit 51.
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

/* Starts a case as an SEV-ES guest in stage 2, with an empty script. */
static maybe_unused void start(void)
{
	start_stage1();
	share_page();
}

/*
 * Copies an instruction to @rip and sets @frame up for the #VC that it raises,
 * with exit code @exit_code. @want becomes a copy of @frame with RIP behind the
 * instruction.
 */
static void place_insn(u64 rip, u64 exit_code, const void *bytes, size_t size)
{
	memcpy((void *)rip, bytes, size);
	frame.rip = rip;
	frame.error_code = exit_code;
	want = frame;
	want.rip += size;
}

/*
 * INSN(exit_code, "bytes"): the instruction at TEXT that raises #VC. A case
 * sets input registers in @frame before INSN(), because INSN() copies them to
 * @want, and results in @want after it.
 */
#define INSN(exit_code, bytes)						\
	place_insn(TEXT, exit_code, bytes, sizeof(bytes) - 1)

/*
 * Compares all registers with @want. The guest must have taken all steps of the
 * script, and the GHCB page must be free again.
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
 * Lets the stub handle the #VC. The stub must emulate the instruction as the
 * script and @want say.
 */
static maybe_unused void run(void)
{
	unsigned int vector = sev_es_vc(&frame);

	CHECK(!vector, "vector %u", vector);
	check_frame();
}

/*
 * Lets the stub handle the #VC. The stub must raise exception @vector instead
 * of emulating the instruction, and must change no register.
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
 * Lets the stub handle the #VC. The stub must terminate the guest with reason
 * @code of its own set, because the host's answer violates the protocol.
 */
#define ENDS(code)	EXPECT_OWN_END(sev_es_vc(&frame), code)

#endif
