/* SPDX-License-Identifier: MIT */
/*
 * boot32.c - the test guest's code for 32-bit protected mode, which runs before the
 * guest enters long mode. It executes each instruction that must raise #VC, records the
 * results, which main.c prints later, and builds the page tables for long mode. Paging
 * is off, so every memory access is private. A GHCB page must be shared, so this code
 * uses only the GHCB MSR protocol.
 *
 * The compiler makes assembly code of this file with -m32. This code, after the
 * directive .code32, is assembled for the 64-bit image.
 */
#include <asm/bootparam.h>
#include <stdbool.h>

#include "../../hooks.h"
#include "abi.h"
#include "cmdline.h"
#include "early.h"

#define SELECTOR_CODE32		0x08
#define SELECTOR_TSS32		0x40
#define SELECTOR_USER_CODE32	0x4b
#define SELECTOR_USER_DATA	0x3b
#define SELECTOR_DATA		0x18

#define GATE32_INTERRUPT	0x8e00
#define GATE32_USER		0xee00
#define TSS32_AVAILABLE		0x0000890000000000ULL
#define MSR_APIC_BASE		0x1b
#define EFLAGS_IF		0x200
/* Values of sevemu's option --sev in the result of the test hook HOOK_CONFIG. */
#define SEV_ES_OPTION		2
#define SEV_SNP_OPTION		3
#define EFLAGS_CF		1
#define VMPL_0(config)		(!((config) >> HOOK_CONFIG_VMPL_SHIFT & 3))

/*
 * The registers that vc32_entry in head.S pushes at a #VC in 32-bit mode, and above
 * them the frame that the processor has pushed (error_code and the fields after it).
 */
struct frame32 {
	uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax;
	uint32_t error_code, eip, cs, eflags;
	/* The processor pushes ESP and SS only at an exception from CPL 3. */
	uint32_t esp, ss;
};

struct regs32 {
	uint32_t eax, ebx, ecx, edx;
};

/*
 * The log of #VC in 32-bit mode. Code must write @eip and @resume before it executes an
 * instruction that may raise #VC, because the #VC handler vc32() needs them. INSN32()
 * writes them by their offsets 0 and 4. vc32() writes the other fields.
 */
struct vc32_log {
	/* Address of the instruction that may raise #VC. */
	uint32_t eip;
	/* Address of the next instruction, to which vc32() returns. */
	uint32_t resume;
	uint32_t count;			/* number of #VC so far */
	/*
	 * Fields of the last #VC's stack frame, and in @frame the address of that stack
	 * frame.
	 */
	uint32_t error_code, cs, eflags, frame;
	/* Number of #VC whose stack frame had another EIP than @eip. */
	uint32_t wrong_eip;
	/*
	 * Number of CPUID requests by the MSR protocol to which the hypervisor's response
	 * was not RESP_CPUID.
	 */
	uint32_t bad_response;
};

struct early_log early __attribute__((section(".data")));
struct vc32_log vc32_log __attribute__((used));
uint64_t boot_pml4[PTRS] __attribute__((aligned(PAGE_SIZE)));
static uint64_t boot_pdpt[PTRS] __attribute__((aligned(PAGE_SIZE)));
static uint64_t boot_pd[4 * PTRS] __attribute__((aligned(PAGE_SIZE)));
static uint64_t idt32[VECTORS];
static uint32_t tss32[26];
static uint8_t vc_stack[1024], user_stack[1024], monitored[64];
static uint8_t snp_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
/* Number of #UD so far, which ud32_entry in head.S counts. */
uint32_t ud32_count __attribute__((used));
extern uint64_t gdt[];

/*
 * Entry points in head.S to which IDT gates lead: vc32_entry for #VC, ud32_entry for
 * #UD, user32_end for INT VECTOR_USER_END. C code must not call them, because they do not
 * follow the C calling convention.
 */
void vc32_entry(void);
void ud32_entry(void);
void user32_end(void);

/*
 * In head.S: runs the code at @eip at CPL 3, with the selectors @cs and @ss and the stack
 * @esp. Returns when that code executes INT VECTOR_USER_END.
 */
void user32_run(uint32_t eip, uint32_t cs, uint32_t ss, uint32_t esp);

/*
 * The #VC handler in C. vc32_entry in head.S calls it with the frame @f that it has
 * pushed, and restores the registers from @f afterwards.
 */
void vc32(struct frame32 *f);

/*
 * The C code of the 32-bit part. The 32-bit entry in head.S calls boot32() once, with the
 * zero page @bp, and enters long mode when boot32() has returned.
 */
void boot32(struct boot_params *bp);

/* The name of the case that is running. record() stores it with each comparison. */
static const char *running;

/*
 * Records a comparison of @got with @want, which print_early() in main.c prints later.
 * @what names the value. Ignores the comparison if the log is full.
 */
static void record(const char *what, uint32_t got, uint32_t want)
{
	struct early_result *r;

	if (early.count == EARLY_MAX)
		return;
	r = &early.result[early.count++];
	r->name = (uint32_t)running;
	r->what = (uint32_t)what;
	r->got = got;
	r->want = want;
}

static uint64_t rdmsr32(uint32_t msr)
{
	uint64_t value;

	asm volatile("rdmsr" : "=A"(value) : "c"(msr));
	return value;
}

static uint64_t msr_protocol32(uint64_t request)
{
	asm volatile("wrmsr; rep; vmmcall"
		     : : "c"(MSR_GHCB), "A"(request) : "memory");
	return rdmsr32(MSR_GHCB);
}

static uint32_t hook32(uint32_t function)
{
	uint32_t result;

	asm volatile("vmmcall" : "=a"(result)
		     : "a"(HOOK_MAGIC), "c"(function), "d"(0), "S"(0));
	return result;
}

/*
 * Announces to sevemu that the next SNP instruction causes the violation @why (VIOL_*),
 * so that sevemu does not end the run.
 */
static void hook32_expect(uint32_t why)
{
	uint32_t result;

	asm volatile("vmmcall" : "=a"(result)
		     : "a"(HOOK_MAGIC), "c"(HOOK_EXPECT), "d"(why), "S"(0));
}

static uint32_t cpuid_by_msr(uint32_t function, uint32_t reg)
{
	uint64_t reply = msr_protocol32((uint64_t)function << 32 | reg << 30 |
					REQ_CPUID);

	if ((reply & MSR_PROTOCOL_MASK) != RESP_CPUID)
		vc32_log.bad_response++;
	return reply >> 32;
}

void vc32(struct frame32 *f)
{
	uint32_t function = f->eax;

	vc32_log.count++;
	vc32_log.error_code = f->error_code;
	vc32_log.cs = f->cs;
	vc32_log.eflags = f->eflags;
	vc32_log.frame = (uint32_t)f;
	if (f->eip != vc32_log.eip)
		vc32_log.wrong_eip++;
	if (f->error_code == SVM_EXIT_CPUID) {
		f->eax = cpuid_by_msr(function, 0);
		f->ebx = cpuid_by_msr(function, 1);
		f->ecx = cpuid_by_msr(function, 2);
		f->edx = cpuid_by_msr(function, 3);
	}
	f->eip = vc32_log.resume;
}

/*
 * Makes the 32-bit IDT entry of @vector lead to @handler. @type is GATE32_*; 0 makes a
 * gate that is not present.
 */
static void gate(uint8_t vector, void (*handler)(void), uint32_t type)
{
	uint32_t address = (uint32_t)handler;

	idt32[vector] = (address & 0xffff) | SELECTOR_CODE32 << 16 |
			(uint64_t)((address & 0xffff0000) | type) << 32;
}

static void load_idt32(uint16_t limit)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = { limit, (uint32_t)idt32 };

	asm volatile("lidt %0" : : "m"(idtr));
}

/*
 * Loads a 32-bit TSS that has a stack for exceptions from CPL 3. The boot protocol
 * gives the guest no TSS.
 */
static void load_tss32(void)
{
	uint32_t base = (uint32_t)tss32;

	tss32[1] = (uint32_t)(vc_stack + sizeof(vc_stack));
	tss32[2] = SELECTOR_DATA;
	gdt[SELECTOR_TSS32 / 8] = TSS32_AVAILABLE | (sizeof(tss32) - 1) |
				  (uint64_t)(base & 0xffffff) << 16 |
				  (uint64_t)(base & 0xff000000) << 32;
	asm volatile("ltr %w0" : : "r"(SELECTOR_TSS32));
}

/*
 * Defines the function insn_<id>(), which executes one instruction with the registers
 * in @r and stores the results there. If the instruction raises #VC, the handler vc32()
 * continues after the instruction.
 */
#define INSN32(id, text)						\
	static void insn_##id(struct regs32 *r)				\
	{								\
		asm volatile("movl $1f, vc32_log\n\t"			\
			     "movl $2f, vc32_log + 4\n"			\
			     "1:\t" text "\n2:"				\
			     : "+a"(r->eax), "+b"(r->ebx),		\
			       "+c"(r->ecx), "+d"(r->edx)		\
			     : : "memory", "cc");			\
	}

INSN32(cpuid, "cpuid")
INSN32(rdtsc, "rdtsc")
INSN32(rdpmc, "rdpmc")
INSN32(rdtscp, "rdtscp")
INSN32(inb, "inb %%dx, %%al")
INSN32(outb, "outb %%al, %%dx")
INSN32(rdmsr, "rdmsr")
INSN32(wrmsr, "wrmsr")
INSN32(wbinvd, "wbinvd")
INSN32(invd, "invd")
INSN32(monitor, "monitor")
INSN32(mwait, "mwait")
INSN32(vmmcall, "vmmcall")
INSN32(read_dr7, "movl %%dr7, %%eax")
INSN32(write_dr7, "movl %%eax, %%dr7")

/*
 * Instructions that must raise #VC, each with the error code that #VC must have and
 * with the values of EAX, ECX and EDX for the instruction.
 */
static const struct exit32 {
	const char *name;
	void (*insn)(struct regs32 *r);
	uint32_t error_code, eax, ecx, edx;
} exits[] = {
	{ "32bit.inb", insn_inb, SVM_EXIT_IOIO, 0, 0, 0x3ff },
	{ "32bit.outb", insn_outb, SVM_EXIT_IOIO, 0, 0, 0x3ff },
	{ "32bit.rdmsr", insn_rdmsr, SVM_EXIT_MSR, 0, MSR_APIC_BASE, 0 },
	{ "32bit.wrmsr", insn_wrmsr, SVM_EXIT_MSR, 0, MSR_APIC_BASE, 0 },
	{ "32bit.rdpmc", insn_rdpmc, SVM_EXIT_RDPMC, 0, 0, 0 },
	{ "32bit.wbinvd", insn_wbinvd, SVM_EXIT_WBINVD, 0, 0, 0 },
	{ "32bit.invd", insn_invd, SVM_EXIT_INVD, 0, 0, 0 },
	{ "32bit.monitor", insn_monitor, SVM_EXIT_MONITOR,
	  (uint32_t)monitored, 0, 0 },
	{ "32bit.mwait", insn_mwait, SVM_EXIT_MWAIT, 0, 0, 0 },
	{ "32bit.vmmcall", insn_vmmcall, SVM_EXIT_VMMCALL, 0, 0, 0 },
	{ "32bit.dr7-read", insn_read_dr7, SVM_EXIT_READ_DR7, 0, 0, 0 },
	{ "32bit.dr7-write", insn_write_dr7, SVM_EXIT_WRITE_DR7, 0x400, 0, 0 },
};

/*
 * Executes @insn as the case @name. Records two comparisons: whether it raised exactly
 * one #VC, and whether the #VC's error code was @error_code.
 */
static void run(const char *name, void (*insn)(struct regs32 *r),
		struct regs32 *r, uint32_t error_code)
{
	uint32_t count = vc32_log.count;

	running = name;
	insn(r);
	record("#VC count", vc32_log.count - count, 1);
	record("error code", vc32_log.error_code, error_code);
}

static void user_cpuid(void)
{
	struct regs32 r = { 0 };

	insn_cpuid(&r);
	asm volatile("int %0" : : "i"(VECTOR_USER_END));
}

/*
 * Executes every kind of instruction that raises #VC in an SEV-ES guest, and records
 * the results. @config is what HOOK_CONFIG has returned: sevemu's options.
 */
static void run_good(uint32_t config)
{
	struct regs32 r = { 0 };
	uint32_t i, count;

	run("32bit.cpuid", insn_cpuid, &r, SVM_EXIT_CPUID);
	record("cpuid(0).ebx", r.ebx, 0x68747541);	/* "Auth" */
	record("cpuid(0).edx", r.edx, 0x69746e65);	/* "enti" */
	record("cpuid(0).ecx", r.ecx, 0x444d4163);	/* "cAMD" */
	record("bad responses", vc32_log.bad_response, 0);

	for (i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		r.eax = exits[i].eax;
		r.ecx = exits[i].ecx;
		r.edx = exits[i].edx;
		run(exits[i].name, exits[i].insn, &r, exits[i].error_code);
	}

	running = "32bit.rdtsc";
	count = vc32_log.count;
	insn_rdtsc(&r);
	insn_rdtscp(&r);
	record("#VC count", vc32_log.count - count,
	       config & HOOK_CONFIG_RDTSC ? 2 : 0);

	running = "32bit.user";
	count = vc32_log.count;
	user32_run((uint32_t)user_cpuid, SELECTOR_USER_CODE32,
		   SELECTOR_USER_DATA,
		   (uint32_t)(user_stack + sizeof(user_stack)));
	record("#VC count", vc32_log.count - count, 1);
	record("CS", vc32_log.cs, SELECTOR_USER_CODE32);
	record("frame on the TSS's stack", vc32_log.frame,
	       (uint32_t)(vc_stack + sizeof(vc_stack) -
			  sizeof(struct frame32)));

	running = "32bit.frame";
	record("wrong EIP", vc32_log.wrong_eip, 0);
	record("IF", vc32_log.eflags & EFLAGS_IF, 0);
}

struct pvalidate32_result {
	uint32_t eax, eflags;
};

static struct pvalidate32_result pvalidate32(uint32_t address, uint32_t size,
					     uint32_t validate)
{
	struct pvalidate32_result r;

	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff\n\tpushfl; popl %1"
		     : "=a"(r.eax), "=r"(r.eflags)
		     : "0"(address), "c"(size), "d"(validate) : "memory", "cc");
	return r;
}

static uint32_t rmp32(const void *page)
{
	uint32_t result;

	asm volatile("vmmcall" : "=a"(result)
		     : "a"(HOOK_MAGIC), "c"(HOOK_RMP), "d"(page), "S"(0));
	return result & (HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED);
}

/*
 * Executes RMPADJUST (@modrm 0xfe) or RMPQUERY (@modrm 0xfd) as the case @name. 32-bit
 * code does not have these instructions, so the processor must raise #UD.
 */
static void raises_ud(const char *name, uint8_t modrm)
{
	uint32_t count = ud32_count;

	running = name;
	if (modrm == 0xfe)
		asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfe"
			     : : "a"(snp_page), "c"(0), "d"(1) : "memory");
	else
		asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfd"
			     : : "a"(snp_page), "c"(0), "d"(1) : "memory");
	record("#UD count", ud32_count - count, 1);
}

/*
 * The cases of an SNP guest: RMPADJUST and RMPQUERY raise #UD. At VMPL 0, PVALIDATE
 * rescinds and validates snp_page. Without paging every access is private, so a write to
 * the rescinded page raises #VC 0x404. @config is the result of HOOK_CONFIG.
 */
static void run_snp(uint32_t config)
{
	struct pvalidate32_result r;
	uint32_t count;

	raises_ud("32bit.rmpadjust", 0xfe);
	raises_ud("32bit.rmpquery", 0xfd);
	if (!VMPL_0(config))
		return;

	running = "32bit.pvalidate";
	record("before", rmp32(snp_page), HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED);
	r = pvalidate32((uint32_t)snp_page, 0, 0);
	record("EAX", r.eax, 0);
	record("CF", r.eflags & EFLAGS_CF, 0);
	record("rescinded", rmp32(snp_page), HOOK_RMP_ASSIGNED);

	running = "32bit.404";
	count = vc32_log.count;
	asm volatile("movl $1f, vc32_log; movl $2f, vc32_log + 4\n"
		     "1:\tmovl %%eax, %0\n2:" : "=m"(snp_page[8]) : : "memory");
	record("#VC count", vc32_log.count - count, 1);
	record("error code", vc32_log.error_code, VC_NOT_VALIDATED);

	running = "32bit.pvalidate-again";
	r = pvalidate32((uint32_t)snp_page + 0x10, 0, 1);
	record("EAX", r.eax, 0);
	record("CF", r.eflags & EFLAGS_CF, 0);
	record("validated", rmp32(snp_page), HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED);
	hook32_expect(VIOL_DOUBLE_VALIDATION);
	r = pvalidate32((uint32_t)snp_page, 0, 1);
	record("EAX", r.eax, 0);
	record("CF", r.eflags & EFLAGS_CF, EFLAGS_CF);
}

/*
 * Builds boot_pml4, an identity map of the first 4 GiB in leaves of 2 MiB. @cmask is
 * the C-bit as a mask, or 0 without SEV.
 */
static void build_tables(uint64_t cmask)
{
	uint64_t flags = PTE_P | PTE_RW | cmask;
	uint32_t i;

	boot_pml4[0] = (uint32_t)boot_pdpt | flags;
	for (i = 0; i < 4; i++)
		boot_pdpt[i] = (uint32_t)&boot_pd[i * PTRS] | flags;
	for (i = 0; i < 4 * PTRS; i++)
		boot_pd[i] = (uint64_t)i * PAGE_2M | flags | PTE_PS;
}

void boot32(struct boot_params *bp)
{
	const char *name = cmdline_case((const char *)bp->hdr.cmd_line_ptr);
	uint32_t config = hook32(HOOK_CONFIG);
	uint32_t sev = config >> HOOK_CONFIG_SEV_SHIFT & 3;
	uint32_t cbit = config >> HOOK_CONFIG_CBIT_SHIFT & 0xff;
	struct regs32 r = { 0 };

	gate(VECTOR_VC, vc32_entry, GATE32_INTERRUPT);
	gate(VECTOR_USER_END, user32_end, GATE32_USER);
	gate(VECTOR_UD, ud32_entry, GATE32_INTERRUPT);
	if (!word_is(name, "32bit.no-idt"))
		load_idt32(sizeof(idt32) - 1);
	if (word_is(name, "32bit.no-gate"))
		gate(VECTOR_VC, vc32_entry, 0);
	if (word_is(name, "32bit.no-idt") || word_is(name, "32bit.no-gate"))
		insn_cpuid(&r);
	if (word_is(name, "32bit.terminate"))
		msr_protocol32(REQ_TERMINATE);
	if (word_is(name, "32bit.bad-stack"))
		asm volatile("movl $0xfffff000, %esp\n\tcpuid");
	load_tss32();
	if (sev >= SEV_ES_OPTION && word_is(name, "all"))
		run_good(config);
	if (sev == SEV_SNP_OPTION && word_is(name, "all"))
		run_snp(config);
	if (word_is(name, "32bit.double-validation"))
		pvalidate32((uint32_t)snp_page, 0, 1);
	build_tables(sev ? 1ULL << cbit : 0);
}
