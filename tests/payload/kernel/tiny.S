/* SPDX-License-Identifier: MIT */
/*
 * tiny.S - the smallest test kernel. It prints a line, makes QEMU exit with the status
 * of a passed test, and checks nothing. A boot of it tests an unusual case: the stub and
 * the compressed payload together are larger than the decompressed payload.
 */
#define UART_DATA		0x3f8
#define DEBUG_EXIT_PORT		0xf4
#define EXIT_PASSED		0x10

#include "linkage.h"

	.section .text.entry, "ax"
	.code64
	.globl	_start
FUNC(_start)
	lea	message(%rip), %rbx
	mov	$UART_DATA, %edx
1:	mov	(%rbx), %al
	out	%al, %dx
	inc	%rbx
	cmpb	$0, (%rbx)
	jne	1b
	mov	$EXIT_PASSED, %al
	out	%al, $DEBUG_EXIT_PORT
2:	hlt
	jmp	2b
END_FUNC(_start)

DATA(message)
	.asciz	"payload: tiny\r\n"
END_DATA(message)

	.section .seal, "a"
	.section .note.GNU-stack, "", @progbits
