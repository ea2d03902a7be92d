/* SPDX-License-Identifier: MIT */
/*
 * loader.h - the functions and data that the test loader's files share. The test loader
 * is a program in the format of a bzImage. It loads an image (a stub with a test
 * kernel, or a test kernel alone) and enters it as options ask for. On an error its
 * functions call fail(), which prints a message and makes QEMU exit.
 *
 * The loader's memory is below 640 KiB. An option in parentheses moves a part.
 *
 *	0x10000  the loader itself, where QEMU loads it
 *	0x20000  the loader's command line, where QEMU puts it
 *	0x30000  WORK_TABLES: the page tables that the loader runs on
 *	0x40000  IMAGE_TABLES: the page tables for the image (pgt=)
 *	0x80000  LEAVE_PAGE: the code that enters the image (tramp=)
 *	0x90000  the image's zero page (bp=)
 *	0x92000  the image's command line (cmdline_at=)
 *	0x94000  the image's setup_data list (setup_data_at=)
 */
#ifndef TEST_LOADER_H
#define TEST_LOADER_H

#define LOADER_BASE		0x10000	/* link address, as in loader.ld */
#define WORK_TABLES		0x30000
#define WORK_TABLES_USED	0x36000	/* end of the page tables that head.S makes */
#define WORK_TABLES_END		0x3f000
#define WORK_LEVEL5		0x3f000	/* fifth-level page table, used with la57=1 */
#define IMAGE_TABLES		0x40000
#define IMAGE_TABLES_SIZE	0x40000
#define LEAVE_PAGE		0x80000
#define DEFAULT_BP		0x90000
#define DEFAULT_CMDLINE		0x92000
#define DEFAULT_SETUP_DATA	0x94000
#define DEFAULT_IMAGE		0x8000000

/*
 * Capacity of e820_table in entries. The zero page has room for 128 entries only. The test
 * loader puts any further entries into a setup_data node.
 */
#define MAX_E820		200
/*
 * The flags of a page-table entry that points to another table: present and writable.
 */
#define TABLE_BITS		0x3

/*
 * LEAVE_DATA is the offset of struct leave in the page that has a copy of leave.S. The
 * other LEAVE_* are the offsets of the struct's fields, for leave.S. BUILD_BUG_ON()
 * compares them with the struct below.
 */
#define LEAVE_DATA		0x400
#define LEAVE_TARGET		0x00
#define LEAVE_CR3		0x08
#define LEAVE_CR4		0x10
#define LEAVE_CR0		0x18
#define LEAVE_RFLAGS		0x20
#define LEAVE_RSP		0x28
#define LEAVE_RSI		0x30
#define LEAVE_GARBAGE		0x38
#define LEAVE_CR3_EARLY		0x40
#define LEAVE_CR4_EARLY		0x44
#define LEAVE_EFER		0x48
#define LEAVE_BITS		0x4c
#define LEAVE_GDTR		0x50
#define LEAVE_IDTR		0x5a
#define LEAVE_CS		0x64
#define LEAVE_DS		0x66

#ifndef __ASSEMBLER__

#include <asm/bootparam.h>

#include "../handoff.h"
#include "../options.h"
#include "../print.h"
#include "../string.h"
#include "types.h"
#include "x86.h"

/*
 * The compiler addresses hidden symbols relative to RIP. Without this, taking a
 * function's address would need a global offset table, which the loader does not have.
 */
#pragma GCC visibility push(hidden)

/*
 * The processor state in which leave.S enters the image. main.c fills this in. A field
 * named as a register has the value for that register.
 */
struct leave {
	u64 target;		/* address at which the image is entered */
	u64 cr3;		/* value of CR3, for a 64-bit entry only */
	u64 cr4, cr0;
	u64 rflags, rsp, rsi;
	u64 garbage;		/* value of registers that boot.rst leaves undefined */
	u32 cr3_early;		/* value of CR3 while leave.S enters long mode */
	u32 cr4_early;		/* value of CR4 while leave.S enters long mode */
	u32 efer;
	/* Mode in which the image is entered: 32 or 64 bits. */
	u32 bits;
	struct desc_ptr gdtr, idtr;
	u16 cs, ds;		/* @cs: value of CS; @ds: value of DS, ES and SS */
	u64 gdt[16];		/* the GDT, to which gdtr.base points */
};
BUILD_BUG_ON(offsetof(struct leave, target) != LEAVE_TARGET);
BUILD_BUG_ON(offsetof(struct leave, cr3) != LEAVE_CR3);
BUILD_BUG_ON(offsetof(struct leave, cr4) != LEAVE_CR4);
BUILD_BUG_ON(offsetof(struct leave, cr0) != LEAVE_CR0);
BUILD_BUG_ON(offsetof(struct leave, rflags) != LEAVE_RFLAGS);
BUILD_BUG_ON(offsetof(struct leave, rsp) != LEAVE_RSP);
BUILD_BUG_ON(offsetof(struct leave, rsi) != LEAVE_RSI);
BUILD_BUG_ON(offsetof(struct leave, garbage) != LEAVE_GARBAGE);
BUILD_BUG_ON(offsetof(struct leave, cr3_early) != LEAVE_CR3_EARLY);
BUILD_BUG_ON(offsetof(struct leave, cr4_early) != LEAVE_CR4_EARLY);
BUILD_BUG_ON(offsetof(struct leave, efer) != LEAVE_EFER);
BUILD_BUG_ON(offsetof(struct leave, bits) != LEAVE_BITS);
BUILD_BUG_ON(offsetof(struct leave, gdtr) != LEAVE_GDTR);
BUILD_BUG_ON(offsetof(struct leave, idtr) != LEAVE_IDTR);
BUILD_BUG_ON(offsetof(struct leave, cs) != LEAVE_CS);
BUILD_BUG_ON(offsetof(struct leave, ds) != LEAVE_DS);

/* Memory from address @start up to, but without, address @end. */
struct range {
	u64 start, end;
};

static inline bool overlap(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

/* ---- head.S, leave.S, loader.ld ---- */

/*
 * The E820 memory map. head.S reads it from the BIOS, and the options e820= may change
 * it before it goes into the image's zero page.
 */
extern struct boot_e820_entry e820_table[MAX_E820];
extern u32 e820_count;

/*
 * The code of leave.S, which enters the image. It must be copied to the start of a page
 * below 4 GiB that has a struct leave at LEAVE_DATA. It takes the page's address in
 * RDI.
 */
extern const char leave_code[], leave_code_end[];

/*
 * The test loader's own setup sectors. QEMU has set fields of the setup header in them,
 * for example the address of the loader's command line.
 */
extern struct boot_params loader_start;

/* ---- main.c ---- */

/*
 * How the test loader is to load and enter the image. main.c fills in what the options
 * say, and image_examine() what depends on the image. Addresses are physical, sizes are
 * in bytes.
 */
struct plan {
	u32 entry;		/* entry by which to enter the image: ENTRY_* */
	u64 image;		/* address at which QEMU has put the image file */
	/* The load address of the image's protected-mode part. */
	u64 load;
	/*
	 * Addresses of the image's zero page, command line and setup_data list, and of
	 * the page with leave.S.
	 */
	u64 bp, cmdline, setup_data, tramp;
	/* The initrd's address and size. Size 0 means that there is no initrd. */
	u64 initrd, initrd_size;
	/*
	 * The image's setup header. An ELF kernel (entry=direct) has none, so for it this
	 * points to the test loader's own setup header.
	 */
	const struct setup_header *hdr;
	u64 init_size;
	struct range runtime;	/* memory in which the image runs, by boot.rst */
	u64 target;		/* address at which the image is entered */
	/*
	 * The fields below are used with entry=direct only, which enters an ELF kernel
	 * without a stub.
	 */
	struct range kernel;	/* memory of the ELF kernel's segments */
	u64 stack_top;		/* value of RSP at the kernel's entry */
};

/*
 * The test loader's C code: loads the image and enters it. head.S calls it in 64-bit
 * mode.
 */
noreturn void loader_main(void);

/* ---- image.c ---- */

/*
 * Reads the headers of the image file in memory and fills in the fields of @plan that
 * depend on the image. The options must be in @plan already.
 */
void image_examine(struct plan *plan);

/*
 * Copies the image and the initrd to their addresses in @plan. With the option dirty=1
 * it first fills the memory that the image may use with 0xa5, so that an image which
 * expects zeros there fails.
 */
void image_place(const struct plan *plan);

/* ---- zeropage.c ---- */

/*
 * Makes the zero page, the command line and the setup_data list for the image, at the
 * addresses in @plan. Must be called after image_examine().
 */
void zero_page_make(const struct plan *plan);

/* ---- map.c ---- */

/* The state of page tables that map_range() extends. map_init() fills this in. */
struct map {
	u64 root;		/* physical address of the top-level page table */
	/* The unused part of the memory from which tables are taken. */
	u64 next, end;
	unsigned int levels;	/* number of levels: 4 or 5 */
	/* Highest level that has leaves: 1: 4 KiB, 2: 2 MiB, 3: 1 GiB. */
	unsigned int max_level;
};

/*
 * Starts page tables that map no memory. Tables are taken from @size bytes at @pool.
 * @levels and @max_level are as in struct map.
 */
void map_init(struct map *map, u64 pool, u64 size, unsigned int levels,
	      unsigned int max_level);

/*
 * Maps all pages that @range touches to their own address + @offset, with exactly the
 * flags @bits (PTE_*). If @bits is 0, unmaps them. Changes existing 4 KiB leaves.
 * Existing larger leaves stay as they are.
 */
void map_range(struct map *map, struct range range, u64 offset, u64 bits);

/*
 * Maps RAM above 4 GiB in the page tables that the loader runs on, which head.S has
 * made for the first 4 GiB. The image may have to be copied there.
 */
void map_all_ram(void);

/*
 * Makes the page tables with which the image is entered at its 64-bit entry, as @plan
 * and the options ask for. Must be called after zero_page_make(), because
 * map_make() reads the command line and the setup_data list that zero_page_make()
 * writes. Returns the value for CR3.
 */
u64 map_make(const struct plan *plan);

/* ---- nmi.c ---- */

/*
 * With the option nmi=, starts the timers that will raise NMIs while the image runs.
 * Must be called last before the image is entered, because the times of the option
 * count from this call.
 */
void nmi_start(void);

#pragma GCC visibility pop

#endif
#endif
