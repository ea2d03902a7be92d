/* SPDX-License-Identifier: MIT */
/*
 * loaded.h - checks and maps what the loader put into memory (loaded.c), for the
 * steps of the boot (misc.c).
 */
#ifndef LOADED_H
#define LOADED_H

#include "range.h"
#include "types.h"

struct boot_params;
struct cmdline;

/*
 * Ends the boot with SEVSTUB_TERM_HANDED_OVER if @used overlaps @runtime, the
 * memory of payload and image. The message calls @used by the name @what.
 */
void check_not_in(struct range runtime, const char *what, struct range used);

/*
 * Ends the boot with SEVSTUB_TERM_HANDED_OVER unless what the loader put at @used
 * lies in memory, by E820 or by firmware's memory map, and outside of @runtime,
 * the memory of payload and image. The stub maps @used and the payload reads it,
 * so it must not be a device. Which type of memory it is does not matter. May be
 * called before .bss is cleared.
 */
void check_loaded(const struct boot_params *bp, struct range runtime,
		  const char *what, struct range used);

/*
 * Maps the range @r with the rights @prot (MAP_* in ident_map.h), or ends the
 * boot. The message calls @r by the name @what. In an SEV-ES guest the message has
 * no addresses, because the hypervisor reads the console, and the payload's random
 * address is secret.
 */
void must_map(const char *what, struct range r, unsigned int prot);

/*
 * Maps zero page, command line, initrd and firmware's memory map, because the
 * stub and the payload's first instructions read them. place_image() has checked
 * them. Ends the boot if one cannot be mapped.
 */
void map_loaded(const struct boot_params *bp, const struct cmdline *cmdline);

/*
 * Returns true if @page touches what map_loaded() maps. setup_data is left out,
 * because map_setup_data() maps it later.
 */
bool is_loaders(const struct boot_params *bp, const struct cmdline *cmdline,
		struct range page);

/*
 * Maps the setup_data list if the E820 table in the zero page is full, because
 * the E820 map then continues in setup_data nodes, and the check of any other
 * memory reads the whole map. map_setup_data() checks the nodes later.
 */
void map_e820_nodes(const struct boot_params *bp);

/*
 * Checks and maps the whole setup_data list (boot.rst, "setup_data"), because the
 * payload may read it before it has page tables of its own. Tells KASLR to keep
 * the payload out of it and out of memory that its nodes point to. Ends the boot
 * if a node is not in RAM, lies in @runtime (the memory of payload and image), or
 * if the list has more than SETUP_DATA_MAX_NODES nodes.
 */
void map_setup_data(const struct boot_params *bp, struct range runtime);

#endif
