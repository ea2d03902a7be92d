/* SPDX-License-Identifier: MIT */
/*
 * sevemu.h - the hypervisor's central structures: the configuration of a run
 * and the virtual CPU.
 *
 * main.c owns one struct config and one struct vcpu.  The run loop hands the
 * virtual CPU down to every function that needs it.  What a .c file offers is
 * declared in the header of the same name (npt.c: npt.h).
 */
#ifndef SEVEMU_H
#define SEVEMU_H

#include "string.h"
#include "svm.h"
#include "x86.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)	((x) & ~((u64)(a) - 1))
#define ALIGN_UP(x, a)		ALIGN_DOWN((x) + (a) - 1, a)

/* KVM's hypercall error, negated in RAX: there is no hypercall of that number. */
#define KVM_ENOSYS		1000

enum sev_mode { SEV_OFF, SEV_SEV, SEV_ES };
enum boot_mode { MODE_DIRECT64, MODE_DIRECT32, MODE_OVMF };

/* Indices of vcpu.gpr[], which are the register numbers of the instruction encoding. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* Segment register numbers, in the order of the instruction encoding and the VMCB. */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

/* The wrapper's options.  main.c fills this once, before the guest starts. */
struct config {
	enum sev_mode sev;	/* --sev */
	enum boot_mode mode;	/* --mode */
	unsigned int cbit;	/* --cbit: the C-bit's position, 47 or 51 */
	unsigned int ghcb_max;	/* --ghcb-max: highest GHCB protocol version, 1 or 2 */
	bool la57, rdtsc, strict, icount, trace, hooks;
	bool hostile;		/* --attack or --hostile was given */
	bool has_marker;	/* --marker was given */
	u64 marker;		/* --marker's linear address; KASLR moves it */
	u64 load;		/* --load: load address; 0: what the image prefers */
};

/*
 * The virtual CPU.  exits.c sets the intercepts in the VMCB from it, and after
 * each exit main.c has copied RAX and RSP from the VMCB to gpr[].
 */
struct vcpu {
	u64 gpr[16];		/* RAX to R15, indexed as the instruction encoding does */
	struct vmcb *vmcb;	/* in hypervisor memory, one page */
	u64 ghcb_msr;		/* the GHCB MSR as the guest reads it */
	u64 dr7;		/* the DR7 that the guest believes it has */
	u64 jump_table;		/* AP jump table address that the guest set; 0: none */
	u32 intercepts;		/* HOOK_INTERCEPT_* that a test guest asked for */
	bool nmi_pending;	/* an NMI waits for injection */
	bool nmi_masked;	/* the guest has not finished the last NMI */
	u64 hlt_rip;		/* RIP of the last HLT that exited */
	bool marker_armed;	/* DR0 holds config.marker instead of the guest's value */
	u64 guest_dr0;		/* the guest's DR0 while marker_armed is set */
	bool below_kernel_va;	/* no exit had a RIP in the upper half so far */
	u64 last_seen;		/* report_now() at the last exit below kernel addresses */
};

#endif
