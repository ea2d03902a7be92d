/* SPDX-License-Identifier: MIT */
/*
 * x86.h - numbers and instructions of the processor, as far as the hypervisor
 * needs them, transcribed from APM volumes 2 and 3.
 *
 * Assembly files use the constants.  C files also use the integer types, and
 * one function for each instruction that C cannot express.
 */
#ifndef SEVEMU_X86_H
#define SEVEMU_X86_H

/* Control registers (APM2 3.1). */
#define CR0_PE			0x00000001
#define CR0_TS			0x00000008
#define CR0_MSW			0x0000000f	/* the bits that LMSW writes */
#define CR0_ET			0x00000010
#define CR0_NE			0x00000020
#define CR0_WP			0x00010000
#define CR0_NW			0x20000000
#define CR0_CD			0x40000000
#define CR0_PG			0x80000000
#define CR3_NO_FLUSH		0x8000000000000000
#define CR4_PAE			0x00000020
#define CR4_MCE			0x00000040
#define CR4_OSFXSR		0x00000200
#define CR4_LA57		0x00001000
#define CR4_OSXSAVE		0x00040000
#define CR4_PKE			0x00400000

#define RFLAGS_CF		0x00000001
#define RFLAGS_FIXED		0x00000002
#define RFLAGS_PF		0x00000004
#define RFLAGS_AF		0x00000010
#define RFLAGS_ZF		0x00000040
#define RFLAGS_SF		0x00000080
#define RFLAGS_TF		0x00000100
#define RFLAGS_IF		0x00000200
#define RFLAGS_DF		0x00000400
#define RFLAGS_OF		0x00000800
#define RFLAGS_NT		0x00004000
#define RFLAGS_RF		0x00010000
#define RFLAGS_VM		0x00020000

/* Debug registers (APM2 13.1.1). */
#define DR6_INIT		0xffff0ff0
#define DR6_B0			0x00000001	/* breakpoint 0 caused this #DB */
#define DR6_B2			0x00000004
#define DR6_B3			0x00000008
#define DR6_BS			0x00004000	/* a single step caused this #DB */
#define DR7_INIT		0x00000400
#define DR7_G0			0x00000002	/* enables breakpoint 0 globally */
#define DR7_G1			0x00000008
#define DR7_G2			0x00000020
#define DR7_G3			0x00000080
/*
 * Fields L0, G0, R/W0 and LEN0 of DR7: enable, type and length of breakpoint 0.
 */
#define DR7_BP0_MASK		0x000f0003

/* Model-specific registers (APM2 appendix A). */
#define MSR_TSC			0x00000010
#define MSR_APIC_BASE		0x0000001b

/*
 * Addresses of the I/O APICs and of the local APIC.  A write to their registers starts no
 * DMA of a device, so dma.c need not see it.
 */
#define APIC_START		0xfec00000
#define APIC_END		0xfef00000
/* Registers of the local APIC (APM2 16.3), and values of them. */
#define LAPIC(offset)		((volatile u32 *)(0xfee00000ul + (offset)))
#define LAPIC_TIMER		0x320
#define LAPIC_LINT1		0x360	/* the machine's NMI comes in here */
#define LAPIC_NMI		0x400	/* delivery mode */
#define LAPIC_MASKED		0x10000
#define LAPIC_COUNT		0x380
#define LAPIC_DIVIDE		0x3e0
#define LAPIC_DIVIDE_BY_1	0xb

#define MSR_MTRR_CAP		0x000000fe
#define MSR_SYSENTER_CS		0x00000174
#define MSR_SYSENTER_ESP	0x00000175
#define MSR_SYSENTER_EIP	0x00000176
#define MSR_MCG_CAP		0x00000179
#define MSR_MCG_STATUS		0x0000017a
#define MSR_MCG_CTL		0x0000017b
#define MSR_MISC_ENABLE		0x000001a0
#define MSR_MTRR_BASE0		0x00000200
#define MSR_MTRR_MASK7		0x0000020f
#define MSR_MTRR_FIX64K		0x00000250
#define MSR_MTRR_FIX4K_F8000	0x0000026f
#define MSR_PAT			0x00000277
#define MSR_MTRR_DEF_TYPE	0x000002ff
#define MSR_MC0_CTL		0x00000400
#define MSR_MC9_MISC		0x00000427
#define MSR_XSS			0x00000da0
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103
#define MSR_SYSCFG		0xc0010010
#define MSR_HWCR		0xc0010015
#define MSR_VM_HSAVE_PA		0xc0010117
#define MSR_GHCB		0xc0010130
#define MSR_SEV_STATUS		0xc0010131

#define EFER_SCE		0x00000001
#define EFER_LME		0x00000100
#define EFER_LMA		0x00000400
#define EFER_NXE		0x00000800
#define EFER_SVME		0x00001000
#define EFER_FFXSR		0x00004000
#define EFER_VALID		(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR)

#define SEV_STATUS_SEV		1
#define SEV_STATUS_ES		2
#define SEV_STATUS_SNP		4

#define MTRR_DEF_TYPE_ENABLE	0x800
#define MTRR_TYPE_WB		6

/* Page table entries and page-fault error codes (APM2 5.3, 8.4.2). */
#define PTE_P			0x001
#define PTE_W			0x002
#define PTE_U			0x004
#define PTE_A			0x020
#define PTE_D			0x040
#define PTE_PS			0x080
#define PTE_NX			0x8000000000000000
#define PTE_ADDR		0x000ffffffffff000
#define PF_P			0x01
#define PF_W			0x02
#define PF_U			0x04
#define PF_ID			0x10

#define PAGE_SIZE		0x1000
#define PAGE_MASK		0xfff
#define LARGE_SIZE		0x200000

/* Exception vectors (APM2 8.2). */
#define X86_DB			1
#define X86_NMI			2
#define X86_BP			3
#define X86_UD			6
#define X86_DF			8
#define X86_TS			10
#define X86_NP			11
#define X86_SS			12
#define X86_GP			13
#define X86_PF			14
#define X86_AC			17
#define X86_VC			29
#define X86_EXCEPTIONS		32
/*
 * Bit n is set if the exception with vector n pushes an error code: 8, 10 to
 * 14, 17, 21, 29 and 30.
 */
#define X86_HAS_ERROR_CODE	0x60227d00

/*
 * Bits of a segment's attributes in the VMCB.  Bits 7:0 are bits 47:40 of the
 * segment descriptor, bits 11:8 are its bits 55:52.
 */
#define SEG_CODE		0x008
#define SEG_CONFORMING		0x004
#define SEG_S			0x010
#define SEG_DPL_SHIFT		5
#define SEG_P			0x080
#define SEG_L			0x200
#define SEG_DB			0x400
#define SEG_G			0x800

#define OP_INT3			0xcc
#define OP_HLT			0xf4
#define OP_INT			0xcd	/* INT: an immediate byte names its vector */
/* Second bytes of opcodes that start with 0F (APM3 appendix A). */
#define OPCODE_0F		0x0f
#define OP2_GROUP7		0x01
#define OP2_INVD		0x08
#define OP2_MOV_CR_DR		0x20
#define OP2_MOV_CR_DR_MASK	0xfc
#define OP2_MOV_FROM_DR		0x21
#define OP2_MOV_TO_CR		0x22
#define OP2_RDTSC		0x31
#define OP2_RDMSR		0x32
/* Prefixes that repeat a string instruction, or select an instruction, such as PVALIDATE. */
#define PREFIX_REPNE		0xf2
#define PREFIX_REP		0xf3
/* ModRM bytes of OP2_GROUP7: VMMCALL, and with a prefix those of SEV-SNP (APM3). */
#define MODRM_VMMCALL		0xd9
#define MODRM_RMPQUERY		0xfd	/* F3 0F 01 FD */
#define MODRM_RMPADJUST		0xfe	/* F3 0F 01 FE */
#define MODRM_PVALIDATE		0xff	/* F2 0F 01 FF */
/*
 * ModRM bytes from 0xc0 on have a register as operand, others memory (APM3
 * 1.4).
 */
#define MODRM_REGISTER		0xc0
#define MODRM_REG(modrm)	((modrm) >> 3 & 7)
#define MODRM_RM(modrm)		((modrm) & 7)

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* The registers that CPUID returns. */
struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(u16 port, u16 v)
{
	asm volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Writes @n bytes at @buf to the 8-bit I/O port @port, one after another. */
static inline void outsb(u16 port, const void *buf, size_t n)
{
	asm volatile("rep outsb" : "+S"(buf), "+c"(n) : "d"(port) : "memory");
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)));
}

static inline struct cpuid_regs cpuid(u32 function, u32 index)
{
	struct cpuid_regs r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(function), "c"(index));
	return r;
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (u64)hi << 32;
}

static inline u64 read_cr2(void)
{
	u64 v;

	asm volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline void write_dr0(u64 v)
{
	asm volatile("mov %0, %%dr0" : : "r"(v));
}

static inline void write_dr1(u64 v)
{
	asm volatile("mov %0, %%dr1" : : "r"(v));
}

/*
 * Returns the value of the debug register for a breakpoint at @at.  If @at is 0, there is to
 * be no breakpoint.  Then returns an address that no guest under attack maps, because address
 * 0 would be a breakpoint, too: a guest may jump to it.
 */
static inline u64 breakpoint(u64 at)
{
	return at ? at : 0x7ffffffffff0;
}

static inline void write_dr2(u64 v)
{
	asm volatile("mov %0, %%dr2" : : "r"(v));
}

static inline void write_dr3(u64 v)
{
	asm volatile("mov %0, %%dr3" : : "r"(v));
}

static inline void write_dr7(u64 v)
{
	asm volatile("mov %0, %%dr7" : : "r"(v));
}

#endif /* __ASSEMBLER__ */
#endif
