/* SPDX-License-Identifier: MIT */
/*
 * svsm.c - a secure VM service module (SVSM), which holds VMPL 0 for an SEV-SNP guest
 * that runs at VMPL 1 to 3.
 *
 * Runs when the guest asks the hypervisor to run VMPL 0.  The SVSM of a real machine
 * is a guest at VMPL 0 with a VMSA of its own.  This one is part of the emulator and
 * has the core protocol, version 1 (AMD publication 58019, "Secure VM Service Module
 * for SEV-SNP Guests").  It reads and writes the calling area and the guest's lists
 * with the rights that the guest's VMPL has, so that the guest cannot make it touch
 * other memory.
 */
#include "attack_snp.h"
#include "hooks.h"
#include "log.h"
#include "main.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "svsm.h"

/* Calls of the core protocol, in bits 31:0 of RAX. */
#define CALL_REMAP_CA		0
#define CALL_PVALIDATE		1
#define CALL_CREATE_VCPU	2
#define CALL_DELETE_VCPU	3
#define CALL_QUERY_PROTOCOL	6

#define PROTOCOL_CORE		0
#define CORE_VERSION		1

/* Results in RAX. */
#define SVSM_SUCCESS		0
#define SVSM_BAD_PROTOCOL	0x80000001
#define SVSM_BAD_CALL		0x80000002
#define SVSM_BAD_ADDRESS	0x80000003
#define SVSM_BAD_PARAMETER	0x80000005
/*
 * The result of the call PVALIDATE if the SVSM's instruction PVALIDATE has failed.  The
 * instruction's EAX is added, or SVSM_NOT_CHANGED if the page already had the state that
 * the guest asked for.
 */
#define SVSM_PVALIDATE_FAILED	0x80001000
#define SVSM_NOT_CHANGED	0x10

/* Offset of EFER in a VMSA page (APM2 appendix B). */
#define VMSA_EFER		0xd0

/* The first bytes of the calling area, a private page that guest and SVSM both use. */
struct calling_area {
	/* The guest writes 1 here before a call.  The SVSM writes 0 here after the call. */
	u8 call_pending;
	u8 mem_available;
	u8 reserved[6];
};

/* The list that the guest passes to the call PVALIDATE.  It must lie in one page. */
struct page_list {
	u16 count;		/* number of entries */
	u16 next;		/* index of the next entry to handle; the SVSM advances it */
	u32 reserved;
	u64 entries[];		/* ENTRY_* */
};

/* Fields of an entry of struct page_list. */
#define ENTRY_SIZE		0x3	/* 0: 4 KiB, 1: 2 MiB */
#define ENTRY_VALIDATE		0x4	/* validate; 0: rescind */
/* The SVSM reports no error if the page already has the state that the guest asks for. */
#define ENTRY_IGNORE_CF		0x8
#define ENTRY_RESERVED		0xff0
#define ENTRY_GPA		(~0xfffull)

void svsm_init(struct vcpu *vcpu, u64 calling_area)
{
	unsigned int i;

	vcpu->svsm_area = calling_area;
	for (i = 0; i < config.smp; i++)
		vcpus[i].svsm_vmsa = GHCB_NONE;
}

/*
 * Returns the host address of the @len bytes at @gpa, or NULL unless they are in one
 * page that the guest's VMPL can read and write.  Returns NULL for a VMSA page, too, because
 * the processor refuses writes of software to it.
 */
static void *guest_bytes(const struct vcpu *vcpu, u64 gpa, u64 len)
{
	if ((gpa & PAGE_MASK) + len > PAGE_SIZE ||
	    !rmp_usable(gpa, vcpu->vmpl, RMP_READ | RMP_WRITE) ||
	    npt_rmp(gpa)->flags & RMP_VMSA)
		return NULL;
	npt_store(gpa, VIEW_PRIVATE);
	return npt_frame(gpa, VIEW_PRIVATE);
}

static u64 remap_calling_area(struct vcpu *vcpu)
{
	u64 gpa = vcpu->gpr[RCX];
	struct calling_area *area = guest_bytes(vcpu, gpa, sizeof(*area));

	if (gpa % PAGE_SIZE || !area)
		return SVSM_BAD_ADDRESS;
	memset(area, 0, sizeof(*area));
	vcpu->svsm_area = gpa;
	return SVSM_SUCCESS;
}

/*
 * Returns whether the @bytes at @gpa contain a page that the SVSM still needs: the calling
 * area, the page of the list at @list, or the VMSA that it has created.
 */
static bool in_use(const struct vcpu *vcpu, u64 gpa, u64 bytes, u64 list)
{
	return vcpu->svsm_area - gpa < bytes || list - gpa < bytes ||
	       vcpu->svsm_vmsa - gpa < bytes;
}

/*
 * Validates or rescinds the page of @entry, which is in the list at @list, and returns the
 * call's result.
 */
static u64 validate_entry(struct vcpu *vcpu, u64 entry, u64 list)
{
	bool huge = entry & ENTRY_SIZE, validate = entry & ENTRY_VALIDATE, same;
	u64 bytes = huge ? LARGE_SIZE : PAGE_SIZE, gpa = entry & ENTRY_GPA, page;
	unsigned int result;

	if ((entry & ENTRY_SIZE) > 1 || entry & ENTRY_RESERVED || gpa % bytes)
		return SVSM_BAD_PARAMETER;
	if (!npt_rmp(gpa) || !npt_rmp(gpa + bytes - PAGE_SIZE) ||
	    in_use(vcpu, gpa, bytes, list))
		return SVSM_BAD_ADDRESS;
	result = rmp_validate(vcpu, gpa, huge, validate, &same);
	if (result == RMP_FAIL_UNASSIGNED)
		return SVSM_BAD_ADDRESS;
	if (result)
		return SVSM_PVALIDATE_FAILED + result;
	if (same && entry & ENTRY_IGNORE_CF)
		return SVSM_SUCCESS;
	if (same) {
		rmp_validated_twice(vcpu, gpa, validate);
		return SVSM_PVALIDATE_FAILED + SVSM_NOT_CHANGED;
	}
	/* Clear the validated pages, so that the guest finds no bytes of the host in them. */
	for (page = gpa; validate && page < gpa + bytes; page += PAGE_SIZE)
		npt_clear(page);
	return SVSM_SUCCESS;
}

static u64 validate_list(struct vcpu *vcpu)
{
	u64 gpa = vcpu->gpr[RCX], result;
	struct page_list *list = guest_bytes(vcpu, gpa, sizeof(*list));
	unsigned int count, next;

	if (gpa % sizeof(u64) || !list)
		return SVSM_BAD_ADDRESS;
	count = list->count;
	next = list->next;
	if (!count || next >= count || list->reserved ||
	    !guest_bytes(vcpu, gpa, sizeof(*list) + count * sizeof(u64)))
		return SVSM_BAD_PARAMETER;
	for (; next < count; next++) {
		result = validate_entry(vcpu, list->entries[next], gpa);
		if (result)
			return result;
		list->next = next + 1;
	}
	return SVSM_SUCCESS;
}

/*
 * Makes the page in RCX a VMSA, with the calling area in RDX, for the CPU with the
 * APIC ID in R8.  The guest starts the CPU by the request "AP creation".
 */
static u64 create_vcpu(struct vcpu *vcpu)
{
	u64 gpa = vcpu->gpr[RCX], area = vcpu->gpr[RDX];
	u8 *vmsa = guest_bytes(vcpu, gpa, PAGE_SIZE);
	u64 efer, id = vcpu->gpr[8];

	if (gpa % PAGE_SIZE || area % PAGE_SIZE || gpa == area || gpa == vcpu->svsm_area || !vmsa ||
	    !guest_bytes(vcpu, area, PAGE_SIZE))
		return SVSM_BAD_ADDRESS;
	memcpy(&efer, vmsa + VMSA_EFER, sizeof(efer));
	if (id >= config.smp || vmsa[VMSA_VMPL] != vcpu->vmpl || !(efer & EFER_SVME) ||
	    vcpus[id].svsm_vmsa != GHCB_NONE)
		return SVSM_BAD_PARAMETER;
	vcpus[id].svsm_vmsa = gpa;
	/*
	 * A CPU that calls CREATE_VCPU with its own APIC ID keeps its calling area: the CPU
	 * runs already, and makes its next calls of the SVSM by the area that it has.
	 */
	if (&vcpus[id] != vcpu)
		vcpus[id].svsm_area = area;
	rmp_adjust(gpa, false, vcpu->vmpl, RMP_ALL_RIGHTS, true);
	return SVSM_SUCCESS;
}

static u64 delete_vcpu(struct vcpu *vcpu)
{
	struct vcpu *owner = vcpus;
	u64 gpa = vcpu->gpr[RCX];

	if (gpa % PAGE_SIZE)
		return SVSM_BAD_ADDRESS;
	while (owner < vcpus + config.smp && owner->svsm_vmsa != gpa)
		owner++;
	if (owner == vcpus + config.smp)
		return SVSM_BAD_PARAMETER;
	rmp_adjust(gpa, false, vcpu->vmpl, RMP_ALL_RIGHTS, false);
	owner->svsm_vmsa = GHCB_NONE;
	return SVSM_SUCCESS;
}

/*
 * Handles the guest's question whether the SVSM supports a protocol.  Bits 63:32 of RCX have
 * the protocol's number, and bits 31:0 a version.  If the SVSM supports this version, bits
 * 63:32 of RCX become the highest version that the SVSM supports, and bits 31:0 the lowest.
 * Otherwise RCX becomes 0.  The call succeeds in both cases.
 */
static u64 query_protocol(struct vcpu *vcpu)
{
	u64 protocol = vcpu->gpr[RCX] >> 32;
	u32 version = vcpu->gpr[RCX];

	vcpu->gpr[RCX] = protocol == PROTOCOL_CORE && version == CORE_VERSION ?
			 (u64)CORE_VERSION << 32 | CORE_VERSION : 0;
	return SVSM_SUCCESS;
}

static u64 call(struct vcpu *vcpu)
{
	if (vcpu->gpr[RAX] >> 32 != PROTOCOL_CORE)
		return SVSM_BAD_PROTOCOL;
	switch ((u32)vcpu->gpr[RAX]) {
	case CALL_REMAP_CA:
		return remap_calling_area(vcpu);
	case CALL_PVALIDATE:
		return validate_list(vcpu);
	case CALL_CREATE_VCPU:
		return create_vcpu(vcpu);
	case CALL_DELETE_VCPU:
		return delete_vcpu(vcpu);
	case CALL_QUERY_PROTOCOL:
		return query_protocol(vcpu);
	default:
		return SVSM_BAD_CALL;
	}
}

void svsm_run(struct vcpu *vcpu)
{
	struct calling_area *area = guest_bytes(vcpu, vcpu->svsm_area, sizeof(*area));
	u64 request = vcpu->gpr[RAX];

	report_count(COUNT_SVSM_CALLS);
	if (!area) {
		violation(vcpu, VIOL_SVSM_CALL, "the calling area %#lx is not private memory "
			  "that VMPL %u can read and write", vcpu->svsm_area, vcpu->vmpl);
		return;
	}
	/* Without a pending call the SVSM returns at once. */
	if (area->call_pending != 1)
		return;
	if (!snp_attack_svsm(request, &vcpu->gpr[RAX]))
		vcpu->gpr[RAX] = call(vcpu);
	trace("svsm %#lx rcx %#lx result %#lx", request, vcpu->gpr[RCX], vcpu->gpr[RAX]);
	area->call_pending = 0;
}
