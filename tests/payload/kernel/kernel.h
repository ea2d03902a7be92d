/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the functions and data that the test kernel's files share. A check
 * calls fail() for each fault, and returns. kernel_main() calls all checks once.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

/* Bytes between the entries of two vectors in exception_stubs. */
#define EXCEPTION_STUB_SIZE	16

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

/* The bytes from @start up to, but without, @end. */
struct range {
	u64 start, end;
};

/* ---- entry.S ---- */

/*
 * The registers at the kernel's entry. entry.S pushes this structure on its own
 * stack before it changes them.
 */
struct entry_state {
	u64 zero_page;		/* RSI */
	u64 rsp;
	u64 stack_zero_end;	/* the kernel's own stack was zero from its
				 * start to this address, stack_end if all */
	u64 rflags;
};

/* The bounds of the kernel, of its stack, and of its section .places. */
extern char image_start[], image_end[], stack[], stack_end[];
extern char exception_stubs[];
extern char places_start[], places_end[];

/* ---- main.c ---- */

/* Prints "payload: ...", unless t.quiet=1. */
void fact(const char *fmt, ...) printf_like(1, 2);

/*
 * Ends QEMU with EXIT_PASSED, or with EXIT_FAILED if fail() has been called.
 * Resets the machine first until it has booted t.boots times.
 */
noreturn void finish(void);

/* Runs all checks. entry.S calls it with @state on the kernel's own stack. */
noreturn void kernel_main(const struct entry_state *state);

/* ---- self.c ---- */

/*
 * The findings of self_verify(). This structure must be on the stack, because
 * self_verify() checks that .bss is zero.
 */
struct self {
	bool sealed;		/* the seal (seal.h) is filled in */
	u32 bad_segments;	/* bit n: the bytes of segment n are wrong */
	u64 not_zero;		/* address in .bss that is not zero, or 0 */
	u64 distance;		/* bytes by which the relocations moved it */
};

/*
 * Compares the kernel in memory with its seal, and sets @self. Must be called
 * before anything but the stack is written in .bss. Prints nothing.
 */
void self_verify(struct self *self, const struct entry_state *state);

/* Prints and judges the findings. Needs the options and the zero page. */
void self_report(const struct self *self);

/* The memory that the kernel occupies, .bss included. */
struct range self_range(void);

/* ---- cpu.c ---- */

struct segment_state {
	u16 cs, ds, es, ss;
	struct desc_ptr gdtr, idtr;
};

/* Saves the segment and table registers, before the IDT is replaced. */
void cpu_save_segments(struct segment_state *segments);

/* Checks that the processor's state at the entry is what boot.rst demands. */
void cpu_check(const struct entry_state *state,
	       const struct segment_state *segments);

/* Loads an IDT whose handlers call exception(). */
void cpu_catch_exceptions(void);

/* Reports an exception and ends QEMU. @frame: vector, error code, RIP, CS, ... */
noreturn void exception(const u64 *frame);

/* ---- zeropage.c ---- */

#define MAX_HANDED	72	/* pieces of memory */

/*
 * A piece of memory that the stub passes to the kernel, for example the initrd.
 * The stub must map it. @what names it in messages.
 */
struct handed {
	const char *what;
	struct range range;
};

/*
 * Adds a piece of @size bytes at @start. Ignored if @size is 0 or MAX_HANDED
 * pieces have been added. @what must stay valid.
 */
void handed_add(const char *what, u64 start, u64 size);

/* The @ith piece that was added, from 0, or NULL if there are fewer. */
const struct handed *handed(u32 i);

/*
 * Remembers the zero page and returns the command line, or "" if there is none.
 * Ends QEMU if RSI was no possible address. Call this before all functions below.
 */
const char *zero_page_find(const struct entry_state *state);
const struct boot_params *zero_page(void);

/* Checks the setup header, the reserved fields and efi_info. */
void zero_page_check(void);

/* Whether efi_info has the signature of a 64-bit EFI loader. */
bool is_efi_boot(void);

/* Checks the command line's length. */
void cmdline_check(void);

/* text_hash() of the command line, or 0 if there is none. */
u64 cmdline_hash(void);

/* ---- initrd.c, setup_data.c ---- */

/* Checks the initrd's size and checksum, which t.initrd= gives. */
void initrd_check(void);

/* Checks the setup_data chain and what the test loader tells in it. */
void setup_data_check(void);

/* ---- e820.c ---- */

/* Checks the memory map's entries, and that it has t.mem= bytes of RAM. */
void e820_check(void);

/*
 * Returns the first page in [start, end) that is not RAM by the memory map, or
 * @end. @start is a multiple of the page size.
 */
u64 e820_first_not_ram(u64 start, u64 end);

/* ---- sev.c ---- */

/*
 * Sets up a GHCB in an SEV-ES guest (t.sev=es), so that print() works. Must be
 * called before the first output.
 */
void sev_start(void);

/* Checks SEV_STATUS, the GHCB MSR and the stub's former GHCB. */
void sev_check(void);

/* ---- map.c ---- */

/* Saves CR3. Must be called before sev_start(), which replaces it. */
void map_save(void);

/*
 * Checks the saved page tables. All calls of handed_add() must have been made,
 * because other memory must not be mapped.
 */
void map_check(const struct entry_state *state);

#pragma GCC visibility pop

#endif
#endif
