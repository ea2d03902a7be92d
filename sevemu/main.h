/* SPDX-License-Identifier: MIT */
/*
 * main.h - the hypervisor's start, its options and its run loop (main.c).
 */
#ifndef SEVEMU_MAIN_H
#define SEVEMU_MAIN_H

#include "sevemu.h"

/* The options of this run.  Valid once hv_main() has read them from fw_cfg. */
extern struct config config;

/*
 * Returns whether the guest's registers are encrypted: --sev es or --sev snp.
 * An exit that the guest must know about then raises #VC.  May be called once
 * hv_main() has read the options.
 */
static inline bool guest_is_es(void)
{
	return config.sev == SEV_ES || config.sev == SEV_SNP;
}

/*
 * Returns whether the guest runs with --sev snp, so that rmp.c has a reverse map
 * table of its RAM.  May be called once hv_main() has read the options.
 */
static inline bool guest_is_snp(void)
{
	return config.sev == SEV_SNP;
}

/*
 * Physical address of the hypervisor's memory: HV_SIZE bytes at the top of RAM
 * below 4 GiB, aligned to 2 MiB.  hv_main() sets it before it calls any
 * function.
 */
extern u64 hv_base;

/*
 * The guest's processors.  The bootstrap processor is number 0.  The number is also
 * the processor's APIC ID.
 */
extern struct vcpu vcpus[VCPUS_MAX];

/*
 * Sets up the hypervisor and the guest, and runs the guest.  entry.S calls it
 * once, with .bss cleared, on the hypervisor's stack, with interrupts off.
 * @base becomes hv_base.  Does not return: report.c ends the run.
 */
void hv_main(u64 base);

/*
 * Loads the hypervisor's IDT into this processor and gives it a host save area (APM2
 * 15.30.4).  Called once on each processor.
 */
void host_init(void);

/*
 * Ends the run with a message, because an exception in the hypervisor itself is
 * a bug.  entry.S calls it from the exception handlers.  @frame points to seven
 * words: vector, error code (0 if the vector has no error code), RIP, CS,
 * RFLAGS, RSP and SS.
 */
void hv_exception_report(const u64 *frame);

/*
 * The run loop: enters the guest and handles each VMEXIT.  loader_start() or
 * snapshot_restore() must have set up @vcpu.  Does not return: report.c ends
 * the run, or campaign.c leaves the loop by longjmp in order to start the next
 * run.
 */
void vcpu_run(struct vcpu *vcpu);

/*
 * Returns the number that @s represents, modulo 2^64: decimal digits, or "0x"
 * and hexadecimal digits.  An empty string is 0.  Any other character ends the
 * run with END_ERROR.  May be called after report_init().
 */
u64 parse_number(const char *s);

#endif
