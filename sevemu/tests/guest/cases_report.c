/* SPDX-License-Identifier: MIT */
/*
 * cases_report.c - cases whose exits sevemu's report counts apart: before and
 * behind a mark, and at a kernel's addresses. cases.list has the numbers.
 */
#include "guest.h"

#define KERNEL_VA		0xffffffff80000000ULL	/* the last 2 GiB */

static void cpuid_0(void)
{
	struct regs r = { 0 };

	insn_cpuid(&r);
}

/* In head.S, at the address that cases.list gives to --marker. It only returns. */
void marker_point(void);

/* Three exits come before marker_point() is executed, two come behind. */
CASE(marker, "marker", CASE_ES)
{
	cpuid_0();
	cpuid_0();
	cpuid_0();
	marker_point();
	cpuid_0();
	cpuid_0();
}

/* One exit comes before the hook that sets the mark, two come behind. */
CASE(mark, "hook-mark", CASE_ES)
{
	cpuid_0();
	hook(HOOK_MARK, 0);
	cpuid_0();
	cpuid_0();
}

/*
 * Maps the first GiB of memory at KERNEL_VA, too, and executes the third of four
 * CPUIDs there. The report counts the exits before the first exit at such an address.
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
