/* SPDX-License-Identifier: MIT */
/*
 * sev-es.c - the SEV guest: whether we are one, the C-bit, and the two
 * protocols with the hypervisor. sev-vc.c answers #VC by them.
 *
 * The MSR protocol serves from the first IDT on. sev_es_setup_ghcb(), once the
 * stub's own page tables are in force, shares one page, the GHCB, by which all
 * the rest is answered.
 *
 * The hypervisor is the adversary. What it says is read once, checked where it
 * enters (msr_protocol(), ghcb_exchange(), ghcb_output()) and a plain value
 * behind that; a reply that cannot be right ends the guest with a reason.
 */
#include "ghcb.h"
#include "insn.h"
#include "misc.h"
#include "sev.h"

/* head_64.S fills this on its way through 32-bit code. */
in_data struct sev_guest sev_guest;
BUILD_BUG_ON(offsetof(struct sev_guest, status) != SEV_GUEST_STATUS);
BUILD_BUG_ON(offsetof(struct sev_guest, info) != SEV_GUEST_INFO);
BUILD_BUG_ON(offsetof(struct sev_guest, cbit) != SEV_GUEST_CBIT);
BUILD_BUG_ON(offsetof(struct sev_guest, known) != SEV_GUEST_KNOWN);
BUILD_BUG_ON(offsetof(struct sev_guest, vc_seen) != SEV_GUEST_VC_SEEN);

static struct ghcb ghcb_page __attribute__((aligned(GHCB_SIZE)));

struct sev_es es in_data;

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
		wrmsr(MSR_GHCB, GHCB_MSR_TERM(set, reason));
		vmgexit();
	}
}

/*
 * Where a console is up it says so first, by requests that give up whatever
 * exchange is under way. What goes wrong in those has had its chance.
 */
noreturn void terminate(unsigned int reason)
{
	if (es.ghcb && !es.ending) {
		es.ending = true;
		sev_es_abandon();
		con_printf("sevstub: SEV: terminated with reason %u, see docs/messages.md\n",
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

u32 msr_protocol_cpuid(u32 function, u64 reg)
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
			return (unsigned int)__builtin_ctzl(table >> LOWER_HALF_SHIFT) +
			       LOWER_HALF_SHIFT;
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
	/*
	 * A host can deny plain SEV: then the proof of a C-bit 0 fails. The
	 * loader's tables are no witness, they need not be mapped.
	 */
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
	load_cr3_proven(ident_map_cr3(), sev_guest.status);
}

/* ---- The GHCB page (GHCB 2.3.2, 4.1). */

void ghcb_begin(void)
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

unsigned int ghcb_exchange(u64 exit_code, u64 info_1, u64 info_2)
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
void ghcb_end(void)
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
	if (nmi_count)
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
		ghcb_input(sw_scratch, (u64)shared_buffer());
		ghcb_exchange(SVM_EXIT_IOIO, (u64)port << SVM_IOIO_PORT_SHIFT |
			      SVM_IOIO_SIZE8 | SVM_IOIO_ADDR64 | SVM_IOIO_REP |
			      SVM_IOIO_STR |
			      (u64)INSN_SEG_DS << SVM_IOIO_SEG_SHIFT, chunk);
		ghcb_end();
	}
}
