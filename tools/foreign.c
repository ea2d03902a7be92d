/* SPDX-License-Identifier: MIT */
/*
 * foreign.c - says what a file is that is neither a bzImage nor an ELF file, so
 * that the user learns which file to name instead.
 *
 * References: PE/COFF specification, Linux's arm64/booting.rst and
 * riscv/boot-image-header.rst, and its EFI zboot header (zboot-header.S).
 */
#include <string.h>

#include "mkpayload.h"

/*
 * File formats that have a constant at a fixed offset. If several match, the
 * first one counts.
 */
static const struct format {
	u32 at;				/* offset of @magic, in bytes */
	u32 size;			/* of @magic, in bytes */
	const char *magic;
	const char *name;
	const char *advice;
} formats[] = {
	{ 0, 2, "\x1f\x8b", "compressed with gzip",
	  "unpack it first, with gzip -dc" },
	{ 0, 6, "\xfd" "7zXZ\0", "compressed with xz",
	  "unpack it first, with xz -dc" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd",
	  "unpack it first, with zstd -dc" },
	{ 0, 3, "BZh", "compressed with bzip2",
	  "unpack it first, with bzip2 -dc" },
	{ 0, 4, "\x04\x22\x4d\x18", "compressed with lz4",
	  "unpack it first, with lz4 -dc" },
	{ 0, 4, LZ4_LEGACY_MAGIC, "compressed with lz4",
	  "unpack it first, with lz4 -dc" },
	{ 0, 4, "\x89LZO", "compressed with lzop",
	  "unpack it first, with lzop -dc" },
	{ 0, 3, "\x5d\0\0", "compressed with lzma",
	  "unpack it first, with xz -dc" },
	{ 0x38, 4, "ARMd", "an Image for arm64", "name a kernel for x86-64" },
	{ 0x30, 5, "RISCV", "an Image for RISC-V", "name a kernel for x86-64" },
	{ 0, 8, PAYLOAD_MAGIC, "a payload that mkpayload has made",
	  "name the kernel that it was made from" },
	{ 0, 4, "\x27\x05\x19\x56", "a uImage of U-Boot",
	  "name the kernel that it was made from" },
	{ 0, 4, "\xd0\x0d\xfe\xed", "a device tree, or a FIT image of U-Boot",
	  "name the kernel that it was made from" },
	{ 0, 8, "ANDROID!", "a boot image of Android",
	  "name the kernel that it was made from" },
	{ 0, 5, "07070", "a cpio archive, as an initrd is",
	  "name the kernel, and give the initrd to the boot loader" },
	{ 0, 8, "!<arch>\n", "an archive, such as a .deb or .a file",
	  "name the kernel in it" },
	{ 0x101, 5, "ustar", "a tar archive", "name the kernel in it" },
	{ 0, 4, "\xed\xab\xee\xdb", "an RPM package", "name the kernel in it" },
	{ 0x8001, 5, "CD001", "an ISO 9660 file system",
	  "name the kernel in it" },
	{ 0, 4, "QFI\xfb", "a disk image (qcow2)", "name the kernel in it" },
};

/* ---- PE: EFI applications ---- */

#define PE_OFFSET_AT		0x3c	/* u32: offset of "PE\0\0" */
#define PE_MACHINE		4	/* offsets from "PE\0\0" */
#define PE_SECTIONS		6
#define PE_OPTIONAL_SIZE	20
#define PE_OPTIONAL		24
#define PE_SECTION_SIZE		40
#define PE_NAME_SIZE		8

#define ZBOOT_MAGIC_AT		4
/* Two u32: the offset of the compressed kernel in the EFI zboot image, and its size. */
#define ZBOOT_WHERE_AT		8
#define ZBOOT_CODEC_AT		24	/* the codec's name */
#define ZBOOT_CODEC_SIZE	6

static bool has(const struct blob *file, u64 at, const void *bytes, size_t size)
{
	return at <= file->size && size <= file->size - at &&
	       !memcmp(file->data + at, bytes, size);
}

static u16 read_u16(const struct blob *file, u64 at)
{
	u16 value = 0;

	if (at + sizeof(value) <= file->size)
		memcpy(&value, file->data + at, sizeof(value));
	return value;
}

/*
 * Whether the PE file, whose signature is at @pe, has the section ".linux", in
 * which a unified kernel image has its kernel.
 */
static bool pe_has_linux(const struct blob *file, u64 pe)
{
	static const char name[PE_NAME_SIZE] = ".linux";
	u64 at = pe + PE_OPTIONAL + read_u16(file, pe + PE_OPTIONAL_SIZE);
	unsigned int count = read_u16(file, pe + PE_SECTIONS);

	for (unsigned int i = 0; i < count; i++) {
		if (has(file, at + i * PE_SECTION_SIZE, name, sizeof(name)))
			return true;
	}
	return false;
}

/*
 * Calls die() with the place and the codec of the kernel in @file, an EFI zboot
 * image, so that the user can take it out. Such a kernel is rarely for x86-64.
 */
static noreturn void refuse_zboot(const struct blob *file)
{
	char codec[ZBOOT_CODEC_SIZE + 1] = "";
	u32 where[2] = { 0, 0 };

	if (file->size >= ZBOOT_CODEC_AT + ZBOOT_CODEC_SIZE) {
		memcpy(where, file->data + ZBOOT_WHERE_AT, sizeof(where));
		memcpy(codec, file->data + ZBOOT_CODEC_AT, ZBOOT_CODEC_SIZE);
	}
	for (char *c = codec; *c; c++) {
		if (*c <= ' ' || *c > '~')
			*c = '?';
	}
	die("not a kernel: an EFI zboot image: name the kernel that is compressed in it, if it is for x86-64: %u bytes at offset %u, packed with %s",
	    where[1], where[0], codec);
}

/* Calls die() if @file is an EFI application, and says which kind. */
static void refuse_pe(const struct blob *file)
{
	u32 pe = 0;

	if (!has(file, 0, "MZ", 2) ||
	    file->size < PE_OFFSET_AT + sizeof(pe))
		return;
	if (has(file, ZBOOT_MAGIC_AT, "zimg", 4))
		refuse_zboot(file);
	memcpy(&pe, file->data + PE_OFFSET_AT, sizeof(pe));
	if (!has(file, pe, "PE\0\0", 4))
		return;
	if (pe_has_linux(file, pe))
		die("not a kernel: a unified kernel image: take the kernel out of it, with objcopy -O binary -j .linux");
	die("not a kernel: an EFI application (PE machine 0x%x): name a bzImage or an ELF file",
	    read_u16(file, pe + PE_MACHINE));
}

void foreign_refuse(const struct blob *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct format *f = &formats[i];

		if (has(file, f->at, f->magic, f->size))
			die("not a kernel: %s: %s", f->name, f->advice);
	}
	refuse_pe(file);
	die("not a kernel: neither an ELF file nor a bzImage");
}
