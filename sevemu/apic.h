/* SPDX-License-Identifier: MIT */
/*
 * apic.h - the local APICs of a guest with several processors (apic.c).
 */
#ifndef SEVEMU_APIC_H
#define SEVEMU_APIC_H

#include "sevemu.h"

#define APIC_PAGE		0xfee00000

/*
 * Delivery modes in the low half of the interrupt command register, with the bit "assert",
 * 0x4000, set (APM2 16.5).
 */
#define ICR_FIXED		0x4000
#define ICR_NMI			0x4400
#define ICR_INIT		0x4500
#define ICR_SIPI		0x4600

/*
 * Sends an interrupt from the machine's local APIC of this processor to processor
 * @id.  @command is ICR_*, or ICR_SIPI with a vector.  Keeps the guest's value in the high
 * half of the interrupt command register.
 */
void apic_send(unsigned int id, u32 command);

/*
 * Writes @value to the register at @offset (a multiple of 16) of the local APIC of
 * @vcpu, for the guest.  If the write sends an INIT, a SIPI or an NMI, ap.c emulates this
 * interrupt for the virtual CPUs that the write addresses.  The interrupt must not reach a
 * processor of the machine, because the hypervisor runs there.  Must be called on the
 * processor of @vcpu.  Only for a guest with several processors.
 */
void apic_write(struct vcpu *vcpu, u32 offset, u32 value);

/*
 * Executes an instruction of a guest without SEV-ES that writes to its local APIC at
 * guest-physical address @gpa, which is mapped read-only.  The instruction must be a
 * MOV or XCHG of 32 bits.
 */
void apic_trap(struct vcpu *vcpu, u64 gpa);

/*
 * Returns whether apic_msr_read() and apic_msr_write() emulate MSR @msr. Without --x2apic they
 * emulate none. With it they emulate APIC_BASE and MSRs 0x800 to 0x8ff.
 */
bool apic_is_msr(u32 msr);

/*
 * Reads MSR @msr of the local APIC of @vcpu into *@value, or writes @value to it.  Both
 * return false if the processor would raise #GP.  Must be called on the processor of @vcpu.
 */
bool apic_msr_read(struct vcpu *vcpu, u32 msr, u64 *value);
bool apic_msr_write(struct vcpu *vcpu, u32 msr, u64 value);

/*
 * Sets the timer and the interrupt sources of this processor's local APIC to their
 * values after INIT (APM2 16.3), and drops the interrupts that are pending or in service.
 * sevemu's own NMI handler runs meanwhile, if an NMI is pending.  The NMI may be another
 * processor's request, so smp_take_nmi() must be called afterwards.
 */
void apic_reset(void);

#endif
