/* SPDX-License-Identifier: MIT */
/*
 * rmp.c - the reverse map table (RMP) of an SEV-SNP guest's RAM, and the checks
 * that the processor makes against it (APM2 15.36).
 *
 * Runs with --sev snp only.  The RMP says for each 4 KiB frame whether it is
 * private memory of the guest (assigned) or shared with the host, and whether
 * the guest has validated it.  Private memory that is not validated raises #VC
 * 0x404.  An access through the wrong view ends the run, because a real host
 * would have no honest way to let the guest go on.
 *
 * A frame changes between private and shared by a page state change only, with
 * two exceptions that EDK2 needs and that --snp-convert=none forbids.  The first
 * access to an untouched frame decides its state.  A read of the firmware image
 * with C=0 makes the frame shared and keeps its bytes, unless the guest has written
 * to the frame.  --snp-convert=implicit converts any frame at any access, as KVM with
 * QEMU does.
 */
#include "attack_snp.h"
#include "exception.h"
#include "hooks.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"

#define FRAMES_2M		(LARGE_SIZE / PAGE_SIZE)
#define EXECUTE			(RMP_EXECUTE_USER | RMP_EXECUTE_SUPERVISOR)
#define SHARED_LEAF		(PTE_P | PTE_W | PTE_U | PTE_NX)

/*
 * @conversions: how often convert() has scrambled a frame so far.  The number selects the key
 * stream that scrambles the frame.  No two conversions use the same key stream, so that a frame
 * that becomes shared and private again does not get its old contents back.
 * @kept_conversions: the value of @conversions when the snapshot was taken.
 */
static u64 conversions, kept_conversions;

/* Returns the rights that VMPL @vmpl has by @entry. */
static u8 rights_of(const struct rmp_entry *entry, unsigned int vmpl)
{
	return vmpl ? entry->rights[vmpl - 1] : RMP_ALL_RIGHTS;
}

/*
 * Maps a frame that is assigned and validated in the private view, with the rights of
 * the guest's VMPL.  Maps a shared frame in the shared view without the right to execute,
 * because the processor fetches instructions as private memory whatever the C-bit is.
 * Maps any other frame in neither view: one that is assigned and not validated, one that
 * the guest has not touched yet (RMP_UNTOUCHED), and one whose address the host has mapped
 * to another frame (RMP_ALIASED).
 */
void rmp_apply(u64 gpa)
{
	const struct rmp_entry *entry = npt_rmp(gpa);
	u8 rights = rights_of(entry, config.vmpl);
	u64 flags = 0;

	if (entry->flags & (RMP_ALIASED | RMP_UNTOUCHED)) {
		npt_place(gpa, VIEW_PRIVATE, 0);
	} else if (entry->flags & RMP_ASSIGNED) {
		if (entry->flags & RMP_VALIDATED && rights & RMP_READ)
			flags = PTE_P | PTE_U |
				(rights & RMP_WRITE && !(entry->flags & RMP_VMSA) ?
				 PTE_W : 0) |
				((rights & EXECUTE) == EXECUTE ? 0 : PTE_NX);
		npt_place(gpa, VIEW_PRIVATE, flags);
	} else {
		npt_place(gpa, VIEW_SHARED, SHARED_LEAF);
	}
}

static void drop_rights(struct rmp_entry *entry)
{
	memset(entry->rights, 0, sizeof(entry->rights));
}

/*
 * Returns the address of the 2 MiB around @gpa if all their frames are RAM and
 * untouched, so that the host can assign them by one entry.  Otherwise returns
 * 1, which is no address of a frame.
 */
static u64 whole_2m(u64 gpa)
{
	u64 start = ALIGN_DOWN(gpa, LARGE_SIZE), i;

	for (i = 0; i < FRAMES_2M; i++) {
		const struct rmp_entry *entry = npt_rmp(start + i * PAGE_SIZE);

		if (!entry || !(entry->flags & RMP_UNTOUCHED))
			return 1;
	}
	return start;
}

/*
 * Makes the untouched frame of @gpa private, as the host does when the guest first
 * uses the frame.  With --rmp=2m makes the 2 MiB around the frame private if
 * whole_2m() allows it.
 */
static void touch_private(u64 gpa)
{
	u64 start = config.rmp_2m ? whole_2m(gpa) : 1, i;

	report_count(COUNT_RMP_TOUCHED);
	trace("rmp %#lx private at first touch", gpa);
	if (start == 1) {
		npt_rmp(gpa)->flags = RMP_ASSIGNED;
		return;
	}
	for (i = 0; i < FRAMES_2M; i++)
		npt_rmp(start + i * PAGE_SIZE)->flags = RMP_ASSIGNED | RMP_2M;
}

static void touch_shared(u64 gpa)
{
	report_count(COUNT_RMP_TOUCHED);
	trace("rmp %#lx shared at first touch", gpa);
	npt_rmp(gpa)->flags = 0;
	rmp_apply(gpa);
}

/*
 * Makes the frame of @gpa private if @private is true, and shared otherwise.  Scrambles
 * the frame's bytes unless @keep is true.  An untouched frame holds zeroes and needs no
 * scrambling.
 */
static void convert(u64 gpa, bool private, bool keep)
{
	struct rmp_entry *entry = npt_rmp(gpa);

	rmp_smash(gpa);
	if (!keep && !(entry->flags & RMP_UNTOUCHED))
		npt_scramble(gpa, ++conversions);
	if (!(entry->flags & RMP_UNTOUCHED) || !private)
		report_count(private ? COUNT_TO_PRIVATE : COUNT_TO_SHARED);
	entry->flags = private ? RMP_ASSIGNED : 0;
	drop_rights(entry);
	rmp_apply(gpa);
	trace("frame %#lx %s", gpa, private ? "private" : "shared");
}

void rmp_smash(u64 gpa)
{
	u64 start = ALIGN_DOWN(gpa, LARGE_SIZE), i;

	if (!(npt_rmp(gpa)->flags & RMP_2M))
		return;
	report_count(COUNT_RMP_SMASHED);
	trace("rmp %#lx smashed", start);
	for (i = 0; i < FRAMES_2M; i++)
		npt_rmp(start + i * PAGE_SIZE)->flags &= ~RMP_2M;
}

/*
 * Rights that a page-table walk needs.  QEMU's processor asks for the right to write for each
 * page table of a walk, even if the walk only reads the page table.
 */
#define WALK			(RMP_READ | RMP_WRITE)

/* Returns the word by which messages name an access of the guest that needs @rights. */
static const char *access_name(u8 rights)
{
	return rights & EXECUTE ? "fetch" :
	       rights == WALK ? "page-table walk" :
	       rights & RMP_WRITE ? "write" : "read";
}

/*
 * Ends the run, because the guest's access to @page needs @rights and its VMPL has
 * only @held.  A real host would get a nested page fault that it cannot resolve.
 */
static __attribute__((noreturn)) void rights_missing(struct vcpu *vcpu, u64 page, u8 rights,
						     u8 held)
{
	violation(vcpu, VIOL_VMPL_RIGHTS, "%s of %#lx at VMPL %u, which has rights %#x there "
		  "and needs %#x", access_name(rights), page, vcpu->vmpl,
		  (unsigned int)held, (unsigned int)rights);
	end_run(END_VIOLATION, "the guest cannot go on after the announced violation");
}

static bool access_private(struct vcpu *vcpu, u64 page, u8 rights)
{
	struct rmp_entry *entry = npt_rmp(page);
	u8 held;

	if (entry->flags & RMP_ALIASED)
		end_error(vcpu, "%s of %#lx, whose address the host has mapped to another "
			  "frame: its RMP entry names another address, and the host cannot "
			  "resolve the nested page fault", access_name(rights), page);
	if (entry->flags & RMP_UNTOUCHED)
		touch_private(page);
	if (!(entry->flags & RMP_ASSIGNED)) {
		report_count(COUNT_RMP_MISMATCH);
		if (config.convert == CONVERT_IMPLICIT)
			report_count(COUNT_RMP_IMPLICIT);
		else
			violation(vcpu, VIOL_RMP_MISMATCH, "private %s of %#lx, which is "
				  "shared: the guest must change the page's state, and "
				  "validate it", access_name(rights), page);
		convert(page, true, false);
	}
	if (!(entry->flags & RMP_VALIDATED)) {
		report_count(COUNT_RMP_NOT_VALIDATED);
		report_not_validated(vcpu, page, access_name(rights));
		trace("rmp %#lx %s, not validated", page, access_name(rights));
		return false;
	}
	held = rights_of(entry, vcpu->vmpl);
	if (rights & ~held)
		rights_missing(vcpu, page, rights, held);
	if (entry->flags & RMP_VMSA && rights & RMP_WRITE && !(rights & RMP_READ))
		rights_missing(vcpu, page, rights, held & ~RMP_WRITE);
	if (rights & EXECUTE && (held & EXECUTE) != EXECUTE)
		end_error(vcpu, "fetch from %#lx, whose rights %#x allow it at CPL 3 or at CPL "
			  "0 to 2 only: sevemu models rights to execute at both", page,
			  (unsigned int)held);
	return true;
}

static bool access_shared(struct vcpu *vcpu, u64 page, u8 rights)
{
	struct rmp_entry *entry = npt_rmp(page);

	if (entry->flags & RMP_UNTOUCHED && config.convert != CONVERT_NONE) {
		touch_shared(page);
		return true;
	}
	if (entry->flags & RMP_UNTOUCHED)
		touch_private(page);
	if (!(entry->flags & RMP_ASSIGNED))
		return true;
	/*
	 * The guest reads a private frame of the firmware image with C=0.  Make the frame
	 * shared, so that the read succeeds.  The host knows the image, so it learns nothing.
	 * If the guest has written to the frame, the host does not know its bytes.
	 */
	if (config.convert != CONVERT_NONE && npt_is_rom(page) && !(rights & RMP_WRITE) &&
	    !npt_rom_stored(page)) {
		report_count(COUNT_RMP_IMAGE);
		convert(page, false, true);
		return true;
	}
	report_count(COUNT_RMP_MISMATCH);
	if (config.convert == CONVERT_IMPLICIT)
		report_count(COUNT_RMP_IMPLICIT);
	else
		violation(vcpu, VIOL_RMP_MISMATCH, "shared %s (C=0) of %#lx, which is private: "
			  "the guest must rescind the page's validation, and change its "
			  "state", access_name(rights), page);
	convert(page, false, false);
	return true;
}

bool rmp_access(struct vcpu *vcpu, u64 gpa, enum view view, u8 rights)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);

	if (!npt_rmp(page))
		return true;
	return view == VIEW_PRIVATE ? access_private(vcpu, page, rights) :
	       access_shared(vcpu, page, rights);
}

bool rmp_fault(struct vcpu *vcpu, u64 gpa, enum view view, u64 info)
{
	u8 rights = info & NPF_WALK ? WALK :
		    info & PF_ID ? (vcpu->vmcb->cpl == 3 ? RMP_EXECUTE_USER :
				    RMP_EXECUTE_SUPERVISOR) :
		    info & PF_W ? RMP_WRITE : RMP_READ;

	if (rmp_access(vcpu, gpa, view, rights))
		return true;
	vc_not_validated(vcpu);
	return false;
}

bool rmp_shared(u64 gpa)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	struct rmp_entry *entry = npt_rmp(page);

	if (entry && entry->flags & RMP_UNTOUCHED && config.convert != CONVERT_NONE)
		touch_shared(page);
	return entry && !(entry->flags & (RMP_ASSIGNED | RMP_UNTOUCHED));
}

bool rmp_usable(u64 gpa, unsigned int vmpl, u8 rights)
{
	const struct rmp_entry *entry = npt_rmp(gpa);

	return entry && entry->flags & RMP_VALIDATED &&
	       !(rights & ~rights_of(entry, vmpl));
}

/*
 * Sets the rights of VMPLs 1 to 3 to the frame of @entry as the SVSM does: gives all rights to
 * the VMPL of option --vmpl and to those with higher numbers, and none to the others.  Without
 * an SVSM (--vmpl 0) gives no rights to VMPLs 1 to 3.
 */
static void give_rights(struct rmp_entry *entry)
{
	unsigned int vmpl;

	for (vmpl = 1; vmpl < VMPLS; vmpl++)
		entry->rights[vmpl - 1] = config.vmpl && vmpl >= config.vmpl ?
					  RMP_ALL_RIGHTS : 0;
}

void rmp_launch(u64 start, u64 end)
{
	u64 page, mapped = 0;

	for (page = ALIGN_DOWN(start, PAGE_SIZE); page < end; page += PAGE_SIZE) {
		struct rmp_entry *entry = npt_rmp(page);
		bool large = !(page % LARGE_SIZE) && end - page >= LARGE_SIZE &&
			     whole_2m(page) == page;

		if (!entry)
			end_run(END_ERROR, "the launch validates %#lx, where the guest has no "
				"RAM: correct --validated, or give more RAM (-- -m SIZE)",
				page);
		/* A nested entry of 2 MiB saves memory.  npt.c splits it when needed. */
		if (large && npt_place_2m(page))
			mapped = page + LARGE_SIZE;
		entry->flags = RMP_ASSIGNED | RMP_VALIDATED |
			       (page < mapped && config.rmp_2m ? RMP_2M : 0);
		give_rights(entry);
		if (page >= mapped)
			rmp_apply(page);
	}
}

/*
 * Makes the frame of @page private or shared, unless it is already.  Returns
 * false if the host cannot change the frame's RMP entry.
 */
static bool change_state(struct vcpu *vcpu, u64 page, bool private)
{
	struct rmp_entry *entry = npt_rmp(page);

	/*
	 * Where there is no RAM, do what QEMU does: ignore a change to shared, and
	 * refuse a change to private.
	 */
	if (!entry)
		return !private;
	if (entry->flags & (RMP_IMMUTABLE | RMP_VMSA))
		return false;
	if (!(entry->flags & RMP_UNTOUCHED) &&
	    !(entry->flags & RMP_ASSIGNED) == !private)
		return true;
	if (!private && entry->flags & RMP_VALIDATED)
		violation(vcpu, VIOL_NOT_RESCINDED, "page %#lx becomes shared, but the guest "
			  "has not rescinded its validation", page);
	convert(page, private, false);
	return true;
}

bool rmp_page_state(struct vcpu *vcpu, u64 gpa, unsigned int state, unsigned int pages)
{
	bool private = state == PAGE_STATE_PRIVATE, whole = config.rmp_2m && private;
	unsigned int i;

	if (snp_attack_drops(gpa, private))
		return true;
	for (i = 0; i < pages; i++) {
		if (!change_state(vcpu, gpa + i * PAGE_SIZE, private))
			return false;
		whole &= private && npt_rmp(gpa + i * PAGE_SIZE)->flags == RMP_ASSIGNED;
	}
	for (i = 0; whole && pages == FRAMES_2M && i < pages; i++)
		npt_rmp(gpa + i * PAGE_SIZE)->flags |= RMP_2M;
	return true;
}

void rmp_validated_twice(struct vcpu *vcpu, u64 gpa, bool validate)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);

	if (validate) {
		report_count(COUNT_RMP_DOUBLE);
		violation(vcpu, VIOL_DOUBLE_VALIDATION, "PVALIDATE of %#lx, which is "
			  "validated already", page);
	} else {
		report_count(COUNT_RMP_LATE);
		violation(vcpu, VIOL_LATE_RESCIND, "PVALIDATE rescinds %#lx, which is not "
			  "validated", page);
	}
}

unsigned int rmp_validate(struct vcpu *vcpu, u64 gpa, bool huge, bool validate, bool *same)
{
	u64 page = ALIGN_DOWN(gpa, huge ? LARGE_SIZE : PAGE_SIZE), i;
	struct rmp_entry *entry = npt_rmp(page);
	u64 frames = huge ? FRAMES_2M : 1;

	*same = false;
	if (!entry)
		return RMP_FAIL_UNASSIGNED;
	if (entry->flags & RMP_UNTOUCHED)
		touch_private(page);
	if (!(entry->flags & RMP_ASSIGNED)) {
		if (config.convert != CONVERT_IMPLICIT)
			return RMP_FAIL_UNASSIGNED;
		report_count(COUNT_RMP_IMPLICIT);
		convert(page, true, false);
	}
	if (huge && !(entry->flags & RMP_2M))
		return RMP_FAIL_SIZE;
	if (!huge)
		rmp_smash(page);
	if (!(entry->flags & RMP_VALIDATED) == !validate) {
		*same = true;
		return RMP_SUCCESS;
	}
	report_count(validate ? COUNT_RMP_VALIDATED : COUNT_RMP_RESCINDED);
	trace("rmp %#lx %s%s", page, huge ? "2M " : "", validate ? "validated" : "rescinded");
	for (i = 0; i < frames; i++) {
		entry = npt_rmp(page + i * PAGE_SIZE);
		entry->flags = (entry->flags & ~RMP_VALIDATED) |
			       (validate ? RMP_VALIDATED : 0);
		if (vcpu->vmpl)
			give_rights(entry);
		rmp_apply(page + i * PAGE_SIZE);
	}
	return RMP_SUCCESS;
}

void rmp_adjust(u64 gpa, bool huge, unsigned int vmpl, u8 rights, bool vmsa)
{
	u64 page = ALIGN_DOWN(gpa, huge ? LARGE_SIZE : PAGE_SIZE), i;

	if (!huge)
		rmp_smash(page);
	for (i = 0; i < (huge ? FRAMES_2M : 1); i++) {
		struct rmp_entry *entry = npt_rmp(page + i * PAGE_SIZE);

		entry->rights[vmpl - 1] = rights;
		entry->flags = (entry->flags & ~RMP_VMSA) | (vmsa ? RMP_VMSA : 0);
		rmp_apply(page + i * PAGE_SIZE);
	}
}

void rmp_host_update(u64 gpa)
{
	convert(ALIGN_DOWN(gpa, PAGE_SIZE), true, false);
}

void rmp_host_alias(u64 gpa)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);

	npt_rmp(page)->flags |= RMP_ALIASED;
	rmp_apply(page);
}

bool rmp_host_writes(u64 gpa)
{
	if (!guest_is_snp() || !(npt_rmp(gpa)->flags & RMP_ASSIGNED))
		return true;
	trace("attack refused: the host's write to %#lx, which is assigned to the guest",
	      ALIGN_DOWN(gpa, PAGE_SIZE));
	return false;
}

void rmp_keep(void)
{
	kept_conversions = conversions;
	npt_keep_rmp();
}

void rmp_restore(void)
{
	conversions = kept_conversions;
	npt_restore_rmp(rmp_apply);
}

u64 rmp_word(u64 gpa)
{
	const struct rmp_entry *entry = npt_rmp(ALIGN_DOWN(gpa, PAGE_SIZE));

	return entry ? entry->flags | (u64)entry->rights[0] << 8 |
		       (u64)entry->rights[1] << 16 | (u64)entry->rights[2] << 24 : 0;
}

void rmp_force(u64 gpa, u64 word)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	struct rmp_entry *entry = npt_rmp(page);
	unsigned int vmpl;

	if (!entry)
		return;
	entry->flags = word;
	for (vmpl = 1; vmpl < VMPLS; vmpl++)
		entry->rights[vmpl - 1] = word >> vmpl * 8;
	rmp_apply(page);
}
