/* SPDX-License-Identifier: MIT */
/*
 * Formatted text for the debug consoles, piece by piece or a line at a time.
 */
#ifndef SEVEMU_LOG_H
#define SEVEMU_LOG_H

#include <stdarg.h>

#include "x86.h"

void put_to(u16 port);
void put_flush(void);
void put(char c);
void put_string(const char *s);
void put_number(u64 v, unsigned int base, unsigned int width);
void put_format(const char *fmt, va_list args);
void put_line(u16 port, const char *prefix, const char *fmt, va_list args);

#endif
