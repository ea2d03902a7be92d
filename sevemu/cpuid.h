/* SPDX-License-Identifier: MIT */
/*
 * cpuid.h - the CPUID values that the guest gets (cpuid.c).
 */
#ifndef SEVEMU_CPUID_H
#define SEVEMU_CPUID_H

#include "sevemu.h"

/*
 * Returns the guest's CPUID registers for @function (EAX) and @index (ECX).
 * OSXSAVE and OSPKE are copied from the CR4 in the VMCB of @vcpu.  If the
 * present run has an attack on CPUID, the values are wrong on purpose.  May be
 * called between an exit and the next VMRUN; cannot fail.
 */
struct cpuid_regs guest_cpuid(const struct vcpu *vcpu, u32 function, u32 index);

#endif
