/* SPDX-License-Identifier: MIT */
/*
 * exception.c - delivers exceptions and interrupts to the guest, #VC above all.
 *
 * Runs between an exit and the next VMRUN.  The VMCB's EVENTINJ cannot deliver
 * #VC, because QEMU pushes no error code for vector 29.  This file therefore
 * does what the processor does (APM2 8.7 and 8.9): it reads the gate from the
 * guest's IDT, chooses the stack, pushes the frame and loads CS.  An exception
 * during the delivery is delivered instead, or becomes a double fault or a
 * triple fault (APM2 8.2.9).
 */
#include "attack.h"
#include "attack_events.h"
#include "exception.h"
#include "guest_memory.h"
#include "log.h"
#include "names.h"
#include "report.h"
#include "sevemu.h"

#define GATE_IST		0x7
#define GATE_TYPE		0x1f
#define GATE_TASK		0x5
#define GATE_INTERRUPT		0xe
#define GATE_TRAP		0xf
#define SELECTOR_TI		4
#define SELECTOR_RPL		3
#define ERROR_EXT		1
#define ERROR_IDT		2
#define TSS32_ESP0		4
#define TSS64_RSP0		4
#define TSS64_IST1		0x24

/*
 * A gate of the guest's IDT.  Legacy mode uses its first 8 bytes, long mode all
 * 16 (APM2 4.7.4 and 4.8.4).
 */
struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 attrib;		/* the gate's P, DPL and type bits */
	u16 offset_mid;
	u32 offset_high;	/* bits 63:32 of the handler's address; only in long mode */
	u32 reserved;
} __attribute__((packed));

/*
 * An exception that occurred while this file was delivering another exception
 * to the guest, for example #PF because the stack is not mapped.
 */
struct met {
	/*
	 * Vector of the exception that occurred while another exception was
	 * being delivered to the guest; 0: the delivery has succeeded.
	 */
	u8 vector;
	u32 error_code;
	/* The linear address that #PF puts into CR2.  Unused for other vectors. */
	u64 address;
};

/*
 * Notes in *@met that exception @vector occurred while another exception was
 * being delivered to the guest.  Always returns false, so that a caller can
 * write "return meet(...)" to stop the delivery.
 */
static bool meet(struct met *met, unsigned int vector, u32 error_code)
{
	met->vector = vector;
	met->error_code = error_code;
	return false;
}

static bool meet_fault(struct met *met, const struct guest_fault *fault)
{
	if (fault->not_validated)
		return meet(met, X86_VC, SVM_EXIT_NOT_VALIDATED);
	met->address = fault->address;
	return meet(met, X86_PF, fault->error_code);
}

/*
 * Reads @len bytes at @offset of the guest's descriptor table or TSS @table
 * into @buf.  If they are not all below the table's limit, notes exception
 * @vector with @error_code in *@met and returns false.
 */
static bool read_table(struct vcpu *vcpu, const struct segment *table, u32 offset,
		       void *buf, u32 len, unsigned int vector, u32 error_code,
		       struct met *met)
{
	struct guest_fault fault;

	if (offset + len - 1 > table->limit)
		return meet(met, vector, error_code);
	if (!guest_read(vcpu, table->base + offset, buf, len, 0, &fault))
		return meet_fault(met, &fault);
	return true;
}

/*
 * Reads the descriptor of @selector from the guest's GDT or LDT and unpacks it
 * into @seg, a segment register as the VMCB stores it.  A null selector or a
 * selector after the table's limit causes exception @vector.
 */
static bool read_descriptor(struct vcpu *vcpu, u16 selector, struct segment *seg,
			    unsigned int vector, struct met *met)
{
	struct vmcb *vmcb = vcpu->vmcb;
	const struct segment *table = selector & SELECTOR_TI ? &vmcb->ldtr : &vmcb->gdtr;
	u32 error_code = (selector & ~SELECTOR_RPL) | ERROR_EXT;
	u64 d;

	if (!(selector & ~SELECTOR_RPL))
		return meet(met, vector, ERROR_EXT);
	if (!read_table(vcpu, table, selector & ~7, &d, sizeof(d), vector, error_code, met))
		return false;
	seg->selector = selector;
	seg->attrib = (d >> 40 & 0xff) | (d >> 44 & 0xf00);
	seg->base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000);
	seg->limit = (d & 0xffff) | (d >> 32 & 0xf0000);
	if (seg->attrib & SEG_G)
		seg->limit = seg->limit << 12 | PAGE_MASK;
	return true;
}

/*
 * Reads the gate of @vector from the guest's IDT.  A wrong type causes #GP, a
 * gate that is not present causes #NP (APM2 8.7).
 */
static bool read_gate(struct vcpu *vcpu, unsigned int vector, struct gate *gate,
		      struct met *met)
{
	u32 error_code = vector * 8 | ERROR_IDT | ERROR_EXT;
	u32 size = guest_long_mode(vcpu) ? 16 : 8;

	memset(gate, 0, sizeof(*gate));
	if (!read_table(vcpu, &vcpu->vmcb->idtr, vector * size, gate, size,
			X86_GP, error_code, met))
		return false;
	switch (gate->attrib & GATE_TYPE) {
	case GATE_INTERRUPT:
	case GATE_TRAP:
		break;
	case GATE_TASK:
		if (!guest_long_mode(vcpu))
			end_error(vcpu, "IDT vector %u has a task gate; sevemu models interrupt "
				  "and trap gates", vector);
		/* fall through */
	default:
		return meet(met, X86_GP, error_code);
	}
	if (!(gate->attrib & SEG_P))
		return meet(met, X86_NP, error_code);
	return true;
}

/*
 * Sets *@rsp to the stack for an exception frame in long mode (APM2 8.9.3).  If
 * @ist is not 0, it is entry @ist of the TSS's interrupt stack table.  If the
 * privilege level changes to @cpl, it is the TSS's stack for @cpl.  Otherwise
 * it is the guest's RSP.
 */
static bool choose_stack64(struct vcpu *vcpu, unsigned int ist, unsigned int cpl,
			   u64 *rsp, struct met *met)
{
	struct vmcb *vmcb = vcpu->vmcb;
	u32 offset = ist ? TSS64_IST1 + (ist - 1) * 8 : TSS64_RSP0 + cpl * 8;

	*rsp = vmcb->rsp;
	if ((ist || cpl < vmcb->cpl) &&
	    !read_table(vcpu, &vmcb->tr, offset, rsp, sizeof(*rsp), X86_TS,
			(vmcb->tr.selector & ~SELECTOR_RPL) | ERROR_EXT, met))
		return false;
	*rsp &= ~15ull;
	return true;
}

/*
 * Pushes an exception frame on the guest's stack and sets the guest's RIP to
 * the handler in @gate, in long mode (APM2 8.9).  @cs is the handler's code
 * segment and @cpl its privilege level.
 */
static bool deliver64(struct vcpu *vcpu, const struct gate *gate,
		      const struct segment *cs, unsigned int cpl,
		      bool has_error, u32 error_code, struct met *met)
{
	struct vmcb *vmcb = vcpu->vmcb;
	struct guest_fault fault;
	u64 frame[6], rsp;
	unsigned int skip = has_error ? 0 : 1;
	u32 size = sizeof(frame) - skip * 8;

	if (!choose_stack64(vcpu, gate->ist & GATE_IST, cpl, &rsp, met))
		return false;
	frame[0] = error_code;
	frame[1] = vmcb->rip;
	frame[2] = vmcb->cs.selector;
	frame[3] = vmcb->rflags;
	frame[4] = vmcb->rsp;
	frame[5] = vmcb->ss.selector;
	if ((u64)((long)(rsp - size) << 7 >> 7) != rsp - size)
		return meet(met, X86_SS, ERROR_EXT);
	if (!guest_write(vcpu, rsp - size, frame + skip, size, 0, &fault))
		return meet_fault(met, &fault);

	if (cpl < vmcb->cpl) {
		memset(&vmcb->ss, 0, sizeof(vmcb->ss));
		vmcb->ss.selector = cpl;
		vmcb->ss.attrib = cpl << SEG_DPL_SHIFT;
	}
	vmcb->rsp = rsp - size;
	vmcb->cs = *cs;
	vmcb->rip = gate->offset_low | (u64)gate->offset_mid << 16 |
		    (u64)gate->offset_high << 32;
	return true;
}

/*
 * Pushes an exception frame on the guest's stack and sets the guest's EIP to
 * the handler in @gate, in 32-bit protected mode (APM2 8.7).  The parameters
 * are as in deliver64().
 */
static bool deliver32(struct vcpu *vcpu, const struct gate *gate,
		      const struct segment *cs, unsigned int cpl,
		      bool has_error, u32 error_code, struct met *met)
{
	struct vmcb *vmcb = vcpu->vmcb;
	struct segment ss = vmcb->ss;
	struct guest_fault fault;
	u32 frame[6], esp = vmcb->rsp;
	unsigned int skip = has_error ? 0 : 1, count = 4;
	u32 size;

	if (cpl < vmcb->cpl) {
		struct { u32 esp; u32 ss; } stack;

		if (!read_table(vcpu, &vmcb->tr, TSS32_ESP0 + cpl * 8, &stack,
				sizeof(stack), X86_TS,
				(vmcb->tr.selector & ~SELECTOR_RPL) | ERROR_EXT, met) ||
		    !read_descriptor(vcpu, stack.ss, &ss, X86_TS, met))
			return false;
		esp = stack.esp;
		count = 6;
	}
	if (!(ss.attrib & SEG_DB))
		end_error(vcpu, "exception on a 16-bit stack (selector %#x); sevemu models "
			  "32-bit and 64-bit stacks", (unsigned int)ss.selector);

	frame[0] = error_code;
	frame[1] = vmcb->rip;
	frame[2] = vmcb->cs.selector;
	frame[3] = vmcb->rflags;
	frame[4] = vmcb->rsp;
	frame[5] = vmcb->ss.selector;
	size = (count - skip) * 4;
	if (!guest_write(vcpu, (u32)(ss.base + esp - size), frame + skip, size, 0, &fault))
		return meet_fault(met, &fault);

	vmcb->ss = ss;
	vmcb->rsp = (u32)(esp - size);
	vmcb->cs = *cs;
	vmcb->rip = gate->offset_low | (u32)gate->offset_mid << 16;
	return true;
}

/* True while guest_raise_bare() runs: deliver() must then push no error code. */
static bool bare;

/*
 * Delivers exception or interrupt @vector to the guest.  Returns false if
 * another exception, *@met, occurred during the delivery.  The guest's state is
 * then unchanged, except for accessed and dirty bits in its page tables.
 */
static bool deliver(struct vcpu *vcpu, unsigned int vector, u32 error_code,
		    struct met *met)
{
	struct vmcb *vmcb = vcpu->vmcb;
	bool has_error = !bare && vector < X86_EXCEPTIONS &&
			 (u32)X86_HAS_ERROR_CODE >> vector & 1;
	u64 rflags = vmcb->rflags;
	unsigned int cpl = vmcb->cpl;
	struct segment cs;
	struct gate gate;
	bool done;

	if (!(vmcb->cr0 & CR0_PE) || vmcb->rflags & RFLAGS_VM)
		end_error(vcpu, "exception %u (error code %#x) in real or virtual-8086 mode; "
			  "sevemu delivers exceptions in protected mode and long mode",
			  vector, error_code);
	if (!read_gate(vcpu, vector, &gate, met) ||
	    !read_descriptor(vcpu, gate.selector, &cs, X86_GP, met))
		return false;
	if ((cs.attrib & (SEG_S | SEG_CODE)) != (SEG_S | SEG_CODE) ||
	    (cs.attrib >> SEG_DPL_SHIFT & 3u) > cpl ||
	    (guest_long_mode(vcpu) && (cs.attrib & (SEG_L | SEG_DB)) != SEG_L))
		return meet(met, X86_GP, (gate.selector & ~SELECTOR_RPL) | ERROR_EXT);
	if (!(cs.attrib & SEG_P))
		return meet(met, X86_NP, (gate.selector & ~SELECTOR_RPL) | ERROR_EXT);
	if (!(cs.attrib & SEG_CONFORMING))
		cpl = cs.attrib >> SEG_DPL_SHIFT & 3;
	cs.selector = (cs.selector & ~SELECTOR_RPL) | cpl;

	/*
	 * Set RF in the pushed RFLAGS.  The guest's handler of a fault returns
	 * to the faulting instruction, and with RF set an instruction
	 * breakpoint there does not occur a second time (APM2 13.1.1).
	 */
	if (vector != X86_DF && vector != X86_NMI)
		vmcb->rflags |= RFLAGS_RF;
	if (guest_long_mode(vcpu))
		done = deliver64(vcpu, &gate, &cs, cpl, has_error, error_code, met);
	else
		done = deliver32(vcpu, &gate, &cs, cpl, has_error, error_code, met);
	if (!done) {
		vmcb->rflags = rflags;
		return false;
	}

	vmcb->cpl = cpl;
	vmcb->rflags &= ~(u64)(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
	if ((gate.attrib & GATE_TYPE) == GATE_INTERRUPT)
		vmcb->rflags &= ~(u64)RFLAGS_IF;
	vmcb->int_state &= ~(u64)INT_SHADOW;
	return true;
}

/*
 * Returns whether @vector is a contributory exception.  If one occurs during
 * the delivery of another one, they become a double fault.  APM2 8.2.9 lists
 * the contributory exceptions; #VC is one, too (APM2 15.35.5).
 */
static bool contributory(unsigned int vector)
{
	return vector == 0 || (vector >= X86_TS && vector <= X86_GP) || vector == X86_VC;
}

/*
 * Returns whether exception @second, in the delivery of exception @first, makes a
 * double fault of the two (APM2 8.2.9).
 */
static bool double_fault(unsigned int first, unsigned int second)
{
	return (contributory(first) && contributory(second)) ||
	       (first == X86_PF && (contributory(second) || second == X86_PF));
}

/*
 * Ends the run, because the delivery of @vector, with @error_code, has led to a
 * triple fault.  @met is the exception that occurred during the delivery of
 * @vector, @last is the exception that occurred during the delivery of #DF.
 */
static __attribute__((noreturn)) void triple_fault(struct vcpu *vcpu, unsigned int vector,
						   u32 error_code, const struct met *met,
						   unsigned int last)
{
	if (vector == X86_VC && met->vector != X86_PF && met->error_code & ERROR_IDT)
		end_run(END_TRIPLE_FAULT, "triple fault at rip %#lx: the instruction there "
			"raises #VC (exit code %#x, %s), and the guest's IDT has no usable "
			"gate for vector 29: an SEV-ES guest needs a #VC handler before it "
			"executes such an instruction", vcpu->vmcb->rip, error_code,
			exit_name(error_code));
	end_run(END_TRIPLE_FAULT, "triple fault at rip %#lx: exception %u in the delivery of "
		"exception %u, and exception %u in that of #DF (--trace shows the events "
		"before it)", vcpu->vmcb->rip, met->vector, vector, last);
}

void guest_raise(struct vcpu *vcpu, unsigned int vector, u32 error_code)
{
	unsigned int first = vector;
	u32 first_error = error_code;
	struct met met = { 0 }, first_met = { 0 };

	trace("raise %u rip %#lx", vector, vcpu->vmcb->rip);
	while (!deliver(vcpu, vector, error_code, &met)) {
		trace("fault %u in delivery of %u", met.vector, vector);
		if (met.vector == X86_PF)
			vcpu->vmcb->cr2 = met.address;
		if (vector == X86_DF)
			triple_fault(vcpu, first, first_error,
				     first_met.vector ? &first_met : &met, met.vector);
		if (!first_met.vector)
			first_met = met;
		if (double_fault(vector, met.vector)) {
			vector = X86_DF;
			error_code = 0;
		} else {
			vector = met.vector;
			error_code = met.error_code;
			if (vector == X86_VC)
				report_vc(error_code);
		}
	}
}

void guest_raise_bare(struct vcpu *vcpu, unsigned int vector)
{
	struct met met = { 0 };
	bool done;

	trace("raise %u without error code rip %#lx", vector, vcpu->vmcb->rip);
	bare = true;
	done = deliver(vcpu, vector, 0, &met);
	bare = false;
	if (done)
		return;
	if (met.vector == X86_PF)
		vcpu->vmcb->cr2 = met.address;
	guest_raise(vcpu, met.vector, met.error_code);
}

void guest_raise_pf(struct vcpu *vcpu, const struct guest_fault *fault)
{
	if (fault->not_validated) {
		vc_not_validated(vcpu);
		return;
	}
	vcpu->vmcb->cr2 = fault->address;
	guest_raise(vcpu, X86_PF, fault->error_code);
}

void vc_raise(struct vcpu *vcpu, u64 exit_code)
{
	report_vc(exit_code);
	trace("vc %#lx rip %#lx", exit_code, vcpu->vmcb->rip);
	guest_raise(vcpu, X86_VC, exit_code);
	events_trigger(FROM_VC);
}

void vc_not_validated(struct vcpu *vcpu)
{
	u32 event = vcpu->vmcb->event_inj, type = event & EVENT_TYPE_MASK;
	unsigned int vector = event & EVENT_VECTOR;
	struct met met = { .vector = X86_VC, .error_code = SVM_EXIT_NOT_VALIDATED };

	vcpu->vmcb->event_inj = 0;
	if (!(event & EVENT_VALID) || type != EVENT_TYPE_EXCEPTION ||
	    (vector != X86_DF && !double_fault(vector, X86_VC)))
		vc_raise(vcpu, SVM_EXIT_NOT_VALIDATED);
	else if (vector == X86_DF)
		triple_fault(vcpu, vector, 0, &met, X86_VC);
	else
		guest_raise(vcpu, X86_DF, 0);
}
