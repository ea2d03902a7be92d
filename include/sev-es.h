/* SPDX-License-Identifier: MIT */
/*
 * sev-es.h - what the stub needs to know and do as an SEV guest (sev-es.c). ghcb.h
 * has the requests to the hypervisor.
 */
#ifndef SEV_ES_H
#define SEV_ES_H

#include "types.h"

struct boot_params;

/* The kind of guest, as the processor and the hypervisor describe it. */
struct sev_guest {
	u64 status;		/* SEV_STATUS; 0 if this is not an SEV guest */
	u64 info;		/* reply to the SEV-information request; SEV-ES only */
	u32 cbit;		/* bit number of the C-bit in page table entries */
	bool known;		/* true once the other fields have their final values */
};
/* find_sev (sev-head_64.S) fills this in at the 32-bit entry, sev_detect() at all others. */
extern struct sev_guest sev_guest;

/*
 * Finds out which kind of SEV guest this is, where the C-bit is, and which
 * version of the GHCB protocol to use. Needs the stage-1 IDT, or firmware's IDT with its
 * #VC handler. Stops the boot if the hypervisor's answers contradict each other or
 * SEV_STATUS has a feature that the stub does not implement: an SEV-ES guest terminates,
 * another guest calls error().
 */
void sev_detect(void);

/*
 * Return whether memory is encrypted (SEV), whether registers are too (SEV-ES),
 * whether memory is also validated (SEV-SNP), and the C-bit as a mask, 0 outside of
 * SEV. Before sev_detect() has run they return false and 0. From then until
 * sev_load_map() they return what sev_detect() has found. After sev_load_map() each
 * call reads CR3, which has the C-bit, and SEV_STATUS.
 */
bool sev_active(void);
bool sev_es_active(void);
bool sev_snp_active(void);
u64 sev_enc_mask(void);

/*
 * Terminates the guest with SEVSTUB_TERM_CPUID_STATUS if it is an SEV-ES guest. Must be
 * called after sev_es_active() has returned false, before an action that an SEV-ES guest
 * must not take. Until the stub's page tables are loaded, sev_es_active() relies on memory,
 * in which the hypervisor can put old contents back. This function executes CPUID instead, with
 * a sub-leaf by which the handler of #VC recognises it. If this CPUID raises #VC, the handler
 * terminates the guest. If not, CPUID has the processor's own answer, and the function relies on
 * it. An IDT of the stub must therefore be loaded. Once the stub's page tables are
 * loaded in an SEV guest, sev_es_active() asks the processor, and this function does nothing.
 */
void sev_rule_out_es(void);

/*
 * Must be called before an exception is reported. The report contains registers and the stack
 * unless sev_es_active() returns true, and an SEV-ES guest must keep them secret. Until the
 * stub's page tables are loaded, sev_es_active() cannot be trusted: it returns false if the stub
 * has not detected SEV yet, or if the hypervisor has changed memory. Until then this function
 * terminates an SEV-ES guest with SEVSTUB_TERM_EXCEPTION. In other guests, and once those page
 * tables are loaded in an SEV guest, the function returns.
 */
void sev_es_end_at_exception(void);

/*
 * Loads the page tables of ident_map_64.c into CR3, which flushes the TLB, and
 * proves their C-bit with load_cr3_proven(). Does not return if the proof fails.
 */
void sev_load_map(void);

/*
 * Shares the GHCB page with the hypervisor. From then on the handler of #VC sends
 * its requests in this page. CR3 must hold the stub's own page tables. @bp's E820 map tells
 * the #VC handler what is RAM and hence no device. In an SNP guest snp_share_ghcb() must
 * have run, and this function registers the page with the hypervisor. Does nothing outside
 * of SEV-ES.
 */
void sev_es_setup_ghcb(const struct boot_params *bp);

/*
 * Wipes the GHCB page, makes it private again and sets the GHCB MSR to 0.
 * Afterwards a #VC terminates the guest, as before sev_es_setup_ghcb(). In an SNP
 * guest snp_take_ghcb() must follow, because the page is not validated. Does nothing
 * outside of SEV-ES.
 */
void sev_es_shutdown(void);

/*
 * Number of NMIs since the stub's entry, including those in 32-bit code and
 * while startup_64 copied the image. Always 0 in an SEV-ES guest, which terminates
 * at an NMI.
 */
extern u32 nmi_count;

/* Returns true while an exchange through the GHCB page is under way. */
bool sev_es_busy(void);

/*
 * Abandons the exchange through the GHCB page that is under way, so that a last
 * message can be printed. The caller prints it and then calls terminate(). If
 * printing fails, the guest terminates without a further message.
 */
void sev_es_last_words(void);

/*
 * Stops the boot. An SEV-ES guest asks the hypervisor to terminate it with
 * @reason: SEVSTUB_TERM_* of sev.h, SEV_TERM_STANDARD | GHCB_TERM_* (GHCB
 * 2.3.1), or SEV_TERM_LINUX | LINUX_TERM_*. It prints the reason first, unless
 * there is no GHCB page or the caller has called sev_es_last_words(). Outside of
 * SEV-ES the processor halts.
 */
noreturn void terminate(unsigned int reason);

/*
 * Port I/O of an SEV-ES guest by a request to the hypervisor, without raising
 * #VC: reads a byte, writes a byte, or writes the @count bytes at @buf, which must
 * lie in console_text. If they do not, the guest terminates. While there is no GHCB
 * page, sev_es_inb() returns 0xff and output is lost.
 */
u8 sev_es_inb(u16 port);
void sev_es_outb(u8 value, u16 port);
void sev_es_outsb(u16 port, const void *buf, size_t count);

/*
 * Writes the character at @text to the cell at physical address @to of VGA text memory, by a
 * request by the GHCB page, without raising #VC. If @text is NULL or does not point into
 * console_text, writes a blank instead of a byte of other memory. The guest terminates if
 * @to is not in VGA memory. While there is no GHCB page, output is lost.
 */
void sev_es_vga_put(u64 to, const char *text);

#endif
