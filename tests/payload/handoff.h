/* SPDX-License-Identifier: MIT */
/*
 * handoff.h - what the test loader tells the test kernel behind the stub's
 * back: a setup_data node that the stub has to pass on untouched.
 */
#ifndef TEST_HANDOFF_H
#define TEST_HANDOFF_H

#include <asm/bootparam.h>

#include "types.h"

/* boot.rst: no loader has got this number ("undefined"). */
#define LOADER_TYPE_TEST	0xff
/* QEMU's -kernel; reaches an image by its 16-bit entry only. */
#define LOADER_TYPE_QEMU	0xb0
/* What an EFI entry says of itself, and its sign in efi_info: "EL64". */
#define LOADER_TYPE_EFI_STUB	0x21
#define EFI64_LOADER_SIGNATURE	0x34364c45

/*
 * ext_loader_ver, which nobody reads for these types, says which entry was
 * taken: for a chain of no nodes.
 */
#define ENTRY_DIRECT		0
#define ENTRY_EFI		1
#define ENTRY_16		16
#define ENTRY_32		32
#define ENTRY_64		64

/* Node types that no kernel knows. */
#define SETUP_TEST_INFO		0x74657374
#define SETUP_TEST_PATTERN	0x74657375

/* Data of the first node. */
struct test_info {
	u32 entry;
	u32 nodes;		/* in the whole chain */
	u64 load;		/* where the protected-mode part was put */
	u64 cmdline_hash;	/* text_hash() of the command line */
	struct boot_params bp;	/* the zero page as it was handed to the stub */
};

/* FNV-1a. */
static inline u64 text_hash(const char *text)
{
	u64 hash = 0xcbf29ce484222325UL;

	for (; *text; text++)
		hash = (hash ^ (u8)*text) * 0x00000100000001b3UL;
	return hash;
}

/* Data of all other nodes: @length bytes made from their place in the chain. */
static inline u32 pattern_length(u32 node)
{
	return 24 + node * 700;
}

static inline u8 pattern_byte(u32 node, u32 i)
{
	return (u8)(node * 31 + i * 7 + 1);
}

#endif
