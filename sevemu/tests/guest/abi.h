/* SPDX-License-Identifier: MIT */
/*
 * abi.h - constants of the SEV-ES ABI for sevemu's test guest. The numbers are copied
 * from the GHCB specification (publication 56421) and AMD's manual (APM2), and not from
 * the headers of the stub or of sevemu. A wrong number in one of those headers thus
 * makes a case fail. Exit codes are from the kernel's UAPI header.
 */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include <asm/svm.h>

#define MSR_EFER		0xc0000080
#define EFER_SCE		0x001
#define EFER_LME		0x100
#define MSR_GHCB		0xc0010130
#define MSR_SEV_STATUS		0xc0010131

#define CPUID_SEV		0x8000001f

/* Long-mode page tables (APM2 5.3). */
#define PAGE_SIZE		4096
#define PAGE_2M			0x200000
#define PTRS			512
#define PTE_P			0x001
#define PTE_RW			0x002
#define PTE_US			0x004
#define PTE_PS			0x080

/*
 * Exception vectors (APM2 8.2). The test guest itself chooses two vectors: VECTOR_TIMER
 * for the local APIC's timer, and VECTOR_USER_END for the INT that leaves CPL 3.
 */
#define VECTOR_DB		1
#define VECTOR_NMI		2
#define VECTOR_UD		6
#define VECTOR_DF		8
#define VECTOR_TS		10
#define VECTOR_NP		11
#define VECTOR_GP		13
#define VECTOR_PF		14
#define VECTOR_AC		17
#define VECTOR_VC		29
#define VECTOR_TIMER		0x40
#define VECTOR_USER_END		0x80
#define VECTORS			256
#define VC_ERROR_DB		(SVM_EXIT_EXCP_BASE + VECTOR_DB)
#define VC_ERROR_AC		(SVM_EXIT_EXCP_BASE + VECTOR_AC)
/*
 * Error code of #VC at an access to a private page that the guest has not validated (APM2
 * 15.36).
 */
#define VC_NOT_VALIDATED	0x404

/*
 * The low 12 bits of the GHCB MSR: REQ_* in the guest's requests, RESP_* in the
 * hypervisor's responses (GHCB 2.3.1, MSR protocol).
 */
#define MSR_PROTOCOL_MASK	0xfff
#define REQ_SEV_INFO		0x002
#define RESP_SEV_INFO		0x001
#define REQ_CPUID		0x004
#define RESP_CPUID		0x005
#define REQ_AP_RESET_HOLD	0x006
#define REQ_PREFERRED_GHCB	0x010
#define RESP_PREFERRED_GHCB	0x011
#define REQ_REGISTER_GHCB	0x012
#define RESP_REGISTER_GHCB	0x013
#define REQ_PAGE_STATE		0x014
#define RESP_PAGE_STATE		0x015
#define REQ_RUN_VMPL		0x016
#define RESP_RUN_VMPL		0x017
#define REQ_FEATURES		0x080
#define RESP_FEATURES		0x081
#define REQ_TERMINATE		0x100

/*
 * Offsets of fields in the GHCB page, in bytes. Bit n of the GHCB's valid bitmap
 * belongs to the quadword at offset 8n (GHCB 2.3.2).
 */
#define GHCB_CPL		0x0cb
#define GHCB_XSS		0x140
#define GHCB_DR7		0x160
#define GHCB_RAX		0x1f8
#define GHCB_RCX		0x308
#define GHCB_RDX		0x310
#define GHCB_RBX		0x318
#define GHCB_EXIT_CODE		0x390
#define GHCB_EXIT_INFO_1	0x398
#define GHCB_EXIT_INFO_2	0x3a0
#define GHCB_SCRATCH		0x3a8
#define GHCB_XCR0		0x3e8
#define GHCB_VALID		0x3f0
#define GHCB_BUFFER		0x800
#define GHCB_BUFFER_SIZE	2032
#define GHCB_VERSION		0xffa
#define GHCB_USAGE		0xffc

/*
 * RESULT_* is the hypervisor's answer to a request, in the low half of the GHCB field
 * sw_exit_info_1. If the answer is RESULT_MALFORMED, sw_exit_info_2 has the reason,
 * MALFORMED_*.
 */
#define RESULT_DONE		0
#define RESULT_EXCEPTION	1
#define RESULT_MALFORMED	2
#define MALFORMED_NOT_REGISTERED 1
#define MALFORMED_USAGE		2
#define MALFORMED_SCRATCH	3
#define MALFORMED_MISSING	4
#define MALFORMED_INVALID	5
#define MALFORMED_EVENT		6

/*
 * Bits of the GHCB field sw_exit_info_1 in a request for IN or OUT, which are those of
 * EXITINFO1 at an IOIO exit (APM2 15.10.2).
 */
#define IOIO_IN			0x01
#define IOIO_STRING		0x04
#define IOIO_REP		0x08
#define IOIO_SIZE_SHIFT		4
#define IOIO_ADDR64		0x200
#define IOIO_SEGMENT_ES		(0 << 10)
#define IOIO_SEGMENT_DS		(3 << 10)
#define IOIO_PORT_SHIFT		16

/*
 * If the answer is RESULT_EXCEPTION, sw_exit_info_2 names the exception that the guest
 * must raise, in the format of EVENTINJ (APM2 15.20). EVENT_GP is #GP with error code
 * 0, as the specification asks for. KVM, and sevemu with --host kvm, leave out the
 * error code: EVENT_GP_0.
 */
#define EVENT_GP_0		0x8000030dULL
#define EVENT_GP		0x80000b0dULL
#define EVENT_UD		0x80000306ULL

#endif
