/* SPDX-License-Identifier: MIT */
/*
 * main.c - the test loader: loads an image, which QEMU has put into memory, and enters
 * it by the 32-bit or 64-bit protocol of boot.rst. Its command line can ask for
 * deviations from the protocol (tests/payload/USAGE.md).
 *
 * Runs in 64-bit mode with all RAM mapped, in the memory that loader.h lists.
 */
#include <stdarg.h>

#include "loader.h"

#define GARBAGE		_AC(0xa5a5dead5a5abeef, UL)
/*
 * The I/O ports of the interrupt mask registers of the two 8259 interrupt controllers.
 */
#define PIC1_MASK	0x21
#define PIC2_MASK	0xa1
/*
 * Selectors for CS and DS with the option gdt=other. boot.rst demands 0x10 and 0x18. The
 * option tests that the stub also boots after a loader that uses other selectors.
 */
#define OTHER_CS	0x38
#define OTHER_DS	0x40

static const option_name known_options[] = {
	"bp=", "cmdline_at=", "cr0=", "cr4=", "desc=", "df=", "dirty=",
	"e820=", "efer=", "entry=", "flip=", "gdt=", "global=", "idt=", "if=",
	"image=", "initrd_at=", "la57=", "leaf=", "load=", "map=", "nmi=",
	"nx=", "pgt=", "poke=", "remap=", "rsp=", "setup_data=",
	"setup_data_at=", "tramp=", "vga=", "zp=",
};

void fail(const char *fmt, ...)
{
	va_list args;

	print("loader: FAIL ");
	va_start(args, fmt);
	print_args(fmt, args);
	va_end(args);
	print("\n");
	exit_qemu(EXIT_LOADER_FAILED);
}

static u64 qemu_initrd(void)
{
	return (u64)loader_start.ext_ramdisk_image << 32 |
	       loader_start.hdr.ramdisk_image;
}

static void read_options(struct plan *plan)
{
	options_set((const char *)(u64)loader_start.hdr.cmd_line_ptr);
	options_check("", known_options, ARRAY_SIZE(known_options));

	plan->entry = option_is("entry", "direct") ?
			      ENTRY_DIRECT :
			      (u32)option_number("entry", ENTRY_64);
	if (plan->entry != ENTRY_DIRECT && plan->entry != ENTRY_32 &&
	    plan->entry != ENTRY_64)
		fail("entry=%u", plan->entry);
	plan->image = option_number("image", DEFAULT_IMAGE);
	plan->bp = option_number("bp", DEFAULT_BP);
	plan->cmdline = option_number("cmdline_at", DEFAULT_CMDLINE);
	plan->setup_data = option_number("setup_data_at", DEFAULT_SETUP_DATA);
	plan->tramp = option_number("tramp", LEAVE_PAGE);
	plan->initrd_size = loader_start.hdr.ramdisk_size;
	plan->initrd = option_number("initrd_at", qemu_initrd());
}

/* Writes the @n lowest bytes of @value to @addr. */
static void write_bytes(u64 addr, u64 n, u64 value)
{
	if (n > sizeof(value))
		fail("poke: %lu bytes", n);
	memmove((void *)addr, &value, n);
}

static void poke_memory(const struct plan *plan)
{
	const char *s;

	for (u32 i = 0; (s = option_nth("poke", i)); i++) {
		u64 addr = parse_number(&s);
		u64 size = parse_next_number(&s);

		write_bytes(addr, size, parse_next_number(&s));
	}
	for (u32 i = 0; (s = option_nth("flip", i)); i++) {
		u8 *byte = (u8 *)(plan->load + parse_number(&s));

		*byte = (u8)~*byte;
	}
}

static void make_gdt(struct leave *leave, const struct plan *plan)
{
	u64 code = plan->entry == ENTRY_32 ? GDT_CODE32 : GDT_CODE64;
	const char *s;

	leave->cs = BOOT_CS;
	leave->ds = BOOT_DS;
	if (option_is("gdt", "other")) {
		leave->cs = OTHER_CS;
		leave->ds = OTHER_DS;
	}
	leave->gdt[leave->cs / sizeof(u64)] = code;
	leave->gdt[leave->ds / sizeof(u64)] = GDT_DATA;
	leave->gdtr.limit = sizeof(leave->gdt) - 1;
	if (option_is("gdt", "short")) {
		leave->gdtr.limit = BOOT_DS - 1;
		leave->ds = 0;
	}
	leave->gdtr.base = (u64)leave->gdt;

	/* desc=SELECTOR,VALUE replaces a descriptor of the GDT that the loader enters with. */
	for (u32 i = 0; (s = option_nth("desc", i)); i++) {
		u64 index = parse_number(&s) / sizeof(u64);

		if (index >= ARRAY_SIZE(leave->gdt))
			fail("desc: selector above %lx", sizeof(leave->gdt));
		leave->gdt[index] = parse_next_number(&s);
	}
}

/*
 * Returns the value of CR3 with which leave.S switches to 64-bit mode: the address of the
 * loader's page tables. With @la57 this function makes a fifth-level table that points to
 * these tables, and returns the address of the fifth-level table.
 */
static u32 make_early_cr3(bool la57)
{
	u64 *level5 = (u64 *)WORK_LEVEL5;

	if (!la57)
		return WORK_TABLES;
	memset(level5, 0, PAGE_SIZE);
	level5[0] = WORK_TABLES | TABLE_BITS;
	return WORK_LEVEL5;
}

/*
 * Masks all interrupts in the 8259 interrupt controllers. With the option if=1 the
 * image is entered with RFLAGS.IF set and without an IDT, so that an interrupt would
 * reset the machine.
 */
static void mask_interrupts(void)
{
	outb(0xff, PIC1_MASK);
	outb(0xff, PIC2_MASK);
}

static noreturn void enter(const struct plan *plan, u64 cr3)
{
	struct leave *leave = (struct leave *)(plan->tramp + LEAVE_DATA);
	bool la57 = option_number("la57", 0);
	bool direct = plan->entry == ENTRY_DIRECT;
	void (*code)(u64 page) = (void (*)(u64))plan->tramp;

	if (plan->tramp % PAGE_SIZE || plan->tramp >> 32)
		fail("tramp=%lx", plan->tramp);
	memset((void *)plan->tramp, 0, PAGE_SIZE);
	memmove((void *)plan->tramp, leave_code,
	     (u64)(leave_code_end - leave_code));
	make_gdt(leave, plan);
	leave->idtr.limit = (u16)option_number("idt", 0);

	leave->target = plan->target;
	leave->bits = plan->entry == ENTRY_32 ? 32 : 64;
	leave->cr3 = cr3;
	leave->cr0 = X86_CR0_PE | option_number("cr0", 0);
	leave->cr4 = option_number("cr4", 0);
	leave->efer = (u32)option_number("efer", 0);
	leave->rflags = X86_EFLAGS_FIXED;
	leave->rsp = option_number("rsp", direct ? plan->stack_top : GARBAGE);
	leave->rsi = plan->bp;
	leave->garbage = GARBAGE;
	leave->cr3_early = make_early_cr3(la57);
	if (option_number("df", 0))
		leave->rflags |= X86_EFLAGS_DF;
	if (option_number("if", 0)) {
		mask_interrupts();
		leave->rflags |= X86_EFLAGS_IF;
	}
	if (option_number("nx", direct))
		leave->efer |= EFER_NXE;
	if (leave->bits == 64) {
		leave->cr0 |= X86_CR0_PG;
		leave->efer |= EFER_LME;
		leave->cr4 |= X86_CR4_PAE | (la57 ? X86_CR4_LA57 : 0);
		leave->cr4_early = X86_CR4_PAE | (la57 ? X86_CR4_LA57 : 0);
	}
	if (direct && !option("cr0"))
		leave->cr0 |= X86_CR0_WP;
	/* Call this last: it starts the clock for the NMIs of the option nmi=. */
	nmi_start();
	code(plan->tramp);
	__builtin_unreachable();
}

noreturn void loader_main(void)
{
	struct plan plan = { 0 };
	u64 cr3 = 0;

	read_options(&plan);
	map_all_ram();
	image_examine(&plan);
	image_place(&plan);
	zero_page_make(&plan);
	if (plan.entry != ENTRY_32)
		cr3 = map_make(&plan);
	poke_memory(&plan);

	print("loader: entry=%u load=%lx target=%lx bp=%lx cr3=%lx\n",
	      plan.entry, plan.load, plan.target, plan.bp, cr3);
	enter(&plan, cr3);
}
