/* SPDX-License-Identifier: MIT */
/*
 * ports.c - test cases for IN and OUT. They use devices whose values are known: the
 * UART's scratch register and a byte of the CMOS return what was written, PCI's
 * configuration space can be read in two sizes, and fw_cfg begins with "QEMU".
 */
#include "nae.h"

#define CMOS_INDEX		0x70
#define CMOS_DATA		0x71
#define CMOS_SHUTDOWN		0x0f	/* CMOS byte "shutdown status", which only a BIOS reads */
#define PORT_NOWHERE		0xe0
#define PCI_ENABLE		0x80000000
#define PCI_NONE		0xffffffff
#define FW_CFG_SIGNATURE	0
#define FW_CFG_OTHER		1

u16 in16(u16 port)
{
	u16 value;

	asm volatile("inw %1, %0" : "=a"(value) : "d"(port));
	return value;
}

u32 in32(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "d"(port));
	return value;
}

void out16(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "d"(port));
}

void out32(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "d"(port));
}

bool have_scratch_port(void)
{
	outb(0x3c, SCRATCH_PORT);
	return inb(SCRATCH_PORT) == 0x3c;
}

void pci_select(u32 device, u32 reg)
{
	out32(PCI_ADDRESS, PCI_ENABLE | device << 11 | reg);
}

bool have_pci(void)
{
	pci_select(0, 0);
	return in32(PCI_DATA) != PCI_NONE;
}

bool have_fw_cfg(void)
{
	out16(FW_CFG_SELECT, FW_CFG_SIGNATURE);
	return inb(FW_CFG_DATA) == 'Q' && inb(FW_CFG_DATA) == 'E' &&
	       inb(FW_CFG_DATA) == 'M' && inb(FW_CFG_DATA) == 'U';
}

/*
 * Executes the IN instruction @insn with DX = @port. The low @size bytes of RAX must
 * become @value, and no other register may change.
 */
static void in(const char *insn, u16 port, u64 value, unsigned int size)
{
	prepare();
	before.r[INSN_RDX] = before.r[INSN_RDX] >> 16 << 16 | port;
	execute(insn);
	want.r[INSN_RAX] = merge(before.r[INSN_RAX], value, size);
	check_regs(insn);
}

/*
 * Executes the OUT instruction @insn with RAX = @rax and DX = @port. No register may
 * change.
 */
static void out(const char *insn, u16 port, u64 rax)
{
	prepare();
	before.r[INSN_RDX] = before.r[INSN_RDX] >> 16 << 16 | port;
	before.r[INSN_RAX] = rax;
	execute(insn);
	check_regs(insn);
}

static void case_in8(void)
{
	if (!have_scratch_port()) {
		skip("no UART at 0x3f8");
		return;
	}
	outb(0xa5, SCRATCH_PORT);
	in("inb (%dx), %al", SCRATCH_PORT, 0xa5, 1);
	outb(0x5a, SCRATCH_PORT);
	in("inb (%dx), %al", SCRATCH_PORT, 0x5a, 1);
}

static void case_in16(void)
{
	u32 id;

	if (!have_pci()) {
		skip("no PCI");
		return;
	}
	id = in32(PCI_DATA);
	in("inw (%dx), %ax", PCI_DATA, (u16)id, 2);
	in("inw (%dx), %ax", PCI_DATA + 2, id >> 16, 2);
}

static void case_in32(void)
{
	u32 id;

	if (!have_pci()) {
		skip("no PCI");
		return;
	}
	id = (u32)in16(PCI_DATA + 2) << 16 | in16(PCI_DATA);
	in("inl (%dx), %eax", PCI_DATA, id, 4);
	/*
	 * IN has no 64-bit form. The processor, and thus the handler, must ignore REX.W
	 * (APM3, "IN").
	 */
	in("rex.w inl (%dx), %eax", PCI_DATA, id, 4);
}

static void case_out8(void)
{
	if (!have_scratch_port()) {
		skip("no UART at 0x3f8");
		return;
	}
	out("outb %al, (%dx)", SCRATCH_PORT, 0x1122334455667788);
	expect("scratch register", inb(SCRATCH_PORT), 0x88);
}

static void case_out16(void)
{
	if (!have_fw_cfg()) {
		skip("no fw_cfg");
		return;
	}
	out16(FW_CFG_SELECT, FW_CFG_OTHER);
	out("outw %ax, (%dx)", FW_CFG_SELECT,
	    0x1122334455660000 | FW_CFG_SIGNATURE);
	expect("fw_cfg", inb(FW_CFG_DATA), 'Q');
}

static void case_out32(void)
{
	if (!have_pci()) {
		skip("no PCI");
		return;
	}
	out("outl %eax, (%dx)", PCI_ADDRESS, 0x1122334480001234);
	expect("PCI address", in32(PCI_ADDRESS), 0x80001234);
	out("rex.w outl %eax, (%dx)", PCI_ADDRESS, 0x1122334480004320);
	expect("PCI address", in32(PCI_ADDRESS), 0x80004320);
}

/*
 * Writes 0x69 to the CMOS byte CMOS_SHUTDOWN and keeps its old value in @saved, which
 * cmos_end() writes back. Returns false, and skips the case, if there is no CMOS.
 */
static bool cmos_begin(u8 *saved)
{
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	*saved = inb(CMOS_DATA);
	outb(0x69, CMOS_DATA);
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	if (inb(CMOS_DATA) == 0x69)
		return true;
	skip("no CMOS");
	return false;
}

static void cmos_end(u8 saved)
{
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	outb(saved, CMOS_DATA);
}

static void case_in_imm(void)
{
	u8 saved;

	if (!cmos_begin(&saved))
		return;
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	in("inb $0x71, %al", 0, 0x69, 1);
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	in("inw $0x70, %ax", 0, 0x6900 | inb(CMOS_INDEX), 2);
	in("inl $0xe0, %eax", 0, in32(PORT_NOWHERE), 4);
	cmos_end(saved);
}

static void case_out_imm(void)
{
	u8 saved;

	if (!cmos_begin(&saved))
		return;
	out("outb %al, $0x70", 0, 0x1122334455667700 | CMOS_SHUTDOWN);
	expect("CMOS byte", inb(CMOS_DATA), 0x69);
	/*
	 * Port 0x70 is the CMOS index and port 0x71 its data. OUT of 16 bits to 0x70
	 * writes both. OUT of 32 bits also writes the ports 0x72 and 0x73. The machine
	 * may take them for index and data, too, so the operand has both twice.
	 */
	out("outw %ax, $0x70", 0, 0x1122334455664200 | CMOS_SHUTDOWN);
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	expect("CMOS byte", inb(CMOS_DATA), 0x42);
	out("outl %eax, $0x70", 0,
	    0x1122334417001700 | CMOS_SHUTDOWN << 16 | CMOS_SHUTDOWN);
	outb(CMOS_SHUTDOWN, CMOS_INDEX);
	expect("CMOS byte", inb(CMOS_DATA), 0x17);
	cmos_end(saved);
}

const struct test port_tests[] = {
	{ "in-al-dx", case_in8, SVM_EXIT_IOIO, 0 },
	{ "in-ax-dx", case_in16, SVM_EXIT_IOIO, 0 },
	{ "in-eax-dx", case_in32, SVM_EXIT_IOIO, 0 },
	{ "in-imm", case_in_imm, SVM_EXIT_IOIO, 0 },
	{ "out-dx-al", case_out8, SVM_EXIT_IOIO, 0 },
	{ "out-dx-ax", case_out16, SVM_EXIT_IOIO, 0 },
	{ "out-dx-eax", case_out32, SVM_EXIT_IOIO, 0 },
	{ "out-imm", case_out_imm, SVM_EXIT_IOIO, 0 },
	{ NULL, NULL, 0, 0 },
};
