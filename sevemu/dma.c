/* SPDX-License-Identifier: MIT */
/*
 * dma.c - keeps memory that the guest shares with devices in the shared view.
 *
 * Runs at the guest's writes to CR3 and CR4, and at its writes to devices.
 *
 * A processor with SEV gives devices the shared view of all memory (APM2
 * 15.34.10).  QEMU's devices access RAM directly, and find the bytes of the view
 * in which npt.c keeps a frame.  npt.c learns from a nested page fault that the
 * guest uses a frame with C=0.  A guest may clear the C-bit of a buffer and let a
 * device write to the buffer before any access of its own; OVMF does so.  The
 * frame would still be private then, and the guest's first read would decrypt what
 * the device wrote.  Before a device can start, dma.c therefore searches the
 * guest's page tables for frames that are mapped with C=0, and makes them shared.
 *
 * The search is needed only if the page tables have changed, and a processor
 * notices a changed C-bit only after a flush of its TLB.  The flushes that sevemu
 * sees are writes of CR4, and writes of CR3 until a kernel runs in the upper half of
 * the address space.
 */
#include "dma.h"
#include "guest_memory.h"
#include "iommu.h"
#include "main.h"
#include "npt.h"
#include "sevemu.h"

#define LEVELS_MAX		5
#define ENTRIES			512
#define PAE_ENTRIES		4
#define PAE_TABLE_SIZE		32

/* The guest's page tables may have changed since share_tables() searched them. */
static bool stale;

/*
 * Shares all RAM that the guest's page table at @table maps with C=0.  @level is 0
 * for a table whose entries map 4 KiB.  The table is copied first, because a guest may
 * map its page tables with C=0 as well, and npt_share() then encrypts them.
 */
static void share_table(u64 table, unsigned int level, unsigned int entries)
{
	static u64 copies[LEVELS_MAX][ENTRIES];
	u64 cbit = cbit_mask(), span = 1ull << (12 + 9 * level), *entry = copies[level];
	const u8 *at = npt_frame(table, VIEW_PRIVATE);
	unsigned int i;

	if (!at)
		return;
	memcpy(entry, at, entries * sizeof(*entry));
	for (i = 0; i < entries; i++) {
		u64 address = entry[i] & PTE_ADDR & ~cbit;

		if (!(entry[i] & PTE_P))
			continue;
		if (level > 2 || (level && !(entry[i] & PTE_PS && entries == ENTRIES)))
			share_table(address, level - 1, ENTRIES);
		else if (!(entry[i] & cbit))
			npt_share(address & ~(span - 1), span);
	}
}

/* Searches the page tables of @vcpu.  A guest without C-bit in its entries has none. */
static void share_tables(const struct vcpu *vcpu)
{
	const struct vmcb *v = vcpu->vmcb;
	u64 table = v->cr3 & PTE_ADDR & ~cbit_mask();

	if (!guest_paging(vcpu) || !(v->cr4 & CR4_PAE))
		return;
	if (!guest_long_mode(vcpu))
		share_table(ALIGN_DOWN(v->cr3 & 0xffffffff, PAE_TABLE_SIZE), 2, PAE_ENTRIES);
	else
		share_table(table, v->cr4 & CR4_LA57 ? 4 : 3, ENTRIES);
}

/*
 * Returns whether frames change their view by the guest's accesses.  An SNP guest's
 * frames change by page state changes.  Under --attack and --hostile a run ends before
 * the guest uses devices.
 */
static bool by_access(void)
{
	return (config.sev == SEV_SEV || config.sev == SEV_ES) && !config.hostile;
}

void dma_tlb_flushed(void)
{
	/* While @stale is set, npt.c maps devices for reading only. */
	if (!by_access() || stale)
		return;
	stale = true;
	npt_protect_devices();
}

bool dma_pending(void)
{
	return stale;
}

void dma_doorbell(struct vcpu *vcpu)
{
	iommu_doorbell();
	if (!stale)
		return;
	stale = false;
	share_tables(vcpu);
}
