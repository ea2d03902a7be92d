/* SPDX-License-Identifier: MIT */
/*
 * The guest as it was: taken once, put back as often as need be.
 *
 * A frame is saved when it is first written to after the snapshot: by the
 * guest, which then meets a read-only nested page, or by the host side, which
 * asks npt_frame() for it.  From then on the nested table's dirty bit tells
 * whether it has to be put back.
 */
#include "attack.h"
#include "snapshot.h"

#define SAVES_MAX		0x4000

struct save {
	u64 gpa;
	u8 *copy;
	u8 state;
};
static struct save *saves;
static unsigned int save_count;
static bool active;
static struct vmcb saved_vmcb;
static struct vcpu saved_vcpu;

static void copy_page(void *to, const void *from)
{
	u64 n = PAGE_SIZE / sizeof(u64);

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void protect(u64 gpa)
{
	enum view view;

	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		u64 *leaf = npt_leaf(view, gpa);

		if (leaf && *leaf)
			*leaf &= ~(u64)(PTE_W | PTE_D);
	}
}

/* The frame of @gpa is about to be written to. */
void snapshot_save(u64 gpa)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	u8 *flags = npt_flags(page);
	enum view view;

	if (!active || !flags || *flags & FRAME_SAVED)
		return;
	if (save_count == SAVES_MAX)
		end_run(END_ERROR, "a run writes to more than %u frames", SAVES_MAX);
	saves[save_count].gpa = page;
	saves[save_count].copy = npt_alloc(1);
	saves[save_count].state = npt_frame_state(page);
	copy_page(saves[save_count++].copy, npt_host(page));
	*flags |= FRAME_SAVED;
	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		u64 *leaf = npt_leaf(view, page);

		if (leaf && *leaf)
			*leaf |= PTE_W;
	}
	npt_flush();
}

/* A nested fault at RAM: true if it was a first write, which may go on. */
bool snapshot_fault(u64 gpa, u64 info)
{
	u8 *flags = npt_flags(gpa);

	if (!active || !(info & PF_P) || !(info & PF_W) || *flags & FRAME_SAVED)
		return false;
	snapshot_save(gpa);
	return true;
}

/* Was it written to by the guest since the snapshot? */
static bool stored(u64 gpa)
{
	enum view view;

	if (*npt_flags(gpa) & FRAME_STORED)
		return true;
	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		u64 *leaf = npt_leaf(view, gpa);

		if (leaf && *leaf & PTE_D)
			return true;
	}
	return false;
}

/* Calls @see with each frame that the guest has written to. */
void snapshot_each_store(void (*see)(u64 gpa))
{
	unsigned int i;

	for (i = 0; i < save_count; i++)
		if (stored(saves[i].gpa))
			see(saves[i].gpa);
}

/* Changes every aligned word of this value in what was written since the snapshot. */
void snapshot_replace(u64 word, u64 change)
{
	unsigned int i, j;

	for (i = 0; i < save_count; i++) {
		u64 *words = (u64 *)npt_host(saves[i].gpa);

		for (j = 0; j < PAGE_SIZE / sizeof(*words); j++)
			if (words[j] == word)
				words[j] ^= change;
		*npt_flags(saves[i].gpa) |= FRAME_TOUCHED;
	}
}

static void clean(const struct save *save)
{
	u8 *flags = npt_flags(save->gpa);
	enum view view;

	*flags &= FRAME_SAVED;
	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		u64 *leaf = npt_leaf(view, save->gpa);

		if (leaf)
			*leaf &= ~(u64)PTE_D;
	}
}

/* The first time of everything, later of what changed since the last time. */
void snapshot_take(struct vcpu *vcpu)
{
	unsigned int i;

	if (!active) {
		saves = npt_alloc(SAVES_MAX * sizeof(*saves) / PAGE_SIZE);
		npt_each_frame(protect);
		active = true;
	}
	for (i = 0; i < save_count; i++) {
		struct save *save = &saves[i];

		if (stored(save->gpa) || *npt_flags(save->gpa) & FRAME_TOUCHED)
			copy_page(save->copy, npt_host(save->gpa));
		save->state = npt_frame_state(save->gpa);
		clean(save);
	}
	saved_vmcb = *vcpu->vmcb;
	saved_vcpu = *vcpu;
	npt_flush();
}

void snapshot_restore(struct vcpu *vcpu)
{
	struct vmcb *vmcb = vcpu->vmcb;
	unsigned int i;

	for (i = 0; i < save_count; i++) {
		struct save *save = &saves[i];

		if (stored(save->gpa) || *npt_flags(save->gpa) & FRAME_TOUCHED)
			copy_page(npt_host(save->gpa), save->copy);
		if (npt_frame_state(save->gpa) != save->state)
			npt_set_state(save->gpa, save->state);
		clean(save);
	}
	*vcpu = saved_vcpu;
	vcpu->vmcb = vmcb;
	*vmcb = saved_vmcb;
	npt_flush();
}
