/* SPDX-License-Identifier: MIT */
/*
 * names.c - names for numbers: exit codes, requests of the MSR protocol, ABI
 * violations, and the reasons for which a guest asks to be terminated.
 */
#include "ghcb.h"
#include "hooks.h"
#include "names.h"
#include "sevemu.h"

const struct name exit_names[EXIT_NAMES] = {
	{ SVM_EXIT_READ_DR7, "dr7-read" },
	{ SVM_EXIT_WRITE_DR7, "dr7-write" },
	{ SVM_EXIT_EXCP_DB, "db" },
	{ SVM_EXIT_EXCP_AC, "ac" },
	{ SVM_EXIT_RDTSC, "rdtsc" },
	{ SVM_EXIT_RDPMC, "rdpmc" },
	{ SVM_EXIT_CPUID, "cpuid" },
	{ SVM_EXIT_INVD, "invd" },
	{ SVM_EXIT_IOIO, "ioio" },
	{ SVM_EXIT_MSR, "msr" },
	{ SVM_EXIT_VMMCALL, "vmmcall" },
	{ SVM_EXIT_RDTSCP, "rdtscp" },
	{ SVM_EXIT_WBINVD, "wbinvd" },
	{ SVM_EXIT_MONITOR, "monitor" },
	{ SVM_EXIT_MWAIT, "mwait" },
	{ SVM_EXIT_NPF, "npf" },
	{ SVM_EXIT_NOT_VALIDATED, "not-validated" },
	{ GHCB_EXIT_MMIO_READ, "mmio-read" },
	{ GHCB_EXIT_MMIO_WRITE, "mmio-write" },
	{ GHCB_EXIT_NMI_COMPLETE, "nmi-complete" },
	{ GHCB_EXIT_AP_RESET_HOLD, "ap-reset-hold" },
	{ GHCB_EXIT_AP_JUMP_TABLE, "ap-jump-table" },
	{ GHCB_EXIT_PAGE_STATE, "page-state" },
	{ GHCB_EXIT_GUEST_REQUEST, "guest-request" },
	{ GHCB_EXIT_EXT_GUEST_REQUEST, "extended-guest-request" },
	{ GHCB_EXIT_AP_CREATION, "ap-creation" },
	{ GHCB_EXIT_APIC_IDS, "apic-ids" },
	{ GHCB_EXIT_RUN_VMPL, "run-vmpl" },
	{ GHCB_EXIT_HV_FEATURES, "hv-features" },
	{ GHCB_EXIT_TERMINATE, "terminate" },
	{ GHCB_EXIT_UNSUPPORTED, "unsupported-event" },
};

const char *exit_name(u64 exit_code)
{
	unsigned int i;

	for (i = 0; i < EXIT_NAMES; i++)
		if (exit_names[i].code == exit_code)
			return exit_names[i].name;
	return "unknown";
}

const struct name msr_names[MSR_NAMES] = {
	{ GHCB_MSR_SEV_INFO_REQ, "sev-info" },
	{ GHCB_MSR_CPUID_REQ, "cpuid" },
	{ GHCB_MSR_AP_RESET_REQ, "ap-reset-hold" },
	{ GHCB_MSR_PREF_GPA_REQ, "preferred-ghcb" },
	{ GHCB_MSR_REG_GPA_REQ, "register-ghcb" },
	{ GHCB_MSR_PSC_REQ, "page-state" },
	{ GHCB_MSR_VMPL_REQ, "vmpl" },
	{ GHCB_MSR_HV_FT_REQ, "hv-features" },
	{ GHCB_MSR_TERM_REQ, "terminate" },
};

const char *const violation_names[VIOLATION_NAMES] = {
	[VIOL_NONE] = "none",
	[VIOL_MSR_REQUEST] = "msr-request",
	[VIOL_GHCB_ADDRESS] = "ghcb-address",
	[VIOL_GHCB_PRIVATE] = "ghcb-private",
	[VIOL_GHCB_VERSION] = "ghcb-version",
	[VIOL_USAGE] = "usage",
	[VIOL_SCRATCH] = "scratch",
	[VIOL_MISSING_INPUT] = "missing-input",
	[VIOL_INVALID_INPUT] = "invalid-input",
	[VIOL_INVALID_EVENT] = "invalid-event",
	[VIOL_NOT_SNP] = "not-snp",
	[VIOL_UNSUPPORTED_EVENT] = "unsupported-event",
	[VIOL_GHCB_UNREGISTERED] = "ghcb-unregistered",
	[VIOL_RMP_MISMATCH] = "rmp-mismatch",
	[VIOL_DOUBLE_VALIDATION] = "double-validation",
	[VIOL_LATE_RESCIND] = "late-rescind",
	[VIOL_NOT_RESCINDED] = "not-rescinded",
	[VIOL_PVALIDATE_C0] = "pvalidate-c0",
	[VIOL_RMP_INPUT] = "rmp-input",
	[VIOL_VMPL_RIGHTS] = "vmpl-rights",
	[VIOL_PSC_HEADER] = "page-state-header",
	[VIOL_PSC_ENTRY] = "page-state-entry",
	[VIOL_SVSM_CALL] = "svsm-call",
};

const char *const violation_rules[VIOLATION_NAMES] = {
	[VIOL_NONE] = "",
	[VIOL_MSR_REQUEST] = "the GHCB MSR must hold a known request or a page's address",
	[VIOL_GHCB_ADDRESS] = "the GHCB must be in RAM of the guest",
	[VIOL_GHCB_PRIVATE] = "the GHCB must be a shared page",
	[VIOL_GHCB_VERSION] = "the GHCB must name a protocol version that was offered",
	[VIOL_USAGE] = "the GHCB's usage must be 0",
	[VIOL_SCRATCH] = "the scratch area must be inside the GHCB's shared buffer",
	[VIOL_MISSING_INPUT] = "each field that the exit needs must be marked valid",
	[VIOL_INVALID_INPUT] = "each field must have a value that the exit allows",
	[VIOL_INVALID_EVENT] = "sw_exit_code must be one that the protocol version has",
	[VIOL_NOT_SNP] = "only SNP guests may make this request",
	[VIOL_UNSUPPORTED_EVENT] = "the guest must handle each exit that it can cause",
	[VIOL_GHCB_UNREGISTERED] = "an SNP guest must register its GHCB before its first use",
	[VIOL_RMP_MISMATCH] = "the C-bit of a mapping must match the state of its page",
	[VIOL_DOUBLE_VALIDATION] = "a page must be validated once only",
	[VIOL_LATE_RESCIND] = "a page's validation must be rescinded while it is validated",
	[VIOL_NOT_RESCINDED] = "a page's validation must be rescinded before it is shared",
	[VIOL_PVALIDATE_C0] = "PVALIDATE, RMPADJUST and RMPQUERY must use a mapping with the C-bit",
	[VIOL_RMP_INPUT] = "operands of PVALIDATE and RMPADJUST must be well-formed",
	[VIOL_VMPL_RIGHTS] = "a VMPL may access a page only with the rights that it has",
	[VIOL_PSC_HEADER] = "the header of a page state request must be well-formed",
	[VIOL_PSC_ENTRY] = "each entry of a page state request must be well-formed",
	[VIOL_SVSM_CALL] = "a call of the SVSM needs an SVSM and a usable calling area",
};

/*
 * Meanings of the termination reasons, indexed by reason code.  reasons_ghcb[]
 * is set 0 (GHCB 2.3.1), reasons_linux[] is set 1 (Linux's asm/sev-common.h),
 * reasons_sevstub[] is set 2 (SEVSTUB_TERM_* in sevstub's include/sev.h).
 */
static const char *const reasons_ghcb[] = {
	"general", "protocol version not supported", "SNP features missing",
};

static const char *const reasons_linux[] = {
	"GHCB not registered", "page state change failed", "PVALIDATE failed",
	"not running at VMPL0", "CPUID table not valid",
	"CPUID by the hypervisor failed", "secrets page not valid",
	"no SVSM in the secrets page", "SVSM left VMPL0 to the guest",
	"SVSM's calling area is not aligned", "secure TSC failed",
	"SVSM's calling area cannot be mapped", "secure AVIC failed",
};

static const char *const reasons_sevstub[] = {
	"general, see the console",
	"C-bit is not where the hypervisor said",
	"CPUID, SEV information and page tables disagree on the C-bit",
	"C-bit position out of range",
	"CPUID denies what SEV_STATUS says",
	"SEV_STATUS has an unknown feature",
	"#VC exit code does not match the instruction",
	"#VC on an unknown instruction",
	"reply of the hypervisor breaks the protocol",
	"hypervisor injected an unexpected exception",
	"exception while a #VC was being answered",
	"#VC exit code not supported",
	"#VC needs the GHCB before there was one",
	"CPUID sub-leaf over the MSR protocol",
	"MMIO #VC on a private page",
	"MMIO #VC on RAM",
	"unexpected exception",
	"GHCB could not be made shared or private",
	"CPU lacks a feature that SEV-ES guests have",
	"image is truncated",
	"not enough RAM where the image must run",
	"load address in the way of the image's move",
	"loader handed over something wrong",
	"image is damaged",
	"NMI",
	"private memory that is not validated",
};

static const struct {
	const char *name;
	const char *const *reasons;
	unsigned int count;
} reason_sets[] = {
	{ "GHCB", reasons_ghcb, ARRAY_SIZE(reasons_ghcb) },
	{ "Linux", reasons_linux, ARRAY_SIZE(reasons_linux) },
	{ "sevstub", reasons_sevstub, ARRAY_SIZE(reasons_sevstub) },
};

const char *reason_set_name(unsigned int set)
{
	return set < ARRAY_SIZE(reason_sets) ? reason_sets[set].name : "unknown";
}

const char *reason_name(unsigned int set, unsigned int code)
{
	if (set >= ARRAY_SIZE(reason_sets) || code >= reason_sets[set].count)
		return "unknown";
	return reason_sets[set].reasons[code];
}
