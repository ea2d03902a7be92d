/* SPDX-License-Identifier: MIT */
/*
 * cases_snp_access.c - accesses of an SEV-SNP guest to memory: #VC 0x404 for private
 * pages that are not validated, at each kind of access; accesses through the wrong
 * view; untouched pages; the rights of a VMPL.
 */
#include "snp.h"

#define RET			0xc3
#define UNTOUCHED		0x3000000UL	/* RAM that nothing uses */
#define FREE			((volatile u64 *)UNTOUCHED)
#define PATTERN			0x0123456789abcdefULL
#define TEST_PORT		0x80
#define LAPIC_VERSION		0xfee00030UL
/* Address of a page of firmware.S's image that the guest does not need. */
#define IMAGE			((volatile u64 *)0xffff0000UL)
#define VALID			(HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED)

static ALIGNED_PAGE u64 page[PAGE_SIZE / 8];
static ALIGNED_PAGE u8 code_page[PAGE_SIZE] = { RET };
static ALIGNED_PAGE u8 two_pages[2 * PAGE_SIZE];

static u64 flags_of(const volatile void *p)
{
	return hook(HOOK_RMP, (u64)p) & 0xff & ~HOOK_RMP_2M;
}

/*
 * Fails the case unless the access that @what names has raised exactly one #VC, and its
 * error code is 0x404. Clears vc.count for the next access.
 */
static void not_validated(const char *what)
{
	expect(what, vc.count, 1);
	expect("error code", vc.error_code, VC_NOT_VALIDATED);
	vc.count = 0;
}

CASE(na_read, "snp-404-read", CASE_SNP)
{
	u64 count = rmp_count(RMP_COUNT_NOT_VALIDATED);

	snp_validate((u64)page, false);
	vc.skip = true;
	try_read(page);
	not_validated("read");
	try_read((u8 *)page + PAGE_SIZE - 8);
	not_validated("read of the last word");
	expect("counted", rmp_count(RMP_COUNT_NOT_VALIDATED), count + 2);
	snp_validate((u64)page, true);
	try_read(page);
	expect("#VC count", vc.count, 0);
}

CASE(na_write, "snp-404-write", CASE_SNP)
{
	page[3] = PATTERN;
	snp_validate((u64)page, false);
	vc.skip = true;
	try_write(page + 3);
	not_validated("write");
	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "1:\tlock; incq (%0)\n2:" : : "r"(page + 3) : "memory", "cc");
	not_validated("read-modify-write");
	snp_validate((u64)page, true);
}

CASE(na_fetch, "snp-404-fetch", CASE_SNP)
{
	snp_validate((u64)code_page, false);
	vc.skip = true;
	try_fetch(code_page);
	not_validated("fetch");
	snp_validate((u64)code_page, true);
}

CASE(na_across, "snp-404-across-pages", CASE_SNP)
{
	snp_validate((u64)two_pages + PAGE_SIZE, false);
	vc.skip = true;
	try_read(two_pages + PAGE_SIZE - 4);
	not_validated("read across two pages");
	snp_validate((u64)two_pages + PAGE_SIZE, true);
}

/* An access that needs a page table which is not validated must raise #VC 0x404. */
CASE(na_walk, "snp-404-page-walk", CASE_SNP)
{
	u64 *pte = pte_of(UNTOUCHED + 8 * PAGE_2M), table = (u64)pte & ~0xfffUL;

	snp_validate(table, false);
	flush_tlb();
	vc.skip = true;
	try_read((void *)(UNTOUCHED + 8 * PAGE_2M));
	not_validated("page-table walk");
	snp_validate(table, true);
}

/*
 * The gate of #UD switches to a stack that is not validated. When the processor pushes the
 * frame of the #UD, the push raises #VC 0x404, which must be delivered instead of the #UD.
 */
CASE(na_stack, "snp-404-exception-stack", CASE_SNP)
{
	trap_arm(VECTOR_UD);
	idt_use_ist(VECTOR_UD, 1);
	snp_validate((u64)ist_stack, false);
	vc.skip = true;
	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "1:\tud2\n2:" : : : "memory");
	not_validated("exception frame");
	expect("#UD count", trap.count, 0);
	snp_validate((u64)ist_stack, true);
	idt_use_ist(VECTOR_UD, 0);
	trap_reset();
}

/*
 * The interrupt stack is not validated, so that the delivery of an exception on it raises
 * #VC 0x404. In the delivery of #PF, and also in the delivery of #VC, this must make a
 * double fault (APM2 8.2.9).
 */
CASE(na_double, "snp-404-double-fault", CASE_SNP)
{
	u64 *pte = pte_of((u64)page), old = *pte;

	*pte = 0;
	flush_tlb();
	trap_arm(VECTOR_DF);
	trap.resume = 0;
	trap.skip = 3;
	idt_use_ist(VECTOR_PF, 1);
	snp_validate((u64)ist_stack, false);
	asm volatile("movq (%0), %%rax" : : "r"(page) : "rax", "memory");
	expect("#DF count", trap.count, 1);
	expect("vector", trap.vector, VECTOR_DF);
	idt_use_ist(VECTOR_PF, 0);
	*pte = old;
	flush_tlb();

	trap.skip = 2;
	idt_use_ist(VECTOR_VC, 1);
	asm volatile("cpuid" : : "a"(0), "c"(0) : "rbx", "rdx");
	idt_use_ist(VECTOR_VC, 0);
	expect("#DF count", trap.count, 2);
	expect("#VC count", vc.count, 0);
	snp_validate((u64)ist_stack, true);
	trap_reset();
}

/*
 * The bytes of OUTS are in a page that is not validated. The #VC handler for OUTS reads
 * them, and this read raises #VC 0x404 in the handler.
 */
CASE(na_string, "snp-404-string-io", CASE_SNP)
{
	const void *p = page;
	u64 count = 16;

	snp_validate((u64)page, false);
	vc.validate = (u64)page;
	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "1:\trep; outsb\n2:"
		     : "+S"(p), "+c"(count) : "d"(TEST_PORT) : "memory");
	expect("#VC 0x404", vc.not_validated, 1);
	expect("all #VC", vc.count, 2);
	expect("bytes left", count, 0);
}

/*
 * WBINVD lies at the end of a page. To decode it, sevemu reads more bytes than WBINVD
 * has. sevemu must not take this read for an access of the guest to the next page, which
 * is first shared and then not validated.
 */
CASE(page_end, "snp-instruction-at-page-end", CASE_SNP)
{
	u8 *wbinvd = two_pages + PAGE_SIZE - 2;

	wbinvd[0] = 0x0f;
	wbinvd[1] = 0x09;
	make_shared(two_pages + PAGE_SIZE);
	vc.skip = true;
	try_fetch(wbinvd);
	expect("#VC count", vc.count, 1);
	expect("error code", vc.error_code, SVM_EXIT_WBINVD);
	make_private(two_pages + PAGE_SIZE);
	snp_validate((u64)two_pages + PAGE_SIZE, false);
	try_fetch(wbinvd);
	expect("#VC count", vc.count, 2);
	expect("error code", vc.error_code, SVM_EXIT_WBINVD);
	snp_validate((u64)two_pages + PAGE_SIZE, true);
}

/* ---- Private and shared ---- */

CASE(contents, "snp-contents-do-not-survive", CASE_SNP)
{
	volatile u64 *view = shared(page);
	u64 i, same;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		page[i] = PATTERN + i;
	make_shared(page);
	for (i = same = 0; i < PAGE_SIZE / 8; i++)
		same += view[i] == PATTERN + i;
	expect("words that became visible", same, 0);
	make_private(page);
	for (i = same = 0; i < PAGE_SIZE / 8; i++)
		same += page[i] == PATTERN + i;
	expect("words that came back", same, 0);
	expect("host reads plaintext", hook(HOOK_FRAME_READ, (u64)page) == page[0], false);
}

CASE(shared_data, "snp-shared-is-shared", CASE_SNP)
{
	make_shared(page);
	shared(page)[7] = PATTERN;
	expect("host's view", hook(HOOK_FRAME_READ, (u64)&page[7]), PATTERN);
	expect("state", hook(HOOK_FRAME_STATE, (u64)page), HOOK_FRAME_SHARED);
	expect("flags", flags_of(page), 0);
	make_private(page);
	expect("state", hook(HOOK_FRAME_STATE, (u64)page), HOOK_FRAME_PRIVATE);
	expect("flags", flags_of(page), VALID);
}

CASE(became_private, "snp-private-not-validated", CASE_SNP)
{
	make_shared(page);
	page_state((u64)page, STATE_PRIVATE);
	expect("flags", flags_of(page), HOOK_RMP_ASSIGNED);
	vc.skip = true;
	try_read(page);
	not_validated("read");
	snp_validate((u64)page, true);
}

/*
 * The processor reads a page table as private memory even if CR3 points to it without the
 * C-bit (APM2 15.34.5). sevemu must let the guest go on, and HOOK_FRAME_STATE must tell that
 * the table is private but was read without the C-bit (HOOK_FRAME_NOTED).
 */
CASE(noted, "snp-c0-page-table", CASE_SNP)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	asm volatile("mov %0, %%cr3" : : "r"(cr3 & ~machine.cmask) : "memory");
	expect("state", hook(HOOK_FRAME_STATE, cr3 & ~machine.cmask & ~0xfffUL),
	       HOOK_FRAME_NOTED);
	asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

/* ---- Untouched pages: the loader has neither validated nor shared them ---- */

CASE(untouched_private, "snp-untouched-private", CASE_SNP | CASE_LOADED)
{
	volatile u64 *p = FREE;
	u64 count = rmp_count(RMP_COUNT_TOUCHED);

	expect("flags", flags_of(p), HOOK_RMP_UNTOUCHED);
	vc.skip = true;
	try_read(p);
	not_validated("read");
	expect("flags", flags_of(p), HOOK_RMP_ASSIGNED);
	expect("counted", rmp_count(RMP_COUNT_TOUCHED), count + 1);
	snp_validate((u64)p, true);
	expect("contents", try_read(p), 0);
}

CASE(untouched_pvalidate, "snp-untouched-pvalidate", CASE_SNP | CASE_LOADED)
{
	volatile u64 *p = FREE + PAGE_2M / 8;

	snp_validate((u64)p, true);
	expect("flags", flags_of(p), VALID);
	expect("contents", try_read(p), 0);
}

CASE(untouched_shared, "snp-untouched-shared", CASE_SNP | CASE_LOADED | CASE_STRICT_CONVERT)
{
	volatile u64 *p = FREE + 2 * PAGE_2M / 8;
	u64 count = rmp_count(RMP_COUNT_TOUCHED);

	shared((void *)p)[0] = PATTERN;
	expect("flags", flags_of(p), 0);
	expect("counted", rmp_count(RMP_COUNT_TOUCHED), count + 1);
	expect("host's view", hook(HOOK_FRAME_READ, (u64)p), PATTERN);
}

CASE(untouched_state, "snp-untouched-page-state", CASE_SNP | CASE_LOADED)
{
	volatile u64 *p = FREE + 3 * PAGE_2M / 8;

	expect("response", page_state((u64)p, STATE_SHARED), RESP_PAGE_STATE);
	expect("flags", flags_of(p), 0);
	expect("contents", shared((void *)p)[0], 0);
	p += PAGE_SIZE / 8;
	expect("response", page_state((u64)p, STATE_PRIVATE), RESP_PAGE_STATE);
	expect("flags", flags_of(p), HOOK_RMP_ASSIGNED);
}

CASE(untouched_2m, "snp-untouched-2m", CASE_SNP | CASE_VMPL0 | CASE_LOADED | CASE_2M)
{
	u64 gpa = UNTOUCHED + 4 * PAGE_2M;

	expect("EAX", pvalidate(gpa, SNP_2M, SNP_VALIDATE).eax, SNP_SUCCESS);
	expect("first page", hook(HOOK_RMP, gpa), VALID | HOOK_RMP_2M);
	expect("last page", hook(HOOK_RMP, gpa + PAGE_2M - 1), VALID | HOOK_RMP_2M);
}

/*
 * With --rmp 2m the host assigns 2 MiB by one RMP entry only if all pages of the 2 MiB
 * are untouched. Here the guest first makes one page shared, so PVALIDATE of 2 MiB must
 * fail with SNP_FAIL_SIZE.
 */
CASE(untouched_2m_part, "snp-untouched-2m-in-part", CASE_SNP | CASE_VMPL0 | CASE_LOADED | CASE_2M)
{
	u64 gpa = UNTOUCHED + 21 * PAGE_2M;

	page_state(gpa + 7 * PAGE_SIZE, STATE_SHARED);
	expect("EAX", pvalidate(gpa, SNP_2M, SNP_VALIDATE).eax, SNP_FAIL_SIZE);
	expect("first page", hook(HOOK_RMP, gpa), HOOK_RMP_ASSIGNED);
	expect("shared page", hook(HOOK_RMP, gpa + 7 * PAGE_SIZE), 0);
	expect("page after it", hook(HOOK_RMP, gpa + 8 * PAGE_SIZE), HOOK_RMP_UNTOUCHED);
}

/*
 * Accepts memory page by page: for each page requests a page state change by the MSR
 * protocol, and executes PVALIDATE. A boot stage must accept its memory in this way if no
 * list tells it which memory is validated. Each page must cost at most two exits.
 */
CASE(accept, "snp-accept-memory", CASE_SNP | CASE_VMPL0 | CASE_LOADED | CASE_4K)
{
	u64 start = UNTOUCHED + 5 * PAGE_2M, end = start + 16 * PAGE_2M, gpa, request;
	u64 exits = hook(HOOK_COUNT, HOOK_COUNT_EXITS);
	u32 low, high, bad = 0;

	for (gpa = start; gpa < end; gpa += PAGE_SIZE) {
		request = gpa | 1ULL << 52 | REQ_PAGE_STATE;
		asm volatile("wrmsr; rep; vmmcall; rdmsr"
			     : "=a"(low), "=d"(high)
			     : "c"(MSR_GHCB), "0"((u32)request), "1"((u32)(request >> 32))
			     : "memory");
		bad += low != RESP_PAGE_STATE || high;
		bad += pvalidate(gpa, SNP_4K, SNP_VALIDATE).eax != SNP_SUCCESS;
	}
	exits = hook(HOOK_COUNT, HOOK_COUNT_EXITS) - exits;
	expect("refused", bad, 0);
	note("exits", exits);
	if (exits > 2 * (end - start) / PAGE_SIZE + 2)
		fail("a page costs more than two exits");
	expect("last page", flags_of((void *)(end - 1)), VALID);
	try_write((void *)start);
	expect("#VC count", vc.count, 0);
}

/* ---- --snp-convert=implicit ---- */

CASE(implicit_shared, "snp-implicit-shared", CASE_SNP | CASE_IMPLICIT)
{
	u64 count = rmp_count(RMP_COUNT_IMPLICIT);

	page[0] = PATTERN;
	expect("plaintext", shared(page)[0] == PATTERN, false);
	expect("flags", flags_of(page), 0);
	expect("counted", rmp_count(RMP_COUNT_IMPLICIT), count + 1);
	vc.skip = true;
	try_read(page);
	not_validated("private read");
	expect("flags", flags_of(page), HOOK_RMP_ASSIGNED);
	expect("counted", rmp_count(RMP_COUNT_IMPLICIT), count + 2);
	snp_validate((u64)page, true);
}

CASE(implicit_pvalidate, "snp-implicit-pvalidate", CASE_SNP | CASE_VMPL0 | CASE_IMPLICIT)
{
	make_shared(page);
	snp_validate((u64)page, true);
	expect("flags", flags_of(page), VALID);
}

/* ---- The firmware image: the suite runs the test guest as firmware in these cases ---- */

/*
 * Maps the page at @p of the firmware image: with the C-bit if @private, otherwise
 * without it.
 */
static void map_image(const volatile void *p, bool private)
{
	u64 *pte = pte_of((u64)p);

	*pte = (*pte & ~machine.cmask) | (private ? machine.cmask : 0);
	flush_tlb();
}

CASE(image_read, "ends-image-read", CASE_SNP | CASE_ENDS)
{
	volatile u64 *image = IMAGE;
	u64 word;

	map_image(image, true);
	expect("flags", flags_of(image), VALID);
	word = image[0];
	map_image(image, false);
	expect("the bytes through C=0", image[0], word);
	expect("flags", flags_of(image), 0);
}

CASE(image_written, "ends-image-written", CASE_SNP | CASE_ENDS)
{
	volatile u64 *image = IMAGE;

	map_image(image, true);
	image[1] = PATTERN;
	map_image(image, false);
	try_read(image);
	fail("it goes on");
}

/*
 * The guest may read a page of the launch image with C=0, which makes the page shared, if it
 * has not written to it. Here it has written to the page, rescinded the page and validated
 * it again. sevemu must still know of the write and end the run at the read with C=0,
 * because a shared page would show the host what the guest has written.
 */
CASE(image_validated, "ends-image-validated-again", CASE_SNP | CASE_ENDS)
{
	volatile u64 *image = IMAGE;

	map_image(image, true);
	image[1] = PATTERN;
	snp_validate((u64)image, false);
	snp_validate((u64)image, true);
	map_image(image, false);
	try_read(image);
	fail("it goes on");
}

/* ---- Accesses at which sevemu ends the run. The suite runs each case by its name. ---- */

CASE(end_c0_read, "ends-shared-read-of-private", CASE_SNP | CASE_ENDS)
{
	try_read(shared(page));
	fail("it goes on");
}

/*
 * The page becomes shared, the guest reads it with C=0, and it becomes private again.
 * sevemu must end the run at the second read with C=0, as if the page had never been
 * shared.
 */
CASE(end_c0_again, "ends-shared-read-of-private-again", CASE_SNP | CASE_ENDS)
{
	make_shared(page);
	try_read(shared(page));
	make_private(page);
	try_read(shared(page));
	fail("it goes on");
}

CASE(end_c0_write, "ends-shared-write-of-private", CASE_SNP | CASE_ENDS)
{
	try_write(shared(page));
	fail("it goes on");
}

CASE(end_c1_read, "ends-private-read-of-shared", CASE_SNP | CASE_ENDS)
{
	make_shared(page);
	try_read(page);
	fail("it goes on");
}

/*
 * The guest reads a private page. Without rescinding the page's validation, the guest then
 * requests the state shared. The next read of the page with C=1 must end the run.
 */
CASE(end_c1_late, "ends-private-read-not-rescinded", CASE_SNP | CASE_ENDS)
{
	try_read(page);
	page_state((u64)page, STATE_SHARED);
	try_read(page);
	fail("it goes on");
}

CASE(end_c1_write, "ends-private-write-of-shared", CASE_SNP | CASE_ENDS)
{
	make_shared(page);
	try_write(page);
	fail("it goes on");
}

CASE(end_c1_fetch, "ends-private-fetch-of-shared", CASE_SNP | CASE_ENDS)
{
	make_shared(code_page);
	try_fetch((const void *)shared(code_page));
	fail("it goes on");
}

CASE(end_c1_walk, "ends-private-walk-of-shared", CASE_SNP | CASE_ENDS)
{
	u64 *pte = pte_of(UNTOUCHED + 8 * PAGE_2M);

	make_shared((void *)((u64)pte & ~0xfffUL));
	try_read((void *)(UNTOUCHED + 8 * PAGE_2M));
	fail("it goes on");
}

CASE(end_c1_device, "ends-private-device", CASE_SNP | CASE_ENDS)
{
	*pte_of(LAPIC_VERSION) |= machine.cmask;
	flush_tlb();
	try_read((void *)LAPIC_VERSION);
	fail("it goes on");
}

CASE(end_untouched_c0, "ends-shared-read-of-untouched", CASE_SNP | CASE_ENDS)
{
	try_read(shared((void *)FREE));
	fail("it goes on");
}

/* ---- A guest that ends because of #VC 0x404. sevemu's message must name the access. ---- */

/* Asks for termination, as a guest does that cannot handle #VC 0x404. */
NORETURN static void give_up(void)
{
	vmgexit_at(REQ_TERMINATE);
	for (;;)
		asm volatile("cli; hlt");
}

CASE(end_404_write, "ends-404-write", CASE_SNP | CASE_ENDS)
{
	snp_validate((u64)page, false);
	vc.skip = true;
	try_write(page);
	give_up();
}

CASE(end_404_fetch, "ends-404-fetch", CASE_SNP | CASE_ENDS)
{
	snp_validate((u64)code_page, false);
	vc.skip = true;
	try_fetch(code_page);
	give_up();
}

CASE(end_404_walk, "ends-404-walk", CASE_SNP | CASE_ENDS)
{
	u64 *pte = pte_of(UNTOUCHED + 8 * PAGE_2M), table = (u64)pte & ~0xfffUL;

	snp_validate(table, false);
	flush_tlb();
	vc.skip = true;
	try_read((void *)(UNTOUCHED + 8 * PAGE_2M));
	give_up();
}

CASE(end_404_no_idt, "ends-404-no-idt", CASE_SNP | CASE_ENDS)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	snp_validate((u64)page, false);
	asm volatile("lidt %0" : : "m"(none));
	try_read(page);
	fail("it goes on");
}

CASE(end_404, "ends-404-without-gate", CASE_SNP | CASE_ENDS)
{
	snp_validate((u64)page, false);
	idt_set_present(VECTOR_VC, false);
	try_read(page);
	fail("it goes on");
}

/* ---- The rights of the guest's VMPL ---- */

/* Makes sevemu remove @right to the page at @p from the rights of the guest's own VMPL. */
static void lose(const void *p, u64 right)
{
	hook2(HOOK_RMP_SET, (u64)p, rmp_of(p) & ~(right << machine.vmpl * 8));
}

CASE(rights_kept, "snp-rights-kept", CASE_SNP | CASE_SVSM)
{
	u64 entry = rmp_of(page);

	expect("own rights", entry >> machine.vmpl * 8 & 0xff, SNP_ALL);
	lose(page, SNP_WRITE | SNP_EXECUTE);
	try_read(page);
	hook2(HOOK_RMP_SET, (u64)page, entry);
	try_write(page);
	expect("#VC count", vc.count, 0);
}

CASE(end_right_read, "ends-vmpl-read", CASE_SNP | CASE_ENDS)
{
	lose(page, SNP_READ);
	try_read(page);
	fail("it goes on");
}

CASE(end_right_write, "ends-vmpl-write", CASE_SNP | CASE_ENDS)
{
	lose(page, SNP_WRITE);
	try_read(page);
	try_write(page);
	fail("it goes on");
}

/*
 * The guest's VMPL may write to the page and not read it. No nested page table entry can
 * allow this, so sevemu must end the run with a message.
 */
CASE(end_right_write_only, "ends-vmpl-write-only", CASE_SNP | CASE_ENDS)
{
	lose(page, SNP_READ);
	try_write(page);
	fail("it goes on");
}

CASE(end_right_walk, "ends-vmpl-walk", CASE_SNP | CASE_ENDS)
{
	u64 *pte = pte_of(UNTOUCHED + 8 * PAGE_2M);

	lose(pte, SNP_WRITE);
	flush_tlb();
	try_read((void *)(UNTOUCHED + 8 * PAGE_2M));
	fail("it goes on");
}

CASE(end_right_fetch, "ends-vmpl-fetch", CASE_SNP | CASE_ENDS)
{
	lose(code_page, SNP_EXECUTE);
	try_fetch(code_page);
	fail("it goes on");
}

CASE(end_right_half, "ends-vmpl-fetch-half", CASE_SNP | CASE_ENDS)
{
	lose(code_page, SNP_EXECUTE_USER);
	try_fetch(code_page);
	fail("it goes on");
}
