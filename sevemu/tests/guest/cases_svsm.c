/* SPDX-License-Identifier: MIT */
/*
 * cases_svsm.c - a guest below VMPL 0: the calling convention of the SVSM, the service
 * module at VMPL 0, and the calls of its core protocol (publication 58019).
 */
#include "snp.h"

#define VALID			(HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED)
#define SVSM_DONE		0
#define SVSM_BAD_PROTOCOL	0x80000001
#define SVSM_BAD_CALL		0x80000002
#define SVSM_BAD_ADDRESS	0x80000003
#define SVSM_BAD_PARAMETER	0x80000005
#define SVSM_NOT_CHANGED	0x80001010
#define SVSM_SIZE_MISMATCH	0x80001006
/* Offset in the SVSM's calling area at which the guest stores a list of pages. */
#define LIST			8
#define VALIDATE		4
#define IGNORE_CF		8
#define SIZE_2M			1
#define NO_RAM			0x7fff000000ULL
#define BIG			0x3000000UL
#define VMSA_VMPL		0xca
#define VMSA_EFER		0xd0
#define EFER_SVME_BIT		0x1000

static ALIGNED_PAGE u8 page[PAGE_SIZE], other[PAGE_SIZE], area[PAGE_SIZE];
static ALIGNED_PAGE u8 many[4][PAGE_SIZE];

/*
 * Calls the SVSM's PVALIDATE with the list of pages at @list, which the caller has filled
 * in. Returns the SVSM's result.
 */
static u64 validate_list(volatile void *list)
{
	u64 rcx = (u64)list;

	return svsm_call(SVSM_PVALIDATE, &rcx, 0, 0);
}

/* Calls the SVSM's PVALIDATE with a list whose only entry is @entry. Returns the result. */
static u64 validate_one(u64 entry)
{
	volatile u64 *list = (volatile u64 *)(calling_area + LIST);

	list[0] = 1;
	list[1] = entry;
	return validate_list(list);
}

static u64 simple_call(u64 call, u64 rcx)
{
	return svsm_call(call, &rcx, 0, 0);
}

/* Clears the page @vmsa, and sets the fields of a VMSA that the SVSM checks. */
static void make_vmsa(u8 *vmsa)
{
	memset(vmsa, 0, PAGE_SIZE);
	vmsa[VMSA_VMPL] = machine.vmpl;
	*(u64 *)(vmsa + VMSA_EFER) = EFER_SVME_BIT;
}

static u64 create(u64 vmsa, u64 ca, u64 apic_id)
{
	return svsm_call(SVSM_CREATE_VCPU, &vmsa, ca, apic_id);
}

CASE(query, "svsm-query-protocol", CASE_SNP | CASE_SVSM)
{
	u64 rcx = 1;

	expect("core", svsm_call(SVSM_QUERY_PROTOCOL, &rcx, 0, 0), SVSM_DONE);
	expect("versions", rcx, 1ULL << 32 | 1);
	rcx = 2;
	expect("core 2", svsm_call(SVSM_QUERY_PROTOCOL, &rcx, 0, 0), SVSM_DONE);
	expect("versions", rcx, 0);
	rcx = 1ULL << 32 | 1;
	expect("attestation", svsm_call(SVSM_QUERY_PROTOCOL, &rcx, 0, 0), SVSM_DONE);
	expect("versions", rcx, 0);
}

CASE(unknown, "svsm-unknown-calls", CASE_SNP | CASE_SVSM)
{
	expect("protocol 1", simple_call(1ULL << 32, 0), SVSM_BAD_PROTOCOL);
	expect("call 99", simple_call(99, 0), SVSM_BAD_CALL);
	expect("DEPOSIT_MEM", simple_call(SVSM_DEPOSIT, 0), SVSM_BAD_CALL);
}

/* If the guest asks to run the SVSM while call_pending is 0, the SVSM must change nothing. */
CASE(no_call, "svsm-without-call", CASE_SNP | CASE_SVSM)
{
	u64 rax = 99;

	*calling_area = 0;
	wrmsr(MSR_GHCB, REQ_RUN_VMPL);
	asm volatile("rep; vmmcall" : "+a"(rax) : : "memory");
	expect("response", rdmsr(MSR_GHCB), RESP_RUN_VMPL);
	expect("RAX", rax, 99);
}

CASE(by_page, "svsm-call-by-page", CASE_SNP | CASE_SVSM)
{
	u64 rax = 99;

	ghcb_begin(EXIT_RUN_VMPL, 0, 0);
	*(volatile u16 *)((u8 *)shared(ghcb_page) + GHCB_VERSION) = 2;
	*calling_area = 1;
	wrmsr(MSR_GHCB, (u64)ghcb_page);
	asm volatile("rep; vmmcall" : "+a"(rax) : : "memory");
	expect("result", (u32)ghcb_get(GHCB_EXIT_INFO_1), RESULT_DONE);
	expect("RAX", rax, SVSM_BAD_CALL);
	expect("call_pending", *calling_area, 0);
}

/* Only VMPL 0 can be asked for. */
CASE(other_vmpl, "svsm-other-vmpl", CASE_SNP | CASE_SVSM)
{
	static const u64 requests[] = { 1ULL << 32, 1ULL << 40, 1ULL << 12 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		hook(HOOK_EXPECT, VIOL_SVSM_CALL);
		expect("error", msr_protocol(requests[i] | REQ_RUN_VMPL) >> 32 != 0, true);
		expect("violation", hook(HOOK_VIOLATION, 0), VIOL_SVSM_CALL);
	}
	ghcb_begin(EXIT_RUN_VMPL, 0, 1);
	hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
	expect("info_2", ghcb_go(), RESULT_MALFORMED);
	hook(HOOK_VIOLATION, 0);
}

CASE(none, "svsm-at-vmpl0", CASE_SNP | CASE_VMPL0)
{
	hook(HOOK_EXPECT, VIOL_SVSM_CALL);
	expect("response", msr_protocol(REQ_RUN_VMPL), 1ULL << 32 | RESP_RUN_VMPL);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_SVSM_CALL);
}

CASE(remap, "svsm-remap-ca", CASE_SNP | CASE_SVSM)
{
	volatile u8 *old = calling_area;
	u64 rcx = (u64)area;

	area[0] = 0x55;
	expect("RAX", svsm_call(SVSM_REMAP_CA, &rcx, 0, 0), SVSM_DONE);
	expect("the new one", area[0], 0);
	calling_area = area;
	expect("call by the new one", simple_call(99, 0), SVSM_BAD_CALL);
	expect("unaligned", simple_call(SVSM_REMAP_CA, (u64)old + 8), SVSM_BAD_ADDRESS);
	expect("no RAM", simple_call(SVSM_REMAP_CA, NO_RAM), SVSM_BAD_ADDRESS);
	snp_validate((u64)page, false);
	expect("not validated", simple_call(SVSM_REMAP_CA, (u64)page), SVSM_BAD_ADDRESS);
	snp_validate((u64)page, true);
	expect("back", simple_call(SVSM_REMAP_CA, (u64)old), SVSM_DONE);
	calling_area = old;
}

CASE(list, "svsm-pvalidate-list", CASE_SNP | CASE_SVSM)
{
	volatile u64 *list = (volatile u64 *)(calling_area + LIST);
	u64 i;

	list[0] = ARRAY_SIZE(many);
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		list[1 + i] = (u64)many[i];
		many[i][0] = 0x55;
	}
	expect("RAX", validate_list(list), SVSM_DONE);
	expect("next", list[0] >> 16 & 0xffff, ARRAY_SIZE(many));
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		expect("flags", rmp_of(many[i]) & VALID, HOOK_RMP_ASSIGNED);
		list[1 + i] = (u64)many[i] | VALIDATE;
	}
	/*
	 * The SVSM must begin at the entry whose index is in the field `next` of the
	 * list's header. Here it is the second entry.
	 */
	list[0] = ARRAY_SIZE(many) | 1 << 16;
	expect("RAX", validate_list(list), SVSM_DONE);
	expect("first page", rmp_of(many[0]) & VALID, HOOK_RMP_ASSIGNED);
	expect("second page", rmp_of(many[1]) & VALID, VALID);
	expect("the SVSM has cleared it", many[1][0], 0);
	snp_validate((u64)many[0], true);
}

CASE(not_changed, "svsm-pvalidate-unchanged", CASE_SNP | CASE_SVSM)
{
	hook(HOOK_EXPECT, VIOL_DOUBLE_VALIDATION);
	expect("validate", validate_one((u64)page | VALIDATE), SVSM_NOT_CHANGED);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_DOUBLE_VALIDATION);
	expect("ignored", validate_one((u64)page | VALIDATE | IGNORE_CF), SVSM_DONE);
	snp_validate((u64)page, false);
	hook(HOOK_EXPECT, VIOL_LATE_RESCIND);
	expect("rescind", validate_one((u64)page), SVSM_NOT_CHANGED);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_LATE_RESCIND);
	snp_validate((u64)page, true);
}

CASE(bad_entries, "svsm-pvalidate-bad-entries", CASE_SNP | CASE_SVSM)
{
	volatile u64 *list = (volatile u64 *)(calling_area + LIST);

	expect("size 2", validate_one(BIG | 2), SVSM_BAD_PARAMETER);
	expect("reserved bits", validate_one((u64)page | 0x10), SVSM_BAD_PARAMETER);
	expect("alignment", validate_one((BIG + PAGE_SIZE) | SIZE_2M), SVSM_BAD_PARAMETER);
	expect("no RAM", validate_one(NO_RAM), SVSM_BAD_ADDRESS);
	expect("the calling area", validate_one((u64)calling_area), SVSM_BAD_ADDRESS);
	make_shared(page);
	expect("shared", validate_one((u64)page | VALIDATE), SVSM_BAD_ADDRESS);
	expect("rescind shared", validate_one((u64)page), SVSM_BAD_ADDRESS);
	expect("rescind shared", validate_one((u64)page | IGNORE_CF), SVSM_BAD_ADDRESS);
	make_private(page);
	list[0] = 0;
	expect("no entry", validate_list(list), SVSM_BAD_PARAMETER);
	list[0] = 1 | 1 << 16;
	expect("next is after", validate_list(list), SVSM_BAD_PARAMETER);
	list[0] = 1 | 1ULL << 32;
	expect("reserved field", validate_list(list), SVSM_BAD_PARAMETER);
	expect("unaligned list", validate_list(calling_area + 4), SVSM_BAD_ADDRESS);
	*(volatile u64 *)(page + PAGE_SIZE - 16) = 2;
	expect("across pages", validate_list(page + PAGE_SIZE - 16), SVSM_BAD_PARAMETER);
	expect("list outside of RAM", validate_list((void *)NO_RAM), SVSM_BAD_ADDRESS);
}

/*
 * The SVSM must refuse a list that names the list's own page or the calling area, because
 * the SVSM itself still needs these pages.
 */
CASE(own_list, "svsm-list-in-its-page", CASE_SNP | CASE_SVSM)
{
	volatile u64 *list = (volatile u64 *)page;

	list[0] = 2;
	list[1] = (u64)page;
	list[2] = (u64)other;
	expect("4 KiB", validate_list(list), SVSM_BAD_ADDRESS);
	list[1] = (u64)page | VALIDATE | IGNORE_CF;
	expect("validate", validate_list(list), SVSM_BAD_ADDRESS);
	list[1] = (u64)calling_area;
	expect("calling area", validate_list(list), SVSM_BAD_ADDRESS);
	expect("flags", rmp_of(page) & VALID, VALID);
	expect("flags of the other page", rmp_of(other) & VALID, VALID);
}

/*
 * The SVSM must refuse a calling area, a list or a VMSA in a page that the guest's VMPL
 * may not read or may not write.
 */
CASE(no_rights, "svsm-no-rights", CASE_SNP | CASE_SVSM)
{
	volatile u64 *list = (volatile u64 *)page;
	u64 entry = rmp_of(page), shift = machine.vmpl * 8, right;

	list[0] = 1;
	list[1] = (u64)other;
	for (right = SNP_READ; right <= SNP_WRITE; right <<= 1) {
		hook2(HOOK_RMP_SET, (u64)page, entry & ~(right << shift));
		expect("calling area", simple_call(SVSM_REMAP_CA, (u64)page), SVSM_BAD_ADDRESS);
		expect("list", validate_list((void *)page), SVSM_BAD_ADDRESS);
		make_vmsa(other);
		expect("area", create((u64)other, (u64)page, 0), SVSM_BAD_ADDRESS);
		expect("VMSA", create((u64)page, (u64)other, 0), SVSM_BAD_ADDRESS);
	}
	hook2(HOOK_RMP_SET, (u64)page, entry);
	expect("flags", rmp_of(other) & VALID, VALID);
}

CASE(size, "svsm-pvalidate-2m", CASE_SNP | CASE_SVSM | CASE_ALL)
{
	if (!machine.rmp_2m) {
		expect("2 MiB", validate_one(BIG | SIZE_2M), SVSM_SIZE_MISMATCH);
		/*
		 * Rescind the second of the 512 pages. The SVSM must not take the state
		 * of the first page, which is validated, for the state of all pages.
		 */
		snp_validate(BIG + PAGE_SIZE, false);
		expect("CF ignored", validate_one(BIG | SIZE_2M | VALIDATE | IGNORE_CF),
		       SVSM_SIZE_MISMATCH);
		snp_validate(BIG + PAGE_SIZE, true);
		return;
	}
	expect("2 MiB", validate_one(BIG | SIZE_2M), SVSM_DONE);
	expect("last page", rmp_of((void *)(BIG + PAGE_2M - 1)) & VALID, HOOK_RMP_ASSIGNED);
	expect("2 MiB", validate_one(BIG | SIZE_2M | VALIDATE), SVSM_DONE);
	expect("last page", rmp_of((void *)(BIG + PAGE_2M - 1)) & VALID, VALID);
}

CASE(vcpu, "svsm-create-vcpu", CASE_SNP | CASE_SVSM)
{
	u64 vmsa = (u64)page, ca = (u64)other;

	make_vmsa(page);
	expect("unaligned VMSA", create(vmsa + 8, ca, 0), SVSM_BAD_ADDRESS);
	expect("unaligned area", create(vmsa, ca + 8, 0), SVSM_BAD_ADDRESS);
	expect("one page for both", create(vmsa, vmsa, 0), SVSM_BAD_ADDRESS);
	expect("no RAM", create(NO_RAM, ca, 0), SVSM_BAD_ADDRESS);
	expect("the calling area", create((u64)calling_area, ca, 0), SVSM_BAD_ADDRESS);
	expect("APIC ID", create(vmsa, ca, 7), SVSM_BAD_PARAMETER);
	page[VMSA_VMPL] = 0;
	expect("VMPL", create(vmsa, ca, 0), SVSM_BAD_PARAMETER);
	make_vmsa(page);
	*(u64 *)(page + VMSA_EFER) = 0;
	expect("EFER", create(vmsa, ca, 0), SVSM_BAD_PARAMETER);
	make_vmsa(page);
	expect("RAX", create(vmsa, ca, 0), SVSM_DONE);
	expect("flags", rmp_of(page) & HOOK_RMP_VMSA, HOOK_RMP_VMSA);
	expect("rights", rmp_of(page) >> machine.vmpl * 8 & 0xff, SNP_ALL);
	make_vmsa(many[0]);
	expect("a second VMSA", create((u64)many[0], ca, 0), SVSM_BAD_PARAMETER);
	expect("VMSA as calling area", simple_call(SVSM_REMAP_CA, vmsa), SVSM_BAD_ADDRESS);
	expect("VMSA as list", validate_list(page), SVSM_BAD_ADDRESS);
	expect("rescind the VMSA", validate_one(vmsa), SVSM_BAD_ADDRESS);
	expect("validate the VMSA", validate_one(vmsa | VALIDATE | IGNORE_CF), SVSM_BAD_ADDRESS);
	expect("flags", rmp_of(page) & 0xff & ~HOOK_RMP_2M, VALID | HOOK_RMP_VMSA);
	expect("no such VMSA", simple_call(SVSM_DELETE_VCPU, ca), SVSM_BAD_PARAMETER);
	expect("unaligned", simple_call(SVSM_DELETE_VCPU, vmsa + 8), SVSM_BAD_ADDRESS);
	expect("RAX", simple_call(SVSM_DELETE_VCPU, vmsa), SVSM_DONE);
	expect("flags", rmp_of(page) & HOOK_RMP_VMSA, 0);
	expect("rights", rmp_of(page) >> machine.vmpl * 8 & 0xff, SNP_ALL);
	expect("twice", simple_call(SVSM_DELETE_VCPU, vmsa), SVSM_BAD_PARAMETER);
	page[0] = 1;
}

CASE(end_no_svsm, "ends-svsm-call", CASE_SNP | CASE_ENDS)
{
	msr_protocol(REQ_RUN_VMPL);
	fail("it goes on");
}

CASE(end_area, "ends-svsm-area", CASE_SNP | CASE_ENDS)
{
	hook2(HOOK_RMP_SET, (u64)calling_area, HOOK_RMP_ASSIGNED);
	msr_protocol(REQ_RUN_VMPL);
	fail("it goes on");
}
