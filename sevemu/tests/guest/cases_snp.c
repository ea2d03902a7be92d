/* SPDX-License-Identifier: MIT */
/*
 * cases_snp.c - the rules of the reverse map table (RMP, APM2 15.36): what PVALIDATE,
 * RMPADJUST and RMPQUERY return and change. The cases of cases_snp_access.c are about
 * accesses to memory.
 */
#include "snp.h"

/*
 * Start of the RAM for operands of 2 MiB. The guest has neither code nor data of its own
 * there.
 */
#define BIG		0x3000000UL
#define BIG_P		((const u8 *)BIG)
#define VALID		(HOOK_RMP_ASSIGNED | HOOK_RMP_VALIDATED)
#define NOT_VALID	HOOK_RMP_ASSIGNED
#define VMPL_ABOVE	(machine.vmpl + 1)
#define FLAGS		(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

static ALIGNED_PAGE u64 page[PAGE_SIZE / 8];

/* Returns the flags HOOK_RMP_* of the RMP entry of the page at @p, without HOOK_RMP_2M. */
static u64 flags_of(const void *p)
{
	return rmp_of(p) & 0xff & ~HOOK_RMP_2M;
}

/*
 * Announces to sevemu that the next instruction causes the violation @why (VIOL_*), so
 * that sevemu does not end the run.
 */
static void announce(u32 why)
{
	hook(HOOK_EXPECT, why);
}

static void violated(u32 why)
{
	expect("violation", hook(HOOK_VIOLATION, 0), why);
}

/* ---- PVALIDATE ---- */

CASE(pv_rescind, "snp-rescind-and-validate", CASE_SNP | CASE_VMPL0)
{
	struct snp_result r;

	expect("before", flags_of(page), VALID);
	r = pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("flags", r.rflags & FLAGS, FLAG_ZF | FLAG_PF);
	expect("rescinded", flags_of(page), NOT_VALID);
	r = pvalidate((u64)page, SNP_4K, SNP_VALIDATE);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("flags", r.rflags & FLAGS, FLAG_ZF | FLAG_PF);
	expect("validated", flags_of(page), VALID);
	expect("violation", hook(HOOK_VIOLATION, 0), VIOL_NONE);
}

CASE(pv_double, "snp-double-validation", CASE_SNP | CASE_VMPL0)
{
	u64 count = rmp_count(RMP_COUNT_DOUBLE);
	struct snp_result r;

	announce(VIOL_DOUBLE_VALIDATION);
	r = pvalidate((u64)page, SNP_4K, SNP_VALIDATE);
	violated(VIOL_DOUBLE_VALIDATION);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("flags", r.rflags & FLAGS, FLAG_CF | FLAG_ZF | FLAG_PF);
	expect("counted", rmp_count(RMP_COUNT_DOUBLE), count + 1);
	expect("still valid", flags_of(page), VALID);
}

CASE(pv_late, "snp-late-rescind", CASE_SNP | CASE_VMPL0)
{
	u64 count = rmp_count(RMP_COUNT_LATE);
	struct snp_result r;

	snp_validate((u64)page, false);
	announce(VIOL_LATE_RESCIND);
	r = pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	violated(VIOL_LATE_RESCIND);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("CF", r.rflags & FLAG_CF, FLAG_CF);
	expect("counted", rmp_count(RMP_COUNT_LATE), count + 1);
	snp_validate((u64)page, true);
}

/*
 * PVALIDATE of a shared page, whether it validates or rescinds, is a nested page fault on
 * a real processor. sevemu causes no such fault, but must report VIOL_RMP_MISMATCH. The case
 * announces this violation, so the run goes on, and PVALIDATE must return SNP_FAIL_INPUT.
 */
CASE(pv_late_shared, "snp-rescind-shared", CASE_SNP | CASE_VMPL0 | CASE_STRICT_CONVERT)
{
	struct snp_result r;

	make_shared(page);
	announce(VIOL_RMP_MISMATCH);
	r = pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	violated(VIOL_RMP_MISMATCH);
	expect("EAX", r.eax, SNP_FAIL_INPUT);
	expect("CF", r.rflags & FLAG_CF, 0);
	expect("flags", flags_of(page), 0);
	make_private(page);
}

CASE(pv_offset, "snp-offset-ignored", CASE_SNP | CASE_VMPL0)
{
	struct snp_result r = pvalidate((u64)page + 0x123, SNP_4K, SNP_RESCIND);

	expect("EAX", r.eax, SNP_SUCCESS);
	expect("rescinded", flags_of(page), NOT_VALID);
	r = pvalidate((u64)page + 0xfff, SNP_4K, SNP_VALIDATE);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("validated", flags_of(page), VALID);
}

/*
 * PVALIDATE must use only bit 0 of RCX and bit 0 of RDX, because Linux leaves part of an
 * address in the upper bits of RDX.
 */
CASE(pv_upper, "snp-upper-bits-ignored", CASE_SNP | CASE_VMPL0)
{
	struct snp_result r = pvalidate((u64)page, 0xfffffffffffffffe, 0x38c00);

	expect("EAX", r.eax, SNP_SUCCESS);
	expect("rescinded", flags_of(page), NOT_VALID);
	snp_validate((u64)page, true);
}

CASE(pv_not_present, "snp-pvalidate-page-fault", CASE_SNP | CASE_VMPL0)
{
	u64 *pte = pte_of((u64)page), old = *pte;

	*pte = 0;
	flush_tlb();
	trap_arm(VECTOR_PF);
	trap.skip = 4;
	pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	*pte = old;
	flush_tlb();
	expect("exceptions", trap.count, 1);
	expect("vector", trap.vector, VECTOR_PF);
	expect("CR2", trap.cr2, (u64)page);
	expect("error code", trap.error_code, 0);
	trap_reset();
	expect("flags", flags_of(page), VALID);
}

/*
 * PVALIDATE, RMPADJUST and RMPQUERY of an address that is not canonical must raise #GP with
 * error code 0, and must not change the page's RMP entry.
 */
CASE(pv_canonical, "snp-not-canonical", CASE_SNP)
{
	u64 operand = (u64)page | 1ULL << 60, entry = rmp_of(page);

	trap_arm(VECTOR_GP);
	trap.skip = 4;
	rmpadjust(operand, SNP_4K, 3 | SNP_RIGHTS(SNP_READ));
	rmpquery(operand, 3);
	if (!machine.vmpl)
		pvalidate(operand, SNP_4K, SNP_RESCIND);
	expect("exceptions", trap.count, machine.vmpl == 3 ? 1 : machine.vmpl ? 2 : 3);
	expect("vector", trap.vector, VECTOR_GP);
	expect("error code", trap.error_code, 0);
	trap_reset();
	expect("entry", rmp_of(page), entry);
}

/*
 * With four levels of page tables, PVALIDATE must raise #GP unless bits 63:48 of its
 * address are copies of bit 47.
 */
CASE(pv_sign, "snp-bit-47", CASE_SNP | CASE_VMPL0)
{
	trap_arm(VECTOR_GP);
	trap.skip = 4;
	pvalidate(1ULL << 47, SNP_4K, SNP_RESCIND);
	expect("exceptions", trap.count, 1);
	expect("vector", trap.vector, VECTOR_GP);
	trap_reset();
}

/*
 * With the address-size prefix 0x67, PVALIDATE and RMPADJUST must take the address from
 * EAX, and ignore the upper half of RAX.
 */
CASE(pv_address_size, "snp-address-size", CASE_SNP | CASE_VMPL0)
{
	u64 rax = (u64)page | 1ULL << 60, rcx = 0, rdx = SNP_RESCIND;

	asm volatile(".byte 0x67, 0xf2, 0x0f, 0x01, 0xff"
		     : "+a"(rax), "+c"(rcx), "+d"(rdx) : : "memory", "cc");
	expect("EAX of PVALIDATE", (u32)rax, SNP_SUCCESS);
	expect("rescinded", flags_of(page), NOT_VALID);
	snp_validate((u64)page, true);
	rax = (u64)page | 1ULL << 60;
	rdx = 2 | SNP_RIGHTS(SNP_READ);
	asm volatile(".byte 0x67, 0xf3, 0x0f, 0x01, 0xfe"
		     : "+a"(rax), "+c"(rcx), "+d"(rdx) : : "memory", "cc");
	expect("EAX of RMPADJUST", (u32)rax, SNP_SUCCESS);
	expect("rights of VMPL 2", rmp_of(page) >> 16 & 0xff, SNP_READ);
	expect("RMPADJUST", rmpadjust((u64)page, SNP_4K, 2).eax, SNP_SUCCESS);
}

static void user_pvalidate(void)
{
	pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	user_return();
}

static void user_rmpadjust(void)
{
	rmpadjust((u64)page, SNP_4K, VMPL_ABOVE);
	user_return();
}

static void user_rmpquery(void)
{
	rmpquery((u64)page, VMPL_ABOVE);
	user_return();
}

/*
 * Runs @fn at CPL 3. The SNP instruction in @fn must raise #GP with error code 0. The #GP
 * handler skips the instruction.
 */
static void privileged(void (*fn)(void))
{
	trap_reset();
	trap_arm(VECTOR_GP);
	trap.skip = 4;
	user_run(fn, 2);
	expect("exceptions", trap.count, 1);
	expect("vector", trap.vector, VECTOR_GP);
	expect("error code", trap.error_code, 0);
	trap_reset();
}

CASE(pv_user, "snp-instructions-at-cpl3", CASE_SNP)
{
	privileged(user_pvalidate);
	privileged(user_rmpadjust);
	privileged(user_rmpquery);
	expect("flags", flags_of(page), VALID);
}

CASE(pv_vmpl, "snp-pvalidate-below-vmpl0", CASE_SNP | CASE_SVSM)
{
	trap_arm(VECTOR_GP);
	trap.skip = 4;
	pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	expect("exceptions", trap.count, 1);
	expect("vector", trap.vector, VECTOR_GP);
	trap_reset();
	expect("flags", flags_of(page), VALID);
}

CASE(pv_prefixes, "snp-wrong-prefix", CASE_SNP)
{
	trap_arm(VECTOR_UD);
	trap.skip = 4;
	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xff");
	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xfe");
	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xfd");
	expect("exceptions", trap.count, 3);
	expect("vector", trap.vector, VECTOR_UD);
	trap_reset();
}

CASE(pv_lock, "snp-lock-prefix", CASE_SNP)
{
	u64 entry = rmp_of(page);

	trap_arm(VECTOR_UD);
	trap.skip = 5;
	asm volatile(".byte 0xf0, 0xf2, 0x0f, 0x01, 0xff"
		     : : "a"(page), "c"(0), "d"(SNP_RESCIND) : "memory", "cc");
	asm volatile(".byte 0xf0, 0xf3, 0x0f, 0x01, 0xfe"
		     : : "a"(page), "c"(0), "d"(3) : "memory", "cc");
	asm volatile(".byte 0xf0, 0xf3, 0x0f, 0x01, 0xfd"
		     : : "a"(page), "c"(0), "d"(3) : "memory", "cc");
	expect("exceptions", trap.count, 3);
	expect("vector", trap.vector, VECTOR_UD);
	trap_reset();
	expect("entry", rmp_of(page), entry);
}

CASE(pv_ud2, "snp-other-ud", CASE_SNP)
{
	trap_arm(VECTOR_UD);
	trap.skip = 2;
	asm volatile("ud2");
	expect("exceptions", trap.count, 1);
	expect("vector", trap.vector, VECTOR_UD);
	trap_reset();
}

/*
 * PVALIDATE must work even through a mapping with the C-bit clear. sevemu must count this
 * as a violation, because a guest that clears the C-bit is mistaken.
 */
CASE(pv_c0, "snp-pvalidate-c0", CASE_SNP | CASE_VMPL0)
{
	struct snp_result r;

	announce(VIOL_PVALIDATE_C0);
	r = pvalidate((u64)shared(page), SNP_4K, SNP_RESCIND);
	violated(VIOL_PVALIDATE_C0);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("rescinded", flags_of(page), NOT_VALID);
	snp_validate((u64)page, true);
}

CASE(adjust_c0, "snp-rmpadjust-c0", CASE_SNP)
{
	u64 back = 3 | (machine.vmpl ? SNP_RIGHTS(SNP_ALL) : 0);
	struct snp_result r;

	if (machine.vmpl == 3)
		return;
	announce(VIOL_PVALIDATE_C0);
	r = rmpadjust((u64)shared(page), SNP_4K, 3 | SNP_RIGHTS(SNP_READ));
	expect("RMPADJUST", r.eax, SNP_SUCCESS);
	violated(VIOL_PVALIDATE_C0);
	expect("rights of VMPL 3", rmp_of(page) >> 24, SNP_READ);
	announce(VIOL_PVALIDATE_C0);
	expect("RMPQUERY", rmpquery((u64)shared(page), 3).eax, SNP_SUCCESS);
	violated(VIOL_PVALIDATE_C0);
	expect("RMPADJUST", rmpadjust((u64)page, SNP_4K, back).eax, SNP_SUCCESS);
}

CASE(pv_flags_of_failure, "snp-flags-of-a-failure", CASE_SNP | CASE_VMPL0)
{
	struct snp_result r;

	announce(VIOL_RMP_INPUT);
	r = pvalidate(BIG + PAGE_SIZE, SNP_2M, SNP_RESCIND);
	violated(VIOL_RMP_INPUT);
	expect("EAX", r.eax, SNP_FAIL_INPUT);
	expect("flags", r.rflags & FLAGS, 0);
}

/* ---- Page sizes ---- */

CASE(size_4k, "snp-2m-on-4k-entries", CASE_SNP | CASE_VMPL0 | CASE_4K | CASE_ALL)
{
	u64 count = rmp_count(RMP_COUNT_SIZE);
	struct snp_result r = pvalidate(BIG, SNP_2M, SNP_RESCIND);

	expect("EAX", r.eax, SNP_FAIL_SIZE);
	expect("flags", r.rflags & FLAGS, FLAG_PF);
	expect("counted", rmp_count(RMP_COUNT_SIZE), count + 1);
	expect("RMPADJUST", rmpadjust(BIG, SNP_2M, VMPL_ABOVE).eax, SNP_FAIL_SIZE);
}

CASE(size_2m, "snp-2m-on-2m-entry", CASE_SNP | CASE_VMPL0 | CASE_2M | CASE_ALL)
{
	struct snp_result r = pvalidate(BIG, SNP_2M, SNP_RESCIND);

	expect("EAX", r.eax, SNP_SUCCESS);
	expect("CF", r.rflags & FLAG_CF, 0);
	expect("first page", rmp_of(BIG_P), NOT_VALID | HOOK_RMP_2M);
	expect("last page", rmp_of(BIG_P + PAGE_2M - 1), NOT_VALID | HOOK_RMP_2M);
	r = pvalidate(BIG, SNP_2M, SNP_VALIDATE);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("last page", rmp_of(BIG_P + PAGE_2M - 1), VALID | HOOK_RMP_2M);
	expect("RMPADJUST", rmpadjust(BIG, SNP_2M, 1 | SNP_RIGHTS(SNP_READ)).eax, SNP_SUCCESS);
	expect("rights of the last page", rmp_of(BIG_P + PAGE_2M - 1) >> 8 & 0xff, SNP_READ);
	expect("RMPADJUST", rmpadjust(BIG, SNP_2M, 1).eax, SNP_SUCCESS);
	expect("RMPQUERY's size", rmpquery(BIG, 1).rcx, SNP_2M);
}

/*
 * PVALIDATE and RMPADJUST of 2 MiB must fail if the guest's page tables map the memory by
 * leaves of 4 KiB, even if its RMP entry is one of 2 MiB. pte_of() splits the 2 MiB leaf.
 */
CASE(size_leaf, "snp-2m-on-4k-leaf", CASE_SNP | CASE_VMPL0 | CASE_2M | CASE_ALL)
{
	pte_of(BIG + PAGE_2M);
	expect("EAX", pvalidate(BIG + PAGE_2M, SNP_2M, SNP_RESCIND).eax, SNP_FAIL_SIZE);
	expect("RMPADJUST", rmpadjust(BIG + PAGE_2M, SNP_2M, 1).eax, SNP_FAIL_SIZE);
}

CASE(adjust_unaligned, "snp-rmpadjust-2m-unaligned", CASE_SNP | CASE_VMPL0)
{
	announce(VIOL_RMP_INPUT);
	expect("EAX", rmpadjust(BIG + PAGE_SIZE, SNP_2M, 1).eax, SNP_FAIL_INPUT);
	violated(VIOL_RMP_INPUT);
}

CASE(size_smash, "snp-4k-on-2m-entry", CASE_SNP | CASE_VMPL0 | CASE_2M | CASE_ALL)
{
	u64 count = rmp_count(RMP_COUNT_SMASHED), gpa = BIG + 2 * PAGE_2M;
	struct snp_result r;

	expect("before", rmp_of((void *)gpa), VALID | HOOK_RMP_2M);
	r = pvalidate(gpa + 5 * PAGE_SIZE, SNP_4K, SNP_RESCIND);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("smashed", rmp_count(RMP_COUNT_SMASHED), count + 1);
	expect("the page", rmp_of((void *)(gpa + 5 * PAGE_SIZE)), NOT_VALID);
	expect("its neighbour", rmp_of((void *)(gpa + 6 * PAGE_SIZE)), VALID);
	expect("2 MiB", pvalidate(gpa, SNP_2M, SNP_RESCIND).eax, SNP_FAIL_SIZE);
	expect("RMPQUERY's size", rmpquery(gpa, 1).rcx, SNP_4K);
	snp_validate(gpa + 5 * PAGE_SIZE, true);
}

/*
 * A page state change of 4 KiB must split a 2 MiB RMP entry into entries of 4 KiB, as
 * PVALIDATE of 4 KiB does. RMPADJUST of 4 KiB must split it, too.
 */
CASE(size_smash_by, "snp-2m-entry-split", CASE_SNP | CASE_VMPL0 | CASE_2M | CASE_ALL)
{
	u64 gpa = BIG + 3 * PAGE_2M;

	announce(VIOL_NOT_RESCINDED);
	page_state(gpa, STATE_SHARED);
	violated(VIOL_NOT_RESCINDED);
	expect("neighbour of a shared page", rmp_of((void *)(gpa + PAGE_SIZE)), VALID);
	gpa += PAGE_2M;
	expect("RMPADJUST", rmpadjust(gpa, SNP_4K, 1 | SNP_RIGHTS(SNP_READ)).eax, SNP_SUCCESS);
	expect("neighbour", rmp_of((void *)(gpa + PAGE_SIZE)), VALID);
}

/* ---- RMPADJUST and RMPQUERY ---- */

CASE(adjust, "snp-rmpadjust", CASE_SNP | CASE_VMPL0)
{
	struct snp_result r = rmpadjust((u64)page + 0x77, SNP_4K,
					2 | SNP_RIGHTS(SNP_READ | SNP_EXECUTE));

	expect("EAX", r.eax, SNP_SUCCESS);
	expect("flags", r.rflags & FLAGS, FLAG_ZF | FLAG_PF);
	expect("entry", rmp_of(page) & ~HOOK_RMP_2M,
	       VALID | (SNP_READ | SNP_EXECUTE) << 16);
	r = rmpquery((u64)page, 2);
	expect("EAX", r.eax, SNP_SUCCESS);
	expect("RDX", r.rdx, 2 | SNP_RIGHTS(SNP_READ | SNP_EXECUTE));
	expect("size", r.rcx, SNP_4K);
	r = rmpquery((u64)page, 0);
	expect("own rights", r.rdx, SNP_RIGHTS(SNP_ALL));
	expect("EAX", rmpadjust((u64)page, SNP_4K, 2).eax, SNP_SUCCESS);
}

CASE(adjust_dropped, "snp-rights-dropped", CASE_SNP | CASE_VMPL0)
{
	rmpadjust((u64)page, SNP_4K, 2 | SNP_RIGHTS(SNP_ALL));
	make_shared(page);
	make_private(page);
	expect("rights of VMPL 1 to 3", rmp_of(page) >> 8, 0);
}

/*
 * RMPADJUST changes the rights of a target VMPL. It must fail unless the target VMPL is less
 * privileged than the VMPL that executes RMPADJUST.
 */
CASE(adjust_target, "snp-rmpadjust-target", CASE_SNP)
{
	expect("own VMPL", rmpadjust((u64)page, SNP_4K, machine.vmpl).eax,
	       SNP_FAIL_PERMISSION);
	expect("VMPL 0", rmpadjust((u64)page, SNP_4K, 0).eax, SNP_FAIL_PERMISSION);
	announce(VIOL_RMP_INPUT);
	expect("VMPL 4", rmpadjust((u64)page, SNP_4K, 4).eax, SNP_FAIL_INPUT);
	violated(VIOL_RMP_INPUT);
	announce(VIOL_RMP_INPUT);
	expect("unknown right", rmpadjust((u64)page, SNP_4K, 3 | SNP_RIGHTS(0x20)).eax,
	       SNP_FAIL_INPUT);
	violated(VIOL_RMP_INPUT);
	announce(VIOL_RMP_INPUT);
	expect("write without read", rmpadjust((u64)page, SNP_4K, 3 | SNP_RIGHTS(SNP_WRITE)).eax,
	       SNP_FAIL_INPUT);
	violated(VIOL_RMP_INPUT);
	expect("RMPQUERY of VMPL 4", rmpquery((u64)page, 4).eax, SNP_FAIL_PERMISSION);
}

CASE(adjust_below, "snp-rmpadjust-below-vmpl0", CASE_SNP | CASE_SVSM)
{
	u64 entry = rmp_of(page);
	struct snp_result r;

	if (machine.vmpl == 3)
		return;
	expect("VMSA bit", rmpadjust((u64)page, SNP_4K, VMPL_ABOVE | SNP_VMSA).eax,
	       SNP_FAIL_PERMISSION);
	expect("RMPQUERY of VMPL 0", rmpquery((u64)page, 0).eax, SNP_FAIL_PERMISSION);
	hook2(HOOK_RMP_SET, (u64)page, entry & ~((u64)SNP_WRITE << machine.vmpl * 8));
	r = rmpadjust((u64)page, SNP_4K, VMPL_ABOVE | SNP_RIGHTS(SNP_READ | SNP_WRITE));
	expect("a right that it lacks", r.eax, SNP_FAIL_PERMISSION);
	r = rmpadjust((u64)page, SNP_4K, VMPL_ABOVE | SNP_RIGHTS(SNP_READ));
	expect("a right that it has", r.eax, SNP_SUCCESS);
	hook2(HOOK_RMP_SET, (u64)page, entry);
}

CASE(adjust_not_valid, "snp-rmpadjust-not-validated", CASE_SNP | CASE_VMPL0)
{
	snp_validate((u64)page, false);
	vc.skip = true;
	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "1:\t.byte 0xf3, 0x0f, 0x01, 0xfe\n2:"
		     : : "a"(page), "c"(0), "d"(1) : "memory", "cc");
	expect("#VC count", vc.count, 1);
	expect("error code", vc.error_code, VC_NOT_VALIDATED);
	snp_validate((u64)page, true);
}

CASE(adjust_vmsa, "snp-vmsa-page", CASE_SNP | CASE_VMPL0)
{
	expect("EAX", rmpadjust((u64)page, SNP_4K, 1 | SNP_VMSA).eax, SNP_SUCCESS);
	expect("flags", flags_of(page), VALID | HOOK_RMP_VMSA);
	expect("RMPQUERY", rmpquery((u64)page, 1).rdx, 1 | SNP_VMSA);
	try_read(page);
	expect("page state", page_state((u64)page, STATE_SHARED) >> 32 != 0, true);
	expect("EAX", rmpadjust((u64)page, SNP_4K, 1).eax, SNP_SUCCESS);
	expect("flags", flags_of(page), VALID);
	try_write(page);
	expect("#VC count", vc.count, 0);
}

CASE(immutable, "snp-immutable-page", CASE_SNP)
{
	u64 entry = rmp_of(page);

	hook2(HOOK_RMP_SET, (u64)page, entry | HOOK_RMP_IMMUTABLE);
	expect("page state refused", page_state((u64)page, STATE_SHARED) >> 32 != 0, true);
	expect("entry", rmp_of(page), entry | HOOK_RMP_IMMUTABLE);
	hook2(HOOK_RMP_SET, (u64)page, entry);
}

/*
 * ---- In each case below sevemu ends the run, at least with --strict. case=all leaves
 * these cases out, and the suite plays each in a run of its own. ----
 */

CASE(end_double, "ends-double-validation", CASE_SNP | CASE_ENDS)
{
	fail(pvalidate((u64)page, SNP_4K, SNP_VALIDATE).eax ? "not 0" : "it goes on");
}

CASE(end_late, "ends-late-rescind", CASE_SNP | CASE_ENDS)
{
	snp_validate((u64)page, false);
	pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	fail("it goes on");
}

CASE(end_rescind_shared, "ends-rescind-shared", CASE_SNP | CASE_ENDS)
{
	make_shared(page);
	pvalidate((u64)page, SNP_4K, SNP_RESCIND);
	fail("it goes on");
}

CASE(end_not_rescinded, "ends-not-rescinded", CASE_SNP | CASE_ENDS)
{
	page_state((u64)page, STATE_SHARED);
	expect("flags", flags_of(page), 0);
	fail("it goes on");
}

CASE(end_c0, "ends-pvalidate-c0", CASE_SNP | CASE_ENDS)
{
	pvalidate((u64)shared(page), SNP_4K, SNP_RESCIND);
	fail("it goes on");
}

CASE(end_input, "ends-rmp-input", CASE_SNP | CASE_ENDS)
{
	pvalidate(BIG + PAGE_SIZE, SNP_2M, SNP_RESCIND);
	fail("it goes on");
}

CASE(end_shared, "ends-pvalidate-shared", CASE_SNP | CASE_ENDS)
{
	make_shared(page);
	pvalidate((u64)page, SNP_4K, SNP_VALIDATE);
	fail("it goes on");
}

CASE(end_device, "ends-pvalidate-device", CASE_SNP | CASE_ENDS)
{
	pvalidate(0xfee00000, SNP_4K, SNP_VALIDATE);
	fail("it goes on");
}

CASE(end_vmsa, "ends-vmsa-write", CASE_SNP | CASE_ENDS)
{
	rmpadjust((u64)page, SNP_4K, 1 | SNP_VMSA);
	try_write(page);
	fail("it goes on");
}

/*
 * The case makes a page table a VMSA page. sevemu does not model this, so sevemu must end
 * the run with a message when the processor walks the table.
 */
CASE(end_vmsa_walk, "ends-vmsa-walk", CASE_SNP | CASE_ENDS)
{
	u64 table = (u64)pte_of(BIG + 8 * PAGE_2M) & ~0xfffUL;

	rmpadjust(table, SNP_4K, 1 | SNP_VMSA);
	flush_tlb();
	try_read((void *)(BIG + 8 * PAGE_2M));
	fail("it goes on");
}
