/* SPDX-License-Identifier: MIT */
/*
 * fresh_stack.h - calls a function on the half of the stack that nothing has used before, so
 * that it holds no old address that a hypervisor could put back.
 */
#ifndef FRESH_STACK_H
#define FRESH_STACK_H

struct boot;

/*
 * Calls @function with @boot on the lower half of the stub's stack, which nothing has used
 * before. The hypervisor of an SEV-ES guest can therefore put back on this half only what
 * @function itself has written. May be called once, by code that runs on the upper half.
 */
void call_on_fresh_stack(void (*function)(const struct boot *boot), const struct boot *boot);

#endif
