/* SPDX-License-Identifier: MIT */
/*
 * error.h - how a boot that cannot go on ends. terminate() in sev-es.h ends it
 * without a message of its own.
 */
#ifndef ERROR_H
#define ERROR_H

#include "types.h"

/*
 * Prints "sevstub: <what>: <message>" on a console and terminates with reason
 * SEVSTUB_TERM_GENERAL. @what names the thing that is wrong in a word or two;
 * docs/messages.md has a row for each. @fmt is a format of con_printf(). It may
 * be called at any time after the first IDT is loaded. If the command line
 * named no console, the message goes to ttyS0.
 */
noreturn void error(const char *what, const char *fmt, ...) printf_like(2, 3);

#endif
