/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - the test guest's processor state in long mode: page tables with a private and
 * a shared view of memory, IDT, TSS, the handling of exceptions other than #VC, and the
 * switch to CPL 3 and back.
 */
#include "guest.h"

#define SELECTOR_USER_DATA	0x3bULL

#define GATE_INTERRUPT		0x8e
#define GATE_USER		0xee
#define GATE_PRESENT		0x80
#define TSS_AVAILABLE		0x0000890000000000ULL
#define IST_NUMBER		1
#define SPLITS_MAX		16
/* The identity map ends at this address, 4 GiB. */
#define MAPPED			0x100000000ULL
/*
 * build_tables() maps the fourth GiB without the C-bit, because the local APIC and the
 * firmware ROM lie there.
 */
#define DEVICE_GIB		3

/* 64-bit gate (APM2 4.8.4). */
struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

/* 64-bit TSS (APM2 12.2.5). */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == TSS_LIMIT + 1, "APM2 12.2.5");

/*
 * The topmost page table. build_tables() loads its address into the first processor's CR3.
 * ap_trampoline in head.S loads it into the AP's CR3.
 */
ALIGNED_PAGE u64 pml4[PTRS];
static ALIGNED_PAGE u64 pdpt[PTRS], pdpt_shared[PTRS];
static ALIGNED_PAGE u64 pd[4][PTRS], pd_shared[PTRS], pt[SPLITS_MAX][PTRS];
static u32 splits;
static struct gate idt[VECTORS];
static struct tss tss;
ALIGNED_PAGE u8 ist_stack[PAGE_SIZE], user_exit_stack[PAGE_SIZE];
static ALIGNED_PAGE u8 user_stack_page[PAGE_SIZE];
struct trap_log trap;
extern u64 gdt[];
extern const u8 exception_stubs[];

/*
 * The C code of all exception handlers. exception_common in head.S calls it for every
 * vector, with the pushed frame @f.
 */
void exception(struct frame *f);

/*
 * In head.S: user_enter() runs the code at @rip at CPL 3. @selectors has SS in its high
 * half and CS in its low half. The gate of INT VECTOR_USER_END leads to user_end(),
 * which returns to the caller of user_enter().
 */
void user_enter(void (*rip)(void), u64 rflags, u64 rsp, u64 selectors);
void user_end(void);

void flush_tlb(void)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

/*
 * Maps the first 4 GiB at their own addresses, private except for the GiB of the
 * devices, and the first GiB once more at SHARED_VIEW, without the C-bit.
 */
static void build_tables(void)
{
	const u64 leaf = PTE_P | PTE_RW | PTE_US | PTE_PS;
	const u64 table = PTE_P | PTE_RW | PTE_US | machine.cmask;
	u64 i, n;

	pml4[0] = (u64)pdpt | table;
	pml4[1] = (u64)pdpt_shared | table;
	pdpt_shared[0] = (u64)pd_shared | table;
	for (n = 0; n < 4; n++) {
		pdpt[n] = (u64)pd[n] | table;
		for (i = 0; i < PTRS; i++)
			pd[n][i] = (n * PTRS + i) * PAGE_2M | leaf |
				   (n == DEVICE_GIB ? 0 : machine.cmask);
	}
	for (i = 0; i < PTRS; i++)
		pd_shared[i] = i * PAGE_2M | leaf;
	asm volatile("mov %0, %%cr3" : : "r"((u64)pml4 | machine.cmask)
		     : "memory");
}

u64 *pte_of(u64 addr)
{
	u64 n = addr % MAPPED / PAGE_2M;
	u64 *pde = addr < SHARED_VIEW ? &pd[n / PTRS][n % PTRS] :
		   &pd_shared[n % PTRS];
	u64 i, *table;

	if (*pde & PTE_PS) {
		table = pt[splits++];
		for (i = 0; i < PTRS; i++)
			table[i] = (*pde & ~(u64)PTE_PS) + i * PAGE_SIZE;
		*pde = (u64)table | PTE_P | PTE_RW | PTE_US | machine.cmask;
		flush_tlb();
	} else {
		table = (u64 *)(*pde & ~machine.cmask & ~0xfffULL);
	}
	return &table[addr / PAGE_SIZE % PTRS];
}

static void set_gate(u8 vector, u64 handler, u8 type)
{
	idt[vector] = (struct gate){
		.offset_low = handler,
		.selector = SELECTOR_CODE64,
		.type = type,
		.offset_middle = handler >> 16,
		.offset_high = handler >> 32,
	};
}

void idt_use_ist(u8 vector, u8 ist)
{
	idt[vector].ist = ist;
}

void idt_set_present(u8 vector, bool present)
{
	idt[vector].type = present ? GATE_INTERRUPT :
			   GATE_INTERRUPT & ~GATE_PRESENT;
}

void idt_set_selector(u8 vector, u16 selector)
{
	idt[vector].selector = selector;
}

void tss_load(u32 limit)
{
	u64 base = (u64)&tss;

	gdt[SELECTOR_TSS / 8] = TSS_AVAILABLE | limit |
				(base & 0xffffff) << 16 |
				(base & 0xff000000) << 32;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
	asm volatile("ltr %w0" : : "r"(SELECTOR_TSS));
}

void cpu_init(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u64)idt };
	unsigned int i;

	build_tables();
	for (i = 0; i <= VECTOR_TIMER; i++)
		set_gate(i, (u64)exception_stubs + i * 16, GATE_INTERRUPT);
	set_gate(VECTOR_USER_END, (u64)user_end, GATE_USER);
	asm volatile("lidt %0" : : "m"(idtr));

	tss.rsp[0] = (u64)user_exit_stack + PAGE_SIZE;
	tss.ist[IST_NUMBER - 1] = (u64)ist_stack + PAGE_SIZE;
	tss.iomap = sizeof(tss);
	tss_load(TSS_LIMIT);
}

void trap_arm(u8 vector)
{
	trap.armed[vector / 32] |= 1U << vector % 32;
}

void trap_reset(void)
{
	memset(&trap, 0, sizeof(trap));
}

void user_run(void (*fn)(void), u64 rflags)
{
	user_enter(fn, rflags, (u64)user_stack_page + PAGE_SIZE,
		   SELECTOR_USER_DATA << 32 | SELECTOR_USER_CODE);
}

static u64 read_cr2(void)
{
	u64 cr2;

	asm volatile("mov %%cr2, %0" : "=r"(cr2));
	return cr2;
}

static NORETURN void unexpected(const struct frame *f)
{
	if (machine.victim)
		victim_gives_up();
	con_str("unexpected exception ");
	con_hex(f->vector);
	con_str(" error code ");
	con_hex(f->error_code);
	con_str(" RIP ");
	con_hex(f->rip);
	con_str(" CR2 ");
	con_hex(read_cr2());
	con_str("\n");
	end_run(DEBUG_EXIT_FAIL);
}

void exception(struct frame *f)
{
	if (f->vector == VECTOR_VC) {
		vc_handle(f);
		return;
	}
	if (!(trap.armed[f->vector / 32] & 1U << f->vector % 32))
		unexpected(f);
	trap.count++;
	trap.vector = f->vector;
	trap.error_code = f->error_code;
	trap.rip = f->rip;
	trap.rsp = f->rsp;
	trap.cr2 = read_cr2();
	trap.frame = (u64)f;
	if (trap.resume)
		f->rip = trap.resume;
	else
		f->rip += trap.skip;
}
