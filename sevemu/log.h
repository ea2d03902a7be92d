/* SPDX-License-Identifier: MIT */
/*
 * log.h - text for the three debug consoles (log.c): piece by piece, or a line
 * at a time.
 *
 * Pieces are gathered in one buffer.  put_to() selects the console, put...()
 * append, put_flush() sends.  Text of two consoles must not be mixed between two
 * flushes.  All may be called at any time, and none can fail.
 */
#ifndef SEVEMU_LOG_H
#define SEVEMU_LOG_H

#include <stdarg.h>

#include "x86.h"

#define printf_like(fmt, args)	__attribute__((format(printf, fmt, args)))

/* Selects the console for what follows: @port is one of ports.h's PORT_*. */
void put_to(u16 port);

/* Sends the gathered text to the selected console. */
void put_flush(void);

/* Appends @c; a full buffer is sent first. */
void put(char c);

/* Appends @s up to its NUL. */
void put_string(const char *s);

/*
 * Appends @v in base 10 or 16, lower case and without prefix, with zeroes in
 * front up to @width digits.
 */
void put_number(u64 v, unsigned int base, unsigned int width);

/*
 * Appends @fmt with @args as printf would.  Knows %s, %c, %u and %x with the
 * flag #, a width (filled with zeroes), l and z.
 */
void put_format(const char *fmt, va_list args);

/* Selects @port and sends one line there: @prefix, @fmt with @args, newline. */
void put_line(u16 port, const char *prefix, const char *fmt, va_list args);

/* Writes a line to the log, behind "sevemu: ". */
void log_printf(const char *fmt, ...) printf_like(1, 2);

/* Writes a line to the trace; does nothing without --trace. */
void trace(const char *fmt, ...) printf_like(1, 2);

#endif
