/* SPDX-License-Identifier: MIT */
/*
 * console-option.h - values of the options earlyprintk= and console=
 * (lib/console-option.c).
 *
 * Each function returns true if the string @s is a value of its kind. It then has stored
 * what the value names. If a function returns false, what it has stored means nothing.
 * Linux's kernel-parameters.txt has the syntax.
 */
#ifndef CONSOLE_OPTION_H
#define CONSOLE_OPTION_H

#include "types.h"

/* Standard I/O ports of a PC's first two UARTs, and of QEMU's debug console. */
#define TTYS0_PORT	0x3f8
#define TTYS1_PORT	0x2f8
#define DEBUGCON_PORT	0x402

/* Bits per second with a divisor of 1. */
#define UART_MAX_BAUD	115200
#define UART_DIVISOR(baud) (UART_MAX_BAUD / (baud))
/* With this divisor in struct uart the console keeps the divisor that firmware has set. */
#define UART_KEEP_DIVISOR 0

struct uart {
	u16 port;		/* the UART's first I/O port; 0: no UART */
	u16 divisor;		/* divisor of the UART's clock, or UART_KEEP_DIVISOR */
};

/*
 * Returns true if @s is a value of earlyprintk= that names a UART: "serial,0xPORT",
 * "serial,ttyS0", "serial,ttyS1", "serial", "ttyS0" or "ttyS1", each with ",BAUD" after
 * it or not. Stores the UART in *@uart.
 */
bool parse_serial(const char *s, struct uart *uart);

/*
 * Returns true if @s is a value of earlyprintk= that names QEMU's debug console: "debugcon"
 * or "debugcon,0xPORT". Stores the I/O port in *@port.
 */
bool parse_debugcon(const char *s, u16 *port);

/* Returns true if @s is the value of earlyprintk= that names the VGA text screen. */
bool parse_vga(const char *s);

/*
 * Returns true if @s is a value of console= that asks for output before the kernel has a
 * driver: "uart8250,io,0xPORT" or "uart,io,0xPORT", with ",BAUD" after it or not. Stores
 * the UART in *@uart.
 */
bool parse_console_uart(const char *s, struct uart *uart);

/*
 * Returns true if @s is a value of console= that names ttyS0 or ttyS1, and stores the UART
 * in *@uart. The user does not ask the stub for output with this value, but will see error
 * messages on this UART.
 */
bool parse_console_tty(const char *s, struct uart *uart);

#endif
