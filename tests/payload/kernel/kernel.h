/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the test kernel's files and what they offer each other.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

/* Bytes from one vector's entry to the next, in entry.S. */
#define EXCEPTION_STUB_SIZE	16

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

struct range {
	u64 start, end;
};

/* ---- entry.S ---- */

/* What has to be kept from the first instructions, as entry.S pushes it. */
struct entry_state {
	u64 zero_page;
	u64 rsp;
	u64 stack_zero_end;	/* up to here the own stack was zero */
	u64 rflags;
};

extern char image_start[], image_end[], stack[], stack_end[];
extern char exception_stubs[];
extern char places_start[], places_end[];

/* ---- main.c ---- */

/* Prints "payload: ...", unless t.quiet=1. */
void fact(const char *fmt, ...) printf_like(1, 2);
/* fail(), from options.h, prints "payload: FAIL ..." and remembers. */
noreturn void finish(void);
noreturn void kernel_main(const struct entry_state *state);

/* ---- self.c ---- */

/* What self_verify() found, on its caller's stack: .bss is under test. */
struct self {
	bool sealed;
	u32 bad_segments;	/* bit n: the bytes of segment n are wrong */
	u64 not_zero;		/* address in .bss that is not zero, or 0 */
	u64 distance;		/* virtually, from the link address */
};

/* Before anything is written to .bss but the stack. */
void self_verify(struct self *self, const struct entry_state *state);
void self_report(const struct self *self);
struct range self_range(void);

/* ---- cpu.c ---- */

struct segment_state {
	u16 cs, ds, es, ss;
	struct desc_ptr gdtr, idtr;
};

void cpu_save_segments(struct segment_state *segments);
void cpu_check(const struct entry_state *state,
	       const struct segment_state *segments);
/* Exceptions are reported from here on. */
void cpu_catch_exceptions(void);
noreturn void exception(const u64 *frame);

/* ---- zeropage.c ---- */

#define MAX_HANDED	72

/* Memory that the kernel was handed, and that has to be mapped for it. */
struct handed {
	const char *what;
	struct range range;
};

void handed_add(const char *what, u64 start, u64 size);
/* The @ith of all, or NULL. */
const struct handed *handed(u32 i);

/* Returns the command line, or "". */
const char *zero_page_find(const struct entry_state *state);
const struct boot_params *zero_page(void);
void zero_page_check(void);
/* Whether efi_info is filled in. */
bool is_efi_boot(void);
void cmdline_check(void);
/* text_hash() of the command line, or 0 if there is none. */
u64 cmdline_hash(void);

/* ---- initrd.c, setup_data.c ---- */

void initrd_check(void);
void setup_data_check(void);

/* ---- e820.c ---- */

void e820_check(void);
/* The first page in [start, end) that has no RAM in it, or @end. */
u64 e820_first_not_ram(u64 start, u64 end);

/* ---- sev.c ---- */

/* In an SEV-ES guest nothing can be printed before this. */
void sev_start(void);
void sev_check(void);

/* ---- map.c ---- */

/* Takes down which page tables are in force. */
void map_save(void);
void map_check(const struct entry_state *state);

#pragma GCC visibility pop

#endif
#endif
