/* SPDX-License-Identifier: MIT */
/*
 * mmio.c - memory-mapped I/O that an SEV-ES guest requests by its GHCB.
 *
 * Runs when the guest makes the request MMIO read or MMIO write (GHCB 4.1).
 * The address that the guest names may be RAM, the firmware image or a device.
 * RAM is accessed as shared memory, as if with the C-bit clear.  The firmware
 * image ignores writes, as a ROM does.
 */
#include "apic.h"
#include "flash.h"
#include "layout.h"
#include "log.h"
#include "main.h"
#include "mmio.h"
#include "npt.h"
#include "rmp.h"
#include "sevemu.h"

/*
 * Where a TPM has its registers.  In a machine without TPM, reads of this range return ones,
 * because the firmware OVMF would otherwise wait very long for a TPM.
 */
#define TPM_BASE		0xfed40000
#define TPM_SIZE		0x5000

/*
 * Reads @len bytes (1, 2, 4 or 8) of a device's registers at @gpa into @buf, or
 * writes them from @buf.  Uses one instruction, because a device may tell
 * accesses of different widths apart.
 */
static void device_access(u64 gpa, void *buf, size_t len, bool write)
{
	switch (len) {
	case 1:
		if (write)
			*(volatile u8 *)gpa = *(u8 *)buf;
		else
			*(u8 *)buf = *(volatile u8 *)gpa;
		break;
	case 2:
		if (write)
			*(volatile u16 *)gpa = *(u16 *)buf;
		else
			*(u16 *)buf = *(volatile u16 *)gpa;
		break;
	case 4:
		if (write)
			*(volatile u32 *)gpa = *(u32 *)buf;
		else
			*(u32 *)buf = *(volatile u32 *)gpa;
		break;
	default:
		if (write)
			*(volatile u64 *)gpa = *(u64 *)buf;
		else
			*(u64 *)buf = *(volatile u64 *)gpa;
		break;
	}
}

bool mmio_access(struct vcpu *vcpu, u64 gpa, void *buf, size_t len, bool write)
{
	u64 flash = flash_host(gpa);
	u8 *frame;

	if ((len != 1 && len != 2 && len != 4 && len != 8) ||
	    ((gpa ^ (gpa + len - 1)) & ~(u64)PAGE_MASK) ||
	    gpa >= PHYS_LIMIT || (npt_is_hypervisor(gpa, len) && !flash))
		return false;
	if (flash) {
		if (write)
			flash_write(*(u8 *)buf);
		device_access(flash, buf, len, write);
		return true;
	}
	/*
	 * The host cannot access an SNP guest's private memory, so a request for it fails.
	 * The firmware image is an exception: the host has a copy of it, from which it answers
	 * the guest's reads.
	 */
	if (guest_is_snp() && npt_rmp(gpa) && !npt_is_rom(gpa) && !rmp_shared(gpa))
		return false;
	frame = npt_is_rom(gpa) && write ? NULL : npt_frame(gpa, VIEW_SHARED);
	if (frame && write)
		memcpy(frame, buf, len);
	else if (frame)
		memcpy(buf, frame, len);
	else if (npt_is_rom(gpa))
		trace("mmio write to the firmware image at %#lx ignored", gpa);
	else if (gpa - TPM_BASE < TPM_SIZE && !config.tpm)
		memset(buf, 0xff, len);
	else if (config.smp > 1 && write && len == 4 && !(gpa % 16) &&
		 ALIGN_DOWN(gpa, PAGE_SIZE) == APIC_PAGE)
		apic_write(vcpu, gpa & PAGE_MASK, *(u32 *)buf);
	else
		device_access(gpa, buf, len, write);
	return true;
}
