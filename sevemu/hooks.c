/* SPDX-License-Identifier: MIT */
/*
 * hooks.c - services that a test guest calls by VMMCALL if sevemu was started
 * with --test-hooks, such as "inject an NMI".  hooks.h describes them.
 *
 * exits.c calls hook_call() when the guest has executed VMMCALL.
 */
#include "attack.h"
#include "exception.h"
#include "exits.h"
#include "hooks.h"
#include "hooks_host.h"
#include "launch.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"

/* The guest's last violation of the ABI (VIOL_*), which HOOK_VIOLATION returns. */
static unsigned int last_violation;
/*
 * The violation (VIOL_*) that the guest has announced by HOOK_EXPECT.
 * VIOL_NONE: the guest has not announced a violation.
 */
static unsigned int expected;

/* Returns the options of this run as the guest gets them from HOOK_CONFIG. */
static u64 config_word(void)
{
	return (u64)config.sev << HOOK_CONFIG_SEV_SHIFT |
	       (u64)config.ghcb_max << HOOK_CONFIG_MAX_SHIFT |
	       (u64)config.cbit << HOOK_CONFIG_CBIT_SHIFT |
	       (config.strict ? HOOK_CONFIG_STRICT : 0) |
	       (config.la57 ? HOOK_CONFIG_LA57 : 0) |
	       (config.rdtsc ? HOOK_CONFIG_RDTSC : 0) |
	       (config.rmp_2m ? HOOK_CONFIG_RMP_2M : 0) |
	       (u64)config.convert << HOOK_CONFIG_CONVERT_SHIFT |
	       (u64)config.vmpl << HOOK_CONFIG_VMPL_SHIFT |
	       (launch_all() ? 0 : HOOK_CONFIG_LOADED) |
	       (config.host == HOST_SPEC ? HOOK_CONFIG_SPEC : 0) |
	       (config.smp > 1 ? HOOK_CONFIG_SMP : 0);
}

bool hook_expects(unsigned int violation)
{
	bool asked = config.hooks && expected == violation;

	last_violation = violation;
	expected = VIOL_NONE;
	return asked;
}

/*
 * Executes the service @function (HOOK_* of hooks.h) for the guest and returns
 * its result, which the guest gets in RAX.
 */
static u64 hook(struct vcpu *vcpu, u32 function, u64 arg1, u64 arg2)
{
	u64 old;

	switch (function) {
	case HOOK_VERSION:
		return HOOK_API;
	case HOOK_CONFIG:
		return config_word();
	case HOOK_COUNT:
		return report_figure(arg1);
	case HOOK_FRAME_STATE:
		return npt_frame_state(arg1);
	case HOOK_FRAME_READ:
		return npt_host_peek(arg1);
	case HOOK_NMI:
		vcpu->nmi_pending = true;
		return 0;
	case HOOK_INTERCEPT:
		old = vcpu->intercepts;
		vcpu->intercepts = arg1;
		exits_init(vcpu);
		return old;
	case HOOK_VIOLATION:
		old = last_violation;
		last_violation = VIOL_NONE;
		return old;
	case HOOK_EXPECT:
		expected = arg1;
		return 0;
	case HOOK_MARK:
		report_marker(vcpu);
		return 0;
	case HOOK_NMI_STATE:
		return (vcpu->nmi_pending ? 1 : 0) | (vcpu->nmi_masked ? 2 : 0);
	case HOOK_RMP:
		return guest_is_snp() ? rmp_word(arg1) : HOOK_ERROR;
	case HOOK_RMP_SET:
		if (!guest_is_snp())
			return HOOK_ERROR;
		rmp_force(arg1, arg2);
		return 0;
	case HOOK_BREAK:
		if (!npt_flags(arg1))
			return HOOK_ERROR;
		attack_break(arg1, arg2);
		return 0;
	case HOOK_INJECT:
		vcpu->gpr[RAX] = 0;
		guest_raise(vcpu, arg1 % 32, arg2);
		return 0;
	default:
		return HOOK_ERROR;
	}
}

bool hook_call(struct vcpu *vcpu)
{
	if (!config.hooks || (u32)vcpu->gpr[RAX] != HOOK_MAGIC)
		return false;
	vcpu->vmcb->rip += 3;
	vcpu->gpr[RAX] = hook(vcpu, vcpu->gpr[RCX], vcpu->gpr[RDX], vcpu->gpr[RSI]);
	return true;
}
