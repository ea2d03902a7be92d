/* SPDX-License-Identifier: MIT */
/*
 * protect.c - sets the rights of the image's code and data in firmware's page tables,
 * so that none of their pages is writable and executable at the same time. The PE
 * headers, .setup and .sbat keep the rights that firmware has given them.
 *
 * The image's PE sections ask for the same rights, but firmware may
 * nevertheless map all memory with all rights. If firmware has the memory
 * attribute protocol (UEFI 2.10 37.7), this file sets the rights. No code
 * outside of the PE section .text, which includes the entries, runs before the
 * stub's own page tables are loaded. If the boot fails, the old rights are
 * restored, because firmware will use the pages for other purposes. After
 * sev_load_map() firmware's page tables are no longer used.
 */
#include "efi-stub.h"
#include "image.h"

#define RIGHTS	(EFI_MEMORY_RO | EFI_MEMORY_XP)

static const EFI_GUID attribute_guid = EFI_MEMORY_ATTRIBUTE_PROTOCOL_GUID;

/*
 * Ranges whose rights efi_protect() has changed, with the old rights. There are
 * at most four: the three parts of the image in efi_protect_image(), and the
 * payload's runtime range, which efi_alloc_runtime() allocates.
 */
static struct {
	u64 start, size, rights;
} changed[4];

static struct efi_memory_attribute *find_protocol(void)
{
	struct efi_memory_attribute *p;

	return efi.bs->LocateProtocol(MUTABLE(attribute_guid), NULL,
				      (void **)&p) ? NULL : p;
}

/*
 * Sets the attributes @set (EFI_MEMORY_RO, _XP) of the range before it clears
 * the attributes @clear. In this order a page is never writable and executable
 * in between.
 */
static EFI_STATUS change(struct efi_memory_attribute *p, u64 start, u64 size,
			 u64 set, u64 clear)
{
	EFI_STATUS status = EFI_SUCCESS;

	if (set)
		status = p->set(p, start, size, set);
	if (!status && clear)
		status = p->clear(p, start, size, clear);
	return status;
}

void efi_protect(u64 start, u64 end, u64 rights)
{
	struct efi_memory_attribute *p = find_protocol();
	u64 size = ALIGN_UP(end, PAGE_SIZE) - start;
	u64 now;

	/*
	 * A handover loader may have put the image at an address that is not
	 * page-aligned. get() fails if the pages have different rights. In both
	 * cases nothing is changed.
	 */
	if (!p || start % PAGE_SIZE || p->get(p, start, size, &now))
		return;
	now &= RIGHTS;
	if (now == rights)
		return;
	changed[efi.changed].start = start;
	changed[efi.changed].size = size;
	changed[efi.changed++].rights = now;
	if (change(p, start, size, rights, now & ~rights))
		efi_fail("memory attributes", "cannot be changed",
			 EFI_DEVICE_ERROR);
}

void efi_protect_image(void)
{
	efi_protect((u64)_image, (u64)_rodata, EFI_MEMORY_RO);
	efi_protect((u64)_rodata, (u64)_data, EFI_MEMORY_RO | EFI_MEMORY_XP);
	efi_protect((u64)_data, (u64)_end, EFI_MEMORY_XP);
}

void efi_unprotect(void)
{
	struct efi_memory_attribute *p = find_protocol();

	while (efi.changed) {
		efi.changed--;
		change(p, changed[efi.changed].start, changed[efi.changed].size,
		       changed[efi.changed].rights,
		       RIGHTS & ~changed[efi.changed].rights);
	}
}
