/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - does for a guest without firmware what firmware does with QEMU's ACPI
 * tables, so that the guest can turn the machine off.
 *
 * Runs once, before the guest.  QEMU offers the tables as files of fw_cfg, and the
 * file etc/table-loader, a script of fixed-size commands that place the files in memory,
 * store their addresses in each other and compute checksums (QEMU
 * hw/acpi/bios-linker-loader.c).
 */
#include "acpi.h"
#include "fwcfg.h"
#include "io.h"
#include "launch.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"

#define NAME_SIZE		56
#define FILES			8
#define SCRIPT_MAX		128	/* commands */
#define ZONE_FSEG		2
#define FSEG			0xf0000	/* to 1 MiB: where ACPI looks for the RSDP */

enum command {
	ALLOCATE = 1,
	ADD_POINTER = 2,
	ADD_CHECKSUM = 3,
};

/* A command of the script.  Numbers are little-endian, as the processor's. */
struct entry {
	u32 command;
	union {
		struct {
			char file[NAME_SIZE];
			u32 align;	/* bytes, a power of 2 */
			u8 zone;	/* ZONE_FSEG, or anywhere below 4 GiB */
		} __attribute__((packed)) allocate;
		struct {
			char file[NAME_SIZE];	/* has the pointer */
			char target[NAME_SIZE];	/* its address is added to the pointer */
			u32 offset;	/* of the pointer in @file, bytes */
			u8 size;	/* of the pointer, bytes */
		} __attribute__((packed)) pointer;
		struct {
			char file[NAME_SIZE];
			u32 offset;	/* of the checksum in @file, bytes */
			u32 start;	/* of the summed bytes in @file */
			u32 length;	/* of the summed bytes */
		} __attribute__((packed)) checksum;
		u8 pad[124];
	};
} __attribute__((packed));

/* A file that the script has placed in the guest's RAM. */
struct file {
	const char *name;
	u64 gpa;		/* guest-physical address */
	u8 *data;		/* host address */
	u32 size;		/* bytes */
};

static struct file files[FILES];
static unsigned int file_count;

/* Returns the placed file of that name.  A name that no file has ends the run. */
static struct file *placed(const char *name)
{
	unsigned int i;

	for (i = 0; i < file_count; i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	end_run(END_ERROR, "QEMU's ACPI script uses file %s, which it has not placed", name);
}

/* Returns the host address of @len bytes at @offset of a file; ends the run if outside. */
static u8 *part(const struct file *file, u32 offset, u32 len)
{
	if (len > file->size || offset > file->size - len)
		end_run(END_ERROR, "QEMU's ACPI script uses bytes %u to %u of file %s, which "
			"has %u", offset, offset + len, file->name, file->size);
	return file->data + offset;
}

/* Places a file at the first address from *@next that fits, and moves *@next behind it. */
static void allocate(const struct entry *e, u64 *next, u64 end)
{
	struct file *file = &files[file_count];
	u64 gpa = ALIGN_UP(*next, e->allocate.align ? e->allocate.align : 1);
	u16 key = fwcfg_find(e->allocate.file, &file->size);

	if (!key || file_count + 1 == FILES || gpa > end || file->size > end - gpa)
		end_run(END_ERROR, "ACPI table file %s of QEMU has %u bytes, and there is no "
			"room for it at %#lx-%#lx: leave ACPI out (-- -machine acpi=off)",
			e->allocate.file, file->size, gpa, end);
	file->name = e->allocate.file;
	file->gpa = gpa;
	file->data = npt_frame(gpa, VIEW_PRIVATE);
	fwcfg_read(key, file->data, file->size);
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

/* Stores a byte that makes the sum of the range, which includes the byte, 0. */
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
	 * QEMU writes the power management's ports into the tables when a file of them
	 * is first read, so the ports must be set before.  The script's size can change
	 * then.
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
			/* Other commands tell QEMU an address for devices that need it. */
			break;
		}
	}
	launch_add(first, start - first, LAUNCH_NORMAL);
	launch_add(FSEG, scanned - FSEG, LAUNCH_NORMAL);
	return placed("etc/acpi/rsdp")->gpa;
}
