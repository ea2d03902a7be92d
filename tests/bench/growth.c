/* SPDX-License-Identifier: MIT */
/*
 * growth.c - the code of a test payload whose size is a parameter of mkgrowth. It
 * measures how many page tables the stub makes for a payload of that size.
 *
 * The stub enters the code in 64-bit mode. The code counts the tables, prints
 * "tables N" on the first serial port, and makes QEMU exit. The code does not
 * work in an SEV guest, because it ignores the C-bit.
 */
#include <stdint.h>

#define SERIAL_PORT	0x3f8
#define EXIT_PORT	0xf4	/* of QEMU's isa-debug-exit */
#define EXIT_PASSED	0x10
#define PRESENT		0x001UL
#define LARGE		0x080UL
#define ADDRESS		0x000ffffffffff000UL
#define ENTRIES		512
#define LEVELS		4

static uint8_t stack[4096] __attribute__((aligned(16), used));

/*
 * The entry must be the first byte of the file. ld puts the section .text.startup in
 * front of .text.
 */
__asm__(".section .text.startup, \"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	lea	stack + 4096(%rip), %rsp\n"
	"	call	growth_main\n"
	"	.text\n");

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *s)
{
	while (*s)
		out(SERIAL_PORT, (uint8_t)*s++);
}

/*
 * Returns the number of page tables at and below the table to which @entry points.
 * @level is that table's level, 1 to 4.
 */
static unsigned int tables_below(uint64_t entry, int level)
{
	const uint64_t *table = (const uint64_t *)(entry & ADDRESS);
	unsigned int count = 1;
	int i;

	for (i = 0; level > 1 && i < ENTRIES; i++)
		if ((table[i] & PRESENT) && !(table[i] & LARGE))
			count += tables_below(table[i], level - 1);
	return count;
}

void growth_main(void);
void growth_main(void)
{
	char digits[12];
	char *at = digits + sizeof(digits) - 1;
	unsigned int count;
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	count = tables_below(cr3, LEVELS);
	*at = 0;
	do {
		*--at = (char)('0' + count % 10);
		count /= 10;
	} while (count);
	print("tables ");
	print(at);
	print("\n");
	out(EXIT_PORT, EXIT_PASSED);
	for (;;)
		;
}
