/* SPDX-License-Identifier: MIT */
/*
 * ghcb.h - the guest-hypervisor communication block (GHCB), the GHCB MSR
 * protocol, and VMGEXIT (ghcb.c).
 *
 * "GHCB n.m" cites section n.m of AMD publication 56421.  The numbers here are
 * transcribed from it independently of the stub's header, and
 * tests/unit/test_abi compares the two headers.  With one common header, stub
 * and hypervisor would agree on a wrong number, and no test would find it.
 */
#ifndef SEVEMU_GHCB_H
#define SEVEMU_GHCB_H

#include "x86.h"

/*
 * Codes of the GHCB MSR protocol's requests (_REQ) and responses (_RESP), which
 * are in bits 11:0 of the GHCB MSR (GHCB 2.3.1).
 */
#define GHCB_MSR_INFO_MASK	0xfff
#define GHCB_MSR_SEV_INFO_RESP	0x001
#define GHCB_MSR_SEV_INFO_REQ	0x002
#define GHCB_MSR_CPUID_REQ	0x004
#define GHCB_MSR_CPUID_RESP	0x005
/*
 * Bits 31:30 of the GHCB MSR's CPUID request: the register whose value the
 * guest asks for, 0 EAX, 1 EBX, 2 ECX, 3 EDX.
 */
#define GHCB_CPUID_REGISTER	0xc0000000
#define GHCB_MSR_AP_RESET_REQ	0x006
#define GHCB_MSR_PREF_GPA_REQ	0x010
#define GHCB_MSR_REG_GPA_REQ	0x012
#define GHCB_MSR_PSC_REQ	0x014
#define GHCB_MSR_VMPL_REQ	0x016
#define GHCB_MSR_HV_FT_REQ	0x080
#define GHCB_MSR_HV_FT_RESP	0x081
#define GHCB_MSR_TERM_REQ	0x100

/* The lowest version of the GHCB protocol that sevemu's hypervisor supports. */
#define GHCB_PROTOCOL_MIN	1

/* Values of the GHCB field sw_exit_code that are not SVM exit codes (GHCB 4.1). */
#define GHCB_EXIT_MMIO_READ	0x80000001
#define GHCB_EXIT_MMIO_WRITE	0x80000002
#define GHCB_EXIT_NMI_COMPLETE	0x80000003
#define GHCB_EXIT_AP_RESET_HOLD	0x80000004
#define GHCB_EXIT_AP_JUMP_TABLE	0x80000005
#define GHCB_EXIT_HV_FEATURES	0x8000fffd
#define GHCB_EXIT_UNSUPPORTED	0x8000ffff

/*
 * GHCB_REPLY_*: values of sw_exit_info_1, bits 31:0, in the hypervisor's reply
 * by the GHCB page (GHCB 4.1).  GHCB_ERR_*: the reasons in sw_exit_info_2 of a
 * reply with GHCB_REPLY_MALFORMED.
 */
#define GHCB_REPLY_DONE		0
#define GHCB_REPLY_EXCEPTION	1
#define GHCB_REPLY_MALFORMED	2
#define GHCB_ERR_USAGE		2
#define GHCB_ERR_SCRATCH	3
#define GHCB_ERR_MISSING_INPUT	4
#define GHCB_ERR_INVALID_INPUT	5
#define GHCB_ERR_INVALID_EVENT	6

/*
 * Size in bytes of the GHCB page's shared buffer.  sw_scratch must point into
 * this buffer.
 */
#define GHCB_SHARED_SIZE	0x7f0

/*
 * The GHCB page (GHCB, table "GHCB Layout").  The comment behind each field is
 * its offset in the page.  The guest fills in a request, the hypervisor the
 * reply.  Bit n of valid_bitmap says that the quadword at offset 8 * n has been
 * filled in.
 */
struct ghcb {
	u8 reserved_000[0x0cb];		/* 0x000 */
	u8 cpl;				/* 0x0cb */
	u8 reserved_0cc[0x74];		/* 0x0cc */
	u64 xss;			/* 0x140 */
	u8 reserved_148[0x18];		/* 0x148 */
	u64 dr7;			/* 0x160 */
	u8 reserved_168[0x10];		/* 0x168 */
	u64 rip;			/* 0x178 */
	u8 reserved_180[0x58];		/* 0x180 */
	u64 rsp;			/* 0x1d8 */
	u8 reserved_1e0[0x18];		/* 0x1e0 */
	u64 rax;			/* 0x1f8 */
	u8 reserved_200[0x108];		/* 0x200 */
	u64 rcx;			/* 0x308 */
	u64 rdx;			/* 0x310 */
	u64 rbx;			/* 0x318 */
	u64 reserved_320;		/* 0x320 */
	u64 rbp;			/* 0x328 */
	u64 rsi;			/* 0x330 */
	u64 rdi;			/* 0x338 */
	u64 r8_r15[8];			/* 0x340 */
	u8 reserved_380[0x10];		/* 0x380 */
	u64 sw_exit_code;		/* 0x390 */
	u64 sw_exit_info_1;		/* 0x398 */
	u64 sw_exit_info_2;		/* 0x3a0 */
	u64 sw_scratch;			/* 0x3a8 */
	u8 reserved_3b0[0x38];		/* 0x3b0 */
	u64 xcr0;			/* 0x3e8 */
	u8 valid_bitmap[16];		/* 0x3f0 */
	u64 x87_state_gpa;		/* 0x400 */
	u8 reserved_408[0x3f8];		/* 0x408 */
	u8 shared_buffer[GHCB_SHARED_SIZE]; /* 0x800 */
	u8 reserved_ff0[10];		/* 0xff0 */
	u16 protocol_version;		/* 0xffa */
	u32 ghcb_usage;			/* 0xffc */
} __attribute__((packed, aligned(4096)));

#define GHCB_AT(field, offset) \
	_Static_assert(offsetof(struct ghcb, field) == (offset), #field)
GHCB_AT(cpl, 0x0cb);
GHCB_AT(xss, 0x140);
GHCB_AT(dr7, 0x160);
GHCB_AT(rip, 0x178);
GHCB_AT(rsp, 0x1d8);
GHCB_AT(rax, 0x1f8);
GHCB_AT(rcx, 0x308);
GHCB_AT(rbp, 0x328);
GHCB_AT(r8_r15, 0x340);
GHCB_AT(sw_exit_code, 0x390);
GHCB_AT(sw_scratch, 0x3a8);
GHCB_AT(xcr0, 0x3e8);
GHCB_AT(valid_bitmap, 0x3f0);
GHCB_AT(x87_state_gpa, 0x400);
GHCB_AT(shared_buffer, 0x800);
GHCB_AT(protocol_version, 0xffa);
GHCB_AT(ghcb_usage, 0xffc);
_Static_assert(sizeof(struct ghcb) == 4096, "a GHCB is one page");

struct vcpu;

/*
 * Handles VMGEXIT of an SEV-ES guest (APM2 15.35.6).  If bits 11:0 of the GHCB
 * MSR of @vcpu are 0, the MSR has the guest-physical address of a GHCB page
 * with a request; otherwise the MSR itself is the request.  The caller moves
 * RIP behind VMGEXIT.  A malformed request is reported as a violation of the
 * ABI and answered as GHCB 4.1 says.  A termination request terminates the run.
 * Returns whether the caller must inject #GP, with error code 0, after it has
 * moved RIP.
 */
bool vmgexit(struct vcpu *vcpu);

#endif
