/* SPDX-License-Identifier: MIT */
/*
 * x86.h - the processor: descriptors, MSRs, CPUID, page-table entries, exception
 * vectors, and functions for instructions that C cannot express. For C and
 * assembly.
 *
 * Bits of control registers and of EFLAGS come from the kernel's UAPI headers
 * (X86_CR0_PE, ...). Other names are those of AMD's manual (APM2, publication
 * 24593); a comment cites the section that defines them.
 */
#ifndef X86_H
#define X86_H

#include <linux/const.h>
#include <asm/processor-flags.h>

/*
 * -- Segment selectors (APM2 4.8). boot.rst "64-bit Boot Protocol" requires CS
 * 0x10 and DS 0x18 at a kernel's entry.
 */
#define KERNEL32_CS		0x08
#define BOOT_CS			0x10
#define BOOT_DS			0x18
#define BOOT_TSS		0x20
/* The code segment of EDK II, in which UEFI firmware enters the EFI entry. */
#define FIRMWARE_CS		0x38

/* Bytes of the stub's GDT. */
#define GDT_SIZE		64
/* Segment descriptors: base 0, limit 4 GiB, present, DPL 0, accessed. */
#define GDT_CODE32		_AC(0x00cf9b000000ffff, ULL)
#define GDT_CODE64		_AC(0x00af9b000000ffff, ULL)
#define GDT_DATA		_AC(0x00cf93000000ffff, ULL)
/* TSS descriptor: present, DPL 0, available. idt_64.c adds base and limit. */
#define GDT_TSS			_AC(0x0000890000000000, ULL)

/* -- Model-specific registers (APM2 appendix A). */
#define MSR_EFER		0xc0000080
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define EFER_LME_BIT		8
#define EFER_LMA_BIT		10
#define EFER_NXE_BIT		11
#define EFER_LME		(_AC(1, UL) << EFER_LME_BIT)
#define EFER_LMA		(_AC(1, UL) << EFER_LMA_BIT)
#define EFER_NXE		(_AC(1, UL) << EFER_NXE_BIT)

/* -- CPUID (APM3 appendix E): leaf numbers, then bit numbers in registers. */
#define CPUID_FEATURES		0x00000001
#define CPUID_STRUCTURED	0x00000007
#define CPUID_XSTATE		0x0000000d
#define CPUID_EXT_MAX		0x80000000
#define CPUID_EXT_FEATURES	0x80000001
#define CPUID_SEV		0x8000001f

#define CPUID_1_ECX_OSXSAVE_BIT	27	/* leaf 1 ECX */
#define CPUID_1_ECX_RDRAND_BIT	30
#define CPUID_7_EBX_BMI1_BIT	3	/* leaf 7 EBX */
#define CPUID_7_EBX_BMI2_BIT	8
#define CPUID_7_ECX_OSPKE_BIT	4	/* leaf 7 ECX */
#define CPUID_7_ECX_LA57_BIT	16
#define CPUID_D_1_EAX_XSAVEC	(_AC(1, U) << 1)	/* leaf 0xd, sub-leaf 1 EAX */
#define CPUID_D_1_EAX_XSAVES	(_AC(1, U) << 3)
#define CPUID_EXT_ECX_LZCNT_BIT	5	/* leaf 0x80000001 ECX (ABM) */
#define CPUID_EXT_EDX_NX_BIT	20	/* leaf 0x80000001 EDX */
#define CPUID_EXT_EDX_PG1G_BIT	26
#define CPUID_EXT_EDX_LM_BIT	29

/* The two bytes of the instruction CPUID. */
#define CPUID_BYTE0		0x0f
#define CPUID_BYTE1		0xa2

/* XCR0 after reset: x87 state only (APM2 11.5.2). */
#define XCR0_RESET		1

/* The bits of a selector that are the requested privilege level. */
#define SEGMENT_RPL_MASK	3

/* What IN returns for a port without a device. */
#define UNCONNECTED_PORT	0xff

/* -- Long-mode page tables (APM2 5.3). */
#define PAGE_SHIFT		12
#define PAGE_SIZE		(_AC(1, UL) << PAGE_SHIFT)
#define PMD_SHIFT		21
#define PMD_SIZE		(_AC(1, UL) << PMD_SHIFT)
#define PUD_SHIFT		30
#define PUD_SIZE		(_AC(1, UL) << PUD_SHIFT)
#define PTRS_PER_TABLE		512
#define TABLE_INDEX_BITS	9

#define PTE_PRESENT_BIT		0
#define PTE_WRITE_BIT		1
#define PTE_PRESENT		(_AC(1, UL) << PTE_PRESENT_BIT)
#define PTE_WRITE		(_AC(1, UL) << PTE_WRITE_BIT)
#define PTE_USER		(_AC(1, UL) << 2)
#define PTE_PWT			(_AC(1, UL) << 3)
#define PTE_PCD			(_AC(1, UL) << 4)
#define PTE_ACCESSED		(_AC(1, UL) << 5)
#define PTE_DIRTY		(_AC(1, UL) << 6)
#define PTE_LEAF		(_AC(1, UL) << 7)	/* PS, above level 1 */
#define PTE_GLOBAL		(_AC(1, UL) << 8)
/*
 * Marks a guard page of ident_map_64.c. In an entry that is not present the processor
 * ignores all bits but P (APM2 5.4.1).
 */
#define PTE_GUARD		(_AC(1, UL) << 9)
/*
 * Marks a leaf of the payload's memory until ident_map_make_executable() removes the mark. The
 * processor ignores bits 11:9 of every entry (APM2 5.4.1).
 */
#define PTE_PAYLOAD		(_AC(1, UL) << 10)
#define PTE_NX			(_AC(1, UL) << 63)
/* Bits 51:12 of an entry: the physical address and, in an SEV guest, the C-bit. */
#define PTE_ADDR_MASK		_AC(0x000ffffffffff000, UL)

/* -- Page-fault error code (APM2 8.4.2). */
#define PF_PRESENT		(_AC(1, UL) << 0)
#define PF_WRITE		(_AC(1, UL) << 1)
#define PF_USER			(_AC(1, UL) << 2)
#define PF_RSVD			(_AC(1, UL) << 3)
#define PF_FETCH		(_AC(1, UL) << 4)

/*
 * Bit 10 of DR7 always reads as 1. Bits 63:32, 15:14 and 12:11 are reserved (APM2
 * 13.1.1), and software can write the bits of DR7_WRITABLE.
 */
#define DR7_FIXED_1		0x400
#define DR7_WRITABLE		0xffff23ff

/*
 * Numbers in ECX by which exception_vc recognises the #VC of ask_cpuid()'s CPUID, and
 * exception_gp a #GP at the VMGEXIT of vmgexit_page(). ECX can hold data of a loader that
 * equal these numbers, so the handlers also compare RSP and RIP.
 */
#define CPUID_SUBLEAF_ASK	0x204b5341	/* "ASK " */
#define ECX_VMGEXIT_PAGE	0x54495845	/* "EXIT" */

/* -- Exception vectors (APM2 8.2). */
#define X86_TRAP_DE		0
#define X86_TRAP_DB		1
#define X86_TRAP_NMI		2
#define X86_TRAP_UD		6
#define X86_TRAP_DF		8
#define X86_TRAP_GP		13
#define X86_TRAP_PF		14
#define X86_TRAP_AC		17
#define X86_TRAP_VC		29
#define IDT_VECTORS		32
/*
 * The type byte of an interrupt gate (APM2 4.7.4, 4.8.4): present, DPL 0. The
 * processor clears IF when it enters the handler.
 */
#define GATE_INTERRUPT		0x8e
/*
 * Bit n is set if the processor pushes an error code for vector n: 8, 10 to 14,
 * 17, 21, 29 and 30.
 */
#define TRAPS_WITH_ERROR_CODE	0x60227d00

/* Bytes that one CLFLUSH writes back: 64 on every processor with SEV. */
#define CACHE_LINE_SIZE		64

/*
 * Results of PVALIDATE and RMPADJUST in EAX (APM3): 0 for success, RMP_FAIL_SIZE if the
 * page has another size in the reverse map table. pvalidate() returns RMP_UNCHANGED if
 * PVALIDATE has set CF, because the validated bit had the requested value already.
 */
#define RMP_FAIL_SIZE		6
#define RMP_UNCHANGED		255
/* The operand RDX of RMPADJUST that takes all rights from VMPL 1. */
#define RMPADJUST_VMPL1		1

#ifndef __ASSEMBLER__

#include "types.h"

/* What LGDT and LIDT load: the table's size - 1, and its address (APM2 4.6). */
struct desc_ptr {
	u16 limit;
	u64 base;
} __attribute__((packed));
BUILD_BUG_ON(sizeof(struct desc_ptr) != 10);

/* A gate of the IDT in long mode (APM2 4.8.4). */
struct idt_gate {
	u16 offset_low;		/* 0x0 */
	u16 selector;		/* 0x2 */
	u8 ist;			/* 0x4 */
	u8 type;		/* 0x5 */
	u16 offset_middle;	/* 0x6 */
	u32 offset_high;	/* 0x8 */
	u32 reserved;		/* 0xc */
};
BUILD_BUG_ON(sizeof(struct idt_gate) != 16);

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid_count(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline void clflush(const volatile void *addr)
{
	asm volatile("clflush %0" : : "m"(*(const volatile char *)addr)
		     : "memory");
}

static inline void mfence(void)
{
	asm volatile("mfence" : : : "memory");
}

/* Stores @value at @at and returns the old value, in one locked instruction. */
static inline u8 exchange_byte(u8 *at, u8 value)
{
	asm volatile("xchgb %0, %1" : "+q"(value), "+m"(*at) : : "memory");
	return value;
}


/*
 * Instructions that only ring 0 can execute, or whose result a unit test must control. A unit
 * test or fuzzer (SEVSTUB_HOSTED) runs in ring 3 of the build machine, and defines these
 * functions itself.
 */
#ifdef SEVSTUB_HOSTED

u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 value);
u64 read_cr0(void);
u64 read_cr2(void);
void write_cr2(u64 value);
u64 read_xmm15(void);
void write_xmm15(u64 value);
u64 read_cr3(void);
void write_cr3(u64 value);
u64 read_cr4(void);
void invlpg(u64 addr);
void load_idt(const struct desc_ptr *idt);
void load_tr(u16 selector);
u8 inb(u16 port);
void outb(u8 value, u16 port);
void outsb(u16 port, const void *buf, size_t count);
void vmgexit(void);
u64 vmgexit_page(void);
bool ask_cpuid(u32 leaf, struct cpuid_regs *regs);
u64 vmgexit_svsm(u64 call, u64 argument, u8 *pending);
unsigned int pvalidate(u64 addr, bool large, bool validate);
unsigned int rmpadjust(u64 addr, u64 target);
bool rdrand(u64 *value);
u64 rdtsc(void);
noreturn void halt_forever(void);

#else

/*
 * Returns the value of MSR @msr, which must be a constant. The constant is loaded right before
 * RDMSR, because the compiler could otherwise keep it in a register that a call saves on the
 * stack, where the hypervisor can replace it. exception_vc terminates the guest at any #VC with
 * MSR_SEV_STATUS in ECX, because only the processor may answer an RDMSR of this MSR. rdmsr()
 * clears ECX after RDMSR, so that a #VC of a later instruction does not terminate the guest.
 */
static inline __attribute__((always_inline)) u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("movl %2, %%ecx; rdmsr; xorl %%ecx, %%ecx"
		     : "=a"(low), "=d"(high) : "i"(msr) : "rcx", "cc");
	return (u64)high << 32 | low;
}

/*
 * Writes @value to MSR @msr, which must be a constant. Loads and clears ECX as rdmsr() does,
 * because exception_vc terminates the guest at any #VC with MSR_GHCB in ECX, too.
 */
static inline __attribute__((always_inline)) void wrmsr(u32 msr, u64 value)
{
	asm volatile("movl %0, %%ecx; wrmsr; xorl %%ecx, %%ecx"
		     : : "i"(msr), "a"((u32)value), "d"((u32)(value >> 32))
		     : "rcx", "memory", "cc");
}

static inline u64 read_cr0(void)
{
	u64 value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline u64 read_cr2(void)
{
	u64 value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline void write_cr2(u64 value)
{
	asm volatile("mov %0, %%cr2" : : "r"(value));
}

/* Returns the low half of XMM15, in which table_pool.h keeps a number. */
static inline u64 read_xmm15(void)
{
	u64 value;

	asm volatile("movq %%xmm15, %0" : "=r"(value));
	return value;
}

static inline void write_xmm15(u64 value)
{
	asm volatile("movq %0, %%xmm15" : : "r"(value));
}

static inline u64 read_cr3(void)
{
	u64 value;

	asm volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(u64 value)
{
	asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline u64 read_cr4(void)
{
	u64 value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void invlpg(u64 addr)
{
	asm volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

static inline void load_idt(const struct desc_ptr *idt)
{
	asm volatile("lidt %0" : : "m"(*idt));
}

static inline void load_tr(u16 selector)
{
	asm volatile("ltr %0" : : "r"(selector));
}

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outb(u8 value, u16 port)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* Writes bytes by REP OUTSB, which costs a guest one exit for all of them. */
static inline void outsb(u16 port, const void *buf, size_t count)
{
	asm volatile("rep outsb"
		     : "+S"(buf), "+c"(count) : "d"(port) : "memory");
}

/*
 * Stores a random number in *@value. Returns false and stores 0 if RDRAND has no
 * random number at present.
 */
static inline bool rdrand(u64 *value)
{
	bool good;

	asm volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
	return good;
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

/* VMGEXIT is REP VMMCALL (APM2 15.35.6); binutils before 2.38 lacks the name. */
static inline void vmgexit(void)
{
	asm volatile("rep; vmmcall" : : : "memory");
}

/*
 * Executes VMGEXIT for a request in the GHCB page. Returns 0, or X86_TRAP_GP if the
 * hypervisor has injected #GP after VMGEXIT. exception_gp recognises this #GP by ECX, RDX
 * and RIP, and jumps to behind_vmgexit with RSP = RDX and the result in RAX. VMGEXIT
 * leaves these registers unchanged. The function must be expanded once, because its global
 * label must exist once.
 */
static inline u64 vmgexit_page(void)
{
	u64 result = 0;

	asm volatile("movq %%rsp, %%rdx\n"
		     "	movl %1, %%ecx\n"
		     "	rep; vmmcall\n"
		     "	.globl behind_vmgexit\n"
		     "behind_vmgexit:\n"
		     "	xorl %%ecx, %%ecx"
		     : "+a"(result) : "i"(ECX_VMGEXIT_PAGE)
		     : "rcx", "rdx", "memory", "cc");
	return result;
}

/*
 * Executes CPUID of @leaf to find out whether this is an SEV-ES guest: there CPUID can raise
 * #VC. Returns true if CPUID has raised #VC, and *@regs has no meaning then. exception_vc
 * recognises the CPUID by ECX, RSI and RIP, and jumps to behind_cpuid with RSP = RSI, so
 * that no register comes from memory. ECX can be a mark, because the processor ignores the
 * sub-leaf for the leaves that callers pass. The function must be expanded once, because its
 * global labels must exist once.
 */
static inline bool ask_cpuid(u32 leaf, struct cpuid_regs *regs)
{
	u64 raised;

	asm volatile("movq %%rsp, %%rsi\n"
		     "	movl %5, %%ecx\n"
		     "	.globl asked_cpuid\n"
		     "asked_cpuid:\n"
		     "	cpuid\n"
		     "	xorl %%esi, %%esi\n"
		     "	.globl behind_cpuid\n"
		     "behind_cpuid:"
		     : "=a"(regs->eax), "=b"(regs->ebx), "=&c"(regs->ecx),
		       "=d"(regs->edx), "=&S"(raised)
		     : "i"(CPUID_SUBLEAF_ASK), "a"(leaf) : "cc");
	return raised;
}

/*
 * The VMGEXIT that runs the SVSM (SVSM specification, "Calling convention"): RAX is
 * the call, RCX its argument. Sets *@pending to 1 after both are loaded, because the
 * hypervisor can run the SVSM at any moment from then on. Returns RAX, the call's
 * result. The SVSM may change the other registers of the convention.
 */
static inline u64 vmgexit_svsm(u64 call, u64 argument, u8 *pending)
{
	asm volatile("movb $1, %2; rep; vmmcall"
		     : "+a"(call), "+c"(argument), "+m"(*pending)
		     : : "rdx", "r8", "r9", "memory");
	return call;
}

/*
 * Sets the validated bit of the page at virtual address @addr to @validate (APM3,
 * PVALIDATE). Returns the instruction's result in EAX, or RMP_UNCHANGED if the bit
 * had this value already. The instruction is written as bytes, because binutils before
 * 2.36 does not know its name.
 */
static inline unsigned int pvalidate(u64 addr, bool large, bool validate)
{
	unsigned int result;
	bool unchanged;

	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff"
		     : "=a"(result), "=@ccc"(unchanged)
		     : "a"(addr), "c"((u32)large), "d"((u32)validate)
		     : "memory");
	return !result && unchanged ? RMP_UNCHANGED : result;
}

/*
 * Changes the rights of a VMPL to the page of 4 KiB at virtual address @addr, as
 * @target says (APM3, RMPADJUST). Returns the instruction's result in EAX.
 */
static inline unsigned int rmpadjust(u64 addr, u64 target)
{
	unsigned int result;

	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfe"
		     : "=a"(result) : "a"(addr), "c"(0), "d"(target)
		     : "memory", "cc");
	return result;
}

static inline noreturn void halt_forever(void)
{
	for (;;)
		asm volatile("cli; hlt" : : : "memory");
}

#endif /* SEVSTUB_HOSTED */
#endif /* __ASSEMBLER__ */
#endif
