/* SPDX-License-Identifier: MIT */
/*
 * print.c - prints to ttyS0 by polling, resets the machine, and makes QEMU exit.
 *
 * The test kernels and the test loader use it, in 64-bit mode. It shares no code with
 * the stub's console, because it helps to test that console.
 */
#include <stdarg.h>

#include "print.h"
#include "x86.h"

#define UART_DATA		0x3f8
#define UART_LINE_CONTROL	0x3fb
#define UART_LINE_STATUS	0x3fd
#define LINE_CONTROL_8N1	0x03
#define LINE_STATUS_THR_EMPTY	0x20
#define UART_POLLS		0x100000

#define CMOS_INDEX		0x70
#define CMOS_DATA		0x71
#define CMOS_UNUSED		0x7e

#define DEBUG_EXIT_PORT		0xf4
#define KEYBOARD_COMMAND	0x64
#define KEYBOARD_RESET		0xfe

/*
 * Functions for port access, which print_through() sets. NULL stands for the IN and OUT
 * instructions.
 */
static u8 (*port_in)(u16 port);
static void (*port_out)(u8 value, u16 port);

void print_through(u8 (*in)(u16 port), void (*out)(u8 value, u16 port))
{
	port_in = in;
	port_out = out;
}

static u8 read_port(u16 port)
{
	return port_in ? port_in(port) : inb(port);
}

static void write_port(u8 value, u16 port)
{
	if (port_out)
		port_out(value, port);
	else
		outb(value, port);
}

static void put(char c)
{
	unsigned int polls = UART_POLLS;

	while (!(read_port(UART_LINE_STATUS) & LINE_STATUS_THR_EMPTY) && --polls)
		;
	write_port((u8)c, UART_DATA);
}

static void put_string(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_number(u64 n, unsigned int base)
{
	char buf[24];
	char *p = buf + sizeof(buf) - 1;

	*p = '\0';
	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	if (base == 16)
		put_string("0x");
	put_string(p);
}

void print_args(const char *fmt, va_list args)
{
	/*
	 * Clear DLAB in the UART's line control register, because a faulty stub may
	 * have left it set. With DLAB set, the data port would be the divisor latch.
	 */
	write_port(LINE_CONTROL_8N1, UART_LINE_CONTROL);

	for (; *fmt; fmt++) {
		bool wide = false;
		u64 n;

		if (*fmt != '%') {
			if (*fmt == '\n')
				put('\r');
			put(*fmt);
			continue;
		}
		if (*++fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			put_string(va_arg(args, const char *));
			break;
		case 'c':
			put((char)va_arg(args, int));
			break;
		default:
			n = wide ? va_arg(args, u64) : va_arg(args, u32);
			put_number(n, *fmt == 'x' ? 16 : 10);
		}
	}
}

void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_args(fmt, args);
	va_end(args);
}

u8 count_boot(void)
{
	u8 count;

	write_port(CMOS_UNUSED, CMOS_INDEX);
	count = read_port(CMOS_DATA) + 1;
	write_port(CMOS_UNUSED, CMOS_INDEX);
	write_port(count, CMOS_DATA);
	return count;
}

noreturn void reset_machine(void)
{
	write_port(KEYBOARD_RESET, KEYBOARD_COMMAND);
	halt_forever();
}

noreturn void exit_qemu(u8 value)
{
	write_port(value, DEBUG_EXIT_PORT);
	reset_machine();
}
