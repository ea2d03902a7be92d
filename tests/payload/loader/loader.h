/* SPDX-License-Identifier: MIT */
/*
 * loader.h - the test loader's files and what they offer each other.
 *
 * Its memory, all below 640 KiB:
 *
 *	0x10000  the loader itself, linked there
 *	0x20000  command line, as QEMU puts it
 *	0x30000  WORK_TABLES: the page tables it runs on
 *	0x40000  page tables for the image (pgt=)
 *	0x80000  LEAVE_PAGE: last page of the loader (tramp=)
 *	0x90000  zero page (bp=), 0x92000 command line (cmdline_at=),
 *	0x94000  setup_data chain (setup_data_at=)
 */
#ifndef TEST_LOADER_H
#define TEST_LOADER_H

#define LOADER_BASE		0x10000	/* as in loader.ld */
#define WORK_TABLES		0x30000
#define WORK_TABLES_USED	0x36000	/* by head.S */
#define WORK_TABLES_END		0x3f000
#define WORK_LEVEL5		0x3f000	/* top-level table while LA57 is on */
#define IMAGE_TABLES		0x40000
#define IMAGE_TABLES_SIZE	0x40000
#define LEAVE_PAGE		0x80000
#define DEFAULT_BP		0x90000
#define DEFAULT_CMDLINE		0x92000
#define DEFAULT_SETUP_DATA	0x94000
#define DEFAULT_IMAGE		0x8000000

#define MAX_E820		200	/* not all in the zero page */
/* Present and writable. */
#define TABLE_BITS		0x3

/* struct leave, for assembly; asserted below. */
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

/* As in misc.h: without it address-taken functions need a GOT. */
#pragma GCC visibility push(hidden)

/* The state in which leave.S enters the image. */
struct leave {
	u64 target;
	u64 cr3;		/* 64-bit entry only */
	u64 cr4, cr0;
	u64 rflags, rsp, rsi;
	u64 garbage;		/* for every other register */
	u32 cr3_early;		/* on the way back to 64-bit mode */
	u32 cr4_early;
	u32 efer;
	u32 bits;		/* 32 or 64 */
	struct desc_ptr gdtr, idtr;
	u16 cs, ds;
	u64 gdt[16];
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

struct range {
	u64 start, end;
};

static inline bool overlap(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

/* ---- head.S, leave.S, loader.ld ---- */

extern struct boot_e820_entry e820_table[MAX_E820];
extern u32 e820_count;
extern const char leave_code[], leave_code_end[];
extern struct boot_params loader_start;	/* QEMU's changes included */

/* ---- main.c ---- */

/* What is being done: options, then what they lead to. */
struct plan {
	u32 entry;		/* ENTRY_* */
	u64 image;		/* the staged file */
	u64 load;		/* where its protected-mode part goes */
	u64 bp, cmdline, setup_data, tramp;
	u64 initrd, initrd_size;
	const struct setup_header *hdr;	/* the image's, or our own */
	u64 init_size;
	struct range runtime;	/* where boot.rst says that it will run */
	u64 target;
	/* entry=direct */
	struct range kernel;
	u64 stack_top;
};

noreturn void loader_main(void);

/* ---- image.c ---- */

/* Finds out about the staged file; fills in what the options left open. */
void image_examine(struct plan *plan);
/* Puts it where it has to be. */
void image_place(const struct plan *plan);

/* ---- zeropage.c ---- */

void zero_page_make(const struct plan *plan);

/* ---- map.c ---- */

struct map {
	u64 root;
	u64 next, end;		/* what is left of the pool */
	unsigned int levels;
	unsigned int max_level;	/* of leaves: 1 is 4 KiB, 3 is 1 GiB */
};

void map_init(struct map *map, u64 pool, u64 size, unsigned int levels,
	      unsigned int max_level);
/*
 * Maps whole pages to @offset above themselves, with exactly these bits; 0
 * unmaps. Replaces leaves of 4 KiB; larger ones stay as they are.
 */
void map_range(struct map *map, struct range range, u64 offset, u64 bits);
/* The loader's own tables, after head.S: all RAM above 4 GiB as well. */
void map_all_ram(void);
/* The page tables that @plan and the options ask for; returns CR3. */
u64 map_make(const struct plan *plan);

/* ---- nmi.c ---- */

/* Starts the clock of the NMIs that the options ask for. */
void nmi_start(void);

#pragma GCC visibility pop

#endif
#endif
