/* SPDX-License-Identifier: MIT */
/*
 * sev-snp.c - what the stub does in an SEV-SNP guest. sev-es.c has what every SEV-ES
 * guest needs.
 *
 * An SNP guest can use a private page only after it has validated the page, and the
 * hypervisor cannot change a validated page (APM2 15.36). Firmware or a loader passes the
 * address of a blob, which has the addresses of two pages that the security processor has
 * made: the CPUID page and the secrets page. Only SEV_STATUS proves that this is an SNP guest.
 *
 * snp_start() checks what was handed over, once, because the hypervisor cannot change
 * it later. It runs before the stub copies its image and clears .bss. All state that it
 * leaves is therefore in .data, which the stub copies with the image. The hypervisor's
 * answer to a page state change proves nothing. Only PVALIDATE proves that a page is
 * validated. The stub executes it, or the SVSM if there is one.
 */
#include <asm/bootparam.h>

#include "console.h"
#include "e820.h"
#include "ghcb.h"
#include "ident_map.h"
#include "lib/string.h"
#include "sev-snp.h"
#include "sev.h"
#include "snp-abi.h"
#include "x86.h"

/* An entry of the CPUID page (SEV-SNP firmware ABI, 8.14.2.6). */
struct cpuid_entry {
	u32 function, index;	/* EAX and ECX of CPUID */
	u64 xcr0, xss;		/* for leaf 0xd only, else 0 */
	struct cpuid_regs regs;
	u64 reserved;
};
BUILD_BUG_ON(sizeof(struct cpuid_entry) != 48);

#define CPUID_ENTRIES		64

struct cpuid_page {
	u32 count;		/* 1 to CPUID_ENTRIES */
	u32 reserved[3];
	struct cpuid_entry entries[CPUID_ENTRIES];
};
BUILD_BUG_ON(sizeof(struct cpuid_page) != 0xc10);

/* A range in the data of a node of type SETUP_SEVSTUB_VALIDATED. */
struct validated {
	u64 start, end;
};

u64 snp_efi_blob in_data;

static struct {
	u64 blob, secrets;		/* physical addresses */
	/* Address of the CPUID page, and how many entries it has. */
	u64 cpuid;
	u32 cpuid_count;
	u32 features;			/* hypervisor's GHCB_HV_FEATURE_* */
	u64 calling_area;		/* the SVSM's; 0 at VMPL 0 */
	bool coherent;			/* evict() need not do anything */
	/* The loader's list of validated ranges; NULL: all memory is validated. */
	const struct validated *validated;
	u32 validated_count;
	/*
	 * The table that answers CPUID: the CPUID page itself, and after
	 * snp_keep_cpuid() the copy; NULL before snp_start().
	 */
	struct cpuid_entry *table;
} snp in_data;

static struct cpuid_entry cpuid_copy[CPUID_ENTRIES] not_cleared;

/* ---- What was handed over. */

/*
 * Takes the data of a setup_data node of type SETUP_SEVSTUB_VALIDATED. Terminates the
 * guest if a range is empty or not a whole number of pages, or if there are two nodes.
 */
static void take_validated(const struct validated *list, u32 len)
{
	u32 i;

	if (snp.validated || len % sizeof(*list))
		terminate(SEVSTUB_TERM_HANDED_OVER);
	snp.validated = list;
	snp.validated_count = len / sizeof(*list);
	for (i = 0; i < snp.validated_count; i++) {
		if (list[i].start >= list[i].end ||
		    (list[i].start | list[i].end) % PAGE_SIZE)
			terminate(SEVSTUB_TERM_HANDED_OVER);
	}
}

/*
 * Looks in the setup_data list for the loader's list of validated memory and for the
 * blob's address. map_setup_data() checks the whole list later, and where its nodes lie.
 */
static void read_setup_data(const struct boot_params *bp)
{
	u64 addr = bp->hdr.setup_data;
	unsigned int nodes = 0;
	struct setup_data node;
	u32 blob;

	for (; addr && nodes < SETUP_DATA_MAX_NODES; addr = node.next, nodes++) {
		const void *data = (const u8 *)addr + sizeof(node);

		memcpy(&node, (const void *)addr, sizeof(node));
		if (node.type == SETUP_SEVSTUB_VALIDATED)
			take_validated(data, node.len);
		if (node.type == SETUP_CC_BLOB && node.len >= sizeof(blob) &&
		    !snp.blob) {
			memcpy(&blob, data, sizeof(blob));
			snp.blob = blob;
		}
	}
}

/*
 * Checks a copy of the blob, and takes the addresses of the CPUID page and the secrets page
 * from it. The blob must lie below 4 GiB, because the kernel takes the blob's address from
 * a field of 32 bits in the zero page.
 */
static void read_blob(void)
{
	struct blob blob;

	if (!snp.blob || (snp.blob + sizeof(blob)) >> 32)
		terminate(SEV_TERM_STANDARD | GHCB_TERM_SNP_FEATURES);
	memcpy(&blob, (const void *)snp.blob, sizeof(blob));
	if (blob.magic != BLOB_MAGIC)
		terminate(SEV_TERM_STANDARD | GHCB_TERM_SNP_FEATURES);
	if (!blob.cpuid || blob.cpuid % PAGE_SIZE || blob.cpuid_size < PAGE_SIZE)
		terminate(SEV_TERM_LINUX | LINUX_TERM_CPUID);
	if (!blob.secrets || blob.secrets % PAGE_SIZE ||
	    blob.secrets_size != PAGE_SIZE)
		terminate(SEV_TERM_LINUX | LINUX_TERM_SECRETS);
	snp.cpuid = blob.cpuid;
	snp.secrets = blob.secrets;
}

/*
 * Returns true if @e is for other values of XCR0 and XSS than those after reset. The
 * CPUID page can have several entries for sub-leaf 0 or 1 of leaf 0xd, each for other
 * values of these registers.
 */
static bool is_other_xstate(const struct cpuid_entry *e)
{
	return e->function == CPUID_XSTATE && e->index <= 1 &&
	       ((e->xcr0 != 1 && e->xcr0 != 3) || e->xss);
}

static void read_cpuid(void)
{
	struct cpuid_page *page = (void *)snp.cpuid;

	snp.cpuid_count = READ_ONCE(page->count);
	if (!snp.cpuid_count || snp.cpuid_count > CPUID_ENTRIES)
		terminate(SEV_TERM_LINUX | LINUX_TERM_CPUID);
	snp.table = page->entries;
}

void snp_keep_cpuid(void)
{
	snp.table = memcpy(cpuid_copy, snp.table, sizeof(cpuid_copy));
}

/* ---- CPUID. */

/* Returns true if the result of CPUID @function depends on ECX, the sub-leaf. */
static bool has_subleaves(u32 function)
{
	switch (function) {
	case 0x4:
	case CPUID_STRUCTURED:
	case 0xb:
	case CPUID_XSTATE:
	case 0xf:
	case 0x10:
	case 0x12:
	case 0x14:
	case 0x17:
	case 0x18:
	case 0x1d:
	case 0x1e:
	case 0x1f:
	case 0x24:
	case 0x8000001d:
		return true;
	}
	return false;
}

static struct cpuid_entry *find_leaf(u32 function, u32 index)
{
	struct cpuid_entry *e = snp.table;
	u32 i;

	for (i = 0; i < snp.cpuid_count; i++, e++) {
		if (e->function == function &&
		    (e->index == index || !has_subleaves(function)) &&
		    !is_other_xstate(e))
			return e;
	}
	return NULL;
}

/*
 * The size of the XSAVE area in bytes, if XCR0 and XSS have their values after reset.
 * XCR0 can only be changed while CR4.OSXSAVE is set, and the stub never sets that.
 */
#define XSAVE_SIZE_RESET	0x240

void snp_cpuid(u32 function, u32 index, struct cpuid_regs *regs,
	       struct cpuid_regs *hypervisor)
{
	const struct cpuid_entry *leaf = find_leaf(function, index);
	u64 cr4 = read_cr4();

	*hypervisor = (struct cpuid_regs){ 0, 0, 0, 0 };
	*regs = *hypervisor;
	if (!leaf)
		return;
	*regs = leaf->regs;
	switch (function) {
	case CPUID_FEATURES:
		/*
		 * The CPUID page does not have the APIC ID, and does not say whether there is
		 * an APIC. The caller must ask the hypervisor for these bits.
		 */
		hypervisor->ebx = 0xff000000;
		hypervisor->edx = 1U << 9;
		regs->ecx &= ~(1U << CPUID_1_ECX_OSXSAVE_BIT);
		if (cr4 & X86_CR4_OSXSAVE)
			regs->ecx |= 1U << CPUID_1_ECX_OSXSAVE_BIT;
		break;
	case CPUID_STRUCTURED:
		regs->ecx &= ~(1U << CPUID_7_ECX_OSPKE_BIT);
		if (cr4 & X86_CR4_PKE)
			regs->ecx |= 1U << CPUID_7_ECX_OSPKE_BIT;
		break;
	case 0xb:
		hypervisor->edx = ~0U;	/* the extended APIC ID */
		break;
	case CPUID_XSTATE:
		/* Linux refuses a CPUID page whose sub-leaf 1 has neither XSAVEC nor XSAVES. */
		if (index == 1 && !(regs->eax & (CPUID_D_1_EAX_XSAVEC |
						 CPUID_D_1_EAX_XSAVES)))
			terminate(SEV_TERM_LINUX | LINUX_TERM_CPUID);
		if (index <= 1)
			regs->ebx = XSAVE_SIZE_RESET;
		break;
	case 0x8000001e:
		/*
		 * The CPUID page has no extended APIC ID, core ID and node ID. The caller must
		 * ask the hypervisor for them.
		 */
		hypervisor->eax = ~0U;
		hypervisor->ebx = 0xff;
		hypervisor->ecx = 0xff;
		break;
	}
}

u32 snp_cpuid_ecx(u32 function)
{
	struct cpuid_regs regs, hypervisor;

	snp_cpuid(function, 0, &regs, &hypervisor);
	return regs.ecx;
}

/*
 * Compares leaf 0x8000001f of the CPUID page with what the processor and the page
 * tables have said, and takes from it whether the caches are coherent.
 */
static void check_sev_leaf(void)
{
	const u32 kinds = 1U << CPUID_SEV_EAX_SEV_BIT |
			  1U << CPUID_SEV_EAX_SEV_ES_BIT |
			  1U << CPUID_SEV_EAX_SNP_BIT;
	const struct cpuid_entry *leaf = find_leaf(CPUID_SEV, 0);

	if (!leaf || (leaf->regs.eax & kinds) != kinds)
		terminate(SEVSTUB_TERM_CPUID_STATUS);
	if ((leaf->regs.ebx & CPUID_SEV_EBX_CBIT_MASK) != sev_guest.cbit)
		terminate(SEVSTUB_TERM_CBIT_MISMATCH);
	snp.coherent = leaf->regs.ebx >> CPUID_SEV_EBX_COHERENT_BIT;
}

void snp_start(const struct boot_params *bp)
{
	snp.blob = snp_efi_blob;
	read_setup_data(bp);
	read_blob();
	read_cpuid();
	check_sev_leaf();
	snp.features = (u32)(msr_protocol(GHCB_MSR_HV_FEATURES_REQ,
					  GHCB_MSR_HV_FEATURES_RESP) >>
			     GHCB_MSR_HV_FEATURES_SHIFT);
	if (!(snp.features >> GHCB_HV_FEATURE_SNP_BIT & 1))
		terminate(SEV_TERM_STANDARD | GHCB_TERM_SNP_FEATURES);
}

bool snp_page(unsigned int i, const char **what, struct range *range)
{
	const struct {
		const char *what;
		u64 addr, size;
	} pages[] = {
		{ "SNP blob", snp.blob, sizeof(struct blob) },
		{ "CPUID page", snp.cpuid, PAGE_SIZE },
		{ "secrets page", snp.secrets, PAGE_SIZE },
		{ "calling area", snp.calling_area,
		  snp.calling_area ? PAGE_SIZE : 0 },
	};

	if (i >= ARRAY_SIZE(pages))
		return false;
	*what = pages[i].what;
	*range = (struct range){ pages[i].addr, pages[i].addr + pages[i].size };
	return true;
}

bool snp_is_validated(struct range range)
{
	u32 i = 0;

	while (snp.validated && range.start < range.end) {
		if (i == snp.validated_count)
			return false;
		if (range.start >= snp.validated[i].start &&
		    range.start < snp.validated[i].end) {
			range.start = snp.validated[i].end;
			i = 0;
		} else {
			i++;
		}
	}
	return true;
}

/* ---- VMPL and SVSM. */

void snp_find_vmpl(void)
{
	const struct secrets *secrets = (const void *)snp.secrets;
	struct cpuid_entry *leaf = find_leaf(CPUID_SEV, 0);

	/* If RMPADJUST succeeds, the guest is at VMPL 0, which alone may change VMPL 1's rights. */
	if (!rmpadjust((u64)&ghcb_page, RMPADJUST_VMPL1))
		return;
	if (!secrets->svsm_size)
		terminate(SEV_TERM_LINUX | LINUX_TERM_NO_SVSM);
	if (!secrets->svsm_guest_vmpl)
		terminate(SEV_TERM_LINUX | LINUX_TERM_SVSM_VMPL0);
	if (!secrets->svsm_area || secrets->svsm_area % PAGE_SIZE)
		terminate(SEV_TERM_LINUX | LINUX_TERM_SVSM_AREA);
	if (!(snp.features >> GHCB_HV_FEATURE_MULTI_VMPL_BIT & 1))
		terminate(SEV_TERM_LINUX | LINUX_TERM_NOT_VMPL0);
	snp.calling_area = secrets->svsm_area;
	leaf->regs.eax |= 1U << CPUID_SEV_EAX_SVSM_BIT;
}

/*
 * Runs the SVSM until it has done the call SVSM_CALL_PVALIDATE, whose list of pages is in
 * the calling area @area, and returns the call's result. vmgexit_svsm() sets area->pending,
 * and the SVSM clears it when it has run. If area->pending is still set, the hypervisor has
 * not run the SVSM, and the guest terminates.
 */
static u64 svsm_call(struct calling_area *area)
{
	u64 before = rdmsr(MSR_GHCB);
	u64 reply, result;

	do {
		wrmsr(MSR_GHCB, GHCB_MSR_VMPL_REQ);
		result = vmgexit_svsm(SVSM_CALL_PVALIDATE, (u64)&area->count,
				      &area->pending);
		reply = rdmsr(MSR_GHCB);
		wrmsr(MSR_GHCB, before);
		if (exchange_byte(&area->pending, 0) ||
		    reply != GHCB_MSR_VMPL_RESP)
			terminate(SEV_TERM_LINUX | LINUX_TERM_PVALIDATE);
	} while (result == SVSM_INCOMPLETE || result == SVSM_BUSY);
	return result;
}

/*
 * Lets the SVSM validate (@validate) or rescind @count pages from @addr on, of 2 MiB if
 * @large, else of 4 KiB. Returns the number of pages that are done: fewer than @count
 * if the reverse map table has the next page as pages of 4 KiB.
 */
static u32 svsm_pvalidate(u64 addr, bool large, u32 count, bool validate)
{
	struct calling_area *area = (void *)snp.calling_area;
	bool page = es.has_page;
	u64 result;
	u16 next;
	u32 i;

	/*
	 * Mark the GHCB page as in use during the call of the SVSM. A handler of #VC then
	 * terminates the guest, and does not overwrite the GHCB MSR, which the call needs.
	 */
	if (page)
		ghcb_begin();
	memset(&area->count, 0, sizeof(*area) - offsetof(struct calling_area, count));
	area->count = (u16)count;
	for (i = 0; i < count; i++)
		area->entries[i] = addr + i * (large ? PMD_SIZE : PAGE_SIZE) +
				   (large ? SVSM_LARGE : 0) +
				   (validate ? SVSM_VALIDATE : 0);
	result = svsm_call(area);
	next = READ_ONCE(area->next);
	if (page)
		ghcb_end();
	if (result == SVSM_SUCCESS)
		return count;
	if (!large || result != SVSM_FAIL_SIZE || next >= count)
		terminate(SEV_TERM_LINUX | LINUX_TERM_PVALIDATE);
	return next;
}

/* ---- The state of one page, by the MSR protocol. */

/*
 * Reads the first and the last byte of each page of 4 KiB in the @size bytes at
 * virtual address @addr, unless the processor's caches are coherent. The reads evict
 * cache lines that the hypervisor wrote before. Without them such a line could replace the
 * guest's data (CVE-2024-36331). The bytes themselves do not matter.
 */
static void evict(u64 addr, u64 size)
{
	if (snp.coherent)
		return;
	/*
	 * The virtual window in which a page of 2 MiB is mapped ends at 2^64. Its end
	 * thus wraps to 0, and the loop counts @size down instead.
	 */
	for (; size; addr += PAGE_SIZE, size -= PAGE_SIZE) {
		(void)*(const volatile u8 *)addr;
		(void)*(const volatile u8 *)(addr + PAGE_SIZE - 1);
	}
}

static void pvalidate_ghcb(bool validate)
{
	u64 page = (u64)&ghcb_page;

	if (snp.calling_area)
		svsm_pvalidate(page, false, 1, validate);
	else if (pvalidate(page, false, validate))
		terminate(SEV_TERM_LINUX | LINUX_TERM_PVALIDATE);
}

static void ask_ghcb_state(u64 state)
{
	u64 request = (u64)&ghcb_page | state << GHCB_MSR_PSC_STATE_SHIFT |
		      GHCB_MSR_PSC_REQ;

	if (msr_protocol(request, GHCB_MSR_PSC_RESP) >> GHCB_MSR_ERROR_SHIFT)
		terminate(SEV_TERM_LINUX | LINUX_TERM_PAGE_STATE);
}

/*
 * Flushes the page's cache lines, rescinds the page's validation and makes the page shared,
 * in the order that the specification requires (GHCB 2.5.1). The cache lines are flushed
 * first, because the guest cannot access the page once its validation is rescinded.
 */
void snp_share_ghcb(void)
{
	if (ident_map_flush((u64)&ghcb_page))
		terminate(SEVSTUB_TERM_GHCB_MAP);
	pvalidate_ghcb(false);
	ask_ghcb_state(GHCB_PSC_SHARED);
}

void snp_take_ghcb(void)
{
	ask_ghcb_state(GHCB_PSC_PRIVATE);
	pvalidate_ghcb(true);
	evict((u64)&ghcb_page, PAGE_SIZE);
	memset(&ghcb_page, 0, sizeof(ghcb_page));
}

void snp_check_features(void)
{
	u64 unknown = rdmsr(MSR_SEV_STATUS) & ~SEV_STATUS_KNOWN_SNP;

	if (!unknown)
		return;
	ghcb_begin();
	ghcb_exchange(SVM_VMGEXIT_TERMINATE,
		      GHCB_TERM_INFO(SEV_TERM_SET_GHCB, GHCB_TERM_SNP_FEATURES),
		      unknown);
	terminate(SEV_TERM_STANDARD | GHCB_TERM_SNP_FEATURES);
}

/* ---- Memory that the loader has not validated. */

/* The structure of a page state change, in the shared buffer (GHCB 4.1.6). */
struct page_states {
	u16 current;		/* index of the first entry not done */
	u16 last;		/* the last entry */
	u32 reserved_4;
	u64 entries[PAGE_STATE_ENTRIES];
};
BUILD_BUG_ON(sizeof(struct page_states) > GHCB_SHARED_BUFFER_SIZE);

/*
 * Pages to accept next: @count pages of one size, one after the other. @entry is the
 * first page's entry in struct page_states.
 */
struct run {
	u64 entry;
	u32 count;
};

/*
 * Greatest number of runs in a request. A run is pages one after the other (struct run). A
 * longer list would need more of the stub's memory, and would help only if runs are short:
 * if each run is one page, a request has only 32 pages, fewer than PAGE_STATE_ENTRIES.
 */
#define RUNS		32

/*
 * The pages to accept next. The list is in private memory. The stub never takes it from
 * the GHCB page's shared buffer, to which it is copied and which the hypervisor can change.
 */
static struct {
	u32 runs;
	/* Number of pages in all elements of run[], at most PAGE_STATE_ENTRIES. */
	u32 count;
	/* Bytes that the stub has accepted since its last message about accepted memory. */
	u64 unreported;
	struct run run[RUNS];
} batch;

/* The stub prints a message each time it has accepted another 4 GiB of memory. */
#define REPORT_BYTES	(_AC(4, UL) << 30)

static u64 page_size(u64 entry)
{
	return entry & PAGE_STATE_2M ? PMD_SIZE : PAGE_SIZE;
}

/* Writes the batch's entries to @to, but for the first @skip entries. */
static void write_entries(u64 *to, u32 skip)
{
	const struct run *run;
	u32 i;

	for (run = batch.run; run < batch.run + batch.runs; run++) {
		for (i = 0; i < run->count; i++) {
			if (skip)
				skip--;
			else
				*to++ = run->entry + i * page_size(run->entry);
		}
	}
}

/*
 * Asks the hypervisor to make the pages of the batch private. The hypervisor may do only a
 * part of a request. The stub then sends a request for the rest.
 */
static void change_states(void)
{
	struct page_states *p = (void *)shared_buffer();
	u32 done = 0, left, did;

	for (; done < batch.count; done += did) {
		left = batch.count - done;
		ghcb_begin();
		p->last = (u16)(left - 1);
		write_entries(p->entries, done);
		ghcb_input(sw_scratch, (u64)p);
		if (ghcb_exchange(SVM_VMGEXIT_PAGE_STATE, 0, 0) ||
		    ghcb_output(sw_exit_info_2))
			terminate(SEV_TERM_LINUX | LINUX_TERM_PAGE_STATE);
		did = READ_ONCE(p->current);
		ghcb_end();
		if (!did || did > left)
			terminate(SEV_TERM_LINUX | LINUX_TERM_PAGE_STATE);
	}
}

/*
 * Maps the page at physical address @addr at a window and validates it, unless the SVSM
 * has validated it. If the reverse map table has entries of 4 KiB for a page of 2 MiB,
 * validates each page of 4 KiB. Then evicts the page's cache lines.
 */
static void validate_page(u64 addr, bool large)
{
	u64 size = large ? PMD_SIZE : PAGE_SIZE, offset;
	u64 at = ident_map_window(addr, large);
	unsigned int result;

	if (!at)
		terminate(SEVSTUB_TERM_HANDED_OVER);
	result = snp.calling_area ? 0 : pvalidate(at, large, true);
	if (large && result == RMP_FAIL_SIZE) {
		result = 0;
		for (offset = 0; offset < size && !result; offset += PAGE_SIZE)
			result = pvalidate(at + offset, false, true);
	}
	if (result)
		terminate(SEV_TERM_LINUX | LINUX_TERM_PVALIDATE);
	evict(at, size);
}

/*
 * Lets the SVSM validate @count pages from @addr on, of 2 MiB if @large, else of 4 KiB. If
 * the SVSM stops at a page of 2 MiB, lets it validate that page in pieces of 4 KiB.
 */
static void validate_by_svsm(u64 addr, bool large, u32 count)
{
	u32 done;

	for (; count; addr += PMD_SIZE, count--) {
		done = svsm_pvalidate(addr, large, count, true);
		if (done == count)
			return;
		addr += done * PMD_SIZE;
		count -= done;
		svsm_pvalidate(addr, false, PTRS_PER_TABLE / 2, true);
		svsm_pvalidate(addr + PMD_SIZE / 2, false, PTRS_PER_TABLE / 2,
			       true);
	}
}

static void validate_run(const struct run *run)
{
	bool large = run->entry & PAGE_STATE_2M;
	u64 addr = run->entry & PTE_ADDR_MASK;
	u64 end = addr + run->count * page_size(run->entry);

	batch.unreported += end - addr;
	if (snp.calling_area) {
		validate_by_svsm(addr, large, run->count);
		/*
		 * The SVSM has validated all pages. With coherent caches no cache lines must be
		 * evicted either, so the stub need not map the pages.
		 */
		if (snp.coherent)
			return;
	}
	for (; addr < end; addr += page_size(run->entry))
		validate_page(addr, large);
}

void snp_accept_end(void)
{
	u32 i;

	change_states();
	for (i = 0; i < batch.runs; i++)
		validate_run(&batch.run[i]);
	ident_map_close_window();
	batch.runs = 0;
	batch.count = 0;
	if (batch.unreported < REPORT_BYTES)
		return;
	info("sevstub: SNP: %lu MiB of memory accepted\n",
	     batch.unreported >> 20);
	batch.unreported = 0;
}

/*
 * Adds a page to the batch. @entry is the page's entry in struct page_states. If the batch
 * is full, accepts its pages first.
 */
static void add_page(u64 entry)
{
	struct run *run;

	if (batch.count == PAGE_STATE_ENTRIES)
		snp_accept_end();
	run = &batch.run[batch.runs] - 1;
	if (!batch.runs ||
	    run->entry + run->count * page_size(run->entry) != entry) {
		if (batch.runs == RUNS)
			snp_accept_end();
		run = &batch.run[batch.runs++];
		*run = (struct run){ entry, 0 };
	}
	run->count++;
	batch.count++;
}

void snp_accept(struct range range)
{
	u64 addr = ALIGN_DOWN(range.start, PAGE_SIZE);
	u64 end = ALIGN_UP(range.end, PAGE_SIZE);
	u64 entry;

	for (; addr < end; addr += page_size(entry)) {
		entry = addr | _AC(GHCB_PSC_PRIVATE, ULL) << GHCB_MSR_PSC_STATE_SHIFT;
		if (!(addr % PMD_SIZE) && end - addr >= PMD_SIZE)
			entry |= PAGE_STATE_2M;
		add_page(entry);
	}
}

/*
 * Start and end of the memory in which a kernel that was not started by EFI looks for
 * tables of a BIOS, whatever the E820 map says.
 */
#define LEGACY_START	0xc0000UL
#define LEGACY_END	0x100000UL

/*
 * Stores in *@found the lowest memory at or above @from that the kernel may use: RAM, or
 * the memory of a BIOS. @from must be a multiple of 4096. Returns false if no more follows.
 */
static bool next_usable(const struct boot_params *bp, u64 from, struct range *found)
{
	u64 bios = from > LEGACY_START ? from : LEGACY_START;
	bool ram = e820_next_ram(bp, from, found);

	if (ram) {
		found->start = ALIGN_DOWN(found->start, PAGE_SIZE);
		found->end = ALIGN_UP(found->end, PAGE_SIZE);
	}
	if (bios >= LEGACY_END || (ram && found->start <= bios))
		return ram;
	if (!ram || found->start > LEGACY_END)
		found->start = LEGACY_END;
	*found = (struct range){ bios, found->start };
	return true;
}

/*
 * Stores in *@found the lowest memory at or above @from that next_usable() finds and that
 * the loader has not validated. Returns false if no more follows.
 */
static bool next_unvalidated(const struct boot_params *bp, u64 from, struct range *found)
{
	bool covered;
	u32 i;

	do {
		if (!next_usable(bp, from, found))
			return false;
		covered = false;
		for (i = 0; i < snp.validated_count; i++) {
			const struct validated *v = &snp.validated[i];

			if (v->start > found->start && v->start < found->end)
				found->end = v->start;
			if (v->start <= found->start && v->end > found->start) {
				covered = true;
				from = v->end;
			}
		}
	} while (covered);
	return true;
}

void snp_accept_ram(const struct boot_params *bp)
{
	struct range range = { 0, 0 };

	if (!snp.validated)
		return;
	/* If a wrong E820 map has RAM in the last page below 2^64, range.end wraps to 0: stop. */
	while (next_unvalidated(bp, range.end, &range) && range.end)
		snp_accept(range);
	snp_accept_end();
}

void snp_hand_over(struct boot_params *bp)
{
	bp->cc_blob_address = (u32)snp.blob;
}
