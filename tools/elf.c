/* SPDX-License-Identifier: MIT */
/*
 * elf.c - from an ELF file to a flat memory image.
 *
 * Everything that the file claims is checked here, before the first byte is
 * copied: the stub neither parses ELF nor moves anything at boot. References:
 * System V gABI chapters 4 and 5 (gABI), and for what Linux appends to its
 * ELF file, split_relocs() below.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "mkpayload.h"

/* Where Linux's link addresses begin: physical address 0 as linked. */
#define LINUX_START_KERNEL_MAP	0xffffffff80000000UL

#define PAGE_SIZE		0x1000UL
/* x86-64 has no physical addresses from here on (APM2 5.1). */
#define PHYS_ADDR_END		(1UL << 52)
/* Below lie real-mode memory, the zero page and the loader's own things. */
#define LOWEST_LINK_ADDR	MIB

struct elf {
	const u8 *data;
	u64 size;
	u64 end;			/* of all that the headers describe */
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdr;
	unsigned int *load;		/* PT_LOADs with memory, by p_paddr */
	unsigned int loads;
	bool is_linux;
};

/* One of the lists in Linux's relocation table. */
struct linux_list {
	const u8 *entries;		/* s32 link addresses, unaligned */
	u32 count;
};

bool elf_probe(const struct blob *file)
{
	return file->size >= SELFMAG && !memcmp(file->data, ELFMAG, SELFMAG);
}

/* ---- headers ---- */

/* Whether [offset, offset + size) lies inside the file; moves elf->end. */
static bool claim_bytes(struct elf *elf, u64 offset, u64 size)
{
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
		die("not an executable (e_type %u)", ehdr->e_type);
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
 * Section headers say nothing that loading needs. But only with them is it
 * known where the file ends and Linux's relocation table begins.
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

/* A kernel is alone: there is nobody to relocate it or to load a library. */
static void check_static(const struct elf *elf)
{
	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		if (elf->phdr[i].p_type == PT_INTERP)
			die("not a kernel: a program with an interpreter");
	}
	if (elf->ehdr.e_type == ET_DYN)
		die("position-independent executable (ET_DYN), must be static (ET_EXEC)");
}

/* ---- is it Linux? ---- */

/* Whether a note of the owner "Linux" is among those in @p. */
static bool segment_has_linux_note(const struct elf *elf, const Elf64_Phdr *p)
{
	static const char owner[] = "Linux";
	u64 align = p->p_align == 8 ? 8 : 4;
	u64 at = 0;
	Elf64_Nhdr note;

	while (at <= p->p_filesz && p->p_filesz - at >= sizeof(note)) {
		const u8 *start = elf->data + p->p_offset + at;
		u64 name_size, desc_size;

		memcpy(&note, start, sizeof(note));
		name_size = ALIGN_UP((u64)note.n_namesz, 4);
		desc_size = ALIGN_UP((u64)note.n_descsz, align);
		if (name_size > p->p_filesz - at - sizeof(note))
			return false;
		if (note.n_namesz == sizeof(owner) &&
		    !memcmp(start + sizeof(note), owner, sizeof(owner)))
			return true;
		at = ALIGN_UP(at + sizeof(note) + name_size, align) + desc_size;
	}
	return false;
}

/*
 * Every Linux since 4.19 carries such a note (its build salt). "Xen" would not
 * do: other kernels have that one too, and rely on a zeroed .bss.
 */
static bool has_linux_note(const struct elf *elf)
{
	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		if (elf->phdr[i].p_type == PT_NOTE &&
		    segment_has_linux_note(elf, &elf->phdr[i]))
			return true;
	}
	return false;
}

/* ---- segments ---- */

static void check_segment(const Elf64_Phdr *p, unsigned int i)
{
	u64 align = p->p_align ? p->p_align : 1;
	/*
	 * p_vaddr follows p_align; p_paddr need not follow beyond the page:
	 * Linux 6.1 links its per-CPU segment to virtual address 0.
	 */
	u64 page = align < PAGE_SIZE ? align : PAGE_SIZE;

	if (p->p_filesz > p->p_memsz)
		die("segment %u: p_filesz %#lx above p_memsz %#lx", i,
		    p->p_filesz, p->p_memsz);
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

/* Where the segments lie together, and how much of that the file supplies. */
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
		die("linked at physical %#lx, below 1 MiB", image->link_addr);
	if (image->mem_size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (%#lx bytes of memory)",
		    image->mem_size);
}

/*
 * e_entry is a virtual address by the gABI, but kernels that are entered with
 * paging off or an identity map often have the physical one there, Linux among
 * them. Where it can be read both ways, Linux means the physical address and
 * everybody else the virtual one. An entry into memory that the file does not
 * supply would execute zeros.
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
		die("entry %#lx is outside every segment", entry);
	if (by_paddr && (elf->is_linux || !by_vaddr))
		return entry - link_addr;
	return entry - by_vaddr->p_vaddr + by_vaddr->p_paddr - link_addr;
}

/* ---- Linux's relocation table ---- */

/*
 * Linux's build appends to the ELF file, in this order, a zero word and the
 * places of 64-bit relocations; up to 6.14 a zero word and the places of
 * inverse 32-bit ones; a zero word and the places of 32-bit ones. Each place
 * is the low half of a link address. No header tells where the table begins
 * or which kind it is, but the ELF file in front ends at elf->end, and link
 * addresses are never zero: so the number of zero words decides.
 * Returns whether that is what follows; the caller knows that not all is zero.
 */
static bool split_relocs(const struct elf *elf, struct linux_list *list)
{
	const u8 *tail = elf->data + elf->end;
	u64 words = (elf->size - elf->end) / sizeof(s32);
	struct linux_list found[RELOC_KINDS] = { 0 };
	int lists = 0;

	for (u64 i = 0; i < words; i++) {
		const u8 *at = tail + i * sizeof(s32);
		s32 entry;

		memcpy(&entry, at, sizeof(entry));
		if (entry == 0) {
			if (lists == RELOC_KINDS)
				return false;
			found[lists++].entries = at + sizeof(s32);
		} else {
			if (lists == 0)
				return false;
			found[lists - 1].count++;
		}
	}
	if (lists < 2 || (elf->size - elf->end) % sizeof(s32))
		return false;

	list[RELOC_64] = found[0];
	if (lists == RELOC_KINDS)
		list[RELOC_INVERSE32] = found[1];
	list[RELOC_32] = found[lists - 1];
	return true;
}

static bool all_zero(const u8 *data, u64 size)
{
	return size == 0 || (data[0] == 0 && !memcmp(data, data + 1, size - 1));
}

/* Turns link addresses into offsets from the payload's first byte. */
static void add_list(struct relocs *relocs, enum reloc_kind kind,
		     const struct linux_list *list, const struct image *image)
{
	for (u32 i = 0; i < list->count; i++) {
		s32 entry;
		u64 offset;

		memcpy(&entry, list->entries + i * sizeof(entry),
		       sizeof(entry));
		offset = (u64)(s64)entry - image->virt_addr;
		if (offset >= image->file_size ||
		    image->file_size - offset < RELOC_WIDTH(kind))
			die("relocation at %#lx is outside the payload",
			    (u64)(s64)entry);
		relocs_add(relocs, kind, offset);
	}
}

/* What follows the flat image in the payload, if anything does. */
static struct blob convert_relocs(struct elf *elf, const struct image *image)
{
	struct linux_list list[RELOC_KINDS] = { 0 };
	struct relocs relocs = { 0 };

	if (all_zero(elf->data + elf->end, elf->size - elf->end))
		return (struct blob){ 0 };
	if (!split_relocs(elf, list))
		die("%lu bytes behind the ELF file that are no relocation table",
		    elf->size - elf->end);
	if (image->virt_addr != LINUX_START_KERNEL_MAP + image->link_addr)
		die("linked at virtual %#lx, with Linux's relocation table must be %#lx",
		    image->virt_addr,
		    LINUX_START_KERNEL_MAP + image->link_addr);

	for (int kind = 0; kind < RELOC_KINDS; kind++)
		add_list(&relocs, kind, &list[kind], image);
	return relocs_store(&relocs, image->file_size);
}

/* ---- layout ---- */

static void copy_segments(const struct elf *elf, struct image *image)
{
	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];

		memcpy(image->bytes.data + (p->p_paddr - image->link_addr),
		       elf->data + p->p_offset, p->p_filesz);
	}
}

struct image elf_lay_out(const struct blob *file, bool is_linux)
{
	struct elf elf = { .data = file->data, .size = file->size };
	struct image image = { 0 };
	struct blob relocs;

	read_file_header(&elf);
	read_program_headers(&elf);
	read_section_headers(&elf);
	check_static(&elf);
	collect_segments(&elf);
	check_overlap(&elf);
	measure(&elf, &image);

	relocs = convert_relocs(&elf, &image);
	elf.is_linux = is_linux || relocs.size || has_linux_note(&elf);
	image.entry_offset = find_entry(&elf, image.link_addr);
	image.is_linux = elf.is_linux;

	image.reloc_size = relocs.size;
	image.bytes.size = image.file_size + image.reloc_size;
	if (image.bytes.size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (%#lx bytes with its relocation table)",
		    image.bytes.size);

	image.bytes.data = xalloc(image.bytes.size);
	copy_segments(&elf, &image);
	if (relocs.size)
		memcpy(image.bytes.data + image.file_size, relocs.data,
		       relocs.size);

	free(relocs.data);
	free(elf.load);
	free(elf.phdr);
	return image;
}
