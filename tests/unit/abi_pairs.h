/* SPDX-License-Identifier: MIT */
/*
 * abi_pairs.h - every number of the SEV-ES ABI that both the stub and sevemu
 * define. test_abi.c checks that both sides have the same value.
 *
 * PAIR(stub's expression, sevemu's expression) names one number. The including
 * file defines PAIR; each side is compiled with its own headers only, because
 * these define the same names. There is no include guard, because the file is
 * included twice.
 *
 * SEVEMU_ONLY(name) names a constant of sevemu's headers that the stub does not
 * need. test_abi_complete.sh fails for a constant of sevemu's that is in neither
 * list.
 */

/*
 * MSRs and their bits: the stub's name, then sevemu's name for the same value
 */
PAIR(MSR_GHCB, MSR_GHCB)
PAIR(MSR_SEV_STATUS, MSR_SEV_STATUS)
PAIR(SEV_STATUS_SEV, SEV_STATUS_SEV)
PAIR(SEV_STATUS_SEV_ES, SEV_STATUS_ES)
PAIR(MSR_EFER, MSR_EFER)
PAIR(EFER_LME, EFER_LME)
PAIR(EFER_LMA, EFER_LMA)
PAIR(EFER_NXE, EFER_NXE)

/* GHCB MSR protocol: the stub's name, then sevemu's name for the same value */
PAIR(GHCB_MSR_INFO_MASK, GHCB_MSR_INFO_MASK)
PAIR(GHCB_MSR_SEV_INFO_RESP, GHCB_MSR_SEV_INFO_RESP)
PAIR(GHCB_MSR_SEV_INFO_REQ, GHCB_MSR_SEV_INFO_REQ)
PAIR(GHCB_MSR_CPUID_REQ, GHCB_MSR_CPUID_REQ)
PAIR(GHCB_MSR_CPUID_RESP, GHCB_MSR_CPUID_RESP)
PAIR((GHCB_MSR_CPUID_REG_MASK + 0UL) << GHCB_MSR_CPUID_REG_SHIFT, GHCB_CPUID_REGISTER)
PAIR(GHCB_MSR_AP_RESET_HOLD_REQ, GHCB_MSR_AP_RESET_REQ)
PAIR(GHCB_MSR_PREF_GPA_REQ, GHCB_MSR_PREF_GPA_REQ)
PAIR(GHCB_MSR_REG_GPA_REQ, GHCB_MSR_REG_GPA_REQ)
PAIR(GHCB_MSR_PSC_REQ, GHCB_MSR_PSC_REQ)
PAIR(GHCB_MSR_VMPL_REQ, GHCB_MSR_VMPL_REQ)
PAIR(GHCB_MSR_HV_FEATURES_REQ, GHCB_MSR_HV_FT_REQ)
PAIR(GHCB_MSR_HV_FEATURES_RESP, GHCB_MSR_HV_FT_RESP)
PAIR(GHCB_MSR_TERM_REQ, GHCB_MSR_TERM_REQ)
PAIR(GHCB_VERSION_MIN, GHCB_PROTOCOL_MIN)

/* Exit codes: the stub's name, then sevemu's name for the same value */
PAIR(SVM_EXIT_READ_DR7, SVM_EXIT_READ_DR7)
PAIR(SVM_EXIT_WRITE_DR7, SVM_EXIT_WRITE_DR7)
PAIR(SVM_EXIT_EXCP_DB, SVM_EXIT_EXCP_DB)
PAIR(SVM_EXIT_EXCP_AC, SVM_EXIT_EXCP_AC)
PAIR(SVM_EXIT_RDTSC, SVM_EXIT_RDTSC)
PAIR(SVM_EXIT_RDPMC, SVM_EXIT_RDPMC)
PAIR(SVM_EXIT_CPUID, SVM_EXIT_CPUID)
PAIR(SVM_EXIT_INVD, SVM_EXIT_INVD)
PAIR(SVM_EXIT_IOIO, SVM_EXIT_IOIO)
PAIR(SVM_EXIT_MSR, SVM_EXIT_MSR)
PAIR(SVM_EXIT_VMMCALL, SVM_EXIT_VMMCALL)
PAIR(SVM_EXIT_RDTSCP, SVM_EXIT_RDTSCP)
PAIR(SVM_EXIT_WBINVD, SVM_EXIT_WBINVD)
PAIR(SVM_EXIT_MONITOR, SVM_EXIT_MONITOR)
PAIR(SVM_EXIT_MWAIT, SVM_EXIT_MWAIT)
PAIR(SVM_EXIT_NPF, SVM_EXIT_NPF)
PAIR(SVM_VMGEXIT_MMIO_READ, GHCB_EXIT_MMIO_READ)
PAIR(SVM_VMGEXIT_MMIO_WRITE, GHCB_EXIT_MMIO_WRITE)
PAIR(SVM_VMGEXIT_NMI_COMPLETE, GHCB_EXIT_NMI_COMPLETE)
PAIR(SVM_VMGEXIT_AP_HLT_LOOP, GHCB_EXIT_AP_RESET_HOLD)
PAIR(SVM_VMGEXIT_AP_JUMP_TABLE, GHCB_EXIT_AP_JUMP_TABLE)
PAIR(SVM_VMGEXIT_HV_FEATURES, GHCB_EXIT_HV_FEATURES)
PAIR(SVM_VMGEXIT_UNSUPPORTED_EVENT, GHCB_EXIT_UNSUPPORTED)

/* SW_EXITINFO1 of IOIO and MSR exits: the stub's name, then sevemu's name */
PAIR(SVM_IOIO_IN, IOIO_IN)
PAIR(SVM_IOIO_STR, IOIO_STRING)
PAIR(SVM_IOIO_REP, IOIO_REP)
PAIR(SVM_IOIO_SIZE_SHIFT, IOIO_SIZE_SHIFT)
PAIR(SVM_IOIO_SIZE8 | SVM_IOIO_SIZE16 | SVM_IOIO_SIZE32, IOIO_SIZE_MASK)
PAIR(SVM_IOIO_ADDR_SHIFT, IOIO_ADDR_SHIFT)
PAIR(SVM_IOIO_ADDR16 | SVM_IOIO_ADDR32 | SVM_IOIO_ADDR64, IOIO_ADDR_MASK)
PAIR(SVM_IOIO_SEG_SHIFT, IOIO_SEG_SHIFT)
PAIR(SVM_IOIO_PORT_SHIFT, IOIO_PORT_SHIFT)
PAIR(SVM_MSR_WRITE, MSR_INTERCEPT_WRITE)

/*
 * The hypervisor's answer: SW_EXITINFO1 is the result, SW_EXITINFO2 an error
 * code or the exception that the guest must raise. The stub's name comes first,
 * then sevemu's.
 */
PAIR(GHCB_RESULT_DONE, GHCB_REPLY_DONE)
PAIR(GHCB_RESULT_EXCEPTION, GHCB_REPLY_EXCEPTION)
PAIR(GHCB_RESULT_MALFORMED, GHCB_REPLY_MALFORMED)
PAIR(GHCB_ERR_INVALID_USAGE, GHCB_ERR_USAGE)
PAIR(GHCB_ERR_INVALID_SCRATCH_AREA, GHCB_ERR_SCRATCH)
PAIR(GHCB_ERR_MISSING_INPUT, GHCB_ERR_MISSING_INPUT)
PAIR(GHCB_ERR_INVALID_INPUT, GHCB_ERR_INVALID_INPUT)
PAIR(GHCB_ERR_INVALID_EVENT, GHCB_ERR_INVALID_EVENT)
PAIR(SVM_EVTINJ_VEC_MASK, EVENT_VECTOR)
PAIR(SVM_EVTINJ_TYPE_MASK, EVENT_TYPE_MASK)
PAIR(SVM_EVTINJ_TYPE_EXEPT, EVENT_TYPE_EXCEPTION)
PAIR(SVM_EVTINJ_VALID_ERR, EVENT_ERROR_VALID)
PAIR(SVM_EVTINJ_VALID, EVENT_VALID)

/* The GHCB page: a size or offset in the stub, then the same in sevemu */
PAIR(sizeof(struct ghcb), sizeof(struct ghcb))
PAIR(GHCB_SHARED_BUFFER_SIZE, GHCB_SHARED_SIZE)
PAIR(offsetof(struct ghcb, cpl), offsetof(struct ghcb, cpl))
PAIR(offsetof(struct ghcb, xss), offsetof(struct ghcb, xss))
PAIR(offsetof(struct ghcb, dr7), offsetof(struct ghcb, dr7))
PAIR(offsetof(struct ghcb, rip), offsetof(struct ghcb, rip))
PAIR(offsetof(struct ghcb, rsp), offsetof(struct ghcb, rsp))
PAIR(offsetof(struct ghcb, rax), offsetof(struct ghcb, rax))
PAIR(offsetof(struct ghcb, rcx), offsetof(struct ghcb, rcx))
PAIR(offsetof(struct ghcb, rdx), offsetof(struct ghcb, rdx))
PAIR(offsetof(struct ghcb, rbx), offsetof(struct ghcb, rbx))
PAIR(offsetof(struct ghcb, rbp), offsetof(struct ghcb, rbp))
PAIR(offsetof(struct ghcb, rsi), offsetof(struct ghcb, rsi))
PAIR(offsetof(struct ghcb, rdi), offsetof(struct ghcb, rdi))
PAIR(offsetof(struct ghcb, r8), offsetof(struct ghcb, r8_r15[0]))
PAIR(offsetof(struct ghcb, r15), offsetof(struct ghcb, r8_r15[7]))
PAIR(offsetof(struct ghcb, sw_exit_code), offsetof(struct ghcb, sw_exit_code))
PAIR(offsetof(struct ghcb, sw_exit_info_1), offsetof(struct ghcb, sw_exit_info_1))
PAIR(offsetof(struct ghcb, sw_exit_info_2), offsetof(struct ghcb, sw_exit_info_2))
PAIR(offsetof(struct ghcb, sw_scratch), offsetof(struct ghcb, sw_scratch))
PAIR(offsetof(struct ghcb, xcr0), offsetof(struct ghcb, xcr0))
PAIR(offsetof(struct ghcb, valid_bitmap), offsetof(struct ghcb, valid_bitmap))
PAIR(sizeof(((struct ghcb *)0)->valid_bitmap), sizeof(((struct ghcb *)0)->valid_bitmap))
PAIR(offsetof(struct ghcb, x87_state_gpa), offsetof(struct ghcb, x87_state_gpa))
PAIR(offsetof(struct ghcb, shared_buffer), offsetof(struct ghcb, shared_buffer))
PAIR(offsetof(struct ghcb, protocol_version), offsetof(struct ghcb, protocol_version))
PAIR(offsetof(struct ghcb, usage), offsetof(struct ghcb, ghcb_usage))

/*
 * Page table entries, page fault error codes and exception vectors: the stub's
 * name, then sevemu's name
 */
PAIR(PTE_PRESENT, PTE_P)
PAIR(PTE_WRITE, PTE_W)
PAIR(PTE_USER, PTE_U)
PAIR(PTE_ACCESSED, PTE_A)
PAIR(PTE_DIRTY, PTE_D)
PAIR(PTE_LEAF, PTE_PS)
PAIR(PTE_NX, PTE_NX)
PAIR(PTE_ADDR_MASK, PTE_ADDR)
PAIR(PF_PRESENT, PF_P)
PAIR(PF_WRITE, PF_W)
PAIR(PF_USER, PF_U)
PAIR(PF_FETCH, PF_ID)
PAIR(PAGE_SIZE, PAGE_SIZE)
PAIR(PMD_SIZE, LARGE_SIZE)
PAIR(X86_TRAP_DB, X86_DB)
PAIR(X86_TRAP_NMI, X86_NMI)
PAIR(X86_TRAP_UD, X86_UD)
PAIR(X86_TRAP_DF, X86_DF)
PAIR(X86_TRAP_GP, X86_GP)
PAIR(X86_TRAP_PF, X86_PF)
PAIR(X86_TRAP_AC, X86_AC)
PAIR(X86_TRAP_VC, X86_VC)
PAIR(TRAPS_WITH_ERROR_CODE, X86_HAS_ERROR_CODE)

/*
 * Constants that sevemu has and the stub does not need: exit codes that only a
 * hypervisor handles, and fields that only a hypervisor reads.
 */
/* Of SEV-SNP guests, which the stub does not start. */
SEVEMU_ONLY(GHCB_MSR_AP_RESET_RESP)
SEVEMU_ONLY(GHCB_AP_STARTED)
SEVEMU_ONLY(GHCB_MSR_PREF_GPA_RESP)
SEVEMU_ONLY(GHCB_MSR_REG_GPA_RESP)
SEVEMU_ONLY(GHCB_MSR_PSC_RESP)
SEVEMU_ONLY(GHCB_MSR_VMPL_RESP)
SEVEMU_ONLY(GHCB_PREF_GPA_NONE)
SEVEMU_ONLY(GHCB_PSC_GPA)
SEVEMU_ONLY(GHCB_PSC_OP_SHIFT)
SEVEMU_ONLY(GHCB_PSC_OP_MASK)
SEVEMU_ONLY(GHCB_PSC_RESERVED)
SEVEMU_ONLY(GHCB_PSC_ERROR)
SEVEMU_ONLY(GHCB_VMPL_SHIFT)
SEVEMU_ONLY(GHCB_FEATURE_SNP)
SEVEMU_ONLY(GHCB_FEATURE_AP_CREATION)
SEVEMU_ONLY(GHCB_FEATURE_MULTI_VMPL)
SEVEMU_ONLY(GHCB_PROTOCOL_SNP)
SEVEMU_ONLY(GHCB_EXIT_PAGE_STATE)
SEVEMU_ONLY(GHCB_EXIT_GUEST_REQUEST)
SEVEMU_ONLY(GHCB_EXIT_EXT_GUEST_REQUEST)
SEVEMU_ONLY(GHCB_EXIT_AP_CREATION)
SEVEMU_ONLY(GHCB_AP_CREATE_ON_INIT)
SEVEMU_ONLY(GHCB_AP_CREATE)
SEVEMU_ONLY(GHCB_AP_DESTROY)
SEVEMU_ONLY(GHCB_EXIT_APIC_IDS)
SEVEMU_ONLY(GHCB_EXIT_RUN_VMPL)
SEVEMU_ONLY(GHCB_EXIT_TERMINATE)
SEVEMU_ONLY(GHCB_ERR_NOT_REGISTERED)
SEVEMU_ONLY(SVM_EXIT_EXCP_UD)
SEVEMU_ONLY(SVM_EXIT_NOT_VALIDATED)
/* Of all guests. */
SEVEMU_ONLY(SVM_EXIT_READ_DR0)
SEVEMU_ONLY(SVM_EXIT_WRITE_DR0)
SEVEMU_ONLY(SVM_EXIT_WRITE_CR0)
SEVEMU_ONLY(SVM_EXIT_WRITE_CR3)
SEVEMU_ONLY(SVM_EXIT_WRITE_CR4)
SEVEMU_ONLY(SVM_EXIT_NMI)
SEVEMU_ONLY(SVM_EXIT_INTR)
SEVEMU_ONLY(SVM_EXIT_INIT)
SEVEMU_ONLY(SVM_EXIT_IRET)
SEVEMU_ONLY(SVM_EXIT_HLT)
SEVEMU_ONLY(SVM_EXIT_INVLPGA)
SEVEMU_ONLY(SVM_EXIT_SHUTDOWN)
SEVEMU_ONLY(SVM_EXIT_VMRUN)
SEVEMU_ONLY(SVM_EXIT_VMLOAD)
SEVEMU_ONLY(SVM_EXIT_VMSAVE)
SEVEMU_ONLY(SVM_EXIT_STGI)
SEVEMU_ONLY(SVM_EXIT_CLGI)
SEVEMU_ONLY(SVM_EXIT_SKINIT)
SEVEMU_ONLY(SVM_EXIT_MWAIT_ARMED)
SEVEMU_ONLY(SVM_EXIT_INVALID)
SEVEMU_ONLY(EVENT_TYPE_NMI)
SEVEMU_ONLY(EVENT_TYPE_SOFT)
SEVEMU_ONLY(IOIO_SEG_MASK)
