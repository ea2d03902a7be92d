/* SPDX-License-Identifier: MIT */
/*
 * ident_map.c - the stub's ident_map_64.c for the NAE self-test. The stub refuses to map
 * any device but VGA memory. The self-test accesses other devices, so here a device may
 * have any address.
 */
#define LOWEST_MAPPED	4096UL
#define DEVICE_START	0UL
#define DEVICE_END	~0UL
#include "ident_map_64.c"
