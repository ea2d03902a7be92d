/* SPDX-License-Identifier: MIT */
/*
 * la57.c - five-level paging: whether to switch it on or off for the payload,
 * and the memory that the switch needs.
 *
 * CR4.LA57 cannot change in long mode (APM2 3.1.3), so la57_trampoline.S leaves
 * long mode and comes back. Until it is back it runs below 4 GiB: its code,
 * descriptor tables, stack, and a copy of the top page table. That is one page
 * for the table and one for the rest: what firmware gave to efi.c, or the image's
 * own where that is low enough, or else the highest RAM there is, which is put
 * back as it was.
 *
 * Runs in the moved copy. la57_prepare() decides before the stub's own tables
 * are built; la57_switch() needs them, and changes their depth.
 */
#include <asm/bootparam.h>

#include "cmdline.h"
#include "e820.h"
#include "error.h"
#include "ghcb.h"
#include "ident_map.h"
#include "image.h"
#include "la57.h"
#include "lib/string.h"
#include "sev.h"
#include "x86.h"

BUILD_BUG_ON(offsetof(struct la57_page, nmis) != LA57_NMIS);
BUILD_BUG_ON(offsetof(struct la57_page, sev_status) != LA57_SEV_STATUS);
BUILD_BUG_ON(offsetof(struct la57_page, rsp) != LA57_RSP);
BUILD_BUG_ON(offsetof(struct la57_page, back) != LA57_BACK);
BUILD_BUG_ON(offsetof(struct la57_page, gdt_ptr) != LA57_GDT_PTR);
BUILD_BUG_ON(offsetof(struct la57_page, idt_ptr) != LA57_IDT_PTR);
BUILD_BUG_ON(offsetof(struct la57_page, stack_end) != LA57_STACK_END);
BUILD_BUG_ON(offsetof(struct la57_page, stack) !=
	     offsetof(struct la57_page, idt) + LA57_IDT_SLOTS * sizeof(u64));
BUILD_BUG_ON(offsetof(struct la57_page, code) != LA57_CODE);
BUILD_BUG_ON(sizeof(struct la57_page) != LA57_SIZE - PAGE_SIZE);

/* Real mode's memory: vectors, the BIOS's data, the EBDA, video, ROMs. */
#define LOW_MEMORY_END	0x100000UL
#define MEMORY_4G	0x100000000UL

in_data u64 la57_efi_memory;

static u64 area;		/* LA57_SIZE bytes, or 0: nothing to change */
static bool borrowed;

/*
 * Leaf 7 must not be asked of a processor that does not have it. Every one with
 * SEV-ES has, and there the answer costs an exit, so it is one register by the
 * MSR protocol and not four. A hypervisor that lies is found out by the switch.
 */
static bool cpu_has_la57(void)
{
	u32 ecx = 0;

	if (sev_es_active())
		ecx = msr_protocol_cpuid(CPUID_STRUCTURED, GHCB_MSR_CPUID_ECX);
	else if (cpuid_count(0, 0).eax >= CPUID_STRUCTURED)
		ecx = cpuid_count(CPUID_STRUCTURED, 0).ecx;
	return ecx >> CPUID_7_ECX_LA57_BIT & 1;
}

/*
 * The highest LA57_SIZE bytes of RAM below 4 GiB, or 0. They end at 4 GiB, at
 * an entry's end or where another one begins, or could lie higher.
 */
static u64 find_low_memory(const struct boot_params *bp)
{
	unsigned int edges = 2U * bp->e820_entries + 1, i;
	u64 best = 0;

	if (bp->e820_entries > E820_MAX_ENTRIES_ZEROPAGE)
		edges = 2 * E820_MAX_ENTRIES_ZEROPAGE + 1;
	for (i = 0; i < edges; i++) {
		const struct boot_e820_entry *e = &bp->e820_table[i / 2];
		u64 start, end = MEMORY_4G;

		if (i < edges - 1)
			end = i % 2 ? e->addr + e->size : e->addr;
		if (end > MEMORY_4G || end < LOW_MEMORY_END + LA57_SIZE)
			continue;
		start = ALIGN_DOWN(end, PAGE_SIZE) - LA57_SIZE;
		if (start > best && start >= LOW_MEMORY_END &&
		    e820_is_ram(bp, start, start + LA57_SIZE))
			best = start;
	}
	return best;
}

/* The tables of the 32-bit entry are no longer in use when this is. */
static void find_area(const struct boot_params *bp)
{
	borrowed = false;
	area = la57_efi_memory;
	if (!area)
		area = (u64)early_tables;
	if (area + LA57_SIZE > MEMORY_4G) {
		area = find_low_memory(bp);
		borrowed = true;
	}
}

/* Where it is on already the processor need not be asked. */
static bool wanted(const struct cmdline *cmdline, bool payload_can, bool on)
{
	return payload_can && !cmdline_find_option_bool(cmdline, "no5lvl") &&
	       (on || cpu_has_la57());
}

u64 la57_prepare(const struct boot_params *bp, const struct cmdline *cmdline,
		 bool payload_can)
{
	bool on = read_cr4() & X86_CR4_LA57;

	area = 0;
	if (wanted(cmdline, payload_can, on) != on) {
		find_area(bp);
		/* Four levels will do for a payload that could use five. */
		if (!area && on)
			error("five-level paging",
			      "it must be switched off, and there is no RAM below 4 GiB for that");
	}
	return area;
}

/* A gate of 32-bit code, or the half of one of 64-bit code that says anything. */
static u64 gate(const struct la57_page *page, const u8 *handler, u64 selector)
{
	u64 offset = (u64)page->code + (u64)(handler - la57_code);

	return (offset & 0xffff) | selector << 16 |
	       (u64)GATE_INTERRUPT << 40 | (offset & 0xffff0000) << 32;
}

static void set_long_gate(struct la57_page *page, unsigned int vector,
			  const u8 *handler)
{
	page->idt[2 * vector] = gate(page, handler, BOOT_CS);
	page->idt[2 * vector + 1] = 0;
}

static void fill(struct la57_page *page)
{
	unsigned int i;

	memset(page, 0, sizeof(*page));
	memcpy(page->code, la57_code, (size_t)(la57_code_end - la57_code));
	memcpy(page->gdt, gdt, sizeof(page->gdt));
	page->gdt_ptr = (struct desc_ptr){ sizeof(page->gdt) - 1,
					   (u64)page->gdt };
	/* Of 32-bit gates' places only these are taken by 64-bit ones. */
	for (i = 0; i < IDT_VECTORS; i++)
		page->idt[i] = gate(page, la57_exception, KERNEL32_CS);
	page->idt[X86_TRAP_NMI] = gate(page, la57_nmi_32, KERNEL32_CS);
	set_long_gate(page, X86_TRAP_NMI, la57_nmi_64);
	/* In long mode a 32-bit gate is a #GP, or after #DF the end. */
	set_long_gate(page, X86_TRAP_DF, la57_exception);
	set_long_gate(page, X86_TRAP_GP, la57_exception);
	set_long_gate(page, X86_TRAP_VC, la57_exception);
	page->idt_ptr = (struct desc_ptr){ sizeof(page->idt) - 1,
					   (u64)page->idt };
	page->sev_status = (u32)sev_guest.status;
}

void la57_switch(void)
{
	struct la57_page *page = (void *)area;
	u64 table = area + PAGE_SIZE;
	bool on = read_cr4() & X86_CR4_LA57;

	if (!area)
		return;
	if (borrowed)
		memcpy(early_tables, page, LA57_SIZE);
	if (ident_map_set_levels(on ? 4 : 5))
		error("five-level paging", "the page tables cannot change to %u levels",
		      on ? 4U : 5U);

	fill(page);
	memcpy((void *)table,
	       (const void *)(ident_map_cr3() & ~sev_enc_mask()), PAGE_SIZE);
	la57_toggle(page, table);
	nmi_count += page->nmis;
	sev_load_map();

	if (borrowed)
		memcpy(page, early_tables, LA57_SIZE);
	ident_map_remove(area, LA57_SIZE);
}
