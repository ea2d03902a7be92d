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
 * Returns true if the @len bytes at @bytes are anywhere in own_stack, the memory that
 * leaves_on_stack() uses as a stack. The function reads stack frames of functions that have
 * returned. The address sanitizer would report these reads, so it is switched off for this
 * function.
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
 * Calls @function twice. The first call binds the library functions that @function calls. The
 * second call runs on own_stack, filled with zeroes before. Returns true if the @len bytes at
 * @bytes are in own_stack afterwards.
 */
static inline bool leaves_on_stack(void (*function)(void), const char *bytes, size_t len)
{
	static ucontext_t here, there;

	/*
	 * The first call lets the dynamic linker bind the library functions that @function
	 * calls. The linker then saves registers on the stack, which would otherwise be
	 * taken for bytes that @function has left.
	 */
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
