/* SPDX-License-Identifier: MIT */
/*
 * sev.c - the test kernel in an SEV guest. It checks what the stub leaves in the SEV
 * MSRs and in the page that was the stub's GHCB. In an SEV-ES guest it sets up a GHCB
 * of its own for port I/O. The test kernel has no #VC handler, so that any #VC is
 * reported as a failure.
 *
 * The option t.sev= names the expected kind of guest. Without it, no MSR is accessed.
 */
#include <asm/svm.h>

#include "kernel.h"
#include "sev.h"
#include "snp-abi.h"

#define LEVELS_MAX	5

static struct {
	u64 status;		/* value of the SEV_STATUS MSR */
	u64 ghcb_msr;		/* GHCB MSR at the kernel's entry */
	u16 version;		/* version of the GHCB protocol in use */
} sev;

static struct ghcb ghcb_page __attribute__((aligned(GHCB_SIZE)));
/*
 * The kernel's own copies of page tables that lead to its GHCB: tables[0] is the table
 * of 4 KiB leaves, tables[1] the one above it, and so on.
 */
static u64 tables[LEVELS_MAX][PTRS_PER_TABLE]
	__attribute__((aligned(PAGE_SIZE)));

/*
 * Terminates the guest without a message, because any output needs the GHCB, which does
 * not work.
 */
static noreturn void give_up(void)
{
	for (;;) {
		wrmsr(MSR_GHCB, GHCB_MSR_TERM_REQ);
		vmgexit();
	}
}

static void choose_version(void)
{
	u64 info;

	wrmsr(MSR_GHCB, GHCB_MSR_SEV_INFO_REQ);
	vmgexit();
	info = rdmsr(MSR_GHCB);
	if ((info & GHCB_MSR_INFO_MASK) != GHCB_MSR_SEV_INFO_RESP)
		give_up();
	sev.version = (u16)(info >> GHCB_MSR_INFO_MAX_SHIFT);
	if (sev.version > GHCB_VERSION_MAX)
		sev.version = GHCB_VERSION_MAX;
}

bool is_snp(void)
{
	return sev.status & SEV_STATUS_SNP;
}

/* Sends a request by the GHCB MSR. Any reply but @response is fatal. */
static void ask(u64 request, u64 response)
{
	wrmsr(MSR_GHCB, request);
	vmgexit();
	if (rdmsr(MSR_GHCB) != response)
		give_up();
}

/*
 * The confidential-computing blob of an SNP guest. The stub must have put its address
 * into the zero page.
 */
static const struct blob *blob(void)
{
	return (const void *)(u64)zero_page()->cc_blob_address;
}

/*
 * Asks the SVSM by the calling area @area to rescind the validation of the page at @addr.
 * Terminates the guest if a call is pending in @area, because the stub must have finished
 * its own calls.
 */
static void rescind_by_svsm(struct calling_area *area, u64 addr)
{
	u64 result;

	memset(&area->count, 0, sizeof(*area) - offsetof(struct calling_area, count));
	area->count = 1;
	area->entries[0] = addr;
	if (area->pending)
		give_up();
	wrmsr(MSR_GHCB, GHCB_MSR_VMPL_REQ);
	result = vmgexit_svsm(SVSM_CALL_PVALIDATE, (u64)&area->count, &area->pending);
	if (result || area->pending || rdmsr(MSR_GHCB) != GHCB_MSR_VMPL_RESP)
		give_up();
}

/*
 * In an SNP guest, makes the private page at @addr shared. Only VMPL 0 may execute
 * PVALIDATE. If the guest runs at another VMPL, the SVSM executes it for the guest.
 */
static void give_page(u64 addr)
{
	const struct secrets *secrets = (const void *)blob()->secrets;

	if (secrets->svsm_size)
		rescind_by_svsm((void *)secrets->svsm_area, addr);
	else if (pvalidate(addr, false, false))
		give_up();
	ask(addr | (u64)GHCB_PSC_SHARED << GHCB_MSR_PSC_STATE_SHIFT |
	    GHCB_MSR_PSC_REQ, GHCB_MSR_PSC_RESP);
}

/*
 * Maps the GHCB page without the C-bit, so that it is shared with the hypervisor.
 * Changes copies of the page tables that lead to it. The stub's own page tables stay
 * unchanged, because map.c checks them later.
 */
static void share_ghcb(u64 cbit)
{
	u64 addr = (u64)&ghcb_page;
	unsigned int level = read_cr4() & X86_CR4_LA57 ? 5 : 4;
	u64 root = read_cr3();
	u64 *link = &root;
	u64 flags = 0;		/* CR3 has no flags of a table entry */

	for (;; level--) {
		unsigned int shift = PAGE_SHIFT + (level - 1) * TABLE_INDEX_BITS;
		u64 *table = tables[level - 1];
		u64 entry = *link;

		if (flags && entry & PTE_LEAF) {
			if (level == 1)
				entry &= ~PTE_LEAF;
			for (u64 i = 0; i < PTRS_PER_TABLE; i++)
				table[i] = entry + (i << shift);
		} else {
			memcpy(table, (void *)(entry & PTE_ADDR_MASK & ~cbit),
			       PAGE_SIZE);
		}
		*link = (u64)table | cbit | flags;
		flags = PTE_PRESENT | PTE_WRITE;
		link = &table[addr >> shift & (PTRS_PER_TABLE - 1)];
		if (level == 1)
			break;
	}

	for (u64 line = 0; line < PAGE_SIZE; line += CACHE_LINE_SIZE)
		clflush((void *)(addr + line));
	mfence();
	if (is_snp())
		give_page(addr);
	*link &= ~cbit;
	write_cr3(root);
	if (is_snp())
		ask(addr | GHCB_MSR_REG_GPA_REQ, addr | GHCB_MSR_REG_GPA_RESP);
}

static void input(u64 *field, u64 value)
{
	u64 n = (u64)(field - (u64 *)&ghcb_page);

	*field = value;
	ghcb_page.valid_bitmap[n / 64] |= 1UL << n % 64;
}

static u8 port_io(u64 info, u8 value)
{
	const volatile struct ghcb *reply = &ghcb_page;

	memset(&ghcb_page, 0, sizeof(ghcb_page));
	ghcb_page.protocol_version = sev.version;
	input(&ghcb_page.rax, value);
	input(&ghcb_page.sw_exit_code, SVM_EXIT_IOIO);
	input(&ghcb_page.sw_exit_info_1, info);
	input(&ghcb_page.sw_exit_info_2, 0);
	wrmsr(MSR_GHCB, (u64)&ghcb_page);
	vmgexit();
	if (reply->sw_exit_info_1 != GHCB_RESULT_DONE)
		give_up();
	return (u8)reply->rax;
}

static u8 ghcb_in(u16 port)
{
	return port_io((u64)port << SVM_IOIO_PORT_SHIFT | SVM_IOIO_SIZE8 |
		       SVM_IOIO_IN, 0);
}

static void ghcb_out(u8 value, u16 port)
{
	port_io((u64)port << SVM_IOIO_PORT_SHIFT | SVM_IOIO_SIZE8, value);
}

void sev_start(void)
{
	u64 cbit = option_number("t.cbit", 0);

	if (!option("t.sev") || option_is("t.sev", "off"))
		return;
	sev.status = rdmsr(MSR_SEV_STATUS);
	if (!(sev.status & SEV_STATUS_SEV_ES))
		return;
	sev.ghcb_msr = rdmsr(MSR_GHCB);
	choose_version();
	share_ghcb(1UL << cbit);
	print_through(ghcb_in, ghcb_out);
}

/*
 * Checks that the page at @addr, which was the stub's GHCB, is private and zero again.
 * If it is not, the kernel reads ciphertext or old requests there.
 */
static void check_stubs_ghcb(u64 addr)
{
	const volatile u64 *word = (const volatile u64 *)addr;

	fact("sev: the stub's GHCB was at %lx", addr);
	for (u32 i = 0; i < GHCB_SIZE / sizeof(*word); i++) {
		if (!word[i])
			continue;
		fail("sev: the stub's GHCB at %lx has %lx at %x", addr,
		     word[i], i * (u32)sizeof(*word));
		return;
	}
}

/*
 * Adds an SNP guest's blob, CPUID page, secrets page and SVSM calling area to the list that
 * handed_add() makes. The test later checks that the stub has mapped all memory in this list.
 * Calls fail() if the blob has no magic number.
 */
static void add_snp_pages(void)
{
	const struct secrets *secrets = (const void *)blob()->secrets;

	if (blob()->magic != BLOB_MAGIC)
		fail("sev: blob %lx", (u64)blob());
	handed_add("blob", (u64)blob(), sizeof(*blob()));
	handed_add("cpuid", blob()->cpuid, PAGE_SIZE);
	handed_add("secrets", blob()->secrets, PAGE_SIZE);
	if (secrets->svsm_size)
		handed_add("calling area", secrets->svsm_area, PAGE_SIZE);
}

void sev_check(void)
{
	u64 expected = SEV_STATUS_SEV;

	if (!option("t.sev") || option_is("t.sev", "off"))
		return;
	if (option_is("t.sev", "es") || option_is("t.sev", "snp"))
		expected |= SEV_STATUS_SEV_ES;
	if (option_is("t.sev", "snp"))
		expected |= SEV_STATUS_SNP;
	if (is_snp())
		add_snp_pages();
	fact("sev: status %lx", sev.status);
	if ((sev.status & SEV_STATUS_KNOWN & ~SEV_STATUS_DEBUG_SWAP) != expected)
		fail("sev: SEV_STATUS is %lx, not %lx", sev.status, expected);
	if (sev.ghcb_msr)
		fail("sev: the GHCB MSR holds %lx", sev.ghcb_msr);
	if (option("t.ghcb"))
		check_stubs_ghcb(option_number("t.ghcb", 0));
}
