/* SPDX-License-Identifier: MIT */
/*
 * error.h - stops a boot that has failed, with a message. terminate() in
 * sev-es.h stops it with a reason number instead.
 */
#ifndef ERROR_H
#define ERROR_H

#include "types.h"

/*
 * Prints "sevstub: <what>: <message>" on the console and terminates with reason
 * SEVSTUB_TERM_GENERAL. @what names the thing that is wrong in a word or two;
 * docs/messages.md has a row for each. @fmt is a format of con_printf(). May be
 * called at any time after idt_load_stage1(). If the command line names no
 * console, the message goes to ttyS0. An SEV-ES guest prints nothing before
 * sev_es_setup_ghcb(), because it cannot use a UART then.
 */
noreturn void error(const char *what, const char *fmt, ...) printf_like(2, 3);

/*
 * Does what error() does, but an SEV-ES guest terminates with reason @reason, a
 * SEVSTUB_TERM_*. For errors that can come before sev_es_setup_ghcb(), because the
 * reason is then all that such a guest can tell.
 */
noreturn void error_with(unsigned int reason, const char *what, const char *fmt,
			 ...) printf_like(3, 4);

#endif
