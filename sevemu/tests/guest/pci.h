/* SPDX-License-Identifier: MIT */
/*
 * pci.h - the two ports by which the test guest accesses PCI configuration space, and
 * offsets in a device's configuration header (PCI Local Bus Specification 3.0, 3.2.2.3.2
 * and 6.1).
 */
#ifndef GUEST_PCI_H
#define GUEST_PCI_H

/* Port that takes the address of a register: PCI_ENABLE | device << 11 | offset. */
#define PCI_ADDRESS		0xcf8
/* Port that reads and writes the register which PCI_ADDRESS names. */
#define PCI_DATA		0xcfc
#define PCI_ENABLE		0x80000000u

#define PCI_COMMAND		0x04
#define PCI_COMMAND_MEMORY	0x02
#define PCI_COMMAND_MASTER	0x04
#define PCI_BAR_0		0x10

#endif
