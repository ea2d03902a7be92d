/* SPDX-License-Identifier: MIT */
/*
 * insns.S - every instruction under test, by its text: execute("inb %dx, %al")
 * finds it in the table.
 */
#include "linkage.h"

	.section .rodata.insns, "a"
	.balign 8
	.globl insns
	.hidden insns
insns:
	.text

/* @code: in other words, where not all assemblers know @text. */
.macro insn text:req, code
	.pushsection .rodata.text, "a"
.Ltext\@:
	.asciz	"\text"
	.popsection
	.pushsection .rodata.insns, "a"
	.quad	.Ltext\@, .Lcode\@
	.popsection
	.balign 16, 0xcc
.Lcode\@:
	.ifb	\code
	\text
	.else
	\code
	.endif
	ret
.endm

	/* Registers. */
	insn	"cpuid"
	insn	"rdtsc"
	insn	"rdtscp"
	insn	"rdpmc"
	insn	"rdmsr"
	insn	"wrmsr"
	insn	"mov %dr7, %rbx"
	insn	"mov %dr7, %r9"
	insn	"mov %rbx, %dr7"
	insn	"mov %r9, %dr7"
	insn	"wbinvd"
	insn	"invd"
	insn	"monitor"
	insn	"mwait"
	insn	"vmmcall"
	insn	"nop"

	/* Ports. */
	insn	"inb (%dx), %al"
	insn	"inw (%dx), %ax"
	insn	"inl (%dx), %eax"
	insn	"rex.w inl (%dx), %eax", ".byte 0x48; inl (%dx), %eax"
	insn	"inb $0x71, %al"
	insn	"inw $0x70, %ax"
	insn	"inl $0xe0, %eax"
	insn	"outb %al, (%dx)"
	insn	"outw %ax, (%dx)"
	insn	"outl %eax, (%dx)"
	insn	"rex.w outl %eax, (%dx)", ".byte 0x48; outl %eax, (%dx)"
	insn	"outb %al, $0x70"
	insn	"outw %ax, $0x70"
	insn	"outl %eax, $0x70"

	/* Strings. */
	insn	"insb (%dx), (%rdi)"
	insn	"insw (%dx), (%rdi)"
	insn	"insl (%dx), (%rdi)"
	insn	"fs insb (%dx), (%rdi)"
	insn	"rep insb (%dx), (%rdi)"
	insn	"rep insw (%dx), (%rdi)"
	insn	"rep insl (%dx), (%rdi)"
	insn	"rep insb (%dx), (%edi)"
	insn	"outsb (%rsi), (%dx)"
	insn	"outsw (%rsi), (%dx)"
	insn	"outsl (%rsi), (%dx)"
	insn	"outsb %fs:(%rsi), (%dx)"
	insn	"outsb %gs:(%rsi), (%dx)"
	insn	"outsb %fs:(%esi), (%dx)"
	insn	"rep outsb (%rsi), (%dx)"
	insn	"rep outsw (%rsi), (%dx)"
	insn	"rep outsl (%rsi), (%dx)"
	insn	"rep outsb (%esi), (%dx)"

	/* Memory: %rbx, or the strings' own. */
	insn	"movb (%rbx), %al"
	insn	"movb (%rbx), %ch"
	insn	"movb (%rbx), %sil"
	insn	"movw (%rbx), %ax"
	insn	"movw 2(%rbx), %r9w"
	insn	"movl (%rbx), %eax"
	insn	"movl -4(%rbx), %r15d"
	insn	"movl 3(%rbx), %edx"
	insn	"movl (%ebx), %eax"
	insn	"movl %fs:(%rcx), %eax"
	insn	"movl %gs:8(%rcx), %eax"
	insn	"movq (%rbx), %rax"
	insn	"movq 16(%rbx), %r8"
	insn	"movq (%rbx, %rcx, 8), %rdx"
	insn	"movq 64(%rbx, %r10, 4), %rdx"

	insn	"movzbw (%rbx), %ax"
	insn	"movzbl (%rbx), %eax"
	insn	"movzbq (%rbx), %r11"
	insn	"movzwl (%rbx), %eax"
	insn	"movzwq (%rbx), %rax"
	insn	"movsbw (%rbx), %ax"
	insn	"movsbl (%rbx), %eax"
	insn	"movsbq (%rbx), %r11"
	insn	"movswl (%rbx), %eax"
	insn	"movswq (%rbx), %rax"
	insn	"movslq (%rbx), %rax"

	insn	"movb %al, (%rbx)"
	insn	"movb %ah, (%rbx)"
	insn	"movb %dil, 1(%rbx)"
	insn	"movw %ax, (%rbx)"
	insn	"movl %eax, (%rbx)"
	insn	"movl %r15d, 4(%rbx)"
	insn	"movq %rax, (%rbx)"
	insn	"movq %r12, (%rbx, %rcx, 8)"
	insn	"movb $0x5a, (%rbx)"
	insn	"movw $0x5aa5, (%rbx)"
	insn	"movl $0x9abcdef0, (%rbx)"
	insn	"movq $-2, (%rbx)"

	insn	"stosb %al, (%rdi)"
	insn	"stosw %ax, (%rdi)"
	insn	"stosl %eax, (%rdi)"
	insn	"stosq %rax, (%rdi)"
	insn	"rep stosb %al, (%rdi)"
	insn	"rep stosl %eax, (%rdi)"
	insn	"rep stosl %eax, (%edi)"

	insn	"movsb (%rsi), (%rdi)"
	insn	"movsw (%rsi), (%rdi)"
	insn	"movsl (%rsi), (%rdi)"
	insn	"movsq (%rsi), (%rdi)"
	insn	"rep movsb (%rsi), (%rdi)"
	insn	"rep movsl (%rsi), (%rdi)"
	insn	"rep movsq (%rsi), (%rdi)"
	insn	"rep movsl (%esi), (%edi)"

	/* No MMIO that the stub knows. */
	insn	"incl (%rbx)"

	.section .rodata.insns, "a"
	.globl insns_end
	.hidden insns_end
insns_end:

	.section .note.GNU-stack, "", @progbits
