/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor's C files offer each other.
 *
 * A virtual CPU's state is struct vcpu, handed down from the run loop; the
 * machine that all of them would share (memory, ports, figures) belongs to the
 * file that is named for it.
 */
#ifndef SEVEMU_H
#define SEVEMU_H

#include "ghcb.h"
#include "hooks.h"
#include "layout.h"
#include "svm.h"
#include "x86.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)	((x) & ~((u64)(a) - 1))
#define ALIGN_UP(x, a)		ALIGN_DOWN((x) + (a) - 1, a)

#define KVM_ENOSYS		1000	/* a hypercall's result, negated: none such */

enum sev_mode { SEV_OFF, SEV_SEV, SEV_ES };
enum boot_mode { MODE_DIRECT64, MODE_DIRECT32, MODE_OVMF };

/* Register numbers of the instruction encoding; segments by their VMCB order */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

struct config {
	enum sev_mode sev;
	enum boot_mode mode;
	unsigned int cbit;
	unsigned int ghcb_max;
	bool la57, rdtsc, strict, icount, trace, hooks;
	bool hostile;		/* a campaign of lies: hostile.c */
	bool has_marker;
	u64 marker;		/* linear address */
	u64 load;		/* of the kernel; 0: where it prefers to be */
};

struct vcpu {
	u64 gpr[16];
	struct vmcb *vmcb;
	u64 ghcb_msr;
	u64 dr7;		/* what DR7 accesses through the GHCB see */
	u64 jump_table;
	u32 intercepts;		/* HOOK_INTERCEPT_* */
	bool nmi_pending, nmi_masked;
	u64 hlt_rip;		/* of the last HLT */
	bool marker_armed;
	u64 guest_dr0;		/* while the marker holds DR0 */
	bool below_kernel_va;	/* no instruction at a kernel address yet ... */
	u64 last_seen;		/* ... at this time (report_now()) */
};

/* The decoded front of an instruction: see insn.c */
struct insn {
	u8 bytes[15];
	u8 fetched;		/* bytes that could be read */
	u8 len;
	u8 opcode[2];		/* 0F xx has two */
	u8 modrm;
	u8 rex;
	u8 segment;		/* SEG_*, DS without a prefix */
	bool rep;		/* F3 or F2 */
	bool address_size;	/* 67 */
};

/* main.c */
extern struct config config;
extern u64 hv_base;
void vcpu_run(struct vcpu *vcpu);
u64 parse_number(const char *s);

/* vmrun.S, entry.S, and what entry.S calls */
void svm_enter(struct vmcb *vmcb, u64 *gpr);
extern char hv_exception_stubs[];
void hv_main(u64 base);
void hv_exception_report(const u64 *frame);

/* exits.c */
void exits_init(struct vcpu *vcpu);
void exit_handle(struct vcpu *vcpu);

/* insn.c */
void insn_decode(struct vcpu *vcpu, struct insn *insn);
u64 *insn_operand(struct vcpu *vcpu, const struct insn *insn);
void insn_advance(struct vcpu *vcpu, const struct insn *insn);
void insn_skip(struct vcpu *vcpu);

/* npt.c: frames, the two views of them, the nested tables */
enum view { VIEW_PRIVATE, VIEW_SHARED };

void npt_init(void);
void *npt_alloc(size_t pages);
void npt_add_ram(u64 gpa, u64 size, u8 *host);
void npt_add_rom(u64 gpa, u64 size, u8 *host);
u64 npt_root(const struct vcpu *vcpu);
u8 *npt_frame(u64 gpa, enum view view);
bool npt_is_rom(u64 gpa);
bool npt_is_hypervisor(u64 gpa, u64 len);
unsigned int npt_frame_state(u64 gpa);
u64 npt_host_peek(u64 gpa);
void npt_flush(void);
void npt_fault(struct vcpu *vcpu);
void npt_store(u64 gpa, enum view view);
void npt_hide(enum view view, u64 gpa);
void npt_show(enum view view, u64 gpa);
void npt_hide_all(bool hide);
void npt_alias(u64 bit);
u64 npt_alias_bit(void);

/* snapshot.c */
void snapshot_save(u64 gpa);
bool snapshot_fault(u64 gpa, u64 info);

/* attack.c: where a lie takes effect; without one all pass things on */
void attack_cpuid(u32 function, struct cpuid_regs *r);
u64 attack_answer(u64 request, u64 value);
void attack_reply(struct ghcb *page, const struct ghcb *request);
u32 attack_port(u16 port, u32 value);
u64 attack_tsc(u64 tsc);
u64 attack_status(u64 status);

/* events.c; what an event waits for before it counts instructions */
enum trigger { FROM_START, FROM_VC, FROM_VMGEXIT, FROM_PROOF, FROM_UNSHARED,
	       FROM_REQUEST, FROM_CR4 };

void events_enter(struct vcpu *vcpu);
void events_exit(struct vcpu *vcpu);
bool events_db(struct vcpu *vcpu);
void events_trigger(enum trigger trigger);
void events_replied(u64 gpa);
void events_cr3(const struct vcpu *vcpu);
void events_paging(const struct vcpu *vcpu);
bool events_fault(struct vcpu *vcpu, enum view view, u64 gpa, u64 info);

/* watch.c */
void watch_request(const struct ghcb *g, u64 gpa);
void watch_shared(u64 gpa);
void watch_switch(const struct vcpu *vcpu);
void watch_shared_store(u64 gpa);

/* chance.c */
bool kaslr_db(struct vcpu *vcpu);
void kaslr_console(u16 port, u8 byte);

/* guest.c: memory as the guest's page tables show it */
struct guest_fault {
	u32 error_code;
	u64 address;
};

u64 cbit_mask(void);
bool guest_paging(const struct vcpu *vcpu);
bool guest_long_mode(const struct vcpu *vcpu);
bool guest_read(struct vcpu *vcpu, u64 va, void *buf, size_t len,
		u32 access, struct guest_fault *fault);
bool guest_write(struct vcpu *vcpu, u64 va, const void *buf, size_t len,
		 u32 access, struct guest_fault *fault);

/* vc.c: exceptions, #VC above all, delivered by hand */
void guest_raise(struct vcpu *vcpu, unsigned int vector, u32 error_code);
void guest_raise_pf(struct vcpu *vcpu, const struct guest_fault *fault);
void vc_raise(struct vcpu *vcpu, u64 exit_code);

/* cpuid.c, msr.c */
struct cpuid_regs guest_cpuid(const struct vcpu *vcpu, u32 function, u32 index);
void msr_init(struct vcpu *vcpu);
bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value);
bool msr_write(struct vcpu *vcpu, u32 msr, u64 value);

/* io.c: ports, with the few that must be filtered */
void io_init(struct vcpu *vcpu);
u32 io_in(u16 port, unsigned int size);
void io_out(u16 port, unsigned int size, u32 value);
void io_string(u16 port, unsigned int size, u8 *data, u64 count, bool in);
void io_exit(struct vcpu *vcpu);

/* mmio.c */
bool mmio_access(u64 gpa, void *buf, size_t len, bool write);

/* ghcb.c: both protocols, host side */
void vmgexit(struct vcpu *vcpu);

/* hooks.c */
bool hook_call(struct vcpu *vcpu);
bool hook_expects(unsigned int violation);

/* fwcfg.c: the hypervisor's own use of QEMU's fw_cfg */
#define FW_CFG_ID		0x0001
#define FW_CFG_RAM_SIZE		0x0003
#define FW_CFG_KERNEL_SIZE	0x0008
#define FW_CFG_INITRD_SIZE	0x000b
#define FW_CFG_KERNEL_DATA	0x0011
#define FW_CFG_INITRD_DATA	0x0012
#define FW_CFG_CMDLINE_SIZE	0x0014
#define FW_CFG_CMDLINE_DATA	0x0015
#define FW_CFG_SETUP_SIZE	0x0017
#define FW_CFG_SETUP_DATA	0x0018
#define FW_CFG_FILE_DIR		0x0019

struct e820_entry {
	u64 address;
	u64 length;
	u32 type;
} __attribute__((packed));

#define E820_RAM		1
#define E820_RESERVED		2

void fwcfg_read(u16 key, void *buf, u32 len);
u32 fwcfg_read32(u16 key);
u16 fwcfg_find(const char *name, u32 *size);

/* loader.c */
void loader_memory(void);
void loader_start(struct vcpu *vcpu);
struct boot_params *loader_zero_page(void);
extern struct e820_entry machine_e820[];
extern unsigned int machine_e820_count;

/* log.c */
#define printf_like(fmt, args)	__attribute__((format(printf, fmt, args)))

void log_printf(const char *fmt, ...) printf_like(1, 2);
void trace(const char *fmt, ...) printf_like(1, 2);

/* report.c: figures, violations, the end */
enum end {
	END_GUEST,		/* power-off, reset, halt */
	END_PASS, END_FAIL, END_DEBUG_EXIT,
	END_TERMINATED, END_VIOLATION, END_TRIPLE_FAULT, END_ERROR,
	END_USAGE,		/* nothing was started */
};

enum counter {
	COUNT_TO_SHARED, COUNT_TO_PRIVATE, COUNT_NOTES, COUNT_MMIO_NOTES,
	COUNT_VERSION_0, COUNT_NMI, COUNT_EXITS, COUNTERS,
};

void report_init(void);
void report_count(enum counter counter);
void report_vc(u64 exit_code);
void report_vmgexit_page(u64 exit_code);
void report_vmgexit_msr(u64 request);
u64 report_figure(unsigned int hook_count);
void report_marker(void);
void report_clock(bool enter);
void report_kernel_va(u64 before);
u64 report_now(void);
void violation(struct vcpu *vcpu, unsigned int code, const char *fmt, ...)
	printf_like(3, 4);
void dump_vcpu(struct vcpu *vcpu);
__attribute__((noreturn)) void end_run(enum end end, const char *fmt, ...)
	printf_like(2, 3);
__attribute__((noreturn)) void end_terminated(u64 request);
__attribute__((noreturn)) void end_error(struct vcpu *vcpu, const char *fmt, ...)
	printf_like(2, 3);

/* hostile.c: a campaign of lies, in which the end of a run is not the end */
bool campaign_option(const char *name, char *value);
void campaign_run(struct vcpu *vcpu);
bool campaign_running(void);
void campaign_exit(void);
void campaign_vmgexit(struct vcpu *vcpu);
void campaign_marker(void);
bool campaign_proof(struct vcpu *vcpu);
void campaign_end(enum end end, bool stopped, u64 term);
void campaign_violation(unsigned int code);

/* string.c */
void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#endif
