/* SPDX-License-Identifier: MIT */
/*
 * elf-kind.c - finds out what an ELF file is: Linux, another kernel, a kernel
 * whose e_entry belongs to another boot protocol, or a program that is no kernel.
 *
 * References: gABI chapter 5, Linux Standard Base "NT_GNU_ABI_TAG", Multiboot
 * Specification 0.6.96, Multiboot2 Specification 2.0, Xen's elfnote.h.
 */
#include <string.h>

#include "elf-file.h"

/* ---- notes ---- */

#define ANY_TYPE		(-1L)

/* Xen's elfnote.h: notes with the entry of a paravirtual or of a PVH guest. */
#define XEN_ELFNOTE_ENTRY	1
#define XEN_ELFNOTE_PHYS32_ENTRY 18

/* A note of a PT_NOTE segment. The pointers point into the file. */
struct note {
	const char *owner;
	u32 owner_size;			/* bytes, with the NUL */
	u32 type;
	const u8 *desc;
	u64 desc_size;			/* bytes that are inside the segment */
};

/*
 * Reads the note at offset @at of the PT_NOTE segment @p. Returns the offset of
 * the next note, or 0 if the segment ends inside the note's header or name.
 */
static u64 read_note(const struct elf *elf, const Elf64_Phdr *p, u64 at,
		     struct note *note)
{
	u64 align = p->p_align == 8 ? 8 : 4;
	u64 name_size, desc_at;
	Elf64_Nhdr header;
	const u8 *start;

	if (at > p->p_filesz || p->p_filesz - at < sizeof(header))
		return 0;
	start = elf->data + p->p_offset + at;
	memcpy(&header, start, sizeof(header));
	name_size = ALIGN_UP((u64)header.n_namesz, 4);
	if (name_size > p->p_filesz - at - sizeof(header))
		return 0;

	desc_at = ALIGN_UP(at + sizeof(header) + name_size, align);
	*note = (struct note){
		.owner = (const char *)start + sizeof(header),
		.owner_size = header.n_namesz,
		.type = header.n_type,
	};
	if (desc_at < p->p_filesz) {
		note->desc = elf->data + p->p_offset + desc_at;
		note->desc_size = p->p_filesz - desc_at;
		if (note->desc_size > header.n_descsz)
			note->desc_size = header.n_descsz;
	}
	return desc_at + ALIGN_UP((u64)header.n_descsz, align);
}

/*
 * Finds the first note of @owner with the number @type, or with any number if
 * @type is ANY_TYPE. Returns false if no note matches; *@note is then
 * meaningless.
 */
static bool find_note(const struct elf *elf, const char *owner, s64 type,
		      struct note *note)
{
	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *p = &elf->phdr[i];
		u64 at = 0;

		if (p->p_type != PT_NOTE)
			continue;
		while ((at = read_note(elf, p, at, note))) {
			if (note->owner_size == strlen(owner) + 1 &&
			    !memcmp(note->owner, owner, note->owner_size) &&
			    (type == ANY_TYPE || note->type == type))
				return true;
		}
	}
	return false;
}

/* The number in a note of 4 or 8 bytes, or 0 if the note is shorter. */
static u64 note_number(const struct note *note)
{
	u64 value = 0;

	if (note->desc_size >= sizeof(u32))
		memcpy(&value, note->desc,
		       note->desc_size < sizeof(value) ? sizeof(u32) :
							 sizeof(value));
	return value;
}

/* ---- Linux, and programs ---- */

bool elf_has_linux_note(const struct elf *elf)
{
	struct note note;

	return find_note(elf, "Linux", ANY_TYPE, &note);
}

void elf_refuse_program(const struct elf *elf)
{
	struct note note;

	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		if (elf->phdr[i].p_type == PT_INTERP)
			die("not a kernel: a program with an interpreter (segment %u is PT_INTERP): link a kernel with -static, a position-independent one with -pie --no-dynamic-linker",
			    i);
	}
	/*
	 * The C library's start code brings this note into every program. Its
	 * first word is the operating system, 0 for Linux.
	 */
	if (find_note(elf, "GNU", NT_GNU_ABI_TAG, &note) &&
	    note.desc_size >= sizeof(u32) && (u32)note_number(&note) == 0)
		die("not a kernel: a program for Linux, as its note NT_GNU_ABI_TAG says");
}

/* ---- other boot protocols ---- */

#define MULTIBOOT_MAGIC		0x1badb002U
#define MULTIBOOT_SEARCH	8192UL	/* bytes at the file's start */
#define MULTIBOOT_ALIGN		4
#define MULTIBOOT_HAS_ENTRY	0x10000U	/* flag: entry_addr is valid */

#define MULTIBOOT2_MAGIC	0xe85250d6U
/* multiboot2_header.architecture of a kernel for 32-bit protected mode. */
#define MULTIBOOT2_I386		0
#define MULTIBOOT2_SEARCH	32768UL
#define MULTIBOOT2_ALIGN	8
#define MULTIBOOT2_TAG_END	0
#define MULTIBOOT2_TAG_ENTRY	3

struct multiboot_header {
	u32 magic, flags, checksum;
	u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

struct multiboot2_header {
	u32 magic, architecture, length, checksum;
};

struct multiboot2_tag {
	u16 type, flags;
	u32 size;			/* bytes, with this header */
};

/*
 * Whether @address, from a header of another boot protocol, is the address at
 * which the stub enters the kernel. Both the entry's physical address and e_entry count
 * as this address. choose_base() has added elf->bias to these two, but not to @address.
 */
static bool is_entry(const struct elf *elf, const struct image *image,
		     u64 address)
{
	address += elf->bias;
	return address == elf->ehdr.e_entry ||
	       address == image->link_addr + image->entry_offset;
}

/*
 * Whether the file has a Multiboot header that makes a Multiboot loader enter the
 * kernel where the stub does. If the header names no entry, the loader uses
 * e_entry.
 */
static bool multiboot_enters(const struct elf *elf, const struct image *image)
{
	u64 end = elf->size < MULTIBOOT_SEARCH ? elf->size : MULTIBOOT_SEARCH;
	struct multiboot_header h;

	for (u64 at = 0; at + 3 * sizeof(u32) <= end; at += MULTIBOOT_ALIGN) {
		memcpy(&h, elf->data + at, 3 * sizeof(u32));
		if (h.magic != MULTIBOOT_MAGIC ||
		    h.magic + h.flags + h.checksum != 0)
			continue;
		if (!(h.flags & MULTIBOOT_HAS_ENTRY) || at + sizeof(h) > end)
			return true;
		memcpy(&h, elf->data + at, sizeof(h));
		return is_entry(elf, image, h.entry_addr);
	}
	return false;
}

/*
 * Returns the address in the entry tag of the Multiboot2 header at @at, whose
 * @length bytes are inside the file, or e_entry if the header has no entry tag.
 */
static u64 multiboot2_entry(const struct elf *elf, u64 at, u64 length)
{
	struct multiboot2_tag tag;
	u64 next = sizeof(struct multiboot2_header);
	u32 entry;

	while (length - next >= sizeof(tag)) {
		memcpy(&tag, elf->data + at + next, sizeof(tag));
		if (tag.type == MULTIBOOT2_TAG_END || tag.size < sizeof(tag) ||
		    tag.size > length - next)
			break;
		if (tag.type == MULTIBOOT2_TAG_ENTRY &&
		    tag.size >= sizeof(tag) + sizeof(entry)) {
			memcpy(&entry, elf->data + at + next + sizeof(tag),
			       sizeof(entry));
			return entry;
		}
		next += ALIGN_UP((u64)tag.size, MULTIBOOT2_ALIGN);
		if (next > length)
			break;
	}
	return elf->ehdr.e_entry - elf->bias;
}

/*
 * Whether the file has a Multiboot2 header that makes a Multiboot2 loader enter
 * the kernel where the stub does.
 */
static bool multiboot2_enters(const struct elf *elf, const struct image *image)
{
	u64 end = elf->size < MULTIBOOT2_SEARCH ? elf->size : MULTIBOOT2_SEARCH;
	struct multiboot2_header h;

	for (u64 at = 0; at + sizeof(h) <= end; at += MULTIBOOT2_ALIGN) {
		memcpy(&h, elf->data + at, sizeof(h));
		if (h.magic != MULTIBOOT2_MAGIC ||
		    h.architecture != MULTIBOOT2_I386 ||
		    h.magic + h.architecture + h.length + h.checksum != 0 ||
		    h.length < sizeof(h) || h.length > elf->size - at)
			continue;
		return is_entry(elf, image, multiboot2_entry(elf, at, h.length));
	}
	return false;
}

/*
 * Whether the file has a note of Xen with the number @type that contains the
 * address at which the stub enters the kernel.
 */
static bool xen_enters(const struct elf *elf, const struct image *image, s64 type)
{
	struct note note;

	return find_note(elf, "Xen", type, &note) &&
	       is_entry(elf, image, note_number(&note));
}

/*
 * The operating system that EI_OSABI names, or NULL if it names none, Linux, or
 * one without a kernel for x86-64.
 */
static const char *osabi_name(const struct elf *elf)
{
	switch (elf->ehdr.e_ident[EI_OSABI]) {
	case ELFOSABI_NETBSD:
		return "NetBSD";
	case ELFOSABI_SOLARIS:
		return "Solaris";
	case ELFOSABI_FREEBSD:
		return "FreeBSD";
	case ELFOSABI_OPENBSD:
		return "OpenBSD";
	default:
		return NULL;
	}
}

/* The operating system whose note the file has, or NULL. */
static const char *note_name(const struct elf *elf)
{
	static const char *const owners[] = {
		"NetBSD", "OpenBSD", "FreeBSD", "DragonFly",
	};
	struct note note;

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		if (find_note(elf, owners[i], ANY_TYPE, &note))
			return owners[i];
	}
	return NULL;
}

static bool has_section(const struct elf *elf, const char *name)
{
	for (unsigned int i = 0; i < elf->ehdr.e_shnum; i++) {
		if (!strcmp(elf_section_name(elf, i), name))
			return true;
	}
	return false;
}

/*
 * Warns that the stub's way of entering the kernel may be wrong. @what and @whose
 * together say which part of the file is the evidence; @whose may be "".
 */
static void warn_of_entry(const struct image *image, const char *what,
			  const char *whose)
{
	warn("%s%s: the stub enters 0x%lx in 64-bit mode with Linux's zero page in %%rsi; a kernel that expects something else stops there without a message",
	     what, whose, image->link_addr + image->entry_offset);
}

void elf_warn_of_protocol(const struct elf *elf, const struct image *image)
{
	if (multiboot_enters(elf, image))
		warn_of_entry(image, "a Multiboot header makes e_entry a 32-bit entry",
			      "");
	else if (multiboot2_enters(elf, image))
		warn_of_entry(image, "a Multiboot2 header makes e_entry a 32-bit entry",
			      "");
	else if (xen_enters(elf, image, XEN_ELFNOTE_PHYS32_ENTRY))
		warn_of_entry(image, "a note of Xen makes e_entry PVH's 32-bit entry",
			      "");
	else if (xen_enters(elf, image, XEN_ELFNOTE_ENTRY))
		warn_of_entry(image, "a note of Xen makes e_entry the entry of a paravirtual guest",
			      "");
	else if (osabi_name(elf))
		warn_of_entry(image, "EI_OSABI says that the file is for ",
			      osabi_name(elf));
	else if (note_name(elf))
		warn_of_entry(image, "a note says that the file is for ",
			      note_name(elf));
	else if (has_section(elf, "__u_boot_list"))
		warn_of_entry(image, "the file is U-Boot, which its own first stage starts",
			      "");
}
