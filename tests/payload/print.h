/* SPDX-License-Identifier: MIT */
/*
 * print.h - output to ttyS0, reset of the machine and exit of QEMU, for the test
 * kernels and the test loader. Callers run in 64-bit mode at CPL 0.
 */
#ifndef TEST_PRINT_H
#define TEST_PRINT_H

#include "types.h"

/*
 * Prints to ttyS0. @fmt may have the conversions %s, %c, %u, %lu, %x and %lx. %x and
 * %lx print "0x" in front of the number.
 */
void print(const char *fmt, ...) printf_like(1, 2);
/* As print(), with the arguments in @args. */
void print_args(const char *fmt, __builtin_va_list args);

/*
 * Makes all functions of this file call @in and @out for port access. Without this call
 * they execute IN and OUT, which raise #VC in an SEV-ES guest.
 */
void print_through(u8 (*in)(u16 port), void (*out)(u8 value, u16 port));

/* Values for exit_qemu(), which makes QEMU exit with status 2 * value + 1. */
#define EXIT_PASSED		0x10	/* status 33 */
#define EXIT_FAILED		0x11	/* status 35 */
#define EXIT_LOADER_FAILED	0x12	/* status 37 */

/*
 * Counts this boot, and returns the number of boots since QEMU was started, at least 1.
 * The count is in CMOS RAM, which keeps its contents when the machine resets. Must be
 * called exactly once in each boot, because each call adds 1 to the count.
 */
u8 count_boot(void);

/* Resets the machine by the keyboard controller. */
noreturn void reset_machine(void);

/*
 * Makes QEMU exit with status 2 * @value + 1, by the device isa-debug-exit. Resets the
 * machine if it does not have that device.
 */
noreturn void exit_qemu(u8 value);

#endif
