/* SPDX-License-Identifier: MIT */
/*
 * nae.h - the NAE self-test: a payload that is linked with the stub's own objects.
 * It executes each instruction that is a non-automatic exit (NAE) in an SEV-ES
 * guest, and checks what the stub's #VC handlers do to registers and memory.
 *
 * In a guest without SEV-ES the same instructions run without the handlers. A case
 * expects the same results there, which shows that the expectation is right.
 */
#ifndef NAE_H
#define NAE_H

/* Offsets in struct regs, for assembly: register n, in the processor's numbering, is at 8 * n. */
#define REGS_RAX		0x00
#define REGS_RCX		0x08
#define REGS_RDX		0x10
#define REGS_RBX		0x18
#define REGS_RBP		0x28
#define REGS_RSI		0x30
#define REGS_RDI		0x38
#define REGS_R8			0x40
#define REGS_R9			0x48
#define REGS_R10		0x50
#define REGS_R11		0x58
#define REGS_R12		0x60
#define REGS_R13		0x68
#define REGS_R14		0x70
#define REGS_R15		0x78
#define REGS_RFLAGS		0x80

#define NAE_STACK_SIZE		0x8000
#define NAE_POOL_SIZE		0x40000

/* In place of an exit code: a row of insns.S allows any, vc_count() counts all. */
#define NO_EXIT			0xffff

#ifndef __ASSEMBLER__

#include <asm/svm.h>

#include "boot_params.h"
#include "console.h"
#include "e820.h"
#include "error.h"
#include "exception.h"
#include "ident_map.h"
#include "idt.h"
#include "image.h"
#include "insn.h"
#include "lib/string.h"
#include "sev-es.h"
#include "sev.h"
#include "x86.h"

#pragma GCC visibility push(hidden)

struct regs {
	u64 r[INSN_REGS];	/* r[INSN_RSP] is neither loaded nor stored */
	u64 rflags;
};
BUILD_BUG_ON(offsetof(struct regs, r[INSN_RDI]) != REGS_RDI);
BUILD_BUG_ON(offsetof(struct regs, r[INSN_R15]) != REGS_R15);
BUILD_BUG_ON(offsetof(struct regs, rflags) != REGS_RFLAGS);

/* ---- head.S ---- */

/*
 * Loads all registers but RSP from @regs, calls @code, and stores them. Returns 0,
 * or 1 if run_abort() ended the call. @regs is then not changed.
 */
int run(void (*code)(void), struct regs *regs);

/* From an exception handler: makes the run() that is under way return 1. */
noreturn void run_abort(void);

/*
 * Calls @function (HOOK_*) of sevemu (sevemu/hooks.h) with two arguments. Returns its
 * result. Only where hooks_present(); HOOK_VERSION may be called anywhere.
 */
u64 call_hook(u64 function, u64 arg1, u64 arg2);

/* ---- insns.S ---- */

/* An instruction under test. execute() checks that it does no more than its row says. */
struct insn_text {
	const char *text;		/* in AT&T syntax: the key */
	void (*code)(void);		/* the instruction, then RET */
	u64 exit;			/* the only exit it may cause, or NO_EXIT */
	u64 writes;			/* bit n: it may change register n */
};
extern const struct insn_text insns[], insns_end[];

/* ---- main.c ---- */

/* Flags of a case (struct test). */
#define ES_ONLY			1	/* only in an SEV-ES guest */
#define HOOKS			2	/* only with sevemu's hooks */
#define FATAL			4	/* ends the guest: only with nae=NAME */
#define EARLY			8	/* runs before there is a GHCB */

struct test {
	const char *name;	/* NULL ends a table of cases */
	void (*body)(void);
	u16 exit;		/* the exit that is counted and printed, or NO_EXIT */
	u16 flags;		/* ES_ONLY, HOOKS, FATAL, EARLY */
};

/* The zero page from the stub. nae_main() sets it. */
extern struct boot_params *boot_params;

/* Vector and CR2 of the exception that ended the last run_caught(). */
extern u64 caught_vector;
extern u64 caught_cr2;

/* Fails the running case, and prints why unless it has failed or is skipped. */
void complain(const char *fmt, ...) printf_like(1, 2);

/* Marks the running case as skipped, and prints why unless it has failed. */
void skip(const char *why);

/* Whether the running case has failed or is skipped. */
bool failed(void);

/* Complains if @value is not @expected. @what names the value. */
void expect(const char *what, u64 value, u64 expected);

/* How many #VC have come with @exit_code, or in all (NO_EXIT). */
u64 vc_count(u64 exit_code);

/* Whether the hypervisor is sevemu with --test-hooks. */
bool hooks_present(void);

/*
 * As run(). An exception of @code is caught: caught_vector has it, and the result
 * is 1. In a FATAL case it is not caught, but reported by the stub.
 */
int run_caught(void (*code)(void), struct regs *regs);

/* ---- execute.c ---- */

/*
 * Registers before the next execute(), after it, and those that the case wants after
 * it. prepare() sets before, execute() the other two.
 */
extern struct regs before, after, want;

/* Fills before with a different value for each register. */
void prepare(void);

/*
 * Executes the instruction of insns.S with the text @insn. Sets after to its result
 * and want to before. Complains about an exception, about an exit or a changed
 * register that insns.S does not name, and about an unknown text.
 */
void execute(const char *insn);

/* As execute(), for @code: an instruction and RET that are not in insns.S. */
void execute_code(const char *name, void (*code)(void));

/* Complains unless the registers in after are those in want, RSP and some flags aside. */
void check_regs(const char *insn);

/* Executes @insn. Complains unless it raises the exception @vector. */
void expect_exception(const char *insn, u64 vector);

/*
 * Returns @old after a write of @value to its low @size bytes (1, 2, 4 or 8). A
 * write of 4 bytes clears the upper half (APM1 3.1.2).
 */
u64 merge(u64 old, u64 value, unsigned int size);

/* ---- Tables of cases, one in each file. */

extern const struct test port_tests[], string_tests[], register_tests[],
	mmio_tests[], fatal_tests[];

/* ---- ports.c ---- */

/* IN and OUT of 16 and 32 bits. */
u16 in16(u16 port);
u32 in32(u16 port);
void out16(u16 port, u16 value);
void out32(u16 port, u32 value);

/* Whether the UART's scratch register gives back what is written. Changes it. */
bool have_scratch_port(void);
#define SCRATCH_PORT		0x3ff

/* Whether there is a PCI host bridge. Selects its first register if so. */
bool have_pci(void);

/* Makes PCI_DATA the register @reg of @device, function 0 of bus 0. */
void pci_select(u32 device, u32 reg);
#define PCI_ADDRESS		0xcf8
#define PCI_DATA		0xcfc

/* Whether QEMU's fw_cfg is there. Reads its signature to the end. */
bool have_fw_cfg(void);
#define FW_CFG_SELECT		0x510
#define FW_CFG_DATA		0x511

/* ---- mmio.c ---- */

/*
 * Maps the local APIC and the page for instructions that are made at run time. Called
 * while the map is built, before other ranges, which would take the page's rights.
 */
void mmio_init(void);
#define APIC_BASE		0xfee00000UL

#pragma GCC visibility pop

#endif
#endif
