/* SPDX-License-Identifier: MIT */
/*
 * rmp.h - the reverse map table (RMP) of an SEV-SNP guest's RAM (APM2 15.36),
 * and the instructions and page state changes by which the guest changes it
 * (rmp.c).
 *
 * The RMP has an entry for each 4 KiB frame of the guest's RAM.  Guest-physical
 * and system-physical addresses are the same in this model.  The nested page
 * table entries of a frame follow from its RMP entry by one function,
 * rmp_apply() in rmp.c.
 *
 * All functions may be called with --sev snp only, between a VMEXIT and the next
 * VMRUN unless a comment says otherwise.  A guest-physical address (gpa) has the
 * C-bit clear.
 */
#ifndef SEVEMU_RMP_H
#define SEVEMU_RMP_H

#include "npt.h"
#include "sevemu.h"

/* Flags of an RMP entry.  A test guest reads them by HOOK_RMP. */
#define RMP_ASSIGNED		0x01	/* the frame is private memory of the guest */
#define RMP_VALIDATED		0x02	/* the guest has accepted the frame by PVALIDATE */
#define RMP_2M			0x04	/* one entry covers the 2 MiB around the frame */
#define RMP_VMSA		0x08	/* the frame holds a virtual CPU's saved state */
#define RMP_IMMUTABLE		0x10	/* the host cannot change the entry */
/*
 * Neither the guest nor the host has decided whether the frame is private or
 * shared.  With --snp-convert=strict the guest's first access decides it.
 */
#define RMP_UNTOUCHED		0x20
/* The host has mapped the frame's address to another frame: see rmp_host_alias(). */
#define RMP_ALIASED		0x40

/* Rights of a VMPL in an RMP entry (APM2 15.36). */
#define RMP_READ		0x01
#define RMP_WRITE		0x02
#define RMP_EXECUTE_USER	0x04
#define RMP_EXECUTE_SUPERVISOR	0x08
#define RMP_ALL_RIGHTS		0x0f

#define VMPLS			4

/* The RMP entry of a frame. */
struct rmp_entry {
	u8 flags;		/* RMP_ASSIGNED and so on */
	u8 rights[VMPLS - 1];	/* rights of VMPL 1 to 3; VMPL 0 has all rights */
};

/* Page states that a guest can ask for (GHCB 2.3.1, SNP Page State Change). */
#define PAGE_STATE_PRIVATE	1
#define PAGE_STATE_SHARED	2
#define PAGE_STATE_PSMASH	3
#define PAGE_STATE_UNSMASH	4

/* Results of PVALIDATE, RMPADJUST and RMPQUERY in EAX (APM3). */
#define RMP_SUCCESS		0
#define RMP_FAIL_INPUT		1
#define RMP_FAIL_PERMISSION	2
#define RMP_FAIL_SIZE		6
/* Result of rmp_validate(): the frame is not private memory, or not RAM. */
#define RMP_FAIL_UNASSIGNED	0x100

/*
 * Checks an access by the guest to the frame of @gpa against the frame's RMP
 * entry, and makes the nested page table entries allow it.  @view says whether
 * the access is private or shared memory.  Page-table walks and instruction
 * fetches are always private.  @rights is RMP_READ and so on.  Returns true if
 * the access is allowed or @gpa is not RAM.  Returns false if the guest has not
 * validated the frame, for which a processor raises #VC with error code 0x404.  Any other
 * mismatch is a violation of the ABI that ends the run.
 */
bool rmp_access(struct vcpu *vcpu, u64 gpa, enum view view, u8 rights);

/*
 * Handles a nested page fault of the guest in its RAM: checks the access by
 * rmp_access(), and raises #VC if the guest has not validated the frame of @gpa.
 * @view says whether the access is private or shared memory.  @info is the fault's error
 * code (PF_*, NPF_WALK).  Returns whether the guest may repeat the access.
 */
bool rmp_fault(struct vcpu *vcpu, u64 gpa, enum view view, u64 info);

/*
 * Returns whether the host can read and write the frame of @gpa as shared memory.
 * Makes the frame shared before, if neither the guest nor the host has decided whether
 * the frame is private or shared, and --snp-convert=none was not given.  Returns false for
 * a frame that is not shared then, and for addresses that are not RAM.
 */
bool rmp_shared(u64 gpa);

/*
 * Returns whether the frame of @gpa is private, validated, and VMPL @vmpl has
 * @rights (RMP_READ and so on) to it.
 */
bool rmp_usable(u64 gpa, unsigned int vmpl, u8 rights);

/*
 * Makes the frames from @start to @end, rounded to whole pages, private and
 * validated, as the security processor does at launch.  All VMPLs from --vmpl on
 * get all rights.  launch.c calls it before the guest starts.
 */
void rmp_launch(u64 start, u64 end);

/*
 * Changes the page state of the @pages frames (1 or 512) at @gpa to @state,
 * PAGE_STATE_PRIVATE or PAGE_STATE_SHARED, for the guest's request.  A frame that
 * is in the state already stays as it is.  512 private frames become one 2 MiB entry
 * with --rmp=2m.  Returns false if the host cannot change the state: because the guest
 * asks for private memory where there is no RAM, or because a frame's RMP entry is
 * immutable or that of a VMSA.
 */
bool rmp_page_state(struct vcpu *vcpu, u64 gpa, unsigned int state, unsigned int pages);

/*
 * Sets the validated bit of the frame of @gpa, or of the 2 MiB at @gpa if @huge,
 * to @validate.  Sets *@same to whether the bit already has this value.  Returns
 * RMP_SUCCESS, RMP_FAIL_SIZE, or RMP_FAIL_UNASSIGNED if the frame is shared or not RAM.
 */
unsigned int rmp_validate(struct vcpu *vcpu, u64 gpa, bool huge, bool validate, bool *same);

/*
 * Reports a violation of the ABI: if @validate is true, that the guest has validated the page
 * of @gpa although it is validated already, otherwise that the guest has rescinded the
 * validation of a page that is not validated.  The caller knows this from rmp_validate().  If a
 * guest validates a page twice, the host may have replaced the page in between.
 */
void rmp_validated_twice(struct vcpu *vcpu, u64 gpa, bool validate);

/*
 * Gives VMPL @vmpl (1 to 3) the rights @rights to the frame of @gpa, which must be RAM,
 * and sets the frame's VMSA flag to @vmsa.  If @huge, sets rights and flag of all frames
 * of the 2 MiB at @gpa.
 */
void rmp_adjust(u64 gpa, bool huge, unsigned int vmpl, u8 rights, bool vmsa);

/*
 * Splits the 2 MiB RMP entry that covers @gpa, if one does, into 512 entries of
 * 4 KiB with the same state, as the host does by PSMASH.
 */
void rmp_smash(u64 gpa);

/*
 * Replaces the frame of @gpa as a host can by RMPUPDATE: its bytes become others, and the
 * frame is private and not validated.  attack_snp.c calls it.  @gpa must be RAM.
 */
void rmp_host_update(u64 gpa);

/*
 * Makes the nested page table entry of @gpa name the frame of another guest-physical address,
 * as a host can.  Without SNP the guest would find that frame's bytes at @gpa, too.  The frame's
 * RMP entry names the other address, and not @gpa.  The guest's next access to @gpa is therefore
 * a nested page fault that the host cannot resolve, and ends the run.  attack_snp.c calls it.
 * @gpa must be RAM.
 */
void rmp_host_alias(u64 gpa);

/*
 * Returns whether the host can write to the frame of @gpa.  It cannot write to a frame that
 * is assigned to an SNP guest, because the processor checks the RMP at the host's writes,
 * too.  May be called for any guest; @gpa must be RAM.
 */
bool rmp_host_writes(u64 gpa);

/*
 * Makes the nested page table entries of the frame of @gpa follow its RMP entry.  @gpa must
 * be RAM.
 */
void rmp_apply(u64 gpa);

/* Keeps the RMP for rmp_restore().  snapshot.c calls both. */
void rmp_keep(void);

/* Sets the RMP to what it was at rmp_keep(), and the nested page table entries with it. */
void rmp_restore(void);

/*
 * Returns the RMP entry of @gpa for a test guest: flags in bits 7:0, rights of
 * VMPL 1 to 3 in bits 15:8, 23:16 and 31:24.  Returns 0 if @gpa is not RAM.
 */
u64 rmp_word(u64 gpa);

/*
 * Overwrites the RMP entry of @gpa by @word, which has the format of rmp_word(), on
 * request of a test guest.  Ignores an address that is not RAM.
 */
void rmp_force(u64 gpa, u64 word);

#endif
