/* SPDX-License-Identifier: MIT */
/*
 * guest_memory.h - accesses to the guest's memory by linear address, and the
 * guest's paging mode (guest_memory.c).
 */
#ifndef SEVEMU_GUEST_MEMORY_H
#define SEVEMU_GUEST_MEMORY_H

#include "npt.h"
#include "sevemu.h"

/*
 * For the parameter @access of guest_read(): the hypervisor reads for a purpose of its
 * own, such as decoding an instruction.  A page that an SNP guest could not read is
 * left alone, and causes no violation of the ABI.
 */
#define GUEST_QUIET		0x100

/*
 * A page fault of the guest that guest_read() or guest_write() has found.  The
 * caller can deliver it with guest_raise_pf(), which delivers #VC if
 * @not_validated is set.
 */
struct guest_fault {
	/* The PF_* bits that #PF pushes on the stack as its error code. */
	u32 error_code;
	/* The linear address of the access, which #PF loads into CR2. */
	u64 address;
	/*
	 * The fault is #VC 0x404 instead of #PF, because an SNP guest has not
	 * validated the page, or a page table on the way to it.
	 */
	bool not_validated;
};

/* What the guest's page tables say about a linear address. */
struct translation {
	u64 gpa;		/* guest-physical address, without the C-bit */
	/*
	 * VIEW_SHARED if the address is translated by a leaf without the C-bit, and no
	 * instruction is fetched.  Otherwise VIEW_PRIVATE.
	 */
	enum view view;
	u64 span;		/* bytes that the leaf maps: 4 KiB, 2 MiB and so on */
};

/*
 * Returns the mask of the C-bit in a physical address or page table entry.
 * Returns 0 with --sev off.  May be called once main.c has filled in config.
 */
u64 cbit_mask(void);

/* Returns whether CR0.PG of @vcpu is set. */
bool guest_paging(const struct vcpu *vcpu);

/* Returns whether EFER.LMA of @vcpu is set: 64-bit mode or compatibility mode. */
bool guest_long_mode(const struct vcpu *vcpu);

/*
 * Translates the guest's linear address @va into *@t by the guest's page tables,
 * and sets accessed and dirty bits in these tables.  @access is a set of PF_W, PF_U and
 * PF_ID.  If the page tables do not allow the access, returns false and fills in
 * *@fault.  Does not access the page itself.  A page table outside of RAM ends the
 * run.
 */
bool guest_translate(struct vcpu *vcpu, u64 va, u32 access, struct translation *t,
		     struct guest_fault *fault);

/*
 * Copies @len bytes from the guest's linear address @va to @buf, as private or shared data
 * according to the C-bit of each page.  May be called between an exit and the next VMRUN.
 * @access is the sum of any of these flags, or 0: PF_U for a user access, PF_ID for an
 * instruction fetch, GUEST_QUIET (see above).  As an access by the processor does, the copy
 * sets accessed bits in the guest's page tables and can turn pages of RAM private or shared.
 * If the page tables do not allow the access, returns false and fills in @fault; @buf may then
 * have some of the bytes.  Page tables or data outside of RAM terminate the run.
 */
bool guest_read(struct vcpu *vcpu, u64 va, void *buf, size_t len,
		u32 access, struct guest_fault *fault);

/*
 * Copies @len bytes, 1 to PAGE_SIZE, from @buf to the guest's linear address
 * @va.  Parameters and result are those of guest_read().  Sets accessed and
 * dirty bits in the guest's page tables.  Does not change memory if it returns
 * false.
 */
bool guest_write(struct vcpu *vcpu, u64 va, const void *buf, size_t len,
		 u32 access, struct guest_fault *fault);

#endif
