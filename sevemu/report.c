/* SPDX-License-Identifier: MIT */
/*
 * report.c - counts what happens in a run, reports ABI violations, ends the run and
 * writes its report, one JSON object.
 *
 * The counting functions run all the time.  The figures are copied for the
 * report when the guest reaches the address of option --marker, and when it
 * first runs at a kernel address.  Every run ends in vend(), or, if campaign.c
 * runs the guest many times, in campaign_end().
 */
#include <stdarg.h>

#include "attack.h"
#include "campaign.h"
#include "gdb.h"
#include "hooks.h"
#include "hooks_host.h"
#include "insn.h"
#include "launch.h"
#include "log.h"
#include "main.h"
#include "names.h"
#include "ports.h"
#include "report.h"
#include "sevemu.h"

/* Names of the counters in the JSON report; the index is COUNT_*. */
static const char *const counter_names[COUNTERS] = {
	[COUNT_TO_SHARED] = "to_shared",
	[COUNT_TO_PRIVATE] = "to_private",
	[COUNT_NOTES] = "private_by_rule",
	[COUNT_MMIO_NOTES] = "mmio_with_c_bit",
	[COUNT_VERSION_0] = "ghcb_version_0",
	[COUNT_NMI] = "nmi",
	[COUNT_EXITS] = "exits",
	[COUNT_RMP_VALIDATED] = "validate",
	[COUNT_RMP_RESCINDED] = "rescind",
	[COUNT_RMP_DOUBLE] = "double",
	[COUNT_RMP_LATE] = "late",
	[COUNT_RMP_SIZE] = "size",
	[COUNT_RMP_MISMATCH] = "mismatch",
	[COUNT_RMP_NOT_VALIDATED] = "not_validated",
	[COUNT_RMP_IMPLICIT] = "implicit",
	[COUNT_RMP_TOUCHED] = "touched",
	[COUNT_RMP_IMAGE] = "image",
	[COUNT_RMP_SMASHED] = "smashed",
	[COUNT_RMP_ADJUSTED] = "adjust",
	[COUNT_RMP_QUERIED] = "query",
	[COUNT_PSC_ENTRIES] = "page_state_entries",
	[COUNT_SVSM_CALLS] = "svsm_calls",
};

/* Name in the JSON report and exit status of each way in which a run ends. */
static const struct {
	const char *name;
	u8 status;
} ends[] = {
	[END_POWER_OFF] = { "power-off", 0 },
	[END_RESET] = { "reset", 16 },
	[END_HALT] = { "halt", 17 },
	[END_PASS] = { "pass", 0 },
	[END_FAIL] = { "fail", 1 },
	[END_DEBUG_EXIT] = { "debug-exit", 15 },
	[END_TERMINATED] = { "terminated", 10 },
	[END_VIOLATION] = { "violation", 11 },
	[END_TRIPLE_FAULT] = { "triple-fault", 12 },
	[END_ERROR] = { "error", 13 },
	[END_USAGE] = { "usage", 2 },
	[END_TIMEOUT] = { "timeout", 14 },
	[END_CONSOLE] = { "console", 0 },
	[END_STOPPED] = { "stopped", 128 },
};

/*
 * What has happened since the start of the guest.  vc[], page[] and msr[] count
 * #VC exceptions, requests by the GHCB page and requests by the MSR protocol,
 * for each code that names.c has.
 */
struct figures {
	u64 vc[ARRAY_SIZE(exit_names)], vc_total;
	u64 page[ARRAY_SIZE(exit_names)], vmgexit_total;
	u64 msr[ARRAY_SIZE(msr_names)];
	u64 violations[ARRAY_SIZE(violation_names)];
	u64 counters[COUNTERS];
	/* This struct counts events up to this time, in TSC ticks after report_init(). */
	u64 now;
	u64 inside;		/* TSC ticks that passed in the hypervisor */
};

static struct figures figures;		/* counts of this run's events so far */
/*
 * Copies of the figures: when the guest reached the address of option --marker
 * (valid if have_marker), and when it first ran at a kernel address (valid if
 * have_kernel_va).
 */
static struct figures at_marker;
/*
 * The guest's registers when it reached the address of option --marker.  EFER is without
 * SVME, and ghcb_msr is the GHCB MSR as the guest reads it.  Valid if have_marker is true.
 */
static struct {
	u64 rsi, rflags, cr0, cr4, efer, cs, ds, idt_limit, ghcb_msr;
} marker_state;
static struct figures at_kernel_va;
/*
 * Ticks since report_init() at the first VMEXIT with RIP at a kernel address.
 */
static u64 kernel_va_after;
static bool have_marker, have_kernel_va;
static u64 clock_start;			/* TSC at report_init() */
static u64 exit_clock;			/* TSC at the last exit from the guest or end of a halt */
static bool ending;			/* report_ending() */
/*
 * The guest's access that raised the last #VC 0x404.  The processor raises #VC 0x404 if the
 * guest has not validated the page that it accesses.
 * @access is NULL if no access has raised #VC 0x404, or if the guest has got a #VC of
 * another kind since.
 */
static struct {
	const char *access;
	u64 gpa, rip;
	unsigned int cpl;
} not_validated;
/* The signal that stopped the run.  Its number is added to the status of END_STOPPED. */
static u8 stop_signal;

void report_init(void)
{
	clock_start = rdtsc();
	exit_clock = clock_start;
}

u64 report_now(void)
{
	return rdtsc() - clock_start;
}

void report_clock(bool enter)
{
	u64 now = rdtsc();

	if (enter) {
		figures.inside += now - exit_clock;
	} else {
		exit_clock = now;
	}
	figures.now = now - clock_start;
}

void report_exit(struct vcpu *vcpu)
{
	figures.counters[COUNT_EXITS]++;
	vcpu->exits++;
}

/*
 * Adds 1 to the count of @code: counts[i] counts the code names[i].code.  @n is
 * the length of both arrays.  Does nothing if @code is not in @names.
 */
static void count_name(const struct name *names, u64 *counts, size_t n, u64 code)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].code == code)
			counts[i]++;
}

void report_count(enum counter counter)
{
	figures.counters[counter]++;
}

void report_not_validated(const struct vcpu *vcpu, u64 gpa, const char *access)
{
	not_validated.access = access;
	not_validated.gpa = gpa;
	not_validated.rip = vcpu->vmcb->rip;
	not_validated.cpl = vcpu->vmcb->cpl;
}

void report_vc(u64 exit_code)
{
	if (exit_code != SVM_EXIT_NOT_VALIDATED)
		not_validated.access = NULL;
	figures.vc_total++;
	count_name(exit_names, figures.vc, ARRAY_SIZE(exit_names), exit_code);
}

void report_vmgexit_page(u64 exit_code)
{
	figures.vmgexit_total++;
	count_name(exit_names, figures.page, ARRAY_SIZE(exit_names), exit_code);
}

void report_vmgexit_msr(u64 request)
{
	figures.vmgexit_total++;
	count_name(msr_names, figures.msr, ARRAY_SIZE(msr_names), request);
}

static u64 violations_total(const struct figures *f)
{
	u64 n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(violation_names); i++)
		n += f->violations[i];
	return n;
}

u64 report_figure(unsigned int hook_count)
{
	switch (hook_count) {
	case HOOK_COUNT_VC:
		return figures.vc_total;
	case HOOK_COUNT_VMGEXIT:
		return figures.vmgexit_total;
	case HOOK_COUNT_TO_SHARED:
		return figures.counters[COUNT_TO_SHARED];
	case HOOK_COUNT_TO_PRIVATE:
		return figures.counters[COUNT_TO_PRIVATE];
	case HOOK_COUNT_NOTES:
		return figures.counters[COUNT_NOTES];
	case HOOK_COUNT_VIOLATIONS:
		return violations_total(&figures);
	case HOOK_COUNT_NMI:
		return figures.counters[COUNT_NMI];
	case HOOK_COUNT_EXITS:
		return figures.counters[COUNT_EXITS];
	default:
		if (hook_count - HOOK_COUNT_RMP < COUNTERS - COUNTERS_ALL)
			return figures.counters[COUNTERS_ALL + hook_count - HOOK_COUNT_RMP];
		return HOOK_ERROR;
	}
}

void report_marker(const struct vcpu *vcpu)
{
	const struct vmcb *v = vcpu->vmcb;

	if (have_marker)
		return;
	at_marker = figures;
	marker_state.rsi = vcpu->gpr[RSI];
	marker_state.rflags = v->rflags;
	marker_state.cr0 = v->cr0;
	marker_state.cr4 = v->cr4;
	marker_state.efer = v->efer & ~(u64)EFER_SVME;
	marker_state.cs = v->cs.selector;
	marker_state.ds = v->ds.selector;
	marker_state.idt_limit = v->idtr.limit;
	marker_state.ghcb_msr = vcpu->ghcb_msr;
	have_marker = true;
	trace("marker");
}

void report_kernel_va(u64 before)
{
	at_kernel_va = figures;
	at_kernel_va.now = before;
	kernel_va_after = figures.now;
	have_kernel_va = true;
	trace("kernel-va");
}

static void json(const char *fmt, ...) printf_like(1, 2);
static void json(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_format(fmt, args);
	va_end(args);
}

/*
 * Writes the JSON member "@key":{"name":count,...}, without the counts that are
 * 0.
 */
static void json_counts(const char *key, const struct name *names,
			const u64 *counts, size_t n)
{
	const char *comma = "";
	size_t i;

	json("\"%s\":{", key);
	for (i = 0; i < n; i++) {
		if (!counts[i])
			continue;
		json("%s\"%s\":%lu", comma, names[i].name, counts[i]);
		comma = ",";
	}
	json("}");
}

/*
 * Writes the JSON member "@key":@value, where @value is TSC ticks.  Writes null
 * without option --icount, because only with it a tick is an instruction.
 */
static void json_clock(const char *key, u64 value)
{
	if (config.icount)
		json(",\"%s\":%lu", key, value);
	else
		json(",\"%s\":null", key);
}

static void json_figures(const struct figures *f)
{
	unsigned int i;

	json("\"vc_total\":%lu,", f->vc_total);
	json_counts("vc", exit_names, f->vc, ARRAY_SIZE(exit_names));
	json(",\"vmgexit_total\":%lu,", f->vmgexit_total);
	json_counts("vmgexit_msr", msr_names, f->msr, ARRAY_SIZE(msr_names));
	json(",");
	json_counts("vmgexit_page", exit_names, f->page, ARRAY_SIZE(exit_names));
	json(",\"violations\":{");
	for (i = 1; i < ARRAY_SIZE(violation_names); i++)
		json("%s\"%s\":%lu", i > 1 ? "," : "", violation_names[i],
		     f->violations[i]);
	json("}");
	for (i = 0; i < COUNTERS_ALL; i++)
		json(",\"%s\":%lu", counter_names[i], f->counters[i]);
	if (guest_is_snp()) {
		json(",\"rmp\":{");
		for (; i < COUNTERS; i++)
			json("%s\"%s\":%lu", i > COUNTERS_ALL ? "," : "", counter_names[i],
			     f->counters[i]);
		json("}");
	}
	json_clock("instructions", f->now);
	json_clock("hypervisor_instructions", f->inside);
}

/* Writes the JSON member "launch_digest": hexadecimal digits, or null. */
static void json_digest(void)
{
	unsigned int size, i;
	const u8 *digest = launch_digest(&size);

	json("\"launch_digest\":%s", digest ? "\"" : "null");
	for (i = 0; digest && i < size; i++)
		put_number(digest[i], 16, 2);
	json("%s,", digest ? "\"" : "");
}

/*
 * Writes the JSON member "vcpus", which has the numbers of exits and of starts of each virtual
 * CPU.  Writes nothing if the guest has one virtual CPU only.
 */
static void json_vcpus(void)
{
	unsigned int i;

	for (i = 0; i < config.smp && config.smp > 1; i++)
		json("%s{\"exits\":%lu,\"starts\":%lu}", i ? "," : ",\"vcpus\":[",
		     vcpus[i].exits, vcpus[i].starts);
	if (config.smp > 1)
		json("]");
}

static void json_report(enum end end, const char *fmt, va_list args)
{
	static const char *const sev_names[] = { "off", "sev", "es", "snp" };
	static const char *const mode_names[] = { "direct64", "direct32", "ovmf" };

	put_to(PORT_REPORT);
	json("{\"sev\":\"%s\",\"cbit\":%u,\"ghcb_max\":%u,\"host\":\"%s\",\"mode\":\"%s\",",
	     sev_names[config.sev], config.cbit, config.ghcb_max,
	     config.host == HOST_SPEC ? "spec" : "kvm",
	     mode_names[config.mode]);
	json("\"end\":\"%s\",\"status\":%u,\"reason\":\"", ends[end].name,
	     (unsigned int)ends[end].status + stop_signal);
	put_format(fmt, args);
	json("\",");
	json_digest();
	json_figures(&figures);
	json(",\"marker\":");
	if (have_marker) {
		json("{");
		json_figures(&at_marker);
		json(",\"state\":{\"rsi\":\"%#lx\",\"rflags\":\"%#lx\",",
		     marker_state.rsi, marker_state.rflags);
		json("\"cr0\":\"%#lx\",\"cr4\":\"%#lx\",\"efer\":\"%#lx\",",
		     marker_state.cr0, marker_state.cr4, marker_state.efer);
		json("\"cs\":\"%#lx\",\"ds\":\"%#lx\",\"idt_limit\":\"%#lx\",",
		     marker_state.cs, marker_state.ds, marker_state.idt_limit);
		json("\"ghcb_msr\":\"%#lx\"}}", marker_state.ghcb_msr);
	} else {
		json("null");
	}
	json(",\"kernel_va\":");
	if (have_kernel_va) {
		json("{");
		json_figures(&at_kernel_va);
		json_clock("instructions_at_most", kernel_va_after);
		json("}");
	} else {
		json("null");
	}
	json_vcpus();
	json("}\n");
	put_flush();
}

/*
 * Makes QEMU exit with status 2 * (STATUS_BASE + @status) + 1, by its
 * debug-exit device.
 */
static __attribute__((noreturn)) void machine_off(u8 status)
{
	for (;;)
		outl(DEBUG_EXIT_PORT, STATUS_BASE + status);
}

/*
 * Explains in the log the guest's last #VC, if the run has failed and this #VC was 0x404 (the
 * guest has not validated a page).  A guest that dies of it does not say which page it was.
 */
static void explain_not_validated(enum end end)
{
	if (config.hostile || !not_validated.access || !ends[end].status || end == END_ERROR ||
	    end == END_VIOLATION || end == END_USAGE)
		return;
	log_printf("the guest's last #VC was 0x404: %s of private memory at %#lx, by the code "
		   "at rip %#lx (CPL %u), which the guest has not validated. The guest must "
		   "execute PVALIDATE for the page, or let the SVSM do it, before it uses the "
		   "page.%s", not_validated.access, not_validated.gpa, not_validated.rip,
		   not_validated.cpl, config.mode == MODE_OVMF ? "" :
		   " --validated says which pages are validated when a kernel starts");
}

/* Ends the run as end_run() does, with the arguments of @fmt in @args. */
static __attribute__((noreturn)) void vend(enum end end, const char *fmt, va_list args)
{
	va_list again;

	campaign_end(end, false, 0);
	if (!ends[end].status)
		attack_check_told();
	explain_not_validated(end);
	figures.now = report_now();
	va_copy(again, args);
	put_line(PORT_LOG, "sevemu: ", fmt, again);
	va_end(again);
	json_report(end, fmt, args);
	gdb_end(ends[end].status);
	machine_off(ends[end].status);
}

void end_run(enum end end, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vend(end, fmt, args);
}

void end_stopped(u8 request)
{
	if (request & STOP_SIGNAL) {
		stop_signal = request & ~STOP_SIGNAL;
		end_run(END_STOPPED, "stopped by signal %u", (unsigned int)stop_signal);
	}
	if (request == STOP_CONSOLE)
		end_run(END_CONSOLE, "the console has the line that --expect-line names");
	if (request == STOP_FAILED)
		end_run(END_FAIL, "the console has a line that --fail-on names");
	if (request == STOP_CPU_TIME)
		end_run(END_TIMEOUT, "timeout after %lu s of processor time (--cpu-timeout)",
			config.cpu_timeout);
	end_run(END_TIMEOUT, "timeout after %lu s", config.timeout);
}

void end_terminated(u64 request)
{
	unsigned int set = request >> 12 & 0xf, code = request >> 16 & 0xff;

	campaign_end(END_TERMINATED, false, request);
	end_run(END_TERMINATED, "guest asked to terminate: reason set %u (%s), code %u (%s)",
		set, reason_set_name(set), code, reason_name(set, code));
}

static void dump_segment(const char *name, const struct segment *s)
{
	log_printf("%s %4x base %16lx limit %8x attributes %3x", name,
		   (unsigned int)s->selector, s->base, s->limit, (unsigned int)s->attrib);
}

bool report_ending(void)
{
	return ending;
}

/*
 * Writes the VMEXIT's information and the guest's registers, segments and
 * instruction bytes at RIP to the log.
 */
static void dump_vcpu(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	struct insn insn;
	u64 *g = vcpu->gpr;
	unsigned int i;

	ending = true;
	log_printf("exit %#lx info %#lx %#lx event %#x", v->exit_code,
		   v->exit_info_1, v->exit_info_2, v->exit_int_info);
	log_printf("rip %16lx rsp %16lx rflags %lx cpl %u", v->rip, v->rsp, v->rflags,
		   (unsigned int)v->cpl);
	log_printf("rax %16lx rbx %16lx rcx %16lx rdx %16lx", g[RAX], g[RBX], g[RCX], g[RDX]);
	log_printf("rsi %16lx rdi %16lx rbp %16lx r8  %16lx", g[RSI], g[RDI], g[RBP], g[8]);
	log_printf("r9  %16lx r10 %16lx r11 %16lx r12 %16lx", g[9], g[10], g[11], g[12]);
	log_printf("r13 %16lx r14 %16lx r15 %16lx", g[13], g[14], g[15]);
	log_printf("cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx ghcb %lx",
		   v->cr0, v->cr2, v->cr3, v->cr4, v->efer, vcpu->ghcb_msr);
	dump_segment("cs", &v->cs);
	dump_segment("ss", &v->ss);
	dump_segment("gdt", &v->gdtr);
	dump_segment("idt", &v->idtr);
	dump_segment("tr", &v->tr);

	insn_decode(vcpu, &insn);
	put_to(PORT_LOG);
	put_string("sevemu: instruction bytes");
	for (i = 0; i < insn.fetched; i++) {
		put(' ');
		put_number(insn.bytes[i], 16, 2);
	}
	put('\n');
	put_flush();
}

/*
 * Writes the reason before the register dump, because dump_vcpu() may fail
 * while it reads the guest's memory.  A dump_vcpu() that fails calls this
 * function a second time, which ends the run without another dump.
 */
void end_error(struct vcpu *vcpu, const char *fmt, ...)
{
	static bool again;
	va_list args;

	campaign_end(END_ERROR, true, 0);
	if (!again) {
		again = true;
		va_start(args, fmt);
		put_line(PORT_LOG, "sevemu: error: ", fmt, args);
		va_end(args);
		dump_vcpu(vcpu);
	}
	va_start(args, fmt);
	vend(END_ERROR, fmt, args);
}

void violation(struct vcpu *vcpu, unsigned int code, const char *fmt, ...)
{
	bool fatal = config.strict || code == VIOL_GHCB_ADDRESS ||
		     code == VIOL_NOT_SNP || code == VIOL_UNSUPPORTED_EVENT ||
		     code == VIOL_RMP_MISMATCH || code == VIOL_VMPL_RIGHTS ||
		     (code == VIOL_GHCB_PRIVATE && guest_is_snp());
	va_list args;

	figures.violations[code]++;
	trace("violation %s rip %#lx", violation_names[code], vcpu->vmcb->rip);
	if (hook_expects(code))
		return;
	if (campaign_running()) {
		campaign_violation(code);
		return;
	}
	log_printf("ABI violation %s at rip %#lx: %s", violation_names[code],
		   vcpu->vmcb->rip, violation_rules[code]);
	va_start(args, fmt);
	if (fatal) {
		dump_vcpu(vcpu);
		vend(END_VIOLATION, fmt, args);
	}
	put_line(PORT_LOG, "sevemu: ", fmt, args);
	va_end(args);
}
