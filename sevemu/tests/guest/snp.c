/* SPDX-License-Identifier: MIT */
/*
 * snp.c - the instructions and requests by which the test guest, as an SEV-SNP guest,
 * changes its pages.
 */
#include <asm/bootparam.h>

#include "snp.h"

#define SETUP_CC_BLOB_TYPE	7
#define BLOB_MAGIC_VALUE	0x45444d41
#define SECRETS_SVSM_CAA	0x150
#define PAGE_STATE_SHIFT	52
#define NODES_MAX		64
/* Offset in the SVSM's calling area at which the guest stores a list of pages. */
#define LIST_OFFSET		8
#define ENTRY_VALIDATE		4

volatile u8 *calling_area;

struct snp_result pvalidate(u64 rax, u64 rcx, u64 rdx)
{
	struct snp_result r;

	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff\n\tpushfq; popq %1"
		     : "=a"(r.eax), "=r"(r.rflags), "=c"(r.rcx), "=d"(r.rdx)
		     : "0"(rax), "2"(rcx), "3"(rdx) : "memory", "cc");
	return r;
}

struct snp_result rmpadjust(u64 rax, u64 rcx, u64 rdx)
{
	struct snp_result r;

	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfe\n\tpushfq; popq %1"
		     : "=a"(r.eax), "=r"(r.rflags), "=c"(r.rcx), "=d"(r.rdx)
		     : "0"(rax), "2"(rcx), "3"(rdx) : "memory", "cc");
	return r;
}

struct snp_result rmpquery(u64 rax, u64 rdx)
{
	struct snp_result r;

	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfd\n\tpushfq; popq %1"
		     : "=a"(r.eax), "=r"(r.rflags), "=c"(r.rcx), "=d"(r.rdx)
		     : "0"(rax), "2"(0), "3"(rdx) : "memory", "cc");
	return r;
}

u64 page_state(u64 gpa, u64 state)
{
	return msr_protocol(gpa | state << PAGE_STATE_SHIFT | REQ_PAGE_STATE);
}

/*
 * Validates the page at @gpa if @validate, otherwise rescinds its validation, by a call
 * of the SVSM. A #VC handler may need this while the GHCB MSR holds a request, so the
 * function restores the MSR.
 */
static void validate_by_svsm(u64 gpa, bool validate)
{
	volatile u64 *list = (volatile u64 *)(calling_area + LIST_OFFSET);
	u64 rcx = (u64)list, msr = rdmsr(MSR_GHCB);

	list[0] = 1;
	list[1] = gpa | (validate ? ENTRY_VALIDATE : 0);
	expect("SVSM's PVALIDATE", svsm_call(SVSM_PVALIDATE, &rcx, 0, 0), 0);
	wrmsr(MSR_GHCB, msr);
}

void snp_validate(u64 gpa, bool validate)
{
	struct snp_result r;

	if (machine.vmpl) {
		validate_by_svsm(gpa, validate);
		return;
	}
	r = pvalidate(gpa, SNP_4K, validate);
	expect("PVALIDATE", r.eax, SNP_SUCCESS);
	expect("CF of PVALIDATE", r.rflags & FLAG_CF, 0);
}

void make_shared(const void *p)
{
	snp_validate((u64)p, false);
	expect("page state", page_state((u64)p, STATE_SHARED), RESP_PAGE_STATE);
}

void make_private(const void *p)
{
	expect("page state", page_state((u64)p, STATE_PRIVATE), RESP_PAGE_STATE);
	snp_validate((u64)p, true);
}

u64 rmp_of(const void *p)
{
	return hook(HOOK_RMP, (u64)p);
}

u64 rmp_count(u32 n)
{
	return hook(HOOK_COUNT, HOOK_COUNT_RMP + n);
}

u64 try_read(const volatile void *p)
{
	u64 value = 0;

	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "1:\tmovq (%1), %0\n2:"
		     : "+r"(value) : "r"(p) : "memory");
	return value;
}

void try_write(volatile void *p)
{
	asm volatile("movq $1f, vc(%%rip); movq $2f, vc+8(%%rip)\n"
		     "1:\tmovq $0, (%0)\n2:"
		     : : "r"(p) : "memory");
}

void try_fetch(const void *p)
{
	asm volatile("movq %0, vc(%%rip); movq $1f, vc+8(%%rip)\n"
		     "\tmovq $1f, %%rcx\n\tjmpq *%0\n1:"
		     : : "r"(p) : "rcx", "memory");
}

u64 svsm_call(u64 call, u64 *rcx, u64 rdx, u64 r8)
{
	register u64 r8_value asm("r8") = r8;
	u64 rax = call, pending = 1;

	*calling_area = 1;
	wrmsr(MSR_GHCB, REQ_RUN_VMPL);
	asm volatile("rep; vmmcall"
		     : "+a"(rax), "+c"(*rcx), "+d"(rdx), "+r"(r8_value) : : "memory");
	expect("response", rdmsr(MSR_GHCB), RESP_RUN_VMPL);
	pending = *calling_area;
	expect("call_pending", pending, 0);
	return rax;
}

/* Returns the confidential-computing blob that the setup_data list names, or NULL. */
static const u64 *blob(void)
{
	const struct setup_data *node = (const void *)machine.bp->hdr.setup_data;
	u32 address = 0, left;

	/*
	 * Look at no more than NODES_MAX nodes, because a hostile loader may link them to
	 * a ring.
	 */
	for (left = NODES_MAX; node && left; left--, node = (const void *)node->next)
		if (node->type == SETUP_CC_BLOB_TYPE)
			memcpy(&address, node->data, sizeof(address));
	return (const void *)(u64)address;
}

const u8 *secrets_page(void)
{
	const u64 *b = blob();

	return b && (u32)b[0] == BLOB_MAGIC_VALUE ? (const u8 *)b[1] : NULL;
}

const u8 *cpuid_page(void)
{
	const u64 *b = blob();

	return b && (u32)b[0] == BLOB_MAGIC_VALUE ? (const u8 *)b[3] : NULL;
}

void snp_init(void)
{
	if (machine.vmpl)
		calling_area = *(volatile u8 *const *)(secrets_page() + SECRETS_SVSM_CAA);
	make_shared(ghcb_page);
	expect("registration", msr_protocol((u64)ghcb_page | REQ_REGISTER_GHCB),
	       (u64)ghcb_page | RESP_REGISTER_GHCB);
}
