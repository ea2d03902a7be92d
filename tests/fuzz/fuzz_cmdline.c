/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cmdline.c - libFuzzer target for everything that reads the command
 * line: the search for options, numbers, and what the console makes of it.
 *
 * The input is the command line itself. It is copied to memory of exactly its
 * size; every I/O port answers with bytes taken from it, for a while.
 */
#include <stdio.h>
#include <stdlib.h>

#include "misc.h"

#include "../../cmdline.c"
#include "../../console.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define MAX_READS	1000

static const u8 *port_data;
static size_t port_size, port_reads;

static noreturn void wrong(const char *what, long value)
{
	fprintf(stderr, "%s: %ld\n", what, value);
	abort();
}

u8 inb(u16 port)
{
	(void)port;
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

	if (!port || !count || count > sizeof(con.buf))
		wrong("writes bytes", (long)count);
	for (i = 0; i < count; i++)
		(void)bytes[i];
}

/* Direct requests to a hypervisor are tested elsewhere. */
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

/* Buffers of every size agree on the length and on what fits. */
static void check_option(const struct cmdline *cmdline, const char *name)
{
	char whole[OPTION_SIZE];
	int len = cmdline_find_option(cmdline, name, whole, sizeof(whole));
	size_t size;

	if (len < -ENOENT || (len < 0 && len != -ENOENT) ||
	    len > (int)cmdline->len)
		wrong("length", len);

	for (size = 0; size < sizeof(whole); size++) {
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
	const char *end = NULL;
	u64 value = 0;
	char *their_end;

	if (parse_u64(text, &end, base, &value)) {
		if (end || value)
			wrong("refused, but written", (long)value);
		return;
	}
	if (end <= text || value != strtoul(text, &their_end, (int)base) ||
	    end != their_end)
		wrong("number", (long)value);
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
	check_console(&cmdline);

	free(text);
	free(number);
	return 0;
}
