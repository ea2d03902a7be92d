/* SPDX-License-Identifier: MIT */
/*
 * hidden.h - the compiler's options include this file in front of every C file
 * of the stub.
 *
 * The stub is one image without a dynamic linker. With hidden visibility the
 * compiler addresses each symbol relative to the instruction pointer, and emits
 * no entry of a global offset table that something would have to relocate.
 * -fvisibility=hidden does the same for definitions, but not for declarations.
 */
#pragma GCC visibility push(hidden)
