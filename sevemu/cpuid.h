/* SPDX-License-Identifier: MIT */
/*
 * cpuid.h - CPUID as the guest sees it (cpuid.c).
 */
#ifndef SEVEMU_CPUID_H
#define SEVEMU_CPUID_H

#include "sevemu.h"

/*
 * Returns the guest's CPUID registers for @function (EAX) and @index (ECX), with
 * the changes of an attack.  @vcpu is needed for the bits that copy CR4.  May be
 * called whenever the guest's CR4 is in the VMCB; cannot fail.
 */
struct cpuid_regs guest_cpuid(const struct vcpu *vcpu, u32 function, u32 index);

#endif
