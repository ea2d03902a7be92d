/* SPDX-License-Identifier: MIT */
/*
 * mmio.h - memory-mapped I/O on GHCB request (mmio.c).
 */
#ifndef SEVEMU_MMIO_H
#define SEVEMU_MMIO_H

#include "x86.h"

/*
 * Reads guest-physical address @gpa (without C-bit) into @buf, or writes it from
 * @buf if @write.  @len is the number of bytes.  For GHCB exits 0x80000001 and
 * 0x80000002 (GHCB 4.1).  RAM is accessed in its shared view; a write to the
 * firmware image is ignored.  Returns false, with nothing accessed, if @len is
 * not 1, 2, 4 or 8, if the bytes cross a page, or if @gpa is hypervisor memory
 * or above PHYS_LIMIT.
 */
bool mmio_access(u64 gpa, void *buf, size_t len, bool write);

#endif
