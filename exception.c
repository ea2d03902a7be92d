/* SPDX-License-Identifier: MIT */
/*
 * exception.c - the one place where an exception is dispatched: a #VC goes to
 * sev-vc.c, and outside of SEV-ES a page fault may map memory. Every other exception is
 * reported on the console, and the boot terminates. NMIs do not come here: see
 * exception_nmi.
 *
 * Runs for every exception between idt_load_stage1() and idt_teardown(), also
 * before .bss is cleared. While la57_switch() changes the paging mode,
 * la57_trampoline.S handles exceptions instead.
 */
#include "console.h"
#include "exception.h"
#include "ident_map.h"
#include "image.h"
#include "sev-es.h"
#include "sev-vc.h"
#include "sev.h"
#include "x86.h"

/* Number of 8-byte words of the interrupted code's stack in a report. */
#define STACK_DUMP_WORDS	8

/*
 * may_map and reporting are in .data, because an exception may occur before
 * .bss is cleared.
 */
static in_data bool may_map;
static in_data bool reporting;

void exception_allow_mapping(void)
{
	may_map = true;
}

static const char *exception_name(u64 vector)
{
	static const char names[IDT_VECTORS][4] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
		"#DF", "#09", "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
		"#MF", "#AC", "#MC", "#XF", "#20", "#CP", "#22", "#23",
		"#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
	};

	return vector < IDT_VECTORS ? names[vector] : "?";
}

/*
 * Returns the offset of the exception's RIP from the image's start, for the report. The
 * hypervisor of an SEV-ES guest reads the console, and can put old contents of the stack
 * into the frame. In such a guest the result is 0 for an address outside of the image,
 * so that the report prints no secret.
 */
static u64 place_of(const struct exception_frame *f)
{
	bool is_es = sev_es_active();
	u64 offset = READ_ONCE(f->rip);

	HOLD(place_of, offset);
	offset -= ADDRESS_ANEW(_image);
	if (is_es && offset >= ADDRESS_ANEW(_end) - ADDRESS_ANEW(_image))
		offset = 0;
	RELEASE(place_of);
	return offset;
}

static bool is_in_page(u64 addr, const u8 *page)
{
	return addr >= (u64)page && addr < (u64)page + PAGE_SIZE;
}

/*
 * Returns true if dump_stack() may read the word at @rsp. dump_stack() must not
 * touch a guard page, because the page fault would cut the report off.
 */
static bool is_stack(u64 rsp)
{
	return rsp >= (u64)_data && rsp < (u64)stack_end &&
	       !is_in_page(rsp, stack_guard) &&
	       !is_in_page(rsp, double_fault_guard);
}

/*
 * Prints the interrupted code's stack, as far as it lies in the stub's own
 * data.
 */
static void dump_stack(u64 rsp)
{
	unsigned int i;

	if (rsp % sizeof(u64) || !is_stack(rsp))
		return;

	con_printf("  stack");
	for (i = 0; i < STACK_DUMP_WORDS && is_stack(rsp); i++) {
		con_printf(" %016lx", *(const u64 *)rsp);
		rsp += sizeof(u64);
	}
	con_printf("\n");
}

static void dump_registers(const struct exception_frame *f)
{
	con_printf("  cs %lx rflags %lx cr2 %016lx cr3 %016lx\n",
		   f->cs, f->rflags, read_cr2(), read_cr3());
	con_printf("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n",
		   f->rax, f->rbx, f->rcx, f->rdx);
	con_printf("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n",
		   f->rsi, f->rdi, f->rbp, f->rsp);
	con_printf("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n",
		   f->r8, f->r9, f->r10, f->r11);
	con_printf("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n",
		   f->r12, f->r13, f->r14, f->r15);
}

/*
 * Prints all that is known about the exception @vector with @error_code, which the stub does
 * not handle, then terminates. A second exception during the report terminates at once,
 * because its report would probably fail at the same place.
 */
static noreturn void report(const struct exception_frame *f, u64 vector, u64 error_code)
{
	u64 cr2 = read_cr2();

	sev_es_end_at_exception();
	/*
	 * The hypervisor of an SEV-ES guest can put other private bytes in the place of
	 * @vector, and reads the console. In such a guest print only a number below
	 * IDT_VECTORS.
	 */
	if (sev_es_active())
		vector %= IDT_VECTORS;
	if (reporting)
		terminate(SEVSTUB_TERM_EXCEPTION);
	reporting = true;
	sev_es_last_words();

	console_force();
	/*
	 * If the hypervisor injects #DF without an error code, the frame is shifted
	 * and f->cs is not BOOT_CS. Such a #DF is not reported as a stack overflow.
	 */
	if (may_map && vector == X86_TRAP_DF && f->cs == BOOT_CS &&
	    cr2 >= PAGE_SIZE && ident_map_is_guard(cr2))
		con_printf("sevstub: stack overflow: the guard page was hit at 0x%lx by startup_32+0x%lx\n",
			   cr2, place_of(f));
	else
		con_printf("sevstub: unexpected exception: %s (vector %lu) error code 0x%lx at startup_32+0x%lx\n",
			   exception_name(vector), vector,
			   sev_es_active() ? 0 : error_code, place_of(f));
	/*
	 * Print no error code, no registers and no stack in an SEV-ES guest.
	 * They are secret there, and the hypervisor reads the console.
	 */
	if (!sev_es_active()) {
		dump_registers(f);
		dump_stack(f->rsp);
	}
	terminate(SEVSTUB_TERM_EXCEPTION);
}

/*
 * Maps RAM for a page fault, unless this is an SEV-ES guest. The hypervisor of an SEV-ES
 * guest can inject #PF at any instruction, and change the saved flags and registers on the
 * stack while the handler runs. In an SEV-ES guest the handler of #PF therefore never
 * returns, and the stub maps all memory before it reads it.
 */
static bool served_fault(const struct exception_frame *frame)
{
	return may_map && !sev_es_active() &&
	       ident_map_fault(read_cr2(), frame->error_code) == 0;
}

/*
 * Handles a #VC or a page fault, or reports the exception and terminates. Does not itself
 * write to @frame: if the compiler saves the pointer @frame on the stack, the hypervisor of an
 * SEV-ES guest can put another address there, for example that of a page-table entry.
 */
void do_exception(struct exception_frame *frame, u64 vector)
{
	u64 error_code = frame->error_code;

	/*
	 * All of the stub's code runs with CS = BOOT_CS. If CS has another
	 * value, the hypervisor must have caused the exception. It is reported
	 * instead of handled.
	 */
	if (frame->cs != BOOT_CS)
		report(frame, vector, error_code);

	switch (vector) {
	case X86_TRAP_VC:
		vector = sev_es_vc(frame);
		if (!vector)
			return;
		/*
		 * The handler of #VC asks to report another exception, such as
		 * #GP. @error_code is the exit code of #VC, so replace it by 0.
		 */
		if (vector != X86_TRAP_VC)
			error_code = 0;
		break;
	case X86_TRAP_PF:
		/*
		 * While the GHCB page is in use, the #VC handler touches only
		 * memory that is known to be mapped. The hypervisor must have
		 * caused this page fault, so the guest terminates.
		 */
		if (sev_es_busy())
			terminate(SEVSTUB_TERM_REENTRY);
		if (served_fault(frame))
			return;
		break;
	}
	report(frame, vector, error_code);
}
