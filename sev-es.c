/* SPDX-License-Identifier: MIT */
/*
 * sev-es.c - detects which kind of SEV guest this is, and implements the two
 * protocols by which an SEV-ES guest talks to the hypervisor. sev-vc.c handles
 * #VC with them.
 *
 * The MSR protocol (GHCB 2.3.1) needs no shared memory and can be used at any
 * time. When the stub's own page tables are loaded, sev_es_setup_ghcb() shares
 * the GHCB page with the hypervisor. While that page is shared, all requests go
 * through it but those to terminate the guest and to run the SVSM.
 *
 * The hypervisor is not trusted. Each of its replies is read once and checked
 * where it is read: in msr_protocol(), ghcb_exchange() or ghcb_output(). Their
 * callers get plain values. A reply that cannot be right terminates the guest.
 */
#include "console.h"
#include "error.h"
#include "exception.h"
#include "ghcb.h"
#include "ident_map.h"
#include "image.h"
#include "insn.h"
#include "lib/string.h"
#include "sev.h"
#include "x86.h"

/* sev-head_64.S accesses sev_guest by SEV_GUEST_*, so these must match the structure. */
BUILD_BUG_ON(sizeof(struct sev_guest) != SEV_GUEST_SIZE);
BUILD_BUG_ON(offsetof(struct sev_guest, status) != SEV_GUEST_STATUS);
BUILD_BUG_ON(offsetof(struct sev_guest, info) != SEV_GUEST_INFO);
BUILD_BUG_ON(offsetof(struct sev_guest, cbit) != SEV_GUEST_CBIT);
BUILD_BUG_ON(offsetof(struct sev_guest, known) != SEV_GUEST_KNOWN);

struct ghcb ghcb_page __attribute__((aligned(GHCB_SIZE)));

struct sev_es es in_data;

/*
 * The hypervisor can put the memory back that sev_guest had at launch. Once the
 * stub's own map is in force, sev_active() therefore looks at CR3, which has the
 * proven C-bit in an SEV guest and no C-bit otherwise. Before that it has only
 * sev_guest.status. If the status has become 0, the page tables get no C-bit, and
 * load_cr3_proven() asks the processor and stops an SEV guest (RULE_OUT_SEV).
 * sev_es_active() and sev_snp_active() read the MSR SEV_STATUS each time. An SEV
 * guest has this MSR, and reads of it are never intercepted (APM2 15.34.10).
 */
bool sev_active(void)
{
	struct loaded_map map = ident_map_loaded();

	return map.loaded ? map.enc_mask : sev_guest.status & SEV_STATUS_SEV;
}

bool sev_es_active(void)
{
	return sev_active() && rdmsr(MSR_SEV_STATUS) & SEV_STATUS_SEV_ES;
}

bool sev_snp_active(void)
{
	return sev_es_active() && rdmsr(MSR_SEV_STATUS) & SEV_STATUS_SNP;
}

u64 sev_enc_mask(void)
{
	struct loaded_map map = ident_map_loaded();

	if (map.loaded)
		return map.enc_mask;
	return sev_active() ? 1ULL << (sev_guest.cbit & CPUID_SEV_EBX_CBIT_MASK) : 0;
}

/*
 * Terminates an SEV-ES guest with @reason, for callers that cannot rely on sev_es_active(),
 * because it may use memory. Executes CPUID, with @subleaf in ECX, and reads SEV_STATUS if CPUID
 * reports SEV. If the hypervisor intercepts CPUID, CPUID raises #VC, and exception_vc terminates
 * the guest because of @subleaf. If not, CPUID and RDMSR have the processor's answers, which stay
 * in registers until they are compared: the hypervisor could change them in memory.
 *
 * Does nothing if map.loaded is true and CR3 has a C-bit, because sev_es_active() then reads
 * registers only, and callers can rely on it. If CR3 has no C-bit, map.loaded is no reason to do
 * nothing. It is true if CR3 points into the stub's pool of page tables and CR2 is not 0, which
 * marks the stub's tables. The loader's tables can lie in the pool, too, and the hypervisor can
 * change CR2 by a page fault. sev_es_active() would then return false in an SEV-ES guest, whose
 * processor also uses page tables without a C-bit in CR3 (APM2 15.34.5).
 */
static inline __attribute__((always_inline)) void end_if_es(u32 subleaf, u64 reason)
{
	struct loaded_map map = ident_map_loaded();

	if ((map.loaded && map.enc_mask) ||
	    cpuid_count(CPUID_EXT_MAX, subleaf).eax < CPUID_SEV ||
	    !(cpuid_count(CPUID_SEV, subleaf).eax >> CPUID_SEV_EAX_SEV_BIT & 1))
		return;
	while (rdmsr(MSR_SEV_STATUS) & SEV_STATUS_SEV_ES) {
		wrmsr(MSR_GHCB, GHCB_MSR_TERM(SEV_TERM_SET_SEVSTUB, reason));
		vmgexit();
	}
}

void sev_rule_out_es(void)
{
	end_if_es(CPUID_SUBLEAF_NO_SEV, SEVSTUB_TERM_CPUID_STATUS);
}

void sev_es_end_at_exception(void)
{
	end_if_es(CPUID_SUBLEAF_EXCEPTION, SEVSTUB_TERM_EXCEPTION);
}

/* ---- Termination, and the MSR protocol (GHCB 2.3.1). */

void sev_es_last_words(void)
{
	es.busy = false;
	es.ending = true;
}

noreturn void terminate(unsigned int reason)
{
	u64 request;

	if (es.has_page && !es.ending) {
		sev_es_last_words();
		con_printf("sevstub: SEV: terminated with reason %u, see docs/messages.md\n",
			   (u8)reason);
		/*
		 * If a #VC comes from here on, ghcb_begin() terminates the guest because of
		 * es.busy, without a second message because of es.ending.
		 */
		es.busy = true;
	}
	while (sev_es_active()) {
		/*
		 * Make the request after the last call, because a call saves registers on
		 * the stack, where the hypervisor can put old bytes in their place. The
		 * request has only ten bits of @reason, so that the hypervisor gets at most
		 * ten bits of old bytes. The request's upper half, which is 0, is made here,
		 * too, and does not come from the stack either.
		 */
		HOLD(terminate, reason);
		request = GHCB_MSR_TERM(SEV_TERM_SET_OF(reason), (u8)reason);
		HOLD(terminate_halves, request);
		wrmsr(MSR_GHCB, request);
		RELEASE(terminate_halves);
		RELEASE(terminate);
		vmgexit();
	}
	halt_forever();
}

/*
 * Terminates the guest if the reply's code is not @response, for example because the
 * hypervisor does not know the request and leaves it in the MSR. Restores the MSR's old
 * value, because firmware keeps the address of its own GHCB page in the MSR.
 */
u64 msr_protocol(u64 request, u64 response)
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

/*
 * Four levels of paging translate 48 address bits. Addresses with bit 47 set
 * belong to the upper half of the canonical addresses, so an identity map with
 * four levels covers 47 bits of physical addresses.
 */
#define LOWER_HALF_SHIFT	(PUD_SHIFT + 2 * TABLE_INDEX_BITS - 1)

/*
 * Ends the boot because of an error that any kind of SEV guest can have. An
 * SEV-ES guest sends @reason to the hypervisor; another guest prints @detail.
 */
static noreturn void refuse(unsigned int reason, const char *detail)
{
	if (sev_es_active())
		terminate(reason);
	error("SEV", "%s", detail);
}

/*
 * Returns the position of the C-bit in the page tables in force. The entry that
 * maps this code has the page's address and the C-bit in its address field.
 * Returns 0 if the entry has no bit besides the address, or several. Returns 0, too, if an
 * entry on the way is not present. The hypervisor can put an old 0 in its place, and the walk
 * must not go on in page 0, which a loader can have filled.
 *
 * @claimed is the C-bit as a mask, as CPUID reports it. The function clears this bit in each
 * entry to get the address of the next table, which it reads through the identity map in force.
 * No table lies at 2^LOWER_HALF_SHIFT or above. If its address has such a bit although @claimed
 * is cleared, this bit is the C-bit, and CPUID reports another one. The function returns the
 * lowest such bit, so that its caller finds the difference.
 */
static inline __attribute__((always_inline)) unsigned int entry_cbit(u64 claimed)
{
	u64 addr = (u64)_image;
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
		if (!(entry & PTE_PRESENT))
			return 0;
		if (shift == PAGE_SHIFT ||
		    (shift <= PUD_SHIFT && entry & PTE_LEAF))
			break;
	}
	extra = ALIGN_DOWN((entry ^ addr) & PTE_ADDR_MASK, 1UL << shift);
	return !has_one_bit_at_most(extra) || !extra ? 0 : (unsigned int)__builtin_ctzl(extra);
}

/*
 * Returns whether @cbit is the position of the C-bit in the page tables in force. @cbit
 * stays in a register, because the hypervisor can garble memory.
 */
static noinline bool in_force_has(unsigned int cbit)
{
	unsigned int found;

	HOLD(in_force_has, cbit);
	found = entry_cbit(1UL << cbit);
	RELEASE(in_force_has);
	return found == cbit;
}

/*
 * Asks for the SEV information and for the C-bit's position in CPUID, by the MSR protocol.
 * An SNP guest does not ask the hypervisor for CPUID. It takes the position from the SEV
 * information, and snp_start() compares it with the CPUID page later.
 */
static void ask_cbit_es(void)
{
	u32 ebx;

	sev_guest.info = msr_protocol(GHCB_MSR_SEV_INFO_REQ,
				      GHCB_MSR_SEV_INFO_RESP);
	if (sev_guest.status & SEV_STATUS_SNP) {
		sev_guest.cbit = sev_guest.info >> GHCB_MSR_INFO_CBIT_SHIFT &
				 GHCB_MSR_INFO_CBIT_MASK;
		return;
	}
	ebx = msr_protocol_cpuid(CPUID_SEV, GHCB_MSR_CPUID_EBX);
	sev_guest.cbit = ebx & CPUID_SEV_EBX_CBIT_MASK;
}

/* Neither inlined nor cloned, because the labels of ask_cpuid() must exist only once. */
static noinline noclone bool cpuid_raises_vc(u32 leaf, struct cpuid_regs *regs)
{
	return ask_cpuid(leaf, regs);
}

/*
 * Completes the detection after CPUID has raised #VC, which shows that this is an SEV-ES
 * guest. CPUID then comes from the hypervisor by the MSR protocol; in an SNP guest
 * snp_start() takes CPUID from the CPUID page later.
 */
static void found_es(void)
{
	u64 status = rdmsr(MSR_SEV_STATUS);

	if (!(status & SEV_STATUS_SEV_ES))
		error("SEV", "#VC without SEV-ES");
	sev_guest.status = status;
	if (!(status & SEV_STATUS_SNP) &&
	    msr_protocol_cpuid(CPUID_EXT_MAX, GHCB_MSR_CPUID_EAX) < CPUID_SEV)
		terminate(SEVSTUB_TERM_CPUID_STATUS);
	ask_cbit_es();
}

/*
 * Finds out whether this is an SEV guest. Executes CPUID without a check, because every
 * processor with long mode has CPUID. If CPUID raises #VC, this is an SEV-ES guest. SEV_STATUS,
 * which the hypervisor cannot falsify, then tells which kind. Otherwise SEV_STATUS is read only
 * if CPUID reports SEV, because without SEV the MSR need not exist.
 */
static void find_out(void)
{
	struct cpuid_regs leaf;

	if (cpuid_raises_vc(CPUID_EXT_MAX, &leaf)) {
		found_es();
		return;
	}
	if (leaf.eax < CPUID_SEV)
		return;
	if (cpuid_raises_vc(CPUID_SEV, &leaf)) {
		found_es();
		return;
	}
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
		terminate(SEV_TERM_STANDARD | GHCB_TERM_PROTOCOL_VERSION);
	es.version = (u16)max;
}

/* SNP implies SEV-ES (APM2 15.36). Without SEV-ES the SNP bit counts as an unknown feature. */
static bool is_snp(u64 status)
{
	return status & SEV_STATUS_SNP && status & SEV_STATUS_SEV_ES;
}

/*
 * Returns SEV_STATUS. Ends the boot of an SEV guest if it has a feature that the stub does not
 * know. In an SNP guest snp_check_features() checks this later.
 */
static u64 known_status(void)
{
	u64 status = rdmsr(MSR_SEV_STATUS);

	if (!is_snp(status) && status & ~(SEV_STATUS_KNOWN & ~SEV_STATUS_SNP))
		refuse(SEVSTUB_TERM_STATUS_BITS, "unknown bits in SEV_STATUS");
	return status;
}

void sev_detect(void)
{
	bool entered_64 = !sev_guest.known;
	bool snp;
	u64 status;
	u32 cbit;
	u32 eax, both = 1U << CPUID_SEV_EAX_SEV_BIT |
			1U << CPUID_SEV_EAX_SEV_ES_BIT;

	if (entered_64)
		find_out();
	sev_guest.known = true;
	/*
	 * If the hypervisor has denied SEV to a guest that has it, the stub's
	 * page tables have no C-bit, and load_cr3_proven() terminates the
	 * guest. Without SEV the loader's page tables are not examined, because
	 * they need not be mapped.
	 */
	if (!sev_active())
		return;

	status = known_status();
	snp = is_snp(status);
	cbit = READ_ONCE(sev_guest.cbit);
	if (cbit < CBIT_MIN || cbit > CBIT_MAX)
		refuse(SEVSTUB_TERM_CBIT_RANGE, "C-bit position out of range");
	if (entered_64 && !in_force_has(cbit))
		refuse(SEVSTUB_TERM_CBIT_MISMATCH,
		       "C-bit is not the one in the loader's page tables");
	if (!(status & SEV_STATUS_SEV_ES))
		return;

	if ((sev_guest.info >> GHCB_MSR_INFO_CBIT_SHIFT &
	     GHCB_MSR_INFO_CBIT_MASK) != cbit)
		terminate(SEVSTUB_TERM_CBIT_MISMATCH);
	/* In an SNP guest snp_start() checks the bits SEV and SEV-ES, in the CPUID page. */
	if (!snp) {
		eax = msr_protocol_cpuid(CPUID_SEV, GHCB_MSR_CPUID_EAX);
		if ((eax & both) != both)
			terminate(SEVSTUB_TERM_CPUID_STATUS);
	}
	negotiate_version();
	if (snp && es.version < GHCB_VERSION_SNP)
		terminate(SEV_TERM_STANDARD | GHCB_TERM_SNP_FEATURES);
}

void sev_load_map(void)
{
	/*
	 * The new CR3 is the address of the top table, which lies in the pool, plus the C-bit as
	 * a mask. The new CR3 minus the pool's start is thus the C-bit plus less than 2^32 bytes.
	 * ident_map_cr3() takes the C-bit from XMM15, which the hypervisor cannot change.
	 */
	u64 high = (ident_map_cr3() - (u64)page_table_pool) >> CBIT_MIN;

	/*
	 * Compare the C-bit of the new page tables with the tables in force.
	 * sev_detect() has compared the C-bit, too, but the hypervisor can have garbled
	 * its number in memory since. A wrong C-bit is an address bit, so the processor
	 * would walk memory at a higher address. It reads page tables as private memory,
	 * so the hypervisor cannot write them there. But a loader can have put the
	 * hypervisor's bytes there, for example an initrd, and they could be page tables
	 * with which the proof of the C-bit succeeds.
	 */
	if (high && !in_force_has((unsigned int)__builtin_ctzl(high) + CBIT_MIN))
		refuse(SEVSTUB_TERM_CBIT_MISMATCH,
		       "C-bit is not the one in the page tables in force");
	load_cr3_proven(ident_map_cr3(), true);
	/*
	 * Check SEV_STATUS again: sev_detect() checked it only if memory said that this
	 * is an SEV guest. Now CR3 says it, which the hypervisor cannot change.
	 */
	if (sev_active())
		known_status();
}

/* ---- The GHCB page (GHCB 4.1). */

void ghcb_begin(void)
{
	if (es.busy)
		terminate(SEVSTUB_TERM_REENTRY);
	es.busy = true;
	barrier();
	memset(&ghcb_page, 0, GHCB_SIZE);
}

/*
 * Checks an event that the hypervisor asks the guest to raise and returns its
 * vector. Only #GP and #UD are accepted, because the emulated instructions
 * raise no other exception (GHCB 4.1.5).
 */
static unsigned int injected_vector(u64 event)
{
	u64 vector = event & SVM_EVTINJ_VEC_MASK;

	if (!(event & SVM_EVTINJ_VALID) || event & SVM_EVTINJ_RESERVED ||
	    (event & SVM_EVTINJ_TYPE_MASK) != SVM_EVTINJ_TYPE_EXEPT)
		terminate(SEVSTUB_TERM_INJECTION);
	/*
	 * #GP has an error code, but KVM sends none. Accept #GP with or without
	 * it.
	 */
	if (vector == X86_TRAP_GP)
		return X86_TRAP_GP;
	if (vector == X86_TRAP_UD && !(event & SVM_EVTINJ_VALID_ERR))
		return X86_TRAP_UD;
	terminate(SEVSTUB_TERM_INJECTION);
}

/*
 * Sends the request in the GHCB page. Returns X86_TRAP_GP if the hypervisor has
 * injected #GP after VMGEXIT, otherwise 0. Neither inlined nor cloned, because the label
 * of vmgexit_page() must exist only once.
 */
static noinline noclone unsigned int send_page(void)
{
	wrmsr(MSR_GHCB, (u64)&ghcb_page);
	return (unsigned int)vmgexit_page();
}

unsigned int ghcb_exchange(u64 exit_code, u64 info_1, u64 info_2)
{
	unsigned int vector;
	u64 result;

	/*
	 * Send one of two constants, because the hypervisor reads the page, and can put
	 * old bytes in the place of es.version.
	 */
	ghcb()->protocol_version = es.version < GHCB_VERSION_MAX ? GHCB_VERSION_MIN :
								   GHCB_VERSION_MAX;
	ghcb()->usage = GHCB_USAGE_STANDARD;
	ghcb_input(sw_exit_code, exit_code);
	ghcb_input(sw_exit_info_1, info_1);
	ghcb_input(sw_exit_info_2, info_2);

	vector = send_page();
	if (vector)
		return vector;
	result = ghcb()->sw_exit_info_1;
	if (result == GHCB_RESULT_DONE)
		return 0;
	if (result == GHCB_RESULT_EXCEPTION)
		return injected_vector(ghcb()->sw_exit_info_2);
	terminate(SEVSTUB_TERM_REPLY);
}

void ghcb_end(void)
{
	/*
	 * The compiler must read the results from the page before es.busy is false,
	 * because a handler of #VC may use the page afterwards.
	 */
	barrier();
	es.busy = false;
	barrier();
}

bool sev_es_busy(void)
{
	return es.busy;
}

/*
 * Registers the GHCB page (GHCB 2.3.2). An SNP guest may use no other page for
 * requests. The reply must name the same page.
 */
static void register_page(void)
{
	u64 page = (u64)&ghcb_page;

	if (msr_protocol(page | GHCB_MSR_REG_GPA_REQ, GHCB_MSR_REG_GPA_RESP) !=
	    (page | GHCB_MSR_REG_GPA_RESP))
		terminate(SEV_TERM_LINUX | LINUX_TERM_GHCB_REGISTER);
}

/*
 * Fills the GHCB page with zeroes. Not inlined, so that each call computes the page's address
 * anew. If this code were inlined, the caller could keep the address in a register that another
 * function saves on the stack, where the hypervisor can put an old address in its place.
 */
static noinline void wipe_ghcb_page(void)
{
	memset(&ghcb_page, 0, sizeof(ghcb_page));
}

void sev_es_setup_ghcb(const struct boot_params *bp)
{
	if (!sev_es_active())
		return;
	/* In an SNP guest snp_share_ghcb() has already flushed the page's cache lines. */
	if (sev_snp_active() ? ident_map_set_flushed((u64)&ghcb_page) :
			       ident_map_set_decrypted((u64)&ghcb_page))
		terminate(SEVSTUB_TERM_GHCB_MAP);
	wipe_ghcb_page();
	if (sev_snp_active())
		register_page();
	es.bp = bp;
	es.has_page = true;
}

/*
 * The GHCB page is wiped while it is still shared, so that the hypervisor can
 * read nothing that the guest wrote to the page. The page is wiped again when
 * it is private, because its bytes then decrypt to garbage.
 */
void sev_es_shutdown(void)
{
	if (!sev_es_active())
		return;
	wipe_ghcb_page();
	es.has_page = false;
	if (ident_map_set_encrypted((u64)&ghcb_page))
		terminate(SEVSTUB_TERM_GHCB_MAP);
	/* An SNP guest cannot write to the page before snp_take_ghcb() validates it. */
	if (!sev_snp_active())
		wipe_ghcb_page();
	wrmsr(MSR_GHCB, 0);
}

/* ---- Port I/O by direct requests, without raising #VC. */

u8 sev_es_inb(u16 port)
{
	u8 value = UNCONNECTED_PORT;

	if (!es.has_page)
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
	u64 byte = value, number = port;

	if (!es.has_page)
		return;
	ghcb_begin();
	/*
	 * The hypervisor can lead the stub here by an old return address, with other private
	 * bytes in the registers. Send no more of these bytes than a byte and a port.
	 */
	HOLD(sev_es_outb, byte, number);
	ghcb_input(rax, (u8)byte);
	ghcb_exchange(SVM_EXIT_IOIO, (u64)(u16)number << SVM_IOIO_PORT_SHIFT |
		      SVM_IOIO_SIZE8, 0);
	ghcb_end();
}

void sev_es_outsb(u16 port, const void *buf, size_t count)
{
	const u8 *at = buf;
	size_t chunk, offset;

	for (; es.has_page && count; at += chunk, count -= chunk) {
		chunk = count < GHCB_SHARED_BUFFER_SIZE ?
			count : GHCB_SHARED_BUFFER_SIZE;
		ghcb_begin();
		/*
		 * The address was on the stack, where the hypervisor can put an old
		 * address back. Send nothing but text of the console.
		 */
		HOLD(sev_es_outsb, port, at, chunk);
		offset = (u64)at - ADDRESS_ANEW(console_text);
		if (offset >= CONSOLE_TEXT_SIZE ||
		    chunk > CONSOLE_TEXT_SIZE - offset)
			terminate(SEVSTUB_TERM_GENERAL);
		memcpy(shared_buffer(), at, chunk);
		/*
		 * The hypervisor can lead the stub here by an old return address, with other
		 * private bytes in the registers. Send no more of them than a port and a length.
		 */
		HOLD(sev_es_outsb_sent, port, chunk);
		if (chunk > GHCB_SHARED_BUFFER_SIZE)
			terminate(SEVSTUB_TERM_GENERAL);
		ghcb_input(sw_scratch, (u64)shared_buffer());
		ghcb_exchange(SVM_EXIT_IOIO, (u64)port << SVM_IOIO_PORT_SHIFT |
			      SVM_IOIO_SIZE8 | SVM_IOIO_ADDR64 | SVM_IOIO_REP |
			      SVM_IOIO_STR |
			      (u64)INSN_SEG_DS << SVM_IOIO_SEG_SHIFT, chunk);
		ghcb_end();
	}
}

/* ---- Output to VGA text memory by a request, without raising #VC. */

void sev_es_vga_put(u64 to, const char *text)
{
	u16 cell = VGA_BLANK;

	if (!es.has_page)
		return;
	ghcb_begin();
	/*
	 * The hypervisor can have put an old address in the place of @text on the stack.
	 * Send nothing but text of the console.
	 */
	HOLD(sev_es_vga_put, to, text);
	if ((u64)text - ADDRESS_ANEW(console_text) < CONSOLE_TEXT_SIZE)
		cell = (u16)(VGA_GREY_ON_BLACK | (u8)*text);
	*(volatile u16 *)shared_buffer() = cell;
	/*
	 * The hypervisor can have put other private bytes in the place of @to on the stack.
	 * Send @to only if it is an address in VGA memory.
	 */
	if (to - VGA_START > VGA_END - VGA_START - sizeof(cell))
		terminate(SEVSTUB_TERM_GENERAL);
	ghcb_input(sw_scratch, (u64)shared_buffer());
	ghcb_exchange(SVM_VMGEXIT_MMIO_WRITE, to, sizeof(cell));
	ghcb_end();
}
