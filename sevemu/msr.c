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
 * processor.  The guest may access the MSRs that machine_msrs[] lists, those of
 * kvm_msrs[], which KVM emulates, and those of kvm-clock.  It gets #GP for the rest, as in
 * KVM.
 */
#include "apic.h"
#include "attack_events.h"
#include "clock.h"
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
	{ MSR_MCG_CAP, MSR_MCG_CTL },
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

/* What a write of one of kvm_msrs[] does. */
enum kvm_write {
	WRITE_GP,		/* raises #GP */
	WRITE_ZERO,		/* raises #GP unless the value is 0 */
	WRITE_IGNORED,
	WRITE_KEPT,		/* changes what the guest reads */
};

/*
 * MSRs that a guest on KVM has and QEMU's processor has not, from @first to @last
 * inclusive, as kvm_get_msr_common(), kvm_set_msr_common(), svm_get_msr() and svm_set_msr()
 * handle them (Linux arch/x86/kvm/x86.c and svm/svm.c).  MSRs that KVM ties to a CPUID bit
 * which the guest does not have are not among them.
 */
static const struct {
	u32 first, last;
	u64 value;		/* what the guest reads until it writes another value */
	enum kvm_write write;
	bool no_read;		/* a read raises #GP */
} kvm_msrs[] = {
	{ 0x00000000, 0x00000001, 0, WRITE_GP, false },			/* P5_MC_* */
	{ 0x00000017, 0x00000017, 0, WRITE_GP, false },			/* PLATFORM_ID */
	{ 0x0000002a, 0x0000002a, 0, WRITE_GP, false },			/* EBL_CR_POWERON */
	{ 0x0000002c, 0x0000002c, 1 << 24, WRITE_GP, false },		/* EBC_FREQUENCY_ID */
	{ 0x00000034, 0x00000034, 0, WRITE_GP, false },			/* SMI_COUNT */
	{ 0x0000003b, 0x0000003b, 0, WRITE_IGNORED, false },		/* TSC_ADJUST */
	{ 0x00000079, 0x00000079, 0, WRITE_IGNORED, true },		/* UCODE_WRITE */
	{ 0x0000008b, 0x0000008b, 0x01000065, WRITE_IGNORED, false },	/* UCODE_REV */
	{ 0x000000c1, 0x000000c2, 0, WRITE_IGNORED, false },		/* P6_PERFCTR* */
	{ 0x000000cd, 0x000000cd, 3, WRITE_GP, false },			/* bus frequency */
	{ 0x000000ce, 0x000000ce, 1u << 31, WRITE_GP, false },		/* PLATFORM_INFO */
	{ 0x0000011e, 0x0000011e, 0xbe702111, WRITE_IGNORED, false },	/* BBL_CR_CTL3 */
	{ 0x00000140, 0x00000140, 0, WRITE_ZERO, false },		/* MISC_FEATURES_ENABLES */
	{ 0x00000186, 0x00000187, 0, WRITE_IGNORED, false },		/* P6_EVNTSEL* */
	{ 0x00000198, 0x00000198, 1000 | 4ull << 40, WRITE_GP, false },	/* PERF_STATUS */
	{ 0x00000199, 0x00000199, 0, WRITE_GP, false },			/* PERF_CTL */
	{ 0x000001d9, 0x000001d9, 0, WRITE_KEPT, false },		/* DEBUGCTL */
	{ 0x000001db, 0x000001de, 0, WRITE_GP, false },			/* last branch, last int */
	{ 0x000001fc, 0x000001fc, 0, WRITE_KEPT, false },		/* POWER_CTL */
	{ 0x00000606, 0x00000606, 0, WRITE_GP, false },			/* RAPL_POWER_UNIT */
	{ 0x00000611, 0x00000611, 0, WRITE_GP, false },			/* PKG_ENERGY_STATUS */
	{ 0x00000619, 0x00000619, 0, WRITE_GP, false },			/* DRAM_ENERGY_STATUS */
	{ 0x00000639, 0x00000639, 0, WRITE_GP, false },			/* PP0_ENERGY_STATUS */
	{ 0x00000641, 0x00000641, 0, WRITE_GP, false },			/* PP1_ENERGY_STATUS */
	{ 0xc0010000, 0xc0010007, 0, WRITE_KEPT, false },		/* EVNTSEL*, PERFCTR* */
	{ 0xc001001b, 0xc001001b, 0x20000000, WRITE_IGNORED, false },	/* CLK_CTL */
	{ 0xc001001f, 0xc001001f, 0, WRITE_IGNORED, false },		/* NB_CFG */
	{ 0xc0010020, 0xc0010020, 0, WRITE_IGNORED, true },		/* PATCH_LOADER */
	{ 0xc0010055, 0xc0010055, 0, WRITE_GP, false },			/* INT_PENDING_MSG */
	{ 0xc0010058, 0xc0010058, 0, WRITE_ZERO, false },		/* MMIO_CONF_BASE */
	{ 0xc0010112, 0xc0010113, 0, WRITE_GP, false },			/* TSEG_ADDR, _MASK */
	{ 0xc0010114, 0xc0010114, 0, WRITE_KEPT, false },		/* VM_CR */
	{ 0xc0010115, 0xc0010115, 0, WRITE_IGNORED, true },		/* VM_IGNNE */
	{ 0xc0010117, 0xc0010117, 0, WRITE_KEPT, false },		/* VM_HSAVE_PA */
	{ 0xc0011021, 0xc0011021, 0, WRITE_GP, false },			/* IC_CFG */
	{ 0xc0011022, 0xc0011023, 0, WRITE_IGNORED, false },		/* DC_CFG, TW_CFG */
	{ 0xc0011029, 0xc0011029, 0, WRITE_KEPT, false },		/* DE_CFG */
	{ 0xc001102a, 0xc001102a, 0, WRITE_IGNORED, false },		/* BU_CFG2 */
	{ 0xc001102c, 0xc001102c, 0, WRITE_IGNORED, false },		/* EX_CFG */
};

/*
 * Bits that the guest may set in an MSR with WRITE_KEPT.  Other bits raise #GP.  In an MSR
 * that this table does not name the guest may set all bits.
 */
static const struct {
	u32 msr;
	u64 bits;
} kept_bits[] = {
	{ 0x000001d9, 0x3f },		/* DEBUGCTL */
	{ 0xc0010114, 0x1f },		/* VM_CR */
	{ 0xc0011029, 0x02 },		/* DE_CFG: LFENCE is serialising */
};

/*
 * The values of the kvm_msrs[] with WRITE_KEPT that the guest has written, for each virtual
 * CPU.
 */
#define KEPT_MAX		16
static struct kept {
	u32 msr;		/* 0: unused */
	u64 value;
} all_kept[VCPUS_MAX][KEPT_MAX];

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

/*
 * Returns the index of @msr in kvm_msrs[], or -1.
 */
static int find_kvm_msr(u32 msr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kvm_msrs); i++)
		if (msr >= kvm_msrs[i].first && msr <= kvm_msrs[i].last)
			return i;
	return -1;
}

/* Reads one of kvm_msrs[].  Parameters and result are those of msr_read(). */
static bool kvm_msr_read(const struct vcpu *vcpu, u32 msr, u64 *value)
{
	const struct kept *kept = all_kept[vcpu->id];
	int index = find_kvm_msr(msr);
	unsigned int i;

	if (index < 0 || kvm_msrs[index].no_read)
		return false;
	*value = kvm_msrs[index].value;
	for (i = 0; i < KEPT_MAX; i++)
		if (kept[i].msr == msr && msr)
			*value = kept[i].value;
	return true;
}

/* Writes one of kvm_msrs[].  Parameters and result are those of msr_write(). */
static bool kvm_msr_write(const struct vcpu *vcpu, u32 msr, u64 value)
{
	struct kept *kept = all_kept[vcpu->id];
	int index = find_kvm_msr(msr);
	unsigned int i;

	if (index < 0 || kvm_msrs[index].write == WRITE_GP ||
	    (kvm_msrs[index].write == WRITE_ZERO && value))
		return false;
	if (kvm_msrs[index].write != WRITE_KEPT)
		return true;
	for (i = 0; i < ARRAY_SIZE(kept_bits); i++)
		if (kept_bits[i].msr == msr && value & ~kept_bits[i].bits)
			return false;
	for (i = 0; i < KEPT_MAX - 1 && kept[i].msr && kept[i].msr != msr; i++)
		;
	kept[i].msr = msr;
	kept[i].value = value;
	return true;
}

bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	if (msr == MSR_EFER)
		*value = vcpu->vmcb->efer & ~(u64)EFER_SVME;
	else if (apic_is_msr(msr))
		return apic_msr_read(vcpu, msr, value);
	else if (machine_has(msr))
		*value = rdmsr(msr);
	else if (clock_has(msr))
		*value = clock_read(vcpu, msr);
	else
		return kvm_msr_read(vcpu, msr, value);
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
	if (value & EFER_NXE)
		events_trigger(FROM_NXE);
	/*
	 * A guest that clears LME may be an AP of firmware that goes to real mode and executes
	 * an IRET there.  QEMU's processor would pop from SP although the AP uses ESP, so
	 * exits.c intercepts this IRET and executes it: see exit_iret().
	 */
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
	if (clock_has(msr)) {
		clock_write(vcpu, msr, value);
		return true;
	}
	if (!machine_has(msr))
		return kvm_msr_write(vcpu, msr, value);
	wrmsr(msr, value);
	return true;
}
