/* SPDX-License-Identifier: MIT */
/*
 * fuzz_mkpayload.c - libFuzzer target for the files that mkpayload reads: ELF
 * files, and bzImages of each codec with an ELF file inside.
 *
 * The input is the file. If mkpayload does not refuse it, a model, a second
 * implementation in this file, makes the memory image from the program headers.
 * The two images must be equal except at relocated places. The model also reads
 * mkpayload's relocation table. All its places must lie in the image, and there
 * must be as many as in the table that Linux's build appended to the ELF file.
 *
 * mkpayload runs the program lzop to decompress an lzo payload, and so does this test. A
 * run of lzop takes 2 ms, no longer than liblzma, so it does not slow the test down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/mkpayload.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/*
 * ---- Memory and errors. mkpayload exits when it refuses an input. In this test
 * die() jumps to `refused` instead, and LLVMFuzzerTestOneInput() frees the memory
 * blocks that are still allocated.
 */

#define MAX_BLOCKS	64
#define MAX_MEMORY	(32UL << 20)

static void *blocks[MAX_BLOCKS];
static jmp_buf refused;

static noreturn void wrong(const char *what, u64 value)
{
	fprintf(stderr, "fuzz: %s: %#lx\n", what, value);
	abort();
}

static void *keep(void *block)
{
	unsigned int i;

	for (i = 0; i < MAX_BLOCKS; i++) {
		if (blocks[i])
			continue;
		blocks[i] = block;
		return block;
	}
	wrong("too many blocks of memory", MAX_BLOCKS);
}

static void forget(const void *block)
{
	unsigned int i;

	for (i = 0; i < MAX_BLOCKS; i++) {
		if (blocks[i] == block)
			blocks[i] = NULL;
	}
}

void die(const char *fmt, ...)
{
	char text[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	longjmp(refused, 1);
}

void warn(const char *fmt, ...)
{
	char text[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
}

void error_within(const char *part)
{
	(void)part;
}

void *xalloc(size_t size)
{
	void *block = size > MAX_MEMORY ? NULL : calloc(1, size);

	if (!block)
		die("out of memory (%zu bytes)", size);
	return keep(block);
}

static void *kept_realloc(void *block, size_t size)
{
	forget(block);
	return keep(realloc(block, size));
}

static void kept_free(void *block)
{
	forget(block);
	free(block);
}

#define realloc	kept_realloc
#define free	kept_free
/*
 * mkpayload passes UINT64_MAX to liblzma as the memory limit. Set a lower limit
 * here, because a damaged header may ask for 4 GiB.
 */
#undef UINT64_MAX
#define UINT64_MAX	MAX_MEMORY
#include "../../tools/bzimage.c"
#include "../../tools/codecs.c"
#include "../../tools/foreign.c"
#include "../../tools/elf.c"
#include "../../tools/elf-kind.c"
#include "../../tools/elf-relocs.c"
#include "../../tools/relocs.c"
#include "../../tools/filter.c"
#undef UINT64_MAX
#undef realloc
#undef free
#include "../../payload/filter-check.c"
#include "../../payload/unfilter.c"

/* ---- the model: a second implementation of mkpayload's layout ---- */

static Elf64_Phdr header_of(const struct blob *file, unsigned int i)
{
	Elf64_Ehdr e;
	Elf64_Phdr p;

	memcpy(&e, file->data, sizeof(e));
	memcpy(&p, file->data + e.e_phoff + i * sizeof(p), sizeof(p));
	return p;
}

static u8 *model_image(const struct blob *file, const struct image *image)
{
	u8 *want = calloc(1, image->file_size + 1);
	Elf64_Ehdr e;
	u64 lowest = ~0UL, end = 0;
	bool entry = false;
	unsigned int i;

	memcpy(&e, file->data, sizeof(e));
	for (i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p = header_of(file, i);

		if (p.p_type == PT_INTERP)
			wrong("a program with an interpreter", i);
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		if (p.p_paddr < lowest)
			lowest = p.p_paddr;
		if (p.p_paddr + p.p_memsz > end)
			end = p.p_paddr + p.p_memsz;
	}
	/* mkpayload may change the link address of a position-independent executable only. */
	if (lowest != image->link_addr && e.e_type != ET_DYN)
		wrong("link address", image->link_addr);
	if (image->mem_size < end - lowest)
		wrong("memory", image->mem_size);
	for (i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p = header_of(file, i);
		u64 at = p.p_paddr - lowest;

		if (p.p_type != PT_LOAD || !p.p_filesz)
			continue;
		if (at + p.p_filesz > image->file_size)
			wrong("file size", image->file_size);
		memcpy(want + at, file->data + p.p_offset, p.p_filesz);
		entry |= image->entry_offset - at < p.p_filesz;
	}
	if (!entry)
		wrong("entry", image->entry_offset);
	return want;
}

static u64 unpack(const u8 **at, const u8 *end)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; *at < end && i < 5; i++) {
		value |= (**at & 127UL) << 7 * i;
		if (*(*at)++ < 128)
			return value;
	}
	wrong("a number that does not end", value);
}

/*
 * Returns the number of places in mkpayload's relocation table. Writes zeros to the
 * places in mkpayload's @image and in the model's image @want, so that they are not
 * compared.
 */
static u64 count_relocs(const struct image *image, u8 *want)
{
	const u8 *at = image->bytes.data + image->file_size;
	const u8 *end = at + image->reloc_size;
	u64 places = 0, count, place, width;
	int kind;

	if (!image->reloc_size)
		return 0;
	for (kind = 0; kind < 3; kind++) {
		width = kind ? 4 : 8;
		place = 0;
		for (count = unpack(&at, end); count; count--, places++) {
			place += unpack(&at, end) + width;
			if (place > image->file_size)
				wrong("a place outside", place);
			memset(want + place - width, 0, width);
			memset(image->bytes.data + place - width, 0, width);
		}
	}
	if (at != end)
		wrong("bytes after the table", (u64)(end - at));
	return places;
}

/*
 * Returns the number of places in the relocation table that Linux's build appends:
 * the 32-bit words after the ELF file that are not zero.
 */
static u64 count_words(const struct blob *file)
{
	Elf64_Ehdr e;
	Elf64_Shdr s;
	u64 end, at, words = 0;
	unsigned int i;
	u32 word;

	memcpy(&e, file->data, sizeof(e));
	end = sizeof(e);
	if (e.e_phnum && e.e_phoff + e.e_phnum * sizeof(Elf64_Phdr) > end)
		end = e.e_phoff + e.e_phnum * sizeof(Elf64_Phdr);
	for (i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p = header_of(file, i);

		if (p.p_type != PT_NULL && p.p_filesz &&
		    p.p_offset + p.p_filesz > end)
			end = p.p_offset + p.p_filesz;
	}
	if (e.e_shoff && e.e_shnum && e.e_shoff + e.e_shnum * sizeof(s) > end)
		end = e.e_shoff + e.e_shnum * sizeof(s);
	for (i = 0; e.e_shoff && i < e.e_shnum; i++) {
		memcpy(&s, file->data + e.e_shoff + i * sizeof(s), sizeof(s));
		if (s.sh_type != SHT_NULL && s.sh_type != SHT_NOBITS &&
		    s.sh_size &&
		    s.sh_offset + s.sh_size > end)
			end = s.sh_offset + s.sh_size;
	}
	for (at = end; at + 4 <= file->size; at += 4) {
		memcpy(&word, file->data + at, sizeof(word));
		words += word != 0;
	}
	return words;
}

static void check_image(const struct blob *file, const struct image *image)
{
	u8 *want = model_image(file, image);
	u64 relocs, words = count_words(file);

	if (image->bytes.size != image->file_size + image->reloc_size ||
	    image->mem_size < image->file_size)
		wrong("sizes", image->bytes.size);
	relocs = count_relocs(image, want);
	if (memcmp(want, image->bytes.data, image->file_size))
		wrong("another image", image->file_size);
	if (words && relocs && relocs != words)
		wrong("relocations", relocs);
	if (image->is_linux && image->reloc_size && !relocs)
		wrong("KASLR by a table that moves nothing", image->reloc_size);
	free(want);
}

/*
 * Checks that @image's sections ascend and lie in the image, that the stub accepts the
 * filters that mkpayload chooses for @image, and that unfilter() restores the image. For
 * images above FILTERED_MAX bytes only sections are checked, because choosing filters
 * takes long.
 */
#define FILTERED_MAX	0x10000
static void check_filtered(const struct image *image)
{
	struct payload_header header = { .file_size = image->file_size };
	struct filters filters;
	struct refusal why;
	u64 end = 0;
	u8 *bytes;

	for (size_t i = 0; i < image->sections.count; i++) {
		const struct section *s = &image->sections.list[i];

		if (s->start < end || !s->size || s->start > image->file_size ||
		    s->size > image->file_size - s->start)
			wrong("section", i);
		end = s->start + s->size;
	}
	if (!image->file_size || image->file_size > FILTERED_MAX)
		return;
	filters = filters_choose(image);
	memcpy(header.filter, filters.list, sizeof(header.filter));
	if (!check_filters(&header, &why))
		wrong("filter", why.value[0]);
	bytes = xalloc(image->file_size);
	memcpy(bytes, image->bytes.data, image->file_size);
	filters_apply(bytes, image->file_size, &filters);
	if (!unfilter(bytes, &header) || memcmp(bytes, image->bytes.data, image->file_size))
		wrong("filters that are not undone", image->file_size);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct blob file = { malloc(size + !size), size }, elf;
	struct boot_traits traits = { 0 };
	struct image image;
	u64 pref_address;
	unsigned int i;

	memcpy(file.data, data, size);
	if (!setjmp(refused)) {
		elf = file;
		if (bzimage_probe(&file))
			elf = bzimage_extract(&file, &traits, &pref_address);
		else if (!elf_probe(&file))
			foreign_refuse(&file);
		image = elf_lay_out(&elf, elf.data != file.data);
		check_image(&elf, &image);
		check_filtered(&image);
	}
	for (i = 0; i < MAX_BLOCKS; i++) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
	free(file.data);
	return 0;
}
