/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - checks the processor's state at the test kernel's entry against boot.rst,
 * "64-bit Boot Protocol", and against the stub's additional promises: CR0.WP is set and
 * the IDT is empty. It also catches and reports exceptions.
 */
#include "kernel.h"

/* Bits of a segment descriptor (APM2 4.7, 4.8) as a 64-bit number. */
#define DESC_TYPE		(_AC(0xf, ULL) << 40)
#define DESC_ACCESSED		(_AC(1, ULL) << 40)
#define DESC_CODE_READ		(_AC(1, ULL) << 41)
#define DESC_DATA_WRITE		(_AC(1, ULL) << 41)
#define DESC_CODE		(_AC(1, ULL) << 43)
#define DESC_USER		(_AC(1, ULL) << 44)
#define DESC_DPL		(_AC(3, ULL) << 45)
#define DESC_PRESENT		(_AC(1, ULL) << 47)
#define DESC_LONG		(_AC(1, ULL) << 53)
#define DESC_DEFAULT_SIZE	(_AC(1, ULL) << 54)
#define DESC_GRANULARITY	(_AC(1, ULL) << 55)
#define DESC_BASE		_AC(0xff0000ffffff0000, ULL)
#define DESC_LIMIT		_AC(0x000f00000000ffff, ULL)

/*
 * The CR4 bits that may be set at the test kernel's entry. MCE is allowed, because the
 * stub, like Linux's boot code, keeps CR4.MCE as firmware has set it.
 */
#define CR4_ALLOWED	(X86_CR4_PAE | X86_CR4_LA57 | X86_CR4_MCE)
#define CR0_REQUIRED	(X86_CR0_PE | X86_CR0_PG | X86_CR0_WP)
#define CR0_FORBIDDEN	(X86_CR0_CD | X86_CR0_NW)

static struct idt_gate idt[IDT_VECTORS];

void cpu_save_segments(struct segment_state *s)
{
	asm volatile("mov %%cs, %0" : "=rm"(s->cs));
	asm volatile("mov %%ds, %0" : "=rm"(s->ds));
	asm volatile("mov %%es, %0" : "=rm"(s->es));
	asm volatile("mov %%ss, %0" : "=rm"(s->ss));
	asm volatile("sgdt %0" : "=m"(s->gdtr));
	asm volatile("sidt %0" : "=m"(s->idtr));
}

void cpu_catch_exceptions(void)
{
	struct desc_ptr idtr = { sizeof(idt) - 1, (u64)idt };
	u16 cs;

	asm volatile("mov %%cs, %0" : "=rm"(cs));
	for (u32 i = 0; i < IDT_VECTORS; i++) {
		u64 stub = (u64)exception_stubs + i * EXCEPTION_STUB_SIZE;

		idt[i] = (struct idt_gate){
			.offset_low = (u16)stub,
			.selector = cs,
			.type = GATE_INTERRUPT,
			.offset_middle = (u16)(stub >> 16),
			.offset_high = (u32)(stub >> 32),
		};
	}
	load_idt(&idtr);
}

noreturn void exception(const u64 *frame)
{
	fail("exception %lu, error code %lx, RIP %lx (image + %lx), CR2 %lx",
	     frame[0], frame[1], frame[2], frame[2] - (u64)image_start,
	     read_cr2());
	finish();
}

/*
 * Checks the fields of the segment descriptor @desc that a code and a data segment have
 * in common: base 0, limit 4 GiB, present, DPL 0. @name is for messages.
 */
static void check_flat(const char *name, u64 desc)
{
	if ((desc & DESC_LIMIT) != DESC_LIMIT || !(desc & DESC_GRANULARITY))
		fail("cpu: %s descriptor %lx: limit is not 4 GiB", name, desc);
	if (desc & DESC_BASE)
		fail("cpu: %s descriptor %lx: base is not 0", name, desc);
	if (!(desc & DESC_PRESENT) || !(desc & DESC_USER) || (desc & DESC_DPL))
		fail("cpu: %s descriptor %lx: not a present DPL 0 segment",
		     name, desc);
}

static void check_segments(const struct segment_state *s)
{
	const u64 *gdt = (const u64 *)s->gdtr.base;
	u64 code, data;

	if (s->cs != BOOT_CS)
		fail("cpu: CS is %x, not %x", s->cs, BOOT_CS);
	if (s->ds != BOOT_DS || s->es != BOOT_DS || s->ss != BOOT_DS)
		fail("cpu: DS, ES, SS are %x, %x, %x, not %x", s->ds, s->es,
		     s->ss, BOOT_DS);
	if (s->gdtr.limit < BOOT_DS + sizeof(u64) - 1) {
		fail("cpu: GDT's limit %x leaves no room for the boot segments",
		     s->gdtr.limit);
		return;
	}

	code = gdt[BOOT_CS / sizeof(u64)];
	data = gdt[BOOT_DS / sizeof(u64)];
	fact("cpu: gdt %lx, code %lx, data %lx", s->gdtr.base, code, data);
	check_flat("CS", code);
	check_flat("DS", data);
	if (!(code & DESC_CODE) || !(code & DESC_CODE_READ))
		fail("cpu: CS descriptor %lx is not execute/read", code);
	if (!(code & DESC_LONG) || (code & DESC_DEFAULT_SIZE))
		fail("cpu: CS descriptor %lx is not 64-bit", code);
	/*
	 * A descriptor of type 2 or 3 is a writable data segment that expands upwards.
	 * The two types differ in the accessed bit only.
	 */
	if ((data & DESC_TYPE & ~DESC_ACCESSED) != DESC_DATA_WRITE)
		fail("cpu: DS descriptor %lx is not read/write", data);
	if (s->idtr.limit)
		fail("cpu: IDT's limit is %x, not 0", s->idtr.limit);
}

/*
 * Checks CR0, CR4 and EFER at the kernel's entry. CR4.PAE, EFER.LME and EFER.LMA need
 * no check, because 64-bit code could not run without them.
 */
static void check_control_registers(void)
{
	u64 cr0 = read_cr0();
	u64 cr4 = read_cr4();
	u64 efer = rdmsr(MSR_EFER);
	u64 la57 = !!(cr4 & X86_CR4_LA57);
	u64 nx = option_number("t.nx", 1);

	fact("cpu: cr0 %lx, cr3 %lx, cr4 %lx, efer %lx", cr0, read_cr3(), cr4,
	     efer);
	if (~cr0 & CR0_REQUIRED)
		fail("cpu: CR0 %lx lacks %lx", cr0, ~cr0 & CR0_REQUIRED);
	if (cr0 & CR0_FORBIDDEN)
		fail("cpu: CR0 %lx has %lx", cr0, cr0 & CR0_FORBIDDEN);
	if (cr4 & ~(u64)CR4_ALLOWED)
		fail("cpu: CR4 %lx has %lx", cr4, cr4 & ~(u64)CR4_ALLOWED);
	if (option_number("t.la57", la57) != la57)
		fail("cpu: LA57 is %lu", la57);
	if (!!(efer & EFER_NXE) != nx)
		fail("cpu: EFER %lx: NXE is not %lu", efer, nx);
}

void cpu_check(const struct entry_state *state,
	       const struct segment_state *segments)
{
	check_control_registers();
	check_segments(segments);

	fact("cpu: rsp %lx, rflags %lx", state->rsp, state->rflags);
	if (state->rflags & X86_EFLAGS_IF)
		fail("cpu: interrupts are on");
	if (state->rflags & X86_EFLAGS_DF)
		fail("cpu: the direction flag is set");
	if (state->rsp % 16)
		fail("cpu: RSP %lx is not aligned to 16", state->rsp);
}
