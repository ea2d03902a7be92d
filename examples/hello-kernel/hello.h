/* SPDX-License-Identifier: MIT */
/* hello.h - the functions of sev.c, which hello.c calls: kind of guest and port I/O. */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stdint.h>

/* ---- sev.c ---- */

/*
 * Detects the kind of guest. In an SEV-ES guest it also maps the GHCB, a page that is
 * shared with the hypervisor. Must be called once, before any function below.
 */
void sev_start(void);

/* Whether the guest's memory is encrypted: true in SEV, SEV-ES and SNP guests. */
bool is_sev(void);

/* Whether the guest's registers are encrypted, too: true in SEV-ES and SNP guests. */
bool is_sev_es(void);

/* Whether the hypervisor cannot change the guest's memory either: true in SNP guests. */
bool is_snp(void);

/* Writes the byte @value to the I/O port @port, in any kind of guest. */
void port_out(uint16_t port, uint8_t value);

/* Reads a byte from the I/O port @port, in any kind of guest. */
uint8_t port_in(uint16_t port);

#endif
