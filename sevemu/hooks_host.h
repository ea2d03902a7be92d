/* SPDX-License-Identifier: MIT */
/*
 * hooks_host.h - the hypervisor's side of the hooks, the services for test
 * guests (hooks.c).  hooks.h describes them for the guest.
 */
#ifndef SEVEMU_HOOKS_HOST_H
#define SEVEMU_HOOKS_HOST_H

#include "sevemu.h"

/*
 * Handles a VMMCALL by which a test guest calls a service of hooks.h.  exits.c
 * calls it at a VMMCALL without prefix, with the guest's RIP at the
 * instruction.  Returns true if the service was executed; its result is in RAX,
 * and RIP is after VMMCALL.  Returns false, with nothing changed, without
 * --test-hooks or without HOOK_MAGIC in EAX.
 */
bool hook_call(struct vcpu *vcpu);

/*
 * Notes the guest's violation of the ABI, @violation (VIOL_*), for
 * HOOK_VIOLATION.  Returns whether the guest has announced this violation by
 * HOOK_EXPECT.  An announcement is for the next violation only, and is cleared
 * here in any case.  report.c calls it at each violation.
 */
bool hook_expects(unsigned int violation);

#endif
