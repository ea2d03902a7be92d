/* SPDX-License-Identifier: MIT */
/*
 * The guest as it was: taken once, put back as often as need be.
 *
 * A frame is saved when it is first written to after the snapshot: by the
 * guest, which then meets a read-only nested page, or by the host side, which
 * asks npt_frame() for it.  From then on the nested table's dirty bit tells
 * whether it has to be put back.
 */
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "snapshot.h"

#define SAVES_MAX		0x8000
#define FXSAVE_SIZE		512

struct save {
	u64 gpa;
	u8 *host;
	u8 *copy;
	u8 *flags;
	u64 *leaf[2];		/* in the nested tables, of each view */
	u8 state;
};
static struct save *saves;
static unsigned int save_count;
static bool active;
static u8 *zeroes;		/* the copy of all empty frames */
static struct vmcb saved_vmcb;
static struct vcpu saved_vcpu;
/* FXSAVE's image (APM1 11.4.4): XMM registers, which a world switch leaves alone. */
static u8 saved_fx[FXSAVE_SIZE] __attribute__((aligned(16)));

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

static bool is_zero(const void *page)
{
	const u64 *word = page, *end = word + PAGE_SIZE / sizeof(*word);

	while (word < end && !*word)
		word++;
	return word == end;
}

static void keep(struct save *save)
{
	if (save->copy == zeroes && !is_zero(save->host))
		save->copy = npt_alloc(1);
	if (save->copy != zeroes)
		copy_page(save->copy, save->host);
}

/* The frame of @gpa is about to be written to. */
void snapshot_save(u64 gpa)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	u8 *flags = npt_flags(page);
	struct save *save;
	enum view view;

	if (!active || !flags || *flags & FRAME_SAVED)
		return;
	if (save_count == SAVES_MAX)
		end_run(END_ERROR, "a run writes to more than %u frames", SAVES_MAX);
	save = &saves[save_count++];
	save->gpa = page;
	save->host = npt_host(page);
	save->flags = flags;
	save->state = npt_frame_state(page);
	save->copy = zeroes;
	keep(save);
	*flags |= FRAME_SAVED;
	for (view = VIEW_PRIVATE; view <= VIEW_SHARED; view++) {
		save->leaf[view] = npt_leaf(view, page);
		if (*save->leaf[view])
			*save->leaf[view] |= PTE_W;
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
static bool stored(const struct save *save)
{
	return *save->flags & FRAME_STORED ||
	       (*save->leaf[VIEW_PRIVATE] | *save->leaf[VIEW_SHARED]) & PTE_D;
}

/* Calls @see with each frame that the guest has written to. */
void snapshot_each_store(void (*see)(u64 gpa))
{
	unsigned int i;

	for (i = 0; i < save_count; i++)
		if (stored(&saves[i]))
			see(saves[i].gpa);
}

/* Changes every aligned word of this value in what was written since the snapshot. */
void snapshot_replace(u64 word, u64 change)
{
	unsigned int i, j;

	for (i = 0; i < save_count; i++) {
		u64 *words = (u64 *)saves[i].host;

		for (j = 0; j < PAGE_SIZE / sizeof(*words); j++)
			if (words[j] == word)
				words[j] ^= change;
		*saves[i].flags |= FRAME_TOUCHED;
	}
}

static void clean(const struct save *save)
{
	*save->flags &= FRAME_SAVED;
	*save->leaf[VIEW_PRIVATE] &= ~(u64)PTE_D;
	*save->leaf[VIEW_SHARED] &= ~(u64)PTE_D;
}

/* The first time of everything, later of what changed since the last time. */
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

		if (stored(save) || *save->flags & FRAME_TOUCHED)
			keep(save);
		save->state = npt_frame_state(save->gpa);
		clean(save);
	}
	saved_vmcb = *vcpu->vmcb;
	saved_vcpu = *vcpu;
	asm volatile("fxsave64 %0" : "=m"(saved_fx));
	npt_flush();
}

void snapshot_restore(struct vcpu *vcpu)
{
	struct vmcb *vmcb = vcpu->vmcb;
	unsigned int i;

	for (i = 0; i < save_count; i++) {
		struct save *save = &saves[i];

		if (stored(save) || *save->flags & FRAME_TOUCHED)
			copy_page(save->host, save->copy);
		if (npt_frame_state(save->gpa) != save->state)
			npt_set_state(save->gpa, save->state);
		clean(save);
	}
	*vcpu = saved_vcpu;
	vcpu->vmcb = vmcb;
	*vmcb = saved_vmcb;
	asm volatile("fxrstor64 %0" : : "m"(saved_fx));
	npt_flush();
}
