/* SPDX-License-Identifier: MIT */
/*
 * handover_64.S - the entry of the EFI handover protocol, for loaders that do not
 * start the image as an EFI application. If firmware starts the image as an EFI
 * application, it enters at efi_pe_entry() in entry.c.
 */
#include "linkage.h"

	.text
	.code64

/*
 * efi_handover_entry - a loader's entry while boot services run (boot.rst "EFI
 * Handover Protocol"). The loader has put the image into init_size bytes of
 * memory at any address.
 * In:       %rdi = image handle, %rsi = system table, %rdx = zero page.
 * Out:      does not return. If efi_handover() returns, it has printed an error
 *           on firmware's console. The protocol defines no return to the loader,
 *           so the processor halts, with interrupts on, because firmware's
 *           watchdog timer may then reset the machine.
 * Clobbers: everything.
 * Mode:     64-bit, firmware's page tables and IDT, interrupts on.
 * Stack:    firmware's, at least 128 KiB (UEFI 2.10 2.3.4).
 */
GLOBAL(efi_handover_entry)
FUNC(efi_handover_entry)
	subq	$8, %rsp
	andq	$-16, %rsp
	call	efi_handover
.Lwait_for_watchdog:
	hlt
	jmp	.Lwait_for_watchdog
END_FUNC(efi_handover_entry)

	.section .note.GNU-stack, "", @progbits
