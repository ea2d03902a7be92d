/* SPDX-License-Identifier: MIT */
/*
 * snp.h - what the cases for an SEV-SNP guest share: the instructions PVALIDATE,
 * RMPADJUST and RMPQUERY, page state changes, and accesses that may raise #VC 0x404
 * (snp.c). The numbers are copied from the specifications, as those of abi.h.
 */
#ifndef GUEST_SNP_H
#define GUEST_SNP_H

#include "guest.h"

/* Results of PVALIDATE, RMPADJUST and RMPQUERY in EAX (APM3). */
#define SNP_SUCCESS		0
#define SNP_FAIL_INPUT		1
#define SNP_FAIL_PERMISSION	2
#define SNP_FAIL_SIZE		6

#define SNP_4K			0	/* page size in RCX */
#define SNP_2M			1
#define SNP_RESCIND		0	/* RDX of PVALIDATE */
#define SNP_VALIDATE		1

/* Fields of RDX of RMPADJUST and RMPQUERY: rights of a VMPL, and the VMSA bit. */
#define SNP_RIGHTS(r)		((u64)(r) << 8)
#define SNP_READ		1
#define SNP_WRITE		2
#define SNP_EXECUTE		0xc
#define SNP_EXECUTE_USER	0x4	/* the half of SNP_EXECUTE for CPL 3 */
#define SNP_ALL			0xf
#define SNP_VMSA		0x10000

/* Page states in requests (GHCB 2.3.1 and 4.1.6). */
#define STATE_PRIVATE		1
#define STATE_SHARED		2
#define STATE_PSMASH		3
#define STATE_UNSMASH		4

/* Requests by the GHCB page that only an SNP guest may make (GHCB 4.1). */
#define EXIT_PAGE_STATE		0x80000010
#define EXIT_GUEST_REQUEST	0x80000011
#define EXIT_EXT_GUEST_REQUEST	0x80000012
#define EXIT_AP_CREATION	0x80000013
#define EXIT_APIC_IDS		0x80000017
#define EXIT_RUN_VMPL		0x80000018
#define EXIT_TERMINATE		0x8000fffe

/* The registers after PVALIDATE, RMPADJUST or RMPQUERY. */
struct snp_result {
	u32 eax;
	u64 rcx, rdx, rflags;
};
#define FLAG_CF			0x001
#define FLAG_PF			0x004
#define FLAG_AF			0x010
#define FLAG_ZF			0x040
#define FLAG_SF			0x080
#define FLAG_OF			0x800

/*
 * Execute PVALIDATE (F2 0F 01 FF), RMPADJUST (F3 0F 01 FE) and RMPQUERY (F3 0F 01 FD)
 * with the values of RAX, RCX and RDX.
 */
struct snp_result pvalidate(u64 rax, u64 rcx, u64 rdx);
struct snp_result rmpadjust(u64 rax, u64 rcx, u64 rdx);
struct snp_result rmpquery(u64 rax, u64 rdx);

/*
 * Makes the GHCB page shared and registers it. main.c calls it before the first case in
 * an SNP guest, when the page tables are loaded.
 */
void snp_init(void);

/*
 * Validates the page at @gpa if @validate, otherwise rescinds its validation: at VMPL 0
 * by PVALIDATE, else by a call of the SVSM. Fails the running case if this does not
 * succeed.
 */
void snp_validate(u64 gpa, bool validate);

/*
 * Asks the hypervisor by the MSR protocol for page state @state (STATE_*) of the page at
 * @gpa. Returns the response.
 */
u64 page_state(u64 gpa, u64 state);

/*
 * make_shared() rescinds the validation of the private page at @p, and then asks for the
 * state shared. make_private() asks for the state private, and then validates the page.
 * Both fail the running case if a step does not succeed.
 */
void make_shared(const void *p);
void make_private(const void *p);

/* Returns the RMP entry of the page at @p, in the format of HOOK_RMP's result. */
u64 rmp_of(const void *p);

/* Returns how often sevemu has counted event @n of the report's object "rmp". */
u64 rmp_count(u32 n);
#define RMP_COUNT_DOUBLE	2
#define RMP_COUNT_LATE		3
#define RMP_COUNT_SIZE		4
#define RMP_COUNT_MISMATCH	5
#define RMP_COUNT_NOT_VALIDATED	6
#define RMP_COUNT_IMPLICIT	7
#define RMP_COUNT_TOUCHED	8
#define RMP_COUNT_SMASHED	10
#define RMP_COUNT_ENTRIES	13

/*
 * Read, write or execute memory at @p once. If the access raises #VC and vc.skip is set,
 * the #VC handler continues after the access. try_read() then returns 0.
 */
u64 try_read(const volatile void *p);
void try_write(volatile void *p);
void try_fetch(const void *p);

/*
 * Calls the SVSM by the MSR protocol, with @call in RAX, *@rcx in RCX, @rdx in RDX and
 * @r8 in R8. Returns RAX, and sets *@rcx to RCX after the call. Fails the running case if
 * the SVSM has not run.
 */
u64 svsm_call(u64 call, u64 *rcx, u64 rdx, u64 r8);

/* The SVSM's calling area, one page; NULL without an SVSM. */
extern volatile u8 *calling_area;

/* Calls of the SVSM's core protocol (publication 58019). */
#define SVSM_REMAP_CA		0
#define SVSM_PVALIDATE		1
#define SVSM_CREATE_VCPU	2
#define SVSM_DELETE_VCPU	3
#define SVSM_DEPOSIT		4
#define SVSM_QUERY_PROTOCOL	6

/*
 * The secrets page and the CPUID page, which the confidential-computing blob in the
 * setup_data list names. NULL if there is no blob.
 */
const u8 *secrets_page(void);
const u8 *cpuid_page(void);

#endif
