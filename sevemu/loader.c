/* SPDX-License-Identifier: MIT */
/*
 * loader.c - the guest's memory map, and the three ways to start a guest: firmware at
 * its reset vector, or a bzImage at the 64-bit or the 32-bit entry of the Linux boot
 * protocol (Documentation/arch/x86/boot.rst).
 *
 * Runs once, before the guest starts.  The guest finds the loaded image in
 * private memory, as if it had been measured and encrypted at launch.
 */
#include <asm/bootparam.h>

#include "acpi.h"
#include "flash.h"
#include "fwcfg.h"
#include "ghcb.h"
#include "guest_memory.h"
#include "launch.h"
#include "layout.h"
#include "loader.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "snp_launch.h"
#include "watch.h"

#define E820_MAX		32
/* The screen of --vga: a PC's VGA card in text mode. */
#define VIDEO_TYPE_VGA		1
#define VGA_COLUMNS		80
#define VGA_LINES		25
#define EBDA_START		0x9fc00
/* ACPI tables are placed from here on, above the addresses of video ROMs. */
#define ACPI_START		0xd0000
#define FIRMWARE_MAX		0x1000000

/*
 * Guest-physical addresses of the GDT, the stack, the zero page and so on that
 * the loader makes for a guest without firmware.
 */
#define GUEST_GDT		0x8000
#define GUEST_STACK		0x9000
#define GUEST_ZERO_PAGE		0x10000
/* The guest's page tables take 6 pages: one PML4, one PDPT and four PDs. */
#define GUEST_TABLES		0x11000
#define GUEST_CMDLINE		0x20000
#define CMDLINE_MAX		0x8000
#define GUEST_RNG_SEED		0x38000
#define JUMP_TABLE		(PARK_CODE + PAGE_SIZE)
#define RNG_SEED_WORDS		4
#define SETUP_RNG_SEED		9

/* The selectors that boot.rst calls __BOOT_CS and __BOOT_DS. */
#define BOOT_CS			0x10
#define BOOT_DS			0x18
#define BOOT_ATTRIB_CODE32	0xc9b
#define BOOT_ATTRIB_CODE64	0xa9b
#define BOOT_ATTRIB_DATA	0xc93
#define BOOT_GDT_CODE32		0x00cf9b000000ffff
#define BOOT_GDT_CODE64		0x00af9b000000ffff
#define BOOT_GDT_DATA		0x00cf93000000ffff
#define ATTRIB_TSS		0x08b
#define ATTRIB_LDT		0x082
#define ATTRIB_REAL_CODE	0x09b
#define ATTRIB_REAL_DATA	0x093
#define RESET_CS		0xf000
#define RESET_CS_BASE		0xffff0000
#define RESET_IP		0xfff0
/*
 * EDX after reset: CPUID signature of QEMU's processor model EPYC (APM2
 * 14.1.3).
 */
#define RESET_EDX		0x00800f12
#define PAT_DEFAULT		0x0007040600070406
#define DIRECT_ASID		1

/* "HdrS", the signature in a bzImage's setup header. */
#define SETUP_MAGIC		0x53726448
#define PROTOCOL_64BIT		0x020c
#define ENTRY_64BIT		0x200
#define LOADER_UNDEFINED	0xff

struct e820_entry machine_e820[E820_MAX];
unsigned int machine_e820_count;
static u64 high_ram;		/* bytes of RAM above 4 GiB; 0: all RAM is below */

/*
 * The guest's RAM is the machine's RAM at the same addresses, except for the
 * memory from hv_base on, which the hypervisor keeps.  Two ranges are stored in
 * hypervisor memory instead.  They are the BIOS area, where the machine has the
 * hypervisor's ROM, and the first page, because host address 0 would look like
 * a null pointer.
 */
void loader_memory(void)
{
	u32 size = 0, i;
	u16 key = fwcfg_find("etc/e820", &size);

	if (!key || size > sizeof(machine_e820))
		end_run(END_ERROR, "QEMU's memory map (fw_cfg etc/e820) has %u bytes, allowed "
			"are 1 to %zu", size, sizeof(machine_e820));
	fwcfg_read(key, machine_e820, size);
	machine_e820_count = size / sizeof(machine_e820[0]);

	for (i = 0; i < machine_e820_count; i++) {
		struct e820_entry *e = &machine_e820[i];

		if (e->type != E820_RAM)
			continue;
		if (e->address < FOUR_GIB && e->address + e->length > hv_base)
			e->length = hv_base - e->address;
		if (e->address >= FOUR_GIB) {
			npt_add_ram(e->address, e->length, (u8 *)e->address);
			high_ram = e->length;
		}
	}
	npt_add_ram(0, PAGE_SIZE, npt_alloc(1));
	npt_add_ram(PAGE_SIZE, VGA_START - PAGE_SIZE, (u8 *)PAGE_SIZE);
	npt_add_ram(BIOS_START, BIOS_END - BIOS_START,
		    npt_alloc((BIOS_END - BIOS_START) / PAGE_SIZE));
	npt_add_ram(BIOS_END, hv_base - BIOS_END, (u8 *)BIOS_END);
}

/*
 * Returns the host address of the guest's RAM from @gpa to @gpa + @len, for the
 * loader to write to.  Ends the run unless the whole range is RAM of the guest
 * below 4 GiB.
 */
static u8 *guest_ram(u64 gpa, u64 len)
{
	if (!len || gpa + len < gpa || !npt_frame(gpa, VIEW_PRIVATE) ||
	    gpa + len > hv_base || (gpa < VGA_START && gpa + len > VGA_START))
		end_run(END_ERROR, "guest image %#lx-%#lx does not fit into the guest's RAM, "
			"which ends at %#lx: more RAM (-- -m SIZE), or --load",
			gpa, gpa + len, hv_base);
	return (u8 *)gpa;
}

static void set_segment(struct segment *s, u16 selector, u16 attrib, u32 limit, u64 base)
{
	s->selector = selector;
	s->attrib = attrib;
	s->limit = limit;
	s->base = base;
}

static void set_data_segments(struct vmcb *v, u16 selector, u16 attrib, u32 limit)
{
	set_segment(&v->ds, selector, attrib, limit, 0);
	set_segment(&v->es, selector, attrib, limit, 0);
	set_segment(&v->ss, selector, attrib, limit, 0);
	set_segment(&v->fs, selector, attrib, limit, 0);
	set_segment(&v->gs, selector, attrib, limit, 0);
}

/*
 * Sets the registers that have their reset values (APM2 14.1.3) in all boot
 * modes.  start_firmware() or start_kernel() sets the rest.
 */
static void cpu_reset(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;

	v->asid = DIRECT_ASID;
	v->nested_ctl = NESTED_CTL_NP;
	v->g_pat = PAT_DEFAULT;
	v->efer = EFER_SVME;
	v->cr0 = CR0_CD | CR0_NW | CR0_ET;
	/* KVM and QEMU put these values into the VMSA that is measured. */
	if (guest_is_snp()) {
		v->cr0 = CR0_ET;
		v->cr4 = CR4_MCE;
	}
	v->dr6 = DR6_INIT;
	v->dr7 = vcpu->dr7 = DR7_INIT;
	v->rflags = RFLAGS_FIXED;
	set_segment(&v->gdtr, 0, 0, 0xffff, 0);
	set_segment(&v->idtr, 0, 0, 0xffff, 0);
	set_segment(&v->ldtr, 0, ATTRIB_LDT, 0xffff, 0);
	set_segment(&v->tr, 0, ATTRIB_TSS, 0xffff, 0);
	vcpu->ghcb_msr = GHCB_MSR_SEV_INFO_RESP | (u64)config.cbit << 24 |
			 (u64)ghcb_lowest_version() << 32 | (u64)config.ghcb_max << 48;
	vcpu->ghcb_registered = GHCB_NONE;
	vcpu->create_pending = vcpu->vmsa_on_init = GHCB_NONE;
	vcpu->vmpl = config.vmpl;
}

void loader_real_mode(struct vcpu *vcpu, u16 selector, u32 base, u16 ip)
{
	struct vmcb *v = vcpu->vmcb;

	cpu_reset(vcpu);
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	v->cr3 = v->cr4 = v->rsp = v->cpl = v->int_state = v->event_inj = 0;
	if (guest_is_snp())
		v->cr4 = CR4_MCE;
	set_data_segments(v, 0, ATTRIB_REAL_DATA, 0xffff);
	set_segment(&v->cs, selector, ATTRIB_REAL_CODE, 0xffff, base);
	v->rip = ip;
	vcpu->gpr[RDX] = RESET_EDX;
}

/*
 * Sets the registers with which all virtual CPUs but the first start in the firmware
 * @image.  The image names the address at which they start in a guest with SEV-ES, because
 * the host cannot set RIP of such a guest by a SIPI.
 */
static void start_aps(const u8 *image, u32 size)
{
	u32 length = 0, address = 0;
	const u8 *data = firmware_data(image, size, reset_block_guid, &length);
	unsigned int i;

	if (data && length >= sizeof(address))
		memcpy(&address, data, sizeof(address));
	for (i = 1; i < config.smp; i++) {
		loader_real_mode(&vcpus[i], RESET_CS, address & 0xffff0000, address);
		vcpus[i].has_launch = address;
	}
}

/*
 * Loads the firmware image so that it ends at 4 GiB, as a ROM, and sets CS and
 * RIP to the reset vector, 16 bytes below 4 GiB.
 */
static void start_firmware(struct vcpu *vcpu)
{
	u32 size = 0;
	u16 key = fwcfg_find("opt/sevemu/firmware", &size);
	u8 *image;

	if (!key || !size || size % PAGE_SIZE ||
	    size + config.vars > FIRMWARE_MAX)
		end_run(END_ERROR, "--firmware has %u bytes and --vars has %lu, allowed are "
			"multiples of 4096 up to %u together", size, config.vars,
			FIRMWARE_MAX);
	image = npt_alloc(ALIGN_UP(size, LARGE_SIZE) / PAGE_SIZE);
	fwcfg_read(key, image, size);
	npt_add_rom(FOUR_GIB - size, size, image);
	flash_init(FOUR_GIB - size);
	launch_add(FOUR_GIB - size, size, LAUNCH_NORMAL);
	if (guest_is_snp())
		snp_launch_firmware(vcpu, image, size);
	else if (config.sev != SEV_OFF)
		sev_launch_firmware(image, size);

	loader_real_mode(vcpu, RESET_CS, RESET_CS_BASE, RESET_IP);
	start_aps(image, size);
}

/*
 * Makes page tables that map the first 4 GiB at their own addresses with the
 * C-bit set.  boot.rst "64-bit Boot Protocol" demands an identity map of the
 * kernel, zero page and command line.
 */
static void make_page_tables(void)
{
	u64 *table = (u64 *)guest_ram(GUEST_TABLES, 6 * PAGE_SIZE);
	u64 flags = PTE_P | PTE_W | cbit_mask(), i;

	memset(table, 0, 6 * PAGE_SIZE);
	table[0] = (GUEST_TABLES + PAGE_SIZE) | flags;
	for (i = 0; i < 4; i++)
		table[512 + i] = (GUEST_TABLES + (2 + i) * PAGE_SIZE) | flags;
	for (i = 0; i < 4 * 512; i++)
		table[1024 + i] = i * LARGE_SIZE | flags | PTE_PS;
}

static void add_e820(struct boot_params *bp, u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *e = &bp->e820_table[bp->e820_entries++];

	e->addr = start;
	e->size = end - start;
	e->type = type;
}

/*
 * Returns whether the APs of this guest, which runs without firmware, start in the code of
 * park.S.  Only the APs of an SEV-ES guest need this code, because a SIPI cannot name an
 * address to them.  An SNP guest starts its APs by AP creation, and a guest without SEV-ES by a
 * SIPI.
 */
static bool parks(void)
{
	return config.sev == SEV_ES && config.smp > 1;
}

/*
 * Makes the page with the code of park.S and the empty AP jump table, and sets the registers
 * with which the APs start in this code.  Their stack is in the rest of the code's page.
 */
static void make_park(void)
{
	extern const u8 park_code[], park_vectors[], park_end[];
	u8 *page = guest_ram(PARK_CODE, 2 * PAGE_SIZE);
	unsigned int i;

	memset(page, 0, 2 * PAGE_SIZE);
	memcpy(page, park_code, park_end - park_code);
	launch_add(PARK_CODE, 2 * PAGE_SIZE, LAUNCH_NORMAL);
	jump_table = JUMP_TABLE;
	for (i = 1; i < config.smp; i++) {
		struct vmcb *v = vcpus[i].vmcb;

		loader_real_mode(&vcpus[i], PARK_CODE >> 4, PARK_CODE, 0);
		set_segment(&v->ss, PARK_CODE >> 4, ATTRIB_REAL_DATA, 0xffff, PARK_CODE);
		v->rsp = PAGE_SIZE;
		set_segment(&v->idtr, 0, 0, PARK_VECTORS * 4 - 1,
			    PARK_CODE + (park_vectors - park_code));
		vcpus[i].has_launch = true;
	}
}

/*
 * Fills in the memory map in the kernel's zero page.  The hypervisor's memory
 * is marked reserved and not left out, because the kernel may place devices in
 * a gap of the map.  The BIOS area is marked ACPI if it holds ACPI tables,
 * because Linux maps ACPI memory private and reserved memory shared.
 */
static void make_e820(struct boot_params *bp)
{
	unsigned int i;

	if (guest_is_snp()) {
		/*
		 * Mark the secrets page reserved, because Linux maps it by ioremap_encrypted(),
		 * which refuses to map RAM.  The page of the confidential-computing blob and
		 * its setup_data node stays RAM, because Linux 6.1 maps setup_data in
		 * reserved memory with C=0.
		 */
		add_e820(bp, 0, SNP_RESERVED, E820_RAM);
		add_e820(bp, SNP_RESERVED, SNP_RESERVED_END, E820_RESERVED);
		add_e820(bp, SNP_RESERVED_END, EBDA_START, E820_RAM);
	} else if (parks()) {
		/*
		 * Mark the AP jump table reserved, because Linux maps it by
		 * ioremap_encrypted(), which refuses to map RAM.
		 */
		add_e820(bp, 0, PARK_CODE, E820_RAM);
		add_e820(bp, PARK_CODE, JUMP_TABLE + PAGE_SIZE, E820_RESERVED);
		add_e820(bp, JUMP_TABLE + PAGE_SIZE, EBDA_START, E820_RAM);
	} else {
		add_e820(bp, 0, EBDA_START, E820_RAM);
	}
	add_e820(bp, EBDA_START, VGA_START, E820_RESERVED);
	add_e820(bp, BIOS_START, BIOS_END, bp->acpi_rsdp_addr ? E820_ACPI : E820_RESERVED);
	add_e820(bp, BIOS_END, hv_base, E820_RAM);
	add_e820(bp, hv_base, hv_base + HV_SIZE, E820_RESERVED);
	for (i = 0; i < machine_e820_count; i++)
		if (machine_e820[i].type != E820_RAM)
			add_e820(bp, machine_e820[i].address, machine_e820[i].address +
				 machine_e820[i].length, machine_e820[i].type);
	if (high_ram)
		add_e820(bp, FOUR_GIB, FOUR_GIB + high_ram, E820_RAM);
}

/*
 * Loads the initrd at the highest address that the kernel allows.  Does nothing
 * if the user has not given an initrd.
 */
static void load_initrd(struct setup_header *hdr)
{
	u32 size = fwcfg_read32(FW_CFG_INITRD_SIZE);
	u64 end = (u64)hdr->initrd_addr_max + 1, start;

	if (!size)
		return;
	if (end > hv_base)
		end = hv_base;
	start = ALIGN_DOWN(end - size, PAGE_SIZE);
	fwcfg_read(FW_CFG_INITRD_DATA, guest_ram(start, size), size);
	hdr->ramdisk_image = start;
	hdr->ramdisk_size = size;
	launch_add(start, size, LAUNCH_NORMAL);
}

struct boot_params *loader_zero_page(void)
{
	return (struct boot_params *)npt_frame(GUEST_ZERO_PAGE, VIEW_PRIVATE);
}

/*
 * Passes a random-number seed to the kernel in the setup_data list (boot.rst
 * "setup_data").  Only for runs with an attacking host: watch.c then checks
 * that the seed never appears in memory that the host can read.
 */
static void add_rng_seed(struct setup_header *hdr)
{
	struct setup_data *node = (void *)guest_ram(GUEST_RNG_SEED, PAGE_SIZE);
	u64 *words = (u64 *)(node + 1), i;

	node->next = 0;
	node->type = SETUP_RNG_SEED;
	node->len = RNG_SEED_WORDS * sizeof(*words);
	for (i = 0; i < RNG_SEED_WORDS; i++)
		words[i] = 0x5eedca4a12f7b963 * (i * 2 + 1);
	hdr->setup_data = GUEST_RNG_SEED;
	launch_add(GUEST_RNG_SEED, PAGE_SIZE, LAUNCH_NORMAL);
	watch_secret((u64)words, (u64)(words + RNG_SEED_WORDS));
}

/*
 * Tells watch.c which memory the guest may write before the payload starts.
 * This is the image of @size bytes at @load, init_size bytes at the address
 * where the image runs (boot.rst "init_size"), the zero page and the page
 * tables.
 */
static void own_ranges(const struct setup_header *hdr, u64 load, u32 size)
{
	u64 run = hdr->pref_address;

	/*
	 * Without --watch the guest is no stub.  Name no range to watch.c, which then allows
	 * writes to all private memory.
	 */
	if (!watch.payload)
		return;
	if (hdr->relocatable_kernel && ALIGN_UP(load, hdr->kernel_alignment) > run)
		run = ALIGN_UP(load, hdr->kernel_alignment);
	watch_own(load, load + size);
	watch_own(run, run + hdr->init_size);
	watch_own(GUEST_ZERO_PAGE, GUEST_ZERO_PAGE + PAGE_SIZE);
	/*
	 * Tell watch.c that stores to the page tables are allowed, because the
	 * processor sets accessed bits there.
	 */
	watch_own(GUEST_TABLES, GUEST_TABLES + 6 * PAGE_SIZE);
}

/*
 * Loads the kernel image, command line and initrd, and makes the zero page.
 * Returns the image's load address, which is also the address of its 32-bit
 * entry.
 */
static u64 load_kernel(struct vcpu *vcpu)
{
	struct boot_params *bp = (void *)guest_ram(GUEST_ZERO_PAGE, sizeof(*bp));
	struct setup_header *hdr = &bp->hdr;
	u32 setup_size = fwcfg_read32(FW_CFG_SETUP_SIZE);
	u32 size = fwcfg_read32(FW_CFG_KERNEL_SIZE);
	u32 cmdline = fwcfg_read32(FW_CFG_CMDLINE_SIZE);
	static u8 setup[0x8000];
	u32 header_end;
	u64 load;

	if (!size || setup_size < ENTRY_64BIT + 0x70 || setup_size > sizeof(setup))
		end_run(END_ERROR, "--kernel has %u bytes, %u of them setup: it must be a "
			"bzImage, with setup of %u to %zu bytes", setup_size + size,
			setup_size, ENTRY_64BIT + 0x70, sizeof(setup));
	fwcfg_read(FW_CFG_SETUP_DATA, setup, setup_size);

	/*
	 * Copy the image's setup header to the zero page.  The header ends
	 * where the short jump at offset 0x200 leads, and the rest of the zero
	 * page must be 0 (boot.rst "64-bit Boot Protocol").
	 */
	memset(bp, 0, sizeof(*bp));
	header_end = 0x202 + setup[0x201];
	if (header_end > 0x1f1 + sizeof(*hdr))
		header_end = 0x1f1 + sizeof(*hdr);
	memcpy(hdr, setup + 0x1f1, header_end - 0x1f1);
	if (hdr->header != SETUP_MAGIC || hdr->version < PROTOCOL_64BIT)
		end_run(END_ERROR, "--kernel has header %#x and boot protocol %#x: it must be "
			"a bzImage, header %#x, of protocol %#x or later", hdr->header,
			(unsigned int)hdr->version, SETUP_MAGIC, PROTOCOL_64BIT);
	if (config.mode == MODE_DIRECT64 && !(hdr->xloadflags & XLF_KERNEL_64))
		end_run(END_ERROR, "--kernel has no 64-bit entry (xloadflags %#x): use --mode "
			"direct32", (unsigned int)hdr->xloadflags);

	load = config.load ? config.load :
	       hdr->relocatable_kernel ? hdr->pref_address : hdr->code32_start;
	guest_ram(load, hdr->init_size > size ? hdr->init_size : size);
	fwcfg_read(FW_CFG_KERNEL_DATA, (u8 *)load, size);

	if (cmdline > CMDLINE_MAX)
		end_run(END_ERROR, "--append has %u bytes, allowed are %u", cmdline,
			CMDLINE_MAX);
	if (cmdline)
		fwcfg_read(FW_CFG_CMDLINE_DATA, guest_ram(GUEST_CMDLINE, cmdline), cmdline);
	hdr->cmd_line_ptr = GUEST_CMDLINE;
	hdr->type_of_loader = LOADER_UNDEFINED;
	hdr->code32_start = load;
	hdr->setup_data = 0;
	if (config.hostile) {
		add_rng_seed(hdr);
		own_ranges(hdr, load, size);
	}
	launch_add(load, size, LAUNCH_NORMAL);
	if (hdr->init_size > ALIGN_UP(size, PAGE_SIZE))
		launch_add(ALIGN_UP(load + size, PAGE_SIZE),
			   load + hdr->init_size - ALIGN_UP(load + size, PAGE_SIZE), LAUNCH_ZERO);
	load_initrd(hdr);
	if (guest_is_snp())
		hdr->setup_data = snp_launch_kernel(vcpu, hdr->setup_data);
	/*
	 * Under --attack and --hostile the guest gets no ACPI tables, because
	 * each run ends before the guest would use them.
	 */
	if (!config.hostile)
		bp->acpi_rsdp_addr = acpi_load(ACPI_START, BIOS_END);
	if (config.vga) {
		bp->screen_info.orig_video_isVGA = VIDEO_TYPE_VGA;
		bp->screen_info.orig_video_cols = VGA_COLUMNS;
		bp->screen_info.orig_video_lines = VGA_LINES;
	}
	make_e820(bp);
	if (parks())
		make_park();
	launch_add(GUEST_ZERO_PAGE, PAGE_SIZE, LAUNCH_NORMAL);
	launch_add(GUEST_CMDLINE, cmdline, LAUNCH_NORMAL);
	return load;
}

/*
 * Loads the kernel and sets the registers that boot.rst demands at its entry.
 */
static void start_kernel(struct vcpu *vcpu)
{
	bool long64 = config.mode == MODE_DIRECT64;
	struct vmcb *v = vcpu->vmcb;
	u64 *gdt = (u64 *)guest_ram(GUEST_GDT, PAGE_SIZE);
	u64 entry = load_kernel(vcpu);

	launch_add(GUEST_GDT, PAGE_SIZE, LAUNCH_NORMAL);
	gdt[BOOT_CS / 8] = long64 ? BOOT_GDT_CODE64 : BOOT_GDT_CODE32;
	gdt[BOOT_DS / 8] = BOOT_GDT_DATA;
	set_segment(&v->gdtr, 0, 0, BOOT_DS + 7, GUEST_GDT);
	set_segment(&v->idtr, 0, 0, 0, 0);
	set_segment(&v->cs, BOOT_CS, long64 ? BOOT_ATTRIB_CODE64 : BOOT_ATTRIB_CODE32,
		    ~0u, 0);
	set_data_segments(v, BOOT_DS, BOOT_ATTRIB_DATA, ~0u);
	v->cr0 = CR0_PE | CR0_ET | CR0_NE;
	if (long64) {
		make_page_tables();
		launch_add(GUEST_TABLES, 6 * PAGE_SIZE, LAUNCH_NORMAL);
		v->cr0 |= CR0_PG | CR0_WP;
		v->cr4 |= CR4_PAE;
		v->cr3 = GUEST_TABLES | cbit_mask();
		v->efer |= EFER_LME | EFER_LMA | EFER_NXE;
		entry += ENTRY_64BIT;
	}
	v->rip = entry;
	v->rsp = GUEST_STACK;
	vcpu->gpr[RSI] = GUEST_ZERO_PAGE;
}

void loader_start(struct vcpu *vcpu)
{
	unsigned int i;

	for (i = 1; i < config.smp; i++) {
		vcpus[i].state = VCPU_OFF;
		cpu_reset(&vcpus[i]);
	}
	cpu_reset(vcpu);
	if (config.mode == MODE_OVMF)
		start_firmware(vcpu);
	else
		start_kernel(vcpu);
	launch_finish(vcpu);
	if (config.has_marker) {
		vcpu->marker_armed = true;
		write_dr0(config.marker);
		write_dr7(DR7_INIT | DR7_G0);
		vcpu->vmcb->dr7 |= DR7_G0;
	}
}
