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
 * Lets devices access the frame of @gpa, stored at @host, if @shared is true.  If @shared is
 * false, makes the IOMMU refuse a device's writes to the frame.  The IOMMU then also refuses
 * reads with --dma strict, and gives devices garbage for reads with --dma encrypted.  npt.c
 * calls iommu_frame() whenever a frame becomes private or shared.
 */
void iommu_frame(u64 gpa, u64 host, bool shared);

/*
 * Empties the IOMMU's TLB with --dma encrypted.  Otherwise iommu_check() could miss a device's
 * write to a private page: QEMU's IOMMU does not report a refused write to a page that its TLB
 * holds as read-only, because a device has read the page.  dma.c calls iommu_doorbell() when the
 * guest writes to a device, because this write may start DMA.
 */
void iommu_doorbell(void);

/*
 * Looks whether the IOMMU has refused an access of a device.  With --dma strict, such an
 * access ends the run.  With --dma encrypted, a refused write makes the private frame garbage to
 * which the device has written, because a real guest would see the device's data decrypted.  An
 * SNP guest's frame stays as it is.  exits.c calls iommu_check() at each exit.
 */
void iommu_check(void);

/*
 * Returns the byte that the guest gets at @offset of QEMU's file of ACPI tables instead of
 * @byte, the file's own byte.  Changes the name DMAR of the IOMMU's table to a name that
 * no guest knows, so that the guest does not find the IOMMU.  The bytes must be passed in
 * the file's order, because iommu_hide() recognises the name by four successive calls.
 */
u8 iommu_hide(u32 offset, u8 byte);

/* Returns whether @gpa is in the page of the IOMMU's registers, which sevemu hides. */
bool iommu_owns(u64 gpa);

#endif
