/* SPDX-License-Identifier: MIT */
/*
 * sev.c - port I/O for a kernel that may run in an SEV-ES or SNP guest and has no #VC handler.
 * In such a guest an IN or OUT instruction would raise #VC. This file instead asks the
 * hypervisor for each access, by a GHCB of the kernel's own.
 *
 * "GHCB" and a number is a section of AMD's GHCB specification, publication 56421.
 */
#include "hello.h"

#define MSR_SEV_STATUS		0xc0010131
#define SEV_STATUS_SEV_ES	0x2
#define SEV_STATUS_SNP		0x4
#define MSR_GHCB		0xc0010130

/*
 * Requests by the GHCB MSR that only SNP guests make (GHCB 2.3.1): the page state
 * "shared", and registration of the GHCB page. The address is in bits 51:12.
 */
#define GHCB_MSR_SHARED		0x0020000000000014
#define GHCB_MSR_SHARED_DONE	0x015
#define GHCB_MSR_REGISTER	0x012
#define GHCB_MSR_REGISTERED	0x013
#define GHCB_MSR_TERMINATE	0x100

#define CR4_LA57		0x1000
#define PTE_PRESENT_WRITE	0x3
#define PTE_LARGE		0x80
#define ENTRIES			512
#define LARGE_PAGE		0x200000
/*
 * The address bits of a page-table entry above 4 GiB. In the page tables that sevstub
 * makes for this kernel, the C-bit is the only one of them that can be set, because the
 * kernel and the tables lie below 4 GiB.
 */
#define PTE_ABOVE_4G		0x000fffff00000000

/* The GHCB's fields that port I/O uses, as indexes of 8-byte words (GHCB 2.6). */
#define GHCB_RAX		(0x1f8 / 8)
#define GHCB_EXIT_CODE		(0x390 / 8)
#define GHCB_EXIT_INFO_1	(0x398 / 8)
#define GHCB_EXIT_INFO_2	(0x3a0 / 8)
#define GHCB_VALID		(0x3f0 / 8)
#define GHCB_VERSION		(0xff8 / 8)
#define GHCB_VERSION_1		(1UL << 16)
#define GHCB_VERSION_2		(2UL << 16)
#define EXIT_IOIO		0x7b
#define IOIO_8_BITS		0x10
#define IOIO_IN			0x1

/* Mask of the C-bit in a page-table entry; 0: the guest has no SEV. */
static uint64_t cbit;
static bool es;				/* true in an SEV-ES or SNP guest */
static bool snp;			/* true in an SNP guest */

/*
 * The GHCB page has 2 MiB for itself, because share_ghcb() makes a whole 2 MiB page
 * shared with the hypervisor, and no other data may be in it.
 */
static struct {
	uint64_t ghcb[ENTRIES];
	uint8_t nothing[LARGE_PAGE - sizeof(uint64_t[ENTRIES])];
} shared __attribute__((aligned(LARGE_PAGE)));
/*
 * Page tables that share_ghcb() makes: level[0] has the leaves, of 2 MiB each, and
 * level[3] is the top table if paging has five levels.
 */
static uint64_t level[4][ENTRIES] __attribute__((aligned(4096)));

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value),
		     "d"((uint32_t)(value >> 32)) : "memory");
}

/*
 * Sends a request by the GHCB MSR. If the reply is not @reply, asks the hypervisor to
 * terminate the guest, because the kernel cannot print without a GHCB.
 */
static void msr_request(uint64_t request, uint64_t reply)
{
	wrmsr(MSR_GHCB, request);
	asm volatile("rep; vmmcall" : : : "memory");	/* VMGEXIT */
	while (rdmsr(MSR_GHCB) != reply) {
		wrmsr(MSR_GHCB, GHCB_MSR_TERMINATE);
		asm volatile("rep; vmmcall" : : : "memory");
	}
}

/*
 * In an SNP guest at VMPL 0 gives the GHCB page to the hypervisor: rescinds the page's
 * validation by PVALIDATE, then changes its page state. The kernel need not validate its
 * own memory, because sevstub has done so.
 */
static void give_ghcb(void)
{
	uint64_t page = (uint64_t)&shared;
	uint32_t result;

	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff"	/* PVALIDATE */
		     : "=a"(result) : "a"(page), "c"(0), "d"(0) : "memory", "cc");
	msr_request(GHCB_MSR_SHARED | page, GHCB_MSR_SHARED_DONE);
}

/*
 * Loads page tables that map the first GiB private (with the C-bit), except for the 2
 * MiB of the GHCB, which are shared with the hypervisor (without the C-bit).
 */
static void share_ghcb(void)
{
	uint64_t cr4, *root = level[2];

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	for (uint64_t i = 0; i < ENTRIES; i++)
		level[0][i] = i * LARGE_PAGE | cbit | PTE_LARGE | PTE_PRESENT_WRITE;
	level[0][(uint64_t)&shared / LARGE_PAGE] &= ~cbit;
	level[1][0] = (uint64_t)level[0] | cbit | PTE_PRESENT_WRITE;
	level[2][0] = (uint64_t)level[1] | cbit | PTE_PRESENT_WRITE;
	level[3][0] = (uint64_t)level[2] | cbit | PTE_PRESENT_WRITE;
	if (cr4 & CR4_LA57)
		root = level[3];
	/*
	 * Flush cache lines of the GHCB page that were written while it was private.
	 * Otherwise the processor might write them back later, over shared data.
	 */
	for (uint64_t i = 0; i < 4096; i += 64)
		asm volatile("clflush (%0)" : : "r"((uint8_t *)&shared + i) : "memory");
	asm volatile("mfence" : : : "memory");
	if (snp)
		give_ghcb();
	asm volatile("mov %0, %%cr3" : : "r"((uint64_t)root | cbit) : "memory");
}

void sev_start(void)
{
	uint64_t cr3;

	/*
	 * CPUID would tell the C-bit's position, but it raises #VC in an SEV-ES guest.
	 * Take the C-bit from an entry of sevstub's page tables. The entries have it in
	 * an SEV guest only.
	 */
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	cbit = *(uint64_t *)(cr3 & ~PTE_ABOVE_4G & ~0xfffUL) & PTE_ABOVE_4G;
	if (!cbit)
		return;
	es = rdmsr(MSR_SEV_STATUS) & SEV_STATUS_SEV_ES;
	snp = rdmsr(MSR_SEV_STATUS) & SEV_STATUS_SNP;
	if (es)
		share_ghcb();
	/* An SNP guest may use only the GHCB page that it has registered. */
	if (snp)
		msr_request(GHCB_MSR_REGISTER | (uint64_t)&shared,
			    GHCB_MSR_REGISTERED | (uint64_t)&shared);
}

bool is_sev(void)
{
	return cbit;
}

bool is_sev_es(void)
{
	return es;
}

bool is_snp(void)
{
	return snp;
}

/*
 * Asks the hypervisor for one IN or OUT of a byte (GHCB 4.1.2). @info is SW_EXITINFO1:
 * port, size and direction. @value is the byte for OUT. Returns the byte that IN has
 * read.
 */
static uint8_t ghcb_port(uint64_t info, uint8_t value)
{
	static const uint8_t given[] = {
		GHCB_RAX, GHCB_EXIT_CODE, GHCB_EXIT_INFO_1, GHCB_EXIT_INFO_2,
	};
	volatile uint64_t *ghcb = shared.ghcb;

	for (unsigned int i = 0; i < ENTRIES; i++)
		ghcb[i] = 0;
	ghcb[GHCB_VERSION] = snp ? GHCB_VERSION_2 : GHCB_VERSION_1;
	ghcb[GHCB_RAX] = value;
	ghcb[GHCB_EXIT_CODE] = EXIT_IOIO;
	ghcb[GHCB_EXIT_INFO_1] = info;
	for (unsigned int i = 0; i < sizeof(given); i++)
		ghcb[GHCB_VALID + given[i] / 64] |= 1UL << given[i] % 64;
	wrmsr(MSR_GHCB, (uint64_t)ghcb);
	asm volatile("rep; vmmcall" : : : "memory");	/* VMGEXIT */
	return (uint8_t)ghcb[GHCB_RAX];
}

void port_out(uint16_t port, uint8_t value)
{
	if (es)
		ghcb_port((uint64_t)port << 16 | IOIO_8_BITS, value);
	else
		asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

uint8_t port_in(uint16_t port)
{
	uint8_t value;

	if (es)
		return ghcb_port((uint64_t)port << 16 | IOIO_8_BITS | IOIO_IN, 0);
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
