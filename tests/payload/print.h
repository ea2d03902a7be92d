/* SPDX-License-Identifier: MIT */
/*
 * print.h - output of the test kernels and the test loader on ttyS0, and how
 * they end QEMU.
 */
#ifndef TEST_PRINT_H
#define TEST_PRINT_H

#include "types.h"

/* Knows %s, %c, %u and %x, the latter two with an optional 'l'; %x prints the
 * 0x as well. */
void print(const char *fmt, ...) printf_like(1, 2);
void print_args(const char *fmt, __builtin_va_list args);

/* Ports are reached by these from now on, and not by IN and OUT. */
void print_through(u8 (*in)(u16 port), void (*out)(u8 value, u16 port));

/* Values for isa-debug-exit; QEMU's exit status is 2 * value + 1. */
#define EXIT_PASSED		0x10	/* 33 */
#define EXIT_FAILED		0x11	/* 35 */
#define EXIT_LOADER_FAILED	0x12	/* 37 */

/* How many boots this is since QEMU started: CMOS RAM survives a reset. */
u8 count_boot(void);
noreturn void reset_machine(void);

/* Ends QEMU; without the device, resets the machine. */
noreturn void exit_qemu(u8 value);

#endif
