/* SPDX-License-Identifier: MIT */
/*
 * image.c - reads the headers of the image that the test loader is to start, and copies
 * the image to its load address. QEMU's device "loader" has put the file into memory.
 * It is a bzImage, or an ELF file for the option entry=direct.
 */
#include <elf.h>

#include "loader.h"

#define SECTOR_SIZE		512
#define PARAGRAPH		16
#define HDRS_MAGIC		0x53726448
#define ENTRY_64_OFFSET		0x200
#define LOW_MEMORY_END		0x100000
#define DIRTY			0xa5

/*
 * Size in bytes of the stack that the loader gives to an ELF kernel, which it enters
 * without a stub (entry=direct).
 */
#define DIRECT_STACK_SIZE	0x4000

static struct range range_at(u64 start, u64 size)
{
	return (struct range){ start, start + size };
}

static struct boot_params *setup_of(const struct plan *plan)
{
	return (struct boot_params *)plan->image;
}

static u64 setup_size(const struct setup_header *hdr)
{
	return (hdr->setup_sects + 1UL) * SECTOR_SIZE;
}

static void examine_bzimage(struct plan *plan)
{
	const struct setup_header *hdr = &setup_of(plan)->hdr;
	u64 align = hdr->kernel_alignment;

	if (hdr->header != HDRS_MAGIC)
		fail("no image at %lx: magic %x", plan->image, hdr->header);
	plan->hdr = hdr;
	plan->init_size = hdr->init_size;
	plan->load = option_number("load", hdr->pref_address);
	if (plan->load < LOW_MEMORY_END)
		fail("load=%lx is where the loader is", plan->load);
	plan->target = plan->load;
	if (plan->entry == ENTRY_64)
		plan->target += ENTRY_64_OFFSET;
	if (plan->entry == ENTRY_32 &&
	    ((plan->load | plan->bp | plan->cmdline) >> 32))
		fail("entry=32 and load %lx, bp %lx, cmdline %lx", plan->load,
		     plan->bp, plan->cmdline);

	plan->runtime.start = hdr->pref_address;
	if (hdr->relocatable_kernel && align)
		plan->runtime.start = ALIGN_UP(plan->load, align);
	plan->runtime.end = plan->runtime.start + hdr->init_size;
}

static const Elf64_Phdr *segment(const struct plan *plan, u32 i)
{
	const Elf64_Ehdr *ehdr = (const void *)plan->image;
	const Elf64_Phdr *phdr = (const void *)(plan->image + ehdr->e_phoff);

	for (u32 n = 0; n < ehdr->e_phnum; n++)
		if (phdr[n].p_type == PT_LOAD && !i--)
			return &phdr[n];
	return NULL;
}

/*
 * Completes @plan for an ELF kernel, which the test loader enters directly. The loader
 * must prepare the kernel's surroundings, because no stub does. It puts a stack with a
 * guard page, and page tables, after the kernel into the runtime range:
 *
 *	kernel | leave.S's page | guard page | stack | page tables
 */
static void examine_elf(struct plan *plan)
{
	const Elf64_Ehdr *ehdr = (const void *)plan->image;
	const Elf64_Phdr *phdr;

	if (*(const u32 *)ehdr->e_ident != *(const u32 *)ELFMAG)
		fail("no ELF at %lx", plan->image);
	plan->kernel.start = ~0UL;
	for (u32 i = 0; (phdr = segment(plan, i)); i++) {
		if (phdr->p_paddr < plan->kernel.start)
			plan->kernel.start = phdr->p_paddr;
		if (phdr->p_paddr + phdr->p_memsz > plan->kernel.end)
			plan->kernel.end = phdr->p_paddr + phdr->p_memsz;
	}
	plan->hdr = &loader_start.hdr;
	plan->load = plan->kernel.start;
	plan->target = ehdr->e_entry;
	plan->tramp = option_number("tramp",
				    ALIGN_UP(plan->kernel.end, PAGE_SIZE));
	plan->stack_top = ALIGN_UP(plan->kernel.end, PAGE_SIZE) +
			  2 * PAGE_SIZE + DIRECT_STACK_SIZE;
	plan->runtime.start = plan->kernel.start;
	plan->runtime.end = plan->stack_top + IMAGE_TABLES_SIZE;
	plan->init_size = plan->runtime.end - plan->runtime.start;
}

void image_examine(struct plan *plan)
{
	if (plan->entry == ENTRY_DIRECT)
		examine_elf(plan);
	else
		examine_bzimage(plan);
}

/*
 * Fills @range with DIRTY, for the option dirty=1. Calls fail() if @range holds the
 * loader, the image file or the initrd, which are still needed.
 */
static void make_dirty(const struct plan *plan, struct range range)
{
	if (range.start < LOW_MEMORY_END)
		fail("dirty: %lx is where the loader is", range.start);
	if (overlap(range, range_at(plan->image, plan->init_size)))
		fail("dirty: %lx-%lx reaches into the staged image", range.start,
		     range.end);
	if (overlap(range, range_at(plan->initrd, plan->initrd_size)))
		fail("dirty: %lx-%lx reaches into the initrd", range.start,
		     range.end);
	memset((void *)range.start, DIRTY, range.end - range.start);
}

static void place_bzimage(const struct plan *plan)
{
	u64 size = plan->hdr->syssize * (u64)PARAGRAPH;

	memmove((void *)plan->load,
	     (const u8 *)plan->image + setup_size(plan->hdr), size);
}

static void place_elf(const struct plan *plan)
{
	const Elf64_Phdr *phdr;

	memset((void *)plan->kernel.start, 0,
	     plan->kernel.end - plan->kernel.start);
	for (u32 i = 0; (phdr = segment(plan, i)); i++)
		memmove((void *)phdr->p_paddr,
		     (const u8 *)plan->image + phdr->p_offset, phdr->p_filesz);
}

static void move_initrd(const struct plan *plan)
{
	u64 from = (u64)loader_start.ext_ramdisk_image << 32 |
		   loader_start.hdr.ramdisk_image;

	if (plan->initrd_size && plan->initrd != from)
		memmove((void *)plan->initrd, (const void *)from,
		     plan->initrd_size);
}

void image_place(const struct plan *plan)
{
	move_initrd(plan);
	if (option_number("dirty", 0)) {
		make_dirty(plan, range_at(plan->load, plan->init_size));
		make_dirty(plan, plan->runtime);
	}
	if (plan->entry == ENTRY_DIRECT)
		place_elf(plan);
	else
		place_bzimage(plan);
}
