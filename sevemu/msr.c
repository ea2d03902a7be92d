/* SPDX-License-Identifier: MIT */
/*
 * msr.c - the guest's model-specific registers: which MSRs it may access
 * without a VMEXIT, and how the hypervisor accesses the other MSRs for it.
 *
 * msr_init() and msr_start() run before the guest.  The other functions run when RDMSR or WRMSR is
 * intercepted, or when the guest requests either by its GHCB.
 *
 * VMRUN, VMLOAD and VMSAVE switch some MSRs between guest and hypervisor, so
 * the guest may access these directly.  All other MSRs belong to QEMU's
 * processor.  The guest may access the MSRs that machine_msrs[] lists, and gets
 * #GP for the rest, as in KVM.
 */
#include "apic.h"
#include "exits.h"
#include "guest_memory.h"
#include "main.h"
#include "msr.h"
#include "npt.h"
#include "sevemu.h"

#define MSRPM_PAGES		2
/*
 * Number of MSRs that 0x800 bytes of the MSR permission map cover (APM2 15.11).
 */
#define MSRPM_RANGE		0x2000

/*
 * MSRs that VMLOAD, VMSAVE and VMRUN switch between guest and hypervisor.  They
 * are not intercepted, because the guest's accesses do not change the
 * hypervisor's values.
 */
static const u32 vmsa_msrs[] = {
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_PAT,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
};

/*
 * Ranges of MSRs of QEMU's processor, from @first to @last inclusive.  RDMSR
 * and WRMSR of them cause a VMEXIT, and the hypervisor executes the access for
 * the guest.
 */
static const struct {
	u32 first, last;
} machine_msrs[] = {
	{ MSR_TSC, MSR_TSC },
	{ MSR_APIC_BASE, MSR_APIC_BASE },
	{ MSR_MTRR_CAP, MSR_MTRR_CAP },
	{ MSR_MCG_CAP, MSR_MCG_STATUS },
	{ MSR_MISC_ENABLE, MSR_MISC_ENABLE },
	{ MSR_MTRR_BASE0, MSR_MTRR_MASK7 },
	{ MSR_MTRR_FIX64K, MSR_MTRR_FIX4K_F8000 },
	{ MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE },
	{ MSR_MC0_CTL, MSR_MC9_MISC },
	{ MSR_XSS, MSR_XSS },
	{ MSR_TSC_AUX, MSR_TSC_AUX },
	{ MSR_SYSCFG, MSR_SYSCFG },
	{ MSR_HWCR, MSR_HWCR },
};

/*
 * Clears the read and write intercepts of @msr in the permission map @msrpm,
 * two bits for each MSR.  The map's first 0x800 bytes are for MSRs 0 to 0x1fff,
 * the next 0x800 bytes for 0xc0000000 to 0xc0001fff (APM2 15.11).
 */
static void msr_pass(u8 *msrpm, u32 msr)
{
	u32 offset = msr >= 0xc0000000 ? 0x800 : 0;
	u32 bit = msr % MSRPM_RANGE * 2;

	msrpm[offset + bit / 8] &= ~(3u << bit % 8);
}

void msr_init(struct vcpu *vcpu)
{
	static u8 *msrpm;
	unsigned int i;

	if (!msrpm) {
		msrpm = npt_alloc(MSRPM_PAGES);
		memset(msrpm, 0xff, MSRPM_PAGES * PAGE_SIZE);
		for (i = 0; i < ARRAY_SIZE(vmsa_msrs); i++)
			msr_pass(msrpm, vmsa_msrs[i]);
	}
	vcpu->vmcb->msrpm = (u64)msrpm;
}

void msr_start(void)
{
	/*
	 * Linux panics if it needs the PAT type "write-protected" while MTRRs
	 * are disabled.  Firmware enables the MTRRs.  A guest without firmware
	 * finds them enabled here.
	 */
	if (config.mode != MODE_OVMF)
		wrmsr(MSR_MTRR_DEF_TYPE, MTRR_DEF_TYPE_ENABLE | MTRR_TYPE_WB);
}

/* Returns whether @msr is one of machine_msrs[]. */
static bool machine_has(u32 msr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(machine_msrs); i++)
		if (msr >= machine_msrs[i].first && msr <= machine_msrs[i].last)
			return true;
	return false;
}

bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	if (msr == MSR_EFER)
		*value = vcpu->vmcb->efer & ~(u64)EFER_SVME;
	else if (apic_is_msr(msr))
		return apic_msr_read(vcpu, msr, value);
	else if (machine_has(msr))
		*value = rdmsr(msr);
	else
		return false;
	return true;
}

/*
 * Writes @value to the guest's EFER, or returns false if the processor would
 * raise #GP.  SVME stays set in the VMCB, because VMRUN fails otherwise (APM2
 * 15.5.1).  LMA keeps its value, and LME must not change while paging is
 * enabled (APM2 3.1.7).
 */
static bool efer_write(struct vcpu *vcpu, u64 value)
{
	struct vmcb *vmcb = vcpu->vmcb;
	u64 changed = (value ^ vmcb->efer) & EFER_LME;

	if (value & ~(u64)(EFER_VALID) || (changed && guest_paging(vcpu)))
		return false;
	vmcb->efer = (value & ~(u64)EFER_LMA) | (vmcb->efer & EFER_LMA) | EFER_SVME;
	/* The guest may be on its way to real mode: see exit_iret() in exits.c. */
	if (changed && !(value & EFER_LME) && config.smp > 1) {
		vcpu->real_iret = true;
		exits_init(vcpu);
	}
	return true;
}

bool msr_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	if (msr == MSR_EFER)
		return efer_write(vcpu, value);
	if (apic_is_msr(msr))
		return apic_msr_write(vcpu, msr, value);
	if (!machine_has(msr))
		return false;
	wrmsr(msr, value);
	return true;
}
