/* SPDX-License-Identifier: MIT */
/*
 * fresh_stack.h - a function call on the half of the stack that nothing has used before.
 */
#ifndef FRESH_STACK_H
#define FRESH_STACK_H

struct boot;

/*
 * Calls @function with @boot on the lower half of the stub's stack. What the hypervisor of
 * an SEV-ES guest can put back there is what @function itself has written. May be called
 * once, on the upper half of the stack.
 */
void call_on_fresh_stack(void (*function)(const struct boot *boot), const struct boot *boot);

#endif
