/* SPDX-License-Identifier: MIT */
/*
 * smp.c - the machine's processors: one lock for the hypervisor, and how a
 * processor stops, wakes and waits for another one.
 *
 * The bootstrap processor starts the others once, before the guest starts.  From
 * then on a processor runs the guest without the lock, and the hypervisor with it.
 * The hypervisor's processors signal each other by NMIs, which are intercepted while
 * the guest runs.  Outside of the guest the global interrupt flag is clear, so an NMI
 * stays pending until svm_sleep() or smp_take_nmi() takes it.
 *
 * With one processor none of this has an effect.
 */
#include "ap.h"
#include "apic.h"
#include "exits.h"
#include "io.h"
#include "main.h"
#include "msr.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "smp.h"
#include "vmrun.h"

/* Pages of the stack of each processor but the first. */
#define STACK_PAGES		8
/* A SIPI with this vector starts a processor at 0xff000, where rom.S has the APs' entry. */
#define START_VECTOR		0xff
/*
 * With --seed, vary() executes a random number of PAUSEs below this number, which must be a
 * power of two.
 */
#define PAUSES			4

u64 smp_stack;
static struct vcpu *starting;	/* the virtual CPU whose processor is being started */
static u32 lock;		/* 1: a processor runs the hypervisor */
static struct vcpu *holder;	/* the virtual CPU whose processor has the lock */
/* smp_stop_others() has stopped the other processors since @lock was taken. */
static bool stopped;
static u64 random;		/* state of the generator for --seed; 0: no --seed */

static void pause(void)
{
	asm volatile("pause" : : : "memory");
}

static void take_lock(struct vcpu *vcpu)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
	holder = vcpu;
}

static void release_lock(void)
{
	stopped = false;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

const struct vcpu *smp_holder(void)
{
	return holder;
}

/* Waits until the processor that smp_start() starts has set vcpu->present. */
static void wait_for(struct vcpu *vcpu)
{
	while (!__atomic_load_n(&vcpu->present, __ATOMIC_ACQUIRE))
		pause();
}

void smp_start(void)
{
	unsigned int i;

	random = config.seed;
	if (config.smp > 1) {
		/*
		 * From now on another processor may send an NMI to end this processor's
		 * stay in the guest.  The NMI must stay pending until VMRUN, because
		 * hv_nmi (entry.S) would take the NMI earlier and do nothing with it.
		 */
		svm_clear_gif();
		take_lock(&vcpus[0]);
	}
	for (i = 1; i < config.smp; i++) {
		starting = &vcpus[i];
		smp_stack = (u64)npt_alloc(STACK_PAGES) + STACK_PAGES * PAGE_SIZE;
		/* No INIT is needed: the processor waits for a SIPI since the machine's reset. */
		apic_send(i, ICR_SIPI | START_VECTOR);
		wait_for(starting);
	}
}

void smp_main(void)
{
	struct vcpu *vcpu = starting;

	svm_clear_gif();
	host_init();
	msr_start();
	__atomic_store_n(&vcpu->present, true, __ATOMIC_RELEASE);
	take_lock(vcpu);
	vcpu_run(vcpu);
}

/*
 * With --seed, lets the other processors run a random number of times before this one
 * runs the guest, so that another seed gives another interleaving.
 */
static void vary(void)
{
	unsigned int n;

	if (!random)
		return;
	random = random * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
	for (n = random >> 33 & (PAUSES - 1); n; n--)
		pause();
}

void smp_enter(struct vcpu *vcpu)
{
	if (config.smp == 1)
		return;
	__atomic_store_n(&vcpu->in_guest, true, __ATOMIC_SEQ_CST);
	release_lock();
	/*
	 * PAUSE ends QEMU's turn of this processor.  Without it a guest that waits
	 * for another processor without PAUSE or HLT hangs with -icount, because
	 * QEMU 7.2 then gives the other processor no instructions.
	 */
	pause();
	vary();
}

void smp_exit(struct vcpu *vcpu)
{
	if (config.smp == 1)
		return;
	__atomic_store_n(&vcpu->in_guest, false, __ATOMIC_SEQ_CST);
	take_lock(vcpu);
}

void smp_wait(struct vcpu *vcpu)
{
	for (;;) {
		ap_events(vcpu);
		if (vcpu->state == VCPU_RUN)
			return;
		report_clock(true);
		__atomic_store_n(&vcpu->asleep, true, __ATOMIC_SEQ_CST);
		release_lock();
		svm_sleep();
		take_lock(vcpu);
		vcpu->asleep = false;
		/*
		 * If an NMI of the sevemu script (ports.h) has ended the sleep, another
		 * processor may have sent a second NMI since, by kick().  Take the second
		 * NMI here, so that it does not make the guest exit.
		 */
		smp_take_nmi(vcpu);
		report_clock(false);
		exits_stop();
	}
}

/*
 * Sends an NMI to the processor of @vcpu, unless that processor has not yet taken an earlier
 * NMI of kick().  vcpu->kicked tells that processor that the NMI is not for the guest.
 */
static void kick(struct vcpu *vcpu)
{
	if (vcpu->kicked)
		return;
	vcpu->kicked = true;
	apic_send(vcpu->id, ICR_NMI);
}

void smp_stop_others(void)
{
	unsigned int i;

	if (stopped || config.smp == 1 || !holder)
		return;
	for (i = 0; i < config.smp; i++)
		if (vcpus[i].in_guest)
			kick(&vcpus[i]);
	for (i = 0; i < config.smp; i++)
		while (__atomic_load_n(&vcpus[i].in_guest, __ATOMIC_SEQ_CST))
			pause();
	stopped = true;
}

void smp_kick(struct vcpu *vcpu)
{
	if (vcpu->in_guest || vcpu->asleep)
		kick(vcpu);
}

void smp_take_nmi(struct vcpu *vcpu)
{
	vcpu->kicked = false;
	asm volatile("stgi; nop; nop; clgi" : : : "memory");
}
