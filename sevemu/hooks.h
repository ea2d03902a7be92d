/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - services that sevemu offers to a test guest with --test-hooks, the
 * names of ABI violations, and the debug-exit port.  For C and assembly: plain
 * numbers only.
 *
 * A guest calls a hook by VMMCALL without prefix (0F 01 D9), in any CPU mode and
 * at any privilege level, with
 *
 *	EAX = HOOK_MAGIC	ECX = HOOK_...		RDX, RSI = arguments
 *
 * and gets the result in RAX.  No other register changes.  32-bit code passes and
 * gets the low halves.  A hook call raises no #VC, is not counted, and changes
 * the view of no page.  Without --test-hooks or without HOOK_MAGIC in EAX, VMMCALL
 * is an ordinary one.  An unknown function returns HOOK_ERROR.
 */
#ifndef SEVEMU_HOOKS_H
#define SEVEMU_HOOKS_H

#define HOOK_MAGIC		0x53455645	/* "EVES" in memory */
#define HOOK_ERROR		0xffffffff	/* zero-extended in RAX */
#define HOOK_API		1		/* what HOOK_VERSION returns */

/*
 * Functions, in ECX.  Each comment has the arguments in RDX and RSI, and the
 * result in RAX.
 */
#define HOOK_VERSION		0	/* () -> HOOK_API */
#define HOOK_CONFIG		1	/* () -> HOOK_CONFIG_* fields */
#define HOOK_COUNT		2	/* (HOOK_COUNT_*) -> its value so far */
#define HOOK_FRAME_STATE	3	/* (gpa without C-bit) -> HOOK_FRAME_* */
#define HOOK_FRAME_READ		4	/* (gpa, multiple of 8) -> the 8 bytes that the
					 * host sees there, ciphertext if the frame
					 * is private; its state does not change */
#define HOOK_NMI		5	/* () -> 0; one NMI becomes pending */
#define HOOK_INTERCEPT		6	/* (mask of HOOK_INTERCEPT_*) -> old mask */
#define HOOK_INJECT		7	/* (vector 0 to 31, error code) -> 0; delivers the
					 * exception before the next instruction.  Only
					 * vectors 8, 10 to 14, 17, 21, 29 and 30 push
					 * the error code */
#define HOOK_VIOLATION		8	/* () -> last VIOL_* since the last such call */
#define HOOK_EXPECT		9	/* (VIOL_*) -> 0; announces the next violation.
					 * If it is this one it is not reported and
					 * does not end a --strict run; HOOK_VIOLATION
					 * returns it.  VIOL_NONE withdraws this */
#define HOOK_MARK		10	/* () -> 0; takes the figures of --marker now */
#define HOOK_NMI_STATE		11	/* () -> bit 0 pending, bit 1 masked */

/* Fields of HOOK_CONFIG's result: the wrapper's options. */
#define HOOK_CONFIG_SEV_SHIFT	0	/* 2 bits: 0 off, 1 sev, 2 es */
#define HOOK_CONFIG_MAX_SHIFT	4	/* 4 bits: --ghcb-max */
#define HOOK_CONFIG_CBIT_SHIFT	8	/* 8 bits: --cbit */
#define HOOK_CONFIG_STRICT	0x10000
#define HOOK_CONFIG_LA57	0x20000
#define HOOK_CONFIG_RDTSC	0x40000

/* Arguments of HOOK_COUNT; each counts from the start of the guest. */
#define HOOK_COUNT_VC		0	/* #VC exceptions delivered */
#define HOOK_COUNT_VMGEXIT	1	/* VMGEXITs, by MSR and by page */
#define HOOK_COUNT_TO_SHARED	2	/* frames that turned shared */
#define HOOK_COUNT_TO_PRIVATE	3	/* frames that turned private */
#define HOOK_COUNT_NOTES	4	/* private frames walked or executed with C=0 */
#define HOOK_COUNT_VIOLATIONS	5	/* violations, announced ones included */
#define HOOK_COUNT_NMI		6	/* NMIs injected */

/* Results of HOOK_FRAME_STATE. */
#define HOOK_FRAME_NONE		0	/* not RAM of this guest */
#define HOOK_FRAME_PRIVATE	1
#define HOOK_FRAME_SHARED	2
#define HOOK_FRAME_NOTED	3	/* private, but was walked or executed with
					 * C=0: shows plaintext in both views */

/* Bits of HOOK_INTERCEPT: what raises #VC from now on, besides the usual. */
#define HOOK_INTERCEPT_DB	1	/* #DB, error code 0x41 */
#define HOOK_INTERCEPT_AC	2	/* #AC, error code 0x51 */
#define HOOK_INTERCEPT_RDTSC	4	/* RDTSC and RDTSCP, as with --rdtsc */

/*
 * Violations of the ABI.  Messages and the report name them in lower case with
 * '-' for '_'.  Each comment has the cause and then the guest's answer; "reply
 * 2, n" is sw_exit_info_1 and sw_exit_info_2 of a malformed request (GHCB 4.1).
 */
#define VIOL_NONE		0
#define VIOL_MSR_REQUEST	1	/* unknown MSR request, such as an unaligned
					 * GHCB address: MSR stays as it was */
#define VIOL_GHCB_ADDRESS	2	/* GHCB not in RAM: ends the run, strict or not */
#define VIOL_GHCB_PRIVATE	3	/* GHCB not shared: the host reads ciphertext
					 * and takes that for the request */
#define VIOL_GHCB_VERSION	4	/* protocol version outside the offered range:
					 * is answered nevertheless */
#define VIOL_USAGE		5	/* usage not 0: reply 2, 2 */
#define VIOL_SCRATCH		6	/* scratch outside the shared buffer: reply 2, 3 */
#define VIOL_MISSING_INPUT	7	/* a field's valid bit is clear: reply 2, 4 */
#define VIOL_INVALID_INPUT	8	/* a field's value is not allowed: reply 2, 5 */
#define VIOL_INVALID_EVENT	9	/* unknown exit code: reply 2, 6 */
#define VIOL_NOT_SNP		10	/* MSR request 0x010, 0x012 or 0x014 of a guest
					 * without SNP: ends the run; if announced,
					 * MSR stays as it was */
#define VIOL_UNSUPPORTED_EVENT	11	/* guest sent 0x8000ffff: ends the run; if
					 * announced, reply 0, 0 */

/*
 * Port of the machine's debug-exit device.  A write of any size ends the run.  The
 * wrapper's exit status is 0 for PASS, 1 for FAIL and 15 for any other value.
 */
#define DEBUG_EXIT_PORT		0xf4
#define DEBUG_EXIT_PASS		0x10
#define DEBUG_EXIT_FAIL		0x11

#endif
