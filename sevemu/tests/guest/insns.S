/* SPDX-License-Identifier: MIT */
/*
 * insns.S - the functions insn_<id>(struct regs *r) of the test guest. Each executes
 * one instruction of exit_insns.h. They may be called at any CPL, in 64-bit mode.
 *
 * A function first stores to the fields of vc where the instruction is and which exit
 * code is expected, for the #VC handler. It loads the registers that the instruction
 * reads from @r, and the others with the value UNREAD. It executes the instruction and
 * stores the registers that the instruction writes to @r. It counts in vc.changed each
 * other register that has changed.
 *
 * In:  %rdi = r
 * Clobbers: all registers but those that the C calling convention preserves
 */
#include <asm/svm.h>

#include "../exit_insns.h"

/* Offsets of the first fields of struct vc_log (guest.h). vc.c asserts them. */
#define VC_RIP		0
#define VC_RESUME	8
#define VC_EXIT		16
#define VC_CHANGED	24

/* Offsets of the fields of struct regs (guest.h) */
#define REGS_RAX	0
#define REGS_RBX	8
#define REGS_RCX	16
#define REGS_RDX	24
#define REGS_RSI	32
#define REGS_RDI	40

#define UNREAD		0x5a5a5a5a

	.text

/*
 * Used before the instruction under test: loads %\name from its field of the struct regs
 * at %r11 if the instruction reads the register, and with UNREAD otherwise.
 */
.macro load name, field, reads
	.if	\reads
	movq	\field(%r11), %\name
	.else
	movq	$UNREAD, %\name
	.endif
.endm

/*
 * Used after the instruction under test: stores %\name to its field of the struct regs at
 * %r11 if the instruction writes the register. Otherwise adds 1 to vc.changed if the
 * register has changed.
 */
.macro store name, field, reads, writes
	.if	\writes
	movq	%\name, \field(%r11)
	.else
	.if	\reads
	cmpq	\field(%r11), %\name
	.else
	cmpq	$UNREAD, %\name
	.endif
	je	.Lsame_\name\@
	incq	vc + VC_CHANGED(%rip)
.Lsame_\name\@:
	.endif
.endm

.macro exit_insn id, text, exit, reads, writes
	.globl	insn_\id
insn_\id:
	pushq	%rbx
	movq	%rdi, %r11
	movq	$.Lat_\id, vc + VC_RIP(%rip)
	movq	$.Lbehind_\id, vc + VC_RESUME(%rip)
	movq	$(\exit), vc + VC_EXIT(%rip)
	load	rax, REGS_RAX, ((\reads) & GPR_RAX)
	load	rbx, REGS_RBX, ((\reads) & GPR_RBX)
	load	rcx, REGS_RCX, ((\reads) & GPR_RCX)
	load	rdx, REGS_RDX, ((\reads) & GPR_RDX)
	load	rsi, REGS_RSI, ((\reads) & GPR_RSI)
	load	rdi, REGS_RDI, ((\reads) & GPR_RDI)
.Lat_\id:
	\text
.Lbehind_\id:
	store	rax, REGS_RAX, ((\reads) & GPR_RAX), ((\writes) & GPR_RAX)
	store	rbx, REGS_RBX, ((\reads) & GPR_RBX), ((\writes) & GPR_RBX)
	store	rcx, REGS_RCX, ((\reads) & GPR_RCX), ((\writes) & GPR_RCX)
	store	rdx, REGS_RDX, ((\reads) & GPR_RDX), ((\writes) & GPR_RDX)
	store	rsi, REGS_RSI, ((\reads) & GPR_RSI), ((\writes) & GPR_RSI)
	store	rdi, REGS_RDI, ((\reads) & GPR_RDI), ((\writes) & GPR_RDI)
	popq	%rbx
	ret
.endm

#define STRING(x)	#x
#define ROW(id, text, exit, reads, writes)				\
	exit_insn id, text, STRING(exit), STRING(reads), STRING(writes);
EXIT_INSNS(ROW)

	.section .note.GNU-stack, "", @progbits
