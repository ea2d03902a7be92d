/* SPDX-License-Identifier: MIT */
/*
 * sev-es.h - what the stub needs to know and do as an SEV guest (sev-es.c).
 * ghcb.h has what only the #VC handlers may use.
 */
#ifndef SEV_ES_H
#define SEV_ES_H

#include "types.h"

struct boot_params;

/* The kind of guest, as the processor and the hypervisor describe it. */
struct sev_guest {
	u64 status;		/* SEV_STATUS; 0 if this is not an SEV guest */
	u64 info;		/* reply to the SEV-information request */
	u32 cbit;		/* position of the C-bit in a page table entry */
	bool known;		/* sev_detect() need not ask again */
	bool vc_seen;		/* a #VC was handled, so this is SEV-ES */
};
extern struct sev_guest sev_guest;

/*
 * Finds out which kind of SEV guest this is, where the C-bit is, and which
 * version of the GHCB protocol to use. Needs the stage-1 IDT. Answers that
 * contradict each other, and SEV features that the stub does not implement,
 * terminate the guest.
 */
void sev_detect(void);

/*
 * Whether memory is encrypted (SEV), whether registers are too (SEV-ES), and the
 * C-bit as a mask, 0 outside of SEV: as sev_detect() found out, and from
 * sev_load_map() on as the processor says.
 */
bool sev_active(void);
bool sev_es_active(void);
u64 sev_enc_mask(void);

/*
 * Loads the map of ident_map_64.c into CR3, flushes the TLB and proves the
 * C-bit. A proof that fails terminates the guest.
 */
void sev_load_map(void);

/*
 * The same for a map that was in force before, with other tables at its root:
 * its C-bit is proven, so exceptions are handled meanwhile.
 */
void sev_reload_map(void);

/*
 * Shares the GHCB page with the hypervisor; from then on #VC is handled through
 * it. The stub's own page tables must be in force. @bp's E820 map says what is
 * RAM. Does nothing outside of SEV-ES.
 */
void sev_es_setup_ghcb(const struct boot_params *bp);

/*
 * Wipes the GHCB page and makes it private again. Afterwards no #VC can be
 * handled. Does nothing outside of SEV-ES.
 */
void sev_es_shutdown(void);

/* NMIs since the entry, in 32-bit code too. The image's move keeps the count. */
extern u32 nmi_count;

/*
 * Counts an NMI and, in an SEV-ES guest, tells the hypervisor that the NMI has
 * been handled (NMI complete, GHCB 4.1). If an exchange is under way, or there
 * is no GHCB yet, the hypervisor is told later.
 */
void sev_es_nmi(void);

/* Returns true while an exchange through the GHCB page is under way. */
bool sev_es_busy(void);

/*
 * Abandons the exchange that is under way, so that a last message can be
 * printed. The caller prints it and then calls terminate(). If printing fails,
 * the guest terminates without a further message.
 */
void sev_es_last_words(void);

/*
 * Ends the boot. An SEV-ES guest asks the hypervisor to terminate it with
 * @reason: SEVSTUB_TERM_* of sev.h, or SEV_TERM_STANDARD and a GHCB_TERM_*
 * (GHCB 2.3.1). It prints the reason first if the GHCB can be used and
 * sev_es_last_words() was not called. Any other guest halts.
 */
noreturn void terminate(unsigned int reason);

/*
 * Port I/O by a direct request to the hypervisor, without raising #VC: one byte
 * in, one byte out, @count bytes of @buf out. Before sev_es_setup_ghcb() no
 * port exists: sev_es_inb() returns 0xff and output is lost.
 */
u8 sev_es_inb(u16 port);
void sev_es_outb(u8 value, u16 port);
void sev_es_outsb(u16 port, const void *buf, size_t count);

#endif
