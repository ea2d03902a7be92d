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
	con_printf("sevstub: %s: ", what);
}

/*
 * Prints the details of an error. The hypervisor of an SEV-ES guest reads the
 * console, and could let the stub print private memory: as the address in a
 * setup_data node, for example, to which a pointer in the zero page leads.
 */
static void detail(const char *fmt, va_list args)
{
	if (sev_es_active())
		con_vprintf_hidden(fmt, args);
	else
		con_vprintf(fmt, args);
}

static noreturn void finish(unsigned int reason)
{
	con_printf("\n");
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
