/* SPDX-License-Identifier: MIT */
/*
 * elf.c - lays an ELF file out as a flat memory image.
 *
 * The stub does not parse ELF. All headers are checked here, before the first
 * byte is copied. Reference: System V gABI chapters 4 and 5 (gABI).
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "elf-file.h"

#define PAGE_SIZE		0x1000UL
/* x86-64 has at most 52 bits of physical address (APM2 5.1). */
#define PHYS_ADDR_END		(1UL << 52)
/*
 * A payload must not be linked below 1 MiB, because real-mode memory, the zero
 * page and the loader's data lie there.
 */
#define LOWEST_LINK_ADDR	MIB
/*
 * What choose_base() adds to the addresses of an identity-mapped PIE that is linked
 * below 1 MiB.
 */
#define PIE_LINK_ADDR		(16 * MIB)

bool elf_probe(const struct blob *file)
{
	return file->size >= SELFMAG && !memcmp(file->data, ELFMAG, SELFMAG);
}

/* ---- headers ---- */

/*
 * Returns whether [offset, offset + size) lies inside the file. Raises elf->end
 * to the range's end if that is higher. An empty range may have any offset, even
 * after the file's end, because nothing is read from it.
 */
static bool claim_bytes(struct elf *elf, u64 offset, u64 size)
{
	if (size == 0)
		return true;
	if (offset > elf->size || size > elf->size - offset)
		return false;
	if (elf->end < offset + size)
		elf->end = offset + size;
	return true;
}

static void read_file_header(struct elf *elf)
{
	const Elf64_Ehdr *ehdr = &elf->ehdr;

	if (!elf_probe(&(struct blob){ (u8 *)elf->data, elf->size }))
		die("not an ELF file");
	if (!claim_bytes(elf, 0, sizeof(*ehdr)))
		die("truncated: %lu bytes are no ELF header", elf->size);

	memcpy(&elf->ehdr, elf->data, sizeof(elf->ehdr));
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		die("wrong class: not a 64-bit ELF file (EI_CLASS %u)",
		    ehdr->e_ident[EI_CLASS]);
	if (ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		die("wrong byte order: not little endian (EI_DATA %u)",
		    ehdr->e_ident[EI_DATA]);
	if (ehdr->e_ident[EI_VERSION] != EV_CURRENT ||
	    ehdr->e_version != EV_CURRENT)
		die("unknown ELF version (EI_VERSION %u, e_version %u)",
		    ehdr->e_ident[EI_VERSION], ehdr->e_version);
	if (ehdr->e_machine != EM_X86_64)
		die("wrong machine: not for x86-64 (e_machine %u)",
		    ehdr->e_machine);
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		die("not an executable (e_type %u)%s", ehdr->e_type,
		    ehdr->e_type == ET_REL ? ": an object file or a module: link it first" :
		    ehdr->e_type == ET_CORE ? ": a core dump" : "");
}

static void read_program_headers(struct elf *elf)
{
	const Elf64_Ehdr *ehdr = &elf->ehdr;
	size_t size = ehdr->e_phnum * sizeof(*elf->phdr);

	if (ehdr->e_phnum == PN_XNUM)
		die("too many program headers (PN_XNUM)");
	if (ehdr->e_phentsize != sizeof(*elf->phdr))
		die("program headers of %u bytes, must be %zu",
		    ehdr->e_phentsize, sizeof(*elf->phdr));
	if (!claim_bytes(elf, ehdr->e_phoff, size))
		die("truncated: program headers at %#lx, not in %lu bytes",
		    ehdr->e_phoff, elf->size);

	elf->phdr = xalloc(size);
	if (size)
		memcpy(elf->phdr, elf->data + ehdr->e_phoff, size);

	for (unsigned int i = 0; i < ehdr->e_phnum; i++) {
		const Elf64_Phdr *p = &elf->phdr[i];

		if (p->p_type == PT_NULL)
			continue;
		if (!claim_bytes(elf, p->p_offset, p->p_filesz))
			die("truncated: segment %u, %#lx bytes at %#lx, not in %lu bytes",
			    i, p->p_filesz, p->p_offset, elf->size);
	}
}

/*
 * Raises elf->end to the end of the section headers and of all sections, because Linux's
 * build appends its relocation table there. mkpayload needs section headers for nothing else.
 */
static void read_section_headers(struct elf *elf)
{
	const Elf64_Ehdr *ehdr = &elf->ehdr;
	Elf64_Shdr s;

	if (ehdr->e_shoff == 0)
		return;
	if (ehdr->e_shnum == 0)
		die("too many sections (e_shnum 0)");
	if (ehdr->e_shentsize != sizeof(s))
		die("section headers of %u bytes, must be %zu",
		    ehdr->e_shentsize, sizeof(s));
	if (!claim_bytes(elf, ehdr->e_shoff, ehdr->e_shnum * sizeof(s)))
		die("truncated: section headers at %#lx, not in %lu bytes",
		    ehdr->e_shoff, elf->size);

	for (unsigned int i = 0; i < ehdr->e_shnum; i++) {
		memcpy(&s, elf->data + ehdr->e_shoff + i * sizeof(s),
		       sizeof(s));
		if (s.sh_type == SHT_NULL || s.sh_type == SHT_NOBITS)
			continue;
		if (!claim_bytes(elf, s.sh_offset, s.sh_size))
			die("truncated: section %u, %#lx bytes at %#lx, not in %lu bytes",
			    i, s.sh_size, s.sh_offset, elf->size);
	}
}

Elf64_Shdr elf_section(const struct elf *elf, u64 index)
{
	Elf64_Shdr s = { 0 };

	if (elf->ehdr.e_shoff && index < elf->ehdr.e_shnum)
		memcpy(&s, elf->data + elf->ehdr.e_shoff + index * sizeof(s),
		       sizeof(s));
	return s;
}

const char *elf_section_name(const struct elf *elf, u64 index)
{
	Elf64_Shdr names = elf_section(elf, elf->ehdr.e_shstrndx);
	u64 at = elf_section(elf, index).sh_name;
	const char *name;
	size_t len;

	if (names.sh_type != SHT_STRTAB || at >= names.sh_size)
		return "";
	name = (const char *)elf->data + names.sh_offset + at;
	len = strnlen(name, names.sh_size - at);
	if (len == names.sh_size - at)
		return "";
	for (size_t i = 0; i < len; i++) {
		if (name[i] < ' ' || name[i] > '~')
			return "";
	}
	return name;
}

/* ---- segments ---- */

static void check_segment(const Elf64_Phdr *p, unsigned int i)
{
	u64 align = p->p_align ? p->p_align : 1;
	/*
	 * p_vaddr must equal p_offset modulo p_align. p_paddr must equal
	 * p_offset only modulo a page. The reason is the per-CPU segment of
	 * Linux 6.1: its p_vaddr is 0, but its p_paddr is the next free page,
	 * which need not be a multiple of p_align.
	 */
	u64 page = align < PAGE_SIZE ? align : PAGE_SIZE;

	if (p->p_filesz > p->p_memsz)
		die("segment %u: p_filesz %#lx above p_memsz %#lx", i,
		    p->p_filesz, p->p_memsz);
	if (p->p_paddr >= PHYS_ADDR_END)
		die("segment %u: p_paddr %#lx is a virtual address, physical ones are below %#lx: give the sections a load address with AT() in the linker script",
		    i, p->p_paddr, PHYS_ADDR_END);
	if (p->p_paddr + p->p_memsz < p->p_paddr ||
	    p->p_paddr + p->p_memsz > PHYS_ADDR_END)
		die("segment %u: overflow, %#lx bytes at physical %#lx", i,
		    p->p_memsz, p->p_paddr);
	if (p->p_vaddr + p->p_memsz - 1 < p->p_vaddr)
		die("segment %u: overflow, %#lx bytes at virtual %#lx", i,
		    p->p_memsz, p->p_vaddr);
	if (align & (align - 1))
		die("segment %u: unaligned, p_align %#lx is no power of two",
		    i, align);
	/* p_offset has no meaning if the file supplies no bytes. */
	if (p->p_filesz == 0)
		return;
	if ((p->p_vaddr - p->p_offset) & (align - 1))
		die("segment %u: unaligned, p_vaddr %#lx, p_offset %#lx, p_align %#lx",
		    i, p->p_vaddr, p->p_offset, align);
	if ((p->p_paddr - p->p_offset) & (page - 1))
		die("segment %u: unaligned, p_paddr %#lx, p_offset %#lx, page %#lx",
		    i, p->p_paddr, p->p_offset, page);
}

static int compare_paddr(const void *a, const void *b, void *phdr)
{
	const Elf64_Phdr *p = phdr;
	u64 left = p[*(const unsigned int *)a].p_paddr;
	u64 right = p[*(const unsigned int *)b].p_paddr;

	return (left > right) - (left < right);
}

static void collect_segments(struct elf *elf)
{
	elf->load = xalloc(elf->ehdr.e_phnum * sizeof(*elf->load));

	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *p = &elf->phdr[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_memsz == 0 && p->p_filesz == 0)
			continue;
		check_segment(p, i);
		elf->load[elf->loads++] = i;
	}
	if (elf->loads == 0)
		die("no PT_LOAD segment that occupies memory");

	qsort_r(elf->load, elf->loads, sizeof(*elf->load), compare_paddr,
		elf->phdr);
}

static void check_overlap(const struct elf *elf)
{
	for (unsigned int i = 1; i < elf->loads; i++) {
		const Elf64_Phdr *low = &elf->phdr[elf->load[i - 1]];
		const Elf64_Phdr *high = &elf->phdr[elf->load[i]];

		if (low->p_paddr + low->p_memsz > high->p_paddr)
			die("segments %u and %u overlap at physical %#lx",
			    elf->load[i - 1], elf->load[i], high->p_paddr);
	}
}

/*
 * Whether the kernel is linked to run identity-mapped, which is to say that
 * p_vaddr equals p_paddr in all its segments.
 */
static bool is_identity(const struct elf *elf)
{
	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];

		if (p->p_vaddr != p->p_paddr)
			return false;
	}
	return true;
}

/*
 * If an identity-mapped PIE is linked below 1 MiB, usually at 0, adds a number to all its
 * addresses, because a payload must not be linked below LOWEST_LINK_ADDR. The number is
 * 16 MiB, rounded up to a multiple of each segment's alignment.
 */
static void choose_base(struct elf *elf)
{
	u64 bias = PIE_LINK_ADDR;

	if (elf->ehdr.e_type != ET_DYN || !is_identity(elf) ||
	    elf->phdr[elf->load[0]].p_paddr >= LOWEST_LINK_ADDR)
		return;
	for (unsigned int i = 0; i < elf->loads; i++) {
		u64 align = elf->phdr[elf->load[i]].p_align;

		if (align > 1 && align <= PAYLOAD_MAX_ALIGN)
			bias = ALIGN_UP(bias, align);
	}
	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		elf->phdr[i].p_vaddr += bias;
		elf->phdr[i].p_paddr += bias;
	}
	elf->ehdr.e_entry += bias;
	elf->bias = bias;
}

/* Computes the flat image's addresses, sizes and alignment from all segments. */
static void measure(const struct elf *elf, struct image *image)
{
	image->link_addr = elf->phdr[elf->load[0]].p_paddr;
	image->virt_addr = elf->phdr[elf->load[0]].p_vaddr;
	image->max_align = 1;

	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];
		u64 offset = p->p_paddr - image->link_addr;

		image->mem_size = offset + p->p_memsz;
		if (p->p_filesz)
			image->file_size = offset + p->p_filesz;
		if (image->max_align < p->p_align)
			image->max_align = p->p_align;
	}
	if (image->link_addr < LOWEST_LINK_ADDR)
		die("linked at physical %#lx, below 1 MiB: link it to a higher address, 32 MiB for example",
		    image->link_addr);
	if (image->mem_size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (%#lx bytes of memory)",
		    image->mem_size);
}

/*
 * Returns the offset of the entry point in the flat image. The gABI defines e_entry
 * as a virtual address, but Linux and other kernels put a physical address there.
 * If e_entry lies in a segment both as a virtual and as a physical address, it is
 * physical in Linux and virtual in any other kernel. The file must supply the byte
 * at the entry, because the memory after a segment's file bytes is zero.
 */
static u64 find_entry(const struct elf *elf, u64 link_addr)
{
	u64 entry = elf->ehdr.e_entry;
	const Elf64_Phdr *by_paddr = NULL;
	const Elf64_Phdr *by_vaddr = NULL;

	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];

		if (entry - p->p_paddr < p->p_filesz)
			by_paddr = p;
		if (entry - p->p_vaddr < p->p_filesz)
			by_vaddr = p;
	}
	if (!by_paddr && !by_vaddr)
		die("entry %#lx is outside every segment: name it with ENTRY() in the linker script, or with ld -e",
		    entry);
	if (by_paddr && (elf->is_linux || !by_vaddr))
		return entry - link_addr;
	return entry - by_vaddr->p_vaddr + by_vaddr->p_paddr - link_addr;
}

/* ---- layout ---- */

static void copy_segments(const struct elf *elf, struct image *image)
{
	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];

		if (p->p_filesz == 0)
			continue;
		memcpy(image->bytes.data + (p->p_paddr - image->link_addr),
		       elf->data + p->p_offset, p->p_filesz);
	}
}

/*
 * Appends the file range [@offset, @offset + @size) to @image->sections if a PT_LOAD
 * segment contains it, because only segments' bytes are in the flat image.
 */
static void add_section(const struct elf *elf, struct image *image,
			const char *name, u64 offset, u64 size, bool code)
{
	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];
		struct section *s;

		if (size == 0 || offset < p->p_offset ||
		    offset - p->p_offset > p->p_filesz ||
		    size > p->p_filesz - (offset - p->p_offset))
			continue;
		s = &image->sections.list[image->sections.count];
		*s = (struct section){
			.order = image->sections.count++,
			.start = offset - p->p_offset + p->p_paddr -
				 image->link_addr,
			.size = size, .code = code,
		};
		strncpy(s->name, name, sizeof(s->name) - 1);
		return;
	}
}

/*
 * Orders sections by start, for qsort(). Sections with the same start stay in the order of
 * the file, so that the result does not depend on the C library's algorithm.
 */
static int compare_start(const void *a, const void *b)
{
	const struct section *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

/*
 * Fills @image->sections with the file's sections that are loaded, or with its segments if
 * no section is loaded. A section that begins inside the previous section is left out.
 */
static void list_sections(const struct elf *elf, struct image *image)
{
	struct sections *s = &image->sections;
	bool no_section;
	size_t kept = 0;
	u64 end = 0;

	s->list = xalloc((elf->ehdr.e_shnum + elf->loads) * sizeof(*s->list));
	for (unsigned int i = 0; i < elf->ehdr.e_shnum; i++) {
		Elf64_Shdr h = elf_section(elf, i);

		if (h.sh_type != SHT_NULL && h.sh_type != SHT_NOBITS &&
		    h.sh_flags & SHF_ALLOC)
			add_section(elf, image, elf_section_name(elf, i),
				    h.sh_offset, h.sh_size,
				    h.sh_flags & SHF_EXECINSTR);
	}
	no_section = !s->count;
	for (unsigned int i = 0; i < elf->loads && no_section; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];

		add_section(elf, image, "segment", p->p_offset, p->p_filesz,
			    p->p_flags & PF_X);
	}
	qsort(s->list, s->count, sizeof(*s->list), compare_start);
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i].start < end)
			continue;
		end = s->list[i].start + s->list[i].size;
		s->list[kept++] = s->list[i];
	}
	s->count = kept;
}

struct image elf_lay_out(const struct blob *file, bool in_bzimage)
{
	struct elf elf = {
		.data = file->data, .size = file->size,
		.in_bzimage = in_bzimage,
	};
	struct image image = { 0 };
	struct blob relocs;

	read_file_header(&elf);
	read_program_headers(&elf);
	read_section_headers(&elf);
	elf_refuse_program(&elf);
	collect_segments(&elf);
	check_overlap(&elf);
	choose_base(&elf);
	measure(&elf, &image);

	elf.is_linux = in_bzimage || elf_has_linux_relocs(&elf) ||
		       elf_has_linux_note(&elf);
	image.is_linux = elf.is_linux;
	image.identity = !elf.is_linux && is_identity(&elf);
	image.entry_offset = find_entry(&elf, image.link_addr);
	if (!elf.is_linux)
		elf_warn_of_protocol(&elf, &image);

	image.bytes.data = xalloc(image.file_size);
	copy_segments(&elf, &image);
	list_sections(&elf, &image);
	relocs = elf_relocate(&elf, &image);
	image.reloc_size = relocs.size;
	image.bytes.size = image.file_size + image.reloc_size;
	if (image.bytes.size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (%#lx bytes with its relocation table)",
		    image.bytes.size);
	if (relocs.size) {
		image.bytes.data = realloc(image.bytes.data, image.bytes.size);
		if (!image.bytes.data)
			die("out of memory (%zu bytes)", image.bytes.size);
		memcpy(image.bytes.data + image.file_size, relocs.data,
		       relocs.size);
	}

	free(relocs.data);
	free(elf.load);
	free(elf.phdr);
	return image;
}
