/* SPDX-License-Identifier: MIT */
/*
 * watch_page.h - stops the code under test at each access to a page, as a hypervisor can stop
 * a guest by nested page faults.
 */
#ifndef WATCH_PAGE_H
#define WATCH_PAGE_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <ucontext.h>

#define WATCHED_SIZE	4096
#define EFLAGS_TF	0x100

static struct {
	unsigned char *page;	/* the watched page */
	int rights;		/* PROT_*: accesses that do not stop */
	void (*before)(unsigned long addr);
	void (*after)(void);
	struct sigaction old_fault, old_step;
	/* Where to go at a fault outside of the page, if @leaves is true. */
	sigjmp_buf outside;
	bool leaves;
} watch;

/*
 * Handler of SIGTRAP, which follows each instruction that watch_fault() has let pass. Calls
 * watch.after(), and protects the page again.
 */
static void watch_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number;
	(void)info;
	uc->uc_mcontext.gregs[REG_EFL] &= ~EFLAGS_TF;
	watch.after();
	mprotect(watch.page, WATCHED_SIZE, watch.rights);
}

/*
 * Handler of SIGSEGV. If the fault is an access to the watched page, it permits all accesses to
 * the page, calls watch.before() with the address, and has the processor trap after the
 * instruction. Then watch_step() runs.
 */
static void watch_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned long addr = (unsigned long)info->si_addr;

	if (addr - (unsigned long)watch.page >= WATCHED_SIZE) {
		if (watch.leaves)
			siglongjmp(watch.outside, 1);
		signal(number, SIG_DFL);
		return;
	}
	mprotect(watch.page, WATCHED_SIZE, PROT_READ | PROT_WRITE);
	if (watch.before)
		watch.before(addr);
	uc->uc_mcontext.gregs[REG_EFL] |= EFLAGS_TF;
}

/*
 * From now on calls @before, which may be NULL, before each access to the page at @page that
 * @rights do not allow, and @after after the instruction that makes the access.
 */
static void watch_begin(void *page, int rights, void (*before)(unsigned long), void (*after)(void))
{
	struct sigaction fault = { .sa_sigaction = watch_fault, .sa_flags = SA_SIGINFO };
	struct sigaction step = { .sa_sigaction = watch_step, .sa_flags = SA_SIGINFO };

	watch.page = page;
	watch.rights = rights;
	watch.before = before;
	watch.after = after;
	watch.leaves = false;
	sigaction(SIGSEGV, &fault, &watch.old_fault);
	sigaction(SIGTRAP, &step, &watch.old_step);
	mprotect(page, WATCHED_SIZE, rights);
}

/* Ends the watch that watch_begin() has begun, and makes the page readable and writable again. */
static void watch_end(void)
{
	mprotect(watch.page, WATCHED_SIZE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &watch.old_fault, NULL);
	sigaction(SIGTRAP, &watch.old_step, NULL);
}
#endif
