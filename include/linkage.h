/* SPDX-License-Identifier: MIT */
/*
 * linkage.h - macros that start and end a function or an object in assembly.
 * They give a symbol its type and size. GLOBAL() makes it visible to the other
 * objects of the stub.
 */
#ifndef LINKAGE_H
#define LINKAGE_H

#ifdef __ASSEMBLER__

/*
 * FUNC() starts a function at a multiple of 4 bytes. The padding in front, if any, is
 * INT3, so that code which runs past the preceding function raises #BP.
 */
#define FUNC(name)		\
	.balign 4, 0xcc;	\
	name:

#define END_FUNC(name)		\
	.type name, @function;	\
	.size name, . - name

#define DATA(name)		\
	name:

#define END_DATA(name)		\
	.type name, @object;	\
	.size name, . - name

/*
 * Lets the other objects of the stub refer to @name. The symbol is hidden, so
 * that C code addresses it relative to the instruction, not through the GOT.
 */
#define GLOBAL(name)		\
	.globl name;		\
	.hidden name

/* Saves on the stack, 48 bytes, the registers that a C function must keep besides %rsp. */
#define PUSH_CALLEE_SAVED	\
	pushq	%rbx;		\
	pushq	%rbp;		\
	pushq	%r12;		\
	pushq	%r13;		\
	pushq	%r14;		\
	pushq	%r15

/* Restores what PUSH_CALLEE_SAVED has saved. */
#define POP_CALLEE_SAVED	\
	popq	%r15;		\
	popq	%r14;		\
	popq	%r13;		\
	popq	%r12;		\
	popq	%rbp;		\
	popq	%rbx

#endif
#endif
