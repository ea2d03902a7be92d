/* SPDX-License-Identifier: MIT */
/*
 * main.c - the hypervisor's start, its options and its run loop.
 *
 * sevemu is an SVM hypervisor that QEMU runs as the firmware of a machine.
 * entry.S calls hv_main() once, in long mode on the hypervisor's own stack.  It
 * reads the options from fw_cfg, sets up nested paging for the guest's memory,
 * and runs one guest until report.c ends the run.  docs/emulator.md describes the
 * whole.
 */
#include "attack_events.h"
#include "attack_once.h"
#include "attack_smp.h"
#include "attack_snp.h"
#include "campaign.h"
#include "entry.h"
#include "exception.h"
#include "exits.h"
#include "fwcfg.h"
#include "gdb.h"
#include "io.h"
#include "iommu.h"
#include "jobs.h"
#include "launch.h"
#include "layout.h"
#include "loader.h"
#include "log.h"
#include "main.h"
#include "msr.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "smp.h"
#include "vmrun.h"

#define CONFIG_MAX		0x2000
#define HOST_VECTORS		256
#define GATE_INTERRUPT64	0x8e

struct config config;
u64 hv_base;
struct vcpu vcpus[VCPUS_MAX];

/* A gate of the hypervisor's IDT (APM2 4.8.4). */
struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 attrib;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

static struct idt_gate idt[HOST_VECTORS];

static void idt_init(void)
{
	unsigned int i;

	for (i = 0; i < HOST_VECTORS; i++) {
		u64 stub = i == X86_NMI ? (u64)hv_nmi :
			   i >= X86_EXCEPTIONS ? (u64)hv_interrupt :
			   (u64)hv_exception_stubs + i * HV_STUB_SIZE;

		idt[i].offset_low = stub;
		idt[i].selector = HV_CS;
		idt[i].attrib = GATE_INTERRUPT64;
		idt[i].offset_mid = stub >> 16;
		idt[i].offset_high = stub >> 32;
	}
}

void host_init(void)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) idtr = {
		sizeof(idt) - 1, (u64)idt
	};

	asm volatile("lidt %0" : : "m"(idtr));
	wrmsr(MSR_VM_HSAVE_PA, (u64)npt_alloc(1));
}

void hv_exception_report(const u64 *frame)
{
	end_run(END_ERROR, "bug in sevemu, please report it: exception %lu (error code "
		"%#lx) in the hypervisor at rip %#lx, cr2 %#lx", frame[0], frame[1],
		frame[2], read_cr2());
}

u64 parse_number(const char *s)
{
	const char *text = s;
	unsigned int base = 10;
	u64 v = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (; *s; s++) {
		unsigned int digit = *s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10;

		if (digit >= base)
			end_run(END_ERROR, "option value %s is not a number: write decimal "
				"digits, or 0x and hexadecimal digits", text);
		v = v * base + digit;
	}
	return v;
}

static bool option_is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/*
 * Sets the option @name to @value.  The sevemu script has checked all values,
 * so this checks only what parse_number() checks.  Ends the run if @name is not
 * known.
 */
static void config_set(const char *name, char *value)
{
	u64 number;

	if (config.smp > 1 && option_is(name, "attack") && attack_smp_option(value))
		return;
	if (config.once && option_is(name, "attack")) {
		once_option(value);
		return;
	}
	/*
	 * With --sev snp and without --marker, --attack names lies that the host tells in
	 * a single run.  With --marker, --attack asks for a campaign of many runs.
	 */
	if (guest_is_snp() && !config.has_marker && option_is(name, "attack") &&
	    !option_is(value, "list")) {
		snp_attack_option(value);
		return;
	}
	if (jobs_option(name, value))
		return;
	if (option_is(name, "sev")) {
		config.sev = option_is(value, "off") ? SEV_OFF :
			     option_is(value, "sev") ? SEV_SEV :
			     option_is(value, "snp") ? SEV_SNP : SEV_ES;
		return;
	}
	if (option_is(name, "snp-convert")) {
		config.convert = option_is(value, "none") ? CONVERT_NONE :
				 option_is(value, "implicit") ? CONVERT_IMPLICIT :
				 CONVERT_STRICT;
		return;
	}
	if (option_is(name, "validated")) {
		launch_option(value);
		return;
	}
	if (option_is(name, "host")) {
		config.host = option_is(value, "spec") ? HOST_SPEC : HOST_KVM;
		return;
	}
	if (option_is(name, "dma")) {
		config.dma = option_is(value, "strict") ? DMA_STRICT :
			     option_is(value, "encrypted") ? DMA_ENCRYPTED : DMA_OPEN;
		return;
	}
	if (option_is(name, "mode")) {
		config.mode = option_is(value, "ovmf") ? MODE_OVMF :
			      option_is(value, "direct32") ? MODE_DIRECT32 : MODE_DIRECT64;
		return;
	}
	number = parse_number(value);
	if (option_is(name, "cbit"))
		config.cbit = number;
	else if (option_is(name, "ghcb-max"))
		config.ghcb_max = number;
	else if (option_is(name, "load"))
		config.load = number;
	else if (option_is(name, "vars"))
		config.vars = number;
	else if (option_is(name, "vga"))
		config.vga = number;
	else if (option_is(name, "la57"))
		config.la57 = number;
	else if (option_is(name, "rdtsc"))
		config.rdtsc = number;
	else if (option_is(name, "strict"))
		config.strict = number;
	else if (option_is(name, "icount"))
		config.icount = number;
	else if (option_is(name, "trace"))
		config.trace = number;
	else if (option_is(name, "vmpl"))
		config.vmpl = number;
	else if (option_is(name, "rmp-2m"))
		config.rmp_2m = number;
	else if (option_is(name, "psc-entries"))
		config.psc_entries = number;
	else if (option_is(name, "smp"))
		config.smp = number;
	else if (option_is(name, "x2apic"))
		config.x2apic = number;
	else if (option_is(name, "seed"))
		config.seed = number;
	else if (option_is(name, "measure"))
		config.measure = number;
	else if (option_is(name, "tpm"))
		config.tpm = number;
	else if (option_is(name, "gdb"))
		config.gdb = number;
	else if (option_is(name, "attack-once"))
		config.once = number;
	else if (option_is(name, "attack-exits"))
		config.once_exits = number;
	else if (option_is(name, "attack-later"))
		config.once_later = number;
	else if (option_is(name, "timeout"))
		config.timeout = number;
	else if (option_is(name, "cpu-timeout"))
		config.cpu_timeout = number;
	else if (option_is(name, "trace-time"))
		config.trace_time = number;
	else if (option_is(name, "success-port"))
		config.success_port = number;
	else if (option_is(name, "success-value")) {
		config.success_value = number;
		config.has_success = true;
	} else if (option_is(name, "test-hooks"))
		config.hooks = number;
	else if (option_is(name, "marker")) {
		config.has_marker = true;
		config.marker = number;
	} else {
		end_run(END_ERROR, "this sevemu.rom does not know option %s of the sevemu "
			"script: build both from one tree", name);
	}
}

/*
 * Reads all options from fw_cfg.  The sevemu script passes them as "name=value"
 * pairs, separated by blanks.
 */
static void config_init(void)
{
	static char text[CONFIG_MAX];
	char *p = text, *name, *value;
	u32 size = 0;
	u16 key = fwcfg_find("opt/sevemu/config", &size);

	config.smp = 1;
	if (!key || size >= CONFIG_MAX)
		end_run(END_ERROR, "fw_cfg file opt/sevemu/config has %u bytes, allowed are 1 "
			"to %u: start sevemu.rom by the sevemu script", size,
			CONFIG_MAX - 1);
	fwcfg_read(key, text, size);
	while (*p) {
		for (name = p; *p && *p != '='; p++)
			;
		if (*p)
			*p++ = '\0';
		for (value = p; *p && *p != ' '; p++)
			;
		if (*p)
			*p++ = '\0';
		config_set(name, value);
	}
}

/*
 * Injects a pending NMI, unless the guest still handles the last NMI.  An
 * SEV-ES guest finishes an NMI by the NMI-complete request (GHCB 4.1), a guest
 * without SEV-ES by IRET.
 */
static void inject_nmi(struct vcpu *vcpu)
{
	if (!vcpu->nmi_pending || vcpu->nmi_masked || vcpu->vmcb->event_inj & EVENT_VALID)
		return;
	vcpu->nmi_pending = false;
	vcpu->nmi_masked = true;
	report_count(COUNT_NMI);
	trace("nmi rip %#lx", vcpu->vmcb->rip);
	if (vcpu->vmcb->cr0 & CR0_PE)
		guest_raise(vcpu, X86_NMI, 0);
	else
		vcpu->vmcb->event_inj = EVENT_VALID | EVENT_TYPE_NMI | X86_NMI;
	exits_init(vcpu);
}

void vcpu_run(struct vcpu *vcpu)
{
	struct vmcb *vmcb = vcpu->vmcb;

	for (;;) {
		smp_wait(vcpu);
		inject_nmi(vcpu);
		events_enter(vcpu);
		vmcb->n_cr3 = npt_root(vcpu);
		vmcb->rax = vcpu->gpr[RAX];
		report_clock(true);
		smp_enter(vcpu);
		svm_enter(vmcb, vcpu->gpr);
		smp_exit(vcpu);
		report_clock(false);
		report_exit(vcpu);
		attack_smp_exit(vcpu);
		vcpu->gpr[RAX] = vmcb->rax;
		vcpu->gpr[RSP] = vmcb->rsp;
		campaign_exit();
		events_exit(vcpu);
		exit_handle(vcpu);
		once_exit(vcpu);
		gdb_exit(vcpu);
	}
}

void hv_main(u64 base)
{
	struct vcpu *bsp = &vcpus[0], *vcpu;

	hv_base = base;
	report_init();
	idt_init();
	config_init();
	npt_init();
	iommu_init();
	loader_memory();

	host_init();
	for (vcpu = vcpus; vcpu < vcpus + config.smp; vcpu++) {
		vcpu->id = vcpu - vcpus;
		vcpu->vmcb = npt_alloc(1);
		io_init(vcpu);
	}
	bsp->below_kernel_va = true;
	loader_start(bsp);
	for (vcpu = vcpus; vcpu < vcpus + config.smp; vcpu++) {
		msr_init(vcpu);
		exits_init(vcpu);
	}
	msr_start();
	attack_smp_start();
	smp_start();
	/*
	 * The sevemu script ends a run by an NMI (ports.h), which comes in at LINT1 of the
	 * local APIC.  LINT1 is masked after a reset, so set it as a PC's firmware does.  Leave
	 * LINT1 masked in a campaign, in which exits.c takes every NMI for the alarm of
	 * campaign.c's timer.  This alarm ends the present run of the guest, not the campaign.
	 */
	if (!config.hostile)
		*LAPIC(LAPIC_LINT1) = LAPIC_NMI;
	if (config.once)
		once_start();
	else if (guest_is_snp())
		snp_attack_start();
	if (config.hostile && config.mode != MODE_OVMF)
		campaign_run(bsp);
	gdb_start(bsp);
	vcpu_run(bsp);
}
