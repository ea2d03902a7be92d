/* SPDX-License-Identifier: MIT */
/*
 * cases_dma.c - DMA by a device, in the machine of sevemu's options --dma strict and --dma
 * encrypted. The device is QEMU's educational one (edu), which copies bytes from RAM to a
 * buffer of its own and back.
 */
#include "guest.h"
#include "pci.h"

#define DEVICES			32
#define EDU_ID			0x11e81234
/* Where the case puts the device's registers. */
#define EDU			0xe0000000ULL
#define EDU_SOURCE		(EDU + 0x80)
#define EDU_TARGET		(EDU + 0x88)
#define EDU_COUNT		(EDU + 0x90)
#define EDU_DMA			(EDU + 0x98)
#define EDU_DMA_RUN		1
#define EDU_DMA_TO_RAM		2
/* Address of the device's own buffer, in its own address space. */
#define EDU_BUFFER		0x40000
#define PATTERN			0x0123456789abcdefULL

/* More writes of CR3 than sevemu intercepts if they change nothing. */
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

/* Turns the device on. Returns false if the machine has none. */
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
		 * The guest maps each frame in both views. At the first write to a device
		 * after a flush of the TLB, sevemu shares each frame that is mapped with C=0.
		 */
		edu_write(EDU_COUNT, 0);
		return true;
	}
	return false;
}

/* Lets the device copy a word, with EDU_DMA_TO_RAM or 0, and waits until it has done so. */
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

/* Lets a device write to target[], which is private, when the guest has flushed the TLB. */
static void edu_fills(void)
{
	*(volatile u64 *)target = 0;
	flush_tlb();
	edu_copy(EDU_BUFFER, (u64)target, EDU_DMA_TO_RAM);
}

/*
 * Maps target[] with C=1 only, by its entry *@pte. sevemu must have found the former entry,
 * with C=0, before. The write to the device makes sevemu search the page tables again.
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
 * A device finds a frame in the shared view as soon as any page table maps it with C=0.
 * These changes tell sevemu to look again: a changed C-bit, a C-bit that is set for a
 * moment only, a new page table, and other tables in CR3. The case has tables of its own,
 * which map few frames with C=0, because the tables of the guest themselves would be
 * shared otherwise.
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

/* Private memory that the device reads and writes, with --dma encrypted. */
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
	/* sevemu looks at exits for what a device has done. */
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
	/* The frame was shared, and becomes private. */
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

/* The registers of the IOMMU are sevemu's. */
CASE(ends_iommu, "ends-iommu-registers", CASE_SEV | CASE_ENDS)
{
	*pte_of(0xfed90000) &= ~machine.cmask;
	flush_tlb();
	edu_read(0xfed90000);
	fail("the run goes on");
}
