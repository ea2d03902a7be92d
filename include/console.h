/* SPDX-License-Identifier: MIT */
/*
 * console.h - output on a UART, a debug port or a VGA text screen
 * (lib/console.c).
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>

#include "cmdline.h"
#include "types.h"

struct screen_info;

/*
 * Sets up the console that the command line asks for:
 *
 *	earlyprintk=serial[,ttyS0|,ttyS1|,0xPORT][,BAUD]
 *	earlyprintk=ttyS0|ttyS1[,BAUD]
 *	earlyprintk=vga			@screen must describe a text screen
 *	earlyprintk=debugcon[,0xPORT]	QEMU's isa-debugcon; default port 0x402
 *	console=uart8250|uart,io,PORT[,BAUD]
 *
 * Without BAUD earlyprintk= sets 9600 baud, and console= keeps the rate that
 * the UART has. The line is always 8n1; line settings behind BAUD and further
 * words behind a comma are ignored. A malformed option is ignored. Of each
 * option the last occurrence counts. A UART in earlyprintk= takes precedence
 * over one in console=.
 *
 * Without any of these options the console stays silent until console_force().
 * In an SEV-ES guest this must be called after sev_es_setup_ghcb().
 */
void console_init(const struct cmdline *cmdline,
		  const struct screen_info *screen);

/*
 * Makes sure that the next message can be seen. If no UART is in use, sets up
 * the one that the command line names, in a form above or as
 * console=ttyS0|ttyS1[,BAUD]; without one, or if it does not answer, ttyS0. May
 * be called before console_init().
 */
void console_force(void);

/*
 * Stores the physical addresses of VGA text memory in @start and @end, if the
 * command line asked for a VGA console and @screen of console_init() has one.
 * The caller maps [@start, @end) with ident_map_device() before it calls
 * console_vga_enable().
 * Returns false if there is no VGA console to enable.
 */
bool console_vga_range(u64 *start, u64 *end);

/* From now on, output goes to VGA memory as well. The memory must be mapped. */
void console_vga_enable(void);

/* Output to VGA memory ends. Must be called before the memory is unmapped. */
void console_vga_disable(void);

/*
 * Formatted output. @fmt knows %s %c %d %u %x, each with an optional '0', a
 * width and 'l', and %%. A byte of %s and %c that is not printable ASCII comes
 * out as '?', so that text from a loader cannot control a terminal. Output is
 * sent at each newline.
 *
 * info() prints only if the command line asked for a console. con_printf() and
 * con_vprintf() print whenever there is a console.
 */
void info(const char *fmt, ...) printf_like(1, 2);
void con_printf(const char *fmt, ...) printf_like(1, 2);
void con_vprintf(const char *fmt, va_list args) printf_like(1, 0);

#endif
