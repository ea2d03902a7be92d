/* SPDX-License-Identifier: MIT */
/*
 * park.S - the guest code with which the APs of an SEV-ES guest without firmware start.
 *
 * loader.c copies it to the page PARK_CODE of the guest.  A SIPI cannot name an address
 * to an SEV-ES guest's AP, so the kernel writes a real-mode far pointer to the AP jump
 * table, the page after this one, before it sends the first SIPI (GHCB 4.3).
 */
#include "layout.h"
#include "x86.h"

#define TABLE			PAGE_SIZE	/* offset of the jump table from this code */
#define HOLD_REQUEST		0x006		/* GHCB MSR: AP reset hold (GHCB 2.3.1) */

/*
 * park_code - jumps to the address in the AP jump table.  While the table is empty, asks
 * for AP reset hold.
 *
 * In:		the registers of the launch: CS base PARK_CODE, stack at the page's end
 * Out:		jumps through the jump table
 * Clobbers:	EAX, ECX, EDX
 * Mode:	real mode
 * Stack:	6 bytes for an NMI
 */
	.section .rodata
	.code16
	.balign 16
	.globl park_code
park_code:
	cmpl	$0, %cs:TABLE
	jne	3f
1:	movl	$MSR_GHCB, %ecx
	movl	$HOLD_REQUEST, %eax
	xorl	%edx, %edx
	wrmsr
	rep
	vmmcall
	rdmsr
	/* If a SIPI has come, the answer has a bit above bits 11:0 set.  If not, ask again. */
	andl	$~0xfff, %eax
	orl	%edx, %eax
	jz	1b
	jmp	park_code
3:	ljmpw	*%cs:TABLE

/* The handler of NMIs: the host may inject them, and an AP that waits ignores them. */
park_nmi:
	iretw

/*
 * The interrupt vectors 0 to 2, of which 2 is NMI.  The limit of the APs' IDTR at launch
 * ends after them, so that an exception with a higher vector ends the guest and does not
 * run other memory as code.
 */
	.balign 4
	.globl park_vectors
park_vectors:
	.fill	PARK_VECTORS - 1, 4, 0
	.word	park_nmi - park_code, PARK_CODE >> 4
	.globl park_end
park_end:
	.section .note.GNU-stack, "", @progbits
