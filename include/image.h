/* SPDX-License-Identifier: MIT */
/*
 * image.h - the parts of the stub's own image: symbols that linker.ld and the
 * assembly files define, and the few assembly functions that C calls.
 *
 * An array's address is where that part of the image is now, in the loaded image
 * or in its moved copy. C code uses the addresses only, unless a comment below
 * describes the array's contents.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "types.h"

struct boot_params;

/* ---- linker.ld: the sections, in the order of their addresses. */

extern const u8 _image[];			/* the image's first byte: startup_32 */
/* The payload: struct payload_header and the compressed bytes. */
extern const u8 payload_start[], payload_end[];
extern const u8 _text[], _etext[];
extern const u8 _rodata[], _erodata[];
extern const u8 _data[], _edata[], _ebss[];
extern const u8 _end[];				/* end of the image in memory */

/*
 * Guard pages below the stacks. The loader's page tables map them, the stub's own
 * page tables do not, so that a stack overflow causes a fault.
 */
extern const u8 double_fault_guard[], stack_guard[];

/*
 * Returns true if the guard page stack_guard or double_fault_guard lies in the @size bytes at
 * @addr. Computes the addresses of the guard pages anew: see ADDRESS_ANEW().
 */
static inline __attribute__((always_inline)) bool holds_guard(u64 addr, u64 size)
{
	return ADDRESS_ANEW(stack_guard) - addr < size ||
	       ADDRESS_ANEW(double_fault_guard) - addr < size;
}

extern const u8 stack_end[];			/* upper end of C's stack */
/*
 * One page of zeros below stack_guard. Bytes other than zero show that the
 * stack grew beyond its lower end before stack_guard was unmapped.
 */
extern const u8 stack_overrun[];
/* The GHCB page of sev-es.c, the only page whose C-bit may change. */
extern const u8 shared_page[];
/*
 * While the GHCB page is shared, the handler of #VC emulates an instruction, also one that
 * accesses a device, only if the instruction lies in [emulated_start, emulated_end). INS and
 * OUTS may transfer data only to and from [string_io_start, string_io_end). Both ranges are
 * empty in the stub, because it executes no instruction that raises #VC meanwhile. The NAE
 * self-test, which contains the handler, too, defines other bounds.
 */
extern const u8 emulated_start[], emulated_end[];
extern const u8 string_io_start[], string_io_end[];
/* Memory for the page tables of ident_map_64.c. */
extern u8 page_table_pool[], page_table_pool_end[];

/* ---- What the build knows about the payload. */

/* Sizes and addresses that depend on the payload. linker.ld computes them. */
struct image_info {
	/*
	 * The first four fields describe the runtime range, which is the memory
	 * in which payload and image run.
	 */
	u64 pref_address;	/* lowest address at which the runtime range may start */
	u64 align;		/* alignment of the runtime range, a power of two */
	u64 init_size;		/* bytes of the runtime range */
	u64 relocatable;	/* 0: the runtime range can start at pref_address only */
	u64 addr_max;		/* highest address at which the payload may end, if
				 * the stub chooses the runtime range */
	u64 cmdline_size;	/* longest command line in bytes, without the NUL */
};
extern const struct image_info image_info;

/* The command line of `mkimage --cmdline`; "" if none was given. */
extern const char builtin_cmdline[];
/*
 * The image's setup header: struct setup_header of boot.rst. A loader may have filled in
 * fields before it started the image.
 */
extern const u8 setup_header[];

/* ---- Assembly. */

/* The GDT. idt_64.c writes the TSS descriptor into it. */
extern u64 gdt[];
/*
 * The page tables that the 32-bit entry built, EARLY_TABLES_SIZE bytes. They are
 * free memory once sev_load_map() has loaded the stub's own page tables.
 */
extern u8 early_tables[];

/*
 * Loads the page tables at physical address @cr3 and proves that their C-bit
 * is the processor's own C-bit: a random value, written before the load,
 * must read back after it. If @cr3 has no C-bit, the function first asks the
 * processor whether there is SEV, and ends the boot if there is.
 *
 * @first: true if no page tables of the stub's C code were loaded before. The IDT is
 * then empty until the proof succeeds, so that no exception pushes a frame. If the
 * proof fails, the guest terminates, and nothing was written through the new tables.
 */
void load_cr3_proven(u64 cr3, bool first);

/*
 * Jumps to startup_64, the 64-bit entry, with zero page @bp. The EFI entries call
 * this after ExitBootServices, with interrupts off.
 */
noreturn void enter_startup_64(struct boot_params *bp);

#endif
