/* SPDX-License-Identifier: MIT */
/*
 * sev.h - what a guest and its hypervisor say to each other under SEV-ES: the
 * two MSRs, the MSR protocol, the GHCB page and the reasons for termination.
 * For C and assembly.
 *
 * Names are those of the GHCB specification (publication 56421, revision 2.04;
 * cited "GHCB 4.1") and of AMD's manual (24593, cited "APM2 15.35"). Exit codes
 * come from the kernel's UAPI header where it has them. Nothing in this file
 * is to be trusted as an answer: it only says where an answer would be.
 */
#ifndef SEV_H
#define SEV_H

#include <linux/const.h>
#include <asm/svm.h>

/* -- MSRs (APM2 15.34.10, 15.35.7). Accessing either never raises #VC. */
#define MSR_GHCB			0xc0010130
#define MSR_SEV_STATUS			0xc0010131

#define SEV_STATUS_SEV_BIT		0
#define SEV_STATUS_SEV_ES_BIT		1
#define SEV_STATUS_SNP_BIT		2
#define SEV_STATUS_DEBUG_SWAP_BIT	7
#define SEV_STATUS_SEV			(_AC(1, ULL) << SEV_STATUS_SEV_BIT)
#define SEV_STATUS_SEV_ES		(_AC(1, ULL) << SEV_STATUS_SEV_ES_BIT)
#define SEV_STATUS_SNP			(_AC(1, ULL) << SEV_STATUS_SNP_BIT)
/* The processor swaps the debug registers: DR7 is then not intercepted, which
 * asks nothing of a guest. Every other bit changes what a guest must do. */
#define SEV_STATUS_DEBUG_SWAP		(_AC(1, ULL) << SEV_STATUS_DEBUG_SWAP_BIT)
#define SEV_STATUS_KNOWN		(SEV_STATUS_SEV | SEV_STATUS_SEV_ES | \
					 SEV_STATUS_SNP | SEV_STATUS_DEBUG_SWAP)

/* -- CPUID leaf 0x8000001f (APM3 E.4.17). */
#define CPUID_SEV_EAX_SEV_BIT		1
#define CPUID_SEV_EAX_SEV_ES_BIT	3
#define CPUID_SEV_EAX_SNP_BIT		4
#define CPUID_SEV_EBX_CBIT_MASK		0x3f	/* EBX 5:0: C-bit position */
#define CPUID_SEV_EBX_REDUCTION_SHIFT	6	/* EBX 11:6: address bits lost */
#define CPUID_SEV_EBX_REDUCTION_MASK	0x3f

/*
 * Where a C-bit can be: above the 4 GiB that a 32-bit entry must be able to
 * reach, and inside the 52 bits of address that a page-table entry has.
 */
#define CBIT_MIN			32
#define CBIT_MAX			51

/* -- VMGEXIT is REP VMMCALL (APM2 15.35.6); old assemblers lack its name. */
#ifdef __ASSEMBLER__
#define VMGEXIT				rep; vmmcall

/*
 * First in a handler of 64-bit gates in a table that the processor also reads as
 * one of 32-bit gates: there an injected exception finds a 64-bit CS, which
 * legacy mode takes for a 16-bit one. The immediate of 66 A9, TEST, has two bytes
 * but in 16-bit code four, so that only there the jump is none. What comes
 * instead asks for the guest's end.
 */
#define NOT_IN_16BIT_CODE						\
	.byte	0x66, 0xa9, 0, 0;					\
	jmp	2f;							\
	.code16;							\
	movl	$GHCB_MSR_TERM(SEV_TERM_SET_SEVSTUB, SEVSTUB_TERM_EXCEPTION), %eax; \
	xorl	%edx, %edx;						\
	movl	$MSR_GHCB, %ecx;					\
1:	wrmsr;								\
	VMGEXIT;							\
	jmp	1b;							\
2:
#endif

/*
 * -- The GHCB MSR protocol (GHCB 2.3.1): the low 12 bits of the MSR say what
 * it holds; a request is answered by the response with its own code. A
 * hypervisor that does not know a request leaves the MSR as it was.
 */
#define GHCB_MSR_INFO_BITS		12
#define GHCB_MSR_INFO_MASK		0xfff
#define GHCB_MSR_GPA_REQ		0x000	/* 63:12: address of the page */

#define GHCB_MSR_SEV_INFO_RESP		0x001	/* also what it holds at first */
#define GHCB_MSR_SEV_INFO_REQ		0x002
#define GHCB_MSR_INFO_MAX_SHIFT		48	/* 63:48: highest version */
#define GHCB_MSR_INFO_MIN_SHIFT		32	/* 47:32: lowest version */
#define GHCB_MSR_INFO_VERSION_MASK	0xffff
#define GHCB_MSR_INFO_CBIT_SHIFT	24	/* 31:24: C-bit position */
#define GHCB_MSR_INFO_CBIT_MASK		0xff

#define GHCB_MSR_CPUID_REQ		0x004	/* of sub-leaf 0, always */
#define GHCB_MSR_CPUID_RESP		0x005
#define GHCB_MSR_CPUID_VALUE_SHIFT	32	/* 63:32: function, then value */
#define GHCB_MSR_CPUID_REG_SHIFT	30	/* 31:30: which register */
#define GHCB_MSR_CPUID_REG_MASK		0x3
#define GHCB_MSR_CPUID_EAX		0
#define GHCB_MSR_CPUID_EBX		1
#define GHCB_MSR_CPUID_ECX		2
#define GHCB_MSR_CPUID_EDX		3

#define GHCB_MSR_AP_RESET_HOLD_REQ	0x006
#define GHCB_MSR_AP_RESET_HOLD_RESP	0x007

/* SNP only. KVM ends any other guest that sends one of these. */
#define GHCB_MSR_PREF_GPA_REQ		0x010
#define GHCB_MSR_PREF_GPA_RESP		0x011
#define GHCB_MSR_REG_GPA_REQ		0x012
#define GHCB_MSR_REG_GPA_RESP		0x013
#define GHCB_MSR_PSC_REQ		0x014
#define GHCB_MSR_PSC_RESP		0x015
#define GHCB_MSR_VMPL_REQ		0x016
#define GHCB_MSR_VMPL_RESP		0x017

/* Protocol version 2. */
#define GHCB_MSR_HV_FEATURES_REQ	0x080
#define GHCB_MSR_HV_FEATURES_RESP	0x081
#define GHCB_MSR_HV_FEATURES_SHIFT	12	/* 63:12: the features */

#define GHCB_MSR_TERM_REQ		0x100	/* is not answered */
#define GHCB_MSR_TERM_SET_SHIFT		12	/* 15:12: reason set */
#define GHCB_MSR_TERM_SET_MASK		0xf
#define GHCB_MSR_TERM_CODE_SHIFT	16	/* 23:16: reason code */
#define GHCB_MSR_TERM_CODE_MASK		0xff
#define GHCB_MSR_TERM(set, code)					\
	(GHCB_MSR_TERM_REQ | (set) << GHCB_MSR_TERM_SET_SHIFT |		\
	 (code) << GHCB_MSR_TERM_CODE_SHIFT)

/* The protocol versions that this guest speaks. */
#define GHCB_VERSION_MIN		1
#define GHCB_VERSION_MAX		2

/* -- Termination reasons. Set 0 is the specification's (GHCB 4.1.4). */
#define SEV_TERM_SET_GHCB		0
#define GHCB_TERM_GENERAL		0
#define GHCB_TERM_PROTOCOL_VERSION	1	/* none in common */
#define GHCB_TERM_SNP_FEATURES		2	/* the guest cannot use SNP */

/* Set 1 is Linux's. Set 2 is ours; docs/messages.md lists it. */
#define SEV_TERM_SET_SEVSTUB		2
/* error(): the boot failed for a reason that the console was told. */
#define SEVSTUB_TERM_GENERAL		0
/* What was written through one mapping did not read back through the other:
 * the C-bit is not where the hypervisor said. */
#define SEVSTUB_TERM_CBIT_PROOF		1
/* CPUID, the SEV-information reply and the entry's page tables disagree. */
#define SEVSTUB_TERM_CBIT_MISMATCH	2
/* The C-bit is outside CBIT_MIN..CBIT_MAX. */
#define SEVSTUB_TERM_CBIT_RANGE		3
/* SEV_STATUS says that we are a guest of a kind that CPUID denies. */
#define SEVSTUB_TERM_CPUID_STATUS	4
/* SEV_STATUS has a feature that changes rules which this stub keeps. */
#define SEVSTUB_TERM_STATUS_BITS	5
/* The exit code does not belong to the instruction at RIP. */
#define SEVSTUB_TERM_OPCODE		6
/* An instruction that the decoder does not know, or more than 15 bytes. */
#define SEVSTUB_TERM_DECODE		7
/* The response code of the MSR protocol, sw_exit_info_1, or a valid bit that
 * the exit must set is not what the specification allows. */
#define SEVSTUB_TERM_REPLY		8
/* The hypervisor asked for an exception other than #GP and #UD. */
#define SEVSTUB_TERM_INJECTION		9
/* An exception while a #VC was being answered: the GHCB was in use. */
#define SEVSTUB_TERM_REENTRY		10
/* An exit code for which there is no handler. */
#define SEVSTUB_TERM_UNSUPPORTED	11
/* An exit that needs the GHCB page, before there was one. */
#define SEVSTUB_TERM_NO_GHCB		12
/* CPUID of a sub-leaf, which the MSR protocol cannot carry. */
#define SEVSTUB_TERM_CPUID_SUBLEAF	13
/* A nested page fault on a page that is mapped private: not a device. */
#define SEVSTUB_TERM_NPF_PRIVATE	14
/* A nested page fault on memory that the E820 map calls RAM. */
#define SEVSTUB_TERM_NPF_RAM		15
/* An exception that nothing in the stub raises. */
#define SEVSTUB_TERM_EXCEPTION		16
/* The GHCB page could not be made shared, or private again. */
#define SEVSTUB_TERM_GHCB_MAP		17
/* RDRAND fails, which every processor with SEV-ES has. */
#define SEVSTUB_TERM_CPU		18
#define SEVSTUB_TERM_REASONS		19	/* how many there are */

/*
 * -- sw_exit_code. asm/svm.h has all but these (GHCB 4.1). Its error codes
 * SVM_EXIT_NPF (MMIO), SVM_EXIT_EXCP_BASE + 1 (#DB) and + 17 (#AC) come as #VC
 * but have no request of their own.
 */
#define SVM_EXIT_EXCP_DB		(SVM_EXIT_EXCP_BASE + 1)
#define SVM_EXIT_EXCP_AC		(SVM_EXIT_EXCP_BASE + 17)

/* -- sw_exit_info_1 of SVM_EXIT_IOIO (APM2 15.10.2). */
#define SVM_IOIO_IN			(_AC(1, UL) << 0)
#define SVM_IOIO_STR			(_AC(1, UL) << 2)
#define SVM_IOIO_REP			(_AC(1, UL) << 3)
#define SVM_IOIO_SIZE_SHIFT		4
#define SVM_IOIO_SIZE8			(_AC(1, UL) << 4)
#define SVM_IOIO_SIZE16			(_AC(1, UL) << 5)
#define SVM_IOIO_SIZE32			(_AC(1, UL) << 6)
#define SVM_IOIO_ADDR_SHIFT		7
#define SVM_IOIO_ADDR16			(_AC(1, UL) << 7)
#define SVM_IOIO_ADDR32			(_AC(1, UL) << 8)
#define SVM_IOIO_ADDR64			(_AC(1, UL) << 9)
#define SVM_IOIO_SEG_SHIFT		10	/* 12:10: as in insn.h */
#define SVM_IOIO_PORT_SHIFT		16	/* 31:16 */

/* -- sw_exit_info_1 of SVM_EXIT_MSR. */
#define SVM_MSR_READ			0
#define SVM_MSR_WRITE			1

/* -- The hypervisor's answer in the low half of sw_exit_info_1 (GHCB 4.1). */
#define GHCB_RESULT_MASK		0xffffffff
#define GHCB_RESULT_DONE		0
#define GHCB_RESULT_EXCEPTION		1	/* info_2: event to raise */
#define GHCB_RESULT_MALFORMED		2	/* info_2: one of these: */
#define GHCB_ERR_NOT_REGISTERED		1
#define GHCB_ERR_INVALID_USAGE		2
#define GHCB_ERR_INVALID_SCRATCH_AREA	3
#define GHCB_ERR_MISSING_INPUT		4
#define GHCB_ERR_INVALID_INPUT		5
#define GHCB_ERR_INVALID_EVENT		6

/* -- sw_exit_info_2 of GHCB_RESULT_EXCEPTION: EVENTINJ (APM2 15.20). */
#define SVM_EVTINJ_VEC_MASK		0xff
#define SVM_EVTINJ_TYPE_SHIFT		8
#define SVM_EVTINJ_TYPE_MASK		(_AC(7, UL) << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_TYPE_EXEPT		(_AC(3, UL) << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_VALID_ERR		(_AC(1, UL) << 11)
#define SVM_EVTINJ_RESERVED		_AC(0x7ffff000, UL)	/* 30:12 */
#define SVM_EVTINJ_VALID		(_AC(1, UL) << 31)
#define SVM_EVTINJ_ERROR_SHIFT		32	/* 63:32: error code */

/* -- The GHCB page (GHCB 2.3.2). */
#define GHCB_SIZE			4096
#define GHCB_USAGE_STANDARD		0
#define GHCB_SHARED_BUFFER_OFFSET	0x800
#define GHCB_SHARED_BUFFER_SIZE		2032
#define GHCB_VALID_BITMAP_SIZE		16

/* -- struct sev_guest in misc.h, for head_64.S. */
#define SEV_GUEST_STATUS		0
#define SEV_GUEST_INFO			8
#define SEV_GUEST_CBIT			16
#define SEV_GUEST_KNOWN			20
#define SEV_GUEST_VC_SEEN		21

/* RDRAND may be out of numbers for a moment, not ten times in a row. */
#define RDRAND_TRIES			10

#ifndef __ASSEMBLER__

#include "types.h"

struct ghcb {
	u8 reserved_000[0xcb];
	u8 cpl;				/* 0x0cb */
	u8 reserved_0cc[0x140 - 0xcc];
	u64 xss;			/* 0x140 */
	u8 reserved_148[0x160 - 0x148];
	u64 dr7;			/* 0x160 */
	u8 reserved_168[0x178 - 0x168];
	u64 rip;			/* 0x178 */
	u8 reserved_180[0x1d8 - 0x180];
	u64 rsp;			/* 0x1d8 */
	u8 reserved_1e0[0x1f8 - 0x1e0];
	u64 rax;			/* 0x1f8 */
	u8 reserved_200[0x308 - 0x200];
	u64 rcx;			/* 0x308 */
	u64 rdx;			/* 0x310 */
	u64 rbx;			/* 0x318 */
	u64 reserved_320;
	u64 rbp;			/* 0x328 */
	u64 rsi;			/* 0x330 */
	u64 rdi;			/* 0x338 */
	u64 r8;				/* 0x340 */
	u64 r9;				/* 0x348 */
	u64 r10;			/* 0x350 */
	u64 r11;			/* 0x358 */
	u64 r12;			/* 0x360 */
	u64 r13;			/* 0x368 */
	u64 r14;			/* 0x370 */
	u64 r15;			/* 0x378 */
	u8 reserved_380[0x390 - 0x380];
	u64 sw_exit_code;		/* 0x390 */
	u64 sw_exit_info_1;		/* 0x398 */
	u64 sw_exit_info_2;		/* 0x3a0 */
	u64 sw_scratch;			/* 0x3a8 */
	u8 reserved_3b0[0x3e8 - 0x3b0];
	u64 xcr0;			/* 0x3e8 */
	/* Bit n says that the quadword at 8n means something. */
	u64 valid_bitmap[2];		/* 0x3f0 */
	u64 x87_state_gpa;		/* 0x400 */
	u8 reserved_408[0x800 - 0x408];
	u8 shared_buffer[GHCB_SHARED_BUFFER_SIZE];	/* 0x800 */
	u8 reserved_ff0[0xffa - 0xff0];
	u16 protocol_version;		/* 0xffa */
	u32 usage;			/* 0xffc */
};

BUILD_BUG_ON(sizeof(struct ghcb) != GHCB_SIZE);
BUILD_BUG_ON(offsetof(struct ghcb, cpl) != 0x0cb);
BUILD_BUG_ON(offsetof(struct ghcb, xss) != 0x140);
BUILD_BUG_ON(offsetof(struct ghcb, dr7) != 0x160);
BUILD_BUG_ON(offsetof(struct ghcb, rip) != 0x178);
BUILD_BUG_ON(offsetof(struct ghcb, rsp) != 0x1d8);
BUILD_BUG_ON(offsetof(struct ghcb, rax) != 0x1f8);
BUILD_BUG_ON(offsetof(struct ghcb, rcx) != 0x308);
BUILD_BUG_ON(offsetof(struct ghcb, rdx) != 0x310);
BUILD_BUG_ON(offsetof(struct ghcb, rbx) != 0x318);
BUILD_BUG_ON(offsetof(struct ghcb, rbp) != 0x328);
BUILD_BUG_ON(offsetof(struct ghcb, rsi) != 0x330);
BUILD_BUG_ON(offsetof(struct ghcb, rdi) != 0x338);
BUILD_BUG_ON(offsetof(struct ghcb, r8) != 0x340);
BUILD_BUG_ON(offsetof(struct ghcb, r9) != 0x348);
BUILD_BUG_ON(offsetof(struct ghcb, r10) != 0x350);
BUILD_BUG_ON(offsetof(struct ghcb, r11) != 0x358);
BUILD_BUG_ON(offsetof(struct ghcb, r12) != 0x360);
BUILD_BUG_ON(offsetof(struct ghcb, r13) != 0x368);
BUILD_BUG_ON(offsetof(struct ghcb, r14) != 0x370);
BUILD_BUG_ON(offsetof(struct ghcb, r15) != 0x378);
BUILD_BUG_ON(offsetof(struct ghcb, sw_exit_code) != 0x390);
BUILD_BUG_ON(offsetof(struct ghcb, sw_exit_info_1) != 0x398);
BUILD_BUG_ON(offsetof(struct ghcb, sw_exit_info_2) != 0x3a0);
BUILD_BUG_ON(offsetof(struct ghcb, sw_scratch) != 0x3a8);
BUILD_BUG_ON(offsetof(struct ghcb, xcr0) != 0x3e8);
BUILD_BUG_ON(offsetof(struct ghcb, valid_bitmap) != 0x3f0);
BUILD_BUG_ON(sizeof(((struct ghcb *)0)->valid_bitmap) !=
	     GHCB_VALID_BITMAP_SIZE);
BUILD_BUG_ON(offsetof(struct ghcb, x87_state_gpa) != 0x400);
BUILD_BUG_ON(offsetof(struct ghcb, shared_buffer) != GHCB_SHARED_BUFFER_OFFSET);
BUILD_BUG_ON(offsetof(struct ghcb, protocol_version) != 0xffa);
BUILD_BUG_ON(offsetof(struct ghcb, usage) != 0xffc);

/* A field's place in the valid bitmap: the word, and the bit in that word. */
#define GHCB_VALID_INDEX(field)	(offsetof(struct ghcb, field) / sizeof(u64))
#define GHCB_VALID_WORD(field)	(GHCB_VALID_INDEX(field) / 64)
#define GHCB_VALID_BIT(field)	(1ULL << (GHCB_VALID_INDEX(field) % 64))

#endif /* __ASSEMBLER__ */
#endif
