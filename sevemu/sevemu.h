/* SPDX-License-Identifier: MIT */
/*
 * sevemu.h - the hypervisor's central structures: the configuration of a run
 * and the virtual CPU.
 *
 * main.c owns one struct config and the virtual CPUs.  The run loop hands the
 * virtual CPU down to every function that needs it.  The header of a .c file
 * has the same name: npt.h declares the functions of npt.c.
 */
#ifndef SEVEMU_H
#define SEVEMU_H

#include "string.h"
#include "svm.h"
#include "x86.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)	((x) & ~((u64)(a) - 1))
#define ALIGN_UP(x, a)		ALIGN_DOWN((x) + (a) - 1, a)

/* A hypercall of an unknown number returns -KVM_ENOSYS in RAX, as in KVM. */
#define KVM_ENOSYS		1000

/* In a variable that holds the address of a GHCB page or of a VMSA page: there is no page. */
#define GHCB_NONE		(~0ull)

/* The guest can have up to this many virtual CPUs. */
#define VCPUS_MAX		16

enum sev_mode { SEV_OFF, SEV_SEV, SEV_ES, SEV_SNP };
/* What the host does where KVM and the GHCB specification differ. */
enum host_kind { HOST_KVM, HOST_SPEC };
/*
 * What a device gets when it reads private memory of the guest (--dma).  DMA_OPEN: the
 * plaintext.  DMA_ENCRYPTED: the ciphertext.  DMA_STRICT: the access ends the run.
 */
enum dma_kind { DMA_OPEN, DMA_ENCRYPTED, DMA_STRICT };
enum boot_mode { MODE_DIRECT64, MODE_DIRECT32, MODE_OVMF };

/* What changes a page of an SNP guest between private and shared (--snp-convert). */
enum snp_convert {
	/*
	 * A page becomes private or shared by a page state change, and by the first access to a
	 * page that neither the loader nor the guest has used yet.  A page of the firmware image
	 * also becomes shared by a read with C=0.
	 */
	CONVERT_STRICT,
	CONVERT_NONE,		/* a page state change only */
	CONVERT_IMPLICIT,	/* any access through the other view converts a page (KVM) */
};

/* Indices of vcpu.gpr[], which are the register numbers of the instruction encoding. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* Segment register numbers, in the order of the instruction encoding and the VMCB. */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

/*
 * The options of the sevemu script (sevemu.1 describes them).  main.c reads
 * them once from fw_cfg, before the guest starts.
 */
struct config {
	enum sev_mode sev;	/* --sev: no SEV, SEV, SEV-ES or SEV-SNP */
	enum boot_mode mode;	/* --mode: boots firmware or a kernel */
	unsigned int cbit;	/* --cbit: the C-bit's position, 47 or 51 */
	unsigned int ghcb_max;	/* --ghcb-max: highest GHCB protocol version, 1 or 2 */
	enum dma_kind dma;	/* --dma: what devices can access */
	enum host_kind host;	/* --host: the host follows KVM or the GHCB specification */
	bool vga, la57, rdtsc, strict, icount, trace, hooks;
	bool hostile;		/* --attack or --hostile: the host attacks the guest */
	/*
	 * --attack-once: the host attacks the guest in a single run.  The attack begins
	 * after @once_exits exits if this is not 0.  If @once_later is true, the attack
	 * begins when the sevemu script asks for it (STOP_ATTACK of ports.h).
	 */
	bool once, once_later;
	u64 once_exits;
	bool has_marker;	/* --marker was given, so @marker is valid */
	u64 marker;		/* --marker: linear address of the payload's entry;
				 * watch_kaslr.c adds KASLR's distance to it */
	/*
	 * --timeout and --cpu-timeout, in seconds.  The sevemu script measures the time, and
	 * the hypervisor only names the numbers in a message.
	 */
	u64 timeout;
	u64 cpu_timeout;
	bool trace_time;	/* --trace-time: each line of the trace has the time */
	bool tpm;		/* QEMU's arguments name a TPM */
	bool gdb;		/* --gdb: gdb controls the guest */
	bool has_success;	/* --success-port was given: the two fields below are valid */
	u64 success_port;	/* I/O port to which the guest writes its result */
	u64 success_value;	/* --success-port: the value that the guest writes if it
				 * succeeds; any other value means failure */
	u64 vars;		/* bytes of the file of --vars, whole pages; 0: no --vars */
	u64 load;		/* --load: address to load the kernel at; 0: at
				 * the kernel's preferred address */
	/* The fields from here to @psc_entries have an effect with --sev snp only. */
	enum snp_convert convert;	/* --snp-convert */
	bool rmp_2m;		/* --rmp=2m: RMP entries cover 2 MiB where possible */
	unsigned int vmpl;	/* --vmpl: the VMPL that the guest runs at, 0 to 3 */
	/*
	 * --psc-entries: entries of a page state request that the host handles
	 * before it lets the guest run again, 1 to 253.
	 */
	unsigned int psc_entries;
	bool measure;		/* --measure: sevemu's report has the launch digest */
	bool x2apic;		/* --x2apic: the local APICs have x2APIC mode */
	unsigned int smp;	/* --smp: number of virtual CPUs, 1 to VCPUS_MAX */
	u64 seed;		/* --seed: varies the order of the virtual CPUs; 0: not given */
};

/* What a virtual CPU does.  ap.c has the rules. */
enum vcpu_state {
	VCPU_RUN,		/* the virtual CPU runs the guest */
	VCPU_OFF,		/* the guest has not started the virtual CPU since the
				 * launch, or has destroyed it */
	VCPU_INIT,		/* the virtual CPU has got INIT, and waits for a SIPI */
	VCPU_HOLD,		/* the guest has asked for AP reset hold */
	VCPU_HALTED,		/* the guest has executed HLT with interrupts off */
};

/* How a virtual CPU has asked for AP reset hold (GHCB 4.3). */
enum ap_hold { HOLD_NONE, HOLD_PAGE, HOLD_MSR };

/*
 * The virtual CPU.  After each VMEXIT the run loop copies RAX and RSP from the
 * VMCB to gpr[].  exits.c sets the VMCB's intercepts as the fields below
 * require.
 */
struct vcpu {
	u64 gpr[16];		/* the guest's RAX to R15, by register number */
	struct vmcb *vmcb;	/* the guest's VMCB, one page of hypervisor memory */
	u64 ghcb_msr;		/* value that the guest reads from the GHCB MSR */
	u64 dr7;		/* value that the guest reads from DR7; the DR7 in
				 * the VMCB may also enable the hypervisor's
				 * breakpoints */
	/*
	 * Guest-physical address of the GHCB page that an SNP guest has registered;
	 * GHCB_NONE: none yet.
	 */
	u64 ghcb_registered;
	/* Guest-physical address of the calling area for the SVSM; 0: no SVSM. */
	u64 svsm_area;
	/* VMSA page that the SVSM has created for the guest; GHCB_NONE: none. */
	u64 svsm_vmsa;
	unsigned int vmpl;	/* VMPL of an SNP guest's present VMSA, 0 to 3 */
	/*
	 * At this virtual CPU's last VMRUN: how many changes of nested page tables and of paging
	 * modes npt.c had counted.  If npt.c has counted more since, the TLB must be flushed.
	 */
	u64 npt_seen;
	unsigned int id;	/* index in vcpus[], APIC ID, and number of QEMU's processor */
	enum vcpu_state state;
	bool started;		/* a SIPI or AP creation has started this virtual CPU */
	/* The loader has set the registers with which the first SIPI starts this AP. */
	bool has_launch;
	enum ap_hold hold;	/* the AP reset hold that the next SIPI answers */
	/*
	 * If hold is HOLD_PAGE: guest-physical address of the GHCB page by which the virtual
	 * CPU has asked for the AP reset hold.
	 */
	u64 hold_ghcb;
	u64 vmsa_on_init;	/* VMSA page to run with after INIT; GHCB_NONE: none */
	/*
	 * Events that wait for this virtual CPU.  ap.c sets them with the lock held, maybe on
	 * another processor.  ap_events() handles them on this virtual CPU's processor.
	 */
	bool reset_apic;	/* the local APIC must be reset, because INIT has come */
	bool destroy_pending;	/* the guest has destroyed this virtual CPU */
	u64 create_pending;	/* VMSA page of an AP creation; GHCB_NONE: none */
	bool init_pending;	/* INIT has come */
	bool sipi_pending;	/* a SIPI with @sipi_vector has come after INIT */
	u8 sipi_vector;
	u32 apic_ldr;		/* the guest's logical destination register */
	u32 apic_dfr;		/* the guest's destination format register */
	bool x2apic;		/* the guest has turned on x2APIC mode */
	u64 x2apic_icr;		/* interrupt command register in x2APIC mode */
	bool real_iret;		/* exits.c executes the guest's next IRET: see exit_iret() */
	u64 exits;		/* number of its VMEXITs */
	u64 starts;		/* how often the virtual CPU was started since the launch */
	/* smp.c sets these for other processors to read. */
	bool present;		/* its processor has started */
	/* The virtual CPU's processor runs the guest, or is about to enter it. */
	bool in_guest;
	/* Another processor has sent this one an NMI, which this one has not taken yet. */
	bool kicked;
	/*
	 * True while QEMU's processor that runs this virtual CPU is halted in svm_sleep().
	 * Another of QEMU's processors ends this by an NMI.
	 */
	bool asleep;
	u32 intercepts;		/* HOOK_INTERCEPT_* bits that a test guest has set */
	bool nmi_pending;	/* an NMI waits until it can be injected */
	bool nmi_masked;	/* an NMI was injected and the guest still handles it */
	u64 hlt_rip;		/* RIP of the guest's last HLT that was intercepted */
	bool marker_armed;	/* DR0 has config.marker instead of the guest's value */
	u64 guest_dr0;		/* guest's value of DR0 while marker_armed is true */
	bool below_kernel_va;	/* true until the first exit with RIP in the upper
				 * half of the address space, where only a kernel
				 * runs */
	/*
	 * true: writes of CR3 and CR4 are not intercepted, to save exits.  exits.c sets this
	 * after many writes in a row that have changed neither register, and keeps their
	 * values in @cr3_seen and @cr4_seen.  At each later exit it compares the registers
	 * with these, and intercepts the writes again if one differs.
	 */
	bool cr_free;
	unsigned int cr_same;	/* writes of CR3 and CR4 in a row without a change */
	u64 cr3_seen, cr4_seen;
	/*
	 * Ticks of report_now() at the last exit with RIP in the lower half of the address
	 * space: the last exit before a kernel runs at its own virtual addresses.
	 */
	u64 last_seen;
};

#endif
