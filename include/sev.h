/* SPDX-License-Identifier: MIT */
/*
 * sev.h - the interface between an SEV-ES guest and its hypervisor: the two
 * MSRs, the MSR protocol, the GHCB page and the reasons for termination. For C
 * and assembly.
 *
 * Names are those of the GHCB specification (publication 56421, revision 2.04;
 * cited "GHCB 4.1") and of AMD's manual (24593, cited "APM2 15.35"). Exit codes
 * come from the kernel's UAPI header asm/svm.h.
 */
#ifndef SEV_H
#define SEV_H

#include <linux/const.h>
#include <asm/svm.h>

/* -- MSRs (APM2 15.34.10, 15.35.7). Accesses to them never raise #VC. */
#define MSR_GHCB			0xc0010130
#define MSR_SEV_STATUS			0xc0010131

#define SEV_STATUS_SEV_BIT		0
#define SEV_STATUS_SEV_ES_BIT		1
#define SEV_STATUS_SNP_BIT		2
#define SEV_STATUS_DEBUG_SWAP_BIT	7
#define SEV_STATUS_SEV			(_AC(1, ULL) << SEV_STATUS_SEV_BIT)
#define SEV_STATUS_SEV_ES		(_AC(1, ULL) << SEV_STATUS_SEV_ES_BIT)
#define SEV_STATUS_SNP			(_AC(1, ULL) << SEV_STATUS_SNP_BIT)
/*
 * Features that the stub accepts, because they require nothing of the guest. With
 * debug swap the processor saves the debug registers itself and DR7 is not
 * intercepted. The four features of SEV_STATUS_HOST_ONLY restrict or isolate the host.
 * With IBS_VIRT the processor saves the registers of IBS. The stub ends the boot of an SEV
 * guest with a feature that is not in SEV_STATUS_KNOWN or, for SNP, SEV_STATUS_KNOWN_SNP.
 */
#define SEV_STATUS_DEBUG_SWAP		(_AC(1, ULL) << SEV_STATUS_DEBUG_SWAP_BIT)
#define SEV_STATUS_IBS_VIRT		(_AC(1, ULL) << 14)
#define SEV_STATUS_HOST_ONLY		(_AC(1, ULL) << 8 |	/* PreventHostIbs */ \
					 _AC(1, ULL) << 9 |	/* BTB isolation */ \
					 _AC(1, ULL) << 17 |	/* SMT protection */ \
					 _AC(1, ULL) << 23)	/* IBPB on entry */
#define SEV_STATUS_KNOWN		(SEV_STATUS_SEV | SEV_STATUS_SEV_ES | \
					 SEV_STATUS_SNP | SEV_STATUS_DEBUG_SWAP | \
					 SEV_STATUS_IBS_VIRT | SEV_STATUS_HOST_ONLY)
/*
 * An SNP guest may have the feature secure TSC, too. The feature requires nothing
 * of the stub, because the stub never waits for a certain time.
 */
#define SEV_STATUS_SECURE_TSC		(_AC(1, ULL) << 11)
#define SEV_STATUS_KNOWN_SNP		(SEV_STATUS_KNOWN | SEV_STATUS_SECURE_TSC)

/* -- CPUID leaf 0x8000001F, which describes SEV (APM3 E.4.17). */
#define CPUID_SEV_EAX_SEV_BIT		1
#define CPUID_SEV_EAX_SEV_ES_BIT	3
#define CPUID_SEV_EAX_SNP_BIT		4
#define CPUID_SEV_EBX_CBIT_MASK		0x3f	/* EBX 5:0: C-bit position */
/* EBX 11:6: number of physical address bits that memory encryption takes away. */
#define CPUID_SEV_EBX_REDUCTION_SHIFT	6
#define CPUID_SEV_EBX_REDUCTION_MASK	0x3f
/*
 * EAX 28: an SVSM is present. If the guest runs above VMPL 0, snp_find_vmpl() sets the bit
 * in the stub's copy of the CPUID page, so that CPUID has the bit in every later answer.
 */
#define CPUID_SEV_EAX_SVSM_BIT		28
/*
 * EBX 31: the caches stay coherent when a page becomes private. If the bit is clear,
 * the stub reads from each page after the page is validated. Without these reads a cache
 * line that the hypervisor wrote before could replace the guest's data (CVE-2024-36331).
 */
#define CPUID_SEV_EBX_COHERENT_BIT	31
/*
 * Sub-leaf of the CPUIDs by which the stub rules out SEV or SEV-ES. If one raises #VC,
 * the handler of #VC finds this number in ECX and terminates the guest. The processor
 * ignores the sub-leaf for the two functions that are asked for (ASK_FOR_SEV()).
 */
#define CPUID_SUBLEAF_NO_SEV		0x20564553	/* "SEV " */
/*
 * Sub-leaf of the CPUIDs by which find_sev learns whether this is an SEV-ES guest. If ECX
 * has this number at a #VC, the handler vc_32 continues the detection. The code after find_sev
 * must not have this number in ECX. A #VC that the hypervisor injects there could otherwise
 * start the detection again.
 */
#define CPUID_SUBLEAF_FIND		0x444e4946	/* "FIND" */
/*
 * Sub-leaf of the CPUID that the handlers of NMI execute. If it raises #VC, this is an
 * SEV-ES guest, and the handler of #VC terminates the guest because of the NMI.
 */
#define CPUID_SUBLEAF_NMI		0x20494d4e	/* "NMI " */
/*
 * Sub-leaf of the CPUID that report() executes before it reports an exception, unless page
 * tables of the stub with a C-bit are loaded. Without them the stub does not trust its memory
 * to tell whether this is an SEV-ES guest, so it asks the processor. If the CPUID raises #VC,
 * this is an SEV-ES guest, and the handler of #VC terminates it with the code for an exception.
 */
#define CPUID_SUBLEAF_EXCEPTION		0x20505845	/* "EXP " */

/*
 * The C-bit's bit number must be in this range. Bits 31:0 are needed for addresses, because
 * the stub's 32-bit entry maps the first 4 GiB. Bit 51 is the highest address bit of a page
 * table entry.
 */
#define CBIT_MIN			32
#define CBIT_MAX			51

/*
 * -- VMGEXIT is encoded as REP VMMCALL (APM2 15.35.6). binutils before 2.38 does
 * not know the name VMGEXIT.
 */
#ifdef __ASSEMBLER__
#define VMGEXIT				rep; vmmcall

/*
 * Terminates an SEV-ES guest with the request in EAX, GHCB_MSR_TERM(). Uses no
 * memory. If the hypervisor resumes the guest, the guest sends the request again.
 */
#define SEND_TERM_REQUEST						\
	xorl	%edx, %edx;						\
	movl	$MSR_GHCB, %ecx;					\
1:	wrmsr;								\
	VMGEXIT;							\
	jmp	1b

/*
 * Asks the processor whether SEV_STATUS has @bit. It uses no memory of its own, and
 * believes the hypervisor in nothing: in an SEV-ES guest CPUID either raises #VC,
 * because the hypervisor intercepts it, or tells what the processor has (APM2
 * 15.35.4). The #VC handlers recognise @subleaf in ECX and terminate the guest.
 * Falls through if SEV_STATUS lacks @bit or does not exist; jumps to @found with
 * SEV_STATUS in EAX otherwise. A plain SEV guest whose hypervisor denies SEV is not
 * recognised. Clobbers EAX, EBX, ECX, EDX.
 */
#define ASK_FOR_SEV(subleaf, bit, found)				\
	movl	$CPUID_EXT_MAX, %eax;					\
	movl	$subleaf, %ecx;						\
	cpuid;								\
	cmpl	$CPUID_SEV, %eax;					\
	jb	3f;							\
	movl	$CPUID_SEV, %eax;					\
	movl	$subleaf, %ecx;						\
	cpuid;								\
	btl	$CPUID_SEV_EAX_SEV_BIT, %eax;				\
	jnc	3f;							\
	movl	$MSR_SEV_STATUS, %ecx;					\
	rdmsr;								\
	testb	$bit, %al;						\
	jnz	found;							\
3:

/*
 * Rules out SEV, for code that is about to use page tables without a C-bit. Falls
 * through if there is no SEV; jumps to @contradiction with SEV_STATUS in EAX if there
 * is. Clobbers EAX, EBX, ECX, EDX.
 */
#define RULE_OUT_SEV(contradiction)					\
	ASK_FOR_SEV(CPUID_SUBLEAF_NO_SEV, SEV_STATUS_SEV, contradiction)

/*
 * Must come first in a 64-bit exception handler if legacy mode uses the same IDT.
 * An exception that the hypervisor injects in legacy mode can then enter the
 * handler through half of a 64-bit gate, with a 64-bit CS, which legacy mode
 * treats as 16-bit code. The bytes 66 A9 are TEST with an immediate operand of
 * 2 bytes in 32-bit and 64-bit code, and the jump after it is taken. In 16-bit
 * code the operand has 4 bytes and includes the jump, and the guest terminates.
 */
#define NOT_IN_16BIT_CODE						\
	.byte	0x66, 0xa9, 0, 0;					\
	jmp	2f;							\
	.code16;							\
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_EXCEPTION), %eax;	\
	SEND_TERM_REQUEST;						\
2:
#endif

/*
 * -- The GHCB MSR protocol (GHCB 2.3.1). Bits 11:0 of the GHCB MSR are a code that
 * says what the bits above hold. Each request code has a response code of its own.
 * A hypervisor that does not know a request leaves the MSR unchanged.
 */
#define GHCB_MSR_INFO_BITS		12
#define GHCB_MSR_INFO_MASK		0xfff
/* If bits 11:0 are this code, bits 63:12 are the physical address of the GHCB page. */
#define GHCB_MSR_GPA_REQ		0x000

/* The reply with the SEV information, which is also the MSR's value after a reset. */
#define GHCB_MSR_SEV_INFO_RESP		0x001
#define GHCB_MSR_SEV_INFO_REQ		0x002
/*
 * In GHCB_MSR_SEV_INFO_RESP bits 63:48 are the highest and bits 47:32 the lowest version of
 * the GHCB protocol that the hypervisor supports.
 */
#define GHCB_MSR_INFO_MAX_SHIFT		48
#define GHCB_MSR_INFO_MIN_SHIFT		32
#define GHCB_MSR_INFO_VERSION_MASK	0xffff
#define GHCB_MSR_INFO_CBIT_SHIFT	24	/* 31:24: C-bit position */
#define GHCB_MSR_INFO_CBIT_MASK		0xff

/* Asks for one register of a CPUID function. The request always means sub-leaf 0. */
#define GHCB_MSR_CPUID_REQ		0x004
#define GHCB_MSR_CPUID_RESP		0x005
/* Bits 63:32: a request's CPUID function, or a reply's register value. */
#define GHCB_MSR_CPUID_VALUE_SHIFT	32
/* Bits 31:30: the register that is asked for, GHCB_MSR_CPUID_EAX to _EDX. */
#define GHCB_MSR_CPUID_REG_SHIFT	30
#define GHCB_MSR_CPUID_REG_MASK		0x3
#define GHCB_MSR_CPUID_EAX		0
#define GHCB_MSR_CPUID_EBX		1
#define GHCB_MSR_CPUID_ECX		2
#define GHCB_MSR_CPUID_EDX		3

#define GHCB_MSR_AP_RESET_HOLD_REQ	0x006
#define GHCB_MSR_AP_RESET_HOLD_RESP	0x007

/*
 * Requests that only SNP guests may send. KVM terminates a guest without SNP
 * that sends one of them, unless it is GHCB_MSR_VMPL_REQ.
 */
#define GHCB_MSR_PREF_GPA_REQ		0x010
#define GHCB_MSR_PREF_GPA_RESP		0x011
#define GHCB_MSR_REG_GPA_REQ		0x012
#define GHCB_MSR_REG_GPA_RESP		0x013
#define GHCB_MSR_PSC_REQ		0x014
#define GHCB_MSR_PSC_RESP		0x015
#define GHCB_MSR_VMPL_REQ		0x016
#define GHCB_MSR_VMPL_RESP		0x017
/* In GHCB_MSR_PSC_REQ bits 51:12 are the page's address, bits 55:52 its new state. */
#define GHCB_MSR_PSC_STATE_SHIFT	52
#define GHCB_PSC_PRIVATE		1
#define GHCB_PSC_SHARED			2
/* Bits 63:32 of a response to GHCB_MSR_PSC_REQ or _VMPL_REQ: 0 for success. */
#define GHCB_MSR_ERROR_SHIFT		32

/* Asks for the hypervisor's features. Exists from GHCB protocol version 2 on. */
#define GHCB_MSR_HV_FEATURES_REQ	0x080
#define GHCB_MSR_HV_FEATURES_RESP	0x081
#define GHCB_MSR_HV_FEATURES_SHIFT	12	/* 63:12: the hypervisor's features */
#define GHCB_HV_FEATURE_SNP_BIT		0
#define GHCB_HV_FEATURE_MULTI_VMPL_BIT	5

/* Asks the hypervisor to terminate the guest. The request has no response. */
#define GHCB_MSR_TERM_REQ		0x100
#define GHCB_MSR_TERM_SET_SHIFT		12	/* 15:12: set of termination reasons */
#define GHCB_MSR_TERM_SET_MASK		0xf
#define GHCB_MSR_TERM_CODE_SHIFT	16	/* 23:16: the reason's number */
#define GHCB_MSR_TERM_CODE_MASK		0xff
#define GHCB_MSR_TERM(set, code)					\
	(GHCB_MSR_TERM_REQ | (set) << GHCB_MSR_TERM_SET_SHIFT |		\
	 (code) << GHCB_MSR_TERM_CODE_SHIFT)
/*
 * The termination request with one of the stub's own reasons, SEVSTUB_TERM_*, for
 * assembly.
 */
#define GHCB_MSR_TERM_STUB(code)					\
	GHCB_MSR_TERM(SEV_TERM_SET_SEVSTUB, code)

/* GHCB protocol versions that the stub implements. */
#define GHCB_VERSION_MIN		1
#define GHCB_VERSION_MAX		2
/* The lowest version of the GHCB protocol that has the requests of SNP guests. */
#define GHCB_VERSION_SNP		2

/*
 * -- Reasons for termination. Reason set 0 belongs to the specification (GHCB
 * 4.1.4).
 */
#define SEV_TERM_SET_GHCB		0
#define GHCB_TERM_GENERAL		0
/* Guest and hypervisor have no version of the GHCB protocol in common. */
#define GHCB_TERM_PROTOCOL_VERSION	1
#define GHCB_TERM_SNP_FEATURES		2	/* the guest lacks what SNP requires */

/*
 * Set 1 of termination reasons is Linux's. The stub uses codes of this set if an SNP
 * guest fails at a step for which Linux has a code.
 */
#define SEV_TERM_SET_LINUX		1
#define LINUX_TERM_GHCB_REGISTER	0	/* the GHCB page was not registered */
#define LINUX_TERM_PAGE_STATE		1	/* a page state change failed */
#define LINUX_TERM_PVALIDATE		2	/* PVALIDATE of a page failed */
/* The guest is not at VMPL 0, and the hypervisor does not report that it can run the SVSM. */
#define LINUX_TERM_NOT_VMPL0		3
#define LINUX_TERM_CPUID		4	/* the CPUID page is malformed */
#define LINUX_TERM_SECRETS		6	/* the secrets page is no page */
/* The guest is not at VMPL 0, and the secrets page says that there is no SVSM. */
#define LINUX_TERM_NO_SVSM		7
/* The secrets page puts the guest at VMPL 0, but RMPADJUST has shown that it is not. */
#define LINUX_TERM_SVSM_VMPL0		8
/* The address of the SVSM's calling area is 0 or no multiple of 4096. */
#define LINUX_TERM_SVSM_AREA		9

/* Set 2 of termination reasons is the stub's own. docs/messages.md lists its codes. */
#define SEV_TERM_SET_SEVSTUB		2
/*
 * The argument of terminate() has the reason's number in bits 7:0 and its set in bits 9:8:
 * SEV_TERM_STANDARD for SEV_TERM_SET_GHCB, SEV_TERM_LINUX for SEV_TERM_SET_LINUX, and 0 for
 * SEV_TERM_SET_SEVSTUB. SEV_TERM_SET_OF() takes the set out by arithmetic alone. If it chose
 * between constants, the compiler could keep one in a register that a call saves on the stack,
 * where the hypervisor can put other bytes in its place.
 */
#define SEV_TERM_FLAGS_SHIFT		8
#define SEV_TERM_FLAGS_MASK		3
#define SEV_TERM_FLAGS(set)		(((set) ^ SEV_TERM_SET_SEVSTUB) << SEV_TERM_FLAGS_SHIFT)
#define SEV_TERM_STANDARD		SEV_TERM_FLAGS(SEV_TERM_SET_GHCB)
#define SEV_TERM_LINUX			SEV_TERM_FLAGS(SEV_TERM_SET_LINUX)
#define SEV_TERM_SET_OF(reason)						\
	(((reason) >> SEV_TERM_FLAGS_SHIFT & SEV_TERM_FLAGS_MASK) ^ SEV_TERM_SET_SEVSTUB)
/*
 * The boot failed for a reason that has no code of its own. error() has printed
 * the reason, if there was a console.
 */
#define SEVSTUB_TERM_GENERAL		0
/*
 * The proof of the C-bit failed: data that was written before the new page
 * tables were loaded did not read back through them, so the C-bit is not where
 * the hypervisor said. Or the processor did not load the empty IDT for the
 * proof, because the hypervisor has changed memory.
 */
#define SEVSTUB_TERM_CBIT_PROOF		1
/*
 * CPUID, the SEV-information reply and the loader's page tables name different
 * C-bits.
 */
#define SEVSTUB_TERM_CBIT_MISMATCH	2
/* The position of the C-bit is outside CBIT_MIN..CBIT_MAX. */
#define SEVSTUB_TERM_CBIT_RANGE		3
/*
 * CPUID, or what the stub has stored in memory of an earlier answer, says that SEV or SEV-ES is
 * off. But SEV_STATUS, which the hypervisor cannot change, says that it is on.
 */
#define SEVSTUB_TERM_CPUID_STATUS	4
/* SEV_STATUS of a guest without SNP has a feature that the stub does not know. */
#define SEVSTUB_TERM_STATUS_BITS	5
/* The instruction that raised #VC cannot cause the exit code of that #VC. */
#define SEVSTUB_TERM_OPCODE		6
/*
 * The instruction that raised #VC is unknown to the decoder, is longer than 15
 * bytes, or lies at an address that is not executable.
 */
#define SEVSTUB_TERM_DECODE		7
/*
 * The hypervisor's reply has a wrong response code, an undefined
 * sw_exit_info_1, or lacks a valid bit that the exit requires.
 */
#define SEVSTUB_TERM_REPLY		8
/*
 * The hypervisor asked the guest to raise an exception other than #GP and #UD, or
 * its description of the exception is malformed.
 */
#define SEVSTUB_TERM_INJECTION		9
/* #VC or a page fault came while an exchange was using the GHCB page. */
#define SEVSTUB_TERM_REENTRY		10
/* The stub does not handle #VC with this exit code. */
#define SEVSTUB_TERM_UNSUPPORTED	11
/* This #VC needs the GHCB page, but sev_es_setup_ghcb() has not run yet. */
#define SEVSTUB_TERM_NO_GHCB		12
/*
 * In 32-bit code a CPUID that is not one of find_sev's has raised #VC. Or, before the GHCB
 * page is shared, a CPUID whose sub-leaf is not 0 has raised #VC: the MSR protocol can ask for
 * sub-leaf 0 only.
 */
#define SEVSTUB_TERM_CPUID_SUBLEAF	13
/*
 * A nested page fault on a page whose C-bit is set. The stub maps device registers
 * with the C-bit clear, so this is not an access to a device.
 */
#define SEVSTUB_TERM_NPF_PRIVATE	14
/* A nested page fault on memory that is RAM by the E820 map, hence no device. */
#define SEVSTUB_TERM_NPF_RAM		15
/* An exception that the stub does not handle, for example #GP. */
#define SEVSTUB_TERM_EXCEPTION		16
/*
 * The GHCB page could not be mapped shared, or could not be mapped private
 * again.
 */
#define SEVSTUB_TERM_GHCB_MAP		17
/* RDRAND returned no random number. */
#define SEVSTUB_TERM_CPU		18
/* The end of the image is missing. */
#define SEVSTUB_TERM_TRUNCATED		19
/* Not all of the memory that payload and stub need is RAM. */
#define SEVSTUB_TERM_NO_ROOM		20
/*
 * The stub cannot copy the image from its load address to where it must run, or the load
 * address is no multiple of LOAD_ALIGN.
 */
#define SEVSTUB_TERM_LOAD_ADDRESS	21
/*
 * The zero page, or what it points to, is malformed, lies outside of memory, or
 * lies in the payload's memory.
 */
#define SEVSTUB_TERM_HANDED_OVER	22
/* The payload's header or the compressed payload is damaged. */
#define SEVSTUB_TERM_IMAGE		23
/* An NMI has come. In an SEV-ES guest the stub does not handle NMIs. */
#define SEVSTUB_TERM_NMI		24
/*
 * An SNP guest has accessed private memory that is not validated. The loader has
 * validated less than the stub needs, or the hypervisor has taken the page away.
 */
#define SEVSTUB_TERM_NOT_VALIDATED	25
#define SEVSTUB_TERM_REASONS		26	/* number of codes above */

/*
 * -- Exit codes of #VC. asm/svm.h defines all but the two for intercepted #DB
 * and #AC. These two and SVM_EXIT_NPF, a nested page fault, are not sent to the
 * hypervisor as a request (GHCB 4.1).
 */
#define SVM_EXIT_EXCP_DB		(SVM_EXIT_EXCP_BASE + 1)
#define SVM_EXIT_EXCP_AC		(SVM_EXIT_EXCP_BASE + 17)
/* Error code of #VC for an access to private memory that is not validated. */
#define SVM_EXIT_NOT_VALIDATED		0x404
/* No exit code with which the processor raises #VC is greater (APM2 appendix C). */
#define SVM_EXIT_CODE_MAX		0x7ff

/* -- Bits of sw_exit_info_1 in a request with SVM_EXIT_IOIO (APM2 15.10.2). */
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
#define SVM_IOIO_SEG_SHIFT		10	/* 12:10: segment, enum insn_segment */
#define SVM_IOIO_PORT_SHIFT		16	/* 31:16 */

/* -- Values of sw_exit_info_1 in a request with SVM_EXIT_MSR. */
#define SVM_MSR_READ			0
#define SVM_MSR_WRITE			1

/* -- The result in the hypervisor's reply: the low half of sw_exit_info_1 (GHCB 4.1). */
#define GHCB_RESULT_MASK		0xffffffff
#define GHCB_RESULT_DONE		0
/* The guest must raise an exception, which sw_exit_info_2 describes. */
#define GHCB_RESULT_EXCEPTION		1
/* The request is malformed; sw_exit_info_2 is a GHCB_ERR_* below. */
#define GHCB_RESULT_MALFORMED		2
#define GHCB_ERR_NOT_REGISTERED		1
#define GHCB_ERR_INVALID_USAGE		2
#define GHCB_ERR_INVALID_SCRATCH_AREA	3
#define GHCB_ERR_MISSING_INPUT		4
#define GHCB_ERR_INVALID_INPUT		5
#define GHCB_ERR_INVALID_EVENT		6

/* -- sw_exit_info_2 in a reply with GHCB_RESULT_EXCEPTION has EVENTINJ's form (APM2 15.20). */
#define SVM_EVTINJ_VEC_MASK		0xff
#define SVM_EVTINJ_TYPE_SHIFT		8
#define SVM_EVTINJ_TYPE_MASK		(_AC(7, UL) << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_TYPE_EXEPT		(_AC(3, UL) << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_VALID_ERR		(_AC(1, UL) << 11)
#define SVM_EVTINJ_RESERVED		_AC(0x7ffff000, UL)	/* 30:12 */
#define SVM_EVTINJ_VALID		(_AC(1, UL) << 31)
#define SVM_EVTINJ_ERROR_SHIFT		32	/* 63:32: error code */

/* -- The GHCB page (GHCB 2.6, "GHCB Layout"). */
#define GHCB_SIZE			4096
#define GHCB_USAGE_STANDARD		0
#define GHCB_SHARED_BUFFER_OFFSET	0x800
#define GHCB_SHARED_BUFFER_SIZE		2032
#define GHCB_VALID_BITMAP_SIZE		16

/*
 * -- SEV-SNP: requests by the GHCB page (GHCB 4.1.6, 4.1.13), and the instructions
 * PVALIDATE and RMPADJUST (APM3).
 */
#define SVM_VMGEXIT_PAGE_STATE		0x80000010
/*
 * Terminates the guest, as GHCB_MSR_TERM_REQ does. sw_exit_info_1 has the set in
 * bits 3:0 and the code in bits 11:4. In sw_exit_info_2 the stub passes the bits of
 * SEV_STATUS that made it terminate.
 */
#define SVM_VMGEXIT_TERMINATE		0x8000fffe
#define GHCB_TERM_INFO(set, code)	((set) | (code) << 4)

/*
 * An entry of struct page_states: bits 51:12 are the page's address, bits 55:52 its new
 * state, and bit 56 is set for a page of 2 MiB.
 */
#define PAGE_STATE_2M			(_AC(1, ULL) << 56)
#define PAGE_STATE_ENTRIES		253

/* -- Offsets in struct sev_guest (sev-es.h), for assembly. */
#define SEV_GUEST_STATUS		0
#define SEV_GUEST_INFO			8
#define SEV_GUEST_CBIT			16
#define SEV_GUEST_KNOWN			20
#define SEV_GUEST_SIZE			24

/*
 * How often RDRAND is tried before it counts as failed. It may briefly have no
 * random number, but not ten times in a row (APM3, "RDRAND").
 */
#define RDRAND_TRIES			10

#ifndef __ASSEMBLER__

#include "types.h"

/* The GHCB page. The field names and offsets are those of the specification. */
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
	/* Bit n is set by the writer if the field at offset 8n is valid. */
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

/*
 * Position of a field of struct ghcb in valid_bitmap: its bit number, the index of
 * the u64 that has this bit, and a mask of the bit in that u64.
 */
#define GHCB_VALID_INDEX(field)	(offsetof(struct ghcb, field) / sizeof(u64))
#define GHCB_VALID_WORD(field)	(GHCB_VALID_INDEX(field) / 64)
#define GHCB_VALID_BIT(field)	(1ULL << (GHCB_VALID_INDEX(field) % 64))

#endif /* __ASSEMBLER__ */
#endif
