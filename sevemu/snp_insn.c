/* SPDX-License-Identifier: MIT */
/*
 * snp_insn.c - executes the instructions by which an SEV-SNP guest changes and
 * reads the RMP: PVALIDATE, RMPADJUST and RMPQUERY (APM3).
 *
 * Runs when the guest has got a #UD, which is intercepted with --sev snp, because
 * QEMU's processor has none of the three.  rmp.c has the rules for the RMP entry.
 * This file has those for the operands: privilege level, VMPL, address and size.
 */
#include "attack_snp.h"
#include "exception.h"
#include "guest_memory.h"
#include "hooks.h"
#include "insn.h"
#include "log.h"
#include "main.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "snp_insn.h"

/*
 * Bit 0 of RCX: the operand is a page of 2 MiB.  Bit 0 of RDX of PVALIDATE: validate.
 * The other bits are ignored, because Linux leaves part of an address in them.
 */
#define SIZE_2M			1
#define VALIDATE		1

/* Fields of RDX of RMPADJUST and RMPQUERY. */
#define TARGET_VMPL		0xff
#define RIGHTS_SHIFT		8
#define RIGHTS_MASK		0xff
#define TARGET_VMSA		0x10000
/*
 * Rights that RMPADJUST can give.  Bit 4, supervisor shadow stack, has no effect
 * in this model, because QEMU's processor has no shadow stacks.
 */
#define RIGHTS_VALID		0x1f

#define ARITHMETIC_FLAGS	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | \
				 RFLAGS_OF)

/*
 * Completes the instruction: sets EAX to @result, CF to @carry and the other arithmetic
 * flags as @result demands, and moves RIP after the instruction.
 */
static void finish(struct vcpu *vcpu, const struct insn *insn, u32 result, bool carry)
{
	u64 flags = vcpu->vmcb->rflags & ~(u64)ARITHMETIC_FLAGS;

	if (carry)
		flags |= RFLAGS_CF;
	if (!result)
		flags |= RFLAGS_ZF;
	if (!__builtin_parity(result & 0xff))
		flags |= RFLAGS_PF;
	vcpu->vmcb->rflags = flags;
	vcpu->gpr[RAX] = result;
	insn_advance(vcpu, insn);
}

/*
 * Returns the instruction's operand RAX as a linear address.  The segments of a
 * guest in 32-bit mode are taken to be flat.
 */
static u64 operand(const struct vcpu *vcpu, const struct insn *insn, bool long64)
{
	u64 va = vcpu->gpr[RAX];

	return long64 && !insn->address_size ? va : (u32)va;
}

/*
 * Returns whether the bits of linear address @va above those that paging translates are
 * copies of the highest translated bit.  An instruction raises #GP if they are not.
 */
static bool canonical(const struct vcpu *vcpu, u64 va)
{
	unsigned int unused = vcpu->vmcb->cr4 & CR4_LA57 ? 7 : 16;

	return (u64)((long)(va << unused) >> unused) == va;
}

static bool operand_huge(const struct vcpu *vcpu)
{
	return vcpu->gpr[RCX] & SIZE_2M;
}

/*
 * Reports that an operand of the instruction is malformed, and finishes the
 * instruction with FAIL_INPUT.
 */
static void bad_input(struct vcpu *vcpu, const struct insn *insn, const char *name)
{
	violation(vcpu, VIOL_RMP_INPUT, "%s with RAX %#lx, RCX %#lx, RDX %#lx", name,
		  vcpu->gpr[RAX], vcpu->gpr[RCX], vcpu->gpr[RDX]);
	finish(vcpu, insn, RMP_FAIL_INPUT, false);
}

/*
 * Reports that the operand of the instruction @name, the page at linear address @va, is mapped
 * with the C-bit clear, to @gpa.
 */
static void mapped_shared(struct vcpu *vcpu, const char *name, u64 va, u64 gpa)
{
	violation(vcpu, VIOL_PVALIDATE_C0, "%s of %#lx, which is mapped with C=0 to %#lx", name,
		  va, gpa);
}

/*
 * Ends the run, because the instruction @name names memory that is not private
 * memory of the guest.
 */
static void unassigned(struct vcpu *vcpu, const char *name, u64 gpa)
{
	report_count(COUNT_RMP_MISMATCH);
	violation(vcpu, VIOL_RMP_MISMATCH, "%s of %#lx, which is not private memory of the "
		  "guest: it must change the page's state before", name, gpa);
}

static void pvalidate(struct vcpu *vcpu, const struct insn *insn, bool long64)
{
	u64 va = operand(vcpu, insn, long64);
	bool huge = operand_huge(vcpu), validate = vcpu->gpr[RDX] & VALIDATE, same;
	struct guest_fault fault;
	struct translation t;
	unsigned int result;

	if (vcpu->vmcb->cpl || vcpu->vmpl || !canonical(vcpu, va)) {
		guest_raise(vcpu, X86_GP, 0);
		return;
	}
	if (huge && va % LARGE_SIZE) {
		bad_input(vcpu, insn, "PVALIDATE");
		return;
	}
	if (!guest_translate(vcpu, va, 0, &t, &fault)) {
		guest_raise_pf(vcpu, &fault);
		return;
	}
	if (t.view != VIEW_PRIVATE)
		mapped_shared(vcpu, "PVALIDATE", va, t.gpa);
	if (huge && t.span < LARGE_SIZE)
		result = RMP_FAIL_SIZE;
	else
		result = rmp_validate(vcpu, t.gpa, huge, validate, &same);
	if (!result && same)
		rmp_validated_twice(vcpu, t.gpa, validate);
	if (!result)
		snp_attack_pvalidate(huge, &result, &same);
	if (result == RMP_FAIL_SIZE)
		report_count(COUNT_RMP_SIZE);
	if (result == RMP_FAIL_UNASSIGNED) {
		unassigned(vcpu, "PVALIDATE", t.gpa);
		result = RMP_FAIL_INPUT;
	}
	finish(vcpu, insn, result, !result && same);
}

/*
 * Does what RMPADJUST and RMPQUERY have in common: checks the page whose linear address is
 * in RAX, and sets *@gpa to the guest-physical address of its 4 KiB frame.  Returns false if
 * the page was refused: the instruction is then finished, or has raised an exception.
 */
static bool target_page(struct vcpu *vcpu, const struct insn *insn, const char *name,
			u64 *gpa)
{
	bool huge = operand_huge(vcpu) && insn->modrm == MODRM_RMPADJUST;
	u64 va = operand(vcpu, insn, true);
	struct guest_fault fault;
	struct translation t;

	if (!canonical(vcpu, va)) {
		guest_raise(vcpu, X86_GP, 0);
		return false;
	}
	if (!guest_translate(vcpu, va, 0, &t, &fault)) {
		guest_raise_pf(vcpu, &fault);
		return false;
	}
	if (t.view != VIEW_PRIVATE)
		mapped_shared(vcpu, name, va, t.gpa);
	if (!npt_rmp(t.gpa)) {
		unassigned(vcpu, name, t.gpa);
		finish(vcpu, insn, RMP_FAIL_INPUT, false);
		return false;
	}
	if (!rmp_access(vcpu, t.gpa, VIEW_PRIVATE, 0)) {
		vc_not_validated(vcpu);
		return false;
	}
	if (huge && (t.span < LARGE_SIZE || !(npt_rmp(t.gpa)->flags & RMP_2M))) {
		report_count(COUNT_RMP_SIZE);
		finish(vcpu, insn, RMP_FAIL_SIZE, false);
		return false;
	}
	*gpa = ALIGN_DOWN(t.gpa, PAGE_SIZE);
	return true;
}

static void rmpadjust(struct vcpu *vcpu, const struct insn *insn)
{
	u64 change = vcpu->gpr[RDX], gpa;
	unsigned int vmpl = change & TARGET_VMPL;
	u8 rights = change >> RIGHTS_SHIFT & RIGHTS_MASK;
	bool huge = operand_huge(vcpu), vmsa = change & TARGET_VMSA;

	if (vcpu->vmcb->cpl) {
		guest_raise(vcpu, X86_GP, 0);
		return;
	}
	report_count(COUNT_RMP_ADJUSTED);
	/*
	 * The right to write without the right to read is malformed, because page tables
	 * cannot express it.
	 */
	if (rights & ~RIGHTS_VALID || vmpl >= VMPLS ||
	    (rights & (RMP_READ | RMP_WRITE)) == RMP_WRITE ||
	    (huge && vcpu->gpr[RAX] % LARGE_SIZE)) {
		bad_input(vcpu, insn, "RMPADJUST");
		return;
	}
	/*
	 * A VMPL may change only the rights of a VMPL with a higher number, which is
	 * less privileged.  A VMPL may give only rights that it has itself, which the code
	 * below checks.  Only VMPL 0 may make a page a VMSA page.
	 */
	if (vmpl <= vcpu->vmpl || (vmsa && vcpu->vmpl)) {
		finish(vcpu, insn, RMP_FAIL_PERMISSION, false);
		return;
	}
	if (!target_page(vcpu, insn, "RMPADJUST", &gpa))
		return;
	if (!rmp_usable(gpa, vcpu->vmpl, rights & RMP_ALL_RIGHTS)) {
		finish(vcpu, insn, RMP_FAIL_PERMISSION, false);
		return;
	}
	rmp_adjust(gpa, huge, vmpl, rights & RMP_ALL_RIGHTS, vmsa);
	trace("rmp %#lx VMPL %u rights %#x%s", gpa, vmpl, (unsigned int)rights,
	      vmsa ? " VMSA" : "");
	finish(vcpu, insn, RMP_SUCCESS, false);
}

static void rmpquery(struct vcpu *vcpu, const struct insn *insn)
{
	unsigned int vmpl = vcpu->gpr[RDX] & TARGET_VMPL;
	u64 gpa, word;

	if (vcpu->vmcb->cpl) {
		guest_raise(vcpu, X86_GP, 0);
		return;
	}
	report_count(COUNT_RMP_QUERIED);
	if (vmpl >= VMPLS || vmpl < vcpu->vmpl) {
		finish(vcpu, insn, RMP_FAIL_PERMISSION, false);
		return;
	}
	if (!target_page(vcpu, insn, "RMPQUERY", &gpa))
		return;
	word = rmp_word(gpa);
	vcpu->gpr[RCX] = word & RMP_2M ? SIZE_2M : 0;
	vcpu->gpr[RDX] = vmpl | (vmpl ? word >> vmpl * 8 & RIGHTS_MASK : RMP_ALL_RIGHTS) <<
				RIGHTS_SHIFT |
			 (word & RMP_VMSA ? TARGET_VMSA : 0);
	finish(vcpu, insn, RMP_SUCCESS, false);
}

/* Lets QEMU deliver the #UD that was intercepted, in any mode of the guest. */
static void pass_ud(struct vcpu *vcpu)
{
	trace("raise %u rip %#lx", X86_UD, vcpu->vmcb->rip);
	vcpu->vmcb->event_inj = EVENT_VALID | EVENT_TYPE_EXCEPTION | X86_UD;
}

void snp_exit_ud(struct vcpu *vcpu)
{
	bool long64 = guest_long_mode(vcpu) && vcpu->vmcb->cs.attrib & SEG_L;
	struct insn insn;
	bool group7;

	insn_decode(vcpu, &insn);
	/* LOCK raises #UD in front of these instructions (APM3, "Lock Prefix"). */
	group7 = !insn.lock && insn.opcode[0] == OPCODE_0F && insn.opcode[1] == OP2_GROUP7;
	if (group7 && insn.repeat == PREFIX_REPNE && insn.modrm == MODRM_PVALIDATE)
		pvalidate(vcpu, &insn, long64);
	else if (group7 && insn.repeat == PREFIX_REP && insn.modrm == MODRM_RMPADJUST && long64)
		rmpadjust(vcpu, &insn);
	else if (group7 && insn.repeat == PREFIX_REP && insn.modrm == MODRM_RMPQUERY && long64)
		rmpquery(vcpu, &insn);
	else
		pass_ud(vcpu);
}
