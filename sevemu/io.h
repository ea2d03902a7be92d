/* SPDX-License-Identifier: MIT */
/*
 * io.h - the guest's port I/O, which io.c passes to QEMU's devices through a
 * filter.
 */
#ifndef SEVEMU_IO_H
#define SEVEMU_IO_H

#include "sevemu.h"

/*
 * Firmware gives PCI devices I/O ports from here on.  A device that does DMA has its
 * registers among these ports, or in memory.  The hypervisor calls dma_doorbell() before the
 * guest's write to such a port, because the write may start DMA.
 */
#define PORT_PCI_BARS		0x1000

/*
 * Lets the I/O permission map (APM2 15.10.1) of @vcpu intercept all ports.  All virtual
 * CPUs share one map.  Called once for each virtual CPU, before the guest starts.
 */
void io_init(struct vcpu *vcpu);

/*
 * Turns on the chip set's ACPI power management at the port where SeaBIOS has it.
 * Called before the guest starts, if no firmware does it.  Does nothing on a machine
 * without PIIX4 and ICH9.
 */
void io_enable_pm(void);

/*
 * Returns the code STOP_* of ports.h by which the sevemu script asks for the end of the
 * run or for an attack, and clears the request.  Returns 0 if the script asks for nothing.
 * Called after an NMI, because the script sends one with each request.
 */
u8 io_stop_request(void);

/*
 * Reads @size bytes (1, 2 or 4) from @port for the guest.  Returns the value in
 * the low bits; the bits above @size bytes are undefined.
 */
u32 io_in(u16 port, unsigned int size);

/*
 * Writes the low @size bytes (1, 2 or 4) of @value to @port for the guest.
 * Ends the run, and does not return, if the write turns the machine off or
 * resets it, or if @port is the debug-exit port or fw_cfg's DMA register.
 */
void io_out(u16 port, unsigned int size, u32 value);

/*
 * Accesses @port @count times with @size bytes (1, 2 or 4) each, as REP INS
 * does if @in is true, else as REP OUTS.  @data is the host address of the
 * @count * @size bytes that are read or written.
 */
void io_string(u16 port, unsigned int size, u8 *data, u64 count, bool in);

/*
 * Handles SVM_EXIT_IOIO of a guest without SEV-ES: executes the IN, OUT, INS or
 * OUTS and moves RIP to the next instruction.  Injects #PF instead if the guest
 * may not access the memory operand of INS or OUTS.
 */
void io_exit(struct vcpu *vcpu);

#endif
