/* SPDX-License-Identifier: MIT */
/*
 * console.h - output on a UART, a debug port or a VGA text screen
 * (lib/console.c).
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>

#include "cmdline.h"
#include "types.h"

struct screen_info;

/*
 * The buffer in which the console collects text before it sends the text. sev_es_outsb()
 * gives no other memory to the hypervisor.
 */
#ifndef CONSOLE_TEXT_SIZE
#define CONSOLE_TEXT_SIZE	128
#endif
extern char console_text[CONSOLE_TEXT_SIZE];

/*
 * Sets up the console that the command line asks for:
 *
 *	earlyprintk=serial[,ttyS0|,ttyS1|,0xPORT][,BAUD]
 *	earlyprintk=ttyS0|ttyS1[,BAUD]
 *	earlyprintk=vga			@screen must describe a text screen
 *	earlyprintk=debugcon[,0xPORT]	QEMU's isa-debugcon; default port 0x402
 *	console=uart8250|uart,io,PORT[,BAUD]
 *
 * Without BAUD earlyprintk= sets 9600 baud, and console= keeps the rate that
 * the UART has. The line is always 8n1; line settings after BAUD and further
 * words after a comma are ignored. A malformed value is ignored. Of several
 * earlyprintk= only the last counts, even if its value is malformed. Of several
 * console= in the form above the last valid one counts. A UART in earlyprintk=
 * takes precedence over one in console=.
 *
 * Without any of these options the console stays silent until console_force().
 * In an SEV-ES guest console_init() must be called after sev_es_setup_ghcb().
 */
void console_init(const struct cmdline *cmdline,
		  const struct screen_info *screen);

/*
 * Sets up a UART, if none is in use, so that an error message can be seen: the
 * UART that the command line names, in a form that console_init() knows or as
 * console=ttyS0|ttyS1[,BAUD]; or ttyS0 if the command line names no UART or that
 * UART does not answer. If ttyS0 does not answer, messages are lost. May be
 * called before console_init(), and then sets up ttyS0.
 */
void console_force(void);

/*
 * Returns true if the command line asked for a VGA console and console_init()'s
 * @screen describes a text screen. Stores the physical address of VGA text
 * memory in @start and its end in @end. The caller maps [@start, @end) with
 * ident_map_device() before it calls console_vga_enable(). In an SEV-ES guest the range need
 * not be mapped, because the console asks the hypervisor to write to VGA memory.
 */
bool console_vga_range(u64 *start, u64 *end);

/*
 * Starts output to VGA memory, besides the UART or debug port. The range of
 * console_vga_range() must be mapped, except in an SEV-ES guest. The range lies in
 * [VGA_START, VGA_END), in a monochrome and in a colour mode.
 */
void console_vga_enable(void);
#define VGA_START	0xb0000UL
#define VGA_END		0xc0000UL

/* VGA text memory has cells of two bytes: a character, and its colour in bits 15:8. */
#define VGA_GREY_ON_BLACK	0x0700
#define VGA_BLANK		(VGA_GREY_ON_BLACK | ' ')

/* Stops output to VGA memory. Must be called before that memory is unmapped. */
void console_vga_disable(void);

/*
 * Print @fmt with its arguments, like printf(). The conversions are %s %c %d %u
 * %x, each with an optional '0', a width and 'l', and %%. A byte of a %s or %c
 * argument that is not printable ASCII is printed as '?', so that text from a
 * loader cannot control a terminal. Text is sent at each newline.
 *
 * In an SEV-ES guest the hypervisor reads the console, and can put old addresses back
 * on the stack. There @fmt and the text of a %s must be constants of the stub, in
 * .rodata; text elsewhere is not printed.
 *
 * info() prints only if the command line asked for a console. con_printf() and
 * con_vprintf() also print if console_force() has set up the UART. info() and con_printf()
 * take at most four arguments, which they pass in registers. A variadic function would keep
 * the address of its list of arguments on the stack. If the hypervisor put an old address
 * back, the function would print other memory.
 *
 * con_vprintf() must not be called in an SEV-ES guest. There con_vprint_hidden() prints "?"
 * in place of each number and %c, because the hypervisor reads the message, and the numbers
 * can be private memory. con_vprint_hidden() is a function of its own, so that no value in
 * memory, which the hypervisor could change, says whether numbers are hidden. @fmt must not
 * end within a conversion.
 */
#define con_printf(...)							\
	do {								\
		if (0)							\
			con_check_format(__VA_ARGS__);			\
		CON_PRINT(__VA_ARGS__, 0, 0, 0, 0, 0, 0);		\
	} while (0)
#define info(...)							\
	do {								\
		if (info_wanted())					\
			con_printf(__VA_ARGS__);			\
	} while (0)
void con_vprintf(const char *fmt, va_list args) printf_like(1, 0);
void con_vprint_hidden(const char *fmt, va_list args) printf_like(1, 0);

/* Returns true if the command line asked for output on a console that exists. For info(). */
bool info_wanted(void);

/* What con_printf() calls. The compiler checks that no fifth argument follows @fmt. */
#define CON_PRINT(fmt, a, b, c, d, none, ...)				\
	BUILD_BUG_ON(none);						\
	con_print_numbers(fmt, (u64)(a), (u64)(b), (u64)(c), (u64)(d))
void con_print_numbers(const char *fmt, u64 a, u64 b, u64 c, u64 d);
/* Defined nowhere and never called: lets the compiler check arguments against the format. */
void con_check_format(const char *fmt, ...) printf_like(1, 2);

/*
 * Prints @text, a constant of the stub, on the consoles of con_printf(). Takes less
 * stack than con_printf(), because error() may run on the early stack.
 */
void con_print(const char *text);

#endif
