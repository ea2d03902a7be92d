/* SPDX-License-Identifier: MIT */
/*
 * ports.h - the hypervisor's own I/O ports, which the wrapper gives to QEMU and
 * which io.c hides from the guest, and the statuses of the debug-exit device.
 */
#ifndef SEVEMU_PORTS_H
#define SEVEMU_PORTS_H

#define PORT_LOG		0x4e8
#define PORT_REPORT		0x4e9
#define PORT_TRACE		0x4ea

/*
 * Added to an exit status that is written to the debug-exit port.  QEMU exits
 * with twice the value written, plus one; the offset keeps that away from 0 and
 * 1, with which QEMU exits by itself.
 */
#define STATUS_BASE		16

#endif
