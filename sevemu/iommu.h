/* SPDX-License-Identifier: MIT */
/*
 * iommu.h - QEMU's IOMMU, by which sevemu lets devices access the guest's shared memory
 * only (iommu.c).  Without --dma strict or --dma encrypted all functions do nothing.
 */
#ifndef SEVEMU_IOMMU_H
#define SEVEMU_IOMMU_H

#include "sevemu.h"

/*
 * Turns the IOMMU on.  Devices can then access no memory but that which iommu_frame() maps.
 * Called once, before the guest starts and before the guest's RAM is known.
 */
void iommu_init(void);

/*
 * Gives devices the frame of @gpa, stored at @host, if it is @shared.  Otherwise takes it
 * away, or replaces it by garbage that they can read (--dma encrypted).  npt.c calls it
 * whenever a frame becomes private or shared.
 */
void iommu_frame(u64 gpa, u64 host, bool shared);

/*
 * Empties the IOMMU's TLB with --dma encrypted, because QEMU's IOMMU reports no write to a page
 * that it has in its TLB as read-only.  dma.c calls it at a guest's write to a device.
 */
void iommu_doorbell(void);

/*
 * Looks whether a device has accessed memory that it was not given.  With --dma strict, ends
 * the run then.  With --dma encrypted a write makes the frame garbage, as the guest would
 * see the device's data decrypted.  exits.c calls it at each exit.
 */
void iommu_check(void);

/*
 * Returns the byte that the guest reads from QEMU's file of ACPI tables, of which @byte is
 * the next one.  The IOMMU's table, DMAR, gets a name that no guest knows.  @offset is the
 * byte's position in the file, and bytes must be passed in order.
 */
u8 iommu_hide(u32 offset, u8 byte);

/* Returns whether @gpa is in the page of the IOMMU's registers, which the guest has not got. */
bool iommu_owns(u64 gpa);

#endif
