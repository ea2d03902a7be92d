/* SPDX-License-Identifier: MIT */
/*
 * test_sev_snp.c - tests sev-snp.c: reading the blob and the CPUID page, CPUID in the #VC
 * handlers of stages 1 and 2, sharing the GHCB page of an SNP guest, unknown features,
 * accepting memory, and calls of the SVSM.
 *
 * The loader's data lie in the guest's memory of scripted_host.h. PVALIDATE, RMPADJUST and
 * the SVSM are fakes. The fakes of PVALIDATE and of the SVSM append a line to @trace. The
 * fake of PVALIDATE translates its operand by the stub's page tables.
 */
#define _GNU_SOURCE		/* REG_ERR */
#define OWN_SNP
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "scripted_host.h"
#include "snp_handover.h"

static struct boot_params *zero_page(void)
{
	return (void *)ZERO_PAGE;
}

static u64 add_leaf(u32 function, u32 index, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	return put_leaf(function, index, (const u32[]){ eax, ebx, ecx, edx });
}

/*
 * Makes the loader's list of validated ranges from @pairs: the start and the end of each
 * range. The pair 0, 0 ends @pairs.
 */
static void list(const u64 *pairs)
{
	unsigned int n = 0;

	for (; pairs[n] || pairs[n + 1]; n += 2) {
		put_at(LIST_NODE + 16 + 8 * n, pairs[n], 8);
		put_at(LIST_NODE + 24 + 8 * n, pairs[n + 1], 8);
	}
	put_at(BLOB_NODE, LIST_NODE, 8);
	put_node(LIST_NODE, 0, NODE_VALIDATED, 8 * n);
}

static char trace[4096];
static struct {
	unsigned int rmpadjust;		/* result of RMPADJUST */
	/* PVALIDATE number @failing, counted from 0, has the result @result. */
	unsigned int failing, result;
	unsigned int done;		/* PVALIDATEs so far */
	/*
	 * true: PVALIDATE of a page of 2 MiB fails, also in the SVSM, as if the reverse map
	 * table had entries of 4 KiB.
	 */
	bool small_rmp;
	bool no_svsm;			/* the SVSM does not run */
	u64 svsm_reply;			/* GHCB MSR after a call of the SVSM */
	/* If not 0, the result of the SVSM's next call. 0: the fake SVSM does the call. */
	u64 svsm_result;
	/* The SVSM answers this number of calls with "busy" or "incomplete" first. */
	unsigned int svsm_busy;
	/*
	 * If @svsm_result is not 0, the fake SVSM stores @svsm_next in the calling area, as
	 * the number of pages that it has handled, and then returns @svsm_result.
	 */
	u16 svsm_next;
	/*
	 * true: PVALIDATE of the GHCB page makes the page inaccessible to the test, so that
	 * FAULT_OF() finds the stub's first access to the page.
	 */
	bool hides;
} snp_host;

static void note(const char *fmt, ...)
{
	size_t len = strlen(trace);
	va_list args;

	va_start(args, fmt);
	vsnprintf(trace + len, sizeof(trace) - len, fmt, args);
	va_end(args);
}

unsigned int rmpadjust(u64 addr, u64 target)
{
	CHECK(addr == (u64)&ghcb_page && target == 1, "%#lx, %#lx", addr, target);
	return snp_host.rmpadjust;
}

unsigned int pvalidate(u64 addr, bool large, bool validate)
{
	walked at = lookup(addr);
	unsigned int level = level_of(at);
	u64 entry = *entry_of(at);
	u64 offset = addr & ((1UL << (3 + 9 * level)) - 1);

	CHECK(is_leaf(entry, level) && entry >> 51 & 1, "entry %#lx", entry);
	CHECK(!large || level == 2, "2 MiB at level %u", level);
	if (snp_host.done++ == snp_host.failing)
		return snp_host.result;
	if (large && snp_host.small_rmp)
		return 6;
	entry &= 0x0007fffffffff000;
	entry = (entry & ~((1UL << (3 + 9 * level)) - 1)) + offset;
	if (entry == (u64)&ghcb_page && snp_host.hides)
		mprotect(&ghcb_page, PAGE_SIZE, PROT_NONE);
	if (entry == (u64)&ghcb_page)
		note("%s ghcb\n", validate ? "validate" : "rescind");
	else if (large || level == 1)
		note("%s %s %lx\n", validate ? "validate" : "rescind",
		     large ? "2M" : "4K", entry);
	return 0;
}

/*
 * Stands for a call of the SVSM by VMGEXIT. At the SVSM's call PVALIDATE, appends the first
 * and the last page of the list in the calling area to @trace. Fails the case at any other
 * call.
 */
u64 vmgexit_svsm(u64 call, u64 argument, u8 *pending)
{
	u8 *area = (void *)AREA;
	u16 count, next;
	u64 entry;

	CHECK(call == 1 && argument == AREA + 8, "call %#lx, %#lx", call, argument);
	CHECK(host.msr == 0x16, "MSR %#lx", host.msr);
	/*
	 * In the stub, the instruction before VMGEXIT sets *@pending, once RAX and RCX are
	 * loaded. The byte must be 0 until then.
	 */
	CHECK(pending == area && !area[0] && !area[1], "pending %u", area[0]);
	*pending = 1;
	CHECK(es.busy == es.has_page, "a #VC could use the GHCB MSR%s", "");
	host.msr = snp_host.svsm_reply;
	/*
	 * The SVSM has not run, so *@pending is still 1. The stub must notice this,
	 * whatever the result of the call is.
	 */
	if (snp_host.no_svsm)
		return snp_host.svsm_result;
	area[0] = 0;
	if (snp_host.svsm_busy) {
		snp_host.svsm_busy--;
		return snp_host.svsm_busy % 2 ? 0x80000000 : 0x80000007;
	}
	memcpy(&count, area + 8, 2);
	memcpy(&next, area + 10, 2);
	CHECK(count && count <= 510 && !next && !(get(area, 8) >> 32),
	      "%u entries from %u", count, next);
	if (snp_host.svsm_result) {
		memcpy(area + 10, &snp_host.svsm_next, 2);
		entry = snp_host.svsm_result;
		snp_host.svsm_result = 0;
		return entry;
	}
	for (; next < count; next++) {
		entry = get(area, 16 + 8 * next);
		if (entry & 1 && snp_host.small_rmp) {
			memcpy(area + 10, &next, 2);
			return 0x80001006;
		}
		CHECK(!(entry & 0xffa), "entry %#lx", entry);
		if (!next || next == count - 1)
			note("svsm %s %s %lx of %u\n", entry & 4 ? "validate" : "rescind",
			     entry & 1 ? "2M" : "4K", entry & ~0xfffUL, count);
	}
	return 0;
}

/* ---- starting a case ---- */

/*
 * Starts a case with the stub's variables as sev_detect() leaves them in an SNP guest. The
 * loader has handed over all that the stub needs.
 */
static void start_snp(void)
{
	start_stage1();
	memset(&snp, 0, sizeof(snp));
	memset(&batch, 0, sizeof(batch));
	memset(&snp_host, 0, sizeof(snp_host));
	snp_host.failing = ~0U;
	snp_host.svsm_reply = 0x17;
	snp_efi_blob = 0;
	trace[0] = '\0';
	said = 0;
	host.msr = 0x7e5f3000;
	host.sev_status = 7;
	sev_guest.status = 7;
	sev_guest.cbit = 51;
	sev_guest.known = true;
	es.version = 2;
	hand_over();
}

static void expect_features(u64 features)
{
	expect_msr(0x80, features << 12 | 0x81);
}

/* Must be called after start_snp(). Lets the stub read what the loader has handed over. */
static void read_all(void)
{
	expect_features(1);
	snp_start(zero_page());
	CHECK(host.at == host.count, "%u exchanges", host.at);
	snp_keep_cpuid();
}

static u64 ghcb_request(u64 low, u64 state)
{
	return (u64)&ghcb_page | state << 52 | low;
}

/* Must be called after read_all(). Lets the stub build page tables and share its GHCB page. */
static void share(void)
{
	make_map();
	snp_find_vmpl();
	expect_msr(ghcb_request(0x14, 2), 0x15);
	expect_msr(ghcb_request(0x12, 0), ghcb_request(0x13, 0));
	snp_share_ghcb();
	sev_es_setup_ghcb(&bp);
	CHECK(host.at == host.count, "%u exchanges", host.at);
}

#define EXPECT_SNP_END(stmt, code)	EXPECT_END(stmt, 1U, (unsigned int)code)

/* ---- blob and CPUID page ---- */

TEST(all_is_found)
{
	const char *what;
	struct range page;

	start_snp();
	read_all();
	CHECK(snp_page(0, &what, &page) && page.start == BLOB, "%#lx", page.start);
	CHECK(snp_page(1, &what, &page) && page.start == CPUID_PAGE &&
	      page.end == CPUID_PAGE + PAGE_SIZE, "%#lx", page.start);
	CHECK(snp_page(2, &what, &page) && page.start == SECRETS, "%#lx", page.start);
	CHECK(snp_page(3, &what, &page) && page.start == page.end, "%#lx", page.start);
	CHECK(!snp_page(4, &what, &page), "more pages");
	snp_hand_over(zero_page());
	CHECK(zero_page()->cc_blob_address == BLOB, "%#x",
	      zero_page()->cc_blob_address);

	/* EFI's table comes first. */
	start_snp();
	zero_page()->hdr.setup_data = 0;
	snp_efi_blob = BLOB;
	read_all();
	CHECK(snp.blob == BLOB, "%#lx", snp.blob);
	start_snp();
	snp_efi_blob = BLOB;
	put_at(BLOB_NODE + 16, SECRETS, 4);
	read_all();
	CHECK(snp.blob == BLOB, "%#lx", snp.blob);
}

/*
 * Each row changes one word of what the loader hands over. The stub must terminate the
 * guest with the row's reason set and reason code.
 */
TEST(wrong_blob_or_page)
{
	static const struct {
		u64 at;
		u32 value;
		unsigned int set, code;
	} rows[] = {
		{ BLOB_NODE + 8, 1, 0, 2 }, { BLOB_NODE + 12, 3, 0, 2 },
		{ BLOB_NODE + 16, 0, 0, 2 }, { BLOB_NODE + 16, ~0U, 0, 2 },
		{ BLOB, 0x45444d40, 0, 2 }, { BLOB + 24, 0, 1, 4 },
		{ BLOB + 24, CPUID_PAGE + 16, 1, 4 },
		{ BLOB + 8, 0, 1, 6 }, { BLOB + 8, SECRETS + 8, 1, 6 },
		{ BLOB + 16, PAGE_SIZE - 1, 1, 6 }, { BLOB + 16, 2 * PAGE_SIZE, 1, 6 },
		{ BLOB + 32, PAGE_SIZE - 1, 1, 4 }, { CPUID_PAGE, 0, 1, 4 },
		{ CPUID_PAGE, 65, 1, 4 }, { CPUID_PAGE, ~0U, 1, 4 },
		{ CPUID_PAGE + 16, 0x8000001e, 2, 4 },
		{ CPUID_PAGE + 40, SEV_LEAF_EAX & ~(1 << 1), 2, 4 },
		{ CPUID_PAGE + 40, SEV_LEAF_EAX & ~(1 << 3), 2, 4 },
		{ CPUID_PAGE + 40, SEV_LEAF_EAX & ~(1 << 4), 2, 4 },
		{ CPUID_PAGE + 44, SEV_LEAF_EBX - 1, 2, 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		start_snp();
		put_at(rows[i].at, rows[i].value, 4);
		EXPECT_END(snp_start(zero_page()), rows[i].set, rows[i].code);
	}
	start_snp();
	zero_page()->hdr.setup_data = 0;
	EXPECT_END(snp_start(zero_page()), 0U, 2U);
	/*
	 * The address of the CPUID page is not a multiple of 4096. The bytes at this
	 * address are a valid CPUID page, so that only the address is wrong.
	 */
	start_snp();
	put_at(CPUID_PAGE + 48, 1, 4);
	add_leaf(SEV_LEAF, 0, SEV_LEAF_EAX, SEV_LEAF_EBX, 0, 0);
	put_at(BLOB + 24, CPUID_PAGE + 48, 8);
	EXPECT_SNP_END(snp_start(zero_page()), 4);
}

TEST(hypervisor_without_snp)
{
	start_snp();
	expect_features(~1UL & 0xff);
	EXPECT_END(snp_start(zero_page()), 0U, 2U);
	start_snp();
	expect_msr(0x80, 0x80);
	EXPECT_OWN_END(snp_start(zero_page()), 8);
}

TEST(setup_data_loops)
{
	start_snp();
	put_node(BLOB_NODE, BLOB_NODE, 0, 0);
	EXPECT_END(snp_start(zero_page()), 0U, 2U);
}

/* ---- the list of validated memory ---- */

TEST(validated_list)
{
	start_snp();
	list((const u64[]){ 0x1000, 0x3000, 0x5000, 0x6000, 0x3000, 0x5000, 0, 0 });
	read_all();
	CHECK(snp_is_validated((struct range){ 0x1000, 0x6000 }), "not all");
	CHECK(snp_is_validated((struct range){ 0x4fff, 0x5001 }), "not two");
	CHECK(!snp_is_validated((struct range){ 0x1000, 0x6001 }), "too much");
	CHECK(!snp_is_validated((struct range){ 0xfff, 0x2000 }), "too low");
	start_snp();
	read_all();
	CHECK(snp_is_validated((struct range){ 0, ~0UL }), "no list");
}

TEST(wrong_validated_list)
{
	static const u64 lists[][4] = {
		{ 0x1001, 0x3000, 0, 0 }, { 0x1000, 0x3800, 0, 0 },
		{ 0x1000, 0x1000, 0, 0 }, { 0x2000, 0x1000, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		start_snp();
		list(lists[i]);
		EXPECT_OWN_END(snp_start(zero_page()), 22);
	}
	start_snp();
	list((const u64[]){ 0x1000, 0x3000, 0, 0 });
	put_at(LIST_NODE + 12, 15, 4);
	EXPECT_OWN_END(snp_start(zero_page()), 22);
	/* A second list. */
	start_snp();
	list((const u64[]){ 0x1000, 0x3000, 0, 0 });
	put_at(LIST_NODE, LIST_NODE + 0x100, 8);
	put_node(LIST_NODE + 0x100, 0, NODE_VALIDATED, 0);
	EXPECT_OWN_END(snp_start(zero_page()), 22);
}

/* ---- CPUID ---- */

static void check_cpuid_is(u32 function, u32 index, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	struct cpuid_regs regs, mask;

	snp_cpuid(function, index, &regs, &mask);
	CHECK(regs.eax == eax && regs.ebx == ebx && regs.ecx == ecx && regs.edx == edx,
	      "%#x.%u: %#x %#x %#x %#x", function, index, regs.eax, regs.ebx, regs.ecx,
	      regs.edx);
	CHECK(!(mask.eax | mask.ebx | mask.ecx | mask.edx), "the host is asked");
}

TEST(cpuid_leaves)
{
	static const u32 with[] = {
		4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f,
		0x24, 0x8000001d,
	};
	unsigned int i;

	start_snp();
	add_leaf(0, 0, 0xd, 1, 2, 3);
	add_leaf(0x80000000, 0, 0x8000001f, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(with); i++)
		add_leaf(with[i], 2, 4, i, 0, 0);
	read_all();
	check_cpuid_is(0, 0, 0xd, 1, 2, 3);
	check_cpuid_is(0, 5, 0xd, 1, 2, 3);
	check_cpuid_is(2, 0, 0, 0, 0, 0);
	check_cpuid_is(0x40000000, 0, 0, 0, 0, 0);
	check_cpuid_is(0x8000001f, 9, SEV_LEAF_EAX, SEV_LEAF_EBX, 0, 0);
	for (i = 0; i < ARRAY_SIZE(with); i++) {
		check_cpuid_is(with[i], 1, 0, 0, 0, 0);
		if (with[i] != 0xb && with[i] != 7)
			check_cpuid_is(with[i], 2, 4, i, 0, 0);
	}
}

/*
 * Some results of CPUID depend on the guest's own registers: OSPKE in leaf 7 on CR4, the
 * size of the XSAVE area in leaf 0xd on XCR0 and XSS. The stub must not take these results
 * from the CPUID page. It must derive OSPKE from CR4. The stub never changes XCR0 and XSS, so
 * the size must be the one for the values that these registers have after reset.
 */
TEST(cpuid_own_state)
{
	u64 at;

	start_snp();
	add_leaf(7, 0, 0, 0, ~0U, 0);
	at = add_leaf(0xd, 0, 7, 0x999, 0x340, 0);
	put_at(at + 8, 7, 8);
	at = add_leaf(0xd, 0, 7, 0x340, 0x340, 0);
	put_at(at + 8, 1, 8);
	put_at(at + 16, 1, 8);
	at = add_leaf(0xd, 0, 3, 0x340, 0x340, 0);
	put_at(at + 8, 3, 8);
	at = add_leaf(0xd, 1, 2, 0x340, 0, 0);
	put_at(at + 8, 1, 8);
	add_leaf(0xd, 2, 0x100, 0x240, 0, 0);
	read_all();
	check_cpuid_is(7, 0, 0, 0, ~(1U << 4), 0);
	host.cr4 = 1 << 22;
	check_cpuid_is(7, 0, 0, 0, ~0U, 0);
	check_cpuid_is(0xd, 0, 3, 0x240, 0x340, 0);
	check_cpuid_is(0xd, 1, 2, 0x240, 0, 0);
	check_cpuid_is(0xd, 2, 0x100, 0x240, 0, 0);
	CHECK(snp_cpuid_ecx(7) == ~0U, "%#x", snp_cpuid_ecx(7));

	/* XSAVE without a compact form. */
	start_snp();
	at = add_leaf(0xd, 1, ~(1U << 1 | 1U << 3), 0, 0, 0);
	put_at(at + 8, 1, 8);
	read_all();
	EXPECT_SNP_END(snp_cpuid_ecx(0xd) + (snp_cpuid(0xd, 1, &(struct cpuid_regs){ 0 },
			&(struct cpuid_regs){ 0 }), 0), 4);
}

TEST(cpuid_of_the_hypervisor)
{
	struct cpuid_regs regs, mask;

	start_snp();
	add_leaf(1, 0, 1, 2, ~0U, 4);
	add_leaf(0xb, 0, 1, 2, 3, 4);
	add_leaf(0x8000001e, 0, 1, 2, 3, 4);
	read_all();
	snp_cpuid(1, 0, &regs, &mask);
	CHECK(!mask.eax && mask.ebx == 0xff000000 && !mask.ecx && mask.edx == 1 << 9,
	      "%#x %#x", mask.ebx, mask.edx);
	CHECK(regs.ecx == ~(1U << 27), "%#x", regs.ecx);
	host.cr4 = 1 << 18;
	snp_cpuid(1, 0, &regs, &mask);
	CHECK(regs.ecx == ~0U, "%#x", regs.ecx);
	snp_cpuid(0xb, 0, &regs, &mask);
	CHECK(!mask.eax && !mask.ebx && !mask.ecx && mask.edx == ~0U, "%#x", mask.edx);
	snp_cpuid(0x8000001e, 0, &regs, &mask);
	CHECK(mask.eax == ~0U && mask.ebx == 0xff && mask.ecx == 0xff && !mask.edx,
	      "%#x %#x %#x", mask.eax, mask.ebx, mask.ecx);
}

/* While the GHCB page is private, the stub must terminate the guest at every #VC. */
TEST(cpuid_stage1)
{
	start_snp();
	read_all();
	frame.rax = 1;
	frame.rcx = 0;
	INSN(0x72, "\x0f\xa2");
	ENDS(12);
	INSN(0x404, "\x0f\xa2");
	ENDS(25);
	/*
	 * Exit code 0x404, an access to a page that is not validated, exists in SNP guests
	 * only. In another SEV-ES guest the stub must treat it like any unknown exit code.
	 */
	host.sev_status = 3;
	ENDS(12);
}

TEST(cpuid_stage2)
{
	start_snp();
	add_leaf(1, 0, 0x800f12, 0x00112233, 0, 0xffffffff);
	read_all();
	share();
	emulated_first = 0;
	emulated_behind = ~0UL;
	frame.rax = 0x8000001f;
	INSN(0x72, "\x0f\xa2");
	want.rax = SEV_LEAF_EAX;
	want.rbx = SEV_LEAF_EBX;
	want.rcx = want.rdx = 0;
	run();
	frame.rax = 1;
	frame.rcx = 0;
	INSN(0x72, "\x0f\xa2");
	expect_exit(0x72, 0, 0);
	sends(RAX, 1);
	sends(RCX, 0);
	answers(RAX, 0xbad);
	answers(RBX, 0xabcdef01);
	answers(RCX, 0xbad);
	answers(RDX, 1 << 9);
	want.rax = 0x800f12;
	want.rbx = 0xab112233;
	want.rcx = 0;
	want.rdx = ~0U;
	run();
	frame.rax = 1;
	frame.rcx = 0;
	INSN(0x72, "\x0f\xa2");
	expect_exit(0x72, 0, 0);
	sends(RAX, 1);
	sends(RCX, 0);
	result(1, 0x8000030d);
	raises(13);
	INSN(0x404, "\x0f\xa2");
	ENDS(25);
}

/* ---- the GHCB page ---- */

TEST(ghcb_page_is_shared_and_taken_back)
{
	start_snp();
	read_all();
	share();
	CHECK(!strcmp(trace, "rescind ghcb\n"), "%s", trace);
	CHECK(!strcmp(host.trace, "flush dirty share "), "%s", host.trace);
	host.trace[0] = trace[0] = '\0';
	memset(&ghcb_page, GARBAGE, PAGE_SIZE);
	sev_es_shutdown();
	expect_msr(ghcb_request(0x14, 1), 0x15);
	snp_take_ghcb();
	CHECK(!strcmp(trace, "validate ghcb\n"), "%s", trace);
	CHECK(!memchr(&ghcb_page, GARBAGE, PAGE_SIZE), "not wiped");
	CHECK(!strncmp(host.trace, "zero hide ", 10), "%s", host.trace);
	CHECK(!host.msr, "MSR %#lx", host.msr);
}

TEST(ghcb_page_is_refused)
{
	static const u64 registered[] = { 0x13, 0x1013 };
	static const unsigned int results[] = { 1, 6, 255 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		start_snp();
		read_all();
		make_map();
		snp_host.failing = 0;
		snp_host.result = results[i];
		EXPECT_SNP_END(snp_share_ghcb(), 2);
		start_snp();
		read_all();
		share();
		sev_es_shutdown();
		snp_host.failing = 1;
		snp_host.result = results[i];
		expect_msr(ghcb_request(0x14, 1), 0x15);
		EXPECT_SNP_END(snp_take_ghcb(), 2);
	}
	start_snp();
	read_all();
	make_map();
	expect_msr(ghcb_request(0x14, 2), 1UL << 63 | 0x15);
	EXPECT_SNP_END(snp_share_ghcb(), 1);
	start_snp();
	read_all();
	make_map();
	host.map_result = -12;
	EXPECT_OWN_END(snp_share_ghcb(), 17);
	for (i = 0; i < ARRAY_SIZE(registered); i++) {
		start_snp();
		read_all();
		make_map();
		expect_msr(ghcb_request(0x14, 2), 0x15);
		expect_msr(ghcb_request(0x12, 0),
			   (u64)&ghcb_page + registered[i] - (i ? 0 : 0x1000));
		snp_share_ghcb();
		EXPECT_SNP_END(sev_es_setup_ghcb(&bp), 0);
	}
}

TEST(features)
{
	static const u64 accepted = 0x824b80;	/* bits 7 8 9 11 14 17 23 */
	unsigned int bit;

	for (bit = 3; bit < 64; bit++) {
		start_snp();
		host.sev_status |= 1UL << bit;
		read_all();
		share();
		if (accepted >> bit & 1) {
			snp_check_features();
			continue;
		}
		expect_exit(0x8000fffe, 2 << 4, 1UL << bit);
		EXPECT_END(snp_check_features(), 0U, 2U);
	}
}

/* ---- accepting memory ---- */

/*
 * Appends a request to the script: a page state change with @count entries. The host
 * changes the pages of the first @did entries.
 */
static void expect_states(const u64 *entries, unsigned int count, unsigned int did)
{
	u8 data[8 + 8 * 253] = { 0 };

	data[2] = (u8)(count - 1);
	memcpy(data + 8, entries, 8 * count);
	expect_exit(0x80000010, 0, 0);
	sends_data(data, 8 + 8 * count);
	data[0] = (u8)did;
	answers_data(data, 8 + 8 * count);
	answers(INFO_2, 0);
}

#define PRIVATE_4K	(1UL << 52)
#define PRIVATE_2M	(1UL << 52 | 1UL << 56)

static void start_accepting(void)
{
	start_snp();
	read_all();
	share();
	trace[0] = '\0';
}

static bool window_is_open(u64 addr)
{
	walked at = lookup(addr);

	return is_leaf(*entry_of(at), level_of(at));
}

TEST(accept_2m_and_4k)
{
	static const u64 entries[] = {
		0x1ff000 | PRIVATE_4K, 0x200000 | PRIVATE_2M, 0x400000 | PRIVATE_4K,
		0x1000000 | PRIVATE_4K,
	};

	start_accepting();
	expect_states(entries, 4, 4);
	snp_accept((struct range){ 0x1ff800, 0x400001 });
	snp_accept((struct range){ 0x1000000, 0x1000fff });
	snp_accept_end();
	CHECK(!strcmp(trace, "validate 4K 1ff000\nvalidate 2M 200000\n"
		      "validate 4K 400000\nvalidate 4K 1000000\n"), "%s", trace);
	CHECK(!window_is_open(0xffffffffffe00000) && !window_is_open(0xffffffffffc00000),
	      "a window is open");
	snp_accept_end();
	CHECK(host.at == host.count, "more");
}

/*
 * The host changes one page for each request. The stub must send a further request for the
 * pages that are left.
 */
TEST(accept_in_parts)
{
	static const u64 entries[] = {
		0x200000 | PRIVATE_2M, 0x400000 | PRIVATE_2M, 0x600000 | PRIVATE_2M,
	};

	start_accepting();
	expect_states(entries, 3, 1);
	expect_states(entries + 1, 2, 1);
	expect_states(entries + 2, 1, 1);
	snp_accept((struct range){ 0x200000, 0x800000 });
	snp_accept_end();
	CHECK(!strcmp(trace, "validate 2M 200000\nvalidate 2M 400000\n"
		      "validate 2M 600000\n"), "%s", trace);
}

/*
 * The reverse map table has entries of 4 KiB, as under KVM, so that PVALIDATE of a page of
 * 2 MiB fails. The stub must validate each page of 4 KiB instead.
 */
TEST(accept_small_entries)
{
	static const u64 entry = 0x200000 | PRIVATE_2M;

	start_accepting();
	snp_host.small_rmp = true;
	expect_states(&entry, 1, 1);
	snp_accept((struct range){ 0x200000, 0x400000 });
	snp_accept_end();
	CHECK(snp_host.done == 2 + 512, "%u", snp_host.done);

	start_accepting();
	snp_host.small_rmp = true;
	snp_host.failing = 2 + 300;
	snp_host.result = 255;
	expect_states(&entry, 1, 1);
	snp_accept((struct range){ 0x200000, 0x400000 });
	EXPECT_SNP_END(snp_accept_end(), 2);
}

TEST(accept_is_refused)
{
	static const u64 entry = 0x200000 | PRIVATE_2M;
	static const unsigned int results[] = { 1, 255 };
	static const u8 did[] = { 0, 2, 255 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results); i++) {
		start_accepting();
		snp_host.failing = 1;
		snp_host.result = results[i];
		expect_states(&entry, 1, 1);
		snp_accept((struct range){ 0x200000, 0x400000 });
		EXPECT_SNP_END(snp_accept_end(), 2);
	}
	for (i = 0; i < ARRAY_SIZE(did); i++) {
		start_accepting();
		expect_states(&entry, 1, did[i]);
		snp_accept((struct range){ 0x200000, 0x400000 });
		EXPECT_SNP_END(snp_accept_end(), 1);
	}
	start_accepting();
	expect_states(&entry, 1, 1);
	answers(INFO_2, 1UL << 32 | 1);
	snp_accept((struct range){ 0x200000, 0x400000 });
	EXPECT_SNP_END(snp_accept_end(), 1);
	/*
	 * The host does not mark SW_EXITINFO2 as valid. The stub must not take this answer
	 * for a success.
	 */
	start_accepting();
	expect_states(&entry, 1, 1);
	current_step()->answer[BITMAP + INFO_2 / 64] = 0;
	snp_accept((struct range){ 0x200000, 0x400000 });
	EXPECT_OWN_END(snp_accept_end(), 8);
	start_accepting();
	expect_states(&entry, 1, 1);
	injects_gp();
	snp_accept((struct range){ 0x200000, 0x400000 });
	EXPECT_SNP_END(snp_accept_end(), 1);
	start_accepting();
	expect_states(&entry, 1, 1);
	result(1, 0x8000030d);
	snp_accept((struct range){ 0x200000, 0x400000 });
	EXPECT_SNP_END(snp_accept_end(), 1);
	/*
	 * The stub's page tables cannot map this address, because bit 51 is the C-bit. The
	 * stub must terminate the guest.
	 */
	start_accepting();
	expect_states((const u64[]){ 1UL << 51 | PRIVATE_4K }, 1, 1);
	snp_accept((struct range){ 1UL << 51, (1UL << 51) + 1 });
	EXPECT_OWN_END(snp_accept_end(), 22);
}

TEST(accept_full_batches)
{
	u64 entries[253];
	unsigned int i, n;

	start_accepting();
	for (n = 0; n < 2; n++) {
		for (i = 0; i < 253; i++)
			entries[i] = ((n * 253UL + i) << 21) | PRIVATE_2M;
		expect_states(entries, n ? 2 : 253, n ? 2 : 253);
	}
	snp_accept((struct range){ 0, 255UL << 21 });
	CHECK(host.at + 1 == host.count, "%u exchanges", host.at);
	snp_accept_end();
	CHECK(snp_host.done == 1 + 255, "%u", snp_host.done);
}

/*
 * The stub joins adjoining pages to a run, and has room for 32 runs in a request. No two
 * of the first 33 pages adjoin, so the 33rd page must go to a second request.
 */
TEST(accept_many_runs)
{
	u64 entries[32];
	unsigned int i;

	start_accepting();
	for (i = 0; i < 32; i++)
		entries[i] = (0x1000000 + i * 0x2000UL) | PRIVATE_4K;
	expect_states(entries, 32, 32);
	expect_states((const u64[]){ 0x1040000 | PRIVATE_4K, 0x1041000 | PRIVATE_4K }, 2, 2);
	for (i = 0; i < 33; i++)
		snp_accept((struct range){ 0x1000000 + i * 0x2000UL,
					   0x1000800 + i * 0x2000UL });
	snp_accept((struct range){ 0x1041000, 0x1042000 });
	snp_accept_end();
	CHECK(host.at == host.count && snp_host.done == 1 + 34, "%u", snp_host.done);
}

TEST(accept_reports)
{
	start_accepting();
	batch.unreported = 4UL << 30;
	snp_accept_end();
	CHECK(said == 1 && !batch.unreported, "%u messages", said);
}

static void e820(unsigned int i, u64 addr, u64 size, u32 type)
{
	bp.e820_table[i] = (struct boot_e820_entry){ addr, size, type };
	bp.e820_entries = (u8)(i + 1);
}

/*
 * Starts a case with @pairs as the list of validated memory, and with an E820 map that has
 * a reserved page between pages of RAM.
 */
static void start_with_list(const u64 *pairs)
{
	start_snp();
	list(pairs);
	read_all();
	share();
	trace[0] = '\0';
	e820(0, 0x100000, 0x3000, 1);
	e820(1, 0x1000, 0x3800, 1);
	e820(2, 0x2000, 0x1000, 2);
}

TEST(accept_ram)
{
	static const u64 entries[] = {
		0x1000 | PRIVATE_4K, 0x4000 | PRIVATE_4K, 0xc0000 | PRIVATE_4K,
		0x102000 | PRIVATE_4K,
	};

	start_with_list((const u64[]){ 0x3000, 0x4000, 0xc1000, 0x102000, 0, 0 });
	expect_states(entries, 4, 4);
	snp_accept_ram(&bp);
	CHECK(!strcmp(trace, "validate 4K 1000\nvalidate 4K 4000\nvalidate 4K c0000\n"
		      "validate 4K 102000\n"), "%s", trace);
	CHECK(host.at == host.count, "%u exchanges", host.at);
}

/*
 * RAM starts in the middle of a page of the memory of a BIOS, 0xc0000 to 0xfffff. The stub
 * must accept RAM and the memory of the BIOS, and this page only once.
 */
TEST(accept_legacy)
{
	static const u64 entries[] = {
		0xc1000 | PRIVATE_4K, 0xff000 | PRIVATE_4K, 0x300000 | PRIVATE_4K,
	};

	start_with_list((const u64[]){ 0, 0xc1000, 0xc2000, 0xff000, 0, 0 });
	e820(0, 0xc1800, 0x1000, 1);
	e820(1, 0x300000, 0x1000, 1);
	e820(2, 0x1000, 0x1000, 2);
	expect_states(entries, 3, 3);
	snp_accept_ram(&bp);
	CHECK(host.at == host.count, "%u exchanges: %s", host.at, trace);
	/*
	 * A wrong E820 map has RAM in the last page below 2^64, so that the end of the
	 * range wraps to 0. The stub must accept nothing, and must not loop.
	 */
	start_with_list((const u64[]){ 0, 0x200000, 0, 0 });
	e820(0, ~0xfffUL, 0xfff, 1);
	snp_accept_ram(&bp);
	CHECK(!trace[0] && host.at == host.count, "%s", trace);
}

TEST(accept_nothing)
{
	start_accepting();
	e820(0, 0, 1UL << 30, 1);
	snp_accept_ram(&bp);
	CHECK(!trace[0] && host.at == host.count, "%s", trace);
	start_with_list((const u64[]){ 0, 0x200000, 0, 0 });
	snp_accept_ram(&bp);
	CHECK(!trace[0] && host.at == host.count, "%s", trace);
}

/* ---- the SVSM ---- */

/*
 * Makes the guest run at VMPL @vmpl instead of VMPL 0: RMPADJUST fails, and the secrets
 * page names an SVSM.
 */
static void leave_vmpl0(unsigned int vmpl)
{
	snp_host.rmpadjust = 2;
	put_svsm(vmpl);
	memset((void *)(AREA + 8), GARBAGE, PAGE_SIZE - 8);
}

/*
 * Must be called after start_snp(). Lets the stub read what the loader has handed over. The
 * guest runs at VMPL @vmpl.
 */
static void read_all_at(unsigned int vmpl)
{
	if (vmpl)
		leave_vmpl0(vmpl);
	expect_features(1 | 1 << 5);
	snp_start(zero_page());
	snp_keep_cpuid();
}

static void start_vmpl(unsigned int vmpl)
{
	start_snp();
	leave_vmpl0(vmpl);
	read_all_at(vmpl);
}

TEST(svsm_is_found)
{
	const char *what;
	struct range page;

	start_vmpl(1);
	share();
	CHECK(snp_page(3, &what, &page) && page.start == AREA &&
	      page.end == AREA + PAGE_SIZE, "%#lx", page.start);
	check_cpuid_is(0x8000001f, 0, SEV_LEAF_EAX | 1 << 28, SEV_LEAF_EBX, 0, 0);
	CHECK(!strncmp(trace, "svsm rescind 4K ", 16), "%s", trace);
	CHECK(!*(u8 *)AREA, "a call is pending");
	sev_es_shutdown();
	expect_msr(ghcb_request(0x14, 1), 0x15);
	trace[0] = '\0';
	snp_take_ghcb();
	CHECK(!strncmp(trace, "svsm validate 4K ", 17), "%s", trace);
	CHECK(!*(u8 *)AREA && !host.msr, "MSR %#lx", host.msr);
}

/*
 * FAULT_OF(stmt) returns the address of the first access in @stmt that faults. Bit 0 is 1
 * for a write, 0 for a read. It returns NO_FAULT if no access faults. After a fault, @stmt
 * is abandoned, so the case cannot use the stub's state afterwards.
 *
 * With the address sanitizer, FAULT_OF() returns 0 for an access to the window of the page
 * tables. Before the access, the sanitizer reads its own data about the window. Their
 * address is not canonical, so the processor does not report it.
 */
#define NO_FAULT	(~0UL)
static u64 fault_at;
static sigjmp_buf faulted;

static void on_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;

	(void)number;
	fault_at = (u64)info->si_addr & ~1UL;
	/* Bit 1 of the page fault's error code is 1 for a write. Copy it to bit 0 of fault_at. */
	fault_at |= c->uc_mcontext.gregs[REG_ERR] >> 1 & 1;
	siglongjmp(faulted, 1);
}

#define FAULT_OF(stmt)							\
	({								\
		struct sigaction old, now = {				\
			.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO,	\
		};							\
									\
		fault_at = NO_FAULT;					\
		sigaction(SIGSEGV, &now, &old);				\
		if (!sigsetjmp(faulted, 1)) {				\
			stmt;						\
		}							\
		sigaction(SIGSEGV, &old, NULL);				\
		fault_at;						\
	})

/*
 * If the processor's caches are not coherent, a cache line that the hypervisor wrote before
 * could replace the guest's data. The stub must then read the GHCB page, to evict such cache
 * lines, before it clears the page, so that its first access is a read. If the caches are
 * coherent, the first access must be the write that clears the page.
 */
TEST(ghcb_page_is_evicted)
{
	unsigned int coherent;
	u64 at;

	for (coherent = 0; coherent < 2; coherent++) {
		start_snp();
		put_at(CPUID_PAGE + 44, coherent << 31 | 51, 4);
		read_all();
		share();
		sev_es_shutdown();
		expect_msr(ghcb_request(0x14, 1), 0x15);
		snp_host.hides = true;
		at = FAULT_OF(snp_take_ghcb());
		mprotect(&ghcb_page, PAGE_SIZE, PROT_READ | PROT_WRITE);
		CHECK(at == ((u64)&ghcb_page | coherent), "%u: %#lx", coherent, at);
	}
}

/*
 * If the processor's caches are not coherent, a cache line that the hypervisor wrote before
 * could replace the guest's data. The stub must then read accepted memory, to evict such
 * cache lines, even if the SVSM has validated the memory. The stub reads the memory at the
 * virtual address that ident_map_window() returns. If the SVSM has validated the memory and
 * the caches are coherent, the stub must not map the memory.
 */
TEST(accepted_memory_is_evicted)
{
	static const u64 entry = 0x200000 | PRIVATE_2M;
	unsigned int vmpl, coherent;
	size_t left;
	u64 at;

	for (vmpl = 0; vmpl < 2; vmpl++) {
		for (coherent = 0; coherent < 2; coherent++) {
			start_snp();
			put_at(CPUID_PAGE + 44, coherent << 31 | 51, 4);
			read_all_at(vmpl);
			share();
			expect_states(&entry, 1, 1);
			snp_accept((struct range){ 0x200000, 0x400000 });
			left = ident_map_tables_left();
			at = FAULT_OF(snp_accept_end());
			CHECK(coherent ? at == NO_FAULT : !at || at == 0xffffffffffe00000,
			      "VMPL %u, %u: %#lx", vmpl, coherent, at);
			CHECK((ident_map_tables_left() == left) == (vmpl && coherent),
			      "VMPL %u, %u: page tables", vmpl, coherent);
		}
	}
}

TEST(svsm_is_wrong)
{
	start_vmpl(1);
	put_at(SECRETS + 0x148, 0, 8);
	EXPECT_SNP_END(snp_find_vmpl(), 7);
	start_vmpl(0);
	EXPECT_SNP_END(snp_find_vmpl(), 8);
	start_vmpl(1);
	put_at(SECRETS + 0x150, AREA + 8, 8);
	EXPECT_SNP_END(snp_find_vmpl(), 9);
	start_vmpl(1);
	put_at(SECRETS + 0x150, 0, 8);
	EXPECT_SNP_END(snp_find_vmpl(), 9);
	start_snp();
	read_all();
	leave_vmpl0(1);
	EXPECT_SNP_END(snp_find_vmpl(), 3);
}

TEST(svsm_calls)
{
	static const u64 entries[] = {
		0x1ff000 | PRIVATE_4K, 0x200000 | PRIVATE_2M, 0x400000 | PRIVATE_2M,
	};

	start_vmpl(2);
	share();
	trace[0] = '\0';
	snp_host.svsm_busy = 2;
	expect_states(entries, 3, 3);
	snp_accept((struct range){ 0x1ff000, 0x600000 });
	snp_accept_end();
	CHECK(!strcmp(trace, "svsm validate 4K 1ff000 of 1\nsvsm validate 2M 200000 of 2\n"
		      "svsm validate 2M 400000 of 2\n"), "%s", trace);
	CHECK(!es.busy, "the page is in use");

	start_vmpl(2);
	share();
	trace[0] = '\0';
	snp_host.small_rmp = true;
	expect_states(entries + 1, 2, 2);
	snp_accept((struct range){ 0x200000, 0x600000 });
	snp_accept_end();
	CHECK(!strcmp(trace, "svsm validate 4K 200000 of 256\n"
		      "svsm validate 4K 2ff000 of 256\nsvsm validate 4K 300000 of 256\n"
		      "svsm validate 4K 3ff000 of 256\nsvsm validate 4K 400000 of 256\n"
		      "svsm validate 4K 4ff000 of 256\nsvsm validate 4K 500000 of 256\n"
		      "svsm validate 4K 5ff000 of 256\n"), "%s", trace);
}

TEST(svsm_fails)
{
	static const u64 entries[] = {
		0x200000 | PRIVATE_2M, 0x400000 | PRIVATE_2M,
	};
	static const struct {
		bool no_svsm;
		u64 reply, result;
		u16 next;
	} rows[] = {
		{ true, 0x17, 0, 0 }, { true, 0x17, 1, 0 }, { false, 0x16, 0, 0 },
		{ false, 1UL << 32 | 0x17, 0, 0 }, { false, 0x17, 0x80000003, 0 },
		{ false, 0x17, 0x80001010, 0 }, { false, 0x17, 0x80001006, 2 },
		{ false, 0x17, 1, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		start_vmpl(1);
		share();
		snp_host.no_svsm = rows[i].no_svsm;
		snp_host.svsm_reply = rows[i].reply;
		snp_host.svsm_result = rows[i].result;
		snp_host.svsm_next = rows[i].next;
		expect_states(entries, 2, 2);
		snp_accept((struct range){ 0x200000, 0x600000 });
		EXPECT_SNP_END(snp_accept_end(), 2);
	}
	/*
	 * The SVSM reports a wrong page size for a page of 4 KiB. No smaller page exists,
	 * so the stub must terminate the guest.
	 */
	start_vmpl(1);
	make_map();
	snp_find_vmpl();
	snp_host.svsm_result = 0x80001006;
	EXPECT_SNP_END(snp_share_ghcb(), 2);
}
