/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own ports, which the wrapper gives to QEMU and which the
 * guest cannot reach, and the statuses on the machine's debug-exit device.
 */
#ifndef SEVEMU_PORTS_H
#define SEVEMU_PORTS_H

#define PORT_LOG		0x4e8
#define PORT_REPORT		0x4e9
#define PORT_TRACE		0x4ea

/*
 * QEMU's exit status is twice the value written, plus one.  Offset so that it
 * is never 0 or 1, which QEMU uses itself.
 */
#define STATUS_BASE		16

#endif
