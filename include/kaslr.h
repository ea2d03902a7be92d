/* SPDX-License-Identifier: MIT */
/*
 * kaslr.h - random addresses for the payload (payload/kaslr.c).
 *
 * Callers first tell with kaslr_area() which memory may hold the payload and which is in
 * use, then draw a physical address with kaslr_physical() or kaslr_pick() and a virtual one
 * with kaslr_virtual(), then call kaslr_finish().
 */
#ifndef KASLR_H
#define KASLR_H

#include "cmdline.h"
#include "payload.h"
#include "types.h"

struct boot_params;

/* What kaslr_area()'s caller knows about an area of memory. */
enum kaslr_area {
	/* RAM. The payload must lie in areas of this kind. */
	KASLR_RAM,
	/*
	 * Memory that cannot be unplugged (srat.c). If there are areas of this
	 * kind, the payload must lie in them.
	 */
	KASLR_IMMOVABLE,
	/*
	 * Memory that firmware's memory map calls free. If there are areas of
	 * this kind, the payload must lie in them.
	 */
	KASLR_FIRMWARE_FREE,
	/*
	 * Memory in which a kexec handover has preserved nothing. If there are
	 * areas of this kind, the payload must lie in one of them.
	 */
	KASLR_SCRATCH,
	/* Memory in use. The payload must not touch it. */
	KASLR_TAKEN,
	KASLR_AREA_KINDS
};

/*
 * Which addresses KASLR may choose: multiples of @align, a power of two. The
 * @size bytes from the chosen address on must lie in [@low, @high).
 */
struct kaslr_slots {
	u64 size, align, low, high;
};

/* Returns false if the command line has "nokaslr". */
bool kaslr_wanted(const struct cmdline *cmdline);

/*
 * Mixes @len bytes at @data into the random number generator. Bytes that an
 * attacker knows do no harm, because each draw mixes in a number of RDRAND, if
 * the processor has it.
 */
void kaslr_seed(const void *data, size_t len);

/*
 * Records that [@start, @end) is of @kind. Areas may come in any order and may
 * overlap. An empty area, and addresses from 2^52 on, are ignored.
 */
void kaslr_area(enum kaslr_area kind, u64 start, u64 end);

/*
 * Draws one of the addresses that @want and the areas recorded by kaslr_area()
 * allow, each with the same probability, and stores it in @addr.
 * Returns false and leaves @addr unchanged if @want and the areas allow no address,
 * or if kaslr_area() was called for more than 1024 areas.
 */
bool kaslr_pick(const struct kaslr_slots *want, u64 *addr);

/*
 * Calls kaslr_area() for the entries of @bp's E820 map and for what mem=, memmap=
 * and hugepages= on the command line exclude, then calls kaslr_pick(). The caller
 * must have called kaslr_area() for all other areas.
 * Returns false and leaves @addr unchanged if kaslr_pick() fails, or if
 * efi_fake_mem= or an unknown form of memmap= makes the memory map uncertain.
 */
bool kaslr_physical(const struct boot_params *bp, const struct cmdline *cmdline,
		    const struct kaslr_slots *want, u64 *addr);

/*
 * Draws a virtual address for @size bytes of payload. They lie in the same aligned
 * GiB as @p->virt_addr, because Linux maps its image only there.
 * Returns @p->virt_addr if the payload cannot run elsewhere.
 */
u64 kaslr_virtual(const struct payload_header *p, u64 size);

/*
 * Wipes the random number generator's state. Must be called when all addresses
 * are drawn. Stops the boot of an SEV guest if a number was drawn without
 * RDRAND. Returns true if a random address was drawn.
 */
bool kaslr_finish(void);

#endif
