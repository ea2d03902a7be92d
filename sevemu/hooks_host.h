/* SPDX-License-Identifier: MIT */
/*
 * hooks_host.h - the hypervisor's side of the test hooks (hooks.c).  The guest's
 * side is hooks.h.
 */
#ifndef SEVEMU_HOOKS_HOST_H
#define SEVEMU_HOOKS_HOST_H

#include "sevemu.h"

/*
 * Handles a VMMCALL without prefix if it is a hook call.  Called on
 * SVM_EXIT_VMMCALL with RIP at the instruction.  Returns true if it was a hook,
 * which is then done, with its result in RAX and RIP moved on.  Returns false,
 * with nothing changed, without --test-hooks or without HOOK_MAGIC in EAX.
 */
bool hook_call(struct vcpu *vcpu);

/*
 * Notes the violation @violation (VIOL_*) for HOOK_VIOLATION.  Returns whether
 * the guest announced this one by HOOK_EXPECT.  An announcement holds for one
 * violation, whether it was the right one or not.
 */
bool hook_expects(unsigned int violation);

#endif
