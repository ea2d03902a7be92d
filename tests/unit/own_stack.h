/* SPDX-License-Identifier: MIT */
/*
 * own_stack.h - tells whether a function leaves given bytes on its stack.
 */
#ifndef OWN_STACK_H
#define OWN_STACK_H

#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

static unsigned char own_stack[256 << 10];

/*
 * Returns true if the @len bytes at @bytes are anywhere in own_stack. The address sanitizer
 * does not watch this function, because it reads memory of functions that have returned.
 */
static __attribute__((no_sanitize("address"))) bool on_own_stack(const char *bytes, size_t len)
{
	size_t at, i;

	for (at = 0; at + len <= sizeof(own_stack); at++) {
		for (i = 0; i < len && own_stack[at + i] == (unsigned char)bytes[i]; i++)
			;
		if (i == len)
			return true;
	}
	return false;
}

/*
 * Calls @function twice, the second time on a stack that holds zeroes. Returns true if the
 * @len bytes at @bytes are on that stack afterwards.
 */
static inline bool leaves_on_stack(void (*function)(void), const char *bytes, size_t len)
{
	static ucontext_t here, there;

	/* The first call binds functions of libraries. The linker saves registers then. */
	function();
	memset(own_stack, 0, sizeof(own_stack));
	getcontext(&there);
	there.uc_stack.ss_sp = own_stack;
	there.uc_stack.ss_size = sizeof(own_stack);
	there.uc_link = &here;
	makecontext(&there, function, 0);
	swapcontext(&here, &there);
	return on_own_stack(bytes, len);
}

#endif
