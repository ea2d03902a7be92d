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
#define GHCB_MSR_AP_RESET_RESP	0x007
#define GHCB_MSR_PREF_GPA_REQ	0x010
#define GHCB_MSR_PREF_GPA_RESP	0x011
#define GHCB_MSR_REG_GPA_REQ	0x012
#define GHCB_MSR_REG_GPA_RESP	0x013
#define GHCB_MSR_PSC_REQ	0x014
#define GHCB_MSR_PSC_RESP	0x015
#define GHCB_MSR_VMPL_REQ	0x016
#define GHCB_MSR_VMPL_RESP	0x017
#define GHCB_MSR_HV_FT_REQ	0x080
#define GHCB_MSR_HV_FT_RESP	0x081
#define GHCB_MSR_TERM_REQ	0x100

/* Bits 63:12 of GHCB_MSR_PREF_GPA_RESP: the hypervisor has no preference. */
#define GHCB_PREF_GPA_NONE	(~0ull << 12)
/* Fields of GHCB_MSR_PSC_REQ, and the error bit of its response that KVM sets. */
#define GHCB_PSC_GPA		0x000ffffffffff000
#define GHCB_PSC_OP_SHIFT	52
#define GHCB_PSC_OP_MASK	0xf
#define GHCB_PSC_RESERVED	0xff00000000000000
#define GHCB_PSC_ERROR		(1ull << 63)
/* Fields of GHCB_MSR_VMPL_REQ: the VMPL to run; bits 31:12 are reserved. */
#define GHCB_VMPL_SHIFT		32
/* Bits of the hypervisor's features (GHCB 2.3.1, HV Feature Support). */
#define GHCB_FEATURE_SNP	0x01
#define GHCB_FEATURE_AP_CREATION 0x02
#define GHCB_FEATURE_MULTI_VMPL	0x20

/*
 * The answer to AP reset hold when a SIPI has come: bits 63:12 of the MSR's response, or
 * sw_exit_info_2.  Any number but 0 says that a SIPI has come (GHCB 4.3).
 */
#define GHCB_AP_STARTED		1ull

/* The lowest version of the GHCB protocol that sevemu's hypervisor supports. */
#define GHCB_PROTOCOL_MIN	1
/* The only version of the GHCB protocol that an SNP guest may use. */
#define GHCB_PROTOCOL_SNP	2

/* Values of the GHCB field sw_exit_code that are not SVM exit codes (GHCB 4.1). */
#define GHCB_EXIT_MMIO_READ	0x80000001
#define GHCB_EXIT_MMIO_WRITE	0x80000002
#define GHCB_EXIT_NMI_COMPLETE	0x80000003
#define GHCB_EXIT_AP_RESET_HOLD	0x80000004
#define GHCB_EXIT_AP_JUMP_TABLE	0x80000005
#define GHCB_EXIT_PAGE_STATE	0x80000010
#define GHCB_EXIT_GUEST_REQUEST	0x80000011
#define GHCB_EXIT_EXT_GUEST_REQUEST 0x80000012
#define GHCB_EXIT_AP_CREATION	0x80000013
/* Operations of the request AP creation, in bits 15:0 of sw_exit_info_1. */
#define GHCB_AP_CREATE_ON_INIT	0
#define GHCB_AP_CREATE		1
#define GHCB_AP_DESTROY		2
#define GHCB_EXIT_APIC_IDS	0x80000017
#define GHCB_EXIT_RUN_VMPL	0x80000018
#define GHCB_EXIT_HV_FEATURES	0x8000fffd
#define GHCB_EXIT_TERMINATE	0x8000fffe
#define GHCB_EXIT_UNSUPPORTED	0x8000ffff

/*
 * GHCB_REPLY_*: values of sw_exit_info_1, bits 31:0, in the hypervisor's reply
 * by the GHCB page (GHCB 4.1).  GHCB_ERR_*: the reasons in sw_exit_info_2 of a
 * reply with GHCB_REPLY_MALFORMED.
 */
#define GHCB_REPLY_DONE		0
#define GHCB_REPLY_EXCEPTION	1
#define GHCB_REPLY_MALFORMED	2
#define GHCB_ERR_NOT_REGISTERED	1
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
 * The GHCB page (GHCB, table "GHCB Layout").  The comment after each field is
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
 * Guest-physical address of the AP jump table, one for all processors of the guest.  The
 * guest sets the address by a request (GHCB 4.1); 0: not set.
 */
extern u64 jump_table;

/*
 * The hypervisor's reply to a request by the GHCB page: the values of
 * sw_exit_info_1, sw_exit_info_2 and RAX to RDX that ghcb.c copies to the page.
 */
struct ghcb_reply {
	u64 info_1, info_2;
	u64 rax, rbx, rcx, rdx;
	/* Whether the guest gets #GP after its VMGEXIT. */
	bool inject_gp;
};

/*
 * Reports that the guest's request by the GHCB page violates the ABI, @code
 * (VIOL_* of hooks.h).  Sets *@reply to "malformed request" with reason @error,
 * GHCB_ERR_* (GHCB 4.1).  @g is a copy of the page.
 */
void ghcb_malformed(struct vcpu *vcpu, const struct ghcb *g, struct ghcb_reply *reply,
		    unsigned int code, u64 error);

/*
 * Returns the hypervisor's address of the @len bytes at the guest-physical
 * address in sw_scratch of @g, a copy of the GHCB page @page at @gpa.  Returns NULL
 * if they are not all inside the page's shared buffer.
 */
u8 *ghcb_scratch(struct ghcb *page, const struct ghcb *g, u64 gpa, u64 len);

/*
 * Returns the lowest version of the GHCB protocol that the hypervisor offers to
 * this guest.  An SNP guest has to use version 2.
 */
unsigned int ghcb_lowest_version(void);

/*
 * Answers the AP reset hold that @vcpu has asked for, because a SIPI has come.  ap.c calls
 * it while @vcpu is stopped.
 */
void ghcb_end_hold(struct vcpu *vcpu);

/*
 * Handles VMGEXIT of an SEV-ES guest (APM2 15.35.6).  If bits 11:0 of the GHCB
 * MSR of @vcpu are 0, the MSR has the guest-physical address of a GHCB page
 * with a request; otherwise the MSR itself is the request.  The caller moves
 * RIP after VMGEXIT.  A malformed request is reported as a violation of the
 * ABI and answered as GHCB 4.1 says.  A termination request terminates the run.
 * Returns whether the caller must inject #GP, with error code 0, after it has
 * moved RIP.
 */
bool vmgexit(struct vcpu *vcpu);

#endif
