/* SPDX-License-Identifier: MIT */
/*
 * snp-abi.h - the pages that a loader or firmware hands over to an SEV-SNP guest, and
 * the calling area by which the guest calls the SVSM. The stub and the test kernel
 * read and write them.
 */
#ifndef SNP_ABI_H
#define SNP_ABI_H

#include "page_table.h"
#include "types.h"
#include "x86.h"

#define BLOB_MAGIC		0x45444d41	/* "AMDE" */

/* The confidential-computing blob, as EDK II and Linux define it. */
struct blob {
	u32 magic;
	u16 version;
	u16 reserved_6;
	u64 secrets;		/* physical address */
	u32 secrets_size;
	u32 reserved_14;
	u64 cpuid;		/* physical address */
	u32 cpuid_size;
	u32 reserved_24;
} __attribute__((packed));
BUILD_BUG_ON(sizeof(struct blob) != 0x28);

/* Fields of the secrets page (SEV-SNP firmware ABI; SVSM specification). */
struct secrets {
	u8 reserved_000[0x148];
	u64 svsm_size;		/* size of the SVSM; 0: no SVSM */
	u64 svsm_area;		/* address of the calling area */
	u32 svsm_version;
	u8 svsm_guest_vmpl;	/* the guest's VMPL under the SVSM */
};
BUILD_BUG_ON(offsetof(struct secrets, svsm_guest_vmpl) != 0x15c);

/* The call PVALIDATE of the SVSM's core protocol, protocol 0. */
#define SVSM_CALL_PVALIDATE	1
/* Results of a call to the SVSM: success, and two by which the SVSM asks for the call again. */
#define SVSM_SUCCESS		0
#define SVSM_INCOMPLETE		0x80000000
#define SVSM_BUSY		0x80000007
/* The SVSM's PVALIDATE has failed with RMP_FAIL_SIZE. */
#define SVSM_FAIL_SIZE		(0x80001000 + RMP_FAIL_SIZE)

/*
 * An entry in the list of pages for the SVSM's PVALIDATE: bits 1:0 are the page's size, 0
 * for 4 KiB and 1 for 2 MiB; bit 2 is set to validate the page, and clear to rescind its
 * validation; bits 63:12 are the page's address.
 */
#define SVSM_LARGE		1
#define SVSM_VALIDATE		4
#define SVSM_ENTRIES		510

/* The calling area, a page of the guest that the SVSM reads and writes. */
struct calling_area {
	/* The guest sets this to 1 before a call. The SVSM clears it, to show that it has run. */
	u8 pending;
	u8 memory_available;
	u8 reserved_2[6];
	/* The list of the call PVALIDATE. */
	u16 count;		/* number of entries */
	u16 next;		/* index of the entry that the SVSM handles next */
	u32 reserved_c;
	u64 entries[SVSM_ENTRIES];
};
BUILD_BUG_ON(sizeof(struct calling_area) != PAGE_SIZE);

#endif
