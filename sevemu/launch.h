/* SPDX-License-Identifier: MIT */
/*
 * launch.h - what the security processor does at a guest's launch: encrypts and
 * validates pages, and measures them (launch.c).
 *
 * The loader names the ranges that it has loaded, in the order in which they are
 * measured.  launch_finish() then validates and measures them.
 */
#ifndef SEVEMU_LAUNCH_H
#define SEVEMU_LAUNCH_H

#include "sevemu.h"

/*
 * Types of a launched page (SEV-SNP firmware ABI, SNP_LAUNCH_UPDATE).  Only the
 * contents of normal and VMSA pages are measured.
 */
enum launch_type {
	LAUNCH_NORMAL = 1,
	LAUNCH_VMSA = 2,
	LAUNCH_ZERO = 3,
	LAUNCH_UNMEASURED = 4,
	LAUNCH_SECRETS = 5,
	LAUNCH_CPUID = 6,
};

/*
 * Adds the pages of the @size bytes at guest-physical address @gpa to the launch.
 * Their contents must be complete when launch_finish() is called.  Ranges must not
 * share a page.  @size of 0 adds nothing.  loader.c, acpi.c and snp_launch.c call it.
 */
void launch_add(u64 gpa, u64 size, enum launch_type type);

/*
 * Adds the @size bytes of RAM at @gpa to the launch of a guest without SEV-SNP.  The
 * security processor measures only these bytes, and not the whole pages around them.
 */
void launch_add_bytes(u64 gpa, u64 size);

/*
 * Ends the launch: with --sev snp validates the pages that --validated names, and
 * with --measure computes the launch digest.  The digest of an SEV-ES or SNP guest covers
 * the registers of @vcpu, the first virtual CPU, and of the APs that the loader has set up.
 * Called once, when the guest's memory and these registers are complete.
 */
void launch_finish(struct vcpu *vcpu);

/*
 * Returns the launch digest, and sets *@size to its size in bytes.  Returns NULL
 * without --measure, with --sev off and before launch_finish().
 */
const u8 *launch_digest(unsigned int *size);

/*
 * Stores the value of --validated: all, loaded, or a list of ranges START-END separated
 * by commas.  Changes the text at @value.  main.c calls it before the guest is loaded.
 */
void launch_option(char *value);

/*
 * Names the memory in which launch_finish() will list the validated ranges.  @data gets a
 * pair of addresses, start and end, for each range, and has room for LAUNCH_LIST_MAX pairs.
 * *@bytes gets the size of all pairs in bytes.  snp_launch.c calls it, unless all RAM is
 * validated.
 */
#define LAUNCH_LIST_MAX		96
void launch_describe(u64 (*data)[2], u32 *bytes);

/* Returns whether --validated=all makes all RAM validated when the guest starts. */
bool launch_all(void);

#endif
