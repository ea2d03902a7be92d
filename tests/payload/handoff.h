/* SPDX-License-Identifier: MIT */
/*
 * handoff.h - data that the test loader passes to the test kernel in nodes of the
 * setup_data list. The stub between them does not know these types of nodes, and must
 * pass the nodes on unchanged.
 */
#ifndef TEST_HANDOFF_H
#define TEST_HANDOFF_H

#include <asm/bootparam.h>

#include "types.h"

/*
 * The test loader's value for type_of_loader in the setup header. boot.rst calls 0xff
 * "undefined".
 */
#define LOADER_TYPE_TEST	0xff
/*
 * The value that QEMU's option -kernel writes to type_of_loader. From it the test kernel
 * concludes that the stub was entered at its 16-bit entry, because QEMU uses no other.
 */
#define LOADER_TYPE_QEMU	0xb0
/*
 * The stub's EFI entry writes this value to type_of_loader, and "EL64" to the field
 * efi_loader_signature of efi_info. The test kernel recognises an EFI boot by "EL64".
 */
#define LOADER_TYPE_EFI_STUB	0x21
#define EFI64_LOADER_SIGNATURE	0x34364c45

/*
 * ENTRY_* says by which entry the stub, or the kernel itself (ENTRY_DIRECT), was
 * entered. The test loader writes the value to ext_loader_ver in the setup header,
 * which the stub ignores, and the test kernel reads it there. The test kernel does not
 * rely on the value's copy in the setup_data node (struct test_info), because some tests
 * boot with an empty setup_data list.
 */
#define ENTRY_DIRECT		0
#define ENTRY_EFI		1
#define ENTRY_16		16
#define ENTRY_32		32
#define ENTRY_64		64

/*
 * Types of the setup_data nodes that the test loader makes. Neither the stub nor Linux
 * knows these types.
 */
#define SETUP_TEST_INFO		0x74657374
#define SETUP_TEST_PATTERN	0x74657375

/*
 * Data of the first setup_data node, whose type is SETUP_TEST_INFO. The test loader
 * writes it and the test kernel compares it with what the stub has passed on.
 */
struct test_info {
	u32 entry;		/* entry by which the loader entered the stub: ENTRY_* */
	u32 nodes;		/* number of nodes in the setup_data list */
	u64 load;		/* load address of the stub's protected-mode part */
	u64 cmdline_hash;	/* text_hash() of the command line */
	struct boot_params bp;	/* copy of the zero page, as passed to the stub */
};

/* Returns the 64-bit FNV-1a hash of the string @text, without its NUL. */
static inline u64 text_hash(const char *text)
{
	u64 hash = 0xcbf29ce484222325UL;

	for (; *text; text++)
		hash = (hash ^ (u8)*text) * 0x00000100000001b3UL;
	return hash;
}

/*
 * pattern_length() returns how many data bytes setup_data node @node has, and
 * pattern_byte() returns data byte @i of the node. Nodes are numbered from 0. All nodes
 * but the first are of type SETUP_TEST_PATTERN.
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
