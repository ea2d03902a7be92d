/* SPDX-License-Identifier: MIT */
/*
 * ports.h - the hypervisor's own I/O ports, and the exit status of QEMU.  The
 * sevemu script gives QEMU a debug console at each of PORT_LOG, PORT_REPORT and
 * PORT_TRACE, and with --gdb a serial port at PORT_GDB.  io.c hides all these ports
 * from the guest.
 */
#ifndef SEVEMU_PORTS_H
#define SEVEMU_PORTS_H

#define PORT_LOG		0x4e8
#define PORT_REPORT		0x4e9
#define PORT_TRACE		0x4ea

/* With --gdb: the first of the 8 I/O ports of the serial port that leads to gdb. */
#define PORT_GDB		0x4e0

/*
 * The hypervisor ends a run by writing STATUS_BASE plus its exit status to
 * QEMU's debug-exit device.  QEMU then exits with twice that number plus one.
 * With STATUS_BASE the result is never 0 or 1, with which QEMU exits by itself.
 */
#define STATUS_BASE		16

/*
 * The sevemu script asks the hypervisor to end the run by commands of QEMU's monitor.
 * They write one of the codes below to the byte STOP_CMOS of CMOS, which is 0 at first,
 * and send an NMI.  STOP_SIGNAL plus N means that the script got signal N.
 */
#define STOP_CMOS		0x7f
#define STOP_TIMEOUT		1	/* --timeout */
#define STOP_CPU_TIME		2	/* --cpu-timeout */
#define STOP_CONSOLE		3	/* --expect-line */
#define STOP_FAILED		4	/* --fail-on */
/* Unlike the other codes, this one ends no run: it begins the attack of --attack-once. */
#define STOP_ATTACK		5
#define STOP_SIGNAL		0x80

#endif
