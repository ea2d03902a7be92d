/* SPDX-License-Identifier: MIT */
/*
 * log.h - text output to the three debug consoles: log, report and trace
 * (log.c).
 *
 * All functions share one text buffer.  put_to() selects the console, put...()
 * append text, and put_flush() sends the text to the selected console.  The
 * caller must call put_flush() before it selects another console.  The
 * functions may be called at any time, and cannot fail.
 */
#ifndef SEVEMU_LOG_H
#define SEVEMU_LOG_H

#include <stdarg.h>

#include "x86.h"

#define printf_like(fmt, args)	__attribute__((format(printf, fmt, args)))

/* Selects the console for the next put_flush(): @port is PORT_* of ports.h. */
void put_to(u16 port);

/* Sends the text in the buffer to the selected console, and empties the buffer. */
void put_flush(void);

/* Appends @c to the text, and sends the text if the buffer is full. */
void put(char c);

/* Appends the NUL-terminated string @s to the text. */
void put_string(const char *s);

/*
 * Appends @v in base 10 or 16, in lower case and without "0x".  Leading zeroes
 * fill a number of fewer than @width digits.
 */
void put_number(u64 v, unsigned int base, unsigned int width);

/*
 * Appends @fmt with @args as vprintf() does.  Supports %s, %c, %u and %x;
 * numbers may have the flag #, a width, which leading zeroes fill, and the size
 * l or z.
 */
void put_format(const char *fmt, va_list args);

/* Sends a line to the console at @port: @prefix, @fmt with @args, a newline. */
void put_line(u16 port, const char *prefix, const char *fmt, va_list args);

/* Writes "sevemu: " and @fmt to the log console, and a newline. */
void log_printf(const char *fmt, ...) printf_like(1, 2);

/*
 * Writes a line to the trace console; does nothing without option --trace.  If the guest has
 * several virtual CPUs, the line begins with the number of the CPU that runs.
 */
void trace(const char *fmt, ...) printf_like(1, 2);

#endif
