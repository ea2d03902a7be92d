/* SPDX-License-Identifier: MIT */
/*
 * npt_fault.c - handles nested page faults, and maps the pages of devices.
 *
 * Runs at SVM_EXIT_NPF, between a VMEXIT and the next VMRUN.  A frame, 4 KiB of the guest's
 * RAM, is in the private view (C=1) or in the shared view (C=0).  The guest's access through
 * the other view is a nested page fault, as is an access to a device that is not mapped.
 * npt.c has the frames and the nested page tables.
 */
#include "apic.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "attack_smp.h"
#include "dma.h"
#include "exception.h"
#include "flash.h"
#include "guest_memory.h"
#include "hooks.h"
#include "layout.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "smp.h"
#include "snapshot.h"
#include "watch.h"

#define DEVICES_MAX		64

/*
 * The pages of devices that the nested page tables map for a guest without SEV-ES.  An element
 * is the page's guest-physical address, with the page's enum view in bit 0; 0: unused.  If all
 * are in use, the next page takes the element of the oldest one.
 */
static u64 devices[DEVICES_MAX];
static unsigned int next_device;

/*
 * Handles an access to the local APIC's page by a guest without SEV-ES and with several
 * processors.  The page is mapped read-only, so that each write comes here.
 */
static void apic_page(struct vcpu *vcpu, enum view view, u64 gpa, u64 info)
{
	if (info & PF_W) {
		apic_trap(vcpu, gpa);
		return;
	}
	npt_map(view, APIC_PAGE, APIC_PAGE);
	*npt_leaf(view, APIC_PAGE) &= ~(u64)PTE_W;
}

/*
 * Returns whether the nested page table entry of @gpa in @view allows the access that has
 * caused a nested page fault with the error code @info.
 */
static bool entry_allows(enum view view, u64 gpa, u64 info)
{
	u64 entry = *npt_leaf(view, gpa);

	return entry && (!(info & PF_W) || entry & (PTE_W | NPT_PROTECTED)) &&
	       (!(info & PF_ID) || !(entry & PTE_NX));
}

/*
 * Handles a nested page fault of an SNP guest at @gpa in its RAM.  @by_rule: the access is a
 * page-table walk or a fetch, which is private although the guest has used C=0.
 */
static void rmp_page_fault(struct vcpu *vcpu, u64 gpa, enum view view, u64 info, bool by_rule)
{
	enum view real = by_rule ? VIEW_PRIVATE : view;

	if (!rmp_fault(vcpu, gpa, real, info))
		return;
	/* Without this check the guest would repeat the access, and the fault, forever. */
	if (!entry_allows(real, gpa, info))
		end_error(vcpu, "%s of %#lx, which the RMP allows and sevemu's nested page "
			  "tables do not (RMP entry %#lx): sevemu models no page table in a "
			  "VMSA page, and no right to write without the right to read",
			  info & NPF_WALK ? "page-table walk" : info & PF_ID ? "fetch" :
			  info & PF_W ? "write" : "read", gpa, rmp_word(gpa));
	if (by_rule)
		npt_note(gpa, info & NPF_WALK ? "walked" : "executed");
}

static bool is_apic(u64 gpa)
{
	return gpa >= APIC_START && gpa < APIC_END;
}

void npt_protect_devices(void)
{
	unsigned int i;

	smp_stop_others();
	for (i = 0; i < DEVICES_MAX; i++)
		if (devices[i] && !is_apic(devices[i]))
			*npt_leaf(devices[i] & 1, devices[i] & PTE_ADDR) &= ~(u64)PTE_W;
	npt_flush();
}

/*
 * Maps the device's page at @gpa in @view.  The page is read-only if dma.c waits for the
 * guest's next write to a device, so that this write is a nested page fault.  @write: the
 * guest's access to the page is a write.
 */
static void map_device(struct vcpu *vcpu, enum view view, u64 gpa, bool write)
{
	bool mapped = npt_maps(view, gpa);

	if (write && !is_apic(gpa))
		dma_doorbell(vcpu);
	npt_map(view, gpa, gpa);
	if (dma_pending() && !is_apic(gpa))
		*npt_leaf(view, gpa) &= ~(u64)PTE_W;
	if (mapped)
		return;
	if (devices[next_device])
		npt_unmap(devices[next_device] & 1, devices[next_device] & PTE_ADDR);
	devices[next_device] = gpa | view;
	next_device = (next_device + 1) % DEVICES_MAX;
}

void npt_fault(struct vcpu *vcpu)
{
	struct vmcb *vmcb = vcpu->vmcb;
	u64 info = vmcb->exit_info_1, gpa = vmcb->exit_info_2;
	bool mixed = npt_is_mixed(vcpu);
	enum view view = !mixed || gpa & cbit_mask() ? VIEW_PRIVATE : VIEW_SHARED;

	attack_smp_fault(vcpu, gpa);
	if (mixed)
		gpa &= ~(cbit_mask() | npt_alias_bit());

	if (npt_host(gpa)) {
		if (config.hostile)
			memory_note(vcpu);
		if (info & PF_ID)
			watch_fetch(gpa, view);
		bool by_rule = view == VIEW_SHARED && info & (NPF_WALK | PF_ID);

		if (events_fault(vcpu, view, gpa, info) || snapshot_fault(gpa, info))
			return;
		if (guest_is_snp()) {
			rmp_page_fault(vcpu, gpa, view, info, by_rule);
			return;
		}
		if (view == VIEW_SHARED && info & NPF_WALK)
			npt_note(gpa, "walked");
		else if (view == VIEW_SHARED && info & PF_ID)
			npt_note(gpa, "executed");
		else if (info & PF_P)
			end_error(vcpu, "bug in sevemu, please report it: nested page fault "
				  "(error code %#lx) at %#lx, which is mapped RAM", info, gpa);
		else
			npt_frame(gpa, view);
		return;
	}

	if (flash_host(gpa) && !(info & (NPF_WALK | PF_ID)) &&
	    flash_fault(vcpu, view, gpa, info))
		return;
	if (info & NPF_WALK || info & PF_ID)
		end_error(vcpu, "guest %s at %#lx, where there is no RAM",
			  info & NPF_WALK ? "page-table walk" : "instruction fetch", gpa);
	if (gpa >= PHYS_LIMIT || (npt_is_hypervisor(gpa, 1) && !flash_host(gpa)))
		end_error(vcpu, "guest access to %#lx, which it was never given: memory of "
			  "sevemu, or above the limit %#lx", gpa, PHYS_LIMIT);

	if (view == VIEW_PRIVATE && guest_is_snp() && config.convert != CONVERT_IMPLICIT) {
		violation(vcpu, VIOL_RMP_MISMATCH, "private access to %#lx, where there is no "
			  "RAM: a device must be mapped with C=0", gpa);
		end_run(END_VIOLATION, "the guest cannot go on after the announced violation");
	}
	if (view == VIEW_PRIVATE && mixed) {
		report_count(COUNT_MMIO_NOTES);
		trace("note %#lx MMIO with C=1", gpa);
	}
	if (guest_is_es())
		vc_raise(vcpu, SVM_EXIT_NPF);
	else if (config.smp > 1 && ALIGN_DOWN(gpa, PAGE_SIZE) == APIC_PAGE)
		apic_page(vcpu, view, gpa, info);
	else
		map_device(vcpu, view, ALIGN_DOWN(gpa, PAGE_SIZE), info & PF_W);
}
