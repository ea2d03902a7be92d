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
 * the address space.  While exits.c does not intercept these writes, each write to a
 * device may follow a flush.
 *
 * OVMF has a thousand page tables, and an SEV-ES guest writes to devices by exits whose
 * handler flushes the TLB.  dma.c therefore remembers the tables that it has searched, and
 * searches them again only if they were written.
 */
#include "dma.h"
#include "guest_memory.h"
#include "hooks.h"
#include "iommu.h"
#include "main.h"
#include "npt.h"
#include "sevemu.h"

#define LEVELS_MAX		5
#define ENTRIES			512
#define PAE_ENTRIES		4
#define PAE_TABLE_SIZE		32
#define TABLES_MAX		2048
/* An odd number with many bits set, for checksum(). */
#define MULTIPLIER		0x9e3779b97f4a7c15

/* The guest's page tables may have changed since share_tables() searched them. */
static bool stale;

/* A page table of the guest that share_table() has searched. */
struct table {
	u64 gpa;		/* guest-physical address of the table */
	/*
	 * The nested page table's entry that maps this page table of the guest, for
	 * npt_written(); NULL: sevemu does not watch for writes to the table.
	 */
	u64 *leaf;
	u64 sum;		/* checksum() of the table when it was searched */
	u16 level;		/* 0: the entries map 4 KiB */
	u16 entries;		/* number of entries */
};

/*
 * The table at @root and all tables below it, each in front of the tables that its entries
 * name.  @complete says that tables[] has had room for all these tables.
 */
static struct {
	struct table tables[TABLES_MAX];
	unsigned int count;
	bool complete;
	u64 root;		/* guest-physical address of the topmost table */
	unsigned int level;	/* level of the topmost table */
} searched;

/* Returns a checksum of a page table without the bits that the processor sets itself. */
static u64 checksum(const u64 *entry, unsigned int entries)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < entries; i++) {
		sum = (sum ^ (entry[i] & ~(u64)(PTE_A | PTE_D))) * MULTIPLIER;
		sum ^= sum >> 32;
	}
	return sum;
}

static void share_table(u64 table, unsigned int level, unsigned int entries);

/*
 * Shares all RAM that the @entries entries of a page table of level @level map with C=0.
 * Entries of level 0 map memory, and those of level 1 and 2 do if PS is set, except the
 * four entries of a PAE guest's topmost table.  @below: also searches the tables that the
 * other entries name.
 */
static void share_entries(const u64 *entry, unsigned int level, unsigned int entries,
			  bool below)
{
	u64 maps = !level ? PTE_P : level > 2 || entries != ENTRIES ? 0 : PTE_PS;
	u64 cbit = cbit_mask(), span = 1ull << (12 + 9 * level);
	const u64 *end = entry + entries;

	for (; entry < end; entry++) {
		u64 address = *entry & PTE_ADDR & ~cbit;

		if (!(*entry & PTE_P))
			continue;
		if (*entry & maps) {
			if (!(*entry & cbit))
				npt_share(address & ~(span - 1), span);
		} else if (below) {
			share_table(address, level - 1, ENTRIES);
		}
	}
}

/*
 * Searches the guest's page table at @table and the tables below it, and remembers them.
 * @level is 0 for a table whose entries map 4 KiB.  The table is copied first, because a
 * guest may map its page tables themselves with C=0.  npt_share() then makes the table's frame
 * shared, which replaces the frame's bytes by their ciphertext.
 */
static void share_table(u64 table, unsigned int level, unsigned int entries)
{
	static u64 copies[LEVELS_MAX][ENTRIES];
	const u8 *at = npt_frame(table, VIEW_PRIVATE);
	struct table *t = &searched.tables[searched.count];
	u64 *entry = copies[level];

	if (!at)
		return;
	if (searched.count == TABLES_MAX) {
		searched.complete = false;
	} else {
		searched.count++;
		t->gpa = table;
		t->level = level;
		t->entries = entries;
		/* Watch the table before it is read, so that no write is missed. */
		t->leaf = npt_watch(table);
		t->sum = checksum((const u64 *)at, entries);
	}
	memcpy(entry, at, entries * sizeof(*entry));
	share_entries(entry, level, entries, true);
}

/*
 * Makes the frames shared that page tables map with C=0, as share_table() does.  Reads only
 * those tables that the guest has written since the last search.  Reads every entry of such a
 * table, also one that is as it was then: the guest may have set C=1 and then C=0 again since,
 * and the frame has become private while C was 1.  Returns false if all tables must be searched,
 * because the last search was not of the tables below @root, or because entries have changed
 * that may name other tables.
 */
static bool share_changes(u64 root, unsigned int level)
{
	static u64 copy[ENTRIES];
	struct table *t;
	u64 sum;

	if (!searched.complete || root != searched.root || level != searched.level)
		return false;
	for (t = searched.tables; t < searched.tables + searched.count; t++) {
		if (t->leaf && !npt_written(t->leaf))
			continue;
		if (npt_frame_state(t->gpa) == HOOK_FRAME_SHARED)
			return false;
		t->leaf = npt_watch(t->gpa);
		memcpy(copy, npt_frame(t->gpa, VIEW_PRIVATE), t->entries * sizeof(*copy));
		sum = checksum(copy, t->entries);
		if (t->level && sum != t->sum)
			return false;
		t->sum = sum;
		share_entries(copy, t->level, t->entries, false);
	}
	return true;
}

/*
 * Makes all RAM shared that the page tables of @vcpu map with C=0.  Does nothing without paging
 * or without PAE, because page table entries then have no C-bit.
 */
static void share_tables(const struct vcpu *vcpu)
{
	const struct vmcb *v = vcpu->vmcb;
	u64 root = v->cr3 & PTE_ADDR & ~cbit_mask();
	unsigned int level = v->cr4 & CR4_LA57 ? 4 : 3;
	bool pae = !guest_long_mode(vcpu);

	if (!guest_paging(vcpu) || !(v->cr4 & CR4_PAE))
		return;
	if (pae) {
		root = ALIGN_DOWN(v->cr3 & 0xffffffff, PAE_TABLE_SIZE);
		level = 2;
	}
	if (share_changes(root, level))
		return;
	searched.count = 0;
	searched.complete = true;
	searched.root = root;
	searched.level = level;
	share_table(root, level, pae ? PAE_ENTRIES : ENTRIES);
}

/*
 * Returns whether an access by the guest can make a frame private or shared, so that dma.c must
 * notice it.  In an SNP guest only page state changes do so.  Under --attack and --hostile the
 * answer is false, because a run ends before the guest uses devices.
 */
static bool by_access(void)
{
	return (config.sev == SEV_SEV || config.sev == SEV_ES) && !config.hostile;
}

void dma_tlb_flushed(void)
{
	/*
	 * If @stale is set, an earlier flush has made the pages of devices read-only.  They stay
	 * read-only until the guest writes to a device, so another flush needs no action.
	 */
	if (!by_access() || stale)
		return;
	stale = true;
	npt_protect_devices();
}

bool dma_pending(void)
{
	return stale;
}

/* Returns whether a processor of the guest can flush its TLB without an exit. */
static bool unseen_flushes(void)
{
	unsigned int i;

	for (i = 0; i < config.smp; i++)
		if (vcpus[i].cr_free)
			return by_access();
	return false;
}

void dma_doorbell(struct vcpu *vcpu)
{
	iommu_doorbell();
	if (!stale && !unseen_flushes())
		return;
	stale = false;
	share_tables(vcpu);
}
