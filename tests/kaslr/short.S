/* SPDX-License-Identifier: MIT */
/*
 * short.S - a relocatable kernel that is no Linux, whose code has an address of 32 bits. It
 * compares the address, as the stub has relocated it, with the address relative to %rip. It
 * prints the result and ends QEMU with status 33.
 */
	.text
	.globl	_start
_start:
	leaq	right(%rip), %rsi
	movl	$_start, %eax
	leaq	_start(%rip), %rcx
	cmpq	%rcx, %rax
	je	print
	leaq	wrong(%rip), %rsi
print:
	movw	$0x3f8, %dx		# the first serial port
next:
	lodsb
	testb	%al, %al
	jz	end
	outb	%al, %dx
	jmp	next
end:
	movb	$0x10, %al		# isa-debug-exit: status 2 * 0x10 + 1
	outb	%al, $0xf4
halt:
	hlt
	jmp	halt
right:	.asciz	"short: relocated\n"
wrong:	.asciz	"short: WRONG ADDRESS\n"
	.section .note.GNU-stack, "", @progbits
