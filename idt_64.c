/* SPDX-License-Identifier: MIT */
/*
 * idt_64.c - fills in the IDT, in two stages. idt_handlers_64.S has the code
 * that the gates lead to, and exception.c handles the exceptions.
 *
 * Stage 1 is loaded soon after the entry and stays until the stub's own page
 * tables are loaded. Stage 2 lets page faults map memory, but not in an SEV-ES guest. It gives
 * #DF a stack of its own, so that a stack overflow into the guard page is reported instead
 * of resetting the machine. Before the payload is entered, an IDT without
 * entries is loaded, because the payload may overwrite the handlers.
 *
 * There are two tables. The image as it was loaded uses `idt`. The moved image uses
 * moved_idt, which has never held addresses of the loaded image, because the payload
 * may lie there later and the hypervisor can put old contents of memory back.
 */
#include "exception.h"
#include "idt.h"
#include "image.h"
#include "x86.h"

/* The 64-bit TSS (APM2 12.2.5). The stub uses ist[] for #DF only. */
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

/*
 * The handlers in idt_handlers_64.S. The gate of vector n points to element n.
 */
extern const u8 exception_stubs[IDT_VECTORS][EXCEPTION_STUB_SIZE];

in_data struct idt idt;
/*
 * Aligned so that ist[0] lies in one block of 16 bytes. The hypervisor can put an old block
 * back. The processor then reads the whole address or 0 from ist[0], not half of the address.
 */
static struct tss tss __attribute__((aligned(16)));
BUILD_BUG_ON(offsetof(struct tss, ist) % 16 + sizeof(u64) > 16);
/*
 * The stack on which #DF is handled. The compiler gives it a section of its
 * own, .bss.double_fault_stack, which linker.ld places directly above the guard
 * page double_fault_guard.
 */
static u8 double_fault_stack[DOUBLE_FAULT_STACK_SIZE] __attribute__((aligned(16)));

/*
 * Writes the gate of @vector (APM2 4.8.4). The half that makes the gate present is written
 * last. Memory thus never holds a present gate with only a part of the handler's address,
 * which the hypervisor could put back later.
 */
static void set_gate(struct idt *table, unsigned int vector, u64 ist)
{
	volatile u64 *gate = table->gates[vector];
	u64 handler = (u64)exception_stubs[vector];

	gate[1] = handler >> 32;
	gate[0] = (handler & 0xffff) | (handler & 0xffff0000) << 32 |
		  (u64)BOOT_CS << 16 | ist << 32 | (u64)GATE_INTERRUPT << 40;
}

void idt_load_stage1(struct idt *table)
{
	unsigned int vector;

	for (vector = 0; vector < IDT_VECTORS; vector++)
		set_gate(table, vector, 0);
	table->ptr.base = (u64)table->gates;
	barrier();
	table->ptr.limit = sizeof(table->gates) - 1;
	load_idt(&table->ptr);
}

/* Loads the TSS, whose descriptor takes two entries of the GDT (APM2 4.8.3). */
static void load_tss(void)
{
	u64 base = (u64)&tss;
	u64 limit = sizeof(tss) - 1;
	volatile u64 *descriptor = &gdt[BOOT_TSS / sizeof(gdt[0])];

	tss.ist[IST_DOUBLE_FAULT - 1] =
		(u64)(double_fault_stack + sizeof(double_fault_stack));
	tss.iomap_base = sizeof(tss);

	/*
	 * Write the half that makes the descriptor present last. Memory thus never holds a
	 * present descriptor with only a part of the TSS's address, which the hypervisor
	 * could put back later.
	 */
	descriptor[1] = base >> 32;
	descriptor[0] = limit | (base & 0xffffff) << 16 |
			GDT_TSS | (base >> 24 & 0xff) << 56;
	load_tr(BOOT_TSS);
}

void idt_load_stage2(void)
{
	load_tss();
	set_gate(&moved_idt, X86_TRAP_DF, IST_DOUBLE_FAULT);
	exception_allow_mapping();
}

void idt_teardown(void)
{
	/*
	 * A constant in .rodata never had another value, so that LIDT reads this operand even
	 * if the hypervisor puts old contents of the memory back.
	 */
	static const struct desc_ptr none = { 0, 0 };

	load_idt(&none);
}
