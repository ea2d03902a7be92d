/* SPDX-License-Identifier: MIT */
/*
 * srat.c - finds the memory that cannot be unplugged, for a kernel with
 * movable_node on its command line. The kernel must not lie in memory that may
 * be unplugged. ACPI's System Resource Affinity Table (SRAT) lists both kinds
 * (ACPI 6.5 5.2.16).
 *
 * Runs on the stub's own page tables.
 * Firmware's tables are untrusted: each is mapped, its length is bounded and
 * its checksum is verified before its contents are used. A malformed table is
 * ignored. If an entry of the SRAT is malformed, the entries after it are
 * ignored.
 */
#include <asm/e820.h>

#include "boot_params.h"
#include "e820.h"
#include "ident_map.h"
#include "kaslr.h"
#include "lib/string.h"
#include "sev-es.h"
#include "srat.h"
#include "x86.h"

/*
 * Limits against malformed tables: the bytes of a table, and the number of
 * tables in the RSDT or XSDT. No known machine reaches them.
 */
#define TABLE_SIZE_MAX		0x100000U
#define TABLES_MAX		256U

/*
 * Number of page tables that srat.c leaves in the pool, because misc.c needs
 * them later to map other memory.
 */
#define PAGE_TABLES_KEPT	24U

/* Root System Description Pointer (ACPI 6.5 5.2.5.3). */
struct rsdp {
	char signature[8];
	u8 checksum;		/* checksum of the first 20 bytes */
	char oem[6];
	u8 revision;
	u32 rsdt;
	/* The field length and all fields below exist from revision 2 of the RSDP on. */
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __attribute__((packed));
BUILD_BUG_ON(sizeof(struct rsdp) != 36);

#define RSDP_FIRST_SIZE		20U

/* The header of every ACPI table (ACPI 6.5 5.2.6). */
struct acpi_table {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	u8 oem[26];
	u8 data[];
} __attribute__((packed));
BUILD_BUG_ON(sizeof(struct acpi_table) != 36);

/* Bytes between the SRAT's header and its first entry. */
#define SRAT_RESERVED		12U

/* Memory affinity structure (ACPI 6.5 5.2.16.2). */
struct srat_memory {
	u8 type;
	u8 length;
	u8 domain[6];
	u64 base;
	u64 size;
	u32 reserved;
	u32 flags;
	u64 reserved2;
} __attribute__((packed));
BUILD_BUG_ON(sizeof(struct srat_memory) != 40);

#define SRAT_TYPE_MEMORY	1
#define SRAT_ENABLED		0x1U
#define SRAT_HOT_PLUGGABLE	0x2U

/*
 * Where a PC's BIOS puts the RSDP: in the first KiB of the EBDA or in the
 * BIOS's ROM, at a multiple of 16 (ACPI 6.5 5.2.5.1). The EBDA begins at the end
 * of the RAM around the address LOW_MEMORY.
 */
#define LOW_MEMORY		0x10000UL
#define EBDA_END		0xa0000UL
#define EBDA_SEARCHED		0x400UL
#define BIOS_AREA		0xe0000UL
#define BIOS_AREA_END		0x100000UL
#define RSDP_ALIGN		16

/*
 * Returns true if memory of this E820 type may hold ACPI tables: RAM and the
 * two ACPI types, and reserved memory, because some BIOSes put tables there. In
 * an SEV guest reserved memory is refused, because the guest has no BIOS and its
 * reserved memory may be shared with the hypervisor.
 */
static bool may_hold_tables(u32 type)
{
	return type == E820_RAM || type == E820_ACPI || type == E820_NVS ||
	       (type == E820_RESERVED && !sev_active());
}

/*
 * Returns the end of the memory from @addr on that may hold ACPI tables, as far
 * as a single E820 entry tells it. Returns @addr if that memory cannot hold
 * tables.
 */
static u64 end_of_tables(const struct boot_params *bp, u64 addr)
{
	const struct boot_e820_entry *e;
	u64 end = addr, limit = ~0UL;
	struct e820_walk walk;

	for (e820_first(bp, &walk); (e = e820_next(&walk));) {
		u64 e_end = e->addr + e->size;

		if (e_end <= addr || e_end <= e->addr)
			continue;
		if (!may_hold_tables(e->type)) {
			if (e->addr <= addr)
				return addr;
			if (e->addr < limit)
				limit = e->addr;
		} else if (e->addr <= addr && e_end > end) {
			end = e_end;
		}
	}
	return end < limit ? end : limit;
}

static bool is_for_tables(const struct boot_params *bp, u64 addr, u64 end)
{
	u64 next;

	if (!sev_active() && addr >= BIOS_AREA && end <= BIOS_AREA_END)
		return true;
	for (; addr < end; addr = next) {
		next = end_of_tables(bp, addr);
		if (next == addr)
			return false;
	}
	return true;
}

/*
 * Maps [addr, addr + size) for reading. Returns false if E820 says that no
 * tables can be there, if a page cannot be mapped, is a guard page or is shared
 * with the hypervisor, or if the pool of page tables runs low. Pages that are
 * mapped here stay read-only, so the payload must not be placed there.
 */
static bool reach(const struct boot_params *bp, u64 addr, u64 size)
{
	u64 end = addr + size;
	int prot;

	if (!addr || end < addr || !is_for_tables(bp, addr, end) ||
	    ident_map_tables_left() < PAGE_TABLES_KEPT)
		return false;
	kaslr_area(KASLR_TAKEN, ALIGN_DOWN(addr, PAGE_SIZE),
		   ALIGN_UP(end, PAGE_SIZE));
	if (ident_map_range(addr, end, MAP_RO))
		return false;
	for (; addr < end; addr = ALIGN_DOWN(addr, PAGE_SIZE) + PAGE_SIZE) {
		prot = ident_map_query(addr);
		if (prot < 0 || prot & MAP_DECRYPTED)
			return false;
	}
	return true;
}

static bool sums_up(const void *data, u64 size)
{
	const u8 *p = data;
	u8 sum = 0;

	while (size--)
		sum += *p++;
	return !sum;
}

/*
 * Returns the ACPI table at @addr if its signature, length and checksum are
 * right, otherwise NULL.
 */
static const struct acpi_table *table_at(const struct boot_params *bp,
					 u64 addr, const char *signature)
{
	const struct acpi_table *table = (const void *)addr;

	if (!reach(bp, addr, sizeof(*table)) ||
	    memcmp(table->signature, signature, sizeof(table->signature)) ||
	    table->length < sizeof(*table) || table->length > TABLE_SIZE_MAX ||
	    !reach(bp, addr, table->length) || !sums_up(table, table->length))
		return NULL;
	return table;
}

static bool is_rsdp(const struct rsdp *rsdp)
{
	return !memcmp(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature)) &&
	       sums_up(rsdp, RSDP_FIRST_SIZE) &&
	       (rsdp->revision < 2 || sums_up(rsdp, sizeof(*rsdp)));
}

static const struct rsdp *search_rsdp(const struct boot_params *bp,
				      u64 addr, u64 end)
{
	if (!reach(bp, addr, end - addr))
		return NULL;
	for (; addr + sizeof(struct rsdp) <= end; addr += RSDP_ALIGN) {
		if (is_rsdp((const void *)addr))
			return (const void *)addr;
	}
	return NULL;
}

/*
 * Finds the RSDP, ACPI's root pointer. If the command line or the loader names
 * its address, only that is used. Otherwise the extended BIOS data area (EBDA),
 * which begins where RAM below 640 KiB ends, and the BIOS's ROM are searched.
 * In an SEV guest nothing is searched, because the guest has no BIOS, and the
 * memory of EBDA and ROM is not private.
 */
static const struct rsdp *find_rsdp(const struct boot_params *bp,
				    const struct cmdline *cmdline)
{
	u64 addr = bp->acpi_rsdp_addr, low = 0, ebda = EBDA_END;
	const struct rsdp *rsdp = NULL;
	not_on_stack char value[24];
	struct number number;

	if (cmdline_find_option(cmdline, "acpi_rsdp", value,
				sizeof(value)) >= 0) {
		number = parse_u64(value, 16);
		if (number.end)
			addr = number.value;
	}
	if (addr) {
		rsdp = (const void *)addr;
		return reach(bp, addr, sizeof(*rsdp)) && is_rsdp(rsdp) ? rsdp :
									 NULL;
	}
	if (sev_active())
		return NULL;
	if (e820_ram_around(bp, LOW_MEMORY, &low, &ebda) &&
	    ebda + EBDA_SEARCHED <= EBDA_END)
		rsdp = search_rsdp(bp, ALIGN_UP(ebda, (u64)RSDP_ALIGN),
				   ebda + EBDA_SEARCHED);
	return rsdp ? rsdp : search_rsdp(bp, BIOS_AREA, BIOS_AREA_END);
}

static const struct acpi_table *
find_srat(const struct boot_params *bp, const struct rsdp *rsdp, bool use_rsdt)
{
	bool wide = rsdp->revision >= 2 && rsdp->xsdt && !use_rsdt;
	const struct acpi_table *root, *table;
	u64 size = wide ? sizeof(u64) : sizeof(u32);
	not_on_stack u64 addr;
	u64 count, i;

	addr = 0;
	root = wide ? table_at(bp, rsdp->xsdt, "XSDT") :
		      table_at(bp, rsdp->rsdt, "RSDT");
	if (!root)
		return NULL;
	count = (root->length - sizeof(*root)) / size;
	if (count > TABLES_MAX)
		count = TABLES_MAX;
	for (i = 0; i < count; i++) {
		memcpy(&addr, root->data + i * size, size);
		table = table_at(bp, addr, "SRAT");
		if (table)
			return table;
	}
	return NULL;
}

static void name_areas(const struct acpi_table *srat)
{
	const u8 *at = srat->data + SRAT_RESERVED;
	const u8 *end = (const u8 *)srat + srat->length;
	not_on_stack struct srat_memory m;

	/*
	 * Bytes 0 and 1 of each entry are its type and its length, so the
	 * length is at least 2.
	 */
	for (; end - at >= 2 && at[1] >= 2 && at[1] <= end - at; at += at[1]) {
		if (at[0] != SRAT_TYPE_MEMORY || at[1] < sizeof(m))
			continue;
		memcpy(&m, at, sizeof(m));
		if ((m.flags & (SRAT_ENABLED | SRAT_HOT_PLUGGABLE)) ==
		    SRAT_ENABLED)
			kaslr_area(KASLR_IMMOVABLE, m.base, m.base + m.size);
	}
}

void srat_name_immovable(const struct boot_params *bp,
			 const struct cmdline *cmdline)
{
	const struct acpi_table *srat;
	const struct rsdp *rsdp;
	not_on_stack char acpi[8];

	if (!cmdline_find_option_bool(cmdline, "movable_node"))
		return;
	acpi[0] = '\0';
	cmdline_find_option(cmdline, "acpi", acpi, sizeof(acpi));
	if (!memcmp(acpi, "off", sizeof("off")))
		return;
	rsdp = find_rsdp(bp, cmdline);
	if (!rsdp)
		return;
	srat = find_srat(bp, rsdp, !memcmp(acpi, "rsdt", sizeof("rsdt")));
	if (srat)
		name_areas(srat);
}
