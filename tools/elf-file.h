/* SPDX-License-Identifier: MIT */
/*
 * elf-file.h - an ELF file as elf.c has read it, for elf.c and elf-relocs.c:
 * headers checked, everything that they point to inside the file.
 */
#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <elf.h>

#include "mkpayload.h"

struct elf {
	const u8 *data;
	u64 size;
	u64 end;			/* of all that the headers describe */
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdr;
	unsigned int *load;		/* PT_LOADs with memory, by p_paddr */
	unsigned int loads;
	u64 bias;			/* has been added to all addresses */
	bool is_linux;
};

/* Whether Linux's relocation table follows the ELF file; nothing else may. */
bool elf_has_linux_relocs(const struct elf *elf);

/*
 * Finds what has to move with the payload, wherever the file says so, and
 * completes the flat image @image->bytes where the file leaves that to a
 * loader. Returns the table to be stored, empty if the payload cannot move.
 */
struct blob elf_relocate(const struct elf *elf, const struct image *image);

#endif
