/* SPDX-License-Identifier: MIT */
/*
 * flash.c - the flash memory with firmware's variables (--vars).
 *
 * Runs at nested page faults in the flash memory and at an SEV-ES guest's MMIO requests for
 * it.
 *
 * The flash memory is QEMU's device cfi.pflash01, which writes each change to the file of
 * --vars.  In the guest it ends where firmware's code begins, as in any machine of QEMU
 * with two flash files.  In QEMU's own address space it ends where sevemu.rom begins, which
 * is the first flash file of this machine.
 *
 * A flash memory in the mode "read array" is read like RAM.  Every write is a command to
 * the device, and in the other modes a read returns the device's status.  Without SEV-ES
 * the guest accesses the device directly.  The host must emulate an SEV-ES guest's accesses
 * in the other modes and all its writes, which are therefore #VC exceptions.
 *
 * The bytes of the flash memory are not encrypted.  In the mode "read array" a read with
 * C=1 returns garbage, because the processor decrypts these bytes all the same.  This file
 * maps a garbled copy of a page for these reads.  Without SEV-ES this file does not see the
 * guest's writes, so the copy keeps the bytes that the page had at the first read with C=1.
 */
#include "flash.h"
#include "fwcfg.h"
#include "guest_memory.h"
#include "layout.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"

/*
 * Commands of the flash memory (CFI, command set 1).  FLASH_READ_ARRAY makes it readable
 * like RAM.  The write that follows one of the other three is data, not a command.
 */
#define FLASH_READ_ARRAY	0xff
#define FLASH_PROGRAM		0x10
#define FLASH_PROGRAM_2		0x40
#define FLASH_ERASE		0x20

static u64 start;	/* guest-physical address of the flash memory's first byte */
static u64 size;	/* size of the flash memory in bytes; 0: no --vars */
static u64 host;	/* address of the flash memory's first byte in QEMU's machine */
/*
 * The flash memory is not in the mode "read array", so a read returns the device's status.
 * Always false for a guest without SEV-ES, because that guest writes to the device without
 * an exit, and flash_write() does not see the command.
 */
static bool registers;
static bool data;	/* the guest's next write to the flash memory is data, not a command */
/*
 * For each page of the flash memory the garbled bytes that a guest reads there with C=1: flash
 * memory is not encrypted, and the processor decrypts it all the same.  NULL: not made yet.
 */
static u64 **encrypted;

void flash_init(u64 end)
{
	if (!config.vars)
		return;
	size = config.vars;
	start = end - size;
	host = ROM_BASE - size;
	encrypted = npt_alloc(ALIGN_UP(size / PAGE_SIZE * sizeof(*encrypted), PAGE_SIZE) /
			      PAGE_SIZE);
}

u64 flash_host(u64 gpa)
{
	return gpa - start < size ? host + (gpa - start) : 0;
}

/* Removes the flash memory from the nested page tables for C=0 and from those for C=1. */
static void unmap(void)
{
	u64 gpa;

	for (gpa = start; gpa < start + size; gpa += PAGE_SIZE) {
		if (npt_maps(VIEW_SHARED, gpa))
			npt_unmap(VIEW_SHARED, gpa);
		if (npt_maps(VIEW_PRIVATE, gpa))
			npt_unmap(VIEW_PRIVATE, gpa);
	}
}

/*
 * Makes a garbled copy of the flash memory's page at @gpa, and maps it for reads with C=1.
 * A processor with SEV would decrypt the page, which is not encrypted, and so read garbage.
 */
static void map_encrypted(u64 gpa)
{
	u64 **copy = &encrypted[(gpa - start) / PAGE_SIZE];

	const void *page = (const void *)flash_host(gpa);

	if (!page)
		return;
	if (!*copy)
		*copy = npt_alloc(1);
	memcpy(*copy, page, PAGE_SIZE);
	npt_encrypt(gpa, *copy);
	npt_map(VIEW_PRIVATE, gpa, (u64)*copy);
	*npt_leaf(VIEW_PRIVATE, gpa) &= ~(u64)PTE_W;
}

bool flash_fault(struct vcpu *vcpu, enum view view, u64 gpa, u64 info)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);

	if (guest_is_es() && (info & PF_W || registers))
		return false;
	if (config.sev == SEV_OFF || view == VIEW_SHARED) {
		npt_map(view, page, flash_host(page));
		if (guest_is_es())
			*npt_leaf(view, page) &= ~(u64)PTE_W;
	} else if (info & PF_W) {
		end_error(vcpu, "write with C=1 to the flash memory of --vars at %#lx: flash "
			  "memory must be mapped with C=0", gpa);
	} else {
		map_encrypted(page);
	}
	return true;
}

void flash_write(u8 value)
{
	bool was = registers;

	registers = data || value != FLASH_READ_ARRAY;
	data = !data && (value == FLASH_PROGRAM || value == FLASH_PROGRAM_2 ||
			 value == FLASH_ERASE);
	/*
	 * The flash memory has left the mode "read array".  Unmap it, so that each read causes
	 * #VC and gets the device's status.  The guest may change the flash memory's bytes now.
	 * unmap() therefore also drops the copy of them that reads with C=1 get, and the first
	 * such read after the return to "read array" makes a new copy.
	 */
	if (registers && !was)
		unmap();
}
