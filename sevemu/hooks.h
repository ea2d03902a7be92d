/* SPDX-License-Identifier: MIT */
/*
 * Test services that sevemu offers to its guest when it is started with
 * --test-hooks, and what a guest's end means to the wrapper.  For C and
 * assembly: plain numbers only.
 *
 * A guest calls a hook with a plain VMMCALL (0F 01 D9, no prefix), in any
 * CPU mode and at any privilege level, with
 *
 *	EAX = HOOK_MAGIC	ECX = HOOK_...		RDX, RSI = arguments
 *
 * and finds the result in RAX; no other register changes.  (32-bit code sees
 * the low halves.)  With --test-hooks such a VMMCALL never becomes a #VC and
 * touches no counter, no GHCB and no page; without the option, or with
 * another EAX, VMMCALL is what it always is.  An unknown function returns
 * HOOK_ERROR.
 */
#ifndef SEVEMU_HOOKS_H
#define SEVEMU_HOOKS_H

#define HOOK_MAGIC		0x53455645	/* "EVES" in memory */
#define HOOK_ERROR		0xffffffff	/* zero-extended in RAX */
#define HOOK_API		1		/* what HOOK_VERSION returns */

/* Functions: arguments -> RAX */
#define HOOK_VERSION		0	/* () -> HOOK_API */
#define HOOK_CONFIG		1	/* () -> HOOK_CONFIG_* fields */
#define HOOK_COUNT		2	/* (HOOK_COUNT_*) -> its value so far */
#define HOOK_FRAME_STATE	3	/* (gpa without C-bit) -> HOOK_FRAME_* */
#define HOOK_FRAME_READ		4	/* (gpa, 8-aligned) -> the 8 bytes that the
					 * host sees there: ciphertext if the frame
					 * is private; its state does not change */
#define HOOK_NMI		5	/* () -> 0; one NMI becomes pending */
#define HOOK_INTERCEPT		6	/* (mask of HOOK_INTERCEPT_*) -> old mask */
#define HOOK_INJECT		7	/* (vector, error code) -> 0; the exception is
					 * delivered before the next instruction, as a
					 * host that attacks would inject it.  Vectors
					 * with an error code: 8, 10-14, 17, 21, 29, 30 */
#define HOOK_VIOLATION		8	/* () -> last VIOL_* since the last call */
#define HOOK_EXPECT		9	/* (VIOL_*) -> 0; the next violation, if it is
					 * this one, does not end a --strict run and is
					 * not reported, but HOOK_VIOLATION gives it.
					 * VIOL_NONE takes the expectation back */
#define HOOK_MARK		10	/* () -> 0; what --marker does, here and now */
#define HOOK_NMI_STATE		11	/* () -> bit 0 pending, bit 1 masked */

/* HOOK_CONFIG */
#define HOOK_CONFIG_SEV_SHIFT	0	/* 2 bits: 0 off, 1 sev, 2 es */
#define HOOK_CONFIG_MAX_SHIFT	4	/* 4 bits: --ghcb-max */
#define HOOK_CONFIG_CBIT_SHIFT	8	/* 8 bits: --cbit */
#define HOOK_CONFIG_STRICT	0x10000
#define HOOK_CONFIG_LA57	0x20000
#define HOOK_CONFIG_RDTSC	0x40000

/* HOOK_COUNT */
#define HOOK_COUNT_VC		0	/* #VC exceptions delivered */
#define HOOK_COUNT_VMGEXIT	1	/* VMGEXITs, both protocols */
#define HOOK_COUNT_TO_SHARED	2	/* frames that turned shared */
#define HOOK_COUNT_TO_PRIVATE	3	/* frames that turned private */
#define HOOK_COUNT_NOTES	4	/* frames walked or executed with C=0 */
#define HOOK_COUNT_VIOLATIONS	5	/* violations, expected ones included */
#define HOOK_COUNT_NMI		6	/* NMIs injected */

/* HOOK_FRAME_STATE */
#define HOOK_FRAME_NONE		0	/* not RAM of this guest */
#define HOOK_FRAME_PRIVATE	1
#define HOOK_FRAME_SHARED	2
#define HOOK_FRAME_NOTED	3	/* private, but was walked or executed with
					 * C=0: shows plaintext in both views */

/* HOOK_INTERCEPT: what else becomes a #VC from now on */
#define HOOK_INTERCEPT_DB	1	/* #DB, error code 0x41 */
#define HOOK_INTERCEPT_AC	2	/* #AC, error code 0x51 */
#define HOOK_INTERCEPT_RDTSC	4	/* RDTSC and RDTSCP, as with --rdtsc */

/*
 * Violations of the ABI.  The names in messages and in the report are these in
 * lower case with '-' for '_'.  After the colon: what the guest gets.
 */
#define VIOL_NONE		0
#define VIOL_MSR_REQUEST	1	/* unknown MSR request (an unaligned GHCB
					 * address is one): MSR stays as it was */
#define VIOL_GHCB_ADDRESS	2	/* GHCB not in RAM: the run ends, always */
#define VIOL_GHCB_PRIVATE	3	/* GHCB not shared: the host reads ciphertext
					 * and goes on with that */
#define VIOL_GHCB_VERSION	4	/* protocol version outside the offered ones:
					 * answered all the same */
#define VIOL_USAGE		5	/* usage not 0: info_1 2, info_2 2 */
#define VIOL_SCRATCH		6	/* scratch outside the shared buffer: 2, 3 */
#define VIOL_MISSING_INPUT	7	/* a field's valid bit is clear: 2, 4 */
#define VIOL_INVALID_INPUT	8	/* a field's value makes no sense: 2, 5 */
#define VIOL_INVALID_EVENT	9	/* unknown exit code: 2, 6 */
#define VIOL_NOT_SNP		10	/* MSR request 0x010, 0x012, 0x014: the run
					 * ends; if expected, MSR stays as it was */
#define VIOL_UNSUPPORTED_EVENT	11	/* guest sent 0x8000ffff: the run ends; if
					 * expected, 0, 0 */

/*
 * Port of the machine's debug-exit device, any size: ends the run.  The
 * wrapper's exit status is 0 for PASS, 1 for FAIL, 15 for any other value.
 */
#define DEBUG_EXIT_PORT		0xf4
#define DEBUG_EXIT_PASS		0x10
#define DEBUG_EXIT_FAIL		0x11

#endif
