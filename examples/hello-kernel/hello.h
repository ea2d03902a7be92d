/* SPDX-License-Identifier: MIT */
/*
 * hello.h - the functions of sev.c, which hello.c calls.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stdint.h>

/* ---- sev.c ---- */

/*
 * Detects the kind of guest, and in an SEV-ES guest maps a page that is shared with
 * the hypervisor, the GHCB. Call this once, before any other function below.
 */
void sev_start(void);

/* Whether this is a guest with encrypted memory: SEV or SEV-ES. */
bool is_sev(void);

/* Whether this is a guest with encrypted registers, too: SEV-ES. */
bool is_sev_es(void);

/* Writes @value to an I/O port, in any kind of guest. */
void port_out(uint16_t port, uint8_t value);

/* Reads a byte from an I/O port, in any kind of guest. */
uint8_t port_in(uint16_t port);

#endif
