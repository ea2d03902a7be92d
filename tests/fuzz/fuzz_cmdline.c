/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cmdline.c - libFuzzer target for lib/cmdline.c, which finds options and
 * parses numbers, and for lib/console.c, which sets up the console that the options
 * console= and earlyprintk= ask for.
 *
 * The input is the command line itself, copied to memory of exactly its size.
 * Reads of I/O ports return bytes of the input, up to MAX_READS of them. A model,
 * a second implementation in this file, computes the meaning of console= and
 * earlyprintk= with regular expressions.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "misc.h"

#include "image.h"
/*
 * The bounds of the stub's constants, which linker.ld sets in the stub. In this test all
 * memory counts as constants, so that the stub's code accepts any string of the test.
 */
#define _rodata ((const u8 *)0)
#define _erodata ((const u8 *)~0UL)

#include "../../lib/cmdline.c"
#include "../../lib/console-option.c"
#include "../../lib/console.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define MAX_READS	1000

static const u8 *port_data;
static size_t port_size, port_reads;
/*
 * If true, inb() returns for every port the status of a UART that is ready to send. If
 * false, inb() returns bytes of the input.
 */
static bool port_ready;

static noreturn void wrong(const char *what, long value)
{
	fprintf(stderr, "fuzz: %s: %#lx\n", what, value);
	abort();
}

u8 inb(u16 port)
{
	(void)port;
	if (port_ready)
		return UART_LSR_THRE;
	if (!port_size || port_reads == MAX_READS)
		return BUS_FLOATS;
	return port_data[port_reads++ % port_size];
}

void outb(u8 value, u16 port)
{
	(void)value;
	if (!port)
		wrong("writes to port", port);
}

void outsb(u16 port, const void *buf, size_t count)
{
	const volatile u8 *bytes = buf;
	size_t i;

	if (!port || !count || count > sizeof(console_text))
		wrong("writes bytes", (long)count);
	for (i = 0; i < count; i++)
		(void)bytes[i];
}

/*
 * Replaces the stub's function, which console.c calls before it executes OUT. The stub's
 * function terminates an SEV-ES guest. The machine in this test is not an SEV-ES guest.
 */
void sev_rule_out_es(void)
{
}

bool sev_es_active(void)
{
	return false;
}

u8 sev_es_inb(u16 port)
{
	wrong("asks a hypervisor for port", port);
}

void sev_es_outb(u8 value, u16 port)
{
	(void)value;
	wrong("asks a hypervisor for port", port);
}

void sev_es_outsb(u16 port, const void *buf, size_t count)
{
	(void)buf;
	(void)count;
	wrong("asks a hypervisor for port", port);
}

void sev_es_vga_put(u64 to, const char *text)
{
	(void)text;
	wrong("asks a hypervisor for a cell", (long)to);
}

/*
 * Checks cmdline_find_option() with buffers of several sizes: the returned length
 * must not depend on the size, and a small buffer must get the beginning of the
 * value.
 */
static void check_option(const struct cmdline *cmdline, const char *name)
{
	char whole[OPTION_SIZE];
	int len = cmdline_find_option(cmdline, name, whole, sizeof(whole));
	size_t size;

	if (len < -ENOENT || (len < 0 && len != -ENOENT) ||
	    len > (int)cmdline->len)
		wrong("length", len);

	for (size = 0; size < sizeof(whole); size += 1 + size / 4) {
		char *buf = malloc(size);

		if (cmdline_find_option(cmdline, name, buf, size) != len)
			wrong("length depends on the buffer", len);
		if (len >= 0 && size &&
		    (strlen(buf) > size - 1 ||
		     memcmp(buf, whole, strlen(buf))))
			wrong("differs in a buffer of", (long)size);
		free(buf);
	}
}

static void check_number(const char *text, unsigned int base)
{
	struct number number = parse_u64(text, base);
	char *end;

	if (number.end && (number.end <= text ||
			   number.value != strtoul(text, &end, (int)base) || number.end != end))
		wrong("number", (long)number.value);
}

static void check_console(const struct cmdline *cmdline)
{
	struct screen_info screen = {
		.orig_video_isVGA = 1,
		.orig_video_cols = 80,
		.orig_video_lines = 25,
	};
	u64 start, end;

	memset(&con, 0, sizeof(con));
	con.named.port = TTYS0_PORT;
	con.fifo_size = 1;
	port_reads = 0;

	console_init(cmdline, &screen);
	if (con.uart_port > UINT16_MAX - UART_LAST_REG)
		wrong("UART at", con.uart_port);
	if (console_vga_range(&start, &end) && start != VGA_COLOR_BASE)
		wrong("screen at", (long)start);
	info("%s\n", "information");
	console_force();
	con_printf("%s\n", "error");
}

/* ---- a model: what earlyprintk= and console= mean, by regular expressions ---- */

enum { SERIAL_HEX, SERIAL_TTY, SERIAL, TTY, UART, DEBUGCON_HEX, DEBUGCON, VGA,
       PATTERNS };

/*
 * The values that earlyprintk= and console= accept. Group 1 (group 2 for UART) is
 * the port or the number of the ttyS, the last group is the baud rate.
 */
static const char *const patterns[PATTERNS] = {
	"^serial,(0x[0-9a-fA-F]+)(,([0-9]+)?.*)?$",
	"^serial,ttyS([01])(,([0-9]+)?.*)?$",
	"^(serial)(,([0-9]+)?.*)?$",
	"^ttyS([01])(,([0-9]+)?.*)?$",
	"^uart(8250)?,io,(0[xX][0-9a-fA-F]+|[0-9]+)(,([0-9]+)?.*)?$",
	"^debugcon,(0x[0-9a-fA-F]+)(,.*)?$",
	"^debugcon(,.*)?$",
	"^vga(,.*)?$",
};

static regex_t compiled[PATTERNS];

/* The console that the command line asks for. Port 0 means that it asks for none. */
struct meaning {
	bool use_uart;
	unsigned long port, divisor, debugcon;
};

static bool matches(const char *value, int which, regmatch_t *groups)
{
	return !regexec(&compiled[which], value, 5, groups, 0);
}

/*
 * Sets @divisor to a UART's divisor for the baud rate in @group of @value, or to
 * @none if the group did not match. Returns false if a UART cannot have this rate.
 */
static bool rate(const char *value, const regmatch_t *group, unsigned long none,
		 unsigned long *divisor)
{
	unsigned long baud;

	*divisor = none;
	if (group->rm_so < 0)
		return true;
	baud = strtoul(value + group->rm_so, NULL, 10);
	if (baud < 2 || baud > 115200)
		return false;
	*divisor = 115200 / baud;
	return true;
}

/*
 * Parses the port number in @group of @value. Returns false if the group has other
 * characters after the number, or the port is 0 or above @max.
 */
static bool port_of(const char *value, const regmatch_t *group,
		    unsigned long max, unsigned long *port)
{
	char *end;

	*port = strtoul(value + group->rm_so, &end, 0);
	return end == value + group->rm_eo && *port && *port <= max;
}

static unsigned long tty_port(const char *value, const regmatch_t *group)
{
	return value[group->rm_so] == '0' ? 0x3f8 : 0x2f8;
}

static bool starts(const char *value, const char *with)
{
	return !strncmp(value, with, strlen(with));
}

static bool means_serial(const char *value, struct meaning *m)
{
	unsigned long port = 0x3f8, divisor;
	regmatch_t g[5];

	if (starts(value, "serial,0x")) {
		if (!matches(value, SERIAL_HEX, g) ||
		    !port_of(value, &g[1], 0xfff8, &port))
			return false;
	} else if (starts(value, "serial,ttyS")) {
		if (!matches(value, SERIAL_TTY, g))
			return false;
		port = tty_port(value, &g[1]);
	} else if (matches(value, TTY, g)) {
		port = tty_port(value, &g[1]);
	} else if (!matches(value, SERIAL, g)) {
		return false;
	}
	if (!rate(value, &g[3], 12, &divisor))
		return false;
	m->use_uart = true;
	m->port = port;
	m->divisor = divisor;
	return true;
}

static void means_earlyprintk(const char *value, struct meaning *m)
{
	regmatch_t g[5];

	if (means_serial(value, m))
		return;
	if (starts(value, "debugcon,0x")) {
		if (!matches(value, DEBUGCON_HEX, g) ||
		    !port_of(value, &g[1], 0xffff, &m->debugcon))
			m->debugcon = 0;
	} else if (matches(value, DEBUGCON, g)) {
		m->debugcon = 0x402;
	}
}

static void means_console(const char *value, struct meaning *m)
{
	unsigned long port, divisor;
	regmatch_t g[5];

	if (matches(value, UART, g)) {
		if (!port_of(value, &g[2], 0xfff8, &port) ||
		    !rate(value, &g[4], 0, &divisor))
			return;
		m->use_uart = true;
	} else if (!m->use_uart && matches(value, TTY, g)) {
		port = tty_port(value, &g[1]);
		if (!rate(value, &g[3], 0, &divisor))
			return;
	} else {
		return;
	}
	m->port = port;
	m->divisor = divisor;
}

static void check_meaning(const struct cmdline *cmdline)
{
	struct screen_info screen = { .orig_video_isVGA = 1 };
	struct meaning m = { .port = 0x3f8 };
	char *words = malloc(cmdline->len + 1), *word;
	const char *earlyprintk = NULL;
	size_t i;

	for (i = 0; i < PATTERNS && !compiled[i].re_nsub; i++)
		if (regcomp(&compiled[i], patterns[i], REG_EXTENDED))
			wrong("pattern", (long)i);
	memcpy(words, cmdline->text, cmdline->len);
	for (i = 0; i < cmdline->len; i++)
		if ((u8)words[i] <= ' ')
			words[i] = '\0';
	words[cmdline->len] = '\0';
	for (word = words; word < words + cmdline->len;
	     word += strlen(word) + 1) {
		if (starts(word, "earlyprintk="))
			earlyprintk = word + strlen("earlyprintk=");
		/* The stub ignores values of OPTION_SIZE bytes and more. */
		if (starts(word, "console=") && strlen(word) < 8 + OPTION_SIZE)
			means_console(word + strlen("console="), &m);
	}
	if (earlyprintk && strlen(earlyprintk) < OPTION_SIZE)
		means_earlyprintk(earlyprintk, &m);
	free(words);

	memset(&con, 0, sizeof(con));
	con.named.port = TTYS0_PORT;
	con.fifo_size = 1;
	port_ready = true;
	console_init(cmdline, &screen);
	port_ready = false;
	if (con.uart_port != (m.use_uart ? m.port : 0))
		wrong("UART in use", con.uart_port);
	if (con.named.port != m.port)
		wrong("UART that is named", con.named.port);
	if (con.named.divisor != m.divisor)
		wrong("divisor", con.named.divisor);
	if (con.debugcon_port != m.debugcon)
		wrong("debug console", con.debugcon_port);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size);
	char *number = malloc(size + 1);
	struct cmdline cmdline = { text, size };

	memcpy(text, data, size);
	memcpy(number, data, size);
	number[size] = '\0';
	port_data = data;
	port_size = size;

	check_option(&cmdline, "console");
	check_option(&cmdline, "a");
	cmdline_find_option_bool(&cmdline, "nokaslr");
	check_number(number, 0);
	check_number(number, 10);
	check_number(number, 16);
	check_meaning(&cmdline);
	check_console(&cmdline);

	free(text);
	free(number);
	return 0;
}
