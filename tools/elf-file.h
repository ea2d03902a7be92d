/* SPDX-License-Identifier: MIT */
/*
 * elf-file.h - an ELF file as elf.c passes it to elf-relocs.c. elf.c has checked
 * the headers, and that everything they point to lies inside the file.
 */
#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <elf.h>

#include "mkpayload.h"

struct elf {
	const u8 *data;			/* the file's bytes */
	u64 size;			/* the file's size in bytes */
	u64 end;			/* file offset behind all headers, segments
					 * and sections */
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdr;		/* ehdr.e_phnum program headers of all types */
	unsigned int *load;		/* indexes in phdr: each PT_LOAD with
					 * memory, in the order of p_paddr */
	unsigned int loads;		/* number of indexes in load, at least 1 */
	/*
	 * What choose_base() added to all addresses in ehdr and phdr, in bytes;
	 * 0: nothing.
	 */
	u64 bias;
	bool is_linux;			/* the file is a Linux kernel */
};

/*
 * Returns whether the relocation table of Linux's build follows at @elf->end,
 * which must be set. Calls die() if other bytes than this table or zeros follow.
 */
bool elf_has_linux_relocs(const struct elf *elf);

/*
 * Reads the file's relocations and returns the relocation table in the format of
 * payload.h, which the caller frees. It is empty if the payload cannot move. The
 * segments must have been copied to @image->bytes. In a static PIE this writes the
 * link-time addresses to the relocated places there. Calls die() if a relocation
 * is not acceptable.
 */
struct blob elf_relocate(const struct elf *elf, const struct image *image);

#endif
