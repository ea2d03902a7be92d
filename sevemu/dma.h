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
 * Returns whether the guest has flushed its TLB since the last dma_doorbell(), so that the
 * pages that it shares may have changed.  dma_doorbell() must search the page tables for these
 * pages before the guest's next write to a device, which may start DMA.  A guest without SEV-ES
 * writes to a device without an exit, so npt.c maps devices read-only for it while this
 * function returns true.
 */
bool dma_pending(void);

/*
 * Must be called before the guest's write to a device's register reaches the
 * device, because the device may start DMA at the write.  Brings all RAM that the
 * page tables of @vcpu map with C=0 to the shared view, if dma_pending().
 */
void dma_doorbell(struct vcpu *vcpu);

#endif
