/* SPDX-License-Identifier: MIT */
/*
 * io.c - the guest's port I/O, with a filter between the guest and QEMU's
 * devices.
 *
 * Runs at each port access of the guest, in all SEV modes, except reads of
 * fw_cfg's data port for which fw_cfg_select() has cleared the intercept.  Most accesses go to
 * QEMU's devices unchanged.  The filter leaves the hypervisor's memory out of
 * the RAM sizes in CMOS and fw_cfg, hides the hypervisor's own ports, and does
 * not offer fw_cfg's DMA, which could overwrite the hypervisor's memory.  It
 * also catches writes that turn the machine off or reset it, because sevemu
 * must write its report first.
 */
#include "attack.h"
#include "dma.h"
#include "exception.h"
#include "fwcfg.h"
#include "guest_memory.h"
#include "hooks.h"
#include "insn.h"
#include "io.h"
#include "iommu.h"
#include "loader.h"
#include "main.h"
#include "npt.h"
#include "ports.h"
#include "report.h"
#include "sevemu.h"
#include "watch_kaslr.h"

#define PORT_KEYBOARD		0x64
/*
 * The keyboard controller's commands 0xf0 to 0xff pulse those of its four
 * output lines whose bits in the command are 0.  One line resets the processor.
 */
#define KEYBOARD_PULSE		0xf0
/*
 * Bit of the processor's reset line in the keyboard controller's pulse command.
 */
#define KEYBOARD_PULSE_RESET	0x01
#define PORT_CMOS_INDEX		0x70
#define PORT_CMOS_DATA		0x71
#define PORT_SYSTEM_CONTROL	0x92
#define SYSTEM_CONTROL_RESET	0x01
#define PORT_FW_CFG_SELECT	0x510
#define PORT_FW_CFG_DATA	0x511
#define PORT_FW_CFG_DMA		0x514
#define PORT_FW_CFG_DMA_END	0x51b
#define PORT_PCI_ADDRESS	0xcf8
#define PORT_RESET_CONTROL	0xcf9
#define RESET_CONTROL_RESET	0x04
#define PORT_PCI_DATA		0xcfc
#define PORT_OWN_FIRST		0x4e0
#define PORT_OWN_LAST		0x4ef

#define IOPM_PAGES		3
#define STRING_BATCH		256

/*
 * CMOS bytes 0x34 (low) and 0x35 (high): RAM from 16 MiB to 4 GiB, in 64 KiB
 * units.
 */
#define CMOS_RAM_LOW		0x34
#define CMOS_RAM_HIGH		0x35
#define CMOS_RAM_ORIGIN		0x1000000
#define FW_CFG_ID_DMA		2

#define PM1_SLEEP_ENABLE	0x2000
/*
 * Field SLP_TYP of ACPI's PM1 control register, the sleep state to enter.  In
 * PIIX4 and ICH9, as QEMU emulates them, the value 0 turns the machine off.
 */
#define PM1_SLEEP_TYPE		0x1c00
#define PM1A_CONTROL		4
#define PCI_PMBASE		0x40
#define PMBASE_MASK		0xff80
#define PMBASE_PORT		0x600
/* Bit of the register PCI_PMBASE: set if the base address is an I/O port. */
#define PMBASE_IO		0x01

/*
 * Which byte of fw_cfg, QEMU's configuration device, the guest reads next.
 * fw_cfg_byte() replaces bytes of some items, and needs the position of a byte.
 */
static struct {
	u16 key;		/* key of fw_cfg's item that the guest has selected */
	u32 offset;		/* offset of the next byte to read in the item @key */
	u16 e820_key;		/* key of fw_cfg's memory map, etc/e820; 0: not found */
	u16 acpi_key;		/* key of the ACPI tables, etc/acpi/tables; 0: not found */
} fw_cfg;

static u8 cmos_index;		/* CMOS byte that the guest has selected, 0 to 127 */
/* I/O permission map (APM2 15.10.1): a bit for each port, 1 to intercept it. */
static u8 *iopm;

void io_init(struct vcpu *vcpu)
{
	u32 size;

	if (!iopm) {
		fw_cfg.e820_key = fwcfg_find("etc/e820", &size);
		fw_cfg.acpi_key = fwcfg_find("etc/acpi/tables", &size);
		iopm = npt_alloc(IOPM_PAGES);
		memset(iopm, 0xff, IOPM_PAGES * PAGE_SIZE);
	}
	vcpu->vmcb->iopm = (u64)iopm;
}

/* Returns whether fw_cfg_byte() changes bytes of the selected item. */
static bool fw_cfg_filtered(void)
{
	return fw_cfg.key == fw_cfg.e820_key || fw_cfg.key == FW_CFG_ID ||
	       fw_cfg.key == FW_CFG_RAM_SIZE || fw_cfg.key == fw_cfg.acpi_key;
}

/*
 * Records that the guest selects fw_cfg's item @key.  A guest without SEV-ES
 * then reads the item's bytes without a VMEXIT, unless the filter changes that
 * item.  This saves time, because firmware reads megabytes from fw_cfg byte by
 * byte.
 */
static void fw_cfg_select(u16 key)
{
	u8 bit = 1 << PORT_FW_CFG_DATA % 8;

	fw_cfg.key = key;
	fw_cfg.offset = 0;
	if (guest_is_es())
		return;
	if (fw_cfg_filtered())
		iopm[PORT_FW_CFG_DATA / 8] |= bit;
	else
		iopm[PORT_FW_CFG_DATA / 8] &= ~bit;
}

/*
 * Returns 32 bits of PCI configuration space.  @address is bits 30:0 of the
 * address register, port 0xcf8.  The function restores the guest's value of
 * that register.
 */
static u32 pci_config(u32 address)
{
	u32 saved = inl(PORT_PCI_ADDRESS), v;

	outl(PORT_PCI_ADDRESS, 0x80000000 | address);
	v = inl(PORT_PCI_DATA);
	outl(PORT_PCI_ADDRESS, saved);
	return v;
}

/*
 * The PCI functions that have the registers of ACPI's power management: PIIX4's
 * function 3, and ICH9's LPC bridge.
 */
static const struct {
	u32 id;			/* device ID in bits 31:16, vendor ID in 15:0 */
	u32 address;		/* the PCI function's address in configuration space */
	/* Offset of the PCI register that turns the power management on. */
	u8 control;
	/* The bit to set in the PCI register at offset @control. */
	u8 enable;
} bridges[] = {
	{ 0x71138086, 0x0b00, 0x80, 0x01 },
	{ 0x29188086, 0xf800, 0x44, 0x80 },
};

/*
 * Sets the 32 bits at @address of PCI configuration space.  May be called only
 * before the guest starts, because it changes the address register, port 0xcf8.
 */
static void pci_config_write(u32 address, u32 value)
{
	outl(PORT_PCI_ADDRESS, 0x80000000 | address);
	outl(PORT_PCI_DATA, value);
}

void io_enable_pm(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bridges); i++) {
		u32 address = bridges[i].address, control = address | bridges[i].control;

		if (pci_config(address) != bridges[i].id)
			continue;
		pci_config_write(address | PCI_PMBASE, PMBASE_PORT | PMBASE_IO);
		pci_config_write(control, pci_config(control) | bridges[i].enable);
	}
	outl(PORT_PCI_ADDRESS, 0);
}

/*
 * Returns the port of the ACPI PM1a control register, by which a guest turns
 * the machine off.  PIIX4's function 3 or ICH9's LPC bridge has the register's
 * base port in PCI configuration space.  Returns 0 if the machine has neither
 * device.
 */
static u16 pm1a_control(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bridges); i++)
		if (pci_config(bridges[i].address) == bridges[i].id)
			return (pci_config(bridges[i].address | PCI_PMBASE) &
				PMBASE_MASK) + PM1A_CONTROL;
	return 0;
}

/*
 * Ends the run if the guest's write of @value to @port turns the machine off,
 * resets it, or goes to the debug-exit port.
 */
static void check_end(u16 port, unsigned int size, u32 value)
{
	if (port == PORT_RESET_CONTROL && value & RESET_CONTROL_RESET)
		end_run(END_RESET, "guest ended: reset through port 0xcf9");
	if (port == PORT_KEYBOARD && (value & KEYBOARD_PULSE) == KEYBOARD_PULSE &&
	    !(value & KEYBOARD_PULSE_RESET))
		end_run(END_RESET, "guest ended: reset through the keyboard controller");
	if (port == PORT_SYSTEM_CONTROL && value & SYSTEM_CONTROL_RESET)
		end_run(END_RESET, "guest ended: reset through port 0x92");
	if (size > 1 && (value & (PM1_SLEEP_ENABLE | PM1_SLEEP_TYPE)) == PM1_SLEEP_ENABLE &&
	    port == pm1a_control())
		end_run(END_POWER_OFF, "guest ended: power-off");
	if (config.has_success && port == config.success_port)
		end_run(value == config.success_value ? END_PASS : END_FAIL,
			"guest ended: wrote %#x to port %#x, --success-port expects %#lx",
			value, (unsigned int)port, config.success_value);
	if (port == DEBUG_EXIT_PORT)
		end_run(value == DEBUG_EXIT_PASS ? END_PASS :
			value == DEBUG_EXIT_FAIL ? END_FAIL : END_DEBUG_EXIT,
			"guest ended: wrote %#x to the debug-exit port", value);
}

/*
 * Returns the byte that the guest reads next from the selected fw_cfg item.
 * Memory map and RAM size leave out the hypervisor's memory, and the ID item
 * does not offer DMA.  Bytes past an item's size are 0, as in QEMU.
 */
static u8 fw_cfg_byte(void)
{
	u8 hidden = inb(PORT_FW_CFG_DATA);
	u32 offset = fw_cfg.offset++;
	u32 ram;

	if (fw_cfg.key == fw_cfg.e820_key)
		return offset < machine_e820_count * sizeof(struct e820_entry) ?
		       ((u8 *)machine_e820)[offset] : 0;
	if (fw_cfg.key == FW_CFG_ID && !offset)
		return hidden & ~FW_CFG_ID_DMA;
	if (fw_cfg.key == FW_CFG_RAM_SIZE) {
		ram = hv_base;
		return offset < sizeof(ram) ? ram >> offset * 8 : 0;
	}
	if (fw_cfg.key == fw_cfg.acpi_key)
		return iommu_hide(offset, hidden);
	return hidden;
}

/*
 * Returns the CMOS byte that the guest has selected.  The bytes with the size
 * of RAM leave out the hypervisor's memory: the guest's RAM ends at hv_base.
 */
static u8 cmos_byte(void)
{
	u64 units = (hv_base - CMOS_RAM_ORIGIN) >> 16;

	switch (cmos_index) {
	case STOP_CMOS:
		return 0;
	case CMOS_RAM_LOW:
		return units;
	case CMOS_RAM_HIGH:
		return units >> 8;
	default:
		outb(PORT_CMOS_INDEX, cmos_index);
		return inb(PORT_CMOS_DATA);
	}
}

u8 io_stop_request(void)
{
	u8 request;

	outb(PORT_CMOS_INDEX, STOP_CMOS);
	request = inb(PORT_CMOS_DATA);
	outb(PORT_CMOS_DATA, 0);
	outb(PORT_CMOS_INDEX, cmos_index);
	return request;
}

/*
 * Returns whether this file must check accesses to @port before QEMU's devices
 * get them.
 */
static bool filtered(u32 port)
{
	return port == PORT_KEYBOARD || port == PORT_SYSTEM_CONTROL ||
	       port == PORT_CMOS_INDEX || port == PORT_CMOS_DATA ||
	       port == PORT_FW_CFG_SELECT || port == PORT_FW_CFG_DATA ||
	       port == PORT_RESET_CONTROL ||
	       (port >= PORT_FW_CFG_DMA && port <= PORT_FW_CFG_DMA_END) ||
	       (port >= PORT_OWN_FIRST && port <= PORT_OWN_LAST);
}

/*
 * Returns whether io_in() or io_out() must do an access of @size bytes (1, 2 or 4) byte by
 * byte.  This is so if one of the ports is filtered, because the filter handles each port
 * alone.  Two accesses are exceptions, because the device needs them whole: 4 bytes of PCI's
 * address register, and a write of the 2 bytes of fw_cfg's selector.
 */
static bool must_split(u16 port, unsigned int size, bool out)
{
	unsigned int i;

	if (size == 1 || (port == PORT_PCI_ADDRESS && size == 4) ||
	    (port == PORT_FW_CFG_SELECT && size == 2 && out))
		return false;
	for (i = 0; i < size; i++)
		if (filtered((u32)port + i))
			return true;
	return false;
}

/*
 * Returns the true value of @port for the guest.  io_in() may replace it by a
 * wrong value if the emulated host attacks the guest.
 */
static u32 machine_in(u16 port, unsigned int size)
{
	u32 value = 0;
	unsigned int i;

	if (must_split(port, size, false)) {
		for (i = 0; i < size; i++)
			value |= (io_in(port + i, 1) & 0xff) << i * 8;
		return value;
	}
	if (port >= PORT_OWN_FIRST && port <= PORT_OWN_LAST)
		return ~0u;
	if (port >= PORT_FW_CFG_DMA && port <= PORT_FW_CFG_DMA_END)
		return 0;
	if (port == PORT_FW_CFG_SELECT || port == PORT_FW_CFG_DATA)
		return fw_cfg_byte();
	if (port == PORT_CMOS_DATA)
		return cmos_byte();
	return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

u32 io_in(u16 port, unsigned int size)
{
	return attack_port(port, machine_in(port, size));
}

void io_out(u16 port, unsigned int size, u32 value)
{
	unsigned int i;

	if (size < 4)
		value &= (1u << size * 8) - 1;
	if (must_split(port, size, true)) {
		for (i = 0; i < size; i++)
			io_out(port + i, 1, value >> i * 8);
		return;
	}
	check_end(port, size, value);
	if (port >= PORT_OWN_FIRST && port <= PORT_OWN_LAST)
		return;
	if (port >= PORT_FW_CFG_DMA && port <= PORT_FW_CFG_DMA_END)
		end_run(END_ERROR, "guest uses fw_cfg's DMA (port %#x), which it is "
			"not offered: the data port is 0x511", (unsigned int)port);
	if (port == PORT_FW_CFG_SELECT && size == 2)
		fw_cfg_select(value);
	if (port == PORT_CMOS_INDEX)
		cmos_index = value & 0x7f;
	if (port == PORT_CMOS_DATA) {
		if (cmos_index == STOP_CMOS)
			return;
		/*
		 * Select the guest's CMOS byte again, because a command of QEMU's monitor
		 * may have selected another one (ports.h).
		 */
		outb(PORT_CMOS_INDEX, cmos_index);
	}

	kaslr_console(port, value);
	if (size == 1)
		outb(port, value);
	else if (size == 2)
		outw(port, value);
	else
		outl(port, value);
}

void io_string(u16 port, unsigned int size, u8 *data, u64 count, bool in)
{
	u32 value = 0;

	/*
	 * Firmware reads a kernel from fw_cfg by INS.  A read of the port costs QEMU as much
	 * as some hundred instructions, and returns one byte, so use fw_cfg's DMA.  An
	 * attack may change what the guest reads from a port, and must see each read.
	 */
	if (in && port == PORT_FW_CFG_DATA && size == 1 && !fw_cfg_filtered() && !attack_on) {
		fwcfg_more(data, count);
		fw_cfg.offset += count;
		return;
	}
	for (; count; count--, data += size) {
		if (in) {
			value = io_in(port, size);
			memcpy(data, &value, size);
		} else {
			memcpy(&value, data, size);
			io_out(port, size, value);
		}
	}
}

/*
 * Writes @value to the guest's register *@reg with the address size of the
 * instruction; @mask is 0xffff for 16-bit addresses, and so on.  A 16-bit write
 * keeps the register's upper bits, a 32-bit write clears them.
 */
static void put_masked(u64 *reg, u64 value, u64 mask)
{
	*reg = (mask == 0xffff ? *reg & ~mask : 0) | (value & mask);
}

/*
 * Executes INS or OUTS for a guest without SEV-ES.  @info is EXITINFO1, @size
 * the bytes of one element.  QEMU stores neither address size nor segment in
 * EXITINFO1, so both are decoded from the instruction's prefixes.
 */
static void exit_string(struct vcpu *vcpu, u64 info, unsigned int size)
{
	struct vmcb *vmcb = vcpu->vmcb;
	const struct segment *segments[] = {
		&vmcb->es, &vmcb->cs, &vmcb->ss, &vmcb->ds, &vmcb->fs, &vmcb->gs,
	};
	bool in = info & IOIO_IN, rep = info & IOIO_REP;
	bool flat = guest_long_mode(vcpu) && vmcb->cs.attrib & SEG_L;
	bool wide = flat || vmcb->cs.attrib & SEG_DB;
	u64 *index = &vcpu->gpr[in ? RDI : RSI], *count = &vcpu->gpr[RCX];
	bool down = vmcb->rflags & RFLAGS_DF;
	u32 access = vmcb->cpl == 3 ? PF_U : 0;
	u16 port = info >> IOIO_PORT_SHIFT;
	const struct segment *segment;
	struct guest_fault fault;
	struct insn insn;
	u64 mask;

	insn_decode(vcpu, &insn);
	wide ^= insn.address_size;
	mask = flat && wide ? ~0ull : wide || flat ? 0xffffffff : 0xffff;
	segment = segments[in ? SEG_ES : insn.segment];

	while (!rep || *count & mask) {
		u64 va = (!flat || segment >= &vmcb->fs ? segment->base : 0) +
			 (*index & mask);
		u64 batch = rep ? *count & mask : 1, room;
		u8 data[STRING_BATCH];

		/*
		 * INS or OUTS moves a batch of elements at a time.  A batch
		 * must not cross a page boundary, and must fit into data[].
		 */
		va = flat ? va : (u32)va;
		room = (PAGE_SIZE - (va & PAGE_MASK)) / size;
		if (room > STRING_BATCH / size)
			room = STRING_BATCH / size;
		if (down || !room)
			room = 1;
		if (batch > room)
			batch = room;

		/*
		 * Check the guest's memory before accessing the port: after a
		 * #PF the guest restarts the instruction, and accesses the port
		 * again.
		 */
		if (!guest_read(vcpu, va, data, batch * size, access, &fault) ||
		    (in && !guest_write(vcpu, va, data, batch * size, access, &fault))) {
			guest_raise_pf(vcpu, &fault);
			return;
		}
		io_string(port, size, data, batch, in);
		if (in)
			guest_write(vcpu, va, data, batch * size, access, &fault);

		put_masked(index, *index + (down ? -batch : batch) * size, mask);
		if (!rep)
			break;
		put_masked(count, *count - batch, mask);
	}
	vmcb->rip = vmcb->exit_info_2;
}

void io_exit(struct vcpu *vcpu)
{
	struct vmcb *vmcb = vcpu->vmcb;
	u64 info = vmcb->exit_info_1, *rax = &vcpu->gpr[RAX];
	unsigned int size = (info & IOIO_SIZE_MASK) >> IOIO_SIZE_SHIFT;
	u16 port = info >> IOIO_PORT_SHIFT;
	u32 value;

	vmcb->int_state &= ~(u64)INT_SHADOW;
	if (info & IOIO_STRING) {
		exit_string(vcpu, info, size);
		return;
	}
	if (info & IOIO_IN) {
		value = io_in(port, size);
		if (size == 4)
			*rax = value;
		else if (size == 2)
			*rax = (*rax & ~0xffffull) | (value & 0xffff);
		else
			*rax = (*rax & ~0xffull) | (value & 0xff);
	} else {
		if (port >= PORT_PCI_BARS)
			dma_doorbell(vcpu);
		io_out(port, size, *rax);
	}
	vmcb->rip = vmcb->exit_info_2;
}
