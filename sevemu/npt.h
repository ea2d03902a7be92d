/* SPDX-License-Identifier: MIT */
/*
 * npt.h - the guest's frames, their two views and the nested page tables
 * (npt.c); the hypervisor's page allocator.
 *
 * A frame is 4 KiB of the guest's RAM.  At any time it is in one view: its bytes
 * in memory are what that view shows, and only that view's nested tables map it.
 * Guest-physical addresses (gpa) have no C-bit here.  Unless it says otherwise a
 * function may be called between an exit and the next entry, and cannot fail.
 */
#ifndef SEVEMU_NPT_H
#define SEVEMU_NPT_H

#include "sevemu.h"

enum view { VIEW_PRIVATE, VIEW_SHARED };

/* Flags of a frame, which snapshot.c and watch.c ask for. */
#define FRAME_SAVED		1	/* snapshot.c has a copy of the frame */
#define FRAME_STORED		2	/* the guest stored through a mapping that was
					 * removed, or exception.c stored for it */
#define FRAME_STORED_SHARED	4	/* the FRAME_STORED store used the shared view */
#define FRAME_TOUCHED		8	/* the host side may have changed the frame */

/*
 * Sets up the page allocator and the empty nested tables.  Called once, with
 * hv_base and config set, before any other function of this header.
 */
void npt_init(void);

/*
 * Returns @pages zeroed pages of hypervisor memory, identity-mapped; they are
 * never freed.  Exhaustion ends the run.
 */
void *npt_alloc(size_t pages);

/*
 * Gives the guest @size bytes of RAM at @gpa, which are stored at host address
 * @host, private at first.  @gpa, @size and @host are page-aligned.  For
 * loader.c, before the guest starts.  More than REGIONS_MAX regions, or one
 * above PHYS_LIMIT, end the run.
 */
void npt_add_ram(u64 gpa, u64 size, u8 *host);

/* As npt_add_ram(), for a ROM: GHCB MMIO writes to it are ignored. */
void npt_add_rom(u64 gpa, u64 size, u8 *host);

/*
 * Returns the nested CR3 for the paging mode of @vcpu, and sets the VMCB's
 * TLB_CONTROL if translations have changed.  The run loop calls it before each
 * entry.
 */
u64 npt_root(const struct vcpu *vcpu);

/*
 * Brings the frame of @gpa to @view and returns the host address of @gpa; NULL
 * if @gpa is not RAM of the guest.  A change of view scrambles the frame's
 * bytes.  The pointer is good for access until the frame changes its view.
 */
u8 *npt_frame(u64 gpa, enum view view);

/* Returns whether @gpa lies in a region of npt_add_rom(). */
bool npt_is_rom(u64 gpa);

/*
 * Returns whether any of the @len bytes at @gpa belong to the hypervisor: to its
 * memory or to the ROM that it was started from.  A range that wraps counts too.
 */
bool npt_is_hypervisor(u64 gpa, u64 len);

/* Returns the HOOK_FRAME_* state of the frame of @gpa. */
unsigned int npt_frame_state(u64 gpa);

/*
 * Returns the eight bytes at @gpa as the host sees them, ciphertext if the frame
 * is private, without a change of view.  HOOK_ERROR if @gpa is not RAM of the
 * guest or not a multiple of 8.
 */
u64 npt_host_peek(u64 gpa);

/*
 * Makes the next npt_root() flush the guest's TLB.  To be called after a change
 * of the guest's CR0, CR3 or CR4, or of entries that npt_leaf() returned.
 */
void npt_flush(void);

/*
 * Handles SVM_EXIT_NPF of @vcpu (APM2 15.25.6): brings a frame to the view that
 * the guest used, raises #VC for a device in an SEV-ES guest, or maps the device
 * in another guest.  An access to hypervisor memory, to an address above
 * PHYS_LIMIT, or a walk or fetch outside of RAM ends the run.
 */
void npt_fault(struct vcpu *vcpu);

/*
 * Notes that the hypervisor stored to the frame of @gpa for the processor, through
 * @view.  @gpa must be RAM of the guest.
 */
void npt_store(u64 gpa, enum view view);

/*
 * Makes the frame of @gpa not present in @view until npt_show(): an access of the
 * guest is then a nested page fault.  @gpa must be RAM of the guest.
 */
void npt_hide(enum view view, u64 gpa);

/* Undoes npt_hide(); does nothing for a frame that @view does not map. */
void npt_show(enum view view, u64 gpa);

/* npt_hide() or npt_show() for the private view of all frames. */
void npt_hide_all(bool hide);

/*
 * Makes address bit @bit, a mask, have no meaning: an address with it leads to
 * the same memory through the shared view.  0 undoes that.  The C-bit itself and
 * bits below PHYS_LIMIT or above bit 51 count as 0.
 */
void npt_alias(u64 bit);

/* Returns the mask that npt_alias() has in effect; 0: none. */
u64 npt_alias_bit(void);

/* Returns the FRAME_* flags of the frame of @gpa; NULL if it is not RAM. */
u8 *npt_flags(u64 gpa);

/*
 * Returns the host address of @gpa without a change of view; NULL if it is not
 * RAM of the guest.
 */
u8 *npt_host(u64 gpa);

/*
 * Returns the nested page table entry of the frame of @gpa in @view; 0 there
 * means that @view does not map it.  Splits a large page if need be.
 */
u64 *npt_leaf(enum view view, u64 gpa);

/*
 * Sets the frame of @gpa to HOOK_FRAME_* @state, with the mappings that belong
 * to it.  The caller has put the frame's bytes in place.  @gpa must be RAM.
 */
void npt_set_state(u64 gpa, unsigned int state);

/* Calls @see with the address of each frame of the guest. */
void npt_each_frame(void (*see)(u64 gpa));

/*
 * Returns whether the guest, or the processor for it, stored to the frame of @gpa
 * through the shared view since its flags and dirty bits were last cleared.
 * @gpa must be RAM of the guest.
 */
bool npt_stored_shared(u64 gpa);

#endif
