/* SPDX-License-Identifier: MIT */
/*
 * short.S - a relocatable kernel that is no Linux, whose code has addresses of 32 bits: that of
 * its first byte, and that of its end. It compares the addresses, as the stub has relocated them,
 * with the addresses relative to %rip. It prints the result and ends QEMU with status 33.
 */
	.text
	.globl	_start
_start:
	leaq	wrong(%rip), %rsi
	movl	$_start, %eax
	leaq	_start(%rip), %rcx
	cmpq	%rcx, %rax
	jne	print
	movl	$stack_top, %eax
	leaq	stack_top(%rip), %rcx
	cmpq	%rcx, %rax
	jne	print
	leaq	right(%rip), %rsi
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
	.bss
	.balign	4096
	.skip	4096
stack_top:
	.section .note.GNU-stack, "", @progbits
