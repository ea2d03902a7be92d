/* SPDX-License-Identifier: MIT */
/*
 * cases_report.c - cases for the report in which sevemu counts the guest's exits. The
 * report counts some exits separately: those before a marker, and those before the
 * guest first runs at a kernel's virtual address. The marker is an address (--marker)
 * or a call of HOOK_MARK. cases.list has the expected numbers.
 */
#include "guest.h"

/* A kernel's virtual addresses: the last 2 GiB of the address space. */
#define KERNEL_VA		0xffffffff80000000ULL

static void cpuid_0(void)
{
	struct regs r = { 0 };

	insn_cpuid(&r);
}

/*
 * In head.S: a function that only returns. cases.list passes its address to sevemu's
 * option --marker, so that sevemu counts the exits before it separately.
 */
void marker_point(void);

/*
 * Three CPUID exits come before marker_point() is executed, and two come after it.
 * cases.list expects these numbers in the report.
 */
CASE(marker, "marker", CASE_ES)
{
	cpuid_0();
	cpuid_0();
	cpuid_0();
	marker_point();
	cpuid_0();
	cpuid_0();
}

/*
 * One CPUID exit comes before the hook HOOK_MARK, which acts like --marker, and two
 * come after it.
 */
CASE(mark, "hook-mark", CASE_ES)
{
	cpuid_0();
	hook(HOOK_MARK, 0);
	cpuid_0();
	cpuid_0();
}

/*
 * Maps the first GiB of memory a second time, at KERNEL_VA, and executes the third of
 * four CPUIDs at an address above KERNEL_VA. sevemu's report must count two exits before
 * the first exit at a kernel's address.
 */
CASE(kernel_va, "kernel-va", CASE_ES)
{
	static ALIGNED_PAGE u64 high_pdpt[PTRS];
	const u64 flags = PTE_P | PTE_RW | machine.cmask;
	u64 cr3, *pml4, *pdpt;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	pml4 = (u64 *)(cr3 & ~machine.cmask & ~0xfffULL);
	pdpt = (u64 *)(pml4[0] & ~machine.cmask & ~0xfffULL);
	high_pdpt[PTRS - 2] = pdpt[0];
	pml4[PTRS - 1] = (u64)high_pdpt | flags;
	flush_tlb();
	cpuid_0();
	cpuid_0();
	asm volatile("movq $1f, vc(%%rip)\n\tmovq $2f, vc + 8(%%rip)\n\t"
		     "movq %0, %%rax\n\t"
		     "addq %%rax, vc(%%rip)\n\taddq %%rax, vc + 8(%%rip)\n\t"
		     "addq $1f, %%rax\n\txorl %%ecx, %%ecx\n\tjmp *%%rax\n"
		     "1:\tcpuid\n"
		     "2:\tmovq $3f, %%rax\n\tjmp *%%rax\n3:"
		     : : "i"(KERNEL_VA) : "rax", "rbx", "rcx", "rdx", "memory");
	cpuid_0();
	expect("#VC count", vc.count, 4);
	pml4[PTRS - 1] = 0;
	flush_tlb();
}
