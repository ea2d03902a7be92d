/* SPDX-License-Identifier: MIT */
/*
 * relocs.c - program of the build machine: copies a relocatable test kernel and appends a
 * relocation table, as Linux's build does.
 *
 *	relocs <KERNEL.elf >OUT
 *
 * The table has three lists of 32-bit virtual addresses, with a zero before each list.
 * The addresses are those of the values that the stub must relocate: in the first list
 * 64-bit values, in the second 32-bit values from which the stub subtracts the distance,
 * in the third 32-bit values to which the stub adds the distance. The input is only
 * checked as far as needed to stay inside it, because it comes from our own linker.
 */
#include <elf.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "places.h"

#define KERNEL_MAX	(1 << 20)

static char file[KERNEL_MAX];
static size_t file_size;

static uint64_t places_address(void)
{
	const Elf64_Ehdr *ehdr = (const void *)file;
	const Elf64_Shdr *shdr = (const void *)(file + ehdr->e_shoff);
	const Elf64_Shdr *symtab = NULL;

	if (file_size < sizeof(*ehdr) || ehdr->e_shoff > file_size ||
	    ehdr->e_shnum > (file_size - ehdr->e_shoff) / sizeof(*shdr))
		errx(1, "no section headers");
	for (unsigned int i = 0; i < ehdr->e_shnum; i++) {
		if (shdr[i].sh_type == SHT_SYMTAB)
			symtab = &shdr[i];
	}
	if (!symtab)
		errx(1, "no symbols");
	for (size_t i = 0; i < symtab->sh_size / sizeof(Elf64_Sym); i++) {
		const Elf64_Sym *sym =
			(const Elf64_Sym *)(file + symtab->sh_offset) + i;
		const char *name = file + shdr[symtab->sh_link].sh_offset +
				   sym->st_name;

		if (!strcmp(name, "places_start"))
			return sym->st_value;
	}
	errx(1, "no places_start");
}

static void put(uint64_t address)
{
	uint32_t word = (uint32_t)address;

	if (fwrite(&word, sizeof(word), 1, stdout) != 1)
		err(1, "stdout");
}

static void put_list(uint64_t first)
{
	for (unsigned int i = 0; i < PLACES_COUNT; i++)
		put(first + i * PLACE_STRIDE);
}

int main(void)
{
	uint64_t places;

	file_size = fread(file, 1, sizeof(file), stdin);
	if (file_size == sizeof(file))
		errx(1, "the kernel is too large");

	places = places_address();
	if (fwrite(file, 1, file_size, stdout) != file_size)
		err(1, "stdout");
	put(0);
	put(places + PLACES_MOVED);
	put_list(places + PLACES_FIRST + PLACE_64);
	put(0);
	put_list(places + PLACES_FIRST + PLACE_INVERSE32);
	put(0);
	put_list(places + PLACES_FIRST + PLACE_32);
	if (fflush(stdout))
		err(1, "stdout");
	return 0;
}
