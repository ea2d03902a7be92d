/* SPDX-License-Identifier: MIT */
/*
 * loaded.c - checks and maps what the loader put into memory: zero page, command
 * line, initrd, firmware's memory map, setup_data. misc.c decides when. The
 * hypervisor or an attacker may have written all of it, so each range is checked
 * before the stub reads or maps it.
 */
#include "boot_params.h"
#include "cmdline.h"
#include "e820.h"
#include "efi-handoff.h"
#include "error.h"
#include "ident_map.h"
#include "kaslr.h"
#include "lib/string.h"
#include "loaded.h"
#include "setup.h"
#include "sev-es.h"
#include "sev-snp.h"
#include "sev.h"
#include "x86.h"

/*
 * Flag in setup_data.type. Linux's SETUP_INDIRECT is the same bit, but it
 * shifts a signed 1 into the sign bit, which C does not define.
 */
#define SETUP_DATA_INDIRECT	(1U << 31)

/*
 * A setup_data node with which Linux hands memory over by kexec (KHO), and its
 * data: addresses and sizes in bytes of the device tree that describes the
 * memory, and of an array of scratch areas. The previous kernel has preserved
 * nothing in the scratch areas, so the stub may use them. Newer UAPI headers than
 * those in use define the type and, with other names, the structures.
 */
#define SETUP_KEXEC_KHO		10
struct kho_node {
	u64 fdt_addr, fdt_size, scratch_addr, scratch_size;
};
struct kho_area {
	u64 addr, size;
};
/* The most scratch areas of a kexec handover. Linux makes a few for each NUMA node. */
#define KHO_MAX_SCRATCH		512

void check_not_in(struct range runtime, const char *what, struct range used)
{
	if (range_overlaps(runtime, used))
		error_with(SEVSTUB_TERM_HANDED_OVER, what,
			   "0x%lx-0x%lx is in the memory of the payload, 0x%lx-0x%lx",
			   used.start, used.end, runtime.start, runtime.end);
}

void check_loaded(const struct boot_params *bp, struct range runtime,
		  const char *what, struct range used)
{
	if (!e820_may_hold(bp, used.start, used.end) &&
	    !efi_may_hold(bp, used.start, used.end))
		error_with(SEVSTUB_TERM_HANDED_OVER, what,
			   "0x%lx-0x%lx is not all in RAM", used.start,
			   used.end);
	check_not_in(runtime, what, used);
}

void must_map(const char *what, struct range r, unsigned int prot)
{
	/* Page 0 is a guard page, so nothing there may be read. */
	int err = r.start < PAGE_SIZE ? -EINVAL : ident_map_range(r.start, r.end, prot);
	const char *why = err == -ENOMEM ? "out of tables" : "out of reach";

	if (err && sev_es_active())
		error("page tables", "%s cannot be mapped (%s)", what, why);
	if (err)
		error("page tables", "%s: 0x%lx-0x%lx cannot be mapped (%s)",
		      what, r.start, r.end, why);
}

void map_e820_nodes(const struct boot_params *bp)
{
	u64 addr = bp->hdr.setup_data;
	unsigned int nodes = 0;

	if (bp->e820_entries < E820_MAX_ENTRIES_ZEROPAGE)
		return;
	while (addr && nodes++ < SETUP_DATA_MAX_NODES) {
		not_on_stack struct setup_data node;
		struct range r = { addr, addr + sizeof(node) };

		must_map("setup_data", r, MAP_WRITE);
		memcpy(&node, (const void *)addr, sizeof(node));
		r.end += node.len;
		must_map("setup_data", r, MAP_WRITE);
		addr = node.next;
	}
}

void map_loaded(const struct boot_params *bp, const struct cmdline *cmdline)
{
	struct range initrd, efi_map;

	must_map("zero page", zero_page_range(bp), MAP_WRITE);
	initrd = initrd_range(bp);
	efi_map = efi_map_range(bp);
	must_map("command line", cmdline_range(cmdline), MAP_WRITE);
	if (initrd.start != initrd.end)
		must_map("initrd", initrd, MAP_WRITE);
	/*
	 * Map firmware's memory map, because map_setup_data() may call
	 * efi_may_hold(), which reads it.
	 */
	if (efi_map.start != efi_map.end)
		must_map("memory map", efi_map, MAP_WRITE);
	map_e820_nodes(bp);
}

bool is_loaders(const struct boot_params *bp, const struct cmdline *cmdline,
		struct range page)
{
	return range_overlaps(page, zero_page_range(bp)) ||
	       range_overlaps(page, cmdline_range(cmdline)) ||
	       range_overlaps(page, initrd_range(bp)) ||
	       range_overlaps(page, efi_map_range(bp));
}

/*
 * Keeps the @len bytes at @addr, which the loader has put into memory for the kernel,
 * from being overwritten: refuses the boot if they lie in the runtime range, where the
 * kernel is decompressed, and tells KASLR not to use them. The stub reads no byte of
 * them.
 */
static void keep_away(struct range runtime, u64 addr, u64 len)
{
	struct range r = { addr, addr + len };

	if (r.end < r.start)
		error_with(SEVSTUB_TERM_HANDED_OVER, "setup_data",
			   "0x%lx indirect bytes at 0x%lx wrap around",
			   len, addr);
	check_not_in(runtime, "setup_data", r);
	kaslr_area(KASLR_TAKEN, r.start, r.end);
}

/*
 * Keeps the payload out of data that the setup_data node at @addr points to:
 * any data for type SETUP_INDIRECT, and for SETUP_IMA the measurements that the
 * last kernel has left for the next one.
 */
static void keep_indirect(struct range runtime, u64 addr,
			  const struct setup_data *node)
{
	const u8 *data = (const u8 *)addr + sizeof(*node);
	not_on_stack struct setup_indirect to;
	not_on_stack struct ima_setup_data ima;

	if (node->type == SETUP_DATA_INDIRECT && node->len >= sizeof(to)) {
		memcpy(&to, data, sizeof(to));
		keep_away(runtime, to.addr, to.len);
	}
	if (node->type == SETUP_IMA && node->len >= sizeof(ima)) {
		memcpy(&ima, data, sizeof(ima));
		keep_away(runtime, ima.addr, ima.size);
	}
}

/*
 * Ends the boot if the loader or firmware has handed over a confidential-computing
 * blob, but SEV_STATUS says that this is no SNP guest. @found is not 0 if there is a
 * blob. The stub reports the blob, because Linux would read it before Linux can report
 * an exception: a wrong blob could then end Linux without a message.
 */
static void refuse_blob(u64 found)
{
	if (found && !sev_snp_active())
		error_with(SEVSTUB_TERM_HANDED_OVER, "SNP blob",
			   "SEV_STATUS has no SNP; only an SNP guest may be given a blob");
}

/*
 * Checks and maps what the loader put at @r, and keeps the payload out of it.
 */
static void keep_loaded(const struct boot_params *bp, struct range runtime,
			struct range r)
{
	check_loaded(bp, runtime, "setup_data", r);
	must_map("setup_data", r, MAP_WRITE);
	kaslr_area(KASLR_TAKEN, r.start, r.end);
}

/*
 * Obeys a setup_data node of type SETUP_KEXEC_KHO. Outside of the scratch areas
 * memory may hold what the last kernel has preserved, so only scratch areas are
 * candidates for the payload's random address. If no area is large enough, the
 * payload keeps its address, which the last kernel has chosen.
 */
static void keep_handover(const struct boot_params *bp, struct range runtime,
			  u64 addr, const struct setup_data *node)
{
	not_on_stack struct kho_node kho;
	not_on_stack struct kho_area area;
	u64 at;

	if (node->type != SETUP_KEXEC_KHO)
		return;
	if (node->len < sizeof(kho))
		error_with(SEVSTUB_TERM_HANDED_OVER, "setup_data",
			   "a kexec handover of %u bytes, must be %lu",
			   node->len, sizeof(kho));
	memcpy(&kho, (const u8 *)addr + sizeof(*node), sizeof(kho));
	if (kho.scratch_size > KHO_MAX_SCRATCH * sizeof(area))
		error_with(SEVSTUB_TERM_HANDED_OVER, "setup_data",
			   "more than %u scratch areas", KHO_MAX_SCRATCH);
	if (kho.fdt_size)
		keep_loaded(bp, runtime, (struct range){ kho.fdt_addr,
			kho.fdt_addr + kho.fdt_size });
	if (kho.scratch_size)
		keep_loaded(bp, runtime, (struct range){ kho.scratch_addr,
			kho.scratch_addr + kho.scratch_size });
	/*
	 * Name a scratch area of one byte, in which no payload fits. KASLR then
	 * uses no memory outside of scratch areas, even if their list is empty.
	 */
	kaslr_area(KASLR_SCRATCH, 0, 1);
	for (at = 0; kho.scratch_size - at >= sizeof(area); at += sizeof(area)) {
		memcpy(&area, (const u8 *)kho.scratch_addr + at, sizeof(area));
		kaslr_area(KASLR_SCRATCH, area.addr, area.addr + area.size);
	}
}

void map_setup_data(const struct boot_params *bp, struct range runtime)
{
	u64 addr = bp->hdr.setup_data;
	unsigned int nodes = 0;

	refuse_blob(snp_efi_blob);
	while (addr) {
		not_on_stack struct setup_data node;
		struct range r = { addr, addr + sizeof(node) };

		if (nodes++ == SETUP_DATA_MAX_NODES)
			error_with(SEVSTUB_TERM_HANDED_OVER, "setup_data",
				   "more than %u nodes, or a loop",
				   SETUP_DATA_MAX_NODES);
		check_loaded(bp, runtime, "setup_data", r);
		must_map("setup_data", r, MAP_WRITE);

		/*
		 * Copy the node's header, because a node need not be aligned.
		 */
		memcpy(&node, (const void *)addr, sizeof(node));
		r.end += node.len;
		keep_loaded(bp, runtime, r);
		keep_indirect(runtime, addr, &node);
		keep_handover(bp, runtime, addr, &node);
		refuse_blob(node.type == SETUP_CC_BLOB);
		addr = node.next;
	}
}
