/* SPDX-License-Identifier: MIT */
/*
 * guest_memory.h - the guest's memory by linear address, and its paging mode
 * (guest_memory.c).
 */
#ifndef SEVEMU_GUEST_MEMORY_H
#define SEVEMU_GUEST_MEMORY_H

#include "sevemu.h"

/* The page fault that an access met: what #PF pushes and loads into CR2. */
struct guest_fault {
	u32 error_code;		/* PF_* bits */
	u64 address;		/* linear */
};

/* Returns the C-bit as a mask of an address; 0 with --sev off.  Needs config. */
u64 cbit_mask(void);

/* Returns whether CR0.PG of @vcpu is set. */
bool guest_paging(const struct vcpu *vcpu);

/* Returns whether long mode is active (EFER.LMA), compatibility mode included. */
bool guest_long_mode(const struct vcpu *vcpu);

/*
 * Copies @len bytes from linear address @va of the guest to @buf, page by page
 * and with the C-bit of each page.  May be called between an exit and the next
 * entry.  @access is 0, or PF_U for a user access and PF_ID for an instruction
 * fetch.  Frames change their view and the guest's accessed bits are set, as by
 * an access of the processor.  Returns false and fills *@fault if the guest's
 * page tables refuse; bytes before that may have been copied.  Page tables or
 * data outside of RAM end the run.
 */
bool guest_read(struct vcpu *vcpu, u64 va, void *buf, size_t len,
		u32 access, struct guest_fault *fault);

/*
 * Copies @len bytes, 1 to PAGE_SIZE, from @buf to linear address @va of the
 * guest.  As guest_read(), but sets dirty bits too, and writes nothing at all if
 * it returns false.
 */
bool guest_write(struct vcpu *vcpu, u64 va, const void *buf, size_t len,
		 u32 access, struct guest_fault *fault);

#endif
