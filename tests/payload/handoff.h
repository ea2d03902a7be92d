/* SPDX-License-Identifier: MIT */
/*
 * handoff.h - data that the test loader passes to the test kernel in setup_data
 * nodes. The stub does not know the nodes' types and must pass the nodes on
 * unchanged.
 */
#ifndef TEST_HANDOFF_H
#define TEST_HANDOFF_H

#include <asm/bootparam.h>

#include "types.h"

/* type_of_loader of the test loader: 0xff is "undefined" in boot.rst. */
#define LOADER_TYPE_TEST	0xff
/* type_of_loader of QEMU's -kernel, which uses the 16-bit entry only. */
#define LOADER_TYPE_QEMU	0xb0
/*
 * The stub's EFI entry sets type_of_loader to this value, and the signature in
 * efi_info to "EL64".
 */
#define LOADER_TYPE_EFI_STUB	0x21
#define EFI64_LOADER_SIGNATURE	0x34364c45

/*
 * The test loader writes the entry that it uses to ext_loader_ver, which the stub
 * ignores. The test kernel reads it there because setup_data may be empty.
 */
#define ENTRY_DIRECT		0
#define ENTRY_EFI		1
#define ENTRY_16		16
#define ENTRY_32		32
#define ENTRY_64		64

/* Types of setup_data nodes. Neither the stub nor a kernel knows them. */
#define SETUP_TEST_INFO		0x74657374
#define SETUP_TEST_PATTERN	0x74657375

/* Data of the first node, of type SETUP_TEST_INFO. The test loader writes it. */
struct test_info {
	u32 entry;		/* ENTRY_* */
	u32 nodes;		/* of all types, in the whole chain */
	u64 load;		/* address of the protected-mode part */
	u64 cmdline_hash;	/* text_hash() of the command line */
	struct boot_params bp;	/* the zero page as the stub got it */
};

/* Returns the FNV-1a hash of @text, without its NUL. */
static inline u64 text_hash(const char *text)
{
	u64 hash = 0xcbf29ce484222325UL;

	for (; *text; text++)
		hash = (hash ^ (u8)*text) * 0x00000100000001b3UL;
	return hash;
}

/*
 * Number of data bytes of node @node, and the value of its data byte @i. Nodes are
 * numbered from 0. All nodes but the first are of type SETUP_TEST_PATTERN.
 */
static inline u32 pattern_length(u32 node)
{
	return 24 + node * 700;
}

static inline u8 pattern_byte(u32 node, u32 i)
{
	return (u8)(node * 31 + i * 7 + 1);
}

#endif
