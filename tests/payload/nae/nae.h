/* SPDX-License-Identifier: MIT */
/*
 * nae.h - the NAE self-test: a payload that is linked with the stub's own object files.
 * It executes each instruction that causes a non-automatic exit (NAE) in an SEV-ES
 * guest, and checks what the stub's #VC handlers do to registers and memory.
 *
 * In a guest without SEV-ES the processor or the hypervisor executes the same
 * instructions, without the handlers. A case expects the same results with and without
 * SEV-ES. A run without SEV-ES thus shows that the case's expectation is right.
 */
#ifndef NAE_H
#define NAE_H

/*
 * Offsets in struct regs, for assembly code. Register n, in the processor's numbering,
 * is at 8 * n.
 */
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

/*
 * Used instead of an exit code: in a row of insns.S it allows any exit, and
 * vc_count(NO_EXIT) counts all exits.
 */
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
	u64 r[INSN_REGS];	/* registers by number; run() does not use r[INSN_RSP] */
	u64 rflags;
};
BUILD_BUG_ON(offsetof(struct regs, r[INSN_RDI]) != REGS_RDI);
BUILD_BUG_ON(offsetof(struct regs, r[INSN_R15]) != REGS_R15);
BUILD_BUG_ON(offsetof(struct regs, rflags) != REGS_RFLAGS);

/* ---- head.S ---- */

/*
 * Loads all registers except RSP from @regs, calls @code, and stores the registers to
 * @regs. Returns 0. If an exception handler calls run_abort(), run() returns 1 and
 * @regs is not changed.
 */
int run(void (*code)(void), struct regs *regs);

/*
 * May be called by an exception handler while @code of run() is executing. Makes run()
 * return 1.
 */
noreturn void run_abort(void);

/*
 * Calls sevemu's test hook @function (HOOK_* in sevemu/hooks.h) with two arguments.
 * Returns its result. May be called only if hooks_present(), except for HOOK_VERSION.
 */
u64 call_hook(u64 function, u64 arg1, u64 arg2);

/* ---- insns.S ---- */

/*
 * A row of the table in insns.S: an instruction that the self-test executes. execute()
 * checks that it does no more than its row says.
 */
struct insn_text {
	/*
	 * The instruction in AT&T syntax. Each row must have another text, because find()
	 * finds a row by its text.
	 */
	const char *text;
	/* A function that run() calls: the instruction and a RET. */
	void (*code)(void);
	/* Exit code of the only #VC that @code may raise; NO_EXIT: any. */
	u64 exit;
	u64 writes;			/* bit n: @code may change register n */
};
extern const struct insn_text insns[], insns_end[];

/* ---- main.c ---- */

/* Flags of a test case, in struct test. */
#define ES_ONLY			1	/* the case runs in an SEV-ES guest only */
#define HOOKS			2	/* the case needs sevemu's test hooks */
/* The case terminates the guest, so it runs only if nae=NAME selects it. */
#define FATAL			4
#define EARLY			8	/* the case runs before the GHCB is set up */

struct test {
	const char *name;	/* the case's name; NULL ends a table */
	void (*body)(void);
	/*
	 * The case's result line says how many #VCs with this exit code the case has caused;
	 * NO_EXIT: the line has no such count.
	 */
	u16 exit;
	u16 flags;		/* ES_ONLY, HOOKS, FATAL, EARLY */
};

/* The zero page that the stub has passed. nae_main() sets this. */
extern struct boot_params *boot_params;

/*
 * Vector, RIP and CR2 of the last exception that run_caught() has caught.
 */
extern u64 caught_vector, caught_rip;
extern u64 caught_cr2;

/*
 * Fails the running test case. Prints why, unless the case has already failed or is
 * skipped.
 */
void complain(const char *fmt, ...) printf_like(1, 2);

/*
 * Marks the running test case as skipped and prints @why. If the case has already
 * failed, it is still reported as failed, and @why is not printed.
 */
void skip(const char *why);

/* Whether the running test case has failed or is skipped. */
bool failed(void);

/* Calls complain() unless @value is @expected. @what names the value in the message. */
void expect(const char *what, u64 value, u64 expected);

/*
 * Returns how many #VC have come with @exit_code, or how many in all if it is NO_EXIT.
 */
u64 vc_count(u64 exit_code);

/*
 * Returns how many #GP the processor has raised or the hypervisor has injected. Does not
 * count a #GP for which the hypervisor asks by sw_exit_info_1, because the processor does
 * not deliver it: the #VC handler reports it itself.
 */
u64 gp_count(void);
/* head.S: the handler of #GP, which counts it. */
extern const u8 count_gp[];

/* Whether the hypervisor is sevemu with --test-hooks. */
bool hooks_present(void);

/*
 * Does what run() does, and catches an exception of @code. It then returns 1, and
 * caught_vector has the vector. In a FATAL case the stub reports the exception instead,
 * and terminates the guest.
 */
int run_caught(void (*code)(void), struct regs *regs);

/* ---- execute.c ---- */

/*
 * The registers before the next execute(), the registers after it, and the registers
 * that the test case wants after it. prepare() sets @before. execute() sets @after, and
 * copies @before to @want.
 */
extern struct regs before, after, want;

/* Sets each register in @before to a different value. */
void prepare(void);

/*
 * Executes the instruction whose text in insns.S is @insn, with the registers in
 * @before. Sets @after to the registers after it and @want to @before. Complains about
 * an exception, about an exit or a changed register that the row in insns.S does not
 * name, and about an unknown text.
 */
void execute(const char *insn);

/*
 * As execute(), for an instruction that is not in insns.S. @code is the instruction and
 * a RET. @name is for messages.
 */
void execute_code(const char *name, void (*code)(void));

/*
 * Complains unless the registers in the variable `after` are those in the variable `want`.
 * RSP is not compared. Of RFLAGS, only the arithmetic flags and DF are compared. The
 * message names the instruction @insn.
 */
void check_regs(const char *insn);

/*
 * Executes the instruction with the text @insn. Complains unless it raises the
 * exception @vector and, unless @vector is #DB, the exception's RIP is that of the
 * instruction.
 */
void expect_exception(const char *insn, u64 vector);

/*
 * Returns the value of a register that held @old after @value was written to its low
 * @size bytes (1, 2, 4 or 8). A write of 4 bytes clears the upper half (APM1 3.1.2).
 */
u64 merge(u64 old, u64 value, unsigned int size);

/* ---- Tables of test cases, one in each file ---- */

extern const struct test port_tests[], string_tests[], register_tests[],
	mmio_tests[], fatal_tests[];

/* ---- ports.c ---- */

/* Execute IN or OUT of 16 or 32 bits, for the set-up of a case. */
u16 in16(u16 port);
u32 in32(u16 port);
void out16(u16 port, u16 value);
void out32(u16 port, u32 value);

/*
 * Whether the machine has a UART whose scratch register returns what is written.
 * Changes the register.
 */
bool have_scratch_port(void);
#define SCRATCH_PORT		0x3ff

/*
 * Whether the machine has a PCI host bridge. Selects the bridge's first register, vendor
 * and device ID, so that the caller can read it at PCI_DATA.
 */
bool have_pci(void);

/*
 * Writes the PCI address port, so that PCI_DATA accesses the register @reg of function
 * 0 of @device on bus 0.
 */
void pci_select(u32 device, u32 reg);
#define PCI_ADDRESS		0xcf8
#define PCI_DATA		0xcfc

/*
 * Whether the machine has QEMU's fw_cfg device. Selects and reads fw_cfg's signature,
 * so a caller that wants to read it must select it again.
 */
bool have_fw_cfg(void);
#define FW_CFG_SELECT		0x510
#define FW_CFG_DATA		0x511

/* ---- mmio.c ---- */

/*
 * Maps the local APIC, and the page to which moffs() writes instructions at run time.
 * Must be called before other ranges are mapped, because a page keeps the rights of the
 * first call that maps it. The page for moffs() lies in .text, but must be
 * writable, too.
 */
void mmio_init(void);
#define APIC_BASE		0xfee00000UL

#pragma GCC visibility pop

#endif
#endif
