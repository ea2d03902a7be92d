/* SPDX-License-Identifier: MIT */
/*
 * ghcb.h - exchanges with the hypervisor through the GHCB page. Only sev-es.c,
 * which implements them, and sev-vc.c use this header.
 */
#ifndef GHCB_H
#define GHCB_H

#include "sev-es.h"
#include "sev.h"

struct sev_es {
	const struct boot_params *bp;	/* zero page; its E820 map says what is RAM */
	u16 version;
	bool has_page;			/* sev_es_setup_ghcb() has shared the GHCB page */
	bool busy;			/* an exchange is under way */
	bool nmi_pending;		/* NMI complete must be sent after it */
	bool ending;			/* the last message is being printed */
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
 * Asks for one register of CPUID @function, sub-leaf 0, by the MSR protocol.
 * @reg is GHCB_MSR_CPUID_EAX, _EBX, _ECX or _EDX. Returns its value; a reply
 * with another code terminates the guest.
 */
u32 msr_protocol_cpuid(u32 function, u64 reg);

/*
 * Begins an exchange: clears the page, so that no data of the last exchange is
 * sent. Terminates the guest if an exchange is under way already.
 */
void ghcb_begin(void);

/*
 * Sends the request: exit code @exit_code, with @info_1 and @info_2 as
 * sw_exit_info_1 and _2. Returns 0 if the hypervisor has done it; results can
 * be read with ghcb_output(). Otherwise returns the vector of the exception
 * that the hypervisor asks the guest to raise, X86_TRAP_GP or X86_TRAP_UD. Any
 * other reply terminates the guest.
 */
unsigned int ghcb_exchange(u64 exit_code, u64 info_1, u64 info_2);

/*
 * Ends the exchange, after all results have been read. Sends NMI complete if an
 * NMI came meanwhile.
 */
void ghcb_end(void);

/* Stores @value in a field of the page and sets the field's valid bit. */
#define ghcb_input(field, value)					\
	do {								\
		ghcb()->field = (value);				\
		ghcb()->valid_bitmap[GHCB_VALID_WORD(field)] |=		\
			GHCB_VALID_BIT(field);				\
	} while (0)

/*
 * Reads a field of the page once. Terminates the guest if the hypervisor has
 * not set the field's valid bit.
 */
#define ghcb_output(field)						\
	(ghcb()->valid_bitmap[GHCB_VALID_WORD(field)] &		\
	 GHCB_VALID_BIT(field) ? ghcb()->field :			\
	 (terminate(SEVSTUB_TERM_REPLY), 0))

static inline u8 *shared_buffer(void)
{
	return (u8 *)&ghcb_page + GHCB_SHARED_BUFFER_OFFSET;
}

#endif
