/* SPDX-License-Identifier: MIT */
/*
 * hello.c - all that this kernel does: says on the first serial port what it
 * was handed, and ends the machine.
 */
#include <asm/bootparam.h>

#include "hello.h"

#define SERIAL		0x3f8
#define SERIAL_STATUS	(SERIAL + 5)
#define SERIAL_EMPTY	0x20
/* QEMU's isa-debug-exit, which sevemu has, too; 0x10 is success for both. */
#define DEBUG_EXIT	0xf4
#define DEBUG_EXIT_OK	0x10

static void print(const char *text)
{
	for (; *text; text++) {
		while (!(port_in(SERIAL_STATUS) & SERIAL_EMPTY))
			;
		port_out(SERIAL, (uint8_t)*text);
	}
}

static void print_number(uint64_t n)
{
	char digits[21];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	print(p);
}

static uint64_t ram_size(const struct boot_params *bp)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < bp->e820_entries; i++)
		if (bp->e820_table[i].type == 1)
			size += bp->e820_table[i].size;
	return size;
}

void hello(const struct boot_params *bp)
{
	uint64_t cmdline = (uint64_t)bp->ext_cmd_line_ptr << 32 |
			   bp->hdr.cmd_line_ptr;

	sev_start();
	print("hello: I am ");
	print(is_sev_es() ? "an SEV-ES" : is_sev() ? "an SEV" : "a plain");
	print(" guest with ");
	print_number(ram_size(bp) >> 20);
	print(" MiB\nhello: my command line is \"");
	print((const char *)cmdline);
	print("\"\n");
	port_out(DEBUG_EXIT, DEBUG_EXIT_OK);
}
