/* SPDX-License-Identifier: MIT */
/*
 * hidden.h - the compiler's options include this file in front of every C file
 * of the stub.
 *
 * The stub is one image without a dynamic linker. With hidden visibility the
 * compiler addresses each symbol relative to the instruction pointer, and makes
 * no global offset table, whose entries would have to be relocated at run time.
 * The option -fvisibility=hidden would affect definitions only, not declarations.
 */
#pragma GCC visibility push(hidden)
