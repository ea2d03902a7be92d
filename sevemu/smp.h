/* SPDX-License-Identifier: MIT */
/*
 * smp.h - the machine's processors: one lock for the hypervisor, and how a
 * processor stops, wakes and waits for another one (smp.c).
 *
 * Processor n of QEMU runs the guest's virtual CPU n and no other.  Only the
 * processor that holds the lock runs the hypervisor's code, so no other file needs
 * to know that there are several.
 */
#ifndef SEVEMU_SMP_H
#define SEVEMU_SMP_H

#include "sevemu.h"

/* The top of the stack of the processor that smp_start() starts.  entry.S loads it. */
extern u64 smp_stack;

/*
 * Starts the machine's other processors, one for each virtual CPU that --smp asks
 * for, and takes the lock.  They wait for the lock.  Called once, by the bootstrap
 * processor, when VMCBs exist and before the guest starts.
 */
void smp_start(void);

/*
 * The first C function of a processor that smp_start() has started.  entry.S calls
 * it on the stack smp_stack, with interrupts off.  Does not return.
 */
void smp_main(void);

/*
 * Releases the lock right before @vcpu runs the guest.  Another processor may then
 * run the hypervisor.
 */
void smp_enter(struct vcpu *vcpu);

/* Takes the lock after a VMEXIT of @vcpu. */
void smp_exit(struct vcpu *vcpu);

/*
 * Handles the events that wait for @vcpu, and waits without the lock until its state is
 * VCPU_RUN.  The run loop calls it with the lock held before each VMRUN.
 */
void smp_wait(struct vcpu *vcpu);

/*
 * Makes all other processors leave the guest, and returns when they have.  They stay
 * out until the caller releases the lock.  Must be called before a page of the guest
 * loses a right or changes its contents, because another processor may have the
 * page's translation in its TLB.
 */
void smp_stop_others(void);

/*
 * Makes the processor of @vcpu look at vcpu->state again: ends the processor's sleep or
 * its stay in the guest.  Does not wait until the processor has done so.
 */
void smp_kick(struct vcpu *vcpu);

/*
 * Takes an NMI that is pending in the processor of @vcpu, for example the NMI that has caused
 * SVM_EXIT_NMI, so that it does not cause another exit.  Must be called on the processor of @vcpu.
 */
void smp_take_nmi(struct vcpu *vcpu);

/* Returns the virtual CPU whose processor holds the lock; NULL before smp_start(). */
const struct vcpu *smp_holder(void);

#endif
