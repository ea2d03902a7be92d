/* SPDX-License-Identifier: MIT */
/*
 * efi_firmware.h - a fake of EFI firmware for the tests of efi/: the boot and
 * runtime services that the stub calls, in EFI's calling convention. The state
 * of firmware is in @fw.
 *
 * A case calls fresh_firmware(), sets in @fw what firmware offers and which
 * calls it refuses, and calls functions of efi/. The services record their
 * calls in @fw. still_live() counts what the stub has allocated or opened and
 * not given back. Any boot service called after ExitBootServices() fails the
 * case.
 */
#ifndef EFI_FIRMWARE_H
#define EFI_FIRMWARE_H

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "harness.h"

#include <linux/screen_info.h>

#include "efi/efi-stub.h"
#include "setup.h"

#include "../../lib/cmdline.c"
#include "../../lib/e820.c"

/* ---- the stub's image, which efi/ is part of ---- */

/*
 * Values for the stub's image: the preferred address, and in bytes the alignment
 * and the size of the memory range in which the payload will run.
 */
#define IMAGE_PREF	0x1000000UL
#define IMAGE_ALIGN	0x200000UL
#define IMAGE_INIT_SIZE	0x400000UL
#define CMDLINE_SIZE	255
#define COMP_SIZE	1000

/*
 * In a real build, the linker script defines these parts of the stub's image.
 * @image_parts stands for code (2 pages), read-only data (1 page) and data (2
 * pages), because efi/protect.c gives the three parts different access rights.
 */
static struct image_info info_in_image;
static u8 image_payload[sizeof(struct payload_header) + COMP_SIZE];
static const u8 *image_payload_end;
static u8 image_setup_header[sizeof(struct setup_header)];
static const char *image_cmdline;
static u8 image_parts[5 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
/*
 * In the stub, lib/boot_params.c defines entry_taken. efi/entry.c sets it to
 * ENTRY_EFI*, so that the stub knows later that EFI firmware started it.
 */
u32 entry_taken;

#define image_info		info_in_image
#define payload_start		image_payload
#define payload_end		image_payload_end
#define setup_header		image_setup_header
#define builtin_cmdline		image_cmdline
#define _image		(image_parts)
#define _rodata			(image_parts + 2 * PAGE_SIZE)
#define _data			(image_parts + 3 * PAGE_SIZE)
#define _end			(image_parts + 5 * PAGE_SIZE - 8)

u64 la57_efi_memory;
/*
 * The address of the SNP blob in firmware's tables; 0: firmware has none. In the stub,
 * sev-snp.c defines this variable.
 */
u64 snp_efi_blob;

/*
 * Written by the fake sev_detect(): the stub has called it, to find out which kind of SEV
 * guest it runs in.
 */
static bool sev_was_asked;

void sev_detect(void)
{
	sev_was_asked = true;
}

static void interrupts_off(void);

/*
 * The only instruction of efi/ that a process cannot execute is cli, in inline
 * assembly. These two macros turn `asm volatile("cli")` into a call of
 * interrupts_off().
 */
#define asm
#define volatile(instruction)	interrupts_off()
#include "../../payload/payload-check.c"
#include "../../payload/filter-check.c"
#include "../../efi/services.c"
#include "../../efi/entry.c"
#include "../../efi/initrd.c"
#include "../../efi/memory.c"
#include "../../efi/protect.c"
#include "../../efi/tables.c"
#include "../../efi/tpm.c"
#undef asm
#undef volatile
/*
 * The macros image_info and setup_header rename variables of the stub. From
 * here on they would also rename the structures of the same names.
 */
#undef image_info
#undef setup_header

/* ---- firmware's state ---- */

/*
 * Limits of the fake firmware: allocations that may exist at the same time,
 * files in the volume, graphics outputs, and bytes of memory that it can
 * allocate.
 */
#define MAX_LIVE	64
#define MAX_FILES	4
#define MAX_SCREENS	4
#define ARENA_SIZE	(32UL << 20)

/* A file in the root directory of the volume that the stub was loaded from. */
struct fake_file {
	EFI_FILE file;
	/*
	 * The file's path in UTF-8, with backslashes, as the stub must pass it
	 * to Open() in UTF-16.
	 */
	const char *name;
	const char *text;
	/* The file's size in bytes that the first call of GetInfo() reports. */
	u64 size;
	/*
	 * The file's size in bytes that every later call of GetInfo() reports.
	 */
	u64 size_later;
	/*
	 * The fake Read() returns this many bytes less than the stub asked for.
	 */
	u64 short_by;
	/*
	 * Results of the fake GetInfo() and Read(). EFI_SUCCESS: the call
	 * works.
	 */
	EFI_STATUS info_status, read_status;
	/* Written by the fake GetInfo(): how often the stub called it. */
	unsigned int infos;
	bool is_open;
};

/*
 * State of the fake firmware. A field *_status is the result that a service
 * returns; EFI_SUCCESS (0) means that the service works. "Written" marks fields
 * that the services below write and cases read. fresh_firmware() sets all
 * fields to those of an ordinary machine.
 */
static struct firmware {
	EFI_SYSTEM_TABLE st;
	EFI_BOOT_SERVICES bs;
	EFI_RUNTIME_SERVICES rs;
	SIMPLE_TEXT_OUTPUT_INTERFACE out;
	EFI_LOADED_IMAGE loaded;
	EFI_CONFIGURATION_TABLE tables[3];
	/* true: firmware does not offer EFI_LOADED_IMAGE_PROTOCOL. */
	bool no_loaded_image;

	/* Written by OutputString(): all text that the stub printed, in UTF-8. */
	char console[1024];
	/*
	 * Written by InstallConfigurationTable(): how often the stub installed
	 * a random seed table.
	 */
	unsigned int installed;
	/*
	 * Written by InstallConfigurationTable(): the last random seed table
	 * and the last event log table that the stub installed. NULL: not
	 * installed.
	 */
	const struct linux_random_seed *seed_table;
	const struct linux_tpm_event_log *log;
	EFI_STATUS install_status;

	/*
	 * Written by the fake firmware: what the stub has allocated and not freed. @size is
	 * in bytes; 0: the entry is unused. @pool is true for memory from
	 * AllocatePool(), false for memory from AllocatePages().
	 */
	struct {
		u64 addr, size;
		bool pool;
	} live[MAX_LIVE];
	/*
	 * Written by the fake firmware: bytes of @arena that are allocated, and
	 * how many allocations the stub has tried.
	 */
	u64 arena_used;
	unsigned int allocations;
	/* fail_at = N: the Nth allocation fails. 0: all allocations work. */
	unsigned int fail_at;
	/*
	 * true: AllocatePages() refuses AllocateAddress, a fixed address, if
	 * the size in bytes is @taken_is. If @taken_is is 0, it refuses any
	 * size.
	 */
	bool pref_taken;
	u64 taken_is;
	/*
	 * The free memory for a payload that does not get its link address: it is allocated if
	 * it ends at or below the payload's limit. 0: that allocation fails.
	 */
	u64 any_addr;

	/*
	 * The loader's LoadFile2 protocol, which gives the initrd to the stub.
	 * The stub calls LoadFile() twice. The first call asks for the initrd's
	 * size and returns @size_status and @initrd_size. The second call reads
	 * the initrd and returns @load_status and @initrd_size_later. Sizes are
	 * in bytes.
	 */
	bool has_load_file2;
	struct efi_load_file2 load_file2;
	EFI_STATUS size_status, load_status;
	u64 initrd_size, initrd_size_later;
	/* true: the fake LoadFile() reports one byte more than it wrote. */
	bool initrd_lies;
	/*
	 * The volume that the stub was loaded from. The fake firmware sets
	 * @root_open to true while the stub has the root directory open.
	 */
	bool has_volume;
	EFI_FILE_IO_INTERFACE volume_protocol;
	EFI_FILE root;
	bool root_open;
	struct fake_file files[MAX_FILES];

	/*
	 * Values of the EFI variables SecureBoot, SetupMode,
	 * MemoryOverwriteRequestControl and MokSBState (@shim). -1: the
	 * variable does not exist. -2: GetVariable() fails with a device error.
	 */
	int secure_boot, setup_mode, mor, shim;
	u32 shim_attributes;
	/*
	 * Written by SetVariable(): the value that the stub gave to
	 * MemoryOverwriteRequestControl. -1: the stub has not set it.
	 */
	int mor_set_to;

	/*
	 * The graphics outputs, in firmware's order. @gop NULL: the handle's
	 * protocol cannot be opened. @console: ConOut writes to the output.
	 */
	struct {
		EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
		bool console;
	} screens[MAX_SCREENS];
	unsigned int screen_count;
	/*
	 * The random number protocol that LocateProtocol() returns. NULL: firmware does not
	 * have the protocol.
	 */
	EFI_RNG_PROTOCOL *rng;
	EFI_STATUS rng_status;

	/*
	 * The fake EFI_MEMORY_ATTRIBUTE_PROTOCOL. rights[0] to rights[2] are the present
	 * attributes of the three parts of the stub's image. rights[3] are those of the
	 * memory at @runtime_at, where the payload will run. @rights_given holds the
	 * attributes that each of these four ranges had at the start of the case. The stub
	 * may restore them, even if they made a range writable and executable.
	 */
	struct efi_memory_attribute attribute;
	bool has_attributes;
	u64 runtime_at;
	u64 rights[4], rights_given[4];
	/*
	 * Written by the fake firmware: how often the stub has changed memory
	 * attributes.
	 */
	unsigned int changes;
	/*
	 * change_fails = N: the Nth change of memory attributes fails. 0: all
	 * changes work.
	 */
	unsigned int change_fails;
	EFI_STATUS get_status;

	/*
	 * The protocols for measurements: EFI_TCG2_PROTOCOL of a TPM and
	 * EFI_CC_MEASUREMENT_PROTOCOL of a confidential guest.
	 */
	struct efi_measuring tpm, cc;
	bool has_tpm, has_cc;
	EFI_STATUS extend_status, map_pcr_status;
	/*
	 * Written by HashLogExtendEvent(): the measurements, in order. @data
	 * and @size give the measured memory and its size in bytes.
	 */
	struct {
		u8 bytes[128];		/* copy of the event structure that the stub passed */
		const u8 *data;
		u64 size;
	} measured[4];
	unsigned int measurements;
	/*
	 * Results of the fake GetEventLog(), indexed by log format TCG_LOG_*.
	 */
	EFI_STATUS log_status[3];
	const u8 *log_first, *log_last;

	/*
	 * The memory map that GetMemoryMap() returns, its size and the size of
	 * one descriptor in bytes.
	 */
	const void *map;
	UINTN map_size, entry_size;
	/*
	 * Size of a descriptor that later calls of GetMemoryMap() report, in
	 * bytes. 0: the same size as in the first call.
	 */
	UINTN entry_size_later;
	/* true: later calls of GetMemoryMap() report 0 as the size of a descriptor. */
	bool later_is_zero;
	UINTN key;
	/*
	 * This many calls of ExitBootServices() fail because the memory map has
	 * changed since the stub read it.
	 */
	unsigned int stale;
	EFI_STATUS exit_status;
	/*
	 * Written by the fake ExitBootServices(): how often the stub called it.
	 */
	unsigned int exits;
	/*
	 * The fake firmware sets these two; a test case only reads them. @over:
	 * ExitBootServices() has succeeded. @interrupts_are_off: the stub has
	 * executed cli.
	 */
	bool over, interrupts_are_off;
	/*
	 * true: each call of ExitBootServices() that fails because the memory
	 * map has changed (@stale) also adds a descriptor to the memory map.
	 */
	bool map_grows;

	/* KASLR */
	/*
	 * What the fake kaslr_wanted() returns, unless the command line has
	 * "nokaslr".
	 */
	bool kaslr;
	/*
	 * Address that the fake kaslr_pick() returns. 0: no free memory was
	 * found.
	 */
	u64 picked;
	/*
	 * The fakes of the stub's functions write these two; a test case only
	 * reads them. @want is the request that kaslr_pick() got. @areas lists,
	 * as text, the ranges that kaslr_area() and ident_map_range() got.
	 */
	struct kaslr_slots want;
	char areas[512];
	/* true: the fake ident_map_range() fails. */
	bool map_fails;
	/*
	 * Written by the fake kaslr_seed(). @seed: the random bytes that the stub passed to
	 * it. @seeded: the stub has called it.
	 */
	u8 seed[16];
	bool seeded;

	/*
	 * The case calls setjmp() with @entered. The fake enter_startup_64() must not
	 * return to the stub, so it stores its argument in @entered_with and jumps back
	 * into the case by longjmp().
	 */
	jmp_buf entered;
	struct boot_params *entered_with;
} fw;

/* Memory below 4 GiB from which the fake firmware allocates. */
static u8 *arena;

/* ---- memory ---- */

/*
 * Every boot service calls this first. The case fails if ExitBootServices() has
 * succeeded, because no boot service may be called after that (UEFI 2.10
 * 7.4.6).
 */
static void boot_service(const char *name)
{
	CHECK(!fw.over, "%s() after ExitBootServices()", name);
}

/*
 * Allocates @size bytes of @arena, below 4 GiB. Returns the address. Returns 0
 * if fw.fail_at says that this allocation fails, or if @arena is used up.
 */
static u64 take(u64 size, bool pool)
{
	size_t i = 0;
	u64 addr;

	if (!arena) {
		arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		CHECK(arena != MAP_FAILED, "no memory below 4 GiB");
	}
	if (++fw.allocations == fw.fail_at)
		return 0;
	if (fw.arena_used + ALIGN_UP(size, PAGE_SIZE) + PAGE_SIZE > ARENA_SIZE)
		return 0;
	addr = (u64)arena + fw.arena_used;
	fw.arena_used += ALIGN_UP(size, PAGE_SIZE) + PAGE_SIZE;
	/*
	 * Poison the memory after the allocation, so that ASan reports an
	 * access there. Fill the allocation with 0xa5, because firmware does
	 * not clear memory.
	 */
	ASAN_POISON_MEMORY_REGION((void *)addr,
				  ALIGN_UP(size, PAGE_SIZE) + PAGE_SIZE);
	ASAN_UNPOISON_MEMORY_REGION((void *)addr, size);
	memset((void *)addr, 0xa5, size);
	while (fw.live[i].size)
		CHECK(++i < MAX_LIVE, "too much is allocated");
	fw.live[i].addr = addr;
	fw.live[i].size = size;
	fw.live[i].pool = pool;
	return addr;
}

/*
 * Frees the allocation at @addr. The case fails if there is no allocation at
 * @addr, or if pages are freed with another size than they were allocated with.
 */
static EFI_STATUS take_back(u64 addr, u64 size, bool pool)
{
	size_t i;

	for (i = 0; i < MAX_LIVE; i++) {
		if (fw.live[i].addr != addr || fw.live[i].pool != pool ||
		    !fw.live[i].size)
			continue;
		CHECK(pool || fw.live[i].size == size,
		      "0x%lx bytes of 0x%lx are freed", size, fw.live[i].size);
		fw.live[i].size = 0;
		return EFI_SUCCESS;
	}
	CHECK(false, "0x%lx is freed and was not allocated", addr);
	return EFI_INVALID_PARAMETER;
}

/*
 * AllocatePages(). With AllocateMaxAddress it returns memory of @arena, which the test can use.
 * AllocateAddress takes the caller's address. For memory below the payload's limit it returns
 * fw.any_addr. The test's process has no memory at these two: the fake only records the range in
 * fw.live.
 */
static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type,
					EFI_MEMORY_TYPE memory, UINTN pages,
					EFI_PHYSICAL_ADDRESS *addr)
{
	u64 size = pages * PAGE_SIZE;
	size_t i = 0;
	u64 given;

	boot_service("AllocatePages");
	CHECK(memory == EfiLoaderData, "memory of type %u", memory);
	CHECK(pages, "no pages");
	CHECK(type == AllocateAddress || type == AllocateMaxAddress, "an address without a limit");
	if (type == AllocateMaxAddress && *addr != info_in_image.addr_max - 1) {
		CHECK(*addr <= U32_MAX, "0x%lx", *addr);
		given = take(size, false);
		if (!given)
			return EFI_OUT_OF_RESOURCES;
		*addr = given;
		return EFI_SUCCESS;
	}
	if (++fw.allocations == fw.fail_at ||
	    (type == AllocateAddress && fw.pref_taken &&
	     (!fw.taken_is || size == fw.taken_is)) ||
	    (type == AllocateMaxAddress &&
	     (!fw.any_addr || fw.any_addr + size - 1 > *addr)))
		return EFI_OUT_OF_RESOURCES;
	if (type == AllocateMaxAddress)
		*addr = fw.any_addr;
	while (fw.live[i].size)
		CHECK(++i < MAX_LIVE, "too much is allocated");
	fw.live[i].addr = *addr;
	fw.live[i].size = size;
	fw.live[i].pool = false;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN pages)
{
	boot_service("FreePages");
	return take_back(addr, pages * PAGE_SIZE, false);
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN size,
				       void **buf)
{
	u64 addr;

	boot_service("AllocatePool");
	CHECK(type == EfiLoaderData || type == EfiACPIReclaimMemory,
	      "memory of type %u", type);
	addr = take(size, true);
	*buf = (void *)addr;
	return addr ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS EFIAPI free_pool(void *buf)
{
	boot_service("FreePool");
	return take_back((u64)buf, 0, true);
}

static EFI_STATUS EFIAPI memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map,
				    UINTN *key, UINTN *entry_size,
				    UINT32 *version)
{
	UINTN room = *size;

	boot_service("GetMemoryMap");
	*size = fw.map_size;
	*entry_size = fw.entry_size;
	*version = 1;
	if (room < fw.map_size)
		return EFI_BUFFER_TOO_SMALL;
	if (fw.entry_size_later || fw.later_is_zero)
		*entry_size = fw.entry_size_later;
	memcpy(map, fw.map, fw.map_size);
	*key = fw.key;
	return EFI_SUCCESS;
}

/*
 * ExitBootServices(). The case fails if @key is not the key of the newest
 * memory map.
 */
static EFI_STATUS EFIAPI exit_services(EFI_HANDLE image, UINTN key)
{
	boot_service("ExitBootServices");
	CHECK(image == (EFI_HANDLE)&fw, "another image");
	fw.exits++;
	if (fw.exit_status)
		return fw.exit_status;
	if (fw.stale) {
		fw.stale--;
		fw.key++;
		if (fw.map_grows)
			fw.map_size += fw.entry_size;
		return EFI_INVALID_PARAMETER;
	}
	CHECK(key == fw.key, "key %lu is not the newest", key);
	fw.over = true;
	return EFI_SUCCESS;
}

/*
 * The macros asm and volatile turn the stub's cli instruction into a call of
 * interrupts_off(). The test case fails if the stub executes cli before ExitBootServices() has
 * succeeded.
 */
static void interrupts_off(void)
{
	CHECK(fw.over, "cli before ExitBootServices()");
	fw.interrupts_are_off = true;
}

/*
 * In the stub, enter_startup_64() is the part of head_64.S that continues the
 * boot after efi/. This fake jumps back into the case by longjmp(), and the
 * case checks @bp.
 */
noreturn void enter_startup_64(struct boot_params *bp)
{
	if (!fw.over || !fw.interrupts_are_off)
		harness_fail("enter_startup_64()", 0, "state",
			     "boot services %u, interrupts %u", !fw.over,
			     !fw.interrupts_are_off);
	fw.entered_with = bp;
	longjmp(fw.entered, 1);
}

/* ---- fakes of functions of ident_map_64.c ---- */

int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	size_t len = strlen(fw.areas);

	CHECK(prot == MAP_WRITE, "%#x", prot);
	snprintf(fw.areas + len, sizeof(fw.areas) - len, "mapped %lx-%lx ",
		 start, end);
	return fw.map_fails ? -ENOMEM : 0;
}

/* ---- fakes of functions of kaslr.c ---- */

bool kaslr_wanted(const struct cmdline *cmdline)
{
	return fw.kaslr && !cmdline_find_option_bool(cmdline, "nokaslr");
}

void kaslr_seed(const void *data, size_t len)
{
	CHECK(len == sizeof(fw.seed), "%zu bytes", len);
	memcpy(fw.seed, data, len);
	fw.seeded = true;
}

void kaslr_area(enum kaslr_area kind, u64 start, u64 end)
{
	size_t len = strlen(fw.areas);

	snprintf(fw.areas + len, sizeof(fw.areas) - len, "%s%lx-%lx ",
		 kind == KASLR_RAM ? "" : kind == KASLR_TAKEN ? "taken " :
		 kind == KASLR_FIRMWARE_FREE ? "free " : "? ", start, end);
}

bool kaslr_pick(const struct kaslr_slots *want, u64 *addr)
{
	fw.want = *want;
	if (fw.picked)
		*addr = fw.picked;
	return fw.picked;
}

/* ---- console, protocols ---- */

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *self,
				       CHAR16 *s)
{
	size_t n = strlen(fw.console);

	boot_service("OutputString");
	CHECK(self == &fw.out, "another console");
	n += utf16_to_utf8((u8 *)fw.console + n, sizeof(fw.console) - n, s, ~0UL);
	CHECK(n < sizeof(fw.console), "the console is full");
	fw.console[n] = '\0';
	return EFI_SUCCESS;
}

static bool same(const void *a, const void *b)
{
	return !memcmp(a, b, sizeof(EFI_GUID));
}

/*
 * LocateHandleBuffer(): returns the handles of all graphics outputs. The handle
 * of output i is the address of fw.screens[i].
 */
static EFI_STATUS EFIAPI locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE how,
					      EFI_GUID *guid, void *key,
					      UINTN *count, EFI_HANDLE **handles)
{
	unsigned int i;

	boot_service("LocateHandleBuffer");
	CHECK(how == ByProtocol && same(guid, &gop_guid) && !key,
	      "another search");
	if (!fw.screen_count)
		return EFI_NOT_FOUND;
	*handles = (void *)take(fw.screen_count * sizeof(**handles), true);
	if (!*handles)
		return EFI_OUT_OF_RESOURCES;
	for (i = 0; i < fw.screen_count; i++)
		(*handles)[i] = &fw.screens[i];
	*count = fw.screen_count;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid,
					 void **protocol)
{
	unsigned int i;

	boot_service("HandleProtocol");
	for (i = 0; i < fw.screen_count; i++) {
		if (handle != (EFI_HANDLE)&fw.screens[i])
			continue;
		if (same(guid, &gop_guid) && fw.screens[i].gop)
			*protocol = fw.screens[i].gop;
		else if (same(guid, &console_out_guid) && fw.screens[i].console)
			*protocol = NULL;
		else
			return EFI_UNSUPPORTED;
		return EFI_SUCCESS;
	}
	if (handle == (EFI_HANDLE)&fw && same(guid, &loaded_image_guid) &&
	    !fw.no_loaded_image)
		*protocol = &fw.loaded;
	else if (handle == (EFI_HANDLE)&fw.root &&
		 same(guid, &file_system_guid) && fw.has_volume)
		*protocol = &fw.volume_protocol;
	else if (handle == (EFI_HANDLE)&fw.load_file2 &&
		 same(guid, &load_file2_guid))
		*protocol = &fw.load_file2;
	else
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration,
					 void **protocol)
{
	boot_service("LocateProtocol");
	CHECK(!registration, "%p", registration);
	*protocol = same(guid, &rng_guid) ? (void *)fw.rng :
		    same(guid, &tcg2_guid) && fw.has_tpm ? &fw.tpm :
		    same(guid, &cc_guid) && fw.has_cc ? &fw.cc :
		    same(guid, &attribute_guid) && fw.has_attributes ?
		    (void *)&fw.attribute : NULL;
	return *protocol ? EFI_SUCCESS : EFI_NOT_FOUND;
}

/*
 * The device path under which loaders offer an initrd to Linux, as bytes: a
 * vendor media node with LINUX_EFI_INITRD_MEDIA_GUID and the end node.
 */
static const u8 initrd_path[] = {
	4, 3, 20, 0, 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
	0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68, 0x7f, 0xff, 4, 0,
};
#define INITRD_PATH_END	20

static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid,
					    EFI_DEVICE_PATH **path,
					    EFI_HANDLE *handle)
{
	boot_service("LocateDevicePath");
	CHECK(same(guid, &load_file2_guid), "another protocol");
	CHECK(!memcmp(*path, initrd_path, sizeof(initrd_path)), "another path");
	if (!fw.has_load_file2)
		return EFI_NOT_FOUND;
	*path = (EFI_DEVICE_PATH *)((u8 *)*path + INITRD_PATH_END);
	*handle = &fw.load_file2;
	return EFI_SUCCESS;
}

/* Byte @i of the initrd. */
static u8 initrd_byte(u64 i)
{
	return (u8)(i * 11 + 3);
}

static EFI_STATUS EFIAPI load_file(struct efi_load_file2 *self,
				   EFI_DEVICE_PATH *path, BOOLEAN policy,
				   UINTN *size, void *buf)
{
	u64 i;

	boot_service("LoadFile");
	CHECK(self == &fw.load_file2 && !policy, "self, policy %u", policy);
	CHECK(!memcmp(path, initrd_path + INITRD_PATH_END, 4), "path");
	if (!buf) {
		CHECK(!*size, "%lu bytes without a buffer", *size);
		*size = fw.initrd_size;
		return fw.size_status;
	}
	if (fw.load_status)
		return fw.load_status;
	if (fw.initrd_size_later > *size) {
		*size = fw.initrd_size_later;
		return EFI_BUFFER_TOO_SMALL;
	}
	*size = fw.initrd_size_later;
	for (i = 0; i < *size; i++)
		((u8 *)buf)[i] = initrd_byte(i);
	*size += fw.initrd_lies;
	return EFI_SUCCESS;
}

static maybe_unused EFI_STATUS EFIAPI get_rng(EFI_RNG_PROTOCOL *self,
					      EFI_GUID *algorithm, UINTN size,
					      UINT8 *bits)
{
	CHECK(self == fw.rng && !algorithm, "self, algorithm");
	if (fw.rng_status)
		return fw.rng_status;
	memset(bits, 0x5e, size);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI install_table(EFI_GUID *guid, void *table)
{
	const struct linux_random_seed *seed = table;

	boot_service("InstallConfigurationTable");
	if (fw.install_status)
		return fw.install_status;
	if (same(guid, &event_log_guid)) {
		CHECK(!fw.log, "a second log");
		fw.log = table;
		return EFI_SUCCESS;
	}
	CHECK(same(guid, &rng_table_guid), "another table");
	CHECK(seed->size >= 32 && seed->bits[31] == 0x5e, "%u bytes",
	      seed->size);
	fw.seed_table = seed;
	fw.installed++;
	return EFI_SUCCESS;
}

/* ---- memory attributes ---- */

/*
 * Returns a pointer to the attributes of the @size bytes at @start. The case
 * fails unless this range is one of the image's three parts or the payload's
 * memory.
 */
static u64 *rights_of(u64 start, u64 size)
{
	static const u64 ends[] = { 0, 2, 3, 5 };
	size_t i;

	for (i = 0; i < 3; i++) {
		if (start == (u64)image_parts + ends[i] * PAGE_SIZE &&
		    size == (ends[i + 1] - ends[i]) * PAGE_SIZE)
			return &fw.rights[i];
	}
	CHECK(start == fw.runtime_at && size == IMAGE_INIT_SIZE,
	      "0x%lx bytes at 0x%lx", size, start);
	return &fw.rights[3];
}

static EFI_STATUS EFIAPI get_attributes(struct efi_memory_attribute *self,
					EFI_PHYSICAL_ADDRESS start, UINT64 size,
					UINT64 *attributes)
{
	boot_service("GetMemoryAttributes");
	CHECK(self == &fw.attribute, "self");
	*attributes = *rights_of(start, size) | 0x2000;
	return fw.get_status;
}

/*
 * Sets and clears attributes of a range. The case fails if the range becomes
 * writable and executable, even for a moment, unless firmware had given it both
 * rights from the start.
 */
static EFI_STATUS change_rights(u64 start, u64 size, u64 set, u64 clear)
{
	u64 *rights = rights_of(start, size);
	bool was_good = *rights & (EFI_MEMORY_RO | EFI_MEMORY_XP);

	CHECK(set || clear, "nothing to change");
	CHECK(!((set | clear) & ~(u64)(EFI_MEMORY_RO | EFI_MEMORY_XP)),
	      "0x%lx, 0x%lx", set, clear);
	if (++fw.changes == fw.change_fails)
		return EFI_ACCESS_DENIED;
	*rights = (*rights | set) & ~clear;
	CHECK(!was_good || *rights & (EFI_MEMORY_RO | EFI_MEMORY_XP) ||
	      *rights == fw.rights_given[rights - fw.rights],
	      "0x%lx is writable and executable", start);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_attributes(struct efi_memory_attribute *self,
					EFI_PHYSICAL_ADDRESS start, UINT64 size,
					UINT64 attributes)
{
	boot_service("SetMemoryAttributes");
	CHECK(self == &fw.attribute, "self");
	return change_rights(start, size, attributes, 0);
}

static EFI_STATUS EFIAPI clear_attributes(struct efi_memory_attribute *self,
					  EFI_PHYSICAL_ADDRESS start,
					  UINT64 size, UINT64 attributes)
{
	boot_service("ClearMemoryAttributes");
	CHECK(self == &fw.attribute, "self");
	return change_rights(start, size, 0, attributes);
}

/* ---- measuring ---- */

static EFI_STATUS EFIAPI hash_log_extend(struct efi_measuring *self,
					 UINT64 flags,
					 EFI_PHYSICAL_ADDRESS data,
					 UINT64 size, void *event)
{
	const struct efi_tagged_event *e = event;

	boot_service("HashLogExtendEvent");
	CHECK(self == (fw.has_tpm ? &fw.tpm : &fw.cc) && !flags,
	      "self, flags 0x%lx", flags);
	CHECK(fw.measurements < ARRAY_SIZE(fw.measured), "too many");
	CHECK(e->size <= sizeof(fw.measured[0].bytes), "%u bytes", e->size);
	if (fw.extend_status)
		return fw.extend_status;
	memcpy(fw.measured[fw.measurements].bytes, event, e->size);
	fw.measured[fw.measurements].data = (const u8 *)data;
	fw.measured[fw.measurements++].size = size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI map_pcr(struct efi_measuring *self, UINT32 pcr,
				 UINT32 *index)
{
	CHECK(self == &fw.cc && pcr == 9, "register %u", pcr);
	*index = 3;
	return fw.map_pcr_status;
}

static EFI_STATUS EFIAPI get_event_log(struct efi_measuring *self,
				       UINT32 format,
				       EFI_PHYSICAL_ADDRESS *first,
				       EFI_PHYSICAL_ADDRESS *last,
				       BOOLEAN *truncated)
{
	boot_service("GetEventLog");
	CHECK(self == (fw.has_tpm ? &fw.tpm : &fw.cc), "self");
	CHECK(format == TCG_LOG_1_2 || format == TCG_LOG_2, "format %u",
	      format);
	*truncated = FALSE;
	if (fw.log_status[format])
		return fw.log_status[format];
	*first = (u64)fw.log_first;
	*last = (u64)fw.log_last;
	return EFI_SUCCESS;
}

/* ---- files ---- */

static EFI_STATUS EFIAPI file_open(EFI_FILE *self, EFI_FILE **file,
				   CHAR16 *name, UINT64 mode, UINT64 attributes)
{
	char text[3 * INITRD_PATH_SIZE];
	size_t i;

	boot_service("Open");
	for (i = 0; name[i]; i++)
		CHECK(i < INITRD_PATH_SIZE - 1, "too many characters");
	text[utf16_to_utf8((u8 *)text, sizeof(text), name, i)] = '\0';
	CHECK(self == &fw.root && fw.root_open, "not the root directory");
	CHECK(mode == EFI_FILE_MODE_READ && !attributes, "0x%lx, 0x%lx", mode,
	      attributes);
	for (i = 0; i < MAX_FILES; i++) {
		if (!fw.files[i].name || strcmp(fw.files[i].name, text))
			continue;
		CHECK(!fw.files[i].is_open, "%s is opened twice", text);
		fw.files[i].is_open = true;
		*file = &fw.files[i].file;
		return EFI_SUCCESS;
	}
	return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI file_close(EFI_FILE *self)
{
	bool *is_open = self == &fw.root ? &fw.root_open :
			&((struct fake_file *)self)->is_open;

	CHECK(*is_open, "a file is closed twice");
	*is_open = false;
	return EFI_SUCCESS;
}

/* Returns the number of UTF-16 units of the UTF-8 text @text. */
static size_t units_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((u8)*text & 0xc0) == 0x80 ? 0 : (u8)*text < 0xf0 ? 1 : 2;
	return n;
}

static EFI_STATUS EFIAPI file_info(EFI_FILE *self, EFI_GUID *guid, UINTN *size,
				   void *buf)
{
	struct fake_file *f = (struct fake_file *)self;
	EFI_FILE_INFO *info = buf;

	CHECK(f->is_open && same(guid, &file_info_guid),
	      "not open, or other information");
	/*
	 * GetInfo() writes the structure and, after it, the file's name in
	 * UTF-16. The stub's buffer must have room for both.
	 */
	CHECK(*size >= offsetof(EFI_FILE_INFO, FileName) +
		       2 * (units_of(f->name) + 1),
	      "%lu bytes", *size);
	if (f->info_status)
		return f->info_status;
	info->FileSize = f->infos++ ? f->size_later : f->size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_read(EFI_FILE *self, UINTN *size, void *buf)
{
	struct fake_file *f = (struct fake_file *)self;

	CHECK(f->is_open, "not open");
	if (f->read_status)
		return f->read_status;
	*size -= f->short_by;
	memcpy(buf, f->text, *size);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *self,
				     EFI_FILE **root)
{
	CHECK(self == &fw.volume_protocol && !fw.root_open, "opened twice");
	fw.root_open = true;
	*root = &fw.root;
	return EFI_SUCCESS;
}

/*
 * Adds a file to the volume. @text is the file's contents. A case may change
 * the returned file's sizes and results afterwards.
 */
static maybe_unused struct fake_file *new_file(const char *name,
					       const char *text)
{
	struct fake_file *f = fw.files;

	while (f->name)
		f++;
	*f = (struct fake_file){
		.file = { .Close = file_close, .Read = file_read,
			  .GetInfo = file_info },
		.name = name, .text = text,
		.size = strlen(text), .size_later = strlen(text),
	};
	return f;
}

/* ---- variables ---- */

/* Whether a UTF-16 name is @ascii. */
static bool is_name(const CHAR16 *name, const char *ascii)
{
	for (; *ascii && *name == *ascii; ascii++)
		name++;
	return *name == *ascii;
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *guid,
				      UINT32 *attributes, UINTN *size, void *buf)
{
	int value;

	CHECK(*size == 1, "%lu bytes", *size);
	if (is_name(name, "SecureBoot") && same(guid, &global_guid)) {
		value = fw.secure_boot;
	} else if (is_name(name, "SetupMode") && same(guid, &global_guid)) {
		value = fw.setup_mode;
	} else if (is_name(name, "MokSBState") && same(guid, &shim_guid)) {
		value = fw.shim;
		*attributes = fw.shim_attributes;
	} else {
		CHECK(is_name(name, "MemoryOverwriteRequestControl") &&
		      same(guid, &mor_guid), "another variable");
		value = fw.mor;
	}
	if (value < 0)
		return value == -1 ? EFI_NOT_FOUND : EFI_DEVICE_ERROR;
	*(u8 *)buf = (u8)value;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *guid,
				      UINT32 attributes, UINTN size, void *buf)
{
	CHECK(is_name(name, "MemoryOverwriteRequestControl") &&
	      same(guid, &mor_guid) && attributes == 7 && size == 1,
	      "another variable, or in another way");
	fw.mor_set_to = *(u8 *)buf;
	return EFI_SUCCESS;
}

/* ---- an ordinary machine, and fakes of functions that efi/ calls ---- */

/*
 * A fake of XXH64: a 64-bit FNV hash is enough here, because the same function
 * computes the digest that the stub compares.
 */
u64 xxh64(const void *data, size_t len)
{
	const u8 *p = data;
	u64 x = 0xcbf29ce484222325 ^ len;
	size_t i;

	for (i = 0; i < len; i++)
		x = (x ^ p[i]) * 0x100000001b3;
	return x;
}

/*
 * A fake of the function in lib/boot_params.c. It clears the sentinel, so that
 * a case sees that the stub called it. test_misc.c tests the real function.
 */
void sanitize_boot_params(struct boot_params *bp)
{
	bp->sentinel = 0;
}

struct cmdline find_cmdline(const struct boot_params *bp)
{
	const char *text = (const char *)(u64)bp->hdr.cmd_line_ptr;

	return (struct cmdline){ text ? text : "", text ? strlen(text) : 0 };
}

/*
 * The payload header in the stub's image. A case that changes the header calls
 * seal_payload() afterwards.
 */
static struct payload_header *header_in_image(void)
{
	return (struct payload_header *)image_payload;
}

/*
 * Computes the two digests in the payload header again, so that they match the
 * present bytes of the header and of the payload.
 */
static void seal_payload(void)
{
	struct payload_header *p = header_in_image();

	p->comp_digest = xxh64(p + 1, p->comp_size);
	p->header_digest = xxh64(p, offsetof(struct payload_header,
					     header_digest));
}

/* An ordinary memory map. The fifth value is a size in pages of 4 KiB. */
static const EFI_MEMORY_DESCRIPTOR plain_map[] = {
	{ EfiConventionalMemory, 0, 0, 0, 0x9f, 0xf },
	{ EfiReservedMemoryType, 0, 0x9f000, 0, 1, 0xf },
	{ EfiConventionalMemory, 0, 0x100000, 0, 0x8000, 0xf },
};

static const char rsdp[] = "RSD PTR ";

/*
 * Resets the fake firmware and the stub's image to those of an ordinary boot,
 * without any optional protocol. Each case calls this first.
 */
static maybe_unused void fresh_firmware(void)
{
	static const EFI_GUID acpi = ACPI_20_TABLE_GUID;
	size_t i;

	if (arena)
		ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
	memset(&fw, 0, sizeof(fw));
	memset(&efi, 0, sizeof(efi));
	efi_runtime_start = 0;
	la57_efi_memory = 0;
	fw.out.OutputString = output_string;
	fw.bs.AllocatePages = allocate_pages;
	fw.bs.FreePages = free_pages;
	fw.bs.AllocatePool = allocate_pool;
	fw.bs.FreePool = free_pool;
	fw.bs.GetMemoryMap = memory_map;
	fw.bs.ExitBootServices = exit_services;
	fw.bs.HandleProtocol = handle_protocol;
	fw.bs.LocateHandleBuffer = locate_handle_buffer;
	fw.bs.LocateProtocol = locate_protocol;
	fw.bs.LocateDevicePath = locate_device_path;
	fw.bs.InstallConfigurationTable = install_table;
	fw.rs.GetVariable = get_variable;
	fw.rs.SetVariable = set_variable;
	fw.load_file2.load_file = load_file;
	fw.tpm.hash_log_extend = fw.cc.hash_log_extend = hash_log_extend;
	fw.tpm.get_event_log = fw.cc.get_event_log = get_event_log;
	fw.cc.map_pcr = map_pcr;
	fw.attribute.get = get_attributes;
	fw.attribute.set = set_attributes;
	fw.attribute.clear = clear_attributes;
	fw.runtime_at = IMAGE_PREF;
	fw.volume_protocol.OpenVolume = open_volume;
	fw.root.Open = file_open;
	fw.root.Close = file_close;
	fw.loaded.DeviceHandle = &fw.root;
	fw.st.Hdr.Revision = 2 << 16 | 70;
	fw.st.FirmwareVendor = u"Made up, so that there is something";
	fw.st.ConOut = &fw.out;
	fw.st.BootServices = &fw.bs;
	fw.st.RuntimeServices = &fw.rs;
	fw.tables[1].VendorGuid = acpi;
	fw.tables[1].VendorTable = (void *)(u64)rsdp;
	fw.st.ConfigurationTable = fw.tables;
	fw.st.NumberOfTableEntries = 2;
	fw.secure_boot = fw.setup_mode = fw.mor = fw.shim = -1;
	fw.mor_set_to = -1;
	fw.size_status = EFI_BUFFER_TOO_SMALL;
	fw.any_addr = 0x3000000;
	fw.map = plain_map;
	fw.map_size = sizeof(plain_map);
	fw.entry_size = sizeof(plain_map[0]);
	fw.key = 77;
	efi.image = &fw;
	efi.st = &fw.st;
	efi.bs = &fw.bs;
	efi.loaded = &fw.loaded;

	info_in_image = (struct image_info){
		.pref_address = IMAGE_PREF, .align = IMAGE_ALIGN,
		.init_size = IMAGE_INIT_SIZE, .relocatable = 1,
		.addr_max = PAYLOAD_ADDR_MAX, .cmdline_size = CMDLINE_SIZE,
	};
	image_cmdline = "built in";
	image_payload_end = image_payload + sizeof(image_payload);
	for (i = 0; i < sizeof(image_payload); i++)
		image_payload[i] = (u8)(i * 7);
	*header_in_image() = (struct payload_header){
		.magic = PAYLOAD_MAGIC, .version = PAYLOAD_VERSION,
		.flags = PAYLOAD_RELOCATABLE,
		.link_addr = IMAGE_PREF, .align = IMAGE_ALIGN,
		.file_size = 0x1000, .mem_size = 0x1000,
		.comp_size = COMP_SIZE,
	};
	seal_payload();
	memset(image_setup_header, 0x33, sizeof(image_setup_header));
}

/* Number of allocations and open files that the stub has not given back. */
static maybe_unused unsigned int still_live(void)
{
	unsigned int n = fw.root_open;
	size_t i;

	for (i = 0; i < MAX_LIVE; i++)
		n += !!fw.live[i].size;
	for (i = 0; i < MAX_FILES; i++)
		n += fw.files[i].is_open;
	return n;
}

#endif
