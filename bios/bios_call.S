/* SPDX-License-Identifier: MIT */
/*
 * bios_call.S - what setup.c cannot express in C: a call of the BIOS, and a read
 * of memory outside of its segment.
 */
#include "linkage.h"
#include "setup.h"

	.section .setup.text, "ax"
	.code16

/*
 * bios_call - executes INT with the registers of a struct bios_regs, for setup.c.
 * A BIOS can change %ds, %es and the direction flag, so bios_call restores them.
 * In:       %al = the interrupt vector, %edx = struct bios_regs.
 * Out:      *%edx = the registers and flags that the BIOS returns.
 * Clobbers: flags. bios_call writes the vector into its own INT instruction, because
 *           INT takes only a constant.
 * Mode:     real mode, called by C with CALLL.
 * Stack:    72 bytes, and the BIOS's.
 */
GLOBAL(bios_call)
FUNC(bios_call)
	movb	%al, .Lvector
	pushal
	movw	%dx, %si
	subw	$BIOS_REGS_GENERAL, %sp
	movw	%sp, %di
	movw	$(BIOS_REGS_GENERAL / 2), %cx
	rep movsw
	popal
	.byte	0xcd			/* int */
.Lvector:
	.byte	0
	pushfl
	pushal
	cld
	pushw	%ss
	popw	%ds
	pushw	%ss
	popw	%es
	movw	%sp, %si
	movw	%sp, %bp
	movw	(BIOS_REGS_SIZE + 20)(%bp), %di	/* %edx as first pushed */
	movw	$(BIOS_REGS_SIZE / 2), %cx
	rep movsw
	addw	$BIOS_REGS_SIZE, %sp
	popal
	retl
END_FUNC(bios_call)

/*
 * bios_peek - reads a byte of memory outside of the setup segment, for setup.c.
 * In:       %eax = a linear address below 1 MiB.
 * Out:      %al = the byte.
 * Clobbers: %eax, %edx, %fs, flags.
 * Mode:     real mode, called by C with CALLL.
 * Stack:    the return address.
 */
GLOBAL(bios_peek)
FUNC(bios_peek)
	movl	%eax, %edx
	shrl	$4, %edx
	movw	%dx, %fs
	andl	$0xf, %eax
	movb	%fs:(%eax), %al
	retl
END_FUNC(bios_peek)

	.section .note.GNU-stack, "", @progbits
