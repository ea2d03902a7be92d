/* SPDX-License-Identifier: MIT */
/*
 * dma.h - keeps memory that the guest shares with devices in the shared view,
 * which is the only view that a device's DMA has (dma.c).
 */
#ifndef SEVEMU_DMA_H
#define SEVEMU_DMA_H

#include "sevemu.h"

/*
 * Records that the guest has written CR3 or CR4, which flushes its TLB.  A change of a
 * C-bit in the guest's page tables takes effect then.
 */
void dma_tlb_flushed(void);

/*
 * Returns whether the guest has flushed its TLB since the last dma_doorbell().  npt.c
 * then maps devices read-only for a guest without SEV-ES, because this guest otherwise
 * writes to a device without an exit.
 */
bool dma_pending(void);

/*
 * Must be called before the guest's write to a device's register reaches the
 * device, because the device may start DMA at the write.  Brings all RAM that the
 * page tables of @vcpu map with C=0 to the shared view, if dma_pending().
 */
void dma_doorbell(struct vcpu *vcpu);

#endif
