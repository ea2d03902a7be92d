/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - hooks, which are services that sevemu offers to a test guest with
 * --test-hooks; the numbers of ABI violations; and the debug-exit port.  C and
 * assembly include this header, so it has plain numbers only.
 *
 * A guest calls a hook by VMMCALL without prefix (0F 01 D9), in any CPU mode
 * and at any privilege level, with
 *
 *	EAX = HOOK_MAGIC	ECX = HOOK_...		RDX, RSI = arguments
 *
 * and gets the result in RAX.  Other registers do not change.  In 32-bit code
 * arguments and result are in EDX, ESI and EAX.  A hook call raises no #VC, does
 * not appear in the report's figures, and makes no page shared or private.
 * Without --test-hooks or without HOOK_MAGIC in EAX, VMMCALL is a hypercall.  An
 * unknown function returns HOOK_ERROR.
 */
#ifndef SEVEMU_HOOKS_H
#define SEVEMU_HOOKS_H

/* The number in EAX that makes a VMMCALL a hook call ("EVES" in memory). */
#define HOOK_MAGIC		0x53455645
/* The result of a hook call that failed.  Bits 63:32 of RAX are 0. */
#define HOOK_ERROR		0xffffffff
/* The version of the hooks' interface, which the hook HOOK_VERSION returns. */
#define HOOK_API		1

/*
 * The hooks' function numbers, which the guest passes in ECX.  A hook's first
 * argument is in RDX, the second one in RSI, and the result in RAX.  A hook whose
 * comment names no result returns 0, or HOOK_ERROR if it has failed.
 */
#define HOOK_VERSION		0	/* returns the version, HOOK_API */
#define HOOK_CONFIG		1	/* returns options, HOOK_CONFIG_* */
/*
 * Argument: HOOK_COUNT_*, a kind of event.  Returns how often the event has
 * happened since the guest's start.
 */
#define HOOK_COUNT		2
/*
 * Argument: a guest-physical address without the C-bit.  Returns the state of
 * its page, HOOK_FRAME_*.
 */
#define HOOK_FRAME_STATE	3
/*
 * Argument: a guest-physical address, a multiple of 8.  Returns the 8 bytes
 * there as the host reads them: ciphertext if the page is private.
 */
#define HOOK_FRAME_READ		4
/* Makes an NMI pending.  It is injected as soon as NMIs are not masked. */
#define HOOK_NMI		5
/*
 * Argument: a mask of HOOK_INTERCEPT_*, which selects what raises #VC from now
 * on.  Returns the mask that was in effect before.
 */
#define HOOK_INTERCEPT		6
/*
 * Arguments: a vector, 0 to 31, and an error code.  The hypervisor injects this
 * exception before the guest's next instruction.  Only vectors 8, 10 to 14, 17,
 * 21, 29 and 30 push the error code.
 */
#define HOOK_INJECT		7
/*
 * Returns the guest's last violation of the ABI, VIOL_*, or VIOL_NONE if the
 * guest did not violate the ABI since the last call of this hook.
 */
#define HOOK_VIOLATION		8
/*
 * Argument: VIOL_*, which the guest announces as its next violation of the ABI.
 * If the next violation is this one, sevemu does not report it and does not
 * terminate a --strict run; HOOK_VIOLATION returns it.  VIOL_NONE withdraws the
 * announcement.
 */
#define HOOK_EXPECT		9
/*
 * Copies the figures (numbers of exits and so on) into the report now, as
 * sevemu does when the guest reaches the address given by --marker.
 */
#define HOOK_MARK		10
/* Returns bit 0: an NMI waits for injection; bit 1: NMIs are masked. */
#define HOOK_NMI_STATE		11
/*
 * Argument: a guest-physical address without the C-bit.  Returns the RMP entry of
 * its page in an SNP guest: HOOK_RMP_* in bits 7:0, and the rights of VMPL 1 to 3
 * in bits 15:8, 23:16 and 31:24.  Returns HOOK_ERROR without --sev snp.
 */
#define HOOK_RMP		12
/*
 * Arguments: a guest-physical address without the C-bit, and an RMP entry in the
 * format of HOOK_RMP's result, by which the page's RMP entry is overwritten.
 */
#define HOOK_RMP_SET		13
/*
 * Arguments: a guest-physical address without the C-bit, a multiple of 8, and 0 or 1.
 * Inverts the 8 bytes at this address: at once if the second argument is 0, or, if it
 * is 1, when the emulated host has finished its next attack.  No real host can change
 * private memory of an SNP guest.  By this hook a test checks that campaign.c, which runs
 * a guest many times under attack, reports a host that does change private memory.
 */
#define HOOK_BREAK		14

/* Fields of HOOK_CONFIG's result: the options that sevemu was started with. */
/* 2 bits: value of --sev, 0: off, 1: sev, 2: es, 3: snp */
#define HOOK_CONFIG_SEV_SHIFT	0
#define HOOK_CONFIG_MAX_SHIFT	4	/* 4 bits: value of --ghcb-max */
#define HOOK_CONFIG_CBIT_SHIFT	8	/* 8 bits: value of --cbit */
#define HOOK_CONFIG_STRICT	0x10000
#define HOOK_CONFIG_LA57	0x20000
#define HOOK_CONFIG_RDTSC	0x40000
#define HOOK_CONFIG_RMP_2M	0x80000	/* --rmp=2m */
/* 2 bits: value of --snp-convert, 0: strict, 1: none, 2: implicit */
#define HOOK_CONFIG_CONVERT_SHIFT 20
#define HOOK_CONFIG_VMPL_SHIFT	22	/* 2 bits: value of --vmpl */
/* --validated=loaded: only what the loader has loaded is validated at the start */
#define HOOK_CONFIG_LOADED	0x1000000
#define HOOK_CONFIG_SPEC	0x2000000	/* --host spec */
#define HOOK_CONFIG_SMP		0x4000000	/* --smp is more than 1 */

/*
 * Arguments of HOOK_COUNT: the kind of event.  Counts begin at the guest's
 * start.
 */
#define HOOK_COUNT_VC		0	/* counts #VC delivered to the guest */
/* Counts VMGEXITs of the guest, by the MSR protocol and by the GHCB page. */
#define HOOK_COUNT_VMGEXIT	1
/* Counts pages of the guest's RAM that changed from private to shared. */
#define HOOK_COUNT_TO_SHARED	2
/* Counts pages of the guest's RAM that changed from shared to private. */
#define HOOK_COUNT_TO_PRIVATE	3
/*
 * Counts private pages that the processor read as page table or as code
 * although the guest mapped them with the C-bit clear.
 */
#define HOOK_COUNT_NOTES	4
/* Counts the guest's violations of the ABI, those announced by HOOK_EXPECT too. */
#define HOOK_COUNT_VIOLATIONS	5
#define HOOK_COUNT_NMI		6	/* counts NMIs sent to the guest */
#define HOOK_COUNT_EXITS	7	/* counts VMEXITs of all kinds, also of hooks */
/*
 * The argument HOOK_COUNT_RMP + n asks for the count that is member number n of the
 * object "rmp" in the report.  The report's first member of "rmp" has number 0.
 */
#define HOOK_COUNT_RMP		0x100

/* Results of HOOK_FRAME_STATE: the state of a page of guest-physical memory. */
#define HOOK_FRAME_NONE		0	/* the page is not RAM of the guest */
#define HOOK_FRAME_PRIVATE	1
#define HOOK_FRAME_SHARED	2
/*
 * The page is private, and the processor has read it as page table or as code
 * although the guest mapped it with the C-bit clear.  From then on sevemu maps
 * the page's plaintext for both values of the C-bit.
 */
#define HOOK_FRAME_NOTED	3

/* Flags of HOOK_RMP's result and HOOK_RMP_SET's argument (APM2 15.36). */
#define HOOK_RMP_ASSIGNED	0x01	/* private memory of the guest */
#define HOOK_RMP_VALIDATED	0x02	/* the guest has validated the page */
#define HOOK_RMP_2M		0x04	/* one entry covers 2 MiB */
#define HOOK_RMP_VMSA		0x08	/* the page is a VMSA */
#define HOOK_RMP_IMMUTABLE	0x10	/* the host cannot change the entry */
/* The page is neither private nor shared yet: see RMP_UNTOUCHED in rmp.h. */
#define HOOK_RMP_UNTOUCHED	0x20

/*
 * Bits of HOOK_INTERCEPT's argument: exceptions and instructions that raise #VC
 * from now on, in addition to those that always do.
 */
#define HOOK_INTERCEPT_DB	1	/* #DB raises #VC, error code 0x41 */
#define HOOK_INTERCEPT_AC	2	/* #AC raises #VC, error code 0x51 */
#define HOOK_INTERCEPT_RDTSC	4	/* RDTSC and RDTSCP raise #VC, as with --rdtsc */

/*
 * The guest's violations of the GHCB ABI.  Messages and the report name them in
 * lower case with '-' for '_'.  Each comment says what the guest did wrong, and
 * how the hypervisor answers if the run goes on.  A reply "malformed request,
 * reason n" has 2 in sw_exit_info_1 and n in sw_exit_info_2 (GHCB 4.1).
 */
#define VIOL_NONE		0
/*
 * The guest sent an unknown request by the GHCB MSR, such as a GHCB address
 * that is not page-aligned.  The hypervisor leaves the MSR unchanged.
 */
#define VIOL_MSR_REQUEST	1
/*
 * The GHCB MSR has an address outside of RAM.  The run terminates, even without
 * --strict.  If HOOK_EXPECT announced the violation, VMGEXIT has no effect
 * instead.
 */
#define VIOL_GHCB_ADDRESS	2
/*
 * The GHCB page is private.  The hypervisor reads its ciphertext and handles
 * that as the guest's request.
 */
#define VIOL_GHCB_PRIVATE	3
/*
 * The request's protocol_version is not one that the hypervisor offered.  The
 * hypervisor handles the request nevertheless.
 */
#define VIOL_GHCB_VERSION	4
/*
 * ghcb_usage of the guest's request is not 0.  The hypervisor replies
 * "malformed request", reason 2.
 */
#define VIOL_USAGE		5
/*
 * sw_scratch points outside of the GHCB page's shared buffer.  The hypervisor
 * replies "malformed request", reason 3.
 */
#define VIOL_SCRATCH		6
/*
 * The guest's request lacks a field: its bit in valid_bitmap is clear.  The
 * hypervisor replies "malformed request", reason 4.
 */
#define VIOL_MISSING_INPUT	7
/*
 * A field of the guest's request has a value that GHCB 4.1 does not allow.  The
 * hypervisor replies "malformed request", reason 5.
 */
#define VIOL_INVALID_INPUT	8
/*
 * sw_exit_code of the guest's request is unknown.  The hypervisor replies
 * "malformed request", reason 6.
 */
#define VIOL_INVALID_EVENT	9
/*
 * A guest without SEV-SNP sent MSR request 0x010 (preferred GHCB), 0x012 (register
 * GHCB) or 0x014 (page state), which are for SNP guests.  The run terminates.  If
 * HOOK_EXPECT announced the violation, the hypervisor leaves the MSR unchanged
 * instead.
 */
#define VIOL_NOT_SNP		10
/*
 * The guest sent sw_exit_code 0x8000FFFF, which says that it does not support a
 * #VC exit code.  The run terminates.  If HOOK_EXPECT announced the violation,
 * the hypervisor sends a reply of success instead.
 */
#define VIOL_UNSUPPORTED_EVENT	11
/*
 * An SNP guest made a request by a GHCB page that it has not registered (MSR
 * request 0x012).  The hypervisor replies "malformed request", reason 1.
 */
#define VIOL_GHCB_UNREGISTERED	12
/*
 * An SNP guest accessed a private page as shared memory, or a shared page or a
 * device as private memory.  The run terminates.  If HOOK_EXPECT announced the
 * violation and the guest accessed RAM, the hypervisor changes the page from private
 * to shared or the reverse instead.
 */
#define VIOL_RMP_MISMATCH	13
/*
 * An SNP guest validated a page that is validated already.  PVALIDATE sets CF.
 * A guest that does not look at CF would not notice that the host has replaced
 * the page since the guest first validated it.
 */
#define VIOL_DOUBLE_VALIDATION	14
/*
 * An SNP guest rescinded the validation of a page that is not validated, such as
 * one that it has made shared before.  PVALIDATE sets CF.
 */
#define VIOL_LATE_RESCIND	15
/*
 * An SNP guest made a page shared without rescinding its validation before.  The
 * page becomes shared, and is not validated.
 */
#define VIOL_NOT_RESCINDED	16
/*
 * An SNP guest executed PVALIDATE, RMPADJUST or RMPQUERY at a linear address that is
 * mapped with C=0.  The instruction works as with C=1.
 */
#define VIOL_PVALIDATE_C0	17
/*
 * An operand of PVALIDATE or RMPADJUST is malformed: the address of a 2 MiB page is
 * not aligned, the VMPL or right does not exist, or RMPADJUST would give the right to
 * write without the right to read.  EAX is 1, FAIL_INPUT.
 */
#define VIOL_RMP_INPUT		18
/*
 * The guest accessed a page to which its VMPL does not have the right, or wrote to
 * a VMSA page.  The run terminates, even if HOOK_EXPECT announced the violation.
 */
#define VIOL_VMPL_RIGHTS	19
/*
 * The header of the guest's page state request is malformed.  The hypervisor
 * replies "bad header": 1 in the high half and 1 in the low half of sw_exit_info_2.
 */
#define VIOL_PSC_HEADER		20
/*
 * An entry of the guest's page state request is malformed.  The hypervisor replies
 * "bad entry": 1 in the high half and 2 in the low half of sw_exit_info_2.
 */
#define VIOL_PSC_ENTRY		21
/*
 * The guest broke the SVSM's calling convention: no SVSM is there, or the calling
 * area is not usable.  The hypervisor answers with an error.
 */
#define VIOL_SVSM_CALL		22

/*
 * The I/O port of QEMU's debug-exit device.  A write of any size by the guest
 * terminates sevemu.  Its exit status is 0 for PASS, 1 for FAIL and 15 for any
 * other value.
 */
#define DEBUG_EXIT_PORT		0xf4
#define DEBUG_EXIT_PASS		0x10
#define DEBUG_EXIT_FAIL		0x11

#endif
