/* SPDX-License-Identifier: MIT */
/*
 * ident_map.c - the stub's ident_map_64.c for the NAE self-test, which has other devices
 * than VGA memory.
 */
#define DEVICE_START	0UL
#define DEVICE_END	~0UL
#include "ident_map_64.c"
