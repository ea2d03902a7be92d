/* SPDX-License-Identifier: MIT */
/*
 * exit_insns.h - a table of the instructions that raise #VC in an SEV-ES guest.
 * sevemu's test guest and the stub's self-test tests/payload/nae both execute them. This
 * header is for C and for assembly, and includes no header of sevemu or of the stub.
 *
 * EXIT_INSNS(ROW) expands to ROW(id, text, exit, reads, writes) for each instruction:
 *
 *	id	a name that is an identifier
 *	text	the instruction in AT&T syntax, for 64-bit code
 *	exit	the exit code that #VC has as its error code (APM2 appendix C),
 *		from <asm/svm.h>
 *	reads	GPR_*: the registers that the result depends on. A register that
 *		is written only in part is among them
 *	writes	GPR_*: the registers that may change
 *
 * <asm/svm.h> must be included where ROW uses the exit code. The column "reads" of
 * VMMCALL names the registers in which KVM's hypercalls or sevemu's test hooks take
 * arguments.
 */
#ifndef EXIT_INSNS_H
#define EXIT_INSNS_H

/* Bit n stands for register n in the processor's numbering (APM3 1.2.7). */
#define GPR_RAX		(1 << 0)
#define GPR_RCX		(1 << 1)
#define GPR_RDX		(1 << 2)
#define GPR_RBX		(1 << 3)
#define GPR_RSI		(1 << 6)
#define GPR_RDI		(1 << 7)

#define EXIT_INSNS(ROW)							\
	ROW(cpuid, "cpuid", SVM_EXIT_CPUID, GPR_RAX | GPR_RCX,		\
	    GPR_RAX | GPR_RBX | GPR_RCX | GPR_RDX)			\
	ROW(rdtsc, "rdtsc", SVM_EXIT_RDTSC, 0, GPR_RAX | GPR_RDX)	\
	ROW(rdtscp, "rdtscp", SVM_EXIT_RDTSCP, 0,			\
	    GPR_RAX | GPR_RCX | GPR_RDX)				\
	ROW(rdpmc, "rdpmc", SVM_EXIT_RDPMC, GPR_RCX, GPR_RAX | GPR_RDX)	\
	ROW(rdmsr, "rdmsr", SVM_EXIT_MSR, GPR_RCX, GPR_RAX | GPR_RDX)	\
	ROW(wrmsr, "wrmsr", SVM_EXIT_MSR,				\
	    GPR_RAX | GPR_RCX | GPR_RDX, 0)				\
	ROW(wbinvd, "wbinvd", SVM_EXIT_WBINVD, 0, 0)			\
	ROW(invd, "invd", SVM_EXIT_INVD, 0, 0)				\
	ROW(monitor, "monitor", SVM_EXIT_MONITOR,			\
	    GPR_RAX | GPR_RCX | GPR_RDX, 0)				\
	ROW(mwait, "mwait", SVM_EXIT_MWAIT, GPR_RAX | GPR_RCX, 0)	\
	ROW(vmmcall, "vmmcall", SVM_EXIT_VMMCALL,			\
	    GPR_RAX | GPR_RBX | GPR_RCX | GPR_RDX | GPR_RSI, GPR_RAX)	\
	ROW(read_dr7, "mov %dr7, %rax", SVM_EXIT_READ_DR7, 0, GPR_RAX)	\
	ROW(write_dr7, "mov %rax, %dr7", SVM_EXIT_WRITE_DR7, GPR_RAX, 0)	\
									\
	ROW(inb, "inb (%dx), %al", SVM_EXIT_IOIO,			\
	    GPR_RAX | GPR_RDX, GPR_RAX)					\
	ROW(inw, "inw (%dx), %ax", SVM_EXIT_IOIO,			\
	    GPR_RAX | GPR_RDX, GPR_RAX)					\
	ROW(inl, "inl (%dx), %eax", SVM_EXIT_IOIO, GPR_RDX, GPR_RAX)	\
	ROW(inb_imm, "inb $0x71, %al", SVM_EXIT_IOIO, GPR_RAX, GPR_RAX)	\
	ROW(outb, "outb %al, (%dx)", SVM_EXIT_IOIO, GPR_RAX | GPR_RDX, 0)	\
	ROW(outw, "outw %ax, (%dx)", SVM_EXIT_IOIO, GPR_RAX | GPR_RDX, 0)	\
	ROW(outl, "outl %eax, (%dx)", SVM_EXIT_IOIO, GPR_RAX | GPR_RDX, 0)	\
									\
	ROW(insb, "insb (%dx), (%rdi)", SVM_EXIT_IOIO,			\
	    GPR_RDX | GPR_RDI, GPR_RDI)					\
	ROW(rep_insb, "rep insb (%dx), (%rdi)", SVM_EXIT_IOIO,		\
	    GPR_RCX | GPR_RDX | GPR_RDI, GPR_RCX | GPR_RDI)		\
	ROW(rep_insw, "rep insw (%dx), (%rdi)", SVM_EXIT_IOIO,		\
	    GPR_RCX | GPR_RDX | GPR_RDI, GPR_RCX | GPR_RDI)		\
	ROW(rep_insl, "rep insl (%dx), (%rdi)", SVM_EXIT_IOIO,		\
	    GPR_RCX | GPR_RDX | GPR_RDI, GPR_RCX | GPR_RDI)		\
	ROW(outsb, "outsb (%rsi), (%dx)", SVM_EXIT_IOIO,		\
	    GPR_RDX | GPR_RSI, GPR_RSI)					\
	ROW(rep_outsb, "rep outsb (%rsi), (%dx)", SVM_EXIT_IOIO,	\
	    GPR_RCX | GPR_RDX | GPR_RSI, GPR_RCX | GPR_RSI)		\
	ROW(rep_outsw, "rep outsw (%rsi), (%dx)", SVM_EXIT_IOIO,	\
	    GPR_RCX | GPR_RDX | GPR_RSI, GPR_RCX | GPR_RSI)		\
	ROW(rep_outsl, "rep outsl (%rsi), (%dx)", SVM_EXIT_IOIO,	\
	    GPR_RCX | GPR_RDX | GPR_RSI, GPR_RCX | GPR_RSI)		\
	ROW(rep_outsb32, "rep outsb (%esi), (%dx)", SVM_EXIT_IOIO,	\
	    GPR_RCX | GPR_RDX | GPR_RSI, GPR_RCX | GPR_RSI)		\
									\
	ROW(mmio_read, "movl (%rbx), %eax", SVM_EXIT_NPF, GPR_RBX, GPR_RAX)	\
	ROW(mmio_read8, "movb (%rbx), %al", SVM_EXIT_NPF,		\
	    GPR_RAX | GPR_RBX, GPR_RAX)					\
	ROW(mmio_write, "movl %eax, (%rbx)", SVM_EXIT_NPF,		\
	    GPR_RAX | GPR_RBX, 0)

#endif
