/* SPDX-License-Identifier: MIT */
/*
 * head.S - the NAE self-test's entry, the function run() that executes each instruction
 * under test, and replacements for the functions and tables of the stub's head_64.S to
 * which the stub's other object files refer.
 */
#include "idt.h"
#include "linkage.h"
#include "x86.h"
#include "nae.h"
#include "sevemu/hooks.h"

	.section .text.entry, "ax"
	.code64

/*
 * The self-test's entry, to which the stub jumps (boot.rst, "64-bit Boot Protocol").
 * Needs no stack.
 * In:  long mode, identity map, %rsi = zero page, interrupts off, .bss is zero
 * Out: does not return
 */
GLOBAL(_start)
FUNC(_start)
	cli
	cld
	leaq	nae_stack_end(%rip), %rsp
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_ptr + 2(%rip)
	lgdt	gdt_ptr(%rip)
	pushq	$BOOT_CS
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	/* ident_map_64.c uses XMM15. */
	movq	%cr4, %rax
	orl	$X86_CR4_OSFXSR, %eax
	movq	%rax, %cr4
	movq	%rsi, %rdi
	call	nae_main
	ud2
END_FUNC(_start)

	.text

/*
 * Loads CR3. The stub's function of this name also proves that the C-bit encrypts
 * memory. The self-test need not do so, because the stub that loaded the self-test has
 * already proven it.
 * In:  64-bit mode, %rdi = new CR3
 * Out: nothing. Clobbers no register.
 */
GLOBAL(load_cr3_proven)
FUNC(load_cr3_proven)
	movq	%rdi, %cr3
	ret
END_FUNC(load_cr3_proven)

/*
 * exception_nmi, terminate_from_vc - labels to which the stub's idt_handlers_64.S jumps: at
 * an NMI, and at a #VC for which exception_vc terminates the guest at once. No case of the
 * self-test causes an NMI or such a #VC, so both labels are at a UD2. When a case makes the
 * stub terminate the guest, the stub does so by terminate() in sev-es.c.
 * In:       nothing.
 * Out:      does not return.
 * Clobbers: nothing.
 * Mode:     64-bit.
 * Stack:    none.
 */
GLOBAL(exception_nmi)
exception_nmi:
GLOBAL(terminate_from_vc)
FUNC(terminate_from_vc)
	ud2
END_FUNC(terminate_from_vc)

/*
 * The handler of #GP: adds 1 to gp_total, and jumps to the stub's handler of #GP.
 * In:       the processor's frame.
 * Out:      jumps into exception_stubs.
 * Clobbers: flags.
 * Mode:     64-bit.
 * Stack:    none.
 */
GLOBAL(count_gp)
FUNC(count_gp)
	incq	gp_total(%rip)
	jmp	exception_stubs + X86_TRAP_GP * EXCEPTION_STUB_SIZE
END_FUNC(count_gp)

/*
 * Calls code with the registers of a struct regs, and stores the registers after it to
 * the same struct.
 * In:  64-bit mode, %rdi = code to call, %rsi = struct regs
 * Out: %eax = 0, or 1 if run_abort() ended the call; DF is clear
 * Clobbers: all registers but those that the C calling convention preserves
 */
GLOBAL(run)
FUNC(run)
	PUSH_CALLEE_SAVED
	movq	%rdi, run_code(%rip)
	movq	%rsi, run_regs(%rip)
	movq	%rsp, run_rsp(%rip)

	movq	REGS_RAX(%rsi), %rax
	movq	REGS_RCX(%rsi), %rcx
	movq	REGS_RDX(%rsi), %rdx
	movq	REGS_RBX(%rsi), %rbx
	movq	REGS_RBP(%rsi), %rbp
	movq	REGS_RDI(%rsi), %rdi
	movq	REGS_R8(%rsi), %r8
	movq	REGS_R9(%rsi), %r9
	movq	REGS_R10(%rsi), %r10
	movq	REGS_R11(%rsi), %r11
	movq	REGS_R12(%rsi), %r12
	movq	REGS_R13(%rsi), %r13
	movq	REGS_R14(%rsi), %r14
	movq	REGS_R15(%rsi), %r15
	pushq	REGS_RFLAGS(%rsi)
	movq	REGS_RSI(%rsi), %rsi
	popfq
	call	*run_code(%rip)

	pushfq
	pushq	%rsi
	movq	run_regs(%rip), %rsi
	popq	REGS_RSI(%rsi)
	popq	REGS_RFLAGS(%rsi)
	movq	%rax, REGS_RAX(%rsi)
	movq	%rcx, REGS_RCX(%rsi)
	movq	%rdx, REGS_RDX(%rsi)
	movq	%rbx, REGS_RBX(%rsi)
	movq	%rbp, REGS_RBP(%rsi)
	movq	%rdi, REGS_RDI(%rsi)
	movq	%r8, REGS_R8(%rsi)
	movq	%r9, REGS_R9(%rsi)
	movq	%r10, REGS_R10(%rsi)
	movq	%r11, REGS_R11(%rsi)
	movq	%r12, REGS_R12(%rsi)
	movq	%r13, REGS_R13(%rsi)
	movq	%r14, REGS_R14(%rsi)
	movq	%r15, REGS_R15(%rsi)
	xorl	%eax, %eax
.Lrun_out:
	cld
	POP_CALLEE_SAVED
	ret
END_FUNC(run)

/*
 * Called by the exception handler if the code that run() calls raises an exception.
 * Leaves the handler and returns from run().
 * In:  a call of run() that has not returned
 * Out: does not return to its caller, but to run()'s, with %eax = 1
 */
GLOBAL(run_abort)
FUNC(run_abort)
	movq	run_rsp(%rip), %rsp
	movl	$1, %eax
	jmp	.Lrun_out
END_FUNC(run_abort)

/*
 * Calls a test hook of sevemu (sevemu/hooks.h).
 * In:  %rdi = HOOK_*, %rsi and %rdx = arguments
 * Out: %rax = the hook's result
 * Clobbers: %rcx, %rdx, %rsi
 */
GLOBAL(call_hook)
FUNC(call_hook)
	movq	%rdi, %rcx
	xchgq	%rsi, %rdx
	movl	$HOOK_MAGIC, %eax
	vmmcall
	ret
END_FUNC(call_hook)

	/*
	 * mmio.c writes instructions to code_page and executes them. nae.ld puts the page
	 * into .text, because the stub's #VC handler refuses instructions outside of .text.
	 */
	.section .code_page, "awx"
	.balign 4096
GLOBAL(code_page)
DATA(code_page)
	.skip	4096
END_DATA(code_page)

	.data
	.balign 16
GLOBAL(gdt)
DATA(gdt)
	.quad	0
	.quad	GDT_CODE32
	.quad	GDT_CODE64
	.quad	GDT_DATA
	.quad	0, 0			/* TSS descriptor; idt_64.c writes it */
END_DATA(gdt)
DATA(gdt_ptr)
	.word	. - gdt - 1
	.quad	0
END_DATA(gdt_ptr)

	.bss
	.balign 8
run_code:
	.skip	8
run_regs:
	.skip	8
run_rsp:
	.skip	8

	/*
	 * The end of the stack has the stub's symbol stack_end, because the stub's report of
	 * an exception prints the stack up to stack_end. The guard pages are below the stack.
	 */
	.section .bss.stack, "aw", @nobits
	.balign 4096
GLOBAL(double_fault_guard)
double_fault_guard:
GLOBAL(stack_guard)
stack_guard:
	.skip	4096
	.skip	NAE_STACK_SIZE
GLOBAL(stack_end)
stack_end:
nae_stack_end:

	.section .bss.pool, "aw", @nobits
	.balign 4096
GLOBAL(page_table_pool)
page_table_pool:
	.skip	NAE_POOL_SIZE
GLOBAL(page_table_pool_end)
page_table_pool_end:

	.section .note.GNU-stack, "", @progbits
