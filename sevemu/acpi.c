/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - installs QEMU's ACPI tables for a guest that starts without
 * firmware, as firmware would, so that the guest can turn the machine off.
 *
 * Runs once, before the guest.  QEMU offers the tables as files of fw_cfg.  The
 * fw_cfg file etc/table-loader is a script of fixed-size commands, which place
 * the files in memory, store their addresses in each other and compute
 * checksums (QEMU hw/acpi/bios-linker-loader.c).
 */
#include "acpi.h"
#include "fwcfg.h"
#include "io.h"
#include "iommu.h"
#include "launch.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"

#define NAME_SIZE		56
#define FILES			8
/* The script etc/table-loader may have at most this many commands. */
#define SCRIPT_MAX		128
/* Value of allocate.zone: the file must lie in the range from FSEG to 1 MiB. */
#define ZONE_FSEG		2
/* The guest looks for the RSDP, ACPI's first table, from this address to 1 MiB. */
#define FSEG			0xf0000

enum command {
	ALLOCATE = 1,
	ADD_POINTER = 2,
	ADD_CHECKSUM = 3,
};

/* A command of the script etc/table-loader.  Numbers are little-endian. */
struct entry {
	u32 command;
	union {
		struct {
			char file[NAME_SIZE];
			/* Alignment of the file: bytes, a power of 2. */
			u32 align;
			/* If ZONE_FSEG, the file must lie from FSEG to 1 MiB; else below 4 GiB. */
			u8 zone;
		} __attribute__((packed)) allocate;
		struct {
			/* Name of the file that contains the pointer. */
			char file[NAME_SIZE];
			/* Name of the file whose address is added to the pointer. */
			char target[NAME_SIZE];
			/* Offset of the pointer in @file, in bytes. */
			u32 offset;
			/* Size of the pointer in bytes, at most 8. */
			u8 size;
		} __attribute__((packed)) pointer;
		struct {
			char file[NAME_SIZE];
			/* Offset in @file of the checksum, a single byte. */
			u32 offset;
			/* Offset in @file of the bytes that are summed. */
			u32 start;
			/* Number of the bytes that are summed. */
			u32 length;
		} __attribute__((packed)) checksum;
		u8 pad[124];
	};
} __attribute__((packed));

/* A file of fw_cfg that an ALLOCATE command of a table-loader script has put into guest RAM. */
struct file {
	const char *name;
	u64 gpa;		/* guest-physical address */
	u8 *data;		/* host address of the file */
	u32 size;		/* size of the file in bytes */
};

static struct file files[FILES];
static unsigned int file_count;

/*
 * Returns the file called @name.  Ends the run if the script has not placed
 * this file in the guest's RAM.
 */
static struct file *placed(const char *name)
{
	unsigned int i;

	for (i = 0; i < file_count; i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	end_run(END_ERROR, "QEMU's ACPI script uses file %s, which it has not placed", name);
}

/*
 * Returns the host address of the @len bytes at @offset of @file.  Ends the run
 * if the file does not have all these bytes.
 */
static u8 *part(const struct file *file, u32 offset, u32 len)
{
	if (len > file->size || offset > file->size - len)
		end_run(END_ERROR, "QEMU's ACPI script uses bytes %u to %u of file %s, which "
			"has %u", offset, offset + len, file->name, file->size);
	return file->data + offset;
}

/*
 * Copies the file that command @e names to the guest's RAM, at the first
 * aligned address from *@next on, and sets *@next to the address after the
 * file.  Ends the run if the file does not fit below @end.
 */
static void allocate(const struct entry *e, u64 *next, u64 end)
{
	struct file *file = &files[file_count];
	u64 gpa = ALIGN_UP(*next, e->allocate.align ? e->allocate.align : 1);
	u16 key = fwcfg_find(e->allocate.file, &file->size);
	u32 i;

	if (!key || file_count + 1 == FILES || gpa > end || file->size > end - gpa)
		end_run(END_ERROR, "ACPI table file %s of QEMU has %u bytes, and there is no "
			"room for it at %#lx-%#lx: leave ACPI out (-- -machine acpi=off)",
			e->allocate.file, file->size, gpa, end);
	file->name = e->allocate.file;
	file->gpa = gpa;
	file->data = npt_frame(gpa, VIEW_PRIVATE);
	fwcfg_read(key, file->data, file->size);
	for (i = 0; i < file->size; i++)
		file->data[i] = iommu_hide(i, file->data[i]);
	*next = gpa + file->size;
	file_count++;
}

static void add_pointer(const struct entry *e)
{
	u32 size = e->pointer.size;
	u8 *at = part(placed(e->pointer.file), e->pointer.offset, size);
	u64 value = 0;

	if (size > sizeof(value))
		end_run(END_ERROR, "QEMU's ACPI script has a pointer of %u bytes, allowed are "
			"up to 8", size);
	memcpy(&value, at, size);
	value += placed(e->pointer.target)->gpa;
	memcpy(at, &value, size);
}

/*
 * Stores the checksum of an ACPI table in one of the table's bytes, so that the
 * sum of all bytes of the table is 0 modulo 256.
 */
static void add_checksum(const struct entry *e)
{
	struct file *file = placed(e->checksum.file);
	const u8 *data = part(file, e->checksum.start, e->checksum.length);
	u8 *checksum = part(file, e->checksum.offset, 1), sum = 0;
	u32 i;

	*checksum = 0;
	for (i = 0; i < e->checksum.length; i++)
		sum += data[i];
	*checksum = -sum;
}

u64 acpi_load(u64 start, u64 end)
{
	static struct entry script[SCRIPT_MAX];
	const struct entry *e;
	u64 first = start, scanned = FSEG;
	u32 size = 0;
	u16 key;

	/*
	 * QEMU writes the ports of the power management into the tables when a
	 * table file is first read, so the ports must be set before that.  This
	 * first read can change the size of etc/table-loader, so its size is
	 * looked up again afterwards.
	 */
	io_enable_pm();
	key = fwcfg_find("etc/table-loader", &size);
	if (!key)
		return 0;
	fwcfg_read32(key);
	key = fwcfg_find("etc/table-loader", &size);
	if (size > sizeof(script))
		end_run(END_ERROR, "QEMU's ACPI script has %u bytes, allowed are %zu: leave "
			"ACPI out (-- -machine acpi=off)", size, sizeof(script));
	fwcfg_read(key, script, size);
	for (e = script; e < script + size / sizeof(*e); e++) {
		switch (e->command) {
		case ALLOCATE:
			if (e->allocate.zone == ZONE_FSEG)
				allocate(e, &scanned, end);
			else
				allocate(e, &start, FSEG);
			break;
		case ADD_POINTER:
			add_pointer(e);
			break;
		case ADD_CHECKSUM:
			add_checksum(e);
			break;
		default:
			/*
			 * Ignore other commands.  They tell QEMU the address of
			 * a file, which only some of QEMU's devices need.
			 */
			break;
		}
	}
	launch_add(first, start - first, LAUNCH_NORMAL);
	launch_add(FSEG, scanned - FSEG, LAUNCH_NORMAL);
	return placed("etc/acpi/rsdp")->gpa;
}
