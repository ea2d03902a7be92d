/* SPDX-License-Identifier: MIT */
/*
 * nae.h - the NAE self-test: a payload made of the stub's own objects, which
 * executes one instruction after the other that is an exit in an SEV-ES guest
 * ("non-automatic exit") and looks at what the stub's handlers make of it.
 *
 * Without SEV-ES the same instructions run without the handlers: whatever holds
 * there has to hold with them.
 */
#ifndef NAE_H
#define NAE_H

/* struct regs, for assembly: register n of the processor's at 8 * n. */
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

/* In place of an exit code: any exit is allowed, and none is counted. */
#define NO_EXIT			0xffff

#ifndef __ASSEMBLER__

#include <asm/svm.h>

#include "insn.h"
#include "misc.h"
#include "sev.h"

#pragma GCC visibility push(hidden)

struct regs {
	u64 r[INSN_REGS];	/* the place of RSP is not used */
	u64 rflags;
};
BUILD_BUG_ON(offsetof(struct regs, r[INSN_RDI]) != REGS_RDI);
BUILD_BUG_ON(offsetof(struct regs, r[INSN_R15]) != REGS_R15);
BUILD_BUG_ON(offsetof(struct regs, rflags) != REGS_RFLAGS);

/* ---- head.S ---- */

/*
 * Loads all registers from @regs, calls @code, stores them. Returns 0, or 1 if
 * an exception ended it by run_abort(); then @regs is as it was.
 */
int run(void (*code)(void), struct regs *regs);
noreturn void run_abort(void);
/* A hook of sevemu's (sevemu/hooks.h), if it has any. */
u64 call_hook(u64 function, u64 arg1, u64 arg2);

/* ---- insns.S ---- */

/* An instruction under test. execute() checks that it does no more than this. */
struct insn_text {
	const char *text;		/* in AT&T syntax: the key */
	void (*code)(void);		/* the instruction, then RET */
	u64 exit;			/* the only exit it may cause, or NO_EXIT */
	u64 writes;			/* bit n: it may change register n */
};
extern const struct insn_text insns[], insns_end[];

/* ---- main.c ---- */

/* Flags of a case: the instruction must not be executed without handlers. */
#define ES_ONLY			1
/* ... needs sevemu's hooks. */
#define HOOKS			2
/* ... is run when it is named, because it ends the guest. */
#define FATAL			4
/* ... is run when it is named, before there is a GHCB. */
#define EARLY			8

struct test {
	const char *name;
	void (*body)(void);
	u16 exit;
	u16 flags;
};

extern struct boot_params *boot_params;
/* What the exception was that ended the last instruction. */
extern u64 caught_vector;
extern u64 caught_cr2;

/* The first complaint in a case counts. */
void complain(const char *fmt, ...) printf_like(1, 2);
void skip(const char *why);
bool failed(void);
/* Complains if they differ. */
void expect(const char *what, u64 value, u64 expected);
/* How many #VC with this exit code, or in all (NO_EXIT), there have been. */
u64 vc_count(u64 exit_code);
bool hooks_present(void);
/* run(); but where the case ends the guest, an exception does. */
int run_caught(void (*code)(void), struct regs *regs);

/* ---- execute.c ---- */

/*
 * The registers of the next instruction; what they were after the last one;
 * and what they should have been.
 */
extern struct regs before, after, want;

/* @before gets a value of its own in each register. */
void prepare(void);
/* Executes "insn" of insns.S. Sets @after, and @want to @before. */
void execute(const char *insn);
void execute_code(const char *name, void (*code)(void));
/* Complains unless @after is @want. */
void check_regs(const char *insn);
/* Complains unless the instruction raises @vector. */
void expect_exception(const char *insn, u64 vector);
/* @old with its low @size bytes replaced as the processor does it. */
u64 merge(u64 old, u64 value, unsigned int size);

/* ---- Cases: each file's end is a test without a name. */
extern const struct test port_tests[], string_tests[], register_tests[],
	mmio_tests[], fatal_tests[];

/* ---- ports.c ---- */

u16 in16(u16 port);
u32 in32(u16 port);
void out16(u16 port, u16 value);
void out32(u16 port, u32 value);
/* A byte that can be written and read back, or false. */
bool have_scratch_port(void);
#define SCRATCH_PORT		0x3ff		/* UART's scratch register */
bool have_pci(void);
void pci_select(u32 device, u32 reg);
#define PCI_ADDRESS		0xcf8
#define PCI_DATA		0xcfc
bool have_fw_cfg(void);
#define FW_CFG_SELECT		0x510
#define FW_CFG_DATA		0x511

/* ---- mmio.c ---- */

/* Maps the devices that there are. */
void mmio_init(void);
#define APIC_BASE		0xfee00000UL

#pragma GCC visibility pop

#endif
#endif
