/* SPDX-License-Identifier: MIT */
/*
 * sev-es.c - the SEV guest: whether we are one, the C-bit, the two protocols
 * with the hypervisor, and the #VC handlers that use them.
 *
 * Stage 1 runs from the first IDT on and answers CPUID by the MSR protocol.
 * Stage 2 starts with sev_es_setup_ghcb(), once the stub's own page tables are
 * in force, and answers everything through one shared page, the GHCB.
 *
 * The hypervisor is the adversary. What it says is read once, checked where it
 * enters (msr_protocol(), ghcb_exchange(), ghcb_output()) and a plain value
 * behind that; a reply that cannot be right ends the guest with a reason.
 * Nothing in a handler may raise #VC again: no CPUID, no port I/O.
 */
#include "insn.h"
#include "misc.h"
#include "sev.h"

/* Bits of RFLAGS that decide how a string instruction runs. */
#define DIRECTION_DOWN(frame)	((frame)->rflags & X86_EFLAGS_DF)

/* What an NMI handler may see is in memory, and in this order. */
#define barrier()		asm volatile("" : : : "memory")

/* head_64.S fills this on its way through 32-bit code. */
in_data struct sev_guest sev_guest;
BUILD_BUG_ON(offsetof(struct sev_guest, status) != SEV_GUEST_STATUS);
BUILD_BUG_ON(offsetof(struct sev_guest, info) != SEV_GUEST_INFO);
BUILD_BUG_ON(offsetof(struct sev_guest, cbit) != SEV_GUEST_CBIT);
BUILD_BUG_ON(offsetof(struct sev_guest, known) != SEV_GUEST_KNOWN);
BUILD_BUG_ON(offsetof(struct sev_guest, vc_seen) != SEV_GUEST_VC_SEEN);
BUILD_BUG_ON(offsetof(struct sev_guest, nmi_seen) != SEV_GUEST_NMI_SEEN);

static struct ghcb ghcb_page __attribute__((aligned(GHCB_SIZE)));

static struct {
	volatile struct ghcb *ghcb;	/* NULL: stage 1 */
	const struct boot_params *bp;	/* whose E820 says what is RAM */
	u16 version;
	bool busy;			/* an exchange is under way */
	bool nmi_pending;		/* NMI complete has to wait for it */
	bool ending;			/* the last message is on its way */
} es in_data;

/* One #VC while it is being answered. */
struct vc {
	struct exception_frame *frame;
	u64 regs[INSN_REGS];		/* in the processor's numbering */
	struct insn insn;
	bool again;			/* the instruction is not done yet */
};

bool sev_active(void)
{
	return sev_guest.status & SEV_STATUS_SEV;
}

bool sev_es_active(void)
{
	return sev_guest.status & SEV_STATUS_SEV_ES;
}

u64 sev_enc_mask(void)
{
	return sev_active() ? 1ULL << sev_guest.cbit : 0;
}

/* ---- The end, and the MSR protocol (GHCB 2.3.1). */

noreturn void sev_es_terminate(unsigned int set, unsigned int reason)
{
	for (;;) {
		wrmsr(MSR_GHCB, GHCB_MSR_TERM_REQ |
			(u64)set << GHCB_MSR_TERM_SET_SHIFT |
			(u64)reason << GHCB_MSR_TERM_CODE_SHIFT);
		vmgexit();
	}
}

/*
 * Where a console is up it says so first, by requests that give up whatever
 * exchange is under way. What goes wrong in those has had its chance.
 */
static noreturn void terminate(unsigned int reason)
{
	if (es.ghcb && !es.ending) {
		es.ending = true;
		sev_es_abandon();
		con_printf("sevstub: SEV: ended for reason %u, see README\n",
			   reason);
		/* Whatever may come now, it is not answered. */
		es.busy = true;
	}
	sev_es_terminate(SEV_TERM_SET_SEVSTUB, reason);
}

/*
 * A reply counts only with its own code: a hypervisor that does not know a
 * request leaves the MSR alone. Firmware whose #VC handler may still run after
 * us keeps its GHCB's address there, so the value is put back.
 */
static u64 msr_protocol(u64 request, u64 response)
{
	u64 before = rdmsr(MSR_GHCB);
	u64 reply;

	wrmsr(MSR_GHCB, request);
	vmgexit();
	reply = rdmsr(MSR_GHCB);
	wrmsr(MSR_GHCB, before);

	if ((reply & GHCB_MSR_INFO_MASK) != response)
		terminate(SEVSTUB_TERM_REPLY);
	return reply;
}

static u32 msr_protocol_cpuid(u32 function, u64 reg)
{
	u64 reply = msr_protocol((u64)function << GHCB_MSR_CPUID_VALUE_SHIFT |
				 reg << GHCB_MSR_CPUID_REG_SHIFT |
				 GHCB_MSR_CPUID_REQ, GHCB_MSR_CPUID_RESP);

	return (u32)(reply >> GHCB_MSR_CPUID_VALUE_SHIFT);
}

/* ---- Detection. */

/* Four levels translate 48 bits, of which the upper half is sign. */
#define LOWER_HALF_SHIFT	(PUD_SHIFT + 2 * TABLE_INDEX_BITS - 1)

/* For what is wrong with any SEV guest; without SEV-ES nobody can be told. */
static noreturn void refuse(unsigned int reason, const char *detail)
{
	if (sev_es_active())
		terminate(reason);
	error("SEV", "%s", detail);
}

/*
 * The position of the bit that is set in the page tables which map us now and
 * is no part of our address, or 0. They are reachable: whoever entered us mapped
 * its own tables. Page walks see private memory whatever the bit (APM2 15.34.5).
 * What four levels cannot reach is no address: another bit than @claimed is set.
 */
static unsigned int entry_cbit(u64 claimed)
{
	u64 addr = (u64)startup_32;
	unsigned int shift = read_cr4() & X86_CR4_LA57 ?
			     PUD_SHIFT + 2 * TABLE_INDEX_BITS :
			     PUD_SHIFT + TABLE_INDEX_BITS;
	u64 entry = read_cr3();
	u64 extra;

	for (;; shift -= TABLE_INDEX_BITS) {
		u64 table = entry & PTE_ADDR_MASK & ~claimed;

		if (table >> LOWER_HALF_SHIFT)
			return 0;
		entry = ((const u64 *)table)[(addr >> shift) % PTRS_PER_TABLE];
		if (shift == PAGE_SHIFT ||
		    (shift <= PUD_SHIFT && entry & PTE_LEAF))
			break;
	}
	extra = ALIGN_DOWN((entry ^ addr) & PTE_ADDR_MASK, 1UL << shift);
	return extra & (extra - 1) || !extra ? 0 : (unsigned int)__builtin_ctzl(extra);
}

static void ask_cbit_es(void)
{
	u32 ebx;

	sev_guest.info = msr_protocol(GHCB_MSR_SEV_INFO_REQ,
				      GHCB_MSR_SEV_INFO_RESP);
	ebx = msr_protocol_cpuid(CPUID_SEV, GHCB_MSR_CPUID_EBX);
	sev_guest.cbit = ebx & CPUID_SEV_EBX_CBIT_MASK;
}

/*
 * CPUID is the one question that every machine answers. If it raises #VC, the
 * stage-1 handler has read SEV_STATUS, and nothing that CPUID says can undo
 * that. If not, the MSR is read only where CPUID says that there is one.
 */
static void find_out(void)
{
	u32 max = cpuid_count(CPUID_EXT_MAX, 0).eax;
	struct cpuid_regs leaf;

	if (sev_guest.vc_seen) {
		if (max < CPUID_SEV)
			terminate(SEVSTUB_TERM_CPUID_STATUS);
		ask_cbit_es();
		return;
	}
	if (max < CPUID_SEV)
		return;
	leaf = cpuid_count(CPUID_SEV, 0);
	if (!(leaf.eax >> CPUID_SEV_EAX_SEV_BIT & 1))
		return;
	sev_guest.status = rdmsr(MSR_SEV_STATUS);
	if (sev_es_active())
		ask_cbit_es();
	else
		sev_guest.cbit = leaf.ebx & CPUID_SEV_EBX_CBIT_MASK;
}

static void negotiate_version(void)
{
	u64 max = sev_guest.info >> GHCB_MSR_INFO_MAX_SHIFT;
	u64 min = sev_guest.info >> GHCB_MSR_INFO_MIN_SHIFT &
		  GHCB_MSR_INFO_VERSION_MASK;

	if (max > GHCB_VERSION_MAX)
		max = GHCB_VERSION_MAX;
	if (min < GHCB_VERSION_MIN)
		min = GHCB_VERSION_MIN;
	if (min > max)
		sev_es_terminate(SEV_TERM_SET_GHCB, GHCB_TERM_PROTOCOL_VERSION);
	es.version = (u16)max;
}

void sev_detect(void)
{
	bool entered_64 = !sev_guest.known;
	u32 eax, both = 1U << CPUID_SEV_EAX_SEV_BIT |
			1U << CPUID_SEV_EAX_SEV_ES_BIT;

	if (entered_64)
		find_out();
	sev_guest.known = true;
	if (!sev_active())
		return;

	if (sev_guest.status & SEV_STATUS_SNP) {
		if (sev_es_active())
			sev_es_terminate(SEV_TERM_SET_GHCB,
					 GHCB_TERM_SNP_FEATURES);
		error("SEV", "SNP is not supported");
	}
	if (sev_guest.status & ~SEV_STATUS_KNOWN)
		refuse(SEVSTUB_TERM_STATUS_BITS, "unknown bits in SEV_STATUS");
	if (sev_guest.cbit < CBIT_MIN || sev_guest.cbit > CBIT_MAX)
		refuse(SEVSTUB_TERM_CBIT_RANGE, "C-bit position out of range");
	if (entered_64 &&
	    entry_cbit(1ULL << sev_guest.cbit) != sev_guest.cbit)
		refuse(SEVSTUB_TERM_CBIT_MISMATCH,
		       "C-bit is not the one in the loader's page tables");
	if (!sev_es_active())
		return;

	if ((sev_guest.info >> GHCB_MSR_INFO_CBIT_SHIFT &
	     GHCB_MSR_INFO_CBIT_MASK) != sev_guest.cbit)
		terminate(SEVSTUB_TERM_CBIT_MISMATCH);
	eax = msr_protocol_cpuid(CPUID_SEV, GHCB_MSR_CPUID_EAX);
	if ((eax & both) != both)
		terminate(SEVSTUB_TERM_CPUID_STATUS);
	negotiate_version();
}

void sev_load_map(void)
{
	if (sev_active())
		load_cr3_proven(ident_map_cr3(), sev_guest.status);
	else
		ident_map_load();
}

/* ---- Stage 1. */

/* Returns 0, or the vector of the exception to report. */
static unsigned int vc_stage1(struct exception_frame *frame)
{
	const u8 *insn = (const u8 *)frame->rip;
	u32 function = (u32)frame->rax;

	/*
	 * On a processor without SEV nobody raises #VC but a hypervisor that
	 * lies, and then this is a #GP, which is reported.
	 */
	sev_guest.status = rdmsr(MSR_SEV_STATUS);
	if (!sev_es_active())
		return X86_TRAP_VC;
	sev_guest.vc_seen = true;

	if (frame->error_code != SVM_EXIT_CPUID)
		terminate(SEVSTUB_TERM_NO_GHCB);
	if (insn[0] != CPUID_BYTE0 || insn[1] != CPUID_BYTE1)
		terminate(SEVSTUB_TERM_OPCODE);
	if ((u32)frame->rcx)
		terminate(SEVSTUB_TERM_CPUID_SUBLEAF);

	frame->rax = msr_protocol_cpuid(function, GHCB_MSR_CPUID_EAX);
	frame->rbx = msr_protocol_cpuid(function, GHCB_MSR_CPUID_EBX);
	frame->rcx = msr_protocol_cpuid(function, GHCB_MSR_CPUID_ECX);
	frame->rdx = msr_protocol_cpuid(function, GHCB_MSR_CPUID_EDX);
	frame->rip += CPUID_LENGTH;
	return 0;
}

/* ---- The GHCB page (GHCB 2.3.2, 4.1). */

/* Sets a field and the bit that says so: never one without the other. */
#define ghcb_input(field, value)					\
	do {								\
		es.ghcb->field = (value);				\
		es.ghcb->valid_bitmap[GHCB_VALID_WORD(field)] |=	\
			GHCB_VALID_BIT(field);				\
	} while (0)

/* A field that the exit must have set, read once. */
#define ghcb_output(field)						\
	(es.ghcb->valid_bitmap[GHCB_VALID_WORD(field)] &		\
	 GHCB_VALID_BIT(field) ? es.ghcb->field :			\
	 (terminate(SEVSTUB_TERM_REPLY), 0))

static u64 ghcb_buffer(void)
{
	return (u64)es.ghcb + GHCB_SHARED_BUFFER_OFFSET;
}

static u8 *shared_buffer(void)
{
	return (u8 *)ghcb_buffer();
}

/* An exchange starts on a clean page: nothing of the last one goes along. */
static void ghcb_begin(void)
{
	if (es.busy)
		terminate(SEVSTUB_TERM_REENTRY);
	es.busy = true;
	barrier();
	memset((void *)(u64)es.ghcb, 0, GHCB_SIZE);
}

/*
 * The exception that the hypervisor wants raised instead: only those that the
 * instructions concerned can raise (GHCB 4.1.5).
 */
static unsigned int injected_vector(u64 event)
{
	u64 vector = event & SVM_EVTINJ_VEC_MASK;

	if (!(event & SVM_EVTINJ_VALID) || event & SVM_EVTINJ_RESERVED ||
	    (event & SVM_EVTINJ_TYPE_MASK) != SVM_EVTINJ_TYPE_EXEPT)
		terminate(SEVSTUB_TERM_INJECTION);
	/* KVM leaves the error code out, the manual does not: either will do. */
	if (vector == X86_TRAP_GP)
		return X86_TRAP_GP;
	if (vector == X86_TRAP_UD && !(event & SVM_EVTINJ_VALID_ERR))
		return X86_TRAP_UD;
	terminate(SEVSTUB_TERM_INJECTION);
}

/* Returns 0: done, the outputs can be read; or a vector to raise. */
static unsigned int ghcb_exchange(u64 exit_code, u64 info_1, u64 info_2)
{
	u64 result;

	es.ghcb->protocol_version = es.version;
	es.ghcb->usage = GHCB_USAGE_STANDARD;
	ghcb_input(sw_exit_code, exit_code);
	ghcb_input(sw_exit_info_1, info_1);
	ghcb_input(sw_exit_info_2, info_2);

	wrmsr(MSR_GHCB, (u64)es.ghcb);
	vmgexit();

	result = es.ghcb->sw_exit_info_1;
	if (result == GHCB_RESULT_DONE)
		return 0;
	if (result == GHCB_RESULT_EXCEPTION)
		return injected_vector(es.ghcb->sw_exit_info_2);
	terminate(SEVSTUB_TERM_REPLY);
}

/* The page is an NMI's from here on: what it answered has been read. */
static void ghcb_release(void)
{
	barrier();
	es.busy = false;
	barrier();
}

/*
 * The next NMI may come with the answer to NMI complete, when the page is in
 * use: so until there is none left.
 */
static void ghcb_end(void)
{
	ghcb_release();
	while (es.nmi_pending) {
		es.nmi_pending = false;
		ghcb_begin();
		ghcb_exchange(SVM_VMGEXIT_NMI_COMPLETE, 0, 0);
		ghcb_release();
	}
}

/*
 * Until it is told, the hypervisor holds the next NMI back (GHCB 4.1). One that
 * comes before it is known what we are waits for the page, if there will be one.
 */
void sev_es_nmi(void)
{
	es.nmi_pending = true;
	/* head_64.S carries this one over while the image moves. */
	sev_guest.nmi_seen = true;
	if (es.ghcb && !es.busy)
		ghcb_end();
}

bool sev_es_busy(void)
{
	return es.busy;
}

void sev_es_abandon(void)
{
	es.busy = false;
}

void sev_es_setup_ghcb(const struct boot_params *bp)
{
	if (!sev_es_active())
		return;
	if (ident_map_set_decrypted((u64)&ghcb_page))
		terminate(SEVSTUB_TERM_GHCB_MAP);
	memset(&ghcb_page, 0, sizeof(ghcb_page));
	es.bp = bp;
	es.ghcb = &ghcb_page;
	/* One that came before has been waiting for this. */
	if (sev_guest.nmi_seen)
		es.nmi_pending = true;
	ghcb_end();
}

/*
 * What the hypervisor could see is gone before the page is private, and what
 * becomes visible of the page's private past is gone after it.
 */
void sev_es_shutdown(void)
{
	if (!sev_es_active())
		return;
	memset(&ghcb_page, 0, sizeof(ghcb_page));
	es.ghcb = NULL;
	if (ident_map_set_encrypted((u64)&ghcb_page))
		terminate(SEVSTUB_TERM_GHCB_MAP);
	memset(&ghcb_page, 0, sizeof(ghcb_page));
	wrmsr(MSR_GHCB, 0);
}

/* ---- Registers as instructions name them. */

static void regs_load(struct vc *vc)
{
	const struct exception_frame *f = vc->frame;
	const u64 regs[INSN_REGS] = {
		f->rax, f->rcx, f->rdx, f->rbx, f->rsp, f->rbp, f->rsi, f->rdi,
		f->r8, f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15,
	};

	memcpy(vc->regs, regs, sizeof(regs));
}

static void regs_store(struct vc *vc)
{
	struct exception_frame *f = vc->frame;
	const u64 *regs = vc->regs;

	f->rax = regs[INSN_RAX];
	f->rcx = regs[INSN_RCX];
	f->rdx = regs[INSN_RDX];
	f->rbx = regs[INSN_RBX];
	f->rsp = regs[INSN_RSP];
	f->rbp = regs[INSN_RBP];
	f->rsi = regs[INSN_RSI];
	f->rdi = regs[INSN_RDI];
	f->r8 = regs[INSN_R8];
	f->r9 = regs[INSN_R9];
	f->r10 = regs[INSN_R10];
	f->r11 = regs[INSN_R11];
	f->r12 = regs[INSN_R12];
	f->r13 = regs[INSN_R13];
	f->r14 = regs[INSN_R14];
	f->r15 = regs[INSN_R15];
}

static u64 low_bytes(u64 value, unsigned int size)
{
	return size >= sizeof(u64) ? value : value & ((1ULL << size * 8) - 1);
}

/* As the processor writes a part of a register (APM1 3.1.2). */
static void write_reg(u64 *reg, u64 value, unsigned int size)
{
	if (size >= sizeof(u32))
		*reg = low_bytes(value, size);
	else
		*reg = (*reg & ~low_bytes(~0ULL, size)) | low_bytes(value, size);
}

/* Moves a string register on; with 32-bit addresses its upper half is lost. */
static void step_reg(struct vc *vc, unsigned int reg, u64 bytes)
{
	u64 value = DIRECTION_DOWN(vc->frame) ? vc->regs[reg] - bytes :
						vc->regs[reg] + bytes;

	write_reg(&vc->regs[reg], value, vc->insn.address_size);
}

/* How often a string instruction is still to run. */
static u64 repetitions(const struct vc *vc)
{
	return vc->insn.rep ? low_bytes(vc->regs[INSN_RCX],
					vc->insn.address_size) : 1;
}

static void count_down(struct vc *vc, u64 done)
{
	u64 left = repetitions(vc) - done;

	if (!vc->insn.rep)
		return;
	/* With an address size of 32 bits that is all of RCX (APM3 1.2.3). */
	vc->regs[INSN_RCX] = left;
	vc->again = left != 0;
}

static u64 segment_base(const struct vc *vc)
{
	switch (vc->insn.segment) {
	case INSN_SEG_FS:
		return rdmsr(MSR_FS_BASE);
	case INSN_SEG_GS:
		return rdmsr(MSR_GS_BASE);
	}
	return 0;
}

static u64 operand_address(const struct vc *vc)
{
	return insn_address(&vc->insn, vc->regs, vc->frame->rip,
			    segment_base(vc));
}

/* ---- Exits whose operands are registers. */

static unsigned int vc_cpuid(struct vc *vc)
{
	unsigned int vector;

	ghcb_input(rax, (u32)vc->regs[INSN_RAX]);
	ghcb_input(rcx, (u32)vc->regs[INSN_RCX]);
	if ((u32)vc->regs[INSN_RAX] == CPUID_XSTATE) {
		/* CR4.OSXSAVE is off: XCR0 has its reset value (APM2 11.5.2). */
		ghcb_input(xcr0, XCR0_RESET);
		ghcb_input(xss, 0);
	}
	vector = ghcb_exchange(SVM_EXIT_CPUID, 0, 0);
	if (vector)
		return vector;
	vc->regs[INSN_RAX] = (u32)ghcb_output(rax);
	vc->regs[INSN_RBX] = (u32)ghcb_output(rbx);
	vc->regs[INSN_RCX] = (u32)ghcb_output(rcx);
	vc->regs[INSN_RDX] = (u32)ghcb_output(rdx);
	return 0;
}

/* A 64-bit result in EDX:EAX, as RDTSC, RDPMC and RDMSR give it. */
static unsigned int exchange_edx_eax(struct vc *vc, u64 exit_code)
{
	unsigned int vector = ghcb_exchange(exit_code, 0, 0);

	if (vector)
		return vector;
	vc->regs[INSN_RAX] = (u32)ghcb_output(rax);
	vc->regs[INSN_RDX] = (u32)ghcb_output(rdx);
	return 0;
}

static unsigned int vc_rdtscp(struct vc *vc)
{
	unsigned int vector = exchange_edx_eax(vc, SVM_EXIT_RDTSCP);

	if (!vector)
		vc->regs[INSN_RCX] = (u32)ghcb_output(rcx);
	return vector;
}

static unsigned int vc_read_by_ecx(struct vc *vc, u64 exit_code)
{
	ghcb_input(rcx, (u32)vc->regs[INSN_RCX]);
	return exchange_edx_eax(vc, exit_code);
}

static unsigned int vc_wrmsr(struct vc *vc)
{
	ghcb_input(rcx, (u32)vc->regs[INSN_RCX]);
	ghcb_input(rax, (u32)vc->regs[INSN_RAX]);
	ghcb_input(rdx, (u32)vc->regs[INSN_RDX]);
	return ghcb_exchange(SVM_EXIT_MSR, SVM_MSR_WRITE, 0);
}

static unsigned int vc_read_dr7(struct vc *vc)
{
	unsigned int vector = ghcb_exchange(SVM_EXIT_READ_DR7, 0, 0);

	if (!vector)
		vc->regs[vc->insn.reg] = ghcb_output(rax);
	return vector;
}

static unsigned int vc_write_dr7(struct vc *vc)
{
	u64 value = vc->regs[vc->insn.reg];

	/* The upper half is reserved, must be zero (APM2 13.1.1). */
	if (value >> 32)
		return X86_TRAP_GP;
	ghcb_input(rax, value);
	return ghcb_exchange(SVM_EXIT_WRITE_DR7, 0, 0);
}

static unsigned int vc_monitor(struct vc *vc)
{
	ghcb_input(rax, vc->regs[INSN_RAX]);
	ghcb_input(rcx, vc->regs[INSN_RCX]);
	ghcb_input(rdx, vc->regs[INSN_RDX]);
	return ghcb_exchange(SVM_EXIT_MONITOR, 0, 0);
}

static unsigned int vc_mwait(struct vc *vc)
{
	ghcb_input(rax, vc->regs[INSN_RAX]);
	ghcb_input(rcx, vc->regs[INSN_RCX]);
	return ghcb_exchange(SVM_EXIT_MWAIT, 0, 0);
}

/* The stub makes no hypercalls: no register but RAX is given away. */
static unsigned int vc_vmmcall(struct vc *vc)
{
	unsigned int vector;

	ghcb_input(rax, vc->regs[INSN_RAX]);
	ghcb_input(cpl, vc->frame->cs & SEGMENT_RPL_MASK);
	vector = ghcb_exchange(SVM_EXIT_VMMCALL, 0, 0);
	if (!vector)
		vc->regs[INSN_RAX] = ghcb_output(rax);
	return vector;
}

/* ---- Memory operands. */

/*
 * Makes sure that the handler may touch [addr, addr + size): a page fault in
 * here would come while the GHCB is in use. Returns 0 or X86_TRAP_PF.
 */
static unsigned int reach(u64 addr, u64 size, bool write)
{
	u64 page = ALIGN_DOWN(addr, PAGE_SIZE);
	int flags;

	if (addr + size < addr)
		return X86_TRAP_PF;
	for (; page < addr + size; page += PAGE_SIZE) {
		flags = ident_map_query(page);
		if (flags < 0) {
			if (ident_map_fault(page, write ? PF_WRITE : 0))
				return X86_TRAP_PF;
			continue;
		}
		if (flags & MAP_DECRYPTED || (write && !(flags & MAP_WRITE)))
			return X86_TRAP_PF;
	}
	return 0;
}

/* [addr, addr + size) must be device registers: mapped shared, and not RAM. */
static void check_device(u64 addr, unsigned int size)
{
	u64 last = addr + size - 1;
	u64 at;

	for (at = addr; ; at = last) {
		int flags = ident_map_query(at);

		if (flags < 0 || !(flags & MAP_DECRYPTED))
			terminate(SEVSTUB_TERM_NPF_PRIVATE);
		if (e820_is_ram(es.bp, at, at + 1))
			terminate(SEVSTUB_TERM_NPF_RAM);
		if (at == last)
			break;
	}
}

static unsigned int mmio_read(u64 addr, unsigned int size, u64 *value)
{
	unsigned int vector;

	check_device(addr, size);
	ghcb_input(sw_scratch, ghcb_buffer());
	vector = ghcb_exchange(SVM_VMGEXIT_MMIO_READ, addr, size);
	*value = 0;
	if (!vector)
		memcpy(value, shared_buffer(), size);
	return vector;
}

static unsigned int mmio_write(u64 addr, unsigned int size, u64 value)
{
	check_device(addr, size);
	memcpy(shared_buffer(), &value, size);
	ghcb_input(sw_scratch, ghcb_buffer());
	return ghcb_exchange(SVM_VMGEXIT_MMIO_WRITE, addr, size);
}

static u64 read_operand_reg(const struct vc *vc)
{
	u64 value = vc->regs[vc->insn.reg];

	return vc->insn.high_byte ? value >> 8 : value;
}

static void write_operand_reg(struct vc *vc, u64 value)
{
	const struct insn *insn = &vc->insn;
	unsigned int unused = 64 - insn->size * 8;
	u64 *reg = &vc->regs[insn->reg];

	if (insn->sign_extend)
		value = (u64)((s64)(value << unused) >> unused);
	if (insn->high_byte)
		*reg = (*reg & ~0xff00ULL) | (value & 0xff) << 8;
	else
		write_reg(reg, value, insn->reg_size);
}

/* One element; with REP the processor comes back for the next one. */
static unsigned int vc_mmio_stos(struct vc *vc)
{
	unsigned int size = vc->insn.size;
	unsigned int vector;

	if (!repetitions(vc))
		return 0;
	vector = mmio_write(operand_address(vc), size, vc->regs[INSN_RAX]);
	if (vector)
		return vector;
	step_reg(vc, INSN_RDI, size);
	count_down(vc, 1);
	return 0;
}

/* Either side may be the device; which one, the page tables say. */
static unsigned int vc_mmio_movs(struct vc *vc)
{
	unsigned int size = vc->insn.size;
	u64 from = operand_address(vc);
	u64 to = insn_movs_destination(&vc->insn, vc->regs);
	bool from_device = ident_map_query(from) > 0 &&
			   ident_map_query(from) & MAP_DECRYPTED;
	unsigned int vector;
	u64 value = 0;

	if (!repetitions(vc))
		return 0;
	if (from_device) {
		vector = reach(to, size, true);
		if (!vector)
			vector = mmio_read(from, size, &value);
		if (vector)
			return vector;
		memcpy((void *)to, &value, size);
	} else {
		vector = reach(from, size, false);
		if (vector)
			return vector;
		memcpy(&value, (const void *)from, size);
		vector = mmio_write(to, size, value);
		if (vector)
			return vector;
	}
	step_reg(vc, INSN_RSI, size);
	step_reg(vc, INSN_RDI, size);
	count_down(vc, 1);
	return 0;
}

static unsigned int vc_mmio(struct vc *vc)
{
	const struct insn *insn = &vc->insn;
	unsigned int vector;
	u64 value;

	switch (insn->op) {
	case INSN_LOAD:
		vector = mmio_read(operand_address(vc), insn->size, &value);
		if (!vector)
			write_operand_reg(vc, value);
		return vector;
	case INSN_STORE:
		return mmio_write(operand_address(vc), insn->size,
				  read_operand_reg(vc));
	case INSN_STORE_IMM:
		return mmio_write(operand_address(vc), insn->size, insn->imm);
	case INSN_STOS:
		return vc_mmio_stos(vc);
	case INSN_MOVS:
		return vc_mmio_movs(vc);
	default:
		terminate(SEVSTUB_TERM_OPCODE);
	}
}

/* ---- Port I/O. sw_exit_info_1 is SVM's EXITINFO1 (APM2 15.10.2). */

static u64 ioio_info(const struct vc *vc, bool in)
{
	const struct insn *insn = &vc->insn;
	u64 port = insn->port_dx ? (u16)vc->regs[INSN_RDX] : insn->port;

	return port << SVM_IOIO_PORT_SHIFT |
	       (u64)insn->size << SVM_IOIO_SIZE_SHIFT |
	       (in ? SVM_IOIO_IN : 0);
}

static unsigned int vc_in(struct vc *vc)
{
	unsigned int vector;

	/* What a narrow IN leaves in RAX is the guest's own business. */
	vector = ghcb_exchange(SVM_EXIT_IOIO, ioio_info(vc, true), 0);
	if (!vector)
		write_reg(&vc->regs[INSN_RAX], ghcb_output(rax), vc->insn.size);
	return vector;
}

static unsigned int vc_out(struct vc *vc)
{
	ghcb_input(rax, low_bytes(vc->regs[INSN_RAX], vc->insn.size));
	return ghcb_exchange(SVM_EXIT_IOIO, ioio_info(vc, false), 0);
}

/* The lowest address of @count elements that start at @addr. */
static u64 string_start(const struct vc *vc, u64 addr, u64 count)
{
	return DIRECTION_DOWN(vc->frame) ?
	       addr - (count - 1) * vc->insn.size : addr;
}

/*
 * Between memory and the shared buffer, where elements stand in the order in
 * which the port sees them.
 */
static void copy_elements(const struct vc *vc, u64 addr, u64 count, bool in)
{
	unsigned int size = vc->insn.size;
	u8 *buffer = shared_buffer();
	u64 i;

	for (i = 0; i < count; i++, buffer += size) {
		if (in)
			memcpy((void *)addr, buffer, size);
		else
			memcpy(buffer, (const void *)addr, size);
		addr = DIRECTION_DOWN(vc->frame) ? addr - size : addr + size;
	}
}

/* How many more elements come after the first until the address wraps. */
static u64 elements_to_wrap(const struct vc *vc)
{
	u64 max = low_bytes(~0ULL, vc->insn.address_size);
	u64 offset = vc->regs[vc->insn.base] & max;
	u64 room = DIRECTION_DOWN(vc->frame) ? offset : max - offset;

	return room / vc->insn.size;
}

/* As much as the shared buffer holds; for the rest the processor comes back. */
static unsigned int vc_string_io(struct vc *vc, bool in)
{
	const struct insn *insn = &vc->insn;
	u64 addr = operand_address(vc);
	u64 count = repetitions(vc);
	u64 info = ioio_info(vc, in) | SVM_IOIO_STR |
		   (insn->rep ? SVM_IOIO_REP : 0) |
		   (u64)insn->segment << SVM_IOIO_SEG_SHIFT |
		   (insn->address_size == 8 ? SVM_IOIO_ADDR64 : SVM_IOIO_ADDR32);
	unsigned int vector;

	/* Nothing to do is no reason to ask. */
	if (!count)
		return 0;
	if (count > GHCB_SHARED_BUFFER_SIZE / insn->size)
		count = GHCB_SHARED_BUFFER_SIZE / insn->size;
	if (count - 1 > elements_to_wrap(vc))
		count = elements_to_wrap(vc) + 1;

	vector = reach(string_start(vc, addr, count), count * insn->size, in);
	if (vector)
		return vector;
	if (!in)
		copy_elements(vc, addr, count, in);
	ghcb_input(sw_scratch, ghcb_buffer());
	vector = ghcb_exchange(SVM_EXIT_IOIO, info, count);
	if (vector)
		return vector;
	if (in)
		copy_elements(vc, addr, count, in);

	step_reg(vc, in ? INSN_RDI : INSN_RSI, count * insn->size);
	count_down(vc, count);
	return 0;
}

/* ---- Stage 2. */

/* Reads the instruction once; nothing looks at memory again after this. */
static void fetch_insn(struct vc *vc)
{
	u8 bytes[INSN_MAX_LENGTH];
	u64 rip = vc->frame->rip;
	size_t size = sizeof(bytes);
	int flags = ident_map_query(rip);
	int next = ident_map_query(rip + size);

	if (next < 0 || !(next & MAP_EXEC)) {
		u64 end = ALIGN_UP(rip + 1, PAGE_SIZE);

		if (end - rip < size)
			size = end - rip;
	}
	if (flags < 0 || !(flags & MAP_EXEC))
		terminate(SEVSTUB_TERM_DECODE);
	memcpy(bytes, (const void *)rip, size);
	if (insn_decode(&vc->insn, bytes, size) != INSN_OK)
		terminate(SEVSTUB_TERM_DECODE);
}

/* Returns 0, or the vector of the exception that the instruction raises. */
static unsigned int vc_dispatch(struct vc *vc)
{
	switch (vc->insn.op) {
	case INSN_CPUID:
		return vc_cpuid(vc);
	case INSN_RDTSC:
		return exchange_edx_eax(vc, SVM_EXIT_RDTSC);
	case INSN_RDTSCP:
		return vc_rdtscp(vc);
	case INSN_RDPMC:
		return vc_read_by_ecx(vc, SVM_EXIT_RDPMC);
	case INSN_RDMSR:
		return vc_read_by_ecx(vc, SVM_EXIT_MSR);
	case INSN_WRMSR:
		return vc_wrmsr(vc);
	case INSN_WBINVD:
		return ghcb_exchange(SVM_EXIT_WBINVD, 0, 0);
	case INSN_INVD:
		return ghcb_exchange(SVM_EXIT_INVD, 0, 0);
	case INSN_VMMCALL:
		return vc_vmmcall(vc);
	case INSN_MONITOR:
		return vc_monitor(vc);
	case INSN_MWAIT:
		return vc_mwait(vc);
	case INSN_READ_DR7:
		return vc_read_dr7(vc);
	case INSN_WRITE_DR7:
		return vc_write_dr7(vc);
	case INSN_IN:
		return vc_in(vc);
	case INSN_OUT:
		return vc_out(vc);
	case INSN_INS:
		return vc_string_io(vc, true);
	case INSN_OUTS:
		return vc_string_io(vc, false);
	case INSN_LOAD:
	case INSN_STORE:
	case INSN_STORE_IMM:
	case INSN_STOS:
	case INSN_MOVS:
		return vc_mmio(vc);
	}
	terminate(SEVSTUB_TERM_UNSUPPORTED);
}

static bool is_supported(u64 exit_code)
{
	switch (exit_code) {
	case SVM_EXIT_READ_DR7:
	case SVM_EXIT_WRITE_DR7:
	case SVM_EXIT_RDTSC:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_CPUID:
	case SVM_EXIT_INVD:
	case SVM_EXIT_IOIO:
	case SVM_EXIT_MSR:
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_RDTSCP:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_NPF:
		return true;
	}
	return false;
}

static unsigned int vc_stage2(struct exception_frame *frame)
{
	struct vc vc = { .frame = frame };
	u64 exit_code = frame->error_code;
	unsigned int vector;

	/* Intercepted exceptions stay what they are (APM2 15.35.5). */
	if (exit_code == SVM_EXIT_EXCP_DB)
		return X86_TRAP_DB;
	if (exit_code == SVM_EXIT_EXCP_AC)
		return X86_TRAP_AC;

	ghcb_begin();
	if (!is_supported(exit_code)) {
		ghcb_exchange(SVM_VMGEXIT_UNSUPPORTED_EVENT, exit_code, 0);
		terminate(SEVSTUB_TERM_UNSUPPORTED);
	}
	fetch_insn(&vc);
	if (!insn_matches_exit(&vc.insn, exit_code))
		terminate(SEVSTUB_TERM_OPCODE);

	regs_load(&vc);
	vector = vc_dispatch(&vc);
	if (!vector) {
		regs_store(&vc);
		if (!vc.again)
			frame->rip += vc.insn.length;
	}
	ghcb_end();
	return vector;
}

unsigned int sev_es_vc(struct exception_frame *frame)
{
	return es.ghcb ? vc_stage2(frame) : vc_stage1(frame);
}

/* ---- Port I/O without the detour of a #VC. */

u8 sev_es_inb(u16 port)
{
	u8 value = UNCONNECTED_PORT;

	if (!es.ghcb)
		return value;
	ghcb_begin();
	if (!ghcb_exchange(SVM_EXIT_IOIO, (u64)port << SVM_IOIO_PORT_SHIFT |
			   SVM_IOIO_SIZE8 | SVM_IOIO_IN, 0))
		value = (u8)ghcb_output(rax);
	ghcb_end();
	return value;
}

void sev_es_outb(u8 value, u16 port)
{
	if (!es.ghcb)
		return;
	ghcb_begin();
	ghcb_input(rax, value);
	ghcb_exchange(SVM_EXIT_IOIO, (u64)port << SVM_IOIO_PORT_SHIFT |
		      SVM_IOIO_SIZE8, 0);
	ghcb_end();
}

void sev_es_outsb(u16 port, const void *buf, size_t count)
{
	const u8 *at = buf;
	size_t chunk;

	for (; es.ghcb && count; at += chunk, count -= chunk) {
		chunk = count < GHCB_SHARED_BUFFER_SIZE ?
			count : GHCB_SHARED_BUFFER_SIZE;
		ghcb_begin();
		memcpy(shared_buffer(), at, chunk);
		ghcb_input(sw_scratch, ghcb_buffer());
		ghcb_exchange(SVM_EXIT_IOIO, (u64)port << SVM_IOIO_PORT_SHIFT |
			      SVM_IOIO_SIZE8 | SVM_IOIO_ADDR64 | SVM_IOIO_REP |
			      SVM_IOIO_STR |
			      (u64)INSN_SEG_DS << SVM_IOIO_SEG_SHIFT, chunk);
		ghcb_end();
	}
}
