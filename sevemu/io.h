/* SPDX-License-Identifier: MIT */
/*
 * io.h - port I/O of the guest, with the filter (io.c).
 */
#ifndef SEVEMU_IO_H
#define SEVEMU_IO_H

#include "sevemu.h"

/*
 * Allocates the I/O permission map (APM2 15.10.1) for @vcpu, with all ports
 * intercepted.  Called once, before the guest starts.
 */
void io_init(struct vcpu *vcpu);

/*
 * Turns on the chip set's ACPI power management at the port where SeaBIOS has it.
 * Called before the guest starts, if no firmware does it.  Does nothing on a machine
 * without PIIX4 and ICH9.
 */
void io_enable_pm(void);

/*
 * Reads @size bytes (1, 2 or 4) from @port for the guest.  Returns them in the
 * low bits; the bits above @size bytes are undefined.
 */
u32 io_in(u16 port, unsigned int size);

/*
 * Writes the low @size bytes (1, 2 or 4) of @value to @port for the guest.  A
 * write that turns the machine off or resets it, the debug-exit port and
 * fw_cfg's DMA end the run.
 */
void io_out(u16 port, unsigned int size, u32 value);

/*
 * Does @count accesses of @size bytes (1, 2 or 4) to @port, as INS (@in) or OUTS
 * does.  @data is the host address of @count * @size bytes.
 */
void io_string(u16 port, unsigned int size, u8 *data, u64 count, bool in);

/*
 * Handles SVM_EXIT_IOIO of a guest without SEV-ES: executes the IN, OUT, INS or
 * OUTS and moves RIP behind it.  Memory that a string instruction cannot reach
 * raises #PF.
 */
void io_exit(struct vcpu *vcpu);

#endif
