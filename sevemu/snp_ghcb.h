/* SPDX-License-Identifier: MIT */
/*
 * snp_ghcb.h - the requests that an SEV-SNP guest alone may make, by the GHCB MSR
 * and by the GHCB page (snp_ghcb.c).
 */
#ifndef SEVEMU_SNP_GHCB_H
#define SEVEMU_SNP_GHCB_H

#include "ghcb.h"
#include "sevemu.h"

/*
 * Handles @request of the GHCB MSR protocol if it is one for SNP guests: preferred
 * GHCB, registration of the GHCB, page state, VMPL, features (GHCB 2.3.1).  Returns
 * true and sets *@response to the honest response.  Returns false for another
 * request.  ghcb.c calls it for a guest with --sev snp.
 */
bool snp_msr_request(struct vcpu *vcpu, u64 request, u64 *response);

/*
 * Handles the request of the GHCB page at @gpa if its sw_exit_code is one for SNP
 * guests (GHCB 4.1).  @page is the page, @g a copy that the guest cannot change.
 * Returns true and fills in *@reply.  Returns false for another exit code.  A
 * request for termination ends the run.  ghcb.c calls it for a guest with --sev snp
 * when all fields that the exit code needs are valid.
 */
bool snp_page_request(struct vcpu *vcpu, struct ghcb *page, const struct ghcb *g, u64 gpa,
		      struct ghcb_reply *reply);

#endif
