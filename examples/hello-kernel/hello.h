/* SPDX-License-Identifier: MIT */
/*
 * hello.h - what the two files of C offer each other.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stdint.h>

/* ---- sev.c ---- */

/* First of all: finds out what kind of guest this is, and gets a GHCB. */
void sev_start(void);
/* Whether memory is encrypted, and whether registers are, too. */
bool is_sev(void);
bool is_sev_es(void);

/* Port I/O, in whatever kind of guest. */
void port_out(uint16_t port, uint8_t value);
uint8_t port_in(uint16_t port);

#endif
