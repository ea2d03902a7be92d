/* SPDX-License-Identifier: MIT */
/*
 * services.c - prints messages on ConOut, and allocates memory that is freed
 * again if the boot fails. The other files of efi/ use both.
 *
 * Runs before ExitBootServices, on firmware's stack and page tables.
 */
#include "efi-handoff.h"
#include "efi-stub.h"
#include "lib/string.h"

in_data u64 efi_runtime_start;

in_data struct efi_state efi;

/* All allocations of efi_alloc_pages(), for efi_free_pages(). */
static struct {
	EFI_PHYSICAL_ADDRESS addr;
	UINTN pages;
} loans[64];

/* ---- Messages. */

u32 utf8_next(const char **text)
{
	/*
	 * lowest[n] is the lowest code point that needs n bytes in UTF-8. A
	 * sequence of n bytes for a lower code point is not its shortest form,
	 * and is refused.
	 */
	static const u32 lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const u8 *s = (const u8 *)*text;
	u32 c = *s;
	unsigned int size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	unsigned int i;

	++*text;
	if (size == 1)
		return c;
	if (c < 0xc0 || c >= 0xf8)
		return UTF8_BAD;
	c &= 0x7fU >> size;
	for (i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return UTF8_BAD;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < lowest[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return UTF8_BAD;
	*text += size - 1;
	return c;
}

unsigned int utf16_put(CHAR16 *out, u32 c)
{
	if (c < 0x10000) {
		out[0] = (CHAR16)c;
		return 1;
	}
	out[0] = (CHAR16)(0xd800 + ((c - 0x10000) >> 10));
	out[1] = (CHAR16)(0xdc00 + (c & 0x3ff));
	return 2;
}

/* Prints UTF-8 text. A byte that is not part of a character becomes '?'. */
static void efi_print(const char *s)
{
	CHAR16 buf[64];
	unsigned int n = 0;
	u32 c;

	while (*s) {
		c = utf8_next(&s);
		n += utf16_put(buf + n, c == UTF8_BAD ? '?' : c);
		if (n >= ARRAY_SIZE(buf) - 2 || !*s) {
			buf[n] = 0;
			efi.st->ConOut->OutputString(efi.st->ConOut, buf);
			n = 0;
		}
	}
}

static EFI_STATUS fail(const char *what, const char *detail, EFI_STATUS status)
{
	efi_print("sevstub: ");
	efi_print(what);
	efi_print(": ");
	efi_print(detail);
	efi_print("\r\n");
	return status;
}

EFI_STATUS efi_fail(const char *what, const char *detail, EFI_STATUS status)
{
	return fail(what, detail, status);
}

EFI_STATUS efi_fail_values(const char *what, const char *detail,
			   const u64 *values, EFI_STATUS status)
{
	char text[256];
	size_t n = 0;
	int shift;

	/* Leave room for a value of 16 digits and the NUL. */
	while (*detail && n < sizeof(text) - 17) {
		if (*detail != '%') {
			text[n++] = *detail++;
			continue;
		}
		shift = 60;
		while (shift && !(*values >> shift))
			shift -= 4;
		for (; shift >= 0; shift -= 4)
			text[n++] = "0123456789abcdef"[*values >> shift & 15];
		values++;
		detail += strlen("%lx");
	}
	text[n] = '\0';
	return fail(what, text, status);
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
