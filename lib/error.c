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

static noreturn void fail(unsigned int reason, const char *what,
			  const char *fmt, va_list args)
{
	sev_es_last_words();
	console_force();
	con_printf("sevstub: %s: ", what);
	con_vprintf(fmt, args);
	con_printf("\n");
	terminate(reason);
}

void error(const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(SEVSTUB_TERM_GENERAL, what, fmt, args);
}

void error_with(unsigned int reason, const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(reason, what, fmt, args);
}
