/* SPDX-License-Identifier: MIT */
/*
 * sev-snp.h - what an SEV-SNP guest does besides what sev-es.h describes: it takes
 * CPUID from a page that the security processor has checked, and validates memory
 * (sev-snp.c). Unless a comment says otherwise, a function may be called in an SNP
 * guest only, and terminates the guest if it fails.
 */
#ifndef SEV_SNP_H
#define SEV_SNP_H

#include "range.h"
#include "types.h"

struct boot_params;
struct cpuid_regs;

/*
 * Type of a setup_data node by which a loader names the memory that it has validated:
 * "SVal" in ASCII. Its data are pairs of 64-bit addresses, the start and the end of a
 * range, both multiples of 4096. docs/sev-snp.md describes the node.
 */
#define SETUP_SEVSTUB_VALIDATED	0x6c615653

/*
 * Address of the confidential-computing blob that the EFI entry has found in
 * firmware's configuration table. 0 if there is no blob in the table, or if a loader
 * started the stub at another entry.
 */
extern u64 snp_efi_blob;

/*
 * Finds and checks the confidential-computing blob, the CPUID page and the list of
 * validated memory, and asks for the hypervisor's features. CPUID is then answered from
 * the CPUID page. Called once, after sev_detect(). The page tables in force must map @bp,
 * setup_data, blob and CPUID page. Uses no .bss, because it runs before the stub moves its
 * image: until then the memory of .bss can belong to something else.
 */
void snp_start(const struct boot_params *bp);

/*
 * Copies the CPUID page, so that snp_find_vmpl() can change the copy and the kernel gets
 * the page unchanged. From then on CPUID is answered from the copy. Must be called after
 * .bss is cleared. The page tables in force must map the CPUID page.
 */
void snp_keep_cpuid(void);

/*
 * Stores in *@what and *@range the name and the memory of a page that firmware or the
 * loader has made for an SNP guest: blob, CPUID page, secrets page, and, as number
 * SNP_CALLING_AREA, the SVSM's calling area. The calling area's range is empty at VMPL 0
 * and before snp_find_vmpl(). @i is the page's number, from 0 on. Returns false if @i is
 * greater than SNP_CALLING_AREA.
 */
#define SNP_CALLING_AREA	3
bool snp_page(unsigned int i, const char **what, struct range *range);

/*
 * Returns true if all of @range was validated at launch, as far as the loader has
 * said. Without the loader's list all memory counts as validated.
 */
bool snp_is_validated(struct range range);

/*
 * Finds out at which VMPL the guest runs. Above VMPL 0 it finds the calling area of
 * the SVSM. Needs the stub's own page tables, which map the secrets page.
 */
void snp_find_vmpl(void);

/*
 * Gives the GHCB page to the hypervisor: rescinds its validation and changes its
 * state to shared. sev_es_setup_ghcb() must follow. Above VMPL 0 the calling area
 * must be mapped, because the stub asks the SVSM to rescind the validation.
 */
void snp_share_ghcb(void);

/*
 * Makes the GHCB page private again in an SNP guest: changes its page state, validates the
 * page and wipes it. Must be called after sev_es_shutdown().
 */
void snp_take_ghcb(void);

/*
 * Terminates the guest if SEV_STATUS has a feature that the stub does not implement,
 * by a request through the GHCB page that tells the hypervisor the features. Called
 * after sev_es_setup_ghcb().
 */
void snp_check_features(void);

/*
 * Accepts the memory of @range, rounded to pages: changes its state to private and
 * validates it. The pages must not be validated yet. snp_accept() only collects pages,
 * until it has 253 pages of 2 MiB or 4 KiB, or 32 ranges. Then they are accepted, and
 * snp_accept_end() accepts the rest. Needs the GHCB page and the stub's own page tables.
 */
void snp_accept(struct range range);
void snp_accept_end(void);

/*
 * Accepts all RAM of @bp's E820 map, and the memory from 0xc0000 to 0xfffff, that is
 * not in the loader's list of validated memory. A kernel that EFI has not started looks
 * for tables of a BIOS from 0xc0000 to 0xfffff, whatever the E820 map says. Does nothing
 * if there is no list.
 */
void snp_accept_ram(const struct boot_params *bp);

/*
 * Answers CPUID @function, sub-leaf @index, from the CPUID page. Bits that depend on
 * CR4 have the values of this processor. Stores the result in *@regs. Stores in
 * *@hypervisor a mask of the bits that the caller must ask of the hypervisor, because
 * the page does not have them; for most functions it is 0. Before snp_start() all
 * results are 0.
 */
void snp_cpuid(u32 function, u32 index, struct cpuid_regs *regs,
	       struct cpuid_regs *hypervisor);

/* Returns ECX of CPUID @function, sub-leaf 0. The CPUID page must have all bits of this ECX. */
u32 snp_cpuid_ecx(u32 function);

/*
 * Stores the address of the confidential-computing blob in the zero page @bp, where the
 * kernel looks for it.
 */
void snp_hand_over(struct boot_params *bp);

#endif
