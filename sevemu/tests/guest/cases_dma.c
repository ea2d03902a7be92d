/* SPDX-License-Identifier: MIT */
/*
 * cases_dma.c - DMA by a device, with each value of sevemu's option --dma. The device is
 * edu, QEMU's educational device, which copies bytes from RAM to a buffer of its own and
 * back. The suite adds edu to the machine for these cases only.
 */
#include "guest.h"
#include "pci.h"

#define DEVICES			32
#define EDU_ID			0x11e81234
/* The guest-physical address at which the guest places edu's registers. */
#define EDU			0xe0000000ULL
#define EDU_SOURCE		(EDU + 0x80)
#define EDU_TARGET		(EDU + 0x88)
#define EDU_COUNT		(EDU + 0x90)
#define EDU_DMA			(EDU + 0x98)
#define EDU_DMA_RUN		1
#define EDU_DMA_TO_RAM		2
/* Address of edu's own buffer, for EDU_SOURCE and EDU_TARGET. */
#define EDU_BUFFER		0x40000
#define PATTERN			0x0123456789abcdefULL

/*
 * After 64 writes of CR3 and CR4 in a row that change nothing, sevemu no longer
 * intercepts these writes of an SEV-ES guest. MANY is a greater number.
 */
#define MANY			100
#define ALIGN_2M(address)	((address) & ~(PAGE_2M - 1ULL))

static ALIGNED_PAGE u64 source[PAGE_SIZE / 8], target[PAGE_SIZE / 8];

static u32 pci_read(u32 address)
{
	struct regs r = { .rdx = PCI_ADDRESS, .rax = PCI_ENABLE | address };

	insn_outl(&r);
	r.rdx = PCI_DATA;
	insn_inl(&r);
	return r.rax;
}

static void pci_write(u32 address, u32 value)
{
	struct regs r = { .rdx = PCI_ADDRESS, .rax = PCI_ENABLE | address };

	insn_outl(&r);
	r.rdx = PCI_DATA;
	r.rax = value;
	insn_outl(&r);
}

static u32 edu_read(u64 address)
{
	struct regs r = { .rbx = address };

	insn_mmio_read(&r);
	return r.rax;
}

static void edu_write(u64 address, u32 value)
{
	struct regs r = { .rbx = address, .rax = value };

	insn_mmio_write(&r);
}

/* Finds edu on the PCI bus and turns it on. Returns false if the machine has no edu. */
static bool edu_start(void)
{
	u32 device;

	for (device = 0; device < DEVICES; device++) {
		if (pci_read(device << 11) != EDU_ID)
			continue;
		pci_write(device << 11 | PCI_BAR_0, EDU);
		pci_write(device << 11 | PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		*pte_of(EDU) &= ~machine.cmask;
		flush_tlb();
		/*
		 * At a guest's first write to a device after a flush of the TLB, sevemu
		 * makes all frames shared that the guest maps with C=0. The guest's
		 * shared view maps all its RAM with C=0. This write makes sevemu change
		 * the frames now, and not later when the case has made frames private.
		 */
		edu_write(EDU_COUNT, 0);
		return true;
	}
	return false;
}

/*
 * Lets edu copy a word of 8 bytes from @from to @to, and waits until edu has finished.
 * @direction is EDU_DMA_TO_RAM for a copy to RAM, or 0 for a copy from RAM.
 */
static void edu_copy(u32 from, u32 to, u32 direction)
{
	edu_write(EDU_SOURCE, from);
	edu_write(EDU_TARGET, to);
	edu_write(EDU_COUNT, sizeof(u64));
	edu_write(EDU_DMA, EDU_DMA_RUN | direction);
	while (edu_read(EDU_DMA) & EDU_DMA_RUN)
		;
}

CASE(dma_shared, "dma-shared", CASE_SEV)
{
	if (!edu_start())
		return;
	shared(source)[0] = PATTERN;
	shared(target)[0] = 0;
	edu_copy((u64)source, EDU_BUFFER, 0);
	edu_copy(EDU_BUFFER, (u64)target, EDU_DMA_TO_RAM);
	expect("word that the device has copied", shared(target)[0], PATTERN);
	note("devices", 1);
}

/*
 * Makes target[] private by a write with C=1, flushes the TLB, and lets edu write to
 * target[]. The caller has mapped target[] with C=0 too. sevemu must find this mapping when it
 * searches the page tables, after the flush of the TLB, and make target[] shared before edu
 * writes.
 */
static void edu_fills(void)
{
	*(volatile u64 *)target = 0;
	flush_tlb();
	edu_copy(EDU_BUFFER, (u64)target, EDU_DMA_TO_RAM);
}

/*
 * Makes sevemu forget that target[] was mapped with C=0, so that a case can map it so once more.
 * Sets the C-bit in *@pte, the only entry that maps target[] with C=0, and writes to a register of
 * the device edu. At this write sevemu searches the page tables, and finds no such entry.
 */
static void hide_target(u64 *pte)
{
	*pte |= machine.cmask;
	flush_tlb();
	edu_write(EDU_COUNT, 0);
}

static void load_root(const u64 *root)
{
	asm volatile("mov %0, %%cr3" : : "r"((u64)root | machine.cmask) : "memory");
}

/*
 * Before a device accesses RAM, sevemu must make each frame shared that any page table
 * maps with C=0. sevemu must search the tables again after each of these changes: a C-bit
 * is cleared, a C-bit is set and cleared, an entry names a new page table, CR3 names
 * other tables. The case has tables of its own, which map few frames with C=0. The guest's
 * tables map their own frames with C=0, too. sevemu would make these frames shared, and
 * would then search the tables again even if the guest had changed nothing in them.
 */
CASE(dma_changed, "dma-changed-tables", CASE_SEV)
{
	static ALIGNED_PAGE u64 root[PAGE_SIZE / 8], root_2[PAGE_SIZE / 8];
	static ALIGNED_PAGE u64 pdpt[PAGE_SIZE / 8], pd[PAGE_SIZE / 8], pt[PAGE_SIZE / 8];
	static ALIGNED_PAGE u64 pt_2[PAGE_SIZE / 8], pdpt_2[PAGE_SIZE / 8], pd_2[PAGE_SIZE / 8];
	u64 flags = PTE_P | PTE_RW | PTE_US, table = flags | machine.cmask;
	u64 first = ALIGN_2M((u64)target), cr3, i;
	u64 *pte = &pt[((u64)target - first) / PAGE_SIZE];

	if (!edu_start())
		return;
	shared(source)[0] = PATTERN;
	edu_copy((u64)source, EDU_BUFFER, 0);

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	for (i = 0; i < PAGE_SIZE / 8; i++)
		root[i] = ((u64 *)(cr3 & ~machine.cmask & ~0xfffULL))[i];
	root[1] = (u64)pdpt | table;
	pdpt[0] = (u64)pd | table;
	pd[first / PAGE_2M] = (u64)pt | table;
	*pte = (u64)target | flags;
	pt[((u64)ghcb_page - first) / PAGE_SIZE] = (u64)ghcb_page | flags;
	load_root(root);
	for (i = 0; i < MANY; i++)
		flush_tlb();
	edu_fills();
	expect("target, with a page table of its own", shared(target)[0], PATTERN);

	hide_target(pte);
	*(volatile u64 *)target = 0;
	*pte &= ~machine.cmask;
	edu_fills();
	expect("target, with a changed C-bit", shared(target)[0], PATTERN);

	*pte |= machine.cmask;
	flush_tlb();
	*(volatile u64 *)target = 0;
	*pte &= ~machine.cmask;
	edu_fills();
	expect("target, with a C-bit set and cleared", shared(target)[0], PATTERN);

	hide_target(pte);
	pt_2[0] = (u64)target | flags;
	pd[0] = (u64)pt_2 | table;
	edu_fills();
	expect("target, with a new page table", *(u64 *)SHARED_VIEW, PATTERN);

	pd[0] = 0;
	hide_target(pte);
	for (i = 0; i < PAGE_SIZE / 8; i++)
		root_2[i] = root[i];
	root_2[2] = (u64)pdpt_2 | table;
	pdpt_2[0] = (u64)pd_2 | table;
	pd_2[0] = first | flags | PTE_PS;
	load_root(root_2);
	edu_fills();
	expect("target, with other tables",
	       *(u64 *)(2 * SHARED_VIEW + (u64)target - first), PATTERN);

	asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	note("tables", 3);
}

/*
 * With --dma encrypted, a device that reads private memory gets garbage. If a device
 * writes to private memory, the guest finds garbage there.
 */
CASE(ends_dma_encrypted, "ends-dma-encrypted", CASE_SEV | CASE_ENDS)
{
	if (!edu_start()) {
		fail("there is no device");
		return;
	}
	source[0] = PATTERN;
	shared(target)[0] = 0;
	edu_copy((u64)source, EDU_BUFFER, 0);
	edu_copy(EDU_BUFFER, (u64)target, EDU_DMA_TO_RAM);
	expect_not("private word that the device has read", shared(target)[0], PATTERN);
	expect_not("private word that the device has read", shared(target)[0], 0);
	expect("the word itself", source[0], PATTERN);

	shared(target)[0] = PATTERN;
	edu_copy((u64)target, EDU_BUFFER, 0);
	source[0] = 0;
	edu_copy(EDU_BUFFER, (u64)source, EDU_DMA_TO_RAM);
	/*
	 * The call of the hook makes the guest exit. At each exit sevemu checks whether a
	 * device has written to private memory, and if so fills the frame with garbage.
	 */
	hook(HOOK_FRAME_STATE, (u64)source);
	expect_not("private word that the device has written", source[0], PATTERN);
	expect_not("private word that the device has written", source[0], 0);
}

CASE(ends_dma_read, "ends-dma-private-read", CASE_SEV | CASE_ENDS)
{
	edu_start();
	source[0] = PATTERN;
	edu_copy((u64)source, EDU_BUFFER, 0);
	fail("the run goes on");
}

CASE(ends_dma_write, "ends-dma-private-write", CASE_SEV | CASE_ENDS)
{
	edu_start();
	/*
	 * The access with C=0 makes the frame shared, so edu may read it. The write to
	 * source[1] makes the frame private, so edu's write to the frame must end the
	 * run: the suite starts sevemu with --dma strict.
	 */
	shared(source)[0] = PATTERN;
	edu_copy((u64)source, EDU_BUFFER, 0);
	source[1] = PATTERN;
	edu_copy(EDU_BUFFER, (u64)source, EDU_DMA_TO_RAM);
	fail("the run goes on");
}

CASE(ends_dma_nowhere, "ends-dma-nowhere", CASE_SEV | CASE_ENDS)
{
	edu_start();
	edu_copy(0xf000000, EDU_BUFFER, 0);
	fail("the run goes on");
}

/*
 * The page 0xfed90000 has the registers of the IOMMU, by which sevemu restricts DMA.
 * sevemu must end the run when the guest reads it.
 */
CASE(ends_iommu, "ends-iommu-registers", CASE_SEV | CASE_ENDS)
{
	*pte_of(0xfed90000) &= ~machine.cmask;
	flush_tlb();
	edu_read(0xfed90000);
	fail("the run goes on");
}
