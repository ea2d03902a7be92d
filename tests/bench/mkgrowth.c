/* SPDX-License-Identifier: MIT */
/*
 * mkgrowth.c - makes a payload of a chosen size for a benchmark: writes an ELF file OUT
 * with one segment of MIB MiB, which begins with CODE. In each MiB of the segment, a
 * quarter is data and the rest is zeros, much as in a kernel.
 *
 *	mkgrowth OUT MIB CODE DATA
 *
 * CODE is a flat file that is linked at LINK_ADDR and begins with its entry. DATA is a
 * file of some MiB without repetitions. It is read again from its start when its end is
 * reached.
 */
#include <elf.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINK_ADDR	0x1000000UL
#define MIB		(1UL << 20)
/* Bytes of the output file in front of the code. They contain the ELF headers. */
#define HEADERS		0x1000UL

static uint8_t block[MIB];

static FILE *open_file(const char *name, const char *mode)
{
	FILE *f = fopen(name, mode);

	if (!f)
		err(1, "%s", name);
	return f;
}

static void write_block(FILE *f, const void *data, size_t size)
{
	if (fwrite(data, 1, size, f) != size)
		err(1, "write");
}

int main(int argc, char **argv)
{
	static struct {
		Elf64_Ehdr ehdr;
		Elf64_Phdr phdr;
		uint8_t pad[HEADERS - sizeof(Elf64_Ehdr) - sizeof(Elf64_Phdr)];
	} headers;
	unsigned long mib, i;
	FILE *out, *code, *data;

	if (argc != 5)
		errx(2, "usage: mkgrowth OUT MIB CODE DATA");
	mib = strtoul(argv[2], NULL, 10);
	out = open_file(argv[1], "wb");
	code = open_file(argv[3], "rb");
	data = open_file(argv[4], "rb");

	memcpy(headers.ehdr.e_ident, ELFMAG, SELFMAG);
	headers.ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	headers.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	headers.ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	headers.ehdr.e_type = ET_EXEC;
	headers.ehdr.e_machine = EM_X86_64;
	headers.ehdr.e_version = EV_CURRENT;
	headers.ehdr.e_entry = LINK_ADDR;
	headers.ehdr.e_phoff = sizeof(headers.ehdr);
	headers.ehdr.e_ehsize = sizeof(headers.ehdr);
	headers.ehdr.e_phentsize = sizeof(headers.phdr);
	headers.ehdr.e_phnum = 1;
	headers.phdr.p_type = PT_LOAD;
	headers.phdr.p_flags = PF_R | PF_W | PF_X;
	headers.phdr.p_offset = HEADERS;
	headers.phdr.p_vaddr = LINK_ADDR;
	headers.phdr.p_paddr = LINK_ADDR;
	headers.phdr.p_filesz = mib * MIB;
	headers.phdr.p_memsz = mib * MIB;
	headers.phdr.p_align = HEADERS;
	write_block(out, &headers, sizeof(headers));

	for (i = 0; i < mib; i++) {
		size_t got = i ? 0 : fread(block, 1, MIB / 8, code);

		if (i == 0 && !feof(code))
			errx(1, "%s: too long", argv[3]);
		while (got < MIB / 4) {
			size_t more = fread(block + got, 1, MIB / 4 - got,
					    data);

			if (!more && (ferror(data) || !ftell(data)))
				errx(1, "%s: no data", argv[4]);
			if (!more)
				rewind(data);
			got += more;
		}
		write_block(out, block, MIB);
	}
	if (fclose(out))
		err(1, "%s", argv[1]);
	return 0;
}
