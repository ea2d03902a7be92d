/* SPDX-License-Identifier: MIT */
/*
 * tables.c - passes facts about the machine on to the payload: in the zero page
 * (screen, ACPI, Secure Boot), in a configuration table (random seed) or in an
 * EFI variable (request to overwrite memory).
 *
 * Runs before ExitBootServices. Nothing here stops the boot: what firmware
 * lacks or refuses is left out.
 */
#include <linux/screen_info.h>

#include "efi-stub.h"
#include "kaslr.h"
#include "lib/string.h"
#include "sev-snp.h"

static const EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
static const EFI_GUID console_out_guid = EFI_CONSOLE_OUT_DEVICE_GUID;
static const EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
static const EFI_GUID rng_table_guid = LINUX_EFI_RANDOM_SEED_TABLE_GUID;
static const EFI_GUID acpi_guid = ACPI_20_TABLE_GUID;
static const EFI_GUID blob_guid = EFI_CC_BLOB_GUID;
static const EFI_GUID global_guid = EFI_GLOBAL_VARIABLE;
static const EFI_GUID shim_guid = SHIM_LOCK_GUID;
static const EFI_GUID mor_guid = MEMORY_OVERWRITE_REQUEST_GUID;

static void pixel_field(u32 mask, u8 *size, u8 *position)
{
	*position = mask ? (u8)__builtin_ctz(mask) : 0;
	*size = mask ? (u8)(32 - __builtin_clz(mask)) - *position : 0;
}

/* Returns true if the present mode of @gop has a frame buffer. */
static bool has_frame_buffer(const EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	return gop->Mode && gop->Mode->Info && gop->Mode->FrameBufferBase &&
	       gop->Mode->Info->PixelFormat < PixelBltOnly;
}

/*
 * Returns the graphics output whose frame buffer the kernel gets: one that
 * firmware's console uses, else the first output that has a frame buffer, or
 * NULL if none has one.
 */
static EFI_GRAPHICS_OUTPUT_PROTOCOL *find_screen(void)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, *found = NULL;
	EFI_HANDLE *handles;
	UINTN count, i;
	void *console;

	if (efi.bs->LocateHandleBuffer(ByProtocol, MUTABLE(gop_guid), NULL,
				       &count, &handles))
		return NULL;
	for (i = 0; i < count; i++) {
		if (efi.bs->HandleProtocol(handles[i], MUTABLE(gop_guid),
					   (void **)&gop) ||
		    !has_frame_buffer(gop))
			continue;
		if (!efi.bs->HandleProtocol(handles[i],
					    MUTABLE(console_out_guid),
					    &console)) {
			found = gop;
			break;
		}
		if (!found)
			found = gop;
	}
	efi.bs->FreePool(handles);
	return found;
}

void efi_get_screen(struct screen_info *si)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = find_screen();
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
	EFI_PIXEL_BITMASK mask = { 0xff, 0xff00, 0xff0000, 0xff000000 };

	if (!gop)
		return;
	info = gop->Mode->Info;
	switch (info->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		break;
	case PixelBlueGreenRedReserved8BitPerColor:
		mask.RedMask = 0xff0000;
		mask.BlueMask = 0xff;
		break;
	default:
		/*
		 * Only PixelBitMask is left: the cases above have the other formats of
		 * frame buffers, and find_screen() refuses PixelBltOnly.
		 */
		mask = info->PixelInformation;
	}
	si->orig_video_isVGA = VIDEO_TYPE_EFI;
	si->lfb_width = (u16)info->HorizontalResolution;
	si->lfb_height = (u16)info->VerticalResolution;
	si->lfb_base = (u32)gop->Mode->FrameBufferBase;
	si->ext_lfb_base = (u32)(gop->Mode->FrameBufferBase >> 32);
	if (si->ext_lfb_base)
		si->capabilities |= VIDEO_CAPABILITY_64BIT_BASE;
	si->lfb_size = (u32)gop->Mode->FrameBufferSize;
	si->pages = 1;
	pixel_field(mask.RedMask, &si->red_size, &si->red_pos);
	pixel_field(mask.GreenMask, &si->green_size, &si->green_pos);
	pixel_field(mask.BlueMask, &si->blue_size, &si->blue_pos);
	pixel_field(mask.ReservedMask, &si->rsvd_size, &si->rsvd_pos);
	si->lfb_depth = (u16)(si->red_size + si->green_size + si->blue_size +
			      si->rsvd_size);
	si->lfb_linelength = (u16)(info->PixelsPerScanLine * si->lfb_depth / 8);
}

const void *efi_find_table(const EFI_GUID *guid)
{
	UINTN i;

	for (i = 0; i < efi.st->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t = &efi.st->ConfigurationTable[i];

		if (!memcmp(&t->VendorGuid, guid, sizeof(*guid)))
			return t->VendorTable;
	}
	return NULL;
}

u64 efi_find_rsdp(void)
{
	return (u64)efi_find_table(&acpi_guid);
}

void efi_find_blob(void)
{
	snp_efi_blob = (u64)efi_find_table(&blob_guid);
}

static EFI_STATUS get_byte_variable(const CHAR16 *name, const EFI_GUID *guid,
				    u8 *value, u32 *attributes)
{
	UINTN size = sizeof(*value);

	return efi.st->RuntimeServices->GetVariable((CHAR16 *)(u64)name,
						    (EFI_GUID *)(u64)guid,
						    attributes, &size, value);
}

/*
 * Returns true if the machine's owner has turned off shim's verification of
 * what it starts. A variable that the operating system can access does not
 * count, because an operating system could have set it.
 */
static bool shim_lets_pass(void)
{
	u32 attributes;
	u8 state;

	return !get_byte_variable(SHIM_STATE_VARIABLE, &shim_guid, &state,
				  &attributes) &&
	       !(attributes & EFI_VARIABLE_RUNTIME_ACCESS) && state == 1;
}

u8 efi_get_secure_boot(void)
{
	u8 secure_boot, setup_mode;
	EFI_STATUS status = get_byte_variable(u"SecureBoot", &global_guid,
					      &secure_boot, NULL);

	if (status == EFI_NOT_FOUND)
		return SECURE_BOOT_DISABLED;
	if (status || get_byte_variable(u"SetupMode", &global_guid, &setup_mode,
					NULL))
		return SECURE_BOOT_UNKNOWN;
	return secure_boot == 1 && setup_mode == 0 && !shim_lets_pass() ?
	       SECURE_BOOT_ENABLED : SECURE_BOOT_DISABLED;
}

/*
 * Sets the variable that makes firmware overwrite memory at the next reset,
 * unless the kernel has shut down cleanly (TCG Platform Reset Attack Mitigation
 * Specification 1.10). Does nothing if firmware does not have the variable.
 */
void efi_request_memory_overwrite(void)
{
	u8 value;

	if (get_byte_variable(u"MemoryOverwriteRequestControl", &mor_guid,
			      &value, NULL))
		return;
	value = 1;
	efi.st->RuntimeServices->SetVariable(
		(CHAR16 *)(u64)u"MemoryOverwriteRequestControl",
		MUTABLE(mor_guid), EFI_VARIABLE_NON_VOLATILE |
		EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
		sizeof(value), &value);
}

/*
 * Installs a random seed for the kernel in Linux's configuration table. If a
 * loader has already installed a seed there, its bytes are appended to the new
 * ones.
 */
void efi_install_random_seed(void)
{
	struct linux_random_seed *seed, *old;
	EFI_RNG_PROTOCOL *rng;
	u32 old_size = 0;

	old = (void *)(u64)efi_find_table(&rng_table_guid);
	if (old && old->size <= RANDOM_SEED_MAX_SIZE)
		old_size = old->size;
	if (efi.bs->LocateProtocol(MUTABLE(rng_guid), NULL, (void **)&rng) ||
	    efi.bs->AllocatePool(EfiACPIReclaimMemory, sizeof(*seed) +
				 RANDOM_SEED_SIZE + old_size, (void **)&seed))
		return;
	seed->size = RANDOM_SEED_SIZE + old_size;
	if (rng->GetRNG(rng, NULL, RANDOM_SEED_SIZE, seed->bits)) {
		efi.bs->FreePool(seed);
		return;
	}
	if (old_size)
		memcpy(seed->bits + RANDOM_SEED_SIZE, old->bits, old_size);
	if (efi.bs->InstallConfigurationTable(MUTABLE(rng_table_guid), seed)) {
		memset(seed->bits, 0, seed->size);
		efi.bs->FreePool(seed);
	} else if (old_size) {
		memset(old->bits, 0, old_size);
	}
}

void efi_seed_kaslr(void)
{
	static u8 bits[16];
	EFI_RNG_PROTOCOL *rng;

	if (efi.bs->LocateProtocol(MUTABLE(rng_guid), NULL, (void **)&rng) ||
	    rng->GetRNG(rng, NULL, sizeof(bits), bits))
		return;
	kaslr_seed(bits, sizeof(bits));
	memset(bits, 0, sizeof(bits));
}
