/* SPDX-License-Identifier: MIT */
/*
 * console.c - the test guest's console: it prints to ttyS0, a line at a time. In an
 * SEV-ES guest it sends the requests for port output itself and does not execute OUT,
 * which would raise #VC. A failure of the #VC handler can thus be reported.
 */
#include "guest.h"

#define UART_PORT	0x3f8
#define LINE_MAX	240

static char line[LINE_MAX];
static size_t used;

void con_flush(void)
{
	const char *p = line;
	u64 count = used;

	used = 0;
	if (!machine.es) {
		asm volatile("rep outsb" : "+S"(p), "+c"(count)
			     : "d"(UART_PORT) : "memory");
		return;
	}
	ghcb_begin(SVM_EXIT_IOIO, IOIO_STRING | IOIO_REP | IOIO_ADDR64 |
		   IOIO_SEGMENT_DS | 1 << IOIO_SIZE_SHIFT |
		   UART_PORT << IOIO_PORT_SHIFT, count);
	memcpy(ghcb_buffer(), line, count);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	ghcb_go();
}

void con_str(const char *s)
{
	while (*s) {
		if (used == LINE_MAX)
			con_flush();
		line[used++] = *s;
		if (*s++ == '\n')
			con_flush();
	}
}

void con_hex(u64 value)
{
	char text[19], *p = text + sizeof(text) - 1;

	*p = '\0';
	do {
		*--p = "0123456789abcdef"[value & 0xf];
		value >>= 4;
	} while (value);
	*--p = 'x';
	*--p = '0';
	con_str(p);
}
