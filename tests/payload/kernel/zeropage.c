/* SPDX-License-Identifier: MIT */
/*
 * zeropage.c - checks the zero page and the command line that the test kernel has got
 * from the stub, and keeps a list of all memory that the stub passes to the kernel.
 */
#include "kernel.h"

#define HDRS_MAGIC		0x53726448
#define BOOT_FLAG		0xaa55
#define BOOT_PROTOCOL		0x020f
#define MAX_SETUP_SECTS		64	/* 32 KiB of real-mode code */
#define MAX_MIN_ALIGNMENT	30
#define MAX_CMDLINE		0xffff
/*
 * The first address that is not canonical with four-level paging. RSI points to the zero
 * page at the kernel's entry, so it must be below this address.
 */
#define ADDRESS_END		_AC(0x0000800000000000, UL)

static const struct boot_params *bp;
static struct handed handed_over[MAX_HANDED];
static u32 num_handed;

const struct boot_params *zero_page(void)
{
	return bp;
}

const struct handed *handed(u32 i)
{
	return i < num_handed ? &handed_over[i] : NULL;
}

void handed_add(const char *what, u64 start, u64 size)
{
	if (num_handed == MAX_HANDED || !size)
		return;
	handed_over[num_handed++] =
		(struct handed){ what, { start, start + size } };
}

static u64 cmdline_address(void)
{
	return (u64)bp->ext_cmd_line_ptr << 32 | bp->hdr.cmd_line_ptr;
}

/*
 * Returns the command line's length without its NUL. Returns MAX_CMDLINE + 1 if the
 * first MAX_CMDLINE + 1 bytes have no NUL.
 */
static u32 cmdline_length(void)
{
	const char *text = (const char *)cmdline_address();
	u32 len = 0;

	while (len <= MAX_CMDLINE && text[len])
		len++;
	return len;
}

static const char *usable_cmdline(void)
{
	if (!cmdline_address() || cmdline_length() > MAX_CMDLINE)
		return NULL;
	return (const char *)cmdline_address();
}

const char *zero_page_find(const struct entry_state *state)
{
	if (!state->zero_page || state->zero_page >= ADDRESS_END) {
		fail("zero page: RSI is %lx", state->zero_page);
		finish();
	}
	bp = (const struct boot_params *)state->zero_page;
	handed_add("zero page", state->zero_page, sizeof(*bp));

	return usable_cmdline() ? usable_cmdline() : "";
}

static void check_setup_header(void)
{
	const struct setup_header *hdr = &bp->hdr;
	u64 self_size = self_range().end - self_range().start;
	u32 align = hdr->kernel_alignment;
	bool bad_align = align < PAGE_SIZE || (align & (align - 1));

	fact("zero page: at %lx, loader %x, loadflags %x, xloadflags %x",
	     (u64)bp, hdr->type_of_loader, hdr->loadflags, hdr->xloadflags);
	fact("zero page: pref_address %lx, alignment %x, init_size %x",
	     (u64)hdr->pref_address, align, hdr->init_size);
	if (hdr->header != HDRS_MAGIC || hdr->boot_flag != BOOT_FLAG)
		fail("zero page: magic %x, boot flag %x", hdr->header,
		     hdr->boot_flag);
	if (hdr->version != BOOT_PROTOCOL)
		fail("zero page: version %x", hdr->version);
	if (!hdr->setup_sects || hdr->setup_sects > MAX_SETUP_SECTS)
		fail("zero page: setup_sects %u", hdr->setup_sects);
	if (!hdr->type_of_loader)
		fail("zero page: type_of_loader is 0");
	if (bad_align)
		fail("zero page: kernel_alignment %x", align);
	if (hdr->min_alignment < PAGE_SHIFT ||
	    hdr->min_alignment > MAX_MIN_ALIGNMENT)
		fail("zero page: min_alignment %u", hdr->min_alignment);
	if (!bad_align && hdr->pref_address % align)
		fail("zero page: pref_address %lx is not aligned to %x",
		     (u64)hdr->pref_address, align);
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		fail("zero page: xloadflags %x lacks KERNEL_64",
		     hdr->xloadflags);
	if (hdr->init_size < self_size)
		fail("zero page: init_size %x is less than %lx",
		     hdr->init_size, self_size);
	if ((u64)hdr->payload_offset + hdr->payload_length >
	    (u64)hdr->syssize * 16)
		fail("zero page: payload %x+%x is not within syssize",
		     hdr->payload_offset, hdr->payload_length);
}

static void check_zeros(const char *what, const u8 *p, size_t len)
{
	for (; len; len--, p++) {
		if (!*p)
			continue;
		fail("zero page: %s at %lx is not zero", what,
		     (u64)p - (u64)bp);
		return;
	}
}

static void check_reserved(void)
{
	check_zeros("_pad2", bp->_pad2, sizeof(bp->_pad2));
	check_zeros("_pad3", bp->_pad3, sizeof(bp->_pad3));
	check_zeros("_pad4", bp->_pad4, sizeof(bp->_pad4));
	check_zeros("_pad5", bp->_pad5, sizeof(bp->_pad5));
	check_zeros("sentinel", &bp->sentinel, sizeof(bp->sentinel));
	check_zeros("_pad6", bp->_pad6, sizeof(bp->_pad6));
	check_zeros("_pad7", bp->_pad7, sizeof(bp->_pad7));
	check_zeros("_pad8", bp->_pad8, sizeof(bp->_pad8));
	check_zeros("_pad9", bp->_pad9, sizeof(bp->_pad9));
	/* In an SNP guest sev_check() checks the blob to which cc_blob_address points. */
	if (!is_snp())
		check_zeros("cc_blob_address", (const u8 *)&bp->cc_blob_address,
			    sizeof(bp->cc_blob_address));
}

bool is_efi_boot(void)
{
	return bp->efi_info.efi_loader_signature == EFI64_LOADER_SIGNATURE;
}

/*
 * If the stub was entered as an EFI application, checks efi_info and the other fields
 * that the stub's EFI entry fills in. Otherwise efi_info must be zero.
 */
static void check_efi(void)
{
	const struct efi_info efi = bp->efi_info;
	u64 systab = (u64)efi.efi_systab_hi << 32 | efi.efi_systab;
	u64 memmap = (u64)efi.efi_memmap_hi << 32 | efi.efi_memmap;

	if (!is_efi_boot()) {
		check_zeros("efi_info", (const u8 *)&bp->efi_info,
			    sizeof(bp->efi_info));
		return;
	}
	fact("efi: system table at %lx, memory map at %lx, %u bytes by %u",
	     systab, memmap, efi.efi_memmap_size, efi.efi_memdesc_size);
	if (!systab || !memmap || !efi.efi_memdesc_size ||
	    efi.efi_memmap_size < efi.efi_memdesc_size ||
	    efi.efi_memmap_size % efi.efi_memdesc_size)
		fail("efi: no system table or no memory map");
	else
		handed_add("EFI memory map", memmap, efi.efi_memmap_size);
	if (bp->hdr.type_of_loader != LOADER_TYPE_EFI_STUB)
		fail("efi: type_of_loader is %x", bp->hdr.type_of_loader);
	if (!bp->acpi_rsdp_addr)
		fail("efi: no RSDP");
	if (!bp->secure_boot)
		fail("efi: Secure Boot is not set");
}

/*
 * Prints by which entry (ENTRY_*) the loader has entered the stub, and compares it with
 * the option t.entry=. How the kernel learns the entry depends on the type of loader.
 */
static void check_entry(void)
{
	const char *loaders = "";
	u64 entry;

	if (bp->hdr.type_of_loader == LOADER_TYPE_QEMU) {
		loaders = " (QEMU)";
		entry = ENTRY_16;
	} else if (bp->hdr.type_of_loader == LOADER_TYPE_TEST) {
		loaders = " (test loader)";
		entry = bp->hdr.ext_loader_ver;
	} else if (is_efi_boot()) {
		loaders = " (EFI)";
		entry = ENTRY_EFI;
	} else {
		fact("entry unknown, loader %x", bp->hdr.type_of_loader);
		if (option("t.entry"))
			fail("entry: not known for this loader");
		return;
	}
	fact("entry %lu%s", entry, loaders);
	if (!(bp->hdr.loadflags & LOADED_HIGH))
		fail("zero page: loadflags %x lacks LOADED_HIGH",
		     bp->hdr.loadflags);
	if (option_number("t.entry", entry) != entry)
		fail("entry: %lu, not %lu", entry, option_number("t.entry", 0));
}

void zero_page_check(void)
{
	check_entry();
	check_setup_header();
	check_reserved();
	check_efi();
}

void cmdline_check(void)
{
	u64 addr = cmdline_address();
	u32 len;

	if (!addr) {
		fail("cmdline: there is none");
		return;
	}
	len = cmdline_length();
	if (len > MAX_CMDLINE) {
		fail("cmdline: at %lx, never ends", addr);
		return;
	}
	handed_add("cmdline", addr, len + 1);
	fact("cmdline: at %lx, %u bytes", addr, len);
	fact("cmdline \"%s\"", (const char *)addr);
	if (len > bp->hdr.cmdline_size)
		fail("cmdline: %u bytes, but cmdline_size is %u", len,
		     bp->hdr.cmdline_size);
}

u64 cmdline_hash(void)
{
	return usable_cmdline() ? text_hash(usable_cmdline()) : 0;
}
