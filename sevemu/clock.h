/* SPDX-License-Identifier: MIT */
/*
 * clock.h - KVM's paravirtual clock for the guest (clock.c).
 */
#ifndef SEVEMU_CLOCK_H
#define SEVEMU_CLOCK_H

#include "sevemu.h"

/* CPUID 0x40000001 EAX: the guest may use kvm-clock, and its time never jumps. */
#define KVM_FEATURES		(1u << 3 | 1u << 24)

#define MSR_KVM_WALL_CLOCK	0x4b564d00
#define MSR_KVM_SYSTEM_TIME	0x4b564d01

/* Returns whether @msr is one of the two MSRs of kvm-clock. */
bool clock_has(u32 msr);

/* Returns what @vcpu has last written to @msr, one of kvm-clock's MSRs; 0: nothing. */
u64 clock_read(const struct vcpu *vcpu, u32 msr);

/*
 * Handles the write of @value by @vcpu to @msr, one of kvm-clock's MSRs: stores the clock at
 * the guest-physical address in @value (Linux Documentation/virt/kvm/x86/msr.rst).
 */
void clock_write(const struct vcpu *vcpu, u32 msr, u64 value);

#endif
