/* SPDX-License-Identifier: MIT */
/*
 * cpuid.c - the CPUID values that the guest gets: those of QEMU's processor,
 * with the changes that KVM makes for an SEV-ES guest.
 *
 * Runs when the guest executes CPUID, or requests CPUID values by the GHCB.
 */
#include "attack.h"
#include "clock.h"
#include "cpuid.h"
#include "main.h"
#include "rmp.h"
#include "sevemu.h"

#define CPUID_HYPERVISOR	0x40000000
#define CPUID_HYPERVISOR_MAX	0x40000001
#define CPUID_HYPERVISOR_LAST	0x400000ff
#define CPUID_EXT_MAX		0x8000001f
#define CPUID_FEATURES		0x00000001
#define CPUID_FEATURES_7	0x00000007
#define CPUID_EXT		0x80000000
#define CPUID_EXT_FEATURES	0x80000001
#define CPUID_WIDTHS		0x80000008
#define CPUID_SVM		0x8000000a
#define CPUID_SEV		0x8000001f
#define CPUID_LAST_SNP		0x0000000c	/* the leaf before that of XSAVE */
#define CPUID_1_ECX_MONITOR	(1u << 3)
#define CPUID_1_ECX_X2APIC	(1u << 21)
/* Features that XSAVE saves, or that need AVX: FMA, XSAVE, OSXSAVE, AVX, F16C. */
#define CPUID_1_ECX_XSAVE	(1u << 12 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29)
/* Features in CPUID 7 that need XSAVE or AVX: AVX2; PKU, OSPKE, VAES and VPCLMULQDQ. */
#define CPUID_7_EBX_AVX2	(1u << 5)
#define CPUID_7_ECX_XSAVE	(1u << 3 | 1u << 4 | 1u << 9 | 1u << 10)
#define CPUID_1_ECX_OSXSAVE	(1u << 27)
#define CPUID_7_ECX_OSPKE	(1u << 4)
#define CPUID_7_ECX_LA57	(1u << 16)
#define CPUID_EXT1_ECX_SVM	(1u << 2)
#define CPUID_SEV_EAX_SEV	(1u << 1)
#define CPUID_SEV_EAX_ES	(1u << 3)
#define CPUID_SEV_EAX_SNP	(1u << 4)
#define CPUID_SEV_EAX_VMPL	(1u << 5)
#define CPUID_SEV_EAX_RMPQUERY	(1u << 6)
#define CPUID_SEV_VMPLS		12	/* shift in EBX: number of VMPLs */
/* Lowest bit of the field of CPUID 0x8000001F EBX that holds PHYS_BITS_LOST. */
#define CPUID_SEV_REDUCTION	6

/*
 * CPUID 0x80000008 reports PHYS_BITS bits for guest-physical addresses and,
 * without LA57, VIRT_BITS bits for linear addresses.  PHYS_BITS is QEMU's
 * default for a guest and lies below the possible C-bits, 47 and 51.  CPUID
 * 0x8000001F reports that memory encryption reduces the width of physical
 * addresses by PHYS_BITS_LOST bit.
 */
#define PHYS_BITS		40
#define VIRT_BITS		48
#define PHYS_BITS_LOST		1

/*
 * sevemu reports the hypervisor signature "KVMKVMKVM", because it behaves as
 * KVM does.  Linux then reads KVM's paravirtual features from CPUID 0x40000001.
 * sevemu has kvm-clock only (clock.c).
 */
#define SIGNATURE_EBX		0x4b4d564b
#define SIGNATURE_ECX		0x564b4d56
#define SIGNATURE_EDX		0x0000004d

/*
 * Removes XSAVE, and what needs it, from the registers *@r of @function.  An SNP
 * guest terminates if its CPUID page has XSAVE without XSAVEC, and QEMU's processor
 * has no XSAVEC.
 */
static void hide_xsave(u32 function, u32 index, struct cpuid_regs *r)
{
	if (function == 0 && r->eax > CPUID_LAST_SNP)
		r->eax = CPUID_LAST_SNP;
	if (function == CPUID_FEATURES)
		r->ecx &= ~CPUID_1_ECX_XSAVE;
	if (function == CPUID_FEATURES_7 && !index) {
		r->ebx &= ~CPUID_7_EBX_AVX2;
		r->ecx &= ~CPUID_7_ECX_XSAVE;
	}
	if (function > CPUID_LAST_SNP && function < CPUID_HYPERVISOR)
		memset(r, 0, sizeof(*r));
}

/*
 * Returns the CPUID registers for @function (EAX) and @index (ECX) that a
 * hypervisor gives to the guest if it does not attack the guest.
 */
static struct cpuid_regs honest_cpuid(const struct vcpu *vcpu, u32 function, u32 index)
{
	struct cpuid_regs r;

	if (function >= CPUID_HYPERVISOR && function <= CPUID_HYPERVISOR_LAST) {
		memset(&r, 0, sizeof(r));
		if (function == CPUID_HYPERVISOR) {
			r.eax = CPUID_HYPERVISOR_MAX;
			r.ebx = SIGNATURE_EBX;
			r.ecx = SIGNATURE_ECX;
			r.edx = SIGNATURE_EDX;
		} else if (function == CPUID_HYPERVISOR_MAX) {
			r.eax = KVM_FEATURES;
		}
		return r;
	}

	r = cpuid(function, index);
	switch (function) {
	case CPUID_FEATURES:
		r.ecx &= ~(CPUID_1_ECX_MONITOR | CPUID_1_ECX_OSXSAVE);
		if (config.x2apic)
			r.ecx |= CPUID_1_ECX_X2APIC;
		if (vcpu->vmcb->cr4 & CR4_OSXSAVE)
			r.ecx |= CPUID_1_ECX_OSXSAVE;
		break;
	case CPUID_FEATURES_7:
		if (index)
			break;
		r.ecx &= ~CPUID_7_ECX_OSPKE;
		if (vcpu->vmcb->cr4 & CR4_PKE)
			r.ecx |= CPUID_7_ECX_OSPKE;
		if (!config.la57)
			r.ecx &= ~CPUID_7_ECX_LA57;
		break;
	case CPUID_EXT:
		if (r.eax < CPUID_EXT_MAX)
			r.eax = CPUID_EXT_MAX;
		break;
	case CPUID_EXT_FEATURES:
		r.ecx &= ~CPUID_EXT1_ECX_SVM;
		break;
	case CPUID_WIDTHS:
		r.eax = (r.eax & ~0xffu) | PHYS_BITS;
		if (!config.la57)
			r.eax = (r.eax & ~0xff00u) | VIRT_BITS << 8;
		break;
	case CPUID_SVM:
		memset(&r, 0, sizeof(r));
		break;
	case CPUID_SEV:
		memset(&r, 0, sizeof(r));
		if (config.sev == SEV_OFF)
			break;
		r.eax = CPUID_SEV_EAX_SEV | (guest_is_es() ? CPUID_SEV_EAX_ES : 0);
		r.ebx = config.cbit | PHYS_BITS_LOST << CPUID_SEV_REDUCTION;
		if (guest_is_snp()) {
			r.eax |= CPUID_SEV_EAX_SNP | CPUID_SEV_EAX_VMPL |
				 CPUID_SEV_EAX_RMPQUERY;
			r.ebx |= VMPLS << CPUID_SEV_VMPLS;
		}
		break;
	}
	if (guest_is_snp())
		hide_xsave(function, index, &r);
	return r;
}

struct cpuid_regs guest_cpuid(const struct vcpu *vcpu, u32 function, u32 index)
{
	struct cpuid_regs r = honest_cpuid(vcpu, function, index);

	attack_cpuid(function, &r);
	return r;
}
