/* SPDX-License-Identifier: MIT */
/*
 * services.c - prints messages on ConOut, and allocates memory that is freed
 * again if the boot fails. The other files of efi/ use both.
 *
 * Runs before ExitBootServices, on firmware's stack and page tables.
 */
#include "efi-handoff.h"
#include "efi-stub.h"

in_data u64 efi_runtime_start;

in_data struct efi_state efi;

/* All allocations of efi_alloc_pages(), for efi_free_pages(). */
static struct {
	EFI_PHYSICAL_ADDRESS addr;
	UINTN pages;
} loans[64];

/* ---- Messages. */

static void efi_print(const char *s)
{
	CHAR16 buf[64];
	unsigned int n = 0;

	for (; *s; s++) {
		buf[n++] = (u8)*s;
		if (n == ARRAY_SIZE(buf) - 1 || !s[1]) {
			buf[n] = 0;
			efi.st->ConOut->OutputString(efi.st->ConOut, buf);
			n = 0;
		}
	}
}

EFI_STATUS efi_fail(const char *what, const char *detail, EFI_STATUS status)
{
	efi_print("sevstub: ");
	efi_print(what);
	efi_print(": ");
	efi_print(detail);
	efi_print("\r\n");
	return status;
}

/* ---- Memory. */

EFI_STATUS efi_alloc_pages(EFI_ALLOCATE_TYPE type, u64 pages,
			   EFI_PHYSICAL_ADDRESS *addr)
{
	EFI_STATUS status;

	if (efi.loans == ARRAY_SIZE(loans))
		return EFI_OUT_OF_RESOURCES;
	status = efi.bs->AllocatePages(type, EfiLoaderData, pages, addr);
	if (!status) {
		loans[efi.loans].addr = *addr;
		loans[efi.loans++].pages = pages;
	}
	return status;
}

u64 efi_alloc_below(u64 size, u64 max)
{
	EFI_PHYSICAL_ADDRESS addr = max;

	if (efi_alloc_pages(AllocateMaxAddress,
			ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE, &addr))
		return 0;
	return addr;
}

void efi_free_pages(void)
{
	while (efi.loans) {
		efi.loans--;
		efi.bs->FreePages(loans[efi.loans].addr, loans[efi.loans].pages);
	}
}
