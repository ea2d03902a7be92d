/* SPDX-License-Identifier: MIT */
/*
 * ghcb.h - requests to the hypervisor through the GHCB page or the GHCB MSR, for
 * the #VC handlers in sev-vc.c and for la57.c. sev-es.c implements them.
 *
 * An exchange is one request through the GHCB page and its reply: ghcb_begin(),
 * ghcb_input() for each field, ghcb_exchange(), ghcb_output(), ghcb_end().
 */
#ifndef GHCB_H
#define GHCB_H

#include "sev-es.h"
#include "sev.h"

/* What sev-es.c and sev-vc.c know about the GHCB. */
struct sev_es {
	const struct boot_params *bp;	/* zero page; its E820 map says what is RAM */
	/* Value that vc_write_dr7() has sent last as DR7; 0: no DR7 was sent yet. */
	u32 dr7;
	u16 version;			/* GHCB protocol version that sev_detect() chose */
	bool has_page;			/* true: sev_es_setup_ghcb() has shared the page */
	/* True from ghcb_begin() to ghcb_end(): the GHCB page is in use. */
	bool busy;
	bool ending;			/* sev_es_last_words() was called */
};
extern struct sev_es es;

/*
 * The page that is shared from sev_es_setup_ghcb() to sev_es_shutdown(). Its
 * address is never read from memory, where the hypervisor could change it.
 */
extern struct ghcb ghcb_page;

static inline volatile struct ghcb *ghcb(void)
{
	return &ghcb_page;
}

/*
 * Sends @request by the MSR protocol and returns the reply, the MSR's value. The
 * guest terminates if the reply's code is not @response. SEV-ES only; needs no GHCB
 * page. The function restores the MSR's old value, because firmware keeps the address
 * of its own GHCB page in the MSR.
 */
u64 msr_protocol(u64 request, u64 response);

/*
 * Asks the hypervisor for one register of CPUID @function, sub-leaf 0, by the MSR
 * protocol. @reg is GHCB_MSR_CPUID_EAX, _EBX, _ECX or _EDX. Returns the
 * register's value. The guest terminates if the reply has another response code
 * than GHCB_MSR_CPUID_RESP. SEV-ES only; needs no GHCB page.
 */
u32 msr_protocol_cpuid(u32 function, u64 reg);

/*
 * Begins an exchange: clears the GHCB page, so that the request contains no data
 * of an earlier one. Terminates the guest if an exchange is under way already.
 */
void ghcb_begin(void);

/*
 * Sends the request in the GHCB page with VMGEXIT: exit code @exit_code, with
 * @info_1 and @info_2 as sw_exit_info_1 and _2. Returns 0 if the hypervisor has
 * carried it out; ghcb_output() then reads results. Otherwise returns the vector
 * of the exception that the hypervisor asks the guest to raise, X86_TRAP_GP or
 * X86_TRAP_UD. The hypervisor can also inject #GP after VMGEXIT instead of asking
 * for it. Any other reply terminates the guest.
 */
unsigned int ghcb_exchange(u64 exit_code, u64 info_1, u64 info_2);

/*
 * Ends the exchange. The caller must have read all results, because the GHCB
 * page may be reused from now on.
 */
void ghcb_end(void);

/* Stores @value in a field of the GHCB page and sets the field's valid bit. */
#define ghcb_input(field, value)					\
	do {								\
		ghcb()->field = (value);				\
		ghcb()->valid_bitmap[GHCB_VALID_WORD(field)] |=		\
			GHCB_VALID_BIT(field);				\
	} while (0)

/*
 * Reads a field of the GHCB page once. Terminates the guest if the hypervisor has
 * not set the field's valid bit.
 */
#define ghcb_output(field)						\
	(ghcb()->valid_bitmap[GHCB_VALID_WORD(field)] &		\
	 GHCB_VALID_BIT(field) ? ghcb()->field :			\
	 (terminate(SEVSTUB_TERM_REPLY), 0))

/*
 * Returns the GHCB page's buffer of GHCB_SHARED_BUFFER_SIZE bytes. Computes the buffer's address
 * anew: see LEA_ANEW(). If the address came from the stack, the hypervisor could put an older
 * value in its place, and the request would send this value, perhaps a secret, to the hypervisor.
 */
static inline u8 *shared_buffer(void)
{
	return (u8 *)LEA_ANEW(ghcb_page) + GHCB_SHARED_BUFFER_OFFSET;
}

#endif
