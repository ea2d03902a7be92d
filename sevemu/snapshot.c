/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - saves the state of the guest and restores it.
 *
 * Runs between a VMEXIT and the next VMRUN, only if campaign.c runs the guest
 * many times from a snapshot.
 *
 * A frame (4 KiB of the guest's RAM) is copied before the first write to it.  A
 * write by the guest causes a nested page fault, because snapshot_take() makes
 * all frames read-only.  A write by the hypervisor goes through npt_frame(),
 * which calls snapshot_save().  Then the frame is writable, and
 * snapshot_restore() copies it back if the dirty bit of its nested page table
 * entry or a FRAME_* flag records a write.  An SNP guest's RMP is copied whole.
 */
#include "ghcb.h"
#include "hooks.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "snapshot.h"

#define SAVES_MAX		0x8000
#define FXSAVE_SIZE		512

/* The snapshot's copy of one frame, 4 KiB of the guest's RAM. */
struct save {
	u64 gpa;		/* guest-physical address of the frame */
	u8 *host;		/* host address of the frame */
	/*
	 * Points to a copy of the frame's bytes at the time of the snapshot.  The copy of a
	 * frame whose bytes are all 0 may be the page of zeroes that such frames share.
	 */
	u8 *copy;
	u8 *launch;		/* the frame's bytes in the first snapshot; NULL: as in @copy */
	u8 *flags;		/* the frame's FRAME_* flags, which npt.c keeps */
	/*
	 * The frame's nested page table entries, [VIEW_PRIVATE] (C-bit set) and
	 * [VIEW_SHARED] (C-bit clear).
	 */
	u64 *leaf[2];
	u8 state;		/* the frame's state (HOOK_FRAME_*) at the snapshot */
	/*
	 * A checksum of the frame's bytes at snapshot_seal(), if the frame was then validated
	 * private memory of an SNP guest, else NOT_SEALED.
	 */
	u64 seal;
};
static struct save *saves;
static unsigned int save_count;
static bool active;		/* snapshot_take() was called at least once */
/*
 * A page of zeroes: the snapshot's copy of every frame that contains only
 * zeroes.
 */
static u8 *zeroes;
#define NOT_SEALED		0
static struct vmcb saved_vmcb;
static struct vcpu saved_vcpu;
static u64 saved_jump_table;
/*
 * The guest's x87 and XMM registers at the time of the snapshot, as FXSAVE64
 * stores them.  VMRUN does not save them.  svm_enter() does not save them
 * either, because the hypervisor does not use them.
 */
static u8 saved_fx[FXSAVE_SIZE] __attribute__((aligned(16)));

static void copy_page(void *to, const void *from)
{
	u64 n = PAGE_SIZE / sizeof(u64);

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

/*
 * Clears the writable and dirty bits of the frame of @gpa in the nested page
 * tables, so that the guest's first write to the frame causes a nested page
 * fault.
 */
static void protect(u64 gpa)
{
	enum view view;

	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		u64 *leaf = npt_leaf(view, gpa);

		if (leaf && *leaf & PTE_W)
			*leaf ^= PTE_W | NPT_PROTECTED;
		if (leaf && *leaf)
			*leaf &= ~(u64)PTE_D;
	}
}

static bool is_zero(const void *page)
{
	const u64 *word = page, *end = word + PAGE_SIZE / sizeof(*word);

	while (word < end && !*word)
		word++;
	return word == end;
}

/*
 * Preserves the first snapshot's copy of a private frame for snapshot_launch(): moves the
 * pointer to this copy from save->copy to save->launch.  snapshot_take() calls age() before
 * keep(), which would overwrite the copy.  save->copy then points to the shared page of zeroes,
 * to which keep() never writes.  Does nothing if save->launch is set already.
 */
static void age(struct save *save)
{
	if (save->launch ||
	    (save->state != HOOK_FRAME_PRIVATE && save->state != HOOK_FRAME_NOTED))
		return;
	save->launch = save->copy;
	save->copy = zeroes;
}

/*
 * Copies the bytes of a frame to the snapshot.  Allocates memory for the copy
 * only if the frame has other bytes than zeroes.
 */
static void keep(struct save *save)
{
	if (save->copy == zeroes && !is_zero(save->host))
		save->copy = npt_alloc(1);
	if (save->copy != zeroes)
		copy_page(save->copy, save->host);
}

void snapshot_save(u64 gpa)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	u8 *flags = npt_flags(page);
	struct save *save;
	enum view view;

	if (!active || !flags || *flags & FRAME_SAVED)
		return;
	if (save_count == SAVES_MAX)
		end_run(END_ERROR, "a run writes to more than %u frames, the limit of a "
			"campaign: use a smaller payload", SAVES_MAX);
	save = &saves[save_count++];
	save->gpa = page;
	save->host = npt_host(page);
	save->flags = flags;
	save->state = npt_frame_state(page);
	save->copy = zeroes;
	save->launch = NULL;
	save->seal = NOT_SEALED;
	keep(save);
	*flags |= FRAME_SAVED;
	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		save->leaf[view] = npt_leaf(view, page);
		if (*save->leaf[view] & NPT_PROTECTED)
			*save->leaf[view] ^= PTE_W | NPT_PROTECTED;
	}
	npt_flush();
}

bool snapshot_protects(u64 gpa)
{
	return active && !(*npt_flags(gpa) & FRAME_SAVED);
}

bool snapshot_fault(u64 gpa, u64 info)
{
	u8 *flags = npt_flags(gpa);

	if (!active || !(info & PF_P) || !(info & PF_W) || *flags & FRAME_SAVED)
		return false;
	snapshot_save(gpa);
	return true;
}

/*
 * Returns whether the guest has written to the frame since the frame and its
 * copy in the snapshot were last equal.
 */
static bool stored(const struct save *save)
{
	return *save->flags & FRAME_STORED ||
	       (*save->leaf[VIEW_PRIVATE] | *save->leaf[VIEW_SHARED]) & PTE_D;
}

void snapshot_each_store(void (*see)(u64 gpa))
{
	unsigned int i;

	for (i = 0; i < save_count; i++)
		if (stored(&saves[i]))
			see(saves[i].gpa);
}

void snapshot_replace(u64 word, u64 change)
{
	unsigned int i, j;

	for (i = 0; i < save_count; i++) {
		u64 *words = (u64 *)saves[i].host;

		for (j = 0; j < PAGE_SIZE / sizeof(*words); j++)
			if (words[j] == word && rmp_host_writes(saves[i].gpa))
				words[j] ^= change;
		*saves[i].flags |= FRAME_TOUCHED;
	}
}

bool snapshot_launch(u64 gpa, void *block, size_t len)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	/* Index in saves[] of the last call's frame, for which the next call often asks, too. */
	static unsigned int last;
	unsigned int i = last;

	if (!save_count || saves[i].gpa != page) {
		for (i = 0; i < save_count && saves[i].gpa != page; i++)
			;
		if (i == save_count)
			return false;
		last = i;
	}
	memcpy(block, (saves[i].launch ? saves[i].launch : saves[i].copy) + (gpa - page), len);
	return true;
}

/*
 * Clears the dirty bits and flags that record writes to a frame, because the
 * frame and its copy in the snapshot are equal again.
 */
static void clean(const struct save *save)
{
	*save->flags &= FRAME_SAVED;
	*save->leaf[VIEW_PRIVATE] &= ~(u64)PTE_D;
	*save->leaf[VIEW_SHARED] &= ~(u64)PTE_D;
}

/* Returns whether the frame is validated private memory of an SNP guest. */
static bool validated(const struct save *save)
{
	return rmp_usable(save->gpa, 0, 0);
}

/*
 * Returns a checksum of the frame's bytes.  The checksum is never NOT_SEALED, because this
 * value marks a frame without a checksum.
 */
static u64 sum(const u8 *page)
{
	const u64 *word = (const u64 *)page, *end = word + PAGE_SIZE / sizeof(*word);
	u64 s = 1;

	for (; word < end; word++)
		s = (s ^ *word) * 0x9e3779b97f4a7c15;
	return s ? s : 1;
}

static bool same(const u8 *a, const u8 *b)
{
	return !memcmp(a, b, PAGE_SIZE);
}

/* Number of frames that were in the snapshot when snapshot_seal() was called. */
static unsigned int sealed;

void snapshot_seal(void)
{
	unsigned int i;

	for (i = 0; i < save_count; i++) {
		saves[i].seal = validated(&saves[i]) ? sum(saves[i].host) : NOT_SEALED;
		*saves[i].flags &= ~FRAME_PUSHED;
	}
	sealed = save_count;
}

bool snapshot_broken(u64 *gpa)
{
	unsigned int i;

	for (i = 0; i < save_count; i++) {
		const struct save *save = &saves[i];

		*gpa = save->gpa;
		if (!validated(save) || *save->flags & FRAME_PUSHED)
			continue;
		/*
		 * A frame that snapshot_save() has added since snapshot_seal() has no
		 * checksum, but its copy has the bytes from before the host's write.
		 */
		if (i < sealed ? save->seal != NOT_SEALED && save->seal != sum(save->host) :
		    !same(save->host, save->copy))
			return true;
	}
	return false;
}

bool snapshot_altered(u64 *gpa)
{
	unsigned int i;

	for (i = 0; i < save_count; i++) {
		const struct save *save = &saves[i];

		*gpa = save->gpa;
		if (validated(save) && npt_kept_rmp(save->gpa)->flags & RMP_VALIDATED &&
		    !stored(save) && !(*save->flags & FRAME_CONVERTED) &&
		    !same(save->host, save->copy))
			return true;
	}
	return false;
}

void snapshot_take(struct vcpu *vcpu)
{
	unsigned int i;

	if (!active) {
		saves = npt_alloc(SAVES_MAX * sizeof(*saves) / PAGE_SIZE);
		zeroes = npt_alloc(1);
		npt_each_frame(protect);
		active = true;
	}
	for (i = 0; i < save_count; i++) {
		struct save *save = &saves[i];

		if (stored(save) || *save->flags & FRAME_TOUCHED) {
			age(save);
			keep(save);
		}
		save->state = npt_frame_state(save->gpa);
		clean(save);
	}
	if (guest_is_snp())
		rmp_keep();
	saved_vmcb = *vcpu->vmcb;
	saved_vcpu = *vcpu;
	saved_jump_table = jump_table;
	asm volatile("fxsave64 %0" : "=m"(saved_fx));
	npt_flush();
}

void snapshot_restore(struct vcpu *vcpu)
{
	struct vmcb *vmcb = vcpu->vmcb;
	unsigned int i;

	if (guest_is_snp())
		rmp_restore();
	for (i = 0; i < save_count; i++) {
		struct save *save = &saves[i];

		if (stored(save) || *save->flags & FRAME_TOUCHED)
			copy_page(save->host, save->copy);
		if (!guest_is_snp() && npt_frame_state(save->gpa) != save->state)
			npt_set_state(save->gpa, save->state);
		/*
		 * npt_note() has mapped each frame whose state is HOOK_FRAME_NOTED twice, in
		 * the private and in the shared view.  Map the frame only in the view that
		 * its RMP entry asks for, so that the next run begins with one mapping.
		 */
		if (guest_is_snp() && npt_frame_state(save->gpa) == HOOK_FRAME_NOTED)
			rmp_apply(save->gpa);
		clean(save);
	}
	*vcpu = saved_vcpu;
	jump_table = saved_jump_table;
	vcpu->vmcb = vmcb;
	*vmcb = saved_vmcb;
	asm volatile("fxrstor64 %0" : : "m"(saved_fx));
	npt_flush();
}
