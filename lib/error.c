/* SPDX-License-Identifier: MIT */
/*
 * error.c - ends a boot with a message.
 *
 * May run at any time once an IDT is loaded, also before .bss is cleared.
 * error() belongs to the only circle of calls in the stub: error() prints
 * through console.c, console.c does port I/O through sev-es.c in an SEV-ES
 * guest, and sev-es.c reports errors of its own through error().
 */
#include "console.h"
#include "error.h"
#include "sev-es.h"
#include "sev.h"

static void begin(const char *what)
{
	sev_es_last_words();
	console_force();
	con_print("sevstub: ");
	con_print(what);
	con_print(": ");
}

static void printf_like(1, 0) detail(const char *fmt, va_list args)
{
	if (sev_es_active())
		con_vprint_hidden(fmt, args);
	else
		con_vprintf(fmt, args);
}

static noreturn void finish(unsigned int reason)
{
	con_print("\n");
	terminate(reason);
}

void error(const char *what, const char *fmt, ...)
{
	va_list args;

	begin(what);
	va_start(args, fmt);
	detail(fmt, args);
	va_end(args);
	finish(SEVSTUB_TERM_GENERAL);
}

void error_with(unsigned int reason, const char *what, const char *fmt, ...)
{
	va_list args;

	begin(what);
	va_start(args, fmt);
	detail(fmt, args);
	va_end(args);
	finish(reason);
}
