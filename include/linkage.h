/* SPDX-License-Identifier: MIT */
/*
 * linkage.h - annotations that give every assembly symbol a type and a size,
 * and local visibility unless it is exported with GLOBAL().
 */
#ifndef LINKAGE_H
#define LINKAGE_H

#ifdef __ASSEMBLER__

/* Functions are padded with int3: falling off the end is caught at once. */
#define FUNC(name)		\
	.balign 16, 0xcc;	\
	name:

#define END_FUNC(name)		\
	.type name, @function;	\
	.size name, . - name

#define DATA(name)		\
	name:

#define END_DATA(name)		\
	.type name, @object;	\
	.size name, . - name

/* Exported to other objects of the stub, never to anybody else. */
#define GLOBAL(name)		\
	.globl name;		\
	.hidden name

#endif
#endif
