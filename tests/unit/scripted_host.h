/* SPDX-License-Identifier: MIT */
/*
 * scripted_host.h - the hypervisor that tests of sev-es.c and sev-vc.c talk to, and the
 * guest around it: memory, the #VC that an instruction raises, the frame.
 *
 * A case writes a script: each request that it expects, byte by byte, and the
 * answer. VMGEXIT takes the next step, compares the MSR or the whole page, and
 * answers. Of an answered page every byte is garbage but those that the script
 * names, so that nothing can be taken from it that was not offered. At the end
 * of an instruction all registers must be what the case says.
 *
 * Offsets in the page are from the specification's table, not from sev.h.
 *
 * A program that defines OWN_CPUID supplies fake_cpuid().
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

/* The console: what a refusal says before the end, and in which state. */
static unsigned int said;
static bool said_while_busy;

void con_printf(const char *fmt, ...)
{
	(void)fmt;
	said++;
	said_while_busy = es.busy;
}

/* -- The page (GHCB 2.3.2): where a field is. */
enum field {
	CPL = 0x0cb, XSS = 0x140, RAX = 0x1f8, RCX = 0x308, RDX = 0x310,
	RBX = 0x318, CODE = 0x390, INFO_1 = 0x398, INFO_2 = 0x3a0,
	SCRATCH = 0x3a8, XCR0 = 0x3e8, BITMAP = 0x3f0, BUFFER = 0x800,
	VERSION = 0xffa, USAGE = 0xffc, PAGE_END = 0x1000,
};

#define BUFFER_SIZE	2032

/* -- The script. */

struct step {
	bool by_msr;
	bool ignored;		/* by MSR: the host leaves it as it is */
	u64 request, reply;	/* by MSR */
	u8 sent[PAGE_END];
	u8 answer[PAGE_END];
	void (*meanwhile)(void);	/* before the host answers */
};

#define STEPS_MAX	64
#define GARBAGE		0xee

static struct {
	struct step steps[STEPS_MAX];
	unsigned int count, at;
	u64 msr;
	u64 msr_before;		/* the last write to it */
	u64 sev_status;
	bool has_sev_status;
	u64 fs_base, gs_base;
	u64 cr3, cr4;
	bool ending;		/* the case waits for a termination */
	unsigned int deaf;	/* requests for the end that are not heard */
	jmp_buf end;
	u64 last_words;		/* the MSR at the end */
	unsigned int proven;	/* calls of load_cr3_proven() */
	int map_result;		/* what changes of the map come to */
	char trace[128];	/* what became of the page */
} host;

/* @stmt must end in exactly this request for termination. */
#define EXPECT_END(stmt, set, code)					\
	do {								\
		if (!setjmp(host.end)) {				\
			host.ending = true;				\
			stmt;						\
			host.ending = false;				\
			harness_fail(__FILE__, __LINE__, #stmt,		\
				     "goes on, instead of %u.%u",	\
				     set, code);			\
		}							\
		host.ending = false;					\
		CHECK(host.last_words == (0x100 | (u64)(set) << 12 |	\
					  (u64)(code) << 16),		\
		      "ended with %#lx instead of %u.%u",		\
		      host.last_words, set, code);			\
		CHECK(host.at == host.count, "ended after %u of %u",	\
		      host.at, host.count);				\
	} while (0)

#define EXPECT_OWN_END(stmt, code)	EXPECT_END(stmt, 2U, (unsigned int)code)

static void put(u8 *page, unsigned int at, u64 value, unsigned int size)
{
	memcpy(page + at, &value, size);
}

static u64 get(const u8 *page, unsigned int at)
{
	u64 value;

	memcpy(&value, page + at, sizeof(value));
	return value;
}

static void set_field(u8 *page, enum field field, u64 value)
{
	put(page, field, value, field == CPL ? 1 : 8);
	page[BITMAP + field / 64] |= 1 << field / 8 % 8;
}

static struct step *new_step(void)
{
	struct step *step = &host.steps[host.count];

	CHECK(host.count < STEPS_MAX, "script too long");
	host.count++;
	memset(step, 0, sizeof(*step));
	return step;
}

/* The step that is being written. */
static struct step *current_step(void)
{
	return &host.steps[host.count - 1];
}

/* A request by the page. Unless told otherwise the host says: done. */
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

static maybe_unused void sends(enum field field, u64 value)
{
	set_field(current_step()->sent, field, value);
}

static maybe_unused void sends_scratch(void)
{
	sends(SCRATCH, (u64)&ghcb_page + BUFFER);
}

static maybe_unused void sends_data(const void *data, size_t size)
{
	sends_scratch();
	memcpy(current_step()->sent + BUFFER, data, size);
}

static maybe_unused void answers(enum field field, u64 value)
{
	set_field(current_step()->answer, field, value);
}

static maybe_unused void answers_data(const void *data, size_t size)
{
	memcpy(current_step()->answer + BUFFER, data, size);
}

/* The host says something else than "done". */
static maybe_unused void result(u64 info_1, u64 info_2)
{
	put(current_step()->answer, INFO_1, info_1, 8);
	put(current_step()->answer, INFO_2, info_2, 8);
}

static maybe_unused void meanwhile(void (*hook)(void))
{
	current_step()->meanwhile = hook;
}

static maybe_unused void expect_msr(u64 request, u64 reply)
{
	struct step *step = new_step();

	step->by_msr = true;
	step->request = request;
	step->reply = reply;
}

/* -- The processor. */

u64 rdmsr(u32 msr)
{
	switch (msr) {
	case 0xc0010130:
		return host.msr;
	case 0xc0010131:
		CHECK(host.has_sev_status, "read where there is none");
		return host.sev_status;
	case 0xc0000100:
		return host.fs_base;
	case 0xc0000101:
		return host.gs_base;
	}
	HARNESS_REFUSE("%#x", msr);
}

void wrmsr(u32 msr, u64 value)
{
	CHECK(msr == 0xc0010130, "%#x, %#lx", msr, value);
	host.msr_before = host.msr;
	host.msr = value;
	if (!value)
		strcat(host.trace, memchr(&ghcb_page, GARBAGE, PAGE_END) ?
				   "dirty" : "zero");
}

/* A CPUID instruction outside of a #VC handler. */
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

void load_cr3_proven(u64 cr3, u64 sev_status)
{
	host.cr3 = cr3;
	CHECK(sev_status == sev_guest.status, "%#lx", sev_status);
	host.proven++;
}

static void end_of_guest(void)
{
	if (!host.ending)
		harness_fail("vmgexit()", 0, "termination", "set %lu code %lu",
			     host.msr >> 12 & 15, host.msr >> 16);
	if (host.deaf) {
		CHECK(!host.last_words || host.last_words == host.msr,
		      "%#lx after %#lx", host.msr, host.last_words);
		host.last_words = host.msr;
		host.deaf--;
		return;
	}
	host.last_words = host.msr;
	longjmp(host.end, 1);
}

static void exchange_by_msr(const struct step *step)
{
	CHECK(host.msr == step->request, "step %u: %#lx instead of %#lx",
	      host.at - 1, host.msr, step->request);
	if (!step->ignored)
		host.msr = step->reply;
}

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

static void (*before_resuming)(void);

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

/* -- What becomes of the page: its contents do not survive a change. */

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

static int spied_set_decrypted(u64 addr)
{
	return change_view("share ", ident_map_set_decrypted(addr));
}

static int spied_set_encrypted(u64 addr)
{
	return change_view("hide ", ident_map_set_encrypted(addr));
}

/* -- The guest's memory, at addresses that fit in 32 bits. */

#define TEXT		0x10000000UL	/* instructions: one page */
#define TEXT_2		0x10200000UL	/* two pages */
#define DATA		0x10400000UL	/* DATA_PAGES, writable */
#define DATA_PAGES	16
#define OPEN		(DATA + (DATA_PAGES - 1) * PAGE_SIZE) /* RAM, shared */
#define LAZY		0x10600000UL	/* RAM, but not mapped yet */
#define GUARDED		(LAZY + PMD_SIZE - PAGE_SIZE)
#define RODATA		0x10800000UL	/* one page, read-only */
#define NOTHING		0x10a00000UL	/* neither RAM nor mapped */
#define TABLES		0x10c00000UL	/* the loader's page tables */
#define MEMORY_END	0x10e00000UL
/* Registers of a device: two pages. Nothing is there: a touch is a crash. */
#define DEVICE		0xd0000000UL
#define DEVICE_SIZE	(2 * PAGE_SIZE)

#define POOL_PAGES	64
static u8 pool[POOL_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static struct boot_params bp;

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

/* -- One #VC: the frame before, and what it must be after. */

static struct exception_frame frame, want;

/* Every register a number of its own. */
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

/* An SEV-ES guest before it has its page. */
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

/* It shares its page: stage 2. */
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

/* An SEV-ES guest with its page. */
static maybe_unused void start(void)
{
	start_stage1();
	share_page();
}

static void place_insn(u64 rip, u64 exit_code, const void *bytes, size_t size)
{
	memcpy((void *)rip, bytes, size);
	frame.rip = rip;
	frame.error_code = exit_code;
	want = frame;
	want.rip += size;
}

/* The instruction that raised #VC, given as a string; registers come first. */
#define INSN(exit_code, bytes)						\
	place_insn(TEXT, exit_code, bytes, sizeof(bytes) - 1)

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
	CHECK(!memcmp(&frame, &want, sizeof(frame)), "some other register");
	CHECK(host.at == host.count, "%u exchanges instead of %u", host.at,
	      host.count);
	CHECK(!es.busy, "the page is still in use");
}

/* The instruction is answered as the script and @want say. */
static maybe_unused void run(void)
{
	unsigned int vector = sev_es_vc(&frame);

	CHECK(!vector, "vector %u", vector);
	check_frame();
}

/* It raises @vector instead and changes nothing. */
static maybe_unused void raises(unsigned int vector)
{
	unsigned int got;

	want = frame;
	got = sev_es_vc(&frame);
	CHECK(got == vector, "vector %u instead of %u", got, vector);
	check_frame();
}

/* It goes unanswered: the stub has found a lie. */
#define ENDS(code)	EXPECT_OWN_END(sev_es_vc(&frame), code)

#endif
