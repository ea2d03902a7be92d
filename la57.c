/* SPDX-License-Identifier: MIT */
/*
 * la57.c - five-level paging: decides whether it must be switched on or off for
 * the payload, finds memory for the switch, and switches.
 *
 * CR4.LA57 cannot change in long mode (APM2 3.1.3), so la57_trampoline.S leaves
 * long mode and enters it again. Meanwhile its code, descriptor tables and
 * stack have to be in one page below 4 GiB, and the top page table in a second
 * one. The two pages are those that efi/entry.c allocated, or else early_tables
 * if the image is below 4 GiB, or else the highest RAM below 4 GiB. In the last
 * case la57_switch() saves the contents of that RAM and restores them.
 *
 * Runs in the moved image. la57_prepare() decides before the stub's page tables
 * are built. la57_switch() needs these page tables, and adds or removes their
 * fifth level.
 */
#include <asm/bootparam.h>

#include "boot_params.h"
#include "cmdline.h"
#include "e820.h"
#include "error.h"
#include "ghcb.h"
#include "ident_map.h"
#include "image.h"
#include "la57.h"
#include "lib/string.h"
#include "sev-snp.h"
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

/*
 * The lowest RAM that la57_switch() may borrow. Memory below 1 MiB may hold
 * real-mode vectors, BIOS data, the EBDA and ROMs.
 */
#define LOW_MEMORY_END	0x100000UL
/* Eight times INT3. */
#define TRAP		0xccccccccccccccccUL
#define MEMORY_4G	0x100000000UL
/*
 * The number of ranges in which free_below() must borrow no memory: the zero page, the command
 * line and the initrd, because a loader has filled them, and the stub's own image.
 */
#define TAKEN_RANGES	4

in_data u64 la57_efi_memory;

static noinline noreturn void no_area(void)
{
	error("page tables", "the memory for five-level paging is not private");
}

/*
 * Returns the first page of the memory for la57_switch(). The hypervisor can put old contents
 * of the stack back. Callers therefore use the result before they call another function, so
 * that it stays in a register and is not saved on the stack. area_page() is inlined, so that no
 * return address of it is ever on the stack: RET of another function could otherwise lead to
 * the code after its call, which would take any number in RAX for the page's address.
 */
static inline __attribute__((always_inline)) struct la57_page *area_page(void)
{
	u64 at = READ_ONCE(la57_area);

	if (!at)
		no_area();
	return (struct la57_page *)at;
}

/*
 * True if the two pages at la57_area may hold data, so that la57_switch() must
 * restore them.
 */
static bool borrowed;

/*
 * Returns true if CPUID reports five-level paging. A processor without leaf 7
 * would return another leaf's values, so the highest leaf is checked first;
 * every processor with SEV-ES has leaf 7. In an SEV-ES guest each register
 * costs an exit, so the MSR protocol asks for ECX only. An SNP guest has the answer in
 * its CPUID page. If the hypervisor reports LA57 and the processor lacks it, the switch
 * raises #GP, and the guest terminates.
 */
static bool cpu_has_la57(void)
{
	u32 ecx = 0;

	if (sev_snp_active())
		ecx = snp_cpuid_ecx(CPUID_STRUCTURED);
	else if (sev_es_active())
		ecx = msr_protocol_cpuid(CPUID_STRUCTURED, GHCB_MSR_CPUID_ECX);
	else if (cpuid_count(0, 0).eax >= CPUID_STRUCTURED)
		ecx = cpuid_count(CPUID_STRUCTURED, 0).ecx;
	return ecx >> CPUID_7_ECX_LA57_BIT & 1;
}

/*
 * Returns the address of the last LA57_SIZE bytes in whole pages below @end if la57_switch()
 * may borrow them, and 0 otherwise. They must be RAM between 1 MiB and 4 GiB outside of the
 * TAKEN_RANGES ranges @taken, of which all but the last hold the loader's data: a host may have
 * chosen these data, and could put them back in place of the code and of the page table that
 * the stub writes there.
 */
static u64 free_below(const struct boot_params *bp, const struct range *taken, u64 end)
{
	struct range r;
	unsigned int i;

	if (end > MEMORY_4G || end < LOW_MEMORY_END + LA57_SIZE)
		return 0;
	r.end = ALIGN_DOWN(end, PAGE_SIZE);
	r.start = r.end - LA57_SIZE;
	for (i = 0; i < TAKEN_RANGES; i++)
		if (range_overlaps(r, taken[i]))
			return 0;
	return r.start >= LOW_MEMORY_END && e820_is_ram(bp, r.start, r.end) ? r.start : 0;
}

/*
 * Returns the address of the highest memory that la57_switch() may borrow, or 0 if there
 * is none. The highest memory ends at 4 GiB, at an end or a start of an E820 entry, or
 * where data of the loader or the image start, so only these addresses are tried as its end.
 * E820 entries in setup_data are not tried.
 */
static u64 find_low_memory(const struct boot_params *bp, const struct cmdline *cmdline)
{
	const struct range taken[TAKEN_RANGES] = {
		zero_page_range(bp), cmdline_range(cmdline), initrd_range(bp),
		{ (u64)_image, (u64)_end },
	};
	unsigned int edges = 2U * bp->e820_entries + 1, i;
	u64 best = 0, found;

	if (bp->e820_entries > E820_MAX_ENTRIES_ZEROPAGE)
		edges = 2 * E820_MAX_ENTRIES_ZEROPAGE + 1;
	for (i = 0; i < edges + TAKEN_RANGES; i++) {
		const struct boot_e820_entry *e = bp->e820_table;
		u64 end = MEMORY_4G;

		if (i >= edges)
			end = taken[i - edges].start;
		else if (i < edges - 1)
			end = e[i / 2].addr + (i % 2 ? e[i / 2].size : 0);
		found = free_below(bp, taken, end);
		if (found > best)
			best = found;
	}
	return best;
}

/*
 * Finds the two pages for la57_switch() and sets la57_area and borrowed. The pages
 * can be those of early_tables, because startup_32's page tables, which may lie there, are
 * no longer in use when la57_switch() runs.
 */
static void find_area(const struct boot_params *bp, const struct cmdline *cmdline)
{
	u64 found = la57_efi_memory;

	borrowed = false;
	if (!found)
		found = (u64)early_tables;
	/*
	 * Else borrow RAM below 4 GiB. An SNP guest must not, because this RAM may not be
	 * validated yet.
	 */
	if (found + LA57_SIZE > MEMORY_4G) {
		found = sev_snp_active() ? 0 : find_low_memory(bp, cmdline);
		borrowed = true;
	}
	/* Store the address once: the hypervisor can then put no old value back but 0. */
	la57_area = found;
}

/*
 * Returns true if the payload is to be entered with five-level paging. If
 * five-level paging is already on (@on), the processor has it, and CPUID need
 * not be asked.
 */
static bool wanted(const struct cmdline *cmdline, bool payload_can, bool on)
{
	return payload_can && !cmdline_find_option_bool(cmdline, "no5lvl") &&
	       (on || cpu_has_la57());
}

u64 la57_prepare(const struct boot_params *bp, const struct cmdline *cmdline,
		 bool payload_can)
{
	bool on = read_cr4() & X86_CR4_LA57;

	la57_area = 0;
	if (wanted(cmdline, payload_can, on) != on) {
		find_area(bp, cmdline);
		/*
		 * Without memory for the switch five-level paging stays off. If
		 * it is on and must be switched off, the boot cannot go on.
		 */
		if (!la57_area && on)
			error_with(SEVSTUB_TERM_NO_ROOM, "five-level paging",
				   "it must be switched off, and there is no RAM below 4 GiB for that");
	}
	return la57_area;
}

/*
 * Returns a 32-bit interrupt gate for the handler at @addr. It can also serve as the
 * first half of a 64-bit gate, whose second half is 0 because @addr is below 4 GiB.
 */
static inline __attribute__((always_inline)) u64 gate(u64 addr, u64 selector)
{
	return (addr & 0xffff) | selector << 16 |
	       (u64)GATE_INTERRUPT << 40 | (addr & 0xffff0000) << 32;
}

/*
 * Writes slot @slot of the IDT in the memory for la57_switch(): a gate with @selector that
 * leads to the copy of @handler. One read of la57_area says where the gate is and where it leads.
 * With two reads the hypervisor could put an old 0 back for the second one, and the gate
 * would lead to page 0, which a loader can have filled. A gate for 64-bit code takes two slots.
 * The first slot has the gate's present bit, and is written last, when the second is right.
 */
static noinline void set_slot(unsigned int slot, const u8 *handler, u64 selector)
{
	struct la57_page *page = area_page();
	u64 size = (u64)(la57_code_end - la57_code);
	u64 offset = (u64)(handler - la57_code), at = slot;

	/*
	 * The arguments may have been on the stack, where the hypervisor can put old numbers
	 * back. The stub therefore holds them in registers while it checks that the gate leads
	 * to code and lies in the IDT, and while it writes the gate.
	 */
	HOLD(set_slot, page, offset, size, at, selector);
	if (offset >= size || at >= LA57_IDT_SLOTS - 1)
		error("five-level paging", "its IDT has changed in memory");
	if (selector == BOOT_CS)
		WRITE_ONCE(page->idt[at + 1], 0);
	WRITE_ONCE(page->idt[at], gate((u64)page->code + offset, selector));
	RELEASE(set_slot);
}

static void set_long_gate(unsigned int vector, const u8 *handler)
{
	set_slot(2 * vector, handler, BOOT_CS);
}

/* Fills in struct la57_page at la57_area, but for the fields that la57_toggle() stores. */
static void fill(void)
{
	struct la57_page *page;
	unsigned int i;

	memset(area_page(), 0, sizeof(*page));
	area_page()->trap = TRAP;
	memcpy(area_page()->code, la57_code, (size_t)(la57_code_end - la57_code));
	memcpy(area_page()->gdt, gdt, sizeof(page->gdt));
	/*
	 * Make the gates for 32-bit code first. The gates for 64-bit code
	 * overwrite those of vectors 4, 5, 16, 17, 26 and 27, which the 32-bit
	 * code does not raise.
	 */
	for (i = 0; i < IDT_VECTORS; i++)
		set_slot(i, la57_exception, KERNEL32_CS);
	/*
	 * Ask the processor for each gate whether this is an SEV-ES guest, because the
	 * hypervisor can change an answer that is kept on the stack.
	 */
	set_slot(X86_TRAP_NMI, sev_es_active() ? la57_nmi_es : la57_nmi_32, KERNEL32_CS);
	set_long_gate(X86_TRAP_NMI, sev_es_active() ? la57_nmi_es : la57_nmi_64);
	/*
	 * In long mode a gate takes two 8-byte slots. Only #DF, #GP, #VC and NMI
	 * have a 64-bit gate. For any other vector the processor finds two 32-bit
	 * gates or two empty slots, neither of which is a valid gate, and raises #GP.
	 */
	set_long_gate(X86_TRAP_DF, la57_exception);
	set_long_gate(X86_TRAP_GP, la57_exception);
	set_long_gate(X86_TRAP_VC, la57_exception);
	if (sev_es_active())
		area_page()->sev_status = SEV_STATUS_SEV_ES;
	/*
	 * Write each base before its limit, so that this memory never holds a limit with a wrong
	 * base: the hypervisor could put such contents back later. Until a limit is written it
	 * is 0, and all entries of the table are absent.
	 */
	page = area_page();
	page->gdt_ptr.base = (u64)page->gdt;
	page->idt_ptr.base = (u64)page->idt;
	barrier();
	page->gdt_ptr.limit = sizeof(page->gdt) - 1;
	page->idt_ptr.limit = sizeof(page->idt) - 1;
}

/*
 * Makes struct la57_page executable. fill() must have run before and stored INT3 at the start
 * of the page. The hypervisor can put the page's address, which is on the stack, in the place of
 * a return address. The processor must then execute INT3 and no older contents of the page.
 */
static void make_executable(void)
{
	u64 at = (u64)area_page();

	if (ident_map_remove(at, PAGE_SIZE))
		error("page tables", "five-level paging: 0x%lx cannot be unmapped", at);
	at = (u64)area_page();
	if (ident_map_range(at, at + PAGE_SIZE, MAP_WRITE | MAP_EXEC))
		no_area();
}

/*
 * Puts the contents of borrowed RAM back. The caller must have unmapped the RAM, because its
 * first page was executable, and ident_map_range() leaves the rights of a mapped page as they
 * are. Unmaps the RAM again at the end.
 */
static void give_back(void)
{
	u64 at = (u64)area_page();

	if (ident_map_range(at, at + LA57_SIZE, MAP_WRITE))
		no_area();
	at = (u64)area_page();
	if (!ident_map_is_private(at, at + LA57_SIZE, MAP_WRITE))
		no_area();
	memcpy(area_page(), early_tables, LA57_SIZE);
	ident_map_remove((u64)area_page(), LA57_SIZE);
}

void la57_switch(void)
{
	bool on = read_cr4() & X86_CR4_LA57;
	u64 at;

	if (!la57_area)
		return;
	if (borrowed)
		memcpy(early_tables, area_page(), LA57_SIZE);
	if (on && !ident_map_fits_four_levels())
		error("five-level paging", "a mapped range lies above what four levels reach");

	/*
	 * map_la57() in misc.c has mapped the memory at the address in boot.la57, which is
	 * on the stack. There the hypervisor can put an old address back, and map_la57()
	 * then maps other memory. Therefore check how the memory at la57_area is mapped.
	 */
	at = (u64)area_page();
	if (!ident_map_is_private(at, at + LA57_SIZE, MAP_WRITE))
		no_area();
	fill();
	make_executable();
	at = (u64)area_page();
	if (!ident_map_is_private(at, at + PAGE_SIZE, MAP_WRITE | MAP_EXEC))
		no_area();
	la57_toggle();
	nmi_count += area_page()->nmis;

	/*
	 * Unmap the memory before other bytes are written to it. Its first page is executable
	 * for the copy of la57_code, and no other bytes may become executable.
	 */
	ident_map_remove((u64)area_page(), LA57_SIZE);
	if (borrowed)
		give_back();
}
