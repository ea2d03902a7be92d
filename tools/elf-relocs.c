/* SPDX-License-Identifier: MIT */
/*
 * elf-relocs.c - reads a kernel's relocations from an ELF file, in one of three
 * formats: the table that Linux's build appends to the file, the relocations that
 * ld keeps with --emit-relocs, and the dynamic section of a static PIE.
 *
 * References: gABI chapters 4 and 5, x86-64 psABI 4.4 (psABI).
 */
#include <stdlib.h>
#include <string.h>

#include "elf-file.h"

/* Linux's virtual link address of physical address 0 (__START_KERNEL_map). */
#define LINUX_START_KERNEL_MAP	0xffffffff80000000UL

/* DT_RELR and DT_RELRSZ of the gABI. Older versions of <elf.h> lack them. */
#define DYN_RELR		36
#define DYN_RELRSZ		35
/* Number of places that one bit map word of DT_RELR covers. */
#define RELR_BITS		63

/* ---- Linux's table ---- */

/* One list of relocated places in the table that Linux's build appends. */
struct linux_list {
	/* The link addresses of the places, each an s32 that may be unaligned. */
	const u8 *entries;
	u32 count;			/* number of @entries */
};

static bool all_zero(const u8 *data, u64 size)
{
	return size == 0 || (data[0] == 0 && !memcmp(data, data + 1, size - 1));
}

/*
 * Splits Linux's relocation table, which Linux's build appends to the ELF file,
 * into its lists. Returns false if the bytes from elf->end on are not such a table.
 * The caller has checked that they are not all zero.
 *
 * The table has a list of 64-bit places, a list of inverse 32-bit places (up to
 * Linux 6.14 only) and a list of 32-bit places. A word of zero precedes each list.
 * Each further word is the low half of a place's link address, which is never
 * zero. Hence the number of zero words tells whether the table has two or three
 * lists.
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

bool elf_has_linux_relocs(const struct elf *elf)
{
	struct linux_list list[RELOC_KINDS] = { 0 };

	if (all_zero(elf->data + elf->end, elf->size - elf->end))
		return false;
	if (!split_relocs(elf, list))
		die("%lu bytes follow the ELF file and are no relocation table of Linux",
		    elf->size - elf->end);
	return true;
}

/*
 * Adds a list of Linux's relocation table to @relocs. The list's link addresses
 * become offsets from the payload's first byte.
 */
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

static void read_linux_relocs(const struct elf *elf, const struct image *image,
			      struct relocs *relocs)
{
	struct linux_list list[RELOC_KINDS] = { 0 };

	if (image->virt_addr != LINUX_START_KERNEL_MAP + image->link_addr)
		die("linked at virtual %#lx, with Linux's relocation table must be %#lx",
		    image->virt_addr,
		    LINUX_START_KERNEL_MAP + image->link_addr);
	split_relocs(elf, list);
	for (int kind = 0; kind < RELOC_KINDS; kind++)
		add_list(relocs, kind, &list[kind], image);
}

/* ---- addresses ---- */

/*
 * Returns the segment whose bytes in the file include the @size bytes at
 * virtual address @vaddr, or NULL.
 */
static const Elf64_Phdr *segment_at(const struct elf *elf, u64 vaddr, u64 size)
{
	for (unsigned int i = 0; i < elf->loads; i++) {
		const Elf64_Phdr *p = &elf->phdr[elf->load[i]];
		u64 offset = vaddr - p->p_vaddr;

		if (offset < p->p_filesz && size <= p->p_filesz - offset)
			return p;
	}
	return NULL;
}

/*
 * Whether the link address @vaddr lies in the payload and hence changes if the
 * payload moves. Linux's per-CPU segment is linked to virtual address 0. Its
 * addresses are offsets and do not change.
 */
static bool moves(const struct image *image, u64 vaddr)
{
	return vaddr - image->virt_addr <= image->mem_size;
}

/* ---- ld --emit-relocs ---- */

static Elf64_Sym symbol(const struct elf *elf, const Elf64_Shdr *symtab,
			u64 index)
{
	Elf64_Sym sym;

	if (symtab->sh_type != SHT_SYMTAB ||
	    index >= symtab->sh_size / sizeof(sym))
		die("relocation for symbol %lu, but there are %lu symbols", index,
		    symtab->sh_type == SHT_SYMTAB ?
			    symtab->sh_size / sizeof(sym) : 0);
	memcpy(&sym, elf->data + symtab->sh_offset + index * sizeof(sym),
	       sizeof(sym));
	return sym;
}

/*
 * Whether the value of @sym changes if the payload moves. By the gABI an absolute
 * symbol (SHN_ABS) does not change. In Linux it does if its value is an address in
 * the kernel, because ld makes some address sums of Linux's linker script absolute.
 */
static bool symbol_moves(const struct elf *elf, const struct image *image,
			 const Elf64_Sym *sym)
{
	if (sym->st_shndx == SHN_UNDEF)
		return false;
	if (sym->st_shndx == SHN_ABS)
		return image->is_linux && moves(image, sym->st_value);
	return moves(image, elf_section(elf, sym->st_shndx).sh_addr) ||
	       moves(image, sym->st_value);
}

/*
 * Adds the place that relocation @rela changes, at @offset of the flat image, to
 * @relocs, if its contents depend on where the payload runs. @place tells whether
 * the address of the place changes if the payload moves, @target whether the
 * symbol's does. Relocation types are those of psABI table 4.9.
 */
static void add_kept(struct relocs *relocs, const Elf64_Rela *rela, u64 offset,
		     bool place, bool target)
{
	unsigned int type = ELF64_R_TYPE(rela->r_info);

	switch (type) {
	case R_X86_64_SIZE32:
	case R_X86_64_SIZE64:
	case R_X86_64_TPOFF32:
	case R_X86_64_TPOFF64:
	case R_X86_64_DTPOFF32:
	case R_X86_64_DTPOFF64:
		return;
	case R_X86_64_64:
		if (target)
			relocs_add(relocs, RELOC_64, offset);
		return;
	case R_X86_64_32:
	case R_X86_64_32S:
		if (target)
			relocs_add(relocs, RELOC_32, offset);
		return;
	case R_X86_64_16:
	case R_X86_64_8:
		if (!target)
			return;
		break;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		if (place && !target)
			relocs_add(relocs, RELOC_INVERSE32, offset);
		else if (!place && target)
			relocs_add(relocs, RELOC_32, offset);
		return;
	case R_X86_64_PC64:
	case R_X86_64_PC16:
	case R_X86_64_PC8:
		if (place == target)
			return;
		break;
	case R_X86_64_GOTPCREL:
	case R_X86_64_GOTPCRELX:
	case R_X86_64_REX_GOTPCRELX:
		/*
		 * The linker keeps no relocations of the global offset table's
		 * entries, so the stub could not relocate the table. LLVM's linker
		 * keeps relocations of the types GOTPCREL, GOTPCRELX and
		 * REX_GOTPCRELX even where it has changed the instruction to one
		 * that does not use the table. mkpayload does not read the
		 * instruction, so it refuses these relocations, too.
		 */
		die("relocation of type %u at %#lx cannot be done at boot: it is for a global offset table: compile with -fno-pic, or link a static PIE",
		    type, rela->r_offset);
	}
	die("relocation of type %u at %#lx cannot be done at boot", type,
	    rela->r_offset);
}

static void read_kept_section(const struct elf *elf, const struct image *image,
			      const Elf64_Shdr *table, struct relocs *relocs)
{
	Elf64_Shdr target = elf_section(elf, table->sh_info);
	Elf64_Shdr symtab = elf_section(elf, table->sh_link);
	const Elf64_Phdr *p = segment_at(elf, target.sh_addr, target.sh_size);
	Elf64_Rela rela;

	for (u64 at = 0; table->sh_size - at >= sizeof(rela); at += sizeof(rela)) {
		Elf64_Sym sym;
		u64 offset;

		memcpy(&rela, elf->data + table->sh_offset + at, sizeof(rela));
		/*
		 * Linux's build blanks entries of .rela__ex_table with zeros.
		 * Offset and symbol of such an entry have no meaning.
		 */
		if (ELF64_R_TYPE(rela.r_info) == R_X86_64_NONE)
			continue;
		if (!p)
			die("relocations for section %u, which lies in no segment",
			    table->sh_info);
		sym = symbol(elf, &symtab, ELF64_R_SYM(rela.r_info));
		offset = rela.r_offset - target.sh_addr;
		if (offset >= target.sh_size)
			die("relocation at %#lx is outside its section",
			    rela.r_offset);
		offset += target.sh_addr - p->p_vaddr + p->p_paddr -
			  image->link_addr;
		add_kept(relocs, &rela, offset, moves(image, p->p_vaddr),
			 symbol_moves(elf, image, &sym));
	}
}

/* What read_kept_relocs() has found. */
struct kept {
	unsigned int tables;		/* number of sections of relocations */
	unsigned int code_tables;	/* how many of them relocate code */
	unsigned int first;		/* section index of the first table */
};

/*
 * Reads the sections that ld --emit-relocs keeps. Relocations of notes are
 * skipped, because the running kernel does not use them.
 */
static struct kept read_kept_relocs(const struct elf *elf,
				    const struct image *image,
				    struct relocs *relocs)
{
	struct kept kept = { 0 };

	for (unsigned int i = 0; i < elf->ehdr.e_shnum; i++) {
		Elf64_Shdr table = elf_section(elf, i);
		Elf64_Shdr target = elf_section(elf, table.sh_info);

		if (table.sh_type != SHT_RELA || table.sh_flags & SHF_ALLOC ||
		    !(target.sh_flags & SHF_ALLOC) ||
		    target.sh_type == SHT_NOTE)
			continue;
		read_kept_section(elf, image, &table, relocs);
		if (!kept.tables++)
			kept.first = i;
		if (target.sh_flags & SHF_EXECINSTR)
			kept.code_tables++;
	}
	return kept;
}

/* The name of the first section of code, or "the code" if there is no name. */
static const char *code_name(const struct elf *elf)
{
	for (unsigned int i = 0; i < elf->ehdr.e_shnum; i++) {
		const char *name = elf_section_name(elf, i);

		if (elf_section(elf, i).sh_flags & SHF_EXECINSTR && *name)
			return name;
	}
	return "the code";
}

/*
 * Returns whether the relocations of a Linux kernel, @relocs, are complete enough
 * to move it. A kernel that is moved by a part of its relocations would crash.
 * Linux's code always has relocations, so kept relocations are incomplete if none of
 * them is for code. The build of Linux 6.5 to 6.11 removes all kept relocations from
 * vmlinux. From 6.12 on, the sections .relaruntime_* remain, which are not for code. If
 * the relocations of a vmlinux are incomplete, warns that the user can name the bzImage of
 * the same build instead.
 */
static bool linux_can_move(const struct elf *elf, const struct relocs *relocs,
			   const struct kept *kept)
{
	static const char advice[] =
		"it runs at its link address, without KASLR: use the bzImage of the same build";

	if (!kept->tables && relocs_count(relocs))
		return true;
	if (kept->code_tables && relocs_count(relocs))
		return true;
	if (elf->in_bzimage)
		return false;
	if (!kept->tables)
		warn("Linux without relocations: %s", advice);
	else if (!kept->code_tables)
		warn("Linux without the relocations of %s, only with %s and %u more: %s",
		     code_name(elf), elf_section_name(elf, kept->first),
		     kept->tables - 1, advice);
	else
		warn("Linux whose relocations move nothing, %s and %u more: %s",
		     elf_section_name(elf, kept->first), kept->tables - 1,
		     advice);
	return false;
}

/* ---- static PIE ---- */

/*
 * The relocation tables that the dynamic section names, DT_RELA and DT_RELR: their
 * link addresses, with elf->bias added, and sizes in bytes. Size 0: no table.
 */
struct dynamic {
	u64 rela, rela_size;
	u64 relr, relr_size;
};

/*
 * Returns the program header of the dynamic section, or NULL if the file has
 * none. The ELF type does not tell whether it has one, because ld marks a PIE
 * that is linked to another address than 0 as ET_EXEC.
 */
static const Elf64_Phdr *find_dynamic(const struct elf *elf)
{
	for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *p = &elf->phdr[i];

		if (p->p_type == PT_DYNAMIC && p->p_filesz)
			return p;
	}
	return NULL;
}

static struct dynamic read_dynamic(const struct elf *elf, const Elf64_Phdr *p)
{
	struct dynamic found = { 0 };
	Elf64_Dyn dyn;

	for (u64 at = 0; p->p_filesz - at >= sizeof(dyn); at += sizeof(dyn)) {
		memcpy(&dyn, elf->data + p->p_offset + at, sizeof(dyn));
		switch (dyn.d_tag) {
		case DT_NULL:
			return found;
		case DT_RELA:
			found.rela = dyn.d_un.d_ptr + elf->bias;
			break;
		case DT_RELASZ:
			found.rela_size = dyn.d_un.d_val;
			break;
		case DYN_RELR:
			found.relr = dyn.d_un.d_ptr + elf->bias;
			break;
		case DYN_RELRSZ:
			found.relr_size = dyn.d_un.d_val;
			break;
		case DT_SONAME:
			die("not a kernel: a shared library");
		case DT_NEEDED:
			die("not a kernel: needs a shared library");
		case DT_REL:
			die("relocations without addends (DT_REL), which x86-64 does not have: link with DT_RELA");
		case DT_JMPREL:
			die("calls through a procedure linkage table (DT_JMPREL), which needs a dynamic linker: compile with -fvisibility=hidden, without IFUNC symbols, and link with -static -pie --no-dynamic-linker");
		}
	}
	die("the dynamic section has no DT_NULL in its %#lx bytes",
	    p->p_filesz);
}

/*
 * Returns the file's bytes of the relocation table with @size bytes at link address
 * @vaddr.
 */
static const u8 *dynamic_table(const struct elf *elf, u64 vaddr, u64 size)
{
	const Elf64_Phdr *p = segment_at(elf, vaddr, size);

	if (!p)
		die("dynamic relocations, %#lx bytes at %#lx, are in no segment",
		    size, vaddr);
	return elf->data + p->p_offset + (vaddr - p->p_vaddr);
}

/* Returns the offset in the flat image of the 8-byte place at link address @vaddr. */
static u64 dynamic_place(const struct elf *elf, const struct image *image,
			 u64 vaddr)
{
	const Elf64_Phdr *p = segment_at(elf, vaddr, sizeof(u64));

	if (!p)
		die("relocation at %#lx is outside the payload", vaddr);
	return vaddr - p->p_vaddr + p->p_paddr - image->link_addr;
}

static void read_rela(const struct elf *elf, const struct image *image,
		      const struct dynamic *dynamic, struct relocs *relocs)
{
	u64 count = dynamic->rela_size / sizeof(Elf64_Rela);
	const u8 *table;

	if (!count)
		return;
	table = dynamic_table(elf, dynamic->rela, dynamic->rela_size);
	for (u64 i = 0; i < count; i++) {
		Elf64_Rela rela;
		u64 offset, value;

		memcpy(&rela, table + i * sizeof(rela), sizeof(rela));
		if (ELF64_R_TYPE(rela.r_info) == R_X86_64_NONE)
			continue;
		if (ELF64_R_TYPE(rela.r_info) != R_X86_64_RELATIVE)
			die("relocation of type %lu at %#lx cannot be done at boot",
			    ELF64_R_TYPE(rela.r_info), rela.r_offset);
		offset = dynamic_place(elf, image, rela.r_offset + elf->bias);
		value = rela.r_addend + elf->bias;
		memcpy(image->bytes.data + offset, &value, sizeof(value));
		relocs_add(relocs, RELOC_64, offset);
	}
}

/*
 * Adds the place of 8 bytes at link address @vaddr to @relocs. choose_base() may
 * have changed the image's link address by elf->bias, so this adds the bias to the
 * address in the place.
 */
static void move_relr(const struct elf *elf, const struct image *image,
		      u64 vaddr, struct relocs *relocs)
{
	u64 offset = dynamic_place(elf, image, vaddr);
	u64 value;

	memcpy(&value, image->bytes.data + offset, sizeof(value));
	value += elf->bias;
	memcpy(image->bytes.data + offset, &value, sizeof(value));
	relocs_add(relocs, RELOC_64, offset);
}

/*
 * Reads the DT_RELR table (gABI). An even entry is the address of a relocated
 * place. An odd entry is a bit map of 63 words of 8 bytes: if bit n + 1 is set, word
 * n is a relocated place. The words follow the place or the words of the previous
 * entry.
 */
static void read_relr(const struct elf *elf, const struct image *image,
		      const struct dynamic *dynamic, struct relocs *relocs)
{
	u64 count = dynamic->relr_size / sizeof(u64);
	const u8 *table;
	u64 next = 0;

	if (!count)
		return;
	table = dynamic_table(elf, dynamic->relr, dynamic->relr_size);
	for (u64 i = 0; i < count; i++) {
		u64 entry;

		memcpy(&entry, table + i * sizeof(entry), sizeof(entry));
		if (!(entry & 1)) {
			move_relr(elf, image, entry + elf->bias, relocs);
			next = entry + elf->bias + sizeof(u64);
			continue;
		}
		for (u64 bit = 0; bit < RELR_BITS; bit++) {
			if (entry >> (bit + 1) & 1)
				move_relr(elf, image, next + bit * sizeof(u64),
					  relocs);
		}
		next += RELR_BITS * sizeof(u64);
	}
}

/* ---- the relocation table ---- */

/* Whether a relocated place has 32 bits. */
static bool has_short_places(const struct relocs *relocs)
{
	return relocs->list[RELOC_32].count || relocs->list[RELOC_INVERSE32].count;
}

struct blob elf_relocate(const struct elf *elf, struct image *image)
{
	const Elf64_Phdr *dynamic_segment = find_dynamic(elf);
	struct dynamic dynamic = { 0 };
	struct relocs relocs = { 0 };
	struct kept kept = { 0 };
	bool found = elf->ehdr.e_type == ET_DYN;

	if (found && !dynamic_segment)
		die("position-independent executable without a dynamic section");
	if (dynamic_segment)
		dynamic = read_dynamic(elf, dynamic_segment);

	if (found || dynamic.rela_size || dynamic.relr_size) {
		read_rela(elf, image, &dynamic, &relocs);
		read_relr(elf, image, &dynamic, &relocs);
		found = true;
	} else if (elf_has_linux_relocs(elf)) {
		read_linux_relocs(elf, image, &relocs);
		found = true;
	} else {
		kept = read_kept_relocs(elf, image, &relocs);
		found = kept.tables > 0;
	}
	/*
	 * Without relocations, the payload cannot move. Neither can a kernel
	 * that is not identity-mapped, because its own page tables are for fixed
	 * addresses. Linux can, because it adapts them to its address.
	 */
	if (image->is_linux)
		found = linux_can_move(elf, &relocs, &kept);
	else
		found = found && image->identity;
	/*
	 * A kernel with places of 32 bits moves below 2 GiB only, and not at all if it is linked
	 * to end above that. Linux can move, because its 32-bit addresses are virtual.
	 */
	image->low = found && !image->is_linux && has_short_places(&relocs);
	if (image->low && image->link_addr + image->mem_size > PAYLOAD_LOW_MAX) {
		warn("relocations of 32 bits, linked to end above %#lx: it runs at its link address only",
		     PAYLOAD_LOW_MAX);
		image->low = found = false;
	}
	if (!found) {
		relocs_free(&relocs);
		return (struct blob){ 0 };
	}
	return relocs_store(&relocs, image->file_size);
}
