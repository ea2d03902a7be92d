/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the functions and data that the test kernel's files share. The test kernel
 * is a payload that checks what the stub has done. A check calls fail() for each fault
 * that it finds, and returns. kernel_main() calls each check once.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

/* Size in bytes of the code for each vector in exception_stubs (entry.S). */
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
 * The compiler addresses hidden symbols relative to RIP. Without this, taking a
 * function's address would need a global offset table, which the test kernel does not
 * have.
 */
#pragma GCC visibility push(hidden)

/* Memory from address @start up to, but without, address @end. */
struct range {
	u64 start, end;
};

/* ---- entry.S ---- */

/*
 * Registers at the kernel's entry. entry.S pushes this struct on the kernel's own stack
 * before it changes them.
 */
struct entry_state {
	u64 zero_page;		/* RSI, the address of the zero page */
	u64 rsp;
	/*
	 * The address of the first word of the kernel's own stack that was not zero at
	 * the entry, or stack_end if all words were zero.
	 */
	u64 stack_zero_end;
	u64 rflags;
};

/*
 * Symbols of kernel.ld and entry.S. *_start and stack are the addresses of the first
 * byte, *_end the addresses after the last: of the kernel, of its stack, and of its
 * section .places, which has the data that the stub relocates. exception_stubs is the
 * code to which the IDT's gates lead.
 */
extern char image_start[], image_end[], stack[], stack_end[];
extern char exception_stubs[];
extern char places_start[], places_end[];

/* ---- main.c ---- */

/*
 * Prints "payload: ..." for something that is neither success nor failure. Prints
 * nothing with the option t.quiet=1.
 */
void fact(const char *fmt, ...) printf_like(1, 2);

/*
 * Makes QEMU exit with EXIT_PASSED, or with EXIT_FAILED if fail() has been called. With
 * t.boots=N it resets the machine instead, until the machine has booted N times.
 */
noreturn void finish(void);

/*
 * The test kernel's C code: runs all checks. entry.S calls it on the kernel's own
 * stack, with the registers at the entry in @state.
 */
noreturn void kernel_main(const struct entry_state *state);

/* ---- self.c ---- */

/*
 * What self_verify() has found. A variable of this type must be on the stack, because
 * self_verify() checks that .bss is still zero.
 */
struct self {
	/* True if the program seal has filled in struct seal after the link. */
	bool sealed;
	/* Bit n: the bytes of segment n are not as they were linked. */
	u32 bad_segments;
	u64 not_zero;		/* first address in .bss that is not zero, or 0 */
	/* The distance in bytes by which the stub has relocated the kernel. */
	u64 distance;
};

/*
 * Compares the kernel in memory with its seal, a record of how its memory must look
 * (seal.h). Writes the result to @self and prints nothing. Must be called before
 * anything in .bss is written, except the stack.
 */
void self_verify(struct self *self, const struct entry_state *state);

/*
 * Prints the result of self_verify() and calls fail() for each fault. Must be called
 * after the options and the zero page have been read.
 */
void self_report(const struct self *self);

/* Returns the memory range of the kernel, .bss included. */
struct range self_range(void);

/* ---- cpu.c ---- */

struct segment_state {
	u16 cs, ds, es, ss;
	struct desc_ptr gdtr, idtr;
};

/*
 * Saves the segment registers, GDTR and IDTR of the kernel's entry for cpu_check().
 * Must be called before the kernel loads its own IDT.
 */
void cpu_save_segments(struct segment_state *segments);

/* Checks that the processor's state at the kernel's entry is as boot.rst demands. */
void cpu_check(const struct entry_state *state,
	       const struct segment_state *segments);

/*
 * Loads an IDT whose handlers all call exception(), so that an exception is reported.
 */
void cpu_catch_exceptions(void);

/*
 * Prints an exception as a failure and makes QEMU exit. @frame is on the stack: vector,
 * error code, RIP, CS, ...
 */
noreturn void exception(const u64 *frame);

/* ---- zeropage.c ---- */

#define MAX_HANDED	72	/* entries for which handed_add()'s list has room */

/*
 * A range of memory that the stub passes to the kernel, for example the initrd. The
 * stub must map it. @what names it in messages.
 */
struct handed {
	const char *what;
	struct range range;
};

/*
 * Adds @size bytes at @start to the list of memory that the stub passes to the
 * kernel. map_check() checks that the bytes are mapped. Does nothing if @size
 * is 0 or if the list has MAX_HANDED entries. The string @what must stay valid.
 */
void handed_add(const char *what, u64 start, u64 size);

/*
 * Returns entry @i, from 0, of the list that handed_add() makes, or NULL if the list is
 * shorter.
 */
const struct handed *handed(u32 i);

/*
 * Keeps the zero page's address for zero_page(). @state has it from RSI. Returns the
 * command line, or "" if the zero page has none. Makes QEMU exit if RSI cannot be an
 * address. Must be called before all functions below.
 */
const char *zero_page_find(const struct entry_state *state);
const struct boot_params *zero_page(void);

/* Checks the zero page's setup header, its reserved fields and efi_info. */
void zero_page_check(void);

/* Whether efi_info has the signature of a 64-bit EFI loader. */
bool is_efi_boot(void);

/* Checks that the zero page has a command line that is not too long, and prints it. */
void cmdline_check(void);

/*
 * Returns text_hash() of the command line, or 0 if the zero page has no command line.
 */
u64 cmdline_hash(void);

/* ---- initrd.c, setup_data.c ---- */

/* Checks the initrd's size and checksum against the option t.initrd=. */
void initrd_check(void);

/*
 * Checks the nodes of the setup_data list, and the zero page against the copy that the
 * test loader has put into the first node.
 */
void setup_data_check(void);

/* ---- e820.c ---- */

/*
 * Checks the entries of the E820 memory map, and that it has the amount of RAM of the
 * option t.mem=.
 */
void e820_check(void);

/*
 * Returns the address of the first page in [start, end) that is not RAM by the E820
 * map, or @end if all are RAM. @start is a multiple of the page size.
 */
u64 e820_first_not_ram(u64 start, u64 end);

/* ---- sev.c ---- */

/*
 * In an SEV-ES guest (t.sev=es) sets up a GHCB, so that print() works without a #VC.
 * Must be called before the first output.
 */
void sev_start(void);

/* Returns whether the guest is an SNP guest. Must be called after sev_start(). */
bool is_snp(void);

/*
 * Checks the SEV_STATUS MSR, the GHCB MSR, the blob of an SNP guest, and the page
 * that the stub used as its GHCB (t.ghcb=).
 */
void sev_check(void);

/* ---- map.c ---- */

/*
 * Saves CR3, which points to the stub's page tables, for map_check(). Must be called
 * before sev_start(), which loads other page tables.
 */
void map_save(void);

/*
 * Checks the page tables that the stub has left. Must be called after all calls
 * of handed_add(), because the stub may map only the memory in handed_add()'s
 * list, the stub's image, and the kernel's runtime range.
 */
void map_check(const struct entry_state *state);

#pragma GCC visibility pop

#endif
#endif
