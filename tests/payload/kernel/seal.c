/* SPDX-License-Identifier: MIT */
/*
 * seal.c - a program for the build machine. After the link of a test kernel it fills in the
 * kernel's seal (seal.h) in the kernel's file. The seal records how the kernel's memory must look.
 *
 *	seal KERNEL.elf
 *
 * The input is only checked as far as needed to stay inside the file, because it comes
 * from our own linker.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal.h"

static u8 *file;
static size_t file_size;

/* Returns the address at which the @len bytes at @offset of the file are mapped. */
static void *at(u64 offset, u64 len)
{
	if (offset > file_size || len > file_size - offset)
		errx(1, "a header points past the end of the file");
	return file + offset;
}

static struct seal *find_seal(const Elf64_Ehdr *ehdr)
{
	const Elf64_Shdr *shdr =
		at(ehdr->e_shoff, ehdr->e_shnum * sizeof(*shdr));
	const Elf64_Shdr *names = &shdr[ehdr->e_shstrndx];

	for (unsigned int i = 0; i < ehdr->e_shnum; i++) {
		const char *name = at(names->sh_offset + shdr[i].sh_name,
				      sizeof(".seal"));

		if (strcmp(name, ".seal"))
			continue;
		if (shdr[i].sh_size != sizeof(struct seal))
			errx(1, ".seal has the wrong size");
		return at(shdr[i].sh_offset, sizeof(struct seal));
	}
	errx(1, "no section .seal");
}

static void seal_kernel(void)
{
	const Elf64_Ehdr *ehdr = at(0, sizeof(*ehdr));
	const Elf64_Phdr *phdr =
		at(ehdr->e_phoff, ehdr->e_phnum * sizeof(*phdr));
	struct seal *seal = find_seal(ehdr);

	memset(seal, 0, sizeof(*seal));
	memcpy(seal->magic, SEAL_MAGIC, sizeof(seal->magic));
	seal->link_addr = ~0UL;
	for (unsigned int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD &&
		    phdr[i].p_paddr < seal->link_addr)
			seal->link_addr = phdr[i].p_paddr;

	for (unsigned int i = 0; i < ehdr->e_phnum; i++) {
		const Elf64_Phdr *p = &phdr[i];
		struct seal_segment *segment = &seal->segment[seal->segments];

		if (p->p_type != PT_LOAD)
			continue;
		if (seal->segments++ == SEAL_MAX_SEGMENTS)
			errx(1, "more segments than the seal has room for");
		segment->offset = p->p_paddr - seal->link_addr;
		segment->file_size = p->p_filesz;
		segment->mem_size = p->p_memsz;
		segment->hash = seal_hash_around(at(p->p_offset, p->p_filesz),
						 p->p_filesz, seal);
		if (segment->offset + segment->mem_size > seal->mem_size)
			seal->mem_size = segment->offset + segment->mem_size;
	}
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd;

	if (argc != 2)
		errx(1, "usage: seal KERNEL.elf");
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", argv[1]);
	file_size = (size_t)st.st_size;
	file = mmap(NULL, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		err(1, "%s", argv[1]);
	seal_kernel();
	if (munmap(file, file_size) || close(fd))
		err(1, "%s", argv[1]);
	return 0;
}
