/* SPDX-License-Identifier: MIT */
/*
 * idt_64.c - gates, and what becomes of an exception.
 *
 * Stage 1 holds from the entry until the stub's own page tables are in force:
 * every exception but an NMI is fatal. From stage 2 on a page fault may map
 * memory, and a double fault has a stack of its own, so that running off the
 * stack into the guard page is reported and not a reset. At the end the IDT is
 * emptied: its code is about to be overwritten.
 *
 * The image moves between the two loads of stage 1, so addresses are computed
 * when a table is loaded and never kept.
 */
#include "idt.h"
#include "misc.h"
#include "sev.h"

/* 64-bit TSS (APM2 12.2.5): only the interrupt stacks matter here. */
struct tss {
	u32 reserved0;		/* 0x00 */
	u64 rsp[3];		/* 0x04 */
	u64 reserved1;		/* 0x1c */
	u64 ist[7];		/* 0x24 */
	u64 reserved2;		/* 0x5c */
	u16 reserved3;		/* 0x64 */
	u16 iomap_base;		/* 0x66 */
} __attribute__((packed));
BUILD_BUG_ON(sizeof(struct tss) != 0x68);

extern const u8 exception_stubs[IDT_VECTORS][EXCEPTION_STUB_SIZE]
	__attribute__((visibility("hidden")));

static in_data struct idt_gate idt[IDT_VECTORS];
static struct tss tss;
/* linker.ld has its guard page right below it, by its section's name. */
static u8 double_fault_stack[DOUBLE_FAULT_STACK_SIZE] __attribute__((aligned(16)));

/* Exceptions can come at any time: none of this may be in .bss. */
static in_data bool paging_is_ours;
static in_data bool reporting;
in_data u32 nmi_count;

static void set_gate(unsigned int vector, u8 ist)
{
	u64 handler = (u64)exception_stubs[vector];

	idt[vector] = (struct idt_gate){
		.offset_low = (u16)handler,
		.selector = BOOT_CS,
		.ist = ist,
		.type = GATE_INTERRUPT,
		.offset_middle = (u16)(handler >> 16),
		.offset_high = (u32)(handler >> 32),
	};
}

void idt_load_stage1(void)
{
	struct desc_ptr ptr;
	unsigned int vector;

	/* Not an initializer: clang would copy one from data, address and all. */
	ptr.limit = sizeof(idt) - 1;
	ptr.base = (u64)idt;
	for (vector = 0; vector < IDT_VECTORS; vector++)
		set_gate(vector, 0);
	load_idt(&ptr);
}

/* A TSS descriptor takes two slots of the GDT (APM2 4.8.3). */
static void load_tss(void)
{
	u64 base = (u64)&tss;
	u64 limit = sizeof(tss) - 1;
	unsigned int slot = BOOT_TSS / sizeof(gdt[0]);

	tss.ist[IST_DOUBLE_FAULT - 1] =
		(u64)(double_fault_stack + sizeof(double_fault_stack));
	tss.iomap_base = sizeof(tss);

	gdt[slot] = limit | (base & 0xffffff) << 16 |
		    GDT_TSS | (base >> 24 & 0xff) << 56;
	gdt[slot + 1] = base >> 32;
	load_tr(BOOT_TSS);
}

void idt_load_stage2(void)
{
	load_tss();
	set_gate(X86_TRAP_DF, IST_DOUBLE_FAULT);
	paging_is_ours = true;
}

void idt_teardown(void)
{
	struct desc_ptr ptr = { 0, 0 };

	load_idt(&ptr);
}

static const char *exception_name(u64 vector)
{
	static const char names[IDT_VECTORS][4] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
		"#DF", "#09", "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
		"#MF", "#AC", "#MC", "#XF", "#20", "#CP", "#22", "#23",
		"#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
	};

	return vector < IDT_VECTORS ? names[vector] : "?";
}

static bool is_in_page(u64 addr, const u8 *page)
{
	return addr >= (u64)page && addr < (u64)page + PAGE_SIZE;
}

/* A guard page is no place to look at: there would be no second report. */
static bool is_stack(u64 rsp)
{
	return rsp >= (u64)_data && rsp < (u64)stack_end &&
	       !is_in_page(rsp, stack_guard) &&
	       !is_in_page(rsp, double_fault_guard);
}

/* The interrupted code's stack, as far as it certainly is one. */
static void dump_stack(u64 rsp)
{
	unsigned int i;

	if (rsp % sizeof(u64) || !is_stack(rsp))
		return;

	con_printf("  stack");
	for (i = 0; i < STACK_DUMP_WORDS && is_stack(rsp); i++) {
		con_printf(" %016lx", *(const u64 *)rsp);
		rsp += sizeof(u64);
	}
	con_printf("\n");
}

static void dump_registers(const struct exception_frame *f)
{
	con_printf("  cs %lx rflags %lx cr2 %016lx cr3 %016lx\n",
		   f->cs, f->rflags, read_cr2(), read_cr3());
	con_printf("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n",
		   f->rax, f->rbx, f->rcx, f->rdx);
	con_printf("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n",
		   f->rsi, f->rdi, f->rbp, f->rsp);
	con_printf("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n",
		   f->r8, f->r9, f->r10, f->r11);
	con_printf("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n",
		   f->r12, f->r13, f->r14, f->r15);
}

/*
 * Everything that can be said about an exception that nobody expected, then
 * the end. An exception on the way says nothing: it would not get further.
 */
static noreturn void report(const struct exception_frame *f)
{
	u64 cr2 = read_cr2();

	if (reporting)
		stop(SEVSTUB_TERM_EXCEPTION);
	reporting = true;
	sev_es_abandon();

	console_force();
	if (paging_is_ours && f->vector == X86_TRAP_DF &&
	    ident_map_is_guard(cr2))
		con_printf("sevstub: stack overflow: the guard page was hit at 0x%lx by startup_32+0x%lx\n",
			   cr2, f->rip - (u64)startup_32);
	else
		con_printf("sevstub: unexpected exception: %s (vector %lu) error code 0x%lx at startup_32+0x%lx\n",
			   exception_name(f->vector), f->vector, f->error_code,
			   f->rip - (u64)startup_32);
	/* Registers are what SEV-ES keeps from the host that reads this. */
	if (!sev_es_active()) {
		dump_registers(f);
		dump_stack(f->rsp);
	}
	stop(SEVSTUB_TERM_EXCEPTION);
}

void do_exception(struct exception_frame *frame)
{
	unsigned int vector;

	/* Nothing but the stub's code runs: not an exception of its own. */
	if (frame->cs != BOOT_CS)
		report(frame);

	switch (frame->vector) {
	case X86_TRAP_NMI:
		nmi_count++;
		sev_es_nmi();
		return;
	case X86_TRAP_VC:
		vector = sev_es_vc(frame);
		if (!vector)
			return;
		/* The error code was the exit code of what is #VC no more. */
		if (vector != X86_TRAP_VC)
			frame->error_code = 0;
		frame->vector = vector;
		break;
	case X86_TRAP_PF:
		/* A handler touches nothing that is not mapped. */
		if (sev_es_busy())
			sev_es_terminate(SEV_TERM_SET_SEVSTUB,
					 SEVSTUB_TERM_REENTRY);
		if (paging_is_ours &&
		    ident_map_fault(read_cr2(), frame->error_code) == 0)
			return;
		break;
	}
	report(frame);
}
