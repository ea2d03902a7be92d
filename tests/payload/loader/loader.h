/* SPDX-License-Identifier: MIT */
/*
 * loader.h - the functions and data that the test loader's files share. On an
 * error they call fail(), which prints a message and ends QEMU.
 *
 * The loader's memory is below 640 KiB. Options in parentheses move a part.
 *
 *	0x10000  the loader itself, where QEMU loads it
 *	0x20000  the loader's command line, where QEMU puts it
 *	0x30000  WORK_TABLES: the page tables that the loader runs on
 *	0x40000  IMAGE_TABLES: the page tables for the image (pgt=)
 *	0x80000  LEAVE_PAGE: the code that enters the image (tramp=)
 *	0x90000  the image's zero page (bp=)
 *	0x92000  the image's command line (cmdline_at=)
 *	0x94000  the image's setup_data chain (setup_data_at=)
 */
#ifndef TEST_LOADER_H
#define TEST_LOADER_H

#define LOADER_BASE		0x10000	/* as in loader.ld */
#define WORK_TABLES		0x30000
#define WORK_TABLES_USED	0x36000	/* end of head.S's tables */
#define WORK_TABLES_END		0x3f000
#define WORK_LEVEL5		0x3f000	/* top-level table while LA57 is on */
#define IMAGE_TABLES		0x40000
#define IMAGE_TABLES_SIZE	0x40000
#define LEAVE_PAGE		0x80000
#define DEFAULT_BP		0x90000
#define DEFAULT_CMDLINE		0x92000
#define DEFAULT_SETUP_DATA	0x94000
#define DEFAULT_IMAGE		0x8000000

/* Entries of e820_table. The zero page has room for 128 of them. */
#define MAX_E820		200
/* The flags of an entry that points to a table: present and writable. */
#define TABLE_BITS		0x3

/*
 * LEAVE_DATA is the offset of struct leave in its page. The other LEAVE_* are the
 * offsets of its fields, for leave.S; BUILD_BUG_ON() checks them below.
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
 * Hidden symbols are addressed relative to RIP. Without this, taking a function's
 * address would need a global offset table.
 */
#pragma GCC visibility push(hidden)

/*
 * The processor's state in which leave.S enters the image. main.c fills this in.
 * Fields have the names of the registers that get their values.
 */
struct leave {
	u64 target;		/* the entry's address */
	u64 cr3;		/* for a 64-bit entry only */
	u64 cr4, cr0;
	u64 rflags, rsp, rsi;
	u64 garbage;		/* value of the other registers */
	u32 cr3_early;		/* CR3 and CR4 while leave.S changes from */
	u32 cr4_early;		/* 32-bit to 64-bit mode */
	u32 efer;
	u32 bits;		/* mode of the entry: 32 or 64 */
	struct desc_ptr gdtr, idtr;
	u16 cs, ds;		/* ds: for DS, ES and SS */
	u64 gdt[16];		/* gdtr.base points here */
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

/* The bytes from @start up to, but without, @end. */
struct range {
	u64 start, end;
};

static inline bool overlap(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

/* ---- head.S, leave.S, loader.ld ---- */

/* The memory map, which head.S reads from the BIOS. Options may change it. */
extern struct boot_e820_entry e820_table[MAX_E820];
extern u32 e820_count;

/*
 * The code that enters the image. It must be copied to the start of a page below
 * 4 GiB with a struct leave at LEAVE_DATA. It takes the page's address in RDI.
 */
extern const char leave_code[], leave_code_end[];

/* The loader's own setup sectors, with the fields that QEMU has set. */
extern struct boot_params loader_start;

/* ---- main.c ---- */

/*
 * How the image is to be loaded and entered. main.c fills in the options,
 * image_examine() what follows from the image. Addresses are physical, sizes are
 * in bytes.
 */
struct plan {
	u32 entry;		/* ENTRY_* */
	u64 image;		/* where QEMU has put the image file */
	u64 load;		/* where its protected-mode part goes */
	u64 bp, cmdline, setup_data, tramp;	/* see the drawing above */
	u64 initrd, initrd_size;	/* size 0: no initrd */
	const struct setup_header *hdr;	/* the image's; the loader's own for
					 * entry=direct */
	u64 init_size;
	struct range runtime;	/* where the image runs by boot.rst */
	u64 target;		/* the entry's address */
	/* Only for entry=direct, which enters an ELF kernel without a stub: */
	struct range kernel;	/* its segments */
	u64 stack_top;		/* initial RSP */
};

/* The loader's C code. head.S calls it in 64-bit mode. */
noreturn void loader_main(void);

/* ---- image.c ---- */

/* Reads the image file's headers and completes @plan. */
void image_examine(struct plan *plan);

/*
 * Copies the image and the initrd to their addresses. With dirty=1 it fills the
 * memory that the image may use with 0xa5 before.
 */
void image_place(const struct plan *plan);

/* ---- zeropage.c ---- */

/*
 * Makes the image's zero page, command line and setup_data chain at the addresses
 * in @plan. The image must have been examined.
 */
void zero_page_make(const struct plan *plan);

/* ---- map.c ---- */

/* Page tables in the making. map_init() fills this in. */
struct map {
	u64 root;		/* address of the top-level table */
	u64 next, end;		/* unused part of the pool for tables */
	unsigned int levels;	/* 4 or 5 */
	unsigned int max_level;	/* of leaves: 1 is 4 KiB, 3 is 1 GiB */
};

/*
 * Makes an empty map, whose tables come from @size bytes at @pool. @levels and
 * @max_level are as in struct map.
 */
void map_init(struct map *map, u64 pool, u64 size, unsigned int levels,
	      unsigned int max_level);

/*
 * Maps all pages that @range touches to their own address + @offset, with exactly
 * the flags @bits. @bits 0 unmaps them. Existing 4 KiB leaves are replaced;
 * existing larger leaves stay.
 */
void map_range(struct map *map, struct range range, u64 offset, u64 bits);

/* Maps RAM above 4 GiB, too, in the page tables that the loader runs on. */
void map_all_ram(void);

/*
 * Makes the page tables that @plan and the options ask for, for a 64-bit entry.
 * The zero page must have been made. Returns the value for CR3.
 */
u64 map_make(const struct plan *plan);

/* ---- nmi.c ---- */

/*
 * Starts the timers of the NMIs that nmi= asks for. Must be the last call before
 * the image is entered, because their time counts from here.
 */
void nmi_start(void);

#pragma GCC visibility pop

#endif
#endif
