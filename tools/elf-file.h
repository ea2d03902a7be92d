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
	/* File offset after all headers, segments and sections. */
	u64 end;
	Elf64_Ehdr ehdr;
	/* Program headers of all types. ehdr.e_phnum is their number. */
	Elf64_Phdr *phdr;
	/*
	 * The index in @phdr of each PT_LOAD segment whose p_memsz is not 0, in the
	 * order of p_paddr.
	 */
	unsigned int *load;
	unsigned int loads;		/* elements of @load, at least 1 */
	/*
	 * What choose_base() added to all addresses in @ehdr and @phdr, in bytes, because
	 * the file is linked at lower addresses than a payload may have; 0: nothing.
	 */
	u64 bias;
	bool is_linux;			/* the file is a Linux kernel */
	bool in_bzimage;		/* the file was in a bzImage */
};

/* Section header @index; all zero if the file has no section of this index. */
Elf64_Shdr elf_section(const struct elf *elf, u64 index);

/*
 * The name of section @index, inside the file's bytes, or "" if the file has no
 * name for it that consists of printable ASCII characters.
 */
const char *elf_section_name(const struct elf *elf, u64 index);

/* ---- elf-kind.c ---- */

/*
 * Whether the file has a note of the owner "Linux". Every Linux since 4.19 has
 * one, its build salt. A note of the owner "Xen" is no evidence of Linux, because
 * other kernels have it, too. If mkpayload took such a kernel for Linux, the stub
 * would not zero all of the kernel's .bss.
 */
bool elf_has_linux_note(const struct elf *elf);

/*
 * Calls die() if the file is a program that an operating system must start,
 * because the stub has no dynamic linker and no system calls.
 */
void elf_refuse_program(const struct elf *elf);

/*
 * Warns if headers, notes or the ABI say that e_entry belongs to another boot
 * protocol than Linux's. It is only a warning, because one entry may serve two
 * protocols. Must not be called for a Linux kernel. @image->entry_offset must be set.
 */
void elf_warn_of_protocol(const struct elf *elf, const struct image *image);

/* ---- elf-relocs.c ---- */

/*
 * Returns whether the relocation table of Linux's build follows at @elf->end,
 * which must be set. Calls die() if other bytes than this table or zeros follow.
 */
bool elf_has_linux_relocs(const struct elf *elf);

/*
 * Reads the file's relocations and returns the relocation table in the format of
 * payload.h, which the caller frees. The table is empty if the payload cannot move.
 * The segments must have been copied to @image->bytes. If the file is a static PIE,
 * elf_relocate() writes the link-time addresses to the relocated places in
 * @image->bytes. Sets @image->low. Calls die() if a relocation is not acceptable.
 */
struct blob elf_relocate(const struct elf *elf, struct image *image);

#endif
