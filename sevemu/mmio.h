/* SPDX-License-Identifier: MIT */
/*
 * mmio.h - memory-mapped I/O that an SEV-ES guest requests by the GHCB page
 * (mmio.c).
 */
#ifndef SEVEMU_MMIO_H
#define SEVEMU_MMIO_H

#include "sevemu.h"

/*
 * Handles the requests MMIO read and MMIO write (GHCB 4.1).  Copies @len bytes
 * from guest-physical address @gpa (C-bit clear) to @buf, or from @buf to @gpa
 * if @write is true.  RAM is accessed as shared memory.  A write to the
 * firmware image is ignored.  Returns false, with nothing accessed, if @len is
 * not 1, 2, 4 or 8, if the bytes cross a page boundary, or if @gpa is
 * hypervisor memory or not below PHYS_LIMIT.
 */
bool mmio_access(struct vcpu *vcpu, u64 gpa, void *buf, size_t len, bool write);

#endif
