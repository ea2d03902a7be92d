/* SPDX-License-Identifier: MIT */
/*
 * iommu.c - lets devices access the guest's shared memory only, by QEMU's IOMMU.
 *
 * Runs when a frame becomes private or shared, and at each exit.  QEMU's devices access
 * RAM without regard to the guest's C-bit.  The machine of --dma strict and --dma encrypted
 * has an IOMMU, QEMU's intel-iommu (Intel VT-d specification, chapters 9 to 11), which
 * sevemu hides from the guest.  All devices use one set of second-level tables.  The tables
 * translate a frame's guest-physical address to the frame only if the frame is shared.
 *
 * QEMU's IOMMU reports the device, the address and the direction of the first access that
 * it refuses.  The IOMMU cannot repeat the access later.
 */
#include "iommu.h"
#include "layout.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"

#define REGISTERS		0xfed90000
#define REG(offset)		(REGISTERS + (offset))
#define GLOBAL_COMMAND		0x18
#define GLOBAL_SET_ROOT		0x40000000u
#define GLOBAL_TRANSLATE	0x80000000u
#define ROOT_ADDRESS		0x20
#define FAULT_STATUS		0x34
/* Bits of the fault status: more than one fault, and a fault that is recorded. */
#define FAULT_OVERFLOW		1
#define FAULT_PENDING		2
#define IOTLB			0xf8
#define IOTLB_ALL		(1ull << 63 | 1ull << 60)
/* The fault record: the address, and after it device, direction and validity. */
#define FAULT_ADDRESS		0x220
#define FAULT_SOURCE		0x228
#define FAULT_READ		(1ull << 62)
#define FAULT_VALID		(1ull << 63)

/* Bit of the low half of an entry in the root table or in a context table. */
#define PRESENT			1
/* Fields of a context entry's high half: three levels of tables, and domain number 1. */
#define CONTEXT_39_BITS		1
#define CONTEXT_DOMAIN		(1 << 8)
/* Bits of an entry in the tables that translate a device's addresses. */
#define DMA_READ		1
#define DMA_WRITE		2
#define LEVELS			3
#define INDEX(gpa, level)	((gpa) >> (12 + 9 * (level)) & 511)

/* Top table that translates the addresses of devices; NULL: no IOMMU. */
static u64 *tables;
/* Page that devices read instead of a private frame, with --dma encrypted. */
static u64 *garbage;

static u64 read64(u64 offset)
{
	return *(volatile u64 *)REG(offset);
}

static void write64(u64 offset, u64 value)
{
	*(volatile u64 *)REG(offset) = value;
}

static void write32(u64 offset, u32 value)
{
	*(volatile u32 *)REG(offset) = value;
}

void iommu_init(void)
{
	u64 *root, *contexts;
	unsigned int i;

	if (config.dma == DMA_OPEN)
		return;
	/*
	 * An entry of the root table is for a bus, and an entry of the context table for a
	 * device.  Both have 16 bytes.  All buses share one context table.
	 */
	root = npt_alloc(1);
	contexts = npt_alloc(1);
	tables = npt_alloc(1);
	garbage = npt_alloc(1);
	npt_encrypt((u64)garbage, garbage);
	for (i = 0; i < PAGE_SIZE / 16; i++) {
		root[2 * i] = (u64)contexts | PRESENT;
		contexts[2 * i] = (u64)tables | PRESENT;
		contexts[2 * i + 1] = CONTEXT_DOMAIN | CONTEXT_39_BITS;
	}
	write64(ROOT_ADDRESS, (u64)root);
	write32(GLOBAL_COMMAND, GLOBAL_SET_ROOT);
	write32(GLOBAL_COMMAND, GLOBAL_TRANSLATE);
}

void iommu_frame(u64 gpa, u64 host, bool shared)
{
	u64 *table = tables, *entry;
	u64 wanted = shared ? host | DMA_READ | DMA_WRITE :
		     config.dma == DMA_ENCRYPTED ? (u64)garbage | DMA_READ : 0;
	int level;

	if (!table)
		return;
	for (level = LEVELS - 1; level > 0; level--) {
		entry = &table[INDEX(gpa, level)];
		if (!*entry)
			*entry = (u64)npt_alloc(1) | DMA_READ | DMA_WRITE;
		table = (u64 *)(*entry & PTE_ADDR);
	}
	entry = &table[INDEX(gpa, 0)];
	if (*entry == wanted)
		return;
	/* An entry of 0 allows no access and is not in the IOMMU's TLB, so skip the flush. */
	if (*entry) {
		*entry = wanted;
		write64(IOTLB, IOTLB_ALL);
	}
	*entry = wanted;
}

void iommu_doorbell(void)
{
	if (config.dma == DMA_ENCRYPTED)
		write64(IOTLB, IOTLB_ALL);
}

/*
 * Makes the private frame of @gpa garbage.  Called when a device has written to the frame:
 * a real guest would see the device's data decrypted, and QEMU has dropped the data.  Does
 * nothing for an SNP guest, because the RMP protects private memory against the write.
 */
static void garble(u64 gpa)
{
	/* Each call uses another key, because a second XOR with one key restores the bytes. */
	static u64 salt;

	if (!guest_is_snp() && npt_host(gpa))
		npt_scramble(ALIGN_DOWN(gpa, PAGE_SIZE), ++salt);
}

void iommu_check(void)
{
	u64 source, address;
	const char *access;
	u32 status;

	if (!tables)
		return;
	status = *(volatile u32 *)REG(FAULT_STATUS);
	if (!(status & (FAULT_PENDING | FAULT_OVERFLOW)))
		return;
	source = read64(FAULT_SOURCE);
	address = read64(FAULT_ADDRESS) & ~(u64)PAGE_MASK;
	access = source & FAULT_READ ? "reads" : "writes to";
	trace("dma %02x:%02x.%x %s %#lx", (unsigned int)(source >> 8 & 0xff),
	      (unsigned int)(source >> 3 & 0x1f), (unsigned int)(source & 7), access, address);
	if (config.dma == DMA_STRICT)
		end_run(END_VIOLATION, "device %02x:%02x.%x %s the page at %#lx by DMA, %s: "
			"memory for a device must be mapped with C=0 and used so last (a bounce "
			"buffer)", (unsigned int)(source >> 8 & 0xff),
			(unsigned int)(source >> 3 & 0x1f), (unsigned int)(source & 7), access,
			address, npt_host(address) ? "which the guest holds private" :
			"which is no RAM of the guest");
	if (!(source & FAULT_READ))
		garble(address);
	/* Clear the fault by writing 1 to its bits, so that the IOMMU records the next one. */
	write64(FAULT_SOURCE, FAULT_VALID);
	write32(FAULT_STATUS, FAULT_PENDING | FAULT_OVERFLOW);
}

u8 iommu_hide(u32 offset, u8 byte)
{
	static const u8 name[] = { 'D', 'M', 'A', 'R' };
	/*
	 * The guest has read the file of ACPI tables up to offset @next.  The last @matched
	 * bytes that it read are the first @matched bytes of @name.
	 */
	static u32 next;
	static unsigned int matched;

	if (!tables)
		return byte;
	if (offset != next)
		matched = 0;
	next = offset + 1;
	matched = byte == name[matched] ? matched + 1 : byte == name[0];
	if (matched != sizeof(name))
		return byte;
	matched = 0;
	return 'X';
}

bool iommu_owns(u64 gpa)
{
	return tables && ALIGN_DOWN(gpa, PAGE_SIZE) == REGISTERS;
}
