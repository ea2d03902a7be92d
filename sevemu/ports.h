/* SPDX-License-Identifier: MIT */
/*
 * ports.h - the hypervisor's own I/O ports, and the exit status of QEMU.  The
 * sevemu script gives QEMU a debug console at each port, and io.c hides the
 * ports from the guest.
 */
#ifndef SEVEMU_PORTS_H
#define SEVEMU_PORTS_H

#define PORT_LOG		0x4e8
#define PORT_REPORT		0x4e9
#define PORT_TRACE		0x4ea

/*
 * The hypervisor ends a run by writing STATUS_BASE plus its exit status to
 * QEMU's debug-exit device.  QEMU then exits with twice that number plus one.
 * With STATUS_BASE the result is never 0 or 1, with which QEMU exits by itself.
 */
#define STATUS_BASE		16

#endif
