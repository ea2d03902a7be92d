/* SPDX-License-Identifier: MIT */
/*
 * hello.c - the C code of a minimal kernel that sevstub boots. It prints on the first
 * serial port in which kind of guest it runs, the size of RAM and the command line.
 * Then it stops the machine.
 */
#include <asm/bootparam.h>

#include "hello.h"

#define SERIAL		0x3f8
#define SERIAL_STATUS	(SERIAL + 5)
#define SERIAL_EMPTY	0x20
/*
 * A write to this port makes QEMU (device isa-debug-exit) or sevemu exit. The value
 * 0x10 means success to both: QEMU exits with status 33, sevemu with 0.
 */
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

/* Returns the sum of the RAM ranges (type 1) of the zero page's E820 map, in bytes. */
static uint64_t ram_size(const struct boot_params *bp)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < bp->e820_entries; i++)
		if (bp->e820_table[i].type == 1)
			size += bp->e820_table[i].size;
	return size;
}

/*
 * The kernel's C code. start.S calls it with the zero page @bp, and halts the processor
 * when it returns.
 */
void hello(const struct boot_params *bp)
{
	uint64_t cmdline = (uint64_t)bp->ext_cmd_line_ptr << 32 |
			   bp->hdr.cmd_line_ptr;

	sev_start();
	print("hello: I am ");
	print(is_snp() ? "an SEV-SNP" : is_sev_es() ? "an SEV-ES" :
	      is_sev() ? "an SEV" : "a plain");
	print(" guest with ");
	print_number(ram_size(bp) >> 20);
	print(" MiB\nhello: my command line is \"");
	print((const char *)cmdline);
	print("\"\n");
	port_out(DEBUG_EXIT, DEBUG_EXIT_OK);
}
