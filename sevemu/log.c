/* SPDX-License-Identifier: MIT */
/*
 * log.c - text for the three debug consoles (log, report, trace) and its formatting.
 * May run at any time.
 */
#include <stdarg.h>

#include "log.h"
#include "main.h"
#include "ports.h"
#include "report.h"
#include "sevemu.h"
#include "smp.h"

/*
 * Text that put() has appended since the last put_flush(), its length in bytes,
 * and the PORT_* of the console that put_flush() sends it to.
 */
static struct {
	char text[256];
	size_t len;
	u16 port;
} line;

void put_to(u16 port)
{
	line.port = port;
}

void put_flush(void)
{
	outsb(line.port, line.text, line.len);
	line.len = 0;
}

void put(char c)
{
	line.text[line.len++] = c;
	if (line.len == sizeof(line.text))
		put_flush();
}

void put_string(const char *s)
{
	while (*s)
		put(*s++);
}

void put_number(u64 v, unsigned int base, unsigned int width)
{
	char digits[20];
	unsigned int n = 0;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	while (width > n && width--)
		put('0');
	while (n)
		put(digits[--n]);
}

void put_format(const char *fmt, va_list args)
{
	for (; *fmt; fmt++) {
		bool prefix = false, wide = false;
		unsigned int width = 0;
		u64 v;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		fmt++;
		if (*fmt == '#') {
			prefix = true;
			fmt++;
		}
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + *fmt++ - '0';
		if (*fmt == 'l' || *fmt == 'z') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			put_string(va_arg(args, const char *));
			break;
		case 'c':
			put(va_arg(args, int));
			break;
		case 'u':
		case 'x':
			v = wide ? va_arg(args, u64) : va_arg(args, unsigned int);
			if (prefix)
				put_string("0x");
			put_number(v, *fmt == 'x' ? 16 : 10, width);
			break;
		default:
			put(*fmt);
		}
	}
}

void put_line(u16 port, const char *prefix, const char *fmt, va_list args)
{
	put_to(port);
	put_string(prefix);
	put_format(fmt, args);
	put('\n');
	put_flush();
}

void log_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(PORT_LOG, "sevemu: ", fmt, args);
	va_end(args);
}

void trace(const char *fmt, ...)
{
	va_list args;

	if (!config.trace)
		return;
	va_start(args, fmt);
	put_to(PORT_TRACE);
	if (config.trace_time) {
		put_number(report_now(), 10, 12);
		put(' ');
	}
	if (smp_holder()) {
		put_number(smp_holder()->id, 10, 0);
		put(' ');
	}
	put_format(fmt, args);
	put('\n');
	put_flush();
	va_end(args);
}
