/* SPDX-License-Identifier: MIT */
/*
 * protect.c - what our memory may be used for, in firmware's page tables:
 * never to be written and executed at once.
 *
 * The image's sections and flags say so already, and nothing of ours is ever
 * executed outside of .text before our own tables are loaded. Where firmware
 * has a protocol for it, this holds the rest to it, firmware that maps all
 * memory for everything. With an error status firmware gets all back as it was:
 * it will use these pages for other things. After ExitBootServices its tables
 * are left behind as they are.
 */
#include "efi-stub.h"
#include "image.h"

#define RIGHTS	(EFI_MEMORY_RO | EFI_MEMORY_XP)

static const EFI_GUID attribute_guid = EFI_MEMORY_ATTRIBUTE_PROTOCOL_GUID;

/* What was changed: the image's three parts, and the payload's range. */
static struct {
	u64 start, size, rights;
} changed[4];

static struct efi_memory_attribute *find_protocol(void)
{
	struct efi_memory_attribute *p;

	return efi.bs->LocateProtocol(MUTABLE(attribute_guid), NULL,
				      (void **)&p) ? NULL : p;
}

/* What is taken away comes first, so that there is no moment with both. */
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

	/* A handover loader may have us anywhere. Pages can differ: then not. */
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
