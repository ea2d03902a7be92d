/* SPDX-License-Identifier: MIT */
/*
 * guest_memory.c - accesses to guest memory by linear address.  Walks the
 * guest's page tables, and copies private or shared data as the C-bit of each
 * page says.
 *
 * Runs between an exit and the next VMRUN.  The hypervisor reads instruction
 * bytes, descriptor tables and string operands of the guest, and writes
 * exception frames, in place of the processor.  If the guest's page tables do
 * not allow an access, the functions return the page fault, which the caller
 * delivers to the guest.
 */
#include "guest_memory.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"

/*
 * The number of page table levels in paging without PAE.  Page table entries
 * have 32 bits without PAE, and 64 bits with PAE and in long mode.
 */
#define LEVELS_32BIT		2
/* Bits 4:0 of CR3, which are not part of the table's address in PAE paging. */
#define PDPTE_MASK		0x1f

u64 cbit_mask(void)
{
	return config.sev == SEV_OFF ? 0 : 1ull << config.cbit;
}

bool guest_paging(const struct vcpu *vcpu)
{
	return vcpu->vmcb->cr0 & CR0_PG;
}

bool guest_long_mode(const struct vcpu *vcpu)
{
	return vcpu->vmcb->efer & EFER_LMA;
}

/* Returns how many levels the guest's page tables have.  Paging must be on. */
static unsigned int paging_levels(const struct vmcb *vmcb)
{
	if (vmcb->efer & EFER_LMA)
		return vmcb->cr4 & CR4_LA57 ? 5 : 4;
	return vmcb->cr4 & CR4_PAE ? 3 : LEVELS_32BIT;
}

/*
 * With --sev snp, checks an access to the RAM at @gpa against the RMP.  Returns
 * false and sets @fault->not_validated if the guest has not validated the page.
 * @access is a set of PF_*.
 */
static bool validated(struct vcpu *vcpu, u64 gpa, enum view view, u32 access,
		      struct guest_fault *fault)
{
	u8 rights = access & PF_ID ? (vcpu->vmcb->cpl == 3 ? RMP_EXECUTE_USER :
				      RMP_EXECUTE_SUPERVISOR) :
		    access & PF_W ? RMP_WRITE : RMP_READ;

	if (!guest_is_snp())
		fault->not_validated = false;
	else if (report_ending() || access & GUEST_QUIET)
		fault->not_validated = view == VIEW_PRIVATE && npt_rmp(gpa) &&
				       !rmp_usable(gpa, vcpu->vmpl, rights);
	else
		fault->not_validated = !rmp_access(vcpu, gpa, view, rights);
	return !fault->not_validated;
}

/*
 * As on the processor, page tables and instructions are always read as private
 * (with the C-bit), and data as the C-bit of the last page table entry says
 * (APM2 15.34.5).
 */
bool guest_translate(struct vcpu *vcpu, u64 va, u32 access, struct translation *t,
		     struct guest_fault *fault)
{
	const struct vmcb *vmcb = vcpu->vmcb;
	unsigned int levels = paging_levels(vmcb), level;
	unsigned int bits = levels == LEVELS_32BIT ? 10 : 9;
	u32 rights = PTE_W | PTE_U;
	u64 cbit = vmcb->cr4 & CR4_PAE ? cbit_mask() : 0;
	u64 no_address = cbit | npt_alias_bit();
	u64 table = vmcb->cr3 & PTE_ADDR & ~no_address;
	u64 entry = 0, span = 0;

	fault->address = va;
	fault->error_code = access & ~(u32)(PF_P | GUEST_QUIET);
	fault->not_validated = false;
	if (!guest_paging(vcpu)) {
		t->gpa = va;
		t->view = VIEW_PRIVATE;
		t->span = LARGE_SIZE;
		return true;
	}
	if (levels == 3)
		table = vmcb->cr3 & 0xffffffff & ~(u64)PDPTE_MASK;

	for (level = levels; level-- > 0; ) {
		u64 shift = 12 + bits * level;
		u64 index = va >> shift & ((1 << bits) - 1);
		bool pdpte = levels == 3 && level == 2;
		bool leaf;
		u64 at;
		u8 *slot;

		span = 1ull << shift;
		if (levels == 3 && level == 2)
			index &= 3;
		at = table + index * (bits == 10 ? 4 : 8);
		if (!validated(vcpu, at, VIEW_PRIVATE, access & GUEST_QUIET, fault))
			return false;
		slot = npt_frame(at, VIEW_PRIVATE);
		if (!slot)
			end_error(vcpu, "the guest's page table for %#lx is at %#lx, which is "
				  "not RAM of the guest", va, table);
		entry = bits == 10 ? *(u32 *)slot : *(u64 *)slot;
		if (!(entry & PTE_P))
			return false;
		leaf = level == 0 || (entry & PTE_PS && !pdpte);
		if (!pdpte) {
			u64 set = PTE_A | (leaf && access & PF_W ? PTE_D : 0);

			/*
			 * The processor would set accessed and dirty bits for the guest,
			 * so record a write by the guest and not by the host.
			 */
			if (set & ~entry)
				npt_store(at, VIEW_PRIVATE);
			*slot |= set;
			rights &= entry;
		}
		if (leaf)
			break;
		table = entry & PTE_ADDR & ~no_address;
	}

	fault->error_code |= PF_P;
	if (access & PF_U && !(rights & PTE_U))
		return false;
	if (access & PF_W && !(rights & PTE_W) &&
	    (access & PF_U || vmcb->cr0 & CR0_WP))
		return false;

	t->view = !cbit || entry & cbit || access & PF_ID ? VIEW_PRIVATE : VIEW_SHARED;
	t->gpa = ((entry & PTE_ADDR & ~no_address) & ~(span - 1)) | (va & (span - 1));
	t->span = span;
	return true;
}

/*
 * Translates the guest's linear address @va as guest_translate() does, and returns
 * the hypervisor's address of the byte.  Returns NULL and fills in *@fault if the
 * guest may not access it.
 */
static u8 *walk(struct vcpu *vcpu, u64 va, u32 access, struct guest_fault *fault)
{
	struct translation t;
	u8 *frame;

	if (!guest_translate(vcpu, va, access, &t, fault) ||
	    !validated(vcpu, t.gpa, t.view, access, fault))
		return NULL;
	frame = npt_frame(t.gpa, t.view);
	if (frame && access & PF_W)
		npt_store(t.gpa, t.view);
	if (!frame && !guest_paging(vcpu))
		end_error(vcpu, "CPU access, without paging, to %#lx, which is not RAM of "
			  "the guest", va);
	if (!frame)
		end_error(vcpu, "CPU access to linear address %#lx, which is mapped to %#lx, "
			  "not RAM of the guest", va, t.gpa);
	return frame;
}

/*
 * Copies @len bytes from the guest's linear address @va to @in.  If @in is
 * NULL, copies from @out to @va instead.  Returns false and fills in *@fault at
 * a page fault.
 */
static bool guest_copy(struct vcpu *vcpu, u64 va, u8 *in, const u8 *out,
		       size_t len, u32 access, struct guest_fault *fault)
{
	while (len) {
		size_t part = PAGE_SIZE - (va & PAGE_MASK);
		u8 *frame = walk(vcpu, va, access, fault);

		if (!frame)
			return false;
		if (part > len)
			part = len;
		if (in) {
			memcpy(in, frame, part);
			in += part;
		} else {
			memcpy(frame, out, part);
			out += part;
		}
		va += part;
		len -= part;
	}
	return true;
}

bool guest_read(struct vcpu *vcpu, u64 va, void *buf, size_t len,
		u32 access, struct guest_fault *fault)
{
	return guest_copy(vcpu, va, buf, NULL, len, access, fault);
}

bool guest_write(struct vcpu *vcpu, u64 va, const void *buf, size_t len,
		 u32 access, struct guest_fault *fault)
{
	u64 last = va + len - 1;

	/*
	 * Check that the first and the last page are writable before the first
	 * byte is written, because a store that faults must not change memory.
	 */
	if (!walk(vcpu, va, access | PF_W, fault) ||
	    ((va ^ last) & ~(u64)PAGE_MASK && !walk(vcpu, last, access | PF_W, fault)))
		return false;
	return guest_copy(vcpu, va, NULL, buf, len, access | PF_W, fault);
}
