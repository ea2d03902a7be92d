/* SPDX-License-Identifier: MIT */
/*
 * console-option.c - reads the values of the options earlyprintk= and console=.
 * console.c has copied them from the command line, and decides which of them count.
 *
 * The values come from a loader and may hold any text. The functions keep no state and
 * touch no port, so they may run at any time.
 */
#include <linux/serial_reg.h>

#include "cmdline.h"
#include "console-option.h"
#include "lib/string.h"

/* Offset of a UART's last port. */
#define UART_LAST_REG	UART_SCR
/* The lowest rate whose divisor fits into 16 bits. */
#define UART_MIN_BAUD	2
/* The rate of earlyprintk= if the option names none, as in Linux. */
#define UART_DEFAULT_BAUD 9600

static bool skip(const char **s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strnlen(*s, len) < len || memcmp(*s, prefix, len))
		return false;
	*s += len;
	return true;
}

static bool at_end_of_word(const char *s)
{
	return *s == '\0' || *s == ',';
}

/*
 * Parses an I/O port from 1 to @max. The caller chooses @max so that the device's last
 * register is still below 64 KiB.
 */
static bool parse_port(const char **s, u16 max, u16 *port)
{
	struct number number = parse_u64(*s, 0);

	if (!number.end || !number.value || number.value > max)
		return false;
	*s = number.end;
	*port = (u16)number.value;
	return at_end_of_word(*s);
}

static bool parse_uart_port(const char **s, u16 *port)
{
	return parse_port(s, UINT16_MAX - UART_LAST_REG, port);
}

static bool parse_tty(const char **s, u16 *port)
{
	if (skip(s, "ttyS0"))
		*port = TTYS0_PORT;
	else if (skip(s, "ttyS1"))
		*port = TTYS1_PORT;
	else
		return false;
	return at_end_of_word(*s);
}

/*
 * Parses an optional ",BAUD" and stores the divisor for that rate in @divisor,
 * which holds the default. Further text after BAUD is ignored.
 */
static bool parse_baud(const char *s, u16 *divisor)
{
	struct number baud;

	if (s[0] != ',' || s[1] < '0' || s[1] > '9')
		return true;
	baud = parse_u64(s + 1, 10);
	if (!baud.end || baud.value < UART_MIN_BAUD || baud.value > UART_MAX_BAUD)
		return false;
	*divisor = (u16)UART_DIVISOR(baud.value);
	return true;
}

bool parse_serial(const char *s, struct uart *uart)
{
	uart->port = TTYS0_PORT;
	uart->divisor = UART_DIVISOR(UART_DEFAULT_BAUD);

	if (skip(&s, "serial,0x")) {
		s -= strlen("0x");
		if (!parse_uart_port(&s, &uart->port))
			return false;
	} else if (skip(&s, "serial,ttyS")) {
		s -= strlen("ttyS");
		if (!parse_tty(&s, &uart->port))
			return false;
	} else if (!skip(&s, "serial") && !parse_tty(&s, &uart->port)) {
		return false;
	}
	return at_end_of_word(s) && parse_baud(s, &uart->divisor);
}

bool parse_debugcon(const char *s, u16 *port)
{
	*port = DEBUGCON_PORT;
	if (!skip(&s, "debugcon"))
		return false;
	if (skip(&s, ",0x")) {
		s -= strlen("0x");
		return parse_port(&s, UINT16_MAX, port);
	}
	return at_end_of_word(s);
}

bool parse_vga(const char *s)
{
	return skip(&s, "vga") && at_end_of_word(s);
}

bool parse_console_uart(const char *s, struct uart *uart)
{
	uart->divisor = UART_KEEP_DIVISOR;
	return (skip(&s, "uart8250,io,") || skip(&s, "uart,io,")) &&
	       parse_uart_port(&s, &uart->port) &&
	       parse_baud(s, &uart->divisor);
}

bool parse_console_tty(const char *s, struct uart *uart)
{
	uart->divisor = UART_KEEP_DIVISOR;
	return parse_tty(&s, &uart->port) && parse_baud(s, &uart->divisor);
}
