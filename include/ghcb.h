/* SPDX-License-Identifier: MIT */
/*
 * ghcb.h - exchanges with the hypervisor, for sev-es.c, which has them, and
 * sev-vc.c: nobody else talks to it.
 */
#ifndef GHCB_H
#define GHCB_H

#include "sev-es.h"
#include "sev.h"

struct sev_es {
	volatile struct ghcb *ghcb;	/* NULL: stage 1 */
	const struct boot_params *bp;	/* whose E820 says what is RAM */
	u16 version;
	bool busy;			/* an exchange is under way */
	bool nmi_pending;		/* NMI complete has to wait for it */
	bool ending;			/* the last message is on its way */
};
extern struct sev_es es;

/*
 * One register of CPUID by the MSR protocol, as @reg names it. A reply that is
 * none ends the guest.
 */
u32 msr_protocol_cpuid(u32 function, u64 reg);

/* An exchange starts on a clean page: nothing of the last one goes along. */
void ghcb_begin(void);

/*
 * Asks. Returns 0: done, the outputs can be read; or the vector of the
 * exception that the hypervisor wants raised instead.
 */
unsigned int ghcb_exchange(u64 exit_code, u64 info_1, u64 info_2);

/* What was answered has been read: the page is free for the next exchange. */
void ghcb_end(void);

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

static inline u8 *shared_buffer(void)
{
	return (u8 *)(u64)es.ghcb + GHCB_SHARED_BUFFER_OFFSET;
}

#endif
