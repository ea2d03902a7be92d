/* SPDX-License-Identifier: MIT */
/*
 * snp_handover.h - what a loader hands over to an SNP guest: a zero page, a setup_data node
 * with the confidential-computing blob, a CPUID page and a secrets page. All of them lie in
 * the guest's memory that scripted_host.h defines. Include scripted_host.h first.
 */
#ifndef SNP_HANDOVER_H
#define SNP_HANDOVER_H

#define BLOB_NODE	DATA
#define BLOB		(DATA + 0x40)
#define LIST_NODE	(DATA + 0x80)
#define CPUID_PAGE	(DATA + PAGE_SIZE)
#define SECRETS		(DATA + 2 * PAGE_SIZE)
#define AREA		(DATA + 3 * PAGE_SIZE)
#define ZERO_PAGE	(DATA + 4 * PAGE_SIZE)

/*
 * Values from the specifications. The tests use them instead of the stub's constants, so
 * that an error in the stub's headers is found.
 */
#define NODE_CC_BLOB	7
#define NODE_VALIDATED	0x6c615653
#define MAGIC		0x45444d41
#define SEV_LEAF	0x8000001fU
#define SEV_LEAF_EAX	(1 << 1 | 1 << 3 | 1 << 4)	/* SEV, SEV-ES, SNP */
#define SEV_LEAF_EBX	(1U << 31 | 51)			/* coherent caches; C-bit 51 */

static void put_at(u64 at, u64 value, unsigned int size)
{
	memcpy((void *)at, &value, size);
}

static u64 get_at(u64 at, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, (void *)at, size);
	return value;
}

/*
 * Writes the header of a setup_data node at @at. The node has @len bytes of data, which are
 * not written.
 */
static void put_node(u64 at, u64 next, u32 type, u32 len)
{
	put_at(at, next, 8);
	put_at(at + 8, type, 4);
	put_at(at + 12, len, 4);
}

/*
 * Appends an entry to the CPUID page, and returns the entry's address. The entry's XCR0 and
 * XSS are 0.
 */
static u64 put_leaf(u32 function, u32 index, const u32 *regs)
{
	u64 count = get_at(CPUID_PAGE, 4), at = CPUID_PAGE + 16 + count * 48;

	put_at(CPUID_PAGE, count + 1, 4);
	put_at(at, function, 4);
	put_at(at + 4, index, 4);
	memcpy((void *)(at + 24), regs, 16);
	return at;
}

/*
 * Writes into the secrets page that there is an SVSM, and that the guest runs at privilege
 * level @vmpl.
 */
static void put_svsm(unsigned int vmpl)
{
	put_at(SECRETS + 0x148, PAGE_SIZE, 8);
	put_at(SECRETS + 0x150, AREA, 8);
	put_at(SECRETS + 0x15c, vmpl, 1);
}

/*
 * Hands over the least that the stub needs in an SNP guest. There is no SVSM, and no
 * list of validated memory (NODE_VALIDATED).
 */
static void hand_over(void)
{
	memset((void *)DATA, 0, 5 * PAGE_SIZE);
	((struct boot_params *)ZERO_PAGE)->hdr.setup_data = BLOB_NODE;
	put_node(BLOB_NODE, 0, NODE_CC_BLOB, 4);
	put_at(BLOB_NODE + 16, BLOB, 4);
	put_at(BLOB, MAGIC, 4);
	put_at(BLOB + 8, SECRETS, 8);
	put_at(BLOB + 16, PAGE_SIZE, 4);
	put_at(BLOB + 24, CPUID_PAGE, 8);
	put_at(BLOB + 32, PAGE_SIZE, 4);
	put_leaf(SEV_LEAF, 0, (const u32[]){ SEV_LEAF_EAX, SEV_LEAF_EBX, 0, 0 });
}

#endif
