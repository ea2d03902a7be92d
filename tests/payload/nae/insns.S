/* SPDX-License-Identifier: MIT */
/*
 * insns.S - a table of every instruction that the NAE self-test executes. execute("inb
 * (%dx), %al") finds an instruction by its text. The rows of exit_insns.h come first,
 * with the exit and the registers that exit_insns.h names. The other rows are for this
 * test only.
 */
#include <asm/svm.h>

#include "linkage.h"
#include "nae.h"
#include "sevemu/tests/exit_insns.h"

	.section .rodata.insns, "a"
	.balign 8
	.globl insns
	.hidden insns
insns:
	.text

/*
 * Adds a row, struct insn_text, to the table. @text is an instruction, and the
 * key by which execute() finds the row. If some assemblers do not know the
 * instruction, @code is assembled in its place. @exit is the only exit that the
 * instruction may cause. @writes is a mask of the registers that it may change.
 */
.macro insn text:req, code, exit=NO_EXIT, writes=0xffff
	.pushsection .rodata.text, "a"
.Ltext\@:
	.asciz	"\text"
	.popsection
	.pushsection .rodata.insns, "a"
	.quad	.Ltext\@, .Lcode\@
	.quad	\exit, \writes
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

#define STRING(x)	#x
#define ROW(id, text, code, reads, may_write)				\
	insn text, exit=STRING(code), writes=STRING(may_write);
EXIT_INSNS(ROW)

	/*
	 * Accesses to DR7 with other registers than RAX, and NOP. NOP causes no exit; the
	 * case "db" executes it with RFLAGS.TF set.
	 */
	insn	"mov %dr7, %rbx"
	insn	"mov %dr7, %r9"
	insn	"mov %rbx, %dr7"
	insn	"mov %r9, %dr7"
	insn	"nop"

	/* Forms of IN and OUT that exit_insns.h does not have. */
	insn	"rex.w inl (%dx), %eax", ".byte 0x48; inl (%dx), %eax"
	insn	"inw $0x70, %ax"
	insn	"inl $0xe0, %eax"
	insn	"rex.w outl %eax, (%dx)", ".byte 0x48; outl %eax, (%dx)"
	insn	"outb %al, $0x70"
	insn	"outw %ax, $0x70"
	insn	"outl %eax, $0x70"

	/* Forms of INS and OUTS that exit_insns.h does not have. */
	insn	"insw (%dx), (%rdi)"
	insn	"insl (%dx), (%rdi)"
	insn	"fs insb (%dx), (%rdi)"
	insn	"rep insb (%dx), (%edi)"
	insn	"outsw (%rsi), (%dx)"
	insn	"outsl (%rsi), (%dx)"
	insn	"outsb %fs:(%rsi), (%dx)"
	insn	"outsb %gs:(%rsi), (%dx)"
	insn	"outsb %fs:(%esi), (%dx)"

	/*
	 * Accesses to memory. RBX has the address, and RSI and RDI those of string
	 * instructions.
	 */
	insn	"movb (%rbx), %ch"
	insn	"movb (%rbx), %sil"
	insn	"movw (%rbx), %ax"
	insn	"movw 2(%rbx), %r9w"
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

	/*
	 * The case npf-opcode uses INC, because the stub does not emulate it on a
	 * device.
	 */
	insn	"incl (%rbx)"

	.section .rodata.insns, "a"
	.globl insns_end
	.hidden insns_end
insns_end:

	.section .note.GNU-stack, "", @progbits
