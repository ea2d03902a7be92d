/* SPDX-License-Identifier: MIT */
/*
 * svm.h - the virtual machine control block (VMCB, APM2 appendix B) and exit
 * codes (APM2 appendix C).
 *
 * sevstub has its own header with these numbers.  Both were transcribed from
 * the manual independently, and tests/unit/test_abi compares them to find
 * mistakes.
 */
#ifndef SEVEMU_SVM_H
#define SEVEMU_SVM_H

#include "x86.h"

/*
 * Exit codes of what this hypervisor intercepts, and of what an SEV-ES guest
 * may request by its GHCB.
 */
#define SVM_EXIT_WRITE_CR3	0x013
#define SVM_EXIT_WRITE_CR4	0x014
#define SVM_EXIT_READ_DR0	0x020
#define SVM_EXIT_READ_DR7	0x027
#define SVM_EXIT_WRITE_DR0	0x030
#define SVM_EXIT_WRITE_DR7	0x037
#define SVM_EXIT_EXCP_DB	0x041
#define SVM_EXIT_EXCP_UD	0x046
#define SVM_EXIT_EXCP_AC	0x051
#define SVM_EXIT_INTR		0x060
#define SVM_EXIT_NMI		0x061
#define SVM_EXIT_INIT		0x063
#define SVM_EXIT_CR0_SEL	0x065
#define SVM_EXIT_RDTSC		0x06e
#define SVM_EXIT_RDPMC		0x06f
#define SVM_EXIT_CPUID		0x072
#define SVM_EXIT_IRET		0x074
#define SVM_EXIT_INVD		0x076
#define SVM_EXIT_HLT		0x078
#define SVM_EXIT_INVLPGA	0x07a
#define SVM_EXIT_IOIO		0x07b
#define SVM_EXIT_MSR		0x07c
#define SVM_EXIT_SHUTDOWN	0x07f
#define SVM_EXIT_VMRUN		0x080
#define SVM_EXIT_VMMCALL	0x081
#define SVM_EXIT_VMLOAD		0x082
#define SVM_EXIT_VMSAVE		0x083
#define SVM_EXIT_STGI		0x084
#define SVM_EXIT_CLGI		0x085
#define SVM_EXIT_SKINIT		0x086
#define SVM_EXIT_RDTSCP		0x087
#define SVM_EXIT_WBINVD		0x089
#define SVM_EXIT_MONITOR	0x08a
#define SVM_EXIT_MWAIT		0x08b
#define SVM_EXIT_MWAIT_ARMED	0x08c
#define SVM_EXIT_NPF		0x400
/* #VC only: private memory that the guest has not validated (APM2 15.36) */
#define SVM_EXIT_NOT_VALIDATED	0x404
/*
 * The processor refuses the guest's state.  QEMU also exits with this code at a MOV to CR3
 * or CR4 that is not intercepted and that sets a reserved bit.  Compare the low 32 bits of
 * exit_code only, because QEMU 7.2 leaves the high 32 bits clear, where a processor and
 * QEMU from 10.0 on set them.
 */
#define SVM_EXIT_INVALID	0xffffffffu

/*
 * The bit that enables the intercept with exit code @exit: in the VMCB's field
 * icpt3 for exit codes 0x60 to 0x7f, in icpt4 for 0x80 to 0x9f.
 */
#define ICPT3(exit)		(1u << ((exit) - 0x60))
#define ICPT4(exit)		(1u << ((exit) - 0x80))

/* Fields of the VMCB's EVENTINJ and EXITINTINFO (APM2 15.20). */
#define EVENT_VECTOR		0x000000ffu
#define EVENT_TYPE_MASK		(7u << 8)
#define EVENT_TYPE_NMI		(2u << 8)
#define EVENT_TYPE_EXCEPTION	(3u << 8)
#define EVENT_TYPE_SOFT		(4u << 8)
#define EVENT_ERROR_VALID	(1u << 11)
#define EVENT_VALID		(1u << 31)

/*
 * Fields of EXITINFO1 of an I/O instruction's intercept (APM2 15.10.2).  A
 * guest's GHCB request IOIO has the same fields in sw_exit_info_1 (GHCB 4.1).
 */
#define IOIO_IN			0x001
#define IOIO_STRING		0x004
#define IOIO_REP		0x008
/* 3 bits: size of IN's or OUT's operand in bytes, 1, 2 or 4 */
#define IOIO_SIZE_SHIFT		4
#define IOIO_SIZE_MASK		0x070
#define IOIO_ADDR_SHIFT		7	/* address size, 3 bits: 1: 16-bit,
					 * 2: 32-bit, 4: 64-bit */
#define IOIO_ADDR_MASK		0x380
/* 3 bits: segment of INS's or OUTS's operand in memory, SEG_* */
#define IOIO_SEG_SHIFT		10
#define IOIO_SEG_MASK		0x1c00
#define IOIO_PORT_SHIFT		16

/*
 * Bit of EXITINFO1 of a nested page fault (APM2 15.25.6), besides the PF_*
 * bits: the fault occurred when the processor read or updated the guest's page
 * tables.
 */
#define NPF_WALK		(1ull << 33)

/* EXITINFO1 of an intercepted WRMSR (APM2 15.11); RDMSR has 0. */
#define MSR_INTERCEPT_WRITE	1

/*
 * Values of the VMCB's tlb_control, nested_ctl and int_state (APM2 appendix B).
 */
#define TLB_FLUSH_ALL		1
#define NESTED_CTL_NP		1
#define INT_SHADOW		1

/*
 * A segment register in the VMCB.  @attrib has bits 47:40 of the segment
 * descriptor in bits 7:0 and bits 55:52 in bits 11:8.  @limit is in bytes, even
 * if the G bit is set.
 */
struct segment {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
} __attribute__((packed));

/*
 * The VMCB of APM2 appendix B, with each field's offset in bytes.  The control
 * area ends at 0x3ff, and the state-save area follows.  Fields that this
 * hypervisor does not use count as reserved.
 */
struct vmcb {
	u16 icpt_cr_read;		/* 0x000 */
	u16 icpt_cr_write;		/* 0x002 */
	u16 icpt_dr_read;		/* 0x004 */
	u16 icpt_dr_write;		/* 0x006 */
	u32 icpt_exceptions;		/* 0x008 */
	u32 icpt3;			/* 0x00c */
	u32 icpt4;			/* 0x010 */
	u8 reserved_014[0x2c];		/* 0x014 */
	u64 iopm;			/* 0x040 */
	u64 msrpm;			/* 0x048 */
	u64 tsc_offset;			/* 0x050 */
	u32 asid;			/* 0x058 */
	u32 tlb_control;		/* 0x05c */
	u64 int_control;		/* 0x060 */
	u64 int_state;			/* 0x068 */
	u64 exit_code;			/* 0x070 */
	u64 exit_info_1;		/* 0x078 */
	u64 exit_info_2;		/* 0x080 */
	u32 exit_int_info;		/* 0x088 */
	u32 exit_int_error;		/* 0x08c */
	u64 nested_ctl;			/* 0x090 */
	u8 reserved_098[0x10];		/* 0x098 */
	u32 event_inj;			/* 0x0a8 */
	u32 event_inj_error;		/* 0x0ac */
	u64 n_cr3;			/* 0x0b0 */
	u8 reserved_0b8[0x348];		/* 0x0b8 */
	struct segment es;		/* 0x400 */
	struct segment cs;		/* 0x410 */
	struct segment ss;		/* 0x420 */
	struct segment ds;		/* 0x430 */
	struct segment fs;		/* 0x440 */
	struct segment gs;		/* 0x450 */
	struct segment gdtr;		/* 0x460 */
	struct segment ldtr;		/* 0x470 */
	struct segment idtr;		/* 0x480 */
	struct segment tr;		/* 0x490 */
	u8 reserved_4a0[0x2b];		/* 0x4a0 */
	u8 cpl;				/* 0x4cb */
	u32 reserved_4cc;		/* 0x4cc */
	u64 efer;			/* 0x4d0 */
	u8 reserved_4d8[0x70];		/* 0x4d8 */
	u64 cr4;			/* 0x548 */
	u64 cr3;			/* 0x550 */
	u64 cr0;			/* 0x558 */
	u64 dr7;			/* 0x560 */
	u64 dr6;			/* 0x568 */
	u64 rflags;			/* 0x570 */
	u64 rip;			/* 0x578 */
	u8 reserved_580[0x58];		/* 0x580 */
	u64 rsp;			/* 0x5d8 */
	u8 reserved_5e0[0x18];		/* 0x5e0 */
	u64 rax;			/* 0x5f8 */
	u64 star;			/* 0x600 */
	u64 lstar;			/* 0x608 */
	u64 cstar;			/* 0x610 */
	u64 sfmask;			/* 0x618 */
	u64 kernel_gs_base;		/* 0x620 */
	u64 sysenter_cs;		/* 0x628 */
	u64 sysenter_esp;		/* 0x630 */
	u64 sysenter_eip;		/* 0x638 */
	u64 cr2;			/* 0x640 */
	u8 reserved_648[0x20];		/* 0x648 */
	u64 g_pat;			/* 0x668 */
	u8 reserved_670[0x990];		/* 0x670 */
} __attribute__((packed, aligned(4096)));

/*
 * Offsets in a VMSA, the saved state of a virtual CPU with encrypted registers, of fields
 * that the VMCB's state-save area does not have (APM2 appendix B).
 */
#define VMSA_VMPL		0x0ca
#define VMSA_RCX		0x308
#define VMSA_RBP		0x328
#define VMSA_SEV_FEATURES	0x3b0
#define VMSA_XCR0		0x3e8
#define VMSA_MXCSR		0x408
#define VMSA_FCW		0x410
#define SEV_FEATURE_SNP		1
/* The VMCB's state-save area and a VMSA have the same layout up to this offset. */
#define VMSA_SAME		0x300

#define VMCB_AT(field, offset) \
	_Static_assert(offsetof(struct vmcb, field) == (offset), #field)
VMCB_AT(icpt3, 0x00c);
VMCB_AT(iopm, 0x040);
VMCB_AT(exit_code, 0x070);
VMCB_AT(event_inj, 0x0a8);
VMCB_AT(n_cr3, 0x0b0);
VMCB_AT(es, 0x400);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(cr2, 0x640);
VMCB_AT(g_pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "a VMCB is one page");
_Static_assert(sizeof(struct segment) == 16, "a VMCB segment is 16 bytes");

#endif
