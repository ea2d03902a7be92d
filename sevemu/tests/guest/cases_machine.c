/* SPDX-License-Identifier: MIT */
/*
 * cases_machine.c - the machine that sevemu makes for the guest: each way to learn the
 * size of RAM, accesses to memory that belongs to sevemu itself, and each way in which
 * a guest can stop its run (debug-exit port, reset, HLT).
 */
#include <asm/bootparam.h>

#include "guest.h"

#define FW_CFG_SELECT		0x510
#define FW_CFG_DATA		0x511
#define FW_CFG_DMA		0x514
/* The first half of "QEMU CFG", the signature of fw_cfg's DMA interface. */
#define FW_CFG_DMA_QEMU		0x554d4551
#define FW_CFG_ID		0x0001
#define FW_CFG_RAM_SIZE		0x0003
#define FW_CFG_FILE_DIR		0x0019
#define FW_CFG_NAME_OFFSET	8
#define FW_CFG_ENTRY_SIZE	64
#define CMOS_INDEX		0x70
#define CMOS_DATA		0x71
/*
 * CMOS bytes 0x34 (low) and 0x35 (high): the amount of RAM above 16 MiB, in units of 64
 * KiB.
 */
#define CMOS_RAM_LOW		0x34
#define CMOS_RAM_HIGH		0x35
#define E820_TYPE_RAM		1
#define RESET_PORT		0xcf9
#define RESET_FULL		6
#define UART_SCRATCH		0x3ff
#define LAPIC			0xfee00000ULL
#define LAPIC_VERSION		0x30
#define ROM_PAGE		0xfffff000ULL
/*
 * Commands to the flash chip, and the bit of its status byte that says that the chip is
 * ready.
 */
#define FLASH_PROGRAM		0x10
#define FLASH_READ_ARRAY	0xff
#define FLASH_READY		0x80
/*
 * Offsets in the flash memory of the bytes that the case flash uses: its counter of runs
 * (sevemu/tests/suite.sh, do_flash), and a byte for other writes.
 */
#define FLASH_COUNTER		0x2000
#define FLASH_SCRATCH		0x3008
/*
 * Addresses at which firmware.S asks for the launch secret and for the table of kernel
 * hashes.
 */
#define LAUNCH_SECRET		0x3c000ULL
#define KERNEL_HASHES		0x3c400ULL
#define KEYBOARD_PORT		0x64
#define KEYBOARD_RESET		0xfe

/*
 * An entry of the fw_cfg file etc/e820: a memory range in bytes and its E820 type, all
 * little-endian.
 */
struct map_entry {
	u64 address, length;
	u32 type;
} __attribute__((packed));


static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static u8 in8(u16 port)
{
	struct regs r = { .rdx = port };

	insn_inb(&r);
	return r.rax;
}

static void out8(u16 port, u8 value)
{
	struct regs r = { .rax = value, .rdx = port };

	insn_outb(&r);
}

static void fw_cfg_select(u16 key)
{
	struct regs r = { .rax = key, .rdx = FW_CFG_SELECT };

	insn_outw(&r);
}

static void fw_cfg_bytes(void *buf, u64 count)
{
	struct regs r = { .rcx = count, .rdx = FW_CFG_DATA, .rdi = (u64)buf };

	insn_rep_insb(&r);
}

/*
 * In 64-bit code, REP OUTSB with 32-bit addresses must clear the upper halves of RCX
 * and RSI.
 */
CASE(string32, "string-io-address32", 0)
{
	static u8 bytes[2] = { 0x12, 0x34 };
	const u64 high = 1ULL << 32;
	struct regs r = { .rcx = high | 2, .rdx = UART_SCRATCH,
			  .rsi = high | (u64)bytes };

	/*
	 * In an SEV-ES guest the test guest's #VC handler would have to emulate this
	 * instruction, but it handles 64-bit addresses only.
	 */
	if (machine.es)
		return;
	insn_rep_outsb32(&r);
	expect("RCX", r.rcx, 0);
	expect("RSI", r.rsi, (u64)bytes + 2);
	expect("last byte written", in8(UART_SCRATCH), 0x34);
}

/*
 * Returns the selector key of the fw_cfg file @name and sets @size to its size in
 * bytes. Returns 0 if the file does not exist.
 */
static u16 fw_cfg_find(const char *name, u32 *size)
{
	u8 entry[FW_CFG_ENTRY_SIZE];
	u32 count, i;

	fw_cfg_select(FW_CFG_FILE_DIR);
	fw_cfg_bytes(entry, 4);
	count = be32(entry);
	for (i = 0; i < count; i++) {
		const char *p = name;
		const u8 *q = entry + FW_CFG_NAME_OFFSET;

		fw_cfg_bytes(entry, sizeof(entry));
		while (*p && *p == *q)
			p++, q++;
		if (*p != *q)
			continue;
		*size = be32(entry);
		return entry[4] << 8 | entry[5];
	}
	return 0;
}

/*
 * Returns the address after the last byte of RAM below 4 GiB, from the E820 map in the
 * zero page.
 */
static u64 ram_end(void)
{
	const struct boot_params *bp = machine.bp;
	u64 end = 0, e;
	unsigned int i;

	for (i = 0; i < bp->e820_entries; i++) {
		e = bp->e820_table[i].addr + bp->e820_table[i].size;
		if (bp->e820_table[i].type == E820_TYPE_RAM && e > end &&
		    e <= 1ULL << 32)
			end = e;
	}
	return end;
}

CASE(e820, "e820-zero-page", 0)
{
	u64 end = ram_end();

	if (!end)
		fail("no RAM in the memory map");
	if (machine.bp->e820_entries > E820_MAX_ENTRIES_ZEROPAGE)
		fail("too many entries");
	expect("state of the last page",
	       hook(HOOK_FRAME_STATE, end - PAGE_SIZE), HOOK_FRAME_PRIVATE);
	expect("state of the page after", hook(HOOK_FRAME_STATE, end),
	       HOOK_FRAME_NONE);
}

CASE(e820_fw_cfg, "e820-fw-cfg", 0)
{
	struct map_entry entry;
	u32 size = 0, n;
	u64 end = 0;
	u16 key = fw_cfg_find("etc/e820", &size);

	expect_not("key of etc/e820", key, 0);
	fw_cfg_select(key);
	for (n = 0; n < size / sizeof(entry); n++) {
		fw_cfg_bytes(&entry, sizeof(entry));
		if (entry.type == E820_TYPE_RAM &&
		    entry.address + entry.length > end)
			end = entry.address + entry.length;
	}
	expect("end of RAM", end, ram_end());
}

CASE(ram_size, "ram-size-fw-cfg", 0)
{
	u64 size = 0;

	fw_cfg_select(FW_CFG_RAM_SIZE);
	fw_cfg_bytes(&size, sizeof(size));
	expect("RAM size", size, ram_end());
}

CASE(cmos, "ram-size-cmos", 0)
{
	struct regs r = { .rdx = CMOS_INDEX };
	u64 units = (ram_end() - 0x1000000) >> 16, low, high;

	out8(CMOS_INDEX, CMOS_RAM_LOW);
	low = in8(CMOS_DATA);
	out8(CMOS_INDEX, CMOS_RAM_HIGH);
	high = in8(CMOS_DATA);
	expect("CMOS's RAM size", high << 8 | low, units);
	/*
	 * IN of 16 bits from port CMOS_INDEX reads the index port and, into bits 15:8,
	 * the data port. The index port still selects the byte CMOS_RAM_HIGH, which counts
	 * RAM in units of 16 MiB. sevemu must leave its own 32 MiB out of the answer, as it
	 * did when the case read the byte `high` from the data port alone. If sevemu left
	 * nothing out, the byte would be high + 2.
	 */
	insn_inw(&r);
	expect_not("the same in one access", r.rax >> 8 & 0xff, high + 2);
}

/*
 * fw_cfg's DMA accesses memory without the nested page tables, so a guest could reach
 * memory of sevemu with it. sevemu must hide fw_cfg's DMA feature bit and the DMA
 * signature.
 */
CASE(no_dma, "fw-cfg-dma-hidden", 0)
{
	struct regs r = { .rdx = FW_CFG_DMA };
	u8 id = 0;

	fw_cfg_select(FW_CFG_ID);
	fw_cfg_bytes(&id, 1);
	expect("fw_cfg's features", id & 3, 1);
	insn_inl(&r);
	expect_not("DMA's signature", r.rax, FW_CFG_DMA_QEMU);
}

CASE(ends_dma, "ends-fw-cfg-dma", CASE_ENDS)
{
	struct regs r = { .rdx = FW_CFG_DMA + 4 };

	insn_outl(&r);
	fail("the run goes on");
}

/* ---- Memory of sevemu, which begins at the end of the guest's RAM ---- */

/*
 * Loads from @addr, or stores to it if @write. sevemu must terminate the guest at this
 * access. If the access raises #VC instead, the handler skips the instruction, and the
 * case fails.
 */
static void touch(u64 addr, bool write)
{
	struct regs r = { .rbx = addr };

	vc.skip = true;
	if (write)
		insn_mmio_write(&r);
	else
		insn_mmio_read(&r);
	note("read", r.rax);
	fail("the run goes on");
}

CASE(ends_hv_private, "ends-hypervisor-read-private", CASE_ENDS)
{
	touch(ram_end() + PAGE_SIZE, false);
}

CASE(ends_hv_shared, "ends-hypervisor-read-shared", CASE_ENDS)
{
	touch(ram_end() + PAGE_SIZE + SHARED_VIEW, false);
}

CASE(ends_hv_write, "ends-hypervisor-write-private", CASE_ENDS)
{
	touch(ram_end() + PAGE_SIZE, true);
}

CASE(ends_hv_write_shared, "ends-hypervisor-write-shared", CASE_ENDS)
{
	touch(ram_end() + PAGE_SIZE + SHARED_VIEW, true);
}

CASE(ends_hv_fetch, "ends-hypervisor-fetch", CASE_ENDS)
{
	((void (*)(void))ram_end())();
	fail("the run goes on");
}

CASE(ends_hv_ghcb, "ends-hypervisor-ghcb", CASE_ES | CASE_ENDS)
{
	vmgexit_at(ram_end());
	fail("the run goes on");
}

/*
 * sevemu must refuse MMIO requests for addresses in its own memory, which begins where
 * the guest's RAM ends.
 */
CASE(hv_mmio, "hypervisor-mmio", CASE_ES)
{
	static const u64 codes[] = { SVM_VMGEXIT_MMIO_READ,
				     SVM_VMGEXIT_MMIO_WRITE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		ghcb_begin(codes[i], ram_end() + PAGE_SIZE, 8);
		ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
		hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
		expect("result", ghcb_go(), RESULT_MALFORMED);
		expect("reason", ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_INVALID);
		expect("violation", hook(HOOK_VIOLATION, 0), VIOL_INVALID_INPUT);
		/*
		 * This range crosses the border: 4 bytes of the guest's memory and 4
		 * bytes of sevemu's.
		 */
		ghcb_begin(codes[i], ram_end() - 4, 8);
		ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
		hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
		expect("result", ghcb_go(), RESULT_MALFORMED);
		expect("violation", hook(HOOK_VIOLATION, 0), VIOL_INVALID_INPUT);
	}
}

/*
 * A request for an MMIO read must return the bytes of the firmware ROM. A request for an
 * MMIO write must succeed, but must not change the ROM.
 */
CASE(rom_write, "rom-write", CASE_ES)
{
	u64 before;

	/* The machine has a ROM only if sevemu was started with --mode ovmf. */
	if (hook(HOOK_FRAME_STATE, ROM_PAGE) == HOOK_FRAME_NONE)
		return;
	ghcb_begin(SVM_VMGEXIT_MMIO_READ, ROM_PAGE, 8);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	expect("result of a read", ghcb_go(), RESULT_DONE);
	before = *(u64 *)ghcb_buffer();
	ghcb_begin(SVM_VMGEXIT_MMIO_WRITE, ROM_PAGE, 8);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	*(u64 *)ghcb_buffer() = ~before;
	expect("result of a write", ghcb_go(), RESULT_DONE);
	ghcb_begin(SVM_VMGEXIT_MMIO_READ, ROM_PAGE, 8);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	expect("result of a read", ghcb_go(), RESULT_DONE);
	expect("what is there", *(u64 *)ghcb_buffer(), before);
	note("ROM", before);
}

/*
 * Writes @value to the flash memory at @address: in an SEV-ES guest by a request for an
 * MMIO write, in other guests by a store.
 */
static void flash_write(u64 address, u8 value)
{
	if (!machine.es) {
		*(volatile u8 *)address = value;
		return;
	}
	ghcb_begin(SVM_VMGEXIT_MMIO_WRITE, address, 1);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	*ghcb_buffer() = value;
	expect("result of a write", ghcb_go(), RESULT_DONE);
}

/*
 * Reads the flash memory at @address by a load. If @raises is set and the guest is an
 * SEV-ES guest, the load must raise #VC. Otherwise the load must not raise #VC.
 */
static u8 flash_read(u64 address, bool raises)
{
	struct regs r = { .rbx = address };
	u64 before = vc.count;

	insn_mmio_read8(&r);
	expect("#VC of a load", vc.count - before, raises && machine.es);
	return r.rax;
}

/*
 * Sets the byte of the flash memory at @address to @value, and makes the flash memory
 * readable like RAM again.
 */
static void flash_program(u64 address, u8 value)
{
	flash_write(address, FLASH_PROGRAM);
	flash_write(address, value);
	expect("status", flash_read(address, true) & FLASH_READY, FLASH_READY);
	flash_write(address, FLASH_READ_ARRAY);
}

/* Maps the page at @address with C=1 or C=0. */
static void flash_view(u64 address, bool private)
{
	*pte_of(address) = (*pte_of(address) & ~machine.cmask) | (private ? machine.cmask : 0);
	flush_tlb();
}

/*
 * The flash memory of --vars ends where the ROM begins. sevemu keeps its bytes from run
 * to run, so the case counts its runs in one of them. The bytes are not encrypted, so a
 * load with C=1 returns them decrypted, which is garbage. After the command FLASH_PROGRAM
 * the flash chip returns its status until the command FLASH_READ_ARRAY. In this time the host
 * emulates the loads of an SEV-ES guest, so a load returns the status even with C=1.
 */
CASE(flash, "flash", CASE_NOT_SNP)
{
	u64 scratch, first, second, start = ROM_PAGE;
	u8 runs;

	if (hook(HOOK_FRAME_STATE, ROM_PAGE) == HOOK_FRAME_NONE)
		return;
	while (hook(HOOK_FRAME_STATE, start - PAGE_SIZE) != HOOK_FRAME_NONE)
		start -= PAGE_SIZE;
	start -= 4 * PAGE_SIZE;
	scratch = start + FLASH_SCRATCH;
	flash_view(start + FLASH_COUNTER, false);
	flash_view(scratch, false);
	runs = flash_read(start + FLASH_COUNTER, false) + 1;
	flash_program(start + FLASH_COUNTER, runs);
	expect("runs", flash_read(start + FLASH_COUNTER, false), runs);
	note("runs", runs);

	flash_program(scratch, 0x5a);
	expect("byte with C=0", flash_read(scratch, false), 0x5a);
	flash_view(scratch, true);
	first = flash_read(scratch, false);
	flash_view(scratch, false);
	flash_program(scratch, 0xff);
	flash_view(scratch, true);
	second = flash_read(scratch, false);
	if (machine.sev != SEV_OFF) {
		expect_not("byte with C=1", first, 0x5a);
		expect_not("byte with C=1", second, 0xff);
	}
	/*
	 * A load with C=1 returns the byte XORed with a byte of the key stream, which
	 * depends on the address only. Both loads have the same address, so the XOR of
	 * their results is the XOR of the bytes 0x5a and 0xff.
	 */
	if (machine.es)
		expect("ciphertext", first ^ second, 0x5a ^ 0xff);
	flash_view(scratch, false);

	/*
	 * A store to the flash memory is a command to the chip, here "read array". The
	 * host must emulate it, so it raises #VC in an SEV-ES guest.
	 */
	if (machine.es) {
		struct regs r = { .rbx = scratch, .rax = FLASH_READ_ARRAY };
		u64 before = vc.count;

		insn_mmio_write(&r);
		expect("#VC of a store", vc.count - before, 1);
	}

	/*
	 * The write that follows the command FLASH_PROGRAM is data. The chip must take
	 * FLASH_READ_ARRAY for the byte to program here, and not for a command.
	 */
	flash_write(scratch, FLASH_PROGRAM);
	flash_write(scratch, FLASH_READ_ARRAY);
	expect("status", flash_read(scratch, true) & FLASH_READY, FLASH_READY);
	if (machine.es) {
		flash_view(scratch, true);
		expect("status with C=1", flash_read(scratch, true) & FLASH_READY, FLASH_READY);
		flash_view(scratch, false);
	}
	flash_write(scratch, FLASH_READ_ARRAY);
	expect("byte with C=0", flash_read(scratch, false), FLASH_READ_ARRAY);
}

CASE(ends_flash_private, "ends-flash-private-write", CASE_SEV | CASE_ENDS)
{
	u64 start = ROM_PAGE;

	while (hook(HOOK_FRAME_STATE, start - PAGE_SIZE) != HOOK_FRAME_NONE)
		start -= PAGE_SIZE;
	flash_view(start - PAGE_SIZE, true);
	*(volatile u8 *)(start - PAGE_SIZE) = FLASH_READ_ARRAY;
	fail("the run goes on");
}

/*
 * The launch puts the file of --secret and the table of kernel hashes into private memory at
 * the addresses that firmware.S names.  The first eight bytes of the table are those of its
 * GUID, and the length after the GUID is that of three hashes.
 */
CASE(launch_areas, "ends-launch-areas", CASE_SEV | CASE_ENDS)
{
	const volatile u64 *secret = (u64 *)LAUNCH_SECRET, *hashes = (u64 *)KERNEL_HASHES;

	expect("secret", *secret, 0x3132333435363738);
	expect("byte after the secret", secret[1], 0);
	expect("table of hashes", hashes[0], 0x4cc94f229438d606);
	expect("its length", hashes[2] & 0xffff, 18 + 3 * 50);
	expect_not("secret, as the host sees it", hook(HOOK_FRAME_READ, LAUNCH_SECRET),
		   0x3132333435363738);
}

CASE(ends_rom_ghcb, "ends-ghcb-in-rom", CASE_ES | CASE_ENDS)
{
	vmgexit_at(ROM_PAGE);
	fail("the run goes on");
}

/*
 * The page-table entry of the local APIC's page has the C-bit set, which is wrong for a
 * device. A load from the page must raise #VC nevertheless, as it does with the C-bit
 * clear.
 */
CASE(device_private, "device-mapped-private", CASE_ES | CASE_NOT_SNP)
{
	u64 *pte = pte_of(LAPIC), old = *pte;
	struct regs r = { .rbx = LAPIC + LAPIC_VERSION };

	*pte |= machine.cmask;
	flush_tlb();
	insn_mmio_read(&r);
	expect("#VC count", vc.count, 1);
	expect("error code", vc.error_code, SVM_EXIT_NPF);
	expect("LAPIC version", r.rax & 0xf0, 0x10);
	*pte = old;
	flush_tlb();
}

/* ---- Ways to stop the run ---- */

CASE(ends_pass, "ends-pass", CASE_ENDS)
{
	con_str("done\n");
	end_run(DEBUG_EXIT_PASS);
}

CASE(ends_fail, "ends-fail", CASE_ENDS)
{
	end_run(DEBUG_EXIT_FAIL);
}

CASE(ends_other_value, "ends-debug-exit", CASE_ENDS)
{
	end_run(0x42);
}

CASE(ends_reset, "ends-reset", CASE_ENDS)
{
	out8(RESET_PORT, RESET_FULL);
	fail("the run goes on");
}

CASE(ends_keyboard, "ends-keyboard-reset", CASE_ENDS)
{
	out8(KEYBOARD_PORT, KEYBOARD_RESET);
	fail("the run goes on");
}

CASE(ends_hang, "ends-hang", CASE_ENDS)
{
	for (;;)
		asm volatile("pause");
}

CASE(says_and_hangs, "says-and-hangs", CASE_ENDS)
{
	con_str("ok so far\n");
	con_flush();
	for (;;)
		asm volatile("pause");
}

CASE(ends_halt, "ends-halt", CASE_ENDS)
{
	asm volatile("cli; hlt");
	fail("HLT with interrupts off went on");
}
