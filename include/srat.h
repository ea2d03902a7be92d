/* SPDX-License-Identifier: MIT */
/*
 * srat.h - memory that can be unplugged, by ACPI's System Resource Affinity
 * Table (payload/srat.c).
 */
#ifndef SRAT_H
#define SRAT_H

#include "cmdline.h"

struct boot_params;

/*
 * If the command line has movable_node, names each memory range that ACPI's SRAT
 * does not call hot-pluggable as KASLR_IMMOVABLE, so that the payload keeps out of
 * memory that the kernel may want to unplug. Maps the ACPI tables that it reads,
 * and names them KASLR_TAKEN. Malformed tables are ignored. In an SEV guest it
 * reads tables in private memory only, and does not search for the RSDP.
 */
void srat_name_immovable(const struct boot_params *bp,
			 const struct cmdline *cmdline);

#endif
